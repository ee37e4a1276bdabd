//! Whether the value of a keyword is what the keyword wants.

use serde_json::Value;

use super::formats;
use super::keywords::{Form, nearest};
use super::{SchemaFailure, SchemaFailureKind, Suggestion};
use crate::shape::Types;
use crate::value::escape;

/// Checks the value of `keyword`; the pointers of faults begin with it. Subschemas are checked at
/// their own places.
pub(super) fn check(keyword: &str, form: Form, value: &Value, faults: &mut Vec<SchemaFailure>) {
    let pointer = || format!("/{}", escape(keyword));
    if let (Form::Format, Value::String(format)) = (form, value) {
        if !formats::is_known(format) {
            let near = nearest(format, formats::names());
            faults.push(SchemaFailure {
                pointer: pointer(),
                kind: SchemaFailureKind::UnknownFormat,
                message: format!("unknown format `{format}`"),
                suggestion: near.map(|near| Suggestion::Word(near.to_owned())),
            });
        }
        return;
    }
    let mut fault = |pointer: String, message: String, suggestion: Option<Suggestion>| {
        faults.push(SchemaFailure::malformed(pointer, message, suggestion));
    };
    if let Some(wanted) = mismatch(form, value) {
        return fault(pointer(), format!("`{keyword}` wants {wanted}"), None);
    }
    match (form, value) {
        (Form::Type, value) => check_type(value, &pointer, &mut fault),
        (Form::Pattern, Value::String(pattern)) => {
            if let Err(message) = check_pattern(pattern) {
                fault(pointer(), message, None);
            }
        }
        (Form::PatternSchemas, Value::Object(patterns)) => {
            for pattern in patterns.keys() {
                if let Err(message) = check_pattern(pattern) {
                    fault(format!("{}/{}", pointer(), escape(pattern)), message, None);
                }
            }
        }
        (Form::TextLists | Form::Dependencies, Value::Object(lists)) => {
            for (name, list) in lists {
                // Of `dependencies`, what is no array is a schema and checked at its own place.
                let is_list = form == Form::TextLists || list.is_array();
                if is_list && mismatch(Form::Texts, list).is_some() {
                    let message = format!("`{keyword}` wants arrays of strings here");
                    fault(format!("{}/{}", pointer(), escape(name)), message, None);
                }
            }
        }
        (Form::Reduce, value) => {
            if let Err(problem) = crate::reduce::check_annotation(value) {
                let place = format!("{}{}", pointer(), problem.pointer);
                fault(place, problem.message, problem.suggestion);
            }
        }
        (Form::Redact, value) => {
            if let Some((place, message)) = redact_fault(value) {
                fault(format!("{}{place}", pointer()), message, None);
            }
        }
        (Form::Anchor, Value::String(anchor)) if !is_anchor(anchor) => {
            fault(pointer(), format!("`{anchor}` is no name for an anchor"), None);
        }
        _ => {}
    }
}

/// What the keyword wants, when `value` is not of that JSON type.
fn mismatch(form: Form, value: &Value) -> Option<&'static str> {
    let texts =
        |value: &Value| value.as_array().is_some_and(|items| items.iter().all(Value::is_string));
    let (fits, wanted) = match form {
        Form::Any => (true, ""),
        // Subschemas are sites of their own and are checked there.
        Form::Schema | Form::Type | Form::Items => (true, ""),
        Form::Boolean => (value.is_boolean(), "`true` or `false`"),
        Form::Number => (value.is_number(), "a number"),
        Form::Divisor => (value.as_f64().is_some_and(|it| it > 0.0), "a number above zero"),
        Form::Count => (count(value).is_some(), "a whole number that is not negative"),
        Form::Order => (
            value.as_i64().is_some_and(|it| i32::try_from(it).is_ok()),
            "a whole number of 32 bits",
        ),
        Form::Text
        | Form::Pattern
        | Form::Format
        | Form::Identifier
        | Form::Anchor
        | Form::Reference => (value.is_string(), "a string"),
        Form::Texts => (texts(value), "an array of strings"),
        Form::List => (value.is_array(), "an array"),
        Form::Object | Form::TextLists | Form::Dependencies => (value.is_object(), "an object"),
        Form::Reduce | Form::Redact => (value.is_object(), "an object with a `strategy`"),
        Form::NumericBound => {
            (value.is_number() || value.as_str().is_some_and(formats::is_number), "a number")
        }
        Form::Schemas => (
            value.as_array().is_some_and(|items| !items.is_empty()),
            "an array of at least one schema",
        ),
        Form::NamedSchemas | Form::PatternSchemas => (value.is_object(), "an object of schemas"),
    };
    (!fits).then_some(wanted)
}

/// Whether a text can be an `$anchor`.
pub fn is_anchor(name: &str) -> bool {
    let mut symbols = name.chars();
    symbols.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && symbols.all(|symbol| symbol.is_alphanumeric() || "-_.".contains(symbol))
}

/// The value of a count; `2.0` counts as 2.
pub(crate) fn count(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let float = value.as_f64()?;
        // 2^53: whole floats up to here are exact.
        (float.fract() == 0.0 && (0.0..9_007_199_254_740_992.0).contains(&float))
            .then_some(float as u64)
    })
}

fn check_type(
    value: &Value,
    pointer: &dyn Fn() -> String,
    fault: &mut impl FnMut(String, String, Option<Suggestion>),
) {
    if value.as_array().is_some_and(Vec::is_empty) {
        return fault(pointer(), "`type` wants at least one type".to_owned(), None);
    }
    let is_list = value.is_array();
    let names = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    for (index, name) in names.iter().enumerate() {
        let place = || if is_list { format!("{}/{index}", pointer()) } else { pointer() };
        match name {
            Value::String(name) => {
                if Types::from_names(std::iter::once(name.as_str())).is_none() {
                    let suggestion = nearest(name, TYPE_NAMES.iter().copied());
                    let suggestion = suggestion.map(|near| Suggestion::Word(near.to_owned()));
                    fault(place(), format!("`{name}` is not a type"), suggestion);
                }
            }
            Value::Null => fault(
                place(),
                "the type `null` must be quoted".to_owned(),
                Some(Suggestion::Word("\"null\"".to_owned())),
            ),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                fault(
                    place(),
                    "`type` wants the name of a type, or an array of them".to_owned(),
                    None,
                );
            }
        }
    }
}

const TYPE_NAMES: [&str; 8] =
    ["array", "boolean", "fractional", "integer", "null", "number", "object", "string"];

fn check_pattern(pattern: &str) -> Result<(), String> {
    match regex::Regex::new(pattern) {
        Ok(_) => Ok(()),
        Err(regex::Error::CompiledTooBig(_)) => Err("the pattern is too large".to_owned()),
        Err(error) => {
            // The last line of the report has the reason; those before it draw the pattern.
            let report = error.to_string();
            let reason = report.lines().last().unwrap_or_default();
            let reason = reason.strip_prefix("error: ").unwrap_or(reason);
            Err(format!("`{pattern}` is not a regular expression: {reason}"))
        }
    }
}

fn redact_fault(value: &Value) -> Option<(String, String)> {
    let annotation = value.as_object()?;
    for name in annotation.keys() {
        if name != "strategy" {
            return Some((format!("/{}", escape(name)), format!("`redact` has no field `{name}`")));
        }
    }
    match annotation.get("strategy").and_then(Value::as_str) {
        Some("block" | "sha256") => None,
        Some(other) => Some((
            "/strategy".to_owned(),
            format!("unknown redaction `{other}`; there are `block` and `sha256`"),
        )),
        None => Some((String::new(), "`redact` wants a `strategy`".to_owned())),
    }
}
