//! Which fields of a collection a materialization stores.
//!
//! Reasons to select a field are ranked; fields are visited from the strongest reason to the weakest, and a location that
//! is stored already is not stored again for a weak reason.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tidegate_stdlib::bundle::{FLOW_PUBLISHED_AT, Projection};
use tidegate_stdlib::shape::Types;
use tidegate_stdlib::value::Pointer;

use super::checked::SelectedFields;
use super::keys::{is_key_type, type_words};
use super::locations::{declaration_place, type_place};
use super::selectors::{ReadCollection, projection_place};
use crate::diag::{Diagnostic, Fix, Sink, nearest, rules};
use crate::dialect;
use crate::model::{FieldsSpec, Spanned};
use crate::source::{FileId, Span};

/// What a binding asks for.
#[derive(Debug)]
pub(super) struct FieldRequest<'r> {
    pub(super) file: FileId,
    /// `fields`, if it is given.
    pub(super) spec: Option<&'r FieldsSpec>,
    /// Where the source is named.
    pub(super) source: Span,
    pub(super) read: ReadCollection<'r>,
    pub(super) delta_updates: bool,
    /// The name of the endpoint's dialect, if its dialect is known.
    pub(super) dialect: Option<&'static str>,
}

/// Why a field is selected, from the weakest reason to the strongest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    DesiredDepth,
    CoreMetadata,
    UserDefined,
    PartitionKey,
    ConnectorRequires,
    UserRequires,
    GroupByKey,
}

/// Selects the fields of a binding. Of a collection whose schemas cannot be used there are none.
pub(super) fn select(request: &FieldRequest<'_>, sink: &mut Sink) -> SelectedFields {
    if request.read.known.validators.is_none() {
        return SelectedFields::default();
    }
    let wishes = Wishes::new(request, sink);
    let selection = Selection::new(request, &wishes);
    for (field, reason) in &selection.conflicts {
        sink.report(field_conflict(field, *reason, &wishes, request));
    }
    let selected = selection.into_fields(&wishes);
    check_columns(&selected, request, sink);
    selected
}

/// What the user says of fields: those that exist.
struct Wishes<'r> {
    depth: u32,
    require: BTreeMap<&'r str, Span>,
    exclude: BTreeMap<&'r str, Span>,
    /// The fields of the key, in order.
    group_by: Vec<String>,
}

impl<'r> Wishes<'r> {
    fn new(request: &FieldRequest<'r>, sink: &mut Sink) -> Self {
        let key = &request.read.known.checked.key_pointers;
        let canonical = || {
            let field = |pointer: &String| pointer.strip_prefix('/').map(str::to_owned);
            key.iter().filter_map(field).collect()
        };
        let Some(spec) = request.spec else {
            let (require, exclude) = (BTreeMap::new(), BTreeMap::new());
            return Self { depth: u32::MAX, require, exclude, group_by: canonical() };
        };
        let mut existing = |fields: &'r [Spanned<String>]| {
            let mut existing = Vec::new();
            for field in fields {
                let span = field.range.in_file(request.file);
                if request.read.known.checked.projection(&field.value).is_some() {
                    existing.push((field.value.as_str(), span));
                } else {
                    sink.report(unknown_materialized_field(&field.value, span, request));
                }
            }
            existing
        };
        let require = existing(&spec.require).into_iter().collect();
        let exclude = existing(&spec.exclude).into_iter().collect();
        let group_by = existing(&spec.group_by);
        for (field, span) in &group_by {
            check_group_by(field, *span, request, sink);
        }
        let group_by: Vec<String> =
            group_by.into_iter().map(|(field, _)| field.to_owned()).collect();
        let group_by = if group_by.is_empty() { canonical() } else { group_by };
        Self { depth: spec.recommended_depth, require, exclude, group_by }
    }

    /// The strongest reason to select a field.
    fn reason(&self, field: &Projection, request: &FieldRequest<'_>) -> Option<Reason> {
        let checked = &request.read.known.checked;
        let name = field.field.as_str();
        let is_core = name == FLOW_PUBLISHED_AT || name == "_meta/op";
        let reasons = [
            (Reason::GroupByKey, self.group_by.iter().any(|key| key == name)),
            (Reason::UserRequires, self.require.contains_key(name)),
            (Reason::ConnectorRequires, is_required_document(field, request)),
            (Reason::PartitionKey, field.partition),
            (Reason::UserDefined, field.explicit && self.depth > 0),
            (Reason::CoreMetadata, is_core && self.depth > 0),
            (Reason::DesiredDepth, is_desired(field, &checked.projections, self.depth)),
        ];
        reasons.into_iter().find(|(_, holds)| *holds).map(|(reason, _)| reason)
    }
}

/// Tables that keep one row for each key need the document to reduce the next one into.
fn is_required_document(field: &Projection, request: &FieldRequest<'_>) -> bool {
    let projections = &request.read.known.checked.projections;
    let root = projections.iter().find(|projection| projection.pointer.is_empty());
    !request.delta_updates && root.is_some_and(|root| root.field == field.field)
}

/// Whether a field is selected for lying at a depth that is asked for.
fn is_desired(field: &Projection, all: &[Arc<Projection>], depth: u32) -> bool {
    let pointer = field.pointer.as_str();
    let is_metadata = pointer == "/_meta" || pointer.starts_with("/_meta/");
    let tokens = u32::try_from(pointer.matches('/').count()).unwrap_or(u32::MAX);
    if tokens == 0 || is_metadata || tokens > depth {
        return false;
    }
    let mut types = field.types.iter().filter(|name| *name != "null");
    let is_object = types.next().is_some_and(|name| name == "object") && types.next().is_none();
    let has_children = || {
        all.iter().any(|other| {
            other.pointer.strip_prefix(pointer).is_some_and(|rest| rest.starts_with('/'))
        })
    };
    tokens == depth || !is_object || depth != u32::MAX && !has_children()
}

/// The outcome of visiting all fields.
struct Selection<'r> {
    selected: BTreeMap<&'r str, &'r Arc<Projection>>,
    /// Fields that must be stored but cannot be.
    conflicts: Vec<(&'r Projection, Reason)>,
}

impl<'r> Selection<'r> {
    fn new(request: &FieldRequest<'r>, wishes: &Wishes<'_>) -> Self {
        let projections = &request.read.known.checked.projections;
        let mut fields: Vec<(&Arc<Projection>, Reason)> = projections
            .iter()
            .filter_map(|field| Some((field, wishes.reason(field, request)?)))
            .collect();
        fields.sort_by(|(left, left_reason), (right, right_reason)| {
            right_reason.cmp(left_reason).then_with(|| left.field.cmp(&right.field))
        });
        let excluded: Vec<&str> = projections
            .iter()
            .filter(|field| wishes.exclude.contains_key(field.field.as_str()))
            .filter(|field| field.pointer.strip_prefix('/') == Some(field.field.as_str()))
            .map(|field| field.pointer.as_str())
            .collect();
        let mut selection = Self { selected: BTreeMap::new(), conflicts: Vec::new() };
        let mut stored: Vec<&str> = Vec::new();
        for (field, reason) in fields {
            if is_stored(field, reason, &stored) || is_below(field, reason, &excluded) {
                continue;
            }
            let is_refused =
                wishes.exclude.contains_key(field.field.as_str()) || !has_values(field);
            if !is_refused {
                selection.selected.insert(&field.field, field);
                if !field.pointer.is_empty() {
                    stored.push(&field.pointer);
                }
            } else if reason >= Reason::ConnectorRequires {
                selection.conflicts.push((field, reason));
            }
        }
        selection
    }

    fn into_fields(mut self, wishes: &Wishes<'_>) -> SelectedFields {
        let keys = wishes.group_by.iter().filter_map(|key| self.selected.remove(key.as_str()));
        let keys = keys.cloned().collect();
        let mut document = None;
        let mut values = Vec::new();
        for field in self.selected.into_values() {
            if field.pointer.is_empty() && document.is_none() {
                document = Some(Arc::clone(field));
            } else {
                values.push(Arc::clone(field));
            }
        }
        SelectedFields { keys, values, document }
    }
}

/// Whether the location of a field is stored by another field, and its reason is too weak to store it again.
fn is_stored(field: &Projection, reason: Reason, stored: &[&str]) -> bool {
    let is_weak = matches!(reason, Reason::CoreMetadata | Reason::DesiredDepth);
    is_weak && stored.contains(&field.pointer.as_str()) || is_below(field, reason, stored)
}

fn is_below(field: &Projection, reason: Reason, locations: &[&str]) -> bool {
    reason == Reason::DesiredDepth
        && locations.iter().any(|location| {
            field.pointer.strip_prefix(location).is_some_and(|rest| rest.starts_with('/'))
        })
}

/// Whether a field can hold anything but null.
fn has_values(field: &Projection) -> bool {
    field.types.iter().any(|name| name != "null")
}

fn check_group_by(field: &str, span: Span, request: &FieldRequest<'_>, sink: &mut Sink) {
    let Some(projection) = request.read.known.checked.projection(field) else { return };
    let types = Types::from_names(projection.types.iter().map(String::as_str));
    let types = types.unwrap_or(Types::ANY);
    if !is_key_type(types) {
        sink.report(group_by_wrong_type(projection, types, span, request));
    }
}

/// Two fields that are one column.
fn check_columns(selected: &SelectedFields, request: &FieldRequest<'_>, sink: &mut Sink) {
    let Some(dialect) = request.dialect.and_then(dialect::by_name) else { return };
    let all = selected.keys.iter().chain(&selected.values).chain(&selected.document);
    let mut first_of: HashMap<String, &Projection> = HashMap::new();
    for field in all {
        match first_of.entry(dialect.fold(&field.field)) {
            Entry::Occupied(first) => sink.report(column_collision(field, first.get(), request)),
            Entry::Vacant(vacant) => {
                vacant.insert(field);
            }
        }
    }
}

/// Where a field is declared: its projection, else its location in the schema.
fn field_place(field: &Projection, request: &FieldRequest<'_>) -> Option<Span> {
    let read = request.read;
    if field.explicit {
        return Some(projection_place(read.declared, &field.field));
    }
    let pointer = Pointer::parse(&field.pointer).ok()?;
    declaration_place(read.known.checked.effective_read_schema(), &pointer)
}

fn unknown_materialized_field(field: &str, span: Span, request: &FieldRequest<'_>) -> Diagnostic {
    let read = request.read;
    let names = read.known.checked.projections.iter().map(|known| known.field.as_str());
    let diagnostic = Diagnostic::new(
        &rules::UNKNOWN_MATERIALIZED_FIELD,
        span,
        format!("collection `{}` has no field `{field}`", read.declared.name()),
    )
    .label("no projection and no location of the schema has this name");
    let known = |name| read.known.checked.projection(name);
    let near = nearest(field, names)
        .or_else(|| field.strip_prefix('/').filter(|name| known(name).is_some()));
    match near {
        Some(near) => diagnostic
            .also(known(near).and_then(|known| field_place(known, request)), "this one is similar")
            .fix(Fix::replace(span, near, format!("name `{near}`"))),
        None => diagnostic
            .also(read.declared.name_span(), "the collection is declared here")
            .help("name a field of the collection, or declare a projection"),
    }
}

fn group_by_wrong_type(
    field: &Projection,
    types: Types,
    span: Span,
    request: &FieldRequest<'_>,
) -> Diagnostic {
    let schema = request.read.known.checked.effective_read_schema();
    let pointer = Pointer::parse(&field.pointer).unwrap_or_default();
    Diagnostic::new(
        &rules::GROUP_BY_WRONG_TYPE,
        span,
        format!("rows cannot be told apart by `{}`", field.field),
    )
    .label("a field of `groupBy` has one type: boolean, integer or string")
    .also(type_place(schema, &pointer), format!("the schema admits {} here", type_words(types)))
    .help("group by other fields, or give this one a type in the schema")
}

fn field_conflict(
    field: &Projection,
    reason: Reason,
    wishes: &Wishes<'_>,
    request: &FieldRequest<'_>,
) -> Diagnostic {
    let name = field.field.as_str();
    let excluded = wishes.exclude.get(name).copied();
    let required = wishes.require.get(name).copied();
    let because = match reason {
        Reason::GroupByKey => "it is part of the key of the table",
        Reason::UserRequires => "it is required",
        Reason::ConnectorRequires
        | Reason::PartitionKey
        | Reason::UserDefined
        | Reason::CoreMetadata
        | Reason::DesiredDepth => "the table needs the document to reduce the next one into",
    };
    let new = |span, message| Diagnostic::new(&rules::FIELD_CONFLICT, span, message);
    match excluded {
        Some(span) => new(span, format!("field `{name}` cannot be left out"))
            .label(because)
            .also(required, "it is required here")
            .help("do not exclude the field"),
        None => new(required.unwrap_or(request.source), format!("field `{name}` has no values"))
            .label(because)
            .also(field_place(field, request), "the schema admits none but null here")
            .help("admit values in the schema, or leave the field out"),
    }
}

fn column_collision(
    field: &Projection,
    first: &Projection,
    request: &FieldRequest<'_>,
) -> Diagnostic {
    let span = request.spec.map_or(request.source, |spec| spec.range.in_file(request.file));
    let message = format!("fields `{}` and `{}` are one column", first.field, field.field);
    Diagnostic::new(&rules::COLUMN_COLLISION, span, message)
        .label("the table does not tell these names apart")
        .also(field_place(first, request), format!("`{}` is declared here", first.field))
        .also(field_place(field, request), format!("`{}` is declared here", field.field))
        .help(format!("exclude one of them with `fields: {{exclude: [{}]}}`", field.field))
}
