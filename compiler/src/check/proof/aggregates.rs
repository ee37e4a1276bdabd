//! Which queries aggregates belong to.
//!
//! As in SQLite, an aggregate belongs to the innermost query around it that has a column of its arguments, and one without columns to
//! the query that it stands in. So an aggregate inside a subquery may make one row of all rows of the query around.

use sqlparser::ast::{
    Expr, Function as Call, FunctionArguments, GroupByExpr, Ident, JoinConstraint, JoinOperator,
    OrderByKind, Query, Select, SelectItem, SetExpr, TableFactor, TableWithJoins, WindowType,
};

use super::calls;
use super::environment::{Environment, Source};
use super::query::{self, From};

/// Whether the results of a query may be of groups of rows.
pub(super) fn may_be_of_groups(select: &Select, environment: &Environment<'_>) -> bool {
    select.projection.iter().any(|item| match item {
        SelectItem::UnnamedExpr(expression)
        | SelectItem::ExprWithAlias { expr: expression, .. } => {
            collected(expression, environment).is_none_or(|calls| !calls.is_empty())
        }
        SelectItem::QualifiedWildcard(..) | SelectItem::Wildcard(_) => false,
        SelectItem::ExprWithAliases { .. } => true,
    })
}

/// Whether a query surely gives one row.
pub(super) fn is_one_row(query: &Query, environment: &Environment<'_>) -> bool {
    let SetExpr::Select(select) = &*query.body else { return false };
    let GroupByExpr::Expressions(groups, _) = &select.group_by else { return false };
    let is_plain = query.limit_clause.is_none() && select.having.is_none() && groups.is_empty();
    let has_one = || {
        let around = query::with(query.with.as_ref(), environment).ok()?;
        let from = From::of(&select.from, &around).ok()?;
        let mut results = select.projection.iter().filter_map(|item| match item {
            SelectItem::UnnamedExpr(expression)
            | SelectItem::ExprWithAlias { expr: expression, .. } => Some(expression),
            _ => None,
        });
        Some(results.any(|it| is_of_groups(it, &from.sources)))
    };
    is_plain && (select.from.is_empty() && select.selection.is_none() || has_one().unwrap_or(false))
}

/// Whether a result surely has an aggregate of its own query, whose sources are these.
fn is_of_groups(expression: &Expr, sources: &[Source]) -> bool {
    match expression {
        Expr::Function(call) if calls::is_aggregate(call) => is_own(call, sources),
        _ => parts(expression).into_iter().flatten().any(|part| is_of_groups(part, sources)),
    }
}

/// Whether an aggregate surely belongs to the query that it stands in, whose sources are these.
pub(super) fn is_own(call: &Call, sources: &[Source]) -> bool {
    let mut names = Vec::new();
    let arguments = calls::arguments(call).into_iter();
    let all = arguments.chain(call.filter.as_deref()).map(|it| names_in(it, &mut names));
    if all.collect::<Option<()>>().is_none() || has_clauses(call) {
        return false;
    }
    let has = |(table, column): &(Option<&Ident>, &Ident)| {
        sources.iter().any(|source| {
            let is_meant = table.is_none_or(|table| {
                source.name.as_ref().is_some_and(|it| it.eq_ignore_ascii_case(&table.value))
            });
            let mut columns = source.columns.iter();
            is_meant && columns.any(|it| it.name.eq_ignore_ascii_case(&column.value))
        })
    };
    names.is_empty() || names.iter().any(has)
}

fn has_clauses(call: &Call) -> bool {
    match &call.args {
        FunctionArguments::List(list) => !list.clauses.is_empty(),
        FunctionArguments::None | FunctionArguments::Subquery(_) => false,
    }
}

/// Adds the columns that an expression names; nothing when it is not understood, or has a subquery.
fn names_in<'e>(
    expression: &'e Expr,
    names: &mut Vec<(Option<&'e Ident>, &'e Ident)>,
) -> Option<()> {
    match expression {
        Expr::Identifier(name) => names.push((None, name)),
        Expr::CompoundIdentifier(parts) => match parts.as_slice() {
            [table, name] => names.push((Some(table), name)),
            _ => return None,
        },
        // It may have a column of any query around.
        Expr::Exists { .. } | Expr::Subquery(_) | Expr::InSubquery { .. } => return None,
        _ => parts(expression)?.into_iter().try_for_each(|part| names_in(part, names))?,
    }
    Some(())
}

/// The aggregates that an expression has, as far as they may belong to the query that it stands in or to one around; nothing when it is
/// not understood.
fn collected<'e>(expression: &'e Expr, environment: &Environment<'_>) -> Option<Vec<&'e Call>> {
    let mut found = Vec::new();
    match expression {
        Expr::Exists { subquery, .. } | Expr::Subquery(subquery) => {
            return escaping(subquery, environment);
        }
        Expr::InSubquery { subquery, .. } => found = escaping(subquery, environment)?,
        Expr::Function(call) if calls::is_aggregate(call) => found.push(call),
        _ => {}
    }
    for part in parts(expression)? {
        found.extend(collected(part, environment)?);
    }
    Some(found)
}

/// The aggregates of a subquery that may belong to a query around it.
fn escaping<'q>(query: &'q Query, environment: &Environment<'_>) -> Option<Vec<&'q Call>> {
    let inside = query::with(query.with.as_ref(), environment).ok()?;
    let mut found = escaping_of_set(&query.body, &inside)?;
    if let Some(order) = &query.order_by {
        let OrderByKind::Expressions(expressions) = &order.kind else { return None };
        for each in expressions {
            found.extend(collected(&each.expr, &inside)?);
        }
    }
    Some(found)
}

fn escaping_of_set<'q>(set: &'q SetExpr, environment: &Environment<'_>) -> Option<Vec<&'q Call>> {
    match set {
        SetExpr::Select(select) => {
            let from = From::of(&select.from, environment).ok()?;
            let mut found = Vec::new();
            for table in &select.from {
                found.extend(escaping_of_table(table, environment)?);
            }
            for expression in expressions(select)? {
                found.extend(collected(expression, environment)?);
            }
            found.retain(|call| !is_own(call, &from.sources));
            Some(found)
        }
        SetExpr::Query(query) => escaping(query, environment),
        SetExpr::SetOperation { left, right, .. } => {
            let mut found = escaping_of_set(left, environment)?;
            found.extend(escaping_of_set(right, environment)?);
            Some(found)
        }
        SetExpr::Values(values) => {
            let all = values.rows.iter().flat_map(|row| &row.content);
            let all = all.map(|value| collected(value, environment));
            Some(all.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect())
        }
        _ => None,
    }
}

fn escaping_of_table<'q>(
    table: &'q TableWithJoins,
    environment: &Environment<'_>,
) -> Option<Vec<&'q Call>> {
    let joined = table.joins.iter().map(|join| &join.relation);
    let mut found = Vec::new();
    for factor in std::iter::once(&table.relation).chain(joined) {
        found.extend(match factor {
            TableFactor::Table { args: None, .. } => Vec::new(),
            TableFactor::Table { args: Some(arguments), .. } => {
                let arguments = calls::expressions(&arguments.args).into_iter();
                let all = arguments.map(|it| collected(it, environment));
                all.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect()
            }
            TableFactor::Derived { subquery, .. } => escaping(subquery, environment)?,
            TableFactor::NestedJoin { table_with_joins, .. } => {
                escaping_of_table(table_with_joins, environment)?
            }
            _ => return None,
        });
    }
    for join in &table.joins {
        let condition = match &join.join_operator {
            JoinOperator::Join(constraint)
            | JoinOperator::Inner(constraint)
            | JoinOperator::CrossJoin(constraint)
            | JoinOperator::Left(constraint)
            | JoinOperator::LeftOuter(constraint)
            | JoinOperator::Right(constraint)
            | JoinOperator::RightOuter(constraint)
            | JoinOperator::FullOuter(constraint) => constraint,
            _ => return None,
        };
        if let JoinConstraint::On(condition) = condition {
            found.extend(collected(condition, environment)?);
        }
    }
    Some(found)
}

/// The expressions of a query beside those of its sources; nothing when it has others.
fn expressions(select: &Select) -> Option<Vec<&Expr>> {
    let mut all = Vec::new();
    for item in &select.projection {
        match item {
            SelectItem::UnnamedExpr(expression)
            | SelectItem::ExprWithAlias { expr: expression, .. } => all.push(expression),
            SelectItem::QualifiedWildcard(..) | SelectItem::Wildcard(_) => {}
            SelectItem::ExprWithAliases { .. } => return None,
        }
    }
    let GroupByExpr::Expressions(groups, _) = &select.group_by else { return None };
    all.extend(groups);
    all.extend(&select.selection);
    all.extend(&select.having);
    select.named_window.is_empty().then_some(all)
}

/// The expressions right inside one, apart from subqueries; nothing when it is not understood.
fn parts(expression: &Expr) -> Option<Vec<&Expr>> {
    Some(match expression {
        Expr::Identifier(_)
        | Expr::CompoundIdentifier(_)
        | Expr::Value(_)
        | Expr::Exists { .. }
        | Expr::Subquery(_) => Vec::new(),
        Expr::Nested(inner)
        | Expr::UnaryOp { expr: inner, .. }
        | Expr::Cast { expr: inner, .. }
        | Expr::Collate { expr: inner, .. }
        | Expr::Ceil { expr: inner, .. }
        | Expr::Floor { expr: inner, .. }
        | Expr::IsNull(inner)
        | Expr::IsNotNull(inner)
        | Expr::IsTrue(inner)
        | Expr::IsNotTrue(inner)
        | Expr::IsFalse(inner)
        | Expr::IsNotFalse(inner)
        | Expr::InSubquery { expr: inner, .. } => vec![inner],
        Expr::BinaryOp { left, right, .. }
        | Expr::IsDistinctFrom(left, right)
        | Expr::IsNotDistinctFrom(left, right) => vec![left, right],
        Expr::InList { expr, list, .. } => std::iter::once(&**expr).chain(list).collect(),
        Expr::Between { expr, low, high, .. } => vec![expr, low, high],
        Expr::Like { expr, pattern, .. } => vec![expr, pattern],
        Expr::Case { operand, conditions, else_result, .. } => {
            let ends = operand.iter().chain(else_result).map(|it| &**it);
            ends.chain(calls::results_of(conditions)).collect()
        }
        Expr::Function(call) => {
            let mut parts = calls::arguments(call);
            parts.extend(call.filter.as_deref());
            match &call.over {
                None => {}
                Some(WindowType::WindowSpec(window)) => {
                    parts.extend(&window.partition_by);
                    parts.extend(window.order_by.iter().map(|order| &order.expr));
                }
                Some(WindowType::NamedWindow(_)) => return None,
            }
            parts
        }
        Expr::Substring { expr, substring_from, substring_for, .. } => {
            let more = substring_from.iter().chain(substring_for).map(|it| &**it);
            std::iter::once(&**expr).chain(more).collect()
        }
        Expr::Trim { expr, trim_characters, trim_what: None, .. } => {
            std::iter::once(&**expr).chain(trim_characters.iter().flatten()).collect()
        }
        _ => return None,
    })
}
