//! A fold that is as simple as it can be: random schemas with documents that suit them, and what comes of those by the
//! letter of the language reference, over trees, with none of the code under test.

#![allow(clippy::wildcard_enum_match_arm, reason = "the rules that matter are named")]

use serde_json::{Map, Value, json};

/// How values of a location are reduced.
#[derive(Debug, Clone)]
pub(super) enum Rule {
    Last,
    /// Null deletes the location.
    Patch,
    /// Unequal values wait for their base.
    Strict,
    First,
    Smallest,
    Greatest,
    /// By `/at`; values of equal `/at` are merged, with a sum at `/n`.
    SmallestBy,
    GreatestBy,
    Sum,
    SumOfTexts,
    Append,
    /// Members are names, whose values are added.
    Names,
    /// Members are numbers in order.
    Numbers,
    Merge(Vec<(&'static str, Rule)>),
    /// Null starts anew.
    MergeOrNull(Vec<(&'static str, Rule)>),
    Items(Box<Rule>),
    /// Items in the order of `/at`, with a sum at `/n`.
    Sorted,
    /// A counter that can be set back.
    Counter,
    Schema,
}

/// How the kind of a document decides about its schema.
#[derive(Debug, Clone, Copy)]
pub(super) enum Branching {
    If,
    OneOf,
    AnyOf,
}

/// A schema of documents with the key `/k` and a kind that follows from it.
#[derive(Debug, Clone)]
pub(super) struct Catalog {
    pub(super) properties: Vec<(&'static str, Rule)>,
    pub(super) of_kind: [Vec<(&'static str, Rule)>; 2],
    pub(super) branching: Branching,
    /// Whether `"op": "d"` deletes the document.
    pub(super) tombstones: bool,
}

/// Numbers that only look random.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn properties(&mut self, names: &[&'static str], depth: u32) -> Vec<(&'static str, Rule)> {
        let count = self.below(names.len() as u64 + 1) as usize;
        names.iter().take(count).map(|name| (*name, self.rule(depth))).collect()
    }

    fn rule(&mut self, depth: u32) -> Rule {
        match self.below(if depth == 0 { 16 } else { 19 }) {
            0 => Rule::Last,
            1 => Rule::Patch,
            2 => Rule::Strict,
            3 => Rule::First,
            4 => Rule::Smallest,
            5 => Rule::Greatest,
            6 => Rule::SmallestBy,
            7 => Rule::GreatestBy,
            8 => Rule::SumOfTexts,
            9 => Rule::Append,
            10 => Rule::Names,
            11 => Rule::Numbers,
            12 => Rule::Sorted,
            13 => Rule::Counter,
            14 => Rule::Schema,
            15 => Rule::Sum,
            16 => Rule::Merge(self.properties(&["p", "q", "r"], depth - 1)),
            17 => Rule::MergeOrNull(self.properties(&["p", "q", "r"], depth - 1)),
            // What deletes an item moves those behind it, so that it would depend on the batches which ones meet.
            _ => Rule::Items(Box::new(match self.rule(depth - 1) {
                Rule::Patch => Rule::Last,
                rule => rule,
            })),
        }
    }

    pub(super) fn catalog(&mut self) -> Catalog {
        Catalog {
            properties: self.properties(&["a", "b", "c", "d"], 2),
            of_kind: [self.properties(&["e", "f"], 1), self.properties(&["e", "f"], 1)],
            branching: match self.below(3) {
                0 => Branching::If,
                1 => Branching::OneOf,
                _ => Branching::AnyOf,
            },
            tombstones: self.below(3) == 0,
        }
    }

    fn number(&mut self) -> Value {
        match self.below(3) {
            0 => Value::from(self.below(4096) as f64 / 1024.0 - 2.0),
            _ => Value::from(self.below(9) as i64 - 4),
        }
    }

    fn members(&mut self) -> Vec<u64> {
        (0..4).filter(|_| self.below(2) == 0).collect()
    }

    fn term(&mut self, rule: &Rule) -> Value {
        let members = self.members();
        if matches!(rule, Rule::Numbers) {
            return json!(members);
        }
        let names = members.iter().map(|member| (format!("m{member}"), self.number()));
        Value::Object(names.collect())
    }

    fn object(&mut self, properties: &[(&'static str, Rule)]) -> Map<String, Value> {
        let mut object = Map::new();
        for (name, rule) in properties {
            if rule.waits() || self.below(4) > 0 {
                object.insert((*name).to_owned(), self.value(rule));
            }
        }
        object
    }

    fn value(&mut self, rule: &Rule) -> Value {
        match rule {
            Rule::Last | Rule::First | Rule::Smallest | Rule::Greatest | Rule::Patch => {
                match self.below(6) {
                    0 => Value::Null,
                    1 => json!([self.number()]),
                    2 => json!({"x": self.number()}),
                    3 => json!(format!("s{}", self.below(3))),
                    _ => self.number(),
                }
            }
            Rule::Strict => json!(self.below(2)),
            Rule::Sum => self.number(),
            Rule::SumOfTexts => match self.below(2) {
                0 => json!(self.below(5)),
                _ => json!(format!("-{}.{:02}", self.below(9), self.below(100))),
            },
            Rule::SmallestBy | Rule::GreatestBy => match self.below(6) {
                0 => json!({"n": self.number()}),
                _ => json!({"at": self.below(3), "n": self.number()}),
            },
            Rule::Append => json!(self.members()),
            Rule::Names | Rule::Numbers => {
                let mut terms = Map::new();
                if self.below(3) > 0 {
                    terms.insert("add".to_owned(), self.term(rule));
                }
                match self.below(3) {
                    0 => terms.insert("intersect".to_owned(), self.term(rule)),
                    1 => terms.insert("remove".to_owned(), self.term(rule)),
                    _ => None,
                };
                Value::Object(terms)
            }
            Rule::Merge(properties) => Value::Object(self.object(properties)),
            Rule::MergeOrNull(properties) => match self.below(4) {
                0 => Value::Null,
                _ => Value::Object(self.object(properties)),
            },
            Rule::Items(rule) => {
                let count = if rule.waits() { 2 } else { self.below(3) };
                (0..count).map(|_| self.value(rule)).collect()
            }
            Rule::Sorted => {
                let members = self.members().into_iter();
                members.map(|at| json!({"at": at, "n": self.number()})).collect()
            }
            Rule::Counter => {
                let action = if self.below(3) == 0 { "reset" } else { "sum" };
                json!({"action": action, "value": self.number()})
            }
            Rule::Schema => match self.below(3) {
                0 => json!({"type": "integer", "minimum": self.below(3)}),
                1 => json!({"type": "string", "maxLength": self.below(9)}),
                _ => json!({"type": "object", "properties": {"a": {"type": "string"}}}),
            },
        }
    }

    pub(super) fn document(&mut self, catalog: &Catalog, keys: u64) -> Value {
        let key = self.below(keys);
        let mut document = self.object(&catalog.properties);
        let kind = key % 2;
        let of_kind = catalog.of_kind.get(kind as usize).map_or(&[][..], Vec::as_slice);
        document.extend(self.object(of_kind));
        document.insert("k".to_owned(), json!(key));
        document.insert("kind".to_owned(), json!(kind));
        if catalog.tombstones {
            let op = if self.below(4) == 0 { "d" } else { "c" };
            document.insert("op".to_owned(), json!(op));
        }
        Value::Object(document)
    }
}

impl Rule {
    /// Whether some of its values do not reduce without a base. Such values are never missing, for otherwise it would
    /// depend on the batches which documents are kept apart.
    fn waits(&self) -> bool {
        match self {
            Self::Strict | Self::MergeOrNull(_) => true,
            Self::Merge(properties) => properties.iter().any(|(_, rule)| rule.waits()),
            Self::Items(rule) => rule.waits(),
            _ => false,
        }
    }

    fn is_null_that_waits(&self) -> bool {
        match self {
            Self::MergeOrNull(_) => true,
            Self::Merge(properties) => properties.iter().any(|(_, rule)| rule.is_null_that_waits()),
            Self::Items(rule) => rule.is_null_that_waits(),
            _ => false,
        }
    }

    fn schema(&self) -> Value {
        let named = |strategy: &str| json!({"reduce": {"strategy": strategy}});
        let by = |strategy: &str| {
            json!({
                "properties": {"n": {"reduce": {"strategy": "sum"}}},
                "reduce": {"strategy": strategy, "key": ["/at"]},
            })
        };
        match self {
            Self::Last => named("lastWriteWins"),
            Self::Patch => json!({"oneOf": [
                {"type": "null", "reduce": {"strategy": "lastWriteWins", "delete": true}},
                {"not": {"type": "null"}},
            ]}),
            Self::Strict => json!({"reduce": {"strategy": "lastWriteWins", "associative": false}}),
            Self::First => named("firstWriteWins"),
            Self::Smallest => named("minimize"),
            Self::Greatest => named("maximize"),
            Self::SmallestBy => by("minimize"),
            Self::GreatestBy => by("maximize"),
            Self::Sum | Self::SumOfTexts => named("sum"),
            Self::Append => named("append"),
            Self::Names => json!({
                "properties": {"add": {"additionalProperties": {"reduce": {"strategy": "sum"}}}},
                "reduce": {"strategy": "set"},
            }),
            Self::Numbers => json!({"reduce": {"strategy": "set", "key": [""]}}),
            Self::Merge(properties) => {
                json!({"properties": schemas(properties), "reduce": {"strategy": "merge"}})
            }
            Self::MergeOrNull(properties) => json!({
                "properties": schemas(properties),
                "if": {"type": "null"},
                "then": {"reduce": {"strategy": "lastWriteWins"}},
                "else": {"reduce": {"strategy": "merge"}},
            }),
            Self::Items(rule) => json!({"items": rule.schema(), "reduce": {"strategy": "merge"}}),
            Self::Sorted => json!({
                "items": {
                    "properties": {"n": {"reduce": {"strategy": "sum"}}},
                    "reduce": {"strategy": "merge"},
                },
                "reduce": {"strategy": "merge", "key": ["/at"]},
            }),
            Self::Counter => json!({"oneOf": [
                {
                    "properties": {"action": {"const": "reset"}},
                    "reduce": {"strategy": "lastWriteWins"},
                },
                {
                    "properties": {
                        "action": {"const": "sum", "reduce": {"strategy": "firstWriteWins"}},
                        "value": {"reduce": {"strategy": "sum"}},
                    },
                    "reduce": {"strategy": "merge"},
                },
            ]}),
            Self::Schema => named("jsonSchemaMerge"),
        }
    }
}

fn schemas(properties: &[(&'static str, Rule)]) -> Value {
    let schemas = properties.iter().map(|(name, rule)| ((*name).to_owned(), rule.schema()));
    Value::Object(schemas.collect())
}

impl Catalog {
    /// The schema of a collection.
    pub(super) fn schema(&self) -> Value {
        let [first, second] = &self.of_kind;
        let [first, second] = [schemas(first), schemas(second)];
        let kind = |kind: u64| json!({"properties": {"kind": {"const": kind}}});
        let branch = |of: u64, properties: &Value| {
            let mut properties = properties.clone();
            if let Some(properties) = properties.as_object_mut() {
                properties.insert("kind".to_owned(), json!({"const": of}));
            }
            json!({"properties": properties})
        };
        let branches = json!([branch(0, &first), branch(1, &second)]);
        let mut schema = match self.branching {
            Branching::If => json!({
                "if": kind(0), "then": {"properties": first}, "else": {"properties": second},
            }),
            Branching::OneOf => json!({"oneOf": branches}),
            Branching::AnyOf => json!({"anyOf": branches}),
        };
        let root = if self.tombstones {
            json!([{
                "if": {"properties": {"op": {"const": "d"}}},
                "then": {"reduce": {"strategy": "merge", "delete": true}},
                "else": {"reduce": {"strategy": "merge"}},
            }])
        } else {
            json!([{"reduce": {"strategy": "merge"}}])
        };
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("type".to_owned(), json!("object"));
            schema.insert("properties".to_owned(), schemas(&self.properties));
            schema.insert("allOf".to_owned(), root);
        }
        schema
    }

    /// Whether it may depend on the batches how many documents are kept apart: a null that waits is reduced with a null
    /// to which later documents were reduced before they met it.
    pub(super) fn has_nulls_that_wait(&self) -> bool {
        let mut properties = self.properties.iter().chain(self.of_kind.iter().flatten());
        properties.any(|(_, rule)| rule.is_null_that_waits())
    }

    fn root(&self, document: &Value) -> Rule {
        let kind = document.get("kind").and_then(Value::as_u64).unwrap_or_default();
        let mut properties = self.properties.clone();
        properties.extend(self.of_kind.get(kind as usize).cloned().unwrap_or_default());
        Rule::Merge(properties)
    }

    fn deletes(&self, document: &Value) -> bool {
        self.tombstones && document.get("op") == Some(&json!("d"))
    }

    /// What remains of the documents of one key.
    pub(super) fn fold(&self, documents: &[Value], is_full: bool) -> Remains {
        let mut held: Vec<Value> = documents.iter().take(2).cloned().collect();
        for document in documents.iter().skip(2) {
            let last = held.last().cloned().unwrap_or_default();
            let blocked = self.deletes(&last);
            match reduce(&self.root(document), Some(&last), document, false) {
                Some(reduced) if !blocked => {
                    held.pop();
                    held.extend(reduced);
                }
                _ => held.push(document.clone()),
            }
        }
        if !is_full {
            return Remains { documents: held, deleted: false };
        }
        let mut left: Option<Value> = None;
        let mut deleted = None;
        for document in held {
            let before = left.take().filter(|left| !self.deletes(left));
            let reduced = reduce(&self.root(&document), before.as_ref(), &document, true);
            let reduced = reduced.flatten().unwrap_or_default();
            let is_deleted = self.deletes(&document);
            (left, deleted) =
                if is_deleted { (None, Some(reduced)) } else { (Some(reduced), None) };
        }
        let is_deleted = deleted.is_some();
        Remains { documents: left.into_iter().chain(deleted).collect(), deleted: is_deleted }
    }
}

/// What remains of the documents of one key.
#[derive(Debug, PartialEq)]
pub(super) struct Remains {
    pub(super) documents: Vec<Value>,
    pub(super) deleted: bool,
}

/// The reduction of two values: none when they wait for their base, and none inside when the location is deleted.
fn reduce(
    rule: &Rule,
    left: Option<&Value>,
    right: &Value,
    is_full: bool,
) -> Option<Option<Value>> {
    let kept = |value: Value| Some(Some(value));
    let Some(left) = left else { return reduce_alone(rule, right, is_full) };
    let order = || tidegate_stdlib::value::compare(left, right);
    match rule {
        Rule::Last => kept(right.clone()),
        Rule::Patch if is_full && right.is_null() => Some(None),
        Rule::Patch => kept(right.clone()),
        Rule::Strict if is_full || order().is_eq() => kept(right.clone()),
        Rule::Strict => None,
        Rule::First => kept(left.clone()),
        Rule::Smallest => kept(if order().is_lt() { left } else { right }.clone()),
        Rule::Greatest => kept(if order().is_gt() { left } else { right }.clone()),
        Rule::SmallestBy | Rule::GreatestBy => {
            let at = |value: &Value| value.get("at").and_then(Value::as_u64);
            let order = at(left).cmp(&at(right));
            let order = if matches!(rule, Rule::SmallestBy) { order } else { order.reverse() };
            let properties = [("n", Rule::Sum)];
            match order {
                std::cmp::Ordering::Less => kept(left.clone()),
                std::cmp::Ordering::Equal => objects(&properties, left, right, is_full).map(Some),
                std::cmp::Ordering::Greater if is_full => {
                    objects(&properties, &json!({}), right, true).map(Some)
                }
                std::cmp::Ordering::Greater => kept(right.clone()),
            }
        }
        Rule::Sum | Rule::SumOfTexts => kept(sum(left, right)),
        Rule::Append => {
            let items = left.as_array().into_iter().chain(right.as_array()).flatten();
            kept(items.cloned().collect())
        }
        Rule::Names | Rule::Numbers => kept(set(rule, left, right, is_full)),
        Rule::MergeOrNull(_) if right.is_null() => kept(Value::Null),
        Rule::MergeOrNull(_) if left.is_null() && !is_full => None,
        Rule::MergeOrNull(properties) if left.is_null() => {
            objects(properties, &json!({}), right, true).map(Some)
        }
        Rule::Merge(properties) | Rule::MergeOrNull(properties) => {
            objects(properties, left, right, is_full).map(Some)
        }
        Rule::Items(rule) => items(rule, left, right, is_full).map(Some),
        Rule::Sorted => kept(sorted(left, right)),
        Rule::Counter if right.get("action") == Some(&json!("reset")) => kept(right.clone()),
        Rule::Counter => {
            let part = |value: &Value, name: &str| value.get(name).cloned().unwrap_or_default();
            let value = sum(&part(left, "value"), &part(right, "value"));
            kept(json!({"action": part(left, "action"), "value": value}))
        }
        Rule::Schema => kept(union(Some(left), right)),
    }
}

/// The reduction of a value that has nothing before it.
fn reduce_alone(rule: &Rule, right: &Value, is_full: bool) -> Option<Option<Value>> {
    let kept = |value: Value| Some(Some(value));
    match rule {
        Rule::Patch if is_full && right.is_null() => Some(None),
        Rule::Sum | Rule::SumOfTexts => kept(sum(&json!(0), right)),
        Rule::Names | Rule::Numbers => kept(set(rule, &json!({}), right, is_full)),
        Rule::MergeOrNull(_) if right.is_null() => kept(Value::Null),
        Rule::Merge(properties) | Rule::MergeOrNull(properties) if is_full => {
            objects(properties, &json!({}), right, true).map(Some)
        }
        Rule::Items(rule) if is_full => items(rule, &json!([]), right, true).map(Some),
        Rule::Sorted if is_full => kept(sorted(&json!([]), right)),
        Rule::Counter if is_full && right.get("action") == Some(&json!("sum")) => {
            let value = right.get("value").cloned().unwrap_or_default();
            kept(json!({"action": "sum", "value": sum(&json!(0), &value)}))
        }
        Rule::Schema => kept(union(None, right)),
        _ => kept(right.clone()),
    }
}

/// The union of two schemas is the business of their shapes, so it is taken from there.
fn union(left: Option<&Value>, right: &Value) -> Value {
    use tidegate_stdlib::shape::Shape;
    let left = left.map_or_else(Shape::impossible, Shape::infer);
    left.union(Shape::infer(right)).render()
}

fn objects(
    properties: &[(&'static str, Rule)],
    left: &Value,
    right: &Value,
    is_full: bool,
) -> Option<Value> {
    let mut merged = left.as_object().cloned().unwrap_or_default();
    for (name, value) in right.as_object().into_iter().flatten() {
        let rule = properties.iter().find(|(other, _)| other == name).map(|(_, rule)| rule);
        match reduce(rule.unwrap_or(&Rule::Last), left.get(name), value, is_full)? {
            Some(value) => merged.insert(name.clone(), value),
            None => merged.remove(name),
        };
    }
    Some(Value::Object(merged))
}

fn items(rule: &Rule, left: &Value, right: &Value, is_full: bool) -> Option<Value> {
    let left = left.as_array().cloned().unwrap_or_default();
    let mut merged = Vec::new();
    let right = right.as_array().cloned().unwrap_or_default();
    for (index, value) in right.iter().enumerate() {
        merged.extend(reduce(rule, left.get(index), value, is_full)?);
    }
    merged.extend(left.into_iter().skip(right.len()));
    Some(Value::Array(merged))
}

fn sorted(left: &Value, right: &Value) -> Value {
    let mut merged = std::collections::BTreeMap::new();
    let at = |item: &Value| item.get("at").and_then(Value::as_u64);
    for item in left.as_array().into_iter().flatten() {
        merged.insert(at(item), item.clone());
    }
    for item in right.as_array().into_iter().flatten() {
        let before = merged.get(&at(item)).and_then(|before| before.get("n")).cloned();
        let n = sum(&before.unwrap_or(json!(0)), item.get("n").unwrap_or(&Value::Null));
        merged.insert(at(item), json!({"at": at(item), "n": n}));
    }
    merged.into_values().collect()
}

fn sum(left: &Value, right: &Value) -> Value {
    if let (Some(left), Some(right)) = (left.as_i64(), right.as_i64()) {
        return Value::from(left + right);
    }
    if left.is_number() && right.is_number() {
        return Value::from(left.as_f64().unwrap_or_default() + right.as_f64().unwrap_or_default());
    }
    // Texts have two digits after the point, or none.
    let hundredths = |value: &Value| -> (i64, bool) {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match text.split_once('.') {
            Some((whole, fraction)) => {
                (format!("{whole}{fraction}").parse().unwrap_or_default(), true)
            }
            None => (text.parse::<i64>().unwrap_or_default() * 100, false),
        }
    };
    let ((left, has_left), (right, has_right)) = (hundredths(left), hundredths(right));
    let sum = left + right;
    let sign = if sum < 0 { "-" } else { "" };
    let (whole, fraction) = (sum.abs() / 100, sum.abs() % 100);
    Value::from(if has_left || has_right {
        format!("{sign}{whole}.{fraction:02}")
    } else {
        format!("{sign}{whole}")
    })
}

/// The table of the language reference, over sets of members.
fn set(rule: &Rule, left: &Value, right: &Value, is_full: bool) -> Value {
    let is_names = matches!(rule, Rule::Names);
    let read = |side: &Value, term: &str| -> Option<Vec<(String, Value)>> {
        Some(match side.get(term)? {
            Value::Object(members) => {
                members.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
            }
            Value::Array(members) => {
                members.iter().map(|member| (member.to_string(), member.clone())).collect()
            }
            _ => Vec::new(),
        })
    };
    let has = |members: &Option<Vec<(String, Value)>>, name: &str| {
        members.iter().flatten().any(|(member, _)| member == name)
    };
    let write = |members: Vec<(String, Value)>| match is_names {
        true => Value::Object(members.into_iter().collect()),
        false => members.into_iter().map(|(_, member)| member).collect(),
    };
    let unite = |left: Vec<(String, Value)>, right: Vec<(String, Value)>, adds: bool| {
        let mut united: std::collections::BTreeMap<_, _> = left.into_iter().collect();
        for (name, value) in right {
            let before = united.remove(&name);
            let value = match (is_names && adds, before) {
                (true, before) => sum(&before.unwrap_or(json!(0)), &value),
                (false, _) => value,
            };
            united.insert(name, value);
        }
        united.into_iter().collect::<Vec<_>>()
    };
    let [(la, li, lr), (ra, ri, rr)] = [left, right]
        .map(|side| (read(side, "add"), read(side, "intersect"), read(side, "remove")));
    let mut result = Map::new();
    if la.is_some() || ra.is_some() {
        let kept = la.into_iter().flatten().filter(|(name, _)| match &ri {
            Some(_) => has(&ri, name),
            None => !has(&rr, name),
        });
        let add = unite(kept.collect(), ra.unwrap_or_default(), true);
        result.insert("add".to_owned(), write(add));
    }
    let members = |members: Option<Vec<(String, Value)>>| members.into_iter().flatten();
    match (&li, &ri) {
        _ if is_full => {}
        (Some(_), Some(_)) => {
            let both = members(li).filter(|(name, _)| has(&ri, name)).collect();
            result.insert("intersect".to_owned(), write(both));
        }
        (Some(_), None) => {
            let remaining = members(li).filter(|(name, _)| !has(&rr, name)).collect();
            result.insert("intersect".to_owned(), write(remaining));
        }
        (None, Some(_)) => {
            let remaining = members(ri).filter(|(name, _)| !has(&lr, name)).collect();
            result.insert("intersect".to_owned(), write(remaining));
        }
        (None, None) if lr.is_some() || rr.is_some() => {
            let remove = unite(lr.unwrap_or_default(), rr.unwrap_or_default(), false);
            result.insert("remove".to_owned(), write(remove));
        }
        (None, None) => {}
    }
    Value::Object(result)
}
