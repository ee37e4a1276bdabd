//! Schemas that want to cost much: every answer is bounded, and small in proportion to the text.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use serde_json::{Map, Value, json};

use super::*;
use crate::reduce::Reducer;
use crate::shape::{Exists, Shape};

/// Does with a schema all that is done with schemas; gives its faults.
fn use_everything(schema: &Value, documents: &[Value]) -> Vec<String> {
    let normal = Arc::new(NormalForm::new(schema));
    let shape = Shape::of(&normal);
    shape.inspect();
    shape.locations();
    let rendered = shape.render();
    let mut widened = Shape::infer(&rendered);
    for document in documents {
        widened.widen(document);
    }
    let compiled = match Schema::of(normal) {
        Ok(compiled) => compiled,
        Err(faults) => return faults.into_iter().map(|fault| fault.message).collect(),
    };
    let _ = Reducer::of(compiled.normal_form());
    for document in documents {
        assert_eq!(compiled.is_valid(document), compiled.validate(document).is_ok());
    }
    Vec::new()
}

fn sound(schema: &Value, documents: &[Value]) {
    assert_eq!(use_everything(schema, documents), [""; 0]);
}

#[test]
fn huge_numbers_are_not_counted_up_to() {
    let schema = json!({
        "minItems": 9_007_199_254_740_991_u64,
        "maxItems": 18_446_744_073_709_551_615_u64,
        "minLength": 1e15,
        "minProperties": 4_294_967_296_u64,
        "contains": {"const": 1},
        "minContains": 9_007_199_254_740_991_u64,
        "multipleOf": 1e-300,
        "uniqueItems": true,
        "type": "array",
        "items": {"type": "integer"},
    });
    sound(&schema, &[json!([1]), json!("text"), json!({}), json!(1e300)]);
    let (_, exists) = Shape::infer(&schema).locate(&Pointer::parse("/4294967295").unwrap());
    assert_eq!(exists, Exists::Must);
    let faults = use_everything(&json!({"minItems": 1e300, "maxLength": -1}), &[]);
    assert_eq!(faults.len(), 2);
}

#[test]
fn patterns_are_matched_in_linear_time_or_refused() {
    let schema = json!({"pattern": "^(a+)+$", "patternProperties": {"(x+x+)+y": true}});
    let text = "a".repeat(50_000);
    sound(&schema, &[json!(format!("{text}!")), json!({"x".repeat(50_000): 1})]);
    let faults = use_everything(&json!({"pattern": "((a{1000}){1000}){1000}"}), &[]);
    assert_eq!(faults, ["the pattern is too large"]);
    let nested = format!("{}{}", "(".repeat(100_000), ")".repeat(100_000));
    assert_eq!(use_everything(&json!({"pattern": nested}), &[]).len(), 1);
}

#[test]
fn nesting_ends_somewhere() {
    // Texts of so many levels are not even read, and a value of many more could not be dropped.
    let mut schema = json!({});
    for _ in 0..2_000 {
        schema = Value::Object(Map::from_iter([("items".to_owned(), schema)]));
    }
    assert_eq!(use_everything(&schema, &[json!([[[]]])]), ["the schema is nested too deeply"]);
    let recursive = json!({"items": {"$ref": "#"}, "properties": {"a": {"$ref": "#"}}});
    let mut document = json!(1);
    for _ in 0..120 {
        document = Value::Array(vec![document]);
    }
    sound(&recursive, &[document]);
}

#[test]
fn wide_schemas_cost_as_much_as_they_are_wide() {
    let properties: Map<String, Value> =
        (0..100_000).map(|number| (format!("p{number}"), json!({"type": "integer"}))).collect();
    let names: Vec<&String> = properties.keys().collect();
    let document = json!({"p7": 1, "p99999": 2, "q": "text"});
    sound(&json!({"properties": properties, "required": ["p7"]}), std::slice::from_ref(&document));
    sound(&json!({"enum": names}), &[json!("p7"), json!("q")]);
    sound(&json!({"required": ["p7"], "propertyNames": {"enum": names}}), &[document]);
    let many: Map<String, Value> =
        (0..100_000).map(|number| (format!("p{number}"), json!(number))).collect();
    sound(&json!({"type": "object"}), &[Value::Object(many)]);
}

#[test]
fn long_chains_cost_as_much_as_they_are_long() {
    let chain = |length: usize, step: fn(String) -> Value| {
        let links =
            (0..length).map(|link| (format!("d{link}"), step(format!("#/$defs/d{}", link + 1))));
        let mut definitions: Map<String, Value> = links.collect();
        definitions.insert(format!("d{length}"), json!({"type": "integer"}));
        json!({"$defs": definitions, "items": {"$ref": "#/$defs/d0"}})
    };
    sound(&chain(20_000, |target| json!({"items": {"$ref": target}})), &[json!([[[1]]])]);
    sound(&chain(20_000, |target| json!({"properties": {"a": {"$ref": target}}})), &[json!([{}])]);
    let in_place = chain(20_000, |target| json!({"$ref": target}));
    let faults = use_everything(&in_place, &[json!([1])]);
    assert!(faults.len() <= 1, "{faults:?}");
}

#[test]
fn many_defaults_are_each_looked_at_once() {
    let property = |number: usize| json!({"type": "integer", "default": number, "minimum": 3});
    let properties: Map<String, Value> =
        (0..2_000).map(|number| (format!("p{number}"), property(number))).collect();
    let schema = json!({"type": "object", "properties": properties});
    assert_eq!(Shape::infer(&schema).inspect().len(), 3);
}

#[test]
fn names_and_patterns_are_not_multiplied_without_bound() {
    let named = |form: fn(usize) -> String| -> Map<String, Value> {
        (0..1_500).map(|number| (form(number), json!({"type": "integer"}))).collect()
    };
    let schema = json!({
        "properties": named(|number| format!("p{number}")),
        "patternProperties": named(|number| format!("{number}$")),
    });
    sound(&schema, &[json!({"p7": 1, "q17": 2})]);
}
