//! References of JSON schemas to other schemas.

use std::collections::BTreeSet;

use url::Url;

use crate::source::Range;
use crate::syntax::{NodeId, Tree};

/// One reference that leads out of its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SchemaReference {
    /// The bytes of the reference.
    pub(crate) range: Range,
    /// The reference as written.
    pub(crate) written: String,
    /// Where it leads; nothing when it is no URL.
    pub(crate) target: Option<Url>,
}

/// What a schema says about other schemas.
#[derive(Debug, Default)]
pub(super) struct SchemaLinks {
    /// References out of the schema, in order.
    pub(super) references: Vec<SchemaReference>,
    /// The URLs that the schema gives itself and its parts.
    pub(super) identities: BTreeSet<String>,
}

/// Finds the references of a schema that stands in a file of the URL `base`.
pub(super) fn schema_links(tree: &Tree, schema: NodeId, base: &Url) -> SchemaLinks {
    let mut links = SchemaLinks::default();
    visit(tree, schema, base, &mut links);
    links
}

/// Keywords whose values are data, not schemas.
const DATA: &[&str] = &["const", "enum", "default", "examples", "example"];

/// Keywords whose values are mappings from names to schemas.
const NAMED: &[&str] =
    &["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];

fn visit(tree: &Tree, schema: NodeId, base: &Url, links: &mut SchemaLinks) {
    for item in tree.items(schema) {
        visit(tree, *item, base, links);
    }
    let own = identity(tree, schema, base);
    if let Some(own) = &own {
        links.identities.insert(own.to_string());
    }
    let base = own.as_ref().unwrap_or(base);
    for entry in tree.entries(schema) {
        let key = entry.key.as_str();
        if matches!(key, "$ref" | "$dynamicRef" | "$recursiveRef") {
            links.references.extend(reference(tree, entry.value, base));
        } else if NAMED.contains(&key) {
            for named in tree.entries(entry.value) {
                visit(tree, named.value, base, links);
            }
        } else if !DATA.contains(&key) && !key.starts_with("x-") {
            visit(tree, entry.value, base, links);
        }
    }
}

/// The URL that a schema gives itself, without fragment.
fn identity(tree: &Tree, schema: NodeId, base: &Url) -> Option<Url> {
    let entry = tree.entry(schema, "$id")?;
    let mut url = base.join(&tree.string(entry.value)?.value).ok()?;
    url.set_fragment(None);
    Some(url)
}

/// A reference, unless it stays in its schema or leads to what is known without files.
fn reference(tree: &Tree, node: NodeId, base: &Url) -> Option<SchemaReference> {
    let written = tree.string(node)?.value.clone();
    if written.is_empty() || written.starts_with('#') || written.starts_with("flow:") {
        return None;
    }
    let target = base.join(&written).ok().map(|mut url| {
        url.set_fragment(None);
        url
    });
    Some(SchemaReference { range: tree.text_range(node), written, target })
}
