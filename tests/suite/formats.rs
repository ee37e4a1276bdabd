//! What is written for machines is what its readers expect: the findings of every broken catalog in every format, validated by the public
//! schema of the format, or by its grammar where there is no schema, and the bundle of every catalog that can run.

use std::collections::BTreeSet;

use libtest_mimic::{Failed, Trial};
use regex::Regex;
use serde_json::{Value, json};
use tidegate_compiler::Compilation;
use tidegate_compiler::diag::render::{Findings, Format, Report, Style, json};
use tidegate_stdlib::bundle;
use tidegate_stdlib::schema::Schema;

use super::compile::compile_files;
use super::{files, fixtures, goldens, junit};

/// One test a format.
pub(super) fn tests() -> Vec<Trial> {
    let of_schema = |name: &str, format: Format, schema: fn() -> Value| {
        Trial::test(format!("format::{name}"), move || validate(format, &schema()))
    };
    vec![
        Trial::test("format::sarif", sarif),
        of_schema("gitlab", Format::Gitlab, || file("gitlab-code-quality.schema.json")),
        of_schema("json", Format::Json, || {
            serde_json::from_str(json::SCHEMA).expect("the schema is JSON")
        }),
        Trial::test("format::jsonl", json_lines),
        Trial::test("format::github", github),
        Trial::test("format::junit", || {
            let documents = reports(Format::Junit);
            documents.iter().try_for_each(|(name, text)| junit::validate(name, text))
        }),
        Trial::test("format::bundle", bundles),
    ]
}

fn file(name: &str) -> Value {
    let bytes = files::read(&files::directory("testdata/schemas").join(name));
    serde_json::from_slice(&bytes).expect("schemas are JSON")
}

/// The report of each broken catalog, and one of all of them together.
fn reports(format: Format) -> Vec<(String, String)> {
    let entries = files::entries(&files::directory("testdata/corpus"));
    let compilations: Vec<(String, Compilation)> = entries
        .iter()
        .filter(|path| path.is_dir())
        .map(|path| (files::name(path).to_owned(), compile_files(&files::below(path, "expect"))))
        .collect();
    let render = |compilations: &[(String, Compilation)]| {
        let findings = compilations.iter().map(|(_, compilation)| Findings {
            diagnostics: &compilation.diagnostics,
            sources: &compilation.sources,
        });
        format.render(&Report {
            catalogs: findings.collect(),
            summary: json!({"errors": 0, "warnings": 0}),
            style: Style { color: false, unicode: true, width: 100 },
        })
    };
    let each = compilations.iter().map(|one| (one.0.clone(), render(std::slice::from_ref(one))));
    each.chain([("all together".to_owned(), render(&compilations))]).collect()
}

fn validate(format: Format, schema: &Value) -> Result<(), Failed> {
    let schema = Schema::compile(schema).map_err(|failures| format!("{failures:?}"))?;
    assert!(!schema.is_valid(&json!({})), "the schema says nothing");
    for (name, text) in reports(format) {
        let report: Value = serde_json::from_str(&text)?;
        if let Err(violation) = schema.validate(&report) {
            return Err(format!("the report of {name} is not valid: {violation:?}").into());
        }
    }
    Ok(())
}

/// The schema is of a draft that the language of catalogs does not have.
fn sarif() -> Result<(), Failed> {
    let validator = jsonschema::validator_for(&file("sarif-schema-2.1.0.json"))?;
    assert!(!validator.is_valid(&json!({"version": "2.1.0"})), "the schema says nothing");
    for (name, text) in reports(Format::Sarif) {
        let report: Value = serde_json::from_str(&text)?;
        if let Err(violation) = validator.validate(&report) {
            let place = violation.instance_path();
            return Err(format!("the report of {name} at `{place}`: {violation}").into());
        }
    }
    Ok(())
}

/// Every file of every bundle fits its part of the schema, and the schema has no property that no bundle has.
fn bundles() -> Result<(), Failed> {
    let whole: Value = serde_json::from_str(bundle::SCHEMA)?;
    let part = |name: &str| {
        let mut part = whole.clone();
        if let Value::Object(keywords) = &mut part {
            keywords.remove("anyOf");
            keywords.insert("$ref".to_owned(), json!(format!("#/$defs/{name}")));
        }
        Schema::compile(&part).map_err(|failures| format!("{failures:?}"))
    };
    let (manifest, collection, task, test) =
        (part("manifest")?, part("collection")?, part("task")?, part("test")?);
    let mut seen = BTreeSet::new();
    let fixtures = fixtures().into_iter().flat_map(|(_, catalogs)| catalogs);
    for (name, sources) in goldens::catalogs().into_iter().chain(fixtures) {
        let Some(plan) = compile_files(&sources).plan else { continue };
        for (path, bytes) in bundle::to_files(&plan.bundle) {
            let schema = match path.split('/').next() {
                Some("collections") => &collection,
                Some("tasks") => &task,
                Some("tests") => &test,
                _ => &manifest,
            };
            let value: Value = serde_json::from_slice(&bytes)?;
            note_names(&value, &mut seen);
            if let Err(violation) = schema.validate(&value) {
                return Err(format!("{name}: `{path}` is not valid: {violation:?}").into());
            }
        }
    }
    let mut declared = BTreeSet::new();
    note_declared(&whole, &mut declared);
    let unseen: Vec<_> = declared.difference(&seen).collect();
    if unseen.is_empty() { Ok(()) } else { Err(format!("no bundle has {unseen:?}").into()) }
}

/// The names of all properties of a value.
fn note_names(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(properties) => {
            names.extend(properties.keys().cloned());
            properties.values().for_each(|value| note_names(value, names));
        }
        Value::Array(items) => items.iter().for_each(|item| note_names(item, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The names of all properties that a schema declares.
fn note_declared(schema: &Value, names: &mut BTreeSet<String>) {
    let Value::Object(keywords) = schema else { return };
    for (keyword, value) in keywords {
        if let ("properties", Value::Object(properties)) = (keyword.as_str(), value) {
            names.extend(properties.keys().cloned());
            properties.values().for_each(|value| note_declared(value, names));
        } else if let Value::Array(items) = value {
            items.iter().for_each(|item| note_declared(item, names));
        } else {
            note_declared(value, names);
        }
    }
}

/// A line is one of the diagnostics of the JSON format.
fn json_lines() -> Result<(), Failed> {
    let schema: Value = serde_json::from_str(json::SCHEMA)?;
    let mut of_line = schema.clone();
    if let Value::Object(keywords) = &mut of_line {
        keywords.remove("properties");
        keywords.remove("required");
        keywords.insert("$ref".to_owned(), json!("#/$defs/diagnostic"));
    }
    let schema = Schema::compile(&of_line).map_err(|failures| format!("{failures:?}"))?;
    for (name, text) in reports(Format::Jsonl) {
        for line in text.lines() {
            let diagnostic: Value = serde_json::from_str(line)?;
            if let Err(violation) = schema.validate(&diagnostic) {
                return Err(format!("a line of {name} is not valid: {violation:?}").into());
            }
        }
    }
    Ok(())
}

/// Workflow commands: parameters are `name=value`, and no value holds what ends one.
fn github() -> Result<(), Failed> {
    let command = Regex::new(
        r"^::(error|warning)( (file|line|endLine|col|endColumn|title)=[^,:\n]+(,(file|line|endLine|col|endColumn|title)=[^,:\n]+)*)?::\S.*$",
    )?;
    for (name, text) in reports(Format::Github) {
        if let Some(line) = text.lines().find(|line| !command.is_match(line)) {
            return Err(format!("in the report of {name} this is no command:\n{line}").into());
        }
    }
    Ok(())
}
