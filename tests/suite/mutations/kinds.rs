//! What is changed, and which rule must find it.

use regex::Regex;
use tidegate_compiler::source::Role;

use super::sites::{Mutation, Original, Site, Token};

/// A kind of mistake.
pub(super) struct Kind {
    /// The mistake, as a test is called.
    pub(super) name: &'static str,
    /// The rule that finds it.
    pub(super) rule: &'static str,
    change: Change,
}

/// How the mistake is made.
enum Change {
    /// Two letters of a key change places.
    Misspell(&'static [&'static str]),
    /// A key becomes one of other tools, so that its field is missing.
    Drop(&'static [&'static str]),
    /// A value becomes this one, in which the mistake is the second text.
    Value(&'static [&'static str], &'static str, &'static str),
    /// Something is written behind a text.
    Append(&'static [&'static str], &'static str),
    /// Something is written behind a key; a part of what then is the key is wrong.
    AppendToKey(&'static [&'static str], &'static str),
    /// A mapping gets another entry, in which the mistake is the second text.
    Insert(&'static [&'static str], &'static str, &'static str),
    /// The first match in SQL becomes something else.
    Sql(&'static str, &'static str),
    /// Something is written behind SQL.
    SqlAtEnd(&'static str, &'static str),
    /// A value becomes one that depends on the catalog.
    Other(&'static [&'static str], fn(&Original, &Site<'_>) -> Option<String>),
    /// The same in a schema, in place or in a file.
    SchemaKey(&'static [&'static str]),
    SchemaValue(&'static [&'static str], &'static str),
}

const FIELDS: &[&str] = &[
    "captures",
    "collections",
    "materializations",
    "tests",
    "captures/*/bindings",
    "captures/*/bindings/*/resource",
    "captures/*/bindings/*/target",
    "captures/*/endpoint",
    "captures/*/endpoint/connector",
    "captures/*/endpoint/connector/config",
    "captures/*/endpoint/connector/image",
    "collections/*/derive",
    "collections/*/derive/transforms",
    "collections/*/derive/transforms/*/lambda",
    "collections/*/derive/transforms/*/name",
    "collections/*/derive/transforms/*/shuffle",
    "collections/*/derive/transforms/*/shuffle/key",
    "collections/*/derive/transforms/*/source",
    "collections/*/derive/transforms/*/source/partitions",
    "collections/*/derive/transforms/*/source/partitions/include",
    "collections/*/derive/using",
    "collections/*/derive/using/sqlite",
    "collections/*/derive/using/sqlite/migrations",
    "collections/*/key",
    "collections/*/projections",
    "collections/*/projections/*/location",
    "collections/*/projections/*/partition",
    "collections/*/schema",
    "materializations/*/bindings",
    "materializations/*/bindings/*/source",
    "materializations/*/endpoint",
    "tests/*/*/ingest",
    "tests/*/*/verify",
    "tests/*/description",
    "tests/*/steps",
    "tests/*/steps/*/ingest",
    "tests/*/steps/*/ingest/collection",
    "tests/*/steps/*/verify/documents",
];

const REQUIRED: &[&str] = &[
    "captures/*/bindings",
    "captures/*/bindings/*/resource",
    "captures/*/bindings/*/target",
    "captures/*/endpoint",
    "captures/*/endpoint/connector",
    "captures/*/endpoint/connector/image",
    "collections/*/derive/transforms",
    "collections/*/derive/transforms/*/name",
    "collections/*/derive/transforms/*/source",
    "collections/*/derive/using",
    "collections/*/derive/using/sqlite",
    "collections/*/key",
    "collections/*/projections/*/location",
    "materializations/*/bindings/*/resource",
    "materializations/*/bindings/*/source",
    "tests/*/steps/*/ingest/collection",
    "tests/*/steps/*/verify/documents",
];

const TYPED: &[&str] = &[
    "captures",
    "captures/*/bindings",
    "captures/*/bindings/*/target",
    "captures/*/endpoint",
    "captures/*/endpoint/connector/image",
    "collections/*/derive",
    "collections/*/derive/transforms",
    "collections/*/derive/transforms/*/name",
    "collections/*/derive/transforms/*/shuffle",
    "collections/*/derive/transforms/*/source",
    "collections/*/derive/using/sqlite",
    "collections/*/key",
    "collections/*/key/*",
    "collections/*/projections",
    "collections/*/projections/*",
    "collections/*/projections/*/partition",
    "collections/*/schema",
    "materializations/*/bindings/*/source",
    "tests/*/steps/*/verify/documents",
];

const REFERENCES: &[&str] = &[
    "captures/*/bindings/*/target",
    "collections/*/derive/transforms/*/source",
    "collections/*/derive/transforms/*/source/name",
    "materializations/*/bindings/*/source",
    "tests/*/*/ingest/collection",
    "tests/*/*/verify/collection/name",
    "tests/*/steps/*/ingest/collection",
    "tests/*/steps/*/verify/collection",
];

const KEY: &[&str] = &["collections/*/key"];
const KEY_POINTERS: &[&str] = &["collections/*/key/*"];
const SHUFFLE_POINTERS: &[&str] = &["collections/*/derive/transforms/*/shuffle/key/*"];
const PROJECTIONS: &[&str] = &["collections/*/projections/*"];
const PARTITIONS: &[&str] = &["collections/*/projections/*/location"];
const NAMES: &[&str] = &["captures/*", "materializations/*", "tests/*"];
const COLLECTION: &[&str] = &["collections/*"];
const DERIVE: &[&str] = &["collections/*/derive"];
const TRANSFORM: &[&str] = &["collections/*/derive/transforms/*"];
const SELECTED: &[&str] = &["collections/*/derive/transforms/*/source/partitions/include"];
const CAPTURE: &[&str] = &["captures/*"];
const MATERIALIZATION: &[&str] = &["materializations/*"];
const TABLES: &[&str] = &["materializations/*/bindings/*"];
const CONFIGS: &[&str] =
    &["captures/*/endpoint/connector/config", "materializations/*/endpoint/connector/config"];
const RESOURCES: &[&str] =
    &["captures/*/bindings/*/resource", "materializations/*/bindings/*/resource"];
const IMAGES: &[&str] = &["captures/*/endpoint/connector/image"];

const fn kind(name: &'static str, rule: &'static str, change: Change) -> Kind {
    Kind { name, rule, change }
}

use Change::{
    Append, AppendToKey, Drop, Insert, Misspell, Other, SchemaKey, SchemaValue, Sql, SqlAtEnd,
    Value,
};

/// All kinds, by what they change.
#[rustfmt::skip]
pub(super) static KINDS: &[Kind] = &[
    // Fields and their values.
    kind("misspelt field", "unknown-field", Misspell(FIELDS)),
    kind("missing field", "missing-field", Drop(REQUIRED)),
    kind("number where something else belongs", "wrong-type", Value(TYPED, "7", "7")),
    kind("field that there never was", "unknown-field", Insert(COLLECTION, "frobnicate: 1", "frobnicate")),
    kind("flag that is no flag", "wrong-type", Insert(COLLECTION, "reset: maybe", "maybe")),
    kind("negative counter", "wrong-type", Insert(TABLES, "backfill: -1", "-1")),
    kind("priority in words", "wrong-type", Insert(TRANSFORM, "priority: high", "high")),
    kind("duration without a unit", "wrong-type", Insert(TRANSFORM, "readDelay: 5", "5")),
    kind("duration in words", "wrong-type", Insert(CAPTURE, "interval: often", "often")),
    kind("word that is none of those known", "wrong-type", Insert(MATERIALIZATION, "onIncompatibleSchemaChange: explode", "explode")),
    kind("way of naming that there is not", "wrong-type", Insert(MATERIALIZATION, "targetNaming: sideways", "sideways")),
    kind("type that no key has", "wrong-type", Insert(DERIVE, "shuffleKeyTypes: [decimal]", "decimal")),
    kind("salt that is not base64", "wrong-type", Insert(DERIVE, "redactSalt: '%%'", "'%%'")),
    kind("wrong type in an inner object", "wrong-type", Insert(CAPTURE, "autoDiscover: {addNewBindings: 1}", "1")),
    kind("object without what it needs", "missing-field", Insert(COLLECTION, "journals: {}", "journals")),
    kind("fragments that are too short", "fragment-length", Insert(COLLECTION, "journals: {fragments: {length: 1}}", "1")),
    kind("codec that is not built in", "unsupported-codec", Insert(COLLECTION, "journals: {fragments: {compressionCodec: SNAPPY}}", "SNAPPY")),
    kind("schema beside another schema", "schema-combination", Insert(COLLECTION, "readSchema: true", "readSchema")),
    // The grammar of earlier years.
    kind("section of earlier years", "obsolete-field", Insert(&[""], "npmDependencies: {}", "npmDependencies")),
    kind("storage mappings", "storage-mappings", Insert(&[""], "storageMappings: {}", "storageMappings")),
    kind("derivation of earlier years", "legacy-grammar", Insert(COLLECTION, "derivation: {}", "derivation")),
    kind("register of earlier years", "legacy-grammar", Insert(DERIVE, "register: {}", "register")),
    kind("lambda of earlier years", "legacy-grammar", Insert(TRANSFORM, "publish: {lambda: typescript}", "publish")),
    kind("selector of earlier years", "legacy-grammar", Insert(&["tests/*/*/verify", "tests/*/steps/*/verify"], "partitions: {}", "partitions")),
    // Names and references.
    kind("unknown collection", "unknown-collection", Append(REFERENCES, "-gone")),
    kind("unknown capture", "unknown-capture", Insert(MATERIALIZATION, "source: no/capture", "no/capture")),
    kind("name with a blank", "bad-name", AppendToKey(NAMES, " b")),
    kind("name with a reserved component", "reserved-name", AppendToKey(NAMES, "/..")),
    kind("name of something else", "duplicate-name", Other(NAMES, name_of_collection)),
    kind("name that differs in case", "colliding-names", Other(NAMES, name_in_capitals)),
    kind("transform with a slash", "bad-name", Append(&["collections/*/derive/transforms/*/name"], "/b")),
    // Keys, projections, partitions, shuffles.
    kind("key that nothing declares", "key-unknown-location", Value(KEY_POINTERS, "/no_such_place", "/no_such_place")),
    kind("key without a slash", "pointer-without-slash", Value(KEY_POINTERS, "no_such_place", "no_such_place")),
    kind("key with an empty name", "malformed-pointer", Value(KEY_POINTERS, "/a//b", "")),
    kind("key of a fraction", "key-wrong-type", Other(KEY_POINTERS, location_of_fraction)),
    kind("empty key", "key-empty", Value(KEY, "[]", "[]")),
    kind("projection of nothing", "key-unknown-location", Value(PROJECTIONS, "/no_such_place", "/no_such_place")),
    kind("partition of nothing", "key-unknown-location", Value(PARTITIONS, "/no_such_place", "/no_such_place")),
    kind("shuffle by nothing", "key-unknown-location", Value(SHUFFLE_POINTERS, "/no_such_place", "/no_such_place")),
    kind("shuffle by a fraction", "key-wrong-type", Other(SHUFFLE_POINTERS, source_location_of_fraction)),
    kind("empty shuffle", "shuffle-key-empty", Value(&["collections/*/derive/transforms/*/shuffle/key"], "[]", "[]")),
    kind("selector of no field", "selector-unknown-field", Insert(SELECTED, "no_such_field: [a]", "no_such_field")),
    kind("selector of no partition", "selector-not-partitioned", Insert(SELECTED, "id: [a]", "id")),
    kind("selected value of another type", "selector-wrong-type", Value(&["collections/*/derive/transforms/*/source/partitions/include/*/*"], "7", "7")),
    kind("bounds in the wrong order", "not-before-after-order", Insert(&["collections/*/derive/transforms/*/source"], "notBefore: 2024-02-01T00:00:00Z, notAfter: 2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z")),
    // Endpoints and fields of tables.
    kind("connector that is not built in", "unknown-connector", Value(IMAGES, "acme/source-nothing:v1", "acme/source-nothing:v1")),
    kind("connector of the other kind", "wrong-connector", Value(IMAGES, "tidegate/materialize-sqlite:v1", "tidegate/materialize-sqlite:v1")),
    kind("setting that a connector does not have", "unknown-property", Insert(CONFIGS, "no_such_setting: 1", "no_such_setting")),
    kind("resource that a connector does not have", "unknown-property", Insert(RESOURCES, "no_such_setting: 1", "no_such_setting")),
    kind("setting of another type", "config-violates-schema", Value(&["captures/*/endpoint/connector/config/*"], "[]", "[]")),
    kind("one table twice", "duplicate-resource", Other(&["materializations/*/bindings/1/resource/table"], first_table)),
    kind("required field that there is not", "unknown-materialized-field", Insert(TABLES, "fields: {recommended: true, require: {no_such_field: {}}}", "no_such_field")),
    kind("excluded field that there is not", "unknown-materialized-field", Insert(TABLES, "fields: {recommended: true, exclude: [no_such_field]}", "no_such_field")),
    kind("grouping by a field that there is not", "unknown-materialized-field", Insert(TABLES, "fields: {recommended: true, groupBy: [no_such_field]}", "no_such_field")),
    kind("grouping by a document", "group-by-wrong-type", Insert(TABLES, "fields: {recommended: true, groupBy: [flow_document]}", "flow_document")),
    kind("key that is left out", "field-conflict", Other(TABLES, without_key)),
    kind("fields without what is recommended", "missing-field", Insert(TABLES, "fields: {}", "fields")),
    // Schemas.
    kind("keyword that there is not", "schema-unknown-keyword", SchemaKey(&["type", "properties", "required", "properties/*/type"])),
    kind("type that there is not", "schema-malformed", SchemaValue(&["type", "properties/*/type"], "integr")),
    kind("format that there is not", "schema-unknown-format", SchemaValue(&["properties/*/format"], "date-tiem")),
    kind("bound that is no number", "schema-malformed", SchemaValue(&["properties/*/minimum"], "low")),
    kind("reduction that there is not", "schema-malformed", SchemaValue(&["reduce/strategy", "properties/*/reduce/strategy"], "frob")),
    kind("schema of no object", "collection-schema-not-object", SchemaValue(&["type"], "array")),
    // SQL.
    kind("unknown parameter", "unknown-parameter", Sql(r"\$[A-Za-z_]+", "$no_such_field")),
    kind("misspelt statement", "sql-syntax", Sql(r"\b(?:SELECT|INSERT|CREATE)\b", "SELEC")),
    kind("unknown table", "sql-unknown-name", Sql(r"\b(?:FROM|INTO) (pair|account|spent)\b", "no_such_table")),
    kind("end of the transaction", "lambda-ends-transaction", SqlAtEnd("COMMIT;", "COMMIT")),
    // Tests.
    kind("ingested value of another type", "ingest-document-violates", Value(&["tests/*/steps/*/ingest/documents/*/id"], "{}", "{}")),
    kind("document that is none", "document-not-object", Value(&["tests/*/steps/*/ingest/documents/*"], "7", "7")),
    kind("file of documents that is missing", "missing-file", Value(&["tests/*/*/verify/documents"], "no-such-file.json", "no-such-file.json")),
    kind("lambda in a file that is missing", "missing-file", Value(&["collections/*/derive/transforms/*/lambda"], "no-such-file.sql", "no-such-file.sql")),
    kind("schema in a file that is missing", "missing-file", Value(&["collections/*/schema"], "no-such-file.yaml", "no-such-file.yaml")),
    kind("import of a missing file", "missing-file", Value(&["import/*"], "no-such-file.yaml", "no-such-file.yaml")),
];

impl Kind {
    /// All mutations of this kind in a catalog.
    pub(super) fn mutations(&self, original: &Original) -> Vec<Mutation> {
        match &self.change {
            Sql(pattern, text) => change_sql(original, pattern, text),
            SqlAtEnd(text, token) => append_sql(original, text, token),
            SchemaKey(patterns) => {
                let schemas = schemas(original, patterns);
                schemas.iter().filter_map(|site| misspell(site)).collect()
            }
            SchemaValue(patterns, text) => schemas(original, patterns)
                .iter()
                .filter(|site| !site.is_block())
                .map(|site| site.replace(text, Token::Exactly((*text).to_owned())))
                .collect(),
            change @ (Misspell(_) | Drop(_) | Value(..) | Append(..) | AppendToKey(..)
            | Insert(..) | Other(..)) => original
                .sites(Role::Catalog)
                .iter()
                .filter_map(|site| change.at(original, site))
                .collect(),
        }
    }
}

impl Change {
    /// The mutation of one place of a catalog file.
    fn at(&self, original: &Original, site: &Site<'_>) -> Option<Mutation> {
        let is_one_of = |patterns: &[&str]| patterns.iter().any(|pattern| site.is_at(pattern));
        match self {
            Misspell(patterns) if is_one_of(patterns) => misspell(site),
            Drop(patterns) if is_one_of(patterns) => {
                let key = site.key.clone()?;
                let parent = site.name_of_parent()?;
                let text = format!("x-{}", site.text.get(key.clone())?);
                let is_first = parent == site.path.last()?.as_str();
                let token = if is_first { text.clone() } else { parent };
                Some(site.change(key, text, Token::Exactly(token)))
            }
            Value(patterns, text, token) if is_one_of(patterns) => {
                let token = match *token {
                    "" => Token::Inside((*text).to_owned()),
                    token => Token::Exactly(token.to_owned()),
                };
                (!site.is_block()).then(|| site.replace(text, token))
            }
            Append(patterns, text) if is_one_of(patterns) && site.is_text() => {
                let text = format!("{}{text}", site.source());
                let token = match text.contains("/b") {
                    true => Token::Inside(text.clone()),
                    false => Token::Exactly(text.clone()),
                };
                Some(site.replace(&text, token))
            }
            AppendToKey(patterns, text) if is_one_of(patterns) => {
                let key = site.key.clone()?;
                let text = format!("{}{text}", site.text.get(key.clone())?);
                Some(site.change(key, text.clone(), Token::Inside(text)))
            }
            Insert(patterns, text, token) if is_one_of(patterns) => {
                let name = text.split(':').next().unwrap_or_default();
                let is_there = site.tree.entry(site.node, name).is_some();
                let is_flow_text = text.contains(", not") && !site.source().starts_with('{');
                let text = if is_flow_text {
                    text.replace(", ", "\n            ")
                } else {
                    (*text).to_owned()
                };
                if is_there {
                    None
                } else {
                    site.insert(&text, Token::Exactly((*token).to_owned()))
                }
            }
            Other(patterns, text) if is_one_of(patterns) => {
                let text = text(original, site)?;
                match &site.key {
                    Some(key) if patterns == &NAMES => {
                        Some(site.change(key.clone(), text.clone(), Token::Exactly(text)))
                    }
                    _ if text.contains(": ") => {
                        let token = text.split(['[', ']']).nth(1)?.to_owned();
                        site.insert(&text, Token::Exactly(token))
                    }
                    _ => Some(site.replace(&text, Token::Exactly(text.clone()))),
                }
            }
            Misspell(_) | Drop(_) | Value(..) | Append(..) | AppendToKey(..) | Insert(..)
            | Sql(..) | SqlAtEnd(..) | Other(..) | SchemaKey(_) | SchemaValue(..) => None,
        }
    }
}

/// The last two letters of a key change places.
fn misspell(site: &Site<'_>) -> Option<Mutation> {
    let key = site.key.clone()?;
    let mut letters: Vec<char> = site.text.get(key.clone())?.chars().collect();
    let (last, before) = (letters.pop()?, letters.pop()?);
    if last == before {
        return None;
    }
    letters.extend([last, before]);
    let text: String = letters.into_iter().collect();
    Some(site.change(key, text.clone(), Token::Exactly(text)))
}

/// Places of schemas: files, and values in place.
fn schemas<'o>(original: &'o Original, patterns: &[&str]) -> Vec<Site<'o>> {
    let in_files = original.sites(Role::Schema).into_iter();
    let in_files = in_files.filter(|site| patterns.iter().any(|pattern| site.is_at(pattern)));
    let in_place = original.sites(Role::Catalog).into_iter().filter(|site| {
        patterns.iter().any(|pattern| site.is_at(&format!("collections/*/schema/{pattern}")))
    });
    in_files.chain(in_place).collect()
}

fn change_sql(original: &Original, pattern: &str, text: &str) -> Vec<Mutation> {
    let pattern = Regex::new(pattern).expect("the pattern is valid");
    let change = |(file, place, script): (&str, std::ops::Range<usize>, &str)| {
        let found = pattern.captures(script)?;
        let found = found.get(1).or_else(|| found.get(0))?;
        Some(Mutation {
            file: file.to_owned(),
            range: place.start + found.start()..place.start + found.end(),
            text: text.to_owned(),
            token: Token::Exactly(text.to_owned()),
            what: format!("{text} for {}", found.as_str()),
        })
    };
    original.scripts().into_iter().filter_map(change).collect()
}

fn append_sql(original: &Original, text: &str, token: &str) -> Vec<Mutation> {
    let change = |(file, place, script): (&str, std::ops::Range<usize>, &str)| {
        let end = script.rfind(';')? + 1;
        Some(Mutation {
            file: file.to_owned(),
            range: place.start + end..place.start + end,
            text: format!(" {text}"),
            token: Token::Exactly(token.to_owned()),
            what: format!("{text} at the end"),
        })
    };
    original.scripts().into_iter().filter_map(change).collect()
}

/// A collection that is declared before the site, so that the site is at fault.
fn name_of_collection(original: &Original, site: &Site<'_>) -> Option<String> {
    let sources = &original.compilation.sources;
    let (file, _) = sources.files().find(|(_, file)| file.name == site.file)?;
    let place = (file, site.key.clone()?.start);
    let collections = &original.compilation.checked.catalog.collections;
    let before = collections.iter().find(|collection| {
        let span = collection.name_span();
        (span.file, span.range.as_usize().start) < place
    });
    before.map(|collection| collection.name().to_owned())
}

fn name_in_capitals(original: &Original, site: &Site<'_>) -> Option<String> {
    name_of_collection(original, site).map(|name| name.to_uppercase())
}

/// A location of the site's collection that holds a fraction.
fn location_of_fraction(original: &Original, site: &Site<'_>) -> Option<String> {
    fraction_of(original, site.declaration())
}

/// A location of what the site's transform reads that holds a fraction.
fn source_location_of_fraction(original: &Original, site: &Site<'_>) -> Option<String> {
    let index: usize = site.path.get(4)?.parse().ok()?;
    let catalog = &original.compilation.checked.catalog;
    let collection = catalog.collections.iter().find(|each| each.name() == site.declaration())?;
    let target = collection.sources.get(index)?.target?;
    fraction_of(original, catalog.collection(target).name())
}

fn fraction_of(original: &Original, collection: &str) -> Option<String> {
    let checked = &original.compilation.checked;
    let (id, _) = checked.catalog.collections().find(|(_, each)| each.name() == collection)?;
    let projections = &checked.collection(id).projections;
    let found = projections.iter().find(|projection| projection.types == ["number"])?;
    Some(found.pointer.clone())
}

/// The table of the materialization's first binding.
fn first_table(_: &Original, site: &Site<'_>) -> Option<String> {
    let pointer: String =
        site.path.iter().map(|token| format!("/{}", token.replace('/', "~1"))).collect();
    let first = site.tree.at(site.tree.root(), &pointer.replace("/bindings/1/", "/bindings/0/"))?;
    site.tree.string(first).map(|string| string.value.clone())
}

/// Fields that leave out a part of the key.
fn without_key(original: &Original, site: &Site<'_>) -> Option<String> {
    let source = site.tree.entry(site.node, "source")?.value;
    let name = &site.tree.string(source)?.value;
    let checked = &original.compilation.checked;
    let (id, _) = checked.catalog.collections().find(|(_, each)| each.name() == name)?;
    let key = checked.collection(id).key_pointers.first()?.trim_start_matches('/').to_owned();
    Some(format!("fields: {{recommended: true, exclude: [{key}]}}"))
}
