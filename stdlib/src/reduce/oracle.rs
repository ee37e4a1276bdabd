//! Compares the plan with what the validator says of annotations.
//!
//! The validator collects the annotations of all schemas that a document satisfies. It is far too slow
//! to be asked for every document, but it is right by construction.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Annotation;
use crate::annotation::{Plan, Speakers};
use crate::document::Document;
use crate::schema::{NormalForm, options};
use crate::value::escape;
use crate::value::tests::any_value;

/// Places of values with the strategies that speak of them.
type Spoken = BTreeSet<(String, &'static str)>;

fn by_plan(
    plan: &Plan<Annotation>,
    speakers: &Speakers,
    pointer: &str,
    value: &Value,
    found: &mut Spoken,
) {
    let document = Document::from_value(value);
    let Some(speaking) = plan.resolve(speakers, document.root()) else { return };
    for annotation in plan.annotations(speaking.rules()) {
        found.insert((pointer.to_owned(), annotation.strategy.name));
    }
    for (name, value) in value.as_object().into_iter().flatten() {
        let pointer = format!("{pointer}/{}", escape(name));
        by_plan(plan, &plan.property(&speaking, name), &pointer, value, found);
    }
    for (index, value) in value.as_array().into_iter().flatten().enumerate() {
        by_plan(plan, &plan.item(&speaking, index), &format!("{pointer}/{index}"), value, found);
    }
}

fn by_validator(normal: &NormalForm, document: &Value) -> Spoken {
    let validator = options().build(&normal.schema).unwrap();
    let evaluation = validator.evaluate(document);
    let strategies = evaluation.iter_annotations().filter_map(|entry| {
        let annotation = entry.annotations.value().get("reduce")?;
        let name = annotation.get("strategy").and_then(Value::as_str)?;
        let strategy = super::STRATEGIES.iter().find(|strategy| strategy.name == name)?;
        Some((entry.instance_location.as_str().to_owned(), strategy.name))
    });
    strategies.collect()
}

/// Schemas with annotations under conditions, references, patterns and items.
fn annotated() -> impl Strategy<Value = Value> {
    let names = ["sum", "merge", "append"];
    let reduce = prop::option::of(prop::sample::select(names.to_vec()));
    let tests = prop::sample::select(vec![
        json!({"type": "object"}),
        json!({"type": "array"}),
        json!({"required": ["a"]}),
        json!({"type": ["number", "string"]}),
        json!({"$ref": "#/$defs/shared"}),
        json!(true),
    ]);
    let leaf = (tests.clone(), reduce.clone()).prop_map(|(test, reduce)| with(test, reduce));
    leaf.prop_recursive(3, 16, 3, move |inner| {
        let list = prop::collection::vec(inner.clone(), 1..3);
        let three = [inner.clone(), inner.clone(), inner.clone()];
        let keywords = prop_oneof![
            list.clone().prop_map(|all| json!({"allOf": all})),
            list.clone().prop_map(|any| json!({"anyOf": any})),
            list.clone().prop_map(|one| json!({"oneOf": one})),
            inner.clone().prop_map(|other| json!({"dependentSchemas": {"b": other}})),
            (tests.clone(), inner.clone(), inner.clone())
                .prop_map(|(test, then, other)| json!({"if": test, "then": then, "else": other})),
            (list, inner).prop_map(|(first, rest)| json!({"prefixItems": first, "items": rest})),
            three.prop_map(|[a, named, rest]| {
                json!({
                    "properties": {"a": a},
                    "patternProperties": {"b": named},
                    "additionalProperties": rest,
                })
            }),
        ];
        (keywords, reduce.clone()).prop_map(|(schema, reduce)| with(schema, reduce))
    })
}

fn with(mut schema: Value, reduce: Option<&str>) -> Value {
    if let (Some(object), Some(name)) = (schema.as_object_mut(), reduce) {
        object.insert("reduce".to_owned(), json!({"strategy": name}));
    }
    schema
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_plan_speaks_as_the_validator(mut schema in annotated(), document in any_value()) {
        if let Some(object) = schema.as_object_mut() {
            let shared = json!({"anyOf": [
                {"type": "object", "reduce": {"strategy": "minimize"}},
                {"items": {"reduce": {"strategy": "maximize"}}},
            ]});
            object.insert("$defs".to_owned(), json!({"shared": shared}));
        }
        let normal = NormalForm::new(&schema);
        // A part of the schema may have no definitions to refer to.
        prop_assume!(normal.faults.is_empty());
        if !options().build(&normal.schema).unwrap().is_valid(&document) {
            return Ok(());
        }
        let plan = Plan::<Annotation>::new(&normal).unwrap();
        let mut found = Spoken::new();
        by_plan(&plan, plan.root(), "", &document, &mut found);
        prop_assert_eq!(found, by_validator(&normal, &document), "{} {}", &schema, &document);
    }
}
