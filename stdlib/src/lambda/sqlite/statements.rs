//! Splitting a block of SQL into statements, and the tokens inside.

use std::ops::Range;

use super::SqlFailure;

/// The byte range of each statement of a block, without its `;`, blanks and comments around it.
///
/// # Errors
/// A NUL byte.
pub fn split(text: &str) -> Result<Vec<Range<usize>>, SqlFailure> {
    let _ = text;
    todo!("H2")
}
