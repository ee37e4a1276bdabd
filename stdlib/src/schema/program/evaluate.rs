//! Running a program over a document.

use super::{
    ArrayRules, Branch, Checks, Limit, NumberRules, ObjectRules, Program, Property, Rules,
    SchemaId, Slot, StringRules, Values, Verdict,
};
use crate::document::{Cell, Items, Name, Node, Number, Properties, View, compare, equal, slice};
use crate::limits::{EVALUATION_DEPTH_MAX, EVALUATION_STEPS_MAX, EVALUATION_STEPS_PER_VALUE_MAX};
use crate::shape::Types;

/// One run of a program over a document. Values are handed on as the cells from theirs on, and the
/// texts are here, so that what is handed on fits into two registers.
pub(super) struct Run<'p, 'd> {
    program: &'p Program,
    text: &'d str,
    /// How much it may still do; when nothing is left, every schema refuses every value.
    steps_left: u64,
    depth_left: u32,
}

/// The cell of a value and all that follow it.
type Cells<'d> = &'d [Cell];

impl<'p, 'd> Run<'p, 'd> {
    /// A run over a document.
    pub(super) fn new(program: &'p Program, document: Node<'d>) -> Self {
        let for_size = EVALUATION_STEPS_PER_VALUE_MAX * document.size() as u64;
        let steps_left = EVALUATION_STEPS_MAX + for_size;
        Self { program, text: document.texts(), steps_left, depth_left: EVALUATION_DEPTH_MAX }
    }

    /// What a schema says of the document.
    pub(super) fn decide(&mut self, schema: SchemaId, document: Node<'d>) -> Verdict {
        let is_valid = self.holds(schema, document.cells());
        // A negation may have turned the refusal of an exhausted run round.
        match (self.steps_left, is_valid) {
            (0, _) => Verdict::Exhausted,
            (_, true) => Verdict::Valid,
            (_, false) => Verdict::Invalid,
        }
    }

    fn holds(&mut self, schema: SchemaId, value: Cells<'d>) -> bool {
        let program = self.program;
        self.charge(1);
        program.slots.get(schema.index()).is_some_and(|slot| self.fits(slot, value))
    }

    /// Counts what is done; when nothing is left, that is told at the end of the run.
    #[inline(always)]
    fn charge(&mut self, steps: u32) {
        self.steps_left = self.steps_left.saturating_sub(steps.into());
    }

    /// Decides without a call what most values need.
    #[inline(always)]
    fn fits(&mut self, slot: &'p Slot, value: Cells<'d>) -> bool {
        let Some(cell) = value.first() else { return false };
        if !slot.types.admit(cell) {
            return false;
        }
        match &slot.checks {
            Checks::Nothing => true,
            Checks::Range { least, most } => is_cell_within(*least, cell, *most),
            Checks::Length { least, most } => {
                // A character takes up to four bytes.
                let fits = |bytes: u32| *least <= bytes / 4 && bytes <= *most;
                matches!(cell, Cell::String { length, .. } if fits(*length))
                    || self.has_length(value, *least, *most)
            }
            Checks::Scalar(schema) => self.scalar(*schema, value),
            Checks::Object(schema) => self.plain_object(*schema, value),
            Checks::Array(schema) => self.plain_array(*schema, value),
            Checks::Schemas { start, length } => self.schemas(*start as usize, *length, value),
        }
    }

    #[cold]
    fn has_length(&self, value: Cells<'d>, least: u32, most: u32) -> bool {
        let text = Node::new(value, self.text).as_str();
        text.is_none_or(|text| has_length(text, least.into(), most.into()))
    }

    #[inline(never)]
    fn scalar(&mut self, schema: SchemaId, value: Cells<'d>) -> bool {
        let rules = self.program.rules.get(schema.index());
        rules.is_none_or(|rules| admits_scalar(rules, Node::new(value, self.text)))
    }

    /// What only says something of an object's properties and their number.
    #[inline(never)]
    fn plain_object(&mut self, schema: SchemaId, value: Cells<'d>) -> bool {
        let [Cell::Object { properties, .. }, members @ ..] = value else { return true };
        let rules = self.program.rules.get(schema.index());
        let Some(rules) = rules.and_then(|rules| rules.objects.as_deref()) else { return true };
        if !rules.count.admits(*properties as usize) || !self.goes_down() {
            return false;
        }
        let holds = self.properties(rules, *properties, members);
        self.depth_left += 1;
        holds
    }

    /// What only says something of an array's items and their number.
    #[inline(never)]
    fn plain_array(&mut self, schema: SchemaId, value: Cells<'d>) -> bool {
        let [Cell::Array { items, .. }, rest @ ..] = value else { return true };
        let rules = self.program.rules.get(schema.index());
        let Some(rules) = rules.and_then(|rules| rules.arrays.as_deref()) else { return true };
        if !rules.count.admits(*items as usize) || !self.goes_down() {
            return false;
        }
        let holds = self.items(rules, *items, rest);
        self.depth_left += 1;
        holds
    }

    /// Whether the run may go one level deeper; it must be let up again.
    #[inline(always)]
    fn goes_down(&mut self) -> bool {
        if self.depth_left == 0 || self.steps_left == 0 {
            self.steps_left = 0;
            return false;
        }
        self.depth_left -= 1;
        true
    }

    #[inline(never)]
    fn schemas(&mut self, start: usize, length: u32, value: Cells<'d>) -> bool {
        let program = self.program;
        self.charge(length);
        if !self.goes_down() {
            return false;
        }
        let list = program.order.get(start..start + length as usize).unwrap_or_default();
        let node = Node::new(value, self.text);
        let holds = list.iter().all(|schema| {
            let rules = program.rules.get(schema.index());
            rules.is_none_or(|rules| self.rules(*schema, rules, node))
        });
        self.depth_left += 1;
        holds
    }

    fn rules(&mut self, own: SchemaId, rules: &'p Rules, node: Node<'d>) -> bool {
        let holds = match node.view() {
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

    fn branch(&mut self, branch: &Branch, node: Node<'d>) -> bool {
        let value = node.cells();
        match branch {
            Branch::AnyOf(schemas) => schemas.iter().any(|schema| self.holds(*schema, value)),
            Branch::OneOf(schemas) => {
                let mut holding = schemas.iter().filter(|schema| self.holds(**schema, value));
                holding.next().is_some() && holding.next().is_none()
            }
            Branch::Not(schema) => !self.holds(*schema, value),
            Branch::If { test, satisfied, otherwise } => {
                let next = if self.holds(*test, value) { satisfied } else { otherwise };
                next.is_none_or(|schema| self.holds(schema, value))
            }
            Branch::Dependent { name, schema } => {
                node.get(name).is_none() || self.holds(*schema, value)
            }
        }
    }

    fn array(
        &mut self,
        own: SchemaId,
        rules: &'p ArrayRules,
        node: Node<'d>,
        items: Items<'d>,
    ) -> bool {
        let cells = node.cells().get(1..).unwrap_or_default();
        if !rules.count.admits(items.len()) || !self.items(rules, items.len() as u32, cells) {
            return false;
        }
        if let Some((schema, count)) = rules.contains {
            let mut found = 0;
            for item in items {
                // What comes after enough, or too many, changes nothing.
                if found > count.maximum || (found >= count.minimum && count.maximum == u64::MAX) {
                    break;
                }
                found += u64::from(self.holds(schema, item.cells()));
            }
            if found < count.minimum || found > count.maximum {
                return false;
            }
        }
        (!rules.has_unique_items || are_unique(items))
            && rules.unevaluated.is_none_or(|schema| {
                let active = self.active(own, node);
                items.enumerate().all(|(index, item)| {
                    self.evaluates_item(own, &active, index, item)
                        || self.holds(schema, item.cells())
                })
            })
    }

    /// What is said of the items by their places.
    #[inline(always)]
    fn items(&mut self, rules: &'p ArrayRules, count: u32, mut items: Cells<'d>) -> bool {
        let program = self.program;
        self.charge(count);
        let slot = |schema: SchemaId| program.slots.get(schema.index());
        let first = rules.prefix.iter().take(count as usize);
        for schema in first.clone() {
            if slot(*schema).is_some_and(|slot| !self.fits(slot, items)) {
                return false;
            }
            items = behind(items);
        }
        let Some(slot) = rules.items.and_then(slot) else { return true };
        if let Checks::Nothing = slot.checks {
            for _ in first.len()..count as usize {
                if items.first().is_none_or(|item| !slot.types.admit(item)) {
                    return false;
                }
                items = behind(items);
            }
            return true;
        }
        for _ in first.len()..count as usize {
            if !self.fits(slot, items) {
                return false;
            }
            items = behind(items);
        }
        true
    }

    fn object(
        &mut self,
        own: SchemaId,
        rules: &'p ObjectRules,
        node: Node<'d>,
        properties: Properties<'d>,
    ) -> bool {
        let members = node.cells().get(1..).unwrap_or_default();
        rules.count.admits(properties.len())
            && self.properties(rules, properties.len() as u32, members)
            && rules
                .names
                .is_none_or(|schema| properties.names().all(|it| self.holds(schema, it.cells())))
            && rules.dependent.iter().all(|(name, required)| {
                properties.get(name).is_none()
                    || required.iter().all(|name| properties.get(name).is_some())
            })
            && rules.unevaluated.is_none_or(|schema| {
                let active = self.active(own, node);
                let mut properties = properties;
                properties.all(|(name, value)| {
                    self.evaluates_property(own, &active, name) || self.holds(schema, value.cells())
                })
            })
    }

    /// Walks the properties of the document, from the name of the first one on, and those of the
    /// schema, which are sorted alike.
    #[inline(always)]
    fn properties(&mut self, rules: &'p ObjectRules, count: u32, mut members: Cells<'d>) -> bool {
        self.charge(count);
        let mut known = &*rules.properties;
        for _ in 0..count {
            let [Cell::String { start, length }, value @ ..] = members else { return false };
            let property = match known {
                [property, others @ ..] if property.is_named(self.text, *start, *length) => {
                    known = others;
                    Some(property)
                }
                _ => {
                    let Some(found) = search(known, Name::new(self.text, *start, *length)) else {
                        return false;
                    };
                    known = found.others;
                    found.property
                }
            };
            let are_others_bound = match property {
                Some(property) if !self.fits(&property.slot, value) => return false,
                Some(property) => !property.is_decisive,
                None if rules.bind_others() => true,
                None if known.is_empty() => return true,
                None => false,
            };
            if are_others_bound
                && !self.others(rules, property, slice(self.text, *start, *length), value)
            {
                return false;
            }
            members = behind(value);
        }
        known.iter().all(|property| !property.is_required)
    }

    /// What patterns and additional properties say of a property of the document.
    #[inline(never)]
    fn others(
        &mut self,
        rules: &ObjectRules,
        property: Option<&Property>,
        name: &str,
        value: Cells<'d>,
    ) -> bool {
        let mut is_declared = property.is_some_and(|property| property.schema.is_some());
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
    fn active(&mut self, own: SchemaId, node: Node<'d>) -> Vec<SchemaId> {
        let (program, value) = (self.program, node.cells());
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
                        .filter(|schema| self.holds(**schema, value))
                        .for_each(|schema| add(*schema)),
                    Branch::If { test, satisfied, otherwise } => {
                        if self.holds(*test, value) {
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
        item: Node<'d>,
    ) -> bool {
        self.steps_left = self.steps_left.saturating_sub(active.len() as u64);
        active.iter().any(|schema| {
            let rules = self.program.rules.get(schema.index());
            let Some(rules) = rules.and_then(|rules| rules.arrays.as_ref()) else { return false };
            rules.items.is_some()
                || index < rules.prefix.len()
                || (rules.unevaluated.is_some() && *schema != own)
                || rules.contains.is_some_and(|(schema, _)| self.holds(schema, item.cells()))
        })
    }
}

impl SchemaId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

impl ObjectRules {
    /// Whether they say something of properties that are not declared.
    fn bind_others(&self) -> bool {
        self.additional.is_some() || !self.patterns.is_empty()
    }

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
    fn admit(self, cell: &Cell) -> bool {
        #[cold]
        fn admit_exactly(types: Types, cell: &Cell) -> bool {
            let is_whole = cell.as_number().is_some_and(Number::is_whole);
            types.overlaps(if is_whole { Types::INTEGER } else { Types::FRACTIONAL })
        }
        let kind = KINDS.get(cell.kind() as usize).copied().unwrap_or(Self::NONE);
        // Where any number will do, it need not be known whether this one is whole.
        self.overlaps(kind)
            && (kind != Self::NUMBER || Self::NUMBER.within(self) || admit_exactly(self, cell))
    }
}

/// The types that cells may have, by [`Cell::kind`].
const KINDS: [Types; 8] = [
    Types::NULL,
    Types::BOOLEAN,
    Types::INTEGER,
    Types::INTEGER,
    Types::NUMBER,
    Types::STRING,
    Types::ARRAY,
    Types::OBJECT,
];

impl Property {
    /// Whether a name of a document is this one; for sure only if it is.
    #[inline(always)]
    fn is_named(&self, texts: &str, start: u32, length: u32) -> bool {
        length == self.known.length()
            && texts.as_bytes().get(start as usize..).is_some_and(|rest| self.known.begins(rest))
    }
}

/// Where a name of a document is among properties of a schema.
struct Found<'p> {
    property: Option<&'p Property>,
    /// Those behind it.
    others: &'p [Property],
}

/// Looks for a name among sorted properties; gives nothing when a required one is before it.
#[inline(never)]
fn search<'p>(known: &'p [Property], name: Name<'_>) -> Option<Found<'p>> {
    let mut others = known;
    while let [property, behind @ ..] = others {
        if name.is(&property.name, property.head) {
            return Some(Found { property: Some(property), others: behind });
        }
        if name.is_before(&property.name, property.head) {
            break;
        }
        if property.is_required {
            return None;
        }
        others = behind;
    }
    Some(Found { property: None, others })
}

/// What follows the value that comes first.
#[inline(always)]
fn behind(value: Cells<'_>) -> Cells<'_> {
    match value {
        [Cell::Array { cells, .. } | Cell::Object { cells, .. }, rest @ ..] => {
            rest.get(*cells as usize..).unwrap_or_default()
        }
        [_, rest @ ..] => rest,
        [] => &[],
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

/// Whether a value is no number, or one between two doubles.
#[inline(always)]
fn is_cell_within(least: f64, cell: &Cell, most: f64) -> bool {
    #[cold]
    fn is_other_within(least: f64, cell: &Cell, most: f64) -> bool {
        cell.as_number().is_none_or(|number| is_within(least, number, most))
    }
    let is_between = |value: f64| least <= value && value <= most;
    if let Cell::Float(value) = cell {
        return is_between(*value);
    }
    if let Cell::Unsigned(value) = cell
        && *value < Number::EXACT_MAX
    {
        return is_between(value.cast_signed() as f64);
    }
    is_other_within(least, cell, most)
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
    let bytes = text.len() as u64;
    // A character takes up to four bytes.
    (least <= bytes.div_ceil(4) && bytes <= most) || has_characters(text, least, most)
}

#[cold]
fn has_characters(text: &str, least: u64, most: u64) -> bool {
    (least..=most).contains(&(text.chars().count() as u64))
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
