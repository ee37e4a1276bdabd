//! Why a module failed, with the place in its TypeScript.

use std::ops::Range;

use rquickjs::{Ctx, Error, Exception, Function, Value};

use super::engine::word;
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

/// How an engine counts the columns of places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Columns {
    /// In bytes; of a call it names the place behind its bracket. So does QuickJS.
    BehindCallee,
    /// In code units of UTF-16; it names the place where what matters begins. So does V8.
    AtCallee,
}

/// The kinds of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScriptFailureKind {
    /// The module cannot be loaded, or does not have what it should.
    Unusable,
    /// It threw something by its own will.
    Thrown,
    /// It did what the language has an error for, such as to call what is no function.
    Fault,
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
    /// A failure of a kind, whose place is not known.
    pub fn new(kind: ScriptFailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), place: None, calls: Vec::new() }
    }

    /// The failure behind an error of the engine, whose exception is taken from it.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the errors of the engine are open-ended")]
    pub(super) fn of(context: &Ctx<'_>, error: Error, module: &Module, spent: Option<u64>) -> Self {
        if let Some(limit) = spent {
            let message = format!("it takes more than {} million steps", limit.div_ceil(1000));
            let places = places(&context.catch(), module);
            return Self::new(ScriptFailureKind::Steps, message).at(places);
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

    /// The failure of a module that takes more memory than it may.
    pub fn memory() -> Self {
        let limit = SCRIPT_MEMORY_BYTES_MAX >> 20;
        Self::new(ScriptFailureKind::Memory, format!("it takes more than {limit} MiB of memory"))
    }

    fn thrown(value: &Value<'_>, module: &Module) -> Self {
        let Some(exception) = value.clone().into_object().and_then(Exception::from_object) else {
            let text: Option<String> = value.get().ok();
            if value.is_null() {
                // An error needs memory, too.
                let message = "it threw `null`, or had no memory left to throw anything";
                return Self::new(ScriptFailureKind::Thrown, message);
            }
            return Self::raised_value(text.as_deref(), value.type_name());
        };
        let message = exception.message().unwrap_or_default();
        if message == "out of memory" {
            return Self::memory();
        }
        let name: Option<String> = exception.as_object().get("name").ok();
        let stack = exception.stack().unwrap_or_default();
        let name = name.as_deref().unwrap_or_default();
        Self::raised(name, &message, &stack, Columns::BehindCallee, module)
    }

    /// The failure behind an error that has a name, a message, and a stack of places.
    pub fn raised(
        name: &str,
        message: &str,
        stack: &str,
        columns: Columns,
        module: &Module,
    ) -> Self {
        let message = match name {
            "Error" | "" => on_one_line(message),
            name => format!("{name}: {}", on_one_line(message)),
        };
        let places = places_in(stack, columns, module);
        let kind = kind_of(name, places.first().map(|place| place.word));
        Self::new(kind, message).at(places)
    }

    /// The failure of a module that threw something else than an error; `text` when that is a text.
    pub fn raised_value(text: Option<&str>, type_name: &str) -> Self {
        let message = match text {
            Some(text) => on_one_line(text),
            None => format!("it threw a value of type {type_name}"),
        };
        Self::new(ScriptFailureKind::Thrown, message)
    }

    /// The failure of a method that gave something else than documents.
    pub fn no_documents(method: &str, type_name: &str) -> Self {
        let found = word(type_name);
        let message = format!("`{method}` gave {found} where a list of documents is expected");
        Self::new(ScriptFailureKind::Output, message)
    }

    fn at(self, places: Vec<Place<'_>>) -> Self {
        let mut origins = places.into_iter().map(|place| place.origin);
        Self { place: origins.next(), calls: origins.collect(), ..self }
    }

    /// The failure, with the place where a function is defined if nothing else is known.
    pub fn or_at(mut self, definition: Option<&Origin>) -> Self {
        self.place = self.place.or_else(|| definition.cloned());
        self
    }
}

/// Whether the engine threw an error of this name, or the module itself did, at the word that made it.
fn kind_of(name: &str, made_at: Option<&str>) -> ScriptFailureKind {
    const FAULTS: [&str; 4] = ["InternalError", "RangeError", "ReferenceError", "TypeError"];
    match FAULTS.contains(&name) && made_at != Some(name) {
        true => ScriptFailureKind::Fault,
        false => ScriptFailureKind::Thrown,
    }
}

/// A place in the files of a module, and the word that stands there.
struct Place<'m> {
    origin: Origin,
    word: &'m str,
}

/// The places that an error names, from where it was thrown outwards. A function that calls itself is named once.
fn places<'m>(value: &Value<'_>, module: &'m Module) -> Vec<Place<'m>> {
    let exception = value.clone().into_object().and_then(Exception::from_object);
    let stack = exception.and_then(|exception| exception.stack()).unwrap_or_default();
    places_in(&stack, Columns::BehindCallee, module)
}

fn places_in<'m>(stack: &str, columns: Columns, module: &'m Module) -> Vec<Place<'m>> {
    let places = stack.lines().filter_map(|line| place_of(line, columns, module));
    let mut places: Vec<Place<'m>> = places.take(CALLS_MAX).collect();
    places.dedup_by(|one, other| one.origin == other.origin);
    places
}

/// Where a function is defined, when that is in the files of the module.
pub(super) fn definition(function: &Function<'_>, module: &Module) -> Option<Origin> {
    let file: String = function.get("fileName").ok()?;
    let (row, column) = (function.get("lineNumber").ok()?, function.get("columnNumber").ok()?);
    place_at(&file, row, column, Columns::BehindCallee, module).map(|place| place.origin)
}

fn on_one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// The place that a line of a stack names (`at name (file:line:column)`), when the file is the user's.
fn place_of<'m>(line: &str, columns: Columns, module: &'m Module) -> Option<Place<'m>> {
    let line = line.trim().trim_end_matches(')');
    let (line, column) = line.rsplit_once(':')?;
    let (file, row) = line.rsplit_once(':')?;
    place_at(file, row.parse().ok()?, column.parse().ok()?, columns, module)
}

/// The word at a row and column of a file of the user's, both counted from one.
fn place_at<'m>(
    file: &str,
    row: usize,
    column: usize,
    columns: Columns,
    module: &'m Module,
) -> Option<Place<'m>> {
    let files = module.files.iter().filter(|(name, _)| file.ends_with(name.as_str()));
    let (_, file) = files.max_by_key(|(name, _)| name.len())?;
    let script = &file.script;
    if script.origin.path.is_empty() {
        return None;
    }
    let mut lines = script.text.split_inclusive('\n');
    let before: usize = lines.by_ref().take(row.checked_sub(1)?).map(str::len).sum();
    let column = column.checked_sub(1)?;
    let line = lines.next().unwrap_or_default();
    let word = match columns {
        Columns::BehindCallee => word_before(script, before + column),
        Columns::AtCallee => word_at(script, before + offset_of_unit(line, column)),
    };
    let origin = script.place(word.start, word.end);
    Some(Place { origin, word: script.text.get(word)? })
}

/// Where a code unit of UTF-16 stands in a text.
fn offset_of_unit(text: &str, units: usize) -> usize {
    let mut left = units;
    let before = text.chars().take_while(|character| {
        let length = character.len_utf16();
        let is_before = left >= length;
        left = left.saturating_sub(length);
        is_before
    });
    before.map(char::len_utf8).sum()
}

/// The word at an offset; of a call, whose bracket stands before it, the word before.
fn word_before(script: &Script, offset: usize) -> Range<usize> {
    let text = script.text.as_str();
    let offset = text.floor_char_boundary(offset);
    let (before, after) = text.split_at_checked(offset).unwrap_or((text, ""));
    if let Some(callee) = before.strip_suffix('(')
        && callee.ends_with(is_of_word)
    {
        let name = callee.trim_end_matches(is_of_word);
        return name.len()..callee.len();
    }
    // Of a whole function the engine names the beginning of its line.
    let blank = after.len() - after.trim_start_matches([' ', '\t']).len();
    word_at(script, offset + blank)
}

/// The word at an offset; of `new` the word behind it, which says more.
fn word_at(script: &Script, offset: usize) -> Range<usize> {
    let text = script.text.as_str();
    let offset = text.floor_char_boundary(offset);
    let after = text.get(offset..).unwrap_or_default();
    let made = after.strip_prefix("new ").filter(|made| made.starts_with(is_of_word));
    let (offset, after) = made.map_or((offset, after), |made| (text.len() - made.len(), made));
    let word = after.len() - after.trim_start_matches(is_of_word).len();
    let first = after.chars().next().map_or(0, char::len_utf8);
    offset..offset + word.max(first)
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$')
}
