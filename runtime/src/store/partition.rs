//! Partition values as directory names.
//!
//! The encoding is reversible: what begins with `%_` is no string, and every other text is percent-encoded UTF-8 with
//! upper-case digits, so one value has exactly one name.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Number, Value};
use tidegate_stdlib::bundle::{Collection, Failure, FailureKind, Projection};

use crate::limits::PARTITION_DIRECTORY_BYTES_MAX;

/// What stands before a value that is no string.
const SCALAR_PREFIX: &str = "%_";
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');
/// 2^63 and 2^64, the bounds of the numbers that 64 bits hold.
const I64_BOUND: f64 = 9_223_372_036_854_775_808.0;
const U64_BOUND: f64 = 18_446_744_073_709_551_616.0;

/// Encodes a partition value; `None` for a value that cannot be one (a number with a fraction, an array, an object).
pub fn encode_partition_value(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some("%_null".to_owned()),
        Value::Bool(true) => Some("%_true".to_owned()),
        Value::Bool(false) => Some("%_false".to_owned()),
        Value::Number(number) => encode_number(number),
        Value::String(text) => Some(utf8_percent_encode(text, ENCODED).to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
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

/// The partition part of the journal of a document: `field=value/field=value`, empty without partitions.
///
/// # Errors
/// `partition-value-too-long`, or a value that cannot be one, with the document.
pub fn partition_path(collection: &Collection, document: &Value) -> Result<String, Failure> {
    let mut path = String::new();
    for projection in collection.partitions() {
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(&directory_name(collection, projection, document)?);
    }
    Ok(path)
}

fn directory_name(
    collection: &Collection,
    projection: &Projection,
    document: &Value,
) -> Result<String, Failure> {
    let Projection { field, pointer, .. } = projection;
    let value = document.pointer(pointer).or(projection.default.as_ref()).unwrap_or(&Value::Null);
    let refuse = |kind, message| {
        Failure::new(kind, message)
            .collection(&collection.name)
            .document(document, Some(pointer.clone()))
            .at(Some(collection.origin.clone()))
    };
    let Some(encoded) = encode_partition_value(value) else {
        let message = format!("partition field `{field}` holds {}", describe(value));
        return Err(refuse(FailureKind::DocumentViolatesSchema, message)
            .help("partition by a field that holds strings, integers, booleans or null"));
    };
    let name = format!("{field}={encoded}");
    if name.len() > PARTITION_DIRECTORY_BYTES_MAX {
        let message = format!("the value of partition field `{field}` is too long");
        return Err(refuse(FailureKind::PartitionValueTooLong, message).note(format!(
            "it would name a directory of {} bytes, and {PARTITION_DIRECTORY_BYTES_MAX} are possible",
            name.len()
        ))
        .help("partition by a field with shorter values"));
    }
    Ok(name)
}

fn encode_number(number: &Number) -> Option<String> {
    if !number.is_f64() {
        return Some(format!("{SCALAR_PREFIX}{number}"));
    }
    let float = number.as_f64()?;
    if float.fract() != 0.0 {
        return None;
    }
    if (-I64_BOUND..I64_BOUND).contains(&float) {
        return Some(format!("{SCALAR_PREFIX}{}", float as i64));
    }
    (I64_BOUND..U64_BOUND).contains(&float).then(|| format!("{SCALAR_PREFIX}{}", float as u64))
}

fn describe(value: &Value) -> &'static str {
    match value {
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
        Value::Number(_) => "a number with a fraction or beyond 64 bits",
        Value::Null | Value::Bool(_) | Value::String(_) => "a value that names no directory",
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

    #[test]
    fn a_path_has_the_fields_in_order_and_missing_values_are_null() {
        let collection = collection("acme/orders", &["region", "year"]);
        let path = |document| partition_path(&collection, &document);
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
        let failure = partition_path(&collection, &document).unwrap_err();
        assert_eq!(failure.kind, FailureKind::PartitionValueTooLong);
        assert_eq!(failure.document, Some(document));
        let document = json!({"region": "x".repeat(248)});
        assert_eq!(partition_path(&collection, &document).unwrap().len(), 255);
        let failure = partition_path(&collection, &json!({"region": [1]})).unwrap_err();
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
