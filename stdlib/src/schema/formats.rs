//! The formats of strings. All of them are enforced; anything but a string passes.

use core::net::{Ipv4Addr, Ipv6Addr};

use jsonschema::Validator;
use serde_json::{Value, json};

/// Tests a string against one format.
type Check = fn(&str) -> bool;

/// Formats that the validator knows by itself; `datetime` is rewritten to `date-time`.
const BUILT_IN: [&str; 10] = [
    "datetime",
    "hostname",
    "duration",
    "uri",
    "iri",
    "uri-reference",
    "iri-reference",
    "uri-template",
    "json-pointer",
    "relative-json-pointer",
];

/// Formats of ours.
pub(super) const OWN: [(&str, Check); 17] = [
    ("date", is_date),
    ("date-time", is_date_time),
    ("time", is_time),
    ("email", is_email),
    ("idn-email", never),
    ("idn-hostname", never),
    ("ipv4", |text| text.parse::<Ipv4Addr>().is_ok()),
    ("ipv6", |text| text.parse::<Ipv6Addr>().is_ok()),
    ("macaddr", |text| is_mac(text, 6)),
    ("macaddr8", |text| is_mac(text, 8)),
    ("uuid", is_uuid),
    ("integer", is_integer),
    ("uint32", is_integer),
    ("uint64", is_integer),
    ("number", is_number),
    ("sha256", is_sha256),
    ("regex", |text| regex::Regex::new(text).is_ok()),
];

/// A format that strings are tested against.
#[derive(Debug)]
pub(super) enum Format {
    Own(Check),
    /// One that the validator knows by itself.
    BuiltIn(Box<Validator>),
}

impl Format {
    /// The format of a name of the dialect.
    pub(super) fn named(name: &str) -> Option<Self> {
        if let Some((_, check)) = OWN.into_iter().find(|(own, _)| *own == name) {
            return Some(Self::Own(check));
        }
        let validator = super::options().build(&json!({"format": name})).ok()?;
        Some(Self::BuiltIn(Box::new(validator)))
    }

    /// Whether `text` is of the format.
    pub(super) fn admits(&self, text: &str) -> bool {
        match self {
            Self::Own(check) => check(text),
            Self::BuiltIn(validator) => validator.is_valid(&Value::from(text)),
        }
    }
}

/// Whether `format` is a format of the dialect.
pub(super) fn is_known(format: &str) -> bool {
    names().any(|name| name == format)
}

/// The names of all formats.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.into_iter().chain(OWN.into_iter().map(|(name, _)| name))
}

/// Dates of the calendar, as RFC 3339 writes them.
fn is_date(text: &str) -> bool {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else { return false };
    let (Some(century), Some(year)) = (two_digits(*y1, *y2), two_digits(*y3, *y4)) else {
        return false;
    };
    let (Some(month), Some(day)) = (two_digits(*m1, *m2), two_digits(*d1, *d2)) else {
        return false;
    };
    let is_leap = || {
        let year = century * 100 + year;
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    };
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(is_leap()),
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// Times with their offset; a leap second is the last one of a day in UTC.
fn is_time(text: &str) -> bool {
    let [h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] = text.as_bytes() else { return false };
    let parts = (two_digits(*h1, *h2), two_digits(*m1, *m2), two_digits(*s1, *s2));
    let (Some(hour @ 0..24), Some(minute @ 0..60), Some(second @ 0..=60)) = parts else {
        return false;
    };
    let offset = match rest.strip_prefix(b".") {
        Some(fraction) => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                return false;
            }
            fraction.get(digits..).unwrap_or_default()
        }
        None => rest,
    };
    let minutes_of_day = 24 * 60;
    let offset = match offset {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (Some(hours @ 0..24), Some(minutes @ 0..60)) =
                (two_digits(*h1, *h2), two_digits(*m1, *m2))
            else {
                return false;
            };
            let offset = hours * 60 + minutes;
            // Modulo a day, which a time in UTC is.
            if *sign == b'+' { minutes_of_day - offset } else { offset }
        }
        _ => return false,
    };
    let in_utc = (hour * 60 + minute + offset) % minutes_of_day;
    second < 60 || in_utc == minutes_of_day - 1
}

/// A date and a time with a `T` between them.
fn is_date_time(text: &str) -> bool {
    matches!(text.as_bytes().get(10), Some(b'T' | b't'))
        && text.get(..10).is_some_and(is_date)
        && text.get(11..).is_some_and(is_time)
}

fn two_digits(tens: u8, ones: u8) -> Option<u32> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
    Some(digit(tens)? * 10 + digit(ones)?)
}

/// Strings that stand for whole numbers: `12`, `+5`, `012`, `1234.00`, `1e3`.
pub(crate) fn is_integer(text: &str) -> bool {
    let Some((mantissa, _)) = split_exponent(unsigned(text)) else { return false };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    is_digits(whole) && !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0')
}

/// Strings that stand for numbers: decimals with or without exponent, `NaN`, `Infinity`,
/// `-Infinity`.
pub(crate) fn is_number(text: &str) -> bool {
    if matches!(text, "NaN" | "Infinity" | "-Infinity") {
        return true;
    }
    let Some((mantissa, _)) = split_exponent(unsigned(text)) else { return false };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty())
}

/// The text without its sign.
fn unsigned(text: &str) -> &str {
    text.strip_prefix(['+', '-']).unwrap_or(text)
}

/// Mantissa and exponent; `None` when the exponent is malformed.
fn split_exponent(text: &str) -> Option<(&str, &str)> {
    match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => is_digits(unsigned(exponent)).then_some((mantissa, exponent)),
        None => Some((text, "")),
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Addresses whose local part may have letters of any script.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let quoted = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let local_is_sound = match quoted {
        Some(inner) => !inner.contains(['"', '\\']) && !inner.contains(char::is_control),
        None => local.split('.').all(|part| {
            let refused = |symbol: char| {
                symbol.is_control() || symbol.is_whitespace() || "()<>[]:;,@\\\"".contains(symbol)
            };
            !part.is_empty() && !part.contains(refused)
        }),
    };
    let address = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let domain_is_sound = match address {
        Some(address) => match address.strip_prefix("IPv6:") {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => address.parse::<Ipv4Addr>().is_ok(),
        },
        None => domain.len() <= 253 && domain.split('.').all(is_label),
    };
    local.len() <= 64 && local_is_sound && domain_is_sound
}

/// One part of a host name.
fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_uuid(text: &str) -> bool {
    const FORM: &[u8; 36] = b"00000000-0000-0000-0000-000000000000";
    let Some(bytes) = text.as_bytes().as_array::<36>() else { return false };
    // All bytes are looked at in any case, many at once.
    FORM.iter().zip(bytes).fold(true, |fits, (form, byte)| {
        fits & if *form == b'-' { *byte == b'-' } else { byte.is_ascii_hexdigit() }
    })
}

/// Pairs of hexadecimal digits with one kind of separator.
fn is_mac(text: &str, octets: usize) -> bool {
    [':', '-'].into_iter().any(|separator| {
        let mut parts = 0;
        text.split(separator).all(|part| {
            parts += 1;
            part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit())
        }) && parts == octets
    })
}

fn is_sha256(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|digest| {
        digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// Internationalised names are parsed but never valid, as in other tools of this language.
fn never(_: &str) -> bool {
    false
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use proptest::prelude::*;

    use super::*;

    /// Times and dates that are nearly right.
    fn nearly() -> impl Strategy<Value = String> {
        let date = "([0-9]{3,4}-[0-3][0-9]-[0-3][0-9])?[Tt]?";
        let time = "([0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,3})?)?";
        let offset = "(Z|z|[+-][0-2][0-9]:[0-6][0-9])?";
        (date, time, offset).prop_map(|(date, time, offset)| format!("{date}{time}{offset}"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn dates_and_times_are_those_of_the_library(
            text in nearly(),
            leap in prop_oneof![
                Just(String::new()),
                "2[0-3]:(59|29):60(Z|[+-]0[0-9]:(00|30))",
                "(19|20)(00|04|23)-02-(28|29|30)",
            ],
        ) {
            for name in ["date", "time", "date-time"] {
                let own = Format::named(name).unwrap();
                let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012);
                let library = options
                    .should_validate_formats(true)
                    .build(&json!({"format": name}))
                    .unwrap();
                let both = format!("{leap}T{leap}");
                for text in [&text, &leap, &both] {
                    let decided = library.is_valid(&Value::from(text.as_str()));
                    prop_assert_eq!(own.admits(text), decided, "{} {}", name, text);
                }
            }
        }
    }
}
