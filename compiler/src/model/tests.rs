//! What binding makes of catalogs, and what it says of those that do not fit.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use super::{
    BindProblemKind, EndpointSpec, InlineOrFile, ShuffleSpec, Specs, UsingSpec, bind, tables,
};
use crate::syntax::{ParseOptions, parse};

fn bound(text: &str) -> Specs {
    let tree = parse(text, ParseOptions { merge_keys: true });
    assert_eq!(tree.problems, []);
    bind(&tree)
}

/// The problems of a text as `place: kind`.
fn problems(text: &str) -> Vec<String> {
    let describe = |problem: super::BindProblem| {
        let place = &text[problem.range.as_usize()];
        match problem.kind {
            BindProblemKind::UnknownField { nearest, .. } => format!("{place}: meant {nearest:?}"),
            BindProblemKind::WrongType { expected, found, replacement, .. } => {
                format!("{place}: {expected}, not {found}; {replacement:?}")
            }
            BindProblemKind::MissingFields { fields, .. } => {
                format!("{place}: lacks {}", fields.join(", "))
            }
            BindProblemKind::RepeatedField { field, .. } => format!("{place}: {field} once more"),
            BindProblemKind::Choice { found, .. } => format!("{place}: {found} forms"),
            BindProblemKind::MissingColon { field } => format!("{place}: {field} without colon"),
            BindProblemKind::LegacyField(legacy) => format!("{place}: {}", legacy.advice),
            BindProblemKind::LegacyForm { advice, .. } => format!("{place}: {advice}"),
            BindProblemKind::StorageMappings => format!("{place}: ignored"),
            BindProblemKind::MisplacedDerive { collection, .. } => {
                format!("{place}: of {:?}", collection.map(|(name, _)| name))
            }
        }
    };
    bound(text).problems.into_iter().map(describe).collect()
}

const FULL: &str = r#"
import: [other.flow.yaml]
captures:
  acme/in:
    endpoint: {connector: {image: "tidegate/source-sim:v1", config: sim.yaml}}
    interval: 1h 30m
    bindings:
      - {resource: {stream: a}, target: acme/a, backfill: 2}
collections:
  acme/a:
    schema: a.schema.yaml#/$defs/A
    key: ["/id", /at]
    projections:
      id: /id
      region: {location: /region, partition: true}
    journals: {fragments: {compressionCodec: ZSTANDARD, length: 64, flushInterval: 500ms}}
    x-owner: ann
  acme/b:
    writeSchema: {type: object}
    readSchema: true
    key: [/id]
    derive:
      using: {sqlite: {migrations: [one.sql, "create table t (a);"]}}
      shuffleKeyTypes: [integer]
      transforms:
        - name: plain
          source: acme/a
          shuffle: any
          lambda: select $id;
          readDelay: 2days
          priority: -3
        - name: long
          source:
            name: acme/a
            partitions: {include: {region: [eu, 1, null]}}
            notBefore: 2024-01-31T00:00:00Z
          shuffle: {key: [/id]}
          lambda: long.sql
        - {name: computed, source: acme/a, shuffle: {lambda: select 1;}, lambda: null}
materializations:
  acme/out:
    endpoint: {local: {command: [a, b], env: {K: v}}}
    bindings:
      - resource: {table: b}
        source: acme/b
        fields: {recommended: 1, include: {id: {}}, exclude: [x], groupBy: [id]}
tests:
  acme/short:
    - ingest: {collection: acme/a, documents: [{id: 1}]}
    - verify: {collection: {name: acme/b}, documents: docs.yaml, description: d}
  acme/long: {description: about, steps: []}
"#;

#[test]
fn every_field_finds_its_place() {
    let specs = bound(FULL);
    assert_eq!(specs.problems, []);
    assert_eq!(specs.imports[0].value, "other.flow.yaml");
    let capture = &specs.captures[0];
    assert_eq!(capture.interval_ms.as_ref().unwrap().value, 5_400_000);
    assert_eq!(capture.bindings[0].backfill, 2);
    let Some(EndpointSpec::Connector { image, config }) =
        capture.endpoint.as_ref().map(|endpoint| &endpoint.value)
    else {
        panic!("the endpoint is a connector");
    };
    assert_eq!(&FULL[image.range.as_usize()], "tidegate/source-sim:v1");
    assert!(matches!(config, Some(InlineOrFile::File(_))));

    let [first, second] = &specs.collections[..] else { panic!("there are two collections") };
    assert!(matches!(&first.schema, Some(InlineOrFile::File(file)) if file.value.ends_with("/A")));
    let key = first.key.as_ref().unwrap();
    assert_eq!(&FULL[key.range.as_usize()], "[\"/id\", /at]");
    assert_eq!(&FULL[key.value[0].range.as_usize()], "/id");
    assert_eq!(first.projections[1].location.value, "/region");
    assert!(first.projections[1].partition);
    assert_eq!(first.fragments.as_ref().unwrap().flush_interval_ms.as_ref().unwrap().value, 500);
    assert!(matches!(second.read_schema, Some(InlineOrFile::Inline(_))));

    let derive = second.derive.as_ref().unwrap();
    let Some(UsingSpec::Sqlite { migrations, .. }) = &derive.using else { panic!("it is SQLite") };
    assert!(matches!(migrations[..], [InlineOrFile::File(_), InlineOrFile::Inline(_)]));
    let [plain, long, computed] = &derive.transforms[..] else { panic!("there are three") };
    assert!(matches!(plain.shuffle, Some(ShuffleSpec::Any(_))));
    assert_eq!((plain.priority, plain.read_delay_ms.as_ref().unwrap().value), (-3, 172_800_000));
    assert!(matches!(plain.lambda, Some(InlineOrFile::Inline(_))));
    assert!(matches!(&long.shuffle, Some(ShuffleSpec::Key(key)) if key.value.len() == 1));
    let include = &long.source.as_ref().unwrap().partitions.as_ref().unwrap().include;
    assert_eq!(include[0].1.len(), 3);
    assert!(matches!(computed.shuffle, Some(ShuffleSpec::Lambda(_))));
    assert_eq!(computed.lambda, None);

    let fields = specs.materializations[0].bindings[0].fields.as_ref().unwrap();
    assert_eq!(fields.recommended_depth, 1);
    assert_eq!(fields.require[0].value, "id");
    let [short, long] = &specs.tests[..] else { panic!("there are two tests") };
    assert!(!short.steps[0].is_verify && short.steps[1].is_verify);
    assert!(matches!(short.steps[1].documents, Some(InlineOrFile::File(_))));
    assert_eq!(long.description, "about");
}

#[test]
fn a_misspelt_field_is_reported_once_and_read() {
    let text = "collections: {a: {key: [/id], derive: {using: {sqlite: {}}, transform: []}}}";
    assert_eq!(problems(text), ["transform: meant Some(\"transforms\")"]);
    let text = "collections: {a: {schema: {}, kye: [/id], x-y: 1, owner: ann}}";
    assert_eq!(problems(text), ["kye: meant Some(\"key\")", "owner: meant None"]);
    assert!(bound(text).collections[0].key.is_some());
}

#[test]
fn a_similar_name_of_a_field_that_is_there_is_no_suggestion() {
    let text = "collections: {a: {schema: {}, shema: {}, key: [/id]}}";
    assert_eq!(problems(text), ["shema: meant None"]);
}

#[test]
fn wrong_values_say_what_is_expected() {
    let cases = [
        ("[]", "[]: a mapping, not a list; None"),
        (
            "collections: {a: {key: /id}}",
            "/id: a list of JSON pointers, not a text; Some(\"[/id]\")",
        ),
        (
            "collections: {a: {key: [/id], reset: yes}}",
            "yes: `true` or `false`, not `yes`; Some(\"true\")",
        ),
        (
            "captures: {a: {endpoint: {local: {command: []}}, bindings: [], interval: 5}}",
            "5: a duration such as `5m`, not `5`; None",
        ),
        ("collections: {a: }", "a: a mapping, not nothing; None"),
        ("tests: {a: [{}]}", "{}: 0 forms"),
        ("storageMappings: {}", "storageMappings: ignored"),
        ("captures: {a: {endpoint: {}, bindings: []}}", "endpoint: 0 forms"),
        ("collections: {a: {schema: {}}}", "a: lacks key"),
    ];
    for (text, expected) in cases {
        let found = problems(text);
        assert!(found.iter().any(|problem| problem == expected) && found.len() == 1, "{found:?}");
    }
}

#[test]
fn slips_of_colons_and_indentation_are_told_as_such() {
    let text = "collections:\n  a:\n    schema {type: object}\n    key: [/id]\n";
    assert_eq!(problems(text), ["schema {type: schema without colon"]);
    let text = "collections: {derive: {using: {sqlite: {}}, transforms: []}}";
    assert_eq!(problems(text), ["derive: of None"]);
}

#[test]
fn what_the_language_had_is_told_from_what_it_never_had() {
    let cases = [
        ("npmDependencies: {}", "npmDependencies: remove it; modules import packages by their URL"),
        (
            "collections: [{name: a, schema: x.yaml, key: [/id]}]",
            "collections: write a mapping from names: each item's `name` is its key",
        ),
        (
            "collections: {a: {schema: {}, key: [/id], derivation: {transform: {}}}}",
            "derivation: write `derive` with `using` and a list of `transforms`, each with its `name`",
        ),
        ("import: [{url: a.yaml, contentType: CATALOG}]", "url: write its `url` alone"),
        (
            "captures: {a: {endpoint: {airbyteSource: {}}, bindings: []}}",
            "airbyteSource: write `connector`",
        ),
        (
            "collections: {a: {key: [], derive: {using: {sqlite: {}}, transforms: {t: {source: b}}}}}",
            "transforms: write a list: each key is the `name` of its item",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(problems(text), [expected], "{text}");
    }
}

#[test]
fn sections_and_optional_fields_may_be_empty() {
    assert_eq!(problems("import:\ncaptures:\ncollections:\ntests:\n"), [""; 0]);
    assert_eq!(problems(""), [""; 0]);
}

#[test]
fn tables_have_different_nouns_and_fields() {
    for (index, table) in tables().iter().enumerate() {
        assert!(!tables()[index + 1..].iter().any(|other| other.noun == table.noun));
        for field in table.fields {
            let named = table.fields.iter().filter(|other| other.is_named(field.name));
            assert_eq!(named.count(), 1, "{} of {}", field.name, table.noun);
        }
    }
}
