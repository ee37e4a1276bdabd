//! `merge`: objects property by property, arrays item by item.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::walk::{Here, Reached, Stop, Walk};
use super::{Law, Mode, Setting, Strategy, compare_by};
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

fn reduce<'p>(
    walk: &mut Walk<'p>,
    here: &Here<'p>,
    left: Option<Value>,
    right: Value,
) -> Result<Reached, Stop> {
    let merged = deep(walk, here, left, right, &here.annotation.key)?;
    let deleted = here.annotation.delete && walk.mode == Mode::Full;
    Ok(if deleted { Reached::Deleted(merged) } else { Reached::Kept(merged) })
}

/// Merges two objects or arrays.
pub(super) fn deep<'p>(
    walk: &mut Walk<'p>,
    here: &Here<'p>,
    left: Option<Value>,
    right: Value,
    key: &[Pointer],
) -> Result<Value, Stop> {
    match (left, right) {
        (Some(Value::Object(left)), Value::Object(right)) => objects(walk, here, left, right),
        (Some(Value::Array(left)), Value::Array(right)) if key.is_empty() => {
            by_index(walk, here, left, right)
        }
        (Some(Value::Array(left)), Value::Array(right)) => by_key(walk, here, left, right, key),
        (left, right @ (Value::Object(_) | Value::Array(_))) => {
            match (walk.mode, left) {
                // A base further left may be what this can be merged into.
                (Mode::Associative, Some(_)) => Err(Stop::NotAssociative),
                (Mode::Associative, None) => Ok(right),
                (Mode::Full, _) => alone(walk, here, right),
            }
        }
        (left, right) => Err(walk.wrong_type(here, "objects or arrays", left.as_ref(), &right)),
    }
}

/// Walks the parts of the right side as if the left one were empty.
fn alone<'p>(walk: &mut Walk<'p>, here: &Here<'p>, right: Value) -> Result<Value, Stop> {
    match right {
        Value::Object(right) => objects(walk, here, Map::new(), right),
        Value::Array(right) => by_index(walk, here, Vec::new(), right),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(right),
    }
}

fn objects<'p>(
    walk: &mut Walk<'p>,
    here: &Here<'p>,
    mut left: Map<String, Value>,
    right: Map<String, Value>,
) -> Result<Value, Stop> {
    for (name, value) in right {
        match left.get_mut(&name) {
            Some(slot) => match walk.property(here, &name, Some(slot.take()), value)? {
                Reached::Kept(value) => *slot = value,
                Reached::Deleted(_) => {
                    left.remove(&name);
                }
            },
            None => {
                if let Reached::Kept(value) = walk.property(here, &name, None, value)? {
                    left.insert(name, value);
                }
            }
        }
    }
    Ok(Value::Object(left))
}

fn by_index<'p>(
    walk: &mut Walk<'p>,
    here: &Here<'p>,
    left: Vec<Value>,
    right: Vec<Value>,
) -> Result<Value, Stop> {
    let mut merged = Vec::with_capacity(left.len().max(right.len()));
    let mut left = left.into_iter();
    for (index, value) in right.into_iter().enumerate() {
        keep(&mut merged, walk.item(here, index, left.next(), value)?);
    }
    merged.extend(left);
    Ok(Value::Array(merged))
}

/// Merges two arrays that are sorted by `key` and hold each key once.
fn by_key<'p>(
    walk: &mut Walk<'p>,
    here: &Here<'p>,
    left: Vec<Value>,
    right: Vec<Value>,
    key: &[Pointer],
) -> Result<Value, Stop> {
    let mut merged = Vec::with_capacity(left.len().max(right.len()));
    let mut left = left.into_iter().peekable();
    for (index, value) in right.into_iter().enumerate() {
        while let Some(smaller) =
            left.next_if(|left| compare_by(key, left, &value) == Ordering::Less)
        {
            merged.push(smaller);
        }
        let equal = left.next_if(|left| compare_by(key, left, &value) == Ordering::Equal);
        keep(&mut merged, walk.item(here, index, equal, value)?);
    }
    merged.extend(left);
    Ok(Value::Array(merged))
}

fn keep(items: &mut Vec<Value>, reached: Reached) {
    if let Reached::Kept(value) = reached {
        items.push(value);
    }
}
