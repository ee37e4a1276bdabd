//! Why a module failed, with the place in its TypeScript.

use std::ops::Range;

use rquickjs::{Ctx, Error, Exception, Function, Value};

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
    pub(super) fn new(kind: ScriptFailureKind, message: impl Into<String>) -> Self {
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

    fn memory() -> Self {
        let limit = SCRIPT_MEMORY_BYTES_MAX >> 20;
        Self::new(ScriptFailureKind::Memory, format!("it takes more than {limit} MiB of memory"))
    }

    fn thrown(value: &Value<'_>, module: &Module) -> Self {
        let Some(exception) = value.clone().into_object().and_then(Exception::from_object) else {
            let text: Option<String> = value.get().ok();
            let text = text.unwrap_or_else(|| match value.type_name() {
                // An error needs memory, too.
                "null" => "it threw `null`, or had no memory left to throw anything".to_owned(),
                name => format!("it threw a value of type {name}"),
            });
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
        let places = places(value, module);
        let kind = kind_of(name.as_deref(), places.first().map(|place| place.word));
        Self::new(kind, on_one_line(&message)).at(places)
    }

    fn at(self, places: Vec<Place<'_>>) -> Self {
        let mut origins = places.into_iter().map(|place| place.origin);
        Self { place: origins.next(), calls: origins.collect(), ..self }
    }

    /// The failure, with the place where a function is defined if nothing else is known.
    pub(super) fn or_at(mut self, definition: Option<&Origin>) -> Self {
        self.place = self.place.or_else(|| definition.cloned());
        self
    }
}

/// Whether the engine threw an error of this name, or the module itself did, at the word that made it.
fn kind_of(name: Option<&str>, made_at: Option<&str>) -> ScriptFailureKind {
    const FAULTS: [&str; 4] = ["InternalError", "RangeError", "ReferenceError", "TypeError"];
    match name.is_some_and(|name| FAULTS.contains(&name)) && made_at != name {
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
    let places = stack.lines().filter_map(|line| place_of(line, module));
    let mut places: Vec<Place<'m>> = places.take(CALLS_MAX).collect();
    places.dedup_by(|one, other| one.origin == other.origin);
    places
}

/// Where a function is defined, when that is in the files of the module.
pub(super) fn definition(function: &Function<'_>, module: &Module) -> Option<Origin> {
    let file: String = function.get("fileName").ok()?;
    let (row, column) = (function.get("lineNumber").ok()?, function.get("columnNumber").ok()?);
    place_at(&file, row, column, module).map(|place| place.origin)
}

fn on_one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// The place that a line of a stack names (`at name (file:line:column)`), when the file is the user's.
fn place_of<'m>(line: &str, module: &'m Module) -> Option<Place<'m>> {
    let line = line.trim().trim_end_matches(')');
    let (line, column) = line.rsplit_once(':')?;
    let (file, row) = line.rsplit_once(':')?;
    place_at(file, row.parse().ok()?, column.parse().ok()?, module)
}

/// The word at a row and column of a file of the user's, both counted from one.
fn place_at<'m>(file: &str, row: usize, column: usize, module: &'m Module) -> Option<Place<'m>> {
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
    let origin = script.place(word.start, word.end);
    Some(Place { origin, word: script.text.get(word)? })
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
    // Of a whole function the engine names the beginning of its line.
    let blank = after.len() - after.trim_start_matches([' ', '\t']).len();
    let (offset, after) = (offset + blank, after.get(blank..).unwrap_or_default());
    let word = after.len() - after.trim_start_matches(is_of_word).len();
    let first = after.chars().next().map_or(0, char::len_utf8);
    offset..offset + word.max(first)
}
