//! Reports are what their readers expect: the findings of every broken catalog in every format, validated by the public schema of the
//! format, or by its grammar where there is no schema.

use std::collections::BTreeMap;

use libtest_mimic::{Failed, Trial};
use regex::Regex;
use serde_json::{Value, json};
use tidegate_compiler::Compilation;
use tidegate_compiler::diag::render::{Findings, Format, Report, Style, json};
use tidegate_stdlib::schema::Schema;

use super::compile::compile_files;
use super::files;

/// One test a format.
pub(super) fn tests() -> Vec<Trial> {
    let of_schema = |name: &str, format: Format, schema: fn() -> Value| {
        Trial::test(format!("format::{name}"), move || validate(format, &schema()))
    };
    vec![
        of_schema("sarif", Format::Sarif, || file("sarif-2.1.0.schema.json")),
        of_schema("gitlab", Format::Gitlab, || file("gitlab-code-quality.schema.json")),
        of_schema("json", Format::Json, || {
            serde_json::from_str(json::SCHEMA).expect("the schema is JSON")
        }),
        Trial::test("format::jsonl", json_lines),
        Trial::test("format::github", github),
        Trial::test("format::junit", junit),
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

/// Which attributes an element has, and which elements it may hold.
const ELEMENTS: [(&str, &[&str], &[&str]); 5] = [
    ("testsuites", &["name", "tests", "failures", "errors", "time"], &["testsuite"]),
    ("testsuite", &["name", "tests", "failures", "errors", "time"], &["testcase"]),
    ("testcase", &["name", "classname", "file", "line", "time"], &["failure", "system-out"]),
    ("failure", &["message", "type"], &[]),
    ("system-out", &[], &[]),
];

fn junit() -> Result<(), Failed> {
    let tag = Regex::new(r#"<(/?)([a-z-]+)((?: [a-z]+="[^"<]*")*)(/?)>"#)?;
    let attribute = Regex::new(r#" ([a-z]+)=""#)?;
    let entity = Regex::new("&(?:amp|lt|gt|quot|#[0-9]+);")?;
    let known: BTreeMap<&str, _> = ELEMENTS.iter().map(|each| (each.0, each)).collect();
    for (name, text) in reports(Format::Junit) {
        let problem = |words: String| Failed::from(format!("in the report of {name}: {words}"));
        let body = text
            .strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
            .ok_or_else(|| problem("it does not begin as XML".to_owned()))?;
        let rest = tag.replace_all(body, "");
        let rest = entity.replace_all(&rest, "");
        if rest.contains(['<', '&']) {
            return Err(problem("a text is not escaped".to_owned()));
        }
        let mut open: Vec<&str> = Vec::new();
        for found in tag.captures_iter(body) {
            let part = |index| found.get(index).map_or("", |part| part.as_str());
            let element = part(2);
            if part(1) == "/" {
                if open.pop() != Some(element) {
                    return Err(problem(format!("`{element}` is closed, but not open")));
                }
                continue;
            }
            let (_, attributes, _) = known
                .get(element)
                .ok_or_else(|| problem(format!("there is no element `{element}`")))?;
            let may_stand = open.last().is_none_or(|around| {
                known.get(around).is_some_and(|(_, _, inner)| inner.contains(&element))
            });
            let mut given = attribute.captures_iter(part(3));
            if !may_stand || !given.all(|name| attributes.contains(&&name[1])) {
                return Err(problem(format!("`{element}` is not as in the schema")));
            }
            if part(4).is_empty() {
                open.push(element);
            }
        }
        if !open.is_empty() {
            return Err(problem(format!("{open:?} are not closed")));
        }
    }
    Ok(())
}
