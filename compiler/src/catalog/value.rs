//! Values in place or in files, with the place of every part.

use std::sync::Arc;

use serde_json::Value;
use tidegate_stdlib::bundle::Config;

use crate::model::InlineOrFile;
use crate::source::{FileId, Role, Sources, Span};
use crate::syntax::{NodeId, Tree};

/// A value and the tree that it stands in.
#[derive(Debug, Clone)]
pub struct SourceValue {
    /// The value as JSON.
    pub value: Value,
    /// The file that holds it.
    pub file: FileId,
    /// Its place: in place its own bytes, in a file the reference to it.
    pub span: Span,
    tree: Option<(Arc<Tree>, NodeId)>,
}

impl SourceValue {
    /// The value that `value`, written in `file`, holds or names in a role; `None` when its file was not read, or only in part, which
    /// has been reported.
    pub fn new(sources: &Sources, file: FileId, value: &InlineOrFile, role: Role) -> Option<Self> {
        let span = value.range().in_file(file);
        let (file, node) = match value {
            InlineOrFile::Inline(inline) => (file, Some(inline.node)),
            InlineOrFile::File(reference) => {
                (sources.resolve(file, &reference.value, role)?.0, None)
            }
        };
        let source = sources.file(file);
        if !source.is_present || node.is_none() && !source.is_whole() {
            return None;
        }
        let Some(tree) = source.tree.clone() else {
            let value = Value::String(source.text.to_string());
            return Some(Self { value, file, span, tree: None });
        };
        let node = node.unwrap_or_else(|| tree.root());
        Some(Self { value: tree.to_json(node), file, span, tree: Some((tree, node)) })
    }

    /// A value that stands in for one that is not written; everything in it is at `span`.
    pub(crate) fn absent(value: Value, span: Span) -> Self {
        Self { value, file: span.file, span, tree: None }
    }

    /// The value as the configuration of an endpoint.
    pub fn to_config(&self) -> Config {
        match &self.tree {
            Some((tree, node)) => Config::new(tree.to_ordered(*node)),
            None => Config::Plain(self.value.clone()),
        }
    }

    /// The place of the value at a JSON pointer, or of the nearest value around it.
    pub fn value_place(&self, pointer: &str) -> Span {
        self.place(pointer, Tree::text_range)
    }

    /// The place of the name under which the value at a JSON pointer stands, or of the nearest value around it. Of a whole file it
    /// is the reference to the file.
    pub fn name_place(&self, pointer: &str) -> Span {
        let is_file = self.tree.as_ref().is_some_and(|(tree, root)| tree.root() == *root);
        if is_file && pointer.is_empty() { self.span } else { self.place(pointer, Tree::key_range) }
    }

    fn place(&self, pointer: &str, range: impl Fn(&Tree, NodeId) -> crate::source::Range) -> Span {
        let Some((tree, root)) = &self.tree else { return self.span };
        let mut pointer = pointer;
        loop {
            if let Some(node) = tree.at(*root, pointer) {
                return range(tree, node).in_file(self.file);
            }
            match pointer.rsplit_once('/') {
                Some((around, _)) => pointer = around,
                None => return self.span,
            }
        }
    }
}
