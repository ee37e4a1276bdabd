//! Intersection and union of shapes.
//!
//! A property that one side does not name is as that side's additional properties say, so shapes can
//! grow as the product of both sides. An [`Algebra`] counts what it makes; beyond its limit an
//! intersection is its left side, and a union is anything. Both are true of every document.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Number, Value};

use super::{
    ArrayShape, NumericShape, ObjectShape, PatternShape, PropertyShape, Provenance, Reduce, Shape,
    StringShape, Types,
};
use crate::limits::{SHAPE_MATCHES_MAX, SHAPE_SIZE_MAX};
use crate::value::{compare, compare_numbers};

/// Makes shapes out of shapes, up to a limit.
pub(super) struct Algebra {
    shapes_left: usize,
    matches_left: usize,
    patterns: BTreeMap<String, Option<Regex>>,
}

impl Algebra {
    pub(super) fn new() -> Self {
        Self {
            shapes_left: SHAPE_SIZE_MAX,
            matches_left: SHAPE_MATCHES_MAX,
            patterns: BTreeMap::new(),
        }
    }

    /// Whether a name matches a pattern; `None` when too many have been asked.
    pub(super) fn matches(&mut self, pattern: &str, name: &str) -> Option<bool> {
        self.matches_left = self.matches_left.checked_sub(1)?;
        if !self.patterns.contains_key(pattern) {
            self.patterns.insert(pattern.to_owned(), Regex::new(pattern).ok());
        }
        let compiled = self.patterns.get(pattern)?;
        Some(compiled.as_ref().is_some_and(|compiled| compiled.is_match(name)))
    }

    /// The shapes of the patterns that a name matches; `None` when too many have been asked.
    pub(super) fn matching(&mut self, object: &ObjectShape, name: &str) -> Option<Vec<Shape>> {
        let mut matching = Vec::new();
        for pattern in &object.patterns {
            if self.matches(&pattern.pattern, name)? {
                self.takes(pattern.shape.size());
                matching.push(pattern.shape.clone());
            }
        }
        Some(matching)
    }

    /// Whether there is room for so many shapes more.
    fn takes(&mut self, shapes: usize) -> bool {
        self.shapes_left = self.shapes_left.saturating_sub(shapes);
        self.shapes_left > 0
    }
}

impl Algebra {
    pub(super) fn intersect(&mut self, left: Shape, right: Shape) -> Shape {
        if !self.takes(1) {
            return left;
        }
        if left.types.is_none() || right.types.is_none() {
            return Shape::impossible();
        }
        let mut types = left.types.and(right.types);
        let enumeration = match (left.enumeration, right.enumeration) {
            (Some(left), Some(right)) => Some(common(left, &right)),
            (Some(values), None) | (None, Some(values)) => Some(values),
            (None, None) => None,
        };
        let enumeration = enumeration.map(|mut values| {
            values.retain(|value| Types::of(value).within(types));
            values
        });
        if let Some(values) = &enumeration {
            types = values.iter().fold(Types::NONE, |types, value| types.or(Types::of(value)));
        }
        let allowed = |default: &Value| Types::of(default).within(types);
        let (default, default_fault) = match (left.default, right.default) {
            (Some(default), _) if allowed(&default) => (Some(default), left.default_fault),
            (_, Some(default)) if allowed(&default) => (Some(default), right.default_fault),
            // A default that no type allows any more is a mistake that the inspection must still see.
            (Some(default), _) if left.default_fault.is_some() => {
                (Some(default), left.default_fault)
            }
            (_, Some(default)) if right.default_fault.is_some() => {
                (Some(default), right.default_fault)
            }
            _ => (None, None),
        };
        let mut annotations = right.annotations;
        annotations.extend(left.annotations);
        Shape {
            types,
            enumeration,
            title: left.title.or(right.title),
            description: left.description.or(right.description),
            reduce: either(left.reduce, right.reduce),
            redact: either(left.redact, right.redact),
            default,
            default_fault,
            provenance: of_both(left.provenance, right.provenance),
            secret: left.secret.or(right.secret),
            annotations,
            string: intersect_strings(left.string, right.string),
            numeric: NumericShape {
                minimum: greater(left.numeric.minimum, right.numeric.minimum),
                maximum: smaller(left.numeric.maximum, right.numeric.maximum),
            },
            array: self.intersect_arrays(left.array, right.array),
            object: self.intersect_objects(left.object, right.object),
        }
        .tidied()
    }

    pub(super) fn union(&mut self, left: Shape, right: Shape) -> Shape {
        if !self.takes(1) {
            return Shape::any();
        }
        if left.types.is_none() {
            return right;
        }
        if right.types.is_none() {
            return left;
        }
        let (left_types, right_types) = (left.types, right.types);
        let facet = |kind: Types| (left_types.overlaps(kind), right_types.overlaps(kind));
        let same_default = left.default == right.default;
        Shape {
            types: left_types.or(right_types),
            enumeration: match (left.enumeration, right.enumeration) {
                (Some(left), Some(right)) => Some(merged(left, right)),
                _ => None,
            },
            title: if_equal(left.title, &right.title),
            description: if_equal(left.description, &right.description),
            reduce: both(left.reduce, right.reduce),
            redact: both(left.redact, right.redact),
            default: if same_default { left.default } else { None },
            default_fault: if same_default { left.default_fault } else { None },
            provenance: of_either(left.provenance, right.provenance),
            secret: if_equal(left.secret, &right.secret),
            annotations: left
                .annotations
                .into_iter()
                .filter(|(name, value)| right.annotations.get(name) == Some(value))
                .collect(),
            string: choose(facet(Types::STRING), left.string, right.string, union_strings),
            numeric: choose(facet(Types::NUMBER), left.numeric, right.numeric, |left, right| {
                NumericShape {
                    minimum: zip_with(left.minimum, right.minimum, smaller),
                    maximum: zip_with(left.maximum, right.maximum, greater),
                }
            }),
            array: choose(facet(Types::ARRAY), left.array, right.array, |left, right| {
                self.union_arrays(left, right)
            }),
            object: choose(facet(Types::OBJECT), left.object, right.object, |left, right| {
                self.union_objects(left, right)
            }),
        }
    }

    fn intersect_arrays(&mut self, left: ArrayShape, right: ArrayShape) -> ArrayShape {
        let mut tuple = Vec::new();
        let (mut left_items, mut right_items) = (left.tuple.into_iter(), right.tuple.into_iter());
        loop {
            let item = match (left_items.next(), right_items.next()) {
                (Some(left), Some(right)) => self.intersect(left, right),
                (Some(item), None) => self.and_additional(item, right.additional.as_deref()),
                (None, Some(item)) => self.and_additional(item, left.additional.as_deref()),
                (None, None) => break,
            };
            tuple.push(item);
        }
        ArrayShape {
            tuple,
            additional: self.intersect_boxes(left.additional, right.additional),
            min_items: left.min_items.max(right.min_items),
            max_items: least(left.max_items, right.max_items),
        }
    }

    fn and_additional(&mut self, shape: Shape, additional: Option<&Shape>) -> Shape {
        match additional {
            Some(additional) => {
                self.takes(additional.size());
                self.intersect(shape, additional.clone())
            }
            None => shape,
        }
    }

    fn intersect_boxes(
        &mut self,
        left: Option<Box<Shape>>,
        right: Option<Box<Shape>>,
    ) -> Option<Box<Shape>> {
        match (left, right) {
            (Some(left), Some(right)) => Some(Box::new(self.intersect(*left, *right))),
            (left, right) => left.or(right),
        }
    }

    fn union_arrays(&mut self, left: ArrayShape, right: ArrayShape) -> ArrayShape {
        let mut tuple = Vec::new();
        let (mut left_items, mut right_items) = (left.tuple.into_iter(), right.tuple.into_iter());
        loop {
            let (item, additional) = match (left_items.next(), right_items.next()) {
                (Some(left), Some(right)) => {
                    tuple.push(self.union(left, right));
                    continue;
                }
                (Some(item), None) => (item, right.additional.as_deref()),
                (None, Some(item)) => (item, left.additional.as_deref()),
                (None, None) => break,
            };
            let Some(additional) = additional else { break };
            self.takes(additional.size());
            tuple.push(self.union(item, additional.clone()));
        }
        ArrayShape {
            tuple,
            additional: self.union_boxes(left.additional, right.additional),
            min_items: left.min_items.min(right.min_items),
            max_items: left.max_items.zip(right.max_items).map(|(left, right)| left.max(right)),
        }
    }

    fn union_boxes(
        &mut self,
        left: Option<Box<Shape>>,
        right: Option<Box<Shape>>,
    ) -> Option<Box<Shape>> {
        let (left, right) = left.zip(right)?;
        Some(Box::new(self.union(*left, *right)))
    }

    fn intersect_objects(&mut self, mut left: ObjectShape, mut right: ObjectShape) -> ObjectShape {
        let left_others = self.speaking_of(&left, &right.patterns);
        let right_others = self.speaking_of(&right, &left.patterns);
        let named = pairs(
            std::mem::take(&mut left.properties),
            std::mem::take(&mut right.properties),
            |property| property.name.clone(),
        );
        let mut properties = Vec::with_capacity(named.len());
        for (name, pair) in named {
            let (required, shape) = match pair {
                (Some(left), Some(right)) => {
                    (left.required || right.required, self.intersect(left.shape, right.shape))
                }
                (Some(only), None) => (only.required, self.and_unnamed(only.shape, &right, &name)),
                (None, Some(only)) => (only.required, self.and_unnamed(only.shape, &left, &name)),
                (None, None) => continue,
            };
            properties.push(PropertyShape { name, required, shape });
        }
        let mut patterns = Vec::new();
        for (pattern, pair) in
            pairs(left.patterns, right.patterns, |pattern| pattern.pattern.clone())
        {
            let shape = match pair {
                (Some(left), Some(right)) => self.intersect(left.shape, right.shape),
                (Some(only), None) => {
                    let others = right_others.get(&pattern);
                    self.and_additional(only.shape, others)
                }
                (None, Some(only)) => {
                    let others = left_others.get(&pattern);
                    self.and_additional(only.shape, others)
                }
                (None, None) => continue,
            };
            patterns.push(PatternShape { pattern, shape });
        }
        ObjectShape {
            properties,
            patterns,
            additional: self.intersect_boxes(left.additional, right.additional),
        }
    }

    /// What the additional properties of one side say of the patterns of the other. Which names of a
    /// pattern they speak of is known only when that side has no patterns and names none of them.
    fn speaking_of(
        &mut self,
        side: &ObjectShape,
        patterns: &[PatternShape],
    ) -> BTreeMap<String, Shape> {
        let mut spoken = BTreeMap::new();
        let Some(others) = side.additional.as_deref().filter(|_| side.patterns.is_empty()) else {
            return spoken;
        };
        for pattern in patterns {
            let mut names = side.properties.iter().map(|property| &property.name);
            if names.all(|name| self.matches(&pattern.pattern, name) == Some(false)) {
                spoken.insert(pattern.pattern.clone(), others.clone());
            }
        }
        spoken
    }

    fn union_objects(&mut self, mut left: ObjectShape, mut right: ObjectShape) -> ObjectShape {
        let named = pairs(
            std::mem::take(&mut left.properties),
            std::mem::take(&mut right.properties),
            |property| property.name.clone(),
        );
        let mut properties = Vec::new();
        for (name, pair) in named {
            let (required, shape) = match pair {
                (Some(left), Some(right)) => {
                    (left.required && right.required, self.union(left.shape, right.shape))
                }
                (Some(only), None) => match self.unnamed(&right, &name) {
                    Some(other) => (false, self.union(only.shape, other)),
                    None => continue,
                },
                (None, Some(only)) => match self.unnamed(&left, &name) {
                    Some(other) => (false, self.union(only.shape, other)),
                    None => continue,
                },
                (None, None) => continue,
            };
            properties.push(PropertyShape { name, required, shape });
        }
        let patterns = self.union_patterns(&left, &right, &properties);
        ObjectShape {
            properties,
            patterns,
            additional: self.union_boxes(left.additional, right.additional),
        }
    }

    /// A pattern speaks for the names of both sides that match it, so what is named differently on
    /// the other side is part of it.
    fn union_patterns(
        &mut self,
        left: &ObjectShape,
        right: &ObjectShape,
        named: &[PropertyShape],
    ) -> Vec<PatternShape> {
        let mut patterns: BTreeMap<&String, Option<Shape>> = BTreeMap::new();
        for (one, other) in [(left, right), (right, left)] {
            for PatternShape { pattern, shape } in &one.patterns {
                let others = other.patterns.iter();
                let others =
                    others.filter(|it| one.patterns.iter().all(|own| own.pattern != it.pattern));
                let of_other = match other.patterns.iter().find(|it| it.pattern == *pattern) {
                    Some(same) => Some(&same.shape),
                    None => other.additional.as_deref(),
                };
                let Some(of_other) = of_other else { continue };
                let mut union =
                    patterns.remove(pattern).flatten().unwrap_or_else(Shape::impossible);
                for part in [shape, of_other].into_iter().chain(others.map(|it| &it.shape)) {
                    self.takes(part.size());
                    union = self.union(union, part.clone());
                }
                patterns.insert(pattern, Some(union));
            }
        }
        patterns
            .into_iter()
            .filter_map(|(pattern, shape)| Some((pattern.clone(), shape?)))
            .map(|(pattern, mut shape)| {
                for property in named {
                    // A name that was not tried may match.
                    if self.matches(&pattern, &property.name) != Some(false) {
                        self.takes(property.shape.size());
                        shape = self.union(shape, property.shape.clone());
                    }
                }
                PatternShape { pattern, shape }
            })
            .collect()
    }

    fn and_unnamed(&mut self, shape: Shape, other: &ObjectShape, name: &str) -> Shape {
        match self.unnamed(other, name) {
            Some(unnamed) => self.intersect(shape, unnamed),
            None => shape,
        }
    }

    /// What patterns, or else additional properties, say of a name that is not in `properties`.
    pub(super) fn unnamed(&mut self, object: &ObjectShape, name: &str) -> Option<Shape> {
        let matching = self.matching(object, name)?.into_iter();
        let found = matching.reduce(|left, right| self.intersect(left, right));
        found.or_else(|| {
            let additional = object.additional.as_deref()?;
            self.takes(additional.size());
            Some(additional.clone())
        })
    }
}

impl Shape {
    /// How many shapes it consists of.
    pub(super) fn size(&self) -> usize {
        let mut size = 0;
        let mut open = vec![self];
        while let Some(shape) = open.pop() {
            size += 1;
            open.extend(shape.children());
        }
        size
    }

    /// Without the facets of types that the shape does not have.
    pub(super) fn tidied(mut self) -> Self {
        if !self.types.overlaps(Types::STRING) {
            self.string = StringShape::default();
        }
        if !self.types.overlaps(Types::NUMBER) {
            self.numeric = NumericShape::default();
        }
        if !self.types.overlaps(Types::ARRAY) {
            self.array = ArrayShape::default();
        }
        if !self.types.overlaps(Types::OBJECT) {
            self.object = ObjectShape::default();
        }
        self
    }
}

impl ObjectShape {
    /// The named property.
    pub(super) fn named(&self, name: &str) -> Option<&PropertyShape> {
        let found = self.properties.binary_search_by(|property| property.name.as_str().cmp(name));
        self.properties.get(found.ok()?)
    }
}

/// Where a schema comes from that says what two others say.
fn of_both(left: Provenance, right: Provenance) -> Provenance {
    match (left, right) {
        (Provenance::Unset, other) | (other, Provenance::Unset) => other,
        (left, right) if left == right => left,
        _ => Provenance::Inline,
    }
}

fn of_either(left: Provenance, right: Provenance) -> Provenance {
    if left == right { left } else { Provenance::Inline }
}

fn either(left: Reduce, right: Reduce) -> Reduce {
    if left == Reduce::Unset { right } else { left }
}

fn both(left: Reduce, right: Reduce) -> Reduce {
    if left == right {
        return left;
    }
    if left == Reduce::Unset || right == Reduce::Unset { Reduce::Unset } else { Reduce::Multiple }
}

fn if_equal<T: PartialEq>(left: Option<T>, right: &Option<T>) -> Option<T> {
    if left == *right { left } else { None }
}

/// The values in both of two sorted lists.
fn common(mut left: Vec<Value>, right: &[Value]) -> Vec<Value> {
    left.retain(|value| right.binary_search_by(|other| compare(other, value)).is_ok());
    left
}

fn merged(mut left: Vec<Value>, right: Vec<Value>) -> Vec<Value> {
    left.extend(right);
    left.sort_by(compare);
    left.dedup_by(|left, right| compare(left, right).is_eq());
    left
}

fn greater(left: Option<Number>, right: Option<Number>) -> Option<Number> {
    pick(left, right, Ordering::Greater)
}

fn smaller(left: Option<Number>, right: Option<Number>) -> Option<Number> {
    pick(left, right, Ordering::Less)
}

fn pick(left: Option<Number>, right: Option<Number>, wanted: Ordering) -> Option<Number> {
    match (left, right) {
        (Some(left), Some(right)) => {
            Some(if compare_numbers(&right, &left) == wanted { right } else { left })
        }
        (left, right) => left.or(right),
    }
}

/// The choice of two bounds, or no bound when one side has none.
fn zip_with(
    left: Option<Number>,
    right: Option<Number>,
    choose: fn(Option<Number>, Option<Number>) -> Option<Number>,
) -> Option<Number> {
    if left.is_none() || right.is_none() { None } else { choose(left, right) }
}

/// The facets of one type in a union: of both sides, or whole of the only side that has the type.
fn choose<F: Default>(
    (in_left, in_right): (bool, bool),
    left: F,
    right: F,
    union: impl FnOnce(F, F) -> F,
) -> F {
    match (in_left, in_right) {
        (true, true) => union(left, right),
        (true, false) => left,
        (false, true) => right,
        (false, false) => F::default(),
    }
}

fn intersect_strings(left: StringShape, right: StringShape) -> StringShape {
    StringShape {
        content_encoding: left.content_encoding.or(right.content_encoding),
        content_type: left.content_type.or(right.content_type),
        format: left.format.or(right.format),
        min_length: left.min_length.max(right.min_length),
        max_length: least(left.max_length, right.max_length),
    }
}

fn union_strings(left: StringShape, right: StringShape) -> StringShape {
    let numeric = |format: &Option<String>| {
        format.as_deref().is_some_and(|format| matches!(format, "integer" | "number"))
    };
    let format = if numeric(&left.format) && numeric(&right.format) && left.format != right.format {
        Some("number".to_owned())
    } else {
        if_equal(left.format, &right.format)
    };
    StringShape {
        content_encoding: if_equal(left.content_encoding, &right.content_encoding),
        content_type: if_equal(left.content_type, &right.content_type),
        format,
        min_length: left.min_length.min(right.min_length),
        max_length: left.max_length.zip(right.max_length).map(|(left, right)| left.max(right)),
    }
}

fn least(left: Option<u64>, right: Option<u64>) -> Option<u64> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (left, right) => left.or(right),
    }
}

/// Pairs what two sides say under one name.
fn pairs<T>(
    left: Vec<T>,
    right: Vec<T>,
    name: impl Fn(&T) -> String,
) -> BTreeMap<String, (Option<T>, Option<T>)> {
    let mut pairs = BTreeMap::new();
    for item in left {
        pairs.insert(name(&item), (Some(item), None));
    }
    for item in right {
        let (_, slot) = pairs.entry(name(&item)).or_insert((None, None));
        *slot = Some(item);
    }
    pairs
}
