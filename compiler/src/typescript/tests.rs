//! What the types of a catalog are, as text.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use url::Url;

use super::*;
use crate::world::MemoryWorld;
use crate::{Request, analyze};

/// The text of the types of `acme/derived` in a catalog.
fn types_of(catalog: &str) -> (String, Vec<String>) {
    let mut world = MemoryWorld::default();
    let entry = Url::parse("file:///p/flow.yaml").unwrap();
    world.insert(&entry, catalog.as_bytes());
    let root = Url::parse("file:///p/").unwrap();
    let compilation = analyze(&world, &Request { entry, root });
    let checked = &compilation.checked;
    let (id, _) =
        checked.catalog.collections().find(|(_, it)| it.name() == "acme/derived").unwrap();
    let mut types = checked.types(id);
    // Other collections stand for sources.
    let sources = checked.catalog.collections().filter(|(other, _)| *other != id);
    let reads = sources.map(|(source, declared)| Read {
        transform: format!("from-{}", declared.name().rsplit('/').next().unwrap()),
        source: declared.name().to_owned(),
        schema: std::sync::Arc::clone(checked.collection(source).effective_read_schema()),
    });
    types.reads = Some(reads.collect());
    (types.text(), types.names())
}

const CATALOG: &str = r##"
collections:
  acme/derived:
    key: [/id]
    schema:
      type: object
      title: A total
      required: [id]
      properties:
        id: {type: integer, description: "Number */ of it"}
        owner: {$ref: "#Person", title: One of them}
        owners: {type: array, items: {$ref: "#Person"}}
        other: {$ref: "#lower"}
      $defs:
        person:
          $anchor: Person
          type: object
          properties:
            name: {type: [string, "null"]}
            friends: {type: array, items: {$ref: "#Person"}}
        lower: {$anchor: lower, type: string}
        same: {$anchor: Alias, $ref: "#Person"}
  acme/orders:
    key: [/id]
    writeSchema: {type: object, properties: {id: {type: integer}}, required: [id]}
    readSchema:
      type: object
      properties: {id: {type: integer}, line: {$ref: "#Line"}}
      required: [id]
      $defs: {line: {$anchor: Line, enum: [a, b]}}
"##;

#[test]
fn parts_with_names_become_types() {
    let (text, names) = types_of(CATALOG);
    let expected = r#"// Written by Tidegate from the schemas of the catalog: changes are lost when it is written again.

/** A document of `acme/derived`. */
export type Document = {
    /** Number *\/ of it */
    id: number;
    other?: string;
    /** One of them */
    owner?: DocumentPerson;
    owners?: DocumentPerson[];
};

/** Its part `Alias`. */
export type DocumentAlias = DocumentPerson;

/** Its part `Person`. */
export type DocumentPerson = {
    friends?: DocumentPerson[];
    name?: string | null;
};

/** A document of `acme/orders`, as it is read. */
export type SourceFromOrders = {
    id: number;
    line?: SourceFromOrdersLine;
};

/** Its part `Line`. */
export type SourceFromOrdersLine = "a" | "b";

/** What derives the collection: the module exports a class `Derivation` that extends this one. */
export abstract class IDerivation {
"#;
    let head = text.get(..expected.len()).unwrap_or(&text);
    assert_eq!(head, expected);
    assert_eq!(
        names,
        [
            "Document",
            "DocumentAlias",
            "DocumentPerson",
            "SourceFromOrders",
            "SourceFromOrdersLine",
            "IDerivation",
        ]
    );
    assert!(text.ends_with(
        "
    /** Gives what is published for a document of `acme/orders`. */
    abstract fromOrders(read: { doc: SourceFromOrders }): Document[];
}
"
    ));
}

#[test]
fn a_module_to_begin_with_has_every_method() {
    let types = Types { reads: Some(Vec::new()), ..sample() };
    assert_eq!(
        module_stub(&types),
        "import { Document, IDerivation } from 'flow/acme/derived.ts';\n\n\
         /** Derives `acme/derived`. */\nexport class Derivation extends IDerivation {\n}\n"
    );
    let read = |transform: &str| Read {
        transform: transform.to_owned(),
        source: String::new(),
        schema: sample().write,
    };
    let types = Types { reads: Some(vec![read("from-a"), read("2nd")]), ..sample() };
    let expected = r#"import { Document, IDerivation, Source2nd, SourceFromA } from 'flow/acme/derived.ts';

/** Derives `acme/derived`. */
export class Derivation extends IDerivation {
    fromA(_read: { doc: SourceFromA }): Document[] {
        throw new Error("`fromA` is not written yet");
    }

    "2nd"(_read: { doc: Source2nd }): Document[] {
        throw new Error("`2nd` is not written yet");
    }
}
"#;
    assert_eq!(module_stub(&types), expected);
}

fn sample() -> Types {
    let span = crate::source::Range::new(0, 0).in_file(crate::source::FileId(0));
    let write = std::sync::Arc::new(crate::catalog::BundledSchema::stand_in(span));
    Types { collection: "acme/derived".to_owned(), write, read: None, reads: None }
}
