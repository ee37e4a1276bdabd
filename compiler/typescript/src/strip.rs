//! The JavaScript of a module: its text with blanks in place of types.

use std::cell::RefCell;
use std::rc::Rc;

use swc_common::SourceMap;
use swc_common::errors::{DiagnosticBuilder, Emitter, Handler};
use swc_common::sync::Lrc;
use swc_ecma_parser::TsSyntax;
use swc_ts_fast_strip::{Mode, Options, operate};

use crate::{Feature, Places, Problem, ProblemKind, in_our_words};

/// Blanks out the types.
///
/// # Errors
/// What is more than types.
pub(crate) fn strip(map: &Lrc<SourceMap>, places: &Places<'_>) -> Result<String, Vec<Problem>> {
    let text = places.text;
    let found = Rc::new(RefCell::new(Vec::new()));
    let handler = Handler::with_emitter(false, false, Box::new(Collector(Rc::clone(&found))));
    let options = Options {
        module: Some(true),
        filename: None,
        parser: TsSyntax::default(),
        mode: Mode::StripOnly,
        transform: None,
        deprecated_ts_module_as_error: None,
        source_map: false,
    };
    let start = map.files().iter().map(|file| file.end_pos).max().unwrap_or_default();
    let outcome = operate(map, &handler, text.to_owned(), options);
    let found = found.take();
    match outcome {
        Ok(output) => Ok(aligned(text, &output.code)),
        Err(error) => {
            // It reads the text once more, as another file that begins after the first.
            let places = Places { start: after(map, start), text: places.text };
            let mut problems: Vec<Problem> = found
                .into_iter()
                .map(|(span, message)| problem(&message, places.range(span)))
                .collect();
            if problems.is_empty() {
                problems.push(problem(&error.message, 0..0));
            }
            Err(problems)
        }
    }
}

/// Where the file begins that was added after a position.
fn after(map: &SourceMap, position: swc_common::BytePos) -> swc_common::BytePos {
    let files = map.files();
    let later = files.iter().map(|file| file.start_pos).filter(|start| *start >= position);
    later.min().unwrap_or(position)
}

/// Keeps what is reported.
struct Collector(Rc<RefCell<Vec<(swc_common::Span, String)>>>);

impl Emitter for Collector {
    fn emit(&mut self, report: &mut DiagnosticBuilder<'_>) {
        let span = report.span.primary_span().unwrap_or_default();
        self.0.borrow_mut().push((span, report.message()));
    }
}

fn problem(message: &str, range: std::ops::Range<usize>) -> Problem {
    let features = [
        ("enum", Feature::Enum, "an `enum` is more than a type"),
        ("namespace", Feature::Namespace, "a `namespace` with values is more than a type"),
        (
            "parameter property",
            Feature::ParameterProperty,
            "a parameter that is a property is more than a type",
        ),
        ("angle-bracket", Feature::TypeAssertion, "`<T>value` cannot be told from JavaScript"),
    ];
    let known = features.iter().find(|(words, ..)| message.contains(words));
    let (feature, message) = match known {
        Some((_, feature, message)) => (*feature, (*message).to_owned()),
        None => (Feature::Other, in_our_words(message)),
    };
    Problem { range, kind: ProblemKind::NotErasable(feature), message }
}

/// The stripped text with blanks as wide, in bytes, as what they stand for. Of a character that is not ASCII, the
/// stripper keeps the width in code units only.
fn aligned(text: &str, stripped: &str) -> String {
    if text.len() == stripped.len() {
        return stripped.to_owned();
    }
    let mut aligned = String::with_capacity(text.len());
    let mut left = stripped.chars();
    for character in text.chars() {
        let Some(first) = left.next() else { break };
        if first == character || character.len_utf8() == first.len_utf8() {
            aligned.push(first);
            continue;
        }
        for _ in 1..character.len_utf16() {
            left.next();
        }
        aligned.push_str(match character.len_utf8() {
            2 => "\u{a0}",
            3 => "\u{2003}",
            _ => "\u{a0}\u{a0}",
        });
    }
    aligned.extend(left);
    aligned
}
