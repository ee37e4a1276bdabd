//! Values as messages quote them.

use serde_json::Value;

/// Longest text of a value that a message quotes, in characters.
const QUOTED_LENGTH_MAX: usize = 40;

/// A value as a message quotes it: in full when it is short.
pub(crate) fn quote(value: &Value) -> String {
    match value {
        Value::Array(items) if items.is_empty() => "`[]`".to_owned(),
        Value::Object(properties) if properties.is_empty() => "`{}`".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            format!("`{}`", shortened(&value.to_string()))
        }
    }
}

/// A text, cut when it is long.
pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(QUOTED_LENGTH_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or(text)),
        None => text.to_owned(),
    }
}
