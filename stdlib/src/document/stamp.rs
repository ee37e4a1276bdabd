//! The UUID of a document, which stands at `/_meta/uuid` wherever documents are stored.
//!
//! User code and schemas see documents without it: it is taken out while a document is read and put
//! in while its text is written, so nobody changes a document for it.

use super::{Builder, Node, View, write_name, write_string, write_text};
use crate::value::{Pointer, Token};

pub(super) const META: &str = "_meta";
pub(super) const UUID: &str = "uuid";

/// What was taken out of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stamp {
    /// The text at `/_meta/uuid`; empty when there was none, or something that is no text.
    pub uuid: String,
    /// Whether `/_meta` held nothing else and was left out.
    pub emptied: bool,
}

impl Stamp {
    pub(super) fn clear(&mut self) {
        self.uuid.clear();
        self.emptied = false;
    }
}

/// Where a location lies with respect to the UUID, which is kept beside its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UuidPlace {
    /// It is the place of the UUID.
    Itself,
    /// What is there holds the UUID: it is the document, or `/_meta`.
    Around,
    /// Elsewhere.
    Elsewhere,
}

impl UuidPlace {
    /// The place of a location.
    pub fn of(pointer: &Pointer) -> Self {
        let is = |token: &Token, name: &str| matches!(token, Token::Property(it) if it == name);
        match pointer.tokens() {
            [] => Self::Around,
            [meta] if is(meta, META) => Self::Around,
            [meta, uuid] if is(meta, META) && is(uuid, UUID) => Self::Itself,
            _ => Self::Elsewhere,
        }
    }
}

/// Writes the canonical text of what is at a location of a document with a UUID; `null` when there
/// is nothing.
pub fn write_stamped_at(document: Node<'_>, uuid: &str, pointer: &Pointer, out: &mut Vec<u8>) {
    if pointer.is_root() {
        return write_stamped(document, uuid, out);
    }
    let mut stamped = Builder::default();
    copy_stamped(document, uuid, &mut stamped);
    write_text(stamped.root().query(pointer).unwrap_or(Node::NULL), out);
}

/// Whether a UUID can be put into a document: it is an object, and so is `/_meta` when it is there.
pub fn has_room(document: Node<'_>) -> bool {
    document.as_object().is_some_and(|properties| {
        properties.get(META).is_none_or(|meta| matches!(meta.view(), View::Object(_)))
    })
}

/// Whether [`copy_unstamped`] would leave anything out.
#[inline]
pub fn is_stamped(document: Node<'_>) -> bool {
    let meta = document.get(META).and_then(Node::as_object);
    meta.is_some_and(|meta| meta.len() == 0 || meta.get(UUID).is_some())
}

/// Adds a copy of a document without its UUID, and without `/_meta` when that leaves it empty.
pub fn copy_unstamped(document: Node<'_>, into: &mut Builder) -> Stamp {
    let mut stamp = Stamp::default();
    let Some(properties) = document.as_object().filter(|_| is_stamped(document)) else {
        into.copy(document);
        return stamp;
    };
    into.begin_object();
    for (name, value) in properties {
        match value.as_object().filter(|_| name == META) {
            None => {
                into.name(name);
                into.copy(value);
            }
            Some(meta) => {
                let uuid = meta.get(UUID);
                stamp.uuid.push_str(uuid.and_then(Node::as_str).unwrap_or_default());
                stamp.emptied = meta.len() == usize::from(uuid.is_some());
                if !stamp.emptied {
                    into.name(name);
                    into.begin_object();
                    for (name, value) in meta.filter(|(name, _)| *name != UUID) {
                        into.name(name);
                        into.copy(value);
                    }
                    into.end_object();
                }
            }
        }
    }
    into.end_object();
    stamp
}

/// Adds a copy of a document with a UUID, in place of one that it has. A document without room for
/// it is copied as it is.
pub fn copy_stamped(document: Node<'_>, uuid: &str, into: &mut Builder) {
    let Some(properties) = document.as_object().filter(|_| has_room(document)) else {
        return into.copy(document);
    };
    into.begin_object();
    into.name(META);
    into.begin_object();
    into.name(UUID);
    into.string(uuid);
    if let Some(meta) = properties.get(META).and_then(Node::as_object) {
        for (name, value) in meta.filter(|(name, _)| *name != UUID) {
            into.name(name);
            into.copy(value);
        }
    }
    into.end_object();
    for (name, value) in properties.filter(|(name, _)| *name != META) {
        into.name(name);
        into.copy(value);
    }
    into.end_object();
}

/// Adds a copy of a document with an empty `/_meta`, which some schemas demand.
pub fn copy_with_empty_meta(document: Node<'_>, into: &mut Builder) {
    let Some(properties) = document.as_object() else { return into.copy(document) };
    into.begin_object();
    into.name(META);
    into.begin_object();
    into.end_object();
    for (name, value) in properties.filter(|(name, _)| *name != META) {
        into.name(name);
        into.copy(value);
    }
    into.end_object();
}

/// Writes the canonical text of a document with a UUID, in place of one that it has, to the end of
/// `out`. The UUID is a text without escapes. A document without room for it is written as it is.
pub fn write_stamped(document: Node<'_>, uuid: &str, out: &mut Vec<u8>) {
    let Some(properties) = document.as_object().filter(|_| has_room(document)) else {
        return write_text(document, out);
    };
    let mut meta = Some(properties.get(META));
    out.push(b'{');
    for (name, value) in properties {
        if name >= META
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

/// The same for a document that is given as its canonical text without a UUID, as far as the UUID
/// need only be put in front; gives whether it was written.
pub fn write_stamped_text(text: &[u8], uuid: &str, out: &mut Vec<u8>) -> bool {
    let Some(([b'{', b'"', first], _)) = text.split_first_chunk() else { return false };
    // Names that begin so come after `_meta`, and so do all that follow them.
    if *first <= b'_' {
        return false;
    }
    out.extend_from_slice(b"{\"_meta\":{\"uuid\":\"");
    out.extend_from_slice(uuid.as_bytes());
    out.extend_from_slice(b"\"},");
    out.extend_from_slice(text.get(1..).unwrap_or_default());
    true
}

fn write_meta(others: Option<Node<'_>>, uuid: &str, out: &mut Vec<u8>) {
    write_name(META, out);
    out.push(b'{');
    let mut uuid = Some(uuid);
    let others = others.and_then(Node::as_object).into_iter().flatten();
    for (name, value) in others.filter(|(name, _)| *name != UUID) {
        if name > UUID
            && let Some(uuid) = uuid.take()
        {
            write_uuid(uuid, out);
            out.push(b',');
        }
        write_name(name, out);
        write_text(value, out);
        out.push(b',');
    }
    match uuid {
        Some(uuid) => write_uuid(uuid, out),
        None => {
            out.pop();
        }
    }
    out.push(b'}');
}

fn write_uuid(uuid: &str, out: &mut Vec<u8>) {
    write_name(UUID, out);
    write_string(uuid, out);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::document::{Document, Parser};
    use crate::value;

    const U: &str = "9f2952f3-c6a3-11ea-8802-080607050309";

    /// The rules over trees.
    fn take(document: &mut Value) -> Stamp {
        let mut stamp = Stamp::default();
        let Some(object) = document.as_object_mut() else { return stamp };
        let Some(meta) = object.get_mut(META).and_then(Value::as_object_mut) else { return stamp };
        let uuid = meta.remove(UUID);
        stamp.uuid.push_str(uuid.as_ref().and_then(Value::as_str).unwrap_or_default());
        stamp.emptied = meta.is_empty();
        if stamp.emptied {
            object.remove(META);
        }
        stamp
    }

    fn put(document: &mut Value, uuid: &str) {
        let Some(object) = document.as_object_mut() else { return };
        let meta = object.entry(META).or_insert_with(|| json!({}));
        if let Some(meta) = meta.as_object_mut() {
            meta.insert(UUID.to_owned(), uuid.into());
        }
    }

    fn samples() -> Vec<Value> {
        vec![
            json!({}),
            json!(1),
            json!([{ "_meta": { "uuid": U } }]),
            json!({ "A": 1, "a\n": [2] }),
            json!({ "_meta": {}, "b": 1 }),
            json!({ "_meta": 1, "b": 1 }),
            json!({ "_meta": { "uuid": U } }),
            json!({ "_meta": { "uuid": U }, "b": { "_meta": { "uuid": U } } }),
            json!({ "_meta": { "uuid": 7 }, "b": 1 }),
            json!({ "_meta": { "uuid": { "a": [] } }, "b": 1 }),
            json!({ "A": 0, "_meta": { "op": "c", "uuid": U, "zz": 1 }, "_n": 1 }),
            json!({ "A": 0, "_meta": { "op": "c" }, "b": 2.5 }),
            json!({ "A": 0, "_meta": { "zz": 1 } }),
            json!({ "_z": 0, "a": 1 }),
            json!({ "a": { "_meta": 1 }, "\u{e9}": 1 }),
            json!({ "\u{e9}": {} }),
        ]
    }

    #[test]
    fn reading_takes_out_what_copying_takes_out() {
        for document in samples() {
            let mut expected = document.clone();
            let stamp = take(&mut expected);
            let mut builder = Builder::default();
            let node = Document::from_value(&document);
            assert_eq!(copy_unstamped(node.root(), &mut builder), stamp, "{document}");
            assert_eq!(builder.finish().root().to_value(), expected);
            let mut read = Stamp { uuid: "before".to_owned(), emptied: true };
            let text = document.to_string();
            Parser::default().parse_unstamped(text.as_bytes(), &mut builder, &mut read).unwrap();
            assert_eq!(read, stamp, "{document}");
            assert_eq!(builder.finish().root().to_value(), expected);
            assert_eq!(is_stamped(node.root()), document != expected);
        }
    }

    #[test]
    fn a_stamped_text_is_canonical() {
        let mut put_in_front = 0;
        for document in samples() {
            let node = Document::from_value(&document);
            let mut expected = document.clone();
            put(&mut expected, "u");
            let mut out = Vec::new();
            write_stamped(node.root(), "u", &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), value::to_text(&expected));
            let (mut out, text) = (Vec::new(), node.root().to_string());
            if write_stamped_text(text.as_bytes(), "u", &mut out) {
                assert_eq!(String::from_utf8(out).unwrap(), value::to_text(&expected));
                put_in_front += 1;
            } else {
                assert!(out.is_empty());
            }
            let mut builder = Builder::default();
            copy_stamped(node.root(), "u", &mut builder);
            assert_eq!(builder.finish().root().to_value(), expected);
        }
        assert_eq!(put_in_front, 2);
    }

    #[test]
    fn an_empty_meta_can_be_put_in() {
        let mut builder = Builder::default();
        copy_with_empty_meta(Document::from_value(&json!({ "a": 1 })).root(), &mut builder);
        assert_eq!(builder.finish().root().to_string(), r#"{"_meta":{},"a":1}"#);
    }

    #[test]
    fn a_text_that_only_begins_like_a_stamped_one_is_judged_as_a_whole() {
        let begin = format!("{{\"_meta\":{{\"uuid\":\"{U}\"}}");
        for (rest, expected) in [
            (",\"b\":1}", Some(json!({ "b": 1 }))),
            (" , \"b\":1}", Some(json!({ "b": 1 }))),
            ("}", Some(json!({}))),
            (",}", None),
            (",\"b\":1", None),
            ("} 1", None),
            ("", None),
        ] {
            let text = format!("{begin}{rest}");
            let (mut builder, mut stamp) = (Builder::default(), Stamp::default());
            let parser = &mut Parser::default();
            let read = parser.parse_unstamped(text.as_bytes(), &mut builder, &mut stamp);
            let strict = value::parse(text.as_bytes());
            assert_eq!(read.as_ref().err(), strict.as_ref().err(), "{text}");
            assert_eq!(read.ok().map(|()| builder.finish().root().to_value()), expected, "{text}");
        }
    }

    proptest! {
        /// Repeated and nested names, in every place.
        #[test]
        fn reading_agrees_with_the_strict_parser(
            members in proptest::collection::vec((
                "_meta|a|_metb",
                prop_oneof![
                    Just("1".to_owned()),
                    Just("{}".to_owned()),
                    Just(format!("{{\"uuid\":\"{U}\"}}")),
                    Just(format!("{{\"uuid\":\"{U}\",\"uuid\":\"x\"}}")),
                    Just(format!("{{\"op\":-0.0,\"uuid\":\"{U}\"}}")),
                ],
            ), 0..4)
        ) {
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            let text = format!("{{{}}}", members.join(","));
            let strict = value::parse(text.as_bytes()).map(|mut value| {
                let stamp = take(&mut value);
                (value::to_text(&value), stamp)
            });
            let (mut builder, mut stamp) = (Builder::default(), Stamp::default());
            let read = Parser::default().parse_unstamped(text.as_bytes(), &mut builder, &mut stamp);
            let read = read.map(|()| (builder.finish().root().to_string(), stamp));
            prop_assert_eq!(read, strict);
        }
    }
}
