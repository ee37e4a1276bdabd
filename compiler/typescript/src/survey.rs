//! What is said anywhere in a module: code that is loaded while it runs, and values that are another each time.

use std::ops::Range;

use swc_common::Spanned;
use swc_ecma_ast::{CallExpr, Callee, Expr, MemberExpr, MemberProp, Module as Tree, NewExpr};
use swc_ecma_visit::{Visit, VisitWith};

use crate::{Module, Places, Problem, ProblemKind};

/// A use of what is another value each time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Where it stands.
    pub range: Range<usize>,
    /// What it is.
    pub what: Unrepeatable,
}

/// What is another value each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unrepeatable {
    /// The present time.
    Time,
    /// A random number or UUID.
    Random,
}

/// Walks over the whole tree.
pub(crate) fn walk(tree: &Tree, places: &Places<'_>, into: &mut Module) {
    tree.visit_with(&mut Survey { places, module: into });
}

struct Survey<'s> {
    places: &'s Places<'s>,
    module: &'s mut Module,
}

impl Survey<'_> {
    fn uses(&mut self, range: Range<usize>, what: Unrepeatable) {
        self.module.uses.push(Use { range, what });
    }
}

impl Visit for Survey<'_> {
    fn visit_call_expr(&mut self, call: &CallExpr) {
        let range = self.places.range(call.span);
        match &call.callee {
            Callee::Import(_) => self.module.problems.push(Problem {
                range,
                kind: ProblemKind::DynamicImport,
                message: "`import(…)` loads code while the module runs".to_owned(),
            }),
            Callee::Expr(callee) => {
                let place = self.places.range(callee.span());
                match method(callee) {
                    Some(("Date", "now") | ("performance", "now")) => {
                        self.uses(place, Unrepeatable::Time);
                    }
                    Some(("Math", "random") | ("crypto", "randomUUID" | "getRandomValues")) => {
                        self.uses(place, Unrepeatable::Random);
                    }
                    Some(_) | None => {}
                }
            }
            Callee::Super(_) => {}
        }
        call.visit_children_with(self);
    }

    fn visit_new_expr(&mut self, new: &NewExpr) {
        let is_date = matches!(&*new.callee, Expr::Ident(name) if &*name.sym == "Date");
        if is_date && new.args.as_ref().is_none_or(Vec::is_empty) {
            self.uses(self.places.range(new.span), Unrepeatable::Time);
        }
        new.visit_children_with(self);
    }
}

/// `object.property`, both as names.
fn method(callee: &Expr) -> Option<(&str, &str)> {
    let Expr::Member(MemberExpr { obj, prop: MemberProp::Ident(property), .. }) = callee else {
        return None;
    };
    let Expr::Ident(object) = &**obj else { return None };
    Some((&object.sym, &property.sym))
}
