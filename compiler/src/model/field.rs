//! Field tables: the description of the language that binding, suggestions, completion and the editor's schema share.

/// One field of a declaration.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Other names that are understood.
    pub aliases: &'static [&'static str],
    /// What its value is.
    pub kind: FieldKind,
    /// Whether it must be there.
    pub required: bool,
    /// One sentence for people.
    pub docs: &'static str,
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

/// The fields of one kind of object.
#[derive(Debug)]
pub struct Table {
    /// What the object is called in messages, such as `a transform`.
    pub noun: &'static str,
    /// Its fields.
    pub fields: &'static [Field],
}

/// All tables by noun, the root first.
pub fn tables() -> &'static [&'static Table] {
    todo!("H3")
}
