//! `tidegate/source-file`: documents from files, read once and resumed where a run was killed.
//!
//! Formats are JSON lines, JSON (arrays are streamed), the features of a GeoJSON FeatureCollection, CSV and TSV; each
//! plain, gzip or zstd. Files are read in the order of their paths. The state of a binding records per file how far it
//! was read; a file that grew is read on, one that was replaced is read anew, an unchanged one is left alone. A plain
//! file of lines that was repaired behind what was read of it is read on from there. With `watch`, the last line of a
//! plain file counts only once its line feed is there. Renames are not followed, and deletions mean nothing.

mod decode;
mod items;
mod lines;
mod listing;
mod progress;
mod rows;

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use tidegate_stdlib::bundle::{CaptureBinding, Collection, Failure, FailureKind};
use tidegate_stdlib::document::Builder;

use self::decode::Compression;
use self::listing::{Format, Listed, Listing};
use self::progress::{FileProgress, Plan};
use super::{Opening, Pull, Pulled, Source, StateLookup, decode as decode_value, state_key};
use crate::limits::BATCH_BYTES;
use crate::store::inaccessible;

/// The endpoint's config.
#[derive(Debug, Deserialize)]
struct Config {
    path: String,
    format: Option<Format>,
    compression: Option<Compression>,
    #[serde(default)]
    watch: bool,
}

/// The resource of a binding.
#[derive(Debug, Deserialize)]
struct Resource {
    #[serde(default = "every_file")]
    stream: String,
}

fn every_file() -> String {
    "**/*".to_owned()
}

/// Opens the source at its recorded states.
pub(super) fn open(
    config: &Value,
    bindings: &[CaptureBinding],
    opening: Opening<'_>,
    state: &StateLookup<'_>,
) -> Result<Box<dyn Source>, Failure> {
    let config: Config = decode_value("config of the endpoint", config)?;
    let mut opened = Vec::with_capacity(bindings.len());
    for (binding, collection) in bindings.iter().zip(opening.collections) {
        let resource: Resource = decode_value("resource of the binding", &binding.resource)?;
        let key = state_key(&binding.resource_path, binding.backfill);
        let files = progress::from_state(state(&key)?.as_ref())?;
        let listing = Listing {
            root: opening.root.to_owned(),
            path: config.path.clone(),
            stream: resource.stream,
            format: config.format,
            compression: config.compression,
        };
        let collection = (*collection).clone();
        opened.push(Binding { key, listing, collection, files, dirty: false });
    }
    let mut source = FileSource {
        watch: config.watch,
        bindings: opened,
        queue: VecDeque::new(),
        current: None,
        failed: None,
    };
    source.enqueue_files()?;
    Ok(Box::new(source))
}

/// One binding: which files, and how far each was read.
struct Binding {
    key: String,
    listing: Listing,
    collection: Collection,
    files: BTreeMap<String, FileProgress>,
    dirty: bool,
}

/// The source of one capture.
struct FileSource {
    watch: bool,
    bindings: Vec<Binding>,
    /// Files still to be looked at, with the index of their binding.
    queue: VecDeque<(usize, Listed)>,
    current: Option<Current>,
    /// The failure that ended the reading; documents before it are handed out first.
    failed: Option<Failure>,
}

/// The file being read.
struct Current {
    binding: usize,
    listed: Listed,
    progress: FileProgress,
    documents: Box<dyn FileDocuments>,
}

/// The documents of one file in order.
trait FileDocuments: Send {
    /// Builds the next document and gives the length of its text in bytes; `None` at the end.
    fn next(&mut self, into: &mut Builder) -> Result<Option<usize>, Fault>;

    /// Where the next document begins, in the unit of the format: bytes after decompression, or items.
    fn offset(&self) -> u64;

    /// Lines before that place.
    fn line(&self) -> u64;
}

/// What is wrong in a file, and where.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    /// The line, from 1.
    line: u64,
    /// What is wrong, in lower case and without a full stop.
    message: String,
}

impl Fault {
    fn new(line: u64, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }
}

impl Source for FileSource {
    fn pull(&mut self, documents_max: usize, into: &mut Pulled) -> Result<Pull, Failure> {
        if let Some(failure) = &self.failed {
            return Err(failure.clone());
        }
        if self.watch && self.current.is_none() && self.queue.is_empty() {
            self.enqueue_files()?;
        }
        let mut bytes = 0;
        while into.len() < documents_max && bytes < BATCH_BYTES {
            match self.next(into) {
                Ok(Some(size)) => bytes += size,
                Ok(None) => break,
                Err(failure) => {
                    self.failed = Some(failure.clone());
                    if into.is_empty() {
                        return Err(failure);
                    }
                    break;
                }
            }
        }
        if !into.is_empty() {
            self.record_current();
        }
        let states = self.take_states();
        if !into.is_empty() || !states.is_empty() {
            return Ok(Pull::Batch { states, bytes });
        }
        Ok(if self.watch { Pull::Waiting } else { Pull::Drained })
    }

    fn waits_for_others(&self) -> bool {
        self.watch
    }
}

impl FileSource {
    /// Lists the files of all bindings anew.
    fn enqueue_files(&mut self) -> Result<(), Failure> {
        for (index, binding) in self.bindings.iter().enumerate() {
            let listed = binding.listing.list(self.watch)?;
            self.queue.extend(listed.into_iter().map(|file| (index, file)));
        }
        Ok(())
    }

    /// Adds the next document of the current file, or of the next one that has any, and gives its size.
    fn next(&mut self, into: &mut Pulled) -> Result<Option<usize>, Failure> {
        loop {
            let Some(current) = &mut self.current else {
                let Some((binding, listed)) = self.queue.pop_front() else {
                    return Ok(None);
                };
                self.current = self.open_file(binding, listed)?;
                continue;
            };
            let documents = &mut current.documents;
            let mut size = None;
            let added = into.add(current.binding, |builder| match documents.next(builder) {
                Ok(next) => {
                    size = next;
                    if size.is_some() { Ok(()) } else { Err(None) }
                }
                Err(fault) => Err(Some(fault)),
            });
            match added {
                Ok(()) => return Ok(size),
                Err(None) => {
                    current.progress.done = true;
                    self.record_current();
                    self.current = None;
                }
                Err(Some(fault)) => return Err(unreadable(&current.listed.name, fault)),
            }
        }
    }

    /// Records how far the current file was read.
    fn record_current(&mut self) {
        let Some(current) = &mut self.current else { return };
        let Current { documents, listed, progress, .. } = current;
        progress.advance(documents.offset(), documents.line(), &listed.path, listed.unit());
        if let Some(binding) = self.bindings.get_mut(current.binding) {
            binding.files.insert(current.listed.name.clone(), current.progress.clone());
            binding.dirty = true;
        }
    }

    /// Opens a file at the place where it has to be read on; `None` when there is nothing new in it.
    fn open_file(&self, index: usize, listed: Listed) -> Result<Option<Current>, Failure> {
        let Some(binding) = self.bindings.get(index) else { return Ok(None) };
        let plan = progress::plan(&listed.path, binding.files.get(&listed.name), listed.unit())
            .map_err(|error| cannot_read(&listed.path, &error))?;
        let Plan::Read(progress) = plan else { return Ok(None) };
        let whole_lines = self.watch && listed.format.is_of_lines();
        let place =
            decode::Place { path: &listed.path, compression: listed.compression, whole_lines };
        let documents: Result<Box<dyn FileDocuments>, Fault> = match listed.format {
            Format::Jsonl => lines::open(place, &progress),
            Format::Json => items::open(place, &progress, items::Layout::Values),
            Format::Geojson => items::open(place, &progress, items::Layout::Features),
            Format::Csv => rows::open(place, &progress, b',', &binding.collection),
            Format::Tsv => rows::open(place, &progress, b'\t', &binding.collection),
        };
        match documents {
            Ok(documents) => Ok(Some(Current { binding: index, listed, progress, documents })),
            Err(fault) => Err(unreadable(&listed.name, fault)),
        }
    }

    /// The states of bindings that changed since the last time.
    fn take_states(&mut self) -> Vec<(String, Value)> {
        let changed = self.bindings.iter_mut().filter(|binding| binding.dirty);
        changed
            .map(|binding| {
                binding.dirty = false;
                (binding.key.clone(), progress::to_state(&binding.files))
            })
            .collect()
    }
}

fn unreadable(name: &str, fault: Fault) -> Failure {
    let Fault { line, message } = fault;
    Failure::new(FailureKind::SourceUnreadable, format!("`{name}` line {line}: {message}"))
        .help("repair what is there and run again")
}

fn cannot_read(path: &Path, error: &std::io::Error) -> Failure {
    inaccessible("read", path, error)
}

#[cfg(test)]
mod tests;
