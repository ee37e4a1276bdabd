//! `set`: sets that are built from added, removed and intersected members.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::walk::{Here, Reached, Stop, Walk};
use super::{Law, Mode, Setting, Strategy, compare_by};
use crate::value::{Pointer, compare};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "set",
    docs: "An object of the terms `add`, `remove` and `intersect`, each an object whose names are \
           the members or an array that is sorted by the `key`. Once the base is known only `add` \
           remains.",
    settings: &[Setting::Key],
    laws: &[Law::Associative],
    reduce,
};

fn reduce<'p>(
    walk: &mut Walk<'p>,
    here: &Here<'p>,
    left: Option<Value>,
    right: Value,
) -> Result<Reached, Stop> {
    let (left, right) = match (Terms::read(left.as_ref()), Terms::read(Some(&right))) {
        (Some(left), Some(right)) if left.agree(&right) => (left, right),
        _ => {
            let wants = "`add` with `intersect` or `remove`, all of them objects or all arrays";
            return Err(walk.wrong_type(here, wants, left.as_ref(), &right));
        }
    };
    let key = here.annotation.key.as_slice();
    let is_array = left.is_array().or_else(|| right.is_array()).unwrap_or(false);
    let set = |term: Option<&Value>| Members::read(term, is_array);
    let (left_add, left_remove) = (set(left.add), set(left.remove));
    let kept = match right.intersect {
        Some(intersect) => left_add.filtered(&set(Some(intersect)), key, Keep::Common),
        None => left_add.filtered(&set(right.remove), key, Keep::Others),
    };
    let mut result = Map::new();
    if left.add.is_some() || right.add.is_some() {
        let add = union(walk, here, "add", kept, set(right.add), key)?;
        result.insert("add".to_owned(), add.write());
    }
    if walk.mode == Mode::Full {
        return Ok(Reached::Kept(Value::Object(result)));
    }
    match (left.intersect, right.intersect) {
        (Some(left), Some(intersect)) => {
            let both = set(Some(left)).filtered(&set(Some(intersect)), key, Keep::Common);
            result.insert("intersect".to_owned(), both.write());
        }
        (Some(left), None) => {
            let remaining = set(Some(left)).filtered(&set(right.remove), key, Keep::Others);
            result.insert("intersect".to_owned(), remaining.write());
        }
        (None, Some(intersect)) => {
            let remaining = set(Some(intersect)).filtered(&left_remove, key, Keep::Others);
            result.insert("intersect".to_owned(), remaining.write());
        }
        (None, None) if left.remove.is_some() || right.remove.is_some() => {
            let remove = union(walk, here, "remove", left_remove, set(right.remove), key)?;
            result.insert("remove".to_owned(), remove.write());
        }
        (None, None) => {}
    }
    Ok(Reached::Kept(Value::Object(result)))
}

/// The terms of one side.
#[derive(Default)]
struct Terms<'v> {
    add: Option<&'v Value>,
    intersect: Option<&'v Value>,
    remove: Option<&'v Value>,
}

impl<'v> Terms<'v> {
    /// The terms of a value; a missing value has none.
    fn read(value: Option<&'v Value>) -> Option<Self> {
        let Some(value) = value else { return Some(Self::default()) };
        let mut terms = Self::default();
        for (name, term) in value.as_object()? {
            match name.as_str() {
                "add" => terms.add = Some(term),
                "intersect" => terms.intersect = Some(term),
                "remove" => terms.remove = Some(term),
                _ => return None,
            }
        }
        let contradicts = terms.intersect.is_some() && terms.remove.is_some();
        (!contradicts).then_some(terms)
    }

    fn all(&self) -> impl Iterator<Item = &'v Value> {
        [self.add, self.intersect, self.remove].into_iter().flatten()
    }

    /// Whether the terms are arrays; `None` without any term.
    fn is_array(&self) -> Option<bool> {
        self.all().next().map(Value::is_array)
    }

    /// Whether all terms of both sides are of one kind.
    fn agree(&self, other: &Self) -> bool {
        let all = |test: fn(&Value) -> bool| self.all().chain(other.all()).all(test);
        all(Value::is_array) || all(Value::is_object)
    }
}

/// The members of a term in order.
enum Members {
    Array(Vec<Value>),
    Object(Map<String, Value>),
}

#[derive(Clone, Copy, PartialEq)]
enum Keep {
    /// Members that the other set has too.
    Common,
    /// Members that the other set has not.
    Others,
}

impl Members {
    fn read(term: Option<&Value>, is_array: bool) -> Self {
        match term {
            Some(Value::Array(items)) => Self::Array(items.clone()),
            Some(Value::Object(properties)) => Self::Object(properties.clone()),
            _ if is_array => Self::Array(Vec::new()),
            _ => Self::Object(Map::new()),
        }
    }

    fn write(self) -> Value {
        match self {
            Self::Array(items) => Value::Array(items),
            Self::Object(properties) => Value::Object(properties),
        }
    }

    fn filtered(self, other: &Self, key: &[Pointer], keep: Keep) -> Self {
        match (self, other) {
            (Self::Object(mut properties), Self::Object(other)) => {
                properties.retain(|name, _| other.contains_key(name) == (keep == Keep::Common));
                Self::Object(properties)
            }
            (Self::Array(mut items), Self::Array(other)) => {
                let mut other = other.iter().peekable();
                items.retain(|item| {
                    while other.next_if(|other| order(key, other, item).is_lt()).is_some() {}
                    let common = other.peek().is_some_and(|other| order(key, other, item).is_eq());
                    common == (keep == Keep::Common)
                });
                Self::Array(items)
            }
            (members, _) => members,
        }
    }
}

/// Without a key, members are ordered as a whole.
fn order(key: &[Pointer], left: &Value, right: &Value) -> Ordering {
    if key.is_empty() { compare(left, right) } else { compare_by(key, left, right) }
}

/// The members of both sides; those of both are reduced by their own annotations.
fn union<'p>(
    walk: &mut Walk<'p>,
    here: &Here<'p>,
    term: &str,
    left: Members,
    right: Members,
    key: &[Pointer],
) -> Result<Members, Stop> {
    let right = right.write();
    let here = &walk.enter(here, term, &right);
    let united = match (left, right) {
        (Members::Object(mut left), Value::Object(right)) => {
            for (name, value) in right {
                let before = left.remove(&name);
                if let Reached::Kept(value) = walk.property(here, &name, before, value)? {
                    left.insert(name, value);
                }
            }
            Members::Object(left)
        }
        (Members::Array(left), Value::Array(right)) => {
            let mut united = Vec::with_capacity(left.len().max(right.len()));
            let mut left = left.into_iter().peekable();
            for (index, value) in right.into_iter().enumerate() {
                while let Some(smaller) = left.next_if(|left| order(key, left, &value).is_lt()) {
                    united.push(smaller);
                }
                let equal = left.next_if(|left| order(key, left, &value).is_eq());
                if let Reached::Kept(value) = walk.item(here, index, equal, value)? {
                    united.push(value);
                }
            }
            united.extend(left);
            Members::Array(united)
        }
        (left, _) => left,
    };
    walk.leave();
    Ok(united)
}
