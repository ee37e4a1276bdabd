//! Secrets that stand in a config for everybody to read.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::catalog::SourceValue;
use crate::diag::{Diagnostic, Sink, rules};
use crate::source::Span;

/// Parts of names by which secrets are known when no schema says so.
const NAMES: [&str; 10] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "api_key",
    "apikey",
    "access_key",
    "private_key",
    "auth_token",
    "access_token",
];
/// Beginnings of texts that only lead to a secret.
const REFERENCES: [&str; 4] = ["env:", "file:", "${", "<"];

/// Looks for texts in a config that is not encrypted, at the locations that a connector's schema names or, without one, by their
/// names.
pub(super) fn check(config: &SourceValue, schema: Option<&Value>, sink: &mut Sink) {
    let mut secrets = BTreeSet::new();
    match schema {
        Some(schema) => named_by_schema(schema, &config.value, "", &mut secrets),
        None => named_like_secrets(&config.value, "", &mut secrets),
    }
    for pointer in secrets {
        let is_plain = config.value.pointer(&pointer).and_then(Value::as_str).is_some_and(|text| {
            !text.is_empty() && !REFERENCES.iter().any(|reference| text.starts_with(reference))
        });
        if is_plain {
            let name = pointer.rsplit('/').next().unwrap_or_default();
            sink.report(plaintext_secret(name, config.value_place(&pointer)));
        }
    }
}

/// Locations that the schema of a connector marks, as far as properties lead.
fn named_by_schema(schema: &Value, value: &Value, pointer: &str, secrets: &mut BTreeSet<String>) {
    let is_marked =
        |keyword: &str| schema.get(keyword).and_then(Value::as_bool).unwrap_or_default();
    if is_marked("secret") || is_marked("airbyte_secret") {
        secrets.insert(pointer.to_owned());
    }
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    for (name, schema) in properties {
        if let Some(value) = value.get(name) {
            named_by_schema(schema, value, &child(pointer, name), secrets);
        }
    }
}

/// Locations whose name says that they hold a secret. The value is no deeper than its file may be.
fn named_like_secrets(value: &Value, pointer: &str, secrets: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let pointer = child(pointer, name);
                let lower = name.to_lowercase().replace('-', "_");
                if NAMES.iter().any(|part| lower.contains(part)) {
                    secrets.insert(pointer.clone());
                }
                named_like_secrets(value, &pointer, secrets);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                named_like_secrets(item, &format!("{pointer}/{index}"), secrets);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn child(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn plaintext_secret(name: &str, span: Span) -> Diagnostic {
    let message = format!("the secret `{name}` stands in plain text");
    Diagnostic::new(&rules::PLAINTEXT_SECRET, span, message)
        .label("whoever can read the catalog can read it")
        .help("leave it out and name it for `tidegate run --secrets`, or encrypt the file with `sops`")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schemas_and_names_tell_secrets() {
        let mut secrets = BTreeSet::new();
        let schema = json!({"properties": {"auth": {"properties": {"key": {"secret": true}}}}});
        named_by_schema(&schema, &json!({"auth": {"key": "k"}, "password": 1}), "", &mut secrets);
        assert_eq!(secrets, BTreeSet::from(["/auth/key".to_owned()]));
        let mut secrets = BTreeSet::new();
        let value = json!({"db": [{"dbPassword": "a"}], "Api-Key": "b", "passport": "c"});
        named_like_secrets(&value, "", &mut secrets);
        let expected = BTreeSet::from(["/Api-Key".to_owned(), "/db/0/dbPassword".to_owned()]);
        assert_eq!(secrets, expected);
    }
}
