//! Result rows as documents.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::super::Rows;
use super::SqlFailureKind;
use crate::document::{Builder, Number, Parser};
use crate::limits::{LAMBDA_ROWS_MAX, LAMBDA_ROWS_SIZE_BYTES_MAX};

/// Why a row is refused.
type Refusal = (SqlFailureKind, String);

/// Adds a row, of what an invocation may still publish.
///
/// # Errors
/// As [`Output::write`], and when there is too much.
pub(super) fn add(
    rows: &mut Rows,
    output: &Output,
    row: &Row<'_>,
    left: &mut RowsLeft,
) -> Result<(), Refusal> {
    let Rows { documents, parser } = rows;
    left.take_row()?;
    documents.add(|builder| output.write(row, left, parser, builder))
}

/// What an invocation may still publish.
#[derive(Debug)]
pub(super) struct RowsLeft {
    rows: usize,
    bytes: usize,
}

impl Default for RowsLeft {
    fn default() -> Self {
        Self { rows: LAMBDA_ROWS_MAX, bytes: LAMBDA_ROWS_SIZE_BYTES_MAX }
    }
}

impl RowsLeft {
    fn take_row(&mut self) -> Result<(), Refusal> {
        self.rows = self.rows.checked_sub(1).ok_or_else(|| {
            let message = format!("gives more than {LAMBDA_ROWS_MAX} rows for one document");
            (SqlFailureKind::Limit, message)
        })?;
        Ok(())
    }

    /// Counts a text or blob before it is copied.
    fn take(&mut self, value: &[u8]) -> Result<(), Refusal> {
        self.bytes = self.bytes.checked_sub(value.len()).ok_or_else(|| {
            let limit = LAMBDA_ROWS_SIZE_BYTES_MAX >> 20;
            (SqlFailureKind::Limit, format!("gives more than {limit} MiB for one document"))
        })?;
        Ok(())
    }
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
    /// Text that is not UTF-8, the message names its column; and when there is too much of it.
    fn write(
        &self,
        row: &Row<'_>,
        left: &mut RowsLeft,
        parser: &mut Parser,
        into: &mut Builder,
    ) -> Result<(), Refusal> {
        let mut write = |column, name: &str, into: &mut Builder| {
            let value = row
                .get_ref(column)
                .map_err(|_| (SqlFailureKind::Execution, format!("column `{name}` is gone")))?;
            write_value(value, name, left, parser, into)
        };
        let Self::Properties(Properties { names, sorted }) = self else {
            return write(0, "json", into);
        };
        into.begin_object();
        for index in sorted {
            let name = names.get(*index).map_or("", String::as_str);
            into.name(name);
            write(*index, name, into)?;
        }
        into.end_sorted_object();
        Ok(())
    }
}

fn write_value(
    value: ValueRef<'_>,
    column: &str,
    left: &mut RowsLeft,
    parser: &mut Parser,
    into: &mut Builder,
) -> Result<(), Refusal> {
    match value {
        ValueRef::Null => into.null(),
        ValueRef::Integer(integer) => into.number(integer.into()),
        ValueRef::Real(real) => write_real(real, into),
        ValueRef::Text(text) => {
            left.take(text)?;
            if !write_text(text, parser, into) {
                let message = format!("column `{column}` is not UTF-8 text");
                return Err((SqlFailureKind::Execution, message));
            }
        }
        ValueRef::Blob(bytes) => {
            left.take(bytes)?;
            into.string(&STANDARD.encode(bytes));
        }
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
