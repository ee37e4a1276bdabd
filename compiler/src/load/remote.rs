//! Resources on the network, as a check sees them: contents in the cache that the lock file vouches for.

use std::sync::Arc;

use url::Url;

use super::Reference;
use super::lock::{CACHE_DIRECTORY, Digest, LOCK_NAME, Lock, LockFault};
use crate::diag::{Diagnostic, Sink, rules};
use crate::settings::read_project_file;
use crate::source::{Range, Sources, Span};
use crate::world::{World, WorldFailure};

/// Whether a URL leads to the network.
pub(super) fn is_remote(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

/// The lock file of a project, read when the first remote resource is asked for.
#[derive(Debug, Default)]
pub(super) struct Remote {
    lock: Option<Result<Lock, Unusable>>,
}

/// The lock file cannot be used, which has been reported.
#[derive(Debug, Clone, Copy)]
struct Unusable;

/// Why a remote resource cannot be had.
#[derive(Debug, Clone)]
pub(super) enum Absence {
    /// The lock file cannot be used, which has been reported.
    Reported,
    /// The lock file does not name it.
    Unlocked,
    /// The cache does not hold it.
    NotCached,
    /// The cache holds something else.
    Changed,
    /// The cache cannot be read.
    Unreadable(WorldFailure),
}

impl Remote {
    /// The content of a remote resource.
    pub(super) fn read(
        &mut self,
        url: &Url,
        world: &dyn World,
        root: &Url,
        sources: &mut Sources,
        sink: &mut Sink,
    ) -> Result<Arc<[u8]>, Absence> {
        let lock = self.lock.get_or_insert_with(|| load_lock(world, root, sources, sink));
        let lock = lock.as_ref().map_err(|Unusable| Absence::Reported)?;
        let digest = lock.digests.get(url.as_str()).ok_or(Absence::Unlocked)?;
        let cached = format!("{CACHE_DIRECTORY}{}", digest.file_name());
        let cached = root.join(&cached).map_err(|_| Absence::NotCached)?;
        let content = world.read(&cached).map_err(|failure| {
            if failure.is_missing { Absence::NotCached } else { Absence::Unreadable(failure) }
        })?;
        if Digest::of(&content) == *digest { Ok(content) } else { Err(Absence::Changed) }
    }
}

fn load_lock(
    world: &dyn World,
    root: &Url,
    sources: &mut Sources,
    sink: &mut Sink,
) -> Result<Lock, Unusable> {
    let Some((file, text)) = read_project_file(world, root, LOCK_NAME, sources) else {
        return Ok(Lock::default());
    };
    let lock = match text {
        Ok(text) => Lock::parse(&text),
        Err(words) => {
            let message = format!("`{LOCK_NAME}` cannot be read: {words}");
            Err(LockFault { range: 0..0, message })
        }
    };
    lock.map_err(|fault| {
        let offset = |value| u32::try_from(value).unwrap_or(u32::MAX);
        let range = Range::new(offset(fault.range.start), offset(fault.range.end));
        sink.report(malformed_lock(fault.message, range.in_file(file)));
        Unusable
    })
}

/// What is said of a reference to a remote resource that cannot be had.
pub(super) fn absent(
    reference: &Reference<'_>,
    url: &Url,
    absence: &Absence,
) -> Option<Diagnostic> {
    let new = |rule, message| Diagnostic::new(rule, reference.span, message);
    Some(match absence {
        Absence::Reported => return None,
        Absence::Unlocked => {
            new(&rules::REMOTE_RESOURCE, format!("`{url}` is not in `{LOCK_NAME}`"))
                .label("a check never asks the network")
                .help("fetch it once: `tidegate check --fetch`")
        }
        Absence::NotCached => {
            new(&rules::REMOTE_NOT_CACHED, format!("the content of `{url}` is not in the cache"))
                .label("it is locked, but was not fetched on this machine")
                .help("fetch it: `tidegate check --fetch`")
        }
        Absence::Changed => new(
            &rules::REMOTE_CHANGED,
            format!("the cached content of `{url}` is not what was locked"),
        )
        .label(format!("`{LOCK_NAME}` has another digest"))
        .help("fetch it again: `tidegate check --fetch`"),
        Absence::Unreadable(failure) => new(
            &rules::UNREADABLE_FILE,
            format!("the cached content of `{url}` cannot be read: {}", failure.message),
        ),
    })
}

/// What came over the network must not reach into the machine it came to.
pub(super) fn names_local_file(reference: &Reference<'_>, url: &Url) -> Diagnostic {
    Diagnostic::new(
        &rules::REMOTE_NAMES_LOCAL,
        reference.span,
        format!("a resource of the network names `{url}`"),
    )
    .label("it may only name others of the network")
    .help("keep a copy of the resource in the project, and refer to the copy")
}

fn malformed_lock(message: String, span: Span) -> Diagnostic {
    Diagnostic::new(&rules::LOCK_MALFORMED, span, message)
        .label("the digests cannot be read from this")
        .help("remove the file, and write it anew: `tidegate check --fetch`")
}
