//! What is held of one key until it leaves.

use super::{Mode, ReduceFailure, Reduced, Reducer};
use crate::document::{
    Builder, Document, Node, read_binary, read_integer, write_binary, write_integer,
};

/// The documents of one key, folded as far as they can be.
///
/// The left-most document is held back, so that it may still meet a base, and those after it are
/// folded from left to right.
#[derive(Debug, Default)]
pub struct Held {
    first: Option<Document>,
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
        scratch: &mut Builder,
    ) -> Result<isize, ReduceFailure> {
        if self.is_large() {
            let bytes_before = self.size_bytes();
            if self.add_recent(reducer, document, scratch)? {
                return Ok(grown(bytes_before, self.size_bytes()));
            }
        }
        let has_base = self.has_base();
        let before = match (&mut self.first, &mut self.last) {
            (_, Some(last)) => last,
            (Some(first), None) if has_base => first,
            (first @ None, None) => return Ok(grown(0, put(first, document, scratch))),
            (Some(_), last @ None) => return Ok(grown(0, put(last, document, scratch))),
        };
        scratch.clear();
        match reducer.reduce(Some(before.root()), document, Mode::Associative, scratch)? {
            Reduced::Document | Reduced::Deleted => {
                self.folded = true;
                let bytes_before = heap_bytes(before);
                scratch.replace(before);
                Ok(grown(bytes_before, heap_bytes(before)))
            }
            Reduced::NotAssociative => {
                let bytes_before = self.rare_bytes();
                if let Some(before) = self.last.take() {
                    self.rare.get_or_insert_default().between.push(before);
                }
                let added = put(&mut self.last, document, scratch);
                Ok(grown(bytes_before, self.rare_bytes() + added))
            }
        }
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
        scratch: &mut Builder,
    ) -> Result<bool, ReduceFailure> {
        let small_bytes = self.last.as_ref().map_or(0, heap_bytes) / SMALL_SHARE;
        let recent = &mut self.rare.get_or_insert_default().recent;
        if let Some(before) = recent {
            scratch.clear();
            match reducer.reduce(Some(before.root()), document, Mode::Associative, scratch)? {
                Reduced::Document | Reduced::Deleted => {
                    self.folded = true;
                    scratch.replace(before);
                }
                Reduced::NotAssociative => {
                    self.gather(reducer, scratch)?;
                    return Ok(false);
                }
            }
        } else if put(recent, document, scratch) > small_bytes {
            *recent = None;
            return Ok(false);
        }
        let recent = self.rare.as_ref().and_then(|rare| rare.recent.as_ref());
        if recent.is_some_and(|recent| heap_bytes(recent) > small_bytes) {
            self.gather(reducer, scratch)?;
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
        scratch: &mut Builder,
    ) -> Result<(), ReduceFailure> {
        let recent = self.rare.as_mut().and_then(|rare| rare.recent.take());
        let (Some(recent), Some(last)) = (recent, &mut self.last) else { return Ok(()) };
        scratch.clear();
        match reducer.reduce(Some(last.root()), recent.root(), Mode::Associative, scratch) {
            Ok(Reduced::Document | Reduced::Deleted) => {
                self.folded = true;
                scratch.replace(last);
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
        let flags = u64::from(self.has_base()) * HAS_BASE + u64::from(self.folded) * FOLDED;
        write_integer(flags, out);
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
        scratch: &mut Builder,
    ) -> Result<Option<()>, ReduceFailure> {
        let (Some(flags), Some(count)) = (read_integer(bytes), read_integer(bytes)) else {
            return Ok(None);
        };
        let mut is_base = flags & HAS_BASE != 0;
        let is_first = self.first.is_none() && self.rare.is_none();
        for at in 0..count {
            let Some(document) = read_binary(bytes) else { return Ok(None) };
            if std::mem::take(&mut is_base) {
                self.set_base(document);
            } else if is_first {
                self.push(document, at + 1 == count);
            } else {
                self.add(reducer, document.root(), scratch)?;
            }
        }
        self.folded |= flags & FOLDED != 0;
        Ok(Some(()))
    }

    /// The documents held, in order, the base before all others.
    pub fn documents(&self) -> impl Iterator<Item = &Document> {
        let rare = self.rare.as_deref();
        let base = rare.and_then(|rare| rare.base.as_ref());
        let between = rare.map(|rare| rare.between.as_slice()).unwrap_or_default();
        let recent = rare.and_then(|rare| rare.recent.as_ref());
        base.into_iter().chain(&self.first).chain(between).chain(&self.last).chain(recent)
    }

    /// Looks at the memory of what the next document is folded into; what is there means nothing.
    #[inline]
    pub(super) fn look_at_last(&self) -> usize {
        self.last.as_ref().map_or(0, Document::look)
    }

    /// Looks at the memory of all common documents.
    #[inline]
    pub(super) fn look(&self) -> usize {
        self.first.as_ref().map_or(0, Document::look).wrapping_add(self.look_at_last())
    }

    /// Whether a base was given.
    pub fn has_base(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.base.is_some())
    }

    /// How many bytes of the heap are held.
    pub fn size_bytes(&self) -> usize {
        self.documents().map(heap_bytes).sum::<usize>() + self.rare_bytes()
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
        scratch: &mut Builder,
    ) -> Result<Outcome, ReduceFailure> {
        self.gather(reducer, scratch)?;
        match mode {
            Mode::Associative => self.associative(reducer, scratch),
            Mode::Full => self.full(reducer, lone, scratch),
        }
    }

    /// The base and the documents, folded as far as they can be.
    fn associative(
        mut self,
        reducer: &Reducer,
        scratch: &mut Builder,
    ) -> Result<Outcome, ReduceFailure> {
        self.settle(reducer, scratch)?;
        let has_base = self.has_base();
        let folded = self.folded;
        let (base, documents) = self.take();
        let documents = base.into_iter().chain(documents).collect();
        Ok(Outcome { documents, has_base, deleted: false, folded })
    }

    /// One document, reduced from all.
    fn full(
        mut self,
        reducer: &Reducer,
        lone: Lone,
        scratch: &mut Builder,
    ) -> Result<Outcome, ReduceFailure> {
        self.settle(reducer, scratch)?;
        let has_base = self.has_base();
        let mut folded = self.folded;
        let (mut left, mut documents) = self.take();
        let mut deleted = None;
        if left.is_none() && lone == Lone::Kept {
            left = documents.next();
        }
        for document in documents {
            folded |= left.is_some();
            scratch.clear();
            let before = left.as_ref().map(Document::root);
            match reducer.reduce(before, document.root(), Mode::Full, scratch)? {
                Reduced::Document => (left, deleted) = (Some(scratch.finish()), None),
                Reduced::Deleted => (left, deleted) = (None, Some(scratch.finish())),
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

    /// Folds the first document with what follows, when a base came after it was held back.
    fn settle(&mut self, reducer: &Reducer, scratch: &mut Builder) -> Result<(), ReduceFailure> {
        let Some(rare) = self.rare.as_mut().filter(|rare| rare.base.is_some()) else {
            return Ok(());
        };
        let second = rare.between.first().or(self.last.as_ref());
        let (Some(first), Some(second)) = (&mut self.first, second) else { return Ok(()) };
        scratch.clear();
        match reducer.reduce(Some(first.root()), second.root(), Mode::Associative, scratch)? {
            Reduced::Document | Reduced::Deleted => {
                self.folded = true;
                scratch.replace(first);
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
        if self.first.is_none() {
            self.first = Some(document);
        } else if is_last {
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

    fn take(self) -> (Option<Document>, impl Iterator<Item = Document>) {
        let Rare { base, between, .. } = self.rare.map(|rare| *rare).unwrap_or_default();
        (base, self.first.into_iter().chain(between).chain(self.last))
    }
}

/// From this size on a document is large.
const LARGE_BYTES: usize = 4096;
/// Recent documents are small below this share of the last one.
const SMALL_SHARE: usize = 4;

const HAS_BASE: u64 = 1;
const FOLDED: u64 = 2;

/// What the allocator adds to one allocation.
const ALLOCATION_BYTES: usize = 16;

/// How many bytes of the heap a document takes.
fn heap_bytes(document: &Document) -> usize {
    document.size_bytes() - size_of::<Document>() + 2 * ALLOCATION_BYTES
}

/// Fills a place with a copy of a document, and tells its size.
fn put(place: &mut Option<Document>, node: Node<'_>, scratch: &mut Builder) -> usize {
    scratch.clear();
    scratch.copy(node);
    heap_bytes(place.insert(scratch.finish()))
}

fn grown(before: usize, after: usize) -> isize {
    after.cast_signed() - before.cast_signed()
}
