//! The canonical text of a document: compact, one line, properties sorted at every level.

use super::scan::ends_and_escapes;
use super::{Node, Number, View};
use crate::value::write_float;

/// Writes the canonical text of a value to the end of `out`.
pub fn write_text(node: Node<'_>, out: &mut Vec<u8>) {
    match node.view() {
        View::Null => out.extend_from_slice(b"null"),
        View::Boolean(true) => out.extend_from_slice(b"true"),
        View::Boolean(false) => out.extend_from_slice(b"false"),
        View::Number(number) => write_number(number, out),
        View::String(text) => write_string(text, out),
        View::Array(items) => {
            out.push(b'[');
            for (index, item) in items.enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_text(item, out);
            }
            out.push(b']');
        }
        View::Object(properties) => {
            out.push(b'{');
            for (index, (name, value)) in properties.enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_name(name, out);
                write_text(value, out);
            }
            out.push(b'}');
        }
    }
}

/// Writes the name of a property and its colon to the end of `out`.
pub fn write_name(name: &str, out: &mut Vec<u8>) {
    write_string(name, out);
    out.push(b':');
}

/// Writes a string with its quotes and escapes to the end of `out`.
#[inline]
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    if has_escapes(text.as_bytes()) {
        serde_json::to_writer(&mut *out, text).expect("a string has a text");
        return;
    }
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// Whether any character is to be escaped.
#[inline]
fn has_escapes(text: &[u8]) -> bool {
    let has_any = |word: &[u8; 8]| ends_and_escapes(u64::from_le_bytes(*word)) != 0;
    match text.last_chunk() {
        // The last word overlaps the one before it.
        Some(last) => text.as_chunks().0.iter().any(has_any) || has_any(last),
        None => text.iter().any(|byte| *byte < 0x20 || *byte == b'"' || *byte == b'\\'),
    }
}

fn write_number(number: Number, out: &mut Vec<u8>) {
    match number {
        Number::Unsigned(value) => {
            out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
        }
        Number::Negative(value) => {
            out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
        }
        Number::Float(value) => write_float(value, out),
    }
}

impl std::fmt::Display for Node<'_> {
    /// The canonical text.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = Vec::new();
        write_text(*self, &mut out);
        formatter.write_str(&String::from_utf8_lossy(&out))
    }
}
