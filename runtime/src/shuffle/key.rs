//! Shuffle keys that a lambda makes.
//!
//! A task has one shard, which gets every document, so the key chooses nothing yet; but it is made, and a lambda that makes none for
//! a document stops the task before that document has any effect.

use rusqlite::Connection;
use serde_json::Value;
use tidegate_stdlib::bundle::{
    Collection, Failure, FailureKind, Shuffle, ShuffleLambda, Transform,
};
use tidegate_stdlib::lambda::Invocation;
use tidegate_stdlib::lambda::sqlite::{Guard, KeyLambda, Parameters, SqlFailure, open_in_memory};
use tidegate_stdlib::shape::{Shape, Types};

use crate::violation::{shuffle_failure, shuffle_refused};

/// The key lambda of a transform, ready to run. It has a database of its own, which is empty.
#[derive(Debug)]
pub(crate) struct ShuffleKey {
    connection: Connection,
    guard: Guard,
    lambda: KeyLambda,
}

impl ShuffleKey {
    /// The key lambda of a transform that is shuffled by one.
    ///
    /// # Errors
    /// A lambda that is refused.
    pub(crate) fn open(
        transform: &Transform,
        source: &Collection,
    ) -> Result<Option<Self>, Failure> {
        let Shuffle::Lambda(ShuffleLambda { lambda, types }) = &transform.shuffle else {
            return Ok(None);
        };
        let types = types.iter().map(|names| {
            let types = Types::from_names(names.iter().map(String::as_str));
            types.ok_or_else(|| {
                let message = format!("`{}` is no type of a shuffle key", names.join("` or `"));
                Failure::new(FailureKind::Damaged, message)
            })
        });
        let types = types.collect::<Result<Vec<_>, _>>()?;
        let refused = |failure: &SqlFailure| shuffle_refused(transform, failure);
        let (connection, guard) = open_in_memory().map_err(|failure| refused(&failure))?;
        let shape = Shape::infer(source.effective_read_schema());
        let parameters = Parameters::new(&source.projections, shape);
        let lambda = KeyLambda::compile(&connection, &guard, &lambda.text, &parameters, types)
            .map_err(|failures| {
                refused(failures.first().expect("a lambda is refused for a reason"))
            })?;
        Ok(Some(Self { connection, guard, lambda }))
    }

    /// Makes the key of a document; `shown` gives the document for a failure.
    ///
    /// # Errors
    /// A lambda that fails, or makes no key.
    pub(crate) fn check(
        &self,
        transform: &Transform,
        invocation: Invocation<'_>,
        shown: impl FnOnce() -> Value,
    ) -> Result<(), Failure> {
        let Self { connection, guard, lambda } = self;
        let made = lambda.key(connection, guard, invocation);
        made.map(drop).map_err(|failure| shuffle_failure(transform, &failure, &shown()))
    }
}
