//! `read`: the committed documents of a collection, also beside a running process.

use std::ops::ControlFlow;

use serde_json::Value;
use tidegate_compiler::diag::nearest;
use tidegate_compiler::diag::render::Format;
use tidegate_compiler::explain::explain_failure;
use tidegate_compiler::source::Sources;
use tidegate_runtime::limits::READ_HELD_BYTES;
use tidegate_runtime::read::{ReadRequest, read};
use tidegate_runtime::store::read_executed;
use tidegate_stdlib::bundle::{Collection, Failure, Selector};
use tidegate_stdlib::document::{Node, write_text};
use tidegate_stdlib::shape::Shape;

use crate::args::{Read, ReadFormat};
use crate::catalog::show_findings;
use crate::exit::{Exit, Stop};
use crate::terminal::Terminal;

/// Bytes of output that are gathered before they are written.
const OUTPUT_BYTES: usize = 1 << 16;

/// Prints the documents as they come; only a table waits for all of them, to align its columns.
pub(crate) fn run(arguments: &Read, terminal: &Terminal) -> Result<Exit, Stop> {
    let bundle = match read_executed(&arguments.data) {
        Ok(Some(bundle)) => bundle,
        Ok(None) => {
            return Err(Stop::environment(format!(
                "`{}` is not a data directory of a run",
                arguments.data.display()
            ))
            .help("name the directory that `run --data` used"));
        }
        Err(failure) => return Ok(show_failure(&failure, terminal)),
    };
    let Some(collection) = bundle.collections.get(&arguments.collection) else {
        let stop = Stop::usage(format!("there is no collection `{}`", arguments.collection));
        return Err(
            match nearest(&arguments.collection, bundle.collections.keys().map(String::as_str)) {
                Some(near) => stop.help(format!("a collection of a similar name exists: `{near}`")),
                None => stop,
            },
        );
    };
    let request = ReadRequest {
        data: &arguments.data,
        collection,
        partitions: selector(&arguments.partition, collection)?,
        reduce: arguments.reduce,
        memory_bytes: READ_HELD_BYTES,
    };
    if arguments.schema {
        return Ok(print_schema(&request, terminal));
    }
    let mut output = Output::new(arguments.format, collection, terminal);
    let result = read(&request, &mut |document| {
        output.add(document);
        ControlFlow::Continue(())
    });
    output.finish();
    Ok(result.map_or_else(|failure| show_failure(&failure, terminal), |()| Exit::Fine))
}

/// Prints the schema that the documents suggest. The UUIDs that the runtime put in are no part of it.
fn print_schema(request: &ReadRequest<'_>, terminal: &Terminal) -> Exit {
    let mut shape = Shape::impossible();
    let result = read(request, &mut |document| {
        let mut document = document.to_value();
        without_uuid(&mut document);
        shape.widen(&document);
        ControlFlow::Continue(())
    });
    if let Err(failure) = result {
        return show_failure(&failure, terminal);
    }
    // A collection without documents suggests nothing.
    let schema = if shape == Shape::impossible() { Value::from(true) } else { shape.render() };
    terminal.line(&format!("{schema:#}"));
    Exit::Fine
}

fn without_uuid(document: &mut Value) {
    let Some(properties) = document.as_object_mut() else { return };
    if let Some(Value::Object(meta)) = properties.get_mut("_meta")
        && meta.remove("uuid").is_some()
        && meta.is_empty()
    {
        properties.remove("_meta");
    }
}

fn show_failure(failure: &Failure, terminal: &Terminal) -> Exit {
    let mut sources = Sources::default();
    let diagnostic = explain_failure(failure, &mut sources);
    show_findings(&[diagnostic], &sources, Format::Human, terminal);
    Exit::Environment
}

fn selector(partitions: &[String], collection: &Collection) -> Result<Option<Selector>, Stop> {
    if partitions.is_empty() {
        return Ok(None);
    }
    let mut selector = Selector::default();
    for text in partitions {
        let (field, value) = text.split_once('=').ok_or_else(|| {
            Stop::usage(format!("`--partition {text}` has no value"))
                .help("write --partition FIELD=VALUE")
        })?;
        if !collection.partitions().any(|projection| projection.field == field) {
            let fields: Vec<_> =
                collection.partitions().map(|projection| projection.field.as_str()).collect();
            let stop =
                Stop::usage(format!("`{field}` is not a partition of `{}`", collection.name));
            return Err(match fields.as_slice() {
                [] => stop.help("this collection has no partitions"),
                fields => stop.help(format!("its partitions are {}", fields.join(", "))),
            });
        }
        let values = selector.include.entry(field.to_owned()).or_default();
        values.push(Value::from(value));
        values.extend(serde_json::from_str::<Value>(value));
    }
    Ok(Some(selector))
}

/// The top-level properties that become columns: those of the key first, then the others by name.
fn columns(collection: &Collection) -> Vec<String> {
    let fields = collection.projections.iter().map(|projection| projection.pointer.as_str());
    let pointers = collection.key.iter().map(String::as_str).chain(fields);
    let mut columns: Vec<String> = Vec::new();
    for name in pointers.filter_map(|pointer| pointer.strip_prefix('/')) {
        let is_nested = name.contains(['/', '~']) || name == "_meta";
        if !is_nested && !columns.iter().any(|column| column == name) {
            columns.push(name.to_owned());
        }
    }
    columns
}

/// Documents on their way to the standard output.
struct Output<'o> {
    format: ReadFormat,
    terminal: &'o Terminal,
    buffer: Vec<u8>,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl<'o> Output<'o> {
    fn new(format: ReadFormat, collection: &Collection, terminal: &'o Terminal) -> Self {
        let columns = columns(collection);
        let mut output = Self { format, terminal, buffer: Vec::new(), columns, rows: Vec::new() };
        let header = output.columns.clone();
        match format {
            ReadFormat::Jsonl => {}
            ReadFormat::Csv => output.write_csv(&header),
            ReadFormat::Table => output.rows.push(header),
        }
        output
    }

    fn add(&mut self, document: Node<'_>) {
        match self.format {
            ReadFormat::Jsonl => {
                write_text(document, &mut self.buffer);
                self.buffer.push(b'\n');
            }
            ReadFormat::Csv => {
                let row = self.row(document);
                self.write_csv(&row);
            }
            ReadFormat::Table => {
                let row = self.row(document);
                self.rows.push(row);
            }
        }
        if self.buffer.len() >= OUTPUT_BYTES {
            self.flush();
        }
    }

    fn row(&self, document: Node<'_>) -> Vec<String> {
        self.columns
            .iter()
            .map(|column| match document.get(column) {
                None => String::new(),
                Some(value) if value.is_null() => String::new(),
                Some(value) => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
            })
            .collect()
    }

    fn write_csv(&mut self, row: &[String]) {
        let mut writer = csv::Writer::from_writer(&mut self.buffer);
        writer.write_record(row).expect("memory takes text");
    }

    fn flush(&mut self) {
        self.terminal.result_bytes(&self.buffer);
        self.buffer.clear();
    }

    fn finish(mut self) {
        let mut widths = vec![0; self.columns.len()];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        for row in std::mem::take(&mut self.rows) {
            let cells: Vec<String> =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            self.buffer.extend_from_slice(cells.join("  ").trim_end().as_bytes());
            self.buffer.push(b'\n');
        }
        self.flush();
    }
}
