//! `set`: sets that are built from added, removed and intersected members.

use std::cmp::Ordering;

use super::walk::{Here, Reached, Stop, Walk};
use super::{Law, Mode, Setting, Strategy, compare_by, merge};
use crate::document::{Builder, Name, Node, View, compare};
use crate::value::Pointer;

pub(super) const STRATEGY: Strategy = Strategy {
    name: "set",
    docs: "An object of the terms `add`, `remove` and `intersect`, each an object whose names are \
           the members or an array that is sorted by the `key`. Once the base is known only `add` \
           remains.",
    settings: &[Setting::Key],
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
    let (left, right) = match (Terms::read(left), Terms::read(Some(right))) {
        (Some(left), Some(right)) if left.agree(&right) => (left, right),
        _ => {
            let wants = "`add` with `intersect` or `remove`, all of them objects or all arrays";
            return Err(walk.wrong_type(here, wants, left, right));
        }
    };
    let key = here.annotation.key.as_slice();
    let is_array = left.is_array().or_else(|| right.is_array()).unwrap_or(false);
    out.begin_object();
    if left.add.is_some() || right.add.is_some() {
        let kept = match right.intersect {
            Some(_) => Members::read(left.add, is_array).filtered(
                &Members::read(right.intersect, is_array),
                key,
                Keep::Common,
            ),
            None => Members::read(left.add, is_array).filtered(
                &Members::read(right.remove, is_array),
                key,
                Keep::Others,
            ),
        };
        out.name("add");
        unite(walk, here, "add", kept, right.add, key, out)?;
    }
    if walk.mode == Mode::Associative {
        // A base further left is what the other terms are applied to.
        if let Some(intersect) = intersect(&left, &right, is_array, key) {
            out.name("intersect");
            intersect.write(out);
        } else if left.remove.is_some() || right.remove.is_some() {
            out.name("remove");
            let before = Members::read(left.remove, is_array);
            unite(walk, here, "remove", before, right.remove, key, out)?;
        }
    }
    out.end_object();
    Ok(Reached::Kept)
}

/// The members that remain of the term `intersect`, if a side has it.
fn intersect<'v>(
    left: &Terms<'v>,
    right: &Terms<'v>,
    is_array: bool,
    key: &[Pointer],
) -> Option<Members<'v>> {
    let (intersect, other, keep) = match (left.intersect, right.intersect) {
        (Some(_), Some(_)) => (left.intersect, right.intersect, Keep::Common),
        (Some(_), None) => (left.intersect, right.remove, Keep::Others),
        (None, Some(_)) => (right.intersect, left.remove, Keep::Others),
        (None, None) => return None,
    };
    let other = Members::read(other, is_array);
    Some(Members::read(intersect, is_array).filtered(&other, key, keep))
}

/// The terms of one side.
#[derive(Default)]
struct Terms<'v> {
    add: Option<Node<'v>>,
    intersect: Option<Node<'v>>,
    remove: Option<Node<'v>>,
}

impl<'v> Terms<'v> {
    /// The terms of a value; a missing value has none.
    fn read(value: Option<Node<'v>>) -> Option<Self> {
        let Some(value) = value else { return Some(Self::default()) };
        let mut terms = Self::default();
        for (name, term) in value.as_object()? {
            match name {
                "add" => terms.add = Some(term),
                "intersect" => terms.intersect = Some(term),
                "remove" => terms.remove = Some(term),
                _ => return None,
            }
        }
        let contradicts = terms.intersect.is_some() && terms.remove.is_some();
        (!contradicts).then_some(terms)
    }

    fn all(&self) -> impl Iterator<Item = Node<'v>> {
        [self.add, self.intersect, self.remove].into_iter().flatten()
    }

    /// Whether the terms are arrays; `None` without any term.
    fn is_array(&self) -> Option<bool> {
        self.all().next().map(|term| term.as_array().is_some())
    }

    /// Whether all terms of both sides are of one kind.
    fn agree(&self, other: &Self) -> bool {
        let all = || self.all().chain(other.all());
        all().all(|term| term.as_array().is_some()) || all().all(|term| term.as_object().is_some())
    }
}

/// The members of a term in order.
enum Members<'v> {
    Array(Vec<Node<'v>>),
    Object(Vec<(Name<'v>, Node<'v>)>),
}

#[derive(Clone, Copy, PartialEq)]
enum Keep {
    /// Members that the other set has too.
    Common,
    /// Members that the other set has not.
    Others,
}

impl<'v> Members<'v> {
    fn read(term: Option<Node<'v>>, is_array: bool) -> Self {
        match term.map(Node::view) {
            Some(View::Array(items)) => Self::Array(items.collect()),
            Some(View::Object(properties)) => Self::Object(properties.named().collect()),
            _ if is_array => Self::Array(Vec::new()),
            _ => Self::Object(Vec::new()),
        }
    }

    fn write(self, out: &mut Builder) {
        match self {
            Self::Array(items) => {
                out.begin_array();
                items.into_iter().for_each(|item| out.copy(item));
                out.end_array();
            }
            Self::Object(properties) => {
                out.begin_object();
                for (name, value) in properties {
                    out.name(name.as_str());
                    out.copy(value);
                }
                out.end_object();
            }
        }
    }

    fn filtered(self, other: &Self, key: &[Pointer], keep: Keep) -> Self {
        match (self, other) {
            (Self::Object(mut properties), Self::Object(other)) => {
                let order = |left: &(Name<'_>, _), right: &(Name<'_>, _)| left.0.compare(right.0);
                retain(&mut properties, other, &order, keep);
                Self::Object(properties)
            }
            (Self::Array(mut items), Self::Array(other)) => {
                retain(&mut items, other, &|left, right| order(key, *left, *right), keep);
                Self::Array(items)
            }
            (members, _) => members,
        }
    }
}

/// Keeps the members that are in a sorted list, or those that are not.
fn retain<T>(members: &mut Vec<T>, other: &[T], order: &dyn Fn(&T, &T) -> Ordering, keep: Keep) {
    let mut other = other.iter().peekable();
    members.retain(|member| {
        while other.next_if(|other| order(other, member).is_lt()).is_some() {}
        let is_common = other.peek().is_some_and(|other| order(other, member).is_eq());
        is_common == (keep == Keep::Common)
    });
}

/// Without a key, members are ordered as a whole.
fn order(key: &[Pointer], left: Node<'_>, right: Node<'_>) -> Ordering {
    if key.is_empty() { compare(left, right) } else { compare_by(key, left, right) }
}

/// Writes the members of both sides; those of both are reduced by their own annotations.
fn unite<'v>(
    walk: Walk<'_>,
    here: &Here<'_>,
    term: &str,
    left: Members<'v>,
    right: Option<Node<'v>>,
    key: &[Pointer],
    out: &mut Builder,
) -> Result<(), Stop> {
    let Some(right) = right else {
        left.write(out);
        return Ok(());
    };
    walk.enter(here, term, right, |here| match (left, right.view()) {
        (Members::Object(left), View::Object(right)) => {
            merge::objects(walk, here, left.into_iter(), right, out)
        }
        (Members::Array(left), View::Array(right)) => {
            let order = |left: Node<'_>, right: Node<'_>| order(key, left, right);
            merge::sorted(walk, here, left.into_iter(), right, &order, out)
        }
        (left, _) => {
            left.write(out);
            Ok(())
        }
    })
}
