//! The class that derives, and its members.

use std::ops::Range;

use swc_common::Spanned;
use swc_ecma_ast::{
    Class as ClassTree, ClassMember, Decl, DefaultDecl, ExportSpecifier, Expr, Ident, MethodKind,
    Module as Tree, ModuleDecl, ModuleItem, Param, Pat, PropName, Stmt,
};

use crate::imports::text;
use crate::{Module, Places};

/// A class declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// Where its name stands.
    pub name: Range<usize>,
    /// Where its declaration begins.
    pub start: usize,
    /// Where the brace that closes its body stands.
    pub end: usize,
    /// Whether it is exported under the name that was asked for.
    pub is_exported: bool,
    /// The name of the class that it extends; `None` when it extends none, or what is no name.
    pub base: Option<String>,
    /// Whether it extends anything.
    pub has_base: bool,
    /// Its members that have a name, but not the constructor.
    pub members: Vec<Member>,
}

/// A member of a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub range: Range<usize>,
    /// What it is.
    pub kind: MemberKind,
}

/// What a member is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberKind {
    /// A method, or a property that holds a function.
    Method {
        /// Where the first parameter stands that a call with one argument leaves out, if the method needs it.
        second_parameter: Option<Range<usize>>,
    },
    /// A method of the class, not of its instances.
    Static,
    /// Anything else: a property, or a pair of accessors.
    Property,
}

/// Looks for the exported class of a name.
pub(crate) fn find(tree: &Tree, name: &str, places: &Places<'_>, into: &mut Module) {
    let local = local_name(tree, name);
    into.has_foreign_class = local == Local::Foreign;
    let wanted = match &local {
        Local::Here(local) => local.as_str(),
        Local::Foreign => return,
        Local::Unknown => name,
    };
    for item in &tree.body {
        let found = match item {
            ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => {
                class_of(&export.decl, wanted).map(|(ident, class)| {
                    let is_exported = ident.sym == *name || matches!(local, Local::Here(_));
                    (ident, class, export.span.lo, is_exported)
                })
            }
            ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultDecl(export)) => match &export.decl {
                DefaultDecl::Class(class) => class.ident.as_ref().and_then(|ident| {
                    let is_wanted = ident.sym == *wanted;
                    is_wanted.then(|| {
                        let is_exported = matches!(local, Local::Here(_));
                        (ident, &*class.class, export.span.lo, is_exported)
                    })
                }),
                DefaultDecl::Fn(_) | DefaultDecl::TsInterfaceDecl(_) => None,
            },
            ModuleItem::Stmt(Stmt::Decl(declaration)) => {
                class_of(declaration, wanted).map(|(ident, class)| {
                    (ident, class, declaration.span().lo, matches!(local, Local::Here(_)))
                })
            }
            ModuleItem::ModuleDecl(_) | ModuleItem::Stmt(_) => None,
        };
        if let Some((ident, class, start, is_exported)) = found {
            let start = places.range(swc_common::Span::new(start, start)).start;
            into.class = Some(of_tree(ident, class, start, is_exported, places));
            return;
        }
    }
}

/// What the name of an export stands for.
#[derive(Debug, PartialEq, Eq)]
enum Local {
    /// It is declared here, under this name.
    Here(String),
    /// Another module has it.
    Foreign,
    /// No list of exports has it.
    Unknown,
}

fn local_name(tree: &Tree, name: &str) -> Local {
    let mut imported = Vec::new();
    for item in &tree.body {
        let ModuleItem::ModuleDecl(declaration) = item else { continue };
        match declaration {
            ModuleDecl::Import(import) => {
                imported.extend(import.specifiers.iter().map(|each| each.local().sym.to_string()));
            }
            ModuleDecl::ExportAll(_) => {}
            ModuleDecl::ExportNamed(export) if !export.type_only => {
                for specifier in &export.specifiers {
                    let ExportSpecifier::Named(named) = specifier else { continue };
                    let exported = text(named.exported.as_ref().unwrap_or(&named.orig));
                    if exported == name {
                        let local = text(&named.orig);
                        return match export.src.is_some() || imported.contains(&local) {
                            true => Local::Foreign,
                            false => Local::Here(local),
                        };
                    }
                }
            }
            _ => {}
        }
    }
    Local::Unknown
}

/// The class of a name that a declaration makes, if it is one.
fn class_of<'t>(declaration: &'t Decl, name: &str) -> Option<(&'t Ident, &'t ClassTree)> {
    match declaration {
        Decl::Class(class) if class.ident.sym == *name => Some((&class.ident, &class.class)),
        Decl::Var(variables) => variables.decls.iter().find_map(|variable| {
            let Pat::Ident(binding) = &variable.name else { return None };
            let Some(Expr::Class(class)) = variable.init.as_deref() else { return None };
            (binding.id.sym == *name).then_some((&binding.id, &*class.class))
        }),
        _ => None,
    }
}

fn of_tree(
    ident: &Ident,
    class: &ClassTree,
    start: usize,
    is_exported: bool,
    places: &Places<'_>,
) -> Class {
    let base = match class.super_class.as_deref() {
        Some(Expr::Ident(base)) => Some(base.sym.to_string()),
        _ => None,
    };
    Class {
        name: places.range(ident.span),
        start,
        end: places.range(class.span).end.saturating_sub(1),
        is_exported,
        base,
        has_base: class.super_class.is_some(),
        members: class.body.iter().filter_map(|member| of_member(member, places)).collect(),
    }
}

fn of_member(member: &ClassMember, places: &Places<'_>) -> Option<Member> {
    let (key, kind) = match member {
        // An overload has no body: the implementation counts.
        ClassMember::Method(method) if method.function.body.is_none() => return None,
        ClassMember::Method(method) => {
            let kind = match method.kind {
                _ if method.is_static => MemberKind::Static,
                MethodKind::Method => {
                    let patterns = method.function.params.iter().map(|Param { pat, .. }| pat);
                    MemberKind::Method { second_parameter: second_parameter(patterns, places) }
                }
                MethodKind::Getter | MethodKind::Setter => MemberKind::Property,
            };
            (&method.key, kind)
        }
        ClassMember::ClassProp(property) if !property.declare => {
            let kind = match property.value.as_deref() {
                _ if property.is_static => MemberKind::Static,
                Some(Expr::Arrow(arrow)) => {
                    let second_parameter = second_parameter(arrow.params.iter(), places);
                    MemberKind::Method { second_parameter }
                }
                Some(Expr::Fn(function)) => {
                    let patterns = function.function.params.iter().map(|Param { pat, .. }| pat);
                    MemberKind::Method { second_parameter: second_parameter(patterns, places) }
                }
                _ => MemberKind::Property,
            };
            (&property.key, kind)
        }
        _ => return None,
    };
    let name = match key {
        PropName::Ident(name) => name.sym.to_string(),
        PropName::Str(name) => name.value.to_string_lossy().into_owned(),
        PropName::Num(_) | PropName::Computed(_) | PropName::BigInt(_) => return None,
    };
    Some(Member { name, range: places.range(key.span()), kind })
}

/// The second parameter, when a caller has to give it.
fn second_parameter<'p>(
    patterns: impl Iterator<Item = &'p Pat>,
    places: &Places<'_>,
) -> Option<Range<usize>> {
    let second = patterns.into_iter().nth(1)?;
    let is_optional = match second {
        Pat::Ident(binding) => binding.id.optional,
        Pat::Assign(_) | Pat::Rest(_) => true,
        Pat::Array(_) | Pat::Object(_) | Pat::Invalid(_) | Pat::Expr(_) => false,
    };
    (!is_optional).then(|| places.range(second.span()))
}
