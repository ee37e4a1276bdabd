//! What a schema says of reductions, ready to be walked with a document.
//!
//! A node stands for one schema of the normal form. Which nodes speak of a value depends on the
//! value only where a `oneOf`, `anyOf`, `if` or `dependentSchemas` leads to an annotation; all else
//! is known beforehand.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

use jsonschema::Validator;
use regex::Regex;
use serde_json::{Map, Value};

use super::Annotation;
use crate::document;
use crate::schema::{NormalForm, target};
use crate::value::escape;

/// The index of a node in its plan.
pub(super) type NodeId = usize;

#[derive(Debug)]
pub(super) struct Plan {
    nodes: Vec<Node>,
    /// Whether an annotation of the root may delete the document.
    may_delete_root: bool,
}

#[derive(Debug, Default)]
struct Node {
    annotation: Option<Annotation>,
    /// Schemas that always apply to the same value.
    in_place: Vec<NodeId>,
    conditions: Vec<Condition>,
    properties: BTreeMap<String, NodeId>,
    patterns: Vec<(Regex, NodeId)>,
    additional_properties: Option<NodeId>,
    unevaluated_properties: Option<NodeId>,
    prefix_items: Vec<NodeId>,
    items: Option<NodeId>,
    unevaluated_items: Option<NodeId>,
    /// Whether an annotation can be reached from here.
    bears: bool,
    /// The nodes that apply to the same value, when no condition decides it.
    closure: Option<Vec<NodeId>>,
}

/// Schemas that apply to the same value when a test says so.
#[derive(Debug)]
struct Condition {
    test: Test,
    satisfied: Vec<NodeId>,
    otherwise: Vec<NodeId>,
}

#[derive(Debug)]
enum Test {
    /// The value is valid under the schema at this place, which is compiled only when it matters.
    Unused(String),
    Valid(Box<Validator>),
    /// The value is an object with this property.
    Has(String),
}

/// The root of every plan.
const ROOT: [NodeId; 1] = [0];

impl Plan {
    pub(super) fn new(normal: &NormalForm) -> Self {
        let mut nodes = Builder::build(normal);
        mark_bearing(&mut nodes);
        keep_bearing(&mut nodes);
        for node in &mut nodes {
            compile_tests(node, normal);
        }
        let closures: Vec<_> = (0..nodes.len()).map(|node| closure(&nodes, node)).collect();
        for (node, closure) in nodes.iter_mut().zip(closures) {
            node.closure = closure;
        }
        let plan = Self { nodes, may_delete_root: false };
        let may_delete_root = plan.annotations(&plan.at_root()).any(|it| it.delete);
        Self { may_delete_root, ..plan }
    }

    /// The nodes that may speak of the root.
    pub(super) fn root(&self) -> &[NodeId] {
        if self.nodes.first().is_some_and(|node| node.bears) { &ROOT } else { &[] }
    }

    /// Whether `document` by its own annotation deletes what is before it.
    pub(super) fn deletes(&self, document: document::Node<'_>) -> bool {
        self.may_delete_root
            && self.annotations(&self.activate(self.root(), document)).any(|it| it.delete)
    }

    /// The nodes that speak of `value`, which stands where `candidates` may speak.
    pub(super) fn activate<'p>(
        &'p self,
        candidates: &[NodeId],
        value: document::Node<'_>,
    ) -> Cow<'p, [NodeId]> {
        if let [single] = candidates {
            let closure = self.nodes.get(*single).and_then(|node| node.closure.as_deref());
            if let Some(closure) = closure {
                return Cow::Borrowed(closure);
            }
        }
        let mut active = candidates.to_vec();
        let mut at = 0;
        while let Some(node) = active.get(at).and_then(|id| self.nodes.get(*id)) {
            at += 1;
            let mut add = |ids: &[NodeId]| {
                for id in ids {
                    if !active.contains(id) {
                        active.push(*id);
                    }
                }
            };
            add(&node.in_place);
            for condition in &node.conditions {
                let satisfied = condition.test.holds(value);
                add(if satisfied { &condition.satisfied } else { &condition.otherwise });
            }
        }
        Cow::Owned(active)
    }

    /// The annotations of some nodes.
    pub(super) fn annotations(&self, active: &[NodeId]) -> impl Iterator<Item = &Annotation> {
        active.iter().filter_map(|id| self.nodes.get(*id)?.annotation.as_ref())
    }

    /// The nodes that may speak of a property of a value that `active` speak of.
    pub(super) fn property(&self, active: &[NodeId], name: &str) -> Vec<NodeId> {
        let mut found = Vec::new();
        let mut unevaluated = Vec::new();
        let mut is_evaluated = false;
        for node in active.iter().filter_map(|id| self.nodes.get(*id)) {
            let named = node.properties.get(name);
            let mut speaks = named.is_some();
            found.extend(named);
            for (pattern, id) in &node.patterns {
                if pattern.is_match(name) {
                    speaks = true;
                    found.push(*id);
                }
            }
            if !speaks {
                speaks = node.additional_properties.is_some();
                found.extend(node.additional_properties);
            }
            is_evaluated |= speaks;
            unevaluated.extend(node.unevaluated_properties);
        }
        self.speaking(if is_evaluated { found } else { unevaluated })
    }

    /// The nodes that may speak of an item of a value that `active` speak of.
    pub(super) fn item(&self, active: &[NodeId], index: usize) -> Vec<NodeId> {
        let mut found = Vec::new();
        let mut unevaluated = Vec::new();
        for node in active.iter().filter_map(|id| self.nodes.get(*id)) {
            found.extend(node.prefix_items.get(index).copied().or(node.items));
            unevaluated.extend(node.unevaluated_items);
        }
        self.speaking(if found.is_empty() { unevaluated } else { found })
    }

    fn speaking(&self, mut ids: Vec<NodeId>) -> Vec<NodeId> {
        ids.retain(|id| self.nodes.get(*id).is_some_and(|node| node.bears));
        ids.dedup();
        ids
    }

    /// All nodes that may ever speak of the root.
    fn at_root(&self) -> Vec<NodeId> {
        let mut found = vec![0];
        let mut at = 0;
        while let Some(node) = found.get(at).and_then(|id| self.nodes.get(*id)) {
            at += 1;
            add_new(&mut found, node.here());
        }
        found
    }
}

fn add_new(ids: &mut Vec<NodeId>, more: impl Iterator<Item = NodeId>) {
    for id in more {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
}

impl Node {
    /// All nodes that may apply to the same value.
    fn here(&self) -> impl Iterator<Item = NodeId> {
        let conditional = self
            .conditions
            .iter()
            .flat_map(|condition| condition.satisfied.iter().chain(&condition.otherwise).copied());
        self.in_place.iter().copied().chain(conditional)
    }

    /// All nodes that may apply to a property or an item.
    fn children(&self) -> impl Iterator<Item = NodeId> {
        self.properties
            .values()
            .chain(self.patterns.iter().map(|(_, id)| id))
            .chain(&self.prefix_items)
            .copied()
            .chain(self.additional_properties)
            .chain(self.unevaluated_properties)
            .chain(self.items)
            .chain(self.unevaluated_items)
    }
}

impl Test {
    fn holds(&self, value: document::Node<'_>) -> bool {
        match self {
            Self::Unused(_) => false,
            Self::Valid(validator) => validator.is_valid(&value.to_value()),
            Self::Has(name) => value.get(name).is_some(),
        }
    }
}

/// Makes a node for every schema that can be reached from the root.
struct Builder {
    ids: BTreeMap<String, NodeId>,
    queue: VecDeque<String>,
}

impl Builder {
    fn build(normal: &NormalForm) -> Vec<Node> {
        let mut builder = Self { ids: BTreeMap::new(), queue: VecDeque::new() };
        builder.id("");
        let mut nodes = Vec::new();
        while let Some(place) = builder.queue.pop_front() {
            nodes.push(builder.node(normal, &place));
        }
        nodes
    }

    /// The id of the schema at a place, which is queued when it is new.
    fn id(&mut self, place: &str) -> NodeId {
        if let Some(id) = self.ids.get(place) {
            return *id;
        }
        let id = self.ids.len();
        self.ids.insert(place.to_owned(), id);
        self.queue.push_back(place.to_owned());
        id
    }

    fn node(&mut self, normal: &NormalForm, place: &str) -> Node {
        let Some(Value::Object(schema)) = normal.schema.pointer(place) else {
            return Node::default();
        };
        let mut in_place: Vec<_> =
            target(schema).map(|target| self.id(&target)).into_iter().collect();
        in_place.extend(self.array(schema, "allOf", place));
        let origin = || normal.origin(&format!("{place}/reduce"));
        let annotation = schema.get("reduce").and_then(|it| Annotation::parse(it, origin).ok());
        Node {
            annotation,
            in_place,
            conditions: self.conditions(schema, place),
            properties: self.object(schema, "properties", place).collect(),
            patterns: self
                .object(schema, "patternProperties", place)
                .filter_map(|(pattern, id)| Some((Regex::new(&pattern).ok()?, id)))
                .collect(),
            additional_properties: self.single(schema, "additionalProperties", place),
            unevaluated_properties: self.single(schema, "unevaluatedProperties", place),
            prefix_items: self.array(schema, "prefixItems", place),
            items: self.single(schema, "items", place),
            unevaluated_items: self.single(schema, "unevaluatedItems", place),
            bears: false,
            closure: None,
        }
    }

    fn conditions(&mut self, schema: &Map<String, Value>, place: &str) -> Vec<Condition> {
        let mut conditions = Vec::new();
        for keyword in ["oneOf", "anyOf"] {
            for (index, id) in self.array(schema, keyword, place).into_iter().enumerate() {
                conditions.push(Condition {
                    test: Test::Unused(format!("{place}/{keyword}/{index}")),
                    satisfied: vec![id],
                    otherwise: Vec::new(),
                });
            }
        }
        if let Some(id) = self.single(schema, "if", place) {
            let then = self.single(schema, "then", place);
            conditions.push(Condition {
                test: Test::Unused(format!("{place}/if")),
                satisfied: [id].into_iter().chain(then).collect(),
                otherwise: self.single(schema, "else", place).into_iter().collect(),
            });
        }
        for (name, id) in self.object(schema, "dependentSchemas", place) {
            conditions.push(Condition {
                test: Test::Has(name),
                satisfied: vec![id],
                otherwise: Vec::new(),
            });
        }
        conditions
    }

    fn single(
        &mut self,
        schema: &Map<String, Value>,
        keyword: &str,
        place: &str,
    ) -> Option<NodeId> {
        schema.contains_key(keyword).then(|| self.id(&format!("{place}/{keyword}")))
    }

    fn array(&mut self, schema: &Map<String, Value>, keyword: &str, place: &str) -> Vec<NodeId> {
        let length = schema.get(keyword).and_then(Value::as_array).map_or(0, Vec::len);
        (0..length).map(|index| self.id(&format!("{place}/{keyword}/{index}"))).collect()
    }

    fn object(
        &mut self,
        schema: &Map<String, Value>,
        keyword: &str,
        place: &str,
    ) -> impl Iterator<Item = (String, NodeId)> + use<> {
        let names = schema.get(keyword).and_then(Value::as_object).into_iter().flatten();
        let ids: Vec<_> = names
            .map(|(name, _)| {
                (name.clone(), self.id(&format!("{place}/{keyword}/{}", escape(name))))
            })
            .collect();
        ids.into_iter()
    }
}

/// Marks the nodes from which an annotation can be reached.
fn mark_bearing(nodes: &mut [Node]) {
    let mut parents: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    for (id, node) in nodes.iter().enumerate() {
        for child in node.here().chain(node.children()) {
            parents.entry(child).or_default().push(id);
        }
    }
    let mut queue: Vec<NodeId> = (0..)
        .zip(nodes.iter())
        .filter(|(_, node)| node.annotation.is_some())
        .map(|(id, _)| id)
        .collect();
    while let Some(id) = queue.pop() {
        let Some(node) = nodes.get_mut(id).filter(|node| !node.bears) else { continue };
        node.bears = true;
        queue.extend(parents.get(&id).into_iter().flatten());
    }
}

/// Compiles the tests of conditions that may lead to an annotation.
fn compile_tests(node: &mut Node, normal: &NormalForm) {
    for condition in &mut node.conditions {
        if let Test::Unused(place) = &condition.test
            && let Some(validator) = normal.validator_at(place)
        {
            condition.test = Test::Valid(Box::new(validator));
        }
    }
}

/// Forgets in-place schemas that lead to no annotation.
fn keep_bearing(nodes: &mut [Node]) {
    let bearing: Vec<bool> = nodes.iter().map(|node| node.bears).collect();
    let bears = |id: &NodeId| bearing.get(*id).copied().unwrap_or(false);
    for node in nodes {
        node.in_place.retain(bears);
        for condition in &mut node.conditions {
            condition.satisfied.retain(bears);
            condition.otherwise.retain(bears);
        }
        node.conditions.retain(|it| !it.satisfied.is_empty() || !it.otherwise.is_empty());
    }
}

/// The nodes that apply to the same value as `start`, when no condition decides it.
fn closure(nodes: &[Node], start: NodeId) -> Option<Vec<NodeId>> {
    let mut closure = vec![start];
    let mut at = 0;
    while let Some(node) = closure.get(at).and_then(|id| nodes.get(*id)) {
        if !node.conditions.is_empty() {
            return None;
        }
        at += 1;
        add_new(&mut closure, node.in_place.iter().copied());
    }
    Some(closure)
}
