//! The only state of the compiler: what it remembers from one compilation to the next.
//!
//! A session belongs to one catalog. It may be asked again after any change of the world; what did not change is not read, parsed or
//! checked again, and the result is that of a new session.

use std::sync::{Arc, OnceLock};

use crate::catalog::link;
use crate::check::{CheckMemo, Valid, check};
use crate::diag::Sink;
use crate::lineage::report_unused;
use crate::load::load;
use crate::memo::Memo;
use crate::plan::plan;
use crate::settings;
use crate::world::World;
use crate::{Compilation, Request};

/// What is remembered of a catalog, and what was found last.
#[derive(Debug, Default)]
pub struct Session {
    files: Memo,
    checks: CheckMemo,
}

/// A catalog as it was at one moment. It never changes, so that many may look at it while the next one is made.
#[derive(Debug)]
pub struct Snapshot {
    /// What was compiled.
    pub request: Request,
    /// What came of it; there is no plan.
    pub compilation: Compilation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LastPass {
    Check,
    Plan,
}

impl Session {
    /// Finds what is wrong with the catalog as the world has it now.
    pub fn analyze(&mut self, world: &dyn World, request: &Request) -> Compilation {
        self.run_passes(world, request, LastPass::Check)
    }

    /// The same, and the plan when nothing is wrong.
    pub fn compile(&mut self, world: &dyn World, request: &Request) -> Compilation {
        self.run_passes(world, request, LastPass::Plan)
    }

    /// What is wrong with the catalog, as a value that can be shared.
    pub fn snapshot(&mut self, world: &dyn World, request: &Request) -> Arc<Snapshot> {
        let compilation = self.analyze(world, request);
        Arc::new(Snapshot { request: request.clone(), compilation })
    }

    /// Every pass up to `last`, in order.
    fn run_passes(&mut self, world: &dyn World, request: &Request, last: LastPass) -> Compilation {
        let mut sink = Sink::default();
        let (entry, root) = (&request.entry, &request.root);
        let (mut sources, outside) = load(world, entry, root, &mut self.files, &mut sink);
        let settings = settings::load(world, root, &mut sources, &mut sink);
        let directory = |path: &String| root.join(&format!("{}/", path.trim_end_matches('/'))).ok();
        let roots: Vec<_> = settings.roots.iter().filter_map(directory).collect();
        outside.report(&roots, &mut sink);
        let loaded = sink.mark();
        let catalog = link(&sources, &mut sink);
        let checked = check(catalog, &sources, &mut self.checks, &mut sink);
        report_unused(&checked.catalog, &mut sink);
        let has_module = |task: &str| checked.catalog.has_module(task);
        settings.report_unknown_tasks(&checked.catalog.tasks(), has_module, &mut sink);
        // What a mistake of syntax has cost would show as further mistakes: in its file, and as names that lead nowhere.
        let is_whole = sources.files().all(|(_, file)| file.is_whole());
        sink.retain_after(loaded, |diagnostic| {
            is_whole
                || diagnostic.rule.pass == "check"
                    && diagnostic.places().all(|place| sources.file(place.file).is_whole())
        });
        sink.apply_allowances(&sources);
        let hints = settings.apply(&mut sink);
        let valid = Valid::new(&checked, &sink).filter(|_| last == LastPass::Plan);
        let plan = valid.map(|valid| plan(valid, &sources));
        let diagnostics = sink.finish(&sources);
        let lineage = OnceLock::new();
        Compilation { sources, checked, lineage, plan, settings, diagnostics, hints }
    }
}
