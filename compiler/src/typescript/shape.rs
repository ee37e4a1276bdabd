//! Shapes as types.
//!
//! A type admits every value that its shape admits, and says what TypeScript can say of it: no bounds, patterns or
//! formats.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use percent_encoding::percent_decode_str;
use tidegate_stdlib::shape::{ArrayShape, ObjectShape, PropertyShape, Provenance, Shape, Types};

use super::{comment, is_identifier};

/// The names of types by the JSON pointers of the parts of a schema that they are the types of.
pub(super) type Named = BTreeMap<String, String>;

/// The type of a part of a schema that has a name. It is written out, unless it is nothing but a reference to another
/// part.
pub(super) fn definition(shape: &Shape, pointer: &str, named: &Named) -> String {
    let is_itself = referred(shape).as_deref() == Some(pointer);
    let writer = Writer { named };
    let written = if is_itself { writer.written_out(shape, 0) } else { writer.type_of(shape, 0) };
    written.text
}

/// A type as text.
struct Type {
    text: String,
    /// Whether it needs parentheses where something is appended.
    is_union: bool,
}

impl Type {
    fn single(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_union: false }
    }

    /// The union of types, in this order and without repetitions.
    fn union(members: Vec<String>) -> Self {
        let mut seen = BTreeSet::new();
        let mut members = members;
        members.retain(|member| seen.insert(member.clone()));
        if members.iter().any(|member| member == UNKNOWN) {
            return Self::single(UNKNOWN);
        }
        match members.as_slice() {
            [] => Self::single("never"),
            _ => Self { is_union: members.len() > 1, text: members.join(" | ") },
        }
    }

    /// The type as an item of a list.
    fn parenthesised(self) -> String {
        if self.is_union { format!("({})", self.text) } else { self.text }
    }
}

const UNKNOWN: &str = "unknown";

struct Writer<'n> {
    named: &'n Named,
}

impl Writer<'_> {
    /// The type of a shape; `depth` is how far its lines are indented.
    fn type_of(&self, shape: &Shape, depth: usize) -> Type {
        let name = referred(shape).and_then(|pointer| self.named.get(&pointer));
        match name {
            Some(name) => Type::single(name),
            None => self.written_out(shape, depth),
        }
    }

    fn written_out(&self, shape: &Shape, depth: usize) -> Type {
        if let Some(values) = &shape.enumeration {
            return Type::union(values.iter().map(ToString::to_string).collect());
        }
        if is_anything(shape) {
            return Type::single(UNKNOWN);
        }
        let mut members = Vec::new();
        let has = |types: Types| shape.types.overlaps(types);
        if has(Types::OBJECT) {
            members.push(self.object(&shape.object, depth));
        }
        if has(Types::ARRAY) {
            members.push(self.array(&shape.array, depth));
        }
        let scalars = [
            (Types::BOOLEAN, "boolean"),
            (Types::NUMBER, "number"),
            (Types::STRING, "string"),
            (Types::NULL, "null"),
        ];
        members.extend(
            scalars.iter().filter(|(types, _)| has(*types)).map(|(_, word)| (*word).into()),
        );
        Type::union(members)
    }

    fn object(&self, object: &ObjectShape, depth: usize) -> String {
        let index = self.index(object, depth + 1);
        if object.properties.is_empty() {
            let values = index.as_deref().unwrap_or(match &object.additional {
                Some(_) => "never",
                None => UNKNOWN,
            });
            return format!("Record<string, {values}>");
        }
        let indent = "    ".repeat(depth + 1);
        let mut text = "{\n".to_owned();
        for PropertyShape { name, required, shape } in &object.properties {
            text.push_str(&comment(&indent, shape.title.as_deref(), shape.description.as_deref()));
            let name = if is_identifier(name) {
                name.clone()
            } else {
                serde_json::Value::from(name.as_str()).to_string()
            };
            let mark = if *required { "" } else { "?" };
            let value = self.type_of(shape, depth + 1).text;
            writeln!(text, "{indent}{name}{mark}: {value};").expect("a string takes text");
        }
        if let Some(index) = index {
            writeln!(text, "{indent}[k: string]: {index};").expect("a string takes text");
        }
        text.push_str(&"    ".repeat(depth));
        text.push('}');
        text
    }

    /// The type of properties whose names are not known. TypeScript wants it to admit the named ones too.
    fn index(&self, object: &ObjectShape, depth: usize) -> Option<String> {
        let others = object.additional.as_deref().filter(|shape| !shape.types.is_none());
        let unnamed = object.patterns.iter().map(|pattern| &pattern.shape).chain(others);
        let unnamed: Vec<&Shape> = unnamed.collect();
        if unnamed.is_empty() {
            return None;
        }
        let named = object.properties.iter().map(|property| &property.shape);
        let mut members: Vec<String> =
            named.chain(unnamed).map(|shape| self.type_of(shape, depth).text).collect();
        if object.properties.iter().any(|property| !property.required) {
            members.push("undefined".to_owned());
        }
        Some(Type::union(members).text)
    }

    fn array(&self, array: &ArrayShape, depth: usize) -> String {
        let others = array.additional.as_deref();
        if array.tuple.is_empty() {
            let items = others.map_or_else(
                || UNKNOWN.to_owned(),
                |items| self.type_of(items, depth).parenthesised(),
            );
            return format!("{items}[]");
        }
        let mut items = Vec::new();
        for (index, item) in (0u64..).zip(&array.tuple) {
            let item = self.type_of(item, depth);
            items.push(if index < array.min_items {
                item.text
            } else {
                format!("{}?", item.parenthesised())
            });
        }
        if let Some(others) = others.filter(|others| !others.types.is_none()) {
            items.push(format!("...{}[]", self.type_of(others, depth).parenthesised()));
        }
        format!("[{}]", items.join(", "))
    }
}

/// The part of the schema that a shape is the shape of, when nothing else speaks of it.
fn referred(shape: &Shape) -> Option<String> {
    let Provenance::Reference(reference) = &shape.provenance else { return None };
    let pointer = percent_decode_str(reference.strip_prefix('#')?).decode_utf8().ok()?;
    Some(pointer.into_owned())
}

fn is_anything(shape: &Shape) -> bool {
    shape.types == Types::ANY
        && shape.object == ObjectShape::default()
        && shape.array.tuple.is_empty()
        && shape.array.additional.is_none()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn type_of(schema: &Value) -> String {
        Writer { named: &Named::new() }.type_of(&Shape::infer(schema), 0).text
    }

    #[test]
    fn types_of_values() {
        let cases = [
            (json!(true), "unknown"),
            (json!(false), "never"),
            (json!({"type": "integer", "minimum": 3}), "number"),
            (
                json!({"type": ["null", "string", "number", "boolean"]}),
                "boolean | number | string | null",
            ),
            (json!({"enum": ["b", 1, "a", null]}), "null | 1 | \"a\" | \"b\""),
            (json!({"const": "x\"y"}), "\"x\\\"y\""),
        ];
        for (schema, expected) in cases {
            assert_eq!(type_of(&schema), expected, "{schema}");
        }
    }

    #[test]
    fn unions_in_lists_have_parentheses() {
        let strings = json!({"type": ["string", "null"]});
        let cases = [
            (json!({"type": "array"}), "unknown[]"),
            (json!({"type": "array", "items": {"type": "string"}}), "string[]"),
            (json!({"type": "array", "items": strings}), "(string | null)[]"),
            (json!({"type": "array", "items": {"enum": ["a", "b"]}}), "(\"a\" | \"b\")[]"),
            (
                json!({"type": "array", "items": {"type": "array", "items": strings}}),
                "(string | null)[][]",
            ),
        ];
        for (schema, expected) in cases {
            assert_eq!(type_of(&schema), expected, "{schema}");
        }
    }

    #[test]
    fn tuples_may_end_early_and_go_on() {
        let tuple = |more: Value| {
            let mut schema = json!({
                "type": "array", "minItems": 1,
                "prefixItems": [{"type": "string"}, {"type": ["number", "null"]}],
            });
            schema
                .as_object_mut()
                .expect("it is one")
                .extend(more.as_object().cloned().expect("so"));
            type_of(&schema)
        };
        assert_eq!(tuple(json!({})), "[string, (number | null)?]");
        assert_eq!(tuple(json!({"items": false})), "[string, (number | null)?]");
        assert_eq!(
            tuple(json!({"items": {"enum": [1, 2]}})),
            "[string, (number | null)?, ...(1 | 2)[]]"
        );
    }

    #[test]
    fn properties_are_named_or_not() {
        let schema = json!({
            "type": "object", "required": ["id", "größe"],
            "properties": {
                "id": {"type": "integer"},
                "größe": {"type": "string"},
                "a-b": {"type": "boolean"},
                "inner": {"type": "object", "properties": {"x": {"type": "null"}}},
            },
        });
        let expected = r#"{
    "a-b"?: boolean;
    größe: string;
    id: number;
    inner?: {
        x?: null;
    };
}"#;
        assert_eq!(type_of(&schema), expected);
    }

    #[test]
    fn other_properties_have_an_index() {
        let object = |more: Value| {
            let mut schema = json!({"type": "object", "properties": {"id": {"type": "integer"}}});
            schema
                .as_object_mut()
                .expect("it is one")
                .extend(more.as_object().cloned().expect("so"));
            type_of(&schema)
        };
        let strings = json!({"type": "string"});
        assert_eq!(object(json!({"additionalProperties": false})), "{\n    id?: number;\n}");
        assert_eq!(
            object(json!({"additionalProperties": strings})),
            "{\n    id?: number;\n    [k: string]: number | string | undefined;\n}"
        );
        assert_eq!(
            object(json!({"patternProperties": {"^x": {"type": "null"}}, "required": ["id"]})),
            "{\n    id: number;\n    [k: string]: number | null;\n}"
        );
        assert_eq!(
            object(json!({"additionalProperties": true})),
            "{\n    id?: number;\n    [k: string]: unknown;\n}"
        );
    }

    #[test]
    fn objects_without_names_are_records() {
        let cases = [
            (json!({"type": "object"}), "Record<string, unknown>"),
            (
                json!({"type": "object", "additionalProperties": {"type": "string"}}),
                "Record<string, string>",
            ),
            (json!({"type": "object", "additionalProperties": false}), "Record<string, never>"),
        ];
        for (schema, expected) in cases {
            assert_eq!(type_of(&schema), expected, "{schema}");
        }
    }
}
