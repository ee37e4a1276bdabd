//! Runs the facts of `testdata/semantics/facts.tsv` that are about documents, schemas and
//! reductions.
//!
//! Facts were observed on another implementation of the language; those that differ on purpose are
//! listed with what is right here.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use serde_json::Value;

use crate::document::{Builder, Document};
use crate::key::{Component, Key};
use crate::redact::Redactor;
use crate::reduce::{Fold, Lone, Mode, ReduceFailure, Reduced, Reducer};
use crate::schema::Schema;
use crate::shape::{Exists, Shape, Types};
use crate::value::{Pointer, compare, parse, to_text};

const FACTS: &str = include_str!("../../testdata/semantics/facts.tsv");

/// Facts that differ on purpose, with what holds here.
const OURS: &[(&str, &str)] = &[
    // Only a result beyond the numbers of JSON is an error.
    ("red037", "9223372036854775807"),
    // An annotation has no other fields.
    ("red228", "ERROR"),
    // A lone document is reduced like any other.
    ("com246", r#"{"id":1,"op":"d"} DELETED"#),
    ("com606", r#"{"k":1,"v":{}}"#),
    ("com608", r#"{"k":1}"#),
    // What follows a deletion starts anew.
    ("com613", r#"{"b":2,"id":1,"op":"c"}"#),
    // `multipleOf` is exact in decimal.
    ("val260", "valid"),
    ("val261", "valid"),
    // `prefixItems` is a keyword.
    ("val275", "invalid"),
    // A property stands once.
    ("ser415", "ERROR"),
    // Numbers compare exactly, also beyond the integers that a double holds.
    ("com453", "Greater"),
    // Pointers begin with a slash and have no empty steps.
    ("ext465", "(malformed)"),
    ("ext467", "(malformed)"),
    ("ext468", "(malformed)"),
    ("ext469", "(malformed)"),
];

/// Facts that cannot be run here, with the reason.
const ELSEWHERE: &[(&str, &str)] = &[
    ("com237", "keys of mixed types are compared by value, packed keys only within one type"),
    ("com616", "compound keys are compared by value, packed keys only within one type"),
];

#[test]
fn facts_hold() {
    let mut faults = Vec::new();
    let mut count = 0;
    for line in FACTS.lines().filter(|line| !line.starts_with('#')).skip(1) {
        let mut cells = line.split('\t');
        let (id, kind) = (cells.next().unwrap(), cells.next().unwrap());
        let (input, output) = (cells.next().unwrap(), cells.next().unwrap());
        if ELSEWHERE.iter().any(|(other, _)| *other == id) {
            continue;
        }
        let input: Value = serde_json::from_str(input).unwrap();
        let found = match kind {
            "reduce" => reduce(&input),
            "combine" => combine(&input),
            "compare" => {
                format!("{:?}", compare(&input["docs"][0], &input["docs"][1]))
            }
            "extract" => extract(&input),
            "ser" => serialize(&input),
            "shape" => shape(&input),
            "validate" => validate(&input),
            _ => continue,
        };
        count += 1;
        let ours = OURS.iter().find(|(other, _)| *other == id).map(|(_, ours)| *ours);
        let expected = ours.unwrap_or(output);
        if found.trim() != comparable(kind, expected) {
            faults.push(format!(
                "{id}\n  input    {input}\n  expected {expected}\n  found    {found}"
            ));
        }
    }
    assert!(faults.is_empty(), "{} of {count}:\n{}", faults.len(), faults.join("\n"));
    assert!(count > 400, "the facts were found");
}

/// How many facts there are of each kind, and who runs them.
const KINDS: &[(&str, usize, &str)] = &[
    ("combine", 37, "here"),
    ("compare", 22, "here"),
    ("derive", 90, "the tests of SQLite lambdas"),
    ("extract", 14, "here"),
    ("param", 19, "the tests of SQLite lambdas"),
    ("projections", 46, "the tests of the compiler's checks"),
    ("reduce", 234, "here"),
    ("ser", 43, "here"),
    ("shape", 28, "here"),
    ("validate", 110, "here"),
];

#[test]
fn every_fact_has_somebody_who_runs_it() {
    let rows: Vec<(&str, &str)> = FACTS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .skip(1)
        .map(|line| {
            let cells: Vec<_> = line.split('\t').collect();
            assert_eq!(cells.len(), 4, "{line}");
            (cells[0], cells[1])
        })
        .collect();
    for (kind, count, _) in KINDS {
        assert_eq!(rows.iter().filter(|(_, other)| other == kind).count(), *count, "{kind}");
    }
    assert_eq!(rows.len(), KINDS.iter().map(|(_, count, _)| count).sum::<usize>());
    let ids: std::collections::BTreeSet<&str> = rows.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids.len(), rows.len(), "an id stands once");
    for (id, _) in OURS.iter().chain(ELSEWHERE) {
        assert!(ids.contains(id), "{id} is no fact");
    }
}

/// The part of an expectation that is compared.
fn comparable(kind: &str, expected: &str) -> String {
    if kind != "shape" {
        return expected.trim().to_owned();
    }
    let (locations, inspections) = match expected.split_once(" INSPECT: ") {
        Some((locations, inspections)) => (locations, inspections),
        None => (expected, ""),
    };
    let kinds: Vec<_> = inspections
        .split("; ")
        .filter(|inspection| !inspection.is_empty())
        .map(|inspection| {
            let kinds = [
                ("default value is invalid", "InvalidDefaultValue"),
                ("but its parent does not", "ChildWithoutParentReduction"),
                ("'sum' reduction strategy", "SumNotNumber"),
                ("'set' reduction strategy", "SetNotObject"),
                ("must exist", "ImpossibleMustExist"),
            ];
            kinds.iter().find(|(words, _)| inspection.contains(words)).unwrap().1
        })
        .collect();
    // The settings of strategies are printed in words of the other implementation.
    let mut locations = locations.to_owned();
    for (other, ours) in [
        ("Strategy(Merge(Merge { key: [], delete: false }))", "merge"),
        ("Strategy(Set(Set { key: [] }))", "set"),
        (
            "Strategy(LastWriteWins(LastWriteWins { delete: false, associative: true }))",
            "lastWriteWins",
        ),
        ("Strategy(Sum)", "sum"),
    ] {
        locations = locations.replace(other, ours);
    }
    format!("{locations} {}", kinds.join(" ")).trim().to_owned()
}

fn reduce(input: &Value) -> String {
    let schema = &input["schema"];
    let (Ok(validator), Ok(reducer)) = (Schema::compile(schema), Reducer::new(schema)) else {
        return "ERROR".to_owned();
    };
    let mode = mode(input);
    let mut documents = input["docs"].as_array().unwrap().iter().cloned();
    let mut left = documents.next().unwrap();
    let mut deleted = "";
    for right in documents {
        if !validator.is_valid(&right) {
            return "ERROR".to_owned();
        }
        let (before, right) = (Document::from_value(&left), Document::from_value(&right));
        let mut out = Builder::default();
        deleted = match reducer.reduce(Some(before.root()), right.root(), mode, &mut out) {
            Ok(Reduced::Document) => "",
            Ok(Reduced::Deleted) => " DELETED",
            Ok(Reduced::NotAssociative) | Err(_) => return "ERROR".to_owned(),
        };
        left = out.root().to_value();
    }
    format!("{}{deleted}", to_text(&left))
}

fn combine(input: &Value) -> String {
    let schema = &input["schema"];
    let (Ok(validator), Ok(reducer)) = (Schema::compile(schema), Reducer::new(schema)) else {
        return "ERROR".to_owned();
    };
    let components = input["key"].as_array().unwrap().iter().map(|component| {
        let pointer = component.as_str().unwrap_or_else(|| component["ptr"].as_str().unwrap());
        let default = component.get("default").cloned().unwrap_or_default();
        Component { pointer: Pointer::parse(pointer).unwrap(), default }
    });
    let key = Key::new(components.collect());
    let front: Vec<_> = input["front"].as_array().into_iter().flatten().collect();
    let mut fold = Fold::new(mode(input), Lone::Reduced, 0);
    for (index, document) in input["docs"].as_array().unwrap().iter().enumerate() {
        let mut packed = Vec::new();
        let held = Document::from_value(document);
        key.pack(held.root(), &mut packed);
        if !validator.is_valid(document) {
            return "ERROR".to_owned();
        }
        if front.contains(&&Value::from(index)) {
            fold.set_base(&packed, held.root());
        } else if fold.add(&reducer, &packed, held.root()).is_err() {
            return "ERROR".to_owned();
        }
    }
    let redactor = Redactor::of(validator.normal_form()).unwrap();
    let salt = input["salt"].as_str().unwrap_or_default().as_bytes();
    let mut groups = Vec::new();
    let drained = fold.drain(&reducer, |group| {
        let group = group?;
        for (index, document) in group.documents.iter().enumerate() {
            let mut published = Builder::default();
            match &redactor {
                Some(redactor) => redactor.redact(document.root(), salt, &mut published).unwrap(),
                None => published.copy(document.root()),
            }
            let front = if group.has_base && index == 0 { " FRONT" } else { "" };
            let deleted = if group.deleted { " DELETED" } else { "" };
            groups.push(format!("{}{front}{deleted}", published.root()));
        }
        Ok::<(), ReduceFailure>(())
    });
    if drained.is_err() { "ERROR".to_owned() } else { groups.join(" | ") }
}

fn mode(input: &Value) -> Mode {
    match input.get("full") {
        Some(Value::Bool(false)) => Mode::Associative,
        _ => Mode::Full,
    }
}

fn extract(input: &Value) -> String {
    let Ok(pointer) = Pointer::parse(input["ptr"].as_str().unwrap()) else {
        return "(malformed)".to_owned();
    };
    pointer.query(&input["doc"]).map_or("(missing)".to_owned(), to_text)
}

fn serialize(input: &Value) -> String {
    parse(input["text"].as_str().unwrap().as_bytes()).map_or("ERROR".to_owned(), |it| to_text(&it))
}

fn validate(input: &Value) -> String {
    match Schema::compile(&input["schema"]) {
        Err(faults) => {
            assert!(!faults.is_empty());
            "ERROR".to_owned()
        }
        Ok(schema) => match schema.validate(&input["doc"]) {
            Ok(()) => "valid".to_owned(),
            Err(violation) => {
                assert!(input["doc"].pointer(&violation.instance_pointer).is_some());
                let place = input["schema"].pointer(&violation.schema_pointer);
                assert!(place.is_some(), "{violation:?}");
                assert_ne!(violation.keyword, "");
                "invalid".to_owned()
            }
        },
    }
}

fn shape(input: &Value) -> String {
    let shape = Shape::infer(&input["schema"]);
    if let Some(pointer) = input.get("ptr") {
        let (shape, exists) = shape.locate(&Pointer::parse(pointer.as_str().unwrap()).unwrap());
        return format!("{exists:?} {} {}", names(shape.types).join("|"), "").trim().to_owned();
    }
    let mut lines = Vec::new();
    describe(&shape, String::new(), Exists::Must, &mut lines);
    let inspections: Vec<_> =
        shape.inspect().into_iter().map(|inspection| format!("{:?}", inspection.kind)).collect();
    format!("{} {}", lines.join("; "), inspections.join(" "))
}

fn describe(shape: &Shape, pointer: String, exists: Exists, lines: &mut Vec<String>) {
    let exists = if shape.types.is_none() { Exists::Cannot } else { exists };
    let mut line = format!("{pointer} {} {exists:?}", names(shape.types).join(","));
    if let crate::shape::Reduce::Strategy(annotation) = &shape.reduce {
        line += &format!(" reduce={}", annotation["strategy"].as_str().unwrap());
    }
    if let Some(values) = &shape.enumeration {
        line += &format!(" enum={}", Value::Array(values.clone()));
    }
    if let Some(default) = &shape.default {
        line += &format!(" default={default}");
    }
    lines.push(line);
    let pattern_exists = exists.min(Exists::May);
    for (index, item) in shape.array.tuple.iter().enumerate() {
        let must = (index as u64) < shape.array.min_items && shape.types == Types::ARRAY;
        let exists = exists.min(if must { Exists::Must } else { Exists::May });
        describe(item, format!("{pointer}/{index}"), exists, lines);
    }
    if let Some(items) = &shape.array.additional {
        describe(items, format!("{pointer}/-(pattern)"), pattern_exists, lines);
    }
    for property in &shape.object.properties {
        let must = property.required && shape.types == Types::OBJECT;
        let exists = exists.min(if must { Exists::Must } else { Exists::May });
        describe(&property.shape, format!("{pointer}/{}", property.name), exists, lines);
    }
    for pattern in &shape.object.patterns {
        let pointer = format!("{pointer}/{}(pattern)", pattern.pattern);
        describe(&pattern.shape, pointer, pattern_exists, lines);
    }
    if let Some(others) = &shape.object.additional {
        describe(others, format!("{pointer}/*(pattern)"), pattern_exists, lines);
    }
}

fn names(types: Types) -> Vec<&'static str> {
    types.names()
}
