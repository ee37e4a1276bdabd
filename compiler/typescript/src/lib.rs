//! TypeScript modules of derivations: what a module imports, its class, and the JavaScript without its types.
//!
//! Places are byte ranges of the text. In the JavaScript every byte that is left stands where it stood, so that a place
//! in it is a place in the text. Nothing here checks types.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "trees of the parser have dozens of variants, of which few are looked at"
)]

mod class;
mod imports;
mod names;
mod scan;
mod strip;
mod survey;
#[cfg(test)]
mod tests;

use std::ops::Range;

use swc_common::{BytePos, FileName, SourceFile, SourceMap, Span, Spanned, sync::Lrc};
use swc_ecma_ast::EsVersion;
use swc_ecma_parser::lexer::Lexer;
use swc_ecma_parser::{Parser, StringInput, Syntax, TsSyntax};

pub use class::{Class, Member, MemberKind};
pub use imports::{Import, ImportedName};
pub use survey::{Unrepeatable, Use};

/// Greatest size of a module.
pub const MODULE_SIZE_BYTES_MAX: usize = 1 << 20;

/// What stands in a module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Module {
    /// What it takes from other modules, in its order; also what it only exports again.
    pub imports: Vec<Import>,
    /// The class of the name that was asked for.
    pub class: Option<Class>,
    /// Whether something of that name is exported that is not declared here.
    pub has_foreign_class: bool,
    /// The JavaScript; absent when there are problems.
    pub javascript: Option<String>,
    /// Uses of what is another value each time.
    pub uses: Vec<Use>,
    /// What keeps it from being run.
    pub problems: Vec<Problem>,
}

/// What keeps a module from being run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Bytes of the text.
    pub range: Range<usize>,
    /// What it is.
    pub kind: ProblemKind,
    /// What is wrong in plain words: lower case, no full stop.
    pub message: String,
}

/// The kinds of problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// It is not TypeScript.
    Syntax,
    /// It is more than JavaScript with types.
    NotErasable(Feature),
    /// It loads code while it runs.
    DynamicImport,
    /// It is larger than a module may be, or deeper.
    TooLarge,
}

/// What of TypeScript is more than types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// `enum`.
    Enum,
    /// `namespace` with values.
    Namespace,
    /// `constructor(private x)`.
    ParameterProperty,
    /// `<T>value`.
    TypeAssertion,
    /// Another rarely used form.
    Other,
}

/// Reads a module and looks for an exported class of a name.
pub fn read(text: &str, class: &str) -> Module {
    if text.len() > MODULE_SIZE_BYTES_MAX {
        let message = format!("the module is larger than {} MiB", MODULE_SIZE_BYTES_MAX >> 20);
        let problem = Problem { range: 0..0, kind: ProblemKind::TooLarge, message };
        return Module { problems: vec![problem], ..Module::default() };
    }
    if scan::depth(text) > DEPTH_MAX {
        let message = format!("the module is nested deeper than {DEPTH_MAX} levels");
        let problem = Problem { range: 0..0, kind: ProblemKind::TooLarge, message };
        return Module { problems: vec![problem], ..Module::default() };
    }
    stacker::grow(STACK_BYTES, || read_shallow(text, class))
}

/// Nesting of a module, chains of operators included.
const DEPTH_MAX: usize = 4_000;
/// Stack that suffices for that: the parser and whatever walks a tree recurse, and so does dropping it.
const STACK_BYTES: usize = 256 << 20;

fn read_shallow(text: &str, class: &str) -> Module {
    let map: Lrc<SourceMap> = Lrc::default();
    let file = map.new_source_file(FileName::Anon.into(), text.to_owned());
    let places = Places { start: file.start_pos, text };
    let (parsed, errors) = parse(&file);
    let mut module = Module::default();
    module.problems.extend(errors.into_iter().map(|error| places.problem(&error)));
    match parsed {
        Ok(tree) => look(&map, &tree, class, &places, &mut module),
        Err(error) => module.problems.push(places.problem(&error)),
    }
    module.problems.sort_by_key(|problem| (problem.range.start, problem.range.end));
    module.problems.dedup_by(|later, earlier| later.range == earlier.range);
    module
}

/// Finds everything in a tree.
fn look(
    map: &Lrc<SourceMap>,
    tree: &swc_ecma_ast::Module,
    class: &str,
    places: &Places<'_>,
    module: &mut Module,
) {
    module.imports = imports::of(tree, places);
    class::find(tree, class, places, module);
    survey::walk(tree, places, module);
    if module.problems.is_empty() {
        match strip::strip(map, places) {
            Ok(stripped) => module.javascript = Some(stripped + &names::of_types(tree)),
            Err(problems) => module.problems = problems,
        }
    }
}

type Parsed = Result<swc_ecma_ast::Module, swc_ecma_parser::error::Error>;

fn parse(file: &SourceFile) -> (Parsed, Vec<swc_ecma_parser::error::Error>) {
    let syntax = Syntax::Typescript(TsSyntax::default());
    let lexer = Lexer::new(syntax, EsVersion::latest(), StringInput::from(file), None);
    let mut parser = Parser::new_from(lexer);
    let parsed = parser.parse_module();
    let errors = parser.take_errors();
    (parsed, errors)
}

/// Places of the tree in the text.
struct Places<'t> {
    start: BytePos,
    text: &'t str,
}

impl Places<'_> {
    /// The bytes of a span, within the text and at the borders of characters.
    fn range(&self, span: Span) -> Range<usize> {
        let offset = |position: BytePos| {
            let offset = position.0.saturating_sub(self.start.0) as usize;
            self.text.floor_char_boundary(offset.min(self.text.len()))
        };
        let (start, end) = (offset(span.lo), offset(span.hi));
        start..end.max(start)
    }

    /// The same without the quotes at both ends.
    fn inside_quotes(&self, span: Span) -> Range<usize> {
        let range = self.range(span);
        let inner = range.start + 1..range.end.saturating_sub(1);
        if inner.start <= inner.end { inner } else { range }
    }

    fn problem(&self, error: &swc_ecma_parser::error::Error) -> Problem {
        Problem {
            range: self.range(error.span()),
            kind: ProblemKind::Syntax,
            message: in_our_words(&error.kind().msg()),
        }
    }
}

/// A message without a full stop, in lower case unless it begins with a name, and with names between back-ticks.
fn in_our_words(message: &str) -> String {
    let message = message.trim().trim_end_matches('.').replace('\'', "`");
    let mut characters = message.chars();
    let (first, second) = (characters.next(), characters.next());
    match first {
        Some(first) if second.is_some_and(char::is_lowercase) => {
            let rest = message.get(first.len_utf8()..).unwrap_or_default();
            first.to_lowercase().chain(rest.chars()).collect()
        }
        _ => message,
    }
}
