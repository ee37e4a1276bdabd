//! `reset: true` acts once, whatever happens on the way.

use super::*;
use crate::store::Asked;

/// The bank with resets of these collections.
fn bank_resetting(collections: &[&str]) -> Bundle {
    let mut bundle = bank();
    for name in collections {
        bundle.collections.get_mut(*name).unwrap().reset = true;
    }
    bundle
}

/// Remembers what it was told of resets.
#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Observer for Told {
    fn committed(&self, _report: &TaskReport) {}

    fn resets(&self, noun: &str, name: &str) {
        self.0.lock().unwrap().push(format!("resets {noun} {name}"));
    }

    fn warned(&self, warning: &Failure) {
        self.0.lock().unwrap().push(warning.message.clone());
    }

    fn failed(&self, _task: &TaskName, failure: &Failure) {
        panic!("{failure:?}");
    }
}

/// Runs, and gives the reports and what was told.
fn told(request: &RunRequest, doubles: &Doubles) -> (Vec<TaskReport>, Vec<String>) {
    let observer = Told::default();
    let reports = run_with(request, doubles, &observer, &AtomicBool::new(false)).unwrap();
    (reports, observer.0.into_inner().unwrap())
}

#[test]
fn what_reads_and_writes_a_reset_collection_begins_anew_once() {
    let data = tempfile::tempdir().unwrap();
    let doubles = Doubles::of((0..50).map(transfer));
    told(&request(bank(), data.path()), &doubles);
    let resetting = request(bank_resetting(&["bank/transfers", "bank/balances"]), data.path());
    let (reports, said) = told(&resetting, &doubles);
    assert_eq!(said, ["resets collection bank/balances", "resets collection bank/transfers"]);
    assert_eq!((reports[0].documents_in, reports[1].documents_in), (50, 50));
    let check = |count: usize| {
        assert_eq!(documents(&resetting, "bank/transfers", false).len(), count);
        assert_eq!(balances(&resetting), balances_after(count));
        assert_eq!(doubles.rows(), balances_after(count));
    };
    check(50);
    doubles.extend((50..70).map(transfer));
    let (reports, said) = told(&resetting, &doubles);
    assert_eq!(reports[0].documents_in, 20);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].ends_with("`bank/balances` was reset by an earlier run, and is not again"));
    check(70);
    let trash = std::fs::read_dir(data.path().join("trash")).unwrap();
    assert_eq!(trash.count(), 2);
}

#[test]
fn a_derivation_is_reset_with_its_collection() {
    let migration = "CREATE TABLE seen (id INTEGER PRIMARY KEY);";
    let lambda = "INSERT INTO seen VALUES ($id); SELECT $sender AS account, 1 AS balance;";
    let transforms = vec![transform("fromTransfers", "bank/transfers", lambda)];
    let derive = derivation("bank/balances", &[migration], transforms);
    let mut bundle = bank();
    bundle.tasks.insert(derive.name(), derive);
    let data = tempfile::tempdir().unwrap();
    let doubles = Doubles::of((0..50).map(transfer));
    told(&request(bundle.clone(), data.path()), &doubles);
    let before = doubles.rows();
    bundle.collections.get_mut("bank/balances").unwrap().reset = true;
    let resetting = request(bundle, data.path());
    let (reports, _) = told(&resetting, &doubles);
    assert_eq!((reports[0].documents_in, reports[1].documents_in), (0, 50));
    assert_eq!((balances(&resetting), doubles.rows()), (before.clone(), before));
}

#[test]
fn a_reset_is_made_again_when_the_collection_has_changed_or_nobody_asked_in_between() {
    let data = tempfile::tempdir().unwrap();
    let doubles = Doubles::of((0..5).map(transfer));
    let mut resetting = bank_resetting(&["bank/balances"]);
    let run = |bundle: &Bundle| told(&request(bundle.clone(), data.path()), &doubles).1;
    assert!(run(&resetting).is_empty(), "there is nothing to throw away yet");
    assert_eq!(run(&resetting).len(), 1, "it stands as before");
    let collection = resetting.collections.get_mut("bank/balances").unwrap();
    collection.write_schema["title"] = json!("Balances");
    assert_eq!(run(&resetting), ["resets collection bank/balances"]);
    resetting.collections.get_mut("bank/balances").unwrap().reset = false;
    assert!(run(&resetting).is_empty());
    resetting.collections.get_mut("bank/balances").unwrap().reset = true;
    assert_eq!(run(&resetting), ["resets collection bank/balances"]);
    assert_eq!(doubles.rows(), balances_after(5));
}

#[test]
fn a_reset_lets_the_key_change() {
    let data = tempfile::tempdir().unwrap();
    let doubles = Doubles::of((0..20).map(transfer));
    told(&request(bank(), data.path()), &doubles);
    let mut changed = bank();
    changed.collections.get_mut("bank/transfers").unwrap().key =
        vec!["/sender".to_owned(), "/id".to_owned()];
    let refused = go(&request(changed.clone(), data.path()), &doubles).unwrap_err();
    assert_eq!(refused.kind, FailureKind::CollectionChanged);
    changed.collections.get_mut("bank/transfers").unwrap().reset = true;
    let resetting = request(changed, data.path());
    told(&resetting, &doubles);
    assert_eq!(documents(&resetting, "bank/transfers", false).len(), 20);
}

#[test]
fn what_a_run_has_left_of_a_reset_the_next_one_does() {
    let data = tempfile::tempdir().unwrap();
    let doubles = Doubles::of((0..50).map(transfer));
    let bundle = bank();
    told(&request(bundle.clone(), data.path()), &doubles);
    let collection = &bundle.collections["bank/balances"];
    let directory = DataDirectory::open(data.path(), Durability::Off).unwrap();
    assert_eq!(directory.ask_for_collection(collection, Some("x")).unwrap(), Asked::Now);
    // Half of the shards are done, the second time all are.
    let mut left = 0;
    let interrupted = directory.empty_collection("bank/balances", |_| {
        left += 1;
        Err(Failure::new(FailureKind::CannotAccess, "the disk is full"))
    });
    assert_eq!((interrupted.unwrap_err().kind, left), (FailureKind::CannotAccess, 1));
    drop(directory);
    // It no longer matters whether it is asked for.
    let request = request(bundle, data.path());
    told(&request, &doubles);
    assert_eq!(balances(&request), balances_after(50));
    assert_eq!(doubles.rows(), balances_after(50));
}

#[test]
fn captures_and_materializations_are_reset_by_themselves() {
    let data = tempfile::tempdir().unwrap();
    let doubles = Doubles::of((0..10).map(transfer));
    told(&request(bank(), data.path()), &doubles);
    let mut bundle = bank();
    for task in bundle.tasks.values_mut() {
        match task {
            Task::Materialization(materialization) => materialization.reset = true,
            Task::Capture(capture) => capture.reset = true,
            Task::Derivation(_) => {}
        }
    }
    let resetting = request(bundle, data.path());
    let (reports, said) = told(&resetting, &doubles);
    assert_eq!(said, ["resets capture bank/source", "resets materialization bank/rows"]);
    assert_eq!(reports[0].documents_in, 10, "captured anew");
    assert_eq!(doubles.rows(), balances(&resetting), "filled from the beginning");
    let (reports, said) = told(&resetting, &doubles);
    assert_eq!((reports[0].documents_in, reports[2].documents_in, said.len()), (0, 0, 2));
}

#[test]
fn a_raised_backfill_of_a_materialization_empties_its_table_first() {
    let data = tempfile::tempdir().unwrap();
    let doubles = Doubles::of((0..50).map(transfer));
    told(&request(bank(), data.path()), &doubles);
    let mut bundle = bank();
    for task in bundle.tasks.values_mut() {
        if let Task::Materialization(materialization) = task {
            materialization.bindings[0].backfill = 1;
        }
    }
    let raised = request(bundle, data.path());
    let (reports, _) = told(&raised, &doubles);
    assert!(reports[2].documents_in > 0);
    assert_eq!(doubles.rows(), balances_after(50));
    assert_eq!(told(&raised, &doubles).0[2].documents_in, 0);
}
