//! Documents as values of the language, and values as documents.
//!
//! A document becomes what `JSON.parse` makes of its text, and a value what `JSON.stringify` makes of it, without the
//! texts in between. What a value may do in a way of its own (a `toJSON`, a class, a number or text that a document has no
//! form for) is left to `JSON.stringify`.

use rquickjs::atom::PredefinedAtom;
use rquickjs::object::{Filter, Property};
use rquickjs::{
    Array, Atom, Ctx, Error, Object, Persistent, Result as ScriptResult, String as ScriptString,
    Value as ScriptValue,
};

use super::super::{Invocation, Rows};
use super::atoms::{Atoms, Names};
use crate::document::{Builder, Node, Number, Parser, View, copy_stamped};
use crate::limits::{DOCUMENT_DEPTH_MAX, LAMBDA_ROWS_MAX, LAMBDA_ROWS_SIZE_BYTES_MAX};

/// What both directions need from one call to the next.
pub(super) struct Values {
    names: Names,
    /// What objects inherit from that are nothing else, and arrays.
    object: Persistent<Object<'static>>,
    array: Persistent<Object<'static>>,
    /// A document with its UUID on its way in, or one out of a text on its way out.
    scratch: Builder,
    parser: Parser,
}

/// Why values do not become documents.
pub(super) enum Fault {
    /// The engine failed, or what it ran.
    Script(Error),
    /// What there is too much of.
    Limit(String),
    /// Only the text of all values can tell what they are.
    Unsure,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Script(error)
    }
}

impl Values {
    /// Of an engine that no user's code has run in.
    pub(super) fn new(script: &Ctx<'_>) -> ScriptResult<Self> {
        let object = Object::new(script.clone())?.get_prototype().ok_or(Error::Unknown)?;
        let array = Array::new(script.clone())?.into_object();
        let array = array.get_prototype().ok_or(Error::Unknown)?;
        Ok(Self {
            names: Names::default(),
            object: Persistent::save(script, object),
            array: Persistent::save(script, array),
            scratch: Builder::default(),
            parser: Parser::default(),
        })
    }

    /// The source document of an invocation.
    pub(super) fn enter<'js>(
        &mut self,
        script: &Ctx<'js>,
        invocation: Invocation<'_>,
    ) -> ScriptResult<ScriptValue<'js>> {
        let Self { names, scratch, .. } = self;
        let document = match invocation.uuid {
            Some(uuid) => {
                scratch.clear();
                copy_stamped(invocation.document, uuid, scratch);
                scratch.root()
            }
            None => invocation.document,
        };
        let mut entering = Entering { script, atoms: names.within(script)? };
        let value = entering.value(document)?;
        entering.atoms.keep();
        Ok(value)
    }

    /// Adds the items of a list as documents.
    pub(super) fn leave<'js>(
        &mut self,
        script: &Ctx<'js>,
        list: ScriptValue<'js>,
        rows: &mut Rows,
    ) -> Result<(), Fault> {
        let mut leaving = Leaving {
            script,
            atoms: self.names.within(script)?,
            object: self.object.clone().restore(script)?,
            array: self.array.clone().restore(script)?,
            scratch: &mut self.scratch,
            parser: &mut self.parser,
            bytes_left: LAMBDA_ROWS_SIZE_BYTES_MAX,
        };
        let outcome = leaving.list(list, rows);
        leaving.atoms.keep();
        outcome
    }
}

/// Documents on their way in.
struct Entering<'v, 'js> {
    script: &'v Ctx<'js>,
    atoms: Atoms<'v, 'js>,
}

impl<'js> Entering<'_, 'js> {
    fn value(&mut self, node: Node<'_>) -> ScriptResult<ScriptValue<'js>> {
        let script = self.script.clone();
        Ok(match node.view() {
            View::Null => ScriptValue::new_null(script),
            View::Boolean(value) => ScriptValue::new_bool(script, value),
            View::Number(number) => match number.as_integer().map(i32::try_from) {
                Some(Ok(integer)) => ScriptValue::new_int(script, integer),
                Some(Err(_)) | None => ScriptValue::new_float(script, number.as_f64()),
            },
            View::String(text) => ScriptString::from_str(script, text)?.into_value(),
            View::Array(items) => {
                let array = Array::new(script)?;
                for (index, item) in items.enumerate() {
                    array.set(index, self.value(item)?)?;
                }
                array.into_value()
            }
            View::Object(properties) => {
                let object = Object::new(script)?;
                for (name, value) in properties {
                    let atom = self.atoms.atom(name)?;
                    let property = Property::from(self.value(value)?);
                    // Not `set`, which would call the setter that `__proto__` has.
                    object.prop(atom, property.writable().enumerable().configurable())?;
                }
                object.into_value()
            }
        })
    }
}

/// Values on their way out.
struct Leaving<'v, 'js> {
    script: &'v Ctx<'js>,
    atoms: Atoms<'v, 'js>,
    /// The prototypes.
    object: Object<'js>,
    array: Object<'js>,
    scratch: &'v mut Builder,
    parser: &'v mut Parser,
    /// What the documents may still take.
    bytes_left: usize,
}

/// Where a value lies, which `toJSON` is told.
enum Key<'k, 'js> {
    Index(u32),
    Name(&'k Atom<'js>),
}

/// What a value is in a document.
enum Form<'js> {
    /// Nothing: no property, or an item that is null.
    Nothing,
    Null,
    Boolean(bool),
    Number(Number),
    String(String),
    Array(Object<'js>),
    Object(Object<'js>),
    /// The only property of the object that is in the scratch.
    Read,
}

impl<'js> Leaving<'_, 'js> {
    fn list(&mut self, list: ScriptValue<'js>, rows: &mut Rows) -> Result<(), Fault> {
        let Some(list) = list.into_object().filter(|list| self.is_plain(list, true)) else {
            return Err(Fault::Unsure);
        };
        let length = length(&list)?;
        if length > LAMBDA_ROWS_MAX {
            return Err(Fault::Limit(format!("{LAMBDA_ROWS_MAX} documents")));
        }
        for index in 0..length {
            rows.documents.add(|builder| self.item(&list, index, 1, builder))?;
        }
        Ok(())
    }

    /// Adds an item of an array that lies so many levels deep.
    fn item(
        &mut self,
        array: &Object<'js>,
        index: usize,
        depth: usize,
        into: &mut Builder,
    ) -> Result<(), Fault> {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        let value = array.get(index)?;
        let form = self.form(value, Key::Index(index), depth)?;
        self.take(0)?;
        self.add(form, depth, into)
    }

    /// Adds the properties of an object that lies so many levels deep.
    fn properties(
        &mut self,
        object: &Object<'js>,
        depth: usize,
        into: &mut Builder,
    ) -> Result<(), Fault> {
        for name in object.own_keys::<Atom<'js>>(Filter::default()) {
            let name = name?;
            let value = object.get(name.clone())?;
            let form = self.form(value, Key::Name(&name), depth)?;
            if matches!(form, Form::Nothing) {
                continue;
            }
            let text = self.atoms.text(&name).map_err(|_| Fault::Unsure)?;
            into.name(text);
            let length = text.len();
            self.take(length)?;
            self.add(form, depth, into)?;
        }
        Ok(())
    }

    /// Adds what a value is.
    fn add(&mut self, form: Form<'js>, depth: usize, into: &mut Builder) -> Result<(), Fault> {
        match form {
            Form::Nothing | Form::Null => into.null(),
            Form::Boolean(value) => into.boolean(value),
            Form::Number(number) => into.number(number),
            Form::String(text) => {
                self.take(text.len())?;
                into.string(&text);
            }
            Form::Array(array) => {
                let length = length(&array)?;
                // An array of nothing at all may be as long as it likes.
                if length > self.bytes_left / CELL_BYTES {
                    return Err(too_large());
                }
                into.begin_array();
                for index in 0..length {
                    self.item(&array, index, depth + 1, into)?;
                }
                into.end_array();
            }
            Form::Object(object) => {
                into.begin_object();
                self.properties(&object, depth + 1, into)?;
                into.end_object();
            }
            Form::Read => {
                let property = self.scratch.root().as_object().and_then(|mut it| it.next());
                into.copy(property.map_or(Node::NULL, |(_, value)| value));
            }
        }
        Ok(())
    }

    /// What the value of a property or an item is, that lies so many levels deep.
    fn form(
        &mut self,
        value: ScriptValue<'js>,
        key: Key<'_, 'js>,
        depth: usize,
    ) -> Result<Form<'js>, Fault> {
        if depth > DOCUMENT_DEPTH_MAX {
            return Err(Fault::Unsure);
        }
        if let Some(integer) = value.as_int() {
            return Ok(Form::Number(i64::from(integer).into()));
        }
        if let Some(text) = value.as_string() {
            // Half of a surrogate pair is not to be had as text.
            return text.to_string().map(Form::String).map_err(|_| Fault::Unsure);
        }
        if let Some(double) = value.as_float() {
            return match number(double) {
                Some(number) => Ok(Form::Number(number)),
                None if double.is_finite() => self.read(value, key, depth),
                None => Ok(Form::Null),
            };
        }
        if let Some(object) = value.as_object() {
            let is_array = value.is_array();
            return match self.is_plain(object, is_array) && !value.is_function() {
                true if is_array => Ok(Form::Array(object.clone())),
                true => Ok(Form::Object(object.clone())),
                false => self.read(value, key, depth),
            };
        }
        match value.as_bool() {
            Some(boolean) => Ok(Form::Boolean(boolean)),
            None if value.is_null() => Ok(Form::Null),
            None if value.is_big_int() => self.read(value, key, depth),
            None => Ok(Form::Nothing),
        }
    }

    /// Whether an object or array is just that: of no class, and without a say in what becomes of it.
    fn is_plain(&self, object: &Object<'js>, is_array: bool) -> bool {
        let prototype = object.get_prototype();
        let expected = if is_array { &self.array } else { &self.object };
        let to_json = object.get::<_, ScriptValue<'js>>(PredefinedAtom::ToJSON);
        prototype.as_ref() == Some(expected) && to_json.is_ok_and(|method| method.is_undefined())
    }

    /// What the value of a property is by its text.
    fn read(
        &mut self,
        value: ScriptValue<'js>,
        key: Key<'_, 'js>,
        depth: usize,
    ) -> Result<Form<'js>, Fault> {
        // Without a prototype, so that nobody gave it a `toJSON`.
        let holder = Object::new_proto(self.script.clone(), None)?;
        let property = Property::from(value).enumerable();
        match key {
            Key::Index(index) => holder.prop(index, property)?,
            Key::Name(name) => holder.prop(name.clone(), property)?,
        }
        let Some(text) = self.script.json_stringify(holder)? else { return Ok(Form::Nothing) };
        let text = text.to_string()?;
        self.take(text.len())?;
        // More than there are: brackets within texts count, too. What is shallow enough then is so in any case.
        let levels = text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count();
        if depth + levels > DOCUMENT_DEPTH_MAX {
            return Err(Fault::Unsure);
        }
        self.scratch.clear();
        self.parser.parse(text.as_bytes(), self.scratch).map_err(|_| Fault::Unsure)?;
        let is_there = self.scratch.root().as_object().is_some_and(|it| it.len() > 0);
        Ok(if is_there { Form::Read } else { Form::Nothing })
    }

    /// Counts the memory of a value with a text of so many bytes.
    fn take(&mut self, text_bytes: usize) -> Result<(), Fault> {
        self.bytes_left =
            self.bytes_left.checked_sub(text_bytes + CELL_BYTES).ok_or_else(too_large)?;
        Ok(())
    }
}

/// The memory of a value without its text.
const CELL_BYTES: usize = 16;

fn too_large() -> Fault {
    Fault::Limit(format!("{} MiB", LAMBDA_ROWS_SIZE_BYTES_MAX >> 20))
}

/// How many items an array has.
fn length(array: &Object<'_>) -> ScriptResult<usize> {
    array.get::<_, f64>(PredefinedAtom::Length).map(|length| length as usize)
}

/// The number that the text of a double is read as, when that can be told without the text.
fn number(double: f64) -> Option<Number> {
    /// From here on, the digits of the text are not all those of the number.
    const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
    if double.fract() != 0.0 {
        return double.is_finite().then_some(Number::Float(double));
    }
    (double.abs() < WHOLE_MAX).then_some((double as i64).into())
}
