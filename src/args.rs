//! What can be asked: the definition of the command line.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use tidegate_compiler::diag::render::Format;
use tidegate_stdlib::lambda::typescript::ScriptEngine;

/// Compiler, test runner and runtime for data-flow catalogs.
#[derive(Debug, Parser)]
#[command(
    name = "tidegate",
    version,
    about,
    disable_help_subcommand = true,
    after_help = "Exit codes: 0 fine, 1 findings, 2 usage, 3 environment, 5 a task failed, 130 interrupted."
)]
pub(crate) struct Arguments {
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Print results and errors only
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Colours in what is printed (NO_COLOR and CLICOLOR_FORCE are honoured)
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(crate) color: Color,
    /// How progress and logs are written to the standard error
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    pub(crate) log_format: LogFormat,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How progress and logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// How findings are written, and where to.
#[derive(Debug, Args)]
pub(crate) struct Reporting {
    /// How findings are written
    #[arg(long, value_name = "FORMAT", default_value = "human", value_parser = format_parser())]
    pub(crate) format: Format,
    /// Write the same report once more into a file
    #[arg(long = "output", value_name = "FORMAT=FILE", value_parser = parse_output)]
    pub(crate) outputs: Vec<Output>,
}

/// A file that a report is written to as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    /// How.
    pub(crate) format: Format,
    /// Where to.
    pub(crate) path: PathBuf,
}

/// How a command that executes tasks writes findings and its own result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResultFormat {
    /// For people, with source excerpts.
    Human,
    /// One line a finding.
    Concise,
    /// One JSON object.
    Json,
    /// One JSON object a finding or result.
    Jsonl,
}

impl From<ResultFormat> for Format {
    fn from(format: ResultFormat) -> Self {
        match format {
            ResultFormat::Human => Self::Human,
            ResultFormat::Concise => Self::Concise,
            ResultFormat::Json => Self::Json,
            ResultFormat::Jsonl => Self::Jsonl,
        }
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a small green project to begin with
    New(New),
    /// Check a catalog: all mistakes in one run, offline
    Check(Check),
    /// Write the bundle and other artifacts of a catalog
    Build(Build),
    /// Run the tests of a catalog
    Test(Test),
    /// Print what a task would publish or store, in memory
    Preview(Preview),
    /// Run a catalog or a bundle
    Run(Run),
    /// Print the committed documents of a collection
    Read(Read),
    /// Write types for modules, and stubs of files that are not there yet
    Generate(Generate),
    /// Print the graph of tasks and collections
    Lineage(Lineage),
    /// Explain a rule, or list all rules
    Explain(Explain),
    /// Print a JSON Schema: of catalog files, of findings, or of a connector
    Schema(Schema),
    /// Print what a pass of the compiler produced
    Dump(Dump),
    /// Print a script that completes commands in a shell
    Completions(Completions),
    /// Print the manual page
    Man,
    /// Serve an editor over the standard input and output
    Lsp,
}

/// Arguments of `new`.
#[derive(Debug, Args)]
pub(crate) struct New {
    /// The directory to write; it must not hold any of the files yet
    #[arg(value_name = "DIR", required_unless_present = "list")]
    pub(crate) directory: Option<PathBuf>,
    /// Which project
    #[arg(long, value_name = "NAME", default_value = "demo")]
    pub(crate) template: String,
    /// List the templates
    #[arg(long)]
    pub(crate) list: bool,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Catalog files or directories with a flow.yaml [default: the nearest flow.yaml upward]
    #[arg(value_name = "SOURCE")]
    pub(crate) sources: Vec<PathBuf>,
    /// Check again whenever a file changes, until Ctrl-C
    #[arg(short, long, conflicts_with = "fix")]
    pub(crate) watch: bool,
    /// Apply the safe fixes, and show what is left
    #[arg(long)]
    pub(crate) fix: bool,
    /// Apply also the fixes that may change what is meant
    #[arg(long, requires = "fix")]
    pub(crate) unsafe_fixes: bool,
    /// Print what the fixes would change as a patch, and write nothing
    #[arg(long, requires = "fix")]
    pub(crate) diff: bool,
    /// Report also what could not be proved and what could be better, as errors
    #[arg(long)]
    pub(crate) strict: bool,
    /// Ask a type checker (`tsc`, else `deno check`) about TypeScript modules as well
    #[arg(long)]
    pub(crate) types: bool,
    /// Treat warnings as errors
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) deny: Option<Deny>,
    /// Fetch what is referred to on the network into tidegate.lock and its cache first
    #[arg(long)]
    pub(crate) fetch: bool,
    /// How findings are written, and where to.
    #[command(flatten)]
    pub(crate) reporting: Reporting,
}

/// What `--deny` raises to an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Deny {
    /// Every warning.
    Warnings,
}

/// Arguments of `build`.
#[derive(Debug, Args)]
pub(crate) struct Build {
    /// Catalog file or directory with a flow.yaml [default: the nearest flow.yaml upward]
    #[arg(value_name = "SOURCE")]
    pub(crate) source: Option<PathBuf>,
    /// The directory to write
    #[arg(short = 'o', long, value_name = "DIR", default_value = "dist")]
    pub(crate) directory: PathBuf,
    /// Which artifacts, separated by commas [default: all]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) emit: Vec<String>,
    /// Further SQL dialects of the tables, separated by commas
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) target: Vec<String>,
    /// Write nothing; exit with 1 if anything would change
    #[arg(long)]
    pub(crate) check: bool,
    /// How findings are written, and where to.
    #[command(flatten)]
    pub(crate) reporting: Reporting,
}

/// Arguments of `test`.
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Catalog file, directory with a flow.yaml, or bundle [default: the nearest flow.yaml upward]
    #[arg(value_name = "SOURCE")]
    pub(crate) source: Option<PathBuf>,
    /// Only tests whose name contains this
    #[arg(value_name = "FILTER", default_value = "")]
    pub(crate) filter: String,
    /// Run them again whenever a file changes, until Ctrl-C
    #[arg(short, long, conflicts_with = "accept")]
    pub(crate) watch: bool,
    /// Write the documents that are there into the tests that fail
    #[arg(long)]
    pub(crate) accept: bool,
    /// What runs TypeScript lambdas, unless `tidegate.toml` says so of a task
    #[arg(long, value_name = "ENGINE", default_value = "quickjs", value_parser = engine_parser())]
    pub(crate) js: ScriptEngine,
    /// Show which transforms and statements no test made do anything
    #[arg(long)]
    pub(crate) coverage: bool,
    /// Write a JUnit report as well: --output junit=FILE
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// How results are written, and where to.
    #[command(flatten)]
    pub(crate) reporting: Reporting,
}

/// Arguments of `preview`.
#[derive(Debug, Args)]
pub(crate) struct Preview {
    /// The derivation or materialization
    #[arg(value_name = "TASK")]
    pub(crate) task: String,
    /// Catalog file, directory with a flow.yaml, or bundle [default: the nearest flow.yaml upward]
    #[arg(value_name = "SOURCE")]
    pub(crate) source: Option<PathBuf>,
    /// Take a file of lines `["collection", {document}]` as input [default: what the tests ingest]
    #[arg(long, value_name = "FILE")]
    pub(crate) fixture: Option<PathBuf>,
    /// What runs TypeScript lambdas, unless `tidegate.toml` says so of a task
    #[arg(long, value_name = "ENGINE", default_value = "quickjs", value_parser = engine_parser())]
    pub(crate) js: ScriptEngine,
    /// Print at most this many documents or rows
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Catalog file, directory with a flow.yaml, or bundle [default: the nearest flow.yaml upward]
    #[arg(value_name = "SOURCE")]
    pub(crate) source: Option<PathBuf>,
    /// Journals and state [default: tidegate-data; with --fixture a temporary directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// End when every source is drained and everything is processed
    #[arg(long)]
    pub(crate) until_idle: bool,
    /// Only these tasks
    #[arg(long = "task", value_name = "NAME")]
    pub(crate) tasks: Vec<String>,
    /// Append a file of JSON lines (`-`: standard input) to a collection, as a capture would
    #[arg(long, value_name = "COLLECTION=FILE")]
    pub(crate) ingest: Vec<String>,
    /// Append again what was ingested before
    #[arg(long, requires = "ingest")]
    pub(crate) again: bool,
    /// Replace the captures by a file of lines `["collection", {document}]`
    #[arg(long, value_name = "FILE")]
    pub(crate) fixture: Option<PathBuf>,
    /// Memory of combiners, queues and caches [default: 1GiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory: Option<String>,
    /// How hard commits are pressed to the disk
    #[arg(long, value_enum, default_value_t = Durability::Full)]
    pub(crate) durability: Durability,
    /// What runs TypeScript lambdas, unless `tidegate.toml` says so of a task
    #[arg(long, value_name = "ENGINE", default_value = "quickjs", value_parser = engine_parser())]
    pub(crate) js: ScriptEngine,
    /// Empty the task's tables and read from the beginning
    #[arg(long, value_name = "TASK")]
    pub(crate) restart: Vec<String>,
    /// Where relative paths of a bundle's endpoints start [default: the working directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// Name the endpoints that would be read and written, open nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Leave materializations and their endpoints alone
    #[arg(long)]
    pub(crate) no_materialize: bool,
    /// How findings and the summary are written
    #[arg(long, value_enum, default_value_t = ResultFormat::Human)]
    pub(crate) format: ResultFormat,
}

/// How hard commits are pressed to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Durability {
    /// Every commit survives a power loss.
    Full,
    /// A power loss may lose the last commits.
    Normal,
    /// For tests and bulk loads only.
    Off,
}

/// Arguments of `read`.
#[derive(Debug, Args)]
pub(crate) struct Read {
    /// The collection
    #[arg(value_name = "COLLECTION")]
    pub(crate) collection: String,
    /// Journals and state
    #[arg(long, value_name = "DIR", default_value = "tidegate-data")]
    pub(crate) data: PathBuf,
    /// One fully reduced document per key
    #[arg(long)]
    pub(crate) reduce: bool,
    /// The JSON schema that these documents suggest, instead of them
    #[arg(long, conflicts_with = "format")]
    pub(crate) schema: bool,
    /// Only documents whose partition field has this value, a text or JSON
    #[arg(long, value_name = "FIELD=VALUE")]
    pub(crate) partition: Vec<String>,
    /// How documents are written
    #[arg(long, value_enum, default_value_t = ReadFormat::Jsonl)]
    pub(crate) format: ReadFormat,
}

/// How documents are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReadFormat {
    /// One document a line.
    Jsonl,
    /// A column a top-level property, with a header.
    Csv,
    /// Aligned columns for people.
    Table,
}

/// Arguments of `lineage`.
#[derive(Debug, Args)]
pub(crate) struct Lineage {
    /// Only this task or collection (or those with this prefix) and what is up- and downstream of it
    #[arg(value_name = "SELECTOR")]
    pub(crate) selector: Option<String>,
    /// Catalog file or directory with a flow.yaml [default: the nearest flow.yaml upward]
    #[arg(long, value_name = "SOURCE")]
    pub(crate) source: Option<PathBuf>,
    /// The form of the graph
    #[arg(long, value_enum, default_value_t = GraphFormat::Text)]
    pub(crate) format: GraphFormat,
}

/// The form of a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// For people.
    Text,
    /// Graphviz.
    Dot,
    /// Mermaid.
    Mermaid,
    /// For machines.
    Json,
}

/// Arguments of `generate`.
#[derive(Debug, Args)]
pub(crate) struct Generate {
    /// Catalog file or directory with a flow.yaml [default: the nearest flow.yaml upward]
    #[arg(value_name = "SOURCE")]
    pub(crate) source: Option<PathBuf>,
    /// Write nothing; exit with 1 if anything would be written
    #[arg(long)]
    pub(crate) check: bool,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The rule, such as unknown-collection
    #[arg(value_name = "RULE")]
    pub(crate) rule: Option<String>,
}

/// Arguments of `schema`.
#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// Of what
    #[arg(value_name = "WHAT", value_enum, default_value_t = SchemaSubject::Flow)]
    pub(crate) subject: SchemaSubject,
    /// The connector, such as source-file
    #[arg(value_name = "NAME", required_if_eq("subject", "connector"))]
    pub(crate) name: Option<String>,
}

/// What a JSON Schema describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaSubject {
    /// Catalog files, for editors.
    Flow,
    /// What `check --format json` prints.
    Diagnostics,
    /// The files of a bundle.
    Bundle,
    /// The config and the resource of a connector.
    Connector,
}

/// Arguments of `dump`.
#[derive(Debug, Args)]
pub(crate) struct Dump {
    /// Catalog file or directory with a flow.yaml [default: the nearest flow.yaml upward]
    #[arg(value_name = "SOURCE")]
    pub(crate) source: Option<PathBuf>,
    /// The pass whose result is printed
    #[arg(long, value_enum, value_name = "STAGE")]
    pub(crate) stage: DumpStage,
}

/// The passes whose results can be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DumpStage {
    /// The nodes of every file.
    Tree,
    /// What every file declares.
    Specs,
    /// All declarations, linked.
    Catalog,
    /// What the checks know.
    Checked,
    /// The graph of tasks and collections.
    Lineage,
    /// The files of the bundle.
    Plan,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// Takes the name of a format of findings; help lists them with what they are for.
fn format_parser() -> impl TypedValueParser<Value = Format> {
    let names = Format::ALL.iter().map(|each| PossibleValue::new(each.name()).help(each.about()));
    PossibleValuesParser::new(names)
        .map(|name| Format::by_name(&name).expect("only names of formats are possible"))
}

/// Takes the name of an engine of lambdas; help lists them with what they are.
fn engine_parser() -> impl TypedValueParser<Value = ScriptEngine> {
    let known = |engine: ScriptEngine| PossibleValue::new(engine.name()).help(engine.about());
    PossibleValuesParser::new(ScriptEngine::ALL.map(known))
        .map(|name| ScriptEngine::by_name(&name).expect("only names of engines are possible"))
}

fn parse_output(text: &str) -> Result<Output, String> {
    let (name, path) = text.split_once('=').ok_or("write FORMAT=FILE, as in sarif=report.sarif")?;
    let format = Format::by_name(name).ok_or_else(|| {
        let known: Vec<_> = Format::ALL.iter().map(|format| format.name()).collect();
        format!("there is no format `{name}`, only {}", known.join(", "))
    })?;
    if path.is_empty() {
        return Err(format!("name a file: {name}=FILE"));
    }
    Ok(Output { format, path: PathBuf::from(path) })
}
