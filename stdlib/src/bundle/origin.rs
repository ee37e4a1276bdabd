//! Places in the user's sources, as the bundle keeps them.

use serde::{Deserialize, Serialize};

/// A place in a source file: its path relative to the project root, line and column (from 1, in code points) of its
/// beginning, and its byte range. Written as one text, `path:line:column@start-end`.
#[derive(Debug, Clone, PartialEq, Eq, Default, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Origin {
    /// Path relative to the project root, or a URL.
    pub path: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in code points, from 1.
    pub column: u32,
    /// First byte.
    pub start: u32,
    /// Byte after the last.
    pub end: u32,
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        let Origin { path, line, column, start, end } = origin;
        format!("{path}:{line}:{column}@{start}-{end}")
    }
}

impl TryFrom<String> for Origin {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        parse(&text).ok_or_else(|| format!("`{text}` is not a place in a source"))
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}:{}", self.path, self.line, self.column)
    }
}

fn parse(text: &str) -> Option<Origin> {
    let (place, bytes) = text.rsplit_once('@')?;
    let (start, end) = bytes.split_once('-')?;
    let (place, column) = place.rsplit_once(':')?;
    let (path, line) = place.rsplit_once(':')?;
    Some(Origin {
        path: path.to_owned(),
        line: line.parse().ok()?,
        column: column.parse().ok()?,
        start: start.parse().ok()?,
        end: end.parse().ok()?,
    })
}

/// A text of the user's (a lambda or a migration) and where each part of it stands in its source.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The text.
    pub text: String,
    /// Where the whole text stands.
    pub origin: Origin,
    /// `(offset in text, place of that byte)`, ascending: from each entry to the next, bytes correspond one to one. One
    /// entry a line for a block scalar, one in all for a file.
    pub map: Vec<(u32, Origin)>,
}

impl Script {
    /// The place of the bytes `start..end` of the text.
    pub fn place(&self, start: usize, end: usize) -> Origin {
        let start = u32::try_from(start).unwrap_or(u32::MAX);
        let length = u32::try_from(end).unwrap_or(u32::MAX).saturating_sub(start);
        let after = self.map.partition_point(|(offset, _)| *offset <= start);
        let Some((offset, base)) = after.checked_sub(1).and_then(|index| self.map.get(index))
        else {
            return self.origin.clone();
        };
        let between = self.text.get(*offset as usize..start as usize).unwrap_or_default();
        let (mut line, mut column) = (base.line, base.column);
        for character in between.chars() {
            if character == '\n' {
                line += 1;
                column = 1;
            } else {
                column += 1;
            }
        }
        let start = base.start + (start - offset);
        Origin { path: base.path.clone(), line, column, start, end: start + length }
    }
}
