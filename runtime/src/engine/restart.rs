//! Emptying a task's shard, so that it reads from the beginning.
//!
//! What the task has published stays where it is: its journals go on at their heads.

use rusqlite::{Connection, Error};
use tidegate_stdlib::bundle::{Failure, FailureKind};
use tidegate_stdlib::lambda::sqlite::GuardMode;

use crate::store::Shard;

/// Our tables that hold what a task has reached.
const PROGRESS: &str = "DELETE FROM tidegate_checkpoint;
    DELETE FROM tidegate_state;
    DELETE FROM tidegate_migration;";

/// The next object of the user's. Virtual tables go before the shadow tables that they own.
const NEXT_OBJECT: &str = "SELECT type, name FROM sqlite_schema
    WHERE name NOT LIKE 'tidegate\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
        AND type IN ('view', 'trigger', 'table')
    ORDER BY type = 'table', sql NOT LIKE 'CREATE VIRTUAL%' LIMIT 1";

/// Drops the tables of the task's migrations and forgets positions, states and applied migrations, in one commit.
///
/// # Errors
/// When the database refuses.
pub(super) fn restart(shard: &mut Shard) -> Result<(), Failure> {
    shard.begin()?;
    let guard = shard.guard().clone();
    let emptied = guard.within(GuardMode::Internal, || empty(shard.connection()));
    if let Err(error) = emptied {
        shard.rollback();
        let message = format!("the tables of this task cannot be emptied: {error}");
        return Err(Failure::new(FailureKind::Damaged, message));
    }
    shard.commit().map(drop)
}

fn empty(connection: &Connection) -> Result<(), Error> {
    loop {
        let next = connection.query_row(NEXT_OBJECT, (), |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        });
        let (kind, name) = match next {
            Ok(object) => object,
            Err(Error::QueryReturnedNoRows) => return connection.execute_batch(PROGRESS),
            Err(error) => return Err(error),
        };
        connection.execute_batch(&format!("DROP {kind} \"{}\"", name.replace('"', "\"\"")))?;
    }
}
