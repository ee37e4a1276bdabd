//! What a SOURCE on the command line means: a catalog file, a directory with one, or a compiled bundle.

use std::path::{Path, PathBuf};

use tidegate_compiler::Request;
use url::Url;

use crate::exit::Stop;

/// What a file is called that begins a catalog.
pub(crate) const CATALOG_NAMES: [&str; 2] = ["flow.yaml", "flow.json"];

/// A catalog or a bundle on disk.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// The catalog file to begin with.
    Catalog(PathBuf),
    /// The directory of a bundle, the one that holds the manifest.
    Bundle(PathBuf),
}

impl Source {
    /// The source that `argument` names; without it the nearest catalog from the working directory upward.
    pub(crate) fn find(argument: Option<&Path>) -> Result<Self, Stop> {
        let Some(path) = argument else { return nearest_catalog().map(Self::Catalog) };
        let metadata = std::fs::metadata(path).map_err(|error| Stop::file("open", path, &error))?;
        let manifest = tidegate_stdlib::bundle::MANIFEST_PATH;
        if metadata.is_file() && path.ends_with(manifest) {
            return Ok(Self::Bundle(path.parent().unwrap_or(Path::new(".")).to_path_buf()));
        }
        if metadata.is_file() {
            return Ok(Self::Catalog(path.to_path_buf()));
        }
        if let Some(catalog) = catalog_in(path) {
            return Ok(Self::Catalog(catalog));
        }
        [path.join("bundle"), path.to_path_buf()]
            .into_iter()
            .find(|directory| directory.join(manifest).is_file())
            .map(Self::Bundle)
            .ok_or_else(|| {
                Stop::environment(format!(
                    "`{}` holds neither a `flow.yaml` nor a bundle",
                    path.display()
                ))
                .help("name a catalog file, a directory with a `flow.yaml`, or what `build` wrote")
            })
    }
}

/// The request to compile a catalog file, and the directory that its endpoints' relative paths start at.
pub(crate) fn request(catalog: &Path) -> Result<(Request, PathBuf), Stop> {
    let file = std::path::absolute(catalog).map_err(|error| Stop::file("open", catalog, &error))?;
    let file = normalized(&file);
    let directory = file.parent().unwrap_or(Path::new("/")).to_path_buf();
    let entry = Url::from_file_path(&file).map_err(|()| unusable(&file))?;
    let root = Url::from_directory_path(project_root(&directory)).map_err(|()| unusable(&file))?;
    Ok((Request { entry, root }, directory))
}

fn unusable(path: &Path) -> Stop {
    Stop::environment(format!("`{}` cannot be written as a URL", path.display()))
}

/// The highest directory in an unbroken row of directories with a catalog, beginning with `directory`.
fn project_root(directory: &Path) -> &Path {
    let mut root = directory;
    while let Some(parent) = root.parent().filter(|parent| catalog_in(parent).is_some()) {
        root = parent;
    }
    root
}

/// The catalog file that begins the catalog of a directory, if it has one.
pub(crate) fn catalog_in(directory: &Path) -> Option<PathBuf> {
    CATALOG_NAMES.iter().map(|name| directory.join(name)).find(|path| path.is_file())
}

fn nearest_catalog() -> Result<PathBuf, Stop> {
    let here =
        std::env::current_dir().map_err(|error| Stop::file("open", Path::new("."), &error))?;
    let found = here.ancestors().find_map(catalog_in).ok_or_else(|| {
        Stop::environment("no `flow.yaml` here or in a directory above")
            .help("name a catalog, or begin one: tidegate new demo")
    })?;
    // Shown as the user would type it, when it lies in the working directory.
    Ok(found.strip_prefix(&here).map(Path::to_path_buf).unwrap_or(found))
}

/// The path without `.` and `..`, as URLs have it.
fn normalized(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for component in path.components() {
        match component {
            std::path::Component::ParentDir => {
                result.pop();
            }
            std::path::Component::CurDir => {}
            std::path::Component::Prefix(_)
            | std::path::Component::RootDir
            | std::path::Component::Normal(_) => result.push(component),
        }
    }
    result
}
