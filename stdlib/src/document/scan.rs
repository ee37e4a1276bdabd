//! Scanning a JSON text straight into the arena.
//!
//! The text is put into the arena as a whole, so that strings without escapes are ranges of it and
//! nothing is copied one by one. Strings are searched for their end by words of eight bytes. The
//! scanner takes only what it is sure about: it gives nothing for a fault, a number at the edge of
//! its type or nesting beyond the limit, which the strict parser then decides.

use super::build::Text;
use super::stamp::{META, UUID};
use super::{Builder, Number, Stamp};
use crate::limits::DOCUMENT_DEPTH_MAX;

/// Reads one text; it stands in the arena already.
pub(super) struct Scanner<'s> {
    text: &'s str,
    at: usize,
    /// Where the text begins in the texts of the arena.
    base: usize,
    into: &'s mut Builder,
}

impl<'s> Scanner<'s> {
    /// A scanner that adds to `into` what `text` holds.
    pub(super) fn new(text: &'s str, into: &'s mut Builder) -> Self {
        let base = into.add_text(text);
        Self { text, at: 0, base, into }
    }

    /// The whole text.
    pub(super) fn document(mut self) -> Option<()> {
        self.value(0)?;
        self.end()
    }

    /// The whole text without its UUID.
    pub(super) fn unstamped_document(mut self, stamp: &mut Stamp) -> Option<()> {
        stamp.clear();
        if self.peek()? != b'{' {
            return self.document();
        }
        let mut has_meta = false;
        self.members(0, |scanner, name| {
            if scanner.into.read(name) != META {
                scanner.into.put_name(name);
                scanner.value(1)
            } else if std::mem::replace(&mut has_meta, true) {
                None
            } else {
                scanner.meta(name, stamp)
            }
        })?;
        self.end()
    }

    fn meta(&mut self, name: Text, stamp: &mut Stamp) -> Option<()> {
        let mark = self.into.mark();
        self.into.put_name(name);
        if self.peek()? != b'{' {
            return self.value(1);
        }
        let (mut count, mut has_uuid) = (0, false);
        self.members(1, |scanner, name| {
            count += 1;
            if scanner.into.read(name) != UUID {
                scanner.into.put_name(name);
                return scanner.value(2);
            }
            if scanner.peek()? != b'"' || std::mem::replace(&mut has_uuid, true) {
                return None;
            }
            let uuid = scanner.string()?;
            stamp.uuid.push_str(scanner.into.read(uuid));
            Some(())
        })?;
        if count == usize::from(has_uuid) {
            stamp.emptied = true;
            self.into.rewind(mark);
        }
        Some(())
    }

    fn end(&mut self) -> Option<()> {
        self.skip_blanks();
        (self.at == self.text.len()).then_some(())
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        match self.peek()? {
            b'"' => {
                let text = self.string()?;
                self.into.put_string(text);
                Some(())
            }
            b'{' => self.members(depth, |scanner, name| {
                scanner.into.put_name(name);
                scanner.value(depth + 1)
            }),
            b'[' => self.items(depth),
            b't' => {
                self.word("true")?;
                self.into.boolean(true);
                Some(())
            }
            b'f' => {
                self.word("false")?;
                self.into.boolean(false);
                Some(())
            }
            b'n' => {
                self.word("null")?;
                self.into.null();
                Some(())
            }
            _ => self.number(),
        }
    }

    /// An object whose members `each` adds, from behind the name.
    #[inline]
    fn members(
        &mut self,
        depth: usize,
        mut each: impl FnMut(&mut Self, Text) -> Option<()>,
    ) -> Option<()> {
        if depth == DOCUMENT_DEPTH_MAX {
            return None;
        }
        self.at += 1;
        self.into.begin_object();
        let mut next = self.peek()?;
        if next == b'}' {
            self.at += 1;
        }
        while next != b'}' {
            if self.peek()? != b'"' {
                return None;
            }
            let name = self.string()?;
            if self.peek()? != b':' {
                return None;
            }
            self.at += 1;
            each(self, name)?;
            next = self.peek()?;
            if !matches!(next, b',' | b'}') {
                return None;
            }
            self.at += 1;
        }
        self.into.end_object();
        Some(())
    }

    fn items(&mut self, depth: usize) -> Option<()> {
        if depth == DOCUMENT_DEPTH_MAX {
            return None;
        }
        self.at += 1;
        self.into.begin_array();
        let mut next = self.peek()?;
        if next == b']' {
            self.at += 1;
        }
        while next != b']' {
            self.value(depth + 1)?;
            next = self.peek()?;
            if !matches!(next, b',' | b']') {
                return None;
            }
            self.at += 1;
        }
        self.into.end_array();
        Some(())
    }

    /// A string, from its opening quote on.
    #[inline]
    fn string(&mut self) -> Option<Text> {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let mut at = start;
        loop {
            if let Some(word) = word_at(bytes, at) {
                let found = ends_and_escapes(word);
                if found == 0 {
                    at += 8;
                    continue;
                }
                at += found.trailing_zeros() as usize / 8;
            }
            match bytes.get(at)? {
                b'"' => {
                    self.at = at + 1;
                    return Some(self.into.text(self.base + start, at - start));
                }
                b'\\' => return self.escaped(start, at),
                0..0x20 => return None,
                _ => at += 1,
            }
        }
    }

    /// A string whose first escape is at `at`; its text is put behind all others.
    #[cold]
    fn escaped(&mut self, start: usize, mut at: usize) -> Option<Text> {
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
        self.at = at + 1;
        Some(self.into.text_from(target))
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let rest = self.text.as_bytes().get(self.at..)?;
        self.at += word.len();
        rest.starts_with(word.as_bytes()).then_some(())
    }

    /// A number, which is put into the arena where its type is known: to hand it on costs more than
    /// to read it.
    #[inline]
    fn number(&mut self) -> Option<()> {
        let start = self.at;
        let is_negative = self.text.as_bytes().get(start) == Some(&b'-');
        self.at += usize::from(is_negative);
        let first = self.at;
        let mut digits = 0;
        self.digits(&mut digits);
        let whole = self.at - first;
        let has_zero_ahead = whole > 1 && self.text.as_bytes().get(first) == Some(&b'0');
        if whole == 0 || has_zero_ahead {
            return None;
        }
        let next = self.text.as_bytes().get(self.at);
        if !matches!(next, Some(b'.' | b'e' | b'E')) {
            // Nineteen digits always fit, and a negative zero is a matter of its own.
            if whole > 19 || (is_negative && digits == 0) {
                return None;
            }
            if is_negative {
                self.into.number(Number::Negative(-i64::try_from(digits).ok()?));
            } else {
                self.into.number(Number::Unsigned(digits));
            }
            return Some(());
        }
        self.fractional(start, whole, digits, is_negative)
    }

    /// The rest of a number that has a fraction or an exponent.
    fn fractional(
        &mut self,
        start: usize,
        whole: usize,
        mut digits: u64,
        is_negative: bool,
    ) -> Option<()> {
        let bytes = self.text.as_bytes();
        let mut fraction = 0;
        if bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            let first = self.at;
            self.digits(&mut digits);
            fraction = self.at - first;
            if fraction == 0 {
                return None;
            }
        }
        let mut exponent = 0_i32;
        if matches!(bytes.get(self.at), Some(b'e' | b'E')) {
            exponent = self.exponent()?;
        }
        let is_exact = whole + fraction <= 19;
        if is_exact && digits == 0 {
            if is_negative {
                return None;
            }
            self.into.number(Number::Float(0.0));
            return Some(());
        }
        let power = exponent.checked_sub(i32::try_from(fraction).ok()?)?;
        // Both are exact doubles then, and one operation rounds once.
        if is_exact
            && digits < 1 << 53
            && let Some(ten) = POWERS_OF_TEN.get(power.unsigned_abs() as usize)
        {
            let value = if power < 0 { digits as f64 / ten } else { digits as f64 * ten };
            self.into.number(Number::Float(if is_negative { -value } else { value }));
            return Some(());
        }
        let value: f64 = self.text.get(start..self.at)?.parse().ok()?;
        if !value.is_finite() || value == 0.0 {
            return None;
        }
        self.into.number(Number::Float(value));
        Some(())
    }

    fn exponent(&mut self) -> Option<i32> {
        let bytes = self.text.as_bytes();
        self.at += 1;
        let sign = bytes.get(self.at);
        self.at += usize::from(matches!(sign, Some(b'+' | b'-')));
        let (first, mut digits) = (self.at, 0);
        self.digits(&mut digits);
        // Longer exponents are beyond every double, unless they have zeros ahead.
        if !(1..=4).contains(&(self.at - first)) {
            return None;
        }
        let exponent = i32::try_from(digits).ok()?;
        Some(if sign == Some(&b'-') { -exponent } else { exponent })
    }

    /// Adds digits to a number, which is of no use when there are more than nineteen.
    #[inline]
    fn digits(&mut self, number: &mut u64) {
        while let Some(byte) = self.text.as_bytes().get(self.at) {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            *number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
            self.at += 1;
        }
    }

    /// The next byte that is not blank.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        let byte = *self.text.as_bytes().get(self.at)?;
        if byte > b' ' {
            return Some(byte);
        }
        self.skip_blanks();
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.text.as_bytes().get(self.at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }
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
fn ends_and_escapes(word: u64) -> u64 {
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
