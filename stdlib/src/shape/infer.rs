//! Inference of a shape from the keywords of a schema.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::algebra::Algebra;
use super::{
    ArrayShape, FACTS, NumericShape, ObjectShape, PatternShape, PropertyShape, Provenance, Reduce,
    Shape, StringShape, Types,
};
use crate::limits::{SHAPE_DEPTH_MAX, SHAPE_VISITS_MAX};
use crate::schema::{NormalForm, count, target_of};
use crate::value::{compare, escape};

pub(super) fn infer(normal: &NormalForm) -> Shape {
    infer_at(normal, &normal.schema, "")
}

/// The shape of the schema at a place of the normal form.
pub(super) fn infer_at(normal: &NormalForm, schema: &Value, place: &str) -> Shape {
    Inference::new(normal).schema(schema, &mut place.to_owned())
}

/// The shape of what a reference to a place of the normal form leads to.
pub(super) fn infer_referred(normal: &NormalForm, place: &str) -> Shape {
    match place {
        "" => infer(normal),
        place => Inference::new(normal).reference(place),
    }
}

struct Inference<'n> {
    normal: &'n NormalForm,
    algebra: Algebra,
    visits_left: usize,
    depth: usize,
    /// The targets of the references that are being followed.
    open: Vec<String>,
    /// Why the defaults that were met are not valid, by place.
    default_faults: BTreeMap<String, Option<String>>,
}

impl<'n> Inference<'n> {
    fn new(normal: &'n NormalForm) -> Self {
        Self {
            normal,
            algebra: Algebra::new(),
            visits_left: SHAPE_VISITS_MAX,
            depth: 0,
            open: Vec::new(),
            default_faults: BTreeMap::new(),
        }
    }

    /// The shape of the schema at `place` of the normal form.
    fn schema(&mut self, schema: &'n Value, place: &mut String) -> Shape {
        if *schema == Value::Bool(false) {
            return Shape::impossible();
        }
        let Value::Object(object) = schema else { return Shape::any() };
        if self.visits_left == 0 || self.depth == SHAPE_DEPTH_MAX {
            return Shape::any();
        }
        self.visits_left -= 1;
        self.depth += 1;
        let shape = self.keywords(&Keywords::of(object), place);
        self.depth -= 1;
        shape
    }

    fn keywords(&mut self, keywords: &Keywords<'n>, place: &mut String) -> Shape {
        let mut shape = self.local(keywords, place);
        let is_bare = shape.provenance == Provenance::Unset;
        let mut origin = None;
        if let Some(target) = keywords.reference.and_then(target_of) {
            let target = self.reference(&target);
            origin = Some(target.provenance.clone()).filter(|_| is_bare);
            shape = self.algebra.intersect(shape, target);
        }
        for branch in self.children(keywords.all_of, "/allOf/", place) {
            shape = self.algebra.intersect(shape, branch);
        }
        for (keyword, step) in [(keywords.one_of, "/oneOf/"), (keywords.any_of, "/anyOf/")] {
            let branches = self.children(keyword, step, place).into_iter();
            let union = branches.reduce(|left, right| self.algebra.union(left, right));
            if let Some(union) = union {
                shape = self.algebra.intersect(shape, union);
            }
        }
        if let (Some(_), Some(then), Some(otherwise)) =
            (keywords.if_condition, keywords.then, keywords.otherwise)
        {
            let then = self.child(then, place, "/then");
            let otherwise = self.child(otherwise, place, "/else");
            let union = self.algebra.union(then, otherwise);
            shape = self.algebra.intersect(shape, union);
        }
        self.unevaluated(keywords, place, &mut shape);
        // In-place parts beside a reference do not make it another schema.
        shape.provenance = origin.unwrap_or(shape.provenance);
        shape
    }

    fn child(&mut self, schema: &'n Value, place: &mut String, step: &str) -> Shape {
        let length = place.len();
        place.push_str(step);
        let shape = self.schema(schema, place);
        place.truncate(length);
        shape
    }

    /// The shape of the schema that a keyword has by a name.
    fn named(&mut self, schema: &'n Value, place: &mut String, keyword: &str, name: &str) -> Shape {
        let length = place.len();
        place.push_str(keyword);
        let shape = self.child(schema, place, &escape(name));
        place.truncate(length);
        shape
    }

    /// The shapes of the schemas in the array of a keyword.
    fn children(
        &mut self,
        schemas: Option<&'n Value>,
        keyword: &str,
        place: &mut String,
    ) -> Vec<Shape> {
        let schemas = schemas.and_then(Value::as_array).into_iter().flatten().enumerate();
        schemas
            .map(|(index, schema)| self.named(schema, place, keyword, &index.to_string()))
            .collect()
    }

    /// A reference that is met again while it is followed says nothing more.
    fn reference(&mut self, target: &str) -> Shape {
        let here = Provenance::Reference(self.normal.reference(target));
        let anything = Shape { provenance: here.clone(), ..Shape::any() };
        if target.is_empty() || self.open.iter().any(|open| open == target) {
            return anything;
        }
        let Some(schema) = self.normal.schema.pointer(target) else { return anything };
        self.open.push(target.to_owned());
        let mut shape = self.schema(schema, &mut target.to_owned());
        self.open.pop();
        if !matches!(shape.provenance, Provenance::Reference(_)) {
            shape.provenance = here;
        }
        shape
    }

    /// What the keywords of one schema object say by themselves.
    fn local(&mut self, keywords: &Keywords<'n>, place: &mut String) -> Shape {
        let text = |keyword: Option<&'n Value>| keyword.and_then(Value::as_str).map(str::to_owned);
        let (types, enumeration) = types(keywords);
        let default = keywords.default.cloned();
        let default_fault = default.as_ref().and_then(|default| {
            let fault = || self.normal.fault_at(place, default);
            self.default_faults.entry(place.clone()).or_insert_with(fault).clone()
        });
        let annotation = |keyword: Option<&'n Value>| match keyword {
            Some(annotation) => Reduce::Strategy(annotation.clone()),
            None => Reduce::Unset,
        };
        Shape {
            types,
            enumeration,
            title: text(keywords.title),
            description: text(keywords.description),
            reduce: annotation(keywords.reduce),
            redact: annotation(keywords.redact),
            default,
            default_fault,
            provenance: keywords.provenance.clone(),
            secret: keywords.secret.or(keywords.airbyte_secret).and_then(Value::as_bool),
            annotations: keywords.annotations.clone(),
            string: StringShape {
                content_encoding: text(keywords.content_encoding),
                content_type: text(keywords.content_media_type),
                format: text(keywords.format),
                min_length: keywords.min_length.and_then(count).unwrap_or(0),
                max_length: keywords.max_length.and_then(count),
            },
            numeric: NumericShape {
                minimum: keywords.minimum.and_then(Value::as_number).cloned(),
                maximum: keywords.maximum.and_then(Value::as_number).cloned(),
            },
            array: self.array(keywords, place),
            object: self.object(keywords, place),
        }
        .tidied()
    }

    fn array(&mut self, keywords: &Keywords<'n>, place: &mut String) -> ArrayShape {
        ArrayShape {
            tuple: self.children(keywords.prefix_items, "/prefixItems/", place),
            additional: keywords.items.map(|items| Box::new(self.child(items, place, "/items"))),
            min_items: keywords.min_items.and_then(count).unwrap_or(0),
            max_items: keywords.max_items.and_then(count),
        }
    }

    fn object(&mut self, keywords: &Keywords<'n>, place: &mut String) -> ObjectShape {
        let mut patterns = Vec::new();
        let named = keywords.pattern_properties.and_then(Value::as_object);
        for (pattern, schema) in named.into_iter().flatten() {
            let shape = self.named(schema, place, "/patternProperties/", pattern);
            patterns.push(PatternShape { pattern: pattern.clone(), shape });
        }
        let additional = keywords
            .additional_properties
            .map(|schema| Box::new(self.child(schema, place, "/additionalProperties")));
        let mut shape = ObjectShape { properties: Vec::new(), patterns, additional };
        let mut properties = Vec::new();
        let named = keywords.properties.and_then(Value::as_object);
        for (name, schema) in named.into_iter().flatten() {
            let mut property = self.named(schema, place, "/properties/", name);
            // What the patterns say together is a narrower shape than what each leaves of the property.
            let matching = self.algebra.matching(&shape, name).unwrap_or_default().into_iter();
            let matching = matching.reduce(|left, right| self.algebra.intersect(left, right));
            if let Some(matching) = matching {
                property = self.algebra.intersect(property, matching);
            }
            properties.push(PropertyShape { name: name.clone(), required: false, shape: property });
        }
        let required = keywords.required.and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            match properties.binary_search_by(|property| property.name.as_str().cmp(name)) {
                Ok(found) => {
                    properties.get_mut(found).into_iter().for_each(|it| it.required = true);
                }
                // A required name without a property of its own is as patterns and additional
                // properties say.
                Err(place) => {
                    let shape = self.algebra.unnamed(&shape, name).unwrap_or_else(Shape::any);
                    let name = name.to_owned();
                    properties.insert(place, PropertyShape { name, required: true, shape });
                }
            }
        }
        shape.properties = properties;
        shape
    }

    /// The unevaluated keywords speak of what nothing else has spoken of.
    fn unevaluated(&mut self, keywords: &Keywords<'n>, place: &mut String, shape: &mut Shape) {
        if let (Some(schema), None) = (keywords.unevaluated_properties, &shape.object.additional) {
            let shape_of_others = self.child(schema, place, "/unevaluatedProperties");
            shape.object.additional = Some(Box::new(shape_of_others));
        }
        if let (Some(schema), None) = (keywords.unevaluated_items, &shape.array.additional) {
            let shape_of_others = self.child(schema, place, "/unevaluatedItems");
            shape.array.additional = Some(Box::new(shape_of_others));
        }
    }
}

/// The types and the values that a schema admits by its own keywords.
fn types(keywords: &Keywords<'_>) -> (Types, Option<Vec<Value>>) {
    let mut types = keywords.types.and_then(Types::read).unwrap_or(Types::ANY);
    match keywords.not {
        // Another way to write `false`.
        Some(Value::Bool(true)) => types = Types::NONE,
        // The normal form of `fractional`.
        Some(not) if *not == serde_json::json!({"type": "integer"}) => {
            types = types.without(Types::INTEGER);
        }
        Some(_) | None => {}
    }
    let enumeration = match (keywords.constant, keywords.enumeration) {
        (Some(value), _) => Some(vec![value.clone()]),
        (None, Some(Value::Array(values))) => Some(values.clone()),
        _ => None,
    };
    let enumeration = enumeration.map(|values| sorted(values, types));
    if let Some(values) = &enumeration {
        let of_values = values.iter().fold(Types::NONE, |types, value| types.or(Types::of(value)));
        types = types.and(of_values);
    }
    (types, enumeration)
}

/// Declares [`Keywords`]: a field for each keyword.
macro_rules! keywords {
    ($($field:ident $name:literal,)*) => {
        /// The keywords of one schema that shapes know of, found in one walk.
        #[derive(Default)]
        struct Keywords<'n> {
            $($field: Option<&'n Value>,)*
            /// Annotations whose names begin with `x-`, and facts.
            annotations: BTreeMap<String, Value>,
            /// Whether keywords speak of the location themselves. Those that only describe it, and
            /// those that hold schemas for it, do not.
            provenance: Provenance,
        }

        impl<'n> Keywords<'n> {
            fn of(object: &'n Map<String, Value>) -> Self {
                let mut found = Self::default();
                for (name, value) in object {
                    match name.as_str() {
                        $($name => found.$field = Some(value),)*
                        name if name.starts_with("x-")
                            || name.starts_with("X-")
                            || FACTS.contains(&name) =>
                        {
                            found.annotations.insert(name.to_owned(), value.clone());
                        }
                        _ => {}
                    }
                    if !BESIDE.contains(&name.as_str()) {
                        found.provenance = Provenance::Inline;
                    }
                }
                found
            }
        }
    };
}

keywords! {
    additional_properties "additionalProperties",
    airbyte_secret "airbyte_secret",
    all_of "allOf",
    any_of "anyOf",
    constant "const",
    content_encoding "contentEncoding",
    content_media_type "contentMediaType",
    default "default",
    description "description",
    enumeration "enum",
    format "format",
    if_condition "if",
    items "items",
    max_items "maxItems",
    max_length "maxLength",
    maximum "maximum",
    min_items "minItems",
    min_length "minLength",
    minimum "minimum",
    not "not",
    one_of "oneOf",
    otherwise "else",
    pattern_properties "patternProperties",
    prefix_items "prefixItems",
    properties "properties",
    redact "redact",
    reduce "reduce",
    reference "$ref",
    required "required",
    secret "secret",
    then "then",
    title "title",
    types "type",
    unevaluated_items "unevaluatedItems",
    unevaluated_properties "unevaluatedProperties",
}

/// Keywords that may stand beside a reference without making it another schema.
const BESIDE: [&str; 14] = [
    "$defs",
    "$ref",
    "allOf",
    "anyOf",
    "default",
    "dependentSchemas",
    "description",
    "else",
    "examples",
    "if",
    "not",
    "oneOf",
    "then",
    "title",
];

/// The values that are of a type, in order and without repetition.
fn sorted(mut values: Vec<Value>, types: Types) -> Vec<Value> {
    values.retain(|value| Types::of(value).within(types));
    values.sort_by(compare);
    values.dedup_by(|left, right| compare(left, right).is_eq());
    values
}
