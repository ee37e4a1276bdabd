//! Random lambdas on random documents: no row is ever outside the shape that was inferred. PROPTEST_CASES gives the number of cases.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use tidegate_stdlib::bundle::Projection;
use tidegate_stdlib::document::Document;
use tidegate_stdlib::lambda::sqlite::{Lambda, Parameters, migrate, open_in_memory};
use tidegate_stdlib::lambda::{Invocation, Rows};
use tidegate_stdlib::schema::Schema;
use tidegate_stdlib::shape::Shape;

use super::tables::Tables;
use super::{Parsed, Rows as Inferred};

const UUID: &str = "9ec9af8e-0b34-11ee-be56-0242ac120002";

/// The schema of the source: a location of every kind.
fn source() -> Value {
    json!({
        "type": "object",
        "properties": {
            "id": {"type": "integer", "minimum": 0, "maximum": 1000},
            "n": {"type": "number"},
            "m": {"type": ["integer", "null"]},
            "k": {"type": "integer"},
            "r": {"type": "number", "minimum": 0.1, "maximum": 9.5},
            "s": {"type": "string"},
            "t": {"type": "string", "minLength": 1, "maxLength": 3},
            "u": {"type": "string", "format": "date-time"},
            "e": {"enum": ["a", "b", "[1]", null]},
            "c": {"enum": ["x", "y"]},
            "b": {"type": "boolean"},
            "l": {"type": "array", "items": {"type": "integer"}},
            "o": {"type": "object", "required": ["x"], "properties": {
                "x": {"type": "integer"}, "y": {"type": ["string", "boolean"]}, "z": {}}},
            "i": {"type": "string", "format": "integer"},
            "q": {"type": "string", "format": "number"},
            "d": {"type": "integer", "default": 5},
            "p": {"type": "string", "pattern": "^[a-z{]"},
            "y": {"type": "string", "pattern": "^([ab]|\\[)[^\\]}]*$"},
            "j": {"type": "string", "format": "date"},
            "g": {"type": "number", "multipleOf": 0.5, "exclusiveMinimum": 0},
            "h": {"type": "integer", "minimum": -50_000_000_000_i64, "maximum": 250_000_000_000_i64,
                "multipleOf": 10},
            "w": {}
        },
        "required": ["id", "m", "k", "s", "u", "c", "b", "o", "r"]
    })
}

/// The parameters of the source, and what holds of documents besides.
const PARAMETERS: &[&str] = &[
    "$id",
    "$n",
    "$m",
    "$k",
    "$r",
    "$s",
    "$t",
    "$u",
    "$e",
    "$c",
    "$b",
    "$l",
    "$o",
    "$o$x",
    "$o$y",
    "$o$z",
    "$l$0",
    "$i",
    "$q",
    "$d",
    "$p",
    "$y",
    "$j",
    "$g",
    "$h",
    "$w",
    "$flow_document",
    "$flow_published_at",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c]{0,3}",
        prop::sample::select(vec![
            "",
            "[1]",
            "{}",
            "{\"a\":1}",
            "[",
            "}",
            "1",
            "-2.5",
            "9e999",
            "abc",
            "é",
            "null",
            "true",
            "2024-01-01",
            "{\"a\":9e999}",
            " 1 ",
            "0x10",
            "Infinity",
        ])
        .prop_map(str::to_owned),
    ]
}

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-3_i64..4).prop_map(|it| json!(it)),
        any::<i64>().prop_map(|it| json!(it)),
        prop::sample::select(vec![0.5, -0.5, 1e100, -1e100, 3.0, 0.1, 1e-300, 9.2e18])
            .prop_map(|it| json!(it)),
    ]
}

fn integer() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-3_i64..4).prop_map(|it| json!(it)),
        any::<i64>().prop_map(|it| json!(it)),
        prop::sample::select(vec![1e100, 3.0, -2.0, 9.3e18]).prop_map(|it| json!(it)),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|it| json!(it)),
        number(),
        text().prop_map(|it| json!(it)),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|it| json!(it)),
            prop::collection::btree_map("[a-c]", inner, 0..3).prop_map(|it| json!(it)),
        ]
    })
}

fn optional(strategy: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Option<Value>> {
    prop::option::of(strategy).boxed()
}

fn required(strategy: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Option<Value>> {
    strategy.prop_map(Some).boxed()
}

fn of(values: Vec<Value>) -> impl Strategy<Value = Value> {
    prop::sample::select(values)
}

/// The values of `o`.
fn object() -> impl Strategy<Value = Value> {
    let object =
        (integer(), optional(of(vec![json!("v"), json!(true), json!("[2]")])), optional(value()));
    object.prop_map(|(x, y, z)| {
        let mut object = json!({"x": x});
        y.into_iter().for_each(|y| object["y"] = y);
        z.into_iter().for_each(|z| object["z"] = z);
        object
    })
}

fn document() -> impl Strategy<Value = Value> {
    let fields: Vec<(&'static str, BoxedStrategy<Option<Value>>)> = vec![
        ("id", required((0_i64..1001).prop_map(|it| json!(it)))),
        ("n", optional(number())),
        ("m", required(prop_oneof![Just(json!(null)), integer()])),
        ("k", required(integer())),
        ("r", required(of(vec![json!(0.1), json!(9.5), json!(1), json!(2.0), json!(0.3)]))),
        ("s", required(text().prop_map(|it| json!(it)))),
        ("t", optional(of(vec![json!("a"), json!("[1]"), json!("{}"), json!("ab")]))),
        (
            "u",
            required(of(vec![
                json!("2024-02-29T12:00:00Z"),
                json!("0010-01-01t00:00:00.5+14:00"),
                json!("9999-12-31T23:59:60Z"),
                json!("9999-12-31T23:59:59-23:59"),
            ])),
        ),
        ("e", optional(of(vec![json!("a"), json!("b"), json!("[1]"), json!(null)]))),
        ("c", required(of(vec![json!("x"), json!("y")]))),
        ("b", required(any::<bool>().prop_map(|it| json!(it)))),
        ("l", optional(prop::collection::vec(integer(), 0..3).prop_map(|it| json!(it)))),
        ("o", required(object())),
        (
            "i",
            optional(of(vec![
                json!("12"),
                json!("1.0"),
                json!("+5"),
                json!("99999999999999999999"),
            ])),
        ),
        (
            "q",
            optional(of(vec![
                json!("1.5"),
                json!("NaN"),
                json!("Infinity"),
                json!("1e400"),
                json!("2"),
            ])),
        ),
        ("d", optional(integer())),
        ("p", optional(of(vec![json!("a]"), json!("{}"), json!("b"), json!("z[1]")]))),
        ("y", optional(of(vec![json!("a"), json!("[1"), json!("b"), json!("[")]))),
        ("j", optional(of(vec![json!("2024-02-29"), json!("0010-01-01"), json!("9999-12-31")]))),
        ("g", optional(of(vec![json!(0.5), json!(7), json!(1e100), json!(2.5)]))),
        (
            "h",
            optional(of(vec![
                json!(0),
                json!(-50_000_000_000_i64),
                json!(250_000_000_000_i64),
                json!(30.0),
            ])),
        ),
        ("w", optional(value())),
    ];
    let (names, strategies): (Vec<&str>, Vec<_>) = fields.into_iter().unzip();
    strategies.prop_map(move |values| {
        let pairs = names.iter().zip(values);
        pairs.filter_map(|(name, value)| Some(((*name).to_owned(), value?))).collect()
    })
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Expressions over parameters and over what `names` has.
fn expression(names: Vec<&'static str>) -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        6 => prop::sample::select(names),
        1 => prop::sample::select(vec![
            "0", "1", "-1", "2.5", "9223372036854775807", "1e300", "9e999", "NULL", "TRUE", "x'61'", "x'5b31'",
        ]),
        1 => prop::sample::select(vec!["'$.x'", "'$.a'", "'x'", "'a'", "'[1]'", "'{\"x\":1}'", "'-'"]),
    ]
    .prop_map(str::to_owned);
    let leaf = prop_oneof![5 => leaf, 1 => text().prop_map(|it| quoted(&it))];
    leaf.prop_recursive(4, 20, 3, |inner| {
        let one = inner.clone();
        let two = (inner.clone(), inner.clone());
        let three = (inner.clone(), inner.clone(), inner.clone());
        prop_oneof![
            4 => (two.clone(), prop::sample::select(OPERATORS.to_vec()))
                .prop_map(|((left, right), operator)| format!("({left} {operator} {right})")),
            1 => (three.clone(), prop::sample::select(OPERATORS.to_vec()), prop::sample::select(OPERATORS.to_vec()))
                .prop_map(|((a, b, c), one, two)| format!("({a} {one} {b} {two} {c})")),
            3 => (one.clone(), prop::sample::select(UNARY.to_vec())).prop_map(|(a, form)| form.replace('#', &a)),
            3 => (two, prop::sample::select(BINARY.to_vec()))
                .prop_map(|((a, b), form)| form.replace('#', &a).replace('@', &b)),
            4 => (three, prop::sample::select(TERNARY.to_vec()))
                .prop_map(|((a, b, c), form)| form.replace('#', &a).replace('@', &b).replace('~', &c)),
        ]
    })
    .boxed()
}

const OPERATORS: &[&str] = &[
    "+", "-", "*", "/", "%", "||", "=", "<>", "<", ">=", "AND", "OR", "&", "<<", "->", "->>",
    "IS NOT", "LIKE", "GLOB",
];

const UNARY: &[&str] = &[
    "(-#)",
    "(NOT #)",
    "(~ #)",
    "(# IS NULL)",
    "(# IS NOT NULL)",
    "CAST(# AS INTEGER)",
    "CAST(# AS REAL)",
    "CAST(# AS TEXT)",
    "CAST(# AS NUMERIC)",
    "CAST(# AS BLOB)",
    "abs(#)",
    "round(#)",
    "length(#)",
    "lower(#)",
    "upper(#)",
    "trim(#)",
    "hex(#)",
    "quote(#)",
    "typeof(#)",
    "json(#)",
    "json_quote(#)",
    "json_array(#)",
    "json_object('v', #)",
    "json_type(#)",
    "json_valid(#)",
    "date(#)",
    "sign(#)",
    "ceil(#)",
    "floor(#)",
    "unicode(#)",
    "char(#)",
    "sqrt(#)",
    "exp(#)",
    "sin(#)",
    "acos(#)",
    "atan(#)",
    "json_array_length(#)",
    "(SELECT #)",
    "coalesce(#, 0)",
    "ifnull(#, '')",
    "format('%s', #)",
    "json_remove(#, '$.x')",
    "json_extract(#, '$.x')",
    "json_extract(#, '$.o.x')",
    "(# ->> 'x')",
    "(# -> '$.o')",
    "(# ->> 0)",
    "(# COLLATE NOCASE)",
    "date(#, 'start of month', '+1 day')",
    "date(#, '-5000 years')",
    "date(#, 'unixepoch')",
    "datetime(#)",
    "time(#, 'subsec')",
    "strftime('%Y-%m-%d', #)",
    "strftime('%Y-%m-%dT%H:%M:%fZ', #, 'unixepoch')",
    "strftime('%H:%M]', #)",
    "strftime('[%d]', #)",
    "strftime('{%s', #, 'weekday 1')",
    "substr(#, 1, 10)",
    "substr(#, 1)",
    "substr(#, 2)",
    "substr(#, 1, 1)",
    "format('$%.2f', #)",
    "format('[%d]', #)",
    "format('%d%s', 1, #)",
    "format('%s%%', #)",
    "format('%5x', #)",
    "format(#)",
    "CASE WHEN date(#) IS NOT NULL THEN date(#) ELSE 'none' END",
    "CASE WHEN # > 0 THEN # ELSE 1 END",
    "(SELECT group_concat(value, '') FROM json_each(#))",
    "(# IN (1, 'a', NULL))",
    "(# NOT IN ())",
    "EXISTS (SELECT # WHERE #)",
    "(SELECT # WHERE # > 0)",
];

const BINARY: &[&str] = &[
    "coalesce(#, @)",
    "nullif(#, @)",
    "min(#, @)",
    "max(#, @)",
    "json_array(#, @)",
    "json_object('a', #, 'b', @)",
    "json_object('a', #, 'a', @)",
    "substr(#, @)",
    "instr(#, @)",
    "round(#, @)",
    "iif(#, @)",
    "replace(#, @, 'x')",
    "json_set(#, '$.x', @)",
    "json_insert(#, '$.x', @)",
    "json_replace(#, '$.x', @)",
    "json_set(#, '$.o.x', @)",
    "json_patch(#, @)",
    "json_patch(#, json_object('x', @))",
    "concat(#, @)",
    "trim(#, @)",
    "mod(#, @)",
    "(# BETWEEN 0 AND @)",
    "CASE # WHEN @ THEN 1 END",
    "json_extract(#, @)",
    "(# IN (@))",
    "power(#, @)",
    "json_set(#, '$.v', json(@))",
    "(SELECT value FROM json_each(#) WHERE value <> @)",
    "(SELECT json_group_array(value) FROM json_each(#) WHERE @)",
    "(SELECT sum(value) FROM json_each(#) WHERE @ IS NOT NULL)",
    "(SELECT max(value) || @ FROM json_each(#))",
    "(SELECT count(*) + @ FROM json_each(#))",
    "(SELECT total(value) FROM json_each(#) HAVING @)",
    "(SELECT # UNION ALL SELECT @ LIMIT 1)",
    "(SELECT avg(value) FROM json_each(#, '$.l'))",
    "(WITH c(v) AS (VALUES (#), (@)) SELECT v FROM c)",
    "(SELECT group_concat(atom) FROM json_each(#))",
    "(SELECT sum(#) FROM json_each(@))",
    "(SELECT count(#) FROM json_each(@) WHERE value > 1)",
    "(SELECT max(#) FROM json_each(@) WHERE # > 0)",
    "(SELECT 1 UNION ALL SELECT total(#) FROM json_each(@))",
    "(SELECT count(value) + count(#) FROM json_each(@))",
    "replace(#, 'a', @)",
    "format(#, @)",
    "format('%s-%d', #, @)",
];

const TERNARY: &[&str] = &[
    "CASE WHEN # THEN @ ELSE ~ END",
    "CASE WHEN # THEN @ WHEN ~ THEN # END",
    "iif(#, @, ~)",
    "coalesce(#, @, ~)",
    "CASE WHEN # IS NULL THEN @ ELSE # + ~ END",
    "CASE WHEN # > @ THEN # ELSE ~ END",
    "CASE WHEN # = 'x' THEN @ ELSE # END",
    "CASE WHEN # >= 0 AND # < 10 THEN # ELSE ~ END",
    "CASE WHEN # IS NOT NULL AND @ IS NOT NULL THEN # || @ ELSE ~ END",
    "CASE WHEN # IN ('a', 'x') THEN # ELSE ~ END",
    "CASE WHEN NOT # THEN # ELSE @ END",
    "substr(#, @, ~)",
    "json_array(CASE WHEN # THEN json(@) ELSE ~ END)",
    "json_object('c', coalesce(#, json(@)), 'd', iif(~, json(#), @))",
    "CASE WHEN # OR @ THEN # ELSE ~ END",
    "(# BETWEEN @ AND ~)",
    "CASE WHEN # BETWEEN 1 AND 5 THEN # ELSE @ END",
    "(SELECT CASE WHEN value > @ THEN value ELSE ~ END FROM json_each(#))",
];

/// Statements with one or more columns.
fn statement() -> impl Strategy<Value = String> {
    let expression = || expression(PARAMETERS.to_vec());
    let columns = prop::collection::vec(expression(), 1..4).prop_map(|columns| {
        let columns = columns.iter().enumerate().map(|(index, it)| format!("{it} AS v{index}"));
        columns.collect::<Vec<_>>().join(", ")
    });
    prop_oneof![
        3 => columns.clone().prop_map(|columns| format!("SELECT {columns}")),
        3 => (columns.clone(), expression()).prop_map(|(columns, it)| format!("SELECT {columns} WHERE {it}")),
        1 => (columns.clone(), expression())
            .prop_map(|(columns, it)| format!("SELECT {columns} FROM json_each({it})")),
        1 => (columns.clone(), expression(), expression())
            .prop_map(|(columns, a, b)| format!("SELECT count(*), max({a}), {columns} WHERE {b}")),
        1 => (columns.clone(), expression(), expression(), expression()).prop_map(|(columns, a, b, c)| {
            format!("SELECT {columns}, j.value, j.key, sum(k.v) FROM (SELECT {a} AS v) AS k LEFT JOIN json_each({b}) AS j ON {c} GROUP BY j.value")
        }),
        1 => (expression(), expression(), expression()).prop_map(|(a, b, c)| {
            format!("WITH RECURSIVE c(v, w) AS (SELECT {a}, 1 UNION ALL SELECT {b}, w + 1 FROM c WHERE w < 3) SELECT v, w, {c} AS z FROM c")
        }),
        1 => expression().prop_map(|it| format!("SELECT {it} AS json")),
    ]
}

/// Tables of every kind.
const MIGRATION: &str = "
    CREATE TABLE t (k INTEGER PRIMARY KEY, a INTEGER NOT NULL CHECK (a >= 0), b TEXT, c REAL, d, e TEXT CHECK (e IN ('x', 'y')),
        g NUMERIC AS (a + 1), CHECK (c < 100));
    CREATE TABLE s (p TEXT NOT NULL, q INT, r ANY) STRICT;
    CREATE TABLE w (x TEXT PRIMARY KEY, y INTEGER DEFAULT 7, z NUMERIC NOT NULL DEFAULT 'z') WITHOUT ROWID;
    CREATE VIEW v AS SELECT t.a + 1 AS a1, s.q, s.p FROM t LEFT JOIN s ON s.q = t.k;
    INSERT INTO w VALUES ('m', 1, 2.0);
";

/// Names of parameters and of the columns of `t`.
fn names_in_t() -> Vec<&'static str> {
    let columns = ["k", "a", "b", "c", "d", "e", "g", "t.a", "t.d"];
    PARAMETERS.iter().copied().chain(columns).collect()
}

/// Statements that write into tables and return nothing.
fn write() -> impl Strategy<Value = String> {
    let given = || expression(PARAMETERS.to_vec());
    let inside = || expression(names_in_t());
    prop_oneof![
        (given(), given(), given(), given(), given()).prop_map(|(a, b, c, d, e)| {
            format!("INSERT OR IGNORE INTO t (a, b, c, d, e) VALUES ({a}, {b}, {c}, {d}, {e})")
        }),
        (given(), given()).prop_map(|(a, b)| format!("INSERT OR IGNORE INTO t (a, d) VALUES (abs(ifnull($k, 1)), {a}), (1, {b})")),
        (given(), given()).prop_map(|(a, b)| format!("INSERT OR REPLACE INTO t VALUES ({a}, 1, {b}, 2, {a}, 'x')")),
        (given(), given(), given())
            .prop_map(|(p, q, r)| format!("INSERT OR IGNORE INTO s VALUES (ifnull({p}, 'p'), {q}, {r})")),
        (given(), given(), inside()).prop_map(|(x, y, d)| {
            format!("INSERT INTO w (x, z) VALUES (ifnull({x}, 'm'), {y}) ON CONFLICT (x) DO UPDATE SET y = excluded.z, z = ifnull(w.y + 1, 0) WHERE $k; UPDATE OR IGNORE t SET d = {d}")
        }),
        (inside(), inside(), inside())
            .prop_map(|(a, b, c)| format!("UPDATE OR IGNORE t SET a = {a}, b = {b} WHERE {c}")),
        Just("INSERT OR IGNORE INTO t (a, d, b) SELECT q, r, p FROM s".to_owned()),
        Just("INSERT OR IGNORE INTO s (p, q) SELECT b, a + 1 FROM t WHERE a < 5".to_owned()),
        inside().prop_map(|a| format!("DELETE FROM t WHERE {a}")),
    ]
}

/// Statements that read tables.
fn read() -> impl Strategy<Value = String> {
    let inside = || expression(names_in_t());
    prop_oneof![
        (inside(), inside()).prop_map(|(a, b)| format!("SELECT *, {a} AS z FROM t WHERE {b}")),
        (inside(), inside()).prop_map(|(a, b)| format!("SELECT {a}, s.*, w.* FROM t LEFT JOIN s ON {b}, w")),
        (inside(), inside()).prop_map(|(a, b)| format!("SELECT sum({a}), max(b), d, count(*) FROM t WHERE {b}")),
        inside().prop_map(|a| format!("SELECT avg(a), total(c), json_group_array({a}), e FROM t GROUP BY e")),
        Just("SELECT * FROM v".to_owned()),
        Just("SELECT x, y, z, (SELECT max(q) FROM s WHERE q = w.y) AS m FROM w".to_owned()),
        inside().prop_map(|a| format!("UPDATE OR IGNORE t SET d = {a} RETURNING *")),
        inside().prop_map(|a| format!("DELETE FROM t WHERE {a} RETURNING a, b, g, d")),
        Just("INSERT OR IGNORE INTO t (a, d) VALUES ($k, $s) RETURNING *, d AS dd".to_owned()),
        Just("INSERT INTO w (x) VALUES ($s) ON CONFLICT DO UPDATE SET y = y + 1 RETURNING *".to_owned()),
        Just("WITH RECURSIVE n(i) AS (SELECT min(a) FROM t UNION SELECT i + 1 FROM n WHERE i < 5) SELECT i FROM n".to_owned()),
    ]
}

/// Runs statements, of which the last one alone has rows, and compares every row; how many rows there were.
fn compare(statement: &str, migration: &str, documents: &[Value]) -> Result<usize, TestCaseError> {
    let schema = source();
    let (connection, guard) = open_in_memory().unwrap();
    migrate(&connection, &guard, migration).unwrap();
    let shape = Arc::new(Shape::infer(&schema));
    let projections = [("flow_document", ""), ("flow_published_at", "/_meta/uuid")];
    let projections = projections.map(|(field, pointer)| {
        let projection = json!({"field": field, "pointer": pointer, "types": []});
        serde_json::from_value::<Projection>(projection).unwrap()
    });
    let parameters = Parameters::new(&projections, Arc::clone(&shape));
    let Ok(lambda) = Lambda::compile(&connection, &guard, statement, &parameters) else {
        return Ok(0);
    };
    let parsed: Vec<Parsed> =
        lambda.statements().map(|statement| Parsed::of_lambda(statement, &shape)).collect();
    let tables = Tables::of(&connection, &[migration], &parsed);
    let last = lambda.statements().last().unwrap();
    let Ok(inferred) = Inferred::of(last, parsed.last().unwrap(), &tables) else { return Ok(0) };
    let inferred = inferred.shape(&BTreeSet::new(), None);
    let admitting = Schema::compile(&inferred.render()).unwrap();
    let mut rows = Rows::default();
    for document in documents {
        let document = Document::from_value(document);
        let invocation = Invocation { document: document.root(), uuid: Some(UUID) };
        // A statement that fails stops the task; what ran before it has been published.
        let _ = lambda.invoke(&connection, &guard, invocation, &mut rows);
    }
    for row in rows.documents().iter() {
        let row = row.to_value();
        let fault = admitting.validate(&row).err();
        prop_assert!(
            fault.is_none(),
            "{}\nmakes {}\nwhich is not of {}\n{:?}",
            statement,
            row,
            inferred.render(),
            fault
        );
    }
    Ok(rows.documents().len())
}

proptest! {
    #[test]
    fn no_row_is_outside_what_was_inferred(statement in statement(), document in document()) {
        prop_assert!(Schema::compile(&source()).unwrap().is_valid(&document), "{}", document);
        compare(&statement, "", &[document])?;
    }

    #[test]
    fn no_row_of_tables_is_outside_what_was_inferred(
        writes in prop::collection::vec(write(), 1..4),
        read in read(),
        documents in prop::collection::vec(document(), 1..4),
    ) {
        compare(&format!("{}; {read}", writes.join("; ")), MIGRATION, &documents)?;
    }
}
