//! Laws of shapes, over random schemas and documents. PROPTEST_CASES gives the number of cases.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::schema::Schema;
use crate::value::tests::any_value;

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
            (named.clone(), inner.clone(), any::<bool>()).prop_map(|(named, others, required)| {
                let required = if required { vec!["a"] } else { Vec::new() };
                json!({"properties": named, "additionalProperties": others, "required": required})
            }),
            (named, prop::collection::btree_map("\\^?[ab]\\$?", inner, 1..3)).prop_map(
                |(named, patterns)| json!({"properties": named, "patternProperties": patterns})
            ),
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

/// Schemas with the keywords that shapes keep, nested.
fn described_schema() -> impl Strategy<Value = Value> {
    let keyword = prop::sample::select(vec![
        json!({"type": "string"}),
        json!({"type": ["string", "integer", "null"]}),
        json!({"type": ["fractional", "boolean"]}),
        json!({"type": "object"}),
        json!({"type": ["array", "object"]}),
        json!({"enum": ["a", 1, null, true, 2.5]}),
        json!({"const": "a"}),
        json!({"title": "A"}),
        json!({"title": "B", "description": "D"}),
        json!({"default": "a"}),
        json!({"default": 1}),
        json!({"secret": true, "x-own": {"a": 1}}),
        json!({"reduce": {"strategy": "sum"}}),
        json!({"reduce": {"strategy": "merge"}, "redact": {"strategy": "block"}}),
        json!({"format": "date", "contentEncoding": "base64", "contentMediaType": "text/plain"}),
        json!({"format": "integer", "minLength": 2, "maxLength": 4}),
        json!({"minimum": 1, "maximum": 2.5}),
        json!({"minItems": 1, "maxItems": 2}),
        json!({"required": ["a", "c"]}),
    ]);
    let leaf = prop::collection::vec(keyword, 0..4).prop_map(joined);
    leaf.clone().prop_recursive(3, 24, 3, move |inner| {
        let list = prop::collection::vec(inner.clone(), 1..3);
        let named = prop::collection::btree_map("[abc]", inner.clone(), 0..3);
        let patterns = prop::collection::btree_map("\\^?[ab]\\$?", inner.clone(), 0..3);
        let around = prop_oneof![
            list.clone().prop_map(|all| json!({"allOf": all})),
            list.clone().prop_map(|any| json!({"anyOf": any})),
            list.clone().prop_map(|tuple| json!({"prefixItems": tuple})),
            (list, inner.clone())
                .prop_map(|(tuple, items)| json!({"prefixItems": tuple, "items": items})),
            inner.clone().prop_map(|items| json!({"items": items})),
            named.clone().prop_map(|named| json!({"properties": named})),
            (named, patterns, inner).prop_map(|(named, patterns, others)| json!({
                "properties": named,
                "patternProperties": patterns,
                "additionalProperties": others,
            })),
        ];
        (leaf.clone(), around).prop_map(|(leaf, around)| joined(vec![leaf, around]))
    })
}

fn joined(parts: Vec<Value>) -> Value {
    let parts = parts.into_iter().filter_map(|part| part.as_object().cloned());
    Value::Object(parts.flatten().collect())
}

/// The shape without what schemas cannot say.
fn renderable(mut shape: Shape) -> Shape {
    if shape.types.is_none() {
        return Shape::impossible();
    }
    shape.provenance = Provenance::Unset;
    shape.default_fault = None;
    // Kept only because it is a mistake, and one schema may make more of it than the other.
    let is_allowed = |default: &Value| Types::of(default).within(shape.types);
    shape.default = shape.default.take().filter(is_allowed);
    for annotation in [&mut shape.reduce, &mut shape.redact] {
        if *annotation == Reduce::Multiple {
            *annotation = Reduce::Unset;
        }
    }
    let inner = |shape: &mut Shape| *shape = renderable(std::mem::replace(shape, Shape::any()));
    shape.array.tuple.iter_mut().for_each(inner);
    shape.array.additional.as_deref_mut().into_iter().for_each(inner);
    shape.object.properties.iter_mut().for_each(|property| inner(&mut property.shape));
    shape.object.patterns.iter_mut().for_each(|pattern| inner(&mut pattern.shape));
    shape.object.additional.as_deref_mut().into_iter().for_each(inner);
    shape
}

/// Documents as they are met in inference: texts of several formats among others.
pub(super) fn observed() -> impl Strategy<Value = Value> {
    let text = prop::sample::select(vec![
        "12",
        "-3.50",
        "2024-02-29",
        "2024-02-29T23:59:60Z",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "some text",
        "",
    ]);
    let leaf = prop_oneof![any_value(), text.prop_map(Value::from)];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-d]", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

pub(super) fn widened<'d>(begin: &Shape, documents: impl IntoIterator<Item = &'d Value>) -> Shape {
    let mut shape = begin.clone();
    for document in documents {
        let before = shape.clone();
        let has_changed = shape.widen(document);
        assert_eq!(has_changed, shape != before, "{document}");
    }
    shape
}

fn limited(limit: u64) -> Shape {
    let mut shape = Shape::impossible();
    shape.annotations.insert("x-complexity-limit".to_owned(), Value::from(limit));
    shape
}

/// As many cases as PROPTEST_CASES says, or else this number.
pub(super) fn cases(number: u32) -> ProptestConfig {
    let config = ProptestConfig::default();
    // Proptest's own number, when the environment does not say.
    if config.cases == 256 { ProptestConfig { cases: number, ..config } } else { config }
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn rendered_shapes_are_inferred_again(schema in described_schema()) {
        let shape = renderable(Shape::infer(&schema));
        let rendered = shape.render();
        prop_assert_eq!(renderable(Shape::infer(&rendered)), shape, "{} {}", schema, rendered);
    }

    #[test]
    fn the_order_of_documents_does_not_matter(
        (documents, others) in prop::collection::vec(observed(), 0..6)
            .prop_flat_map(|documents| (Just(documents.clone()), Just(documents).prop_shuffle())),
    ) {
        let nothing = Shape::impossible();
        prop_assert_eq!(widened(&nothing, &documents), widened(&nothing, &others));
    }

    #[test]
    fn widening_is_the_union_with_what_one_document_says(documents in prop::collection::vec(observed(), 1..6)) {
        let nothing = Shape::impossible();
        let each = documents.iter().map(|document| widened(&nothing, [document]));
        prop_assert_eq!(widened(&nothing, &documents), each.reduce(Shape::union).unwrap());
    }

    #[test]
    fn widened_shapes_admit_their_documents(
        documents in prop::collection::vec(observed(), 0..6),
        limit in 1_u64..12,
    ) {
        for begin in [Shape::impossible(), limited(limit)] {
            let shape = widened(&begin, &documents);
            prop_assert!(begin.annotations.is_empty() || shape.size() as u64 <= limit.max(3));
            let rendered = shape.render();
            let schema = Schema::compile(&rendered).unwrap();
            for document in &documents {
                prop_assert!(schema.is_valid(document), "{document} {rendered}");
                prop_assert!(!shape.clone().widen(document), "{document} {rendered}");
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn shapes_of_schemas_are_widened_to_admit_documents(
        schema in described_schema(),
        documents in prop::collection::vec(observed(), 1..4),
    ) {
        let rendered = widened(&renderable(Shape::infer(&schema)), &documents).render();
        let compiled = Schema::compile(&rendered).unwrap();
        for document in &documents {
            prop_assert!(compiled.is_valid(document), "{schema} {document} {rendered}");
        }
    }

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
