//! Files to begin with: a module, and a method of one.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use tidegate_stdlib::lambda::typescript::{method_name, source_type_name};

use super::{BASE_CLASS, CLASS, IMPORT_PREFIX, Types, file_name, is_identifier};

/// A method that is not written yet.
#[derive(Debug, Clone, Copy)]
pub struct Stub<'s> {
    /// The transform that calls it.
    pub transform: &'s str,
}

impl Stub<'_> {
    /// Its text, indented as a member of a class, with the line feed at its end.
    pub fn text(self) -> String {
        let method = method_name(self.transform);
        let name = if is_identifier(&method) { method.clone() } else { format!("{method:?}") };
        let source = source_type_name(self.transform);
        format!(
            "    {name}(_read: {{ doc: {source} }}): Document[] {{\n        \
                 throw new Error(\"`{method}` is not written yet\");\n    }}\n"
        )
    }
}

/// A module whose methods are not written yet.
pub fn module_stub(types: &Types) -> String {
    let reads = types.reads.as_deref().unwrap_or_default();
    let mut names: BTreeSet<String> =
        reads.iter().map(|read| source_type_name(&read.transform)).collect();
    names.extend([BASE_CLASS.to_owned(), "Document".to_owned()]);
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    let file = file_name(&types.collection);
    let mut text = format!(
        "import {{ {names} }} from '{IMPORT_PREFIX}{file}';\n\n\
         /** Derives `{}`. */\nexport class {CLASS} extends {BASE_CLASS} {{\n",
        types.collection
    );
    for (index, read) in reads.iter().enumerate() {
        let gap = if index == 0 { "" } else { "\n" };
        write!(text, "{gap}{}", Stub { transform: &read.transform }.text())
            .expect("a string takes text");
    }
    text.push_str("}\n");
    text
}
