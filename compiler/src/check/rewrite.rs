//! Edits of mappings in YAML and JSON.

use crate::diag::Edit;
use crate::source::{Range, Sources, Span};

/// Puts an entry before the first one of a mapping, given the place of the mapping; `None` where that is not safe to do. `value` is
/// a word, or a mapping in braces with words.
pub(super) fn first_entry(
    sources: &Sources,
    mapping: Span,
    name: &str,
    value: &str,
) -> Option<Edit> {
    let text = sources.text(mapping);
    let first = text.chars().next()?;
    let is_flow = first == '{';
    let begin = mapping.range.start + u32::from(is_flow);
    let inside = text.get(usize::from(is_flow)..)?.trim_start();
    let is_json = inside.starts_with('"');
    let entry = if is_json { quoted(name, value) } else { format!("{name}: {value}") };
    let entry = match (is_flow, inside.starts_with('}')) {
        (true, true) => entry,
        (true, false) => format!("{entry}, "),
        (false, _) => {
            let file = sources.file(mapping.file);
            let line = file.text.get(..begin as usize)?.rsplit('\n').next()?;
            // In a list, the dash before the first entry counts as indentation of the next ones.
            let indent: String =
                line.chars().map(|symbol| if symbol == '-' { ' ' } else { symbol }).collect();
            if !indent.chars().all(|symbol| symbol == ' ') {
                return None;
            }
            format!("{entry}\n{indent}")
        }
    };
    Some(Edit { span: Range::new(begin, begin).in_file(mapping.file), text: entry })
}

/// The entry in JSON's spelling.
fn quoted(name: &str, value: &str) -> String {
    match value.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')) {
        Some(inner) => match inner.split_once(": ") {
            Some((inner_name, inner_value)) => {
                format!("\"{name}\": {{\"{inner_name}\": \"{inner_value}\"}}")
            }
            None => format!("\"{name}\": {{}}"),
        },
        None => format!("\"{name}\": \"{value}\""),
    }
}
