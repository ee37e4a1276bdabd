//! The hub by itself: visibility, floors, waiting, idleness.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

const WRITER: TaskIndex = TaskIndex(0);
const READER: TaskIndex = TaskIndex(1);
const START: Clock = Clock(0x1eac_6a39_f295_2f00);

/// A writer of `a/things` and a reader of it.
fn hub(clock: ProcessClock, ending: Ending, cache_bytes_max: usize) -> Hub {
    let things = || vec!["a/things".to_owned()];
    let wiring = [
        Wiring { reads: Vec::new(), writes: things() },
        Wiring { reads: things(), writes: Vec::new() },
    ];
    let root = tempfile::tempdir().unwrap();
    Hub::new(root.path(), &wiring, clock, ending, cache_bytes_max).unwrap()
}

fn wall(ending: Ending, cache_bytes_max: usize) -> Hub {
    hub(ProcessClock::wall(Clock::default()), ending, cache_bytes_max)
}

fn append(offset: u64, text: &str) -> CommittedAppend {
    CommittedAppend {
        journal: JournalName("a/things/pivot=00".into()),
        begin: JournalPosition { incarnation: 7, offset },
        end: JournalPosition { incarnation: 7, offset: offset + text.len() as u64 },
        bytes: Some(std::sync::Arc::new(text.as_bytes().to_vec())),
        schema: None,
    }
}

fn views(hub: &Hub) -> Vec<View> {
    vec![View::new(hub.collection("a/things").unwrap())]
}

fn idle(wake: Option<Clock>) -> Pause {
    Pause { rest: Rest::Idle, wake }
}

#[test]
fn a_flush_holds_readers_back_until_it_is_published() {
    let hub = wall(Ending::Interrupted, 1 << 20);
    let mut views = views(&hub);
    let stamp = hub.begin_flush(WRITER);
    hub.observe(READER, &mut views);
    assert_eq!(views[0].floor, stamp);
    assert!(views[0].journals.is_empty());
    hub.publish(WRITER, vec![append(0, "{}\n")]);
    let now = hub.observe(READER, &mut views);
    assert_eq!(views[0].floor, now);
    assert!(now > stamp);
    assert_eq!(views[0].journals[0].head.unwrap().offset, 3);
}

#[test]
fn an_abandoned_flush_holds_nobody_back() {
    let hub = wall(Ending::Interrupted, 1 << 20);
    let mut views = views(&hub);
    for give_up in [Hub::abandon, Hub::end] {
        let stamp = hub.begin_flush(WRITER);
        give_up(&hub, WRITER);
        hub.observe(READER, &mut views);
        assert!(views[0].floor > stamp);
    }
}

#[test]
fn recent_bytes_are_kept_up_to_a_bound() {
    let hub = wall(Ending::Interrupted, 8);
    let things = hub.collection("a/things").unwrap();
    hub.publish(WRITER, vec![append(0, "{}\n")]);
    hub.publish(WRITER, vec![append(3, "[]\n")]);
    let at = |offset| JournalPosition { incarnation: 7, offset };
    let batches = hub.recent(things, 0, at(0));
    assert_eq!(batches.iter().map(|batch| batch.end.offset).collect::<Vec<_>>(), [3, 6]);
    hub.publish(WRITER, vec![append(6, "12\n")]);
    assert!(hub.recent(things, 0, at(0)).is_empty());
    assert_eq!(hub.recent(things, 0, at(3)).len(), 2);
    assert!(hub.recent(things, 0, at(9)).is_empty());
    assert!(hub.recent(things, 0, JournalPosition { incarnation: 8, offset: 3 }).is_empty());
}

#[test]
fn a_run_is_idle_when_every_task_has_looked_at_everything() {
    let hub = wall(Ending::Idle, 1 << 20);
    let mut views = views(&hub);
    hub.publish(WRITER, vec![append(0, "{}\n")]);
    hub.end(WRITER);
    hub.wait(READER, idle(None));
    assert!(!hub.is_stopped(), "the reader has not looked yet");
    hub.observe(READER, &mut views);
    hub.wait(READER, idle(Some(START.plus_ms(u64::MAX))));
    assert!(hub.is_stopped(), "documents held by a read delay do not count");
}

#[test]
fn a_source_that_will_give_more_keeps_the_run_alive() {
    let hub = wall(Ending::Idle, 1 << 20);
    hub.end(READER);
    hub.wait(WRITER, Pause { rest: Rest::Due, wake: Some(Clock(1)) });
    assert!(!hub.is_stopped());
    hub.wait(WRITER, idle(None));
    assert!(hub.is_stopped());
}

#[test]
fn an_open_transaction_does_not_wait_for_nobody() {
    let hub = wall(Ending::Idle, 1 << 20);
    assert!(hub.is_fed(READER) && !hub.is_fed(WRITER));
    hub.end(WRITER);
    assert!(!hub.is_fed(READER));
    hub.observe(READER, &mut views(&hub));
    hub.wait(READER, Pause { rest: Rest::Open, wake: None });
    assert!(!hub.is_stopped(), "its transaction is still to be committed");
}

#[test]
fn a_writer_that_pauses_calls_those_whose_transaction_is_open() {
    let hub = wall(Ending::Idle, 1 << 20);
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            hub.observe(READER, &mut views(&hub));
            hub.wait(READER, Pause { rest: Rest::Open, wake: None });
            is_done.store(true, Ordering::Release);
        });
        while !is_done.load(Ordering::Acquire) {
            hub.wait(WRITER, Pause { rest: Rest::Due, wake: Some(Clock(1)) });
        }
    });
    assert!(!hub.is_stopped());
}

#[test]
fn a_simulated_clock_jumps_to_what_is_waited_for() {
    let hub = hub(ProcessClock::simulated(START, Clock(0)), Ending::Idle, 1 << 20);
    hub.end(WRITER);
    hub.observe(READER, &mut views(&hub));
    let later = START.plus_ms(3_600_000);
    hub.wait(READER, idle(Some(later)));
    assert!(!hub.is_stopped());
    assert_eq!(hub.observe(READER, &mut views(&hub)), later);
    hub.wait(READER, idle(None));
    assert!(hub.is_stopped());
}

#[test]
fn a_run_without_tasks_left_is_over() {
    let hub = wall(Ending::Interrupted, 1 << 20);
    hub.end(WRITER);
    assert!(!hub.wait_for_end(Duration::ZERO));
    hub.end(READER);
    assert!(hub.wait_for_end(Duration::ZERO));
}
