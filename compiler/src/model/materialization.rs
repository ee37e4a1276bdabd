//! Materializations.

use super::bind::Binder;
use super::capture::{CONNECTOR, LOCAL, SHARDS, endpoint, shards};
use super::derive::{SOURCE_FORMS, source};
use super::field::{Field, FieldKind, Table};
use super::{FieldsSpec, MaterializationBindingSpec, MaterializationSpec, Spanned};
use crate::syntax::{NodeId, NodeKind};

const ON_INCOMPATIBLE_SCHEMA_CHANGE: Field = Field::optional(
    "onIncompatibleSchemaChange",
    FieldKind::Word(&["backfill", "disableBinding", "disableTask", "abort"]),
    "What happens when a table no longer fits its collection",
);

const RECOMMENDED: FieldKind = FieldKind::OneOf(&[FieldKind::Boolean, FieldKind::Unsigned]);

const TARGET_NAMING_FORMS: FieldKind =
    FieldKind::OneOf(&[FieldKind::Word(TARGET_NAMINGS), FieldKind::Object(&TARGET_NAMING)]);

const TARGET_NAMING_FIELD: Field = Field::optional(
    "targetNaming",
    TARGET_NAMING_FORMS,
    "How the tables of new bindings are named; it is not used here",
)
.or(&["targetSchema"]);

/// Ways to name tables, and their other names.
const TARGET_NAMINGS: &[&str] = &[
    "noSchema",
    "withSchema",
    "prefixSchema",
    "prefixNonDefaultSchema",
    "leaveEmpty",
    "fromSourceName",
];

/// A materialization.
pub(super) static MATERIALIZATION: Table = Table {
    noun: "a materialization",
    fields: &[
        Field::required("endpoint", FieldKind::Object(&ENDPOINT), "Where tables are kept"),
        Field::required(
            "bindings",
            FieldKind::List(&FieldKind::Object(&BINDING)),
            "Which collection is kept in which table",
        ),
        Field::optional(
            "source",
            FieldKind::OneOf(&[FieldKind::String, FieldKind::Object(&CAPTURE_SOURCE)]),
            "Capture whose collections get bindings; it is not used here",
        )
        .or(&["sourceCapture"]),
        ON_INCOMPATIBLE_SCHEMA_CHANGE,
        Field::optional("shards", FieldKind::Object(&SHARDS), "How the task runs"),
        Field::optional("expectPubId", FieldKind::String, "Publication that is expected"),
        Field::optional("delete", FieldKind::Boolean, "Deletes the materialization, once"),
        Field::optional("reset", FieldKind::Boolean, "Materializes everything anew, once"),
        Field::optional("triggers", FieldKind::Object(&TRIGGERS), "It is not used here"),
        Field::optional("syncSchedule", FieldKind::Object(&SYNC_SCHEDULE), "It is not used here"),
        Field::optional("secrets", FieldKind::Any, "Secrets by name; they are not used here"),
        TARGET_NAMING_FIELD,
    ],
    is_open: false,
};

/// `endpoint` of a materialization.
pub(super) static ENDPOINT: Table = Table {
    noun: "an endpoint of a materialization",
    fields: &[
        Field::optional("connector", FieldKind::Object(&CONNECTOR), "A connector by its image")
            .or(&["flowSink"]),
        Field::optional("local", FieldKind::Object(&LOCAL), "A process of this machine"),
        Field::optional("dekaf", FieldKind::Object(&DEKAF), "Readers that speak Kafka"),
    ],
    is_open: false,
};

/// `dekaf`.
pub(super) static DEKAF: Table = Table {
    noun: "`dekaf`",
    fields: &[
        Field::required("variant", FieldKind::String, "Kind of reader"),
        Field::required("config", FieldKind::InlineOrFile, "Configuration for readers"),
    ],
    is_open: true,
};

/// The long form of `source`.
pub(super) static CAPTURE_SOURCE: Table = Table {
    noun: "`source` of a materialization",
    fields: &[
        Field::optional("capture", FieldKind::String, "Name of the capture"),
        TARGET_NAMING_FIELD,
        Field::optional("deltaUpdates", FieldKind::Boolean, "Whether tables get delta updates"),
        Field::optional("fieldsRecommended", RECOMMENDED, "Fields of new bindings"),
    ],
    is_open: false,
};

/// The long form of `targetNaming`.
pub(super) static TARGET_NAMING: Table = Table {
    noun: "`targetNaming`",
    fields: &[
        Field::optional(
            "strategy",
            FieldKind::Word(&["matchSourceStructure", "singleSchema", "prefixTableNames"]),
            "Where the names of schemas and tables come from",
        ),
        Field::optional("schema", FieldKind::String, "Schema of all tables"),
        Field::optional(
            "skipCommonDefaults",
            FieldKind::Boolean,
            "Whether schemas such as `public` are left out",
        ),
        Field::optional("tableTemplate", FieldKind::String, "Template of the names of tables"),
        Field::optional("schemaTemplate", FieldKind::String, "Template of the names of schemas"),
    ],
    is_open: true,
};

/// `triggers`.
pub(super) static TRIGGERS: Table = Table {
    noun: "`triggers`",
    fields: &[
        Field::required(
            "config",
            FieldKind::List(&FieldKind::Object(&TRIGGER)),
            "What is called after a transaction",
        ),
        Field::optional("interval", FieldKind::Duration, "Least time between two calls"),
    ],
    is_open: true,
};

/// One of `triggers`.
pub(super) static TRIGGER: Table = Table {
    noun: "a trigger",
    fields: &[
        Field::required("url", FieldKind::String, "URL that is called"),
        Field::optional("payloadTemplate", FieldKind::String, "Template of the body"),
        Field::optional("method", FieldKind::Word(&["POST", "PUT", "PATCH"]), "HTTP method"),
        Field::optional("headers", FieldKind::Map(&FieldKind::String), "HTTP headers"),
        Field::optional("maxAttempts", FieldKind::Unsigned, "How often a call is tried"),
        Field::optional("timeout", FieldKind::Duration, "Longest time of a call"),
    ],
    is_open: false,
};

/// `syncSchedule`.
pub(super) static SYNC_SCHEDULE: Table = Table {
    noun: "`syncSchedule`",
    fields: &[
        Field::optional("baseInterval", FieldKind::Duration, "Least time between transactions"),
        Field::optional("timezone", FieldKind::String, "Time zone of the windows"),
        Field::optional(
            "windows",
            FieldKind::List(&FieldKind::Object(&SYNC_WINDOW)),
            "Times of other intervals",
        ),
    ],
    is_open: false,
};

/// One window of `syncSchedule`.
pub(super) static SYNC_WINDOW: Table = Table {
    noun: "a window of `syncSchedule`",
    fields: &[
        Field::optional("interval", FieldKind::Duration, "Least time between transactions"),
        Field::optional("start", FieldKind::String, "When it begins, as in `08:00`"),
        Field::optional("end", FieldKind::String, "When it ends, as in `18:00`"),
        Field::optional("days", FieldKind::Any, "Its days"),
    ],
    is_open: false,
};

/// One of `bindings`.
pub(super) static BINDING: Table = Table {
    noun: "a binding of a materialization",
    fields: &[
        Field::required("resource", FieldKind::InlineOrFile, "Table, as the connector names it"),
        Field::required("source", SOURCE_FORMS, "Collection that is kept"),
        Field::optional("fields", FieldKind::Object(&FIELDS), "Fields that become columns"),
        Field::optional("disable", FieldKind::Boolean, "Whether the binding is left out"),
        Field::optional("backfill", FieldKind::Unsigned, "Raise it to fill the table anew"),
        Field::optional("priority", FieldKind::Integer, "Bindings of higher priority go first"),
        ON_INCOMPATIBLE_SCHEMA_CHANGE,
    ],
    is_open: false,
};

/// `fields`.
pub(super) static FIELDS: Table = Table {
    noun: "`fields`",
    fields: &[
        Field::required(
            "recommended",
            RECOMMENDED,
            "Whether recommended fields are taken, or down to which depth",
        ),
        Field::optional(
            "require",
            FieldKind::Map(&FieldKind::Any),
            "Fields that must be columns, with settings of the connector",
        )
        .or(&["include"]),
        Field::optional(
            "exclude",
            FieldKind::List(&FieldKind::String),
            "Fields that must not be columns",
        ),
        Field::optional(
            "groupBy",
            FieldKind::List(&FieldKind::String),
            "Fields that are the key of the table, in order",
        ),
    ],
    is_open: false,
};

pub(super) fn materialization(
    binder: &mut Binder<'_>,
    name: Spanned<String>,
    node: NodeId,
) -> Option<MaterializationSpec> {
    let table = &MATERIALIZATION;
    Some(MaterializationSpec {
        name,
        endpoint: binder
            .entry(node, table, "endpoint")
            .and_then(|entry| endpoint(binder, entry.value, &ENDPOINT)),
        bindings: binder
            .list(node, table, "bindings")
            .into_iter()
            .map(|item| binding(binder, item))
            .collect(),
        source_capture: source_capture(binder, node),
        shards: shards(binder, node, table),
        reset: binder.boolean(node, table, "reset"),
        delete: binder.boolean(node, table, "delete"),
    })
}

/// The capture whose collections get bindings, in either form.
fn source_capture(binder: &Binder<'_>, node: NodeId) -> Option<Spanned<String>> {
    let source = binder.entry(node, &MATERIALIZATION, "source")?.value;
    binder.text(source).or_else(|| binder.string(source, &CAPTURE_SOURCE, "capture"))
}

fn binding(binder: &mut Binder<'_>, node: NodeId) -> MaterializationBindingSpec {
    let table = &BINDING;
    let fields = binder.object(node, table, "fields");
    MaterializationBindingSpec {
        range: binder.tree.node(node).range,
        resource: binder.config(node, table, "resource"),
        source: binder.entry(node, table, "source").and_then(|entry| source(binder, entry.value)),
        fields: fields.map(|fields| fields_of(binder, fields)),
        disable: binder.flag(node, table, "disable"),
        backfill: binder.count(node, table, "backfill"),
        priority: binder.integer(node, table, "priority").unwrap_or(0),
    }
}

fn fields_of(binder: &mut Binder<'_>, node: NodeId) -> FieldsSpec {
    let list = |binder: &mut Binder<'_>, field| {
        binder.strings(node, &FIELDS, field).map(|list| list.value).unwrap_or_default()
    };
    FieldsSpec {
        range: binder.tree.node(node).range,
        recommended_depth: recommended_depth(binder, node),
        require: binder.named(node, &FIELDS, "require", |_, name, _| Some(name)),
        exclude: list(binder, "exclude"),
        group_by: list(binder, "groupBy"),
    }
}

/// All recommended fields unless something else is said.
fn recommended_depth(binder: &Binder<'_>, fields: NodeId) -> u32 {
    let Some(entry) = binder.entry(fields, &FIELDS, "recommended") else { return u32::MAX };
    match &binder.tree.node(entry.value).kind {
        NodeKind::Boolean(false) => 0,
        NodeKind::Number(number) => {
            number.as_u64().and_then(|depth| u32::try_from(depth).ok()).unwrap_or(u32::MAX)
        }
        NodeKind::Boolean(true)
        | NodeKind::Null
        | NodeKind::String(_)
        | NodeKind::Sequence(_)
        | NodeKind::Mapping(_) => u32::MAX,
    }
}
