//! What the tests of this module share.

use std::path::Path;
use std::sync::Arc;

use tidegate_stdlib::bundle::{
    Codec, Collection, Fragments, Origin, Projection, TaskKind, TaskName,
};

use super::{
    DataDirectory, Durability, JournalName, JournalPosition, JournalReader, Shard, ShardName,
};
use crate::uuid::Clock;

/// The time of the first document of most tests: 2024-01-02T03:04:05Z.
pub(crate) const MORNING: i128 = 1_704_164_645_000_000_000;

/// The first shard of a capture.
pub(crate) fn shard_name(task: &str) -> ShardName {
    ShardName { task: TaskName { kind: TaskKind::Capture, name: task.to_owned() }, key_begin: 0 }
}

/// A data directory that is not pressed to the disk.
pub(crate) fn open(root: &Path) -> Arc<DataDirectory> {
    DataDirectory::open(root, Durability::Off).expect("nobody else has it")
}

/// Documents with the given numbers.
pub(crate) fn lines(numbers: std::ops::Range<u64>) -> Vec<u8> {
    numbers.flat_map(|number| format!("{{\"id\":{number}}}\n").into_bytes()).collect()
}

/// Commits one append to `acme/orders`.
pub(crate) fn commit(shard: &mut Shard, partitions: &str, codec: Codec, lines: &[u8]) {
    shard.begin().expect("no transaction is open");
    shard
        .append("acme/orders", partitions, codec, lines, Clock::from_unix(MORNING))
        .expect("the database takes it");
    shard.commit().expect("the database takes it");
}

/// Everything that a journal holds, in batches of about a size.
pub(crate) fn read_all(root: &Path, journal: &str, bytes_max: usize) -> Vec<u8> {
    let name = JournalName(journal.into());
    let mut reader = JournalReader::open(root, &name).expect("its database can be opened");
    let (mut bytes, mut from): (Vec<u8>, Option<JournalPosition>) = (Vec::new(), None);
    loop {
        let batch = reader.read(from, bytes_max).expect("it is whole");
        if batch.bytes.is_empty() {
            return bytes;
        }
        bytes.extend_from_slice(&batch.bytes);
        from = Some(batch.end);
    }
}

/// A collection that is partitioned by top-level properties.
pub(crate) fn collection(name: &str, partitions: &[&str]) -> Collection {
    Collection {
        name: name.to_owned(),
        key: vec!["/id".to_owned()],
        write_schema: true.into(),
        read_schema: None,
        projections: partitions.iter().map(|field| partition(field)).collect(),
        fragments: Fragments::default(),
        reset: false,
        origin: Origin::default(),
        write_schema_origins: Default::default(),
        read_schema_origins: Default::default(),
    }
}

fn partition(field: &str) -> Projection {
    Projection {
        field: field.to_owned(),
        pointer: format!("/{field}"),
        explicit: true,
        partition: true,
        types: vec!["string".to_owned()],
        required: false,
        format: None,
        content_encoding: None,
        default: None,
        title: None,
        description: None,
    }
}
