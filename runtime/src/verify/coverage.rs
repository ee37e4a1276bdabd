//! What of the lambdas the tests made run.

use std::collections::BTreeMap;

use tidegate_stdlib::bundle::{
    Bundle, Derivation, StatementCoverage, Task, Transform, TransformCoverage,
};
use tidegate_stdlib::lambda::sqlite::split;

/// Counts by derivation and transform.
#[derive(Debug, Default)]
pub(super) struct Coverage<'b> {
    transforms: BTreeMap<(&'b str, &'b str), Counts>,
}

/// What one transform did.
#[derive(Debug, Default)]
struct Counts {
    documents: u64,
    /// Rows that each statement gave or changed.
    effects: Vec<u64>,
}

impl<'b> Coverage<'b> {
    /// Adds what a transform did in one case.
    pub(super) fn add(
        &mut self,
        derivation: &'b Derivation,
        transform: &'b Transform,
        documents: u64,
        effects: impl Iterator<Item = u64>,
    ) {
        let name = (derivation.collection.as_str(), transform.name.as_str());
        let counts = self.transforms.entry(name).or_default();
        counts.documents += documents;
        for (index, effects) in effects.enumerate() {
            match counts.effects.get_mut(index) {
                Some(sum) => *sum += effects,
                None => counts.effects.push(effects),
            }
        }
    }

    /// Takes over what was counted elsewhere.
    pub(super) fn merge(&mut self, other: Self) {
        for (name, counts) in other.transforms {
            let sum = self.transforms.entry(name).or_default();
            sum.documents += counts.documents;
            let length = sum.effects.len().max(counts.effects.len());
            sum.effects.resize(length, 0);
            for (sum, effects) in sum.effects.iter_mut().zip(counts.effects) {
                *sum += effects;
            }
        }
    }

    /// The counts of every transform of a bundle, also of those that no test made run.
    pub(super) fn of_bundle(&self, bundle: &Bundle) -> Vec<TransformCoverage> {
        let mut covered = Vec::new();
        for task in bundle.tasks.values() {
            let Task::Derivation(derivation) = task else { continue };
            for transform in &derivation.transforms {
                covered.push(self.of_transform(&derivation.collection, transform));
            }
        }
        covered
    }

    fn of_transform(&self, collection: &str, transform: &Transform) -> TransformCoverage {
        let counts = self.transforms.get(&(collection, transform.name.as_str()));
        let effects = |index| counts.and_then(|counts| counts.effects.get(index)).copied();
        let ranges = split(&transform.lambda.text).unwrap_or_default();
        let statements = ranges.into_iter().enumerate().map(|(index, range)| StatementCoverage {
            origin: transform.lambda.place(range.start, range.end),
            effects: effects(index).unwrap_or(0),
        });
        TransformCoverage {
            collection: collection.to_owned(),
            transform: transform.name.clone(),
            origin: transform.origin.clone(),
            documents: counts.map_or(0, |counts| counts.documents),
            statements: statements.collect(),
        }
    }
}
