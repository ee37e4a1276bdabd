//! Schemas that lead back to themselves through references and other in-place keywords: no document
//! could ever be validated against them.

use std::collections::BTreeMap;

/// One of the copies that dynamic references make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Copied {
    /// Its number among all copies.
    pub(super) number: usize,
    /// The schema that it is a copy of, by its index in the bundle.
    pub(super) root: usize,
}

/// The graph of all schemas of a normal form that apply to one value.
#[derive(Debug, Default)]
pub(super) struct Loops {
    schemas: Vec<Schema>,
    /// Where copies begin in `schemas`, by their numbers.
    copies: BTreeMap<usize, usize>,
    has_references: bool,
}

#[derive(Debug)]
struct Schema {
    /// The index in the bundle.
    site: usize,
    copy: Option<Copied>,
    /// Subschemas that apply to the same value, by their places in `schemas`.
    in_place: Vec<usize>,
    /// Schemas that are referred to, by the index in the bundle or the number of the copy.
    references: Vec<Reference>,
}

#[derive(Debug, Clone, Copy)]
enum Reference {
    Site(usize),
    Copy(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Visit {
    New,
    Open,
    Done,
}

const IN_PLACE: [&str; 8] =
    ["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"];

impl Loops {
    /// Adds a schema, all of the bundle in their order first; gives its number.
    pub(super) fn add(&mut self, site: usize, copy: Option<Copied>) -> usize {
        let number = self.schemas.len();
        if let Some(copy) = copy.filter(|copy| copy.root == site) {
            self.copies.entry(copy.number).or_insert(number);
        }
        self.schemas.push(Schema { site, copy, in_place: Vec::new(), references: Vec::new() });
        number
    }

    /// The schema that is added next is a part of `outer`, under a keyword.
    pub(super) fn contains(&mut self, outer: usize, keyword: &str) {
        let next = self.schemas.len();
        if let Some(schema) = self.schemas.get_mut(outer).filter(|_| IN_PLACE.contains(&keyword)) {
            schema.in_place.push(next);
        }
    }

    /// A schema refers to another one, or to a copy of it.
    pub(super) fn leads(&mut self, from: usize, site: usize, copy: Option<usize>) {
        self.has_references = true;
        if let Some(schema) = self.schemas.get_mut(from) {
            schema.references.push(copy.map_or(Reference::Site(site), Reference::Copy));
        }
    }

    /// The schemas that lead back to themselves, one for each way around.
    pub(super) fn find(&self) -> Vec<(usize, Option<Copied>)> {
        let mut found = Vec::new();
        if !self.has_references {
            return found;
        }
        let mut visits = vec![Visit::New; self.schemas.len()];
        for start in 0..self.schemas.len() {
            let mut path = vec![(start, Visit::Open)];
            while let Some((number, next)) = path.pop() {
                let (Some(schema), Some(visit)) =
                    (self.schemas.get(number), visits.get_mut(number))
                else {
                    continue;
                };
                match (*visit, next) {
                    (_, Visit::Done) => *visit = Visit::Done,
                    (Visit::Done, _) => {}
                    (Visit::Open, _) => found.push((schema.site, schema.copy)),
                    (Visit::New, _) => {
                        *visit = Visit::Open;
                        path.push((number, Visit::Done));
                        path.extend(self.after(schema).map(|inner| (inner, Visit::Open)));
                    }
                }
            }
        }
        found.dedup();
        found
    }

    fn after<'l>(&'l self, schema: &'l Schema) -> impl Iterator<Item = usize> + 'l {
        let references = schema.references.iter().filter_map(|reference| match reference {
            // The schemas of the bundle come first, so their numbers are their indices.
            Reference::Site(site) => Some(*site),
            Reference::Copy(number) => self.copies.get(number).copied(),
        });
        schema.in_place.iter().copied().chain(references)
    }
}
