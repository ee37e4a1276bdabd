//! The fuzz targets with random input; `fuzz/` runs them under a fuzzer.

#[path = "../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "the fuzzer takes the functions from a crate of its own")]
mod targets;

use libtest_mimic::{Failed, Trial};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// The trials of this module.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial("documents", || run(document_text(), targets::documents)),
        trial("schemas", || run(schema_text(), targets::schemas)),
    ]
}

fn trial(name: &str, test: fn() -> Result<(), Failed>) -> Trial {
    Trial::test(format!("fuzz::{name}"), test)
}

fn run(texts: impl Strategy<Value = String>, target: fn(&[u8])) -> Result<(), Failed> {
    let config = Config { failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&texts, |text| {
        target(text.as_bytes());
        Ok(())
    });
    outcome.map_err(|failure| Failed::from(failure.to_string()))
}

/// Pieces of JSON in any order.
fn document_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(PIECES).prop_map(str::to_owned),
        "-?[0-9]{1,20}(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
        "\"[^\"\\\\\u{0}-\u{1f}]{0,20}\"",
    ];
    prop_oneof![
        prop::collection::vec(piece.clone(), 0..12).prop_map(|pieces| pieces.concat()),
        prop::collection::vec(piece.clone(), 0..8)
            .prop_map(|items| format!("[{}]", items.join(","))),
        prop::collection::vec(piece, 0..8)
            .prop_map(|values| format!("{{\"b\":{}}}", values.join(",\"a\":"))),
        prop::collection::vec(object(), 1..8).prop_map(|lines| lines.join("\n")),
    ]
}

/// An object that has some of a few names in any order, so that many look alike and many nearly.
fn object() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(VALUES).prop_map(str::to_owned);
    leaf.prop_recursive(3, 12, 4, |inner| {
        let names =
            prop::sample::subsequence(&["a", "b", "c", "\\u0061b"][..], 0..=4).prop_shuffle();
        (names, prop::collection::vec(inner, 4)).prop_map(|(names, values)| {
            let properties = names.iter().zip(&values);
            let properties = properties.map(|(name, value)| format!("\"{name}\":{value}"));
            format!("{{{}}}", properties.collect::<Vec<_>>().join(","))
        })
    })
}

const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"a\"",
    "\"\\u0061\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud83d\"",
    "\"\\n\"",
    "\"é\"",
    "true",
    "false",
    "null",
    "-0",
    "-0.0",
    "1e400",
    "1e-400",
    " ",
    "\n",
    "[[[[[[[[",
    "\"a\":1",
];

/// A schema and documents as one array.
fn schema_text() -> impl Strategy<Value = String> {
    let keyword = (prop::sample::select(KEYWORDS), prop::sample::select(VALUES))
        .prop_map(|(keyword, value)| format!("\"{keyword}\":{value}"));
    let leaf = prop::collection::btree_map(
        prop::sample::select(KEYWORDS),
        prop::sample::select(VALUES),
        0..4,
    )
    .prop_map(|keywords| {
        let keywords = keywords.iter().map(|(keyword, value)| format!("\"{keyword}\":{value}"));
        format!("{{{}}}", keywords.collect::<Vec<_>>().join(","))
    });
    let schema = leaf.prop_recursive(4, 16, 3, move |inner| {
        let applied = (prop::sample::select(APPLICATORS), inner.clone(), inner)
            .prop_map(|(form, one, two)| form.replace("$1", &one).replace("$2", &two));
        (applied, prop::option::of(keyword.clone())).prop_map(|(applied, keyword)| {
            let keyword = keyword.map(|keyword| format!(",{keyword}")).unwrap_or_default();
            format!("{{{applied}{keyword}}}")
        })
    });
    let document = prop::sample::select(VALUES);
    (schema, prop::collection::vec(document, 1..4))
        .prop_map(|(schema, documents)| format!("[{schema},{}]", documents.join(",")))
}

const APPLICATORS: &[&str] = &[
    "\"properties\":{\"a\":$1,\"b\":$2}",
    "\"allOf\":[$1,$2]",
    "\"anyOf\":[$1,$2],\"unevaluatedProperties\":false",
    "\"oneOf\":[$1,$2],\"unevaluatedItems\":false",
    "\"not\":$1,\"items\":$2",
    "\"if\":$1,\"then\":$2",
    "\"patternProperties\":{\"^a\":$1},\"additionalProperties\":$2",
    "\"prefixItems\":[$1],\"contains\":$2",
    "\"propertyNames\":$1,\"dependentSchemas\":{\"a\":$2}",
    "\"$defs\":{\"x\":$1,\"y\":$2}",
];

const KEYWORDS: &[&str] = &[
    "type",
    "const",
    "enum",
    "minimum",
    "maxLength",
    "pattern",
    "format",
    "multipleOf",
    "uniqueItems",
    "required",
    "minItems",
    "$ref",
    "$dynamicRef",
    "$anchor",
    "$id",
    "nullable",
    "default",
    "reduce",
    "x-str-minimum",
];

const VALUES: &[&str] = &[
    "null",
    "true",
    "0",
    "2",
    "-1.5",
    "1e300",
    "18446744073709551615",
    "\"\"",
    "\"a\"",
    "\"object\"",
    "\"integer\"",
    "\"date-time\"",
    "\"2024-02-29T00:00:00Z\"",
    "\"^[[:alpha:]]\\\\d*$\"",
    "\"(a*)*b\"",
    "\"#\"",
    "\"#/$defs/x\"",
    "\"#/properties/a\"",
    "[]",
    "[\"a\"]",
    "[\"string\",\"null\"]",
    "[1,1.0,[1]]",
    "{}",
    "{\"a\":1}",
    "{\"a\":{\"a\":[1,\"a\"]},\"b\":null}",
    "{\"strategy\":\"merge\",\"key\":[\"\"]}",
    "{\"strategy\":\"sum\"}",
];
