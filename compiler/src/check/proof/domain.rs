//! What is known of a value of SQL: whether it may be NULL, and what it may be of each storage class.
//!
//! A domain holds at least the values that occur. The widest one holds every value, and whoever does not understand something
//! answers with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use tidegate_stdlib::schema::{may_be_empty, may_begin_with, may_end_with};
use tidegate_stdlib::shape::{Shape, Types};

use super::json;

/// Numbers of documents are taken to be at most so great. Sums and products of a few of them are then finite.
pub(super) const NUMBER_MAX: f64 = 1e100;
/// Texts that are kept apart; of more, only what they have in common is known.
const CONSTANTS_MAX: usize = 32;

/// What is known of a value of SQL.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Domain {
    /// Whether it may be NULL.
    pub(super) null: bool,
    pub(super) integer: Option<Integers>,
    pub(super) real: Option<Reals>,
    pub(super) text: Option<Texts>,
    /// Whether it may be a blob.
    pub(super) blob: bool,
    /// Keywords of schemas that all its numbers satisfy.
    pub(super) facts: Facts,
}

/// Keywords of schemas, as they stand there.
pub(super) type Facts = BTreeMap<String, Value>;

/// Integers from the least to the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Integers {
    pub(super) least: i64,
    pub(super) most: i64,
}

/// Real numbers from the least to the greatest; an infinite bound is a value that may occur.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Reals {
    pub(super) least: f64,
    pub(super) most: f64,
    /// Whether those that are finite have no fraction.
    pub(super) is_whole: bool,
}

/// What is known of a text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Texts {
    /// All of them, when they are few.
    pub(super) constants: Option<BTreeSet<Arc<str>>>,
    /// In code points.
    pub(super) min_length: u64,
    pub(super) max_length: Option<u64>,
    /// A format of schemas.
    pub(super) format: Option<Arc<str>>,
    /// Whether it may begin with a bracket or brace.
    pub(super) opens: bool,
    /// Whether it may end with one.
    pub(super) closes: bool,
    /// Keywords of schemas that all of them satisfy.
    pub(super) facts: Facts,
    /// What the text is as JSON, when it surely is JSON.
    pub(super) json: Option<JsonText>,
    /// Whether functions of JSON take the text for JSON.
    pub(super) subtype: Subtype,
}

/// A text of JSON.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct JsonText {
    pub(super) shape: Arc<Shape>,
    /// Whether the runtime can read it, too: it has no numbers beyond those of JSON.
    pub(super) is_sure: bool,
}

/// Whether a text is marked as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subtype {
    Never,
    Maybe,
    Always,
}

impl Subtype {
    /// A mark that may be lost on the way.
    pub(super) const fn blurred(self) -> Self {
        match self {
            Self::Never => Self::Never,
            Self::Maybe | Self::Always => Self::Maybe,
        }
    }
}

impl Domain {
    /// No value at all.
    pub(super) const fn none() -> Self {
        Self {
            null: false,
            integer: None,
            real: None,
            text: None,
            blob: false,
            facts: Facts::new(),
        }
    }

    /// Every value.
    pub(super) fn any() -> Self {
        Self {
            null: true,
            integer: Some(Integers::ALL),
            real: Some(Reals::ALL),
            text: Some(Texts { subtype: Subtype::Maybe, ..Texts::any() }),
            blob: true,
            facts: Facts::new(),
        }
    }

    pub(super) fn null() -> Self {
        Self { null: true, ..Self::none() }
    }

    pub(super) fn integer(least: i64, most: i64) -> Self {
        Self { integer: Some(Integers { least, most }), ..Self::none() }
    }

    pub(super) fn boolean() -> Self {
        Self::integer(0, 1)
    }

    pub(super) fn real(reals: Reals) -> Self {
        Self { real: Some(reals), ..Self::none() }
    }

    pub(super) fn text(texts: Texts) -> Self {
        Self { text: Some(texts), ..Self::none() }
    }

    pub(super) fn blob() -> Self {
        Self { blob: true, ..Self::none() }
    }

    pub(super) fn constant(text: &str) -> Self {
        Self::text(Texts::constant(text))
    }

    /// A text of JSON that is marked as such.
    pub(super) fn json(shape: Shape, is_sure: bool) -> Self {
        Self::text(Texts::json(shape, is_sure, Subtype::Always))
    }

    /// Whether there is no such value.
    pub(super) fn is_none(&self) -> bool {
        !self.null && self.is_only_null()
    }

    /// Whether it is NULL whenever it is a value.
    pub(super) fn is_only_null(&self) -> bool {
        self.integer.is_none() && self.real.is_none() && self.text.is_none() && !self.blob
    }

    #[must_use]
    pub(super) fn or_null(mut self, null: bool) -> Self {
        self.null |= null;
        self
    }

    #[must_use]
    pub(super) fn without_null(mut self) -> Self {
        self.null = false;
        self
    }

    /// The values of both.
    #[must_use]
    pub(super) fn union(self, other: Self) -> Self {
        let facts = match (self.has_numbers(), other.has_numbers()) {
            (true, true) => common(self.facts, &other.facts),
            (true, false) => self.facts,
            (false, _) => other.facts,
        };
        Self {
            null: self.null || other.null,
            integer: either(self.integer, other.integer, Integers::union),
            real: either(self.real, other.real, Reals::union),
            text: either(self.text, other.text, Texts::union),
            blob: self.blob || other.blob,
            facts,
        }
    }

    /// The values that are in both; more where the two are hard to compare.
    #[must_use]
    pub(super) fn meet(self, other: &Self) -> Self {
        let integer = self.integer.zip(other.integer).and_then(|(one, other)| {
            let (least, most) = (one.least.max(other.least), one.most.min(other.most));
            (least <= most).then_some(Integers { least, most })
        });
        let real = self.real.zip(other.real).and_then(|(one, other)| {
            let (least, most) = (one.least.max(other.least), one.most.min(other.most));
            let is_whole = one.is_whole || other.is_whole;
            (least <= most).then_some(Reals { least, most, is_whole })
        });
        let text = self.text.zip(other.text.as_ref()).and_then(|(one, other)| one.meet(other));
        let mut facts = self.facts;
        facts.extend(other.facts.clone());
        let (null, blob) = (self.null && other.null, self.blob && other.blob);
        Self { null, integer, real, text, blob, facts }
    }

    /// The values of both, such that a chain of them soon ends.
    #[must_use]
    pub(super) fn widen(self, other: Self) -> Self {
        let union = self.clone().union(other);
        Self {
            null: union.null,
            integer: union.integer.map(|new| match self.integer {
                Some(old) => Integers {
                    least: if old.least == new.least { old.least } else { i64::MIN },
                    most: if old.most == new.most { old.most } else { i64::MAX },
                },
                None => new,
            }),
            real: union.real.map(|new| match self.real {
                Some(old) => Reals {
                    least: if old.least == new.least { old.least } else { f64::NEG_INFINITY },
                    most: if old.most == new.most { old.most } else { f64::INFINITY },
                    is_whole: old.is_whole && new.is_whole,
                },
                None => new,
            }),
            text: union.text.map(|new| match self.text {
                Some(old) if old == new => new,
                // Of the rest there are few values, so they settle by themselves.
                _ => Texts { constants: None, min_length: 0, max_length: None, json: None, ..new },
            }),
            blob: union.blob,
            facts: union.facts,
        }
    }

    /// The text loses its mark when it is stored, or may do so on its way.
    #[must_use]
    pub(super) fn with_subtype(mut self, change: fn(Subtype) -> Subtype) -> Self {
        if let Some(texts) = &mut self.text {
            texts.subtype = change(texts.subtype);
        }
        self
    }

    fn has_numbers(&self) -> bool {
        self.integer.is_some() || self.real.is_some()
    }

    /// Whether all values are numbers or NULL.
    pub(super) fn is_numeric(&self) -> bool {
        self.text.is_none() && !self.blob
    }
}

/// The facts of both.
fn common(mut facts: Facts, other: &Facts) -> Facts {
    facts.retain(|name, value| other.get(name) == Some(value));
    facts
}

fn either<T>(left: Option<T>, right: Option<T>, union: impl FnOnce(T, T) -> T) -> Option<T> {
    match (left, right) {
        (Some(left), Some(right)) => Some(union(left, right)),
        (left, right) => left.or(right),
    }
}

impl Integers {
    pub(super) const ALL: Self = Self { least: i64::MIN, most: i64::MAX };

    fn union(self, other: Self) -> Self {
        Self { least: self.least.min(other.least), most: self.most.max(other.most) }
    }

    /// The integers as real numbers.
    pub(super) fn to_reals(self) -> Reals {
        Reals { least: self.least as f64, most: self.most as f64, is_whole: true }
    }
}

impl Reals {
    /// All of them, with the infinite ones.
    pub(super) const ALL: Self =
        Self { least: f64::NEG_INFINITY, most: f64::INFINITY, is_whole: false };

    pub(super) fn union(self, other: Self) -> Self {
        Self {
            least: self.least.min(other.least),
            most: self.most.max(other.most),
            is_whole: self.is_whole && other.is_whole,
        }
    }

    pub(super) fn may_be_infinite(self) -> bool {
        self.least.is_infinite() || self.most.is_infinite()
    }

    /// As wide as after a way through text, in which digits may be lost.
    pub(super) fn blurred(self) -> Self {
        let widened = |bound: f64, by: f64| {
            let is_short = format!("{bound:.14e}").parse() == Ok(bound);
            if is_short { bound } else { bound + by * bound.abs() * 1e-14 }
        };
        Self { least: widened(self.least, -1.0), most: widened(self.most, 1.0), ..self }
    }
}

impl Texts {
    /// Any text, without a mark.
    pub(super) const fn any() -> Self {
        Self {
            constants: None,
            min_length: 0,
            max_length: None,
            format: None,
            opens: true,
            closes: true,
            facts: Facts::new(),
            json: None,
            subtype: Subtype::Never,
        }
    }

    /// Any text that is neither an array nor an object.
    pub(super) fn plain() -> Self {
        Self { opens: false, closes: false, ..Self::any() }
    }

    pub(super) fn of_format(format: &str) -> Self {
        let is_plain = PLAIN_FORMATS.contains(&format);
        Self { format: Some(format.into()), opens: !is_plain, closes: !is_plain, ..Self::any() }
    }

    /// Texts that satisfy a pattern.
    #[must_use]
    pub(super) fn of_pattern(mut self, pattern: &str) -> Self {
        self.opens &= may_begin_with(pattern, &['[', '{']);
        self.closes &= may_end_with(pattern, &[']', '}']);
        self.min_length = self.min_length.max(u64::from(!may_be_empty(pattern)));
        self
    }

    /// Texts of so many code points.
    #[must_use]
    pub(super) fn with_length(mut self, length: usize) -> Self {
        self.min_length = length as u64;
        self.max_length = Some(length as u64);
        self
    }

    /// Whether no text of a format has a bracket or brace anywhere.
    pub(super) fn is_without_brackets(format: &str) -> bool {
        PLAIN_FORMATS.contains(&format) && !BRACKETS_INSIDE.contains(&format)
    }

    pub(super) fn constant(text: &str) -> Self {
        Self::of_constants(BTreeSet::from([text.into()]))
    }

    pub(super) fn of_constants(constants: BTreeSet<Arc<str>>) -> Self {
        let length = |text: &Arc<str>| text.chars().count() as u64;
        Self {
            min_length: constants.iter().map(length).min().unwrap_or(0),
            max_length: constants.iter().map(length).max(),
            opens: constants.iter().any(|text| text.starts_with(['[', '{'])),
            closes: constants.iter().any(|text| text.ends_with([']', '}'])),
            constants: (constants.len() <= CONSTANTS_MAX).then_some(constants),
            ..Self::any()
        }
    }

    /// A text of JSON.
    pub(super) fn json(shape: Shape, is_sure: bool, subtype: Subtype) -> Self {
        let is_container = shape.types.overlaps(Types::ARRAY.or(Types::OBJECT));
        let shape = Arc::new(shape);
        Self {
            min_length: 1,
            opens: is_container,
            closes: is_container,
            json: Some(JsonText { shape, is_sure }),
            subtype,
            ..Self::any()
        }
    }

    /// Whether it may be an array or object.
    pub(super) fn may_be_container(&self) -> bool {
        match &self.constants {
            Some(constants) => constants.iter().any(|text| json::container(text).is_some()),
            None => self.opens && self.closes && self.max_length.is_none_or(|most| most >= 2),
        }
    }

    /// Texts that are both; `None` when there are none.
    fn meet(self, other: &Self) -> Option<Self> {
        match (&self.constants, &other.constants) {
            (Some(one), Some(other)) => {
                let constants: BTreeSet<_> = one.intersection(other).cloned().collect();
                (!constants.is_empty()).then(|| Self::of_constants(constants))
            }
            (None, Some(other)) => Some(Self::of_constants(other.clone())),
            (_, None) => Some(self),
        }
    }

    /// Whether it surely is an array or object.
    pub(super) fn is_container(&self) -> bool {
        let containers = Types::ARRAY.or(Types::OBJECT);
        self.json.as_ref().is_some_and(|json| json.shape.types.within(containers))
    }

    pub(super) fn union(self, other: Self) -> Self {
        let json = match (self.known_json(), other.known_json()) {
            (Some(left), Some(right)) => Some(JsonText {
                is_sure: left.is_sure && right.is_sure,
                shape: if left.shape == right.shape {
                    left.shape
                } else {
                    Arc::new(json::union((*left.shape).clone(), (*right.shape).clone()))
                },
            }),
            _ => None,
        };
        let constants = self.constants.zip(other.constants).map(|(mut left, right)| {
            left.extend(right);
            left
        });
        let facts = common(self.facts, &other.facts);
        let subtype = if self.subtype == other.subtype { self.subtype } else { Subtype::Maybe };
        Self {
            constants: constants.filter(|constants| constants.len() <= CONSTANTS_MAX),
            min_length: self.min_length.min(other.min_length),
            max_length: self.max_length.zip(other.max_length).map(|(left, right)| left.max(right)),
            format: self.format.filter(|format| other.format.as_ref() == Some(format)),
            opens: self.opens || other.opens,
            closes: self.closes || other.closes,
            facts,
            json,
            subtype,
        }
    }

    /// What the text is as JSON, also when that follows from all of them being known.
    pub(super) fn known_json(&self) -> Option<JsonText> {
        if self.json.is_some() {
            return self.json.clone();
        }
        let values = self.constants.as_ref()?.iter().map(|text| json::strict(text));
        let shapes = values.map(|value| value.map(|value| json::constant(&value)));
        let shapes: Vec<Shape> = shapes.collect::<Option<_>>()?;
        let shape = shapes.into_iter().reduce(json::union)?;
        Some(JsonText { shape: Arc::new(shape), is_sure: true })
    }
}

/// Formats none of whose texts has brackets or braces at both ends.
const PLAIN_FORMATS: [&str; 20] = [
    "date",
    "date-time",
    "datetime",
    "duration",
    "email",
    "hostname",
    "integer",
    "ipv4",
    "ipv6",
    "iri",
    "json-pointer",
    "macaddr",
    "macaddr8",
    "number",
    "sha256",
    "time",
    "uint32",
    "uint64",
    "uri",
    "uuid",
];

/// Those of them whose texts may have brackets or braces inside.
const BRACKETS_INSIDE: [&str; 4] = ["email", "iri", "json-pointer", "uri"];
