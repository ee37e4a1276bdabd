//! Modules as the engine runs them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{Invocation, Rows};
use super::*;
use crate::bundle::{Module, ModuleFile, Origin, Script};
use crate::document::Document;

const BASE: &str = "export class IDerivation { constructor(_open) {} async flush() { return []; } \
                    startCommit(_commit) { return {}; } }\nexport const Document = undefined;";

fn script(path: &str, text: &str) -> Script {
    let end = u32::try_from(text.len()).unwrap();
    let origin = Origin { path: path.to_owned(), line: 1, column: 1, start: 0, end };
    Script { text: text.to_owned(), map: vec![(0, origin.clone())], origin }
}

/// A module whose class has the given members, beside a helper.
fn module(members: &str) -> Module {
    let entry = format!(
        "import {{ IDerivation, Document }} from 'flow/acme/x.ts';\n\
         import {{ half }} from './half.ts';\n\
         export class Derivation extends IDerivation {{\n{members}\n}}\n"
    );
    let imports = [("flow/acme/x.ts", "flow/acme/x.ts"), ("./half.ts", "lib/half.ts")];
    let imports = imports.map(|(name, target)| (name.to_owned(), target.to_owned())).into();
    let half = "export function half(n) {\n    if (n % 2) throw new RangeError('odd');\n    return n / 2;\n}\n";
    let plain = |script| ModuleFile { script, imports: BTreeMap::new() };
    let base = Script { origin: Origin::default(), map: Vec::new(), ..script("", BASE) };
    let files = [
        ("lib/x.ts", ModuleFile { script: script("lib/x.ts", &entry), imports }),
        ("lib/half.ts", plain(script("lib/half.ts", half))),
        ("flow/acme/x.ts", plain(base)),
    ];
    let files = files.map(|(name, file)| (name.to_owned(), file)).into();
    Module { entry: "lib/x.ts".to_owned(), files }
}

fn open_with(members: &str, state: &Value) -> Result<Engine, ScriptFailure> {
    let module = module(members);
    Engine::open(&Opening { module: &module, transforms: vec!["from-it"], state, seed: 7 })
}

fn open(members: &str) -> Engine {
    open_with(members, &json!({})).unwrap()
}

fn invoke(engine: &Engine, document: &Value) -> Result<Vec<Value>, ScriptFailure> {
    let mut rows = Rows::default();
    let document = Document::from_value(document);
    engine.invoke(0, Invocation { document: document.root(), uuid: None }, &mut rows)?;
    Ok(rows.documents().iter().map(|row| row.to_value()).collect())
}

/// What an expression over the globals gives.
fn value_of(expression: &str) -> Value {
    let engine = open(&format!("fromIt(_read) {{ return [{{ it: {expression} }}]; }}"));
    invoke(&engine, &json!({})).unwrap()[0]["it"].clone()
}

#[test]
fn methods_give_documents() {
    let engine = open(
        "fromIt({ doc }) { return doc.n > 0 ? [{ ...doc, half: half(doc.n), none: undefined }] : []; }",
    );
    assert_eq!(
        invoke(&engine, &json!({"n": 4, "s": "ü\u{1d11e}\"\n"})).unwrap(),
        [json!({"n": 4, "s": "ü\u{1d11e}\"\n", "half": 2})]
    );
    assert!(invoke(&engine, &json!({"n": -4})).unwrap().is_empty());
}

#[test]
fn a_document_has_its_uuid() {
    let engine =
        open("fromIt(read) { return [{ id: read.doc._meta.uuid, more: read.doc._meta.x }]; }");
    let mut rows = Rows::default();
    let document = Document::from_value(&json!({"_meta": {"x": 1}}));
    let invocation = Invocation { document: document.root(), uuid: Some("u-1") };
    engine.invoke(0, invocation, &mut rows).unwrap();
    assert_eq!(rows.documents().get(0).unwrap().to_value(), json!({"id": "u-1", "more": 1}));
}

#[test]
fn methods_may_be_asynchronous_and_private_state_is_kept() {
    let engine = open(
        "#seen = new Map();\n\
         async fromIt({ doc }) {\n\
           await Promise.resolve();\n\
           this.#seen.set(doc.id, (this.#seen.get(doc.id) ?? 0) + 1);\n\
           return [];\n\
         }\n\
         async flush() { return Array.from(this.#seen, ([id, n]) => ({ id, n })); }",
    );
    for id in ["a", "b", "a"] {
        assert!(invoke(&engine, &json!({"id": id})).unwrap().is_empty());
    }
    let mut rows = Rows::default();
    engine.flush(&mut rows).unwrap();
    let documents: Vec<Value> = rows.documents().iter().map(|row| row.to_value()).collect();
    assert_eq!(documents, [json!({"id": "a", "n": 2}), json!({"id": "b", "n": 1})]);
}

#[test]
fn state_goes_out_and_comes_back() {
    let members = "constructor(open) { super(open); this.n = open.state.n ?? 0; }\n\
                   fromIt() { this.n += 1; return [{ n: this.n }]; }\n\
                   startCommit(commit) { return { state: { updated: { n: this.n, at: commit.runtimeCheckpoint }, mergePatch: true } }; }";
    let engine = open(members);
    invoke(&engine, &json!({})).unwrap();
    let update = engine.start_commit().unwrap().unwrap();
    assert_eq!(update, StateUpdate { updated: json!({"n": 1, "at": null}), merge_patch: true });
    let again = open_with(members, &json!({"n": 1})).unwrap();
    assert_eq!(invoke(&again, &json!({})).unwrap(), [json!({"n": 2})]);
    assert_eq!(open("fromIt() { return []; }").start_commit().unwrap(), None);
}

#[test]
fn an_error_has_the_place_in_the_user_s_text() {
    let engine = open("fromIt({ doc }) {\n  /* ü𝄞 */ return [{ id: half(doc.n) }];\n}");
    let failure = invoke(&engine, &json!({"n": 3})).unwrap_err();
    assert_eq!(failure.kind, ScriptFailureKind::Thrown);
    assert_eq!(failure.message, "RangeError: odd");
    let place = failure.place.unwrap();
    assert_eq!((place.path.as_str(), place.line), ("lib/half.ts", 2));
    let call = &failure.calls[0];
    assert_eq!((call.path.as_str(), call.line, call.column), ("lib/x.ts", 5, 26));
    // What is no error has no place of its own: then it is that of the method.
    let failure = invoke(&open("  fromIt() { throw 'plain text'; }"), &json!({})).unwrap_err();
    let place = failure.place.unwrap();
    assert_eq!((failure.message.as_str(), place.line, place.column), ("plain text", 4, 3));
    let failure =
        invoke(&open("fromIt(read) { return read.nothing.at; }"), &json!({})).unwrap_err();
    assert!(failure.message.starts_with("TypeError: "), "{}", failure.message);
    assert_eq!(failure.kind, ScriptFailureKind::Fault);
    let failure = invoke(&open("fromIt() { throw new TypeError('no'); }"), &json!({})).unwrap_err();
    assert_eq!(failure.kind, ScriptFailureKind::Thrown, "it is the module that says no");
}

#[test]
fn what_is_no_list_of_documents_is_refused() {
    let message = |members: &str| {
        let failure = invoke(&open(members), &json!({})).unwrap_err();
        assert_eq!(failure.kind, ScriptFailureKind::Output);
        failure.message
    };
    let expected = "where a list of documents is expected";
    assert_eq!(message("fromIt() {}"), format!("`fromIt` gave `undefined` {expected}"));
    assert_eq!(
        message("async fromIt() { return { id: 1 }; }"),
        format!("`fromIt` gave an object {expected}")
    );
    assert_eq!(message("fromIt() { return 'x'; }"), format!("`fromIt` gave a string {expected}"));
}

#[test]
fn modules_that_cannot_be_used_are_refused_when_they_are_opened() {
    let message = |members: &str| open_with(members, &json!({})).unwrap_err().message;
    assert_eq!(message("other() {}"), "the class has no method `fromIt`");
    assert!(message("constructor() { super(); throw new Error('no'); }").contains("no"));
    let mut broken = module("fromIt() { return []; }");
    broken.files.remove("lib/half.ts");
    let opening = Opening { module: &broken, transforms: Vec::new(), state: &json!({}), seed: 0 };
    assert!(Engine::open(&opening).unwrap_err().message.contains("lib/half.ts"));
}

#[test]
fn steps_memory_and_stack_are_limited() {
    let endless = open("fromIt() { for (;;) {} }");
    endless.limit_ticks(1_000);
    let failure = invoke(&endless, &json!({})).unwrap_err();
    assert_eq!(failure.kind, ScriptFailureKind::Steps);
    assert_eq!(failure.message, "it takes more than 1 million steps");
    assert_eq!(failure.place.map(|place| place.line), Some(4));
    let members = "fromIt({ doc }) { if (doc.x) { const all = []; for (;;) all.push(new Array(100000).fill('x')); } return []; }";
    let engine = open(members);
    let failure = invoke(&engine, &json!({"x": 1})).unwrap_err();
    assert_eq!(failure.kind, ScriptFailureKind::Memory);
    assert!(invoke(&engine, &json!({})).unwrap().is_empty(), "the engine goes on");
    let failure =
        invoke(&open("fromIt() { const f = () => f() + 1; return f(); }"), &json!({})).unwrap_err();
    assert_eq!(failure.kind, ScriptFailureKind::Fault);
    assert!(failure.message.contains("stack"), "{}", failure.message);
    let failure =
        invoke(&open("fromIt() { return new Promise(() => {}); }"), &json!({})).unwrap_err();
    assert_eq!(failure.kind, ScriptFailureKind::Output);
}

#[test]
fn the_console_goes_to_the_log() {
    let engine = open(
        "fromIt({ doc }) { console.log('got', doc, 1n); console.warn(undefined, [1, 'x']); return []; }",
    );
    invoke(&engine, &json!({"id": 1})).unwrap();
    let lines: Vec<_> = engine.take_log().into_iter().map(|line| (line.level, line.text)).collect();
    let line = |level: &str, text: &str| (level.to_owned(), text.to_owned());
    assert_eq!(lines, [line("log", "got {\"id\":1} 1"), line("warn", "undefined [1,\"x\"]")]);
    assert!(engine.take_log().is_empty());
}

#[test]
fn random_numbers_come_from_the_seed() {
    let text = "[crypto.randomUUID(), Math.random(), Array.from(crypto.getRandomValues(new Uint8Array(2)))]";
    let drawn = value_of(text);
    assert_eq!(drawn, value_of(text));
    let uuid = drawn[0].as_str().unwrap();
    assert_eq!(uuid.len(), 36);
    assert_eq!(&uuid[14..15], "4");
    assert!((0.0..1.0).contains(&drawn[1].as_f64().unwrap()));
}

#[test]
fn the_globals_that_modules_use_are_there() {
    let cases = [
        ("Array.from(new TextEncoder().encode('aü'))", json!([97, 195, 188])),
        ("new TextDecoder().decode(new Uint8Array([239, 187, 191, 97, 195, 188]))", json!("aü")),
        (
            "new URL('../b?x=1&y=a+b#h', 'https://user@example.com:8080/a/c').href",
            json!("https://user@example.com:8080/b?x=1&y=a+b#h"),
        ),
        ("new URL('https://example.com/?q=a%20b').searchParams.get('q')", json!("a b")),
        (
            "(() => { const u = new URL('https://a.com/'); u.searchParams.append('k', 'ä b'); u.port = '99'; return `${u}`; })()",
            json!("https://a.com:99/?k=%C3%A4+b"),
        ),
        ("URL.canParse('nothing')", json!(false)),
        ("[...new URLSearchParams({ a: 1, b: 'x y' })].flat().join()", json!("a,1,b,x y")),
        (
            "(() => { const a = { d: new Date(0), m: new Map([[1, [2]]]) }; a.self = a; const b = structuredClone(a); return [b !== a, b.self === b, b.d.getTime(), b.m.get(1)]; })()",
            json!([true, true, 0, [2]]),
        ),
        (
            "(() => { try { structuredClone(() => 1); } catch (e) { return e.name; } })()",
            json!("DataCloneError"),
        ),
        (
            "[typeof setTimeout, typeof fetch, typeof process, typeof std]",
            json!(["undefined", "undefined", "undefined", "undefined"]),
        ),
        ("Object.keys(globalThis)", json!(["performance"])),
    ];
    for (expression, expected) in cases {
        assert_eq!(value_of(expression), expected, "{expression}");
    }
}
