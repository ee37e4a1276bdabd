//! Reads that took the place of others: a name is the identity of a read, so one that was renamed begins at the start.

use std::collections::BTreeSet;
use std::fmt;

use super::ReadSpec;
use crate::store::CheckpointEntry;

/// A read of another name than the one that had read a collection before: it begins at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenamedRead {
    /// The read, in words.
    pub read: String,
    /// The collection.
    pub collection: String,
    /// The names of the reads that are gone.
    pub before: Vec<String>,
}

impl RenamedRead {
    /// The reads that begin at the start although others, which are gone, have read their collections. A raised `backfill` is another
    /// read of the same name, which is what was asked for.
    pub(super) fn find(specs: &[ReadSpec<'_>], checkpoint: &[CheckpointEntry]) -> Vec<Self> {
        let names: BTreeSet<&str> = specs.iter().map(|spec| name_of(&spec.suffix)).collect();
        let recorded: BTreeSet<&str> =
            checkpoint.iter().map(|entry| name_of(&entry.suffix)).collect();
        let renamed = specs.iter().filter(|spec| !recorded.contains(name_of(&spec.suffix)));
        let renamed = renamed.map(|spec| {
            let collection = &spec.collection.name;
            let gone = checkpoint.iter().filter(|entry| {
                !names.contains(name_of(&entry.suffix)) && entry.journal.collection() == *collection
            });
            let before = gone.map(|entry| name_of(&entry.suffix)).collect::<BTreeSet<_>>();
            let short = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
            Self {
                read: spec.label.clone(),
                collection: collection.clone(),
                before: before.into_iter().map(short).collect(),
            }
        });
        renamed.filter(|read| !read.before.is_empty()).collect()
    }
}

impl fmt::Display for RenamedRead {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { read, collection, before } = self;
        let before = before.join("`, `");
        write!(
            formatter,
            "{read} reads `{collection}` from the start: it is new, and `{before}`, which had read it, is gone"
        )
    }
}

/// The identity of a read without the counter of its backfill.
pub(crate) fn name_of(suffix: &str) -> &str {
    match suffix.rsplit_once(".v") {
        Some((name, counter)) if counter.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => suffix,
    }
}
