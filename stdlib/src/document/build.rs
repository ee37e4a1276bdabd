//! Building documents, one value after the other.

use std::cmp::Ordering;

use serde_json::Value;

use super::arrange::{Arranger, Order};
use super::layout::Layouts;
use super::name::Name;
use super::scan::word_at;
use super::{Cell, Document, Node, Number, slice};

/// Builds one document from its values in the order of a text.
///
/// Properties may come in any order; they are sorted when their object ends. Of properties of one
/// name the last one stays, and [`Builder::has_duplicates`] tells that there were some.
#[derive(Debug, Default)]
pub struct Builder {
    cells: Vec<Cell>,
    text: String,
    open: Vec<Open>,
    has_duplicates: bool,
    /// What is out of order while it is written anew, kept for its allocations.
    starts: Vec<u32>,
    spans: Vec<Span>,
    sorted: Vec<Cell>,
}

/// An array or object that has not ended.
#[derive(Debug, Clone, Copy)]
struct Open {
    /// The index of its cell.
    at: usize,
    /// How many items or properties it has.
    count: u32,
}

/// A range of the texts of an arena.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    pub(super) start: u32,
    pub(super) length: u32,
}

impl Text {
    #[inline]
    pub(super) fn new(start: usize, length: usize) -> Self {
        Self { start: offset(start), length: offset(length) }
    }

    /// How many bytes it has.
    #[inline]
    pub(super) fn length(self) -> usize {
        self.length as usize
    }
}

impl From<Text> for Cell {
    #[inline]
    fn from(text: Text) -> Self {
        Self::String { start: text.start, length: text.length }
    }
}

/// The cells of one property, its name and its value: where they begin, and how many they are.
type Span = (usize, usize);

impl Builder {
    /// Adds `null`.
    pub fn null(&mut self) {
        self.leaf(Cell::Null);
    }

    /// Adds a boolean.
    pub fn boolean(&mut self, value: bool) {
        self.leaf(Cell::Boolean(value));
    }

    /// Adds a number.
    #[inline]
    pub fn number(&mut self, number: Number) {
        self.leaf(number.into());
    }

    /// Adds a string.
    #[inline]
    pub fn string(&mut self, text: &str) {
        let start = self.add_text(text);
        self.leaf(Text::new(start, text.len()).into());
    }

    /// Begins an array.
    #[inline]
    pub fn begin_array(&mut self) {
        self.begin(Cell::Array { items: 0, cells: 0, order: Order::SORTED });
    }

    /// Ends the array that was begun last.
    #[inline]
    pub fn end_array(&mut self) {
        let Some(open) = self.open.pop() else { return };
        self.end_array_cell(open.at, open.count, Order::SORTED);
    }

    /// Begins an object.
    #[inline]
    pub fn begin_object(&mut self) {
        self.begin(Cell::Object { properties: 0, cells: 0, order: Order::SORTED });
    }

    /// The name of the property whose value comes next.
    #[inline]
    pub fn name(&mut self, name: &str) {
        let start = self.add_text(name);
        self.put_cell(Text::new(start, name.len()).into());
    }

    /// Ends the object that was begun last.
    #[inline]
    pub fn end_object(&mut self) {
        let Some(open) = self.open.pop() else { return };
        let at = open.at;
        let count = if self.is_sorted(at) { open.count } else { self.sort(at) };
        self.end_object_cell(at, count, Order::SORTED);
    }

    /// The same for properties that came in the order of their names, each there once.
    #[inline]
    pub(crate) fn end_sorted_object(&mut self) {
        let Some(open) = self.open.pop() else { return };
        self.end_object_cell(open.at, open.count, Order::SORTED);
    }

    /// Adds a copy of a value of another document.
    #[inline]
    pub fn copy(&mut self, node: Node<'_>) {
        match node.split().0 {
            Cell::String { start, length } => self.string(slice(node.text, start, length)),
            Cell::Array { .. } | Cell::Object { .. } => self.copy_all(node),
            cell @ (Cell::Null
            | Cell::Boolean(_)
            | Cell::Unsigned(_)
            | Cell::Negative(_)
            | Cell::Float(_)) => self.leaf(cell),
        }
    }

    fn copy_all(&mut self, node: Node<'_>) {
        self.count();
        let extent = node.split().0.extent();
        // Texts that stand side by side, or nearly so, are copied at once.
        /// What stands between the texts of a JSON text, if not long numbers.
        const GAP_BYTES_MAX: usize = 16;
        let (mut begin, mut end) = (0, 0);
        let mut base = self.text.len();
        for cell in node.cells.iter().take(extent) {
            let Cell::String { start, length } = *cell else {
                self.cells.push(*cell);
                continue;
            };
            let at = start as usize;
            if !(end..=end + GAP_BYTES_MAX).contains(&at) {
                self.text.push_str(node.text.get(begin..end).unwrap_or_default());
                base = self.text.len();
                begin = at;
            }
            end = at + length as usize;
            self.cells.push(Cell::String { start: offset(base + at - begin), length });
        }
        self.text.push_str(node.text.get(begin..end).unwrap_or_default());
    }

    /// Adds a copy of a tree.
    pub fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.null(),
            Value::Bool(value) => self.boolean(*value),
            Value::Number(number) => self.number(number.into()),
            Value::String(text) => self.string(text),
            Value::Array(items) => {
                self.begin_array();
                items.iter().for_each(|item| self.value(item));
                self.end_array();
            }
            Value::Object(properties) => {
                self.begin_object();
                for (name, value) in properties {
                    self.name(name);
                    self.value(value);
                }
                self.end_object();
            }
        }
    }

    /// Whether an object of what was built had two properties of one name.
    pub fn has_duplicates(&self) -> bool {
        self.has_duplicates
    }

    /// What was built, `null` when that is nothing.
    pub fn root(&self) -> Node<'_> {
        if self.cells.is_empty() {
            return Node::NULL;
        }
        Node { cells: &self.cells, text: &self.text }
    }

    /// What was built as a document; the builder is empty again and keeps its allocations.
    pub fn finish(&mut self) -> Document {
        if self.cells.is_empty() {
            self.null();
        }
        let document =
            Document { cells: self.cells.as_slice().into(), text: self.text.as_str().into() };
        self.clear();
        document
    }

    /// Forgets what was built.
    pub fn clear(&mut self) {
        self.cells.clear();
        self.text.clear();
        self.open.clear();
        self.has_duplicates = false;
    }

    /// Where the next value will be put.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            cells: self.cells.len(),
            text: self.text.len(),
            open: self.open.len(),
            last: self.open.last().copied(),
            has_duplicates: self.has_duplicates,
        }
    }

    /// The value that was built after the mark was taken.
    pub(crate) fn since(&self, mark: &Mark) -> Node<'_> {
        match self.cells.get(mark.cells..) {
            Some(cells) if !cells.is_empty() => Node { cells, text: &self.text },
            _ => Node::NULL,
        }
    }

    /// A bound of the length of the text of what was built since the mark was taken.
    pub(crate) fn text_bytes_max(&self, mark: &Mark) -> usize {
        /// The longest number, and a comma.
        const CELL_BYTES_MAX: usize = 26;
        /// An escaped control character.
        const ESCAPE_BYTES: usize = 6;
        (self.cells.len() - mark.cells) * CELL_BYTES_MAX
            + (self.text.len() - mark.text) * ESCAPE_BYTES
    }

    /// Puts what was built in the place of a document, in its memory when both are of one size.
    pub(crate) fn replace(&mut self, document: &mut Document) {
        let has_size = document.cells.len() == self.cells.len()
            && document.text.len() == self.text.len()
            && !self.cells.is_empty();
        if !has_size {
            *document = self.finish();
            return;
        }
        document.cells.copy_from_slice(&self.cells);
        // A boxed text of the same length takes the other one without a new allocation.
        let mut text = std::mem::take(&mut document.text).into_string();
        text.clear();
        text.push_str(&self.text);
        document.text = text.into_boxed_str();
        self.clear();
    }

    /// Forgets what was built since the mark was taken.
    pub(crate) fn rewind(&mut self, mark: Mark) {
        self.cells.truncate(mark.cells);
        self.text.truncate(mark.text);
        self.open.truncate(mark.open);
        if let (Some(open), Some(last)) = (self.open.last_mut(), mark.last) {
            *open = last;
        }
        self.has_duplicates = mark.has_duplicates;
    }

    /// Adds a text, which no value has yet; gives where it begins.
    #[inline]
    pub(super) fn add_text(&mut self, text: &str) -> usize {
        let start = self.text.len();
        self.text.push_str(text);
        start
    }

    /// Where the next text will begin.
    pub(super) fn text_end(&self) -> u32 {
        offset(self.text.len())
    }

    /// The texts from `start` on.
    pub(super) fn text_from(&self, start: usize) -> Text {
        Text::new(start, self.text.len() - start)
    }

    /// What is in a range of the texts.
    #[inline]
    pub(super) fn read(&self, text: Text) -> &str {
        slice(&self.text, text.start, text.length)
    }

    /// Adds a cell that the array or object around it does not count, such as a name.
    #[inline]
    pub(super) fn put_cell(&mut self, cell: Cell) {
        self.cells.push(cell);
    }

    /// Adds the cell of an array or object that is not known yet; gives its index.
    #[inline]
    pub(super) fn begin_cell(&mut self) -> usize {
        let at = self.cells.len();
        self.cells.push(Cell::Null);
        at
    }

    /// Ends the array whose cell is at an index.
    #[inline]
    pub(super) fn end_array_cell(&mut self, at: usize, items: u32, order: Order) {
        let cells = offset(self.cells.len() - at - 1);
        self.close(at, Cell::Array { items, cells, order });
    }

    /// Ends the object whose cell is at an index.
    #[inline]
    pub(super) fn end_object_cell(&mut self, at: usize, properties: u32, order: Order) {
        let cells = offset(self.cells.len() - at - 1);
        self.close(at, Cell::Object { properties, cells, order });
    }

    /// Brings the properties of all objects of the value that was built after the mark was taken into
    /// their order, which its cells know of; gives nothing when an object has two of one name.
    pub(super) fn arrange(&mut self, mark: &Mark, layouts: &Layouts) -> Option<()> {
        let Self { cells, text, starts, sorted, .. } = self;
        let cells = cells.get_mut(mark.cells..)?;
        sorted.clear();
        sorted.extend_from_slice(cells);
        starts.clear();
        Arranger { layouts, text, starts }.value(sorted, cells)
    }

    /// The names of an object that was built after the mark was taken, each with the quotes and the colon
    /// around it, in the order of the text up to one that was not written so. Its cell was at an index
    /// until the properties were arranged, if they were.
    pub(super) fn names_as_written(
        &self,
        mark: &Mark,
        at: usize,
        were_arranged: bool,
    ) -> impl Iterator<Item = (&str, &[u8])> {
        let members =
            if were_arranged { self.sorted.get(at - mark.cells..) } else { self.cells.get(at..) };
        let members = match members {
            Some([Cell::Object { cells, .. }, rest @ ..]) => rest.get(..*cells as usize),
            _ => None,
        };
        let members = members.unwrap_or_default();
        spans(members).map_while(|(at, _)| {
            let Some(Cell::String { start, length }) = members.get(at) else { return None };
            let begin = (*start as usize).checked_sub(1)?;
            let written = self.text.as_bytes().get(begin..begin + *length as usize + 3)?;
            let is_whole = written.starts_with(b"\"") && written.ends_with(b"\":");
            is_whole.then(|| (slice(&self.text, *start, *length), written))
        })
    }

    #[inline]
    fn leaf(&mut self, cell: Cell) {
        self.count();
        self.cells.push(cell);
    }

    #[inline]
    fn begin(&mut self, cell: Cell) {
        self.count();
        let at = self.cells.len();
        self.open.push(Open { at, count: 0 });
        self.cells.push(cell);
    }

    /// Counts the next value in the array or object around it.
    #[inline]
    pub(super) fn count(&mut self) {
        if let Some(open) = self.open.last_mut() {
            open.count += 1;
        }
    }

    #[inline]
    fn close(&mut self, at: usize, cell: Cell) {
        if let Some(place) = self.cells.get_mut(at) {
            *place = cell;
        }
    }

    /// Whether the properties of the object that begins at an index are in order, each there once.
    pub(super) fn is_sorted(&self, at: usize) -> bool {
        let Self { cells, text, .. } = self;
        let mut at = at + 1;
        let mut last = name_at(cells, text, at);
        while let Some(value) = cells.get(at + 1) {
            at += 1 + value.extent();
            if at >= cells.len() {
                break;
            }
            let name = name_at(cells, text, at);
            if last.compare(name).is_ge() {
                return false;
            }
            last = name;
        }
        true
    }

    /// Sorts the properties of the object that begins at an index; of those of one name the last one
    /// stays. Gives how many stay.
    fn sort(&mut self, begin: usize) -> u32 {
        let Self { cells, text, spans, sorted, .. } = self;
        let members = cells.get(begin + 1..).unwrap_or_default();
        let names = |left: &Span, right: &Span| compare_names(members, text, left.0, right.0);
        spans.clear();
        spans.extend(self::spans(members));
        spans.sort_unstable_by(|left, right| names(left, right).then(left.cmp(right)));
        sorted.clear();
        let mut count = 0;
        let mut rest = spans.iter().peekable();
        while let Some(span) = rest.next() {
            if rest.peek().is_some_and(|next| names(span, next).is_eq()) {
                self.has_duplicates = true;
                continue;
            }
            count += 1;
            let (at, extent) = *span;
            sorted.extend_from_slice(members.get(at..at + extent).unwrap_or_default());
        }
        cells.truncate(begin + 1);
        cells.extend_from_slice(sorted);
        count
    }
}

/// Compares the names at two indices of cells.
pub(super) fn compare_names(cells: &[Cell], text: &str, left: usize, right: usize) -> Ordering {
    name_at(cells, text, left).compare(name_at(cells, text, right))
}

#[inline]
fn name_at<'t>(cells: &[Cell], text: &'t str, at: usize) -> Name<'t> {
    match cells.get(at) {
        Some(Cell::String { start, length }) => Name::new(text, *start, *length),
        _ => Name::new(text, 0, 0),
    }
}

/// Where the cells of each property of an object begin among `members`, and how many they are.
fn spans(members: &[Cell]) -> impl Iterator<Item = Span> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let extent = 1 + members.get(at + 1)?.extent();
        at += extent;
        Some((at - extent, extent))
    })
}
/// How much was built.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    cells: usize,
    text: usize,
    open: usize,
    /// The innermost array or object that has not ended.
    last: Option<Open>,
    has_duplicates: bool,
}

/// Many documents in one arena: a batch.
#[derive(Debug, Default)]
pub struct Documents {
    builder: Builder,
    /// The index of the first cell of each document.
    starts: Vec<u32>,
}

impl Documents {
    /// Adds the document that `build` builds: exactly one value.
    ///
    /// # Errors
    /// Those of `build`; nothing is added then.
    pub fn add<E>(&mut self, build: impl FnOnce(&mut Builder) -> Result<(), E>) -> Result<(), E> {
        let mark = self.builder.mark();
        match build(&mut self.builder) {
            Ok(()) => {
                if self.builder.mark().cells == mark.cells {
                    self.builder.null();
                }
                self.starts.push(offset(mark.cells));
                Ok(())
            }
            Err(error) => {
                self.builder.rewind(mark);
                Err(error)
            }
        }
    }

    /// Adds a copy of a document.
    pub fn push(&mut self, node: Node<'_>) {
        let copied: Result<(), std::convert::Infallible> = self.add(|builder| {
            builder.copy(node);
            Ok(())
        });
        match copied {
            Ok(()) => {}
            Err(never) => match never {},
        }
    }

    /// Forgets the documents from an index on.
    pub fn truncate(&mut self, length: usize) {
        if let Some(start) = self.starts.get(length) {
            self.builder.cells.truncate(*start as usize);
            self.starts.truncate(length);
        }
    }

    /// How many documents there are.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there is no document.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// The document at `index`.
    pub fn get(&self, index: usize) -> Option<Node<'_>> {
        let start = *self.starts.get(index)?;
        Some(Node { cells: self.builder.cells.get(start as usize..)?, text: &self.builder.text })
    }

    /// The documents in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Node<'_>> + Clone {
        (0..self.len()).map(|index| self.get(index).unwrap_or(Node::NULL))
    }

    /// How many bytes of memory the documents take.
    pub fn size_bytes(&self) -> usize {
        self.builder.cells.len() * size_of::<Cell>()
            + self.builder.text.len()
            + self.starts.len() * size_of::<u32>()
    }

    /// Forgets the documents and keeps the allocations.
    pub fn clear(&mut self) {
        self.builder.clear();
        self.starts.clear();
    }
}

/// The first eight bytes of a range, so that heads are in the order of the texts as far as they
/// differ.
#[inline]
pub(super) fn head(bytes: &[u8], start: usize, length: usize) -> u64 {
    match word_at(bytes, start) {
        Some(word) if length >= 8 => word.swap_bytes(),
        Some(word) => (word & ((1 << (8 * length)) - 1)).swap_bytes(),
        None => head_near_end(bytes.get(start..start + length).unwrap_or_default()),
    }
}

/// The same where no eight bytes are left, such as in a text by itself.
fn head_near_end(text: &[u8]) -> u64 {
    if let Some(first) = text.first_chunk() {
        return u64::from_be_bytes(*first);
    }
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        // The two overlap.
        let word = |bytes| u64::from(u32::from_be_bytes(bytes));
        return word(*first) << 32 | word(*last) << (8 * (8 - text.len()));
    }
    text.iter().zip([56, 48, 40]).map(|(byte, shift)| u64::from(*byte) << shift).sum()
}

#[inline]
fn offset(length: usize) -> u32 {
    u32::try_from(length).expect("documents and batches are bounded far below 4 GiB")
}
