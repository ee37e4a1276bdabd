//! Local connectors: sources and destinations that run inside this process.
//!
//! One file per connector; [`open_source`] and [`open_destination`] choose by the endpoint's image.

mod materialize_sqlite;
mod source_file;
mod source_sim;

use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tidegate_stdlib::bundle::{
    Capture, Collection, Endpoint, Failure, FailureKind, Materialization, Origin,
};
use tidegate_stdlib::connector::{Connector, by_image};

/// One pull of documents from a source.
#[derive(Debug)]
pub enum Pull {
    /// Documents with the index of their binding, and the state after them: a value per binding that changed, by state key. The documents
    /// since the last batch and this state are committed together.
    Batch {
        /// Documents in order.
        documents: Vec<(usize, Value)>,
        /// `(state key, state)`; the source is opened with these again.
        states: Vec<(String, Value)>,
        /// An estimate of the bytes read for it.
        bytes: usize,
    },
    /// Nothing now; there may be more later (a watched directory, a rate).
    Waiting,
    /// Nothing more.
    Drained,
}

/// A source of documents.
pub trait Source: Send {
    /// The next documents, at most about `documents_max`.
    ///
    /// # Errors
    /// What cannot be read, with its place in the source; what was handed out before stays valid.
    fn pull(&mut self, documents_max: usize) -> Result<Pull, Failure>;

    /// Whether a source that says [`Pull::Waiting`] waits for others, who may never come, rather than for its own rate. A run
    /// that ends when it is idle does not wait for it.
    fn waits_for_others(&self) -> bool {
        false
    }
}

/// What a source or destination is opened with.
#[derive(Debug, Clone, Copy)]
pub struct Opening<'o> {
    /// Where relative paths start.
    pub root: &'o Path,
    /// The data directory, which endpoints must not lie in.
    pub data: &'o Path,
    /// Collections by binding.
    pub collections: &'o [&'o Collection],
}

/// The key under which the state of a capture's binding is kept: its encoded resource path and backfill counter,
/// such as `some%20path.v1`.
pub fn state_key(resource_path: &[String], backfill: u32) -> String {
    let encoded: Vec<String> =
        resource_path.iter().map(|part| utf8_percent_encode(part, UNSAFE).to_string()).collect();
    format!("{}.v{backfill}", encoded.join("/"))
}

/// What is encoded in a state key: all but letters, digits and `-`, `_`, `.` of ASCII.
const UNSAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// Gives the recorded state under a state key, if any.
pub type StateLookup<'s> = dyn Fn(&str) -> Result<Option<Value>, Failure> + 's;

/// Opens the source of a capture at its recorded states.
///
/// # Errors
/// When the connector is not built in, its config is wrong or its files cannot be opened.
pub fn open_source(
    capture: &Capture,
    opening: Opening<'_>,
    state: &StateLookup<'_>,
) -> Result<Box<dyn Source>, Failure> {
    let open = || {
        let (connector, config) = built_in(&capture.endpoint)?;
        match connector.name {
            "source-file" => source_file::open(config, &capture.bindings, opening, state),
            "source-sim" => source_sim::open(config, &capture.bindings, state),
            other => Err(not_a("capture", other)),
        }
    };
    open().map_err(|failure| placed(failure, &capture.endpoint_origin))
}

/// The built-in connector of an endpoint and its config.
fn built_in(endpoint: &Endpoint) -> Result<(&'static Connector, &Value), Failure> {
    match endpoint {
        Endpoint::Connector { image, config } => match by_image(image) {
            Some(connector) => Ok((connector, config)),
            None => Err(Failure::new(
                FailureKind::ConnectorUnavailable,
                format!("the connector `{image}` is not built into this binary"),
            )
            .help("use one of the images that begin with `tidegate/`")),
        },
        Endpoint::Local { command, .. } => Err(Failure::new(
            FailureKind::ConnectorUnavailable,
            format!("the local command `{}` cannot be run yet", command.join(" ")),
        )
        .help("use one of the images that begin with `tidegate/`")),
    }
}

fn not_a(role: &str, connector: &str) -> Failure {
    Failure::new(
        FailureKind::ConnectorUnavailable,
        format!("the connector `{connector}` cannot serve a {role}"),
    )
}

/// The failure with the endpoint's place, unless it has a place of its own.
fn placed(failure: Failure, origin: &Origin) -> Failure {
    match failure.origin {
        Some(_) => failure,
        None => failure.at(Some(origin.clone())),
    }
}

/// Reads the config of an endpoint or the resource of a binding, which the compiler has checked.
fn decode<T: DeserializeOwned>(what: &str, value: &Value) -> Result<T, Failure> {
    T::deserialize(value).map_err(|error| {
        Failure::new(FailureKind::EndpointFailed, format!("the {what} cannot be used: {error}"))
    })
}

/// A document to store: its row in the order of the table's columns.
#[derive(Debug, Clone, Copy)]
pub struct Store<'s> {
    /// Index of the binding.
    pub binding: usize,
    /// The reduced document.
    pub document: &'s Value,
    /// Whether a row of its key was loaded.
    pub exists: bool,
    /// Whether the row is to be removed.
    pub delete: bool,
}

/// A destination of documents. A transaction is `begin`, `load`, `store`, `commit`; it is abandoned by `rollback`.
pub trait Destination: Send {
    /// The checkpoint that the endpoint holds for this task and its range, if the endpoint is its authority; takes the fence,
    /// so that an older process can no longer commit. Creates missing tables.
    ///
    /// # Errors
    /// When the endpoint refuses, or a table is not what the binding needs.
    fn open(&mut self) -> Result<Option<Value>, Failure>;

    /// Begins the endpoint's transaction.
    ///
    /// # Errors
    /// When the endpoint refuses, or somebody holds its lock for too long (the message says who, when that is known).
    fn begin(&mut self) -> Result<(), Failure>;

    /// Loads the stored documents of `keys` (values in the order of the key columns) and hands each with its index.
    ///
    /// # Errors
    /// When the endpoint refuses.
    fn load(
        &mut self,
        binding: usize,
        keys: &[Vec<Value>],
        found: &mut dyn FnMut(usize, Value),
    ) -> Result<(), Failure>;

    /// Stores a document.
    ///
    /// # Errors
    /// When the endpoint refuses; the failure carries the document.
    fn store(&mut self, store: Store<'_>) -> Result<(), Failure>;

    /// Commits rows, checkpoint and fence together.
    ///
    /// # Errors
    /// `fenced-off` when another process took over; `endpoint-failed` else. Nothing was committed then, or the next
    /// `open` tells.
    fn commit(&mut self, checkpoint: &Value) -> Result<(), Failure>;

    /// Abandons the open transaction, if any.
    fn rollback(&mut self);

    /// Empties the task's tables and forgets its checkpoint.
    ///
    /// # Errors
    /// When the endpoint refuses.
    fn restart(&mut self) -> Result<(), Failure>;
}

/// Opens the destination of a materialization (without touching its tables yet).
///
/// # Errors
/// When the connector is not built in, its config is wrong, or the endpoint cannot be reached.
pub fn open_destination(
    materialization: &Materialization,
    opening: Opening<'_>,
) -> Result<Box<dyn Destination>, Failure> {
    let open = || {
        let (connector, config) = built_in(&materialization.endpoint)?;
        match connector.name {
            "materialize-sqlite" => materialize_sqlite::open(config, materialization, opening),
            other => Err(not_a("materialization", other)),
        }
    };
    open().map_err(|failure| placed(failure, &materialization.endpoint_origin))
}
