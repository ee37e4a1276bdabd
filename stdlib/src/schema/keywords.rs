//! The keywords of the schema dialect, and what each wants as its value.

use std::borrow::Cow;
use std::sync::LazyLock;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use serde_json::{Map, Value};

use crate::value::escape;

/// What a keyword wants as its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Any value.
    Any,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// A number above zero.
    Divisor,
    /// A whole number that is not negative.
    Count,
    /// A whole number of 32 bits.
    Order,
    /// A string.
    Text,
    /// An array of strings.
    Texts,
    /// An object of arrays of strings.
    TextLists,
    /// An array.
    List,
    /// An object.
    Object,
    /// A type or an array of types.
    Type,
    /// A regular expression.
    Pattern,
    /// A known format.
    Format,
    /// A bound of numeric strings: a number, or a string that is one.
    NumericBound,
    /// The identity of a schema resource.
    Identifier,
    /// A name within a schema resource.
    Anchor,
    /// A reference to a schema.
    Reference,
    /// A schema.
    Schema,
    /// A non-empty array of schemas.
    Schemas,
    /// An object of schemas.
    NamedSchemas,
    /// An object of schemas whose names are regular expressions.
    PatternSchemas,
    /// A schema or, in the spelling of 2019-09, an array of schemas.
    Items,
    /// The draft-07 mixture of `dependentRequired` and `dependentSchemas`.
    Dependencies,
    /// A reduction annotation.
    Reduce,
    /// A redaction annotation.
    Redact,
}

/// Every keyword, sorted by groups of the language reference.
const KEYWORDS: &[(&str, Form)] = &[
    ("$schema", Form::Text),
    ("$vocabulary", Form::Object),
    ("$comment", Form::Text),
    ("$id", Form::Identifier),
    ("$anchor", Form::Anchor),
    ("$dynamicAnchor", Form::Anchor),
    ("$recursiveAnchor", Form::Boolean),
    ("$ref", Form::Reference),
    ("$dynamicRef", Form::Reference),
    ("$recursiveRef", Form::Reference),
    ("$defs", Form::NamedSchemas),
    ("definitions", Form::NamedSchemas),
    ("allOf", Form::Schemas),
    ("anyOf", Form::Schemas),
    ("oneOf", Form::Schemas),
    ("not", Form::Schema),
    ("if", Form::Schema),
    ("then", Form::Schema),
    ("else", Form::Schema),
    ("dependentSchemas", Form::NamedSchemas),
    ("properties", Form::NamedSchemas),
    ("patternProperties", Form::PatternSchemas),
    ("additionalProperties", Form::Schema),
    ("propertyNames", Form::Schema),
    ("unevaluatedProperties", Form::Schema),
    ("required", Form::Texts),
    ("dependentRequired", Form::TextLists),
    ("minProperties", Form::Count),
    ("maxProperties", Form::Count),
    ("items", Form::Items),
    ("additionalItems", Form::Schema),
    ("prefixItems", Form::Schemas),
    ("contains", Form::Schema),
    ("minContains", Form::Count),
    ("maxContains", Form::Count),
    ("unevaluatedItems", Form::Schema),
    ("minItems", Form::Count),
    ("maxItems", Form::Count),
    ("uniqueItems", Form::Boolean),
    ("type", Form::Type),
    ("nullable", Form::Boolean),
    ("const", Form::Any),
    ("enum", Form::List),
    ("minimum", Form::Number),
    ("maximum", Form::Number),
    ("exclusiveMinimum", Form::Number),
    ("exclusiveMaximum", Form::Number),
    ("multipleOf", Form::Divisor),
    ("minLength", Form::Count),
    ("maxLength", Form::Count),
    ("pattern", Form::Pattern),
    ("format", Form::Format),
    ("title", Form::Text),
    ("description", Form::Text),
    ("default", Form::Any),
    ("examples", Form::List),
    ("deprecated", Form::Boolean),
    ("readOnly", Form::Boolean),
    ("writeOnly", Form::Boolean),
    ("contentEncoding", Form::Text),
    ("contentMediaType", Form::Text),
    ("contentSchema", Form::Any),
    ("reduce", Form::Reduce),
    ("redact", Form::Redact),
    ("secret", Form::Boolean),
    ("airbyte_secret", Form::Boolean),
    ("nonsensitive", Form::Boolean),
    ("multiline", Form::Boolean),
    ("advanced", Form::Boolean),
    ("order", Form::Order),
    ("discriminator", Form::Any),
    ("x-str-minimum", Form::NumericBound),
    ("x-str-maximum", Form::NumericBound),
    ("x-infer-schema", Form::Boolean),
    ("x-collection-name", Form::Boolean),
    ("x-schema-name", Form::Boolean),
    ("x-delta-updates", Form::Boolean),
    ("x-complexity-limit", Form::Count),
];

/// Keywords of draft 7 that are known only to schemas that declare it.
const DRAFT_7_KEYWORDS: &[(&str, Form)] =
    &[("dependencies", Form::Dependencies), ("id", Form::Identifier)];

/// A keyword of the dialect.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) form: Form,
    /// Its number among all that have a name of their own.
    number: Option<u8>,
}

/// A set of keywords that have a name of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keywords(u128);

impl Keywords {
    /// Whether any keyword of these names is in the set.
    pub fn has_any(self, names: &[&str]) -> bool {
        names.iter().any(|name| self.0 & Self::of(find(name, true)).0 != 0)
    }

    /// Adds a keyword.
    pub(super) fn add(&mut self, known: Known) {
        self.0 |= Self::of(Some(known)).0;
    }

    fn of(known: Option<Known>) -> Self {
        Self(known.and_then(|known| known.number).map_or(0, |number| 1 << number))
    }
}

const _: () = assert!(KEYWORDS.len() + DRAFT_7_KEYWORDS.len() <= 128, "a set has 128 bits");

/// The keyword `name`; `None` when it is unknown.
///
/// Every other `x-` keyword is known and wants anything.
pub(super) fn find(name: &str, draft_7: bool) -> Option<Known> {
    static KNOWN: LazyLock<HashMap<&str, Known, FixedState>> = LazyLock::new(|| {
        let all = KEYWORDS.iter().chain(DRAFT_7_KEYWORDS).zip(0..);
        all.map(|((name, form), number)| (*name, Known { form: *form, number: Some(number) }))
            .collect()
    });
    let named = KNOWN.get(name).copied();
    named.filter(|known| draft_7 || known.number.is_some_and(is_of_every_draft)).or_else(|| {
        let is_extension = name.starts_with("x-") || name.starts_with("X-");
        is_extension.then_some(Known { form: Form::Any, number: None })
    })
}

fn is_of_every_draft(number: u8) -> bool {
    usize::from(number) < KEYWORDS.len()
}

/// The names of all keywords.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    KEYWORDS.iter().map(|(keyword, _)| *keyword)
}

/// The known keyword that `name` most likely means.
pub(super) fn nearest_keyword(name: &str) -> Option<&'static str> {
    nearest(name, KEYWORDS.iter().map(|(keyword, _)| *keyword))
}

/// The candidate nearest to `name`, when the distance is at most a third of the length.
pub(crate) fn nearest<'c>(
    name: &str,
    candidates: impl Iterator<Item = &'c str>,
) -> Option<&'c str> {
    let reach = (name.chars().count() / 3).max(1);
    candidates
        .map(|candidate| (strsim::osa_distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= reach)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A part of the value of a keyword that is a schema of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part<'s> {
    /// The value of a property.
    Name(Cow<'s, str>),
    /// An item.
    Index(usize),
}

/// The path from a schema to a direct subschema: a keyword, and a part of its value when that holds
/// several schemas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step<'s> {
    pub(super) keyword: &'s str,
    pub(super) part: Option<Part<'s>>,
}

impl Step<'_> {
    /// Appends the step to a JSON pointer.
    pub(super) fn push_to(&self, pointer: &mut String) {
        pointer.push('/');
        pointer.push_str(&escape(self.keyword));
        match &self.part {
            None => {}
            Some(Part::Name(name)) => {
                pointer.push('/');
                pointer.push_str(&escape(name));
            }
            Some(Part::Index(index)) => pointer.push_str(&format!("/{index}")),
        }
    }

    /// How many tokens it adds to a JSON pointer.
    pub(super) fn length(&self) -> usize {
        if self.part.is_some() { 2 } else { 1 }
    }
}

/// A direct subschema: its path as written, its path in the normal form, and its text.
#[derive(Debug)]
pub(super) struct Child<'s> {
    pub(super) written: Step<'s>,
    pub(super) normal: Step<'s>,
    pub(super) schema: &'s Value,
}

/// The direct subschemas of a schema object, in the order of its keywords.
pub(super) fn children<'s>(schema: &'s Map<String, Value>, draft_7: bool) -> Vec<Child<'s>> {
    let mut children = Vec::new();
    for (keyword, value) in schema {
        let keyword = keyword.as_str();
        let mut push = |normal: &'s str, part: Option<Part<'s>>, name: Option<Part<'s>>, schema| {
            children.push(Child {
                written: Step { keyword, part },
                normal: Step { keyword: normal, part: name },
                schema,
            });
        };
        match find(keyword, draft_7).map(|known| known.form) {
            // Without an array of items before them, additional items mean nothing.
            Some(Form::Schema) if keyword == "additionalItems" => {
                if matches!(schema.get("items"), Some(Value::Array(_))) {
                    push("items", None, None, value);
                }
            }
            Some(Form::Schema) => push(keyword, None, None, value),
            Some(Form::Items) if !value.is_array() => push(keyword, None, None, value),
            Some(Form::Schemas | Form::Items) => {
                let normal = if keyword == "items" { "prefixItems" } else { keyword };
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    push(normal, Some(Part::Index(index)), Some(Part::Index(index)), item);
                }
            }
            Some(Form::NamedSchemas | Form::PatternSchemas | Form::Dependencies) => {
                for (name, item) in value.as_object().into_iter().flatten() {
                    let written = Some(Part::Name(Cow::Borrowed(name)));
                    if let Some((normal, name)) = normal_name(schema, keyword, name, item) {
                        push(normal, written, Some(Part::Name(name)), item);
                    }
                }
            }
            _ => {}
        }
    }
    children
}

/// What the normal form calls a named subschema; nothing when it is no schema.
fn normal_name<'s>(
    schema: &Map<String, Value>,
    keyword: &'s str,
    name: &'s str,
    item: &Value,
) -> Option<(&'s str, Cow<'s, str>)> {
    match keyword {
        "dependencies" if item.is_array() => None,
        "dependencies" => Some(("dependentSchemas", Cow::Borrowed(name))),
        "definitions" => {
            let taken = schema.get("$defs").is_some_and(|defs| defs.get(name).is_some());
            let name = if taken { format!("{name}#definitions").into() } else { name.into() };
            Some(("$defs", name))
        }
        keyword => Some((keyword, Cow::Borrowed(name))),
    }
}
