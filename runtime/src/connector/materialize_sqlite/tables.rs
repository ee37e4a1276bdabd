//! The table of one binding: its statements, and what an existing table must look like.

use rusqlite::{Connection, Result as SqlResult};
use tidegate_stdlib::bundle::{
    ColumnRole, Failure, FailureKind, MaterializationBinding, Origin, Table,
};

use tidegate_stdlib::document::Node;
use tidegate_stdlib::value::ParseFailure;

use super::row::{Bound, ColumnEncoder};
use crate::connector::Store;

/// The table of one binding.
#[derive(Debug)]
pub(super) struct Target {
    /// The statement that creates the table when it is missing.
    pub(super) create: String,
    /// The statements that read and write it.
    pub(super) statements: Statements,
    table: Table,
    delta_updates: bool,
    origin: Origin,
    columns: Vec<ColumnEncoder>,
}

/// The statements over one table; parameters are key columns first, in order, unless said otherwise.
#[derive(Debug)]
pub(super) struct Statements {
    /// Gives the document of a key; absent for delta updates.
    pub(super) load: Option<String>,
    /// Adds a row, all columns in order.
    pub(super) insert: String,
    /// The same, but replaces the other columns when the key is there all the same; absent for delta updates.
    pub(super) upsert: Option<String>,
    /// Whether there is no row at all; absent for delta updates.
    pub(super) is_empty: Option<String>,
    /// Replaces a row: the columns that are no key, then the key; absent for delta updates.
    pub(super) update: Option<String>,
    /// Removes the row of a key; absent for delta updates.
    pub(super) delete: Option<String>,
}

impl Target {
    /// The table of a binding.
    pub(super) fn new(binding: &MaterializationBinding) -> Result<Self, Failure> {
        let broken = |message: &str| {
            Failure::new(FailureKind::EndpointFailed, message).at(Some(binding.origin.clone()))
        };
        let Some(table) = binding.table.clone() else {
            return Err(broken("the binding has no table"));
        };
        let has = |role| table.columns.iter().any(|column| column.role == role);
        if !binding.delta_updates
            && [ColumnRole::Key, ColumnRole::Document].into_iter().any(|role| !has(role))
        {
            return Err(broken("the table needs key columns and the root document"));
        }
        let columns: Option<Vec<ColumnEncoder>> =
            table.columns.iter().map(ColumnEncoder::new).collect();
        let columns = columns.ok_or_else(|| broken("a column of the table has no location"))?;
        Ok(Self {
            create: table.create.clone(),
            statements: Statements::new(&table, binding.delta_updates),
            delta_updates: binding.delta_updates,
            origin: binding.origin.clone(),
            table,
            columns,
        })
    }

    /// The columns in the order of the statement that adds a row.
    pub(super) fn all(&self) -> impl Iterator<Item = &ColumnEncoder> {
        self.columns.iter()
    }

    /// The columns that are part of the key.
    pub(super) fn keys(&self) -> impl Iterator<Item = &ColumnEncoder> {
        self.columns.iter().filter(|column| column.is_key())
    }

    /// The columns in the order of the statement that replaces a row: those that are no key, then those of the key.
    pub(super) fn for_update(&self) -> impl Iterator<Item = &ColumnEncoder> {
        self.columns.iter().filter(|column| !column.is_key()).chain(self.keys())
    }

    /// The value of a document in a column.
    pub(super) fn value<'d>(
        &self,
        column: &'d ColumnEncoder,
        store: &Store<'d>,
    ) -> Result<Bound<'d>, Failure> {
        column.extract(store.document, store.uuid).map_err(|message| self.unfit(column, message))
    }

    /// A key value as a key column stores it.
    pub(super) fn key_value<'d>(
        &self,
        column: &ColumnEncoder,
        value: Node<'d>,
    ) -> Result<Bound<'d>, Failure> {
        column.encode(value).map_err(|message| self.unfit(column, message))
    }

    fn unfit(&self, column: &ColumnEncoder, message: String) -> Failure {
        let (table, column) = (&self.table.name, column.name());
        Failure::new(
            FailureKind::EndpointFailed,
            format!("column `{column}` of table `{table}` cannot hold the value: {message}"),
        )
        .at(Some(self.origin.clone()))
    }

    /// What a loaded document is called that cannot be read.
    pub(super) fn unreadable_document(&self, error: &ParseFailure) -> Failure {
        let message = format!("table `{}` holds a document that is no JSON", self.table.name);
        Failure::new(FailureKind::EndpointFailed, message)
            .at(Some(self.origin.clone()))
            .note(error.message.clone())
    }

    /// Names the table.
    pub(super) fn note(&self) -> String {
        format!("the table is `{}`", self.table.name)
    }

    /// Removes all rows, when the table is there.
    pub(super) fn empty(&self, connection: &Connection) -> SqlResult<()> {
        if self.existing_columns(connection)?.is_empty() {
            return Ok(());
        }
        connection.execute(&format!("DELETE FROM {}", quote(&self.table.name)), [])?;
        Ok(())
    }

    /// Compares the existing table with what the binding needs: its columns, their types and the key. Other columns are
    /// let be as long as rows can be added without them.
    pub(super) fn compare(&self, connection: &Connection) -> SqlResult<Result<(), Failure>> {
        let existing = self.existing_columns(connection)?;
        let table = &self.table.name;
        for column in &self.table.columns {
            let (name, sql_type) = (&column.name, &column.sql_type);
            let found = existing.iter().find(|found| found.name.eq_ignore_ascii_case(name));
            let Some(found) = found else {
                return Ok(Err(self.differs(format!("table `{table}` has no column `{name}`"))));
            };
            if !found.sql_type.eq_ignore_ascii_case(sql_type) {
                let found = &found.sql_type;
                return Ok(Err(self.differs(format!(
                    "column `{name}` of table `{table}` is {found}, not {sql_type}"
                ))));
            }
            let is_key = column.role == ColumnRole::Key && !self.delta_updates;
            if is_key != (found.key_index > 0) {
                let is = if is_key { "is not" } else { "is" };
                return Ok(Err(self.differs(format!(
                    "column `{name}` of table `{table}` {is} part of its primary key"
                ))));
            }
        }
        let known = |found: &ExistingColumn| {
            self.table.columns.iter().any(|column| column.name.eq_ignore_ascii_case(&found.name))
        };
        let demanding = existing.iter().find(|found| !known(found) && found.demands_value);
        Ok(match demanding {
            None => Ok(()),
            Some(found) => Err(self.differs(format!(
                "column `{}` of table `{table}` demands a value and is no field",
                found.name
            ))),
        })
    }

    fn differs(&self, message: String) -> Failure {
        Failure::new(FailureKind::EndpointFailed, message)
            .at(Some(self.origin.clone()))
            .note(format!("the binding needs: {}", self.create.trim()))
            .help("rename or drop the table, or name another one in the binding")
    }

    fn existing_columns(&self, connection: &Connection) -> SqlResult<Vec<ExistingColumn>> {
        let mut statement = connection.prepare(
            "SELECT name, type, pk, \"notnull\" AND dflt_value IS NULL FROM pragma_table_info(?1)",
        )?;
        let rows = statement.query_map([&self.table.name], |row| {
            Ok(ExistingColumn {
                name: row.get(0)?,
                sql_type: row.get(1)?,
                key_index: row.get(2)?,
                demands_value: row.get::<_, bool>(3)? || row.get::<_, i64>(2)? > 0,
            })
        })?;
        rows.collect()
    }
}

/// A column of a table as it is.
#[derive(Debug)]
struct ExistingColumn {
    name: String,
    sql_type: String,
    /// Its place in the primary key, from 1; 0 when it is none.
    key_index: i64,
    /// Whether a row must give it a value.
    demands_value: bool,
}

impl Statements {
    fn new(table: &Table, delta_updates: bool) -> Self {
        let name = quote(&table.name);
        let quoted = |of: &dyn Fn(ColumnRole) -> bool| -> Vec<String> {
            let columns = table.columns.iter().filter(|column| of(column.role));
            columns.map(|column| quote(&column.name)).collect()
        };
        let keys = quoted(&|role| role == ColumnRole::Key);
        let others = quoted(&|role| role != ColumnRole::Key);
        let all = quoted(&|_| true);
        let parameters = vec!["?"; all.len()].join(", ");
        let insert = format!("INSERT INTO {name} ({}) VALUES ({parameters})", all.join(", "));
        if delta_updates {
            return Self {
                load: None,
                insert,
                upsert: None,
                is_empty: None,
                update: None,
                delete: None,
            };
        }
        let matches: Vec<String> = keys.iter().map(|key| format!("{key} IS ?")).collect();
        let matches = matches.join(" AND ");
        let sets: Vec<String> = others.iter().map(|column| format!("{column} = ?")).collect();
        let replaces: Vec<String> =
            others.iter().map(|column| format!("{column} = excluded.{column}")).collect();
        let document = quoted(&|role| role == ColumnRole::Document).join(", ");
        Self {
            load: Some(format!("SELECT {document} FROM {name} WHERE {matches}")),
            is_empty: Some(format!("SELECT NOT EXISTS (SELECT 1 FROM {name})")),
            upsert: Some(format!(
                "{insert} ON CONFLICT ({}) DO UPDATE SET {}",
                keys.join(", "),
                replaces.join(", ")
            )),
            insert,
            update: Some(format!("UPDATE {name} SET {} WHERE {matches}", sets.join(", "))),
            delete: Some(format!("DELETE FROM {name} WHERE {matches}")),
        }
    }
}

fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
