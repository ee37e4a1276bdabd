//! The TypeScript of a catalog: types of documents, what a derivation by a module has to be, and where both stand.
//!
//! Everything is a function of the schemas and names of a collection. Which names a module may import is told from the
//! same list that the text is made of.

mod declare;
mod shape;
mod stub;

use std::fmt::Write as _;

pub use declare::{Read, Types, base_class_script};
pub use stub::{Stub, module_stub};

/// What imports of generated types begin with.
pub const IMPORT_PREFIX: &str = "flow/";

/// Where generated types stand, below the root of the project.
pub const GENERATED_DIRECTORY: &str = "flow_generated/typescript/";

/// The class that a module exports.
pub const CLASS: &str = "Derivation";

/// The class that it extends.
pub const BASE_CLASS: &str = "IDerivation";

/// The file of a collection's types, below the directory of types.
pub fn file_name(collection: &str) -> String {
    format!("{collection}.ts")
}

/// Whether a text is a name that needs no quotes.
fn is_identifier(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(char::is_alphabetic)
        && characters.all(|character| character.is_alphanumeric() || character == '_')
}

/// A comment before a declaration, with the line feed after it; nothing when there is nothing to say.
fn comment(indent: &str, title: Option<&str>, description: Option<&str>) -> String {
    let texts = [title, description].into_iter().flatten();
    let text = texts.collect::<Vec<_>>().join("\n").replace("*/", "*\\/");
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    match lines.as_slice() {
        [] => String::new(),
        [line] => format!("{indent}/** {line} */\n"),
        lines => {
            let mut comment = format!("{indent}/**\n");
            for line in lines {
                let space = if line.is_empty() { "" } else { " " };
                writeln!(comment, "{indent} *{space}{line}").expect("a string takes text");
            }
            writeln!(comment, "{indent} */").expect("a string takes text");
            comment
        }
    }
}

#[cfg(test)]
mod tests;
