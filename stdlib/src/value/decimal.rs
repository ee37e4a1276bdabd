//! Decimals of any precision, as far as sums and bounds need them: read, add, compare, print.

use std::cmp::Ordering;

use crate::limits::DECIMAL_DIGITS_MAX;

/// A decimal number: `digits` (most significant first) times ten to the power of minus `scale`.
///
/// Zeros at the end are kept, because they tell the precision of what was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    scale: usize,
}

impl Decimal {
    /// Reads `-12.50`, `1e3`, `.5` and the like; `None` for anything else and beyond the limit of
    /// digits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let mut digits = Vec::new();
        for byte in whole.bytes().chain(fraction.bytes()) {
            if !byte.is_ascii_digit() {
                return None;
            }
            digits.push(byte - b'0');
        }
        let scale = i64::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        let added_zeros = usize::try_from(scale.min(0).unsigned_abs()).ok()?;
        let scale = usize::try_from(scale.max(0)).ok()?;
        if digits.len().checked_add(added_zeros)?.max(scale) > DECIMAL_DIGITS_MAX {
            return None;
        }
        digits.extend(std::iter::repeat_n(0, added_zeros));
        Some(Self { negative, digits, scale }.trimmed())
    }

    /// The sum, as precise as the more precise side; `None` beyond the limit of digits.
    pub(crate) fn add(mut self, mut other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        self.extend_to(scale);
        other.extend_to(scale);
        let (negative, digits) = if self.negative == other.negative {
            (self.negative, add(&self.digits, &other.digits))
        } else {
            match compare_digits(&self.digits, &other.digits) {
                Ordering::Less => (other.negative, subtract(&other.digits, &self.digits)),
                Ordering::Equal | Ordering::Greater => {
                    (self.negative, subtract(&self.digits, &other.digits))
                }
            }
        };
        (digits.len() <= DECIMAL_DIGITS_MAX).then(|| Self { negative, digits, scale }.trimmed())
    }

    /// Compares by value; `None` beyond the limit of digits.
    pub(crate) fn compare(self, other: Self) -> Option<Ordering> {
        let difference = self.add(Self { negative: !other.negative, ..other })?;
        Some(match (difference.negative, difference.digits.is_empty()) {
            (_, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, false) => Ordering::Greater,
        })
    }

    fn extend_to(&mut self, scale: usize) {
        self.digits.extend(std::iter::repeat_n(0, scale - self.scale));
        self.scale = scale;
    }

    /// Without zeros before the number, and with a plain zero.
    fn trimmed(mut self) -> Self {
        let zeros = self.digits.iter().take_while(|digit| **digit == 0).count();
        self.digits.drain(..zeros);
        if self.digits.is_empty() {
            self.negative = false;
        }
        self
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text: String = self.digits.iter().map(|digit| char::from(b'0' + digit)).collect();
        if text.len() <= self.scale {
            text.insert_str(0, &"0".repeat(self.scale + 1 - text.len()));
        }
        if self.scale > 0 {
            text.insert(text.len() - self.scale, '.');
        }
        if self.negative {
            text.insert(0, '-');
        }
        formatter.write_str(&text)
    }
}

/// Compares two digit rows without zeros before them, of one scale.
fn compare_digits(left: &[u8], right: &[u8]) -> Ordering {
    let significant = |digits: &[u8]| {
        let zeros = digits.iter().take_while(|digit| **digit == 0).count();
        digits.len() - zeros
    };
    let (left_length, right_length) = (significant(left), significant(right));
    left_length.cmp(&right_length).then_with(|| {
        let tail =
            |digits: &[u8], length| digits.iter().rev().take(length).rev().copied().collect();
        let (left, right): (Vec<u8>, Vec<u8>) =
            (tail(left, left_length), tail(right, right_length));
        left.cmp(&right)
    })
}

fn add(left: &[u8], right: &[u8]) -> Vec<u8> {
    let (mut left, mut right) = (left.iter().rev(), right.iter().rev());
    let mut digits = Vec::new();
    let mut carry = 0;
    loop {
        let (left, right) = (left.next(), right.next());
        if left.is_none() && right.is_none() {
            break;
        }
        let sum = left.unwrap_or(&0) + right.unwrap_or(&0) + carry;
        digits.push(sum % 10);
        carry = sum / 10;
    }
    digits.push(carry);
    digits.reverse();
    digits
}

/// The difference of two digit rows, of which the first is not smaller.
fn subtract(left: &[u8], right: &[u8]) -> Vec<u8> {
    let mut right = right.iter().rev();
    let mut borrow = 0;
    let mut digits: Vec<u8> = left
        .iter()
        .rev()
        .map(|left| {
            let taken = right.next().unwrap_or(&0) + borrow;
            borrow = u8::from(*left < taken);
            left + 10 * borrow - taken
        })
        .collect();
    digits.reverse();
    digits
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use proptest::prelude::*;

    use super::*;

    fn sum(left: &str, right: &str) -> String {
        let sum = Decimal::parse(left).unwrap().add(Decimal::parse(right).unwrap());
        sum.unwrap().to_string()
    }

    #[test]
    fn sums_keep_the_precision_of_their_terms() {
        assert_eq!(sum("1.50", "1.50"), "3.00");
        assert_eq!(sum("1", "-0.0"), "1.0");
        assert_eq!(sum("-1", "1"), "0");
        assert_eq!(sum("1e3", ".5"), "1000.5");
        assert_eq!(sum("-0.05", "0.2"), "0.15");
        assert_eq!(sum("0.05", "-0.2"), "-0.15");
        assert_eq!(sum("0", "0.00"), "0.00");
    }

    #[test]
    fn decimals_compare_by_value() {
        let compare = |left: &str, right: &str| {
            Decimal::parse(left).unwrap().compare(Decimal::parse(right).unwrap()).unwrap()
        };
        assert_eq!(compare("1.0", "1"), Ordering::Equal);
        assert_eq!(compare("0", "-0.0"), Ordering::Equal);
        assert_eq!(compare("-2", "1"), Ordering::Less);
        assert_eq!(compare("18446744073709551617", "18446744073709551616.9"), Ordering::Greater);
    }

    #[test]
    fn what_is_no_decimal_is_refused() {
        for text in [
            "",
            "-",
            ".",
            "abc",
            "NaN",
            "1_0",
            " 1",
            "1e",
            "--1",
            "1.2.3",
            "1e99999999999999999999",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
        assert_eq!(Decimal::parse(&format!("1e{DECIMAL_DIGITS_MAX}")), None);
        assert_eq!(Decimal::parse(&format!("1e-{}", DECIMAL_DIGITS_MAX + 1)), None);
        assert_eq!(Decimal::parse("1e9223372036854775807"), None);
        assert_eq!(Decimal::parse("1e-9223372036854775808"), None);
    }

    proptest! {
        #[test]
        fn sums_of_integers_are_exact(left in any::<i64>(), right in any::<i64>()) {
            let exact = i128::from(left) + i128::from(right);
            prop_assert_eq!(sum(&left.to_string(), &right.to_string()), exact.to_string());
        }

        #[test]
        fn sums_are_associative(
            a in "-?[0-9]{1,5}(\\.[0-9]{1,5})?",
            b in "-?[0-9]{1,5}(\\.[0-9]{1,5})?",
            c in "-?[0-9]{1,5}(\\.[0-9]{1,5})?",
        ) {
            prop_assert_eq!(sum(&sum(&a, &b), &c), sum(&a, &sum(&b, &c)));
        }
    }
}
