//! Splitting a block of SQL into statements, and what may be said of a statement by its tokens
//! alone.

use std::ops::Range;

use super::tokens::{Token, TokenKind, tokens};
use super::{SqlFailure, SqlFailureKind};

/// The byte range of each statement of a block, without its `;`, blanks and comments around it.
///
/// A `;` inside a string, a comment or the body of a trigger ends no statement.
///
/// # Errors
/// A NUL byte.
pub fn split(text: &str) -> Result<Vec<Range<usize>>, SqlFailure> {
    if let Some(offset) = text.find('\0') {
        return Err(SqlFailure {
            range: offset..offset + 1,
            kind: SqlFailureKind::Syntax,
            message: "a NUL character cannot stand in SQL".to_owned(),
        });
    }
    let mut statements = Vec::new();
    let mut statement: Option<Statement> = None;
    for token in tokens(text) {
        if token.kind == TokenKind::Semicolon {
            let Some(current) = statement.as_mut() else { continue };
            if !current.is_open_trigger() {
                statements.extend(statement.take().map(|complete| complete.range));
                continue;
            }
            current.add_semicolon(&token);
            continue;
        }
        statement.get_or_insert_with(|| Statement::new(&token)).add(text, &token);
    }
    statements.extend(statement.map(|last| last.range));
    Ok(statements)
}

/// Where a `;` is missing: the end of the last statement, when none ends it.
pub fn missing_semicolon(text: &str) -> Option<usize> {
    let last = tokens(text).last()?;
    (last.kind != TokenKind::Semicolon).then_some(last.range.end)
}

/// A function that a text calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The bytes of its name.
    pub name: Range<usize>,
    /// Whether it is called without arguments.
    pub is_empty: bool,
}

/// The functions that a text calls, and whatever else looks like a call: a name before a parenthesis. What stands where only a
/// table can is none.
pub fn calls(text: &str) -> Vec<Call> {
    let tokens: Vec<Token> = tokens(text).collect();
    let mut calls = Vec::new();
    let mut statement_start = 0;
    for (index, window) in tokens.windows(3).enumerate() {
        let [name, open, next] = window else { continue };
        if name.kind == TokenKind::Semicolon {
            statement_start = index + 1;
        }
        let before = tokens.get(statement_start..index).unwrap_or_default();
        let is_call = name.kind == TokenKind::Word && open.text(text) == "(";
        if is_call && !is_table(before, text) {
            let is_empty = next.text(text) == ")";
            calls.push(Call { name: name.range.clone(), is_empty });
        }
    }
    calls
}

/// The bytes of every text in `''` that stands in a call of one of some functions.
pub fn texts_in_calls(text: &str, functions: &[&str]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    // Whether each open parenthesis is in such a call.
    let mut open: Vec<bool> = Vec::new();
    let mut before: Option<Token> = None;
    for token in tokens(text) {
        let is_inside = open.last().copied().unwrap_or_default();
        match token.text(text) {
            "(" => open.push(
                is_inside
                    || before.as_ref().is_some_and(|name| {
                        functions.iter().any(|function| name.is_keyword(text, function))
                    }),
            ),
            ")" => drop(open.pop()),
            _ if is_inside && token.kind == TokenKind::Text => found.push(token.range.clone()),
            _ => {}
        }
        before = Some(token);
    }
    found
}

/// Whether only a table can follow the tokens of a statement.
fn is_table(before: &[Token], text: &str) -> bool {
    const WORDS: [&str; 7] = ["TABLE", "EXISTS", "INTO", "VIEW", "REFERENCES", "WITH", "RECURSIVE"];
    let Some(last) = before.last() else { return false };
    let is_of_index = last.is_keyword(text, "ON")
        && before.iter().take(3).any(|token| token.is_keyword(text, "INDEX"));
    is_of_index
        || last.text(text) == "."
        || WORDS.iter().any(|keyword| last.is_keyword(text, keyword))
}

/// The bytes of every bare word or text in `''` that is one of `wanted`, in any case and without quotes.
pub fn mentions(text: &str, wanted: &[&str]) -> Vec<Range<usize>> {
    let is_wanted = |token: &Token| {
        token.kind != TokenKind::QuotedName
            && token
                .name(text)
                .is_some_and(|name| wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(&name)))
    };
    tokens(text).filter(is_wanted).map(|token| token.range).collect()
}

/// Whether a text has one of some names, however it is quoted.
pub fn names_any(text: &str, names: &[&str]) -> bool {
    tokens(text)
        .filter_map(|token| token.name(text).map(std::borrow::Cow::into_owned))
        .any(|name| names.iter().any(|wanted| wanted.eq_ignore_ascii_case(&name)))
}

/// The bytes that give a column of a statement its name: its alias, else its last mention.
pub fn column_place(statement: &str, column: &str) -> Option<Range<usize>> {
    let tokens: Vec<Token> = tokens(statement).collect();
    let is_named = |token: &Token| {
        token.text(statement) == column
            || token.name(statement).is_some_and(|name| name.as_ref() == column)
    };
    let alias = tokens.windows(2).find_map(|pair| {
        let [before, token] = pair else { return None };
        (before.is_keyword(statement, "AS") && is_named(token)).then(|| token.range.clone())
    });
    alias.or_else(|| tokens.iter().rev().find(|token| is_named(token)).map(|it| it.range.clone()))
}

/// A statement while its tokens are collected.
struct Statement {
    range: Range<usize>,
    head: Head,
    /// Whether the last token is a `;` inside a trigger: an `END` behind it closes the body.
    after_semicolon: bool,
    is_closed: bool,
}

/// How far the beginning of a statement has been recognised as that of a trigger.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Head {
    Start,
    Explain,
    Create,
    Trigger,
    Other,
}

impl Statement {
    fn new(first: &Token) -> Self {
        Self {
            range: first.range.clone(),
            head: Head::Start,
            after_semicolon: false,
            is_closed: false,
        }
    }

    fn add(&mut self, text: &str, token: &Token) {
        let is = |keyword| token.is_keyword(text, keyword);
        self.range.end = token.range.end;
        self.is_closed = self.after_semicolon && is("END");
        self.after_semicolon = false;
        self.head = match self.head {
            Head::Start if is("EXPLAIN") => Head::Explain,
            Head::Explain if is("QUERY") || is("PLAN") => Head::Explain,
            Head::Start | Head::Explain if is("CREATE") => Head::Create,
            Head::Create if is("TEMP") || is("TEMPORARY") => Head::Create,
            Head::Create if is("TRIGGER") => Head::Trigger,
            Head::Trigger => Head::Trigger,
            Head::Start | Head::Explain | Head::Create | Head::Other => Head::Other,
        };
    }

    fn add_semicolon(&mut self, token: &Token) {
        self.range.end = token.range.end;
        self.after_semicolon = true;
        self.is_closed = false;
    }

    fn is_open_trigger(&self) -> bool {
        self.head == Head::Trigger && !self.is_closed
    }
}

/// The token with which a statement would end the transaction around it.
pub(super) fn transaction_end(statement: &str) -> Option<Token> {
    let tokens: Vec<Token> = tokens(statement).collect();
    let is = |index: usize, keyword| {
        tokens.get(index).is_some_and(|token: &Token| token.is_keyword(statement, keyword))
    };
    if is(0, "BEGIN") || is(0, "COMMIT") || is(0, "END") {
        return tokens.into_iter().next();
    }
    if is(0, "ROLLBACK") {
        let to = if is(1, "TRANSACTION") { 2 } else { 1 };
        return if is(to, "TO") { None } else { tokens.into_iter().next() };
    }
    let index = (2..tokens.len()).find(|&index| {
        let is_clause = |first, second| is(index - 2, first) && is(index - 1, second);
        let is_raise = is(index - 2, "RAISE")
            && tokens.get(index - 1).is_some_and(|token| token.text(statement) == "(");
        is(index, "ROLLBACK")
            && (is_raise
                || is_clause("INSERT", "OR")
                || is_clause("UPDATE", "OR")
                || is_clause("ON", "CONFLICT"))
    })?;
    tokens.into_iter().nth(index)
}

/// The first token of a statement.
pub(super) fn first_token(statement: &str) -> Option<Token> {
    tokens(statement).next()
}

/// The statement with `?1`, `?2` and so on in place of its parameters; `number` gives the number of one.
pub(super) fn numbered(statement: &str, number: impl Fn(&str) -> Option<usize>) -> String {
    let mut text = String::with_capacity(statement.len());
    let mut end = 0;
    for token in tokens(statement).filter(|token| token.kind == TokenKind::Parameter) {
        let Some(number) = number(token.text(statement)) else { continue };
        text.push_str(statement.get(end..token.range.start).unwrap_or_default());
        text.push_str(&format!("?{number}"));
        end = token.range.end;
    }
    text.push_str(statement.get(end..).unwrap_or_default());
    text
}

/// The first token that stands for a name, in any case and however it is quoted.
pub(super) fn find_name(statement: &str, name: &str) -> Option<Token> {
    tokens(statement)
        .find(|token| token.name(statement).is_some_and(|it| it.eq_ignore_ascii_case(name)))
}

/// The first token with exactly this text.
pub(super) fn find_text(statement: &str, text: &str) -> Option<Token> {
    tokens(statement).find(|token| token.text(statement) == text)
}

/// The token at a byte offset, or else the first one behind it, or else the last one.
pub(super) fn token_at(statement: &str, offset: usize) -> Option<Token> {
    let mut last = None;
    for token in tokens(statement) {
        if token.range.end > offset {
            return Some(token);
        }
        last = Some(token);
    }
    last
}

/// The names of which SQLite does not tell the authorizer: those behind `REFERENCES` and `RENAME TO`, and all in a
/// trigger or view, whose bodies it looks at only when they are used.
pub(super) fn silent_names(statement: &str) -> Vec<Token> {
    let tokens: Vec<Token> = tokens(statement).collect();
    if is_trigger_or_view(statement, &tokens) {
        return tokens;
    }
    let is_announced = |pair: &[Token]| {
        pair.first().is_some_and(|before| {
            before.is_keyword(statement, "REFERENCES") || before.is_keyword(statement, "TO")
        })
    };
    tokens
        .windows(2)
        .filter(|pair| is_announced(pair))
        .filter_map(|pair| pair.last().cloned())
        .collect()
}

fn is_trigger_or_view(statement: &str, tokens: &[Token]) -> bool {
    let is =
        |token: &Token, words: &[&str]| words.iter().any(|word| token.is_keyword(statement, word));
    let mut words = tokens.iter().skip_while(|token| is(token, &["EXPLAIN", "QUERY", "PLAN"]));
    words.next().is_some_and(|first| is(first, &["CREATE"]))
        && words
            .find(|token| !is(token, &["TEMP", "TEMPORARY"]))
            .is_some_and(|kind| is(kind, &["TRIGGER", "VIEW"]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use proptest::prelude::*;

    use super::*;

    fn statements(text: &str) -> Vec<&str> {
        split(text).unwrap().into_iter().map(|range| text.get(range).unwrap()).collect()
    }

    #[test]
    fn blocks_split_at_complete_statements() {
        assert_eq!(
            statements("SELECT ';'; -- a;\n select 2 /* ; */ ;; "),
            ["SELECT ';'", "select 2"]
        );
        assert_eq!(statements("SELECT 1"), ["SELECT 1"]);
        assert_eq!(statements(" -- nothing ;\n"), Vec::<&str>::new());
        assert_eq!(statements("SELECT \"a;b\", [c;d], `e;f`;"), ["SELECT \"a;b\", [c;d], `e;f`"]);
    }

    #[test]
    fn the_body_of_a_trigger_stays_whole() {
        let trigger = "CREATE TEMP TRIGGER r AFTER INSERT ON t BEGIN\n\
            UPDATE t SET a = CASE WHEN b THEN 1 ELSE 2 END; -- END;\n DELETE FROM u; END";
        let text = format!("{trigger}; SELECT 1;");
        assert_eq!(statements(&text), [trigger, "SELECT 1"]);
        assert_eq!(
            statements("CREATE TABLE trigger_(a); SELECT 1"),
            ["CREATE TABLE trigger_(a)", "SELECT 1"]
        );
    }

    #[test]
    fn a_missing_semicolon_has_a_place() {
        assert_eq!(missing_semicolon("SELECT 1 -- a\n"), Some(8));
        assert_eq!(missing_semicolon("SELECT 1; -- a\n"), None);
        assert_eq!(missing_semicolon("-- a"), None);
    }

    #[test]
    fn calls_and_mentions_have_places() {
        let text = "SELECT random(), sqrt( $a ), 'now' FROM t -- changes()\n WHERE \"now\" IN (1)";
        let names = |calls: Vec<Call>| -> Vec<(String, bool)> {
            calls
                .into_iter()
                .map(|call| (text.get(call.name).unwrap().to_owned(), call.is_empty))
                .collect()
        };
        let expected = [("random", true), ("sqrt", false), ("IN", false)];
        assert_eq!(names(calls(text)), expected.map(|(name, empty)| (name.to_owned(), empty)));
        assert_eq!(mentions(text, &["NOW"]).first(), Some(&(29..34)));
    }

    #[test]
    fn texts_are_found_in_calls() {
        let text = "SELECT 'a', date('b', (SELECT max('c'))), 'd' WHERE DATE ( 'e' ) = x('f')";
        let found =
            texts_in_calls(text, &["date"]).into_iter().map(|range| text.get(range).unwrap());
        assert_eq!(found.collect::<Vec<_>>(), ["'b'", "'c'", "'e'"]);
    }

    #[test]
    fn tables_are_not_called() {
        let text = "CREATE TABLE log (n); CREATE TABLE IF NOT EXISTS mod(n); CREATE UNIQUE INDEX i ON pow (n);
            INSERT INTO exp(n) SELECT ln(n) FROM a JOIN b ON sin(n) = main.cos (n);
            WITH pi(n) AS (SELECT 1) SELECT tan (n) FROM pi;";
        let found = calls(text).into_iter().map(|call| text.get(call.name).unwrap());
        let found: Vec<_> = found.filter(|name| !["AS", "ON"].contains(name)).collect();
        assert_eq!(found, ["ln", "sin", "tan"]);
    }

    #[test]
    fn columns_have_places() {
        let place = |statement: &'static str, column| {
            column_place(statement, column).and_then(|range| statement.get(range))
        };
        assert_eq!(place("SELECT $a, b AS \"total\", total FROM t", "total"), Some("\"total\""));
        assert_eq!(place("SELECT $a$b", "$a$b"), Some("$a$b"));
        assert_eq!(column_place("SELECT a, 1 AS a2 FROM a", "b"), None);
    }

    #[test]
    fn parameters_become_numbers() {
        let number = |name: &str| ["$a", "$a$b", "$p::(c_d)"].iter().position(|it| *it == name);
        let text = numbered("SELECT $a$b + $p::(c_d), '$a', \"$a\" -- $a\n, $a;", number);
        assert_eq!(text, "SELECT ?1 + ?2, '$a', \"$a\" -- $a\n, ?0;");
    }

    #[test]
    fn a_nul_is_refused() {
        assert_eq!(split("SELECT \0").unwrap_err().range, 7..8);
    }

    #[test]
    fn ends_of_transactions_are_found() {
        let found = |statement| transaction_end(statement).map(|token| token.range.start);
        for statement in ["begin", "COMMIT", "END TRANSACTION", "ROLLBACK", "rollback transaction"]
        {
            assert_eq!(found(statement), Some(0), "{statement}");
        }
        assert_eq!(found("INSERT OR ROLLBACK INTO t VALUES(1)"), Some(10));
        assert_eq!(found("CREATE TABLE t(a UNIQUE ON CONFLICT rollback)"), Some(36));
        assert_eq!(found("SELECT RAISE ( ROLLBACK, 'x')"), Some(15));
        for statement in [
            "ROLLBACK TO s",
            "ROLLBACK TRANSACTION TO SAVEPOINT s",
            "SAVEPOINT begin",
            "RELEASE s",
            "SELECT 'ROLLBACK', \"ROLLBACK\" -- ROLLBACK",
            "SELECT RAISE(ABORT, 'ROLLBACK')",
            "SELECT CASE WHEN 1 THEN 2 END",
            "INSERT OR REPLACE INTO t VALUES(1)",
        ] {
            assert_eq!(found(statement), None, "{statement}");
        }
    }

    proptest! {
        #[test]
        fn splitting_never_fails_otherwise(text in "[a-z;'\"\\-/* \nBEGINDCRATx`\\[\\]é]{0,40}") {
            let mut end = 0;
            for range in split(&text).unwrap() {
                prop_assert!(range.start >= end && range.end > range.start);
                prop_assert!(text.get(range.clone()).is_some());
                end = range.end;
            }
        }
    }
}
