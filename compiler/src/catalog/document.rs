//! Schema documents as they are bundled: their parts by pointer and by name, and what their references lead to.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use tidegate_stdlib::schema::is_anchor;
use url::Url;

use super::bundle::Anchor;
use super::places::PlacedDocument;
use crate::source::{FileId, Range, Role, SourceFile, Sources, Span};
use crate::syntax::{Entry, NodeId, NodeKind, Tree};

/// One schema document.
#[derive(Debug)]
pub(super) struct Document {
    tree: Arc<Tree>,
    /// The node of the whole schema.
    pub(super) root: NodeId,
    url: Url,
    /// What people call it, with back-ticks if it is a file.
    pub(super) name: String,
    /// The file it stands in.
    pub(super) file: FileId,
    /// The reference that led to it.
    pub(super) referred: Span,
    /// Its pointer in the bundle.
    pub(super) prefix: String,
    /// Schemas with an `$id`, by their URL.
    resources: BTreeMap<String, NodeId>,
    /// Anchors by the resource they belong to, and their name.
    anchors: BTreeMap<(NodeId, String), NodeId>,
    /// The entries of long mappings by their keys; made when a reference first goes through one.
    long_mappings: RefCell<BTreeMap<NodeId, HashMap<String, NodeId>>>,
}

/// Mappings of more entries are not searched one by one.
const SHORT_MAPPING_MAX: usize = 32;

impl Document {
    /// A schema that stands in a catalog file.
    pub(super) fn in_place(sources: &Sources, file: FileId, root: NodeId) -> Option<Self> {
        let source = sources.file(file);
        let tree = source.tree.clone()?;
        let span = tree.node(root).range.in_file(file);
        Some(Self::new(tree, root, source.url.clone(), "the schema".to_owned(), file, span))
    }

    /// The document that a reference in a file leads to, and its fragment.
    pub(super) fn open(
        sources: &Sources,
        from: &SourceFile,
        reference: &str,
        span: Span,
    ) -> Option<(Self, Option<String>)> {
        let mut url = from.url.join(reference).ok()?;
        let fragment = url.fragment().filter(|fragment| !fragment.is_empty()).map(decoded);
        url.set_fragment(None);
        Some((Self::of_url(sources, &url, span)?, fragment))
    }

    /// The document of a URL: a file of the catalog, or the one with a schema that calls itself so.
    pub(super) fn of_url(sources: &Sources, url: &Url, span: Span) -> Option<Self> {
        if let Some(file) = sources.by_url(url, Role::Schema) {
            return Self::of_file(sources, file, span);
        }
        let files = sources.files().filter(|(_, source)| source.role == Role::Schema);
        files
            .filter_map(|(file, _)| Self::of_file(sources, file, span))
            .find(|document| document.resources.contains_key(url.as_str()))
    }

    fn of_file(sources: &Sources, file: FileId, span: Span) -> Option<Self> {
        let source = sources.file(file);
        let tree = source.tree.clone().filter(|_| source.is_present)?;
        let root = tree.root();
        Some(Self::new(tree, root, source.url.clone(), format!("`{}`", source.name), file, span))
    }

    fn new(
        tree: Arc<Tree>,
        root: NodeId,
        url: Url,
        name: String,
        file: FileId,
        referred: Span,
    ) -> Self {
        let mut document = Self {
            tree: Arc::clone(&tree),
            root,
            url: url.clone(),
            name,
            file,
            referred,
            prefix: String::new(),
            resources: BTreeMap::new(),
            anchors: BTreeMap::new(),
            long_mappings: RefCell::default(),
        };
        document.index(&tree, root, root, &url);
        document
    }

    /// Collects identities and anchors below a schema.
    fn index(&mut self, tree: &Tree, node: NodeId, resource: NodeId, base: &Url) {
        let own = identity(tree, node, base);
        if let Some(url) = &own {
            self.resources.insert(url.to_string(), node);
        }
        let resource = if own.is_some() { node } else { resource };
        let base = own.as_ref().unwrap_or(base);
        for (name, mark) in [("$anchor", ""), ("$dynamicAnchor", ""), ("$id", "#")] {
            let text = tree.entry(node, name).and_then(|entry| tree.string(entry.value));
            if let Some(anchor) = text.and_then(|text| text.value.strip_prefix(mark)) {
                self.anchors.insert((resource, anchor.to_owned()), node);
            }
        }
        for entry in tree.entries(node) {
            match Keyword::of(entry, tree) {
                Keyword::Schema => self.index(tree, entry.value, resource, base),
                Keyword::Schemas => {
                    for item in tree.items(entry.value) {
                        self.index(tree, *item, resource, base);
                    }
                    for named in tree.entries(entry.value) {
                        self.index(tree, named.value, resource, base);
                    }
                }
                Keyword::Identity | Keyword::Reference | Keyword::Data => {}
            }
        }
    }

    /// Whether it has something at a JSON pointer.
    pub(super) fn has(&self, pointer: &str) -> bool {
        self.tree.at(self.root, pointer).is_some()
    }

    /// Whether it is the root of the bundle.
    pub(super) fn is_root(&self) -> bool {
        self.prefix.is_empty()
    }

    /// Its name below `$defs`.
    pub(super) fn slot(&self) -> Option<String> {
        self.prefix.rsplit_once('/').map(|(_, name)| name.to_owned())
    }

    /// What places in it are looked up in.
    pub(super) fn placed(&self) -> PlacedDocument {
        PlacedDocument {
            prefix: self.prefix.clone(),
            file: self.file,
            tree: Arc::clone(&self.tree),
            root: self.root,
            referred: self.referred,
        }
    }

    /// Its bytes.
    pub(super) fn place(&self) -> Span {
        self.tree.node(self.root).range.in_file(self.file)
    }

    /// Whether both are the same schema.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.file == other.file && self.root == other.root && self.url == other.url
    }

    /// The scope of its root.
    pub(super) fn scope(&self, index: usize) -> Scope {
        Scope {
            document: index,
            tree: Arc::clone(&self.tree),
            file: self.file,
            resource: self.root,
            base: self.url.clone(),
        }
    }

    /// The pointer, from the root, that a fragment of one of its resources means.
    ///
    /// # Errors
    /// The names that exist where the fragment leads nowhere.
    pub(super) fn fragment(&self, resource: NodeId, fragment: &str) -> Result<String, Vec<String>> {
        if fragment.is_empty() {
            return Ok(self.pointer(resource));
        }
        if fragment.starts_with('/') {
            // The way through an alias is as good as the one to what it stands for.
            return match self.at(resource, fragment) {
                Some(_) => Ok(format!("{}{fragment}", self.pointer(resource))),
                None => Err(self.siblings(resource, fragment)),
            };
        }
        let anchor = self.anchors.get(&(resource, fragment.to_owned()));
        anchor
            .map(|node| self.pointer(*node))
            .ok_or_else(|| self.anchors.keys().map(|(_, name)| name.clone()).collect())
    }

    /// The node at a JSON pointer below `from`.
    fn at(&self, from: NodeId, pointer: &str) -> Option<NodeId> {
        pointer.strip_prefix('/')?.split('/').try_fold(from, |node, token| {
            let entries = self.tree.entries(node);
            if entries.len() <= SHORT_MAPPING_MAX {
                return self.tree.at(node, &format!("/{token}"));
            }
            let key = token.replace("~1", "/").replace("~0", "~");
            let mut known = self.long_mappings.borrow_mut();
            let by_key = known.entry(node).or_insert_with(|| {
                entries.iter().map(|entry| (entry.key.clone(), entry.value)).collect()
            });
            by_key.get(&key).copied()
        })
    }

    /// The URL of one of its resources.
    pub(super) fn url_of(&self, resource: NodeId) -> Option<Url> {
        let named = self.resources.iter().find(|(_, node)| **node == resource);
        let named = named.and_then(|(url, _)| Url::parse(url).ok());
        let is_whole = resource == self.root && self.root == self.tree.root();
        named.or_else(|| is_whole.then(|| self.url.clone()))
    }

    /// Its parts that have a name, in the order of their names in each resource.
    pub(super) fn anchors(&self) -> impl Iterator<Item = Anchor> {
        self.anchors.iter().map(|((_, name), node)| Anchor {
            name: name.clone(),
            pointer: format!("{}{}", self.prefix, self.pointer(*node)),
        })
    }

    /// Its place below the root of the document.
    pub(super) fn pointer(&self, node: NodeId) -> String {
        if node == self.root {
            return String::new();
        }
        let (whole, root) = (self.tree.pointer(node), self.tree.pointer(self.root));
        whole.strip_prefix(&root).map(str::to_owned).unwrap_or(whole)
    }

    /// The names beside the first token of a pointer that is not there.
    fn siblings(&self, resource: NodeId, pointer: &str) -> Vec<String> {
        let mut around = pointer;
        while let Some((shorter, _)) = around.rsplit_once('/') {
            around = shorter;
            if let Some(node) = self.tree.at(resource, around) {
                return self.tree.entries(node).iter().map(|entry| entry.key.clone()).collect();
            }
        }
        Vec::new()
    }
}

/// Where references are resolved: the document and the nearest schema around with an `$id`.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    document: usize,
    tree: Arc<Tree>,
    file: FileId,
    resource: NodeId,
    base: Url,
}

/// What a reference leads to.
#[derive(Debug)]
pub(super) enum Target {
    /// A resource of a document of the bundle, and the fragment in it.
    Known { document: usize, resource: NodeId, fragment: String },
    /// A document that is not part of the bundle yet.
    Elsewhere { url: Url, fragment: String },
    /// The reference is no URL.
    Malformed,
}

impl Scope {
    /// The index of its document.
    pub(super) fn document(&self) -> usize {
        self.document
    }

    /// The nearest schema around with an identity.
    pub(super) fn resource(&self) -> NodeId {
        self.resource
    }

    pub(super) fn tree(&self) -> Arc<Tree> {
        Arc::clone(&self.tree)
    }

    /// The scope of a schema below, when it is another.
    pub(super) fn enter(&self, node: NodeId) -> Option<Self> {
        let base = identity(&self.tree, node, &self.base)?;
        Some(Self { resource: node, base, ..self.clone() })
    }

    /// Bytes of the document as a place.
    pub(super) fn span(&self, range: Range) -> Span {
        range.in_file(self.file)
    }

    pub(super) fn resolve(&self, reference: &str, documents: &[Document]) -> Target {
        if let Some(fragment) = reference.strip_prefix('#') {
            let (document, resource) = (self.document, self.resource);
            return Target::Known { document, resource, fragment: decoded(fragment) };
        }
        let Ok(mut url) = self.base.join(reference) else { return Target::Malformed };
        let fragment = url.fragment().map(decoded).unwrap_or_default();
        url.set_fragment(None);
        for (index, document) in documents.iter().enumerate() {
            let resource = document.resources.get(url.as_str()).copied();
            let is_whole = document.url == url && document.root == document.tree.root();
            if let Some(resource) = resource.or(is_whole.then_some(document.root)) {
                return Target::Known { document: index, resource, fragment };
            }
        }
        Target::Elsewhere { url, fragment }
    }
}

/// What a keyword holds, as far as references are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    /// A name for the schema, needed only to resolve references.
    Identity,
    /// A reference.
    Reference,
    /// A schema.
    Schema,
    /// A list of schemas, or a mapping to schemas.
    Schemas,
    /// A value that holds no schema.
    Data,
}

impl Keyword {
    pub(super) fn of(entry: &Entry, tree: &Tree) -> Self {
        let kind = &tree.node(entry.value).kind;
        match entry.key.as_str() {
            // What is no name stays, so that it is found wrong.
            "$id" => {
                let text = tree.string(entry.value);
                let is_name = text.is_some_and(|text| !without_mark(&text.value).contains('#'));
                if is_name { Self::Identity } else { Self::Data }
            }
            "$anchor" | "$dynamicAnchor" => {
                let is_name = tree.string(entry.value).is_some_and(|text| is_anchor(&text.value));
                if is_name { Self::Identity } else { Self::Data }
            }
            "$recursiveAnchor" if matches!(kind, NodeKind::Boolean(_)) => Self::Identity,
            "$ref" | "$recursiveRef" | "$dynamicRef" => Self::Reference,
            "items" | "dependencies" if matches!(kind, NodeKind::Sequence(_)) => Self::Schemas,
            "additionalItems"
            | "additionalProperties"
            | "contains"
            | "else"
            | "if"
            | "items"
            | "not"
            | "propertyNames"
            | "then"
            | "unevaluatedItems"
            | "unevaluatedProperties" => Self::Schema,
            "$defs" | "allOf" | "anyOf" | "definitions" | "dependencies" | "dependentSchemas"
            | "oneOf" | "patternProperties" | "prefixItems" | "properties" => Self::Schemas,
            _ => Self::Data,
        }
    }
}

/// The URL that a schema gives itself.
fn identity(tree: &Tree, node: NodeId, base: &Url) -> Option<Url> {
    let entry = tree.entry(node, "$id")?;
    let text = without_mark(&tree.string(entry.value)?.value);
    if text.contains('#') { None } else { base.join(text).ok() }
}

/// An identity without an empty fragment, as draft 7 wrote it.
fn without_mark(identity: &str) -> &str {
    identity.strip_suffix('#').unwrap_or(identity)
}

fn decoded(fragment: &str) -> String {
    percent_decode_str(fragment).decode_utf8_lossy().into_owned()
}
