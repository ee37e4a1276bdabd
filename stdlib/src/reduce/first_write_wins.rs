//! `firstWriteWins`: the left value stays.

use serde_json::Value;

use super::walk::{Here, Reached, Stop, Walk};
use super::{Law, Strategy};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "firstWriteWins",
    docs: "The left value stays, even when it is null.",
    settings: &[],
    laws: &[Law::Associative, Law::Idempotent],
    reduce,
};

fn reduce(
    _: &mut Walk<'_>,
    _: &Here<'_>,
    left: Option<Value>,
    right: Value,
) -> Result<Reached, Stop> {
    Ok(Reached::Kept(left.unwrap_or(right)))
}
