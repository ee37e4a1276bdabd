//! The difference of two texts as a patch that `git apply` takes: what a fix would change, and what a test found.

use std::fmt::Write as _;

/// Lines of context around a change.
const CONTEXT: usize = 3;
/// Where the table of the comparison would be larger than this, everything between the first and the last change is one change.
const CELLS_MAX: usize = 4 << 20;

/// One line of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line<'t> {
    Kept(&'t str),
    Removed(&'t str),
    Added(&'t str),
}

/// The patch that turns `old` into `new` at a path relative to where the patch is applied; empty when they are equal.
pub fn patch(path: &str, old: &str, new: &str) -> String {
    let lines = difference(&split(old), &split(new));
    let mut text = format!("--- a/{path}\n+++ b/{path}\n");
    let is_changed = |line: &Line<'_>| !matches!(line, Line::Kept(_));
    let changed: Vec<usize> =
        (0..).zip(&lines).filter(|(_, line)| is_changed(line)).map(|(index, _)| index).collect();
    let mut hunks: Vec<std::ops::Range<usize>> = Vec::new();
    for index in changed {
        let start = index.saturating_sub(CONTEXT);
        let end = (index + 1 + CONTEXT).min(lines.len());
        match hunks.last_mut() {
            Some(last) if start <= last.end => last.end = end,
            _ => hunks.push(start..end),
        }
    }
    if hunks.is_empty() {
        return String::new();
    }
    for hunk in hunks {
        write_hunk(&lines, hunk, &mut text);
    }
    text
}

fn write_hunk(lines: &[Line<'_>], hunk: std::ops::Range<usize>, text: &mut String) {
    let count = |lines: &[Line<'_>]| {
        let old = lines.iter().filter(|line| !matches!(line, Line::Added(_))).count();
        let new = lines.iter().filter(|line| !matches!(line, Line::Removed(_))).count();
        (old, new)
    };
    let (before, inside) = lines.split_at(hunk.start);
    let inside = inside.get(..hunk.len()).unwrap_or(inside);
    let ((old_before, new_before), (old, new)) = (count(before), count(inside));
    let start = |before: usize, length: usize| if length == 0 { before } else { before + 1 };
    let (old_start, new_start) = (start(old_before, old), start(new_before, new));
    writeln!(text, "@@ -{old_start},{old} +{new_start},{new} @@").expect("a string takes text");
    for line in inside {
        let (sign, line) = match line {
            Line::Kept(line) => (' ', line),
            Line::Removed(line) => ('-', line),
            Line::Added(line) => ('+', line),
        };
        text.push(sign);
        text.push_str(line.trim_end_matches('\n'));
        text.push('\n');
        if !line.ends_with('\n') {
            text.push_str("\\ No newline at end of file\n");
        }
    }
}

fn split(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// The lines of both texts by a longest common subsequence.
fn difference<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<Line<'t>> {
    let same_start = old.iter().zip(new).take_while(|(left, right)| left == right).count();
    let ((start, old), (_, new)) = (old.split_at(same_start), new.split_at(same_start));
    let same_end =
        old.iter().rev().zip(new.iter().rev()).take_while(|(left, right)| left == right).count();
    let (old, end) = old.split_at(old.len() - same_end);
    let (new, _) = new.split_at(new.len() - same_end);
    let mut lines: Vec<Line<'t>> = start.iter().map(|line| Line::Kept(line)).collect();
    if old.len().saturating_mul(new.len()) > CELLS_MAX {
        lines.extend(old.iter().map(|line| Line::Removed(line)));
        lines.extend(new.iter().map(|line| Line::Added(line)));
    } else {
        lines.extend(longest_common(old, new));
    }
    lines.extend(end.iter().map(|line| Line::Kept(line)));
    lines
}

/// The cell (i, j) holds how many lines the texts have in common from line i of the old and line j of the new one on.
struct Common {
    cells: Vec<u32>,
    width: usize,
}

impl Common {
    fn of(old: &[&str], new: &[&str]) -> Self {
        let width = new.len() + 1;
        let mut common = Self { cells: vec![0; (old.len() + 1) * width], width };
        for (i, left) in old.iter().enumerate().rev() {
            for (j, right) in new.iter().enumerate().rev() {
                let count = if left == right {
                    common.at(i + 1, j + 1) + 1
                } else {
                    common.at(i + 1, j).max(common.at(i, j + 1))
                };
                if let Some(cell) = common.cells.get_mut(i * width + j) {
                    *cell = count;
                }
            }
        }
        common
    }

    fn at(&self, i: usize, j: usize) -> u32 {
        self.cells.get(i * self.width + j).copied().unwrap_or(0)
    }
}

fn longest_common<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<Line<'t>> {
    let common = Common::of(old, new);
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    loop {
        match (old.get(i), new.get(j)) {
            (Some(left), Some(right)) if left == right => {
                lines.push(Line::Kept(left));
                (i, j) = (i + 1, j + 1);
            }
            (Some(left), right)
                if right.is_none() || common.at(i + 1, j) >= common.at(i, j + 1) =>
            {
                lines.push(Line::Removed(left));
                i += 1;
            }
            (_, Some(right)) => {
                lines.push(Line::Added(right));
                j += 1;
            }
            (_, None) => return lines,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::patch;

    #[test]
    fn equal_texts_differ_in_nothing() {
        assert_eq!(patch("a", "x\n", "x\n"), "");
    }

    #[test]
    fn changes_stand_among_their_lines() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let new = "1\n2\n3\n4\nfive\n6\n7\n8\n9";
        let expected = "--- a/f\n+++ b/f\n@@ -2,8 +2,8 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n-9\n+9\n\
            \\ No newline at end of file\n";
        assert_eq!(patch("f", old, new), expected);
    }

    #[test]
    fn added_and_removed_lines_are_counted() {
        assert_eq!(patch("f", "", "a\n"), "--- a/f\n+++ b/f\n@@ -0,0 +1,1 @@\n+a\n");
        assert_eq!(patch("f", "a\n", ""), "--- a/f\n+++ b/f\n@@ -1,1 +0,0 @@\n-a\n");
    }
}
