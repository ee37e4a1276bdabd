//! SQL of migrations and lambdas, run and prepared by SQLite itself.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value;
use tidegate_stdlib::document::{Document, Documents, Node};
use tidegate_stdlib::lambda::sqlite::{
    self, Guard, KeyLambda, Lambda, Parameters, SqlFailure, SqlFailureKind, migrate, open_in_memory,
};
use tidegate_stdlib::lambda::{Invocation, Rows};

use super::selectors::ReadCollection;
use tidegate_stdlib::limits::LAMBDA_STEPS_MAX;
use tidegate_stdlib::shape::Types;

use super::refute;
use super::sql_advice::{self, LambdaSubject};
use super::witness;
use crate::catalog::{ScriptAbsence, ScriptSource};
use crate::diag::{Diagnostic, Edit, Fix, Sink, nearest, rules};
use crate::limits::{LAMBDA_TRIAL_STEPS_MAX, LAMBDA_TRIALS_MAX};
use crate::model::InlineOrFile;
use crate::source::{FileId, Role, Sources, Span};

/// The UUID of documents that lambdas are tried on: published documents have one.
pub(super) const TRIAL_UUID: &str = "9ec9af8e-0b34-11ee-be56-0242ac120002";
/// The noun for a lambda that makes the shuffle key.
pub(super) const SHUFFLE: &str = "shuffle";
const BEGIN_TRIAL: &str = "SAVEPOINT tidegate_trial";
const UNDO_TRIAL: [&str; 2] = ["ROLLBACK TO tidegate_trial", "RELEASE tidegate_trial"];

/// The text of a migration or lambda; a value that is no text is reported.
pub(super) fn script(
    sources: &Sources,
    file: FileId,
    value: &InlineOrFile,
    noun: &str,
    sink: &mut Sink,
) -> Option<ScriptSource> {
    match ScriptSource::new(sources, file, value, Role::Config) {
        Ok(script) => Some(script),
        Err(ScriptAbsence::Unread) => None,
        Err(ScriptAbsence::NotText) => {
            sink.report(lambda_not_text(noun, value.range().in_file(file)));
            None
        }
    }
}

/// Whether a text has no statement.
pub(super) fn is_blank(text: &str) -> bool {
    sqlite::split(text).is_ok_and(|statements| statements.is_empty())
}

/// A document that a lambda is tried on.
pub(super) struct Trial {
    value: Value,
    document: Document,
}

impl Trial {
    pub(super) fn new(value: Value) -> Self {
        let document = Document::from_value(&value);
        Self { value, document }
    }

    pub(super) fn value(&self) -> &Value {
        &self.value
    }

    pub(super) fn root(&self) -> Node<'_> {
        self.document.root()
    }
}

/// A lambda that SQLite has prepared, and what it is about.
pub(super) struct Prepared<'c> {
    script: ScriptSource,
    lambda: Lambda,
    read: ReadCollection<'c>,
    derived: ReadCollection<'c>,
}

impl Prepared<'_> {
    pub(super) fn subject(&self) -> LambdaSubject<'_> {
        let Self { script, lambda, read, derived } = self;
        LambdaSubject { script, lambda, read: *read, derived: *derived }
    }

    /// Whether it only reads.
    pub(super) fn is_read_only(&self) -> bool {
        self.lambda.is_read_only()
    }
}

/// A database with the tables of the migrations that were run.
#[derive(Debug)]
pub(super) struct Database {
    connection: rusqlite::Connection,
    guard: Guard,
    /// The names of all tables and views, known after the migrations.
    tables: OnceCell<Vec<String>>,
}

/// The database of all lambdas that have no migrations: without tables there is nothing that one of them could leave to another.
#[derive(Debug, Default)]
pub(super) struct BlankDatabase(OnceCell<Result<Rc<Database>, SqlFailure>>);

impl BlankDatabase {
    /// The database. When SQLite lacks what lambdas need, that is reported at `span`.
    pub(super) fn get(&self, span: Span, sink: &mut Sink) -> Option<Rc<Database>> {
        let opened = self.0.get_or_init(|| Database::new().map(Rc::new)).as_ref();
        opened.map(Rc::clone).map_err(|failure| sink.report(sqlite_unusable(failure, span))).ok()
    }
}

impl Database {
    fn new() -> Result<Self, SqlFailure> {
        let (connection, guard) = open_in_memory()?;
        Ok(Self { connection, guard, tables: OnceCell::new() })
    }

    /// An empty database. When SQLite lacks what lambdas need, that is reported at `span`.
    pub(super) fn open(span: Span, sink: &mut Sink) -> Option<Self> {
        Self::new().map_err(|failure| sink.report(sqlite_unusable(&failure, span))).ok()
    }

    /// The connection, to look at what the migrations have made.
    pub(super) fn connection(&self) -> &rusqlite::Connection {
        &self.connection
    }

    /// Whether a text names none of the tables and views.
    pub(super) fn touches_no_table(&self, text: &str) -> bool {
        let tables: Vec<&str> = self.tables().iter().map(String::as_str).collect();
        tables.is_empty() || !sqlite::names_any(text, &tables)
    }

    /// Runs a migration; whether it succeeded.
    pub(super) fn migrate(&self, script: &ScriptSource, sink: &mut Sink) -> bool {
        match migrate(&self.connection, &self.guard, &script.script.text) {
            Ok(()) => {
                check_semicolon(script, "migration", sink);
                sql_advice::check_portability(script, "migration", sink);
                true
            }
            Err(failure) => {
                sink.report(self.sql_fault(&failure, script, "migration", None));
                false
            }
        }
    }

    /// Prepares a lambda over a collection. `None` when it cannot be prepared, which is reported, or when it cannot be told, because the
    /// schema of the source cannot be used.
    pub(super) fn prepare<'c>(
        &self,
        script: &ScriptSource,
        read: ReadCollection<'c>,
        derived: ReadCollection<'c>,
        sink: &mut Sink,
    ) -> Option<Prepared<'c>> {
        read.known.validators.as_ref()?;
        let checked = &read.known.checked;
        let shape = Arc::clone(&checked.effective_read_schema().shape);
        let parameters = Parameters::new(checked.projections.iter().map(|it| &**it), shape);
        let text = &script.script.text;
        match Lambda::compile(&self.connection, &self.guard, text, &parameters) {
            Ok(lambda) => {
                check_semicolon(script, "lambda", sink);
                sql_advice::check_portability(script, "lambda", sink);
                let prepared = Prepared { script: script.clone(), lambda, read, derived };
                sql_advice::check_repeatability(script, sink);
                Some(prepared)
            }
            Err(failures) => {
                let mut unknown = BTreeSet::new();
                for failure in &failures {
                    // A name that is missing is one mistake, however often it is used.
                    if let SqlFailureKind::Unknown(name) = &failure.kind
                        && !unknown.insert(name)
                    {
                        continue;
                    }
                    sink.report(self.sql_fault(failure, script, "lambda", Some(read)));
                }
                None
            }
        }
    }

    /// Prepares a lambda that makes the shuffle key of a collection's documents, and tries it on some of them.
    pub(super) fn check_key(
        &self,
        script: &ScriptSource,
        read: ReadCollection<'_>,
        types: &[Types],
        sink: &mut Sink,
    ) {
        let Some(validators) = &read.known.validators else { return };
        let checked = &read.known.checked;
        let shape = Arc::clone(&checked.effective_read_schema().shape);
        let parameters = Parameters::new(checked.projections.iter().map(|it| &**it), shape.clone());
        let (connection, guard) = (&self.connection, &self.guard);
        let text = &script.script.text;
        match KeyLambda::compile(connection, guard, text, &parameters, types.to_vec()) {
            Ok(lambda) => {
                check_semicolon(script, SHUFFLE, sink);
                let admitting = validators.read.as_ref().unwrap_or(&validators.write).schema();
                let candidates = witness::candidates_at(&shape, &|_| true).into_iter();
                let mut tried =
                    candidates.filter(|it| admitting.is_valid(it)).take(LAMBDA_TRIALS_MAX);
                let refused = tried.find_map(|value| {
                    let document = Document::from_value(&value);
                    let invocation =
                        Invocation { document: document.root(), uuid: Some(TRIAL_UUID) };
                    let failure = lambda.key(connection, guard, invocation).err()?;
                    (failure.kind == SqlFailureKind::NoKey).then_some((failure, value))
                });
                if let Some((failure, document)) = refused {
                    let diagnostic = self.sql_fault(&failure, script, SHUFFLE, Some(read));
                    sink.report(diagnostic.note(format!("for {}", refute::shown(&document))));
                }
            }
            Err(failures) => {
                for failure in &failures {
                    sink.report(self.sql_fault(failure, script, SHUFFLE, Some(read)));
                }
            }
        }
    }

    /// Tries a lambda: every document runs with empty tables, and once more with what that left in them. `examine` looks at the
    /// rows of an invocation until it finds something. Nothing stays in the tables.
    pub(super) fn try_out<T>(
        &self,
        lambda: &Lambda,
        trials: impl Iterator<Item = Trial>,
        examine: &dyn Fn(&Trial, &Documents) -> Option<T>,
    ) -> Option<T> {
        let mut prepared = lambda.prepare(&self.connection, &self.guard).ok()?;
        let invocations = if lambda.is_read_only() { 1 } else { 2 };
        let leaves_traces = !lambda.is_query();
        self.guard.limit_steps(LAMBDA_TRIAL_STEPS_MAX);
        let mut rows = Rows::default();
        let mut found = None;
        for trial in trials {
            let invocation = Invocation { document: trial.root(), uuid: Some(TRIAL_UUID) };
            let is_begun = !leaves_traces || self.run(BEGIN_TRIAL);
            let mut ended = Ok(());
            for _ in 0..invocations {
                rows.clear();
                ended = prepared.invoke(invocation, &mut rows);
                if ended.is_ok() && found.is_none() {
                    found = examine(&trial, rows.documents());
                }
            }
            let is_undone =
                !leaves_traces || is_begun && UNDO_TRIAL.iter().all(|undo| self.run(undo));
            let is_limited = ended.is_err_and(|failure| failure.kind == SqlFailureKind::Limit);
            if found.is_some() || !is_undone || is_limited {
                break;
            }
        }
        self.guard.limit_steps(LAMBDA_STEPS_MAX);
        found
    }

    /// Runs a statement of this program; whether it succeeded.
    fn run(&self, statement: &str) -> bool {
        let prepared = self.connection.prepare_cached(statement);
        prepared.and_then(|mut prepared| prepared.execute([])).is_ok()
    }

    fn sql_fault(
        &self,
        failure: &SqlFailure,
        script: &ScriptSource,
        noun: &str,
        read: Option<ReadCollection<'_>>,
    ) -> Diagnostic {
        let span = script.span(failure.range.clone());
        let message = failure.message.clone();
        let new = |rule| Diagnostic::new(rule, span, message.clone());
        match &failure.kind {
            SqlFailureKind::Syntax if message.ends_with("already exists") => {
                new(&rules::MIGRATION_CANNOT_RUN)
                    .label("a statement before this one made it")
                    .help("remove one of the two, or give it another name")
            }
            SqlFailureKind::Syntax | SqlFailureKind::Incomplete => new(&rules::SQL_SYNTAX)
                .label("SQLite does not understand the statement from here")
                .help("correct the statement"),
            // The database of a shuffle is empty, so there is nothing that could have been meant.
            SqlFailureKind::Unknown(_) if noun == SHUFFLE => new(&rules::SQL_UNKNOWN_NAME)
                .label("a shuffle sees no tables: it chooses the shard whose tables would be seen")
                .help("make the key of the document alone"),
            SqlFailureKind::Unknown(name) => {
                let is_whole = script.script.text.get(failure.range.clone()) == Some(name);
                self.sql_unknown_name(name, is_whole, new(&rules::SQL_UNKNOWN_NAME))
            }
            SqlFailureKind::UnknownParameter { parameter, nearest } => {
                unknown_parameter(parameter, nearest.as_deref(), span, read)
            }
            SqlFailureKind::EndsTransaction => new(&rules::LAMBDA_ENDS_TRANSACTION)
                .label("the transaction around this is committed with the task's progress")
                .help("remove the statement, or use SAVEPOINT, RELEASE and ROLLBACK TO"),
            SqlFailureKind::Denied => new(&rules::SQL_DENIED)
                .label(format!("a {noun} may not do this"))
                .help(match noun {
                    "lambda" => "create tables, indices, views and triggers in `migrations`",
                    _ => "use names and statements of your own tables only",
                }),
            SqlFailureKind::ParameterInMigration => new(&rules::PARAMETER_IN_MIGRATION)
                .label("a migration runs before there are documents")
                .help("use the parameter in a lambda"),
            SqlFailureKind::NoKey => new(&rules::SHUFFLE_LAMBDA_MISMATCH)
                .label("it must give one row for each document, a column for each component of the key")
                .help("write one SELECT that gives the shuffle key of a document"),
            SqlFailureKind::Execution | SqlFailureKind::Bind | SqlFailureKind::Limit => {
                new(&rules::MIGRATION_CANNOT_RUN)
                    .label("this statement fails when it runs on an empty database")
                    .help("correct the statement")
            }
        }
    }

    /// `is_whole` when the place is the name and nothing else.
    fn sql_unknown_name(&self, name: &str, is_whole: bool, diagnostic: Diagnostic) -> Diagnostic {
        let names = self.names();
        let last = name.rsplit('.').next().unwrap_or(name);
        let diagnostic = diagnostic.label("the database of this derivation does not have it");
        match nearest(last, names.iter().map(String::as_str)) {
            Some(near) if is_whole => {
                let fix = Fix::replace(diagnostic.primary.span, near, format!("name `{near}`"));
                diagnostic.fix(fix.unsafe_to_apply())
            }
            Some(near) => diagnostic.help(format!("name `{near}`")),
            None => diagnostic.help("create it in `migrations`, or name an existing one"),
        }
    }

    /// The names of all tables and views.
    fn tables(&self) -> &[String] {
        const QUERY: &str =
            "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY 1";
        self.tables.get_or_init(|| self.texts(QUERY))
    }

    /// The names of all tables, views and columns.
    fn names(&self) -> Vec<String> {
        const QUERY: &str = "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') \
             UNION SELECT columns.name FROM sqlite_schema AS objects, \
             pragma_table_info(objects.name) AS columns \
             WHERE objects.type IN ('table', 'view') ORDER BY 1";
        self.texts(QUERY)
    }

    /// The only column of a query.
    fn texts(&self, query: &str) -> Vec<String> {
        let Ok(mut statement) = self.connection.prepare(query) else { return Vec::new() };
        let rows = statement.query_map([], |row| row.get::<_, String>(0));
        rows.map(|rows| rows.filter_map(Result::ok).collect()).unwrap_or_default()
    }
}

/// Other tools refuse a text whose last statement is not closed. Of a text with a fault nothing is said: its last statement may
/// lack more than that.
fn check_semicolon(script: &ScriptSource, noun: &str, sink: &mut Sink) {
    if let Some(end) = sqlite::missing_semicolon(&script.script.text) {
        sink.report(missing_semicolon(script, end, noun));
    }
}

fn missing_semicolon(script: &ScriptSource, end: usize, noun: &str) -> Diagnostic {
    let last = script.script.text.get(..end).and_then(|text| text.chars().next_back());
    let begin = end - last.map_or(0, char::len_utf8);
    let span = script.span(begin..end);
    let insertion = crate::source::Range::new(span.range.end, span.range.end).in_file(span.file);
    let fix = Fix {
        edits: vec![Edit { span: insertion, text: ";".to_owned() }],
        ..Fix::replace(insertion, "", "close the statement with `;`")
    };
    Diagnostic::new(
        &rules::MISSING_SEMICOLON,
        span,
        format!("the last statement of the {noun} has no `;`"),
    )
    .label("it ends here")
    .note("it works here, but other tools refuse it")
    .fix(fix)
}

fn lambda_not_text(noun: &str, span: Span) -> Diagnostic {
    Diagnostic::new(&rules::LAMBDA_NOT_TEXT, span, format!("the {noun} is not text"))
        .label("this is a value, where SQL is expected")
        .help("write the SQL as text, or name a file that has it")
}

fn unknown_parameter(
    parameter: &str,
    near: Option<&str>,
    span: Span,
    read: Option<ReadCollection<'_>>,
) -> Diagnostic {
    let source = read.map_or("the source", |read| read.declared.name());
    if parameter.starts_with('?') {
        let message = format!("`{parameter}` does not name a field");
        return Diagnostic::new(&rules::UNKNOWN_PARAMETER, span, message)
            .label("parameters of a lambda are fields by name, not by position")
            .help("use a field of the source, as in `$id`");
    }
    let diagnostic = Diagnostic::new(
        &rules::UNKNOWN_PARAMETER,
        span,
        format!("`{parameter}` is no field of `{source}`"),
    )
    .label("the documents of the source have no such location");
    let diagnostic =
        diagnostic.also(read.map(|read| read.declared.name_span()), "the source is declared here");
    match near {
        Some(near) => diagnostic.fix(Fix::replace(span, near, format!("use `{near}`"))),
        None => diagnostic
            .help("use a field of the source, such as `$flow_document` for the whole document"),
    }
}

fn sqlite_unusable(failure: &SqlFailure, span: Span) -> Diagnostic {
    Diagnostic::new(&rules::SQLITE_UNUSABLE, span, failure.message.clone())
        .label("this derivation needs it")
        .help("build this program with the settings of its repository")
}
