//! A collection: its schemas, key, projections and journals.

use std::sync::Arc;

use tidegate_stdlib::bundle::{Codec, Fragments};
use tidegate_stdlib::key::{Component, Key};
use tidegate_stdlib::shape::Types;

use super::checked::CheckedCollection;
use super::keys::{self, KeyLocation, WrittenPointer};
use super::projections;
use super::schemas::{self, CollectionSchemas, Validators};
use crate::catalog::{Collection, SchemaMemo};
use crate::diag::{Diagnostic, Sink, rules};
use crate::model::FragmentsSpec;
use crate::source::{Sources, Span};

/// A checked collection with what only the checks need.
#[derive(Debug)]
pub(super) struct KnownCollection {
    pub(super) checked: CheckedCollection,
    /// The compiled schemas; `None` when the schemas cannot be used, and then nothing is said of what depends on them.
    pub(super) validators: Option<Validators>,
    /// The types of the key's components, without null; `None` when the key was refused.
    pub(super) key_types: Option<Vec<Types>>,
    /// Where the key is declared.
    pub(super) key_span: Span,
    /// Whether nothing is wrong with the declaration, so that what else is found has another cause.
    pub(super) is_sound: bool,
}

/// Checks a collection by itself.
pub(super) fn check(
    collection: &Collection,
    sources: &Sources,
    memo: &SchemaMemo,
    sink: &mut Sink,
) -> KnownCollection {
    let begin = sink.mark();
    let schemas = schemas::check(collection, sources, memo, sink);
    let key = check_key(collection, &schemas, sources, sink);
    let projections = projections::check(collection, &schemas, key.as_deref(), sources, sink);
    if let (Some(read), Some(validators), false) =
        (&schemas.read, &schemas.validators, sink.has_errors_after(begin))
    {
        schemas::check_refusals(&schemas.write, read, validators, sink);
    }
    let key_locations = key.as_deref().unwrap_or_default();
    let components = key_locations.iter().map(|location| Component {
        pointer: location.pointer.clone(),
        default: location.shape.default.clone().unwrap_or_default(),
    });
    let span = collection.spec().key.as_ref().map(|key| collection.span(key.range));
    let checked = CheckedCollection {
        key_pointers: key_locations.iter().map(|location| location.pointer.to_string()).collect(),
        key: Key::new(components.collect()),
        projections: projections.into(),
        fragments: check_fragments(collection, sink),
        derivation: None,
        write_schema: schemas.write.into(),
        read_schema: schemas.read.map(Arc::new),
    };
    KnownCollection {
        checked,
        validators: schemas.validators,
        key_types: key.map(|key| key.iter().map(|location| location.types).collect()),
        key_span: span.unwrap_or_else(|| collection.name_span()),
        is_sound: !sink.has_errors_after(begin) && is_bound(collection, sources),
    }
}

/// Whether every field of the declaration was read.
fn is_bound(collection: &Collection, sources: &Sources) -> bool {
    let specs = sources.file(collection.file()).specs.as_ref();
    specs.is_some_and(|specs| specs.problems.is_empty())
}

/// The key; `None` when any part of it was refused.
fn check_key(
    collection: &Collection,
    schemas: &CollectionSchemas,
    sources: &Sources,
    sink: &mut Sink,
) -> Option<Vec<KeyLocation>> {
    let key = collection.spec().key.as_ref()?;
    if key.value.is_empty() {
        sink.report(key_empty(collection, collection.span(key.range)));
        return None;
    }
    schemas.validators.as_ref()?;
    let read = schemas.read.as_ref().unwrap_or(&schemas.write);
    let write = schemas.read.as_ref().map(|_| &schemas.write);
    for (index, pointer) in key.value.iter().enumerate() {
        let mut before = key.value.iter().take(index);
        if let Some(first) = before.find(|first| first.value == pointer.value) {
            let (first, again) = (collection.span(first.range), collection.span(pointer.range));
            sink.report(key_repeats_location(&pointer.value, again, first));
        }
    }
    let locations: Vec<_> = key
        .value
        .iter()
        .map(|pointer| {
            let written = WrittenPointer::new(pointer, collection.file(), "key");
            keys::check_key_location(written, read, write, sources, sink)
        })
        .collect();
    locations.into_iter().collect()
}

const CODECS: [(&str, Codec); 3] =
    [("GZIP", Codec::Gzip), ("NONE", Codec::None), ("ZSTANDARD", Codec::Zstandard)];

/// Words of the language for codecs that are not built in.
const OTHER_CODECS: [&str; 2] = ["SNAPPY", "GZIP_OFFLOAD_DECOMPRESSION"];

/// Lengths of fragments that are understood, in MB.
const LENGTHS_MB: std::ops::RangeInclusive<u64> = 32..=4096;

fn check_fragments(collection: &Collection, sink: &mut Sink) -> Fragments {
    let mut fragments = Fragments::default();
    let Some(FragmentsSpec { codec, length_mb, flush_interval_ms }) = &collection.spec().fragments
    else {
        return fragments;
    };
    if let Some(codec) = codec {
        match CODECS.iter().find(|(name, _)| *name == codec.value) {
            Some((_, known)) => fragments.codec = *known,
            None if OTHER_CODECS.contains(&codec.value.as_str()) => {
                sink.report(unsupported_codec(&codec.value, collection.span(codec.range)));
            }
            // The field table has no such word, so it has been reported.
            None => {}
        }
    }
    if let Some(length) = length_mb {
        if LENGTHS_MB.contains(&length.value) {
            fragments.length_bytes = length.value << 20;
        } else {
            sink.report(fragment_length(length.value, collection.span(length.range)));
        }
    }
    if let Some(interval) = flush_interval_ms {
        fragments.flush_interval_ms = interval.value;
    }
    fragments
}

fn key_empty(collection: &Collection, span: Span) -> Diagnostic {
    let message = format!("the key of `{}` is empty", collection.name());
    Diagnostic::new(&rules::KEY_EMPTY, span, message)
        .label("documents are told apart by their key")
        .help("list the JSON pointers that together identify a document")
}

fn key_repeats_location(pointer: &str, span: Span, first: Span) -> Diagnostic {
    let message = format!("the key names `{pointer}` twice");
    Diagnostic::new(&rules::KEY_REPEATS_LOCATION, span, message)
        .label("this tells no more documents apart")
        .also(first, "it is named here already")
        .help("remove it, or name the location that was meant")
}

fn unsupported_codec(codec: &str, span: Span) -> Diagnostic {
    let message = format!("journals cannot be compressed with `{codec}`");
    Diagnostic::new(&rules::UNSUPPORTED_CODEC, span, message)
        .label("this codec is not built in")
        .help("use `GZIP`, `ZSTANDARD` or `NONE`")
}

fn fragment_length(length: u64, span: Span) -> Diagnostic {
    Diagnostic::new(&rules::FRAGMENT_LENGTH, span, format!("fragments cannot be {length} MB long"))
        .label("the length is from 32 to 4096 MB")
        .help("choose a length in these bounds")
}
