//! Reading journals: fragments and tails, whole transactions only, also beside a running writer.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};
use tidegate_stdlib::bundle::{Codec, Failure, FailureKind};

use super::blob::{decode_next, parse_codec};
use super::directory::{journal_heads, writer_database};
use super::fragment::{FragmentFile, list_fragments};
use super::validated::{SchemaDigest, Validated};
use super::{JournalName, JournalPosition, files, tables};
use crate::limits::BLOB_BYTES;

/// Bytes that are read from a file at once.
const READ_BYTES: usize = 256 << 10;

/// Committed bytes of a journal.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Where the bytes begin.
    pub begin: JournalPosition,
    /// Where they end: the place to go on from.
    pub end: JournalPosition,
    /// Whole lines; empty when the reader has everything.
    pub bytes: Arc<Vec<u8>>,
    /// The schema that all of the documents are known to satisfy.
    pub schema: Option<SchemaDigest>,
}

/// One document of a batch.
#[derive(Debug, Clone, Copy)]
pub struct BatchDocument<'b> {
    /// The canonical text, without its line feed.
    pub text: &'b [u8],
    /// Offset in the journal after its line feed.
    pub end: u64,
}

impl Batch {
    /// The documents in order.
    pub fn documents(&self) -> impl Iterator<Item = BatchDocument<'_>> {
        let mut end = self.begin.offset;
        self.bytes.split_inclusive(|byte| *byte == b'\n').map(move |line| {
            end += line.len() as u64;
            BatchDocument { text: line.strip_suffix(b"\n").unwrap_or(line), end }
        })
    }
}

/// Reads one journal through a read-only connection that is held for one batch only.
///
/// A journal whose database is gone, or does not know it, is read from its files alone; its incarnation is then
/// whatever the reader says it is, because files never change.
#[derive(Debug)]
pub struct JournalReader {
    root: PathBuf,
    journal: JournalName,
    database: Option<PathBuf>,
    /// The fragments, once it is known that there is nothing else.
    fragments: Option<Vec<FragmentFile>>,
    place: Option<Place>,
    /// The bytes of the last batch, whose memory is used again once nobody else has them.
    last: Arc<Vec<u8>>,
}

/// Where the last batch ended, so that the next need not decompress a file from its beginning.
#[derive(Debug)]
struct Place {
    path: String,
    file_offset: u64,
    offset: u64,
}

/// What there is at an offset.
enum Found {
    Nothing,
    Fragment(FragmentFile),
    Tail(Vec<Blob>),
}

struct Blob {
    begin: u64,
    end: u64,
    codec: Codec,
    bytes: Vec<u8>,
}

impl JournalReader {
    /// A reader of a journal in a data directory.
    ///
    /// # Errors
    /// When the journal's database cannot be opened.
    pub fn open(root: &Path, journal: &JournalName) -> Result<Self, Failure> {
        Ok(Self {
            root: root.to_owned(),
            journal: journal.clone(),
            database: writer_database(root, journal)?,
            fragments: None,
            place: None,
            last: Arc::default(),
        })
    }

    /// Committed bytes from `from` on (from the beginning when `None`), at most about `bytes_max`.
    ///
    /// # Errors
    /// `checkpoint-of-other-data` when the incarnation of `from` is not the journal's or its offset lies beyond the head.
    pub fn read(
        &mut self,
        from: Option<JournalPosition>,
        bytes_max: usize,
    ) -> Result<Batch, Failure> {
        let bytes_max = bytes_max.max(1);
        // Nobody draws the incarnation 0: it is the beginning of a journal that had nothing yet.
        let from = from.filter(|from| from.offset > 0 || from.incarnation > 0);
        let (begin, found, validated) = match self.locate_in_database(from, bytes_max)? {
            Some(located) => located,
            None => {
                let (begin, found) = self.locate_in_files(from)?;
                (begin, found, None)
            }
        };
        let mut bytes = Arc::try_unwrap(std::mem::take(&mut self.last)).unwrap_or_default();
        bytes.clear();
        match found {
            Found::Nothing => {}
            Found::Fragment(file) => {
                self.read_fragment(&file, begin.offset, bytes_max, &mut bytes)?;
            }
            Found::Tail(blobs) => self.decode_blobs(&blobs, begin.offset, &mut bytes)?,
        }
        let end = JournalPosition { offset: begin.offset + bytes.len() as u64, ..begin };
        let schema = validated.and_then(|validated| validated.schema_from(begin.offset));
        let bytes = Arc::new(bytes);
        self.last = Arc::clone(&bytes);
        Ok(Batch { begin, end, bytes, schema })
    }

    /// `None` when no database knows the journal.
    fn locate_in_database(
        &self,
        from: Option<JournalPosition>,
        bytes_max: usize,
    ) -> Result<Option<(JournalPosition, Found, Option<Validated>)>, Failure> {
        let Some(path) = &self.database else { return Ok(None) };
        let Some(mut connection) = tables::open_for_reading(path)? else { return Ok(None) };
        let failed = |error: rusqlite::Error| tables::failure(path, &error);
        let connection = connection.transaction().map_err(failed)?;
        let Some(row) = journal_row(&connection, &self.journal).map_err(failed)? else {
            return Ok(None);
        };
        let begin = from.unwrap_or(JournalPosition { incarnation: row.incarnation, offset: 0 });
        if begin.incarnation != row.incarnation {
            return Err(self.other_data("its journal was created anew since then"));
        }
        if begin.offset > row.head {
            return Err(self.beyond(begin.offset, row.head));
        }
        let found = if begin.offset == row.head {
            Found::Nothing
        } else {
            match fragment_at(&connection, row.id, begin.offset).map_err(failed)? {
                Some(path) => Found::Fragment(
                    FragmentFile::at(path).ok_or_else(|| self.damaged("a fragment has no name"))?,
                ),
                None => Found::Tail(self.tail_at(&connection, row.id, begin.offset, bytes_max)?),
            }
        };
        let validated = Validated::load(&connection, row.incarnation).map_err(failed)?;
        Ok(Some((begin, found, validated)))
    }

    fn tail_at(
        &self,
        connection: &Connection,
        journal: i64,
        offset: u64,
        bytes_max: usize,
    ) -> Result<Vec<Blob>, Failure> {
        let (blobs, is_known) = select_tail(connection, journal, offset, bytes_max)
            .map_err(|error| tables::failure(&self.root, &error))?;
        if !is_known {
            return Err(self.damaged("a blob has an unknown codec"));
        }
        match blobs.first() {
            Some(first) if first.begin <= offset => Ok(blobs),
            _ => Err(self.gap(offset)),
        }
    }

    fn locate_in_files(
        &mut self,
        from: Option<JournalPosition>,
    ) -> Result<(JournalPosition, Found), Failure> {
        let begin = from.unwrap_or(JournalPosition { incarnation: 0, offset: 0 });
        let fragments = match &mut self.fragments {
            Some(fragments) => fragments,
            none => none.insert(list_fragments(&self.root, &self.journal)?),
        };
        let head = fragments.iter().map(|fragment| fragment.name.end).max().unwrap_or(0);
        if begin.offset == head {
            return Ok((begin, Found::Nothing));
        }
        let covers = |fragment: &&FragmentFile| {
            (fragment.name.begin..fragment.name.end).contains(&begin.offset)
        };
        match fragments.iter().filter(covers).max_by_key(|fragment| fragment.name.end) {
            Some(fragment) => Ok((begin, Found::Fragment(fragment.clone()))),
            None if begin.offset > head => Err(self.beyond(begin.offset, head)),
            None => Err(self.gap(begin.offset)),
        }
    }

    fn read_fragment(
        &mut self,
        file: &FragmentFile,
        offset: u64,
        bytes_max: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let place = self.place.take().filter(|place| place.path == file.path);
        let mut place = place.filter(|place| place.offset == offset).unwrap_or_else(|| Place {
            path: file.path.clone(),
            file_offset: 0,
            offset: file.name.begin,
        });
        let path = self.root.join(&file.path);
        read_blobs(&path, file, &mut place, offset, bytes_max, out).map_err(|error| {
            // An error without a number is none of the system: the decoder does not understand the bytes.
            if error.raw_os_error().is_none() {
                let message = format!("`{}` is damaged", path.display());
                return Failure::new(FailureKind::Damaged, message).note(error.to_string());
            }
            files::inaccessible("read", &path, &error)
        })?;
        self.place = Some(place);
        Ok(())
    }

    fn decode_blobs(&self, blobs: &[Blob], offset: u64, out: &mut Vec<u8>) -> Result<(), Failure> {
        for blob in blobs {
            let (mut input, before) = (&blob.bytes[..], out.len());
            while !input.is_empty() {
                decode_next(blob.codec, &mut input, blob.end - blob.begin, out)
                    .map_err(|error| self.damaged(&error.to_string()))?;
            }
            if (out.len() - before) as u64 != blob.end - blob.begin {
                return Err(self.damaged("a blob is shorter than its offsets say"));
            }
            let skipped = offset.saturating_sub(blob.begin);
            out.drain(before..before + usize::try_from(skipped).unwrap_or(0));
        }
        Ok(())
    }

    fn beyond(&self, offset: u64, head: u64) -> Failure {
        self.other_data(&format!("it stands at {offset}, and the journal ends at {head}"))
    }

    fn other_data(&self, fact: &str) -> Failure {
        let message =
            format!("the checkpoint for journal `{}` belongs to other data", self.journal);
        Failure::new(FailureKind::CheckpointOfOtherData, message)
            .collection(self.journal.collection())
            .note(fact)
            .note("a data directory was deleted or restored, or the power failed before a commit")
            .help("use `run --restart TASK` to empty its tables and read from the beginning")
    }

    fn gap(&self, offset: u64) -> Failure {
        self.damaged(&format!("nothing is on record at offset {offset}"))
    }

    fn damaged(&self, fact: &str) -> Failure {
        let message = format!("journal `{}` is damaged", self.journal);
        Failure::new(FailureKind::Damaged, message).collection(self.journal.collection()).note(fact)
    }
}

/// All journals of a collection in a data directory, sorted by name, also those whose writer is gone.
///
/// # Errors
/// When the directory cannot be read.
pub fn list_journals(root: &Path, collection: &str) -> Result<Vec<JournalName>, Failure> {
    Ok(journal_heads(root, collection)?.into_keys().collect())
}

struct JournalRow {
    id: i64,
    incarnation: u64,
    head: u64,
}

fn journal_row(
    connection: &Connection,
    journal: &JournalName,
) -> rusqlite::Result<Option<JournalRow>> {
    connection
        .query_row(
            "SELECT id, incarnation, head FROM tidegate_journal WHERE name = ?",
            (&*journal.0,),
            |row| {
                Ok(JournalRow {
                    id: row.get(0)?,
                    incarnation: row.get::<_, i64>(1)?.cast_unsigned(),
                    head: row.get::<_, i64>(2)?.cast_unsigned(),
                })
            },
        )
        .optional()
}

fn fragment_at(
    connection: &Connection,
    journal: i64,
    offset: u64,
) -> rusqlite::Result<Option<String>> {
    connection
        .query_row(
            "SELECT path FROM tidegate_fragment
            WHERE journal = ?1 AND begin <= ?2 AND end > ?2 AND state = 'done'
            ORDER BY begin DESC LIMIT 1",
            (journal, offset.cast_signed()),
            |row| row.get(0),
        )
        .optional()
}

/// The blobs from the one at `offset` on; says whether all codecs are known.
fn select_tail(
    connection: &Connection,
    journal: i64,
    offset: u64,
    bytes_max: usize,
) -> rusqlite::Result<(Vec<Blob>, bool)> {
    let mut statement = connection.prepare(
        "SELECT begin, end, codec, bytes FROM tidegate_tail
        WHERE journal = ?1 AND begin >= ifnull(
            (SELECT max(begin) FROM tidegate_tail WHERE journal = ?1 AND begin <= ?2), 0)
        ORDER BY begin",
    )?;
    let mut rows = statement.query((journal, offset.cast_signed()))?;
    let mut blobs: Vec<Blob> = Vec::new();
    let mut missing = bytes_max as u64;
    while missing > 0
        && let Some(row) = rows.next()?
    {
        let (begin, end): (i64, i64) = (row.get(0)?, row.get(1)?);
        let Some(codec) = parse_codec(row.get_ref(2)?.as_str()?) else {
            return Ok((blobs, false));
        };
        let (begin, end) = (begin.cast_unsigned(), end.cast_unsigned());
        if blobs.last().is_some_and(|last| last.end != begin) {
            break;
        }
        missing = missing.saturating_sub(end.saturating_sub(begin.max(offset)));
        blobs.push(Blob { begin, end, codec, bytes: row.get(3)? });
    }
    Ok((blobs, true))
}

fn read_blobs(
    path: &Path,
    file: &FragmentFile,
    place: &mut Place,
    offset: u64,
    bytes_max: usize,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    let mut input = BufReader::with_capacity(READ_BYTES, File::open(path)?);
    input.seek(SeekFrom::Start(place.file_offset))?;
    // A last blob may begin just below the bound.
    let rest = usize::try_from(file.name.end - place.offset).unwrap_or(usize::MAX);
    out.reserve(rest.min(bytes_max.saturating_add(BLOB_BYTES)));
    while place.offset < file.name.end && out.len() < bytes_max {
        let before = out.len();
        if input.fill_buf()?.is_empty() {
            let message = "it ends before the offset in its name";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
        }
        let rest = file.name.end - place.offset;
        let length = decode_next(file.name.codec, &mut input, rest, out)?;
        let skipped = offset.saturating_sub(place.offset).min(length);
        place.offset += length;
        out.drain(before..before + usize::try_from(skipped).unwrap_or(0));
    }
    place.file_offset = input.stream_position()?;
    Ok(())
}
