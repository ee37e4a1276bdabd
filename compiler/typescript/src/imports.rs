//! What a module takes from others.

use std::ops::Range;

use swc_common::Spanned;
use swc_ecma_ast::{
    ExportSpecifier, ImportSpecifier, Module, ModuleDecl, ModuleExportName, ModuleItem, Str,
};

use crate::Places;

/// One import, or one export of what another module has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The other module as written.
    pub specifier: String,
    /// The bytes of the specifier, without its quotes.
    pub range: Range<usize>,
    /// Whether only types are taken: nothing of it is left in the JavaScript.
    pub is_of_types: bool,
    /// Whether it has attributes (`with {type: …}`).
    pub has_attributes: bool,
    /// What is taken by its name.
    pub names: Vec<ImportedName>,
}

/// A name that another module exports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedName {
    /// The name.
    pub name: String,
    /// Where it stands.
    pub range: Range<usize>,
}

/// All imports in order.
pub(crate) fn of(module: &Module, places: &Places<'_>) -> Vec<Import> {
    module.body.iter().filter_map(|item| import(item, places)).collect()
}

fn import(item: &ModuleItem, places: &Places<'_>) -> Option<Import> {
    let ModuleItem::ModuleDecl(declaration) = item else { return None };
    let new = |source: &Str, is_of_types, has_attributes, names| Import {
        specifier: source.value.to_string_lossy().into_owned(),
        range: places.inside_quotes(source.span),
        is_of_types,
        has_attributes,
        names,
    };
    match declaration {
        ModuleDecl::Import(import) => {
            let named = import.specifiers.iter().filter_map(|specifier| match specifier {
                ImportSpecifier::Named(named) => Some(match &named.imported {
                    Some(imported) => name(imported, places),
                    None => ImportedName {
                        name: named.local.sym.to_string(),
                        range: places.range(named.local.span),
                    },
                }),
                ImportSpecifier::Default(default) => Some(ImportedName {
                    name: "default".to_owned(),
                    range: places.range(default.local.span),
                }),
                ImportSpecifier::Namespace(_) => None,
            });
            let names = named.collect();
            let is_of_types = import.type_only
                || !import.specifiers.is_empty()
                    && import.specifiers.iter().all(ImportSpecifier::is_type_only);
            Some(new(&import.src, is_of_types, import.with.is_some(), names))
        }
        ModuleDecl::ExportNamed(export) => {
            let source = export.src.as_deref()?;
            let named = export.specifiers.iter().filter_map(|specifier| match specifier {
                ExportSpecifier::Named(named) => Some(name(&named.orig, places)),
                ExportSpecifier::Namespace(_) | ExportSpecifier::Default(_) => None,
            });
            Some(new(source, export.type_only, export.with.is_some(), named.collect()))
        }
        ModuleDecl::ExportAll(export) => {
            Some(new(&export.src, export.type_only, export.with.is_some(), Vec::new()))
        }
        _ => None,
    }
}

fn name(name: &ModuleExportName, places: &Places<'_>) -> ImportedName {
    ImportedName { name: text(name), range: places.range(name.span()) }
}

/// The name that is exported or imported.
pub(crate) fn text(name: &ModuleExportName) -> String {
    match name {
        ModuleExportName::Ident(identifier) => identifier.sym.to_string(),
        ModuleExportName::Str(string) => string.value.to_string_lossy().into_owned(),
    }
}
