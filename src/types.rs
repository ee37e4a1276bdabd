//! `check --types`: what a type checker says of modules, at their places.
//!
//! The checker is a program of the user's, and it is only started when it is asked for. What it needs beside the modules (the
//! generated types, the globals, its settings) is written into a temporary directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use tidegate_compiler::Compilation;
use tidegate_compiler::diag::Diagnostic;
use tidegate_compiler::explain::{TypeError, explain_type_error};
use tidegate_compiler::source::Role;
use tidegate_compiler::typescript::file_name;
use url::Url;

use crate::exit::Stop;

const GLOBALS: &str = include_str!("../templates/typescript/globals.d.ts");
/// The program, and where projects keep it.
const CHECKER: &str = "tsc";
const PROJECT_PROGRAMS: &str = "node_modules/.bin";

/// What the type checker finds in the modules of a catalog; nothing is asked when there are none.
pub(crate) fn check(compilation: &Compilation, root: &Path) -> Result<Vec<Diagnostic>, Stop> {
    let sources = &compilation.sources;
    let modules = sources.files().filter(|(_, file)| file.role == Role::Module && file.is_present);
    let modules: Vec<PathBuf> =
        modules.filter_map(|(_, file)| file.url.to_file_path().ok()).collect();
    if modules.is_empty() {
        return Ok(Vec::new());
    }
    let Some(program) = find(root) else {
        return Err(Stop::environment("there is no type checker")
            .help("install one: npm install --save-dev typescript"));
    };
    let workshop = Workshop::new()?;
    workshop.fill(compilation, &modules)?;
    let output = Command::new(&program)
        .arg("--project")
        .arg(workshop.path.join("tsconfig.json"))
        .args(["--pretty", "false"])
        .current_dir(root)
        .output()
        .map_err(|error| Stop::file("run", &program, &error))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = parse(&text, root);
    if errors.is_empty() && !output.status.success() {
        let said = text.lines().chain(std::str::from_utf8(&output.stderr).unwrap_or("").lines());
        let said =
            said.map(str::trim).find(|line| !line.is_empty()).unwrap_or("nothing").to_owned();
        let message = format!("`{}` did not check anything: {said}", program.display());
        return Err(Stop::environment(message).help("run it by itself to see why"));
    }
    Ok(errors.iter().filter_map(|error| explain_type_error(error, sources)).collect())
}

/// The type checker of the project, else the one among the programs of the machine.
fn find(root: &Path) -> Option<PathBuf> {
    let of_projects = root.ancestors().map(|directory| directory.join(PROJECT_PROGRAMS));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let of_machine: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut places = of_projects.chain(of_machine).map(|directory| directory.join(CHECKER));
    places.find(|path| path.is_file())
}

/// A temporary directory, removed when it is dropped.
struct Workshop {
    path: PathBuf,
}

impl Workshop {
    fn new() -> Result<Self, Stop> {
        let path = std::env::temp_dir().join(format!("tidegate-types-{}", std::process::id()));
        // Of an earlier process of this number.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).map_err(|error| Stop::file("create", &path, &error))?;
        Ok(Self { path })
    }

    fn fill(&self, compilation: &Compilation, modules: &[PathBuf]) -> Result<(), Stop> {
        let checked = &compilation.checked;
        for (id, _) in checked.catalog.collections() {
            let types = checked.types(id);
            if types.reads.is_some() {
                self.write(&format!("flow/{}", file_name(&types.collection)), &types.text())?;
            }
        }
        self.write("globals.d.ts", GLOBALS)?;
        let globals = self.path.join("globals.d.ts");
        let files: Vec<&Path> =
            modules.iter().map(PathBuf::as_path).chain([globals.as_path()]).collect();
        let settings = json!({
            "compilerOptions": {
                "strict": true, "noEmit": true, "skipLibCheck": true,
                "target": "esnext", "module": "esnext", "moduleResolution": "bundler",
                "moduleDetection": "force", "allowImportingTsExtensions": true,
                "lib": ["esnext"], "types": [],
                "paths": { "flow/*": [self.path.join("flow/*")] },
            },
            "files": files,
        });
        self.write("tsconfig.json", &settings.to_string())
    }

    fn write(&self, path: &str, text: &str) -> Result<(), Stop> {
        let path = self.path.join(path);
        let parent = path.parent().unwrap_or(&self.path);
        fs::create_dir_all(parent).map_err(|error| Stop::file("create", parent, &error))?;
        fs::write(&path, text).map_err(|error| Stop::file("write", &path, &error))
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // What cannot be removed is of no use to anybody; the system clears it away.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// The errors in what the checker prints: `path(line,column): error TS1: message`, each with indented lines below it.
fn parse(text: &str, root: &Path) -> Vec<TypeError> {
    let mut errors: Vec<TypeError> = Vec::new();
    for line in text.lines() {
        if line.starts_with(' ') {
            if let Some(last) = errors.last_mut() {
                last.more.push(line.to_owned());
            }
            continue;
        }
        errors.extend(parse_line(line, root));
    }
    errors
}

fn parse_line(line: &str, root: &Path) -> Option<TypeError> {
    let (place, said) = line.split_once("): error ")?;
    let (code, message) = said.split_once(": ")?;
    let (path, place) = place.rsplit_once('(')?;
    let (row, column) = place.split_once(',')?;
    Some(TypeError {
        url: Url::from_file_path(root.join(path)).ok()?,
        line: row.parse().ok()?,
        column: column.parse().ok()?,
        code: code.to_owned(),
        message: message.to_owned(),
        more: Vec::new(),
    })
}
