//! A session that has seen other versions of a catalog finds what a new session finds.

use libtest_mimic::{Failed, Trial};
use tidegate_compiler::session::Session;

use super::compile::{compile_files, compile_in, concise_text};
use super::{Files, files};

const CATALOGS: &str = "testdata/catalogs";
const EXPECTED: &str = "expect";
/// Of a file, every so many lines are taken out, one at a time.
const STRIDE: usize = 5;

/// One test for each whole catalog, and one for each set of fixtures.
pub(super) fn tests() -> Vec<Trial> {
    let mut trials = Vec::new();
    for path in files::entries(&files::directory(CATALOGS)) {
        let name = files::name(&path).to_owned();
        trials.push(Trial::test(format!("session::{name}"), move || {
            edit(&files::below(&path, EXPECTED))
        }));
    }
    for (name, catalogs) in super::fixtures() {
        trials.push(Trial::test(format!("session::{name}"), move || {
            follow(catalogs.into_iter().map(|(_, files)| files))
        }));
    }
    trials
}

/// Compiles each version in one session.
fn follow(versions: impl IntoIterator<Item = Files>) -> Result<(), Failed> {
    let mut session = Session::default();
    for (number, files) in (1..).zip(versions) {
        compare(&mut session, &files).map_err(|problem| format!("version {number}: {problem}"))?;
    }
    Ok(())
}

/// Shifts every file by a line, then takes lines out and puts them back.
fn edit(files: &Files) -> Result<(), Failed> {
    let mut session = Session::default();
    compare(&mut session, files)?;
    for (path, bytes) in files {
        let text = String::from_utf8_lossy(bytes);
        let mut shifted = files.clone();
        shifted.insert(path.clone(), format!("\n{text}").into_bytes());
        compare(&mut session, &shifted).map_err(|problem| format!("{path} shifted: {problem}"))?;
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        for line in (0..lines.len()).step_by(STRIDE) {
            let kept = lines.iter().enumerate().filter(|(index, _)| *index != line);
            let mut edited = files.clone();
            let without: String = kept.map(|(_, text)| *text).collect();
            edited.insert(path.clone(), without.into_bytes());
            compare(&mut session, &edited)
                .map_err(|problem| format!("{path} without line {}: {problem}", line + 1))?;
        }
    }
    compare(&mut session, files)?;
    Ok(())
}

fn compare(session: &mut Session, files: &Files) -> Result<(), String> {
    let (fresh, again) = (compile_files(files), compile_in(session, files));
    if fresh.diagnostics != again.diagnostics {
        let (fresh, again) = (concise_text(&fresh), concise_text(&again));
        return Err(format!("a new session finds\n{fresh}but this one\n{again}"));
    }
    if format!("{:?}", fresh.plan) != format!("{:?}", again.plan) {
        return Err("the plan is another than that of a new session".to_owned());
    }
    Ok(())
}
