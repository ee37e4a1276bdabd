//! Literate test files: sections with fenced blocks.
//!
//! A section begins at a heading and holds the fences up to the next heading; its name is the path of headings above it. The
//! words after a fence's language are its attributes, the first of them often a path.

use std::path::{Path, PathBuf};

/// A heading and its fences.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    /// Headings from the first level down, joined by ` - `.
    pub(crate) name: String,
    /// Its fences in order.
    pub(crate) fences: Vec<Fence>,
}

/// A fenced block.
#[derive(Debug, Clone)]
pub(crate) struct Fence {
    /// The word behind the opening fence, such as `yaml`.
    pub(crate) language: String,
    /// The words after the language.
    pub(crate) attributes: Vec<String>,
    /// The text, with the line feed of its last line.
    pub(crate) text: String,
    /// Line of the first line of the text in its file, from 0; for rewriting.
    pub(crate) first_line: usize,
}

impl Fence {
    /// How many lines the text has.
    pub(crate) fn line_count(&self) -> usize {
        self.text.lines().count()
    }
}

/// The sections of a text that have fences.
pub(crate) fn sections(text: &str) -> Vec<Section> {
    let mut sections = vec![Section { name: String::new(), fences: Vec::new() }];
    let mut headings: Vec<&str> = Vec::new();
    let mut open: Option<(&str, Fence)> = None;
    for (number, line) in text.lines().enumerate() {
        if let Some((marker, fence)) = &mut open {
            if line.trim_end() == *marker {
                let (_, fence) = open.take().expect("it is open");
                sections.last_mut().expect("there is one").fences.push(fence);
            } else {
                fence.text.push_str(line);
                fence.text.push('\n');
            }
            continue;
        }
        let ticks = line.chars().take_while(|character| *character == '`').count();
        if ticks >= 3 {
            let (marker, info) = line.split_at(ticks);
            let mut words = info.split_whitespace().map(str::to_owned);
            let language = words.next().unwrap_or_default();
            let attributes = words.collect();
            let text = String::new();
            open = Some((marker, Fence { language, attributes, text, first_line: number + 1 }));
            continue;
        }
        let level = line.chars().take_while(|character| *character == '#').count();
        if level > 0 && line.chars().nth(level) == Some(' ') {
            headings.truncate(level - 1);
            headings.push(line.get(level + 1..).unwrap_or_default().trim());
            sections.push(Section { name: headings.join(" - "), fences: Vec::new() });
        }
    }
    sections.retain(|section| !section.fences.is_empty());
    sections
}

/// The Markdown files of a directory, sorted.
pub(crate) fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory)
        .expect("the directory of tests is there")
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    files.sort();
    files
}

/// Replaces the text of a fence in its file; for `UPDATE=1`. Files are rewritten from their last fence upward, so that lines
/// above keep their numbers.
pub(crate) fn replace(file_text: &str, fence: &Fence, text: &str) -> String {
    let mut lines: Vec<&str> = file_text.lines().collect();
    let end = fence.first_line + fence.line_count();
    lines.splice(fence.first_line..end, text.lines());
    lines.join("\n") + "\n"
}

/// Whether goldens are to be accepted as they are now.
pub(crate) fn is_update() -> bool {
    std::env::var_os("UPDATE").is_some_and(|value| value == "1")
}
