//! The graph for other programs: Graphviz DOT, Mermaid and JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Lineage, Node, NodeKind};

/// The graph in the DOT language of Graphviz.
pub fn to_dot(lineage: &Lineage) -> String {
    let mut text = String::from(
        "digraph lineage {\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\"];\n",
    );
    for node in lineage.nodes() {
        let shape = match node.kind {
            NodeKind::Capture => "cds",
            NodeKind::Derivation => "box",
            NodeKind::Collection => "ellipse",
            NodeKind::Materialization => "cylinder",
        };
        let (id, name) = (dot_string(&node.id()), dot_string(&node.name));
        push(&mut text, format_args!("  {id} [label={name}, shape={shape}];"));
    }
    for edge in lineage.edges() {
        let (from, to) = (dot_string(&edge.from.id()), dot_string(&edge.to.id()));
        if edge.via.is_empty() {
            push(&mut text, format_args!("  {from} -> {to};"));
        } else {
            push(&mut text, format_args!("  {from} -> {to} [label={}];", dot_string(&edge.via)));
        }
    }
    text.push_str("}\n");
    text
}

/// The graph as a Mermaid flowchart.
pub fn to_mermaid(lineage: &Lineage) -> String {
    // Names may hold what Mermaid's ids may not, so nodes are numbered in their sorted order.
    let ids: BTreeMap<&Node, usize> = lineage.nodes().zip(1..).collect();
    let id = |node: &Node| ids.get(node).copied().unwrap_or_default();
    let mut text = String::from("flowchart LR\n");
    for node in lineage.nodes() {
        let (open, close) = match node.kind {
            NodeKind::Capture => (">", "]"),
            NodeKind::Derivation => ("[", "]"),
            NodeKind::Collection => ("([", "])"),
            NodeKind::Materialization => ("[(", ")]"),
        };
        let name = mermaid_string(&node.name);
        push(&mut text, format_args!("  n{}{open}{name}{close}", id(node)));
    }
    for edge in lineage.edges() {
        let (from, to) = (id(&edge.from), id(&edge.to));
        if edge.via.is_empty() {
            push(&mut text, format_args!("  n{from} --> n{to}"));
        } else {
            push(&mut text, format_args!("  n{from} -->|{}| n{to}", mermaid_string(&edge.via)));
        }
    }
    text
}

/// The graph as the JSON object of the command line's contract.
pub fn to_json(lineage: &Lineage) -> Value {
    let nodes: Vec<Value> = lineage
        .nodes()
        .map(|node| json!({"id": node.id(), "kind": node.kind.word(), "name": node.name}))
        .collect();
    let edges: Vec<Value> = lineage
        .edges()
        .map(|edge| json!({"from": edge.from.id(), "to": edge.to.id(), "via": edge.via}))
        .collect();
    let components: Vec<Vec<String>> =
        lineage.components().map(|nodes| nodes.into_iter().map(Node::id).collect()).collect();
    let order: Vec<String> = lineage.order().map(Node::id).collect();
    json!({
        "schema_version": 1,
        "nodes": nodes,
        "edges": edges,
        "components": components,
        "order": order,
    })
}

fn push(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("a string takes text");
}

fn dot_string(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// Mermaid has entities instead of escapes, and starts them with `#`.
fn mermaid_string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '#' | '&' | '<' | '>' | '`' | '\n' | '\r' => {
                write!(quoted, "#{};", u32::from(character)).expect("a string takes text");
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}
