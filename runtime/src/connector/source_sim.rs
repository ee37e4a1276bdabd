//! `tidegate/source-sim`: seeded synthetic documents for demos, tests and measurements.
//!
//! Document n of a stream is a pure function of seed, stream and n, and the state of a binding is the n it goes on with; so any two
//! runs with one seed give the same documents, however often they were interrupted. Only a `rate` looks at the clock.

use std::convert::Infallible;
use std::time::Instant;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use tidegate_stdlib::bundle::{CaptureBinding, Failure, FailureKind};
use tidegate_stdlib::document::{Builder, Number};

use super::{Pull, Pulled, Source, StateLookup, decode, state_key};

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

    /// Builds document `n` of the stream.
    fn build(self, seed: u64, n: u64, into: &mut Builder) {
        let mut draw = Draw::new(seed, self, n);
        match self {
            Self::Transfers => transfer(&mut draw, n, into),
            Self::Rides => ride(&mut draw, n, into),
            Self::Orders => order(&mut draw, n, into),
            Self::Customers => customer(&mut draw, n, into),
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
    fn pull(&mut self, documents_max: usize, into: &mut Pulled) -> Result<Pull, Failure> {
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
            let (seed, stream) = (self.seed, binding.stream);
            for n in binding.next..end {
                let built: Result<(), Infallible> = into.add(index, |builder| {
                    stream.build(seed, n, builder);
                    Ok(())
                });
                built.unwrap_or_else(|never| match never {});
            }
            binding.next = end;
            self.turn = index + 1;
            let bytes = into.len() * stream.size_bytes();
            let states = vec![(binding.key.clone(), Value::from(end))];
            return Ok(Pull::Batch { states, bytes });
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

/// Writes the properties of an object. Numbers are drawn in the order of the calls.
struct Fields<'b>(&'b mut Builder);

impl Fields<'_> {
    fn whole(&mut self, name: &str, value: u64) {
        self.0.name(name);
        self.0.number(value.into());
    }

    fn decimal(&mut self, name: &str, value: f64) {
        self.0.name(name);
        self.0.number(Number::Float(value));
    }

    fn text(&mut self, name: &str, value: &str) {
        self.0.name(name);
        self.0.string(value);
    }

    fn object(&mut self, name: &str, fields: impl FnOnce(&mut Fields<'_>)) {
        self.0.name(name);
        object(self.0, fields);
    }
}

fn object(into: &mut Builder, fields: impl FnOnce(&mut Fields<'_>)) {
    into.begin_object();
    fields(&mut Fields(into));
    into.end_object();
}

fn transfer(draw: &mut Draw, n: u64, into: &mut Builder) {
    let sender = draw.below(ACCOUNTS);
    let recipient = (sender + 1 + draw.below(ACCOUNTS - 1)) % ACCOUNTS;
    object(into, |transfer| {
        transfer.whole("amount", 1 + draw.below(1000));
        transfer.whole("id", n + 1);
        transfer.text("recipient", &format!("account-{recipient:06}"));
        transfer.text("sender", &format!("account-{sender:06}"));
    });
}

fn ride(draw: &mut Draw, n: u64, into: &mut Builder) {
    let begin_second = n * 2 + draw.below(2);
    let seconds = 120 + draw.below(3_480);
    let user_id = draw.below(200_000);
    object(into, |ride| {
        ride.object("bike", |bike| {
            bike.whole("id", 1 + draw.below(5_000));
            bike.text("model", draw.one_of(&["city", "cargo", "electric"]));
            bike.whole("built", 2015 + draw.below(9));
        });
        ride.object("begin", |begin| terminus(draw, begin_second, begin));
        ride.object("end", |end| terminus(draw, begin_second + seconds, end));
        ride.whole("duration_s", seconds);
        ride.whole("id", n + 1);
        ride.object("receipt", |receipt| {
            receipt.text("number", &format!("2024-{:010}", n + 1));
            receipt.text("tariff", draw.one_of(&["by the minute", "day ticket", "subscription"]));
            receipt.decimal("amount", draw.decimal(100, 1_500, 2));
            receipt.text("currency", "USD");
        });
        ride.object("user", |user| {
            user.whole("id", user_id);
            user.text("kind", draw.one_of(&["customer", "subscriber"]));
            user.whole("birth_year", 1940 + draw.below(66));
            user.text("gender", draw.one_of(&["diverse", "female", "male"]));
            user.text("postal_code", &format!("{:05}", 10_000 + draw.below(89_999)));
            user.text("email", &format!("user-{user_id:06}@riders.example.org"));
        });
    });
}

/// Where a ride begins or ends.
fn terminus(draw: &mut Draw, second: u64, terminus: &mut Fields<'_>) {
    let id = draw.below(800);
    let street = draw.one_of(&["Harbour Street", "Market Square", "Mill Lane", "Station Road"]);
    let side = draw.one_of(&["east side", "north side", "south side", "west side"]);
    terminus.object("station", |station| {
        station.whole("id", id);
        station.text("name", &format!("{street} {}, {side}", 1 + id));
        station
            .text("district", draw.one_of(&["Docklands", "Old Town", "Riverside", "University"]));
        station.text("address", &format!("{street} {}, New Amsterdam", 1 + id));
        station.whole("docks", 12 + id % 30);
        station.text("operator", "Municipal Bicycle Company of the City");
    });
    terminus.object("position", |position| {
        position.decimal("latitude", draw.decimal(40_600_000, 40_900_000, 6));
        position.decimal("longitude", draw.decimal(-74_050_000, -73_850_000, 6));
        position.decimal("accuracy_m", draw.decimal(10, 90, 1));
    });
    terminus.text("timestamp", &time(second));
}

fn order(draw: &mut Draw, n: u64, into: &mut Builder) {
    object(into, |order| {
        order.0.name("lines");
        order.0.begin_array();
        for _ in 0..1 + draw.below(4) {
            object(order.0, |line| {
                let products = ["anvil", "bucket", "candle", "lantern", "rope", "spade"];
                line.text("product", draw.one_of(&products));
                line.whole("quantity", 1 + draw.below(5));
                line.decimal("price", draw.decimal(100, 10_000, 2));
            });
        }
        order.0.end_array();
        order.whole("id", n + 1);
        order.whole("customer", 1 + draw.below(1_000));
        order.text("placed_at", &time(n * 30 + draw.below(30)));
        order.text("region", draw.one_of(&["apac", "eu", "us"]));
        let states = ["cancelled", "paid", "paid", "paid", "shipped", "shipped"];
        order.text("status", draw.one_of(&states));
    });
}

fn customer(draw: &mut Draw, n: u64, into: &mut Builder) {
    let id = n % 1_000 + 1;
    let name = draw.one_of(&["Ada", "Alan", "Barbara", "Edsger", "Grace", "Ken"]);
    let surname = draw.one_of(&["Brook", "Field", "Hill", "Marsh", "Stone", "Wood"]);
    let mailbox = format!("{}.{}{id}", name.to_lowercase(), surname.to_lowercase());
    object(into, |customer| {
        customer.text("city", draw.one_of(&["Lagos", "Lima", "Lisbon", "London", "Lyon"]));
        customer.text("email", &format!("{mailbox}@shop.example.org"));
        customer.whole("id", id);
        customer.text("name", &format!("{name} {surname}"));
        customer.text("updated_at", &time(n * 60));
    });
}

/// The time some seconds after the beginning of 2024.
fn time(second: u64) -> String {
    let second = 1_704_067_200_i64.saturating_add_unsigned(second);
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

    use serde_json::json;
    use tidegate_stdlib::bundle::Origin;

    use super::*;

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
        let mut pulled = Pulled::default();
        match source.pull(max, &mut pulled).unwrap() {
            Pull::Batch { states, .. } => {
                let documents = pulled.iter().map(|(index, node)| (index, node.to_value()));
                (documents.collect(), states)
            }
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
        assert!(matches!(source.pull(100, &mut Pulled::default()).unwrap(), Pull::Drained));
    }

    #[test]
    fn streams_take_turns() {
        let config = json!({ "scenario": "shop", "count": 4 });
        let mut source = open_at(config, &["orders", "customers"], 0);
        let turns: Vec<usize> = (0..4).map(|_| batch(&mut *source, 2).0[0].0).collect();
        assert_eq!(turns, [0, 1, 0, 1]);
        assert!(matches!(source.pull(2, &mut Pulled::default()).unwrap(), Pull::Drained));
    }

    #[test]
    fn a_rate_makes_it_wait() {
        let config = json!({ "scenario": "rides", "rate": 0.001 });
        let mut source = open_at(config, &["rides"], 0);
        assert!(matches!(source.pull(2, &mut Pulled::default()).unwrap(), Pull::Waiting));
        assert_eq!((per_rate(2.5, 2.0), per_rate(1e300, 1e300)), (5, u64::MAX));
    }

    fn text(stream: Stream, seed: u64, n: u64) -> String {
        let mut builder = Builder::default();
        stream.build(seed, n, &mut builder);
        builder.finish().root().to_string()
    }

    #[test]
    fn another_seed_gives_other_documents() {
        let [one, other] = [1, 2].map(|seed| text(Stream::Transfers, seed, 7));
        assert_ne!(one, other);
        assert_eq!(one, text(Stream::Transfers, 1, 7));
    }

    #[test]
    fn sizes_are_about_as_said() {
        for stream in [Stream::Transfers, Stream::Rides, Stream::Orders, Stream::Customers] {
            let total: usize = (0..1000).map(|n| text(stream, 42, n).len()).sum();
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
