//! The table of a materialization's binding, whatever the dialect.

use tidegate_stdlib::bundle::{ColumnRole, ColumnStorage, Projection};

use crate::check::{CheckedCollection, CheckedMaterializationBinding};
use crate::dialect::{Column, Content, Table, Uniqueness};

/// The table of a binding, under the name `name`, of the fields selected from `collection`.
pub(super) fn table(
    name: &str,
    binding: &CheckedMaterializationBinding,
    collection: &CheckedCollection,
) -> Table {
    let fields = &binding.fields;
    let keys = fields.keys.iter().map(|field| column(field, ColumnRole::Key));
    let values = fields.values.iter().map(|field| column(field, ColumnRole::Value));
    let document = fields.document.iter().map(|field| column(field, ColumnRole::Document));
    let shape = &collection.effective_read_schema().shape;
    Table {
        name: name.to_owned(),
        comment: comment(shape.title.as_deref(), shape.description.as_deref()),
        uniqueness: if binding.delta_updates {
            Uniqueness::RowPerDocument
        } else {
            Uniqueness::RowPerKey
        },
        columns: keys.chain(values).chain(document).collect(),
    }
}

fn column(field: &Projection, role: ColumnRole) -> Column {
    Column {
        field: field.field.clone(),
        pointer: field.pointer.clone(),
        role,
        content: match role {
            ColumnRole::Document => {
                Content { storage: ColumnStorage::Json, is_numeric_text: false }
            }
            ColumnRole::Key | ColumnRole::Value => content(field),
        },
        default: field.default.clone(),
        nullable: match role {
            ColumnRole::Document => false,
            ColumnRole::Key => may_be_null(field),
            // Whether a value is required may change with the schema; a table stays as it was made.
            ColumnRole::Value => true,
        },
        comment: comment(field.title.as_deref(), field.description.as_deref()),
    }
}

fn may_be_null(field: &Projection) -> bool {
    let has_default = field.default.as_ref().is_some_and(|default| !default.is_null());
    field.types.iter().any(|name| name == "null") || !field.required && !has_default
}

/// What a column of a field holds. Values of several types share a column as JSON, but for numbers that may also be written
/// as strings.
fn content(field: &Projection) -> Content {
    let types: Vec<&str> =
        field.types.iter().map(String::as_str).filter(|name| *name != "null").collect();
    let is_text = types.contains(&"string");
    let storage = match (types.as_slice(), field.format.as_deref()) {
        (["boolean"], _) => ColumnStorage::Boolean,
        (["integer"], _) | (["string"] | ["integer", "string"], Some("integer")) => {
            ColumnStorage::Integer
        }
        (["number"], _)
        | (["string"] | ["integer", "string"] | ["number", "string"], Some("number")) => {
            ColumnStorage::Number
        }
        (["string"], Some("date-time")) => ColumnStorage::Timestamp,
        (["string"], _) if field.content_encoding.as_deref() == Some("base64") => {
            ColumnStorage::Binary
        }
        (["string"], _) => ColumnStorage::Text,
        _ => ColumnStorage::Json,
    };
    let is_number = matches!(storage, ColumnStorage::Integer | ColumnStorage::Number);
    Content { storage, is_numeric_text: is_number && is_text }
}

fn comment(title: Option<&str>, description: Option<&str>) -> Option<String> {
    match (title, description) {
        (Some(title), Some(description)) => Some(format!("{title}: {description}")),
        (Some(text), None) | (None, Some(text)) => Some(text.to_owned()),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(types: &[&str], format: Option<&str>) -> Projection {
        Projection {
            field: "f".to_owned(),
            pointer: "/f".to_owned(),
            explicit: false,
            partition: false,
            types: types.iter().map(|&name| name.to_owned()).collect(),
            required: true,
            format: format.map(str::to_owned),
            content_encoding: None,
            default: None,
            title: None,
            description: None,
        }
    }

    #[test]
    fn what_a_column_holds_follows_from_types_and_format() {
        let cases: &[(&[&str], Option<&str>, ColumnStorage, bool)] = &[
            (&["boolean"], None, ColumnStorage::Boolean, false),
            (&["integer", "null"], None, ColumnStorage::Integer, false),
            (&["string"], Some("integer"), ColumnStorage::Integer, true),
            (&["integer", "string"], Some("integer"), ColumnStorage::Integer, true),
            (&["number"], None, ColumnStorage::Number, false),
            (&["null", "number", "string"], Some("number"), ColumnStorage::Number, true),
            (&["string"], Some("date-time"), ColumnStorage::Timestamp, false),
            (&["string"], Some("email"), ColumnStorage::Text, false),
            (&["integer", "string"], None, ColumnStorage::Json, false),
            (&["array"], None, ColumnStorage::Json, false),
            (&["null"], None, ColumnStorage::Json, false),
            (&[], None, ColumnStorage::Json, false),
        ];
        for (types, format, storage, is_numeric_text) in cases {
            let expected = Content { storage: *storage, is_numeric_text: *is_numeric_text };
            assert_eq!(content(&field(types, *format)), expected, "{types:?} {format:?}");
        }
        let mut binary = field(&["string"], None);
        binary.content_encoding = Some("base64".to_owned());
        assert_eq!(content(&binary).storage, ColumnStorage::Binary);
    }

    #[test]
    fn a_key_is_null_only_when_nothing_stands_for_it() {
        let mut key = field(&["string"], None);
        assert!(!may_be_null(&key));
        key.required = false;
        assert!(may_be_null(&key));
        key.default = Some("none".into());
        assert!(!may_be_null(&key));
        key.types.push("null".to_owned());
        assert!(may_be_null(&key));
    }
}
