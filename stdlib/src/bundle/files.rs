//! A bundle as files: `manifest.json` names every other file with its SHA-256.
//!
//! Files are canonical JSON: properties sorted at every level (but for what `sops` encrypted), two spaces a level, a line feed at the
//! end. So equal bundles have equal bytes, and two bundles can be compared line by line.
//! Writing and reading the disk is left to the caller.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Bundle, Collection, Config, FORMAT_VERSION, Ordered, Task, TaskKind, TaskName, Test};
use crate::limits::{BUNDLE_FILE_SIZE_BYTES_MAX, BUNDLE_FILES_MAX};

/// Path of the manifest inside a bundle directory.
pub const MANIFEST_PATH: &str = "manifest.json";

/// Why files are no bundle of this version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleFailure {
    /// The file concerned, relative to the bundle directory.
    pub path: String,
    /// What is wrong, in lower case and without a full stop.
    pub message: String,
}

impl std::fmt::Display for BundleFailure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "`{}` {}", self.path, self.message)
    }
}

impl std::error::Error for BundleFailure {}

impl Bundle {
    /// Computes the digest of the contents. Whoever fills a bundle calls this last.
    pub fn seal(&mut self) {
        self.digest = digest(&digests(&contents(self)));
    }
}

/// The files of a bundle by their path inside the bundle directory: `manifest.json`,
/// `collections/<name>.json`, `tasks/<kind>/<name>.json`, `tests/<name>.json`, where `/` in a name
/// is written `%2F`.
pub fn to_files(bundle: &Bundle) -> BTreeMap<String, Vec<u8>> {
    let mut files = contents(bundle);
    let digests = digests(&files);
    let manifest = Manifest {
        format_version: FORMAT_VERSION,
        compiler_version: env!("CARGO_PKG_VERSION").to_owned(),
        catalog_digest: digest(&digests),
        files: digests,
    };
    files.insert(MANIFEST_PATH.to_owned(), to_bytes(&manifest));
    files
}

/// Reads a bundle back. `read` gives the bytes of a file by its path inside the bundle directory.
///
/// # Errors
/// A missing file, another format version, a digest that differs, or a file that is no JSON of the
/// right form.
pub fn from_files(read: &dyn Fn(&str) -> Option<Vec<u8>>) -> Result<Bundle, BundleFailure> {
    let manifest = read_manifest(read)?;
    let mut bundle = Bundle { digest: digest(&manifest.files), ..Bundle::default() };
    if bundle.digest != manifest.catalog_digest {
        return Err(failure(
            MANIFEST_PATH,
            "does not match its own digest: it was changed by hand",
        ));
    }
    for (path, expected) in &manifest.files {
        // A path is used only when it has one of the known forms: it can never leave the bundle's
        // directory.
        let Some(folder) = Folder::of(path) else {
            return Err(failure(path, "is not the path of a file that a bundle has"));
        };
        let bytes = read_limited(read, path)?;
        if sha256(&bytes) != *expected {
            return Err(failure(path, "does not match its digest in the manifest"));
        }
        folder.add(&mut bundle, path, &bytes)?;
    }
    Ok(bundle)
}

/// The contents of `manifest.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format_version: u32,
    compiler_version: String,
    catalog_digest: String,
    files: BTreeMap<String, String>,
}

/// The only part of a manifest that every version has.
#[derive(Deserialize)]
struct ManifestVersion {
    format_version: u32,
}

fn read_manifest(read: &dyn Fn(&str) -> Option<Vec<u8>>) -> Result<Manifest, BundleFailure> {
    let bytes = read_limited(read, MANIFEST_PATH)?;
    let ManifestVersion { format_version } = from_bytes(MANIFEST_PATH, &bytes)?;
    if format_version != FORMAT_VERSION {
        return Err(failure(
            MANIFEST_PATH,
            format!("has format version {format_version}, this program reads {FORMAT_VERSION}"),
        ));
    }
    let manifest: Manifest = from_bytes(MANIFEST_PATH, &bytes)?;
    if manifest.files.len() > BUNDLE_FILES_MAX {
        return Err(failure(MANIFEST_PATH, format!("names more than {BUNDLE_FILES_MAX} files")));
    }
    Ok(manifest)
}

fn read_limited(
    read: &dyn Fn(&str) -> Option<Vec<u8>>,
    path: &str,
) -> Result<Vec<u8>, BundleFailure> {
    let bytes = read(path).ok_or_else(|| failure(path, "is missing or cannot be read"))?;
    if bytes.len() > BUNDLE_FILE_SIZE_BYTES_MAX {
        let limit = BUNDLE_FILE_SIZE_BYTES_MAX >> 20;
        return Err(failure(path, format!("is larger than {limit} MiB")));
    }
    Ok(bytes)
}

/// Every file but the manifest.
fn contents(bundle: &Bundle) -> BTreeMap<String, Vec<u8>> {
    let collections = bundle.collections.iter();
    let collections = collections.map(|(name, it)| (Folder::Collections.path(name), to_bytes(it)));
    let tasks = bundle.tasks.iter();
    let tasks = tasks.map(|(task, it)| (Folder::Tasks(task.kind).path(&task.name), task_bytes(it)));
    let tests = bundle.tests.iter();
    let tests = tests.map(|(name, it)| (Folder::Tests.path(name), to_bytes(it)));
    collections.chain(tasks).chain(tests).collect()
}

/// Where a file stands, and so what it holds.
#[derive(Clone, Copy)]
enum Folder {
    Collections,
    Tasks(TaskKind),
    Tests,
}

impl Folder {
    const ALL: [Self; 5] = [
        Self::Collections,
        Self::Tasks(TaskKind::Capture),
        Self::Tasks(TaskKind::Derivation),
        Self::Tasks(TaskKind::Materialization),
        Self::Tests,
    ];

    /// The folder of a file of a bundle; `None` for any other path.
    fn of(path: &str) -> Option<Self> {
        let (directory, file) = path.rsplit_once('/')?;
        let is_plain = file.ends_with(".json") && !file.contains('\\');
        Self::ALL.into_iter().find(|folder| is_plain && folder.directory() == directory)
    }

    fn directory(self) -> String {
        match self {
            Self::Collections => "collections".to_owned(),
            Self::Tasks(kind) => format!("tasks/{}", kind.word()),
            Self::Tests => "tests".to_owned(),
        }
    }

    fn path(self, name: &str) -> String {
        let name = name.replace('%', "%25").replace('/', "%2F");
        format!("{}/{name}.json", self.directory())
    }

    /// Reads the file into the bundle, under the name that the file itself gives.
    fn add(self, bundle: &mut Bundle, path: &str, bytes: &[u8]) -> Result<(), BundleFailure> {
        match self {
            Self::Collections => {
                let collection: Collection = from_bytes(path, bytes)?;
                let name = self.checked(path, &collection.name)?;
                bundle.collections.insert(name, collection);
            }
            Self::Tasks(kind) => {
                let task: Task = from_bytes(path, bytes)?;
                let declared = task.name();
                let name = self.checked(path, &declared.name)?;
                if declared.kind != kind {
                    return Err(failure(path, format!("holds a {}", declared.kind.word())));
                }
                bundle.tasks.insert(TaskName { kind, name }, task);
            }
            Self::Tests => {
                let test: Test = from_bytes(path, bytes)?;
                let name = self.checked(path, &test.name)?;
                bundle.tests.insert(name, test);
            }
        }
        Ok(())
    }

    fn checked(self, path: &str, name: &str) -> Result<String, BundleFailure> {
        if self.path(name) != path {
            return Err(failure(path, format!("holds `{name}`, whose file has another name")));
        }
        Ok(name.to_owned())
    }
}

fn digests(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, String> {
    files.iter().map(|(path, bytes)| (path.clone(), sha256(bytes))).collect()
}

/// The digest of a whole bundle: over the paths and digests of its files, in order.
fn digest(digests: &BTreeMap<String, String>) -> String {
    let lines: String = digests.iter().map(|(path, sha256)| format!("{sha256} {path}\n")).collect();
    sha256(lines.as_bytes())
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn to_bytes(value: &impl Serialize) -> Vec<u8> {
    // A `Value` sorts the properties, which a struct writes in the order of its fields.
    pretty(&serde_json::to_value(value).expect("the types of a bundle have string keys only"))
}

/// The file of a task, in which an encrypted configuration keeps its order.
fn task_bytes(task: &Task) -> Vec<u8> {
    if !matches!(task.config(), Some(Config::Encrypted(_))) {
        return to_bytes(task);
    }
    let text = serde_json::to_vec(task).expect("a task always has a text");
    let task: Ordered = serde_json::from_slice(&text).expect("the text of a task is JSON");
    pretty(&task.sorted())
}

fn pretty(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("a value always has a text");
    bytes.push(b'\n');
    bytes
}

fn from_bytes<T: DeserializeOwned>(path: &str, bytes: &[u8]) -> Result<T, BundleFailure> {
    serde_json::from_slice(bytes)
        .map_err(|error| failure(path, format!("is not of the form of a bundle: {error}")))
}

fn failure(path: &str, message: impl Into<String>) -> BundleFailure {
    BundleFailure { path: path.to_owned(), message: message.into() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

    use serde_json::json;

    use super::*;
    use crate::bundle::{Derivation, Origin, Script};

    fn sample() -> Bundle {
        let origin = Origin { path: "flow.yaml".into(), line: 3, column: 3, start: 20, end: 30 };
        let collection = Collection {
            name: "acmeCo/orders".into(),
            key: vec!["/id".into()],
            write_schema: json!({"type": "object", "properties": {"id": {"type": "integer"}}}),
            read_schema: None,
            projections: Vec::new(),
            fragments: crate::bundle::Fragments::default(),
            reset: false,
            origin: origin.clone(),
            write_schema_origins: [("/type".to_owned(), origin.clone())].into(),
            read_schema_origins: BTreeMap::new(),
        };
        let derivation = Derivation {
            collection: "acmeCo/orders".into(),
            migrations: vec![Script {
                text: "CREATE TABLE t(a);".into(),
                origin: origin.clone(),
                map: vec![(0, origin.clone())],
            }],
            module: None,
            process: None,
            transforms: Vec::new(),
            transaction_duration_ms_max: 1000,
            redact_salt: None,
            origin: origin.clone(),
        };
        let test = Test {
            name: "acmeCo/100%".into(),
            description: String::new(),
            steps: Vec::new(),
            origin,
        };
        let mut bundle = Bundle::default();
        bundle.collections.insert(collection.name.clone(), collection);
        let task = Task::Derivation(derivation);
        bundle.tasks.insert(task.name(), task);
        bundle.tests.insert(test.name.clone(), test);
        bundle.seal();
        bundle
    }

    fn read(files: &BTreeMap<String, Vec<u8>>) -> Result<Bundle, BundleFailure> {
        from_files(&|path| files.get(path).cloned())
    }

    #[test]
    fn files_give_the_bundle_back() {
        let bundle = sample();
        let files = to_files(&bundle);
        let paths: Vec<&str> = files.keys().map(String::as_str).collect();
        assert_eq!(
            paths,
            [
                "collections/acmeCo%2Forders.json",
                "manifest.json",
                "tasks/derivation/acmeCo%2Forders.json",
                "tests/acmeCo%2F100%25.json",
            ]
        );
        assert_eq!(read(&files).unwrap(), bundle);
    }

    #[test]
    fn the_digest_changes_with_the_contents() {
        let mut bundle = sample();
        let before = bundle.digest.clone();
        assert_eq!(before.len(), 64);
        bundle.collections.get_mut("acmeCo/orders").unwrap().key.push("/x".into());
        bundle.seal();
        assert_ne!(before, bundle.digest);
    }

    #[test]
    fn files_are_sorted_text() {
        let files = to_files(&sample());
        let text = String::from_utf8(files["tests/acmeCo%2F100%25.json"].clone()).unwrap();
        assert_eq!(
            text,
            "{\n  \"name\": \"acmeCo/100%\",\n  \"origin\": \"flow.yaml:3:3@20-30\",\n  \"steps\": []\n}\n"
        );
    }

    #[test]
    fn damaged_files_are_named() {
        let files = to_files(&sample());
        let path = "collections/acmeCo%2Forders.json";

        let mut missing = files.clone();
        missing.remove(path);
        assert_eq!(
            read(&missing).unwrap_err().to_string(),
            format!("`{path}` is missing or cannot be read")
        );

        let mut changed = files.clone();
        changed.get_mut(path).unwrap().push(b' ');
        let failure = read(&changed).unwrap_err();
        assert_eq!(failure.message, "does not match its digest in the manifest");

        let mut newer = files.clone();
        newer.insert(MANIFEST_PATH.to_owned(), br#"{"format_version":2,"more":[]}"#.to_vec());
        let failure = read(&newer).unwrap_err();
        assert_eq!(failure.message, "has format version 2, this program reads 1");
    }

    #[test]
    fn a_path_cannot_leave_the_bundle() {
        for path in
            ["../x.json", "collections/../x.json", "tasks/ingest/a.json", "/etc/passwd", "x"]
        {
            let digests: BTreeMap<String, String> = [(path.to_owned(), String::new())].into();
            let manifest = json!({
                "format_version": FORMAT_VERSION, "compiler_version": "0", "files": digests,
                "catalog_digest": digest(&digests),
            });
            let bytes = manifest.to_string().into_bytes();
            let failure = from_files(&|asked| {
                assert_eq!(asked, MANIFEST_PATH);
                Some(bytes.clone())
            })
            .unwrap_err();
            assert_eq!(failure.path, path);
        }
    }
}
