//! `x-str-minimum` and `x-str-maximum`: bounds of strings that stand for numbers.

use std::cmp::Ordering;

use jsonschema::{Keyword, ValidationError};
use serde_json::Value;

use crate::value::{Decimal, quote};

/// Which side of a bound is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Numbers that are not smaller.
    Above,
    /// Numbers that are not greater.
    Below,
}

/// A bound of numeric strings; any other value passes.
#[derive(Debug)]
pub(super) struct NumericBound {
    bound: String,
    side: Side,
}

impl NumericBound {
    /// The bound that a keyword's value gives, a number or a string that is one.
    pub(super) fn new(value: &Value, side: Side) -> Self {
        let bound = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Self { bound, side }
    }

    /// Whether `text` is within the bound, or no number.
    pub(super) fn admits(&self, text: &str) -> bool {
        compare(text, &self.bound).is_none_or(|order| match self.side {
            Side::Above => order != Ordering::Less,
            Side::Below => order != Ordering::Greater,
        })
    }
}

impl<'i> Keyword<'i> for NumericBound {
    fn validate(&self, value: &'i Value) -> Result<(), ValidationError<'i>> {
        if self.is_valid(value) {
            return Ok(());
        }
        let relation = match self.side {
            Side::Above => "least",
            Side::Below => "most",
        };
        let message = format!("expected at {relation} {}, found {}", self.bound, quote(value));
        Err(ValidationError::custom(message))
    }

    fn is_valid(&self, value: &'i Value) -> bool {
        value.as_str().is_none_or(|text| self.admits(text))
    }
}

/// Compares two strings as numbers; `None` when one is no number.
fn compare(left: &str, right: &str) -> Option<Ordering> {
    match (Decimal::parse(left), Decimal::parse(right)) {
        (Some(left), Some(right)) => left.compare(right),
        // Infinities, and more digits than a decimal keeps.
        _ => left.parse::<f64>().ok()?.partial_cmp(&right.parse::<f64>().ok()?),
    }
}
