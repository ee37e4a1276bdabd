//! `append`: arrays are put one after the other.

use serde_json::Value;

use super::walk::{Here, Reached, Stop, Walk};
use super::{Law, Strategy};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "append",
    docs: "The items of the right array follow those of the left one. A left null stays null.",
    settings: &[],
    laws: &[Law::Associative],
    reduce,
};

fn reduce(
    walk: &mut Walk<'_>,
    here: &Here<'_>,
    left: Option<Value>,
    right: Value,
) -> Result<Reached, Stop> {
    let value = match (left, right) {
        (None, right @ Value::Array(_)) => right,
        (Some(Value::Null), Value::Array(_)) => Value::Null,
        (Some(Value::Array(mut left)), Value::Array(mut right)) => {
            left.append(&mut right);
            Value::Array(left)
        }
        (left, right) => return Err(walk.wrong_type(here, "arrays", left.as_ref(), &right)),
    };
    Ok(Reached::Kept(value))
}
