//! Result rows as documents.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::super::Rows;
use crate::document::{Builder, Number, Parser};

/// Adds a row.
///
/// # Errors
/// As [`Output::write`].
pub(super) fn add(rows: &mut Rows, output: &Output, row: &Row<'_>) -> Result<(), String> {
    let Rows { documents, parser } = rows;
    documents.add(|builder| output.write(row, parser, builder))
}

/// What the rows of a statement are.
#[derive(Debug)]
pub(super) enum Output {
    /// The value of the only column is the document.
    Document,
    /// An object with a property for each column, none when the statement has no rows.
    Properties(Properties),
}

/// The columns of a statement as properties.
#[derive(Debug, Default)]
pub(super) struct Properties {
    /// The names in the order of the columns.
    names: Vec<String>,
    /// The columns in the order of their names, so that objects need no sorting; of columns of one
    /// name the last.
    sorted: Vec<usize>,
}

impl Properties {
    fn new(names: Vec<String>) -> Self {
        let by_name: std::collections::BTreeMap<&String, usize> =
            names.iter().enumerate().map(|(index, name)| (name, index)).collect();
        let sorted = by_name.into_values().collect();
        Self { names, sorted }
    }

    /// The names in the order of the columns.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }
}

impl Output {
    /// The output of a statement by the names of its columns; `field` gives the field of a name
    /// that is a parameter.
    pub(super) fn new<'c>(
        columns: impl ExactSizeIterator<Item = &'c str>,
        field: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let is_single = columns.len() == 1;
        let mut names = Vec::with_capacity(columns.len());
        for column in columns {
            let prefix = column.get(.."json".len());
            if is_single && prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case("json")) {
                return Self::Document;
            }
            names.push(field(column).unwrap_or_else(|| column.to_owned()));
        }
        Self::Properties(Properties::new(names))
    }

    /// Writes one row as a document.
    ///
    /// # Errors
    /// Text that is not UTF-8; the message names its column.
    fn write(&self, row: &Row<'_>, parser: &mut Parser, into: &mut Builder) -> Result<(), String> {
        let Self::Properties(Properties { names, sorted }) = self else {
            return write_value(row, 0, "json", parser, into);
        };
        into.begin_object();
        for index in sorted {
            let name = names.get(*index).map_or("", String::as_str);
            into.name(name);
            write_value(row, *index, name, parser, into)?;
        }
        into.end_object();
        Ok(())
    }
}

fn write_value(
    row: &Row<'_>,
    index: usize,
    column: &str,
    parser: &mut Parser,
    into: &mut Builder,
) -> Result<(), String> {
    let value = row.get_ref(index).map_err(|_| format!("column `{column}` is gone"))?;
    match value {
        ValueRef::Null => into.null(),
        ValueRef::Integer(integer) => into.number(integer.into()),
        ValueRef::Real(real) => write_real(real, into),
        ValueRef::Text(text) => {
            if !write_text(text, parser, into) {
                return Err(format!("column `{column}` is not UTF-8 text"));
            }
        }
        ValueRef::Blob(bytes) => into.string(&STANDARD.encode(bytes)),
    }
    Ok(())
}

/// JSON has no infinite numbers: they become text.
fn write_real(real: f64, into: &mut Builder) {
    if real.is_finite() {
        into.number(Number::Float(real));
    } else if real.is_nan() {
        into.string("NaN");
    } else {
        into.string(if real < 0.0 { "-inf" } else { "inf" });
    }
}

/// Text that is an object or array becomes it; any other text is a string. Says whether it is one.
fn write_text(text: &[u8], parser: &mut Parser, into: &mut Builder) -> bool {
    let is_container = matches!((text.first(), text.last()), (Some(b'{'), Some(b'}')))
        || matches!((text.first(), text.last()), (Some(b'['), Some(b']')));
    if is_container && parser.parse(text, into).is_ok() {
        return true;
    }
    match std::str::from_utf8(text) {
        Ok(text) => {
            into.string(text);
            true
        }
        Err(_) => false,
    }
}
