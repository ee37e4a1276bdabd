//! The declarations of a file, as an outline.

use crate::model::{Spanned, Specs};
use crate::session::Snapshot;
use crate::source::{FileId, Range};
use crate::syntax::Tree;

/// A declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: SymbolKind,
    /// The bytes of the name.
    pub name_range: Range,
    /// The bytes of the whole, from its name on.
    pub range: Range,
    /// What is declared inside, in order.
    pub children: Vec<Symbol>,
}

/// What a symbol is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymbolKind {
    /// A capture.
    Capture,
    /// A collection that is not derived.
    Collection,
    /// A derived collection.
    Derivation,
    /// A transform of a derivation.
    Transform,
    /// A projection of a collection.
    Projection,
    /// A materialization.
    Materialization,
    /// A test.
    Test,
}

impl SymbolKind {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Collection => "collection",
            Self::Derivation => "derivation",
            Self::Transform => "transform",
            Self::Projection => "projection",
            Self::Materialization => "materialization",
            Self::Test => "test",
        }
    }
}

/// The declarations of a file, in order of their places.
pub fn symbols(snapshot: &Snapshot, file: FileId) -> Vec<Symbol> {
    let source = snapshot.compilation.sources.file(file);
    let (Some(specs), Some(tree)) = (&source.specs, &source.tree) else { return Vec::new() };
    let mut symbols = declarations(specs, tree);
    symbols.sort_by_key(|symbol| symbol.range);
    symbols
}

fn declarations(specs: &Specs, tree: &Tree) -> Vec<Symbol> {
    let symbol = |kind, name: &Spanned<String>, children| symbol(kind, name, children, tree);
    let mut symbols = Vec::new();
    for capture in &specs.captures {
        symbols.push(symbol(SymbolKind::Capture, &capture.name, Vec::new()));
    }
    for collection in &specs.collections {
        let projections = collection.projections.iter();
        let mut children: Vec<Symbol> = projections
            .map(|projection| symbol(SymbolKind::Projection, &projection.field, Vec::new()))
            .collect();
        let transforms = collection.derive.iter().flat_map(|derive| &derive.transforms);
        children.extend(transforms.map(|transform| Symbol {
            name: transform.name.value.clone(),
            kind: SymbolKind::Transform,
            name_range: transform.name.range,
            range: whole(tree, &transform.name),
            children: Vec::new(),
        }));
        children.sort_by_key(|child| child.range);
        let is_derived = collection.derive.is_some();
        let kind = if is_derived { SymbolKind::Derivation } else { SymbolKind::Collection };
        symbols.push(symbol(kind, &collection.name, children));
    }
    for materialization in &specs.materializations {
        symbols.push(symbol(SymbolKind::Materialization, &materialization.name, Vec::new()));
    }
    for test in &specs.tests {
        symbols.push(symbol(SymbolKind::Test, &test.name, Vec::new()));
    }
    symbols
}

/// A declaration under the key that is its name.
fn symbol(kind: SymbolKind, name: &Spanned<String>, children: Vec<Symbol>, tree: &Tree) -> Symbol {
    let value = tree.node(name.node).range;
    // What an alias stands for lies elsewhere.
    let end = if value.start >= name.range.end { value.end } else { name.range.end };
    let range = Range::new(name.range.start, end);
    Symbol { name: name.value.clone(), kind, name_range: name.range, range, children }
}

/// The bytes of the mapping that a name stands in as a value.
fn whole(tree: &Tree, name: &Spanned<String>) -> Range {
    let around = tree.node(name.node).parent.map(|parent| tree.node(parent).range);
    let around =
        around.filter(|range| range.start <= name.range.start && name.range.end <= range.end);
    around.unwrap_or(name.range)
}
