//! The number of a document.

use std::cmp::Ordering;

/// A number, as exact as its text was: an integer of 64 bits or a double.
#[derive(Debug, Clone, Copy)]
pub enum Number {
    /// An integer that is not negative.
    Unsigned(u64),
    /// A negative integer.
    Negative(i64),
    /// A finite double; it may have no fraction, like `1.0`.
    Float(f64),
}

impl Number {
    /// Up to here, all integers are doubles.
    pub(crate) const EXACT_MAX: u64 = 1 << f64::MANTISSA_DIGITS;

    /// The number as a double, rounded to the nearest.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Unsigned(value) => value as f64,
            Self::Negative(value) => value as f64,
            Self::Float(value) => value,
        }
    }

    /// The number as a double of the same value, unless it is a greater integer than all of which
    /// doubles have.
    #[inline]
    pub(crate) fn as_exact_f64(self) -> Option<f64> {
        match self {
            // A signed integer is converted by one instruction.
            Self::Unsigned(value) => {
                (value <= Self::EXACT_MAX).then_some(value.cast_signed() as f64)
            }
            Self::Negative(value) => {
                (value.unsigned_abs() <= Self::EXACT_MAX).then_some(value as f64)
            }
            Self::Float(value) => Some(value),
        }
    }

    /// The integer as it was written; `None` for a double, also without a fraction.
    pub fn as_integer(self) -> Option<i128> {
        match self {
            Self::Unsigned(value) => Some(value.into()),
            Self::Negative(value) => Some(value.into()),
            Self::Float(_) => None,
        }
    }

    /// Whether the number has no fraction, as JSON Schema means `integer`.
    pub fn is_whole(self) -> bool {
        match self {
            Self::Unsigned(_) | Self::Negative(_) => true,
            // From 2^63 on, doubles have no fraction; below, they convert back and forth.
            Self::Float(value) => {
                value.abs() >= 9_223_372_036_854_775_808.0 || value as i64 as f64 == value
            }
        }
    }

    /// Compares by exact value, across integers and doubles.
    pub fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Unsigned(left), Self::Unsigned(right)) => left.cmp(&right),
            (Self::Negative(left), Self::Negative(right)) => left.cmp(&right),
            (Self::Unsigned(_), Self::Negative(_)) => Ordering::Greater,
            (Self::Negative(_), Self::Unsigned(_)) => Ordering::Less,
            (Self::Float(left), Self::Float(right)) => {
                left.partial_cmp(&right).unwrap_or(Ordering::Equal)
            }
            (Self::Float(left), right) => {
                crate::value::compare_mixed(right.as_integer().unwrap_or(0), left).reverse()
            }
            (left, Self::Float(right)) => {
                crate::value::compare_mixed(left.as_integer().unwrap_or(0), right)
            }
        }
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self::Unsigned(value)
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        u64::try_from(value).map_or(Self::Negative(value), Self::Unsigned)
    }
}

impl From<&serde_json::Number> for Number {
    fn from(number: &serde_json::Number) -> Self {
        if let Some(value) = number.as_u64() {
            return Self::Unsigned(value);
        }
        match number.as_i64() {
            Some(value) => Self::from(value),
            None => Self::Float(number.as_f64().unwrap_or_default()),
        }
    }
}

impl From<Number> for serde_json::Number {
    fn from(number: Number) -> Self {
        match number {
            Number::Unsigned(value) => Self::from(value),
            Number::Negative(value) => Self::from(value),
            Number::Float(value) => Self::from_f64(value).unwrap_or_else(|| Self::from(0)),
        }
    }
}
