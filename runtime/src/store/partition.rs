//! Partition values as directory names.
//!
//! The encoding is reversible: what begins with `%_` is no string, and every other text is percent-encoded UTF-8 with
//! upper-case digits, so one value has exactly one name.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;
use tidegate_stdlib::bundle::{Collection, Failure, FailureKind, Projection};
use tidegate_stdlib::document::{Document, Node, Number, View};
use tidegate_stdlib::value::Pointer;

use crate::limits::PARTITION_DIRECTORY_BYTES_MAX;

/// What stands before a value that is no string.
const SCALAR_PREFIX: &str = "%_";
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');
/// 2^63 and 2^64, the bounds of the numbers that 64 bits hold.
const I64_BOUND: f64 = 9_223_372_036_854_775_808.0;
const U64_BOUND: f64 = 18_446_744_073_709_551_616.0;

/// Encodes a partition value; `None` for a value that cannot be one (a number with a fraction, an array, an object).
pub fn encode_partition_value(value: &Value) -> Option<String> {
    let mut name = String::new();
    write_partition_value(Document::from_value(value).root(), &mut name)?;
    Some(name)
}

/// Writes an encoded partition value to the end of `out`; `None`, with nothing written, for one that cannot be one.
fn write_partition_value(value: Node<'_>, out: &mut String) -> Option<()> {
    match value.view() {
        View::Null => out.push_str("%_null"),
        View::Boolean(true) => out.push_str("%_true"),
        View::Boolean(false) => out.push_str("%_false"),
        View::Number(number) => {
            let integer = integer(number)?;
            out.push_str(SCALAR_PREFIX);
            out.push_str(&integer.to_string());
        }
        View::String(text) => out.extend(utf8_percent_encode(text, ENCODED)),
        View::Array(_) | View::Object(_) => return None,
    }
    Some(())
}

/// Decodes a partition value; `None` when the text is no encoded value.
pub fn decode_partition_value(text: &str) -> Option<Value> {
    let value = match text.strip_prefix(SCALAR_PREFIX) {
        Some("null") => Value::Null,
        Some("true") => Value::Bool(true),
        Some("false") => Value::Bool(false),
        Some(digits) => match digits.parse::<i64>() {
            Ok(number) => number.into(),
            Err(_) => digits.parse::<u64>().ok()?.into(),
        },
        None => percent_decode_str(text).decode_utf8().ok()?.into_owned().into(),
    };
    (encode_partition_value(&value)? == text).then_some(value)
}

/// The partition fields of a collection.
#[derive(Debug)]
pub struct Partitions<'b> {
    collection: &'b Collection,
    fields: Vec<Field<'b>>,
}

#[derive(Debug)]
struct Field<'b> {
    projection: &'b Projection,
    pointer: Pointer,
    default: Document,
}

impl<'b> Partitions<'b> {
    /// The fields by which a collection is partitioned.
    ///
    /// # Errors
    /// `damaged` when the pointer of one is none.
    pub fn new(collection: &'b Collection) -> Result<Self, Failure> {
        let fields = collection.partitions().map(|projection| {
            let pointer = Pointer::parse(&projection.pointer).map_err(|_| {
                let (field, name) = (&projection.field, &collection.name);
                let message = format!("partition field `{field}` of `{name}` has no location");
                Failure::new(FailureKind::Damaged, message)
            })?;
            let default = Document::from_value(projection.default.as_ref().unwrap_or(&Value::Null));
            Ok(Field { projection, pointer, default })
        });
        Ok(Self { collection, fields: fields.collect::<Result<_, Failure>>()? })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Writes the partition part of the journal of a document, `field=value/field=value`, to the end of `out`; nothing
    /// without partitions.
    ///
    /// # Errors
    /// `partition-value-too-long`, or a value that cannot be one, with the document.
    pub fn write_path(&self, document: Node<'_>, out: &mut String) -> Result<(), Failure> {
        for (index, field) in self.fields.iter().enumerate() {
            if index > 0 {
                out.push('/');
            }
            self.write_directory(field, document, out)?;
        }
        Ok(())
    }

    fn write_directory(
        &self,
        field: &Field<'_>,
        document: Node<'_>,
        out: &mut String,
    ) -> Result<(), Failure> {
        let Projection { field: name, pointer, .. } = field.projection;
        let value = document.query(&field.pointer).unwrap_or_else(|| field.default.root());
        let refuse = |kind, message| {
            Failure::new(kind, message)
                .collection(&self.collection.name)
                .document(&document.to_value(), Some(pointer.clone()))
                .at(Some(self.collection.origin.clone()))
        };
        let begin = out.len();
        out.push_str(name);
        out.push('=');
        if write_partition_value(value, out).is_none() {
            let message = format!("partition field `{name}` holds {}", describe(value));
            return Err(refuse(FailureKind::DocumentViolatesSchema, message)
                .help("partition by a field that holds strings, integers, booleans or null"));
        }
        let length = out.len() - begin;
        if length > PARTITION_DIRECTORY_BYTES_MAX {
            let message = format!("the value of partition field `{name}` is too long");
            return Err(refuse(FailureKind::PartitionValueTooLong, message).note(format!(
                "it would name a directory of {length} bytes, and {PARTITION_DIRECTORY_BYTES_MAX} are possible"
            ))
            .help("partition by a field with shorter values"));
        }
        Ok(())
    }
}

/// The integer that a number is, when 64 bits hold it.
fn integer(number: Number) -> Option<i128> {
    let Number::Float(float) = number else { return number.as_integer() };
    let is_held = float.fract() == 0.0 && (-I64_BOUND..U64_BOUND).contains(&float);
    is_held.then_some(float as i128)
}

fn describe(value: Node<'_>) -> &'static str {
    match value.view() {
        View::Array(_) => "an array",
        View::Object(_) => "an object",
        View::Number(_) => "a number with a fraction or beyond 64 bits",
        View::Null | View::Boolean(_) | View::String(_) => "a value that names no directory",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::store::testing::collection;

    #[test]
    fn values_are_encoded_as_documented() {
        for (value, text) in [
            (json!("a b/c"), "a%20b%2Fc"),
            (json!("Az09-_."), "Az09-_."),
            (json!("é"), "%C3%A9"),
            (json!("%_null"), "%25_null"),
            (json!(""), ""),
            (json!(true), "%_true"),
            (json!(false), "%_false"),
            (json!(null), "%_null"),
            (json!(123), "%_123"),
            (json!(-123), "%_-123"),
            (json!(u64::MAX), "%_18446744073709551615"),
            (json!(i64::MIN), "%_-9223372036854775808"),
        ] {
            assert_eq!(encode_partition_value(&value).as_deref(), Some(text));
            assert_eq!(decode_partition_value(text), Some(value));
        }
    }

    #[test]
    fn a_number_without_fraction_is_the_integer_that_it_equals() {
        assert_eq!(encode_partition_value(&json!(1.0)).as_deref(), Some("%_1"));
        assert_eq!(encode_partition_value(&json!(-0.0)).as_deref(), Some("%_0"));
    }

    #[test]
    fn other_values_have_no_name() {
        for value in [json!(1.5), json!(1e300), json!([]), json!({})] {
            assert_eq!(encode_partition_value(&value), None);
        }
    }

    #[test]
    fn other_texts_have_no_value() {
        for text in ["a b", "%2f", "%_", "%_+1", "%_01", "%_-0", "%_nul", "%FF", "%", "a%2"] {
            assert_eq!(decode_partition_value(text), None, "{text}");
        }
    }

    fn path(collection: &Collection, document: &Value) -> Result<String, Failure> {
        let mut out = String::new();
        let document = Document::from_value(document);
        Partitions::new(collection)?.write_path(document.root(), &mut out)?;
        Ok(out)
    }

    #[test]
    fn a_path_has_the_fields_in_order_and_missing_values_are_null() {
        let collection = collection("acme/orders", &["region", "year"]);
        let path = |document| path(&collection, &document);
        assert_eq!(
            path(json!({"year": 2024, "region": "a/b"})).unwrap(),
            "region=a%2Fb/year=%_2024"
        );
        assert_eq!(path(json!({"region": null})).unwrap(), "region=%_null/year=%_null");
    }

    #[test]
    fn a_value_that_no_directory_can_have_is_refused_with_its_document() {
        let collection = collection("acme/orders", &["region"]);
        let document = json!({"region": "x".repeat(249)});
        let failure = path(&collection, &document).unwrap_err();
        assert_eq!(failure.kind, FailureKind::PartitionValueTooLong);
        assert_eq!(failure.document, Some(document));
        let document = json!({"region": "x".repeat(248)});
        assert_eq!(path(&collection, &document).unwrap().len(), 255);
        let failure = path(&collection, &json!({"region": [1]})).unwrap_err();
        assert_eq!(failure.kind, FailureKind::DocumentViolatesSchema);
        assert_eq!(failure.pointer.as_deref(), Some("/region"));
    }

    proptest! {
        #[test]
        fn strings_read_back(text: String) {
            let encoded = encode_partition_value(&Value::String(text.clone())).unwrap();
            prop_assert!(!encoded.contains('/'));
            prop_assert_eq!(decode_partition_value(&encoded), Some(Value::String(text)));
        }

        #[test]
        fn what_decodes_has_one_text(text in "(%_)?[%a-f0-9_-]{0,12}") {
            if let Some(value) = decode_partition_value(&text) {
                prop_assert_eq!(encode_partition_value(&value), Some(text));
            }
        }
    }
}
