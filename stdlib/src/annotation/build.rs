//! From the normal form of a schema to the schemas of a plan.

use std::collections::{BTreeMap, VecDeque};

use regex::Regex;
use serde_json::{Map, Value};

use super::{Annotation, Condition, Rule, RuleId, Test};
use crate::schema::{NormalForm, Program, SchemaFailure, target};
use crate::value::escape;

/// The schemas that can be reached from the root, which is the first; those that lead to no
/// annotation are left out of in-place lists. With them comes what decides their conditions.
pub(super) fn rules<A: Annotation>(
    normal: &NormalForm,
) -> Result<(Vec<Rule<A>>, Option<Program>), SchemaFailure> {
    let mut rules = Builder::build(normal);
    mark_bearing(&mut rules);
    keep_bearing(&mut rules);
    let has_tests = rules.iter().any(|rule| {
        rule.conditions.iter().any(|condition| matches!(condition.test, Test::Unused(_)))
    });
    if !has_tests {
        return Ok((rules, None));
    }
    let program = Program::compile(normal)?;
    for condition in rules.iter_mut().flat_map(|rule| &mut rule.conditions) {
        if let Test::Unused(place) = &condition.test
            && let Some(schema) = program.schema_at(place)
        {
            condition.test = Test::Valid(schema);
        }
    }
    Ok((rules, Some(program)))
}

/// Makes a rule of every schema that can be reached from the root.
struct Builder {
    ids: BTreeMap<String, RuleId>,
    queue: VecDeque<String>,
}

impl Builder {
    fn build<A: Annotation>(normal: &NormalForm) -> Vec<Rule<A>> {
        let mut builder = Self { ids: BTreeMap::new(), queue: VecDeque::new() };
        builder.id("");
        let mut rules = Vec::new();
        while let Some(place) = builder.queue.pop_front() {
            rules.push(builder.rule(normal, &place));
        }
        rules
    }

    /// The id of the schema at a place, which is queued when it is new.
    fn id(&mut self, place: &str) -> RuleId {
        if let Some(id) = self.ids.get(place) {
            return *id;
        }
        let id = self.ids.len();
        self.ids.insert(place.to_owned(), id);
        self.queue.push_back(place.to_owned());
        id
    }

    fn rule<A: Annotation>(&mut self, normal: &NormalForm, place: &str) -> Rule<A> {
        let Some(Value::Object(schema)) = normal.schema.pointer(place) else {
            return Rule::silent();
        };
        let mut in_place: Vec<_> =
            target(schema).map(|target| self.id(&target)).into_iter().collect();
        in_place.extend(self.array(schema, "allOf", place));
        let origin = || normal.origin(&format!("{place}/{}", A::KEYWORD));
        let annotation = schema.get(A::KEYWORD).and_then(|it| A::parse(it, origin).ok());
        Rule {
            annotation,
            in_place,
            conditions: self.conditions(schema, place),
            properties: self.object(schema, "properties", place).collect(),
            patterns: self
                .object(schema, "patternProperties", place)
                .filter_map(|(pattern, id)| Some((Regex::new(&pattern).ok()?, id)))
                .collect(),
            additional_properties: self.single(schema, "additionalProperties", place),
            unevaluated_properties: self.single(schema, "unevaluatedProperties", place),
            prefix_items: self.array(schema, "prefixItems", place),
            items: self.single(schema, "items", place),
            unevaluated_items: self.single(schema, "unevaluatedItems", place),
            bears: false,
        }
    }

    fn conditions(&mut self, schema: &Map<String, Value>, place: &str) -> Vec<Condition> {
        let mut conditions = Vec::new();
        for keyword in ["oneOf", "anyOf"] {
            for (index, id) in self.array(schema, keyword, place).into_iter().enumerate() {
                conditions.push(Condition {
                    test: Test::Unused(format!("{place}/{keyword}/{index}")),
                    satisfied: vec![id],
                    otherwise: Vec::new(),
                });
            }
        }
        if let Some(id) = self.single(schema, "if", place) {
            let then = self.single(schema, "then", place);
            conditions.push(Condition {
                test: Test::Unused(format!("{place}/if")),
                satisfied: [id].into_iter().chain(then).collect(),
                otherwise: self.single(schema, "else", place).into_iter().collect(),
            });
        }
        for (name, id) in self.object(schema, "dependentSchemas", place) {
            conditions.push(Condition {
                test: Test::Has(name),
                satisfied: vec![id],
                otherwise: Vec::new(),
            });
        }
        conditions
    }

    fn single(
        &mut self,
        schema: &Map<String, Value>,
        keyword: &str,
        place: &str,
    ) -> Option<RuleId> {
        schema.contains_key(keyword).then(|| self.id(&format!("{place}/{keyword}")))
    }

    fn array(&mut self, schema: &Map<String, Value>, keyword: &str, place: &str) -> Vec<RuleId> {
        let length = schema.get(keyword).and_then(Value::as_array).map_or(0, Vec::len);
        (0..length).map(|index| self.id(&format!("{place}/{keyword}/{index}"))).collect()
    }

    fn object(
        &mut self,
        schema: &Map<String, Value>,
        keyword: &str,
        place: &str,
    ) -> impl Iterator<Item = (String, RuleId)> + use<> {
        let names = schema.get(keyword).and_then(Value::as_object).into_iter().flatten();
        let ids: Vec<_> = names
            .map(|(name, _)| {
                (name.clone(), self.id(&format!("{place}/{keyword}/{}", escape(name))))
            })
            .collect();
        ids.into_iter()
    }
}

/// Marks the rules from which an annotation can be reached.
fn mark_bearing<A: Annotation>(rules: &mut [Rule<A>]) {
    let mut parents: BTreeMap<RuleId, Vec<RuleId>> = BTreeMap::new();
    for (id, rule) in rules.iter().enumerate() {
        for child in rule.here().chain(rule.children()) {
            parents.entry(child).or_default().push(id);
        }
    }
    let mut queue: Vec<RuleId> = (0..)
        .zip(rules.iter())
        .filter(|(_, rule)| rule.annotation.is_some())
        .map(|(id, _)| id)
        .collect();
    while let Some(id) = queue.pop() {
        let Some(rule) = rules.get_mut(id).filter(|rule| !rule.bears) else { continue };
        rule.bears = true;
        queue.extend(parents.get(&id).into_iter().flatten());
    }
}

/// Forgets in-place schemas that lead to no annotation.
fn keep_bearing<A: Annotation>(rules: &mut [Rule<A>]) {
    let bearing: Vec<bool> = rules.iter().map(|rule| rule.bears).collect();
    let bears = |id: &RuleId| bearing.get(*id).copied().unwrap_or(false);
    for rule in rules {
        rule.in_place.retain(bears);
        for condition in &mut rule.conditions {
            condition.satisfied.retain(bears);
            condition.otherwise.retain(bears);
        }
        rule.conditions.retain(|it| !it.satisfied.is_empty() || !it.otherwise.is_empty());
    }
}
