//! What the columns of tables hold.
//!
//! A column is declared to hold something, and holds no more than what the migrations and lambdas write into it: the least that is
//! stable when all of them have written. What an earlier version of the catalog has left in a table is not known. A table that
//! something writes to that is not understood (a trigger, say) may hold all that it is declared to hold.

use std::collections::BTreeMap;

use rusqlite::Connection;
use sqlparser::ast::{
    AlterTableOperation, ColumnDef, ColumnOption, CreateTable, Expr, Statement as Tree,
    TableConstraint,
};
use tidegate_stdlib::lambda::sqlite::{names_any, split};

use super::domain::{Domain, Integers, Reals, Subtype};
use super::environment::{Column, Columns, Environment, Source, Statement};
use super::expression::{self, Affinity, affinity};
use super::narrow::{self, Truth};
use super::query::{self, NotUnderstood, Understood};
use super::writes::{self, Write};
use super::{Parsed, operators, parse};

/// Rounds after which what columns hold is widened.
const ROUNDS_EXACT: usize = 2;
/// Rounds after which tables may hold all that they are declared to hold.
const ROUNDS_MAX: usize = 16;

/// The tables and views of a derivation, by their names in lower case.
#[derive(Debug, Default)]
pub(super) struct Tables {
    tables: BTreeMap<String, Table>,
    /// Whether some column compares texts otherwise than by their bytes.
    has_collations: bool,
    /// The tree of a view, when it is understood.
    views: BTreeMap<String, Option<Tree>>,
}

/// A table.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<TableColumn>,
    /// Whether something writes to it that is not understood.
    is_open: bool,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub(super) struct TableColumn {
    pub(super) name: String,
    affinity: Affinity,
    /// What it is declared to hold.
    declared: Domain,
    /// What it holds.
    held: Domain,
    /// What it holds where nothing was given.
    pub(super) default: Domain,
    /// Whether it is made of the others.
    pub(super) is_generated: bool,
    /// How it is made of them.
    generation: Option<Expr>,
    /// Whether it is the number of the row, which is given when none is.
    is_row_number: bool,
}

impl TableColumn {
    /// What is in the column after a value was stored.
    pub(super) fn stored(&self, value: &Domain) -> Domain {
        let given = if value.null && self.is_row_number {
            Domain { integer: Some(Integers::ALL), ..Domain::none() }
        } else if value.null && !self.declared.null {
            // Where a conflict replaces, a NULL that may not be becomes the default.
            converted(&self.default, self.affinity)
        } else {
            Domain::none()
        };
        converted(value, self.affinity).union(given).meet(&self.declared)
    }
}

impl Table {
    /// What a column is that is made of the others.
    pub(super) fn generated(
        &self,
        column: &TableColumn,
        others: &Columns,
        environment: &Environment<'_>,
    ) -> Domain {
        let Some(generation) = &column.generation else { return Domain::any() };
        let source = Source { name: Some(self.name.clone()), columns: others.clone() };
        expression::domain(generation, &environment.within(vec![source], Vec::new()))
    }

    /// What the columns hold.
    pub(super) fn held(&self) -> Columns {
        let held = |column: &TableColumn| Column {
            name: column.name.clone(),
            domain: if self.is_open { column.declared.clone() } else { column.held.clone() },
        };
        self.columns.iter().map(held).collect()
    }

    /// The column of a name.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name))
    }
}

impl Tables {
    /// The tables that migrations have made, with what these and the lambdas write into them.
    pub(super) fn of(connection: &Connection, migrations: &[&str], lambdas: &[Parsed]) -> Self {
        let mut tables = Self::declared(connection).unwrap_or_default();
        if tables.tables.is_empty() {
            return tables;
        }
        let mut statements: Vec<Parsed> = Vec::new();
        for migration in migrations {
            for range in split(migration).unwrap_or_default() {
                let text = migration.get(range).unwrap_or_default();
                let parsed = Parsed::new(text.to_owned(), BTreeMap::new());
                tables.open_by_migration(&parsed);
                statements.push(parsed);
            }
        }
        statements.extend(lambdas.iter().cloned());
        tables.settle(&statements);
        tables
    }

    /// The table of a name.
    pub(super) fn table(&self, name: &str) -> Option<&Table> {
        self.tables.get(&name.to_ascii_lowercase())
    }

    /// The columns of a table or view; `None` when there is none of that name.
    pub(super) fn columns(
        &self,
        name: &str,
        environment: &Environment<'_>,
    ) -> Option<Understood<Columns>> {
        if let Some(table) = self.table(name) {
            return Some(Ok(table.held()));
        }
        let tree = self.views.get(&name.to_ascii_lowercase())?.as_ref();
        // Views may lead through each other for long.
        let Some(Tree::CreateView(view)) = tree.filter(|_| environment.takes_step()) else {
            return Some(Err(NotUnderstood(format!("view `{name}`"))));
        };
        let columns = query::columns(&view.query, &Environment::new(environment.statement));
        Some(columns.and_then(|columns| {
            let names: Vec<String> = view.columns.iter().map(|it| it.name.value.clone()).collect();
            query::named(columns, &names)
        }))
    }

    /// The tables as they are declared, without anything in them.
    fn declared(connection: &Connection) -> rusqlite::Result<Self> {
        const OBJECTS: &str = "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL";
        let mut tables = Self::default();
        let mut triggers = Vec::new();
        let mut objects = connection.prepare(OBJECTS)?;
        let rows = objects.query_map([], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
        })?;
        for row in rows {
            let (kind, name, text) = row?;
            tables.has_collations |= has_collations(&text);
            match kind.as_str() {
                "table" => {
                    let table = declared_table(connection, &name, &text)?;
                    tables.tables.insert(name.to_ascii_lowercase(), table);
                }
                "view" => {
                    tables.views.insert(name.to_ascii_lowercase(), parse(&text));
                }
                "trigger" => triggers.push(text),
                _ => {}
            }
        }
        triggers.iter().for_each(|text| tables.open_named(text));
        Ok(tables)
    }

    /// Of the tables that a text names nothing more is known than their declarations.
    fn open_named(&mut self, text: &str) {
        for table in self.tables.values_mut() {
            table.is_open |= names_any(text, &[table.name.as_str()]);
        }
    }

    /// A migration may move what is in tables.
    fn open_by_migration(&mut self, statement: &Parsed) {
        match &statement.tree {
            Some(Tree::CreateTable(CreateTable { query: None, .. }) | Tree::CreateIndex(_)) => {}
            Some(Tree::Insert(_) | Tree::Update(_) | Tree::Delete(_) | Tree::Query(_)) => {}
            Some(Tree::CreateView(_) | Tree::CreateTrigger(_) | Tree::Drop { .. }) => {}
            Some(Tree::CreateTable(_)) => self.open_named(&statement.text),
            Some(Tree::AlterTable(change)) if change.operations.iter().all(adds_column) => {
                self.hold_defaults(&statement.text);
            }
            // What triggers write is known from the database.
            None if is_trigger(&statement.text) => {}
            // What is renamed has another name in what was written before.
            _ => self.tables.values_mut().for_each(|table| table.is_open = true),
        }
    }

    /// The rows that are there get the default of a new column.
    fn hold_defaults(&mut self, text: &str) {
        for table in self.tables.values_mut() {
            if names_any(text, &[table.name.as_str()]) {
                for column in &mut table.columns {
                    column.held = column.held.clone().union(column.stored(&column.default));
                }
            }
        }
    }

    /// Lets all statements write until nothing changes.
    fn settle(&mut self, statements: &[Parsed]) {
        for round in 0..ROUNDS_MAX {
            let mut has_changed = false;
            for statement in statements {
                let (writes, is_understood) = writes::of(statement, self);
                if !is_understood && self.is_closed_named(&statement.text) {
                    self.open_named(&statement.text);
                    has_changed = true;
                }
                for write in writes {
                    has_changed |= self.write(&write, round);
                }
            }
            if !has_changed {
                return;
            }
        }
        self.tables.values_mut().for_each(|table| table.is_open = true);
    }

    fn is_closed_named(&self, text: &str) -> bool {
        self.tables.values().any(|it| !it.is_open && names_any(text, &[it.name.as_str()]))
    }

    /// Whether a column holds more than before.
    fn write(&mut self, write: &Write, round: usize) -> bool {
        let table = self.tables.get_mut(&write.table.to_ascii_lowercase());
        let column = table.and_then(|table| table.columns.get_mut(write.column));
        let Some(column) = column else { return false };
        let stored = column.stored(&write.value);
        let join = if round < ROUNDS_EXACT { Domain::union } else { Domain::widen };
        let held = join(column.held.clone(), stored).meet(&column.declared);
        let has_changed = held != column.held;
        column.held = held;
        has_changed
    }
}

fn declared_table(connection: &Connection, name: &str, text: &str) -> rusqlite::Result<Table> {
    const COLUMNS: &str =
        "SELECT name, type, \"notnull\", pk, hidden, dflt_value FROM pragma_table_xinfo(?1)";
    const KIND: &str = "SELECT strict, wr, type FROM pragma_table_list(?1) WHERE schema = 'main'";
    let (is_strict, is_without_rowid, kind) = connection
        .query_row(KIND, [name], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?)))
        .unwrap_or((false, false, "virtual".to_owned()));
    let mut statement = connection.prepare(COLUMNS)?;
    let rows = statement.query_map([name], |row| {
        let type_name: String = row.get(1)?;
        let hidden: i64 = row.get(4)?;
        let affinity = affinity(&type_name);
        let is_key = row.get::<_, i64>(3)? > 0;
        let is_required = row.get(2)? || is_key && (is_strict || is_without_rowid);
        let default: Option<String> = row.get(5)?;
        Ok(TableColumn {
            name: row.get(0)?,
            affinity,
            declared: declared(&type_name, is_strict).or_null(true).meet(&nullable(!is_required)),
            held: Domain::none(),
            default: default_of(default.as_deref()),
            is_generated: hidden > 1,
            generation: None,
            is_row_number: is_key && !is_without_rowid && type_name.eq_ignore_ascii_case("INTEGER"),
        })
    })?;
    let mut columns = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let keys = columns.iter().filter(|column| column.is_row_number).count();
    let has_own_key = keys == 1 && key_length(connection, name)? == 1;
    for column in &mut columns {
        column.is_row_number &= has_own_key;
        if column.is_row_number {
            column.declared = Domain { integer: Some(Integers::ALL), ..Domain::none() };
        }
    }
    let is_open = kind != "table" || has_actions(text);
    let mut table = Table { name: name.to_owned(), columns, is_open };
    constrain(&mut table, text);
    Ok(table)
}

fn adds_column(operation: &AlterTableOperation) -> bool {
    matches!(operation, AlterTableOperation::AddColumn { .. })
}

/// Whether a statement makes a trigger.
fn is_trigger(text: &str) -> bool {
    let mut words = text.split_whitespace().map(str::to_ascii_uppercase);
    words.next().as_deref() == Some("CREATE")
        && words.find(|word| word != "TEMP" && word != "TEMPORARY").as_deref() == Some("TRIGGER")
}

/// How many columns the primary key has.
fn key_length(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    let query = "SELECT count(*) FROM pragma_table_xinfo(?1) WHERE pk > 0";
    connection.query_row(query, [name], |row| row.get(0))
}

/// Whether other tables write to this one, by its foreign keys.
fn has_actions(text: &str) -> bool {
    let words: Vec<String> = text.split_whitespace().map(str::to_ascii_uppercase).collect();
    let words = words.join(" ");
    ["SET NULL", "SET DEFAULT", "UPDATE CASCADE"].iter().any(|action| words.contains(action))
}

fn nullable(null: bool) -> Domain {
    Domain { null, ..Domain::any() }
}

/// What a column of a type holds by its declaration.
fn declared(type_name: &str, is_strict: bool) -> Domain {
    if !is_strict {
        // Numbers are converted, but not every text is one.
        return match affinity(type_name) {
            Affinity::Text => Domain { integer: None, real: None, ..Domain::any() },
            Affinity::Real => Domain { integer: None, ..Domain::any() },
            Affinity::Integer | Affinity::Numeric | Affinity::Blob => Domain::any(),
        };
    }
    match type_name.to_ascii_uppercase().as_str() {
        "INT" | "INTEGER" => Domain { integer: Some(Integers::ALL), ..Domain::none() },
        "REAL" => Domain::real(Reals::ALL),
        "TEXT" => Domain { text: Domain::any().text, ..Domain::none() },
        "BLOB" => Domain::blob(),
        _ => Domain::any(),
    }
}

fn default_of(text: Option<&str>) -> Domain {
    let Some(text) = text else { return Domain::null() };
    let parsed = Parsed::new(format!("SELECT ({text})"), BTreeMap::new());
    let tables = Tables::default();
    let statement = parsed.statement(&tables);
    let columns = match &parsed.tree {
        Some(Tree::Query(query)) => query::columns(query, &Environment::new(&statement)).ok(),
        _ => None,
    };
    let column = columns.and_then(|columns| columns.into_iter().next());
    column.map_or_else(Domain::any, |column| column.domain)
}

/// Narrows what columns are declared to hold by the constraints of their table.
fn constrain(table: &mut Table, text: &str) {
    let Some(Tree::CreateTable(declaration)) = parse(text) else { return };
    let mut checks: Vec<&Expr> = Vec::new();
    for constraint in &declaration.constraints {
        if let TableConstraint::Check(check) = constraint {
            checks.push(&check.expr);
        }
    }
    for column in &declaration.columns {
        for option in &column.options {
            if let ColumnOption::Check(check) = &option.option {
                checks.push(&check.expr);
            }
        }
    }
    let has_collations = has_collations(text);
    checks.into_iter().for_each(|check| satisfy(table, check, has_collations));
    for (column, declared) in declaration.columns.iter().filter_map(generation) {
        if let Some(known) = table.columns.iter_mut().find(|it| it.name == column) {
            known.generation = Some(declared);
        }
    }
}

/// The name of a column that is made of the others, and how.
fn generation(column: &ColumnDef) -> Option<(String, Expr)> {
    let expression = column.options.iter().find_map(|it| match &it.option {
        ColumnOption::Generated { generation_expr, .. } => generation_expr.clone(),
        _ => None,
    })?;
    Some((column.name.value.clone(), expression))
}

fn has_collations(text: &str) -> bool {
    names_any(text, &["COLLATE"])
}

/// A condition that is false of no row. Of one that may be NULL for two columns, neither is known to satisfy it.
fn satisfy(table: &mut Table, check: &Expr, has_collations: bool) {
    let text = check.to_string();
    let nullable = table
        .columns
        .iter()
        .filter(|column| column.declared.null && names_any(&text, &[column.name.as_str()]));
    if nullable.count() > 1 {
        return;
    }
    let columns = table.columns.iter().map(|column| Column {
        name: column.name.clone(),
        domain: column.declared.clone().without_null(),
    });
    let source = Source { name: Some(table.name.clone()), columns: columns.collect() };
    let parsed = Parsed::new(String::new(), BTreeMap::new());
    let tables = Tables::default();
    let statement = Statement { has_collations, ..parsed.statement(&tables) };
    let environment = Environment::new(&statement).within(vec![source], Vec::new());
    if expression::domain(check, &environment).null {
        return;
    }
    let Some(inside) = narrow::assume(check, Truth::True, &environment) else { return };
    for (index, column) in table.columns.iter_mut().enumerate() {
        let key = super::environment::Key::Column(0, 0, index);
        if let Some(domain) = inside.known.get(&key) {
            let null = column.declared.null;
            column.declared = domain.clone().or_null(null);
        }
    }
}

/// A value as a column of an affinity stores it.
fn converted(value: &Domain, affinity: Affinity) -> Domain {
    let value = value.clone().with_subtype(|_| Subtype::Never);
    let whole = |reals: Reals| {
        // The conversion saturates at both ends.
        Domain::integer(reals.least.floor() as i64, reals.most.ceil() as i64)
    };
    match affinity {
        Affinity::Blob => value,
        Affinity::Text => {
            let numbers = Domain { text: None, blob: false, null: false, ..value.clone() };
            let mut stored = Domain { integer: None, real: None, ..value };
            if !numbers.is_none() {
                stored = stored.union(Domain::text(operators::digits(&numbers)));
            }
            stored
        }
        Affinity::Integer | Affinity::Numeric => {
            // Only numbers without a fraction are converted, to what is equal to them.
            let from_reals =
                value.real.map(|it| Domain { facts: value.facts.clone(), ..whole(it) });
            let from_text =
                Domain { integer: Some(Integers::ALL), real: Some(Reals::ALL), ..Domain::none() };
            let from_text = may_be_number(&value).then_some(from_text);
            from_reals.into_iter().chain(from_text).fold(value, Domain::union)
        }
        Affinity::Real => {
            let from_integers = value.integer.map(|it| Domain::real(it.to_reals()));
            let from_text = may_be_number(&value).then(|| Domain::real(Reals::ALL));
            let others = Domain { integer: None, ..value };
            from_integers.into_iter().chain(from_text).fold(others, Domain::union)
        }
    }
}

/// Whether a text may look like a number.
fn may_be_number(value: &Domain) -> bool {
    let Some(texts) = &value.text else { return false };
    match &texts.constants {
        Some(constants) => constants.iter().any(|it| it.trim().parse::<f64>().is_ok()),
        None => !texts.is_container() && texts.format.as_deref().is_none_or(may_be_numeric),
    }
}

/// Whether a text of a format may look like a number.
fn may_be_numeric(format: &str) -> bool {
    !matches!(
        format,
        "date" | "date-time" | "datetime" | "time" | "email" | "ipv6" | "sha256" | "duration"
    )
}

/// What a statement is looked at with.
impl Parsed {
    pub(super) fn statement<'s>(&self, tables: &'s Tables) -> Statement<'s> {
        Statement {
            parameters: self.parameters.clone(),
            tables,
            has_collations: tables.has_collations || has_collations(&self.text),
            steps_left: std::cell::Cell::new(crate::limits::PROOF_STEPS_MAX),
        }
    }
}
