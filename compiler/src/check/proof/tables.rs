//! What the columns of tables hold.

use std::collections::BTreeMap;

use super::environment::Columns;
use super::query::Understood;

/// The tables of a derivation, by their names in lower case.
#[derive(Debug, Default)]
pub(super) struct Tables {
    tables: BTreeMap<String, Understood<Columns>>,
}

impl Tables {
    /// The columns of a table; `None` when there is none of that name.
    pub(super) fn columns(&self, name: &str) -> Option<Understood<Columns>> {
        self.tables.get(&name.to_ascii_lowercase()).cloned()
    }
}
