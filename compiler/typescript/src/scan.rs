//! How deep a text may be nested, told before it is parsed: the parser recurses, and nothing can be done once the stack is used up.

/// An upper bound, close to the truth, of the nesting of a text: brackets, and operators in a row.
pub(crate) fn depth(text: &str) -> usize {
    let mut scan =
        Scan { bytes: text.as_bytes(), at: 0, open: Vec::new(), row: 0, depth: 0, is_value: false };
    while scan.at < scan.bytes.len() {
        scan.step();
        scan.depth = scan.depth.max(scan.open.len() + scan.row);
    }
    scan.depth
}

struct Scan<'t> {
    bytes: &'t [u8],
    at: usize,
    /// Brackets and templates around.
    open: Vec<Open>,
    /// Words and signs since something ended.
    row: usize,
    depth: usize,
    /// Whether a value ends here, so that `/` divides.
    is_value: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Bracket,
    /// `${` inside a template.
    Template,
}

impl Scan<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or_default()
    }

    fn step(&mut self) {
        match self.peek(0) {
            b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
            b'/' if self.peek(1) == b'/' => self.skip_until(|scan| scan.peek(0) == b'\n'),
            b'/' if self.peek(1) == b'*' => {
                self.at += 2;
                self.skip_until(|scan| scan.peek(0) == b'*' && scan.peek(1) == b'/');
                self.at += 2;
            }
            b'/' if !self.is_value => self.regular_expression(),
            quote @ (b'"' | b'\'') => self.string(quote),
            b'`' => {
                self.at += 1;
                self.template();
            }
            b'(' | b'[' | b'{' => self.open(),
            b')' | b']' | b'}' => self.close(),
            b';' | b',' => {
                self.at += 1;
                self.row = 0;
                self.is_value = false;
            }
            byte if is_of_word(byte) => self.word(),
            _ => {
                self.at += 1;
                self.row += 1;
                self.is_value = false;
            }
        }
    }

    fn open(&mut self) {
        self.at += 1;
        self.open.push(Open::Bracket);
        self.is_value = false;
    }

    fn close(&mut self) {
        let is_brace = self.peek(0) == b'}';
        self.at += 1;
        let closed = self.open.pop();
        if is_brace && closed == Some(Open::Template) {
            return self.template();
        }
        if is_brace {
            self.row = 0;
        }
        // After a block a regular expression may follow, after other brackets rarely.
        self.is_value = !is_brace;
    }

    fn word(&mut self) {
        let start = self.at;
        self.skip_until(|scan| !is_of_word(scan.peek(0)));
        let word = self.bytes.get(start..self.at).unwrap_or_default();
        let begins: [&[u8]; 12] = [
            b"const",
            b"let",
            b"var",
            b"function",
            b"class",
            b"return",
            b"export",
            b"import",
            b"type",
            b"interface",
            b"async",
            b"throw",
        ];
        let before = self.bytes.get(..start).unwrap_or_default();
        let is_first = before.iter().rev().find(|byte| !matches!(**byte, b' ' | b'\t'));
        if begins.contains(&word) && is_first.is_none_or(|byte| matches!(*byte, b'\n' | b'\r')) {
            self.row = 0;
        }
        self.row += 1;
        let before_values: [&[u8]; 5] = [b"return", b"typeof", b"case", b"in", b"of"];
        self.is_value = !before_values.contains(&word);
    }

    fn string(&mut self, quote: u8) {
        self.at += 1;
        self.skip_until(|scan| scan.peek(0) == quote || scan.peek(0) == b'\n');
        self.at += 1;
        self.is_value = true;
    }

    /// The text of a template up to its end, or up to the next expression in it.
    fn template(&mut self) {
        self.skip_until(|scan| {
            scan.peek(0) == b'`' || scan.peek(0) == b'$' && scan.peek(1) == b'{'
        });
        if self.peek(0) == b'$' {
            self.at += 1;
            self.open.push(Open::Template);
        }
        self.at += 1;
        self.is_value = self.open.last() != Some(&Open::Template);
    }

    fn regular_expression(&mut self) {
        self.at += 1;
        let mut is_in_class = false;
        self.skip_until(|scan| {
            let byte = scan.peek(0);
            is_in_class = byte == b'[' || is_in_class && byte != b']';
            byte == b'\n' || byte == b'/' && !is_in_class
        });
        self.at += 1;
        self.is_value = true;
    }

    /// Goes on until something is there; what is escaped does not count.
    fn skip_until(&mut self, mut is_there: impl FnMut(&Self) -> bool) {
        while self.at < self.bytes.len() && !is_there(self) {
            self.at += if self.peek(0) == b'\\' { 2 } else { 1 };
        }
    }
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'#' | b'@') || byte >= 0x80
}
