//! The `jsonschema` library: it words why a document that the program refuses is not valid.
//!
//! The program decides. The library is built for a schema only when the first document is refused,
//! and gets the normal form with its patterns written out: it reads them as ECMAScript, while they
//! are patterns of the `regex` crate everywhere else. A schema that it could not take without great
//! effort is not given to it; such violations are told without their place.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jsonschema::{Draft, PatternOptions, Registry, ValidationOptions, Validator};
use percent_encoding::utf8_percent_encode;
use serde_json::{Value, json};

use super::bounds::{NumericBound, Side};
use super::normal::{FRAGMENT, NormalForm, target};
use super::program::{DecimalDivisor, Program};
use super::{Violation, formats, violation};
use crate::limits::EXPLAINED_SIZE_MAX;
use crate::value::escape;

/// A schema as the library gets it.
#[derive(Debug)]
pub(super) struct Library {
    /// Nothing when the schema is not given to it.
    registry: Option<Registry<'static>>,
    root: OnceLock<Option<Validator>>,
    patterns: Patterns,
}

/// The URL of the normal form, for references into it from outside.
const ROOT_URL: &str = "bundle:/normal";

impl Library {
    pub(super) fn new(normal: &Value, program: &Program) -> Self {
        let mut patterns = Patterns::default();
        let registry = program.is_modest().then(|| {
            let schema = patterns.write_out(normal, program);
            Registry::new().add(ROOT_URL, schema).ok()?.prepare().ok()
        });
        Self { registry: registry.flatten(), root: OnceLock::new(), patterns }
    }

    /// Why `document` is not valid under the schema at a place of the normal form; nothing when the
    /// library finds no fault.
    pub(super) fn violation(
        &self,
        normal: &NormalForm,
        place: &str,
        document: &Value,
        size: usize,
    ) -> Option<Violation> {
        let other;
        let validator = if place.is_empty() {
            self.root.get_or_init(|| self.validator_at("")).as_ref()?
        } else {
            other = self.validator_at(place)?;
            &other
        };
        // All errors of a large document could be larger than itself.
        let errors: Vec<_> = if size > EXPLAINED_SIZE_MAX {
            validator.validate(document).err().into_iter().collect()
        } else {
            validator.iter_errors(document).collect()
        };
        violation::most_telling(&errors, document, normal, &self.patterns)
    }

    /// The validator of the schema at a place of the normal form.
    pub(super) fn validator_at(&self, place: &str) -> Option<Validator> {
        let place = self.patterns.written_out(place);
        let reference = format!("{ROOT_URL}#{}", utf8_percent_encode(&place, &FRAGMENT));
        options().with_registry(self.registry.as_ref()?).build(&json!({"$ref": reference})).ok()
    }
}

/// How every validator of a normal form is built: offline, with our formats enforced.
pub(crate) fn options<'i>() -> ValidationOptions<'i> {
    let options = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex())
        .should_validate_formats(true)
        .with_keyword("x-str-minimum", |_, bound, _| {
            Ok(Box::new(NumericBound::new(bound, Side::Above)))
        })
        .with_keyword("x-str-maximum", |_, bound, _| {
            Ok(Box::new(NumericBound::new(bound, Side::Below)))
        })
        .with_keyword("multipleOf", |_, divisor, _| Ok(Box::new(DecimalDivisor::new(divisor))))
        .offline();
    formats::OWN
        .into_iter()
        .fold(options, |options, (name, check)| options.with_format(name, check))
}

/// Patterns that the library would read in another way, and what stands for them.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    /// By the pattern as it is written.
    written_out: BTreeMap<String, String>,
    /// By what stands for it.
    written: BTreeMap<String, String>,
}

impl Patterns {
    /// The place that the library tells of, in the normal form.
    pub(super) fn place(&self, place: &str) -> String {
        replace_tokens(place, &self.written)
    }

    fn written_out(&self, place: &str) -> String {
        replace_tokens(place, &self.written_out)
    }

    /// The schema with its patterns written out: without shorthands for classes, whose meaning is
    /// what differs.
    pub(super) fn write_out(&mut self, normal: &Value, program: &Program) -> Value {
        let mut schema = normal.clone();
        // Inner schemas come after outer ones, and are to be rewritten before their places change.
        for place in program.places().rev() {
            let Some(Value::Object(object)) = schema.pointer_mut(place) else { continue };
            if let Some(Value::String(pattern)) = object.get_mut("pattern")
                && let Some(written_out) = write_out(pattern)
            {
                *pattern = written_out;
            }
            let Some(Value::Object(named)) = object.get_mut("patternProperties") else { continue };
            let patterns: Vec<String> = named.keys().cloned().collect();
            for pattern in patterns {
                let Some(written_out) = write_out(&pattern) else { continue };
                let Some(inner) = named.remove(&pattern) else { continue };
                named.insert(written_out.clone(), inner);
                let (pattern, written_out) = (escape(&pattern), escape(&written_out));
                self.written.insert(written_out.clone().into(), pattern.clone().into());
                self.written_out.insert(pattern.into(), written_out.into());
            }
        }
        if !self.written.is_empty() {
            for place in program.places() {
                let place = self.written_out(place);
                let Some(Value::Object(object)) = schema.pointer_mut(&place) else { continue };
                let Some(target) = target(object) else { continue };
                let target = self.written_out(&target);
                let target = format!("#{}", utf8_percent_encode(&target, &FRAGMENT));
                object.insert("$ref".to_owned(), Value::String(target));
            }
        }
        schema
    }
}

/// Replaces the names of pattern properties in a JSON pointer.
fn replace_tokens(place: &str, names: &BTreeMap<String, String>) -> String {
    if names.is_empty() {
        return place.to_owned();
    }
    let mut before = "";
    let tokens = place.split('/').map(|token| {
        let is_pattern = std::mem::replace(&mut before, token) == "patternProperties";
        let name = names.get(token).filter(|_| is_pattern);
        name.map_or(token, String::as_str)
    });
    tokens.collect::<Vec<_>>().join("/")
}

/// Only escapes and classes have more than one meaning.
fn write_out(pattern: &str) -> Option<String> {
    let is_plain = !pattern.contains(['\\', '[']);
    if is_plain {
        return None;
    }
    regex_syntax::parse(pattern).ok().map(|parsed| parsed.to_string())
}
