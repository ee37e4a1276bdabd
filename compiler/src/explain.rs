//! Failures at run time as diagnostics: the rule, the words and the places.

use tidegate_stdlib::bundle::Failure;

use crate::diag::Diagnostic;
use crate::source::Sources;

/// The diagnostic of a failure. A source that the failure names but that is not at hand is added to `sources` without text, so that
/// the place still shows.
pub fn explain_failure(failure: &Failure, sources: &mut Sources) -> Diagnostic {
    let _ = (failure, sources);
    todo!("H4")
}
