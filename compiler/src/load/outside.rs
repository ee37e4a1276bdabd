//! References to files outside of the project: they work here, and are missing where only the project is.

use url::Url;

use crate::diag::{Diagnostic, Sink, rules};
use crate::source::Span;

/// The references that lead out of the project, one for each file.
#[derive(Debug, Default)]
pub(crate) struct Outside {
    references: Vec<(Url, Span)>,
}

impl Outside {
    /// Takes note of a reference in the file `from`, unless it stays in the project. Where a file outside leads does not
    /// matter any more.
    pub(super) fn note(&mut self, from: &Url, root: &Url, target: &Url, span: Span) {
        let is_local = target.scheme() == "file" && from.scheme() == "file";
        if is_local && is_below(from, root) && !is_below(target, root) {
            self.references.push((target.clone(), span));
        }
    }

    /// Warns of the references that lead to none of the further directories that the project names.
    pub(crate) fn report(self, roots: &[Url], sink: &mut Sink) {
        for (target, span) in self.references {
            if !roots.iter().any(|root| is_below(&target, root)) {
                sink.report(outside_project(span));
            }
        }
    }
}

/// Whether a file lies in a directory, whose URL ends in `/`.
fn is_below(file: &Url, directory: &Url) -> bool {
    file.scheme() == directory.scheme()
        && file.host() == directory.host()
        && file.path().starts_with(directory.path())
}

fn outside_project(span: Span) -> Diagnostic {
    Diagnostic::new(&rules::OUTSIDE_PROJECT, span, "this file lies outside of the project")
        .label("it will be missing where only the project is")
        .help("move it into the project, or name its directory in `roots` of `tidegate.toml`")
}
