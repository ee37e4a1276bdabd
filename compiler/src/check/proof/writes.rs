//! What statements write into tables, and what they return of it.

use sqlparser::ast::{
    Assignment, AssignmentTarget, Delete, Expr, FromTable, Insert, ObjectName, OnConflictAction,
    OnInsert, SelectItem, SetExpr, SqliteOnConflict, Statement as Tree, TableFactor, TableObject,
    TableWithJoins, Update, UpdateTableFromKind,
};

use super::Parsed;
use super::domain::Domain;
use super::environment::{Columns, Environment, Source};
use super::expression;
use super::narrow::{self, Truth};
use super::query::{self, From, NotUnderstood, Understood};
use super::tables::{Table, Tables};

/// A value that a statement writes into a column.
#[derive(Debug, Clone)]
pub(super) struct Write {
    pub(super) table: String,
    /// Its place among the columns of the table.
    pub(super) column: usize,
    pub(super) value: Domain,
}

/// What a statement does.
struct Effects {
    writes: Vec<Write>,
    /// The columns of the rows that it returns.
    returned: Option<Columns>,
}

fn not_understood<T>(what: &str) -> Understood<T> {
    Err(NotUnderstood(what.to_owned()))
}

/// What a statement writes, and whether that is all.
pub(super) fn of(statement: &Parsed, tables: &Tables) -> (Vec<Write>, bool) {
    let Some(tree) = &statement.tree else { return (Vec::new(), false) };
    let looked_at = statement.statement(tables);
    match effects(tree, &Environment::new(&looked_at)) {
        Ok(effects) => (effects.writes, true),
        Err(_) => (Vec::new(), false),
    }
}

/// The columns of the rows that a statement gives.
pub(super) fn columns(tree: &Tree, environment: &Environment<'_>) -> Understood<Columns> {
    match tree {
        Tree::Query(query) if !is_write(&query.body) => query::columns(query, environment),
        _ => match effects(tree, environment)?.returned {
            Some(columns) => Ok(columns),
            None => not_understood("what it returns"),
        },
    }
}

fn is_write(body: &SetExpr) -> bool {
    matches!(body, SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_))
}

fn effects(tree: &Tree, environment: &Environment<'_>) -> Understood<Effects> {
    match tree {
        Tree::Insert(insert) => of_insert(insert, environment),
        Tree::Update(update) => of_update(update, environment),
        Tree::Delete(delete) => of_delete(delete, environment),
        Tree::Query(query) => match &*query.body {
            SetExpr::Insert(inner) | SetExpr::Update(inner) | SetExpr::Delete(inner) => {
                effects(inner, &query::with(query.with.as_ref(), environment)?)
            }
            _ => Ok(Effects { writes: Vec::new(), returned: None }),
        },
        Tree::CreateTable(_)
        | Tree::CreateIndex(_)
        | Tree::CreateView(_)
        | Tree::Drop { .. }
        | Tree::Savepoint { .. }
        | Tree::ReleaseSavepoint { .. }
        | Tree::Rollback { .. } => Ok(Effects { writes: Vec::new(), returned: None }),
        _ => not_understood("the statement"),
    }
}

fn table_of<'t>(name: &ObjectName, environment: &Environment<'t>) -> Understood<&'t Table> {
    let name = query::table_name(name)?;
    let table = environment.statement.tables.table(&name);
    table.ok_or_else(|| NotUnderstood(format!("table `{name}`")))
}

fn of_insert(insert: &Insert, environment: &Environment<'_>) -> Understood<Effects> {
    let TableObject::TableName(name) = &insert.table else {
        return not_understood("what it inserts into");
    };
    let table = table_of(name, environment)?;
    let given = match &insert.source {
        Some(source) => query::columns(source, environment)?,
        None if insert.assignments.is_empty() => Columns::new(),
        None => return not_understood("what it inserts"),
    };
    let places = places(insert, table, given.len())?;
    let mut values: Vec<Domain> = table.columns.iter().map(|it| it.default.clone()).collect();
    for (place, column) in places.iter().zip(given) {
        if let Some(value) = values.get_mut(*place) {
            *value = column.domain;
        }
    }
    let replaces = insert.replace_into || insert.or == Some(SqliteOnConflict::Replace);
    let mut writes = Vec::new();
    for (index, (column, value)) in table.columns.iter().zip(&mut values).enumerate() {
        // A NULL that may not be becomes the default.
        if replaces && value.null {
            *value = value.clone().union(column.default.clone());
        }
        writes.push(Write { table: table.name.clone(), column: index, value: value.clone() });
    }
    let mut inserted = table.held();
    for ((column, known), write) in inserted.iter_mut().zip(&table.columns).zip(&writes) {
        if !known.is_generated {
            column.domain = known.stored(&write.value);
        }
    }
    let given = inserted.clone();
    for ((column, known), write) in inserted.iter_mut().zip(&table.columns).zip(&mut writes) {
        if known.is_generated {
            write.value = table.generated(known, &given, environment);
            column.domain = column.domain.clone().union(known.stored(&write.value));
        }
    }
    let called = insert.table_alias.as_ref().map_or(&table.name, |alias| &alias.alias.value);
    let returning = insert.returning.as_deref();
    match &insert.on {
        None => {
            let returned = returned(returning, called, inserted, environment)?;
            return Ok(Effects { writes, returned });
        }
        Some(OnInsert::OnConflict(conflict)) => {
            if let OnConflictAction::DoUpdate(update) = &conflict.action {
                let sources = vec![
                    Source { name: Some(called.clone()), columns: table.held() },
                    Source { name: Some("excluded".to_owned()), columns: inserted.clone() },
                ];
                let inside = environment.within(sources, Vec::new());
                let selection = update.selection.as_ref();
                writes.extend(assigned(&update.assignments, selection, table, &inside)?);
            }
        }
        Some(_) => return not_understood("the statement"),
    }
    // Either the row that was inserted or one that was there.
    let both = table.held().into_iter().zip(inserted).map(|(mut held, inserted)| {
        held.domain = held.domain.union(inserted.domain);
        held
    });
    let returned = returned(returning, called, both.collect(), environment)?;
    Ok(Effects { writes, returned })
}

/// The places of the columns that values are given for.
fn places(insert: &Insert, table: &Table, given: usize) -> Understood<Vec<usize>> {
    let columns = insert.columns.iter().map(|name| {
        let name = query::table_name(name)?;
        table.column(&name).ok_or_else(|| NotUnderstood(format!("column `{name}`")))
    });
    let mut places = columns.collect::<Understood<Vec<usize>>>()?;
    if places.is_empty() && insert.source.is_some() {
        let plain = table.columns.iter().enumerate().filter(|(_, column)| !column.is_generated);
        places = plain.map(|(index, _)| index).collect();
    }
    if places.len() == given { Ok(places) } else { not_understood("its columns") }
}

/// What assignments write into the rows that satisfy a condition.
fn assigned(
    assignments: &[Assignment],
    condition: Option<&Expr>,
    table: &Table,
    environment: &Environment<'_>,
) -> Understood<Vec<Write>> {
    let inside = match condition {
        Some(condition) => narrow::assume(condition, Truth::True, environment),
        None => Some(environment.clone()),
    };
    let mut writes = Vec::new();
    for assignment in assignments {
        let AssignmentTarget::ColumnName(name) = &assignment.target else {
            return not_understood("an assignment to several columns");
        };
        let name = query::table_name(name)?;
        let Some(column) = table.column(&name) else {
            return Err(NotUnderstood(format!("column `{name}`")));
        };
        // A condition that is never true writes nothing, as far as the tables hold no more.
        let Some(inside) = &inside else { continue };
        let value = expression::domain(&assignment.value, inside);
        writes.push(Write { table: table.name.clone(), column, value });
    }
    let generated = table.columns.iter().enumerate().filter(|(_, it)| it.is_generated);
    let held = table.held();
    writes.extend(generated.map(|(column, known)| Write {
        table: table.name.clone(),
        column,
        value: table.generated(known, &held, environment),
    }));
    Ok(writes)
}

/// The table that a statement is about, and its name there.
fn single(table: &TableWithJoins) -> Understood<(&ObjectName, Option<&String>)> {
    match &table.relation {
        TableFactor::Table { name, alias, args: None, .. } if table.joins.is_empty() => {
            Ok((name, alias.as_ref().map(|alias| &alias.name.value)))
        }
        _ => not_understood("the table of the statement"),
    }
}

fn of_update(update: &Update, environment: &Environment<'_>) -> Understood<Effects> {
    let (name, alias) = single(&update.table)?;
    let table = table_of(name, environment)?;
    let called = alias.unwrap_or(&table.name);
    let held = || Source { name: Some(called.clone()), columns: table.held() };
    let mut sources = vec![held()];
    match &update.from {
        None => {}
        Some(UpdateTableFromKind::AfterSet(tables)) => {
            sources.extend(From::of(tables, environment)?.sources);
        }
        Some(UpdateTableFromKind::BeforeSet(_)) => return not_understood("the statement"),
    }
    let inside = environment.within(sources, Vec::new());
    let writes = assigned(&update.assignments, update.selection.as_ref(), table, &inside)?;
    let mut after = table.held();
    for write in &writes {
        if let (Some(column), Some(known)) =
            (after.get_mut(write.column), table.columns.get(write.column))
        {
            column.domain = column.domain.clone().union(known.stored(&write.value));
        }
    }
    let returned = returned(update.returning.as_deref(), called, after, environment)?;
    Ok(Effects { writes, returned })
}

fn of_delete(delete: &Delete, environment: &Environment<'_>) -> Understood<Effects> {
    let (FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables)) = &delete.from;
    let [table] = tables.as_slice() else { return not_understood("the statement") };
    let (name, alias) = single(table)?;
    let table = table_of(name, environment)?;
    let called = alias.unwrap_or(&table.name);
    let returned = returned(delete.returning.as_deref(), called, table.held(), environment)?;
    Ok(Effects { writes: Vec::new(), returned })
}

/// The columns of a `RETURNING`.
fn returned(
    items: Option<&[SelectItem]>,
    name: &str,
    columns: Columns,
    environment: &Environment<'_>,
) -> Understood<Option<Columns>> {
    let Some(items) = items else { return Ok(None) };
    let source = Source { name: Some(name.to_owned()), columns };
    let from = From::single(source.clone());
    let inside = environment.within(vec![source], Vec::new());
    query::returned(items, &from, &inside).map(Some)
}
