//! Whether an expression was parsed as SQLite parses it: the operators of the two do not bind equally.
//!
//! Parentheses are part of the tree. Where an operator stands directly below another, SQLite must bind it more tightly (or
//! equally, on the left side). A tree in which that holds everywhere is the one that SQLite sees.

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};

/// How tightly something binds; what has no operator binds most tightly.
const ATOM: u8 = 13;

/// Whether SQLite sees the operands of an expression where they are in the tree.
pub(super) fn is_agreed(expression: &Expr) -> bool {
    let own = level(expression);
    let left = |operand: &Expr| level(operand) >= own && !ends_openly(operand, own);
    let right = |operand: &Expr| level(operand) > own;
    match expression {
        Expr::BinaryOp { left: first, right: second, .. } => left(first) && right(second),
        Expr::UnaryOp { expr, .. } => level(expr) >= own,
        Expr::IsNull(operand)
        | Expr::IsNotNull(operand)
        | Expr::IsTrue(operand)
        | Expr::IsNotTrue(operand)
        | Expr::IsFalse(operand)
        | Expr::IsNotFalse(operand)
        | Expr::InList { expr: operand, .. }
        | Expr::InSubquery { expr: operand, .. } => left(operand),
        Expr::IsDistinctFrom(first, second) | Expr::IsNotDistinctFrom(first, second) => {
            left(first) && right(second)
        }
        Expr::Between { expr, low, high, .. } => left(expr) && right(low) && right(high),
        Expr::Like { expr, pattern, .. } => left(expr) && right(pattern),
        Expr::Collate { expr, .. } => level(expr) >= own,
        _ => true,
    }
}

/// Whether an operand on the left ends with a prefix operator that binds less tightly than the operator behind it: then
/// SQLite takes that operator for a part of the operand.
fn ends_openly(operand: &Expr, own: u8) -> bool {
    match operand {
        Expr::UnaryOp { op, expr } => {
            level(operand) < own || *op == UnaryOperator::Not || ends_openly(expr, own)
        }
        Expr::BinaryOp { right, .. } => ends_openly(right, own),
        _ => false,
    }
}

fn level(expression: &Expr) -> u8 {
    match expression {
        Expr::BinaryOp { op, .. } => level_of(op),
        Expr::UnaryOp { op: UnaryOperator::Not, .. } => 3,
        Expr::UnaryOp { .. } => 12,
        Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsTrue(_)
        | Expr::IsNotTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsNotFalse(_)
        | Expr::IsDistinctFrom(..)
        | Expr::IsNotDistinctFrom(..)
        | Expr::InList { .. }
        | Expr::InSubquery { .. }
        | Expr::Between { .. }
        | Expr::Like { .. } => 4,
        Expr::Collate { .. } => 11,
        _ => ATOM,
    }
}

fn level_of(operator: &BinaryOperator) -> u8 {
    match operator {
        BinaryOperator::Or => 1,
        BinaryOperator::And => 2,
        BinaryOperator::Eq | BinaryOperator::NotEq => 4,
        BinaryOperator::Match | BinaryOperator::Glob | BinaryOperator::Regexp => 4,
        BinaryOperator::Lt | BinaryOperator::LtEq | BinaryOperator::Gt | BinaryOperator::GtEq => 5,
        BinaryOperator::BitwiseAnd
        | BinaryOperator::BitwiseOr
        | BinaryOperator::PGBitwiseShiftLeft
        | BinaryOperator::PGBitwiseShiftRight => 7,
        BinaryOperator::Plus | BinaryOperator::Minus => 8,
        BinaryOperator::Multiply | BinaryOperator::Divide | BinaryOperator::Modulo => 9,
        BinaryOperator::StringConcat | BinaryOperator::Arrow | BinaryOperator::LongArrow => 10,
        // Of no other operator is it known, so nothing agrees with it.
        _ => 0,
    }
}
