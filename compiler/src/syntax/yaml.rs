//! Events of the YAML parser as a tree.
//!
//! An alias shares the node of its anchor; the nodes that aliases would expand to are counted, so that what a tree expands to
//! is bounded as well as its depth. A broken text is read again without the lines at fault.

use std::collections::HashMap;

use granit_parser::{Event, ScalarStyle, Span};

use super::correspondence::correspond;
use super::recover::{parser, recover, too_deep};
use super::scalar::{Scalar, resolve};
use super::{
    Entry, Node, NodeId, NodeKind, ParseOptions, StringNode, SyntaxProblem, SyntaxProblemKind, Tree,
};
use crate::limits::{ALIAS_NODES_MAX, NESTING_DEPTH_MAX};
use crate::source::Range;

/// Parses YAML (and so JSON). Never fails; problems are in the tree.
pub fn parse(text: &str, options: ParseOptions) -> Tree {
    let mut builder = Builder::new(text, options);
    if builder.read() == Completeness::Whole {
        return builder.finish(Vec::new());
    }
    let (repaired, problems) = recover(text);
    let mut builder = Builder::new(&repaired, options);
    builder.read();
    builder.finish(problems)
}

/// How much of a text was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Completeness {
    /// To its end.
    Whole,
    /// To a mistake.
    Part,
}

/// The key whose value is merged into its mapping, where keys merge.
const MERGE: &str = "<<";

/// A tree under construction.
struct Builder<'t> {
    text: &'t str,
    options: ParseOptions,
    nodes: Vec<Node>,
    /// What each node expands to.
    weights: Vec<Weight>,
    stack: Vec<Frame>,
    anchors: HashMap<usize, NodeId>,
    root: Option<NodeId>,
    problems: Vec<SyntaxProblem>,
    comments: Vec<Range>,
    alias_nodes: usize,
    documents: usize,
    is_stopped: bool,
}

/// What a node expands to when aliases are replaced by what they stand for.
#[derive(Debug, Clone, Copy, Default)]
struct Weight {
    nodes: usize,
    height: usize,
}

/// An open collection.
struct Frame {
    node: NodeId,
    start: Option<u32>,
    end: u32,
    weight: Weight,
    content: Content,
}

enum Content {
    Sequence(Vec<NodeId>),
    Mapping(Mapping),
}

#[derive(Default)]
struct Mapping {
    entries: Vec<Entry>,
    /// The places of entries by their keys; made when there are many.
    places: HashMap<String, usize>,
    /// The `<<` that merges.
    merge: Option<Range>,
    merged: Vec<NodeId>,
    next: Next,
}

/// Mappings of more entries are not searched one by one.
const SHORT_MAPPING_MAX: usize = 32;

impl Mapping {
    /// Where a key was given before.
    fn given(&mut self, key: &str) -> Option<Range> {
        let merge = self.merge.filter(|_| key == MERGE);
        let Self { entries, places, .. } = self;
        let entry = if entries.len() <= SHORT_MAPPING_MAX {
            entries.iter().find(|entry| entry.key == key)
        } else {
            for (place, entry) in entries.iter().enumerate().skip(places.len()) {
                places.insert(entry.key.clone(), place);
            }
            places.get(key).and_then(|place| entries.get(*place))
        };
        merge.or_else(|| entry.map(|entry| entry.key_range))
    }
}

/// What the next node of a mapping is.
#[derive(Default)]
enum Next {
    /// A key.
    #[default]
    Key,
    /// The value of a key.
    Value(String, Range),
    /// The value of `<<`.
    Merged(Range),
    /// The value of a key that was reported.
    Ignored,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str, options: ParseOptions) -> Self {
        Self {
            text,
            options,
            nodes: Vec::new(),
            weights: Vec::new(),
            stack: Vec::new(),
            anchors: HashMap::new(),
            root: None,
            problems: Vec::new(),
            comments: Vec::new(),
            alias_nodes: 0,
            documents: 0,
            is_stopped: false,
        }
    }

    fn read(&mut self) -> Completeness {
        for next in parser(self.text) {
            let Ok((event, span)) = next else { return Completeness::Part };
            self.event(event, span);
            if self.is_stopped {
                break;
            }
        }
        Completeness::Whole
    }

    fn finish(mut self, mut problems: Vec<SyntaxProblem>) -> Tree {
        while !self.stack.is_empty() {
            self.close(None);
        }
        let root = self.root.unwrap_or_else(|| self.add(NodeKind::Null, Range::default()));
        problems.append(&mut self.problems);
        problems.sort_by_key(|problem| problem.range);
        let mut is_too_deep = false;
        problems.retain(|problem| {
            let is_repeated = is_too_deep && problem.kind == SyntaxProblemKind::TooDeep;
            is_too_deep |= problem.kind == SyntaxProblemKind::TooDeep;
            !is_repeated
        });
        Tree { nodes: self.nodes, root, problems, comments: self.comments }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "other events carry no data")]
    fn event(&mut self, event: Event<'_>, span: Span) {
        let token = self.range(span);
        match event {
            Event::DocumentStart(..) => self.document(token),
            Event::Comment(..) => self.comments.push(token),
            Event::Scalar(value, style, anchor, tag) => {
                let is_string = tag.is_some_and(|tag| tag.is_yaml_core_schema_tag("str"));
                let shown = self.shown(token, style);
                if self.expects_key() {
                    let value = if token.start == token.end { "" } else { &*value };
                    self.key(value, shown, style, anchor);
                } else {
                    // Of a block without anything but blanks only the column is told.
                    let indent = span.indent.unwrap_or_else(|| span.start.col());
                    let kind = self.scalar(&value, style, token, indent, is_string);
                    let id = self.add(kind, shown);
                    self.name(anchor, id);
                    self.attach(id, shown);
                }
            }
            Event::SequenceStart(_, anchor, _) => {
                self.open(Content::Sequence(Vec::new()), anchor, token);
            }
            Event::MappingStart(_, anchor, _) => {
                self.open(Content::Mapping(Mapping::default()), anchor, token);
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(Some(token)),
            Event::Alias(anchor) => self.alias(anchor, token),
            Event::UnresolvedAlias(name) => {
                let message = format!("no anchor `&{name}` stands before this alias");
                self.problem(SyntaxProblemKind::UnknownAlias, token, message, None);
                self.null(token);
            }
            _ => {}
        }
    }

    /// The bytes of an event, always inside the text and at characters.
    fn range(&self, span: Span) -> Range {
        let bytes = span.byte_range().unwrap_or_default();
        let start = self.text.floor_char_boundary(bytes.start);
        let end = self.text.floor_char_boundary(bytes.end).max(start);
        Range::new(offset(start), offset(end))
    }

    /// The bytes of a scalar; a block's run on to the next token, so they are cut.
    fn shown(&self, token: Range, style: ScalarStyle) -> Range {
        if !matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            return token;
        }
        let written = self.text.get(token.as_usize()).unwrap_or_default();
        Range::new(token.start, token.start + offset(written.trim_end().len()))
    }

    fn document(&mut self, token: Range) {
        self.documents += 1;
        if self.documents > 1 {
            let message = "a second document begins here".to_owned();
            self.problem(SyntaxProblemKind::Malformed, token, message, None);
            self.is_stopped = true;
        }
    }

    fn scalar(
        &self,
        value: &str,
        style: ScalarStyle,
        token: Range,
        indent: usize,
        is_string: bool,
    ) -> NodeKind {
        if style == ScalarStyle::Plain && !is_string {
            let written = if token.start == token.end { "" } else { value };
            match resolve(written) {
                Scalar::Null => return NodeKind::Null,
                Scalar::Boolean(value) => return NodeKind::Boolean(value),
                Scalar::Number(number) => return NodeKind::Number(number),
                Scalar::String => {}
            }
        }
        let map = correspond(self.text, token, style, indent, value);
        NodeKind::String(StringNode { value: value.to_owned(), map })
    }

    fn expects_key(&self) -> bool {
        self.stack.last().is_some_and(|frame| match &frame.content {
            Content::Mapping(mapping) => matches!(mapping.next, Next::Key),
            Content::Sequence(_) => false,
        })
    }

    /// Takes a scalar as a key of the innermost mapping.
    fn key(&mut self, key: &str, token: Range, style: ScalarStyle, anchor: usize) {
        if anchor != 0 {
            let map = correspond(self.text, token, style, 0, key);
            let kind = NodeKind::String(StringNode { value: key.to_owned(), map });
            let id = self.add(kind, token);
            self.name(anchor, id);
        }
        let is_quoted = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
        let text = match token.end - token.start {
            2.. if is_quoted => Range::new(token.start + 1, token.end - 1),
            _ => token,
        };
        let merges = self.options.merge_keys && style == ScalarStyle::Plain && key == MERGE;
        self.take_key(key, text, merges);
    }

    fn take_key(&mut self, key: &str, text: Range, merges: bool) {
        let Some(frame) = self.stack.last_mut() else { return };
        frame.cover(text);
        let Content::Mapping(mapping) = &mut frame.content else { return };
        if let Some(first) = mapping.given(key) {
            mapping.next = Next::Ignored;
            let message = format!("key `{key}` is given twice");
            let other = Some((first, "it is first given here".to_owned()));
            self.problem(SyntaxProblemKind::DuplicateKey, text, message, other);
            return;
        }
        if merges {
            mapping.merge = Some(text);
            mapping.next = Next::Merged(text);
        } else {
            mapping.next = Next::Value(key.to_owned(), text);
        }
    }

    /// Takes a collection as a key, which is reported; the key and its value are left out.
    fn complex_key(&mut self, token: Range) {
        let message = "a key must be a word or a text".to_owned();
        self.problem(SyntaxProblemKind::ComplexKey, token, message, None);
        if let Some(Frame { content: Content::Mapping(mapping), .. }) = self.stack.last_mut() {
            mapping.next = Next::Ignored;
        }
    }

    fn open(&mut self, content: Content, anchor: usize, token: Range) {
        if self.stack.len() >= NESTING_DEPTH_MAX {
            self.problems.push(too_deep(token));
            self.null(token);
            self.is_stopped = true;
            return;
        }
        let node = self.add(NodeKind::Null, token);
        self.name(anchor, node);
        let start = (token.start < token.end).then_some(token.start);
        self.stack.push(Frame { node, start, end: token.end, weight: Weight::default(), content });
    }

    fn close(&mut self, token: Option<Range>) {
        let Some(mut frame) = self.stack.pop() else { return };
        if let Some(token) = token.filter(|token| token.start < token.end) {
            frame.end = token.end;
        }
        let start = frame.start.unwrap_or(frame.end);
        let range = Range::new(start, frame.end.max(start));
        let kind = match frame.content {
            Content::Sequence(items) => NodeKind::Sequence(items),
            Content::Mapping(mapping) => NodeKind::Mapping(self.merge(mapping)),
        };
        if let Some(node) = self.nodes.get_mut(frame.node.0 as usize) {
            node.kind = kind;
            node.range = range;
        }
        if let Some(weight) = self.weights.get_mut(frame.node.0 as usize) {
            weight.nodes = frame.weight.nodes + 1;
            weight.height = frame.weight.height + 1;
        }
        self.attach(frame.node, range);
    }

    /// The entries of a mapping with those of its `<<`; own entries and earlier merges win.
    fn merge(&mut self, mut mapping: Mapping) -> Vec<Entry> {
        for source in std::mem::take(&mut mapping.merged) {
            let Some(Node { kind: NodeKind::Mapping(entries), .. }) =
                self.nodes.get(source.0 as usize)
            else {
                continue;
            };
            for entry in entries {
                if mapping.given(&entry.key).is_none() {
                    mapping.entries.push(entry.clone());
                }
            }
        }
        mapping.entries
    }

    fn alias(&mut self, anchor: usize, token: Range) {
        let Some(target) = self.anchors.get(&anchor).copied() else {
            self.null(token);
            return;
        };
        if self.expects_key() {
            self.alias_key(target, token);
            return;
        }
        let name = self.text.get(token.as_usize()).unwrap_or_default();
        if self.stack.iter().any(|frame| frame.node == target) {
            let message = format!("`{name}` stands inside the value it names");
            self.problem(SyntaxProblemKind::UnknownAlias, token, message, None);
            self.null(token);
            return;
        }
        let weight = self.weight(target);
        self.alias_nodes = self.alias_nodes.saturating_add(weight.nodes);
        if self.alias_nodes > ALIAS_NODES_MAX
            || self.stack.len() + weight.height > NESTING_DEPTH_MAX
        {
            let message = "aliases of this file expand to too much".to_owned();
            self.problem(SyntaxProblemKind::TooDeep, token, message, None);
            self.null(token);
            self.is_stopped = true;
            return;
        }
        self.attach(target, token);
    }

    fn alias_key(&mut self, target: NodeId, token: Range) {
        let Some(node) = self.nodes.get(target.0 as usize) else { return };
        let key = match &node.kind {
            NodeKind::Sequence(_) | NodeKind::Mapping(_) => {
                self.complex_key(token);
                return;
            }
            NodeKind::String(string) => string.value.clone(),
            NodeKind::Null | NodeKind::Boolean(_) | NodeKind::Number(_) => {
                self.text.get(node.range.as_usize()).unwrap_or_default().to_owned()
            }
        };
        self.take_key(&key, token, false);
    }

    /// Attaches a null node where nothing better can stand.
    fn null(&mut self, token: Range) {
        let id = self.add(NodeKind::Null, token);
        self.attach(id, token);
    }

    /// Gives a node to the innermost open collection, or makes it the root. `token` is what was written there.
    fn attach(&mut self, id: NodeId, token: Range) {
        let weight = self.weight(id);
        let Some(frame) = self.stack.last_mut() else {
            self.root.get_or_insert(id);
            return;
        };
        frame.cover(token);
        frame.weight.nodes = frame.weight.nodes.saturating_add(weight.nodes);
        frame.weight.height = frame.weight.height.max(weight.height);
        let mapping = match &mut frame.content {
            Content::Sequence(items) => return items.push(id),
            Content::Mapping(mapping) => mapping,
        };
        match std::mem::take(&mut mapping.next) {
            Next::Key => self.complex_key(token),
            Next::Ignored => {}
            Next::Value(key, key_range) => {
                mapping.entries.push(Entry { key, key_range, value: id });
            }
            Next::Merged(key_range) => match mergeable(&self.nodes, id) {
                Some(sources) => mapping.merged.extend(sources),
                None => {
                    let message = "`<<` merges mappings only".to_owned();
                    let other = Some((token, "this is no mapping".to_owned()));
                    self.problem(SyntaxProblemKind::BadMergeKey, key_range, message, other);
                }
            },
        }
    }

    fn add(&mut self, kind: NodeKind, range: Range) -> NodeId {
        let id = NodeId(offset(self.nodes.len()));
        let parent = self.stack.last().map(|frame| frame.node);
        self.nodes.push(Node { kind, range, parent });
        self.weights.push(Weight { nodes: 1, height: 0 });
        id
    }

    fn name(&mut self, anchor: usize, id: NodeId) {
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
    }

    fn weight(&self, id: NodeId) -> Weight {
        self.weights.get(id.0 as usize).copied().unwrap_or_default()
    }

    fn problem(
        &mut self,
        kind: SyntaxProblemKind,
        range: Range,
        message: String,
        other: Option<(Range, String)>,
    ) {
        self.problems.push(SyntaxProblem { kind, range, message, other });
    }
}

impl Frame {
    /// Widens the collection so that it covers what was written in it.
    fn cover(&mut self, token: Range) {
        self.start.get_or_insert(token.start);
        self.end = self.end.max(token.end);
    }
}

/// The mappings that a value of `<<` merges; nothing when it is something else.
fn mergeable(nodes: &[Node], id: NodeId) -> Option<Vec<NodeId>> {
    let is_mapping = |id: NodeId| {
        let node = nodes.get(id.0 as usize);
        node.is_some_and(|node| matches!(node.kind, NodeKind::Mapping(_)))
    };
    if is_mapping(id) {
        return Some(vec![id]);
    }
    match &nodes.get(id.0 as usize)?.kind {
        NodeKind::Sequence(items) => {
            items.iter().all(|item| is_mapping(*item)).then(|| items.clone())
        }
        NodeKind::Null
        | NodeKind::Boolean(_)
        | NodeKind::Number(_)
        | NodeKind::String(_)
        | NodeKind::Mapping(_) => None,
    }
}

/// Sources are smaller than 4 GiB by the limit on their size.
fn offset(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
