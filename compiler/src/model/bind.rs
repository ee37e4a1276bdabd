//! From a tree to specs. Never fails; problems are in the specs.

use super::Specs;
use crate::source::Range;
use crate::syntax::Tree;

/// Something that could not be bound, file-relative.
#[derive(Debug, Clone, PartialEq)]
pub struct BindProblem {
    /// What it is.
    pub kind: BindProblemKind,
    /// The bytes at fault.
    pub range: Range,
}

/// The kinds of problems of binding; each is a rule.
#[derive(Debug, Clone, PartialEq)]
pub enum BindProblemKind {
    /// A field that the table does not have.
    UnknownField {
        /// The field as written.
        field: String,
        /// What the object is called.
        noun: &'static str,
        /// The nearest known field, if one is near.
        nearest: Option<&'static str>,
    },
    /// A value of another type than the field has.
    WrongType {
        /// The field.
        field: String,
        /// What is expected, such as `a list of JSON pointers`.
        expected: String,
        /// What was found, such as `a string`.
        found: String,
    },
    /// A required field is missing.
    MissingField {
        /// The field.
        field: &'static str,
        /// What the object is called.
        noun: &'static str,
    },
}

/// Binds the declarations of a catalog file.
pub fn bind(tree: &Tree) -> Specs {
    let _ = tree;
    todo!("H3")
}
