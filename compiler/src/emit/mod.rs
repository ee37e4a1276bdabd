//! Emitters: from the plan to artifacts, bytes by path.
//!
//! A plan exists only for a catalog without errors, so nothing here fails and nothing is reported. Equal plans give equal
//! bytes: paths and contents are sorted, and nothing of the machine or the time is in them.

mod bundle;
mod json_schema;
mod lineage;
mod sql;
mod typescript;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::dialect::Dialect;
use crate::lineage::Lineage;
use crate::plan::Plan;

/// Files by their path below the output directory.
pub type Artifacts = BTreeMap<String, Vec<u8>>;

/// What the user chose for a build.
#[derive(Debug, Clone)]
pub struct Options {
    /// Dialects of SQL beside those of the endpoints.
    pub targets: Vec<&'static Dialect>,
}

/// One emitter.
#[derive(Debug, Clone, Copy)]
pub struct Emitter {
    /// Its name, as `build --emit` takes it, and the directory that it writes to.
    pub name: &'static str,
    /// One line about what it writes.
    pub docs: &'static str,
    /// Writes the artifacts.
    pub emit: fn(&Plan, &Lineage, &Options) -> Artifacts,
}

/// All emitters, sorted by name.
pub const ALL: &[Emitter] =
    &[bundle::EMITTER, json_schema::EMITTER, lineage::EMITTER, sql::EMITTER, typescript::EMITTER];

/// The emitter of a name.
pub fn by_name(name: &str) -> Option<&'static Emitter> {
    ALL.iter().find(|emitter| emitter.name == name)
}

/// A name as one component of a path, on every file system.
fn path_component(name: &str) -> String {
    let mut component = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '/' | '\\' | '%' | ':' | '*' | '?' | '"' | '<' | '>' | '|' | '\0'..='\x1f' => {
                component.push_str(&format!("%{:02X}", u32::from(character)));
            }
            _ => component.push(character),
        }
    }
    match component.as_str() {
        "." => "%2E".to_owned(),
        ".." => "%2E.".to_owned(),
        _ => component,
    }
}

fn json_text(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside_their_directory() {
        assert_eq!(path_component("acme/orders"), "acme%2Forders");
        assert_eq!(path_component(".."), "%2E.");
        assert_eq!(path_component("C:\\a\n"), "C%3A%5Ca%0A");
        assert_eq!(path_component("größe.v2"), "größe.v2");
    }

    #[test]
    fn emitters_are_sorted_and_found() {
        assert!(ALL.is_sorted_by_key(|emitter| emitter.name));
        assert!(ALL.iter().all(|emitter| by_name(emitter.name).is_some()));
        assert!(by_name("smoke").is_none());
    }
}
