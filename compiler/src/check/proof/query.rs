//! What the columns of a query may be.

use std::rc::Rc;

use sqlparser::ast::{
    Cte, Expr, FunctionArg, FunctionArgExpr, GroupByExpr, Ident, Join, JoinConstraint,
    JoinOperator, ObjectName, ObjectNamePart, Query, Select, SelectFlavor, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, SetOperator, TableAlias, TableFactor, TableWithJoins,
    With,
};

use super::aggregates;
use super::domain::{Domain, Subtype, Texts};
use super::environment::{Column, Columns, Environment, Key, Named, Source};
use super::expression;
use super::json_calls;
use super::narrow::{self, Truth};

/// What is not understood of a statement, as a noun phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotUnderstood(pub(super) String);

pub(super) type Understood<T> = Result<T, NotUnderstood>;

/// Rounds after which a recursive query has to be stable.
const ROUNDS_MAX: usize = 12;
/// Rounds after which it is widened.
const ROUNDS_EXACT: usize = 2;

fn not_understood<T>(what: &str) -> Understood<T> {
    Err(NotUnderstood(what.to_owned()))
}

/// The columns of a query.
pub(super) fn columns(query: &Query, environment: &Environment<'_>) -> Understood<Columns> {
    if query.fetch.is_some() || !query.pipe_operators.is_empty() || query.format_clause.is_some() {
        return not_understood("a clause that SQLite has not");
    }
    of_set(&query.body, &with(query.with.as_ref(), environment)?)
}

/// The environment behind common table expressions.
pub(super) fn with<'s>(
    with: Option<&With>,
    environment: &Environment<'s>,
) -> Understood<Environment<'s>> {
    let mut inside = environment.clone();
    for table in with.iter().flat_map(|with| &with.cte_tables) {
        let found = common(table, &inside)?;
        inside = naming(&inside, &table.alias, found)?;
    }
    Ok(inside)
}

/// The environment in which a common table expression has its name.
fn naming<'s>(
    environment: &Environment<'s>,
    alias: &TableAlias,
    columns: Columns,
) -> Understood<Environment<'s>> {
    let mut tables = environment.named.tables.clone();
    tables.push((alias.name.value.clone(), renamed(columns, alias)?));
    Ok(Environment { named: Rc::new(Named { tables }), ..environment.clone() })
}

fn renamed(columns: Columns, alias: &TableAlias) -> Understood<Columns> {
    let names: Vec<String> = alias.columns.iter().map(|it| it.name.value.clone()).collect();
    named(columns, &names)
}

/// The columns with other names, if there are some.
pub(super) fn named(mut columns: Columns, names: &[String]) -> Understood<Columns> {
    if !names.is_empty() && names.len() != columns.len() {
        return not_understood("a list of columns of another length");
    }
    for (column, name) in columns.iter_mut().zip(names) {
        column.name.clone_from(name);
    }
    Ok(columns)
}

/// A common table expression, which may use itself.
fn common(table: &Cte, environment: &Environment<'_>) -> Understood<Columns> {
    let (body, with) = (&table.query.body, &table.query.with);
    let SetExpr::SetOperation { op: SetOperator::Union, left, right, .. } = &**body else {
        return Ok(blurred(columns(&table.query, environment)?));
    };
    if with.is_some() {
        return Ok(blurred(columns(&table.query, environment)?));
    }
    let mut found = blurred(of_set(left, environment)?);
    for round in 0..ROUNDS_MAX {
        let inside = naming(environment, &table.alias, found.clone())?;
        let more = blurred(of_set(right, &inside)?);
        let join = if round < ROUNDS_EXACT { Domain::union } else { Domain::widen };
        let joined = both(found.clone(), more, join)?;
        if joined == found {
            return Ok(found);
        }
        found = joined;
    }
    not_understood("a recursive query whose columns do not settle")
}

/// Whether marks of JSON survive a subquery depends on how SQLite runs it.
fn blurred(columns: Columns) -> Columns {
    let blurred =
        |column: Column| Column { domain: column.domain.with_subtype(Subtype::blurred), ..column };
    columns.into_iter().map(blurred).collect()
}

fn both(left: Columns, right: Columns, join: fn(Domain, Domain) -> Domain) -> Understood<Columns> {
    if left.len() != right.len() {
        return not_understood("a compound query of different lengths");
    }
    let pairs = left.into_iter().zip(right);
    Ok(pairs
        .map(|(left, right)| Column { domain: join(left.domain, right.domain), ..left })
        .collect())
}

fn of_set(set: &SetExpr, environment: &Environment<'_>) -> Understood<Columns> {
    match set {
        SetExpr::Select(select) => of_select(select, environment),
        SetExpr::Query(query) => columns(query, environment),
        SetExpr::SetOperation { op, left, right, .. } => {
            let left = blurred(of_set(left, environment)?);
            let right = blurred(of_set(right, environment)?);
            match op {
                SetOperator::Union => both(left, right, Domain::union),
                SetOperator::Intersect | SetOperator::Except => both(left, right, |left, _| left),
                SetOperator::Minus => not_understood("a compound query that SQLite has not"),
            }
        }
        SetExpr::Values(values) => {
            let row = |row: &Vec<Expr>| {
                let columns = row.iter().enumerate().map(|(index, value)| Column {
                    name: format!("column{}", index + 1),
                    domain: expression::domain(value, environment),
                });
                columns.collect::<Columns>()
            };
            let rows = values.rows.iter().map(|each| row(&each.content));
            let joined = rows.map(Ok).reduce(|left, right| both(left?, right?, Domain::union));
            joined.unwrap_or_else(|| not_understood("no rows"))
        }
        _ => not_understood("a statement inside a query"),
    }
}

fn of_select(select: &Select, environment: &Environment<'_>) -> Understood<Columns> {
    let is_foreign = select.top.is_some()
        || select.into.is_some()
        || select.exclude.is_some()
        || select.prewhere.is_some()
        || select.qualify.is_some()
        || select.value_table_mode.is_some()
        || !select.lateral_views.is_empty()
        || !select.connect_by.is_empty()
        || !select.cluster_by.is_empty()
        || !select.distribute_by.is_empty()
        || select.flavor != SelectFlavor::Standard;
    if is_foreign {
        return not_understood("a clause that SQLite has not");
    }
    let from = From::of(&select.from, environment)?;
    let aliases: Vec<String> = select.projection.iter().filter_map(alias_of).collect();
    let mut rows = Some(environment.within(from.sources.clone(), aliases.clone()));
    for condition in from.conditions.iter().copied().chain(&select.selection) {
        rows = rows.and_then(|rows| narrow::assume(condition, Truth::True, &rows));
    }
    let is_grouped = match &select.group_by {
        GroupByExpr::Expressions(expressions, _) => !expressions.is_empty(),
        GroupByExpr::All(_) => return not_understood("`GROUP BY ALL`"),
    };
    let is_aggregate =
        is_grouped || select.having.is_some() || aggregates::may_be_of_groups(select, environment);
    let is_one_row = select.from.is_empty() && select.selection.is_none();
    let inside = match rows {
        Some(rows) if !is_aggregate => rows,
        Some(rows) if is_grouped || is_one_row => {
            Environment { rows: Some(Rc::new(rows.clone())), has_rows: true, ..rows }
        }
        // Without rows there is still a result, in which all columns are NULL.
        rows if is_aggregate && !is_grouped => {
            let sources = from.sources.iter().cloned().map(nullable).collect();
            let inside = environment.within(sources, aliases);
            let rows = rows.unwrap_or_else(|| inside.clone());
            Environment { rows: Some(Rc::new(rows)), ..inside }
        }
        _ => {
            let inside = environment.within(from.sources.clone(), aliases);
            let columns = results(select, &from, &inside)?.into_iter();
            return Ok(columns.map(|it| Column { domain: Domain::none(), ..it }).collect());
        }
    };
    results(select, &from, &inside)
}

fn nullable(mut source: Source) -> Source {
    source.columns.iter_mut().for_each(|column| column.domain.null = true);
    source
}

/// The result columns of a query.
fn results(select: &Select, from: &From<'_>, inside: &Environment<'_>) -> Understood<Columns> {
    returned(&select.projection, from, inside)
}

/// The columns that a list of results gives.
pub(super) fn returned(
    items: &[SelectItem],
    from: &From<'_>,
    inside: &Environment<'_>,
) -> Understood<Columns> {
    let mut columns = Columns::new();
    let of_source = |index: usize, source: &Source| -> Columns {
        let depth = inside.scope.as_ref().map_or(0, |scope| scope.depth);
        let columns = source.columns.iter().enumerate();
        columns
            .map(|(column, known)| Column {
                name: known.name.clone(),
                domain: inside.domain(Key::Column(depth, index, column)),
            })
            .collect()
    };
    for item in items {
        match item {
            SelectItem::UnnamedExpr(expression) => columns.push(Column {
                name: name_of(expression),
                domain: expression::domain(expression, inside),
            }),
            SelectItem::ExprWithAlias { expr, alias } => columns.push(Column {
                name: alias.value.clone(),
                domain: expression::domain(expr, inside),
            }),
            SelectItem::Wildcard(_) if !from.is_merged => {
                for (index, source) in from.sources.iter().enumerate() {
                    columns.extend(of_source(index, source));
                }
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                let name = table_name(name)?;
                let is_meant = |source: &Source| {
                    source.name.as_ref().is_some_and(|it| it.eq_ignore_ascii_case(&name))
                };
                let mut sources = from.sources.iter().enumerate();
                match sources.find(|(_, source)| is_meant(source)) {
                    Some((index, source)) => columns.extend(of_source(index, source)),
                    None => return not_understood("`*` of another query"),
                }
            }
            _ => return not_understood("`*` of joined columns"),
        }
    }
    Ok(columns)
}

fn alias_of(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
        _ => None,
    }
}

/// The name of a column without an alias.
fn name_of(expression: &Expr) -> String {
    match expression {
        Expr::Identifier(name) => name.value.clone(),
        Expr::CompoundIdentifier(names) => {
            names.last().map(|name| name.value.clone()).unwrap_or_default()
        }
        // Nobody can name it otherwise than by its text, which is written anew here.
        _ => String::new(),
    }
}

/// The sources of a `FROM`.
pub(super) struct From<'q> {
    pub(super) sources: Vec<Source>,
    /// Conditions that hold of every row.
    conditions: Vec<&'q Expr>,
    /// Whether columns of two sources are one.
    is_merged: bool,
}

impl<'q> From<'q> {
    /// A statement about one table.
    pub(super) fn single(source: Source) -> Self {
        Self { sources: vec![source], conditions: Vec::new(), is_merged: false }
    }

    pub(super) fn of(
        tables: &'q [TableWithJoins],
        environment: &Environment<'_>,
    ) -> Understood<Self> {
        let mut from = Self { sources: Vec::new(), conditions: Vec::new(), is_merged: false };
        for table in tables {
            from.add(table, environment)?;
        }
        Ok(from)
    }

    fn add(&mut self, table: &'q TableWithJoins, environment: &Environment<'_>) -> Understood<()> {
        self.add_factor(&table.relation, environment)?;
        table.joins.iter().try_for_each(|join| self.join(join, environment))
    }

    fn join(&mut self, join: &'q Join, environment: &Environment<'_>) -> Understood<()> {
        let before = self.sources.len();
        let (constraint, left_nullable, right_nullable) = match &join.join_operator {
            JoinOperator::Join(constraint)
            | JoinOperator::Inner(constraint)
            | JoinOperator::CrossJoin(constraint) => (constraint, false, false),
            JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => {
                (constraint, false, true)
            }
            JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => {
                (constraint, true, false)
            }
            JoinOperator::FullOuter(constraint) => (constraint, true, true),
            _ => return not_understood("a kind of join that SQLite has not"),
        };
        if left_nullable {
            // Rows of the right side come without what holds of the left one.
            self.conditions.clear();
        }
        let conditions = self.conditions.len();
        self.add_factor(&join.relation, environment)?;
        if right_nullable {
            self.conditions.truncate(conditions);
        }
        for (index, source) in self.sources.iter_mut().enumerate() {
            let is_nullable = if index < before { left_nullable } else { right_nullable };
            if is_nullable {
                source.columns.iter_mut().for_each(|column| column.domain.null = true);
            }
        }
        match constraint {
            JoinConstraint::On(condition) if !left_nullable && !right_nullable => {
                self.conditions.push(condition);
            }
            JoinConstraint::On(_) | JoinConstraint::None => {}
            JoinConstraint::Using(_) | JoinConstraint::Natural => self.is_merged = true,
        }
        Ok(())
    }

    fn add_factor(
        &mut self,
        factor: &'q TableFactor,
        environment: &Environment<'_>,
    ) -> Understood<()> {
        match factor {
            TableFactor::Table { name, alias, args, .. } => {
                let table = table_name(name)?;
                let called =
                    alias.as_ref().map_or_else(|| table.clone(), |it| it.name.value.clone());
                let columns = match args {
                    Some(arguments) => {
                        let inside = environment.within(self.sources.clone(), Vec::new());
                        function_table(&table, &arguments.args, &inside)?
                    }
                    None => stored(&table, name, environment)?,
                };
                self.sources.push(Source { name: Some(called), columns });
            }
            TableFactor::Derived { subquery, alias, sample: None, .. } => {
                let found = blurred(columns(subquery, environment)?);
                let (name, found) = match alias {
                    Some(alias) => (Some(alias.name.value.clone()), renamed(found, alias)?),
                    None => (None, found),
                };
                self.sources.push(Source { name, columns: found });
            }
            TableFactor::NestedJoin { table_with_joins, alias: None } => {
                let mut inner = Self::of(std::slice::from_ref(table_with_joins), environment)?;
                self.sources.append(&mut inner.sources);
                self.conditions.append(&mut inner.conditions);
                self.is_merged |= inner.is_merged;
            }
            _ => return not_understood("a source that SQLite has not"),
        }
        Ok(())
    }
}

/// The columns of a common table expression, a table or a view.
fn stored(table: &str, name: &ObjectName, environment: &Environment<'_>) -> Understood<Columns> {
    let is_qualified = name.0.len() > 1;
    if let Some(columns) = environment.named.get(table).filter(|_| !is_qualified) {
        return Ok(columns.clone());
    }
    match environment.statement.tables.columns(table, environment) {
        Some(columns) => columns,
        None => Err(NotUnderstood(format!("table `{table}`"))),
    }
}

/// The name of a table without the name of its database.
pub(super) fn table_name(name: &ObjectName) -> Understood<String> {
    let part = |part: &ObjectNamePart| match part {
        ObjectNamePart::Identifier(Ident { value, .. }) => Some(value.clone()),
        ObjectNamePart::Function(_) => None,
    };
    let parts: Option<Vec<String>> = name.0.iter().map(part).collect();
    match parts.as_deref() {
        Some([table]) => Ok(table.clone()),
        Some([database, table]) if database.eq_ignore_ascii_case("main") => Ok(table.clone()),
        _ => not_understood("a table of another database"),
    }
}

/// The tables that functions make of a document.
fn function_table(
    name: &str,
    arguments: &[FunctionArg],
    environment: &Environment<'_>,
) -> Understood<Columns> {
    let lower = name.to_ascii_lowercase();
    let (Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(document))), "json_each" | "json_tree") =
        (arguments.first(), lower.as_str())
    else {
        return Err(NotUnderstood(format!("table `{name}`")));
    };
    let document = expression::domain(document, environment);
    let is_whole = arguments.len() == 1 && lower == "json_each";
    let (value, atom) = json_calls::members(&document);
    let unknown = json_calls::members(&json_calls::unknown());
    let (value, atom) = if is_whole { (value, atom) } else { unknown };
    let key = if is_whole { json_calls::keys(&document) } else { Domain::any() };
    let columns = [
        ("key", key),
        ("value", value),
        ("type", Domain::text(Texts::plain())),
        ("atom", atom),
        ("id", Domain::integer(0, i64::MAX)),
        ("parent", Domain::integer(0, i64::MAX).or_null(true)),
        // Both begin with `$`.
        ("fullkey", Domain::text(Texts::plain())),
        ("path", Domain::text(Texts::plain())),
    ];
    let columns = columns.into_iter();
    Ok(columns.map(|(name, domain)| Column { name: name.to_owned(), domain }).collect())
}

/// A query that stands as an expression: its first column of its first row.
pub(super) fn scalar(query: &Query, environment: &Environment<'_>) -> Domain {
    let Ok(columns) = columns(query, environment) else { return Domain::any() };
    let [column] = columns.as_slice() else { return Domain::any() };
    let domain = column.domain.clone().with_subtype(Subtype::blurred);
    domain.or_null(!aggregates::is_one_row(query, environment))
}
