//! JSON files: items of an array, values one after the other, or the features of a GeoJSON FeatureCollection.
//!
//! Only one item is in memory at a time: a scanner finds where it ends by its brackets and quotes, and the strict
//! parser judges it. The offset counts items; going on means passing over those before it.

use std::io::BufRead;

use tidegate_stdlib::document::{Builder, Parser};
use tidegate_stdlib::limits::DOCUMENT_SIZE_BYTES_MAX;

use super::decode::{self, Bytes, Place};
use super::progress::FileProgress;
use super::{Fault, FileDocuments};

/// Where the documents stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Each value at the top, and each item of an array at the top.
    Values,
    /// Each item of the property `features` of the object at the top.
    Features,
}

/// Opens a file of items.
pub(super) fn open(
    place: Place<'_>,
    progress: &FileProgress,
    layout: Layout,
) -> Result<Box<dyn FileDocuments>, Fault> {
    let fault = |error: std::io::Error| Fault::new(1, error.to_string());
    let mut bytes = decode::open(place, 0).map_err(fault)?;
    decode::skip_byte_order_mark(&mut bytes).map_err(fault)?;
    let state = match layout {
        Layout::Values => State::Values,
        Layout::Features => State::Collection,
    };
    let scanner = Scanner { bytes, line: 0 };
    let (passed, taken, text) = (0, progress.offset, Vec::new());
    let parser = Parser::default();
    Ok(Box::new(Items { scanner, layout, state, passed, taken, text, parser }))
}

struct Items {
    scanner: Scanner,
    layout: Layout,
    state: State,
    /// Items that the scanner has passed.
    passed: u64,
    /// Items that were handed out, by this reading or the ones before.
    taken: u64,
    text: Vec<u8>,
    parser: Parser,
}

/// Where the scanner stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between values at the top.
    Values,
    /// Before the `{` of a FeatureCollection.
    Collection,
    /// Before a member of the FeatureCollection that comes first, or after a comma.
    Member {
        /// Whether `features` has been passed.
        features: bool,
    },
    /// After a member of the FeatureCollection.
    MemberEnd {
        /// Whether `features` has been passed.
        features: bool,
    },
    /// Behind the `[` of the array.
    ArrayBegin,
    /// Behind an item of the array.
    ItemEnd,
    /// Behind everything.
    End,
}

impl FileDocuments for Items {
    fn next(&mut self, into: &mut Builder) -> Result<Option<usize>, Fault> {
        while self.find_item()? {
            let line = self.scanner.line;
            if self.passed < self.taken {
                self.scanner.pass_value(None)?;
                self.passed += 1;
                continue;
            }
            self.text.clear();
            self.scanner.pass_value(Some(&mut self.text))?;
            self.parser.parse(&self.text, into).map_err(|failure| {
                let before = self.text.get(..failure.offset).unwrap_or(&self.text);
                let line = line + count_lines(before);
                let column = before.rsplit(|byte| *byte == b'\n').next().map_or(0, <[u8]>::len);
                Fault::new(line + 1, format!("{} at byte {column}", failure.message))
            })?;
            self.passed += 1;
            self.taken += 1;
            return Ok(Some(self.text.len()));
        }
        Ok(None)
    }

    fn offset(&self) -> u64 {
        self.taken
    }

    fn line(&self) -> u64 {
        self.scanner.line
    }
}

impl Items {
    /// Moves to the first byte of the next item; whether there is one.
    fn find_item(&mut self) -> Result<bool, Fault> {
        loop {
            let next = self.scanner.peek()?;
            match (self.state, next) {
                (State::Values | State::End, None) => return Ok(false),
                (State::Values, Some(b'[')) => self.step(State::ArrayBegin),
                (State::Values, Some(_)) => return Ok(true),
                (State::Collection, Some(b'{')) => self.step(State::Member { features: false }),
                (State::Member { .. } | State::MemberEnd { .. }, Some(b'}')) => self.step_out()?,
                (State::Member { features }, Some(b'"')) => self.pass_member(features)?,
                (State::MemberEnd { features }, Some(b',')) => {
                    self.step(State::Member { features });
                }
                (State::ArrayBegin | State::ItemEnd, Some(b']')) => {
                    self.step(match self.layout {
                        Layout::Values => State::Values,
                        Layout::Features => State::MemberEnd { features: true },
                    });
                }
                (State::ArrayBegin, Some(_)) => {
                    self.state = State::ItemEnd;
                    return Ok(true);
                }
                (State::ItemEnd, Some(b',')) => {
                    self.scanner.bump();
                    return match self.scanner.peek()? {
                        Some(b']') | None => Err(self.fault("an item should follow the comma")),
                        Some(_) => Ok(true),
                    };
                }
                (state, next) => return Err(self.unexpected(state, next)),
            }
        }
    }

    fn step(&mut self, state: State) {
        self.scanner.bump();
        self.state = state;
    }

    /// Steps out of the FeatureCollection.
    fn step_out(&mut self) -> Result<(), Fault> {
        if matches!(
            self.state,
            State::Member { features: false } | State::MemberEnd { features: false }
        ) {
            return Err(self.fault("the object has no `features`, so it is no FeatureCollection"));
        }
        self.step(State::End);
        Ok(())
    }

    /// Passes a member of the FeatureCollection, or enters its `features`.
    fn pass_member(&mut self, features: bool) -> Result<(), Fault> {
        self.text.clear();
        self.scanner.pass_value(Some(&mut self.text))?;
        if self.scanner.peek()? != Some(b':') {
            return Err(self.fault("a colon should follow the name of the property"));
        }
        self.scanner.bump();
        let value = self.scanner.peek()?;
        if self.text == b"\"features\"" && !features {
            if value != Some(b'[') {
                return Err(self.fault("`features` should be an array"));
            }
            self.step(State::ArrayBegin);
            return Ok(());
        }
        if value.is_none() {
            return Err(self.fault("the file ends too early"));
        }
        self.scanner.pass_value(None)?;
        self.state = State::MemberEnd { features };
        Ok(())
    }

    fn fault(&self, message: &str) -> Fault {
        Fault::new(self.scanner.line + 1, message)
    }

    fn unexpected(&self, state: State, next: Option<u8>) -> Fault {
        if next.is_none() {
            return self.fault("the file ends too early");
        }
        self.fault(match state {
            State::Collection => "a GeoJSON file should begin with `{`",
            State::Member { .. } => "a property should stand here",
            State::MemberEnd { .. } => "a comma or `}` should stand here",
            State::ItemEnd => "a comma or `]` should stand here",
            State::Values | State::ArrayBegin | State::End => "nothing should follow here",
        })
    }
}

/// Finds the extent of values in a stream.
struct Scanner {
    bytes: Bytes,
    /// Line feeds passed.
    line: u64,
}

impl Scanner {
    /// The next byte that is no white space, without passing it; `None` at the end.
    fn peek(&mut self) -> Result<Option<u8>, Fault> {
        loop {
            let buffer = fill(&mut self.bytes, self.line)?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
            let length = buffer.iter().position(|byte| !blank(byte));
            let passed = buffer.get(..length.unwrap_or(buffer.len())).unwrap_or_default();
            self.line += count_lines(passed);
            let found = length.and_then(|index| buffer.get(index).copied());
            let passed = passed.len();
            self.bytes.consume(passed);
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    /// Passes the byte that `peek` gave.
    fn bump(&mut self) {
        self.bytes.consume(1);
    }

    /// Passes the value that begins here, and appends its text to `text`.
    fn pass_value(&mut self, mut text: Option<&mut Vec<u8>>) -> Result<(), Fault> {
        let mut extent = Extent::default();
        loop {
            let buffer = fill(&mut self.bytes, self.line)?;
            if buffer.is_empty() {
                return match extent.depth == 0 && extent.is_scalar {
                    true => Ok(()),
                    false => Err(Fault::new(self.line + 1, "the file ends too early")),
                };
            }
            let end = extent.find_end(buffer);
            let passed = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
            self.line += count_lines(passed);
            if let Some(text) = text.as_deref_mut() {
                text.extend_from_slice(passed);
                if text.len() > DOCUMENT_SIZE_BYTES_MAX {
                    let megabytes = DOCUMENT_SIZE_BYTES_MAX >> 20;
                    let message = format!("the item is longer than {megabytes} MiB");
                    return Err(Fault::new(self.line + 1, message));
                }
            }
            let passed = passed.len();
            self.bytes.consume(passed);
            if end.is_some() {
                return Ok(());
            }
        }
    }
}

/// How far into a value the scanner is.
#[derive(Debug, Default)]
struct Extent {
    depth: u64,
    in_string: bool,
    is_escaped: bool,
    is_scalar: bool,
}

impl Extent {
    /// The index after the value, when it ends in `buffer`.
    fn find_end(&mut self, buffer: &[u8]) -> Option<usize> {
        for (index, byte) in buffer.iter().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.is_escaped => self.is_escaped = false,
                    b'\\' => self.is_escaped = true,
                    b'"' => {
                        self.in_string = false;
                        if self.depth == 0 {
                            return Some(index + 1);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            match byte {
                b',' | b']' | b'}' | b':' | b' ' | b'\t' | b'\r' | b'\n' if self.is_scalar => {
                    return Some(index);
                }
                b'"' if !self.is_scalar => self.in_string = true,
                b'{' | b'[' if !self.is_scalar => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(index + 1);
                    }
                }
                _ if self.depth == 0 => self.is_scalar = true,
                _ => {}
            }
        }
        None
    }
}

fn fill(bytes: &mut Bytes, line: u64) -> Result<&[u8], Fault> {
    bytes.fill_buf().map_err(|error| Fault::new(line + 1, error.to_string()))
}

fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}
