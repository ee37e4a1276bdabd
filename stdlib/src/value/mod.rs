//! JSON values: strict parsing, the canonical text, the total order and JSON pointers.
//!
//! A document is a [`serde_json::Value`], whose objects keep their properties sorted by bytes; so
//! [`to_text`] is the canonical form of a document in a journal: compact, one line, sorted at every level.

mod order;
mod parse;
mod pointer;

pub use order::compare;
pub use parse::{ParseFailure, parse, parse_lines};
pub use pointer::{Pointer, PointerFailure, Token};
pub use serde_json::{Map, Number, Value};

/// Writes the canonical text of `value` to the end of `out`.
pub fn write_text(value: &Value, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("a value always has a text");
}

/// The canonical text of `value`.
pub fn to_text(value: &Value) -> String {
    value.to_string()
}
