//! Values of documents as SQLite takes them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use rusqlite::types::{ToSqlOutput, Value as SqlValue, ValueRef};

use super::{Binding, Encoding};
use crate::document::{Document, Node, Number, UuidPlace, View, write_stamped_at, write_text};
use crate::value::Pointer;

/// 100 ns ticks between 1582-10-15, when the clock of UUIDs begins, and 1970-01-01.
const TICKS_BEFORE_UNIX: i128 = 122_192_928_000_000_000;

/// Takes the value of one parameter out of documents.
#[derive(Debug)]
pub(super) struct Binder {
    pointer: Pointer,
    encoding: Encoding,
    default: Document,
    place: UuidPlace,
}

impl Binder {
    /// The binder of a parameter.
    pub(super) fn new(binding: &Binding) -> Self {
        let pointer = binding.pointer.clone();
        let place = UuidPlace::of(&pointer);
        let default = Document::from_value(&binding.default);
        Self { pointer, encoding: binding.encoding, default, place }
    }

    /// The value of a document whose UUID is at hand when it does not hold it itself.
    ///
    /// # Errors
    /// A value that SQLite has no type for; the message says which.
    pub(super) fn bind<'d>(
        &'d self,
        document: Node<'d>,
        uuid: Option<&'d str>,
    ) -> Result<ToSqlOutput<'d>, String> {
        match (uuid, self.place) {
            (Some(uuid), UuidPlace::Itself) => return Ok(bind_text(self.encoding, uuid)),
            (Some(uuid), UuidPlace::Around) => {
                let mut out = Vec::new();
                write_stamped_at(document, uuid, &self.pointer, &mut out);
                return Ok(owned_text(out));
            }
            (None, _) | (_, UuidPlace::Elsewhere) => {}
        }
        if self.encoding == Encoding::Document {
            return Ok(text_of(document));
        }
        let value = document.query(&self.pointer).unwrap_or_else(|| self.default.root());
        match value.view() {
            View::Null => Ok(ToSqlOutput::Borrowed(ValueRef::Null)),
            View::Boolean(value) => Ok(ToSqlOutput::Borrowed(ValueRef::Integer(i64::from(value)))),
            View::Number(number) => bind_number(number),
            View::String(text) => Ok(bind_text(self.encoding, text)),
            View::Array(_) | View::Object(_) => Ok(text_of(value)),
        }
    }
}

fn bind_number(number: Number) -> Result<ToSqlOutput<'static>, String> {
    match number {
        Number::Float(real) => Ok(ToSqlOutput::Borrowed(ValueRef::Real(real))),
        Number::Negative(integer) => Ok(ToSqlOutput::Borrowed(ValueRef::Integer(integer))),
        Number::Unsigned(integer) => match i64::try_from(integer) {
            Ok(integer) => Ok(ToSqlOutput::Borrowed(ValueRef::Integer(integer))),
            Err(_) => Err(format!("{integer} is greater than SQLite's greatest integer")),
        },
    }
}

fn text_of(node: Node<'_>) -> ToSqlOutput<'static> {
    let mut out = Vec::new();
    write_text(node, &mut out);
    owned_text(out)
}

/// A string as its encoding wants it, or as TEXT when it is not of that form.
fn bind_text(encoding: Encoding, text: &str) -> ToSqlOutput<'_> {
    let encoded = match encoding {
        Encoding::Plain | Encoding::Document => None,
        Encoding::Integer => {
            text.parse().ok().map(|integer| ToSqlOutput::Borrowed(ValueRef::Integer(integer)))
        }
        Encoding::Number => {
            text.parse().ok().map(|real| ToSqlOutput::Borrowed(ValueRef::Real(real)))
        }
        Encoding::Base64 => {
            STANDARD.decode(text).ok().map(|bytes| ToSqlOutput::Owned(SqlValue::Blob(bytes)))
        }
        Encoding::PublishedAt => {
            published_at(text).map(|time| ToSqlOutput::Owned(SqlValue::Text(time)))
        }
    };
    encoded.unwrap_or(ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())))
}

fn owned_text(text: Vec<u8>) -> ToSqlOutput<'static> {
    let text = String::from_utf8(text).expect("the text of a document is UTF-8");
    ToSqlOutput::Owned(SqlValue::Text(text))
}

/// The time in a UUID of version 1, with nanoseconds: 100 for a tick and 4 for the counter in the
/// clock sequence.
fn published_at(uuid: &str) -> Option<String> {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(9));
    let part = |range: std::ops::Range<usize>| {
        let digits = uuid.get(range)?;
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_plain.then(|| i128::from_str_radix(digits, 16).ok())?
    };
    let has_form = uuid.len() == 36
        && [8, 13, 18, 23].iter().all(|&index| uuid.as_bytes().get(index) == Some(&b'-'));
    let (low, middle, high) = (part(0..8)?, part(9..13)?, part(14..18)?);
    let sequence = part(19..23)?;
    part(24..36)?;
    if !has_form || high >> 12 != 1 || sequence >> 14 != 0b10 {
        return None;
    }
    let ticks = (high & 0xfff) << 48 | middle << 32 | low;
    let counter = sequence >> 10 & 0xf;
    let nanoseconds = (ticks - TICKS_BEFORE_UNIX) * 100 + counter * 4;
    let timestamp = Timestamp::from_nanosecond(nanoseconds).ok()?;
    Some(PRINTER.timestamp_to_string(&timestamp))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_at_has_nine_digits() {
        let time = published_at("9ec9af8e-0b34-11ee-be56-0242ac120002");
        assert_eq!(time.as_deref(), Some("2023-06-15T04:25:12.528679860Z"));
        let epoch = published_at("13814000-1dd2-11b2-8000-010000000000");
        assert_eq!(epoch.as_deref(), Some("1970-01-01T00:00:00.000000000Z"));
    }

    #[test]
    fn other_uuids_have_no_time() {
        for uuid in [
            "",
            "9ec9af8e-0b34-41ee-be56-0242ac120002",
            "9ec9af8e-0b34-11ee-0e56-0242ac120002",
            "9ec9af8e-0b34-11ee-be56-0242ac12000",
            "9ec9af8e+0b34-11ee-be56-0242ac120002",
            "+ec9af8e-0b34-11ee-be56-0242ac120002",
            "9ec9af8e-0b34-11ee-be56-0242ac12000é",
        ] {
            assert_eq!(published_at(uuid), None, "{uuid}");
        }
    }
}
