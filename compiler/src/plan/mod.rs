//! What would run: the bundle, and the dialect-neutral tables of every materialization.
//!
//! A plan is made of a valid catalog only, so there is no path here for mistakes. Everything in it is sorted; places are
//! relative to the project root, so a plan does not depend on the machine that made it.

mod table;

use std::collections::BTreeMap;

use serde_json::Value;
use tidegate_stdlib::bundle::{
    Bundle, Capture, CaptureBinding, Collection, Derivation, Endpoint, LocalProcess,
    Materialization, MaterializationBinding, Origin, Projection, Source, Task, TaskKind, TaskName,
    Test, TestStep, Transform,
};

use crate::catalog::BundledSchema;
use crate::check::{
    Checked, CheckedDerivation, CheckedEndpoint, CheckedMaterialization,
    CheckedMaterializationBinding, CheckedSource, CheckedStep, CheckedTransform, Valid,
};
use crate::dialect::{self, Dialect};
use crate::model::Spanned;
use crate::source::{Sources, Span};
use crate::typescript::Types;

/// What would run.
#[derive(Debug, Default)]
pub struct Plan {
    /// The bundle.
    pub bundle: Bundle,
    /// The tables of all materializations, in order of name and binding; also of those that are disabled.
    pub tables: Vec<PlannedTable>,
    /// What the types of documents are made of, in order of collection.
    pub types: Vec<Types>,
}

/// A destination table and whose it is.
#[derive(Debug)]
pub struct PlannedTable {
    /// The materialization.
    pub materialization: String,
    /// The dialect of its endpoint.
    pub dialect: &'static Dialect,
    /// The table.
    pub table: dialect::Table,
}

/// Plans a valid catalog.
pub fn plan(valid: Valid<'_>, sources: &Sources) -> Plan {
    let mut planner = Planner { checked: valid.get(), sources, plan: Plan::default() };
    planner.plan_collections();
    planner.plan_captures();
    planner.plan_materializations();
    planner.plan_tests();
    planner.plan.bundle.seal();
    planner.plan
}

struct Planner<'c> {
    checked: &'c Checked,
    sources: &'c Sources,
    plan: Plan,
}

impl Planner<'_> {
    fn plan_collections(&mut self) {
        let linked = self.checked.catalog.collections.iter();
        for (linked, checked) in linked.zip(&self.checked.collections) {
            let name = linked.name().to_owned();
            let collection = Collection {
                name: name.clone(),
                key: checked.key_pointers.clone(),
                write_schema: Value::clone(&checked.write_schema.value),
                read_schema: checked.read_schema.as_ref().map(|schema| Value::clone(&schema.value)),
                projections: checked.projections.iter().map(|it| Projection::clone(it)).collect(),
                fragments: checked.fragments.clone(),
                reset: is_set(linked.spec().reset.as_ref()),
                origin: self.origin(linked.name_span()),
                write_schema_origins: self.origins(&checked.write_schema),
                read_schema_origins: checked
                    .read_schema
                    .as_ref()
                    .map(|schema| self.origins(schema))
                    .unwrap_or_default(),
            };
            self.plan.bundle.collections.insert(name.clone(), collection);
            self.plan.types.push(self.checked.types(self.checked.catalog.id_of(linked)));
            if let Some(derivation) = checked.derivation.as_ref().filter(|task| !task.disabled) {
                let derivation = self.derivation(&name, derivation);
                self.add_task(TaskKind::Derivation, name, Task::Derivation(derivation));
            }
        }
    }

    fn derivation(&self, collection: &str, checked: &CheckedDerivation) -> Derivation {
        let transform = |transform: &CheckedTransform| Transform {
            name: transform.name.clone(),
            source: self.source(&transform.source),
            shuffle: transform.shuffle.clone(),
            lambda: transform.lambda.clone(),
            config: transform.config.clone(),
            read_only: transform.read_only,
            read_delay_ms: transform.read_delay_ms,
            priority: transform.priority,
            backfill: transform.backfill,
            origin: self.origin(transform.span),
        };
        Derivation {
            collection: collection.to_owned(),
            migrations: checked.migrations.clone(),
            module: checked.module.clone(),
            process: checked.process.as_ref().map(|process| self.located(process, checked.span)),
            transforms: checked.transforms.iter().map(transform).collect(),
            transaction_duration_ms_max: checked.transaction_duration_ms_max,
            redact_salt: checked.redact_salt.clone(),
            origin: self.origin(checked.span),
        }
    }

    /// A process with the directory of the file that names it.
    fn located(&self, process: &LocalProcess, span: Span) -> LocalProcess {
        LocalProcess { directory: self.sources.directory(span.file), ..process.clone() }
    }

    fn endpoint(&self, checked: &CheckedEndpoint) -> Endpoint {
        match &checked.endpoint {
            Endpoint::Local(process) => Endpoint::Local(self.located(process, checked.span)),
            endpoint @ Endpoint::Connector { .. } => endpoint.clone(),
        }
    }

    fn plan_captures(&mut self) {
        let linked = self.checked.catalog.captures.iter();
        for (linked, checked) in linked.zip(&self.checked.captures) {
            if checked.disabled {
                continue;
            }
            let bindings = checked.bindings.iter().map(|binding| CaptureBinding {
                resource: binding.resource.clone(),
                resource_path: binding.resource_path.clone(),
                collection: self.checked.name(binding.collection).to_owned(),
                backfill: binding.backfill,
                origin: self.origin(binding.span),
            });
            let capture = Capture {
                name: linked.name().to_owned(),
                endpoint: self.endpoint(&checked.endpoint),
                bindings: bindings.collect(),
                interval_ms: checked.interval_ms,
                transaction_duration_ms_max: checked.transaction_duration_ms_max,
                reset: is_set(linked.spec().reset.as_ref()),
                redact_salt: checked.redact_salt.clone(),
                origin: self.origin(linked.name_span()),
                endpoint_origin: self.origin(checked.endpoint.span),
            };
            self.add_task(TaskKind::Capture, linked.name().to_owned(), Task::Capture(capture));
        }
    }

    fn plan_materializations(&mut self) {
        let linked = self.checked.catalog.materializations.iter();
        for (linked, checked) in linked.zip(&self.checked.materializations) {
            let bindings: Vec<_> = checked
                .bindings
                .iter()
                .map(|binding| self.materialization_binding(linked.name(), checked, binding))
                .collect();
            if checked.disabled {
                continue;
            }
            let materialization = Materialization {
                name: linked.name().to_owned(),
                endpoint: self.endpoint(&checked.endpoint),
                bindings,
                transaction_duration_ms_max: checked.transaction_duration_ms_max,
                reset: is_set(linked.spec().reset.as_ref()),
                origin: self.origin(linked.name_span()),
                endpoint_origin: self.origin(checked.endpoint.span),
            };
            let task = Task::Materialization(materialization);
            self.add_task(TaskKind::Materialization, linked.name().to_owned(), task);
        }
    }

    fn materialization_binding(
        &mut self,
        materialization: &str,
        checked: &CheckedMaterialization,
        binding: &CheckedMaterializationBinding,
    ) -> MaterializationBinding {
        let collection = self.checked.collection(binding.source.collection);
        let name = self.table_name(checked, binding);
        let table = name.map(|name| table::table(&name, binding, collection));
        let dialect = dialect_of(checked);
        let planned = table.as_ref().map(|table| dialect.table(table));
        self.plan.tables.extend(table.map(|table| PlannedTable {
            materialization: materialization.to_owned(),
            dialect,
            table,
        }));
        MaterializationBinding {
            resource: binding.resource.clone(),
            resource_path: binding.resource_path.clone(),
            source: self.source(&binding.source),
            delta_updates: binding.delta_updates,
            backfill: binding.backfill,
            priority: binding.priority,
            table: planned,
            origin: self.origin(binding.span),
        }
    }

    /// The name of a binding's table. What other images do with a resource is not known here; most have tables, which are
    /// named like the resource or the collection.
    fn table_name(
        &self,
        checked: &CheckedMaterialization,
        binding: &CheckedMaterializationBinding,
    ) -> Option<String> {
        if checked.endpoint.connector.is_some() {
            return binding.table.clone();
        }
        let collection = self.checked.name(binding.source.collection);
        let resource = binding.table.as_ref().or(binding.resource_path.last()).cloned();
        resource.or_else(|| collection.rsplit('/').next().map(str::to_owned))
    }

    fn plan_tests(&mut self) {
        let linked = self.checked.catalog.tests.iter();
        for (linked, checked) in linked.zip(&self.checked.tests) {
            let test = Test {
                name: linked.name().to_owned(),
                description: linked.spec().description.clone(),
                steps: checked.steps.iter().map(|step| self.step(step)).collect(),
                origin: self.origin(linked.name_span()),
            };
            self.plan.bundle.tests.insert(linked.name().to_owned(), test);
        }
    }

    fn step(&self, checked: &CheckedStep) -> TestStep {
        let documents = checked.documents.iter();
        TestStep {
            action: checked.action,
            collection: self.checked.name(checked.collection).to_owned(),
            partitions: checked.partitions.clone(),
            description: checked.description.clone(),
            documents: documents.clone().map(|(document, _)| document.clone()).collect(),
            document_origins: documents.map(|(_, span)| self.origin(*span)).collect(),
            origin: self.origin(checked.span),
        }
    }

    fn source(&self, checked: &CheckedSource) -> Source {
        Source {
            collection: self.checked.name(checked.collection).to_owned(),
            partitions: checked.partitions.clone(),
            not_before: checked.not_before.clone(),
            not_after: checked.not_after.clone(),
        }
    }

    fn add_task(&mut self, kind: TaskKind, name: String, task: Task) {
        self.plan.bundle.tasks.insert(TaskName { kind, name }, task);
    }

    fn origin(&self, span: Span) -> Origin {
        self.sources.origin(span)
    }

    fn origins(&self, schema: &BundledSchema) -> BTreeMap<String, Origin> {
        let places = schema.all_places().into_iter();
        places.map(|(pointer, span)| (pointer, self.origin(span))).collect()
    }
}

/// Whether a flag is written and true.
fn is_set(flag: Option<&Spanned<bool>>) -> bool {
    flag.is_some_and(|flag| flag.value)
}

fn dialect_of(checked: &CheckedMaterialization) -> &'static Dialect {
    let connector = checked.endpoint.connector.as_ref();
    let name = connector.and_then(|reference| reference.0.dialect);
    name.and_then(dialect::by_name).unwrap_or(dialect::DEFAULT)
}
