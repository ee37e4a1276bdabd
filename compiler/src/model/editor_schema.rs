//! The field tables as a JSON Schema, for editors and other tools that know nothing of this language.
//!
//! It accepts what binding accepts, with two exceptions: what only the text of a value can tell (a time, bytes in base64), and which of
//! several fields of an object exclude each other. Draft 7, because that is what most editors understand.

use serde_json::{Map, Value, json};

use super::field::{Field, FieldKind, Table, tables};

/// The schema of catalog files.
pub fn editor_schema() -> Value {
    let definitions: Map<String, Value> =
        tables().iter().map(|table| (name_of(table), object(table))).collect();
    let root = tables().first().map(|table| reference(table)).unwrap_or_default();
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Tidegate catalog",
        "description": "A catalog file: collections, captures, derivations, materializations and tests.",
        "allOf": [root],
        "definitions": definitions,
    })
}

/// The name of a table's definition: its noun without what only sentences need.
fn name_of(table: &Table) -> String {
    let words = table.noun.replace('`', "");
    let words = words.strip_prefix("a ").or_else(|| words.strip_prefix("an ")).unwrap_or(&words);
    words.replace(' ', "-")
}

fn reference(table: &Table) -> Value {
    json!({"$ref": format!("#/definitions/{}", name_of(table))})
}

fn object(table: &Table) -> Value {
    let mut properties = Map::new();
    for field in table.fields {
        for name in std::iter::once(&field.name).chain(field.aliases) {
            properties.insert((*name).to_owned(), property(field));
        }
    }
    let mut schema = Map::from_iter([
        ("type".to_owned(), json!("object")),
        ("properties".to_owned(), Value::Object(properties)),
    ]);
    let (alone, with_aliases): (Vec<&Field>, Vec<&Field>) = table
        .fields
        .iter()
        .filter(|field| field.required)
        .partition(|field| field.aliases.is_empty());
    let names: Vec<&str> = alone.iter().map(|field| field.name).collect();
    if !names.is_empty() {
        schema.insert("required".to_owned(), json!(names));
    }
    let choices: Vec<Value> = with_aliases.iter().map(|field| any_name(field)).collect();
    if !choices.is_empty() {
        schema.insert("allOf".to_owned(), Value::Array(choices));
    }
    if !table.is_open {
        schema.insert("patternProperties".to_owned(), json!({"^x-": true}));
        schema.insert("additionalProperties".to_owned(), json!(false));
    }
    Value::Object(schema)
}

/// One of the names of a required field is there.
fn any_name(field: &Field) -> Value {
    let names = std::iter::once(&field.name).chain(field.aliases);
    let required: Vec<Value> = names.map(|name| json!({"required": [name]})).collect();
    json!({"anyOf": required})
}

/// A field; one that may be left out may also be null.
fn property(field: &Field) -> Value {
    let mut schema = value(field.kind);
    if !field.required {
        schema = or_null(schema);
    }
    if let Value::Object(keywords) = &mut schema {
        keywords.insert("description".to_owned(), json!(field.docs));
    }
    schema
}

fn or_null(schema: Value) -> Value {
    if schema.as_object().is_some_and(Map::is_empty) {
        return schema;
    }
    json!({"anyOf": [schema, {"type": "null"}]})
}

/// What a kind of value is. A reference stands alone: in draft 7 nothing beside it counts.
fn value(kind: FieldKind) -> Value {
    match kind {
        FieldKind::Boolean => json!({"type": "boolean"}),
        FieldKind::Unsigned => json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}),
        FieldKind::Integer => json!({"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX}),
        FieldKind::String | FieldKind::CollectionName | FieldKind::Pointer | FieldKind::Base64 => {
            json!({"type": "string"})
        }
        FieldKind::Duration => {
            json!({"type": "string", "pattern": "^([0-9]+ ?[a-zA-Zµ]+ ?)+$|^0$"})
        }
        FieldKind::Timestamp => json!({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}"}),
        FieldKind::Word(words) => json!({"enum": words}),
        FieldKind::Any | FieldKind::InlineOrFile => json!({}),
        FieldKind::Schema => json!({"type": ["object", "boolean", "string"]}),
        FieldKind::Object(table) => json!({"allOf": [reference(table)]}),
        FieldKind::List(kind) => json!({"type": "array", "items": value(*kind)}),
        FieldKind::Map(kind) => json!({"type": "object", "additionalProperties": value(*kind)}),
        FieldKind::OneOf(kinds) => {
            let forms: Vec<Value> = kinds.iter().map(|kind| value(*kind)).collect();
            json!({"anyOf": forms})
        }
    }
}
