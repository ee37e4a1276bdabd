//! What operators make of their operands.

use sqlparser::ast::{BinaryOperator, Expr};

use super::domain::{Domain, Facts, Integers, Reals, Subtype, Texts};
use super::json_calls;

/// The result of an operator.
pub(super) fn binary(
    left: Domain,
    operator: &BinaryOperator,
    right: Domain,
    right_expression: &Expr,
) -> Domain {
    let null = left.null || right.null;
    match operator {
        BinaryOperator::Plus => arithmetic(&left, &right, Sum),
        BinaryOperator::Minus => arithmetic(&left, &negated(right), Sum),
        BinaryOperator::Multiply => arithmetic(&left, &right, Product),
        BinaryOperator::Divide => quotient(&left, &right),
        BinaryOperator::Modulo => remainder(&left, &right),
        BinaryOperator::StringConcat => concatenation(&left, &right),
        BinaryOperator::And
        | BinaryOperator::Or
        | BinaryOperator::Eq
        | BinaryOperator::NotEq
        | BinaryOperator::Lt
        | BinaryOperator::LtEq
        | BinaryOperator::Gt
        | BinaryOperator::GtEq
        | BinaryOperator::Glob => Domain::boolean().or_null(null),
        BinaryOperator::BitwiseAnd
        | BinaryOperator::BitwiseOr
        | BinaryOperator::PGBitwiseShiftLeft
        | BinaryOperator::PGBitwiseShiftRight => {
            Domain { integer: Some(Integers::ALL), ..Domain::none() }.or_null(null)
        }
        BinaryOperator::Arrow => json_calls::arrow(&left, right_expression),
        BinaryOperator::LongArrow => json_calls::long_arrow(&left, right_expression),
        _ => Domain::any(),
    }
}

/// The numbers that an operand is taken for.
#[derive(Debug, Clone, Copy, Default)]
struct Numbers {
    integer: Option<Integers>,
    real: Option<Reals>,
}

impl Numbers {
    fn of(domain: &Domain) -> Self {
        if domain.is_numeric() {
            return Self { integer: domain.integer, real: domain.real };
        }
        // A text is the number that it begins with.
        Self { integer: Some(Integers::ALL), real: Some(Reals::ALL) }
    }

    /// All of them as real numbers.
    fn to_reals(self) -> Option<Reals> {
        let integers = self.integer.map(Integers::to_reals);
        match (integers, self.real) {
            (Some(left), Some(right)) => Some(left.union(right)),
            (left, right) => left.or(right),
        }
    }

    fn may_be_infinite(self) -> bool {
        self.real.is_some_and(Reals::may_be_infinite)
    }
}

/// An operation of which the bounds of the result lie at bounds of the operands.
trait Operation {
    fn exact(&self, left: i128, right: i128) -> i128;
    fn real(&self, left: f64, right: f64) -> f64;
}

struct Sum;
struct Product;

impl Operation for Sum {
    fn exact(&self, left: i128, right: i128) -> i128 {
        left + right
    }
    fn real(&self, left: f64, right: f64) -> f64 {
        left + right
    }
}

impl Operation for Product {
    fn exact(&self, left: i128, right: i128) -> i128 {
        left * right
    }
    fn real(&self, left: f64, right: f64) -> f64 {
        // Nothing times infinity is no number, and so NULL.
        if left == 0.0 || right == 0.0 { 0.0 } else { left * right }
    }
}

fn arithmetic(left: &Domain, right: &Domain, operation: impl Operation) -> Domain {
    let (left_numbers, right_numbers) = (Numbers::of(left), Numbers::of(right));
    // Infinity less infinity is no number, and so NULL.
    let is_undefined = left_numbers.may_be_infinite() || right_numbers.may_be_infinite();
    let mut found = Domain::none().or_null(left.null || right.null || is_undefined);
    if let (Some(left), Some(right)) = (left_numbers.integer, right_numbers.integer) {
        found = found.union(exact(left, right, &operation));
    }
    let pairs = [
        (left_numbers.real, right_numbers.to_reals()),
        (left_numbers.to_reals(), right_numbers.real),
    ];
    for (left, right) in pairs {
        if let (Some(left), Some(right)) = (left, right) {
            let corners = corners(left, right, |left, right| operation.real(left, right));
            let is_whole = left.is_whole && right.is_whole;
            found = found.union(Domain::real(Reals { is_whole, ..corners }));
        }
    }
    found
}

/// Integers that leave their range become real.
fn exact(left: Integers, right: Integers, operation: &impl Operation) -> Domain {
    let at = |left: i64, right: i64| operation.exact(left.into(), right.into());
    let corners = [
        at(left.least, right.least),
        at(left.least, right.most),
        at(left.most, right.least),
        at(left.most, right.most),
    ];
    let least = corners.into_iter().min().unwrap_or(0);
    let most = corners.into_iter().max().unwrap_or(0);
    let (lowest, highest) = (i128::from(i64::MIN), i128::from(i64::MAX));
    let clamp = |bound: i128| i64::try_from(bound.clamp(lowest, highest)).unwrap_or(0);
    let mut found = Domain::none();
    if least <= highest && most >= lowest {
        found = Domain::integer(clamp(least), clamp(most));
    }
    if least < lowest || most > highest {
        let reals = Reals { least: least as f64, most: most as f64, is_whole: true };
        found = found.union(Domain::real(reals));
    }
    found
}

fn corners(left: Reals, right: Reals, at: impl Fn(f64, f64) -> f64) -> Reals {
    let corners = [
        at(left.least, right.least),
        at(left.least, right.most),
        at(left.most, right.least),
        at(left.most, right.most),
    ];
    // A corner that is no number says that nothing is known there.
    if corners.iter().any(|corner| corner.is_nan()) {
        return Reals::ALL;
    }
    let least = corners.into_iter().fold(f64::INFINITY, f64::min);
    let most = corners.into_iter().fold(f64::NEG_INFINITY, f64::max);
    Reals { least, most, is_whole: false }
}

/// The number with the other sign.
pub(super) fn negated(domain: Domain) -> Domain {
    let numbers = Numbers::of(&domain);
    let mut found = Domain::none().or_null(domain.null);
    if let Some(Integers { least, most }) = numbers.integer {
        let from = most.checked_neg().unwrap_or(i64::MAX);
        let to = least.checked_neg().unwrap_or(i64::MAX);
        found = found.union(Domain::integer(from, to));
        if least == i64::MIN {
            let beyond = -(i64::MIN as f64);
            let reals = Reals { least: beyond, most: beyond, is_whole: true };
            found = found.union(Domain::real(reals));
        }
    }
    if let Some(Reals { least, most, is_whole }) = numbers.real {
        found = found.union(Domain::real(Reals { least: -most, most: -least, is_whole }));
    }
    found
}

fn quotient(left: &Domain, right: &Domain) -> Domain {
    let (dividend, divisor) = (Numbers::of(left), Numbers::of(right));
    let has_zero = |numbers: Numbers| {
        numbers.to_reals().is_some_and(|reals| reals.least <= 0.0 && reals.most >= 0.0)
    };
    let is_undefined = dividend.may_be_infinite() && divisor.may_be_infinite();
    let null = left.null || right.null || is_undefined || has_zero(divisor);
    let mut found = Domain::none().or_null(null);
    if let (Some(dividend), Some(divisor)) = (dividend.integer, divisor.integer) {
        let greatest = |it: Integers| it.least.unsigned_abs().max(it.most.unsigned_abs());
        let is_beside_zero = divisor.least > 0 || divisor.most < 0;
        let smallest = divisor.least.unsigned_abs().min(divisor.most.unsigned_abs());
        let smallest = if is_beside_zero { smallest } else { 1 };
        let most = i64::try_from(greatest(dividend) / smallest).unwrap_or(i64::MAX);
        let is_positive = dividend.least >= 0 && divisor.least >= 0;
        let least = if is_positive { 0 } else { most.checked_neg().unwrap_or(i64::MIN) };
        let least = if greatest(dividend) > i64::MAX.unsigned_abs() { i64::MIN } else { least };
        found = found.union(Domain::integer(least, most));
        if dividend.least == i64::MIN && divisor.least <= -1 {
            let beyond = -(i64::MIN as f64);
            let reals = Reals { least: beyond, most: beyond, is_whole: true };
            found = found.union(Domain::real(reals));
        }
    }
    let pairs = [(dividend.real, divisor.to_reals()), (dividend.to_reals(), divisor.real)];
    for (dividend, divisor) in pairs {
        if let (Some(dividend), Some(divisor)) = (dividend, divisor) {
            found = found.union(Domain::real(real_quotient(dividend, divisor)));
        }
    }
    found
}

fn real_quotient(dividend: Reals, divisor: Reals) -> Reals {
    if divisor.is_whole && !divisor.may_be_infinite() {
        // Whole numbers but zero are one or more.
        let above = Reals { least: divisor.least.max(1.0), ..divisor };
        let below = Reals { most: divisor.most.min(-1.0), ..divisor };
        let parts = [above, below].into_iter().filter(|it| it.least <= it.most);
        let quotients = parts.map(|it| corners(dividend, it, |left, right| left / right));
        let zero = Reals { least: 0.0, most: 0.0, is_whole: false };
        return quotients.reduce(Reals::union).unwrap_or(zero);
    }
    let is_away_from_zero = divisor.least > 0.0 || divisor.most < 0.0;
    if !is_away_from_zero || divisor.may_be_infinite() {
        let is_positive = dividend.least >= 0.0 && divisor.least >= 0.0;
        return Reals { least: if is_positive { 0.0 } else { f64::NEG_INFINITY }, ..Reals::ALL };
    }
    corners(dividend, divisor, |dividend, divisor| dividend / divisor)
}

/// Both operands are taken for integers; of real ones the result is real.
fn remainder(left: &Domain, right: &Domain) -> Domain {
    let (dividend, divisor) = (Numbers::of(left), Numbers::of(right));
    let is_integer = |numbers: Numbers| numbers.real.is_none();
    let least = dividend.to_reals().map_or(0.0, |it| it.least);
    let greatest = divisor.to_reals().map_or(0.0, |it| it.least.abs().max(it.most.abs()));
    let null_of_zero = divisor.to_reals().is_some_and(|it| it.least < 1.0 && it.most > -1.0);
    let null = left.null || right.null || null_of_zero;
    let most = if greatest < 9e18 { (greatest - 1.0).max(0.0).ceil() as i64 } else { i64::MAX };
    let least = if least >= 0.0 { 0 } else { most.checked_neg().unwrap_or(i64::MIN) };
    let integers = Integers { least, most };
    let mut found = Domain::none().or_null(null);
    if dividend.integer.is_some() && divisor.integer.is_some() {
        found.integer = Some(integers);
    }
    if !is_integer(dividend) || !is_integer(divisor) {
        found.real = Some(integers.to_reals());
    }
    found
}

fn concatenation(left: &Domain, right: &Domain) -> Domain {
    const COMBINATIONS_MAX: usize = 32;
    let null = left.null || right.null;
    let (Some(first), Some(last)) = (as_text(left), as_text(right)) else {
        return Domain::none().or_null(null);
    };
    if let (Some(firsts), Some(lasts)) = (&first.constants, &last.constants)
        && firsts.len() * lasts.len() <= COMBINATIONS_MAX
    {
        let all = firsts
            .iter()
            .flat_map(|first| lasts.iter().map(move |last| format!("{first}{last}").into()));
        return Domain::text(Texts::of_constants(all.collect())).or_null(null);
    }
    let texts = Texts {
        min_length: first.min_length + last.min_length,
        max_length: first.max_length.zip(last.max_length).map(|(first, last)| first + last),
        opens: first.opens || first.min_length == 0 && last.opens,
        closes: last.closes || last.min_length == 0 && first.closes,
        ..Texts::any()
    };
    Domain::text(texts).or_null(null)
}

/// What a value is as text.
pub(super) fn as_text(domain: &Domain) -> Option<Texts> {
    let mut parts = Vec::new();
    parts.extend(domain.text.clone());
    if domain.integer.is_some() || domain.real.is_some() {
        parts.push(digits(domain));
    }
    if domain.blob {
        parts.push(Texts::any());
    }
    let texts = parts.into_iter().reduce(Texts::union)?;
    Some(Texts { subtype: Subtype::Never, json: None, format: None, facts: Facts::new(), ..texts })
}

/// Numbers as text.
pub(super) fn digits(domain: &Domain) -> Texts {
    const CONSTANTS_MAX: i64 = 8;
    if let (Some(Integers { least, most }), None) = (domain.integer, domain.real)
        && most.checked_sub(least).is_some_and(|width| width < CONSTANTS_MAX)
    {
        return Texts::of_constants((least..=most).map(|it| it.to_string().into()).collect());
    }
    Texts { min_length: 1, max_length: Some(32), ..Texts::plain() }
}
