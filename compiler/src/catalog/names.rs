//! The rules of names: their form, and that two of them are not one.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::UnicodeNormalization as _;

use super::Place;
use crate::diag::{Diagnostic, Sink, rules};
use crate::limits::NAME_SIZE_BYTES_MAX;
use crate::source::{Sources, Span};

/// A declared name.
#[derive(Debug, Clone)]
pub(super) struct Declared {
    pub(super) kind: DeclaredKind,
    pub(super) name: String,
    pub(super) span: Span,
    /// The `true` of its `delete`.
    pub(super) deletion: Option<Span>,
    pub(super) place: Place,
    /// Whether it takes part; of two declarations of one kind and name only the first does.
    pub(super) is_kept: bool,
}

/// What a name is declared for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeclaredKind {
    Capture,
    Collection,
    Materialization,
    Test,
}

impl DeclaredKind {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Collection => "collection",
            Self::Materialization => "materialization",
            Self::Test => "test",
        }
    }
}

/// Letters, numbers, `-`, `_` and `.`.
static TOKEN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[\p{Letter}\p{Number}\-_.]+").expect("the pattern is valid"));

/// Tokens with a slash between each two.
static NAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[\p{Letter}\p{Number}\-_.]+(/[\p{Letter}\p{Number}\-_.]+)*")
        .expect("the pattern is valid")
});

/// Like a pointer without its first slash.
static FIELD: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("([^/~]|~[01])+(/([^/~]|~[01])+)*").expect("the pattern is valid"));

/// Two names that are equal in this form are one name to file systems and tables.
pub(crate) fn collate(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    let decomposed: String = name.nfd().collect();
    caseless::default_case_fold_str(&decomposed).nfkc().collect()
}

/// Checks the names of all declarations, given in order of discovery.
pub(super) fn check(declared: &mut [Declared], sources: &Sources, sink: &mut Sink) {
    let mut first_of: BTreeMap<String, usize> = BTreeMap::new();
    let mut well_formed = Vec::new();
    for index in 0..declared.len() {
        let Some(declaration) = declared.get(index) else { continue };
        let kind = declaration.kind.word();
        let subject = NameSubject { noun: kind, span: declaration.span, name: &declaration.name };
        let is_well_formed = check_form(subject, NameForm::Path, sources, sink);
        let first = *first_of.entry(collate(&declaration.name)).or_insert(index);
        if first == index {
            if is_well_formed {
                well_formed.push(index);
            }
            continue;
        }
        let Some(earlier) = declared.get(first) else { continue };
        // What is wrong with the name of the earlier one has been told.
        if is_well_formed && well_formed.binary_search(&first).is_ok() {
            sink.report(if earlier.name == declaration.name {
                duplicate_name(subject, NameSubject::of(earlier))
            } else {
                colliding_names(subject, NameSubject::of(earlier))
            });
        }
        let is_kept = earlier.name != declaration.name || earlier.kind != declaration.kind;
        if let Some(declaration) = declared.get_mut(index) {
            declaration.is_kept = is_kept;
        }
    }
    check_prefixes(well_formed.iter().filter_map(|index| declared.get(*index)), sink);
}

/// A collection owns its directory alone.
fn check_prefixes<'d>(declared: impl Iterator<Item = &'d Declared> + Clone, sink: &mut Sink) {
    let collections = || {
        declared.clone().filter(|declaration| {
            declaration.kind == DeclaredKind::Collection && declaration.deletion.is_none()
        })
    };
    let by_name: BTreeMap<&str, &Declared> =
        collections().map(|declaration| (declaration.name.as_str(), declaration)).collect();
    for declaration in collections() {
        let shorter = declaration.name.match_indices('/').find_map(|(end, _)| {
            declaration.name.get(..end).and_then(|prefix| by_name.get(prefix))
        });
        if let Some(shorter) = shorter {
            sink.report(name_is_prefix(declaration, shorter));
        }
    }
}

/// A name, what it is the name of, and its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NameSubject<'n> {
    /// What it names, without article.
    pub(crate) noun: &'n str,
    /// Its place.
    pub(crate) span: Span,
    /// The name.
    pub(crate) name: &'n str,
}

impl<'n> NameSubject<'n> {
    fn of(declared: &'n Declared) -> Self {
        Self { noun: declared.kind.word(), span: declared.span, name: &declared.name }
    }
}

/// What a name looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameForm {
    /// Tokens with a slash between each two.
    Path,
    /// One token.
    Token,
    /// Anything that is a pointer with a slash before it.
    Field,
}

/// Reports a name that does not have its form; whether it has.
pub(crate) fn check_form(
    subject: NameSubject<'_>,
    form: NameForm,
    sources: &Sources,
    sink: &mut Sink,
) -> bool {
    if let Some(unmatched) = unmatched(form, subject.name) {
        sink.report(bad_name(subject, form, unmatched, sources));
        return false;
    }
    if form == NameForm::Field {
        return true;
    }
    let mut begin = 0;
    for component in subject.name.split('/') {
        if component == "." || component == ".." {
            sink.report(reserved_name(subject, begin..begin + component.len(), sources));
            return false;
        }
        begin += component.len() + 1;
    }
    let size_bytes = subject.name.len() + 2 * subject.name.matches('/').count();
    if size_bytes > NAME_SIZE_BYTES_MAX {
        sink.report(name_too_long(subject, size_bytes));
        return false;
    }
    true
}

/// Whether a text has the form of the name of a collection.
pub(crate) fn is_collection_name(text: &str) -> bool {
    let is_reserved = text.split('/').any(|component| matches!(component, "." | ".."));
    unmatched(NameForm::Path, text).is_none() && !is_reserved
}

/// The part of a name that its form does not allow: what precedes what it allows, else what follows it.
fn unmatched(form: NameForm, name: &str) -> Option<Range<usize>> {
    if is_plain(form, name) {
        return None;
    }
    let pattern = match form {
        NameForm::Path => &*NAME,
        NameForm::Token => &*TOKEN,
        NameForm::Field => &*FIELD,
    };
    match pattern.find(name) {
        None => Some(0..name.len()),
        Some(found) if found.start() > 0 => Some(0..found.start()),
        Some(found) if found.end() < name.len() => Some(found.end()..name.len()),
        Some(_) => None,
    }
}

/// Whether a name consists of letters, numbers and signs of ASCII only and has its form, as nearly all names do: to compile a pattern
/// over all of Unicode takes longer than to check a thousand names.
fn is_plain(form: NameForm, name: &str) -> bool {
    let is_token = |token: &str| {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        !token.is_empty() && token.bytes().all(is_part)
    };
    match form {
        NameForm::Token => is_token(name),
        NameForm::Path | NameForm::Field => name.split('/').all(is_token),
    }
}

/// The bytes of a part of a name in its source, when the source shows the name as it is; else all of it.
pub(crate) fn part(sources: &Sources, span: Span, name: &str, part: Range<usize>) -> Span {
    if sources.text(span) != name {
        return span;
    }
    let (Ok(start), Ok(end)) = (u32::try_from(part.start), u32::try_from(part.end)) else {
        return span;
    };
    let begin = span.range.start;
    crate::source::Range::new(begin + start, begin + end).in_file(span.file)
}

fn bad_name(
    subject: NameSubject<'_>,
    form: NameForm,
    unmatched: Range<usize>,
    sources: &Sources,
) -> Diagnostic {
    let NameSubject { noun, span, name } = subject;
    let wrong = name.get(unmatched.clone()).unwrap_or_default();
    let allowed = match form {
        NameForm::Path => {
            "use letters, numbers, `-`, `_` and `.`, with single slashes between the components"
        }
        NameForm::Token => "use letters, numbers, `-`, `_` and `.`",
        NameForm::Field => "write `~0` for `~`, and no slash at either end",
    };
    if name.is_empty() {
        return Diagnostic::new(&rules::BAD_NAME, span, format!("a {noun} has no name"))
            .label("this is empty")
            .help(allowed);
    }
    let label = match wrong {
        wrong if wrong.starts_with(char::is_whitespace) => {
            "a blank cannot be part of it".to_owned()
        }
        wrong if wrong.starts_with('/') && form == NameForm::Token => {
            "a slash cannot be part of it".to_owned()
        }
        wrong if wrong.starts_with('/') => "a slash stands only between two components".to_owned(),
        wrong => format!("`{wrong}` cannot be part of it"),
    };
    let message = format!("`{name}` cannot be the name of a {noun}");
    Diagnostic::new(&rules::BAD_NAME, part(sources, span, name, unmatched), message)
        .label(label)
        .help(allowed)
}

fn reserved_name(
    subject: NameSubject<'_>,
    component: Range<usize>,
    sources: &Sources,
) -> Diagnostic {
    let NameSubject { noun, span, name } = subject;
    let wrong = name.get(component.clone()).unwrap_or_default();
    let message = format!("`{name}` cannot be the name of a {noun}");
    Diagnostic::new(&rules::RESERVED_NAME, part(sources, span, name, component), message)
        .label(format!("names become paths, and there `{wrong}` is another directory"))
        .help("give the component another name")
}

fn name_too_long(subject: NameSubject<'_>, size_bytes: usize) -> Diagnostic {
    let NameSubject { noun, span, .. } = subject;
    let message = format!("the name of this {noun} is longer than {NAME_SIZE_BYTES_MAX} bytes");
    Diagnostic::new(&rules::NAME_TOO_LONG, span, message)
        .label(format!("names become file names, and there this one takes {size_bytes} bytes"))
        .help("shorten the name")
}

/// One name of two things.
pub(crate) fn duplicate_name(later: NameSubject<'_>, earlier: NameSubject<'_>) -> Diagnostic {
    let NameSubject { noun, span, name } = later;
    let message = if noun == earlier.noun {
        format!("{noun} `{name}` is defined twice")
    } else {
        format!("`{name}` names a {} and a {noun}", earlier.noun)
    };
    Diagnostic::new(&rules::DUPLICATE_NAME, span, message)
        .label("defined again here")
        .also(earlier.span, format!("the {} is first defined here", earlier.noun))
        .help("rename one of them, or remove it")
}

/// Two names that are one to file systems and tables.
pub(crate) fn colliding_names(later: NameSubject<'_>, earlier: NameSubject<'_>) -> Diagnostic {
    let message = format!("`{}` and `{}` are too similar", later.name, earlier.name);
    Diagnostic::new(&rules::COLLIDING_NAMES, later.span, message)
        .label(format!("without regard to case this {} has the name of another", later.noun))
        .also(earlier.span, format!("the other {} is here", earlier.noun))
        .help("rename one of them")
}

fn name_is_prefix(longer: &Declared, shorter: &Declared) -> Diagnostic {
    let message = format!("collection `{}` lies inside `{}`", longer.name, shorter.name);
    Diagnostic::new(&rules::NAME_IS_PREFIX, longer.span, message)
        .label("its directory would be inside that of the other collection")
        .also(shorter.span, "whose name is the beginning of its name")
        .help("rename one of them")
}
