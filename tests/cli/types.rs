//! `check --types` with the type checkers that are installed: `tsc` and `deno check` find the same.

use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::{Failed, Trial};

const FLOW: &str = r#"collections:
  acme/orders:
    schema: {type: object, properties: {id: {type: integer}, customer: {type: string}}, required: [id, customer]}
    key: [/id]
  acme/names:
    schema: {type: object, properties: {id: {type: integer}, name: {type: string}}, required: [id]}
    key: [/id]
    derive:
      using:
        typescript:
          module: |
            import { Document, IDerivation, SourceFromOrders } from 'flow/acme/names.ts';
            import { short } from './lib/short.ts';

            export class Derivation extends IDerivation {
                fromOrders({ doc }: { doc: SourceFromOrders }): Document[] {
                    console.log('ü𝄞', doc.custmer);
                    return [{ id: doc.id, name: short(doc.id) }];
                }
            }
      transforms:
        - {name: fromOrders, source: acme/orders, shuffle: any}
  acme/files:
    schema: {type: object, properties: {id: {type: integer}, name: {type: string}}, required: [id]}
    key: [/id]
    derive:
      using: {typescript: {module: lib/files.ts}}
      transforms:
        - {name: fromOrders, source: acme/orders, shuffle: any}
captures:
  acme/feed:
    endpoint: {connector: {image: tidegate/source-file, config: {path: orders.jsonl}}}
    bindings: [{resource: {}, target: acme/orders}]
"#;

const SHORT: &str = "export function short(text: string): string {
    const first: number = text;
    return `${first} ${typeof Deno} ${typeof fetch}`;
}
";

const FILES: &str = "import { Document, IDerivation, SourceFromOrders } from 'flow/acme/files.ts';
import { short } from './short.ts';

export class Derivation extends IDerivation {
    fromOrders({ doc }: { doc: SourceFromOrders }): Document[] {
        return [{ id: doc.id, name: short(doc.customer), more: 1 }];
    }
}
";

const FOUND: &str = "\
flow.yaml:17:43: error[type-error] Property `custmer` does not exist on type `SourceFromOrders`. Did you mean `customer`?
flow.yaml:18:55: error[type-error] Argument of type `number` is not assignable to parameter of type `string`
lib/short.ts:2:11: error[type-error] Type `string` is not assignable to type `number`
lib/short.ts:3:31: error[type-error] Cannot find name `Deno`
lib/short.ts:3:46: error[type-error] Cannot find name `fetch`
lib/files.ts:6:58: error[type-error] Object literal may only specify known properties, and `more` does not exist in type `Document`
";

/// One test for each checker, whose name says so when it is not there.
pub(super) fn tests() -> Vec<Trial> {
    let trial = |program: &'static str| match find(program) {
        None => {
            let name = format!("cli::types::{program} IS NOT INSTALLED, so nothing was tested");
            Trial::test(name, || Ok(()))
        }
        Some(path) => {
            Trial::test(format!("cli::types::{program} finds what is wrong"), move || {
                check(program, &path)
            })
        }
    };
    ["tsc", "deno"].map(trial).into()
}

/// A program among those of the machine.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let path = std::env::split_paths(&path).map(|place| place.join(program));
    path.into_iter().find(|path| path.is_file())
}

fn check(program: &str, path: &Path) -> Result<(), Failed> {
    let directory = tempfile::tempdir()?;
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it lies in the directory"))?;
        std::fs::write(path, text)
    };
    write("flow.yaml", FLOW)?;
    write("lib/short.ts", SHORT)?;
    write("lib/files.ts", FILES)?;
    // Only this checker is found, whatever else is installed.
    let programs = directory.path().join("node_modules/.bin");
    std::fs::create_dir_all(&programs)?;
    std::os::unix::fs::symlink(path.canonicalize()?, programs.join(program))?;
    let temporary = tempfile::tempdir()?;
    let run = |arguments: &[&str], path: &[&Path]| {
        let node = find("node").and_then(|node| node.parent().map(Path::to_owned));
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
        command.args(["check", "--types"]).args(arguments).current_dir(directory.path());
        command.env("TMPDIR", temporary.path());
        // `tsc` is a script of Node.js.
        let node = node.filter(|_| program == "tsc");
        let path = node.iter().map(PathBuf::as_path).chain(path.iter().copied());
        command.env("PATH", std::env::join_paths(path).expect("no path has a colon"));
        command.output()
    };
    let found = run(&["--format", "concise"], &[])?;
    let text = String::from_utf8_lossy(&found.stdout).into_owned();
    if text != FOUND || found.status.code() != Some(1) {
        return Err(format!("{text}{}", String::from_utf8_lossy(&found.stderr)).into());
    }
    write("lib/short.ts", "export const short = (text: string): string => text;\n")?;
    write("lib/files.ts", &FILES.replace(", more: 1", ""))?;
    write(
        "flow.yaml",
        &FLOW.replace("custmer", "customer").replace("short(doc.id)", "short('x')"),
    )?;
    let by = if program == "tsc" { "types by tsc" } else { "types by deno check" };
    let passes = |source: &Path, path: &[&Path]| {
        let found = run(&[&source.to_string_lossy()], path)?;
        let note = String::from_utf8_lossy(&found.stderr).into_owned();
        match note.contains(by) && found.status.success() {
            true => Ok(()),
            false => Err(Failed::from(format!("{}{note}", String::from_utf8_lossy(&found.stdout)))),
        }
    };
    passes(directory.path(), &[])?;
    for ours in ["templates/project/demo", "testdata/catalogs/bank-typescript"] {
        passes(&Path::new(env!("CARGO_MANIFEST_DIR")).join(ours), &[&programs])?;
    }
    match std::fs::read_dir(temporary.path())?.next() {
        None => Ok(()),
        Some(entry) => Err(format!("{} is left behind", entry?.path().display()).into()),
    }
}
