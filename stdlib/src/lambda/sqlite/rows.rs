//! Result rows as documents.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rusqlite::Row;
use rusqlite::types::ValueRef;
use serde_json::{Map, Number, Value};

/// What the rows of a statement are.
#[derive(Debug)]
pub(super) enum Output {
    /// The value of the only column is the document.
    Document,
    /// An object with a property for each column, none when the statement has no rows.
    Properties(Vec<String>),
}

impl Output {
    /// The output of a statement by the names of its columns; `field` gives the field of a name
    /// that is a parameter.
    pub(super) fn new<'c>(
        columns: impl ExactSizeIterator<Item = &'c str>,
        field: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let is_single = columns.len() == 1;
        let mut properties = Vec::with_capacity(columns.len());
        for column in columns {
            let prefix = column.get(.."json".len());
            if is_single && prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case("json")) {
                return Self::Document;
            }
            properties.push(field(column).unwrap_or_else(|| column.to_owned()));
        }
        Self::Properties(properties)
    }

    /// One row as a document.
    ///
    /// # Errors
    /// Text that is not UTF-8; the message names its column.
    pub(super) fn document(&self, row: &Row<'_>) -> Result<Value, String> {
        let Self::Properties(properties) = self else {
            return to_json(row, 0, "json");
        };
        let mut document = Map::new();
        for (index, property) in properties.iter().enumerate() {
            document.insert(property.clone(), to_json(row, index, property)?);
        }
        Ok(Value::Object(document))
    }
}

fn to_json(row: &Row<'_>, index: usize, column: &str) -> Result<Value, String> {
    let value = row.get_ref(index).map_err(|_| format!("column `{column}` is gone"))?;
    match value {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(integer) => Ok(Value::from(integer)),
        ValueRef::Real(real) => Ok(real_to_json(real)),
        ValueRef::Text(text) => {
            text_to_json(text).ok_or_else(|| format!("column `{column}` is not UTF-8 text"))
        }
        ValueRef::Blob(bytes) => Ok(Value::String(STANDARD.encode(bytes))),
    }
}

/// JSON has no infinite numbers: they become text.
fn real_to_json(real: f64) -> Value {
    match Number::from_f64(real) {
        Some(number) => Value::Number(number),
        None if real.is_nan() => Value::String("NaN".to_owned()),
        None if real < 0.0 => Value::String("-inf".to_owned()),
        None => Value::String("inf".to_owned()),
    }
}

/// Text that is an object or array becomes it; any other text is a string.
fn text_to_json(text: &[u8]) -> Option<Value> {
    let is_container = matches!((text.first(), text.last()), (Some(b'{'), Some(b'}')))
        || matches!((text.first(), text.last()), (Some(b'['), Some(b']')));
    if is_container && let Ok(value) = serde_json::from_slice(text) {
        return Some(value);
    }
    std::str::from_utf8(text).ok().map(|text| Value::String(text.to_owned()))
}
