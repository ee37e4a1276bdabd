//! What may be written at a cursor: fields from the field tables, names from the catalog, pointers and parameters from shapes.

use tidegate_stdlib::lambda::sqlite::Parameters;
use tidegate_stdlib::reduce::STRATEGIES;

use super::cursor::{Cursor, Step, Writing, cursor};
use super::hover::words;
use super::lambda::{lambda_at, parameter_at};
use crate::catalog::{Collection, CollectionId};
use crate::model::{Field, FieldKind, ShuffleSpec, tables};
use crate::session::Snapshot;
use crate::source::{FileId, Range, Role};

/// Something that may be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// What is shown.
    pub label: String,
    /// What it is.
    pub kind: CompletionKind,
    /// What it is in a few words; may be empty.
    pub detail: String,
    /// What is said about it; may be empty.
    pub documentation: String,
    /// The text to write.
    pub text: String,
    /// What the text takes the place of.
    pub range: Range,
}

/// What a completion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompletionKind {
    /// A field of the language.
    Field,
    /// One of a few words.
    Word,
    /// The name of a collection.
    Collection,
    /// A location of documents.
    Pointer,
    /// A parameter of a lambda.
    Parameter,
    /// A keyword of schemas.
    Keyword,
}

/// What may be written at a byte of a file, in the order in which it should be shown.
pub fn completions(snapshot: &Snapshot, file: FileId, offset: u32) -> Vec<Completion> {
    let source = snapshot.compilation.sources.file(file);
    let catalog = &snapshot.compilation.checked.catalog;
    let lambda = lambda_at(&snapshot.compilation.sources, catalog, file, offset);
    let parameter = lambda
        .and_then(|lambda| Some((lambda.source, parameter_at(lambda.text, lambda.start, offset)?)));
    if let Some((source, range)) = parameter {
        return parameters(snapshot, source, range);
    }
    let Some(cursor) = cursor(&source.text, offset as usize) else { return Vec::new() };
    let start = u32::try_from(cursor.word_start).unwrap_or(offset).min(offset);
    let range = Range::new(start, offset);
    let begin = match source.role {
        Role::Catalog => Expected::of_root(),
        Role::Schema => vec![Expected::Schema],
        Role::Config | Role::Module | Role::Fixture | Role::Settings | Role::Arguments => {
            return Vec::new();
        }
    };
    let expected = cursor.path.iter().fold(begin, |expected, step| {
        expected.into_iter().flat_map(|each| each.below(step)).collect()
    });
    let completer = Completer { snapshot, file, cursor: &cursor, range };
    match &cursor.writing {
        Writing::Block => Vec::new(),
        Writing::Key(others) => {
            let has_colon = source.text.get(offset as usize..).is_some_and(|after| {
                after.lines().next().unwrap_or_default().trim_start().starts_with(':')
            });
            let keys = expected.iter().flat_map(|each| completer.keys(*each, others, has_colon));
            // What has no colon yet may be a value that stands on a line of its own.
            let is_open = others.is_empty() && !has_colon;
            let values = expected.iter().filter(|_| is_open);
            keys.chain(values.flat_map(|each| completer.values(*each))).collect()
        }
        Writing::Value => expected.iter().flat_map(|each| completer.values(*each)).collect(),
    }
}

/// What is expected at a place.
#[derive(Debug, Clone, Copy)]
enum Expected {
    /// A value of the language.
    Kind(FieldKind),
    /// A schema.
    Schema,
    /// Schemas by name, or in a list.
    Schemas,
    /// The types of a schema.
    Types,
    /// A `reduce` annotation.
    Reduce,
    /// The name of a reduction.
    Strategy,
    /// Something that is not known here.
    Anything,
}

/// Keywords of schemas and what each is for.
const KEYWORDS: [(&str, &str); 25] = [
    ("type", "Types that a value may have"),
    ("properties", "Schemas of properties by name"),
    ("required", "Properties that must be there"),
    ("items", "Schema of the items of an array"),
    ("enum", "Values of which one is meant"),
    ("const", "The only value"),
    ("format", "What a string looks like"),
    ("title", "A short name for people"),
    ("description", "What the value means"),
    ("default", "What is used when the value is missing"),
    ("reduce", "How values of one key become one"),
    ("minimum", "Least number"),
    ("maximum", "Greatest number"),
    ("minLength", "Least count of characters"),
    ("maxLength", "Greatest count of characters"),
    ("pattern", "Regular expression that a string matches"),
    ("minItems", "Least count of items"),
    ("maxItems", "Greatest count of items"),
    ("additionalProperties", "Schema of properties that are not named"),
    ("patternProperties", "Schemas of properties by a regular expression"),
    ("allOf", "Schemas that all apply"),
    ("anyOf", "Schemas of which at least one applies"),
    ("oneOf", "Schemas of which exactly one applies"),
    ("$ref", "A schema that stands elsewhere"),
    ("$defs", "Schemas that are referred to, by name"),
];

const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

impl Expected {
    fn of_root() -> Vec<Self> {
        tables().first().map(|root| Self::Kind(FieldKind::Object(root))).into_iter().collect()
    }

    /// What is expected one step further down.
    fn below(self, step: &Step) -> Vec<Self> {
        match (self, step) {
            (Self::Kind(kind), step) => below_kind(kind, step),
            (Self::Schema, Step::Key(key)) => vec![match key.as_str() {
                "properties" | "patternProperties" | "$defs" | "definitions"
                | "dependentSchemas" | "allOf" | "anyOf" | "oneOf" | "prefixItems" => Self::Schemas,
                "items" | "additionalProperties" | "not" | "if" | "then" | "else" | "contains" => {
                    Self::Schema
                }
                "type" => Self::Types,
                "reduce" => Self::Reduce,
                _ => Self::Anything,
            }],
            (Self::Schemas, _) => vec![Self::Schema],
            (Self::Types, Step::Item(_)) => vec![Self::Types],
            (Self::Reduce, Step::Key(key)) if key == "strategy" => vec![Self::Strategy],
            (Self::Schema | Self::Types | Self::Reduce | Self::Strategy | Self::Anything, _) => {
                vec![Self::Anything]
            }
        }
    }
}

fn below_kind(kind: FieldKind, step: &Step) -> Vec<Expected> {
    match (kind, step) {
        (FieldKind::OneOf(kinds), step) => {
            kinds.iter().flat_map(|kind| below_kind(*kind, step)).collect()
        }
        (FieldKind::Object(table), Step::Key(key)) => {
            table.field(key).map(|field| Expected::Kind(field.kind)).into_iter().collect()
        }
        (FieldKind::Map(kind), Step::Key(_)) | (FieldKind::List(kind), Step::Item(_)) => {
            vec![Expected::Kind(*kind)]
        }
        (FieldKind::Schema, step) => Expected::Schema.below(step),
        _ => Vec::new(),
    }
}

struct Completer<'c> {
    snapshot: &'c Snapshot,
    file: FileId,
    cursor: &'c Cursor,
    range: Range,
}

impl Completer<'_> {
    fn named(&self, label: &str, kind: CompletionKind, detail: String) -> Completion {
        Completion {
            label: label.to_owned(),
            kind,
            detail,
            documentation: String::new(),
            text: label.to_owned(),
            range: self.range,
        }
    }

    /// The keys that a mapping may have further.
    fn keys(&self, expected: Expected, others: &[String], has_colon: bool) -> Vec<Completion> {
        let is_new = |name: &str| !others.iter().any(|other| other == name);
        let written = |name: &str, end: &str| {
            if has_colon { name.to_owned() } else { format!("{name}{end}") }
        };
        if let Expected::Kind(FieldKind::OneOf(kinds)) = expected {
            let kinds = kinds.iter().map(|kind| Expected::Kind(*kind));
            return kinds.flat_map(|kind| self.keys(kind, others, has_colon)).collect();
        }
        if let Expected::Kind(FieldKind::Object(table)) = expected {
            let is_new = |field: &&Field| !others.iter().any(|other| field.is_named(other));
            let mut fields: Vec<&Field> = table.fields.iter().filter(is_new).collect();
            fields.sort_by_key(|field| !field.required);
            return fields
                .into_iter()
                .map(|field| Completion {
                    documentation: field.docs.to_owned(),
                    text: written(field.name, colon_of(field.kind)),
                    ..self.named(field.name, CompletionKind::Field, field.kind.expectation())
                })
                .collect();
        }
        let keywords: &[(&str, &str)] = match expected {
            Expected::Schema | Expected::Kind(FieldKind::Schema) => &KEYWORDS,
            Expected::Reduce => &[("strategy", "How two values become one")],
            Expected::Kind(_)
            | Expected::Schemas
            | Expected::Types
            | Expected::Strategy
            | Expected::Anything => &[],
        };
        keywords
            .iter()
            .filter(|(name, _)| is_new(name))
            .map(|(name, docs)| Completion {
                documentation: (*docs).to_owned(),
                text: written(name, ": "),
                ..self.named(name, CompletionKind::Keyword, String::new())
            })
            .collect()
    }

    /// The values that may stand here.
    fn values(&self, expected: Expected) -> Vec<Completion> {
        match expected {
            Expected::Kind(kind) => self.values_of_kind(kind),
            Expected::Types => self.words(&TYPES),
            Expected::Strategy => STRATEGIES
                .iter()
                .map(|strategy| Completion {
                    documentation: strategy.docs.to_owned(),
                    ..self.named(strategy.name, CompletionKind::Word, String::new())
                })
                .collect(),
            Expected::Schema | Expected::Schemas | Expected::Reduce | Expected::Anything => {
                Vec::new()
            }
        }
    }

    fn values_of_kind(&self, kind: FieldKind) -> Vec<Completion> {
        match kind {
            FieldKind::OneOf(kinds) => {
                kinds.iter().flat_map(|kind| self.values_of_kind(*kind)).collect()
            }
            FieldKind::Boolean => self.words(&["true", "false"]),
            FieldKind::Word(known) => self.words(known),
            FieldKind::CollectionName => self.collections(),
            FieldKind::Pointer => self.pointers(),
            FieldKind::Unsigned
            | FieldKind::Integer
            | FieldKind::String
            | FieldKind::Duration
            | FieldKind::Timestamp
            | FieldKind::Base64
            | FieldKind::Any
            | FieldKind::Schema
            | FieldKind::InlineOrFile
            | FieldKind::Object(_)
            | FieldKind::List(_)
            | FieldKind::Map(_) => Vec::new(),
        }
    }

    fn words(&self, words: &[&str]) -> Vec<Completion> {
        words.iter().map(|word| self.named(word, CompletionKind::Word, String::new())).collect()
    }

    fn collections(&self) -> Vec<Completion> {
        let checked = &self.snapshot.compilation.checked;
        let all = checked.catalog.collections().map(|(id, collection)| {
            let is_derived = checked.collection(id).derivation.is_some();
            let kind = if is_derived { "derivation" } else { "collection" };
            self.named(collection.name(), CompletionKind::Collection, kind.to_owned())
        });
        all.collect()
    }

    /// The locations of the documents that a pointer at the cursor leads into.
    fn pointers(&self) -> Vec<Completion> {
        let Some(id) = self.documents() else { return Vec::new() };
        let collection = self.snapshot.compilation.checked.collection(id);
        let shape = &collection.effective_read_schema().shape;
        let locations = shape.locations().into_iter().filter(|(pointer, ..)| !pointer.is_root());
        locations
            .map(|(pointer, shape, _)| {
                self.named(&pointer.to_string(), CompletionKind::Pointer, words(shape))
            })
            .collect()
    }

    /// The collection whose documents a pointer at the cursor leads into: of a shuffle the source, else the collection itself.
    fn documents(&self) -> Option<CollectionId> {
        let [Step::Key(section), Step::Key(name), rest @ ..] = self.cursor.path.as_slice() else {
            return None;
        };
        let catalog = &self.snapshot.compilation.checked.catalog;
        let (id, collection) = (section == "collections")
            .then(|| catalog.collections().find(|(_, collection)| collection.name() == name))??;
        let item = rest.iter().find_map(|step| match step {
            Step::Item(start) => Some(*start),
            Step::Key(_) => None,
        });
        let is_shuffle = rest.iter().any(|step| *step == Step::Key("shuffle".to_owned()));
        if is_shuffle { self.source_of_transform(collection, item?) } else { Some(id) }
    }

    /// What the transform reads that begins at a byte.
    fn source_of_transform(&self, collection: &Collection, item: usize) -> Option<CollectionId> {
        let derive = collection.spec().derive.as_ref()?;
        let transforms = derive.transforms.iter().zip(&collection.sources);
        let is_own = collection.file() == self.file;
        let of_item = transforms.filter(|(transform, _)| {
            is_own && transform.name.range.start as usize >= item
                || matches!(&transform.shuffle, Some(ShuffleSpec::Key(key))
                    if is_own && key.range.start as usize >= item)
        });
        of_item.min_by_key(|(transform, _)| transform.name.range.start)?.1.target
    }
}

/// What follows the name of a field.
fn colon_of(kind: FieldKind) -> &'static str {
    let is_block = matches!(
        kind,
        FieldKind::Object(_) | FieldKind::Map(_) | FieldKind::List(FieldKind::Object(_))
    );
    if is_block { ":" } else { ": " }
}

/// The parameters of a lambda over a collection.
fn parameters(snapshot: &Snapshot, source: CollectionId, range: Range) -> Vec<Completion> {
    let checked = snapshot.compilation.checked.collection(source);
    checked
        .projections
        .iter()
        .map(|projection| {
            let text = Parameters::canonical(&projection.field);
            Completion {
                label: text.clone(),
                kind: CompletionKind::Parameter,
                detail: projection.types.join(" or "),
                documentation: projection.description.clone().unwrap_or_default(),
                text,
                range,
            }
        })
        .collect()
}
