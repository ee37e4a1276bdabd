//! The `reduce` annotation: which strategy, with which settings.

use serde_json::{Map, Value};

use super::{STRATEGIES, Setting, Strategy};
use crate::schema::{SchemaFailure, Suggestion};
use crate::value::{Pointer, escape};

/// A checked annotation.
#[derive(Debug, Clone)]
pub(super) struct Annotation {
    pub(super) strategy: &'static Strategy,
    /// The pointers that order values; empty when the annotation has no key.
    pub(super) key: Vec<Pointer>,
    pub(super) delete: bool,
    pub(super) associative: bool,
    /// JSON pointer of the annotation in the bundled schema.
    pub(super) origin: String,
}

impl crate::annotation::Annotation for Annotation {
    const KEYWORD: &'static str = "reduce";

    fn parse(value: &Value, origin: impl FnOnce() -> String) -> Result<Self, SchemaFailure> {
        let fields = value
            .as_object()
            .ok_or_else(|| failure("", "`reduce` wants an object with a `strategy`".to_owned()))?;
        let strategy = strategy(fields)?;
        let mut annotation =
            Self { strategy, key: Vec::new(), delete: false, associative: true, origin: origin() };
        for (name, value) in fields {
            if name == "strategy" {
                continue;
            }
            let setting = strategy.settings.iter().find(|setting| setting.name() == name);
            let place = format!("/{}", escape(name));
            match (setting, value) {
                (Some(Setting::Delete), Value::Bool(delete)) => annotation.delete = *delete,
                (Some(Setting::Associative), Value::Bool(associative)) => {
                    annotation.associative = *associative;
                }
                (Some(Setting::Key), Value::Array(pointers)) => {
                    annotation.key = key(pointers, &place)?;
                }
                (Some(Setting::Key), _) => {
                    return Err(failure(&place, "`key` wants an array of JSON pointers".into()));
                }
                (Some(Setting::Delete | Setting::Associative), _) => {
                    return Err(failure(&place, format!("`{name}` wants `true` or `false`")));
                }
                (None, _) => {
                    let message = format!("the strategy `{}` has no `{name}`", strategy.name);
                    return Err(failure(&place, message));
                }
            }
        }
        Ok(annotation)
    }

    fn agrees_with(&self, other: &Self) -> bool {
        self.strategy.name == other.strategy.name
            && self.key == other.key
            && self.delete == other.delete
            && self.associative == other.associative
    }
}

fn strategy(fields: &Map<String, Value>) -> Result<&'static Strategy, SchemaFailure> {
    let name = match fields.get("strategy") {
        Some(Value::String(name)) => name,
        Some(_) => return Err(failure("/strategy", "`strategy` wants a string".to_owned())),
        None => return Err(failure("", "`reduce` wants a `strategy`".to_owned())),
    };
    STRATEGIES.iter().copied().find(|strategy| strategy.name == name).ok_or_else(|| {
        let names = STRATEGIES.iter().map(|strategy| strategy.name);
        let suggestion = crate::schema::nearest(name, names);
        SchemaFailure::malformed(
            "/strategy".to_owned(),
            format!("unknown strategy `{name}`"),
            suggestion.map(|near| Suggestion::Word(near.to_owned())),
        )
    })
}

fn key(pointers: &[Value], place: &str) -> Result<Vec<Pointer>, SchemaFailure> {
    let parse = |(index, pointer): (usize, &Value)| {
        let text = pointer.as_str().ok_or("a key is an array of JSON pointers".to_owned());
        let parsed = text.and_then(|text| {
            // Other tools take a name for a pointer of one step.
            Pointer::parse(text)
                .or_else(|_| Pointer::parse(&format!("/{text}")))
                .map_err(|_| format!("`{text}` is not a JSON pointer"))
        });
        parsed.map_err(|message| failure(&format!("{place}/{index}"), message))
    };
    pointers.iter().enumerate().map(parse).collect()
}

fn failure(pointer: &str, message: String) -> SchemaFailure {
    SchemaFailure::malformed(pointer.to_owned(), message, None)
}
