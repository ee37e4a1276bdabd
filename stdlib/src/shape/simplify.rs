//! Shapes of bounded size: what lies too deep is told by additional properties alone.

use super::{ArrayShape, ObjectShape, Shape};

/// A shape with at most `locations_max` locations, none of them deeper than `depth_max`.
pub(super) fn simplify(shape: Shape, locations_max: usize, depth_max: usize) -> Shape {
    let mut shape = cut(shape, depth_max);
    for depth in (0..depth_max).rev() {
        if count(&shape) <= locations_max {
            break;
        }
        shape = cut(shape, depth);
    }
    shape
}

fn count(shape: &Shape) -> usize {
    1 + shape.children().map(count).sum::<usize>()
}

/// The shape whose parts below `depth` are united.
fn cut(mut shape: Shape, depth: usize) -> Shape {
    let (array, object) = (std::mem::take(&mut shape.array), std::mem::take(&mut shape.object));
    let Some(deeper) = depth.checked_sub(1) else {
        let items = array.tuple.into_iter().chain(array.additional.map(|it| *it));
        let properties = object.properties.into_iter().map(|property| property.shape);
        let patterns = object.patterns.into_iter().map(|pattern| pattern.shape);
        let others = object.additional.map(|it| *it);
        let united = |shapes: &mut dyn Iterator<Item = Shape>| {
            let united = shapes.reduce(Shape::union)?;
            // Even the united shape must not go any deeper.
            Some(Box::new(Shape {
                array: ArrayShape::default(),
                object: ObjectShape::default(),
                ..united
            }))
        };
        shape.array = ArrayShape {
            tuple: Vec::new(),
            additional: united(&mut { items }),
            min_items: array.min_items,
            max_items: array.max_items,
        };
        shape.object = ObjectShape {
            properties: Vec::new(),
            patterns: Vec::new(),
            additional: united(&mut properties.chain(patterns).chain(others)),
        };
        return shape;
    };
    let boxed = |shape: Option<Box<Shape>>| shape.map(|it| Box::new(cut(*it, deeper)));
    shape.array = ArrayShape {
        tuple: array.tuple.into_iter().map(|item| cut(item, deeper)).collect(),
        additional: boxed(array.additional),
        ..array
    };
    shape.object = ObjectShape {
        properties: object.properties,
        patterns: object.patterns,
        additional: boxed(object.additional),
    };
    for property in &mut shape.object.properties {
        let inner = std::mem::replace(&mut property.shape, Shape::any());
        property.shape = cut(inner, deeper);
    }
    for pattern in &mut shape.object.patterns {
        let inner = std::mem::replace(&mut pattern.shape, Shape::any());
        pattern.shape = cut(inner, deeper);
    }
    shape
}
