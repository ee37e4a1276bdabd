//! Names of types as values, so that modules that name them in an import can still be linked.
//!
//! `import { Person } from './person.ts'` says nothing of whether `Person` is a type, so the import is left in the
//! JavaScript. The module that declares the type therefore exports a value of that name, which nobody looks at.

use std::collections::BTreeSet;

use swc_ecma_ast::{Decl, ExportSpecifier, Module, ModuleDecl, ModuleItem, Pat, Stmt};

use crate::imports::text;

/// What is added to the end of the JavaScript; nothing for most modules.
pub(crate) fn of_types(module: &Module) -> String {
    let mut names = Names::default();
    module.body.iter().for_each(|item| names.item(item));
    let Names { exported, declared, listed, values } = names;
    let exported = exported.difference(&values);
    let listed = declared.intersection(&listed).filter(|name| !values.contains(*name));
    let mut code = String::new();
    for name in exported {
        code.push_str(&format!("\nexport const {name} = undefined;"));
    }
    for name in listed {
        code.push_str(&format!("\nconst {name} = undefined;"));
    }
    code
}

#[derive(Default)]
struct Names {
    /// Types that are exported where they are declared.
    exported: BTreeSet<String>,
    /// Types that are declared and not exported there.
    declared: BTreeSet<String>,
    /// What lists of exports name.
    listed: BTreeSet<String>,
    /// Values of the module.
    values: BTreeSet<String>,
}

impl Names {
    fn item(&mut self, item: &ModuleItem) {
        match item {
            ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => {
                if let Some(name) = type_name(&export.decl) {
                    self.exported.insert(name);
                }
                self.value(&export.decl);
            }
            ModuleItem::ModuleDecl(ModuleDecl::Import(import)) => {
                let locals = import.specifiers.iter().map(|each| each.local().sym.to_string());
                self.values.extend(locals);
            }
            ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export))
                if export.src.is_none() && !export.type_only =>
            {
                for specifier in &export.specifiers {
                    if let ExportSpecifier::Named(named) = specifier
                        && !named.is_type_only
                    {
                        self.listed.insert(text(&named.orig));
                    }
                }
            }
            ModuleItem::Stmt(Stmt::Decl(declaration)) => {
                self.declared.extend(type_name(declaration));
                self.value(declaration);
            }
            ModuleItem::ModuleDecl(_) | ModuleItem::Stmt(_) => {}
        }
    }

    fn value(&mut self, declaration: &Decl) {
        match declaration {
            Decl::Class(class) => {
                self.values.insert(class.ident.sym.to_string());
            }
            Decl::Fn(function) => {
                self.values.insert(function.ident.sym.to_string());
            }
            Decl::Var(variables) => {
                let names = variables.decls.iter().filter_map(|variable| match &variable.name {
                    Pat::Ident(binding) => Some(binding.id.sym.to_string()),
                    _ => None,
                });
                self.values.extend(names);
            }
            Decl::Using(_)
            | Decl::TsInterface(_)
            | Decl::TsTypeAlias(_)
            | Decl::TsEnum(_)
            | Decl::TsModule(_) => {}
        }
    }
}

fn type_name(declaration: &Decl) -> Option<String> {
    match declaration {
        Decl::TsInterface(interface) => Some(interface.id.sym.to_string()),
        Decl::TsTypeAlias(alias) => Some(alias.id.sym.to_string()),
        _ => None,
    }
}
