//! The graph for a terminal: a tree from the sources to the tables, each node with its branches exactly once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Edge, Lineage, Node, NodeKind};

/// How deep a tree grows before the rest becomes a tree of its own.
const DEPTH_MAX: usize = 16;

/// The graph as trees. A derivation and its collection share a line. What was shown before is named again without its
/// branches and marked `(above)`; what follows too deep is marked `(below)`.
pub fn to_text(lineage: &Lineage) -> String {
    Drawing::of(lineage).draw(lineage)
}

/// A line of the tree: a task or a collection, and under it where its documents go.
struct Drawing {
    branches: BTreeMap<Node, BTreeMap<Node, Vec<String>>>,
    derivations: BTreeSet<String>,
    drawn: BTreeSet<Node>,
    later: VecDeque<Node>,
    text: String,
}

/// What is still to be drawn, the next on top.
struct Branch {
    node: Node,
    via: Vec<String>,
    prefix: String,
    is_last: bool,
    depth: usize,
}

impl Drawing {
    fn of(lineage: &Lineage) -> Self {
        let derivations: BTreeSet<String> = lineage
            .nodes()
            .filter(|node| node.kind == NodeKind::Derivation)
            .map(|node| node.name.clone())
            .collect();
        let mut branches: BTreeMap<Node, BTreeMap<Node, Vec<String>>> = BTreeMap::new();
        for Edge { from, to, via } in lineage.edges() {
            let (from, to) = (shown_as(from), shown_as(to));
            // What remains of the edge from a derivation to its collection leads from a line to itself.
            if via.is_empty() && from == to {
                continue;
            }
            branches.entry(from).or_default().entry(to).or_default().push(via);
        }
        Self {
            branches,
            derivations,
            drawn: BTreeSet::new(),
            later: VecDeque::new(),
            text: String::new(),
        }
    }

    fn draw(mut self, lineage: &Lineage) -> String {
        let nodes: Vec<Node> = lineage.order().cloned().map(shown_as).collect();
        let targets: BTreeSet<&Node> = self.branches.values().flat_map(BTreeMap::keys).collect();
        let roots: Vec<Node> =
            nodes.iter().filter(|node| !targets.contains(node)).cloned().collect();
        // Every node that no root leads to is in a cycle or behind one, and upstream comes first in the order.
        for root in roots.into_iter().chain(nodes) {
            self.draw_root(root);
            while let Some(root) = self.later.pop_front() {
                self.draw_root(root);
            }
        }
        self.text
    }

    fn draw_root(&mut self, root: Node) {
        if self.drawn.contains(&root) {
            return;
        }
        let mut open = vec![Branch {
            node: root,
            via: Vec::new(),
            prefix: String::new(),
            is_last: true,
            depth: 0,
        }];
        while let Some(branch) = open.pop() {
            self.draw_line(&branch);
            if branch.depth == DEPTH_MAX {
                self.later.push_back(branch.node);
                continue;
            }
            if !self.drawn.insert(branch.node.clone()) {
                continue;
            }
            let below = match (branch.depth, branch.is_last) {
                (0, _) => String::new(),
                (_, true) => format!("{}   ", branch.prefix),
                (_, false) => format!("{}│  ", branch.prefix),
            };
            let next = self.branches.get(&branch.node).into_iter().flatten().rev();
            open.extend(next.zip(0..).map(|((node, via), number)| Branch {
                node: node.clone(),
                via: via.clone(),
                prefix: below.clone(),
                is_last: number == 0,
                depth: branch.depth + 1,
            }));
        }
    }

    fn draw_line(&mut self, branch: &Branch) {
        let Branch { node, via, prefix, is_last, depth } = branch;
        if *depth > 0 {
            self.text.push_str(prefix);
            self.text.push_str(if *is_last { "└─ " } else { "├─ " });
        }
        match node.kind {
            NodeKind::Collection if self.derivations.contains(&node.name) => {
                self.text.push_str("derivation ");
            }
            NodeKind::Collection | NodeKind::Derivation => {}
            NodeKind::Capture | NodeKind::Materialization => {
                self.text.push_str(node.kind.word());
                self.text.push(' ');
            }
        }
        self.text.push_str(&node.name);
        let names: Vec<&str> =
            via.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
        if !names.is_empty() {
            self.text.push_str(" by ");
            self.text.push_str(&names.join(", "));
        }
        if self.drawn.contains(node) {
            if self.branches.contains_key(node) {
                self.text.push_str(" (above)");
            }
        } else if *depth == DEPTH_MAX {
            self.text.push_str(" (below)");
        }
        self.text.push('\n');
    }
}

/// A derivation shows as its collection.
fn shown_as(node: Node) -> Node {
    match node.kind {
        NodeKind::Derivation => Node::new(NodeKind::Collection, node.name),
        NodeKind::Capture | NodeKind::Collection | NodeKind::Materialization => node,
    }
}
