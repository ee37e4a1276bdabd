//! `minimize` and `maximize`: the smaller or the greater value stays.

use super::walk::{Here, Reached, Stop, Walk};
use super::{Law, Setting, Strategy, compare_by, merge};
use crate::document::{Builder, Node, View, compare};

pub(super) const MINIMIZE: Strategy = Strategy {
    name: "minimize",
    docs: "The smaller value stays. With a `key`, the values at its pointers are compared, and \
           values of equal keys are merged.",
    settings: &[Setting::Key],
    laws: &[Law::Associative, Law::Commutative, Law::Idempotent],
    reduce: |walk, here, left, right, out| reduce(walk, here, left, right, Extreme::Smallest, out),
};

pub(super) const MAXIMIZE: Strategy = Strategy {
    name: "maximize",
    docs: "The greater value stays. With a `key`, the values at its pointers are compared, and \
           values of equal keys are merged.",
    settings: &[Setting::Key],
    laws: &[Law::Associative, Law::Commutative, Law::Idempotent],
    reduce: |walk, here, left, right, out| reduce(walk, here, left, right, Extreme::Greatest, out),
};

#[derive(Clone, Copy)]
enum Extreme {
    Smallest,
    Greatest,
}

fn reduce(
    walk: Walk<'_>,
    here: &Here<'_>,
    left: Option<Node<'_>>,
    right: Node<'_>,
    extreme: Extreme,
    out: &mut Builder,
) -> Result<Reached, Stop> {
    let key = &here.annotation.key;
    let has_key = !key.is_empty();
    if has_key && !matches!(right.view(), View::Object(_) | View::Array(_)) {
        return Err(walk.wrong_type(here, "objects or arrays", left, right));
    }
    let Some(left) = left else {
        out.copy(right);
        return Ok(Reached::Kept);
    };
    let order = if has_key { compare_by(key, left, right) } else { compare(left, right) };
    let order = match extreme {
        Extreme::Smallest => order,
        Extreme::Greatest => order.reverse(),
    };
    if order.is_lt() {
        out.copy(left);
    } else if has_key {
        merge::deep(walk, here, order.is_eq().then_some(left), right, &[], out)?;
    } else {
        out.copy(right);
    }
    Ok(Reached::Kept)
}
