//! The Tidegate compiler: from the files of a catalog to checked specifications, a plan and artifacts.
//!
//! Three passes see one file (read, parse, bind), five see the catalog (load, link, check, trace, plan), and one list of
//! emitters writes it down. Every pass is a function of its input and a [`diag::Sink`]; a user's mistake is a diagnostic,
//! never an `Err`. The crate has no IO: bytes come through the trait [`world::World`].

pub mod catalog;
pub mod check;
pub mod diag;
pub mod dialect;
pub mod emit;
pub mod explain;
pub mod limits;
pub mod lineage;
pub mod load;
pub mod memo;
pub mod model;
pub mod plan;
pub mod settings;
pub mod source;
pub mod syntax;
pub mod world;

use url::Url;

use catalog::Catalog;
use check::{Checked, Valid};
use diag::{Diagnostic, Sink};
use lineage::Lineage;
use memo::Memo;
use plan::Plan;
use source::Sources;
use world::World;

/// What to compile.
#[derive(Debug, Clone)]
pub struct Request {
    /// The catalog file to begin with.
    pub entry: Url,
    /// The directory that paths in bundles and messages are relative to; it ends in `/`.
    pub root: Url,
}

/// Everything the passes produced; later ones are absent when an error stands in their way.
#[derive(Debug)]
pub struct Compilation {
    /// The files of the catalog.
    pub sources: Sources,
    /// The linked and checked catalog.
    pub checked: Checked,
    /// The graph of tasks and collections.
    pub lineage: Lineage,
    /// What would run; absent when there are errors, or nobody asked for it.
    pub plan: Option<Plan>,
    /// All diagnostics in order of file, place, severity and rule.
    pub diagnostics: Vec<Diagnostic>,
}

/// Compiles a catalog. Never fails: what is wrong is in the diagnostics.
pub fn compile(world: &dyn World, request: &Request, memo: &mut Memo) -> Compilation {
    run_passes(world, request, memo, LastPass::Plan)
}

/// Finds what is wrong with a catalog: all but the plan, which nobody needs for that.
pub fn analyze(world: &dyn World, request: &Request, memo: &mut Memo) -> Compilation {
    run_passes(world, request, memo, LastPass::Lineage)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LastPass {
    Lineage,
    Plan,
}

fn run_passes(
    world: &dyn World,
    request: &Request,
    memo: &mut Memo,
    last: LastPass,
) -> Compilation {
    let mut sink = Sink::default();
    let mut sources = load::load(world, &request.entry, &request.root, memo, &mut sink);
    let settings = settings::load(world, &request.root, &mut sources, &mut sink);
    let loaded = sink.mark();
    let catalog: Catalog = catalog::link(&sources, &mut sink);
    let checked = check::check(catalog, &sources, &mut sink);
    let lineage = lineage::trace(&checked, &mut sink);
    // What a mistake of syntax has cost would show as further mistakes: in its file, and as names that lead nowhere.
    let is_whole = sources.files().all(|(_, file)| file.is_whole());
    sink.retain_after(loaded, |diagnostic| {
        is_whole
            || diagnostic.rule.pass == "check"
                && diagnostic.places().all(|place| sources.file(place.file).is_whole())
    });
    sink.apply_allowances(&sources);
    settings.apply(&mut sink);
    let valid = Valid::new(&checked, &sink).filter(|_| last == LastPass::Plan);
    let plan = valid.map(|valid| plan::plan(valid, &sources));
    let diagnostics = sink.finish(&sources);
    Compilation { sources, checked, lineage, plan, diagnostics }
}
