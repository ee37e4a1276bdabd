//! The temporary directory of a type checker.

use std::fs;
use std::path::{Component, Path, PathBuf};

use serde_json::json;
use tidegate_compiler::Compilation;
use tidegate_compiler::explain::TypedModule;
use tidegate_compiler::typescript::file_name;
use url::Url;

use crate::exit::Stop;

const GLOBALS: &str = include_str!("../../templates/typescript/globals.d.ts");

/// A temporary directory, removed when it is dropped.
#[derive(Debug)]
pub(super) struct Workshop {
    pub(super) path: PathBuf,
}

impl Workshop {
    pub(super) fn new() -> Result<Self, Stop> {
        let path = std::env::temp_dir().join(format!("tidegate-types-{}", std::process::id()));
        // Of an earlier process of this number.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).map_err(|error| Stop::file("create", &path, &error))?;
        let path = path.canonicalize().map_err(|error| Stop::file("open", &path, &error))?;
        Ok(Self { path })
    }

    /// Writes what a checker needs, and gives the file of each module.
    pub(super) fn fill(
        &self,
        compilation: &Compilation,
        modules: &[TypedModule],
    ) -> Result<Vec<PathBuf>, Stop> {
        let checked = &compilation.checked;
        for (id, _) in checked.catalog.collections() {
            let types = checked.types(id);
            if types.reads.is_some() {
                let path = self.path.join("flow").join(file_name(&types.collection));
                write(&path, &types.text())?;
            }
        }
        write(&self.globals(), GLOBALS)?;
        let mut paths = Vec::new();
        for (index, module) in modules.iter().enumerate() {
            let path = module.url.to_file_path().unwrap_or_default();
            if module.is_inline {
                let path = self.stand_in(&path, index);
                write(&path, &module.source.script.text)?;
                paths.push(path);
            } else {
                paths.push(path);
            }
        }
        Ok(paths)
    }

    /// Writes the settings for `tsc`, and gives their file.
    pub(super) fn settings_of_tsc(&self, modules: &[PathBuf]) -> Result<PathBuf, Stop> {
        let globals = self.globals();
        let files: Vec<&Path> =
            modules.iter().map(PathBuf::as_path).chain([globals.as_path()]).collect();
        let settings = json!({
            "compilerOptions": {
                "strict": true, "noEmit": true, "skipLibCheck": true,
                "target": "esnext", "module": "esnext", "moduleResolution": "bundler",
                "moduleDetection": "force", "allowImportingTsExtensions": true,
                "lib": ["esnext"], "types": [],
                "paths": { "flow/*": [self.path.join("flow/*")] },
                // What a module in a catalog file imports is looked for where that file is.
                "rootDirs": [self.inline(), "/"],
            },
            "files": files,
        });
        let path = self.path.join("tsconfig.json");
        write(&path, &settings.to_string())?;
        Ok(path)
    }

    /// Writes the settings for `deno`, and gives their file.
    pub(super) fn settings_of_deno(&self) -> Result<PathBuf, Stop> {
        let inline = Url::from_directory_path(self.inline()).map(String::from);
        let settings = json!({
            "imports": { "flow/": "./flow/", inline.unwrap_or_default(): "file:///" },
            "compilerOptions": {
                "strict": true, "lib": ["esnext"], "types": ["./globals.d.ts"],
            },
        });
        let path = self.path.join("deno.json");
        write(&path, &settings.to_string())?;
        Ok(path)
    }

    fn globals(&self) -> PathBuf {
        self.path.join("globals.d.ts")
    }

    /// A copy of the whole disk, as far as modules are written in catalog files.
    fn inline(&self) -> PathBuf {
        self.path.join("inline")
    }

    /// The file in that copy for a module in a catalog file.
    fn stand_in(&self, catalog: &Path, index: usize) -> PathBuf {
        let directory = catalog.parent().unwrap_or(catalog);
        let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
        let below = directory.components().filter(|part| matches!(part, Component::Normal(_)));
        let mut path = self.inline();
        path.extend(below);
        path.join(format!("tidegate-inline-{index}.ts"))
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // What cannot be removed is of no use to anybody; the system clears it away.
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn write(path: &Path, text: &str) -> Result<(), Stop> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).map_err(|error| Stop::file("create", parent, &error))?;
    fs::write(path, text).map_err(|error| Stop::file("write", path, &error))
}
