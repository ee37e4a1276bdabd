//! Reading documents from text.
//!
//! What the scanner is sure about goes straight into the arena. Everything else (a fault, a repeated
//! property, deep nesting, a number at the edge of its type) is decided by the strict parser
//! [`crate::value::parse`], so that both accept the same texts, give the same documents and tell the
//! same faults.

use super::layout::Layouts;
use super::scan::{Findings, Scanner, Surprise};
use super::{Builder, Document, Mark, Stamp, copy_unstamped};
use crate::limits::DOCUMENT_SIZE_BYTES_MAX;
use crate::value::{self, ParseFailure};

/// Reads documents; the same parser should read those that are alike, because it remembers what they
/// look like.
#[derive(Debug, Default)]
pub struct Parser {
    layouts: Layouts,
    findings: Findings,
}

impl Parser {
    /// Reads exactly one JSON value and adds it to what `into` builds.
    ///
    /// # Errors
    /// As [`crate::value::parse`]; nothing is added then.
    pub fn parse(&mut self, text: &[u8], into: &mut Builder) -> Result<(), ParseFailure> {
        let scanned =
            scannable(text).and_then(|text| self.scan(text, into, |scanner| scanner.document()));
        if scanned.is_none() {
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
        if let Some(text) = scannable(text)
            && (self.scan_behind_stamp(text, into, stamp).is_some()
                || self.scan(text, into, |scanner| scanner.unstamped_document(stamp)).is_some())
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
        text: &str,
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
        text: &str,
        into: &mut Builder,
        scan: impl FnOnce(Scanner<'_>) -> Option<()>,
    ) -> Option<()> {
        let mark = into.mark();
        self.findings.clear();
        let scanned = scan(Scanner::new(text, into, &self.layouts, &mut self.findings));
        if scanned.is_some() && (self.findings.are_none() || self.finish(&mark, into).is_some()) {
            return Some(());
        }
        into.rewind(mark);
        None
    }

    /// Brings what was read into its order, and remembers what was not as expected.
    fn finish(&mut self, mark: &Mark, into: &mut Builder) -> Option<()> {
        let is_out_of_order = self.findings.is_out_of_order;
        if is_out_of_order {
            into.arrange(mark, &self.layouts)?;
        }
        for surprise in &self.findings.surprises {
            match *surprise {
                Surprise::Object { place, at } => {
                    let names = into.names_as_written(mark, at, is_out_of_order);
                    self.layouts.learn(place, names);
                }
                Surprise::Array { place } => self.layouts.learn_items(place),
            }
        }
        Some(())
    }
}

/// The text, unless it is too long or none.
fn scannable(text: &[u8]) -> Option<&str> {
    if text.len() > DOCUMENT_SIZE_BYTES_MAX {
        return None;
    }
    std::str::from_utf8(text).ok()
}

/// The UUID at the beginning of a canonical text that has nothing else in `/_meta`, and where its
/// other members begin.
fn split_stamp(text: &str) -> Option<(&str, usize)> {
    const BEGIN: &str = "{\"_meta\":{\"uuid\":\"";
    const UUID_BYTES: usize = 36;
    let (uuid, rest) = text.strip_prefix(BEGIN)?.split_at_checked(UUID_BYTES)?;
    // All bytes are looked at in any case, many at once.
    let is_plain = uuid.bytes().fold(true, |is_plain, byte| {
        is_plain & byte.is_ascii_graphic() & (byte != b'"') & (byte != b'\\')
    });
    let at = BEGIN.len() + UUID_BYTES;
    match rest.strip_prefix("\"}")?.as_bytes() {
        _ if !is_plain => None,
        [b',', b'"', ..] => Some((uuid, at + 3)),
        [b'}', ..] => Some((uuid, at + 2)),
        _ => None,
    }
}
