//! Stamping the documents of one transaction.

use crate::engine::hub::{Hub, TaskIndex};
use crate::uuid::{Clock, OUTSIDE_TXN, Producer, Uuid};

/// Draws the stamps of one transaction. The first announces the floor of the task; a transaction that publishes nothing
/// announces none.
#[derive(Debug)]
pub(crate) struct Stamps<'h> {
    hub: &'h Hub,
    task: TaskIndex,
    producer: Producer,
    last: Option<Clock>,
}

impl<'h> Stamps<'h> {
    /// Stamps for a transaction of `task`.
    pub(crate) fn new(hub: &'h Hub, task: TaskIndex, producer: Producer) -> Self {
        Self { hub, task, producer, last: None }
    }

    /// The UUID of the next document.
    pub(crate) fn next(&mut self) -> Uuid {
        let clock = match self.last {
            Some(_) => self.hub.clock().stamp(),
            None => self.hub.begin_flush(self.task),
        };
        self.last = Some(clock);
        Uuid { producer: self.producer, clock, flags: OUTSIDE_TXN }
    }
}
