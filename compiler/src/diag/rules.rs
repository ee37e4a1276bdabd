//! The rules, one constant per page under `compiler/rules/`, made by the build script.
//!
//! A misspelt rule does not compile, a rule without a page cannot exist, and a page that nobody reports is dead code.

use super::{Rule, Severity};

include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// The rule of a slug.
pub fn by_slug(slug: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.slug == slug)
}
