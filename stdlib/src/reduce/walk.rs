//! The walk of a reduction: it follows the right-hand document, and hands each location to its
//! strategy.

use std::borrow::Cow;

use serde_json::Value;

use super::plan::{NodeId, Plan};
use super::{Annotation, Mode, ReduceFailure};
use crate::value::{escape, quote};

/// What came of one location.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reached {
    Kept(Value),
    /// The location is to be removed; its last value.
    Deleted(Value),
}

/// Why a walk ended early.
#[derive(Debug)]
pub(super) enum Stop {
    /// The two values can only be reduced when a base is known.
    NotAssociative,
    Failure(Box<ReduceFailure>),
}

/// One reduction on its way through a document.
pub(super) struct Walk<'p> {
    plan: &'p Plan,
    pub(super) mode: Mode,
    /// The location, as steps from the root.
    path: Vec<Step>,
}

enum Step {
    Property(String),
    Item(usize),
}

/// A location, and the nodes and the annotation that speak of it.
pub(super) struct Here<'p> {
    active: Cow<'p, [NodeId]>,
    pub(super) annotation: &'p Annotation,
}

impl<'p> Walk<'p> {
    pub(super) fn new(plan: &'p Plan, mode: Mode) -> Self {
        Self { plan, mode, path: Vec::new() }
    }

    /// Reduces the root.
    pub(super) fn root(&mut self, left: Option<Value>, right: Value) -> Result<Reached, Stop> {
        self.reduce(self.plan.root(), left, right)
    }

    /// Reduces a property of the value at `here`.
    pub(super) fn property(
        &mut self,
        here: &Here<'p>,
        name: &str,
        left: Option<Value>,
        right: Value,
    ) -> Result<Reached, Stop> {
        let candidates = self.plan.property(&here.active, name);
        if candidates.is_empty() {
            return Ok(Reached::Kept(right));
        }
        self.path.push(Step::Property(name.to_owned()));
        let reached = self.reduce(&candidates, left, right)?;
        self.path.pop();
        Ok(reached)
    }

    /// Reduces an item of the value at `here`; `index` is its place on the right side.
    pub(super) fn item(
        &mut self,
        here: &Here<'p>,
        index: usize,
        left: Option<Value>,
        right: Value,
    ) -> Result<Reached, Stop> {
        let candidates = self.plan.item(&here.active, index);
        if candidates.is_empty() {
            return Ok(Reached::Kept(right));
        }
        self.path.push(Step::Item(index));
        let reached = self.reduce(&candidates, left, right)?;
        self.path.pop();
        Ok(reached)
    }

    /// Goes into a property whose own annotation does not matter, to reduce what is in it.
    pub(super) fn enter(&mut self, here: &Here<'p>, name: &str, value: &Value) -> Here<'p> {
        let candidates = self.plan.property(&here.active, name);
        self.path.push(Step::Property(name.to_owned()));
        Here { active: self.plan.activate(&candidates, value), annotation: here.annotation }
    }

    /// Leaves a property that was entered.
    pub(super) fn leave(&mut self) {
        self.path.pop();
    }

    /// The failure of the strategy at `here`.
    pub(super) fn failure(&self, here: &Here<'_>, message: String) -> Stop {
        Stop::Failure(Box::new(ReduceFailure {
            pointer: self.pointer(),
            message,
            annotations: vec![here.annotation.origin.clone()],
        }))
    }

    /// The failure of a strategy that does not take such a value.
    pub(super) fn wrong_type(
        &self,
        here: &Here<'_>,
        wants: &str,
        left: Option<&Value>,
        right: &Value,
    ) -> Stop {
        let strategy = here.annotation.strategy.name;
        let found = match left {
            Some(left) => format!("{} and {}", quote(left), quote(right)),
            None => quote(right),
        };
        self.failure(here, format!("`{strategy}` wants {wants}, found {found}"))
    }

    fn reduce(
        &mut self,
        candidates: &[NodeId],
        left: Option<Value>,
        right: Value,
    ) -> Result<Reached, Stop> {
        if candidates.is_empty() {
            return Ok(Reached::Kept(right));
        }
        let active = self.plan.activate(candidates, &right);
        let mut annotations = self.plan.annotations(&active);
        // Where nothing is said, the last write wins.
        let Some(annotation) = annotations.next() else { return Ok(Reached::Kept(right)) };
        if let Some(other) = annotations.find(|other| !other.agrees_with(annotation)) {
            return Err(self.conflict(annotation, other));
        }
        drop(annotations);
        let reduce = annotation.strategy.reduce;
        reduce(self, &Here { active, annotation }, left, right)
    }

    fn conflict(&self, first: &Annotation, second: &Annotation) -> Stop {
        Stop::Failure(Box::new(ReduceFailure {
            pointer: self.pointer(),
            message: format!(
                "the strategies `{}` and `{}` conflict",
                first.strategy.name, second.strategy.name
            ),
            annotations: vec![first.origin.clone(), second.origin.clone()],
        }))
    }

    fn pointer(&self) -> String {
        self.path
            .iter()
            .map(|step| match step {
                Step::Property(name) => format!("/{}", escape(name)),
                Step::Item(index) => format!("/{index}"),
            })
            .collect()
    }
}
