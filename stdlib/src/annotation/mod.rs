//! Which annotations of a schema speak of a value: those of reductions and of redactions, ready to
//! be walked with a document.
//!
//! A rule stands for one schema of the normal form. Which rules speak of a value depends on the
//! value only where a `oneOf`, `anyOf`, `if` or `dependentSchemas` leads to an annotation; all else
//! is known beforehand and laid out in [`Site`]s.

mod build;
mod site;

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

use crate::document::Node;
use crate::schema::{NormalForm, Program, SchemaFailure, SchemaId};
pub(crate) use site::{Site, SiteId};
use site::{Sites, State};

/// An annotation of one kind.
pub(crate) trait Annotation: std::fmt::Debug + Sized {
    /// The keyword that it is the value of.
    const KEYWORD: &'static str;

    /// Checks the value of the keyword. `origin` is the JSON pointer of it in the bundled schema;
    /// pointers of failures start at the annotation.
    fn parse(value: &Value, origin: impl FnOnce() -> String) -> Result<Self, SchemaFailure>;

    /// Whether both ask for the same.
    fn agrees_with(&self, other: &Self) -> bool;
}

/// The index of a rule in its plan.
pub(crate) type RuleId = usize;

/// The rules of a schema, and the sites that they meet at.
#[derive(Debug)]
pub(crate) struct Plan<A> {
    rules: Vec<Rule<A>>,
    sites: Vec<State>,
    root: Speakers,
    /// What decides the conditions, if there are any.
    program: Option<Program>,
}

/// What one schema says.
#[derive(Debug)]
struct Rule<A> {
    annotation: Option<A>,
    /// Schemas that always apply to the same value.
    in_place: Vec<RuleId>,
    conditions: Vec<Condition>,
    properties: BTreeMap<String, RuleId>,
    patterns: Vec<(Regex, RuleId)>,
    additional_properties: Option<RuleId>,
    unevaluated_properties: Option<RuleId>,
    prefix_items: Vec<RuleId>,
    items: Option<RuleId>,
    unevaluated_items: Option<RuleId>,
    /// Whether an annotation can be reached from here.
    bears: bool,
}

/// Schemas that apply to the same value when a test says so.
#[derive(Debug)]
struct Condition {
    test: Test,
    satisfied: Vec<RuleId>,
    otherwise: Vec<RuleId>,
}

#[derive(Debug)]
enum Test {
    /// The value is valid under the schema at this place, which leads to no annotation.
    Unused(String),
    Valid(SchemaId),
    /// The value is an object with this property.
    Has(String),
}

/// Who may speak of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Speakers {
    /// Nobody, so that the last write wins.
    Nobody,
    /// The rules of a site.
    Site(SiteId),
    /// Rules that are not laid out, because only the value or the name of its property tells which
    /// ones they are.
    Rules(Vec<RuleId>),
}

/// Who speaks of a value.
#[derive(Debug, Clone)]
pub(crate) enum Speaking<'p> {
    Site(&'p Site),
    Rules(Vec<RuleId>),
}

/// What is said of a value.
#[derive(Debug)]
pub(crate) enum Verdict<'p, A> {
    /// Nothing.
    Nothing,
    /// All who say something say this.
    Annotation(&'p A),
    /// These two are not the same.
    Conflict(&'p A, &'p A),
}

/// The rules of a [`Verdict`].
#[derive(Debug, Clone, Copy)]
enum Spoken {
    Nothing,
    Annotation(RuleId),
    Conflict(RuleId, RuleId),
}

impl<A: Annotation> Plan<A> {
    /// The plan of a schema without faults.
    ///
    /// # Errors
    /// When the schema is too large to be compiled.
    pub(crate) fn new(normal: &NormalForm) -> Result<Self, SchemaFailure> {
        let (rules, program) = build::rules(normal)?;
        let mut plan = Self { rules, sites: Vec::new(), root: Speakers::Nobody, program };
        let mut sites = Sites::default();
        plan.root = sites.speakers(plan.bearing(vec![ROOT]));
        plan.sites = sites.lay_out(&plan);
        Ok(plan)
    }

    /// Who may speak of the root.
    pub(crate) fn root(&self) -> &Speakers {
        &self.root
    }

    /// Whether nothing is said of any value by those that may speak, as far as that is known
    /// without a look at the value.
    #[inline]
    pub(crate) fn is_silent(&self, speakers: &Speakers) -> bool {
        match speakers {
            Speakers::Nobody => true,
            Speakers::Site(site) => matches!(
                self.sites.get(*site),
                Some(State::Decided(site)) if matches!(site.spoken(), Spoken::Nothing)
            ),
            Speakers::Rules(_) => false,
        }
    }

    /// Who of those that may speak does speak of `value`.
    #[inline]
    pub(crate) fn resolve<'p>(
        &'p self,
        speakers: &Speakers,
        value: Node<'_>,
    ) -> Option<Speaking<'p>> {
        let mut at = match speakers {
            Speakers::Nobody => return None,
            Speakers::Site(site) => *site,
            Speakers::Rules(candidates) => {
                return Some(Speaking::Rules(self.activate(candidates, value)));
            }
        };
        loop {
            match self.sites.get(at)? {
                State::Decided(site) => return Some(Speaking::Site(site)),
                State::Open(candidates) => {
                    return Some(Speaking::Rules(self.activate(candidates, value)));
                }
                State::Decision { rule, condition, satisfied, otherwise } => {
                    let condition = self.rules.get(*rule)?.conditions.get(*condition)?;
                    at = if self.holds(&condition.test, value) { *satisfied } else { *otherwise };
                }
            }
        }
    }

    /// The annotations of some rules.
    pub(crate) fn annotations(&self, rules: &[RuleId]) -> impl Iterator<Item = &A> {
        rules.iter().filter_map(|id| self.rules.get(*id)?.annotation.as_ref())
    }

    /// What those who speak say.
    #[inline]
    pub(crate) fn verdict(&self, speaking: &Speaking<'_>) -> Verdict<'_, A> {
        match speaking {
            Speaking::Site(site) => self.spoken(site.spoken()),
            Speaking::Rules(rules) => self.spoken(self.speak(rules)),
        }
    }

    /// What some rules say together.
    fn speak(&self, rules: &[RuleId]) -> Spoken {
        let annotation = |id: RuleId| Some((id, self.rules.get(id)?.annotation.as_ref()?));
        let mut annotations = rules.iter().filter_map(|id| annotation(*id));
        let Some((first, annotation)) = annotations.next() else { return Spoken::Nothing };
        match annotations.find(|(_, other)| !other.agrees_with(annotation)) {
            None => Spoken::Annotation(first),
            Some((second, _)) => Spoken::Conflict(first, second),
        }
    }

    #[inline]
    fn spoken(&self, spoken: Spoken) -> Verdict<'_, A> {
        let annotation = |id: RuleId| self.rules.get(id).and_then(|rule| rule.annotation.as_ref());
        match spoken {
            Spoken::Nothing => Verdict::Nothing,
            Spoken::Annotation(id) => annotation(id).map_or(Verdict::Nothing, Verdict::Annotation),
            Spoken::Conflict(first, second) => match (annotation(first), annotation(second)) {
                (Some(first), Some(second)) => Verdict::Conflict(first, second),
                _ => Verdict::Nothing,
            },
        }
    }

    /// Who may speak of a property of a value.
    pub(crate) fn property(&self, speaking: &Speaking<'_>, name: &str) -> Speakers {
        match speaking {
            Speaking::Site(site) => site.property(self, name),
            Speaking::Rules(active) => open(self.property_rules(active, name)),
        }
    }

    /// Who may speak of an item of a value.
    pub(crate) fn item(&self, speaking: &Speaking<'_>, index: usize) -> Speakers {
        match speaking {
            Speaking::Site(site) => site.item(index),
            Speaking::Rules(active) => open(self.item_rules(active, index)),
        }
    }

    /// The rules that speak of `value`, which stands where `candidates` may speak.
    fn activate(&self, candidates: &[RuleId], value: Node<'_>) -> Vec<RuleId> {
        let decide = |condition: &Condition| Some(self.holds(&condition.test, value));
        let (active, _) = self.closure(candidates, decide);
        active
    }

    /// The rules that speak of the same value as `candidates`, as far as `decide` decides the
    /// conditions; and the first one that it does not, by its rule and its index there.
    fn closure(
        &self,
        candidates: &[RuleId],
        mut decide: impl FnMut(&Condition) -> Option<bool>,
    ) -> (Vec<RuleId>, Option<(RuleId, usize)>) {
        let mut active = candidates.to_vec();
        let mut at = 0;
        while let Some((id, rule)) = active.get(at).and_then(|id| Some((*id, self.rules.get(*id)?)))
        {
            at += 1;
            add_new(&mut active, rule.in_place.iter().copied());
            for (index, condition) in rule.conditions.iter().enumerate() {
                let Some(holds) = decide(condition) else { return (active, Some((id, index))) };
                let more = if holds { &condition.satisfied } else { &condition.otherwise };
                add_new(&mut active, more.iter().copied());
            }
        }
        (active, None)
    }

    /// The rules that may speak of a property of a value that `active` speak of.
    fn property_rules(&self, active: &[RuleId], name: &str) -> Vec<RuleId> {
        let mut found = Vec::new();
        let mut unevaluated = Vec::new();
        let mut is_evaluated = false;
        for rule in active.iter().filter_map(|id| self.rules.get(*id)) {
            let named = rule.properties.get(name);
            let mut speaks = named.is_some();
            found.extend(named);
            for (pattern, id) in &rule.patterns {
                if pattern.is_match(name) {
                    speaks = true;
                    found.push(*id);
                }
            }
            if !speaks {
                speaks = rule.additional_properties.is_some();
                found.extend(rule.additional_properties);
            }
            is_evaluated |= speaks;
            unevaluated.extend(rule.unevaluated_properties);
        }
        self.bearing(if is_evaluated { found } else { unevaluated })
    }

    /// The rules that may speak of a property that none of `active` names.
    fn other_rules(&self, active: &[RuleId]) -> Vec<RuleId> {
        let rules = || active.iter().filter_map(|id| self.rules.get(*id));
        let additional: Vec<RuleId> =
            rules().filter_map(|rule| rule.additional_properties).collect();
        let unevaluated = || rules().filter_map(|rule| rule.unevaluated_properties).collect();
        self.bearing(if additional.is_empty() { unevaluated() } else { additional })
    }

    /// The rules that may speak of an item of a value that `active` speak of.
    fn item_rules(&self, active: &[RuleId], index: usize) -> Vec<RuleId> {
        let mut found = Vec::new();
        let mut unevaluated = Vec::new();
        for rule in active.iter().filter_map(|id| self.rules.get(*id)) {
            found.extend(rule.prefix_items.get(index).copied().or(rule.items));
            unevaluated.extend(rule.unevaluated_items);
        }
        self.bearing(if found.is_empty() { unevaluated } else { found })
    }

    /// Those that lead to an annotation, each once.
    fn bearing(&self, ids: Vec<RuleId>) -> Vec<RuleId> {
        let mut bearing = Vec::with_capacity(ids.len());
        let bears = |id: &RuleId| self.rules.get(*id).is_some_and(|rule| rule.bears);
        add_new(&mut bearing, ids.into_iter().filter(bears));
        bearing
    }

    fn holds(&self, test: &Test, value: Node<'_>) -> bool {
        match test {
            Test::Unused(_) => false,
            Test::Valid(schema) => {
                self.program.as_ref().is_some_and(|program| program.admits(*schema, value))
            }
            Test::Has(name) => value.get(name).is_some(),
        }
    }

    /// All annotations that may ever speak of the root.
    pub(crate) fn at_root(&self) -> impl Iterator<Item = &A> {
        let mut found = vec![ROOT];
        let mut at = 0;
        while let Some(rule) = found.get(at).and_then(|id| self.rules.get(*id)) {
            at += 1;
            add_new(&mut found, rule.here());
        }
        found.into_iter().filter_map(|id| self.rules.get(id)?.annotation.as_ref())
    }
}

/// The rule of the root of every schema.
const ROOT: RuleId = 0;

/// Who may speak, when that is not laid out.
fn open(rules: Vec<RuleId>) -> Speakers {
    if rules.is_empty() { Speakers::Nobody } else { Speakers::Rules(rules) }
}

fn add_new(ids: &mut Vec<RuleId>, more: impl Iterator<Item = RuleId>) {
    for id in more {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
}

impl Speaking<'_> {
    /// The rules that speak.
    pub(crate) fn rules(&self) -> &[RuleId] {
        match self {
            Self::Site(site) => site.rules(),
            Self::Rules(rules) => rules,
        }
    }
}

impl<A> Rule<A> {
    /// The rule of a schema that says nothing.
    fn silent() -> Self {
        Self {
            annotation: None,
            in_place: Vec::new(),
            conditions: Vec::new(),
            properties: BTreeMap::new(),
            patterns: Vec::new(),
            additional_properties: None,
            unevaluated_properties: None,
            prefix_items: Vec::new(),
            items: None,
            unevaluated_items: None,
            bears: false,
        }
    }

    /// All rules that may apply to the same value.
    fn here(&self) -> impl Iterator<Item = RuleId> {
        let conditional = self
            .conditions
            .iter()
            .flat_map(|condition| condition.satisfied.iter().chain(&condition.otherwise).copied());
        self.in_place.iter().copied().chain(conditional)
    }

    /// All rules that may apply to a property or an item.
    fn children(&self) -> impl Iterator<Item = RuleId> {
        self.properties
            .values()
            .chain(self.patterns.iter().map(|(_, id)| id))
            .chain(&self.prefix_items)
            .copied()
            .chain(self.additional_properties)
            .chain(self.unevaluated_properties)
            .chain(self.items)
            .chain(self.unevaluated_items)
    }
}
