//! The functions of SQLite as data: of which classes their results are, and when they are NULL.
//!
//! The table is `functions.tsv` beside this file. What is told of a function holds for all arguments; of some functions the
//! arguments tell more, which is the business of who knows them.

use std::ops::RangeInclusive;
use std::sync::LazyLock;

const TABLE: &str = include_str!("functions.tsv");

/// A function, or one of several of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// The name in lower case.
    pub name: &'static str,
    /// How many arguments it takes.
    pub arguments: RangeInclusive<usize>,
    /// Where it may stand.
    pub kind: FunctionKind,
    /// The classes of its results.
    pub results: Vec<ResultClass>,
    /// When a result is NULL.
    pub nullability: Nullability,
}

/// Where a function may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionKind {
    /// Anywhere.
    Scalar,
    /// Over the rows of a group or window.
    Aggregate,
    /// Over a window only.
    Window,
}

/// A class of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultClass {
    /// 0 or 1.
    Boolean,
    /// An integer that is not negative.
    Count,
    /// Any integer.
    Integer,
    /// A finite real number.
    Real,
    /// Any real number, `inf` and `-inf` among them.
    Infinite,
    /// Any text.
    Text,
    /// A text that is neither an array nor an object of JSON.
    Plain,
    /// Bytes.
    Blob,
    /// Text of JSON.
    Json,
    /// As any of the arguments, apart from NULL.
    Argument,
    /// As the first argument, apart from NULL.
    First,
}

/// When a result is NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nullability {
    /// Never.
    Never,
    /// Only when an argument is.
    Any,
    /// Only when the first argument is.
    First,
    /// Only when all arguments are.
    All,
    /// Only over rows without a value.
    Empty,
    /// Whenever.
    May,
}

/// Every function, sorted by name.
pub fn functions() -> &'static [Function] {
    static FUNCTIONS: LazyLock<Vec<Function>> = LazyLock::new(|| {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).skip(1);
        lines.map(|line| read(line).expect("the table of functions is well-formed")).collect()
    });
    &FUNCTIONS
}

fn read(line: &'static str) -> Option<Function> {
    let mut cells = line.split('\t');
    let name = cells.next()?;
    let (least, most) =
        cells.next().map(|range| range.split_once('-').unwrap_or((range, range)))?;
    let most = if most.is_empty() { usize::MAX } else { most.parse().ok()? };
    let kind = match cells.next()? {
        "scalar" => FunctionKind::Scalar,
        "aggregate" => FunctionKind::Aggregate,
        "window" => FunctionKind::Window,
        _ => return None,
    };
    let results = cells.next()?.split('|').map(class).collect::<Option<_>>()?;
    let nullability = match cells.next()? {
        "never" => Nullability::Never,
        "any" => Nullability::Any,
        "first" => Nullability::First,
        "all" => Nullability::All,
        "empty" => Nullability::Empty,
        "may" => Nullability::May,
        _ => return None,
    };
    let arguments = least.parse().ok()?..=most;
    Some(Function { name, arguments, kind, results, nullability })
}

fn class(name: &str) -> Option<ResultClass> {
    Some(match name {
        "boolean" => ResultClass::Boolean,
        "count" => ResultClass::Count,
        "integer" => ResultClass::Integer,
        "real" => ResultClass::Real,
        "infinite" => ResultClass::Infinite,
        "text" => ResultClass::Text,
        "plain" => ResultClass::Plain,
        "blob" => ResultClass::Blob,
        "json" => ResultClass::Json,
        "argument" => ResultClass::Argument,
        "first" => ResultClass::First,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use rusqlite::Connection;
    use rusqlite::types::Value;

    use super::*;

    /// Arguments at the edges of their classes, and such that some function makes something special of them.
    const ARGUMENTS: &[&str] = &[
        "NULL",
        "0",
        "1",
        "-3",
        "9223372036854775807",
        "0.0",
        "-2.5",
        "1e308",
        "9e999",
        "''",
        "'a'",
        "'[1]'",
        "'{\"a\":[1,\"x\",null,true]}'",
        "'12'",
        "'$.a'",
        "'2024-02-29T12:00:00Z'",
        "'%s'",
        "x''",
        "x'5b31'",
        "'9e999'",
        "'$'",
        "'+1 day'",
    ];

    fn is_of_class(class: ResultClass, value: &Value, arguments: &[Value]) -> bool {
        match (class, value) {
            (ResultClass::Boolean, Value::Integer(integer)) => (0..=1).contains(integer),
            (ResultClass::Count, Value::Integer(integer)) => *integer >= 0,
            (ResultClass::Integer, Value::Integer(_))
            | (ResultClass::Infinite, Value::Real(_))
            | (ResultClass::Text, Value::Text(_))
            | (ResultClass::Blob, Value::Blob(_)) => true,
            (ResultClass::Real, Value::Real(real)) => real.is_finite(),
            (ResultClass::Plain, Value::Text(text)) => {
                !text.starts_with(['[', '{']) || !text.ends_with([']', '}'])
            }
            (ResultClass::Json, Value::Text(text)) => !text.is_empty(),
            (ResultClass::Argument, value) => arguments.contains(value),
            (ResultClass::First, value) => arguments.first() == Some(value),
            _ => false,
        }
    }

    fn may_be_null(function: &Function, arguments: &[Value]) -> bool {
        let is_null = |value: &Value| *value == Value::Null;
        match function.nullability {
            Nullability::Never => false,
            Nullability::Any | Nullability::Empty => arguments.iter().any(is_null),
            Nullability::First => arguments.first().is_some_and(is_null),
            Nullability::All => arguments.iter().all(is_null),
            Nullability::May => true,
        }
    }

    /// Calls a function with every choice of arguments, of which it may refuse some.
    fn try_out(
        connection: &Connection,
        function: &Function,
        count: usize,
        faults: &mut Vec<String>,
    ) -> usize {
        let over = if function.kind == FunctionKind::Window { " OVER ()" } else { "" };
        let mut called = 0;
        let mut chosen = vec![0; count];
        loop {
            let texts: Vec<&str> = chosen.iter().map(|&it| *ARGUMENTS.get(it).unwrap()).collect();
            let list = texts.join(", ");
            let query = format!(
                "SELECT {}({list}){over}, {}",
                function.name,
                if count == 0 { "1" } else { &list }
            );
            let values = connection.query_row(&query, [], |row| {
                (0..=count.max(1))
                    .map(|column| row.get::<_, Value>(column))
                    .collect::<Result<Vec<_>, _>>()
            });
            if let Ok(values) = values {
                called += 1;
                let (result, arguments) = values.split_first().unwrap();
                let arguments = arguments.get(..count).unwrap();
                let is_told = if *result == Value::Null {
                    may_be_null(function, arguments)
                } else {
                    function.results.iter().any(|it| is_of_class(*it, result, arguments))
                };
                if !is_told {
                    faults.push(format!("{query} is {result:?}"));
                    return called;
                }
            }
            let Some(place) = chosen.iter().position(|&it| it + 1 < ARGUMENTS.len()) else {
                return called;
            };
            chosen.iter_mut().take(place).for_each(|it| *it = 0);
            *chosen.get_mut(place).unwrap() += 1;
        }
    }

    #[test]
    fn every_function_is_as_the_table_says() {
        let connection = Connection::open_in_memory().unwrap();
        let mut faults = Vec::new();
        for function in functions() {
            let (least, most) = (*function.arguments.start(), *function.arguments.end());
            let called: usize = (least..=most.min(3))
                .map(|count| try_out(&connection, function, count, &mut faults))
                .sum();
            assert!(called > 0, "`{}` was never called", function.name);
        }
        assert_eq!(faults, Vec::<String>::new());
    }

    #[test]
    fn every_function_of_the_engine_is_in_the_table_or_known_to_be_left_out() {
        let connection = Connection::open_in_memory().unwrap();
        let mut query = connection
            .prepare("SELECT DISTINCT name FROM pragma_function_list ORDER BY 1")
            .unwrap();
        let names = query.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let is_left_out = |name: &str| {
            ["sqlite_", "fts", "rtree", "geopoly", "jsonb_", "->", "json_"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
                || LEFT_OUT.contains(&name)
        };
        let unknown: Vec<String> = names
            .map(Result::unwrap)
            .filter(|name| !functions().iter().any(|it| it.name == name) && !is_left_out(name))
            .collect();
        assert_eq!(unknown, Vec::<String>::new());
    }

    /// Functions of which nothing is told: of tests, of extensions, of the engine itself.
    const LEFT_OUT: &[&str] = &[
        "bm25",
        "current_date",
        "current_time",
        "current_timestamp",
        "highlight",
        "if",
        "load_extension",
        "match",
        "median",
        "percentile",
        "percentile_cont",
        "percentile_disc",
        "snippet",
        "subtype",
        "unistr",
        "unistr_quote",
        "optimize",
        "matchinfo",
        "offsets",
        "fts3_tokenizer",
        "soundex",
    ];
}
