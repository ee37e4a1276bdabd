//! What is held of one key until it leaves.

use super::{Mode, ReduceFailure, Reduced, Reducer};
use crate::document::{
    Builder, Document, Node, Parser, read_binary, read_bytes, read_integer, write_binary,
    write_bytes, write_integer, write_text,
};

/// The documents of one key, folded as far as they can be.
///
/// The left-most document is held back, so that it may still meet a base, and those after it are
/// folded from left to right.
#[derive(Debug, Default)]
pub struct Held {
    /// As its canonical text, which is smaller than a document: most keys never have another one.
    first: Option<Box<[u8]>>,
    /// What follows the first, folded.
    last: Option<Document>,
    rare: Option<Box<Rare>>,
    folded: bool,
}

/// What few keys have.
#[derive(Debug, Default)]
struct Rare {
    base: Option<Document>,
    /// Documents between the first and the last that do not reduce without a base.
    between: Vec<Document>,
    /// What came after a last document that is large, folded by itself: a fold makes its result
    /// anew, and to do that with each of many small documents would cost the square of them.
    recent: Option<Document>,
}

/// What folds work with, kept from one document to the next for its memory.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) builder: Builder,
    parser: Parser,
    text: Vec<u8>,
}

/// What a single document of a key becomes in full mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lone {
    /// It stays as it is.
    Kept,
    /// It is reduced like any other, so that its terms are applied to nothing.
    Reduced,
}

/// The documents of one key as they leave.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The documents that remain, in order: one in full mode; in associative mode up to two, and
    /// more when documents do not reduce without a base.
    pub documents: Vec<Document>,
    /// Whether a base document was given for the key.
    pub has_base: bool,
    /// Whether the last reduction deleted the document (full mode).
    pub deleted: bool,
    /// Whether any reduction took place, so that the result must be validated.
    pub folded: bool,
}

impl Held {
    /// Adds a document behind the others, and tells by how many bytes [`Held::size_bytes`] grew.
    ///
    /// # Errors
    /// As [`Reducer::reduce`]; what is held stays as it was.
    pub fn add(
        &mut self,
        reducer: &Reducer,
        document: Node<'_>,
        scratch: &mut Scratch,
    ) -> Result<isize, ReduceFailure> {
        if self.is_empty() {
            let text = self.first.insert(scratch.write(document));
            return Ok(grown(0, text_bytes(text)));
        }
        if self.is_large() {
            let bytes_before = self.size_bytes();
            if self.add_recent(reducer, document, &mut scratch.builder)? {
                return Ok(grown(bytes_before, self.size_bytes()));
            }
        }
        let Some(last) = &mut self.last else { return self.add_second(reducer, document, scratch) };
        let builder = &mut scratch.builder;
        builder.clear();
        match reducer.reduce(Some(last.root()), document, Mode::Associative, builder)? {
            Reduced::Document | Reduced::Deleted => {
                self.folded = true;
                let bytes_before = heap_bytes(last);
                builder.replace(last);
                Ok(grown(bytes_before, heap_bytes(last)))
            }
            Reduced::NotAssociative => {
                let bytes_before = self.rare_bytes();
                if let Some(before) = self.last.take() {
                    self.rare.get_or_insert_default().between.push(before);
                }
                let added = put(&mut self.last, document, builder);
                Ok(grown(bytes_before, self.rare_bytes() + added))
            }
        }
    }

    /// Adds a document while nothing is folded. Behind a base nothing needs to be held back.
    fn add_second(
        &mut self,
        reducer: &Reducer,
        document: Node<'_>,
        scratch: &mut Scratch,
    ) -> Result<isize, ReduceFailure> {
        if self.has_base()
            && let Some(first) = &self.first
        {
            let bytes_before = text_bytes(first);
            let last = self.last.insert(scratch.read(first)?);
            let grown = grown(bytes_before, heap_bytes(last));
            self.first = None;
            return Ok(grown + self.add(reducer, document, scratch)?);
        }
        Ok(grown(0, put(&mut self.last, document, &mut scratch.builder)))
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.first.is_none() && self.last.is_none() && self.rare.is_none()
    }

    /// The left-most document as its canonical text, if it is held back.
    pub(super) fn first_text(&self) -> Option<&[u8]> {
        self.first.as_deref()
    }

    /// Takes the left-most document as its canonical text. In associative mode it leaves as it came,
    /// unless there is a base, which comes before it: then it stays.
    pub fn take_first(&mut self) -> Option<Box<[u8]>> {
        if self.has_base() { None } else { self.first.take() }
    }

    /// Whether the last document is so large that what follows is folded by itself first.
    fn is_large(&self) -> bool {
        self.last.as_ref().is_some_and(|last| heap_bytes(last) >= LARGE_BYTES)
    }

    /// Adds a document to the recent ones, which join the last one when they are no longer small
    /// beside it. Gives whether it was added.
    fn add_recent(
        &mut self,
        reducer: &Reducer,
        document: Node<'_>,
        builder: &mut Builder,
    ) -> Result<bool, ReduceFailure> {
        let small_bytes = self.last.as_ref().map_or(0, heap_bytes) / SMALL_SHARE;
        let recent = &mut self.rare.get_or_insert_default().recent;
        if let Some(before) = recent {
            builder.clear();
            match reducer.reduce(Some(before.root()), document, Mode::Associative, builder)? {
                Reduced::Document | Reduced::Deleted => {
                    self.folded = true;
                    builder.replace(before);
                }
                Reduced::NotAssociative => {
                    self.gather_recent(reducer, builder)?;
                    return Ok(false);
                }
            }
        } else if put(recent, document, builder) > small_bytes {
            *recent = None;
            return Ok(false);
        }
        let recent = self.rare.as_ref().and_then(|rare| rare.recent.as_ref());
        if recent.is_some_and(|recent| heap_bytes(recent) > small_bytes) {
            self.gather_recent(reducer, builder)?;
        }
        Ok(true)
    }

    /// Folds the recent documents into the last one. What is held is then as if each document had
    /// been folded when it came.
    ///
    /// # Errors
    /// As [`Reducer::reduce`].
    pub fn gather(
        &mut self,
        reducer: &Reducer,
        scratch: &mut Scratch,
    ) -> Result<(), ReduceFailure> {
        self.gather_recent(reducer, &mut scratch.builder)
    }

    fn gather_recent(
        &mut self,
        reducer: &Reducer,
        builder: &mut Builder,
    ) -> Result<(), ReduceFailure> {
        let recent = self.rare.as_mut().and_then(|rare| rare.recent.take());
        let (Some(recent), Some(last)) = (recent, &mut self.last) else { return Ok(()) };
        builder.clear();
        match reducer.reduce(Some(last.root()), recent.root(), Mode::Associative, builder) {
            Ok(Reduced::Document | Reduced::Deleted) => {
                self.folded = true;
                builder.replace(last);
            }
            Ok(Reduced::NotAssociative) => {
                let last = std::mem::replace(last, recent);
                self.rare.get_or_insert_default().between.push(last);
            }
            Err(failure) => {
                self.rare.get_or_insert_default().recent = Some(recent);
                return Err(failure);
            }
        }
        Ok(())
    }

    /// Gives the key its base, the document stored before, and tells by how many bytes
    /// [`Held::size_bytes`] grew.
    pub fn set_base(&mut self, base: Document) -> isize {
        let bytes_before = self.size_bytes();
        self.rare.get_or_insert_default().base = Some(base);
        grown(bytes_before, self.size_bytes())
    }

    /// Appends what is held, after [`Held::gather`], as bytes that only this program reads to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        let flag = |is: bool, flag: u64| if is { flag } else { 0 };
        let flags = flag(self.has_base(), HAS_BASE)
            | flag(self.first.is_some(), HAS_FIRST)
            | flag(self.folded, FOLDED);
        write_integer(flags, out);
        if let Some(text) = &self.first {
            write_bytes(text, out);
        }
        write_integer(self.documents().count() as u64, out);
        self.documents().for_each(|document| write_binary(document.root(), out));
    }

    /// Adds what [`Held::write`] wrote behind what is held already; `None` when nobody wrote it so.
    ///
    /// # Errors
    /// As [`Reducer::reduce`].
    pub fn read(
        &mut self,
        reducer: &Reducer,
        bytes: &mut &[u8],
        scratch: &mut Scratch,
    ) -> Result<Option<()>, ReduceFailure> {
        let Some(flags) = read_integer(bytes) else { return Ok(None) };
        let mut first = None;
        if flags & HAS_FIRST != 0 {
            let Some(text) = read_bytes(bytes) else { return Ok(None) };
            first = Some(text);
        }
        let Some(count) = read_integer(bytes) else { return Ok(None) };
        let mut has_base = flags & HAS_BASE != 0;
        let is_first = self.is_empty();
        if is_first {
            self.first = first.take().map(Box::from);
        }
        for at in 0..count {
            let Some(document) = read_binary(bytes) else { return Ok(None) };
            if std::mem::take(&mut has_base) {
                self.set_base(document);
                continue;
            }
            if let Some(text) = first.take() {
                self.add_text(reducer, text, scratch)?;
            }
            if is_first {
                self.push(document, at + 1 == count);
            } else {
                self.add(reducer, document.root(), scratch)?;
            }
        }
        if let Some(text) = first {
            self.add_text(reducer, text, scratch)?;
        }
        self.folded |= flags & FOLDED != 0;
        Ok(Some(()))
    }

    /// Adds a document behind the others, given as its text.
    fn add_text(
        &mut self,
        reducer: &Reducer,
        text: &[u8],
        scratch: &mut Scratch,
    ) -> Result<(), ReduceFailure> {
        let document = scratch.read(text)?;
        self.add(reducer, document.root(), scratch).map(drop)
    }

    /// The documents held, in order, the base before all others, without the first.
    fn documents(&self) -> impl Iterator<Item = &Document> {
        let rare = self.rare.as_deref();
        let base = rare.and_then(|rare| rare.base.as_ref());
        let between = rare.map(|rare| rare.between.as_slice()).unwrap_or_default();
        let recent = rare.and_then(|rare| rare.recent.as_ref());
        base.into_iter().chain(between).chain(&self.last).chain(recent)
    }

    /// Looks at the memory of what the next document is folded into; what is there means nothing.
    #[inline]
    pub(super) fn look_at_last(&self) -> usize {
        self.last.as_ref().map_or(0, Document::look)
    }

    /// Looks at the memory of all common documents.
    #[inline]
    pub(super) fn look(&self) -> usize {
        let byte = |byte: Option<&u8>| byte.copied().map_or(0, usize::from);
        let text = self.first.as_deref().unwrap_or_default();
        byte(text.first()).wrapping_add(byte(text.last())).wrapping_add(self.look_at_last())
    }

    /// Whether a base was given.
    pub fn has_base(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.base.is_some())
    }

    /// How many bytes of the heap are held.
    pub fn size_bytes(&self) -> usize {
        let first_bytes = self.first.as_deref().map_or(0, text_bytes);
        first_bytes + self.documents().map(heap_bytes).sum::<usize>() + self.rare_bytes()
    }

    /// What leaves, and in full mode what remains of it.
    ///
    /// # Errors
    /// As [`Reducer::reduce`].
    pub fn leave(
        mut self,
        reducer: &Reducer,
        mode: Mode,
        lone: Lone,
        scratch: &mut Scratch,
    ) -> Result<Outcome, ReduceFailure> {
        self.gather(reducer, scratch)?;
        let has_base = self.has_base();
        let mut first = self.first.take().map(|text| scratch.read(&text)).transpose()?;
        if has_base && let Some(first) = &mut first {
            self.settle(reducer, first, &mut scratch.builder)?;
        }
        let folded = self.folded;
        let Rare { base, between, .. } = self.rare.map(|rare| *rare).unwrap_or_default();
        let documents = first.into_iter().chain(between).chain(self.last);
        match mode {
            Mode::Associative => {
                let documents = base.into_iter().chain(documents).collect();
                Ok(Outcome { documents, has_base, deleted: false, folded })
            }
            Mode::Full => reduce_all(reducer, (base, documents), folded, lone, scratch),
        }
    }

    /// Folds the first document with what follows, when a base came after it was held back.
    fn settle(
        &mut self,
        reducer: &Reducer,
        first: &mut Document,
        builder: &mut Builder,
    ) -> Result<(), ReduceFailure> {
        let Some(rare) = self.rare.as_mut() else { return Ok(()) };
        let second = rare.between.first().or(self.last.as_ref());
        let Some(second) = second else { return Ok(()) };
        builder.clear();
        match reducer.reduce(Some(first.root()), second.root(), Mode::Associative, builder)? {
            Reduced::Document | Reduced::Deleted => {
                self.folded = true;
                builder.replace(first);
                if rare.between.is_empty() {
                    self.last = None;
                } else {
                    rare.between.remove(0);
                }
            }
            Reduced::NotAssociative => {}
        }
        Ok(())
    }

    /// Adds a document that does not reduce with the one before it.
    fn push(&mut self, document: Document, is_last: bool) {
        if is_last {
            self.last = Some(document);
        } else {
            self.rare.get_or_insert_default().between.push(document);
        }
    }

    fn rare_bytes(&self) -> usize {
        self.rare.as_ref().map_or(0, |rare| {
            let between = rare.between.capacity() * size_of::<Document>();
            size_of::<Rare>() + ALLOCATION_BYTES + between
        })
    }
}

impl Scratch {
    /// A document as its canonical text.
    fn write(&mut self, document: Node<'_>) -> Box<[u8]> {
        self.text.clear();
        write_text(document, &mut self.text);
        self.text.as_slice().into()
    }

    /// A document that was written.
    fn read(&mut self, text: &[u8]) -> Result<Document, ReduceFailure> {
        self.builder.clear();
        match self.parser.parse(text, &mut self.builder) {
            Ok(()) => Ok(self.builder.finish()),
            // Nobody could read it in a collection either.
            Err(failure) => Err(ReduceFailure {
                pointer: String::new(),
                message: failure.message,
                annotations: Vec::new(),
            }),
        }
    }
}

/// The one document that remains of a base, if there is one, and the documents after it.
fn reduce_all(
    reducer: &Reducer,
    (base, mut documents): (Option<Document>, impl Iterator<Item = Document>),
    mut folded: bool,
    lone: Lone,
    scratch: &mut Scratch,
) -> Result<Outcome, ReduceFailure> {
    let builder = &mut scratch.builder;
    let has_base = base.is_some();
    let (mut left, mut deleted) = (base, None);
    if left.is_none() && lone == Lone::Kept {
        left = documents.next();
    }
    for document in documents {
        folded |= left.is_some();
        builder.clear();
        let before = left.as_ref().map(Document::root);
        match reducer.reduce(before, document.root(), Mode::Full, builder)? {
            Reduced::Document => (left, deleted) = (Some(builder.finish()), None),
            Reduced::Deleted => (left, deleted) = (None, Some(builder.finish())),
            // Nothing is left open in full mode.
            Reduced::NotAssociative => left = Some(document),
        }
    }
    Ok(Outcome {
        deleted: deleted.is_some(),
        documents: left.into_iter().chain(deleted).collect(),
        has_base,
        folded,
    })
}

/// From this size on a document is large.
const LARGE_BYTES: usize = 4096;
/// Recent documents are small below this share of the last one.
const SMALL_SHARE: usize = 4;

const HAS_BASE: u64 = 1;
const FOLDED: u64 = 2;
const HAS_FIRST: u64 = 4;

/// What the allocator adds to one allocation.
const ALLOCATION_BYTES: usize = 16;

/// How many bytes of the heap a document takes.
fn heap_bytes(document: &Document) -> usize {
    document.size_bytes() - size_of::<Document>() + 2 * ALLOCATION_BYTES
}

/// How many bytes of the heap the text of a document takes.
fn text_bytes(text: &[u8]) -> usize {
    text.len() + ALLOCATION_BYTES
}

/// Fills a place with a copy of a document, and tells its size.
fn put(place: &mut Option<Document>, node: Node<'_>, builder: &mut Builder) -> usize {
    builder.clear();
    builder.copy(node);
    heap_bytes(place.insert(builder.finish()))
}

fn grown(before: usize, after: usize) -> isize {
    after.cast_signed() - before.cast_signed()
}
