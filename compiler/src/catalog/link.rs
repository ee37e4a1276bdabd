//! Names to ids: declarations of all files, then every reference to a collection.
//!
//! Reports unknown collections; [`super::names`] reports what is wrong with the names themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::names::{self, Declared, DeclaredKind};
use super::{Capture, Catalog, Collection, CollectionId, Materialization, Place, Reference, Test};
use crate::diag::{Diagnostic, Fix, Sink, nearest, rules};
use crate::model::{SourceSpec, Spanned};
use crate::source::{FileId, Range, Sources, Span};

/// Links the declarations of all files: names, duplicates and collisions, references.
pub fn link(sources: &Sources, sink: &mut Sink) -> Catalog {
    let mut declared = declarations(sources);
    names::check(&mut declared, sources, sink);
    let mut catalog = Catalog::default();
    declared.sort_by(|left, right| left.name.cmp(&right.name));
    for declaration in declared.iter().filter(|declaration| declaration.is_kept) {
        add(declaration, &mut catalog);
    }
    let scope = Scope::new(&catalog, &declared);
    let links = Links::new(&catalog, &scope, sink);
    check_source_captures(&catalog, &declared, sink);
    links.store(&mut catalog);
    catalog
}

/// The captures whose collections materializations ask for.
fn check_source_captures(catalog: &Catalog, declared: &[Declared], sink: &mut Sink) {
    let kept: BTreeMap<&str, Span> =
        catalog.captures.iter().map(|each| (each.name(), each.name_span())).collect();
    for materialization in &catalog.materializations {
        let Some(capture) = &materialization.spec().source_capture else { continue };
        let name = capture.value.as_str();
        if kept.contains_key(name) {
            continue;
        }
        let near = nearest(name, kept.keys().copied());
        let near = near.and_then(|near| Some((near, *kept.get(near)?)));
        let other = declared.iter().find(|declaration| declaration.name == name);
        sink.report(unknown_capture(name, materialization.span(capture.range), near, other));
    }
}

/// Every declaration in order of discovery: by file, then by place.
fn declarations(sources: &Sources) -> Vec<Declared> {
    let mut declared = Vec::new();
    for (file, source) in sources.files() {
        let Some(specs) = &source.specs else { continue };
        let begin = declared.len();
        let mut add = |kind, index, name: &Spanned<String>, delete: &Option<Spanned<bool>>| {
            declared.push(Declared {
                kind,
                name: name.value.clone(),
                span: name.range.in_file(file),
                deletion: delete
                    .as_ref()
                    .filter(|delete| delete.value)
                    .map(|delete| delete.range.in_file(file)),
                place: Place { file, specs: Arc::clone(specs), index },
                is_kept: true,
            });
        };
        for (index, spec) in specs.captures.iter().enumerate() {
            add(DeclaredKind::Capture, index, &spec.name, &spec.delete);
        }
        for (index, spec) in specs.collections.iter().enumerate() {
            add(DeclaredKind::Collection, index, &spec.name, &spec.delete);
        }
        for (index, spec) in specs.materializations.iter().enumerate() {
            add(DeclaredKind::Materialization, index, &spec.name, &spec.delete);
        }
        for (index, spec) in specs.tests.iter().enumerate() {
            add(DeclaredKind::Test, index, &spec.name, &spec.delete);
        }
        if let Some(of_file) = declared.get_mut(begin..) {
            of_file.sort_by_key(|declaration| declaration.span.range);
        }
    }
    declared
}

/// Adds a declaration to its list, without its references. What is to be deleted does not take part.
fn add(declaration: &Declared, catalog: &mut Catalog) {
    if declaration.deletion.is_some() {
        return;
    }
    let place = declaration.place.clone();
    match declaration.kind {
        DeclaredKind::Capture => catalog.captures.push(Capture { place, targets: Vec::new() }),
        DeclaredKind::Collection => {
            catalog.collections.push(Collection { place, sources: Vec::new() });
        }
        DeclaredKind::Materialization => {
            catalog.materializations.push(Materialization { place, sources: Vec::new() });
        }
        DeclaredKind::Test => catalog.tests.push(Test { place, collections: Vec::new() }),
    }
}

/// What names lead to.
struct Scope<'c> {
    collections: BTreeMap<&'c str, (CollectionId, Span)>,
    declared: &'c [Declared],
}

impl<'c> Scope<'c> {
    fn new(catalog: &'c Catalog, declared: &'c [Declared]) -> Self {
        let collections = catalog
            .collections()
            .map(|(id, collection)| (collection.name(), (id, collection.name_span())))
            .collect();
        Self { collections, declared }
    }

    /// The collection that a written name means; an unknown one is reported.
    fn resolve(&self, name: &Spanned<String>, file: FileId, sink: &mut Sink) -> Reference {
        let span = name.range.in_file(file);
        let target = self.collections.get(name.value.as_str()).map(|(id, _)| *id);
        if target.is_none() {
            sink.report(self.unresolved(&name.value, span));
        }
        Reference { span, target }
    }

    fn references<'s>(
        &self,
        named: impl Iterator<Item = Named<'s>>,
        file: FileId,
        sink: &mut Sink,
    ) -> Vec<Reference> {
        named
            .map(|named| match named.name {
                Some(name) if !named.is_disabled => self.resolve(name, file, sink),
                Some(name) => Reference {
                    span: name.range.in_file(file),
                    target: self.collections.get(name.value.as_str()).map(|(id, _)| *id),
                },
                None => Reference { span: named.owner.in_file(file), target: None },
            })
            .collect()
    }

    fn unresolved(&self, name: &str, span: Span) -> Diagnostic {
        let other = self.declared.iter().find(|declaration| declaration.name == name);
        match other {
            Some(Declared { deletion: Some(deletion), kind: DeclaredKind::Collection, .. }) => {
                deleted_collection_in_use(name, span, *deletion)
            }
            other => {
                let near = nearest(name, self.collections.keys().copied())
                    .and_then(|near| Some((near, self.collections.get(near)?.1)));
                unknown_collection(name, span, near, other)
            }
        }
    }
}

/// The references of every declaration, in the order of the catalog's lists.
struct Links {
    collections: Vec<Vec<Reference>>,
    captures: Vec<Vec<Reference>>,
    materializations: Vec<Vec<Reference>>,
    tests: Vec<Vec<Reference>>,
}

impl Links {
    fn new(catalog: &Catalog, scope: &Scope<'_>, sink: &mut Sink) -> Self {
        let mut links = Self {
            collections: Vec::new(),
            captures: Vec::new(),
            materializations: Vec::new(),
            tests: Vec::new(),
        };
        for collection in &catalog.collections {
            let transforms = collection.spec().derive.iter().flat_map(|derive| &derive.transforms);
            let named = transforms
                .map(|spec| Named::of_source(&spec.source, spec.name.range, spec.disable));
            links.collections.push(scope.references(named, collection.file(), sink));
        }
        for capture in &catalog.captures {
            let named = capture.spec().bindings.iter().map(|spec| Named {
                name: spec.target.as_ref(),
                owner: spec.range,
                is_disabled: spec.disable,
            });
            links.captures.push(scope.references(named, capture.file(), sink));
        }
        for materialization in &catalog.materializations {
            let bindings = materialization.spec().bindings.iter();
            let named =
                bindings.map(|spec| Named::of_source(&spec.source, spec.range, spec.disable));
            links.materializations.push(scope.references(named, materialization.file(), sink));
        }
        for test in &catalog.tests {
            let steps = test.spec().steps.iter();
            let named = steps.map(|spec| Named::of_source(&spec.collection, spec.key, false));
            links.tests.push(scope.references(named, test.file(), sink));
        }
        links
    }

    fn store(self, catalog: &mut Catalog) {
        for (collection, sources) in catalog.collections.iter_mut().zip(self.collections) {
            collection.sources = sources;
        }
        for (capture, targets) in catalog.captures.iter_mut().zip(self.captures) {
            capture.targets = targets;
        }
        for (materialization, sources) in
            catalog.materializations.iter_mut().zip(self.materializations)
        {
            materialization.sources = sources;
        }
        for (test, collections) in catalog.tests.iter_mut().zip(self.tests) {
            test.collections = collections;
        }
    }
}

/// A place that should name a collection.
struct Named<'s> {
    name: Option<&'s Spanned<String>>,
    /// The bytes of what refers to the collection.
    owner: Range,
    /// Whether a missing collection does not matter.
    is_disabled: bool,
}

impl<'s> Named<'s> {
    fn of_source(source: &'s Option<SourceSpec>, owner: Range, is_disabled: bool) -> Self {
        Self { name: source.as_ref().map(|source| &source.collection), owner, is_disabled }
    }
}

fn unknown_collection(
    name: &str,
    span: Span,
    near: Option<(&str, Span)>,
    other: Option<&Declared>,
) -> Diagnostic {
    let message = format!("collection `{name}` is not defined");
    let mut diagnostic = Diagnostic::new(&rules::UNKNOWN_COLLECTION, span, message);
    if let Some(other) = other {
        let kind = other.kind.word();
        return diagnostic
            .label(format!("this is the name of a {kind}, and only collections hold documents"))
            .also(other.span, format!("the {kind} is declared here"));
    }
    diagnostic = diagnostic.label("no file of this catalog defines it");
    match near {
        Some((near, place)) => diagnostic
            .also(place, "a collection of a similar name is defined here")
            .fix(Fix::replace(span, near, format!("name the collection `{near}`"))),
        None => diagnostic.help("define the collection, or import the file that does"),
    }
}

fn unknown_capture(
    name: &str,
    span: Span,
    near: Option<(&str, Span)>,
    other: Option<&Declared>,
) -> Diagnostic {
    let message = format!("capture `{name}` is not defined");
    let diagnostic = Diagnostic::new(&rules::UNKNOWN_CAPTURE, span, message);
    match (other, near) {
        (Some(Declared { deletion: Some(deletion), kind: DeclaredKind::Capture, .. }), _) => {
            diagnostic
                .label("this catalog deletes it")
                .also(*deletion, "it is deleted here")
                .help("remove the `source`, or keep the capture")
        }
        (Some(other), _) => {
            let kind = other.kind.word();
            diagnostic
                .label(format!("this is the name of a {kind}, and bindings come from a capture"))
                .also(other.span, format!("the {kind} is declared here"))
                .help("name a capture, or list collections in `bindings`")
        }
        (None, Some((near, place))) => diagnostic
            .label("no file of this catalog defines it")
            .also(place, "a capture of a similar name is defined here")
            .fix(Fix::replace(span, near, format!("name the capture `{near}`"))),
        (None, None) => diagnostic
            .label("no file of this catalog defines it")
            .help("define the capture, or import the file that does"),
    }
}

fn deleted_collection_in_use(name: &str, span: Span, deletion: Span) -> Diagnostic {
    let message = format!("collection `{name}` is deleted by this catalog");
    Diagnostic::new(&rules::DELETED_COLLECTION_IN_USE, span, message)
        .label("it is still used here")
        .also(deletion, "and deleted here")
        .help("delete what uses the collection too, or keep the collection")
}
