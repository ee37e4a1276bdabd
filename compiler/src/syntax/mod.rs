//! YAML and JSON text as a tree of nodes with byte ranges. Parsing never fails: what is broken is reported, and the rest
//! is kept.

mod scalar;
mod yaml;

use std::collections::BTreeMap;

use crate::source::Range;

pub use yaml::parse;

/// A node of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// The tree of one file. The root is a null node when the file is empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    nodes: Vec<Node>,
    root: NodeId,
    /// What went wrong, file-relative, in order.
    pub problems: Vec<SyntaxProblem>,
    /// Comments in order: their range, with the `#`.
    pub comments: Vec<Range>,
}

/// A node: its value, its bytes and its parent.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Its bytes: a scalar's text with its quotes, a mapping's first key to its last value. Empty for an absent value. For
    /// what an alias stands for, the bytes of the anchored node.
    pub range: Range,
    /// The node it belongs to.
    pub parent: Option<NodeId>,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    /// Absent, `~` or `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number; its text as written keeps what JSON cannot.
    Number(serde_json::Number),
    /// A string.
    String(StringNode),
    /// Items in order.
    Sequence(Vec<NodeId>),
    /// Entries in order; keys are unique (a repeated key has been reported, and its first value is kept).
    Mapping(Vec<Entry>),
}

/// A string and how its bytes correspond to the source.
#[derive(Debug, Clone, PartialEq)]
pub struct StringNode {
    /// The value.
    pub value: String,
    /// `(offset in value, byte in file)`, ascending: from each entry to the next, bytes correspond one to one.
    pub map: Vec<(u32, u32)>,
}

/// One entry of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key's text.
    pub key: String,
    /// The bytes of the key.
    pub key_range: Range,
    /// The value.
    pub value: NodeId,
}

/// A mistake of syntax, file-relative.
#[derive(Debug, Clone, PartialEq)]
pub struct SyntaxProblem {
    /// Its kind.
    pub kind: SyntaxProblemKind,
    /// The bytes at fault.
    pub range: Range,
    /// What is wrong, in lower case and without a full stop.
    pub message: String,
    /// A second place that explains it (the first of two equal keys, the bracket that was opened).
    pub other: Option<(Range, String)>,
}

/// The kinds of mistakes of syntax; each is a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyntaxProblemKind {
    /// The text is not YAML.
    Malformed,
    /// A tab where indentation is.
    TabIndentation,
    /// A key that its mapping has already.
    DuplicateKey,
    /// An alias without anchor.
    UnknownAlias,
    /// A `<<` whose value is no mapping.
    BadMergeKey,
    /// A mapping key that is no scalar.
    ComplexKey,
    /// Nested deeper, or expanding to more nodes, than the limits.
    TooDeep,
}

/// How a text is parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseOptions {
    /// Whether `<<` merges (catalog files only).
    pub merge_keys: bool,
}

impl Tree {
    /// The root node.
    pub fn root(&self) -> NodeId {
        self.root
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> &Node {
        self.nodes.get(id.0 as usize).expect("node ids come from this value")
    }

    /// The value below a node as JSON. Mapping keys become property names.
    pub fn to_json(&self, id: NodeId) -> serde_json::Value {
        let _ = id;
        todo!("H3")
    }

    /// The JSON pointer of a node from the root.
    pub fn pointer(&self, id: NodeId) -> String {
        let _ = id;
        todo!("H3")
    }

    /// The node at a JSON pointer below `from`; property names are compared after unescaping.
    pub fn at(&self, from: NodeId, pointer: &str) -> Option<NodeId> {
        let _ = (from, pointer);
        todo!("H3")
    }

    /// The entry of a mapping node by its key.
    pub fn entry(&self, mapping: NodeId, key: &str) -> Option<&Entry> {
        match &self.node(mapping).kind {
            NodeKind::Mapping(entries) => entries.iter().find(|entry| entry.key == key),
            NodeKind::Null
            | NodeKind::Boolean(_)
            | NodeKind::Number(_)
            | NodeKind::String(_)
            | NodeKind::Sequence(_) => None,
        }
    }

    /// The bytes of the key under which a node stands in its mapping; its own bytes when it is an item or the root.
    pub fn key_range(&self, id: NodeId) -> Range {
        let _ = id;
        todo!("H3")
    }

    /// The innermost node at a byte offset.
    pub fn at_offset(&self, offset: u32) -> NodeId {
        let _ = offset;
        todo!("H3")
    }

    /// The JSON pointer of every node below `from` with the node, in document order; pointers are relative to `from`.
    pub fn pointers(&self, from: NodeId) -> BTreeMap<String, NodeId> {
        let _ = from;
        todo!("H3")
    }
}

impl StringNode {
    /// The bytes in the file of `start..end` of the value.
    pub fn place(&self, start: usize, end: usize) -> Range {
        let _ = (start, end);
        todo!("H3")
    }
}
