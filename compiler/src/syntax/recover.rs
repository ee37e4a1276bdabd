//! Recovery from mistakes of syntax.
//!
//! The parser stops at the first mistake. So a line near it is blanked, at the same length, and the text is read again: of several
//! lines that may be at fault, the one without which the parser gets furthest is taken. All other bytes keep
//! their places.

use std::borrow::Cow;

use granit_parser::{ErrorKind, Event, Parser, StrInput};

use super::{SyntaxProblem, SyntaxProblemKind};
use crate::limits::{NESTING_DEPTH_MAX, SYNTAX_RECOVERIES_MAX};
use crate::source::Range;

/// A parser with the options that all readings share.
pub(super) fn parser(text: &str) -> Parser<'_, StrInput<'_>> {
    let options = granit_parser::options! {
        emit_unresolved_aliases: true,
        max_buffered_comment_events: usize::MAX,
        flow_nesting_limit: NESTING_DEPTH_MAX + 1,
        block_nesting_limit: NESTING_DEPTH_MAX + 1,
    };
    Parser::new_from_str_with_options(text, options)
}

/// The text without the lines at fault, and what was wrong with them.
pub(super) fn recover(text: &str) -> (Cow<'_, str>, Vec<SyntaxProblem>) {
    let mut problems: Vec<SyntaxProblem> = Vec::new();
    let mut current = Cow::Borrowed(text);
    for _ in 0..SYNTAX_RECOVERIES_MAX {
        let Some(fault) = read(&current).fault else { break };
        if fault.kind == ErrorKind::RecursionLimitExceeded {
            problems.push(too_deep(word_at(&current, fault.byte)));
            break;
        }
        let Some(repair) = best_repair(&current, &fault) else {
            problems.push(describe(&current, &fault, None));
            break;
        };
        let problem = describe(&current, &fault, Some(&repair));
        // One blank for a tab is a guess: what does not fit after it may fit once the tabs are gone.
        let is_after_tabs =
            problems.iter().any(|earlier| earlier.kind == SyntaxProblemKind::TabIndentation);
        if !is_after_tabs && problems.last().is_none_or(|last| !follows(&current, last, &problem)) {
            problems.push(problem);
        }
        current = Cow::Owned(repair.text);
    }
    (current, problems)
}

/// Nesting beyond the limit.
pub(super) fn too_deep(range: Range) -> SyntaxProblem {
    SyntaxProblem {
        kind: SyntaxProblemKind::TooDeep,
        range,
        message: format!("nested more than {NESTING_DEPTH_MAX} levels deep"),
        other: None,
    }
}

/// How far the parser gets.
#[derive(Debug)]
struct Reading {
    fault: Option<Fault>,
    /// The number of events before the fault.
    events: usize,
}

/// Where the parser stopped, and what it was in.
#[derive(Debug)]
struct Fault {
    kind: ErrorKind,
    byte: usize,
    /// Where the last event before it began.
    last_event: usize,
    /// The outermost bracket that is open.
    open: Option<usize>,
}

fn read(text: &str) -> Reading {
    let mut open: Vec<(usize, bool)> = Vec::new();
    let mut last_event = 0;
    let mut events = 0;
    for next in parser(text) {
        let (event, span) = match next {
            Ok(event) => event,
            Err(error) => {
                let byte = error.marker().byte_offset().unwrap_or(text.len());
                let byte = text.floor_char_boundary(byte);
                let kind = error.kind().clone();
                let open = open.into_iter().filter(|(_, is_flow)| *is_flow);
                let open = open.map(|(start, _)| start).next();
                return Reading { fault: Some(Fault { kind, byte, last_event, open }), events };
            }
        };
        events += 1;
        let bytes = span.byte_range().unwrap_or_default();
        let is_start = matches!(event, Event::SequenceStart(..) | Event::MappingStart(..));
        if is_start {
            open.push((bytes.start, !bytes.is_empty()));
        } else if matches!(event, Event::SequenceEnd | Event::MappingEnd) {
            open.pop();
        }
        if !bytes.is_empty() && !matches!(event, Event::Comment(..)) {
            last_event = bytes.start;
        }
    }
    Reading { fault: None, events }
}

/// A text in which the fault is gone, or further away.
#[derive(Debug)]
struct Repair {
    text: String,
    /// The bytes of the line that was blanked, without the blanks around it.
    line: Range,
}

fn best_repair(text: &str, fault: &Fault) -> Option<Repair> {
    let candidates = candidates(text, fault);
    let rated = candidates.into_iter().enumerate().map(|(order, repair)| {
        let reading = read(&repair.text);
        let reach = reading.fault.map_or(usize::MAX, |next| next.byte);
        ((reach, reading.events, std::cmp::Reverse(order)), repair)
    });
    rated.max_by_key(|(rating, _)| *rating).map(|(_, repair)| repair)
}

/// What may be repaired, the likeliest first.
fn candidates(text: &str, fault: &Fault) -> Vec<Repair> {
    let mut repairs = Vec::new();
    if is_about_tabs(&fault.kind) {
        let replaced = replace_tabs(text, fault.byte);
        let line = replaced.as_ref().map(|repair| line_of(text, repair.line.start as usize));
        repairs.extend(replaced);
        repairs.extend(line.and_then(|line| blank(text, line)));
    }
    if let Some(line) = key_without_colon(text, fault) {
        repairs.extend(blank(text, line));
        return repairs;
    }
    let error_line = line_of(text, fault.byte);
    let before = text.get(..error_line.start).unwrap_or_default().trim_end();
    let places = [
        Some(fault.byte),
        Some(fault.last_event),
        fault.open,
        (!before.is_empty()).then_some(before.len()),
    ];
    let mut lines: Vec<std::ops::Range<usize>> = Vec::new();
    for place in places.into_iter().flatten() {
        let line = line_of(text, place);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    repairs.extend(lines.into_iter().filter_map(|line| blank(text, line)));
    repairs
}

/// The line of a text that was read on into the key below it: a key that lacks its colon.
fn key_without_colon(text: &str, fault: &Fault) -> Option<std::ops::Range<usize>> {
    let line = line_of(text, fault.last_event);
    let is_above = line.end < line_of(text, fault.byte).start + 1;
    let before = text.get(line.start..fault.last_event)?;
    let is_first = before.trim_start_matches([' ', '-']).is_empty();
    let is_kind = fault.kind == ErrorKind::MappingValueNotAllowed;
    (is_kind && is_above && is_first && fault.open.is_none()).then_some(line)
}

/// The text with blanks instead of a line and the lines that are indented below it; nothing when the line is blank already.
fn blank(text: &str, line: std::ops::Range<usize>) -> Option<Repair> {
    let written = text.get(line.clone())?;
    if written.trim().is_empty() {
        return None;
    }
    let end = end_of_block(text, line.clone());
    let mut blanked = String::with_capacity(text.len());
    blanked.push_str(text.get(..line.start)?);
    blanked.extend(text.get(line.start..end)?.bytes().map(|byte| match byte {
        b'\n' => '\n',
        _ => ' ',
    }));
    blanked.push_str(text.get(end..)?);
    Some(Repair { text: blanked, line: trimmed(text, line) })
}

/// Where the lines end that are indented more than a line and follow it. Without it they would belong to something else.
fn end_of_block(text: &str, line: std::ops::Range<usize>) -> usize {
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let own = indent(text.get(line.clone()).unwrap_or_default());
    let mut end = line.end;
    let mut at = line.end;
    for next in text.get(line.end..).unwrap_or_default().split_inclusive('\n') {
        let shown = next.trim_end();
        if !shown.is_empty() {
            if indent(shown) <= own {
                break;
            }
            end = at + shown.len();
        }
        at += next.len();
    }
    end
}

/// The text with a blank for every tab in indentation, and the first such line from a place on.
fn replace_tabs(text: &str, from: usize) -> Option<Repair> {
    let mut first = None;
    let mut replaced = String::with_capacity(text.len());
    let from = line_of(text, from).start;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        let (blanks, rest) = line.split_at(indent);
        if blanks.contains('\t') && replaced.len() >= from && first.is_none() {
            let tab = replaced.len() + blanks.find('\t').unwrap_or(0);
            let tabs = blanks.trim_start_matches(' ').len();
            first = Some(range(tab, tab + tabs));
        }
        replaced.extend(std::iter::repeat_n(' ', indent));
        replaced.push_str(rest);
    }
    first.map(|line| Repair { text: replaced, line })
}

/// Whether a problem is on the line of another or on the next one, and so most likely its consequence.
fn follows(text: &str, earlier: &SyntaxProblem, later: &SyntaxProblem) -> bool {
    let low = earlier.range.start.min(later.range.start) as usize;
    let high = earlier.range.start.max(later.range.start) as usize;
    let between = text.get(low..high).unwrap_or_default();
    between.bytes().filter(|byte| *byte == b'\n').count() <= 1
}

fn describe(text: &str, fault: &Fault, repair: Option<&Repair>) -> SyntaxProblem {
    if is_about_tabs(&fault.kind) {
        let tabs = replace_tabs(text, fault.byte).map(|repair| repair.line);
        return SyntaxProblem {
            kind: SyntaxProblemKind::TabIndentation,
            range: tabs.unwrap_or_else(|| word_at(text, fault.byte)),
            message: "tabs cannot indent YAML".to_owned(),
            other: None,
        };
    }
    if let Some(problem) = unclosed(text, fault) {
        return problem;
    }
    let is_bracket = matches!(fault.kind, ErrorKind::UnclosedFlowCollection { .. });
    let here =
        if is_bracket { range(fault.byte, fault.byte + 1) } else { word_at(text, fault.byte) };
    let error_line = line_of(text, fault.byte);
    let culprit = repair.map(|repair| repair.line).filter(|line| {
        !error_line.contains(&(line.start as usize)) && line.start as usize != error_line.end
    });
    let other = culprit.map(|_| (here, "so this does not fit".to_owned()));
    let message = culprit.map_or_else(|| message(&fault.kind), |_| culprit_message(&fault.kind));
    SyntaxProblem {
        kind: SyntaxProblemKind::Malformed,
        range: culprit.unwrap_or(here),
        message,
        other,
    }
}

/// A bracket that is still open where a later line goes on, or where the text ends.
fn unclosed(text: &str, fault: &Fault) -> Option<SyntaxProblem> {
    let bracket = fault.open?;
    let opened = text.get(bracket..)?.chars().next().filter(|open| matches!(open, '[' | '{'))?;
    if line_of(text, bracket) == line_of(text, fault.byte) {
        return None;
    }
    let here = word_at(text, fault.byte);
    Some(SyntaxProblem {
        kind: SyntaxProblemKind::Malformed,
        range: range(bracket, bracket + 1),
        message: format!("`{opened}` is not closed"),
        other: (here.start < here.end).then(|| (here, "this is still inside of it".to_owned())),
    })
}

fn is_about_tabs(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::TabNotAllowed
            | ErrorKind::TabInBlockIndentation
            | ErrorKind::TabAtBlockScalarStart
            | ErrorKind::TabInIndentation
            | ErrorKind::TabInPlainScalar
    )
}

/// What is wrong when the line of the mistake itself is at fault.
#[expect(clippy::wildcard_enum_match_arm, reason = "rare mistakes share the parser's words")]
fn message(kind: &ErrorKind) -> String {
    let words = match kind {
        ErrorKind::UnclosedQuotedScalar => "this quote is not closed",
        ErrorKind::UnclosedFlowCollection { open } => return format!("`{open}` is not closed"),
        ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofImplicitFlowMapping => "a bracket is not closed",
        ErrorKind::ExpectedFlowSequenceSeparator => "expected `,` or `]`",
        ErrorKind::ExpectedFlowMappingSeparator => "expected `,` or `}`",
        ErrorKind::InvalidColonPlacement => "`:` does not fit into a list in brackets",
        ErrorKind::SimpleKeyExpected => "a key without `:`",
        ErrorKind::MappingValueNotAllowed => "`:` does not fit here",
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::InvalidIndentation
        | ErrorKind::ExpectedDocumentStart => "this line does not fit the lines above it",
        ErrorKind::BlockSequenceEntryNotAllowed | ErrorKind::BlockEntryInFlowCollection => {
            "`-` does not fit here"
        }
        ErrorKind::MisplacedFlowCollectionEnd => "this bracket closes nothing",
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            return format!("`{open}` is closed by `{close}`");
        }
        ErrorKind::UnexpectedCharacter { character } => {
            return format!("`{character}` cannot begin a text without quotes");
        }
        ErrorKind::InvalidTrailingSingleQuotedScalar
        | ErrorKind::InvalidTrailingDoubleQuotedScalar => "text after the closing quote",
        ErrorKind::UnknownQuotedScalarEscape => "this text has an unknown `\\` escape",
        ErrorKind::MissingAnchorOrAliasName => "`*` or `&` without a name",
        ErrorKind::InvalidBlockScalarHeader => "text after `|` or `>`",
        other => return format!("this is not YAML: {other}"),
    };
    words.to_owned()
}

/// What is wrong when an earlier line is at fault.
#[expect(clippy::wildcard_enum_match_arm, reason = "rare mistakes share the parser's words")]
fn culprit_message(kind: &ErrorKind) -> String {
    match kind {
        ErrorKind::MappingValueNotAllowed | ErrorKind::SimpleKeyExpected => {
            "a key without `:`".to_owned()
        }
        other => message(other),
    }
}

/// The bytes of the line that holds a byte, without its line break.
fn line_of(text: &str, byte: usize) -> std::ops::Range<usize> {
    let byte = text.floor_char_boundary(byte.min(text.len()));
    let (before, after) = text.split_at(byte);
    let start = before.rfind('\n').map_or(0, |position| position + 1);
    let end = after.find('\n').map_or(text.len(), |position| byte + position);
    start..end
}

fn trimmed(text: &str, line: std::ops::Range<usize>) -> Range {
    let written = text.get(line.clone()).unwrap_or_default();
    let start = line.start + (written.len() - written.trim_start().len());
    range(start, start + written.trim().len())
}

/// The bytes from a place to the next blank; at a line's end the last character of the line.
fn word_at(text: &str, byte: usize) -> Range {
    let line = line_of(text, byte);
    let rest = text.get(byte..line.end).unwrap_or_default();
    let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
    if length > 0 {
        return range(byte, byte + length);
    }
    let before = text.get(..byte).unwrap_or_default().trim_end();
    let last = before.chars().next_back().map_or(0, char::len_utf8);
    if rest.trim().is_empty() {
        range(before.len() - last, before.len())
    } else {
        range(byte, byte)
    }
}

fn range(start: usize, end: usize) -> Range {
    let offset = |value| u32::try_from(value).unwrap_or(u32::MAX);
    Range::new(offset(start), offset(end))
}
