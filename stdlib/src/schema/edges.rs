//! How the texts that a pattern admits begin and end.
//!
//! What is told holds of every text that the pattern admits. A pattern that is not anchored there admits any beginning or end, and of
//! one that is not understood nothing is told.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// Whether some text that a pattern admits may begin with one of these characters.
pub fn may_begin_with(pattern: &str, characters: &[char]) -> bool {
    Edge::Begin.admits(pattern, characters)
}

/// Whether some text that a pattern admits may end with one of these characters.
pub fn may_end_with(pattern: &str, characters: &[char]) -> bool {
    Edge::End.admits(pattern, characters)
}

/// Whether a pattern may admit the empty text.
pub fn may_be_empty(pattern: &str) -> bool {
    let parsed = regex_syntax::parse(pattern).ok();
    parsed.and_then(|parsed| parsed.properties().minimum_len()).is_none_or(|least| least == 0)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    Begin,
    End,
}

/// What is known of the texts that a part of a pattern matches.
#[derive(Debug, Clone, Copy)]
struct Found {
    /// Whether one of them may have the characters at its edge.
    has_characters: bool,
    /// Whether one of them may be empty.
    is_empty: bool,
}

impl Edge {
    fn admits(self, pattern: &str, characters: &[char]) -> bool {
        let Ok(parsed) = regex_syntax::parse(pattern) else { return true };
        let begins = parsed.properties().look_set_prefix().contains(Look::Start);
        let ends = parsed.properties().look_set_suffix().contains(Look::End);
        let (is_anchored, is_anchored_beyond) = match self {
            Self::Begin => (begins, ends),
            Self::End => (ends, begins),
        };
        let Found { has_characters, is_empty } = self.of(&parsed, characters);
        // Beside an empty match, anything may stand that no anchor keeps out.
        !is_anchored || has_characters || is_empty && !is_anchored_beyond
    }

    fn of(self, part: &Hir, characters: &[char]) -> Found {
        let found = |has_characters| Found { has_characters, is_empty: false };
        match part.kind() {
            HirKind::Empty | HirKind::Look(_) => Found { has_characters: false, is_empty: true },
            HirKind::Literal(literal) => {
                let edge = std::str::from_utf8(&literal.0).ok().and_then(|text| match self {
                    Self::Begin => text.chars().next(),
                    Self::End => text.chars().next_back(),
                });
                found(edge.is_none_or(|edge| characters.contains(&edge)))
            }
            HirKind::Class(Class::Unicode(class)) => {
                let holds = |character: &char| {
                    class.iter().any(|it| (it.start()..=it.end()).contains(character))
                };
                found(characters.iter().any(holds))
            }
            HirKind::Class(Class::Bytes(_)) => found(true),
            HirKind::Repetition(repetition) => {
                let inner = self.of(&repetition.sub, characters);
                Found { is_empty: inner.is_empty || repetition.min == 0, ..inner }
            }
            HirKind::Capture(capture) => self.of(&capture.sub, characters),
            HirKind::Concat(parts) => match self {
                Self::Begin => self.in_turn(parts.iter(), characters),
                Self::End => self.in_turn(parts.iter().rev(), characters),
            },
            HirKind::Alternation(parts) => {
                let all = parts.iter().map(|part| self.of(part, characters));
                all.fold(Found { has_characters: false, is_empty: false }, |one, other| Found {
                    has_characters: one.has_characters || other.has_characters,
                    is_empty: one.is_empty || other.is_empty,
                })
            }
        }
    }

    /// Parts one behind another, the one at the edge first.
    fn in_turn<'h>(self, parts: impl Iterator<Item = &'h Hir>, characters: &[char]) -> Found {
        let mut has_characters = false;
        for part in parts {
            let found = self.of(part, characters);
            has_characters |= found.has_characters;
            if !found.is_empty {
                return Found { has_characters, is_empty: false };
            }
        }
        Found { has_characters, is_empty: true }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn anchored_patterns_tell_how_texts_begin_and_end() {
        let cases = [
            (r"^[a-z]+$", false, false),
            (r"^[a-z]", false, true),
            (r"[a-z]$", true, false),
            (r"[a-z]+", true, true),
            (r"^[a-z]*$", false, false),
            (r"^[a-z]*", true, true),
            (r"^[a-z]*x", false, true),
            (r"^(\[.*|a)$", true, true),
            (r"^(a|b)?(c|d)$", false, false),
            (r"^$", false, false),
            (r"^", true, true),
            (r"^[^\[{]", false, true),
            (r"^\w{3}-\d+$", false, false),
            (r"(?m)^a$", true, true),
            (r"^a|b$", true, true),
            (r"^a$|^b$", false, false),
            (r"^.$", true, true),
            (r"(", true, true),
        ];
        for (pattern, begins, ends) in cases {
            assert_eq!(may_begin_with(pattern, &['[', '{']), begins, "{pattern}");
            assert_eq!(may_end_with(pattern, &[']', '}']), ends, "{pattern}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn no_text_of_a_pattern_begins_or_ends_otherwise(
            pattern in r"(\^)?([ab]|\[ab\]|\(|\)|\||[*?+]|\.|x\{1\}){0,8}(\$)?",
            text in "[abx]{0,4}",
        ) {
            let Ok(parsed) = regex::Regex::new(&pattern) else { return Ok(()) };
            if parsed.is_match(&text) {
                let edge = |it: Option<char>| it.into_iter().collect::<Vec<char>>();
                let (first, last) = (edge(text.chars().next()), edge(text.chars().next_back()));
                prop_assert!(first.is_empty() || may_begin_with(&pattern, &first), "{}", pattern);
                prop_assert!(!text.is_empty() || may_be_empty(&pattern), "{}", pattern);
                prop_assert!(last.is_empty() || may_end_with(&pattern, &last), "{}", pattern);
            }
        }
    }
}
