//! From a tree to specs. Never fails; problems are in the specs.
//!
//! A walk over the tree and the field tables reports what does not fit; then the typed binders of each kind of declaration read what
//! does. A misspelt field is reported and then read as the field it most likely means, so that one mistake stays one
//! diagnostic.

use super::field::{Field, FieldKind, Table};
use super::legacy::{
    IMPORT_BY_URL, LIST_WITH_NAMES, LegacyField, MAPPING_BY_NAME, SHUFFLE_BY_KEY, legacy_field,
};
use super::root::{ROOT, root};
use super::{InlineOrFile, Spanned, Specs};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::diag::nearest;
use crate::source::Range;
use crate::syntax::{Entry, NodeId, NodeKind, Tree};

/// Something that could not be bound, file-relative.
#[derive(Debug, Clone, PartialEq)]
pub struct BindProblem {
    /// What it is.
    pub kind: BindProblemKind,
    /// The bytes at fault.
    pub range: Range,
}

/// The kinds of problems of binding; each is a rule.
#[derive(Debug, Clone, PartialEq)]
pub enum BindProblemKind {
    /// A field that the table does not have.
    UnknownField {
        /// The field as written.
        field: String,
        /// What the object is called.
        noun: &'static str,
        /// The nearest known field, if one is near.
        nearest: Option<&'static str>,
    },
    /// A value of another type than the field has.
    WrongType {
        /// The field, or in back-ticks and words what the value belongs to; empty for the file as a whole.
        field: String,
        /// What is expected, such as `a list of JSON pointers`.
        expected: String,
        /// What was found, such as `a text`.
        found: String,
        /// What to write instead of these bytes, when that is known.
        replacement: Option<String>,
    },
    /// Required fields are missing.
    MissingFields {
        /// The fields.
        fields: Vec<&'static str>,
        /// What the object is called.
        noun: &'static str,
    },
    /// A field that is given once more, under another of its names.
    RepeatedField {
        /// The field.
        field: &'static str,
        /// Where it is given first.
        first: Range,
    },
    /// None or several of fields of which an object has exactly one.
    Choice {
        /// What the object is called.
        noun: &'static str,
        /// The fields.
        fields: Vec<&'static str>,
        /// How many of them there are.
        found: usize,
    },
    /// A key that holds a field and the beginning of its value, because the colon is missing.
    MissingColon {
        /// The field.
        field: &'static str,
    },
    /// A field that the language had.
    LegacyField(&'static LegacyField),
    /// A value in a form that the language had.
    LegacyForm {
        /// The field, or in back-ticks and words what the value belongs to.
        field: String,
        /// What to do, as an imperative.
        advice: &'static str,
    },
    /// A `storageMappings` section, which catalogs no longer have.
    StorageMappings,
    /// A `derive` that stands beside collections instead of in one.
    MisplacedDerive {
        /// The bytes of the whole block, its key included.
        block: Range,
        /// The name of the collection before it.
        collection: Option<(String, Range)>,
    },
}

impl BindProblemKind {
    /// Whether a value was left out because of it, so that what seems to be missing may have been there.
    pub const fn loses_text(&self) -> bool {
        match self {
            Self::MissingColon { .. } => true,
            Self::UnknownField { .. }
            | Self::WrongType { .. }
            | Self::MissingFields { .. }
            | Self::RepeatedField { .. }
            | Self::Choice { .. }
            | Self::LegacyField(_)
            | Self::LegacyForm { .. }
            | Self::MisplacedDerive { .. }
            | Self::StorageMappings => false,
        }
    }
}

/// Binds the declarations of a catalog file.
pub fn bind(tree: &Tree) -> Specs {
    let mut binder = Binder { tree, problems: Vec::new() };
    let node = tree.root();
    let is_empty = matches!(tree.node(node).kind, NodeKind::Null);
    if !is_empty {
        binder.check(node, FieldKind::Object(&ROOT), "", tree.node(node).range);
    }
    if let Some(entry) = binder.entry(node, &ROOT, "storageMappings") {
        binder.report(BindProblemKind::StorageMappings, entry.key_range);
    }
    let mut specs = root(&mut binder, node);
    specs.problems = binder.problems;
    set_aside_misplaced_derive(tree, &mut specs);
    specs.problems.sort_by_key(|problem| problem.range);
    specs.problems.dedup();
    specs
}

/// Takes a `derive` beside collections for what it is: neither a collection of that name nor one with unknown fields.
fn set_aside_misplaced_derive(tree: &Tree, specs: &mut Specs) {
    let Some(collections) = tree.entry(tree.root(), "collections") else { return };
    let entries = tree.entries(collections.value);
    let has = |entry: &Entry, field: &str| tree.entry(entry.value, field).is_some();
    let Some(index) = entries.iter().position(|entry| {
        entry.key == "derive"
            && (has(entry, "using") || has(entry, "transforms"))
            && !has(entry, "schema")
            && !has(entry, "key")
    }) else {
        return;
    };
    let (before, rest) = entries.split_at(index);
    let Some(derive) = rest.first() else { return };
    let block = Range::new(derive.key_range.start, tree.node(derive.value).range.end);
    let is_inside = |range: Range| block.start <= range.start && range.end <= block.end;
    specs.collections.retain(|collection| collection.name.range != derive.key_range);
    specs.problems.retain(|problem| !is_inside(problem.range));
    let collection = before.last().map(|entry| (entry.key.clone(), entry.key_range));
    let kind = BindProblemKind::MisplacedDerive { block, collection };
    specs.problems.push(BindProblem { kind, range: derive.key_range });
}

/// Reads values of a tree, and collects what does not fit.
pub(super) struct Binder<'t> {
    pub(super) tree: &'t Tree,
    problems: Vec<BindProblem>,
}

/// The walk that reports.
impl Binder<'_> {
    fn report(&mut self, kind: BindProblemKind, range: Range) {
        self.problems.push(BindProblem { kind, range });
    }

    /// Checks a value; `at` is where it is named, for what has no bytes of its own.
    fn check(&mut self, node: NodeId, kind: FieldKind, field: &str, at: Range) {
        let tree = self.tree;
        match kind {
            FieldKind::OneOf(kinds) => match kinds.iter().find(|kind| self.fits(node, **kind)) {
                Some(kind) => self.check(node, *kind, field, at),
                None => self.wrong_type(node, kind, field, at),
            },
            _ if !self.fits(node, kind) => self.wrong_type(node, kind, field, at),
            FieldKind::Object(table) => self.check_object(node, table, at),
            FieldKind::List(kind) => {
                let item_of = format!("an item of `{field}`");
                for item in tree.items(node) {
                    self.check(*item, *kind, &item_of, self.start_of(*item));
                }
            }
            FieldKind::Map(kind) => {
                for entry in tree.entries(node) {
                    self.check(entry.value, *kind, &entry.key, entry.key_range);
                }
            }
            FieldKind::Boolean
            | FieldKind::Unsigned
            | FieldKind::Integer
            | FieldKind::String
            | FieldKind::CollectionName
            | FieldKind::Pointer
            | FieldKind::Duration
            | FieldKind::Timestamp
            | FieldKind::Base64
            | FieldKind::Word(_)
            | FieldKind::Any
            | FieldKind::Schema
            | FieldKind::InlineOrFile => {}
        }
    }

    fn check_object(&mut self, node: NodeId, table: &'static Table, at: Range) {
        for entry in self.tree.entries(node) {
            let is_ours = !is_extension(&entry.key);
            match table.field(&entry.key).filter(|_| is_ours) {
                Some(field) => {
                    self.check_repeated(node, entry, field);
                    self.check_field(entry, field);
                }
                None if !is_ours => {}
                None if self.report_legacy(entry, table) => {}
                None if table.is_open && self.meant(node, table, &entry.key).is_none() => {}
                None if swallowed(table, &entry.key).is_some() => {
                    let field = swallowed(table, &entry.key).unwrap_or_default();
                    self.report(BindProblemKind::MissingColon { field }, entry.key_range);
                }
                None => {
                    let near = self.meant(node, table, &entry.key);
                    let kind = BindProblemKind::UnknownField {
                        field: entry.key.clone(),
                        noun: table.noun,
                        nearest: near.map(|field| field.name),
                    };
                    self.report(kind, entry.key_range);
                    if let Some(field) = near {
                        self.check_field(entry, field);
                    }
                }
            }
        }
        let required = table.fields.iter().filter(|field| field.required);
        let missing = required.filter(|field| self.entry(node, table, field.name).is_none());
        let fields: Vec<&str> = missing.map(|field| field.name).collect();
        if !fields.is_empty() {
            self.report(BindProblemKind::MissingFields { fields, noun: table.noun }, at);
        }
    }

    /// Reports a field that an object has under another name already.
    fn check_repeated(&mut self, node: NodeId, entry: &Entry, field: &Field) {
        let mut entries = self.tree.entries(node).iter();
        let first = entries.find(|first| field.is_named(&first.key));
        if let Some(first) = first.filter(|first| first.key != entry.key) {
            let kind = BindProblemKind::RepeatedField { field: field.name, first: first.key_range };
            self.report(kind, entry.key_range);
        }
    }

    /// Reports a field that the language had; whether it is one.
    fn report_legacy(&mut self, entry: &Entry, table: &'static Table) -> bool {
        let Some(legacy) = legacy_field(table.noun, &entry.key) else { return false };
        self.report(BindProblemKind::LegacyField(legacy), entry.key_range);
        true
    }

    /// The field that a misspelt key most likely means, unless the object has that field.
    fn meant(&self, node: NodeId, table: &'static Table, key: &str) -> Option<&'static Field> {
        let entries = self.tree.entries(node);
        let near = table.nearest(key)?;
        (!entries.iter().any(|entry| near.is_named(&entry.key))).then_some(near)
    }

    fn check_field(&mut self, entry: &Entry, field: &Field) {
        let is_absent = matches!(self.tree.node(entry.value).kind, NodeKind::Null);
        match (is_absent, field.required) {
            (true, false) => {}
            (true, true) => self.wrong_type(entry.value, field.kind, &entry.key, entry.key_range),
            (false, _) => self.check(entry.value, field.kind, &entry.key, entry.key_range),
        }
    }

    /// Whether a value is of a kind, not looking into collections.
    fn fits(&self, node: NodeId, kind: FieldKind) -> bool {
        let value = &self.tree.node(node).kind;
        let number = match value {
            NodeKind::Number(number) => Some(number),
            NodeKind::Null
            | NodeKind::Boolean(_)
            | NodeKind::String(_)
            | NodeKind::Sequence(_)
            | NodeKind::Mapping(_) => None,
        };
        let string = self.tree.string(node).map(|string| string.value.as_str());
        match kind {
            FieldKind::Any | FieldKind::InlineOrFile => true,
            FieldKind::Boolean => matches!(value, NodeKind::Boolean(_)),
            FieldKind::Unsigned => number
                .and_then(serde_json::Number::as_u64)
                .is_some_and(|number| u32::try_from(number).is_ok()),
            FieldKind::Integer => number
                .and_then(serde_json::Number::as_i64)
                .is_some_and(|number| i32::try_from(number).is_ok()),
            FieldKind::String | FieldKind::CollectionName | FieldKind::Pointer => string.is_some(),
            FieldKind::Duration => string.is_some_and(|text| milliseconds(text).is_some()),
            FieldKind::Timestamp => string.is_some_and(is_timestamp),
            FieldKind::Base64 => string.is_some_and(|text| STANDARD.decode(text).is_ok()),
            FieldKind::Word(words) => string.is_some_and(|text| words.contains(&text)),
            FieldKind::Schema => {
                string.is_some() || matches!(value, NodeKind::Mapping(_) | NodeKind::Boolean(_))
            }
            FieldKind::Object(_) | FieldKind::Map(_) => matches!(value, NodeKind::Mapping(_)),
            FieldKind::List(_) => matches!(value, NodeKind::Sequence(_)),
            FieldKind::OneOf(kinds) => kinds.iter().any(|kind| self.fits(node, *kind)),
        }
    }

    fn wrong_type(&mut self, node: NodeId, kind: FieldKind, field: &str, at: Range) {
        if let Some(advice) = self.legacy_form(node, kind, field) {
            let field = field.to_owned();
            return self.report(BindProblemKind::LegacyForm { field, advice }, at);
        }
        let value = self.tree.node(node);
        let has_own_place = match value.kind {
            NodeKind::Null | NodeKind::Sequence(_) | NodeKind::Mapping(_) => false,
            NodeKind::Boolean(_) | NodeKind::Number(_) | NodeKind::String(_) => true,
        };
        let problem = BindProblemKind::WrongType {
            field: field.to_owned(),
            expected: kind.expectation(),
            found: found(&value.kind, kind),
            replacement: replacement(&value.kind, kind),
        };
        self.report(problem, if has_own_place { value.range } else { at });
    }

    /// What to write instead of a value in a form that the language had, if it is one.
    fn legacy_form(&self, node: NodeId, kind: FieldKind, field: &str) -> Option<&'static str> {
        let has = |node: NodeId, field: &str| self.tree.entry(node, field).is_some();
        let first_item = self.tree.items(node).first();
        let first_entry = self.tree.entries(node).first();
        if matches!(kind, FieldKind::Map(_)) {
            return first_item.filter(|item| has(**item, "name")).map(|_| MAPPING_BY_NAME);
        }
        if let FieldKind::List(FieldKind::Object(table)) = kind
            && table.field("name").is_some()
        {
            let is_named = |entry: &&Entry| self.tree.is_mapping(entry.value);
            return first_entry.filter(is_named).map(|_| LIST_WITH_NAMES);
        }
        if matches!(kind, FieldKind::OneOf(_)) && field == "shuffle" && first_item.is_some() {
            return Some(SHUFFLE_BY_KEY);
        }
        let is_import = matches!(kind, FieldKind::String) && field == "an item of `import`";
        (is_import && has(node, "url")).then_some(IMPORT_BY_URL)
    }

    /// Where an item of a list is named: its first key.
    fn start_of(&self, node: NodeId) -> Range {
        let first = self.tree.entries(node).first();
        first.map_or(self.tree.node(node).range, |entry| entry.key_range)
    }
}

/// The field at the beginning of a key that goes on with a value, as `schema {type`.
fn swallowed(table: &'static Table, key: &str) -> Option<&'static str> {
    let (word, rest) = key.split_once(' ')?;
    let is_value = rest.trim_start().starts_with(['{', '[', '"', '\'']);
    table.field(word).filter(|_| is_value).map(|field| field.name)
}

/// Whether a field is for other tools.
fn is_extension(key: &str) -> bool {
    key.starts_with("x-")
}

/// What was found, in the words of messages.
fn found(value: &NodeKind, expected: FieldKind) -> String {
    match (value, expected) {
        (NodeKind::Null, _) => "nothing".to_owned(),
        (NodeKind::Boolean(value), _) => format!("`{value}`"),
        (NodeKind::Number(number), FieldKind::Unsigned)
            if number.as_u64().is_some_and(|number| u32::try_from(number).is_err()) =>
        {
            format!("`{number}`, which is too large")
        }
        (NodeKind::Number(number), _) => format!("`{number}`"),
        (NodeKind::String(string), FieldKind::Boolean)
            if matches!(string.value.as_str(), "true" | "false") =>
        {
            format!("the text `{}`", string.value)
        }
        (
            NodeKind::String(string),
            FieldKind::Word(_)
            | FieldKind::Duration
            | FieldKind::Timestamp
            | FieldKind::Boolean
            | FieldKind::OneOf(_),
        ) if string.value.len() <= 40 && !string.value.contains('\n') => {
            format!("`{}`", string.value)
        }
        (NodeKind::String(_), _) => "a text".to_owned(),
        (NodeKind::Sequence(_), _) => "a list".to_owned(),
        (NodeKind::Mapping(_), _) => "a mapping".to_owned(),
    }
}

/// What the user most likely meant, as text for the place of the value.
fn replacement(value: &NodeKind, expected: FieldKind) -> Option<String> {
    match (value, expected) {
        (NodeKind::String(string), FieldKind::Boolean) => match string.value.as_str() {
            "yes" | "on" | "true" => Some("true".to_owned()),
            "no" | "off" | "false" => Some("false".to_owned()),
            _ => None,
        },
        (NodeKind::String(string), FieldKind::Word(words)) => {
            nearest(&string.value, words.iter().copied()).map(str::to_owned)
        }
        (NodeKind::String(string), FieldKind::OneOf(kinds)) => {
            let words = kinds.iter().flat_map(|kind| kind.words().iter().copied());
            nearest(&string.value, words).map(str::to_owned)
        }
        (NodeKind::String(string), FieldKind::Unsigned | FieldKind::Integer) => {
            string.value.parse::<i32>().ok().map(|number| number.to_string())
        }
        (NodeKind::String(string), FieldKind::Timestamp) => {
            let text = string.value.replacen(' ', "T", 1);
            let candidates = [format!("{text}T00:00:00Z"), format!("{text}Z"), text];
            candidates.into_iter().find(|text| is_timestamp(text))
        }
        (
            NodeKind::String(string),
            FieldKind::List(
                FieldKind::Pointer
                | FieldKind::String
                | FieldKind::Any
                | FieldKind::InlineOrFile
                | FieldKind::Word(_),
            ),
        ) => {
            let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '_' | '-' | '.');
            string.value.chars().all(is_plain).then(|| format!("[{}]", string.value))
        }
        (NodeKind::Number(number), FieldKind::String | FieldKind::CollectionName) => {
            Some(format!("\"{number}\""))
        }
        (NodeKind::Boolean(value), FieldKind::String | FieldKind::CollectionName) => {
            Some(format!("\"{value}\""))
        }
        (
            NodeKind::Null
            | NodeKind::Boolean(_)
            | NodeKind::Number(_)
            | NodeKind::String(_)
            | NodeKind::Sequence(_)
            | NodeKind::Mapping(_),
            _,
        ) => None,
    }
}

fn milliseconds(text: &str) -> Option<u64> {
    let duration = humantime::parse_duration(text).ok()?;
    u64::try_from(duration.as_millis()).ok()
}

/// The typed readers. What is not of the wanted type reads as absent: it has been reported.
impl<'t> Binder<'t> {
    /// The entry of a field: by its name, by another name of it, or misspelt.
    pub(super) fn entry(
        &self,
        node: NodeId,
        table: &'static Table,
        name: &str,
    ) -> Option<&'t Entry> {
        let entries = self.tree.entries(node);
        let field = table.field(name)?;
        let is_misspelt = |key: &str| {
            !is_extension(key)
                && legacy_field(table.noun, key).is_none()
                && table.field(key).is_none()
                && table.nearest(key).is_some_and(|near| near.name == field.name)
        };
        let known = entries.iter().find(|entry| field.is_named(&entry.key));
        known.or_else(|| entries.iter().find(|entry| is_misspelt(&entry.key)))
    }

    /// The value of a field, unless it is absent or null.
    fn value(&self, node: NodeId, table: &'static Table, name: &str) -> Option<NodeId> {
        let value = self.entry(node, table, name)?.value;
        (!matches!(self.tree.node(value).kind, NodeKind::Null)).then_some(value)
    }

    fn spanned<T>(&self, value: T, node: NodeId) -> Spanned<T> {
        Spanned { value, range: self.tree.text_range(node), node }
    }

    /// The only one of several fields that an object has.
    pub(super) fn one_of(
        &mut self,
        node: NodeId,
        table: &'static Table,
        names: &[&'static str],
    ) -> Option<Spanned<String>> {
        let names = names.iter().copied().filter(|name| table.field(name).is_some());
        let names: Vec<&'static str> = names.collect();
        let present: Vec<_> =
            names.iter().filter_map(|name| Some((*name, self.entry(node, table, name)?))).collect();
        let is_known =
            |entry: &Entry| table.field(&entry.key).is_some() || is_extension(&entry.key);
        let all_known = self.tree.entries(node).iter().all(is_known);
        let choice = |found| BindProblemKind::Choice { noun: table.noun, fields: names, found };
        match present.as_slice() {
            [] if self.tree.is_mapping(node) && all_known => {
                self.report(choice(0), self.place_of_object(node));
            }
            [_, (_, second), ..] => {
                self.report(choice(present.len()), second.key_range);
            }
            _ => {}
        }
        let (name, entry) = present.first()?;
        Some(Spanned { value: (*name).to_owned(), range: entry.key_range, node: entry.value })
    }

    /// Whether an object has a field that the language had. What else it says is not the whole then.
    pub(super) fn has_legacy_field(&self, node: NodeId, table: &'static Table) -> bool {
        let entries = self.tree.entries(node).iter();
        entries.filter_map(|entry| legacy_field(table.noun, &entry.key)).next().is_some()
    }

    /// Where an object is named: its key, or its first key when it is an item.
    fn place_of_object(&self, node: NodeId) -> Range {
        let key = self.tree.key_range(node);
        if key == self.tree.node(node).range { self.start_of(node) } else { key }
    }

    /// Whether a value is absent or null.
    pub(super) fn is_null(&self, node: NodeId) -> bool {
        matches!(self.tree.node(node).kind, NodeKind::Null)
    }

    /// The text of a node, if it is one.
    pub(super) fn text(&self, node: NodeId) -> Option<Spanned<String>> {
        let string = self.tree.string(node)?;
        Some(self.spanned(string.value.clone(), node))
    }

    pub(super) fn string(
        &self,
        node: NodeId,
        table: &'static Table,
        name: &str,
    ) -> Option<Spanned<String>> {
        self.text(self.value(node, table, name)?)
    }

    /// A text for people, empty when it is absent.
    pub(super) fn words(&self, node: NodeId, table: &'static Table, name: &str) -> String {
        self.string(node, table, name).map(|text| text.value).unwrap_or_default()
    }

    /// A list of texts; items of other types have been reported and are left out.
    pub(super) fn strings(
        &self,
        node: NodeId,
        table: &'static Table,
        name: &str,
    ) -> Option<Spanned<Vec<Spanned<String>>>> {
        let list = self.value(node, table, name)?;
        let NodeKind::Sequence(items) = &self.tree.node(list).kind else { return None };
        Some(self.spanned(items.iter().filter_map(|item| self.text(*item)).collect(), list))
    }

    /// A list of texts, when all items are texts: where the number of items counts.
    pub(super) fn all_strings(
        &self,
        node: NodeId,
        table: &'static Table,
        name: &str,
    ) -> Option<Spanned<Vec<Spanned<String>>>> {
        let strings = self.strings(node, table, name)?;
        (strings.value.len() == self.tree.items(strings.node).len()).then_some(strings)
    }

    pub(super) fn boolean(
        &self,
        node: NodeId,
        table: &'static Table,
        name: &str,
    ) -> Option<Spanned<bool>> {
        let value = self.value(node, table, name)?;
        let NodeKind::Boolean(boolean) = self.tree.node(value).kind else { return None };
        Some(self.spanned(boolean, value))
    }

    /// Whether a field is `true`.
    pub(super) fn flag(&self, node: NodeId, table: &'static Table, name: &str) -> bool {
        self.boolean(node, table, name).is_some_and(|flag| flag.value)
    }

    fn number(
        &self,
        node: NodeId,
        table: &'static Table,
        name: &str,
    ) -> Option<Spanned<&'t serde_json::Number>> {
        let value = self.value(node, table, name)?;
        let NodeKind::Number(number) = &self.tree.node(value).kind else { return None };
        Some(self.spanned(number, value))
    }

    pub(super) fn unsigned(
        &self,
        node: NodeId,
        table: &'static Table,
        name: &str,
    ) -> Option<Spanned<u64>> {
        let number = self.number(node, table, name)?;
        Some(self.spanned(number.value.as_u64()?, number.node))
    }

    pub(super) fn integer(&self, node: NodeId, table: &'static Table, name: &str) -> Option<i32> {
        i32::try_from(self.number(node, table, name)?.value.as_i64()?).ok()
    }

    /// A whole number from 0, 0 when it is absent.
    pub(super) fn count(&self, node: NodeId, table: &'static Table, name: &str) -> u32 {
        let number = self.unsigned(node, table, name);
        number.and_then(|number| u32::try_from(number.value).ok()).unwrap_or(0)
    }

    /// A duration in milliseconds.
    pub(super) fn duration(
        &self,
        node: NodeId,
        table: &'static Table,
        name: &str,
    ) -> Option<Spanned<u64>> {
        let text = self.string(node, table, name)?;
        Some(self.spanned(milliseconds(&text.value)?, text.node))
    }

    pub(super) fn object(&self, node: NodeId, table: &'static Table, name: &str) -> Option<NodeId> {
        self.value(node, table, name).filter(|value| self.tree.is_mapping(*value))
    }

    /// The items of a list.
    pub(super) fn list(&self, node: NodeId, table: &'static Table, name: &str) -> Vec<NodeId> {
        let list = self.value(node, table, name);
        list.map_or_else(Vec::new, |list| self.tree.items(list).to_vec())
    }

    /// The entries of a mapping from names.
    pub(super) fn named<T>(
        &mut self,
        node: NodeId,
        table: &'static Table,
        name: &str,
        mut bind: impl FnMut(&mut Self, Spanned<String>, NodeId) -> Option<T>,
    ) -> Vec<T> {
        let tree = self.tree;
        let Some(map) = self.value(node, table, name) else { return Vec::new() };
        let bind_entry = |entry: &Entry| {
            let name =
                Spanned { value: entry.key.clone(), range: entry.key_range, node: entry.value };
            bind(self, name, entry.value)
        };
        tree.entries(map).iter().filter_map(bind_entry).collect()
    }

    /// A schema: a text is a reference, an object or boolean stands in place.
    pub(super) fn schema(
        &self,
        node: NodeId,
        table: &'static Table,
        name: &str,
    ) -> Option<InlineOrFile> {
        let value = self.value(node, table, name)?;
        self.reference_or(value, self.fits(value, FieldKind::Schema))
    }

    /// Documents: a text is a reference, a list stands in place.
    pub(super) fn documents(
        &self,
        node: NodeId,
        table: &'static Table,
        name: &str,
    ) -> Option<InlineOrFile> {
        let value = self.value(node, table, name)?;
        self.reference_or(value, self.fits(value, FieldKind::List(&FieldKind::Any)))
    }

    /// A text as a reference, and another value when it `may_stand` in place.
    fn reference_or(&self, value: NodeId, may_stand: bool) -> Option<InlineOrFile> {
        match self.text(value) {
            Some(reference) => Some(InlineOrFile::File(reference)),
            None => may_stand.then(|| InlineOrFile::Inline(self.spanned((), value))),
        }
    }

    /// A config, resource, lambda or migration.
    pub(super) fn config(
        &self,
        node: NodeId,
        table: &'static Table,
        name: &str,
    ) -> Option<InlineOrFile> {
        self.value(node, table, name).map(|value| self.config_at(value))
    }

    /// A config, resource, lambda or migration at a node: a text without blanks is a reference.
    pub(super) fn config_at(&self, node: NodeId) -> InlineOrFile {
        match self.text(node) {
            Some(text) if is_reference(&text.value) => InlineOrFile::File(text),
            Some(_) | None => InlineOrFile::Inline(self.spanned((), node)),
        }
    }
}

/// Whether a text is a time as RFC 3339 writes it.
fn is_timestamp(text: &str) -> bool {
    let is_separated = text.as_bytes().get(10).is_some_and(|byte| matches!(byte, b'T' | b't'));
    is_separated && !text.contains('[') && text.parse::<jiff::Timestamp>().is_ok()
}

fn is_reference(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_whitespace)
}
