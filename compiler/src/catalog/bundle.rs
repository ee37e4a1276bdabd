//! Self-contained schemas: everything that references lead to is in one value, and every keyword keeps its place.
//!
//! A schema in place or a whole file becomes the root as it is, so its pointers are those of the source; every other
//! document that a `$ref` leads to is put below `$defs`, and references become pointers inside the value. `$id` and
//! anchors have done their work then and are left out. Only where a reference is chosen while documents are validated
//! (`$dynamicRef`, `$recursiveRef`) do the schemas keep identities: each document gets one, and references name them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Map, Value};
use tidegate_stdlib::schema::{Keywords, NormalForm, SchemaFailure};
use tidegate_stdlib::shape::Shape;
use url::Url;

use super::document::{Document, Keyword, Scope, Target};
use super::meaning::{Meaning, SchemaMemo};
use super::places::Places;
use crate::diag::{Diagnostic, Fix, Sink, nearest, rules};
use crate::model::InlineOrFile;
use crate::source::{FileId, Role, Sources, Span};
use crate::syntax::{Entry, NodeId, NodeKind};

/// A schema that refers to nothing outside itself.
#[derive(Debug, Clone, PartialEq)]
pub struct BundledSchema {
    /// The schema.
    pub value: Arc<Value>,
    /// Where its keywords stand.
    places: Places,
    /// The bytes of the root, when it is the value of one document.
    pub root_place: Option<Span>,
    /// Its parts that have a name (`$anchor`), those of the root document first. Of one name the first counts.
    pub anchors: Arc<[Anchor]>,
    /// What is wrong with the schema by itself, in the order of its text.
    pub faults: Arc<[SchemaFailure]>,
    /// The keywords that it has anywhere.
    pub keywords: Keywords,
    /// What it says of every location.
    pub shape: Arc<Shape>,
}

/// A part of a schema that has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// The name.
    pub name: String,
    /// JSON pointer of the part in the bundled schema.
    pub pointer: String,
}

impl BundledSchema {
    /// A schema that admits everything, in place of one that cannot be used.
    pub fn stand_in(span: Span) -> Self {
        Self {
            value: Arc::new(Value::Bool(true)),
            places: Places::new(Vec::new(), BTreeMap::from([(String::new(), span)])),
            root_place: None,
            anchors: Arc::default(),
            faults: Arc::default(),
            keywords: Keywords::default(),
            shape: Arc::new(Shape::any()),
        }
    }

    /// Where a keyword stands, or the nearest keyword around it: of a keyword or property its name, of an item its text, of the
    /// root the field that declares the schema.
    pub fn place(&self, pointer: &str) -> Option<Span> {
        let mut pointer = pointer;
        loop {
            if let Some(span) = self.places.name(pointer) {
                return Some(span);
            }
            pointer = pointer.rsplit_once('/')?.0;
        }
    }

    /// Where the value of a keyword stands, or the nearest keyword around it.
    pub fn value_place(&self, pointer: &str) -> Option<Span> {
        self.exact_value_place(pointer).or_else(|| self.place(pointer))
    }

    /// Where the value of a keyword stands; nothing when there is no such keyword.
    pub fn exact_value_place(&self, pointer: &str) -> Option<Span> {
        self.places.value(pointer)
    }

    /// The places of all keywords and of everything below them, by their pointers.
    pub fn all_places(&self) -> BTreeMap<String, Span> {
        self.places.all()
    }

    /// The normal form of what the schema says of objects that have no other properties than some; of any value without
    /// `properties`.
    pub fn about(&self, properties: Option<&BTreeSet<&str>>) -> NormalForm {
        let part = properties.and_then(|names| part_about(&self.value, names));
        NormalForm::new(part.as_ref().unwrap_or(&self.value))
    }
}

/// A schema without what it says of other properties; nothing when a reference may lead to what would be missing.
fn part_about(schema: &Value, names: &BTreeSet<&str>) -> Option<Value> {
    let part = schema.as_object()?.iter().map(|(keyword, value)| {
        let value = match (keyword.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                let of_names = properties.iter().filter(|(name, _)| names.contains(name.as_str()));
                of_names.map(|(name, property)| (name.clone(), property.clone())).collect()
            }
            _ => value.clone(),
        };
        (keyword.clone(), value)
    });
    let part: Value = part.collect();
    refers_to_definitions_only(&part).then_some(part)
}

fn refers_to_definitions_only(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.iter().all(|(name, value)| {
            let leads_to_definition = || value.as_str().is_none_or(|it| it.starts_with("#/$defs/"));
            let is_reference = matches!(name.as_str(), "$ref" | "$dynamicRef" | "$recursiveRef");
            (!is_reference || leads_to_definition()) && refers_to_definitions_only(value)
        }),
        Value::Array(items) => items.iter().all(refers_to_definitions_only),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

/// Which of the two schemas of a collection is bundled.
#[derive(Debug, Clone, Copy)]
pub enum SchemaUse<'s> {
    /// What documents satisfy when they are written.
    Write,
    /// What documents satisfy when they are read; it may refer to the write schema of the collection.
    Read(Option<&'s InlineOrFile>),
}

/// Bundles a schema that is declared in `file`. `None` when a file it needs was not read, which has been reported.
pub fn bundle_schema(
    sources: &Sources,
    file: FileId,
    schema: &InlineOrFile,
    schema_use: SchemaUse<'_>,
    memo: &SchemaMemo,
    sink: &mut Sink,
) -> Option<BundledSchema> {
    let span = schema.range().in_file(file);
    let mut identities = Identities::Dropped;
    let (mut bundler, mut value) = loop {
        let mut bundler = Bundler {
            sources,
            file,
            schema_use,
            documents: Vec::new(),
            last_slot: 0,
            places: BTreeMap::new(),
            identities,
            is_dynamic: false,
            is_complete: true,
            sink: &mut *sink,
        };
        let mut value = bundler.root(schema, span);
        bundler.inline(&mut value);
        if !bundler.is_complete {
            return None;
        }
        // That some schema asks for identities is known only when all have been seen.
        if !bundler.is_dynamic || identities == Identities::Kept {
            break (bundler, value);
        }
        identities = Identities::Kept;
    };
    if let (Identities::Kept, Value::Object(root)) = (identities, &mut value) {
        root.entry("$id").or_insert_with(|| Value::from(BUNDLE_URL));
    }
    bundler.places.insert(String::new(), declaring_field(sources, file, schema));
    let Meaning { shape, faults, keywords } = memo.meaning(&value);
    let root = bundler.documents.first().filter(|document| document.is_root());
    let root_place = root.map(Document::place);
    let anchors = bundler.documents.iter().flat_map(Document::anchors).collect();
    let documents = bundler.documents.iter().map(Document::placed).collect();
    let places = Places::new(documents, bundler.places);
    let value = Arc::new(value);
    Some(BundledSchema { value, places, root_place, anchors, faults, keywords, shape })
}

/// The field that declares a schema: its name for a schema in place, the reference for one in a file.
pub(crate) fn declaring_field(sources: &Sources, file: FileId, schema: &InlineOrFile) -> Span {
    match (schema, &sources.file(file).tree) {
        (InlineOrFile::Inline(value), Some(tree)) => tree.key_range(value.node).in_file(file),
        (InlineOrFile::Inline(_) | InlineOrFile::File(_), _) => schema.range().in_file(file),
    }
}

/// What becomes of `$id` and dynamic anchors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Identities {
    Dropped,
    Kept,
}

struct Bundler<'s, 'd> {
    sources: &'s Sources,
    file: FileId,
    schema_use: SchemaUse<'s>,
    /// Documents in order of their first use; the first is the root, unless a fragment is.
    documents: Vec<Document>,
    /// The number of the last name below `$defs` that a document was given.
    last_slot: usize,
    /// Places that are not those of a document.
    places: BTreeMap<String, Span>,
    identities: Identities,
    /// Whether a reference was met that is chosen while documents are validated.
    is_dynamic: bool,
    is_complete: bool,
    sink: &'d mut Sink,
}

impl Bundler<'_, '_> {
    fn root(&mut self, schema: &InlineOrFile, span: Span) -> Value {
        let document = match schema {
            InlineOrFile::Inline(value) => Document::in_place(self.sources, self.file, value.node),
            InlineOrFile::File(reference) => {
                match Document::open(
                    self.sources,
                    self.sources.file(self.file),
                    &reference.value,
                    span,
                ) {
                    Some((document, None)) => Some(document),
                    Some((_, Some(_))) => return self.root_of_fragment(&reference.value, span),
                    None => None,
                }
            }
        };
        let Some(document) = document else {
            self.is_complete = false;
            return Value::Bool(true);
        };
        self.documents.push(document);
        self.document(0)
    }

    /// `schema: file#fragment` becomes a reference to the fragment of the inlined file.
    fn root_of_fragment(&mut self, reference: &str, span: Span) -> Value {
        let opened = Document::open(self.sources, self.sources.file(self.file), reference, span);
        let Some((mut document, Some(fragment))) = opened else { return Value::Bool(true) };
        self.last_slot = 1;
        document.prefix = slot_pointer(self.last_slot);
        self.documents.push(document);
        self.places.insert("/$ref".to_owned(), span);
        let Some(document) = self.documents.first() else { return Value::Bool(true) };
        let target = document.fragment(document.root, &fragment);
        match target {
            Ok(pointer) => {
                let text = reference_text(&document.prefix, &pointer);
                Value::Object(Map::from_iter([("$ref".to_owned(), Value::String(text))]))
            }
            Err(near) => {
                let diagnostic = unknown_fragment(reference, document, span, &near);
                self.refuse(diagnostic);
                Value::Bool(true)
            }
        }
    }

    /// Puts every document that is not the root below `$defs`; those may lead to further ones.
    fn inline(&mut self, root: &mut Value) {
        let mut index = usize::from(self.documents.first().is_some_and(Document::is_root));
        while index < self.documents.len() && self.is_complete {
            let value = self.document(index);
            let number = self.documents.get(index).and_then(Document::slot).unwrap_or_default();
            index += 1;
            if let Value::Object(root) = root {
                let definitions = root.entry("$defs").or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(definitions) = definitions {
                    definitions.insert(number, value);
                }
            }
        }
    }

    fn document(&mut self, index: usize) -> Value {
        let Some(document) = self.documents.get(index) else { return Value::Bool(true) };
        let (scope, root) = (document.scope(index), document.root);
        self.schema(&scope, root)
    }

    /// A schema as a value, its references led into the bundle.
    fn schema(&mut self, scope: &Scope, node: NodeId) -> Value {
        let entered = scope.enter(node);
        let scope = entered.as_ref().unwrap_or(scope);
        let tree = scope.tree();
        if !tree.is_mapping(node) {
            return tree.to_json(node);
        }
        let mut object = Map::new();
        if self.identities == Identities::Kept && scope.resource() == node {
            let id = self.resource_name(scope.document(), node);
            object.insert("$id".to_owned(), Value::String(id));
        }
        for entry in tree.entries(node) {
            let value = match Keyword::of(entry, &tree) {
                Keyword::Identity => match (self.identities, entry.key.as_str()) {
                    (Identities::Kept, "$dynamicAnchor" | "$recursiveAnchor") => {
                        Some(tree.to_json(entry.value))
                    }
                    _ => None,
                },
                Keyword::Reference => self.reference(scope, entry),
                Keyword::Schema => Some(self.schema(scope, entry.value)),
                Keyword::Schemas => Some(self.schemas(scope, entry.value)),
                Keyword::Data => Some(tree.to_json(entry.value)),
            };
            if let Some(value) = value {
                let name = match (entry.key.as_str(), self.identities) {
                    ("$recursiveRef" | "$dynamicRef", Identities::Dropped) if value.is_string() => {
                        "$ref"
                    }
                    (name, _) => name,
                };
                object.insert(name.to_owned(), value);
            }
        }
        Value::Object(object)
    }

    /// A list of schemas, or a mapping to schemas.
    fn schemas(&mut self, scope: &Scope, node: NodeId) -> Value {
        let tree = scope.tree();
        match &tree.node(node).kind {
            NodeKind::Sequence(items) => {
                Value::Array(items.iter().map(|item| self.schema(scope, *item)).collect())
            }
            NodeKind::Mapping(entries) => {
                let mut schemas = Map::new();
                for entry in entries {
                    schemas.insert(entry.key.clone(), self.schema(scope, entry.value));
                }
                Value::Object(schemas)
            }
            NodeKind::Null | NodeKind::Boolean(_) | NodeKind::Number(_) | NodeKind::String(_) => {
                tree.to_json(node)
            }
        }
    }

    /// The value of a `$ref` inside the bundle; `None` when it leads nowhere or anywhere.
    fn reference(&mut self, scope: &Scope, entry: &Entry) -> Option<Value> {
        let tree = scope.tree();
        let Some(text) = tree.string(entry.value) else {
            return Some(tree.to_json(entry.value));
        };
        let span = scope.span(tree.text_range(entry.value));
        if text.value.starts_with("flow:") {
            return self.special(&text.value, span);
        }
        let (index, resource, fragment) = match scope.resolve(&text.value, &self.documents) {
            Target::Known { document, resource, fragment } => (document, resource, fragment),
            Target::Elsewhere { url, fragment } => {
                let index = self.open(&url, span)?;
                (index, self.documents.get(index)?.root, fragment)
            }
            Target::Malformed => {
                self.is_complete = false;
                return None;
            }
        };
        let document = self.documents.get(index)?;
        match document.fragment(resource, &fragment) {
            Ok(pointer) if entry.key == "$ref" => {
                let place = reference_text(&document.prefix, &pointer);
                Some(Value::String(match self.identities {
                    Identities::Dropped => place,
                    Identities::Kept => format!("{}{place}", self.root_name()),
                }))
            }
            Ok(pointer) => {
                self.is_dynamic = true;
                Some(Value::String(match self.identities {
                    Identities::Dropped => reference_text(&document.prefix, &pointer),
                    Identities::Kept => {
                        format!("{}#{fragment}", self.resource_name(index, resource))
                    }
                }))
            }
            Err(near) => {
                let diagnostic = unknown_fragment(&text.value, document, span, &near);
                self.refuse(diagnostic);
                None
            }
        }
    }

    /// What the root of the bundle is called where identities are kept.
    fn root_name(&self) -> String {
        match self.documents.first() {
            Some(document) if document.is_root() => self.resource_name(0, document.root),
            Some(_) | None => BUNDLE_URL.to_owned(),
        }
    }

    /// What a schema with an identity is called in the bundle: by its URL, when that means the same everywhere.
    fn resource_name(&self, index: usize, resource: NodeId) -> String {
        let Some(document) = self.documents.get(index) else { return BUNDLE_URL.to_owned() };
        match document.url_of(resource) {
            Some(url) if matches!(url.scheme(), "http" | "https") => url.to_string(),
            Some(_) | None => {
                let place = format!("{}{}", document.prefix, document.pointer(resource));
                let place = place.strip_prefix('/').unwrap_or_default();
                format!("{BUNDLE_URL}{}", utf8_percent_encode(place, FRAGMENT))
            }
        }
    }

    /// The document of a URL, which becomes part of the bundle.
    fn open(&mut self, url: &Url, span: Span) -> Option<usize> {
        let Some(document) = Document::of_url(self.sources, url, span) else {
            // A file that could not be read is among the sources, and has been reported; so has one that is a catalog.
            let is_told = |role| self.sources.by_url(url, role).is_some();
            if !is_told(Role::Schema) && !is_told(Role::Catalog) {
                self.sink.report(unknown_schema(url, span));
            }
            self.is_complete = false;
            return None;
        };
        Some(self.add(document))
    }

    fn add(&mut self, mut document: Document) -> usize {
        let root = self.documents.first().filter(|document| document.is_root());
        // A schema that was bundled before may have definitions of these names.
        let is_taken = |slot: &String| root.is_some_and(|root| root.has(slot));
        let mut slots = (self.last_slot + 1..).map(|number| (number, slot_pointer(number)));
        let free = slots.find(|(_, slot)| !is_taken(slot));
        (self.last_slot, document.prefix) = free.expect("a schema has fewer names than numbers");
        let index = self.documents.len();
        self.documents.push(document);
        index
    }

    /// A reference of the `flow:` scheme: schemas of the same collection that are not written out.
    fn special(&mut self, text: &str, span: Span) -> Option<Value> {
        let write = match (text, self.schema_use) {
            // What was inferred from documents is not known here, so it does not restrict.
            ("flow://inferred-schema" | "flow://connector-schema", SchemaUse::Read(_))
            | ("flow://connector-schema", SchemaUse::Write) => return None,
            ("flow://write-schema" | "flow://relaxed-write-schema", SchemaUse::Read(write)) => {
                write?
            }
            (_, schema_use) => {
                self.refuse(unknown_flow_reference(text, span, schema_use));
                return None;
            }
        };
        let opened = match write {
            InlineOrFile::Inline(value) => {
                let known = self
                    .documents
                    .iter()
                    .position(|document| document.file == self.file && document.root == value.node);
                if let Some(known) = known {
                    return Some(Value::String(self.reference_to(known, "")));
                }
                Document::in_place(self.sources, self.file, value.node).map(|found| (found, None))
            }
            InlineOrFile::File(reference) => {
                Document::open(self.sources, self.sources.file(self.file), &reference.value, span)
            }
        };
        let Some((document, fragment)) = opened else {
            self.is_complete = false;
            return None;
        };
        let pointer = fragment
            .map_or(Ok(String::new()), |fragment| document.fragment(document.root, &fragment));
        let known = self.documents.iter().position(|known| known.is_same(&document));
        let index = known.unwrap_or_else(|| self.add(document));
        // An unknown fragment has been reported where the write schema itself was bundled.
        let pointer = pointer.ok()?;
        Some(Value::String(self.reference_to(index, &pointer)))
    }

    fn reference_to(&self, index: usize, pointer: &str) -> String {
        let prefix = self.documents.get(index).map(|document| document.prefix.as_str());
        let place = reference_text(prefix.unwrap_or_default(), pointer);
        match self.identities {
            Identities::Dropped => place,
            Identities::Kept => format!("{}{place}", self.root_name()),
        }
    }

    fn refuse(&mut self, diagnostic: Diagnostic) {
        self.sink.report(diagnostic);
        self.is_complete = false;
    }
}

/// The URL of a bundle, and the beginning of those of its parts that have no URL of their own.
const BUNDLE_URL: &str = "bundle:/";

fn slot_pointer(number: usize) -> String {
    format!("/$defs/__flowInline{number}")
}

/// What cannot stand in the fragment of a URL.
const FRAGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

fn reference_text(prefix: &str, pointer: &str) -> String {
    format!("#{prefix}{}", utf8_percent_encode(pointer, FRAGMENT))
}

/// `text` is the reference as written, `known` what exists where the fragment leads nowhere.
fn unknown_fragment(text: &str, document: &Document, span: Span, known: &[String]) -> Diagnostic {
    let (file, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (around, last) = match fragment.rsplit_once('/') {
        Some((around, last)) => (format!("{file}#{around}/"), last),
        None => (format!("{file}#"), fragment),
    };
    let message = format!("{} has no part `#{fragment}`", document.name);
    let diagnostic = Diagnostic::new(&rules::UNKNOWN_FRAGMENT, span, message)
        .label("this part of the schema does not exist");
    if let Some(near) = nearest(last, known.iter().map(String::as_str)) {
        let text = format!("{around}{near}");
        let message = format!("refer to `{text}`");
        return diagnostic.fix(Fix::replace(span, text, message));
    }
    match known {
        [] => diagnostic.help("name a pointer such as `#/$defs/name`, or an `$anchor`"),
        known => {
            let known: Vec<String> = known.iter().take(8).map(|name| format!("`{name}`")).collect();
            diagnostic.help(format!("refer to one of {}", known.join(", ")))
        }
    }
}

fn unknown_schema(url: &Url, span: Span) -> Diagnostic {
    Diagnostic::new(&rules::UNKNOWN_SCHEMA, span, format!("no schema is called `{url}`"))
        .label("the schema that calls itself so is not part of this one")
        .help("put the schema into a file of its own, and name the file")
}

fn unknown_flow_reference(text: &str, span: Span, schema_use: SchemaUse<'_>) -> Diagnostic {
    const KNOWN: [&str; 4] = [
        "flow://connector-schema",
        "flow://inferred-schema",
        "flow://relaxed-write-schema",
        "flow://write-schema",
    ];
    let diagnostic = Diagnostic::new(
        &rules::UNKNOWN_FLOW_REFERENCE,
        span,
        format!("`{text}` does not stand for a schema here"),
    );
    if KNOWN.contains(&text) && matches!(schema_use, SchemaUse::Write) {
        return diagnostic
            .label("only a read schema can refer to it")
            .help("declare `writeSchema` and `readSchema`, and refer to it in the read schema");
    }
    let diagnostic = diagnostic.label("no schema of this name is known");
    match nearest(text, KNOWN) {
        Some(near) => diagnostic.fix(Fix::replace(span, near, format!("refer to `{near}`"))),
        None => diagnostic.help("refer to `flow://write-schema`, or to a file"),
    }
}
