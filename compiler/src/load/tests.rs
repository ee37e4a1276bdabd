//! Which files are loaded, and what is said of those that cannot be.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use url::Url;

use super::load;
use crate::diag::render::json;
use crate::diag::{Diagnostic, Sink};
use crate::memo::Memo;
use crate::source::{Role, Sources};
use crate::world::{World, WorldFailure};

const ROOT: &str = "file:///project/";

/// Files in memory, with neighbours, that counts how often each is read.
struct Files {
    files: BTreeMap<String, Vec<u8>>,
    reads: RefCell<BTreeMap<String, usize>>,
}

impl World for Files {
    fn read(&self, url: &Url) -> Result<Arc<[u8]>, WorldFailure> {
        *self.reads.borrow_mut().entry(url.to_string()).or_default() += 1;
        if url.path().ends_with("/locked.yaml") {
            let message = "permission denied".to_owned();
            return Err(WorldFailure { is_missing: false, message, neighbours: Vec::new() });
        }
        let name = url.as_str().strip_prefix(ROOT).unwrap_or(url.as_str());
        self.files.get(name).map(|bytes| bytes.as_slice().into()).ok_or_else(|| WorldFailure {
            is_missing: true,
            message: "no such file".to_owned(),
            neighbours: self.files.keys().cloned().collect(),
        })
    }
}

fn world(files: &[(&str, &str)]) -> Files {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    Files { files: files.collect(), reads: RefCell::default() }
}

fn loaded(world: &Files) -> (Sources, Vec<Diagnostic>) {
    let root = Url::parse(ROOT).unwrap();
    let mut sink = Sink::default();
    let entry = root.join("flow.yaml").unwrap();
    let (sources, outside) = load(world, &entry, &root, &mut Memo::default(), &mut sink);
    outside.report(&[], &mut sink);
    let diagnostics = sink.finish(&sources);
    (sources, diagnostics)
}

/// `rule at place: text at the place`, for every diagnostic.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    let (sources, diagnostics) = loaded(&world(files));
    let describe = |diagnostic: &Diagnostic| {
        let span = diagnostic.primary.span;
        let name = &sources.file(span.file).name;
        format!("{} at {name}: {}", diagnostic.rule.slug, sources.text(span))
    };
    diagnostics.iter().map(describe).collect()
}

const COLLECTION: &str = "collections: {a: {schema: s.yaml, key: [/id]}}";

#[test]
fn everything_a_catalog_refers_to_is_loaded_once_per_role() {
    let world = world(&[
        (
            "flow.yaml",
            "import: [sub/b.flow.yaml, flow.yaml]
collections:
  a:
    schema: schemas/a.yaml#/$defs/A
    key: [/id]
    derive:
      using: {sqlite: {migrations: [m.sql]}}
      transforms: [{name: t, source: a, lambda: l.sql, shuffle: {lambda: k.sql}}]
captures:
  c:
    endpoint: {connector: {image: i, config: c.yaml}}
    bindings: [{resource: r.json, target: a}]
materializations:
  m:
    endpoint: {connector: {image: i}}
    bindings:
      - {resource: used.yaml, source: a}
      - {resource: disabled.yaml, source: a, disable: true}
tests:
  t: [{ingest: {collection: a, documents: docs.yaml}}]
",
        ),
        (
            "sub/b.flow.yaml",
            "import: [../flow.yaml]\ncollections: {b: {schema: {$ref: c.yaml}, key: [/id]}}",
        ),
        ("sub/c.yaml", "{$ref: ../schemas/a.yaml}"),
        (
            "schemas/a.yaml",
            "{$defs: {A: {properties: {$ref: {$ref: d%20e.yaml}}, enum: [{$ref: no}]}}}",
        ),
        ("schemas/d%20e.yaml", "type: object"),
        ("m.sql", "create table t (a);"),
        ("l.sql", "select: [not yaml"),
        ("k.sql", "select 1;"),
        ("c.yaml", "path: x"),
        ("r.json", "{}"),
        ("used.yaml", "{}"),
        ("docs.yaml", "[{id: 1}]"),
    ]);
    let (sources, diagnostics) = loaded(&world);
    assert_eq!(diagnostics, []);
    let names: Vec<_> = sources.files().map(|(_, file)| (file.name.as_str(), file.role)).collect();
    let expected = [
        ("flow.yaml", Role::Catalog),
        ("sub/b.flow.yaml", Role::Catalog),
        ("c.yaml", Role::Config),
        ("r.json", Role::Config),
        ("schemas/a.yaml", Role::Schema),
        ("m.sql", Role::Config),
        ("k.sql", Role::Config),
        ("l.sql", Role::Config),
        ("used.yaml", Role::Config),
        ("docs.yaml", Role::Fixture),
        ("sub/c.yaml", Role::Schema),
        ("schemas/d e.yaml", Role::Schema),
    ];
    assert_eq!(names, expected);
    assert!(world.reads.borrow().values().all(|reads| *reads == 1));
    let lambda = sources.files().find(|(_, file)| file.name == "l.sql").unwrap().1;
    assert!(lambda.tree.is_none());
}

#[test]
fn missing_files_are_reported_where_they_are_named() {
    let files = [("flow.yaml", COLLECTION), ("t.yaml", "")];
    assert_eq!(found(&files), ["missing-file at flow.yaml: s.yaml"]);
    let (_, diagnostics) = loaded(&world(&files));
    let fix = diagnostics[0].fix.as_ref().unwrap();
    assert_eq!(fix.edits[0].text, "t.yaml");
    assert_eq!(found(&[]), ["missing-file at <arguments>: flow.yaml"]);
    let twice = [("flow.yaml", "import: [b.yaml, b.yaml]")];
    assert_eq!(found(&twice), ["missing-file at flow.yaml: b.yaml"]);
}

#[test]
fn machines_get_the_pointer_of_the_node() {
    let text = "collections: {a/b: {schema: s.yaml, key: [/id]}}";
    let (sources, diagnostics) = loaded(&world(&[("flow.yaml", text)]));
    let object = json::diagnostic(&diagnostics[0], &sources);
    assert_eq!(object["pointer"], "/collections/a~1b/schema");
}

#[test]
fn files_that_cannot_be_read_say_why() {
    let files = [("flow.yaml", "import: [locked.yaml]")];
    let (_, diagnostics) = loaded(&world(&files));
    assert_eq!(diagnostics.len(), 1);
    assert_eq!(diagnostics[0].rule.slug, "unreadable-file");
    assert!(diagnostics[0].message.contains("permission denied"));
}

#[test]
fn the_network_is_never_asked() {
    let schema = "collections: {a: {schema: {$ref: 'https://example.com/a.json#/b'}, key: [/id]}}";
    let world = world(&[("flow.yaml", schema)]);
    let (_, diagnostics) = loaded(&world);
    assert_eq!(diagnostics.len(), 1);
    assert_eq!(diagnostics[0].rule.slug, "remote-resource");
    assert!(!world.reads.borrow().keys().any(|url| url.contains("example.com")));
}

#[test]
fn public_schemas_and_identities_need_no_files() {
    let schema = "collections:
  a:
    schema:
      $defs: {b: {$id: 'https://example.com/b.json'}}
      properties:
        own: {$ref: '#/$defs/b'}
        named: {$ref: 'https://example.com/b.json'}
        point: {$ref: 'https://geojson.org/schema/Point.json'}
        special: {$ref: 'flow://write-schema'}
    key: [/id]
";
    assert_eq!(found(&[("flow.yaml", schema)]), [""; 0]);
}

#[test]
fn what_came_over_the_network_names_no_local_files() {
    let content = "{$ref: 'file:///etc/other.yaml'}";
    let mut lock = super::Lock::default();
    let digest = super::Digest::of(content.as_bytes());
    let cached = format!(".tidegate/cache/{}", digest.file_name());
    lock.digests.insert("https://example.com/a.yaml".to_owned(), digest);
    let text = "collections: {a: {schema: https://example.com/a.yaml, key: [/id]}}";
    let files = [("flow.yaml", text), ("tidegate.lock", &lock.render()), (&cached, content)];
    let place = "remote-names-local at https://example.com/a.yaml: file:///etc/other.yaml";
    assert_eq!(found(&files), [place]);
}

#[test]
fn files_outside_of_the_project_are_warned_of_once() {
    let text = "import: [../common/a.flow.yaml, ../common/a.flow.yaml]\ncollections: {a: {schema: ../common/s.yaml, key: [/id]}}";
    let mut world = world(&[("flow.yaml", text)]);
    let outside = [
        ("file:///common/a.flow.yaml", "import: [b.flow.yaml]"),
        ("file:///common/b.flow.yaml", "{}"),
        ("file:///common/s.yaml", "{$ref: t.yaml}"),
        ("file:///common/t.yaml", "type: object"),
    ];
    world.files.extend(outside.map(|(url, text)| (url.to_owned(), text.as_bytes().to_vec())));
    let root = Url::parse(ROOT).unwrap();
    for (roots, wanted) in [(vec![], 2), (vec![root.join("../common/").unwrap()], 0)] {
        let mut sink = Sink::default();
        let entry = root.join("flow.yaml").unwrap();
        let (sources, outside) = load(&world, &entry, &root, &mut Memo::default(), &mut sink);
        outside.report(&roots, &mut sink);
        let found = sink.finish(&sources);
        assert!(found.iter().all(|diagnostic| diagnostic.rule.slug == "outside-project"));
        assert_eq!(found.len(), wanted);
    }
}

#[test]
fn a_reference_that_is_blank_is_not_the_file_itself() {
    let text = "import: ['', ' ', '#x']
collections: {a: {schema: '', key: [/id]}, b: {schema: {$ref: ''}, key: [/id]}}
captures: {c: {endpoint: {connector: {image: i}}, bindings: [{resource: '#x', target: a}]}}
tests: {t: [{ingest: {collection: a, documents: ''}}]}";
    let place = |text: &str| format!("malformed-reference at flow.yaml: {text}");
    let wanted = ["", " ", "#x", "", "#x", ""].map(place);
    assert_eq!(found(&[("flow.yaml", text)]), wanted);
}

#[test]
fn a_schema_that_is_a_text_is_no_reference() {
    let text = "collections: {a: {schema: 'type: object', key: [/id]}, b: {schema: \"{type: object,\\n}\", key: [/id]}}";
    let found = found(&[("flow.yaml", text)]);
    assert_eq!(found.len(), 2);
    assert!(
        found.iter().all(|it| it.starts_with("malformed-reference at flow.yaml: ")),
        "{found:?}"
    );
}

#[test]
fn a_blank_in_an_import_is_written_as_in_urls() {
    let files = [("flow.yaml", "import: [' b c.yaml']"), ("b%20c.yaml", "{}")];
    assert_eq!(found(&files), ["malformed-reference at flow.yaml:  b c.yaml"]);
    let (_, diagnostics) = loaded(&world(&files));
    assert_eq!(diagnostics[0].fix.as_ref().unwrap().edits[0].text, "b%20c.yaml");
}

#[test]
fn fragments_are_for_schemas_only() {
    let files = [("flow.yaml", "import: ['b.yaml#/x']"), ("b.yaml", "{}")];
    assert_eq!(found(&files), ["unexpected-fragment at flow.yaml: #/x"]);
}

#[test]
fn a_mistake_of_syntax_hides_what_it_may_have_cost() {
    let text = "collections:\n  a:\n    schema: s.yaml\n    key [/id]\n  b: {schema: s.yaml, kye: [/id]}\n";
    let files = [("flow.yaml", text), ("s.yaml", "type: object")];
    assert_eq!(
        found(&files),
        ["syntax-error at flow.yaml: key", "unknown-field at flow.yaml: kye"]
    );
}

#[test]
fn a_file_in_two_roles_is_reported_once() {
    let files = [
        (
            "flow.yaml",
            "captures: {a: {endpoint: {connector: {image: i, config: s.yaml}}, bindings: []}}\ncollections: {a: {schema: s.yaml, key: [/id]}}",
        ),
        ("s.yaml", "a: 1\na: 2\n"),
    ];
    assert_eq!(found(&files), ["duplicate-key at s.yaml: a"]);
}

#[test]
fn fixtures_are_lists() {
    let files = [
        ("flow.yaml", "tests: {t: [{ingest: {collection: a, documents: d.yaml}}]}"),
        ("d.yaml", "id: 1\n"),
    ];
    assert_eq!(found(&files), ["wrong-type at d.yaml: id: 1"]);
}

#[test]
fn a_catalog_of_too_many_files_ends_there() {
    let imports: Vec<String> = (0..10_005).map(|number| format!("{number}.yaml")).collect();
    let mut world = world(&[("flow.yaml", &format!("import: [{}]", imports.join(", ")))]);
    world.files.extend(imports.iter().map(|name| (name.clone(), b"{}".to_vec())));
    let (sources, diagnostics) = loaded(&world);
    assert_eq!(sources.count(), 10_000);
    assert_eq!(diagnostics.len(), 1);
    assert_eq!(diagnostics[0].rule.slug, "too-many-files");
}
