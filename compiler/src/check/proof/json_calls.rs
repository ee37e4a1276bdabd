//! What functions of JSON give.

use sqlparser::ast::{Expr, Value};
use tidegate_stdlib::shape::{Exists, PropertyShape, Shape, Types};
use tidegate_stdlib::value::{Pointer, Token};

use super::domain::{Domain, JsonText, Subtype, Texts};
use super::json;

/// Any text of JSON.
pub(super) fn unknown() -> Domain {
    Domain::json(Shape::any(), false)
}

/// What a function gives; `None` when nothing is known here beyond the table.
pub(super) fn domain(name: &str, values: &[Domain], arguments: &[&Expr]) -> Option<Domain> {
    match (name, values) {
        ("json", [value]) => Some(document(value)),
        ("json_quote", [value]) => {
            let JsonText { shape, is_sure } = json::embedded(value);
            Some(Domain::json((*shape).clone(), is_sure))
        }
        ("json_array", items) => Some(array(items)),
        ("json_object", pairs) => Some(object(pairs, arguments)),
        ("json_extract", [value, _]) => {
            let path = arguments.get(1).and_then(|path| path_of(path));
            Some(extract(value, path, false))
        }
        ("json_set" | "json_insert" | "json_replace", [value, ..]) => {
            Some(changed(name, value, values, arguments))
        }
        ("json_remove", [value, ..]) => Some(removed(value, arguments)),
        ("json_patch", [value, patch]) => Some(patched(value, patch)),
        _ => None,
    }
}

/// What a value is as JSON, when a function takes it for its document.
fn read(value: &Domain) -> JsonText {
    let numbers = Domain { null: false, text: None, ..value.clone() };
    let mut parts = Vec::new();
    let mut is_sure = true;
    if !numbers.is_none() {
        let JsonText { shape, is_sure: sure } = json::embedded(&numbers);
        is_sure &= sure;
        parts.push((*shape).clone());
    }
    if let Some(texts) = &value.text {
        let json = texts.known_json();
        is_sure &= json.as_ref().is_some_and(|json| json.is_sure);
        parts.push(json.map_or_else(Shape::any, |json| (*json.shape).clone()));
    }
    let shape = parts.into_iter().reduce(json::union).unwrap_or_else(Shape::impossible);
    JsonText { shape: shape.into(), is_sure }
}

/// A text of JSON, unless the shape is of nothing.
fn made(shape: Shape, is_sure: bool) -> Domain {
    if shape.types.is_none() { Domain::none() } else { Domain::json(shape, is_sure) }
}

fn document(value: &Domain) -> Domain {
    let JsonText { shape, is_sure } = read(value);
    made((*shape).clone(), is_sure).or_null(value.null)
}

fn array(items: &[Domain]) -> Domain {
    let items: Vec<JsonText> = items.iter().map(json::embedded).collect();
    let is_sure = items.iter().all(|item| item.is_sure);
    let mut shape = Shape::of_types(Types::ARRAY);
    shape.array = json::tuple(items.iter().map(|item| (*item.shape).clone()).collect());
    Domain::json(shape, is_sure)
}

fn object(pairs: &[Domain], arguments: &[&Expr]) -> Domain {
    let mut properties: Vec<(String, Shape)> = Vec::new();
    let mut is_sure = true;
    for (pair, names) in pairs.chunks(2).zip(arguments.chunks(2)) {
        let ([_, value], Some(name)) = (pair, names.first().and_then(|name| text_of(name))) else {
            return Domain::json(Shape::of_types(Types::OBJECT), false);
        };
        let JsonText { shape, is_sure: sure } = json::embedded(value);
        // What reads documents refuses a name that stands twice.
        is_sure &= sure && properties.iter().all(|(known, _)| known != name);
        properties.push((name.to_owned(), (*shape).clone()));
    }
    let mut shape = Shape::of_types(Types::OBJECT);
    shape.object = json::closed(properties);
    Domain::json(shape, is_sure)
}

/// The array of the values of a group.
pub(super) fn group_array(value: &Domain, has_rows: bool) -> Domain {
    let JsonText { shape: item, is_sure } = json::embedded(value);
    let mut shape = Shape::of_types(Types::ARRAY);
    shape.array.additional = Some(Box::new((*item).clone()));
    shape.array.min_items = u64::from(has_rows);
    Domain::json(shape, is_sure)
}

/// The object of the values of a group; names may stand twice in it.
pub(super) fn group_object(value: Option<&Domain>) -> Domain {
    let mut shape = Shape::of_types(Types::OBJECT);
    let value = value.map(json::embedded);
    shape.object.additional = value.map(|value| Box::new((*value.shape).clone()));
    Domain::json(shape, false)
}

/// A text that stands in the statement.
fn text_of(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Nested(inner) => text_of(inner),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// The location of a path that stands in the statement: `$.a.b[0]`.
fn path_of(expression: &Expr) -> Option<Pointer> {
    let mut rest = text_of(expression)?.strip_prefix('$')?;
    let mut pointer = Pointer::default();
    while !rest.is_empty() {
        let token = if let Some(name) = rest.strip_prefix('.') {
            let end = name.find(['.', '[']).unwrap_or(name.len());
            let (name, behind) = name.split_at(end);
            rest = behind;
            Token::Property(label(name)?.to_owned())
        } else {
            let (index, behind) = rest.strip_prefix('[')?.split_once(']')?;
            rest = behind;
            Token::Index(index.parse().ok().filter(|_| is_digits(index))?)
        };
        pointer = pointer.child(token);
    }
    Some(pointer)
}

/// A name that means the same in a path and in a document.
fn label(name: &str) -> Option<&str> {
    let mut letters = name.chars();
    let is_first = letters.next().is_some_and(|it| it.is_ascii_alphabetic() || it == '_');
    let is_plain = is_first && letters.all(|it| it.is_ascii_alphanumeric() || it == '_');
    is_plain.then_some(name)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The value at a path of a text of JSON; as JSON, or as a value of SQL.
fn extract(value: &Domain, path: Option<Pointer>, as_json: bool) -> Domain {
    let JsonText { shape, is_sure } = read(value);
    let found = path.map(|path| at(&shape, &path));
    let (shape, exists) = found.unwrap_or_else(|| (Shape::any(), Exists::May));
    let is_missing = value.null || exists != Exists::Must;
    let found = if shape.types.is_none() {
        Domain::none()
    } else if as_json {
        Domain::json(shape, is_sure)
    } else {
        json::extracted(&shape, is_sure)
    };
    found.or_null(is_missing)
}

/// A name leads into objects only, an index into arrays only.
fn at(shape: &Shape, path: &Pointer) -> (Shape, Exists) {
    let mut found = shape.clone();
    let mut exists = Exists::Must;
    for token in path.tokens() {
        let wanted = if matches!(token, Token::Index(_)) { Types::ARRAY } else { Types::OBJECT };
        if !found.types.within(wanted) {
            exists = exists.min(Exists::May);
        }
        let part = json::restricted(&found, wanted);
        if part.types.is_none() {
            return (Shape::impossible(), Exists::Cannot);
        }
        let (inner, step) = part.locate(&Pointer::default().child(token.clone()));
        exists = exists.min(step);
        found = inner;
    }
    (found, exists)
}

/// The path of `->`, which may be a name or an index by itself.
fn path_of_arrow(expression: &Expr) -> Option<Pointer> {
    if let Expr::Value(value) = expression
        && let Value::Number(text, _) = &value.value
    {
        let index = text.parse().ok().filter(|_| is_digits(text))?;
        return Some(Pointer::default().child(Token::Index(index)));
    }
    let text = text_of(expression)?;
    if text.starts_with('$') {
        return path_of(expression);
    }
    Some(Pointer::default().child(Token::Property(label(text)?.to_owned())))
}

/// `value -> path`: a text of JSON.
pub(super) fn arrow(value: &Domain, path: &Expr) -> Domain {
    extract(value, path_of_arrow(path), true).or_null(is_nullable_path(path))
}

/// `value ->> path`: a value of SQL, without a mark.
pub(super) fn long_arrow(value: &Domain, path: &Expr) -> Domain {
    let found = extract(value, path_of_arrow(path), false);
    found.with_subtype(Subtype::blurred).or_null(is_nullable_path(path))
}

fn is_nullable_path(path: &Expr) -> bool {
    text_of(path).is_none() && path_of_arrow(path).is_none()
}

/// The document with values set: properties of the outermost object are kept track of.
fn changed(name: &str, value: &Domain, values: &[Domain], arguments: &[&Expr]) -> Domain {
    let JsonText { shape, mut is_sure } = read(value);
    let mut shape = (*shape).clone();
    shape.enumeration = None;
    let mut is_nullable = value.null;
    let pairs = values.get(1..).unwrap_or_default().chunks(2);
    let paths = arguments.get(1..).unwrap_or_default().chunks(2);
    for (pair, path) in pairs.zip(paths) {
        let ([path_value, new], Some(path)) = (pair, path.first()) else { return unknown() };
        is_nullable |= path_value.null;
        let JsonText { shape: new, is_sure: sure } = json::embedded(new);
        is_sure &= sure;
        let path = path_of(path);
        let tokens = path.as_ref().map(Pointer::tokens);
        shape = match tokens {
            Some([Token::Property(property)]) => with_property(shape, property, &new, name),
            // Something changes inside this property.
            Some([Token::Property(property), ..]) => {
                with_property(shape, property, &Shape::any(), "json_replace")
            }
            _ => Shape::any(),
        };
    }
    made(shape, is_sure).or_null(is_nullable)
}

fn with_property(mut shape: Shape, name: &str, new: &Shape, function: &str) -> Shape {
    if !shape.types.overlaps(Types::OBJECT) {
        return shape;
    }
    let pointer = Pointer::default().child(Token::Property(name.to_owned()));
    let (old, exists) = json::restricted(&shape, Types::OBJECT).locate(&pointer);
    let (value, required) = match function {
        "json_set" => (new.clone(), true),
        "json_insert" if exists == Exists::Must => (old, true),
        "json_insert" => (json::union(old, new.clone()), true),
        // `json_replace` changes what is there.
        _ => (new.clone(), exists == Exists::Must),
    };
    let properties = &mut shape.object.properties;
    properties.retain(|property| property.name != name);
    let at = properties.partition_point(|property| property.name.as_str() < name);
    let property = PropertyShape { name: name.to_owned(), required, shape: value };
    properties.insert(at, property);
    shape
}

/// The document without some properties.
fn removed(value: &Domain, arguments: &[&Expr]) -> Domain {
    let JsonText { shape, is_sure } = read(value);
    let mut shape = (*shape).clone();
    shape.enumeration = None;
    for path in arguments.get(1..).unwrap_or_default() {
        let path = path_of(path);
        match path.as_ref().map(Pointer::tokens) {
            Some([Token::Property(name)]) => {
                let properties = &mut shape.object.properties;
                properties.retain(|property| property.name != *name);
                let at =
                    properties.partition_point(|property| property.name.as_str() < name.as_str());
                let gone = Shape::impossible();
                let property = PropertyShape { name: name.clone(), required: false, shape: gone };
                properties.insert(at, property);
            }
            _ => return unknown().or_null(true),
        }
    }
    made(shape, is_sure).or_null(value.null)
}

/// The document with the properties of another one, of which null removes.
fn patched(value: &Domain, patch: &Domain) -> Domain {
    let null = value.null || patch.null;
    let (document, changes) = (read(value), read(patch));
    let is_sure = document.is_sure && changes.is_sure;
    let changes = &changes.shape;
    let is_closed = changes.object.patterns.is_empty()
        && changes.object.additional.as_ref().is_some_and(|it| it.types.is_none());
    if document.shape.types != Types::OBJECT || changes.types != Types::OBJECT || !is_closed {
        return unknown().or_null(null);
    }
    let mut shape = (*document.shape).clone();
    shape.enumeration = None;
    for change in &changes.object.properties {
        // Objects are merged into what is there; of them nothing is known then.
        let is_plain = !change.shape.types.overlaps(Types::OBJECT.or(Types::NULL));
        let (new, function) = if is_plain && change.required {
            (change.shape.clone(), "json_set")
        } else {
            (Shape::any(), "json_replace")
        };
        shape = with_property(shape, &change.name, &new, function);
        if function == "json_replace"
            && let Some(it) = shape.object.properties.iter_mut().find(|it| it.name == change.name)
        {
            it.required = false;
        }
    }
    made(shape, is_sure).or_null(null)
}

/// What a table of the members of a document has in its columns `value` and `atom`.
pub(super) fn members(value: &Domain) -> (Domain, Domain) {
    let JsonText { shape, is_sure } = read(value);
    let mut parts = Vec::new();
    let array = json::restricted(&shape, Types::ARRAY);
    if !array.types.is_none() && array.array.max_items != Some(0) {
        parts.extend(array.array.tuple.iter().cloned());
        let is_longer = array.array.max_items.is_none_or(|most| most > parts.len() as u64);
        if is_longer {
            parts.push(array.array.additional.as_deref().cloned().unwrap_or_else(Shape::any));
        }
    }
    let object = json::restricted(&shape, Types::OBJECT);
    if !object.types.is_none() {
        let properties = object.object.properties.iter().map(|it| it.shape.clone());
        parts.extend(properties);
        parts.extend(object.object.patterns.iter().map(|it| it.shape.clone()));
        parts.push(object.object.additional.as_deref().cloned().unwrap_or_else(Shape::any));
    }
    let scalar = json::restricted(&shape, Types::ANY.without(Types::ARRAY.or(Types::OBJECT)));
    parts.push(scalar);
    let all = parts.into_iter().reduce(json::union).unwrap_or_else(Shape::any);
    let value = json::extracted(&all, is_sure).with_subtype(Subtype::blurred);
    let atom = json::extracted(
        &json::restricted(&all, Types::ANY.without(Types::ARRAY.or(Types::OBJECT))),
        is_sure,
    );
    (value, atom.or_null(true))
}

/// What a table of the members of a document has in its column `key`.
pub(super) fn keys(value: &Domain) -> Domain {
    let JsonText { shape, .. } = read(value);
    let has = |types| shape.types.overlaps(types);
    let mut keys = Domain::none();
    if has(Types::ARRAY) {
        keys = keys.union(Domain::integer(0, i64::MAX));
    }
    if has(Types::OBJECT) {
        keys = keys.union(Domain::text(Texts::any()));
    }
    keys.or_null(has(Types::ANY.without(Types::ARRAY.or(Types::OBJECT))))
}
