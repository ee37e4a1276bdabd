//! Comments that allow a warning: `# tidegate: allow RULE -- reason`, in SQL with `--` and in TypeScript with `//` at the beginning.
//!
//! A comment after something speaks of its own line, one on a line of its own of the next line that holds more than a comment.
//! Only warnings can be allowed. An allowance that allows nothing is reported, unless errors keep some checks from running.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::{Diagnostic, Fix, Severity, Sink, nearest, rules};
use crate::source::{ColumnUnit, FileId, Range, Role, SourceFile, Sources, Span};

const PREFIX: &str = "tidegate:";
const SQL_PREFIX: &str = "-- tidegate:";
const SCRIPT_PREFIX: &str = "// tidegate:";

/// A comment that allows a warning.
struct Allowance<'s> {
    /// The rule's slug.
    slug: &'s str,
    /// The comment.
    span: Span,
    /// The line it speaks of.
    line: u32,
}

impl Sink {
    /// Removes the warnings that comments allow, and reports comments that are not understood or allow nothing.
    pub(crate) fn apply_allowances(&mut self, sources: &Sources) {
        let mut allowances: BTreeMap<&Url, Vec<Allowance<'_>>> = BTreeMap::new();
        for (id, file) in sources.files() {
            // A file that is used in two roles has the same comments in both.
            if !allowances.contains_key(&file.url) {
                allowances.insert(&file.url, allowances_of(id, file, self));
            }
        }
        if allowances.values().all(Vec::is_empty) {
            return;
        }
        let mut used = BTreeSet::new();
        self.diagnostics.retain(|diagnostic| {
            let place = diagnostic.primary.span;
            let line = sources.position(place).line;
            let in_file = allowances.get(&sources.file(place.file).url);
            let allowance = in_file.into_iter().flatten().find(|allowance| {
                allowance.slug == diagnostic.rule.slug
                    && allowance.line == line
                    && diagnostic.severity == Severity::Warning
            });
            used.extend(allowance.map(|allowance| allowance.span));
            allowance.is_none()
        });
        if self.has_errors() {
            return;
        }
        let unused = allowances.values().flatten().filter(|each| !used.contains(&each.span));
        for allowance in unused {
            self.report(unused_allowance(allowance, sources.file(allowance.span.file)));
        }
    }
}

/// The allowances of a file; what is wrong with them is reported.
fn allowances_of<'s>(id: FileId, file: &'s SourceFile, sink: &mut Sink) -> Vec<Allowance<'s>> {
    let comments = file.tree.as_ref().map_or(&[][..], |tree| &tree.comments);
    let mut allowances = Vec::new();
    for range in comments.iter().copied().chain(comments_of_code(file)) {
        let comment = file.text.get(range.as_usize()).unwrap_or_default();
        let words = comment.trim_start_matches(['#', '-', '/']).trim_start();
        let Some(said) = words.strip_prefix(PREFIX) else { continue };
        let span = range.in_file(id);
        match rule_named_by(said, comment, span) {
            Ok(slug) => allowances.push(Allowance { slug, span, line: line_meant(file, range) }),
            Err(diagnostic) => sink.report(*diagnostic),
        }
    }
    allowances
}

/// Comments of code that say something to us: of a file of SQL, of a module, and of lambdas, migrations and modules in a
/// catalog.
fn comments_of_code(file: &SourceFile) -> Vec<Range> {
    let is_catalog = file.role == Role::Catalog;
    let languages = [
        (SQL_PREFIX, is_catalog || file.name.ends_with(".sql")),
        (SCRIPT_PREFIX, is_catalog || file.role == Role::Module),
    ];
    let spoken =
        languages.iter().filter(|(prefix, is_spoken)| *is_spoken && file.text.contains(prefix));
    spoken.flat_map(|(prefix, _)| comments_of_language(file, prefix)).collect()
}

/// Comments of a language that begin with `prefix`.
fn comments_of_language(file: &SourceFile, prefix: &str) -> Vec<Range> {
    let comments = file.tree.as_ref().map_or(&[][..], |tree| &tree.comments);
    let is_in_comment = |offset: u32| {
        comments.iter().any(|comment| comment.start <= offset && offset < comment.end)
    };
    let offset = |value| u32::try_from(value).unwrap_or(u32::MAX);
    let found = file.text.match_indices(prefix).map(|(start, _)| {
        let rest = file.text.get(start..).unwrap_or_default();
        let length = rest.lines().next().map_or(0, |line| line.trim_end().len());
        Range::new(offset(start), offset(start + length))
    });
    found.filter(|range| !is_in_comment(range.start)).collect()
}

/// The rule that a comment allows, or why it allows none.
fn rule_named_by<'s>(said: &'s str, comment: &str, span: Span) -> Result<&'s str, Box<Diagnostic>> {
    let named = said.trim().strip_prefix("allow ").map(str::trim).unwrap_or_default();
    let (slug, reason) = named.split_once("--").unwrap_or((named, ""));
    let slug = slug.trim();
    if slug.is_empty() || slug.contains(char::is_whitespace) {
        return Err(Box::new(malformed_allowance(span)));
    }
    let at = comment.find(slug).unwrap_or_default();
    let start = span.range.start + u32::try_from(at).unwrap_or(u32::MAX);
    let end = start + u32::try_from(slug.len()).unwrap_or(u32::MAX);
    let place = Range::new(start, end).in_file(span.file);
    let Some(rule) = rules::by_slug(slug) else {
        return Err(Box::new(unknown_rule(slug, place)));
    };
    if rule.severity == Severity::Error {
        return Err(Box::new(error_allowed(slug, place)));
    }
    if reason.trim().is_empty() {
        return Err(Box::new(no_reason(slug, place)));
    }
    Ok(slug)
}

/// The line that a comment speaks of.
fn line_meant(file: &SourceFile, comment: Range) -> u32 {
    let own = file.lines.position(&file.text, comment.start, ColumnUnit::Utf8).line;
    if !stands_alone(file, own, comment) {
        return own;
    }
    let below = file.text.get(comment.end as usize..).unwrap_or_default().lines().skip(1);
    let is_more = |line: &str| {
        let line = line.trim_start();
        !line.is_empty() && !["#", "--", "//"].iter().any(|sign| line.starts_with(sign))
    };
    let distance = (1..).zip(below).find(|(_, line)| is_more(line)).map_or(0, |(count, _)| count);
    own + distance
}

/// Whether nothing but blanks stands before a comment on its line.
fn stands_alone(file: &SourceFile, line: u32, comment: Range) -> bool {
    let start = file.lines.line_range(&file.text, line).start as usize;
    file.text.get(start..comment.start as usize).unwrap_or_default().trim().is_empty()
}

/// The bytes that go when a comment is removed: its line when it stands alone, else the blanks before it too.
fn removed_with(file: &SourceFile, comment: Range) -> Range {
    let line = file.lines.position(&file.text, comment.start, ColumnUnit::Utf8).line;
    let whole = file.lines.line_range(&file.text, line);
    if stands_alone(file, line, comment) {
        let next = file.lines.line_range(&file.text, line + 1).start;
        return Range::new(whole.start, next.max(comment.end));
    }
    let before = file.text.get(whole.start as usize..comment.start as usize).unwrap_or_default();
    let kept = u32::try_from(before.trim_end().len()).unwrap_or(u32::MAX);
    Range::new(whole.start + kept, comment.end)
}

fn unused_allowance(allowance: &Allowance<'_>, file: &SourceFile) -> Diagnostic {
    let Allowance { slug, span, line } = allowance;
    let removed = removed_with(file, span.range).in_file(span.file);
    Diagnostic::new(
        &rules::UNUSED_ALLOWANCE,
        *span,
        format!("there is no warning `{slug}` on line {line}"),
    )
    .label("this comment allows nothing")
    .fix(Fix::replace(removed, "", "remove the comment"))
}

fn malformed_allowance(span: Span) -> Diagnostic {
    Diagnostic::new(
        &rules::MALFORMED_ALLOWANCE,
        span,
        "the comment says `tidegate:`, but not what to allow",
    )
    .label("it allows nothing")
    .help("write `# tidegate: allow RULE -- reason`")
}

fn unknown_rule(slug: &str, place: Span) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(&rules::MALFORMED_ALLOWANCE, place, format!("there is no rule `{slug}`"))
            .label("the comment allows nothing");
    let warnings = rules::ALL.iter().filter(|rule| rule.severity == Severity::Warning);
    match nearest(slug, warnings.map(|rule| rule.slug)) {
        Some(near) => diagnostic.fix(Fix::replace(place, near, format!("write `{near}`"))),
        None => diagnostic.help("name a rule that `tidegate explain` lists as a warning"),
    }
}

fn error_allowed(slug: &str, place: Span) -> Diagnostic {
    Diagnostic::new(
        &rules::MALFORMED_ALLOWANCE,
        place,
        format!("`{slug}` is an error, and only warnings can be allowed"),
    )
    .label("the comment allows nothing")
    .help("correct the error, and remove the comment")
}

fn no_reason(slug: &str, place: Span) -> Diagnostic {
    Diagnostic::new(
        &rules::MALFORMED_ALLOWANCE,
        place,
        format!("the comment does not say why `{slug}` is allowed"),
    )
    .label("it allows nothing without a reason")
    .help(format!("write `# tidegate: allow {slug} -- reason`"))
}
