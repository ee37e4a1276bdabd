//! The total order of values, over nodes.

use std::cmp::Ordering;

use super::{Node, View};

/// Compares two values as [`crate::value::compare`] does.
pub fn compare(left: Node<'_>, right: Node<'_>) -> Ordering {
    match (left.view(), right.view()) {
        (View::Boolean(left), View::Boolean(right)) => left.cmp(&right),
        (View::Number(left), View::Number(right)) => left.compare(right),
        (View::String(left), View::String(right)) => left.cmp(right),
        (View::Array(left), View::Array(right)) => left
            .zip(right)
            .map(|(left, right)| compare(left, right))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| left.len().cmp(&right.len())),
        (View::Object(left), View::Object(right)) => left
            .zip(right)
            .map(|((left_name, left), (right_name, right))| {
                left_name.cmp(right_name).then_with(|| compare(left, right))
            })
            .find(|order| order.is_ne())
            .unwrap_or_else(|| left.len().cmp(&right.len())),
        (left, right) => rank(left).cmp(&rank(right)),
    }
}

/// Whether two values are equal; `1` equals `1.0`.
pub fn equal(left: Node<'_>, right: Node<'_>) -> bool {
    compare(left, right).is_eq()
}

/// The place of a value's type in the order.
fn rank(view: View<'_>) -> u8 {
    match view {
        View::Null => 0,
        View::Boolean(_) => 1,
        View::Number(_) => 2,
        View::String(_) => 3,
        View::Array(_) => 4,
        View::Object(_) => 5,
    }
}
