//! `dump`: what a pass of the compiler produced.

use tidegate_compiler::dump::{Stage, dump};

use crate::args::{Dump, DumpStage};
use crate::catalog::compile_file;
use crate::exit::{Exit, Stop};
use crate::source::Source;
use crate::terminal::Terminal;

/// Prints the result of the pass; of a catalog with errors, what there is of it.
pub(crate) fn run(arguments: &Dump, terminal: &Terminal) -> Result<Exit, Stop> {
    let Source::Catalog(catalog) = Source::find(arguments.source.as_deref())? else {
        return Err(Stop::usage("a bundle has no passes").help("name a catalog"));
    };
    let (compilation, _) = compile_file(&catalog)?;
    let stage = match arguments.stage {
        DumpStage::Tree => Stage::Tree,
        DumpStage::Specs => Stage::Specs,
        DumpStage::Catalog => Stage::Catalog,
        DumpStage::Checked => Stage::Checked,
        DumpStage::Lineage => Stage::Lineage,
        DumpStage::Plan => Stage::Plan,
    };
    match dump(&compilation, stage) {
        Some(text) => {
            terminal.result(&text);
            Ok(Exit::Fine)
        }
        None => {
            terminal.note("  The catalog has errors, and so no plan (see: tidegate check)");
            Ok(Exit::Findings)
        }
    }
}
