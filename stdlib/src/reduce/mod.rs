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
mod held;
mod json_schema_merge;
mod last_write_wins;
mod merge;
mod set;
mod sum;
mod walk;

use std::cmp::Ordering;

use serde_json::Value;

use annotation::Annotation;
pub use fold::{FETCHED_KEYS, Fold, Group};
pub use held::{Held, Lone, Outcome, Scratch};
use walk::{Here, Reached, Stop, Walk};

use crate::annotation::{Annotation as _, Plan};
use crate::document::{Builder, Mark, Node, compare, write_text};
use crate::limits::DOCUMENT_SIZE_BYTES_MAX;
use crate::schema::{NormalForm, SchemaFailure};
use crate::value::Pointer;

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

/// Adds exactly one value to what is built; what was built before an error is forgotten.
type Reduce = fn(
    Walk<'_>,
    &Here<'_>,
    left: Option<Node<'_>>,
    right: Node<'_>,
    &mut Builder,
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

/// What came of one reduction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduced {
    /// The reduced document was built.
    Document,
    /// The document is deleted (full mode only); its last form was built, for endpoints that need
    /// it.
    Deleted,
    /// The two cannot be reduced without a base: both are to be kept, in order. Nothing was built.
    NotAssociative,
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
    plan: Plan<Annotation>,
    /// Whether an annotation of the root may delete the document.
    may_delete_root: bool,
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
            None => {
                let plan = Plan::<Annotation>::new(normal)?;
                let may_delete_root = plan.at_root().any(|annotation| annotation.delete);
                Ok(Self { plan, may_delete_root })
            }
        }
    }

    /// Reduces `right` into `left` and adds the result to what `out` builds. Without `left` (a lone
    /// document), terms of the right side are applied to nothing.
    ///
    /// A left document whose own annotation deletes is dropped in full mode, and keeps the right
    /// one apart in associative mode.
    ///
    /// # Errors
    /// Values that the active strategy cannot reduce, strategies that conflict, and a result that
    /// is larger than documents may be. Nothing was built then.
    pub fn reduce(
        &self,
        left: Option<Node<'_>>,
        right: Node<'_>,
        mode: Mode,
        out: &mut Builder,
    ) -> Result<Reduced, ReduceFailure> {
        let left = match (left, mode) {
            (Some(left), Mode::Associative) if self.deletes(left) => {
                return Ok(Reduced::NotAssociative);
            }
            (Some(left), Mode::Full) if self.deletes(left) => None,
            (left, _) => left,
        };
        let before = out.mark();
        let walked = Walk { plan: &self.plan, mode }.root(left, right, out);
        let reached = walked.and_then(|reached| {
            if is_small(out, &before) {
                Ok(reached)
            } else {
                Err(Stop::Failure(Box::new(too_large())))
            }
        });
        match reached {
            Ok(Reached::Kept) => Ok(Reduced::Document),
            Ok(Reached::Deleted) => Ok(Reduced::Deleted),
            Err(stop) => {
                out.rewind(before);
                match stop {
                    Stop::NotAssociative => Ok(Reduced::NotAssociative),
                    Stop::Failure(failure) => Err(*failure),
                }
            }
        }
    }

    /// Whether `document` by its own annotation deletes what is before it.
    fn deletes(&self, document: Node<'_>) -> bool {
        self.may_delete_root
            && self.plan.resolve(self.plan.root(), document).is_some_and(|speaking| {
                self.plan.annotations(speaking.rules()).any(|annotation| annotation.delete)
            })
    }
}

fn too_large() -> ReduceFailure {
    let limit = DOCUMENT_SIZE_BYTES_MAX / 1024 / 1024;
    ReduceFailure {
        pointer: String::new(),
        message: format!("the reduced document is larger than {limit} MiB"),
        annotations: Vec::new(),
    }
}

/// Whether the text of what was built is as short as texts of documents must be.
fn is_small(out: &Builder, mark: &Mark) -> bool {
    out.text_bytes_max(mark) <= DOCUMENT_SIZE_BYTES_MAX || {
        let mut text = Vec::new();
        write_text(out.since(mark), &mut text);
        text.len() <= DOCUMENT_SIZE_BYTES_MAX
    }
}

/// Checks the value of a `reduce` keyword; the pointer of a failure starts at the annotation.
pub(crate) fn check_annotation(value: &Value) -> Result<(), SchemaFailure> {
    Annotation::parse(value, String::new).map(drop)
}

/// The order of two values by the key pointers of a `minimize`, `maximize`, `merge` or `set`
/// annotation; a missing value comes before null.
pub(crate) fn compare_by(key: &[Pointer], left: Node<'_>, right: Node<'_>) -> Ordering {
    key.iter()
        .map(|pointer| match (left.query(pointer), right.query(pointer)) {
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
