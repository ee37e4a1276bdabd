//! The UUID inside a document: taking it out, so that user code and schemas see the user's document, and putting it in.

use serde_json::{Map, Value};
use tidegate_stdlib::value::write_text;

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

/// A UUID that was set aside, with what it takes to put it back without copying a text.
#[derive(Debug)]
pub(crate) enum Aside {
    /// There was none.
    Nothing,
    /// `/_meta` held nothing else and went with it: its name and value.
    Meta(String, Value),
    /// The name and value in `/_meta`.
    Uuid(String, Value),
}

impl Aside {
    /// Whether `/_meta` went with the UUID.
    pub(crate) fn is_meta(&self) -> bool {
        matches!(self, Self::Meta(..))
    }
}

/// Takes the UUID out of a document, to be put back by [`put_back`].
pub(crate) fn set_aside(document: &mut Value) -> Aside {
    let Some(object) = document.as_object_mut() else { return Aside::Nothing };
    let Some(meta) = object.get_mut(META).and_then(Value::as_object_mut) else {
        return Aside::Nothing;
    };
    if !meta.contains_key(UUID) {
        return Aside::Nothing;
    }
    if meta.len() > 1 {
        let entry = meta.remove_entry(UUID);
        return entry.map_or(Aside::Nothing, |(name, uuid)| Aside::Uuid(name, uuid));
    }
    let entry = object.remove_entry(META);
    entry.map_or(Aside::Nothing, |(name, meta)| Aside::Meta(name, meta))
}

/// Puts a UUID back into the document it was taken from.
pub(crate) fn put_back(document: &mut Value, aside: Aside) {
    let Some(object) = document.as_object_mut() else { return };
    match aside {
        Aside::Nothing => {}
        Aside::Meta(name, meta) => drop(object.insert(name, meta)),
        Aside::Uuid(name, uuid) => {
            if let Some(meta) = object.get_mut(META).and_then(Value::as_object_mut) {
                meta.insert(name, uuid);
            }
        }
    }
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

/// Writes the canonical text of a document with a UUID that fits into it to the end of `out`.
pub(crate) fn write_stamped(document: &Value, uuid: &str, out: &mut Vec<u8>) {
    let Some(object) = document.as_object() else { return write_text(document, out) };
    let mut meta = Some(object.get(META).and_then(Value::as_object));
    out.push(b'{');
    for (name, value) in object {
        if name.as_str() >= META
            && let Some(others) = meta.take()
        {
            write_meta(others, uuid, out);
            out.push(b',');
        }
        if name != META {
            write_name(name, out);
            write_text(value, out);
            out.push(b',');
        }
    }
    match meta.take() {
        Some(others) => write_meta(others, uuid, out),
        None => {
            out.pop();
        }
    }
    out.push(b'}');
}

fn write_meta(others: Option<&Map<String, Value>>, uuid: &str, out: &mut Vec<u8>) {
    write_name(META, out);
    if others.is_none_or(Map::is_empty) {
        out.extend_from_slice(b"{\"uuid\":\"");
        out.extend_from_slice(uuid.as_bytes());
        out.extend_from_slice(b"\"}");
        return;
    }
    let mut meta = others.cloned().unwrap_or_default();
    meta.insert(UUID.to_owned(), Value::String(uuid.to_owned()));
    write_text(&Value::Object(meta), out);
}

fn write_name(name: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(&mut *out, name).expect("a text has a JSON text");
    out.push(b':');
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
    fn what_is_set_aside_can_be_put_back() {
        for (original, user) in [
            (json!({ "_meta": { "uuid": "u" }, "a": 1 }), json!({ "a": 1 })),
            (json!({ "_meta": { "op": "c", "uuid": "u" } }), json!({ "_meta": { "op": "c" } })),
            (json!({ "_meta": {}, "a": 1 }), json!({ "_meta": {}, "a": 1 })),
            (json!({ "a": 1 }), json!({ "a": 1 })),
            (json!(1), json!(1)),
        ] {
            let mut document = original.clone();
            let aside = set_aside(&mut document);
            assert_eq!(document, user);
            put_back(&mut document, aside);
            assert_eq!(document, original);
        }
    }

    #[test]
    fn a_stamped_text_is_canonical() {
        for original in [
            json!({}),
            json!({ "A": 1, "a\n": [2] }),
            json!({ "A": { "x": 1 } }),
            json!({ "z": null, "b": 1 }),
            json!({ "_meta": {}, "b": 1 }),
            json!({ "A": 0, "_meta": { "op": "c", "zz": 1 }, "_n": 1 }),
            json!({ "A": 0, "_meta": { "op": "c" } }),
        ] {
            let mut out = Vec::new();
            write_stamped(&original, "u", &mut out);
            let mut document = original;
            put(&mut document, "u".to_owned());
            assert_eq!(String::from_utf8(out).unwrap(), document.to_string());
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
