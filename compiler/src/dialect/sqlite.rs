//! SQLite: types are affinities, which prefer a form and refuse nothing.

use tidegate_stdlib::bundle::ColumnStorage;

use super::{Content, Dialect, IdentifierCase};

pub(super) const DIALECT: Dialect = Dialect {
    name: "sqlite",
    title: "SQLite",
    identifier_bytes_max: None,
    identifier_case: IdentifierCase::AsciiInsensitive,
    sql_type,
    create_table: include_str!("../../../templates/sql/sqlite/create_table.sql"),
};

const fn sql_type(content: Content) -> &'static str {
    match content.storage {
        ColumnStorage::Boolean => "BOOLEAN",
        ColumnStorage::Integer => "INTEGER",
        ColumnStorage::Number => "REAL",
        ColumnStorage::Binary => "BLOB",
        ColumnStorage::Text | ColumnStorage::Timestamp | ColumnStorage::Json => "TEXT",
    }
}
