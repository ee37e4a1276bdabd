//! `generate`: types of modules, and stubs of files that a catalog names and that are not there yet.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tidegate_compiler::Compilation;
use tidegate_compiler::diag::render::Format;
use tidegate_compiler::diag::{Applicability, Diagnostic, Severity};
use tidegate_compiler::generate::{Generated, deno_config, generate, is_missing_method, is_served};
use tidegate_compiler::session::Session;
use tidegate_compiler::typescript::GENERATED_DIRECTORY;
use tidegate_runtime::files::read_regular;
use url::Url;

use crate::args::Generate;
use crate::catalog::{analyze_in, show_findings};
use crate::exit::{Exit, Stop};
use crate::fix::Repaired;
use crate::report::{name_of_path, plural};
use crate::source::{Source, request};
use crate::terminal::Terminal;

/// Bytes of a `deno.json` that is looked at.
const CONFIG_BYTES_MAX: usize = 1 << 20;
/// Methods that are added at most; of a module, one is added at a time.
const ROUNDS_MAX: usize = 1_000;

/// Writes what is missing or out of date.
pub(crate) fn run(arguments: &Generate, terminal: &Terminal) -> Result<Exit, Stop> {
    let Source::Catalog(catalog) = Source::find(arguments.source.as_deref())? else {
        return Err(Stop::usage("a bundle has no sources").help("name a catalog"));
    };
    let mut repaired = Repaired::default();
    let Compilation { checked, sources, diagnostics, .. } = add_methods(&catalog, &mut repaired)?;
    let (request, _) = request(&catalog)?;
    let root = request.root.to_file_path().unwrap_or_default();
    let generated = generate(&checked, &sources, &request.root);
    let left = diagnostics.into_iter().filter(|it| !is_served(it, &sources, &generated));
    let left: Vec<Diagnostic> = left.collect();
    let mut files = below(&root, generated);
    files.retain(|path, text| read(path, text.len()).as_deref() != Some(text.as_str()));
    show_findings(&left, &sources, Format::Human, terminal);
    let has_errors = left.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    if arguments.check {
        for path in files.keys() {
            terminal.line(&format!("would write {}", name_of_path(path)));
        }
        for path in repaired.changed_paths() {
            terminal.line(&format!("would add methods to {}", name_of_path(&path)));
        }
        let is_current = files.is_empty() && repaired.applied == 0;
        return Ok(if is_current && !has_errors { Exit::Fine } else { Exit::Findings });
    }
    for (path, text) in &files {
        write(path, text)?;
        terminal.note(&format!("  Wrote {}", name_of_path(path)));
    }
    repaired.write()?;
    let (written, added) = (plural(files.len(), "file"), plural(repaired.applied, "method"));
    terminal.note(&format!("  {written} written, {added} added"));
    Ok(if has_errors { Exit::Findings } else { Exit::Fine })
}

/// Adds methods that are missing, in memory, and gives what is found then.
fn add_methods(catalog: &Path, repaired: &mut Repaired) -> Result<Compilation, Stop> {
    let mut session = Session::default();
    for _ in 0..ROUNDS_MAX {
        let compilation = analyze_in(repaired, catalog, &mut session)?;
        let missing = compilation.diagnostics.iter().filter(|it| is_missing_method(it));
        let missing: Vec<Diagnostic> = missing.cloned().collect();
        if repaired.apply(&missing, &compilation.sources, Applicability::Unsafe)? == 0 {
            return Ok(compilation);
        }
    }
    analyze_in(repaired, catalog, &mut session)
}

/// The texts of files below the root of the project: ours as they should be, stubs of those that are not there.
fn below(root: &Path, generated: BTreeMap<Url, Generated>) -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    for (url, generated) in generated {
        let Some(path) = url.to_file_path().ok().filter(|path| path.starts_with(root)) else {
            continue;
        };
        match generated {
            Generated::Owned(text) => {
                files.insert(path, text);
            }
            Generated::Stub(text) if std::fs::symlink_metadata(&path).is_err() => {
                files.insert(path, text);
            }
            Generated::Stub(_) => {}
        }
    }
    if files.keys().any(|path| path.starts_with(root.join(GENERATED_DIRECTORY))) {
        let path = root.join("deno.json");
        let existing = read(&path, CONFIG_BYTES_MAX);
        if existing.is_some() || std::fs::symlink_metadata(&path).is_err() {
            files.extend(deno_config(existing.as_deref()).map(|text| (path, text)));
        }
    }
    files
}

/// The text of a file, if it is one of at most so many bytes.
fn read(path: &Path, bytes_max: usize) -> Option<String> {
    String::from_utf8(read_regular(path, bytes_max).ok()?).ok()
}

fn write(path: &Path, text: &str) -> Result<(), Stop> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(|error| Stop::file("create", parent, &error))?;
    }
    std::fs::write(path, text).map_err(|error| Stop::file("write", path, &error))
}
