//! `merge`: objects property by property, arrays item by item.

use std::cmp::Ordering;

use super::walk::{Here, Reached, Stop, Walk};
use super::{Law, Mode, Setting, Strategy, compare_by};
use crate::document::{Builder, Items, Mark, Name, Node, Properties, View};
use crate::value::Pointer;

pub(super) const STRATEGY: Strategy = Strategy {
    name: "merge",
    docs: "Objects are merged property by property, arrays item by item; each part by its own \
           strategy. With a `key`, arrays that are sorted by it are merged like sorted lists. With \
           `delete: true` the location is removed once its base is known.",
    settings: &[Setting::Key, Setting::Delete],
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
    deep(walk, here, left, right, &here.annotation.key, out)?;
    let is_deleted = here.annotation.delete && walk.mode == Mode::Full;
    Ok(if is_deleted { Reached::Deleted } else { Reached::Kept })
}

/// Merges two objects or arrays.
pub(super) fn deep(
    walk: Walk<'_>,
    here: &Here<'_>,
    left: Option<Node<'_>>,
    right: Node<'_>,
    key: &[Pointer],
    out: &mut Builder,
) -> Result<(), Stop> {
    match (left.map(Node::view), right.view()) {
        (Some(View::Object(left)), View::Object(right)) => {
            objects(walk, here, left.named(), right, out)
        }
        (Some(View::Array(left)), View::Array(right)) if key.is_empty() => {
            by_index(walk, here, Some(left), right, out)
        }
        (Some(View::Array(left)), View::Array(right)) => {
            let order = |left: Node<'_>, right: Node<'_>| compare_by(key, left, right);
            sorted(walk, here, left, right, &order, out)
        }
        (left, View::Object(_) | View::Array(_)) if walk.mode == Mode::Associative => {
            // A base further left may be what this can be merged into.
            if left.is_some() {
                return Err(Stop::NotAssociative);
            }
            out.copy(right);
            Ok(())
        }
        // The parts of the right side are reduced as if the left one were empty.
        (_, View::Object(right)) => objects(walk, here, std::iter::empty(), right, out),
        (_, View::Array(right)) => by_index(walk, here, None, right, out),
        _ => Err(walk.wrong_type(here, "objects or arrays", left, right)),
    }
}

/// Merges properties that are sorted by name.
pub(super) fn objects<'v>(
    walk: Walk<'_>,
    here: &Here<'_>,
    mut left: impl Iterator<Item = (Name<'v>, Node<'v>)>,
    right: Properties<'_>,
    out: &mut Builder,
) -> Result<(), Stop> {
    out.begin_object();
    let mut names = here.names();
    let mut next = left.next();
    for (name, value) in right.named() {
        let mut before = None;
        while let Some((other, value)) = next {
            match other.compare(name) {
                Ordering::Less => {
                    out.name(other.as_str());
                    out.copy(value);
                }
                Ordering::Equal => before = Some(value),
                Ordering::Greater => break,
            }
            next = left.next();
            if before.is_some() {
                break;
            }
        }
        let mark = deletion_mark(walk, out);
        out.name(name.as_str());
        let reached = walk.property(&mut names, name, before, value, out)?;
        if let (Reached::Deleted, Some(mark)) = (reached, mark) {
            out.rewind(mark);
        }
    }
    for (name, value) in next.into_iter().chain(left) {
        out.name(name.as_str());
        out.copy(value);
    }
    out.end_sorted_object();
    Ok(())
}

fn by_index(
    walk: Walk<'_>,
    here: &Here<'_>,
    left: Option<Items<'_>>,
    right: Items<'_>,
    out: &mut Builder,
) -> Result<(), Stop> {
    out.begin_array();
    let mut left = left.into_iter().flatten();
    for (index, value) in right.enumerate() {
        item(walk, here, index, left.next(), value, out)?;
    }
    left.for_each(|value| out.copy(value));
    out.end_array();
    Ok(())
}

/// Merges two arrays that are sorted by `order` and hold each of its equals once.
pub(super) fn sorted<'v>(
    walk: Walk<'_>,
    here: &Here<'_>,
    left: impl Iterator<Item = Node<'v>>,
    right: impl Iterator<Item = Node<'v>>,
    order: &dyn Fn(Node<'_>, Node<'_>) -> Ordering,
    out: &mut Builder,
) -> Result<(), Stop> {
    out.begin_array();
    let mut left = left.peekable();
    for (index, value) in right.enumerate() {
        while let Some(smaller) = left.next_if(|left| order(*left, value).is_lt()) {
            out.copy(smaller);
        }
        let equal = left.next_if(|left| order(*left, value).is_eq());
        item(walk, here, index, equal, value, out)?;
    }
    left.for_each(|value| out.copy(value));
    out.end_array();
    Ok(())
}

/// Where to go back to when a location is deleted, which happens in full mode only.
fn deletion_mark(walk: Walk<'_>, out: &Builder) -> Option<Mark> {
    (walk.mode == Mode::Full).then(|| out.mark())
}

/// Reduces an item, unless that deletes it.
fn item(
    walk: Walk<'_>,
    here: &Here<'_>,
    index: usize,
    left: Option<Node<'_>>,
    right: Node<'_>,
    out: &mut Builder,
) -> Result<(), Stop> {
    let mark = deletion_mark(walk, out);
    let reached = walk.item(here, index, left, right, out)?;
    if let (Reached::Deleted, Some(mark)) = (reached, mark) {
        out.rewind(mark);
    }
    Ok(())
}
