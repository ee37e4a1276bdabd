//! `tidegate.lock`: which resources on the network a catalog may use, and the digests of their contents.
//!
//! The file stands beside the root catalog and is kept in version control; the contents themselves are cached below
//! `.tidegate/cache/`, each under its digest. A check reads both like any other file of the world and never asks the network.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use sha2::{Digest as _, Sha256};
use toml::de::DeTable;

/// The name of the lock file, in the root directory of the project.
pub const LOCK_NAME: &str = "tidegate.lock";

/// Where contents are cached, in the root directory of the project.
pub const CACHE_DIRECTORY: &str = ".tidegate/cache/";

/// The table of a lock file.
const TABLE: &str = "resources";

/// How digests begin.
const ALGORITHM: &str = "sha256:";

/// What a lock file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    /// The digest of each resource, by its URL without fragment.
    pub digests: BTreeMap<String, Digest>,
}

/// The SHA-256 of a content, 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest(String);

/// What is wrong with the text of a lock file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockFault {
    /// The bytes at fault.
    pub range: Range<usize>,
    /// What is wrong, in lower case and without a full stop.
    pub message: String,
}

impl Digest {
    /// The digest of a content.
    pub fn of(content: &[u8]) -> Self {
        let mut digits = String::with_capacity(64);
        for byte in Sha256::digest(content) {
            // Writing to a string does not fail.
            let _ = write!(digits, "{byte:02x}");
        }
        Self(digits)
    }

    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(ALGORITHM)?;
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        (digits.len() == 64 && digits.bytes().all(is_digit)).then(|| Self(digits.to_owned()))
    }

    /// The name of the content in the cache.
    pub fn file_name(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{ALGORITHM}{}", self.0)
    }
}

impl Lock {
    /// Reads the text of a lock file.
    ///
    /// # Errors
    /// The first fault of the text.
    pub fn parse(text: &str) -> Result<Self, LockFault> {
        let (document, errors) = DeTable::parse_recoverable(text);
        if let Some(error) = errors.first() {
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            let message = format!("`{LOCK_NAME}` is not TOML: {message}");
            return Err(LockFault { range: error.span().unwrap_or_default(), message });
        }
        let mut lock = Self::default();
        for (key, value) in document.get_ref() {
            let table = value.get_ref().as_table().filter(|_| key.get_ref() == TABLE);
            let table = table.ok_or_else(|| LockFault {
                range: key.span(),
                message: format!("`{LOCK_NAME}` has only the table `{TABLE}`"),
            })?;
            for (url, digest) in table {
                let parsed = digest.get_ref().as_str().and_then(Digest::parse);
                let digest = parsed.ok_or_else(|| LockFault {
                    range: digest.span(),
                    message: format!("this is no digest, `{ALGORITHM}` and 64 digits"),
                })?;
                lock.digests.insert(url.get_ref().clone().into_owned(), digest);
            }
        }
        Ok(lock)
    }

    /// The text of the lock file: one line a resource, sorted.
    pub fn render(&self) -> String {
        let mut text = String::from(
            "# Resources on the network that the catalog uses, and the digests of their contents.\n\
             # Written by `tidegate check --fetch`; keep it in version control.\n",
        );
        let _ = writeln!(text, "[{TABLE}]");
        for (url, digest) in &self.digests {
            let _ = writeln!(text, "{} = \"{digest}\"", quoted(url));
        }
        text
    }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    // URLs hold no control characters; quotes and backslashes are escaped alike in both.
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::{Digest, Lock};

    #[test]
    fn what_is_written_is_read_again() {
        let mut lock = Lock::default();
        assert_eq!(Lock::parse(&lock.render()), Ok(lock.clone()));
        for url in ["https://example.com/a.json", "https://example.com/b?\"\\=#é"] {
            lock.digests.insert(url.to_owned(), Digest::of(url.as_bytes()));
        }
        assert_eq!(Lock::parse(&lock.render()), Ok(lock));
    }

    #[test]
    fn digests_are_those_of_every_tool() {
        let wanted = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b"").to_string(), wanted);
    }

    #[test]
    fn faults_are_found_at_their_places() {
        let found = |text: &str| {
            let fault = Lock::parse(text).unwrap_err();
            (text.get(fault.range).unwrap_or_default().to_owned(), fault.message)
        };
        assert_eq!(found("[other]\n").0, "other");
        assert_eq!(found("[resources]\n\"u\" = \"sha256:12\"\n").0, "\"sha256:12\"");
        assert_eq!(found("[resources]\n\"u\" = 3\n").0, "3");
        assert!(found("[resources\n").1.contains("TOML"));
    }
}
