//! The formats of strings. All of them are enforced; anything but a string passes.

use core::net::{Ipv4Addr, Ipv6Addr};

use jsonschema::Validator;
use serde_json::{Value, json};

/// Tests a string against one format.
type Check = fn(&str) -> bool;

/// Formats that the validator knows by itself; `datetime` is rewritten to `date-time`.
const BUILT_IN: [&str; 13] = [
    "date",
    "datetime",
    "date-time",
    "time",
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
pub(super) const OWN: [(&str, Check); 14] = [
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
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
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
