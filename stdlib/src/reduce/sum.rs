//! `sum`: numbers are added, and strings that stand for numbers.

use super::walk::{Here, Reached, Stop, Walk, quote};
use super::{Law, Strategy};
use crate::document::{Builder, Node, Number, View};
use crate::value::Decimal;

pub(super) const STRATEGY: Strategy = Strategy {
    name: "sum",
    docs: "Numbers are added: integers exactly, fractions as doubles, strings that stand for \
           numbers in decimals of any precision. A missing left side counts as 0.",
    settings: &[],
    laws: &[Law::Associative, Law::Commutative],
    reduce,
};

fn reduce(
    walk: Walk<'_>,
    here: &Here<'_>,
    left: Option<Node<'_>>,
    right: Node<'_>,
    out: &mut Builder,
) -> Result<Reached, Stop> {
    let augend = left.map_or(View::Number(Number::Unsigned(0)), Node::view);
    match add(augend, right.view(), out) {
        Ok(()) => Ok(Reached::Kept),
        Err(Fault::NotNumber) => Err(walk.wrong_type(here, "numbers", left, right)),
        Err(Fault::Overflow) => {
            let left = left.map_or_else(|| "`0`".to_owned(), quote);
            let message =
                format!("the `sum` of {left} and {} is beyond the numbers of JSON", quote(right));
            Err(walk.failure(here, message))
        }
    }
}

enum Fault {
    NotNumber,
    Overflow,
}

fn add(left: View<'_>, right: View<'_>, out: &mut Builder) -> Result<(), Fault> {
    if let (View::Number(left), View::Number(right)) = (left, right) {
        out.number(add_numbers(left, right).ok_or(Fault::Overflow)?);
        return Ok(());
    }
    let left = decimal(left).ok_or(Fault::NotNumber)?;
    let right = decimal(right).ok_or(Fault::NotNumber)?;
    out.string(&left.add(right).ok_or(Fault::Overflow)?.to_string());
    Ok(())
}

/// The sum, unless it is beyond the numbers of JSON.
fn add_numbers(left: Number, right: Number) -> Option<Number> {
    if let (Some(left), Some(right)) = (left.as_integer(), right.as_integer()) {
        // Two integers of 65 bits never overflow 128.
        let sum = left + right;
        return u64::try_from(sum)
            .map(Number::Unsigned)
            .or_else(|_| i64::try_from(sum).map(Number::Negative))
            .ok();
    }
    let sum = left.as_f64() + right.as_f64();
    sum.is_finite().then_some(Number::Float(sum))
}

fn decimal(value: View<'_>) -> Option<Decimal> {
    match value {
        View::String(text) => Decimal::parse(text),
        View::Number(number) => match number.as_integer() {
            Some(integer) => Decimal::parse(&integer.to_string()),
            // Other tools of this language print the doubles of such sums with 15 digits after the
            // point.
            None => Decimal::parse(&format!("{:.15e}", number.as_f64())),
        },
        View::Null | View::Boolean(_) | View::Array(_) | View::Object(_) => None,
    }
}
