//! The schemas of a collection: which it has, whether they can be used, and what is wrong with them.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use serde_json::Value;
use tidegate_stdlib::schema::{Schema, SchemaFailure, SchemaFailureKind, Suggestion};
use tidegate_stdlib::shape::{Exists, Inspection, InspectionKind, Path, Types};
use tidegate_stdlib::value::Pointer;

use super::keys::type_words;
use super::locations::{declaration_place, keyword_place, schemas_of, type_place, type_places};
use super::witness::{self, Witness};
use super::{redaction, rewrite};
use crate::catalog::{
    BundledSchema, Collection, SchemaMemo, SchemaUse, bundle_schema, declaring_field,
};
use crate::diag::{Diagnostic, Fix, Sink, rules};
use crate::model::InlineOrFile;
use crate::source::{Sources, Span};
use crate::syntax::NodeKind;

/// The schemas of one collection.
#[derive(Debug)]
pub(super) struct CollectionSchemas {
    /// What documents satisfy when they are written.
    pub(super) write: BundledSchema,
    /// What they satisfy when they are read, unless it is the write schema.
    pub(super) read: Option<BundledSchema>,
    /// Both to validate with; `None` when a schema is missing or has a fault, which has been reported.
    pub(super) validators: Option<Validators>,
}

/// The schemas of one collection, to validate documents with.
#[derive(Debug)]
pub(super) struct Validators {
    pub(super) write: Validator,
    pub(super) read: Option<Validator>,
}

/// A schema without faults. It is compiled when the first document is there to be validated: few collections have one, and a
/// compiled schema is large.
#[derive(Debug)]
pub(super) struct Validator {
    value: Arc<Value>,
    compiled: OnceLock<Schema>,
}

impl Validator {
    fn new(schema: &BundledSchema) -> Self {
        Self { value: Arc::clone(&schema.value), compiled: OnceLock::new() }
    }

    /// The compiled schema. One that cannot be compiled, which has been reported, refuses nothing.
    pub(super) fn schema(&self) -> &Schema {
        self.compiled.get_or_init(|| {
            let anything = || Schema::compile(&Value::Bool(true)).expect("`true` is a schema");
            Schema::compile(&self.value).unwrap_or_else(|_| anything())
        })
    }
}

/// Bundles, compiles and inspects the schemas of a collection.
pub(super) fn check(
    collection: &Collection,
    sources: &Sources,
    memo: &SchemaMemo,
    sink: &mut Sink,
) -> CollectionSchemas {
    let spec = collection.spec();
    let pair = match (&spec.schema, &spec.write_schema, &spec.read_schema) {
        (Some(both), None, None) => Some((both, None)),
        (None, Some(write), Some(read)) => Some((write, Some(read))),
        _ => None,
    };
    let Some((write_source, read_source)) = pair else {
        if !has_unbound_schema(collection, sources) {
            sink.report(schema_combination(collection, sources));
        }
        return CollectionSchemas::missing(collection);
    };
    let mut check = |schema, schema_use| {
        let bundled = bundle_schema(sources, collection.file(), schema, schema_use, memo, sink)?;
        Some(check_schema(collection, bundled, sources, sink))
    };
    let write = check(write_source, SchemaUse::Write);
    let read = read_source.map(|read| check(read, SchemaUse::Read(Some(write_source))));
    let (Some((write, write_validator)), false) = (write, matches!(read, Some(None))) else {
        return CollectionSchemas::missing(collection);
    };
    let (read, read_validator) = read.flatten().unzip();
    let validators = match (write_validator, read_validator) {
        (Some(write), None) => Some(Validators { write, read: None }),
        (Some(write), Some(Some(read))) => Some(Validators { write, read: Some(read) }),
        (None, _) | (Some(_), Some(None)) => None,
    };
    if validators.is_some() {
        check_meta(&write, read.as_ref(), sources, sink);
        redaction::check(&write, read.as_ref(), sink);
    }
    CollectionSchemas { write, read, validators }
}

impl CollectionSchemas {
    fn missing(collection: &Collection) -> Self {
        let write = BundledSchema::stand_in(collection.name_span());
        Self { write, read: None, validators: None }
    }
}

/// Whether a schema is written that is none, which was reported when it was bound.
fn has_unbound_schema(collection: &Collection, sources: &Sources) -> bool {
    let spec = collection.spec();
    let Some(tree) = &sources.file(collection.file()).tree else { return false };
    if !tree.is_mapping(spec.name.node) {
        return true;
    }
    [
        ("schema", &spec.schema),
        ("writeSchema", &spec.write_schema),
        ("readSchema", &spec.read_schema),
    ]
    .into_iter()
    .any(|(field, schema)| {
        let entry = tree.entry(spec.name.node, field);
        schema.is_none()
            && entry.is_some_and(|entry| !matches!(tree.node(entry.value).kind, NodeKind::Null))
    })
}

/// Checks one schema. It has no validator when it has faults.
fn check_schema(
    collection: &Collection,
    bundled: BundledSchema,
    sources: &Sources,
    sink: &mut Sink,
) -> (BundledSchema, Option<Validator>) {
    let faults = faults(&bundled);
    if !faults.is_empty() {
        for fault in faults.iter() {
            sink.report(schema_fault(fault, &bundled));
        }
        return (bundled, None);
    }
    let mut is_usable = true;
    if bundled.shape.types != Types::OBJECT {
        sink.report(collection_schema_not_object(collection, &bundled, sources));
        is_usable = false;
    }
    for inspection in bundled.shape.inspect() {
        // That no document fits has been said.
        if inspection.path.is_root() && !is_usable {
            continue;
        }
        if let Some(diagnostic) = inspected(&inspection, &bundled, sources) {
            sink.report(diagnostic);
        }
    }
    let validator = is_usable.then(|| Validator::new(&bundled));
    (bundled, validator)
}

/// What is wrong with a schema by itself. Patterns may be too large to be compiled, which shows only when they are.
fn faults(schema: &BundledSchema) -> Cow<'_, [SchemaFailure]> {
    let has_patterns = schema.keywords.has_any(&["pattern", "patternProperties"]);
    if schema.faults.is_empty() && has_patterns {
        return Schema::compile(&schema.value).err().unwrap_or_default().into();
    }
    schema.faults.as_ref().into()
}

/// Other tools stamp documents before they validate them.
fn check_meta(
    write: &BundledSchema,
    read: Option<&BundledSchema>,
    sources: &Sources,
    sink: &mut Sink,
) {
    let uuid = Pointer::parse(tidegate_stdlib::bundle::UUID_POINTER).expect("a valid pointer");
    let refusing = std::iter::once(write).chain(read).find(|schema| {
        let (shape, exists) = schema.shape.locate(&uuid);
        exists == Exists::Cannot || !shape.types.overlaps(Types::STRING)
    });
    if let Some(schema) = refusing {
        sink.report(meta_refused(schema, sources));
    }
}

/// What a location is called in messages.
pub(super) fn location_name(path: &Path) -> String {
    if path.is_root() { "the document".to_owned() } else { format!("`{path}`") }
}

fn inspected(
    inspection: &Inspection,
    schema: &BundledSchema,
    sources: &Sources,
) -> Option<Diagnostic> {
    let Inspection { path, types, .. } = inspection;
    let name = location_name(path);
    let place = |keyword: &str| {
        keyword_place(schema, path, keyword)
            .or_else(|| declaration_place(schema, path))
            .or_else(|| schema.place(""))
    };
    let declared = || type_place(schema, path);
    let admits = format!("the schema admits {} here", type_words(*types));
    Some(match inspection.kind {
        InspectionKind::ImpossibleMustExist => {
            let mut places = type_places(schema, path).into_iter();
            impossible_location(&name, places.next().or_else(|| place("type"))?, places.next())
        }
        InspectionKind::ChildWithoutParentReduction => {
            reduction_not_reached(path, schema, place("reduce")?, sources)
        }
        InspectionKind::SumNotNumber => Diagnostic::new(
            &rules::SUM_NOT_NUMBER,
            place("reduce")?,
            format!("{name} is summed but may be something else than a number"),
        )
        .label("only numbers and numeric strings can be summed")
        .also(declared(), admits)
        .help("give it `type: number` or `type: integer`, or a string a numeric `format`"),
        InspectionKind::MergeNotObjectOrArray => Diagnostic::new(
            &rules::MERGE_NOT_OBJECT_OR_ARRAY,
            place("reduce")?,
            format!("{name} is merged but may be no object or array"),
        )
        .label("only objects and arrays can be merged")
        .also(declared(), admits)
        .help("give it `type: object` or `type: array`"),
        InspectionKind::SetNotObject => Diagnostic::new(
            &rules::SET_NOT_OBJECT,
            place("reduce")?,
            format!("{name} is reduced as a set but may be no object"),
        )
        .label("a set is an object of `add`, `intersect` and `remove`")
        .also(declared(), admits)
        .help("give it `type: object`"),
        InspectionKind::SetInvalidProperty => Diagnostic::new(
            &rules::SET_INVALID_PROPERTY,
            declaration_place(schema, path).or_else(|| schema.place(""))?,
            format!("{name} cannot be a property of a set"),
        )
        .label("a set has only `add`, `intersect` and `remove`")
        .help("name it as one of these, or choose another reduction"),
        // These are told with the other faults of redactions.
        InspectionKind::BlockRedactionMustExist | InspectionKind::Sha256RedactionNotString => {
            return None;
        }
        InspectionKind::InvalidDefaultValue => Diagnostic::new(
            &rules::DEFAULT_VIOLATES_SCHEMA,
            place("default")?,
            format!("the default of {name} is not a value it may have"),
        )
        .label("this value does not satisfy the schema of its location")
        .also(declared(), admits)
        .help("give it a default that satisfies the schema, or none"),
    })
}

/// Says that readers will fail on documents that may be written, and shows one.
pub(super) fn check_refusals(
    write: &BundledSchema,
    read: &BundledSchema,
    validators: &Validators,
    sink: &mut Sink,
) {
    let Some(reading) = &validators.read else { return };
    let witness = witness::find(&write.shape, validators.write.schema(), reading.schema());
    if let Some(diagnostic) = witness.and_then(|it| read_refuses_written(&it, write, read)) {
        sink.report(diagnostic);
    }
}

fn read_refuses_written(
    witness: &Witness,
    write: &BundledSchema,
    read: &BundledSchema,
) -> Option<Diagnostic> {
    let Witness { document, violation } = witness;
    let place = read.value_place(&violation.schema_pointer)?;
    let pointer = Pointer::parse(&violation.instance_pointer).unwrap_or_default();
    let diagnostic = Diagnostic::new(
        &rules::READ_REFUSES_WRITTEN,
        place,
        "a document may be written that cannot be read",
    )
    .label(format!("the read schema refuses it: {}", violation.message))
    .also(declaration_place(write, &pointer), "the write schema admits it")
    .note(format!("such a document is `{document}`"))
    .help("admit it in the read schema, or refuse it in the write schema");
    Some(diagnostic)
}

fn impossible_location(name: &str, span: Span, other: Option<Span>) -> Diagnostic {
    Diagnostic::new(
        &rules::IMPOSSIBLE_LOCATION,
        span,
        format!("{name} must exist, but no value fits it"),
    )
    .label("nothing satisfies this together with the rest of the schema")
    .also(other, "which also says this")
    .help("make the parts of the schema agree, or do not require the location")
}

fn reduction_not_reached(
    path: &Path,
    schema: &BundledSchema,
    span: Span,
    sources: &Sources,
) -> Diagnostic {
    let (around, name) = (path.around(), location_name(path));
    let words = location_name(&around);
    let fix = schema_place(schema, &around).and_then(|place| {
        let edit = rewrite::first_entry(sources, place, "reduce", "{strategy: merge}")?;
        let fix = Fix::replace(span, "", format!("merge {words}")).unsafe_to_apply();
        Some(Fix { edits: vec![edit], ..fix })
    });
    Diagnostic::new(
        &rules::REDUCTION_NOT_REACHED,
        span,
        format!("the reduction of {name} is never reached"),
    )
    .label(format!("{words} around it has no `reduce`, so it is replaced as a whole"))
    .also(declaration_place(schema, &around), "this has no `reduce`")
    .fix(fix)
}

/// The bytes of the schema of a location; of the root, when it is the value of one document.
fn schema_place(schema: &BundledSchema, location: &Path) -> Option<Span> {
    if location.is_root() {
        return schema.root_place;
    }
    let pointer = schemas_of(&schema.value, location).into_iter().next()?;
    schema.exact_value_place(&pointer)
}

fn schema_combination(collection: &Collection, sources: &Sources) -> Diagnostic {
    let spec = collection.spec();
    let place = |schema: &InlineOrFile| declaring_field(sources, collection.file(), schema);
    let given: Vec<(&str, Span)> = [
        ("schema", &spec.schema),
        ("writeSchema", &spec.write_schema),
        ("readSchema", &spec.read_schema),
    ]
    .into_iter()
    .filter_map(|(field, schema)| Some((field, place(schema.as_ref()?))))
    .collect();
    let name = collection.name();
    let new = |span, message| Diagnostic::new(&rules::SCHEMA_COMBINATION, span, message);
    match given.as_slice() {
        [] => new(collection.name_span(), format!("collection `{name}` has no schema"))
            .label("its documents are not described")
            .help("add `schema`, or `writeSchema` and `readSchema`"),
        [(field, span)] => {
            let other = if *field == "writeSchema" { "readSchema" } else { "writeSchema" };
            new(*span, format!("collection `{name}` has a `{field}` but no `{other}`"))
                .label("the two are declared together")
                .help(format!("add `{other}`, or call this one `schema`"))
        }
        [(_, first), (field, second), ..] => {
            new(*second, format!("collection `{name}` has `schema` and `{field}`"))
                .label("`schema` describes documents both when written and when read")
                .also(*first, "and is declared here")
                .help("keep `schema` alone, or `writeSchema` and `readSchema`")
        }
    }
}

fn schema_fault(failure: &SchemaFailure, schema: &BundledSchema) -> Diagnostic {
    let name = schema.place(&failure.pointer);
    let value = schema.value_place(&failure.pointer);
    let (rule, place, label) = match failure.kind {
        SchemaFailureKind::UnknownKeyword => {
            (&rules::SCHEMA_UNKNOWN_KEYWORD, name, "no rule of JSON Schema has this name")
        }
        SchemaFailureKind::UnknownFormat => {
            (&rules::SCHEMA_UNKNOWN_FORMAT, value, "texts cannot be checked against it")
        }
        SchemaFailureKind::Malformed if is_unknown_field_of_annotation(&failure.pointer) => {
            (&rules::SCHEMA_MALFORMED, name, "the annotation has no such field")
        }
        SchemaFailureKind::Malformed => {
            (&rules::SCHEMA_MALFORMED, value, "the schema cannot be used with this")
        }
    };
    let place = place.expect("the root of a bundle has a place");
    let diagnostic = Diagnostic::new(rule, place, failure.message.clone()).label(label);
    match &failure.suggestion {
        Some(Suggestion::Word(word)) => {
            diagnostic.fix(Fix::replace(place, word, format!("write `{word}`")))
        }
        Some(Suggestion::Advice(advice)) => diagnostic.help(advice.clone()),
        None => match failure.kind {
            SchemaFailureKind::UnknownKeyword if is_torn_text(failure, schema) => diagnostic
                .label("this seems to be the rest of a text")
                .help("quote the text: between braces, a comma ends it"),
            SchemaFailureKind::UnknownKeyword => {
                diagnostic.help("remove the keyword, or begin its name with `x-`")
            }
            SchemaFailureKind::UnknownFormat => {
                diagnostic.help("use a known format such as `date-time`, or a `pattern`")
            }
            SchemaFailureKind::Malformed => diagnostic.help("correct the value"),
        },
    }
}

/// Whether a pointer leads to a field that no reduction or redaction has.
fn is_unknown_field_of_annotation(pointer: &str) -> bool {
    const FIELDS: [&str; 4] = ["strategy", "key", "delete", "associative"];
    let mut tokens = pointer.rsplit('/');
    let (field, around) = (tokens.next().unwrap_or_default(), tokens.next().unwrap_or_default());
    matches!(around, "reduce" | "redact") && !FIELDS.contains(&field)
}

/// Whether a keyword is what follows a comma in a text between braces: several words without a value.
fn is_torn_text(failure: &SchemaFailure, schema: &BundledSchema) -> bool {
    let is_null = schema.value.pointer(&failure.pointer).is_some_and(Value::is_null);
    is_null && failure.pointer.rsplit('/').next().is_some_and(|name| name.contains([' ', '.']))
}

fn collection_schema_not_object(
    collection: &Collection,
    schema: &BundledSchema,
    sources: &Sources,
) -> Diagnostic {
    let root = Pointer::default();
    let declared = keyword_place(schema, &root, "type");
    let span = declared.or_else(|| schema.place("")).unwrap_or_else(|| collection.name_span());
    let types = type_words(schema.shape.types);
    let message = if schema.shape.types.is_none() {
        format!("`{}` can have no documents", collection.name())
    } else {
        format!("documents of `{}` may be something else than objects", collection.name())
    };
    let diagnostic = Diagnostic::new(&rules::COLLECTION_SCHEMA_NOT_OBJECT, span, message)
        .label(format!("the schema admits {types}"))
        .help("give the schema `type: object`");
    match declared {
        Some(_) => diagnostic,
        None => diagnostic.fix(schema.root_place.and_then(|root| {
            let edit = rewrite::first_entry(sources, root, "type", "object")?;
            Some(Fix { edits: vec![edit], ..Fix::replace(span, "", "add `type: object`") })
        })),
    }
}

fn meta_refused(schema: &BundledSchema, sources: &Sources) -> Diagnostic {
    let meta = Pointer::parse("/_meta").expect("a valid pointer");
    let span = declaration_place(schema, &meta)
        .or_else(|| schema.place(""))
        .expect("the root of a bundle has a place");
    let fix = schema.exact_value_place("/properties").and_then(|properties| {
        let is_declared = schema.value.pointer("/properties/_meta").is_some();
        let edit = rewrite::first_entry(sources, properties, "_meta", "{type: object}")?;
        (!is_declared).then(|| Fix {
            edits: vec![edit],
            ..Fix::replace(span, "", "declare the property `_meta`")
        })
    });
    Diagnostic::new(&rules::META_REFUSED, span, "the schema refuses `/_meta/uuid`")
        .label("other tools stamp documents before they validate them")
        .note("here documents are validated without the stamp, so this catalog works")
        .fix(fix)
}
