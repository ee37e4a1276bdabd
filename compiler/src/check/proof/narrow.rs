//! What follows for the values in a condition from its being true, or not.

use sqlparser::ast::{BinaryOperator, Expr, FunctionArguments, UnaryOperator, Value};
use tidegate_stdlib::lambda::sqlite::Nullability;

use super::calls;
use super::domain::{Domain, Integers, Reals, Texts};
use super::environment::{Environment, Key};
use super::expression::{self, parameter};
use super::precedence::is_agreed;

/// What a condition is taken to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truth {
    True,
    /// False and not NULL.
    False,
    /// False or NULL.
    NotTrue,
}

/// The environment when a condition is so; `None` when it cannot be.
pub(super) fn assume<'s>(
    condition: &Expr,
    truth: Truth,
    environment: &Environment<'s>,
) -> Option<Environment<'s>> {
    if !environment.takes_step() || !is_agreed(condition) {
        return Some(environment.clone());
    }
    let value = expression::domain(condition, environment);
    if !may_be(&value, truth) {
        return None;
    }
    // What is never NULL is false when it is not true.
    let truth = if truth == Truth::NotTrue && !value.null { Truth::False } else { truth };
    let mut inside = match condition {
        Expr::Nested(inner) => return assume(inner, truth, environment),
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => match truth {
            Truth::True => return assume(expr, Truth::False, environment),
            Truth::False => return assume(expr, Truth::True, environment),
            Truth::NotTrue => environment.clone(),
        },
        Expr::BinaryOp { left, op, right } => {
            let both = matches!(
                (op, truth),
                (BinaryOperator::And, Truth::True)
                    | (BinaryOperator::Or, Truth::False | Truth::NotTrue)
            );
            let one = matches!(
                (op, truth),
                (BinaryOperator::Or, Truth::True)
                    | (BinaryOperator::And, Truth::False | Truth::NotTrue)
            );
            if both {
                let inside = assume(left, truth, environment)?;
                return assume(right, truth, &inside);
            }
            if one {
                return either(left, right, truth, environment);
            }
            compared(left, op, right, truth, environment)
        }
        Expr::IsNull(operand) | Expr::IsNotNull(operand) => {
            let is_null = matches!(condition, Expr::IsNull(_)) == (truth == Truth::True);
            null_test(operand, is_null, environment)
        }
        Expr::InList { expr, list, negated } if truth != Truth::NotTrue => {
            in_list(expr, list, *negated == (truth == Truth::False), environment)
        }
        Expr::Between { expr, low, high, negated }
            if truth != Truth::NotTrue && *negated == (truth == Truth::False) =>
        {
            let above = compared(expr, &BinaryOperator::GtEq, low, Truth::True, environment);
            compared(expr, &BinaryOperator::LtEq, high, Truth::True, &above)
        }
        _ => key_is(condition, truth, environment),
    };
    if truth != Truth::NotTrue {
        require(condition, &mut inside);
    }
    Some(inside)
}

/// Whether a value may be so.
fn may_be(value: &Domain, truth: Truth) -> bool {
    let words = value.text.is_some() || value.blob;
    let is_true = words
        || value.integer.is_some_and(|it| it != Integers { least: 0, most: 0 })
        || value.real.is_some();
    let is_false = words
        || value.integer.is_some_and(|it| it.least <= 0 && it.most >= 0)
        || value.real.is_some_and(|it| it.least <= 0.0 && it.most >= 0.0);
    match truth {
        Truth::True => is_true,
        Truth::False => is_false,
        Truth::NotTrue => is_false || value.null,
    }
}

/// What holds whichever of two conditions is so.
fn either<'s>(
    left: &Expr,
    right: &Expr,
    truth: Truth,
    environment: &Environment<'s>,
) -> Option<Environment<'s>> {
    let left = assume(left, truth, environment);
    let right = assume(right, truth, environment);
    let (mut left, right) = match (left, right) {
        (Some(left), Some(right)) => (left, right),
        (left, right) => return left.or(right),
    };
    left.certain.retain(|call| right.certain.contains(call));
    let known = std::mem::take(&mut left.known);
    for (key, domain) in known {
        if let Some(other) = right.known.get(&key) {
            left.known.insert(key, domain.union(other.clone()));
        }
    }
    Some(left)
}

/// What an expression stands for, when its value can be kept in mind.
fn key_of(expression: &Expr, environment: &Environment<'_>) -> Option<Key> {
    match expression {
        Expr::Nested(inner) => key_of(inner, environment),
        Expr::Value(value) => match &value.value {
            Value::Placeholder(name) => parameter(name),
            _ => None,
        },
        Expr::Identifier(name) => single(environment.columns(None, name)),
        Expr::CompoundIdentifier(names) => match names.as_slice() {
            [table, name] => single(environment.columns(Some(table), name)),
            _ => None,
        },
        _ => None,
    }
}

fn single(keys: Vec<Key>) -> Option<Key> {
    match keys.as_slice() {
        [key] => Some(*key),
        _ => None,
    }
}

fn null_test<'s>(operand: &Expr, is_null: bool, environment: &Environment<'s>) -> Environment<'s> {
    let mut inside = environment.clone();
    match key_of(operand, environment) {
        Some(key) if is_null => inside.know(key, Domain::null()),
        _ if !is_null => require(operand, &mut inside),
        _ => {}
    }
    inside
}

/// Takes it that an expression is not NULL.
fn require(expression: &Expr, inside: &mut Environment<'_>) {
    if !is_agreed(expression) {
        return;
    }
    if let Some(key) = key_of(expression, inside) {
        let domain = inside.domain(key).without_null();
        inside.know(key, domain);
        return;
    }
    match expression {
        Expr::Nested(inner)
        | Expr::UnaryOp { expr: inner, .. }
        | Expr::Cast { expr: inner, .. }
        | Expr::Collate { expr: inner, .. } => require(inner, inside),
        Expr::BinaryOp { left, op, right }
            if !matches!(op, BinaryOperator::And | BinaryOperator::Or) =>
        {
            require(left, inside);
            if !matches!(op, BinaryOperator::Arrow | BinaryOperator::LongArrow) {
                require(right, inside);
            }
        }
        Expr::Like { expr, pattern, .. } => {
            require(expr, inside);
            require(pattern, inside);
        }
        Expr::Between { expr, .. } => require(expr, inside),
        Expr::InList { expr, list, .. } if !list.is_empty() => require(expr, inside),
        Expr::Function(call) => {
            inside.require(call);
            let arguments = calls::arguments(call);
            let strict = calls::function(call, arguments.len()).is_some_and(|function| {
                function.nullability == Nullability::Any && call.over.is_none()
            });
            let is_plain =
                matches!(&call.args, FunctionArguments::List(_)) && call.filter.is_none();
            if strict && is_plain {
                arguments.iter().for_each(|argument| require(argument, inside));
            }
        }
        _ => {}
    }
}

/// What a comparison says of its sides.
fn compared<'s>(
    left: &Expr,
    operator: &BinaryOperator,
    right: &Expr,
    truth: Truth,
    environment: &Environment<'s>,
) -> Environment<'s> {
    let mut inside = environment.clone();
    let Some(operator) = Comparison::of(operator, truth) else { return inside };
    for (side, other, operator) in [(left, right, operator), (right, left, operator.turned())] {
        if let Some(key) = key_of(side, environment) {
            let is_literal = matches!(other, Expr::Value(_));
            let mut other = expression::domain(other, environment);
            // A column or an expression may bring a collation, which takes different texts for equal.
            if let Some(texts) = other.text.as_mut().filter(|_| !is_literal) {
                texts.constants = None;
            }
            let is_binary = is_binary(key, environment);
            let domain = narrowed(inside.domain(key).without_null(), operator, &other, is_binary);
            inside.know(key, domain);
        }
    }
    inside
}

/// How one value lies to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    fn of(operator: &BinaryOperator, truth: Truth) -> Option<Self> {
        let comparison = match operator {
            BinaryOperator::Eq => Self::Equal,
            BinaryOperator::NotEq => Self::Unequal,
            BinaryOperator::Lt => Self::Less,
            BinaryOperator::LtEq => Self::LessOrEqual,
            BinaryOperator::Gt => Self::Greater,
            BinaryOperator::GtEq => Self::GreaterOrEqual,
            _ => return None,
        };
        match truth {
            Truth::True => Some(comparison),
            Truth::False => Some(comparison.opposite()),
            Truth::NotTrue => None,
        }
    }

    const fn opposite(self) -> Self {
        match self {
            Self::Equal => Self::Unequal,
            Self::Unequal => Self::Equal,
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
        }
    }

    /// The same, seen from the other side.
    const fn turned(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }
}

/// Beyond this, not every integer is a double.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// Whether equal texts are the same, and no column or expression brings a collation that takes others for equal.
fn is_binary(key: Key, environment: &Environment<'_>) -> bool {
    matches!(key, Key::Parameter(_)) || !environment.statement.has_collations
}

/// The values that lie so to some of the others. Words are greater than all numbers, so of them only an equality tells, and only when equal texts
/// are the same.
fn narrowed(domain: Domain, comparison: Comparison, other: &Domain, is_binary: bool) -> Domain {
    let mut found = domain;
    if let (Comparison::Equal, true, Some(texts)) = (comparison, is_binary, &other.text)
        && let (Some(wanted), true) = (&texts.constants, is_only_text(other))
    {
        found.text = found.text.map(|known| match &known.constants {
            Some(constants) => {
                Texts::of_constants(constants.intersection(wanted).cloned().collect())
            }
            None => Texts::of_constants(wanted.clone()),
        });
        found.text = found.text.filter(|it| it.constants.as_ref().is_none_or(|it| !it.is_empty()));
    }
    if !other.is_numeric() || other.is_only_null() {
        return found;
    }
    let reals = [other.integer.map(Integers::to_reals), other.real].into_iter().flatten();
    let Some(bounds) = reals.reduce(Reals::union) else { return found };
    let bound = other.integer.filter(|it| it.least == it.most && other.real.is_none());
    let keyword = match comparison {
        Comparison::Greater => Some("exclusiveMinimum"),
        Comparison::Less => Some("exclusiveMaximum"),
        _ => None,
    };
    if let (Some(keyword), Some(bound)) = (keyword, bound) {
        found.facts.insert(keyword.to_owned(), bound.least.into());
    }
    let (least, most) = match comparison {
        Comparison::Equal => (Some(bounds.least), Some(bounds.most)),
        Comparison::Unequal => return unequal(found, other),
        Comparison::Less | Comparison::LessOrEqual => (None, Some(bounds.most)),
        Comparison::Greater | Comparison::GreaterOrEqual => (Some(bounds.least), None),
    };
    found.real = found.real.and_then(|it| {
        let step =
            |is_strict: bool, bound: f64| if is_strict && bound.fract() == 0.0 { 1.0 } else { 0.0 };
        let inner = |bound: f64, rounded: f64, step: f64| {
            if it.is_whole && bound.abs() < EXACT_MAX { rounded + step } else { bound }
        };
        let greater = step(comparison == Comparison::Greater, bounds.least);
        let less = step(comparison == Comparison::Less, bounds.most);
        let least = least.map(|bound| inner(bound, bound.ceil(), greater));
        let most = most.map(|bound| inner(bound, bound.floor(), -less));
        let least = least.map_or(it.least, |least| least.max(it.least));
        let most = most.map_or(it.most, |most| most.min(it.most));
        (least <= most).then_some(Reals { least, most, ..it })
    });
    found.integer = found.integer.and_then(|it| cut(it, comparison, bounds, (least, most)));
    found
}

fn cut(
    integers: Integers,
    comparison: Comparison,
    bounds: Reals,
    (least, most): (Option<f64>, Option<f64>),
) -> Option<Integers> {
    let is_exact = |bound: &f64| bound.abs() < EXACT_MAX;
    let step = |is_strict: bool, bound: f64| i64::from(is_strict && bound.fract() == 0.0);
    let least = least
        .filter(is_exact)
        .map(|bound| bound.ceil() as i64 + step(comparison == Comparison::Greater, bounds.least));
    let most = most
        .filter(is_exact)
        .map(|bound| bound.floor() as i64 - step(comparison == Comparison::Less, bounds.most));
    let least = least.map_or(integers.least, |least| least.max(integers.least));
    let most = most.map_or(integers.most, |most| most.min(integers.most));
    (least <= most).then_some(Integers { least, most })
}

/// Without a value at an end.
fn unequal(domain: Domain, other: &Domain) -> Domain {
    let mut found = domain;
    let wanted = other.integer.filter(|it| it.least == it.most && other.real.is_none());
    let Some(Integers { least: value, .. }) = wanted else { return found };
    found.integer = found.integer.and_then(|it| {
        let least = if it.least == value { it.least.checked_add(1)? } else { it.least };
        let most = if it.most == value { it.most.checked_sub(1)? } else { it.most };
        (least <= most).then_some(Integers { least, most })
    });
    found.real = found.real.and_then(|it| {
        let (value, step) = (value as f64, if it.is_whole { 1.0 } else { 0.0 });
        let is_exact = value.abs() < EXACT_MAX;
        let least = if it.least == value && is_exact { value + step } else { it.least };
        let most = if it.most == value && is_exact { value - step } else { it.most };
        (least <= most).then_some(Reals { least, most, ..it })
    });
    found
}

fn is_only_text(domain: &Domain) -> bool {
    domain.integer.is_none() && domain.real.is_none() && !domain.blob
}

/// What being in a list, or not, says of a value.
fn in_list<'s>(
    expression: &Expr,
    list: &[Expr],
    is_in: bool,
    environment: &Environment<'s>,
) -> Environment<'s> {
    let mut inside = environment.clone();
    let Some(key) = key_of(expression, environment) else { return inside };
    let mut domain = inside.domain(key);
    if !list.is_empty() {
        domain = domain.without_null();
    }
    if is_in {
        let members = list.iter().map(|member| expression::domain(member, environment));
        let members = members.fold(Domain::none(), Domain::union);
        domain = narrowed(domain, Comparison::Equal, &members, is_binary(key, environment));
    }
    inside.know(key, domain);
    inside
}

/// What a value that stands as a condition is, or `typeof` says.
fn key_is<'s>(condition: &Expr, truth: Truth, environment: &Environment<'s>) -> Environment<'s> {
    let mut inside = environment.clone();
    if let Some(key) = key_of(condition, environment)
        && truth != Truth::NotTrue
    {
        let zero = Domain::integer(0, 0);
        let comparison = if truth == Truth::True { Comparison::Unequal } else { Comparison::Equal };
        let mut domain = inside.domain(key).without_null();
        if domain.is_numeric() {
            domain = narrowed(domain, comparison, &zero, false);
        }
        inside.know(key, domain);
    }
    inside
}
