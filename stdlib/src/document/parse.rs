//! Reading documents from text with a SIMD parser.
//!
//! What the fast parser is sure about goes straight into the arena. Everything else (a fault, a
//! repeated property, deep nesting, a number at the edge of its type) is decided by the strict
//! parser [`crate::value::parse`], so that both accept the same texts, give the same documents and
//! tell the same faults.

use simd_json::value::tape;
use simd_json::{Buffers, StaticNode, Tape};

use super::{Builder, Number};
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
    /// As [`crate::value::parse`]; what `into` has built then is of no use.
    pub fn parse(&mut self, text: &[u8], into: &mut Builder) -> Result<(), ParseFailure> {
        let mark = into.mark();
        into.forget_duplicates();
        let is_sure = self.parse_fast(text, into).is_some() && !into.has_duplicates();
        if is_sure {
            into.remember_duplicates(&mark);
            return Ok(());
        }
        into.rewind(mark);
        into.value(&value::parse(text)?);
        Ok(())
    }

    /// Gives nothing when the fast parser cannot be sure.
    fn parse_fast(&mut self, text: &[u8], into: &mut Builder) -> Option<()> {
        if text.len() > DOCUMENT_SIZE_BYTES_MAX {
            return None;
        }
        self.text.clear();
        self.text.extend_from_slice(text);
        let mut tape = std::mem::replace(&mut self.tape, Tape(Vec::new())).reset();
        let filled = simd_json::fill_tape(&mut self.text, &mut self.buffers, &mut tape).ok();
        let converted = filled.and_then(|()| {
            let mut nodes = tape.0.iter();
            let mut conversion = Conversion { text, into, has_negative_zero: None };
            conversion.convert(&mut nodes, 0)?;
            nodes.next().is_none().then_some(())
        });
        self.tape = tape.reset();
        converted
    }
}

struct Conversion<'c> {
    text: &'c [u8],
    into: &'c mut Builder,
    /// Whether the text may hold a negative zero, once that was asked.
    has_negative_zero: Option<bool>,
}

impl Conversion<'_> {
    fn convert(
        &mut self,
        nodes: &mut std::slice::Iter<'_, tape::Node<'_>>,
        depth: usize,
    ) -> Option<()> {
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
        let text = self.text;
        *self.has_negative_zero.get_or_insert_with(|| text.windows(2).any(|pair| pair == b"-0"))
    }
}
