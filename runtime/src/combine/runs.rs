//! Sorted runs of what combiners hold, in a file that has no name.
//!
//! A run is a row of blocks; a block is a header and, compressed, whole records in ascending order of their keys. The
//! file is gone when the process is, so nothing has to be cleaned up or made durable, and it is read by nobody else.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use tidegate_stdlib::bundle::{Failure, FailureKind};
use tidegate_stdlib::document::{read_bytes, write_bytes};
use tidegate_stdlib::reduce::{Held, Scratch};
use xxhash_rust::xxh3::xxh3_64;
use zstd::bulk::{Compressor, Decompressor};

use super::Contract;
use crate::limits::{RUN_BLOCK_BYTES, RUNS_MAX};
use crate::store::inaccessible;

/// Fast, and small enough: a run is written and read once.
const COMPRESSION_LEVEL: i32 = 1;

/// Bytes of a block before its records: how long they are raw and compressed, and the checksum of the compressed ones.
const HEADER_BYTES: usize = 24;

/// The runs of one combiner, oldest first.
#[derive(Debug)]
pub(super) struct Runs {
    file: File,
    directory: PathBuf,
    end: u64,
    runs: Vec<Range<u64>>,
}

impl Runs {
    /// An empty file in a directory.
    ///
    /// # Errors
    /// `cannot-access`.
    pub(super) fn create(directory: &Path) -> Result<Self, Failure> {
        let file = tempfile::tempfile_in(directory)
            .map_err(|error| inaccessible("write a temporary file in", directory, &error))?;
        Ok(Self { file, directory: directory.to_owned(), end: 0, runs: Vec::new() })
    }

    /// Whether there are so many that they should be merged before another is written.
    pub(super) fn are_many(&self) -> bool {
        self.runs.len() >= RUNS_MAX
    }

    /// Adds a run of what `fill` writes.
    ///
    /// # Errors
    /// Those of `fill`, and `cannot-access`, such as a full disk.
    pub(super) fn add(
        &mut self,
        fill: impl FnOnce(&mut RunWriter<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let begin = self.end;
        let compressor = Compressor::new(COMPRESSION_LEVEL);
        let compressor = compressor.map_err(|error| self.refused(&error))?;
        let mut writer = RunWriter { runs: self, compressor, raw: Vec::new() };
        fill(&mut writer)?;
        writer.close_block()?;
        let end = self.end;
        self.runs.push(begin..end);
        Ok(())
    }

    /// Hands out what all runs hold of each key, in ascending order of the keys; within a key, older runs come first.
    ///
    /// # Errors
    /// Those of `each`, `reduction-failed`, `cannot-access`, and `damaged` when the file has other bytes than were
    /// written.
    pub(super) fn merge(
        &self,
        contract: &Contract<'_>,
        mut each: impl FnMut(&[u8], Held) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut readers = Vec::new();
        let mut next = BinaryHeap::new();
        for (at, run) in self.runs.iter().enumerate() {
            let mut reader = RunReader::new(run.clone());
            if let Some(packed) = reader.next(self)? {
                next.push(Reverse((packed.to_vec(), at)));
            }
            readers.push(reader);
        }
        let mut scratch = Scratch::default();
        let mut key = Vec::new();
        while let Some(Reverse((packed, _))) = next.peek() {
            key.clone_from(packed);
            let mut held = Held::default();
            while next.peek().is_some_and(|Reverse((packed, _))| *packed == key) {
                let Some(Reverse((mut packed, at))) = next.pop() else { break };
                let Some(reader) = readers.get_mut(at) else { break };
                let read = held.read(&contract.reducer, &mut reader.held(), &mut scratch);
                let read = read.map_err(|failure| contract.irreducible(&failure))?;
                read.ok_or_else(|| self.damaged())?;
                if let Some(further) = reader.next(self)? {
                    packed.clear();
                    packed.extend_from_slice(further);
                    next.push(Reverse((packed, at)));
                }
            }
            each(&key, held)?;
        }
        Ok(())
    }

    fn read(&self, at: u64, bytes: &mut [u8]) -> Result<(), Failure> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(bytes)).map_err(|error| {
            if error.kind() == io::ErrorKind::UnexpectedEof {
                self.damaged()
            } else {
                inaccessible("read a temporary file in", &self.directory, &error)
            }
        })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let mut file = &self.file;
        let written = file.seek(SeekFrom::Start(self.end)).and_then(|_| file.write_all(bytes));
        written.map_err(|error| self.refused(&error))?;
        self.end += bytes.len() as u64;
        Ok(())
    }

    fn refused(&self, error: &io::Error) -> Failure {
        inaccessible("write a temporary file in", &self.directory, error)
    }

    fn damaged(&self) -> Failure {
        let directory = self.directory.display();
        let message =
            format!("a temporary file in `{directory}` has other bytes than were written");
        Failure::new(FailureKind::Damaged, message)
    }
}

/// Writes one run.
pub(super) struct RunWriter<'r> {
    runs: &'r mut Runs,
    compressor: Compressor<'static>,
    raw: Vec<u8>,
}

impl RunWriter<'_> {
    /// Adds what is held of the next greater key.
    ///
    /// # Errors
    /// `cannot-access`, such as a full disk.
    pub(super) fn push(&mut self, packed: &[u8], held: &Held) -> Result<(), Failure> {
        write_bytes(packed, &mut self.raw);
        let mut documents = Vec::new();
        held.write(&mut documents);
        write_bytes(&documents, &mut self.raw);
        if self.raw.len() < RUN_BLOCK_BYTES {
            return Ok(());
        }
        self.close_block()
    }

    fn close_block(&mut self) -> Result<(), Failure> {
        if self.raw.is_empty() {
            return Ok(());
        }
        let compressed = self.compressor.compress(&self.raw);
        let compressed = compressed.map_err(|error| self.runs.refused(&error))?;
        let mut block = Vec::with_capacity(HEADER_BYTES + compressed.len());
        block.extend_from_slice(&(self.raw.len() as u64).to_le_bytes());
        block.extend_from_slice(&(compressed.len() as u64).to_le_bytes());
        block.extend_from_slice(&xxh3_64(&compressed).to_le_bytes());
        block.extend_from_slice(&compressed);
        self.raw.clear();
        self.runs.write(&block)
    }
}

/// Reads one run.
struct RunReader {
    /// What was not read yet.
    rest: Range<u64>,
    raw: Vec<u8>,
    /// Where the next record begins in the block at hand.
    at: usize,
    /// The documents of the record at hand.
    held: Range<usize>,
}

impl RunReader {
    fn new(run: Range<u64>) -> Self {
        Self { rest: run, raw: Vec::new(), at: 0, held: 0..0 }
    }

    /// The key of the next record.
    fn next(&mut self, runs: &Runs) -> Result<Option<&[u8]>, Failure> {
        if self.at == self.raw.len() {
            if self.rest.is_empty() {
                return Ok(None);
            }
            self.read_block(runs)?;
        }
        let mut bytes = self.raw.get(self.at..).unwrap_or_default();
        let record = read_bytes(&mut bytes).zip(read_bytes(&mut bytes));
        let (packed, held) = record.ok_or_else(|| runs.damaged())?;
        let end = self.raw.len() - bytes.len();
        self.held = end - held.len()..end;
        self.at = end;
        Ok(Some(packed))
    }

    /// The documents of the record at hand.
    fn held(&self) -> &[u8] {
        self.raw.get(self.held.clone()).unwrap_or_default()
    }

    fn read_block(&mut self, runs: &Runs) -> Result<(), Failure> {
        let mut header = [0; HEADER_BYTES];
        runs.read(self.rest.start, &mut header)?;
        let mut fields = header.as_chunks().0.iter().map(|field| u64::from_le_bytes(*field));
        let mut field = || fields.next().unwrap_or_default();
        let (raw_length, length, checksum) = (field(), field(), field());
        let begin = self.rest.start + HEADER_BYTES as u64;
        let end = begin.checked_add(length).filter(|end| *end <= self.rest.end);
        let end = end.ok_or_else(|| runs.damaged())?;
        let length = usize::try_from(length).map_err(|_| runs.damaged())?;
        let mut compressed = vec![0; length];
        runs.read(begin, &mut compressed)?;
        if xxh3_64(&compressed) != checksum {
            return Err(runs.damaged());
        }
        let raw_length = usize::try_from(raw_length).map_err(|_| runs.damaged())?;
        let raw = Decompressor::new()
            .and_then(|mut decompressor| decompressor.decompress(&compressed, raw_length));
        self.raw = raw.map_err(|_| runs.damaged())?;
        self.at = 0;
        self.rest.start = end;
        Ok(())
    }
}
