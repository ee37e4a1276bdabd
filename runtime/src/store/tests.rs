//! Histories of shards on a real disk: commits, crashes, damage, readers beside writers.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::json;
use sha1::Digest;
use tidegate_stdlib::bundle::{Codec, FailureKind, Fragments};
use tidegate_stdlib::lambda::sqlite::GuardMode;

use super::testing::{MORNING, collection, commit, lines, open, read_all, shard_name};
use super::*;
use crate::uuid::Clock;

const JOURNAL: &str = "acme/orders/pivot=00";
const CODECS: [Codec; 3] = [Codec::None, Codec::Gzip, Codec::Zstandard];

fn cut(shard: &mut Shard) {
    shard.cut_fragments(&Fragments::default(), true).unwrap();
}

fn files_below(root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        let Ok(entries) = fs::read_dir(directory) else { continue };
        for entry in entries.map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() { directories.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files
}

fn fragments_below(root: &Path) -> Vec<PathBuf> {
    files_below(&root.join("collections"))
}

#[test]
fn what_is_committed_is_read_back() {
    for codec in CODECS {
        let root = tempfile::tempdir().unwrap();
        let mut shard = open(root.path()).open_shard(&shard_name("acme/shop")).unwrap();
        commit(&mut shard, "", codec, &lines(0..100));
        commit(&mut shard, "", codec, &lines(100..200));
        assert_eq!(read_all(root.path(), JOURNAL, 1 << 20), lines(0..200));
        assert_eq!(read_all(root.path(), JOURNAL, 1), lines(0..200));
        cut(&mut shard);
        commit(&mut shard, "", codec, &lines(200..300));
        assert_eq!(read_all(root.path(), JOURNAL, 1 << 20), lines(0..300));
        assert_eq!(read_all(root.path(), JOURNAL, 1), lines(0..300));
    }
}

#[test]
fn a_commit_says_what_it_appended() {
    let root = tempfile::tempdir().unwrap();
    let mut shard = open(root.path()).open_shard(&shard_name("acme/shop")).unwrap();
    commit(&mut shard, "", Codec::Gzip, &lines(0..10));
    shard.begin().unwrap();
    for numbers in [10..20, 20..30] {
        shard.append("acme/orders", "", Codec::Gzip, &lines(numbers), Clock(1)).unwrap();
    }
    shard.append("acme/orders", "", Codec::Gzip, &[], Clock(2)).unwrap();
    let appends = shard.commit().unwrap();
    assert_eq!(appends.len(), 1);
    assert_eq!(&*appends[0].journal.0, JOURNAL);
    assert_eq!(appends[0].begin.offset, lines(0..10).len() as u64);
    assert_eq!(**appends[0].bytes.as_ref().unwrap(), lines(10..30));
    shard.begin().unwrap();
    assert!(shard.commit().unwrap().is_empty());
}

#[test]
fn documents_of_a_batch_have_their_ends() {
    let root = tempfile::tempdir().unwrap();
    let mut shard = open(root.path()).open_shard(&shard_name("acme/shop")).unwrap();
    commit(&mut shard, "", Codec::Gzip, &lines(0..3));
    let mut reader = JournalReader::open(root.path(), &JournalName(JOURNAL.into())).unwrap();
    let batch = reader.read(None, 1 << 20).unwrap();
    let documents: Vec<_> =
        batch.documents().map(|document| (document.text.to_vec(), document.end)).collect();
    let expected = [(b"{\"id\":0}", 9), (b"{\"id\":1}", 18), (b"{\"id\":2}", 27)];
    assert_eq!(documents, expected.map(|(text, end)| (text.to_vec(), end)));
    // Reading goes on after any document.
    for cut_before in [false, true] {
        if cut_before {
            cut(&mut shard);
        }
        let from = JournalPosition { offset: 9, ..batch.begin };
        let rest = JournalReader::open(root.path(), &JournalName(JOURNAL.into()))
            .unwrap()
            .read(Some(from), 1)
            .unwrap();
        assert_eq!((&*rest.bytes, rest.begin, rest.end), (&lines(1..3), from, batch.end));
    }
}

#[test]
fn a_rollback_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let mut shard = open(root.path()).open_shard(&shard_name("acme/shop")).unwrap();
    shard.begin().unwrap();
    shard.append("acme/orders", "", Codec::Gzip, &lines(0..10), Clock(1)).unwrap();
    shard.set_state("cursor", &json!({"line": 1})).unwrap();
    shard.count("documents_in", 10).unwrap();
    shard.rollback();
    shard.rollback();
    assert!(list_journals(root.path(), "acme/orders").unwrap().is_empty());
    assert_eq!(shard.state("cursor").unwrap(), None);
    assert!(shard.counters().unwrap().is_empty());
    commit(&mut shard, "", Codec::Gzip, &lines(5..6));
    assert_eq!(read_all(root.path(), JOURNAL, 1 << 20), lines(5..6));
}

#[test]
fn a_transaction_is_gone_when_its_process_dies() {
    let root = tempfile::tempdir().unwrap();
    let mut shard = open(root.path()).open_shard(&shard_name("acme/shop")).unwrap();
    commit(&mut shard, "", Codec::Gzip, &lines(0..10));
    shard.begin().unwrap();
    shard.append("acme/orders", "", Codec::Gzip, &lines(10..20), Clock(1)).unwrap();
    drop(shard);
    let mut shard = open(root.path()).open_shard(&shard_name("acme/shop")).unwrap();
    assert_eq!(read_all(root.path(), JOURNAL, 1 << 20), lines(0..10));
    commit(&mut shard, "", Codec::Gzip, &lines(10..12));
    assert_eq!(read_all(root.path(), JOURNAL, 1 << 20), lines(0..12));
}

#[test]
fn a_shard_remembers_what_its_task_tells_it() {
    let root = tempfile::tempdir().unwrap();
    let entry = |offset| CheckpointEntry {
        journal: JournalName(JOURNAL.into()),
        suffix: "derive/acme/totals/fromOrders".to_owned(),
        position: JournalPosition { incarnation: u64::MAX, offset },
    };
    let mut shard = open(root.path()).open_shard(&shard_name("acme/shop")).unwrap();
    for offset in [1, 2] {
        shard.begin().unwrap();
        shard.set_checkpoint(&entry(offset)).unwrap();
        shard.set_state("cursor", &json!({"line": offset})).unwrap();
        shard.add_migration(&format!("CREATE TABLE t{offset} (id INTEGER)")).unwrap();
        shard.count("documents_in", offset).unwrap();
        shard.count("documents_out", 0).unwrap();
        shard.commit().unwrap();
    }
    drop(shard);
    let shard = open(root.path()).open_shard(&shard_name("acme/shop")).unwrap();
    assert_eq!(shard.checkpoint().unwrap(), [entry(2)]);
    assert_eq!(shard.state("cursor").unwrap(), Some(json!({"line": 2})));
    let migrations = shard.migrations().unwrap();
    assert_eq!(migrations, ["CREATE TABLE t1 (id INTEGER)", "CREATE TABLE t2 (id INTEGER)"]);
    assert_eq!(
        shard.counters().unwrap().into_iter().collect::<Vec<_>>(),
        [("documents_in".to_owned(), 3)]
    );
}

#[test]
fn a_transaction_that_a_statement_ended_is_not_committed() {
    let root = tempfile::tempdir().unwrap();
    let mut shard = open(root.path()).open_shard(&shard_name("acme/shop")).unwrap();
    shard.begin().unwrap();
    shard.append("acme/orders", "", Codec::Gzip, &lines(0..1), Clock(1)).unwrap();
    let end = |shard: &Shard| {
        let guard = shard.guard().clone();
        guard.within(GuardMode::Internal, || shard.connection().execute_batch("ROLLBACK")).unwrap();
    };
    end(&shard);
    assert_eq!(shard.set_state("cursor", &json!(1)).unwrap_err().kind, FailureKind::LambdaFailed);
    assert_eq!(shard.commit().unwrap_err().kind, FailureKind::LambdaFailed);
    assert!(list_journals(root.path(), "acme/orders").unwrap().is_empty());
}

#[test]
fn a_full_disk_loses_the_transaction_and_nothing_else() {
    let root = tempfile::tempdir().unwrap();
    let mut shard = open(root.path()).open_shard(&shard_name("acme/shop")).unwrap();
    commit(&mut shard, "", Codec::None, &lines(0..10));
    let limit_pages = |shard: &Shard, pages: u32| {
        let guard = shard.guard().clone();
        guard.within(GuardMode::Internal, || {
            shard.connection().pragma_update(None, "max_page_count", pages).unwrap();
        });
    };
    limit_pages(&shard, 1);
    shard.begin().unwrap();
    let appended = shard.append("acme/orders", "", Codec::None, &lines(10..100_000), Clock(1));
    let failure = appended.unwrap_err();
    assert_eq!(failure.kind, FailureKind::CannotAccess);
    assert!(failure.message.ends_with("the disk is full"), "{failure}");
    shard.rollback();
    assert_eq!(read_all(root.path(), JOURNAL, 1 << 20), lines(0..10));
    limit_pages(&shard, u32::MAX >> 1);
    commit(&mut shard, "", Codec::None, &lines(10..100_000));
    assert_eq!(read_all(root.path(), JOURNAL, 1 << 20), lines(0..100_000));
}

#[test]
fn a_second_writer_is_told_who_holds_the_directory() {
    let root = tempfile::tempdir().unwrap();
    let first = open(root.path());
    let failure = DataDirectory::open(root.path(), Durability::Off).unwrap_err();
    assert_eq!(failure.kind, FailureKind::DataDirectoryLocked);
    assert!(failure.message.contains(&format!("process {}", std::process::id())), "{failure}");
    drop(first);
    open(root.path());
}

#[test]
fn another_format_of_the_directory_is_refused() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("META.json"), r#"{"format_version": 2}"#).unwrap();
    let failure = DataDirectory::open(root.path(), Durability::Off).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Damaged);
    assert!(failure.message.contains("format 2"), "{failure}");
    fs::write(root.path().join("META.json"), "{").unwrap();
    let failure = DataDirectory::open(root.path(), Durability::Off).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Damaged);
}

#[test]
fn data_whose_description_was_lost_is_refused() {
    let root = tempfile::tempdir().unwrap();
    commit(
        &mut open(root.path()).open_shard(&shard_name("acme/shop")).unwrap(),
        "",
        Codec::Gzip,
        &lines(0..1),
    );
    fs::remove_file(root.path().join("META.json")).unwrap();
    let failure = DataDirectory::open(root.path(), Durability::Off).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Damaged);
}

#[test]
fn a_damaged_database_is_a_failure_of_its_task() {
    let root = tempfile::tempdir().unwrap();
    let directory = open(root.path());
    drop(directory.open_shard(&shard_name("acme/shop")).unwrap());
    fs::write(directory::shard_path(root.path(), &shard_name("acme/shop")), [7; 8192]).unwrap();
    let failure = directory.open_shard(&shard_name("acme/shop")).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Damaged);
    assert_eq!(failure.task, Some(shard_name("acme/shop").task));
}

#[test]
fn a_collection_keeps_its_key_and_partitions() {
    let root = tempfile::tempdir().unwrap();
    let directory = open(root.path());
    let orders = collection("acme/orders", &["region"]);
    directory.register_collection(&orders).unwrap();
    drop(directory);
    let directory = open(root.path());
    directory.register_collection(&orders).unwrap();
    let failure = directory.register_collection(&collection("acme/orders", &[])).unwrap_err();
    assert_eq!(failure.kind, FailureKind::CollectionChanged);
    assert_eq!(
        failure.message,
        "the partitions of `acme/orders` changed since its documents were written"
    );
    let mut other_key = orders;
    other_key.key = vec!["/number".to_owned()];
    let failure = directory.register_collection(&other_key).unwrap_err();
    assert_eq!(
        failure.message,
        "the key of `acme/orders` changed since its documents were written"
    );
    assert_eq!(failure.notes, ["written with: `[/id]`", "the catalog has: `[/number]`"]);
}

#[test]
fn the_first_writer_has_the_plain_pivot_and_others_have_their_own() {
    let root = tempfile::tempdir().unwrap();
    let (first, second) = (shard_name("acme/shop").task, shard_name("acme/web").task);
    let pivot = |task, key_begin| open(root.path()).pivot("acme/orders", task, key_begin).unwrap();
    assert_eq!(pivot(&first, 0), "00");
    let other = pivot(&second, 0);
    assert!(other.starts_with("00000000-") && other.len() == 17, "{other}");
    assert_eq!(pivot(&first, 0), "00");
    assert_eq!(pivot(&first, 0x8000_0000), "80000000");
    assert_eq!(pivot(&second, 0), other);
}

#[test]
fn all_writers_of_a_collection_are_read() {
    let root = tempfile::tempdir().unwrap();
    let directory = open(root.path());
    let mut first = directory.open_shard(&shard_name("acme/shop")).unwrap();
    let mut second = directory.open_shard(&shard_name("acme/web")).unwrap();
    commit(&mut first, "region=eu", Codec::Gzip, &lines(0..1));
    commit(&mut second, "region=eu", Codec::Zstandard, &lines(1..2));
    commit(&mut second, "region=us", Codec::None, &lines(2..3));
    cut(&mut second);
    let journals = list_journals(root.path(), "acme/orders").unwrap();
    assert_eq!(journals.len(), 3);
    assert!(journals.is_sorted());
    let read: Vec<_> =
        journals.iter().map(|journal| read_all(root.path(), &journal.0, 1 << 20)).collect();
    assert_eq!(read.concat(), lines(0..3));
    assert!(list_journals(root.path(), "acme").unwrap().is_empty());
}

#[test]
fn stamps_never_go_back_behind_what_any_shard_committed() {
    let root = tempfile::tempdir().unwrap();
    let directory = open(root.path());
    assert_eq!(directory.greatest_clock().unwrap(), Clock(0));
    let mut shard = directory.open_shard(&shard_name("acme/shop")).unwrap();
    commit(&mut shard, "", Codec::Gzip, &lines(0..1));
    shard.begin().unwrap();
    shard.append("acme/orders", "", Codec::Gzip, &lines(1..2), Clock(5)).unwrap();
    shard.commit().unwrap();
    assert_eq!(directory.greatest_clock().unwrap(), Clock::from_unix(MORNING));
}

#[test]
fn a_fragment_is_a_plain_file_of_documents() {
    let root = tempfile::tempdir().unwrap();
    let mut shard = open(root.path()).open_shard(&shard_name("acme/shop")).unwrap();
    commit(&mut shard, "region=a%20b", Codec::Gzip, &lines(0..3));
    commit(&mut shard, "region=a%20b", Codec::Gzip, &lines(3..5));
    cut(&mut shard);
    let files = fragments_below(root.path());
    assert_eq!(files.len(), 1);
    let sha1 = format!("{:x}", sha1::Sha1::digest(lines(0..5)));
    let expected = format!(
        "collections/acme/orders/region=a%20b/pivot=00/utc_date=2024-01-02/utc_hour=03/\
        0000000000000000-000000000000002d-{sha1}.gz"
    );
    assert_eq!(files[0], root.path().join(expected));
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(fs::File::open(&files[0]).unwrap())
        .read_to_end(&mut text)
        .unwrap();
    assert_eq!(text, lines(0..5));
    shard.cut_fragments(&Fragments::default(), true).unwrap();
    assert_eq!(fragments_below(root.path()), files);
}

#[test]
fn only_tails_that_are_due_are_cut() {
    let root = tempfile::tempdir().unwrap();
    let mut shard = open(root.path()).open_shard(&shard_name("acme/shop")).unwrap();
    commit(&mut shard, "region=eu", Codec::Gzip, &lines(0..3));
    commit(&mut shard, "region=us", Codec::Gzip, &lines(0..100));
    let mut fragments = Fragments { length_bytes: 100, ..Fragments::default() };
    shard.cut_fragments(&fragments, false).unwrap();
    assert_eq!(fragments_below(root.path()).len(), 1);
    fragments.flush_interval_ms = 0;
    shard.cut_fragments(&fragments, false).unwrap();
    assert_eq!(fragments_below(root.path()).len(), 2);
}

#[test]
fn a_change_of_codec_begins_a_new_fragment() {
    let root = tempfile::tempdir().unwrap();
    let mut shard = open(root.path()).open_shard(&shard_name("acme/shop")).unwrap();
    for (index, codec) in CODECS.into_iter().enumerate() {
        let from = index as u64;
        commit(&mut shard, "", codec, &lines(from..from + 1));
    }
    cut(&mut shard);
    let extensions: Vec<_> = fragments_below(root.path())
        .iter()
        .map(|path| path.extension().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(extensions, ["raw", "gz", "zst"]);
    assert_eq!(read_all(root.path(), JOURNAL, 1 << 20), lines(0..3));
}

#[test]
fn a_fragment_that_was_being_written_is_removed_and_cut_again() {
    let root = tempfile::tempdir().unwrap();
    let mut shard = open(root.path()).open_shard(&shard_name("acme/shop")).unwrap();
    commit(&mut shard, "", Codec::Gzip, &lines(0..3));
    cut(&mut shard);
    let files = fragments_below(root.path());
    let other = files[0].with_file_name("notes.txt");
    fs::write(&other, "of somebody else").unwrap();
    // As if the process had died before the last step: the tail is still there, the file half written.
    let guard = shard.guard().clone();
    let time = Clock::from_unix(MORNING);
    let undo = "UPDATE tidegate_fragment SET state = 'writing';
        INSERT INTO tidegate_tail (journal, begin, end, codec, first_append, bytes)
        SELECT journal, begin, end, 'none', ?2, ?1 FROM tidegate_fragment";
    guard.within(GuardMode::Internal, || {
        let (update, insert) = undo.split_once(';').unwrap();
        shard.connection().execute(update, ()).unwrap();
        shard.connection().execute(insert, (lines(0..3), time.0.cast_signed())).unwrap();
    });
    drop(shard);
    fs::write(&files[0], "half").unwrap();
    fs::write(files[0].with_extension("gz.tmp"), "half").unwrap();
    assert_eq!(read_all(root.path(), JOURNAL, 1 << 20), lines(0..3));
    let mut shard = open(root.path()).open_shard(&shard_name("acme/shop")).unwrap();
    assert_eq!(fragments_below(root.path()), std::slice::from_ref(&other));
    cut(&mut shard);
    assert_eq!(fragments_below(root.path()).len(), 2);
    assert_eq!(read_all(root.path(), JOURNAL, 1 << 20), lines(0..3));
}

#[test]
fn a_cut_that_failed_is_done_again() {
    let root = tempfile::tempdir().unwrap();
    let mut shard = open(root.path()).open_shard(&shard_name("acme/shop")).unwrap();
    commit(&mut shard, "", Codec::Gzip, &lines(0..3));
    // A file stands where the directory of the collection should.
    fs::create_dir_all(root.path().join("collections")).unwrap();
    fs::write(root.path().join("collections/acme"), "").unwrap();
    let failure = shard.cut_fragments(&Fragments::default(), true).unwrap_err();
    assert_eq!(failure.kind, FailureKind::CannotAccess);
    commit(&mut shard, "", Codec::Gzip, &lines(3..6));
    fs::remove_file(root.path().join("collections/acme")).unwrap();
    assert_eq!(read_all(root.path(), JOURNAL, 1 << 20), lines(0..6));
    cut(&mut shard);
    assert_eq!(fragments_below(root.path()).len(), 1);
    assert_eq!(read_all(root.path(), JOURNAL, 1 << 20), lines(0..6));
}

#[test]
fn a_damaged_fragment_is_said_to_be_damaged() {
    for codec in CODECS {
        let root = tempfile::tempdir().unwrap();
        let mut shard = open(root.path()).open_shard(&shard_name("acme/shop")).unwrap();
        commit(&mut shard, "", codec, &lines(0..1_000));
        cut(&mut shard);
        let file = fragments_below(root.path()).remove(0);
        let bytes = fs::read(&file).unwrap();
        fs::write(&file, &bytes[..bytes.len() - 10]).unwrap();
        let mut reader = JournalReader::open(root.path(), &JournalName(JOURNAL.into())).unwrap();
        let mut from = None;
        let failure = loop {
            match reader.read(from, 1 << 20) {
                Ok(batch) => from = Some(batch.end),
                Err(failure) => break failure,
            }
        };
        assert_eq!(failure.kind, FailureKind::Damaged, "{failure:?}");
        if codec != Codec::None {
            fs::write(&file, "junk").unwrap();
            let failure = reader.read(None, 1 << 20).unwrap_err();
            assert_eq!(failure.kind, FailureKind::Damaged, "{failure:?}");
        }
        fs::remove_file(&file).unwrap();
        let failure = reader.read(None, 1 << 20).unwrap_err();
        assert_eq!(failure.kind, FailureKind::CannotAccess);
        assert!(failure.message.ends_with("it does not exist"), "{failure}");
    }
}

#[test]
fn a_checkpoint_of_other_data_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let mut shard = open(root.path()).open_shard(&shard_name("acme/shop")).unwrap();
    commit(&mut shard, "", Codec::Gzip, &lines(0..3));
    let name = JournalName(JOURNAL.into());
    let mut reader = JournalReader::open(root.path(), &name).unwrap();
    let end = reader.read(None, 1).unwrap().end;
    assert_eq!(reader.read(Some(end), 1).unwrap().bytes.len(), 0);
    for from in [
        JournalPosition { offset: end.offset + 1, ..end },
        JournalPosition { incarnation: end.incarnation ^ 1, ..end },
        JournalPosition { incarnation: end.incarnation ^ 1, offset: 0 },
    ] {
        let failure = reader.read(Some(from), 1).unwrap_err();
        assert_eq!(failure.kind, FailureKind::CheckpointOfOtherData);
        assert!(failure.help.unwrap().contains("run --restart TASK"));
    }
}

#[test]
fn a_journal_whose_writer_is_gone_is_read_from_its_files() {
    let root = tempfile::tempdir().unwrap();
    let mut shard = open(root.path()).open_shard(&shard_name("acme/shop")).unwrap();
    for from in 0..3 {
        commit(&mut shard, "", Codec::Gzip, &lines(from..from + 1));
        cut(&mut shard);
    }
    commit(&mut shard, "", Codec::Gzip, &lines(3..4));
    let name = JournalName(JOURNAL.into());
    let end = JournalReader::open(root.path(), &name).unwrap().read(None, 1).unwrap().end;
    drop(shard);
    fs::remove_dir_all(root.path().join("tasks")).unwrap();
    assert_eq!(list_journals(root.path(), "acme/orders").unwrap(), std::slice::from_ref(&name));
    assert_eq!(read_all(root.path(), JOURNAL, 1 << 20), lines(0..3));
    let mut reader = JournalReader::open(root.path(), &name).unwrap();
    assert_eq!(*reader.read(Some(end), 1).unwrap().bytes, lines(1..2));
    let lost = JournalPosition { offset: 36, ..end };
    assert_eq!(reader.read(Some(lost), 1).unwrap_err().kind, FailureKind::CheckpointOfOtherData);
    // A new writer goes on where the files end, as another incarnation.
    let mut shard = open(root.path()).open_shard(&shard_name("acme/shop")).unwrap();
    commit(&mut shard, "", Codec::Gzip, &lines(7..9));
    let expected = [lines(0..3), lines(7..9)].concat();
    assert_eq!(read_all(root.path(), JOURNAL, 1), expected);
    cut(&mut shard);
    assert_eq!(read_all(root.path(), JOURNAL, 1 << 20), expected);
    let failure = reader.read(Some(end), 1).unwrap_err();
    assert_eq!(failure.kind, FailureKind::CheckpointOfOtherData);
}

#[test]
fn a_journal_that_has_nothing_yet_is_empty() {
    let root = tempfile::tempdir().unwrap();
    let name = JournalName(JOURNAL.into());
    let mut reader = JournalReader::open(root.path(), &name).unwrap();
    let batch = reader.read(None, 1).unwrap();
    assert!(batch.bytes.is_empty());
    let mut shard = open(root.path()).open_shard(&shard_name("acme/shop")).unwrap();
    commit(&mut shard, "", Codec::Gzip, &lines(0..3));
    let mut reader = JournalReader::open(root.path(), &name).unwrap();
    assert_eq!(*reader.read(Some(batch.end), 1).unwrap().bytes, lines(0..3));
}

#[test]
fn names_that_no_file_system_holds_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let directory = open(root.path());
    let long = "x".repeat(256);
    let failure = directory.open_shard(&shard_name(&long)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::LimitExceeded);
    let failure = directory.register_collection(&collection(&long, &[])).unwrap_err();
    assert_eq!(failure.kind, FailureKind::LimitExceeded);
}

#[test]
fn big_documents_have_blobs_of_their_own() {
    let root = tempfile::tempdir().unwrap();
    let mut shard = open(root.path()).open_shard(&shard_name("acme/shop")).unwrap();
    let big = format!("{{\"text\":\"{}\"}}\n", "x".repeat(3 << 20)).into_bytes();
    let all = [lines(0..10), big.clone(), lines(10..20), big, lines(20..300_000)].concat();
    commit(&mut shard, "", Codec::Zstandard, &all);
    let name = JournalName(JOURNAL.into());
    for _ in 0..2 {
        let mut reader = JournalReader::open(root.path(), &name).unwrap();
        let (mut from, mut sizes) = (None, Vec::new());
        loop {
            let batch = reader.read(from, 1).unwrap();
            if batch.bytes.is_empty() {
                break;
            }
            assert_eq!(batch.bytes.last(), Some(&b'\n'));
            let (begin, end) = (batch.begin.offset as usize, batch.end.offset as usize);
            assert_eq!(*batch.bytes, all[begin..end]);
            sizes.push(batch.bytes.len());
            from = Some(batch.end);
        }
        assert_eq!(sizes.iter().sum::<usize>(), all.len());
        assert_eq!(sizes.iter().filter(|size| **size > 1 << 20).count(), 2);
        cut(&mut shard);
    }
}

#[test]
fn a_reader_beside_a_writer_sees_whole_transactions() {
    const TRANSACTIONS: u64 = 200;
    let root = tempfile::tempdir().unwrap();
    let mut shard = open(root.path()).open_shard(&shard_name("acme/shop")).unwrap();
    commit(&mut shard, "", Codec::Gzip, &lines(0..10));
    let path = root.path().to_owned();
    let reader = std::thread::spawn(move || {
        let name = JournalName(JOURNAL.into());
        let mut reader = JournalReader::open(&path, &name).unwrap();
        let (mut from, mut bytes) = (None, Vec::new());
        let all = lines(0..TRANSACTIONS * 10);
        while bytes.len() < all.len() {
            let batch = reader.read(from, 1 << 20).unwrap();
            bytes.extend_from_slice(&batch.bytes);
            assert_eq!(bytes, all[..bytes.len()]);
            let documents = bytes.iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(documents % 10, 0);
            from = Some(batch.end);
        }
    });
    for number in 1..TRANSACTIONS {
        commit(&mut shard, "", Codec::Gzip, &lines(number * 10..number * 10 + 10));
        if number % 7 == 0 {
            cut(&mut shard);
        }
    }
    reader.join().unwrap();
}

#[derive(Debug, Clone)]
enum Step {
    Append(bool, usize, usize),
    Commit,
    Rollback,
    Cut,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (any::<bool>(), 0..3_usize, 0..40_usize)
            .prop_map(|(region, codec, count)| Step::Append(region, codec, count)),
        3 => Just(Step::Commit),
        1 => Just(Step::Rollback),
        1 => Just(Step::Cut),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_history_reads_back_what_it_committed(steps in prop::collection::vec(step(), 1..40)) {
        let root = tempfile::tempdir().unwrap();
        let name = shard_name("acme/shop");
        let mut shard = Some(open(root.path()).open_shard(&name).unwrap());
        let (mut committed, mut pending) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        let mut next = 0;
        shard.as_mut().unwrap().begin().unwrap();
        for step in steps.into_iter().chain([Step::Commit]) {
            match step {
                Step::Append(region, codec, count) => {
                    let documents = lines(next..next + count as u64);
                    next += count as u64;
                    pending[usize::from(region)].extend_from_slice(&documents);
                    let partition = if region { "region=eu" } else { "region=us" };
                    let open = shard.as_mut().unwrap();
                    open.append("acme/orders", partition, CODECS[codec], &documents, Clock(next))
                        .unwrap();
                    continue;
                }
                Step::Commit => {
                    shard.as_mut().unwrap().commit().unwrap();
                    for (all, new) in committed.iter_mut().zip(&mut pending) {
                        all.append(new);
                    }
                }
                Step::Rollback => shard.as_mut().unwrap().rollback(),
                Step::Cut => {
                    shard.as_mut().unwrap().rollback();
                    cut(shard.as_mut().unwrap());
                }
                Step::Reopen => {
                    drop(shard.take());
                    shard = Some(open(root.path()).open_shard(&name).unwrap());
                }
            }
            pending = [Vec::new(), Vec::new()];
            for (all, partition) in committed.iter().zip(["region=us", "region=eu"]) {
                let journal = format!("acme/orders/{partition}/pivot=00");
                prop_assert_eq!(&read_all(root.path(), &journal, 100), all);
            }
            shard.as_mut().unwrap().begin().unwrap();
        }
    }
}
