//! Events of the YAML parser as a tree, with recovery from errors.

use super::{ParseOptions, Tree};

/// Parses YAML (and so JSON). Never fails; problems are in the tree.
pub fn parse(text: &str, options: ParseOptions) -> Tree {
    let _ = (text, options);
    todo!("H3")
}
