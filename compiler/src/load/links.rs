//! What a file says about other files: a function of its tree and its URL, so it is remembered with them.

use url::Url;

use super::references::{SchemaReference, schema_links};
use crate::model::{
    CollectionSpec, EndpointSpec, InlineOrFile, LocalSpec, ShuffleSpec, Specs, UsingSpec,
};
use crate::source::{Range, Role};
use crate::syntax::{NodeId, Tree};

/// One thing that is said, in the order in which files are loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Link {
    /// A file that has a role.
    File {
        /// The bytes of the reference.
        range: Range,
        /// The reference as written.
        written: String,
        /// What the file is to the catalog.
        role: Role,
    },
    /// A reference of a schema to another.
    Schema(SchemaReference),
    /// A URL that a schema gives itself.
    Identity(String),
}

/// What a file says about other files.
pub(crate) fn links(url: &Url, role: Role, tree: &Tree, specs: Option<&Specs>) -> Vec<Link> {
    let mut links = Links { url, tree, links: Vec::new() };
    match specs {
        Some(specs) => links.of_catalog(specs),
        None if role == Role::Schema => links.of_schema(tree.root()),
        None => {}
    }
    links.links
}

/// The modules that a module takes something from; `place` gives the bytes of its text as bytes of its file.
pub(crate) fn links_of_module(
    text: &str,
    place: impl Fn(std::ops::Range<usize>) -> Range,
) -> Vec<Link> {
    let module = tidegate_typescript::read(text, "");
    let imports = module.imports.into_iter().filter(|import| is_file(&import.specifier));
    imports
        .map(|import| Link::File {
            range: place(import.range),
            written: import.specifier,
            role: Role::Module,
        })
        .collect()
}

/// Whether an import names a file, by its path or its URL.
pub(crate) fn is_file(specifier: &str) -> bool {
    ["./", "../", "/", "https://", "http://"].iter().any(|start| specifier.starts_with(start))
}

struct Links<'l> {
    url: &'l Url,
    tree: &'l Tree,
    links: Vec<Link>,
}

impl Links<'_> {
    fn of_catalog(&mut self, specs: &Specs) {
        for import in &specs.imports {
            self.file(import.range, &import.value, Role::Catalog);
        }
        for capture in &specs.captures {
            let endpoint = capture.endpoint.as_ref();
            self.of_endpoint(endpoint.map(|endpoint| &endpoint.value));
            for binding in &capture.bindings {
                self.of_config(binding.resource.as_ref());
            }
        }
        for collection in &specs.collections {
            self.of_collection(collection);
        }
        for materialization in &specs.materializations {
            let endpoint = materialization.endpoint.as_ref();
            self.of_endpoint(endpoint.map(|endpoint| &endpoint.value));
            for binding in materialization.bindings.iter().filter(|binding| !binding.disable) {
                self.of_config(binding.resource.as_ref());
            }
        }
        for step in specs.tests.iter().flat_map(|test| &test.steps) {
            if let Some(InlineOrFile::File(documents)) = &step.documents {
                self.file(documents.range, &documents.value, Role::Fixture);
            }
        }
    }

    fn of_collection(&mut self, collection: &CollectionSpec) {
        let schemas = [&collection.schema, &collection.write_schema, &collection.read_schema];
        for schema in schemas.into_iter().flatten() {
            match schema {
                InlineOrFile::Inline(value) => self.of_schema(value.node),
                InlineOrFile::File(reference) => {
                    self.file(reference.range, &reference.value, Role::Schema);
                }
            }
        }
        let Some(derive) = &collection.derive else { return };
        match &derive.using {
            Some(UsingSpec::Sqlite { migrations, .. }) => {
                migrations.iter().for_each(|migration| self.of_config(Some(migration)));
            }
            Some(UsingSpec::TypeScript { module: Some(module), .. }) => self.of_module(module),
            Some(UsingSpec::Local { process: Some(process), .. }) => {
                self.of_config(process.config.as_ref());
            }
            Some(
                UsingSpec::TypeScript { module: None, .. }
                | UsingSpec::Local { process: None, .. }
                | UsingSpec::Other(_),
            )
            | None => {}
        }
        for transform in &derive.transforms {
            if let Some(ShuffleSpec::Lambda(lambda)) = &transform.shuffle {
                self.of_config(Some(lambda));
            }
            self.of_config(transform.lambda.as_ref());
        }
    }

    fn of_module(&mut self, module: &InlineOrFile) {
        match module {
            InlineOrFile::File(reference) => {
                self.file(reference.range, &reference.value, Role::Module);
            }
            InlineOrFile::Inline(inline) => {
                let Some(text) = self.tree.string(inline.node) else { return };
                let links =
                    links_of_module(&text.value, |range| text.place(range.start, range.end));
                self.links.extend(links);
            }
        }
    }

    fn of_endpoint(&mut self, endpoint: Option<&EndpointSpec>) {
        match endpoint {
            Some(
                EndpointSpec::Connector { config, .. }
                | EndpointSpec::Local(LocalSpec { config, .. }),
            ) => self.of_config(config.as_ref()),
            Some(EndpointSpec::Other(_)) | None => {}
        }
    }

    fn of_config(&mut self, config: Option<&InlineOrFile>) {
        if let Some(InlineOrFile::File(reference)) = config {
            self.file(reference.range, &reference.value, Role::Config);
        }
    }

    fn of_schema(&mut self, schema: NodeId) {
        let found = schema_links(self.tree, schema, self.url);
        self.links.extend(found.identities.into_iter().map(Link::Identity));
        self.links.extend(found.references.into_iter().map(Link::Schema));
    }

    fn file(&mut self, range: Range, written: &str, role: Role) {
        self.links.push(Link::File { range, written: written.to_owned(), role });
    }
}
