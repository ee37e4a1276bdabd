//! Captures and materializations: their endpoints and what each binding moves where.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde_json::Value;
use tidegate_stdlib::bundle::{Config, Endpoint};
use tidegate_stdlib::connector::{Connector, Protocol};

use super::Scope;
use super::checked::{
    CheckedCapture, CheckedCaptureBinding, CheckedEndpoint, CheckedMaterialization,
    CheckedMaterializationBinding,
};
use super::fields::{self, FieldRequest};
use super::selectors::check_source;
use super::{endpoints, endpoints::resource_path};
use crate::catalog::{Capture, Materialization, SourceValue};
use crate::diag::{Diagnostic, Sink, rules};
use crate::dialect;
use crate::model::MaterializationBindingSpec;
use crate::source::Span;

/// Least time between two starts of a polling connector unless the catalog says otherwise.
const INTERVAL_MS: u64 = 300_000;
/// Greatest duration of a capture's transaction unless the catalog says otherwise.
const CAPTURE_TRANSACTION_DURATION_MS_MAX: u64 = 1000;
/// The same of a materialization.
const MATERIALIZATION_TRANSACTION_DURATION_MS_MAX: u64 = 300_000;

/// Checks a capture.
pub(super) fn check_capture(
    capture: &Capture,
    scope: Scope<'_>,
    sink: &mut Sink,
) -> CheckedCapture {
    let (spec, file) = (capture.spec(), capture.file());
    let name = capture.name_span();
    let endpoint = spec.endpoint.as_ref();
    let protocol = Protocol::Capture;
    let endpoint = endpoints::check(endpoint, file, name, protocol, scope.sources, sink);
    let connector = connector_of(&endpoint);
    let mut resources = Resources::default();
    let place = place_of(&endpoint, capture.name());
    let mut bindings = Vec::new();
    for (index, (binding, target)) in spec.bindings.iter().zip(&capture.targets).enumerate() {
        if binding.disable {
            continue;
        }
        let resource = binding.resource.as_ref();
        let resource = endpoints::check_resource(resource, file, connector, scope.sources, sink);
        let resource_path = resources.claim(&place, resource.as_ref(), connector);
        let Some(collection) = target.target else { continue };
        bindings.push(CheckedCaptureBinding {
            index,
            resource: resource.map(|resource| resource.value).unwrap_or_default(),
            resource_path,
            collection,
            backfill: binding.backfill,
            span: capture.span(binding.range),
        });
    }
    report_duplicates([&resources], sink);
    let interval = spec.interval_ms.as_ref();
    let duration = spec.shards.transaction_duration_ms_max.as_ref();
    CheckedCapture {
        disabled: spec.shards.disable,
        endpoint,
        bindings,
        interval_ms: interval.map_or(INTERVAL_MS, |interval| interval.value),
        transaction_duration_ms_max: duration
            .map_or(CAPTURE_TRANSACTION_DURATION_MS_MAX, |duration| duration.value),
        redact_salt: spec.redact_salt.as_ref().map(|salt| salt.value.clone()),
    }
}

/// Checks a materialization. What its resources share with those of others is told when all of them are known.
pub(super) fn check_materialization(
    materialization: &Materialization,
    scope: Scope<'_>,
    sink: &mut Sink,
) -> (CheckedMaterialization, Resources) {
    let (spec, file) = (materialization.spec(), materialization.file());
    let name = materialization.name_span();
    let endpoint = spec.endpoint.as_ref();
    let protocol = Protocol::Materialization;
    let endpoint = endpoints::check(endpoint, file, name, protocol, scope.sources, sink);
    let mut resources = Resources::default();
    let mut bindings = Vec::new();
    for (index, binding) in spec.bindings.iter().enumerate() {
        if !binding.disable {
            let each = Binding { materialization, index, spec: binding };
            bindings.extend(each.check(&endpoint, &mut resources, scope, sink));
        }
    }
    let duration = spec.shards.transaction_duration_ms_max.as_ref();
    let checked = CheckedMaterialization {
        disabled: spec.shards.disable,
        endpoint,
        bindings,
        transaction_duration_ms_max: duration
            .map_or(MATERIALIZATION_TRANSACTION_DURATION_MS_MAX, |duration| duration.value),
    };
    (checked, resources)
}

/// One binding of a materialization.
struct Binding<'m> {
    materialization: &'m Materialization,
    index: usize,
    spec: &'m MaterializationBindingSpec,
}

impl Binding<'_> {
    fn check(
        &self,
        endpoint: &CheckedEndpoint,
        resources: &mut Resources,
        scope: Scope<'_>,
        sink: &mut Sink,
    ) -> Option<CheckedMaterializationBinding> {
        let Self { materialization, index, spec } = self;
        let file = materialization.file();
        let connector = connector_of(endpoint);
        let resource = spec.resource.as_ref();
        let resource = endpoints::check_resource(resource, file, connector, scope.sources, sink);
        let place = place_of(endpoint, materialization.name());
        let resource_path = resources.claim(&place, resource.as_ref(), connector);
        check_table(resource.as_ref(), connector, sink);
        let resource = resource.map(|resource| resource.value).unwrap_or_default();
        let at = |pointer: Option<&str>| pointer.and_then(|pointer| resource.pointer(pointer));
        let delta = at(connector.and_then(|connector| connector.delta_updates));
        let delta_updates = delta == Some(&Value::Bool(true));
        let table = at(connector.and_then(|connector| connector.table));
        let table = table.and_then(Value::as_str).map(str::to_owned);
        let source_spec = spec.source.as_ref()?;
        let reference = materialization.sources.get(*index)?;
        let read = scope.read(reference.target?);
        let source = check_source(source_spec, file, read, sink);
        let request = FieldRequest {
            file,
            spec: spec.fields.as_ref(),
            source: reference.span,
            read,
            delta_updates,
            dialect: connector.and_then(|connector| connector.dialect),
        };
        Some(CheckedMaterializationBinding {
            index: *index,
            fields: fields::select(&request, sink),
            resource,
            resource_path,
            source,
            table,
            delta_updates,
            backfill: spec.backfill,
            priority: spec.priority,
            span: materialization.span(spec.range),
        })
    }
}

/// The database and the connector have tables of their own.
fn check_table(resource: Option<&SourceValue>, connector: Option<&Connector>, sink: &mut Sink) {
    let (Some(resource), Some(connector)) = (resource, connector) else { return };
    let Some(pointer) = connector.table else { return };
    let table = resource.value.pointer(pointer).and_then(Value::as_str);
    if let Some(table) = table.filter(|table| connector.reserves_table(table)) {
        sink.report(reserved_table(table, connector, resource.value_place(pointer)));
    }
}

fn reserved_table(table: &str, connector: &Connector, span: Span) -> Diagnostic {
    let names: Vec<String> =
        connector.reserved_tables.iter().map(|name| format!("`{name}`")).collect();
    Diagnostic::new(
        &rules::RESERVED_TABLE,
        span,
        format!("the table `{table}` is not for bindings"),
    )
    .label("the database has it for itself, or the task keeps its checkpoint there")
    .note(format!("`{}` keeps {}", connector.name, names.join(" and ")))
    .help("name another table")
}

fn connector_of(endpoint: &CheckedEndpoint) -> Option<&'static Connector> {
    endpoint.connector.map(|connector| connector.0)
}

/// What tells an endpoint from others: of a built-in connector its config, else the task.
fn place_of(endpoint: &CheckedEndpoint, task: &str) -> String {
    match (&endpoint.endpoint, endpoint.connector) {
        (Endpoint::Connector { config: Config::Plain(config), .. }, Some(connector)) => {
            let mut config = config.clone();
            if let Some(Value::String(path)) = config.pointer_mut("/path") {
                *path = without_detours(path);
            }
            format!("{} {config}", connector.0.name)
        }
        (Endpoint::Connector { .. } | Endpoint::Local { .. }, _) => task.to_owned(),
    }
}

/// A path without `.`, `..` and doubled slashes, so that one file has one name.
fn without_detours(path: &str) -> String {
    let mut components: Vec<&str> = Vec::new();
    for component in path.split('/').filter(|component| !matches!(*component, "" | ".")) {
        match components.last() {
            Some(last) if component == ".." && *last != ".." => drop(components.pop()),
            Some(_) | None => components.push(component),
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", components.join("/"))
}

/// Resources of endpoints, in order of their bindings.
#[derive(Debug, Default)]
pub(super) struct Resources {
    claims: Vec<Claim>,
}

/// A resource of a binding.
#[derive(Debug)]
struct Claim {
    /// The endpoint, and what its resources are compared by.
    identity: (String, Vec<String>),
    path: Vec<String>,
    span: Span,
}

impl Resources {
    /// Notes the resource of a binding and gives its path.
    fn claim(
        &mut self,
        place: &str,
        resource: Option<&SourceValue>,
        connector: Option<&'static Connector>,
    ) -> Vec<String> {
        let Some(resource) = resource else { return Vec::new() };
        let path = resource_path(&resource.value, connector);
        if path.is_empty() {
            return path;
        }
        let pointer = connector.and_then(|connector| connector.resource_path.last());
        self.claims.push(Claim {
            identity: (place.to_owned(), identity(&path, connector)),
            path: path.clone(),
            span: resource.value_place(pointer.copied().unwrap_or_default()),
        });
        path
    }
}

/// No two bindings have the same resource.
pub(super) fn report_duplicates<'r>(
    resources: impl IntoIterator<Item = &'r Resources>,
    sink: &mut Sink,
) {
    let mut first_of: BTreeMap<&(String, Vec<String>), Span> = BTreeMap::new();
    for claim in resources.into_iter().flat_map(|resources| &resources.claims) {
        match first_of.entry(&claim.identity) {
            Entry::Occupied(first) => {
                sink.report(duplicate_resource(&claim.path, claim.span, *first.get()));
            }
            Entry::Vacant(vacant) => {
                vacant.insert(claim.span);
            }
        }
    }
}

/// What resources are compared by: a database may not tell the names of tables apart by their case.
fn identity(path: &[String], connector: Option<&'static Connector>) -> Vec<String> {
    match connector.and_then(|connector| connector.dialect).and_then(dialect::by_name) {
        Some(dialect) => path.iter().map(|name| dialect.fold(name)).collect(),
        None => path.to_vec(),
    }
}

fn duplicate_resource(path: &[String], span: Span, first: Span) -> Diagnostic {
    let name = path.join(".");
    Diagnostic::new(
        &rules::DUPLICATE_RESOURCE,
        span,
        format!("two bindings have the resource `{name}`"),
    )
    .label("this binding has it again")
    .also(first, "another binding has it here")
    .help("name another resource, or remove one of the bindings")
}
