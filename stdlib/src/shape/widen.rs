//! Shapes widened by documents: the inference of a schema from what was seen.
//!
//! What was seen first is described exactly: an object has the properties of the document and no
//! others, a string or number is as long or as great as it is. Every further document relaxes what
//! it does not fit. What a shape leaves open stays open.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Map, Number, Value, json};

use super::{
    ArrayShape, FACTS, NumericShape, ObjectShape, PropertyShape, Shape, StringShape, Types,
    simplify,
};
use crate::limits::{MERGED_SCHEMA_DEPTH_MAX, MERGED_SCHEMA_LOCATIONS_MAX};
use crate::schema::{count, options};
use crate::value::{compare, compare_numbers};

/// The name of the annotation that limits the size of a shape.
const LIMIT: &str = "x-complexity-limit";

/// The greatest limit that can be asked for.
const LIMIT_MAX: usize = 100_000;

pub(super) fn widen(shape: &mut Shape, document: &Value) -> bool {
    let mut change = Change::default();
    change.location(shape, document);
    if change.has_grown {
        let limit = complexity_limit(shape);
        let whole = std::mem::replace(shape, Shape::any());
        *shape = simplify::simplify(whole, limit, MERGED_SCHEMA_DEPTH_MAX);
    }
    change.has_changed
}

/// How many locations a shape may have.
pub(super) fn complexity_limit(shape: &Shape) -> usize {
    let limit = shape.annotations.get(LIMIT).and_then(count);
    let limit = limit.and_then(|limit| usize::try_from(limit).ok());
    limit.unwrap_or(MERGED_SCHEMA_LOCATIONS_MAX).clamp(1, LIMIT_MAX)
}

/// What one document does to a shape.
#[derive(Default)]
struct Change {
    has_changed: bool,
    /// Whether the shape has more locations than before.
    has_grown: bool,
}

impl Change {
    /// Puts a wider value in the place of one, if it is another one.
    fn set<T: PartialEq>(&mut self, place: &mut T, value: T) {
        if *place != value {
            *place = value;
            self.has_changed = true;
        }
    }

    fn location(&mut self, shape: &mut Shape, value: &Value) {
        let own = Types::of(value);
        let is_listed = shape
            .enumeration
            .as_ref()
            .is_none_or(|values| values.binary_search_by(|other| compare(other, value)).is_ok());
        if !is_listed {
            self.set(&mut shape.enumeration, None);
        }
        // What a schema said of other values is not known of this one.
        let known = shape.annotations.len();
        shape.annotations.retain(|name, _| !FACTS.contains(&name.as_str()));
        self.has_changed |= shape.annotations.len() != known;
        let kind = if own.within(Types::NUMBER) { Types::NUMBER } else { own };
        let is_first = !shape.types.overlaps(kind);
        let types = shape.types.or(own);
        self.set(&mut shape.types, types);
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(number) => self.number(&mut shape.numeric, &canonical(number), is_first),
            Value::String(text) => self.string(&mut shape.string, text, value, is_first),
            Value::Array(items) => self.array(&mut shape.array, items, is_first),
            Value::Object(properties) => self.object(&mut shape.object, properties, is_first),
        }
    }

    fn number(&mut self, shape: &mut NumericShape, number: &Number, is_first: bool) {
        let wider = |bound: &Option<Number>, is_beyond: fn(std::cmp::Ordering) -> bool| match bound
        {
            Some(bound) if is_beyond(compare_numbers(number, bound)) => Some(number.clone()),
            None if is_first => Some(number.clone()),
            bound => bound.clone(),
        };
        let minimum = wider(&shape.minimum, std::cmp::Ordering::is_lt);
        let maximum = wider(&shape.maximum, std::cmp::Ordering::is_gt);
        self.set(&mut shape.minimum, minimum);
        self.set(&mut shape.maximum, maximum);
    }

    fn string(&mut self, shape: &mut StringShape, text: &str, value: &Value, is_first: bool) {
        let length = text.chars().count() as u64;
        if is_first {
            *shape = StringShape {
                format: inferred_format(value).map(str::to_owned),
                min_length: length,
                max_length: Some(length),
                ..StringShape::default()
            };
            return;
        }
        let (min_length, max_length) = (shape.min_length.min(length), shape.max_length);
        self.set(&mut shape.min_length, min_length);
        self.set(&mut shape.max_length, max_length.map(|longest| longest.max(length)));
        if let Some(format) = &shape.format {
            let format = if is_of_format(format, value) {
                Some(format.clone())
            } else {
                let is_numeric = format == "integer" && is_of_format("number", value);
                is_numeric.then(|| "number".to_owned())
            };
            self.set(&mut shape.format, format);
        }
    }

    fn array(&mut self, shape: &mut ArrayShape, items: &[Value], is_first: bool) {
        let length = items.len() as u64;
        if is_first {
            *shape = ArrayShape {
                tuple: Vec::new(),
                additional: Some(Box::new(Shape::impossible())),
                min_items: length,
                max_items: Some(length),
            };
            self.has_grown = true;
        }
        let (min_items, max_items) = (shape.min_items.min(length), shape.max_items);
        self.set(&mut shape.min_items, min_items);
        self.set(&mut shape.max_items, max_items.map(|most| most.max(length)));
        for (index, item) in items.iter().enumerate() {
            if let Some(shape) = shape.tuple.get_mut(index).or(shape.additional.as_deref_mut()) {
                self.location(shape, item);
            }
        }
    }

    fn object(&mut self, shape: &mut ObjectShape, properties: &Map<String, Value>, is_first: bool) {
        if is_first {
            let additional = Some(Box::new(Shape::impossible()));
            *shape = ObjectShape { additional, ..ObjectShape::default() };
            self.has_grown = true;
        }
        for property in &mut shape.properties {
            match properties.get(&property.name) {
                Some(value) => self.location(&mut property.shape, value),
                None => self.set(&mut property.required, false),
            }
        }
        let mut new = Vec::new();
        for (name, value) in properties {
            // A named property has to satisfy the patterns as well.
            let mut is_known = shape.named(name).is_some();
            for pattern in &mut shape.patterns {
                // An own pattern is a regular expression, otherwise its schema had not compiled.
                if regex::Regex::new(&pattern.pattern).is_ok_and(|it| it.is_match(name)) {
                    self.location(&mut pattern.shape, value);
                    is_known = true;
                }
            }
            match &mut shape.additional {
                Some(_) | None if is_known => {}
                Some(others) if others.types.is_none() => {
                    let mut shape = Shape::impossible();
                    self.location(&mut shape, value);
                    new.push(PropertyShape { name: name.clone(), required: is_first, shape });
                }
                Some(others) => self.location(others, value),
                None => {}
            }
        }
        if !new.is_empty() {
            self.has_changed = true;
            self.has_grown = true;
            shape.properties.extend(new);
            shape.properties.sort_by(|left, right| left.name.cmp(&right.name));
        }
    }
}

/// The integer that a number without fraction is: equal bounds are written alike.
fn canonical(number: &Number) -> Number {
    /// 2^63: below it a whole float is exactly an integer.
    const END: f64 = (1_u64 << 63) as f64;
    let whole = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0);
    match whole {
        Some(float) if (-END..END).contains(&float) => Number::from(float as i64),
        Some(_) | None => number.clone(),
    }
}

/// The formats that are inferred, in their order.
static INFERRED: LazyLock<Vec<(&str, Validator)>> = LazyLock::new(|| {
    ["integer", "number", "date-time", "date", "uuid", "sha256"]
        .into_iter()
        .filter_map(|name| Some((name, validator(name)?)))
        .collect()
});

fn inferred_format(text: &Value) -> Option<&'static str> {
    INFERRED.iter().find(|(_, validator)| validator.is_valid(text)).map(|(name, _)| *name)
}

fn is_of_format(name: &str, text: &Value) -> bool {
    match INFERRED.iter().find(|(known, _)| *known == name) {
        Some((_, validator)) => validator.is_valid(text),
        None => validator(name).is_some_and(|validator| validator.is_valid(text)),
    }
}

fn validator(format: &str) -> Option<Validator> {
    options().build(&json!({"format": format})).ok()
}
