//! Tests of the graph: its order, its selections and its text forms.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use proptest::prelude::*;

use super::*;

fn capture(name: &str) -> Node {
    Node::new(NodeKind::Capture, name)
}

fn collection(name: &str) -> Node {
    Node::new(NodeKind::Collection, name)
}

fn derivation(name: &str) -> Node {
    Node::new(NodeKind::Derivation, name)
}

fn materialization(name: &str) -> Node {
    Node::new(NodeKind::Materialization, name)
}

fn edge(from: Node, to: Node, via: &str) -> Edge {
    Edge { from, to, via: via.to_owned() }
}

/// Transfers become balances, which feed on themselves, and both become tables.
fn bank() -> Lineage {
    let edges = [
        edge(capture("bank/feed"), collection("bank/transfers"), "transfers"),
        edge(collection("bank/transfers"), derivation("bank/balances"), "credit"),
        edge(collection("bank/transfers"), derivation("bank/balances"), "debit"),
        edge(collection("bank/balances"), derivation("bank/balances"), "interest"),
        edge(derivation("bank/balances"), collection("bank/balances"), ""),
        edge(collection("bank/balances"), materialization("bank/tables"), "balances"),
        edge(collection("bank/transfers"), materialization("bank/tables"), "transfers"),
    ];
    Lineage::new(BTreeSet::from([collection("bank/alone")]), &edges.into())
}

#[test]
fn the_order_is_upstream_first_with_cycles_side_by_side() {
    let order: Vec<String> = bank().order().map(Node::id).collect();
    assert_eq!(
        order,
        [
            "collection:bank/alone",
            "capture:bank/feed",
            "collection:bank/transfers",
            "derivation:bank/balances",
            "collection:bank/balances",
            "materialization:bank/tables",
        ]
    );
    let cycles = bank().components().filter(|component| component.len() > 1).count();
    assert_eq!(cycles, 1);
}

#[test]
fn the_text_form_is_a_tree() {
    assert_eq!(
        to_text(&bank()),
        "\
bank/alone
capture bank/feed
└─ bank/transfers by transfers
   ├─ derivation bank/balances by credit, debit
   │  ├─ derivation bank/balances by interest (above)
   │  └─ materialization bank/tables by balances
   └─ materialization bank/tables by transfers
"
    );
}

#[test]
fn a_long_chain_goes_on_in_a_new_tree() {
    let name = |number: usize| format!("c/{number:03}");
    let edges = (0..40).flat_map(|number| {
        let (from, to) = (name(number), name(number + 1));
        [
            edge(collection(&from), derivation(&to), "next"),
            edge(derivation(&to), collection(&to), ""),
        ]
    });
    let text = to_text(&Lineage::new(BTreeSet::new(), &edges.collect()));
    let roots: Vec<&str> = text.lines().filter(|line| !line.starts_with([' ', '└'])).collect();
    assert_eq!(roots, ["c/000", "derivation c/016", "derivation c/032"]);
    assert!(text.contains("└─ derivation c/016 by next (below)\n"), "{text}");
}

#[test]
fn a_selector_keeps_what_flows_in_and_out() {
    let names = |lineage: &Lineage| lineage.nodes().map(Node::id).collect::<Vec<_>>();
    let balances = bank().select("bank/balances").unwrap();
    assert!(!names(&balances).contains(&"collection:bank/alone".to_owned()));
    assert_eq!(names(&balances).len(), 5);
    assert_eq!(names(&bank().select("bank/a").unwrap()), ["collection:bank/alone"]);
    assert_eq!(names(&bank().select("bank/").unwrap()).len(), 6);
    assert!(bank().select("shop").is_none());
}

#[test]
fn text_for_programs_escapes_names() {
    let hostile = collection("a\"b\\c\n#d");
    let edges = BTreeSet::from([edge(hostile, materialization("m"), "x\"y")]);
    let lineage = Lineage::new(BTreeSet::new(), &edges);
    assert!(to_dot(&lineage).contains("[label=\"a\\\"b\\\\c\\n#d\", shape=ellipse]"));
    assert!(to_dot(&lineage).contains("[label=\"x\\\"y\"]"));
    assert_eq!(
        to_mermaid(&lineage),
        "flowchart LR\n  n1([\"a#34;b\\c#10;#35;d\"])\n  n2[(\"m\")]\n  n1 -->|\"x#34;y\"| n2\n"
    );
}

#[test]
fn json_has_the_promised_form() {
    let edges = BTreeSet::from([edge(capture("a/in"), collection("a/b"), "s")]);
    assert_eq!(
        to_json(&Lineage::new(BTreeSet::new(), &edges)),
        serde_json::json!({
            "schema_version": 1,
            "nodes": [
                {"id": "collection:a/b", "kind": "collection", "name": "a/b"},
                {"id": "capture:a/in", "kind": "capture", "name": "a/in"},
            ],
            "edges": [{"from": "capture:a/in", "to": "collection:a/b", "via": "s"}],
            "components": [["capture:a/in"], ["collection:a/b"]],
            "order": ["capture:a/in", "collection:a/b"],
        })
    );
}

proptest! {
    #[test]
    fn every_edge_points_forward_or_stays_in_its_component(
        pairs in proptest::collection::btree_set((0_u8..24, 0_u8..24), 0..80)
    ) {
        let edges: BTreeSet<Edge> = pairs
            .into_iter()
            .map(|(from, to)| {
                edge(collection(&from.to_string()), collection(&to.to_string()), "t")
            })
            .collect();
        let lineage = Lineage::new(BTreeSet::new(), &edges);
        let place: BTreeMap<Node, usize> = (0..)
            .zip(lineage.components())
            .flat_map(|(number, nodes)| nodes.into_iter().map(move |node| (node.clone(), number)))
            .collect();
        prop_assert_eq!(place.len(), lineage.nodes().count());
        for Edge { from, to, .. } in lineage.edges() {
            prop_assert!(place[&from] <= place[&to]);
        }
        let text = to_text(&lineage);
        for node in lineage.nodes() {
            let lines = text.lines().filter(|line| {
                let words: Vec<&str> = line.split_whitespace().collect();
                words.contains(&node.name.as_str()) && !line.ends_with("(above)") && !line.ends_with("(below)")
            });
            prop_assert!(lines.count() >= 1, "{} is missing in\n{}", node.name, text);
        }
    }
}
