//! Sources, places in them, and the one conversion from bytes to lines and columns.

mod dependencies;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use percent_encoding::percent_decode_str;
use url::Url;

use crate::model::Specs;
use crate::syntax::Tree;
pub(crate) use dependencies::Dependencies;
use dependencies::Notes;

/// A file of the catalog; dense, in order of discovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// Bytes of a file that need not be named: `start..end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Range {
    /// First byte.
    pub start: u32,
    /// Byte after the last.
    pub end: u32,
}

impl Range {
    /// The bytes `start..end`.
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// As a range of `usize`, for slicing.
    pub const fn as_usize(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The same bytes in a file.
    pub const fn in_file(self, file: FileId) -> Span {
        Span { file, range: self }
    }
}

/// Bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// The bytes.
    pub range: Range,
}

/// A line and column, both from 1; the column in the unit that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

/// What columns count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnUnit {
    /// Bytes of UTF-8.
    Utf8,
    /// Code units of UTF-16 (editors).
    Utf16,
    /// Code points (people and machine formats).
    CodePoint,
}

/// Where lines begin; it alone converts between bytes and columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineIndex {
    starts: Vec<u32>,
}

impl LineIndex {
    /// The index of a text.
    pub fn new(text: &str) -> Self {
        let after_breaks = text.match_indices('\n').map(|(offset, _)| to_offset(offset + 1));
        Self { starts: std::iter::once(0).chain(after_breaks).collect() }
    }

    /// The position of a byte offset; an offset inside a character counts as its beginning, one beyond the text as its
    /// end.
    pub fn position(&self, text: &str, offset: u32, unit: ColumnUnit) -> Position {
        let offset = text.floor_char_boundary(offset as usize);
        let line = self.starts.partition_point(|start| *start as usize <= offset).max(1);
        let start = self.starts.get(line - 1).map_or(0, |start| *start as usize);
        let before = text.get(start..offset).unwrap_or_default();
        Position { line: to_offset(line), column: 1 + to_offset(width(before, unit)) }
    }

    /// The byte offset of a position; beyond the line's end gives its end.
    pub fn offset(&self, text: &str, position: Position, unit: ColumnUnit) -> u32 {
        let range = self.line_range(text, position.line);
        let line = text.get(range.as_usize()).unwrap_or_default();
        let wanted = position.column.saturating_sub(1) as usize;
        let mut column = 0;
        for (offset, character) in line.char_indices() {
            column += width(character.encode_utf8(&mut [0; 4]), unit);
            if column > wanted {
                return range.start + to_offset(offset);
            }
        }
        range.end
    }

    /// The bytes of a line (from 1) without its line break; empty at the text's end for a line that does not exist.
    pub fn line_range(&self, text: &str, line: u32) -> Range {
        let end_of_text = to_offset(text.len());
        let index = line.saturating_sub(1) as usize;
        let Some(start) = self.starts.get(index).copied() else {
            return Range::new(end_of_text, end_of_text);
        };
        let next = self.starts.get(index + 1).copied().unwrap_or(end_of_text);
        let line = text.get(start as usize..next as usize).unwrap_or_default();
        let line = line.strip_suffix('\n').unwrap_or(line);
        let line = line.strip_suffix('\r').unwrap_or(line);
        Range::new(start, start + to_offset(line.len()))
    }
}

/// Sources are smaller than 4 GiB by the limit on their size.
fn to_offset(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn width(text: &str, unit: ColumnUnit) -> usize {
    match unit {
        ColumnUnit::Utf8 => text.len(),
        ColumnUnit::Utf16 => text.encode_utf16().count(),
        ColumnUnit::CodePoint => text.chars().count(),
    }
}

/// What a file is to the catalog; decides how its text becomes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// A catalog file.
    Catalog,
    /// A JSON schema.
    Schema,
    /// A config, resource, lambda or migration: YAML or JSON by its extension, else text.
    Config,
    /// A TypeScript module.
    Module,
    /// Documents of a test.
    Fixture,
    /// The settings of the project.
    Settings,
    /// The command line's arguments.
    Arguments,
}

/// One loaded file.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Its absolute URL, without fragment.
    pub url: Url,
    /// What people call it: its path relative to the project root, or its URL when it lies outside.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// Its text; empty when it could not be read.
    pub text: Arc<str>,
    /// Its lines.
    pub lines: Arc<LineIndex>,
    /// Its tree, when it is YAML or JSON.
    pub tree: Option<Arc<Tree>>,
    /// What it declares, when it is a catalog.
    pub specs: Option<Arc<Specs>>,
    /// Whether it was read; a file that was not has been reported already, and nothing else is said of it.
    pub is_present: bool,
}

impl SourceFile {
    /// Whether there is a text that people can be shown a place in; the command line has none.
    pub fn has_places(&self) -> bool {
        self.role != Role::Arguments
    }

    /// Whether no mistake of syntax has cost any of its text, so that what seems to be missing is missing.
    pub fn is_whole(&self) -> bool {
        let mut in_tree = self.tree.iter().flat_map(|tree| &tree.problems);
        let mut in_specs = self.specs.iter().flat_map(|specs| &specs.problems);
        !in_tree.any(|problem| problem.kind.loses_text())
            && !in_specs.any(|problem| problem.kind.loses_text())
    }
}

/// All files of a catalog. A resource that is used in two roles is one file per role.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
    by_url: BTreeMap<Role, BTreeMap<String, FileId>>,
    /// What in a file leads to which other file.
    references: BTreeMap<FileId, Vec<(Range, FileId)>>,
    notes: Notes,
    /// Digests of the files, made when they are asked for.
    stamps: Vec<OnceLock<u128>>,
    stamp_of_all: OnceLock<u128>,
}

impl Sources {
    /// Adds a file and gives it its id.
    pub fn add(&mut self, file: SourceFile) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).expect("fewer files than the limit"));
        self.by_url.entry(file.role).or_default().insert(file.url.to_string(), id);
        self.files.push(file);
        self.stamps.push(OnceLock::new());
        self.stamp_of_all = OnceLock::new();
        id
    }

    /// A file by its id.
    pub fn file(&self, id: FileId) -> &SourceFile {
        self.notes.saw_file(id);
        self.files.get(id.0 as usize).expect("file ids come from this value")
    }

    /// A file by its id, to be completed after it was added.
    pub fn file_mut(&mut self, id: FileId) -> &mut SourceFile {
        self.stamp_of_all = OnceLock::new();
        self.stamps.get_mut(id.0 as usize).map(OnceLock::take);
        self.files.get_mut(id.0 as usize).expect("file ids come from this value")
    }

    /// How many files there are.
    pub fn count(&self) -> usize {
        self.notes.saw_all();
        self.files.len()
    }

    /// All files in order of discovery.
    pub fn files(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.notes.saw_all();
        (0u32..).map(FileId).zip(&self.files)
    }

    /// Names files anew, for people; a file for which `name` gives nothing keeps its name.
    pub fn rename(&mut self, name: impl Fn(&SourceFile) -> Option<String>) {
        self.stamp_of_all = OnceLock::new();
        for (file, stamp) in self.files.iter_mut().zip(&mut self.stamps) {
            if let Some(name) = name(file) {
                file.name = name;
                *stamp = OnceLock::new();
            }
        }
    }

    /// The file of a URL (without fragment) in a role.
    pub fn by_url(&self, url: &Url, role: Role) -> Option<FileId> {
        let found = self.find(url.as_str(), role);
        match found {
            Some(file) => self.notes.saw_file(file),
            None => self.notes.saw_nothing(url.as_str(), role),
        }
        found
    }

    fn find(&self, url: &str, role: Role) -> Option<FileId> {
        self.by_url.get(&role)?.get(url).copied()
    }

    /// The file that `reference`, written in `from`, leads to, and the fragment of the reference.
    pub fn resolve(
        &self,
        from: FileId,
        reference: &str,
        role: Role,
    ) -> Option<(FileId, Option<String>)> {
        let mut url = self.file(from).url.join(reference).ok()?;
        let fragment = url.fragment().map(str::to_owned);
        url.set_fragment(None);
        Some((self.by_url(&url, role)?, fragment))
    }

    /// Notes that bytes of a file refer to another file.
    pub(crate) fn refer(&mut self, from: Span, to: FileId) {
        self.references.entry(from.file).or_default().push((from.range, to));
    }

    /// The reference to a file at a byte of another, and where it leads.
    pub fn reference_at(&self, file: FileId, offset: u32) -> Option<(Range, FileId)> {
        let references = self.references.get(&file)?.iter().copied();
        references
            .filter(|(range, _)| range.start <= offset && offset <= range.end)
            .find(|(_, to)| (to.0 as usize) < self.files.len())
    }

    /// The text of a span; empty when the span is not inside its file.
    pub fn text(&self, span: Span) -> &str {
        self.file(span.file).text.get(span.range.as_usize()).unwrap_or_default()
    }

    /// The position of a span's beginning, columns in code points.
    pub fn position(&self, span: Span) -> Position {
        let file = self.file(span.file);
        file.lines.position(&file.text, span.range.start, ColumnUnit::CodePoint)
    }

    /// The path of a file's directory from the directory of the entry, empty when they are one or when the file is no file of this
    /// machine.
    pub fn directory(&self, file: FileId) -> String {
        let here = self.file(file).url.join(".");
        let entry = self.files.first().and_then(|entry| entry.url.join(".").ok());
        let path = entry.zip(here.ok()).and_then(|(entry, here)| entry.make_relative(&here));
        let path = path.unwrap_or_default();
        percent_decode_str(path.trim_end_matches('/')).decode_utf8_lossy().into_owned()
    }

    /// The place as bundles keep it.
    pub fn origin(&self, span: Span) -> tidegate_stdlib::bundle::Origin {
        let position = self.position(span);
        tidegate_stdlib::bundle::Origin {
            path: self.file(span.file).name.clone(),
            line: position.line,
            column: position.column,
            start: span.range.start,
            end: span.range.end,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ColumnUnit, LineIndex, Position, Range};

    const UNITS: [ColumnUnit; 3] = [ColumnUnit::Utf8, ColumnUnit::Utf16, ColumnUnit::CodePoint];

    #[test]
    fn columns_count_what_was_asked_for() {
        let text = "a\r\né𝄞x\n";
        let lines = LineIndex::new(text);
        let end = u32::try_from(text.find('x').expect("it is there")).expect("it is near");
        let columns = UNITS.map(|unit| lines.position(text, end, unit));
        assert_eq!(columns.map(|position| position.line), [2, 2, 2]);
        assert_eq!(columns.map(|position| position.column), [7, 4, 3]);
        assert_eq!(lines.line_range(text, 1), Range::new(0, 1));
        assert_eq!(lines.line_range(text, 3), Range::new(11, 11));
        assert_eq!(lines.line_range(text, 9), Range::new(11, 11));
        let beyond = Position { line: 1, column: 50 };
        assert_eq!(lines.offset(text, beyond, ColumnUnit::CodePoint), 1);
    }

    proptest! {
        #[test]
        fn positions_lead_back_to_their_offsets(text in "[aé𝄞\n ]{0,40}") {
            let lines = LineIndex::new(&text);
            for (offset, _) in text.char_indices() {
                let offset = u32::try_from(offset).expect("texts are short");
                for unit in UNITS {
                    let position = lines.position(&text, offset, unit);
                    prop_assert_eq!(lines.offset(&text, position, unit), offset);
                }
            }
        }
    }
}
