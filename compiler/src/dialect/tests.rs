//! Tests of the dialects: types, keys, quoting and limits of names.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::fmt::Write as _;

use super::*;

const STORAGES: [ColumnStorage; 7] = [
    ColumnStorage::Boolean,
    ColumnStorage::Integer,
    ColumnStorage::Number,
    ColumnStorage::Text,
    ColumnStorage::Binary,
    ColumnStorage::Timestamp,
    ColumnStorage::Json,
];

fn column(field: &str, role: ColumnRole, storage: ColumnStorage) -> Column {
    Column {
        field: field.to_owned(),
        pointer: format!("/{field}"),
        role,
        content: Content { storage, is_numeric_text: false },
        default: None,
        nullable: role == ColumnRole::Value,
        comment: None,
    }
}

fn quakes() -> Table {
    let mut magnitude = column("magnitude", ColumnRole::Value, ColumnStorage::Number);
    magnitude.comment = Some("Richter's scale".to_owned());
    Table {
        name: "quakes".to_owned(),
        comment: Some("one row a quake".to_owned()),
        uniqueness: Uniqueness::RowPerKey,
        columns: vec![
            column("network", ColumnRole::Key, ColumnStorage::Text),
            column("number", ColumnRole::Key, ColumnStorage::Integer),
            magnitude,
            column("flow_document", ColumnRole::Document, ColumnStorage::Json),
        ],
    }
}

#[test]
fn every_content_has_the_type_of_its_dialect() {
    let mut matrix = String::new();
    for storage in STORAGES {
        for is_numeric_text in [false, true] {
            write!(matrix, "{storage:?}{}", if is_numeric_text { " text" } else { "" }).unwrap();
            for dialect in ALL {
                write!(matrix, " | {}", (dialect.sql_type)(Content { storage, is_numeric_text }))
                    .unwrap();
            }
            matrix.push('\n');
        }
    }
    let expected = "\
Boolean | BOOLEAN | BOOLEAN
Boolean text | BOOLEAN | BOOLEAN
Integer | BIGINT | INTEGER
Integer text | NUMERIC | INTEGER
Number | DOUBLE PRECISION | REAL
Number text | NUMERIC | REAL
Text | TEXT | TEXT
Text text | TEXT | TEXT
Binary | BYTEA | BLOB
Binary text | BYTEA | BLOB
Timestamp | TIMESTAMPTZ | TEXT
Timestamp text | TIMESTAMPTZ | TEXT
Json | JSON | TEXT
Json text | JSON | TEXT
";
    assert_eq!(matrix, expected);
}

#[test]
fn tables_have_their_key_and_their_comments() {
    let sqlite = by_name("sqlite").unwrap().create_table(&quakes());
    assert_eq!(
        sqlite,
        "CREATE TABLE IF NOT EXISTS \"quakes\" (
    \"network\" TEXT NOT NULL,
    \"number\" INTEGER NOT NULL,
    \"magnitude\" REAL,
    \"flow_document\" TEXT NOT NULL,
    PRIMARY KEY (\"network\", \"number\")
);
"
    );
    let postgres = by_name("postgres").unwrap().create_table(&quakes());
    assert_eq!(
        postgres,
        "CREATE TABLE IF NOT EXISTS \"quakes\" (
    \"network\" TEXT NOT NULL,
    \"number\" BIGINT NOT NULL,
    \"magnitude\" DOUBLE PRECISION,
    \"flow_document\" JSON NOT NULL,
    PRIMARY KEY (\"network\", \"number\")
);
COMMENT ON TABLE \"quakes\" IS 'one row a quake';
COMMENT ON COLUMN \"quakes\".\"magnitude\" IS 'Richter''s scale';
"
    );
}

#[test]
fn a_key_that_may_be_missing_is_unique_but_no_primary_key() {
    let mut table = quakes();
    table.columns[1].nullable = true;
    let create = |name: &str| by_name(name).unwrap().create_table(&table);
    assert!(create("sqlite").contains("\n    UNIQUE (\"network\", \"number\")\n"));
    assert!(
        create("postgres").contains("\n    UNIQUE NULLS NOT DISTINCT (\"network\", \"number\")\n")
    );
}

#[test]
fn a_table_of_delta_updates_has_no_key() {
    let table = Table { uniqueness: Uniqueness::RowPerDocument, ..quakes() };
    for dialect in ALL {
        let create = dialect.create_table(&table);
        assert!(!create.contains("PRIMARY KEY"), "{create}");
        assert!(create.contains("NOT NULL\n);"), "no comma before the end: {create}");
    }
}

#[test]
fn names_and_comments_cannot_leave_their_quotes() {
    let mut table = quakes();
    table.name = "a\"; DROP TABLE b; --".to_owned();
    table.comment = Some("'; DROP TABLE b; --\0".to_owned());
    let create = by_name("postgres").unwrap().create_table(&table);
    assert!(create.starts_with("CREATE TABLE IF NOT EXISTS \"a\"\"; DROP TABLE b; --\" ("));
    assert!(create.contains("IS '''; DROP TABLE b; --\u{fffd}';"), "{create}");
}

#[test]
fn long_names_are_cut_at_a_character_and_stay_apart() {
    let postgres = by_name("postgres").unwrap();
    let (left, right) = ("é".repeat(40), format!("{}e", "é".repeat(39)));
    let (left, right) = (postgres.name_of(&left), postgres.name_of(&right));
    assert!(left.len() <= 63 && right.len() <= 63);
    assert!(left.starts_with("éé"));
    assert_ne!(left, right);
    assert_eq!(postgres.name_of("short"), "short");
    assert_eq!(by_name("sqlite").unwrap().name_of(&"x".repeat(200)), "x".repeat(200));
}

#[test]
fn case_tells_names_apart_where_the_database_does() {
    assert_eq!(by_name("sqlite").unwrap().fold("Id"), "id");
    assert_eq!(by_name("postgres").unwrap().fold("Id"), "Id");
}
