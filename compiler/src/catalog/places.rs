//! Where the keywords of a bundled schema stand.
//!
//! A bundle has thousands of places, of which a diagnostic needs one. So nothing is noted while a schema is bundled: a place is
//! looked up in the trees that the bundle was made of.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::source::{FileId, Span};
use crate::syntax::{NodeId, Tree};

/// The documents of a bundle and where each of them stands in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Places {
    documents: Vec<PlacedDocument>,
    /// Places that are not those of a document: of the root, and of a reference that is the root.
    others: BTreeMap<String, Span>,
}

/// A document of a bundle.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PlacedDocument {
    /// Its pointer in the bundle.
    pub(super) prefix: String,
    /// The file it stands in.
    pub(super) file: FileId,
    pub(super) tree: Arc<Tree>,
    /// Its node in the tree.
    pub(super) root: NodeId,
    /// The reference that led to it.
    pub(super) referred: Span,
}

/// Which of the two parts of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Name,
    Value,
}

impl Places {
    /// The places of some documents and others by their pointer.
    pub(super) fn new(documents: Vec<PlacedDocument>, others: BTreeMap<String, Span>) -> Self {
        Self { documents, others }
    }

    /// Where a keyword or property stands: its name, of an item its text.
    pub(super) fn name(&self, pointer: &str) -> Option<Span> {
        let other = self.others.get(pointer).copied();
        other.or_else(|| self.part(pointer, Part::Name))
    }

    /// Where its value stands.
    pub(super) fn value(&self, pointer: &str) -> Option<Span> {
        let other = self.others.get(pointer).copied().filter(|_| !pointer.is_empty());
        other.or_else(|| self.part(pointer, Part::Value))
    }

    fn part(&self, pointer: &str, part: Part) -> Option<Span> {
        let holds = |document: &&PlacedDocument| {
            let rest = pointer.strip_prefix(&document.prefix);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let of_document = self.documents.iter().filter(holds);
        let document = of_document.max_by_key(|document| document.prefix.len())?;
        let PlacedDocument { prefix, file, tree, root, referred } = document;
        let below = pointer.strip_prefix(prefix)?;
        let Some((around, token)) = below.rsplit_once('/') else {
            return (part == Part::Name && !prefix.is_empty()).then_some(*referred);
        };
        let around = tree.at(*root, around)?;
        let key = token.replace("~1", "/").replace("~0", "~");
        let range = match (tree.entry(around, &key), part) {
            (Some(entry), Part::Name) => entry.key_range,
            (Some(entry), Part::Value) => tree.text_range(entry.value),
            (None, _) => {
                let item = tree.items(around).get(token.parse::<usize>().ok()?)?;
                tree.text_range(*item)
            }
        };
        Some(range.in_file(*file))
    }

    /// Where each keyword, property and item stands, by its pointer.
    pub(super) fn all(&self) -> BTreeMap<String, Span> {
        let mut all = BTreeMap::new();
        for document in &self.documents {
            if !document.prefix.is_empty() {
                all.insert(document.prefix.clone(), document.referred);
            }
            document.collect(document.root, &mut document.prefix.clone(), &mut all);
        }
        all.extend(self.others.iter().map(|(pointer, span)| (pointer.clone(), *span)));
        all
    }
}

impl PlacedDocument {
    fn collect(&self, node: NodeId, pointer: &mut String, all: &mut BTreeMap<String, Span>) {
        let length = pointer.len();
        for (index, item) in self.tree.items(node).iter().enumerate() {
            pointer.push('/');
            pointer.push_str(&index.to_string());
            all.insert(pointer.clone(), self.tree.text_range(*item).in_file(self.file));
            self.collect(*item, pointer, all);
            pointer.truncate(length);
        }
        for entry in self.tree.entries(node) {
            pointer.push('/');
            pointer.push_str(&entry.key.replace('~', "~0").replace('/', "~1"));
            all.insert(pointer.clone(), entry.key_range.in_file(self.file));
            self.collect(entry.value, pointer, all);
            pointer.truncate(length);
        }
    }
}
