//! Locations of a shape: by pointer, and all that are known.

use std::borrow::Cow;

use super::algebra::Algebra;
use super::{Exists, Shape, Types};
use crate::value::{Pointer, Token};

pub(super) fn locate(root: &Shape, pointer: &Pointer) -> (Shape, Exists) {
    let mut found = Cow::Borrowed(root);
    let mut exists = status(&root.types, Exists::Must);
    for token in pointer.tokens() {
        let (shape, step_exists) = match &found {
            Cow::Borrowed(parent) => step(parent, token),
            Cow::Owned(parent) => {
                let (shape, step_exists) = step(parent, token);
                (Cow::Owned(shape.into_owned()), step_exists)
            }
        };
        exists = exists.min(status(&shape.types, step_exists));
        found = shape;
    }
    (found.into_owned(), exists)
}

pub(super) fn locations(root: &Shape) -> Vec<(Pointer, &Shape, Exists)> {
    let mut found = Vec::new();
    visit(root, Pointer::default(), Exists::Must, &mut found);
    found
}

fn visit<'s>(
    shape: &'s Shape,
    pointer: Pointer,
    exists: Exists,
    found: &mut Vec<(Pointer, &'s Shape, Exists)>,
) {
    let exists = exists.min(status(&shape.types, exists));
    let index = found.len();
    found.push((pointer, shape, exists));
    let child = |token, found: &[(Pointer, &Shape, Exists)]| {
        found.get(index).map(|(pointer, ..)| pointer.child(token)).unwrap_or_default()
    };
    for (index, item) in shape.array.tuple.iter().enumerate() {
        let step = item_status(shape, index);
        visit(item, child(Token::Index(index), found), exists.min(step), found);
    }
    for property in &shape.object.properties {
        // No pointer of the language leads to an empty name.
        if property.name.is_empty() {
            continue;
        }
        let step = property_status(shape, property.required);
        let token = Token::from_text(property.name.clone());
        visit(&property.shape, child(token, found), exists.min(step), found);
    }
}

/// A location that no value fits cannot exist.
fn status(types: &Types, exists: Exists) -> Exists {
    if types.is_none() { Exists::Cannot } else { exists }
}

fn step<'s>(parent: &'s Shape, token: &Token) -> (Cow<'s, Shape>, Exists) {
    let may_be_array = parent.types.overlaps(Types::ARRAY);
    let may_be_object = parent.types.overlaps(Types::OBJECT);
    match token {
        Token::Index(index) if may_be_array => item(parent, *index),
        Token::NextIndex if may_be_array => (Cow::Owned(Shape::impossible()), Exists::Cannot),
        Token::Index(_) | Token::NextIndex | Token::Property(_) if may_be_object => {
            property(parent, &token.property())
        }
        Token::Index(_) | Token::NextIndex | Token::Property(_) => {
            (Cow::Owned(Shape::impossible()), Exists::Cannot)
        }
    }
}

fn property<'s>(parent: &'s Shape, name: &str) -> (Cow<'s, Shape>, Exists) {
    if let Some(property) = parent.object.named(name) {
        return (Cow::Borrowed(&property.shape), property_status(parent, property.required));
    }
    match Algebra::new().unnamed(&parent.object, name) {
        Some(shape) => (Cow::Owned(shape), Exists::May),
        None => (Cow::Owned(Shape::any()), Exists::Implicit),
    }
}

fn property_status(parent: &Shape, required: bool) -> Exists {
    if required && parent.types == Types::OBJECT { Exists::Must } else { Exists::May }
}

fn item(parent: &Shape, index: usize) -> (Cow<'_, Shape>, Exists) {
    let exists = item_status(parent, index);
    if exists == Exists::Cannot {
        return (Cow::Owned(Shape::impossible()), exists);
    }
    let array = &parent.array;
    let shape = array.tuple.get(index).or(array.additional.as_deref());
    (shape.map_or_else(|| Cow::Owned(Shape::any()), Cow::Borrowed), exists)
}

fn item_status(parent: &Shape, index: usize) -> Exists {
    let array = &parent.array;
    let index_u64 = index as u64;
    if array.max_items.is_some_and(|max_items| index_u64 >= max_items) {
        return Exists::Cannot;
    }
    if index_u64 < array.min_items && parent.types == Types::ARRAY {
        return Exists::Must;
    }
    let known =
        index < array.tuple.len() || array.max_items.is_some() || array.additional.is_some();
    if known { Exists::May } else { Exists::Implicit }
}
