//! `lineage`: the graph of tasks and collections.

use tidegate_compiler::diag::Severity;
use tidegate_compiler::lineage;

use crate::args::{GraphFormat, Lineage};
use crate::catalog::compile_file;
use crate::exit::{Exit, Stop};
use crate::report::plural;
use crate::source::Source;
use crate::terminal::Terminal;

/// Prints the graph; of a catalog with errors, what could be linked.
pub(crate) fn run(arguments: &Lineage, terminal: &Terminal) -> Result<Exit, Stop> {
    let Source::Catalog(catalog) = Source::find(arguments.source.as_deref())? else {
        return Err(Stop::usage("the graph of a bundle is among what `build` writes")
            .help("name a catalog with --source"));
    };
    let (compilation, _) = compile_file(&catalog)?;
    let errors = compilation
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error)
        .count();
    if errors > 0 {
        terminal.note(&format!(
            "  The catalog has {}; this is what could be linked (see: tidegate check)",
            plural(errors, "error")
        ));
    }
    let graph = match &arguments.selector {
        None => compilation.lineage().clone(),
        Some(selector) => compilation.lineage().select(selector).ok_or_else(|| {
            Stop::usage(format!("nothing in the graph is called `{selector}`"))
                .help("list all names: tidegate lineage")
        })?,
    };
    terminal.result(&match arguments.format {
        GraphFormat::Text => lineage::to_text(&graph),
        GraphFormat::Dot => lineage::to_dot(&graph),
        GraphFormat::Mermaid => lineage::to_mermaid(&graph),
        GraphFormat::Json => format!("{}\n", lineage::to_json(&graph)),
    });
    Ok(Exit::Fine)
}
