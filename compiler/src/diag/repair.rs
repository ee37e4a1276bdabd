//! Fixes applied to texts.
//!
//! A fix is applied as a whole or not at all. Of fixes that touch one another the first is applied, in the order of the
//! diagnostics; the others are found again, or not, when the new texts are compiled. Nothing is changed inside a value that an
//! alias uses once more: what is right for one place may be wrong for the other.

use std::collections::BTreeMap;

use url::Url;

use super::{Applicability, Diagnostic, Edit, Fix};
use crate::source::{Range, SourceFile, Sources};

/// New texts of files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repairs {
    /// The new text of each file that changes.
    pub texts: BTreeMap<Url, String>,
    /// How many fixes were applied.
    pub applied: usize,
}

/// Applies the fixes of diagnostics as far as they fit together: the safe ones, or with [`Applicability::Unsafe`] all. Only
/// files that `may_change` are changed.
pub fn repair(
    diagnostics: &[Diagnostic],
    sources: &Sources,
    wanted: Applicability,
    may_change: &dyn Fn(&SourceFile) -> bool,
) -> Repairs {
    // A file that is used in two roles is one file here.
    let mut chosen: BTreeMap<&Url, (&SourceFile, Vec<&Edit>)> = BTreeMap::new();
    let mut applied = 0;
    let fixes = diagnostics.iter().filter_map(|diagnostic| diagnostic.fix.as_ref());
    for fix in fixes.filter(|fix| is_wanted(fix, wanted)) {
        let is_free = |edit: &Edit| {
            let file = sources.file(edit.span.file);
            let others = chosen.get(&file.url).map_or(&[][..], |(_, edits)| edits);
            others.iter().all(|other| !touches(other.span.range, edit.span.range))
        };
        let is_possible = |edit: &Edit| {
            let file = sources.file(edit.span.file);
            let range = edit.span.range;
            file.text.get(range.as_usize()).is_some()
                && file.tree.as_ref().is_none_or(|tree| !tree.is_aliased(range))
                && may_change(file)
        };
        let is_sound = !fix.edits.is_empty() && !overlap(fix, sources);
        if is_sound && fix.edits.iter().all(|edit| is_free(edit) && is_possible(edit)) {
            for edit in &fix.edits {
                let file = sources.file(edit.span.file);
                chosen.entry(&file.url).or_insert((file, Vec::new())).1.push(edit);
            }
            applied += 1;
        }
    }
    let texts = chosen
        .into_iter()
        .map(|(url, (file, edits))| (url.clone(), changed(&file.text, edits)))
        .collect();
    Repairs { texts, applied }
}

/// Whether a fix may be applied when those of `wanted` are.
fn is_wanted(fix: &Fix, wanted: Applicability) -> bool {
    match fix.applicability {
        Applicability::Safe => true,
        Applicability::Unsafe => wanted == Applicability::Unsafe,
    }
}

/// Whether two ranges share bytes or meet: what is inserted between could belong to either.
const fn touches(left: Range, right: Range) -> bool {
    left.start <= right.end && right.start <= left.end
}

/// Whether edits of one fix share bytes.
fn overlap(fix: &Fix, sources: &Sources) -> bool {
    let place = |edit: &Edit| (&sources.file(edit.span.file).url, edit.span.range);
    let mut places: Vec<_> = fix.edits.iter().map(place).collect();
    places.sort_unstable();
    let mut pairs = places.iter().zip(places.iter().skip(1));
    pairs.any(|((file, range), (next_file, next))| file == next_file && range.end > next.start)
}

fn changed(text: &str, mut edits: Vec<&Edit>) -> String {
    edits.sort_by_key(|edit| edit.span.range);
    let mut result = String::with_capacity(text.len());
    let mut end = 0;
    for edit in edits {
        let range = edit.span.range.as_usize();
        result.push_str(text.get(end..range.start).unwrap_or_default());
        result.push_str(&edit.text);
        end = range.end;
    }
    result.push_str(text.get(end..).unwrap_or_default());
    result
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use std::sync::Arc;

    use super::repair;
    use crate::diag::{Applicability, Diagnostic, Edit, Fix, rules};
    use crate::source::{FileId, LineIndex, Range, Role, SourceFile, Sources, Span};
    use crate::syntax::{self, ParseOptions};

    fn source(text: &str) -> Sources {
        let mut sources = Sources::default();
        sources.add(SourceFile {
            url: "file:///a.yaml".parse().unwrap(),
            name: "a.yaml".to_owned(),
            role: Role::Catalog,
            text: text.into(),
            lines: Arc::new(LineIndex::new(text)),
            tree: Some(Arc::new(syntax::parse(text, ParseOptions { merge_keys: true }))),
            specs: None,
            is_present: true,
        });
        sources
    }

    fn span(start: u32, end: u32) -> Span {
        Range::new(start, end).in_file(FileId(0))
    }

    fn fixed_by(fix: Fix) -> Diagnostic {
        Diagnostic::new(&rules::UNKNOWN_FIELD, span(0, 0), "m").fix(fix)
    }

    fn text_after(text: &str, fixes: Vec<Fix>, wanted: Applicability) -> (String, usize) {
        let sources = source(text);
        let diagnostics: Vec<_> = fixes.into_iter().map(fixed_by).collect();
        let repairs = repair(&diagnostics, &sources, wanted, &|_| true);
        let text = repairs.texts.into_values().next().unwrap_or_else(|| text.to_owned());
        (text, repairs.applied)
    }

    #[test]
    fn of_fixes_that_touch_one_another_the_first_is_applied() {
        let fixes = || {
            vec![
                Fix::replace(span(3, 5), "one", "m"),
                Fix::replace(span(4, 6), "two", "m"),
                Fix::replace(span(5, 5), "three", "m"),
                Fix::replace(span(7, 8), "four", "m"),
            ]
        };
        let (text, applied) = text_after("a: bcdefg\n", fixes(), Applicability::Safe);
        assert_eq!((text.as_str(), applied), ("a: onedefourg\n", 2));
    }

    #[test]
    fn a_fix_is_applied_as_a_whole_or_not_at_all() {
        let mut both = Fix::replace(span(7, 8), "x", "m");
        both.edits.push(Edit { span: span(3, 4), text: "y".to_owned() });
        let first = Fix::replace(span(3, 4), "z", "m");
        let (text, applied) = text_after("a: bcdefg\n", vec![first, both], Applicability::Safe);
        assert_eq!((text.as_str(), applied), ("a: zcdefg\n", 1));
    }

    #[test]
    fn unsafe_fixes_are_applied_only_when_wanted() {
        let fix = || vec![Fix::replace(span(3, 4), "x", "m").unsafe_to_apply()];
        assert_eq!(text_after("a: b\n", fix(), Applicability::Safe).1, 0);
        assert_eq!(text_after("a: b\n", fix(), Applicability::Unsafe).0, "a: x\n");
    }

    #[test]
    fn values_that_aliases_use_again_stay() {
        let text = "a: &x {b: 1}\nc: *x\nd: 1\n";
        let inside = u32::try_from(text.find('b').unwrap()).unwrap();
        let outside = u32::try_from(text.find('d').unwrap()).unwrap();
        let fixes = vec![
            Fix::replace(span(inside, inside + 1), "bb", "m"),
            Fix::replace(span(outside, outside + 1), "dd", "m"),
        ];
        let (text, applied) = text_after(text, fixes, Applicability::Safe);
        assert_eq!((text.as_str(), applied), ("a: &x {b: 1}\nc: *x\ndd: 1\n", 1));
    }

    #[test]
    fn files_that_may_not_change_stay() {
        let sources = source("a: b\n");
        let diagnostics = [fixed_by(Fix::replace(span(3, 4), "x", "m"))];
        let repairs = repair(&diagnostics, &sources, Applicability::Safe, &|_| false);
        assert!(repairs.texts.is_empty() && repairs.applied == 0);
    }
}
