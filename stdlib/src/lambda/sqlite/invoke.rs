//! Compiled lambdas: one invocation binds a document, runs every statement and hands out the rows
//! as documents.

use std::cell::Cell;
use std::fmt;
use std::ops::Range;

use rusqlite::{CachedStatement, Connection};

use super::super::{Invocation, Rows};
use super::bind::Binder;
use super::locate::Statement;
use super::rows::{Output, RowsLeft, add};
use super::statements::{find_text, numbered};
use super::{Binding, Guard, GuardMode, Parameters, SqlFailure, SqlFailureKind, split};

/// A lambda whose statements have been prepared once against a database with its migrations.
#[derive(Debug)]
pub struct Lambda {
    statements: Vec<Compiled>,
}

impl Lambda {
    /// Prepares the statements of `text`.
    ///
    /// # Errors
    /// Every statement that cannot be prepared or has an unknown parameter, in order.
    pub fn compile(
        connection: &Connection,
        guard: &Guard,
        text: &str,
        parameters: &Parameters,
    ) -> Result<Self, Vec<SqlFailure>> {
        let ranges = split(text).map_err(|failure| vec![failure])?;
        let mut statements = Vec::with_capacity(ranges.len());
        let mut failures = Vec::new();
        for range in &ranges {
            match Compiled::new(connection, guard, Statement::new(text, range), parameters) {
                Ok(compiled) => statements.push(compiled),
                Err(more) => failures.extend(more),
            }
        }
        if failures.is_empty() { Ok(Self { statements }) } else { Err(failures) }
    }

    /// Whether every statement only reads.
    pub fn is_read_only(&self) -> bool {
        self.statements.iter().all(|statement| statement.is_read_only)
    }

    /// Whether every statement asks for rows and does nothing else: it neither writes nor begins a savepoint.
    pub fn is_query(&self) -> bool {
        self.statements.iter().all(|statement| statement.is_read_only && statement.columns > 0)
    }

    /// The names of the result columns of each statement as documents have them; empty for a
    /// statement without rows, or one whose single column is the document.
    pub fn columns(&self) -> Vec<Vec<String>> {
        let columns = self.statements.iter().map(|statement| match &statement.output {
            Output::Document => Vec::new(),
            Output::Properties(properties) => properties.names().to_vec(),
        });
        columns.collect()
    }

    /// The bytes of each statement, and how many rows it has given or changed in all invocations so far.
    pub fn effects(&self) -> impl Iterator<Item = (Range<usize>, u64)> {
        self.statements.iter().map(|statement| {
            let range = statement.start..statement.start + statement.text.len();
            (range, statement.effects.get())
        })
    }

    /// The statements in order.
    pub fn statements(&self) -> impl ExactSizeIterator<Item = LambdaStatement<'_>> {
        self.statements.iter().map(LambdaStatement)
    }

    /// The fields that the lambda reads, sorted.
    pub fn fields(&self) -> Vec<String> {
        let parameters = self.statements.iter().flat_map(|statement| &statement.parameters);
        let mut fields: Vec<String> =
            parameters.map(|parameter| parameter.binding.field.clone()).collect();
        fields.sort_unstable();
        fields.dedup();
        fields
    }

    /// Takes the statements out of the connection's cache for a number of invocations.
    ///
    /// # Errors
    /// A statement that can no longer be prepared.
    pub fn prepare<'l>(
        &'l self,
        connection: &'l Connection,
        guard: &'l Guard,
    ) -> Result<PreparedLambda<'l>, SqlFailure> {
        let statements = self.statements.iter().map(|compiled| {
            let prepared = guard
                .within(GuardMode::Lambda, || connection.prepare_cached(&compiled.text))
                .map_err(|error| compiled.statement().prepare_failure(guard, &error))?;
            Ok((compiled, prepared))
        });
        Ok(PreparedLambda { connection, guard, statements: statements.collect::<Result<_, _>>()? })
    }

    /// Runs the lambda once.
    ///
    /// # Errors
    /// As [`Lambda::prepare`] and [`PreparedLambda::invoke`].
    pub fn invoke(
        &self,
        connection: &Connection,
        guard: &Guard,
        invocation: Invocation<'_>,
        rows: &mut Rows,
    ) -> Result<(), SqlFailure> {
        self.prepare(connection, guard)?.invoke(invocation, rows)
    }
}

/// A lambda with its statements at hand. They go back to the connection's cache when it is dropped.
pub struct PreparedLambda<'l> {
    connection: &'l Connection,
    guard: &'l Guard,
    statements: Vec<(&'l Compiled, CachedStatement<'l>)>,
}

impl PreparedLambda<'_> {
    /// Runs every statement with the document's values and adds each row to `rows`.
    ///
    /// # Errors
    /// The failing statement; nothing is rolled back here.
    pub fn invoke(
        &mut self,
        invocation: Invocation<'_>,
        rows: &mut Rows,
    ) -> Result<(), SqlFailure> {
        self.guard.reset_steps();
        let mut left = RowsLeft::default();
        for (compiled, prepared) in &mut self.statements {
            compiled.run(prepared, self.guard, invocation, &mut left, rows)?;
            if !compiled.is_read_only {
                compiled.count_effects(self.connection.changes());
            }
        }
        Ok(())
    }
}

impl fmt::Debug for PreparedLambda<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PreparedLambda").finish_non_exhaustive()
    }
}

/// One statement whose parameters are resolved.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) text: String,
    /// Where it begins in the block.
    start: usize,
    parameters: Vec<Parameter>,
    /// How many columns a row has.
    pub(super) columns: usize,
    output: Output,
    pub(super) is_read_only: bool,
    /// Rows that it has given or changed.
    effects: Cell<u64>,
}

/// One parameter of a statement.
#[derive(Debug)]
struct Parameter {
    /// Its number in the statement, from 1.
    index: usize,
    /// Its first token in the statement.
    range: Range<usize>,
    name: String,
    binding: Binding,
    binder: Binder,
}

/// One statement of a lambda, as far as it is known before it runs.
#[derive(Debug, Clone, Copy)]
pub struct LambdaStatement<'l>(&'l Compiled);

/// What the rows of a statement become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowForm<'l> {
    /// The value of the only column is the document.
    Document,
    /// An object with these properties, one for each column; of equal ones the last stays. None when there are no rows.
    Properties(&'l [String]),
}

impl<'l> LambdaStatement<'l> {
    /// The bytes of the statement in the block.
    pub fn range(self) -> Range<usize> {
        self.0.start..self.0.start + self.0.text.len()
    }

    /// The text with the numbers of parameters in place of their names: `?1`, `?2` and so on.
    pub fn numbered_text(self) -> String {
        numbered(&self.0.text, |name| {
            self.0.parameters.iter().find(|it| it.name == name).map(|it| it.index)
        })
    }

    /// The parameters with their numbers.
    pub fn bindings(self) -> impl Iterator<Item = (usize, &'l Binding)> {
        self.0.parameters.iter().map(|parameter| (parameter.index, &parameter.binding))
    }

    /// What its rows become.
    pub fn row_form(self) -> RowForm<'l> {
        match &self.0.output {
            Output::Document => RowForm::Document,
            Output::Properties(properties) => RowForm::Properties(properties.names()),
        }
    }
}

impl Compiled {
    pub(super) fn new(
        connection: &Connection,
        guard: &Guard,
        statement: Statement<'_>,
        parameters: &Parameters,
    ) -> Result<Self, Vec<SqlFailure>> {
        statement.check_tokens(GuardMode::Lambda).map_err(|failure| vec![failure])?;
        // Not from the cache: there a statement of the runtime with the same text would pass the
        // authorizer.
        let prepared = guard
            .within(GuardMode::Lambda, || connection.prepare(statement.text))
            .map_err(|error| vec![statement.prepare_failure(guard, &error)])?;
        let mut resolved = Vec::new();
        let mut failures = Vec::new();
        for index in 1..=prepared.parameter_count() {
            match resolve(statement, index, prepared.parameter_name(index), parameters) {
                Ok(parameter) => resolved.extend(parameter),
                Err(failure) => failures.push(failure),
            }
        }
        if !failures.is_empty() {
            failures.sort_by_key(|failure| failure.range.start);
            return Err(failures);
        }
        let field = |column: &str| {
            let parameter = resolved.iter().find(|parameter| parameter.name == column)?;
            Some(parameter.binding.field.clone())
        };
        Ok(Self {
            text: statement.text.to_owned(),
            start: statement.start,
            columns: prepared.column_count(),
            output: Output::new(prepared.column_names(), field),
            is_read_only: prepared.readonly(),
            parameters: resolved,
            effects: Cell::new(0),
        })
    }

    fn run(
        &self,
        prepared: &mut CachedStatement<'_>,
        guard: &Guard,
        invocation: Invocation<'_>,
        left: &mut RowsLeft,
        rows: &mut Rows,
    ) -> Result<(), SqlFailure> {
        let statement = self.statement();
        self.bind(prepared, invocation)?;
        let mut results = prepared.raw_query();
        loop {
            let cursor = &mut results;
            let row = guard
                .within(GuardMode::Lambda, move || cursor.next())
                .map_err(|error| statement.step_failure(guard, &error))?;
            let Some(row) = row else { return Ok(()) };
            self.count_effects(1);
            add(rows, &self.output, row, left)
                .map_err(|(kind, message)| statement.failure(None, kind, message))?;
        }
    }

    /// Gives the statement the document's values.
    pub(super) fn bind(
        &self,
        prepared: &mut CachedStatement<'_>,
        invocation: Invocation<'_>,
    ) -> Result<(), SqlFailure> {
        for parameter in &self.parameters {
            let value = parameter
                .binder
                .bind(invocation.document, invocation.uuid)
                .map_err(|message| self.bind_failure(parameter, &message))?;
            prepared
                .raw_bind_parameter(parameter.index, value)
                .map_err(|error| self.bind_failure(parameter, &error.to_string()))?;
        }
        Ok(())
    }

    fn count_effects(&self, rows: u64) {
        self.effects.set(self.effects.get().saturating_add(rows));
    }

    pub(super) fn statement(&self) -> Statement<'_> {
        Statement { text: &self.text, start: self.start }
    }

    fn bind_failure(&self, parameter: &Parameter, reason: &str) -> SqlFailure {
        SqlFailure {
            range: self.start + parameter.range.start..self.start + parameter.range.end,
            kind: SqlFailureKind::Bind,
            message: format!("`{}` cannot be bound: {reason}", parameter.name),
        }
    }
}

/// Resolves one parameter; `None` for a number that only a greater one of `?9` implies.
fn resolve(
    statement: Statement<'_>,
    index: usize,
    name: Option<&str>,
    parameters: &Parameters,
) -> Result<Option<Parameter>, SqlFailure> {
    let Some(token) = find_text(statement.text, name.unwrap_or("?")) else { return Ok(None) };
    let name = token.text(statement.text).to_owned();
    if name.starts_with('?') {
        let message = format!("`{name}` has no name: parameters are named after fields");
        let kind = SqlFailureKind::UnknownParameter { parameter: name, nearest: None };
        return Err(statement.failure(Some(token), kind, message));
    }
    match parameters.resolve(&name) {
        Ok(binding) => {
            let binder = Binder::new(&binding);
            Ok(Some(Parameter { index, range: token.range, name, binding, binder }))
        }
        Err(unresolved) => {
            let message = format!("parameter `{name}` is no field of the source");
            let nearest = unresolved.nearest;
            let kind = SqlFailureKind::UnknownParameter { parameter: name, nearest };
            Err(statement.failure(Some(token), kind, message))
        }
    }
}
