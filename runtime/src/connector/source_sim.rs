//! `tidegate/source-sim`: seeded synthetic documents for demos, tests and measurements.
//!
//! Document n of a stream is a pure function of seed, stream and n, and the state of a binding is the n it goes on with; so any two
//! runs with one seed give the same documents, however often they were interrupted. Only a `rate` looks at the clock.

use std::time::Instant;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tidegate_stdlib::bundle::{CaptureBinding, Failure, FailureKind};

use super::{Pull, Source, StateLookup, decode, state_key};

/// The endpoint's config.
#[derive(Debug, Deserialize)]
struct Config {
    scenario: Scenario,
    #[serde(default = "default_seed")]
    seed: u64,
    #[serde(default)]
    rate: f64,
    count: Option<u64>,
}

fn default_seed() -> u64 {
    42
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Scenario {
    Bank,
    Rides,
    Shop,
}

/// The resource of a binding.
#[derive(Debug, Deserialize)]
struct Resource {
    stream: Stream,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Stream {
    Transfers,
    Rides,
    Orders,
    Customers,
}

impl Stream {
    const fn scenario(self) -> Scenario {
        match self {
            Self::Transfers => Scenario::Bank,
            Self::Rides => Scenario::Rides,
            Self::Orders | Self::Customers => Scenario::Shop,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Transfers => "transfers",
            Self::Rides => "rides",
            Self::Orders => "orders",
            Self::Customers => "customers",
        }
    }

    /// Document `n` of the stream.
    fn document(self, seed: u64, n: u64) -> Value {
        let mut draw = Draw::new(seed, self, n);
        match self {
            Self::Transfers => transfer(&mut draw, n),
            Self::Rides => ride(&mut draw, n),
            Self::Orders => order(&mut draw, n),
            Self::Customers => customer(&mut draw, n),
        }
    }
}

/// Opens the source at its recorded states.
pub(super) fn open(
    config: &Value,
    bindings: &[CaptureBinding],
    state: &StateLookup<'_>,
) -> Result<Box<dyn Source>, Failure> {
    let config: Config = decode("config of the endpoint", config)?;
    let mut opened = Vec::with_capacity(bindings.len());
    for binding in bindings {
        let Resource { stream } = decode("resource of the binding", &binding.resource)?;
        if stream.scenario() != config.scenario {
            let message = format!("the scenario has no stream `{}`", stream.word());
            return Err(
                Failure::new(FailureKind::EndpointFailed, message).at(Some(binding.origin.clone()))
            );
        }
        let key = state_key(&binding.resource_path, binding.backfill);
        let next = match state(&key)? {
            None => 0,
            Some(recorded) => recorded.as_u64().ok_or_else(|| {
                let message = format!("the recorded state `{recorded}` of `{key}` is no number");
                Failure::new(FailureKind::Damaged, message)
            })?,
        };
        opened.push(Binding { key, stream, next, opened_at: next });
    }
    let Config { seed, rate, count, .. } = config;
    let count = count.unwrap_or(u64::MAX);
    Ok(Box::new(SimSource { seed, rate, count, bindings: opened, turn: 0, begin: Instant::now() }))
}

struct Binding {
    key: String,
    stream: Stream,
    next: u64,
    opened_at: u64,
}

struct SimSource {
    seed: u64,
    rate: f64,
    count: u64,
    bindings: Vec<Binding>,
    /// The binding that is looked at first by the next pull, so that all get their turn.
    turn: usize,
    begin: Instant,
}

impl Source for SimSource {
    fn pull(&mut self, documents_max: usize) -> Result<Pull, Failure> {
        let allowed = match self.rate > 0.0 {
            true => per_rate(self.rate, self.begin.elapsed().as_secs_f64()),
            false => u64::MAX,
        };
        let bindings = self.bindings.len();
        for index in (0..bindings).map(|step| (self.turn + step) % bindings) {
            let Some(binding) = self.bindings.get_mut(index) else { continue };
            let end = self.count.min(binding.opened_at.saturating_add(allowed));
            let end = end.min(binding.next.saturating_add(documents_max as u64));
            if binding.next >= end {
                continue;
            }
            let documents: Vec<(usize, Value)> = (binding.next..end)
                .map(|n| (index, binding.stream.document(self.seed, n)))
                .collect();
            binding.next = end;
            self.turn = index + 1;
            let bytes = documents.len() * binding.stream.size_bytes();
            let states = vec![(binding.key.clone(), Value::from(end))];
            return Ok(Pull::Batch { documents, states, bytes });
        }
        let drained = self.bindings.iter().all(|binding| binding.next >= self.count);
        Ok(if drained { Pull::Drained } else { Pull::Waiting })
    }
}

/// Documents that are due after some seconds.
fn per_rate(rate: f64, seconds: f64) -> u64 {
    let due = (rate * seconds).floor();
    if due >= 9e18 { u64::MAX } else { due as u64 }
}

impl Stream {
    /// About the size of a document's text.
    const fn size_bytes(self) -> usize {
        match self {
            Self::Transfers => 80,
            Self::Rides => 930,
            Self::Orders => 220,
            Self::Customers => 122,
        }
    }
}

/// Numbers drawn for one document.
#[derive(Debug)]
struct Draw {
    state: u64,
}

/// The odd number nearest to 2^64 divided by the golden ratio: its multiples are spread evenly.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Draw {
    fn new(seed: u64, stream: Stream, n: u64) -> Self {
        let stream = mix(stream.word().bytes().fold(0, |sum, byte| mix(sum ^ u64::from(byte))));
        Self { state: mix(mix(seed) ^ stream ^ n.wrapping_mul(GOLDEN)) }
    }

    fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        mix(self.state)
    }

    /// A number below `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    fn one_of<'c>(&mut self, choices: &[&'c str]) -> &'c str {
        let index = self.below(choices.len() as u64) as usize;
        choices.get(index).copied().unwrap_or_default()
    }

    /// A number with `digits` decimals in a range given in units of the last one.
    fn decimal(&mut self, from: i64, to: i64, digits: u32) -> f64 {
        let span = to.abs_diff(from);
        let units = from + self.below(span) as i64;
        units as f64 / f64::from(10_u32.pow(digits))
    }
}

/// Scatters the bits of a number: every output bit depends on every input bit.
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Accounts of the bank.
const ACCOUNTS: u64 = 100_000;

fn transfer(draw: &mut Draw, n: u64) -> Value {
    let sender = draw.below(ACCOUNTS);
    let recipient = (sender + 1 + draw.below(ACCOUNTS - 1)) % ACCOUNTS;
    json!({
        "id": n + 1,
        "sender": format!("account-{sender:06}"),
        "recipient": format!("account-{recipient:06}"),
        "amount": 1 + draw.below(1000),
    })
}

fn ride(draw: &mut Draw, n: u64) -> Value {
    let begin_second = n * 2 + draw.below(2);
    let seconds = 120 + draw.below(3_480);
    let user = draw.below(200_000);
    json!({
        "id": n + 1,
        "bike": {
            "id": 1 + draw.below(5_000),
            "model": draw.one_of(&["city", "cargo", "electric"]),
            "built": 2015 + draw.below(9),
        },
        "begin": terminus(draw, begin_second),
        "end": terminus(draw, begin_second + seconds),
        "duration_s": seconds,
        "receipt": {
            "number": format!("2024-{:010}", n + 1),
            "tariff": draw.one_of(&["by the minute", "day ticket", "subscription"]),
            "amount": draw.decimal(100, 1_500, 2),
            "currency": "USD",
        },
        "user": {
            "id": user,
            "kind": draw.one_of(&["customer", "subscriber"]),
            "birth_year": 1940 + draw.below(66),
            "gender": draw.one_of(&["diverse", "female", "male"]),
            "postal_code": format!("{:05}", 10_000 + draw.below(89_999)),
            "email": format!("user-{user:06}@riders.example.org"),
        },
    })
}

/// Where a ride begins or ends.
fn terminus(draw: &mut Draw, second: u64) -> Value {
    let station = draw.below(800);
    let street = draw.one_of(&["Harbour Street", "Market Square", "Mill Lane", "Station Road"]);
    let side = draw.one_of(&["east side", "north side", "south side", "west side"]);
    json!({
        "station": {
            "id": station,
            "name": format!("{street} {}, {side}", 1 + station),
            "district": draw.one_of(&["Docklands", "Old Town", "Riverside", "University"]),
            "address": format!("{street} {}, New Amsterdam", 1 + station),
            "docks": 12 + station % 30,
            "operator": "Municipal Bicycle Company of the City",
        },
        "position": {
            "latitude": draw.decimal(40_600_000, 40_900_000, 6),
            "longitude": draw.decimal(-74_050_000, -73_850_000, 6),
            "accuracy_m": draw.decimal(10, 90, 1),
        },
        "timestamp": time(second),
    })
}

fn order(draw: &mut Draw, n: u64) -> Value {
    let lines: Vec<Value> = (0..1 + draw.below(4))
        .map(|_| {
            json!({
                "product": draw.one_of(&["anvil", "bucket", "candle", "lantern", "rope", "spade"]),
                "quantity": 1 + draw.below(5),
                "price": draw.decimal(100, 10_000, 2),
            })
        })
        .collect();
    json!({
        "id": n + 1,
        "customer": 1 + draw.below(1_000),
        "placed_at": time(n * 30 + draw.below(30)),
        "region": draw.one_of(&["apac", "eu", "us"]),
        "status": draw.one_of(&["cancelled", "paid", "paid", "paid", "shipped", "shipped"]),
        "lines": lines,
    })
}

fn customer(draw: &mut Draw, n: u64) -> Value {
    let id = n % 1_000 + 1;
    let name = draw.one_of(&["Ada", "Alan", "Barbara", "Edsger", "Grace", "Ken"]);
    let surname = draw.one_of(&["Brook", "Field", "Hill", "Marsh", "Stone", "Wood"]);
    json!({
        "id": id,
        "name": format!("{name} {surname}"),
        "email": format!("{}.{}{id}@shop.example.org", name.to_lowercase(), surname.to_lowercase()),
        "city": draw.one_of(&["Lagos", "Lima", "Lisbon", "London", "Lyon"]),
        "updated_at": time(n * 60),
    })
}

/// The time some seconds after the beginning of 2024.
fn time(second: u64) -> String {
    let second = 1_704_067_200_i64.saturating_add_unsigned(second);
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

    use super::*;
    use tidegate_stdlib::bundle::Origin;

    fn binding(stream: &str) -> CaptureBinding {
        CaptureBinding {
            resource: json!({ "stream": stream }),
            resource_path: vec![stream.to_owned()],
            collection: stream.to_owned(),
            backfill: 0,
            origin: Origin::default(),
        }
    }

    fn open_at(config: Value, streams: &[&str], n: u64) -> Box<dyn Source> {
        let bindings: Vec<_> = streams.iter().map(|stream| binding(stream)).collect();
        open(&config, &bindings, &|_| Ok((n > 0).then(|| Value::from(n)))).unwrap()
    }

    type Batch = (Vec<(usize, Value)>, Vec<(String, Value)>);

    fn batch(source: &mut dyn Source, max: usize) -> Batch {
        match source.pull(max).unwrap() {
            Pull::Batch { documents, states, .. } => (documents, states),
            other @ (Pull::Waiting | Pull::Drained) => panic!("{other:?}"),
        }
    }

    #[test]
    fn goes_on_at_its_state_as_if_never_interrupted() {
        let config = json!({ "scenario": "bank", "count": 10 });
        let (whole, states) = batch(&mut *open_at(config.clone(), &["transfers"], 0), 100);
        assert_eq!(states, [("transfers.v0".to_owned(), json!(10))]);
        let mut source = open_at(config, &["transfers"], 6);
        let (rest, _) = batch(&mut *source, 100);
        assert_eq!(whole[6..], rest);
        assert!(matches!(source.pull(100).unwrap(), Pull::Drained));
    }

    #[test]
    fn streams_take_turns() {
        let config = json!({ "scenario": "shop", "count": 4 });
        let mut source = open_at(config, &["orders", "customers"], 0);
        let turns: Vec<usize> = (0..4).map(|_| batch(&mut *source, 2).0[0].0).collect();
        assert_eq!(turns, [0, 1, 0, 1]);
        assert!(matches!(source.pull(2).unwrap(), Pull::Drained));
    }

    #[test]
    fn a_rate_makes_it_wait() {
        let config = json!({ "scenario": "rides", "rate": 0.001 });
        let mut source = open_at(config, &["rides"], 0);
        assert!(matches!(source.pull(2).unwrap(), Pull::Waiting));
        assert_eq!((per_rate(2.5, 2.0), per_rate(1e300, 1e300)), (5, u64::MAX));
    }

    #[test]
    fn another_seed_gives_other_documents() {
        let [one, other] = [1, 2].map(|seed| Stream::Transfers.document(seed, 7));
        assert_ne!(one, other);
        assert_eq!(one, Stream::Transfers.document(1, 7));
    }

    #[test]
    fn sizes_are_about_as_said() {
        for stream in [Stream::Transfers, Stream::Rides, Stream::Orders, Stream::Customers] {
            let total: usize = (0..1000).map(|n| stream.document(42, n).to_string().len()).sum();
            let (mean, said) = (total / 1000, stream.size_bytes());
            assert!(mean.abs_diff(said) * 10 < said, "{}: {mean} bytes", stream.word());
        }
    }

    #[test]
    fn a_stream_of_another_scenario_is_refused() {
        let config = json!({ "scenario": "bank" });
        let failure = open(&config, &[binding("rides")], &|_| Ok(None)).err().unwrap();
        assert_eq!(failure.message, "the scenario has no stream `rides`");
    }
}
