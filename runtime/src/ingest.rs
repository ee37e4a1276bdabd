//! Files given on the command line, ingested as a capture would.
//!
//! The checkpoint of an ingested file is its digest and a byte offset: an interrupted ingest goes on where it was, and a
//! repeated one finds nothing to do. The standard input is never resumed.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use tidegate_stdlib::bundle::{Failure, FailureKind};
use tidegate_stdlib::value::parse;

use crate::connector::{Pull, Source};
use crate::engine::Ingest;
use crate::limits::{BATCH_BYTES, LINE_BYTES_MAX};
use crate::store::inaccessible;

/// The files of one collection, one after the other.
pub(crate) struct IngestSource {
    files: VecDeque<Lines>,
}

/// One file.
struct Lines {
    /// The name in messages.
    name: String,
    /// The key of its state; none for a text that cannot be resumed.
    state_key: Option<String>,
    reader: Box<dyn BufRead + Send>,
    /// Bytes read so far.
    offset: u64,
    line: u64,
}

impl IngestSource {
    /// Opens the files at their recorded states.
    ///
    /// # Errors
    /// `cannot-access` for a file that cannot be read.
    pub(crate) fn open(
        files: &[&Ingest],
        state: &dyn Fn(&str) -> Result<Option<Value>, Failure>,
    ) -> Result<Self, Failure> {
        let files = files.iter().map(|file| Lines::open(file, state)).collect::<Result<_, _>>()?;
        Ok(Self { files })
    }
}

impl Source for IngestSource {
    fn pull(&mut self, documents_max: usize) -> Result<Pull, Failure> {
        while let Some(lines) = self.files.front_mut() {
            let (documents, bytes) = lines.read(documents_max)?;
            if bytes == 0 {
                self.files.pop_front();
                continue;
            }
            let state = json!({ "offset": lines.offset, "line": lines.line });
            let states = lines.state_key.iter().map(|key| (key.clone(), state.clone())).collect();
            return Ok(Pull::Batch { documents, states, bytes });
        }
        Ok(Pull::Drained)
    }
}

impl Lines {
    fn open(
        ingest: &Ingest,
        state: &dyn Fn(&str) -> Result<Option<Value>, Failure>,
    ) -> Result<Self, Failure> {
        let name = ingest.path.display().to_string();
        if let Some(text) = &ingest.text {
            let reader = Box::new(Cursor::new(text.clone()));
            return Ok(Self { name, state_key: None, reader, offset: 0, line: 0 });
        }
        let access = |error: std::io::Error| cannot_read(&name, &error);
        let state_key = format!("sha1:{}", digest(&ingest.path).map_err(access)?);
        let recorded = if ingest.again { None } else { state(&state_key)? };
        let number = |field: &str| -> u64 {
            let state = recorded.as_ref().and_then(|state| state.get(field)?.as_u64());
            state.unwrap_or_default()
        };
        let (offset, line) = (number("offset"), number("line"));
        let mut file = File::open(&ingest.path).map_err(access)?;
        file.seek(SeekFrom::Start(offset)).map_err(access)?;
        let reader = Box::new(BufReader::with_capacity(1 << 16, file));
        Ok(Self { name, state_key: Some(state_key), reader, offset, line })
    }

    /// The next documents, and how many bytes they took; none at the end.
    fn read(&mut self, documents_max: usize) -> Result<(Vec<(usize, Value)>, usize), Failure> {
        let mut documents = Vec::new();
        let mut bytes = 0;
        let mut line = Vec::new();
        while documents.len() < documents_max && bytes < BATCH_BYTES {
            line.clear();
            let mut limited = (&mut self.reader).take(LINE_BYTES_MAX as u64);
            let read = limited
                .read_until(b'\n', &mut line)
                .map_err(|error| cannot_read(&self.name, &error))?;
            if read == 0 {
                break;
            }
            if read == LINE_BYTES_MAX {
                return Err(self.unreadable("the line is too long"));
            }
            self.line += 1;
            if !line.trim_ascii().is_empty() {
                let parsed = parse(&line).map_err(|failure| self.unreadable(&failure.message))?;
                documents.push((0, parsed));
            }
            self.offset += read as u64;
            bytes += read;
        }
        Ok((documents, bytes))
    }

    fn unreadable(&self, what: &str) -> Failure {
        let message = format!("line {} of `{}` is no document: {what}", self.line, self.name);
        Failure::new(FailureKind::SourceUnreadable, message)
            .help("write one JSON document per line")
    }
}

fn cannot_read(name: &str, error: &std::io::Error) -> Failure {
    inaccessible("read", Path::new(name), error)
}

fn digest(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha1::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        hash.update(buffer.get(..read).unwrap_or_default());
    }
}
