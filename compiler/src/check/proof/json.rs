//! Values of JSON as shapes: what values of SQL become in documents and in texts of JSON, and back.

use serde_json::{Map, Number, Value, json};
use tidegate_stdlib::shape::{ArrayShape, NumericShape, ObjectShape, PropertyShape, Shape, Types};
use tidegate_stdlib::value::compare;

use super::domain::{Domain, Integers, JsonText, NUMBER_MAX, Reals, Subtype, Texts};

/// Values of a shape that are taken one by one.
const VALUES_MAX: usize = 32;
/// Integers that are taken one by one.
const INTEGERS_MAX: i64 = 8;

/// How a value of a result column is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Published {
    /// As the runtime does it.
    AsIs,
    /// As if a text between brackets or braces stayed a string, unless it is known to be JSON.
    TextKept,
    /// As if no number were infinite.
    Finite,
}

/// The shape of what is published for a value of a result column.
pub(super) fn published(domain: &Domain, how: Published) -> Shape {
    let mut domain = domain.clone();
    if let (Some(reals), Published::Finite) = (&mut domain.real, how) {
        reals.least = reals.least.clamp(f64::MIN, f64::MAX);
        reals.most = reals.most.clamp(f64::MIN, f64::MAX);
    }
    let domain = &domain;
    let texts = domain.text.as_ref().map(|texts| published_text(texts, how));
    let mut parts = numbers(domain, domain.real);
    for part in parts.iter_mut().filter(|part| part.enumeration.is_none()) {
        part.annotations.clone_from(&domain.facts);
    }
    if domain.null {
        parts.push(constant(&Value::Null));
    }
    if let Some(reals) = domain.real {
        let least = (reals.least == f64::NEG_INFINITY).then_some("-inf");
        let most = (reals.most == f64::INFINITY).then_some("inf");
        parts.extend(least.into_iter().chain(most).map(|text| constant(&json!(text))));
    }
    parts.extend(texts);
    if domain.blob {
        parts.push(Shape::of_types(Types::STRING));
    }
    parts.into_iter().reduce(union).unwrap_or_else(Shape::impossible)
}

fn published_text(texts: &Texts, how: Published) -> Shape {
    const CONTAINERS: Types = Types::ARRAY.or(Types::OBJECT);
    if let Some(constants) = &texts.constants {
        let value = |text: &str| container(text).unwrap_or_else(|| text.into());
        let shapes = constants.iter().map(|text| constant(&value(text)));
        return shapes.reduce(union).unwrap_or_else(Shape::impossible);
    }
    let Some(JsonText { shape, is_sure }) = &texts.json else {
        let string = string(texts);
        return if how != Published::TextKept && texts.may_be_container() {
            union(Shape::of_types(CONTAINERS), string)
        } else {
            string
        };
    };
    let containers = restricted(shape, CONTAINERS);
    let is_string = !is_sure || shape.types.overlaps(Types::ANY.without(CONTAINERS));
    match (containers.types.is_none(), is_string) {
        (false, false) => containers,
        (true, _) => Shape::of_types(Types::STRING),
        (false, true) => union(containers, Shape::of_types(Types::STRING)),
    }
}

/// What a value becomes inside a text of JSON, as a function of JSON makes it.
pub(super) fn embedded(domain: &Domain) -> JsonText {
    let mut is_sure = !domain.blob && !domain.real.is_some_and(Reals::may_be_infinite);
    let mut parts = numbers(domain, domain.real.map(Reals::blurred));
    if domain.null {
        parts.push(constant(&Value::Null));
    }
    if domain.real.is_some_and(Reals::may_be_infinite) {
        parts.push(Shape::of_types(Types::NUMBER));
    }
    if domain.blob {
        parts.push(Shape::any());
    }
    if let Some(texts) = &domain.text {
        if texts.subtype != Subtype::Always {
            parts.push(string(texts));
        }
        if texts.subtype != Subtype::Never {
            let json = texts.known_json();
            is_sure &= json.as_ref().is_some_and(|json| json.is_sure);
            parts.push(json.map_or_else(Shape::any, |json| (*json.shape).clone()));
        }
    }
    let shape = parts.into_iter().reduce(union).unwrap_or_else(Shape::impossible);
    JsonText { shape: shape.into(), is_sure }
}

fn numbers(domain: &Domain, reals: Option<Reals>) -> Vec<Shape> {
    let mut parts = Vec::new();
    if let Some(Integers { least, most }) = domain.integer {
        if most.checked_sub(least).is_some_and(|width| width < INTEGERS_MAX) {
            parts.extend((least..=most).map(|integer| constant(&json!(integer))));
        } else {
            let mut shape = Shape::of_types(Types::INTEGER);
            let is_bound = |it: &i64| *it != i64::MIN && *it != i64::MAX;
            let bound = |integer: i64| Some(integer).filter(is_bound).map(Number::from);
            shape.numeric = NumericShape { minimum: bound(least), maximum: bound(most) };
            parts.push(shape);
        }
    }
    if let Some(Reals { least, most, is_whole: true }) = reals
        && most - least < INTEGERS_MAX as f64
        && let (Some(least), Some(most)) = (whole(least.ceil()), whole(most.floor()))
    {
        // Whole numbers are equal with a point and without.
        parts.extend((least..=most).map(|integer| constant(&json!(integer))));
    } else if let Some(Reals { least, most, is_whole }) = reals
        && least <= most
        && (least.is_finite() || most.is_finite() || least != most)
    {
        let types = if is_whole { Types::INTEGER } else { Types::NUMBER };
        let mut shape = Shape::of_types(types);
        shape.numeric = NumericShape { minimum: finite(least), maximum: finite(most) };
        parts.push(shape);
    }
    parts
}

/// A bound; those that only keep numbers of documents finite are none.
fn finite(bound: f64) -> Option<Number> {
    if bound.abs() < NUMBER_MAX { Number::from_f64(bound) } else { None }
}

/// The text as a string.
fn string(texts: &Texts) -> Shape {
    if let Some(constants) = &texts.constants {
        let shapes = constants.iter().map(|text| constant(&json!(**text)));
        return shapes.reduce(union).unwrap_or_else(Shape::impossible);
    }
    let mut shape = Shape::of_types(Types::STRING);
    shape.string.format = texts.format.as_deref().map(str::to_owned);
    shape.string.min_length = texts.min_length;
    shape.string.max_length = texts.max_length;
    shape.annotations.clone_from(&texts.facts);
    shape
}

/// The value of SQL that a value of JSON becomes when it is taken out of a text.
pub(super) fn extracted(shape: &Shape, is_sure: bool) -> Domain {
    let mut domain = scalars(shape);
    // Numbers have been through text, and integers beyond 64 bits are real.
    domain.real = domain.real.map(Reals::blurred);
    domain.facts.clear();
    if !is_sure && domain.real.is_some() {
        domain.real = Some(Reals::ALL);
    }
    let containers = restricted(shape, Types::ARRAY.or(Types::OBJECT));
    if !containers.types.is_none() {
        domain = domain.union(Domain::json(containers, is_sure));
    }
    domain
}

/// The values of SQL for what is neither an array nor an object.
pub(super) fn scalars(shape: &Shape) -> Domain {
    let values = shape.enumeration.as_ref().filter(|values| values.len() <= VALUES_MAX);
    if let Some(values) = values {
        return values.iter().map(of_scalar).fold(Domain::none(), Domain::union);
    }
    let has = |types| shape.types.overlaps(types);
    let mut domain = Domain::none().or_null(has(Types::NULL));
    if has(Types::BOOLEAN) {
        domain = domain.union(Domain::boolean());
    }
    if has(Types::NUMBER) {
        domain = domain.union(number(shape));
    }
    if has(Types::STRING) {
        let string = &shape.string;
        let mut texts = string.format.as_deref().map_or_else(Texts::any, Texts::of_format);
        texts.min_length = string.min_length;
        texts.max_length = string.max_length;
        texts.facts.clone_from(&shape.annotations);
        if let Some(Value::String(pattern)) = shape.annotations.get("pattern") {
            texts = texts.of_pattern(pattern);
        }
        domain = domain.union(Domain::text(texts));
    }
    domain
}

fn of_scalar(value: &Value) -> Domain {
    match value {
        Value::Null => Domain::null(),
        Value::Bool(value) => Domain::integer(i64::from(*value), i64::from(*value)),
        Value::Number(number) => {
            // A whole number may stand in a document with or without a point.
            let real = number.as_f64().unwrap_or(f64::INFINITY);
            let reals = Reals { least: real, most: real, is_whole: real.fract() == 0.0 };
            let integer = number.as_i64().or_else(|| whole(real));
            let integer = integer.map_or_else(Domain::none, |it| Domain::integer(it, it));
            integer.union(Domain::real(reals))
        }
        Value::String(text) => Domain::constant(text),
        Value::Array(_) | Value::Object(_) => Domain::none(),
    }
}

fn whole(real: f64) -> Option<i64> {
    let is_whole = real.fract() == 0.0 && real.abs() < 9e18;
    is_whole.then_some(real as i64)
}

fn number(shape: &Shape) -> Domain {
    let bound = |bound: &Option<Number>| bound.as_ref().and_then(Number::as_f64);
    let least = bound(&shape.numeric.minimum).unwrap_or(-NUMBER_MAX);
    let most = bound(&shape.numeric.maximum).unwrap_or(NUMBER_MAX);
    let is_whole = !shape.types.overlaps(Types::FRACTIONAL);
    let mut domain = Domain::real(Reals { least, most, is_whole });
    if shape.types.overlaps(Types::INTEGER) {
        let exact = |bound: &Option<Number>| bound.as_ref().and_then(Number::as_i64);
        // The conversion saturates at both ends.
        let least = exact(&shape.numeric.minimum).unwrap_or(least.ceil() as i64);
        let most = exact(&shape.numeric.maximum).unwrap_or(most.floor() as i64);
        if least <= most {
            domain = domain.union(Domain::integer(least, most));
        }
    }
    let is_of_numbers = |name: &str| types_of_fact(name) == Types::NUMBER;
    let facts = shape.annotations.iter().filter(|(name, _)| is_of_numbers(name));
    domain.facts = facts.map(|(name, value)| (name.clone(), value.clone())).collect();
    domain
}

/// The shape of one value.
pub(super) fn constant(value: &Value) -> Shape {
    let mut shape = Shape::of_types(Types::of(value));
    shape.enumeration = Some(vec![value.clone()]);
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => {
            shape.numeric =
                NumericShape { minimum: Some(number.clone()), maximum: Some(number.clone()) };
        }
        Value::String(text) => {
            let length = text.chars().count() as u64;
            shape.string.min_length = length;
            shape.string.max_length = Some(length);
        }
        Value::Array(items) => shape.array = tuple(items.iter().map(constant).collect()),
        Value::Object(object) => shape.object = of_object(object),
    }
    shape
}

fn of_object(object: &Map<String, Value>) -> ObjectShape {
    closed(object.iter().map(|(name, value)| (name.clone(), constant(value))).collect())
}

/// An array of exactly these items.
pub(super) fn tuple(items: Vec<Shape>) -> ArrayShape {
    let length = items.len() as u64;
    ArrayShape {
        tuple: items,
        additional: Some(Box::new(Shape::impossible())),
        min_items: length,
        max_items: Some(length),
    }
}

/// An object of exactly these properties; of those of one name, any.
pub(super) fn closed(properties: Vec<(String, Shape)>) -> ObjectShape {
    let mut named: Vec<PropertyShape> = Vec::with_capacity(properties.len());
    for (name, shape) in properties {
        match named.iter_mut().find(|known| known.name == name) {
            Some(known) => {
                let before = std::mem::replace(&mut known.shape, Shape::impossible());
                known.shape = union(before, shape);
            }
            None => named.push(PropertyShape { name, required: true, shape }),
        }
    }
    named.sort_by(|left, right| left.name.cmp(&right.name));
    ObjectShape {
        properties: named,
        patterns: Vec::new(),
        additional: Some(Box::new(Shape::impossible())),
    }
}

/// The part of a shape that is of some types.
pub(super) fn restricted(shape: &Shape, types: Types) -> Shape {
    let mut part = shape.clone();
    part.types = shape.types.and(types);
    if let Some(values) = &mut part.enumeration {
        values.retain(|value| Types::of(value).within(types));
    }
    if part.types.is_none() { Shape::impossible() } else { part }
}

/// The values of both. What only one of them says of a type stays said when the other has no such value.
pub(super) fn union(left: Shape, right: Shape) -> Shape {
    let kept = |one: &Shape, other: &Shape| -> Vec<(String, Value)> {
        let facts = one.annotations.iter().filter(|(name, _)| {
            let types = types_of_fact(name);
            !types.is_none() && !other.types.overlaps(types)
        });
        facts.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    let mut facts = kept(&left, &right);
    facts.extend(kept(&right, &left));
    let mut shape = left.union(right);
    shape.annotations.extend(facts);
    if let Some(values) = &mut shape.enumeration {
        values.sort_by(compare);
    }
    shape
}

/// The types that a keyword speaks of, none for what is no fact.
pub(super) fn types_of_fact(keyword: &str) -> Types {
    match keyword {
        "pattern" | "x-str-maximum" | "x-str-minimum" => Types::STRING,
        "exclusiveMaximum" | "exclusiveMinimum" | "multipleOf" => Types::NUMBER,
        "uniqueItems" => Types::ARRAY,
        "maxProperties" | "minProperties" => Types::OBJECT,
        _ => Types::NONE,
    }
}

/// The array or object that the runtime takes a text for.
pub(super) fn container(text: &str) -> Option<Value> {
    let is_container = text.starts_with('{') && text.ends_with('}')
        || text.starts_with('[') && text.ends_with(']');
    is_container.then(|| strict(text))?
}

/// The value of a text of JSON that means the same to everyone.
pub(super) fn strict(text: &str) -> Option<Value> {
    tidegate_stdlib::value::parse(text.as_bytes()).ok()
}
