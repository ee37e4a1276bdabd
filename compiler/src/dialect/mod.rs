//! SQL dialects, each a value: quoting, limits, types, and the template of its tables.
//!
//! Every identifier and literal that comes from a catalog is quoted, whatever it looks like, so a dialect needs no list of
//! reserved words and no name of a user's can change a statement. What a catalog may name is decided in the checks; here
//! every name has a form, and nothing fails. Upserts and loads belong to the connectors that run them.

mod postgres;
mod sqlite;

use minijinja::{Environment, UndefinedBehavior, context};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tidegate_stdlib::bundle::{self, ColumnRole, ColumnStorage};

/// All dialects, sorted by name.
pub const ALL: &[&Dialect] = &[&postgres::DIALECT, &sqlite::DIALECT];

/// The dialect of a name.
pub fn by_name(name: &str) -> Option<&'static Dialect> {
    ALL.iter().copied().find(|dialect| dialect.name == name)
}

/// The dialect of tables whose endpoint has none of its own.
pub const DEFAULT: &Dialect = &sqlite::DIALECT;

/// What is peculiar to one SQL dialect.
#[derive(Debug)]
pub struct Dialect {
    /// Its name, as `build --target` takes it.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// Greatest length of an identifier in bytes, when the database cuts longer ones.
    pub identifier_bytes_max: Option<usize>,
    /// When two quoted identifiers are one.
    pub identifier_case: IdentifierCase,
    /// The type of a column by what it holds.
    pub sql_type: fn(Content) -> &'static str,
    create_table: &'static str,
}

/// When two quoted identifiers are one to a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentifierCase {
    /// Only when they are equal.
    Sensitive,
    /// When they are equal but for the case of ASCII letters.
    AsciiInsensitive,
}

/// What a column holds, as far as its type depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// How values are stored.
    pub storage: ColumnStorage,
    /// Whether numbers may also come as strings (`format: integer`, `format: number`), whose range and precision are not
    /// those of a machine word.
    pub is_numeric_text: bool,
}

/// A destination table before a dialect gives it types.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The name as the resource gives it.
    pub name: String,
    /// What it holds, for people.
    pub comment: Option<String>,
    /// Whether one row a key is kept; else every document is a row.
    pub uniqueness: Uniqueness,
    /// The columns: key columns first, the root document last.
    pub columns: Vec<Column>,
}

/// How rows of a table relate to keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uniqueness {
    /// One row a key.
    RowPerKey,
    /// One row a combined document.
    RowPerDocument,
}

/// A column before a dialect gives it a type.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The field of the collection.
    pub field: String,
    /// JSON pointer of the field.
    pub pointer: String,
    /// What it holds.
    pub role: ColumnRole,
    /// What its type depends on.
    pub content: Content,
    /// What stands for a missing value.
    pub default: Option<Value>,
    /// Whether it admits NULL.
    pub nullable: bool,
    /// What it holds, for people.
    pub comment: Option<String>,
}

impl Dialect {
    /// The name under which the database keeps an identifier: itself, or cut to the limit with a digest that keeps two long
    /// names apart.
    pub fn name_of(&self, identifier: &str) -> String {
        // No database takes NUL in a name.
        let identifier = if identifier.contains('\0') {
            identifier.replace('\0', "\u{fffd}")
        } else {
            identifier.to_owned()
        };
        match self.identifier_bytes_max {
            Some(limit) if identifier.len() > limit => shorten(&identifier, limit),
            Some(_) | None => identifier,
        }
    }

    /// The form in which two identifiers are equal when the database takes them for one.
    pub fn fold(&self, identifier: &str) -> String {
        let mut name = self.name_of(identifier);
        if self.identifier_case == IdentifierCase::AsciiInsensitive {
            name.make_ascii_lowercase();
        }
        name
    }

    /// An identifier as SQL text.
    pub fn identifier(&self, identifier: &str) -> String {
        format!("\"{}\"", self.name_of(identifier).replace('"', "\"\""))
    }

    /// A text as an SQL literal.
    pub fn literal(&self, text: &str) -> String {
        format!("'{}'", text.replace('\0', "\u{fffd}").replace('\'', "''"))
    }

    /// The table in this dialect, with the statements that create it when it is missing.
    pub fn table(&'static self, table: &Table) -> bundle::Table {
        let columns = table.columns.iter().map(|column| bundle::Column {
            field: column.field.clone(),
            pointer: column.pointer.clone(),
            name: self.name_of(&column.field),
            role: column.role,
            default: column.default.clone(),
            storage: column.content.storage,
            sql_type: (self.sql_type)(column.content).to_owned(),
            nullable: column.nullable,
        });
        bundle::Table {
            name: table.name.clone(),
            columns: columns.collect(),
            create: self.create_table(table),
        }
    }

    /// The statements that create the table when it is missing, ending in a line feed.
    pub fn create_table(&'static self, table: &Table) -> String {
        let keys: Vec<_> = match table.uniqueness {
            Uniqueness::RowPerKey => {
                table.columns.iter().filter(|column| column.role == ColumnRole::Key).collect()
            }
            Uniqueness::RowPerDocument => Vec::new(),
        };
        let columns: Vec<_> = table
            .columns
            .iter()
            .map(|column| {
                context! {
                    name => &column.field,
                    type => (self.sql_type)(column.content),
                    nullable => column.nullable,
                    comment => &column.comment,
                }
            })
            .collect();
        let table = context! {
            name => &table.name,
            comment => &table.comment,
            columns => columns,
            key => keys.iter().map(|column| column.field.clone()).collect::<Vec<_>>(),
            key_is_nullable => keys.iter().any(|column| column.nullable),
        };
        let mut text = self
            .environment()
            .render_str(self.create_table, context! { table => table })
            .expect("the templates in the binary render every table");
        text.push('\n');
        text
    }

    fn environment(&'static self) -> Environment<'static> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.add_filter("identifier", |text: &str| self.identifier(text));
        environment.add_filter("literal", |text: &str| self.literal(text));
        environment
    }
}

/// Cuts a name to `limit` bytes, the last of which tell it from other names with the same beginning.
fn shorten(name: &str, limit: usize) -> String {
    let digest = Sha256::digest(name.as_bytes());
    let suffix: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let kept = name.floor_char_boundary(limit.saturating_sub(suffix.len() + 1));
    format!("{}_{suffix}", &name[..kept])
}

#[cfg(test)]
mod tests;
