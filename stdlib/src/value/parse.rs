//! Strict parsing of JSON documents.

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

use crate::limits::{DOCUMENT_DEPTH_MAX, DOCUMENT_SIZE_BYTES_MAX};

/// Why a text is no document, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseFailure {
    /// Byte offset in the text at which the fault shows.
    pub offset: usize,
    /// What is wrong, in lower case and without a full stop.
    pub message: String,
}

/// Parses exactly one JSON value.
///
/// # Errors
/// Malformed JSON, duplicate properties, text after the value, invalid UTF-8, numbers beyond f64,
/// and what is beyond [`crate::limits`] give the first fault with its byte offset.
pub fn parse(text: &[u8]) -> Result<Value, ParseFailure> {
    if text.len() > DOCUMENT_SIZE_BYTES_MAX {
        let message = format!(
            "the document has {} bytes, more than the limit of {DOCUMENT_SIZE_BYTES_MAX}",
            text.len()
        );
        return Err(ParseFailure { offset: DOCUMENT_SIZE_BYTES_MAX, message });
    }
    let text = std::str::from_utf8(text).map_err(|error| ParseFailure {
        offset: error.valid_up_to(),
        message: "the text is not valid UTF-8 here".to_owned(),
    })?;
    let reading = Reading::new(text);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let parsed = Document { reading: &reading, depth: 0 }.deserialize(&mut deserializer);
    match parsed.and_then(|value| deserializer.end().map(|()| value)) {
        Ok(value) => Ok(value),
        Err(error) => Err(describe(text, reading.fault.into_inner(), &error)),
    }
}

/// Parses documents separated by line feeds (blank lines are skipped) and hands each to `each`
/// with the byte offset after its line.
///
/// The last line may lack its line feed, and a carriage return before a line feed is no fault.
///
/// # Errors
/// As [`parse`]; offsets count from the beginning of `text`.
pub fn parse_lines(text: &[u8], each: &mut dyn FnMut(Value, usize)) -> Result<(), ParseFailure> {
    let mut start = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let end = start + line.len();
        if !line.iter().all(u8::is_ascii_whitespace) {
            let value = parse(line.trim_ascii_end())
                .map_err(|failure| ParseFailure { offset: start + failure.offset, ..failure })?;
            each(value, end);
        }
        start = end;
    }
    Ok(())
}

/// What one parse carries beside the deserializer.
struct Reading<'t> {
    text: &'t str,
    /// The first fault that is ours; the deserializer only knows that there is one.
    fault: RefCell<Option<String>>,
    /// Which of the negative zeros of the text are written as integers, in order.
    negative_zeros: OnceCell<Vec<bool>>,
    negative_zeros_seen: Cell<usize>,
}

impl<'t> Reading<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            fault: RefCell::new(None),
            negative_zeros: OnceCell::new(),
            negative_zeros_seen: Cell::new(0),
        }
    }

    fn refuse<E: serde::de::Error>(&self, message: String) -> E {
        self.fault.borrow_mut().get_or_insert(message);
        E::custom("")
    }

    /// The deserializer reads `-0` as the float `-0.0`; only the text tells the two apart.
    fn negative_zero(&self) -> Value {
        let index = self.negative_zeros_seen.get();
        self.negative_zeros_seen.set(index + 1);
        let zeros = self.negative_zeros.get_or_init(|| negative_zeros(self.text));
        if zeros.get(index).copied().unwrap_or(false) { Value::from(0) } else { Value::from(-0.0) }
    }
}

/// One value of the document, `depth` arrays and objects inside it.
#[derive(Clone, Copy)]
struct Document<'r, 't> {
    reading: &'r Reading<'t>,
    depth: usize,
}

impl Document<'_, '_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == DOCUMENT_DEPTH_MAX {
            return Err(self.reading.refuse(too_deep()));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        if value == 0.0 && value.is_sign_negative() {
            return Ok(self.reading.negative_zero());
        }
        match Number::from_f64(value) {
            Some(number) => Ok(Value::Number(number)),
            None => Err(self.reading.refuse(beyond_float())),
        }
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let item = self.deeper()?;
        let mut items = Vec::new();
        while let Some(value) = access.next_element_seed(item)? {
            items.push(value);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let property = self.deeper()?;
        let mut properties = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            match properties.entry(name) {
                Entry::Vacant(entry) => {
                    entry.insert(access.next_value_seed(property)?);
                }
                Entry::Occupied(entry) => {
                    let message = format!("the property `{}` is there twice", entry.key());
                    return Err(self.reading.refuse(message));
                }
            }
        }
        Ok(Value::Object(properties))
    }
}

/// For each number of the text that is a negative zero: whether it has neither point nor exponent.
fn negative_zeros(text: &str) -> Vec<bool> {
    let mut zeros = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['"', '-']) {
        let (_, found) = rest.split_at(at);
        if let Some(string) = found.strip_prefix('"') {
            rest = after_string(string);
            continue;
        }
        let end = found
            .find(|symbol: char| !symbol.is_ascii_digit() && !"+-.eE".contains(symbol))
            .unwrap_or(found.len());
        let (number, after) = found.split_at(end);
        if number.parse::<f64>().is_ok_and(|value| value == 0.0) {
            zeros.push(number == "-0");
        }
        rest = after;
    }
    zeros
}

/// The text after the string whose opening quote stands just before `text`.
fn after_string(text: &str) -> &str {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return text.get(at + 1..).unwrap_or_default(),
            _ => {}
        }
    }
    ""
}

fn too_deep() -> String {
    format!("the document is nested deeper than {DOCUMENT_DEPTH_MAX} levels")
}

fn beyond_float() -> String {
    "the number is too large for a double".to_owned()
}

/// Words of ours for a fault that the deserializer found.
fn describe(text: &str, fault: Option<String>, error: &serde_json::Error) -> ParseFailure {
    let line_start = match error.line() {
        0 | 1 => 0,
        line => text.match_indices('\n').nth(line - 2).map_or(text.len(), |(at, _)| at + 1),
    };
    let after = (line_start + error.column()).min(text.len());
    if error.is_eof() {
        let message = if text.trim_ascii().is_empty() {
            "expected a JSON value, found nothing".to_owned()
        } else {
            "the text ends before the value is complete".to_owned()
        };
        return ParseFailure { offset: text.len(), message };
    }
    let offset = text.floor_char_boundary(after.saturating_sub(1));
    let message = fault.unwrap_or_else(|| plain_words(&error.to_string(), text, offset));
    if message == beyond_float() {
        // The fault shows at the end of the number; its beginning tells more.
        let before = text.get(..after).unwrap_or(text);
        let before = before.trim_end_matches(|symbol: char| !symbol.is_ascii_digit());
        let number = |symbol: char| symbol.is_ascii_digit() || "+-.eE".contains(symbol);
        return ParseFailure { offset: before.trim_end_matches(number).len(), message };
    }
    ParseFailure { offset, message }
}

/// The deserializer has no codes for its faults; its texts are told apart by their beginnings.
fn plain_words(message: &str, text: &str, offset: usize) -> String {
    let words = [
        ("recursion limit", too_deep()),
        ("number out of range", beyond_float()),
        ("trailing characters", "there is text after the value".to_owned()),
        ("trailing comma", "a comma must be followed by another value".to_owned()),
        ("invalid escape", "the string has an escape that JSON does not know".to_owned()),
        ("invalid unicode", "the string has an escape that is no character".to_owned()),
        ("lone leading surrogate", "the string has half a surrogate pair".to_owned()),
        ("unexpected end of hex", "the string has half a surrogate pair".to_owned()),
        ("control character", "a control character in a string must be escaped".to_owned()),
        ("key must be a string", "the name of a property must be in double quotes".to_owned()),
        ("expected `:`", "expected `:` after the name of a property".to_owned()),
        ("expected `,` or `}`", "expected `,` or `}` after a property".to_owned()),
        ("expected `,` or `]`", "expected `,` or `]` after an item".to_owned()),
        ("invalid number", "the number is not written as JSON wants it".to_owned()),
    ];
    for (beginning, plain) in words {
        if message.starts_with(beginning) {
            return plain;
        }
    }
    match text.get(offset..).and_then(|rest| rest.chars().next()) {
        Some(symbol) => format!("expected a JSON value, found `{}`", symbol.escape_debug()),
        None => "expected a JSON value".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn fault(text: &str) -> (usize, String) {
        let failure = parse(text.as_bytes()).unwrap_err();
        (failure.offset, failure.message)
    }

    #[test]
    fn documents_are_read() {
        assert_eq!(
            parse(br#" {"b":[1,-2,2.5,"x",null,true],"a":{}} "#).unwrap(),
            json!({"a": {}, "b": [1, -2, 2.5, "x", null, true]})
        );
    }

    #[test]
    fn faults_are_told_in_plain_words_with_their_place() {
        let cases = [
            (r#"{"a":1,"a":2}"#, 9, "the property `a` is there twice"),
            (r#"{"a":1} x"#, 8, "there is text after the value"),
            ("", 0, "expected a JSON value, found nothing"),
            (r#"{"a":"#, 5, "the text ends before the value is complete"),
            ("[1,]", 3, "a comma must be followed by another value"),
            ("{'a':1}", 1, "the name of a property must be in double quotes"),
            ("{\n\"a\":1e400}", 6, "the number is too large for a double"),
            ("[1 2]", 3, "expected `,` or `]` after an item"),
            ("{\"a\" 1}", 5, "expected `:` after the name of a property"),
            ("01", 1, "the number is not written as JSON wants it"),
            (r#""\ud83d""#, 7, "the string has half a surrogate pair"),
            ("é", 0, "expected a JSON value, found `é`"),
        ];
        for (text, offset, message) in cases {
            assert_eq!(fault(text), (offset, message.to_owned()), "{text}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_at_their_place() {
        let failure = parse(b"[\"a\xff\"]").unwrap_err();
        assert_eq!((failure.offset, failure.message.contains("UTF-8")), (3, true));
    }

    #[test]
    fn nesting_is_limited_exactly() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(DOCUMENT_DEPTH_MAX).as_bytes()).is_ok());
        let (offset, message) = fault(&nested(DOCUMENT_DEPTH_MAX + 1));
        assert_eq!(offset, DOCUMENT_DEPTH_MAX);
        assert_eq!(message, too_deep());
    }

    #[test]
    fn negative_zero_keeps_its_kind() {
        let text = parse(br#"{"-0":[-0,-0.0,-0e1,1,-1],"b":"\"-0","c":-0}"#).unwrap().to_string();
        assert_eq!(text, r#"{"-0":[0,-0.0,-0.0,1,-1],"b":"\"-0","c":0}"#);
    }

    #[test]
    fn lines_are_read_with_their_ends() {
        let mut seen = Vec::new();
        parse_lines(b"{\"a\":1}\r\n\n  \n2\n3", &mut |value, end| seen.push((value, end))).unwrap();
        assert_eq!(seen, [(json!({"a": 1}), 9), (json!(2), 15), (json!(3), 16)]);
        let failure = parse_lines(b"1\n[1,]\n", &mut |_, _| {}).unwrap_err();
        assert_eq!(failure.offset, 5);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[\\[\\]{}\",:0-9eE.+\\-a-z\\\\ \n\u{e9}]{0,40}") {
            if let Err(failure) = parse(text.as_bytes()) {
                prop_assert!(failure.offset <= text.len());
                prop_assert!(!failure.message.is_empty());
            }
        }
    }
}
