//! JUnit XML against the schema of a build server that reads it: elements, where they may stand, and their attributes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use libtest_mimic::Failed;
use regex::{Captures, Regex};

use super::files;

/// What the schema says of an element.
#[derive(Debug, Default)]
struct Element {
    /// Attributes, and whether it must have them.
    attributes: BTreeMap<String, bool>,
    children: BTreeSet<String>,
}

/// A tag: the slash of an end tag, the name, the attributes, the slash of an empty element.
static TAG: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"<(/?)([A-Za-z:-]+)((?:\s+[A-Za-z:]+="[^"<]*")*)\s*(/?)>"#));
static ATTRIBUTE: LazyLock<Regex> = LazyLock::new(|| pattern(r#"([A-Za-z:]+)="([^"<]*)""#));
static ENTITY: LazyLock<Regex> = LazyLock::new(|| pattern("&(?:amp|lt|gt|quot|#[0-9]+);"));
static COMMENT: LazyLock<Regex> = LazyLock::new(|| pattern("(?s)<!--.*?-->"));

/// The elements of the schema by name.
static ELEMENTS: LazyLock<BTreeMap<String, Element>> = LazyLock::new(|| {
    let bytes = files::read(&files::directory("testdata/schemas").join("junit-10.xsd"));
    elements(&String::from_utf8(bytes).expect("schemas are text"))
});

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the patterns are valid")
}

/// Validates the report of a catalog.
pub(super) fn validate(name: &str, text: &str) -> Result<(), Failed> {
    let problem = |words: String| Failed::from(format!("in the report of {name}: {words}"));
    let body = text
        .strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
        .ok_or_else(|| problem("it does not begin as XML".to_owned()))?;
    let rest = TAG.replace_all(body, "");
    if ENTITY.replace_all(&rest, "").contains(['<', '&']) {
        return Err(problem("a text is not escaped".to_owned()));
    }
    let mut open: Vec<&str> = Vec::new();
    for found in TAG.captures_iter(body) {
        let element = part(&found, 2);
        if part(&found, 1) == "/" {
            if open.pop() != Some(element) {
                return Err(problem(format!("`{element}` is closed, but not open")));
            }
            continue;
        }
        let around = open.last().copied();
        check(element, around, part(&found, 3)).map_err(problem)?;
        if part(&found, 4).is_empty() {
            open.push(element);
        }
    }
    if open.is_empty() { Ok(()) } else { Err(problem(format!("{open:?} are not closed"))) }
}

/// An element where it stands.
fn check(name: &str, around: Option<&str>, attributes: &str) -> Result<(), String> {
    let element = ELEMENTS.get(name).ok_or_else(|| format!("there is no element `{name}`"))?;
    let may_stand = around.is_none_or(|around| {
        ELEMENTS.get(around).is_some_and(|around| around.children.contains(name))
    });
    if !may_stand {
        return Err(format!("`{name}` stands in {around:?}"));
    }
    let given: BTreeSet<String> = pairs(attributes).into_keys().collect();
    if let Some(unknown) = given.iter().find(|name| !element.attributes.contains_key(*name)) {
        return Err(format!("`{name}` has no attribute `{unknown}`"));
    }
    let mut required = element.attributes.iter().filter(|(_, is_required)| **is_required);
    match required.find(|(attribute, _)| !given.contains(*attribute)) {
        Some((missing, _)) => Err(format!("`{name}` needs the attribute `{missing}`")),
        None => Ok(()),
    }
}

/// What a schema says of its elements: of those at its top, which is where this one has them all.
fn elements(schema: &str) -> BTreeMap<String, Element> {
    let schema = COMMENT.replace_all(schema, "");
    let mut elements: BTreeMap<String, Element> = BTreeMap::new();
    let mut open: Vec<String> = Vec::new();
    for found in TAG.captures_iter(&schema) {
        let (tag, attributes) = (part(&found, 2), pairs(part(&found, 3)));
        if part(&found, 1) == "/" {
            open.pop();
            continue;
        }
        let named = attributes.get("name").cloned().unwrap_or_default();
        let around = open.get(1).and_then(|top| elements.get_mut(top));
        match (tag, around) {
            ("xs:element", None) if open.len() == 1 => {
                elements.insert(named.clone(), Element::default());
            }
            ("xs:element", Some(element)) => {
                element.children.extend(attributes.get("ref").cloned())
            }
            ("xs:attribute", Some(element)) => {
                let is_required = attributes.get("use").is_some_and(|word| word == "required");
                element.attributes.insert(named.clone(), is_required);
            }
            _ => {}
        }
        if part(&found, 4).is_empty() {
            // Types have names, too, but no element is called so.
            open.push(named);
        }
    }
    assert!(elements.len() > 10, "the schema says nothing");
    elements
}

fn part<'t>(found: &Captures<'t>, index: usize) -> &'t str {
    found.get(index).map_or("", |part| part.as_str())
}

/// Attributes by name.
fn pairs(attributes: &str) -> BTreeMap<String, String> {
    let found = ATTRIBUTE.captures_iter(attributes);
    found.map(|found| (part(&found, 1).to_owned(), part(&found, 2).to_owned())).collect()
}
