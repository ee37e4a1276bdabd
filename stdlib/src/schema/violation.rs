//! The one violation of a document that tells its author most.

use std::cmp::Reverse;

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

use super::library::Patterns;
use super::{NormalForm, Violation};
use crate::value::{quote, shortened};

/// The most telling one of the errors of `document`; `None` when there is no error.
pub(super) fn most_telling(
    errors: &[ValidationError<'_>],
    document: &Value,
    normal: &NormalForm,
    patterns: &Patterns,
) -> Option<Violation> {
    let first = errors.iter().min_by_key(|error| depth(error))?;
    Some(describe(descend(first), document, normal, patterns))
}

/// The error inside the best-fitting branch of an alternative, or the error itself.
fn descend<'e, 'i>(error: &'e ValidationError<'i>) -> &'e ValidationError<'i> {
    let mut error = error;
    loop {
        let (ValidationErrorKind::AnyOf { context: branches }
        | ValidationErrorKind::OneOfNotValid { context: branches }) = error.kind()
        else {
            return error;
        };
        let here = error.instance_path().as_str();
        let best = branches.iter().filter(|branch| fit(branch, here) < Fit::OtherType).min_by_key(
            |branch| {
                let deepest = branch.iter().map(depth).max().unwrap_or_default();
                (fit(branch, here), branch.len(), Reverse(deepest))
            },
        );
        let deepest = best.and_then(|branch| branch.iter().max_by_key(|error| depth(error)));
        match deepest {
            Some(deeper) => error = deeper,
            None => return error,
        }
    }
}

/// How well a branch fits a value that it refuses, from best to worst.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// Only details are wrong.
    Details,
    /// A constant or enumeration says that another branch is meant.
    OtherKind,
    /// The value has another type.
    OtherType,
}

fn fit(branch: &[ValidationError<'_>], here: &str) -> Fit {
    let mut fit = Fit::Details;
    for error in branch {
        let at_value = error.instance_path().as_str() == here;
        let kind = error.kind();
        if at_value
            && matches!(kind, ValidationErrorKind::Type { .. } | ValidationErrorKind::FalseSchema)
        {
            return Fit::OtherType;
        }
        if matches!(kind, ValidationErrorKind::Constant { .. } | ValidationErrorKind::Enum { .. }) {
            fit = Fit::OtherKind;
        }
    }
    fit
}

fn depth(error: &ValidationError<'_>) -> usize {
    error.instance_path().as_str().bytes().filter(|byte| *byte == b'/').count()
}

fn describe(
    error: &ValidationError<'_>,
    document: &Value,
    normal: &NormalForm,
    patterns: &Patterns,
) -> Violation {
    let instance_pointer = error.instance_path().as_str().to_owned();
    let value = document.pointer(&instance_pointer).unwrap_or(document);
    let place = patterns.place(error.schema_path().as_str());
    let schema_pointer = normal.origin(&place);
    let kind = error.kind();
    let keyword = if matches!(kind, ValidationErrorKind::FalseSchema) {
        // The keyword that holds the schema `false` refuses the value.
        holder(&schema_pointer)
    } else {
        schema_pointer.rsplit('/').next().unwrap_or_default().to_owned()
    };
    let message = if keyword == "type" && matches!(kind, ValidationErrorKind::Not { .. }) {
        // The normal form of `fractional`.
        format!("expected a number with a fraction, found {}", quote(value))
    } else if let ValidationErrorKind::Pattern { pattern } = kind {
        let written = normal.schema.pointer(&place).and_then(Value::as_str);
        let written = shortened(written.unwrap_or(pattern));
        format!("{} does not match `{written}`", quote(value))
    } else {
        message(kind, value)
    };
    Violation { instance_pointer, keyword, schema_pointer, message }
}

/// The last step of a pointer that names a keyword which may hold a schema directly.
fn holder(pointer: &str) -> String {
    const HOLDERS: [&str; 9] = [
        "additionalProperties",
        "unevaluatedProperties",
        "items",
        "additionalItems",
        "unevaluatedItems",
        "properties",
        "patternProperties",
        "prefixItems",
        "propertyNames",
    ];
    let mut steps = pointer.rsplit('/').take(2);
    steps.find(|step| HOLDERS.contains(step)).unwrap_or("false").to_owned()
}

fn message(kind: &ValidationErrorKind, value: &Value) -> String {
    use ValidationErrorKind as Kind;
    match kind {
        Kind::AdditionalItems { limit } => counted("most", *limit as u64, ITEMS, value),
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            format!("the schema has no {}", listed(PROPERTIES, unexpected))
        }
        Kind::UnevaluatedItems { .. } => "the array has more items than the schema allows".into(),
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => alternatives(context, value),
        Kind::OneOfMultipleValid { .. } => {
            "more than one alternative fits, exactly one must".to_owned()
        }
        Kind::BacktrackLimitExceeded { .. } | Kind::RegexEngineFailure { .. } => {
            "the pattern could not be matched".to_owned()
        }
        Kind::Constant { expected_value } => {
            format!("expected {}, found {}", quote(expected_value), quote(value))
        }
        Kind::Contains => "the array has not the items that `contains` wants".to_owned(),
        Kind::ContentEncoding { content_encoding } => {
            format!("the string is not encoded as `{content_encoding}`")
        }
        Kind::ContentMediaType { content_media_type } => {
            format!("the string is no text of type `{content_media_type}`")
        }
        Kind::Custom { message, .. } => message.clone(),
        Kind::Enum { options } => {
            format!("expected one of {}, found {}", choices(options), quote(value))
        }
        Kind::ExclusiveMaximum { limit } => format!("expected less than {limit}, found {value}"),
        Kind::ExclusiveMinimum { limit } => format!("expected more than {limit}, found {value}"),
        Kind::FalseSchema => "the schema allows no value here".to_owned(),
        Kind::Format { format } => format!("{} is not of format `{format}`", quote(value)),
        Kind::FromUtf8 { .. } => "the encoded string is not valid UTF-8".to_owned(),
        Kind::MaxItems { limit } => counted("most", *limit, ITEMS, value),
        Kind::Maximum { limit } => format!("expected at most {limit}, found {value}"),
        Kind::MaxLength { limit } => counted("most", *limit, CHARACTERS, value),
        Kind::MaxProperties { limit } => counted("most", *limit, PROPERTIES, value),
        Kind::MinItems { limit } => counted("least", *limit, ITEMS, value),
        Kind::Minimum { limit } => format!("expected at least {limit}, found {value}"),
        Kind::MinLength { limit } => counted("least", *limit, CHARACTERS, value),
        Kind::MinProperties { limit } => counted("least", *limit, PROPERTIES, value),
        Kind::MultipleOf { multiple_of } => {
            format!("expected a multiple of {multiple_of}, found {value}")
        }
        Kind::Not { .. } => format!("{} is what `not` rules out", quote(value)),
        Kind::Pattern { pattern } => {
            format!("{} does not match `{}`", quote(value), shortened(pattern))
        }
        Kind::PropertyNames { error } => {
            format!("the schema refuses the name {}", quote(error.instance()))
        }
        Kind::Required { property } => {
            let name = property.as_str().map_or_else(|| property.to_string(), str::to_owned);
            format!("the property `{name}` is missing")
        }
        Kind::Type { kind } => format!("expected {}, found {}", types(kind), quote(value)),
        Kind::UniqueItems => "two items of the array are equal".to_owned(),
        Kind::Referencing(_) => "a reference of the schema leads nowhere".to_owned(),
    }
}

/// What alternatives that all refuse the value would have taken.
fn alternatives(branches: &[Vec<ValidationError<'static>>], value: &Value) -> String {
    let wanted = branches.iter().map(|branch| match branch.first().map(ValidationError::kind) {
        Some(ValidationErrorKind::Type { kind }) => Some(types(kind)),
        _ => None,
    });
    let wanted: Option<Vec<String>> = wanted.collect();
    let wanted = wanted.map(|mut wanted| {
        wanted.sort_unstable();
        wanted.dedup();
        wanted
    });
    match wanted {
        Some(wanted) => format!("expected {}, found {}", wanted.join(" or "), quote(value)),
        None => format!("{} fits none of the {} alternatives", quote(value), branches.len()),
    }
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(single) => single.to_string(),
        TypeKind::Multiple(types) => {
            types.iter().map(|single| single.to_string()).collect::<Vec<_>>().join(" or ")
        }
    }
}

/// One and several of what is counted.
type Unit = [&'static str; 2];

const CHARACTERS: Unit = ["character", "characters"];
const ITEMS: Unit = ["item", "items"];
const PROPERTIES: Unit = ["property", "properties"];

fn counted(relation: &str, limit: u64, [one, several]: Unit, value: &Value) -> String {
    let unit = if limit == 1 { one } else { several };
    format!("expected at {relation} {limit} {unit}, found {}", length(value))
}

fn listed([one, several]: Unit, names: &[String]) -> String {
    let quoted = names.iter().map(|name| format!("`{}`", shortened(name)));
    let quoted: Vec<String> = quoted.take(NAMES_LISTED_MAX).collect();
    let noun = if names.len() == 1 { one } else { several };
    match names.len().saturating_sub(NAMES_LISTED_MAX) {
        0 => format!("{noun} {}", quoted.join(", ")),
        others => format!("{noun} {} and {others} more", quoted.join(", ")),
    }
}

/// The values that a keyword lists, or the first of them.
fn choices(options: &Value) -> String {
    let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
    let quoted: Vec<_> = options.iter().take(CHOICES_LISTED_MAX).map(quote).collect();
    match options.len().saturating_sub(CHOICES_LISTED_MAX) {
        0 => quoted.join(", "),
        others => format!("{} and {others} more", quoted.join(", ")),
    }
}

/// Values of an `enum` that one message lists.
const CHOICES_LISTED_MAX: usize = 8;
/// Names that one message lists.
const NAMES_LISTED_MAX: usize = 3;

/// How many parts a value has, in the unit of the keyword that counts them.
fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Object(properties) => properties.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}
