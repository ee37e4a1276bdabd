//! Whether a schema is of a size that a plain validator copes with.

use super::{Branch, Rules, SchemaId};
use crate::limits::{EXPLAINED_DEPTH_MAX, EXPLAINED_PATHS_MAX};

/// Whether the schemas lead neither too deep nor along too many ways to the same value.
pub(super) fn is_modest(rules: &[Rules]) -> bool {
    let mut paths: Vec<Option<u64>> = vec![None; rules.len()];
    // Schemas on the way, each with those it leads to and the place of the next one.
    let mut open: Vec<Open> = vec![Open::new(rules, SchemaId(0))];
    let mut seen = vec![false; rules.len()];
    while let Some(here) = open.last_mut() {
        if let Some(next) = here.inner.pop() {
            if let Some(seen) = seen.get_mut(next.index())
                && !std::mem::replace(seen, true)
            {
                open.push(Open::new(rules, next));
                if open.len() > EXPLAINED_DEPTH_MAX {
                    return false;
                }
            }
            continue;
        }
        let schema = here.schema;
        let in_place = rules.get(schema.index()).map(Rules::here).unwrap_or_default();
        // What is not counted yet is on the way itself, through an item or a property.
        let known = |schema: &SchemaId| paths.get(schema.index()).copied().flatten().unwrap_or(1);
        let count = in_place.iter().map(known).fold(1_u64, u64::saturating_add);
        if count > EXPLAINED_PATHS_MAX {
            return false;
        }
        if let Some(paths) = paths.get_mut(schema.index()) {
            *paths = Some(count);
        }
        open.pop();
    }
    true
}

struct Open {
    schema: SchemaId,
    inner: Vec<SchemaId>,
}

impl Open {
    fn new(rules: &[Rules], schema: SchemaId) -> Self {
        let inner = rules.get(schema.index()).map(|rules| {
            let mut inner = rules.here();
            inner.extend(rules.inside());
            inner
        });
        Self { schema, inner: inner.unwrap_or_default() }
    }
}

impl Rules {
    /// The schemas that may apply to the same value.
    fn here(&self) -> Vec<SchemaId> {
        let mut here = self.in_place.to_vec();
        for branch in &self.branches {
            match branch {
                Branch::AnyOf(schemas) | Branch::OneOf(schemas) => here.extend(schemas),
                Branch::Not(schema) | Branch::Dependent { schema, .. } => here.push(*schema),
                Branch::If { test, satisfied, otherwise } => {
                    here.push(*test);
                    here.extend(satisfied.iter().chain(otherwise));
                }
            }
        }
        here
    }

    /// The schemas that may apply to a property or an item.
    fn inside(&self) -> Vec<SchemaId> {
        let mut inside = Vec::new();
        if let Some(rules) = &self.arrays {
            inside.extend(&rules.prefix);
            inside.extend(rules.items.iter().chain(&rules.unevaluated));
            inside.extend(rules.contains.map(|(schema, _)| schema));
        }
        if let Some(rules) = &self.objects {
            inside.extend(rules.properties.iter().filter_map(|property| property.schema));
            inside.extend(rules.patterns.iter().map(|(_, schema)| *schema));
            let others = rules.additional.iter().chain(&rules.names).chain(&rules.unevaluated);
            inside.extend(others);
        }
        inside
    }
}
