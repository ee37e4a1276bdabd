//! Results of the passes that see one file, by the digest of its content.
//!
//! Keys are values, so a stale hit is impossible and nothing is ever invalidated; what two compilations did not touch is
//! dropped.

use std::collections::BTreeMap;
use std::str::Utf8Error;
use std::sync::Arc;

use url::Url;
use xxhash_rust::xxh3::xxh3_128;

use crate::load::links::{Link, links, links_of_module};
use crate::model::{Specs, bind};
use crate::source::{LineIndex, Range, Role};
use crate::syntax::{ParseOptions, Tree, parse};

/// Memoised trees and specs.
#[derive(Debug, Default)]
pub struct Memo {
    compilation: u64,
    results: BTreeMap<(u128, Reading), Remembered>,
    /// The text of a URL, with the bytes it was made of.
    texts: BTreeMap<String, RememberedText>,
    /// What the file of a URL says about others, with the tree that says it.
    links: BTreeMap<(String, Role), RememberedLinks>,
    /// What the module of a URL says about others, with the text that says it.
    module_links: BTreeMap<String, RememberedModule>,
}

/// A text and its digest.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    pub(crate) text: Arc<str>,
    digest: u128,
}

impl Text {
    pub(crate) fn new(text: Arc<str>) -> Self {
        let digest = xxh3_128(text.as_bytes());
        Self { text, digest }
    }
}

#[derive(Debug)]
struct RememberedText {
    bytes: Arc<[u8]>,
    text: Text,
    compilation: u64,
}

#[derive(Debug)]
struct RememberedLinks {
    tree: Arc<Tree>,
    links: Arc<[Link]>,
    compilation: u64,
}

#[derive(Debug)]
struct RememberedModule {
    text: Arc<str>,
    links: Arc<[Link]>,
    compilation: u64,
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
        self.links.retain(|_, remembered| remembered.compilation >= oldest);
        self.module_links.retain(|_, remembered| remembered.compilation >= oldest);
        self.texts.retain(|_, remembered| remembered.compilation >= oldest);
    }

    /// Bytes as text. A world that gives the very bytes that it gave before gets the text that was made of them.
    pub(crate) fn text(&mut self, url: &str, bytes: &Arc<[u8]>) -> Result<Text, Utf8Error> {
        if let Some(remembered) = self.texts.get_mut(url)
            && Arc::ptr_eq(&remembered.bytes, bytes)
        {
            remembered.compilation = self.compilation;
            return Ok(remembered.text.clone());
        }
        let text = Text::new(std::str::from_utf8(bytes)?.into());
        let (bytes, compilation) = (Arc::clone(bytes), self.compilation);
        let remembered = RememberedText { bytes, text: text.clone(), compilation };
        self.texts.insert(url.to_owned(), remembered);
        Ok(text)
    }

    /// What a file says about others, remembered or made.
    pub(crate) fn links(
        &mut self,
        url: &Url,
        role: Role,
        tree: &Arc<Tree>,
        specs: Option<&Specs>,
    ) -> Arc<[Link]> {
        let key = (url.to_string(), role);
        if let Some(remembered) = self.links.get_mut(&key)
            && Arc::ptr_eq(&remembered.tree, tree)
        {
            remembered.compilation = self.compilation;
            return Arc::clone(&remembered.links);
        }
        let links: Arc<[Link]> = links(url, role, tree, specs).into();
        let (tree, compilation) = (Arc::clone(tree), self.compilation);
        self.links.insert(key, RememberedLinks { tree, links: Arc::clone(&links), compilation });
        links
    }

    /// What a module says about others, remembered or made.
    pub(crate) fn module_links(&mut self, url: &Url, text: &Arc<str>) -> Arc<[Link]> {
        if let Some(remembered) = self.module_links.get_mut(url.as_str())
            && Arc::ptr_eq(&remembered.text, text)
        {
            remembered.compilation = self.compilation;
            return Arc::clone(&remembered.links);
        }
        let links: Arc<[Link]> = links_of_module(text, whole_file).into();
        let (text, compilation) = (Arc::clone(text), self.compilation);
        let remembered = RememberedModule { text, links: Arc::clone(&links), compilation };
        self.module_links.insert(url.to_string(), remembered);
        links
    }

    /// The results of a text, remembered or made.
    pub(crate) fn results(&mut self, text: &Text, reading: Reading) -> Results {
        let compilation = self.compilation;
        let remembered = self
            .results
            .entry((text.digest, reading))
            .or_insert_with(|| Remembered { results: make(&text.text, reading), compilation });
        remembered.compilation = compilation;
        remembered.results.clone()
    }
}

/// Bytes of a text as bytes of the file that holds nothing else.
fn whole_file(range: std::ops::Range<usize>) -> Range {
    let offset = |value| u32::try_from(value).unwrap_or(u32::MAX);
    Range::new(offset(range.start), offset(range.end))
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

    use super::{Memo, Reading, Text};

    fn text(text: &str) -> Text {
        Text::new(text.into())
    }

    #[test]
    fn results_are_shared_until_two_compilations_did_not_use_them() {
        let mut memo = Memo::default();
        memo.begin_compilation();
        let first = memo.results(&text("a: 1"), Reading::Data).tree.expect("data has a tree");
        memo.begin_compilation();
        let second = memo.results(&text("a: 1"), Reading::Data).tree.expect("data has a tree");
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
        assert!(memo.results(&text("{}"), Reading::Data).specs.is_none());
        assert!(memo.results(&text("{}"), Reading::Catalog).specs.is_some());
        assert!(memo.results(&text("{}"), Reading::Text).tree.is_none());
    }

    #[test]
    fn a_text_is_made_once_of_the_same_bytes() {
        let mut memo = Memo::default();
        memo.begin_compilation();
        let bytes: Arc<[u8]> = (*b"a").into();
        let first = memo.text("file:///a", &bytes).expect("it is text");
        let again = memo.text("file:///a", &bytes).expect("it is text");
        assert!(Arc::ptr_eq(&first.text, &again.text));
        let other = memo.text("file:///a", &(*b"b").into()).expect("it is text");
        assert_eq!(&*other.text, "b");
        assert!(memo.text("file:///a", &(*b"\xff").into()).is_err());
    }
}
