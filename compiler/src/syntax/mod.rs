//! YAML and JSON text as a tree of nodes with byte ranges. Parsing never fails: what is broken is reported, and the rest
//! is kept.

mod correspondence;
mod recover;
mod scalar;
#[cfg(test)]
mod tests;
mod yaml;

use std::collections::BTreeMap;

use serde_json::Value;
use tidegate_stdlib::bundle::Ordered;

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
    /// `(offset in value, byte in file)`, ascending: from each entry to the next, bytes correspond one to one. Where bytes of
    /// the file are skipped, two entries have one offset: what ends there ends at the first, what begins there at the last.
    pub map: Vec<(u32, u32)>,
}

/// One entry of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key's text.
    pub key: String,
    /// The bytes of the key's text, without quotes.
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

impl SyntaxProblemKind {
    /// Whether text was left out because of it, so that what seems to be missing may have been there.
    pub const fn loses_text(self) -> bool {
        match self {
            Self::Malformed
            | Self::TabIndentation
            | Self::UnknownAlias
            | Self::BadMergeKey
            | Self::ComplexKey
            | Self::TooDeep => true,
            Self::DuplicateKey => false,
        }
    }
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
    pub fn to_json(&self, id: NodeId) -> Value {
        match &self.node(id).kind {
            NodeKind::Null => Value::Null,
            NodeKind::Boolean(value) => Value::Bool(*value),
            NodeKind::Number(number) => Value::Number(number.clone()),
            NodeKind::String(string) => Value::String(string.value.clone()),
            NodeKind::Sequence(items) => {
                Value::Array(items.iter().map(|item| self.to_json(*item)).collect())
            }
            NodeKind::Mapping(entries) => {
                let property = |entry: &Entry| (entry.key.clone(), self.to_json(entry.value));
                Value::Object(entries.iter().map(property).collect())
            }
        }
    }

    /// A node and everything below as JSON, mappings in the order written.
    pub fn to_ordered(&self, id: NodeId) -> Ordered {
        match &self.node(id).kind {
            NodeKind::Sequence(items) => {
                Ordered::Array(items.iter().map(|item| self.to_ordered(*item)).collect())
            }
            NodeKind::Mapping(entries) => {
                let property = |entry: &Entry| (entry.key.clone(), self.to_ordered(entry.value));
                Ordered::Object(entries.iter().map(property).collect())
            }
            NodeKind::Null | NodeKind::Boolean(_) | NodeKind::Number(_) | NodeKind::String(_) => {
                Ordered::Scalar(self.to_json(id))
            }
        }
    }

    /// The JSON pointer of a node from the root.
    pub fn pointer(&self, id: NodeId) -> String {
        let mut tokens = Vec::new();
        let mut child = id;
        while let Some(parent) = self.node(child).parent {
            tokens.extend(self.token(parent, child));
            child = parent;
        }
        tokens.iter().rev().map(|token| format!("/{token}")).collect()
    }

    /// The node at a JSON pointer below `from`; property names are compared after unescaping.
    pub fn at(&self, from: NodeId, pointer: &str) -> Option<NodeId> {
        if pointer.is_empty() {
            return Some(from);
        }
        pointer.strip_prefix('/')?.split('/').try_fold(from, |node, token| {
            match &self.node(node).kind {
                NodeKind::Mapping(_) => {
                    let key = token.replace("~1", "/").replace("~0", "~");
                    self.entry(node, &key).map(|entry| entry.value)
                }
                NodeKind::Sequence(items) => {
                    let is_index = token == "0" || !token.starts_with('0');
                    let index = token.parse::<usize>().ok().filter(|_| is_index)?;
                    items.get(index).copied()
                }
                NodeKind::Null
                | NodeKind::Boolean(_)
                | NodeKind::Number(_)
                | NodeKind::String(_) => None,
            }
        })
    }

    /// The entry of a mapping node by its key.
    pub fn entry(&self, mapping: NodeId, key: &str) -> Option<&Entry> {
        self.entries(mapping).iter().find(|entry| entry.key == key)
    }

    /// The entries of a mapping node; none for another node.
    pub fn entries(&self, id: NodeId) -> &[Entry] {
        match &self.node(id).kind {
            NodeKind::Mapping(entries) => entries,
            NodeKind::Null
            | NodeKind::Boolean(_)
            | NodeKind::Number(_)
            | NodeKind::String(_)
            | NodeKind::Sequence(_) => &[],
        }
    }

    /// Whether a node is a mapping.
    pub fn is_mapping(&self, id: NodeId) -> bool {
        matches!(self.node(id).kind, NodeKind::Mapping(_))
    }

    /// The items of a sequence node; none for another node.
    pub fn items(&self, id: NodeId) -> &[NodeId] {
        match &self.node(id).kind {
            NodeKind::Sequence(items) => items,
            NodeKind::Null
            | NodeKind::Boolean(_)
            | NodeKind::Number(_)
            | NodeKind::String(_)
            | NodeKind::Mapping(_) => &[],
        }
    }

    /// The string of a node, if it is one.
    pub fn string(&self, id: NodeId) -> Option<&StringNode> {
        match &self.node(id).kind {
            NodeKind::String(string) => Some(string),
            NodeKind::Null
            | NodeKind::Boolean(_)
            | NodeKind::Number(_)
            | NodeKind::Sequence(_)
            | NodeKind::Mapping(_) => None,
        }
    }

    /// The bytes of a node's text: a string's without its quotes, else the node's.
    pub fn text_range(&self, id: NodeId) -> Range {
        self.string(id)
            .map_or_else(|| self.node(id).range, |string| string.place(0, string.value.len()))
    }

    /// The bytes of the key under which a node stands in its mapping; its own bytes when it is an item or the root.
    pub fn key_range(&self, id: NodeId) -> Range {
        let node = self.node(id);
        let key = node.parent.and_then(|parent| {
            self.entries(parent).iter().find(|entry| entry.value == id).map(|entry| entry.key_range)
        });
        key.unwrap_or(node.range)
    }

    /// The innermost node at a byte offset.
    pub fn at_offset(&self, offset: u32) -> NodeId {
        let mut found = self.root;
        while let Some(inner) = self.child_at(found, offset) {
            found = inner;
        }
        found
    }

    /// Whether some of the bytes belong to a value that an alias uses once more, so that a change of them changes two places.
    pub fn is_aliased(&self, range: Range) -> bool {
        let mut children: Vec<NodeId> = Vec::new();
        for id in (0u32..).map(NodeId).take(self.nodes.len()) {
            children.extend(self.items(id));
            children.extend(self.entries(id).iter().map(|entry| entry.value));
        }
        children.sort_unstable();
        let mut pairs = children.iter().zip(children.iter().skip(1));
        pairs.any(|(child, next)| {
            let own = self.node(*child).range;
            child == next && own.start <= range.end && range.start <= own.end
        })
    }

    /// The JSON pointer of every node below `from` with the node, in document order; pointers are relative to `from`.
    pub fn pointers(&self, from: NodeId) -> BTreeMap<String, NodeId> {
        let mut pointers = BTreeMap::new();
        self.collect_pointers(from, String::new(), &mut pointers);
        pointers
    }

    fn collect_pointers(&self, id: NodeId, pointer: String, to: &mut BTreeMap<String, NodeId>) {
        for (index, item) in self.items(id).iter().enumerate() {
            self.collect_pointers(*item, format!("{pointer}/{index}"), to);
        }
        for entry in self.entries(id) {
            let token = escape_token(&entry.key);
            self.collect_pointers(entry.value, format!("{pointer}/{token}"), to);
        }
        to.insert(pointer, id);
    }

    /// The reference token that leads from a node to its child.
    fn token(&self, parent: NodeId, child: NodeId) -> Option<String> {
        let key = self.entries(parent).iter().find(|entry| entry.value == child);
        key.map(|entry| escape_token(&entry.key)).or_else(|| {
            let index = self.items(parent).iter().position(|item| *item == child);
            index.map(|index| index.to_string())
        })
    }

    /// The child of a node that holds a byte, where a key belongs to its value. What an alias stands for lies
    /// elsewhere and is not looked at.
    fn child_at(&self, id: NodeId, offset: u32) -> Option<NodeId> {
        let is_inside = |range: Range| range.start <= offset && offset <= range.end;
        let own = |child: &NodeId| self.node(*child).parent == Some(id);
        let mut items = self.items(id).iter().copied().filter(own);
        let item = items.rfind(|item| is_inside(self.node(*item).range));
        let holds = |entry: &&Entry| {
            is_inside(entry.key_range)
                || (own(&entry.value) && is_inside(self.node(entry.value).range))
        };
        item.or_else(|| self.entries(id).iter().rfind(holds).map(|entry| entry.value)).filter(own)
    }
}

impl StringNode {
    /// The bytes in the file of `start..end` of the value.
    ///
    /// Offsets beyond the value count as its end.
    pub fn place(&self, start: usize, end: usize) -> Range {
        let start = start.min(self.value.len());
        let end = end.clamp(start, self.value.len());
        let first = self.byte(start, Side::Start);
        Range::new(first, self.byte(end, Side::End).max(first))
    }

    /// The byte of an offset of the value. Where runs meet, what begins there and what ends there are apart.
    fn byte(&self, offset: usize, side: Side) -> u32 {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        let index = match side {
            Side::Start => self.map.partition_point(|(in_value, _)| *in_value <= offset),
            Side::End => {
                let before = self.map.partition_point(|(in_value, _)| *in_value < offset);
                let meets = self.map.get(before).is_some_and(|(in_value, _)| *in_value == offset);
                before + usize::from(meets)
            }
        };
        let run = index.checked_sub(1).and_then(|index| self.map.get(index));
        run.map_or(0, |(in_value, in_file)| in_file + (offset - in_value))
    }
}

/// Which end of a part of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Start,
    End,
}

/// A property name as a token of a JSON pointer.
fn escape_token(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
