//! From a checked catalog to its graph.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Edge, Lineage, Node, NodeKind, Via};
use crate::catalog::{Catalog, Collection, CollectionId, Reference};
use crate::check::{Checked, CheckedCapture, CheckedMaterialization};
use crate::diag::{Diagnostic, Sink, rules};
use crate::model::SourceSpec;

/// Traces the graph of a checked catalog, also of one with errors: what could be linked is in it. Disabled transforms and
/// bindings are not.
pub fn trace(checked: &Checked) -> Lineage {
    let mut tracer =
        Tracer { catalog: &checked.catalog, nodes: BTreeSet::new(), edges: BTreeSet::new() };
    tracer.trace_collections();
    tracer.trace_captures(&checked.captures);
    tracer.trace_materializations(&checked.materializations);
    Lineage::new(tracer.nodes, &tracer.edges)
}

struct Tracer<'c> {
    catalog: &'c Catalog,
    nodes: BTreeSet<Node>,
    edges: BTreeSet<Edge>,
}

impl Tracer<'_> {
    fn trace_collections(&mut self) {
        for collection in &self.catalog.collections {
            let node = Node::new(NodeKind::Collection, collection.name());
            self.nodes.insert(node.clone());
            let Some(derive) = &collection.spec().derive else { continue };
            let derivation = Node::new(NodeKind::Derivation, collection.name());
            for (transform, reference) in derive.transforms.iter().zip(&collection.sources) {
                if !transform.disable {
                    self.connect_from(reference, &derivation, transform.name.value.clone());
                }
            }
            self.edges.insert(Edge { from: derivation, to: node, via: Via::new() });
        }
    }

    fn trace_captures(&mut self, checked: &[Arc<CheckedCapture>]) {
        for (capture, checked) in self.catalog.captures.iter().zip(checked) {
            let node = Node::new(NodeKind::Capture, capture.name());
            self.nodes.insert(node.clone());
            let bindings = capture.spec().bindings.iter().zip(&capture.targets);
            for (index, (binding, reference)) in bindings.enumerate() {
                let Some(target) = reference.target.filter(|_| !binding.disable) else { continue };
                let known = checked.bindings.iter().find(|binding| binding.index == index);
                let via = known.map(|binding| binding.resource_path.join(".")).unwrap_or_default();
                self.edges.insert(Edge { from: node.clone(), to: self.collection(target), via });
            }
        }
    }

    fn trace_materializations(&mut self, checked: &[Arc<CheckedMaterialization>]) {
        for (materialization, checked) in self.catalog.materializations.iter().zip(checked) {
            let node = Node::new(NodeKind::Materialization, materialization.name());
            self.nodes.insert(node.clone());
            let bindings = materialization.spec().bindings.iter().zip(&materialization.sources);
            for (index, (binding, reference)) in bindings.enumerate() {
                if !binding.disable {
                    let known = checked.bindings.iter().find(|binding| binding.index == index);
                    let via = known.map(|binding| binding.resource_path.join("."));
                    self.connect_from(reference, &node, via.unwrap_or_default());
                }
            }
        }
    }

    fn connect_from(&mut self, source: &Reference, to: &Node, via: Via) {
        if let Some(source) = source.target {
            self.edges.insert(Edge { from: self.collection(source), to: to.clone(), via });
        }
    }

    fn collection(&self, id: CollectionId) -> Node {
        Node::new(NodeKind::Collection, self.catalog.collection(id).name())
    }
}

/// Reports collections that nothing reads or writes. A catalog without tasks declares collections for others, and there
/// every collection is one.
pub(crate) fn report_unused(catalog: &Catalog, sink: &mut Sink) {
    // What an error hides may use a collection.
    if sink.has_errors() {
        return;
    }
    let has_tasks = !catalog.captures.is_empty()
        || !catalog.materializations.is_empty()
        || catalog.collections.iter().any(|collection| collection.spec().derive.is_some());
    if !has_tasks {
        return;
    }
    let named = named_collections(catalog);
    for collection in &catalog.collections {
        if collection.spec().derive.is_none() && !named.contains(collection.name()) {
            sink.report(unused_collection(collection));
        }
    }
}

/// The collections that tasks and tests name, those of disabled transforms and bindings among them: what is switched off for a
/// while is no mistake.
fn named_collections(catalog: &Catalog) -> BTreeSet<&str> {
    let derivations = catalog.collections.iter().filter_map(|item| item.spec().derive.as_ref());
    let transforms = derivations.flat_map(|derive| &derive.transforms);
    let bindings = catalog.materializations.iter().flat_map(|item| &item.spec().bindings);
    let steps = catalog.tests.iter().flat_map(|test| &test.spec().steps);
    let sources = (transforms.filter_map(|transform| transform.source.as_ref()))
        .chain(bindings.filter_map(|binding| binding.source.as_ref()))
        .chain(steps.filter_map(|step| step.collection.as_ref()))
        .map(|source: &SourceSpec| &source.collection);
    let targets = catalog.captures.iter().flat_map(|item| &item.spec().bindings);
    let targets = targets.filter_map(|binding| binding.target.as_ref());
    sources.chain(targets).map(|name| name.value.as_str()).collect()
}

fn unused_collection(collection: &Collection) -> Diagnostic {
    let message = format!("collection `{}` is not used", collection.name());
    Diagnostic::new(&rules::UNUSED_COLLECTION, collection.name_span(), message)
        .label("no task of this catalog reads or writes it, and no test names it")
        .help("capture, derive or materialize it, or remove it")
}
