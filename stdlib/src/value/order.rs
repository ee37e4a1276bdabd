//! The total order of JSON values.

use std::cmp::Ordering;

use serde_json::Value;

/// Compares two values: null < false < true < numbers < strings < arrays < objects.
///
/// Numbers compare by their exact numeric value across integers and floats, strings by bytes, arrays
/// element by element and then by length, objects property by property in sorted order.
pub fn compare(left: &Value, right: &Value) -> Ordering {
    let _ = (left, right);
    todo!("H1")
}
