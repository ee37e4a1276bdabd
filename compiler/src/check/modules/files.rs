//! The files of a module: the one that exports the class, and all that it imports.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tidegate_stdlib::bundle::{self, ModuleFile, Origin, Script};
use tidegate_typescript::{Import, ImportedName};

use super::{Part, Subject};
use crate::catalog::{Collection, ScriptSource};
use crate::diag::{Diagnostic, Fix, Sink, nearest, rules};
use crate::load::links::is_file;
use crate::model::UsingSpec;
use crate::source::{FileId, Role, Span};
use crate::typescript::{BASE_CLASS, IMPORT_PREFIX, base_class_script, file_name};

/// The files by their names. What is wrong with imports is reported; a file that was not read has been reported already.
pub(super) fn gather(
    entry: ScriptSource,
    subject: Subject<'_>,
    sink: &mut Sink,
) -> BTreeMap<String, Part> {
    let mut files = BTreeMap::new();
    let mut queue = VecDeque::from([entry]);
    while let Some(source) = queue.pop_front() {
        let name = source.script.origin.path.clone();
        if files.contains_key(&name) {
            continue;
        }
        let part = Part::new(source);
        for import in &part.module.imports {
            match target(part.source.file, import, subject) {
                Target::File(file) => {
                    queue.extend(ScriptSource::from_file(subject.scope.sources, file))
                }
                Target::Types => check_names(&part, import, subject, sink),
                Target::Missing => {}
                Target::NoTypes => {
                    if is_bound(subject) {
                        sink.report(unknown_types(&part, import, subject));
                    }
                }
                Target::Elsewhere if import.is_of_types => {}
                Target::Elsewhere => {
                    let span = part.source.span(import.range.clone());
                    sink.report(unsupported_import(&import.specifier, span));
                }
            }
        }
        files.insert(name, part);
    }
    files
}

/// What an import leads to.
enum Target {
    /// A file of the catalog.
    File(FileId),
    /// A file that was not read.
    Missing,
    /// The generated types of a derivation by a module.
    Types,
    /// Generated types that there are not.
    NoTypes,
    /// What is no file.
    Elsewhere,
}

fn target(from: FileId, import: &Import, subject: Subject<'_>) -> Target {
    let sources = subject.scope.sources;
    if let Some(path) = import.specifier.strip_prefix(IMPORT_PREFIX) {
        let has_types = declared(subject).any(|collection| file_name(collection.name()) == path);
        return if has_types { Target::Types } else { Target::NoTypes };
    }
    if !is_file(&import.specifier) || import.has_attributes {
        return Target::Elsewhere;
    }
    let found = sources.resolve(from, &import.specifier, Role::Module);
    match found.filter(|(file, _)| sources.file(*file).is_present) {
        Some((file, _)) => Target::File(file),
        None => Target::Missing,
    }
}

/// The collections that have generated types: those that modules derive.
fn declared(subject: Subject<'_>) -> impl Iterator<Item = &Collection> {
    subject.scope.catalog.collections().filter_map(|(_, collection)| {
        let derive = collection.spec().derive.as_ref()?;
        matches!(derive.using, Some(UsingSpec::TypeScript { .. })).then_some(collection)
    })
}

/// Whether no declaration of the catalog was lost to a mistake.
fn is_bound(subject: Subject<'_>) -> bool {
    let mut specs = subject.scope.sources.files().filter_map(|(_, file)| file.specs.as_ref());
    specs.all(|specs| specs.problems.is_empty())
}

/// Looks for the names that are imported from the types of the derivation itself.
fn check_names(part: &Part, import: &Import, subject: Subject<'_>, sink: &mut Sink) {
    let own = file_name(subject.collection.name());
    if import.specifier.strip_prefix(IMPORT_PREFIX) != Some(own.as_str()) {
        return;
    }
    if !subject.is_settled {
        return;
    }
    let known = subject.types.names();
    for name in import.names.iter().filter(|name| !known.contains(&name.name)) {
        let span = part.source.span(name.range.clone());
        sink.report(unknown_type(name, &known, span, subject));
    }
}

/// The module as the runtime needs it; `None` when a part of it could not be made.
pub(super) fn bundle(
    entry: String,
    files: &BTreeMap<String, Part>,
    subject: Subject<'_>,
) -> Option<bundle::Module> {
    let mut bundled = BTreeMap::new();
    let mut types: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, part) in files {
        let mut imports = BTreeMap::new();
        for import in &part.module.imports {
            let target = match target(part.source.file, import, subject) {
                _ if import.is_of_types => continue,
                Target::File(file) => {
                    let source = ScriptSource::from_file(subject.scope.sources, file).ok()?;
                    source.script.origin.path
                }
                Target::Types => {
                    let names = types.entry(import.specifier.as_str()).or_default();
                    names.extend(import.names.iter().map(|name| name.name.as_str()));
                    import.specifier.clone()
                }
                Target::Missing | Target::NoTypes | Target::Elsewhere => return None,
            };
            imports.insert(import.specifier.clone(), target);
        }
        let script = Script { text: part.module.javascript.clone()?, ..part.source.script.clone() };
        bundled.insert(name.clone(), ModuleFile { script, imports });
    }
    for (name, mut names) in types {
        names.remove(BASE_CLASS);
        let text = base_class_script(names.into_iter());
        let script = Script { text, origin: Origin::default(), map: Vec::new() };
        bundled.insert(name.to_owned(), ModuleFile { script, imports: BTreeMap::new() });
    }
    Some(bundle::Module { entry, files: bundled })
}

fn unsupported_import(specifier: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        &rules::UNSUPPORTED_IMPORT,
        span,
        format!("`{specifier}` is neither a file nor a generated module"),
    )
    .label("nothing is installed for modules, so only files can be imported")
    .help("import a file, as in `./rates.ts`")
}

fn unknown_types(part: &Part, import: &Import, subject: Subject<'_>) -> Diagnostic {
    let span = part.source.span(import.range.clone());
    let known: Vec<String> = declared(subject)
        .map(|collection| format!("{IMPORT_PREFIX}{}", file_name(collection.name())))
        .collect();
    let message = format!("there are no types `{}`", import.specifier);
    let diagnostic = Diagnostic::new(&rules::UNKNOWN_TYPE, span, message)
        .label("no module derives a collection of this name")
        .also(subject.collection.name_span(), "the module derives this collection");
    match nearest(&import.specifier, known.iter().map(String::as_str)) {
        Some(near) => diagnostic.fix(Fix::replace(span, near, format!("import `{near}`"))),
        None => {
            let own = format!("{IMPORT_PREFIX}{}", file_name(subject.collection.name()));
            diagnostic.help(format!("import `{own}`"))
        }
    }
}

fn unknown_type(
    name: &ImportedName,
    known: &[String],
    span: Span,
    subject: Subject<'_>,
) -> Diagnostic {
    let collection = subject.collection.name();
    let message = format!("the types of `{collection}` have no `{}`", name.name);
    let diagnostic = Diagnostic::new(&rules::UNKNOWN_TYPE, span, message)
        .label("nothing of this name is generated")
        .also(subject.collection.name_span(), "they are made for this collection");
    match nearest(&name.name, known.iter().map(String::as_str)) {
        Some(near) => {
            let fix = Fix::replace(span, near, format!("import `{near}`"));
            diagnostic.fix(fix.unsafe_to_apply())
        }
        None => {
            let known: Vec<String> = known.iter().take(8).map(|name| format!("`{name}`")).collect();
            diagnostic.help(format!("import one of {}", known.join(", ")))
        }
    }
}
