//! Cutting tails into fragment files, in three steps of which each is durable before the next.
//!
//! 1. The database records the files to come, in state `writing`. 2. The files are written. 3. The database drops the
//! tails and sets `done`: from here on the files are the only copy. Whoever finds a file in state `writing` removes it,
//! because the tail still has its bytes. All fragments that are due go through the steps together.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use sha1::{Digest, Sha1};
use tidegate_stdlib::bundle::{Codec, Failure, FailureKind, Fragments};

use super::blob::{decode_next, parse_codec};
use super::fragment::{FragmentFile, FragmentName, collections_directory};
use super::shard::Journal;
use super::{JournalName, Shard, failpoint, files};
use crate::uuid::Clock;

/// The tail rows of one journal and codec, and the file that they become.
#[derive(Debug)]
struct Cut {
    journal: i64,
    file: FragmentFile,
}

/// Consecutive tail rows of one codec.
#[derive(Debug)]
struct Run {
    begin: u64,
    end: u64,
    codec: Codec,
    first_append: Clock,
}

/// See [`Shard::cut_fragments`].
pub(super) fn cut(
    shard: &mut Shard,
    fragments: &Fragments,
    everything: bool,
) -> Result<(), Failure> {
    remove_unfinished(shard)?;
    let is_due = |journal: &&Journal| {
        let age = journal.tail_since.map_or(Duration::ZERO, |since| since.elapsed());
        journal.tail_bytes > 0
            && (everything
                || journal.tail_bytes >= fragments.length_bytes
                || age >= Duration::from_millis(fragments.flush_interval_ms))
    };
    let mut cuts = Vec::new();
    for journal in shard.journals.values().filter(is_due) {
        cuts.extend(plan(shard, journal)?);
    }
    if cuts.is_empty() {
        return Ok(());
    }
    shard.has_unfinished = true;
    record(shard, &cuts)?;
    failpoint::reached("fragment-recorded");
    write(shard, &cuts)?;
    failpoint::reached("fragment-written");
    finish(shard, &cuts)?;
    failpoint::reached("fragment-finished");
    shard.has_unfinished = false;
    for journal in shard.journals.values_mut() {
        if cuts.iter().any(|cut| cut.journal == journal.id) {
            (journal.tail_bytes, journal.tail_since) = (0, None);
        }
    }
    Ok(())
}

/// Removes the files that were being written when a process died or a disk was full.
pub(super) fn remove_unfinished(shard: &mut Shard) -> Result<(), Failure> {
    if !shard.has_unfinished {
        return Ok(());
    }
    let paths: Vec<String> = shard.internal(|connection| {
        let query = "SELECT path FROM tidegate_fragment WHERE state = 'writing'";
        let mut statement = connection.prepare(query)?;
        statement.query_map((), |row| row.get(0))?.collect()
    })?;
    let paths: Vec<PathBuf> = paths.iter().map(|path| shard.directory.path().join(path)).collect();
    for path in &paths {
        files::remove(path)?;
    }
    let directories = paths.iter().filter_map(|path| path.parent()).filter(|path| path.is_dir());
    for directory in directories {
        files::sync_directory(directory, shard.directory.durability())?;
    }
    shard.internal(|connection| {
        connection.execute("DELETE FROM tidegate_fragment WHERE state = 'writing'", ())
    })?;
    shard.has_unfinished = false;
    Ok(())
}

fn plan(shard: &Shard, journal: &Journal) -> Result<Vec<Cut>, Failure> {
    let mut cuts = Vec::new();
    for run in runs(shard, journal)? {
        let mut sha1 = Sha1::new();
        let mut raw = Vec::new();
        each_blob(shard, journal.id, (run.begin, run.end), &mut |blob, length| {
            raw.clear();
            let mut input = blob;
            while !input.is_empty() {
                decode_next(run.codec, &mut input, length, &mut raw)
                    .map_err(|error| damaged(&journal.name, &error))?;
            }
            sha1.update(&raw);
            Ok(())
        })?;
        let Run { begin, end, codec, first_append } = run;
        let sha1 = format!("{:x}", sha1.finalize());
        let name = FragmentName { begin, end, sha1, codec };
        let file = FragmentFile::new(&journal.name, first_append, name);
        cuts.push(Cut { journal: journal.id, file });
    }
    Ok(cuts)
}

fn runs(shard: &Shard, journal: &Journal) -> Result<Vec<Run>, Failure> {
    let rows: Vec<(i64, i64, String, i64)> = shard.internal(|connection| {
        let mut statement = connection.prepare_cached(
            "SELECT begin, end, codec, first_append FROM tidegate_tail
            WHERE journal = ? ORDER BY begin",
        )?;
        let rows = statement.query_map((journal.id,), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?;
        rows.collect()
    })?;
    let mut runs: Vec<Run> = Vec::new();
    for (begin, end, codec, first_append) in rows {
        let (begin, end) = (begin.cast_unsigned(), end.cast_unsigned());
        let codec = parse_codec(&codec).ok_or_else(|| {
            let message = format!("the tail of journal `{}` has codec `{codec}`", journal.name);
            Failure::new(FailureKind::Damaged, message)
        })?;
        match runs.last_mut() {
            Some(run) if run.codec == codec && run.end == begin => run.end = end,
            _ => {
                let first_append = Clock(first_append.cast_unsigned());
                runs.push(Run { begin, end, codec, first_append });
            }
        }
    }
    Ok(runs)
}

/// Hands out the blobs between two offsets, each with its raw length; one is in memory at a time.
fn each_blob(
    shard: &Shard,
    journal: i64,
    (begin, end): (u64, u64),
    each: &mut dyn FnMut(&[u8], u64) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut outcome = Ok(());
    shard.internal(|connection| {
        let mut statement = connection.prepare_cached(
            "SELECT bytes, end - begin FROM tidegate_tail
            WHERE journal = ? AND begin >= ? AND begin < ? ORDER BY begin",
        )?;
        let mut rows = statement.query((journal, begin.cast_signed(), end.cast_signed()))?;
        while outcome.is_ok()
            && let Some(row) = rows.next()?
        {
            let length = row.get::<_, i64>(1)?.cast_unsigned();
            outcome = each(row.get_ref(0)?.as_blob()?, length);
        }
        Ok(())
    })?;
    outcome
}

fn record(shard: &Shard, cuts: &[Cut]) -> Result<(), Failure> {
    in_transaction(shard, |connection| {
        let mut insert = connection.prepare_cached(
            "INSERT INTO tidegate_fragment (journal, begin, end, sha1, path, state)
            VALUES (?, ?, ?, ?, ?, 'writing')",
        )?;
        for Cut { journal, file: FragmentFile { path, name } } in cuts {
            let (begin, end) = (name.begin.cast_signed(), name.end.cast_signed());
            insert.execute((journal, begin, end, &name.sha1, path))?;
        }
        Ok(())
    })
}

fn write(shard: &Shard, cuts: &[Cut]) -> Result<(), Failure> {
    let (root, durability) = (shard.directory.path(), shard.directory.durability());
    let paths: Vec<PathBuf> = cuts.iter().map(|cut| root.join(&cut.file.path)).collect();
    for (cut, path) in cuts.iter().zip(&paths) {
        if let Some(parent) = path.parent() {
            files::create_directories(parent)?;
        }
        files::replace(path, durability, &mut |file| write_blobs(shard, cut, path, file))?;
        failpoint::reached("fragment-renamed");
    }
    let directories = paths.iter().filter_map(|path| path.parent());
    files::sync_directories(directories, &collections_directory(root), durability)
}

fn write_blobs(shard: &Shard, cut: &Cut, path: &Path, file: &mut dyn Write) -> Result<(), Failure> {
    let FragmentName { begin, end, .. } = cut.file.name;
    each_blob(shard, cut.journal, (begin, end), &mut |blob, _| {
        file.write_all(blob).map_err(|error| files::inaccessible("write", path, &error))
    })?;
    failpoint::reached("fragment-half-written");
    Ok(())
}

fn finish(shard: &Shard, cuts: &[Cut]) -> Result<(), Failure> {
    in_transaction(shard, |connection| {
        let mut delete = connection.prepare_cached(
            "DELETE FROM tidegate_tail WHERE journal = ? AND begin >= ? AND begin < ?",
        )?;
        let mut update = connection.prepare_cached(
            "UPDATE tidegate_fragment SET state = 'done' WHERE journal = ? AND begin = ?",
        )?;
        for Cut { journal, file: FragmentFile { name, .. } } in cuts {
            let (begin, end) = (name.begin.cast_signed(), name.end.cast_signed());
            delete.execute((journal, begin, end))?;
            update.execute((journal, begin))?;
        }
        Ok(())
    })
}

fn in_transaction(
    shard: &Shard,
    work: impl FnOnce(&Connection) -> rusqlite::Result<()>,
) -> Result<(), Failure> {
    let outcome = shard.internal(|connection| {
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
        work(connection)?;
        connection.prepare_cached("COMMIT")?.execute(())
    });
    if outcome.is_err() && !shard.connection.is_autocommit() {
        // The failure that is reported is the first one.
        let _ = shard.internal(|connection| connection.execute_batch("ROLLBACK"));
    }
    outcome.map(|_| ())
}

fn damaged(journal: &JournalName, error: &io::Error) -> Failure {
    let message = format!("the tail of journal `{journal}` is damaged");
    Failure::new(FailureKind::Damaged, message).note(error.to_string())
}
