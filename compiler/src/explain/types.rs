//! What type checkers are asked about, and their findings as diagnostics.

use url::Url;

use crate::catalog::ScriptSource;
use crate::check::Checked;
use crate::diag::{Diagnostic, rules};
use crate::model::{InlineOrFile, UsingSpec};
use crate::source::{ColumnUnit, LineIndex, Position, Role, Sources};

/// TypeScript of the catalog, as a type checker gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct TypedModule {
    /// Its text, and where each part of it stands.
    pub source: ScriptSource,
    /// The file that holds it, from which its imports are relative.
    pub url: Url,
    /// Whether that is a catalog file, and not a module by itself.
    pub is_inline: bool,
}

/// One error as a type checker tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeError {
    /// The checker, as people call it.
    pub checker: &'static str,
    /// Line, from 1.
    pub line: u32,
    /// Column in code units of UTF-16, from 1.
    pub column: u32,
    /// What the checker calls it, such as `TS2551`.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// Further lines about it.
    pub more: Vec<String>,
}

/// All modules of a catalog: the files, and what is written in place.
pub fn typed_modules(checked: &Checked, sources: &Sources) -> Vec<TypedModule> {
    let files = sources.files().filter(|(_, file)| file.role == Role::Module && file.is_present);
    let files = files.filter_map(|(id, file)| {
        let source = ScriptSource::from_file(sources, id).ok()?;
        Some(TypedModule { source, url: file.url.clone(), is_inline: false })
    });
    let inline = checked.catalog.collections().filter_map(|(_, collection)| {
        let using = collection.spec().derive.as_ref()?.using.as_ref()?;
        let UsingSpec::TypeScript { module: Some(module @ InlineOrFile::Inline(_)), .. } = using
        else {
            return None;
        };
        let file = collection.file();
        let source = ScriptSource::new(sources, file, module, Role::Module).ok()?;
        Some(TypedModule { source, url: sources.file(file).url.clone(), is_inline: true })
    });
    files.chain(inline).collect()
}

/// The diagnostic of an error in a module.
pub fn explain_type_error(error: &TypeError, module: &TypedModule) -> Diagnostic {
    let text = module.source.script.text.as_str();
    let position = Position { line: error.line, column: error.column };
    let start = LineIndex::new(text).offset(text, position, ColumnUnit::Utf16) as usize;
    let rest = text.get(start..).unwrap_or_default();
    let is_of_word = |character: char| character.is_alphanumeric() || "_$#".contains(character);
    let word = rest.len() - rest.trim_start_matches(is_of_word).len();
    let length = word.max(rest.chars().next().map_or(0, char::len_utf8));
    let span = module.source.span(start..start + length);
    let message = error.message.trim_end_matches('.').replace('\'', "`");
    let diagnostic = Diagnostic::new(&rules::TYPE_ERROR, span, message)
        .label(format!("`{}` says {}", error.checker, error.code));
    error.more.iter().fold(diagnostic, |diagnostic, line| diagnostic.note(line.trim()))
}
