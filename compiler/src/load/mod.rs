//! The pass from an entry to all files of the catalog: imports, schemas and their references, lambdas, migrations,
//! configs, fixtures.
//!
//! Reports files that cannot be read, are too large or not UTF-8, mistakes of syntax and of binding. Import cycles are legal: a
//! resource is read once, identified by its URL. A file that could not be read is in the sources all the same, not present, so
//! that nothing more is said of it.

pub(crate) mod links;
mod lock;
mod outside;
mod problems;
mod references;
mod remote;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use tidegate_stdlib::schema::well_known;
use url::Url;

use self::links::Link;
pub use self::lock::{CACHE_DIRECTORY, Digest, LOCK_NAME, Lock, LockFault};
pub(crate) use self::outside::Outside;
use self::problems::report_problems;
use self::references::SchemaReference;
use self::remote::{Absence, Remote, absent, is_remote, names_local_file};
use crate::diag::{Diagnostic, Fix, Sink, nearest, rules};
use crate::limits::{SOURCE_SIZE_BYTES_MAX, SOURCES_MAX};
use crate::memo::{Memo, Reading, Text};
use crate::source::{FileId, LineIndex, Range, Role, SourceFile, Sources, Span};
use crate::syntax::NodeKind;
use crate::world::{World, WorldFailure};

/// Loads the catalog that begins with `entry`; names of files are relative to `root`. Gives the references to files
/// outside of `root` as well.
pub(crate) fn load(
    world: &dyn World,
    entry: &Url,
    root: &Url,
    memo: &mut Memo,
    sink: &mut Sink,
) -> (Sources, Outside) {
    memo.begin_compilation();
    let mut loader = Loader {
        world,
        root,
        memo,
        sink,
        sources: Sources::default(),
        bytes: BTreeMap::new(),
        identities: BTreeSet::new(),
        checked: BTreeSet::new(),
        queue: VecDeque::new(),
        remote: Remote::default(),
        outside: Outside::default(),
        is_full: false,
    };
    loader.load_entry(entry);
    while let Some(file) = loader.queue.pop_front() {
        loader.follow(file);
    }
    (loader.sources, loader.outside)
}

struct Loader<'l> {
    world: &'l dyn World,
    root: &'l Url,
    memo: &'l mut Memo,
    sink: &'l mut Sink,
    sources: Sources,
    /// What the world said, so that it is asked once per URL.
    bytes: BTreeMap<String, Result<Arc<[u8]>, WorldFailure>>,
    /// URLs that loaded schemas give themselves.
    identities: BTreeSet<String>,
    /// URLs whose syntax was reported.
    checked: BTreeSet<String>,
    queue: VecDeque<FileId>,
    remote: Remote,
    outside: Outside,
    is_full: bool,
}

/// A reference to a file.
struct Reference<'r> {
    span: Span,
    written: &'r str,
    role: Role,
}

/// Why there is no text.
enum Unreadable {
    World(WorldFailure),
    Remote(Absence),
    TooLarge,
    NotUtf8(usize),
}

impl Loader<'_> {
    /// Loads the entry; what is wrong with it is reported at the command line's arguments.
    fn load_entry(&mut self, entry: &Url) {
        let mut url = entry.clone();
        url.set_fragment(None);
        let text = self.text(&url);
        let failure = text.as_ref().err().is_some();
        let file = self.add(url, Role::Catalog, text.as_ref().ok().cloned());
        if failure && let Err(unreadable) = text {
            let name = self.sources.file(file).name.clone();
            let span = self.add_arguments(&name);
            let reference = Reference { span, written: &name, role: Role::Arguments };
            let found = unreadable_file(&reference, &name, entry, &unreadable);
            found.into_iter().for_each(|diagnostic| self.sink.report(diagnostic));
        }
    }

    /// The virtual source of the command line's arguments.
    fn add_arguments(&mut self, argument: &str) -> Span {
        let url = Url::parse("arguments:").expect("the URL is a scheme");
        let file = self.sources.add(SourceFile {
            url,
            name: "<arguments>".to_owned(),
            role: Role::Arguments,
            text: argument.into(),
            lines: Arc::new(LineIndex::new(argument)),
            tree: None,
            specs: None,
            is_present: true,
        });
        Range::new(0, u32::try_from(argument.len()).unwrap_or(u32::MAX)).in_file(file)
    }

    /// Loads what a file refers to.
    fn follow(&mut self, file: FileId) {
        let source = self.sources.file(file);
        let links = match &source.tree {
            Some(tree) => self.memo.links(&source.url, source.role, tree, source.specs.as_deref()),
            None if source.role == Role::Module => {
                self.memo.module_links(&source.url, &source.text)
            }
            None => return,
        };
        for link in links.iter() {
            match link {
                Link::File { range, written, role } => self.request(file, *range, written, *role),
                Link::Schema(reference) => self.follow_schema(file, reference),
                Link::Identity(url) => {
                    self.identities.insert(url.clone());
                }
            }
        }
    }

    fn follow_schema(&mut self, file: FileId, link: &SchemaReference) {
        let span = link.range.in_file(file);
        let reference = Reference { span, written: &link.written, role: Role::Schema };
        match &link.target {
            Some(target) if self.identities.contains(target.as_str()) => {}
            Some(target) => self.request_url(&reference, target.clone()),
            None => self.sink.report(malformed_reference(&reference)),
        }
    }

    /// Loads the file that a reference of another file names.
    fn request(&mut self, from: FileId, range: Range, written: &str, role: Role) {
        let reference = Reference { span: range.in_file(from), written, role };
        if names_no_file(&reference) {
            self.sink.report(empty_reference(&reference));
            return;
        }
        if role == Role::Catalog && written.contains(' ') {
            self.sink.report(reference_with_blank(&reference));
        }
        if role == Role::Schema && (written.trim().contains('\n') || written.contains(": ")) {
            self.sink.report(schema_as_text(&reference));
            return;
        }
        let Ok(mut url) = self.sources.file(from).url.join(written) else {
            self.sink.report(malformed_reference(&reference));
            return;
        };
        if url.fragment().is_some() && role != Role::Schema {
            self.sink.report(unexpected_fragment(&reference));
        }
        url.set_fragment(None);
        self.request_url(&reference, url);
    }

    /// Loads a file unless it is loaded already, and notes that the reference leads to it.
    fn request_url(&mut self, reference: &Reference<'_>, url: Url) {
        self.load_url(reference, url.clone());
        if let Some(file) = self.sources.by_url(&url, reference.role) {
            self.sources.refer(reference.span, file);
        }
    }

    fn load_url(&mut self, reference: &Reference<'_>, url: Url) {
        if self.sources.by_url(&url, reference.role).is_some() || self.is_full {
            return;
        }
        if reference.role == Role::Schema && self.sources.by_url(&url, Role::Catalog).is_some() {
            self.sink.report(catalog_as_schema(reference, &self.name(&url)));
            return;
        }
        if self.sources.count() >= SOURCES_MAX {
            self.is_full = true;
            self.sink.report(too_many_files(reference));
            return;
        }
        if reference.role == Role::Schema
            && let Some(text) = well_known(url.as_str())
        {
            self.add(url, Role::Schema, Some(Text::new(text.into())));
            return;
        }
        let from = &self.sources.file(reference.span.file).url;
        if is_remote(from) && !is_remote(&url) {
            self.sink.report(names_local_file(reference, &url));
            self.add(url, reference.role, None);
            return;
        }
        match self.text(&url) {
            Ok(text) => {
                let from = &self.sources.file(reference.span.file).url;
                self.outside.note(from, self.root, &url, reference.span);
                let file = self.add(url, reference.role, Some(text));
                self.check_fixture(file);
            }
            Err(unreadable) => {
                let name = self.name(&url);
                unreadable_file(reference, &name, &url, &unreadable)
                    .into_iter()
                    .for_each(|diagnostic| self.sink.report(diagnostic));
                self.add(url, reference.role, None);
            }
        }
    }

    /// Adds a file, reads it if it has a text, and puts it in line to be followed.
    fn add(&mut self, url: Url, role: Role, text: Option<Text>) -> FileId {
        let is_present = text.is_some();
        let text = text.unwrap_or_else(|| Text::new("".into()));
        let reading = if is_present { reading(&url, role) } else { Reading::Text };
        let results = self.memo.results(&text, reading);
        let is_new = self.checked.insert(url.to_string());
        let name = self.name(&url);
        let file = self.sources.add(SourceFile {
            url,
            name,
            role,
            text: text.text,
            lines: results.lines,
            tree: results.tree,
            specs: results.specs,
            is_present,
        });
        let source = self.sources.file(file);
        if is_new || source.specs.is_some() {
            report_problems(file, source, self.sink);
        }
        self.queue.push_back(file);
        file
    }

    /// The text of a resource.
    fn text(&mut self, url: &Url) -> Result<Text, Unreadable> {
        let world = self.world;
        let remote;
        let bytes = if is_remote(url) {
            let found = self.remote.read(url, world, self.root, &mut self.sources, self.sink);
            remote = found.map_err(Unreadable::Remote)?;
            &remote
        } else {
            let bytes = self.bytes.entry(url.to_string()).or_insert_with(|| world.read(url));
            bytes.as_ref().map_err(|failure| Unreadable::World(failure.clone()))?
        };
        if bytes.len() > SOURCE_SIZE_BYTES_MAX {
            return Err(Unreadable::TooLarge);
        }
        let text = self.memo.text(url.as_str(), bytes);
        text.map_err(|error| Unreadable::NotUtf8(error.valid_up_to()))
    }

    /// What people call a resource.
    fn name(&self, url: &Url) -> String {
        let path = url.path().strip_prefix(self.root.path()).filter(|path| !path.is_empty());
        let is_inside = url.scheme() == self.root.scheme() && url.host() == self.root.host();
        path.filter(|_| is_inside).map_or_else(
            || url.to_string(),
            |path| percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned(),
        )
    }

    fn check_fixture(&mut self, file: FileId) {
        let source = self.sources.file(file);
        let Some(tree) = source.tree.as_ref().filter(|_| source.role == Role::Fixture) else {
            return;
        };
        let is_list = matches!(tree.node(tree.root()).kind, NodeKind::Sequence(_));
        if !is_list && tree.problems.is_empty() {
            let range = source.lines.line_range(&source.text, 1);
            self.sink.report(fixture_without_list(range.in_file(file)));
        }
    }
}

/// Whether a reference is blank, which by the rules of URLs would be the very file that it stands in. Of a schema, a mere fragment
/// means a part of that file.
fn names_no_file(reference: &Reference<'_>) -> bool {
    let path = match reference.role {
        Role::Schema => reference.written,
        Role::Catalog
        | Role::Module
        | Role::Fixture
        | Role::Config
        | Role::Settings
        | Role::Arguments => reference.written.split('#').next().unwrap_or_default(),
    };
    path.chars().all(|character| character <= ' ')
}

/// What is made of a file: config-like files are data only by their extension.
fn reading(url: &Url, role: Role) -> Reading {
    match role {
        Role::Catalog => Reading::Catalog,
        Role::Schema | Role::Fixture => Reading::Data,
        Role::Config => {
            let path = url.path().to_lowercase();
            let is_data = ["yaml", "yml", "json"].iter().any(|end| path.ends_with(end));
            if is_data { Reading::Data } else { Reading::Text }
        }
        Role::Module | Role::Settings | Role::Arguments => Reading::Text,
    }
}

/// Nothing when the cause has been reported.
fn unreadable_file(
    reference: &Reference<'_>,
    name: &str,
    url: &Url,
    unreadable: &Unreadable,
) -> Option<Diagnostic> {
    Some(match unreadable {
        Unreadable::World(failure) if failure.is_missing => missing_file(reference, name, failure),
        Unreadable::World(failure) => Diagnostic::new(
            &rules::UNREADABLE_FILE,
            reference.span,
            format!("file `{name}` cannot be read: {}", failure.message),
        )
        .label("it is named here")
        .help("name a file that can be read"),
        Unreadable::Remote(absence) => return absent(reference, url, absence),
        Unreadable::TooLarge => file_too_large(reference, name),
        Unreadable::NotUtf8(offset) => not_utf8(reference, name, *offset),
    })
}

fn missing_file(reference: &Reference<'_>, name: &str, failure: &WorldFailure) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        &rules::MISSING_FILE,
        reference.span,
        format!("file `{name}` does not exist"),
    );
    let diagnostic = match reference.role {
        Role::Config => diagnostic.label("a text without blanks is read as a file name"),
        Role::Module if !reference.written.starts_with(['.', '/']) => {
            diagnostic.label("a text without blanks is read as a file name")
        }
        Role::Catalog
        | Role::Schema
        | Role::Module
        | Role::Fixture
        | Role::Settings
        | Role::Arguments => diagnostic.label("it is named here"),
    };
    let (path, fragment) = match reference.written.split_once('#') {
        Some((path, fragment)) => (path, format!("#{fragment}")),
        None => (reference.written, String::new()),
    };
    let split = path.rfind('/').map_or(0, |slash| slash + 1);
    let (directory, file_name) = path.split_at_checked(split).unwrap_or(("", path));
    match nearest(file_name, failure.neighbours.iter().map(String::as_str)) {
        Some(near) => {
            diagnostic.help(format!("name the file `{directory}{near}`")).fix(Fix::replace(
                reference.span,
                format!("{directory}{near}{fragment}"),
                format!("name the file `{directory}{near}`"),
            ))
        }
        None => diagnostic.help("create the file, or name another one"),
    }
}

fn file_too_large(reference: &Reference<'_>, name: &str) -> Diagnostic {
    let limit = SOURCE_SIZE_BYTES_MAX / 1024 / 1024;
    Diagnostic::new(
        &rules::FILE_TOO_LARGE,
        reference.span,
        format!("file `{name}` is larger than {limit} MiB"),
    )
    .help("split the file, or ingest its documents by a capture")
}

fn not_utf8(reference: &Reference<'_>, name: &str, offset: usize) -> Diagnostic {
    Diagnostic::new(&rules::NOT_UTF8, reference.span, format!("file `{name}` is not UTF-8 text"))
        .note(format!("the first byte that does not fit is byte {offset}"))
        .help("save the file as UTF-8")
}

fn too_many_files(reference: &Reference<'_>) -> Diagnostic {
    Diagnostic::new(
        &rules::TOO_MANY_FILES,
        reference.span,
        format!("the catalog has more than {SOURCES_MAX} files"),
    )
    .label("this file and all further ones are not read")
    .help("split the catalog")
}

fn unexpected_fragment(reference: &Reference<'_>) -> Diagnostic {
    let hash = reference.written.find('#').unwrap_or(reference.written.len());
    let skipped = u32::try_from(hash).unwrap_or(u32::MAX);
    let start = reference.span.range.start.saturating_add(skipped).min(reference.span.range.end);
    let span = Range::new(start, reference.span.range.end).in_file(reference.span.file);
    Diagnostic::new(
        &rules::UNEXPECTED_FRAGMENT,
        span,
        "only references to schemas may have a fragment",
    )
    .label("the whole file is used here")
    .fix(Fix::replace(span, "", "remove the fragment"))
}

fn malformed_reference(reference: &Reference<'_>) -> Diagnostic {
    Diagnostic::new(
        &rules::MALFORMED_REFERENCE,
        reference.span,
        format!("`{}` is neither a path nor a URL", reference.written),
    )
    .help("name a file relative to this one")
}

fn empty_reference(reference: &Reference<'_>) -> Diagnostic {
    Diagnostic::new(&rules::MALFORMED_REFERENCE, reference.span, "the reference names no file")
        .label("by the rules of URLs this would be the very file that it stands in")
        .help("name a file relative to this one, or remove the reference")
}

fn schema_as_text(reference: &Reference<'_>) -> Diagnostic {
    Diagnostic::new(&rules::MALFORMED_REFERENCE, reference.span, "the schema is a text")
        .label("a text is the reference to a schema in a file")
        .help("write the schema in place, without `|`, `>` or quotes around it")
}

fn catalog_as_schema(reference: &Reference<'_>, name: &str) -> Diagnostic {
    let message =
        format!("`{name}` is a catalog, and no part of it can be referred to as a schema");
    Diagnostic::new(&rules::MALFORMED_REFERENCE, reference.span, message)
        .label("a schema is expected here")
        .help("move the schema into a file of its own, or write it in place")
}

fn reference_with_blank(reference: &Reference<'_>) -> Diagnostic {
    let written = reference.written;
    let repaired = written.trim().replace(' ', "%20");
    Diagnostic::new(
        &rules::MALFORMED_REFERENCE,
        reference.span,
        format!("the import `{written}` has a blank, which no URL has"),
    )
    .label("other tools refuse it")
    .fix(Fix::replace(reference.span, &repaired, format!("write `{repaired}`")))
}

fn fixture_without_list(span: Span) -> Diagnostic {
    Diagnostic::new(&rules::WRONG_TYPE, span, "a file of test documents must be a list")
        .label("the list of documents should begin here")
        .help("put the documents into a list")
}
