//! JSON Schema: compile and validate self-contained schemas.
//!
//! The dialect is 2020-12 with the formats and annotations of catalogs. Schemas come here bundled: every `$ref` leads
//! to a place inside the same value.

use serde_json::Value;

use crate::value::Pointer;

/// A compiled schema.
#[derive(Debug)]
pub struct Schema {
    validator: jsonschema::Validator,
}

/// Why a schema cannot be compiled, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaFailure {
    /// JSON pointer of the keyword or schema at fault, in the schema value.
    pub pointer: String,
    /// What is wrong, in lower case and without a full stop.
    pub message: String,
    /// What to do instead, when that is known (for example the nearest keyword).
    pub suggestion: Option<String>,
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
    /// What is wrong in plain words, in lower case, without a full stop and without the whole document.
    pub message: String,
}

impl Schema {
    /// Compiles a bundled schema.
    ///
    /// # Errors
    /// Every fault found: unknown keywords (`x-*` apart) and formats, wrong types of keyword values, broken
    /// patterns, references without target, malformed own annotations.
    pub fn compile(schema: &Value) -> Result<Self, Vec<SchemaFailure>> {
        let _ = schema;
        todo!("H1")
    }

    /// Whether `document` satisfies the schema.
    pub fn is_valid(&self, document: &Value) -> bool {
        self.validator.is_valid(document)
    }

    /// Validates `document`.
    ///
    /// # Errors
    /// The most telling violation (the deepest one of the best-fitting branch of a `oneOf` or `anyOf`).
    pub fn validate(&self, document: &Value) -> Result<(), Box<Violation>> {
        let _ = document;
        todo!("H1")
    }
}

/// The root of a public schema that ships with Tidegate (GeoJSON), by its URL without fragment.
pub fn well_known(url: &str) -> Option<&'static str> {
    let _ = url;
    todo!("H1")
}

/// The location of a schema as its bundle names it; a convenience for messages.
pub fn describe_location(pointer: &Pointer) -> String {
    if pointer.is_root() { "the document".to_owned() } else { format!("`{pointer}`") }
}
