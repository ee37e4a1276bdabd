//! The schemas of a bundle, and where references lead.
//!
//! A bundle may hold schema resources with their own `$id`. This index knows the place of every
//! subschema, its base URL, and every anchor, so that each reference becomes the place of a schema.

use std::collections::BTreeMap;
use std::rc::Rc;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use url::Url;

use super::SchemaFailure;
use super::keywords::{Step, children, pointer};
use crate::limits::DOCUMENT_DEPTH_MAX;

/// One schema of the bundle.
#[derive(Debug)]
pub(super) struct Site<'s> {
    /// JSON pointer in the bundle as written.
    pub(super) pointer: String,
    /// Path in the normal form.
    pub(super) normal: Vec<Step>,
    pub(super) schema: &'s Value,
    /// The URL that relative references start from.
    pub(super) base: Rc<Url>,
    /// Whether the resource declares draft 7 (or an older one that is spelled alike).
    pub(super) draft_7: bool,
}

/// All schemas of a bundle, by place, by URL and by anchor.
#[derive(Debug)]
pub(super) struct Resources<'s> {
    /// In the order of their text, outer ones before inner ones.
    pub(super) sites: Vec<Site<'s>>,
    /// The index in `sites` of a JSON pointer.
    by_pointer: BTreeMap<String, usize>,
    /// The index of the root of a resource, by its URL.
    by_url: BTreeMap<String, usize>,
    by_anchor: BTreeMap<(String, String), usize>,
    /// Dynamic anchors by name and URL of their resource; `$recursiveAnchor` has the empty name.
    by_dynamic_anchor: BTreeMap<(String, String), usize>,
    pub(super) faults: Vec<SchemaFailure>,
}

impl<'s> Resources<'s> {
    pub(super) fn new(schema: &'s Value) -> Self {
        let mut resources = Self {
            sites: Vec::new(),
            by_pointer: BTreeMap::new(),
            by_url: BTreeMap::new(),
            by_anchor: BTreeMap::new(),
            by_dynamic_anchor: BTreeMap::new(),
            faults: Vec::new(),
        };
        let base = Url::parse("bundle:/").expect("the text is a URL");
        resources.by_url.insert(base.to_string(), 0);
        resources.survey(Site {
            pointer: String::new(),
            normal: Vec::new(),
            schema,
            base: Rc::new(base),
            draft_7: false,
        });
        resources
    }

    /// The index of the schema that `reference`, written in the schema at `from`, leads to.
    pub(super) fn resolve(&self, from: &Site<'s>, keyword: &str, reference: &str) -> Option<usize> {
        let url = from.base.join(reference).ok()?;
        let fragment = percent_decode_str(url.fragment().unwrap_or_default());
        let fragment = fragment.decode_utf8().ok()?;
        let resource = without_fragment(url.clone());
        let root = *self.by_url.get(&resource)?;
        if fragment.is_empty() || fragment.starts_with('/') {
            if keyword == "$recursiveRef" {
                return self.dynamic(&resource, "").or(Some(root));
            }
            let pointer = format!("{}{fragment}", self.sites.get(root)?.pointer);
            return self.by_pointer.get(&pointer).copied();
        }
        let place = (resource.clone(), fragment.clone().into_owned());
        if keyword == "$dynamicRef"
            && let Some(site) = self.dynamic(&resource, &fragment)
        {
            return Some(site);
        }
        self.by_anchor.get(&place).copied()
    }

    /// Where a dynamic reference leads, when its first target is a dynamic anchor.
    ///
    /// Validation begins at the root, so an anchor there or in what the root directly refers to is
    /// the outermost one. A scope that is opened only further inside is not followed.
    fn dynamic(&self, resource: &str, name: &str) -> Option<usize> {
        let own = (resource.to_owned(), name.to_owned());
        let own = self.by_dynamic_anchor.get(&own).copied()?;
        let mut site = self.sites.first();
        let mut hops = 0;
        while let Some(outer) = site {
            let place = (without_fragment((*outer.base).clone()), name.to_owned());
            if let Some(found) = self.by_dynamic_anchor.get(&place) {
                return Some(*found);
            }
            let reference = outer.schema.get("$ref").and_then(Value::as_str);
            site = reference
                .and_then(|reference| self.resolve(outer, "$ref", reference))
                .and_then(|index| self.sites.get(index));
            hops += 1;
            if hops > self.sites.len() {
                break;
            }
        }
        Some(own)
    }

    /// Enters a schema and what it contains.
    fn survey(&mut self, mut site: Site<'s>) {
        if site.normal.len() > DOCUMENT_DEPTH_MAX {
            let message = "the schema is nested too deeply".to_owned();
            return self.fault(site.pointer, message);
        }
        let Value::Object(object) = site.schema else {
            self.enter(site);
            return;
        };
        if let Some(dialect) = object.get("$schema").and_then(Value::as_str) {
            site.draft_7 = ["draft-07", "draft-06"].iter().any(|draft| dialect.contains(draft));
        }
        let draft_7 = site.draft_7;
        self.identify(&mut site, object);
        let (pointer_before, normal_before) = (site.pointer.clone(), site.normal.clone());
        let base = Rc::clone(&site.base);
        self.enter(site);
        for child in children(object, draft_7) {
            self.survey(Site {
                pointer: format!("{pointer_before}{}", pointer(&child.steps)),
                normal: [normal_before.as_slice(), &child.normal].concat(),
                schema: child.schema,
                base: Rc::clone(&base),
                draft_7,
            });
        }
    }

    fn enter(&mut self, site: Site<'s>) {
        self.by_pointer.insert(site.pointer.clone(), self.sites.len());
        self.sites.push(site);
    }

    /// Takes note of the `$id` and the anchors of a schema.
    fn identify(&mut self, site: &mut Site<'s>, object: &Map<String, Value>) {
        let index = self.sites.len();
        for keyword in ["$id", "id"] {
            if keyword == "id" && !site.draft_7 {
                continue;
            }
            let Some(id) = object.get(keyword).and_then(Value::as_str) else { continue };
            // Draft 7 spelled anchors this way.
            if let Some(anchor) = id.strip_prefix('#').filter(|anchor| !anchor.is_empty())
                && site.draft_7
            {
                self.anchor(site, keyword, anchor, index);
                continue;
            }
            let place = format!("{}/{keyword}", site.pointer);
            match site.base.join(id) {
                Ok(url) if url.fragment().is_none_or(str::is_empty) => {
                    let name = without_fragment(url);
                    if self.by_url.insert(name.clone(), index).is_some() {
                        self.fault(place, format!("two schemas have the `$id` `{id}`"));
                    }
                    site.base = Rc::new(Url::parse(&name).expect("the text of a URL is a URL"));
                }
                Ok(_) => self.fault(place, format!("an `{keyword}` has no `#` part")),
                Err(_) => self.fault(place, format!("`{id}` is not a URL")),
            }
        }
        if let Some(anchor) = object.get("$anchor").and_then(Value::as_str) {
            self.anchor(site, "$anchor", anchor, index);
        }
        let resource = || without_fragment((*site.base).clone());
        if let Some(anchor) = object.get("$dynamicAnchor").and_then(Value::as_str) {
            let place = (resource(), anchor.to_owned());
            self.by_dynamic_anchor.insert(place, index);
            self.anchor(site, "$dynamicAnchor", anchor, index);
        }
        if object.get("$recursiveAnchor") == Some(&Value::Bool(true)) {
            self.by_dynamic_anchor.insert((resource(), String::new()), index);
        }
    }

    fn anchor(&mut self, site: &Site<'s>, keyword: &str, anchor: &str, index: usize) {
        let place = (without_fragment((*site.base).clone()), anchor.to_owned());
        if self.by_anchor.insert(place, index).is_some_and(|other| other != index) {
            let message = format!("two schemas have the anchor `{anchor}`");
            self.fault(format!("{}/{keyword}", site.pointer), message);
        }
    }

    fn fault(&mut self, pointer: String, message: String) {
        self.faults.push(SchemaFailure::malformed(pointer, message, None));
    }
}

fn without_fragment(mut url: Url) -> String {
    url.set_fragment(None);
    url.into()
}
