//! A module in the engine that the runtime uses: whether it can be loaded, and what it makes of documents that its sources
//! admit.
//!
//! Its methods are called with documents at the edges of what a source admits, and with some that are drawn from such
//! edges. So what is told has been seen, and is never a false alarm; that nothing was seen proves nothing. A method that
//! throws by its own will is not told: it refuses a document, and publishes nothing wrong.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tidegate_stdlib::bundle::{Module, Origin};
use tidegate_stdlib::document::Document;
use tidegate_stdlib::lambda::typescript::{
    Engine, Opening, ScriptFailure, ScriptFailureKind, method_name,
};
use tidegate_stdlib::lambda::{Invocation, Rows};
use tidegate_stdlib::schema::{Schema, Violation};

use super::super::checked::CheckedTransform;
use super::super::lambdas::TRIAL_UUID;
use super::super::refute::{self, Refutation, is_tame};
use super::super::witness;
use super::{Part, Subject};
use crate::diag::{Diagnostic, Sink, rules};
use crate::limits::{
    LAMBDA_DRAWS_MAX, LAMBDA_TRIAL_ROWS_MAX, LAMBDA_TRIAL_TICKS_MAX, LAMBDA_TRIALS_MAX,
};
use crate::source::{Range, Span};

/// What random numbers of trials are made of.
const SEED: u64 = 0;
/// Attempts to make a document smaller that shows a fault.
const SHRINKS_MAX: usize = 32;

/// A module to be tried.
pub(super) struct Trial<'t> {
    module: &'t Module,
    files: &'t BTreeMap<String, Part>,
    subject: Subject<'t>,
}

impl<'t> Trial<'t> {
    pub(super) fn new(
        module: &'t Module,
        files: &'t BTreeMap<String, Part>,
        subject: Subject<'t>,
    ) -> Self {
        Self { module, files, subject }
    }

    fn open(&self) -> Result<Engine, ScriptFailure> {
        let transforms = self.subject.transforms.iter().map(|each| each.name.as_str());
        let opening = Opening {
            module: self.module,
            transforms: transforms.collect(),
            state: &json!({}),
            seed: SEED,
        };
        let engine = Engine::open(&opening)?;
        engine.limit_ticks(LAMBDA_TRIAL_TICKS_MAX);
        Ok(engine)
    }

    /// Loads the module and makes an instance of its class; whether that can be done.
    pub(super) fn load(&self, sink: &mut Sink) -> bool {
        match self.open() {
            Ok(_) => true,
            Err(failure) => {
                sink.report(self.module_cannot_load(&failure));
                false
            }
        }
    }

    /// Looks for documents whose result the derived collection refuses. Of collections that are not sound nothing is said.
    pub(super) fn refute(&self, sink: &mut Sink) {
        let scope = self.subject.scope;
        let derived = scope.read(scope.catalog.id_of(self.subject.collection)).known;
        let Some(validators) = derived.validators.as_ref().filter(|_| derived.is_sound) else {
            return;
        };
        let schema = &derived.checked.write_schema.shape;
        // A schema that contradicts itself refuses whatever there is.
        if !schema.inspect().is_empty() {
            return;
        }
        let refusing = validators.write.schema();
        for (index, transform) in self.subject.transforms.iter().enumerate() {
            match self.try_out(index, transform, refusing) {
                Some(Seen::Refused(refutation)) => {
                    sink.report(self.lambda_output_mismatch(transform, &refutation));
                }
                Some(Seen::Failed { document, failure }) => {
                    sink.report(self.lambda_may_fail(transform, &document, &failure));
                }
                None => {}
            }
        }
    }

    /// What is worth telling of a method: a document that is refused, else one that makes it fail.
    fn try_out(
        &self,
        index: usize,
        transform: &CheckedTransform,
        refusing: &Schema,
    ) -> Option<Seen> {
        let read = self.subject.scope.read(transform.source.collection).known;
        let admitting = read.validators.as_ref().filter(|_| read.is_sound)?;
        let admitting = admitting.read.as_ref().unwrap_or(&admitting.write).schema();
        let shape = &read.checked.effective_read_schema().shape;
        let edges = witness::candidates_at(shape, &|_| true).into_iter().filter(is_tame);
        let drawn = witness::drawn(shape, LAMBDA_DRAWS_MAX).into_iter().filter(is_tame);
        let admitted = |document: &Value| admitting.is_valid(document);
        let edges = edges.filter(admitted).take(LAMBDA_TRIALS_MAX);
        let mut engine = self.open().ok()?;
        let mut failed = None;
        for document in edges.chain(drawn.filter(admitted)) {
            let outcome = refused(&engine, index, &document, refusing);
            if matches!(&outcome, Err(failure) if failure.kind == ScriptFailureKind::Steps) {
                break;
            }
            if outcome.is_err() {
                engine = self.open().ok()?;
            }
            if matches!(outcome, Ok(None)) || outcome.is_err() && failed.is_some() {
                continue;
            }
            // With the state that earlier documents left it may be another thing.
            match self.shrink(index, document, admitting, refusing) {
                Some(seen @ Seen::Refused(_)) => return Some(seen),
                seen => failed = failed.or(seen),
            }
        }
        failed
    }

    /// What a new instance makes of a document, and of the same with less in it, if that is worth telling.
    fn shrink(
        &self,
        index: usize,
        document: Value,
        admitting: &Schema,
        refusing: &Schema,
    ) -> Option<Seen> {
        let seen = |document: &Value| {
            let engine = self.open().ok()?;
            let document = document.clone();
            match refused(&engine, index, &document, refusing) {
                Ok(outcome) => outcome
                    .map(|(row, violation)| Seen::Refused(Refutation { document, row, violation })),
                Err(failure) => is_fault(&failure).then_some(Seen::Failed { document, failure }),
            }
        };
        let mut smallest = seen(&document)?;
        let names: Vec<String> = document.as_object()?.keys().cloned().collect();
        for name in names.iter().take(SHRINKS_MAX) {
            let mut smaller = smallest.document().clone();
            smaller.as_object_mut()?.remove(name);
            if admitting.is_valid(&smaller)
                && let Some(also) = seen(&smaller)
                && also.is_like(&smallest)
            {
                smallest = also;
            }
        }
        Some(smallest)
    }

    /// A place of the runtime as one of the catalog.
    fn span_of(&self, place: &Origin) -> Option<Span> {
        let part = self.files.get(&place.path)?;
        Some(Range::new(place.start, place.end).in_file(part.source.file))
    }

    /// The method of a transform, else the class.
    fn method_span(&self, method: &str) -> Option<Span> {
        let part = self.files.get(&self.module.entry)?;
        let class = part.module.class.as_ref()?;
        let member = class.members.iter().rfind(|member| member.name == method);
        Some(part.source.span(member.map_or(&class.name, |member| &member.range).clone()))
    }

    fn module_cannot_load(&self, failure: &ScriptFailure) -> Diagnostic {
        let thrown = failure.place.as_ref().and_then(|place| self.span_of(place));
        let span = thrown.or_else(|| self.method_span("constructor"));
        let span = span.unwrap_or_else(|| self.subject.collection.name_span());
        let message = format!("the module cannot be loaded: {}", failure.message);
        let diagnostic =
            Diagnostic::new(&rules::MODULE_CANNOT_LOAD, span, message).label(match thrown {
                Some(_) => "it is thrown here",
                None => "no instance of this class can be made",
            });
        let call = failure.calls.first().and_then(|call| self.span_of(call));
        diagnostic
            .also(call, "this calls it")
            .help("correct the module: it is loaded before there are documents")
    }

    fn lambda_may_fail(
        &self,
        transform: &CheckedTransform,
        document: &Value,
        failure: &ScriptFailure,
    ) -> Diagnostic {
        let source = self.subject.scope.read(transform.source.collection).declared;
        let method = self.method_span(&method_name(&transform.name)).unwrap_or(transform.span);
        let thrown = failure.place.as_ref().and_then(|place| self.span_of(place));
        let message = format!("the lambda fails on documents that `{}` admits", source.name());
        Diagnostic::new(&rules::LAMBDA_MAY_FAIL, thrown.unwrap_or(method), message)
            .label(failure.message.clone())
            .also(Some(method).filter(|_| thrown.is_some()), "this was called")
            .note(format!("with {}", refute::shown(document)))
            .help(
                "handle such documents in the lambda, or have the schema of the source refuse them",
            )
    }

    fn lambda_output_mismatch(
        &self,
        transform: &CheckedTransform,
        refutation: &Refutation,
    ) -> Diagnostic {
        let derived = self.subject.collection.name();
        let schema = &self.subject.types.write;
        let span = self.method_span(&method_name(&transform.name)).unwrap_or(transform.span);
        let diagnostic = refutation.diagnostic(span, derived, schema);
        diagnostic.help("change the lambda, or what the schema admits")
    }
}

/// What was seen of a method.
enum Seen {
    /// A document whose result is refused.
    Refused(Refutation),
    /// A document that makes it fail.
    Failed { document: Value, failure: ScriptFailure },
}

impl Seen {
    fn document(&self) -> &Value {
        match self {
            Self::Refused(refutation) => &refutation.document,
            Self::Failed { document, .. } => document,
        }
    }

    /// Whether the same was seen of another document.
    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Refused(_), Self::Refused(_)) => true,
            (Self::Failed { failure, .. }, Self::Failed { failure: other, .. }) => failure == other,
            _ => false,
        }
    }
}

/// Whether no module fails like that by its own will.
fn is_fault(failure: &ScriptFailure) -> bool {
    use ScriptFailureKind::{Fault, Memory, Output};
    matches!(failure.kind, Fault | Memory | Output)
}

/// The first document of a call that a schema refuses.
fn refused(
    engine: &Engine,
    index: usize,
    document: &Value,
    refusing: &Schema,
) -> Result<Option<(Value, Violation)>, ScriptFailure> {
    let mut rows = Rows::default();
    let given = Document::from_value(document);
    let invocation = Invocation { document: given.root(), uuid: Some(TRIAL_UUID) };
    engine.invoke(index, invocation, &mut rows)?;
    engine.flush(&mut rows)?;
    let rows = rows.documents().iter().take(LAMBDA_TRIAL_ROWS_MAX);
    let row = rows.into_iter().find_map(|row| refute::refused(row, refusing));
    Ok(row.and_then(|row| {
        let violation = *refusing.validate(&row).err()?;
        Some((row, violation))
    }))
}
