//! `build`: the artifacts of a catalog, written where they changed.

use std::collections::BTreeSet;
use std::path::Path;

use tidegate_compiler::dialect;
use tidegate_compiler::emit::{self, Artifacts, Emitter, Options};
use tidegate_runtime::files::{read_regular, read_whole};

use crate::args::Build;
use crate::catalog::{compile_file, show_findings};
use crate::exit::{Exit, Stop};
use crate::report::{self, plural};
use crate::source::Source;
use crate::terminal::Terminal;

/// Names the files that the last build wrote, so that the next one can remove what it no longer writes.
const LISTING: &str = ".tidegate-artifacts";
/// Bytes of that listing; of a larger one, which no build has written, nothing is removed.
const LISTING_BYTES_MAX: usize = 64 << 20;

/// Compiles and writes.
pub(crate) fn run(arguments: &Build, terminal: &Terminal) -> Result<Exit, Stop> {
    let emitters = emitters(&arguments.emit)?;
    let options = options(&arguments.target)?;
    let Source::Catalog(catalog) = Source::find(arguments.source.as_deref())? else {
        return Err(Stop::usage("a bundle is already built").help("name a catalog to build"));
    };
    let (mut compilation, _) = compile_file(&catalog)?;
    report::name_for_people(&mut compilation.sources);
    let reporting = &arguments.reporting;
    show_findings(&compilation.diagnostics, &compilation.sources, reporting.format, terminal);
    let report = report::of_compilations(std::slice::from_ref(&compilation), terminal);
    report::write(&report, &reporting.outputs)?;
    let Some(plan) = &compilation.plan else { return Ok(Exit::Findings) };
    let mut artifacts = Artifacts::new();
    for emitter in emitters {
        artifacts.extend((emitter.emit)(plan, compilation.lineage(), &options));
    }
    let changes = changes(&arguments.directory, &artifacts);
    if arguments.check {
        return Ok(show_changes(&changes, terminal));
    }
    write(&arguments.directory, &artifacts, &changes)?;
    terminal.note(&format!(
        "  Wrote {} to `{}` ({} changed, {} removed)",
        plural(artifacts.len(), "file"),
        arguments.directory.display(),
        changes.written.len(),
        changes.stale.len(),
    ));
    Ok(Exit::Fine)
}

fn emitters(names: &[String]) -> Result<Vec<&'static Emitter>, Stop> {
    if names.is_empty() {
        return Ok(emit::ALL.iter().collect());
    }
    names
        .iter()
        .map(|name| {
            emit::ALL.iter().find(|emitter| emitter.name == name).ok_or_else(|| {
                let known: Vec<_> = emit::ALL.iter().map(|emitter| emitter.name).collect();
                Stop::usage(format!("`--emit {name}` is not known"))
                    .help(format!("choose among {}", known.join(", ")))
            })
        })
        .collect()
}

fn options(targets: &[String]) -> Result<Options, Stop> {
    let targets = targets
        .iter()
        .map(|target| {
            dialect::by_name(target).ok_or_else(|| {
                let known: Vec<_> = dialect::ALL.iter().map(|dialect| dialect.name).collect();
                Stop::usage(format!("`--target {target}` is not a known SQL dialect"))
                    .help(format!("choose among {}", known.join(", ")))
            })
        })
        .collect::<Result<_, _>>()?;
    Ok(Options { targets })
}

/// What a build would do to its output directory.
#[derive(Debug, Default)]
struct Changes {
    written: Vec<String>,
    stale: Vec<String>,
}

fn changes(output: &Path, artifacts: &Artifacts) -> Changes {
    let listing = read_whole(&output.join(LISTING), LISTING_BYTES_MAX).unwrap_or_default();
    let earlier: BTreeSet<String> =
        String::from_utf8_lossy(&listing).lines().map(str::to_owned).collect();
    Changes {
        written: artifacts
            .iter()
            .filter(|(path, bytes)| {
                let old = read_regular(&output.join(path), bytes.len());
                old.ok().as_deref() != Some(bytes.as_slice())
            })
            .map(|(path, _)| path.clone())
            .collect(),
        stale: earlier
            .into_iter()
            .filter(|path| is_inside(path) && !artifacts.contains_key(path))
            .filter(|path| output.join(path).is_file())
            .collect(),
    }
}

/// Whether a path of the listing stays below the output directory, whatever somebody wrote into it.
fn is_inside(path: &str) -> bool {
    Path::new(path)
        .components()
        .all(|component| matches!(component, std::path::Component::Normal(_)))
}

fn show_changes(changes: &Changes, terminal: &Terminal) -> Exit {
    for path in &changes.written {
        terminal.line(&format!("would write {path}"));
    }
    for path in &changes.stale {
        terminal.line(&format!("would remove {path}"));
    }
    if changes.written.is_empty() && changes.stale.is_empty() { Exit::Fine } else { Exit::Findings }
}

fn write(output: &Path, artifacts: &Artifacts, changes: &Changes) -> Result<(), Stop> {
    for path in &changes.written {
        let bytes = artifacts.get(path).map(Vec::as_slice).unwrap_or_default();
        write_file(&output.join(path), bytes)?;
    }
    for path in &changes.stale {
        let path = output.join(path);
        std::fs::remove_file(&path).map_err(|error| Stop::file("remove", &path, &error))?;
    }
    let listing: String = artifacts.keys().map(|path| format!("{path}\n")).collect();
    write_file(&output.join(LISTING), listing.as_bytes())
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Stop> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(|error| Stop::file("create", parent, &error))?;
    }
    std::fs::write(path, bytes).map_err(|error| Stop::file("write", path, &error))
}
