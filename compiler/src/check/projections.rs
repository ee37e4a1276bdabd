//! The fields of a collection: declared ones, those that always exist, and one for each location of its documents.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use tidegate_stdlib::bundle::{
    FLOW_DOCUMENT, FLOW_PUBLISHED_AT, PUBLISHED_AT_POINTER, Projection, UUID_POINTER,
};
use tidegate_stdlib::shape::{Exists, Shape};
use tidegate_stdlib::value::{Pointer, Token};

use super::keys::{self, KeyLocation, WrittenPointer};
use super::locations::declaration_place;
use super::schemas::CollectionSchemas;
use crate::catalog::{
    BundledSchema, Collection, NameForm, NameSubject, check_form, collate, colliding_names,
};
use crate::diag::{Diagnostic, Sink, rules};
use crate::model::ProjectionSpec;
use crate::source::{Sources, Span};

/// The field of the flag for pruned documents.
const FLOW_TRUNCATED: &str = "_meta/flow_truncated";

/// All projections of a collection, sorted by field. Of a collection whose schemas cannot be used there are none.
pub(super) fn check(
    collection: &Collection,
    schemas: &CollectionSchemas,
    key: Option<&[KeyLocation]>,
    sources: &Sources,
    sink: &mut Sink,
) -> Vec<Arc<Projection>> {
    check_fields(collection, sources, sink);
    if schemas.validators.is_none() {
        return Vec::new();
    }
    let read = schemas.read.as_ref().unwrap_or(&schemas.write);
    let mut fields = Fields { collection, read, projections: BTreeMap::new() };
    for spec in &collection.spec().projections {
        let declared = check_declared(collection, spec, schemas, sources, sink);
        let projection = declared.unwrap_or_else(|| refused(&spec.field.value));
        fields.projections.insert(projection.field.clone(), (projection.into(), Some(spec)));
    }
    for field in &collection.spec().unbound_projections {
        fields.projections.insert(field.clone(), (refused(field).into(), None));
    }
    fields.add_well_known(sink);
    for location in key.unwrap_or_default() {
        let (shape, exists) = read.shape.locate(&location.pointer);
        let (field, pointer) = (location.pointer.field(), location.pointer.text());
        fields.add(projection(field, pointer, &shape, exists), sink);
    }
    for (pointer, shape, exists) in read.shape.locations() {
        let is_named = match pointer.tokens().last() {
            Some(Token::Property(name)) => !name.is_empty(),
            Some(Token::Index(_) | Token::NextIndex) => true,
            None => false,
        };
        let pointer = pointer.text();
        let field = pointer.strip_prefix('/').unwrap_or_default();
        if is_named && field != FLOW_DOCUMENT {
            fields.add(projection(field.to_owned(), pointer, shape, exists), sink);
        }
    }
    fields.projections.into_values().map(|(projection, _)| projection).collect()
}

/// The names of declared fields: their form, and that no two are one.
fn check_fields(collection: &Collection, sources: &Sources, sink: &mut Sink) {
    let mut first_of: BTreeMap<String, NameSubject<'_>> = BTreeMap::new();
    for spec in &collection.spec().projections {
        let (noun, form) = if spec.partition {
            ("partition", NameForm::Token)
        } else {
            ("projection", NameForm::Field)
        };
        let span = collection.span(spec.field.range);
        let subject = NameSubject { noun, span, name: &spec.field.value };
        if !check_form(subject, form, sources, sink) {
            continue;
        }
        match first_of.get(&collate(subject.name)) {
            Some(first) => sink.report(colliding_names(subject, *first)),
            None => {
                first_of.insert(collate(subject.name), subject);
            }
        }
    }
}

fn check_declared(
    collection: &Collection,
    spec: &ProjectionSpec,
    schemas: &CollectionSchemas,
    sources: &Sources,
    sink: &mut Sink,
) -> Option<Projection> {
    if spec.location.value == PUBLISHED_AT_POINTER && !spec.partition {
        return Some(Projection { explicit: true, ..published_at(&spec.field.value) });
    }
    let read = schemas.read.as_ref().unwrap_or(&schemas.write);
    let (pointer, shape) = if spec.partition {
        let written = WrittenPointer::new(&spec.location, collection.file(), "partition");
        let write = schemas.read.as_ref().map(|_| &schemas.write);
        let location = keys::check_key_location(written, read, write, sources, sink)?;
        (location.pointer, location.shape)
    } else {
        let written = WrittenPointer::new(&spec.location, collection.file(), "projection");
        let pointer = keys::check_form(written, read, sources, sink)?;
        let shape = keys::check_existence(written, &pointer, read, sink)?;
        (pointer, shape)
    };
    let exists = read.shape.locate(&pointer).1;
    let mut projection = projection(spec.field.value.clone(), pointer.text(), &shape, exists);
    projection.explicit = true;
    projection.partition = spec.partition;
    Some(projection)
}

/// A field of the time of publication.
fn published_at(field: &str) -> Projection {
    Projection {
        format: Some("date-time".to_owned()),
        title: Some("Time of publication".to_owned()),
        ..always(field, UUID_POINTER, "string")
    }
}

/// What stands in for a declared field that was refused, so that nothing more is said where it is used.
fn refused(field: &str) -> Projection {
    let pointer = Pointer::default().child(Token::Property(field.to_owned()));
    let pointer = Pointer::parse(&format!("/{field}")).unwrap_or(pointer);
    let shape = Shape::any();
    let projection = projection(field.to_owned(), pointer.text(), &shape, Exists::May);
    Projection { explicit: true, partition: true, ..projection }
}

/// A projection of a location.
pub(super) fn projection(
    field: String,
    pointer: String,
    shape: &Shape,
    exists: Exists,
) -> Projection {
    Projection {
        field,
        pointer,
        explicit: false,
        partition: false,
        types: shape.types.names().into_iter().map(str::to_owned).collect(),
        required: exists == Exists::Must,
        format: shape.string.format.clone(),
        content_encoding: shape.string.content_encoding.clone(),
        default: shape.default.clone(),
        title: shape.title.clone(),
        description: shape.description.clone(),
    }
}

struct Fields<'c> {
    collection: &'c Collection,
    read: &'c BundledSchema,
    projections: BTreeMap<String, (Arc<Projection>, Option<&'c ProjectionSpec>)>,
}

impl Fields<'_> {
    /// The fields that every collection has.
    fn add_well_known(&mut self, sink: &mut Sink) {
        let has_root =
            self.projections.values().any(|(projection, _)| projection.pointer.is_empty());
        if !has_root {
            let shape = &self.read.shape;
            let document = projection(FLOW_DOCUMENT.to_owned(), String::new(), shape, Exists::Must);
            self.add(document, sink);
        }
        let is_named =
            |spec: &ProjectionSpec| !spec.partition && spec.location.value == PUBLISHED_AT_POINTER;
        let named = self.projections.values().filter_map(|(_, spec)| *spec);
        if !named.into_iter().any(is_named) {
            self.add(published_at(FLOW_PUBLISHED_AT), sink);
        }
        let truncated = Projection {
            required: false,
            title: Some("Whether values were pruned".to_owned()),
            ..always(FLOW_TRUNCATED, "/_meta/flow_truncated", "boolean")
        };
        self.add(truncated, sink);
    }

    /// Adds a field that is not declared, unless it is there already.
    fn add(&mut self, added: Projection, sink: &mut Sink) {
        let (known, spec) = match self.projections.entry(added.field.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(vacant) => {
                vacant.insert((added.into(), None));
                return;
            }
        };
        // The flag for pruned documents is what the schema says of it, if it says anything.
        if known.pointer == added.pointer || added.field == FLOW_TRUNCATED {
            return;
        }
        let location = |projection: &Projection| {
            let pointer = Pointer::parse(&projection.pointer).ok();
            pointer.and_then(|pointer| declaration_place(self.read, &pointer))
        };
        let declared = spec.map(|spec| self.collection.span(spec.field.range));
        let diagnostic = match declared {
            Some(span) => projection_remaps_field(known, &added, span, location(&added)),
            None => {
                let span = location(&added).unwrap_or_else(|| self.collection.name_span());
                field_is_reserved(&added, span)
            }
        };
        sink.report(diagnostic);
    }
}

fn always(field: &str, pointer: &str, type_name: &str) -> Projection {
    Projection {
        field: field.to_owned(),
        pointer: pointer.to_owned(),
        explicit: false,
        partition: false,
        types: vec![type_name.to_owned()],
        required: true,
        format: None,
        content_encoding: None,
        default: None,
        title: None,
        description: None,
    }
}

fn projection_remaps_field(
    declared: &Projection,
    canonical: &Projection,
    span: Span,
    place: Option<Span>,
) -> Diagnostic {
    let Projection { field, pointer, .. } = canonical;
    let location = if pointer.is_empty() { "the whole document" } else { pointer.as_str() };
    Diagnostic::new(
        &rules::PROJECTION_REMAPS_FIELD,
        span,
        format!("projection `{field}` takes the name of another location"),
    )
    .label(format!(
        "`{field}` is the field of {}, not of `{}`",
        in_ticks(location),
        declared.pointer
    ))
    .also(place, format!("{} is declared here", in_ticks(location)))
    .help("give the projection another name")
}

fn in_ticks(location: &str) -> String {
    if location.starts_with('/') { format!("`{location}`") } else { location.to_owned() }
}

fn field_is_reserved(property: &Projection, span: Span) -> Diagnostic {
    let field = &property.field;
    Diagnostic::new(
        &rules::PROJECTION_REMAPS_FIELD,
        span,
        format!("property `{field}` takes the name of a field that every collection has"),
    )
    .label(format!("`{field}` is the time of publication"))
    .help("rename the property")
}
