//! The tokens of SQLite's SQL: just enough to split statements and to find a name in them.
//!
//! Every text has tokens; what SQLite would refuse (an open string, a strange character) is some
//! token here, and SQLite itself reports it.

use std::borrow::Cow;
use std::ops::Range;

/// One token: its kind and its bytes in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) range: Range<usize>,
}

/// What tokens are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A keyword or a bare name.
    Word,
    /// A name in `""`, `[]` or backticks.
    QuotedName,
    /// Text in `''`, also of a blob.
    Text,
    /// A number.
    Number,
    /// A parameter, with its first character.
    Parameter,
    /// `;`
    Semicolon,
    /// Any other character.
    Symbol,
}

/// The tokens of `text`, without blanks and comments.
pub(super) fn tokens(text: &str) -> Tokens<'_> {
    Tokens { text, position: 0 }
}

/// An iterator over the tokens of a text.
#[derive(Debug, Clone)]
pub(super) struct Tokens<'t> {
    text: &'t str,
    position: usize,
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.skip_blanks();
        let start = self.position;
        let kind = self.scan()?;
        Some(Token { kind, range: start..self.position })
    }
}

impl Tokens<'_> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.position + ahead).copied()
    }

    fn skip_blanks(&mut self) {
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(byte), _) if is_blank(byte) => self.position += 1,
                (Some(b'-'), Some(b'-')) => self.skip_until("\n"),
                (Some(b'/'), Some(b'*')) => {
                    self.position += 2;
                    self.skip_until("*/");
                }
                _ => return,
            }
        }
    }

    /// Moves behind the next `end`, or to the end of the text.
    fn skip_until(&mut self, end: &str) {
        let rest = self.text.get(self.position..).unwrap_or_default();
        let length = rest.find(end).map_or(rest.len(), |offset| offset + end.len());
        self.position += length;
    }

    /// Moves behind one token.
    fn scan(&mut self) -> Option<TokenKind> {
        let kind = match self.peek(0)? {
            b';' => self.symbol(TokenKind::Semicolon),
            b'\'' => self.quoted("'", TokenKind::Text),
            b'"' => self.quoted("\"", TokenKind::QuotedName),
            b'`' => self.quoted("`", TokenKind::QuotedName),
            b'[' => {
                self.position += 1;
                self.skip_until("]");
                TokenKind::QuotedName
            }
            b'x' | b'X' if self.peek(1) == Some(b'\'') => {
                self.position += 1;
                self.quoted("'", TokenKind::Text)
            }
            b'?' => {
                self.position += 1;
                self.skip_while(|byte| byte.is_ascii_digit());
                TokenKind::Parameter
            }
            b'$' | b'@' | b':' | b'#' => self.parameter(),
            byte if byte.is_ascii_digit() => self.number(),
            b'.' if self.peek(1).is_some_and(|byte| byte.is_ascii_digit()) => self.number(),
            byte if is_name(byte) => {
                self.skip_while(is_name);
                TokenKind::Word
            }
            _ => self.symbol(TokenKind::Symbol),
        };
        Some(kind)
    }

    fn symbol(&mut self, kind: TokenKind) -> TokenKind {
        self.position += 1;
        kind
    }

    fn skip_while(&mut self, is_part: impl Fn(u8) -> bool) {
        while self.peek(0).is_some_and(&is_part) {
            self.position += 1;
        }
    }

    /// A quoted text; two quotes stand for one.
    fn quoted(&mut self, quote: &str, kind: TokenKind) -> TokenKind {
        self.position += 1;
        loop {
            self.skip_until(quote);
            if self.peek(0) != quote.bytes().next() {
                return kind;
            }
            self.position += 1;
        }
    }

    /// A parameter: name characters and `::`, at last a part in parentheses without blanks.
    fn parameter(&mut self) -> TokenKind {
        self.position += 1;
        let start = self.position;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(byte), _) if is_name(byte) => self.position += 1,
                (Some(b':'), Some(b':')) => self.position += 2,
                (Some(b'('), _) if self.position > start => {
                    self.skip_while(|byte| byte != b')' && !is_blank(byte));
                    if self.peek(0) == Some(b')') {
                        self.position += 1;
                    }
                    break;
                }
                _ => break,
            }
        }
        if self.position == start { TokenKind::Symbol } else { TokenKind::Parameter }
    }

    fn number(&mut self) -> TokenKind {
        loop {
            self.skip_while(|byte| is_name(byte) || byte == b'.');
            let before = self.position.checked_sub(1).and_then(|at| self.text.as_bytes().get(at));
            let is_exponent = before.is_some_and(|byte| byte.eq_ignore_ascii_case(&b'e'));
            let is_sign = matches!(self.peek(0), Some(b'+' | b'-'));
            if !(is_exponent && is_sign && self.peek(1).is_some_and(|byte| byte.is_ascii_digit())) {
                return TokenKind::Number;
            }
            self.position += 1;
        }
    }
}

impl Token {
    /// The token as it stands in the text.
    pub(super) fn text<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.range.clone()).unwrap_or_default()
    }

    /// Whether this is the bare word `keyword`, in any case.
    pub(super) fn is_keyword(&self, text: &str, keyword: &str) -> bool {
        self.kind == TokenKind::Word && self.text(text).eq_ignore_ascii_case(keyword)
    }

    /// The name that the token stands for, without quotes; SQLite also takes text in `''` as a
    /// name.
    pub(super) fn name<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        let token = self.text(text);
        match self.kind {
            TokenKind::Word => Some(Cow::Borrowed(token)),
            TokenKind::QuotedName | TokenKind::Text => Some(unquote(token)),
            TokenKind::Number | TokenKind::Parameter | TokenKind::Semicolon | TokenKind::Symbol => {
                None
            }
        }
    }
}

fn unquote(token: &str) -> Cow<'_, str> {
    let mut characters = token.chars();
    let quote = match characters.next() {
        Some('[') => ']',
        Some(quote) => quote,
        None => return Cow::Borrowed(""),
    };
    let inner = characters.as_str();
    let inner = inner.strip_suffix(quote).unwrap_or(inner);
    let twice = [quote, quote].iter().collect::<String>();
    if quote == ']' || !inner.contains(&twice) {
        return Cow::Borrowed(inner);
    }
    Cow::Owned(inner.replace(&twice, &quote.to_string()))
}

fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == b'\x0b'
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        tokens(text).map(|token| token.text(text)).collect()
    }

    #[test]
    fn tokens_are_sqlites() {
        assert_eq!(texts("a--x;\n/* ; */b/*"), ["a", "b"]);
        assert_eq!(
            texts("'it''s' \"a\"\"b\" [c d] `e` x'00'"),
            ["'it''s'", "\"a\"\"b\"", "[c d]", "`e`", "x'00'"]
        );
        assert_eq!(texts("1e-5+.5 0x1F 1.e3"), ["1e-5", "+", ".5", "0x1F", "1.e3"]);
        assert_eq!(
            texts("$a$b,:c,@d,?1,$p::(x/y,_z!),$é"),
            ["$a$b", ",", ":c", ",", "@d", ",", "?1", ",", "$p::(x/y,_z!)", ",", "$é"]
        );
        assert_eq!(texts("'open; --"), ["'open; --"]);
    }

    #[test]
    fn names_lose_their_quotes() {
        let names = |text: &str| -> Vec<String> {
            tokens(text).filter_map(|token| token.name(text)).map(Cow::into_owned).collect()
        };
        assert_eq!(names("a \"b\"\"c\" [d] `e` 'f' \"open"), ["a", "b\"c", "d", "e", "f", "open"]);
    }

    proptest! {
        #[test]
        fn any_text_has_tokens_in_order(text in any::<String>()) {
            let mut end = 0;
            for token in tokens(&text) {
                prop_assert!(token.range.start >= end && token.range.end > token.range.start);
                prop_assert!(text.get(token.range.clone()).is_some());
                end = token.range.end;
            }
        }
    }
}
