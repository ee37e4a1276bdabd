//! Sites: sets of rules that speak of a value, laid out before any document comes.
//!
//! Where conditions decide who speaks, a chain of decisions leads to the site. Sets that could be
//! too many are left open: who speaks there is found out with each value.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Annotation, Plan, RuleId, Speakers, Spoken, open};
use crate::document::{Name, head};
use crate::limits::{REDUCTION_DECISIONS_MAX, REDUCTION_SITES_MAX};

/// The index of a state in its plan.
pub(crate) type SiteId = usize;

/// What is known of a set of candidates.
#[derive(Debug)]
pub(super) enum State {
    /// These speak, whatever the value.
    Decided(Site),
    /// A condition of a rule decides how it goes on.
    Decision { rule: RuleId, condition: usize, satisfied: SiteId, otherwise: SiteId },
    /// These may speak; the value tells.
    Open(Vec<RuleId>),
}

/// Rules that speak of a value together.
#[derive(Debug)]
pub(crate) struct Site {
    rules: Vec<RuleId>,
    spoken: Spoken,
    /// Whether rules with patterns take part, so that the names of other properties matter.
    has_patterns: bool,
    /// By name.
    properties: Vec<Property>,
    other_properties: Speakers,
    prefix_items: Vec<Speakers>,
    other_items: Speakers,
}

/// A property that the rules name.
#[derive(Debug)]
struct Property {
    name: String,
    /// The first bytes of the name.
    head: u64,
    speakers: Speakers,
}

impl Site {
    /// The rules that speak.
    pub(super) fn rules(&self) -> &[RuleId] {
        &self.rules
    }

    /// What they say together.
    #[inline]
    pub(super) fn spoken(&self) -> Spoken {
        self.spoken
    }

    /// Who may speak of a property.
    pub(super) fn property<A: Annotation>(&self, plan: &Plan<A>, name: &str) -> Speakers {
        let place = self.properties.binary_search_by(|property| property.name.as_str().cmp(name));
        match place.ok().and_then(|at| self.properties.get(at)) {
            Some(property) => property.speakers.clone(),
            None => self.other_property(plan, name),
        }
    }

    /// Who may speak of the next property of an object whose names are asked for in ascending
    /// order; `at` counts along.
    #[inline]
    pub(crate) fn next_property<A: Annotation>(
        &self,
        plan: &Plan<A>,
        name: Name<'_>,
        at: &mut usize,
    ) -> Cow<'_, Speakers> {
        while let Some(property) = self.properties.get(*at) {
            if name.is(&property.name, property.head) {
                *at += 1;
                return Cow::Borrowed(&property.speakers);
            }
            if name.is_before(&property.name, property.head) {
                break;
            }
            *at += 1;
        }
        if self.has_patterns {
            return Cow::Owned(self.other_property(plan, name.as_str()));
        }
        Cow::Borrowed(&self.other_properties)
    }

    /// Who may speak of an item.
    pub(super) fn item(&self, index: usize) -> Speakers {
        self.prefix_items.get(index).unwrap_or(&self.other_items).clone()
    }

    fn other_property<A: Annotation>(&self, plan: &Plan<A>, name: &str) -> Speakers {
        if self.has_patterns {
            open(plan.property_rules(&self.rules, name))
        } else {
            self.other_properties.clone()
        }
    }
}

/// Lays out the sites of a plan.
#[derive(Debug, Default)]
pub(super) struct Sites {
    known: BTreeMap<Wanted, SiteId>,
    wanted: Vec<Wanted>,
}

/// Candidates, and how the first conditions of those that speak were decided.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    candidates: Vec<RuleId>,
    decisions: Vec<bool>,
}

impl Sites {
    /// Those who may speak, to be laid out.
    pub(super) fn speakers(&mut self, candidates: Vec<RuleId>) -> Speakers {
        if candidates.is_empty() {
            return Speakers::Nobody;
        }
        if self.wanted.len() >= REDUCTION_SITES_MAX {
            return Speakers::Rules(candidates);
        }
        Speakers::Site(self.id(Wanted { candidates, decisions: Vec::new() }))
    }

    /// Lays out everything that was asked for, and what can be reached from there.
    pub(super) fn lay_out<A: Annotation>(mut self, plan: &Plan<A>) -> Vec<State> {
        let mut states = Vec::new();
        while let Some(wanted) = self.wanted.get(states.len()).cloned() {
            let state = self.state(plan, wanted);
            states.push(state);
        }
        states
    }

    fn id(&mut self, wanted: Wanted) -> SiteId {
        let next = self.wanted.len();
        *self.known.entry(wanted).or_insert_with_key(|wanted| {
            self.wanted.push(wanted.clone());
            next
        })
    }

    fn state<A: Annotation>(&mut self, plan: &Plan<A>, wanted: Wanted) -> State {
        let mut decisions = wanted.decisions.iter().copied();
        match plan.closure(&wanted.candidates, |_| decisions.next()) {
            (rules, None) => State::Decided(self.site(plan, rules)),
            (_, Some((rule, condition))) => {
                let is_limited = wanted.decisions.len() >= REDUCTION_DECISIONS_MAX
                    || self.wanted.len() >= REDUCTION_SITES_MAX;
                if is_limited {
                    return State::Open(wanted.candidates);
                }
                let mut decided = |holds: bool| {
                    let mut further = wanted.clone();
                    further.decisions.push(holds);
                    self.id(further)
                };
                let (satisfied, otherwise) = (decided(true), decided(false));
                State::Decision { rule, condition, satisfied, otherwise }
            }
        }
    }

    fn site<A: Annotation>(&mut self, plan: &Plan<A>, rules: Vec<RuleId>) -> Site {
        let speaking = || rules.iter().filter_map(|id| plan.rules.get(*id));
        let mut names: Vec<&String> = speaking().flat_map(|rule| rule.properties.keys()).collect();
        names.sort_unstable();
        names.dedup();
        let has_patterns = speaking().any(|rule| !rule.patterns.is_empty());
        let properties = names
            .into_iter()
            .map(|name| Property {
                name: name.clone(),
                head: head(name),
                speakers: self.speakers(plan.property_rules(&rules, name)),
            })
            .collect();
        let prefix = speaking().map(|rule| rule.prefix_items.len()).max().unwrap_or(0);
        let prefix_items =
            (0..prefix).map(|index| self.speakers(plan.item_rules(&rules, index))).collect();
        let other_items = self.speakers(plan.item_rules(&rules, prefix));
        let other_properties = self.speakers(plan.other_rules(&rules));
        let spoken = plan.speak(&rules);
        Site {
            rules,
            spoken,
            has_patterns,
            properties,
            other_properties,
            prefix_items,
            other_items,
        }
    }
}
