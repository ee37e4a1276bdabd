//! Documents as bytes that only this program reads: what does not fit into memory for a while.
//!
//! Unlike the text of a document, the bytes tell everything as it is in memory, whatever its size,
//! and are read back without being parsed. The format is no promise: it never outlives the process.

use super::arrange::Order;
use super::{Cell, Document, Node, slice};

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const UNSIGNED: u8 = 3;
const NEGATIVE: u8 = 4;
const FLOAT: u8 = 5;
const STRING: u8 = 6;
const ARRAY: u8 = 7;
const OBJECT: u8 = 8;

/// Appends a document as bytes to `out`.
pub fn write_binary(node: Node<'_>, out: &mut Vec<u8>) {
    let extent = node.split().0.extent();
    write_integer(extent as u64, out);
    for cell in node.cells.iter().take(extent) {
        match *cell {
            Cell::Null => out.push(NULL),
            Cell::Boolean(value) => out.push(if value { TRUE } else { FALSE }),
            Cell::Unsigned(value) => {
                out.push(UNSIGNED);
                write_integer(value, out);
            }
            Cell::Negative(value) => {
                out.push(NEGATIVE);
                write_integer(value.unsigned_abs(), out);
            }
            Cell::Float(value) => {
                out.push(FLOAT);
                out.extend_from_slice(&value.to_bits().to_le_bytes());
            }
            Cell::String { start, length } => {
                out.push(STRING);
                write_bytes(slice(node.text, start, length).as_bytes(), out);
            }
            Cell::Array { items, cells, .. } => {
                out.push(ARRAY);
                write_integer(items.into(), out);
                write_integer(cells.into(), out);
            }
            Cell::Object { properties, cells, .. } => {
                out.push(OBJECT);
                write_integer(properties.into(), out);
                write_integer(cells.into(), out);
            }
        }
    }
}

/// Reads a document from the beginning of `bytes`, which then begin after it; `None` when nobody
/// wrote them so.
pub fn read_binary(bytes: &mut &[u8]) -> Option<Document> {
    let extent = usize::try_from(read_integer(bytes)?).ok()?;
    // Every cell takes a byte at least.
    let mut cells = Vec::with_capacity(extent.min(bytes.len()));
    let mut text = String::new();
    for _ in 0..extent {
        let (tag, rest) = bytes.split_first()?;
        *bytes = rest;
        cells.push(match *tag {
            NULL => Cell::Null,
            FALSE => Cell::Boolean(false),
            TRUE => Cell::Boolean(true),
            UNSIGNED => Cell::Unsigned(read_integer(bytes)?),
            NEGATIVE => Cell::Negative(0_i64.checked_sub_unsigned(read_integer(bytes)?)?),
            FLOAT => {
                let (bits, rest) = bytes.split_first_chunk()?;
                *bytes = rest;
                Cell::Float(f64::from_bits(u64::from_le_bytes(*bits)))
            }
            STRING => {
                let start = u32::try_from(text.len()).ok()?;
                let part = read_bytes(bytes)?;
                text.push_str(std::str::from_utf8(part).ok()?);
                Cell::String { start, length: u32::try_from(part.len()).ok()? }
            }
            ARRAY => {
                let items = u32::try_from(read_integer(bytes)?).ok()?;
                let cells = u32::try_from(read_integer(bytes)?).ok()?;
                Cell::Array { items, cells, order: Order::SORTED }
            }
            OBJECT => {
                let properties = u32::try_from(read_integer(bytes)?).ok()?;
                let cells = u32::try_from(read_integer(bytes)?).ok()?;
                Cell::Object { properties, cells, order: Order::SORTED }
            }
            _ => return None,
        });
    }
    Some(Document { cells: cells.into(), text: text.into() })
}

/// Appends an integer, the shorter the smaller it is.
pub fn write_integer(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads an integer from the beginning of `bytes`, which then begin after it.
pub fn read_integer(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Appends bytes after their length.
pub fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    write_integer(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// Reads bytes from the beginning of `bytes`, which then begin after them.
pub fn read_bytes<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = usize::try_from(read_integer(bytes)?).ok()?;
    let (part, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(part)
}
