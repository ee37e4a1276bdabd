//! What stands at a byte of a file.

use std::sync::Arc;

use tidegate_stdlib::lambda::sqlite::Parameters;
use tidegate_stdlib::value::Pointer;

use super::lambda::{self, LambdaPlace};
use crate::catalog::{Catalog, Collection, CollectionId, Reference};
use crate::check::Checked;
use crate::model::{CollectionSpec, Field, FieldKind, InlineOrFile, ShuffleSpec, Table, tables};
use crate::session::Snapshot;
use crate::source::{FileId, Range, Role, Sources};
use crate::syntax::{NodeId, NodeKind, Tree};

/// Something that an editor can be told about, and its bytes.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    pub(super) kind: SubjectKind,
    pub(super) range: Range,
}

/// What it is.
#[derive(Debug, Clone)]
pub(super) enum SubjectKind {
    /// The name of a collection, declared or referred to.
    Collection(CollectionId),
    /// A reference to a file, and the part of it that is meant.
    File(FileId, Option<String>),
    /// A reference to bytes of a file.
    Place(FileId, Range),
    /// A location of the documents of a collection.
    Location {
        /// The collection.
        collection: CollectionId,
        /// The location.
        pointer: Pointer,
    },
    /// A field of the language.
    Field(&'static Field),
}

/// What stands at a byte of a file; of several things the most particular one.
pub(super) fn subject(snapshot: &Snapshot, file: FileId, offset: u32) -> Option<Subject> {
    let looker = Looker::new(snapshot, file, offset);
    looker
        .lambda_parameter()
        .or_else(|| looker.reference())
        .or_else(|| looker.collection())
        .or_else(|| looker.written_pointer())
        .or_else(|| looker.schema_location())
        .or_else(|| looker.field())
}

/// Whether a range holds a byte, or ends at it.
pub(super) fn is_at(range: Range, offset: u32) -> bool {
    range.start <= offset && offset <= range.end
}

struct Looker<'s> {
    sources: &'s Sources,
    checked: &'s Checked,
    catalog: &'s Catalog,
    file: FileId,
    offset: u32,
    tree: Option<&'s Tree>,
}

impl<'s> Looker<'s> {
    fn new(snapshot: &'s Snapshot, file: FileId, offset: u32) -> Self {
        let compilation = &snapshot.compilation;
        let checked = &compilation.checked;
        let tree = compilation.sources.file(file).tree.as_deref();
        let sources = &compilation.sources;
        Self { sources, checked, catalog: &checked.catalog, file, offset, tree }
    }

    fn is_at(&self, range: Range) -> bool {
        is_at(range, self.offset)
    }

    /// A parameter in the SQL of a lambda.
    fn lambda_parameter(&self) -> Option<Subject> {
        let LambdaPlace { source, text, start, .. } =
            lambda::lambda_at(self.sources, self.catalog, self.file, self.offset)?;
        let range = lambda::parameter_at(text, start, self.offset)?;
        let written = self.sources.text(range.in_file(self.file));
        let checked = self.checked.collection(source);
        let shape = Arc::clone(&checked.effective_read_schema().shape);
        let binding = Parameters::new(checked.projections.iter().map(|it| &**it), shape)
            .resolve(written)
            .ok()?;
        let kind = SubjectKind::Location { collection: source, pointer: binding.pointer };
        Some(Subject { kind, range })
    }

    /// A reference to a file, or to a part of the schema that it stands in.
    fn reference(&self) -> Option<Subject> {
        if let Some((range, file)) = self.sources.reference_at(self.file, self.offset) {
            let written = self.sources.text(range.in_file(self.file));
            let fragment = written.split_once('#').map(|(_, fragment)| fragment.to_owned());
            return Some(Subject { kind: SubjectKind::File(file, fragment), range });
        }
        let tree = self.tree?;
        let node = tree.at_offset(self.offset);
        let parent = tree.node(node).parent?;
        let is_reference = tree.entry(parent, "$ref").is_some_and(|entry| entry.value == node);
        let fragment = tree.string(node).filter(|_| is_reference)?.value.strip_prefix('#')?;
        let is_file = self.sources.file(self.file).role == Role::Schema;
        let around = self.schema_around(tree, node).filter(|_| !is_file);
        let root = around.map_or_else(|| tree.root(), |(_, root)| root);
        let target = tree.at(root, fragment)?;
        let kind = SubjectKind::Place(self.file, tree.key_range(target));
        Some(Subject { kind, range: tree.text_range(node) })
    }

    /// The name of a collection.
    fn collection(&self) -> Option<Subject> {
        let declared = self.catalog.collections().find_map(|(id, collection)| {
            let span = collection.name_span();
            (span.file == self.file && self.is_at(span.range)).then_some((id, span.range))
        });
        let referred = || {
            references(self.catalog).find_map(|reference| {
                let span = reference.span;
                let is_here = span.file == self.file && self.is_at(span.range);
                is_here.then_some((reference.target?, span.range))
            })
        };
        let (id, range) = declared.or_else(referred)?;
        Some(Subject { kind: SubjectKind::Collection(id), range })
    }

    /// A JSON pointer of a key, a projection or a shuffle.
    fn written_pointer(&self) -> Option<Subject> {
        self.own_collections().find_map(|(id, collection)| {
            let spec = collection.spec();
            let own = spec.key.iter().flat_map(|key| &key.value);
            let own = own.chain(spec.projections.iter().map(|projection| &projection.location));
            let transforms = spec.derive.iter().flat_map(|derive| &derive.transforms);
            let of_sources = transforms.zip(&collection.sources).flat_map(|(transform, source)| {
                let pointers = match &transform.shuffle {
                    Some(ShuffleSpec::Key(key)) => key.value.as_slice(),
                    Some(ShuffleSpec::Any(_) | ShuffleSpec::Lambda(_)) | None => &[],
                };
                pointers.iter().filter_map(|pointer| Some((source.target?, pointer)))
            });
            own.map(|pointer| (id, pointer))
                .chain(of_sources)
                .find(|(_, pointer)| self.is_at(pointer.range))
                .and_then(|(collection, pointer)| {
                    let range = pointer.range;
                    let pointer = Pointer::parse(&pointer.value).ok()?;
                    Some(Subject { kind: SubjectKind::Location { collection, pointer }, range })
                })
        })
    }

    /// A property of the schema of a collection.
    fn schema_location(&self) -> Option<Subject> {
        let tree = self.tree?;
        let node = tree.at_offset(self.offset);
        let range = tree.key_range(node);
        if !self.is_at(range) {
            return None;
        }
        let (collection, root) = self.schema_around(tree, node)?;
        let pointer = location(tree, root, node)?;
        Some(Subject { kind: SubjectKind::Location { collection, pointer }, range })
    }

    /// The collection whose schema a node belongs to, and the root of the schema.
    fn schema_around(&self, tree: &Tree, node: NodeId) -> Option<(CollectionId, NodeId)> {
        let mut around = vec![node];
        while let Some(parent) = around.last().and_then(|node| tree.node(*node).parent) {
            around.push(parent);
        }
        self.catalog.collections().find_map(|(id, collection)| {
            schemas(collection.spec()).find_map(|schema| match schema {
                InlineOrFile::Inline(value) => {
                    let is_own = collection.file() == self.file && around.contains(&value.node);
                    is_own.then_some((id, value.node))
                }
                InlineOrFile::File(reference) => {
                    let from = collection.file();
                    let (file, fragment) =
                        self.sources.resolve(from, &reference.value, Role::Schema)?;
                    let root = tree.at(tree.root(), &fragment.unwrap_or_default())?;
                    (file == self.file && around.contains(&root)).then_some((id, root))
                }
            })
        })
    }

    /// A field of the language.
    fn field(&self) -> Option<Subject> {
        let source = self.sources.file(self.file);
        let tree = self.tree.filter(|_| source.role == Role::Catalog)?;
        let (field, range) = field_at(tree, self.offset)?;
        Some(Subject { kind: SubjectKind::Field(field), range })
    }

    fn own_collections(&self) -> impl Iterator<Item = (CollectionId, &'s Collection)> {
        self.catalog.collections().filter(|(_, collection)| collection.file() == self.file)
    }
}

/// The schemas that a collection declares.
pub(super) fn schemas(spec: &CollectionSpec) -> impl Iterator<Item = &InlineOrFile> {
    [&spec.schema, &spec.read_schema, &spec.write_schema].into_iter().flatten()
}

/// Every place that names a collection.
pub(super) fn references(catalog: &Catalog) -> impl Iterator<Item = &Reference> {
    let derivations = catalog.collections.iter().flat_map(|each| &each.sources);
    let captures = catalog.captures.iter().flat_map(|each| &each.targets);
    let materializations = catalog.materializations.iter().flat_map(|each| &each.sources);
    let tests = catalog.tests.iter().flat_map(|each| &each.collections);
    derivations.chain(captures).chain(materializations).chain(tests)
}

/// The location of documents that a schema below another speaks of; `None` when it speaks of no particular one.
fn location(tree: &Tree, root: NodeId, node: NodeId) -> Option<Pointer> {
    let whole = tree.pointer(node);
    let below = whole.strip_prefix(&tree.pointer(root))?;
    let mut tokens = below.split('/').skip(1);
    let mut pointer = String::new();
    while let Some(token) = tokens.next() {
        match token {
            "properties" => {
                pointer.push('/');
                pointer.push_str(tokens.next()?);
            }
            "items" | "additionalItems" | "prefixItems" => pointer.push_str("/0"),
            "allOf" | "anyOf" | "oneOf" => {
                tokens.next()?;
            }
            "if" | "then" | "else" => {}
            _ => return None,
        }
    }
    Pointer::parse(&pointer).ok()
}

/// The field whose key stands at a byte of a catalog file.
fn field_at(tree: &Tree, offset: u32) -> Option<(&'static Field, Range)> {
    let root: &'static Table = tables().first()?;
    let mut open = vec![(tree.root(), FieldKind::Object(root))];
    while let Some((node, kind)) = open.pop() {
        match (kind, &tree.node(node).kind) {
            (FieldKind::OneOf(kinds), _) => open.extend(kinds.iter().map(|kind| (node, *kind))),
            (FieldKind::Object(table), NodeKind::Mapping(entries)) => {
                for entry in entries {
                    let Some(field) = table.field(&entry.key) else { continue };
                    if is_at(entry.key_range, offset) {
                        return Some((field, entry.key_range));
                    }
                    if is_at(tree.node(entry.value).range, offset) {
                        open.push((entry.value, field.kind));
                    }
                }
            }
            (FieldKind::Map(kind), NodeKind::Mapping(entries)) => {
                let values = entries.iter().map(|entry| entry.value);
                open.extend(
                    values.filter(|it| is_at(tree.node(*it).range, offset)).map(|it| (it, *kind)),
                );
            }
            (FieldKind::List(kind), NodeKind::Sequence(items)) => {
                let items = items.iter().copied();
                open.extend(
                    items.filter(|it| is_at(tree.node(*it).range, offset)).map(|it| (it, *kind)),
                );
            }
            _ => {}
        }
    }
    None
}
