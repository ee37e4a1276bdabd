//! What an expression may be.

use sqlparser::ast::{CaseWhen, Expr, Ident, UnaryOperator, Value};

use super::calls;
use super::domain::{Domain, Integers, Reals, Subtype, Texts};
use super::environment::{Environment, Key};
use super::narrow::{self, Truth};
use super::operators;
use super::precedence::is_agreed;
use super::query;

/// What an expression may be at a place. What is not understood may be anything.
pub(super) fn domain(expression: &Expr, environment: &Environment<'_>) -> Domain {
    if !environment.takes_step() || !is_agreed(expression) {
        return Domain::any();
    }
    let of = |expression: &Expr| domain(expression, environment);
    match expression {
        Expr::Nested(inner) => of(inner),
        Expr::Value(value) => literal(&value.value, environment),
        Expr::Identifier(name) => column(None, name, environment),
        Expr::CompoundIdentifier(names) => match names.as_slice() {
            [table, name] => column(Some(table), name, environment),
            _ => Domain::any(),
        },
        Expr::UnaryOp { op, expr } => unary(*op, expr, environment),
        Expr::BinaryOp { left, op, right } => operators::binary(of(left), op, of(right), right),
        Expr::IsNull(operand) => null_test(&of(operand), 1),
        Expr::IsNotNull(operand) => null_test(&of(operand), 0),
        Expr::IsTrue(operand)
        | Expr::IsNotTrue(operand)
        | Expr::IsFalse(operand)
        | Expr::IsNotFalse(operand) => {
            of(operand);
            Domain::boolean()
        }
        Expr::IsDistinctFrom(..) | Expr::IsNotDistinctFrom(..) | Expr::Exists { .. } => {
            Domain::boolean()
        }
        Expr::InList { expr, list, .. } => {
            let may_be_null = list.iter().map(of).any(|each| each.null);
            Domain::boolean().or_null(may_be_null || of(expr).null)
        }
        Expr::InSubquery { .. } => Domain::boolean().or_null(true),
        Expr::Between { expr, low, high, .. } => {
            Domain::boolean().or_null(of(expr).null || of(low).null || of(high).null)
        }
        Expr::Like { expr, pattern, escape_char, .. } => {
            let escape = escape_char.as_deref().is_some_and(|escape| of(escape).null);
            Domain::boolean().or_null(of(expr).null || of(pattern).null || escape)
        }
        Expr::Cast { expr, data_type, .. } => cast(of(expr), &data_type.to_string()),
        Expr::Collate { expr, .. } => of(expr),
        Expr::Case { operand, conditions, else_result, .. } => {
            case(operand.as_deref(), conditions, else_result.as_deref(), environment)
        }
        Expr::Subquery(subquery) => query::scalar(subquery, environment),
        Expr::Function(call) if environment.is_required(call) => {
            calls::domain(expression, environment).without_null()
        }
        _ => calls::domain(expression, environment),
    }
}

fn literal(value: &Value, environment: &Environment<'_>) -> Domain {
    match value {
        Value::Null => Domain::null(),
        Value::Boolean(value) => Domain::integer(i64::from(*value), i64::from(*value)),
        Value::Number(text, _) => number(text),
        Value::SingleQuotedString(text) => Domain::constant(text),
        Value::HexStringLiteral(_) => Domain::blob(),
        Value::Placeholder(name) => match parameter(name) {
            Some(key) => environment.domain(key),
            None => Domain::any(),
        },
        _ => Domain::any(),
    }
}

/// The key of `?1`.
pub(super) fn parameter(name: &str) -> Option<Key> {
    name.strip_prefix('?')?.parse().ok().map(Key::Parameter)
}

fn number(text: &str) -> Domain {
    if let Ok(integer) = text.parse::<i64>() {
        return Domain::integer(integer, integer);
    }
    match text.parse::<f64>() {
        Ok(real) => {
            let is_whole = real.fract() == 0.0;
            Domain::real(Reals { least: real, most: real, is_whole }.blurred())
        }
        Err(_) => Domain { integer: Some(Integers::ALL), real: Some(Reals::ALL), ..Domain::none() },
    }
}

fn column(table: Option<&Ident>, name: &Ident, environment: &Environment<'_>) -> Domain {
    let keys = environment.columns(table, name);
    let domains = keys.into_iter().map(|key| environment.domain(key));
    domains.reduce(Domain::union).unwrap_or_else(|| word(table, name))
}

/// A name that is no column that is known.
fn word(table: Option<&Ident>, name: &Ident) -> Domain {
    let word = name.value.to_ascii_lowercase();
    match word.as_str() {
        "current_date" | "current_time" | "current_timestamp"
            if table.is_none() && name.quote_style.is_none() =>
        {
            Domain::text(Texts::plain())
        }
        _ => Domain::any(),
    }
}

fn null_test(operand: &Domain, when_null: i64) -> Domain {
    match (operand.null, operand.is_only_null()) {
        (false, _) => Domain::integer(1 - when_null, 1 - when_null),
        (true, true) => Domain::integer(when_null, when_null),
        (true, false) => Domain::boolean(),
    }
}

fn unary(operator: UnaryOperator, operand: &Expr, environment: &Environment<'_>) -> Domain {
    let value = domain(operand, environment);
    match operator {
        UnaryOperator::Plus => value,
        UnaryOperator::Minus => operators::negated(value),
        UnaryOperator::Not => Domain::boolean().or_null(value.null),
        UnaryOperator::BitwiseNot => {
            Domain { integer: Some(Integers::ALL), ..Domain::none() }.or_null(value.null)
        }
        _ => Domain::any(),
    }
}

fn case(
    operand: Option<&Expr>,
    conditions: &[CaseWhen],
    otherwise: Option<&Expr>,
    environment: &Environment<'_>,
) -> Domain {
    let mut rest = environment.clone();
    let mut found = Domain::none();
    for CaseWhen { condition, result } in conditions {
        if operand.is_some() {
            found = found.union(domain(result, &rest));
            continue;
        }
        if let Some(inside) = narrow::assume(condition, Truth::True, &rest) {
            found = found.union(domain(result, &inside));
        }
        match narrow::assume(condition, Truth::NotTrue, &rest) {
            Some(outside) => rest = outside,
            None => return found,
        }
    }
    match otherwise {
        Some(otherwise) => found.union(domain(otherwise, &rest)),
        None => found.or_null(true),
    }
}

/// A value that is converted to the affinity of a type.
fn cast(value: Domain, type_name: &str) -> Domain {
    let null = value.null;
    let has_words = value.text.is_some() || value.blob;
    let numbers = Domain { text: None, blob: false, null: false, ..value.clone() };
    let converted = match affinity(type_name) {
        Affinity::Integer => {
            let integers = Domain { integer: value.integer, ..Domain::none() };
            // The conversion cuts off the fraction, and saturates at both ends.
            let from_reals = value
                .real
                .map(|it| Domain::integer(it.least.trunc() as i64, it.most.trunc() as i64));
            let from_words = Domain { integer: Some(Integers::ALL), ..Domain::none() };
            let from_words = has_words.then_some(from_words);
            from_reals.into_iter().chain(from_words).fold(integers, Domain::union)
        }
        Affinity::Real => {
            let from_integers = value.integer.map(|it| Domain::real(it.to_reals()));
            let from_words = has_words.then(|| Domain::real(Reals::ALL));
            let reals = value.real.map(Domain::real);
            let all = [from_integers, from_words, reals].into_iter().flatten();
            all.fold(Domain::none(), Domain::union)
        }
        Affinity::Numeric => {
            let words =
                Domain { integer: Some(Integers::ALL), real: Some(Reals::ALL), ..Domain::none() };
            // A real number without a fraction may become an integer.
            let whole =
                value.real.map(|_| Domain { integer: Some(Integers::ALL), ..Domain::none() });
            let words = if has_words { words } else { Domain::none() };
            whole.into_iter().fold(numbers.union(words), Domain::union)
        }
        Affinity::Text => {
            let kept = value.text.clone().map_or_else(Domain::none, Domain::text);
            let kept = kept.with_subtype(Subtype::blurred);
            let digits = value.integer.is_some() || value.real.is_some();
            let digits =
                if digits { Domain::text(operators::digits(&value)) } else { Domain::none() };
            let bytes = if value.blob { Domain::text(Texts::any()) } else { Domain::none() };
            kept.union(digits).union(bytes)
        }
        Affinity::Blob => Domain::blob(),
    };
    converted.or_null(null)
}

/// The affinity of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Affinity {
    Integer,
    Text,
    Blob,
    Real,
    Numeric,
}

/// The affinity that SQLite finds in the name of a type.
pub(super) fn affinity(type_name: &str) -> Affinity {
    let name = type_name.to_ascii_uppercase();
    let has = |part: &str| name.contains(part);
    if has("INT") {
        Affinity::Integer
    } else if has("CHAR") || has("CLOB") || has("TEXT") {
        Affinity::Text
    } else if has("BLOB") || name.is_empty() {
        Affinity::Blob
    } else if has("REAL") || has("FLOA") || has("DOUB") {
        Affinity::Real
    } else {
        Affinity::Numeric
    }
}
