//! What `generate` writes beside the user's files: types, and stubs of files that a catalog names and that are not there yet.
//!
//! Types belong to us and are written again; a stub is written once, and never over a file. Catalogs with mistakes are
//! served as far as they are understood, because a missing file is a mistake itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tidegate_stdlib::bundle::Projection;
use tidegate_stdlib::lambda::sqlite::Parameters;
use url::Url;

use crate::check::{Checked, CheckedCollection};
use crate::diag::{Diagnostic, rules};
use crate::model::{InlineOrFile, UsingSpec};
use crate::source::{FileId, Role, Sources};
use crate::syntax::{NodeKind, ParseOptions, parse};
use crate::typescript::{GENERATED_DIRECTORY, IMPORT_PREFIX, file_name, module_stub};

/// A file that is generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Generated {
    /// Ours: written whenever it differs.
    Owned(String),
    /// To begin with: written when there is no file.
    Stub(String),
}

/// Everything that a catalog asks for, by the URL of the file; types stand below `root`.
pub fn generate(checked: &Checked, sources: &Sources, root: &Url) -> BTreeMap<Url, Generated> {
    let mut files = BTreeMap::new();
    for (id, collection) in checked.catalog.collections() {
        let Some(derive) = &collection.spec().derive else { continue };
        let stubs = Stubs { sources, from: collection.file() };
        match &derive.using {
            Some(UsingSpec::TypeScript { module, .. }) => {
                let types = checked.types(id);
                let path = format!("{GENERATED_DIRECTORY}{}", file_name(&types.collection));
                if let Ok(url) = root.join(&path) {
                    files.insert(url, Generated::Owned(types.text()));
                }
                let stub = || module_stub(&types);
                files.extend(module.as_ref().and_then(|it| stubs.of(it, Role::Module, stub)));
            }
            Some(UsingSpec::Sqlite { migrations, .. }) => {
                for migration in migrations {
                    files.extend(stubs.of(migration, Role::Config, migration_stub));
                }
                for (spec, reference) in derive.transforms.iter().zip(&collection.sources) {
                    let (Some(lambda), Some(source)) = (&spec.lambda, reference.target) else {
                        continue;
                    };
                    let stub = || lambda_stub(checked.collection(source));
                    files.extend(stubs.of(lambda, Role::Config, stub));
                }
            }
            Some(UsingSpec::Local { .. } | UsingSpec::Other(_)) | None => {}
        }
    }
    files
}

/// Whether a finding is a file that is missing and that is generated.
pub fn is_served(
    diagnostic: &Diagnostic,
    sources: &Sources,
    files: &BTreeMap<Url, Generated>,
) -> bool {
    let span = diagnostic.primary.span;
    let named = sources.reference_at(span.file, span.range.start);
    diagnostic.rule.slug == rules::MISSING_FILE.slug
        && named.is_some_and(|(_, file)| files.contains_key(&sources.file(file).url))
}

/// Whether a finding is a method that is missing, which its fix writes.
pub fn is_missing_method(diagnostic: &Diagnostic) -> bool {
    diagnostic.rule.slug == rules::MISSING_METHOD.slug
}

/// The text of `deno.json`, when one has to be written: so that editors find the types. What stands in it stays.
pub fn deno_config(existing: Option<&str>) -> Option<String> {
    let entry = format!("\"{IMPORT_PREFIX}\": \"./{GENERATED_DIRECTORY}\"");
    let Some(text) = existing else {
        return Some(format!("{{\n  \"imports\": {{\n    {entry}\n  }}\n}}\n"));
    };
    let tree = parse(text, ParseOptions { merge_keys: false });
    let is_object = |node| matches!(tree.node(node).kind, NodeKind::Mapping(_));
    if !tree.problems.is_empty() || !is_object(tree.root()) {
        return None;
    }
    let (node, inserted) = match tree.entry(tree.root(), "imports") {
        Some(imports) if !is_object(imports.value) => return None,
        Some(imports) if tree.entry(imports.value, IMPORT_PREFIX).is_some() => return None,
        Some(imports) => (imports.value, entry),
        None => (tree.root(), format!("\"imports\": {{ {entry} }}")),
    };
    let comma = if tree.entries(node).is_empty() { "" } else { "," };
    let brace = tree.node(node).range.start as usize;
    let (before, after) = text.split_at_checked(brace + 1)?;
    before.ends_with('{').then(|| format!("{before}\n  {inserted}{comma}{after}"))
}

/// Stubs of the files that a catalog file names.
struct Stubs<'s> {
    sources: &'s Sources,
    from: FileId,
}

impl Stubs<'_> {
    /// The stub of a file that is not there.
    fn of(
        &self,
        value: &InlineOrFile,
        role: Role,
        text: impl FnOnce() -> String,
    ) -> Option<(Url, Generated)> {
        let InlineOrFile::File(reference) = value else { return None };
        let (file, _) = self.sources.resolve(self.from, &reference.value, role)?;
        let file = self.sources.file(file);
        (!file.is_present).then(|| (file.url.clone(), Generated::Stub(text())))
    }
}

fn migration_stub() -> String {
    "-- Makes the tables that lambdas use, as in:
--
-- CREATE TABLE seen (
--   id INTEGER NOT NULL PRIMARY KEY,
--   times INTEGER NOT NULL
-- );
"
    .to_owned()
}

/// A lambda that passes documents on, and what others may take from them.
fn lambda_stub(source: &CheckedCollection) -> String {
    let mut text =
        "SELECT JSON($flow_document);\n\n-- A lambda takes what it needs:\n--\n-- SELECT\n"
            .to_owned();
    let fields = source.projections.iter().filter(|projection| is_of_documents(projection));
    let fields: Vec<_> = fields.collect();
    for (index, field) in fields.iter().enumerate() {
        let comma = if index + 1 < fields.len() { "," } else { "" };
        let parameter = Parameters::canonical(&field.field);
        writeln!(text, "--   {parameter}{comma}{}", about(field, source))
            .expect("a string takes text");
    }
    text.push_str("-- ;\n");
    text
}

/// Whether a field is a part of documents, not their time of publication or the document itself.
fn is_of_documents(projection: &Projection) -> bool {
    !projection.pointer.is_empty() && !projection.pointer.starts_with("/_meta")
}

fn about(field: &Projection, source: &CheckedCollection) -> String {
    let mut facts = Vec::new();
    if source.key_pointers.contains(&field.pointer) {
        facts.push("key".to_owned());
    }
    if field.partition {
        facts.push("partition".to_owned());
    }
    facts.push(field.types.join(" or "));
    facts.extend(field.title.clone());
    facts.extend(field.description.clone());
    let text = facts.join(", ").split_whitespace().collect::<Vec<_>>().join(" ");
    format!(" -- {text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_keeps_what_it_has() {
        let ours = "\"flow/\": \"./flow_generated/typescript/\"";
        let new = deno_config(None).expect("there is none yet");
        assert_eq!(new, format!("{{\n  \"imports\": {{\n    {ours}\n  }}\n}}\n"));
        assert_eq!(deno_config(Some(&new)), None);
        assert_eq!(
            deno_config(Some("{\"tasks\": {}}")),
            Some(format!("{{\n  \"imports\": {{ {ours} }},\"tasks\": {{}}}}"))
        );
        assert_eq!(
            deno_config(Some("{\"imports\": {\"a\": \"b\"}}")),
            Some(format!("{{\"imports\": {{\n  {ours},\"a\": \"b\"}}}}"))
        );
        assert_eq!(deno_config(Some("{}")), Some(format!("{{\n  \"imports\": {{ {ours} }}}}")));
        for text in ["[", "[]", "{\"imports\": 1}"] {
            assert_eq!(deno_config(Some(text)), None, "{text}");
        }
    }
}
