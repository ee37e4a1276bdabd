//! `firstWriteWins`: the left value stays.

use super::walk::{Here, Reached, Stop, Walk};
use super::{Law, Strategy};
use crate::document::{Builder, Node};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "firstWriteWins",
    docs: "The left value stays, even when it is null.",
    settings: &[],
    laws: &[Law::Associative, Law::Idempotent],
    reduce,
};

fn reduce(
    _: Walk<'_>,
    _: &Here<'_>,
    left: Option<Node<'_>>,
    right: Node<'_>,
    out: &mut Builder,
) -> Result<Reached, Stop> {
    out.copy(left.unwrap_or(right));
    Ok(Reached::Kept)
}
