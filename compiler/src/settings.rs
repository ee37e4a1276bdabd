//! `tidegate.toml` beside the root catalog: the version that a project requires, the levels of its warnings, which files and hosts may
//! be read, and how it runs.
//!
//! It is a source like any other, so that mistakes in it are diagnostics with places. A project without the file has the settings
//! that an empty one gives.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use url::Url;

use crate::diag::{Diagnostic, Fix, Severity, Sink, nearest, rules};
use crate::limits::SOURCE_SIZE_BYTES_MAX;
use crate::source::{FileId, LineIndex, Range, Role, SourceFile, Sources, Span};
use crate::world::World;
use tidegate_stdlib::lambda::typescript::ScriptEngine;

const NAME: &str = "tidegate.toml";
const KEYS: [&str; 7] = ["requires", "roots", "lints", "fetch", "storage", "tasks", "run"];
const FETCH_KEYS: [&str; 1] = ["allow"];
const RUN_KEYS: [&str; 2] = ["memory", "data"];
const TASK_KEYS: [&str; 2] = ["shards", "js"];
const LEVELS: [&str; 3] = ["allow", "warn", "deny"];
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The settings of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The levels of warnings by slug; a rule that is not named stays a warning.
    pub levels: BTreeMap<&'static str, Level>,
    /// `roots`: further directories that local files may name, relative to the project.
    pub roots: Vec<String>,
    /// `[fetch] allow`: beginnings of URLs, and addresses, that may be fetched although others like them may not.
    pub fetch_allowed: Vec<String>,
    /// `[run]`: what holds unless the command line says otherwise.
    pub run: RunSettings,
    /// `[tasks]`: the tasks that it names.
    pub tasks: Vec<(String, Span)>,
    /// `js` of `[tasks]`: what runs the TypeScript of a task, whatever the command line says.
    pub engines: BTreeMap<String, (ScriptEngine, Span)>,
}

/// `[run]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunSettings {
    /// `memory`, in bytes.
    pub memory_bytes: Option<usize>,
    /// `data`: the directory of journals and state, relative to the working directory.
    pub data: Option<String>,
}

/// What becomes of a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// It is not reported.
    Allow,
    /// It is a warning.
    Warn,
    /// It is an error.
    Deny,
}

impl Settings {
    /// Gives the warnings their levels; what is only reported on request is given back.
    pub(crate) fn apply(&self, sink: &mut Sink) -> Vec<Diagnostic> {
        let hints = sink.take_hints(|rule| self.levels.contains_key(rule.slug));
        sink.revise(|mut diagnostic| {
            // Some warnings are errors where it was seen that a task would fail.
            if diagnostic.severity == Severity::Error {
                return Some(diagnostic);
            }
            match self.levels.get(diagnostic.rule.slug).copied().unwrap_or(Level::Warn) {
                Level::Allow => return None,
                Level::Warn => {}
                Level::Deny => diagnostic.severity = Severity::Error,
            }
            Some(diagnostic)
        });
        hints
    }

    /// Warns of the tasks that the settings name and the catalog does not have, and of programs for tasks without a module.
    pub(crate) fn report_unknown_tasks(
        &self,
        tasks: &BTreeSet<&str>,
        has_module: impl Fn(&str) -> bool,
        sink: &mut Sink,
    ) {
        for (name, span) in &self.tasks {
            if !tasks.contains(name.as_str()) {
                sink.report(unknown_task(name, tasks, *span));
                continue;
            }
            if let Some((engine, span)) = self.engines.get(name)
                && *engine != ScriptEngine::default()
                && !has_module(name)
            {
                sink.report(engine_without_module(name, *engine, *span));
            }
        }
    }
}

/// What is said of a program for a task that has nothing for it.
fn engine_without_module(task: &str, engine: ScriptEngine, span: Span) -> Diagnostic {
    let message = format!("`{task}` has no module that `{}` could run", engine.name());
    without_effect(message, "this is for TypeScript lambdas", span)
}

/// The bytes of a size such as `64MiB`, `1GiB` or `500MB`; nothing when the text is none.
pub fn size_bytes(text: &str) -> Option<usize> {
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: usize = match unit.trim() {
        "" | "B" => 1,
        "KiB" | "K" => 1 << 10,
        "MiB" | "M" => 1 << 20,
        "GiB" | "G" => 1 << 30,
        "KB" | "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return None,
    };
    number.parse::<usize>().ok()?.checked_mul(factor)
}

/// Reads a file of ours beside the root catalog and adds it to the sources, if there is one: its text, or why it cannot be read.
pub(crate) fn read_project_file(
    world: &dyn World,
    root: &Url,
    name: &str,
    sources: &mut Sources,
) -> Option<(FileId, Result<String, String>)> {
    let url = root.join(name).ok()?;
    let text = match world.read(&url) {
        Err(failure) if failure.is_missing => return None,
        Err(failure) => Err(failure.message),
        Ok(bytes) if bytes.len() > SOURCE_SIZE_BYTES_MAX => Err("it is too large".to_owned()),
        Ok(bytes) => String::from_utf8(bytes.to_vec()).map_err(|_| "it is not UTF-8".to_owned()),
    };
    let shown = text.as_deref().unwrap_or_default();
    let file = sources.add(SourceFile {
        url,
        name: name.to_owned(),
        role: Role::Settings,
        lines: Arc::new(LineIndex::new(shown)),
        text: shown.into(),
        tree: None,
        specs: None,
        is_present: text.is_ok(),
    });
    Some((file, text))
}

/// Reads the settings in the directory `root` and adds their file to the sources, if there is one.
pub(crate) fn load(
    world: &dyn World,
    root: &Url,
    sources: &mut Sources,
    sink: &mut Sink,
) -> Settings {
    let Some((file, text)) = read_project_file(world, root, NAME, sources) else {
        return Settings::default();
    };
    let text = text.unwrap_or_else(|words| {
        sink.report(unreadable(&words, Range::default().in_file(file)));
        String::new()
    });
    let mut reader = Reader { file, settings: Settings::default(), sink };
    let (table, errors) = DeTable::parse_recoverable(&text);
    for error in errors {
        let span = reader.span(error.span().unwrap_or_default());
        reader.sink.report(syntax(error.message(), span));
    }
    reader.read(table.get_ref());
    reader.settings
}

struct Reader<'r> {
    file: FileId,
    settings: Settings,
    sink: &'r mut Sink,
}

impl Reader<'_> {
    fn read(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "requires" => self.read_requirement(value),
                "lints" => self.read_levels(value),
                "roots" => self.settings.roots = self.texts("roots", value),
                "fetch" => self.read_table("fetch", &FETCH_KEYS, value, |reader, _, value| {
                    reader.settings.fetch_allowed = reader.texts("allow", value);
                }),
                "run" => self.read_table("run", &RUN_KEYS, value, |reader, key, value| match key {
                    "memory" => reader.read_memory(value),
                    _ => reader.settings.run.data = reader.text(key, value),
                }),
                "storage" => self.read_storage(value),
                "tasks" => self.read_tasks(value),
                name => {
                    let diagnostic = unknown_key(name, NAME, &KEYS, self.span(key.span()));
                    self.sink.report(diagnostic);
                }
            }
        }
    }

    /// Reads a table of known keys.
    fn read_table(
        &mut self,
        name: &str,
        keys: &[&str],
        value: &Spanned<DeValue<'_>>,
        mut read: impl FnMut(&mut Self, &str, &Spanned<DeValue<'_>>),
    ) {
        let Some(table) = value.get_ref().as_table() else {
            let diagnostic = wrong_type(name, "a table", self.span(value.span()));
            return self.sink.report(diagnostic);
        };
        for (key, value) in table {
            let text = key.get_ref().as_ref();
            if keys.contains(&text) {
                read(self, text, value);
            } else {
                let table = format!("[{name}]");
                let diagnostic = unknown_key(text, &table, keys, self.span(key.span()));
                self.sink.report(diagnostic);
            }
        }
    }

    fn read_memory(&mut self, value: &Spanned<DeValue<'_>>) {
        let Some(text) = self.text("memory", value) else { return };
        self.settings.run.memory_bytes = size_bytes(&text);
        if self.settings.run.memory_bytes.is_none() {
            let span = self.span(value.span());
            self.sink.report(wrong_type("memory", "a size such as `512MiB`", span));
        }
    }

    /// `[storage]`: prefixes of collections and where they are stored, which is the data directory only.
    fn read_storage(&mut self, value: &Spanned<DeValue<'_>>) {
        let Some(table) = value.get_ref().as_table() else {
            let diagnostic = wrong_type("storage", "a table", self.span(value.span()));
            return self.sink.report(diagnostic);
        };
        for (prefix, place) in table {
            let (text, span) = (prefix.get_ref().as_ref(), self.span(prefix.span()));
            let Some(url) = self.text(text, place) else { continue };
            self.sink.report(if !text.is_empty() && !text.ends_with('/') {
                open_prefix(text, span)
            } else if Url::parse(&url).is_err() {
                wrong_type(text, "a URL", self.span(place.span()))
            } else {
                unsupported_storage(text, &url, span)
            });
        }
    }

    /// `[tasks."name"]`: how single tasks run.
    fn read_tasks(&mut self, value: &Spanned<DeValue<'_>>) {
        let Some(tasks) = value.get_ref().as_table() else {
            let diagnostic = wrong_type("tasks", "a table", self.span(value.span()));
            return self.sink.report(diagnostic);
        };
        for (task, value) in tasks {
            let name = format!("tasks.\"{}\"", task.get_ref());
            self.settings.tasks.push((task.get_ref().to_string(), self.span(task.span())));
            self.read_table(&name, &TASK_KEYS, value, |reader, key, value| {
                let span = reader.span(value.span());
                if key == "shards" {
                    let found = shards(value.get_ref(), task.get_ref(), span);
                    return found.into_iter().for_each(|found| reader.sink.report(found));
                }
                match value.get_ref().as_str().and_then(ScriptEngine::by_name) {
                    Some(engine) => {
                        let task = task.get_ref().to_string();
                        reader.settings.engines.insert(task, (engine, span));
                    }
                    None => reader.sink.report(wrong_type("js", &engines(), span)),
                }
            });
        }
    }

    fn text(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<String> {
        let text = value.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            let diagnostic = wrong_type(key, "a string", self.span(value.span()));
            self.sink.report(diagnostic);
        }
        text
    }

    fn texts(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Vec<String> {
        let Some(items) = value.get_ref().as_array() else {
            let diagnostic = wrong_type(key, "a list of strings", self.span(value.span()));
            self.sink.report(diagnostic);
            return Vec::new();
        };
        let item = format!("an item of {key}");
        items.iter().filter_map(|value| self.text(&item, value)).collect()
    }

    fn read_requirement(&mut self, value: &Spanned<DeValue<'_>>) {
        let span = self.span(value.span());
        let Some(text) = value.get_ref().as_str() else {
            return self.sink.report(wrong_type("requires", "a string", span));
        };
        match is_met(text, VERSION) {
            Some(true) => {}
            Some(false) => self.sink.report(other_version(text, span)),
            None => self.sink.report(not_a_requirement(text, span)),
        }
    }

    fn read_levels(&mut self, value: &Spanned<DeValue<'_>>) {
        let span = self.span(value.span());
        let Some(table) = value.get_ref().as_table() else {
            return self.sink.report(wrong_type("lints", "a table", span));
        };
        for (key, value) in table {
            if let Err(diagnostic) = self.read_level(key, value) {
                self.sink.report(*diagnostic);
            }
        }
    }

    fn read_level(
        &mut self,
        key: &Spanned<Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<(), Box<Diagnostic>> {
        let slug = key.get_ref().as_ref();
        let (place, at_value) = (self.span(key.span()), self.span(value.span()));
        let rule = rules::by_slug(slug).ok_or_else(|| unknown_rule(slug, place))?;
        if rule.severity == Severity::Error {
            return Err(Box::new(level_of_error(slug, place)));
        }
        let level = match value.get_ref().as_str() {
            Some("allow") => Level::Allow,
            Some("warn") => Level::Warn,
            Some("deny") => Level::Deny,
            other => return Err(Box::new(unknown_level(slug, other, at_value))),
        };
        self.settings.levels.insert(rule.slug, level);
        Ok(())
    }

    fn span(&self, range: std::ops::Range<usize>) -> Span {
        let offset = |value| u32::try_from(value).unwrap_or(u32::MAX);
        Range::new(offset(range.start), offset(range.end)).in_file(self.file)
    }
}

/// What is to be said of the `shards` of a task.
fn shards(value: &DeValue<'_>, task: &str, span: Span) -> Option<Diagnostic> {
    let number = value.as_integer().and_then(|number| number.as_str().parse::<u32>().ok());
    match number.filter(|number| number.is_power_of_two()) {
        None => Some(wrong_type("shards", "a power of two", span)),
        Some(1) => None,
        Some(number) => {
            let message = format!("`{task}` runs in one shard, not in {number}");
            Some(without_effect(message, "this version splits no task", span))
        }
    }
}

/// The engines that can be chosen, in a sentence.
fn engines() -> String {
    let [first, second, third] = ScriptEngine::ALL.map(ScriptEngine::name);
    format!("`{first}`, `{second}` or `{third}`")
}

/// Whether a version meets all of a list of comparisons such as `>=0.3, <1`; nothing when the list is not one.
fn is_met(requirement: &str, version: &str) -> Option<bool> {
    let version = numbers(version)?;
    let mut is_met = true;
    for comparison in requirement.split(',').map(str::trim) {
        let digits = comparison.find(|character: char| character.is_ascii_digit())?;
        let (sign, wanted) = comparison.split_at(digits);
        let order = version.cmp(&numbers(wanted)?);
        is_met &= match sign.trim() {
            ">=" => order.is_ge(),
            ">" => order.is_gt(),
            "<=" => order.is_le(),
            "<" => order.is_lt(),
            "=" => order.is_eq(),
            _ => return None,
        };
    }
    Some(is_met)
}

/// The three numbers of a version; missing ones are 0.
fn numbers(version: &str) -> Option<[u64; 3]> {
    let mut numbers = [0; 3];
    let mut places = numbers.iter_mut();
    for part in version.split('.') {
        *places.next()? = part.parse().ok()?;
    }
    Some(numbers)
}

fn unreadable(words: &str, span: Span) -> Diagnostic {
    Diagnostic::new(&rules::SETTINGS_SYNTAX, span, format!("`{NAME}` cannot be read: {words}"))
        .help("make it a readable text, or remove it")
}

fn syntax(message: &str, span: Span) -> Diagnostic {
    let message = message.lines().collect::<Vec<_>>().join(", ");
    Diagnostic::new(&rules::SETTINGS_SYNTAX, span, format!("`{NAME}` is not TOML: {message}"))
        .label("it cannot be read on from here")
        .help("correct the text")
}

fn unknown_key(name: &str, table: &str, keys: &[&str], span: Span) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(&rules::UNKNOWN_SETTING, span, format!("`{table}` has no key `{name}`"))
            .label("this would be ignored");
    match nearest(name, keys.iter().copied()) {
        Some(near) => diagnostic.fix(Fix::replace(span, near, format!("name `{near}`"))),
        None => diagnostic.help(format!("use one of {}", keys.join(", "))),
    }
}

fn open_prefix(prefix: &str, span: Span) -> Diagnostic {
    let message = format!("the prefix `{prefix}` does not end in `/`");
    Diagnostic::new(&rules::WRONG_SETTING, span, message)
        .label("it would cut names in the middle of a component")
        .help(format!("write \"{prefix}/\""))
}

fn unsupported_storage(prefix: &str, url: &str, span: Span) -> Diagnostic {
    let collections = match prefix {
        "" => "collections".to_owned(),
        prefix => format!("collections below `{prefix}`"),
    };
    let message = format!("{collections} cannot be stored at `{url}`");
    Diagnostic::new(&rules::UNSUPPORTED_STORAGE, span, message)
        .label("this version stores everything in the data directory")
        .help("remove the line; `data` of `[run]` names the data directory")
}

fn without_effect(message: String, label: &str, span: Span) -> Diagnostic {
    Diagnostic::new(&rules::SETTING_WITHOUT_EFFECT, span, message)
        .label(label)
        .help("remove it, or allow this warning in `[lints]`")
}

fn unknown_task(name: &str, tasks: &BTreeSet<&str>, span: Span) -> Diagnostic {
    let message = format!("the catalog has no task `{name}`");
    let diagnostic = Diagnostic::new(&rules::SETTING_WITHOUT_EFFECT, span, message)
        .label("these settings are nobody's");
    match nearest(name, tasks.iter().copied()) {
        Some(near) => {
            let fix = Fix::replace(span, format!("\"{near}\""), format!("name `{near}`"));
            diagnostic.fix(fix.unsafe_to_apply())
        }
        None => diagnostic.help("name a capture, a materialization or a collection that derives"),
    }
}

fn unknown_rule(slug: &str, span: Span) -> Box<Diagnostic> {
    let diagnostic =
        Diagnostic::new(&rules::UNKNOWN_SETTING, span, format!("there is no rule `{slug}`"))
            .label("this would be ignored");
    let warnings = rules::ALL.iter().filter(|rule| rule.severity == Severity::Warning);
    Box::new(match nearest(slug, warnings.map(|rule| rule.slug)) {
        Some(near) => diagnostic.fix(Fix::replace(span, near, format!("name `{near}`"))),
        None => diagnostic.help("name a rule that `tidegate explain` lists as a warning"),
    })
}

fn wrong_type(key: &str, wanted: &str, span: Span) -> Diagnostic {
    Diagnostic::new(&rules::WRONG_SETTING, span, format!("`{key}` is not {wanted}"))
        .label("this is something else")
        .help(format!("write {wanted}"))
}

fn not_a_requirement(text: &str, span: Span) -> Diagnostic {
    Diagnostic::new(&rules::WRONG_SETTING, span, format!("`{text}` does not say which versions"))
        .label("versions are compared with this")
        .help("write comparisons such as `>=0.3` or `>=0.3, <1`")
}

fn level_of_error(slug: &str, span: Span) -> Diagnostic {
    let message = format!("`{slug}` is an error, and only warnings have levels");
    Diagnostic::new(&rules::WRONG_SETTING, span, message)
        .label("a catalog with this error cannot be built")
        .help("remove the line")
}

fn unknown_level(slug: &str, written: Option<&str>, span: Span) -> Diagnostic {
    let message = match written {
        Some(text) => format!("`{slug}` has no level `{text}`"),
        None => format!("the level of `{slug}` is not a string"),
    };
    let diagnostic =
        Diagnostic::new(&rules::WRONG_SETTING, span, message).label("this is not a level");
    match written.and_then(|text| nearest(text, LEVELS)) {
        Some(near) => {
            diagnostic.fix(Fix::replace(span, format!("\"{near}\""), format!("write `{near}`")))
        }
        None => diagnostic.help("write \"allow\", \"warn\" or \"deny\""),
    }
}

fn other_version(text: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        &rules::OTHER_VERSION_REQUIRED,
        span,
        format!("this is tidegate {VERSION}, and the project requires `{text}`"),
    )
    .label("required here")
    .help("install a version that meets the requirement, or change it")
}

#[cfg(test)]
mod tests {
    use super::is_met;

    #[test]
    fn versions_are_compared_number_by_number() {
        assert_eq!(is_met(">=0.3", "0.10.0"), Some(true));
        assert_eq!(is_met(">= 0.3, <1", "1.0.0"), Some(false));
        assert_eq!(is_met("=0.3.1", "0.3.1"), Some(true));
        assert_eq!(is_met(">0.3.1,<=2", "0.3.1"), Some(false));
    }

    #[test]
    fn other_text_is_no_requirement() {
        for text in ["", "0.3", "^1", ">=", ">=1.2.3.4", ">=1.x", ">=1,", "~> 99999999999999999999"]
        {
            assert_eq!(is_met(text, "0.1.0"), None, "{text}");
        }
    }
}
