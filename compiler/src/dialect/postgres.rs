//! PostgreSQL: types are strict, so numbers that may exceed a machine word are NUMERIC.

use tidegate_stdlib::bundle::ColumnStorage;

use super::{Content, Dialect, IdentifierCase};

pub(super) const DIALECT: Dialect = Dialect {
    name: "postgres",
    title: "PostgreSQL",
    // NAMEDATALEN - 1; what is longer would be cut silently.
    identifier_bytes_max: Some(63),
    identifier_case: IdentifierCase::Sensitive,
    sql_type,
    create_table: include_str!("../../../templates/sql/postgres/create_table.sql"),
};

const fn sql_type(content: Content) -> &'static str {
    match (content.storage, content.is_numeric_text) {
        (ColumnStorage::Integer | ColumnStorage::Number, true) => "NUMERIC",
        (ColumnStorage::Integer, false) => "BIGINT",
        (ColumnStorage::Number, false) => "DOUBLE PRECISION",
        (ColumnStorage::Boolean, _) => "BOOLEAN",
        (ColumnStorage::Text, _) => "TEXT",
        (ColumnStorage::Binary, _) => "BYTEA",
        (ColumnStorage::Timestamp, _) => "TIMESTAMPTZ",
        (ColumnStorage::Json, _) => "JSON",
    }
}
