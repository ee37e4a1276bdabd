//! Inference and algebra of shapes by example, and their soundness as a property.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::schema::Schema;
use crate::value::tests::any_value;

fn located(schema: Value, pointer: &str) -> (Vec<&'static str>, Exists) {
    let (shape, exists) = Shape::infer(&schema).locate(&Pointer::parse(pointer).unwrap());
    (shape.types.names(), exists)
}

#[test]
fn types_are_named_as_schemas_name_them() {
    assert_eq!(Types::NUMBER.or(Types::NULL).names(), ["null", "number"]);
    assert_eq!(Types::INTEGER.names(), ["integer"]);
    assert_eq!(Types::FRACTIONAL.names(), ["fractional"]);
    assert_eq!(Types::of(&json!(1.0)), Types::INTEGER);
    assert_eq!(Types::from_names(["number", "nul"].into_iter()), None);
}

#[test]
fn locations_are_found_with_their_certainty() {
    let schema = json!({
        "type": "object",
        "properties": {
            "pair": {
                "type": "array",
                "items": [{"type": "integer"}],
                "additionalItems": {"type": "string"},
                "minItems": 1,
                "maxItems": 3,
            },
            "free": {"type": ["object", "null"], "properties": {"0": {"type": "boolean"}}},
            "half": {"type": ["fractional", "null"]},
        },
        "patternProperties": {"^n": {"type": "number"}},
        "required": ["pair"],
    });
    let cases: [(&str, &[&str], Exists); 11] = [
        ("", &["object"], Exists::Must),
        ("/pair", &["array"], Exists::Must),
        ("/pair/0", &["integer"], Exists::Must),
        ("/pair/1", &["string"], Exists::May),
        ("/pair/3", &[], Exists::Cannot),
        ("/pair/-", &[], Exists::Cannot),
        ("/pair/x", &[], Exists::Cannot),
        ("/free/0", &["boolean"], Exists::May),
        ("/half", &["fractional", "null"], Exists::May),
        ("/number", &["number"], Exists::May),
        (
            "/other/deep/er",
            &["array", "boolean", "null", "number", "object", "string"],
            Exists::Implicit,
        ),
    ];
    for (pointer, types, exists) in cases {
        assert_eq!(located(schema.clone(), pointer), (types.to_vec(), exists), "{pointer}");
    }
}

#[test]
fn known_locations_are_listed_outer_first() {
    let shape = Shape::infer(&json!({
        "type": "object",
        "properties": {
            "b": {"items": [true]},
            "a": {"type": "object", "properties": {"x/y": true, "": true}, "required": ["x/y"]},
        },
        "additionalProperties": {"properties": {"hidden": true}},
        "required": ["a"],
    }));
    let listed: Vec<_> = shape
        .locations()
        .into_iter()
        .map(|(pointer, _, exists)| (pointer.to_string(), exists))
        .collect();
    let expected = [
        ("", Exists::Must),
        ("/a", Exists::Must),
        ("/a/x~1y", Exists::Must),
        ("/b", Exists::May),
        ("/b/0", Exists::May),
    ];
    assert_eq!(listed, expected.map(|(pointer, exists)| (pointer.to_owned(), exists)));
}

#[test]
fn facets_follow_their_types() {
    let shape = Shape::infer(&json!({
        "oneOf": [
            {"type": "string", "format": "integer", "maxLength": 4},
            {"type": "integer", "minimum": 3},
            {"type": "string", "format": "number", "maxLength": 9},
        ],
        "title": "T",
    }));
    assert_eq!(shape.string.format.as_deref(), Some("number"));
    assert_eq!(shape.string.max_length, Some(9));
    assert_eq!(shape.numeric.minimum, Some(3.into()));
    assert_eq!(shape.title.as_deref(), Some("T"));
}

#[test]
fn mistakes_are_found_at_their_places() {
    let shape = Shape::infer(&json!({
        "type": "object",
        "properties": {
            "s": {
                "type": "object",
                "properties": {"add": {}, "added": {}},
                "reduce": {"strategy": "set"},
            },
            "m": {"type": ["object", "null"], "reduce": {"strategy": "merge"}},
            "d": {"type": "string", "format": "date", "default": "today"},
            "l": {"type": "array", "items": {"reduce": {"strategy": "sum"}}},
        },
        "required": ["gone"],
        "additionalProperties": false,
        "reduce": {"strategy": "merge"},
    }));
    let found: Vec<_> = shape.inspect().into_iter().map(|it| (it.pointer, it.kind)).collect();
    let expected = [
        ("/d", InspectionKind::InvalidDefaultValue),
        ("/gone", InspectionKind::ImpossibleMustExist),
        ("/l/*", InspectionKind::ChildWithoutParentReduction),
        ("/l/*", InspectionKind::SumNotNumber),
        ("/m", InspectionKind::MergeNotObjectOrArray),
        ("/s/added", InspectionKind::SetInvalidProperty),
    ];
    assert_eq!(found, expected.map(|(pointer, kind)| (pointer.to_owned(), kind)));
}

#[test]
fn shapes_that_would_explode_stay_small() {
    // Every level doubles what the one below says.
    let mut definitions = serde_json::Map::new();
    for level in 0..40 {
        let inner = json!({"$ref": format!("#/$defs/d{}", level + 1)});
        let both = json!({"properties": {"a": inner, "b": inner}});
        definitions.insert(format!("d{level}"), both);
    }
    definitions.insert("d40".to_owned(), json!({"type": "object"}));
    let doubling = json!({"$defs": definitions, "$ref": "#/$defs/d0"});
    assert_eq!(located(doubling, "/a").1, Exists::May);
    // Every name of one side meets all names of the other.
    let names = |prefix: &str| -> Value {
        (0..600).map(|index| (format!("{prefix}{index}"), json!(true))).collect()
    };
    let product = json!({"allOf": [
        {"properties": names("a")},
        {"additionalProperties": {"properties": names("b")}},
    ]});
    assert_eq!(located(product, "/a7").1, Exists::May);
}

#[test]
fn simplified_shapes_keep_to_their_limits() {
    let shape = Shape::infer(&json!({
        "type": "object",
        "properties": {
            "a": {"type": "object", "properties": {"x": {"type": "integer"}, "y": {"type": "string"}}},
            "b": {"type": "string"},
        },
    }));
    assert_eq!(shape.clone().simplify(10, 12), shape);
    let shallow = shape.simplify(4, 12).render();
    assert_eq!(
        shallow["properties"]["a"]["additionalProperties"],
        json!({"type": ["integer", "string"]})
    );
}

/// Schemas of a few keywords, nested.
fn any_schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(true)),
        prop::sample::select(vec![
            "null", "boolean", "integer", "number", "string", "array", "object"
        ])
        .prop_map(|name| json!({"type": name})),
        any_value().prop_map(|value| json!({"const": value})),
        (-2_i64..3).prop_map(|bound| json!({"minimum": bound})),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        let list = prop::collection::vec(inner.clone(), 1..3);
        let named = prop::collection::btree_map("[ab]", inner.clone(), 0..3);
        prop_oneof![
            list.clone().prop_map(|all| json!({"allOf": all})),
            list.clone().prop_map(|any| json!({"anyOf": any})),
            list.clone().prop_map(|one| json!({"oneOf": one})),
            [inner.clone(), inner.clone(), inner.clone()]
                .prop_map(|[test, then, other]| json!({"if": test, "then": then, "else": other})),
            (list, inner.clone()).prop_map(|(prefix, items)| {
                json!({"prefixItems": prefix, "items": items, "minItems": 1})
            }),
            (named, inner, any::<bool>()).prop_map(|(named, others, required)| {
                let required = if required { vec!["a"] } else { Vec::new() };
                json!({"properties": named, "additionalProperties": others, "required": required})
            }),
        ]
    })
}

/// Whether a shape agrees that the document exists, at every location it knows.
fn admits(shape: &Shape, document: &Value) -> Result<(), String> {
    for (pointer, located, exists) in shape.locations() {
        match pointer.query(document) {
            Some(value) => {
                let listed = located.enumeration.as_ref();
                let is_listed = listed.is_none_or(|all| {
                    all.iter().any(|it| crate::value::compare(it, value).is_eq())
                });
                if !Types::of(value).within(located.types) || !is_listed {
                    return Err(format!("{pointer} is {value}, not {:?}", located.types.names()));
                }
            }
            None if exists == Exists::Must => return Err(format!("{pointer} must exist")),
            None => {}
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn shapes_admit_what_their_schemas_admit(schema in any_schema(), document in any_value()) {
        let shape = Shape::infer(&schema);
        if Schema::compile(&schema).unwrap().is_valid(&document) {
            prop_assert_eq!(admits(&shape, &document), Ok(()), "{}", &schema);
        }
    }

    #[test]
    fn rendered_shapes_admit_what_their_schemas_admit(schema in any_schema(), document in any_value()) {
        let rendered = Shape::infer(&schema).render();
        if Schema::compile(&schema).unwrap().is_valid(&document) {
            prop_assert!(Schema::compile(&rendered).unwrap().is_valid(&document), "{schema} {rendered}");
        }
    }
}
