//! What the compiler says, in the client's terms: URIs, lines and columns in its unit.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidegate_compiler::diag::{self, Severity};
use tidegate_compiler::session::Snapshot;
use tidegate_compiler::source::{self, ColumnUnit, FileId, Role, SourceFile, Sources, Span};

use super::overlay::{Overlay, canonical};
use super::pages;
use super::protocol::{
    AtPosition, CodeDescription, Diagnostic, Location, Position, Range, RelatedInformation,
    TextEdit, WorkspaceEdit,
};

/// Everything that answers are made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Workbench<'w> {
    /// The catalogs.
    pub(super) snapshots: &'w [Arc<Snapshot>],
    /// The open texts.
    pub(super) overlay: &'w Overlay,
    /// The unit of columns.
    pub(super) unit: ColumnUnit,
    /// Whether the client opens the pages of rules.
    pub(super) opens_pages: bool,
}

/// A file of a catalog.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'w> {
    pub(super) snapshot: &'w Snapshot,
    pub(super) file: FileId,
}

impl<'w> Workbench<'w> {
    /// The diagnostics of all catalogs by the URI of their file.
    pub(super) fn diagnostics(&self) -> BTreeMap<String, Vec<Diagnostic>> {
        let mut by_uri: BTreeMap<String, Vec<Diagnostic>> = BTreeMap::new();
        for snapshot in self.snapshots {
            for diagnostic in &snapshot.compilation.diagnostics {
                let uri = self.uri_of(diagnostic.primary.span.file, snapshot);
                let found = self.diagnostic(diagnostic, snapshot);
                let of_file = by_uri.entry(uri).or_default();
                // A file that two catalogs share is as wrong for both.
                if !of_file.contains(&found) {
                    of_file.push(found);
                }
            }
        }
        by_uri
    }

    /// One diagnostic.
    pub(super) fn diagnostic(
        &self,
        diagnostic: &diag::Diagnostic,
        snapshot: &Snapshot,
    ) -> Diagnostic {
        let others = diagnostic.others.iter().map(|label| RelatedInformation {
            location: self.location(label.span, snapshot),
            message: label.text.clone(),
        });
        Diagnostic {
            range: self.location(diagnostic.primary.span, snapshot).range,
            severity: match diagnostic.severity {
                Severity::Error => 1,
                Severity::Warning => 2,
            },
            code: diagnostic.rule.slug,
            code_description: self
                .opens_pages
                .then(|| CodeDescription { href: pages::uri(diagnostic.rule) }),
            source: "tidegate",
            message: message(diagnostic),
            tags: if diagnostic.rule.slug == "unused-collection" { vec![1] } else { Vec::new() },
            related_information: others.collect(),
        }
    }

    /// A span as a place of the client. What concerns the command line stands at the beginning of the catalog.
    pub(super) fn location(&self, span: Span, snapshot: &Snapshot) -> Location {
        let file = snapshot.compilation.sources.file(span.file);
        let range = if file.has_places() { span.range } else { source::Range::default() };
        Location { uri: self.uri_of(span.file, snapshot), range: self.range(file, range) }
    }

    /// What the client calls a file.
    fn uri_of(&self, file: FileId, snapshot: &Snapshot) -> String {
        let file = snapshot.compilation.sources.file(file);
        let url = if file.has_places() { &file.url } else { &snapshot.request.entry };
        self.overlay.get(url).map_or_else(|| url.to_string(), |open| open.uri.clone())
    }

    /// Bytes of a file as a range.
    pub(super) fn range(&self, file: &SourceFile, range: source::Range) -> Range {
        Range { start: self.position(file, range.start), end: self.position(file, range.end) }
    }

    fn position(&self, file: &SourceFile, offset: u32) -> Position {
        let position = file.lines.position(&file.text, offset, self.unit);
        Position { line: position.line - 1, character: position.column - 1 }
    }

    /// The byte of a file that a position means.
    pub(super) fn offset(&self, found: Found<'_>, position: Position) -> u32 {
        let file = found.sources().file(found.file);
        let position = source::Position {
            line: position.line.saturating_add(1),
            column: position.character.saturating_add(1),
        };
        file.lines.offset(&file.text, position, self.unit)
    }

    /// The file that a client means, in the first catalog that has it.
    pub(super) fn find(&self, uri: &str) -> Option<Found<'w>> {
        const ROLES: [Role; 5] =
            [Role::Catalog, Role::Schema, Role::Config, Role::Fixture, Role::Settings];
        let url = canonical(uri)?;
        self.snapshots.iter().find_map(|snapshot| {
            let sources = &snapshot.compilation.sources;
            let file = ROLES.iter().find_map(|role| sources.by_url(&url, *role))?;
            Some(Found { snapshot, file })
        })
    }

    /// The file and the byte that a client means.
    pub(super) fn find_place(&self, at: &AtPosition) -> Option<(Found<'w>, u32)> {
        let found = self.find(&at.text_document.uri)?;
        Some((found, self.offset(found, at.position)))
    }

    /// Edits of files of a catalog.
    pub(super) fn edit<'e>(
        &self,
        edits: impl IntoIterator<Item = &'e diag::Edit>,
        snapshot: &Snapshot,
    ) -> WorkspaceEdit {
        let mut changes: BTreeMap<String, Vec<TextEdit>> = BTreeMap::new();
        for edit in edits {
            let Location { uri, range } = self.location(edit.span, snapshot);
            changes.entry(uri).or_default().push(TextEdit { range, new_text: edit.text.clone() });
        }
        WorkspaceEdit { changes }
    }
}

impl<'w> Found<'w> {
    /// The files of its catalog.
    pub(super) fn sources(self) -> &'w Sources {
        &self.snapshot.compilation.sources
    }
}

/// Everything that is said at the primary place, for clients that show one text.
fn message(diagnostic: &diag::Diagnostic) -> String {
    let mut lines = vec![diagnostic.message.clone()];
    let label = &diagnostic.primary.text;
    lines.extend(Some(label.clone()).filter(|label| !label.is_empty()));
    lines.extend(diagnostic.notes.iter().map(|note| format!("note: {note}")));
    lines.extend(diagnostic.help.iter().map(|help| format!("help: {help}")));
    lines.join("\n")
}
