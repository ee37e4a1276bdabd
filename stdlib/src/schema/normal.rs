//! The strict walk over a bundled schema, and its rewriting to one normal form.
//!
//! The normal form is 2020-12 without `$id`, anchors and dynamic references: every `$ref` is the
//! JSON pointer of another place in the same value. Validation, shapes and reductions all start
//! from it, so that none of them has to know spellings or base URLs. What is faulty is left out of
//! it.

use std::collections::BTreeMap;

use jsonschema::{Registry, Validator};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::check::check;
use super::keywords::{Form, Step, children, form, nearest_keyword, pointer};
use super::options;
use super::resources::{Resources, Site};
use super::violation::most_telling;
use super::{SchemaFailure, SchemaFailureKind, Suggestion};
use crate::shape::Types;
use crate::value::escape;

/// A schema in its normal form, with the way back to the text it came from.
#[derive(Debug)]
pub(crate) struct NormalForm {
    /// The rewritten schema.
    pub(crate) schema: Value,
    /// Every fault of the text, in its order.
    pub(crate) faults: Vec<SchemaFailure>,
    /// The places of schemas as written, by their places in the normal form.
    origins: BTreeMap<String, String>,
}

impl NormalForm {
    pub(crate) fn new(schema: &Value) -> Self {
        let mut resources = Resources::new(schema);
        let mut rewriter = Rewriter {
            faults: std::mem::take(&mut resources.faults),
            resources: &resources,
            origins: BTreeMap::new(),
            extras: Vec::new(),
        };
        let mut normal = Value::Bool(true);
        for site in &resources.sites {
            let local = rewriter.rewrite(site);
            put(&mut normal, &site.normal, local);
            rewriter.origins.insert(pointer(&site.normal), site.pointer.clone());
        }
        let Rewriter { faults, mut origins, extras, .. } = rewriter;
        for Extra { place, schema, origin } in extras {
            let Some(Value::Object(object)) = normal.pointer_mut(&place) else { continue };
            let all = object.entry("allOf").or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(all) = all {
                let added = format!("{place}/allOf/{}", all.len());
                // What is told of a part of the addition is told of the keyword that it stands for.
                let parts = schema.as_object().into_iter().flatten();
                origins.extend(
                    parts.map(|(keyword, _)| (format!("{added}/{keyword}"), origin.clone())),
                );
                origins.insert(added, origin);
                all.push(schema);
            }
        }
        let mut normal = Self { schema: normal, faults, origins };
        normal.refuse_endless();
        normal
    }

    /// The place in the schema as written of a place in the normal form.
    pub(crate) fn origin(&self, place: &str) -> String {
        let mut prefix = place;
        loop {
            if let Some(origin) = self.origins.get(prefix) {
                let rest = place.strip_prefix(prefix).unwrap_or_default();
                return format!("{origin}{rest}");
            }
            match prefix.rsplit_once('/') {
                Some((outer, _)) => prefix = outer,
                None => return place.to_owned(),
            }
        }
    }

    /// The validator of the schema at a place of the normal form.
    pub(crate) fn validator_at(&self, place: &str) -> Option<Validator> {
        let registry = Registry::new().add(ROOT_URL, &self.schema).ok()?.prepare().ok()?;
        let reference = format!("{ROOT_URL}#{}", utf8_percent_encode(place, &FRAGMENT));
        options().with_registry(&registry).build(&json!({"$ref": reference})).ok()
    }

    /// Why `value` is not valid under the schema at a place of the normal form.
    pub(crate) fn fault_at(&self, place: &str, value: &Value) -> Option<String> {
        let validator = self.validator_at(place)?;
        let errors: Vec<_> = validator.iter_errors(value).collect();
        most_telling(&errors, value, self).map(|violation| violation.message)
    }

    /// A schema whose in-place parts lead back to itself would validate forever.
    fn refuse_endless(&mut self) {
        for place in endless(&self.schema) {
            let advice = "let it refer to itself from a property or an item".to_owned();
            self.faults.push(SchemaFailure::malformed(
                self.origin(&place),
                "the schema refers to itself without end".to_owned(),
                Some(Suggestion::Advice(advice)),
            ));
            if let Some(Value::Object(object)) = self.schema.pointer_mut(&place) {
                object.clear();
            }
        }
    }
}

/// The URL of the normal form, for references into it from outside.
const ROOT_URL: &str = "bundle:/normal";

/// A schema that must hold beside the keywords of another one.
struct Extra {
    place: String,
    schema: Value,
    /// Where its text stands.
    origin: String,
}

struct Rewriter<'r, 's> {
    resources: &'r Resources<'s>,
    faults: Vec<SchemaFailure>,
    origins: BTreeMap<String, String>,
    extras: Vec<Extra>,
}

/// Keywords whose meaning is used up by the rewriting, or that speak to people and tools only.
const DROPPED: [&str; 7] = [
    "$schema",
    "$vocabulary",
    "$comment",
    "$recursiveAnchor",
    "nullable",
    "discriminator",
    "contentSchema",
];

impl Rewriter<'_, '_> {
    /// The keywords of one schema without its subschemas.
    fn rewrite(&mut self, site: &Site<'_>) -> Value {
        let object = match site.schema {
            Value::Bool(_) => return site.schema.clone(),
            Value::Object(object) => object,
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                let message = "a schema is an object, `true` or `false`".to_owned();
                self.fault(site.pointer.clone(), message, None);
                return Value::Bool(true);
            }
        };
        let mut local = Map::new();
        for (keyword, value) in object {
            let at = format!("{}/{}", site.pointer, escape(keyword));
            let Some(form) = form(keyword, site.draft_7) else {
                let near = nearest_keyword(keyword);
                self.faults.push(SchemaFailure {
                    pointer: at,
                    kind: SchemaFailureKind::UnknownKeyword,
                    message: format!("unknown keyword `{keyword}`"),
                    suggestion: near.map(|near| Suggestion::Word(near.to_owned())),
                });
                continue;
            };
            let faults_before = self.faults.len();
            check(keyword, form, value, &at, &mut self.faults);
            if self.faults.len() > faults_before {
                continue;
            }
            self.keyword(site, object, (keyword, form, value), &mut local);
        }
        if !object.contains_key("contains") {
            local.remove("minContains");
            local.remove("maxContains");
        }
        Value::Object(local)
    }

    /// Rewrites one sound keyword of a schema.
    fn keyword(
        &mut self,
        site: &Site<'_>,
        object: &Map<String, Value>,
        (keyword, form, value): (&str, Form, &Value),
        local: &mut Map<String, Value>,
    ) {
        match form {
            Form::Reference => self.reference(site, keyword, value, local),
            Form::Type => self.types(site, object, value, local),
            Form::Dependencies => self.dependencies(site, object, value, local),
            // Subschemas are rewritten at their own places.
            Form::Identifier
            | Form::Anchor
            | Form::Schema
            | Form::Schemas
            | Form::NamedSchemas
            | Form::PatternSchemas
            | Form::Items => {}
            Form::Any
            | Form::Boolean
            | Form::Number
            | Form::Divisor
            | Form::Count
            | Form::Order
            | Form::Text
            | Form::Texts
            | Form::TextLists
            | Form::List
            | Form::Object
            | Form::Pattern
            | Form::Format
            | Form::NumericBound
            | Form::Reduce
            | Form::Redact => {
                if form == Form::Format && value == "datetime" {
                    local.insert(keyword.to_owned(), Value::from("date-time"));
                } else if !DROPPED.contains(&keyword) {
                    local.insert(keyword.to_owned(), value.clone());
                }
            }
        }
    }

    fn reference(
        &mut self,
        site: &Site<'_>,
        keyword: &str,
        value: &Value,
        local: &mut Map<String, Value>,
    ) {
        let Value::String(reference) = value else { return };
        let at = format!("{}/{keyword}", site.pointer);
        let target = self
            .resources
            .resolve(site, keyword, reference)
            .and_then(|target| self.resources.sites.get(target));
        let Some(target) = target else {
            let message = format!("`{keyword}` leads to `{reference}`, where there is no schema");
            return self.fault(at, message, None);
        };
        let target = pointer(&target.normal);
        let target = format!("#{}", utf8_percent_encode(&target, &FRAGMENT));
        if local.contains_key("$ref") {
            let schema = json!({"$ref": target});
            return self.extra(site, schema, site.pointer.clone());
        }
        local.insert("$ref".to_owned(), Value::String(target));
    }

    /// `nullable` becomes a type, and `fractional` a number that is no integer.
    fn types(
        &mut self,
        site: &Site<'_>,
        object: &Map<String, Value>,
        value: &Value,
        local: &mut Map<String, Value>,
    ) {
        let Some(mut types) = Types::read(value) else { return };
        if object.get("nullable") == Some(&Value::Bool(true)) {
            types = types.or(Types::NULL);
        }
        let only_fractional = types.overlaps(Types::FRACTIONAL) && !types.overlaps(Types::INTEGER);
        if !only_fractional {
            let names = types.names();
            let names = match names.as_slice() {
                [single] => json!(single),
                several => json!(several),
            };
            local.insert("type".to_owned(), names);
            return;
        }
        local.insert("type".to_owned(), json!(types.or(Types::NUMBER).names()));
        let schema = json!({"not": {"type": "integer"}});
        self.extra(site, schema, format!("{}/type", site.pointer));
    }

    /// Draft 7 kept two keywords of today in one.
    fn dependencies(
        &mut self,
        site: &Site<'_>,
        object: &Map<String, Value>,
        value: &Value,
        local: &mut Map<String, Value>,
    ) {
        let lists: Map<String, Value> = value
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, list)| list.is_array())
            .map(|(name, list)| (name.clone(), list.clone()))
            .collect();
        if lists.is_empty() || object.contains_key("dependentRequired") {
            return;
        }
        local.insert("dependentRequired".to_owned(), Value::Object(lists));
        self.origins.insert(
            format!("{}/dependentRequired", pointer(&site.normal)),
            format!("{}/dependencies", site.pointer),
        );
    }

    fn extra(&mut self, site: &Site<'_>, schema: Value, origin: String) {
        self.extras.push(Extra { place: pointer(&site.normal), schema, origin });
    }

    fn fault(&mut self, pointer: String, message: String, suggestion: Option<Suggestion>) {
        self.faults.push(SchemaFailure::malformed(pointer, message, suggestion));
    }
}

/// What must be escaped in the fragment of a URL, and a little more.
const FRAGMENT: AsciiSet =
    NON_ALPHANUMERIC.remove(b'/').remove(b'$').remove(b'_').remove(b'-').remove(b'.').remove(b'~');

/// Puts the local keywords of a schema at their place, creating what contains it.
fn put(root: &mut Value, path: &[Step], local: Value) {
    let mut place = root;
    for step in path {
        place = match step {
            Step::Name(name) => {
                if !place.is_object() {
                    *place = Value::Object(Map::new());
                }
                let Value::Object(object) = place else { return };
                object.entry(name).or_insert(Value::Null)
            }
            Step::Index(index) => {
                if !place.is_array() {
                    *place = Value::Array(Vec::new());
                }
                let Value::Array(items) = place else { return };
                // Sites come in order, so an index is at most one beyond the end.
                if items.len() <= *index {
                    items.push(Value::Null);
                }
                let Some(item) = items.get_mut(*index) else { return };
                item
            }
        };
    }
    *place = local;
}

/// The places of schemas that lead back to themselves through references and other in-place
/// keywords.
fn endless(root: &Value) -> Vec<String> {
    let mut state = BTreeMap::new();
    let mut found = Vec::new();
    let mut starts = Vec::new();
    schemas(root, &mut String::new(), &mut starts);
    for start in starts {
        let mut path = vec![(start, false)];
        while let Some((place, left)) = path.pop() {
            if left {
                state.insert(place, Visit::Done);
                continue;
            }
            match state.get(&place) {
                Some(Visit::Done) => continue,
                Some(Visit::Open) => {
                    if !found.contains(&place) {
                        found.push(place);
                    }
                    continue;
                }
                None => {}
            }
            state.insert(place.clone(), Visit::Open);
            path.push((place.clone(), true));
            let inner = root.pointer(&place).map(|schema| in_place(schema, &place));
            path.extend(inner.into_iter().flatten().map(|inner| (inner, false)));
        }
    }
    found
}

enum Visit {
    Open,
    Done,
}

/// The places of all schemas of a normal form at or below `place`.
fn schemas(schema: &Value, place: &mut String, found: &mut Vec<String>) {
    found.push(place.clone());
    let Value::Object(object) = schema else { return };
    for child in children(object, false) {
        let length = place.len();
        place.push_str(&pointer(&child.normal));
        schemas(child.schema, place, found);
        place.truncate(length);
    }
}

/// The places of the schemas that apply to the same value as the schema at `place`.
fn in_place(schema: &Value, place: &str) -> Vec<String> {
    let Value::Object(object) = schema else { return Vec::new() };
    let mut places: Vec<String> = children(object, false)
        .into_iter()
        .filter(|child| match child.normal.first() {
            Some(Step::Name(keyword)) => IN_PLACE.contains(&keyword.as_str()),
            Some(Step::Index(_)) | None => false,
        })
        .map(|child| format!("{place}{}", pointer(&child.normal)))
        .collect();
    places.extend(target(object));
    places
}

const IN_PLACE: [&str; 8] =
    ["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"];

/// The place that the `$ref` of a schema in the normal form leads to.
pub(crate) fn target(object: &Map<String, Value>) -> Option<String> {
    let reference = object.get("$ref")?.as_str()?.strip_prefix('#')?;
    Some(percent_decode_str(reference).decode_utf8_lossy().into_owned())
}
