//! Expected against actual documents.
//!
//! A step passes when the documents match index by index: every expected property is there and
//! matches. What is shown of a step that does not is told by key, so that one document more shifts
//! nothing.

use std::collections::BTreeMap;

use serde_json::{Number, Value};
use tidegate_stdlib::bundle::{
    ActualDocument, Difference, DifferenceKind, Origin, TestStep, UUID_POINTER,
};
use tidegate_stdlib::document::Document;
use tidegate_stdlib::key::Key;

/// What a fixture may state for the UUID of any document.
const ANY_UUID: &str = "flow-uuid";

/// The greatest relative distance of numbers that are the same.
const NUMBER_TOLERANCE: f64 = f64::EPSILON;

/// What a step that does not pass shows.
pub(super) struct Comparison {
    /// One line about the differences.
    pub(super) message: String,
    /// The differences in key order.
    pub(super) differences: Vec<Difference>,
    /// The actual documents with their partners.
    pub(super) actual: Vec<ActualDocument>,
}

/// Compares the documents that a step expects with the actual ones, which are in key order and
/// carry no UUID. Gives nothing when all is as expected.
pub(super) fn compare_documents(
    step: &TestStep,
    actual: Vec<Value>,
    key: &Key,
) -> Option<Comparison> {
    let expected: Vec<Expected> = step.documents.iter().map(Expected::new).collect();
    let matches = |(expected, actual): (&Expected, &Value)| expected.changes(actual).is_empty();
    if expected.len() == actual.len() && expected.iter().zip(&actual).all(matches) {
        return None;
    }
    let pairs = Pairs::new(&expected, &actual, key);
    let (message, differences) = differences(step, &expected, &actual, &pairs, key);
    let actual = actual.into_iter().zip(pairs.by_actual);
    let actual = actual.map(|(document, expected)| ActualDocument { document, expected });
    Some(Comparison { message, differences, actual: actual.collect() })
}

fn differences(
    step: &TestStep,
    expected: &[Expected],
    actual: &[Value],
    pairs: &Pairs,
    key: &Key,
) -> (String, Vec<Difference>) {
    let mut differences = Vec::new();
    let mut counts = Counts::default();
    for (index, expected) in expected.iter().enumerate() {
        let origin = step.document_origins.get(index).cloned();
        let partner = pairs.actual_of(index).and_then(|at| actual.get(at));
        let changes = match partner {
            None => vec![Change::missing(&expected.document)],
            Some(actual) => expected.changes(actual),
        };
        counts.missing += usize::from(partner.is_none());
        counts.changed += usize::from(partner.is_some() && !changes.is_empty());
        let keyed = partner.unwrap_or(&expected.document);
        for change in changes {
            let mut difference = change.at(key, keyed, origin.clone());
            difference.document = Some(index);
            differences.push((packed(key, keyed), difference));
        }
    }
    for (_, document) in actual.iter().enumerate().filter(|(at, _)| !pairs.has_actual(*at)) {
        counts.extra += 1;
        differences.push((packed(key, document), Change::extra(document).at(key, document, None)));
    }
    if differences.is_empty() {
        // Every document has its partner, so only their order can differ.
        return ("the expected documents are not in key order".to_owned(), Vec::new());
    }
    differences.sort_by(|(left, _), (right, _)| left.cmp(right));
    let differences = differences.into_iter().map(|(_, difference)| difference).collect();
    (counts.message(), differences)
}

/// How many documents differ in which way.
#[derive(Debug, Default)]
struct Counts {
    changed: usize,
    missing: usize,
    extra: usize,
}

impl Counts {
    fn message(&self) -> String {
        let parts = [(self.changed, "changed"), (self.missing, "missing"), (self.extra, "extra")];
        let parts = parts.iter().filter(|(count, _)| *count > 0);
        let parts: Vec<String> = parts.map(|(count, word)| format!("{count} {word}")).collect();
        parts.join(", ")
    }
}

/// An expected document.
struct Expected {
    /// Without a UUID that any document has.
    document: Value,
    /// A UUID that no document has.
    uuid: Option<Value>,
}

impl Expected {
    fn new(document: &Value) -> Self {
        let mut document = document.clone();
        let uuid = take_uuid(&mut document);
        Self { document, uuid: uuid.filter(|uuid| uuid != ANY_UUID) }
    }

    /// Where an actual document differs.
    fn changes(&self, actual: &Value) -> Vec<Change> {
        let mut changes = Vec::new();
        compare(&self.document, actual, &mut String::new(), &mut changes);
        if let Some(uuid) = &self.uuid {
            let actual = Value::String(ANY_UUID.to_owned());
            changes.push(Change::changed(UUID_POINTER, Some(uuid), Some(&actual)));
        }
        changes
    }
}

/// Takes the UUID out of a document, whatever is written in its place, and `/_meta` with it when that leaves it empty.
fn take_uuid(document: &mut Value) -> Option<Value> {
    let object = document.as_object_mut()?;
    let meta = object.get_mut("_meta")?.as_object_mut()?;
    let uuid = meta.remove("uuid");
    if meta.is_empty() {
        object.remove("_meta");
    }
    uuid
}

/// Which actual document each expected one is compared with.
struct Pairs {
    by_expected: Vec<Option<usize>>,
    by_actual: Vec<Option<usize>>,
}

impl Pairs {
    /// Pairs documents of equal key, and then, by index, those whose key is not stated.
    fn new(expected: &[Expected], actual: &[Value], key: &Key) -> Self {
        let by_key: BTreeMap<Vec<u8>, usize> =
            actual.iter().enumerate().map(|(at, document)| (packed(key, document), at)).collect();
        let mut pairs =
            Self { by_expected: vec![None; expected.len()], by_actual: vec![None; actual.len()] };
        for (index, expected) in expected.iter().enumerate() {
            if let Some(at) = by_key.get(&packed(key, &expected.document)) {
                pairs.join(index, *at);
            }
        }
        for (index, expected) in expected.iter().enumerate() {
            if pairs.actual_of(index).is_none() && !has_key(key, &expected.document) {
                pairs.join(index, index);
            }
        }
        pairs
    }

    fn join(&mut self, index: usize, at: usize) {
        let (Some(actual), Some(expected)) =
            (self.by_expected.get_mut(index), self.by_actual.get_mut(at))
        else {
            return;
        };
        if expected.is_none() {
            *actual = Some(at);
            *expected = Some(index);
        }
    }

    fn actual_of(&self, index: usize) -> Option<usize> {
        self.by_expected.get(index).copied().flatten()
    }

    fn has_actual(&self, at: usize) -> bool {
        self.by_actual.get(at).copied().flatten().is_some()
    }
}

/// A difference without its document.
#[derive(Debug, PartialEq)]
struct Change {
    kind: DifferenceKind,
    pointer: String,
    expected: Option<Value>,
    actual: Option<Value>,
}

impl Change {
    fn missing(expected: &Value) -> Self {
        let kind = DifferenceKind::Missing;
        Self { kind, ..Self::changed("", Some(expected), None) }
    }

    fn extra(actual: &Value) -> Self {
        Self { kind: DifferenceKind::Extra, ..Self::changed("", None, Some(actual)) }
    }

    fn changed(pointer: &str, expected: Option<&Value>, actual: Option<&Value>) -> Self {
        Self {
            kind: DifferenceKind::Changed,
            pointer: pointer.to_owned(),
            expected: expected.cloned(),
            actual: actual.cloned(),
        }
    }

    fn at(self, key: &Key, document: &Value, origin: Option<Origin>) -> Difference {
        let Self { kind, pointer, expected, actual } = self;
        let key = key.values(document).into_iter().cloned().collect();
        Difference { key, kind, pointer, expected, actual, origin, document: None }
    }
}

/// Collects where `actual` is not what is expected at a location. Properties that are not expected
/// may be there.
fn compare(expected: &Value, actual: &Value, pointer: &mut String, changes: &mut Vec<Change>) {
    let length = pointer.len();
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            for (name, expected) in expected {
                pointer.push('/');
                pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
                match actual.get(name) {
                    Some(actual) => compare(expected, actual, pointer, changes),
                    None => changes.push(Change::changed(pointer, Some(expected), None)),
                }
                pointer.truncate(length);
            }
        }
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            for (index, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                pointer.push('/');
                pointer.push_str(&index.to_string());
                compare(expected, actual, pointer, changes);
                pointer.truncate(length);
            }
        }
        (Value::Number(left), Value::Number(right)) if is_same_number(left, right) => {}
        _ if expected == actual => {}
        _ => changes.push(Change::changed(pointer, Some(expected), Some(actual))),
    }
}

fn is_same_number(left: &Number, right: &Number) -> bool {
    let (Some(a), Some(b)) = (left.as_f64(), right.as_f64()) else { return left == right };
    left == right || (a - b).abs() <= NUMBER_TOLERANCE * a.abs().max(b.abs())
}

/// Whether a document states every component of its key.
fn has_key(key: &Key, document: &Value) -> bool {
    key.components().iter().all(|component| component.pointer.query(document).is_some())
}

fn packed(key: &Key, document: &Value) -> Vec<u8> {
    let mut packed = Vec::new();
    key.pack(Document::from_value(document).root(), &mut packed);
    packed
}
