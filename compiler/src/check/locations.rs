//! From a location in documents to the lines of the schema that speak of it.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use tidegate_stdlib::shape::{Path, Step};
use tidegate_stdlib::value::{Pointer, Token};

use crate::catalog::BundledSchema;
use crate::source::Span;

/// References that are followed for one location; a schema that needs more is recursive.
const REFERENCES_MAX: usize = 64;

/// A location in documents: by a pointer, or on a path that goes through what has no name.
pub(crate) trait Location {
    /// The same as a path.
    fn to_path(&self) -> Path;
}

impl Location for Pointer {
    fn to_path(&self) -> Path {
        Path::from(self)
    }
}

impl Location for Path {
    fn to_path(&self) -> Path {
        self.clone()
    }
}

/// The place of a keyword of the schemas that speak of a location: the value of the first `keyword` found there.
pub(super) fn keyword_place(
    schema: &BundledSchema,
    location: &impl Location,
    keyword: &str,
) -> Option<Span> {
    let found = schemas_of(&schema.value, location).into_iter().find_map(|pointer| {
        let pointer = format!("{pointer}/{keyword}");
        schema.value.pointer(&pointer).is_some().then_some(pointer)
    })?;
    schema.value_place(&found)
}

/// The place of the line that declares a location; of the root, the field that declares the schema.
pub(crate) fn declaration_place(schema: &BundledSchema, location: &impl Location) -> Option<Span> {
    let found = schemas_of(&schema.value, location).into_iter().next()?;
    schema.place(&found)
}

/// The place of the line that says which types a location may have: its `type` (or `const`, `enum`), else its name.
pub(super) fn type_place(schema: &BundledSchema, location: &impl Location) -> Option<Span> {
    ["type", "const", "enum"]
        .into_iter()
        .find_map(|keyword| keyword_place(schema, location, keyword))
        .or_else(|| declaration_place(schema, location))
}

/// The places of all `type` keywords that speak of a location.
pub(super) fn type_places(schema: &BundledSchema, location: &impl Location) -> Vec<Span> {
    let all = schemas_of(&schema.value, location).into_iter();
    all.filter_map(|pointer| schema.exact_value_place(&format!("{pointer}/type"))).collect()
}

/// JSON pointers, in the bundled schema, of the schemas that speak of a location.
pub(super) fn schemas_of(schema: &Value, location: &impl Location) -> Vec<String> {
    let mut search = Search { root: schema, references: 0, found: Vec::new() };
    search.descend(String::new(), location.to_path().steps());
    search.found
}

struct Search<'s> {
    root: &'s Value,
    references: usize,
    found: Vec<String>,
}

impl Search<'_> {
    fn descend(&mut self, pointer: String, steps: &[Step]) {
        let Some(schema) = self.root.pointer(&pointer) else { return };
        let Some((step, rest)) = steps.split_first() else {
            self.found.push(pointer.clone());
            self.descend_in_place(schema, &pointer, steps);
            return;
        };
        if let Value::Object(schema) = schema {
            match step {
                Step::Token(token) => self.descend_into(schema, &pointer, token, rest),
                Step::Pattern(pattern) => {
                    self.descend(format!("{pointer}/patternProperties/{}", escaped(pattern)), rest);
                }
                Step::Items => self.descend_into_items(schema, &pointer, rest),
                Step::Others => self.descend_into_others(schema, &pointer, rest),
            }
        }
        self.descend_in_place(schema, &pointer, steps);
    }

    /// Keywords about a part of the value.
    fn descend_into(
        &mut self,
        schema: &Map<String, Value>,
        pointer: &str,
        token: &Token,
        rest: &[Step],
    ) {
        let (name, index) = match token {
            Token::Property(name) => (name.clone(), None),
            Token::Index(index) => (index.to_string(), Some(*index)),
            Token::NextIndex => ("-".to_owned(), None),
        };
        let mut is_named = false;
        if schema.get("properties").and_then(|properties| properties.get(&name)).is_some() {
            is_named = true;
            self.descend(format!("{pointer}/properties/{}", escaped(&name)), rest);
        }
        if let Some(Value::Object(patterns)) = schema.get("patternProperties") {
            for pattern in patterns.keys() {
                if regex::Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(&name)) {
                    is_named = true;
                    self.descend(format!("{pointer}/patternProperties/{}", escaped(pattern)), rest);
                }
            }
        }
        if !is_named {
            self.descend_into_others(schema, pointer, rest);
        }
        let Some(index) = index else { return };
        for keyword in ["prefixItems", "items"] {
            let items = schema.get(keyword).and_then(Value::as_array);
            if items.is_some_and(|items| index < items.len()) {
                return self.descend(format!("{pointer}/{keyword}/{index}"), rest);
            }
        }
        self.descend_into_items(schema, pointer, rest);
    }

    fn descend_into_others(&mut self, schema: &Map<String, Value>, pointer: &str, rest: &[Step]) {
        for keyword in ["additionalProperties", "unevaluatedProperties"] {
            if schema.contains_key(keyword) {
                self.descend(format!("{pointer}/{keyword}"), rest);
            }
        }
    }

    fn descend_into_items(&mut self, schema: &Map<String, Value>, pointer: &str, rest: &[Step]) {
        for keyword in ["items", "additionalItems", "unevaluatedItems"] {
            if schema.get(keyword).is_some_and(|items| !items.is_array()) {
                return self.descend(format!("{pointer}/{keyword}"), rest);
            }
        }
    }

    /// Keywords about the value as a whole.
    fn descend_in_place(&mut self, schema: &Value, pointer: &str, steps: &[Step]) {
        if let Some(Value::String(reference)) = schema.get("$ref") {
            self.references += 1;
            if let (true, Some(target)) =
                (self.references <= REFERENCES_MAX, reference.strip_prefix('#'))
            {
                let target = percent_decode_str(target).decode_utf8_lossy().into_owned();
                self.descend(target, steps);
            }
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let count = schema.get(keyword).and_then(Value::as_array).map_or(0, Vec::len);
            for index in 0..count {
                self.descend(format!("{pointer}/{keyword}/{index}"), steps);
            }
        }
        for keyword in ["then", "else"] {
            if schema.get(keyword).is_some() {
                self.descend(format!("{pointer}/{keyword}"), steps);
            }
        }
    }
}

fn escaped(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

    use super::*;
    use serde_json::json;
    use tidegate_stdlib::shape::Shape;

    fn found(schema: &Value, location: &str) -> Vec<String> {
        schemas_of(schema, &Pointer::parse(location).unwrap())
    }

    #[test]
    fn a_property_is_found_through_references_and_branches() {
        let schema = json!({
            "$ref": "#/$defs/a%20b",
            "allOf": [{"properties": {"x": true}}],
            "$defs": {"a b": {"properties": {"x": {"items": {"type": "string"}}}}},
        });
        assert_eq!(found(&schema, "/x"), ["/$defs/a b/properties/x", "/allOf/0/properties/x"]);
        assert_eq!(found(&schema, "/x/3"), ["/$defs/a b/properties/x/items"]);
    }

    #[test]
    fn what_has_no_name_is_found_by_its_kind() {
        let schema = json!({
            "items": {"additionalProperties": {}},
            "patternProperties": {"^n/": {"prefixItems": [{}], "items": {}}},
        });
        let shape = Shape::infer(&schema);
        let paths = shape.parts();
        let found = paths.iter().map(|(path, _)| (path.to_string(), schemas_of(&schema, path)));
        let wanted = [
            ("", ""),
            ("/^n~1", "/patternProperties/^n~1"),
            ("/^n~1/0", "/patternProperties/^n~1/prefixItems/0"),
            ("/^n~1/*", "/patternProperties/^n~1/items"),
            ("/*", "/items"),
            ("/*/*", "/items/additionalProperties"),
        ];
        let wanted = wanted.map(|(path, place)| (path.to_owned(), vec![place.to_owned()]));
        assert_eq!(found.collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let schema = json!({"$ref": "#", "properties": {"x": {"$ref": "#"}}});
        assert!(found(&schema, "/x/x").contains(&"/properties/x".to_owned()));
    }
}
