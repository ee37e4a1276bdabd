//! How the bytes of a scalar's value correspond to the bytes of the source.
//!
//! Every style is read once more: escapes and folded line breaks change lengths, and a place inside a value (an SQL token, a
//! part of a pointer) must lead to the very characters the user wrote. Should this reading ever differ from the
//! parser's, the whole scalar is one run, which is coarse but never out of bounds.

use granit_parser::ScalarStyle;

use crate::source::Range;

/// The runs of a scalar: `(offset in value, byte in file)`, ascending, never empty.
pub(super) fn correspond(
    text: &str,
    token: Range,
    style: ScalarStyle,
    indent: usize,
    value: &str,
) -> Vec<(u32, u32)> {
    let written = text.get(token.as_usize()).unwrap_or_default();
    let start = token.start as usize;
    let inner = written.get(1..written.len().saturating_sub(1)).unwrap_or_default();
    let runs = match style {
        ScalarStyle::Plain if written == value => return vec![(0, token.start)],
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted if inner == value => {
            return vec![(0, token.start + 1)];
        }
        ScalarStyle::Plain => flow(written, start, Escapes::None),
        ScalarStyle::SingleQuoted => flow(inner, start + 1, Escapes::DoubledQuote),
        ScalarStyle::DoubleQuoted => flow(inner, start + 1, Escapes::Backslash),
        ScalarStyle::Literal => literal(text, token, indent, value),
        ScalarStyle::Folded => folded(text, token, indent, value),
    };
    match runs {
        Some(runs) if runs.value == value => runs.map,
        Some(_) | None => vec![(0, token.start), (offset(value.len()), token.end)],
    }
}

/// A value under construction with the place of every character.
#[derive(Debug, Default)]
struct Runs {
    value: String,
    map: Vec<(u32, u32)>,
}

impl Runs {
    /// Adds a character that begins at a byte of the source.
    fn push(&mut self, character: char, source: usize) {
        self.mark(source);
        self.value.push(character);
    }

    fn push_str(&mut self, text: &str, source: usize) {
        if !text.is_empty() {
            self.mark(source);
            self.value.push_str(text);
        }
    }

    /// Says that the next byte of the value is this byte of the source.
    fn mark(&mut self, source: usize) {
        let here = offset(self.value.len());
        let source = offset(source);
        let last = self.map.last().copied();
        let end = last.map(|(in_value, in_source)| in_source + (here - in_value));
        if end == Some(source) {
            return;
        }
        if let (Some((in_value, _)), Some(end)) = (last, end)
            && in_value < here
        {
            // The line break that a block has at the end of its file takes no byte.
            self.map.push((here, end.min(source)));
        }
        self.map.push((here, source));
    }

    /// Adds a character that stands for one byte of the source, which ends a line.
    fn push_closed(&mut self, character: char, source: usize) {
        self.push(character, source);
        self.close(source + 1);
    }

    /// Says where in the source ended what was added last, when what comes next begins later.
    fn close(&mut self, source: usize) {
        self.map.push((offset(self.value.len()), offset(source)));
    }

    /// Ends the value at a byte of the source.
    fn end(mut self, source: usize) -> Self {
        self.mark(source);
        self
    }
}

/// What stands for other characters in a flow scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escapes {
    /// Nothing: plain.
    None,
    /// `''`: single quotes.
    DoubledQuote,
    /// `\n` and the like: double quotes.
    Backslash,
}

/// Reads a plain or quoted scalar: escapes are decoded, line breaks folded. `base` is where `written` begins.
fn flow(written: &str, base: usize, escapes: Escapes) -> Option<Runs> {
    let mut runs = Runs::default();
    let mut at = 0;
    while let Some(character) = written.get(at..)?.chars().next() {
        let rest = written.get(at..)?;
        if let Some(after) = blanks_before_break(rest) {
            at = fold(written, at + after, base, &mut runs, Fold::Space)?;
        } else if escapes == Escapes::DoubledQuote && rest.starts_with("''") {
            runs.push('\'', base + at);
            at += 2;
            runs.close(base + at);
        } else if escapes == Escapes::Backslash && character == '\\' {
            at = escape(written, at, base, &mut runs)?;
        } else {
            runs.push(character, base + at);
            at += character.len_utf8();
        }
    }
    Some(runs.end(base + written.len()))
}

/// The length of blanks at the start when a line break follows them.
fn blanks_before_break(text: &str) -> Option<usize> {
    let length = text.len() - text.trim_start_matches([' ', '\t']).len();
    text.get(length..)?.starts_with(['\n', '\r']).then_some(length)
}

/// What a lone line break becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fold {
    /// A blank.
    Space,
    /// Nothing, because it was escaped.
    Nothing,
}

/// Folds the line breaks that begin at `at`; returns where the next line's text begins.
fn fold(written: &str, at: usize, base: usize, runs: &mut Runs, lone: Fold) -> Option<usize> {
    let mut breaks = Vec::new();
    let mut position = at;
    while let Some(length) = break_length(written.get(position..)?) {
        breaks.push(position);
        position += length;
        let rest = written.get(position..)?;
        position += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }
    let (first, others) = breaks.split_first()?;
    if others.is_empty() && lone == Fold::Space {
        runs.push_closed(' ', base + first);
    }
    for other in others {
        runs.push_closed('\n', base + other);
    }
    Some(position)
}

fn break_length(text: &str) -> Option<usize> {
    if text.starts_with("\r\n") {
        return Some(2);
    }
    text.starts_with(['\n', '\r']).then_some(1)
}

/// Decodes the escape at `at`; returns where it ends.
fn escape(written: &str, at: usize, base: usize, runs: &mut Runs) -> Option<usize> {
    let after = at + 1;
    let letter = written.get(after..)?.chars().next()?;
    let end = after + letter.len_utf8();
    let decoded = match letter {
        '\n' | '\r' => return fold(written, after, base, runs, Fold::Nothing),
        'x' => return hexadecimal(written, at, 2, base, runs),
        'u' => return hexadecimal(written, at, 4, base, runs),
        'U' => return hexadecimal(written, at, 8, base, runs),
        '0' => '\0',
        'a' => '\u{7}',
        'b' => '\u{8}',
        't' | '\t' => '\t',
        'n' => '\n',
        'v' => '\u{b}',
        'f' => '\u{c}',
        'r' => '\r',
        'e' => '\u{1b}',
        'N' => '\u{85}',
        '_' => '\u{a0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        ' ' | '"' | '/' | '\\' => letter,
        _ => return None,
    };
    runs.push(decoded, base + at);
    runs.close(base + end);
    Some(end)
}

/// Decodes `\xff`, `\uffff` (a pair of surrogates too) or `\Uffffffff`; returns where it ends.
fn hexadecimal(
    written: &str,
    at: usize,
    digits: usize,
    base: usize,
    runs: &mut Runs,
) -> Option<usize> {
    let end = at + 2 + digits;
    let code = u32::from_str_radix(written.get(at + 2..end)?, 16).ok()?;
    if let Some(character) = char::from_u32(code) {
        runs.push(character, base + at);
        runs.close(base + end);
        return Some(end);
    }
    let low = written.get(end..)?.strip_prefix("\\u")?.get(..4)?;
    let units = [u16::try_from(code).ok()?, u16::from_str_radix(low, 16).ok()?];
    let character = char::decode_utf16(units).next()?.ok()?;
    runs.push(character, base + at);
    runs.close(base + end + 6);
    Some(end + 6)
}

/// A line of the source: where its text begins and ends.
#[derive(Debug, Clone, Copy)]
struct Line {
    start: usize,
    end: usize,
}

/// The lines of the source from a byte on, without line breaks.
fn lines_from(text: &str, start: usize) -> impl Iterator<Item = Line> {
    let mut at = start;
    let rest = text.get(start..).unwrap_or_default();
    rest.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        let shown = line.strip_suffix('\n').unwrap_or(line);
        let shown = shown.strip_suffix('\r').unwrap_or(shown);
        Line { start, end: start + shown.len() }
    })
}

/// The line without the indentation of its block.
fn strip_indent(text: &str, line: Line, indent: usize) -> Option<Line> {
    let written = text.get(line.start..line.end)?;
    let blanks = written.len() - written.trim_start_matches(' ').len();
    Some(Line { start: line.start + blanks.min(indent), end: line.end })
}

/// Begins a block scalar: the blank lines between its header and its first character.
fn begin_block(text: &str, token: Range, runs: &mut Runs) -> Option<usize> {
    let before = text.get(..token.start as usize)?;
    let first_line = before.rfind('\n').map_or(0, |position| position + 1);
    let mut breaks = Vec::new();
    let mut rest = text.get(..first_line)?;
    while let Some(line) = rest.strip_suffix('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let start = line.rfind('\n').map_or(0, |position| position + 1);
        if !line.get(start..)?.trim().is_empty() {
            break;
        }
        breaks.push(line.len());
        rest = text.get(..start)?;
    }
    for position in breaks.into_iter().rev() {
        runs.push('\n', position);
    }
    Some(first_line)
}

/// Reads a literal block, line by line, as far as its value goes.
fn literal(text: &str, token: Range, indent: usize, value: &str) -> Option<Runs> {
    let mut runs = Runs::default();
    let first_line = begin_block(text, token, &mut runs)?;
    let mut end = token.start as usize;
    for line in lines_from(text, first_line) {
        if runs.value.len() >= value.len() {
            break;
        }
        let line = strip_indent(text, line, indent)?;
        runs.push_str(text.get(line.start..line.end)?, line.start);
        end = line.end;
        if runs.value.len() < value.len() {
            runs.push('\n', line.end);
            end = (line.end + 1).min(text.len());
            runs.close(end);
        }
    }
    Some(runs.end(end))
}

/// Reads a folded block: lone line breaks between lines of equal indentation are blanks.
fn folded(text: &str, token: Range, indent: usize, value: &str) -> Option<Runs> {
    let mut runs = Runs::default();
    let first_line = begin_block(text, token, &mut runs)?;
    let is_more = |line: &str| line.starts_with([' ', '\t']);
    let mut breaks: Vec<usize> = Vec::new();
    let mut previous_is_more = None;
    let mut end = token.start as usize;
    for line in lines_from(text, first_line) {
        if line.start >= token.end as usize || runs.value.len() >= value.len() {
            break;
        }
        let line = strip_indent(text, line, indent)?;
        let written = text.get(line.start..line.end)?;
        if !written.is_empty() {
            let keeps = previous_is_more.is_none_or(|is: bool| is) || is_more(written);
            fold_breaks(&breaks, keeps, &mut runs);
            breaks.clear();
            runs.push_str(written, line.start);
            end = line.end;
            previous_is_more = Some(is_more(written));
        }
        breaks.push(line.end);
    }
    for position in breaks {
        if runs.value.len() < value.len() {
            runs.push('\n', position);
            end = position + 1;
        }
    }
    Some(runs.end(end.min(text.len())))
}

/// Adds the line breaks between two lines of a folded block.
fn fold_breaks(breaks: &[usize], keeps: bool, runs: &mut Runs) {
    match breaks {
        [] => {}
        [lone] if !keeps => runs.push_closed(' ', *lone),
        [_, others @ ..] if !keeps => {
            others.iter().for_each(|other| runs.push_closed('\n', *other));
        }
        all => all.iter().for_each(|each| runs.push_closed('\n', *each)),
    }
}

/// Sources are smaller than 4 GiB by the limit on their size.
fn offset(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
