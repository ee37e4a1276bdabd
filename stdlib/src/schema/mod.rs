//! JSON Schema: compile and validate self-contained schemas.
//!
//! The dialect is 2020-12 with the formats and annotations of catalogs. Schemas come here bundled:
//! every `$ref` leads to a place inside the same value. Compiling checks every keyword itself and
//! reports all faults; only what it has rewritten to its normal form goes to the validator.

mod bounds;
mod check;
mod endless;
mod formats;
mod keywords;
mod normal;
mod program;
mod resources;
mod violation;
mod well_known;

use std::sync::Arc;

use jsonschema::{Draft, PatternOptions, ValidationOptions, Validator};
use serde_json::Value;

use bounds::{NumericBound, Side};
pub(crate) use check::count;
pub(crate) use keywords::nearest;
pub use normal::NormalForm;
pub(crate) use normal::target;
pub(crate) use program::{Program, SchemaId};
pub use well_known::well_known;

use crate::document::Node;
use crate::value::Pointer;

/// A compiled schema.
#[derive(Debug)]
pub struct Schema {
    validator: Validator,
    program: Program,
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
        match options().build(&normal.schema) {
            Ok(validator) => {
                let program = Program::compile(&normal).map_err(|failure| vec![failure])?;
                Ok(Self { validator, program, normal })
            }
            Err(error) => Err(vec![SchemaFailure::malformed(
                normal.origin(error.instance_path().as_str()),
                format!("the schema cannot be compiled: {}", error.masked()),
                None,
            )]),
        }
    }

    /// The normal form, from which shapes and reductions are made as well.
    pub fn normal_form(&self) -> &Arc<NormalForm> {
        &self.normal
    }

    /// Whether `document` satisfies the schema.
    pub fn is_valid_node(&self, document: Node<'_>) -> bool {
        self.program.is_valid(document)
    }

    /// Whether `document` satisfies the schema.
    pub fn is_valid(&self, document: &Value) -> bool {
        self.validator.is_valid(document)
    }

    /// Validates `document`.
    ///
    /// # Errors
    /// The most telling violation (the deepest one of the best-fitting branch of a `oneOf` or
    /// `anyOf`).
    pub fn validate(&self, document: &Value) -> Result<(), Box<Violation>> {
        if self.validator.is_valid(document) {
            return Ok(());
        }
        let errors: Vec<_> = self.validator.iter_errors(document).collect();
        let fallback = || Violation {
            instance_pointer: String::new(),
            keyword: String::new(),
            schema_pointer: String::new(),
            message: "the document does not satisfy its schema".to_owned(),
        };
        let violation = violation::most_telling(&errors, document, &self.normal);
        Err(Box::new(violation.unwrap_or_else(fallback)))
    }
}

/// The location of a schema as its bundle names it; a convenience for messages.
pub fn describe_location(pointer: &Pointer) -> String {
    if pointer.is_root() { "the document".to_owned() } else { format!("`{pointer}`") }
}

/// How every validator of a normal form is built: offline, with our formats enforced.
pub(crate) fn options<'i>() -> ValidationOptions<'i> {
    let options = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex())
        .should_validate_formats(true)
        .with_keyword("x-str-minimum", |_, bound, _| {
            Ok(Box::new(NumericBound::new(bound, Side::Above)))
        })
        .with_keyword("x-str-maximum", |_, bound, _| {
            Ok(Box::new(NumericBound::new(bound, Side::Below)))
        })
        .offline();
    formats::OWN
        .into_iter()
        .fold(options, |options, (name, check)| options.with_format(name, check))
}

#[cfg(test)]
mod tests;
