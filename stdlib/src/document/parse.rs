//! Reading documents from text.
//!
//! What the scanner is sure about goes straight into the arena. Everything else (a fault, a repeated
//! property, deep nesting, a number at the edge of its type) is decided by the strict parser
//! [`crate::value::parse`], so that both accept the same texts, give the same documents and tell the
//! same faults.

use super::layout::Layouts;
use super::scan::Scanner;
use super::{Builder, Document, Stamp, copy_unstamped};
use crate::limits::DOCUMENT_SIZE_BYTES_MAX;
use crate::value::{self, ParseFailure};

/// Reads documents; the same parser should read those that are alike, because it remembers what they
/// look like.
#[derive(Debug, Default)]
pub struct Parser {
    layouts: Layouts,
}

impl Parser {
    /// Reads exactly one JSON value and adds it to what `into` builds.
    ///
    /// # Errors
    /// As [`crate::value::parse`]; nothing is added then.
    pub fn parse(&mut self, text: &[u8], into: &mut Builder) -> Result<(), ParseFailure> {
        if self.scan(text, into, |scanner| scanner.document()).is_none() {
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
        if self.scan_behind_stamp(text, into, stamp).is_some()
            || self.scan(text, into, |scanner| scanner.unstamped_document(stamp)).is_some()
        {
            return Ok(());
        }
        let document = Document::from_value(&value::parse(text)?);
        *stamp = copy_unstamped(document.root(), into);
        Ok(())
    }

    /// Most stored texts begin with the UUID and have nothing else in `/_meta`: only the rest of
    /// them is scanned. Gives nothing when a text is not of that kind.
    fn scan_behind_stamp(
        &mut self,
        text: &[u8],
        into: &mut Builder,
        stamp: &mut Stamp,
    ) -> Option<()> {
        let (uuid, at) = split_stamp(text)?;
        self.scan(text, into, |scanner| scanner.rest_of_document(at))?;
        stamp.clear();
        stamp.uuid.push_str(uuid);
        stamp.emptied = true;
        Some(())
    }

    /// Gives nothing, and adds nothing, when the scanner cannot be sure.
    fn scan(
        &mut self,
        text: &[u8],
        into: &mut Builder,
        scan: impl FnOnce(Scanner<'_>) -> Option<()>,
    ) -> Option<()> {
        if text.len() > DOCUMENT_SIZE_BYTES_MAX {
            return None;
        }
        let text = std::str::from_utf8(text).ok()?;
        let mark = into.mark();
        into.forget_duplicates();
        let scanned = scan(Scanner::new(text, into, &mut self.layouts));
        if scanned.is_some() && !into.has_duplicates() {
            into.remember_duplicates(&mark);
            return Some(());
        }
        into.rewind(mark);
        None
    }
}

/// The UUID at the beginning of a canonical text that has nothing else in `/_meta`, and where its
/// other members begin.
fn split_stamp(text: &[u8]) -> Option<(&str, usize)> {
    const BEGIN: &[u8] = b"{\"_meta\":{\"uuid\":\"";
    const UUID_BYTES: usize = 36;
    let (uuid, rest) = text.strip_prefix(BEGIN)?.split_at_checked(UUID_BYTES)?;
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    if !uuid.iter().all(is_plain) {
        return None;
    }
    let uuid = std::str::from_utf8(uuid).ok()?;
    let at = BEGIN.len() + UUID_BYTES;
    match rest.strip_prefix(b"\"}")? {
        [b',', b'"', ..] => Some((uuid, at + 3)),
        [b'}', ..] => Some((uuid, at + 2)),
        _ => None,
    }
}
