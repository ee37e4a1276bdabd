//! `minimize` and `maximize`: the smaller or the greater value stays.

use serde_json::Value;

use super::walk::{Here, Reached, Stop, Walk};
use super::{Law, Setting, Strategy, compare_by, merge};
use crate::value::compare;

pub(super) const MINIMIZE: Strategy = Strategy {
    name: "minimize",
    docs: "The smaller value stays. With a `key`, the values at its pointers are compared, and \
           values of equal keys are merged.",
    settings: &[Setting::Key],
    laws: &[Law::Associative, Law::Commutative, Law::Idempotent],
    reduce: |walk, here, left, right| reduce(walk, here, left, right, Extreme::Smallest),
};

pub(super) const MAXIMIZE: Strategy = Strategy {
    name: "maximize",
    docs: "The greater value stays. With a `key`, the values at its pointers are compared, and \
           values of equal keys are merged.",
    settings: &[Setting::Key],
    laws: &[Law::Associative, Law::Commutative, Law::Idempotent],
    reduce: |walk, here, left, right| reduce(walk, here, left, right, Extreme::Greatest),
};

#[derive(Clone, Copy)]
enum Extreme {
    Smallest,
    Greatest,
}

fn reduce<'p>(
    walk: &mut Walk<'p>,
    here: &Here<'p>,
    left: Option<Value>,
    right: Value,
    extreme: Extreme,
) -> Result<Reached, Stop> {
    let key = &here.annotation.key;
    let has_key = !key.is_empty();
    if has_key && !right.is_object() && !right.is_array() {
        return Err(walk.wrong_type(here, "objects or arrays", left.as_ref(), &right));
    }
    let Some(left) = left else { return Ok(Reached::Kept(right)) };
    let order = if has_key { compare_by(key, &left, &right) } else { compare(&left, &right) };
    let order = match extreme {
        Extreme::Smallest => order,
        Extreme::Greatest => order.reverse(),
    };
    if order.is_lt() {
        return Ok(Reached::Kept(left));
    }
    if !has_key {
        return Ok(Reached::Kept(right));
    }
    let left = if order.is_eq() { Some(left) } else { None };
    merge::deep(walk, here, left, right, &[]).map(Reached::Kept)
}
