//! `check --fetch`: the only code that asks the network for what a catalog refers to.
//!
//! A catalog is text of others, so what it may make this machine ask is narrow: `https` and public addresses, unless
//! `[fetch] allow` of `tidegate.toml` says otherwise, at most five redirects under the same rules, 16 MiB and 10 seconds
//! for a resource. Proxies are not asked.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tidegate_compiler::limits::SOURCE_SIZE_BYTES_MAX;
use tidegate_compiler::session::Session;
use tidegate_compiler::source::Sources;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use url::Url;

use crate::disk::Disk;
use crate::exit::{Stop, io_words};
use crate::lock::{HasChanged, LockFile};
use crate::report::plural;
use crate::source::request;
use crate::terminal::Terminal;

const REDIRECTS_MAX: usize = 5;
const TIME_MAX: Duration = Duration::from_secs(10);

/// Fetches what a catalog refers to on the network and what is not in the cache, and writes the lock file.
pub(crate) fn fill(catalog: &Path, terminal: &Terminal) -> Result<(), Stop> {
    let (request, _) = request(catalog)?;
    let root = request.root.to_file_path().expect("a root is a directory of this disk");
    let mut lock = LockFile::open(&root)?;
    let mut session = Session::default();
    let mut tried = BTreeSet::new();
    let mut failures = Vec::new();
    // What is fetched may refer to more.
    let compilation = loop {
        let compilation = session.analyze(&Disk, &request);
        let mut wanted = absent(&compilation.sources);
        wanted.retain(|url| tried.insert(url.clone()));
        if wanted.is_empty() {
            break compilation;
        }
        let fetcher = Fetcher::new(compilation.settings.fetch_allowed);
        for url in wanted {
            match fetch(&fetcher, &url, &mut lock)? {
                Ok(()) => terminal.note(&format!("  Fetched {url}")),
                Err(failure) => failures.push(failure),
            }
        }
        lock.write()?;
    };
    let is_whole = compilation.sources.files().all(|(_, file)| file.is_whole());
    // Another catalog file of the project may use what this one does not.
    let names = ["flow.yaml", "flow.json"].map(|name| request.root.join(name).ok());
    if failures.is_empty() && is_whole && names.contains(&Some(request.entry)) {
        let used = remote(&compilation.sources).map(|(url, _)| url.as_str());
        let used: BTreeSet<&str> = used.collect();
        let gone = lock.keep(|url| used.contains(url));
        if gone > 0 {
            let resources = plural(gone, "resource");
            terminal.note(&format!("  Removed {resources} that nothing refers to"));
        }
        lock.write()?;
    }
    report(failures, terminal)
}

/// Fetches one resource. The inner error says why there is none.
fn fetch(fetcher: &Fetcher, url: &Url, lock: &mut LockFile) -> Result<Result<(), Stop>, Stop> {
    let content = match fetcher.get(url) {
        Ok(content) => content,
        Err(words) => return Ok(Err(Stop::environment(format!("cannot fetch `{url}`: {words}")))),
    };
    Ok(lock.take(url.as_str(), &content)?.map_err(|HasChanged| {
        Stop::environment(format!("`{url}` has changed since it was locked"))
            .help("remove its line from `tidegate.lock` to take the new content")
    }))
}

/// The last failure ends the command, those before it are only said.
fn report(mut failures: Vec<Stop>, terminal: &Terminal) -> Result<(), Stop> {
    let Some(last) = failures.pop() else { return Ok(()) };
    failures.iter().for_each(|failure| terminal.stop(failure));
    Err(last)
}

fn remote(sources: &Sources) -> impl Iterator<Item = (&Url, bool)> {
    let files = sources.files().map(|(_, file)| (&file.url, file.is_present));
    files.filter(|(url, _)| matches!(url.scheme(), "http" | "https"))
}

fn absent(sources: &Sources) -> Vec<Url> {
    remote(sources).filter(|(_, is_present)| !is_present).map(|(url, _)| url.clone()).collect()
}

/// Asks the network, as far as that is allowed.
struct Fetcher {
    agent: ureq::Agent,
    allowed: Arc<Allowed>,
}

impl Fetcher {
    fn new(allowed: Vec<String>) -> Self {
        let allowed = Arc::new(Allowed(allowed));
        let config = Config::builder()
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("tidegate/", env!("CARGO_PKG_VERSION")))
            .build();
        let resolver = Gate { allowed: Arc::clone(&allowed), inner: DefaultResolver::default() };
        let agent = ureq::Agent::with_parts(config, DefaultConnector::default(), resolver);
        Self { agent, allowed }
    }

    /// The content of a URL, or why there is none in plain words.
    fn get(&self, url: &Url) -> Result<Vec<u8>, String> {
        let deadline = Instant::now() + TIME_MAX;
        let mut url = url.clone();
        for _ in 0..=REDIRECTS_MAX {
            if url.scheme() != "https" && !self.allowed.names(&url) {
                let words = format!("`{url}` is not `https`, and `[fetch] allow` does not name it");
                return Err(words);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            // A time of zero would be none at all.
            let left = left.max(Duration::from_millis(1));
            let asked = self.agent.get(url.as_str()).config().timeout_global(Some(left)).build();
            let mut answer = asked.call().map_err(|error| words(&error))?;
            let status = answer.status();
            if status.is_redirection() {
                let place = answer.headers().get("location").and_then(|it| it.to_str().ok());
                let next = place.and_then(|place| url.join(place).ok());
                url = next.ok_or_else(|| "the server leads to nowhere".to_owned())?;
                continue;
            }
            if !status.is_success() {
                return Err(format!("the server answers `{status}`"));
            }
            let body = answer.body_mut().with_config().limit(SOURCE_SIZE_BYTES_MAX as u64);
            return body.read_to_vec().map_err(|error| words(&error));
        }
        Err(format!("the server leads on more than {REDIRECTS_MAX} times"))
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library words what its configuration here makes rare, and may add to it"
)]
fn words(error: &ureq::Error) -> String {
    match error {
        ureq::Error::HostNotFound => "there is no such host".to_owned(),
        ureq::Error::Timeout(_) => format!("there is no answer within {} s", TIME_MAX.as_secs()),
        ureq::Error::BodyExceedsLimit(_) => {
            format!("it is larger than {} MiB", SOURCE_SIZE_BYTES_MAX / 1024 / 1024)
        }
        ureq::Error::Io(error) => io_words(error),
        ureq::Error::ConnectionFailed => "the host does not answer".to_owned(),
        ureq::Error::Rustls(error) => format!("the connection is not safe: {error}"),
        other => format!("the answer cannot be read: {other}"),
    }
}

/// What `[fetch] allow` names.
#[derive(Debug)]
struct Allowed(Vec<String>);

impl Allowed {
    /// Whether a URL begins with one of the prefixes, up to the end of a part of it.
    fn names(&self, url: &Url) -> bool {
        self.0.iter().any(|prefix| {
            let rest = url.as_str().strip_prefix(prefix.as_str());
            let is_url = prefix.contains("://");
            is_url
                && rest.is_some_and(|rest| {
                    prefix.ends_with('/') || rest.is_empty() || rest.starts_with(['/', '?'])
                })
        })
    }

    /// Whether an address, or the host that has it, is named.
    fn has(&self, host: &str, address: IpAddr) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        self.0.iter().any(|entry| entry == host || entry.parse() == Ok(address))
    }
}

/// Finds addresses, and lets only public ones through, and those that are allowed.
#[derive(Debug)]
struct Gate {
    allowed: Arc<Allowed>,
    inner: DefaultResolver,
}

impl Resolver for Gate {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        let is_named = Url::parse(&uri.to_string()).is_ok_and(|url| self.allowed.names(&url));
        let host = uri.host().unwrap_or_default();
        let mut let_through = self.empty();
        for address in found.iter() {
            if is_named || is_public(address.ip()) || self.allowed.has(host, address.ip()) {
                let_through.push(*address);
            }
        }
        if let_through.is_empty() {
            let message = "its address is not public, and `[fetch] allow` does not name it";
            return Err(ureq::Error::Io(std::io::Error::other(message)));
        }
        Ok(let_through)
    }
}

/// Whether an address is one of the Internet, and not of this machine or the networks around it.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let is_shared = first == 100 && (64..128).contains(&second);
    let is_special = first == 0 || first >= 240 || (first, second, third) == (192, 0, 0);
    let is_measuring = first == 198 && (second == 18 || second == 19);
    !(address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || is_shared
        || is_special
        || is_measuring)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = address.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    let segments = address.segments();
    let [first, second, ..] = segments;
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match (first, second, segments) {
        // Translated addresses, and 6to4, stand for one of the fourth version.
        (0x64, 0xff9b, [.., high, low]) => is_public_v4(embedded(high, low)),
        (0x2002, _, [_, high, low, ..]) => is_public_v4(embedded(high, low)),
        // Only 2000::/3 is given out.
        _ => first & 0xe000 == 0x2000,
    }
}
