//! Findings of a type checker as diagnostics.

use url::Url;

use crate::diag::{Diagnostic, rules};
use crate::source::{ColumnUnit, Position, Range, Sources};

/// One error as a type checker tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeError {
    /// The file.
    pub url: Url,
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

/// The diagnostic of a type error; nothing when the file is none of the catalog's.
pub fn explain_type_error(error: &TypeError, sources: &Sources) -> Option<Diagnostic> {
    let (file, source) = sources.files().find(|(_, file)| file.url == error.url)?;
    let position = Position { line: error.line, column: error.column };
    let start = source.lines.offset(&source.text, position, ColumnUnit::Utf16);
    let rest = source.text.get(start as usize..).unwrap_or_default();
    let is_of_word = |character: char| character.is_alphanumeric() || "_$#".contains(character);
    let word = rest.len() - rest.trim_start_matches(is_of_word).len();
    let length = word.max(rest.chars().next().map_or(0, char::len_utf8));
    let end = start.saturating_add(u32::try_from(length).unwrap_or(u32::MAX));
    let message = error.message.trim_end_matches('.').replace('\'', "`");
    let span = Range::new(start, end).in_file(file);
    let diagnostic = Diagnostic::new(&rules::TYPE_ERROR, span, message)
        .label(format!("the type checker says {}", error.code));
    Some(error.more.iter().fold(diagnostic, |diagnostic, line| diagnostic.note(line.trim())))
}
