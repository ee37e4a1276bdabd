//! Modules in the programs of this machine, beside the engine inside of this process; where a program is missing, the tests say so.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests fail by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::OnceLock;

use tidegate_stdlib::bundle::{
    Collection, FailureKind, ModuleFile, Origin, Script, Shuffle, Source, Transform,
};
use tidegate_stdlib::lambda::sqlite::open_in_memory;
use tidegate_stdlib::lambda::typescript::ScriptEngine;

use super::super::{Beginning, Database, Lambdas};
use super::*;
use tidegate_stdlib::document::Documents;

const BASE: &str = "export class IDerivation { constructor(_open) {} async flush() { return []; } \
                    startCommit(_commit) { return {}; } }\nexport const Document = undefined;";
const HALF: &str = "export function half(n) {\n    if (n % 2) throw new RangeError('odd');\n    return n / 2;\n}\n";

fn script(path: &str, text: &str) -> Script {
    let end = u32::try_from(text.len()).unwrap();
    let origin = Origin { path: path.to_owned(), line: 1, column: 1, start: 0, end };
    let map = if path.is_empty() { Vec::new() } else { vec![(0, origin.clone())] };
    Script {
        text: text.to_owned(),
        map,
        origin: if path.is_empty() { Origin::default() } else { origin },
    }
}

/// A derivation by a module whose class has the given members, beside a helper.
fn derivation(members: &str) -> Derivation {
    let entry = format!(
        "import {{ IDerivation, Document }} from 'flow/acme/x.ts';\n\
         import {{ half }} from './half.ts';\n\
         export class Derivation extends IDerivation {{\n{members}\n}}\n"
    );
    let imports = [("flow/acme/x.ts", "flow/acme/x.ts"), ("./half.ts", "lib/half.ts")];
    let imports = imports.map(|(name, target)| (name.to_owned(), target.to_owned())).into();
    let plain = |script| ModuleFile { script, imports: BTreeMap::new() };
    let files = [
        ("lib/x.ts", ModuleFile { script: script("lib/x.ts", &entry), imports }),
        ("lib/half.ts", plain(script("lib/half.ts", HALF))),
        ("flow/acme/x.ts", plain(script("", BASE))),
    ];
    let files = files.map(|(name, file)| (name.to_owned(), file)).into();
    let source = Source {
        collection: "acme/it".to_owned(),
        partitions: None,
        not_before: None,
        not_after: None,
    };
    let transform = Transform {
        name: "from-it".to_owned(),
        source,
        shuffle: Shuffle::Any,
        lambda: Script::default(),
        config: None,
        read_only: false,
        read_delay_ms: 0,
        priority: 0,
        backfill: 0,
        origin: Origin::default(),
    };
    Derivation {
        collection: "acme/x".to_owned(),
        migrations: Vec::new(),
        module: Some(Module { entry: "lib/x.ts".to_owned(), files }),
        process: None,
        transforms: vec![transform],
        transaction_duration_ms_max: 1000,
        redact_salt: None,
        origin: Origin::default(),
    }
}

/// What a module did with documents in two transactions, half of them in each.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    published: Vec<Value>,
    states: Vec<Option<Value>>,
    log: Vec<(String, String)>,
    failure: Option<Failure>,
}

impl Outcome {
    /// What the engine inside of this process makes of documents, or a program.
    fn of(derivation: &Derivation, documents: &[Value], program: Option<&ScriptProgram>) -> Self {
        let mut outcome = Self::default();
        outcome.failure = outcome.fill(derivation, documents, program).err();
        outcome
    }

    fn fill(
        &mut self,
        derivation: &Derivation,
        documents: &[Value],
        program: Option<&ScriptProgram>,
    ) -> Result<(), Failure> {
        let collection = Collection::new("acme/it", &["/id"], json!({}));
        let (connection, guard) = open_in_memory().unwrap();
        let database = Database { connection: &connection, guard: &guard };
        let beginning = Beginning { root: Path::new("/"), state: None, seed: 7, program };
        let mut lambdas = Lambdas::open(derivation, |_| Ok(&collection), database, beginning)?;
        let mut rows = Rows::default();
        let (first, second) = documents.split_at(documents.len() / 2);
        for documents in [first, second] {
            let published = &mut self.published;
            let take = &mut |rows: &Documents, range: Range<usize>| {
                for (index, row) in range.enumerate() {
                    let row = rows.get(row).unwrap().to_value();
                    if row.get("refused").is_some() {
                        let failure = Failure::new(FailureKind::DocumentViolatesSchema, "refused");
                        return Err((index, failure));
                    }
                    published.push(row);
                }
                Ok(())
            };
            let documents: Vec<Document> = documents.iter().map(Document::from_value).collect();
            let given = documents
                .iter()
                .map(|document| Ok(Given { read: 0, document: document.root(), uuid: None }));
            let done = lambdas
                .apply(database, given, &mut rows, take)
                .and_then(|()| lambdas.flush(&mut rows, take));
            let state = done.and_then(|()| lambdas.commit().map(|state| state.cloned()));
            let log = lambdas.take_log().into_iter();
            self.log.extend(log.map(|line| (line.level, line.text)));
            self.states.push(state?);
        }
        let reset = lambdas.reset();
        self.log.extend(lambdas.take_log().into_iter().map(|line| (line.level, line.text)));
        reset
    }
}

/// The programs of this machine. Those that are missing are told, for a test that runs none has tested nothing.
fn programs() -> Vec<ScriptProgram> {
    static FOUND: OnceLock<[Result<ScriptProgram, String>; 2]> = OnceLock::new();
    let engines = [ScriptEngine::Node, ScriptEngine::Deno];
    let found = FOUND.get_or_init(|| engines.map(ScriptProgram::find)).iter();
    let missing = found.clone().filter_map(|found| found.as_ref().err());
    missing.for_each(|message| eprintln!("nothing is tested: {message}"));
    found.filter_map(|found| found.clone().ok()).collect()
}

/// Has every program do what the engine inside does.
fn agree(members: &str, documents: &[Value]) {
    let derivation = derivation(members);
    let expected = Outcome::of(&derivation, documents, None);
    for program in programs() {
        let outcome = Outcome::of(&derivation, documents, Some(&program));
        let wrong = format!("`{}` does not do what is done inside", program.name);
        assert_eq!(outcome.failure, expected.failure, "{wrong}");
        assert_eq!(outcome.log, expected.log, "{wrong}");
        assert_eq!(outcome.states, expected.states, "{wrong}");
        assert!(outcome.published == expected.published, "{wrong}: {:?}", outcome.published);
    }
}

/// What an expression over the globals gives everywhere.
fn agree_on(expressions: &[&str]) {
    let all = expressions.join(", ");
    agree(&format!("fromIt({{ doc }}) {{ return [{{ all: [{all}] }}]; }}"), &[json!({"id": 1})]);
}

#[test]
fn methods_give_documents() {
    agree(
        "fromIt({ doc }) { return doc.n > 0 ? [{ ...doc, half: half(doc.n), none: undefined }, doc] : []; }",
        &[
            json!({"n": 4, "s": "ü\u{1d11e}\"\n"}),
            json!({"n": -4}),
            json!({"n": 1e300}),
            json!({"n": 0.1}),
        ],
    );
}

#[test]
fn many_documents_go_in_many_lines() {
    let text = "x".repeat(1_000);
    let documents: Vec<Value> = (0..3_000).map(|n| json!({"n": n, "text": text})).collect();
    agree("fromIt({ doc }) { return [{ n: doc.n, size: doc.text.length }]; }", &documents);
    agree("fromIt({ doc }) { return doc.n % 1000 ? [] : Array(5000).fill(doc); }", &documents);
}

#[test]
fn methods_may_be_asynchronous_and_private_state_is_kept() {
    let documents: Vec<Value> = ["a", "b", "a", "c", "a", "b"].map(|id| json!({"id": id})).into();
    agree(
        "#seen = new Map();\n\
         async fromIt({ doc }) {\n\
           await Promise.resolve();\n\
           this.#seen.set(doc.id, (this.#seen.get(doc.id) ?? 0) + 1);\n\
           return [];\n\
         }\n\
         async flush() { return Array.from(this.#seen, ([id, n]) => ({ id, n })); }",
        &documents,
    );
    // A job that nobody waits for goes on after the call that began it.
    agree(
        "n = 0;\n\
         fromIt({ doc }) { const n = this.n; (async () => { await 0; await 0; this.n += 1; })(); return [{ n }]; }",
        &documents,
    );
    agree(
        "async fromIt() { Promise.reject(new Error('nobody cares')); return [{ n: 1 }]; }",
        &documents,
    );
}

#[test]
fn state_goes_out_and_comes_back() {
    agree(
        "constructor(open) { super(open); this.n = open.state.n ?? 0; }\n\
         fromIt() { this.n += 1; return [{ n: this.n }]; }\n\
         startCommit(commit) { return { state: { updated: { n: this.n, [`at${this.n}`]: commit.runtimeCheckpoint, m: 1 }, mergePatch: true } }; }",
        &[json!({}), json!({}), json!({})],
    );
    agree(
        "fromIt() { return []; } startCommit() { return { state: { updated: [1] } }; }",
        &[json!({})],
    );
    agree(
        "fromIt() { return []; } startCommit() { return { state: { mergePatch: true } }; }",
        &[json!({})],
    );
}

#[test]
fn a_module_is_asked_to_forget() {
    agree("fromIt() { return []; } async reset() { await null; console.log('forgotten'); }", &[]);
    agree("fromIt() { return []; } reset() { half(1); }", &[json!({})]);
}

#[test]
fn what_is_thrown_has_its_place() {
    let documents = [json!({"n": 2}), json!({"n": 4}), json!({"n": 3, "s": "ü"}), json!({"n": 5})];
    agree("fromIt({ doc }) {\n  /* ü𝄞 */ return [{ id: half(doc.n) }];\n}", &documents);
    agree("fromIt({ doc }) { if (doc.s) throw 'plain\\ntext'; return []; }", &documents);
    agree("fromIt({ doc }) { if (doc.s) throw { a: 1 }; return []; }", &documents);
    agree("fromIt({ doc }) { if (doc.s) throw new Error('a\\nb'); return []; }", &documents);
    agree("async fromIt({ doc }) { if (doc.s) throw new Error('later'); return []; }", &documents);
    agree("fromIt() { return []; } async flush() { throw new Error('at the end'); }", &documents);
    agree("fromIt() { return []; } startCommit() { return half(1); }", &documents);
    // Words differ, and the rest does not.
    let derivation = derivation("fromIt({ doc }) {\n  return [doc.nothing.at];\n}");
    let failed = |program: Option<&ScriptProgram>| {
        Outcome::of(&derivation, &documents, program).failure.unwrap()
    };
    let expected = failed(None);
    for program in programs() {
        let failure = failed(Some(&program));
        assert!(failure.message.starts_with("TypeError: "), "{failure}");
        assert_eq!(
            (failure.document, failure.notes),
            (expected.document.clone(), expected.notes.clone())
        );
        assert_eq!(failure.origin.unwrap().line, 5);
    }
}

#[test]
fn what_is_no_list_of_documents_is_refused() {
    let documents = [json!({"id": 1})];
    for given in [
        "undefined",
        "null",
        "true",
        "1",
        "1.5",
        "-0",
        "'x'",
        "10n",
        "Symbol()",
        "() => 1",
        "class {}",
        "{ id: 1 }",
        "new Error()",
        "new Promise(() => {})",
    ] {
        agree(&format!("fromIt() {{ return {given}; }}"), &documents);
    }
    agree("async fromIt() { return { id: 1 }; }", &documents);
    agree("fromIt() { return []; } async flush() { return 1; }", &documents);
    agree("fromIt() { return [1, 'x', null, undefined]; }", &documents);
    agree("fromIt() { return { then: 1 }; }", &documents);
}

#[test]
fn modules_that_cannot_be_used_are_refused() {
    agree("other() {}", &[]);
    agree("constructor(open) { super(open); half(1); } fromIt() { return []; }", &[]);
}

#[test]
fn a_document_that_is_refused_is_blamed_on_its_source() {
    let documents: Vec<Value> = (0..100).map(|n| json!({"n": n})).collect();
    agree("fromIt({ doc }) { return [doc, doc.n === 77 ? { refused: true } : doc]; }", &documents);
    agree("fromIt() { return []; } flush() { return [{ refused: true }]; }", &documents);
}

#[test]
fn the_console_goes_to_the_log() {
    agree(
        "fromIt({ doc }) { console.log('got', doc, 1n); console.warn(undefined, [1, 'x']); console.assert(doc.n === 1, 'no\\nno'); return []; }",
        &[json!({"n": 1}), json!({"n": 2})],
    );
    agree(
        "fromIt({ doc }) { for (let n = 0; n < 3000; n++) console.log(n); return []; }",
        &[json!({})],
    );
    agree("fromIt({ doc }) { console.log('before'); throw new Error('it ends'); }", &[json!({})]);
    agree(
        "fromIt({ doc }) { try { half(1) } catch (error) { console.log(error.message) } return []; }",
        &[json!({})],
    );
}

#[test]
fn the_globals_are_the_same() {
    agree_on(&[
        "Array.from(new TextEncoder().encode('aü'))",
        "new TextDecoder().decode(new Uint8Array([239, 187, 191, 97, 195, 188]))",
        "(() => { try { new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([255])); } catch (e) { return e.message; } })()",
        "new URL('../b?x=1&y=a+b#h', 'https://user@example.com:8080/a/c').href",
        "new URL('https://example.com/?q=a%20b').searchParams.get('q')",
        "(() => { const u = new URL('https://a.com/'); u.searchParams.append('k', 'ä b'); u.port = '99'; u.host = ''; return `${u} ${u.origin}`; })()",
        "(() => { try { new URL('x') } catch (e) { return `${e}`; } })()",
        "URL.canParse('nothing')",
        "[...new URLSearchParams('??a=1&b=%')].flat()",
        "[...new URLSearchParams({ a: 1, b: 'x y' })].flat().join()",
        "(() => { const a = { d: new Date(0), m: new Map([[1, [2]]]) }; a.self = a; const b = structuredClone(a); return [b !== a, b.self === b, b.d.getTime(), b.m.get(1)]; })()",
        "(() => { try { structuredClone(() => 1); } catch (e) { return e.name; } })()",
        "[crypto.randomUUID(), Math.random(), Math.random(), Array.from(crypto.getRandomValues(new Uint8Array(4)))]",
        "[typeof setTimeout, typeof fetch, typeof process, typeof require, typeof Deno, typeof global, typeof addEventListener, typeof WebAssembly]",
        "Object.keys(globalThis)",
        "Object.getOwnPropertyNames(performance)",
        "[btoa('a'), atob('YQ=='), typeof queueMicrotask]",
        "[this === undefined, typeof globalThis]",
        "JSON.stringify({ d: new Date(0), u: undefined, n: NaN, s: '\\ud800' })",
    ]);
}

#[test]
fn there_is_no_global_that_only_a_program_has() {
    let derivation = derivation(
        "fromIt() { return Object.getOwnPropertyNames(globalThis).map((name) => ({ name })); }",
    );
    let names = |program: Option<&ScriptProgram>| -> BTreeSet<String> {
        let outcome = Outcome::of(&derivation, &[json!({})], program);
        assert_eq!(outcome.failure, None);
        outcome.published.iter().map(|name| name["name"].as_str().unwrap().to_owned()).collect()
    };
    let inside = names(None);
    for program in programs() {
        let others: Vec<String> = names(Some(&program)).difference(&inside).cloned().collect();
        assert!(others.is_empty(), "{others:?}");
    }
}

#[test]
fn a_module_sees_no_more_of_the_machine() {
    // Whatever is tried gives an error, and no network, file or process.
    let members = "async fromIt() {\n\
           const tries = {\n\
             eval: () => (0, eval)('import(\"node:fs\")'),\n\
             make: () => new Function('return import(\"node:fs\")')(),\n\
             global: () => globalThis.constructor.constructor('return process')(),\n\
             error: () => Error.captureStackTrace.constructor('return Deno')(),\n\
           };\n\
           const rows = [];\n\
           for (const [name, attempt] of Object.entries(tries)) {\n\
             try { const found = await attempt(); rows.push({ name, found: typeof found?.readFileSync, text: found.readFileSync('/etc/hostname', 'utf8') }); }\n\
             catch (error) { rows.push({ name, refused: undefined, ended: true }); }\n\
           }\n\
           return rows;\n\
         }";
    let derivation = derivation(members);
    for program in programs() {
        let outcome = Outcome::of(&derivation, &[json!({})], Some(&program));
        assert_eq!(outcome.failure, None, "{}", program.name);
        assert_eq!(outcome.published.len(), 4);
        for row in outcome.published {
            assert_eq!(row.get("ended"), Some(&Value::Bool(true)), "{}: {row}", program.name);
        }
    }
}

/// What comes of a module that takes too much, with a small allowance of time.
fn bounded(members: &str, documents: &[Value]) -> Vec<Failure> {
    let programs = programs().into_iter().map(|program| {
        let program = ScriptProgram { time_max: Duration::from_millis(500), ..program };
        Outcome::of(&derivation(members), documents, Some(&program)).failure.unwrap()
    });
    programs.collect()
}

#[test]
fn time_and_memory_and_stack_are_limited() {
    let documents = [json!({"n": 1}), json!({"n": 2}), json!({"n": 3}), json!({"n": 4})];
    for failure in bounded("fromIt({ doc }) { if (doc.n === 2) for (;;); return []; }", &documents)
    {
        assert_eq!(failure.kind, FailureKind::LambdaFailed);
        assert_eq!(failure.message, "it takes more than 0.5 seconds");
        assert_eq!(failure.document, Some(json!({"n": 2})));
    }
    // What goes on in jobs is not watched by the program itself.
    let endless = "async fromIt({ doc }) { for (;;) await null; }";
    for failure in bounded(endless, &documents) {
        assert_eq!(failure.kind, FailureKind::ProcessFailed);
        assert_eq!(failure.message, "the process has said nothing for 1 seconds");
        assert_eq!(failure.document, Some(json!({"n": 1})));
        assert_eq!(failure.notes[1], "it was given 2 documents from this one on");
    }
    for program in programs() {
        let greedy =
            "fromIt() { const all = []; for (;;) all.push(new Array(100000).fill(all.length)); }";
        let failure = Outcome::of(&derivation(greedy), &documents, Some(&program)).failure.unwrap();
        assert_eq!(failure.message, "it takes more than 256 MiB of memory", "{}", program.name);
        assert_eq!(failure.kind, FailureKind::LambdaFailed);
        let deep = "fromIt() { const f = () => f() + 1; return f(); }";
        let failure = Outcome::of(&derivation(deep), &documents, Some(&program)).failure.unwrap();
        assert_eq!(failure.message, "RangeError: Maximum call stack size exceeded");
        assert_eq!(failure.origin.unwrap().path, "lib/x.ts");
    }
}

/// What comes of a program that is a script of the shell.
fn impostor(script: &str) -> Failure {
    let command = ["sh", "-c", script].map(str::to_owned).into();
    let program = ScriptProgram {
        name: "node",
        command,
        environment: BTreeMap::new(),
        time_max: Duration::from_millis(100),
    };
    let documents = [json!({"n": 1}), json!({"n": 2})];
    let derivation = derivation("fromIt() { return []; }");
    Outcome::of(&derivation, &documents, Some(&program)).failure.unwrap()
}

#[test]
fn a_program_that_does_something_else_is_told() {
    let told = |script: &str, expected: &str| {
        let failure = impostor(script);
        assert_eq!(failure.kind, FailureKind::ProcessFailed);
        assert_eq!(failure.message, expected);
        assert_eq!(failure.origin.unwrap().path, "lib/x.ts");
        assert_eq!(failure.notes[0], "the module is run by `node`");
        failure.document
    };
    told("echo no >&2; exit 3", "the process ended with exit code 3: no");
    told("read -r line; echo hello; cat", "the process has answered what was not expected: hello");
    told(
        "read -r line; echo '[{\"open\":1}]'",
        "the process has answered what was not expected: [{\"open\":1}]",
    );
    told("read -r line; echo '[[]]'", "the process has answered what was not expected: [[]]");
    told("read -r line; exec sleep 1000", "the process has said nothing for 0.2 seconds");
    let opened = "read -r line; echo '[{\"opened\":true}]'; read -r line";
    let shown =
        told(&format!("{opened}; kill -9 $$"), "the process was ended by a signal: 9 (SIGKILL)");
    assert_eq!(shown, Some(json!({"n": 1})));
    told(
        &format!("{opened}; echo '[[],[],[]]'"),
        "the process has answered what was not expected: [[],[],[]]",
    );
    told(
        &format!("{opened}; echo '[[]'; cat"),
        "the process has answered what was not expected: [[]",
    );
    told(
        &format!("{opened}; echo '[[],{{\"error\":{{\"kind\":\"odd\"}}}}]'; cat"),
        "the process has answered what was not expected: [[],{\"error\":{\"kind\":\"odd\"}}]",
    );
}
