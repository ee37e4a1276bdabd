//! Reading documents from text with a SIMD parser.
//!
//! What the fast parser is sure about goes straight into the arena. Everything else (a fault, a
//! repeated property, deep nesting, a number at the edge of its type) is decided by the strict
//! parser [`crate::value::parse`], so that both accept the same texts, give the same documents and
//! tell the same faults.

use simd_json::value::tape;
use simd_json::{Buffers, StaticNode, Tape};

use super::stamp::{META, UUID};
use super::{Builder, Document, Number, Stamp, copy_unstamped};
use crate::limits::{DOCUMENT_DEPTH_MAX, DOCUMENT_SIZE_BYTES_MAX};
use crate::value::{self, ParseFailure};

/// Reads documents; keeps its buffers from one to the next.
pub struct Parser {
    /// The text, for the fast parser resolves escapes in place.
    text: Vec<u8>,
    buffers: Buffers,
    tape: Tape<'static>,
}

impl Default for Parser {
    fn default() -> Self {
        Self { text: Vec::new(), buffers: Buffers::default(), tape: Tape(Vec::new()) }
    }
}

impl std::fmt::Debug for Parser {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Parser").finish_non_exhaustive()
    }
}

impl Parser {
    /// Reads exactly one JSON value and adds it to what `into` builds.
    ///
    /// # Errors
    /// As [`crate::value::parse`]; nothing is added then.
    pub fn parse(&mut self, text: &[u8], into: &mut Builder) -> Result<(), ParseFailure> {
        if self.parse_fast(&[text], into, None).is_none() {
            into.value(&value::parse(text)?);
        }
        Ok(())
    }

    /// Reads one document as [`Parser::parse`] does and leaves its UUID out, as
    /// [`copy_unstamped`] does.
    ///
    /// # Errors
    /// As [`crate::value::parse`]; nothing is added then, and `stamp` is of no use.
    pub fn parse_unstamped(
        &mut self,
        text: &[u8],
        into: &mut Builder,
        stamp: &mut Stamp,
    ) -> Result<(), ParseFailure> {
        if self.parse_behind_stamp(text, into, stamp).is_some()
            || self.parse_fast(&[text], into, Some(stamp)).is_some()
        {
            return Ok(());
        }
        let document = Document::from_value(&value::parse(text)?);
        *stamp = copy_unstamped(document.root(), into);
        Ok(())
    }

    /// Most stored texts begin with the UUID and have nothing else in `/_meta`: only the rest of
    /// them is parsed. Gives nothing when a text is not of that kind.
    fn parse_behind_stamp(
        &mut self,
        text: &[u8],
        into: &mut Builder,
        stamp: &mut Stamp,
    ) -> Option<()> {
        let (uuid, rest) = split_stamp(text)?;
        let mark = into.mark();
        self.parse_fast(&[b"{", rest], into, None)?;
        if into.since(&mark).get(META).is_some() {
            into.rewind(mark);
            return None;
        }
        stamp.clear();
        stamp.uuid.push_str(uuid);
        stamp.emptied = true;
        Some(())
    }

    /// Reads a text given in pieces. Gives nothing, and adds nothing, when the fast parser cannot be
    /// sure.
    fn parse_fast(
        &mut self,
        pieces: &[&[u8]],
        into: &mut Builder,
        stamp: Option<&mut Stamp>,
    ) -> Option<()> {
        let mark = into.mark();
        into.forget_duplicates();
        let is_sure = self.convert(pieces, into, stamp).is_some() && !into.has_duplicates();
        if is_sure {
            into.remember_duplicates(&mark);
            return Some(());
        }
        into.rewind(mark);
        None
    }

    fn convert(
        &mut self,
        pieces: &[&[u8]],
        into: &mut Builder,
        stamp: Option<&mut Stamp>,
    ) -> Option<()> {
        if pieces.iter().map(|piece| piece.len()).sum::<usize>() > DOCUMENT_SIZE_BYTES_MAX {
            return None;
        }
        self.text.clear();
        pieces.iter().for_each(|piece| self.text.extend_from_slice(piece));
        let mut tape = std::mem::replace(&mut self.tape, Tape(Vec::new())).reset();
        let filled = simd_json::fill_tape(&mut self.text, &mut self.buffers, &mut tape).ok();
        let converted = filled.and_then(|()| {
            let mut nodes = tape.0.iter();
            let mut conversion = Conversion { pieces, into, has_negative_zero: None };
            match stamp {
                Some(stamp) => conversion.convert_unstamped(&mut nodes, stamp)?,
                None => conversion.convert(&mut nodes, 0)?,
            }
            nodes.next().is_none().then_some(())
        });
        self.tape = tape.reset();
        converted
    }
}

/// The UUID at the beginning of a canonical text that has nothing else in `/_meta`, and what follows
/// it up to the end of the document; an opening brace before that makes it a document again.
fn split_stamp(text: &[u8]) -> Option<(&str, &[u8])> {
    let (uuid, rest) = text.strip_prefix(b"{\"_meta\":{\"uuid\":\"")?.split_at_checked(36)?;
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    if !uuid.iter().all(is_plain) {
        return None;
    }
    let uuid = std::str::from_utf8(uuid).ok()?;
    let rest = rest.strip_prefix(b"\"}")?;
    match rest.strip_prefix(b",") {
        Some(more) if more.first() == Some(&b'"') => Some((uuid, more)),
        Some(_) => None,
        None => (rest.first() == Some(&b'}')).then_some((uuid, rest)),
    }
}

type Nodes<'n, 't> = std::slice::Iter<'n, tape::Node<'t>>;

struct Conversion<'c> {
    pieces: &'c [&'c [u8]],
    into: &'c mut Builder,
    /// Whether the text may hold a negative zero, once that was asked.
    has_negative_zero: Option<bool>,
}

impl Conversion<'_> {
    /// The whole document without its UUID.
    fn convert_unstamped(&mut self, nodes: &mut Nodes<'_, '_>, stamp: &mut Stamp) -> Option<()> {
        stamp.clear();
        let Some(tape::Node::Object { len, .. }) = nodes.as_slice().first() else {
            return self.convert(nodes, 0);
        };
        nodes.next();
        self.into.begin_object();
        let mut has_meta = false;
        for _ in 0..*len {
            let tape::Node::String(name) = *nodes.next()? else { return None };
            if name != META {
                self.into.name(name);
                self.convert(nodes, 1)?;
            } else if has_meta {
                return None;
            } else {
                has_meta = true;
                self.convert_meta(nodes, stamp)?;
            }
        }
        self.into.end_object();
        Some(())
    }

    fn convert_meta(&mut self, nodes: &mut Nodes<'_, '_>, stamp: &mut Stamp) -> Option<()> {
        let mark = self.into.mark();
        self.into.name(META);
        let Some(tape::Node::Object { len, .. }) = nodes.as_slice().first() else {
            return self.convert(nodes, 1);
        };
        nodes.next();
        self.into.begin_object();
        let mut has_uuid = false;
        for _ in 0..*len {
            let tape::Node::String(name) = *nodes.next()? else { return None };
            if name != UUID {
                self.into.name(name);
                self.convert(nodes, 2)?;
                continue;
            }
            let tape::Node::String(uuid) = *nodes.next()? else { return None };
            if std::mem::replace(&mut has_uuid, true) {
                return None;
            }
            stamp.uuid.push_str(uuid);
        }
        if *len == usize::from(has_uuid) {
            stamp.emptied = true;
            self.into.rewind(mark);
        } else {
            self.into.end_object();
        }
        Some(())
    }

    fn convert(&mut self, nodes: &mut Nodes<'_, '_>, depth: usize) -> Option<()> {
        match *nodes.next()? {
            tape::Node::Static(leaf) => self.leaf(leaf)?,
            tape::Node::String(text) => self.into.string(text),
            tape::Node::Array { len, .. } => {
                if depth == DOCUMENT_DEPTH_MAX {
                    return None;
                }
                self.into.begin_array();
                for _ in 0..len {
                    self.convert(nodes, depth + 1)?;
                }
                self.into.end_array();
            }
            tape::Node::Object { len, .. } => {
                if depth == DOCUMENT_DEPTH_MAX {
                    return None;
                }
                self.into.begin_object();
                for _ in 0..len {
                    let tape::Node::String(name) = *nodes.next()? else { return None };
                    self.into.name(name);
                    self.convert(nodes, depth + 1)?;
                }
                self.into.end_object();
            }
        }
        Some(())
    }

    fn leaf(&mut self, leaf: StaticNode) -> Option<()> {
        let number = match leaf {
            StaticNode::Null => {
                self.into.null();
                return Some(());
            }
            StaticNode::Bool(value) => {
                self.into.boolean(value);
                return Some(());
            }
            StaticNode::I64(value) => Number::from(value),
            StaticNode::U64(value) => Number::Unsigned(value),
            StaticNode::F64(value) if value.is_finite() => Number::Float(value),
            StaticNode::F64(_) => return None,
        };
        // `-0` is an integer and `-0.0` is none, which only the text tells apart.
        if number.as_f64() == 0.0 && self.has_negative_zero() {
            return None;
        }
        self.into.number(number);
        Some(())
    }

    fn has_negative_zero(&mut self) -> bool {
        let pieces = self.pieces;
        *self.has_negative_zero.get_or_insert_with(|| {
            pieces.iter().any(|piece| piece.windows(2).any(|pair| pair == b"-0"))
        })
    }
}
