//! Collections.

use super::bind::Binder;
use super::derive::{DERIVE, derive};
use super::field::{Field, FieldKind, Table};
use super::{CollectionSpec, FragmentsSpec, ProjectionSpec, Spanned};
use crate::syntax::NodeId;

/// A collection.
pub(super) static COLLECTION: Table = Table {
    noun: "a collection",
    fields: &[
        Field::optional("schema", FieldKind::Schema, "Schema of documents, written and read"),
        Field::optional("writeSchema", FieldKind::Schema, "Schema of documents when written"),
        Field::optional("readSchema", FieldKind::Schema, "Schema of documents when read"),
        Field::required(
            "key",
            FieldKind::List(&FieldKind::Pointer),
            "JSON pointers of the key; documents of an equal key are reduced into one",
        ),
        Field::optional(
            "projections",
            FieldKind::Map(&FieldKind::OneOf(&[
                FieldKind::Pointer,
                FieldKind::Object(&PROJECTION),
            ])),
            "Fields by name: locations of documents as columns or partitions",
        ),
        Field::optional("journals", FieldKind::Object(&JOURNALS), "How documents are stored"),
        Field::optional(
            "derive",
            FieldKind::Object(&DERIVE),
            "Makes the collection a derivation of other collections",
        ),
        Field::optional("reset", FieldKind::Boolean, "Throws the collection's data away, once"),
        Field::optional("delete", FieldKind::Boolean, "Deletes the collection, once"),
        Field::optional(
            "expectPubId",
            FieldKind::String,
            "Publication that this declaration expects; it is not used here",
        ),
    ],
    is_open: false,
};

/// The long form of an entry of `projections`.
pub(super) static PROJECTION: Table = Table {
    noun: "a projection",
    fields: &[
        Field::required("location", FieldKind::Pointer, "JSON pointer of the projected value"),
        Field::optional(
            "partition",
            FieldKind::Boolean,
            "Whether documents are stored apart by this field",
        ),
    ],
    is_open: false,
};

/// `journals`.
pub(super) static JOURNALS: Table = Table {
    noun: "`journals`",
    fields: &[Field::required(
        "fragments",
        FieldKind::Object(&FRAGMENTS),
        "How files of a journal are written",
    )],
    is_open: false,
};

/// `journals.fragments`.
pub(super) static FRAGMENTS: Table = Table {
    noun: "`fragments`",
    fields: &[
        Field::optional(
            "compressionCodec",
            FieldKind::Word(&["NONE", "GZIP", "ZSTANDARD", "SNAPPY", "GZIP_OFFLOAD_DECOMPRESSION"]),
            "Compression of fragments",
        ),
        Field::optional("length", FieldKind::Unsigned, "Size of a fragment in MB, 32 to 4096"),
        Field::optional(
            "flushInterval",
            FieldKind::Duration,
            "Longest time before a fragment is written",
        ),
        Field::optional("retention", FieldKind::Duration, "How long fragments are kept"),
    ],
    is_open: false,
};

pub(super) fn collection(
    binder: &mut Binder<'_>,
    name: Spanned<String>,
    node: NodeId,
) -> Option<CollectionSpec> {
    let journals = binder.object(node, &COLLECTION, "journals");
    let fragments = journals.and_then(|journals| binder.object(journals, &JOURNALS, "fragments"));
    Some(CollectionSpec {
        name,
        schema: binder.schema(node, &COLLECTION, "schema"),
        write_schema: binder.schema(node, &COLLECTION, "writeSchema"),
        read_schema: binder.schema(node, &COLLECTION, "readSchema"),
        key: binder.all_strings(node, &COLLECTION, "key"),
        projections: binder.named(node, &COLLECTION, "projections", projection),
        unbound_projections: binder.named(
            node,
            &COLLECTION,
            "projections",
            |binder, field, node| match projection(binder, field.clone(), node) {
                Some(_) => None,
                None => Some(field.value),
            },
        ),
        fragments: fragments.map(|fragments| FragmentsSpec {
            codec: binder.string(fragments, &FRAGMENTS, "compressionCodec"),
            length_mb: binder.unsigned(fragments, &FRAGMENTS, "length"),
            flush_interval_ms: binder.duration(fragments, &FRAGMENTS, "flushInterval"),
        }),
        derive: binder
            .entry(node, &COLLECTION, "derive")
            .and_then(|entry| derive(binder, entry.key_range, entry.value)),
        reset: binder.boolean(node, &COLLECTION, "reset"),
        delete: binder.boolean(node, &COLLECTION, "delete"),
    })
}

fn projection(
    binder: &mut Binder<'_>,
    field: Spanned<String>,
    node: NodeId,
) -> Option<ProjectionSpec> {
    if let Some(location) = binder.text(node) {
        return Some(ProjectionSpec { field, location, partition: false });
    }
    let location = binder.string(node, &PROJECTION, "location")?;
    let partition = match binder.entry(node, &PROJECTION, "partition") {
        Some(entry) if !binder.is_null(entry.value) => {
            binder.boolean(node, &PROJECTION, "partition")?.value
        }
        Some(_) | None => false,
    };
    Some(ProjectionSpec { field, location, partition })
}
