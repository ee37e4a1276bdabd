//! Running a program over a document.

use super::{
    ArrayRules, Branch, Checks, Limit, NumberRules, ObjectRules, Program, Rules, SchemaId, Slot,
    StringRules, Values, Verdict,
};
use crate::document::{Items, Node, Number, Properties, View, compare, equal};
use crate::limits::{EVALUATION_DEPTH_MAX, EVALUATION_STEPS_MAX, EVALUATION_STEPS_PER_VALUE_MAX};
use crate::shape::Types;

/// One run of a program.
pub(super) struct Run<'p> {
    program: &'p Program,
    /// How much it may still do; when nothing is left, every schema refuses every value.
    steps_left: u64,
    depth_left: u32,
}

impl<'p> Run<'p> {
    /// A run over a document.
    pub(super) fn new(program: &'p Program, document: Node<'_>) -> Self {
        let for_size = EVALUATION_STEPS_PER_VALUE_MAX * document.size() as u64;
        let steps_left = EVALUATION_STEPS_MAX + for_size;
        Self { program, steps_left, depth_left: EVALUATION_DEPTH_MAX }
    }

    /// What a schema says of `node`.
    pub(super) fn decide(&mut self, schema: SchemaId, node: Node<'_>) -> Verdict {
        let is_valid = self.holds(schema, node);
        // A negation may have turned the refusal of an exhausted run round.
        match (self.steps_left, is_valid) {
            (0, _) => Verdict::Exhausted,
            (_, true) => Verdict::Valid,
            (_, false) => Verdict::Invalid,
        }
    }

    #[inline(always)]
    fn holds(&mut self, schema: SchemaId, node: Node<'_>) -> bool {
        let slot = self.program.slots.get(schema.index());
        slot.is_some_and(|slot| self.fits(*slot, node))
    }

    /// Decides without a call what most values need.
    #[inline(always)]
    fn fits(&mut self, slot: Slot, node: Node<'_>) -> bool {
        if !slot.types.admit(node) {
            return false;
        }
        match slot.checks {
            Checks::Nothing => true,
            Checks::Range { least, most } => {
                self.steps_left = self.steps_left.saturating_sub(1);
                node.as_number().is_none_or(|number| is_within(least, number, most))
            }
            Checks::Length { least, most } => {
                self.steps_left = self.steps_left.saturating_sub(1);
                node.as_str().is_none_or(|text| has_length(text, least.into(), most.into()))
            }
            Checks::Scalar(schema) => {
                self.steps_left = self.steps_left.saturating_sub(1);
                let rules = self.program.rules.get(schema.index());
                rules.is_none_or(|rules| admits_scalar(rules, node))
            }
            Checks::Schemas { start, length } => self.schemas(start as usize, length, node),
        }
    }

    #[inline(never)]
    fn schemas(&mut self, start: usize, length: u32, node: Node<'_>) -> bool {
        let program = self.program;
        if self.depth_left == 0 {
            self.steps_left = 0;
        }
        let cost = u64::from(length);
        if self.steps_left <= cost {
            self.steps_left = 0;
            return false;
        }
        self.steps_left -= cost;
        self.depth_left -= 1;
        let list = program.order.get(start..start + length as usize).unwrap_or_default();
        let view = node.view();
        let holds = list.iter().all(|schema| {
            let rules = program.rules.get(schema.index());
            rules.is_none_or(|rules| self.rules(*schema, rules, node, &view))
        });
        self.depth_left += 1;
        holds
    }

    fn rules(&mut self, own: SchemaId, rules: &Rules, node: Node<'_>, view: &View<'_>) -> bool {
        let holds = match *view {
            View::Null | View::Boolean(_) | View::Number(_) | View::String(_) => true,
            View::Array(items) => {
                rules.arrays.as_ref().is_none_or(|rules| self.array(own, rules, node, items))
            }
            View::Object(properties) => {
                rules.objects.as_ref().is_none_or(|rules| self.object(own, rules, node, properties))
            }
        };
        holds
            && admits_scalar(rules, node)
            && rules.branches.iter().all(|branch| self.branch(branch, node))
    }

    fn branch(&mut self, branch: &Branch, node: Node<'_>) -> bool {
        match branch {
            Branch::AnyOf(schemas) => schemas.iter().any(|schema| self.holds(*schema, node)),
            Branch::OneOf(schemas) => {
                let mut holding = schemas.iter().filter(|schema| self.holds(**schema, node));
                holding.next().is_some() && holding.next().is_none()
            }
            Branch::Not(schema) => !self.holds(*schema, node),
            Branch::If { test, satisfied, otherwise } => {
                let next = if self.holds(*test, node) { satisfied } else { otherwise };
                next.is_none_or(|schema| self.holds(schema, node))
            }
            Branch::Dependent { name, schema } => {
                node.get(name).is_none() || self.holds(*schema, node)
            }
        }
    }

    fn array(
        &mut self,
        own: SchemaId,
        rules: &ArrayRules,
        node: Node<'_>,
        items: Items<'_>,
    ) -> bool {
        if !rules.count.admits(items.len()) {
            return false;
        }
        if !self.items(rules, items) {
            return false;
        }
        if let Some((schema, count)) = rules.contains {
            let mut found = 0;
            for item in items {
                // What comes after enough, or too many, changes nothing.
                if found > count.maximum || (found >= count.minimum && count.maximum == u64::MAX) {
                    break;
                }
                found += u64::from(self.holds(schema, item));
            }
            if found < count.minimum || found > count.maximum {
                return false;
            }
        }
        (!rules.has_unique_items || are_unique(items))
            && rules.unevaluated.is_none_or(|schema| {
                let active = self.active(own, node);
                items.enumerate().all(|(index, item)| {
                    self.evaluates_item(own, &active, index, item) || self.holds(schema, item)
                })
            })
    }

    /// What is said of the items by their places.
    fn items(&mut self, rules: &ArrayRules, items: Items<'_>) -> bool {
        let mut prefix = rules.prefix.iter();
        for item in items {
            let Some(schema) = prefix.next().copied().or(rules.items) else { break };
            if !self.holds(schema, item) {
                return false;
            }
        }
        true
    }

    fn object(
        &mut self,
        own: SchemaId,
        rules: &ObjectRules,
        node: Node<'_>,
        properties: Properties<'_>,
    ) -> bool {
        rules.count.admits(properties.len())
            && self.properties(rules, properties)
            && rules
                .names
                .is_none_or(|schema| properties.names().all(|name| self.holds(schema, name)))
            && rules.dependent.iter().all(|(name, required)| {
                properties.get(name).is_none()
                    || required.iter().all(|name| properties.get(name).is_some())
            })
            && rules.unevaluated.is_none_or(|schema| {
                let active = self.active(own, node);
                let mut properties = properties;
                properties.all(|(name, value)| {
                    self.evaluates_property(own, &active, name) || self.holds(schema, value)
                })
            })
    }

    /// Walks the properties of the document and those of the schema, which are sorted alike.
    #[inline(never)]
    fn properties(&mut self, rules: &ObjectRules, mut properties: Properties<'_>) -> bool {
        let others_matter = rules.additional.is_some() || !rules.patterns.is_empty();
        let mut known = rules.properties.iter();
        let mut next = known.next();
        while let Some((name, value)) = properties.next_named() {
            let mut is_declared = false;
            while let Some(property) = next {
                if name.is(&property.name, property.head) {
                    is_declared = property.schema.is_some();
                    if !self.fits(property.slot, value) {
                        return false;
                    }
                    next = known.next();
                    break;
                }
                if name.is_before(&property.name, property.head) {
                    break;
                }
                if property.is_required {
                    return false;
                }
                next = known.next();
            }
            if others_matter {
                if !self.others(rules, is_declared, name.as_str(), value) {
                    return false;
                }
            } else if next.is_none() {
                return true;
            }
        }
        next.is_none_or(|property| !property.is_required)
            && known.all(|property| !property.is_required)
    }

    /// What patterns and additional properties say of a property.
    fn others(
        &mut self,
        rules: &ObjectRules,
        mut is_declared: bool,
        name: &str,
        value: Node<'_>,
    ) -> bool {
        for (pattern, schema) in &rules.patterns {
            if pattern.is_match(name) {
                is_declared = true;
                if !self.holds(*schema, value) {
                    return false;
                }
            }
        }
        is_declared || rules.additional.is_none_or(|schema| self.holds(schema, value))
    }

    /// The schemas that apply to `node` where `own` does, and do not refuse it.
    fn active(&mut self, own: SchemaId, node: Node<'_>) -> Vec<SchemaId> {
        let program = self.program;
        let mut active = vec![own];
        let mut at = 0;
        while let Some(schema) = active.get(at).copied() {
            at += 1;
            // To look for repetitions takes its time, too.
            self.steps_left = self.steps_left.saturating_sub(at as u64);
            let Some(rules) = program.rules.get(schema.index()) else { continue };
            let mut add = |schema: SchemaId| {
                if !active.contains(&schema) {
                    active.push(schema);
                }
            };
            rules.in_place.iter().for_each(|schema| add(*schema));
            for branch in &rules.branches {
                match branch {
                    Branch::AnyOf(schemas) | Branch::OneOf(schemas) => schemas
                        .iter()
                        .filter(|schema| self.holds(**schema, node))
                        .for_each(|schema| add(*schema)),
                    Branch::If { test, satisfied, otherwise } => {
                        if self.holds(*test, node) {
                            add(*test);
                            satisfied.iter().for_each(|schema| add(*schema));
                        } else {
                            otherwise.iter().for_each(|schema| add(*schema));
                        }
                    }
                    Branch::Dependent { name, schema } => {
                        if node.get(name).is_some() {
                            add(*schema);
                        }
                    }
                    Branch::Not(_) => {}
                }
            }
        }
        active
    }

    /// Whether one of the schemas speaks of a property, but for the unevaluated ones of `own`.
    fn evaluates_property(&mut self, own: SchemaId, active: &[SchemaId], name: &str) -> bool {
        self.steps_left = self.steps_left.saturating_sub(active.len() as u64);
        active.iter().any(|schema| {
            let rules = self.program.rules.get(schema.index());
            let Some(rules) = rules.and_then(|rules| rules.objects.as_ref()) else { return false };
            rules.additional.is_some()
                || (rules.unevaluated.is_some() && *schema != own)
                || rules.declares(name)
                || rules.patterns.iter().any(|(pattern, _)| pattern.is_match(name))
        })
    }

    /// Whether one of the schemas speaks of an item, but for the unevaluated ones of `own`.
    fn evaluates_item(
        &mut self,
        own: SchemaId,
        active: &[SchemaId],
        index: usize,
        item: Node<'_>,
    ) -> bool {
        self.steps_left = self.steps_left.saturating_sub(active.len() as u64);
        active.iter().any(|schema| {
            let rules = self.program.rules.get(schema.index());
            let Some(rules) = rules.and_then(|rules| rules.arrays.as_ref()) else { return false };
            rules.items.is_some()
                || index < rules.prefix.len()
                || (rules.unevaluated.is_some() && *schema != own)
                || rules.contains.is_some_and(|(schema, _)| self.holds(schema, item))
        })
    }
}

impl SchemaId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

impl ObjectRules {
    fn declares(&self, name: &str) -> bool {
        let found = self.properties.binary_search_by(|property| (*property.name).cmp(name));
        found.is_ok_and(|at| self.properties.get(at).is_some_and(|it| it.schema.is_some()))
    }
}

impl Values {
    fn admits(&self, node: Node<'_>) -> bool {
        match self {
            Self::Strings(texts) => node.as_name().is_some_and(|text| {
                if texts.len() <= LISTED_MAX {
                    return texts.iter().any(|(known, head)| text.is(known, *head));
                }
                let text = text.as_str();
                texts.binary_search_by(|(known, _)| (**known).cmp(text)).is_ok()
            }),
            Self::Documents(documents) => {
                documents.binary_search_by(|known| compare(known.root(), node)).is_ok()
            }
        }
    }
}

/// Lists up to here are searched from end to end.
const LISTED_MAX: usize = 8;

impl Types {
    /// Whether a value is of one of the types.
    #[inline(always)]
    fn admit(self, node: Node<'_>) -> bool {
        let view = node.view();
        // Where any number will do, it need not be known whether this one is whole.
        (matches!(view, View::Number(_)) && Types::NUMBER.within(self))
            || self.overlaps(kind(&view))
    }
}

/// The type of a value.
#[inline]
pub(super) fn kind(view: &View<'_>) -> Types {
    match view {
        View::Null => Types::NULL,
        View::Boolean(_) => Types::BOOLEAN,
        View::Number(number) if number.is_whole() => Types::INTEGER,
        View::Number(_) => Types::FRACTIONAL,
        View::String(_) => Types::STRING,
        View::Array(_) => Types::ARRAY,
        View::Object(_) => Types::OBJECT,
    }
}

#[inline(never)]
fn admits_scalar(rules: &Rules, node: Node<'_>) -> bool {
    if let Some(numbers) = &rules.numbers
        && let Some(number) = node.as_number()
        && !admits_number(numbers, number)
    {
        return false;
    }
    if let Some(strings) = &rules.strings
        && let Some(text) = node.as_str()
        && !admits_string(strings, text)
    {
        return false;
    }
    rules.values.iter().all(|values| values.admits(node))
}

fn admits_number(rules: &NumberRules, number: Number) -> bool {
    let is_in_range = match rules.range {
        Some((least, most)) => is_within(least, number, most),
        None => is_within_limits(rules, number),
    };
    is_in_range && rules.divisor.as_ref().is_none_or(|divisor| divisor.divides(number))
}

/// Whether a number is between two doubles, or one of them.
#[inline]
fn is_within(least: f64, number: Number, most: f64) -> bool {
    /// Integers of which there are others between doubles.
    #[cold]
    fn is_great_within(least: f64, number: Number, most: f64) -> bool {
        number.compare(Number::Float(least)).is_ge() && number.compare(Number::Float(most)).is_le()
    }
    match number.as_exact_f64() {
        Some(value) => least <= value && value <= most,
        None => is_great_within(least, number, most),
    }
}

fn is_within_limits(rules: &NumberRules, number: Number) -> bool {
    rules.limits.iter().all(|(limit, bound)| {
        let order = number.compare(*bound);
        match limit {
            Limit::Minimum => order.is_ge(),
            Limit::ExclusiveMinimum => order.is_gt(),
            Limit::Maximum => order.is_le(),
            Limit::ExclusiveMaximum => order.is_lt(),
        }
    })
}

fn admits_string(rules: &StringRules, text: &str) -> bool {
    has_length(text, rules.length.minimum, rules.length.maximum)
        && rules.pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
        && rules.format.as_ref().is_none_or(|format| format.admits(text))
        && rules.bounds.iter().all(|bound| bound.admits(text))
}

/// Whether a string has so many characters; they are counted only when the bytes do not decide.
#[inline]
fn has_length(text: &str, least: u64, most: u64) -> bool {
    #[cold]
    fn has_counted(text: &str, least: u64, most: u64) -> bool {
        (least..=most).contains(&(text.chars().count() as u64))
    }
    let bytes = text.len() as u64;
    // A character takes up to four bytes.
    (least <= bytes.div_ceil(4) && bytes <= most) || has_counted(text, least, most)
}

fn are_unique(items: Items<'_>) -> bool {
    if items.len() <= LISTED_MAX {
        let mut rest = items;
        return items.into_iter().all(|item| {
            rest.next();
            !rest.clone().any(|other| equal(item, other))
        });
    }
    let mut sorted: Vec<Node<'_>> = items.collect();
    sorted.sort_unstable_by(|left, right| compare(*left, *right));
    sorted.windows(2).all(|pair| match pair {
        [left, right] => !equal(*left, *right),
        _ => true,
    })
}
