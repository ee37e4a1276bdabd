//! The keywords of the schema dialect, and what each wants as its value.

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

/// What the keyword `name` wants; `None` when it is unknown.
///
/// Every other `x-` keyword is known and wants anything.
pub(super) fn form(name: &str, draft_7: bool) -> Option<Form> {
    let draft_7_keywords = if draft_7 { DRAFT_7_KEYWORDS } else { &[] };
    KEYWORDS
        .iter()
        .chain(draft_7_keywords)
        .find(|(keyword, _)| *keyword == name)
        .map(|(_, form)| *form)
        .or_else(|| (name.starts_with("x-") || name.starts_with("X-")).then_some(Form::Any))
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

/// One step of the path to a subschema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A property.
    Name(String),
    /// An item.
    Index(usize),
}

/// The JSON pointer of a path.
pub(super) fn pointer(steps: &[Step]) -> String {
    steps
        .iter()
        .map(|step| match step {
            Step::Name(name) => format!("/{}", escape(name)),
            Step::Index(index) => format!("/{index}"),
        })
        .collect()
}

/// A direct subschema: its path as written, its path in the normal form, and its text.
pub(super) struct Child<'s> {
    pub(super) steps: Vec<Step>,
    pub(super) normal: Vec<Step>,
    pub(super) schema: &'s Value,
}

/// The direct subschemas of a schema object, in the order of its keywords.
pub(super) fn children(schema: &Map<String, Value>, draft_7: bool) -> Vec<Child<'_>> {
    let mut children = Vec::new();
    for (keyword, value) in schema {
        match form(keyword, draft_7) {
            Some(Form::Schema) => {
                let normal = match keyword.as_str() {
                    // Without an array of items before them, additional items mean nothing.
                    "additionalItems" if !matches!(schema.get("items"), Some(Value::Array(_))) => {
                        continue;
                    }
                    "additionalItems" => "items",
                    keyword => keyword,
                };
                children.push(Child {
                    steps: vec![Step::Name(keyword.clone())],
                    normal: vec![Step::Name(normal.to_owned())],
                    schema: value,
                });
            }
            Some(Form::Items) if !value.is_array() => children.push(Child {
                steps: vec![Step::Name(keyword.clone())],
                normal: vec![Step::Name(keyword.clone())],
                schema: value,
            }),
            Some(Form::Schemas | Form::Items) => {
                let normal = if keyword == "items" { "prefixItems" } else { keyword };
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    children.push(Child {
                        steps: vec![Step::Name(keyword.clone()), Step::Index(index)],
                        normal: vec![Step::Name(normal.to_owned()), Step::Index(index)],
                        schema: item,
                    });
                }
            }
            Some(Form::NamedSchemas | Form::PatternSchemas | Form::Dependencies) => {
                children.extend(named_children(schema, keyword, value));
            }
            _ => {}
        }
    }
    children
}

fn named_children<'s>(
    schema: &'s Map<String, Value>,
    keyword: &'s str,
    value: &'s Value,
) -> impl Iterator<Item = Child<'s>> {
    value.as_object().into_iter().flatten().filter_map(move |(name, item)| {
        let (normal, normal_name) = match keyword {
            "dependencies" if item.is_array() => return None,
            "dependencies" => ("dependentSchemas", name.clone()),
            "definitions" => {
                let taken = schema.get("$defs").is_some_and(|defs| defs.get(name).is_some());
                ("$defs", if taken { format!("{name}#definitions") } else { name.clone() })
            }
            keyword => (keyword, name.clone()),
        };
        Some(Child {
            steps: vec![Step::Name(keyword.to_owned()), Step::Name(name.clone())],
            normal: vec![Step::Name(normal.to_owned()), Step::Name(normal_name)],
            schema: item,
        })
    })
}
