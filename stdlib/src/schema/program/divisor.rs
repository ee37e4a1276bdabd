//! `multipleOf`, exact in decimal.

use std::io::Write as _;

use jsonschema::{Keyword, ValidationError};
use serde_json::Value;

use crate::document::Number;

/// A divisor: `digits` times ten to the power of `exponent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Divisor {
    decimal: Decimal,
    /// The divisor when it is an integer.
    integer: Option<u64>,
}

/// The absolute value of a number, without zeros at the end of its digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Decimal {
    digits: u64,
    exponent: i32,
}

impl Divisor {
    pub(super) fn new(number: Number) -> Self {
        let integer = number.as_integer().and_then(|value| u64::try_from(value).ok());
        Self { decimal: Decimal::new(number), integer: integer.filter(|value| *value > 0) }
    }

    /// Whether `number` is a multiple.
    pub(super) fn divides(&self, number: Number) -> bool {
        if let (Some(divisor), Number::Unsigned(value)) = (self.integer, number) {
            return value % divisor == 0;
        }
        let number = Decimal::new(number);
        let divisor = self.decimal;
        if number.digits == 0 {
            return true;
        }
        if divisor.digits == 0 {
            return false;
        }
        let shift = number.exponent - divisor.exponent;
        if shift >= 0 {
            let power = power_of_ten(shift.unsigned_abs(), divisor.digits);
            let product = u128::from(number.digits % divisor.digits) * u128::from(power);
            return product % u128::from(divisor.digits) == 0;
        }
        // A product beyond the type is greater than every number of 64 bits.
        let power = 10_u128.checked_pow(shift.unsigned_abs());
        power
            .and_then(|power| power.checked_mul(u128::from(divisor.digits)))
            .is_some_and(|divisor| u128::from(number.digits) % divisor == 0)
    }
}

impl Decimal {
    fn new(number: Number) -> Self {
        match number {
            Number::Unsigned(value) => Self { digits: value, exponent: 0 }.trimmed(),
            Number::Negative(value) => Self { digits: value.unsigned_abs(), exponent: 0 }.trimmed(),
            Number::Float(value) => Self::of_float(value).trimmed(),
        }
    }

    /// The shortest decimal that stands for the double.
    fn of_float(value: f64) -> Self {
        let mut text = [0_u8; 32];
        let mut rest = text.as_mut_slice();
        // The shortest form has at most 17 digits, a sign, a point and an exponent.
        if write!(rest, "{:e}", value.abs()).is_err() {
            return Self { digits: 0, exponent: 0 };
        }
        let (mut digits, mut exponent) = (0_u64, 0_i32);
        let mut bytes = text.iter().take_while(|byte| **byte != 0);
        let mut is_fraction = false;
        for byte in bytes.by_ref() {
            match byte {
                b'.' => is_fraction = true,
                b'e' => break,
                digit => {
                    digits = digits * 10 + u64::from(digit.wrapping_sub(b'0'));
                    exponent -= i32::from(is_fraction);
                }
            }
        }
        let mut is_negative = false;
        let mut power = 0;
        for byte in bytes {
            match byte {
                b'-' => is_negative = true,
                digit => power = power * 10 + i32::from(digit.wrapping_sub(b'0')),
            }
        }
        Self { digits, exponent: exponent + if is_negative { -power } else { power } }
    }

    fn trimmed(mut self) -> Self {
        while self.digits != 0 && self.digits.is_multiple_of(10) {
            self.digits /= 10;
            self.exponent += 1;
        }
        self
    }
}

/// Ten to a power, modulo `modulus`.
fn power_of_ten(mut power: u32, modulus: u64) -> u64 {
    let modulus = u128::from(modulus);
    let (mut result, mut base) = (1 % modulus, 10 % modulus);
    while power > 0 {
        if power % 2 == 1 {
            result = result * base % modulus;
        }
        base = base * base % modulus;
        power /= 2;
    }
    // The modulus fits, so the remainder does.
    result as u64
}

/// The keyword as the library gets it, so that both divide alike.
pub(in crate::schema) struct DecimalDivisor {
    text: String,
    divisor: Option<Divisor>,
}

impl DecimalDivisor {
    pub(in crate::schema) fn new(value: &Value) -> Self {
        let divisor = value.as_number().map(|number| Divisor::new(number.into()));
        Self { text: value.to_string(), divisor }
    }
}

impl<'i> Keyword<'i> for DecimalDivisor {
    fn validate(&self, value: &'i Value) -> Result<(), ValidationError<'i>> {
        if self.is_valid(value) {
            return Ok(());
        }
        let message = format!("expected a multiple of {}, found {value}", self.text);
        Err(ValidationError::custom(message))
    }

    fn is_valid(&self, value: &'i Value) -> bool {
        let Value::Number(number) = value else { return true };
        self.divisor.is_none_or(|divisor| divisor.divides(number.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiples_are_those_of_decimals() {
        let divides = |number: Number, divisor: Number| Divisor::new(divisor).divides(number);
        let float = Number::Float;
        assert!(divides(float(0.3), float(0.1)));
        assert!(divides(float(1_070_468.14), float(0.01)));
        assert!(divides(float(19.99), float(0.01)));
        assert!(!divides(float(19.995), float(0.01)));
        assert!(divides(Number::Unsigned(u64::MAX), Number::Unsigned(5)));
        assert!(!divides(Number::Unsigned(u64::MAX), Number::Unsigned(2)));
        assert!(divides(Number::Negative(-9), Number::Unsigned(3)));
        assert!(divides(float(1e300), Number::Unsigned(1 << 40)));
        assert!(!divides(float(1e300), Number::Unsigned(3)));
        assert!(divides(Number::Unsigned(10), float(2.5)));
        assert!(!divides(float(5e-324), float(0.1)));
        assert!(divides(float(0.0), float(0.1)));
        assert!(divides(float(f64::MAX), float(f64::MAX)));
    }
}
