//! CSV and TSV: one document a row, its values typed by the collection's schema.
//!
//! A column that is named like a field of the collection goes to the field's location, any other to a property of its
//! name. An empty value is null where the schema admits null, and is left out elsewhere (but stays an empty string
//! where a string is required). A text that does not fit the schema stays a string, and the schema will refuse it.

use csv::{ByteRecord, Reader, ReaderBuilder};
use serde_json::{Map, Number, Value};
use tidegate_stdlib::bundle::{Collection, Projection};
use tidegate_stdlib::document::Builder;
use tidegate_stdlib::value::{Pointer, Token, parse, to_text};

use super::decode::{self, Bytes, Place};
use super::progress::FileProgress;
use super::{Fault, FileDocuments};

/// Opens a file of rows.
pub(super) fn open(
    place: Place<'_>,
    progress: &FileProgress,
    delimiter: u8,
    collection: &Collection,
) -> Result<Box<dyn FileDocuments>, Fault> {
    let at_begin = |error: std::io::Error| Fault::new(1, error.to_string());
    let mut bytes = decode::open(place, 0).map_err(at_begin)?;
    let mark = decode::skip_byte_order_mark(&mut bytes).map_err(at_begin)?;
    let mut reader = reader(bytes, delimiter);
    let mut record = ByteRecord::new();
    let columns = match reader.read_byte_record(&mut record).map_err(|error| fault(&error, 0))? {
        true => columns(&record, collection)?,
        false => Vec::new(),
    };
    if progress.offset == 0 {
        return Ok(Box::new(Rows { reader, columns, record, offset: mark, line: 0 }));
    }
    let (offset, line) = (progress.offset, progress.line);
    let bytes =
        decode::open(place, offset).map_err(|error| Fault::new(line + 1, error.to_string()))?;
    let reader = self::reader(bytes, delimiter);
    Ok(Box::new(Rows { reader, columns, record, offset, line }))
}

struct Rows {
    reader: Reader<Bytes>,
    columns: Vec<Column>,
    record: ByteRecord,
    /// Bytes before the first one that the reader saw.
    offset: u64,
    /// Lines before the first one that the reader saw.
    line: u64,
}

impl FileDocuments for Rows {
    fn next(&mut self, into: &mut Builder) -> Result<Option<usize>, Fault> {
        let begin = self.offset();
        let more = self.reader.read_byte_record(&mut self.record);
        let line = self.record.position().map_or(1, csv::Position::line) + self.line;
        if !more.map_err(|error| fault(&error, self.line))? {
            return Ok(None);
        }
        let (found, expected) = (self.record.len(), self.columns.len());
        if found != expected {
            let message =
                format!("values and columns differ: {found} here, {expected} in the header");
            return Err(Fault::new(line, message));
        }
        let mut document = Value::Object(Map::new());
        for (column, bytes) in self.columns.iter().zip(&self.record) {
            let text = std::str::from_utf8(bytes).map_err(|error| {
                let (name, at) = (&column.name, error.valid_up_to());
                let message = format!("column `{name}` is no UTF-8 at byte {at} of its value");
                Fault::new(line, message)
            })?;
            let Some(value) = column.value(text) else { continue };
            match column.pointer.create(&mut document) {
                Some(slot) => *slot = value,
                None => {
                    let message = format!("column `{}` lies below a scalar", column.name);
                    return Err(Fault::new(line, message));
                }
            }
        }
        let size = usize::try_from(self.offset() - begin).unwrap_or(usize::MAX);
        into.value(&document);
        Ok(Some(size))
    }

    fn offset(&self) -> u64 {
        self.offset + self.reader.position().byte()
    }

    fn line(&self) -> u64 {
        self.line + self.reader.position().line() - 1
    }
}

fn reader(bytes: Bytes, delimiter: u8) -> Reader<Bytes> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .buffer_capacity(64 * 1024)
        .from_reader(bytes)
}

fn fault(error: &csv::Error, lines_before: u64) -> Fault {
    let line = error.position().map_or(1, csv::Position::line) + lines_before;
    Fault::new(line, error.to_string())
}

/// One column of the file.
#[derive(Debug)]
struct Column {
    name: String,
    pointer: Pointer,
    types: Types,
}

/// What the schema admits in a column.
#[derive(Debug, Default, Clone, Copy)]
struct Types {
    integer: bool,
    number: bool,
    boolean: bool,
    null: bool,
    string: bool,
    /// Arrays or objects, written as JSON.
    json: bool,
    required: bool,
}

fn columns(header: &ByteRecord, collection: &Collection) -> Result<Vec<Column>, Fault> {
    let mut columns: Vec<Column> = Vec::with_capacity(header.len());
    for bytes in header {
        let name = std::str::from_utf8(bytes)
            .map_err(|_| Fault::new(1, "a name in the header is no UTF-8"))?
            .trim()
            .to_owned();
        if columns.iter().any(|column| column.name == name) {
            return Err(Fault::new(1, format!("the header has the column `{name}` twice")));
        }
        let projection = collection.projection(&name);
        let pointer = projection.and_then(|found| Pointer::parse(&found.pointer).ok());
        let pointer =
            pointer.unwrap_or_else(|| Pointer::default().child(Token::Property(name.clone())));
        let types = projection.map_or(Types { string: true, ..Types::default() }, types);
        columns.push(Column { name, pointer, types });
    }
    Ok(columns)
}

fn types(projection: &Projection) -> Types {
    let has = |word: &str| projection.types.iter().any(|name| name == word);
    Types {
        integer: has("integer") || has("number"),
        number: has("number"),
        boolean: has("boolean"),
        null: has("null"),
        string: has("string"),
        json: has("array") || has("object"),
        required: projection.required,
    }
}

impl Column {
    /// The value of a text; `None` when it is to be left out. Where a string is admitted too, only a text that the
    /// value gives back unchanged is taken for it.
    fn value(&self, text: &str) -> Option<Value> {
        let types = self.types;
        if text.is_empty() {
            return match (types.null, types.string && types.required) {
                (true, _) => Some(Value::Null),
                (false, true) => Some(Value::String(String::new())),
                (false, false) => None,
            };
        }
        let typed = self.typed(text);
        match typed {
            Some(value) if !types.string || to_text(&value) == text => Some(value),
            Some(_) | None => Some(Value::String(text.to_owned())),
        }
    }

    fn typed(&self, text: &str) -> Option<Value> {
        let types = self.types;
        if types.integer {
            if let Ok(number) = text.parse::<i64>() {
                return Some(Value::from(number));
            }
            if let Ok(number) = text.parse::<u64>() {
                return Some(Value::from(number));
            }
        }
        if types.integer || types.number {
            let number = text.parse().ok().and_then(Number::from_f64);
            if let Some(number) = number {
                return Some(Value::Number(number));
            }
        }
        if types.boolean && text.eq_ignore_ascii_case("true") {
            return Some(Value::Bool(true));
        }
        if types.boolean && text.eq_ignore_ascii_case("false") {
            return Some(Value::Bool(false));
        }
        if types.json && text.starts_with(['[', '{']) {
            return parse(text.as_bytes()).ok();
        }
        None
    }
}
