//! Linking, bundling and the places of scripts, on catalogs in memory.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use serde_json::{Value, json};
use tidegate_stdlib::schema::Schema;
use url::Url;

use super::*;
use crate::diag::{Diagnostic, Sink};
use crate::load::load;
use crate::memo::Memo;
use crate::source::{Role, Sources};
use crate::world::MemoryWorld;

struct Linked {
    sources: Sources,
    catalog: Catalog,
    sink: Sink,
}

fn linked(files: &[(&str, &str)]) -> Linked {
    let root = Url::parse("file:///project/").unwrap();
    let mut world = MemoryWorld::default();
    for (path, text) in files {
        world.insert(&root.join(path).unwrap(), text.as_bytes());
    }
    let mut sink = Sink::default();
    let entry = root.join("flow.yaml").unwrap();
    let (sources, _) = load(&world, &entry, &root, &mut Memo::default(), &mut sink);
    let catalog = link(&sources, &mut sink);
    Linked { sources, catalog, sink }
}

impl Linked {
    /// Each diagnostic as its rule and the text it marks.
    fn reported(self) -> Vec<String> {
        let Self { sources, sink, .. } = self;
        let line = |diagnostic: &Diagnostic| {
            format!("{} `{}`", diagnostic.rule.slug, sources.text(diagnostic.primary.span))
        };
        sink.finish(&sources).iter().map(line).collect()
    }
}

/// Bundles both schemas of the only collection.
fn bundled(files: &[(&str, &str)]) -> (Linked, BundledSchema, Option<BundledSchema>) {
    let mut linked = linked(files);
    let collection = &linked.catalog.collections[0];
    let (file, spec) = (collection.file(), collection.spec());
    let (sources, sink) = (&linked.sources, &mut linked.sink);
    let written = spec.schema.as_ref().or(spec.write_schema.as_ref()).unwrap();
    let write =
        bundle_schema(sources, file, written, SchemaUse::Write, &SchemaMemo::default(), sink);
    let read = spec.read_schema.as_ref().and_then(|read| {
        bundle_schema(
            sources,
            file,
            read,
            SchemaUse::Read(Some(written)),
            &SchemaMemo::default(),
            sink,
        )
    });
    let write = write.unwrap_or_else(|| BundledSchema::stand_in(collection.name_span()));
    (linked, write, read)
}

fn admits(schema: &BundledSchema, document: &Value) -> bool {
    Schema::compile(&schema.value).unwrap().is_valid(document)
}

/// The source text of the place of a keyword, and its file.
fn place(linked: &Linked, schema: &BundledSchema, pointer: &str) -> (String, String) {
    let span = schema.all_places()[pointer];
    (linked.sources.file(span.file).name.clone(), linked.sources.text(span).to_owned())
}

fn at(file: &str, text: &str) -> (String, String) {
    (file.to_owned(), text.to_owned())
}

#[test]
fn a_schema_in_place_stays_as_it_is() {
    let text = "collections: {a/b: {key: [/id], schema: {type: object, properties: {id: {type: integer}}}}}";
    let (linked, schema, _) = bundled(&[("flow.yaml", text)]);
    let expected = json!({"type": "object", "properties": {"id": {"type": "integer"}}});
    assert_eq!(*schema.value, expected);
    assert_eq!(place(&linked, &schema, "/properties/id/type"), at("flow.yaml", "type"));
    assert_eq!(place(&linked, &schema, "/properties/id"), at("flow.yaml", "id"));
    assert_eq!(place(&linked, &schema, ""), at("flow.yaml", "schema"));
    let value = schema.value_place("/properties/id/type").unwrap();
    assert_eq!(linked.sources.text(value), "integer");
    assert_eq!(schema.place("/properties/id/minimum"), Some(schema.all_places()["/properties/id"]));
}

#[test]
fn references_into_files_are_inlined_once_and_keep_their_places() {
    let (linked, schema, _) = bundled(&[
        ("flow.yaml", "collections: {a/b: {key: [/id], schema: s/order.yaml}}"),
        (
            "s/order.yaml",
            "type: object\nproperties:\n  id: {$ref: 'types.yaml#/$defs/a b'}\n  \
             at: {$ref: types.yaml#When}\n  by: {$ref: 'types.yaml#/$defs/a%20b'}\n",
        ),
        (
            "s/types.yaml",
            "$defs:\n  a b: {type: integer}\n  x: {$anchor: When, type: string}\n  \
             back: {$ref: order.yaml}\n",
        ),
    ]);
    let definitions = schema.value["$defs"].as_object().unwrap();
    assert_eq!(definitions.keys().collect::<Vec<_>>(), ["__flowInline1"]);
    assert!(admits(&schema, &json!({"id": 1, "at": "x", "by": 2})));
    assert!(!admits(&schema, &json!({"id": "1"})));
    assert!(!admits(&schema, &json!({"at": 1})));
    assert!(!admits(&schema, &json!({"by": "x"})));
    let pointer = "/$defs/__flowInline1/$defs/a b/type";
    assert_eq!(place(&linked, &schema, pointer), at("s/types.yaml", "type"));
    assert_eq!(place(&linked, &schema, "/properties/at/$ref"), at("s/order.yaml", "$ref"));
    assert_eq!(place(&linked, &schema, ""), at("flow.yaml", "s/order.yaml"));
    assert_eq!(linked.reported(), [] as [&str; 0]);
}

#[test]
fn a_fragment_of_a_file_becomes_the_root_by_reference() {
    let (linked, schema, _) = bundled(&[
        ("flow.yaml", "collections: {a/b: {key: [/id], schema: types.yaml#Order}}"),
        ("types.yaml", "$defs: {order: {$anchor: Order, type: object, required: [id]}}"),
    ]);
    assert_eq!(schema.value["$ref"], json!("#/$defs/__flowInline1/$defs/order"));
    assert!(!admits(&schema, &json!({})));
    let pointer = "/$defs/__flowInline1/$defs/order/required";
    assert_eq!(place(&linked, &schema, pointer), at("types.yaml", "required"));
}

#[test]
fn values_that_look_like_references_are_left_alone() {
    let text = "collections: {a/b: {key: [/id], schema: {type: object, \
                properties: {$ref: {const: {$ref: other.yaml}}}, default: {$ref: x}}}}";
    let (linked, schema, _) = bundled(&[("flow.yaml", text)]);
    assert_eq!(schema.value["properties"]["$ref"]["const"], json!({"$ref": "other.yaml"}));
    assert_eq!(schema.value["default"], json!({"$ref": "x"}));
    assert_eq!(linked.reported(), [] as [&str; 0]);
}

#[test]
fn identities_are_bases_of_references() {
    let (_, schema, _) = bundled(&[(
        "flow.yaml",
        "collections: {a/b: {key: [/id], schema: {type: object, \
             properties: {id: {$ref: 'https://example.com/types.json#/$defs/id'}, \
             own: {$id: 'https://example.com/types.json', $defs: {id: {type: integer}}, \
             properties: {x: {$ref: '#/$defs/id'}}}}}}}",
    )]);
    assert_eq!(schema.value["properties"]["id"]["$ref"], json!("#/properties/own/$defs/id"));
    let inner = &schema.value["properties"]["own"]["properties"]["x"]["$ref"];
    assert_eq!(inner, &json!("#/properties/own/$defs/id"));
    assert!(!admits(&schema, &json!({"own": {"x": "text"}})));
}

#[test]
fn public_schemas_need_no_file() {
    let (linked, schema, _) = bundled(&[(
        "flow.yaml",
        "collections: {a/b: {key: [/id], schema: {type: object, \
         properties: {at: {$ref: 'https://geojson.org/schema/Point.json'}}}}}",
    )]);
    assert!(admits(&schema, &json!({"at": {"type": "Point", "coordinates": [1, 2]}})));
    assert!(!admits(&schema, &json!({"at": {"type": "Point"}})));
    assert_eq!(linked.reported(), [] as [&str; 0]);
}

#[test]
fn a_read_schema_may_refer_to_the_write_schema() {
    let (linked, _, read) = bundled(&[
        (
            "flow.yaml",
            "collections:\n  a/b:\n    key: [/id]\n    writeSchema: w.yaml#/$defs/w\n    readSchema:\n      \
             allOf:\n        - $ref: flow://relaxed-write-schema\n        - $ref: flow://inferred-schema\n",
        ),
        ("w.yaml", "$defs: {w: {type: object, required: [id]}}"),
    ]);
    let read = read.unwrap();
    assert!(admits(&read, &json!({"id": 1})));
    assert!(!admits(&read, &json!({})));
    assert_eq!(linked.reported(), [] as [&str; 0]);
}

#[test]
fn references_that_lead_nowhere_are_reported_where_they_stand() {
    let (linked, _, _) = bundled(&[
        (
            "flow.yaml",
            "collections: {a/b: {key: [/id], schema: {type: object, properties: {\
             a: {$ref: '#/$defs/itm'}, b: {$ref: t.yaml#Tim}, c: {$ref: flow://write-schema}}, \
             $defs: {item: true}}}}",
        ),
        ("t.yaml", "$defs: {t: {$anchor: Time}}"),
    ]);
    let expected = [
        "unknown-fragment `#/$defs/itm`",
        "unknown-fragment `t.yaml#Tim`",
        "unknown-flow-reference `flow://write-schema`",
    ];
    assert_eq!(linked.reported(), expected);
}

#[test]
fn what_was_not_read_is_not_reported_again() {
    let (linked, _, _) = bundled(&[(
        "flow.yaml",
        "collections: {a/b: {key: [/id], schema: {type: object, \
         properties: {a: {$ref: absent.yaml#/x}}}}}",
    )]);
    assert_eq!(linked.reported(), ["missing-file `absent.yaml#/x`"]);
}

const SCHEMA: &str = "{key: [/id], schema: {type: object}}";

fn names(text: &str) -> Vec<String> {
    linked(&[("flow.yaml", &text.replace("SPEC", SCHEMA))]).reported()
}

#[test]
fn the_part_of_a_name_that_does_not_fit_is_marked() {
    let text =
        "collections: {a/bad name: SPEC, /x: SPEC, 'q/w$e': SPEC, a//c: SPEC, größe/ñ-_.1: SPEC}";
    let expected = ["bad-name ` name`", "bad-name `/`", "bad-name `$e`", "bad-name `//c`"];
    assert_eq!(names(text), expected);
    assert_eq!(
        names("collections: {a/../b: SPEC, ./c: SPEC}"),
        ["reserved-name `..`", "reserved-name `.`",]
    );
}

#[test]
fn names_that_are_one_are_reported_once() {
    let text = "collections: {a/straße: SPEC, a/STRASSE: SPEC}\ntests: {a/straße: []}";
    assert_eq!(names(text), ["colliding-names `a/STRASSE`", "duplicate-name `a/straße`"]);
    let files = [
        ("flow.yaml", "import: [b.yaml]\ncollections: {a/b: SPEC}".replace("SPEC", SCHEMA)),
        ("b.yaml", "collections: {a/b: SPEC}".replace("SPEC", SCHEMA)),
    ];
    let linked = linked(&files.each_ref().map(|(path, text)| (*path, text.as_str())));
    assert_eq!(linked.catalog.collections.len(), 1);
    assert_eq!(linked.sources.file(linked.catalog.collections[0].file()).name, "flow.yaml");
    assert_eq!(linked.reported(), ["duplicate-name `a/b`"]);
}

#[test]
fn only_whole_components_are_prefixes() {
    let text = "collections: {a/b: SPEC, a/bc: SPEC, a/b/c/d: SPEC}\ntests: {a/b/t: []}";
    assert_eq!(names(text), ["name-is-prefix `a/b/c/d`"]);
}

#[test]
fn references_lead_to_collections_or_are_reported() {
    let text = "collections:\n  a/orders: SPEC\n  z: SPEC\nmaterializations:\n  m:\n    endpoint: {connector: {image: x, config: {}}}\n    \
        bindings:\n    - {source: a/order, resource: {}}\n    - {source: m, resource: {}}\n    - {source: z, resource: {}}\n    \
        - {source: gone, resource: {}, disable: true}\n"
        .replace("SPEC", SCHEMA);
    let linked = linked(&[("flow.yaml", &text)]);
    let sources = &linked.catalog.materializations[0].sources;
    let targets: Vec<_> = sources.iter().map(|reference| reference.target).collect();
    assert_eq!(targets, [None, None, Some(CollectionId(1)), None]);
    assert_eq!(linked.reported(), ["unknown-collection `a/order`", "unknown-collection `m`"]);
}

#[test]
fn every_byte_of_a_script_has_its_place() {
    let lambdas = [
        "|\n            SELECT 1,\n              here;",
        ">-\n            SELECT 1,\n            here;",
        "\"SELECT '\\n',\n              here;\"",
        "SELECT 1, here;",
        "here.sql",
    ];
    for lambda in lambdas {
        let text = format!(
            "collections:\n  a/b:\n    key: [/id]\n    schema: {{type: object}}\n    derive:\n      \
             using: {{sqlite: {{}}}}\n      transforms:\n        - name: t\n          source: a/b\n          lambda: {lambda}\n"
        );
        let linked = linked(&[("flow.yaml", &text), ("here.sql", "SELECT 1,\n  here;\n")]);
        let collection = &linked.catalog.collections[0];
        let transform = &collection.spec().derive.as_ref().unwrap().transforms[0];
        let lambda = transform.lambda.as_ref().unwrap();
        let source =
            ScriptSource::new(&linked.sources, collection.file(), lambda, Role::Config).unwrap();
        let begin = source.script.text.find("here").unwrap();
        assert_eq!(linked.sources.text(source.span(begin..begin + 4)), "here", "{text}");
    }
}

#[test]
fn dynamic_references_mean_what_the_using_schema_says() {
    let (_, schema, _) = bundled(&[
        ("flow.yaml", "collections: {a/b: {schema: strict.yaml, key: [/id]}}"),
        (
            "strict.yaml",
            "{$dynamicAnchor: node, type: object, $ref: tree.yaml, unevaluatedProperties: false}",
        ),
        (
            "tree.yaml",
            "{$dynamicAnchor: node, properties: {id: {type: integer}, next: {$dynamicRef: '#node'}}}",
        ),
    ]);
    assert!(admits(&schema, &json!({"id": 1, "next": {"id": 2}})));
    assert!(!admits(&schema, &json!({"id": 1, "next": {"ID": 2}})));
    assert!(!schema.value.to_string().contains("file:"), "no place of this machine is written");
}

#[test]
fn dialects_of_json_schema_can_be_referred_to() {
    for dialect in ["draft-07/schema", "draft/2019-09/schema", "draft/2020-12/schema"] {
        let text = format!(
            "collections: {{a/b: {{schema: {{type: object, properties: {{s: {{$ref: \
             'https://json-schema.org/{dialect}'}}}}}}, key: [/id]}}}}"
        );
        let (linked, schema, _) = bundled(&[("flow.yaml", &text)]);
        assert_eq!(linked.reported(), [""; 0], "{dialect}");
        let normal = tidegate_stdlib::schema::NormalForm::new(&schema.value);
        assert_eq!(normal.faults(), [], "{dialect}");
        assert!(
            admits(&schema, &json!({"s": {"properties": {"a": {"type": "string"}}}})),
            "{dialect}"
        );
        assert!(
            !admits(&schema, &json!({"s": {"properties": {"a": {"type": "text"}}}})),
            "{dialect}"
        );
    }
}
