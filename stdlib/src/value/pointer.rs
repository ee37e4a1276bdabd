//! JSON pointers (RFC 6901) in the dialect of catalogs: no empty tokens.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::limits::POINTER_ITEMS_MAX;

/// A parsed JSON pointer; the empty one is the root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Pointer {
    tokens: Vec<Token>,
}

/// One step of a pointer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Token {
    /// A text that is an index on an array and a property name on an object: `0`, `1`, `42`.
    Index(usize),
    /// `-`, the item after the last one; a property name on an object.
    NextIndex,
    /// A property name (also `01` and `+1`).
    Property(String),
}

/// Why a text is no pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PointerFailure {
    /// A pointer that is not empty begins with `/`.
    MissingLeadingSlash,
    /// `//`, or a `/` at the end, or a `~` that is not `~0` or `~1`; the byte range of the
    /// offending part.
    Malformed(std::ops::Range<usize>),
}

impl Pointer {
    /// Parses `text`.
    ///
    /// # Errors
    /// When `text` is not a pointer of the catalog language.
    pub fn parse(text: &str) -> Result<Self, PointerFailure> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let Some(rest) = text.strip_prefix('/') else {
            return Err(PointerFailure::MissingLeadingSlash);
        };
        let mut start = 1;
        let mut tokens = Vec::new();
        for part in rest.split('/') {
            let end = start + part.len();
            if part.is_empty() {
                return Err(PointerFailure::Malformed(start - 1..end));
            }
            let name = unescape(part).map_err(|tilde| {
                let tilde = start + tilde;
                PointerFailure::Malformed(tilde..(tilde + 1))
            })?;
            tokens.push(Token::from_text(name));
            start = end + 1;
        }
        Ok(Self { tokens })
    }

    /// The steps from the root.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The pointer one step deeper.
    pub fn child(&self, token: Token) -> Self {
        let mut tokens = Vec::with_capacity(self.tokens.len() + 1);
        tokens.extend_from_slice(&self.tokens);
        tokens.push(token);
        Self { tokens }
    }

    /// The value at this location of `document`.
    pub fn query<'v>(&self, document: &'v Value) -> Option<&'v Value> {
        self.tokens.iter().try_fold(document, |value, token| match (value, token) {
            (Value::Array(items), Token::Index(index)) => items.get(*index),
            (Value::Object(properties), Token::Property(name)) => properties.get(name),
            (Value::Object(properties), Token::Index(index)) => properties.get(&index.to_string()),
            (Value::Object(properties), Token::NextIndex) => properties.get("-"),
            _ => None,
        })
    }

    /// Creates this location in `document`, with objects and arrays on the way, and gives it to
    /// write to; `None` when a scalar is in the way.
    pub fn create<'v>(&self, document: &'v mut Value) -> Option<&'v mut Value> {
        self.tokens.iter().try_fold(document, |value, token| {
            if value.is_null() {
                *value = match token {
                    Token::Property(_) => Value::Object(Map::new()),
                    Token::Index(_) | Token::NextIndex => Value::Array(Vec::new()),
                };
            }
            match value {
                Value::Object(properties) => {
                    Some(properties.entry(token.property()).or_insert(Value::Null))
                }
                Value::Array(items) => {
                    let index = match token {
                        Token::Index(index) => *index,
                        Token::NextIndex => items.len(),
                        Token::Property(_) => return None,
                    };
                    if index >= POINTER_ITEMS_MAX.max(items.len()) {
                        return None;
                    }
                    while items.len() <= index {
                        items.push(Value::Null);
                    }
                    items.get_mut(index)
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
            }
        })
    }

    /// The canonical field name of the location: the text without its leading slash.
    pub fn field(&self) -> String {
        let mut text = self.text();
        if !text.is_empty() {
            text.remove(0);
        }
        text
    }

    /// The pointer as it is written.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for token in &self.tokens {
            text.push('/');
            match token {
                Token::Index(index) => text.push_str(&index.to_string()),
                Token::NextIndex => text.push('-'),
                Token::Property(name) => text.push_str(&escape(name)),
            }
        }
        text
    }
}

impl std::fmt::Display for Pointer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.text())
    }
}

impl Token {
    /// The step that `text` (without escapes) takes.
    pub fn from_text(text: String) -> Self {
        if text == "-" {
            return Self::NextIndex;
        }
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number
            && (text == "0" || !text.starts_with('0'))
            && let Ok(index) = text.parse()
        {
            return Self::Index(index);
        }
        Self::Property(text)
    }

    /// The name of the property that this step takes on an object.
    pub fn property(&self) -> String {
        match self {
            Self::Index(index) => index.to_string(),
            Self::NextIndex => "-".to_owned(),
            Self::Property(name) => name.clone(),
        }
    }
}

/// Writes `~` and `/` of a name as `~0` and `~1`.
pub(crate) fn escape(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| matches!(byte, b'~' | b'/')) {
        Cow::Owned(name.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(name)
    }
}

/// Reads `~0` and `~1` of a token; a `~` before anything else is refused with its offset.
fn unescape(token: &str) -> Result<String, usize> {
    let mut name = String::with_capacity(token.len());
    let mut symbols = token.char_indices();
    while let Some((at, symbol)) = symbols.next() {
        if symbol != '~' {
            name.push(symbol);
            continue;
        }
        match symbols.next() {
            Some((_, '0')) => name.push('~'),
            Some((_, '1')) => name.push('/'),
            _ => return Err(at),
        }
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn tokens_are_told_apart() {
        let pointer = Pointer::parse("/0/42/01/+1/-/a~1b~0/18446744073709551616").unwrap();
        assert_eq!(
            pointer.tokens(),
            [
                Token::Index(0),
                Token::Index(42),
                Token::Property("01".to_owned()),
                Token::Property("+1".to_owned()),
                Token::NextIndex,
                Token::Property("a/b~".to_owned()),
                Token::Property("18446744073709551616".to_owned()),
            ]
        );
        assert_eq!(pointer.to_string(), "/0/42/01/+1/-/a~1b~0/18446744073709551616");
        assert_eq!(pointer.field(), "0/42/01/+1/-/a~1b~0/18446744073709551616");
    }

    #[test]
    fn malformed_pointers_are_refused_at_their_place() {
        assert_eq!(Pointer::parse("a"), Err(PointerFailure::MissingLeadingSlash));
        assert_eq!(Pointer::parse("/"), Err(PointerFailure::Malformed(0..1)));
        assert_eq!(Pointer::parse("/a//b"), Err(PointerFailure::Malformed(2..3)));
        assert_eq!(Pointer::parse("/a/"), Err(PointerFailure::Malformed(2..3)));
        assert_eq!(Pointer::parse("/a~2"), Err(PointerFailure::Malformed(2..3)));
        assert_eq!(Pointer::parse("/a~"), Err(PointerFailure::Malformed(2..3)));
    }

    #[test]
    fn numbers_are_names_on_objects() {
        let document = json!({"a": {"0": 6, "-": 7}, "b": [5]});
        let query = |text: &str| Pointer::parse(text).unwrap().query(&document).cloned();
        assert_eq!(query("/a/0"), Some(json!(6)));
        assert_eq!(query("/a/-"), Some(json!(7)));
        assert_eq!(query("/b/0"), Some(json!(5)));
        assert_eq!(query("/b/-"), None);
        assert_eq!(query("/b/00"), None);
    }

    #[test]
    fn locations_are_created_on_the_way() {
        let mut document = json!(null);
        *Pointer::parse("/a/2/b").unwrap().create(&mut document).unwrap() = json!(1);
        *Pointer::parse("/a/-").unwrap().create(&mut document).unwrap() = json!(2);
        assert_eq!(document, json!({"a": [null, null, {"b": 1}, 2]}));
        assert_eq!(Pointer::parse("/a/3/x").unwrap().create(&mut document), None);
        let far = format!("/a/{}", usize::MAX);
        assert_eq!(Pointer::parse(&far).unwrap().create(&mut document), None);
    }

    proptest! {
        #[test]
        fn the_text_of_a_pointer_is_kept(text in "(/([a-c0-9+-]|~[01]|\u{e9}){1,3}){0,4}") {
            prop_assert_eq!(Pointer::parse(&text).unwrap().to_string(), text);
        }

        #[test]
        fn no_text_panics(text in "[/~01a-]{0,8}") {
            if let Err(PointerFailure::Malformed(range)) = Pointer::parse(&text) {
                prop_assert!(text.get(range).is_some_and(|part| !part.is_empty()));
            }
        }
    }
}
