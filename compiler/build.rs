//! Turns every page under `rules/` into a `Rule` constant.

use std::fmt::Write as _;
use std::path::Path;

#[expect(
    clippy::disallowed_methods,
    reason = "a build script reads the pages and writes the table"
)]
fn main() {
    println!("cargo::rerun-if-changed=rules");
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let output = std::env::var("OUT_DIR").expect("cargo sets it");
    let mut pages: Vec<_> = std::fs::read_dir(Path::new(&root).join("rules"))
        .expect("the directory of rules exists")
        .map(|entry| entry.expect("the directory can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .filter(|path| path.file_stem().is_some_and(|stem| stem != "README"))
        .collect();
    pages.sort();
    let mut code = String::new();
    let mut names = Vec::new();
    for page in &pages {
        let slug =
            page.file_stem().and_then(|stem| stem.to_str()).expect("names of pages are text");
        let text = std::fs::read_to_string(page).expect("pages can be read");
        let (head, body) = text
            .strip_prefix("+++\n")
            .and_then(|rest| rest.split_once("\n+++\n"))
            .unwrap_or_else(|| panic!("{slug}: a page begins with a head between +++ lines"));
        let value = |key: &str| {
            head.lines()
                .find_map(|line| line.split_once(" = ").filter(|(name, _)| *name == key))
                .map(|(_, value)| value.trim_matches('"').to_owned())
                .unwrap_or_else(|| panic!("{slug}: the head has no {key}"))
        };
        let (severity, is_hint) = match value("severity").as_str() {
            "error" => ("Severity::Error", false),
            "warning" => ("Severity::Warning", false),
            "hint" => ("Severity::Warning", true),
            other => panic!("{slug}: severity {other} is not known"),
        };
        let constant = slug.to_uppercase().replace('-', "_");
        writeln!(code, "/// {}. The page is `compiler/rules/{slug}.md`.", value("title"))
            .expect("a string takes text");
        writeln!(
            code,
            "pub(crate) static {constant}: Rule = Rule {{ slug: {slug:?}, title: {:?}, severity: {severity}, is_hint: {is_hint}, pass: {:?}, since: {:?}, page: {:?} }};",
            value("title"), value("pass"), value("since"), body,
        )
        .expect("a string takes text");
        names.push(constant);
    }
    write!(code, "/// Every rule, sorted by slug.\npub static ALL: &[&Rule] = &[")
        .expect("a string takes text");
    for name in names {
        write!(code, "&{name}, ").expect("a string takes text");
    }
    code.push_str("];\n");
    std::fs::write(Path::new(&output).join("rules.rs"), code)
        .expect("the output directory can be written");
}
