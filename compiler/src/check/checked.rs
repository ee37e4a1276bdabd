//! What the checks know of a catalog: the input of lineage and plan.
//!
//! Each list runs parallel to the list of the catalog. Disabled transforms and bindings, and those whose collection is
//! missing, are left out. Where something was reported, a stand-in takes its place; a plan is only made when nothing
//! was reported as an error, so what it reads is real.
//!
//! What is large is shared with the memo of the checks.

use std::sync::Arc;

use serde_json::Value;
use tidegate_stdlib::bundle::{
    Endpoint, Fragments, LocalProcess, Module, Projection, Script, Selector, Shuffle, TestAction,
};
use tidegate_stdlib::connector::Connector;
use tidegate_stdlib::key::Key;

use crate::catalog::{BundledSchema, Catalog, CollectionId};
use crate::source::Span;
use crate::typescript::{Read, Types};

/// The checked catalog: every schema has a shape, every lambda is prepared.
#[derive(Debug, Default)]
pub struct Checked {
    /// What was checked.
    pub catalog: Catalog,
    /// Collections, indexed by [`CollectionId`].
    pub collections: Vec<CheckedCollection>,
    /// Captures, in the order of the catalog.
    pub captures: Vec<Arc<CheckedCapture>>,
    /// Materializations, in the order of the catalog.
    pub materializations: Vec<Arc<CheckedMaterialization>>,
    /// Tests, in the order of the catalog.
    pub tests: Vec<Arc<CheckedTest>>,
}

impl Checked {
    /// What is known of a collection.
    pub fn collection(&self, id: CollectionId) -> &CheckedCollection {
        self.collections.get(id.0 as usize).expect("ids come from this catalog")
    }

    /// What the types of a collection's documents are made of.
    pub fn types(&self, id: CollectionId) -> Types {
        let checked = self.collection(id);
        let derivation = checked.derivation.as_ref().filter(|it| it.is_by_module);
        let reads = derivation.map(|derivation| {
            let reads = derivation.transforms.iter().map(|transform| Read {
                transform: transform.name.clone(),
                source: self.name(transform.source.collection).to_owned(),
                schema: Arc::clone(
                    self.collection(transform.source.collection).effective_read_schema(),
                ),
            });
            reads.collect()
        });
        Types {
            collection: self.name(id).to_owned(),
            write: Arc::clone(&checked.write_schema),
            read: checked.read_schema.clone(),
            reads,
        }
    }

    /// The name of a collection.
    pub fn name(&self, id: CollectionId) -> &str {
        self.catalog.collection(id).name()
    }
}

/// A collection.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedCollection {
    /// What a document must satisfy when it is written.
    pub write_schema: Arc<BundledSchema>,
    /// What a document must satisfy when it is read; absent when it is the write schema.
    pub read_schema: Option<Arc<BundledSchema>>,
    /// JSON pointers of the key, in order; empty when the key was refused.
    pub key_pointers: Vec<String>,
    /// The key.
    pub key: Key,
    /// All projections, sorted by field.
    pub projections: Arc<[Arc<Projection>]>,
    /// How journals are cut into fragments.
    pub fragments: Fragments,
    /// How it is derived, when it is.
    pub derivation: Option<Arc<CheckedDerivation>>,
}

impl CheckedCollection {
    /// The schema that readers apply.
    pub fn effective_read_schema(&self) -> &Arc<BundledSchema> {
        self.read_schema.as_ref().unwrap_or(&self.write_schema)
    }

    /// The projection of a field.
    pub fn projection(&self, field: &str) -> Option<&Projection> {
        let index = self.projections.binary_search_by(|known| known.field.as_str().cmp(field));
        index.ok().and_then(|index| self.projections.get(index)).map(|found| &**found)
    }
}

/// A derivation.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedDerivation {
    /// Whether its shards are disabled: it is part of the graph, but does not run.
    pub disabled: bool,
    /// Whether its lambdas are methods of a TypeScript module.
    pub is_by_module: bool,
    /// That module, when nothing is wrong with it.
    pub module: Option<Module>,
    /// The process that runs its lambdas.
    pub process: Option<LocalProcess>,
    /// Migrations in order.
    pub migrations: Vec<Script>,
    /// Enabled transforms in order.
    pub transforms: Vec<CheckedTransform>,
    /// Greatest duration of a transaction.
    pub transaction_duration_ms_max: u64,
    /// What digests of redacted values begin with, in base64.
    pub redact_salt: Option<String>,
    /// Where `derive` is declared.
    pub span: Span,
}

/// An enabled transform.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedTransform {
    /// Its index among all transforms of the derivation.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// What it reads.
    pub source: CheckedSource,
    /// Which shard gets a document; a shuffle that was left out is the key of the source.
    pub shuffle: Shuffle,
    /// The SQL.
    pub lambda: Script,
    /// What the process that runs it is told of it.
    pub config: Option<Value>,
    /// Whether every statement only reads.
    pub read_only: bool,
    /// Whether its rows fit the derived collection; absent when there is no lambda that could be prepared.
    pub proof: Option<Proof>,
    /// How long documents are held back.
    pub read_delay_ms: u64,
    /// Higher first.
    pub priority: i32,
    /// Raised to read anew.
    pub backfill: u32,
    /// Where the name is declared.
    pub span: Span,
}

/// What is known of the rows of a lambda.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// All of them fit the derived collection.
    Proved,
    /// A document was found whose rows do not.
    Refuted,
    /// Neither is known.
    NotProved,
}

/// A collection that is read, and which part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedSource {
    /// The collection.
    pub collection: CollectionId,
    /// Which partitions; all when absent.
    pub partitions: Option<Selector>,
    /// Documents published before this time are skipped; RFC 3339 as written.
    pub not_before: Option<String>,
    /// Documents published after this time are skipped; RFC 3339 as written.
    pub not_after: Option<String>,
}

/// What a capture or a materialization connects to.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedEndpoint {
    /// As a bundle keeps it.
    pub endpoint: Endpoint,
    /// The built-in connector of its image; absent for other images and for processes.
    pub connector: Option<ConnectorReference>,
    /// Where its config is declared.
    pub span: Span,
}

/// A built-in connector.
#[derive(Debug, Clone, Copy)]
pub struct ConnectorReference(pub &'static Connector);

impl PartialEq for ConnectorReference {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

/// A capture.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedCapture {
    /// Whether its shards are disabled: it is part of the graph, but does not run.
    pub disabled: bool,
    /// Where documents come from.
    pub endpoint: CheckedEndpoint,
    /// Enabled bindings in order.
    pub bindings: Vec<CheckedCaptureBinding>,
    /// Least time between two starts of a polling connector.
    pub interval_ms: u64,
    /// Greatest duration of a transaction.
    pub transaction_duration_ms_max: u64,
    /// What digests of redacted values begin with, in base64.
    pub redact_salt: Option<String>,
}

/// An enabled binding of a capture.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedCaptureBinding {
    /// Its index among all bindings of the capture.
    pub index: usize,
    /// The resource as written.
    pub resource: Value,
    /// What identifies the resource.
    pub resource_path: Vec<String>,
    /// The target.
    pub collection: CollectionId,
    /// Raised to capture anew.
    pub backfill: u32,
    /// Where the binding is declared.
    pub span: Span,
}

/// A materialization.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedMaterialization {
    /// Whether its shards are disabled: it is part of the graph, but does not run.
    pub disabled: bool,
    /// Where documents go.
    pub endpoint: CheckedEndpoint,
    /// Enabled bindings in order.
    pub bindings: Vec<CheckedMaterializationBinding>,
    /// Greatest duration of a transaction.
    pub transaction_duration_ms_max: u64,
}

/// An enabled binding of a materialization.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedMaterializationBinding {
    /// Its index among all bindings of the materialization.
    pub index: usize,
    /// The resource as written.
    pub resource: Value,
    /// What identifies the resource.
    pub resource_path: Vec<String>,
    /// What is read.
    pub source: CheckedSource,
    /// The fields that go there.
    pub fields: SelectedFields,
    /// The name of the table as the resource gives it, when the endpoint has tables.
    pub table: Option<String>,
    /// Whether documents are appended instead of kept one row per key.
    pub delta_updates: bool,
    /// Raised to read anew.
    pub backfill: u32,
    /// Higher first.
    pub priority: i32,
    /// Where the binding is declared.
    pub span: Span,
}

/// The fields of a collection that a binding materializes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SelectedFields {
    /// The fields of the key, in the order of the key (or of `groupBy`).
    pub keys: Vec<Arc<Projection>>,
    /// All other fields, sorted by field.
    pub values: Vec<Arc<Projection>>,
    /// The root document, when it is selected.
    pub document: Option<Arc<Projection>>,
}

/// A test.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedTest {
    /// The steps in order.
    pub steps: Vec<CheckedStep>,
}

/// One step of a test.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedStep {
    /// Ingest or verify.
    pub action: TestAction,
    /// The collection.
    pub collection: CollectionId,
    /// Which partitions are verified; all when absent.
    pub partitions: Option<Selector>,
    /// What it shows.
    pub description: String,
    /// The documents that are ingested or expected, each with its place.
    pub documents: Vec<(Value, Span)>,
    /// Where the step is declared.
    pub span: Span,
}
