//! For machines: the JSON objects of the command line's contract.

use serde_json::Value;

use crate::diag::Diagnostic;
use crate::source::Sources;

/// One diagnostic as a JSON object (`rule`, `severity`, `message`, `file`, `pointer`, `range`, `labels`, `notes`, `help`, `fix`).
pub fn diagnostic(diagnostic: &Diagnostic, sources: &Sources) -> Value {
    let _ = (diagnostic, sources);
    todo!("H3")
}
