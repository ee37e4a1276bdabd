//! Cutting tails into fragment files, in three steps of which each is durable before the next.
//!
//! - The database records the files to come, in state `writing`.
//! - The files are written.
//! - The database drops the tails and sets `done`: from here on the files are the only copy.
//!
//! Whoever finds a file in state `writing` removes it, because the tail still has its bytes. All fragments that are due
//! go through the steps together.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use sha1::{Digest, Sha1};
use tidegate_stdlib::bundle::{Codec, Failure, FailureKind, Fragments};

use super::blob::{BlobEncoder, decode_next, parse_codec};
use super::fragment::{FragmentFile, FragmentName, collections_directory};
use super::shard::{Journal, TailDigest};
use super::{JournalName, Shard, failpoint, files};
use crate::limits::BLOB_BYTES;
use crate::uuid::Clock;

/// Raw size below which a blob is not worth a header and a dictionary of its own.
const SMALL_BLOB_BYTES: u64 = 64 << 10;

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
    let now = Instant::now();
    let flush_interval = Duration::from_millis(fragments.flush_interval_ms);
    let is_due = |journal: &&Journal| {
        let Some(since) = journal.tail_since else { return false };
        everything
            || journal.tail_bytes >= fragments.length_bytes
            || now.saturating_duration_since(since) >= flush_interval
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
    let cut_journals: BTreeSet<i64> = cuts.iter().map(|cut| cut.journal).collect();
    for journal in shard.journals.values_mut() {
        if cut_journals.contains(&journal.id) {
            (journal.tail_bytes, journal.tail_since) = (0, None);
            journal.digest = Some(TailDigest::new(journal.head));
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
        files::sync(directory, shard.directory.durability())?;
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
        let known = journal.digest.as_ref().filter(|digest| {
            (digest.begin, digest.codec) == (run.begin, Some(run.codec)) && journal.head == run.end
        });
        let sha1 = match known {
            Some(digest) => digest.sha1.clone(),
            None => digest(shard, journal, &run)?,
        };
        let Run { begin, end, codec, first_append } = run;
        let sha1 = format!("{:x}", sha1.finalize());
        let name = FragmentName { begin, end, sha1, codec };
        let file = FragmentFile::new(&journal.name, first_append, name);
        cuts.push(Cut { journal: journal.id, file });
    }
    Ok(cuts)
}

/// The digest of tail rows that another process wrote.
fn digest(shard: &Shard, journal: &Journal, run: &Run) -> Result<Sha1, Failure> {
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
    Ok(sha1)
}

fn runs(shard: &Shard, journal: &Journal) -> Result<Vec<Run>, Failure> {
    let mut runs: Vec<Run> = Vec::new();
    let mut unknown = None;
    shard.internal(|connection| {
        let mut statement = connection.prepare_cached(
            "SELECT begin, end, codec, first_append FROM tidegate_tail
            WHERE journal = ? ORDER BY begin",
        )?;
        let mut rows = statement.query((journal.id,))?;
        while let Some(row) = rows.next()? {
            let begin = row.get::<_, i64>(0)?.cast_unsigned();
            let end = row.get::<_, i64>(1)?.cast_unsigned();
            let text = row.get_ref(2)?.as_str()?;
            let Some(codec) = parse_codec(text) else {
                unknown = Some(text.to_owned());
                return Ok(());
            };
            match runs.last_mut().filter(|run| run.codec == codec && run.end == begin) {
                Some(run) => run.end = end,
                None => {
                    let first_append = Clock(row.get::<_, i64>(3)?.cast_unsigned());
                    runs.push(Run { begin, end, codec, first_append });
                }
            }
        }
        Ok(())
    })?;
    match unknown {
        None => Ok(runs),
        Some(codec) => {
            let message = format!("the tail of journal `{}` has codec `{codec}`", journal.name);
            Err(Failure::new(FailureKind::Damaged, message))
        }
    }
}

/// What is done with a blob and its raw length.
type EachBlob<'e> = dyn FnMut(&[u8], u64) -> Result<(), Failure> + 'e;

/// Hands out the blobs between two offsets, each with its raw length; one is in memory at a time.
fn each_blob(
    shard: &Shard,
    journal: i64,
    (begin, end): (u64, u64),
    each: &mut EachBlob<'_>,
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
    let mut encoder = BlobEncoder::default();
    let mut temporaries = Vec::with_capacity(paths.len());
    for (cut, path) in cuts.iter().zip(&paths) {
        if let Some(parent) = path.parent() {
            files::create_directories(parent)?;
        }
        let write = &mut |file: &mut dyn Write| write_blobs(shard, cut, path, &mut encoder, file);
        temporaries.push(files::write_temporary(path, write)?);
    }
    let unnamed: Vec<&Path> = temporaries.iter().map(PathBuf::as_path).collect();
    files::sync_together(&unnamed, durability)?;
    for (temporary, path) in temporaries.iter().zip(&paths) {
        files::rename(temporary, path)?;
        failpoint::reached("fragment-renamed");
    }
    let directories = paths.iter().filter_map(|path| path.parent());
    files::sync_directories(directories, &collections_directory(root), durability)
}

/// Small blobs, as small transactions leave them, are made into bigger ones; others are copied as they are.
fn write_blobs(
    shard: &Shard,
    cut: &Cut,
    path: &Path,
    encoder: &mut BlobEncoder,
    file: &mut dyn Write,
) -> Result<(), Failure> {
    let FragmentName { begin, end, codec, .. } = cut.file.name;
    let mut gathered = Vec::new();
    let mut put = |gathered: &mut Vec<u8>, blob: &[u8]| {
        if !gathered.is_empty() {
            file.write_all(&encoder.encode(codec, gathered)?)?;
            gathered.clear();
        }
        file.write_all(blob)
    };
    let failed = |error: io::Error| files::inaccessible("write", path, &error);
    each_blob(shard, cut.journal, (begin, end), &mut |blob, length| {
        if length >= SMALL_BLOB_BYTES || codec == Codec::None {
            return put(&mut gathered, blob).map_err(failed);
        }
        decode_next(codec, &mut { blob }, length, &mut gathered).map_err(failed)?;
        if gathered.len() >= BLOB_BYTES / 2 {
            put(&mut gathered, &[]).map_err(failed)?;
        }
        Ok(())
    })?;
    put(&mut gathered, &[]).map_err(failed)?;
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;
    use crate::store::fragment::list_fragments;
    use crate::store::testing::{commit, lines, open, read_all, shard_name};
    use crate::store::{DataDirectory, Durability};

    const JOURNAL: &str = "acme/orders/pivot=00";

    #[test]
    fn a_process_may_die_after_any_step() {
        for steps in 0..4 {
            let root = tempfile::tempdir().unwrap();
            let directory = DataDirectory::open(root.path(), Durability::Full).unwrap();
            let mut shard = directory.open_shard(&shard_name("acme/shop")).unwrap();
            commit(&mut shard, "", Codec::Gzip, &lines(0..10));
            let cuts: Vec<Cut> = shard
                .journals
                .values()
                .flat_map(|journal| plan(&shard, journal).unwrap())
                .collect();
            for step in [record, write, finish].into_iter().take(steps) {
                step(&shard, &cuts).unwrap();
            }
            assert_eq!(read_all(root.path(), JOURNAL, 1 << 20), lines(0..10));
            drop(shard);
            let mut shard = directory.open_shard(&shard_name("acme/shop")).unwrap();
            assert_eq!(read_all(root.path(), JOURNAL, 1 << 20), lines(0..10));
            commit(&mut shard, "", Codec::Gzip, &lines(10..20));
            cut(&mut shard, &Fragments::default(), true).unwrap();
            assert_eq!(read_all(root.path(), JOURNAL, 1 << 20), lines(0..20));
            let name = JournalName(JOURNAL.into());
            let fragments = list_fragments(root.path(), &name).unwrap();
            assert_eq!(fragments.len(), if steps == 3 { 2 } else { 1 });
        }
    }

    #[test]
    fn small_transactions_share_a_blob_in_their_fragment() {
        for codec in [Codec::Gzip, Codec::Zstandard] {
            let root = tempfile::tempdir().unwrap();
            let mut shard = open(root.path()).open_shard(&shard_name("acme/shop")).unwrap();
            for number in 0..200 {
                commit(&mut shard, "", codec, &lines(number..number + 1));
            }
            let big = lines(200..20_000);
            commit(&mut shard, "", codec, &big);
            commit(&mut shard, "", codec, &lines(20_000..20_001));
            cut(&mut shard, &Fragments::default(), true).unwrap();
            let name = JournalName(JOURNAL.into());
            let fragment = list_fragments(root.path(), &name).unwrap().remove(0);
            let bytes = std::fs::read(root.path().join(fragment.path)).unwrap();
            let (mut input, mut blobs, mut raw) = (&bytes[..], 0, Vec::new());
            while !input.is_empty() {
                decode_next(codec, &mut input, u64::MAX, &mut raw).unwrap();
                blobs += 1;
            }
            assert_eq!(blobs, 3);
            assert_eq!(raw, lines(0..20_001));
            let sha1 = format!("{:x}", Sha1::digest(&raw));
            assert_eq!(fragment.name.sha1, sha1);
            assert_eq!(read_all(root.path(), JOURNAL, 1), raw);
        }
    }
}
