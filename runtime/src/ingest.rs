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
use tidegate_stdlib::document::Parser;

use crate::connector::{Pull, Pulled, Source};
use crate::engine::Ingest;
use crate::limits::{BATCH_BYTES, LINE_BYTES_MAX};
use crate::store::inaccessible;

/// The files of one collection, one after the other.
pub(crate) struct IngestSource {
    files: VecDeque<Lines>,
    parser: Parser,
    line: Vec<u8>,
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
        Ok(Self { files, parser: Parser::default(), line: Vec::new() })
    }
}

impl Source for IngestSource {
    fn pull(&mut self, documents_max: usize, into: &mut Pulled) -> Result<Pull, Failure> {
        let Self { files, parser, line } = self;
        while let Some(lines) = files.front_mut() {
            let mut bytes = 0;
            while into.len() < documents_max && bytes < BATCH_BYTES {
                match lines.read(line, parser, into)? {
                    0 => break,
                    read => bytes += read,
                }
            }
            if bytes == 0 {
                files.pop_front();
                continue;
            }
            let state = json!({ "offset": lines.offset, "line": lines.line });
            let states = lines.state_key.iter().map(|key| (key.clone(), state.clone())).collect();
            return Ok(Pull::Batch { states, bytes });
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

    /// Adds the document of the next line, if that is not blank, and tells how many bytes it took; none at the end.
    fn read(
        &mut self,
        line: &mut Vec<u8>,
        parser: &mut Parser,
        into: &mut Pulled,
    ) -> Result<usize, Failure> {
        line.clear();
        let read = (&mut self.reader)
            .take(LINE_BYTES_MAX as u64)
            .read_until(b'\n', line)
            .map_err(|error| cannot_read(&self.name, &error))?;
        if read == LINE_BYTES_MAX {
            return Err(self.unreadable("the line is too long"));
        }
        self.line += u64::from(read > 0);
        if !line.trim_ascii().is_empty() {
            into.add(0, |builder| parser.parse(line, builder))
                .map_err(|failure| self.unreadable(&failure.message))?;
        }
        self.offset += read as u64;
        Ok(read)
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
