//! Scanning a JSON text straight into the arena.
//!
//! The text is put into the arena as a whole, so that strings without escapes are ranges of it and
//! nothing is copied one by one. Strings are searched for their end by words of eight bytes. The
//! scanner takes only what it is sure about: it gives nothing for a fault, a number at the edge of
//! its type or nesting beyond the limit, which the strict parser then decides.

use super::arrange::Order;
use super::build::Text;
use super::layout::{Layout, Layouts, Member, Place, meet};
use super::stamp::{META, UUID};
use super::{Builder, Cell, Stamp};
use crate::limits::DOCUMENT_DEPTH_MAX;

/// Reads one text; it stands in the arena already. What is left of the text is handed on and not kept
/// here, so that it stays in registers.
pub(super) struct Scanner<'s> {
    text: &'s str,
    /// Where the text ends in the texts of the arena.
    end: u32,
    into: &'s mut Builder,
    layouts: &'s Layouts,
    findings: &'s mut Findings,
}

/// What is to be done when a text was read.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Some object is not in the order of its names.
    pub(super) is_out_of_order: bool,
    pub(super) surprises: Vec<Surprise>,
}

/// Something that was not as expected.
#[derive(Debug, Clone, Copy)]
pub(super) enum Surprise {
    /// An object has other names; its cell is at an index.
    Object { place: Place, at: usize },
    /// Nothing is known of the items of an array.
    Array { place: Place },
}

impl Findings {
    /// Forgets what was found.
    pub(super) fn clear(&mut self) {
        self.is_out_of_order = false;
        self.surprises.clear();
    }

    /// Whether nothing is to be done.
    pub(super) fn are_none(&self) -> bool {
        !self.is_out_of_order && self.surprises.is_empty()
    }
}

/// What is left of the text.
type Rest<'s> = &'s [u8];

/// An object whose members are being read.
#[derive(Clone, Copy)]
struct Members<'s> {
    place: Place,
    layout: Option<&'s Layout>,
    /// The index of its cell.
    begin: usize,
    /// How many were added.
    count: u32,
    /// The names that are still expected.
    expected: &'s [Member],
}

impl<'s> Scanner<'s> {
    /// A scanner that adds to `into` what `text` holds, in the order of the text.
    pub(super) fn new(
        text: &'s str,
        into: &'s mut Builder,
        layouts: &'s Layouts,
        findings: &'s mut Findings,
    ) -> Self {
        into.add_text(text);
        let end = into.text_end();
        Self { text, end, into, layouts, findings }
    }

    /// The whole text.
    pub(super) fn document(mut self) -> Option<()> {
        self.into.count();
        let rest = self.value(self.text.as_bytes(), 0, Place::ROOT)?;
        skip_blanks(rest).is_empty().then_some(())
    }

    /// The whole text without its UUID.
    pub(super) fn unstamped_document(mut self, stamp: &mut Stamp) -> Option<()> {
        stamp.clear();
        let (b'{', rest) = next(self.text.as_bytes())? else { return self.document() };
        self.into.count();
        let mut has_meta = false;
        let rest = self.special_object(rest, Place::ROOT, |scanner, name, rest, place| {
            if !scanner.is_meta(name) {
                return scanner.property(name, rest, 1, place);
            }
            if std::mem::replace(&mut has_meta, true) {
                return None;
            }
            scanner.meta(name, rest, stamp)
        })?;
        skip_blanks(rest).is_empty().then_some(())
    }

    /// The rest of an object from `at` on, which is behind its brace or behind a comma; it must not
    /// have a `/_meta`.
    pub(super) fn rest_of_document(mut self, at: usize) -> Option<()> {
        self.into.count();
        let rest = self.text.as_bytes().get(at..)?;
        let rest = self.special_object(rest, Place::ROOT, |scanner, name, rest, place| {
            if scanner.is_meta(name) {
                return None;
            }
            scanner.property(name, rest, 1, place)
        })?;
        skip_blanks(rest).is_empty().then_some(())
    }

    #[inline]
    fn is_meta(&self, name: Text) -> bool {
        name.length() == META.len() && self.into.read(name) == META
    }

    /// The value of `/_meta`; gives what follows it, and whether anything is left of it.
    fn meta(&mut self, name: Text, rest: Rest<'s>, stamp: &mut Stamp) -> Option<(Rest<'s>, bool)> {
        let mark = self.into.mark();
        let (b'{', behind) = next(rest)? else {
            return self.property(name, rest, 1, Place::UNKNOWN);
        };
        self.into.put_cell(name.into());
        let (mut others, mut has_uuid) = (0, false);
        let rest = self.special_object(behind, Place::UNKNOWN, |scanner, name, rest, place| {
            if scanner.into.read(name) != UUID {
                others += 1;
                return scanner.property(name, rest, 2, place);
            }
            let (b'"', rest) = next(rest)? else { return None };
            if std::mem::replace(&mut has_uuid, true) {
                return None;
            }
            let (uuid, rest) = scanner.string(rest)?;
            stamp.uuid.push_str(scanner.into.read(uuid));
            Some((rest, false))
        })?;
        stamp.emptied = others == 0;
        if stamp.emptied {
            self.into.rewind(mark);
        }
        Some((rest, others > 0))
    }

    /// A value; gives what follows it. Strings and numbers are read without a call.
    #[inline(always)]
    fn value(&mut self, rest: Rest<'s>, depth: usize, place: Place) -> Option<Rest<'s>> {
        let (first, behind) = next(rest)?;
        match first {
            b'"' => {
                let (text, rest) = self.string(behind)?;
                self.into.put_cell(text.into());
                Some(rest)
            }
            b'0'..=b'9' => self.number(first, behind, false),
            b'-' => {
                let (first, behind) = behind.split_first()?;
                self.number(*first, behind, true)
            }
            b'{' => self.object(behind, depth, place),
            b'[' => self.array(behind, depth, place),
            _ => self.word(first, behind),
        }
    }

    /// A property from behind its colon on; gives what follows it, and that it was added.
    #[inline(always)]
    fn property(
        &mut self,
        name: Text,
        rest: Rest<'s>,
        depth: usize,
        place: Place,
    ) -> Option<(Rest<'s>, bool)> {
        self.into.put_cell(name.into());
        Some((self.value(rest, depth, place)?, true))
    }

    /// An object from behind its brace on. Most of them are as expected.
    #[inline(never)]
    fn object(&mut self, rest: Rest<'s>, depth: usize, place: Place) -> Option<Rest<'s>> {
        if depth == DOCUMENT_DEPTH_MAX {
            return None;
        }
        let layouts = self.layouts;
        let layout = layouts.get(place);
        let mut expected = layout.map(Layout::members).unwrap_or_default();
        let begin = self.into.begin_cell();
        let mut count = 0;
        let mut rest = skip_blanks(rest);
        while let [member, others @ ..] = expected
            && member.name.begins(rest)
        {
            self.into.put_cell(self.name_of(member, rest).into());
            let behind = rest.get(member.name.length() as usize..)?;
            let behind = self.value(behind, depth + 1, member.value)?;
            expected = others;
            count += 1;
            match next(behind)? {
                (b',', behind) => rest = skip_blanks(behind),
                (b'}', behind) => {
                    self.end_object(&Members { place, layout, begin, count, expected });
                    return Some(behind);
                }
                _ => return None,
            }
        }
        let members = Members { place, layout, begin, count, expected };
        self.members(rest, members, |scanner, name, rest, place| {
            scanner.property(name, rest, depth + 1, place)
        })
    }

    /// An object from behind its brace on, whose members `each` adds from behind the colon; it gives
    /// what follows the value, and whether it was added.
    #[inline(always)]
    fn special_object(
        &mut self,
        rest: Rest<'s>,
        place: Place,
        each: impl FnMut(&mut Self, Text, Rest<'s>, Place) -> Option<(Rest<'s>, bool)>,
    ) -> Option<Rest<'s>> {
        let layout = self.layouts.get(place);
        let expected = layout.map(Layout::members).unwrap_or_default();
        let begin = self.into.begin_cell();
        let members = Members { place, layout, begin, count: 0, expected };
        self.members(skip_blanks(rest), members, each)
    }

    /// Members that may be others than expected.
    #[inline(never)]
    fn members(
        &mut self,
        mut rest: Rest<'s>,
        members: Members<'s>,
        mut each: impl FnMut(&mut Self, Text, Rest<'s>, Place) -> Option<(Rest<'s>, bool)>,
    ) -> Option<Rest<'s>> {
        let Members { place, layout, begin, mut count, mut expected } = members;
        let mut is_surprise = false;
        if let Some((b'}', behind)) = rest.split_first()
            && count == 0
        {
            self.into.end_object_cell(begin, 0, Order::SORTED);
            return Some(behind);
        }
        loop {
            let met = meet(expected, rest);
            let (name, behind, value) = match met {
                Some((member, others)) => {
                    expected = others;
                    let behind = rest.get(member.name.length() as usize..)?;
                    (self.name_of(member, rest), behind, member.value)
                }
                None => {
                    let (name, behind) = self.name(rest)?;
                    (name, behind, Place::UNKNOWN)
                }
            };
            let (behind, is_added) = each(self, name, behind, value)?;
            if is_added {
                count += 1;
                is_surprise |= met.is_none();
            }
            match next(behind)? {
                (b',', behind) => rest = skip_blanks(behind),
                (b'}', behind) => {
                    let members = Members { place, layout, begin, count, expected };
                    if is_surprise {
                        self.end_surprising(&members);
                    } else {
                        self.end_object(&members);
                    }
                    return Some(behind);
                }
                _ => return None,
            }
        }
    }

    /// The name of an expected property that comes first.
    #[inline(always)]
    fn name_of(&self, member: &Member, rest: Rest<'_>) -> Text {
        // The quotes and the colon belong to what is expected.
        Text { start: self.offset(rest) + 1, length: member.name.length() - 3 }
    }

    /// The name of a property that nobody expected, and what is behind its colon.
    fn name(&mut self, rest: Rest<'s>) -> Option<(Text, Rest<'s>)> {
        let (name, rest) = self.string(rest.strip_prefix(b"\"")?)?;
        let (b':', rest) = next(rest)? else { return None };
        Some((name, rest))
    }

    /// Ends an object that has no other names than expected.
    #[inline(always)]
    fn end_object(&mut self, members: &Members<'_>) {
        let Members { place, layout, begin, count, .. } = *members;
        match layout {
            Some(layout) if layout.members().len() == count as usize => {
                let is_sorted = layout.order().is_empty();
                self.findings.is_out_of_order |= !is_sorted;
                let order = if is_sorted { Order::SORTED } else { Order::of(place) };
                self.into.end_object_cell(begin, count, order);
            }
            _ => self.end_unknown(begin, count),
        }
    }

    fn end_surprising(&mut self, members: &Members<'_>) {
        let Members { place, begin, count, .. } = *members;
        if place != Place::UNKNOWN {
            self.findings.surprises.push(Surprise::Object { place, at: begin });
        }
        self.end_unknown(begin, count);
    }

    /// Ends an object whose order is not remembered.
    #[inline(never)]
    fn end_unknown(&mut self, begin: usize, count: u32) {
        let is_sorted = self.into.is_sorted(begin);
        self.findings.is_out_of_order |= !is_sorted;
        let order = if is_sorted { Order::SORTED } else { Order::UNKNOWN };
        self.into.end_object_cell(begin, count, order);
    }

    #[inline(never)]
    fn array(&mut self, rest: Rest<'s>, depth: usize, place: Place) -> Option<Rest<'s>> {
        if depth == DOCUMENT_DEPTH_MAX {
            return None;
        }
        let items = match self.layouts.get(place).and_then(Layout::items) {
            Some(items) => items,
            None => self.unknown_items(place),
        };
        let begin = self.into.begin_cell();
        let mut count = 0;
        let mut rest = skip_blanks(rest);
        if let Some((b']', rest)) = rest.split_first() {
            self.into.end_array_cell(begin, count, Order::SORTED);
            return Some(rest);
        }
        let was_out_of_order = std::mem::take(&mut self.findings.is_out_of_order);
        loop {
            let behind = self.value(rest, depth + 1, items)?;
            count += 1;
            match next(behind)? {
                (b',', behind) => rest = behind,
                (b']', behind) => {
                    let is_out_of_order = &mut self.findings.is_out_of_order;
                    let order = if *is_out_of_order { Order::UNKNOWN } else { Order::SORTED };
                    *is_out_of_order |= was_out_of_order;
                    self.into.end_array_cell(begin, count, order);
                    return Some(behind);
                }
                _ => return None,
            }
        }
    }

    #[cold]
    fn unknown_items(&mut self, place: Place) -> Place {
        if place != Place::UNKNOWN {
            self.findings.surprises.push(Surprise::Array { place });
        }
        Place::UNKNOWN
    }

    /// Where `rest` begins in the texts of the arena.
    #[inline]
    fn offset(&self, rest: Rest<'_>) -> u32 {
        // Both were found to fit when the text was added.
        self.end - rest.len() as u32
    }

    /// A string from behind its quote on, and what follows it.
    #[inline]
    fn string(&mut self, begin: Rest<'s>) -> Option<(Text, Rest<'s>)> {
        let mut rest = begin;
        loop {
            if let Some((word, further)) = rest.split_first_chunk() {
                let found = ends_and_escapes(u64::from_le_bytes(*word));
                if found == 0 {
                    rest = further;
                    continue;
                }
                rest = rest.get(found.trailing_zeros() as usize / 8..)?;
            }
            let (byte, further) = rest.split_first()?;
            match byte {
                b'"' => {
                    let (start, length) = (self.offset(begin), begin.len() - rest.len());
                    return Some((Text { start, length: length as u32 }, further));
                }
                b'\\' => return self.escaped(begin, rest),
                0..0x20 => return None,
                _ => rest = further,
            }
        }
    }

    /// A string whose first escape is where `rest` begins; its text is put behind all others.
    #[cold]
    fn escaped(&mut self, begin: Rest<'s>, rest: Rest<'s>) -> Option<(Text, Rest<'s>)> {
        let (start, mut at) = (self.text.len() - begin.len(), self.text.len() - rest.len());
        let target = self.into.add_text(self.text.get(start..at)?);
        loop {
            match self.text.as_bytes().get(at)? {
                b'"' => break,
                b'\\' => {
                    let (symbol, length) = escape(self.text.as_bytes().get(at + 1..)?)?;
                    self.into.add_text(symbol.encode_utf8(&mut [0; 4]));
                    at += 1 + length;
                }
                0..0x20 => return None,
                _ => {
                    let rest = self.text.get(at..)?;
                    let length = rest.find(['"', '\\']).unwrap_or(rest.len());
                    let plain = rest.get(..length)?;
                    if plain.bytes().any(|byte| byte < 0x20) {
                        return None;
                    }
                    self.into.add_text(plain);
                    at += length;
                }
            }
        }
        Some((self.into.text_from(target), self.text.as_bytes().get(at + 1..)?))
    }

    /// One of the three words, from behind its first letter on.
    fn word(&mut self, first: u8, rest: Rest<'s>) -> Option<Rest<'s>> {
        let (rest, cell) = match first {
            b't' => (rest.strip_prefix(b"rue")?, Cell::Boolean(true)),
            b'f' => (rest.strip_prefix(b"alse")?, Cell::Boolean(false)),
            b'n' => (rest.strip_prefix(b"ull")?, Cell::Null),
            _ => return None,
        };
        self.into.put_cell(cell);
        Some(rest)
    }

    /// A number from behind its first digit on; gives what follows it.
    #[inline(always)]
    fn number(&mut self, first: u8, begin: Rest<'s>, is_negative: bool) -> Option<Rest<'s>> {
        let first = first.wrapping_sub(b'0');
        if first > 9 {
            return None;
        }
        let (digits, rest) = add_few_digits(begin, first.into());
        let whole = 1 + begin.len() - rest.len();
        if first == 0 && whole > 1 {
            return None;
        }
        if let Some(b'.' | b'e' | b'E') = rest.first() {
            return self.fractional(begin, rest, digits, is_negative);
        }
        // Nineteen digits always fit, and a negative zero is a matter of its own.
        if whole > 19 || (is_negative && digits == 0) {
            return None;
        }
        self.into.put_cell(if is_negative {
            Cell::Negative(-i64::try_from(digits).ok()?)
        } else {
            Cell::Unsigned(digits)
        });
        Some(rest)
    }

    /// The rest of a number that has a fraction or an exponent; `begin` is behind its first digit.
    #[inline(always)]
    fn fractional(
        &mut self,
        begin: Rest<'s>,
        mut rest: Rest<'s>,
        mut digits: u64,
        is_negative: bool,
    ) -> Option<Rest<'s>> {
        let mut count = 1 + begin.len() - rest.len();
        let mut power = 0_i32;
        if let Some((b'.', fraction)) = rest.split_first() {
            (digits, rest) = add_digits(fraction, digits);
            let length = fraction.len() - rest.len();
            if length == 0 {
                return None;
            }
            count += length;
            // Documents are shorter than this type is great.
            power = -(length as i32);
        }
        if let Some((b'e' | b'E', behind)) = rest.split_first() {
            let exponent;
            (exponent, rest) = exponent_from(behind)?;
            power += exponent;
        }
        // Both are exact doubles then, and one operation rounds once.
        if count <= 19
            && digits < 1 << 53
            && digits > 0
            && let Some(ten) = POWERS_OF_TEN.get(power.unsigned_abs() as usize)
        {
            // A signed integer is converted by one instruction.
            let digits = digits.cast_signed() as f64;
            let value = if power < 0 { digits / ten } else { digits * ten };
            self.into.put_cell(Cell::Float(if is_negative { -value } else { value }));
            return Some(rest);
        }
        self.inexact(begin, rest, (count <= 19).then_some(digits), is_negative)?;
        Some(rest)
    }

    /// A number that is between two doubles, or zero.
    #[cold]
    fn inexact(
        &mut self,
        begin: Rest<'_>,
        rest: Rest<'_>,
        digits: Option<u64>,
        is_negative: bool,
    ) -> Option<()> {
        if digits == Some(0) {
            // A negative zero is a matter of its own.
            let zero = (!is_negative).then_some(0.0);
            self.into.put_cell(Cell::Float(zero?));
            return Some(());
        }
        let start = self.text.len() - begin.len() - 1;
        let end = self.text.len() - rest.len();
        let value: f64 = self.text.get(start..end)?.parse().ok()?;
        if !value.is_finite() || value == 0.0 {
            return None;
        }
        self.into.put_cell(Cell::Float(if is_negative { -value } else { value }));
        Some(())
    }
}

/// An exponent from behind its letter on, and what follows it.
#[cold]
fn exponent_from(rest: Rest<'_>) -> Option<(i32, Rest<'_>)> {
    let (is_negative, first) = match rest {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let (digits, rest) = add_digits(first, 0);
    // Longer exponents are beyond every double, unless they have zeros ahead.
    if !(1..=4).contains(&(first.len() - rest.len())) {
        return None;
    }
    let exponent = i32::try_from(digits).ok()?;
    Some((if is_negative { -exponent } else { exponent }, rest))
}

/// The next byte that is not blank, and what is behind it.
#[inline]
fn next(rest: Rest<'_>) -> Option<(u8, Rest<'_>)> {
    match rest.split_first()? {
        (byte, behind) if *byte > b' ' => Some((*byte, behind)),
        _ => skip_blanks(rest).split_first().map(|(byte, behind)| (*byte, behind)),
    }
}

/// What is left from the next byte on that is not blank.
#[inline]
fn skip_blanks(mut rest: Rest<'_>) -> Rest<'_> {
    while let [b' ' | b'\n' | b'\r' | b'\t', behind @ ..] = rest {
        rest = behind;
    }
    rest
}

/// Adds digits to a number, which is of no use when there are more than nineteen; gives what follows
/// them. Most numbers have few digits before their point.
#[inline(always)]
fn add_few_digits(mut rest: Rest<'_>, mut number: u64) -> (u64, Rest<'_>) {
    const FEW: usize = 4;
    for _ in 0..FEW {
        let Some((byte, further)) = rest.split_first() else { break };
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return (number, rest);
        }
        number = number * 10 + u64::from(digit);
        rest = further;
    }
    add_digits(rest, number)
}

/// The same for up to eight digits at once.
#[inline(always)]
fn add_digits(rest: Rest<'_>, number: u64) -> (u64, Rest<'_>) {
    if let Some((word, _)) = rest.split_first_chunk() {
        let (digits, count) = digits_in(*word);
        if count == 0 {
            return (number, rest);
        }
        if let Some(power) = WHOLE_POWERS_OF_TEN.get(count) {
            // The digits move up behind zeros.
            let digits = eight_digits(digits << (64 - 8 * count));
            let number = number.wrapping_mul(*power).wrapping_add(digits);
            return (number, rest.get(count..).unwrap_or_default());
        }
    }
    add_many_digits(rest, number)
}

/// The same for any number of digits.
#[inline(never)]
fn add_many_digits(mut rest: Rest<'_>, mut number: u64) -> (u64, Rest<'_>) {
    while let Some((word, further)) = rest.split_first_chunk() {
        let (digits, 8) = digits_in(*word) else { break };
        number = number.wrapping_mul(100_000_000).wrapping_add(eight_digits(digits));
        rest = further;
    }
    while let Some((byte, further)) = rest.split_first() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
        rest = further;
    }
    (number, rest)
}

const WHOLE_POWERS_OF_TEN: [u64; 8] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/// The values of digits among eight bytes, one in each byte from the lowest on, and how many there are
/// before another byte; those behind it mean nothing.
#[inline(always)]
fn digits_in(bytes: [u8; 8]) -> (u64, usize) {
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let values = u64::from_le_bytes(bytes) ^ 0x3030_3030_3030_3030;
    // What is above nine has the highest bit, or gets it. An addition that carries does so out of a byte
    // that is no digit, and what is above that does not count.
    let others = (values.wrapping_add(0x7676_7676_7676_7676) | values) & HIGHS;
    (values, others.trailing_zeros() as usize / 8)
}

/// The number of eight digits, the first of which is the lowest byte.
#[inline(always)]
fn eight_digits(values: u64) -> u64 {
    let pairs = (values.wrapping_mul(1 + (10 << 8)) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(1 + (100 << 16)) >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(1 + (10_000 << 32)) >> 32
}

/// The powers of ten that are exact doubles.
const POWERS_OF_TEN: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// Eight bytes, the first one lowest; nothing near the end of the text.
#[inline]
pub(super) fn word_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|word| u64::from_le_bytes(*word))
}

/// The highest bit of the first byte that is a quote, a backslash or a control character is set, and
/// none below it; what is above it means nothing.
#[inline]
pub(super) fn ends_and_escapes(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = ONES << 7;
    let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word;
    let quote = below(word ^ (ONES * 0x22), 1);
    let backslash = below(word ^ (ONES * 0x5c), 1);
    (quote | backslash | below(word, 0x20)) & HIGHS
}

/// The character of an escape, from behind the backslash, and how many bytes it takes there.
fn escape(bytes: &[u8]) -> Option<(char, usize)> {
    let symbol = match bytes.first()? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let first = unit(bytes.get(1..5)?)?;
            if !(0xd800..0xdc00).contains(&first) {
                return char::from_u32(first).map(|symbol| (symbol, 5));
            }
            let second = unit(bytes.get(5..)?.strip_prefix(b"\\u")?.get(..4)?)?;
            let offset = second.checked_sub(0xdc00).filter(|offset| *offset < 0x400)?;
            let symbol = 0x10000 + ((first - 0xd800) << 10) + offset;
            return char::from_u32(symbol).map(|symbol| (symbol, 11));
        }
        _ => return None,
    };
    Some((symbol, 1))
}

/// The value of four hexadecimal digits.
fn unit(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?))
}
