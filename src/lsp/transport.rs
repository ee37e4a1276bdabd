//! Messages as they come in and go out: a header with their length, then JSON.
//!
//! What cannot be understood is told apart from the end of the stream, and reading goes on behind it.

use std::io::{self, BufRead, Read as _, Write};

use lsp_server::Message;
use serde_json::Value;

/// Bytes of a message; a longer one is skipped.
const MESSAGE_SIZE_BYTES_MAX: u64 = 256 << 20;
/// Bytes of a line of a header.
const HEADER_LINE_BYTES_MAX: u64 = 4096;

/// What was read.
#[derive(Debug)]
pub(super) enum Incoming {
    /// A message.
    Message(Message),
    /// Something else, and what is wrong with it.
    Malformed(String),
}

/// Reads the next message; `None` at the end of the stream.
pub(super) fn read(input: &mut impl BufRead) -> io::Result<Option<Incoming>> {
    let Some(length) = read_length(input)? else { return Ok(None) };
    let length = match length {
        Ok(length) => length,
        Err(problem) => return Ok(Some(Incoming::Malformed(problem))),
    };
    if length > MESSAGE_SIZE_BYTES_MAX {
        io::copy(&mut input.by_ref().take(length), &mut io::sink())?;
        let problem = format!("a message of {length} bytes is too long");
        return Ok(Some(Incoming::Malformed(problem)));
    }
    let mut content = Vec::new();
    input.by_ref().take(length).read_to_end(&mut content)?;
    Ok(Some(match serde_json::from_slice(&content) {
        Ok(message) => Incoming::Message(message),
        Err(_) => Incoming::Malformed("the message is not JSON-RPC".to_owned()),
    }))
}

/// The length that a header announces, or what is wrong with the header; `None` at the end of the stream.
fn read_length(input: &mut impl BufRead) -> io::Result<Option<Result<u64, String>>> {
    let mut length = None;
    loop {
        let mut line = Vec::new();
        input.by_ref().take(HEADER_LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        if line.is_empty() {
            let missing = || "the header announces no `Content-Length`".to_owned();
            return Ok(Some(length.ok_or_else(missing)));
        }
        let Some((name, value)) = line.split_once(':') else {
            return Ok(Some(Err("a line of the header has no `:`".to_owned())));
        };
        if name.eq_ignore_ascii_case("content-length") {
            match value.trim().parse() {
                Ok(value) => length = Some(value),
                Err(_) => {
                    return Ok(Some(Err("`Content-Length` is not a number".to_owned())));
                }
            }
        }
    }
}

/// Writes a message. When nobody reads any more, the end of the input will say so.
pub(super) fn write(message: &Message, output: &mut impl Write) {
    let _ = message.write(output);
}

/// Writes what is no regular message.
pub(super) fn write_value(value: &Value, output: &mut impl Write) {
    let text = value.to_string();
    let _ = write!(output, "Content-Length: {}\r\n\r\n{text}", text.len());
    let _ = output.flush();
}
