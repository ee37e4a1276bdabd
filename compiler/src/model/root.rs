//! The top level of a catalog file.

use super::Specs;
use super::bind::Binder;
use super::capture::{CAPTURE, capture};
use super::collection::{COLLECTION, collection};
use super::field::{Field, FieldKind, Table};
use super::materialization::{MATERIALIZATION, materialization};
use super::test::{TEST_FORMS, test};
use crate::syntax::NodeId;

/// The top level of a catalog file.
pub(super) static ROOT: Table = Table {
    noun: "a catalog",
    fields: &[
        Field::optional("$schema", FieldKind::String, "JSON Schema of this file, for editors"),
        Field::optional(
            "import",
            FieldKind::List(&FieldKind::String),
            "Other catalog files that belong to this catalog",
        ),
        Field::optional(
            "captures",
            FieldKind::Map(&FieldKind::Object(&CAPTURE)),
            "Captures by name: what brings documents into collections",
        ),
        Field::optional(
            "collections",
            FieldKind::Map(&FieldKind::Object(&COLLECTION)),
            "Collections by name: documents of one schema with a key",
        ),
        Field::optional(
            "materializations",
            FieldKind::Map(&FieldKind::Object(&MATERIALIZATION)),
            "Materializations by name: what keeps tables up to date with collections",
        ),
        Field::optional("tests", FieldKind::Map(&TEST_FORMS), "Tests of derivations by name"),
        Field::optional(
            "storageMappings",
            FieldKind::Any,
            "Places of storage; they are ignored here and belong into `tidegate.toml`",
        ),
    ],
    is_open: false,
};

/// Binds a catalog file that was checked against the table.
pub(super) fn root(binder: &mut Binder<'_>, node: NodeId) -> Specs {
    let imports = binder.strings(node, &ROOT, "import");
    Specs {
        imports: imports.map(|imports| imports.value).unwrap_or_default(),
        captures: binder.named(node, &ROOT, "captures", capture),
        collections: binder.named(node, &ROOT, "collections", collection),
        materializations: binder.named(node, &ROOT, "materializations", materialization),
        tests: binder.named(node, &ROOT, "tests", test),
        problems: Vec::new(),
    }
}
