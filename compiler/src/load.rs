//! The pass from an entry to all files of the catalog: imports, schemas and their references, lambdas, migrations,
//! configs, fixtures.
//!
//! Reports files that cannot be read, are too large or not UTF-8, mistakes of syntax and of binding. Import cycles are legal: a
//! resource is read once, identified by its URL.

use url::Url;

use crate::diag::Sink;
use crate::memo::Memo;
use crate::source::Sources;
use crate::world::World;

/// Loads the catalog that begins with `entry`; names of files are relative to `root`.
pub fn load(
    world: &dyn World,
    entry: &Url,
    root: &Url,
    memo: &mut Memo,
    sink: &mut Sink,
) -> Sources {
    let _ = (world, entry, root, memo, sink);
    todo!("H3")
}
