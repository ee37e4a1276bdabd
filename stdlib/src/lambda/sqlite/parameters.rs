//! Names of parameters and the locations they bind.

use crate::bundle::Projection;
use crate::shape::Shape;
use crate::value::Pointer;

/// The parameters that a lambda over one source collection may use.
#[derive(Debug)]
pub struct Parameters {}

/// How a value is handed to SQLite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// By its JSON type.
    Plain,
    /// A string of `format: integer` as INTEGER.
    Integer,
    /// A string of `format: number` as REAL.
    Number,
    /// A base64 string as BLOB.
    Base64,
    /// The time of publication out of the document's UUID, as TEXT.
    PublishedAt,
    /// The whole document as TEXT.
    Document,
}

/// A resolved parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Binding {
    /// The field it stands for.
    pub field: String,
    /// The location of the field.
    pub pointer: Pointer,
    /// How its value is handed to SQLite.
    pub encoding: Encoding,
    /// What is bound when the location is missing; null when the schema gives no default.
    pub default: serde_json::Value,
}

/// A parameter that is no field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unresolved {
    /// Canonical parameter of the nearest field, at most a third of the length away.
    pub nearest: Option<String>,
}

impl Parameters {
    /// The parameters of a collection: its projections, and every other location its read schema may have.
    pub fn new(projections: &[Projection], read_shape: Shape) -> Self {
        let _ = (projections, read_shape);
        todo!("H2")
    }

    /// Resolves a parameter as written, with its first character (`$a$b`, `:a`, `$p::(a b)`).
    ///
    /// # Errors
    /// When it names neither a field nor a location.
    pub fn resolve(&self, parameter: &str) -> Result<Binding, Unresolved> {
        let _ = parameter;
        todo!("H2")
    }

    /// The canonical parameter of a field.
    pub fn canonical(field: &str) -> String {
        let _ = field;
        todo!("H2")
    }
}
