//! Whether every value of a shape satisfies a schema.
//!
//! The answer yes is a proof; no only says that this does not see it. A keyword is compared with what the shape knows; of what a
//! shape does not know, it helps when the shape says the very keyword itself, as an annotation. A value of finitely many is tried.

use serde_json::{Map, Number, Value};

use super::algebra::Algebra;
use super::{ObjectShape, Shape, Types, infer};
use crate::limits::{COVERED_STEPS_MAX, COVERED_VALUES_MAX, SHAPE_DEPTH_MAX};
use crate::schema::{NormalForm, count, target};
use crate::value::{Pointer, Token, compare, compare_numbers, escape};

/// Why it is not seen that a schema admits every value of a shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The location of the value in the document.
    pub pointer: Pointer,
    /// The keyword that may refuse it.
    pub keyword: String,
    /// JSON pointer of the keyword in the bundled schema.
    pub schema_pointer: String,
    /// What the value may be, as a noun phrase.
    pub value: String,
}

pub(super) fn covers(normal: &NormalForm, shape: &Shape) -> Result<(), Box<Gap>> {
    let mut covering = Covering {
        normal,
        algebra: Algebra::new(),
        steps_left: COVERED_STEPS_MAX,
        depth: 0,
        pointer: Pointer::default(),
    };
    covering.schema(shape, &normal.schema, "")
}

/// Keywords that a value satisfies when its shape says them in the same words.
const SAID: [&str; 10] = [
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxProperties",
    "minProperties",
    "multipleOf",
    "pattern",
    "uniqueItems",
    "x-str-maximum",
    "x-str-minimum",
    "format",
];

type Covered = Result<(), Box<Gap>>;

struct Covering<'n> {
    normal: &'n NormalForm,
    algebra: Algebra,
    steps_left: usize,
    depth: usize,
    pointer: Pointer,
}

/// One keyword of a schema and the schema that it stands in.
#[derive(Clone, Copy)]
struct Keyword<'n> {
    name: &'n str,
    value: &'n Value,
    beside: &'n Map<String, Value>,
}

impl<'n> Covering<'n> {
    /// Whether the schema at a place of the normal form admits every value of the shape.
    fn schema(&mut self, shape: &Shape, schema: &'n Value, place: &str) -> Covered {
        if is_empty(shape) {
            return Ok(());
        }
        let Value::Object(object) = schema else {
            let is_open = *schema != Value::Bool(false);
            return if is_open { Ok(()) } else { Err(self.gap(shape, "false", place)) };
        };
        if self.steps_left == 0 || self.depth >= SHAPE_DEPTH_MAX {
            return Err(self.gap(shape, "$ref", place));
        }
        self.steps_left -= 1;
        self.depth += 1;
        let mut covered = Ok(());
        for (name, value) in object {
            let keyword = Keyword { name, value, beside: object };
            covered = self.keyword(shape, keyword, place);
            if covered.is_err() {
                break;
            }
        }
        self.depth -= 1;
        covered.or_else(|gap| if self.admits_each(shape, place) { Ok(()) } else { Err(gap) })
    }

    /// Whether the shape has few values and the schema admits them all.
    fn admits_each(&self, shape: &Shape, place: &str) -> bool {
        let Some(values) = &shape.enumeration else { return false };
        values.len() <= COVERED_VALUES_MAX
            && self.normal.program().is_ok()
            && values.iter().all(|value| self.normal.fault_at(place, value).is_none())
    }

    fn gap(&self, shape: &Shape, keyword: &str, place: &str) -> Box<Gap> {
        Box::new(Gap {
            pointer: self.pointer.clone(),
            keyword: keyword.to_owned(),
            schema_pointer: format!("{}/{keyword}", self.normal.origin(place)),
            value: described(shape),
        })
    }

    fn keyword(&mut self, shape: &Shape, keyword: Keyword<'n>, place: &str) -> Covered {
        let Keyword { name, value, beside } = keyword;
        let below = |step: &str| format!("{place}/{step}");
        let has = |types| shape.types.overlaps(types);
        let is_met = match name {
            "$ref" => {
                let target = target(beside).unwrap_or_default();
                let schema = self.normal.schema.pointer(&target);
                return match schema {
                    Some(schema) => self.schema(shape, schema, &target),
                    None => Err(self.gap(shape, name, place)),
                };
            }
            "allOf" => {
                let schemas = value.as_array().into_iter().flatten().enumerate();
                return schemas.into_iter().try_for_each(|(index, schema)| {
                    self.schema(shape, schema, &below(&format!("allOf/{index}")))
                });
            }
            "anyOf" | "oneOf" => self.branches(shape, keyword, place),
            "not" => self.refuses(shape, value, &below("not")),
            "if" => return self.condition(shape, keyword, place),
            "dependentSchemas" => return self.dependent(shape, keyword, place),
            "properties" | "patternProperties" | "additionalProperties" if !has(Types::OBJECT) => {
                true
            }
            "properties" => return self.properties(shape, value, place),
            "patternProperties" | "additionalProperties" | "unevaluatedProperties" => {
                return self.other_properties(shape, keyword, place);
            }
            "propertyNames" => !has(Types::OBJECT) || self.names(shape, value, &below(name)),
            "items" | "prefixItems" if !has(Types::ARRAY) => true,
            "items" | "prefixItems" => return self.items(shape, keyword, place),
            _ => is_said(shape, name, value) || is_met(shape, name, value),
        };
        if is_met { Ok(()) } else { Err(self.gap(shape, name, place)) }
    }

    /// Whether a branch admits the shape: all of it, or each type by itself. Of `oneOf` all other branches must refuse it.
    fn branches(&mut self, shape: &Shape, keyword: Keyword<'n>, place: &str) -> bool {
        let Some(branches) = keyword.value.as_array() else { return false };
        let place_of = |index: usize| format!("{place}/{}/{index}", keyword.name);
        let mut is_one = |part: &Shape| {
            let mut indices = 0..branches.len();
            let found = indices.find(|&index| {
                let branch = branches.get(index);
                branch.is_some_and(|branch| self.schema(part, branch, &place_of(index)).is_ok())
            });
            let Some(found) = found else { return false };
            keyword.name == "anyOf"
                || branches.iter().enumerate().all(|(index, branch)| {
                    index == found || self.refuses(part, branch, &place_of(index))
                })
        };
        is_one(shape) || {
            let parts = parts(shape);
            parts.len() > 1 && parts.iter().all(is_one)
        }
    }

    /// Whether the schema refuses every value of the shape.
    fn refuses(&mut self, shape: &Shape, schema: &'n Value, place: &str) -> bool {
        let refusing = infer::infer_at(self.normal, schema, place);
        is_empty(&self.algebra.intersect(shape.clone(), refusing))
    }

    fn condition(&mut self, shape: &Shape, keyword: Keyword<'n>, place: &str) -> Covered {
        let (then, otherwise) = (keyword.beside.get("then"), keyword.beside.get("else"));
        let test_place = format!("{place}/if");
        let branch = |covering: &mut Self, schema: Option<&'n Value>, step: &str| {
            schema
                .map_or(Ok(()), |schema| covering.schema(shape, schema, &format!("{place}/{step}")))
        };
        let then_covered = branch(self, then, "then");
        let is_always =
            then_covered.is_ok() && self.schema(shape, keyword.value, &test_place).is_ok();
        if is_always || self.refuses(shape, keyword.value, &test_place) && otherwise.is_none() {
            return Ok(());
        }
        branch(self, otherwise, "else")?;
        if self.refuses(shape, keyword.value, &test_place) { Ok(()) } else { then_covered }
    }

    fn dependent(&mut self, shape: &Shape, keyword: Keyword<'n>, place: &str) -> Covered {
        let schemas = keyword.value.as_object().into_iter().flatten();
        schemas.into_iter().try_for_each(|(name, schema)| {
            if self.property(shape, name).is_some_and(|property| is_empty(&property)) {
                return Ok(());
            }
            self.schema(shape, schema, &format!("{place}/dependentSchemas/{}", escape(name)))
        })
    }

    /// What the shape says of a property; `None` when it says nothing.
    fn property(&mut self, shape: &Shape, name: &str) -> Option<Shape> {
        match shape.object.named(name) {
            Some(property) => Some(property.shape.clone()),
            None => self.algebra.unnamed(&shape.object, name),
        }
    }

    fn properties(&mut self, shape: &Shape, value: &'n Value, place: &str) -> Covered {
        for (name, schema) in value.as_object().into_iter().flatten() {
            let property = self.property(shape, name).unwrap_or_else(Shape::any);
            let place = format!("{place}/properties/{}", escape(name));
            self.within(Token::from_text(name.clone()), |covering| {
                covering.schema(&property, schema, &place)
            })?;
        }
        Ok(())
    }

    fn within(&mut self, token: Token, work: impl FnOnce(&mut Self) -> Covered) -> Covered {
        let inner = self.pointer.child(token);
        let outer = std::mem::replace(&mut self.pointer, inner);
        let covered = work(self);
        self.pointer = outer;
        covered
    }

    /// Properties by pattern, and all that nothing else speaks of.
    fn other_properties(&mut self, shape: &Shape, keyword: Keyword<'n>, place: &str) -> Covered {
        let Keyword { name: keyword_name, value, beside } = keyword;
        if !shape.types.overlaps(Types::OBJECT) || *value == Value::Bool(true) {
            return Ok(());
        }
        let is_unevaluated = keyword_name == "unevaluatedProperties";
        if is_unevaluated && beside.keys().any(|name| IN_PLACE.contains(&name.as_str())) {
            return Err(self.gap(shape, keyword_name, place));
        }
        let named = |name: &str| {
            let properties = beside.get("properties").and_then(Value::as_object);
            properties.is_some_and(|properties| properties.contains_key(name))
        };
        let schemas: Vec<(Option<&str>, &'n Value)> = match (keyword_name, value) {
            ("patternProperties", Value::Object(patterns)) => {
                patterns.iter().map(|(pattern, schema)| (Some(pattern.as_str()), schema)).collect()
            }
            _ => vec![(None, value)],
        };
        let patterns = beside.get("patternProperties").and_then(Value::as_object);
        let spoken: Vec<&str> =
            patterns.into_iter().flat_map(Map::keys).map(String::as_str).collect();
        for (pattern, schema) in schemas {
            let place = match pattern {
                Some(pattern) => format!("{place}/patternProperties/{}", escape(pattern)),
                None => format!("{place}/{keyword_name}"),
            };
            for property in &shape.object.properties {
                let name = property.name.as_str();
                let is_concerned = match pattern {
                    // A name that was not tried may match.
                    Some(pattern) => self.algebra.matches(pattern, name) != Some(false),
                    None => {
                        !named(name)
                            && !spoken.iter().any(|it| self.algebra.matches(it, name) == Some(true))
                    }
                };
                if is_concerned {
                    self.within(Token::from_text(property.name.clone()), |covering| {
                        covering.schema(&property.shape, schema, &place)
                    })?;
                }
            }
            self.unnamed(&shape.object, pattern, schema, &place)?;
        }
        Ok(())
    }

    /// What the shape says of names that it does not have.
    fn unnamed(
        &mut self,
        object: &ObjectShape,
        pattern: Option<&str>,
        schema: &'n Value,
        place: &str,
    ) -> Covered {
        let any = Shape::any();
        let same = object.patterns.iter().find(|it| Some(it.pattern.as_str()) == pattern);
        let shapes: Vec<&Shape> = match same {
            Some(same) => vec![&same.shape],
            None => {
                let others = object.additional.as_deref().unwrap_or(&any);
                object.patterns.iter().map(|it| &it.shape).chain([others]).collect()
            }
        };
        self.within(Token::from_text("*".to_owned()), |covering| {
            shapes.into_iter().try_for_each(|shape| covering.schema(shape, schema, place))
        })
    }

    /// Whether the schema admits the name of every property.
    fn names(&mut self, shape: &Shape, schema: &'n Value, place: &str) -> bool {
        *schema == Value::Bool(true)
            || is_closed(&shape.object)
                && shape.object.properties.iter().all(|property| {
                    is_empty(&property.shape)
                        || self.normal.program().is_ok()
                            && self.normal.fault_at(place, &property.name.as_str().into()).is_none()
                })
    }

    fn items(&mut self, shape: &Shape, keyword: Keyword<'n>, place: &str) -> Covered {
        let prefix = keyword.beside.get("prefixItems").and_then(Value::as_array);
        let prefix: &[Value] = prefix.map(Vec::as_slice).unwrap_or_default();
        let any = Shape::any();
        let array = &shape.array;
        let others = array.additional.as_deref().unwrap_or(&any);
        let may_have = |index: usize| array.max_items.is_none_or(|most| (index as u64) < most);
        let item = |index: usize| array.tuple.get(index).unwrap_or(others);
        if keyword.name == "prefixItems" {
            for (index, schema) in prefix.iter().enumerate().filter(|(index, _)| may_have(*index)) {
                let place = format!("{place}/prefixItems/{index}");
                self.within(Token::Index(index), |covering| {
                    covering.schema(item(index), schema, &place)
                })?;
            }
            return Ok(());
        }
        let place = format!("{place}/items");
        for index in (prefix.len()..array.tuple.len()).filter(|index| may_have(*index)) {
            self.within(Token::Index(index), |covering| {
                covering.schema(item(index), keyword.value, &place)
            })?;
        }
        let first_other = prefix.len().max(array.tuple.len());
        if !may_have(first_other) {
            return Ok(());
        }
        self.within(Token::from_text("*".to_owned()), |covering| {
            covering.schema(others, keyword.value, &place)
        })
    }
}

/// Keywords whose schemas speak of the properties of the same object.
const IN_PLACE: [&str; 7] = ["$ref", "allOf", "anyOf", "oneOf", "if", "dependentSchemas", "not"];

/// Whether the shape says a keyword in the same words.
fn is_said(shape: &Shape, name: &str, value: &Value) -> bool {
    SAID.contains(&name) && shape.annotations.get(name) == Some(value)
}

/// Whether every value of the shape satisfies a keyword that holds no schema.
fn is_met(shape: &Shape, name: &str, value: &Value) -> bool {
    let has = |types| shape.types.overlaps(types);
    let number = || value.as_number();
    let size = || count(value).unwrap_or(0);
    let (numeric, string, array) = (&shape.numeric, &shape.string, &shape.array);
    let bound = |bound: &Option<Number>, admits: fn(std::cmp::Ordering) -> bool| {
        !has(Types::NUMBER)
            || bound
                .as_ref()
                .zip(number())
                .is_some_and(|(bound, limit)| admits(compare_numbers(bound, limit)))
    };
    match name {
        "type" => Types::read(value).is_some_and(|types| shape.types.within(types)),
        "const" => is_one_of(shape, std::slice::from_ref(value)),
        "enum" => value.as_array().is_some_and(|values| is_one_of(shape, values)),
        "minimum" => bound(&numeric.minimum, std::cmp::Ordering::is_ge),
        "exclusiveMinimum" => bound(&numeric.minimum, std::cmp::Ordering::is_gt),
        "maximum" => bound(&numeric.maximum, std::cmp::Ordering::is_le),
        "exclusiveMaximum" => bound(&numeric.maximum, std::cmp::Ordering::is_lt),
        "multipleOf" => {
            !has(Types::NUMBER) || !has(Types::FRACTIONAL) && value.as_f64() == Some(1.0)
        }
        "minLength" => !has(Types::STRING) || string.min_length >= size(),
        "maxLength" => {
            !has(Types::STRING) || string.max_length.is_some_and(|length| length <= size())
        }
        "format" => {
            !has(Types::STRING)
                || value
                    .as_str()
                    .zip(string.format.as_deref())
                    .is_some_and(|(wanted, known)| implies(known, wanted))
        }
        "pattern" | "x-str-minimum" | "x-str-maximum" => !has(Types::STRING),
        "required" => {
            let mut names = value.as_array().into_iter().flatten().filter_map(Value::as_str);
            !has(Types::OBJECT) || names.all(|name| is_required(&shape.object, name))
        }
        "minProperties" => !has(Types::OBJECT) || required_count(&shape.object) >= size(),
        "maxProperties" => {
            !has(Types::OBJECT)
                || is_closed(&shape.object) && shape.object.properties.len() as u64 <= size()
        }
        "dependentRequired" => {
            !has(Types::OBJECT)
                || value.as_object().into_iter().flatten().all(|(_, names)| {
                    let mut names =
                        names.as_array().into_iter().flatten().filter_map(Value::as_str);
                    names.all(|name| is_required(&shape.object, name))
                })
        }
        "minItems" => !has(Types::ARRAY) || array.min_items >= size(),
        "maxItems" => !has(Types::ARRAY) || array.max_items.is_some_and(|most| most <= size()),
        "uniqueItems" => {
            !has(Types::ARRAY)
                || *value == Value::Bool(false)
                || array.max_items.is_some_and(|most| most <= 1)
        }
        "contains" => !has(Types::ARRAY),
        "unevaluatedItems" => !has(Types::ARRAY) || *value == Value::Bool(true),
        // Only together with another keyword, which is asked.
        "then" | "else" | "minContains" | "maxContains" => true,
        _ => says_nothing(name),
    }
}

/// Whether a keyword refuses no value.
fn says_nothing(name: &str) -> bool {
    const ANNOTATIONS: [&str; 20] = [
        "$comment",
        "$defs",
        "$schema",
        "$vocabulary",
        "advanced",
        "airbyte_secret",
        "contentEncoding",
        "contentMediaType",
        "contentSchema",
        "default",
        "definitions",
        "deprecated",
        "description",
        "discriminator",
        "examples",
        "multiline",
        "nonsensitive",
        "order",
        "secret",
        "title",
    ];
    const ANNOTATIONS_OF_OURS: [&str; 4] = ["readOnly", "redact", "reduce", "writeOnly"];
    ANNOTATIONS.contains(&name)
        || ANNOTATIONS_OF_OURS.contains(&name)
        || name.starts_with("x-")
        || name.starts_with("X-")
}

fn is_one_of(shape: &Shape, values: &[Value]) -> bool {
    let is_listed = |wanted: &Value| values.iter().any(|value| compare(value, wanted).is_eq());
    match &shape.enumeration {
        Some(known) => known.iter().all(is_listed),
        None if shape.types.within(Types::NULL) => is_listed(&Value::Null),
        None if shape.types.within(Types::BOOLEAN) => {
            is_listed(&Value::Bool(true)) && is_listed(&Value::Bool(false))
        }
        None => false,
    }
}

/// Whether every string of one format is of another.
fn implies(known: &str, wanted: &str) -> bool {
    let plain = |format: &'_ str| match format {
        "datetime" => "date-time".to_owned(),
        "uint32" | "uint64" => "integer".to_owned(),
        other => other.to_owned(),
    };
    let (known, wanted) = (plain(known), plain(wanted));
    known == wanted || known == "integer" && wanted == "number"
}

fn is_required(object: &ObjectShape, name: &str) -> bool {
    object.named(name).is_some_and(|property| property.required)
}

fn required_count(object: &ObjectShape) -> u64 {
    object.properties.iter().filter(|property| property.required).count() as u64
}

/// Whether an object has no properties but those that are named.
fn is_closed(object: &ObjectShape) -> bool {
    object.patterns.is_empty() && object.additional.as_deref().is_some_and(is_empty)
}

/// Whether no value has the shape.
fn is_empty(shape: &Shape) -> bool {
    let is_impossible =
        |required: bool, shape: &Shape| required && (shape.types.is_none() || is_empty(shape));
    shape.types.is_none()
        || shape.enumeration.as_ref().is_some_and(Vec::is_empty)
        || shape.types == Types::OBJECT
            && shape.object.properties.iter().any(|it| is_impossible(it.required, &it.shape))
}

/// The shape by types.
fn parts(shape: &Shape) -> Vec<Shape> {
    const EACH: [Types; 7] = [
        Types::NULL,
        Types::BOOLEAN,
        Types::INTEGER,
        Types::FRACTIONAL,
        Types::STRING,
        Types::ARRAY,
        Types::OBJECT,
    ];
    let part = |types: Types| {
        let mut part = Shape { types, ..shape.clone() };
        if let Some(values) = &mut part.enumeration {
            values.retain(|value| Types::of(value).within(types));
        }
        part.tidied()
    };
    EACH.into_iter().filter(|types| shape.types.overlaps(*types)).map(part).collect()
}

/// What a value may be, in a few words.
fn described(shape: &Shape) -> String {
    const VALUES_SHOWN: usize = 3;
    if let Some(values) = shape.enumeration.as_ref().filter(|it| it.len() <= VALUES_SHOWN) {
        let values: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
        return values.join(" or ");
    }
    if shape.types == Types::ANY {
        return "any value".to_owned();
    }
    let mut names = shape.types.names();
    // What is missing is told last.
    names.sort_by_key(|name| *name == "null");
    let names: Vec<String> = names.into_iter().map(|name| with_bounds(shape, name)).collect();
    names.join(" or ")
}

fn with_bounds(shape: &Shape, name: &str) -> String {
    let (least, most) = (&shape.numeric.minimum, &shape.numeric.maximum);
    match name {
        "null" => "null".to_owned(),
        "integer" | "number" | "fractional" => {
            let noun = match name {
                "integer" => "an integer",
                _ => "a number",
            };
            match (least, most) {
                (Some(least), Some(most)) => format!("{noun} from {least} to {most}"),
                (Some(least), None) => format!("{noun} from {least}"),
                (None, Some(most)) => format!("{noun} up to {most}"),
                (None, None) => noun.to_owned(),
            }
        }
        "string" => match &shape.string.format {
            Some(format) => format!("a string of format `{format}`"),
            None => "a string".to_owned(),
        },
        "array" | "object" => format!("an {name}"),
        other => format!("a {other}"),
    }
}

#[cfg(test)]
mod tests;
