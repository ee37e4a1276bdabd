//! Partition values as directory names.

use serde_json::Value;
use tidegate_stdlib::bundle::{Collection, Failure};

/// Encodes a partition value; `None` for a value that cannot be one (a number with a fraction, an array, an object).
pub fn encode_partition_value(value: &Value) -> Option<String> {
    let _ = value;
    todo!("H5")
}

/// Decodes a partition value; `None` when the text is no encoded value.
pub fn decode_partition_value(text: &str) -> Option<Value> {
    let _ = text;
    todo!("H5")
}

/// The partition part of the journal of a document: `field=value/field=value`, empty without partitions.
///
/// # Errors
/// `partition-value-too-long`, or a value that cannot be one, with the document.
pub fn partition_path(collection: &Collection, document: &Value) -> Result<String, Failure> {
    let _ = (collection, document);
    todo!("H5")
}
