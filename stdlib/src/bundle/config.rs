//! Configurations of endpoints.
//!
//! One that `sops` encrypted is passed on untouched: sops signs the values in the order in which they are written, so the order of the
//! keys is kept here, and only here. All other values of a bundle have their properties sorted.

use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// The property by which a document is known to be encrypted.
const SOPS: &str = "sops";

/// The configuration of an endpoint, as written.
#[derive(Debug, Clone, PartialEq)]
pub enum Config {
    /// One that everybody can read.
    Plain(Value),
    /// A document that `sops` encrypted.
    Encrypted(Ordered),
}

impl Config {
    /// A configuration from a value that keeps the order of its keys.
    pub fn new(value: Ordered) -> Self {
        if value.is_encrypted() { Self::Encrypted(value) } else { Self::Plain(value.into_value()) }
    }

    /// The value, unless it is encrypted.
    pub fn plain(&self) -> Option<&Value> {
        match self {
            Self::Plain(value) => Some(value),
            Self::Encrypted(_) => None,
        }
    }
}

impl Serialize for Config {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(value) => value.serialize(serializer),
            Self::Encrypted(value) => value.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ordered::deserialize(deserializer).map(Self::new)
    }
}

/// A JSON value whose properties stand in the order in which they are written.
#[derive(Debug, Clone, PartialEq)]
pub enum Ordered {
    /// Properties, no name twice.
    Object(Vec<(String, Ordered)>),
    /// Items.
    Array(Vec<Ordered>),
    /// Anything else.
    Scalar(Value),
}

impl Ordered {
    /// Whether it is a document that `sops` encrypted.
    pub fn is_encrypted(&self) -> bool {
        matches!(self, Self::Object(properties) if properties.iter().any(|(name, _)| name == SOPS))
    }

    fn into_value(self) -> Value {
        match self {
            Self::Object(properties) => {
                let properties = properties.into_iter();
                Value::Object(properties.map(|(name, value)| (name, value.into_value())).collect())
            }
            Self::Array(items) => Value::Array(items.into_iter().map(Self::into_value).collect()),
            Self::Scalar(value) => value,
        }
    }

    /// The same with properties sorted at every level, up to encrypted documents.
    pub(super) fn sorted(self) -> Self {
        match self {
            Self::Object(_) if self.is_encrypted() => self,
            Self::Object(properties) => {
                let properties = properties.into_iter();
                let mut sorted: Vec<_> =
                    properties.map(|(name, value)| (name, value.sorted())).collect();
                sorted.sort_by(|(left, _), (right, _)| left.cmp(right));
                Self::Object(sorted)
            }
            Self::Array(items) => Self::Array(items.into_iter().map(Self::sorted).collect()),
            Self::Scalar(value) => Self::Scalar(value),
        }
    }
}

impl Serialize for Ordered {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Object(properties) => {
                serializer.collect_map(properties.iter().map(|(name, value)| (name, value)))
            }
            Self::Array(items) => serializer.collect_seq(items),
            Self::Scalar(value) => value.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OrderedVisitor)
    }
}

struct OrderedVisitor;

impl<'de> Visitor<'de> for OrderedVisitor {
    type Value = Ordered;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Ordered, E> {
        Ok(Ordered::Scalar(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Ordered, E> {
        Ok(Ordered::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Ordered, E> {
        Ok(Ordered::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Ordered, E> {
        Ok(Ordered::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Ordered, E> {
        Ok(Ordered::Scalar(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Ordered, E> {
        Ok(Ordered::Scalar(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Ordered, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Ordered::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Ordered, A::Error> {
        let mut properties = Vec::new();
        while let Some(property) = access.next_entry()? {
            properties.push(property);
        }
        Ok(Ordered::Object(properties))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn read(text: &str) -> Config {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn what_sops_encrypted_keeps_its_order() {
        let text = r#"{"z":[1,{"y":2.5,"b":null}],"a":"ENC[x]","sops":{"mac":"m","age":true}}"#;
        let config = read(text);
        assert_eq!(config.plain(), None);
        assert_eq!(serde_json::to_string(&config).unwrap(), text);
    }

    #[test]
    fn all_else_is_sorted() {
        let config = read(r#"{"z":{"sops":1,"a":2},"a":-3}"#);
        assert_eq!(serde_json::to_string(&config).unwrap(), r#"{"a":-3,"z":{"a":2,"sops":1}}"#);
    }
}
