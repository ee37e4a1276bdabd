//! Which files a binding reads: the endpoint's path, and the binding's pattern below it.

use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};
use serde::Deserialize;
use tidegate_stdlib::bundle::{Failure, FailureKind};

use super::decode::Compression;
use super::progress::Unit;
use crate::store::inaccessible;

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    /// A document a line.
    Jsonl,
    /// Documents in an array, or one after the other.
    Json,
    /// Comma-separated rows under a header.
    Csv,
    /// Tab-separated rows under a header.
    Tsv,
    /// A FeatureCollection, one document a feature.
    Geojson,
}

impl Format {
    /// Whether a line feed ends a document.
    pub(super) const fn is_of_lines(self) -> bool {
        match self {
            Self::Jsonl | Self::Csv | Self::Tsv => true,
            Self::Json | Self::Geojson => false,
        }
    }
}

/// Which files a binding reads.
#[derive(Debug)]
pub(super) struct Listing {
    /// Where a relative path starts.
    pub(super) root: PathBuf,
    /// A file, a directory or a pattern.
    pub(super) path: String,
    /// A pattern below the path.
    pub(super) stream: String,
    /// The format, when it is not told by the extension.
    pub(super) format: Option<Format>,
    /// The compression, when it is not told by the extension.
    pub(super) compression: Option<Compression>,
}

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Its path relative to where relative paths start, by which its progress is recorded.
    pub(super) name: String,
    /// How it is read.
    pub(super) format: Format,
    /// How it is compressed.
    pub(super) compression: Compression,
}

impl Listed {
    /// What offsets in it count.
    pub(super) fn unit(&self) -> Unit {
        match (self.compression, self.format.is_of_lines()) {
            (Compression::None, true) => Unit::FileBytes,
            _ => Unit::Other,
        }
    }
}

/// A `*` does not cross a `/`, and hidden files have to be named.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

impl Listing {
    /// The files in the order of their paths. A pattern leaves out files whose extension tells no format. That
    /// nothing matches is a failure unless new files are waited for.
    pub(super) fn list(&self, watch: bool) -> Result<Vec<Listed>, Failure> {
        let path = self.root.join(&self.path);
        let mut found = if path.is_dir() {
            self.expand(&format!("{}/{}", escape(&path), self.stream))?
        } else if path.is_file() {
            self.below(vec![path.clone()], path.parent().unwrap_or(&self.root))?
        } else {
            let pattern = format!("{}/{}", escape(&self.root), self.path);
            let pattern = if Path::new(&self.path).is_absolute() { &self.path } else { &pattern };
            let matched = self.expand(pattern)?;
            self.below(matched, &literal_base(&self.root, &self.path))?
        };
        if found.is_empty() && !watch {
            return Err(self.nothing_there());
        }
        found.sort();
        let named = !is_pattern(&self.path) && (path.is_file() || !is_pattern(&self.stream));
        found.into_iter().filter_map(|path| self.describe(path, named).transpose()).collect()
    }

    /// The files that match a pattern.
    fn expand(&self, pattern: &str) -> Result<Vec<PathBuf>, Failure> {
        let failure = |message: String| Failure::new(FailureKind::CannotAccess, message);
        let paths = glob::glob_with(pattern, OPTIONS).map_err(|error| {
            failure(format!("`{pattern}` is no pattern of files: {}", error.msg))
        })?;
        let mut found = Vec::new();
        for path in paths {
            let path = path.map_err(|error| inaccessible("read", error.path(), error.error()))?;
            if path.is_file() {
                found.push(path);
            }
        }
        Ok(found)
    }

    /// Those of `files` whose path below `base` matches the binding's pattern.
    fn below(&self, files: Vec<PathBuf>, base: &Path) -> Result<Vec<PathBuf>, Failure> {
        let pattern = Pattern::new(&self.stream).map_err(|error| {
            let message = format!("`{}` is no pattern of files: {}", self.stream, error.msg);
            Failure::new(FailureKind::CannotAccess, message)
        })?;
        let matches = |path: &PathBuf| {
            let below = path.strip_prefix(base).unwrap_or(path);
            pattern.matches_path_with(below, OPTIONS)
        };
        Ok(files.into_iter().filter(matches).collect())
    }

    /// The file with its format; `None` when it has none and was not named.
    fn describe(&self, path: PathBuf, named: bool) -> Result<Option<Listed>, Failure> {
        let name = path.strip_prefix(&self.root).unwrap_or(&path).display().to_string();
        let (compression, inner) = compression_of(&path);
        let compression = self.compression.unwrap_or(compression);
        match self.format.or_else(|| format_of(&inner)) {
            Some(format) => Ok(Some(Listed { path, name, format, compression })),
            None if named => Err(Failure::new(
                FailureKind::SourceUnreadable,
                format!("the extension of `{name}` does not tell its format"),
            )
            .help("give `format` in the config of the endpoint")),
            None => Ok(None),
        }
    }

    fn nothing_there(&self) -> Failure {
        let message = match self.stream.as_str() {
            "**/*" => format!("no file matches `{}`", self.path),
            stream => format!("no file matches `{stream}` below `{}`", self.path),
        };
        Failure::new(FailureKind::CannotAccess, message)
            .note(format!("relative paths start at `{}`", self.root.display()))
    }
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

fn escape(path: &Path) -> String {
    Pattern::escape(&path.display().to_string())
}

/// The directory that a pattern starts at: its components before the first with a wildcard.
fn literal_base(root: &Path, pattern: &str) -> PathBuf {
    let literal =
        Path::new(pattern).iter().take_while(|component| !is_pattern(&component.to_string_lossy()));
    root.join(literal.collect::<PathBuf>())
}

/// The compression that the extension tells, and the path without that extension.
fn compression_of(path: &Path) -> (Compression, PathBuf) {
    match extension(path).as_str() {
        "gz" | "gzip" => (Compression::Gzip, path.with_extension("")),
        "zst" | "zstd" | "zstandard" => (Compression::Zstd, path.with_extension("")),
        _ => (Compression::None, path.to_owned()),
    }
}

fn format_of(path: &Path) -> Option<Format> {
    match extension(path).as_str() {
        "jsonl" | "ndjson" => Some(Format::Jsonl),
        "json" => Some(Format::Json),
        "csv" => Some(Format::Csv),
        "tsv" => Some(Format::Tsv),
        "geojson" => Some(Format::Geojson),
        _ => None,
    }
}

fn extension(path: &Path) -> String {
    path.extension().map(|text| text.to_string_lossy().to_ascii_lowercase()).unwrap_or_default()
}
