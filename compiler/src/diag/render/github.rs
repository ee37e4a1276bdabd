//! Workflow commands of GitHub Actions, which shows them beside the lines of a pull request.
//!
//! Columns are given only where a place begins and ends on one line, since GitHub shows nothing otherwise. The message
//! is followed by everything that is said of it.

use std::fmt::Write as _;

use super::{Report, words};

/// All findings, a command each.
pub fn report(report: &Report<'_>) -> String {
    let mut commands = String::new();
    for (diagnostic, sources) in report.findings() {
        let (start, end) = words::ends(diagnostic.primary.span, sources);
        let file = property(&sources.file(diagnostic.file()).name);
        let severity = diagnostic.severity.word();
        write!(commands, "::{severity} file={file},line={},endLine={}", start.line, end.line)
            .expect("a string takes text");
        if start.line == end.line {
            write!(commands, ",col={},endColumn={}", start.column, end.column)
                .expect("a string takes text");
        }
        let story = data(&words::whole_story(diagnostic, sources));
        writeln!(commands, ",title={}::{story}", property(diagnostic.rule.slug))
            .expect("a string takes text");
    }
    commands
}

/// Text after the last `::` of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
