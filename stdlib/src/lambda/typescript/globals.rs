//! What modules find beside the language: the host's part of the globals that `prelude.js` defines.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use rquickjs::{Array, Ctx, Function, Object, Result, TypedArray};
use url::{Url, form_urlencoded, quirks};

use super::log::Log;

/// A function that defines the globals by what it is given: an object with the functions of the host.
pub const PRELUDE: &str = include_str!("prelude.js");

/// Defines the globals. Lines of `console` go to `log`, random numbers come from `seed`.
pub(super) fn define(context: &Ctx<'_>, log: &Rc<RefCell<Log>>, seed: u64) -> Result<()> {
    let native = Object::new(context.clone())?;
    let log = Rc::clone(log);
    let write = move |level: String, text: String| log.borrow_mut().add(&level, &text);
    native.set("log", Function::new(context.clone(), write)?)?;
    let state = Cell::new(seed);
    native.set("random", Function::new(context.clone(), move || random(&state))?)?;
    native.set("encode", Function::new(context.clone(), encode)?)?;
    native.set("decode", Function::new(context.clone(), decode)?)?;
    native.set("parseQuery", Function::new(context.clone(), parse_query)?)?;
    native.set("formatQuery", Function::new(context.clone(), format_query)?)?;
    native.set("parseUrl", Function::new(context.clone(), parse_url)?)?;
    native.set("urlPart", Function::new(context.clone(), url_part)?)?;
    native.set("setUrlPart", Function::new(context.clone(), set_url_part)?)?;
    let prelude: Function<'_> = context.eval(PRELUDE)?;
    prelude.call((native,))
}

/// The next number of the sequence SplitMix64, in `[0, 1)`.
fn random(state: &Cell<u64>) -> f64 {
    let next = state.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
    state.set(next);
    let mut mixed = next;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    #[expect(clippy::cast_precision_loss, reason = "a double has all 53 bits that are left")]
    let whole = (mixed >> 11) as f64;
    whole / 9_007_199_254_740_992.0
}

fn encode(context: Ctx<'_>, text: String) -> Result<TypedArray<'_, u8>> {
    TypedArray::new(context, text.into_bytes())
}

/// The text, or nothing when it has to be UTF-8 and is not.
fn decode(bytes: Vec<u8>, is_fatal: bool) -> Option<String> {
    match String::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(_) if is_fatal => None,
        Err(error) => Some(String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }
}

fn parse_query(query: String) -> Vec<Vec<String>> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    pairs.map(|(name, value)| vec![name.into_owned(), value.into_owned()]).collect()
}

fn format_query(pairs: Vec<Array<'_>>) -> Result<String> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for pair in pairs {
        query.append_pair(&pair.get::<String>(0)?, &pair.get::<String>(1)?);
    }
    Ok(query.finish())
}

fn parse_url(text: String, base: Option<String>) -> Option<String> {
    let url = match base {
        Some(base) => Url::parse(&base).ok()?.join(&text),
        None => Url::parse(&text),
    };
    url.ok().map(String::from)
}

fn url_part(href: String, part: String) -> Option<String> {
    let url = Url::parse(&href).ok()?;
    let text = match part.as_str() {
        "hash" => quirks::hash(&url),
        "host" => quirks::host(&url),
        "hostname" => quirks::hostname(&url),
        "href" => quirks::href(&url),
        "password" => quirks::password(&url),
        "pathname" => quirks::pathname(&url),
        "port" => quirks::port(&url),
        "protocol" => quirks::protocol(&url),
        "search" => quirks::search(&url),
        "username" => quirks::username(&url),
        "origin" => return Some(quirks::origin(&url)),
        _ => return None,
    };
    Some(text.to_owned())
}

/// The URL with another part; nothing when that is none.
fn set_url_part(href: String, part: String, value: String) -> Option<String> {
    let mut url = Url::parse(&href).ok()?;
    let done = match part.as_str() {
        "hash" => {
            quirks::set_hash(&mut url, &value);
            Ok(())
        }
        "host" => quirks::set_host(&mut url, &value),
        "hostname" => quirks::set_hostname(&mut url, &value),
        "href" => quirks::set_href(&mut url, &value).map_err(drop),
        "password" => quirks::set_password(&mut url, &value),
        "pathname" => {
            quirks::set_pathname(&mut url, &value);
            Ok(())
        }
        "port" => quirks::set_port(&mut url, &value),
        "protocol" => quirks::set_protocol(&mut url, &value),
        "search" => {
            quirks::set_search(&mut url, &value);
            Ok(())
        }
        "username" => quirks::set_username(&mut url, &value),
        _ => Err(()),
    };
    done.ok().map(|()| url.into())
}
