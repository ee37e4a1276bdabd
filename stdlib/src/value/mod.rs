//! JSON values: strict parsing, the canonical text, the total order and JSON pointers.
//!
//! A document is a [`serde_json::Value`], whose objects keep their properties sorted by bytes; so
//! [`to_text`] is the canonical form of a document in a journal: compact, one line, sorted at every
//! level.

mod decimal;
mod order;
mod parse;
mod pointer;
mod quote;

use std::io;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter};

pub(crate) use decimal::Decimal;
pub use order::compare;
pub(crate) use order::{compare_mixed, compare_numbers};
pub use parse::{ParseFailure, parse, parse_lines};
pub(crate) use pointer::escape;
pub use pointer::{Pointer, PointerFailure, Token};
pub(crate) use quote::{quote, shortened};
pub use serde_json::{Map, Number, Value};

/// Writes the canonical text of `value` to the end of `out`.
pub fn write_text(value: &Value, out: &mut Vec<u8>) {
    let mut serializer = serde_json::Serializer::with_formatter(out, Canonical);
    value.serialize(&mut serializer).expect("a value always has a text");
}

/// The canonical text of `value`.
pub fn to_text(value: &Value) -> String {
    let mut text = Vec::new();
    write_text(value, &mut text);
    String::from_utf8(text).expect("the text of a value is UTF-8")
}

/// Compact text, in which a positive exponent has no sign: `1e20`.
struct Canonical;

impl Formatter for Canonical {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let mut text = Vec::with_capacity(24);
        write_float(value, &mut text);
        writer.write_all(&text)
    }
}

/// Writes the canonical text of a finite double to the end of `out`.
pub(crate) fn write_float(value: f64, out: &mut Vec<u8>) {
    let start = out.len();
    CompactFormatter.write_f64(&mut *out, value).expect("memory takes every write");
    let sign = out.iter().skip(start).position(|byte| *byte == b'+');
    if let Some(sign) = sign {
        out.remove(start + sign);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::Value;

    /// Small values of every type, alike enough to be equal now and then.
    pub(crate) fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-3_i64..3).prop_map(Value::from),
            (-6_i64..6).prop_map(|half| Value::from(half as f64 / 2.0)),
            "[ab]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[ab]", inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }
}
