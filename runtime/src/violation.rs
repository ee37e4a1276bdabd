//! Failures that the user's catalog explains: a document against its schema, a reduction, a lambda,
//! a migration.
//!
//! The engine, the combiner and catalog tests report them in one way: with the document, the
//! location in it, and the place in the sources of the keyword, annotation or SQL token.

use serde_json::Value;
use tidegate_stdlib::bundle::{
    Collection, Derivation, Failure, FailureKind, Origin, Script, Shuffle, Transform,
};
use tidegate_stdlib::lambda::sqlite::SqlFailure;
use tidegate_stdlib::lambda::typescript::ScriptFailure;
use tidegate_stdlib::redact::RedactFailure;
use tidegate_stdlib::reduce::ReduceFailure;
use tidegate_stdlib::schema::Violation;

/// Which schema of a collection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SchemaSide {
    /// The one that documents must satisfy when they are written.
    Write,
    /// The one that documents must satisfy when they are read.
    Read,
}

impl SchemaSide {
    /// How the schema is called; a collection with one schema has no sides.
    fn word(self, collection: &Collection) -> &'static str {
        match self {
            Self::Write | Self::Read if collection.read_schema.is_none() => "schema",
            Self::Write => "write schema",
            Self::Read => "read schema",
        }
    }

    /// The place of a keyword of the schema, or else of what is nearest around it.
    fn place(self, collection: &Collection, pointer: &str) -> Option<Origin> {
        let origins = match self {
            Self::Read if collection.read_schema.is_some() => &collection.read_schema_origins,
            Self::Write | Self::Read => &collection.write_schema_origins,
        };
        let mut pointer = pointer;
        loop {
            if let Some(origin) = origins.get(pointer) {
                return Some(origin.clone());
            }
            let Some((parent, _)) = pointer.rsplit_once('/') else {
                return Some(collection.origin.clone());
            };
            pointer = parent;
        }
    }
}

/// A document that violates a schema of its collection.
pub(crate) fn schema_failure(
    collection: &Collection,
    side: SchemaSide,
    violation: &Violation,
    document: &Value,
) -> Failure {
    let name = &collection.name;
    let schema = side.word(collection);
    let mut failure = Failure::new(FailureKind::DocumentViolatesSchema, violation.message.clone())
        .at(side.place(collection, &violation.schema_pointer))
        .document(document, Some(violation.instance_pointer.clone()))
        .collection(name)
        .note(format!("every document must satisfy the {schema} of `{name}`"))
        .help("change the document or the schema, then run the same command again");
    failure.keyword = Some(violation.keyword.clone());
    failure
}

/// Documents of one key that cannot be reduced; `document` is the right-hand one, where it is
/// known.
pub(crate) fn reduce_failure(
    collection: &Collection,
    side: SchemaSide,
    cause: &ReduceFailure,
    document: Option<&Value>,
) -> Failure {
    let mut annotations = cause.annotations.iter();
    let origin = match annotations.next() {
        Some(annotation) => side.place(collection, annotation),
        None => Some(collection.origin.clone()),
    };
    let mut failure = Failure::new(FailureKind::ReductionFailed, cause.message.clone())
        .at(origin)
        .collection(&collection.name);
    failure.pointer = Some(cause.pointer.clone());
    failure.document = document.cloned();
    for annotation in annotations {
        if let Some(other) = side.place(collection, annotation) {
            failure = failure.note(format!("another annotation takes part: {other}"));
        }
    }
    failure
}

/// A document that cannot be redacted. It is not shown, for it holds what is not to be published.
pub(crate) fn redact_failure(
    collection: &Collection,
    side: SchemaSide,
    cause: &RedactFailure,
) -> Failure {
    let places = cause.annotations.iter().filter_map(|pointer| side.place(collection, pointer));
    let mut places = places.collect::<Vec<_>>().into_iter();
    let origin = places.next().unwrap_or_else(|| collection.origin.clone());
    let mut failure = Failure::new(FailureKind::RedactionFailed, cause.message.clone())
        .at(Some(origin))
        .collection(&collection.name);
    failure.pointer = Some(cause.pointer.clone());
    for place in places {
        failure = failure.note(format!("another annotation takes part: {place}"));
    }
    failure
}

/// A lambda that failed on a document of its source.
pub(crate) fn lambda_failure(
    transform: &Transform,
    cause: &SqlFailure,
    document: &Value,
) -> Failure {
    let name = &transform.name;
    Failure::new(FailureKind::LambdaFailed, cause.message.clone())
        .at(Some(transform.lambda.place(cause.range.start, cause.range.end)))
        .document(document, None)
        .collection(&transform.source.collection)
        .note(format!("the lambda of transform `{name}` was invoked with this document"))
}

/// A lambda that could not be prepared.
pub(crate) fn lambda_refused(transform: &Transform, cause: &SqlFailure) -> Failure {
    Failure::new(FailureKind::LambdaFailed, cause.message.clone())
        .at(Some(transform.lambda.place(cause.range.start, cause.range.end)))
        .note(format!("the lambda of transform `{}` cannot be prepared", transform.name))
}

/// A shuffle lambda that failed on a document of its source, or made no key of it.
pub(crate) fn shuffle_failure(
    transform: &Transform,
    cause: &SqlFailure,
    document: &Value,
) -> Failure {
    let name = &transform.name;
    Failure::new(FailureKind::LambdaFailed, cause.message.clone())
        .at(shuffle_place(transform, cause))
        .document(document, None)
        .collection(&transform.source.collection)
        .note(format!("transform `{name}` is shuffled by what its lambda makes of this document"))
}

/// A shuffle lambda that could not be prepared.
pub(crate) fn shuffle_refused(transform: &Transform, cause: &SqlFailure) -> Failure {
    Failure::new(FailureKind::LambdaFailed, cause.message.clone())
        .at(shuffle_place(transform, cause))
        .note(format!("the shuffle of transform `{}` cannot be prepared", transform.name))
}

fn shuffle_place(transform: &Transform, cause: &SqlFailure) -> Option<Origin> {
    match &transform.shuffle {
        Shuffle::Lambda(shuffle) => Some(shuffle.lambda.place(cause.range.start, cause.range.end)),
        Shuffle::Any | Shuffle::Key(_) => Some(transform.origin.clone()),
    }
}

/// A module that failed: on a document of a transform's source, or at the end of a transaction.
pub(crate) fn script_failure(
    derivation: &Derivation,
    transform: Option<&Transform>,
    cause: &ScriptFailure,
    document: Option<&Value>,
) -> Failure {
    let mut failure = Failure::new(FailureKind::LambdaFailed, cause.message.clone())
        .at(cause.place.clone().or_else(|| module_place(derivation)));
    if let Some(document) = document {
        failure = failure.document(document, None);
    }
    for call in &cause.calls {
        failure = failure.note(format!("called at {call}"));
    }
    match transform {
        Some(transform) => failure.collection(&transform.source.collection).note(format!(
            "the method of transform `{}` was called with this document",
            transform.name
        )),
        None => failure,
    }
}

/// A module that could not be loaded.
pub(crate) fn script_refused(derivation: &Derivation, cause: &ScriptFailure) -> Failure {
    Failure::new(FailureKind::LambdaFailed, cause.message.clone())
        .at(cause.place.clone().or_else(|| module_place(derivation)))
        .note("the module of the derivation cannot be loaded")
}

/// The beginning of the module of a derivation.
fn module_place(derivation: &Derivation) -> Option<Origin> {
    let module = derivation.module.as_ref()?;
    let script = &module.files.get(&module.entry)?.script;
    let first = script.text.lines().next().map_or(0, str::len);
    Some(script.place(0, first))
}

/// A process that runs lambdas and fails, or says what is not expected.
pub(crate) fn process_failure(derivation: &Derivation, message: String) -> Failure {
    let command = derivation.process.as_ref().map(|process| process.command.join(" "));
    Failure::new(FailureKind::ProcessFailed, message)
        .at(Some(derivation.origin.clone()))
        .note(format!("the command is `{}`", command.unwrap_or_default()))
}

/// A program that runs a module and fails, or says what is not expected.
pub(crate) fn program_failure(derivation: &Derivation, program: &str, message: String) -> Failure {
    Failure::new(FailureKind::ProcessFailed, message)
        .at(module_place(derivation))
        .note(format!("the module is run by `{program}`"))
}

/// A migration that was refused or failed; `index` counts from 0.
pub(crate) fn migration_failure(migration: &Script, index: usize, cause: &SqlFailure) -> Failure {
    Failure::new(FailureKind::MigrationFailed, cause.message.clone())
        .at(Some(migration.place(cause.range.start, cause.range.end)))
        .note(format!("it is migration {index} of the derivation, counted from 0"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn at(line: u32) -> Origin {
        Origin { path: "flow.yaml".into(), line, column: 1, start: line * 10, end: line * 10 + 5 }
    }

    fn collection() -> Collection {
        Collection {
            name: "acme/a".into(),
            key: vec!["/id".into()],
            write_schema: json!({}),
            read_schema: Some(json!({})),
            projections: Vec::new(),
            fragments: tidegate_stdlib::bundle::Fragments::default(),
            reset: false,
            origin: at(1),
            write_schema_origins: BTreeMap::from([
                (String::new(), at(2)),
                ("/properties/x".to_owned(), at(3)),
            ]),
            read_schema_origins: BTreeMap::from([("/properties/x/minimum".to_owned(), at(9))]),
        }
    }

    fn violation() -> Violation {
        Violation {
            instance_pointer: "/x".into(),
            keyword: "minimum".into(),
            schema_pointer: "/properties/x/minimum".into(),
            message: "-1 is less than the minimum of 0".into(),
        }
    }

    #[test]
    fn a_violation_points_at_the_keyword() {
        let document = json!({"x": -1});
        let failure = schema_failure(&collection(), SchemaSide::Read, &violation(), &document);
        assert_eq!(failure.origin, Some(at(9)));
        assert_eq!(failure.pointer.as_deref(), Some("/x"));
        assert_eq!(failure.keyword.as_deref(), Some("minimum"));
        assert_eq!(failure.document, Some(document));
        assert_eq!(failure.notes, ["every document must satisfy the read schema of `acme/a`"]);
    }

    #[test]
    fn a_keyword_without_place_is_shown_at_what_is_around_it() {
        let mut collection = collection();
        let write = |collection: &Collection| {
            schema_failure(collection, SchemaSide::Write, &violation(), &json!({})).origin
        };
        assert_eq!(write(&collection), Some(at(3)));
        collection.write_schema_origins.remove("/properties/x");
        assert_eq!(write(&collection), Some(at(2)));
        collection.write_schema_origins.clear();
        assert_eq!(write(&collection), Some(at(1)));
    }

    #[test]
    fn one_schema_has_no_sides() {
        let mut collection = collection();
        collection.read_schema = None;
        let failure = schema_failure(&collection, SchemaSide::Read, &violation(), &json!({}));
        assert_eq!(failure.origin, Some(at(3)));
        assert_eq!(failure.notes, ["every document must satisfy the schema of `acme/a`"]);
    }
}
