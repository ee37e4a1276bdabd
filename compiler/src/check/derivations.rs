//! Derivations: their transforms, and what each reads.

use std::collections::BTreeMap;
use std::rc::Rc;

use tidegate_stdlib::bundle::{LocalProcess, Script};
use tidegate_stdlib::shape::Types;

use super::checked::{CheckedDerivation, CheckedTransform};
use super::lambdas::{self, Database, Prepared};
use super::proof;
use super::selectors::check_source;
use super::{Scope, endpoints, modules, shuffles, state};
use crate::catalog::{
    Collection, NameForm, NameSubject, Reference, SourceValue, check_form, collate,
    colliding_names, duplicate_name,
};
use crate::diag::{Diagnostic, Sink, rules};
use crate::model::{DeriveSpec, InlineOrFile, TransformSpec, UsingSpec};
use crate::source::{Role, Span};

/// Greatest duration of a transaction unless the catalog says otherwise.
const TRANSACTION_DURATION_MS_MAX: u64 = 1000;

/// Checks how a collection is derived, if it is.
pub(super) fn check(
    collection: &Collection,
    scope: Scope<'_>,
    sink: &mut Sink,
) -> Option<CheckedDerivation> {
    let derive = collection.spec().derive.as_ref()?;
    check_names(collection, derive, scope, sink);
    let (migrations, database) = match &derive.using {
        Some(UsingSpec::Sqlite { migrations, .. }) => {
            check_migrations(collection, migrations, scope, sink)
        }
        Some(UsingSpec::Other(name)) => {
            sink.report(unsupported_derivation(&name.value, collection.span(name.range)));
            (Vec::new(), None)
        }
        Some(UsingSpec::TypeScript { .. } | UsingSpec::Local { .. }) | None => (Vec::new(), None),
    };
    let shuffle_key = shuffles::check_types(collection, derive, scope, sink);
    let (mut transforms, mut prepared) = (Vec::new(), Vec::new());
    for (index, (spec, reference)) in derive.transforms.iter().zip(&collection.sources).enumerate()
    {
        if spec.disable {
            continue;
        }
        let shuffle_key = shuffle_key.as_deref();
        let transform = Transform { index, spec, reference, shuffle_key };
        if let Some((transform, lambda)) =
            check_transform(collection, transform, database.as_deref(), scope, sink)
        {
            transforms.push(transform);
            prepared.push(lambda);
        }
    }
    if let Some(database) = &database {
        for (transform, prepared) in transforms.iter().zip(&prepared) {
            let spec = derive.transforms.get(transform.index);
            if let (Some(spec), Some(prepared)) = (spec, prepared) {
                let place = shuffles::place(collection, spec);
                state::check(database, prepared, &transform.shuffle, place, sink);
            }
        }
        let proofs = proof::check(database, &migrations, &prepared, sink);
        for (transform, proof) in transforms.iter_mut().zip(proofs) {
            transform.proof = proof;
        }
    }
    let module = modules::check(collection, derive, &transforms, scope, sink);
    let duration = derive.shards.transaction_duration_ms_max.as_ref();
    Some(CheckedDerivation {
        disabled: derive.shards.disable,
        is_by_module: matches!(derive.using, Some(UsingSpec::TypeScript { .. })),
        module,
        process: check_process(collection, derive, scope, sink),
        migrations,
        transforms,
        transaction_duration_ms_max: duration
            .map_or(TRANSACTION_DURATION_MS_MAX, |duration| duration.value),
        redact_salt: derive.redact_salt.as_ref().map(|salt| salt.value.clone()),
        span: collection.span(derive.key),
    })
}

/// The process that runs the lambdas, if one does.
fn check_process(
    collection: &Collection,
    derive: &DeriveSpec,
    scope: Scope<'_>,
    sink: &mut Sink,
) -> Option<LocalProcess> {
    let Some(UsingSpec::Local { key, process }) = &derive.using else { return None };
    let (file, process) = (collection.file(), process.as_ref()?);
    if let Some(protobuf) = process.protobuf {
        sink.report(unsupported_protobuf(collection.span(protobuf)));
    }
    let span = collection.span(*key);
    Some(endpoints::check_local(process, file, span, scope.sources, sink).0)
}

/// The names of transforms: their form, and that no two are one.
fn check_names(collection: &Collection, derive: &DeriveSpec, scope: Scope<'_>, sink: &mut Sink) {
    let mut first_of: BTreeMap<String, NameSubject<'_>> = BTreeMap::new();
    for spec in &derive.transforms {
        let span = collection.span(spec.name.range);
        let subject = NameSubject { noun: "transform", span, name: &spec.name.value };
        if !check_form(subject, NameForm::Token, scope.sources, sink) {
            continue;
        }
        match first_of.get(&collate(subject.name)) {
            Some(first) if first.name == subject.name => {
                sink.report(duplicate_name(subject, *first));
            }
            Some(first) => sink.report(colliding_names(subject, *first)),
            None => {
                first_of.insert(collate(subject.name), subject);
            }
        }
    }
}

/// Runs the migrations, if there are any, in a database of their own, which has then the tables that lambdas see. There is no database when
/// one fails or cannot be read.
fn check_migrations(
    collection: &Collection,
    migrations: &[InlineOrFile],
    scope: Scope<'_>,
    sink: &mut Sink,
) -> (Vec<Script>, Option<Rc<Database>>) {
    let span = collection.span(
        collection
            .spec()
            .derive
            .as_ref()
            .map_or_else(|| collection.spec().name.range, |derive| derive.key),
    );
    let mut database = if migrations.is_empty() {
        scope.blank.get(span, sink)
    } else {
        Database::open(span, sink).map(Rc::new)
    };
    let mut scripts = Vec::new();
    for migration in migrations {
        let file = collection.file();
        let script = lambdas::script(scope.sources, file, migration, "migration", sink);
        let is_sound = match (&script, &database) {
            (Some(script), Some(database)) => database.migrate(script, sink),
            (None, _) | (_, None) => false,
        };
        if !is_sound {
            database = None;
        }
        scripts.extend(script.map(|script| script.script));
    }
    (scripts, database)
}

/// A transform and what it refers to.
#[derive(Clone, Copy)]
struct Transform<'s> {
    index: usize,
    spec: &'s TransformSpec,
    reference: &'s Reference,
    /// The types of the derivation's shuffle key, as far as they are known.
    shuffle_key: Option<&'s [Types]>,
}

fn check_transform<'c>(
    collection: &Collection,
    transform: Transform<'_>,
    database: Option<&Database>,
    scope: Scope<'c>,
    sink: &mut Sink,
) -> Option<(CheckedTransform, Option<Prepared<'c>>)> {
    let Transform { index, spec, reference, shuffle_key } = transform;
    let file = collection.file();
    let is_sqlite = matches!(
        collection.spec().derive.as_ref().and_then(|derive| derive.using.as_ref()),
        Some(UsingSpec::Sqlite { .. })
    );
    let script = match &spec.lambda {
        _ if !is_sqlite => None,
        Some(lambda) => {
            let script = lambdas::script(scope.sources, file, lambda, "lambda", sink);
            if script.as_ref().is_some_and(|script| lambdas::is_blank(&script.script.text)) {
                let place = collection.span(lambda.range());
                sink.report(missing_lambda(&spec.name.value, place));
            }
            script
        }
        None => {
            sink.report(missing_lambda(&spec.name.value, collection.span(spec.name.range)));
            None
        }
    };
    let (source_spec, target) = (spec.source.as_ref()?, reference.target?);
    let read = scope.read(target);
    let source = check_source(source_spec, file, read, sink);
    let shuffle = shuffles::check(collection, spec, read, shuffle_key, scope, sink);
    let prepared = match (&script, database) {
        (Some(script), Some(database)) => {
            let derived = scope.read(scope.catalog.id_of(collection));
            database.prepare(script, read, derived, sink)
        }
        (None, _) | (_, None) => None,
    };
    let is_read_only = prepared.as_ref().is_some_and(Prepared::is_read_only);
    if let (Some(script), Some(database), true) = (&script, database, is_read_only)
        && database.touches_no_table(&script.script.text)
    {
        shuffles::suggest_any(collection, spec, sink);
    }
    let is_local = matches!(
        collection.spec().derive.as_ref().and_then(|derive| derive.using.as_ref()),
        Some(UsingSpec::Local { .. })
    );
    let config = spec.lambda.as_ref().filter(|_| is_local).and_then(|config| {
        SourceValue::new(scope.sources, file, config, Role::Config).map(|config| config.value)
    });
    let checked = CheckedTransform {
        index,
        name: spec.name.value.clone(),
        source,
        shuffle,
        lambda: script.map(|script| script.script).unwrap_or_default(),
        config,
        read_only: is_read_only,
        proof: None,
        read_delay_ms: spec.read_delay_ms.as_ref().map_or(0, |delay| delay.value),
        priority: spec.priority,
        backfill: spec.backfill,
        span: collection.span(spec.name.range),
    };
    Some((checked, prepared))
}

fn unsupported_derivation(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        &rules::UNSUPPORTED_DERIVATION,
        span,
        format!("derivations by `{name}` cannot be built yet"),
    )
    .label("only `sqlite`, `typescript` and `local` are built in")
    .help("derive with one of them, or disable the transforms and remove `derive` for now")
}

fn unsupported_protobuf(span: Span) -> Diagnostic {
    let message = "processes that speak protobuf cannot be run yet";
    Diagnostic::new(&rules::UNSUPPORTED_DERIVATION, span, message)
        .label("only lines of JSON are understood")
        .help("let the process speak JSON, and leave `protobuf` out")
}

fn missing_lambda(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(&rules::MISSING_LAMBDA, span, format!("transform `{name}` has no lambda"))
        .label("it would publish nothing")
        .help("add `lambda` with SQL, or the name of a file that has it")
}
