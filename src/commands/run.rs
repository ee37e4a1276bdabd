//! `run`: a catalog or a bundle, until interrupted or idle.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tidegate_compiler::diag::nearest;
use tidegate_compiler::diag::render::json::SCHEMA_VERSION;
use tidegate_compiler::explain::explain_failure;
use tidegate_compiler::settings::{Settings, size_bytes};
use tidegate_compiler::source::Sources;
use tidegate_runtime::engine::{self, Ingest, RunRequest, TaskReport};
use tidegate_runtime::files::read_whole;
use tidegate_runtime::limits::INPUT_BYTES_MAX;
use tidegate_runtime::{Failure, store};
use tidegate_stdlib::bundle::{Bundle, Endpoint, LocalProcess, Task, TaskKind};

use crate::args::{Durability, ResultFormat, Run};
use crate::catalog::{Runnable, runnable, show_findings};
use crate::exit::{Exit, Stop};
use crate::programs::find_programs;
use crate::progress::Progress;
use crate::report::plural;
use crate::terminal::Terminal;

/// Where journals and state are kept unless told otherwise.
const DATA_DIRECTORY: &str = "tidegate-data";
/// The least memory that a run can do with.
const MEMORY_BYTES_MIN: usize = 16 << 20;
/// How much memory is used unless told otherwise.
const MEMORY_BYTES: usize = 1 << 30;

/// Runs.
pub(crate) fn run(arguments: &Run, terminal: &Terminal) -> Result<Exit, Stop> {
    let source = arguments.source.as_deref();
    let Runnable { bundle, mut sources, root, settings } =
        match runnable(source, arguments.format.into(), terminal)? {
            Ok(runnable) => runnable,
            Err(exit) => return Ok(exit),
        };
    let root = arguments.root.clone().unwrap_or(root);
    if arguments.dry_run {
        show_endpoints(&bundle, arguments.format, terminal);
        return Ok(Exit::Fine);
    }
    let request = request(arguments, &settings, bundle, root, terminal)?;
    let stop = Arc::new(AtomicBool::new(false));
    stop_when_interrupted(&stop);
    let progress = Progress::new(terminal);
    let result = engine::run(&request, &progress, &stop);
    remove_temporary_data(arguments, &request);
    let elapsed = progress.elapsed();
    let failures = progress.finish();
    let reports = match result {
        Ok(reports) => reports,
        Err(failure) => {
            show_failures(std::slice::from_ref(&failure), &mut sources, arguments.format, terminal);
            let is_environment = failure.kind.is_environment();
            return Ok(if is_environment { Exit::Environment } else { Exit::TaskFailed });
        }
    };
    show_failures(&failures, &mut sources, arguments.format, terminal);
    show_reports(&reports, elapsed, arguments.format, terminal);
    if reports.iter().any(|report| report.failed.is_some()) {
        return Ok(Exit::TaskFailed);
    }
    Ok(if stop.load(Ordering::Relaxed) { Exit::Interrupted } else { Exit::Fine })
}

fn request(
    arguments: &Run,
    settings: &Settings,
    bundle: Arc<Bundle>,
    root: PathBuf,
    terminal: &Terminal,
) -> Result<RunRequest, Stop> {
    let only = known_tasks(&arguments.tasks, &bundle)?;
    let restart = known_tasks(&arguments.restart, &bundle)?;
    warn_of_republishing(&restart, &bundle, terminal);
    let ingest = arguments
        .ingest
        .iter()
        .map(|text| ingest(text, arguments.again, &bundle))
        .collect::<Result<_, _>>()?;
    let fixture = arguments.fixture.as_deref().map(read_fixture).transpose()?;
    let data = match (&arguments.data, &fixture) {
        (Some(data), _) => data.clone(),
        (None, None) => PathBuf::from(settings.run.data.as_deref().unwrap_or(DATA_DIRECTORY)),
        (None, Some(_)) => temporary_data(),
    };
    let is_wanted = |task: &str| only.is_empty() || only.contains(task);
    let programs = find_programs(&bundle, arguments.js, settings, is_wanted)?;
    Ok(RunRequest {
        bundle,
        programs,
        data,
        root,
        until_idle: arguments.until_idle || fixture.is_some(),
        only,
        ingest,
        fixture,
        skip_materializations: arguments.no_materialize,
        restart,
        durability: match arguments.durability {
            Durability::Full => store::Durability::Full,
            Durability::Normal => store::Durability::Normal,
            Durability::Off => store::Durability::Off,
        },
        memory_bytes: memory_bytes(arguments.memory.as_deref(), settings.run.memory_bytes)?,
    })
}

/// The text of a fixture.
pub(super) fn read_fixture(path: &Path) -> Result<Arc<str>, Stop> {
    let text = read_whole(path, INPUT_BYTES_MAX)
        .and_then(|bytes| {
            String::from_utf8(bytes).map_err(|_| std::io::Error::other("it is not UTF-8"))
        })
        .map_err(|error| Stop::file("read", path, &error))?;
    Ok(text.into())
}

fn known_tasks(names: &[String], bundle: &Bundle) -> Result<BTreeSet<String>, Stop> {
    let known: BTreeSet<&str> = bundle.tasks.keys().map(|task| task.name.as_str()).collect();
    for name in names {
        if !known.contains(name.as_str()) {
            return Err(unknown("task", name, known.iter().copied()));
        }
    }
    Ok(names.iter().cloned().collect())
}

/// A name that nothing has, with a similar one.
pub(super) fn unknown<'n>(noun: &str, name: &str, known: impl Iterator<Item = &'n str>) -> Stop {
    let stop = Stop::usage(format!("the catalog has no {noun} `{name}`"));
    match nearest(name, known) {
        Some(near) => stop.help(format!("a {noun} of a similar name exists: `{near}`")),
        None => stop,
    }
}

fn ingest(text: &str, again: bool, bundle: &Bundle) -> Result<Ingest, Stop> {
    let (collection, path) = text.split_once('=').ok_or_else(|| {
        Stop::usage(format!("`--ingest {text}` names no file"))
            .help("write --ingest COLLECTION=FILE")
    })?;
    if !bundle.collections.contains_key(collection) {
        return Err(unknown(
            "collection",
            collection,
            bundle.collections.keys().map(String::as_str),
        ));
    }
    let path = PathBuf::from(path);
    let text = if path == Path::new("-") {
        let limit = u64::try_from(INPUT_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
        let mut text = Vec::new();
        std::io::stdin()
            .lock()
            .take(limit)
            .read_to_end(&mut text)
            .map_err(|error| Stop::file("read", Path::new("standard input"), &error))?;
        if text.len() > INPUT_BYTES_MAX {
            return Err(Stop::usage("the standard input is larger than 1 GiB")
                .help("write it into a file, which is read as it comes"));
        }
        Some(text.into())
    } else {
        None
    };
    Ok(Ingest { collection: collection.to_owned(), path, text, again })
}

/// What a task has published stays where it is when it starts over.
fn warn_of_republishing(restart: &BTreeSet<String>, bundle: &Bundle, terminal: &Terminal) {
    for name in bundle.tasks.keys().filter(|name| restart.contains(&name.name)) {
        if name.kind != TaskKind::Materialization {
            terminal.note(&format!(
                "{name} starts over: what it published stays and is published once more"
            ));
        }
    }
}

/// The memory that the command line asks for, or else the project.
fn memory_bytes(argument: Option<&str>, setting: Option<usize>) -> Result<usize, Stop> {
    let bytes = match argument {
        None => setting.unwrap_or(MEMORY_BYTES),
        Some(text) => size_bytes(text).ok_or_else(|| {
            Stop::usage(format!("`{text}` is not a size"))
                .help("write a size such as 512MiB or 2GiB")
        })?,
    };
    if bytes < MEMORY_BYTES_MIN {
        return Err(Stop::usage(format!("{bytes} bytes are too little memory for a run"))
            .help("give it at least 16MiB"));
    }
    Ok(bytes)
}

fn temporary_data() -> PathBuf {
    std::env::temp_dir().join(format!("tidegate-fixture-{}", std::process::id()))
}

/// A fixture without `--data` leaves nothing behind.
fn remove_temporary_data(arguments: &Run, request: &RunRequest) {
    if arguments.data.is_none() && request.fixture.is_some() {
        // What cannot be removed is in the system's own directory for such files.
        let _ = std::fs::remove_dir_all(&request.data);
    }
}

/// The first interrupt finishes the transaction, a second one ends the process at once (which loses nothing either: what was
/// not committed is read again).
fn stop_when_interrupted(stop: &Arc<AtomicBool>) {
    let stop = Arc::clone(stop);
    // Without a handler an interrupt kills the process, which the store survives as well.
    let _ = ctrlc::set_handler(move || {
        if stop.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
    });
}

fn show_endpoints(bundle: &Bundle, format: ResultFormat, terminal: &Terminal) {
    let mut endpoints = Vec::new();
    for (name, task) in &bundle.tasks {
        let (endpoint, direction) = match task {
            Task::Capture(capture) => (&capture.endpoint, "reads"),
            Task::Materialization(materialization) => (&materialization.endpoint, "writes"),
            Task::Derivation(_) => continue,
        };
        let (place, image, path, command) = match endpoint {
            Endpoint::Connector { image, config } => {
                let path = config.plain().and_then(|config| config.get("path")?.as_str());
                let place = path.map_or_else(|| image.clone(), |path| format!("{image} `{path}`"));
                (place, Some(image), path, None)
            }
            Endpoint::Local(LocalProcess { command, .. }) => {
                (format!("the process `{}`", command.join(" ")), None, None, Some(command))
            }
        };
        if is_for_machines(format) {
            endpoints.push(json!({
                "name": name.name, "kind": name.kind, "direction": direction,
                "image": image, "path": path, "command": command,
            }));
        } else {
            terminal.line(&format!("{name} {direction} {place}"));
        }
    }
    if is_for_machines(format) {
        let result = json!({"schema_version": SCHEMA_VERSION, "endpoints": endpoints});
        terminal.line(&result.to_string());
    }
}

const fn is_for_machines(format: ResultFormat) -> bool {
    matches!(format, ResultFormat::Json | ResultFormat::Jsonl)
}

fn show_failures(
    failures: &[Failure],
    sources: &mut Sources,
    format: ResultFormat,
    terminal: &Terminal,
) {
    let diagnostics: Vec<_> =
        failures.iter().map(|failure| explain_failure(failure, sources)).collect();
    show_findings(&diagnostics, sources, format.into(), terminal);
}

fn show_reports(
    reports: &[TaskReport],
    elapsed: Duration,
    format: ResultFormat,
    terminal: &Terminal,
) {
    if is_for_machines(format) {
        let tasks: Vec<_> = reports
            .iter()
            .map(|report| {
                json!({
                    "name": report.name, "kind": report.kind, "documents_in": report.documents_in,
                    "documents_out": report.documents_out, "transactions": report.transactions,
                    "failed": report.failed,
                })
            })
            .collect();
        let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let result = json!({
            "schema_version": SCHEMA_VERSION, "tasks": tasks, "elapsed_ms": milliseconds,
        });
        return terminal.line(&result.to_string());
    }
    let width = reports
        .iter()
        .map(|report| report.name.chars().count() + report.kind.word().len() + 1)
        .max()
        .unwrap_or_default();
    for report in reports {
        let mark =
            if report.failed.is_some() { terminal.cross_mark() } else { terminal.check_mark() };
        let name = format!("{} {}", report.kind.word(), report.name);
        terminal.line(&format!(
            "  {mark} {name:width$}  {:>9} in  {:>9} out  {}",
            report.documents_in,
            report.documents_out,
            plural(usize::try_from(report.transactions).unwrap_or(usize::MAX), "transaction"),
        ));
    }
    terminal.note(&format!("  in {:.1} s", elapsed.as_secs_f64()));
}
