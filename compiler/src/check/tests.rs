//! The checks on catalogs in memory: what is reported where, and what is known of what is right.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use serde_json::{Value, json};
use url::Url;

use crate::diag::{Diagnostic, Severity};
use crate::world::MemoryWorld;
use crate::{Compilation, Request, compile};

fn compiled(files: &[(&str, &str)]) -> Compilation {
    let root = Url::parse("file:///project/").unwrap();
    let mut world = MemoryWorld::default();
    for (path, text) in files {
        world.insert(&root.join(path).unwrap(), text.as_bytes());
    }
    let request = Request { entry: root.join("flow.yaml").unwrap(), root };
    compile(&world, &request)
}

/// Each diagnostic as its rule, the text it marks and the other texts it points at.
fn reported(compilation: &Compilation) -> Vec<String> {
    let sources = &compilation.sources;
    let line = |diagnostic: &Diagnostic| {
        let others =
            diagnostic.others.iter().map(|label| format!(" + {}", sources.text(label.span)));
        let marked = sources.text(diagnostic.primary.span);
        format!("{}: {marked}{}", diagnostic.rule.slug, others.collect::<String>())
    };
    compilation.diagnostics.iter().map(line).collect()
}

/// Facts that differ on purpose: an unfit `default` is a mistake, and `prefixItems` is known.
const OTHERWISE: [&str; 2] = ["proj_default_bad", "proj_prefixItems"];

/// The parts of an expected projection that are compared: field, location, types and flags.
fn expected(text: &str) -> String {
    let known = ["MUST", "EXPLICIT", "PARTITION", "KEY"];
    let (field, rest) = text.split_once(" -> ").unwrap();
    let (pointer, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let words = rest.split(' ').take_while(|word| !word.contains('=')).filter(|word| {
        known.contains(word) || word.chars().all(|letter| letter.is_lowercase() || letter == ',')
    });
    let pointer = pointer.replace("(root)", "");
    format!("{field} {pointer} {}", words.collect::<Vec<_>>().join(" "))
}

fn found(compilation: &Compilation) -> Vec<String> {
    let checked = &compilation.checked.collections[0];
    let synthetic = ["flow_published_at", "_meta/flow_truncated"];
    let fields = checked.projections.iter();
    fields
        .filter(|field| !synthetic.contains(&field.field.as_str()))
        .map(|field| {
            let is_key = checked.key_pointers.contains(&format!("/{}", field.field));
            let flags = [
                (field.required, " MUST"),
                (field.explicit, " EXPLICIT"),
                (field.partition, " PARTITION"),
                (is_key, " KEY"),
            ];
            let flags = flags.iter().filter(|(holds, _)| *holds).map(|(_, word)| *word);
            let (name, pointer, types) = (&field.field, &field.pointer, field.types.join(","));
            format!("{name} {pointer} {types}{}", flags.collect::<String>())
        })
        .collect()
}

#[test]
fn projections_are_those_of_the_facts() {
    let facts = include_str!("../../../testdata/semantics/facts.tsv");
    let mut count = 0;
    for line in facts.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let [name, "projections", input, output] = columns.as_slice() else { continue };
        count += 1;
        let collection: Value = serde_json::from_str(input).unwrap();
        let text = json!({"collections": {"a/b": collection}}).to_string();
        let compilation = compiled(&[("flow.yaml", &text)]);
        let errors = compilation.diagnostics.iter();
        let is_refused = errors.clone().any(|found| found.severity == Severity::Error);
        let is_error = (*output == "ERROR") != OTHERWISE.contains(name);
        assert_eq!(is_refused, is_error, "{name}: {:?}", reported(&compilation));
        let once = errors.clone().count();
        assert!(!is_refused || once == 1, "{name}: {:?}", reported(&compilation));
        if !is_refused && *output != "ERROR" {
            let mut wanted: Vec<String> = output.split("; ").map(expected).collect();
            wanted.sort();
            let mut found = found(&compilation);
            found.sort();
            assert_eq!(found, wanted, "{name}");
        }
    }
    assert!(count > 40, "the facts are read");
}

fn materialized(fields: &str, delta: bool) -> Vec<String> {
    let text = format!(
        "collections:
  a/b:
    schema:
      type: object
      properties:
        id: {{type: integer}}
        name: {{type: string}}
        deep: {{type: object, properties: {{x: {{type: integer}}, bare: {{type: object}}}}}}
        none: false
        _meta: {{type: object, properties: {{op: {{type: string}}, file: {{type: string}}}}}}
      required: [id]
    key: [/id]
    projections: {{alias: /name, part: {{location: /name, partition: true}}}}
materializations:
  m:
    endpoint: {{connector: {{image: tidegate/materialize-sqlite, config: {{path: x}}}}}}
    bindings:
      - {{source: a/b, resource: {{table: t, delta_updates: {delta}}}{fields}}}
"
    );
    let compilation = compiled(&[("flow.yaml", &text)]);
    assert_eq!(reported(&compilation), [] as [&str; 0], "{fields}");
    let fields = compilation.checked.materializations[0].bindings[0].fields.clone();
    let names = |fields: Vec<std::sync::Arc<tidegate_stdlib::bundle::Projection>>,
                 mark: &'static str| {
        fields.into_iter().map(move |field| format!("{mark}{}", field.field))
    };
    names(fields.keys, "key ")
        .chain(names(fields.values, ""))
        .chain(names(fields.document.into_iter().collect(), "document "))
        .collect()
}

#[test]
fn recommended_fields_are_each_location_once() {
    assert_eq!(
        materialized("", false),
        [
            "key id",
            "_meta/op",
            "alias",
            "deep/x",
            "flow_published_at",
            "part",
            "document flow_document"
        ],
    );
    assert_eq!(
        materialized("", true),
        ["key id", "_meta/op", "alias", "deep/x", "flow_published_at", "part"],
    );
}

#[test]
fn fields_can_be_chosen() {
    assert_eq!(
        materialized(", fields: {recommended: false, require: {deep: {}}}", false),
        ["key id", "deep", "part", "document flow_document"],
    );
    assert_eq!(
        materialized(", fields: {recommended: 1, exclude: [alias, part]}", false),
        ["key id", "_meta/op", "deep", "flow_published_at", "name", "document flow_document"],
    );
    assert_eq!(
        materialized(", fields: {recommended: false, groupBy: [name], exclude: [part]}", false),
        ["key name", "document flow_document"],
    );
}

#[test]
fn a_mistake_in_sql_is_marked_in_its_own_file() {
    let flow = "collections:
  a/b: {schema: {type: object, properties: {id: {type: integer}}, required: [id]}, key: [/id]}
  a/c:
    schema: {type: object, properties: {id: {type: integer}}, required: [id]}
    key: [/id]
    derive:
      using: {sqlite: {migrations: [made.sql]}}
      transforms:
        - {name: t, source: a/b, shuffle: any, lambda: t.sql}
";
    let files = |migration, lambda| {
        reported(&compiled(&[("flow.yaml", flow), ("made.sql", migration), ("t.sql", lambda)]))
    };
    let table = "CREATE TABLE seen (id INTEGER);\n";
    assert_eq!(files(table, "SELECT id FROM seen\nWHERE id = $id;\n"), [] as [&str; 0]);
    assert_eq!(files(table, "SELECT id FROM sen\nWHERE id = $ident;\n"), ["sql-unknown-name: sen"],);
    assert_eq!(
        files(table, "SELECT id FROM seen\nWHERE id = $ide;\n"),
        ["unknown-parameter: $ide + a/b"],
    );
    // What depends on a migration that failed is not judged.
    assert_eq!(
        files("CREATE TABLE seen (id INTEGR,,);", "SELECT id FROM seen;"),
        ["sql-syntax: ,"]
    );
}

#[test]
fn a_schema_that_cannot_be_used_is_the_only_thing_reported() {
    let text = "collections:
  a/b:
    schema: {type: object, properties: {id: {type: intger}}, required: [id]}
    key: [/x]
    projections: {p: /y}
  a/c:
    schema: {type: object, properties: {id: {type: integer}}, required: [id]}
    key: [/id]
    derive:
      using: {sqlite: {}}
      transforms:
        - {name: t, source: {name: a/b, partitions: {include: {q: [1]}}}, shuffle: {key: [/z]}, lambda: SELECT $nope;}
tests:
  t:
    - ingest: {collection: a/b, documents: [{id: no}]}
    - verify: {collection: a/b, documents: [{id: 2}, {id: 1}]}
";
    assert_eq!(reported(&compiled(&[("flow.yaml", text)])), ["schema-malformed: intger"]);
}

#[test]
fn a_document_is_refused_by_a_line_of_a_file() {
    let compilation = compiled(&[
        (
            "flow.yaml",
            "collections: {a/b: {key: [/id], schema: order.yaml}}\ntests:\n  t:\n  - ingest: \
             {collection: a/b, documents: docs.json}\n",
        ),
        (
            "order.yaml",
            "type: object\nproperties: {id: {type: integer}, at: {$ref: types.yaml#/$defs/when}}\nrequired: [id]\n",
        ),
        ("types.yaml", "$defs: {when: {type: string, format: date}}"),
        ("docs.json", "[{\"id\": 1, \"at\": \"2026-01-01\"},\n {\"id\": 2, \"at\": \"soon\"}]"),
    ]);
    assert_eq!(reported(&compilation), ["ingest-document-violates: soon + format"]);
    let other = compilation.diagnostics[0].others[0].span;
    assert_eq!(compilation.sources.file(other.file).name, "types.yaml");
}

#[test]
fn keys_of_shuffles_agree_in_number_and_type() {
    let text = |shuffles: [&str; 2], more: &str| {
        let [first, second] = shuffles;
        format!(
            "collections:
  a/b:
    schema: {{type: object, properties: {{id: {{type: [integer, 'null']}}, n: {{type: integer}}, s: {{type: string}}}}, required: [id]}}
    key: [/id]
  a/c:
    schema: {{type: object, properties: {{id: {{type: integer}}}}, required: [id]}}
    key: [/id]
    derive:
      using: {{sqlite: {{}}}}
      {more}
      transforms:
        - {{name: one, source: a/b, {first} lambda: SELECT 1 AS id;}}
        - {{name: two, source: a/b, {second} lambda: SELECT 1 AS id;}}
"
        )
    };
    let check = |shuffles, more| reported(&compiled(&[("flow.yaml", &text(shuffles, more))]));
    let key = "shuffle: {key: [/n]},";
    let text_key = "shuffle: {key: [/s]},";
    assert_eq!(check([key, ""], ""), [] as [&str; 0]);
    assert_eq!(check([text_key, "shuffle: any,"], ""), [] as [&str; 0]);
    assert_eq!(check([key, text_key], ""), ["shuffle-keys-differ: [/s] + [/n]"]);
    assert_eq!(check(["", text_key], ""), ["shuffle-keys-differ: [/s] + one"]);
    assert_eq!(
        check([key, "shuffle: {key: [/n, /s]},"], ""),
        ["shuffle-keys-differ: [/n, /s] + [/n]"]
    );
    assert_eq!(
        check([text_key, key], "shuffleKeyTypes: [string]"),
        ["shuffle-keys-differ: [/n] + [string]"],
    );
}
