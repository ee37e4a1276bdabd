//! The schema dialect by example, and its agreement with the normal form.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::value::tests::any_value;

fn faults(schema: Value) -> Vec<(String, String)> {
    let faults = Schema::compile(&schema).err().unwrap_or_default();
    faults.into_iter().map(|fault| (fault.pointer, fault.message)).collect()
}

fn fault(schema: Value) -> (String, String) {
    let mut faults = faults(schema.clone());
    assert_eq!(faults.len(), 1, "{schema}: {faults:?}");
    faults.remove(0)
}

/// The place of the value, the place of the keyword, and the message.
fn violation(schema: &Value, document: Value) -> (String, String, String) {
    let compiled = Schema::compile(schema).unwrap();
    let violation = compiled.validate(&document).unwrap_err();
    assert!(document.pointer(&violation.instance_pointer).is_some(), "{violation:?}");
    assert!(schema.pointer(&violation.schema_pointer).is_some(), "{violation:?}");
    (violation.instance_pointer, violation.schema_pointer, violation.message)
}

fn at(instance: &str, schema: &str, message: &str) -> (String, String, String) {
    (instance.to_owned(), schema.to_owned(), message.to_owned())
}

#[test]
fn all_faults_are_reported_in_order() {
    let schema = json!({
        "type": "objekt",
        "requred": ["id"],
        "properties": {
            "a": {"format": "date-tme", "minLength": -1},
            "b": {"type": [null, "string"]},
            "c": {"pattern": "(?=x)"},
            "d": {"$ref": "#/$defs/nope"},
            "e": {"reduce": {"strategy": "sun"}},
            "f/g": 5,
        },
        "required": "id",
        "patternProperties": {"(": true},
    });
    let found: Vec<_> = Schema::compile(&schema)
        .unwrap_err()
        .into_iter()
        .map(|fault| {
            let suggestion = fault.suggestion.map(|suggestion| match suggestion {
                Suggestion::Word(near) => format!("did you mean `{near}`?"),
                Suggestion::Advice(advice) => advice,
            });
            (fault.pointer, suggestion)
        })
        .collect();
    let expected = [
        ("/patternProperties/(", None),
        ("/required", None),
        ("/requred", Some("did you mean `required`?")),
        ("/type", Some("did you mean `object`?")),
        ("/properties/a/format", Some("did you mean `date-time`?")),
        ("/properties/a/minLength", None),
        ("/properties/b/type/0", Some("did you mean `\"null\"`?")),
        ("/properties/c/pattern", None),
        ("/properties/d/$ref", None),
        ("/properties/e/reduce/strategy", Some("did you mean `sum`?")),
        ("/properties/f~1g", None),
    ];
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(pointer, suggestion)| (pointer.to_owned(), suggestion.map(str::to_owned)))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn annotations_are_checked() {
    let cases = [
        (json!({"reduce": "sum"}), "/reduce", "`reduce` wants an object with a `strategy`"),
        (json!({"reduce": {}}), "/reduce", "`reduce` wants a `strategy`"),
        (
            json!({"reduce": {"strategy": "sum", "x": 1}}),
            "/reduce/x",
            "the strategy `sum` has no `x`",
        ),
        (
            json!({"reduce": {"strategy": "merge", "key": "/k"}}),
            "/reduce/key",
            "`key` wants an array of JSON pointers",
        ),
        (
            json!({"reduce": {"strategy": "merge", "key": ["/k", 1]}}),
            "/reduce/key/1",
            "a key is an array of JSON pointers",
        ),
        (
            json!({"redact": {"strategy": "frob"}}),
            "/redact/strategy",
            "unknown redaction `frob`; there are `block` and `sha256`",
        ),
        (json!({"secret": "yes"}), "/secret", "`secret` wants `true` or `false`"),
        (json!({"order": 1.5}), "/order", "`order` wants a whole number of 32 bits"),
    ];
    for (schema, pointer, message) in cases {
        assert_eq!(fault(schema), (pointer.to_owned(), message.to_owned()));
    }
    assert_eq!(faults(json!({"x-anything": 1, "X-Other": null, "advanced": true})), []);
}

#[test]
fn violations_are_placed_in_the_schema_as_written() {
    let schema = json!({
        "definitions": {"id": {"type": "integer", "minimum": 1}},
        "type": "object",
        "properties": {
            "id": {"$ref": "#/definitions/id"},
            "pair": {"items": [{"type": "integer"}], "additionalItems": {"type": "string"}},
            "half": {"type": ["fractional", "string"]},
            "nullable": {"type": "string", "nullable": true},
        },
        "required": ["id"],
        "additionalProperties": false,
    });
    let cases = [
        (json!({"id": 0}), "/id", "/definitions/id/minimum", "expected at least 1, found 0"),
        (json!({}), "", "/required", "the property `id` is missing"),
        (json!({"id": 1, "x": 1}), "", "/additionalProperties", "the schema has no property `x`"),
        (
            json!({"id": 1, "p": 1, "q": 1, "r": 1, "s": 1, "t": 1}),
            "",
            "/additionalProperties",
            "the schema has no properties `p`, `q`, `r` and 2 more",
        ),
        (
            json!({"id": 1, "pair": ["a"]}),
            "/pair/0",
            "/properties/pair/items/0/type",
            "expected integer, found `\"a\"`",
        ),
        (
            json!({"id": 1, "pair": [1, 2]}),
            "/pair/1",
            "/properties/pair/additionalItems/type",
            "expected string, found `2`",
        ),
        (
            json!({"id": 1, "half": 2}),
            "/half",
            "/properties/half/type",
            "expected a number with a fraction, found `2`",
        ),
        (
            json!({"id": 1, "nullable": 2}),
            "/nullable",
            "/properties/nullable/type",
            "expected null or string, found `2`",
        ),
    ];
    for (document, instance, keyword, message) in cases {
        assert_eq!(violation(&schema, document), at(instance, keyword, message));
    }
    let schema = Schema::compile(&schema).unwrap();
    for half in [json!(2.5), json!("x")] {
        assert!(schema.is_valid(&json!({"id": 1, "half": half, "nullable": null})));
    }
}

#[test]
fn the_best_fitting_branch_is_told() {
    let schema = json!({
        "oneOf": [
            {"type": "null"},
            {
                "type": "object",
                "properties": {"kind": {"const": "a"}, "size": {"type": "integer"}},
                "required": ["size"],
            },
            {"type": "object", "properties": {"kind": {"const": "b"}, "name": {"type": "string"}}},
        ],
    });
    let cases = [
        (
            json!({"kind": "b", "name": 1}),
            "/name",
            "/oneOf/2/properties/name/type",
            "expected string, found `1`",
        ),
        (json!({"kind": "a"}), "", "/oneOf/1/required", "the property `size` is missing"),
        (json!(5), "", "/oneOf", "expected null or object, found `5`"),
    ];
    for (document, instance, keyword, message) in cases {
        assert_eq!(violation(&schema, document), at(instance, keyword, message));
    }
}

#[test]
fn bundles_with_resources_of_their_own_are_followed() {
    let schema = json!({
        "$id": "file:///p/flow.yaml?ptr=/collections/a/schema",
        "type": "object",
        "properties": {
            "point": {"$ref": "point.json"},
            "again": {"$ref": "file:///p/point.json#/properties/x"},
            "anchored": {"$ref": "point.json#whole"},
            "own": {"$ref": "#here"},
        },
        "$defs": {
            "__flowInline1": {
                "$id": "file:///p/point.json",
                "type": "object",
                "properties": {"x": {"type": "number"}, "next": {"$ref": "#"}},
                "$defs": {"w": {"$anchor": "whole", "type": "integer"}},
            },
            "o": {"$anchor": "here", "type": "boolean"},
        },
    });
    let resource = "/$defs/__flowInline1";
    let cases = [
        (json!({"point": {"x": "a"}}), "/point/x", format!("{resource}/properties/x/type")),
        (
            json!({"point": {"next": {"next": {"x": "a"}}}}),
            "/point/next/next/x",
            format!("{resource}/properties/x/type"),
        ),
        (json!({"again": "a"}), "/again", format!("{resource}/properties/x/type")),
        (json!({"anchored": 1.5}), "/anchored", format!("{resource}/$defs/w/type")),
        (json!({"own": 1}), "/own", "/$defs/o/type".to_owned()),
    ];
    for (document, instance, keyword) in cases {
        let (found_instance, found_keyword, _) = violation(&schema, document);
        assert_eq!((found_instance.as_str(), found_keyword), (instance, keyword));
    }
}

#[test]
fn dynamic_references_lead_to_the_outermost_anchor() {
    let tree = json!({
        "$id": "https://example.com/tree",
        "$dynamicAnchor": "node",
        "type": "object",
        "properties": {"children": {"type": "array", "items": {"$dynamicRef": "#node"}}},
    });
    let strict = json!({
        "$id": "https://example.com/strict",
        "$dynamicAnchor": "node",
        "$ref": "tree",
        "unevaluatedProperties": false,
        "$defs": {"tree": tree},
    });
    let document = json!({"children": [{"daat": 1}]});
    assert!(Schema::compile(&tree).unwrap().is_valid(&document));
    assert!(!Schema::compile(&strict).unwrap().is_valid(&document));
    let recursive = json!({
        "$recursiveAnchor": true,
        "properties": {"next": {"$recursiveRef": "#"}, "id": {"type": "integer"}},
    });
    let (instance, keyword, _) = violation(&recursive, json!({"next": {"next": {"id": "x"}}}));
    assert_eq!((instance.as_str(), keyword.as_str()), ("/next/next/id", "/properties/id/type"));
}

#[test]
fn one_schema_means_different_things_in_different_scopes() {
    let list = json!({
        "$id": "https://example.com/list",
        "$defs": {"item": {"$dynamicAnchor": "item"}},
        "type": "array",
        "items": {"$dynamicRef": "#item"},
    });
    let list_of = |name: &str, item: Value| {
        json!({
            "$id": format!("https://example.com/{name}"),
            "$defs": {"item": {"$dynamicAnchor": "item", "$ref": "#/$defs/value"}, "value": item},
            "$ref": "list",
        })
    };
    let schema = json!({
        "$id": "https://example.com/root",
        "properties": {
            "texts": {"$ref": "texts"},
            "counts": {"$ref": "counts"},
            "all": {"$ref": "list"},
            "own": {"$id": "own", "$defs": {"i": {"$dynamicAnchor": "item", "type": "null"}}, "$ref": "list"},
        },
        "$defs": {
            "list": list,
            "texts": list_of("texts", json!({"type": "string"})),
            "counts": list_of("counts", json!({"type": "integer", "minimum": 0})),
        },
    });
    let compiled = Schema::compile(&schema).unwrap();
    let oracle =
        jsonschema::options().with_draft(jsonschema::Draft::Draft202012).build(&schema).unwrap();
    let items = [json!("a"), json!(1), json!(-1), json!(null), json!([])];
    for name in ["texts", "counts", "all", "own"] {
        for item in &items {
            let document = json!({name: [item]});
            assert_eq!(compiled.is_valid(&document), oracle.is_valid(&document), "{document}");
        }
    }
    let (instance, keyword, _) = violation(&schema, json!({"counts": [1, -1]}));
    assert_eq!(
        (instance.as_str(), keyword.as_str()),
        ("/counts/1", "/$defs/counts/$defs/value/minimum")
    );
    let shape = crate::shape::Shape::of(compiled.normal_form());
    let located = |text: &str| shape.locate(&Pointer::parse(text).unwrap()).0.types.names();
    assert_eq!(located("/texts/0"), ["string"]);
    assert_eq!(located("/counts/0"), ["integer"]);
    assert_eq!(located("/own/0"), ["null"]);
}

#[test]
fn dynamic_references_cannot_multiply_without_bound() {
    // Every step to the next schema adds an anchor to the scope or does not, so scopes double.
    let step = |number: usize| {
        let next = json!({"properties": {
            "a": {"$ref": format!("s{}", number + 1)},
            "b": {"$ref": format!("t{}", number + 1)},
            "c": {"$dynamicRef": "#x"},
        }, "$defs": {"x": {"$dynamicAnchor": "x"}}});
        let mut other = next.clone();
        other["$id"] = json!(format!("https://example.com/t{number}"));
        other["$defs"][format!("y{number}")] = json!({"$dynamicAnchor": format!("y{number}")});
        let mut next = next;
        next["$id"] = json!(format!("https://example.com/s{number}"));
        [(format!("s{number}"), next), (format!("t{number}"), other)]
    };
    let mut definitions: serde_json::Map<String, Value> = (0..20).flat_map(step).collect();
    for name in ["s20", "t20"] {
        let last = json!({"$id": format!("https://example.com/{name}")});
        definitions.insert(name.to_owned(), last);
    }
    let schema = json!({"$id": "https://example.com/", "$defs": definitions, "$ref": "s0"});
    let faults = faults(schema);
    assert!(faults.iter().all(|(_, message)| message.contains("too many variants")));
    assert!(!faults.is_empty());
}

#[test]
fn draft_7_is_read_where_it_is_declared() {
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "properties": {"x": {"$ref": "#anchored"}},
        "dependencies": {"a": ["b"], "c": {"required": ["d"]}},
        "definitions": {"anchored": {"$id": "#anchored", "type": "string"}},
    });
    let cases = [
        (json!({"a": 1}), "/dependencies"),
        (json!({"c": 1}), "/dependencies/c/required"),
        (json!({"x": 1}), "/definitions/anchored/type"),
    ];
    for (document, keyword) in cases {
        assert_eq!(violation(&schema, document).1, keyword);
    }
    let (pointer, _) = fault(json!({"dependencies": {"a": ["b"]}}));
    assert_eq!(pointer, "/dependencies");
}

#[test]
fn schemas_that_refer_to_themselves_without_end_are_refused() {
    let endless = [
        json!({"$ref": "#"}),
        json!({"allOf": [{"$ref": "#"}]}),
        json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"not": {"$ref": "#/$defs/a"}}}}),
        json!({"properties": {"a": {"$ref": "https://example.com/b"}}, "$defs": {"b": {
            "$id": "https://example.com/b",
            "$dynamicAnchor": "n",
            "allOf": [{"$id": "https://example.com/c", "$dynamicAnchor": "n", "$dynamicRef": "#n"}],
        }}}),
    ];
    for schema in endless {
        let (_, message) = fault(schema);
        assert_eq!(message, "the schema refers to itself without end");
    }
    assert_eq!(faults(json!({"properties": {"next": {"$ref": "#"}}})), []);
}

#[test]
fn long_chains_and_deep_nesting_do_not_overflow() {
    let mut nested = json!({});
    for _ in 0..2_000 {
        nested = Value::Object([("items".to_owned(), nested)].into_iter().collect());
    }
    assert!(fault(nested).1.contains("too deeply"));
    let chain = |step: fn(String) -> Value| {
        let links =
            (0..1_000).map(|link| (format!("d{link}"), step(format!("#/$defs/d{}", link + 1))));
        let mut definitions: serde_json::Map<String, Value> = links.collect();
        definitions.insert("d1000".to_owned(), json!({"type": "integer"}));
        json!({"$defs": definitions, "$ref": "#/$defs/d0"})
    };
    let in_place = chain(|target| json!({"$ref": target}));
    let inside = chain(|target| json!({"items": {"$ref": target}}));
    for schema in [in_place, inside] {
        let _ = Schema::compile(&schema).map(|schema| schema.is_valid(&json!([[[1]]])));
        let _ = crate::shape::Shape::infer(&schema);
    }
}

#[test]
fn public_schemas_are_known_and_sound() {
    let point = json!({"type": "Point", "coordinates": [1.5, 2]});
    let feature = json!({"type": "Feature", "geometry": point, "properties": null, "id": 7});
    let collection = json!({"type": "FeatureCollection", "features": [feature]});
    let geometries = json!({"type": "GeometryCollection", "geometries": [point]});
    let ring = json!([[0, 0], [0, 1], [1, 1], [0, 0]]);
    let documents = [
        ("Point", point.clone()),
        ("MultiPoint", json!({"type": "MultiPoint", "coordinates": [[1, 2], [3, 4, 5]]})),
        ("LineString", json!({"type": "LineString", "coordinates": [[1, 2], [3, 4]]})),
        ("MultiLineString", json!({"type": "MultiLineString", "coordinates": [[[1, 2], [3, 4]]]})),
        ("Polygon", json!({"type": "Polygon", "coordinates": [ring]})),
        ("MultiPolygon", json!({"type": "MultiPolygon", "coordinates": [[ring]]})),
        ("GeometryCollection", geometries.clone()),
        ("Geometry", geometries),
        ("Feature", feature),
        ("FeatureCollection", collection.clone()),
        ("GeoJSON", collection),
    ];
    for (name, document) in documents {
        let text = well_known(&format!("https://geojson.org/schema/{name}.json")).unwrap();
        assert_eq!(well_known(&format!("http://geojson.org/schema/{name}.json#")), Some(text));
        let schema: Value = serde_json::from_str(text).unwrap();
        let compiled = Schema::compile(&schema).unwrap();
        compiled.validate(&document).unwrap();
        assert!(
            compiled.validate(&json!({"type": name, "coordinates": [[[]]]})).is_err(),
            "{name}"
        );
    }
    assert_eq!(well_known("https://geojson.org/schema/Nope.json"), None);
    assert_eq!(well_known("https://example.com/Point.json"), None);
}

#[test]
fn a_nested_geometry_is_told_by_its_own_fault() {
    let text = well_known("https://geojson.org/schema/FeatureCollection.json").unwrap();
    let schema: Value = serde_json::from_str(text).unwrap();
    let document = json!({"type": "FeatureCollection", "features": [{
        "type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [1, "x"]},
    }]});
    let (instance, _, message) = violation(&schema, document);
    assert_eq!(instance, "/features/0/geometry/coordinates/1");
    assert_eq!(message, "expected number, found `\"x\"`");
}

#[test]
fn bounds_of_numeric_strings_are_enforced() {
    let schema =
        json!({"type": "string", "format": "integer", "x-str-minimum": "-5", "x-str-maximum": 10});
    let compiled = Schema::compile(&schema).unwrap();
    for inside in ["-5", "10", "1e1", "0"] {
        assert!(compiled.is_valid(&json!(inside)), "{inside}");
    }
    assert_eq!(
        violation(&schema, json!("11")),
        at("", "/x-str-maximum", "expected at most 10, found `\"11\"`")
    );
    assert_eq!(violation(&schema, json!("-6")).1, "/x-str-minimum");
}

/// Schemas of known keywords with values of any kind.
fn any_keywords() -> impl Strategy<Value = Value> {
    let names: Vec<_> = keywords::names().chain(["x-other", "nope", "dependencies"]).collect();
    let values = prop_oneof![
        any_value(),
        prop::sample::select(vec![
            json!("#"),
            json!("#/properties/a"),
            json!("("),
            json!("integer"),
            json!({"strategy": "merge", "key": [""]}),
            json!("http://json-schema.org/draft-07/schema#"),
        ]),
    ];
    let keyword = (prop::sample::select(names.clone()), values);
    let schema = prop::collection::vec(keyword, 0..5).prop_map(to_object);
    schema.prop_recursive(3, 12, 4, move |inner| {
        let values = prop_oneof![
            inner.clone(),
            prop::collection::vec(inner.clone(), 1..3).prop_map(Value::from),
            prop::collection::btree_map("[ab(]", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ];
        let keyword = (prop::sample::select(names.clone()), values);
        prop::collection::vec(keyword, 0..5).prop_map(to_object)
    })
}

fn to_object(keywords: Vec<(&'static str, Value)>) -> Value {
    keywords.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// What passes the strict walk always compiles, and nothing panics.
    #[test]
    fn no_schema_panics(schema in any_keywords(), document in any_value()) {
        let shape = crate::shape::Shape::infer(&schema);
        shape.inspect();
        match Schema::compile(&schema) {
            Ok(compiled) => {
                if let Err(violation) = compiled.validate(&document) {
                    prop_assert!(schema.pointer(&violation.schema_pointer).is_some(), "{violation:?}");
                    prop_assert!(document.pointer(&violation.instance_pointer).is_some(), "{violation:?}");
                }
                let reducer = crate::reduce::Reducer::new(&schema).unwrap();
                let document = crate::document::Document::from_value(&document);
                    let root = document.root();
                    let mut out = crate::document::Builder::default();
                    let mode = crate::reduce::Mode::Associative;
                    let _ = reducer.reduce(Some(root), root, mode, &mut out);
            }
            Err(faults) => {
                for fault in faults {
                    prop_assert!(schema.pointer(&fault.pointer).is_some(), "{fault:?}");
                    prop_assert!(!fault.message.contains("cannot be compiled"), "{fault:?}");
                }
            }
        }
    }
}

#[test]
fn patterns_mean_the_same_to_documents_and_shapes() {
    let schema = json!({
        "properties": {"digits": {"pattern": r"^\d+$"}},
        "patternProperties": {"^[[:upper:]]+$": {"type": "integer"}},
        "additionalProperties": {"$ref": "#/patternProperties/%5E[[:upper:]]+$"},
    });
    let compiled = Schema::compile(&schema).unwrap();
    for valid in [json!({"digits": "٣4"}), json!({"AB": 1}), json!({"b": 1})] {
        compiled.validate(&valid).unwrap();
    }
    assert_eq!(
        violation(&schema, json!({"digits": "x"})),
        at("/digits", "/properties/digits/pattern", r#"`"x"` does not match `^\d+$`"#)
    );
    for name in ["AB", "b"] {
        let (instance, keyword, message) = violation(&schema, json!({name: "x"}));
        assert_eq!(instance, format!("/{name}"));
        assert_eq!(keyword, "/patternProperties/^[[:upper:]]+$/type");
        assert_eq!(message, "expected integer, found `\"x\"`");
    }
    let shape = crate::shape::Shape::infer(&schema);
    let (located, _) = shape.locate(&crate::value::Pointer::parse("/AB").unwrap());
    assert_eq!(located.types, crate::shape::Types::INTEGER);
}

#[test]
fn schemas_that_multiply_their_work_are_told_of_in_bounded_time() {
    let twice = |step: fn(Value) -> Value| {
        let links = (0..64).map(|link| {
            let next = json!({"$ref": format!("#/$defs/d{}", link + 1)});
            (format!("d{link}"), step(next))
        });
        let mut definitions: serde_json::Map<String, Value> = links.collect();
        definitions.insert("d64".to_owned(), json!({"type": "integer"}));
        json!({"$defs": definitions, "$ref": "#/$defs/d0"})
    };
    let all = Schema::compile(&twice(|next| json!({"allOf": [next, next]}))).unwrap();
    all.validate(&json!(1)).unwrap();
    let told = all.validate(&json!("x")).unwrap_err();
    assert_eq!(told.message, "the document does not satisfy its schema");
    let any = Schema::compile(&twice(|next| json!({"anyOf": [next, next]}))).unwrap();
    let told = any.validate(&json!("x")).unwrap_err();
    assert_eq!(told.message, "to validate the document takes too many steps");
    let negated = Schema::compile(&json!({"not": twice(|next| json!({"anyOf": [next, next]}))}));
    assert!(negated.is_err() || !negated.unwrap().is_valid(&json!("x")));
}

#[test]
fn chains_of_references_beyond_measure_are_no_danger() {
    let chain = |length: usize, step: fn(String) -> Value| {
        let links =
            (0..length).map(|link| (format!("d{link}"), step(format!("#/$defs/d{}", link + 1))));
        let mut definitions: serde_json::Map<String, Value> = links.collect();
        definitions.insert(format!("d{length}"), json!({"type": "integer"}));
        json!({"$defs": definitions, "$ref": "#/$defs/d0"})
    };
    let long = chain(20_000, |target| json!({"$ref": target}));
    let failures = Schema::compile(&long).unwrap_err();
    assert_eq!(failures[0].message, "the schema combines too many others");
    let nested = chain(20_000, |target| json!({"items": {"$ref": target}}));
    let nested = Schema::compile(&nested).unwrap();
    nested.validate(&json!([[[]]])).unwrap();
    let negated = chain(20_000, |target| json!({"not": {"$ref": target}}));
    let told = Schema::compile(&negated).unwrap().validate(&json!(1)).unwrap_err();
    assert_eq!(told.message, "to validate the document takes too many steps");
}

#[test]
fn huge_bounds_take_no_memory() {
    let schema = json!({
        "minItems": u64::MAX,
        "minLength": 1e15,
        "pattern": "^(a{1,50}){1,50}$",
        "minContains": u64::MAX,
        "contains": true,
        "maxProperties": 0,
    });
    let compiled = Schema::compile(&schema).unwrap();
    assert!(!compiled.is_valid(&json!([])));
    assert!(!compiled.is_valid(&json!("a".repeat(100_000))));
    assert!(compiled.is_valid(&json!({})));
    let (pointer, message) = fault(json!({"pattern": "((a{1,500}){1,500}){1,500}"}));
    assert_eq!((pointer.as_str(), message.as_str()), ("/pattern", "the pattern is too large"));
}
