//! What the names of an expression stand for, and what is known of them at that place.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use sqlparser::ast::{Function as Call, Ident};

use super::domain::Domain;
use super::tables::Tables;

/// Something that has a value while a row is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// A parameter by its number.
    Parameter(usize),
    /// A column: of the query at a depth, of the source there, and its place.
    Column(usize, usize, usize),
}

/// A column of a table, a subquery or a result.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) domain: Domain,
}

/// Columns without a source yet.
pub(super) type Columns = Vec<Column>;

/// A table or subquery of a `FROM`.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) name: Option<String>,
    pub(super) columns: Columns,
}

/// The sources of a query, inside those of the query around it.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) sources: Vec<Source>,
    /// The names of its results, which some of its clauses may use.
    pub(super) aliases: Vec<String>,
    pub(super) depth: usize,
    pub(super) around: Option<Rc<Scope>>,
}

/// What one statement is looked at with.
#[derive(Debug)]
pub(super) struct Statement<'s> {
    /// What each parameter may be.
    pub(super) parameters: BTreeMap<usize, Domain>,
    pub(super) tables: &'s Tables,
    /// Whether texts may be compared otherwise than by their bytes.
    pub(super) has_collations: bool,
    /// Expressions that may still be looked at.
    pub(super) steps_left: Cell<usize>,
}

/// What is known at a place of a statement.
#[derive(Debug, Clone)]
pub(super) struct Environment<'s> {
    pub(super) statement: &'s Statement<'s>,
    pub(super) scope: Option<Rc<Scope>>,
    /// What is known of keys here beyond what they are everywhere.
    pub(super) known: BTreeMap<Key, Domain>,
    /// Calls that are not NULL here, by their text, each with the depth of the query that it stands in.
    pub(super) certain: BTreeSet<(Option<usize>, String)>,
    /// The common table expressions, the last of a name first.
    pub(super) named: Rc<Named>,
    /// In the result of a query with aggregates: its rows.
    pub(super) rows: Option<Rc<Environment<'s>>>,
    /// Whether what aggregates look at has a row.
    pub(super) has_rows: bool,
}

/// Common table expressions.
#[derive(Debug, Default)]
pub(super) struct Named {
    pub(super) tables: Vec<(String, Columns)>,
}

impl Named {
    /// The columns of a name.
    pub(super) fn get(&self, name: &str) -> Option<&Columns> {
        let mut tables = self.tables.iter().rev();
        tables.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, columns)| columns)
    }
}

impl<'s> Environment<'s> {
    pub(super) fn new(statement: &'s Statement<'s>) -> Self {
        Self {
            statement,
            scope: None,
            known: BTreeMap::new(),
            certain: BTreeSet::new(),
            named: Rc::default(),
            rows: None,
            has_rows: false,
        }
    }

    /// Whether another expression may be looked at.
    pub(super) fn takes_step(&self) -> bool {
        let left = self.statement.steps_left.get();
        self.statement.steps_left.set(left.saturating_sub(1));
        left > 0
    }

    /// The same place inside another query.
    pub(super) fn within(&self, sources: Vec<Source>, aliases: Vec<String>) -> Self {
        let depth = self.scope.as_ref().map_or(0, |scope| scope.depth + 1);
        let around = self.scope.clone();
        let scope = Some(Rc::new(Scope { sources, aliases, depth, around }));
        Self { scope, rows: None, has_rows: false, ..self.clone() }
    }

    /// What a key may be here.
    pub(super) fn domain(&self, key: Key) -> Domain {
        if let Some(domain) = self.known.get(&key) {
            return domain.clone();
        }
        let found = match key {
            Key::Parameter(number) => self.statement.parameters.get(&number).cloned(),
            Key::Column(depth, source, column) => {
                let column = self.source(depth, source).and_then(|it| it.columns.get(column));
                column.map(|column| column.domain.clone())
            }
        };
        found.unwrap_or_else(Domain::any)
    }

    fn source(&self, depth: usize, source: usize) -> Option<&Source> {
        let mut scope = self.scope.as_ref();
        while let Some(found) = scope {
            if found.depth == depth {
                return found.sources.get(source);
            }
            scope = found.around.as_ref();
        }
        None
    }

    /// The columns that a name may stand for: of the innermost query that has it.
    pub(super) fn columns(&self, table: Option<&Ident>, name: &Ident) -> Vec<Key> {
        let mut scope = self.scope.as_ref();
        while let Some(found) = scope {
            let mut keys = Vec::new();
            for (source_index, source) in found.sources.iter().enumerate() {
                let is_meant = table.is_none_or(|table| {
                    source.name.as_ref().is_some_and(|it| it.eq_ignore_ascii_case(&table.value))
                });
                let columns = source.columns.iter().enumerate().filter(|_| is_meant);
                let columns = columns.filter(|(_, it)| it.name.eq_ignore_ascii_case(&name.value));
                keys.extend(
                    columns.map(|(index, _)| Key::Column(found.depth, source_index, index)),
                );
            }
            let is_alias = |it: &String| table.is_none() && it.eq_ignore_ascii_case(&name.value);
            if !keys.is_empty() || found.aliases.iter().any(is_alias) {
                return keys;
            }
            scope = found.around.as_ref();
        }
        Vec::new()
    }

    /// Keeps in mind that a call is not NULL.
    pub(super) fn require(&mut self, call: &Call) {
        if let Some(text) = text_of(call) {
            self.certain.insert((self.depth(), text));
        }
    }

    /// Whether a call is known not to be NULL. Inside another query its names may stand for something else.
    pub(super) fn is_required(&self, call: &Call) -> bool {
        let is_required = |text| self.certain.contains(&(self.depth(), text));
        !self.certain.is_empty() && text_of(call).is_some_and(is_required)
    }

    fn depth(&self) -> Option<usize> {
        self.scope.as_ref().map(|scope| scope.depth)
    }

    /// Keeps in mind what a key is here.
    pub(super) fn know(&mut self, key: Key, domain: Domain) {
        self.known.insert(key, domain);
    }
}

/// The text of a call that gives the same whenever it is asked for.
fn text_of(call: &Call) -> Option<String> {
    const UNLIKE: [&str; 4] = ["random", "changes", "last_insert", "select"];
    let text = call.to_string();
    let lower = text.to_ascii_lowercase();
    let is_same = call.over.is_none() && !UNLIKE.iter().any(|word| lower.contains(word));
    is_same.then_some(text)
}
