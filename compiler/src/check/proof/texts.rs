//! What functions of texts give: whether a result may begin and end as an array or object of JSON does, above all.

use std::sync::Arc;

use super::domain::{Domain, Texts};
use super::operators;

/// The one integer that a value is.
fn integer(value: Option<&Domain>) -> Option<i64> {
    let value = value?;
    let integer = value.integer.filter(|it| it.least == it.most)?;
    let is_single = !value.null && value.real.is_none() && value.text.is_none() && !value.blob;
    is_single.then_some(integer.least)
}

/// All the texts that a value may be, when it is nothing else.
pub(super) fn constants(value: &Domain) -> Option<impl Iterator<Item = &Arc<str>>> {
    let is_text = value.integer.is_none() && value.real.is_none() && !value.blob;
    let constants = value.text.as_ref()?.constants.as_ref()?;
    is_text.then(|| constants.iter())
}

/// Texts whose letters are changed, each to one letter.
pub(super) fn letters(texts: Texts) -> Domain {
    Domain::text(Texts { constants: None, ..texts })
}

/// A part of a text: `substr(value, start, length)`.
pub(super) fn substring(values: &[Domain]) -> Domain {
    const DATE: usize = "2024-01-31".len();
    let Some(value) = values.first() else { return Domain::none() };
    let start = integer(values.get(1));
    let length = integer(values.get(2)).and_then(|it| u64::try_from(it).ok());
    let has_date = value.integer.is_none() && value.real.is_none() && !value.blob;
    let format = value.text.as_ref().and_then(|texts| texts.format.as_deref());
    if let (true, Some("date" | "date-time" | "datetime"), Some(1), Some(10)) =
        (has_date, format, start, length)
    {
        return Domain::text(Texts::of_format("date").with_length(DATE));
    }
    let text = operators::as_text(value).map_or_else(Domain::none, |texts| {
        let is_begin = start == Some(1);
        let is_rest = is_begin && values.len() == 2;
        let may_hold_brackets = !format.is_some_and(Texts::is_without_brackets);
        let most = [texts.max_length, length].into_iter().flatten().min();
        Domain::text(Texts {
            opens: may_hold_brackets && (texts.opens || !is_begin),
            closes: may_hold_brackets && (texts.closes || !is_rest),
            min_length: match length {
                _ if is_rest => texts.min_length,
                Some(length) if is_begin => length.min(texts.min_length),
                _ => 0,
            },
            max_length: most,
            ..Texts::any()
        })
    });
    if value.blob { text.union(Domain::blob()) } else { text }
}

/// `replace(value, from, to)`: every character is one of the text or of what is put in.
pub(super) fn replaced(values: &[Domain]) -> Domain {
    let [value, _, to] = values else { return Domain::text(Texts::any()) };
    let (Some(value), Some(to)) = (operators::as_text(value), operators::as_text(to)) else {
        return Domain::none();
    };
    let is_removed = to.min_length == 0;
    Domain::text(Texts {
        opens: value.opens || to.opens || is_removed,
        closes: value.closes || to.closes || is_removed,
        ..Texts::any()
    })
}

/// The values of rows, one behind another.
pub(super) fn joined(values: &[Domain]) -> Domain {
    let comma = Domain::constant(",");
    let (Some(value), separator) = (values.first(), values.get(1).unwrap_or(&comma)) else {
        return Domain::none();
    };
    let Some(value) = operators::as_text(value) else { return Domain::none() };
    let separator = operators::as_text(separator);
    let opens = separator.as_ref().is_some_and(|it| it.opens);
    let closes = separator.as_ref().is_some_and(|it| it.closes);
    let is_empty = value.min_length == 0;
    Domain::text(Texts {
        opens: value.opens || is_empty && opens,
        closes: value.closes || is_empty && closes,
        min_length: value.min_length,
        ..Texts::any()
    })
}

/// `format(format, …)`.
pub(super) fn formatted(values: &[Domain]) -> Domain {
    let unknown = || Domain::text(Texts::any()).or_null(true);
    let Some(format) = values.first() else { return Domain::null() };
    let Some(formats) = constants(format) else { return unknown() };
    let all = formats.map(|it| if it.is_empty() { unknown() } else { Domain::text(filled(it)) });
    all.fold(Domain::none(), Domain::union).or_null(format.null)
}

/// A part of what a format makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Character(char),
    /// Digits with what belongs to a number, and spaces around them.
    Number,
    Unknown,
}

/// What a format makes of whatever it is given.
fn filled(format: &str) -> Texts {
    let pieces = pieces(format);
    let may_be = |piece: Option<&Piece>, brackets: [char; 2]| match piece {
        Some(Piece::Character(character)) => brackets.contains(character),
        Some(Piece::Number) => false,
        Some(Piece::Unknown) | None => true,
    };
    let characters = pieces.iter().take_while(|it| **it != Piece::Unknown);
    let characters = characters.filter(|it| matches!(it, Piece::Character(_))).count();
    Texts {
        opens: may_be(pieces.first(), ['[', '{']),
        closes: may_be(pieces.last(), [']', '}']),
        min_length: characters as u64,
        ..Texts::any()
    }
}

fn pieces(format: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = format.chars();
    while let Some(character) = rest.next() {
        if character != '%' {
            pieces.push(Piece::Character(character));
            continue;
        }
        let mut between = rest.by_ref().skip_while(|it| "-+ !0#,123456789.*l".contains(*it));
        match between.next() {
            Some('%') => pieces.push(Piece::Character('%')),
            Some('d' | 'i' | 'u' | 'f' | 'e' | 'E' | 'g' | 'G' | 'x' | 'X' | 'o') => {
                pieces.push(Piece::Number);
            }
            Some('s' | 'z' | 'c' | 'q' | 'Q' | 'w' | 'n' | 'p') => pieces.push(Piece::Unknown),
            // SQLite stops here.
            _ => {
                pieces.push(Piece::Unknown);
                return pieces;
            }
        }
    }
    pieces
}
