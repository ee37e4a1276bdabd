//! For people: source excerpts, labels, notes, help and fixes as patches.
//!
//! Excerpts hold only the lines that are pointed at, cut to the width of the terminal. A place of several lines is shown by its
//! first line, so that one diagnostic never fills a screen.

use std::collections::BTreeMap;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{
    Annotation, AnnotationKind, Element, Group, Level, Origin, Patch, Renderer, Snippet,
};

use super::{Report, Style};
use crate::diag::{Applicability, Diagnostic, Edit, Fix, Label, Severity};
use crate::source::{FileId, Range, SourceFile, Sources};

/// All findings, catalog by catalog.
pub fn report(report: &Report<'_>) -> String {
    let catalogs = report.catalogs.iter();
    catalogs.map(|each| render(each.diagnostics, each.sources, report.style)).collect()
}

/// All diagnostics, each followed by a blank line; the last diagnostic of each rule says where to read more.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, style: Style) -> String {
    let base = if style.color { Renderer::styled() } else { Renderer::plain() };
    let decor = if style.unicode { DecorStyle::Unicode } else { DecorStyle::Ascii };
    let renderer = base.decor_style(decor).term_width(style.width);
    let last: BTreeMap<&str, usize> = diagnostics
        .iter()
        .enumerate()
        .map(|(index, diagnostic)| (diagnostic.rule.slug, index))
        .collect();
    let mut text = String::new();
    for (index, diagnostic) in diagnostics.iter().enumerate() {
        let is_last = last.get(diagnostic.rule.slug) == Some(&index);
        let hint = if is_last { Hint::Explain } else { Hint::None };
        text.push_str(&renderer.render(&groups(diagnostic, sources, hint)));
        text.push_str("\n\n");
    }
    text
}

/// Whether a diagnostic says where to read more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hint {
    None,
    Explain,
}

/// Lines between two places beyond which they get excerpts of their own.
const EXCERPT_LINES_MAX: u32 = 200;

/// Bytes of an excerpt beyond which only the place is named: lines of such length are not for people.
const EXCERPT_BYTES_MAX: u32 = 64 * 1024;

/// Edits of a fix that are shown.
const EDITS_SHOWN_MAX: usize = 4;

fn groups<'s>(diagnostic: &'s Diagnostic, sources: &'s Sources, hint: Hint) -> Vec<Group<'s>> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(&diagnostic.message).id(diagnostic.rule.slug);
    let mut main = title.elements(places(diagnostic, sources));
    for note in &diagnostic.notes {
        main = main.element(Level::NOTE.message(note));
    }
    let fix = diagnostic.fix.as_ref();
    let said = fix.map(|fix| fix.message.as_str());
    if let Some(help) = diagnostic.help.as_deref().filter(|help| said != Some(*help)) {
        main = main.element(Level::HELP.message(help));
    }
    if hint == Hint::Explain {
        let words = format!("`tidegate explain {}` says more", diagnostic.rule.slug);
        main = main.element(Level::NOTE.message(words));
    }
    std::iter::once(main).chain(fix.map(|fix| fix_group(fix, sources))).collect()
}

/// The excerpts of a diagnostic: the file of the primary place first.
fn places<'s>(diagnostic: &'s Diagnostic, sources: &'s Sources) -> Vec<Element<'s>> {
    let primary = std::iter::once((AnnotationKind::Primary, &diagnostic.primary));
    let others = diagnostic.others.iter().map(|label| (AnnotationKind::Context, label));
    let mut labels: Vec<(AnnotationKind, &Label)> = primary.chain(others).collect();
    let first = diagnostic.primary.span.file;
    labels.sort_by_key(|(_, label)| (label.span.file != first, label.span.file, label.span.range));
    let mut elements = Vec::new();
    for in_file in labels.chunk_by(|left, right| left.1.span.file == right.1.span.file) {
        let Some((_, label)) = in_file.first() else { continue };
        let file = sources.file(label.span.file);
        if !file.has_places() {
            continue;
        }
        let is_near = |left: &(AnnotationKind, &Label), right: &(AnnotationKind, &Label)| {
            line_of(file, right.1.span.range.start)
                <= line_of(file, left.1.span.range.start) + EXCERPT_LINES_MAX
        };
        for near in in_file.chunk_by(is_near) {
            elements.extend(excerpt(file, near));
        }
    }
    elements
}

/// The lines of a file that labels point at, one after the other.
fn excerpt<'s>(file: &'s SourceFile, labels: &[(AnnotationKind, &'s Label)]) -> Vec<Element<'s>> {
    let Some((_, first)) = labels.first() else { return Vec::new() };
    let primary = labels.iter().find(|(kind, _)| *kind == AnnotationKind::Primary);
    let shown = primary.map_or(*first, |(_, label)| label);
    let ranges: Vec<Range> = labels.iter().map(|(_, label)| one_line(file, label)).collect();
    let Some(window) = window(file, &ranges) else {
        let origin = origin(file, shown.span.range.start);
        let messages = labels.iter().filter(|(_, label)| !label.text.is_empty());
        let messages = messages.map(|(_, label)| Level::NOTE.message(&label.text).into());
        return std::iter::once(origin.into()).chain(messages).collect();
    };
    let annotations = labels.iter().zip(&ranges).map(|((kind, label), range)| {
        let text = (!label.text.is_empty()).then_some(label.text.as_str());
        annotation(*kind, window.inside(*range), text)
    });
    let snippet = Snippet::source(window.text)
        .line_start(window.line as usize)
        .annotations(annotations.collect::<Vec<_>>());
    vec![snippet.path(file.name.as_str()).into()]
}

fn annotation<'s>(
    kind: AnnotationKind,
    range: std::ops::Range<usize>,
    text: Option<&'s str>,
) -> Annotation<'s> {
    kind.span(range).label(text)
}

/// A part of a file that is shown.
struct Window<'s> {
    text: &'s str,
    start: u32,
    /// The number of its first line.
    line: u32,
}

impl Window<'_> {
    /// A range of the file as one of the window.
    fn inside(&self, range: Range) -> std::ops::Range<usize> {
        let end = self.text.len();
        let start = (range.start.saturating_sub(self.start) as usize).min(end);
        start..(range.end.saturating_sub(self.start) as usize).clamp(start, end)
    }
}

/// The lines of some ranges; nothing when there is no text, or too much.
fn window<'s>(file: &'s SourceFile, ranges: &[Range]) -> Option<Window<'s>> {
    let start = ranges.iter().map(|range| range.start).min()?;
    let end = ranges.iter().map(|range| range.end).max()?;
    let line = line_of(file, start);
    let shown = Range::new(
        file.lines.line_range(&file.text, line).start,
        file.lines.line_range(&file.text, line_of(file, end)).end,
    );
    let is_shown = !file.text.is_empty() && shown.end - shown.start <= EXCERPT_BYTES_MAX;
    let text = file.text.get(shown.as_usize()).filter(|_| is_shown)?;
    Some(Window { text, start: shown.start, line })
}

/// The bytes of a label on its first line.
fn one_line(file: &SourceFile, label: &Label) -> Range {
    let range = label.span.range;
    let line = file.lines.line_range(&file.text, line_of(file, range.start));
    Range::new(range.start, range.end.min(line.end).max(range.start))
}

fn line_of(file: &SourceFile, offset: u32) -> u32 {
    file.lines.position(&file.text, offset, crate::source::ColumnUnit::Utf8).line
}

fn origin(file: &SourceFile, offset: u32) -> Origin<'_> {
    let unit = crate::source::ColumnUnit::CodePoint;
    let position = file.lines.position(&file.text, offset, unit);
    Origin::path(file.name.as_str())
        .line(position.line as usize)
        .char_column(position.column as usize)
}

/// A fix as a patch, with the word that says whether it is applied unseen.
fn fix_group<'s>(fix: &'s Fix, sources: &'s Sources) -> Group<'s> {
    let word = match fix.applicability {
        Applicability::Safe => "safe",
        Applicability::Unsafe => "unsafe",
    };
    let title = Level::HELP.secondary_title(format!("{} [fix: {word}]", fix.message));
    let mut group = Group::with_title(title);
    let mut by_file: BTreeMap<FileId, Vec<&Edit>> = BTreeMap::new();
    for edit in fix.edits.iter().take(EDITS_SHOWN_MAX) {
        by_file.entry(edit.span.file).or_default().push(edit);
    }
    for (file, edits) in by_file {
        let file = sources.file(file);
        let ranges: Vec<Range> = edits.iter().map(|edit| edit.span.range).collect();
        let Some(window) = window(file, &ranges) else { continue };
        let patches =
            edits.iter().map(|edit| Patch::new(window.inside(edit.span.range), edit.text.as_str()));
        let snippet = Snippet::source(window.text)
            .path(file.name.as_str())
            .line_start(window.line as usize)
            .patches(patches.collect::<Vec<_>>());
        group = group.element(snippet);
    }
    match fix.edits.len().saturating_sub(EDITS_SHOWN_MAX) {
        0 => group,
        more => group.element(Level::NOTE.message(format!("and {more} more places"))),
    }
}
