//! The program beside the validator of a library, on random schemas and documents.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::document::Document;
use crate::schema::library::Library;
use crate::schema::{NormalForm, target};
use crate::value::tests::any_value;

/// Names of properties, few enough to meet, of less and more than eight and sixteen bytes.
const NAMES: [&str; 7] = ["a", "ab", "b", "c", "d", "d_of_ten_b", "d_of_ten_bytes_and_more"];

/// Strings that formats, patterns and lengths tell apart.
const TEXTS: [&str; 15] = [
    "",
    "a",
    "ab",
    "b",
    "cab",
    "é",
    "12",
    "٣",
    "-1.5",
    "2024-02-29",
    "2024-02-30",
    "2024-02-29T23:59:60Z",
    "a.example",
    "1.2.3.4",
    "/a",
];

fn text() -> impl Strategy<Value = String> {
    prop::sample::select(&TEXTS[..]).prop_map(str::to_owned)
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(&NAMES[..]).prop_map(str::to_owned)
}

fn small_number() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-3_i64..6).prop_map(Value::from),
        (-6_i64..12).prop_map(|half| Value::from(half as f64 / 2.0)),
        prop::sample::select(vec![
            json!(u64::MAX),
            json!(i64::MIN),
            json!(9_007_199_254_740_993_i64),
            json!(9_007_199_254_740_992.0),
            json!(18_446_744_073_709_551_616.0),
            json!(-0.0),
            json!(1e300),
        ]),
    ]
}

fn small_count() -> impl Strategy<Value = Value> {
    prop_oneof![(0_u64..4).prop_map(Value::from), Just(json!(2.0))]
}

fn leaf_value() -> impl Strategy<Value = Value> {
    prop_oneof![any_value(), text().prop_map(Value::from), small_number()]
}

/// Keywords without subschemas.
fn plain_keyword() -> BoxedStrategy<(&'static str, Value)> {
    let types = prop::sample::subsequence(
        vec!["array", "boolean", "fractional", "integer", "null", "number", "object", "string"],
        1..4,
    );
    let names = || prop::collection::btree_set(name(), 0..3).prop_map(|it| json!(it));
    let limit =
        prop::sample::select(vec!["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]);
    let counted = prop::sample::select(vec![
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
        "minContains",
        "maxContains",
    ]);
    let formats: Vec<_> = crate::schema::formats::names().collect();
    prop_oneof![
        types.prop_map(|types| ("type", json!(types))),
        leaf_value().prop_map(|value| ("const", value)),
        prop::collection::vec(leaf_value(), 1..4).prop_map(|it| ("enum", json!(it))),
        prop::collection::vec(text(), 1..12).prop_map(|it| ("enum", json!(it))),
        (limit, small_number()),
        prop::sample::select(vec![1, 2, 3]).prop_map(|it| ("multipleOf", json!(it))),
        (counted, small_count()),
        prop::sample::select(vec!["^a", "b$", "^[ab]*$", "é", "[0-9]+", r"^\w+$", r"\d", r"\S"])
            .prop_map(|it| ("pattern", json!(it))),
        prop::sample::select(formats).prop_map(|it| ("format", json!(it))),
        (prop::sample::select(vec!["x-str-minimum", "x-str-maximum"]), (-3_i64..14))
            .prop_map(|(keyword, bound)| (keyword, json!(bound))),
        Just(("uniqueItems", json!(true))),
        names().prop_map(|it| ("required", it)),
        prop::collection::btree_map(name(), names(), 1..3)
            .prop_map(|it| ("dependentRequired", json!(it))),
        Just(("nullable", json!(true))),
        prop::sample::select(vec!["#/$defs/x", "#/$defs/y", "#"])
            .prop_map(|it| ("$ref", json!(it))),
    ]
    .boxed()
}

/// Keywords with subschemas.
fn applied_keyword(inner: BoxedStrategy<Value>) -> BoxedStrategy<(&'static str, Value)> {
    let lists = vec!["allOf", "anyOf", "oneOf", "prefixItems"];
    let singles = vec![
        "not",
        "if",
        "then",
        "else",
        "items",
        "contains",
        "additionalProperties",
        "propertyNames",
        "unevaluatedProperties",
        "unevaluatedItems",
    ];
    let named = vec!["properties", "properties", "dependentSchemas"];
    let patterns = prop::sample::select(vec!["^a", "b", "[cd]", r"^\w$", "[[:alpha:]]{2}"])
        .prop_map(str::to_owned);
    prop_oneof![
        (prop::sample::select(lists), prop::collection::vec(inner.clone(), 1..4))
            .prop_map(|(keyword, list)| (keyword, json!(list))),
        (prop::sample::select(singles), inner.clone()),
        (prop::sample::select(named), prop::collection::btree_map(name(), inner.clone(), 1..4))
            .prop_map(|(keyword, named)| (keyword, json!(named))),
        prop::collection::btree_map(patterns, inner, 1..3)
            .prop_map(|named| ("patternProperties", json!(named))),
        Just(("unevaluatedProperties", json!(false))),
        Just(("unevaluatedItems", json!(false))),
    ]
    .boxed()
}

fn object(keywords: Vec<(&'static str, Value)>) -> Value {
    keywords.into_iter().map(|(keyword, value)| (keyword.to_owned(), value)).collect()
}

/// Schemas of all keywords, which may refer to two definitions and to the whole.
fn any_schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => any::<bool>().prop_map(Value::Bool),
        6 => prop::collection::vec(plain_keyword(), 0..3).prop_map(object),
    ];
    let schema = leaf.prop_recursive(4, 24, 4, |inner| {
        let keyword = prop_oneof![2 => plain_keyword(), 5 => applied_keyword(inner.boxed())];
        prop::collection::vec(keyword, 1..5).prop_map(object)
    });
    let schema = schema.boxed();
    (schema.clone(), schema.clone(), schema).prop_map(|(mut root, x, y)| {
        if let Some(root) = root.as_object_mut() {
            root.insert("$defs".to_owned(), json!({"x": x, "y": y}));
        }
        root
    })
}

/// Decisions of a generator; when they are used up, the first choice is made.
struct Choices<'c> {
    left: std::slice::Iter<'c, u8>,
}

impl Choices<'_> {
    fn below(&mut self, bound: usize) -> usize {
        usize::from(*self.left.next().unwrap_or(&0)) % bound.max(1)
    }

    /// One of so many times yes.
    fn once_in(&mut self, count: usize) -> bool {
        self.below(count) == count - 1
    }
}

/// A value that a schema of a normal form more or less admits.
fn near(root: &Value, schema: &Value, choices: &mut Choices<'_>, depth: usize) -> Value {
    let Value::Object(keywords) = schema else { return leaf(choices) };
    if depth == 0 || choices.once_in(12) {
        return leaf(choices);
    }
    if let Some(constant) = keywords.get("const") {
        return constant.clone();
    }
    if let Some(values) = keywords.get("enum").and_then(Value::as_array) {
        return values[choices.below(values.len())].clone();
    }
    let mut inner: Vec<&Value> = Vec::new();
    inner.extend(target(keywords).and_then(|place| root.pointer(&place)));
    for keyword in ["allOf", "anyOf", "oneOf"] {
        inner.extend(keywords.get(keyword).and_then(Value::as_array).into_iter().flatten());
    }
    for keyword in ["then", "else"] {
        inner.extend(keywords.get(keyword));
    }
    if !inner.is_empty() && choices.once_in(2) {
        return near(root, inner[choices.below(inner.len())], choices, depth - 1);
    }
    let objects = ["properties", "patternProperties", "additionalProperties", "required"];
    let arrays = ["items", "prefixItems", "contains", "uniqueItems", "unevaluatedItems"];
    let types = keywords.get("type").map(Value::to_string).unwrap_or_default();
    let has = |list: &[&str]| list.iter().any(|keyword| keywords.contains_key(*keyword));
    if types.contains("object") || (types.is_empty() && has(&objects)) {
        return near_object(root, keywords, choices, depth);
    }
    if types.contains("array") || (types.is_empty() && has(&arrays)) {
        return near_array(root, keywords, choices, depth);
    }
    leaf(choices)
}

fn near_object(
    root: &Value,
    keywords: &Map<String, Value>,
    choices: &mut Choices<'_>,
    depth: usize,
) -> Value {
    let mut object = Map::new();
    let any = Value::Bool(true);
    for name in NAMES {
        let declared = keywords.get("properties").and_then(|it| it.get(name));
        let required = keywords.get("required").and_then(Value::as_array);
        let is_required = required.is_some_and(|it| it.iter().any(|it| it == name));
        let additional = keywords.get("additionalProperties").unwrap_or(&any);
        let is_there = match (is_required, declared) {
            (true, _) => !choices.once_in(8),
            (false, Some(_)) => !choices.once_in(3),
            (false, None) => choices.once_in(4),
        };
        if is_there {
            let value = near(root, declared.unwrap_or(additional), choices, depth - 1);
            object.insert(name.to_owned(), value);
        }
    }
    Value::Object(object)
}

fn near_array(
    root: &Value,
    keywords: &Map<String, Value>,
    choices: &mut Choices<'_>,
    depth: usize,
) -> Value {
    let any = Value::Bool(true);
    let prefix = keywords.get("prefixItems").and_then(Value::as_array);
    let rest = ["contains", "items", "unevaluatedItems"];
    let rest: Vec<_> = rest.iter().filter_map(|keyword| keywords.get(*keyword)).collect();
    let length = match choices.below(8) {
        7 => 7 + choices.below(6),
        short => short / 2,
    };
    let items = (0..length).map(|index| {
        let schema = prefix.and_then(|prefix| prefix.get(index));
        let other = rest.get(choices.below(rest.len())).copied().unwrap_or(&any);
        near(root, schema.unwrap_or(other), choices, depth - 1)
    });
    items.collect()
}

fn leaf(choices: &mut Choices<'_>) -> Value {
    match choices.below(8) {
        0 => Value::Null,
        1 => Value::Bool(choices.once_in(2)),
        2 | 3 => json!(choices.below(9) as i64 - 3),
        4 => json!((choices.below(18) as f64 - 6.0) / 2.0),
        5 => json!({"a": choices.below(3)}),
        _ => json!(TEXTS[choices.below(TEXTS.len())]),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600,
        // Some schemas refer to themselves without end.
        max_global_rejects: u32::MAX,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_program_decides_as_the_library(
        schema in any_schema(),
        choices in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..96), 4),
        other in any_value(),
    ) {
        let normal = NormalForm::new(&schema);
        prop_assume!(normal.faults.is_empty());
        let program = Program::compile(&normal).unwrap();
        let library = Library::new(&normal.schema, &program).validator_at("").unwrap();
        let near = choices.iter().map(|choices| {
            near(&normal.schema, &normal.schema, &mut Choices { left: choices.iter() }, 8)
        });
        let text = normal.schema.to_string();
        for document in near.chain([other]) {
            prop_assert_eq!(
                program.is_valid(Document::from_value(&document).root()),
                library.is_valid(&document),
                "{} {}", text, document
            );
        }
    }
}

#[test]
fn a_schema_inside_decides_for_itself() {
    let normal = NormalForm::new(&json!({
        "oneOf": [{"$ref": "#/$defs/x"}, {"type": "string"}],
        "$defs": {"x": {"type": "integer", "minimum": 1}, "unused": {}},
    }));
    let program = Program::compile(&normal).unwrap();
    let admits = |place: &str, value: Value| {
        let schema = program.schema_at(place).unwrap();
        program.admits(schema, Document::from_value(&value).root())
    };
    assert!(admits("/oneOf/0", json!(1)));
    assert!(!admits("/oneOf/0", json!(0)));
    assert!(!admits("/$defs/x", json!("a")));
    assert!(admits("", json!("a")));
    assert_eq!(program.schema_at("/$defs/unused"), None);
}

proptest! {
    /// Where the library divides exactly, which is not so for doubles beyond 2^53, both agree.
    #[test]
    fn multiples_are_those_of_the_library(
        number in -100_000_i64..100_000,
        places in 0_i32..4,
        divisor in prop::sample::select(vec!["1", "3", "7", "0.01", "0.25", "0.3", "2.5", "1e-7"]),
    ) {
        let divisor: Value = serde_json::from_str(divisor).unwrap();
        let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012);
        let library = options.build(&json!({"multipleOf": divisor})).unwrap();
        let value: Value = serde_json::from_str(&format!("{number}e-{places}")).unwrap();
        let program = Divisor::new(divisor.as_number().unwrap().into());
        let divides = program.divides(value.as_number().unwrap().into());
        prop_assert_eq!(divides, library.is_valid(&value), "{} {}", value, divisor);
    }
}
