//! Modules as the engine runs them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::collections::BTreeMap;

use proptest::prelude::*;
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

/// What a method publishes is what `JSON.stringify` writes of it, whatever it is.
#[test]
fn published_values_are_what_their_json_says() {
    let values = [
        "undefined",
        "null",
        "() => 1",
        "Symbol('s')",
        "[undefined, () => 1, Symbol('s'), , null]",
        "{ a: undefined, b() {}, [Symbol('s')]: 1, c: null }",
        "[0, -0, 1, -1, 2147483648, -2147483649, 0.1, -1.5e-7, 5e-324, 1.7976931348623157e308]",
        "[NaN, Infinity, -Infinity]",
        "[2 ** 53 - 1, 2 ** 53, -(2 ** 53), 2 ** 53 + 2, 2 ** 63, 2 ** 64, 1.2345678901234567e19, 1e20, 1e21, -1e21]",
        "['', 'ü', '\\u{1d11e}', '\\0\\n\"\\\\', 'a'.repeat(300) + 'ü'.repeat(300)]",
        "'rope '.repeat(100) + 'of ' + 'many'.repeat(1000)",
        "{ b: 1, a: 2, 10: 3, 9: 4, '': 5, '\\0': 6, 'ü': 7, '\\u{1d11e}': 8 }",
        "JSON.parse('{\"__proto__\": { \"x\": 1 }, \"constructor\": 2, \"toString\": 3}')",
        "new Date(0)",
        "{ at: new Date(NaN) }",
        "[new Number(1), new String('s'), new Boolean(false), Object(1), Object(2n) instanceof BigInt]",
        "[new Map([[1, 2]]), new Set([1]), /x/g, new Error('e')]",
        "new Uint8Array([1, 2])",
        "Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true }, hidden: { value: 3 } })",
        "Object.assign(Object.create(null), { a: { b: 1 } })",
        "new (class Point { #z = 3; x = 1; get y() { return 2; } })()",
        "new (class List extends Array {})(1, 2)",
        "{ get a() { return [1]; }, set b(_) {} }",
        "{ a: { toJSON(key) { return [key, this.x]; }, x: 1 }, b: [{ toJSON: (key) => key }] }",
        "{ a: { toJSON() { return undefined; } }, b: { toJSON: 1 } }",
        "[{ toJSON() { return undefined; } }]",
        "Object.assign(() => 1, { toJSON: () => 'function' })",
        "Object.assign([1, 2], { more: 3 })",
        "(() => { const a = [1]; a.length = 3; return a; })()",
        "new Proxy({ a: 1, b: [2] }, {})",
        "new Proxy([1, { a: 2 }], {})",
        "new Proxy({ a: 1 }, { get: (it, name) => (name in it ? it[name] + 1 : undefined) })",
        "(() => { const one = { a: 1 }; return { x: one, y: [one, one] }; })()",
        "(function () { return arguments; })(1, 'two')",
        "new URL('https://example.com/')",
        "globalThis.JSON",
        "(() => { let deep = 1; for (let i = 0; i < 100; i += 1) deep = i % 2 ? [deep] : { deep }; return deep; })()",
        "(() => { let deep = new Date(0); for (let i = 0; i < 100; i += 1) deep = [deep]; return deep; })()",
    ];
    for value in values {
        let engine = open(&format!(
            "fromIt() {{ const make = () => ({value}); return [make(), {{ it: make() }}, JSON.stringify([make(), {{ it: make() }}])]; }}"
        ));
        // A second call knows the names.
        for _ in 0..2 {
            let mut rows = invoke(&engine, &json!({})).unwrap();
            let text = rows.pop().unwrap();
            assert_eq!(json!(rows).to_string(), parsed(text.as_str().unwrap()), "{value}");
        }
    }
}

/// The canonical text of what the strict parser makes of a text.
fn parsed(text: &str) -> String {
    crate::value::parse(text.as_bytes()).unwrap().to_string()
}

#[test]
fn values_without_json_are_refused() {
    let message = |value: &str| {
        let failure = invoke(&open(&format!("fromIt() {{ return {value}; }}")), &json!({}));
        failure.unwrap_err().message
    };
    assert!(message("[{ a: 1n }]").contains("BigInt"), "{}", message("[{ a: 1n }]"));
    let circular = "(() => { const a = {}; a.a = a; return [a]; })()";
    assert!(message(circular).contains("circular"), "{}", message(circular));
    let thrown = "[{ a: 1 }, { get a() { throw new RangeError('no'); } }]";
    assert_eq!(message(thrown), "RangeError: no");
    for surrogate in ["['a\\ud800']", "[{ 'a\\ud800': 1 }]"] {
        let message = message(surrogate);
        assert!(message.starts_with("`fromIt` gave what is no JSON: "), "{message}");
    }
    let deep =
        "(() => { let deep = []; for (let i = 0; i < 200; i += 1) deep = [deep]; return deep; })()";
    assert!(message(deep).starts_with("`fromIt` gave what is no JSON: "), "{}", message(deep));
    let wide = "(() => { let wide = 'x'.repeat(1000); for (let i = 0; i < 60; i += 1) wide = [wide, wide]; return wide; })()";
    assert_eq!(message(wide), "`fromIt` gave more than 256 MiB at once");
    assert_eq!(message("new Array(1000001)"), "`fromIt` gave more than 1000000 documents at once");
    assert_eq!(message("[new Array(4294967295)]"), "`fromIt` gave more than 256 MiB at once");
}

#[test]
fn what_objects_inherit_counts_as_json_says() {
    let engine = open(
        "fromIt({ doc }) {\n\
           if (doc.on) Object.prototype.toJSON = function () { return 'object'; };\n\
           const list = [{ a: 1 }, [{ b: 2 }]];\n\
           const text = JSON.stringify(list);\n\
           delete Object.prototype.toJSON;\n\
           return doc.list ? Object.assign(list, { toJSON: () => [{ c: text }] }) : [...list, text];\n\
         }",
    );
    let text = r#"[{"a":1},[{"b":2}]]"#;
    let list = json!([{"a": 1}, [{"b": 2}], text]);
    assert_eq!(json!(invoke(&engine, &json!({})).unwrap()), list);
    let list = json!([{ "c": text }]);
    assert_eq!(json!(invoke(&engine, &json!({"list": true})).unwrap()), list);
    let engine = open("fromIt() { Array.prototype.toJSON = () => [1, 2]; return [3]; }");
    assert_eq!(invoke(&engine, &json!({})).unwrap(), [json!(1), json!(2)]);
}

proptest! {
    /// A document is what `JSON.parse` makes of its text, and comes back as it is.
    #[test]
    fn documents_are_what_their_json_says(values in prop::collection::vec(document(), 1..4)) {
        let engine = open(
            "fromIt({ doc }) {\n\
               const read = JSON.parse(doc.text);\n\
               const is = (a, b) => Object.is(a, b) || (typeof a === 'object' && a !== null && b !== null\n\
                 && Array.isArray(a) === Array.isArray(b) && Object.getPrototypeOf(a) === Object.getPrototypeOf(b)\n\
                 && Object.keys(a).join() === Object.keys(b).join() && Object.keys(a).every((key) => is(a[key], b[key])));\n\
               return [{ same: is(doc.value, read), value: doc.value, read: JSON.stringify(read) }];\n\
             }",
        );
        for value in values {
            let text = Document::from_value(&value).root().to_string();
            let rows = invoke(&engine, &json!({"value": value, "text": text})).unwrap();
            prop_assert_eq!(&rows[0]["same"], &json!(true));
            prop_assert_eq!(rows[0]["value"].to_string(), parsed(rows[0]["read"].as_str().unwrap()));
        }
    }
}

/// Documents with names and numbers that the language treats in a way of its own.
fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-3_i64..3).prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
        Just(json!(-0.0)),
        "[a\"\u{0}ü\u{1d11e}]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let name =
            prop_oneof!["[ab10]{0,2}", Just("__proto__".to_owned()), Just("toString".to_owned())];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}
