//! Which shard gets a document: the keys of shuffles, and that those of one derivation agree.

use tidegate_stdlib::bundle::{Shuffle, ShuffleLambda};
use tidegate_stdlib::shape::Types;

use super::Scope;
use super::keys::{self, WrittenPointer, type_words};
use super::lambdas;
use super::selectors::ReadCollection;
use crate::catalog::Collection;
use crate::diag::{Diagnostic, Sink, rules};
use crate::model::{DeriveSpec, InlineOrFile, ShuffleSpec, Spanned, TransformSpec, UsingSpec};
use crate::source::Span;

/// Checks the shuffle of one transform; one that was left out is the key of the source. `key` is what
/// [`check_types`] found.
pub(super) fn check(
    collection: &Collection,
    spec: &TransformSpec,
    read: ReadCollection<'_>,
    key: Option<&[Types]>,
    scope: Scope<'_>,
    sink: &mut Sink,
) -> Shuffle {
    match &spec.shuffle {
        Some(ShuffleSpec::Any(_)) => Shuffle::Any,
        Some(ShuffleSpec::Lambda(lambda)) => {
            let shuffle = check_lambda(collection, spec, lambda, read, key, scope, sink);
            shuffle.map_or(Shuffle::Any, Shuffle::Lambda)
        }
        Some(ShuffleSpec::Key(key)) => {
            if key.value.is_empty() {
                sink.report(shuffle_key_empty(&spec.name.value, collection.span(key.range)));
            }
            if read.known.validators.is_some() {
                let schema = read.known.checked.effective_read_schema();
                for pointer in &key.value {
                    let written = WrittenPointer::new(pointer, collection.file(), "shuffle key");
                    keys::check_key_location(written, schema, None, scope.sources, sink);
                }
            }
            Shuffle::Key(key.value.iter().map(|pointer| pointer.value.clone()).collect())
        }
        None => Shuffle::Key(read.known.checked.key_pointers.clone()),
    }
}

/// A lambda is SQL in a database without tables; `None` when it cannot be used, which is reported.
fn check_lambda(
    collection: &Collection,
    spec: &TransformSpec,
    lambda: &InlineOrFile,
    read: ReadCollection<'_>,
    key: Option<&[Types]>,
    scope: Scope<'_>,
    sink: &mut Sink,
) -> Option<ShuffleLambda> {
    let span = collection.span(lambda.range());
    let using = collection.spec().derive.as_ref()?.using.as_ref()?;
    match using {
        UsingSpec::Sqlite { .. } => {}
        UsingSpec::TypeScript { .. } | UsingSpec::Local { .. } => {
            sink.report(unsupported_shuffle(span));
            return None;
        }
        // That it cannot be built is told where it says so.
        UsingSpec::Other(_) => return None,
    }
    let script = lambdas::script(scope.sources, collection.file(), lambda, lambdas::SHUFFLE, sink)?;
    let Some(types) = key else {
        sink.report(shuffle_key_unknown(&spec.name.value, span));
        return None;
    };
    scope.blank.get(span, sink)?.check_key(&script, read, types, sink);
    let words = |types: &Types| types.names().into_iter().map(str::to_owned).collect();
    Some(ShuffleLambda { lambda: script.script, types: types.iter().map(words).collect() })
}

/// The key of one shuffle: its types, and where it is declared.
struct ShuffleKey {
    types: Vec<Types>,
    span: Span,
    transform: String,
}

/// Documents of all transforms are assigned by one function, so their keys must be of the same types: those are given, as far as
/// anything says what they are.
pub(super) fn check_types(
    collection: &Collection,
    derive: &DeriveSpec,
    scope: Scope<'_>,
    sink: &mut Sink,
) -> Option<Vec<Types>> {
    let wanted = wanted_types(collection, derive);
    let transforms = derive.transforms.iter().zip(&collection.sources);
    let mut keys = transforms.filter(|(spec, _)| !spec.disable).filter_map(|(spec, reference)| {
        shuffle_key(collection, spec, scope.read(reference.target?))
    });
    let reference = match wanted {
        Some(wanted) => wanted,
        None => keys.next()?,
    };
    for key in keys {
        if key.types != reference.types {
            sink.report(shuffle_keys_differ(&key, &reference));
        }
    }
    Some(reference.types)
}

/// The types that `shuffleKeyTypes` names; words that are no types were reported when they were bound.
fn wanted_types(collection: &Collection, derive: &DeriveSpec) -> Option<ShuffleKey> {
    let written = derive.shuffle_key_types.as_ref()?;
    let named = |name: &Spanned<String>| match name.value.as_str() {
        "boolean" => Some(Types::BOOLEAN),
        "integer" => Some(Types::INTEGER),
        "string" => Some(Types::STRING),
        _ => None,
    };
    let types = written.value.iter().map(named).collect::<Option<Vec<_>>>()?;
    let span = collection.span(written.range);
    Some(ShuffleKey { types, span, transform: String::new() })
}

/// The types of a transform's key; `None` when it has none, or when a part of it is reported elsewhere.
fn shuffle_key(
    collection: &Collection,
    spec: &TransformSpec,
    read: ReadCollection<'_>,
) -> Option<ShuffleKey> {
    read.known.validators.as_ref()?;
    let schema = read.known.checked.effective_read_schema();
    let (types, span) = match &spec.shuffle {
        Some(ShuffleSpec::Any(_) | ShuffleSpec::Lambda(_)) => return None,
        Some(ShuffleSpec::Key(key)) if key.value.is_empty() => return None,
        Some(ShuffleSpec::Key(key)) => {
            let types = key.value.iter().map(|pointer| keys::key_types(&pointer.value, schema));
            (types.collect::<Option<Vec<_>>>()?, collection.span(key.range))
        }
        None => (read.known.key_types.clone()?, collection.span(spec.name.range)),
    };
    Some(ShuffleKey { types, span, transform: spec.name.value.clone() })
}

/// Where the shuffle of a transform is written, or else its name.
pub(super) fn place(collection: &Collection, spec: &TransformSpec) -> Span {
    match &spec.shuffle {
        Some(ShuffleSpec::Key(key)) => collection.span(key.range),
        Some(ShuffleSpec::Any(_) | ShuffleSpec::Lambda(_)) | None => {
            collection.span(spec.name.range)
        }
    }
}

/// Says that a lambda without state needs no shuffle.
pub(super) fn suggest_any(collection: &Collection, spec: &TransformSpec, sink: &mut Sink) {
    match &spec.shuffle {
        None => sink.report(shuffle_not_needed(&spec.name.value, collection.span(spec.name.range))),
        Some(ShuffleSpec::Key(key)) => {
            sink.report(shuffle_not_needed(&spec.name.value, collection.span(key.range)));
        }
        Some(ShuffleSpec::Any(_) | ShuffleSpec::Lambda(_)) => {}
    }
}

fn words(types: &[Types]) -> String {
    if types.is_empty() {
        return "none".to_owned();
    }
    let words: Vec<String> = types.iter().map(|types| type_words(*types)).collect();
    words.join(", ")
}

fn shuffle_keys_differ(key: &ShuffleKey, reference: &ShuffleKey) -> Diagnostic {
    let other = match reference.transform.as_str() {
        "" => format!("`shuffleKeyTypes` asks for {}", words(&reference.types)),
        transform => format!("that of `{transform}` is {}", words(&reference.types)),
    };
    Diagnostic::new(
        &rules::SHUFFLE_KEYS_DIFFER,
        key.span,
        format!("the shuffle key of `{}` has other types", key.transform),
    )
    .label(format!("this key is {}", words(&key.types)))
    .also(reference.span, other)
    .help("shuffle all transforms by keys of the same number and types, or by `any`")
}

fn shuffle_not_needed(transform: &str, span: Span) -> Diagnostic {
    let message = format!("the lambda of `{transform}` needs no shuffle");
    Diagnostic::new(&rules::SHUFFLE_NOT_NEEDED, span, message)
        .label("it touches no table, so any shard may have any document")
        .help("write `shuffle: any`")
}

fn shuffle_key_empty(transform: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        &rules::SHUFFLE_KEY_EMPTY,
        span,
        format!("the shuffle key of `{transform}` is empty"),
    )
    .label("documents are assigned to shards by it")
    .help("list JSON pointers, or write `shuffle: any`")
}

fn unsupported_shuffle(span: Span) -> Diagnostic {
    let message = "a shuffle by a lambda needs a derivation by `sqlite`";
    Diagnostic::new(&rules::UNSUPPORTED_SHUFFLE, span, message)
        .label("the lambda of a shuffle is SQL, and those of this derivation are not")
        .help("shuffle by a key, or by `any`")
}

fn shuffle_key_unknown(transform: &str, span: Span) -> Diagnostic {
    let message = format!("nothing says what the shuffle key of `{transform}` is");
    Diagnostic::new(&rules::SHUFFLE_KEY_UNKNOWN, span, message)
        .label("no other transform is shuffled by a key, which would tell its types")
        .help("list the types of its components in `shuffleKeyTypes` of the derivation")
}
