//! The linked catalog: every declaration of all files by name, every reference an id or missing.
//!
//! Nothing is looked up by name after [`link`]. Declarations are in order of their names, so ids do not depend on how a
//! catalog is spread over files. Of two declarations of one name the first is kept; the other has been reported.

mod bundle;
mod document;
mod link;
mod meaning;
mod names;
mod places;
mod script;
#[cfg(test)]
mod tests;
mod value;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::{CaptureSpec, CollectionSpec, MaterializationSpec, Specs, TestSpec, UsingSpec};
use crate::source::{FileId, Range, Span};

pub(crate) use bundle::declaring_field;
pub use bundle::{Anchor, BundledSchema, SchemaUse, bundle_schema};
pub use link::link;
pub use meaning::SchemaMemo;
pub(crate) use names::{
    NameForm, NameSubject, check_form, collate, colliding_names, duplicate_name,
    is_collection_name, part,
};
pub use script::{ScriptAbsence, ScriptSource};
pub use value::SourceValue;

/// A collection of the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CollectionId(pub u32);

/// All declarations, linked; each list is in order of names.
#[derive(Debug, Default)]
pub struct Catalog {
    /// Collections, derivations among them; indexed by [`CollectionId`].
    pub collections: Vec<Collection>,
    /// Captures.
    pub captures: Vec<Capture>,
    /// Materializations.
    pub materializations: Vec<Materialization>,
    /// Tests.
    pub tests: Vec<Test>,
}

impl Catalog {
    /// A collection by its id.
    pub fn collection(&self, id: CollectionId) -> &Collection {
        self.collections.get(id.0 as usize).expect("ids come from this catalog")
    }

    /// The id of a collection of this catalog.
    pub fn id_of(&self, collection: &Collection) -> CollectionId {
        let found = self.collections.binary_search_by(|each| each.name().cmp(collection.name()));
        let index = found.expect("it is a collection of this catalog, and they are in order");
        CollectionId(u32::try_from(index).expect("ids are small"))
    }

    /// The names of all tasks: captures, materializations and collections that derive.
    pub fn tasks(&self) -> BTreeSet<&str> {
        let captures = self.captures.iter().map(Capture::name);
        let materializations = self.materializations.iter().map(Materialization::name);
        let derives = |collection: &&Collection| collection.spec().derive.is_some();
        let derivations = self.collections.iter().filter(derives).map(Collection::name);
        captures.chain(materializations).chain(derivations).collect()
    }

    /// Whether a collection of this name is derived by a TypeScript module.
    pub fn has_module(&self, name: &str) -> bool {
        let using = |collection: &Collection| {
            let using = collection.spec().derive.as_ref().and_then(|derive| derive.using.as_ref());
            matches!(using, Some(UsingSpec::TypeScript { .. }))
        };
        self.collections.iter().any(|collection| collection.name() == name && using(collection))
    }

    /// All collections with their ids.
    pub fn collections(&self) -> impl Iterator<Item = (CollectionId, &Collection)> {
        (0u32..).map(CollectionId).zip(&self.collections)
    }
}

/// A place that names a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    /// The name as it is written; where it is absent, the declaration that should have it.
    pub span: Span,
    /// The collection; `None` when it is missing, which has been reported (or does not matter, because whoever refers
    /// to it is disabled).
    pub target: Option<CollectionId>,
}

/// One declaration among those of its file.
#[derive(Debug, Clone)]
struct Place {
    file: FileId,
    specs: Arc<Specs>,
    index: usize,
}

/// A collection.
#[derive(Debug, Clone)]
pub struct Collection {
    place: Place,
    /// What each transform reads, in order of the transforms; empty when it is no derivation.
    pub sources: Vec<Reference>,
}

/// A capture.
#[derive(Debug, Clone)]
pub struct Capture {
    place: Place,
    /// Where each binding goes, in order of the bindings.
    pub targets: Vec<Reference>,
}

/// A materialization.
#[derive(Debug, Clone)]
pub struct Materialization {
    place: Place,
    /// What each binding reads, in order of the bindings.
    pub sources: Vec<Reference>,
}

/// A test.
#[derive(Debug, Clone)]
pub struct Test {
    place: Place,
    /// The collection of each step, in order of the steps.
    pub collections: Vec<Reference>,
}

macro_rules! declaration {
    ($declaration:ty, $spec:ty, $list:ident) => {
        impl $declaration {
            /// The file that declares it.
            pub fn file(&self) -> FileId {
                self.place.file
            }

            /// Its place among those that its file declares.
            pub(crate) fn index(&self) -> usize {
                self.place.index
            }

            /// What is declared.
            pub fn spec(&self) -> &$spec {
                self.place.specs.$list.get(self.place.index).expect("linking counted them")
            }

            /// Its name.
            pub fn name(&self) -> &str {
                &self.spec().name.value
            }

            /// Where its name is declared.
            pub fn name_span(&self) -> Span {
                self.span(self.spec().name.range)
            }

            /// Bytes of its file as a span.
            pub fn span(&self, range: Range) -> Span {
                range.in_file(self.place.file)
            }
        }
    };
}

declaration!(Collection, CollectionSpec, collections);
declaration!(Capture, CaptureSpec, captures);
declaration!(Materialization, MaterializationSpec, materializations);
declaration!(Test, TestSpec, tests);
