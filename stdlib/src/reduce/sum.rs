//! `sum`: numbers are added, and strings that stand for numbers.

use serde_json::{Number, Value};

use super::walk::{Here, Reached, Stop, Walk};
use super::{Law, Strategy};
use crate::value::{Decimal, quote};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "sum",
    docs: "Numbers are added: integers exactly, fractions as doubles, strings that stand for \
           numbers in decimals of any precision. A missing left side counts as 0.",
    settings: &[],
    laws: &[Law::Associative, Law::Commutative],
    reduce,
};

fn reduce(
    walk: &mut Walk<'_>,
    here: &Here<'_>,
    left: Option<Value>,
    right: Value,
) -> Result<Reached, Stop> {
    let sum = match add(left.as_ref().unwrap_or(&Value::from(0)), &right) {
        Ok(sum) => sum,
        Err(Fault::NotNumber) => {
            return Err(walk.wrong_type(here, "numbers", left.as_ref(), &right));
        }
        Err(Fault::Overflow) => {
            let left = left.as_ref().map_or_else(|| "`0`".to_owned(), quote);
            let message =
                format!("the `sum` of {left} and {} is beyond the numbers of JSON", quote(&right));
            return Err(walk.failure(here, message));
        }
    };
    Ok(Reached::Kept(sum))
}

enum Fault {
    NotNumber,
    Overflow,
}

fn add(left: &Value, right: &Value) -> Result<Value, Fault> {
    if let (Value::Number(left), Value::Number(right)) = (left, right) {
        return add_numbers(left, right).map(Value::Number);
    }
    let left = decimal(left).ok_or(Fault::NotNumber)?;
    let right = decimal(right).ok_or(Fault::NotNumber)?;
    let sum = left.add(right).ok_or(Fault::Overflow)?;
    Ok(Value::String(sum.to_string()))
}

fn add_numbers(left: &Number, right: &Number) -> Result<Number, Fault> {
    if let (Some(left), Some(right)) = (integer(left), integer(right)) {
        // Two integers of 65 bits never overflow 128.
        let sum = left + right;
        return i64::try_from(sum)
            .map(Number::from)
            .or_else(|_| u64::try_from(sum).map(Number::from))
            .map_err(|_| Fault::Overflow);
    }
    let (left, right) = left.as_f64().zip(right.as_f64()).ok_or(Fault::NotNumber)?;
    Number::from_f64(left + right).ok_or(Fault::Overflow)
}

fn integer(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::String(text) => Decimal::parse(text),
        Value::Number(number) => match integer(number) {
            Some(integer) => Decimal::parse(&integer.to_string()),
            // Other tools of this language print the doubles of such sums with 15 digits after the
            // point.
            None => Decimal::parse(&format!("{:.15e}", number.as_f64()?)),
        },
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
