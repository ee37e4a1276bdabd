//! What functions of times give.
//!
//! A time of a document is taken to be of the year 10 or later, so that a zone or the few days that a modifier takes away do not lead
//! before the year 0, whose dates have another form.

use sqlparser::ast::{Expr, Value};

use super::domain::{Domain, Integers, Reals, Texts};
use super::texts::constants;

/// Seconds since 1970 of a time well after the year 10.
const SECONDS_LEAST: f64 = -60_000_000_000.0;
/// Seconds since 1970 of the last second of the year 9999.
const SECONDS_MOST: f64 = 253_402_300_799.0;
/// Each takes away a year at most.
const MODIFIERS_MAX: usize = 8;
/// The greatest number of days and smaller units that a modifier may move a time by.
const MOVED_MAX: f64 = 31.0;

/// A moment of time that a function is given.
#[derive(Debug, Clone, Copy)]
struct Moment {
    /// Whether there may be none.
    null: bool,
    /// Whether its year surely has four digits.
    is_of_calendar: bool,
}

/// `date`, `time`, `datetime` and `strftime`.
pub(super) fn domain(name: &str, values: &[Domain], arguments: &[&Expr]) -> Domain {
    if name == "strftime" {
        let (Some((format, values)), Some((_, arguments))) =
            (values.split_first(), arguments.split_first())
        else {
            return Domain::null();
        };
        return formatted(format, moment(values, arguments));
    }
    let moment = moment(values, arguments);
    let texts = match name {
        "date" if moment.is_of_calendar => Texts::of_format("date").with_length(10),
        "date" => Texts { min_length: 10, max_length: Some(11), ..Texts::plain() },
        "time" => Texts { min_length: 8, max_length: Some(12), ..Texts::plain() },
        _ => Texts { min_length: 19, max_length: Some(24), ..Texts::plain() },
    };
    Domain::text(texts).or_null(moment.null)
}

fn moment(values: &[Domain], arguments: &[&Expr]) -> Moment {
    let unknown = Moment { null: true, is_of_calendar: false };
    let Some((value, _)) = values.split_first() else {
        return Moment { null: false, is_of_calendar: true };
    };
    let modifiers = arguments.get(1..).unwrap_or_default();
    let Some(modifiers) = modifiers.iter().map(|it| literal(it)).collect::<Option<Vec<String>>>()
    else {
        return unknown;
    };
    let (found, moving) = match modifiers.split_first() {
        Some((first, rest)) if first == "unixepoch" => (of_seconds(value), rest),
        _ => (of_text(value), modifiers.as_slice()),
    };
    if moving.len() > MODIFIERS_MAX || !moving.iter().all(|it| is_small(it)) {
        return unknown;
    }
    // A time may be moved beyond the year 9999.
    Moment { null: found.null || !moving.is_empty(), ..found }
}

/// A text of the statement in lower case.
fn literal(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text.to_ascii_lowercase()),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a modifier takes away a year at most.
fn is_small(modifier: &str) -> bool {
    let words: Vec<&str> = modifier.split(' ').collect();
    match words.as_slice() {
        ["start", "of", "day" | "month" | "year"] | ["subsec" | "subsecond"] => true,
        ["weekday", day] => day.len() == 1 && day.parse::<u8>().is_ok_and(|day| day < 7),
        [number, unit] => {
            let unit = unit.strip_suffix('s').unwrap_or(unit);
            let digits = number.strip_prefix(['+', '-']).unwrap_or(number);
            digits.len() <= 4
                && !digits.is_empty()
                && digits.bytes().all(|it| it.is_ascii_digit())
                && (matches!(unit, "second" | "minute")
                    || matches!(unit, "hour" | "day")
                        && digits.parse::<f64>().is_ok_and(|it| it <= MOVED_MAX))
        }
        _ => false,
    }
}

/// A date or time as documents have it. A leap second and a small `t` are not understood by SQLite.
fn of_text(value: &Domain) -> Moment {
    let is_text = value.integer.is_none() && value.real.is_none() && !value.blob;
    let format = value.text.as_ref().filter(|_| is_text).and_then(|it| it.format.as_deref());
    let is_now =
        || constants(value).is_some_and(|mut all| all.all(|it| it.eq_ignore_ascii_case("now")));
    match format {
        Some("date") => Moment { null: value.null, is_of_calendar: true },
        Some("date-time" | "datetime") => Moment { null: true, is_of_calendar: true },
        _ if !value.null && is_now() => Moment { null: false, is_of_calendar: true },
        _ => Moment { null: true, is_of_calendar: false },
    }
}

fn of_seconds(value: &Domain) -> Moment {
    let reals = [value.integer.map(Integers::to_reals), value.real].into_iter().flatten();
    let Some(reals) = reals.reduce(Reals::union).filter(|_| value.is_numeric()) else {
        return Moment { null: true, is_of_calendar: false };
    };
    Moment {
        null: value.null || reals.least < SECONDS_LEAST || reals.most > SECONDS_MOST,
        is_of_calendar: reals.least >= SECONDS_LEAST,
    }
}

fn formatted(format: &Domain, moment: Moment) -> Domain {
    let unknown = Domain::text(Texts::any()).or_null(true);
    let Some(formats) = constants(format) else { return unknown };
    let mut found = Domain::none();
    for format in formats {
        let Some(made) = made(format, moment.is_of_calendar) else { return unknown };
        found = found.union(Domain::text(made));
    }
    found.or_null(format.null || moment.null)
}

/// What a format makes of a time; nothing when it has what not every SQLite knows.
fn made(format: &str, is_of_calendar: bool) -> Option<Texts> {
    const KNOWN: &str = "dfHjJmMsSwWY%";
    let mut rest = format.chars();
    let (mut first, mut last) = (None, None);
    while let Some(character) = rest.next() {
        let letter = match character {
            '%' => rest.next()?,
            _ => character,
        };
        if character == '%' && !KNOWN.contains(letter) {
            return None;
        }
        // What stands for a part of the time begins and ends with a digit, or is a sign before one.
        let edge = if character == '%' { '0' } else { letter };
        first = first.or(Some(edge));
        last = Some(edge);
    }
    let is_edge =
        |edge: Option<char>, brackets: [char; 2]| edge.is_some_and(|edge| brackets.contains(&edge));
    let plain = Texts {
        opens: is_edge(first, ['[', '{']),
        closes: is_edge(last, [']', '}']),
        ..Texts::any()
    };
    Some(match format {
        _ if !is_of_calendar => plain,
        "%Y-%m-%d" => Texts::of_format("date").with_length(10),
        "%Y-%m-%dT%H:%M:%SZ" | "%Y-%m-%dT%H:%M:%fZ" => {
            let length = if format.contains("%f") { 24 } else { 20 };
            Texts::of_format("date-time").with_length(length)
        }
        _ => plain,
    })
}
