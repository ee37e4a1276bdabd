//! Diagnostics as text: one file per format, all pure functions of the same data.
//!
//! A format is a file with a function `report` and a line in the list below; the command line and the suites take it from there.

mod fingerprint;
#[cfg(test)]
mod tests;
mod words;

use serde_json::Value;

use crate::diag::Diagnostic;
use crate::source::Sources;

/// What renderers need to know of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether colours are wanted.
    pub color: bool,
    /// Whether box-drawing characters are wanted instead of ASCII.
    pub unicode: bool,
    /// Columns of the terminal.
    pub width: usize,
}

/// The findings of one catalog, in the order of [`Sink::finish`](crate::diag::Sink::finish).
#[derive(Debug, Clone, Copy)]
pub struct Findings<'f> {
    /// What was found.
    pub diagnostics: &'f [Diagnostic],
    /// The files it was found in.
    pub sources: &'f Sources,
}

/// What a format shows.
#[derive(Debug, Clone)]
pub struct Report<'f> {
    /// The findings, catalog by catalog.
    pub catalogs: Vec<Findings<'f>>,
    /// The `summary` object of the JSON format.
    pub summary: Value,
    /// The terminal; only the format for people looks at it.
    pub style: Style,
}

impl<'f> Report<'f> {
    /// Every finding, and the files that its places lie in.
    pub fn findings(&self) -> impl Iterator<Item = (&'f Diagnostic, &'f Sources)> {
        self.catalogs
            .iter()
            .flat_map(|catalog| catalog.diagnostics.iter().map(|each| (each, catalog.sources)))
    }
}

/// Declares the formats: variant, module and what it is for.
macro_rules! formats {
    ($($variant:ident = $module:ident, $about:literal;)*) => {
        $(pub mod $module;)*

        /// How findings are written.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Format {
            $(#[doc = $about] $variant,)*
        }

        impl Format {
            /// Every format, in the order in which help lists them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name on the command line.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($module),)*
                }
            }

            /// What it is for, in a few words.
            pub const fn about(self) -> &'static str {
                match self {
                    $(Self::$variant => $about,)*
                }
            }

            /// The report in this format; it ends with a line break unless it is empty.
            pub fn render(self, report: &Report<'_>) -> String {
                match self {
                    $(Self::$variant => $module::report(report),)*
                }
            }
        }
    };
}

formats! {
    Human = human, "For people, with source excerpts";
    Concise = concise, "One line a finding";
    Json = json, "One JSON object";
    Jsonl = jsonl, "One JSON object a finding";
    Sarif = sarif, "SARIF 2.1.0, for code scanning";
    Github = github, "Annotations of GitHub Actions";
    Gitlab = gitlab, "Code quality report of GitLab";
    Junit = junit, "JUnit XML, one case a file";
}

impl Format {
    /// The format of a name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.name() == name)
    }
}
