//! Reductions: how two documents of one key become one.
//!
//! One file per strategy. [`Reducer`] is made from a bundled schema and walks the right-hand
//! document with the annotations of the branches that are active for it; [`Fold`] keeps documents
//! by packed key in memory.
//!
//! A new strategy is a file with its name, settings and laws, and a line in the list below.

mod annotation;
mod append;
mod extreme;
mod first_write_wins;
mod fold;
mod json_schema_merge;
mod last_write_wins;
mod merge;
mod plan;
mod set;
mod sum;
mod walk;

use std::cmp::Ordering;

use serde_json::Value;

use annotation::Annotation;
pub use fold::{Fold, Group};
use plan::Plan;
use walk::{Here, Reached, Stop, Walk};

use crate::schema::{NormalForm, SchemaFailure};
use crate::value::{Pointer, compare};

/// All strategies.
pub const STRATEGIES: &[&Strategy] = &[
    &append::STRATEGY,
    &first_write_wins::STRATEGY,
    &json_schema_merge::STRATEGY,
    &last_write_wins::STRATEGY,
    &extreme::MAXIMIZE,
    &extreme::MINIMIZE,
    &merge::STRATEGY,
    &set::STRATEGY,
    &sum::STRATEGY,
];

/// One way to reduce two values.
#[derive(Debug)]
pub struct Strategy {
    /// The name that annotations give in `strategy`.
    pub name: &'static str,
    /// What it does, for people.
    pub docs: &'static str,
    /// What an annotation may set beside the name.
    pub settings: &'static [Setting],
    /// The laws that hold for values without conflicts, in associative mode.
    pub laws: &'static [Law],
    reduce: Reduce,
}

type Reduce = for<'p> fn(
    &mut Walk<'p>,
    &Here<'p>,
    left: Option<Value>,
    right: Value,
) -> Result<Reached, Stop>;

/// A setting of an annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// `associative: false`: unequal values wait for their base.
    Associative,
    /// `delete: true`: the location is removed.
    Delete,
    /// `key`: JSON pointers that order values.
    Key,
}

impl Setting {
    /// The name of the field.
    pub fn name(self) -> &'static str {
        match self {
            Self::Associative => "associative",
            Self::Delete => "delete",
            Self::Key => "key",
        }
    }
}

/// A law of a strategy, for values that it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// (a · b) · c = a · (b · c). Sums of fractions keep it up to rounding.
    Associative,
    /// a · b = b · a.
    Commutative,
    /// a · a = a.
    Idempotent,
}

/// Whether the left side is the true beginning of the key's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The left side is the base document: deletions and clean-up happen.
    Full,
    /// The left side may later be reduced into something further left: terms of the reduction are
    /// kept.
    Associative,
}

/// The outcome of one reduction.
#[derive(Debug, Clone, PartialEq)]
pub enum Reduced {
    /// The reduced document.
    Document(Value),
    /// The document is deleted (full mode only); the value is the last form, for endpoints that
    /// need it.
    Deleted(Value),
    /// The two cannot be reduced without a base: both are kept, in order.
    NotAssociative(Value, Value),
}

/// Why two values could not be reduced.
#[derive(Debug, Clone, PartialEq)]
pub struct ReduceFailure {
    /// JSON pointer of the location in the right-hand document.
    pub pointer: String,
    /// What is wrong, in lower case and without a full stop; names the strategy and both values.
    pub message: String,
    /// JSON pointers, in the bundled schema, of the annotations that take part (two when they
    /// conflict).
    pub annotations: Vec<String>,
}

/// The reduction of one schema.
#[derive(Debug)]
pub struct Reducer {
    plan: Plan,
}

impl Reducer {
    /// Compiles the `reduce` annotations of a bundled schema.
    ///
    /// # Errors
    /// The first fault of the schema, such as a malformed annotation: its JSON pointer and what is
    /// wrong.
    pub fn new(schema: &Value) -> Result<Self, SchemaFailure> {
        Self::of(&NormalForm::new(schema))
    }

    /// Compiles the `reduce` annotations of a schema that was rewritten before.
    ///
    /// # Errors
    /// The first fault of the schema.
    pub fn of(normal: &NormalForm) -> Result<Self, SchemaFailure> {
        match normal.faults().first() {
            Some(fault) => Err(fault.clone()),
            None => Ok(Self { plan: Plan::new(normal) }),
        }
    }

    /// Reduces `right` into `left`. Without `left` (a lone document), terms of the right side are
    /// applied to nothing.
    ///
    /// A left document whose own annotation deletes is dropped in full mode, and keeps the right
    /// one apart in associative mode.
    ///
    /// # Errors
    /// Values that the active strategy cannot reduce, or strategies that conflict.
    pub fn reduce(
        &self,
        left: Option<Value>,
        right: Value,
        mode: Mode,
    ) -> Result<Reduced, ReduceFailure> {
        let left = match (left, mode) {
            (Some(left), Mode::Associative) if self.plan.deletes(&left) => {
                return Ok(Reduced::NotAssociative(left, right));
            }
            (Some(left), Mode::Full) if self.plan.deletes(&left) => None,
            (left, _) => left,
        };
        let copies = match (&left, mode) {
            (Some(left), Mode::Associative) if self.may_block(left, &right) => {
                Some((left.clone(), right.clone()))
            }
            _ => None,
        };
        match Walk::new(&self.plan, mode).root(left, right) {
            Ok(Reached::Kept(document)) => Ok(Reduced::Document(document)),
            Ok(Reached::Deleted(document)) => Ok(Reduced::Deleted(document)),
            Err(Stop::Failure(failure)) => Err(*failure),
            Err(Stop::NotAssociative) => {
                let (left, right) = copies.expect("only values that may block do");
                Ok(Reduced::NotAssociative(left, right))
            }
        }
    }

    /// Whether two documents may turn out not to reduce without a base, so that they must be kept.
    fn may_block(&self, left: &Value, right: &Value) -> bool {
        self.plan.may_block_inside || std::mem::discriminant(left) != std::mem::discriminant(right)
    }
}

/// Checks the value of a `reduce` keyword; the pointer of a failure starts at the annotation.
pub(crate) fn check_annotation(value: &Value) -> Result<(), SchemaFailure> {
    Annotation::parse(value, String::new).map(drop)
}

/// The order of two values by the key pointers of a `minimize`, `maximize`, `merge` or `set`
/// annotation; a missing value comes before null.
pub(crate) fn compare_by(key: &[Pointer], left: &Value, right: &Value) -> Ordering {
    key.iter()
        .map(|pointer| match (pointer.query(left), pointer.query(right)) {
            (Some(left), Some(right)) => compare(left, right),
            (left, right) => left.is_some().cmp(&right.is_some()),
        })
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;
