//! Key extraction and packing.
//!
//! A packed key is a byte string whose order is the order of keys of one type; equal keys pack to
//! equal bytes. It follows the FoundationDB tuple layer (the subset that key values need); a number
//! with zero fraction packs as an integer, so `1` and `1.0` are one key.

use highway::{HighwayHash, HighwayHasher};
use serde_json::Value;

use crate::document::{Document, Node, Number, View, write_text};
use crate::value::Pointer;

/// One component of a key: where it stands, and what a missing value counts as.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// The location in the document.
    pub pointer: Pointer,
    /// The location's `default` annotation, or null.
    pub default: Value,
}

/// Extracts and packs the key of documents.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    components: Vec<Component>,
    /// The default of each component.
    defaults: Vec<Document>,
}

impl Key {
    /// A key of the given components, in order.
    pub fn new(components: Vec<Component>) -> Self {
        let defaults = components.iter().map(|it| Document::from_value(&it.default)).collect();
        Self { components, defaults }
    }

    /// The components in order.
    pub fn components(&self) -> &[Component] {
        &self.components
    }

    /// The values of the key in `document`, in order; a missing location gives its default.
    pub fn extract<'v>(&'v self, document: Node<'v>) -> impl ExactSizeIterator<Item = Node<'v>> {
        self.components.iter().zip(&self.defaults).map(move |(component, default)| {
            document.query(&component.pointer).unwrap_or_else(|| default.root())
        })
    }

    /// The same of a tree.
    pub fn values<'v>(&'v self, document: &'v Value) -> Vec<&'v Value> {
        self.components
            .iter()
            .map(|component| component.pointer.query(document).unwrap_or(&component.default))
            .collect()
    }

    /// Appends the packed key of `document` to `out`.
    pub fn pack(&self, document: Node<'_>, out: &mut Vec<u8>) {
        for value in self.extract(document) {
            pack_value(value, out);
        }
    }
}

/// Packed keys of several documents, one after the other.
#[derive(Debug, Default)]
pub struct PackedKeys {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl PackedKeys {
    /// Adds the key of a document.
    pub fn push(&mut self, key: &Key, document: Node<'_>) {
        key.pack(document, &mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    /// The keys in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.ends.len()).map_while(|index| self.get(index))
    }

    /// The key at `index`.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let before = index.checked_sub(1).and_then(|before| self.ends.get(before));
        self.bytes.get(before.copied().unwrap_or(0)..*self.ends.get(index)?)
    }

    /// Forgets the keys and keeps the allocations.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

/// Appends the packed form of one value to `out`.
pub fn pack_value(value: Node<'_>, out: &mut Vec<u8>) {
    match value.view() {
        View::Null => out.push(NULL),
        View::Boolean(false) => out.push(FALSE),
        View::Boolean(true) => out.push(TRUE),
        View::Number(number) => pack_number(number, out),
        View::String(text) => pack_bytes(STRING, text.as_bytes(), out),
        View::Array(_) | View::Object(_) => {
            let mut text = Vec::new();
            write_text(value, &mut text);
            pack_bytes(BYTES, &text, out);
        }
    }
}

/// The hash that assigns a packed key to a shard: the high 32 bits of HighwayHash-64 under a fixed
/// key.
pub fn hash(packed: &[u8]) -> u32 {
    (hash_64(packed) >> 32) as u32
}

const NULL: u8 = 0x00;
const BYTES: u8 = 0x01;
const STRING: u8 = 0x02;
const INTEGER_ZERO: u8 = 0x14;
const DOUBLE: u8 = 0x21;
const FALSE: u8 = 0x26;
const TRUE: u8 = 0x27;

/// The key of the hash is part of the format: shards of all versions must agree where a key
/// belongs.
const HASH_KEY: [u64; 4] =
    [0xd438_5215_897e_73ba, 0x254d_ad5a_c367_807d, 0x017e_2288_341c_ddec, 0xbad3_2b02_0c48_fa1f];

fn hash_64(packed: &[u8]) -> u64 {
    HighwayHasher::new(highway::Key(HASH_KEY)).hash64(packed)
}

fn pack_number(number: Number, out: &mut Vec<u8>) {
    let value = match number {
        Number::Unsigned(value) => return pack_magnitude(value, false, out),
        Number::Negative(value) => return pack_magnitude(value.unsigned_abs(), true, out),
        Number::Float(value) => value,
    };
    // Two powers of two bound the integers that u64 and i64 hold; both are exact as floats.
    if value.fract() == 0.0 && value >= -9_223_372_036_854_775_808.0 {
        if value < 0.0 {
            return pack_magnitude((-value) as u64, true, out);
        }
        if value < 18_446_744_073_709_551_616.0 {
            return pack_magnitude(value as u64, false, out);
        }
    }
    let bits = value.to_bits();
    let ordered = if value.is_sign_negative() { !bits } else { bits ^ (1 << 63) };
    out.push(DOUBLE);
    out.extend_from_slice(&ordered.to_be_bytes());
}

/// Appends an integer: the length is in the type code, so that longer magnitudes sort further from
/// zero.
fn pack_magnitude(magnitude: u64, negative: bool, out: &mut Vec<u8>) {
    let bytes = magnitude.to_be_bytes();
    let length = bytes.len() - (magnitude.leading_zeros() / 8) as usize;
    let significant = bytes.iter().skip(bytes.len() - length);
    if negative {
        out.push(INTEGER_ZERO - length as u8);
        out.extend(significant.map(|byte| !byte));
    } else {
        out.push(INTEGER_ZERO + length as u8);
        out.extend(significant);
    }
}

fn pack_bytes(code: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(code);
    if bytes.contains(&0) {
        for byte in bytes {
            out.push(*byte);
            if *byte == 0 {
                out.push(0xff);
            }
        }
    } else {
        out.extend_from_slice(bytes);
    }
    out.push(0);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn packed(value: Value) -> Vec<u8> {
        let mut out = Vec::new();
        pack_value(Document::from_value(&value).root(), &mut out);
        out
    }

    #[test]
    fn values_pack_as_documented() {
        assert_eq!(packed(json!(null)), [0x00]);
        assert_eq!(packed(json!("a\u{0}b")), [0x02, b'a', 0x00, 0xff, b'b', 0x00]);
        assert_eq!(packed(json!([1])), [0x01, b'[', b'1', b']', 0x00]);
        assert_eq!(packed(json!(0)), [0x14]);
        assert_eq!(packed(json!(-0.0)), [0x14]);
        assert_eq!(packed(json!(-5)), [0x13, 0xfa]);
        assert_eq!(packed(json!(256)), [0x16, 1, 0]);
        assert_eq!(packed(json!(u64::MAX)), [[0x1c].as_slice(), &[0xff; 8]].concat());
        assert_eq!(packed(json!(false)), [0x26]);
        assert_eq!(packed(json!(true)), [0x27]);
        assert_eq!(packed(json!(1.5))[..2], [0x21, 0xbf]);
        assert_eq!(packed(json!(1.0)), packed(json!(1)));
        assert_eq!(packed(json!(-9223372036854775808.0)), packed(json!(i64::MIN)));
        assert_eq!(packed(json!(1.8446744073709552e19))[0], 0x21);
    }

    #[test]
    fn hashes_match_their_vectors() {
        assert_eq!(hash_64(&packed(json!(7))), 0x0061_cdba_457d_1c7b);
        assert_eq!(hash(&packed(json!(7))), 0x0061_cdba);
        assert_eq!(hash_64(&packed(json!("hello"))), 0x3d44_dc5b_14ca_5585);
    }

    #[test]
    fn a_missing_component_counts_as_its_default() {
        let component = |text: &str, default: Value| Component {
            pointer: Pointer::parse(text).unwrap(),
            default,
        };
        let key = Key::new(vec![component("/a", json!("x")), component("/b", json!(null))]);
        let packed = |document: Value| {
            let mut out = Vec::new();
            key.pack(Document::from_value(&document).root(), &mut out);
            out
        };
        assert_eq!(packed(json!({})), packed(json!({"a": "x", "b": null})));
        let document = Document::from_value(&json!({"b": 2}));
        let values: Vec<_> = key.extract(document.root()).map(Node::to_value).collect();
        assert_eq!(values, [json!("x"), json!(2)]);
    }

    proptest! {
        #[test]
        fn packed_integers_sort_as_numbers(
            left in any::<i64>(), right in any::<u64>(), near in -300_i64..300
        ) {
            let (left, right, near) = (json!(left), json!(right), json!(near));
            for (left, right) in [(&left, &right), (&left, &near), (&right, &near)] {
                let order = crate::value::compare(left, right);
                prop_assert_eq!(packed(left.clone()).cmp(&packed(right.clone())), order);
            }
        }

        #[test]
        fn packed_strings_sort_as_strings(
            left in "[\u{0}a\u{ff}]{0,4}", right in "[\u{0}a\u{ff}]{0,4}"
        ) {
            prop_assert_eq!(packed(json!(&left)).cmp(&packed(json!(&right))), left.cmp(&right));
        }

        #[test]
        fn packed_fractions_sort_as_numbers(left in -1e9..1e9_f64, right in -1e9..1e9_f64) {
            prop_assume!(left.fract() != 0.0 && right.fract() != 0.0);
            let order = left.partial_cmp(&right).unwrap();
            prop_assert_eq!(packed(json!(left)).cmp(&packed(json!(right))), order);
        }
    }
}
