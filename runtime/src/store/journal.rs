//! Names of journals and places in them.

/// The name of a journal: collection, partition values sorted by field, pivot; for example
/// `acme/orders/region=eu/pivot=00`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JournalName(pub std::sync::Arc<str>);

/// A place in a journal: an offset in uncompressed bytes, and the incarnation (8 random bytes drawn when the journal
/// was created) that the offset belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct JournalPosition {
    /// Drawn when the journal was created.
    pub incarnation: u64,
    /// Uncompressed bytes from the beginning.
    pub offset: u64,
}
