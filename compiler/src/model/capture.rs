//! Captures, and what all tasks share: connectors, local processes and shards.

use super::bind::Binder;
use super::field::{Field, FieldKind, Table};
use super::{CaptureBindingSpec, CaptureSpec, EndpointSpec, LocalSpec, ShardsSpec, Spanned};
use crate::syntax::NodeId;

/// A capture.
pub(super) static CAPTURE: Table = Table {
    noun: "a capture",
    fields: &[
        Field::required("endpoint", FieldKind::Object(&ENDPOINT), "Where documents come from"),
        Field::required(
            "bindings",
            FieldKind::List(&FieldKind::Object(&BINDING)),
            "What is captured into which collection",
        ),
        Field::optional("interval", FieldKind::Duration, "How often a polling connector starts"),
        Field::optional(
            "autoDiscover",
            FieldKind::Object(&AUTO_DISCOVER),
            "How new resources are bound; it is not used here",
        ),
        Field::optional("shards", FieldKind::Object(&SHARDS), "How the task runs"),
        Field::optional("redactSalt", FieldKind::Base64, "Salt of redacted values, in base64"),
        Field::optional("secrets", FieldKind::Any, "Secrets by name; they are not used here"),
        Field::optional("expectPubId", FieldKind::String, "Publication that is expected"),
        Field::optional("delete", FieldKind::Boolean, "Deletes the capture, once"),
        Field::optional("reset", FieldKind::Boolean, "Captures everything anew, once"),
    ],
    is_open: false,
};

/// `endpoint` of a capture.
pub(super) static ENDPOINT: Table = Table {
    noun: "an endpoint of a capture",
    fields: &[
        Field::optional("connector", FieldKind::Object(&CONNECTOR), "A connector by its image"),
        Field::optional("local", FieldKind::Object(&LOCAL), "A process of this machine"),
        Field::optional("python", FieldKind::Object(&PYTHON), "A Python module"),
    ],
    is_open: false,
};

/// `connector`.
pub(super) static CONNECTOR: Table = Table {
    noun: "a connector",
    fields: &[
        Field::required("image", FieldKind::String, "Image of the connector, with its tag"),
        Field::optional("config", FieldKind::InlineOrFile, "Configuration of the connector"),
    ],
    is_open: true,
};

/// `local`.
pub(super) static LOCAL: Table = Table {
    noun: "a local process",
    fields: &[
        Field::required(
            "command",
            FieldKind::List(&FieldKind::String),
            "Program and its arguments",
        ),
        Field::optional("config", FieldKind::InlineOrFile, "Configuration of the process"),
        Field::optional("env", FieldKind::Map(&FieldKind::String), "Environment of the process"),
        Field::optional("protobuf", FieldKind::Boolean, "Whether messages are protobuf, not JSON"),
    ],
    is_open: true,
};

/// `python` of a capture.
pub(super) static PYTHON: Table = Table {
    noun: "`python` of a capture",
    fields: &[
        Field::optional("config", FieldKind::InlineOrFile, "Configuration of the module"),
        Field::optional("files", FieldKind::Any, "Files that travel with the module"),
        Field::optional("spec", FieldKind::Any, "What the module says of itself"),
    ],
    is_open: true,
};

/// One of `bindings`.
pub(super) static BINDING: Table = Table {
    noun: "a binding of a capture",
    fields: &[
        Field::required("resource", FieldKind::InlineOrFile, "What the connector captures"),
        Field::required("target", FieldKind::CollectionName, "Collection that takes documents"),
        Field::optional("disable", FieldKind::Boolean, "Whether the binding is left out"),
        Field::optional("backfill", FieldKind::Unsigned, "Raise it to capture everything anew"),
    ],
    is_open: false,
};

/// `autoDiscover`.
pub(super) static AUTO_DISCOVER: Table = Table {
    noun: "`autoDiscover`",
    fields: &[
        Field::optional("addNewBindings", FieldKind::Boolean, "Whether new resources are bound"),
        Field::optional(
            "evolveIncompatibleCollections",
            FieldKind::Boolean,
            "Whether collections follow incompatible changes",
        ),
    ],
    is_open: false,
};

/// `shards`.
pub(super) static SHARDS: Table = Table {
    noun: "`shards`",
    fields: &[
        Field::optional("disable", FieldKind::Boolean, "Whether the task does not run"),
        Field::optional("minTxnDuration", FieldKind::Duration, "Least time of a transaction"),
        Field::optional("maxTxnDuration", FieldKind::Duration, "Longest time of a transaction"),
        Field::optional("hotStandbys", FieldKind::Unsigned, "It is not used here"),
        Field::optional("ringBufferSize", FieldKind::Unsigned, "It is not used here"),
        Field::optional("readChannelSize", FieldKind::Unsigned, "It is not used here"),
        Field::optional("logLevel", FieldKind::String, "How much the task tells"),
        Field::optional("flags", FieldKind::Map(&FieldKind::String), "It is not used here"),
        Field::optional("shuffleDiskLimit", FieldKind::Any, "It is not used here"),
    ],
    is_open: false,
};

pub(super) fn capture(
    binder: &mut Binder<'_>,
    name: Spanned<String>,
    node: NodeId,
) -> Option<CaptureSpec> {
    let table = &CAPTURE;
    Some(CaptureSpec {
        name,
        endpoint: binder
            .entry(node, table, "endpoint")
            .and_then(|entry| endpoint(binder, entry.value, &ENDPOINT)),
        bindings: binder
            .list(node, table, "bindings")
            .into_iter()
            .map(|item| binding(binder, item))
            .collect(),
        interval_ms: binder.duration(node, table, "interval"),
        redact_salt: binder.string(node, table, "redactSalt"),
        shards: shards(binder, node, table),
        reset: binder.boolean(node, table, "reset"),
        delete: binder.boolean(node, table, "delete"),
    })
}

fn binding(binder: &mut Binder<'_>, node: NodeId) -> CaptureBindingSpec {
    let table = &BINDING;
    CaptureBindingSpec {
        range: binder.tree.node(node).range,
        resource: binder.config(node, table, "resource"),
        target: binder.string(node, table, "target"),
        disable: binder.flag(node, table, "disable"),
        backfill: binder.count(node, table, "backfill"),
    }
}

/// Binds an endpoint of a capture or materialization.
pub(super) fn endpoint(
    binder: &mut Binder<'_>,
    node: NodeId,
    table: &'static Table,
) -> Option<Spanned<EndpointSpec>> {
    let forms: &[&'static str] = &["connector", "local", "python", "dekaf"];
    let form = binder.one_of(node, table, forms)?;
    let spec = match form.value.as_str() {
        "connector" => {
            let connector = binder.object(node, table, "connector")?;
            let image = binder.string(connector, &CONNECTOR, "image")?;
            let config = binder.config(connector, &CONNECTOR, "config");
            EndpointSpec::Connector { image, config }
        }
        "local" => EndpointSpec::Local(local(binder, node, table)?),
        _ => EndpointSpec::Other(form.clone()),
    };
    Some(Spanned { value: spec, range: form.range, node })
}

/// Binds a process of this machine.
pub(super) fn local(
    binder: &mut Binder<'_>,
    node: NodeId,
    table: &'static Table,
) -> Option<LocalSpec> {
    let local = binder.object(node, table, "local")?;
    let protobuf = binder.entry(local, &LOCAL, "protobuf").map(|entry| entry.key_range);
    let is_protobuf = binder.flag(local, &LOCAL, "protobuf");
    Some(LocalSpec {
        command: binder.strings(local, &LOCAL, "command")?.value,
        config: binder.config(local, &LOCAL, "config"),
        env: binder.named(local, &LOCAL, "env", |binder, name, node| {
            binder.text(node).map(|value| (name, value))
        }),
        protobuf: protobuf.filter(|_| is_protobuf),
    })
}

/// Binds the `shards` of a task.
pub(super) fn shards(binder: &mut Binder<'_>, task: NodeId, table: &'static Table) -> ShardsSpec {
    let Some(shards) = binder.object(task, table, "shards") else {
        return ShardsSpec::default();
    };
    ShardsSpec {
        disable: binder.flag(shards, &SHARDS, "disable"),
        transaction_duration_ms_max: binder.duration(shards, &SHARDS, "maxTxnDuration"),
    }
}
