//! The difference of two texts as a patch that `git apply` takes.

#![allow(clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::fmt::Write as _;

/// Lines of context around a change.
const CONTEXT: usize = 3;
/// Where the table of the comparison would be larger than this, everything between the first and the last change is one change.
const CELLS_MAX: usize = 16 << 20;

/// One line of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line<'t> {
    Kept(&'t str),
    Removed(&'t str),
    Added(&'t str),
}

/// The patch that turns `old` into `new` at a path relative to the root of the project; empty when they are equal.
pub(super) fn patch(path: &str, old: &str, new: &str) -> String {
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
    let (before, inside) = (&lines[..hunk.start], &lines[hunk]);
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
    let (start, old) = old.split_at(same_start);
    let new = &new[same_start..];
    let same_end =
        old.iter().rev().zip(new.iter().rev()).take_while(|(left, right)| left == right).count();
    let (old, end) = old.split_at(old.len() - same_end);
    let new = &new[..new.len() - same_end];
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

fn longest_common<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<Line<'t>> {
    let width = new.len() + 1;
    // The cell (i, j) holds how many lines old[i..] and new[j..] have in common.
    let mut table = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            table[i * width + j] = if old[i] == new[j] {
                table[(i + 1) * width + j + 1] + 1
            } else {
                table[(i + 1) * width + j].max(table[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push(Line::Kept(old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len()
            || i < old.len() && table[(i + 1) * width + j] >= table[i * width + j + 1]
        {
            lines.push(Line::Removed(old[i]));
            i += 1;
        } else {
            lines.push(Line::Added(new[j]));
            j += 1;
        }
    }
    lines
}
