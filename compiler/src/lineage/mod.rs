//! The graph of tasks and collections: components, order, and its text forms.
//!
//! Nodes and edges are sorted, so equal catalogs give equal graphs. Cycles are legal (a derivation may read its own
//! collection): the order is one of strongly connected components, in which ties are settled by name. A graph exists also
//! for a catalog with errors and holds what could be linked. Which fields flow where is not traced here.

mod format;
mod text;
mod trace;

use std::collections::{BTreeMap, BTreeSet};

use petgraph::Direction;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef as _;

pub use format::{to_dot, to_json, to_mermaid};
pub use text::to_text;
pub(crate) use trace::report_unused;
pub use trace::trace;

/// The graph.
#[derive(Debug, Clone, Default)]
pub struct Lineage {
    graph: DiGraph<Node, Via>,
    components: Vec<Vec<NodeIndex>>,
}

/// A task or a collection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// The name in the catalog.
    pub name: String,
    /// What it is.
    pub kind: NodeKind,
}

/// What a node is. A derivation and its collection are two nodes of one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeKind {
    /// From a source into collections.
    Capture,
    /// From collections into a collection.
    Derivation,
    /// Documents of one schema and key.
    Collection,
    /// From collections into an endpoint.
    Materialization,
}

impl NodeKind {
    /// The word for this kind.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Derivation => "derivation",
            Self::Collection => "collection",
            Self::Materialization => "materialization",
        }
    }
}

/// What a task calls the edge between it and a collection: the transform, or the resource of a binding; empty between a
/// derivation and its collection.
pub type Via = String;

impl Node {
    /// A node of a kind and name.
    pub fn new(kind: NodeKind, name: impl Into<String>) -> Self {
        Self { name: name.into(), kind }
    }

    /// What identifies the node in text forms, such as `collection:acme/orders`.
    pub fn id(&self) -> String {
        format!("{}:{}", self.kind.word(), self.name)
    }
}

/// An edge in the direction of the data.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Where documents come from.
    pub from: Node,
    /// Where they go.
    pub to: Node,
    /// What the task calls the edge.
    pub via: Via,
}

impl Lineage {
    /// The graph of nodes and edges; the ends of edges are nodes, too.
    pub fn new(nodes: BTreeSet<Node>, edges: &BTreeSet<Edge>) -> Self {
        let mut nodes = nodes;
        nodes.extend(edges.iter().flat_map(|edge| [edge.from.clone(), edge.to.clone()]));
        let mut graph = DiGraph::with_capacity(nodes.len(), edges.len());
        let indices: BTreeMap<Node, NodeIndex> =
            nodes.into_iter().map(|node| (node.clone(), graph.add_node(node))).collect();
        let index = |node: &Node| *indices.get(node).expect("the ends of edges are nodes");
        for edge in edges {
            graph.add_edge(index(&edge.from), index(&edge.to), edge.via.clone());
        }
        let components = ordered_components(&graph);
        Self { graph, components }
    }

    /// All nodes, sorted by name and kind.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.graph.node_weights()
    }

    /// All edges, sorted by their ends and what the task calls them.
    pub fn edges(&self) -> impl Iterator<Item = Edge> {
        let mut edges: Vec<Edge> = self
            .graph
            .edge_references()
            .map(|edge| Edge {
                from: self.node(edge.source()).clone(),
                to: self.node(edge.target()).clone(),
                via: edge.weight().clone(),
            })
            .collect();
        edges.sort();
        edges.into_iter()
    }

    /// The strongly connected components, upstream first; a component of several nodes is a cycle.
    pub fn components(&self) -> impl Iterator<Item = Vec<&Node>> {
        self.components
            .iter()
            .map(|component| component.iter().map(|index| self.node(*index)).collect())
    }

    /// All nodes, upstream first, those of a cycle side by side.
    pub fn order(&self) -> impl Iterator<Item = &Node> {
        self.components.iter().flatten().map(|index| self.node(*index))
    }

    /// The part of the graph that flows into or out of what `selector` names: a task or collection, or all whose name
    /// begins with it; `None` when it names nothing.
    pub fn select(&self, selector: &str) -> Option<Self> {
        let all = || self.graph.node_indices();
        let exact: Vec<_> = all().filter(|index| self.node(*index).name == selector).collect();
        let chosen = match exact.as_slice() {
            [] => all().filter(|index| self.node(*index).name.starts_with(selector)).collect(),
            [..] => exact,
        };
        if chosen.is_empty() {
            return None;
        }
        let mut kept = self.reachable(&chosen, Direction::Incoming);
        kept.extend(self.reachable(&chosen, Direction::Outgoing));
        let is_kept = |node: &Node| kept.contains(node);
        let nodes = self.nodes().filter(|node| is_kept(node)).cloned().collect();
        let edges = self.edges().filter(|edge| is_kept(&edge.from) && is_kept(&edge.to)).collect();
        Some(Self::new(nodes, &edges))
    }

    fn node(&self, index: NodeIndex) -> &Node {
        self.graph.node_weight(index).expect("node indices come from this graph")
    }

    fn reachable(&self, from: &[NodeIndex], direction: Direction) -> BTreeSet<Node> {
        let mut seen: BTreeSet<NodeIndex> = from.iter().copied().collect();
        let mut open = from.to_vec();
        while let Some(index) = open.pop() {
            for next in self.graph.neighbors_directed(index, direction) {
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
        seen.into_iter().map(|index| self.node(index).clone()).collect()
    }
}

/// The strongly connected components in an order in which every edge between two of them points forward. Among those that
/// could come next, the one with the smallest node does.
fn ordered_components(graph: &DiGraph<Node, Via>) -> Vec<Vec<NodeIndex>> {
    // Kosaraju's algorithm is the one that does not recurse, however long a chain of tasks is.
    let mut components = kosaraju_scc(graph);
    for component in &mut components {
        component.sort();
    }
    components.sort();
    let mut component_of = vec![0; graph.node_count()];
    for (number, component) in components.iter().enumerate() {
        for index in component {
            if let Some(slot) = component_of.get_mut(index.index()) {
                *slot = number;
            }
        }
    }
    let number_of = |index: NodeIndex| component_of.get(index.index()).copied().unwrap_or_default();
    let mut successors = vec![BTreeSet::new(); components.len()];
    let mut waits_for = vec![0_usize; components.len()];
    for edge in graph.edge_references() {
        let (from, to) = (number_of(edge.source()), number_of(edge.target()));
        let (Some(next), Some(count)) = (successors.get_mut(from), waits_for.get_mut(to)) else {
            continue;
        };
        if from != to && next.insert(to) {
            *count += 1;
        }
    }
    let mut ready: BTreeSet<usize> =
        (0..).zip(&waits_for).filter(|(_, count)| **count == 0).map(|(number, _)| number).collect();
    let mut order = Vec::with_capacity(components.len());
    while let Some(number) = ready.pop_first() {
        order.extend(components.get_mut(number).map(std::mem::take));
        for next in successors.get(number).into_iter().flatten() {
            if let Some(count) = waits_for.get_mut(*next) {
                *count -= 1;
                if *count == 0 {
                    ready.insert(*next);
                }
            }
        }
    }
    order
}

#[cfg(test)]
mod tests;
