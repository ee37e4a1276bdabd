//! `lastWriteWins`: the right value stays.

use super::walk::{Here, Reached, Stop, Walk};
use super::{Law, Mode, Setting, Strategy};
use crate::document::{Builder, Node, equal};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "lastWriteWins",
    docs: "The right value stays. With `delete: true` the location is removed once its base is \
           known. With `associative: false` unequal values wait for the base.",
    settings: &[Setting::Delete, Setting::Associative],
    laws: &[Law::Associative, Law::Idempotent],
    reduce,
};

fn reduce(
    walk: Walk<'_>,
    here: &Here<'_>,
    left: Option<Node<'_>>,
    right: Node<'_>,
    out: &mut Builder,
) -> Result<Reached, Stop> {
    let waits = walk.mode == Mode::Associative && !here.annotation.associative;
    if waits && left.is_some_and(|left| !equal(left, right)) {
        return Err(Stop::NotAssociative);
    }
    out.copy(right);
    let is_deleted = walk.mode == Mode::Full && here.annotation.delete;
    Ok(if is_deleted { Reached::Deleted } else { Reached::Kept })
}
