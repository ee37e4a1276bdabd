//! The schemas of a bundle, and where references lead.
//!
//! A bundle may hold schema resources with their own `$id`. This index knows every subschema, its
//! base URL, and every anchor, so that each reference becomes the place of a schema. A dynamic
//! reference depends on the resources that validation has come through; a [`Scope`] stands for
//! those.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use url::Url;

use super::SchemaFailure;
use super::keywords::{Step, children};
use crate::limits::DOCUMENT_DEPTH_MAX;

/// One schema of the bundle.
#[derive(Debug)]
pub(super) struct Site<'s> {
    /// The schema around it, and the path from there as written and in the normal form.
    pub(super) around: Option<(usize, Step<'s>, Step<'s>)>,
    pub(super) schema: &'s Value,
    /// The index of the resource that it belongs to.
    pub(super) resource: usize,
    /// Whether the resource declares draft 7 (or an older one that is spelled alike).
    pub(super) draft_7: bool,
    /// Tokens of its JSON pointer in the normal form.
    depth: usize,
}

/// A schema with a URL of its own, and all inside that have none.
#[derive(Debug)]
struct Resource {
    /// The URL that relative references start from, without fragment.
    url: Url,
    root: usize,
}

/// The resources that validation has come through, as far as dynamic references ask: where each
/// dynamic anchor leads, by its name.
pub(super) type Scope = BTreeMap<String, usize>;

/// Where a reference leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// To the schema of this index.
    Site(usize),
    /// To the schema that the scope has for the dynamic anchor of this name, or else to that of
    /// this index.
    Dynamic(usize, String),
}

impl Target {
    /// The schema that is meant in a scope.
    pub(super) fn site(&self, scope: &Scope) -> usize {
        match self {
            Self::Site(site) => *site,
            Self::Dynamic(site, name) => scope.get(name).copied().unwrap_or(*site),
        }
    }
}

/// All schemas of a bundle, by place, by URL and by anchor.
#[derive(Debug)]
pub(super) struct Resources<'s> {
    /// In the order of their text, outer ones before inner ones.
    pub(super) sites: Vec<Site<'s>>,
    resources: Vec<Resource>,
    /// The index in `sites` of a JSON pointer; made when the first reference asks.
    by_pointer: OnceCell<HashMap<String, usize, FixedState>>,
    /// The index in `resources` of a URL.
    by_url: BTreeMap<String, usize>,
    by_anchor: BTreeMap<(usize, String), usize>,
    /// Dynamic anchors by resource and name; `$recursiveAnchor` has the empty name.
    by_dynamic_anchor: BTreeMap<(usize, String), usize>,
    /// Whether a reference depends on the scope.
    pub(super) is_dynamic: bool,
    pub(super) faults: Vec<SchemaFailure>,
}

impl<'s> Resources<'s> {
    pub(super) fn new(schema: &'s Value) -> Self {
        let mut resources = Self {
            sites: Vec::new(),
            resources: Vec::new(),
            by_pointer: OnceCell::new(),
            by_url: BTreeMap::new(),
            by_anchor: BTreeMap::new(),
            by_dynamic_anchor: BTreeMap::new(),
            is_dynamic: false,
            faults: Vec::new(),
        };
        let url = Url::parse(BUNDLE_URL).expect("the text is a URL");
        resources.by_url.insert(BUNDLE_URL.to_owned(), 0);
        resources.resources.push(Resource { url, root: 0 });
        resources.survey(Site { around: None, schema, resource: 0, draft_7: false, depth: 0 });
        resources
    }

    /// The place of a schema in the bundle as written.
    pub(super) fn pointer(&self, site: usize) -> String {
        self.path(site, |(_, written, _)| written)
    }

    /// The place of a schema in the normal form.
    pub(super) fn normal_pointer(&self, site: usize) -> String {
        self.path(site, |(_, _, normal)| normal)
    }

    fn path(
        &self,
        site: usize,
        step: impl for<'p> Fn(&'p (usize, Step<'s>, Step<'s>)) -> &'p Step<'s>,
    ) -> String {
        let mut steps = Vec::new();
        let mut at = self.sites.get(site);
        while let Some(around) = at.and_then(|site| site.around.as_ref()) {
            steps.push(step(around));
            at = self.sites.get(around.0);
        }
        let mut pointer = String::new();
        steps.into_iter().rev().for_each(|step| step.push_to(&mut pointer));
        pointer
    }

    /// Where `reference`, written in a schema of the resource `from`, leads.
    pub(super) fn resolve(&self, from: usize, keyword: &str, reference: &str) -> Option<Target> {
        let (resource, fragment) = match reference.strip_prefix('#') {
            Some(fragment) => (from, fragment.to_owned()),
            None => {
                let mut url = self.resources.get(from)?.url.join(reference).ok()?;
                let fragment = url.fragment().unwrap_or_default().to_owned();
                url.set_fragment(None);
                (*self.by_url.get(url.as_str())?, fragment)
            }
        };
        let root = self.resources.get(resource)?.root;
        let fragment = percent_decode_str(&fragment).decode_utf8().ok()?;
        if fragment.is_empty() || fragment.starts_with('/') {
            if keyword == "$recursiveRef" && fragment.is_empty() {
                return Some(self.dynamic(resource, "").unwrap_or(Target::Site(root)));
            }
            let pointer = format!("{}{fragment}", self.pointer(root));
            return self.by_pointer().get(&pointer).copied().map(Target::Site);
        }
        let dynamic = self.dynamic(resource, &fragment).filter(|_| keyword == "$dynamicRef");
        dynamic.or_else(|| {
            self.by_anchor.get(&(resource, fragment.into_owned())).copied().map(Target::Site)
        })
    }

    fn dynamic(&self, resource: usize, name: &str) -> Option<Target> {
        let site = self.by_dynamic_anchor.get(&(resource, name.to_owned()))?;
        Some(Target::Dynamic(*site, name.to_owned()))
    }

    /// The scope after coming from `scope` into a resource: what is there already is outermost.
    pub(super) fn enter(&self, scope: &Scope, resource: usize) -> Scope {
        let mut entered = scope.clone();
        let anchors = (resource, String::new())..(resource + 1, String::new());
        for ((_, name), site) in self.by_dynamic_anchor.range(anchors) {
            entered.entry(name.clone()).or_insert(*site);
        }
        entered
    }

    fn by_pointer(&self) -> &HashMap<String, usize, FixedState> {
        self.by_pointer.get_or_init(|| {
            let mut pointers: Vec<String> = Vec::with_capacity(self.sites.len());
            for site in &self.sites {
                let pointer = site.around.as_ref().map(|(outer, written, _)| {
                    let mut pointer = pointers.get(*outer).cloned().unwrap_or_default();
                    written.push_to(&mut pointer);
                    pointer
                });
                pointers.push(pointer.unwrap_or_default());
            }
            pointers.into_iter().zip(0..).collect()
        })
    }

    /// Enters a schema and what it contains.
    fn survey(&mut self, mut site: Site<'s>) {
        let index = self.sites.len();
        let Value::Object(object) = site.schema else {
            self.sites.push(site);
            return;
        };
        // Few schemas have a name, a dialect or a reference.
        let has_core = object.keys().any(|keyword| keyword.starts_with('$'));
        let dialect = if has_core { object.get("$schema") } else { None };
        if let Some(dialect) = dialect.and_then(Value::as_str) {
            site.draft_7 = ["draft-07", "draft-06"].iter().any(|draft| dialect.contains(draft));
        }
        let (draft_7, depth) = (site.draft_7, site.depth);
        self.is_dynamic |= has_core
            && (object.contains_key("$dynamicRef") || object.contains_key("$recursiveRef"));
        let around = site.resource;
        self.sites.push(site);
        let is_named = has_core || draft_7;
        let resource = if is_named { self.identify(index, object, draft_7) } else { around };
        for child in children(object, draft_7) {
            let depth = depth + child.normal.length();
            if depth > DOCUMENT_DEPTH_MAX {
                let mut pointer = self.pointer(index);
                child.written.push_to(&mut pointer);
                self.fault(pointer, "the schema is nested too deeply".to_owned());
                continue;
            }
            self.survey(Site {
                around: Some((index, child.written, child.normal)),
                schema: child.schema,
                resource,
                draft_7,
                depth,
            });
        }
    }

    /// Takes note of the `$id` and the anchors of a schema; gives its resource.
    fn identify(&mut self, index: usize, object: &Map<String, Value>, draft_7: bool) -> usize {
        if draft_7 && let Some(id) = object.get("id").and_then(Value::as_str) {
            self.identity(index, "id", id, draft_7);
        }
        if let Some(id) = object.get("$id").and_then(Value::as_str) {
            self.identity(index, "$id", id, draft_7);
        }
        let resource = self.sites.get(index).map_or(0, |site| site.resource);
        if let Some(anchor) = object.get("$anchor").and_then(Value::as_str) {
            self.anchor(index, "$anchor", anchor);
        }
        if let Some(anchor) = object.get("$dynamicAnchor").and_then(Value::as_str) {
            self.by_dynamic_anchor.insert((resource, anchor.to_owned()), index);
            self.anchor(index, "$dynamicAnchor", anchor);
        }
        let is_root = self.resources.get(resource).is_some_and(|it| it.root == index);
        if object.get("$recursiveAnchor") == Some(&Value::Bool(true)) && is_root {
            self.by_dynamic_anchor.insert((resource, String::new()), index);
        }
        resource
    }

    fn identity(&mut self, index: usize, keyword: &str, id: &str, draft_7: bool) {
        // Draft 7 spelled anchors this way.
        if let Some(anchor) = id.strip_prefix('#').filter(|anchor| !anchor.is_empty())
            && draft_7
        {
            return self.anchor(index, keyword, anchor);
        }
        let Some(site) = self.sites.get_mut(index) else { return };
        let Some(around) = self.resources.get(site.resource) else { return };
        let message = match around.url.join(id) {
            Ok(mut url) if url.fragment().is_none_or(str::is_empty) => {
                url.set_fragment(None);
                let resource = self.resources.len();
                let other = self.by_url.insert(url.to_string(), resource);
                site.resource = resource;
                let is_new = other.and_then(|other| self.resources.get(other)).is_none_or(
                    // The bundle may be called what it is called anyway.
                    |other| other.root == index,
                );
                self.resources.push(Resource { url, root: index });
                if is_new {
                    return;
                }
                format!("two schemas have the `$id` `{id}`")
            }
            Ok(_) => format!("an `{keyword}` has no `#` part"),
            Err(_) => format!("`{id}` is not a URL"),
        };
        self.fault(format!("{}/{keyword}", self.pointer(index)), message);
    }

    fn anchor(&mut self, index: usize, keyword: &str, anchor: &str) {
        let resource = self.sites.get(index).map_or(0, |site| site.resource);
        let other = self.by_anchor.insert((resource, anchor.to_owned()), index);
        if other.is_some_and(|other| other != index) {
            let message = format!("two schemas have the anchor `{anchor}`");
            self.fault(format!("{}/{keyword}", self.pointer(index)), message);
        }
    }

    fn fault(&mut self, pointer: String, message: String) {
        self.faults.push(SchemaFailure::malformed(pointer, message, None));
    }
}

/// The URL of a bundle that does not say its own.
const BUNDLE_URL: &str = "bundle:/";
