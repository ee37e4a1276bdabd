//! Strategies by example, and their laws as properties.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use proptest::prelude::{
    BoxedStrategy, Just, ProptestConfig, any, prop, prop_assert, prop_assert_eq, prop_oneof,
    proptest,
};
use proptest::strategy::Strategy as Generator;
use serde_json::json;

use super::*;
use crate::document::Document;

fn reducer(schema: Value) -> Reducer {
    crate::schema::Schema::compile(&schema).unwrap();
    Reducer::new(&schema).unwrap()
}

fn reduce(
    reducer: &Reducer,
    left: Option<Value>,
    right: Value,
    mode: Mode,
) -> Result<(Reduced, Value), ReduceFailure> {
    let left = left.map(|left| Document::from_value(&left));
    let right = Document::from_value(&right);
    let left = left.as_ref().map(Document::root);
    let mut out = Builder::default();
    let reduced = reducer.reduce(left, right.root(), mode, &mut out)?;
    Ok((reduced, out.root().to_value()))
}

fn reduced(reducer: &Reducer, left: Option<Value>, right: Value, mode: Mode) -> Value {
    match reduce(reducer, left, right, mode) {
        Ok((Reduced::Document, document)) => document,
        other => panic!("{other:?}"),
    }
}

fn failure(schema: Value, left: Value, right: Value) -> (String, String, Vec<String>) {
    let failure = reduce(&reducer(schema), Some(left), right, Mode::Full).unwrap_err();
    (failure.pointer, failure.message, failure.annotations)
}

#[test]
fn strategies_are_told_by_name_once() {
    let mut names: Vec<_> = STRATEGIES.iter().map(|strategy| strategy.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), STRATEGIES.len());
}

#[test]
fn failures_name_the_place_the_values_and_the_annotation() {
    let schema = json!({
        "properties": {"a/b": {"items": {"$ref": "#/$defs/n"}, "reduce": {"strategy": "merge"}}},
        "reduce": {"strategy": "merge"},
        "$defs": {"n": {"reduce": {"strategy": "sum"}}},
    });
    let (pointer, message, annotations) =
        failure(schema, json!({"a/b": [1, 2]}), json!({"a/b": [1, "x"]}));
    assert_eq!(pointer, "/a~1b/1");
    assert_eq!(message, "`sum` wants numbers, found `2` and `\"x\"`");
    assert_eq!(annotations, ["/$defs/n/reduce"]);
}

#[test]
fn conflicts_name_both_annotations() {
    let schema = json!({
        "properties": {"v": {
            "reduce": {"strategy": "sum"},
            "anyOf": [{"type": "string"}, {"reduce": {"strategy": "minimize"}}],
        }},
        "reduce": {"strategy": "merge"},
    });
    let (pointer, message, annotations) = failure(schema, json!({"v": 1}), json!({"v": 2}));
    assert_eq!(pointer, "/v");
    assert_eq!(message, "the strategies `sum` and `minimize` conflict");
    assert_eq!(annotations, ["/properties/v/reduce", "/properties/v/anyOf/1/reduce"]);
}

#[test]
fn sums_beyond_the_numbers_of_json_are_refused() {
    let schema = json!({"reduce": {"strategy": "sum"}});
    let (_, message, _) = failure(schema, json!(u64::MAX), json!(1));
    assert_eq!(
        message,
        "the `sum` of `18446744073709551615` and `1` is beyond the numbers of JSON"
    );
}

#[test]
fn a_resettable_counter_depends_on_the_right_side() {
    let counter = reducer(json!({
        "oneOf": [
            {"properties": {"action": {"const": "reset"}}, "reduce": {"strategy": "lastWriteWins"}},
            {
                "properties": {
                    "action": {"const": "sum", "reduce": {"strategy": "firstWriteWins"}},
                    "value": {"reduce": {"strategy": "sum"}},
                },
                "reduce": {"strategy": "merge"},
            },
        ],
    }));
    let sum = |value: i64| json!({"action": "sum", "value": value});
    let reset = |value: i64| json!({"action": "reset", "value": value});
    let mode = Mode::Associative;
    assert_eq!(reduced(&counter, Some(sum(1)), sum(2), mode), sum(3));
    assert_eq!(reduced(&counter, Some(sum(1)), reset(2), mode), reset(2));
    assert_eq!(reduced(&counter, Some(reset(1)), sum(2), mode), reset(3));
}

#[test]
fn recursive_schemas_reduce_at_every_depth() {
    let tree = reducer(json!({
        "type": "object",
        "properties": {"count": {"reduce": {"strategy": "sum"}}, "inner": {"$ref": "#"}},
        "reduce": {"strategy": "merge"},
    }));
    let left = json!({"count": 1, "inner": {"count": 1, "inner": {"count": 1}}});
    let right = json!({"inner": {"count": 2, "inner": {"count": 3}}});
    let both = json!({"count": 1, "inner": {"count": 3, "inner": {"count": 4}}});
    assert_eq!(reduced(&tree, Some(left), right, Mode::Full), both);
}

#[test]
fn unevaluated_and_dependent_schemas_carry_annotations() {
    let open = reducer(json!({
        "properties": {"id": {}},
        "dependentSchemas": {"a": {"properties": {"a": {"reduce": {"strategy": "append"}}}}},
        "unevaluatedProperties": {"reduce": {"strategy": "sum"}},
        "reduce": {"strategy": "merge"},
    }));
    let left = json!({"id": 1, "a": [1], "n": 1});
    let right = json!({"id": 2, "a": [2], "n": 2});
    let both = json!({"id": 2, "a": [1, 2], "n": 3});
    assert_eq!(reduced(&open, Some(left), right, Mode::Full), both);
}

#[test]
fn values_may_wait_for_their_base() {
    let schema = json!({
        "properties": {"v": {"reduce": {"strategy": "merge"}}},
        "reduce": {"strategy": "merge"},
    });
    let (left, right) = (json!({"a": 1, "v": 1}), json!({"a": 2, "v": {"x": 1}}));
    let outcome = reduce(&reducer(schema), Some(left), right, Mode::Associative);
    assert_eq!(outcome, Ok((Reduced::NotAssociative, Value::Null)));
}

#[test]
fn a_document_grows_only_as_large_as_documents_may_be() {
    let appending = reducer(json!({
        "properties": {"v": {"reduce": {"strategy": "append"}}},
        "reduce": {"strategy": "merge"},
    }));
    let mut fold = Fold::new(Mode::Associative, Lone::Kept, 0);
    let document = Document::from_value(&json!({"v": ["x".repeat(5 << 20)]}));
    for _ in 0..4 {
        fold.add(&appending, b"k", document.root()).unwrap();
    }
    let failure = fold.add(&appending, b"k", document.root()).unwrap_err();
    assert_eq!(failure.message, "the reduced document is larger than 16 MiB");
    let group = drained(&mut fold, &appending).remove(0);
    assert_eq!(group.documents[1]["v"].as_array().unwrap().len(), 3);
}

#[test]
fn a_fold_knows_its_size() {
    let reducer = reducer(json!({
        "properties": {"s": {"reduce": {"strategy": "maximize"}}},
        "reduce": {"strategy": "merge"},
    }));
    let mut fold = Fold::new(Mode::Associative, Lone::Kept, 0);
    for n in 0..6_000_usize {
        let document = Document::from_value(&json!({"s": "x".repeat(n % 700), "n": [n, n, n]}));
        let key = ((n * n) % 997).to_string();
        fold.add(&reducer, key.as_bytes(), document.root()).unwrap();
    }
    let told = fold.size_bytes();
    let mut held = 0;
    let drained = fold.drain(&reducer, |group| {
        let group = group?;
        let [first, rest @ ..] = group.documents else { unreachable!("each key has a document") };
        let documents = rest.iter().map(Document::size_bytes).sum::<usize>();
        held += group.packed.len() + first.root().to_string().len() + documents;
        Ok::<(), ReduceFailure>(())
    });
    drained.unwrap();
    assert!(held <= told && told <= held + held / 2, "{told} told, {held} held");
    assert_eq!(fold.size_bytes(), 0);
}

const TOMBSTONES: &str = r#"{
    "properties": {"n": {"reduce": {"strategy": "sum"}}},
    "if": {"properties": {"op": {"const": "d"}}, "required": ["op"]},
    "then": {"reduce": {"strategy": "merge", "delete": true}},
    "else": {"reduce": {"strategy": "merge"}}
}"#;

fn tombstones() -> Reducer {
    reducer(serde_json::from_str(TOMBSTONES).unwrap())
}

/// A group with trees in place of documents.
#[derive(Debug)]
struct Drained {
    documents: Vec<Value>,
    has_base: bool,
    deleted: bool,
    folded: bool,
}

fn drained(fold: &mut Fold, reducer: &Reducer) -> Vec<Drained> {
    let mut groups = Vec::new();
    let drained = fold.drain(reducer, |group| {
        let Group { documents, has_base, deleted, folded, .. } = group?;
        let documents = documents.iter().map(|document| document.root().to_value()).collect();
        groups.push(Drained { documents, has_base, deleted, folded });
        Ok::<(), ReduceFailure>(())
    });
    drained.unwrap();
    groups
}

fn add(fold: &mut Fold, reducer: &Reducer, packed: &[u8], document: &Value) {
    // What is looked at before changes nothing.
    fold.fetch([packed, b"another key"].into_iter());
    fold.add(reducer, packed, Document::from_value(document).root()).unwrap();
}

fn set_base(fold: &mut Fold, packed: &[u8], base: &Value) {
    fold.set_base(packed, Document::from_value(base).root());
}

#[test]
fn many_small_documents_join_a_large_one_in_order() {
    let reducer = reducer(json!({
        "properties": {"l": {"reduce": {"strategy": "append"}}},
        "reduce": {"strategy": "merge"},
    }));
    for documents in [2_u64, 300, 2_000] {
        let mut fold = Fold::new(Mode::Associative, Lone::Kept, 7);
        for at in 0..documents {
            add(&mut fold, &reducer, b"k", &json!({"l": [at]}));
        }
        let drained = drained(&mut fold, &reducer);
        let of = |range: std::ops::Range<u64>| json!({"l": range.collect::<Vec<_>>()});
        assert_eq!(drained[0].documents, [of(0..1), of(1..documents)], "{documents}");
    }
}

#[test]
fn folds_hold_the_left_most_document_back() {
    let reducer = tombstones();
    let mut fold = Fold::new(Mode::Associative, Lone::Kept, 0);
    for n in [1, 2, 4] {
        add(&mut fold, &reducer, b"k", &json!({"n": n}));
    }
    add(&mut fold, &reducer, b"j", &json!({"n": 8}));
    assert_eq!(fold.len(), 2);
    let groups = drained(&mut fold, &reducer);
    assert_eq!(groups[0].documents, [json!({"n": 8})]);
    assert_eq!(groups[1].documents, [json!({"n": 1}), json!({"n": 6})]);
    assert_eq!((groups[0].folded, groups[1].folded), (false, true));
    assert!(fold.is_empty());
}

#[test]
fn a_base_is_reduced_with_all_that_follows() {
    let reducer = tombstones();
    for base_first in [true, false] {
        for mode in [Mode::Full, Mode::Associative] {
            let mut fold = Fold::new(mode, Lone::Reduced, 0);
            if base_first {
                set_base(&mut fold, b"k", &json!({"n": 1}));
            }
            add(&mut fold, &reducer, b"k", &json!({"n": 2}));
            add(&mut fold, &reducer, b"k", &json!({"n": 4}));
            if !base_first {
                set_base(&mut fold, b"k", &json!({"n": 1}));
            }
            let group = drained(&mut fold, &reducer).remove(0);
            let expected = match mode {
                Mode::Full => vec![json!({"n": 7})],
                Mode::Associative => vec![json!({"n": 1}), json!({"n": 6})],
            };
            assert_eq!(group.documents, expected);
            assert!(group.has_base && group.folded && !group.deleted);
        }
    }
}

#[test]
fn what_stands_alone_is_not_folded() {
    let reducer = tombstones();
    let mut fold = Fold::new(Mode::Full, Lone::Reduced, 0);
    set_base(&mut fold, b"base", &json!({"n": 1}));
    add(&mut fold, &reducer, b"lone", &json!({"n": 2}));
    let groups = drained(&mut fold, &reducer);
    assert_eq!(groups[0].documents, [json!({"n": 1})]);
    assert_eq!(groups[1].documents, [json!({"n": 2})]);
    assert!(groups.iter().all(|group| !group.folded));
}

#[test]
fn what_follows_a_deletion_starts_anew() {
    let reducer = tombstones();
    let (create, delete) = (json!({"n": 1, "op": "c"}), json!({"n": 1, "op": "d"}));
    let run = |mode, documents: &[&Value]| {
        let mut fold = Fold::new(mode, Lone::Reduced, 0);
        for document in documents {
            add(&mut fold, &reducer, b"k", document);
        }
        drained(&mut fold, &reducer).remove(0)
    };
    let group = run(Mode::Full, &[&create, &delete]);
    assert_eq!((group.documents, group.deleted), (vec![json!({"n": 2, "op": "d"})], true));
    let group = run(Mode::Full, &[&create, &delete, &create, &create]);
    assert_eq!((group.documents, group.deleted), (vec![json!({"n": 2, "op": "c"})], false));
    let group = run(Mode::Full, &[&delete]);
    assert_eq!((group.documents, group.deleted), (vec![delete.clone()], true));
    let group = run(Mode::Associative, &[&create, &create, &delete, &create, &create]);
    let merged = json!({"n": 2, "op": "d"});
    assert_eq!(group.documents, [create.clone(), merged, json!({"n": 2, "op": "c"})]);
}

/// Documents without a base further left, reduced in one go, or in two batches whose outcome is
/// what a store keeps.
fn in_batches(
    reducer: &Reducer,
    documents: &[Value],
    cut: usize,
) -> (Option<Value>, Option<Value>) {
    let batch = |base: Option<Value>, documents: &[Value]| {
        let mut fold = Fold::new(Mode::Full, Lone::Reduced, 0);
        if let Some(base) = base {
            set_base(&mut fold, b"k", &base);
        }
        for document in documents {
            add(&mut fold, reducer, b"k", document);
        }
        let group = drained(&mut fold, reducer).pop()?;
        if group.deleted { None } else { group.documents.into_iter().next() }
    };
    let (first, second) = documents.split_at(cut);
    (batch(None, documents), batch(batch(None, first), second))
}

fn small() -> impl Generator<Value = Value> {
    (-3_i64..4).prop_map(Value::from)
}

fn set_terms() -> impl Generator<Value = Value> {
    let members = || {
        prop::collection::btree_map("[a-d]", 1_i64..4, 0..4).prop_map(|members| {
            Value::Object(members.into_iter().map(|(k, v)| (k, json!(v))).collect())
        })
    };
    (prop::option::of(members()), prop::option::of((any::<bool>(), members()))).prop_map(
        |(add, other)| {
            let mut terms = serde_json::Map::new();
            terms.extend(add.map(|add| ("add".to_owned(), add)));
            terms.extend(other.map(|(intersect, members)| {
                (if intersect { "intersect" } else { "remove" }.to_owned(), members)
            }));
            Value::Object(terms)
        },
    )
}

/// Values that a strategy takes, and the schema under which its laws are tried.
fn domain(strategy: &Strategy) -> (Value, BoxedStrategy<Value>) {
    let name = strategy.name;
    let plain = json!({"reduce": {"strategy": name}});
    match name {
        "append" => (plain, prop::collection::vec(small(), 0..3).prop_map(Value::from).boxed()),
        "sum" => {
            let text = "-?[0-9]{1,3}(\\.[0-9]{1,2})?".prop_map(Value::from);
            (plain, prop_oneof![small(), text].boxed())
        }
        "merge" => {
            let schema = json!({
                "properties": {
                    "a": {"reduce": {"strategy": "sum"}},
                    "b": {
                        "items": {"reduce": {"strategy": "minimize"}},
                        "reduce": {"strategy": "merge"},
                    },
                },
                "reduce": {"strategy": "merge"},
            });
            let arrays = prop::collection::vec(small(), 0..3).prop_map(Value::from);
            let document =
                (prop::option::of(small()), prop::option::of(arrays), prop::option::of(small()))
                    .prop_map(|(a, b, c)| {
                        let parts = [("a", a), ("b", b), ("c", c)].into_iter();
                        parts.filter_map(|(name, part)| Some((name.to_owned(), part?))).collect()
                    });
            (schema, document.prop_map(Value::Object).boxed())
        }
        "set" => {
            let schema = json!({
                "properties": {"add": {"additionalProperties": {"reduce": {"strategy": "sum"}}}},
                "reduce": {"strategy": "set"},
            });
            (schema, set_terms().boxed())
        }
        "jsonSchemaMerge" => {
            let schemas = [
                json!({"type": "integer", "minimum": 1}),
                json!({"type": "string", "format": "integer"}),
                json!({"type": "string", "format": "number", "maxLength": 3}),
                json!({"properties": {"a": {"type": "string"}}, "type": "object"}),
                json!({"properties": {"a": true, "b": true}, "required": ["a"], "type": "object"}),
                json!({"items": [true, false], "additionalItems": {"type": "null"}}),
                json!({"const": 1, "x-collection-generation-id": "0b"}),
            ];
            // A schema is comparable once it is rendered.
            let rendered = schemas.map(|schema| crate::shape::Shape::infer(&schema).render());
            (plain, prop::sample::select(rendered.to_vec()).boxed())
        }
        _ => (plain, crate::value::tests::any_value().boxed()),
    }
}

fn three_values() -> impl Generator<Value = (usize, [Value; 3])> {
    (0..STRATEGIES.len()).prop_flat_map(|index| {
        let (_, values) = domain(STRATEGIES[index]);
        (Just(index), [values.clone(), values.clone(), values])
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn declared_laws_hold((index, [a, b, c]) in three_values()) {
        let strategy = STRATEGIES[index];
        let reducer = reducer(domain(strategy).0);
        let both = |left: &Value, right: &Value| {
            reduced(&reducer, Some(left.clone()), right.clone(), Mode::Associative)
        };
        for law in strategy.laws {
            let (one, other) = match law {
                Law::Associative => (both(&both(&a, &b), &c), both(&a, &both(&b, &c))),
                Law::Commutative => (both(&a, &b), both(&b, &a)),
                Law::Idempotent => (both(&a, &a), a.clone()),
            };
            prop_assert!(crate::value::compare(&one, &other).is_eq(), "{} {law:?}: {one} {other}", strategy.name);
        }
    }

    /// A location that one side does not have is as if that side had not been there.
    #[test]
    fn nothing_is_the_identity((index, [a, b, _]) in three_values()) {
        let reducer = reducer(domain(STRATEGIES[index]).0);
        let mode = Mode::Associative;
        let alone = reduced(&reducer, None, b.clone(), mode);
        let apart = reduced(&reducer, Some(a.clone()), b, mode);
        let together = reduced(&reducer, Some(a), alone, mode);
        prop_assert!(crate::value::compare(&apart, &together).is_eq(), "{apart} {together}");
    }

    #[test]
    fn results_do_not_depend_on_batching(
        operations in prop::collection::vec((any::<bool>(), 1_i64..4), 1..6), cut in 0_usize..6
    ) {
        let documents: Vec<_> = operations
            .into_iter()
            .map(|(delete, n)| json!({"n": n, "op": if delete { "d" } else { "c" }}))
            .collect();
        let (at_once, in_two) = in_batches(&tombstones(), &documents, cut.min(documents.len()));
        prop_assert_eq!(at_once, in_two);
    }

    /// Terms that wait for a base mean the same as if each had met the base by itself.
    #[test]
    fn folding_before_the_base_changes_nothing((index, [a, b, c]) in three_values()) {
        let reducer = reducer(domain(STRATEGIES[index]).0);
        let full = |left: &Value, right: &Value| {
            reduced(&reducer, Some(left.clone()), right.clone(), Mode::Full)
        };
        let folded = reduced(&reducer, Some(b.clone()), c.clone(), Mode::Associative);
        let (apart, together) = (full(&full(&a, &b), &c), full(&a, &folded));
        prop_assert!(crate::value::compare(&apart, &together).is_eq(), "{apart} {together}");
    }
}
