//! Names of parameters and the locations they bind.

use std::sync::Arc;

use serde_json::Value;

use crate::bundle::{
    FLOW_DOCUMENT, FLOW_PUBLISHED_AT, PUBLISHED_AT_POINTER, Projection, UUID_POINTER,
};
use crate::shape::{Exists, Shape};
use crate::value::Pointer;

/// The parameters that a lambda over one source collection may use.
#[derive(Debug)]
pub struct Parameters<'p> {
    projections: Vec<&'p Projection>,
    read_shape: Arc<Shape>,
}

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
    pub default: Value,
}

/// A parameter that is no field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unresolved {
    /// Canonical parameter of the nearest field, at most a third of the length away.
    pub nearest: Option<String>,
}

impl<'p> Parameters<'p> {
    /// The parameters of a collection: its projections, and every other location its read schema
    /// may have.
    ///
    /// A projection whose pointer is none binds nothing.
    pub fn new(
        projections: impl IntoIterator<Item = &'p Projection>,
        read_shape: impl Into<Arc<Shape>>,
    ) -> Self {
        let projections = projections.into_iter().collect();
        Self { projections, read_shape: read_shape.into() }
    }

    /// Resolves a parameter as written, with its first character (`$a$b`, `:a`, `$p::(a b)`).
    ///
    /// # Errors
    /// When it names neither a field nor a location.
    pub fn resolve(&self, parameter: &str) -> Result<Binding, Unresolved> {
        let written = Written::parse(parameter);
        let binding = |is_meant: &dyn Fn(&str) -> bool| {
            let mut meant = self.projections.iter().filter(|it| is_meant(&it.field));
            meant.find_map(|projection| Binding::of_projection(projection))
        };
        let exact = binding(&|field| field == written.field);
        if let Some(binding) = exact.or_else(|| binding(&|field| written.stands_for(field))) {
            return Ok(binding);
        }
        self.locate(&written.field)
            .ok_or_else(|| Unresolved { nearest: self.nearest(&written.field) })
    }

    /// The canonical parameter of a field.
    pub fn canonical(field: &str) -> String {
        let is_simple = |character: char| {
            character.is_alphanumeric()
                || character.is_whitespace()
                || matches!(character, '_' | '-' | '/')
        };
        if !field.chars().all(is_simple) {
            let field: String = field.chars().map(without_blank).collect();
            return format!("$p::({field})");
        }
        let plain = |character| match without_blank(character) {
            '-' => '_',
            '/' => '$',
            other => other,
        };
        std::iter::once('$').chain(field.chars().map(plain)).collect()
    }

    /// The location of a text as a pointer, when the read schema speaks of it.
    fn locate(&self, field: &str) -> Option<Binding> {
        let pointer = Pointer::parse(&format!("/{field}")).ok()?;
        let (shape, exists) = self.read_shape.locate(&pointer);
        match exists {
            Exists::Must | Exists::May => {}
            Exists::Implicit | Exists::Cannot => return None,
        }
        let format = shape.string.format.as_deref();
        let encoding = Encoding::of(format, shape.string.content_encoding.as_deref());
        let default = shape.default.unwrap_or(Value::Null);
        Some(Binding { field: pointer.field(), pointer, encoding, default })
    }

    fn nearest(&self, field: &str) -> Option<String> {
        let limit = (field.chars().count() / 3).max(1);
        let bound = self.projections.iter().filter(|it| Binding::of_projection(it).is_some());
        bound
            .map(|projection| (strsim::osa_distance(field, &projection.field), &projection.field))
            .filter(|(distance, _)| *distance <= limit)
            .min()
            .map(|(_, field)| Self::canonical(field))
    }
}

impl Binding {
    fn of_projection(projection: &Projection) -> Option<Self> {
        let format = projection.format.as_deref();
        let content_encoding = projection.content_encoding.as_deref();
        let is_published_at = projection.pointer == PUBLISHED_AT_POINTER
            || projection.pointer == UUID_POINTER
                && (projection.field == FLOW_PUBLISHED_AT || format == Some("date-time"));
        let (pointer, encoding) = if is_published_at {
            (UUID_POINTER, Encoding::PublishedAt)
        } else if projection.pointer.is_empty() || projection.field == FLOW_DOCUMENT {
            ("", Encoding::Document)
        } else {
            (projection.pointer.as_str(), Encoding::of(format, content_encoding))
        };
        Some(Self {
            field: projection.field.clone(),
            pointer: Pointer::parse(pointer).ok()?,
            encoding,
            default: projection.default.clone().unwrap_or(Value::Null),
        })
    }
}

impl Encoding {
    /// How a string with these annotations is handed over.
    fn of(format: Option<&str>, content_encoding: Option<&str>) -> Self {
        match (format, content_encoding) {
            (Some("integer"), _) => Self::Integer,
            (Some("number"), _) => Self::Number,
            (_, Some("base64")) => Self::Base64,
            _ => Self::Plain,
        }
    }
}

/// The field that a parameter asks for.
struct Written {
    field: String,
    /// Whether the field stands in parentheses, where a hyphen can be written.
    is_explicit: bool,
}

impl Written {
    fn parse(parameter: &str) -> Self {
        let mut characters = parameter.chars();
        characters.next();
        let name = characters.as_str();
        let explicit = name.strip_prefix("p::(").and_then(|name| name.strip_suffix(')'));
        match explicit {
            Some(field) => Self { field: field.to_owned(), is_explicit: true },
            None => Self { field: name.replace('$', "/"), is_explicit: false },
        }
    }

    /// Whether the text is this field, with `_` for what cannot be written in a parameter.
    fn stands_for(&self, field: &str) -> bool {
        let mut written = self.field.chars();
        let is_same = field.chars().all(|character| {
            let is_written_as_underscore =
                character.is_whitespace() || character == '-' && !self.is_explicit;
            match written.next() {
                Some('_') => character == '_' || is_written_as_underscore,
                other => other == Some(character),
            }
        });
        is_same && written.next().is_none()
    }
}

fn without_blank(character: char) -> char {
    if character.is_whitespace() { '_' } else { character }
}
