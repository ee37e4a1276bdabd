//! JSON lines: one document a line, blank lines between them skipped.

use std::io::{BufRead, Read};

use tidegate_stdlib::document::{Builder, Parser};
use tidegate_stdlib::limits::DOCUMENT_SIZE_BYTES_MAX;

use super::decode::{self, Bytes, Place};
use super::progress::FileProgress;
use super::{Fault, FileDocuments};

/// Opens a file of lines.
pub(super) fn open(
    place: Place<'_>,
    progress: &FileProgress,
) -> Result<Box<dyn FileDocuments>, Fault> {
    let fault = |error: std::io::Error| Fault::new(progress.line + 1, error.to_string());
    let mut bytes = decode::open(place, progress.offset).map_err(fault)?;
    let mut offset = progress.offset;
    if offset == 0 {
        offset += decode::skip_byte_order_mark(&mut bytes).map_err(fault)?;
    }
    let (line, text, parser) = (progress.line, Vec::new(), Parser::default());
    Ok(Box::new(Lines { bytes, offset, line, text, parser }))
}

struct Lines {
    bytes: Bytes,
    offset: u64,
    line: u64,
    text: Vec<u8>,
    parser: Parser,
}

impl FileDocuments for Lines {
    fn next(&mut self, into: &mut Builder) -> Result<Option<usize>, Fault> {
        loop {
            self.text.clear();
            let length_max = DOCUMENT_SIZE_BYTES_MAX as u64 + 1;
            let read = (&mut self.bytes)
                .take(length_max)
                .read_until(b'\n', &mut self.text)
                .map_err(|error| Fault::new(self.line + 1, error.to_string()))?;
            if read == 0 {
                return Ok(None);
            }
            if read as u64 == length_max && self.text.last() != Some(&b'\n') {
                let megabytes = DOCUMENT_SIZE_BYTES_MAX >> 20;
                let message = format!("the line is longer than {megabytes} MiB");
                return Err(Fault::new(self.line + 1, message));
            }
            if self.text.trim_ascii().is_empty() {
                self.offset += read as u64;
                self.line += 1;
                continue;
            }
            self.parser.parse(&self.text, into).map_err(|failure| {
                let message = format!("{} at byte {}", failure.message, failure.offset);
                Fault::new(self.line + 1, message)
            })?;
            self.offset += read as u64;
            self.line += 1;
            return Ok(Some(read));
        }
    }

    fn offset(&self) -> u64 {
        self.offset
    }

    fn line(&self) -> u64 {
        self.line
    }
}
