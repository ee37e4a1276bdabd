//! Whatever fails between two commits, the next run continues exactly behind the last one.

use super::doubles::Trouble;
use super::*;

/// One run with trouble and one without give what an undisturbed run gives.
fn survives(trouble: Trouble) {
    let data = tempfile::tempdir().unwrap();
    let request = request(bank(), data.path());
    let doubles = Doubles::of((0..200).map(transfer));
    doubles.arrange(17, Some(trouble));
    let reports = go(&request, &doubles).unwrap();
    let failed: Vec<_> = reports.iter().filter(|report| report.failed.is_some()).collect();
    assert_eq!(failed.len(), 1, "{trouble:?}: {reports:?}");
    doubles.arrange(23, None);
    let reports = go(&request, &doubles).unwrap();
    assert!(reports.iter().all(|report| report.failed.is_none()), "{trouble:?}: {reports:?}");
    assert_eq!(documents(&request, "bank/transfers", false).len(), 200, "{trouble:?}");
    assert_eq!(balances(&request), balances_after(200), "{trouble:?}");
    assert_eq!(doubles.rows(), balances_after(200), "{trouble:?}");
}

#[test]
fn a_source_that_fails_keeps_what_it_gave_before() {
    for index in [0, 17, 34, 187] {
        survives(Trouble::Pull(index));
    }
}

#[test]
fn an_endpoint_that_refuses_a_commit_gets_it_again() {
    survives(Trouble::BeforeCommit(0));
}

#[test]
fn an_endpoint_whose_answer_is_lost_is_asked_when_it_is_opened() {
    survives(Trouble::AfterCommit(0));
}

#[test]
fn an_endpoint_that_somebody_has_locked_is_waited_for() {
    struct Waiting(std::sync::Mutex<Vec<String>>);

    impl Observer for Waiting {
        fn committed(&self, _report: &TaskReport) {}

        fn waiting(&self, task: &TaskName, failure: &Failure) {
            self.0.lock().unwrap().push(format!("{task} waits: {}", failure.message));
        }

        fn failed(&self, _task: &TaskName, failure: &Failure) {
            panic!("{failure:?}");
        }
    }

    let data = tempfile::tempdir().unwrap();
    let request = request(bank(), data.path());
    let doubles = Doubles::of((0..200).map(transfer));
    doubles.arrange(17, Some(Trouble::Lock));
    let observer = Waiting(std::sync::Mutex::default());
    run_with(&request, &doubles, &observer, &AtomicBool::new(false)).unwrap();
    assert_eq!(doubles.rows(), balances_after(200));
    let told = observer.0.into_inner().unwrap();
    assert_eq!(told, ["materialization bank/rows waits: the table is locked"]);
}

#[test]
fn restart_empties_the_tables_and_reads_from_the_beginning() {
    let data = tempfile::tempdir().unwrap();
    let mut request = request(bank(), data.path());
    let doubles = Doubles::of((0..50).map(transfer));
    go(&request, &doubles).unwrap();
    request.restart = BTreeSet::from(["bank/rows".to_owned()]);
    let reports = go(&request, &doubles).unwrap();
    assert!(reports[2].documents_in > 0);
    assert_eq!(doubles.rows(), balances_after(50));
}

#[test]
fn a_checkpoint_of_a_deleted_data_directory_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let doubles = Doubles::of((0..50).map(transfer));
    go(&request(bank(), &data.path().join("first")), &doubles).unwrap();
    let mut second = request(bank(), &data.path().join("second"));
    let reports = go(&second, &doubles).unwrap();
    let failure = reports[2].failed.as_ref().unwrap();
    assert_eq!(failure.kind, FailureKind::CheckpointOfOtherData);
    assert!(failure.help.as_ref().unwrap().contains("--restart"));
    assert_eq!(doubles.rows(), balances_after(50), "nothing was stored");
    assert_eq!(balances(&second), balances_after(50), "the others went on");
    second.restart = BTreeSet::from(["bank/rows".to_owned()]);
    let reports = go(&second, &doubles).unwrap();
    assert!(reports.iter().all(|report| report.failed.is_none()), "{reports:?}");
    assert_eq!(doubles.rows(), balances_after(50));
}

fn ingest(request: &mut RunRequest, path: &Path, again: bool) {
    request.ingest = vec![Ingest {
        collection: "bank/transfers".to_owned(),
        path: path.to_owned(),
        text: None,
        again,
    }];
}

#[test]
fn a_file_is_ingested_once_unless_told_again() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("transfers.jsonl");
    let lines: Vec<_> = (0..30).map(|n| transfer(n).to_string()).collect();
    std::fs::write(&path, lines.join("\n")).unwrap();
    let mut request = request(bank(), &data.path().join("data"));
    let doubles = Doubles::default();
    for (again, count) in [(false, 30), (false, 30), (true, 60)] {
        ingest(&mut request, &path, again);
        let reports = go(&request, &doubles).unwrap();
        assert!(reports.iter().all(|report| report.failed.is_none()), "{reports:?}");
        assert_eq!(documents(&request, "bank/transfers", false).len(), count);
    }
}
