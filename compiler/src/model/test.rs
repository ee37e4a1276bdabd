//! Tests: a list of steps, or that list with a description.

use super::bind::Binder;
use super::derive::{SOURCE_FORMS, source};
use super::field::{Field, FieldKind, Table};
use super::{Spanned, StepSpec, TestSpec};
use crate::syntax::NodeId;

const STEPS: FieldKind = FieldKind::List(&FieldKind::Object(&STEP));

/// Both forms of a test.
pub(super) static TEST_FORMS: FieldKind = FieldKind::OneOf(&[STEPS, FieldKind::Object(&TEST)]);

/// The long form of a test.
pub(super) static TEST: Table = Table {
    noun: "a test",
    fields: &[
        Field::optional("description", FieldKind::String, "What the test shows"),
        Field::required("steps", STEPS, "What is ingested and what is expected, in order"),
        Field::optional("expectPubId", FieldKind::String, "Publication that is expected"),
        Field::optional("delete", FieldKind::Boolean, "Deletes the test, once"),
    ],
    is_open: false,
};

/// One step.
pub(super) static STEP: Table = Table {
    noun: "a step",
    fields: &[
        Field::optional("ingest", FieldKind::Object(&INGEST), "Puts documents into a collection"),
        Field::optional("verify", FieldKind::Object(&VERIFY), "Compares what a collection holds"),
    ],
    is_open: false,
};

const DOCUMENTS: Field = Field::required(
    "documents",
    FieldKind::OneOf(&[FieldKind::List(&FieldKind::Any), FieldKind::String]),
    "Documents, or the file that holds them",
);

const DESCRIPTION: Field =
    Field::optional("description", FieldKind::String, "What the step is about");

/// `ingest`.
pub(super) static INGEST: Table = Table {
    noun: "`ingest`",
    fields: &[
        Field::required("collection", FieldKind::CollectionName, "Collection that gets documents"),
        DOCUMENTS,
        DESCRIPTION,
    ],
    is_open: false,
};

/// `verify`.
pub(super) static VERIFY: Table = Table {
    noun: "`verify`",
    fields: &[
        Field::required("collection", SOURCE_FORMS, "Collection that is compared"),
        DOCUMENTS,
        DESCRIPTION,
    ],
    is_open: false,
};

pub(super) fn test(
    binder: &mut Binder<'_>,
    name: Spanned<String>,
    node: NodeId,
) -> Option<TestSpec> {
    let is_long = binder.tree.is_mapping(node);
    let steps =
        if is_long { binder.list(node, &TEST, "steps") } else { binder.tree.items(node).to_vec() };
    Some(TestSpec {
        name,
        description: binder.words(node, &TEST, "description"),
        steps: steps.into_iter().filter_map(|item| step(binder, item)).collect(),
        delete: binder.boolean(node, &TEST, "delete"),
    })
}

fn step(binder: &mut Binder<'_>, node: NodeId) -> Option<StepSpec> {
    let form = binder.one_of(node, &STEP, &["ingest", "verify"])?;
    let is_verify = form.value == "verify";
    let (name, table) = if is_verify { ("verify", &VERIFY) } else { ("ingest", &INGEST) };
    let body = binder.object(node, &STEP, name)?;
    Some(StepSpec {
        is_verify,
        key: form.range,
        collection: binder
            .entry(body, table, "collection")
            .and_then(|entry| source(binder, entry.value)),
        documents: binder.documents(body, table, "documents"),
        description: binder.words(body, table, "description"),
    })
}
