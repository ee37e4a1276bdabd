//! Locations that documents are keyed, partitioned, shuffled or grouped by.
//!
//! All of them obey the same rules; the first that is broken is reported.

use std::ops::Range;

use tidegate_stdlib::shape::{Exists, Reduce, Shape, Types};
use tidegate_stdlib::value::{Pointer, PointerFailure, Token};

use super::locations::{declaration_place, keyword_place, type_place};
use crate::catalog::{BundledSchema, part};
use crate::diag::{Diagnostic, Fix, Sink, nearest, rules};
use crate::model::Spanned;
use crate::source::{FileId, Sources, Span};

/// A pointer as it is written, and what it is for.
#[derive(Debug, Clone, Copy)]
pub(super) struct WrittenPointer<'p> {
    /// The text.
    pub(super) text: &'p str,
    /// Its place.
    pub(super) span: Span,
    /// What it is called, without article: `key`, `partition`, `shuffle key`.
    pub(super) noun: &'static str,
}

impl<'p> WrittenPointer<'p> {
    pub(super) fn new(text: &'p Spanned<String>, file: FileId, noun: &'static str) -> Self {
        Self { text: &text.value, span: text.range.in_file(file), noun }
    }
}

/// A location by which documents can be told apart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct KeyLocation {
    /// The location.
    pub(super) pointer: Pointer,
    /// Its type, without null: exactly one of boolean, integer and string.
    pub(super) types: Types,
    /// What is known of it.
    pub(super) shape: Shape,
}

/// The types of a key, null aside.
const KEY_TYPES: [Types; 3] = [Types::BOOLEAN, Types::INTEGER, Types::STRING];

/// Parses a pointer; what is wrong with its form is reported.
pub(super) fn check_form(
    written: WrittenPointer<'_>,
    schema: &BundledSchema,
    sources: &Sources,
    sink: &mut Sink,
) -> Option<Pointer> {
    match Pointer::parse(written.text) {
        Ok(pointer) => Some(pointer),
        Err(PointerFailure::MissingLeadingSlash) => {
            sink.report(pointer_without_slash(written, &schema.shape));
            None
        }
        Err(PointerFailure::Malformed(range)) => {
            sink.report(malformed_pointer(written, range, sources));
            None
        }
    }
}

/// Whether a schema speaks of a location and admits a value there; if not, it is reported.
pub(super) fn check_existence(
    written: WrittenPointer<'_>,
    pointer: &Pointer,
    schema: &BundledSchema,
    sink: &mut Sink,
) -> Option<Shape> {
    let (shape, exists) = schema.shape.locate(pointer);
    match exists {
        Exists::Must | Exists::May => Some(shape),
        Exists::Implicit => {
            sink.report(key_unknown_location(written, pointer, schema));
            None
        }
        Exists::Cannot => {
            sink.report(key_cannot_exist(written, pointer, schema));
            None
        }
    }
}

/// Checks a location by which documents are told apart, against the read schema and a write schema of its own.
pub(super) fn check_key_location(
    written: WrittenPointer<'_>,
    read: &BundledSchema,
    write: Option<&BundledSchema>,
    sources: &Sources,
    sink: &mut Sink,
) -> Option<KeyLocation> {
    let pointer = check_form(written, read, sources, sink)?;
    let shape = check_existence(written, &pointer, read, sink)?;
    let types = shape.types.without(Types::NULL);
    if !is_key_type(types) {
        sink.report(key_wrong_type(written, &pointer, shape.types, read));
        return None;
    }
    if !is_last_write_wins(&shape.reduce) {
        sink.report(key_has_reduce(written, &pointer, read));
        return None;
    }
    if let Some(redact) = keyword_place(read, &pointer, "redact") {
        sink.report(key_has_redact(written, redact));
        return None;
    }
    if let Some(write) = write {
        let written_shape = check_existence(written, &pointer, write, sink)?;
        if written_shape.types.without(Types::NULL) != types {
            sink.report(key_types_differ(written, &pointer, read, write));
            return None;
        }
    }
    Some(KeyLocation { pointer, types, shape })
}

/// Whether values of these types can be told apart as parts of a key.
pub(super) fn is_key_type(types: Types) -> bool {
    KEY_TYPES.contains(&types.without(Types::NULL))
}

/// The types of a key location, without null; `None` when it does not obey the rules.
pub(super) fn key_types(text: &str, schema: &BundledSchema) -> Option<Types> {
    let (shape, exists) = schema.shape.locate(&Pointer::parse(text).ok()?);
    let types = shape.types.without(Types::NULL);
    let exists = matches!(exists, Exists::Must | Exists::May);
    (exists && is_key_type(types)).then_some(types)
}

/// What a location may hold, in words.
pub(super) fn type_words(types: Types) -> String {
    if types == Types::ANY {
        return "any value".to_owned();
    }
    let names: Vec<String> = types.names().into_iter().map(with_article).collect();
    match names.split_last() {
        None => "no value".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
    }
}

/// `an integer`, `a string`, but `null`.
fn with_article(name: &str) -> String {
    match name.chars().next() {
        Some('n') if name == "null" => name.to_owned(),
        Some('a' | 'e' | 'i' | 'o' | 'u') => format!("an {name}"),
        Some(_) | None => format!("a {name}"),
    }
}

fn is_last_write_wins(reduce: &Reduce) -> bool {
    match reduce {
        Reduce::Unset => true,
        Reduce::Strategy(annotation) => {
            annotation.get("strategy").and_then(|strategy| strategy.as_str())
                == Some("lastWriteWins")
        }
        Reduce::Multiple => false,
    }
}

/// The location around a location.
pub(super) fn around(pointer: &Pointer) -> Pointer {
    let tokens = pointer.tokens();
    let outer = tokens.iter().take(tokens.len().saturating_sub(1));
    outer.fold(Pointer::default(), |pointer, token| pointer.child(token.clone()))
}

fn pointer_without_slash(written: WrittenPointer<'_>, shape: &Shape) -> Diagnostic {
    let WrittenPointer { text, span, noun } = written;
    let path = text.strip_prefix("$.").or_else(|| text.strip_prefix('.')).unwrap_or(text);
    let is_property = shape.object.properties.iter().any(|property| property.name == path);
    let pointer = if is_property || path.contains('/') {
        format!("/{path}")
    } else {
        format!("/{}", path.replace('.', "/"))
    };
    let is_known = Pointer::parse(&pointer)
        .is_ok_and(|pointer| matches!(shape.locate(&pointer).1, Exists::Must | Exists::May));
    let fix = Fix::replace(span, pointer.clone(), format!("write the JSON pointer `{pointer}`"));
    Diagnostic::new(
        &rules::POINTER_WITHOUT_SLASH,
        span,
        format!("{noun} `{text}` does not begin with `/`"),
    )
    .label("a location is named by a JSON pointer")
    .fix(if is_known { fix } else { fix.unsafe_to_apply() })
}

fn malformed_pointer(
    written: WrittenPointer<'_>,
    wrong: Range<usize>,
    sources: &Sources,
) -> Diagnostic {
    let WrittenPointer { text, span, noun } = written;
    let part_text = text.get(wrong.clone()).unwrap_or_default();
    let (label, help) = if part_text.contains('~') {
        ("`~` stands only in `~0` and `~1`", "write `~0` for `~`, and `~1` for a `/` in a name")
    } else {
        ("there is no name behind this slash", "remove the slash, or name a property behind it")
    };
    Diagnostic::new(
        &rules::MALFORMED_POINTER,
        part(sources, span, text, wrong),
        format!("{noun} `{text}` is not a JSON pointer"),
    )
    .label(label)
    .help(help)
}

fn key_unknown_location(
    written: WrittenPointer<'_>,
    pointer: &Pointer,
    schema: &BundledSchema,
) -> Diagnostic {
    let WrittenPointer { text, span, noun } = written;
    let around = around(pointer);
    let properties = schema.shape.locate(&around).0.object.properties;
    let names: Vec<String> = properties.into_iter().map(|property| property.name).collect();
    let last = match pointer.tokens().last() {
        Some(Token::Property(name)) => name.clone(),
        Some(Token::Index(index)) => index.to_string(),
        Some(Token::NextIndex) | None => "-".to_owned(),
    };
    let near = nearest(&last, names.iter().map(String::as_str))
        .map(|name| around.child(Token::Property(name.to_owned())));
    let diagnostic = Diagnostic::new(
        &rules::KEY_UNKNOWN_LOCATION,
        span,
        format!("the schema does not know the {noun} `{text}`"),
    )
    .label("no keyword of the schema speaks of this location");
    let Some(near) = near else {
        let diagnostic = match keyword_place(schema, &around, "properties") {
            Some(_) => diagnostic.also(declaration_place(schema, &around), "in this schema"),
            None => diagnostic,
        };
        return diagnostic.help("declare the property in the schema, or name another location");
    };
    let text = near.to_string();
    diagnostic
        .also(declaration_place(schema, &near), "a property of a similar name is declared here")
        .fix(Fix::replace(span, text.clone(), format!("name `{text}`")))
}

fn key_cannot_exist(
    written: WrittenPointer<'_>,
    pointer: &Pointer,
    schema: &BundledSchema,
) -> Diagnostic {
    let WrittenPointer { text, span, noun } = written;
    let mut refusing = pointer.clone();
    let mut place = declaration_place(schema, &refusing);
    while place.is_none() && !refusing.is_root() {
        refusing = around(&refusing);
        place = type_place(schema, &refusing);
    }
    Diagnostic::new(
        &rules::KEY_CANNOT_EXIST,
        span,
        format!("no document can have the {noun} `{text}`"),
    )
    .label("the schema admits no value at this location")
    .also(place, "because of this")
    .help("admit a value in the schema, or name another location")
}

fn key_wrong_type(
    written: WrittenPointer<'_>,
    pointer: &Pointer,
    types: Types,
    schema: &BundledSchema,
) -> Diagnostic {
    let WrittenPointer { text, span, noun } = written;
    let subject = match text {
        "" => format!("the whole document as a {noun}"),
        text => format!("{noun} `{text}`"),
    };
    let message = if types == Types::ANY {
        format!("{subject} has no type")
    } else if types == Types::NULL {
        format!("{subject} is always null")
    } else if types.without(Types::NULL) == Types::NUMBER {
        format!("{subject} may be a fraction")
    } else {
        format!("{subject} may be {}", type_words(types))
    };
    Diagnostic::new(&rules::KEY_WRONG_TYPE, span, message)
        .label(format!("a {noun} has one type: boolean, integer or string"))
        .also(type_place(schema, pointer), format!("the schema admits {} here", type_words(types)))
        .help("give the location one of these types in the schema, or name another location")
}

fn key_has_reduce(
    written: WrittenPointer<'_>,
    pointer: &Pointer,
    schema: &BundledSchema,
) -> Diagnostic {
    let WrittenPointer { text, span, noun } = written;
    Diagnostic::new(
        &rules::KEY_HAS_REDUCE,
        span,
        format!("{noun} `{text}` would be changed by a reduction"),
    )
    .label(format!("documents of one {noun} are reduced, so it must stay as it is"))
    .also(keyword_place(schema, pointer, "reduce"), "this reduction changes it")
    .help("remove the `reduce` of this location")
}

fn key_has_redact(written: WrittenPointer<'_>, redact: Span) -> Diagnostic {
    let WrittenPointer { text, span, noun } = written;
    Diagnostic::new(&rules::KEY_HAS_REDACT, span, format!("{noun} `{text}` would be redacted"))
        .label(format!("documents are told apart by their {noun}"))
        .also(redact, "it is removed or replaced here")
        .help("remove the `redact` of this location")
}

fn key_types_differ(
    written: WrittenPointer<'_>,
    pointer: &Pointer,
    read: &BundledSchema,
    write: &BundledSchema,
) -> Diagnostic {
    let WrittenPointer { text, span, noun } = written;
    let words = |schema: &BundledSchema| type_words(schema.shape.locate(pointer).0.types);
    Diagnostic::new(&rules::KEY_TYPES_DIFFER, span, format!("{noun} `{text}` has two types"))
        .label("it must be the same when documents are written and when they are read")
        .also(type_place(write, pointer), format!("the write schema admits {}", words(write)))
        .also(type_place(read, pointer), format!("the read schema admits {}", words(read)))
        .help("give it one type in both schemas")
}
