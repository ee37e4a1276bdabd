//! Derivations, and the sources that transforms, materializations and tests read.

use super::bind::Binder;
use super::capture::{CONNECTOR, LOCAL, SHARDS, local, shards};
use super::field::{Field, FieldKind, Table};
use super::{DeriveSpec, SelectorSpec, ShuffleSpec, SourceSpec, Spanned, TransformSpec, UsingSpec};
use crate::source::Range;
use crate::syntax::NodeId;

/// `derive`.
pub(super) static DERIVE: Table = Table {
    noun: "a derivation",
    fields: &[
        Field::required("using", FieldKind::Object(&USING), "What runs the lambdas"),
        Field::required(
            "transforms",
            FieldKind::List(&FieldKind::Object(&TRANSFORM)),
            "What is read, and what is made of each document",
        ),
        Field::optional(
            "shuffleKeyTypes",
            FieldKind::List(&FieldKind::Word(&["boolean", "integer", "string"])),
            "Types of the shuffle key, when they cannot be inferred",
        ),
        Field::optional("redactSalt", FieldKind::Base64, "Salt of redacted values, in base64"),
        Field::optional("shards", FieldKind::Object(&SHARDS), "How the task runs"),
        Field::optional("secrets", FieldKind::Any, "Secrets by name; they are not used here"),
    ],
    is_open: false,
};

/// `derive.using`.
pub(super) static USING: Table = Table {
    noun: "`using`",
    fields: &[
        Field::optional("sqlite", FieldKind::Object(&SQLITE), "Lambdas are SQL"),
        Field::optional(
            "typescript",
            FieldKind::Object(&TYPESCRIPT),
            "Lambdas are methods of a module",
        ),
        Field::optional("python", FieldKind::Object(&PYTHON), "Lambdas are methods of a module"),
        Field::optional("connector", FieldKind::Object(&CONNECTOR), "An image runs the lambdas"),
        Field::optional("local", FieldKind::Object(&LOCAL), "A process runs the lambdas"),
    ],
    is_open: false,
};

/// `derive.using.sqlite`.
pub(super) static SQLITE: Table = Table {
    noun: "`sqlite`",
    fields: &[Field::optional(
        "migrations",
        FieldKind::List(&FieldKind::InlineOrFile),
        "SQL that makes the tables of lambdas, each run once, in order",
    )],
    is_open: false,
};

const MODULE: Field =
    Field::required("module", FieldKind::InlineOrFile, "The module, or the file that holds it");
const MODULE_CONFIG: Field =
    Field::optional("config", FieldKind::InlineOrFile, "Configuration of the module");
const MODULE_FILES: Field =
    Field::optional("files", FieldKind::Any, "Files that travel with the module");
const MODULE_SPEC: Field =
    Field::optional("spec", FieldKind::Any, "What the module says of itself");

/// `derive.using.typescript`.
pub(super) static TYPESCRIPT: Table = Table {
    noun: "`typescript`",
    fields: &[MODULE, MODULE_CONFIG, MODULE_FILES, MODULE_SPEC],
    is_open: false,
};

/// `derive.using.python`.
pub(super) static PYTHON: Table = Table {
    noun: "`python`",
    fields: &[
        MODULE,
        MODULE_CONFIG,
        MODULE_FILES,
        MODULE_SPEC,
        Field::optional("dependencies", FieldKind::Map(&FieldKind::Any), "It is not used here"),
    ],
    is_open: false,
};

/// A transform.
pub(super) static TRANSFORM: Table = Table {
    noun: "a transform",
    fields: &[
        Field::required("name", FieldKind::String, "Name of the transform"),
        Field::required("source", SOURCE_FORMS, "Collection to read"),
        Field::optional(
            "shuffle",
            FieldKind::OneOf(&[FieldKind::Word(&["any"]), FieldKind::Object(&SHUFFLE)]),
            "Which documents one shard sees; by default those of one key of the source",
        ),
        Field::optional("lambda", FieldKind::InlineOrFile, "What is made of each document"),
        Field::optional("readDelay", FieldKind::Duration, "How long documents wait"),
        Field::optional("priority", FieldKind::Integer, "Transforms of higher priority go first"),
        Field::optional("disable", FieldKind::Boolean, "Whether the transform is left out"),
        Field::optional("backfill", FieldKind::Unsigned, "Raise it to read anew from the start"),
    ],
    is_open: false,
};

/// The long form of `shuffle`.
pub(super) static SHUFFLE: Table = Table {
    noun: "`shuffle`",
    fields: &[
        Field::optional(
            "key",
            FieldKind::List(&FieldKind::Pointer),
            "JSON pointers; documents that are equal there go to one shard",
        ),
        Field::optional("lambda", FieldKind::InlineOrFile, "SQL that computes the shuffle key"),
    ],
    is_open: false,
};

/// A collection by name or in the long form.
pub(super) const SOURCE_FORMS: FieldKind =
    FieldKind::OneOf(&[FieldKind::CollectionName, FieldKind::Object(&SOURCE)]);

/// The long form of a source.
pub(super) static SOURCE: Table = Table {
    noun: "a source",
    fields: &[
        Field::required("name", FieldKind::CollectionName, "Collection to read")
            .not(&["collection"]),
        Field::optional("partitions", FieldKind::Object(&SELECTOR), "Partitions to read"),
        Field::optional(
            "notBefore",
            FieldKind::Timestamp,
            "Documents published earlier are left out",
        ),
        Field::optional("notAfter", FieldKind::Timestamp, "Documents published later are left out"),
    ],
    is_open: false,
};

/// A partition selector.
pub(super) static SELECTOR: Table = Table {
    noun: "`partitions`",
    fields: &[
        Field::optional(
            "include",
            FieldKind::Map(&FieldKind::List(&FieldKind::Any)),
            "Values by partition field, one of which a document must have",
        ),
        Field::optional(
            "exclude",
            FieldKind::Map(&FieldKind::List(&FieldKind::Any)),
            "Values by partition field, none of which a document may have",
        ),
    ],
    is_open: false,
};

pub(super) fn derive(binder: &mut Binder<'_>, key: Range, node: NodeId) -> Option<DeriveSpec> {
    binder.tree.is_mapping(node).then(|| DeriveSpec {
        key,
        using: binder.entry(node, &DERIVE, "using").and_then(|entry| using(binder, entry.value)),
        transforms: binder
            .list(node, &DERIVE, "transforms")
            .into_iter()
            .filter_map(|item| transform(binder, item))
            .collect(),
        shuffle_key_types: binder.strings(node, &DERIVE, "shuffleKeyTypes"),
        redact_salt: binder.string(node, &DERIVE, "redactSalt"),
        shards: shards(binder, node, &DERIVE),
    })
}

fn using(binder: &mut Binder<'_>, node: NodeId) -> Option<UsingSpec> {
    let key =
        binder.one_of(node, &USING, &["sqlite", "typescript", "python", "connector", "local"])?;
    if key.value == "typescript" {
        return Some(typescript(binder, key.range, node));
    }
    if key.value == "local" {
        return Some(UsingSpec::Local { key: key.range, process: local(binder, node, &USING) });
    }
    if key.value != "sqlite" {
        return Some(UsingSpec::Other(key));
    }
    let migrations = binder.object(node, &USING, "sqlite").map_or_else(Vec::new, |sqlite| {
        let items = binder.list(sqlite, &SQLITE, "migrations");
        items.into_iter().map(|item| binder.config_at(item)).collect()
    });
    Some(UsingSpec::Sqlite { key: key.range, migrations })
}

fn typescript(binder: &mut Binder<'_>, key: Range, node: NodeId) -> UsingSpec {
    let Some(typescript) = binder.object(node, &USING, "typescript") else {
        return UsingSpec::TypeScript { key, module: None, others: Vec::new() };
    };
    let module = binder.config(typescript, &TYPESCRIPT, "module");
    let names = [MODULE_CONFIG.name, MODULE_FILES.name, MODULE_SPEC.name];
    let others = names.into_iter().filter_map(|name| {
        let entry = binder.entry(typescript, &TYPESCRIPT, name)?;
        Some(Spanned { value: name.to_owned(), range: entry.key_range, node: entry.value })
    });
    let others = others.collect();
    UsingSpec::TypeScript { key, module, others }
}

fn transform(binder: &mut Binder<'_>, node: NodeId) -> Option<TransformSpec> {
    let table = &TRANSFORM;
    Some(TransformSpec {
        name: binder.string(node, table, "name")?,
        source: binder.entry(node, table, "source").and_then(|entry| source(binder, entry.value)),
        shuffle: binder
            .entry(node, table, "shuffle")
            .and_then(|entry| shuffle(binder, entry.key_range, entry.value)),
        lambda: binder.config(node, table, "lambda"),
        read_delay_ms: binder.duration(node, table, "readDelay"),
        priority: binder.integer(node, table, "priority").unwrap_or(0),
        disable: binder.flag(node, table, "disable") || binder.has_legacy_field(node, table),
        backfill: binder.count(node, table, "backfill"),
    })
}

/// Of a shuffle that cannot be read nothing is said, as of `any`; that is not the same as one that was left out.
fn shuffle(binder: &mut Binder<'_>, key: Range, node: NodeId) -> Option<ShuffleSpec> {
    if binder.is_null(node) {
        return None;
    }
    let unread = ShuffleSpec::Any(key);
    if !binder.tree.is_mapping(node) {
        return Some(unread);
    }
    let Some(form) = binder.one_of(node, &SHUFFLE, &["key", "lambda"]) else {
        return Some(unread);
    };
    if form.value == "key" {
        let key = binder.all_strings(node, &SHUFFLE, "key");
        return Some(key.map_or(unread, ShuffleSpec::Key));
    }
    let lambda = binder.config(node, &SHUFFLE, "lambda");
    Some(lambda.map_or(unread, ShuffleSpec::Lambda))
}

/// Binds a collection to read, in either form.
pub(super) fn source(binder: &mut Binder<'_>, node: NodeId) -> Option<SourceSpec> {
    if let Some(collection) = binder.text(node) {
        let (partitions, not_before, not_after) = (None, None, None);
        return Some(SourceSpec { collection, partitions, not_before, not_after });
    }
    let partitions = binder.object(node, &SOURCE, "partitions");
    Some(SourceSpec {
        collection: binder.string(node, &SOURCE, "name")?,
        partitions: partitions.map(|selector| SelectorSpec {
            include: values_by_field(binder, selector, "include"),
            exclude: values_by_field(binder, selector, "exclude"),
        }),
        not_before: binder.string(node, &SOURCE, "notBefore"),
        not_after: binder.string(node, &SOURCE, "notAfter"),
    })
}

fn values_by_field(
    binder: &mut Binder<'_>,
    selector: NodeId,
    field: &'static str,
) -> Vec<(Spanned<String>, Vec<Spanned<serde_json::Value>>)> {
    binder.named(selector, &SELECTOR, field, |binder, name, node| {
        let tree = binder.tree;
        let value = |item: &NodeId| Spanned {
            value: tree.to_json(*item),
            range: tree.text_range(*item),
            node: *item,
        };
        Some((name, tree.items(node).iter().map(value).collect()))
    })
}
