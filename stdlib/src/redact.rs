//! Redaction: values that are not to be published are removed, or replaced by a digest.
//!
//! Which annotation speaks of a value depends on the branches that the document satisfies, as with
//! reductions. The annotation of a location speaks for everything in it.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::annotation::{Annotation, Plan, Speakers, Speaking, Verdict};
use crate::document::{Builder, Node, Number, View, write_text};
use crate::schema::{NormalForm, SchemaFailure};
use crate::value::escape;

/// What every digest begins with.
const DIGEST_PREFIX: &str = "sha256:";

/// The redaction of one schema.
#[derive(Debug)]
pub struct Redactor {
    plan: Plan<Redaction>,
}

/// Why a document cannot be redacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedactFailure {
    /// JSON pointer of the location in the document.
    pub pointer: String,
    /// What is wrong, in lower case and without a full stop.
    pub message: String,
    /// JSON pointers, in the bundled schema, of the annotations that take part.
    pub annotations: Vec<String>,
}

/// The salt of a task that was given none: not secret, but other than that of other tasks.
pub fn default_salt(task: &str) -> Vec<u8> {
    Sha256::digest(format!("tidegate redaction of {task}")).to_vec()
}

/// What an annotation asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strategy {
    /// The property or item is removed.
    Block,
    /// The value is replaced by the text of its digest.
    Sha256,
}

impl Strategy {
    fn name(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Sha256 => "sha256",
        }
    }
}

/// A checked annotation.
#[derive(Debug)]
struct Redaction {
    strategy: Strategy,
    origin: String,
}

impl Annotation for Redaction {
    const KEYWORD: &'static str = "redact";

    fn parse(value: &Value, origin: impl FnOnce() -> String) -> Result<Self, SchemaFailure> {
        let strategy = match value.get("strategy").and_then(Value::as_str) {
            Some("block") => Strategy::Block,
            Some("sha256") => Strategy::Sha256,
            _ => {
                let message = "there are the redactions `block` and `sha256`".to_owned();
                return Err(SchemaFailure::malformed(String::new(), message, None));
            }
        };
        Ok(Self { strategy, origin: origin() })
    }

    fn agrees_with(&self, other: &Self) -> bool {
        self.strategy == other.strategy
    }
}

impl Redactor {
    /// Compiles the `redact` annotations of a schema; `None` when it has none.
    ///
    /// # Errors
    /// The first fault of the schema.
    pub fn of(normal: &NormalForm) -> Result<Option<Self>, SchemaFailure> {
        if let Some(fault) = normal.faults().first() {
            return Err(fault.clone());
        }
        let plan = Plan::new(normal)?;
        Ok((*plan.root() != Speakers::Nobody).then_some(Self { plan }))
    }

    /// Adds a document as it may be published to what `out` builds; digests begin with the salt.
    ///
    /// # Errors
    /// Annotations that conflict, or that speak of the document as a whole. What was built then is
    /// of no use.
    pub fn redact(
        &self,
        document: Node<'_>,
        salt: &[u8],
        out: &mut Builder,
    ) -> Result<(), RedactFailure> {
        let walk = Walk { plan: &self.plan, salt };
        match walk.value(self.plan.root(), document, out)? {
            Outcome::Kept => Ok(()),
            Outcome::Removed => Err(RedactFailure {
                pointer: String::new(),
                message: "a document cannot be removed as a whole".to_owned(),
                annotations: self.plan.at_root().map(|it| it.origin.clone()).collect(),
            }),
        }
    }
}

/// What became of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It was built.
    Kept,
    /// Nothing was built.
    Removed,
}

#[derive(Clone, Copy)]
struct Walk<'p> {
    plan: &'p Plan<Redaction>,
    salt: &'p [u8],
}

impl Walk<'_> {
    fn value(
        self,
        speakers: &Speakers,
        value: Node<'_>,
        out: &mut Builder,
    ) -> Result<Outcome, RedactFailure> {
        let Some(speaking) = self.plan.resolve(speakers, value) else {
            out.copy(value);
            return Ok(Outcome::Kept);
        };
        match self.plan.verdict(&speaking) {
            Verdict::Nothing => self.inside(&speaking, value, out)?,
            Verdict::Annotation(Redaction { strategy: Strategy::Block, .. }) => {
                return Ok(Outcome::Removed);
            }
            Verdict::Annotation(Redaction { strategy: Strategy::Sha256, .. }) => {
                self.digest(value, out);
            }
            Verdict::Conflict(first, second) => {
                let (one, other) = (first.strategy.name(), second.strategy.name());
                return Err(RedactFailure {
                    pointer: String::new(),
                    message: format!("the redactions `{one}` and `{other}` conflict"),
                    annotations: vec![first.origin.clone(), second.origin.clone()],
                });
            }
        }
        Ok(Outcome::Kept)
    }

    /// Redacts what is in a value that is not redacted itself.
    fn inside(
        self,
        speaking: &Speaking<'_>,
        value: Node<'_>,
        out: &mut Builder,
    ) -> Result<(), RedactFailure> {
        match value.view() {
            View::Object(properties) => {
                out.begin_object();
                for (name, value) in properties {
                    let mark = out.mark();
                    out.name(name);
                    let outcome = self.value(&self.plan.property(speaking, name), value, out);
                    let step = || format!("/{}", escape(name));
                    if outcome.map_err(|failure| failure.inside(step))? == Outcome::Removed {
                        out.rewind(mark);
                    }
                }
                out.end_object();
            }
            View::Array(items) => {
                out.begin_array();
                for (index, value) in items.enumerate() {
                    let outcome = self.value(&self.plan.item(speaking, index), value, out);
                    outcome.map_err(|failure| failure.inside(|| format!("/{index}")))?;
                }
                out.end_array();
            }
            View::Null | View::Boolean(_) | View::Number(_) | View::String(_) => out.copy(value),
        }
        Ok(())
    }

    fn digest(self, value: Node<'_>, out: &mut Builder) {
        if value.as_str().is_some_and(is_digest) {
            out.copy(value);
            return;
        }
        let mut digest = Sha256::new();
        digest.update(self.salt);
        match value.view() {
            View::Null => {}
            View::Boolean(value) => digest.update([u8::from(value)]),
            View::Number(number) => digest.update(number_bytes(number)),
            View::String(text) => digest.update(text),
            View::Array(_) | View::Object(_) => {
                let mut text = Vec::new();
                write_text(value, &mut text);
                digest.update(text);
            }
        }
        out.string(&format!("{DIGEST_PREFIX}{:x}", digest.finalize()));
    }
}

impl RedactFailure {
    /// The same, seen from one step further out.
    fn inside(mut self, step: impl FnOnce() -> String) -> Self {
        self.pointer.insert_str(0, &step());
        self
    }
}

/// The bytes of a number that enter a digest: one number is one digest, however it is written.
fn number_bytes(number: Number) -> [u8; 8] {
    match number {
        Number::Unsigned(value) => value.to_le_bytes(),
        Number::Negative(value) => value.to_le_bytes(),
        // Two powers of two bound the integers that u64 and i64 hold; both are exact as floats.
        Number::Float(value) if value.fract() == 0.0 => {
            if (0.0..18_446_744_073_709_551_616.0).contains(&value) {
                (value as u64).to_le_bytes()
            } else if (-9_223_372_036_854_775_808.0..0.0).contains(&value) {
                (value as i64).to_le_bytes()
            } else {
                value.to_le_bytes()
            }
        }
        Number::Float(value) => value.to_le_bytes(),
    }
}

/// Whether a text is the digest of a value that was redacted before.
fn is_digest(text: &str) -> bool {
    text.strip_prefix(DIGEST_PREFIX).is_some_and(|digits| {
        digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use serde_json::json;

    use super::*;
    use crate::document::Document;

    fn redacted(schema: &Value, document: &Value) -> Result<Value, RedactFailure> {
        let redactor = Redactor::of(&NormalForm::new(schema)).unwrap().unwrap();
        let mut out = Builder::default();
        redactor.redact(Document::from_value(document).root(), b"salt", &mut out)?;
        Ok(out.root().to_value())
    }

    #[test]
    fn a_schema_without_annotations_redacts_nothing() {
        let normal = NormalForm::new(&json!({"properties": {"a": {"type": "string"}}}));
        assert!(Redactor::of(&normal).unwrap().is_none());
    }

    #[test]
    fn what_is_blocked_is_gone() {
        let schema = json!({
            "properties": {
                "a": {"redact": {"strategy": "block"}},
                "b": {"items": {"oneOf": [
                    {"type": "string", "redact": {"strategy": "block"}},
                    {"type": "integer"},
                ]}},
            },
            "additionalProperties": {"properties": {"x": {"redact": {"strategy": "block"}}}},
        });
        let document = json!({"a": {"deep": 1}, "b": [1, "x", 2], "c": {"x": 1, "y": 2}});
        assert_eq!(redacted(&schema, &document).unwrap(), json!({"b": [1, 2], "c": {"y": 2}}));
    }

    #[test]
    fn one_value_has_one_digest() {
        let schema = json!({"additionalProperties": {"redact": {"strategy": "sha256"}}});
        let digest = |value: Value| {
            let redacted = redacted(&schema, &json!({"v": value})).unwrap();
            redacted.get("v").unwrap().clone()
        };
        assert_eq!(digest(json!(5)), digest(json!(5.0)));
        assert_eq!(digest(json!(-5)), digest(json!(-5.0)));
        assert_ne!(digest(json!(5)), digest(json!(5.5)));
        assert_ne!(digest(json!(true)), digest(json!(false)));
        assert_eq!(digest(json!({"b": 1, "a": 2})), digest(json!({"a": 2, "b": 1})));
        assert_eq!(digest(digest(json!("x"))), digest(json!("x")));
    }

    #[test]
    fn the_outer_annotation_speaks_for_what_is_inside() {
        let schema = json!({"properties": {"a": {
            "properties": {"b": {"redact": {"strategy": "block"}}},
            "redact": {"strategy": "sha256"},
        }}});
        let found = redacted(&schema, &json!({"a": {"b": 1}})).unwrap();
        assert!(found.pointer("/a").unwrap().as_str().is_some_and(is_digest));
    }

    #[test]
    fn conflicts_name_both_annotations() {
        let schema = json!({"properties": {"a": {"items": {
            "allOf": [{"redact": {"strategy": "block"}}],
            "redact": {"strategy": "sha256"},
        }}}});
        let failure = redacted(&schema, &json!({"a": [1]})).unwrap_err();
        assert_eq!(failure.pointer, "/a/0");
        assert_eq!(failure.message, "the redactions `sha256` and `block` conflict");
        let places = ["/properties/a/items/redact", "/properties/a/items/allOf/0/redact"];
        assert_eq!(failure.annotations, places);
    }

    #[test]
    fn a_document_cannot_be_removed() {
        let schema = json!({"redact": {"strategy": "block"}});
        assert!(redacted(&schema, &json!({"a": 1})).is_err());
    }
}
