//! Parameters: what the runtime binds for a location of the source.

use tidegate_stdlib::lambda::sqlite::{Binding, Encoding};
use tidegate_stdlib::shape::{Exists, PropertyShape, Shape, Types};
use tidegate_stdlib::value::{Pointer, Token};

use super::domain::{Domain, Integers, Reals, Subtype, Texts};
use super::json;

/// What a parameter may be, when the documents of the source have a shape.
pub(super) fn domain(binding: &Binding, shape: &Shape) -> Domain {
    let names: Vec<String> = binding.pointer.tokens().iter().map(Token::property).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match (binding.encoding, names.as_slice()) {
        // The runtime gives the UUID of every document itself, with a time.
        (Encoding::PublishedAt, _) => {
            let length = "2024-01-31T00:00:00.000000000Z".len() as u64;
            let texts = Texts::of_format("date-time");
            Domain::text(Texts { min_length: length, max_length: Some(length), ..texts })
        }
        (_, ["_meta", "uuid"]) => {
            let texts = Texts::of_format("uuid");
            Domain::text(Texts { min_length: 36, max_length: Some(36), ..texts })
        }
        (_, [] | ["_meta"]) => {
            let (shape, _) = shape.locate(&binding.pointer);
            let shape =
                if names.is_empty() { stamped(shape) } else { Shape::of_types(Types::OBJECT) };
            Domain::text(Texts::json(shape, true, Subtype::Never))
        }
        (encoding, _) => {
            let (located, exists) = located(shape, &binding.pointer);
            let present = present(&located, encoding);
            if exists == Exists::Must { present } else { present.union(missing(binding)) }
        }
    }
}

/// Where a number may be an index or a name, nothing is known.
fn located(shape: &Shape, pointer: &Pointer) -> (Shape, Exists) {
    let mut prefix = Pointer::default();
    for token in pointer.tokens() {
        let (around, _) = shape.locate(&prefix);
        let may_be = |types| around.types.overlaps(types);
        if !matches!(token, Token::Property(_)) && may_be(Types::ARRAY) && may_be(Types::OBJECT) {
            return (Shape::any(), Exists::May);
        }
        prefix = prefix.child(token.clone());
    }
    shape.locate(pointer)
}

/// The document with its UUID.
fn stamped(mut shape: Shape) -> Shape {
    shape.types = Types::OBJECT;
    shape.enumeration = None;
    let properties = &mut shape.object.properties;
    properties.retain(|property| property.name != "_meta");
    let at = properties.partition_point(|property| property.name.as_str() < "_meta");
    let meta = Shape::of_types(Types::OBJECT);
    properties.insert(at, PropertyShape { name: "_meta".to_owned(), required: true, shape: meta });
    shape
}

fn missing(binding: &Binding) -> Domain {
    present(&json::constant(&binding.default), binding.encoding)
}

/// What is bound for a value of a shape.
fn present(shape: &Shape, encoding: Encoding) -> Domain {
    let mut domain = json::scalars(shape);
    if let Some(texts) = domain.text.take() {
        domain = domain.union(encoded(texts, encoding));
    }
    let containers = json::restricted(shape, Types::ARRAY.or(Types::OBJECT));
    if containers.types.is_none() {
        return domain;
    }
    domain.union(Domain::text(Texts::json(containers, true, Subtype::Never)))
}

/// Strings that stand for something else.
fn encoded(texts: Texts, encoding: Encoding) -> Domain {
    match encoding {
        Encoding::Plain | Encoding::Document | Encoding::PublishedAt => Domain::text(texts),
        Encoding::Integer => integers(&texts).union(Domain::text(texts)),
        // `NaN` becomes NULL.
        Encoding::Number => Domain::real(Reals::ALL).or_null(true).union(Domain::text(texts)),
        Encoding::Base64 => Domain::blob().union(Domain::text(texts)),
    }
}

fn integers(texts: &Texts) -> Domain {
    let Some(constants) = &texts.constants else {
        let Integers { least, most } = Integers::ALL;
        return Domain::integer(least, most);
    };
    let integers = constants.iter().filter_map(|text| text.parse().ok());
    integers.map(|integer| Domain::integer(integer, integer)).fold(Domain::none(), Domain::union)
}
