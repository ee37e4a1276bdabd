//! Fields of the grammar of earlier years, with what is written instead.
//!
//! Whoever copies from an old catalog should read what became of a field, not that there is none of its name. What stands below
//! such a field is not looked at: it is of the old grammar, too.

/// What is written instead of a list of named things.
pub(super) const MAPPING_BY_NAME: &str =
    "write a mapping from names: each item's `name` is its key";
/// What is written instead of a mapping of named things.
pub(super) const LIST_WITH_NAMES: &str = "write a list: each key is the `name` of its item";
/// What is written instead of a list of locations.
pub(super) const SHUFFLE_BY_KEY: &str = "write `shuffle: {key: […]}`";
/// What is written instead of an object that imports.
pub(super) const IMPORT_BY_URL: &str = "write its `url` alone";

/// What became of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegacyKind {
    /// The catalog means something else without it, or nothing.
    Replaced,
    /// It says nothing that a catalog still needs.
    Ignored,
}

/// A field that the language had.
#[derive(Debug, PartialEq, Eq)]
pub struct LegacyField {
    /// What the object is called that had it, as in the field tables.
    pub noun: &'static str,
    /// Its name.
    pub field: &'static str,
    /// What became of it.
    pub kind: LegacyKind,
    /// The field that took its place and has its value, if there is one.
    pub renamed: Option<&'static str>,
    /// What to do, as an imperative.
    pub advice: &'static str,
}

/// The field of an object that the language had, if it had one of this name.
pub(super) fn legacy_field(noun: &str, field: &str) -> Option<&'static LegacyField> {
    LEGACY_FIELDS.iter().find(|legacy| legacy.noun == noun && legacy.field == field)
}

const fn replaced(noun: &'static str, field: &'static str, advice: &'static str) -> LegacyField {
    LegacyField { noun, field, kind: LegacyKind::Replaced, renamed: None, advice }
}

const fn ignored(noun: &'static str, field: &'static str, advice: &'static str) -> LegacyField {
    LegacyField { noun, field, kind: LegacyKind::Ignored, renamed: None, advice }
}

const fn renamed(
    noun: &'static str,
    field: &'static str,
    name: &'static str,
    advice: &'static str,
) -> LegacyField {
    LegacyField { noun, field, kind: LegacyKind::Replaced, renamed: Some(name), advice }
}

const CATALOG: &str = "a catalog";
const TRANSFORM: &str = "a transform";
const FRAGMENTS: &str = "`fragments`";
const CAPTURED: &str = "an endpoint of a capture";
const MATERIALIZED: &str = "an endpoint of a materialization";
const BY_IMAGE: &str = "name a connector by its image: `connector: {image: …, config: …}`";
const INSIDE: &str = "write each endpoint in its task: `endpoint: {connector: {image, config}}`";
const STORAGE: &str = "remove it; places of storage stand in `[storage]` of `tidegate.toml`";

static LEGACY_FIELDS: &[LegacyField] = &[
    ignored(CATALOG, "npmDependencies", "remove it; modules import packages by their URL"),
    ignored(CATALOG, "journalRules", STORAGE),
    replaced(CATALOG, "endpoints", INSIDE),
    replaced(CATALOG, "materializationTargets", INSIDE),
    replaced(CATALOG, "resources", "remove it; files are loaded where something refers to them"),
    replaced(
        "a collection",
        "derivation",
        "write `derive` with `using` and a list of `transforms`, each with its `name`",
    ),
    replaced(
        "a derivation",
        "register",
        "keep state in tables: `using: {sqlite: {migrations: […]}}`",
    ),
    replaced("a derivation", "typescript", "write `using: {typescript: {module: …}}`"),
    replaced("`typescript`", "npmDependencies", "import packages by their URL in the module"),
    replaced(
        TRANSFORM,
        "publish",
        "write a `lambda`: SQL, or nothing when a method of the module does it",
    ),
    replaced(TRANSFORM, "update", "write the statement that updates a table first in `lambda`"),
    replaced(TRANSFORM, "rollbackOnConflict", "remove it; check for conflicts in `lambda`"),
    replaced("a source", "schema", "give the collection that is read a `readSchema`"),
    replaced("`shuffle`", "md5", "shuffle by the key itself: `shuffle: {key: […]}`"),
    renamed(CAPTURED, "airbyteSource", "connector", "write `connector`"),
    replaced(CAPTURED, "ingest", "remove the capture, and append with `tidegate run --ingest`"),
    replaced(CAPTURED, "s3", BY_IMAGE),
    replaced(CAPTURED, "gs", BY_IMAGE),
    replaced(CAPTURED, "remote", BY_IMAGE),
    replaced(CAPTURED, "name", INSIDE),
    replaced(MATERIALIZED, "postgres", BY_IMAGE),
    replaced(MATERIALIZED, "sqlite", BY_IMAGE),
    replaced(MATERIALIZED, "snowflake", BY_IMAGE),
    replaced(MATERIALIZED, "webhook", BY_IMAGE),
    replaced(MATERIALIZED, "remote", BY_IMAGE),
    replaced(MATERIALIZED, "name", INSIDE),
    ignored(FRAGMENTS, "stores", STORAGE),
    ignored(FRAGMENTS, "refreshInterval", "remove it; listings are always fresh"),
    ignored(FRAGMENTS, "pathPostfix", "remove it; the paths of journals are fixed"),
    replaced("`verify`", "partitions", "move it: `collection: {name: …, partitions: {…}}`"),
];
