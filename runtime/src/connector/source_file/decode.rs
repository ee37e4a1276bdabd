//! Opening a file as a stream of plain bytes.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Compression {
    /// Not at all.
    None,
    /// gzip, also of several members.
    Gzip,
    /// zstd, also of several frames.
    Zstd,
}

/// A file to open, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'p> {
    /// The file.
    pub(super) path: &'p Path,
    /// How it is compressed.
    pub(super) compression: Compression,
    /// Leave out what follows the last line feed of a plain file: somebody may be writing it.
    pub(super) whole_lines: bool,
}

/// A stream of decompressed bytes.
pub(super) type Bytes = Box<dyn BufRead + Send>;

const BUFFER_BYTES: usize = 256 * 1024;

/// Opens a file after its first `offset` decompressed bytes; a byte order mark at its beginning is left out.
pub(super) fn open(place: Place<'_>, offset: u64) -> io::Result<Bytes> {
    let mut file = File::open(place.path)?;
    if place.compression == Compression::None {
        let end = match place.whole_lines {
            true => end_of_last_line(&mut file)?,
            false => u64::MAX,
        };
        file.seek(SeekFrom::Start(offset))?;
        let reader = BufReader::with_capacity(BUFFER_BYTES, file);
        return Ok(Box::new(reader.take(end.saturating_sub(offset))));
    }
    let reader = BufReader::with_capacity(BUFFER_BYTES, file);
    let mut decoded: Bytes = match place.compression {
        Compression::None => Box::new(reader),
        Compression::Gzip => {
            Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(reader)))
        }
        Compression::Zstd => Box::new(BufReader::with_capacity(
            BUFFER_BYTES,
            zstd::stream::read::Decoder::with_buffer(reader)?,
        )),
    };
    let skipped = io::copy(&mut decoded.by_ref().take(offset), &mut io::sink())?;
    if skipped < offset {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the file is shorter than what was read of it before",
        ));
    }
    Ok(decoded)
}

/// Skips a byte order mark, and says how many bytes that were.
pub(super) fn skip_byte_order_mark(bytes: &mut Bytes) -> io::Result<u64> {
    let found = bytes.fill_buf()?.starts_with(b"\xef\xbb\xbf");
    if found {
        bytes.consume(3);
    }
    Ok(if found { 3 } else { 0 })
}

/// The offset after the last line feed of a file.
fn end_of_last_line(file: &mut File) -> io::Result<u64> {
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut chunk = Vec::new();
    while end > 0 {
        let begin = end.saturating_sub(64 * 1024);
        file.seek(SeekFrom::Start(begin))?;
        chunk.clear();
        file.by_ref().take(end - begin).read_to_end(&mut chunk)?;
        if let Some(index) = chunk.iter().rposition(|byte| *byte == b'\n') {
            return Ok(begin + index as u64 + 1);
        }
        end = begin;
    }
    Ok(0)
}
