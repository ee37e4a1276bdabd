//! The places of a good catalog that can be changed, and catalogs with something changed.

use std::collections::BTreeMap;
use std::ops::Range;

use tidegate_compiler::Compilation;
use tidegate_compiler::source::Role;
use tidegate_compiler::syntax::{NodeId, Tree};

use crate::suite::compile::{compile_files, concise_text};

/// A catalog without findings.
pub(super) struct Original {
    pub(super) name: String,
    pub(super) files: BTreeMap<String, Vec<u8>>,
    pub(super) compilation: Compilation,
}

/// A change of one place, and where it must be found.
#[derive(Debug, Clone)]
pub(super) struct Mutation {
    pub(super) file: String,
    pub(super) range: Range<usize>,
    pub(super) text: String,
    pub(super) token: Token,
    /// What was changed, for whoever reads a failure.
    pub(super) what: String,
}

/// The text at the primary place of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Exactly(String),
    /// A part of it.
    Inside(String),
}

/// A node of a file and the way to it.
pub(super) struct Site<'o> {
    pub(super) file: &'o str,
    pub(super) text: &'o str,
    pub(super) tree: &'o Tree,
    pub(super) node: NodeId,
    pub(super) path: Vec<String>,
    /// The key of the entry; `None` for an item and for the root.
    pub(super) key: Option<Range<usize>>,
}

impl Original {
    pub(super) fn new(name: &str, files: BTreeMap<String, Vec<u8>>) -> Self {
        let compilation = compile_files(&files);
        let text = concise_text(&compilation);
        assert!(text.is_empty(), "`{name}` is no good catalog:\n{text}");
        Self { name: name.to_owned(), files, compilation }
    }

    /// The files with one mutation.
    pub(super) fn with(&self, mutation: &Mutation) -> BTreeMap<String, Vec<u8>> {
        self.with_all(std::iter::once(mutation))
    }

    /// The files with mutations, which come in order of their places.
    pub(super) fn with_all<'m>(
        &self,
        mutations: impl DoubleEndedIterator<Item = &'m Mutation>,
    ) -> BTreeMap<String, Vec<u8>> {
        let mut files = self.files.clone();
        for mutation in mutations.rev() {
            let bytes = files.get_mut(&mutation.file).expect("mutations are in files");
            let end = mutation.range.end.min(bytes.len());
            let start = mutation.range.start.min(end);
            bytes.splice(start..end, mutation.text.bytes());
        }
        files
    }

    /// Every node of the files of a role. Merged and aliased nodes are left out: their text stands elsewhere.
    pub(super) fn sites(&self, role: Role) -> Vec<Site<'_>> {
        let mut sites = Vec::new();
        for (_, file) in self.compilation.sources.files() {
            let Some(tree) = file.tree.as_deref().filter(|_| file.role == role) else { continue };
            if !self.files.contains_key(&file.name) {
                continue;
            }
            let root = tree.root();
            let site = Site {
                file: &file.name,
                text: &file.text,
                tree,
                node: root,
                path: Vec::new(),
                key: None,
            };
            visit(site, &mut sites);
        }
        sites
    }

    /// The texts of SQL: files, and lambdas and migrations in place, with their place in the file.
    pub(super) fn scripts(&self) -> Vec<(&str, Range<usize>, &str)> {
        let sources = &self.compilation.sources;
        let in_files = sources
            .files()
            .filter(|(_, file)| file.name.ends_with(".sql"))
            .map(|(_, file)| (file.name.as_str(), 0..file.text.len(), &*file.text));
        let in_place = self.sites(Role::Catalog).into_iter().filter_map(|site| {
            let is_script = site.is_at("collections/*/derive/transforms/*/lambda")
                || site.is_at("collections/*/derive/using/sqlite/migrations/*");
            let range = site.range();
            let text = site.text.get(range.clone())?;
            (is_script && text.contains(' ')).then_some((site.file, range, text))
        });
        in_files.chain(in_place).collect()
    }
}

fn visit<'o>(site: Site<'o>, sites: &mut Vec<Site<'o>>) {
    let (tree, range) = (site.tree, site.tree.node(site.node).range.as_usize());
    let is_inside = |node: NodeId| {
        let inner = tree.node(node).range.as_usize();
        range.start <= inner.start && inner.end <= range.end
    };
    let child = |node, token: String, key| {
        let path = site.path.iter().cloned().chain([token]).collect();
        Site { file: site.file, text: site.text, tree, node, path, key }
    };
    for entry in tree.entries(site.node) {
        if is_inside(entry.value) {
            let key = entry.key_range.as_usize();
            visit(child(entry.value, entry.key.clone(), Some(key)), sites);
        }
    }
    for (index, item) in tree.items(site.node).iter().enumerate() {
        if is_inside(*item) {
            visit(child(*item, index.to_string(), None), sites);
        }
    }
    sites.push(site);
}

impl Site<'_> {
    /// Whether the way to the node is this one: names with slashes between them, `*` for any.
    pub(super) fn is_at(&self, pattern: &str) -> bool {
        let wanted: Vec<&str> = pattern.split('/').filter(|name| !name.is_empty()).collect();
        wanted.len() == self.path.len()
            && wanted.iter().zip(&self.path).all(|(wanted, name)| *wanted == "*" || wanted == name)
    }

    /// The bytes of the node.
    pub(super) fn range(&self) -> Range<usize> {
        self.tree.node(self.node).range.as_usize()
    }

    /// The text of the node's bytes.
    pub(super) fn source(&self) -> &str {
        self.text.get(self.range()).unwrap_or_default()
    }

    /// Whether its value is a block of lines, in whose place nothing of one line can stand.
    pub(super) fn is_block(&self) -> bool {
        let source = self.source();
        let is_open = !self.tree.entries(self.node).is_empty() && !source.starts_with('{')
            || !self.tree.items(self.node).is_empty() && !source.starts_with('[');
        let begins_below = self.key.as_ref().is_some_and(|key| {
            self.text.get(key.end..self.range().start).is_some_and(|text| text.contains('\n'))
        });
        is_open || begins_below || source.contains('\n')
    }

    /// Whether it is a string on one line.
    pub(super) fn is_text(&self) -> bool {
        self.tree.string(self.node).is_some() && !self.source().contains('\n')
    }

    /// The name of the declaration that the way leads through.
    pub(super) fn declaration(&self) -> &str {
        self.path.get(1).map(String::as_str).unwrap_or_default()
    }

    /// What the object around is called: its key, or its first key when it is an item.
    pub(super) fn name_of_parent(&self) -> Option<String> {
        let parent = self.tree.node(self.node).parent?;
        let key = self.tree.key_range(parent).as_usize();
        let is_item = key == self.tree.node(parent).range.as_usize();
        let range =
            if is_item { self.tree.entries(parent).first()?.key_range.as_usize() } else { key };
        self.text.get(range).map(str::to_owned)
    }

    /// A change of the node's bytes.
    pub(super) fn replace(&self, text: &str, token: Token) -> Mutation {
        self.change(self.range(), text.to_owned(), token)
    }

    /// Another entry in a mapping, before its first one.
    pub(super) fn insert(&self, entry: &str, token: Token) -> Option<Mutation> {
        let start = self.tree.entries(self.node).first()?.key_range.as_usize().start;
        let before = self.text.get(..start)?;
        // A quoted key begins before its text.
        let quote = before.len() - before.trim_end_matches(['"', '\'']).len();
        let start = start - quote;
        let is_flow = self.source().starts_with('{');
        let line = before.rfind('\n').map_or(0, |end| end + 1);
        let column = self.text.get(line..start)?.chars().count();
        let text =
            if is_flow { format!("{entry}, ") } else { format!("{entry}\n{}", " ".repeat(column)) };
        Some(self.change(start..start, text, token))
    }

    /// A change of other bytes of the file.
    pub(super) fn change(&self, range: Range<usize>, text: String, token: Token) -> Mutation {
        let what = format!("{} in /{}", text.trim(), self.path.join("/"));
        Mutation { file: self.file.to_owned(), range, text, token, what }
    }
}
