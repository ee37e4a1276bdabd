//! Results of the passes that see one file, by the digest of its content.
//!
//! Keys are values, so a stale hit is impossible and nothing is ever invalidated; what two compilations did not touch is
//! dropped.

/// Memoised trees and specs.
#[derive(Debug, Default)]
pub struct Memo {}
