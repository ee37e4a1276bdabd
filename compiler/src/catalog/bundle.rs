//! Self-contained schemas: everything that references lead to is in one value, and every keyword keeps its place.

use std::collections::BTreeMap;

use serde_json::Value;
use tidegate_stdlib::shape::Shape;

use crate::source::Span;

/// A schema that refers to nothing outside itself.
#[derive(Debug, Clone, PartialEq)]
pub struct BundledSchema {
    /// The schema.
    pub value: Value,
    /// Where each keyword and each schema of `value` stands, by its JSON pointer in `value`: of a keyword, its name; of
    /// the root, the place of the whole schema.
    pub places: BTreeMap<String, Span>,
    /// What it says of every location.
    pub shape: Shape,
}

/// Bundles.
pub fn bundle_schema() {}
