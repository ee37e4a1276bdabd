//! Ways from the root of a shape to its parts, also to those without a name of their own.

use std::fmt;

use crate::value::{Pointer, Token, escape};

/// One step into a shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// To a named property or an item by its index.
    Token(Token),
    /// To the properties whose names match a pattern.
    Pattern(String),
    /// To the items that no index names.
    Items,
    /// To the properties that nothing names.
    Others,
}

/// The steps from the root to a part of a shape. It is written like a JSON pointer, with `*` for what has no name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path {
    pub(super) steps: Vec<Step>,
}

impl Path {
    /// The steps from the root.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether it leads nowhere but to the root.
    pub fn is_root(&self) -> bool {
        self.steps.is_empty()
    }

    /// The same as a pointer, if everything on the way has a name.
    pub fn pointer(&self) -> Option<Pointer> {
        self.steps.iter().try_fold(Pointer::default(), |pointer, step| match step {
            Step::Token(token) => Some(pointer.child(token.clone())),
            Step::Pattern(_) | Step::Items | Step::Others => None,
        })
    }

    /// The path to what is around.
    pub fn around(&self) -> Self {
        let mut steps = self.steps.clone();
        steps.pop();
        Self { steps }
    }
}

impl From<&Pointer> for Path {
    fn from(pointer: &Pointer) -> Self {
        Self { steps: pointer.tokens().iter().cloned().map(Step::Token).collect() }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|step| match step {
            Step::Token(token) => write!(formatter, "/{}", escape(&token.property())),
            Step::Pattern(pattern) => write!(formatter, "/{}", escape(pattern)),
            Step::Items | Step::Others => formatter.write_str("/*"),
        })
    }
}
