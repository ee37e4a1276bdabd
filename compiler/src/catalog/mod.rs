//! The linked catalog: every declaration of all files by name, every reference an id or `Missing`.

use crate::diag::Sink;
use crate::source::Sources;

/// All declarations, linked.
#[derive(Debug, Default)]
pub struct Catalog {}

/// Links the declarations of all files: names, duplicates and collisions, references.
pub fn link(sources: &Sources, sink: &mut Sink) -> Catalog {
    let _ = (sources, sink);
    todo!("H4")
}
