//! The walk of a reduction: it follows the right-hand document, and hands each location to its
//! strategy.

use std::borrow::Cow;

use super::plan::{NodeId, Plan};
use super::{Annotation, Mode, ReduceFailure};
use crate::document::{Builder, Node, View};
use crate::value::{self, escape};

/// What came of one location; its value has been built either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached {
    Kept,
    /// The location is to be removed; what was built is its last value.
    Deleted,
}

/// Why a walk ended early; what was built by then is of no use.
#[derive(Debug)]
pub(super) enum Stop {
    /// The two values can only be reduced when a base is known.
    NotAssociative,
    /// The pointer of the failure begins where the walk is.
    Failure(Box<ReduceFailure>),
}

/// One reduction on its way through a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Walk<'p> {
    pub(super) plan: &'p Plan,
    pub(super) mode: Mode,
}

/// The nodes and the annotation that speak of a location.
pub(super) struct Here<'p> {
    active: Cow<'p, [NodeId]>,
    pub(super) annotation: &'p Annotation,
}

impl<'p> Walk<'p> {
    /// Reduces the root.
    pub(super) fn root(
        self,
        left: Option<Node<'_>>,
        right: Node<'_>,
        out: &mut Builder,
    ) -> Result<Reached, Stop> {
        self.reduce(self.plan.root(), left, right, out)
    }

    /// Reduces a property of the value at `here`.
    pub(super) fn property(
        self,
        here: &Here<'p>,
        name: &str,
        left: Option<Node<'_>>,
        right: Node<'_>,
        out: &mut Builder,
    ) -> Result<Reached, Stop> {
        let candidates = self.plan.property(&here.active, name);
        self.reduce(&candidates, left, right, out)
            .map_err(|stop| stop.inside(|| format!("/{}", escape(name))))
    }

    /// Reduces an item of the value at `here`; `index` is its place on the right side.
    pub(super) fn item(
        self,
        here: &Here<'p>,
        index: usize,
        left: Option<Node<'_>>,
        right: Node<'_>,
        out: &mut Builder,
    ) -> Result<Reached, Stop> {
        let candidates = self.plan.item(&here.active, index);
        self.reduce(&candidates, left, right, out)
            .map_err(|stop| stop.inside(|| format!("/{index}")))
    }

    /// Goes into a property whose own annotation does not matter, to reduce what is in it.
    pub(super) fn enter(
        self,
        here: &Here<'p>,
        name: &str,
        value: Node<'_>,
        reduce: impl FnOnce(&Here<'p>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let candidates = self.plan.property(&here.active, name);
        let active = Cow::Owned(self.plan.activate(&candidates, value).into_owned());
        reduce(&Here { active, annotation: here.annotation })
            .map_err(|stop| stop.inside(|| format!("/{}", escape(name))))
    }

    /// The failure of the strategy at `here`.
    pub(super) fn failure(self, here: &Here<'_>, message: String) -> Stop {
        Stop::Failure(Box::new(ReduceFailure {
            pointer: String::new(),
            message,
            annotations: vec![here.annotation.origin.clone()],
        }))
    }

    /// The failure of a strategy that does not take such a value.
    pub(super) fn wrong_type(
        self,
        here: &Here<'_>,
        wants: &str,
        left: Option<Node<'_>>,
        right: Node<'_>,
    ) -> Stop {
        let strategy = here.annotation.strategy.name;
        let found = match left {
            Some(left) => format!("{} and {}", quote(left), quote(right)),
            None => quote(right),
        };
        self.failure(here, format!("`{strategy}` wants {wants}, found {found}"))
    }

    fn reduce(
        self,
        candidates: &[NodeId],
        left: Option<Node<'_>>,
        right: Node<'_>,
        out: &mut Builder,
    ) -> Result<Reached, Stop> {
        if candidates.is_empty() {
            out.copy(right);
            return Ok(Reached::Kept);
        }
        let active = self.plan.activate(candidates, right);
        let mut annotations = self.plan.annotations(&active);
        // Where nothing is said, the last write wins.
        let Some(annotation) = annotations.next() else {
            out.copy(right);
            return Ok(Reached::Kept);
        };
        if let Some(other) = annotations.find(|other| !other.agrees_with(annotation)) {
            return Err(conflict(annotation, other));
        }
        drop(annotations);
        let active = Cow::Owned(active.into_owned());
        (annotation.strategy.reduce)(self, &Here { active, annotation }, left, right, out)
    }
}

impl Stop {
    /// The same, seen from one step further out.
    fn inside(self, step: impl FnOnce() -> String) -> Self {
        match self {
            Self::NotAssociative => self,
            Self::Failure(mut failure) => {
                failure.pointer.insert_str(0, &step());
                Self::Failure(failure)
            }
        }
    }
}

fn conflict(first: &Annotation, second: &Annotation) -> Stop {
    Stop::Failure(Box::new(ReduceFailure {
        pointer: String::new(),
        message: format!(
            "the strategies `{}` and `{}` conflict",
            first.strategy.name, second.strategy.name
        ),
        annotations: vec![first.origin.clone(), second.origin.clone()],
    }))
}

/// A value as a message quotes it: in full when it is short.
pub(super) fn quote(node: Node<'_>) -> String {
    match node.view() {
        View::Array(items) if items.len() > 0 => "an array".to_owned(),
        View::Object(properties) if properties.len() > 0 => "an object".to_owned(),
        _ => value::quote(&node.to_value()),
    }
}
