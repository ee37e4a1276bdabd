//! Which journals and times a read takes in.

use serde_json::Value;
use tidegate_stdlib::bundle::{Collection, Failure, FailureKind, Selector, Source};
use tidegate_stdlib::value::compare;

use crate::store::{JournalName, decode_partition_value};
use crate::uuid::Clock;

/// The bounds of one read.
#[derive(Debug)]
pub(crate) struct Selection {
    collection: String,
    partitions: Selector,
    not_before: Option<Clock>,
    not_after: Option<Clock>,
}

impl Selection {
    /// The bounds that a source states.
    ///
    /// # Errors
    /// `damaged` when a time of the bundle is none.
    pub(crate) fn new(collection: &Collection, source: &Source) -> Result<Self, Failure> {
        Ok(Self {
            collection: collection.name.clone(),
            partitions: source.partitions.clone().unwrap_or_default(),
            not_before: source.not_before.as_deref().map(parse_time).transpose()?,
            not_after: source.not_after.as_deref().map(parse_time).transpose()?,
        })
    }

    /// Whether the documents of a journal are read; the others stay unread.
    pub(crate) fn has_journal(&self, journal: &JournalName) -> bool {
        let path = journal.0.strip_prefix(self.collection.as_str()).unwrap_or_default();
        let value_of = |field: &str| -> Option<Value> {
            let parts = path.split('/').filter_map(|part| part.split_once('='));
            let (_, text) = parts.into_iter().find(|(name, _)| *name == field)?;
            decode_partition_value(text)
        };
        let admits = |field: &str, values: &[Value]| {
            value_of(field)
                .is_some_and(|value| values.iter().any(|admitted| same(&value, admitted)))
        };
        self.partitions.include.iter().all(|(field, values)| admits(field, values))
            && !self.partitions.exclude.iter().any(|(field, values)| admits(field, values))
    }

    /// Whether a document published at this time is taken in.
    pub(crate) fn has_time(&self, clock: Clock) -> bool {
        self.not_before.is_none_or(|bound| clock >= bound)
            && self.not_after.is_none_or(|bound| clock <= bound)
    }
}

/// Reads a time of the bundle, RFC 3339.
pub(crate) fn parse_time(text: &str) -> Result<Clock, Failure> {
    let time: jiff::Timestamp = text.parse().map_err(|_| {
        Failure::new(FailureKind::Damaged, format!("`{text}` in the bundle is no time"))
    })?;
    Ok(Clock::from_unix(time.as_nanosecond()))
}

fn same(left: &Value, right: &Value) -> bool {
    compare(left, right).is_eq()
}
