//! Values of documents as SQLite stores them.

use std::num::IntErrorKind;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::types::Value as SqlValue;
use serde_json::Value;
use tidegate_stdlib::bundle::{Column, ColumnRole, ColumnStorage, UUID_POINTER};
use tidegate_stdlib::value::{Pointer, to_text};

use crate::uuid;

/// Takes the value of one column out of documents.
#[derive(Debug)]
pub(super) struct ColumnEncoder {
    name: String,
    role: ColumnRole,
    storage: ColumnStorage,
    pointer: Pointer,
    default: Option<Value>,
    /// Whether it is the time of publication, which stands in the document's UUID.
    is_published_at: bool,
}

impl ColumnEncoder {
    /// The encoder of a column; `None` when its pointer is malformed.
    pub(super) fn new(column: &Column) -> Option<Self> {
        let is_published_at =
            column.pointer == UUID_POINTER && column.storage == ColumnStorage::Timestamp;
        Some(Self {
            name: column.name.clone(),
            role: column.role,
            storage: column.storage,
            pointer: Pointer::parse(&column.pointer).ok()?,
            default: column.default.clone(),
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

    /// The value of a document in this column; NULL when it is missing and has no default.
    pub(super) fn extract(&self, document: &Value) -> Result<SqlValue, String> {
        if self.role == ColumnRole::Document {
            return Ok(SqlValue::Text(to_text(document)));
        }
        match self.pointer.query(document).or(self.default.as_ref()) {
            None => Ok(SqlValue::Null),
            Some(Value::String(text)) if self.is_published_at => published_at(text),
            Some(value) => self.encode(value),
        }
    }

    /// A value as this column stores it; says what does not fit.
    pub(super) fn encode(&self, value: &Value) -> Result<SqlValue, String> {
        match (self.storage, value) {
            (_, Value::Null) => Ok(SqlValue::Null),
            (ColumnStorage::Json, value) => Ok(SqlValue::Text(to_text(value))),
            (_, Value::Bool(value)) => Ok(SqlValue::Integer(i64::from(*value))),
            (ColumnStorage::Integer, value) => integer(value),
            (ColumnStorage::Number, value) => Ok(number(value)),
            (ColumnStorage::Binary, Value::String(text)) => Ok(match STANDARD.decode(text) {
                Ok(bytes) => SqlValue::Blob(bytes),
                Err(_) => SqlValue::Text(text.clone()),
            }),
            (_, Value::String(text)) => Ok(SqlValue::Text(text.clone())),
            (_, value) => Ok(SqlValue::Text(to_text(value))),
        }
    }
}

/// A whole number, or the text of one.
fn integer(value: &Value) -> Result<SqlValue, String> {
    let beyond = || format!("{value} is beyond 64 bits");
    match value {
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Ok(SqlValue::Integer(integer)),
            (None, Some(float)) if number.is_f64() => Ok(match float as i64 {
                integer if integer as f64 == float && integer != i64::MAX => {
                    SqlValue::Integer(integer)
                }
                _ => SqlValue::Real(float),
            }),
            _ => Err(beyond()),
        },
        Value::String(text) => match text.parse() {
            Ok(integer) => Ok(SqlValue::Integer(integer)),
            Err(error)
                if matches!(
                    error.kind(),
                    IntErrorKind::PosOverflow | IntErrorKind::NegOverflow
                ) =>
            {
                Err(beyond())
            }
            Err(_) => Ok(SqlValue::Text(text.clone())),
        },
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            Ok(SqlValue::Text(to_text(value)))
        }
    }
}

/// A number, or the text of one.
fn number(value: &Value) -> SqlValue {
    match value {
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => SqlValue::Integer(integer),
            (None, Some(float)) => SqlValue::Real(float),
            (None, None) => SqlValue::Text(number.to_string()),
        },
        Value::String(text) => match text.parse::<f64>() {
            Ok(float) if float.is_finite() => SqlValue::Real(float),
            Ok(_) | Err(_) => SqlValue::Text(text.clone()),
        },
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            SqlValue::Text(to_text(value))
        }
    }
}

/// The time of publication, RFC 3339 with nanoseconds.
fn published_at(text: &str) -> Result<SqlValue, String> {
    let time = uuid::parse(text)
        .and_then(|(_, clock, _)| jiff::Timestamp::from_nanosecond(clock.to_unix()).ok())
        .ok_or_else(|| format!("`{text}` is no UUID with a time"))?;
    Ok(SqlValue::Text(format!("{time:.9}")))
}
