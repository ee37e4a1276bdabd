//! `schema`: JSON Schemas for editors and machines.

use serde_json::{Value, json};
use tidegate_compiler::diag::nearest;
use tidegate_compiler::diag::render::json;
use tidegate_compiler::model::editor_schema;
use tidegate_stdlib::{bundle, connector};

use crate::args::{Schema, SchemaSubject};
use crate::exit::{Exit, Stop};
use crate::terminal::Terminal;

/// Prints the schema.
pub(crate) fn run(arguments: &Schema, terminal: &Terminal) -> Result<Exit, Stop> {
    let schema = match (arguments.subject, &arguments.name) {
        (SchemaSubject::Connector, name) => of_connector(name.as_deref().unwrap_or_default())?,
        (_, Some(name)) => {
            return Err(Stop::usage(format!("`{name}` is one argument too many"))
                .help("name a connector: tidegate schema connector source-file"));
        }
        (SchemaSubject::Flow, None) => editor_schema(),
        (SchemaSubject::Diagnostics, None) => parsed(json::SCHEMA),
        (SchemaSubject::Bundle, None) => parsed(bundle::SCHEMA),
    };
    terminal.line(&format!("{schema:#}"));
    Ok(Exit::Fine)
}

/// The schemas of a connector, named as images are or without what comes before its name.
fn of_connector(name: &str) -> Result<Value, Stop> {
    let names = || connector::ALL.iter().map(|connector| connector.name);
    let by_name = connector::ALL.iter().find(|connector| connector.name == name);
    let Some(found) = by_name.or_else(|| connector::by_image(name)) else {
        let stop = Stop::usage(format!("there is no connector `{name}`"));
        return Err(match nearest(name, names()) {
            Some(near) => stop.help(format!("a connector of a similar name is `{near}`")),
            None => stop.help(format!("name one of {}", names().collect::<Vec<_>>().join(", "))),
        });
    };
    Ok(json!({
        "config": parsed(found.config_schema),
        "resource": parsed(found.resource_schema),
    }))
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("the schemas of this program are JSON")
}
