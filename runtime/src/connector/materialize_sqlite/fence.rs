//! The table `flow_checkpoints_v1`: the checkpoint of each task and key range, and the fence that keeps an older process
//! from committing.

use rusqlite::{Connection, OptionalExtension, Result, params};
use tidegate_stdlib::bundle::{Failure, FailureKind};

const CREATE: &str = "CREATE TABLE IF NOT EXISTS flow_checkpoints_v1 (
    materialization TEXT NOT NULL,
    key_begin INTEGER NOT NULL,
    key_end INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    checkpoint TEXT NOT NULL,
    PRIMARY KEY (materialization, key_begin, key_end)
)";

/// The fence of one task and key range.
#[derive(Debug)]
pub(super) struct Fence {
    materialization: String,
    key_begin: u32,
    key_end: u32,
    /// What the fence was raised to at the last open.
    fence: i64,
}

impl Fence {
    /// The fence of a task that has the whole key space, not taken yet.
    pub(super) fn new(materialization: &str) -> Self {
        let materialization = materialization.to_owned();
        Self { materialization, key_begin: 0, key_end: u32::MAX, fence: 0 }
    }

    /// The same for a part of the key space, both ends included.
    #[cfg(test)]
    pub(super) fn narrow(&mut self, key_begin: u32, key_end: u32) {
        (self.key_begin, self.key_end) = (key_begin, key_end);
    }

    /// Raises the fence of every range that overlaps this one, and gives the checkpoint of the narrowest range that
    /// covers it; empty texts are no checkpoint.
    pub(super) fn take(&mut self, connection: &Connection) -> Result<Option<String>> {
        connection.execute(CREATE, [])?;
        connection.execute(
            "UPDATE flow_checkpoints_v1 SET fence = fence + 1
             WHERE materialization = ?1 AND key_end >= ?2 AND key_begin <= ?3",
            params![self.materialization, self.key_begin, self.key_end],
        )?;
        let covering: Option<(u32, u32, i64, String)> = connection
            .query_row(
                "SELECT key_begin, key_end, fence, checkpoint FROM flow_checkpoints_v1
                 WHERE materialization = ?1 AND key_begin <= ?2 AND key_end >= ?3
                 ORDER BY key_end - key_begin LIMIT 1",
                params![self.materialization, self.key_begin, self.key_end],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )
            .optional()?;
        let is_exact = covering.as_ref().is_some_and(|(key_begin, key_end, ..)| {
            (*key_begin, *key_end) == (self.key_begin, self.key_end)
        });
        let (fence, checkpoint) =
            covering.map_or((1, String::new()), |(_, _, fence, checkpoint)| (fence, checkpoint));
        if !is_exact {
            connection.execute(
                "INSERT INTO flow_checkpoints_v1 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![self.materialization, self.key_begin, self.key_end, fence, checkpoint],
            )?;
        }
        self.fence = fence;
        Ok((!checkpoint.is_empty()).then_some(checkpoint))
    }

    /// Sets the checkpoint; `false` when another process has raised the fence.
    pub(super) fn set_checkpoint(&self, connection: &Connection, checkpoint: &str) -> Result<bool> {
        let mut statement = connection.prepare_cached(
            "UPDATE flow_checkpoints_v1 SET checkpoint = ?5
             WHERE materialization = ?1 AND key_begin = ?2 AND key_end = ?3 AND fence = ?4",
        )?;
        let changed = statement.execute(params![
            self.materialization,
            self.key_begin,
            self.key_end,
            self.fence,
            checkpoint
        ])?;
        Ok(changed == 1)
    }

    /// Forgets the checkpoint of this range.
    pub(super) fn forget_checkpoint(&self, connection: &Connection) -> Result<()> {
        connection.execute(CREATE, [])?;
        connection.execute(
            "UPDATE flow_checkpoints_v1 SET checkpoint = ''
             WHERE materialization = ?1 AND key_begin = ?2 AND key_end = ?3",
            params![self.materialization, self.key_begin, self.key_end],
        )?;
        Ok(())
    }
}

/// What a task says whose fence was raised by somebody else.
pub(super) fn fenced_off(database: &str) -> Failure {
    Failure::new(
        FailureKind::FencedOff,
        format!("another process took over this task in the database `{database}`"),
    )
    .note("its fence in `flow_checkpoints_v1` was raised; nothing of this transaction was stored")
    .help("let only one process run this materialization")
}
