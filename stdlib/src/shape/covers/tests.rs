//! What is covered is admitted: examples, and a law over random shapes, schemas and documents.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use proptest::prelude::*;
use serde_json::json;

use super::super::laws::{cases, observed, widened};
use super::*;
use crate::schema::Schema;

fn gap(shape: &Value, schema: &Value) -> Option<(String, String)> {
    let gap = Shape::infer(shape).covered_by(&NormalForm::new(schema)).err()?;
    Some((gap.pointer.to_string(), gap.keyword.clone()))
}

/// A shape by its schema, a schema, and the location and keyword that are not covered.
type Example = (Value, Value, Option<(&'static str, &'static str)>);

fn examples_of_properties() -> Vec<Example> {
    let object = |name: Value| {
        json!({"type": "object", "properties": {"a": name}, "required": ["a"],
            "additionalProperties": false})
    };
    vec![
        (object(json!({"type": "null"})), object(json!({"type": ["null", "integer"]})), None),
        (object(json!({})), object(json!({"type": "integer"})), Some(("/a", "type"))),
        (object(json!({"type": "integer"})), json!({"required": ["b"]}), Some(("", "required"))),
        (object(json!({"type": "integer"})), json!({"properties": {"b": false}}), None),
        (object(json!({})), json!({"additionalProperties": false}), Some(("/a", "false"))),
        (object(json!({})), json!({"propertyNames": {"maxLength": 1}, "maxProperties": 1}), None),
        (
            object(json!({"const": "x"})),
            json!({"oneOf": [object(json!({"const": "x"})), object(json!({"const": "y"}))]}),
            None,
        ),
        (
            json!({"type": ["string", "integer"]}),
            json!({"anyOf": [{"type": "string"}, {"type": "integer"}]}),
            None,
        ),
        (
            json!({"type": "integer"}),
            json!({"oneOf": [{"type": "integer"}, {"minimum": 0}]}),
            Some(("", "oneOf")),
        ),
        (json!({"type": "integer"}), json!({"not": {"type": "string"}}), None),
        (json!({"type": "integer"}), json!({"not": {"minimum": 0}}), Some(("", "not"))),
        (json!({"type": "integer"}), json!({"if": {"type": "string"}, "then": false}), None),
        (
            json!({"type": "string"}),
            json!({"if": {"type": "string"}, "then": {"minLength": 1}}),
            Some(("", "minLength")),
        ),
        (
            json!({"type": "array", "items": {"type": "integer"}}),
            json!({"items": {"type": "number"}}),
            None,
        ),
        (json!({"type": "array"}), json!({"items": {"type": "number"}}), Some(("/*", "type"))),
        (json!({"type": "array", "maxItems": 1}), json!({"uniqueItems": true}), None),
        (
            json!({"type": "array", "prefixItems": [{"type": "null"}], "maxItems": 1}),
            json!({"items": {"type": "null"}}),
            None,
        ),
        (
            json!({"type": "object"}),
            json!({"$ref": "#/$defs/o", "$defs": {"o": {"type": "object"}}}),
            None,
        ),
        (json!({"type": "string", "x-str-minimum": 1}), json!({"x-str-minimum": 1}), None),
    ]
}

fn examples_of_values() -> Vec<Example> {
    vec![
        (json!({"type": "integer"}), json!({"type": "number"}), None),
        (json!({"type": "number"}), json!({"type": "integer"}), Some(("", "type"))),
        (json!({"enum": ["a", "b"]}), json!({"type": "string", "pattern": "^[ab]$"}), None),
        (json!({"enum": ["a", "c"]}), json!({"pattern": "^[ab]$"}), Some(("", "pattern"))),
        (json!({"type": "integer", "minimum": 1}), json!({"exclusiveMinimum": 0}), None),
        (
            json!({"type": "integer", "minimum": 0}),
            json!({"exclusiveMinimum": 0}),
            Some(("", "exclusiveMinimum")),
        ),
        (json!({"type": "integer"}), json!({"multipleOf": 1}), None),
        (json!({"type": "string", "format": "integer"}), json!({"format": "number"}), None),
        (
            json!({"type": "string", "format": "date"}),
            json!({"format": "date-time"}),
            Some(("", "format")),
        ),
    ]
}

#[test]
fn what_is_covered_is_told_by_keywords() {
    for (shape, schema, expected) in
        examples_of_values().into_iter().chain(examples_of_properties())
    {
        let expected = expected.map(|(pointer, keyword)| (pointer.to_owned(), keyword.to_owned()));
        assert_eq!(gap(&shape, &schema), expected, "{shape} in {schema}");
    }
}

/// Schemas of every keyword that refuses something, nested.
fn demanding() -> impl Strategy<Value = Value> {
    let leaf = prop::sample::select(vec![
        json!(true),
        json!({"type": ["string", "integer", "null", "object"]}),
        json!({"type": "object"}),
        json!({"type": ["array", "number", "boolean"]}),
        json!({"minimum": -1}),
        json!({"exclusiveMinimum": -0.5, "maximum": 2}),
        json!({"exclusiveMaximum": 2}),
        json!({"multipleOf": 1}),
        json!({"minLength": 1, "maxLength": 9}),
        json!({"pattern": "^[a-z0-9-]*$"}),
        json!({"format": "date"}),
        json!({"format": "number"}),
        json!({"enum": [1, "a", null, {}, [], "12"]}),
        json!({"const": {"a": 1}}),
        json!({"required": ["a"]}),
        json!({"minProperties": 1, "maxProperties": 2}),
        json!({"dependentRequired": {"a": ["b"]}}),
        json!({"propertyNames": {"enum": ["a", "b"]}}),
        json!({"minItems": 1, "maxItems": 2}),
        json!({"uniqueItems": true}),
        json!({"contains": {"type": "integer"}}),
        json!({"x-str-minimum": 0}),
    ]);
    leaf.prop_recursive(3, 12, 3, |inner| {
        let list = prop::collection::vec(inner.clone(), 1..4);
        let named = prop::collection::btree_map("[a-d]", inner.clone(), 0..3);
        let word = |words: &'static [&'static str]| prop::sample::select(words);
        prop_oneof![
            (word(&["allOf", "anyOf", "oneOf", "prefixItems"]), list)
                .prop_map(|(word, list)| json!({word: list})),
            (word(&["not", "items", "additionalProperties", "contains", "unevaluatedProperties", "unevaluatedItems"]), inner.clone())
                .prop_map(|(word, inner)| json!({word: inner})),
            (word(&["properties", "dependentSchemas"]), named.clone())
                .prop_map(|(word, named)| json!({word: named})),
            (named, inner.clone(), inner.clone()).prop_map(|(named, matching, others)| json!({
                "properties": named, "patternProperties": {"^[ab]": matching}, "additionalProperties": others})),
            (inner.clone(), inner.clone(), inner)
                .prop_map(|(test, then, other)| json!({"if": test, "then": then, "else": other})),
        ]
    })
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn what_is_covered_is_admitted(
        documents in prop::collection::vec(observed(), 1..4),
        schema in demanding(),
    ) {
        let shape = widened(&Shape::impossible(), &documents);
        if shape.covered_by(&NormalForm::new(&schema)).is_ok() {
            let compiled = Schema::compile(&schema).unwrap();
            for document in &documents {
                prop_assert!(compiled.is_valid(document), "{schema} {document}");
            }
        }
    }
}
