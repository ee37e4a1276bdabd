//! Where the database is: below the catalog's directory, never inside the data directory.

use std::path::{Path, PathBuf};

use tidegate_stdlib::bundle::{Failure, FailureKind};

use crate::connector::Opening;

/// The absolute path of the database; its directory is created when it is missing.
pub(super) fn resolve(path: &Path, opening: Opening<'_>) -> Result<PathBuf, Failure> {
    let target = real(&opening.root.join(path));
    if target.starts_with(real(opening.data)) {
        return Err(Failure::new(
            FailureKind::EndpointFailed,
            format!("the database `{}` lies inside the data directory", path.display()),
        )
        .note("everything in the data directory belongs to the runtime")
        .help("choose another `path` in the config of the endpoint"));
    }
    if let Some(parent) = target.parent() {
        std::fs::create_dir_all(parent).map_err(|error| {
            let message = format!("`{}` cannot be created: {error}", parent.display());
            Failure::new(FailureKind::CannotAccess, message)
        })?;
    }
    Ok(target)
}

/// The path without links and `..`, as far as it exists.
fn real(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut real = PathBuf::new();
    for component in absolute.components() {
        match component {
            std::path::Component::ParentDir => {
                real.pop();
            }
            std::path::Component::CurDir => {}
            std::path::Component::Prefix(_)
            | std::path::Component::RootDir
            | std::path::Component::Normal(_) => {
                real.push(component);
                if let Ok(canonical) = real.canonicalize() {
                    real = canonical;
                }
            }
        }
    }
    real
}
