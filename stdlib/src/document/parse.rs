//! Reading documents from text.
//!
//! What the scanner is sure about goes straight into the arena. Everything else (a fault, a repeated
//! property, deep nesting, a number at the edge of its type) is decided by the strict parser
//! [`crate::value::parse`], so that both accept the same texts, give the same documents and tell the
//! same faults.

use super::scan::Scanner;
use super::stamp::META;
use super::{Builder, Document, Stamp, copy_unstamped};
use crate::limits::DOCUMENT_SIZE_BYTES_MAX;
use crate::value::{self, ParseFailure};

/// Reads documents; keeps its buffer from one to the next.
#[derive(Debug, Default)]
pub struct Parser {
    /// A text that is put together from pieces.
    text: Vec<u8>,
}

impl Parser {
    /// Reads exactly one JSON value and adds it to what `into` builds.
    ///
    /// # Errors
    /// As [`crate::value::parse`]; nothing is added then.
    pub fn parse(&mut self, text: &[u8], into: &mut Builder) -> Result<(), ParseFailure> {
        if parse_fast(text, into, None).is_none() {
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
            || parse_fast(text, into, Some(stamp)).is_some()
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
        if rest.len() > DOCUMENT_SIZE_BYTES_MAX {
            return None;
        }
        self.text.clear();
        self.text.push(b'{');
        self.text.extend_from_slice(rest);
        let mark = into.mark();
        parse_fast(&self.text, into, None)?;
        if into.since(&mark).get(META).is_some() {
            into.rewind(mark);
            return None;
        }
        stamp.clear();
        stamp.uuid.push_str(uuid);
        stamp.emptied = true;
        Some(())
    }
}

/// Gives nothing, and adds nothing, when the scanner cannot be sure.
fn parse_fast(text: &[u8], into: &mut Builder, stamp: Option<&mut Stamp>) -> Option<()> {
    if text.len() > DOCUMENT_SIZE_BYTES_MAX {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    let mark = into.mark();
    into.forget_duplicates();
    let scanner = Scanner::new(text, into);
    let scanned = match stamp {
        Some(stamp) => scanner.unstamped_document(stamp),
        None => scanner.document(),
    };
    if scanned.is_some() && !into.has_duplicates() {
        into.remember_duplicates(&mark);
        return Some(());
    }
    into.rewind(mark);
    None
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
