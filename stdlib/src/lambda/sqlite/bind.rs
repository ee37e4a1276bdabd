//! Values of documents as SQLite takes them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use rusqlite::types::{ToSqlOutput, Value as SqlValue, ValueRef};
use serde_json::Value;

use super::{Binding, Encoding};
use crate::value;

/// 100 ns ticks between 1582-10-15, when the clock of UUIDs begins, and 1970-01-01.
const TICKS_BEFORE_UNIX: i128 = 122_192_928_000_000_000;

/// The value that a binding takes from a document.
///
/// # Errors
/// A value that SQLite has no type for; the message says which.
pub(super) fn bind<'d>(
    binding: &'d Binding,
    document: &'d Value,
) -> Result<ToSqlOutput<'d>, String> {
    if binding.encoding == Encoding::Document {
        return Ok(owned_text(value::to_text(document)));
    }
    match binding.pointer.query(document).unwrap_or(&binding.default) {
        Value::Null => Ok(ToSqlOutput::Borrowed(ValueRef::Null)),
        Value::Bool(value) => Ok(ToSqlOutput::Borrowed(ValueRef::Integer(i64::from(*value)))),
        Value::Number(number) => bind_number(number),
        Value::String(text) => Ok(bind_text(binding.encoding, text)),
        container @ (Value::Array(_) | Value::Object(_)) => {
            Ok(owned_text(value::to_text(container)))
        }
    }
}

fn bind_number(number: &value::Number) -> Result<ToSqlOutput<'static>, String> {
    if let Some(integer) = number.as_i64() {
        return Ok(ToSqlOutput::Borrowed(ValueRef::Integer(integer)));
    }
    if number.is_u64() {
        return Err(format!("{number} is greater than SQLite's greatest integer"));
    }
    let real = number.as_f64().unwrap_or(f64::NAN);
    Ok(ToSqlOutput::Borrowed(ValueRef::Real(real)))
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
        Encoding::PublishedAt => published_at(text).map(owned_text),
    };
    encoded.unwrap_or(ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())))
}

fn owned_text(text: String) -> ToSqlOutput<'static> {
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
