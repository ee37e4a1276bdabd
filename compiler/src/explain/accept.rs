//! Accepting the documents of a test: the edits that make a step expect what is there.
//!
//! What a test states stays as it is written where it holds: comments, order of properties, style. Only values that differ are
//! replaced; documents that are missing go, and those that were not expected are added in their place.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tidegate_stdlib::bundle::{Difference, DifferenceKind, StepFailure};

use super::find;
use crate::diag::{Applicability, Edit, Fix};
use crate::source::{FileId, Range, Sources};
use crate::syntax::{NodeId, NodeKind, Tree};

/// The fix of a step that did not pass; nothing when its documents are not written as a list of this catalog.
pub(super) fn accept(failure: &StepFailure, sources: &Sources) -> Option<Fix> {
    let list = List::find(failure, sources)?;
    let edits = match is_same_list(failure) {
        true => list.changed_documents(failure),
        false => vec![list.rewritten(failure)],
    };
    let edits =
        edits.into_iter().map(|(range, text)| Edit { span: range.in_file(list.file), text });
    Some(Fix {
        message: "expect what is there".to_owned(),
        applicability: Applicability::Unsafe,
        edits: edits.collect(),
    })
}

/// The node of exactly these bytes.
pub(super) fn node_of(tree: &Tree, range: Range) -> Option<NodeId> {
    let ancestors = ancestors(tree, tree.at_offset(range.start));
    ancestors.into_iter().find(|node| tree.node(*node).range == range)
}

/// A node and all that it is in, from the inside out.
fn ancestors(tree: &Tree, node: NodeId) -> Vec<NodeId> {
    std::iter::successors(Some(node), |node| tree.node(*node).parent).collect()
}

/// Whether the expected documents are those that are there, in order, whatever they hold.
fn is_same_list(failure: &StepFailure) -> bool {
    let partners = failure.actual.iter().map(|actual| actual.expected);
    partners.eq((0..failure.document_origins.len()).map(Some))
}

/// The documents that a step expects, as they are written.
struct List<'s> {
    file: FileId,
    text: &'s str,
    tree: &'s Tree,
    list: NodeId,
    documents: &'s [NodeId],
    /// Whether only JSON may be written.
    is_json: bool,
}

impl<'s> List<'s> {
    fn find(failure: &StepFailure, sources: &'s Sources) -> Option<Self> {
        let origin = failure.document_origins.first().unwrap_or(&failure.origin);
        let span = find(origin, sources)?;
        let source = sources.file(span.file);
        let tree: &Tree = source.tree.as_ref()?;
        let list = if failure.document_origins.is_empty() {
            let around = ancestors(tree, tree.at_offset(span.range.start));
            let inside =
                around.iter().flat_map(|node| tree.entries(*node)).map(|entry| entry.value);
            let steps = around.iter().copied().chain(inside);
            steps.into_iter().find_map(|step| tree.entry(step, "documents"))?.value
        } else {
            tree.node(node_of(tree, span.range)?).parent?
        };
        let documents = tree.items(list);
        let is_list = matches!(tree.node(list).kind, NodeKind::Sequence(_));
        (is_list && documents.len() == failure.document_origins.len()).then_some(Self {
            file: span.file,
            text: &source.text,
            tree,
            list,
            documents,
            is_json: source.name.ends_with(".json"),
        })
    }

    /// The places and new texts of values that differ.
    fn changed_documents(&self, failure: &StepFailure) -> Vec<(Range, String)> {
        let changes = changes(failure);
        let documents = self.documents.iter().zip(&failure.actual).enumerate();
        let changed = documents.filter_map(|(index, (node, actual))| {
            Some(self.changed_values(*node, &actual.document, changes.get(&index)?))
        });
        changed.flatten().collect()
    }

    /// The same of one document. When a value has no place of its own, the whole document is written anew.
    fn changed_values(
        &self,
        document: NodeId,
        actual: &Value,
        changes: &[&Difference],
    ) -> Vec<(Range, String)> {
        let values = changes.iter().map(|change| {
            let value = change.actual.as_ref()?;
            let place = self.tree.at(document, &change.pointer)?;
            self.is_on_one_line(place).then(|| (self.tree.node(place).range, self.written(value)))
        });
        values.collect::<Option<Vec<_>>>().unwrap_or_else(|| {
            let stated = stated(&self.tree.to_json(document), actual);
            vec![(self.tree.node(document).range, self.written(&stated))]
        })
    }

    /// Block scalars and what goes over several lines cannot be replaced in place.
    fn is_on_one_line(&self, node: NodeId) -> bool {
        let range = self.tree.node(node).range;
        let text = self.text.get(range.as_usize());
        text.is_some_and(|text| !text.is_empty() && !text.contains('\n'))
    }

    /// The place and new text of the whole list.
    fn rewritten(&self, failure: &StepFailure) -> (Range, String) {
        let changes = changes(failure);
        let documents: Vec<(Option<usize>, String)> = failure
            .actual
            .iter()
            .map(|actual| {
                let kept =
                    actual.expected.and_then(|index| Some((index, *self.documents.get(index)?)));
                let Some((index, node)) = kept else {
                    return (None, self.written(&actual.document));
                };
                let range = self.tree.node(node).range;
                let edits = changes.get(&index).map_or_else(Vec::new, |changes| {
                    self.changed_values(node, &actual.document, changes)
                });
                (Some(index), self.edited(range, edits))
            })
            .collect();
        let list = self.tree.node(self.list).range;
        let is_flow = self.text.get(list.as_usize()).is_some_and(|text| text.starts_with('['));
        if is_flow { self.flow_list(list, &documents) } else { self.block_list(list, &documents) }
    }

    fn flow_list(&self, list: Range, documents: &[(Option<usize>, String)]) -> (Range, String) {
        let between =
            self.documents.first().zip(self.documents.get(1)).and_then(|(first, second)| {
                let gap = Range::new(
                    self.tree.node(*first).range.end,
                    self.tree.node(*second).range.start,
                );
                self.text.get(gap.as_usize())
            });
        let texts: Vec<&str> = documents.iter().map(|(_, text)| text.as_str()).collect();
        (list, format!("[{}]", texts.join(between.unwrap_or(", "))))
    }

    /// In a block list every item keeps the lines above it that are its own, and what follows it on its line.
    fn block_list(&self, list: Range, documents: &[(Option<usize>, String)]) -> (Range, String) {
        let ranges: Vec<Range> =
            self.documents.iter().map(|document| self.tree.node(*document).range).collect();
        let before = |offset: u32| self.text.get(..offset as usize).unwrap_or_default();
        let first = ranges.first().map_or(list.start, |range| range.start);
        let dash = before(first).rfind('-').unwrap_or(first as usize);
        let line = self.text.get(..dash).and_then(|text| text.rfind('\n')).map_or(0, |at| at + 1);
        let indent = self.text.get(line..dash).unwrap_or_default();
        let end = ranges.last().map_or(list.end, |range| range.end);
        let whole = Range::new(u32::try_from(dash).unwrap_or(first), end);
        if documents.is_empty() {
            return (whole, "[]".to_owned());
        }
        let gap = |index: usize| {
            let (from, to) = (ranges.get(index)?.end, ranges.get(index + 1)?.start);
            let gap = self.text.get(from as usize..to as usize)?;
            Some(gap.split_at(gap.find('\n').unwrap_or(0)))
        };
        let mut text = String::new();
        for (number, (index, document)) in documents.iter().enumerate() {
            let above = index.and_then(|index| gap(index.checked_sub(1)?)).map(|(_, above)| above);
            match (number, above) {
                (0, Some(above)) => text.push_str(above.trim_start()),
                (0, None) => text.push_str("- "),
                (_, Some(above)) => text.push_str(above),
                (_, None) => text.push_str(&format!("\n{indent}- ")),
            }
            text.push_str(document);
            let beside = index.and_then(gap).map(|(beside, _)| beside);
            text.push_str(beside.unwrap_or_default());
        }
        (whole, text)
    }

    /// The text of a range with some places in it replaced.
    fn edited(&self, range: Range, mut edits: Vec<(Range, String)>) -> String {
        edits.sort_by_key(|(place, _)| place.start);
        let mut text = String::new();
        let mut from = range.start;
        for (place, new) in edits {
            let kept = self.text.get(from as usize..place.start as usize);
            text.push_str(kept.unwrap_or_default());
            text.push_str(&new);
            from = place.end;
        }
        text.push_str(self.text.get(from as usize..range.end as usize).unwrap_or_default());
        text
    }

    fn written(&self, value: &Value) -> String {
        if self.is_json { value.to_string() } else { flow(value) }
    }
}

/// The values that differ, by the index of the expected document.
fn changes(failure: &StepFailure) -> BTreeMap<usize, Vec<&Difference>> {
    let mut changes: BTreeMap<usize, Vec<&Difference>> = BTreeMap::new();
    let changed = failure.differences.iter().filter(|each| each.kind == DifferenceKind::Changed);
    for difference in changed {
        if let Some(document) = difference.document {
            changes.entry(document).or_default().push(difference);
        }
    }
    changes
}

/// What a document has of the properties that a test states of it.
fn stated(expected: &Value, actual: &Value) -> Value {
    let (Value::Object(expected), Value::Object(actual)) = (expected, actual) else {
        return actual.clone();
    };
    let present = actual
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), stated(expected.get(name)?, value))));
    Value::Object(present.collect::<Map<_, _>>())
}

/// A value as YAML on one line.
fn flow(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => flow_text(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(properties) if properties.is_empty() => "{}".to_owned(),
        Value::Object(properties) => {
            let properties: Vec<String> = properties
                .iter()
                .map(|(name, value)| format!("{}: {}", flow_text(name), flow(value)))
                .collect();
            format!("{{ {} }}", properties.join(", "))
        }
    }
}

/// A text without quotes where no reader of YAML, old or new, could take it for something else.
fn flow_text(text: &str) -> String {
    let is_plain = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.chars().all(|each| each.is_alphanumeric() || "_-/.".contains(each))
        && !KEYWORDS.contains(&text.to_ascii_lowercase().as_str());
    if is_plain { text.to_owned() } else { Value::from(text).to_string() }
}

/// Words that are no text without quotes.
const KEYWORDS: [&str; 9] = ["false", "n", "no", "null", "off", "on", "true", "y", "yes"];
