//! The pairs of `suite.md`: what is inferred of each lambda, and whether it is proved. A page that is out of date fails and is shown as it should be.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use tidegate_stdlib::lambda::sqlite::{Lambda, Parameters, migrate, open_in_memory, split};
use tidegate_stdlib::shape::{Shape, Types};
use tidegate_stdlib::value::{Pointer, Token};
use url::Url;

use super::tables::Tables;
use super::{Parsed, Rows};
use crate::check::{CheckedCollection, Proof};
use crate::diag::Severity;
use crate::world::MemoryWorld;
use crate::{Compilation, Request, compile};

const SUITE: &str = include_str!("suite.md");
/// The least number of pairs.
const PAIRS_MIN: usize = 150;

/// The errors that refuted lambdas are told by.
const EXPECTED: [&str; 2] = ["boolean-from-sql", "lambda-output-mismatch"];

/// What the sections from here on are about.
#[derive(Debug, Default)]
struct Setting {
    source: String,
    migration: String,
}

/// A row of a table: what is written in it, and whether it is a lambda or an expression.
#[derive(Debug)]
struct Pair {
    lambda: String,
    schema: String,
}

impl Pair {
    /// A row that begins with two cells of code.
    fn of(line: &str) -> Option<Self> {
        let mut cells = line.strip_prefix("| `")?.split("` | `");
        let lambda = cells.next()?.replace("\\|", "|");
        let (schema, _) = cells.next()?.split_once("` |")?;
        Some(Self { lambda, schema: schema.replace("\\|", "|") })
    }

    /// The whole lambda: an expression is the column `v` beside the key.
    fn text(&self) -> String {
        let is_whole = ["SELECT", "WITH", "INSERT", "UPDATE", "DELETE"]
            .iter()
            .any(|word| self.lambda.starts_with(word));
        if is_whole { self.lambda.clone() } else { format!("SELECT $id, {} AS v", self.lambda) }
    }
}

/// The catalog of the rows of a table, one derived collection for each.
fn catalog(setting: &Setting, pairs: &[Pair]) -> Compilation {
    let mut text =
        format!("collections:\n  a/source: {{key: [/id], schema: {}}}\n", setting.source);
    for (index, pair) in pairs.iter().enumerate() {
        let schema = &pair.schema;
        let lambda = serde_json::to_string(&format!("{};", pair.text())).unwrap();
        let migrations = serde_json::to_string(&setting.migration).unwrap();
        let migrations = if setting.migration.is_empty() {
            String::new()
        } else {
            format!("migrations: [{migrations}]")
        };
        writeln!(
            text,
            "  a/derived-{index}:\n    schema: {{type: object, properties: {{id: {{type: integer}}, v: {schema}}}, required: [id, v]}}\n    \
             key: [/id]\n    derive:\n      using: {{sqlite: {{{migrations}}}}}\n      transforms: [{{name: t, source: a/source, shuffle: any, lambda: {lambda}}}]"
        )
        .unwrap();
    }
    let root = Url::parse("file:///project/").unwrap();
    let mut world = MemoryWorld::default();
    world.insert(&root.join("flow.yaml").unwrap(), text.as_bytes());
    compile(&world, &Request { entry: root.join("flow.yaml").unwrap(), root })
}

/// What is inferred of `v`, or of the document, in the last statement that has rows.
fn inferred(setting: &Setting, source: &CheckedCollection, pair: &Pair) -> String {
    let (connection, guard) = open_in_memory().unwrap();
    migrate(&connection, &guard, &setting.migration).unwrap();
    let shape = Arc::clone(&source.effective_read_schema().shape);
    let parameters = Parameters::new(source.projections.iter().map(|it| &**it), shape.clone());
    let lambda = Lambda::compile(&connection, &guard, &pair.text(), &parameters).unwrap();
    let parsed: Vec<Parsed> =
        lambda.statements().map(|statement| Parsed::of_lambda(statement, &shape)).collect();
    let migrations = [setting.migration.as_str()];
    let tables = Tables::of(&connection, &migrations, &parsed);
    match Rows::of(lambda.statements().last().unwrap(), parsed.last().unwrap(), &tables) {
        Ok(rows) => {
            let shape = rows.shape(&BTreeSet::new(), None);
            let column = Pointer::default().child(Token::Property("v".to_owned()));
            words(&shape.locate(&column).0)
        }
        Err(what) => format!("not understood: {}", what.0),
    }
}

/// A shape in a few words.
fn words(shape: &Shape) -> String {
    if let Some(values) = &shape.enumeration {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        return values.join(" or ");
    }
    if shape.types == Types::ANY {
        return "anything".to_owned();
    }
    let names = shape.types.names().into_iter().map(|name| match name {
        "integer" | "number" | "fractional" => {
            let bound = |bound: &Option<serde_json::Number>| {
                bound.as_ref().map(ToString::to_string).unwrap_or_default()
            };
            let (least, most) = (bound(&shape.numeric.minimum), bound(&shape.numeric.maximum));
            if least.is_empty() && most.is_empty() {
                name.to_owned()
            } else {
                format!("{name} {least}..{most}")
            }
        }
        "string" => {
            let format = shape.string.format.iter().map(|format| format!(" {format}"));
            let most = shape.string.max_length.iter().map(|most| format!(" up to {most}"));
            format!("string{}{}", format.collect::<String>(), most.collect::<String>())
        }
        "array" => {
            let items = shape.array.tuple.iter().chain(shape.array.additional.as_deref());
            let items: Vec<String> = items.filter(|it| !it.types.is_none()).map(words).collect();
            format!("array [{}]", items.join(", "))
        }
        "object" => {
            let properties = shape.object.properties.iter().filter(|it| !it.shape.types.is_none());
            let properties: Vec<String> = properties
                .map(|it| {
                    let mark = if it.required { "" } else { "?" };
                    format!("{}{mark}: {}", it.name, words(&it.shape))
                })
                .collect();
            let is_open = shape.object.additional.as_ref().is_none_or(|it| !it.types.is_none());
            let more = if is_open { ", …" } else { "" };
            format!("object {{{}{more}}}", properties.join(", "))
        }
        other => other.to_owned(),
    });
    if shape.types.is_none() {
        "nothing".to_owned()
    } else {
        names.collect::<Vec<_>>().join(" or ")
    }
}

/// The rows of a table as they should be.
fn table(setting: &Setting, pairs: &[Pair]) -> Vec<String> {
    let compilation = catalog(setting, pairs);
    let faults: Vec<String> = compilation
        .diagnostics
        .iter()
        .filter(|it| it.severity == Severity::Error && !EXPECTED.contains(&it.rule.slug))
        .map(|it| format!("{}: {}", it.message, compilation.sources.text(it.primary.span)))
        .collect();
    assert_eq!(faults, Vec::<String>::new());
    let checked = &compilation.checked;
    let collection = |name: &str| {
        let names = checked.catalog.collections.iter().map(|it| it.name());
        let found = names.zip(&checked.collections).find(|(known, _)| *known == name);
        found.unwrap().1
    };
    let source = collection("a/source");
    let rows = pairs.iter().enumerate().map(|(index, pair)| {
        let derived = collection(&format!("a/derived-{index}"));
        let verdict = match derived.derivation.as_ref().unwrap().transforms[0].proof {
            Some(Proof::Proved) => "proved",
            Some(Proof::Refuted) => "refuted",
            Some(Proof::NotProved) => "not proved",
            None => "no lambda",
        };
        let cell = |text: &str| text.replace('|', "\\|");
        let inferred = inferred(setting, source, pair);
        let (lambda, schema) = (cell(&pair.lambda), cell(&pair.schema));
        format!("| `{lambda}` | `{schema}` | {verdict} | {} |", cell(&inferred))
    });
    rows.collect()
}

/// The suite as it should be, and how many pairs it has.
fn written_anew() -> (String, usize) {
    let (mut text, mut count) = (String::new(), 0);
    let mut setting = Setting::default();
    let mut pairs: Vec<Pair> = Vec::new();
    let mut fence: Option<(String, String)> = None;
    for line in SUITE.lines().chain([""]) {
        if let Some(pair) = Pair::of(line) {
            pairs.push(pair);
            continue;
        }
        let rows = if pairs.is_empty() { Vec::new() } else { table(&setting, &pairs) };
        for row in rows {
            count += 1;
            writeln!(text, "{row}").unwrap();
        }
        pairs.clear();
        writeln!(text, "{line}").unwrap();
        match (&mut fence, line.strip_prefix("```")) {
            (None, Some(info)) => fence = Some((info.to_owned(), String::new())),
            (Some((_, content)), None) => writeln!(content, "{line}").unwrap(),
            (Some((info, content)), Some(_)) => {
                match info.as_str() {
                    "yaml" => {
                        let content = content.split_whitespace().collect::<Vec<_>>().join(" ");
                        setting = Setting { source: content, ..Setting::default() };
                    }
                    _ => setting.migration = content.clone(),
                }
                fence = None;
            }
            (None, None) => {}
        }
    }
    (format!("{}\n", text.trim_end()), count)
}

#[test]
#[expect(clippy::disallowed_methods, reason = "`UPDATE=1` accepts what the suite should be")]
fn the_suite_says_what_is_inferred_and_proved() {
    let (text, count) = written_anew();
    assert!(count >= PAIRS_MIN, "there are only {count} pairs");
    if text == SUITE {
        return;
    }
    assert!(
        std::env::var("UPDATE").as_deref() == Ok("1"),
        "`suite.md` should be as follows; UPDATE=1 accepts it\n{text}"
    );
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/check/proof/suite.md"), text).unwrap();
}

#[test]
fn every_statement_of_a_migration_of_the_suite_is_understood() {
    let migrations = SUITE.split("```sql\n").skip(1).filter_map(|text| text.split("```").next());
    for migration in migrations {
        for range in split(migration).unwrap() {
            let text = migration.get(range).unwrap();
            assert!(super::parse(text).is_some(), "{text}");
        }
    }
}
