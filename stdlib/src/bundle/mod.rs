//! The versioned contract between compiler and runtime: a self-contained description of everything a
//! task needs.
//!
//! A bundle is plain data in a fixed set of files; equal catalogs give equal bytes. Paths of endpoints are kept as
//! the user wrote them. Places in the user's sources are kept as [`Origin`]s, so that a failure at run time can be shown
//! at the line that explains it, also where the sources are not at hand.

mod config;
mod failure;
mod files;
mod origin;
mod outcome;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use config::{Config, Ordered};
pub use failure::{Failure, FailureKind};
pub use files::{BundleFailure, MANIFEST_PATH, from_files, to_files};
pub use origin::{Origin, Script};
pub use outcome::{
    ActualDocument, Difference, DifferenceKind, StatementCoverage, StepFailure, TestOutcome,
    TestRun, TestStatus, TransformCoverage,
};

/// Version of the format; a reader refuses any other.
pub const FORMAT_VERSION: u32 = 1;

/// JSON Schema of the files of a bundle.
pub const SCHEMA: &str = include_str!("bundle.schema.json");

/// Everything that runs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bundle {
    /// SHA-256 of the contents, in hexadecimal; changes when anything that runs changes.
    pub digest: String,
    /// Collections by name.
    pub collections: BTreeMap<String, Collection>,
    /// Tasks by (kind, name).
    pub tasks: BTreeMap<TaskName, Task>,
    /// Catalog tests by name.
    pub tests: BTreeMap<String, Test>,
}

/// The kind of a task; its order is the order in which tasks are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskKind {
    /// From a source into collections.
    Capture,
    /// From collections into a collection.
    Derivation,
    /// From collections into an endpoint.
    Materialization,
    /// From a file given on the command line into a collection (`--ingest`).
    Ingest,
}

impl TaskKind {
    /// All kinds, in order.
    pub const ALL: [Self; 4] =
        [Self::Capture, Self::Derivation, Self::Materialization, Self::Ingest];

    /// The word for this kind, also the directory below `tasks/` in a data directory.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Derivation => "derivation",
            Self::Materialization => "materialization",
            Self::Ingest => "ingest",
        }
    }
}

/// What identifies a task.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskName {
    /// The kind.
    pub kind: TaskKind,
    /// The name in the catalog; of a derivation, its collection's.
    pub name: String,
}

impl std::fmt::Display for TaskName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}", self.kind.word(), self.name)
    }
}

/// A collection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collection {
    /// The name.
    pub name: String,
    /// JSON pointers of the key, in order.
    pub key: Vec<String>,
    /// What a document must satisfy when it is written; self-contained.
    pub write_schema: Value,
    /// What a document must satisfy when it is read; self-contained, and absent when it is the write schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_schema: Option<Value>,
    /// Projections, sorted by field.
    pub projections: Vec<Projection>,
    /// How journals are cut into fragments.
    #[serde(default)]
    pub fragments: Fragments,
    /// Whether its data is to be thrown away, once.
    #[serde(default, skip_serializing_if = "is_false")]
    pub reset: bool,
    /// Where the name is declared.
    pub origin: Origin,
    /// Where each keyword of the write schema stands, by its JSON pointer in `write_schema`.
    pub write_schema_origins: BTreeMap<String, Origin>,
    /// The same for the read schema; empty when there is none of its own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub read_schema_origins: BTreeMap<String, Origin>,
}

impl Collection {
    /// A collection with a name, a key and a schema, and nothing else.
    pub fn new(name: impl Into<String>, key: &[&str], write_schema: Value) -> Self {
        Self {
            name: name.into(),
            key: key.iter().map(|&pointer| pointer.to_owned()).collect(),
            write_schema,
            read_schema: None,
            projections: Vec::new(),
            fragments: Fragments::default(),
            reset: false,
            origin: Origin::default(),
            write_schema_origins: BTreeMap::new(),
            read_schema_origins: BTreeMap::new(),
        }
    }

    /// The schema that readers apply.
    pub fn effective_read_schema(&self) -> &Value {
        self.read_schema.as_ref().unwrap_or(&self.write_schema)
    }

    /// The partition projections, sorted by field.
    pub fn partitions(&self) -> impl Iterator<Item = &Projection> {
        self.projections.iter().filter(|projection| projection.partition)
    }

    /// The projection of a field.
    pub fn projection(&self, field: &str) -> Option<&Projection> {
        self.projections.iter().find(|projection| projection.field == field)
    }
}

/// A named location of a collection's documents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Projection {
    /// The name of the field.
    pub field: String,
    /// JSON pointer of the location.
    pub pointer: String,
    /// Whether the user declared it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub explicit: bool,
    /// Whether it is a partition field.
    #[serde(default, skip_serializing_if = "is_false")]
    pub partition: bool,
    /// JSON types that the location may have, in JSON Schema's words.
    pub types: Vec<String>,
    /// Whether every document has it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub required: bool,
    /// The `format` of a string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The `contentEncoding` of a string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    /// The `default` annotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// The title annotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The description annotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Field of the whole document.
pub const FLOW_DOCUMENT: &str = "flow_document";
/// Field of the time of publication, taken from the document's UUID.
pub const FLOW_PUBLISHED_AT: &str = "flow_published_at";
/// What a projection of the time of publication names, to give it another field than [`FLOW_PUBLISHED_AT`].
pub const PUBLISHED_AT_POINTER: &str = "/_meta/uuid/date-time";
/// JSON pointer of the UUID that every published document carries.
pub const UUID_POINTER: &str = "/_meta/uuid";

/// How journals of a collection are cut into fragments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fragments {
    /// Compression of blobs and fragments.
    pub codec: Codec,
    /// Uncompressed size at which a fragment is cut.
    pub length_bytes: u64,
    /// Age of a tail at which a fragment is cut.
    pub flush_interval_ms: u64,
}

impl Default for Fragments {
    fn default() -> Self {
        Self { codec: Codec::Gzip, length_bytes: 512 << 20, flush_interval_ms: 300_000 }
    }
}

/// Compression of fragments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Codec {
    /// Plain text, `.raw`.
    None,
    /// `.gz`.
    Gzip,
    /// `.zst`.
    Zstandard,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Task {
    /// From a source into collections.
    Capture(Capture),
    /// From collections into a collection.
    Derivation(Derivation),
    /// From collections into an endpoint.
    Materialization(Materialization),
}

impl Task {
    /// What identifies it.
    pub fn name(&self) -> TaskName {
        let (kind, name) = match self {
            Self::Capture(capture) => (TaskKind::Capture, &capture.name),
            Self::Derivation(derivation) => (TaskKind::Derivation, &derivation.collection),
            Self::Materialization(it) => (TaskKind::Materialization, &it.name),
        };
        TaskName { kind, name: name.clone() }
    }

    /// The configuration of what it connects to, if it connects to something.
    pub fn config(&self) -> Option<&Config> {
        let endpoint = match self {
            Self::Capture(capture) => &capture.endpoint,
            Self::Materialization(materialization) => &materialization.endpoint,
            Self::Derivation(_) => return None,
        };
        match endpoint {
            Endpoint::Connector { config, .. } | Endpoint::Local(LocalProcess { config, .. }) => {
                Some(config)
            }
        }
    }
}

/// An endpoint: what a task connects to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Endpoint {
    /// A connector by its image.
    Connector {
        /// The image as written.
        image: String,
        /// The configuration as written.
        config: Config,
    },
    /// A process that speaks the connector protocol.
    Local(LocalProcess),
}

/// A process of the machine that runs the bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalProcess {
    /// Program and arguments.
    pub command: Vec<String>,
    /// The configuration as written.
    pub config: Config,
    /// What is added to the environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// The path to the directory of the file that names it, from where the paths of endpoints start.
    #[serde(default)]
    pub directory: String,
}

/// A capture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    /// The name.
    pub name: String,
    /// Where documents come from.
    pub endpoint: Endpoint,
    /// What goes where.
    pub bindings: Vec<CaptureBinding>,
    /// Least time between two starts of a polling connector.
    pub interval_ms: u64,
    /// Greatest duration of a transaction.
    pub transaction_duration_ms_max: u64,
    /// Whether everything is to be captured anew, once.
    #[serde(default, skip_serializing_if = "is_false")]
    pub reset: bool,
    /// What digests of redacted values begin with, in base64; by default it is made from the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redact_salt: Option<String>,
    /// Where the name is declared.
    pub origin: Origin,
    /// Where the endpoint's config is declared.
    pub endpoint_origin: Origin,
}

/// One resource of a capture and its collection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaptureBinding {
    /// The resource as written.
    pub resource: Value,
    /// What identifies the resource.
    pub resource_path: Vec<String>,
    /// The target collection.
    pub collection: String,
    /// Raised to capture anew.
    pub backfill: u32,
    /// Where the binding is declared.
    pub origin: Origin,
}

/// A derivation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Derivation {
    /// The derived collection.
    pub collection: String,
    /// SQLite migrations in order.
    pub migrations: Vec<Script>,
    /// The TypeScript module whose methods are the lambdas; absent when they are SQL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<Module>,
    /// The process that runs the lambdas; absent when they are SQL or methods of a module.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<LocalProcess>,
    /// Enabled transforms in order.
    pub transforms: Vec<Transform>,
    /// Greatest duration of a transaction.
    pub transaction_duration_ms_max: u64,
    /// What digests of redacted values begin with, in base64; by default it is made from the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redact_salt: Option<String>,
    /// Where `derive` is declared.
    pub origin: Origin,
}

/// A TypeScript module without its types, with all that it imports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Module {
    /// The file that exports the class.
    pub entry: String,
    /// The files by their names.
    pub files: BTreeMap<String, ModuleFile>,
}

/// One file of a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModuleFile {
    /// The JavaScript, and where each part of it stands in the TypeScript.
    pub script: Script,
    /// The names of the files that its imports lead to, by what they are called there.
    pub imports: BTreeMap<String, String>,
}

/// One transform of a derivation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transform {
    /// The name, the identity of the read.
    pub name: String,
    /// What it reads.
    pub source: Source,
    /// Which shard gets a document.
    pub shuffle: Shuffle,
    /// The SQL of the lambda; empty when a module or a process has it.
    pub lambda: Script,
    /// What the process that runs the lambda is told of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Value>,
    /// Whether every statement only reads.
    pub read_only: bool,
    /// How long documents are held back.
    pub read_delay_ms: u64,
    /// Higher first.
    pub priority: i32,
    /// Raised to read anew.
    pub backfill: u32,
    /// Where the name is declared.
    pub origin: Origin,
}

/// How documents are assigned to shards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shuffle {
    /// Any shard.
    Any,
    /// By the values at these JSON pointers.
    Key(Vec<String>),
    /// By what a lambda makes of the document.
    Lambda(ShuffleLambda),
}

/// A lambda that makes the shuffle key of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShuffleLambda {
    /// The SQL.
    pub lambda: Script,
    /// JSON types of each component of the key, in JSON Schema's words; null may always stand for one.
    pub types: Vec<Vec<String>>,
}

/// A collection that is read, and which part of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The collection.
    pub collection: String,
    /// Which partitions; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<Selector>,
    /// Documents published before this time are skipped; RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// Documents published after this time are skipped; RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<String>,
}

/// A selection of partitions: fields are AND-ed, values of one field OR-ed, `exclude` wins.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selector {
    /// Admitted values by field.
    #[serde(default)]
    pub include: BTreeMap<String, Vec<Value>>,
    /// Refused values by field.
    #[serde(default)]
    pub exclude: BTreeMap<String, Vec<Value>>,
}

/// A materialization.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Materialization {
    /// The name.
    pub name: String,
    /// Where documents go.
    pub endpoint: Endpoint,
    /// What goes where.
    pub bindings: Vec<MaterializationBinding>,
    /// Greatest duration of a transaction.
    pub transaction_duration_ms_max: u64,
    /// Whether everything is to be materialized anew, once.
    #[serde(default, skip_serializing_if = "is_false")]
    pub reset: bool,
    /// Where the name is declared.
    pub origin: Origin,
    /// Where the endpoint's config is declared.
    pub endpoint_origin: Origin,
}

/// One source of a materialization and its table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaterializationBinding {
    /// The resource as written.
    pub resource: Value,
    /// What identifies the resource.
    pub resource_path: Vec<String>,
    /// What is read.
    pub source: Source,
    /// Whether documents are appended instead of kept one row per key.
    pub delta_updates: bool,
    /// Raised to read anew.
    pub backfill: u32,
    /// Higher first.
    pub priority: i32,
    /// The table, when the endpoint has tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<Table>,
    /// Where the binding is declared.
    pub origin: Origin,
}

/// A destination table: its columns in order (key columns first, the root document last), and its DDL.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The name as the resource gives it, not quoted.
    pub name: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// The statement that creates the table when it is missing, in the endpoint's dialect.
    pub create: String,
}

/// One column of a destination table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// The field of the collection.
    pub field: String,
    /// JSON pointer of the field.
    pub pointer: String,
    /// The name of the column, not quoted.
    pub name: String,
    /// What it holds.
    pub role: ColumnRole,
    /// What stands for a missing value, when the schema gives a default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// How values are stored.
    pub storage: ColumnStorage,
    /// The type in the endpoint's dialect.
    pub sql_type: String,
    /// Whether the column admits NULL.
    pub nullable: bool,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnRole {
    /// A component of the key.
    Key,
    /// A value.
    Value,
    /// The root document.
    Document,
}

/// How values of a column are stored, whatever the dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnStorage {
    /// true and false.
    Boolean,
    /// Whole numbers, also strings of `format: integer`.
    Integer,
    /// Numbers, also strings of `format: number`.
    Number,
    /// Text.
    Text,
    /// Base64 text as bytes.
    Binary,
    /// A time, RFC 3339.
    Timestamp,
    /// Any JSON, as text.
    Json,
}

/// A catalog test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// The name.
    pub name: String,
    /// What it shows.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The steps in order.
    pub steps: Vec<TestStep>,
    /// Where the name is declared.
    pub origin: Origin,
}

/// One step of a catalog test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestStep {
    /// Ingest or verify.
    pub action: TestAction,
    /// The collection.
    pub collection: String,
    /// Which partitions are verified; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<Selector>,
    /// What it shows.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The documents that are ingested or expected.
    pub documents: Vec<Value>,
    /// Where each document stands.
    pub document_origins: Vec<Origin>,
    /// Where the step is declared.
    pub origin: Origin,
}

/// What a step of a test does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TestAction {
    /// Documents are written to the collection.
    Ingest,
    /// What was written is compared.
    Verify,
}

fn is_false(value: &bool) -> bool {
    !value
}
