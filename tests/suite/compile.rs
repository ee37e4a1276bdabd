//! Compiling files held in memory.

use std::collections::BTreeMap;

use tidegate_compiler::diag::render::concise;
use tidegate_compiler::session::Session;
use tidegate_compiler::world::MemoryWorld;
use tidegate_compiler::{Compilation, Request};
use url::Url;

/// Where the catalog of a test lies.
const ROOT: &str = "file:///catalog/";

/// Compiles the catalog that `flow.yaml` (or `flow.json`) among the files begins.
pub(super) fn compile_files(files: &BTreeMap<String, Vec<u8>>) -> Compilation {
    compile_in(&mut Session::default(), files)
}

/// Compiles it in a session that may have compiled something else before.
pub(super) fn compile_in(session: &mut Session, files: &BTreeMap<String, Vec<u8>>) -> Compilation {
    let root = Url::parse(ROOT).expect("this is a URL");
    let place = |path: &str| root.join(path).expect("paths of tests are relative URLs");
    let mut world = MemoryWorld::default();
    for (path, bytes) in files {
        world.insert(&place(path), bytes);
    }
    let entry = if files.contains_key("flow.json") { "flow.json" } else { "flow.yaml" };
    let request = Request { entry: place(entry), root: root.clone() };
    session.compile(&world, &request)
}

/// What `check --format concise` prints.
pub(super) fn concise_text(compilation: &Compilation) -> String {
    concise::render(&compilation.diagnostics, &compilation.sources)
}
