//! Field tables: the description of the language that binding, suggestions, completion and the editor's schema share.

use super::{capture, collection, derive, materialization, root, test};

/// One field of a declaration.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Other names that are understood.
    pub aliases: &'static [&'static str],
    /// Names that people write for it, and that are not understood.
    pub mistaken: &'static [&'static str],
    /// What its value is.
    pub kind: FieldKind,
    /// Whether it must be there.
    pub required: bool,
    /// One sentence for people.
    pub docs: &'static str,
}

impl Field {
    /// A field that may be left out.
    pub(super) const fn optional(name: &'static str, kind: FieldKind, docs: &'static str) -> Self {
        Self { name, aliases: &[], mistaken: &[], kind, required: false, docs }
    }

    /// A field that must be there.
    pub(super) const fn required(name: &'static str, kind: FieldKind, docs: &'static str) -> Self {
        Self { name, aliases: &[], mistaken: &[], kind, required: true, docs }
    }

    /// The same field with other names that are understood.
    pub(super) const fn or(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// The same field with names that people write for it.
    pub(super) const fn not(mut self, mistaken: &'static [&'static str]) -> Self {
        self.mistaken = mistaken;
        self
    }

    /// Whether a key is the field's name or another name of it.
    pub fn is_named(&self, key: &str) -> bool {
        self.name == key || self.aliases.contains(&key)
    }
}

/// What the value of a field is.
#[derive(Debug, Clone, Copy)]
pub enum FieldKind {
    /// true or false.
    Boolean,
    /// A whole number from 0.
    Unsigned,
    /// A whole number.
    Integer,
    /// A string.
    String,
    /// A string that is the name of a collection.
    CollectionName,
    /// A JSON pointer.
    Pointer,
    /// A duration such as `5m`.
    Duration,
    /// A time, RFC 3339.
    Timestamp,
    /// Bytes in base64.
    Base64,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Any value.
    Any,
    /// A schema in place or a reference to one.
    Schema,
    /// A value in place or a reference to a file.
    InlineOrFile,
    /// An object with the fields of a table.
    Object(&'static Table),
    /// A list of values of a kind.
    List(&'static FieldKind),
    /// A mapping from names to values of a kind.
    Map(&'static FieldKind),
    /// One of several forms, told apart by the value.
    OneOf(&'static [FieldKind]),
}

impl FieldKind {
    /// What is expected, in the words of messages.
    pub fn expectation(self) -> String {
        match self {
            Self::Boolean => "`true` or `false`".to_owned(),
            Self::Unsigned => "a whole number from 0".to_owned(),
            Self::Integer => "a whole number".to_owned(),
            Self::String => "a text".to_owned(),
            Self::CollectionName => "the name of a collection".to_owned(),
            Self::Pointer => "a JSON pointer".to_owned(),
            Self::Duration => "a duration such as `5m`".to_owned(),
            Self::Timestamp => "a time such as `2024-01-31T00:00:00Z`".to_owned(),
            Self::Base64 => "bytes in base64".to_owned(),
            Self::Word(words) => any_of(words.iter().map(|word| format!("`{word}`"))),
            Self::Any | Self::InlineOrFile => "a value".to_owned(),
            Self::Schema => "a schema or a reference to one".to_owned(),
            Self::List(Self::Pointer) => "a list of JSON pointers".to_owned(),
            Self::List(Self::String) => "a list of texts".to_owned(),
            Self::List(_) => "a list".to_owned(),
            Self::Object(_) | Self::Map(_) => "a mapping".to_owned(),
            Self::OneOf(kinds) => any_of(kinds.iter().flat_map(|kind| {
                let words = kind.words().iter().map(|word| format!("`{word}`"));
                let other = kind.words().is_empty().then(|| kind.expectation());
                words.chain(other)
            })),
        }
    }

    /// The words that the value may be; none when it may be something else.
    pub(super) const fn words(&self) -> &'static [&'static str] {
        if let Self::Word(words) = self { words } else { &[] }
    }
}

/// `a`, `a or b`, `a, b or c`.
fn any_of(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    match words.as_slice() {
        [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        all => all.concat(),
    }
}

/// The fields of one kind of object.
#[derive(Debug)]
pub struct Table {
    /// What the object is called in messages, such as `a transform`.
    pub noun: &'static str,
    /// Its fields.
    pub fields: &'static [Field],
    /// Whether other fields are allowed too, because they are for somebody else.
    pub is_open: bool,
}

impl Table {
    /// The field of a key: by its name or another name of it.
    pub fn field(&self, key: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.is_named(key))
    }

    /// The field that a misspelt key most likely means.
    pub fn nearest(&self, key: &str) -> Option<&'static Field> {
        if let Some(field) = self.fields.iter().find(|field| field.mistaken.contains(&key)) {
            return Some(field);
        }
        let names = self.fields.iter().map(|field| field.name);
        let name = crate::diag::nearest(key, names)?;
        self.field(name)
    }
}

/// All tables by noun, the root first.
pub fn tables() -> &'static [&'static Table] {
    static TABLES: &[&Table] = &[
        &root::ROOT,
        &collection::COLLECTION,
        &collection::PROJECTION,
        &collection::JOURNALS,
        &collection::FRAGMENTS,
        &derive::DERIVE,
        &derive::USING,
        &derive::SQLITE,
        &derive::TYPESCRIPT,
        &derive::PYTHON,
        &derive::TRANSFORM,
        &derive::SHUFFLE,
        &derive::SOURCE,
        &derive::SELECTOR,
        &capture::CAPTURE,
        &capture::ENDPOINT,
        &capture::CONNECTOR,
        &capture::LOCAL,
        &capture::PYTHON,
        &capture::BINDING,
        &capture::AUTO_DISCOVER,
        &capture::SHARDS,
        &materialization::MATERIALIZATION,
        &materialization::ENDPOINT,
        &materialization::DEKAF,
        &materialization::CAPTURE_SOURCE,
        &materialization::TARGET_NAMING,
        &materialization::TRIGGERS,
        &materialization::TRIGGER,
        &materialization::SYNC_SCHEDULE,
        &materialization::SYNC_WINDOW,
        &materialization::BINDING,
        &materialization::FIELDS,
        &test::TEST,
        &test::STEP,
        &test::INGEST,
        &test::VERIFY,
    ];
    TABLES
}
