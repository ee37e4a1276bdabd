//! Which journals and times a read takes in.

use tidegate_stdlib::bundle::{Collection, Failure, FailureKind, Selector, Source};

use crate::read::selects;
use crate::store::JournalName;
use crate::uuid::Clock;

/// The bounds of one read.
#[derive(Debug)]
pub(crate) struct Selection {
    partitions: Selector,
    not_before: Option<Clock>,
    not_after: Option<Clock>,
}

impl Selection {
    /// The bounds that a source, a part of `collection`, states.
    ///
    /// # Errors
    /// `damaged` when a time of the bundle is none.
    pub(crate) fn new(collection: &Collection, source: &Source) -> Result<Self, Failure> {
        let bound = |text: &Option<String>| {
            let clock = text.as_deref().map(parse_time).transpose();
            clock.map_err(|failure| failure.collection(&collection.name))
        };
        Ok(Self {
            partitions: source.partitions.clone().unwrap_or_default(),
            not_before: bound(&source.not_before)?,
            not_after: bound(&source.not_after)?,
        })
    }

    /// Whether the documents of a journal are read; the others stay unread.
    pub(crate) fn has_journal(&self, journal: &JournalName) -> bool {
        selects(&self.partitions, journal)
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
