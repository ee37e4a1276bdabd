//! `lastWriteWins`: the right value stays.

use serde_json::Value;

use super::walk::{Here, Reached, Stop, Walk};
use super::{Law, Mode, Setting, Strategy};
use crate::value::compare;

pub(super) const STRATEGY: Strategy = Strategy {
    name: "lastWriteWins",
    docs: "The right value stays. With `delete: true` the location is removed once its base is \
           known. With `associative: false` unequal values wait for the base.",
    settings: &[Setting::Delete, Setting::Associative],
    laws: &[Law::Associative, Law::Idempotent],
    reduce,
};

fn reduce(
    walk: &mut Walk<'_>,
    here: &Here<'_>,
    left: Option<Value>,
    right: Value,
) -> Result<Reached, Stop> {
    if walk.mode == Mode::Full {
        let deleted = here.annotation.delete;
        return Ok(if deleted { Reached::Deleted(right) } else { Reached::Kept(right) });
    }
    let unequal = left.is_some_and(|left| compare(&left, &right).is_ne());
    if unequal && !here.annotation.associative {
        return Err(Stop::NotAssociative);
    }
    Ok(Reached::Kept(right))
}
