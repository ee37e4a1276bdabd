//! Shapes written back as schemas.

use serde_json::{Map, Value};

use super::{Reduce, Shape, Types};

/// The dialect that rendered schemas declare; other tools of the language write it too.
const DIALECT: &str = "https://json-schema.org/draft/2019-09/schema";

/// A schema whose shape is `shape`, and that declares its dialect.
pub(super) fn render(shape: &Shape) -> Value {
    let mut object = if let Value::Object(object) = schema(shape) {
        object
    } else {
        // Only the impossible shape is written as a boolean.
        Map::from_iter([("not".to_owned(), Value::Bool(true))])
    };
    object.insert("$schema".to_owned(), Value::from(DIALECT));
    Value::Object(object)
}

fn schema(shape: &Shape) -> Value {
    if shape.types.is_none() {
        return Value::Bool(false);
    }
    let mut object = Map::new();
    let mut put = |keyword: &str, value: Option<Value>| {
        if let Some(value) = value {
            object.insert(keyword.to_owned(), value);
        }
    };
    let text = |text: &Option<String>| text.clone().map(Value::String);
    put("type", types(shape.types));
    put("enum", shape.enumeration.clone().map(Value::Array));
    put("title", text(&shape.title));
    put("description", text(&shape.description));
    put("default", shape.default.clone());
    put("secret", shape.secret.map(Value::Bool));
    put("reduce", annotation(&shape.reduce));
    put("redact", annotation(&shape.redact));
    for (name, value) in &shape.annotations {
        put(name, Some(value.clone()));
    }
    put("contentEncoding", text(&shape.string.content_encoding));
    put("contentMediaType", text(&shape.string.content_type));
    put("format", text(&shape.string.format));
    put("minLength", above_zero(shape.string.min_length));
    put("maxLength", shape.string.max_length.map(Value::from));
    put("minimum", shape.numeric.minimum.clone().map(Value::Number));
    put("maximum", shape.numeric.maximum.clone().map(Value::Number));
    put("minItems", above_zero(shape.array.min_items));
    put("maxItems", shape.array.max_items.map(Value::from));
    let additional_items = shape.array.additional.as_deref().map(schema);
    if shape.array.tuple.is_empty() {
        put("items", additional_items);
    } else {
        put("items", Some(shape.array.tuple.iter().map(schema).collect()));
        put("additionalItems", additional_items);
    }
    put("additionalProperties", shape.object.additional.as_deref().map(schema));
    put_properties(shape, &mut object);
    Value::Object(object)
}

fn put_properties(shape: &Shape, object: &mut Map<String, Value>) {
    let properties = &shape.object.properties;
    let named = properties.iter().map(|it| (it.name.clone(), schema(&it.shape)));
    let patterns = &shape.object.patterns;
    let patterns = patterns.iter().map(|it| (it.pattern.clone(), schema(&it.shape)));
    let required: Vec<_> =
        properties.iter().filter(|it| it.required).map(|it| Value::from(it.name.clone())).collect();
    let named: Map<String, Value> = named.collect();
    let patterns: Map<String, Value> = patterns.collect();
    if !named.is_empty() {
        object.insert("properties".to_owned(), Value::Object(named));
    }
    if !patterns.is_empty() {
        object.insert("patternProperties".to_owned(), Value::Object(patterns));
    }
    if !required.is_empty() {
        object.insert("required".to_owned(), Value::Array(required));
    }
}

fn types(types: Types) -> Option<Value> {
    if types == Types::ANY {
        return None;
    }
    Some(match types.names().as_slice() {
        [single] => Value::from(*single),
        several => several.iter().copied().map(Value::from).collect(),
    })
}

fn annotation(reduce: &Reduce) -> Option<Value> {
    match reduce {
        Reduce::Strategy(annotation) => Some(annotation.clone()),
        Reduce::Unset | Reduce::Multiple => None,
    }
}

fn above_zero(bound: u64) -> Option<Value> {
    (bound > 0).then(|| Value::from(bound))
}
