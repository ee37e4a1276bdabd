//! What a catalog file declares, with the place of every name and value.
//!
//! [`bind`] turns a tree into [`Specs`] by the field tables, one file per kind of declaration; the tables are the only description of the
//! language (binding, unknown-field suggestions, completion and the editor's JSON Schema come from them). Ranges are
//! relative to the file. What is wrong has been reported; a value that could not be bound is absent.

mod bind;
mod capture;
mod collection;
mod derive;
mod editor_schema;
mod field;
mod legacy;
mod materialization;
mod root;
mod test;
#[cfg(test)]
mod tests;

use crate::source::Range;
use crate::syntax::NodeId;

pub use bind::{BindProblem, BindProblemKind, bind};
pub use editor_schema::editor_schema;
pub use field::{Field, FieldKind, Table, tables};
pub use legacy::{LegacyField, LegacyKind};

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Its bytes; those of a string without its quotes.
    pub range: Range,
    /// Its node in the tree; that of a name is the value it names.
    pub node: NodeId,
}

/// The declarations of one catalog file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Specs {
    /// Imported references, relative to the file.
    pub imports: Vec<Spanned<String>>,
    /// Captures.
    pub captures: Vec<CaptureSpec>,
    /// Collections, derivations among them.
    pub collections: Vec<CollectionSpec>,
    /// Materializations.
    pub materializations: Vec<MaterializationSpec>,
    /// Tests.
    pub tests: Vec<TestSpec>,
    /// What could not be bound, file-relative, in order.
    pub problems: Vec<BindProblem>,
}

/// A value in place, or a reference to the file that holds it.
#[derive(Debug, Clone, PartialEq)]
pub enum InlineOrFile {
    /// The node of the value.
    Inline(Spanned<()>),
    /// The reference, relative to the file (for schemas with a fragment).
    File(Spanned<String>),
}

impl InlineOrFile {
    /// The bytes of the value or of the reference.
    pub fn range(&self) -> Range {
        match self {
            Self::Inline(value) => value.range,
            Self::File(reference) => reference.range,
        }
    }

    /// The node of the value or of the reference.
    pub fn node(&self) -> NodeId {
        match self {
            Self::Inline(value) => value.node,
            Self::File(reference) => reference.node,
        }
    }
}

/// A collection.
#[derive(Debug, Clone, PartialEq)]
pub struct CollectionSpec {
    /// The name (the mapping key).
    pub name: Spanned<String>,
    /// `schema`.
    pub schema: Option<InlineOrFile>,
    /// `writeSchema`.
    pub write_schema: Option<InlineOrFile>,
    /// `readSchema`.
    pub read_schema: Option<InlineOrFile>,
    /// `key`: JSON pointers, and the place of the list.
    pub key: Option<Spanned<Vec<Spanned<String>>>>,
    /// `projections`.
    pub projections: Vec<ProjectionSpec>,
    /// Fields of `projections` whose location could not be bound.
    pub unbound_projections: Vec<String>,
    /// `journals.fragments`.
    pub fragments: Option<FragmentsSpec>,
    /// `derive`.
    pub derive: Option<DeriveSpec>,
    /// `reset`.
    pub reset: Option<Spanned<bool>>,
    /// `delete`.
    pub delete: Option<Spanned<bool>>,
}

/// One entry of `projections`.
#[derive(Debug, Clone, PartialEq)]
pub struct ProjectionSpec {
    /// The field (the mapping key).
    pub field: Spanned<String>,
    /// The JSON pointer.
    pub location: Spanned<String>,
    /// `partition`.
    pub partition: bool,
}

/// `journals.fragments`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FragmentsSpec {
    /// `compressionCodec`.
    pub codec: Option<Spanned<String>>,
    /// `length`, in MB.
    pub length_mb: Option<Spanned<u64>>,
    /// `flushInterval`, in milliseconds.
    pub flush_interval_ms: Option<Spanned<u64>>,
}

/// `derive`.
#[derive(Debug, Clone, PartialEq)]
pub struct DeriveSpec {
    /// The bytes of the `derive` key.
    pub key: Range,
    /// `using`.
    pub using: Option<UsingSpec>,
    /// `transforms`.
    pub transforms: Vec<TransformSpec>,
    /// `shuffleKeyTypes`.
    pub shuffle_key_types: Option<Spanned<Vec<Spanned<String>>>>,
    /// `redactSalt`, in base64.
    pub redact_salt: Option<Spanned<String>>,
    /// `shards`.
    pub shards: ShardsSpec,
}

/// `derive.using`.
#[derive(Debug, Clone, PartialEq)]
pub enum UsingSpec {
    /// `sqlite`.
    Sqlite {
        /// The bytes of the word `sqlite`.
        key: Range,
        /// `migrations` in order.
        migrations: Vec<InlineOrFile>,
    },
    /// `typescript`.
    TypeScript {
        /// The bytes of the word `typescript`.
        key: Range,
        /// `module`; absent when it is missing, which has been reported.
        module: Option<InlineOrFile>,
        /// Other fields that are written, by their names.
        others: Vec<Spanned<String>>,
    },
    /// `local`.
    Local {
        /// The bytes of the word `local`.
        key: Range,
        /// The process; absent when it cannot be read, which has been reported.
        process: Option<LocalSpec>,
    },
    /// Another back end, by its name and place.
    Other(Spanned<String>),
}

/// One transform.
#[derive(Debug, Clone, PartialEq)]
pub struct TransformSpec {
    /// `name`.
    pub name: Spanned<String>,
    /// `source`.
    pub source: Option<SourceSpec>,
    /// `shuffle`.
    pub shuffle: Option<ShuffleSpec>,
    /// `lambda`.
    pub lambda: Option<InlineOrFile>,
    /// `readDelay`, in milliseconds.
    pub read_delay_ms: Option<Spanned<u64>>,
    /// `priority`.
    pub priority: i32,
    /// `disable`.
    pub disable: bool,
    /// `backfill`.
    pub backfill: u32,
}

/// `shuffle`.
#[derive(Debug, Clone, PartialEq)]
pub enum ShuffleSpec {
    /// `any`.
    Any(Range),
    /// `key`: JSON pointers and the place of the list.
    Key(Spanned<Vec<Spanned<String>>>),
    /// `lambda`.
    Lambda(InlineOrFile),
}

/// A collection to read and which part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceSpec {
    /// The collection.
    pub collection: Spanned<String>,
    /// `partitions`: `include` and `exclude` by field.
    pub partitions: Option<SelectorSpec>,
    /// `notBefore`, as written.
    pub not_before: Option<Spanned<String>>,
    /// `notAfter`, as written.
    pub not_after: Option<Spanned<String>>,
}

/// A partition selector.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SelectorSpec {
    /// `include`: field, and the nodes of its values.
    pub include: Vec<(Spanned<String>, Vec<Spanned<serde_json::Value>>)>,
    /// `exclude`.
    pub exclude: Vec<(Spanned<String>, Vec<Spanned<serde_json::Value>>)>,
}

/// `shards`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ShardsSpec {
    /// `disable`.
    pub disable: bool,
    /// `maxTxnDuration`, in milliseconds.
    pub transaction_duration_ms_max: Option<Spanned<u64>>,
}

/// `endpoint`; its place is the word that says which form it has.
#[derive(Debug, Clone, PartialEq)]
pub enum EndpointSpec {
    /// `connector`.
    Connector {
        /// `image`.
        image: Spanned<String>,
        /// `config`.
        config: Option<InlineOrFile>,
    },
    /// `local`.
    Local(LocalSpec),
    /// `dekaf` or another form that is recognised but not run here; its name.
    Other(Spanned<String>),
}

/// A process of this machine.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalSpec {
    /// `command`.
    pub command: Vec<Spanned<String>>,
    /// `config`.
    pub config: Option<InlineOrFile>,
    /// `env`.
    pub env: Vec<(Spanned<String>, Spanned<String>)>,
    /// `protobuf`, where it is written and true.
    pub protobuf: Option<Range>,
}

/// A capture.
#[derive(Debug, Clone, PartialEq)]
pub struct CaptureSpec {
    /// The name (the mapping key).
    pub name: Spanned<String>,
    /// `endpoint`.
    pub endpoint: Option<Spanned<EndpointSpec>>,
    /// `bindings`.
    pub bindings: Vec<CaptureBindingSpec>,
    /// `interval`, in milliseconds.
    pub interval_ms: Option<Spanned<u64>>,
    /// `redactSalt`, in base64.
    pub redact_salt: Option<Spanned<String>>,
    /// `shards`.
    pub shards: ShardsSpec,
    /// `reset`.
    pub reset: Option<Spanned<bool>>,
    /// `delete`.
    pub delete: Option<Spanned<bool>>,
}

/// One binding of a capture.
#[derive(Debug, Clone, PartialEq)]
pub struct CaptureBindingSpec {
    /// The bytes of the whole binding.
    pub range: Range,
    /// `resource`.
    pub resource: Option<InlineOrFile>,
    /// `target`.
    pub target: Option<Spanned<String>>,
    /// `disable`.
    pub disable: bool,
    /// `backfill`.
    pub backfill: u32,
}

/// A materialization.
#[derive(Debug, Clone, PartialEq)]
pub struct MaterializationSpec {
    /// The name (the mapping key).
    pub name: Spanned<String>,
    /// `endpoint`.
    pub endpoint: Option<Spanned<EndpointSpec>>,
    /// `bindings`.
    pub bindings: Vec<MaterializationBindingSpec>,
    /// `source`: the capture whose collections get bindings.
    pub source_capture: Option<Spanned<String>>,
    /// `shards`.
    pub shards: ShardsSpec,
    /// `reset`.
    pub reset: Option<Spanned<bool>>,
    /// `delete`.
    pub delete: Option<Spanned<bool>>,
}

/// One binding of a materialization.
#[derive(Debug, Clone, PartialEq)]
pub struct MaterializationBindingSpec {
    /// The bytes of the whole binding.
    pub range: Range,
    /// `resource`.
    pub resource: Option<InlineOrFile>,
    /// `source`.
    pub source: Option<SourceSpec>,
    /// `fields`.
    pub fields: Option<FieldsSpec>,
    /// `disable`.
    pub disable: bool,
    /// `backfill`.
    pub backfill: u32,
    /// `priority`.
    pub priority: i32,
}

/// `fields`.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldsSpec {
    /// The bytes of the whole value.
    pub range: Range,
    /// `recommended`: 0 for `false`, `u32::MAX` for `true`, else the depth.
    pub recommended_depth: u32,
    /// `require` (or its alias `include`): fields with the node of their connector config.
    pub require: Vec<Spanned<String>>,
    /// `exclude`.
    pub exclude: Vec<Spanned<String>>,
    /// `groupBy`.
    pub group_by: Vec<Spanned<String>>,
}

/// A test.
#[derive(Debug, Clone, PartialEq)]
pub struct TestSpec {
    /// The name (the mapping key).
    pub name: Spanned<String>,
    /// `description`.
    pub description: String,
    /// The steps.
    pub steps: Vec<StepSpec>,
    /// `delete`.
    pub delete: Option<Spanned<bool>>,
}

/// One step of a test.
#[derive(Debug, Clone, PartialEq)]
pub struct StepSpec {
    /// Whether it verifies (else it ingests).
    pub is_verify: bool,
    /// The bytes of the word `ingest` or `verify`.
    pub key: Range,
    /// `collection`, with its selector for `verify`.
    pub collection: Option<SourceSpec>,
    /// `documents`.
    pub documents: Option<InlineOrFile>,
    /// `description`.
    pub description: String,
}
