//! The schema for editors tells the same story: it accepts every good catalog and refuses misspelt fields.

use libtest_mimic::Failed;
use serde_json::Value;
use tidegate_compiler::model::editor_schema;
use tidegate_compiler::source::Role;
use tidegate_compiler::syntax::{ParseOptions, parse};
use tidegate_stdlib::schema::Schema;

use super::ORIGINALS;
use super::kinds::KINDS;

/// Kinds that the tables alone tell; the others are about values and about the catalog as a whole.
const KINDS_OF_TABLES: [&str; 8] = [
    "misspelt field",
    "missing field",
    "number where something else belongs",
    "field that there never was",
    "flag that is no flag",
    "negative counter",
    "word that is none of those known",
    "object without what it needs",
];

pub(super) fn run() -> Result<(), Failed> {
    let schema = Schema::compile(&editor_schema()).map_err(|failures| format!("{failures:?}"))?;
    for original in ORIGINALS.iter() {
        for (_, file) in original.compilation.sources.files() {
            let Some(tree) = file.tree.as_deref().filter(|_| file.role == Role::Catalog) else {
                continue;
            };
            if let Err(violation) = schema.validate(&tree.to_json(tree.root())) {
                return Err(format!("{}/{}: {violation:?}", original.name, file.name).into());
            }
        }
        for kind in KINDS.iter().filter(|kind| KINDS_OF_TABLES.contains(&kind.name)) {
            for mutation in kind.mutations(original) {
                // A connector may have fields for others; and several forms of an endpoint are told apart by binding only.
                let is_told = ["/connector/", "/using/", "/endpoint/"]
                    .iter()
                    .all(|path| !mutation.what.contains(path));
                let document = parsed(&original.with(&mutation), &mutation.file)?;
                if is_told && schema.is_valid(&document) {
                    let what = format!("{} with {}", original.name, mutation.what);
                    return Err(format!("the schema accepts {what}").into());
                }
            }
        }
    }
    Ok(())
}

fn parsed(
    files: &std::collections::BTreeMap<String, Vec<u8>>,
    name: &str,
) -> Result<Value, Failed> {
    let text = String::from_utf8(files.get(name).cloned().unwrap_or_default())?;
    let tree = parse(&text, ParseOptions { merge_keys: true });
    Ok(tree.to_json(tree.root()))
}
