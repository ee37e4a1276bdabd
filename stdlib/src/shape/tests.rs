//! Inference, algebra, locations and inspections of shapes: an example for every rule.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use serde_json::json;

use super::*;

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
    let found: Vec<_> =
        shape.inspect().into_iter().map(|it| (it.path.to_string(), it.kind)).collect();
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
    let inner = json!({"x": {"type": "integer"}, "y": {"type": "string"}});
    let shape = Shape::infer(&json!({
        "type": "object",
        "properties": {
            "a": {"type": "object", "properties": inner, "additionalProperties": false},
            "b": {"type": "object", "properties": inner},
        },
    }));
    assert_eq!(shape.clone().simplify(10, 12), shape);
    let shallow = shape.simplify(4, 12).render();
    assert_eq!(
        shallow["properties"]["a"]["additionalProperties"],
        json!({"type": ["integer", "string"]})
    );
    assert_eq!(shallow["properties"]["b"], json!({"type": "object"}));
}

fn inferred(schema: Value) -> Shape {
    Shape::infer(&schema)
}

fn intersection(left: Value, right: Value) -> Shape {
    inferred(left).intersect(inferred(right))
}

fn union(left: Value, right: Value) -> Shape {
    inferred(left).union(inferred(right))
}

/// The shape of a schema, whatever it comes from.
fn plain(schema: Value) -> Shape {
    anonymous(inferred(schema))
}

fn anonymous(mut shape: Shape) -> Shape {
    shape.provenance = Provenance::Unset;
    let ArrayShape { tuple, additional, .. } = &mut shape.array;
    let ObjectShape { properties, patterns, additional: others } = &mut shape.object;
    let inner = tuple
        .iter_mut()
        .chain(additional.as_deref_mut())
        .chain(properties.iter_mut().map(|property| &mut property.shape))
        .chain(patterns.iter_mut().map(|pattern| &mut pattern.shape))
        .chain(others.as_deref_mut());
    for inner in inner {
        *inner = anonymous(std::mem::replace(inner, Shape::any()));
    }
    shape
}

#[test]
fn exclusive_bounds_and_patterns_are_kept_as_they_are_and_other_conditions_not_at_all() {
    let shape = plain(json!({
        "type": ["integer", "string", "object"],
        "minimum": 1,
        "maximum": 5,
        "exclusiveMinimum": 2,
        "exclusiveMaximum": 4,
        "multipleOf": 2,
        "pattern": "^a",
        "not": {"type": "string"},
        "propertyNames": {"pattern": "^b"},
        "dependentRequired": {"a": ["b"]},
        "dependentSchemas": {"a": {"required": ["c"]}},
        "contains": {"type": "null"},
        "if": {"type": "integer"},
        "then": {"title": "ignored"},
    }));
    let facts = [
        ("exclusiveMinimum", json!(2)),
        ("exclusiveMaximum", json!(4)),
        ("multipleOf", json!(2)),
        ("pattern", json!("^a")),
    ];
    let wanted = json!({"type": ["integer", "string", "object"], "minimum": 1, "maximum": 5});
    let mut wanted = plain(wanted);
    wanted.annotations.extend(facts.map(|(name, value)| (name.to_owned(), value)));
    assert_eq!(shape, wanted);
}

#[test]
fn required_names_without_schema_are_anything() {
    let (types, exists) = located(json!({"type": "object", "required": ["a"]}), "/a");
    assert_eq!((types.len(), exists), (6, Exists::Must));
}

#[test]
fn patterns_narrow_the_names_that_match_them() {
    let schema = json!({
        "properties": {"ab": {"type": ["string", "integer"]}, "b": {"type": "string"}},
        "patternProperties": {"^a": {"type": ["string", "null"]}},
    });
    assert_eq!(located(schema.clone(), "/ab").0, ["string"]);
    assert_eq!(located(schema.clone(), "/b").0, ["string"]);
    assert_eq!(located(schema, "/az"), (vec!["null", "string"], Exists::May));
}

#[test]
fn enumerations_are_filtered_by_type_and_narrow_it() {
    let shape = plain(json!({"type": ["string", "null", "boolean"], "enum": ["b", 1, null, "a"]}));
    assert_eq!(shape.types.names(), ["null", "string"]);
    assert_eq!(shape.enumeration, Some(vec![json!(null), json!("a"), json!("b")]));
    assert!(plain(json!({"type": "array", "const": 1})).types.is_none());
}

#[test]
fn alternatives_count_only_as_a_whole() {
    let both = json!({"if": true, "then": {"type": "string"}, "else": {"type": "integer"}});
    assert_eq!(plain(both).types.names(), ["integer", "string"]);
    let half = json!({"if": true, "then": {"type": "string"}});
    assert_eq!(plain(half).types, Types::ANY);
    let any = json!({"type": ["string", "null"], "anyOf": [{"type": "string"}, {"type": "array"}]});
    assert_eq!(plain(any).types.names(), ["string"]);
}

#[test]
fn unevaluated_keywords_stand_in_for_additional_ones() {
    let schema = json!({"unevaluatedProperties": {"type": "null"}, "unevaluatedItems": false});
    let shape = plain(schema);
    assert_eq!(shape.object.additional, Some(Box::new(plain(json!({"type": "null"})))));
    assert_eq!(shape.array.additional, Some(Box::new(Shape::impossible())));
    let both = json!({
        "unevaluatedProperties": false,
        "allOf": [{"additionalProperties": {"type": "string"}}],
    });
    assert_eq!(plain(both).object.additional, Some(Box::new(plain(json!({"type": "string"})))));
}

#[test]
fn a_schema_met_again_says_nothing_more() {
    let list = json!({
        "$defs": {"list": {
            "type": "object",
            "properties": {"next": {"$ref": "#/$defs/list"}, "id": {"type": "integer"}},
        }},
        "$ref": "#/$defs/list",
    });
    assert_eq!(located(list.clone(), "/id").0, ["integer"]);
    assert_eq!(located(list, "/next").0.len(), 6);
}

#[test]
fn provenance_is_the_last_reference_of_a_chain() {
    let definitions = json!({
        "a": {"$ref": "#/$defs/b", "title": "A"},
        "b": {"$ref": "#/$defs/c d"},
        "c d": {"type": "string"},
    });
    let of = |mut schema: Value| {
        schema["$defs"] = definitions.clone();
        inferred(schema).provenance
    };
    let reference = Provenance::Reference("#/$defs/c%20d".to_owned());
    assert_eq!(of(json!({"$ref": "#/$defs/a"})), reference);
    assert_eq!(of(json!({"$ref": "#/$defs/c d"})), reference);
    // What describes it, and what applies in place, leaves it a pure reference.
    let beside = json!({
        "$ref": "#/$defs/a",
        "title": "T",
        "description": "D",
        "default": "x",
        "examples": ["y"],
        "allOf": [{"maxLength": 3}],
        "$comment": "of no account",
    });
    assert_eq!(of(beside), reference);
    assert_eq!(of(json!({"$ref": "#/$defs/a", "maxLength": 3})), Provenance::Inline);
    assert_eq!(of(json!({"$ref": "#/$defs/a", "x-own": 1})), Provenance::Inline);
    assert_eq!(of(json!({"allOf": [{"$ref": "#/$defs/a"}, {"title": "T"}]})), reference);
    let two = json!({"allOf": [{"$ref": "#/$defs/a"}, {"type": "string"}]});
    assert_eq!(of(two), Provenance::Inline);
    assert_eq!(of(json!({"oneOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}]})), reference);
    assert_eq!(of(json!({"title": "T"})), Provenance::Unset);
    assert_eq!(of(json!({"type": "string"})), Provenance::Inline);
}

#[test]
fn an_impossible_side_decides_intersections_and_leaves_unions_to_the_other() {
    let schema = json!({"type": "string", "title": "T", "minLength": 2});
    assert_eq!(intersection(schema.clone(), json!(false)), Shape::impossible());
    assert_eq!(intersection(json!(false), schema.clone()), Shape::impossible());
    assert_eq!(union(schema.clone(), json!(false)), inferred(schema.clone()));
    assert_eq!(union(json!(false), schema.clone()), inferred(schema));
}

#[test]
fn annotations_of_the_left_side_win_and_only_equal_ones_remain() {
    let left = json!({
        "type": "string", "title": "A", "description": "D", "default": "a", "secret": true,
        "format": "date", "contentEncoding": "base64", "contentMediaType": "text/plain",
        "x-one": 1, "x-both": 1,
    });
    let right = json!({
        "type": "string", "title": "B", "description": "D", "default": "b", "secret": true,
        "format": "date-time", "contentEncoding": "base64", "contentMediaType": "text/html",
        "x-two": 2, "x-both": 2,
    });
    let both = intersection(left.clone(), right.clone());
    assert_eq!(both.title.as_deref(), Some("A"));
    assert_eq!(both.default, Some(json!("a")));
    assert_eq!(both.string.format.as_deref(), Some("date"));
    assert_eq!(both.string.content_type.as_deref(), Some("text/plain"));
    let names: Vec<_> =
        both.annotations.iter().map(|(name, value)| format!("{name}{value}")).collect();
    assert_eq!(names, ["x-both1", "x-one1", "x-two2"]);
    let either = union(left.clone(), right);
    let equal =
        json!({"type": "string", "description": "D", "secret": true, "contentEncoding": "base64"});
    assert_eq!(anonymous(either), plain(equal));
    assert_eq!(
        inferred(json!({"title": "A"})).intersect(inferred(json!({"title": "B"}))).title.as_deref(),
        Some("A")
    );
    let one = union(left, json!({"type": "string"}));
    assert_eq!((one.title, one.default, one.secret), (None, None, None));
}

#[test]
fn a_default_is_the_first_whose_type_is_allowed() {
    let left = json!({"default": "text"});
    let right = json!({"type": "integer", "default": 3});
    assert_eq!(intersection(left, right).default, Some(json!(3)));
}

#[test]
fn reductions_of_branches_agree_are_unset_or_are_several() {
    let (sum, merge) =
        (json!({"reduce": {"strategy": "sum"}}), json!({"reduce": {"strategy": "merge"}}));
    let strategy = |name: &str| Reduce::Strategy(json!({"strategy": name}));
    assert_eq!(intersection(sum.clone(), merge.clone()).reduce, strategy("sum"));
    assert_eq!(intersection(json!({}), merge.clone()).reduce, strategy("merge"));
    assert_eq!(union(sum.clone(), sum.clone()).reduce, strategy("sum"));
    assert_eq!(union(sum.clone(), json!({})).reduce, Reduce::Unset);
    assert_eq!(union(sum.clone(), merge.clone()).reduce, Reduce::Multiple);
    assert_eq!(union(sum, merge).union(Shape::any()).reduce, Reduce::Unset);
    let redact = |name: &str| json!({"redact": {"strategy": name}});
    assert_eq!(union(redact("block"), redact("sha256")).redact, Reduce::Multiple);
    assert_eq!(intersection(redact("block"), redact("sha256")).redact, strategy("block"));
}

#[test]
fn bounds_narrow_in_intersections_and_widen_in_unions() {
    let left = json!({
        "type": ["string", "integer", "array"], "minLength": 1, "maxLength": 5, "minimum": 1,
        "maximum": 5, "minItems": 1, "maxItems": 5,
    });
    let right = json!({
        "type": ["string", "integer", "array"], "minLength": 3, "maxLength": 9, "minimum": 3,
        "maximum": 9, "minItems": 3, "maxItems": 9,
    });
    let bounds = |low: u64, high: u64| {
        plain(json!({
            "type": ["string", "integer", "array"], "minLength": low, "maxLength": high,
            "minimum": low, "maximum": high, "minItems": low, "maxItems": high,
        }))
    };
    assert_eq!(anonymous(intersection(left.clone(), right.clone())), bounds(3, 5));
    assert_eq!(anonymous(union(left.clone(), right)), bounds(1, 9));
    let open = json!({"type": ["string", "integer", "array"]});
    assert_eq!(anonymous(union(left.clone(), open.clone())), plain(open.clone()));
    assert_eq!(anonymous(intersection(left, open)), bounds(1, 5));
}

#[test]
fn integers_and_numbers_in_strings_are_numbers() {
    let format = |name: &str| json!({"type": "string", "format": name});
    let found = |left, right| union(format(left), format(right)).string.format;
    assert_eq!(found("integer", "number").as_deref(), Some("number"));
    assert_eq!(found("integer", "integer").as_deref(), Some("integer"));
    assert_eq!(found("integer", "date"), None);
}

#[test]
fn facets_of_one_side_remain_whole_in_unions_and_fall_away_in_intersections() {
    let text = json!({"type": ["string", "null"], "maxLength": 3, "format": "date"});
    let list = json!({"type": ["array", "null"], "maxItems": 2, "items": {"type": "null"}});
    let either = json!({
        "type": ["string", "array", "null"], "maxLength": 3, "format": "date", "maxItems": 2,
        "items": {"type": "null"},
    });
    assert_eq!(anonymous(union(text.clone(), list.clone())), plain(either));
    assert_eq!(anonymous(intersection(text, list)), plain(json!({"type": "null"})));
}

#[test]
fn names_of_one_side_meet_what_the_other_says_of_them() {
    let named = json!({"properties": {"ab": {"type": ["string", "null"]}}, "required": ["ab"]});
    let other = json!({
        "patternProperties": {"^a": {"type": ["string", "integer"]}},
        "additionalProperties": {"type": "boolean"},
    });
    let both = intersection(named.clone(), other.clone());
    let property = both.object.named("ab").unwrap();
    assert_eq!((property.shape.types.names(), property.required), (vec!["string"], true));
    let either = union(named.clone(), other);
    let property = either.object.named("ab").unwrap();
    assert_eq!(property.shape.types.names(), ["integer", "null", "string"]);
    assert!(!property.required);
    assert_eq!(union(named.clone(), json!({})).object.properties, []);
    assert_eq!(intersection(named.clone(), json!({})).object.properties.len(), 1);
    assert!(union(named.clone(), named).object.properties[0].required);
}

#[test]
fn tuples_are_filled_with_further_items() {
    let long = json!({"prefixItems": [{"type": "string"}, {"type": "string"}]});
    let short = json!({"prefixItems": [{"type": "string"}], "items": {"type": ["string", "null"]}});
    let names = |shape: Shape| -> Vec<Vec<&'static str>> {
        shape.array.tuple.iter().map(|item| item.types.names()).collect()
    };
    let (text, both) = (vec!["string"], vec!["null", "string"]);
    assert_eq!(names(intersection(long.clone(), short.clone())), [text.clone(), text.clone()]);
    assert_eq!(names(union(long.clone(), short.clone())), [text.clone(), both]);
    let cut = json!({"prefixItems": [{"type": "string"}]});
    assert_eq!(names(union(long.clone(), cut.clone())), vec![text.clone()]);
    assert_eq!(names(intersection(long.clone(), cut)), [text.clone(), text]);
    assert_eq!(union(long.clone(), short.clone()).array.additional, None);
    assert!(intersection(long, short).array.additional.is_some());
}

#[test]
fn numbers_name_properties_where_there_are_no_arrays() {
    let schema =
        json!({"type": "object", "properties": {"7": {"type": "null"}, "-": {"type": "null"}}});
    assert_eq!(located(schema.clone(), "/7"), (vec!["null"], Exists::May));
    assert_eq!(located(schema.clone(), "/-").1, Exists::May);
    assert_eq!(located(schema, "/8").1, Exists::Implicit);
    let array =
        json!({"type": ["array", "object"], "properties": {"01": {"type": "null"}}, "maxItems": 1});
    assert_eq!(located(array.clone(), "/01"), (vec!["null"], Exists::May));
    assert_eq!(located(array.clone(), "/0").1, Exists::May);
    assert_eq!(located(array.clone(), "/1").1, Exists::Cannot);
    assert_eq!(located(array, "/-").1, Exists::Cannot);
    assert_eq!(located(json!({"type": "array"}), "/0").1, Exists::Implicit);
    assert_eq!(located(json!({"type": "array", "minItems": 1}), "/0").1, Exists::Must);
    assert_eq!(
        located(json!({"type": ["array", "null"], "minItems": 1}), "/0").1,
        Exists::Implicit
    );
    assert_eq!(located(json!({"type": "string"}), "/a").1, Exists::Cannot);
    assert_eq!(located(json!({"properties": {"a": false}}), "/a/b").1, Exists::Cannot);
}

#[test]
fn redactions_are_inspected() {
    let found = |schema: Value| -> Vec<InspectionKind> {
        inferred(schema).inspect().into_iter().map(|inspection| inspection.kind).collect()
    };
    let property = |strategy: &str, types: &str, required: Value| {
        let property = json!({"type": types, "redact": {"strategy": strategy}});
        json!({"type": "object", "properties": {"a": property}, "required": required})
    };
    assert_eq!(found(property("block", "integer", json!([]))), []);
    let must_exist = InspectionKind::BlockRedactionMustExist;
    assert_eq!(found(property("block", "integer", json!(["a"]))), [must_exist]);
    assert_eq!(found(property("sha256", "string", json!(["a"]))), []);
    let not_string = InspectionKind::Sha256RedactionNotString;
    assert_eq!(found(property("sha256", "integer", json!([]))), [not_string]);
}

#[test]
fn strategies_of_several_branches_are_not_inspected() {
    let branch = |strategy: &str| json!({"type": "string", "reduce": {"strategy": strategy}});
    let schema = json!({"oneOf": [branch("sum"), branch("set")]});
    assert_eq!(inferred(schema).inspect(), []);
    let closed = json!({"type": "array", "items": false, "minItems": 1});
    let found = inferred(closed).inspect();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].path.to_string().as_str(), found[0].kind),
        ("/*", InspectionKind::ImpossibleMustExist)
    );
}
