//! What people and machines see of a diagnostic.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::sync::Arc;

use serde_json::Value;
use tidegate_stdlib::schema::Schema;
use url::Url;

use super::{Findings, Format, Report, Style, concise, human, json};
use crate::diag::{Diagnostic, Fix, rules};
use crate::source::{LineIndex, Range, Role, SourceFile, Sources, Span};

const PLAIN: Style = Style { color: false, unicode: false, width: 100 };

fn sources(files: &[(&str, &str)]) -> Sources {
    let mut sources = Sources::default();
    for (name, text) in files {
        sources.add(SourceFile {
            url: Url::parse(&format!("file:///project/{name}")).unwrap(),
            name: (*name).to_owned(),
            role: Role::Catalog,
            text: (*text).into(),
            lines: Arc::new(LineIndex::new(text)),
            tree: None,
            specs: None,
            is_present: true,
        });
    }
    sources
}

/// The bytes of the first occurrence of a word in a file.
fn place(sources: &Sources, file: usize, word: &str) -> Span {
    let (id, source) = sources.files().nth(file).unwrap();
    let start = u32::try_from(source.text.find(word).unwrap()).unwrap();
    Range::new(start, start + u32::try_from(word.len()).unwrap()).in_file(id)
}

const FLOW: &str =
    "collections:\n  acme/orders: {}\n\n\n\n\n\nmaterializations:\n  é: {source: acme/order}\n";

fn rich() -> (Sources, Diagnostic) {
    let sources = sources(&[("flow.yaml", FLOW), ("other.yaml", "a: 1\nb: acme/orders\n")]);
    let primary = place(&sources, 0, "acme/order}");
    let primary = Range::new(primary.range.start, primary.range.end - 1).in_file(primary.file);
    let diagnostic = Diagnostic::new(
        &rules::UNKNOWN_COLLECTION,
        primary,
        "collection `acme/order` is not defined",
    )
    .label("no file of this catalog defines it")
    .also(place(&sources, 0, "acme/orders"), "a collection of a similar name is defined here")
    .also(place(&sources, 1, "acme/orders"), "and named here")
    .note("names are global")
    .help("name another collection")
    .fix(Fix::replace(primary, "acme/orders", "write `acme/orders`"));
    (sources, diagnostic)
}

#[test]
fn people_see_excerpts_labels_and_the_fix() {
    let (sources, diagnostic) = rich();
    let text = human::render(&[diagnostic.clone(), diagnostic], &sources, PLAIN);
    let expected = r"error[unknown-collection]: collection `acme/order` is not defined
 --> flow.yaml:9:15
  |
2 |   acme/orders: {}
  |   ----------- a collection of a similar name is defined here
...
9 |   é: {source: acme/order}
  |               ^^^^^^^^^^ no file of this catalog defines it
  |
 ::: other.yaml:2:4
  |
2 | b: acme/orders
  |    ----------- and named here
  |
  = note: names are global
  = help: name another collection
  = note: `tidegate explain unknown-collection` says more
help: write `acme/orders` [fix: safe]
  |
9 |   é: {source: acme/orders}
  |                         +

";
    let (first, last) = text.split_at(text.len() - expected.len());
    assert_eq!(last, expected);
    assert!(!first.contains("says more"));
}

#[test]
fn colours_are_only_for_those_who_want_them() {
    let (sources, diagnostic) = rich();
    let diagnostics = [diagnostic];
    assert!(!human::render(&diagnostics, &sources, PLAIN).contains('\u{1b}'));
    let colored = Style { color: true, unicode: true, width: 100 };
    let text = human::render(&diagnostics, &sources, colored);
    assert!(text.contains('\u{1b}') && text.contains('│'));
}

#[test]
fn escape_sequences_of_files_do_not_reach_the_terminal() {
    let sources = sources(&[("a.yaml", "a: \"\u{1b}[31mred\"\n")]);
    let message = "`\u{1b}[31m` is red";
    let diagnostic = Diagnostic::new(&rules::UNKNOWN_FIELD, place(&sources, 0, "red"), message);
    assert!(!human::render(&[diagnostic], &sources, PLAIN).contains('\u{1b}'));
}

#[test]
fn very_long_lines_and_far_places_stay_short() {
    let long = format!("a: [{} here, {}]\n", "x,".repeat(10_000), "y,".repeat(10_000));
    let huge = format!("a: [{} here]\n", "x,".repeat(100_000));
    let far = format!("first: 1\n{}last: 2\n", "z: 3\n".repeat(5_000));
    let sources = sources(&[("long.yaml", &long), ("far.yaml", &far), ("huge.yaml", &huge)]);
    let rule = &rules::UNKNOWN_FIELD;
    let in_long = Diagnostic::new(rule, place(&sources, 0, "here"), "m").label("this one");
    let text = human::render(&[in_long], &sources, PLAIN);
    assert!(text.contains("--> long.yaml:1:20006") && text.contains("^^^^ this one"), "{text}");
    assert!(text.len() < 1_000, "{text}");
    let in_huge = Diagnostic::new(rule, place(&sources, 2, "here"), "m").label("this one");
    let text = human::render(&[in_huge], &sources, PLAIN);
    assert!(text.contains("--> huge.yaml:1:200006") && text.contains("this one"), "{text}");
    assert!(text.len() < 1_000, "{text}");
    let in_far = Diagnostic::new(rule, place(&sources, 1, "first"), "m")
        .also(place(&sources, 1, "last"), "and this");
    let text = human::render(&[in_far], &sources, PLAIN);
    assert!(text.contains("and this") && text.contains("5002"), "{text}");
    assert!(text.len() < 1_000, "{text}");
}

#[test]
fn places_of_several_lines_are_shown_by_the_first() {
    let sources = sources(&[("a.yaml", "a:\n  b: 1\n  c: 2\nd: 3\n")]);
    let whole = Range::new(0, 18).in_file(place(&sources, 0, "a").file);
    let diagnostic = Diagnostic::new(&rules::UNKNOWN_FIELD, whole, "m").label("all of it");
    let text = human::render(&[diagnostic], &sources, PLAIN);
    assert!(text.contains("1 | a:\n  | ^^ all of it\n"), "{text}");
}

#[test]
fn a_file_without_text_is_named() {
    let sources = sources(&[("gone.yaml", "")]);
    let (file, _) = sources.files().next().unwrap();
    let span = Range::new(0, 0).in_file(file);
    let diagnostic = Diagnostic::new(&rules::UNKNOWN_FIELD, span, "m").label("somewhere here");
    let text = human::render(&[diagnostic], &sources, PLAIN);
    assert!(text.contains("--> gone.yaml:1:1") && text.contains("somewhere here"), "{text}");
}

#[test]
fn one_line_says_place_severity_rule_and_message() {
    let (sources, mut diagnostic) = rich();
    diagnostic.message = "a\nb".to_owned();
    let text = concise::render(&[diagnostic], &sources);
    assert_eq!(text, "flow.yaml:9:15: error[unknown-collection] a b\n");
}

#[test]
fn machines_get_ranges_and_edits() {
    let (sources, diagnostic) = rich();
    let value = json::diagnostic(&diagnostic, &sources);
    assert_eq!(value["rule"], "unknown-collection");
    assert_eq!(value["file"], "flow.yaml");
    assert!(value["pointer"].is_null());
    let start = &value["range"]["start"];
    assert_eq!(start["line"], 9);
    assert_eq!(start["column"], 15);
    let offset = usize::try_from(start["offset"].as_u64().unwrap()).unwrap();
    assert!(FLOW[offset..].starts_with("acme/order}"));
    assert_eq!(value["labels"].as_array().unwrap().len(), 3);
    assert_eq!(value["fix"]["applicability"], "safe");
    assert_eq!(value["fix"]["edits"][0]["text"], "acme/orders");
    assert_eq!(value["help"], "name another collection");
}

fn written(format: Format, sources: &Sources, diagnostics: &[Diagnostic]) -> String {
    let catalogs = vec![Findings { diagnostics, sources }];
    format.render(&Report { catalogs, summary: Value::Null, style: PLAIN })
}

fn sarif(sources: &Sources, diagnostics: &[Diagnostic]) -> Value {
    serde_json::from_str(&written(Format::Sarif, sources, diagnostics)).unwrap()
}

#[test]
fn every_format_is_found_by_its_name_and_takes_an_empty_report() {
    for format in Format::ALL {
        assert_eq!(Format::by_name(format.name()), Some(*format));
        let text = written(*format, &Sources::default(), &[]);
        assert!(text.is_empty() || text.ends_with('\n'), "{}", format.name());
    }
    assert_eq!(Format::by_name("xml"), None);
}

#[test]
fn sarif_follows_its_schema() {
    let schema = serde_json::from_str(include_str!("sarif.schema.json")).unwrap();
    let schema = Schema::compile(&schema).expect("the schema is sound");
    let (sources, diagnostic) = rich();
    let mut warning = diagnostic.clone();
    warning.rule = &rules::UNUSED_COLLECTION;
    warning.severity = warning.rule.severity;
    warning.fix = None;
    for diagnostics in [vec![], vec![diagnostic, warning]] {
        let log = sarif(&sources, &diagnostics);
        assert!(schema.validate(&log).is_ok(), "{:?}\n{log:#}", schema.validate(&log));
    }
}

#[test]
fn sarif_names_the_rule_of_each_result_and_counts_code_points() {
    let (sources, diagnostic) = rich();
    let unused = Diagnostic::new(&rules::UNUSED_COLLECTION, place(&sources, 1, "a"), "m");
    let log = sarif(&sources, &[unused, diagnostic]);
    let run = &log["runs"][0];
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    }
    let region = &run["results"][1]["locations"][0]["physicalLocation"]["region"];
    assert_eq!((&region["startLine"], &region["startColumn"]), (&9.into(), &15.into()));
}

#[test]
fn sarif_refers_to_files_with_any_name() {
    let sources = sources(&[("a b:c%/größe.yaml", "a: 1\n")]);
    let diagnostic = Diagnostic::new(&rules::UNKNOWN_FIELD, place(&sources, 0, "a"), "m");
    let log = sarif(&sources, &[diagnostic]);
    let location = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(location["artifactLocation"]["uri"], "a%20b%3Ac%25/gr%C3%B6%C3%9Fe.yaml");
}

#[test]
fn fingerprints_survive_lines_above_and_are_never_equal() {
    let fingerprints = |text: &str| -> Vec<String> {
        let sources = sources(&[("flow.yaml", text)]);
        let first = Diagnostic::new(&rules::UNKNOWN_FIELD, place(&sources, 0, "b:"), "m");
        let second = Diagnostic::new(&rules::UNKNOWN_FIELD, place(&sources, 0, "c"), "m");
        let log = written(Format::Gitlab, &sources, &[first, second]);
        let issues: Value = serde_json::from_str(&log).unwrap();
        let issues = issues.as_array().unwrap().iter();
        issues.map(|issue| issue["fingerprint"].as_str().unwrap().to_owned()).collect()
    };
    let before = fingerprints("a:\n  b: c\n");
    assert_ne!(before[0], before[1]);
    assert_eq!(before, fingerprints("# a note\n\na:\n  b: c\n"));
}

#[test]
fn gitlab_and_sarif_agree_on_fingerprints() {
    let (sources, diagnostic) = rich();
    let diagnostics = [diagnostic];
    let log = sarif(&sources, &diagnostics);
    let text = written(Format::Gitlab, &sources, &diagnostics);
    let issues: Value = serde_json::from_str(&text).unwrap();
    let in_sarif = &log["runs"][0]["results"][0]["partialFingerprints"]["tidegate/v1"];
    assert_eq!(&issues[0]["fingerprint"], in_sarif);
}

#[test]
fn github_gets_columns_of_one_line_only_and_no_loose_characters() {
    let sources = sources(&[("a,b:c.yaml", "a:\n  b: 1\n  c: 2\n")]);
    let whole = Range::new(0, 9).in_file(place(&sources, 0, "a").file);
    let mut long = Diagnostic::new(&rules::UNKNOWN_FIELD, whole, "");
    long.message = "50%\nmore: or, less".to_owned();
    let short = Diagnostic::new(&rules::UNKNOWN_FIELD, place(&sources, 0, "b"), "m");
    assert_eq!(
        written(Format::Github, &sources, &[long, short]),
        "::error file=a%2Cb%3Ac.yaml,line=1,endLine=2,title=unknown-field::50%25%0Amore: or, less\n\
         ::error file=a%2Cb%3Ac.yaml,line=2,endLine=2,col=3,endColumn=4,title=unknown-field::m\n"
    );
}

#[test]
fn junit_has_a_case_per_file_and_escapes_what_xml_cannot_hold() {
    let sources = sources(&[("a.yaml", "a: 1\n"), ("b.yaml", "b: 1\n"), ("c.yaml", "c: 1\n")]);
    let mut error = Diagnostic::new(&rules::UNKNOWN_FIELD, place(&sources, 0, "a"), "");
    error.message = "`<\u{1b}&\">` is wrong".to_owned();
    let warning = Diagnostic::new(&rules::UNUSED_COLLECTION, place(&sources, 1, "b"), "m");
    let text = written(Format::Junit, &sources, &[error, warning]);
    assert!(text.contains("<testsuites name=\"tidegate\" tests=\"3\" failures=\"1\""), "{text}");
    assert!(text.contains("message=\"`&lt;\u{fffd}&amp;&quot;&gt;` is wrong\""), "{text}");
    assert!(text.contains("<system-out>b.yaml:1:1: warning[unused-collection] m</"), "{text}");
    assert!(text.contains("<testcase classname=\"check\" name=\"c.yaml\"/>"), "{text}");
}

#[test]
fn what_concerns_the_command_line_is_shown_without_a_file() {
    let mut sources = sources(&[("<arguments>", "flow.yaml")]);
    let (file, _) = sources.files().next().unwrap();
    sources.file_mut(file).role = Role::Arguments;
    let diagnostic = Diagnostic::new(&rules::UNKNOWN_FIELD, place(&sources, 0, "flow"), "m");
    for format in Format::ALL {
        let text = written(*format, &sources, std::slice::from_ref(&diagnostic));
        assert!(!text.contains("arguments"), "{}: {text}", format.name());
    }
    assert_eq!(
        written(Format::Github, &sources, &[diagnostic]),
        "::error title=unknown-field::m\n"
    );
}
