//! `append`: arrays are put one after the other.

use super::walk::{Here, Reached, Stop, Walk};
use super::{Law, Strategy};
use crate::document::{Builder, Node, View};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "append",
    docs: "The items of the right array follow those of the left one. A left null stays null.",
    settings: &[],
    laws: &[Law::Associative],
    reduce,
};

fn reduce(
    walk: Walk<'_>,
    here: &Here<'_>,
    left: Option<Node<'_>>,
    right: Node<'_>,
    out: &mut Builder,
) -> Result<Reached, Stop> {
    match (left.map(Node::view), right.view()) {
        (None, View::Array(_)) => out.copy(right),
        (Some(View::Null), View::Array(_)) => out.null(),
        (Some(View::Array(left)), View::Array(right)) => {
            out.begin_array();
            left.chain(right).for_each(|item| out.copy(item));
            out.end_array();
        }
        _ => return Err(walk.wrong_type(here, "arrays", left, right)),
    }
    Ok(Reached::Kept)
}
