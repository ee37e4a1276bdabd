//! Failures of running tasks, as plain data: the compiler chooses rule and words of their diagnostic.

use serde::Serialize;
use serde_json::Value;

use super::{Origin, TaskName};

/// Why a task, or the runtime as a whole, stopped.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Failure {
    /// The task that stopped, when it is the fault of one.
    pub task: Option<TaskName>,
    /// What happened.
    pub kind: FailureKind,
    /// What is wrong in plain words: lower case, no full stop.
    pub message: String,
    /// The place in the catalog that explains it: the schema keyword, the SQL token, the endpoint.
    pub origin: Option<Origin>,
    /// The collection concerned.
    pub collection: Option<String>,
    /// The document concerned.
    pub document: Option<Value>,
    /// JSON pointer of the location in the document.
    pub pointer: Option<String>,
    /// The schema keyword that refuses it.
    pub keyword: Option<String>,
    /// Further facts, a sentence each.
    pub notes: Vec<String>,
    /// What to do, as an imperative.
    pub help: Option<String>,
}

/// The kinds of failures; each has a rule page of the name that [`FailureKind::slug`] gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// A document violates the schema of its collection.
    DocumentViolatesSchema,
    /// Two documents of one key cannot be reduced.
    ReductionFailed,
    /// A document asks for different redactions of one location.
    RedactionFailed,
    /// A lambda failed on a document.
    LambdaFailed,
    /// A process that runs lambdas failed, or does not keep to the protocol.
    ProcessFailed,
    /// The text of an applied migration changed.
    MigrationChanged,
    /// A migration failed.
    MigrationFailed,
    /// A source holds something that cannot be read as documents.
    SourceUnreadable,
    /// A partition value cannot be a directory name.
    PartitionValueTooLong,
    /// The checkpoint of a task belongs to other data.
    CheckpointOfOtherData,
    /// Another process took over the endpoint.
    FencedOff,
    /// An endpoint refused to work: connection, credentials, a broken table.
    EndpointFailed,
    /// Key or partitions of a collection changed without `reset`.
    CollectionChanged,
    /// A `reset` that was carried out stands still in the catalog; a warning.
    ResetAlreadyDone,
    /// Another process holds the data directory.
    DataDirectoryLocked,
    /// A file or directory cannot be read or written.
    CannotAccess,
    /// A file of the bundle or data directory is not what it should be.
    Damaged,
    /// The connector cannot be run by this binary.
    ConnectorUnavailable,
    /// A limit was exceeded.
    LimitExceeded,
}

impl FailureKind {
    /// The rule that explains the failure.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::DocumentViolatesSchema => "document-violates-schema",
            Self::ReductionFailed => "reduction-failed",
            Self::RedactionFailed => "redaction-failed",
            Self::LambdaFailed => "lambda-failed",
            Self::ProcessFailed => "process-failed",
            Self::MigrationChanged => "migration-changed",
            Self::MigrationFailed => "migration-failed",
            Self::SourceUnreadable => "source-unreadable",
            Self::PartitionValueTooLong => "partition-value-too-long",
            Self::CheckpointOfOtherData => "checkpoint-of-other-data",
            Self::FencedOff => "fenced-off",
            Self::EndpointFailed => "endpoint-failed",
            Self::CollectionChanged => "collection-changed",
            Self::ResetAlreadyDone => "reset-already-done",
            Self::DataDirectoryLocked => "data-directory-locked",
            Self::CannotAccess => "cannot-access",
            Self::Damaged => "damaged",
            Self::ConnectorUnavailable => "connector-unavailable",
            Self::LimitExceeded => "limit-exceeded",
        }
    }

    /// Whether the cause lies outside the catalog and its data: a file, a database, a credential. Such failures
    /// at the start of a run end with the exit code for the environment.
    pub const fn is_environment(self) -> bool {
        matches!(
            self,
            Self::DataDirectoryLocked
                | Self::CannotAccess
                | Self::Damaged
                | Self::ConnectorUnavailable
        )
    }
}

impl Failure {
    /// A failure of a kind with its message; further facts are added with the other methods.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            task: None,
            kind,
            message: message.into(),
            origin: None,
            collection: None,
            document: None,
            pointer: None,
            keyword: None,
            notes: Vec::new(),
            help: None,
        }
    }

    /// The same with the place that explains it.
    #[must_use]
    pub fn at(mut self, origin: Option<Origin>) -> Self {
        self.origin = origin;
        self
    }

    /// The same with the document and the location in it.
    #[must_use]
    pub fn document(mut self, document: &Value, pointer: Option<String>) -> Self {
        self.document = Some(document.clone());
        self.pointer = pointer;
        self
    }

    /// The same with the collection concerned.
    #[must_use]
    pub fn collection(mut self, collection: &str) -> Self {
        self.collection = Some(collection.to_owned());
        self
    }

    /// The same with a further fact.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// The same with what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with its task, unless one is named already.
    #[must_use]
    pub fn of(mut self, task: &TaskName) -> Self {
        self.task.get_or_insert_with(|| task.clone());
        self
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
