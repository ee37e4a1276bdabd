//! The real binary over real catalogs: results against plain computations, failures and repairs, crashes.

#![allow(clippy::indexing_slicing, reason = "tests fail by panicking")]

mod bank;
mod changes;
mod crash;
mod javascript;
mod places;
mod quakes;
mod sensors;
mod sightings;
mod unsound;
mod violation;
mod workspace;

use libtest_mimic::{Failed, Trial};

/// The trials of this module.
pub(crate) fn tests() -> Vec<Trial> {
    let trials: [(&str, fn()); 19] = [
        ("balances_agree_with_a_plain_computation", bank::balances_agree_with_a_plain_computation),
        ("modules_agree_with_a_plain_computation", bank::modules_agree_with_a_plain_computation),
        ("changes_of_transforms_act_as_documented", changes::of_transforms_act_as_documented),
        ("changes_of_bounds_act_on_later_documents", changes::of_bounds_act_on_later_documents),
        ("a_later_copy_derives_the_same", changes::a_later_copy_derives_the_same),
        ("crash_rounds_lose_and_double_nothing", crash::rounds_lose_and_double_nothing),
        ("crash_at_every_step_loses_nothing", crash::every_step_can_be_the_last),
        (
            "crash_at_every_step_of_a_reset_loses_nothing",
            crash::every_step_of_a_reset_can_be_the_last,
        ),
        ("lost_data_directory_is_refused", places::lost_data_directory_is_refused),
        ("bundle_runs_without_its_sources", places::bundle_runs_without_its_sources),
        ("second_run_on_a_data_directory_is_refused", places::second_process_is_refused),
        ("read_sees_whole_transactions_only", bank::read_sees_whole_transactions_only),
        ("quakes_agree_with_a_plain_computation", quakes::agree_with_a_plain_computation),
        ("quakes_tests_show_a_keyed_difference", quakes::tests_show_a_keyed_difference),
        ("tests_of_the_catalogs_pass", quakes::tests_of_the_catalogs_pass),
        ("fragments_are_clean_json_lines", sightings::fragments_are_clean_json_lines),
        ("unsound_lines_end_a_capture", unsound::lines_end_a_capture_with_a_reason),
        ("violation_stops_its_task_only", violation::stops_its_task_only),
        ("violation_in_a_capture_is_repaired", violation::in_a_capture_is_repaired),
    ];
    let trials = trials.into_iter().map(|(name, test)| {
        Trial::test(format!("run::{name}"), move || {
            test();
            Ok::<(), Failed>(())
        })
    });
    trials.chain(sensors::tests()).chain(javascript::tests()).collect()
}
