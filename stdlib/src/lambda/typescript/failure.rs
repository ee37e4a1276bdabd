//! Why a module failed, with the place in its TypeScript.

use std::ops::Range;

use rquickjs::{Ctx, Error, Exception, Value};

use crate::bundle::{Module, Origin, Script};
use crate::limits::SCRIPT_MEMORY_BYTES_MAX;

/// Why a module cannot be run, or failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptFailure {
    /// What is wrong.
    pub kind: ScriptFailureKind,
    /// What is wrong in plain words, without a full stop.
    pub message: String,
    /// Where it was thrown: the innermost place in the files of the module.
    pub place: Option<Origin>,
    /// Whence that was called, from the inside out.
    pub calls: Vec<Origin>,
}

/// The kinds of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScriptFailureKind {
    /// The module cannot be loaded, or does not have what it should.
    Unusable,
    /// It threw an error.
    Thrown,
    /// What it gave is no list of documents.
    Output,
    /// It takes too many steps.
    Steps,
    /// It takes too much memory.
    Memory,
}

/// Places beyond this many are not told.
const CALLS_MAX: usize = 8;

impl ScriptFailure {
    pub(super) fn new(kind: ScriptFailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), place: None, calls: Vec::new() }
    }

    /// The failure behind an error of the engine, whose exception is taken from it.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the errors of the engine are open-ended")]
    pub(super) fn of(context: &Ctx<'_>, error: Error, module: &Module, spent: Option<u64>) -> Self {
        if let Some(limit) = spent {
            // The exception says nothing, and must not stay behind.
            let _ = context.catch();
            let message = format!("it takes more than {limit} thousand steps");
            return Self::new(ScriptFailureKind::Steps, message);
        }
        match error {
            Error::Exception => Self::thrown(&context.catch(), module),
            Error::Allocation => Self::memory(),
            Error::WouldBlock => {
                Self::new(ScriptFailureKind::Output, "it gave a promise that nothing settles")
            }
            other => Self::new(ScriptFailureKind::Thrown, other.to_string()),
        }
    }

    fn memory() -> Self {
        let limit = SCRIPT_MEMORY_BYTES_MAX >> 20;
        Self::new(ScriptFailureKind::Memory, format!("it takes more than {limit} MiB of memory"))
    }

    fn thrown(value: &Value<'_>, module: &Module) -> Self {
        let Some(exception) = value.clone().into_object().and_then(Exception::from_object) else {
            let text: Option<String> = value.get().ok();
            let text = text.unwrap_or_else(|| format!("a value of type {}", value.type_name()));
            return Self::new(ScriptFailureKind::Thrown, on_one_line(&text));
        };
        let message = exception.message().unwrap_or_default();
        if message == "out of memory" {
            return Self::memory();
        }
        let name: Option<String> = exception.as_object().get("name").ok();
        let message = match name.as_deref() {
            Some("Error") | None => message,
            Some(name) => format!("{name}: {message}"),
        };
        let stack = exception.stack().unwrap_or_default();
        let mut places = stack.lines().filter_map(|line| place_of(line, module)).take(CALLS_MAX);
        let place = places.next();
        let calls = places.collect();
        Self { kind: ScriptFailureKind::Thrown, message: on_one_line(&message), place, calls }
    }
}

fn on_one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// The place that a line of a stack names (`at name (file:line:column)`), when the file is the user's.
fn place_of(line: &str, module: &Module) -> Option<Origin> {
    let line = line.trim().trim_end_matches(')');
    let (line, column) = line.rsplit_once(':')?;
    let (file, row) = line.rsplit_once(':')?;
    let (row, column): (usize, usize) = (row.parse().ok()?, column.parse().ok()?);
    let files = module.files.iter().filter(|(name, _)| file.ends_with(name.as_str()));
    let (_, file) = files.max_by_key(|(name, _)| name.len())?;
    let script = &file.script;
    if script.origin.path.is_empty() {
        return None;
    }
    // The engine counts columns in bytes.
    let lines = script.text.split_inclusive('\n').take(row.checked_sub(1)?);
    let offset = lines.map(str::len).sum::<usize>() + column.checked_sub(1)?;
    let word = word_at(script, offset);
    Some(script.place(word.start, word.end))
}

/// The word at an offset. Of a call the engine names the place behind its bracket: then it is the word before.
fn word_at(script: &Script, offset: usize) -> Range<usize> {
    let text = script.text.as_str();
    let offset = text.floor_char_boundary(offset);
    let (before, after) = text.split_at_checked(offset).unwrap_or((text, ""));
    let is_of_word =
        |character: char| character.is_alphanumeric() || matches!(character, '_' | '$');
    if let Some(callee) = before.strip_suffix('(')
        && callee.ends_with(is_of_word)
    {
        let name = callee.trim_end_matches(is_of_word);
        return name.len()..callee.len();
    }
    let word = after.len() - after.trim_start_matches(is_of_word).len();
    let first = after.chars().next().map_or(0, char::len_utf8);
    offset..offset + word.max(first)
}
