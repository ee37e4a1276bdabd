//! The walk of a reduction: it follows the right-hand document, and hands each location to its
//! strategy.

use std::borrow::Cow;

use super::{Annotation, Mode, ReduceFailure};
use crate::annotation::{Plan, Speakers, Speaking, Verdict};
use crate::document::{Builder, Name, Node, View};
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
    pub(super) plan: &'p Plan<Annotation>,
    pub(super) mode: Mode,
}

/// Who speaks of a location, and the annotation that all agree upon.
pub(super) struct Here<'p> {
    speaking: Speaking<'p>,
    pub(super) annotation: &'p Annotation,
}

/// The properties of one object, asked for in ascending order of their names.
pub(super) struct Names<'h, 'p> {
    here: &'h Here<'p>,
    /// How many of the names that the site knows were passed.
    passed: usize,
}

impl<'p> Here<'p> {
    /// The properties of the object at this location.
    pub(super) fn names(&self) -> Names<'_, 'p> {
        Names { here: self, passed: 0 }
    }
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

    /// Reduces the next property of an object.
    #[inline]
    pub(super) fn property(
        self,
        names: &mut Names<'_, 'p>,
        name: Name<'_>,
        left: Option<Node<'_>>,
        right: Node<'_>,
        out: &mut Builder,
    ) -> Result<Reached, Stop> {
        let speakers = match &names.here.speaking {
            Speaking::Site(site) => site.next_property(self.plan, name, &mut names.passed),
            rules @ Speaking::Rules(_) => Cow::Owned(self.plan.property(rules, name.as_str())),
        };
        self.reduce(&speakers, left, right, out)
            .map_err(|stop| stop.inside(|| format!("/{}", escape(name.as_str()))))
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
        let speakers = self.plan.item(&here.speaking, index);
        self.reduce(&speakers, left, right, out).map_err(|stop| stop.inside(|| format!("/{index}")))
    }

    /// Goes into a property whose own annotation does not matter, to reduce what is in it.
    pub(super) fn enter(
        self,
        here: &Here<'p>,
        name: &str,
        value: Node<'_>,
        reduce: impl FnOnce(&Here<'p>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let speakers = self.plan.property(&here.speaking, name);
        let speaking = self.plan.resolve(&speakers, value);
        let speaking = speaking.unwrap_or(Speaking::Rules(Vec::new()));
        reduce(&Here { speaking, annotation: here.annotation })
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

    #[inline]
    fn reduce(
        self,
        speakers: &Speakers,
        left: Option<Node<'_>>,
        right: Node<'_>,
        out: &mut Builder,
    ) -> Result<Reached, Stop> {
        // Where nothing is said, the last write wins: so it is at most places, and most of them are
        // known beforehand.
        if self.plan.is_silent(speakers) {
            out.copy(right);
            return Ok(Reached::Kept);
        }
        let Some(speaking) = self.plan.resolve(speakers, right) else {
            out.copy(right);
            return Ok(Reached::Kept);
        };
        let annotation = match self.plan.verdict(&speaking) {
            Verdict::Annotation(annotation) => annotation,
            Verdict::Nothing => {
                out.copy(right);
                return Ok(Reached::Kept);
            }
            Verdict::Conflict(first, second) => return Err(conflict(first, second)),
        };
        (annotation.strategy.reduce)(self, &Here { speaking, annotation }, left, right, out)
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
        View::Null
        | View::Boolean(_)
        | View::Number(_)
        | View::String(_)
        | View::Array(_)
        | View::Object(_) => value::quote(&node.to_value()),
    }
}
