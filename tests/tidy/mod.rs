//! Style as tests: lengths, levels, bans, and what every file must have.

mod dependencies;
mod files;
mod levels;
mod text;

use libtest_mimic::Trial;

/// Looks at the whole tree and says what breaks a rule, one finding a line.
type Rule = fn() -> Vec<String>;

/// One test a rule.
pub(crate) fn tests() -> Vec<Trial> {
    let rules: [(&str, Rule); 13] = [
        ("files have at most 800 lines", text::long_files),
        ("functions have at most 70 lines", text::long_functions),
        ("modules say what they are", text::missing_module_docs),
        ("nothing unfinished is left", text::unfinished),
        ("nothing names this or another machine", text::foreign_places),
        ("tests are neither ignored nor meant to panic", text::dead_tests),
        ("allowances have reasons, and only few files use unsafe", text::unsafe_files),
        ("the core does no IO", levels::core_does_no_io),
        ("modules use lower levels only", levels::upward_uses),
        ("compiler and runtime never name each other", levels::sideways_uses),
        ("standard library knows no words of the compiler", levels::foreign_words),
        ("members and default-members are one list", dependencies::member_lists),
        ("no forbidden crate or licence", dependencies::forbidden),
    ];
    rules
        .into_iter()
        .map(|(name, rule)| {
            Trial::test(format!("tidy::{name}"), move || {
                let findings = rule();
                if findings.is_empty() { Ok(()) } else { Err(findings.join("\n").into()) }
            })
        })
        .collect()
}
