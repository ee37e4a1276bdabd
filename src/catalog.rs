//! Compiling the source that a command was given.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidegate_compiler::diag::render::Format;
use tidegate_compiler::diag::{Diagnostic, Severity};
use tidegate_compiler::session::Session;
use tidegate_compiler::settings::Settings;
use tidegate_compiler::source::Sources;
use tidegate_compiler::world::World;
use tidegate_compiler::{Compilation, compile};
use tidegate_runtime::files::read_regular;
use tidegate_stdlib::bundle::{self, Bundle};
use tidegate_stdlib::limits::BUNDLE_FILE_SIZE_BYTES_MAX;

use crate::disk::Disk;
use crate::exit::{Exit, Stop};
use crate::report::{self, Counts};
use crate::source::{Source, request};
use crate::terminal::Terminal;

/// Something that can run, and where it comes from.
#[derive(Debug)]
pub(crate) struct Runnable {
    /// What runs.
    pub(crate) bundle: Arc<Bundle>,
    /// The sources that failures are shown in; empty for a bundle.
    pub(crate) sources: Sources,
    /// Where relative paths of endpoints start.
    pub(crate) root: PathBuf,
    /// What the project says.
    pub(crate) settings: Settings,
}

/// Compiles a catalog file, with its plan. Returns the directory of the catalog as well.
pub(crate) fn compile_file(catalog: &Path) -> Result<(Compilation, PathBuf), Stop> {
    let (request, directory) = request(catalog)?;
    Ok((compile(&Disk, &request), directory))
}

/// Looks for what is wrong with a catalog file as a world has it; there is no plan.
pub(crate) fn analyze_in(
    world: &dyn World,
    catalog: &Path,
    session: &mut Session,
) -> Result<Compilation, Stop> {
    let (request, _) = request(catalog)?;
    Ok(session.analyze(world, &request))
}

/// Compiles a source for a command that needs the plan, or reads a bundle. Findings are printed; with errors among them
/// the command ends.
pub(crate) fn runnable(
    source: Option<&Path>,
    format: Format,
    terminal: &Terminal,
) -> Result<Result<Runnable, Exit>, Stop> {
    let catalog = match Source::find(source)? {
        Source::Catalog(catalog) => catalog,
        Source::Bundle(directory) => {
            let bundle = Arc::new(read_bundle(&directory)?);
            let root = PathBuf::from(".");
            let (sources, settings) = (Sources::default(), Settings::default());
            return Ok(Ok(Runnable { bundle, sources, root, settings }));
        }
    };
    let (compilation, root) = compile_file(&catalog)?;
    show_findings(&compilation.diagnostics, &compilation.sources, format, terminal);
    let Compilation { sources, plan: Some(plan), settings, .. } = compilation else {
        return Ok(Err(Exit::Findings));
    };
    let bundle = Arc::new(plan.bundle);
    Ok(Ok(Runnable { bundle, sources, root, settings }))
}

/// Reads the bundle in a directory.
pub(crate) fn read_bundle(directory: &Path) -> Result<Bundle, Stop> {
    let read = |path: &str| read_regular(&directory.join(path), BUNDLE_FILE_SIZE_BYTES_MAX).ok();
    bundle::from_files(&read).map_err(|failure| {
        Stop::environment(format!(
            "`{}` is not a bundle that can run: {}",
            directory.join(&failure.path).display(),
            failure.message
        ))
        .help("build it again: tidegate build")
    })
}

/// Writes findings to the standard error: the standard output belongs to the command's own result.
pub(crate) fn show_findings(
    diagnostics: &[Diagnostic],
    sources: &Sources,
    format: Format,
    terminal: &Terminal,
) {
    if diagnostics.is_empty() {
        return;
    }
    let mut sources = sources.clone();
    report::name_for_people(&mut sources);
    let wanted: Vec<Diagnostic> = diagnostics
        .iter()
        .filter(|diagnostic| !terminal.is_quiet() || diagnostic.severity == Severity::Error)
        .cloned()
        .collect();
    // Lines can stand among other lines of the log; an object with a summary cannot.
    let format = if format == Format::Json { Format::Jsonl } else { format };
    let mut report =
        report::of_catalogs([(wanted.as_slice(), &sources)], Counts::default(), terminal);
    report.style = terminal.log_style();
    terminal.alert(&format.render(&report));
}
