//! The class of a module, and a method for each transform.

use std::collections::BTreeMap;

use tidegate_stdlib::lambda::typescript::{method_name, source_type_name};
use tidegate_typescript::{Class, Feature, Member, MemberKind};

use super::{Part, Subject};
use crate::catalog::Collection;
use crate::diag::{Diagnostic, Edit, Fix, Sink, nearest, rules};
use crate::model::{DeriveSpec, TransformSpec};
use crate::source::{Range, Span};
use crate::typescript::{BASE_CLASS, CLASS, IMPORT_PREFIX, Stub, file_name, module_stub};

/// What a method of a transform cannot be called.
const TAKEN: [&str; 4] = ["constructor", "flush", "reset", "startCommit"];

/// Reports transforms that would call one method, or one that has another purpose.
pub(super) fn check_names(collection: &Collection, derive: &DeriveSpec, sink: &mut Sink) {
    let mut first_of: BTreeMap<String, &TransformSpec> = BTreeMap::new();
    for spec in derive.transforms.iter().filter(|spec| !spec.disable) {
        let method = method_name(&spec.name.value);
        let span = collection.span(spec.name.range);
        if TAKEN.contains(&method.as_str()) || method.is_empty() {
            sink.report(taken_method(&spec.name.value, &method, span));
            continue;
        }
        match first_of.get(&method) {
            Some(first) if first.name.value != spec.name.value => {
                let other = collection.span(first.name.range);
                sink.report(colliding_methods(&spec.name.value, &method, span, other));
            }
            Some(_) => {}
            None => {
                first_of.insert(method, spec);
            }
        }
    }
}

/// Checks the class of the module.
pub(super) fn check(part: &Part, subject: Subject<'_>, sink: &mut Sink) {
    let is_broken = part
        .module
        .problems
        .iter()
        .any(|problem| problem.kind == tidegate_typescript::ProblemKind::Syntax);
    // What another module exports, or what stands behind a mistake of syntax, is not known.
    if part.module.has_foreign_class || is_broken && part.module.class.is_none() {
        return;
    }
    let Some(class) = &part.module.class else {
        sink.report(missing_class(part, subject));
        return;
    };
    if !class.is_exported {
        sink.report(class_not_exported(part, class));
    }
    let may_inherit = class.has_base && class.base.as_deref() != Some(BASE_CLASS);
    for transform in subject.transforms {
        let method = method_name(&transform.name);
        if method.is_empty() || TAKEN.contains(&method.as_str()) {
            continue;
        }
        match class.members.iter().rfind(|member| member.name == method) {
            Some(member) => check_member(part, member, transform.span, sink),
            None if may_inherit || is_broken || !subject.is_settled => {}
            None => {
                sink.report(missing_method(part, class, &transform.name, transform.span, subject))
            }
        }
    }
}

fn check_member(part: &Part, member: &Member, transform: Span, sink: &mut Sink) {
    let (range, what, label) = match &member.kind {
        MemberKind::Method { second_parameter: None } => return,
        MemberKind::Method { second_parameter: Some(second) } => {
            (second, "wants more than one argument", "nothing is given for this one")
        }
        MemberKind::Static => {
            (&member.range, "belongs to the class", "it is called on an instance of the class")
        }
        MemberKind::Property => (&member.range, "is no method", "it is called for each document"),
    };
    let span = part.source.span(range.clone());
    let message = format!("`{}` {what}", member.name);
    let diagnostic = Diagnostic::new(&rules::WRONG_METHOD, span, message)
        .label(label)
        .also(transform, "this transform calls it")
        .help(format!("write it as `{}(read) {{ … }}`", member.name));
    sink.report(diagnostic);
}

/// What to write instead of what is more than types.
pub(super) fn instead_of(feature: Feature) -> &'static str {
    match feature {
        Feature::Enum => "write an object, as in `const Tier = { Gold: \"gold\" } as const`",
        Feature::Namespace => "write a module of its own, or an object",
        Feature::ParameterProperty => "declare the property in the class, and assign it",
        Feature::TypeAssertion => "write `value as T`",
        Feature::Other => "write it in JavaScript",
    }
}

/// Adds what the stub of a method names to the import of the types, if there is one.
fn imported(part: &Part, transform: &str, subject: Subject<'_>) -> Option<Edit> {
    let own = format!("{IMPORT_PREFIX}{}", file_name(subject.collection.name()));
    let mut imports = part.module.imports.iter().filter(|import| import.specifier == own);
    let import = imports.find(|import| !import.is_of_types)?;
    let known: Vec<&str> = import.names.iter().map(|name| name.name.as_str()).collect();
    let wanted = ["Document".to_owned(), source_type_name(transform)];
    let missing = wanted.into_iter().filter(|name| !known.contains(&name.as_str()));
    let text: String = missing.map(|name| format!(", {name}")).collect();
    let last = import.names.last().filter(|_| !text.is_empty())?;
    let end = part.source.span(last.range.end..last.range.end);
    Some(Edit { span: end, text })
}

fn taken_method(transform: &str, method: &str, span: Span) -> Diagnostic {
    let message = format!("no method can be called for `{transform}`");
    let label = match method {
        "" => "its name has neither letters nor digits".to_owned(),
        method => format!("`{method}` has a purpose of its own in the class"),
    };
    Diagnostic::new(&rules::COLLIDING_METHODS, span, message)
        .label(label)
        .help("give the transform another name")
}

fn colliding_methods(transform: &str, method: &str, span: Span, other: Span) -> Diagnostic {
    let message = format!("`{transform}` calls the method of another transform");
    Diagnostic::new(&rules::COLLIDING_METHODS, span, message)
        .label(format!("its method is `{method}`"))
        .also(other, "this transform calls the same method")
        .help("give one of them another name")
}

fn missing_class(part: &Part, subject: Subject<'_>) -> Diagnostic {
    let text = &part.source.script.text;
    let first = text.lines().next().map_or(0, str::len);
    let span = part.source.span(0..first);
    let diagnostic = Diagnostic::new(
        &rules::MISSING_CLASS,
        span,
        format!("the module exports no class `{CLASS}`"),
    )
    .label("an instance of it makes what is published")
    .also(subject.collection.name_span(), "this collection is derived by the module");
    if text.trim().is_empty() {
        let fix = Fix::replace(span, module_stub(subject.types), "write a class to begin with");
        return diagnostic.fix(fix.unsafe_to_apply());
    }
    diagnostic.help(format!("write `export class {CLASS} extends {BASE_CLASS} {{ … }}`"))
}

fn class_not_exported(part: &Part, class: &Class) -> Diagnostic {
    let span = part.source.span(class.name.clone());
    let start = part.source.span(class.start..class.start);
    let is_default =
        part.source.script.text.get(class.start..).is_some_and(|text| text.starts_with("export"));
    let message = format!("the class `{CLASS}` is not exported by its name");
    let diagnostic =
        Diagnostic::new(&rules::MISSING_CLASS, span, message).label("nobody outside can see it");
    match is_default {
        true => diagnostic.help(format!("write `export class {CLASS}`")),
        false => diagnostic.fix(Fix::replace(start, "export ", "export it")),
    }
}

fn missing_method(
    part: &Part,
    class: &Class,
    transform: &str,
    place: Span,
    subject: Subject<'_>,
) -> Diagnostic {
    let method = method_name(transform);
    let span = part.source.span(class.name.clone());
    let diagnostic = Diagnostic::new(
        &rules::MISSING_METHOD,
        span,
        format!("the class has no method `{method}`"),
    )
    .label("documents of a transform have nowhere to go")
    .also(place, format!("the transform `{transform}` calls `{method}`"));
    let called: Vec<String> =
        subject.transforms.iter().map(|transform| method_name(&transform.name)).collect();
    let others = class.members.iter().map(|member| member.name.as_str());
    let others = others.filter(|name| !called.iter().any(|called| called == name));
    match nearest(&method, others) {
        Some(near) => diagnostic.help(format!("a method of a similar name exists: `{near}`")),
        None => diagnostic.fix(added(part, class, transform, subject)),
    }
}

/// Writes a method at the end of the class, and imports the types that it names.
fn added(part: &Part, class: &Class, transform: &str, subject: Subject<'_>) -> Fix {
    let text = &part.source.script.text;
    let before = text.get(..class.end).unwrap_or_default();
    // The brace that closes the class keeps its line, when it has one for itself.
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    let is_alone = before.get(line..).is_some_and(|rest| rest.trim().is_empty()) && line > 0;
    let at = if is_alone { line } else { class.end };
    let gap = match () {
        () if !is_alone => "\n",
        () if class.members.is_empty() => "",
        () => "\n",
    };
    let span = part.source.span(at..at);
    let place = Range::new(span.range.start, span.range.start).in_file(span.file);
    let text = format!("{gap}{}", Stub { transform }.text());
    let mut edits = vec![Edit { span: place, text }];
    edits.extend(imported(part, transform, subject));
    Fix {
        edits,
        ..Fix::replace(place, "", format!("write the method `{}`", method_name(transform)))
    }
    .unsafe_to_apply()
}
