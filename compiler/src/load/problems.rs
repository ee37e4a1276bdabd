//! Mistakes of syntax and of binding as diagnostics: one constructor per rule, where its words are chosen.

use crate::diag::{Diagnostic, Edit, Fix, Sink, rules};
use crate::model::{
    BindProblem, BindProblemKind, FieldKind, LegacyField, LegacyKind, bind, tables,
};
use crate::source::{FileId, Range, SourceFile, Span};
use crate::syntax::{ParseOptions, SyntaxProblem, SyntaxProblemKind, Tree, parse};

/// Reports what parsing and binding found in a file.
///
/// Where a mistake of syntax has cost text, what seems to be missing is not reported: it may have been there.
pub(super) fn report_problems(file: FileId, source: &SourceFile, sink: &mut Sink) {
    let Some(tree) = &source.tree else { return };
    for problem in &tree.problems {
        sink.report(syntax_problem(file, source, problem));
    }
    let losses = losses(source, tree);
    for problem in source.specs.iter().flat_map(|specs| &specs.problems) {
        if is_sure(problem, losses) {
            sink.report(bind_problem(file, source, problem));
        }
    }
}

/// What mistakes of syntax have cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Losses {
    Nothing,
    /// Some lines.
    Text,
    /// The nesting of lines.
    Structure,
}

fn losses(source: &SourceFile, tree: &Tree) -> Losses {
    let is_tab = |problem: &SyntaxProblem| problem.kind == SyntaxProblemKind::TabIndentation;
    if tree.problems.iter().any(is_tab) {
        Losses::Structure
    } else if source.is_whole() {
        Losses::Nothing
    } else {
        Losses::Text
    }
}

fn is_sure(problem: &BindProblem, losses: Losses) -> bool {
    match (&problem.kind, losses) {
        (_, Losses::Structure)
        | (BindProblemKind::MissingFields { .. }, Losses::Text)
        | (BindProblemKind::Choice { found: 0, .. }, Losses::Text) => false,
        (BindProblemKind::WrongType { found, .. }, Losses::Text) => found != "nothing",
        (
            BindProblemKind::UnknownField { .. }
            | BindProblemKind::WrongType { .. }
            | BindProblemKind::MissingFields { .. }
            | BindProblemKind::RepeatedField { .. }
            | BindProblemKind::Choice { .. }
            | BindProblemKind::LegacyField(_)
            | BindProblemKind::LegacyForm { .. }
            | BindProblemKind::StorageMappings
            | BindProblemKind::MissingColon { .. }
            | BindProblemKind::MisplacedDerive { .. },
            Losses::Nothing | Losses::Text,
        ) => true,
    }
}

fn syntax_problem(file: FileId, source: &SourceFile, problem: &SyntaxProblem) -> Diagnostic {
    let rule = match problem.kind {
        SyntaxProblemKind::Malformed => &rules::SYNTAX_ERROR,
        SyntaxProblemKind::TabIndentation => &rules::TAB_INDENTATION,
        SyntaxProblemKind::DuplicateKey => &rules::DUPLICATE_KEY,
        SyntaxProblemKind::UnknownAlias => &rules::UNKNOWN_ALIAS,
        SyntaxProblemKind::BadMergeKey => &rules::BAD_MERGE_KEY,
        SyntaxProblemKind::ComplexKey => &rules::COMPLEX_KEY,
        SyntaxProblemKind::TooDeep => &rules::TOO_DEEP,
    };
    let diagnostic = Diagnostic::new(rule, problem.range.in_file(file), problem.message.clone());
    let diagnostic = match &problem.other {
        Some((range, text)) => diagnostic.also(range.in_file(file), text.clone()),
        None => diagnostic,
    };
    match problem.kind {
        SyntaxProblemKind::TabIndentation => diagnostic
            .help("indent with blanks only")
            .fix(spaces_for_tabs(file, &source.text).map(Fix::unsafe_to_apply)),
        SyntaxProblemKind::DuplicateKey => diagnostic.help("remove or rename one of the two"),
        SyntaxProblemKind::UnknownAlias => {
            diagnostic.help("define the anchor above, or quote the text")
        }
        SyntaxProblemKind::BadMergeKey => diagnostic.help("merge an alias of a mapping"),
        SyntaxProblemKind::ComplexKey => diagnostic.help("write the key as a text"),
        SyntaxProblemKind::TooDeep => diagnostic.help("nest less, or repeat less by aliases"),
        SyntaxProblemKind::Malformed => diagnostic
            .label("the text goes wrong here")
            .help("correct the text; what follows may depend on it"),
    }
}

/// Blanks for every tab of indentation, in the whole file: of the widths that tabs usually have, the one with which the file makes
/// most sense.
fn spaces_for_tabs(file: FileId, text: &str) -> Option<Fix> {
    let nonsense = |width: &usize| {
        let mut repaired = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let (indent, rest) = line.split_at(indent_of(line));
            repaired.push_str(&indent.replace('\t', &" ".repeat(*width)));
            repaired.push_str(rest);
        }
        let tree = parse(&repaired, ParseOptions { merge_keys: true });
        tree.problems.len() + bind(&tree).problems.len()
    };
    let width = TAB_WIDTHS.into_iter().min_by_key(nonsense)?;
    let blanks_of_tab = " ".repeat(width);
    let mut edits = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let indent = indent_of(line);
        let blanks = line.get(..indent).unwrap_or_default();
        if blanks.contains('\t') {
            let offset = |value| u32::try_from(value).unwrap_or(u32::MAX);
            let span = Range::new(offset(start), offset(start + indent)).in_file(file);
            edits.push(Edit { span, text: blanks.replace('\t', &blanks_of_tab) });
        }
        start += line.len();
    }
    let first = edits.first()?;
    let message = format!("replace each tab by {width} blanks");
    let mut fix = Fix::replace(first.span, first.text.clone(), message);
    fix.edits = edits;
    Some(fix)
}

/// Widths that tabs usually have, the most usual one first.
const TAB_WIDTHS: [usize; 3] = [2, 4, 8];

/// The bytes of blanks and tabs at the beginning of a line.
fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

fn bind_problem(file: FileId, source: &SourceFile, problem: &BindProblem) -> Diagnostic {
    let span = problem.range.in_file(file);
    match &problem.kind {
        BindProblemKind::UnknownField { field, noun, nearest } => {
            unknown_field(span, field, noun, *nearest)
        }
        BindProblemKind::WrongType { field, expected, found, replacement } => {
            let is_number = source
                .text
                .get(problem.range.as_usize())
                .is_some_and(|text| text.starts_with(|first: char| first.is_ascii_digit()));
            wrong_type(span, field, expected, found, replacement.as_deref(), is_number)
        }
        BindProblemKind::MissingFields { fields, noun } => missing_fields(span, fields, noun),
        BindProblemKind::RepeatedField { field, first } => {
            repeated_field(span, first.in_file(file), field)
        }
        BindProblemKind::Choice { noun, fields, found } => choice(span, noun, fields, *found),
        BindProblemKind::MissingColon { field } => missing_colon(span, field),
        BindProblemKind::LegacyField(legacy) => legacy_field(span, legacy),
        BindProblemKind::LegacyForm { field, advice } => legacy_form(span, field, advice),
        BindProblemKind::StorageMappings => storage_mappings(span),
        BindProblemKind::MisplacedDerive { block, collection } => {
            misplaced_derive(span, &source.text, *block, collection.as_ref())
        }
    }
}

fn unknown_field(span: Span, field: &str, noun: &str, nearest: Option<&str>) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(&rules::UNKNOWN_FIELD, span, format!("{noun} has no field `{field}`"));
    if let Some(nearest) = nearest {
        return diagnostic.label(format!("a similar field is `{nearest}`")).fix(Fix::replace(
            span,
            nearest,
            format!("write `{nearest}`"),
        ));
    }
    let table = tables().iter().find(|table| table.noun == noun);
    let names = table.map_or_else(Vec::new, |table| {
        table.fields.iter().map(|field| format!("`{}`", field.name)).collect()
    });
    diagnostic
        .label("the language has no such field here")
        .help("remove the field, or begin its name with `x-`")
        .note(format!("{noun} has {}", names.join(", ")))
}

fn wrong_type(
    span: Span,
    field: &str,
    expected: &str,
    found: &str,
    replacement: Option<&str>,
    is_number: bool,
) -> Diagnostic {
    let subject = match field {
        "" => "a catalog".to_owned(),
        words if words.contains('`') => words.to_owned(),
        name => format!("`{name}`"),
    };
    let diagnostic = Diagnostic::new(
        &rules::WRONG_TYPE,
        span,
        format!("{subject} must be {expected}, not {found}"),
    )
    .label(format!("expected {expected}"));
    if let Some(replacement) = replacement {
        return diagnostic.fix(Fix::replace(span, replacement, format!("write `{replacement}`")));
    }
    if is_number && expected == FieldKind::Duration.expectation() {
        return diagnostic.help("add a unit, as in `30s`, `5m` or `48h`");
    }
    diagnostic
}

fn missing_fields(span: Span, fields: &[&str], noun: &str) -> Diagnostic {
    let table = tables().iter().find(|table| table.noun == noun);
    let names: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
    let (names, verb) = (names.join(" and "), if fields.len() == 1 { "is" } else { "are" });
    let diagnostic = Diagnostic::new(&rules::MISSING_FIELD, span, format!("{noun} needs {names}"))
        .label(format!("{names} {verb} missing here"))
        .help(format!("add {names}"));
    fields.iter().filter_map(|name| table?.field(name)).fold(diagnostic, |diagnostic, field| {
        diagnostic.note(format!("`{}`: {}", field.name, field.docs))
    })
}

fn repeated_field(span: Span, first: Span, field: &str) -> Diagnostic {
    Diagnostic::new(&rules::DUPLICATE_KEY, span, format!("the field `{field}` is given twice"))
        .label("this is another name of it")
        .also(first, "it is given here already")
        .help("remove one of the two")
}

fn choice(span: Span, noun: &str, fields: &[&str], found: usize) -> Diagnostic {
    let names: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
    let names = names.join(", ");
    if found == 0 {
        return Diagnostic::new(
            &rules::MISSING_FIELD,
            span,
            format!("{noun} needs one of {names}"),
        )
        .help("add one of them");
    }
    Diagnostic::new(&rules::WRONG_TYPE, span, format!("{noun} has only one of {names}"))
        .label("this is one too many")
        .help("remove one of them")
}

/// A key such as `schema {type`, which YAML takes as a key but nobody means as one.
fn missing_colon(span: Span, field: &str) -> Diagnostic {
    let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
    let end = span.range.start.saturating_add(length).min(span.range.end);
    let field_span = Range::new(span.range.start, end).in_file(span.file);
    let after = Range::new(end, end).in_file(span.file);
    Diagnostic::new(&rules::SYNTAX_ERROR, field_span, format!("`{field}` without `:`"))
        .label("its value follows")
        .fix(Fix::replace(after, ":", "add `:`"))
}

/// A field of the grammar of earlier years.
fn legacy_field(span: Span, legacy: &LegacyField) -> Diagnostic {
    let LegacyField { noun, field, kind, renamed, advice } = *legacy;
    match kind {
        LegacyKind::Ignored => Diagnostic::new(
            &rules::OBSOLETE_FIELD,
            span,
            format!("{noun} no longer needs `{field}`, and it is ignored"),
        )
        .label("this belongs to the grammar of earlier years")
        .help(advice),
        LegacyKind::Replaced => {
            let diagnostic = Diagnostic::new(
                &rules::LEGACY_GRAMMAR,
                span,
                format!("{noun} no longer has `{field}`"),
            )
            .label("this belongs to the grammar of earlier years");
            match renamed {
                Some(name) => diagnostic.fix(Fix::replace(span, name, advice)),
                None => diagnostic.help(advice),
            }
        }
    }
}

fn legacy_form(span: Span, field: &str, advice: &str) -> Diagnostic {
    let subject = if field.contains('`') { field.to_owned() } else { format!("`{field}`") };
    let message = format!("{subject} is written as in earlier years");
    Diagnostic::new(&rules::LEGACY_GRAMMAR, span, message)
        .label("the language has another form of it now")
        .help(advice)
}

fn storage_mappings(span: Span) -> Diagnostic {
    Diagnostic::new(&rules::STORAGE_MAPPINGS, span, "`storageMappings` of a catalog is ignored")
        .label("places of storage are not part of a catalog")
        .help("move it to the table `[storage]` of `tidegate.toml`")
}

fn misplaced_derive(
    span: Span,
    text: &str,
    block: Range,
    collection: Option<&(String, Range)>,
) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(&rules::MISPLACED_DERIVE, span, "`derive` stands beside collections")
            .label("here it would be a collection of that name");
    let Some((name, range)) = collection else {
        return diagnostic.help("indent it into the collection that it derives");
    };
    diagnostic
        .also(range.in_file(span.file), "the collection before it")
        .help(format!("indent it into `{name}`"))
        .fix(indent(span, text, block).unsafe_to_apply())
}

/// Two blanks before every line of a block that begins at `span`.
fn indent(span: Span, text: &str, block: Range) -> Fix {
    let offset = |value| u32::try_from(value).unwrap_or(u32::MAX);
    let mut fix = Fix::replace(
        Range::new(span.range.start, span.range.start).in_file(span.file),
        "  ",
        "indent the block",
    );
    let mut start = block.start as usize;
    for line in text.get(block.as_usize()).unwrap_or_default().split_inclusive('\n') {
        start += line.len();
        let is_blank = text.get(start..).is_none_or(|rest| rest.starts_with('\n'));
        if line.ends_with('\n') && !is_blank && start < block.end as usize {
            let span = Range::new(offset(start), offset(start)).in_file(span.file);
            fix.edits.push(Edit { span, text: "  ".to_owned() });
        }
    }
    fix
}
