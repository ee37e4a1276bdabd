//! What captures and materializations connect to, checked against the schemas of the connectors that are built in.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};
use tidegate_stdlib::bundle::{Config, Endpoint, LocalProcess};
use tidegate_stdlib::connector::{ALL, Connector, Protocol, by_image};
use tidegate_stdlib::schema::{Schema, Violation};

use super::checked::{CheckedEndpoint, ConnectorReference};
use super::secrets;
use crate::catalog::SourceValue;
use crate::diag::{Diagnostic, Fix, Rule, Sink, nearest, rules};
use crate::model::{EndpointSpec, InlineOrFile, LocalSpec, Spanned};
use crate::source::{FileId, Role, Sources, Span};

/// Checks an endpoint; `task` is the name of the task, for when the endpoint is absent.
pub(super) fn check(
    endpoint: Option<&Spanned<EndpointSpec>>,
    file: FileId,
    task: Span,
    protocol: Protocol,
    sources: &Sources,
    sink: &mut Sink,
) -> CheckedEndpoint {
    let nothing =
        || Endpoint::Connector { image: String::new(), config: Config::Plain(Value::Null) };
    let Some(spec) = endpoint else {
        return CheckedEndpoint { endpoint: nothing(), connector: None, span: task };
    };
    let span = spec.range.in_file(file);
    match &spec.value {
        EndpointSpec::Connector { image, config } => {
            let connector = check_image(image, file, protocol, sink);
            let (config, place) =
                check_config(config.as_ref(), file, span, connector, sources, sink);
            CheckedEndpoint {
                endpoint: Endpoint::Connector { image: image.value.clone(), config },
                connector: connector.map(ConnectorReference),
                span: place,
            }
        }
        EndpointSpec::Local(local) => {
            let (process, place) = check_local(local, file, span, sources, sink);
            let endpoint = Endpoint::Local(process);
            CheckedEndpoint { endpoint, connector: None, span: place }
        }
        EndpointSpec::Other(name) => {
            sink.report(unsupported_endpoint(&name.value, name.range.in_file(file)));
            CheckedEndpoint { endpoint: nothing(), connector: None, span }
        }
    }
}

/// Checks a process of this machine; `span` is that of its name. Also gives the place of its config.
pub(super) fn check_local(
    local: &LocalSpec,
    file: FileId,
    span: Span,
    sources: &Sources,
    sink: &mut Sink,
) -> (LocalProcess, Span) {
    let (config, place) = check_config(local.config.as_ref(), file, span, None, sources, sink);
    if local.command.is_empty() {
        sink.report(command_empty(span));
    }
    let env = local.env.iter().map(|(name, value)| (name.value.clone(), value.value.clone()));
    let process = LocalProcess {
        command: local.command.iter().map(|word| word.value.clone()).collect(),
        config,
        env: env.collect(),
        // The plan says where it is.
        directory: String::new(),
    };
    (process, place)
}

/// What is wrong with each property by itself: one document tells only the most telling violation of all.
fn violations_of_properties(validator: &Schema, value: &Value) -> Vec<Violation> {
    let Value::Object(properties) = value else { return Vec::new() };
    let alone = properties.iter().filter_map(|(name, value)| {
        let alone = Value::Object(Map::from_iter([(name.clone(), value.clone())]));
        validator.validate(&alone).err()
    });
    alone.map(|violation| *violation).collect()
}

/// The built-in connector of an image, if there is one for the protocol.
fn check_image(
    image: &Spanned<String>,
    file: FileId,
    protocol: Protocol,
    sink: &mut Sink,
) -> Option<&'static Connector> {
    let span = image.range.in_file(file);
    match by_image(&image.value) {
        Some(connector) if connector.protocol == protocol => Some(connector),
        Some(connector) => {
            sink.report(wrong_connector(&image.value, span, connector.protocol));
            None
        }
        None if image.value.is_empty() => {
            sink.report(image_empty(span));
            None
        }
        None => {
            sink.report(unknown_connector(&image.value, span, protocol));
            None
        }
    }
}

fn check_config(
    config: Option<&InlineOrFile>,
    file: FileId,
    endpoint: Span,
    connector: Option<&'static Connector>,
    sources: &Sources,
    sink: &mut Sink,
) -> (Config, Span) {
    let Some(config) = config else {
        let value = SourceValue::absent(Value::Object(Map::new()), endpoint);
        if let Some(connector) = connector {
            Subject::config(connector).check(&value, sink);
        }
        return (value.to_config(), endpoint);
    };
    let Some(value) = SourceValue::new(sources, file, config, Role::Config) else {
        return (Config::Plain(Value::Null), config.range().in_file(file));
    };
    let (config, place) = (value.to_config(), value.name_place(""));
    // An encrypted document is opened by whoever runs the task.
    if matches!(config, Config::Plain(_)) {
        if let Some(connector) = connector {
            Subject::config(connector).check(&value, sink);
        }
        let schema = connector.map(|connector| &connector_schema(connector.config_schema).schema);
        secrets::check(&value, schema, sink);
    }
    (config, place)
}

/// The resource of a binding; `None` when it is absent or its file was not read.
pub(super) fn check_resource(
    resource: Option<&InlineOrFile>,
    file: FileId,
    connector: Option<&'static Connector>,
    sources: &Sources,
    sink: &mut Sink,
) -> Option<SourceValue> {
    let value = SourceValue::new(sources, file, resource?, Role::Config)?;
    if let Some(connector) = connector {
        Subject::resource(connector).check(&value, sink);
    }
    Some(value)
}

/// What identifies a resource: the values that the connector names, or those by which most others name theirs.
pub(super) fn resource_path(
    resource: &Value,
    connector: Option<&'static Connector>,
) -> Vec<String> {
    const NAMESPACES: [&str; 3] = ["schema", "namespace", "dataset"];
    const NAMES: [&str; 8] =
        ["table", "stream", "name", "collection", "topic", "index", "path", "prefix"];
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if let Some(connector) = connector {
        let schema = &connector_schema(connector.resource_schema).schema;
        let value = |pointer: &&str| {
            let default = || schema.pointer(&format!("/properties{pointer}/default"));
            resource.pointer(pointer).or_else(default).map(text)
        };
        return connector.resource_path.iter().filter_map(value).collect();
    }
    let first = |names: &[&str]| names.iter().find_map(|name| resource.get(name)).map(text);
    match first(&NAMES) {
        Some(name) => first(&NAMESPACES).into_iter().chain([name]).collect(),
        None => vec![resource.to_string()],
    }
}

/// A schema of a built-in connector.
struct ConnectorSchema {
    schema: Value,
    validator: Schema,
    /// Of properties alone: nothing is required.
    of_properties: Schema,
}

/// The schema of a text of a built-in connector; each is compiled once.
fn connector_schema(text: &'static str) -> &'static ConnectorSchema {
    static SCHEMAS: LazyLock<BTreeMap<&str, ConnectorSchema>> = LazyLock::new(|| {
        let texts = ALL.iter().flat_map(|each| [each.config_schema, each.resource_schema]);
        let compiled = |text: &'static str| {
            let schema: Value = serde_json::from_str(text).expect("schemas of connectors are JSON");
            let validator = Schema::compile(&schema).expect("schemas of connectors are valid");
            let mut parts = schema.clone();
            parts.as_object_mut().map(|parts| parts.remove("required"));
            let of_properties = Schema::compile(&parts).expect("schemas of connectors are valid");
            (text, ConnectorSchema { schema, validator, of_properties })
        };
        texts.map(compiled).collect()
    });
    SCHEMAS.get(text).expect("the text is that of a built-in connector")
}

/// What is checked against a schema of a connector.
struct Subject {
    schema: &'static str,
    noun: &'static str,
    rule: &'static Rule,
    connector: &'static Connector,
}

impl Subject {
    fn config(connector: &'static Connector) -> Self {
        let (schema, rule) = (connector.config_schema, &rules::CONFIG_VIOLATES_SCHEMA);
        Self { schema, noun: "config", rule, connector }
    }

    fn resource(connector: &'static Connector) -> Self {
        let (schema, rule) = (connector.resource_schema, &rules::RESOURCE_VIOLATES_SCHEMA);
        Self { schema, noun: "resource", rule, connector }
    }

    /// Checks a value; a property that the schema does not have is told apart from other mistakes.
    fn check(&self, value: &SourceValue, sink: &mut Sink) {
        let ConnectorSchema { schema, validator, of_properties } = connector_schema(self.schema);
        let known: Vec<&str> = match schema.get("properties") {
            Some(Value::Object(properties)) => properties.keys().map(String::as_str).collect(),
            Some(_) | None => Vec::new(),
        };
        let is_closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
        let mut unknown = false;
        if let (Value::Object(properties), true) = (&value.value, is_closed) {
            for name in properties.keys().filter(|name| !known.contains(&name.as_str())) {
                unknown = true;
                sink.report(self.unknown_property(name, &known, value));
            }
        }
        if unknown {
            return;
        }
        let mut wrong = violations_of_properties(of_properties, &value.value);
        if wrong.is_empty() {
            wrong.extend(validator.validate(&value.value).err().map(|violation| *violation));
        }
        wrong.iter().for_each(|violation| sink.report(self.violation(violation, value)));
    }

    fn violation(&self, violation: &Violation, value: &SourceValue) -> Diagnostic {
        let Self { noun, connector, .. } = self;
        let pointer = violation.instance_pointer.as_str();
        let is_about_all = pointer.is_empty() || violation.keyword == "required";
        let span =
            if is_about_all { value.name_place(pointer) } else { value.value_place(pointer) };
        let message = format!("{noun} of `{}`: {}", connector.name, violation.message);
        Diagnostic::new(self.rule, span, message)
            .label("the connector does not take this")
            .help(format!("correct the {noun}, which has {}", self.properties()))
    }

    fn unknown_property(&self, name: &str, known: &[&str], value: &SourceValue) -> Diagnostic {
        let Self { noun, connector, .. } = self;
        let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        let span = value.name_place(&pointer);
        let diagnostic = Diagnostic::new(
            &rules::UNKNOWN_PROPERTY,
            span,
            format!("the {noun} of `{}` has no `{name}`", connector.name),
        )
        .label("the connector does not know this property");
        match nearest(name, known.iter().copied()) {
            Some(near) if !value.value.as_object().is_some_and(|all| all.contains_key(near)) => {
                diagnostic.fix(Fix::replace(span, near, format!("name it `{near}`")))
            }
            Some(_) | None => diagnostic.help(format!("use one of {}", self.properties())),
        }
    }

    fn properties(&self) -> String {
        let schema = &connector_schema(self.schema).schema;
        let names = schema.get("properties").and_then(Value::as_object);
        let names = names.into_iter().flat_map(Map::keys).map(|name| format!("`{name}`"));
        names.collect::<Vec<_>>().join(", ")
    }
}

fn unsupported_endpoint(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        &rules::UNSUPPORTED_ENDPOINT,
        span,
        format!("endpoints of the form `{name}` cannot be built yet"),
    )
    .label("only `connector` and `local` are built in")
    .help("connect by `connector`")
}

fn images(protocol: Protocol) -> impl Iterator<Item = &'static str> {
    ALL.iter()
        .filter(move |connector| connector.protocol == protocol)
        .filter_map(|connector| connector.images.first().copied())
}

const fn task_word(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Capture => "capture",
        Protocol::Materialization => "materialization",
    }
}

fn wrong_connector(image: &str, span: Span, protocol: Protocol) -> Diagnostic {
    let (word, other) = match protocol {
        Protocol::Capture => ("capture", Protocol::Materialization),
        Protocol::Materialization => ("materialization", Protocol::Capture),
    };
    let known: Vec<String> = images(other).map(|image| format!("`{image}`")).collect();
    Diagnostic::new(
        &rules::WRONG_CONNECTOR,
        span,
        format!("`{image}` is the connector of a {word}"),
    )
    .label(format!("this is a {}", task_word(other)))
    .help(format!("use {}", known.join(" or ")))
}

fn unknown_connector(image: &str, span: Span, protocol: Protocol) -> Diagnostic {
    let known: Vec<&str> = images(protocol).collect();
    let diagnostic = Diagnostic::new(
        &rules::UNKNOWN_CONNECTOR,
        span,
        format!("`{image}` is not a connector of this program"),
    )
    .label("its settings are not checked, and the task cannot run here");
    match nearest(image, known.iter().copied()) {
        Some(near) => {
            let fix = Fix::replace(span, near, format!("use `{near}`"));
            diagnostic.fix(fix.unsafe_to_apply())
        }
        None => {
            let known: Vec<String> = known.iter().map(|image| format!("`{image}`")).collect();
            diagnostic.help(format!("use {} to run it here", known.join(" or ")))
        }
    }
}

fn image_empty(span: Span) -> Diagnostic {
    Diagnostic::new(&rules::UNKNOWN_CONNECTOR, span, "the image of the connector is empty")
        .label("a connector is named by its image")
        .help("name an image, such as `tidegate/source-file`")
}

fn command_empty(span: Span) -> Diagnostic {
    Diagnostic::new(&rules::COMMAND_EMPTY, span, "the command of a local process is empty")
        .label("there is no program to start")
        .help("list the program and its arguments, as in `command: [python3, feed.py]`")
}
