//! The strict walk over a bundled schema, and its rewriting to one normal form.
//!
//! The normal form is 2020-12 without `$id`, anchors and dynamic references: every `$ref` is the
//! JSON pointer of another place in the same value. Validation, shapes and reductions all start
//! from it, so that none of them has to know spellings or base URLs. Where a dynamic reference
//! means different schemas depending on what validation has come through, the normal form has a
//! copy for each meaning below `$defs`. What is faulty is left out of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::OnceLock;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::check::check;
use super::endless::{Copied, Loops};
use super::keywords::{Form, Keywords, Part, Step, find, nearest_keyword};
use super::library::Library;
use super::program::{Program, Verdict};
use super::resources::{Resources, Scope, Site, Target};
use super::{SchemaFailure, SchemaFailureKind, Suggestion, Violation};
use crate::document::Document;
use crate::limits::{SCHEMA_COPIED_SITES_MAX, SCHEMA_COPIES_MAX};
use crate::shape::Types;
use crate::value::escape;

/// A schema in its normal form, with the way back to the text it came from. Shapes, validators and
/// reductions are made of it.
#[derive(Debug)]
pub struct NormalForm {
    /// The rewritten schema.
    pub(crate) schema: Value,
    /// Every fault of the text, in its order.
    pub(crate) faults: Vec<SchemaFailure>,
    /// The keywords of all schemas as written.
    keywords: Keywords,
    /// The places of schemas as written, by their places in the normal form, where they differ.
    origins: BTreeMap<String, String>,
    /// Made when the first document is to be validated.
    program: OnceLock<Result<Program, SchemaFailure>>,
    /// Made when the first violation is to be told.
    library: OnceLock<Library>,
}

impl PartialEq for NormalForm {
    fn eq(&self, other: &Self) -> bool {
        // The rest follows from these.
        self.schema == other.schema && self.faults == other.faults && self.origins == other.origins
    }
}

impl NormalForm {
    /// Rewrites a bundled schema: every reference leads to a place inside the same value.
    pub fn new(schema: &Value) -> Self {
        let mut resources = Resources::new(schema);
        let mut rewriter = Rewriter {
            faults: std::mem::take(&mut resources.faults),
            keywords: Keywords::default(),
            resources: &resources,
            origins: BTreeMap::new(),
            loops: Loops::default(),
            home: home_scopes(&resources),
            copies: BTreeMap::new(),
            queue: VecDeque::new(),
            copied_sites: 0,
        };
        let mut normal = rewriter.root();
        rewriter.refuse_endless(&mut normal);
        let Rewriter { faults, keywords, origins, .. } = rewriter;
        let (program, library) = (OnceLock::new(), OnceLock::new());
        Self { schema: normal, faults, keywords, origins, program, library }
    }

    /// Every fault of the text, in its order. A schema without faults can be used for everything.
    pub fn faults(&self) -> &[SchemaFailure] {
        &self.faults
    }

    /// The keywords that the schema has anywhere, as written.
    pub fn keywords(&self) -> Keywords {
        self.keywords
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

    /// The place in the normal form of a schema at a place in the text as written, if there is one.
    pub(crate) fn place(&self, written: &str) -> Option<String> {
        let below = |origin: &str| {
            let rest = written.strip_prefix(origin)?;
            (rest.is_empty() || rest.starts_with('/')).then_some(rest)
        };
        let moved = self.origins.iter().filter_map(|(place, origin)| {
            Some((origin.len(), format!("{place}{}", below(origin)?)))
        });
        let nearest = moved.max_by_key(|(length, _)| *length).map(|(_, place)| place);
        let place = nearest.unwrap_or_else(|| written.to_owned());
        self.schema.pointer(&place).is_some().then_some(place)
    }

    /// The reference, in the schema as written, to a place in the normal form.
    pub(crate) fn reference(&self, place: &str) -> String {
        format!("#{}", utf8_percent_encode(&self.origin(place), &FRAGMENT))
    }

    /// The program of the schema, which must have no faults.
    ///
    /// # Errors
    /// The schema is too large to be compiled.
    pub(crate) fn program(&self) -> Result<&Program, &SchemaFailure> {
        self.program.get_or_init(|| Program::compile(self)).as_ref()
    }

    /// Why `document` is not valid under the schema at a place of the normal form.
    pub(crate) fn violation_at(&self, place: &str, document: &Value) -> Option<Violation> {
        let program = self.program().ok()?;
        let owned = Document::from_value(document);
        match program.decide(program.schema_at(place)?, owned.root()) {
            Verdict::Valid => None,
            Verdict::Invalid => {
                let size = owned.root().size();
                let told = self.library()?.violation(self, place, document, size);
                Some(told.unwrap_or_else(|| {
                    Violation::of_all("the document does not satisfy its schema")
                }))
            }
            Verdict::Exhausted => {
                Some(Violation::of_all("to validate the document takes too many steps"))
            }
        }
    }

    fn library(&self) -> Option<&Library> {
        let program = self.program().ok()?;
        Some(self.library.get_or_init(|| Library::new(&self.schema, program)))
    }

    /// Why `value` is not valid under the schema at a place of the normal form.
    pub(crate) fn fault_at(&self, place: &str, value: &Value) -> Option<String> {
        self.violation_at(place, value).map(|violation| violation.message)
    }
}

/// The scope in which each schema is met when validation goes down to it from the root without
/// following references; nothing when no reference asks.
fn home_scopes(resources: &Resources<'_>) -> Vec<Scope> {
    if !resources.is_dynamic {
        return Vec::new();
    }
    let mut scopes: Vec<Scope> = Vec::with_capacity(resources.sites.len());
    for site in &resources.sites {
        let around = site.around.as_ref().and_then(|(outer, ..)| scopes.get(*outer));
        let scope = resources.enter(around.unwrap_or(&Scope::new()), site.resource);
        scopes.push(scope);
    }
    scopes
}

struct Rewriter<'r, 's> {
    resources: &'r Resources<'s>,
    faults: Vec<SchemaFailure>,
    keywords: Keywords,
    origins: BTreeMap<String, String>,
    loops: Loops,
    home: Vec<Scope>,
    /// The copies of schemas that are met in another scope than that of their place.
    copies: BTreeMap<(usize, Scope), usize>,
    /// The copies that are still to be made.
    queue: VecDeque<(usize, Scope)>,
    copied_sites: usize,
}

/// In which of its copies a schema is rewritten.
#[derive(Debug, Clone, Copy)]
struct Copy<'c> {
    copied: Copied,
    scope: &'c Scope,
}

/// The schema that is rewritten.
struct Here<'h, 's> {
    index: usize,
    site: &'h Site<'s>,
    object: &'s Map<String, Value>,
    /// Its place in the normal form.
    place: &'h str,
    copy: Option<Copy<'h>>,
    /// Its number among all that are rewritten.
    number: usize,
    /// What must hold beside its keywords, and the places of the keywords that say so.
    extras: Vec<(Value, String)>,
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
    /// The whole schema with all copies.
    fn root(&mut self) -> Value {
        let mut normal = self.rewrite(&mut 0, &mut String::new(), None);
        while let Some((site, scope)) = self.queue.pop_front() {
            let Some(&number) = self.copies.get(&(site, scope.clone())) else { continue };
            let name = self.copy_name(number);
            let mut place = format!("/$defs/{name}");
            self.origins.insert(place.clone(), self.resources.pointer(site));
            let copy = Copy { copied: Copied { number, root: site }, scope: &scope };
            let value = self.rewrite(&mut { site }, &mut place, Some(copy));
            if let Value::Object(object) = &mut normal {
                let step = Step { keyword: "$defs", part: Some(Part::Name(name.into())) };
                insert(object, &step, value);
            }
        }
        normal
    }

    /// One schema with its subschemas, which follow it in the list of sites.
    fn rewrite(&mut self, at: &mut usize, place: &mut String, copy: Option<Copy<'_>>) -> Value {
        let resources = self.resources;
        let index = *at;
        let Some(site) = resources.sites.get(index) else { return Value::Bool(true) };
        *at += 1;
        let number = self.loops.add(index, copy.map(|copy| copy.copied));
        self.copied_sites += usize::from(copy.is_some());
        let object = match site.schema {
            Value::Bool(_) => return site.schema.clone(),
            Value::Object(object) => object,
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                let message = "a schema is an object, `true` or `false`".to_owned();
                let at = resources.pointer(index);
                self.fault(copy, SchemaFailure::malformed(at, message, None));
                return Value::Bool(true);
            }
        };
        let mut here = Here { index, site, object, place, copy, number, extras: Vec::new() };
        let mut local = self.keywords(&mut here);
        let extras = here.extras;
        while let Some(child) = resources.sites.get(*at)
            && let Some((_, written, normal)) =
                child.around.as_ref().filter(|(outer, ..)| *outer == index)
        {
            let length = place.len();
            normal.push_to(place);
            if written != normal {
                self.origins.insert(place.clone(), resources.pointer(*at));
            }
            self.loops.contains(number, normal.keyword);
            let scope = copy.filter(|_| child.resource != site.resource);
            let scope = scope.map(|copy| resources.enter(copy.scope, child.resource));
            let copy = match (&scope, copy) {
                (Some(scope), Some(copy)) => Some(Copy { scope, ..copy }),
                (_, copy) => copy,
            };
            let value = self.rewrite(at, place, copy);
            place.truncate(length);
            insert(&mut local, normal, value);
        }
        for (schema, origin) in extras {
            self.add_extra(&mut local, place, schema, &origin);
        }
        Value::Object(local)
    }

    /// Demands a further schema beside the keywords of another one.
    fn add_extra(
        &mut self,
        local: &mut Map<String, Value>,
        place: &str,
        schema: Value,
        origin: &str,
    ) {
        let all = local.entry("allOf").or_insert_with(|| Value::Array(Vec::new()));
        let Value::Array(all) = all else { return };
        let added = format!("{place}/allOf/{}", all.len());
        // What is told of a part of the addition is told of the keyword that it stands for.
        for (keyword, _) in schema.as_object().into_iter().flatten() {
            self.origins.insert(format!("{added}/{keyword}"), origin.to_owned());
        }
        self.origins.insert(added, origin.to_owned());
        all.push(schema);
    }

    /// The keywords of one schema without its subschemas.
    fn keywords(&mut self, here: &mut Here<'_, '_>) -> Map<String, Value> {
        let mut local = Map::new();
        let mut faults = Vec::new();
        for (keyword, value) in here.object {
            match find(keyword, here.site.draft_7) {
                Some(known) => {
                    self.keywords.add(known);
                    check(keyword, known.form, value, &mut faults);
                    if faults.is_empty() {
                        self.keyword(here, (keyword, known.form, value), &mut local);
                    }
                }
                None => faults.push(SchemaFailure {
                    pointer: format!("/{}", escape(keyword)),
                    kind: SchemaFailureKind::UnknownKeyword,
                    message: format!("unknown keyword `{keyword}`"),
                    suggestion: nearest_keyword(keyword)
                        .map(|near| Suggestion::Word(near.to_owned())),
                }),
            }
            for mut fault in faults.drain(..) {
                fault.pointer.insert_str(0, &self.resources.pointer(here.index));
                self.fault(here.copy, fault);
            }
        }
        if !here.object.contains_key("contains") {
            local.remove("minContains");
            local.remove("maxContains");
        }
        local
    }

    /// Rewrites one sound keyword of a schema.
    fn keyword(
        &mut self,
        here: &mut Here<'_, '_>,
        (keyword, form, value): (&str, Form, &Value),
        local: &mut Map<String, Value>,
    ) {
        match form {
            Form::Reference => self.reference(here, keyword, value, local),
            Form::Type => self.types(here, value, local),
            Form::Dependencies => self.dependencies(here, value, local),
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
        here: &mut Here<'_, '_>,
        keyword: &str,
        value: &Value,
        local: &mut Map<String, Value>,
    ) {
        let Value::String(reference) = value else { return };
        let target = self.resources.resolve(here.site.resource, keyword, reference);
        let Some(target) = target else {
            let at = format!("{}/{keyword}", self.resources.pointer(here.index));
            let message = format!("`{keyword}` leads to something that is no schema");
            return self.fault(here.copy, SchemaFailure::malformed(at, message, None));
        };
        let place = self.place(here, &target);
        let place = format!("#{}", utf8_percent_encode(&place, &FRAGMENT));
        if local.contains_key("$ref") {
            let origin = self.resources.pointer(here.index);
            return here.extras.push((json!({"$ref": place}), origin));
        }
        local.insert("$ref".to_owned(), Value::String(place));
    }

    /// The place of the schema that a reference means here.
    fn place(&mut self, here: &Here<'_, '_>, target: &Target) -> String {
        let resources = self.resources;
        let of_place = self.home.get(here.index);
        let Some(scope) = here.copy.map(|copy| copy.scope).or(of_place) else {
            let site = target.site(&Scope::new());
            self.loops.leads(here.number, site, None);
            return resources.normal_pointer(site);
        };
        let site = target.site(scope);
        let resource = resources.sites.get(site).map_or(0, |site| site.resource);
        let scope = resources.enter(scope, resource);
        if self.home.get(site) == Some(&scope) {
            self.loops.leads(here.number, site, None);
            return resources.normal_pointer(site);
        }
        let copy = self.copy_number(site, scope);
        self.loops.leads(here.number, site, copy);
        match copy {
            Some(number) => format!("/$defs/{}", self.copy_name(number)),
            None => {
                let message = "dynamic references make too many variants of this schema";
                let at = resources.pointer(here.index);
                self.faults.push(SchemaFailure::malformed(at, message.to_owned(), None));
                resources.normal_pointer(site)
            }
        }
    }

    /// The number of the copy of a schema for a scope; nothing when there are too many.
    fn copy_number(&mut self, site: usize, scope: Scope) -> Option<usize> {
        let number = self.copies.len();
        if let Some(number) = self.copies.get(&(site, scope.clone())) {
            return Some(*number);
        }
        if number >= SCHEMA_COPIES_MAX || self.copied_sites >= SCHEMA_COPIED_SITES_MAX {
            return None;
        }
        self.copies.insert((site, scope.clone()), number);
        self.queue.push_back((site, scope));
        Some(number)
    }

    /// The name of a copy below `$defs`, which no definition has.
    fn copy_name(&self, number: usize) -> String {
        let mut name = format!("dynamic{number}");
        let root = self.resources.sites.first().map(|site| site.schema);
        let definitions = ["$defs", "definitions"].map(|keyword| root?.get(keyword));
        while definitions.into_iter().flatten().any(|names| names.get(&name).is_some()) {
            name.insert(0, '#');
        }
        name
    }

    /// `nullable` becomes a type, and `fractional` a number that is no integer.
    fn types(&mut self, here: &mut Here<'_, '_>, value: &Value, local: &mut Map<String, Value>) {
        let Some(mut types) = Types::read(value) else { return };
        let is_normal = matches!(value, Value::String(name) if name != "fractional");
        if is_normal && !here.object.contains_key("nullable") {
            local.insert("type".to_owned(), value.clone());
            return;
        }
        if here.object.get("nullable") == Some(&Value::Bool(true)) {
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
        let origin = format!("{}/type", self.resources.pointer(here.index));
        here.extras.push((json!({"not": {"type": "integer"}}), origin));
    }

    /// Draft 7 kept two keywords of today in one.
    fn dependencies(&mut self, here: &Here<'_, '_>, value: &Value, local: &mut Map<String, Value>) {
        let lists: Map<String, Value> = value
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, list)| list.is_array())
            .map(|(name, list)| (name.clone(), list.clone()))
            .collect();
        if lists.is_empty() || here.object.contains_key("dependentRequired") {
            return;
        }
        local.insert("dependentRequired".to_owned(), Value::Object(lists));
        self.origins.insert(
            format!("{}/dependentRequired", here.place),
            format!("{}/dependencies", self.resources.pointer(here.index)),
        );
    }

    /// A schema whose in-place parts lead back to itself would validate forever.
    fn refuse_endless(&mut self, normal: &mut Value) {
        let mut refused = BTreeSet::new();
        for (site, copy) in self.loops.find() {
            if refused.insert(site) {
                let advice = "let it refer to itself from a property or an item".to_owned();
                self.faults.push(SchemaFailure::malformed(
                    self.resources.pointer(site),
                    "the schema refers to itself without end".to_owned(),
                    Some(Suggestion::Advice(advice)),
                ));
            }
            let place = self.resources.normal_pointer(site);
            let place = match copy {
                None => place,
                Some(Copied { number, root }) => {
                    let around = self.resources.normal_pointer(root);
                    let inside = place.strip_prefix(&around).unwrap_or_default();
                    format!("/$defs/{}{inside}", self.copy_name(number))
                }
            };
            if let Some(Value::Object(object)) = normal.pointer_mut(&place) {
                object.clear();
            }
        }
    }

    /// Copies have the faults of what they are made of, which are known.
    fn fault(&mut self, copy: Option<Copy<'_>>, fault: SchemaFailure) {
        if copy.is_none() {
            self.faults.push(fault);
        }
    }
}

/// Puts a subschema at its place in the schema around it.
fn insert(schema: &mut Map<String, Value>, step: &Step<'_>, subschema: Value) {
    let Some(part) = &step.part else {
        schema.insert(step.keyword.to_owned(), subschema);
        return;
    };
    if !schema.contains_key(step.keyword) {
        let empty = match part {
            Part::Name(_) => Value::Object(Map::new()),
            Part::Index(_) => Value::Array(Vec::new()),
        };
        schema.insert(step.keyword.to_owned(), empty);
    }
    match (part, schema.get_mut(step.keyword)) {
        (Part::Name(name), Some(Value::Object(named))) => {
            named.insert(name.clone().into_owned(), subschema);
        }
        (Part::Index(_), Some(Value::Array(items))) => items.push(subschema),
        (Part::Name(_) | Part::Index(_), _) => {}
    }
}

/// What must be escaped in the fragment of a URL, and a little more.
pub(super) const FRAGMENT: AsciiSet =
    NON_ALPHANUMERIC.remove(b'/').remove(b'$').remove(b'_').remove(b'-').remove(b'.').remove(b'~');

/// The place that the `$ref` of a schema in the normal form leads to.
pub(crate) fn target(object: &Map<String, Value>) -> Option<String> {
    target_of(object.get("$ref")?)
}

/// The place that the value of a `$ref` in the normal form leads to.
pub(crate) fn target_of(reference: &Value) -> Option<String> {
    let reference = reference.as_str()?.strip_prefix('#')?;
    Some(percent_decode_str(reference).decode_utf8_lossy().into_owned())
}
