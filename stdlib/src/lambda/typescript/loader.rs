//! Modules by the names that the compiler resolved their imports to.

use std::sync::Arc;

use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::Declared;
use rquickjs::{Ctx, Error, Module as ScriptModule, Result};

use crate::bundle::Module;

/// Resolves and loads the files of one module.
pub(super) struct Files(pub(super) Arc<Module>);

impl Resolver for Files {
    fn resolve<'js>(
        &mut self,
        _: &Ctx<'js>,
        base: &str,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> Result<String> {
        let target = self.0.files.get(base).and_then(|file| file.imports.get(name));
        target.cloned().ok_or_else(|| Error::new_resolving(base, name))
    }
}

impl Loader for Files {
    fn load<'js>(
        &mut self,
        context: &Ctx<'js>,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> Result<ScriptModule<'js, Declared>> {
        let file = self.0.files.get(name).ok_or_else(|| Error::new_loading(name))?;
        ScriptModule::declare(context.clone(), name, file.script.text.as_str())
    }
}
