//! Values of documents as SQLite stores them.

use std::num::IntErrorKind;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::types::{ToSqlOutput, Value as SqlValue, ValueRef};
use tidegate_stdlib::bundle::{Column, ColumnRole, ColumnStorage, UUID_POINTER};
use tidegate_stdlib::document::{
    Document, Node, Number, UuidPlace, View, write_stamped_at, write_text,
};
use tidegate_stdlib::value::Pointer;

use crate::uuid::Uuid;

/// A value on its way into a statement.
pub(super) type Bound<'d> = ToSqlOutput<'d>;

/// Takes the value of one column out of documents.
#[derive(Debug)]
pub(super) struct ColumnEncoder {
    name: String,
    role: ColumnRole,
    storage: ColumnStorage,
    pointer: Pointer,
    default: Option<Document>,
    place: UuidPlace,
    /// Whether it is the time of publication, which stands in the document's UUID.
    is_published_at: bool,
}

impl ColumnEncoder {
    /// The encoder of a column; `None` when its pointer is malformed.
    pub(super) fn new(column: &Column) -> Option<Self> {
        let is_published_at =
            column.pointer == UUID_POINTER && column.storage == ColumnStorage::Timestamp;
        let pointer = match column.role {
            ColumnRole::Document => Pointer::default(),
            ColumnRole::Key | ColumnRole::Value => Pointer::parse(&column.pointer).ok()?,
        };
        Some(Self {
            name: column.name.clone(),
            role: column.role,
            storage: column.storage,
            place: UuidPlace::of(&pointer),
            pointer,
            default: column.default.as_ref().map(Document::from_value),
            is_published_at,
        })
    }

    /// The name of the column.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is part of the key.
    pub(super) fn is_key(&self) -> bool {
        self.role == ColumnRole::Key
    }

    /// The value of a document, whose UUID stands beside it, in this column; NULL when it is missing and has no default.
    pub(super) fn extract<'d>(
        &'d self,
        document: Node<'d>,
        uuid: Option<Uuid>,
    ) -> Result<Bound<'d>, String> {
        match (uuid, self.place) {
            (Some(uuid), UuidPlace::Itself) if self.is_published_at => return published_at(uuid),
            (Some(uuid), UuidPlace::Itself) if self.storage == ColumnStorage::Json => {
                return Ok(text(format!("\"{uuid}\"")));
            }
            (Some(uuid), UuidPlace::Itself) => return Ok(text(uuid.to_string())),
            (Some(uuid), UuidPlace::Around) => {
                let mut out = Vec::new();
                write_stamped_at(document, uuid.text().as_str(), &self.pointer, &mut out);
                return Ok(utf8(out));
            }
            (None, _) | (_, UuidPlace::Elsewhere) => {}
        }
        if self.role == ColumnRole::Document {
            return Ok(text_of(document));
        }
        let value = document.query(&self.pointer);
        match value.or_else(|| self.default.as_ref().map(Document::root)) {
            None => Ok(Bound::Borrowed(ValueRef::Null)),
            Some(value) => self.encode(value),
        }
    }

    /// A value as this column stores it; says what does not fit.
    pub(super) fn encode<'d>(&self, value: Node<'d>) -> Result<Bound<'d>, String> {
        match (self.storage, value.view()) {
            (_, View::Null) => Ok(Bound::Borrowed(ValueRef::Null)),
            (ColumnStorage::Json, _) => Ok(text_of(value)),
            (_, View::Boolean(value)) => Ok(integer(i64::from(value))),
            (ColumnStorage::Integer, _) => whole(value),
            (ColumnStorage::Number, _) => Ok(number(value)),
            (ColumnStorage::Binary, View::String(encoded)) => Ok(match STANDARD.decode(encoded) {
                Ok(bytes) => Bound::Owned(SqlValue::Blob(bytes)),
                Err(_) => borrowed(encoded),
            }),
            (_, View::String(text)) => Ok(borrowed(text)),
            (_, View::Number(_) | View::Array(_) | View::Object(_)) => Ok(text_of(value)),
        }
    }
}

/// A whole number, or the text of one.
fn whole(value: Node<'_>) -> Result<Bound<'_>, String> {
    let beyond = || format!("{value} is beyond 64 bits");
    match value.view() {
        View::Number(Number::Negative(value)) => Ok(integer(value)),
        View::Number(Number::Unsigned(value)) => {
            i64::try_from(value).map(integer).map_err(|_| beyond())
        }
        View::Number(Number::Float(float)) => Ok(match float as i64 {
            whole if whole as f64 == float && whole != i64::MAX => integer(whole),
            _ => real(float),
        }),
        View::String(text) => match text.parse() {
            Ok(value) => Ok(integer(value)),
            Err(error)
                if matches!(
                    error.kind(),
                    IntErrorKind::PosOverflow | IntErrorKind::NegOverflow
                ) =>
            {
                Err(beyond())
            }
            Err(_) => Ok(borrowed(text)),
        },
        View::Null | View::Boolean(_) | View::Array(_) | View::Object(_) => Ok(text_of(value)),
    }
}

/// A number, or the text of one.
fn number(value: Node<'_>) -> Bound<'_> {
    match value.view() {
        View::Number(Number::Negative(value)) => integer(value),
        View::Number(number @ Number::Unsigned(value)) => {
            i64::try_from(value).map_or_else(|_| real(number.as_f64()), integer)
        }
        View::Number(Number::Float(float)) => real(float),
        View::String(text) => match text.parse::<f64>() {
            Ok(float) if float.is_finite() => real(float),
            Ok(_) | Err(_) => borrowed(text),
        },
        View::Null | View::Boolean(_) | View::Array(_) | View::Object(_) => text_of(value),
    }
}

/// The time of publication, RFC 3339 with nanoseconds.
fn published_at(uuid: Uuid) -> Result<Bound<'static>, String> {
    let time = jiff::Timestamp::from_nanosecond(uuid.clock.to_unix())
        .map_err(|_| format!("`{uuid}` is no UUID with a time"))?;
    Ok(text(format!("{time:.9}")))
}

fn integer(value: i64) -> Bound<'static> {
    Bound::Borrowed(ValueRef::Integer(value))
}

fn real(value: f64) -> Bound<'static> {
    Bound::Borrowed(ValueRef::Real(value))
}

fn borrowed(text: &str) -> Bound<'_> {
    Bound::Borrowed(ValueRef::Text(text.as_bytes()))
}

fn text(text: String) -> Bound<'static> {
    Bound::Owned(SqlValue::Text(text))
}

fn text_of(value: Node<'_>) -> Bound<'static> {
    let mut out = Vec::new();
    write_text(value, &mut out);
    utf8(out)
}

fn utf8(bytes: Vec<u8>) -> Bound<'static> {
    text(String::from_utf8(bytes).expect("the text of a document is UTF-8"))
}
