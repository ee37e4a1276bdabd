//! Where a cursor is in a text that is being written: the keys around it, by indentation and brackets.
//!
//! While somebody types, a line is seldom YAML, and the tree knows nothing of it. So this looks at the text alone. What is not laid
//! out line by line (a bracket that was opened lines above) is not understood, and then there is no answer.

/// Where the cursor is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The steps from the root to the mapping or value at the cursor.
    pub(super) path: Vec<Step>,
    /// What is being written there.
    pub(super) writing: Writing,
    /// Where the word at the cursor begins.
    pub(super) word_start: usize,
}

/// A step down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The value of a key.
    Key(String),
    /// An item of a list, and where it begins.
    Item(usize),
}

/// What is being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Writing {
    /// A key of a mapping that has these others.
    Key(Vec<String>),
    /// A value.
    Value,
    /// Text of a block.
    Block,
}

/// What a line consists of, from the left.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line<'t> {
    /// Columns of the dashes.
    dashes: Vec<usize>,
    /// The column of what follows them.
    column: usize,
    /// The key, when there is one, and what follows its colon.
    key: Option<(&'t str, &'t str)>,
    /// What follows the dashes.
    rest: &'t str,
}

impl<'t> Line<'t> {
    /// `None` for a line without content.
    fn parse(text: &'t str) -> Option<Self> {
        let mut rest = text.trim_start_matches(' ');
        let mut dashes = Vec::new();
        while let Some(after) = rest.strip_prefix('-') {
            if !after.is_empty() && !after.starts_with(' ') {
                break;
            }
            dashes.push(text.len() - rest.len());
            rest = after.trim_start_matches(' ');
        }
        if rest.starts_with('#') || (rest.trim().is_empty() && dashes.is_empty()) {
            return None;
        }
        Some(Self { column: text.len() - rest.len(), key: key_of(rest), dashes, rest })
    }
}

impl Line<'_> {
    /// The column of the first thing on it.
    fn start(&self) -> usize {
        self.dashes.first().copied().unwrap_or(self.column)
    }
}

/// The key that a text begins with, and what follows its colon.
fn key_of(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|first| matches!(first, '"' | '\''));
    if let Some(quote) = quote {
        let (key, rest) = text.get(1..)?.split_once(quote)?;
        return Some((key, rest.trim_start().strip_prefix(':')?));
    }
    let colon = text.match_indices(':').find(|(index, _)| {
        let after = text.get(index + 1..).unwrap_or_default();
        after.is_empty() || after.starts_with([' ', '\n', '\r'])
    })?;
    let key = text.get(..colon.0)?;
    let is_key = !key.is_empty() && !key.starts_with(['{', '[', '&', '*', '|', '>']);
    is_key.then(|| (key.trim_end(), text.get(colon.0 + 1..).unwrap_or_default()))
}

/// Where the byte `offset` of a text is.
pub(super) fn cursor(text: &str, offset: usize) -> Option<Cursor> {
    let before = text.get(..offset)?;
    let line_start = before.rfind('\n').map_or(0, |index| index + 1);
    let written = before.get(line_start..)?;
    let above: Vec<(usize, &str)> = lines_above(text.get(..line_start)?);
    let line = Line::parse(written).unwrap_or(Line {
        dashes: Vec::new(),
        column: written.len(),
        key: None,
        rest: "",
    });
    if line.rest.contains(" #") || written.trim_start().starts_with('#') {
        return None;
    }
    let first = line.dashes.first().copied();
    let around = parents(&above, first.unwrap_or(line.column), first.is_some());
    let block = around.iter().position(|(_, is_block)| *is_block);
    let mut path: Vec<Step> = around.into_iter().map(|(step, _)| step).collect();
    if let Some(block) = block {
        path.truncate(block + 1);
        return Some(Cursor { path, writing: Writing::Block, word_start: offset });
    }
    path.extend(line.dashes.iter().map(|dash| Step::Item(line_start + dash)));
    match line.key {
        Some((key, value)) => {
            path.push(Step::Key(key.to_owned()));
            let start = offset - value.trim_start().len();
            Some(in_flow(value.trim_start(), start, path))
        }
        None if line.rest.starts_with(['{', '[']) => {
            Some(in_flow(line.rest, line_start + line.column, path))
        }
        None => {
            let mut others = siblings(above.iter().map(|(_, line)| *line), line.column);
            // A line below with a dash further left begins the next item.
            let below = text.get(offset..)?.lines().skip(1).take_while(|below| {
                Line::parse(below).is_none_or(|below| below.start() >= line.column)
            });
            if line.dashes.is_empty() {
                others.extend(siblings(below, line.column));
            } else {
                others = siblings(below, line.column);
            }
            let word_start = line_start + line.column;
            Some(Cursor { path, writing: Writing::Key(others), word_start })
        }
    }
}

/// The lines of a text with where they begin, the last one first.
fn lines_above(text: &str) -> Vec<(usize, &str)> {
    let mut lines = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        lines.push((start, line.trim_end_matches(['\n', '\r'])));
        start += line.len();
    }
    lines.reverse();
    lines
}

/// The steps to what stands at a column below some lines (the last one first), and whether each opens a block of text.
fn parents(above: &[(usize, &str)], column: usize, is_item: bool) -> Vec<(Step, bool)> {
    let mut steps = Vec::new();
    let (mut column, mut is_item) = (column, is_item);
    for (start, text) in above {
        let Some(line) = Line::parse(text) else { continue };
        if let Some((key, value)) = line.key
            && (line.column < column || is_item && line.column == column)
            && is_opening(value)
        {
            let is_block = value.trim_start().starts_with(['|', '>']);
            steps.push((Step::Key(key.to_owned()), is_block));
            (column, is_item) = (line.column, false);
        }
        for dash in line.dashes.iter().rev() {
            if *dash < column {
                steps.push((Step::Item(start + dash), false));
                (column, is_item) = (*dash, true);
            }
        }
        if column == 0 && !is_item {
            break;
        }
    }
    steps.reverse();
    steps
}

/// Whether what follows a colon may hold lines below it.
fn is_opening(value: &str) -> bool {
    let value = value.split(" #").next().unwrap_or_default().trim();
    value.is_empty() || value.starts_with(['|', '>', '&', '!'])
}

/// The keys at a column in lines that are read away from the cursor, up to the end of their mapping.
fn siblings<'t>(lines: impl Iterator<Item = &'t str>, column: usize) -> Vec<String> {
    let mut keys = Vec::new();
    for line in lines.filter_map(Line::parse) {
        if line.column < column {
            break;
        }
        if line.column == column
            && let Some((key, _)) = line.key
        {
            keys.push(key.to_owned());
        }
        if line.start() < column {
            break;
        }
    }
    keys
}

/// Where the cursor is behind `text`, a value that may have brackets, which begins at a byte.
fn in_flow(text: &str, start: usize, mut path: Vec<Step>) -> Cursor {
    let mut open: Vec<Bracket> = Vec::new();
    let mut word_start = 0;
    let mut quote = None;
    for (index, character) in text.char_indices() {
        if let Some(end) = quote {
            quote = Some(end).filter(|end| *end != character);
            continue;
        }
        match character {
            '"' | '\'' => quote = Some(character),
            '{' => {
                open.push(Bracket { is_mapping: true, keys: Vec::new(), is_value: false, at: 0 })
            }
            '[' => {
                let at = index + 1;
                open.push(Bracket { is_mapping: false, keys: Vec::new(), is_value: true, at });
            }
            '}' | ']' => drop(open.pop()),
            ',' => {
                if let Some(bracket) = open.last_mut() {
                    bracket.is_value = !bracket.is_mapping;
                    bracket.at = index + 1;
                }
            }
            ':' if open.last().is_some_and(|bracket| bracket.is_mapping && !bracket.is_value) => {
                let key = text.get(word_start..index).unwrap_or_default().trim();
                let key = key.trim_matches(['"', '\'']).to_owned();
                if let Some(bracket) = open.last_mut() {
                    bracket.keys.push(key);
                    bracket.is_value = true;
                }
            }
            _ => continue,
        }
        if !matches!(character, '"' | '\'') {
            word_start = index + 1;
        }
    }
    let word = text.get(word_start..).unwrap_or_default();
    let word_start = start + word_start + (word.len() - word.trim_start().len());
    let mut writing = Writing::Value;
    for bracket in open {
        let Bracket { is_mapping, mut keys, is_value, at } = bracket;
        if !is_mapping {
            path.push(Step::Item(start + at));
            writing = Writing::Value;
        } else if is_value {
            path.extend(keys.pop().map(Step::Key));
            writing = Writing::Value;
        } else {
            writing = Writing::Key(keys);
        }
    }
    Cursor { path, writing, word_start }
}

/// An open bracket.
struct Bracket {
    is_mapping: bool,
    keys: Vec<String>,
    /// Whether a value is being written in it.
    is_value: bool,
    /// Where the item at the cursor begins.
    at: usize,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn at(text: &str) -> (String, Writing) {
        let offset = text.find("$0").unwrap();
        let text = text.replace("$0", "");
        let cursor = cursor(&text, offset).unwrap();
        let steps = cursor.path.iter().map(|step| match step {
            Step::Key(key) => key.clone(),
            Step::Item(_) => "-".to_owned(),
        });
        (steps.collect::<Vec<_>>().join("/"), cursor.writing)
    }

    fn keys(keys: &[&str]) -> Writing {
        Writing::Key(keys.iter().map(|key| (*key).to_owned()).collect())
    }

    #[test]
    fn keys_are_below_what_is_indented_less() {
        let text = "collections:\n  acme/a:\n    schema: {}\n    $0\n    key: [/id]\n";
        assert_eq!(at(text), ("collections/acme/a".to_owned(), keys(&["schema", "key"])));
        assert_eq!(at("$0"), (String::new(), keys(&[])));
        assert_eq!(at("import: []\ncoll$0\n"), (String::new(), keys(&["import"])));
    }

    #[test]
    fn items_are_steps() {
        let text = "derive:\n  transforms:\n    - name: a\n      sou$0\n    - name: b\n";
        assert_eq!(at(text), ("derive/transforms/-".to_owned(), keys(&["name"])));
        let text = "transforms:\n- name: a\n  source: $0\n";
        assert_eq!(at(text), ("transforms/-/source".to_owned(), Writing::Value));
        let text = "key:\n  - /a\n  - $0";
        assert_eq!(at(text).0, "key/-");
    }

    #[test]
    fn brackets_are_followed_on_their_line() {
        let text = "a:\n  shuffle: { key: [/x, $0";
        assert_eq!(at(text), ("a/shuffle/key/-".to_owned(), Writing::Value));
        let text = "a:\n  - {name: b, $0}";
        assert_eq!(at(text), ("a/-".to_owned(), keys(&["name"])));
        let text = "a:\n  - {name: b, source: $0}";
        assert_eq!(at(text), ("a/-/source".to_owned(), Writing::Value));
    }

    #[test]
    fn blocks_hold_text() {
        let text = "lambda: |\n  SELECT\n    $a: $0\n";
        let text = text.replace("$a", "a");
        assert_eq!(at(&text), ("lambda".to_owned(), Writing::Block));
    }
}
