//! Shapes of bounded size: what lies too deep is told by additional properties and items alone.

use super::{ArrayShape, ObjectShape, Shape};

/// A shape with at most `locations_max` locations, none of them deeper than `depth_max`.
pub(super) fn simplify(shape: Shape, locations_max: usize, depth_max: usize) -> Shape {
    let mut shape = cut(shape, depth_max);
    for depth in (0..depth_max).rev() {
        if shape.size() <= locations_max {
            break;
        }
        shape = cut(shape, depth);
    }
    shape
}

/// The shape whose parts below `depth` are united. Where a shape is open, its parts say less than
/// nothing being said, so they are forgotten.
fn cut(mut shape: Shape, depth: usize) -> Shape {
    let (array, object) = (std::mem::take(&mut shape.array), std::mem::take(&mut shape.object));
    let Some(deeper) = depth.checked_sub(1) else {
        let others = array.additional.map(|it| united(array.tuple.into_iter().chain([*it])));
        shape.array = ArrayShape { tuple: Vec::new(), additional: others, ..array };
        let named = object.properties.into_iter().map(|property| property.shape);
        let named = named.chain(object.patterns.into_iter().map(|pattern| pattern.shape));
        let others = object.additional.map(|it| united(named.chain([*it])));
        shape.object = ObjectShape { additional: others, ..ObjectShape::default() };
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

/// What all parts of a location say; even that must not go any deeper.
fn united(parts: impl Iterator<Item = Shape>) -> Box<Shape> {
    let united = parts.fold(Shape::impossible(), Shape::union);
    let (array, object) = (ArrayShape::default(), ObjectShape::default());
    Box::new(Shape { array, object, ..united })
}
