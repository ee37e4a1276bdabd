//! The declarations of one collection: its documents, what its transforms read, and the class that derives it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use tidegate_stdlib::lambda::typescript::{method_name, source_type_name};
use tidegate_stdlib::schema::NormalForm;
use tidegate_stdlib::shape::Shape;

use super::shape::{Named, definition};
use super::{BASE_CLASS, comment, is_identifier};
use crate::catalog::{Anchor, BundledSchema};

const HEAD: &str = "// Written by Tidegate from the schemas of the catalog: changes are lost when it is written again.\n";

/// What the types of a collection are made of.
#[derive(Debug, Clone)]
pub struct Types {
    /// The collection.
    pub collection: String,
    /// What documents satisfy when they are written.
    pub write: Arc<BundledSchema>,
    /// What they satisfy when they are read, unless it is the write schema.
    pub read: Option<Arc<BundledSchema>>,
    /// What is read to derive it, when a module derives it.
    pub reads: Option<Vec<Read>>,
}

/// One transform of a derivation by a module.
#[derive(Debug, Clone)]
pub struct Read {
    /// Its name.
    pub transform: String,
    /// The collection that it reads.
    pub source: String,
    /// The schema that readers of that collection apply.
    pub schema: Arc<BundledSchema>,
}

/// One type with what it is the type of.
struct Declared<'s> {
    name: String,
    /// What is said of it.
    about: String,
    schema: &'s BundledSchema,
    /// JSON pointer of the part of the schema.
    pointer: &'s str,
    named: Named,
}

impl Types {
    /// The names that the text exports, in its order.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.declared().into_iter().map(|each| each.name).collect();
        names.extend(self.reads.is_some().then(|| BASE_CLASS.to_owned()));
        names
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        let mut text = HEAD.to_owned();
        for declared in self.declared() {
            text.push('\n');
            text.push_str(&comment("", Some(&declared.about), None));
            let shape = shape_of(declared.schema, declared.pointer);
            let definition = definition(&shape, declared.pointer, &declared.named);
            writeln!(text, "export type {} = {definition};", declared.name)
                .expect("a string takes text");
        }
        if let Some(reads) = &self.reads {
            text.push_str(&base_class(reads));
        }
        text
    }

    /// All types in order. Of two that would have one name, the first is declared.
    fn declared(&self) -> Vec<Declared<'_>> {
        let anchors = self.read.as_ref().unwrap_or(&self.write);
        let mut all = Vec::new();
        let about = format!("A document of `{}`.", self.collection);
        of_schema("Document", about, &self.write, anchors, &mut all);
        for read in self.reads.iter().flatten() {
            let about = format!("A document of `{}`, as it is read.", read.source);
            let name = source_type_name(&read.transform);
            of_schema(&name, about, &read.schema, &read.schema, &mut all);
        }
        let mut seen = BTreeSet::new();
        all.retain(|declared| seen.insert(declared.name.clone()));
        all
    }
}

/// The type of a schema and those of the named parts of `anchors`, whose names begin with its own.
fn of_schema<'s>(
    name: &str,
    about: String,
    schema: &'s BundledSchema,
    anchors: &'s BundledSchema,
    into: &mut Vec<Declared<'s>>,
) {
    let known: BTreeSet<&str> = anchors
        .anchors
        .iter()
        .map(|anchor| anchor.name.as_str())
        .filter(|name| is_type(name))
        .collect();
    let named = |schema: &BundledSchema| -> Named {
        let anchors = first_of_each(&schema.anchors).filter(|anchor| known.contains(&*anchor.name));
        anchors.map(|anchor| (anchor.pointer.clone(), format!("{name}{}", anchor.name))).collect()
    };
    into.push(Declared { name: name.to_owned(), about, schema, pointer: "", named: named(schema) });
    let parts = named(anchors);
    for anchor in first_of_each(&anchors.anchors) {
        if let Some(name) = parts.get(&anchor.pointer) {
            into.push(Declared {
                name: name.clone(),
                about: format!("Its part `{}`.", anchor.name),
                schema: anchors,
                pointer: &anchor.pointer,
                named: parts.clone(),
            });
        }
    }
}

/// The parts without those whose name an earlier one has.
fn first_of_each(anchors: &[Anchor]) -> impl Iterator<Item = &Anchor> {
    let mut seen = BTreeSet::new();
    anchors.iter().filter(move |anchor| seen.insert(anchor.name.as_str()))
}

/// Whether the name of a part of a schema becomes the name of a type.
fn is_type(name: &str) -> bool {
    name.len() > 1
        && name.starts_with(|first: char| first.is_ascii_uppercase())
        && is_identifier(name)
}

fn shape_of(schema: &BundledSchema, pointer: &str) -> Shape {
    match pointer {
        "" => Shape::clone(&schema.shape),
        pointer => {
            Shape::of_part(&NormalForm::new(&schema.value), pointer).unwrap_or_else(Shape::any)
        }
    }
}

/// The class that modules extend, as the runtime has it, and a value for each type that modules import by its name alone.
pub fn base_class_script<'n>(types: impl Iterator<Item = &'n str>) -> String {
    let mut text = format!(
        "export class {BASE_CLASS} {{
    constructor(_open) {{}}
    async flush() {{ return []; }}
    async reset() {{}}
    startCommit(_commit) {{ return {{}}; }}
}}
"
    );
    for name in types.filter(|name| is_identifier(name) && *name != "default") {
        writeln!(text, "export const {name} = undefined;").expect("a string takes text");
    }
    text
}

fn base_class(reads: &[Read]) -> String {
    let mut text = format!(
        "
/** What derives the collection: the module exports a class `Derivation` that extends this one. */
export abstract class {BASE_CLASS} {{
    /** The state is what the last `startCommit` gave, or `{{}}` when none did. */
    constructor(_open: {{ state: unknown }}) {{}}

    /** Gives what is published at the end of a transaction. */
    // deno-lint-ignore require-await
    async flush(): Promise<Document[]> {{
        return [];
    }}

    /** Forgets everything. Some tools call it between tests; here each test begins with a new instance. */
    async reset(): Promise<void> {{}}

    /** Gives the state that is committed together with what was published. */
    startCommit(_commit: {{ runtimeCheckpoint: unknown }}): {{ state?: {{ updated: unknown; mergePatch: boolean }} }} {{
        return {{}};
    }}
"
    );
    for read in reads {
        let method = method_name(&read.transform);
        let name = if is_identifier(&method) { method } else { format!("{method:?}") };
        let source = source_type_name(&read.transform);
        write!(
            text,
            "
    /** Gives what is published for a document of `{}`. */
    abstract {name}(read: {{ doc: {source} }}): Document[];
",
            read.source
        )
        .expect("a string takes text");
    }
    text.push_str("}\n");
    text
}
