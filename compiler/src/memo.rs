//! Results of the passes that see one file, by the digest of its content.
//!
//! Keys are values, so a stale hit is impossible and nothing is ever invalidated; what two compilations did not touch is
//! dropped.

use std::collections::BTreeMap;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_128;

use crate::model::{Specs, bind};
use crate::source::LineIndex;
use crate::syntax::{ParseOptions, Tree, parse};

/// Memoised trees and specs.
#[derive(Debug, Default)]
pub struct Memo {
    compilation: u64,
    results: BTreeMap<(u128, Reading), Remembered>,
}

/// What is made of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reading {
    /// Nothing: it is a value as it stands.
    Text,
    /// A tree.
    Data,
    /// A tree with merge keys, and specs.
    Catalog,
}

/// What was made of a text.
#[derive(Debug, Clone)]
pub(crate) struct Results {
    pub(crate) lines: Arc<LineIndex>,
    pub(crate) tree: Option<Arc<Tree>>,
    pub(crate) specs: Option<Arc<Specs>>,
}

#[derive(Debug)]
struct Remembered {
    results: Results,
    /// The last compilation that used them.
    compilation: u64,
}

impl Memo {
    /// Begins a compilation and drops what the last two did not use.
    pub(crate) fn begin_compilation(&mut self) {
        self.compilation += 1;
        let oldest = self.compilation.saturating_sub(2);
        self.results.retain(|_, remembered| remembered.compilation >= oldest);
    }

    /// The results of a text, remembered or made.
    pub(crate) fn results(&mut self, text: &str, reading: Reading) -> Results {
        let compilation = self.compilation;
        let remembered = self
            .results
            .entry((xxh3_128(text.as_bytes()), reading))
            .or_insert_with(|| Remembered { results: make(text, reading), compilation });
        remembered.compilation = compilation;
        remembered.results.clone()
    }
}

fn make(text: &str, reading: Reading) -> Results {
    let lines = Arc::new(LineIndex::new(text));
    let merge_keys = reading == Reading::Catalog;
    let tree = (reading != Reading::Text).then(|| parse(text, ParseOptions { merge_keys }));
    let specs = tree.as_ref().filter(|_| merge_keys).map(|tree| Arc::new(bind(tree)));
    Results { lines, tree: tree.map(Arc::new), specs }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Memo, Reading};

    #[test]
    fn results_are_shared_until_two_compilations_did_not_use_them() {
        let mut memo = Memo::default();
        memo.begin_compilation();
        let first = memo.results("a: 1", Reading::Data).tree.expect("data has a tree");
        memo.begin_compilation();
        let second = memo.results("a: 1", Reading::Data).tree.expect("data has a tree");
        assert!(Arc::ptr_eq(&first, &second));
        memo.begin_compilation();
        memo.begin_compilation();
        assert_eq!(memo.results.len(), 1);
        memo.begin_compilation();
        assert_eq!(memo.results.len(), 0);
    }

    #[test]
    fn one_text_is_read_apart_as_catalog_and_as_data() {
        let mut memo = Memo::default();
        memo.begin_compilation();
        assert!(memo.results("{}", Reading::Data).specs.is_none());
        assert!(memo.results("{}", Reading::Catalog).specs.is_some());
        assert!(memo.results("{}", Reading::Text).tree.is_none());
    }
}
