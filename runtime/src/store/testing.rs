//! What the tests of this module share.

use tidegate_stdlib::bundle::{Collection, Fragments, Origin, Projection};

/// A collection that is partitioned by top-level properties.
pub(crate) fn collection(name: &str, partitions: &[&str]) -> Collection {
    Collection {
        name: name.to_owned(),
        key: vec!["/id".to_owned()],
        write_schema: true.into(),
        read_schema: None,
        projections: partitions.iter().map(|field| partition(field)).collect(),
        fragments: Fragments::default(),
        origin: Origin::default(),
        write_schema_origins: Default::default(),
        read_schema_origins: Default::default(),
    }
}

fn partition(field: &str) -> Projection {
    Projection {
        field: field.to_owned(),
        pointer: format!("/{field}"),
        explicit: true,
        partition: true,
        types: vec!["string".to_owned()],
        required: false,
        format: None,
        content_encoding: None,
        default: None,
        title: None,
        description: None,
    }
}
