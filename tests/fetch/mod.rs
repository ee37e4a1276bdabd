//! `check --fetch` over a server of its own: what gets into the lock file and the cache, and what is refused.

mod server;

use std::path::Path;
use std::process::Command;

use libtest_mimic::{Failed, Trial};
use server::{Answer, Server};

type Test = fn() -> Result<(), Failed>;

/// One test each.
pub(super) fn tests() -> Vec<Trial> {
    let tests: [(&str, Test); 7] = [
        ("fills the lock file and the cache, and checks without a network", fills),
        ("asks nothing that is not allowed", refuses),
        ("does not take changed contents", keeps),
        ("repairs the cache", repairs),
        ("follows redirects under the same rules", follows),
        ("tells why there is no content", fails),
        ("forgets what nothing refers to", forgets),
    ];
    tests.into_iter().map(|(name, test)| Trial::test(format!("fetch::{name}"), test)).collect()
}

const ORDERS: &str = "type: object\nproperties:\n  id: { type: integer }\n  \
                      address: { $ref: 'common/address.json#/$defs/address' }\nrequired: [id]\n";
const ADDRESS: &str = r#"{"$defs": {"address": {"type": "object"}}}"#;

/// A project whose only schema is on the network.
struct Project {
    directory: tempfile::TempDir,
}

impl Project {
    /// The project may fetch what `allow` names.
    fn new(schema: &str, allow: &str) -> Self {
        let project = Self { directory: tempfile::tempdir().expect("a directory can be made") };
        let catalog = format!("collections: {{a/b: {{schema: '{schema}', key: [/id]}}}}\n");
        project.write("flow.yaml", &catalog);
        project.write("tidegate.toml", &format!("[fetch]\nallow = ['{allow}']\n"));
        project
    }

    fn path(&self, below: &str) -> std::path::PathBuf {
        self.directory.path().join(below)
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.path(file), text).expect("files can be written");
    }

    fn lock(&self) -> String {
        std::fs::read_to_string(self.path("tidegate.lock")).unwrap_or_default()
    }

    /// The exit code, and all that is printed.
    fn check(&self, fetch: bool) -> (Option<i32>, String) {
        let arguments = ["check", "--format", "concise", "--fetch"];
        let arguments = if fetch {
            &arguments[..]
        } else {
            arguments.split_last().map_or(&[][..], |(_, rest)| rest)
        };
        let output = Command::new(Path::new(env!("CARGO_BIN_EXE_tidegate")))
            .args(arguments)
            .current_dir(self.directory.path())
            .output()
            .expect("the binary runs");
        let texts = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&texts).into_owned())
    }
}

fn expect(is_so: bool, words: &str, shown: &str) -> Result<(), Failed> {
    if is_so { Ok(()) } else { Err(format!("{words}\n{shown}").into()) }
}

fn served() -> Server {
    Server::new(|path| match path {
        "/orders.yaml" => Answer::Content(ORDERS.to_owned()),
        "/common/address.json" => Answer::Content(ADDRESS.to_owned()),
        "/moved.yaml" => Answer::Redirect("/orders.yaml".to_owned()),
        "/around" => Answer::Redirect("/around".to_owned()),
        "/away" => Answer::Redirect("http://127.0.0.1:9/orders.yaml".to_owned()),
        "/large" => Answer::Content(" ".repeat(16 * 1024 * 1024 + 1)),
        _ => Answer::Missing,
    })
}

fn fills() -> Result<(), Failed> {
    let server = served();
    let project = Project::new(&server.url("/orders.yaml"), &server.url("/"));
    let (code, shown) = project.check(false);
    expect(code == Some(1) && shown.contains("remote-resource"), "an unlocked resource", &shown)?;
    let (code, shown) = project.check(true);
    expect(code == Some(0), "the catalog is whole", &shown)?;
    let lock = project.lock();
    let is_locked = ["/orders.yaml", "/common/address.json"]
        .into_iter()
        .all(|path| lock.contains(&format!("\"{}\" = \"sha256:", server.url(path))));
    expect(is_locked, "both are locked", &lock)?;
    let asked = server.asked();
    expect(project.check(true).0 == Some(0) && server.asked() == asked, "asks once", "")?;
    drop(server);
    let (code, shown) = project.check(false);
    expect(code == Some(0), "the cache is enough", &shown)
}

fn refuses() -> Result<(), Failed> {
    let server = served();
    let elsewhere = "http://127.0.0.1:9/";
    for url in [server.url("/orders.yaml"), server.url("/").replace("http:", "https:")] {
        let project = Project::new(&url, elsewhere);
        let (code, shown) = project.check(true);
        let is_said = shown.contains("[fetch] allow");
        expect(code == Some(3) && is_said && server.asked() == 0, "refused", &shown)?;
        expect(project.lock().is_empty(), "nothing is locked", &project.lock())?;
    }
    // A prefix ends where a part of the URL ends.
    let shorter = server.url("");
    let shorter = shorter.get(..shorter.len() - 1).unwrap_or_default();
    let (code, shown) = Project::new(&server.url("/orders.yaml"), shorter).check(true);
    expect(code == Some(3) && server.asked() == 0, "another port", &shown)
}

fn keeps() -> Result<(), Failed> {
    let server = served();
    let project = Project::new(&server.url("/orders.yaml"), &server.url("/"));
    expect(project.check(true).0 == Some(0), "the catalog is whole", "")?;
    let lock = project.lock();
    std::fs::remove_dir_all(project.path(".tidegate")).expect("it is there");
    let (code, shown) = project.check(false);
    expect(code == Some(1) && shown.contains("remote-not-cached"), "not cached", &shown)?;
    server.change(|_| Answer::Content("type: object".to_owned()));
    let (code, shown) = project.check(true);
    let is_said = shown.contains("has changed since it was locked");
    expect(code == Some(3) && is_said && project.lock() == lock, "changed", &shown)
}

fn repairs() -> Result<(), Failed> {
    let server = served();
    let project = Project::new(&server.url("/orders.yaml"), &server.url("/"));
    project.check(true);
    for entry in std::fs::read_dir(project.path(".tidegate/cache")).expect("it is there") {
        let path = entry.expect("it can be read").path();
        std::fs::write(path, "type: [object").expect("files can be written");
    }
    let (code, shown) = project.check(false);
    let is_said = shown.contains("remote-changed") && !shown.contains("syntax");
    expect(code == Some(1) && is_said, "the cache is damaged", &shown)?;
    let (code, shown) = project.check(true);
    expect(code == Some(0), "the cache is repaired", &shown)
}

fn follows() -> Result<(), Failed> {
    let server = served();
    let allow = server.url("/");
    let (code, shown) = Project::new(&server.url("/moved.yaml"), &allow).check(true);
    expect(code == Some(0), "a redirect is followed", &shown)?;
    let (code, shown) = Project::new(&server.url("/around"), &allow).check(true);
    expect(code == Some(3) && shown.contains("5 times"), "a circle ends", &shown)?;
    let (code, shown) = Project::new(&server.url("/away"), &allow).check(true);
    expect(code == Some(3) && shown.contains("[fetch] allow"), "it must not lead away", &shown)
}

fn fails() -> Result<(), Failed> {
    let server = served();
    let allow = server.url("/");
    for (path, words) in [("/nothing", "404"), ("/large", "larger than 16 MiB")] {
        let (code, shown) = Project::new(&server.url(path), &allow).check(true);
        expect(code == Some(3) && shown.contains(words), words, &shown)?;
    }
    let url = server.url("/orders.yaml");
    drop(server);
    let (code, shown) = Project::new(&url, &allow).check(true);
    expect(code == Some(3) && shown.contains("cannot fetch"), "nobody answers", &shown)
}

fn forgets() -> Result<(), Failed> {
    let server = served();
    let project = Project::new(&server.url("/orders.yaml"), &server.url("/"));
    project.check(true);
    let schema = "{type: object, properties: {id: {type: integer}}}";
    project
        .write("flow.yaml", &format!("collections: {{a/b: {{schema: {schema}, key: [/id]}}}}\n"));
    let (code, shown) = project.check(true);
    let is_said = shown.contains("Removed 2 resources");
    expect(code == Some(0) && is_said && !project.lock().contains("http"), "unused", &shown)
}
