//! SQL and modules in place or in files, with the place of every byte.

use std::ops::Range as Bytes;

use tidegate_stdlib::bundle::{Origin, Script};

use crate::model::InlineOrFile;
use crate::source::{FileId, Range, Role, Sources, Span};
use crate::syntax::{NodeId, Tree};

/// A text of SQL or TypeScript and the file that holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct ScriptSource {
    /// The text as a bundle keeps it.
    pub script: Script,
    /// The file of its bytes.
    pub file: FileId,
}

/// Why a value is no such text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScriptAbsence {
    /// Its file was not read, which has been reported.
    Unread,
    /// The value is not text.
    NotText,
}

impl ScriptSource {
    /// The text that `value`, written in `file`, holds or names as a file of a role.
    ///
    /// # Errors
    /// Why there is none.
    pub fn new(
        sources: &Sources,
        file: FileId,
        value: &InlineOrFile,
        role: Role,
    ) -> Result<Self, ScriptAbsence> {
        match value {
            InlineOrFile::Inline(inline) => {
                let tree = sources.file(file).tree.as_ref().ok_or(ScriptAbsence::Unread)?;
                Self::from_node(sources, file, tree, inline.node)
            }
            InlineOrFile::File(reference) => {
                let resolved = sources.resolve(file, &reference.value, role);
                let (file, _) = resolved.ok_or(ScriptAbsence::Unread)?;
                Self::from_file(sources, file)
            }
        }
    }

    /// The text of a whole file.
    ///
    /// # Errors
    /// Why there is none.
    pub fn from_file(sources: &Sources, file: FileId) -> Result<Self, ScriptAbsence> {
        let source = sources.file(file);
        if !source.is_present {
            return Err(ScriptAbsence::Unread);
        }
        if let Some(tree) = &source.tree {
            return Self::from_node(sources, file, tree, tree.root());
        }
        let end = u32::try_from(source.text.len()).unwrap_or(u32::MAX);
        let origin = sources.origin(Range::new(0, end).in_file(file));
        let map = vec![(0, origin.clone())];
        Ok(Self { script: Script { text: source.text.to_string(), origin, map }, file })
    }

    fn from_node(
        sources: &Sources,
        file: FileId,
        tree: &Tree,
        node: NodeId,
    ) -> Result<Self, ScriptAbsence> {
        let text = tree.string(node).ok_or(ScriptAbsence::NotText)?;
        let place = |(offset, byte): &(u32, u32)| -> (u32, Origin) {
            (*offset, sources.origin(Range::new(*byte, *byte).in_file(file)))
        };
        let script = Script {
            text: text.value.clone(),
            origin: sources.origin(tree.text_range(node).in_file(file)),
            map: text.map.iter().map(place).collect(),
        };
        Ok(Self { script, file })
    }

    /// The place of bytes of the text in its file.
    pub fn span(&self, bytes: Bytes<usize>) -> Span {
        let begin = self.script.place(bytes.start, bytes.start).start;
        let last = bytes.end.max(bytes.start + 1) - 1;
        let end = self.script.place(last, last + 1).end;
        let end = if bytes.is_empty() { begin } else { end.max(begin) };
        Range::new(begin, end).in_file(self.file)
    }
}
