//! Facts of the lambda engine: the table in `testdata/semantics`, and what it does not hold.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Invocation, Rows};
use super::*;
use crate::bundle::Projection;
use crate::document::{Document, Node};
use crate::shape::Shape;

const FACTS: &str = include_str!("../../../../testdata/semantics/facts.tsv");

/// Facts that differ on purpose: a statement without `;` that is complete, comments behind the last
/// `;`, mathematical functions.
const OURS: [(&str, &str); 4] = [
    ("der499", r#"{"x":1}"#),
    ("der506", r#"{"x":1}"#),
    ("der507", r#"{"x":1}"#),
    ("der576", r#"{"j":{},"m":2.0,"ok":1}"#),
];

fn projection(field: &str, pointer: &str) -> Projection {
    serde_json::from_value(json!({"field": field, "pointer": pointer, "types": ["string"]}))
        .unwrap()
}

fn projection_of(parameter: &Value) -> Projection {
    if let Some(field) = parameter.as_str() {
        return projection(field, &format!("/{field}"));
    }
    let text = |name: &str| parameter.get(name).and_then(Value::as_str).map(str::to_owned);
    Projection {
        format: text("format"),
        content_encoding: text("contentEncoding"),
        default: parameter.get("default").cloned(),
        ..projection(&text("field").unwrap(), &text("ptr").unwrap())
    }
}

fn parameters(projections: &[Projection]) -> Parameters<'_> {
    Parameters::new(projections, Shape::any())
}

/// A database after migrations.
fn database(migrations: &[&str]) -> Result<(rusqlite::Connection, Guard), SqlFailure> {
    let (connection, guard) = open_in_memory()?;
    for migration in migrations {
        migrate(&connection, &guard, migration)?;
    }
    Ok((connection, guard))
}

fn compile(
    database: &(rusqlite::Connection, Guard),
    lambda: &str,
) -> Result<Lambda, Vec<SqlFailure>> {
    let projections = ["id", "a/b", "user-id"].map(|field| projection(field, &format!("/{field}")));
    Lambda::compile(&database.0, &database.1, lambda, &parameters(&projections))
}

fn invoke(
    database: &(rusqlite::Connection, Guard),
    lambda: &Lambda,
    document: &Value,
) -> Result<Vec<Value>, SqlFailure> {
    let document = Document::from_value(document);
    let mut rows = Rows::default();
    let invocation = Invocation { document: document.root(), uuid: None };
    lambda.invoke(&database.0, &database.1, invocation, &mut rows)?;
    Ok(rows.documents().iter().map(Node::to_value).collect())
}

/// Kind, text at fault and message of the only failure of a lambda.
fn refused(
    database: &(rusqlite::Connection, Guard),
    lambda: &str,
) -> (SqlFailureKind, String, String) {
    let mut failures = compile(database, lambda).unwrap_err();
    assert_eq!(failures.len(), 1, "{failures:?}");
    shown(failures.remove(0), lambda)
}

fn shown(failure: SqlFailure, text: &str) -> (SqlFailureKind, String, String) {
    (failure.kind, text[failure.range].to_owned(), failure.message)
}

fn resolve_fact(input: &Value) -> String {
    let fields: Vec<&str> =
        input["fields"].as_array().unwrap().iter().map(|field| field.as_str().unwrap()).collect();
    let Some(parameter) = input.get("resolve").and_then(Value::as_str) else {
        let canonical: Vec<String> = fields.iter().map(|it| Parameters::canonical(it)).collect();
        return canonical.join(" ");
    };
    let projections: Vec<Projection> = fields.iter().map(|it| projection(it, "/x")).collect();
    match parameters(&projections).resolve(parameter) {
        Ok(binding) => format!("field {}", binding.field),
        Err(_) => "ERROR".to_owned(),
    }
}

/// The documents of each invocation: `a + b | (none) | c`.
fn documents(text: &str) -> Option<Vec<Vec<Value>>> {
    let parse = |text: &str| serde_json::from_str(text).unwrap();
    let rows = |text: &str| match text {
        "(none)" => Vec::new(),
        rows => rows.split(" + ").map(parse).collect(),
    };
    (text != "ERROR").then(|| text.split(" | ").map(rows).collect())
}

fn derive_fact(input: &Value) -> Result<Vec<Vec<Value>>, SqlFailure> {
    let texts = |name: &str| -> Vec<&str> {
        let array = input.get(name).and_then(Value::as_array);
        array.into_iter().flatten().map(|text| text.as_str().unwrap()).collect()
    };
    let database = database(&texts("migrations"))?;
    let projections: Vec<Projection> =
        input["params"].as_array().unwrap().iter().map(projection_of).collect();
    let lambda = input["lambda"].as_str().unwrap();
    let lambda = Lambda::compile(&database.0, &database.1, lambda, &parameters(&projections))
        .map_err(|failures| failures[0].clone())?;
    let sources = input["docs"].as_array().unwrap();
    sources.iter().map(|document| invoke(&database, &lambda, document)).collect()
}

#[test]
fn facts_hold() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in FACTS.lines().filter(|line| !line.starts_with('#')).skip(1) {
        let [id, kind, input, expected] = line.splitn(4, '\t').collect::<Vec<_>>()[..] else {
            panic!("a row has four columns: {line}");
        };
        let input: Value = serde_json::from_str(input).unwrap();
        let ours = OURS.iter().find(|(other, _)| *other == id);
        let expected = ours.map_or(expected, |(_, ours)| ours);
        let (actual, is_same) = match kind {
            "param" => {
                let actual = resolve_fact(&input);
                (actual.clone(), actual == expected)
            }
            "derive" => {
                let actual = derive_fact(&input).ok();
                (format!("{actual:?}"), actual == documents(expected))
            }
            _ => continue,
        };
        count += 1;
        if !is_same {
            wrong.push(format!("{id}: expected {expected}, got {actual}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 100);
}

#[test]
fn mistakes_are_found_at_their_token() {
    let database = database(&["CREATE TABLE t(a, b);"]).unwrap();
    let unknown = |name: &str| SqlFailureKind::Unknown(name.to_owned());
    for (lambda, kind, token, message) in [
        (
            "SELECT 1;\nSELECT * FROM\n  nope;",
            unknown("nope"),
            "nope",
            "table `nope` does not exist",
        ),
        ("SELECT x.c FROM t x", unknown("x.c"), "x.c", "column `x.c` does not exist"),
        ("SELECT nope($id)", unknown("nope"), "nope", "function `nope` does not exist"),
        ("INSERT INTO t(a, c) VALUES(1, 2)", unknown("c"), "c", "column `c` does not exist"),
        ("SELECT a, FROM t", SqlFailureKind::Syntax, "FROM", "SQL cannot have `FROM` here"),
        ("SELEC 1", SqlFailureKind::Syntax, "SELEC", "SQL cannot have `SELEC` here"),
        (
            "SELECT a FROM t WHERE (",
            SqlFailureKind::Incomplete,
            "(",
            "the statement is not complete",
        ),
        ("SELECT 'é', x FROM t", unknown("x"), "x", "column `x` does not exist"),
    ] {
        let expected = (kind, token.to_owned(), message.to_owned());
        assert_eq!(refused(&database, lambda), expected, "{lambda}");
    }
}

#[test]
fn every_failing_statement_is_reported() {
    let database = database(&[]).unwrap();
    let lambda = "SELECT * FROM a; SELECT 1; SELECT $user_ids, $nope; SELECT * FROM b;";
    let failures = compile(&database, lambda).unwrap_err();
    let shown: Vec<_> = failures.into_iter().map(|failure| shown(failure, lambda).1).collect();
    assert_eq!(shown, ["a", "$user_ids", "$nope", "b"]);
}

#[test]
fn an_unknown_parameter_has_the_nearest() {
    let database = database(&[]).unwrap();
    let (kind, token, message) = refused(&database, "SELECT $user_ids AS x");
    assert_eq!(token, "$user_ids");
    assert_eq!(message, "parameter `$user_ids` is no field of the source");
    let nearest = Some("$user_id".to_owned());
    assert_eq!(kind, SqlFailureKind::UnknownParameter { parameter: token, nearest });
}

#[test]
fn lambdas_touch_rows_of_user_objects_only() {
    let database = database(&["CREATE TABLE t(a); CREATE VIEW w AS SELECT a FROM t;"]).unwrap();
    let ours = "CREATE TABLE tidegate_meta(a); CREATE VIEW v AS SELECT * FROM tidegate_meta";
    database.0.execute_batch(ours).unwrap();
    for (lambda, token) in [
        ("SELECT * FROM Tidegate_Meta", "Tidegate_Meta"),
        ("SELECT * FROM v", "SELECT"),
        ("DELETE FROM [tidegate_meta]", "[tidegate_meta]"),
        ("SAVEPOINT tidegate_s", "tidegate_s"),
        ("CREATE TABLE u(a)", "CREATE"),
        ("CREATE TEMP TABLE u(a)", "CREATE"),
        ("DROP TABLE t", "DROP"),
        ("ALTER TABLE t ADD COLUMN b", "ALTER"),
        ("ATTACH 'x.db' AS x", "ATTACH"),
        ("VACUUM", "VACUUM"),
        ("ANALYZE", "ANALYZE"),
        ("PRAGMA user_version = 3", "user_version"),
        ("PRAGMA journal_mode", "journal_mode"),
        ("PRAGMA table_info(tidegate_meta)", "tidegate_meta"),
        ("SELECT load_extension('x')", "load_extension"),
        ("SELECT * FROM sqlite_master", "sqlite_master"),
        ("SELECT * FROM dbstat", "dbstat"),
    ] {
        let (kind, found, message) = refused(&database, lambda);
        assert_eq!((kind, found.as_str()), (SqlFailureKind::Denied, token), "{lambda}: {message}");
    }
    for lambda in [
        "INSERT INTO t VALUES(1) RETURNING a",
        "SELECT a FROM w",
        "SAVEPOINT s; RELEASE s; SAVEPOINT s; ROLLBACK TO s",
        "SELECT e.value FROM json_each('[1]') e, json_tree('{}')",
        "PRAGMA table_info(t)",
        "SELECT name FROM pragma_table_info('t')",
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION SELECT x + 1 FROM c WHERE x < 3) SELECT x FROM c",
    ] {
        let compiled = compile(&database, lambda).unwrap();
        invoke(&database, &compiled, &json!({})).unwrap();
    }
}

#[test]
fn lambdas_and_migrations_end_no_transaction() {
    let database = database(&["CREATE TABLE t(a);"]).unwrap();
    for (lambda, token) in [
        ("BEGIN", "BEGIN"),
        ("SELECT 1; COMMIT", "COMMIT"),
        ("INSERT OR ROLLBACK INTO t VALUES(1)", "ROLLBACK"),
    ] {
        let (kind, found, _) = refused(&database, lambda);
        assert_eq!((kind, found.as_str()), (SqlFailureKind::EndsTransaction, token), "{lambda}");
    }
    let trigger = "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT RAISE(ROLLBACK, 'x'); END;";
    let failure = migrate(&database.0, &database.1, trigger).unwrap_err();
    assert_eq!(failure.kind, SqlFailureKind::EndsTransaction);
}

#[test]
fn migrations_own_everything_but_our_names() {
    let migrations = "\
        CREATE TABLE t(a INTEGER PRIMARY KEY AUTOINCREMENT, b UNIQUE, c REFERENCES t(a));\n\
        CREATE INDEX i ON t(c);\n\
        CREATE VIEW v AS SELECT a FROM t;\n\
        CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE t SET c = 1 WHERE a = new.a; END;\n\
        CREATE VIRTUAL TABLE f USING fts5(x); INSERT INTO f VALUES('sea');\n\
        CREATE VIRTUAL TABLE g USING rtree(id, x0, x1);\n\
        INSERT INTO t(b) VALUES('x'); ALTER TABLE t RENAME TO u; ALTER TABLE u ADD COLUMN d;\n\
        ALTER TABLE u RENAME COLUMN d TO e; ALTER TABLE u DROP COLUMN e; REINDEX u; DROP VIEW v;\n\
        CREATE TABLE w AS SELECT * FROM u; DROP TABLE w;";
    let database = database(&[migrations]).unwrap();
    let lambda =
        compile(&database, "SELECT x FROM f WHERE f MATCH 'sea'; SELECT b, c FROM u").unwrap();
    let rows = invoke(&database, &lambda, &json!({})).unwrap();
    assert_eq!(rows, [json!({"x": "sea"}), json!({"b": "x", "c": 1})]);

    database.0.execute_batch("CREATE TABLE tidegate_meta(a INTEGER PRIMARY KEY)").unwrap();
    for (migration, token) in [
        ("CREATE TABLE TIDEGATE_X(a)", "TIDEGATE_X"),
        ("CREATE TABLE x(a REFERENCES \"tidegate_meta\")", "\"tidegate_meta\""),
        ("ALTER TABLE u RENAME TO 'tidegate_u'", "'tidegate_u'"),
        ("CREATE INDEX j ON tidegate_meta(a)", "tidegate_meta"),
        ("CREATE TRIGGER x AFTER INSERT ON tidegate_meta BEGIN SELECT 1; END", "tidegate_meta"),
        ("DROP TABLE tidegate_meta", "tidegate_meta"),
        (
            "CREATE TRIGGER x AFTER INSERT ON u BEGIN DELETE FROM [Tidegate_meta]; END",
            "[Tidegate_meta]",
        ),
        ("CREATE VIEW x AS SELECT * FROM 'tidegate_meta'", "'tidegate_meta'"),
        ("CREATE TABLE x AS SELECT * FROM tidegate_meta", "tidegate_meta"),
        ("CREATE TEMP TABLE x(a)", "CREATE"),
        ("CREATE VIRTUAL TABLE x USING dbstat", "dbstat"),
        ("DETACH main", "DETACH"),
        ("SAVEPOINT s", "SAVEPOINT"),
        ("PRAGMA foreign_keys = off", "foreign_keys"),
    ] {
        let failure = migrate(&database.0, &database.1, migration).unwrap_err();
        let (kind, found, message) = shown(failure, migration);
        assert_eq!(
            (kind, found.as_str()),
            (SqlFailureKind::Denied, token),
            "{migration}: {message}"
        );
    }
}

#[test]
fn a_parameter_in_a_migration_is_refused() {
    let database = database(&[]).unwrap();
    let text = "CREATE TABLE t(a); INSERT INTO t VALUES($id);";
    let (kind, token, _) = shown(migrate(&database.0, &database.1, text).unwrap_err(), text);
    assert_eq!((kind, token.as_str()), (SqlFailureKind::ParameterInMigration, "$id"));
}

#[test]
fn failures_of_statements_say_what_holds() {
    let database =
        database(&["CREATE TABLE t(a UNIQUE, b NOT NULL DEFAULT 0, c CHECK(c > 0));"]).unwrap();
    for (values, message) in [
        ("1, NULL, 1", "`t.b` is NULL, which NOT NULL refuses"),
        ("1, 1, 0", "the CHECK constraint `c > 0` does not hold"),
        ("9, 1, 1", "the row is not unique by `t.a`"),
    ] {
        let lambda =
            format!("INSERT OR IGNORE INTO t VALUES(9, 1, 1); INSERT INTO t VALUES({values});");
        let compiled = compile(&database, &lambda).unwrap();
        let failure = invoke(&database, &compiled, &json!({})).unwrap_err();
        let (kind, token, found) = shown(failure, &lambda);
        assert_eq!(kind, SqlFailureKind::Execution);
        assert_eq!(token, format!("INSERT INTO t VALUES({values})"));
        assert_eq!(found, message);
    }
}

#[test]
fn rows_have_a_limit_in_bytes() {
    let database = database(&[]).unwrap();
    let rows = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)";
    let lambda = format!("{rows} SELECT x AS id, hex(zeroblob(10000000)) AS big FROM c");
    let compiled = compile(&database, &lambda).unwrap();
    let failure = invoke(&database, &compiled, &json!({})).unwrap_err();
    assert_eq!(failure.kind, SqlFailureKind::Limit);
    assert_eq!(failure.message, "gives more than 256 MiB for one document");
}

#[test]
fn endless_statements_stop() {
    let database = database(&[]).unwrap();
    let endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)";
    let compiled = compile(&database, &format!("{endless} SELECT x FROM c")).unwrap();
    let failure = invoke(&database, &compiled, &json!({})).unwrap_err();
    assert_eq!(failure.message, "gives more than 1000000 rows for one document");
    assert_eq!(failure.kind, SqlFailureKind::Limit);
    let compiled = compile(&database, &format!("{endless} SELECT sum(x) FROM c")).unwrap();
    let failure = invoke(&database, &compiled, &json!({})).unwrap_err();
    assert_eq!(failure.message, "takes more than 200000000 steps of SQLite");
    assert_eq!(failure.kind, SqlFailureKind::Limit);
}

#[test]
fn what_a_lambda_reads_and_gives_is_known() {
    let database = database(&["CREATE TABLE t(a);"]).unwrap();
    let text = "INSERT INTO t VALUES($user_id); SELECT $a$b, a AS c FROM t; SELECT json($id);";
    let lambda = compile(&database, text).unwrap();
    let columns: Vec<Vec<String>> = vec![vec![], vec!["a/b".to_owned(), "c".to_owned()], vec![]];
    assert_eq!(lambda.columns(), columns);
    assert_eq!(lambda.fields(), ["a/b", "id", "user-id"]);
    assert!(!lambda.is_read_only());
    assert!(compile(&database, "SELECT a FROM t").unwrap().is_read_only());
}

#[test]
fn the_whole_document_is_a_parameter() {
    let database = database(&[]).unwrap();
    let projections = [projection("flow_document", "")];
    let parameters = parameters(&projections);
    let lambda =
        Lambda::compile(&database.0, &database.1, "SELECT JSON($flow_document)", &parameters);
    let document = json!({"b": [1.5, {"x": null}], "a": "é\u{0}"});
    assert_eq!(invoke(&database, &lambda.unwrap(), &document).unwrap(), [document]);
}

#[test]
fn the_guard_returns_to_the_mode_before() {
    let (connection, guard) = open_in_memory().unwrap();
    let denied = guard.within(GuardMode::Lambda, || {
        guard
            .within(GuardMode::Internal, || connection.execute_batch("CREATE TABLE a(x)"))
            .unwrap();
        connection.execute_batch("CREATE TABLE b(x)").is_err()
    });
    assert!(denied);
    connection.execute_batch("CREATE TABLE b(x)").unwrap();
}

proptest! {
    #[test]
    fn a_canonical_parameter_is_its_field(field in "[a-zA-Zé_ \\-/$+!]{1,12}") {
        let binding = parameters(&[projection(&field, "/x")]).resolve(&Parameters::canonical(&field));
        prop_assert_eq!(binding.map(|binding| binding.field), Ok(field));
    }

    #[test]
    fn any_text_compiles_or_is_refused_inside_it(text in any::<String>()) {
        let database = database(&[]).unwrap();
        if let Err(failures) = compile(&database, &text) {
            for failure in failures {
                prop_assert!(text.get(failure.range).is_some());
            }
        }
    }
}

/// Whether the UUID stands in the document or beside it makes no difference.
#[test]
fn a_uuid_beside_its_document_is_bound_as_in_it() {
    let uuid = "9ec9af8e-0b34-11ee-be56-0242ac120002";
    let timestamp = Projection {
        format: Some("date-time".to_owned()),
        content_encoding: Some("uuid".to_owned()),
        ..projection("flow_published_at", "/_meta/uuid")
    };
    let projections = [
        timestamp,
        projection("flow_document", ""),
        projection("meta", "/_meta"),
        projection("uuid", "/_meta/uuid"),
        projection("op", "/_meta/op"),
    ];
    let database = database(&[]).unwrap();
    let text = "SELECT $flow_published_at, $flow_document, $meta, $uuid, $op;";
    let lambda =
        Lambda::compile(&database.0, &database.1, text, &parameters(&projections)).unwrap();
    for (whole, without) in [
        (json!({"_meta": {"uuid": uuid}, "a": 1}), json!({"a": 1})),
        (json!({"_meta": {"uuid": uuid, "op": "c"}}), json!({"_meta": {"op": "c"}})),
    ] {
        let document = Document::from_value(&without);
        let mut rows = Rows::default();
        let invocation = Invocation { document: document.root(), uuid: Some(uuid) };
        lambda.invoke(&database.0, &database.1, invocation, &mut rows).unwrap();
        let beside: Vec<Value> = rows.documents().iter().map(Node::to_value).collect();
        assert_eq!(beside, invoke(&database, &lambda, &whole).unwrap());
    }
}
