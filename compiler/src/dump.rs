//! What each pass produced, as stable text: for reports of faults, for suites, and for the curious.
//!
//! The text is meant to be read and compared, not to be parsed; it may change with any version.

use std::fmt::Write as _;

use serde_json::Value;
use tidegate_stdlib::bundle;

use crate::Compilation;
use crate::catalog::{Catalog, Reference};
use crate::check::{Checked, CheckedCollection};
use crate::lineage;
use crate::source::SourceFile;
use crate::syntax::{NodeId, NodeKind, Tree};

/// A pass whose result can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The nodes of every file with their bytes.
    Tree,
    /// What every file declares.
    Specs,
    /// All declarations by name, and what their references lead to.
    Catalog,
    /// What the checks know of collections and tasks.
    Checked,
    /// The graph of tasks and collections.
    Lineage,
    /// The files of the bundle that would be built.
    Plan,
}

/// The result of a pass as text; `None` for the plan of a catalog with errors, which there is not.
pub fn dump(compilation: &Compilation, stage: Stage) -> Option<String> {
    let Compilation { sources, checked, plan, .. } = compilation;
    let files = sources.files().map(|(_, file)| file);
    Some(match stage {
        Stage::Tree => files.filter_map(|file| Some(tree(file, file.tree.as_deref()?))).collect(),
        Stage::Specs => files
            .filter_map(|file| Some(format!("{}\n{:#?}\n\n", file.name, file.specs.as_deref()?)))
            .collect(),
        Stage::Catalog => catalog(&checked.catalog),
        Stage::Checked => all_checked(checked),
        Stage::Lineage => lineage::to_text(compilation.lineage()),
        Stage::Plan => bundle_files(&plan.as_ref()?.bundle),
    })
}

/// A line a node: its bytes, its key and what it is.
fn tree(file: &SourceFile, tree: &Tree) -> String {
    let mut text = format!("{}\n", file.name);
    node(tree, tree.root(), "", 1, &mut text);
    text.push('\n');
    text
}

fn node(tree: &Tree, id: NodeId, key: &str, depth: usize, text: &mut String) {
    let found = tree.node(id);
    let value = match &found.kind {
        NodeKind::Null => "null".to_owned(),
        NodeKind::Boolean(value) => value.to_string(),
        NodeKind::Number(number) => number.to_string(),
        NodeKind::String(string) => format!("{:?}", string.value),
        NodeKind::Sequence(items) => format!("list of {}", items.len()),
        NodeKind::Mapping(entries) => format!("mapping of {}", entries.len()),
    };
    let (start, end) = (found.range.start, found.range.end);
    let separator = if key.is_empty() { "" } else { ": " };
    line(text, depth, format_args!("{key}{separator}{value} @ {start}..{end}"));
    for entry in tree.entries(id) {
        node(tree, entry.value, &entry.key, depth + 1, text);
    }
    for item in tree.items(id) {
        node(tree, *item, "-", depth + 1, text);
    }
}

fn catalog(catalog: &Catalog) -> String {
    let mut text = String::new();
    let name = |reference: &Reference| {
        reference.target.map_or("(missing)", |id| catalog.collection(id).name()).to_owned()
    };
    for (id, collection) in catalog.collections() {
        line(&mut text, 0, format_args!("collection {} {}", id.0, collection.name()));
        for reference in &collection.sources {
            line(&mut text, 1, format_args!("reads {}", name(reference)));
        }
    }
    for capture in &catalog.captures {
        line(&mut text, 0, format_args!("capture {}", capture.name()));
        for reference in &capture.targets {
            line(&mut text, 1, format_args!("writes {}", name(reference)));
        }
    }
    for materialization in &catalog.materializations {
        line(&mut text, 0, format_args!("materialization {}", materialization.name()));
        for reference in &materialization.sources {
            line(&mut text, 1, format_args!("reads {}", name(reference)));
        }
    }
    for test in &catalog.tests {
        line(&mut text, 0, format_args!("test {}", test.name()));
        for reference in &test.collections {
            line(&mut text, 1, format_args!("step of {}", name(reference)));
        }
    }
    text
}

fn all_checked(checked: &Checked) -> String {
    let mut text = String::new();
    for ((_, declared), known) in checked.catalog.collections().zip(&checked.collections) {
        line(&mut text, 0, format_args!("collection {}", declared.name()));
        collection(known, &mut text);
    }
    for (declared, known) in checked.catalog.captures.iter().zip(&checked.captures) {
        line(&mut text, 0, format_args!("capture {}\n{known:#?}", declared.name()));
    }
    for (declared, known) in checked.catalog.materializations.iter().zip(&checked.materializations)
    {
        line(&mut text, 0, format_args!("materialization {}\n{known:#?}", declared.name()));
    }
    for (declared, known) in checked.catalog.tests.iter().zip(&checked.tests) {
        line(&mut text, 0, format_args!("test {}\n{known:#?}", declared.name()));
    }
    text
}

fn collection(known: &CheckedCollection, text: &mut String) {
    line(text, 1, format_args!("key {}", known.key_pointers.join(", ")));
    let shape = known.effective_read_schema().shape.render();
    line(text, 1, format_args!("read shape {shape}"));
    for field in known.projections.iter() {
        let partition = if field.partition { " (partition)" } else { "" };
        let (pointer, types) = (&field.pointer, field.types.join("|"));
        line(text, 1, format_args!("field {} = {pointer:?}: {types}{partition}", field.field));
    }
    if let Some(derivation) = &known.derivation {
        line(text, 1, format_args!("{derivation:#?}"));
    }
}

/// The files of a bundle, JSON laid out for reading.
fn bundle_files(bundle: &bundle::Bundle) -> String {
    let mut text = String::new();
    for (path, bytes) in bundle::to_files(bundle) {
        line(&mut text, 0, format_args!("{path}"));
        match serde_json::from_slice::<Value>(&bytes) {
            Ok(value) => line(&mut text, 0, format_args!("{value:#}\n")),
            Err(_) => line(&mut text, 0, format_args!("{}\n", String::from_utf8_lossy(&bytes))),
        }
    }
    text
}

fn line(text: &mut String, depth: usize, words: std::fmt::Arguments<'_>) {
    writeln!(text, "{:1$}{words}", "", 2 * depth).expect("a string takes text");
}
