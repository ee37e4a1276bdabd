//! What functions give: by the table of functions, and of some more by what their arguments are.

use sqlparser::ast::{
    CaseWhen, Expr, Function as Call, FunctionArg, FunctionArgExpr, FunctionArguments,
    ObjectNamePart,
};
use tidegate_stdlib::lambda::sqlite::{
    Function, FunctionKind, Nullability, ResultClass, functions,
};

use super::aggregates;
use super::domain::{Domain, Integers, Reals, Subtype, Texts};
use super::environment::Environment;
use super::expression;
use super::json_calls;
use super::narrow::{self, Truth};
use super::{operators, texts, times};

/// Rows that an aggregate sums up, at most.
const ROWS_MAX: f64 = 1e19;

/// What a call may give, also of one that has a syntax of its own.
pub(super) fn domain(expression: &Expr, environment: &Environment<'_>) -> Domain {
    match expression {
        Expr::Function(call) => of_call(call, environment),
        Expr::Substring { expr, substring_from, substring_for, special: true, .. } => {
            let more = [substring_from, substring_for].into_iter().flatten().map(|it| &**it);
            let arguments: Vec<&Expr> = std::iter::once(&**expr).chain(more).collect();
            by_name("substr", &arguments, environment)
        }
        Expr::Trim { expr, trim_where: None, trim_what: None, trim_characters } => {
            let more = trim_characters.iter().flatten();
            let arguments: Vec<&Expr> = std::iter::once(&**expr).chain(more).collect();
            by_name("trim", &arguments, environment)
        }
        Expr::Ceil { expr, .. } => by_name("ceil", &[expr], environment),
        Expr::Floor { expr, .. } => by_name("floor", &[expr], environment),
        _ => Domain::any(),
    }
}

/// The arguments of a call; `*` is none.
pub(super) fn arguments(call: &Call) -> Vec<&Expr> {
    match &call.args {
        FunctionArguments::List(list) => expressions(&list.args),
        FunctionArguments::None | FunctionArguments::Subquery(_) => Vec::new(),
    }
}

/// The arguments that are expressions.
pub(super) fn expressions(arguments: &[FunctionArg]) -> Vec<&Expr> {
    let expression = |argument| match argument {
        &FunctionArg::Unnamed(FunctionArgExpr::Expr(ref expression)) => Some(expression),
        _ => None,
    };
    arguments.iter().filter_map(expression).collect()
}

/// The name of a call in lower case.
fn name_of(call: &Call) -> Option<String> {
    match call.name.0.as_slice() {
        [ObjectNamePart::Identifier(name)] => Some(name.value.to_ascii_lowercase()),
        _ => None,
    }
}

/// The function that is called with so many arguments.
pub(super) fn function(call: &Call, count: usize) -> Option<&'static Function> {
    named(&name_of(call)?, count)
}

fn named(name: &str, count: usize) -> Option<&'static Function> {
    functions().iter().find(|it| it.name == name && it.arguments.contains(&count))
}

/// Whether an expression is a call of an aggregate that is not over a window.
pub(super) fn is_aggregate(call: &Call) -> bool {
    call.over.is_none()
        && function(call, arguments(call).len())
            .is_some_and(|function| function.kind == FunctionKind::Aggregate)
}

fn by_name(name: &str, arguments: &[&Expr], environment: &Environment<'_>) -> Domain {
    let values = arguments.iter().map(|it| expression::domain(it, environment)).collect();
    scalar(name, values, arguments)
}

fn of_call(call: &Call, environment: &Environment<'_>) -> Domain {
    let arguments = arguments(call);
    let Some(name) = name_of(call) else { return Domain::any() };
    let given = match &call.args {
        FunctionArguments::List(list) => list.args.len(),
        FunctionArguments::None | FunctionArguments::Subquery(_) => 0,
    };
    let Some(function) = named(&name, arguments.len()) else { return Domain::any() };
    // `count(*)` has an argument that is no expression.
    if given != arguments.len() && name != "count" {
        return Domain::any();
    }
    match (name.as_str(), arguments.as_slice()) {
        ("coalesce" | "ifnull", _) => return coalesce(&arguments, environment),
        ("iif", [condition, result, otherwise]) => {
            return iif(condition, result, Some(otherwise), environment);
        }
        ("iif", [condition, result]) => return iif(condition, result, None, environment),
        _ => {}
    }
    if function.kind != FunctionKind::Scalar {
        return over_rows(function, call, &arguments, environment);
    }
    let values = arguments.iter().map(|it| expression::domain(it, environment)).collect();
    scalar(&name, values, &arguments)
}

fn iif(
    condition: &Expr,
    result: &Expr,
    otherwise: Option<&Expr>,
    environment: &Environment<'_>,
) -> Domain {
    let branch = |truth: Truth, value: Option<&Expr>| {
        let Some(inside) = narrow::assume(condition, truth, environment) else {
            return Domain::none();
        };
        value.map_or_else(Domain::null, |value| expression::domain(value, &inside))
    };
    branch(Truth::True, Some(result)).union(branch(Truth::NotTrue, otherwise))
}

fn coalesce(arguments: &[&Expr], environment: &Environment<'_>) -> Domain {
    let mut found = Domain::none();
    for argument in arguments {
        let value = expression::domain(argument, environment);
        let is_last = !value.null;
        found = found.union(value.without_null());
        if is_last {
            return found;
        }
    }
    found.or_null(true)
}

/// A function whose arguments have been looked at.
fn scalar(name: &str, values: Vec<Domain>, arguments: &[&Expr]) -> Domain {
    let Some(function) = named(name, values.len()) else { return Domain::any() };
    if let Some(found) = json_calls::domain(name, &values, arguments) {
        return found;
    }
    let null = may_be_null(function, &values);
    let first = values.first().cloned().unwrap_or_else(Domain::none);
    let known = match name {
        "abs" => absolute(&first),
        "round" => round(&first, values.len() == 1),
        "ceil" | "ceiling" | "floor" | "trunc" if first.is_numeric() => {
            let real = first.real.map(|it| {
                Domain::real(Reals {
                    least: it.least.floor(),
                    most: it.most.ceil(),
                    is_whole: true,
                })
            });
            let integer = Domain { integer: first.integer, ..Domain::none() };
            return real.into_iter().fold(integer, Domain::union).or_null(first.null);
        }
        "sqrt" if first.is_numeric() => return root(&first),
        "sign" if first.is_numeric() => return Domain::integer(-1, 1).or_null(first.null),
        "sin" | "cos" => within(1.0),
        "asin" | "acos" | "atan" => within(std::f64::consts::PI),
        "min" | "max" => {
            values.iter().cloned().map(Domain::without_null).fold(Domain::none(), Domain::union)
        }
        "nullif" => return first.or_null(true),
        "likely" | "unlikely" | "likelihood" => return first,
        "typeof" => one_of(&["null", "integer", "real", "text", "blob"]),
        "lower" | "upper" => operators::as_text(&first).map_or_else(Domain::none, texts::letters),
        "substr" | "substring" => texts::substring(&values),
        "replace" => texts::replaced(&values),
        "format" | "printf" => return texts::formatted(&values),
        "date" | "time" | "datetime" | "strftime" => {
            return times::domain(name, &values, arguments);
        }
        "hex" | "quote" => Domain::text(Texts::plain()),
        _ => by_table(function, &values),
    };
    let is_surely_text = matches!(name, "substr" | "substring") && !first.blob;
    let null = if is_surely_text { values.iter().any(|it| it.null) } else { null };
    known.without_null().or_null(null)
}

fn may_be_null(function: &Function, values: &[Domain]) -> bool {
    match function.nullability {
        Nullability::Never => false,
        Nullability::Any => values.iter().any(|value| value.null),
        Nullability::First => values.first().is_some_and(|value| value.null),
        Nullability::All => values.iter().all(|value| value.null),
        Nullability::Empty | Nullability::May => true,
    }
}

fn by_table(function: &Function, values: &[Domain]) -> Domain {
    let classes = function.results.iter().map(|class| of_class(*class, values));
    classes.fold(Domain::none(), Domain::union)
}

fn of_class(class: ResultClass, values: &[Domain]) -> Domain {
    let all = |values: &[Domain]| {
        let values = values.iter().cloned().map(Domain::without_null);
        values.fold(Domain::none(), Domain::union).with_subtype(Subtype::blurred)
    };
    match class {
        ResultClass::Boolean => Domain::boolean(),
        ResultClass::Count => Domain::integer(0, i64::MAX),
        ResultClass::Integer => Domain { integer: Some(Integers::ALL), ..Domain::none() },
        ResultClass::Real => {
            Domain::real(Reals { least: f64::MIN, most: f64::MAX, is_whole: false })
        }
        ResultClass::Infinite => Domain::real(Reals::ALL),
        ResultClass::Text => Domain::text(Texts::any()),
        ResultClass::Plain => Domain::text(Texts::plain()),
        ResultClass::Blob => Domain::blob(),
        ResultClass::Json => json_calls::unknown(),
        ResultClass::Argument => all(values),
        ResultClass::First => all(values.get(..1).unwrap_or_default()),
    }
}

fn absolute(value: &Domain) -> Domain {
    if !value.is_numeric() {
        let integer = Domain::integer(0, i64::MAX);
        return integer.union(Domain::real(Reals { least: 0.0, ..Reals::ALL }));
    }
    let integer = value.integer.map(|it| {
        let (least, most) = (it.least.saturating_abs(), it.most.saturating_abs());
        let from = if it.least <= 0 && it.most >= 0 { 0 } else { least.min(most) };
        Domain::integer(from, least.max(most))
    });
    let real = value.real.map(|it| {
        let (least, most) = (it.least.abs(), it.most.abs());
        let from = if it.least <= 0.0 && it.most >= 0.0 { 0.0 } else { least.min(most) };
        Domain::real(Reals { least: from, most: least.max(most), ..it })
    });
    integer.into_iter().chain(real).fold(Domain::none(), Domain::union)
}

/// At most one away, and always real.
fn round(value: &Domain, is_whole: bool) -> Domain {
    if !value.is_numeric() {
        return Domain::real(Reals { is_whole, ..Reals::ALL });
    }
    let integers = value.integer.map(Integers::to_reals);
    let all = [integers, value.real].into_iter().flatten().map(|it| {
        let is_whole = is_whole || it.is_whole;
        Domain::real(Reals { least: it.least.floor(), most: it.most.ceil(), is_whole })
    });
    all.fold(Domain::none(), Domain::union)
}

/// The root of a number that is negative is NULL.
fn root(value: &Domain) -> Domain {
    let integers = value.integer.map(Integers::to_reals);
    let Some(all) = [integers, value.real].into_iter().flatten().reduce(Reals::union) else {
        return Domain::null();
    };
    let null = value.null || all.least < 0.0;
    let reals = Reals { least: 0.0, most: all.most.max(0.0).sqrt(), is_whole: false };
    Domain::real(reals).or_null(null)
}

/// Numbers that are at most so far away from zero.
fn within(bound: f64) -> Domain {
    Domain::real(Reals { least: -bound, most: bound, is_whole: false })
}

fn one_of(words: &[&str]) -> Domain {
    Domain::text(Texts::of_constants(words.iter().map(|word| (*word).into()).collect()))
}

/// An aggregate, or a function of a window.
fn over_rows(
    function: &Function,
    call: &Call,
    arguments: &[&Expr],
    environment: &Environment<'_>,
) -> Domain {
    let rows = environment.rows.as_deref().unwrap_or(environment);
    let inside = match &call.filter {
        Some(filter) => narrow::assume(filter, Truth::True, rows),
        None => Some(rows.clone()),
    };
    let sources = rows.scope.as_ref().map_or(&[][..], |scope| &scope.sources);
    if call.over.is_none() && !aggregates::is_own(call, sources) {
        // It may be one of the rows of a query around.
        let unknown: Vec<Domain> = arguments.iter().map(|_| Domain::any()).collect();
        return by_table(function, &unknown).or_null(function.name != "count");
    }
    let has_rows = environment.has_rows && call.filter.is_none() && call.over.is_none();
    let values: Vec<Domain> = match &inside {
        Some(inside) => arguments.iter().map(|it| expression::domain(it, inside)).collect(),
        // No row is left.
        None => arguments.iter().map(|_| Domain::none()).collect(),
    };
    let value = values.first().cloned().unwrap_or_else(Domain::none);
    let is_empty = !has_rows || value.null;
    match function.name {
        "count" => Domain::integer(0, i64::MAX),
        "sum" => sum(&value).or_null(is_empty),
        "total" => {
            let sum = sum(&value);
            let integers = sum.integer.map_or_else(Domain::none, |it| Domain::real(it.to_reals()));
            let zero = Reals { least: 0.0, most: 0.0, is_whole: true };
            sum.real
                .map_or(integers.clone(), |it| integers.union(Domain::real(it)))
                .union(Domain::real(zero))
        }
        "avg" => average(&value).or_null(is_empty),
        "min" | "max" => value.without_null().with_subtype(Subtype::blurred).or_null(is_empty),
        "group_concat" | "string_agg" => texts::joined(&values).or_null(is_empty),
        "json_group_array" => json_calls::group_array(&value, has_rows),
        "json_group_object" => json_calls::group_object(values.get(1)),
        "row_number" | "rank" | "dense_rank" | "ntile" => Domain::integer(1, i64::MAX),
        "percent_rank" | "cume_dist" => {
            Domain::real(Reals { least: 0.0, most: 1.0, is_whole: false })
        }
        "lag" | "lead" => {
            // The offset is no result.
            let results = values.iter().enumerate().filter(|(index, _)| *index != 1);
            let results: Vec<Domain> = results.map(|(_, value)| value.clone()).collect();
            let found = by_table(function, &results);
            found.or_null(values.len() < 3 || values.iter().any(|it| it.null))
        }
        _ => by_table(function, &values).or_null(may_be_null(function, &values)),
    }
}

/// A sum of integers that leaves their range is an error.
fn sum(value: &Domain) -> Domain {
    if !value.is_numeric() {
        return Domain { integer: Some(Integers::ALL), real: Some(Reals::ALL), ..Domain::none() };
    }
    let all = [value.integer.map(Integers::to_reals), value.real].into_iter().flatten();
    let Some(all) = all.reduce(Reals::union) else { return Domain::none() };
    let (is_negative, is_positive) = (all.least < 0.0, all.most > 0.0);
    let mut found = Domain::none();
    if value.integer.is_some() {
        let least = if is_negative { i64::MIN } else { 0 };
        let most = if is_positive { i64::MAX } else { 0 };
        found = Domain::integer(least, most);
    }
    if value.real.is_some() {
        let least = if is_negative { all.least * ROWS_MAX } else { 0.0 };
        let most = if is_positive { all.most * ROWS_MAX } else { 0.0 };
        found = found.union(Domain::real(Reals { least, most, is_whole: all.is_whole }));
        found = found.or_null(all.may_be_infinite());
    }
    found
}

fn average(value: &Domain) -> Domain {
    if !value.is_numeric() {
        return Domain::real(Reals::ALL);
    }
    let all = [value.integer.map(Integers::to_reals), value.real].into_iter().flatten();
    let Some(all) = all.reduce(Reals::union) else { return Domain::none() };
    // Rounding may take the mean of equal values a little away from them.
    let least = if all.least < 0.0 { all.least * 2.0 } else { 0.0 };
    let most = if all.most > 0.0 { all.most * 2.0 } else { 0.0 };
    Domain::real(Reals { least, most, is_whole: false }).or_null(all.may_be_infinite())
}

/// The conditions and results of a `CASE`.
pub(super) fn results_of(conditions: &[CaseWhen]) -> impl Iterator<Item = &Expr> {
    conditions.iter().flat_map(|each| [&each.condition, &each.result])
}
