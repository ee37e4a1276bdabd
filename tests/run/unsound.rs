//! Lines of a file that are no documents: a clear error, and nothing else happens.

use std::fs;

use super::workspace::{Workspace, rows};

pub(super) fn lines_end_a_capture_with_a_reason() {
    let workspace = Workspace::new("sightings");
    let file = workspace.path("sightings.jsonl");
    let sound = fs::read_to_string(&file).expect("the catalog has the file");
    let deep = format!("{{\"id\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let long = format!("{{\"id\":\"{}\"}}", "x".repeat(17 << 20));
    for (line, reason) in [
        (deep.as_str(), "the document is nested deeper than 127 levels"),
        (long.as_str(), "the line is longer than 16 MiB"),
        (r#"{"id":"\ud83d"}"#, "the string has half a surrogate pair"),
        (r#"{"id":"a","id":"b"}"#, "the property `id` is there twice"),
        (r#"{"count":1e400}"#, "the number is too large for a double"),
    ] {
        fs::write(&file, format!("{sound}{line}\n")).expect("the file can be written");
        let ended = workspace.tidegate(&["run", "--until-idle"]).expect_code(5);
        assert!(ended.stderr.contains(reason), "`{reason}` is not in:\n{}", ended.stderr);
        assert!(ended.stderr.len() < 4_096, "the message is short:\n{}", ended.stderr);
    }
    fs::write(&file, sound).expect("the file can be written");
    workspace.run_until_idle();
    let seen = rows(&workspace.database("out/sightings.db"), "SELECT sum(seen) > 0 FROM census");
    assert_eq!(seen, [[1]]);
}
