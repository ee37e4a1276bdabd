//! From a normal form to its program.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde_json::{Map, Value};

use super::evaluate::kind;
use super::modest;
use super::{
    ArrayRules, Branch, Checks, Count, Divisor, Limit, NumberRules, ObjectRules, Program, Property,
    Rules, SchemaId, Slot, StringRules, Values,
};
use crate::document::{Document, KnownName, Number, compare, head};
use crate::limits::PROGRAM_SIZE_MAX;
use crate::schema::bounds::{NumericBound, Side};
use crate::schema::formats::Format;
use crate::schema::{NormalForm, SchemaFailure, count, target};
use crate::shape::Types;
use crate::value::escape;

impl Program {
    /// Compiles a normal form without faults.
    ///
    /// # Errors
    /// The schema refers to itself in so many ways that its program would be without measure.
    pub(crate) fn compile(normal: &NormalForm) -> Result<Self, SchemaFailure> {
        let mut compiler = Compiler::default();
        compiler.id(String::new());
        let mut at = 0;
        while let Some(place) = compiler.queue.get(at).cloned() {
            at += 1;
            compiler.schema(normal.schema.pointer(&place), &place);
        }
        let Compiler { types, rules, places, .. } = compiler;
        let mut program =
            Self { slots: Vec::new(), rules, order: Vec::new(), places, is_modest: false };
        let mut steps_left = PROGRAM_SIZE_MAX;
        for id in 0..program.rules.len() {
            let slot = program.slot(&types, SchemaId(number(id)), &mut steps_left);
            let Some(slot) = slot else {
                let message = "the schema combines too many others".to_owned();
                return Err(SchemaFailure::malformed(String::new(), message, None));
            };
            program.slots.push(slot);
        }
        let Program { slots, rules, .. } = &mut program;
        for rules in rules.iter_mut().filter_map(|rules| rules.objects.as_mut()) {
            for property in &mut rules.properties {
                let slot = property.schema.and_then(|schema| slots.get(schema.index()));
                property.slot = slot.copied().unwrap_or(property.slot);
            }
        }
        program.is_modest = modest::is_modest(&program.rules);
        Ok(program)
    }

    /// What a schema checks with all that always apply with it; `None` when that is too much.
    fn slot(&mut self, types: &[Types], schema: SchemaId, steps_left: &mut usize) -> Option<Slot> {
        let start = self.order.len();
        let mut slot_types = Types::ANY;
        let mut seen = BTreeSet::from([schema]);
        let mut path = vec![schema];
        while let Some(schema) = path.pop() {
            *steps_left = steps_left.checked_sub(1)?;
            slot_types = slot_types.and(*types.get(schema.index())?);
            let rules = self.rules.get(schema.index())?;
            if rules.are_some() {
                self.order.push(schema);
            }
            // The last one is taken first, so that the order is the one of the schema.
            path.extend(rules.in_place.iter().rev().filter(|inner| seen.insert(**inner)));
        }
        let checks = match self.order.get(start..).unwrap_or_default() {
            [] => Checks::Nothing,
            list => {
                let schemas = Checks::Schemas { start: number(start), length: number(list.len()) };
                let simple = match list {
                    [schema] => {
                        self.rules.get(schema.index()).and_then(|rules| rules.simple(*schema))
                    }
                    _ => None,
                };
                simple.unwrap_or(schemas)
            }
        };
        Some(Slot { types: slot_types, checks })
    }
}

impl Property {
    fn new(name: &str, schema: Option<SchemaId>) -> Self {
        // What is checked is known when all schemas are compiled.
        let slot = Slot { types: Types::ANY, checks: Checks::Nothing };
        let known = KnownName::new(name.as_bytes()).expect("schemas are bounded far below 4 GiB");
        Self {
            name: name.into(),
            known,
            head: head(name),
            slot,
            schema,
            is_required: false,
            is_decisive: false,
        }
    }
}

impl Rules {
    /// Whether there is anything to check.
    fn are_some(&self) -> bool {
        self.numbers.is_some()
            || self.strings.is_some()
            || self.arrays.is_some()
            || self.objects.is_some()
            || !self.values.is_empty()
            || !self.branches.is_empty()
    }
}

impl Rules {
    /// What is checked when the rules, those of `own`, are of one kind only.
    fn simple(&self, own: SchemaId) -> Option<Checks> {
        if self.is_scalar {
            return Some(self.bounds().unwrap_or(Checks::Scalar(own)));
        }
        let is_otherwise_empty = self.numbers.is_none()
            && self.strings.is_none()
            && self.values.is_empty()
            && self.branches.is_empty();
        match (&self.objects, &self.arrays) {
            _ if !is_otherwise_empty => None,
            (Some(objects), None) => objects.are_plain().then_some(Checks::Object(own)),
            (None, Some(arrays)) => arrays.are_plain().then_some(Checks::Array(own)),
            _ => None,
        }
    }

    /// What is checked when that is only a range, or a length.
    fn bounds(&self) -> Option<Checks> {
        match (&self.numbers, &self.strings) {
            _ if !self.values.is_empty() => None,
            (Some(numbers), None) if numbers.divisor.is_none() => {
                let (least, most) = numbers.range?;
                Some(Checks::Range { least, most })
            }
            (None, Some(strings)) if strings.has_length_only() => {
                let Count { minimum, maximum } = strings.length;
                // No document has a string that is longer.
                let most = u32::try_from(maximum).unwrap_or(u32::MAX);
                Some(Checks::Length { least: u32::try_from(minimum).ok()?, most })
            }
            _ => None,
        }
    }
}

impl ObjectRules {
    /// Whether they are about the number and the values of properties only.
    fn are_plain(&self) -> bool {
        self.names.is_none() && self.dependent.is_empty() && self.unevaluated.is_none()
    }
}

impl ArrayRules {
    /// Whether they are about the number of items and all of them only.
    fn are_plain(&self) -> bool {
        self.contains.is_none() && !self.has_unique_items && self.unevaluated.is_none()
    }
}

impl StringRules {
    fn has_length_only(&self) -> bool {
        self.pattern.is_none() && self.format.is_none() && self.bounds.is_empty()
    }
}

fn number(index: usize) -> u32 {
    u32::try_from(index).expect("a program is bounded far below its index type")
}

/// Gives ids to the schemas that can be reached, in the order in which they are met.
#[derive(Default)]
struct Compiler {
    places: BTreeMap<String, SchemaId>,
    queue: Vec<String>,
    types: Vec<Types>,
    rules: Vec<Rules>,
}

/// A schema object and its place.
#[derive(Clone, Copy)]
struct Source<'s> {
    schema: &'s Map<String, Value>,
    place: &'s str,
}

impl<'s> Source<'s> {
    fn get(self, keyword: &str) -> Option<&'s Value> {
        self.schema.get(keyword)
    }

    fn count(self, minimum: &str, maximum: &str) -> Count {
        let least = self.get(minimum).and_then(count);
        let most = self.get(maximum).and_then(count);
        Count { minimum: least.unwrap_or(0), maximum: most.unwrap_or(u64::MAX) }
    }

    fn texts(self, keyword: &str) -> impl Iterator<Item = &'s str> {
        self.get(keyword).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    fn members(self, keyword: &str) -> impl Iterator<Item = (&'s String, &'s Value)> {
        self.get(keyword).and_then(Value::as_object).into_iter().flatten()
    }
}

impl Compiler {
    /// The id of the schema at a place, which is queued when it is new.
    fn id(&mut self, place: String) -> SchemaId {
        if let Some(id) = self.places.get(&place) {
            return *id;
        }
        let id = SchemaId(number(self.queue.len()));
        self.queue.push(place.clone());
        self.places.insert(place, id);
        id
    }

    /// Enters the schema that is next in the queue.
    fn schema(&mut self, schema: Option<&Value>, place: &str) {
        let (types, rules) = match schema {
            Some(Value::Bool(false)) => (Types::NONE, Rules::default()),
            Some(Value::Object(schema)) => {
                let source = Source { schema, place };
                let values = values(source);
                let types = schema.get("type").and_then(Types::read).unwrap_or(Types::ANY);
                let types = values.iter().fold(types, |types, values| types.and(values.types()));
                (types, self.rules(source, values))
            }
            _ => (Types::ANY, Rules::default()),
        };
        self.types.push(types);
        self.rules.push(rules);
    }

    fn rules(&mut self, source: Source<'_>, values: Vec<Values>) -> Rules {
        let referred = target(source.schema).map(|target| self.id(target));
        let in_place = referred.into_iter().chain(self.list(source, "allOf"));
        let rules = Rules {
            in_place: in_place.collect(),
            numbers: numbers(source).map(Box::new),
            strings: strings(source).map(Box::new),
            arrays: self.arrays(source).map(Box::new),
            objects: self.objects(source).map(Box::new),
            values: values.into(),
            branches: self.branches(source),
            is_scalar: false,
        };
        let is_scalar =
            rules.arrays.is_none() && rules.objects.is_none() && rules.branches.is_empty();
        Rules { is_scalar, ..rules }
    }

    fn branches(&mut self, source: Source<'_>) -> Box<[Branch]> {
        let mut branches = Vec::new();
        let any = self.list(source, "anyOf");
        if !any.is_empty() {
            branches.push(Branch::AnyOf(any.into()));
        }
        let one = self.list(source, "oneOf");
        if !one.is_empty() {
            branches.push(Branch::OneOf(one.into()));
        }
        branches.extend(self.single(source, "not").map(Branch::Not));
        if let Some(test) = self.single(source, "if") {
            let satisfied = self.single(source, "then");
            let otherwise = self.single(source, "else");
            branches.push(Branch::If { test, satisfied, otherwise });
        }
        let dependent = self.named(source, "dependentSchemas");
        branches
            .extend(dependent.into_iter().map(|(name, schema)| Branch::Dependent { name, schema }));
        branches.into()
    }

    fn arrays(&mut self, source: Source<'_>) -> Option<ArrayRules> {
        const KEYWORDS: [&str; 7] = [
            "minItems",
            "maxItems",
            "prefixItems",
            "items",
            "contains",
            "uniqueItems",
            "unevaluatedItems",
        ];
        if !KEYWORDS.iter().any(|keyword| source.schema.contains_key(*keyword)) {
            return None;
        }
        let contains = self.single(source, "contains").map(|schema| {
            let count = source.count("minContains", "maxContains");
            let is_bounded = source.schema.contains_key("minContains");
            let minimum = if is_bounded { count.minimum } else { 1 };
            (schema, Count { minimum, ..count })
        });
        Some(ArrayRules {
            count: source.count("minItems", "maxItems"),
            prefix: self.list(source, "prefixItems").into(),
            items: self.single(source, "items"),
            contains,
            has_unique_items: source.get("uniqueItems") == Some(&Value::Bool(true)),
            unevaluated: self.single(source, "unevaluatedItems"),
        })
    }

    fn objects(&mut self, source: Source<'_>) -> Option<ObjectRules> {
        const KEYWORDS: [&str; 9] = [
            "minProperties",
            "maxProperties",
            "properties",
            "required",
            "patternProperties",
            "additionalProperties",
            "propertyNames",
            "dependentRequired",
            "unevaluatedProperties",
        ];
        if !KEYWORDS.iter().any(|keyword| source.schema.contains_key(*keyword)) {
            return None;
        }
        let dependent = source.members("dependentRequired").map(|(name, required)| {
            let required = required.as_array().into_iter().flatten().filter_map(Value::as_str);
            (name.clone(), required.map(str::to_owned).collect())
        });
        let mut properties = self.properties(source);
        let patterns: Box<[_]> = self
            .named(source, "patternProperties")
            .into_iter()
            .filter_map(|(pattern, schema)| Some((Regex::new(&pattern).ok()?, schema)))
            .collect();
        let additional = self.single(source, "additionalProperties");
        for property in &mut properties {
            let is_declared = property.schema.is_some();
            property.is_decisive = patterns.is_empty() && (is_declared || additional.is_none());
        }
        Some(ObjectRules {
            count: source.count("minProperties", "maxProperties"),
            properties,
            patterns,
            additional,
            names: self.single(source, "propertyNames"),
            dependent: dependent.collect(),
            unevaluated: self.single(source, "unevaluatedProperties"),
        })
    }

    fn properties(&mut self, source: Source<'_>) -> Box<[Property]> {
        let mut properties: BTreeMap<String, Property> = BTreeMap::new();
        for (name, schema) in self.named(source, "properties") {
            let property = Property::new(&name, Some(schema));
            properties.insert(name, property);
        }
        for name in source.texts("required") {
            let property =
                properties.entry(name.to_owned()).or_insert_with(|| Property::new(name, None));
            property.is_required = true;
        }
        properties.into_values().collect()
    }

    fn single(&mut self, source: Source<'_>, keyword: &str) -> Option<SchemaId> {
        source.get(keyword)?;
        Some(self.id(format!("{}/{keyword}", source.place)))
    }

    fn list(&mut self, source: Source<'_>, keyword: &str) -> Vec<SchemaId> {
        let length = source.get(keyword).and_then(Value::as_array).map_or(0, Vec::len);
        (0..length).map(|index| self.id(format!("{}/{keyword}/{index}", source.place))).collect()
    }

    fn named(&mut self, source: Source<'_>, keyword: &str) -> Vec<(String, SchemaId)> {
        let members = source.members(keyword).map(|(name, _)| {
            let place = format!("{}/{keyword}/{}", source.place, escape(name));
            (name.clone(), self.id(place))
        });
        members.collect()
    }
}

fn numbers(source: Source<'_>) -> Option<NumberRules> {
    const LIMITS: [(&str, Limit); 4] = [
        ("minimum", Limit::Minimum),
        ("exclusiveMinimum", Limit::ExclusiveMinimum),
        ("maximum", Limit::Maximum),
        ("exclusiveMaximum", Limit::ExclusiveMaximum),
    ];
    let number = |keyword: &str| match source.get(keyword) {
        Some(Value::Number(number)) => Some(Number::from(number)),
        _ => None,
    };
    let limits: Box<[_]> =
        LIMITS.iter().filter_map(|(keyword, limit)| Some((*limit, number(keyword)?))).collect();
    let divisor = number("multipleOf").map(Divisor::new);
    let range = range(&limits);
    (!limits.is_empty() || divisor.is_some()).then_some(NumberRules { limits, range, divisor })
}

/// The least and the greatest double within limits, unless these say more: a bound is no double, or
/// excluded and so great that there are integers between it and the next double.
fn range(limits: &[(Limit, Number)]) -> Option<(f64, f64)> {
    let (mut least, mut most) = (f64::NEG_INFINITY, f64::INFINITY);
    for (limit, bound) in limits {
        let bound = bound.as_exact_f64()?;
        let is_small = bound.abs() < (1_u64 << 52) as f64;
        match limit {
            Limit::Minimum => least = least.max(bound),
            Limit::Maximum => most = most.min(bound),
            Limit::ExclusiveMinimum if is_small => least = least.max(bound.next_up()),
            Limit::ExclusiveMaximum if is_small => most = most.min(bound.next_down()),
            Limit::ExclusiveMinimum | Limit::ExclusiveMaximum => return None,
        }
    }
    Some((least, most))
}

fn strings(source: Source<'_>) -> Option<StringRules> {
    let text = |keyword: &str| source.get(keyword).and_then(Value::as_str);
    let bound = |keyword: &str, side: Side| Some(NumericBound::new(source.get(keyword)?, side));
    let bounds = [bound("x-str-minimum", Side::Above), bound("x-str-maximum", Side::Below)];
    let rules = StringRules {
        length: source.count("minLength", "maxLength"),
        pattern: text("pattern").and_then(|pattern| Regex::new(pattern).ok()),
        format: text("format").and_then(Format::named),
        bounds: bounds.into_iter().flatten().collect(),
    };
    let is_some = rules.length != Count::default() || !rules.has_length_only();
    is_some.then_some(rules)
}

fn values(source: Source<'_>) -> Vec<Values> {
    let constant = source.get("const").map(std::slice::from_ref);
    let choices = source.get("enum").and_then(Value::as_array).map(Vec::as_slice);
    constant.into_iter().chain(choices).map(Values::new).collect()
}

impl Values {
    fn new(values: &[Value]) -> Self {
        if !values.is_empty() && values.iter().all(Value::is_string) {
            let texts = values.iter().filter_map(Value::as_str);
            let mut texts: Vec<(Box<str>, u64)> =
                texts.map(|text| (text.into(), head(text))).collect();
            texts.sort_unstable();
            return Self::Strings(texts.into());
        }
        let mut documents: Vec<Document> = values.iter().map(Document::from_value).collect();
        documents.sort_by(|left, right| compare(left.root(), right.root()));
        Self::Documents(documents.into())
    }

    /// The types of the values.
    fn types(&self) -> Types {
        match self {
            Self::Strings(_) => Types::STRING,
            Self::Documents(documents) => documents
                .iter()
                .fold(Types::NONE, |types, value| types.or(kind(&value.root().view()))),
        }
    }
}
