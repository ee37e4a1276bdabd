//! The Tidegate compiler: from the files of a catalog to checked specifications, a plan and artifacts.
//!
//! Three passes see one file (read, parse, bind), five see the catalog (load, link, check, trace, plan), and one list of
//! emitters writes it down. Every pass is a function of its input and a [`diag::Sink`]; a user's mistake is a diagnostic,
//! never an `Err`. The crate has no IO: bytes come through the trait [`world::World`].

pub mod catalog;
pub mod check;
pub mod diag;
pub mod dialect;
pub mod dump;
pub mod emit;
pub mod explain;
pub mod generate;
pub mod ide;
pub mod limits;
pub mod lineage;
pub mod load;
pub mod memo;
pub mod model;
pub mod plan;
pub mod session;
pub mod settings;
pub mod source;
pub mod syntax;
pub mod typescript;
pub mod world;

use std::sync::OnceLock;

use url::Url;

use check::Checked;
use diag::{Diagnostic, Severity, Sink};
use lineage::Lineage;
use plan::Plan;
use session::Session;
use settings::Settings;
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
    lineage: OnceLock<Lineage>,
    /// What would run; absent when there are errors, or nobody asked for it.
    pub plan: Option<Plan>,
    /// The settings of the project.
    pub settings: Settings,
    /// All diagnostics in order of file, place, severity and rule.
    pub diagnostics: Vec<Diagnostic>,
    /// What is only reported on request: what could not be proved, and advice.
    pub hints: Vec<Diagnostic>,
}

impl Compilation {
    /// Takes what is only reported on request among the diagnostics, as errors.
    pub fn demand_hints(&mut self) {
        let mut sink = Sink::default();
        let hints = std::mem::take(&mut self.hints).into_iter();
        let errors = hints.map(|hint| Diagnostic { severity: Severity::Error, ..hint });
        let all = std::mem::take(&mut self.diagnostics).into_iter().chain(errors);
        all.for_each(|diagnostic| sink.report(diagnostic));
        self.diagnostics = sink.finish(&self.sources);
    }

    /// The graph of tasks and collections, which is traced when it is asked for.
    pub fn lineage(&self) -> &Lineage {
        self.lineage.get_or_init(|| lineage::trace(&self.checked))
    }
}

/// Compiles a catalog once. Never fails: what is wrong is in the diagnostics.
pub fn compile(world: &dyn World, request: &Request) -> Compilation {
    Session::default().compile(world, request)
}

/// Finds what is wrong with a catalog: all but the plan, which nobody needs for that.
pub fn analyze(world: &dyn World, request: &Request) -> Compilation {
    Session::default().analyze(world, request)
}
