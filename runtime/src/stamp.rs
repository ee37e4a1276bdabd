//! The UUID inside a document: taking it out, so that user code and schemas see the user's document, and putting it in.

use serde_json::{Map, Value};

const META: &str = "_meta";
const UUID: &str = "uuid";

/// What was taken out of a document.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// The value at `/_meta/uuid`.
    pub(crate) uuid: Option<Value>,
    /// Whether `/_meta` held nothing else and went with it.
    pub(crate) emptied: bool,
}

/// The text at `/_meta/uuid`.
pub(crate) fn text(document: &Value) -> Option<&str> {
    document.get(META)?.get(UUID)?.as_str()
}

/// Takes the UUID out of a document, and `/_meta` with it when that leaves it empty.
pub(crate) fn take(document: &mut Value) -> Taken {
    let Some(object) = document.as_object_mut() else { return Taken::default() };
    let Some(meta) = object.get_mut(META).and_then(Value::as_object_mut) else {
        return Taken::default();
    };
    let uuid = meta.remove(UUID);
    let emptied = meta.is_empty();
    if emptied {
        object.remove(META);
    }
    Taken { uuid, emptied }
}

/// Whether a UUID can be put into a document.
pub(crate) fn fits(document: &Value) -> bool {
    document.as_object().is_some_and(|object| object.get(META).is_none_or(Value::is_object))
}

/// Puts a UUID into a document that it fits into.
pub(crate) fn put(document: &mut Value, uuid: String) {
    let Some(object) = document.as_object_mut() else { return };
    let meta = object.entry(META).or_insert_with(|| Value::Object(Map::new()));
    if let Some(meta) = meta.as_object_mut() {
        meta.insert(UUID.to_owned(), Value::String(uuid));
    }
}

/// Puts an empty `/_meta` back.
pub(crate) fn restore_empty(document: &mut Value) {
    if let Some(object) = document.as_object_mut() {
        object.insert(META.to_owned(), Value::Object(Map::new()));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_put_in_can_be_taken_out() {
        for original in [json!({ "a": 1 }), json!({ "_meta": { "op": "c" }, "a": 1 })] {
            let mut document = original.clone();
            assert!(fits(&document));
            put(&mut document, "u".to_owned());
            assert_eq!(text(&document), Some("u"));
            assert_eq!(take(&mut document).uuid, Some(json!("u")));
            assert_eq!(document, original);
        }
    }

    #[test]
    fn an_empty_meta_is_remembered() {
        let mut document = json!({ "_meta": {} });
        assert!(take(&mut document).emptied);
        assert_eq!(document, json!({}));
        restore_empty(&mut document);
        assert_eq!(document, json!({ "_meta": {} }));
    }

    #[test]
    fn scalars_have_no_room() {
        assert!(!fits(&json!(1)));
        assert!(!fits(&json!({ "_meta": 1 })));
    }
}
