//! `jsonSchemaMerge`: values that are schemas become the schema that takes what either takes.

use serde_json::Value;

use super::walk::{Here, Reached, Stop, Walk};
use super::{Law, Strategy};
use crate::document::{Builder, Node};
use crate::limits::{MERGED_SCHEMA_DEPTH_MAX, MERGED_SCHEMA_LOCATIONS_MAX};
use crate::schema::{NormalForm, count};
use crate::shape::Shape;

pub(super) const STRATEGY: Strategy = Strategy {
    name: "jsonSchemaMerge",
    docs: "Both values are JSON schemas; the result takes every document that either takes. \
           `x-complexity-limit` of the right one bounds its size.",
    settings: &[],
    laws: &[Law::Associative],
    reduce,
};

/// Schemas of another generation of a collection say nothing of its documents.
const GENERATION: &str = "x-collection-generation-id";

fn reduce(
    walk: Walk<'_>,
    here: &Here<'_>,
    left: Option<Node<'_>>,
    right: Node<'_>,
    out: &mut Builder,
) -> Result<Reached, Stop> {
    let shape_of = |schema: &Value| {
        let normal = NormalForm::new(schema);
        match normal.faults().first() {
            None => Ok(Shape::of(&normal)),
            Some(fault) => {
                let message = format!("`jsonSchemaMerge` wants JSON schemas: {}", fault.message);
                Err(walk.failure(here, message))
            }
        }
    };
    let left = left.map(Node::to_value);
    let right = right.to_value();
    let left_shape = left.as_ref().map_or_else(|| Ok(Shape::impossible()), shape_of)?;
    let right_shape = shape_of(&right)?;
    let generation =
        |schema: &Value| schema.get(GENERATION).and_then(Value::as_str).map(str::to_owned);
    let left_generation = left.as_ref().and_then(generation);
    let right_generation = generation(&right);
    let (mut shape, generation) = match (left_generation, right_generation) {
        (Some(left), Some(right)) if left < right => (right_shape, Some(right)),
        (Some(left), Some(right)) if left > right => (left_shape, Some(left)),
        (left, right) => (left_shape.union(right_shape), left.or(right)),
    };
    shape.annotations.extend(generation.map(|id| (GENERATION.to_owned(), Value::from(id))));
    let limit = right.get("x-complexity-limit").and_then(count);
    let limit = limit.and_then(|limit| usize::try_from(limit).ok());
    let limit = limit.unwrap_or(MERGED_SCHEMA_LOCATIONS_MAX).clamp(1, 100_000);
    out.value(&shape.simplify(limit, MERGED_SCHEMA_DEPTH_MAX).render());
    Ok(Reached::Kept)
}
