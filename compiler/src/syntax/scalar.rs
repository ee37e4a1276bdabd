//! Plain scalars by the YAML 1.2 core schema.
//!
//! `yes`, `no`, `on` and dates are strings. Whole numbers are exact from the least `i64` to the greatest `u64`; others
//! become floating point. What JSON cannot hold (`.inf`, `.nan`, numbers beyond floating point) stays a string.

use serde_json::Number;

/// What the text of a plain scalar means.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number.
    Number(Number),
    /// Anything else.
    String,
}

/// Resolves the text of a plain scalar.
pub(super) fn resolve(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "true" | "True" | "TRUE" => Scalar::Boolean(true),
        "false" | "False" | "FALSE" => Scalar::Boolean(false),
        _ => number(text).map_or(Scalar::String, Scalar::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    if let Some(digits) = text.strip_prefix("0o") {
        return in_radix(digits, 8);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return in_radix(digits, 16);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if is_digits(unsigned) {
        return integer(text);
    }
    if is_decimal(unsigned) { Number::from_f64(text.parse().ok()?) } else { None }
}

/// Digits of a radix, without a sign.
fn in_radix(digits: &str, radix: u32) -> Option<Number> {
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    u64::from_str_radix(digits, radix).ok().filter(|_| is_plain).map(Number::from)
}

fn integer(text: &str) -> Option<Number> {
    if let Ok(value) = text.parse::<i64>() {
        return Some(Number::from(value));
    }
    if let Ok(value) = text.parse::<u64>() {
        return Some(Number::from(value));
    }
    Number::from_f64(text.parse().ok()?)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the text is `1.5`, `.5`, `5.`, `5e3` or the like, without its sign.
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(left, right)| {
        (left, Some(right.strip_prefix(['-', '+']).unwrap_or(right)))
    });
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let has_digits = is_digits(whole) || (whole.is_empty() && is_digits(fraction));
    has_digits && (fraction.is_empty() || is_digits(fraction)) && exponent.is_none_or(is_digits)
}

#[cfg(test)]
mod tests {
    use super::{Scalar, resolve};

    #[test]
    fn numbers_are_exact_or_floating_point() {
        let cases = [
            ("0", "0"),
            ("-12", "-12"),
            ("+7", "7"),
            ("0777", "777"),
            ("0o17", "15"),
            ("0xff", "255"),
            ("18446744073709551615", "18446744073709551615"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("1.0", "1.0"),
            (".5", "0.5"),
            ("5.", "5.0"),
            ("1e3", "1000.0"),
            ("-1.5E-2", "-0.015"),
        ];
        for (text, expected) in cases {
            let Scalar::Number(number) = resolve(text) else { panic!("{text} is a number") };
            assert_eq!(number.to_string(), expected, "{text}");
        }
    }

    #[test]
    fn words_dates_and_near_numbers_are_strings() {
        let texts = [
            "yes",
            "no",
            "on",
            "2024-01-01",
            "1_000",
            "0x",
            "0o8",
            ".",
            "e3",
            "1e",
            "+",
            "-",
            ".inf",
            ".nan",
            "1.2.3",
            "1e999",
            "0x-1",
            "12:30",
            "inf",
            "NaN",
            "tRUE",
        ];
        for text in texts {
            assert_eq!(resolve(text), Scalar::String, "{text}");
        }
    }

    #[test]
    fn nulls_and_booleans_have_three_spellings() {
        for text in ["", "~", "null", "Null", "NULL"] {
            assert_eq!(resolve(text), Scalar::Null, "{text}");
        }
        for (text, value) in [("true", true), ("True", true), ("FALSE", false)] {
            assert_eq!(resolve(text), Scalar::Boolean(value), "{text}");
        }
    }
}
