//! Documents in an arena: the form in which documents are read, validated, reduced and written.
//!
//! A [`Document`] is one flat row of cells in the order of its text, with all its texts in one
//! string: two allocations however many values it holds, and a subtree is a slice. A [`Node`] is a
//! view of one value. Properties are sorted by bytes at every level and each is there once, so two
//! objects are merged by walking both once.
//!
//! [`serde_json::Value`] remains the form of what is small and changed in place: schemas,
//! configurations, connector states.

mod arrange;
mod binary;
mod build;
mod layout;
mod name;
mod number;
mod order;
mod parse;
mod scan;
mod stamp;
mod text;

use serde_json::Value;

use arrange::Order;
pub use binary::{read_binary, read_bytes, read_integer, write_binary, write_bytes, write_integer};
pub(crate) use build::Mark;
pub use build::{Builder, Documents};
pub(crate) use name::{KnownName, Name, head};
pub use number::Number;
pub use order::{compare, equal};
pub use parse::Parser;
pub use stamp::{
    Stamp, UuidPlace, copy_stamped, copy_unstamped, copy_with_empty_meta, has_room, is_stamped,
    write_stamped, write_stamped_at, write_stamped_text,
};
pub use text::{write_name, write_string, write_text};

use crate::value::{Pointer, Token};

/// One value of a document, in the order of its text; what an array or object holds follows it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cell {
    Null,
    Boolean(bool),
    // The variants of `Number`, so that a cell takes 16 bytes.
    Unsigned(u64),
    Negative(i64),
    Float(f64),
    /// A byte range of the document's texts.
    String {
        start: u32,
        length: u32,
    },
    /// How many items there are, and how many cells they take.
    Array {
        items: u32,
        cells: u32,
        order: Order,
    },
    /// How many properties there are, and how many cells they take, each a name and a value.
    Object {
        properties: u32,
        cells: u32,
        order: Order,
    },
}

impl From<Number> for Cell {
    #[inline]
    fn from(number: Number) -> Self {
        match number {
            Number::Unsigned(value) => Self::Unsigned(value),
            Number::Negative(value) => Self::Negative(value),
            Number::Float(value) => Self::Float(value),
        }
    }
}

impl Cell {
    /// A number below eight for each variant, so that a table can tell what it is.
    #[inline(always)]
    pub(crate) fn kind(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Boolean(_) => 1,
            Self::Unsigned(_) => 2,
            Self::Negative(_) => 3,
            Self::Float(_) => 4,
            Self::String { .. } => 5,
            Self::Array { .. } => 6,
            Self::Object { .. } => 7,
        }
    }

    /// The number, if it is one.
    #[inline]
    pub(crate) fn as_number(self) -> Option<Number> {
        match self {
            Self::Unsigned(value) => Some(Number::Unsigned(value)),
            Self::Negative(value) => Some(Number::Negative(value)),
            Self::Float(value) => Some(Number::Float(value)),
            Self::Null
            | Self::Boolean(_)
            | Self::String { .. }
            | Self::Array { .. }
            | Self::Object { .. } => None,
        }
    }

    /// How many cells the value takes.
    #[inline]
    pub(crate) fn extent(self) -> usize {
        match self {
            Self::Array { cells, .. } | Self::Object { cells, .. } => cells as usize + 1,
            Self::Null
            | Self::Boolean(_)
            | Self::Unsigned(_)
            | Self::Negative(_)
            | Self::Float(_)
            | Self::String { .. } => 1,
        }
    }
}

/// An owned document, as small as it can be.
#[derive(Debug, Clone)]
pub struct Document {
    cells: Box<[Cell]>,
    text: Box<str>,
}

impl Document {
    /// The document of a value.
    pub fn from_value(value: &Value) -> Self {
        let mut builder = Builder::default();
        builder.value(value);
        builder.finish()
    }

    /// The whole document.
    pub fn root(&self) -> Node<'_> {
        Node { cells: &self.cells, text: &self.text }
    }

    /// Looks at both ends of the document's memory, so that it comes into the processor's cache; what
    /// is there means nothing.
    #[inline]
    pub(crate) fn look(&self) -> usize {
        let cell = |cell: Option<&Cell>| cell.map_or(0, |cell| cell.extent());
        let byte = |byte: Option<&u8>| byte.copied().map_or(0, usize::from);
        let text = self.text.as_bytes();
        cell(self.cells.first())
            .wrapping_add(cell(self.cells.last()))
            .wrapping_add(byte(text.first()))
            .wrapping_add(byte(text.last()))
    }

    /// How many bytes of memory the document takes.
    pub fn size_bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.cells) + self.text.len()
    }
}

impl PartialEq for Document {
    /// As [`equal`]: numbers are compared by value, so `1` equals `1.0`.
    fn eq(&self, other: &Self) -> bool {
        equal(self.root(), other.root())
    }
}

/// A view of one value of a document.
#[derive(Debug, Clone, Copy)]
pub struct Node<'d> {
    /// The cell of the value and all that follow it; never empty.
    cells: &'d [Cell],
    text: &'d str,
}

/// What a value is.
#[derive(Debug, Clone, Copy)]
pub enum View<'d> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(&'d str),
    /// An array.
    Array(Items<'d>),
    /// An object.
    Object(Properties<'d>),
}

impl<'d> Node<'d> {
    /// The value `null`, which belongs to no document.
    pub const NULL: Node<'static> = Node { cells: &[Cell::Null], text: "" };

    /// The value whose cell comes first, in a document of these texts.
    #[inline]
    pub(crate) fn new(cells: &'d [Cell], text: &'d str) -> Self {
        Self { cells, text }
    }

    /// The cell of the value and all that follow it in the document.
    #[inline]
    pub(crate) fn cells(self) -> &'d [Cell] {
        self.cells
    }

    /// The texts of the document.
    #[inline]
    pub(crate) fn texts(self) -> &'d str {
        self.text
    }

    /// What the value is.
    #[inline]
    pub fn view(self) -> View<'d> {
        let (cell, rest) = self.split();
        match cell {
            Cell::Null => View::Null,
            Cell::Boolean(value) => View::Boolean(value),
            Cell::Unsigned(value) => View::Number(Number::Unsigned(value)),
            Cell::Negative(value) => View::Number(Number::Negative(value)),
            Cell::Float(value) => View::Number(Number::Float(value)),
            Cell::String { start, length } => View::String(slice(self.text, start, length)),
            Cell::Array { items, .. } => {
                View::Array(Items { left: items, cells: rest, text: self.text })
            }
            Cell::Object { properties, .. } => {
                View::Object(Properties { left: properties, cells: rest, text: self.text })
            }
        }
    }

    /// Whether the value is `null`.
    pub fn is_null(self) -> bool {
        matches!(self.split().0, Cell::Null)
    }

    /// The string, if it is one.
    #[inline]
    pub fn as_str(self) -> Option<&'d str> {
        match self.split().0 {
            Cell::String { start, length } => Some(slice(self.text, start, length)),
            Cell::Null
            | Cell::Boolean(_)
            | Cell::Unsigned(_)
            | Cell::Negative(_)
            | Cell::Float(_)
            | Cell::Array { .. }
            | Cell::Object { .. } => None,
        }
    }

    /// The string to be compared with others, if it is one.
    #[inline]
    pub(crate) fn as_name(self) -> Option<Name<'d>> {
        if let Cell::String { start, length } = self.split().0 {
            Some(Name::new(self.text, start, length))
        } else {
            None
        }
    }

    /// The number, if it is one.
    #[inline]
    pub fn as_number(self) -> Option<Number> {
        if let View::Number(number) = self.view() { Some(number) } else { None }
    }

    /// The items, if it is an array.
    #[inline]
    pub fn as_array(self) -> Option<Items<'d>> {
        if let View::Array(items) = self.view() { Some(items) } else { None }
    }

    /// The properties, if it is an object.
    #[inline]
    pub fn as_object(self) -> Option<Properties<'d>> {
        if let View::Object(properties) = self.view() { Some(properties) } else { None }
    }

    /// The property of this name, if it is an object that has it.
    #[inline]
    pub fn get(self, name: &str) -> Option<Node<'d>> {
        self.as_object()?.get(name)
    }

    /// The value at `pointer`.
    pub fn query(self, pointer: &Pointer) -> Option<Node<'d>> {
        pointer.tokens().iter().try_fold(self, |node, token| match (node.view(), token) {
            (View::Array(items), Token::Index(index)) => items.get(*index),
            (View::Object(properties), Token::Property(name)) => properties.get(name),
            (View::Object(properties), Token::Index(index)) => properties.get(&index.to_string()),
            (View::Object(properties), Token::NextIndex) => properties.get("-"),
            _ => None,
        })
    }

    /// How many values the value holds, itself and the names of properties included.
    pub fn size(self) -> usize {
        self.split().0.extent()
    }

    /// The value as a tree.
    pub fn to_value(self) -> Value {
        match self.view() {
            View::Null => Value::Null,
            View::Boolean(value) => Value::Bool(value),
            View::Number(number) => Value::Number(number.into()),
            View::String(text) => Value::String(text.to_owned()),
            View::Array(items) => items.map(Node::to_value).collect(),
            View::Object(properties) => {
                properties.map(|(name, value)| (name.to_owned(), value.to_value())).collect()
            }
        }
    }

    /// The value as a document of its own.
    pub fn to_document(self) -> Document {
        let mut builder = Builder::default();
        builder.copy(self);
        builder.finish()
    }

    #[inline]
    fn split(self) -> (Cell, &'d [Cell]) {
        match self.cells.split_first() {
            Some((cell, rest)) => (*cell, rest),
            None => (Cell::Null, &[]),
        }
    }
}

/// The items of an array, in order.
#[derive(Debug, Clone, Copy)]
pub struct Items<'d> {
    left: u32,
    cells: &'d [Cell],
    text: &'d str,
}

impl<'d> Items<'d> {
    /// The item at `index`.
    pub fn get(mut self, index: usize) -> Option<Node<'d>> {
        self.nth(index)
    }
}

impl<'d> Iterator for Items<'d> {
    type Item = Node<'d>;

    #[inline]
    fn next(&mut self) -> Option<Node<'d>> {
        self.left = self.left.checked_sub(1)?;
        let node = Node { cells: self.cells, text: self.text };
        self.cells = self.cells.get(node.split().0.extent()..)?;
        Some(node)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for Items<'_> {}

/// The properties of an object, sorted by the bytes of their names.
#[derive(Debug, Clone, Copy)]
pub struct Properties<'d> {
    left: u32,
    cells: &'d [Cell],
    text: &'d str,
}

impl<'d> Properties<'d> {
    /// The value of the property of this name.
    #[inline]
    pub fn get(self, name: &str) -> Option<Node<'d>> {
        let (head, first) = (head(name), name.as_bytes().first());
        let Self { left, mut cells, text } = self;
        for _ in 0..left {
            let [Cell::String { start, length }, value, ..] = cells else { return None };
            let is_as_long = *length as usize == name.len();
            if is_as_long && Name::new(text, *start, *length).is(name, head) {
                return cells.get(1..).map(|cells| Node { cells, text });
            }
            // Mostly one byte tells that the place of the name has been passed.
            if *length > 0 && text.as_bytes().get(*start as usize) > first {
                return None;
            }
            cells = cells.get(1 + value.extent()..)?;
        }
        None
    }

    /// The next property, without a look at the text of its name.
    #[inline]
    pub(crate) fn next_named(&mut self) -> Option<(Name<'d>, Node<'d>)> {
        self.left = self.left.checked_sub(1)?;
        let (name, rest) = self.cells.split_first()?;
        let Cell::String { start, length } = *name else { return None };
        let node = Node { cells: rest, text: self.text };
        self.cells = rest.get(node.split().0.extent()..)?;
        Some((Name::new(self.text, start, length), node))
    }

    /// The properties, each with a name to be compared with others.
    pub(crate) fn named(mut self) -> impl Iterator<Item = (Name<'d>, Node<'d>)> {
        std::iter::from_fn(move || self.next_named())
    }

    /// The names as values, for what is said of names.
    pub(crate) fn names(mut self) -> impl Iterator<Item = Node<'d>> {
        std::iter::from_fn(move || {
            let name = Node { cells: self.cells, text: self.text };
            self.next().map(|_| name)
        })
    }
}

impl<'d> Iterator for Properties<'d> {
    type Item = (&'d str, Node<'d>);

    #[inline]
    fn next(&mut self) -> Option<(&'d str, Node<'d>)> {
        self.left = self.left.checked_sub(1)?;
        let (name, rest) = self.cells.split_first()?;
        let Cell::String { start, length } = *name else { return None };
        let node = Node { cells: rest, text: self.text };
        self.cells = rest.get(node.split().0.extent()..)?;
        Some((slice(self.text, start, length), node))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for Properties<'_> {}

/// What is in a range of the texts of a document.
#[inline]
pub(crate) fn slice(text: &str, start: u32, length: u32) -> &str {
    let start = start as usize;
    text.get(start..start + length as usize).unwrap_or_default()
}

#[cfg(test)]
mod tests;
