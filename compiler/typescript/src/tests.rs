//! Modules as they are written, and broken ones.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use proptest::prelude::*;

use super::*;

const MODULE: &str = r#"import { IDerivation, Document, SourceFromOrders } from 'flow/acme/totals.ts';
import type { Rate } from "./rates.ts";
import * as rates from './rates.ts';

interface Größe { name: string }
export type Line = { n: number };

export class Derivation extends IDerivation {
    #seen: Map<string, number> = new Map<string, number>();
    fromOrders(read: { doc: SourceFromOrders }): Document[] {
        const total = rates.convert(read.doc.amount as number);
        return [{ id: read.doc.id, total }];
    }
    async flush(): Promise<Document[]> { return []; }
    late = (read: unknown, more: string, _third?: number) => [];
    static helper() {}
}
"#;

fn read(text: &str) -> Module {
    super::read(text, "Derivation")
}

fn slice(text: &str, range: &Range<usize>) -> String {
    text[range.clone()].to_owned()
}

#[test]
fn imports_and_members_have_places() {
    let module = read(MODULE);
    assert_eq!(module.problems, []);
    let imports: Vec<_> = module
        .imports
        .iter()
        .map(|import| (import.specifier.as_str(), import.is_of_types, import.names.len()))
        .collect();
    assert_eq!(
        imports,
        [("flow/acme/totals.ts", false, 3), ("./rates.ts", true, 1), ("./rates.ts", false, 0)]
    );
    assert_eq!(slice(MODULE, &module.imports[1].range), "./rates.ts");
    assert_eq!(slice(MODULE, &module.imports[0].names[2].range), "SourceFromOrders");
    let class = module.class.unwrap();
    assert_eq!(slice(MODULE, &class.name), "Derivation");
    assert!(class.is_exported);
    assert_eq!(class.base.as_deref(), Some("IDerivation"));
    assert!(MODULE[class.start..].starts_with("export class"));
    assert_eq!(&MODULE[class.end..], "}\n");
    let names: Vec<&str> = class.members.iter().map(|member| member.name.as_str()).collect();
    assert_eq!(names, ["fromOrders", "flush", "late", "helper"]);
    assert_eq!(class.members[0].kind, MemberKind::Method { second_parameter: None });
    let MemberKind::Method { second_parameter: Some(second) } = &class.members[2].kind else {
        panic!("it needs two arguments");
    };
    assert_eq!(slice(MODULE, second), "more: string");
    assert_eq!(class.members[3].kind, MemberKind::Static);
}

#[test]
fn every_byte_that_is_left_stands_where_it_stood() {
    let javascript = read(MODULE).javascript.unwrap();
    let stripped = &javascript[..MODULE.len()];
    for (place, character) in stripped.char_indices() {
        if !character.is_whitespace() {
            assert!(MODULE[place..].starts_with(character), "at {place}: {character}");
        }
    }
    assert!(stripped.contains("fromOrders(read                           )             {"));
    assert!(!stripped.contains("Größe"));
    assert_eq!(&javascript[MODULE.len()..], "\nexport const Line = undefined;");
}

#[test]
fn types_that_are_listed_become_values_too() {
    let module = read("interface A {}\ntype B = 1;\nclass C {}\ninterface C {}\nexport { A, C };");
    assert!(module.javascript.unwrap().ends_with("export { A, C };\nconst A = undefined;"));
}

#[test]
fn a_class_may_be_exported_in_other_ways() {
    for text in [
        "class Derivation {}\nexport { Derivation };",
        "class Inner { t() {} }\nexport { Inner as Derivation };",
        "export const Derivation = class { };",
    ] {
        assert!(read(text).class.is_some_and(|class| class.is_exported), "{text}");
    }
    assert!(read("class Derivation {}").class.is_some_and(|class| !class.is_exported));
    assert!(read("export default class Derivation {}").class.is_some_and(|it| !it.is_exported));
    for text in [
        "export { Derivation } from './other.ts';",
        "import { Derivation } from './other.ts';\nexport { Derivation };",
    ] {
        let module = read(text);
        assert!(module.has_foreign_class && module.class.is_none(), "{text}");
    }
    assert_eq!(read("export class Other {}").class, None);
}

#[test]
fn what_is_more_than_types_is_a_problem() {
    let kinds = |text: &str| -> Vec<_> {
        read(text).problems.iter().map(|it| (it.kind, slice(text, &it.range))).collect()
    };
    let erasable = ProblemKind::NotErasable;
    assert_eq!(
        kinds("enum Tier { Gold }\nclass A { constructor(private x: number) {} }"),
        [
            (erasable(Feature::Enum), "enum Tier { Gold }".to_owned()),
            (erasable(Feature::ParameterProperty), "x: number".to_owned()),
        ]
    );
    assert_eq!(
        kinds("const x = 1;\nnamespace N { export const y = 1; }"),
        [(erasable(Feature::Namespace), "namespace N { export const y = 1; }".to_owned())]
    );
    assert_eq!(
        kinds("const x = <string>y;"),
        [(erasable(Feature::TypeAssertion), "<string>y".to_owned())]
    );
    assert_eq!(
        kinds("const x = await import('./y.ts');"),
        [(ProblemKind::DynamicImport, "import('./y.ts')".to_owned())]
    );
}

#[test]
fn mistakes_of_syntax_are_told_with_their_places() {
    let text = "export class Derivation {\n    from Orders() { return []; }\n}\n";
    let module = read(text);
    assert_eq!(module.javascript, None);
    let problem = &module.problems[0];
    assert_eq!(problem.kind, ProblemKind::Syntax);
    assert_eq!(slice(text, &problem.range), "Orders");
    assert!(read("const x = ;").problems.len() == 1);
}

#[test]
fn values_that_are_another_each_time_are_told() {
    let text =
        "const a = [Date.now(), new Date(), new Date(1), Math.random(), crypto.randomUUID()];";
    let uses: Vec<_> = read(text).uses.iter().map(|it| (it.what, slice(text, &it.range))).collect();
    assert_eq!(
        uses,
        [
            (Unrepeatable::Time, "Date.now".to_owned()),
            (Unrepeatable::Time, "new Date()".to_owned()),
            (Unrepeatable::Random, "Math.random".to_owned()),
            (Unrepeatable::Random, "crypto.randomUUID".to_owned()),
        ]
    );
}

#[test]
fn deep_texts_neither_overflow_nor_hang() {
    let nests = [
        ("(", "1", ")"),
        ("[", "", "]"),
        ("{", "", "}"),
        ("f`${", "", "}`"),
        ("1+", "1", ""),
        ("a=>", "1", ""),
        ("!", "1", ""),
        ("x?1:", "1", ""),
        ("typeof ", "1", ""),
        ("if(1)", "1", ""),
        ("\"(\"+(", "1", ")"),
        ("type A=B<", "1", ">"),
        ("x.", "y", ""),
    ];
    for (open, middle, close) in nests {
        for times in [3_000, 100_000] {
            let text = format!("{}{middle}{}", open.repeat(times), close.repeat(times));
            let module = read(&text);
            let is_deep = module.problems.iter().any(|it| it.kind == ProblemKind::TooLarge);
            assert!(is_deep || times == 3_000, "{open}");
        }
    }
    let shallow = "const x = [1, \"(((\", /[(`]/, `((( ${1} (((`]; // (((((\n".repeat(2_000);
    assert_eq!(read(&shallow.replace("const x", "x")).problems, []);
    let large = " ".repeat(MODULE_SIZE_BYTES_MAX + 1);
    assert_eq!(read(&large).problems[0].kind, ProblemKind::TooLarge);
}

proptest! {
    /// Pieces of modules in any order never panic, and places are places of the text.
    #[test]
    fn whatever_is_written_is_read(pieces in proptest::collection::vec(
        prop::sample::select(vec![
            "export ", "class Derivation ", "{", "}", "(", ")", "=>", "import ", "{ x } ", "from ", "'./é.ts'",
            ";", "\n", ": string", "<T>", "enum E ", "private ", "constructor", "async ", "ß𝄞", "`${", "`", "/*",
            "*/", "//", "as ", "const ", "= ", "1", "@", "#x", "type T", "interface I ", "declare ", "abstract ",
        ]), 0..24))
    {
        let text: String = pieces.concat();
        let module = read(&text);
        for problem in &module.problems {
            prop_assert!(text.get(problem.range.clone()).is_some(), "{:?} of {text:?}", problem);
        }
        if let Some(javascript) = &module.javascript {
            prop_assert!(javascript.len() >= text.len());
        }
    }
}
