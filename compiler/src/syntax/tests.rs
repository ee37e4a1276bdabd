//! Ranges, places inside texts, recovery and limits of the YAML reader.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use proptest::prelude::*;
use serde_json::json;

use super::{NodeKind, ParseOptions, SyntaxProblemKind, Tree, parse};
use crate::source::Range;

fn data(text: &str) -> Tree {
    parse(text, ParseOptions { merge_keys: false })
}

fn value(text: &str) -> serde_json::Value {
    let tree = data(text);
    assert_eq!(tree.problems, [], "{text}");
    tree.to_json(tree.root())
}

fn slice(text: &str, range: Range) -> &str {
    text.get(range.as_usize()).expect("ranges are inside the text, at characters")
}

/// Ranges are inside the text and at characters, and the bytes of every string lead to its characters.
fn assert_sound(text: &str, tree: &Tree) {
    for node in &tree.nodes {
        slice(text, node.range);
        if let NodeKind::String(string) = &node.kind {
            assert!(!string.map.is_empty());
            assert!(string.map.is_sorted_by(|left, right| left.0 <= right.0 && left.1 <= right.1));
            for (at, character) in string.value.char_indices() {
                let place = string.place(at, at + character.len_utf8());
                assert!(place.start <= place.end && place.end as usize <= text.len());
            }
        }
        if let NodeKind::Mapping(entries) = &node.kind {
            entries
                .iter()
                .for_each(|entry| assert!(text.get(entry.key_range.as_usize()).is_some()));
        }
    }
    for problem in &tree.problems {
        slice(text, problem.range);
        problem.other.iter().for_each(|(range, _)| assert!(text.get(range.as_usize()).is_some()));
    }
    tree.comments.iter().for_each(|comment| assert!(slice(text, *comment).starts_with('#')));
}

/// Every character of every string stands where its place says: itself, an escape or a line break.
fn assert_exact(text: &str, tree: &Tree) {
    for node in &tree.nodes {
        let NodeKind::String(string) = &node.kind else { continue };
        for (at, character) in string.value.char_indices() {
            let place = string.place(at, at + character.len_utf8());
            let rest = &text[place.start as usize..];
            let is_same = rest.starts_with(character)
                || rest.starts_with('\\')
                || (character.is_whitespace() && rest.starts_with(['\n', '\r']))
                || (character == '\n' && rest.is_empty());
            assert!(is_same, "{character:?} of {:?} leads to {rest:?}", string.value);
        }
    }
}

#[test]
fn nodes_cover_what_was_written() {
    let text = "a:\n  - x\n  - y: 2\n    z: [1, {f: 'q'}]\nb: |\n  one\n  two\n\n";
    let tree = data(text);
    let at = |pointer: &str| slice(text, tree.node(tree.at(tree.root(), pointer).unwrap()).range);
    assert_eq!(at(""), text.trim_end());
    assert_eq!(at("/a"), "x\n  - y: 2\n    z: [1, {f: 'q'}]");
    assert_eq!(at("/a/1"), "y: 2\n    z: [1, {f: 'q'}]");
    assert_eq!(at("/a/1/z"), "[1, {f: 'q'}]");
    assert_eq!(at("/a/1/z/1/f"), "'q'");
    assert_eq!(at("/b"), "one\n  two");
    let quoted = tree.at(tree.root(), "/a/1/z/1/f").unwrap();
    assert_eq!(slice(text, tree.text_range(quoted)), "q");
    assert_eq!(tree.pointer(quoted), "/a/1/z/1/f");
    assert_eq!(slice(text, tree.key_range(quoted)), "f");
}

#[test]
fn json_is_yaml() {
    let text =
        "{\n\t\"a/b\": [1.0, -2, 1e3, true, null, \"\\u00e9\\/\\ud834\\udd1e\"],\n\t\"~\": {}\n}";
    assert_eq!(value(text), json!({"a/b": [1.0, -2, 1000.0, true, null, "é/𝄞"], "~": {}}));
    let tree = data(text);
    assert!(tree.at(tree.root(), "/a~1b/5").is_some());
    assert!(tree.at(tree.root(), "/~0").is_some());
    assert_exact(text, &tree);
}

#[test]
fn aliases_share_nodes_and_merge_keys_merge_only_when_asked() {
    let text = "a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\nc: *a\n";
    assert_eq!(value(text)["b"], json!({"<<": {"x": 1, "y": 2}, "y": 3}));
    let tree = parse(text, ParseOptions { merge_keys: true });
    let merged = tree.to_json(tree.root());
    assert_eq!(merged["b"], json!({"x": 1, "y": 3}));
    assert_eq!(merged["c"], json!({"x": 1, "y": 2}));
    let alias = tree.at(tree.root(), "/c").unwrap();
    assert_eq!(slice(text, tree.node(alias).range), "{x: 1, y: 2}");
}

/// The parser tells no indentation for a block whose lines are all blank.
#[test]
fn a_block_of_blanks_has_exact_places() {
    for header in ["|2", "|2-", "|2+", ">2", ">2-", ">2+"] {
        let text = format!("a: {header}\n  \n   \nb: 1\n");
        let tree = data(&text);
        assert_eq!(tree.problems, []);
        assert_exact(&text, &tree);
        let string = tree.string(tree.entry(tree.root(), "a").unwrap().value).unwrap();
        let blank = string.value.find(' ').unwrap();
        let line = text.find("\n   \n").unwrap() + 1;
        assert_eq!(string.place(blank, blank + 1).start as usize, line + 2, "{header}");
    }
}

#[test]
fn a_block_at_the_end_of_its_file_has_exact_places() {
    for text in
        ["a: |\n  b\n  ", "a: |\n  b", "a: >+\n  b\n  ", "a: >\n  b\n    ", "a: |+\n  b\n   "]
    {
        let tree = data(text);
        assert_sound(text, &tree);
        assert_exact(text, &tree);
    }
}

#[test]
fn the_later_of_two_anchors_counts() {
    assert_eq!(value("- &a 1\n- &a 2\n- *a"), json!([1, 2, 2]));
}

#[test]
fn places_lead_through_every_style() {
    let text = concat!(
        "plain: one\n  two\n\n  three\n",
        "single: 'it''s\n  fine  '\n",
        "double: \"a\\u00e9\\\n   b \\n \\\"c\\\"\n\n  d\"\n",
        "literal: |\n\n  é ab\n    cd\n\n  e\n\n",
        "keep: |+\n  ab\n\n\n",
        "indented: |2-\n   ab\n  cd\n",
        "folded: >\n\n  ab\n  cd\n\n\n  e\n    more\n    still\n\n  f\n\n",
        "stripped: >-\n  ab\n  cd\n",
        "windows: |\r\n  ab\r\n  cd\r\nend: x\n",
    );
    let tree = data(text);
    assert_eq!(tree.problems, []);
    assert_sound(text, &tree);
    assert_exact(text, &tree);
    let find = |key: &str, part: &str| {
        let node = tree.entry(tree.root(), key).unwrap().value;
        let string = tree.string(node).unwrap();
        let start = string.value.find(part).unwrap();
        slice(text, string.place(start, start + part.len()))
    };
    assert_eq!(find("single", "s"), "s");
    assert_eq!(find("single", "'"), "''");
    assert_eq!(find("double", "é"), "\\u00e9");
    assert_eq!(find("double", "\n"), "\\n");
    assert_eq!(find("literal", "é ab"), "é ab");
    assert_eq!(find("literal", "  cd"), "  cd");
    assert_eq!(find("folded", "ab cd"), "ab\n  cd");
    assert_eq!(find("folded", "more\n  still"), "more\n    still");
    assert_eq!(find("windows", "cd"), "cd");
}

/// The ten broken documents that recovery was made for, and what must be left of each.
#[test]
fn broken_documents_keep_all_but_the_broken_line() {
    let cases = [
        ("a: 1\nkey\nb: 2\n", json!({"a": 1, "b": 2})),
        ("a:\n  c: 1\n  key\nb: 2\n", json!({"a": {"c": 1}, "b": 2})),
        ("a: 1\nk: [1, 2\nb: 2\nc: 3\n", json!({"a": 1, "b": 2, "c": 3})),
        ("a: 1\nk: {x: 1\nb: 2\nc: 3\n", json!({"a": 1, "b": 2, "c": 3})),
        ("a: 1\nk: \"x\nb: 2\nc: 3\n", json!({"a": 1, "b": 2, "c": 3})),
        ("a:\n  b: 1\n c: 2\nd: 3\n", json!({"a": {"b": 1}, "d": 3})),
        ("a:\n  b: 1\n\tc: 1\nd: 3\n", json!({"a": {"b": 1}, "d": 3})),
        ("a: *\nb: 1\n", json!({"b": 1})),
        ("a: 'it's'\nb: 1\n", json!({"b": 1})),
        ("a: [1\nb: 2\nc: 3\nd: 'x\ne: 5\n", json!({"b": 2, "c": 3, "e": 5})),
    ];
    for (text, expected) in cases {
        let tree = data(text);
        assert!(!tree.problems.is_empty(), "{text}");
        assert_sound(text, &tree);
        let found = tree.to_json(tree.root());
        let is_kept = expected.as_object().unwrap().iter().all(|(key, value)| &found[key] == value);
        assert!(is_kept, "{text:?} gives {found}");
    }
}

#[test]
fn mistakes_are_told_apart() {
    let cases = [
        ("a: 1\na: 2\n", SyntaxProblemKind::DuplicateKey, "a"),
        ("a: *b\n", SyntaxProblemKind::UnknownAlias, "*b"),
        ("a: &a [*a]\n", SyntaxProblemKind::UnknownAlias, "*a"),
        ("? [a]\n: 1\n", SyntaxProblemKind::ComplexKey, "[a]"),
        ("a:\n\tb: 1\n", SyntaxProblemKind::TabIndentation, "\t"),
        ("a: ]\n", SyntaxProblemKind::Malformed, "]"),
        ("a: @x\n", SyntaxProblemKind::Malformed, "@x"),
        ("a: 1\n---\nb: 1\n", SyntaxProblemKind::Malformed, "---"),
        ("a: [1, 2\nb: 3\n", SyntaxProblemKind::Malformed, "["),
        ("a:\n  b\n  c: {}\n", SyntaxProblemKind::Malformed, "b"),
    ];
    for (text, kind, at) in cases {
        let tree = data(text);
        let problems: Vec<_> =
            tree.problems.iter().map(|found| (found.kind, slice(text, found.range))).collect();
        assert_eq!(problems, [(kind, at)], "{text}");
    }
}

#[test]
fn nesting_and_aliases_are_limited() {
    let deep = "[".repeat(100_000);
    let tree = data(&deep);
    assert_eq!(tree.problems[0].kind, SyntaxProblemKind::TooDeep);
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let tree = data(&bomb);
    assert_eq!(tree.problems.len(), 1);
    assert_eq!(tree.problems[0].kind, SyntaxProblemKind::TooDeep);
    tree.to_json(tree.root());
}

const SEED: &str = "# comment\nimport: [a.yaml, \"b c\"]\ncollections:\n  acme/x: &x\n    schema: {type: object}\n    key: [/id]\n    text: |\n      select 1;\n        é\n    fold: >-\n      a\n      b\n  acme/y:\n    <<: *x\n    quoted: 'it''s' # why\n    double: \"\\u00e9\\n\"\n";

proptest! {
    #[test]
    fn mutated_texts_never_panic_and_keep_ranges_inside(
        edits in prop::collection::vec(
            (any::<prop::sample::Index>(), 0usize..4, "[\\[\\]{}:,&*#|>'\"\\-\t\n a\\\\é<?!%@`]{0,3}"),
            1..6,
        ),
        merge_keys: bool,
    ) {
        let mut text = SEED.to_owned();
        for (index, removed, inserted) in edits {
            let start = text.floor_char_boundary(index.index(text.len() + 1));
            let end = text.floor_char_boundary((start + removed).min(text.len())).max(start);
            text.replace_range(start..end, &inserted);
        }
        let tree = parse(&text, ParseOptions { merge_keys });
        assert_sound(&text, &tree);
        tree.to_json(tree.root());
        tree.pointers(tree.root());
        for offset in 0..text.len() {
            tree.at_offset(u32::try_from(offset).unwrap());
        }
    }

    #[test]
    fn any_text_never_panics(text in "\\PC*") {
        assert_sound(&text, &data(&text));
    }

    #[test]
    fn quoted_and_block_texts_come_back_with_exact_places(
        lines in prop::collection::vec("[a-zé:#'\\[ ]{0,8}", 1..6),
    ) {
        let text = lines.join("\n");
        let double = format!("a: {}\n", serde_json::to_string(&text).unwrap());
        let tree = data(&double);
        prop_assert_eq!(&tree.to_json(tree.root())["a"], &json!(text));
        assert_exact(&double, &tree);

        let body: String = lines.iter().map(|line| format!("  {line}\n")).collect();
        for header in ["|2", "|2-", "|2+", ">2", ">2-", ">2+"] {
            let block = format!("a: {header}\n{body}b: 1\n");
            let tree = data(&block);
            prop_assert_eq!(&tree.problems, &[]);
            assert_sound(&block, &tree);
            assert_exact(&block, &tree);
        }
    }
}
