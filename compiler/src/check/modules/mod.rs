//! TypeScript modules of derivations: what they import, the class that they export, and its methods.
//!
//! Types are not checked here. What is told is certain: a module with nothing to tell is loaded by the engine that the
//! runtime uses, and what keeps it from loading is told too.

mod files;
mod methods;
mod trial;

use tidegate_stdlib::bundle;
use tidegate_typescript::{Module, Problem, ProblemKind, Unrepeatable};

use super::Scope;
use super::checked::CheckedTransform;
use crate::catalog::{Collection, ScriptAbsence, ScriptSource};
use crate::diag::{Diagnostic, Sink, rules};
use crate::model::{DeriveSpec, InlineOrFile, Spanned, UsingSpec};
use crate::source::{Role, Span};
use crate::typescript::{CLASS, Types};

/// One file of a module: its text, and what stands in it.
struct Part {
    source: ScriptSource,
    module: Module,
}

impl Part {
    fn new(source: ScriptSource) -> Self {
        let module = tidegate_typescript::read(&source.script.text, CLASS);
        Self { source, module }
    }
}

/// What the files of a module are checked for.
#[derive(Clone, Copy)]
struct Subject<'s> {
    collection: &'s Collection,
    transforms: &'s [CheckedTransform],
    /// What the generated types of the collection are made of.
    types: &'s Types,
    /// Whether all transforms are known by their names: what seems to be missing is missing then.
    is_settled: bool,
    scope: Scope<'s>,
}

/// Checks the module of a derivation, if a module derives it, and gives it as the runtime needs it.
pub(super) fn check(
    collection: &Collection,
    derive: &DeriveSpec,
    transforms: &[CheckedTransform],
    scope: Scope<'_>,
    sink: &mut Sink,
) -> Option<bundle::Module> {
    let Some(UsingSpec::TypeScript { module, others, .. }) = &derive.using else { return None };
    for other in others {
        sink.report(module_setting_unused(other, collection.span(other.range)));
    }
    methods::check_names(collection, derive, sink);
    let source = source(collection, module.as_ref()?, scope, sink)?;
    let types = types(collection, transforms, scope);
    let is_settled = is_settled(collection, derive, transforms, scope);
    let subject = Subject { collection, transforms, types: &types, is_settled, scope };
    let before = sink.mark();
    let entry = source.script.origin.path.clone();
    let files = files::gather(source, subject, sink);
    for part in files.values() {
        report_problems(part, sink);
    }
    if let Some(part) = files.get(&entry) {
        methods::check(part, subject, sink);
    }
    if sink.has_errors_after(before) || !is_settled {
        return None;
    }
    let module = files::bundle(entry, &files, subject)?;
    let trial = trial::Trial::new(&module, &files, subject);
    let is_loaded = trial.load(sink);
    if is_loaded {
        trial.refute(sink);
    }
    is_loaded.then_some(module)
}

/// The text that a `module` field holds or names.
fn source(
    collection: &Collection,
    module: &InlineOrFile,
    scope: Scope<'_>,
    sink: &mut Sink,
) -> Option<ScriptSource> {
    let file = collection.file();
    match ScriptSource::new(scope.sources, file, module, Role::Module) {
        Ok(source) => Some(source),
        Err(ScriptAbsence::Unread) => None,
        Err(ScriptAbsence::NotText) => {
            sink.report(module_not_text(module.range().in_file(file)));
            None
        }
    }
}

fn is_settled(
    collection: &Collection,
    derive: &DeriveSpec,
    transforms: &[CheckedTransform],
    scope: Scope<'_>,
) -> bool {
    let specs = scope.sources.file(collection.file()).specs.as_ref();
    let is_part = |character: char| character.is_alphanumeric() || "-_.".contains(character);
    specs.is_some_and(|specs| specs.problems.is_empty())
        && derive.transforms.iter().filter(|it| !it.disable).count() == transforms.len()
        && transforms.iter().all(|transform| transform.name.chars().all(is_part))
}

/// What the generated types of a derived collection are made of.
fn types(collection: &Collection, transforms: &[CheckedTransform], scope: Scope<'_>) -> Types {
    let id = scope.catalog.id_of(collection);
    let checked = &scope.read(id).known.checked;
    let reads = transforms.iter().map(|transform| {
        let read = scope.read(transform.source.collection);
        crate::typescript::Read {
            transform: transform.name.clone(),
            source: read.declared.name().to_owned(),
            schema: read.known.checked.effective_read_schema().clone(),
        }
    });
    Types {
        collection: collection.name().to_owned(),
        write: checked.write_schema.clone(),
        read: checked.read_schema.clone(),
        reads: Some(reads.collect()),
    }
}

fn report_problems(part: &Part, sink: &mut Sink) {
    for problem in &part.module.problems {
        sink.report(module_problem(problem, part.source.span(problem.range.clone())));
    }
    for each in &part.module.uses {
        let span = part.source.span(each.range.clone());
        let text = part.source.script.text.get(each.range.clone()).unwrap_or_default();
        sink.report(not_repeatable(text, span, each.what));
    }
}

fn module_problem(problem: &Problem, span: Span) -> Diagnostic {
    let new = |rule| Diagnostic::new(rule, span, problem.message.clone());
    match problem.kind {
        ProblemKind::Syntax => new(&rules::TYPESCRIPT_SYNTAX)
            .label("TypeScript is not understood from here")
            .help("correct the module"),
        ProblemKind::NotErasable(feature) => new(&rules::TYPESCRIPT_NOT_ERASABLE)
            .label("it does not go away with the types")
            .help(methods::instead_of(feature)),
        ProblemKind::DynamicImport => new(&rules::UNSUPPORTED_IMPORT)
            .label("all code of a derivation has to be known before it runs")
            .help("import it at the beginning of the module"),
        ProblemKind::TooLarge => new(&rules::TYPESCRIPT_SYNTAX)
            .label("it is not read")
            .help("divide it into several modules"),
    }
}

fn not_repeatable(text: &str, span: Span, what: Unrepeatable) -> Diagnostic {
    let message = format!("`{text}` is another value when the lambda runs again");
    let (label, help) = match what {
        Unrepeatable::Time => (
            "this is the present time",
            "derive the value from the document, as from the time in `_meta.uuid`",
        ),
        Unrepeatable::Random => {
            ("this has another value at each call", "derive the value from the document")
        }
    };
    Diagnostic::new(&rules::LAMBDA_NOT_REPEATABLE, span, message)
        .label(label)
        .note("a transaction that failed is repeated, and so is a task that reads anew")
        .help(help)
}

fn module_not_text(span: Span) -> Diagnostic {
    Diagnostic::new(&rules::LAMBDA_NOT_TEXT, span, "the module is not text")
        .label("this is a value, where TypeScript is expected")
        .help("write the module as text, or name a file that has it")
}

fn module_setting_unused(setting: &Spanned<String>, span: Span) -> Diagnostic {
    let message = format!("`{}` of a module is not used", setting.value);
    Diagnostic::new(&rules::MODULE_SETTING_UNUSED, span, message)
        .label("modules have what they import, and nothing else")
        .help("remove it, and import what the module needs")
}
