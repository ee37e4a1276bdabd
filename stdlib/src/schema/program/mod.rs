//! Schemas as programs: flat tables of rules that are run over a document.
//!
//! A program is compiled from a normal form and has one entry for every schema that can be reached
//! from the root. Rules refer to other schemas by their index, so recursive schemas are no cycles of
//! pointers. What always applies to the same value (`$ref` and `allOf`) is resolved beforehand: the
//! types are one set, the rules one list without repetitions. The properties of a schema and those
//! of a document are sorted alike, so an object is checked in one walk over both.
//!
//! A run is bounded: it counts what it does, and a schema that multiplies its work without end
//! refuses the document instead of running on.

mod compile;
mod divisor;
mod evaluate;
mod modest;

use std::collections::BTreeMap;

use regex::Regex;

use super::bounds::NumericBound;
use super::formats::Format;
use crate::document::{Document, KnownName, Node, Number};
use crate::shape::Types;
pub(super) use divisor::DecimalDivisor;
use divisor::Divisor;

/// A compiled normal form.
#[derive(Debug)]
pub(crate) struct Program {
    /// What to check of a value, by schema.
    slots: Vec<Slot>,
    /// The rules of each schema itself.
    rules: Vec<Rules>,
    /// The schemas whose rules apply to the same value, as the slots refer to them.
    order: Vec<SchemaId>,
    /// The schemas by their places in the normal form.
    places: BTreeMap<String, SchemaId>,
    is_modest: bool,
}

/// A schema of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SchemaId(u32);

impl Program {
    /// Whether the root schema admits `node`.
    pub(crate) fn is_valid(&self, node: Node<'_>) -> bool {
        self.admits(SchemaId(0), node)
    }

    /// The schema at a place of the normal form: a JSON pointer. `None` where no schema is, or one
    /// that nothing in the whole refers to.
    pub(crate) fn schema_at(&self, place: &str) -> Option<SchemaId> {
        self.places.get(place).copied()
    }

    /// Whether a schema of this program admits `node`.
    pub(crate) fn admits(&self, schema: SchemaId, node: Node<'_>) -> bool {
        self.decide(schema, node) == Verdict::Valid
    }

    /// What a schema of this program says of `node`.
    pub(super) fn decide(&self, schema: SchemaId, node: Node<'_>) -> Verdict {
        evaluate::Run::new(self, node).decide(schema, node)
    }

    /// The places of the schemas, sorted.
    pub(super) fn places(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    /// Whether a validator that follows every reference each time it is met, and goes into schemas
    /// as deep as they lead, can be expected to cope.
    pub(super) fn is_modest(&self) -> bool {
        self.is_modest
    }
}

/// What came of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Valid,
    Invalid,
    /// The run was ended before it came to an end.
    Exhausted,
}

/// What a schema and all that always apply with it check of a value.
#[derive(Debug, Clone, Copy)]
struct Slot {
    types: Types,
    checks: Checks,
}

/// What is checked beside the type.
#[derive(Debug, Clone, Copy)]
enum Checks {
    Nothing,
    /// Numbers, if not values of other types, are within a range.
    Range {
        least: f64,
        most: f64,
    },
    /// Strings, if not values of other types, have a number of characters.
    Length {
        least: u32,
        most: u32,
    },
    /// The rules of one schema, which are about strings, numbers and values as a whole only.
    Scalar(SchemaId),
    /// The rules of one schema, which are about the number and the values of properties only.
    Object(SchemaId),
    /// The rules of one schema, which are about the number of items and all of them only.
    Array(SchemaId),
    /// The rules of schemas, a list in the order of the program.
    Schemas {
        start: u32,
        length: u32,
    },
}

/// The rules of one schema, but for its types.
#[derive(Debug, Default)]
struct Rules {
    numbers: Option<Box<NumberRules>>,
    strings: Option<Box<StringRules>>,
    arrays: Option<Box<ArrayRules>>,
    objects: Option<Box<ObjectRules>>,
    values: Box<[Values]>,
    branches: Box<[Branch]>,
    /// Schemas that always apply to the same value.
    in_place: Box<[SchemaId]>,
    /// Whether there is nothing to check but strings, numbers and values as a whole.
    is_scalar: bool,
}

#[derive(Debug, Default)]
struct NumberRules {
    limits: Box<[(Limit, Number)]>,
    /// The least and the greatest double within the limits, if these two tell as much.
    range: Option<(f64, f64)>,
    divisor: Option<Divisor>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limit {
    Minimum,
    ExclusiveMinimum,
    Maximum,
    ExclusiveMaximum,
}

#[derive(Debug, Default)]
struct StringRules {
    /// In characters.
    length: Count,
    pattern: Option<Regex>,
    format: Option<Format>,
    bounds: Box<[NumericBound]>,
}

#[derive(Debug, Default)]
struct ArrayRules {
    count: Count,
    prefix: Box<[SchemaId]>,
    items: Option<SchemaId>,
    contains: Option<(SchemaId, Count)>,
    has_unique_items: bool,
    unevaluated: Option<SchemaId>,
}

#[derive(Debug, Default)]
struct ObjectRules {
    count: Count,
    /// What is declared or required, sorted by name.
    properties: Box<[Property]>,
    patterns: Box<[(Regex, SchemaId)]>,
    additional: Option<SchemaId>,
    names: Option<SchemaId>,
    /// Names that others require, with these.
    dependent: Box<[(String, Box<[String]>)]>,
    unevaluated: Option<SchemaId>,
}

#[derive(Debug)]
struct Property {
    name: Box<str>,
    /// The same to be compared with names of documents, most of which have it where it is expected.
    known: KnownName,
    /// The first bytes of the name.
    head: u64,
    /// What its schema checks.
    slot: Slot,
    /// `None` when the property is only required.
    schema: Option<SchemaId>,
    is_required: bool,
    /// Whether patterns and additional properties say nothing of it.
    is_decisive: bool,
}

/// How many there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Count {
    minimum: u64,
    maximum: u64,
}

impl Default for Count {
    fn default() -> Self {
        Self { minimum: 0, maximum: u64::MAX }
    }
}

impl Count {
    fn admits(self, count: usize) -> bool {
        (self.minimum..=self.maximum).contains(&(count as u64))
    }
}

/// The values of a `const` or an `enum`.
#[derive(Debug)]
enum Values {
    /// Strings only, sorted, each with its first bytes.
    Strings(Box<[(Box<str>, u64)]>),
    /// Values of any type, in their order.
    Documents(Box<[Document]>),
}

/// What applies to the same value under a condition, or in another way than always.
#[derive(Debug)]
enum Branch {
    AnyOf(Box<[SchemaId]>),
    OneOf(Box<[SchemaId]>),
    Not(SchemaId),
    If {
        test: SchemaId,
        satisfied: Option<SchemaId>,
        otherwise: Option<SchemaId>,
    },
    /// When the value is an object that has the property.
    Dependent {
        name: String,
        schema: SchemaId,
    },
}

#[cfg(test)]
mod tests;
