//! Which documents of a journal are known to satisfy a schema: those that their writer has validated.
//!
//! Files and tails never change, so a reader with the same schema need not validate them again.

use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;
use xxhash_rust::xxh3::Xxh3;

/// The digest of a schema, and of the version that validates: another one may judge in another way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemaDigest(u128);

/// The documents of a journal from an offset on, and the schema that they were validated against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validated {
    schema: SchemaDigest,
    since: u64,
}

impl SchemaDigest {
    /// The digest of a schema.
    pub fn of(schema: &Value) -> Self {
        let mut digest = Xxh3::new();
        digest.update(concat!(env!("CARGO_PKG_VERSION"), "\n").as_bytes());
        digest.update(schema.to_string().as_bytes());
        Self(digest.digest128())
    }
}

impl Validated {
    /// What is known of a journal whose next documents, from `head` on, are validated against a schema, or not at all.
    pub(super) fn go_on(
        before: Option<Self>,
        schema: Option<SchemaDigest>,
        head: u64,
    ) -> Option<Self> {
        let schema = schema?;
        before.filter(|before| before.schema == schema).or(Some(Self { schema, since: head }))
    }

    /// The schema that all documents from an offset on satisfy.
    pub(super) fn schema_from(self, offset: u64) -> Option<SchemaDigest> {
        (self.since <= offset).then_some(self.schema)
    }

    /// What is on record of a journal of an incarnation.
    pub(super) fn load(
        connection: &Connection,
        incarnation: u64,
    ) -> rusqlite::Result<Option<Self>> {
        let text: Option<String> = connection
            .prepare_cached("SELECT value FROM tidegate_meta WHERE name = ?")?
            .query_row((name(incarnation),), |row| row.get(0))
            .optional()?;
        Ok(text.as_deref().and_then(Self::parse))
    }

    /// Records what is known of a journal inside the open transaction.
    pub(super) fn store(
        known: Option<Self>,
        connection: &Connection,
        incarnation: u64,
    ) -> rusqlite::Result<()> {
        match known {
            Some(Self { schema, since }) => connection
                .prepare_cached("INSERT OR REPLACE INTO tidegate_meta (name, value) VALUES (?, ?)")?
                .execute((name(incarnation), format!("{:032x} {since}", schema.0)))?,
            None => connection
                .prepare_cached("DELETE FROM tidegate_meta WHERE name = ?")?
                .execute((name(incarnation),))?,
        };
        Ok(())
    }

    fn parse(text: &str) -> Option<Self> {
        let (schema, since) = text.split_once(' ')?;
        let schema = SchemaDigest(u128::from_str_radix(schema, 16).ok()?);
        Some(Self { schema, since: since.parse().ok()? })
    }
}

/// The name in `tidegate_meta`. A journal that is created anew has another incarnation.
fn name(incarnation: u64) -> String {
    format!("validated {incarnation:016x}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use std::path::Path;

    use serde_json::json;
    use tidegate_stdlib::bundle::{Codec, Fragments};

    use super::*;
    use crate::store::testing::{commit, lines, open, shard_name};
    use crate::store::{JournalName, JournalPosition, JournalReader};

    /// What is known of the documents from an offset on.
    fn known(root: &Path, offset: u64) -> Option<SchemaDigest> {
        let journal = JournalName("acme/orders/pivot=00".into());
        let mut reader = JournalReader::open(root, &journal).unwrap();
        let begin = reader.read(None, 1).unwrap().begin;
        let from = Some(JournalPosition { offset, ..begin });
        reader.read(from, 1 << 20).unwrap().schema
    }

    #[test]
    fn documents_are_known_by_the_schema_that_their_writer_had() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let [text, number] = ["string", "number"].map(|it| SchemaDigest::of(&json!({"type": it})));
        let at = lines(0..3).len() as u64;
        let directory = open(root);
        let name = shard_name("acme/shop");
        let mut shard = directory.open_shard(&name).unwrap();
        shard.vouch("acme/others", number);
        commit(&mut shard, "", Codec::None, &lines(0..3));
        assert_eq!(known(root, 0), None);
        shard.vouch("acme/orders", text);
        commit(&mut shard, "", Codec::None, &lines(3..6));
        assert_eq!(
            [0, at, 2 * at].map(|offset| known(root, offset)),
            [None, Some(text), Some(text)]
        );
        drop(shard);
        // The same schema, after a start, and when the documents are in a file.
        let mut shard = directory.open_shard(&name).unwrap();
        shard.vouch("acme/orders", text);
        commit(&mut shard, "", Codec::None, &lines(6..9));
        shard.cut_fragments(&Fragments::default(), true).unwrap();
        assert_eq!(
            [0, at, 2 * at].map(|offset| known(root, offset)),
            [None, Some(text), Some(text)]
        );
        // Another schema holds from its first document on, which may be none.
        shard.vouch("acme/orders", number);
        shard.begin().unwrap();
        shard.append("acme/orders", "", Codec::None, &lines(0..3), Default::default()).unwrap();
        shard.rollback();
        assert_eq!(known(root, at), Some(text));
        commit(&mut shard, "", Codec::None, &lines(0..3));
        assert_eq!(
            [at, 2 * at, 3 * at].map(|offset| known(root, offset)),
            [None, None, Some(number)]
        );
        // Nobody vouches for what is appended without a schema.
        drop(shard);
        let mut shard = directory.open_shard(&name).unwrap();
        commit(&mut shard, "", Codec::None, &lines(3..6));
        assert_eq!([at, 3 * at, 4 * at].map(|offset| known(root, offset)), [None; 3]);
    }
}
