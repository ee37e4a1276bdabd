//! Committed documents of a collection, also beside a running process.

use std::path::Path;

use serde_json::Value;
use tidegate_stdlib::bundle::{Collection, Failure, Selector};

/// What to read.
#[derive(Debug, Clone)]
pub struct ReadRequest<'r> {
    /// The data directory.
    pub data: &'r Path,
    /// The collection.
    pub collection: &'r Collection,
    /// Which partitions; all when absent.
    pub partitions: Option<Selector>,
    /// One fully reduced document per key, in key order.
    pub reduce: bool,
}

/// Hands out the documents; with `reduce` in key order, else in the order of journals and offsets.
///
/// # Errors
/// When the data directory cannot be read or a document cannot be reduced; an error of `each` ends the reading.
pub fn read(
    request: &ReadRequest<'_>,
    each: &mut dyn FnMut(Value) -> std::ops::ControlFlow<()>,
) -> Result<(), Failure> {
    let _ = (request, each);
    todo!("H6")
}
