//! Inference of a shape from the keywords of a schema.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::algebra::Algebra;
use super::{
    ArrayShape, NumericShape, ObjectShape, PatternShape, PropertyShape, Provenance, Reduce, Shape,
    StringShape, Types,
};
use crate::limits::{SHAPE_DEPTH_MAX, SHAPE_VISITS_MAX};
use crate::schema::{NormalForm, count, target};
use crate::value::{compare, escape};

pub(super) fn infer(normal: &NormalForm) -> Shape {
    let mut inference = Inference {
        normal,
        algebra: Algebra::new(),
        visits_left: SHAPE_VISITS_MAX,
        depth: 0,
        open: Vec::new(),
        default_faults: BTreeMap::new(),
    };
    inference.schema(&normal.schema, &mut String::new())
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
        let shape = self.keywords(object, place);
        self.depth -= 1;
        shape
    }

    fn keywords(&mut self, object: &'n Map<String, Value>, place: &mut String) -> Shape {
        let mut shape = self.local(object, place);
        let is_bare = shape.provenance == Provenance::Unset;
        let mut origin = None;
        if let Some(target) = target(object) {
            let target = self.reference(&target);
            origin = Some(target.provenance.clone()).filter(|_| is_bare);
            shape = self.algebra.intersect(shape, target);
        }
        for branch in self.children(object, "allOf", place) {
            shape = self.algebra.intersect(shape, branch);
        }
        for keyword in ["oneOf", "anyOf"] {
            let branches = self.children(object, keyword, place).into_iter();
            let union = branches.reduce(|left, right| self.algebra.union(left, right));
            if let Some(union) = union {
                shape = self.algebra.intersect(shape, union);
            }
        }
        if let (true, Some(then), Some(otherwise)) =
            (object.contains_key("if"), object.get("then"), object.get("else"))
        {
            let then = self.child(then, place, "/then");
            let otherwise = self.child(otherwise, place, "/else");
            let union = self.algebra.union(then, otherwise);
            shape = self.algebra.intersect(shape, union);
        }
        self.unevaluated(object, place, &mut shape);
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

    /// The shapes of the schemas in an array.
    fn children(
        &mut self,
        object: &'n Map<String, Value>,
        keyword: &str,
        place: &mut String,
    ) -> Vec<Shape> {
        let schemas = object.get(keyword).and_then(Value::as_array);
        let schemas = schemas.into_iter().flatten().enumerate();
        schemas
            .map(|(index, schema)| self.child(schema, place, &format!("/{keyword}/{index}")))
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
    fn local(&mut self, object: &'n Map<String, Value>, place: &mut String) -> Shape {
        let text = |keyword: &str| object.get(keyword).and_then(Value::as_str).map(str::to_owned);
        let mut types = object.get("type").and_then(Types::read).unwrap_or(Types::ANY);
        // Another way to write `false`.
        if object.get("not") == Some(&Value::Bool(true)) {
            types = Types::NONE;
        }
        // The normal form of `fractional`.
        if object.get("not").is_some_and(|not| *not == serde_json::json!({"type": "integer"})) {
            types = types.without(Types::INTEGER);
        }
        let enumeration = match (object.get("const"), object.get("enum")) {
            (Some(value), _) => Some(vec![value.clone()]),
            (None, Some(Value::Array(values))) => Some(values.clone()),
            _ => None,
        };
        let enumeration = enumeration.map(|values| sorted(values, types));
        if let Some(values) = &enumeration {
            let of_values =
                values.iter().fold(Types::NONE, |types, value| types.or(Types::of(value)));
            types = types.and(of_values);
        }
        let default = object.get("default").cloned();
        let default_fault = default.as_ref().and_then(|default| {
            let fault = || self.normal.fault_at(place, default);
            self.default_faults.entry(place.clone()).or_insert_with(fault).clone()
        });
        let annotation = |keyword: &str| match object.get(keyword) {
            Some(annotation) => Reduce::Strategy(annotation.clone()),
            None => Reduce::Unset,
        };
        let secret = object.get("secret").or_else(|| object.get("airbyte_secret"));
        Shape {
            types,
            enumeration,
            title: text("title"),
            description: text("description"),
            reduce: annotation("reduce"),
            redact: annotation("redact"),
            default,
            default_fault,
            provenance: provenance(object),
            secret: secret.and_then(Value::as_bool),
            annotations: annotations(object),
            string: StringShape {
                content_encoding: text("contentEncoding"),
                content_type: text("contentMediaType"),
                format: text("format"),
                min_length: object.get("minLength").and_then(count).unwrap_or(0),
                max_length: object.get("maxLength").and_then(count),
            },
            numeric: NumericShape {
                minimum: object.get("minimum").and_then(Value::as_number).cloned(),
                maximum: object.get("maximum").and_then(Value::as_number).cloned(),
            },
            array: self.array(object, place),
            object: self.object(object, place),
        }
        .tidied()
    }

    fn array(&mut self, object: &'n Map<String, Value>, place: &mut String) -> ArrayShape {
        let items = object.get("items");
        ArrayShape {
            tuple: self.children(object, "prefixItems", place),
            additional: items.map(|items| Box::new(self.child(items, place, "/items"))),
            min_items: object.get("minItems").and_then(count).unwrap_or(0),
            max_items: object.get("maxItems").and_then(count),
        }
    }

    fn object(&mut self, object: &'n Map<String, Value>, place: &mut String) -> ObjectShape {
        let named = |keyword: &str| object.get(keyword).and_then(Value::as_object);
        let mut patterns = Vec::new();
        for (pattern, schema) in named("patternProperties").into_iter().flatten() {
            let step = format!("/patternProperties/{}", escape(pattern));
            let shape = self.child(schema, place, &step);
            patterns.push(PatternShape { pattern: pattern.clone(), shape });
        }
        let additional = object
            .get("additionalProperties")
            .map(|schema| Box::new(self.child(schema, place, "/additionalProperties")));
        let mut shape = ObjectShape { properties: Vec::new(), patterns, additional };
        let mut properties = BTreeMap::new();
        for (name, schema) in named("properties").into_iter().flatten() {
            let step = format!("/properties/{}", escape(name));
            let mut property = self.child(schema, place, &step);
            // What the patterns say together is a narrower shape than what each leaves of the property.
            let matching = self.algebra.matching(&shape, name).unwrap_or_default().into_iter();
            let matching = matching.reduce(|left, right| self.algebra.intersect(left, right));
            if let Some(matching) = matching {
                property = self.algebra.intersect(property, matching);
            }
            properties.insert(name.clone(), (false, property));
        }
        let required = object.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            // A required name without a property of its own is as patterns and additional
            // properties say.
            let unnamed = || (true, self.algebra.unnamed(&shape, name).unwrap_or_else(Shape::any));
            properties.entry(name.to_owned()).or_insert_with(unnamed).0 = true;
        }
        shape.properties = properties
            .into_iter()
            .map(|(name, (required, shape))| PropertyShape { name, required, shape })
            .collect();
        shape
    }

    /// The unevaluated keywords speak of what nothing else has spoken of.
    fn unevaluated(
        &mut self,
        object: &'n Map<String, Value>,
        place: &mut String,
        shape: &mut Shape,
    ) {
        let schema = object.get("unevaluatedProperties");
        if let (Some(schema), None) = (schema, &shape.object.additional) {
            let shape_of_others = self.child(schema, place, "/unevaluatedProperties");
            shape.object.additional = Some(Box::new(shape_of_others));
        }
        let schema = object.get("unevaluatedItems");
        if let (Some(schema), None) = (schema, &shape.array.additional) {
            let shape_of_others = self.child(schema, place, "/unevaluatedItems");
            shape.array.additional = Some(Box::new(shape_of_others));
        }
    }
}

/// Whether keywords speak of the location themselves. Those that only describe it, and those that
/// hold schemas for it, do not.
fn provenance(object: &Map<String, Value>) -> Provenance {
    const BESIDE: [&str; 14] = [
        "$ref",
        "$defs",
        "title",
        "description",
        "default",
        "examples",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
        "else",
        "dependentSchemas",
    ];
    let is_beside = |keyword: &String| BESIDE.contains(&keyword.as_str());
    if object.keys().all(is_beside) { Provenance::Unset } else { Provenance::Inline }
}

fn annotations(object: &Map<String, Value>) -> BTreeMap<String, Value> {
    object
        .iter()
        .filter(|(name, _)| name.starts_with("x-") || name.starts_with("X-"))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The values that are of a type, in order and without repetition.
fn sorted(mut values: Vec<Value>, types: Types) -> Vec<Value> {
    values.retain(|value| Types::of(value).within(types));
    values.sort_by(compare);
    values.dedup_by(|left, right| compare(left, right).is_eq());
    values
}
