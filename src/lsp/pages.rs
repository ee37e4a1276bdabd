//! The pages of rules as documents that a client can open.
//!
//! They have no address that everybody can open, so each has a URI of a scheme of its own. A client that says `rulePages` in its
//! initialization options finds it in every diagnostic, and asks for the text by `tidegate/rulePage` when somebody opens it.

use tidegate_compiler::diag::{Rule, rules};

/// What their URIs begin with.
const PREFIX: &str = "tidegate-rule:/";
/// What their URIs end with, so that editors know the language.
const SUFFIX: &str = ".md";

/// The URI of a page.
pub(super) fn uri(rule: &Rule) -> String {
    format!("{PREFIX}{}{SUFFIX}", rule.slug)
}

/// The page of a URI, in Markdown; nothing when there is no such rule.
pub(super) fn page(uri: &str) -> Option<String> {
    let slug = uri.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let Rule { title, page, .. } = rules::by_slug(slug)?;
    Some(format!("# {slug}: {title}\n\n{}\n", page.trim()))
}
