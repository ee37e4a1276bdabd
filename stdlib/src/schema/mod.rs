//! JSON Schema: compile and validate self-contained schemas.
//!
//! The dialect is 2020-12 with the formats and annotations of catalogs. Schemas come here bundled:
//! every `$ref` leads to a place inside the same value. Compiling checks every keyword itself and
//! reports all faults; what it has rewritten to its normal form becomes a program, which decides
//! over documents in the arena.

mod bounds;
mod check;
mod edges;
mod endless;
mod formats;
mod keywords;
mod library;
mod normal;
mod program;
mod resources;
mod violation;
mod well_known;

use std::sync::Arc;

use serde_json::Value;

pub(crate) use check::count;
pub use check::is_anchor;
pub use edges::{may_be_empty, may_begin_with, may_end_with};
pub use keywords::Keywords;
pub(crate) use keywords::nearest;
pub(crate) use library::options;
pub use normal::NormalForm;
pub(crate) use normal::{target, target_of};
pub(crate) use program::{Program, SchemaId};
pub use well_known::well_known;

use crate::document::{Document, Node};
use crate::value::Pointer;

/// A compiled schema.
#[derive(Debug)]
pub struct Schema {
    normal: Arc<NormalForm>,
}

/// Why a schema cannot be compiled, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaFailure {
    /// JSON pointer of the keyword or schema at fault, in the schema value.
    pub pointer: String,
    /// What is wrong.
    pub kind: SchemaFailureKind,
    /// The same in plain words, in lower case and without a full stop.
    pub message: String,
    /// What to do instead, when that is known.
    pub suggestion: Option<Suggestion>,
}

/// The kinds of faults of schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaFailureKind {
    /// A keyword that does not exist; the place is its name.
    UnknownKeyword,
    /// A format that does not exist.
    UnknownFormat,
    /// A keyword whose value it cannot have, or a reference without target.
    Malformed,
}

/// What to do about a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suggestion {
    /// A word of a similar spelling, to be written in place of the one at fault.
    Word(String),
    /// An imperative.
    Advice(String),
}

impl SchemaFailure {
    /// A keyword whose value it cannot have.
    pub(crate) fn malformed(
        pointer: String,
        message: String,
        suggestion: Option<Suggestion>,
    ) -> Self {
        Self { pointer, kind: SchemaFailureKind::Malformed, message, suggestion }
    }
}

/// How a document violates its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// JSON pointer of the offending value in the document.
    pub instance_pointer: String,
    /// The keyword that refuses it, such as `type` or `required`.
    pub keyword: String,
    /// JSON pointer of that keyword in the bundled schema, after all references.
    pub schema_pointer: String,
    /// What is wrong in plain words, in lower case, without a full stop and without the whole
    /// document.
    pub message: String,
}

impl Violation {
    /// A violation without its place.
    fn of_all(message: &str) -> Self {
        Self {
            instance_pointer: String::new(),
            keyword: String::new(),
            schema_pointer: String::new(),
            message: message.to_owned(),
        }
    }
}

impl Schema {
    /// Compiles a bundled schema.
    ///
    /// # Errors
    /// Every fault found: unknown keywords (`x-*` apart) and formats, wrong types of keyword
    /// values, broken patterns, references without target, malformed own annotations.
    pub fn compile(schema: &Value) -> Result<Self, Vec<SchemaFailure>> {
        Self::of(Arc::new(NormalForm::new(schema)))
    }

    /// Compiles a schema that was rewritten before.
    ///
    /// # Errors
    /// The faults of the schema.
    pub fn of(normal: Arc<NormalForm>) -> Result<Self, Vec<SchemaFailure>> {
        if !normal.faults.is_empty() {
            return Err(normal.faults.clone());
        }
        match normal.program() {
            Ok(_) => Ok(Self { normal }),
            Err(failure) => Err(vec![failure.clone()]),
        }
    }

    /// The normal form, from which shapes and reductions are made as well.
    pub fn normal_form(&self) -> &Arc<NormalForm> {
        &self.normal
    }

    /// Whether `document` satisfies the schema.
    pub fn is_valid_node(&self, document: Node<'_>) -> bool {
        self.normal.program().is_ok_and(|program| program.is_valid(document))
    }

    /// Whether `document` satisfies the schema.
    pub fn is_valid(&self, document: &Value) -> bool {
        self.is_valid_node(Document::from_value(document).root())
    }

    /// Validates `document`.
    ///
    /// # Errors
    /// The most telling violation (the deepest one of the best-fitting branch of a `oneOf` or
    /// `anyOf`).
    pub fn validate(&self, document: &Value) -> Result<(), Box<Violation>> {
        self.normal.violation_at("", document).map_or(Ok(()), |violation| Err(Box::new(violation)))
    }
}

/// The location of a schema as its bundle names it; a convenience for messages.
pub fn describe_location(pointer: &Pointer) -> String {
    if pointer.is_root() { "the document".to_owned() } else { format!("`{pointer}`") }
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
