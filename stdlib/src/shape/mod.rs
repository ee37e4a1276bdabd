//! The static type of documents: what a schema says of every location.
//!
//! Inference follows language reference sections "Inference", "Locating a pointer" and
//! "Inspections". Shapes carry no places in source text; the compiler finds the place of a location
//! by its pointer.

mod algebra;
mod covers;
mod infer;
mod inspect;
mod locate;
mod path;
mod render;
mod simplify;
mod widen;

use std::collections::BTreeMap;

use serde_json::Value;

use algebra::Algebra;
pub use covers::Gap;
pub use path::{Path, Step};

use crate::schema::NormalForm;
use crate::value::Pointer;

/// A set of JSON types. `number` is `INTEGER | FRACTIONAL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Types(u8);

impl Types {
    /// No type: the location is impossible.
    pub const NONE: Self = Self(0);
    /// Arrays.
    pub const ARRAY: Self = Self(1);
    /// Booleans.
    pub const BOOLEAN: Self = Self(2);
    /// Numbers with a fraction.
    pub const FRACTIONAL: Self = Self(4);
    /// Numbers without a fraction.
    pub const INTEGER: Self = Self(8);
    /// Null.
    pub const NULL: Self = Self(16);
    /// Objects.
    pub const OBJECT: Self = Self(32);
    /// Strings.
    pub const STRING: Self = Self(64);
    /// Any number.
    pub const NUMBER: Self = Self(4 | 8);
    /// Any value.
    pub const ANY: Self = Self(127);

    /// The types in both sets.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
    /// The types in either set.
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
    /// The types of this set that are not in `other`.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
    /// Whether every type of this set is in `other`.
    pub const fn within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }
    /// Whether the sets share a type.
    pub const fn overlaps(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
    /// Whether the set is empty.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
    /// The set that the value of a `type` keyword gives; `None` when a name is no type.
    pub(crate) fn read(keyword: &Value) -> Option<Self> {
        match keyword {
            Value::String(name) => Self::from_names(std::iter::once(name.as_str())),
            Value::Array(names) => Self::from_names(names.iter().filter_map(Value::as_str)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
        }
    }
    /// The type of one value.
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOLEAN,
            Value::Number(number) if is_whole(number) => Self::INTEGER,
            Value::Number(_) => Self::FRACTIONAL,
            Value::String(_) => Self::STRING,
            Value::Array(_) => Self::ARRAY,
            Value::Object(_) => Self::OBJECT,
        }
    }
    /// The names in JSON Schema's words, sorted; `number` for both kinds of number.
    pub fn names(self) -> Vec<&'static str> {
        NAMES
            .iter()
            .filter(|(name, types)| match *name {
                "fractional" | "integer" => !Self::NUMBER.within(self) && types.within(self),
                _ => types.within(self),
            })
            .map(|(name, _)| *name)
            .collect()
    }
    /// The set with the given names (`number` and `fractional` included); `None` when a name is no
    /// type.
    pub fn from_names<'n>(names: impl Iterator<Item = &'n str>) -> Option<Self> {
        names.into_iter().try_fold(Self::NONE, |types, name| {
            let (_, named) = NAMES.iter().find(|(known, _)| *known == name)?;
            Some(types.or(*named))
        })
    }
}

const NAMES: [(&str, Types); 8] = [
    ("array", Types::ARRAY),
    ("boolean", Types::BOOLEAN),
    ("fractional", Types::FRACTIONAL),
    ("integer", Types::INTEGER),
    ("null", Types::NULL),
    ("number", Types::NUMBER),
    ("object", Types::OBJECT),
    ("string", Types::STRING),
];

fn is_whole(number: &serde_json::Number) -> bool {
    !number.is_f64() || number.as_f64().is_some_and(|value| value.fract() == 0.0)
}

/// How sure it is that a location holds a value, from worst to best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exists {
    /// No valid document has the location.
    Cannot,
    /// No keyword speaks of the location.
    Implicit,
    /// Some valid documents have it.
    May,
    /// Every valid document has it.
    Must,
}

/// The static type of a location.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// Types that a value may have.
    pub types: Types,
    /// The admitted values, sorted, when they are finitely many.
    pub enumeration: Option<Vec<Value>>,
    /// The title annotation.
    pub title: Option<String>,
    /// The description annotation.
    pub description: Option<String>,
    /// The reduction annotation.
    pub reduce: Reduce,
    /// The redaction annotation.
    pub redact: Reduce,
    /// The `default` annotation.
    pub default: Option<Value>,
    /// Why the `default` is not valid under the schema that gives it.
    pub default_fault: Option<String>,
    /// Where the schema of the location comes from.
    pub provenance: Provenance,
    /// Whether the location holds a secret.
    pub secret: Option<bool>,
    /// Annotations whose names begin with `x-`, and those keywords of the schema that all values satisfy and that nothing else
    /// here tells of: `pattern`, `multipleOf` and exclusive bounds.
    pub annotations: BTreeMap<String, Value>,
    /// What is known of a string.
    pub string: StringShape,
    /// Lower and upper bound of a number.
    pub numeric: NumericShape,
    /// What is known of an array.
    pub array: ArrayShape,
    /// What is known of an object.
    pub object: ObjectShape,
}

/// Keywords that a shape holds as they are.
const FACTS: [&str; 4] = ["exclusiveMaximum", "exclusiveMinimum", "multipleOf", "pattern"];

/// Where the schema of a location comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Provenance {
    /// Nothing is said of the location.
    #[default]
    Unset,
    /// Everything comes from the schema at this place of the bundled schema (a URL of the form
    /// `#/$defs/name`), the last one of a chain of references. Beside the reference stand at most
    /// a title, a description, a default, examples and in-place parts such as `allOf`.
    Reference(String),
    /// The keywords stand at the location itself, or come from several schemas.
    Inline,
}

/// The `reduce` or `redact` annotation of a location.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Reduce {
    /// No annotation.
    #[default]
    Unset,
    /// One annotation; the whole annotation object.
    Strategy(Value),
    /// Different annotations on different branches.
    Multiple,
}

/// Facets of strings.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StringShape {
    /// `contentEncoding`.
    pub content_encoding: Option<String>,
    /// `contentMediaType`.
    pub content_type: Option<String>,
    /// `format`.
    pub format: Option<String>,
    /// `minLength`, in code points.
    pub min_length: u64,
    /// `maxLength`, in code points.
    pub max_length: Option<u64>,
}

/// Facets of numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NumericShape {
    /// `minimum`.
    pub minimum: Option<serde_json::Number>,
    /// `maximum`.
    pub maximum: Option<serde_json::Number>,
}

/// Facets of arrays.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ArrayShape {
    /// Shapes of the first items.
    pub tuple: Vec<Shape>,
    /// Shape of all further items; `None` when no keyword speaks of them.
    pub additional: Option<Box<Shape>>,
    /// `minItems`.
    pub min_items: u64,
    /// `maxItems`.
    pub max_items: Option<u64>,
}

/// Facets of objects.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ObjectShape {
    /// Named properties, sorted by name.
    pub properties: Vec<PropertyShape>,
    /// Properties by pattern, sorted by pattern.
    pub patterns: Vec<PatternShape>,
    /// Shape of all further properties; `None` when no keyword speaks of them.
    pub additional: Option<Box<Shape>>,
}

/// One named property.
#[derive(Debug, Clone, PartialEq)]
pub struct PropertyShape {
    /// The name.
    pub name: String,
    /// Whether every object has it.
    pub required: bool,
    /// The shape of its value.
    pub shape: Shape,
}

/// Properties whose name matches a pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct PatternShape {
    /// The regular expression as written.
    pub pattern: String,
    /// The shape of their values.
    pub shape: Shape,
}

/// A static mistake of a schema, found on its shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// Where it is.
    pub path: Path,
    /// The types of values that the location may have.
    pub types: Types,
    /// What is wrong.
    pub kind: InspectionKind,
}

/// The kinds of static mistakes of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InspectionKind {
    /// The location must exist, but no value fits it.
    ImpossibleMustExist,
    /// A location has a `reduce` annotation while its parent has none.
    ChildWithoutParentReduction,
    /// `sum` on a location that may be something other than a number or a numeric string.
    SumNotNumber,
    /// `merge` on a location that may be something other than an object or array.
    MergeNotObjectOrArray,
    /// `set` on a location that may be something other than an object.
    SetNotObject,
    /// A property under `set` other than `add`, `intersect` and `remove`.
    SetInvalidProperty,
    /// The `default` value is not valid under the location's own schema.
    InvalidDefaultValue,
    /// Redaction removes a location that must exist.
    BlockRedactionMustExist,
    /// Redaction replaces a location by a string, but it cannot be one.
    Sha256RedactionNotString,
}

impl Shape {
    /// The shape of any value.
    pub fn any() -> Self {
        Self::of_types(Types::ANY)
    }

    /// The shape of no value.
    pub fn impossible() -> Self {
        Self::of_types(Types::NONE)
    }

    /// The shape of every value of some types.
    pub fn of_types(types: Types) -> Self {
        Self {
            types,
            enumeration: None,
            title: None,
            description: None,
            reduce: Reduce::Unset,
            redact: Reduce::Unset,
            default: None,
            default_fault: None,
            provenance: Provenance::Unset,
            secret: None,
            annotations: BTreeMap::new(),
            string: StringShape::default(),
            numeric: NumericShape::default(),
            array: ArrayShape::default(),
            object: ObjectShape::default(),
        }
    }

    /// Infers the shape of a bundled schema. Faults of the schema are skipped here:
    /// [`crate::schema::Schema::compile`] reports them.
    pub fn infer(schema: &Value) -> Self {
        Self::of(&NormalForm::new(schema))
    }

    /// Infers the shape of a schema that was rewritten before.
    pub fn of(normal: &NormalForm) -> Self {
        infer::infer(normal)
    }

    /// The shape of the part of a schema that stands at a JSON pointer of its text, as a reference
    /// to it sees it: the schemas around it say nothing. `None` when there is no schema.
    pub fn of_part(normal: &NormalForm, pointer: &str) -> Option<Self> {
        Some(infer::infer_referred(normal, &normal.place(pointer)?))
    }

    /// The shape of what satisfies both.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        Algebra::new().intersect(self, other)
    }

    /// The shape of what satisfies either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Algebra::new().union(self, other)
    }

    /// The shape with at most `locations_max` locations, none of them deeper than `depth_max`:
    /// what would be too much is told by additional properties and items, or by nothing where the
    /// shape was open.
    #[must_use]
    pub fn simplify(self, locations_max: usize, depth_max: usize) -> Self {
        simplify::simplify(self, locations_max, depth_max)
    }

    /// Widens the shape by a document, so that it admits the document too, and says whether it had
    /// to change. Widening begins with [`Shape::impossible`]; the order of documents does not
    /// matter until the shape has more locations than its annotation `x-complexity-limit` says
    /// (1,000 without it), or is deeper than 12: then it is simplified.
    pub fn widen(&mut self, document: &Value) -> bool {
        widen::widen(self, document)
    }

    /// A schema that this is the shape of, apart from what schemas cannot say: annotations that
    /// differ between branches, what is said of a location that no value fits, and where the
    /// schema of a location came from.
    pub fn render(&self) -> Value {
        render::render(self)
    }

    /// The shape at a location, and how sure it is that it exists. A location nothing speaks of has
    /// shape "anything".
    pub fn locate(&self, pointer: &Pointer) -> (Shape, Exists) {
        locate::locate(self, pointer)
    }

    /// All statically known locations (the root first, outer ones before inner ones, properties by
    /// name): named properties and tuple items, without what only patterns, additional properties
    /// or additional items speak of.
    pub fn locations(&self) -> Vec<(Pointer, &Shape, Exists)> {
        locate::locations(self)
    }

    /// Whether a schema is seen to admit every value of the shape.
    ///
    /// # Errors
    /// The first keyword that may refuse one; it need not.
    pub fn covered_by(&self, schema: &NormalForm) -> Result<(), Box<Gap>> {
        covers::covers(schema, self)
    }

    /// The shapes of items and properties.
    fn children(&self) -> impl Iterator<Item = &Shape> {
        let (array, object) = (&self.array, &self.object);
        let properties = object.properties.iter().map(|property| &property.shape);
        array
            .tuple
            .iter()
            .chain(array.additional.as_deref())
            .chain(properties)
            .chain(object.patterns.iter().map(|pattern| &pattern.shape))
            .chain(object.additional.as_deref())
    }

    /// Every part of the shape and how it is reached, outer ones before inner ones, those without a name included.
    pub fn parts(&self) -> Vec<(Path, &Shape)> {
        inspect::parts(self)
    }

    /// The static mistakes of the schema this shape was inferred from.
    pub fn inspect(&self) -> Vec<Inspection> {
        inspect::inspect(self)
    }
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
