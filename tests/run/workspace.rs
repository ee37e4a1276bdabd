//! A copy of a catalog in a directory of its own, and the binary run there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// Path of a file of the project.
pub(super) fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A catalog of testdata, copied with the documents it reads.
pub(super) struct Workspace {
    directory: TempDir,
    catalog: String,
}

/// How a command ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// The exit code; -1 when it was killed.
    pub(super) code: i32,
    /// The standard output.
    pub(super) stdout: String,
    /// The standard error.
    pub(super) stderr: String,
}

impl Workspace {
    /// A copy of `testdata/catalogs/<catalog>`.
    pub(super) fn new(catalog: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be created");
        let workspace = Self { directory, catalog: catalog.to_owned() };
        let source = project("testdata/catalogs").join(catalog);
        copy_files(&source, &workspace.path(""));
        copy_files(&project("testdata/documents"), &workspace.path("../../documents"));
        workspace
    }

    /// A catalog of one file.
    pub(super) fn of(flow: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be created");
        let workspace = Self { directory, catalog: "catalog".to_owned() };
        fs::create_dir_all(workspace.path("")).expect("the directory can be created");
        workspace.write("flow.yaml", flow);
        workspace
    }

    /// Writes a file of the catalog.
    pub(super) fn write(&self, file: &str, text: &str) {
        fs::write(self.path(file), text).expect("the file can be written");
    }

    /// A path below the catalog's directory.
    pub(super) fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join("catalogs").join(&self.catalog).join(below)
    }

    /// Replaces text in a file of the catalog; it must be there.
    pub(super) fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.path(file);
        let text = fs::read_to_string(&path).expect("the catalog has the file");
        assert!(text.contains(from), "{file} has no `{from}`");
        fs::write(path, text.replace(from, to)).expect("the file can be written");
    }

    /// The command, to be run in the catalog's directory.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
        command.args(arguments).current_dir(self.path("")).stdin(Stdio::null());
        command
    }

    /// Runs the command to its end.
    pub(super) fn tidegate(&self, arguments: &[&str]) -> Ended {
        let output = self.command(arguments).output().expect("the binary runs");
        let Output { status, stdout, stderr } = output;
        Ended {
            code: status.code().unwrap_or(-1),
            stdout: String::from_utf8(stdout).expect("output is UTF-8"),
            stderr: String::from_utf8(stderr).expect("output is UTF-8"),
        }
    }

    /// Runs the catalog until it is idle; it must end well.
    pub(super) fn run_until_idle(&self) -> Ended {
        self.tidegate(&["run", "--until-idle"]).expect_code(0)
    }

    /// The committed documents of a collection as `read` prints them with further arguments.
    pub(super) fn read(&self, collection: &str, arguments: &[&str]) -> Vec<Value> {
        let mut all = vec!["read", collection];
        all.extend(arguments);
        documents(&self.tidegate(&all).expect_code(0).stdout)
    }

    /// A database that the catalog writes.
    pub(super) fn database(&self, path: &str) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path(path)).expect("the database is there")
    }
}

impl Ended {
    /// The same, when it ended with this code.
    #[track_caller]
    pub(super) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// The JSON value that it printed.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).expect("the output is one JSON value")
    }
}

/// The documents of JSON lines.
pub(super) fn documents(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

/// Every row of a query, its columns as JSON.
pub(super) fn rows(database: &rusqlite::Connection, query: &str) -> Vec<Vec<Value>> {
    let mut statement = database.prepare(query).expect("the table and its columns are there");
    let columns = statement.column_count();
    let rows =
        statement.query_map([], |row| (0..columns).map(|index| column(row, index)).collect());
    rows.and_then(Iterator::collect).expect("rows can be read")
}

fn column(row: &rusqlite::Row<'_>, index: usize) -> rusqlite::Result<Value> {
    use rusqlite::types::Value as Sql;
    Ok(match row.get(index)? {
        Sql::Null => Value::Null,
        Sql::Integer(integer) => integer.into(),
        Sql::Real(real) => real.into(),
        Sql::Text(text) => text.into(),
        Sql::Blob(_) => panic!("no column of these catalogs holds bytes"),
    })
}

/// Copies the files of a directory, but not what runs have left there.
pub(super) fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the directory can be created");
    for entry in fs::read_dir(from).expect("the directory is there") {
        let path = entry.expect("the directory can be listed").path();
        if path.is_file() {
            let name = path.file_name().expect("a file has a name");
            fs::copy(&path, to.join(name)).expect("the file can be copied");
        }
    }
}

/// Every file below a directory, relative to it, sorted.
pub(super) fn files_below(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).expect("the directory can be listed") {
            let path = entry.expect("the directory can be listed").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let below = path.strip_prefix(directory).expect("it is below");
                found.push(below.to_str().expect("names are UTF-8").to_owned());
            }
        }
    }
    found.sort();
    found
}
