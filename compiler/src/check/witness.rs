//! Documents that show what a schema admits and another refuses.
//!
//! Candidates are drawn from the shape of the first schema: a document with as little as possible, one with all that is known, and both
//! with one location changed to a boundary of what it may hold, or left out. Each is validated by both schemas, so a witness is never
//! a false alarm; that there is none proves nothing.

use serde_json::{Map, Value, json};
use tidegate_stdlib::schema::{Schema, Violation};
use tidegate_stdlib::shape::{Exists, Shape, Types};
use tidegate_stdlib::value::{Pointer, Token};

use crate::limits::{WITNESS_CANDIDATES_MAX, WITNESS_DEPTH_MAX};

/// A document that one schema admits and another refuses.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Witness {
    pub(super) document: Value,
    /// Why it is refused.
    pub(super) violation: Violation,
}

/// Looks for a document that `admitting`, of the shape `shape`, admits and `refusing` does not.
pub(super) fn find(shape: &Shape, admitting: &Schema, refusing: &Schema) -> Option<Witness> {
    candidates(shape).into_iter().find_map(|document| {
        if !admitting.is_valid(&document) {
            return None;
        }
        let violation = *refusing.validate(&document).err()?;
        Some(Witness { document, violation })
    })
}

/// Candidates, the simplest first, none twice in a row.
fn candidates(shape: &Shape) -> Vec<Value> {
    candidates_at(shape, &|_| true)
}

/// Candidates that differ at some locations only.
pub(super) fn candidates_at(shape: &Shape, is_wanted: &dyn Fn(&Pointer) -> bool) -> Vec<Value> {
    let least = sample(shape, Amount::Least, 0);
    let all = sample(shape, Amount::All, 0);
    let mut candidates = vec![least.clone(), all.clone()];
    for (pointer, shape, exists) in shape.locations() {
        if pointer.is_root() || exists == Exists::Cannot || !is_wanted(&pointer) {
            continue;
        }
        for value in boundaries(shape) {
            candidates.extend(with(&least, &pointer, &value));
            candidates.extend(with(&all, &pointer, &value));
        }
        candidates.extend(without(&all, &pointer));
        if candidates.len() > WITNESS_CANDIDATES_MAX {
            break;
        }
    }
    candidates.dedup();
    candidates
}

/// Documents of a shape whose parts are drawn from the edges of what they may hold, always the same ones.
pub(super) fn drawn(shape: &Shape, count: usize) -> Vec<Value> {
    let mut draw = Draw(0);
    (0..count).filter_map(|_| draw.value(shape, 0)).collect()
}

/// A sequence of numbers (SplitMix64).
struct Draw(u64);

impl Draw {
    /// The next number below `below`, which is not 0.
    fn below(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed >> 33) % below.max(1) as u64).unwrap_or_default()
    }

    /// A value of a shape; nothing where it has none.
    fn value(&mut self, shape: &Shape, depth: usize) -> Option<Value> {
        if shape.types.overlaps(Types::ARRAY) && self.below(2) == 0 {
            return Some(sample(shape, Amount::All, depth));
        }
        let is_object = shape.enumeration.is_none() && shape.types.overlaps(Types::OBJECT);
        if !is_object || depth >= WITNESS_DEPTH_MAX || self.below(8) == 0 && depth > 0 {
            let values = boundaries(shape);
            let index = self.below(values.len());
            return values.into_iter().nth(index);
        }
        let mut object = Map::new();
        for property in &shape.object.properties {
            if property.required || self.below(2) == 0 {
                let value = self.value(&property.shape, depth + 1);
                object.extend(value.map(|value| (property.name.clone(), value)));
            }
        }
        Some(Value::Object(object))
    }
}

/// How much of what is optional a sample has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Amount {
    Least,
    All,
}

/// A value of a shape.
fn sample(shape: &Shape, amount: Amount, depth: usize) -> Value {
    if let Some(values) = &shape.enumeration {
        return values.first().cloned().unwrap_or_default();
    }
    let is_deep = depth >= WITNESS_DEPTH_MAX;
    let may = |types| shape.types.overlaps(types);
    if may(Types::OBJECT) {
        let mut object = Map::new();
        for property in &shape.object.properties {
            if property.required || amount == Amount::All && !is_deep {
                let value =
                    if is_deep { Value::Null } else { sample(&property.shape, amount, depth + 1) };
                object.insert(property.name.clone(), value);
            }
        }
        return Value::Object(object);
    }
    if may(Types::STRING) {
        return Value::String(text(shape));
    }
    if may(Types::INTEGER) {
        return integer_within(shape);
    }
    if may(Types::NUMBER) {
        return json!(shape.numeric.minimum.as_ref().and_then(|min| min.as_f64()).unwrap_or(0.5));
    }
    if may(Types::BOOLEAN) {
        return Value::Bool(true);
    }
    if may(Types::ARRAY) {
        let length = usize::try_from(shape.array.min_items).unwrap_or(usize::MAX).min(8);
        let wanted = if amount == Amount::All { length.max(1) } else { length };
        let items = (0..wanted).map_while(|index| {
            let item = shape.array.tuple.get(index).or(shape.array.additional.as_deref());
            (!is_deep).then(|| item.map_or(Value::Null, |item| sample(item, amount, depth + 1)))
        });
        return Value::Array(items.collect());
    }
    Value::Null
}

/// Values at the edges of what a location may hold, one for each type at least.
fn boundaries(shape: &Shape) -> Vec<Value> {
    if let Some(values) = &shape.enumeration {
        return values.iter().take(16).cloned().collect();
    }
    let mut values = Vec::new();
    let mut add = |types, more: Vec<Value>| {
        if shape.types.overlaps(types) {
            values.extend(more);
        }
    };
    add(Types::NULL, vec![Value::Null]);
    add(Types::BOOLEAN, vec![Value::Bool(false), Value::Bool(true)]);
    add(Types::STRING, texts(shape));
    let bounds = [&shape.numeric.minimum, &shape.numeric.maximum].into_iter().flatten();
    let mut numbers: Vec<Value> = bounds.cloned().map(Value::Number).collect();
    numbers.extend([json!(0), json!(-1), json!(9_007_199_254_740_993_u64)]);
    add(Types::INTEGER, numbers);
    if shape.types.overlaps(Types::NUMBER.without(Types::INTEGER)) {
        values.extend([json!(0.5), json!(-0.5), json!(1e300)]);
    }
    let mut add = |types, value| {
        if shape.types.overlaps(types) {
            values.push(value);
        }
    };
    add(Types::ARRAY, json!([]));
    add(Types::OBJECT, json!({}));
    values
}

fn integer_within(shape: &Shape) -> Value {
    let bound = |number: &Option<serde_json::Number>| number.as_ref().and_then(|it| it.as_i64());
    match (bound(&shape.numeric.minimum), bound(&shape.numeric.maximum)) {
        (Some(minimum), _) => json!(minimum),
        (None, Some(maximum)) => json!(maximum.min(1)),
        (None, None) => json!(1),
    }
}

/// A text of a format and at least of the least length.
fn text(shape: &Shape) -> String {
    let text = match shape.string.format.as_deref() {
        Some("date") => "2024-01-31",
        Some("date-time" | "datetime") => "2024-01-31T00:00:00Z",
        Some("time") => "00:00:00Z",
        Some("email") => "a@example.com",
        Some("hostname") => "example.com",
        Some("ipv4") => "127.0.0.1",
        Some("ipv6") => "::1",
        Some("uuid") => "00000000-0000-4000-8000-000000000000",
        Some("duration") => "P1D",
        Some("uri" | "iri" | "uri-reference" | "iri-reference") => "https://example.com/",
        Some("integer" | "uint32" | "uint64" | "number") => "1",
        Some(_) | None => "a",
    };
    let missing = usize::try_from(shape.string.min_length).unwrap_or(usize::MAX).min(256);
    let missing = missing.saturating_sub(text.chars().count());
    format!("{text}{}", "a".repeat(missing))
}

fn texts(shape: &Shape) -> Vec<Value> {
    let mut texts = vec![String::new(), text(shape), "[1]".to_owned()];
    if let Some(length) = shape.string.max_length.and_then(|length| usize::try_from(length).ok()) {
        texts.push("a".repeat(length.min(1024)));
    }
    texts.into_iter().map(Value::String).collect()
}

/// A document with another value at a location, whose surroundings are made where they are missing.
fn with(document: &Value, pointer: &Pointer, value: &Value) -> Option<Value> {
    let mut document = document.clone();
    let mut place = &mut document;
    for token in pointer.tokens() {
        place = match (place, token) {
            (Value::Object(object), Token::Property(name)) => {
                object.entry(name.clone()).or_insert_with(|| json!({}))
            }
            (Value::Object(object), Token::Index(index)) => {
                object.entry(index.to_string()).or_insert_with(|| json!({}))
            }
            (Value::Array(items), Token::Index(index)) => items.get_mut(*index)?,
            _ => return None,
        };
    }
    *place = value.clone();
    Some(document)
}

/// A document without a location.
fn without(document: &Value, pointer: &Pointer) -> Option<Value> {
    let mut document = document.clone();
    let (last, around) = pointer.tokens().split_last()?;
    let around: Pointer =
        around.iter().fold(Pointer::default(), |pointer, token| pointer.child(token.clone()));
    let Token::Property(name) = last else { return None };
    document.pointer_mut(&around.to_string())?.as_object_mut()?.remove(name)?;
    Some(document)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn witness(admitting: &Value, refusing: &Value) -> Option<Value> {
        let compiled = |schema| Schema::compile(schema).unwrap();
        let found = find(&Shape::infer(admitting), &compiled(admitting), &compiled(refusing));
        found.map(|witness| witness.document)
    }

    #[test]
    fn what_the_other_schema_demands_is_missing() {
        let write = json!({"type": "object", "properties": {"id": {"type": "integer"}, "n": {}},
            "required": ["id"]});
        let read = json!({"type": "object", "required": ["id", "n"]});
        assert_eq!(witness(&write, &read), Some(json!({"id": 1})));
        assert_eq!(witness(&write, &write), None);
    }

    #[test]
    fn types_and_bounds_differ() {
        let of = |n: Value| json!({"type": "object", "properties": {"n": n}});
        let cases = [
            (json!({"type": ["string", "null"]}), json!({"type": "string"}), json!({"n": null})),
            (json!({"type": "number"}), json!({"type": "integer"}), json!({"n": 0.5})),
            (json!({"type": "integer"}), json!({"minimum": 0}), json!({"n": -1})),
            (json!({"enum": ["a", "b"]}), json!({"const": "a"}), json!({"n": "b"})),
            (json!({"type": "string"}), json!({"minLength": 1}), json!({"n": ""})),
        ];
        for (write, read, expected) in cases {
            assert_eq!(witness(&of(write), &of(read)), Some(expected));
        }
    }

    #[test]
    fn a_wider_schema_has_no_witness() {
        let write = json!({"type": "object", "properties":
            {"a": {"type": "array", "items": {"type": "string"}, "minItems": 2},
             "t": {"type": "string", "format": "date"}}, "required": ["a"]});
        assert_eq!(witness(&write, &json!({"type": "object"})), None);
    }
}
