//! Catalogs as tests: the pages of rules, the literate suites beside this file, goldens of whole catalogs, the corpus of
//! broken ones, and sessions that see all of them.
//!
//! A suite is Markdown. Every heading with fenced files below it is one test, of this form:
//!
//! * a fence whose info is a language and a path (` ```yaml flow.yaml `) is a file of the catalog; `flow.yaml` is compiled;
//! * a comment `# error: [slug] "text"` (or `-- error` in SQL, `# warning`) at the end of a line demands such a diagnostic on that line,
//!   with that text in its message; it is cut off before the file is compiled. In the page of a rule a bare `# error` means the rule;
//! * a fence ` ```diagnostics ` (or `diagnostics human`, `diagnostics json`) holds what that renderer prints;
//! * a fence whose path begins with `dist/` holds what `build` writes there.
//!
//! The tests that a catalog itself has are run; one that fails is a diagnostic of it, too.
//!
//! A diagnostic that is neither marked nor shown fails the test. `UPDATE=1 cargo test` rewrites the fences of results.

mod compile;
mod corpus;
mod files;
mod formats;
mod goldens;
mod junit;
mod literate;
mod marks;
mod mutations;
mod pages;
mod runs;
mod sessions;

use std::collections::BTreeMap;
use std::path::Path;

use libtest_mimic::Trial;

use crate::markdown::Fence;

/// Files of a catalog by their path.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Where the paths of fences begin that hold what `build` writes.
const ARTIFACTS: &str = "dist/";

/// One test a heading, page, golden catalog and entry of the corpus, and sessions over them.
pub(crate) fn tests() -> Vec<Trial> {
    let mut trials = pages::tests();
    trials.extend(literate::tests());
    trials.extend(goldens::tests());
    trials.extend(corpus::tests());
    trials.extend(mutations::tests());
    trials.extend(formats::tests());
    trials.extend(sessions::tests());
    trials
}

/// Every catalog of the corpus, the suites and the pages of rules, in sets with names; each catalog has a name, too.
pub(crate) fn fixtures() -> Vec<(String, Vec<(String, Files)>)> {
    let mut sets = vec![("corpus".to_owned(), corpus::fixtures())];
    sets.extend(literate::fixtures());
    sets.push(("pages".to_owned(), pages::fixtures()));
    sets
}

/// Writes the files of a catalog into a directory.
pub(crate) fn write_files(directory: &Path, files: &Files) {
    for (path, bytes) in files {
        files::write(&directory.join(path), bytes);
    }
}

/// The path of a fence that is a file of a catalog.
fn file_path(fence: &Fence) -> Option<&str> {
    let path = fence.attributes.first()?;
    let is_result = fence.language == "diagnostics" || path.starts_with(ARTIFACTS);
    (!is_result).then_some(path)
}
