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
    Capture, Collection, Endpoint, Failure, FailureKind, LocalProcess, Materialization, Origin,
};
use tidegate_stdlib::connector::{Connector, by_image};
use tidegate_stdlib::document::{Builder, Documents, Node};

use crate::stamp;
use crate::uuid::Uuid;

/// Documents in order, each with the index of its binding.
#[derive(Debug, Default)]
pub struct Pulled {
    documents: Documents,
    bindings: Vec<usize>,
}

impl Pulled {
    /// Adds the document of a binding that `build` builds: exactly one value.
    ///
    /// # Errors
    /// Those of `build`; nothing is added then.
    pub fn add<E>(
        &mut self,
        binding: usize,
        build: impl FnOnce(&mut Builder) -> Result<(), E>,
    ) -> Result<(), E> {
        self.documents.add(build)?;
        self.bindings.push(binding);
        Ok(())
    }

    /// How many documents there are.
    pub fn len(&self) -> usize {
        self.bindings.len()
    }

    /// Whether there is no document.
    pub fn is_empty(&self) -> bool {
        self.bindings.is_empty()
    }

    /// The documents, each after the index of its binding.
    pub fn iter(&self) -> impl Iterator<Item = (usize, Node<'_>)> {
        self.bindings.iter().copied().zip(self.documents.iter())
    }

    /// Forgets the documents and keeps the allocations.
    pub fn clear(&mut self) {
        self.documents.clear();
        self.bindings.clear();
    }
}

/// One pull of documents from a source.
#[derive(Debug)]
pub enum Pull {
    /// Documents were added, and this is the state after them: a value per binding that changed, by state key. The
    /// documents since the last batch and this state are committed together.
    Batch {
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
    /// Adds the next documents, at most about `documents_max`, to `into`.
    ///
    /// # Errors
    /// What cannot be read, with its place in the source; what was handed out before stays valid.
    fn pull(&mut self, documents_max: usize, into: &mut Pulled) -> Result<Pull, Failure>;

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
            Some(connector) => match config.plain() {
                Some(config) => Ok((connector, config)),
                None => Err(encrypted(image)),
            },
            None => Err(Failure::new(
                FailureKind::ConnectorUnavailable,
                format!("the connector `{image}` is not built into this binary"),
            )
            .help("use one of the images that begin with `tidegate/`")),
        },
        Endpoint::Local(LocalProcess { command, .. }) => Err(Failure::new(
            FailureKind::ConnectorUnavailable,
            format!("the local command `{}` cannot be run yet", command.join(" ")),
        )
        .help("use one of the images that begin with `tidegate/`")),
    }
}

fn encrypted(image: &str) -> Failure {
    Failure::new(
        FailureKind::EndpointFailed,
        format!("the config is encrypted by `sops`, and `{image}` reads plain ones only"),
    )
    .help("decrypt it for the run, by `sops --decrypt`")
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

/// A document to store.
#[derive(Debug, Clone, Copy)]
pub struct Store<'s> {
    /// Index of the binding.
    pub binding: usize,
    /// The reduced document without its UUID.
    pub document: Node<'s>,
    /// The UUID of the last document that it was reduced from.
    pub uuid: Option<Uuid>,
    /// Whether a row of its key was loaded.
    pub exists: bool,
    /// Whether the row is to be removed.
    pub delete: bool,
}

impl Store<'_> {
    /// The document as it is shown in messages.
    pub(crate) fn shown(&self) -> Value {
        match self.uuid {
            Some(uuid) => stamp::stamped_value(self.document, uuid),
            None => self.document.to_value(),
        }
    }
}

/// What came of the attempt to begin a transaction.
#[derive(Debug)]
pub enum Begun {
    /// It is open.
    Open,
    /// Somebody else held the lock all the time that was waited for it: the failure that this would be for a task without
    /// patience, which names who, when that is known.
    Locked(Box<Failure>),
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
    /// When the endpoint refuses.
    fn begin(&mut self) -> Result<Begun, Failure>;

    /// Loads the stored documents of `keys` (arrays of the values in the order of the key columns) and hands out each
    /// without its UUID, with the index of its key.
    ///
    /// # Errors
    /// When the endpoint refuses.
    fn load(
        &mut self,
        binding: usize,
        keys: &[Node<'_>],
        found: &mut dyn FnMut(usize, Node<'_>),
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

    /// Removes all that the open transaction finds in the table of a binding.
    ///
    /// # Errors
    /// When the endpoint refuses.
    fn empty(&mut self, binding: usize) -> Result<(), Failure>;

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
