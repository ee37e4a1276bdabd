//! Folds within tiny budgets are those of a reference that is as simple as it can be.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use tidegate_stdlib::document::Document;
use tidegate_stdlib::key::Key;
use tidegate_stdlib::value::to_text;

use super::reference::{Catalog, Dice, Remains};
use super::*;
use crate::store::testing::collection;
use crate::violation::SchemaSide;

fn budget(held_bytes_max: usize) -> Budget {
    Budget { held_bytes_max, directory: std::env::temp_dir() }
}

/// What remains of each key.
type Groups = Vec<(Vec<u8>, Remains)>;

/// What comes of the documents in a fold.
fn folded(
    contract: &Contract<'_>,
    key: &Key,
    documents: &[Value],
    mode: Mode,
    held_bytes_max: usize,
) -> Groups {
    let mut fold = BoundedFold::new(budget(held_bytes_max));
    for document in documents {
        let document = Document::from_value(document);
        let mut packed = Vec::new();
        key.pack(document.root(), &mut packed);
        fold.add(contract, &packed, document.root()).unwrap();
    }
    let (mut groups, mut scratch) = (Vec::new(), Scratch::default());
    let taken = fold.take(contract, |packed, held| {
        let outcome = held.leave(&contract.reducer, mode, Lone::Reduced, &mut scratch).unwrap();
        let documents = outcome.documents.iter().map(|document| document.root().to_value());
        let remains = Remains { documents: documents.collect(), deleted: outcome.deleted };
        groups.push((packed.to_vec(), remains));
        Ok(())
    });
    taken.unwrap();
    assert!(fold.is_empty());
    groups
}

/// The same by the reference.
fn expected(catalog: &Catalog, key: &Key, documents: &[Value], mode: Mode) -> Groups {
    let mut by_key: BTreeMap<Vec<u8>, Vec<Value>> = BTreeMap::new();
    for document in documents {
        let mut packed = Vec::new();
        key.pack(Document::from_value(document).root(), &mut packed);
        by_key.entry(packed).or_default().push(document.clone());
    }
    let fold = |documents: &[Value]| catalog.fold(documents, mode == Mode::Full);
    by_key.into_iter().map(|(packed, documents)| (packed, fold(&documents))).collect()
}

/// What is the same however the documents came in batches.
fn comparable(catalog: &Catalog, groups: Groups) -> String {
    let groups = groups.into_iter().map(|(packed, remains)| {
        let remains = match catalog.has_nulls_that_wait() {
            true if !remains.deleted => catalog.fold(&remains.documents, true),
            _ => remains,
        };
        let texts: Vec<String> = remains.documents.iter().map(to_text).collect();
        format!("{packed:?} {texts:?} {}\n", remains.deleted)
    });
    groups.collect()
}

/// How many random cases are tried; more by `COMBINE_CASES`.
fn cases() -> u32 {
    let asked = std::env::var("COMBINE_CASES").ok().and_then(|cases| cases.parse().ok());
    asked.unwrap_or(200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn folds_agree_with_the_reference(
        seed in any::<u64>(), count in 0_usize..24, keys in 1_u64..5, small in 0_usize..6000
    ) {
        let mut dice = Dice(seed);
        let catalog = dice.catalog();
        let mut owner = collection("acme/orders", &[]);
        owner.write_schema = catalog.schema();
        let contract = Contract::new(&owner, SchemaSide::Write).unwrap();
        let key = contract.key(["/k"].into_iter()).unwrap();
        let documents: Vec<Value> = (0..count).map(|_| dice.document(&catalog, keys)).collect();
        for mode in [Mode::Full, Mode::Associative] {
            let expected = comparable(&catalog, expected(&catalog, &key, &documents, mode));
            for held_bytes_max in [usize::MAX, small, 0] {
                let found = folded(&contract, &key, &documents, mode, held_bytes_max);
                prop_assert_eq!(
                    &comparable(&catalog, found), &expected, "{} {:?} {}", owner.write_schema, mode, json!(documents)
                );
            }
        }
    }
}

#[test]
fn many_runs_are_merged_into_one() {
    let mut owner = collection("acme/orders", &[]);
    owner.write_schema = json!({
        "properties": {"n": {"reduce": {"strategy": "append"}}},
        "reduce": {"strategy": "merge"},
    });
    let contract = Contract::new(&owner, SchemaSide::Write).unwrap();
    let key = contract.key(["/k"].into_iter()).unwrap();
    let documents: Vec<Value> =
        (0..1000).map(|n| json!({"k": n % 7, "n": [n], "text": "x".repeat(n % 50)})).collect();
    let found = folded(&contract, &key, &documents, Mode::Full, 0);
    assert_eq!(found, folded(&contract, &key, &documents, Mode::Full, usize::MAX));
    assert_eq!(found.len(), 7);
}

#[test]
fn a_directory_that_is_gone_stops_the_transaction() {
    let owner = collection("acme/orders", &[]);
    let contract = Contract::new(&owner, SchemaSide::Write).unwrap();
    let directory = std::path::PathBuf::from("/nowhere/at/all");
    let budget = Budget { held_bytes_max: 0, directory };
    let mut fold = BoundedFold::new(budget);
    let document = Document::from_value(&json!({"k": 1}));
    let failure = fold.add(&contract, b"1", document.root()).unwrap_err();
    assert_eq!(failure.kind, tidegate_stdlib::bundle::FailureKind::CannotAccess);
    assert!(failure.message.contains("/nowhere/at/all"), "{failure}");
}
