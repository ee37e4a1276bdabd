//! Reading and validating documents, at the level of the library: the arena and the compiled schema beside `serde_json` and
//! `jsonschema`, over the same lines in one run.
//!
//! `cargo bench --bench validate [-- ROUNDS]` prints documents per CPU second of both and the ratio: the median of 7 rounds (or
//! ROUNDS), in which the two take turns. The generators are seeded, so each run reads the same documents; all of them are valid,
//! and a spoiled copy of every hundredth is not.

#![allow(clippy::print_stdout, reason = "a bench prints what it measures")]

use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;

use serde_json::{Value, json};
use tidegate_stdlib::document::{Builder, Parser};
use tidegate_stdlib::schema::Schema;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 7;
const TRANSFERS: usize = 400_000;
const RIDES: usize = 40_000;
const SEED: u64 = 42;

fn main() {
    let rounds = std::env::args().find_map(|text| text.parse().ok()).unwrap_or(ROUNDS).max(1);
    println!("{:<10} {:>6} {:>12} {:>12} {:>6}", "", "bytes", "ours/s", "theirs/s", "ratio");
    let mut draw = Draw::new(SEED);
    let transfers: Vec<String> = (0..TRANSFERS).map(|id| transfer(id, &mut draw)).collect();
    compare("transfers", &transfer_schema(), &transfers, rounds);
    let rides: Vec<String> = (0..RIDES).map(|id| ride(id, &mut draw)).collect();
    compare("rides", &ride_schema(), &rides, rounds);
}

/// Validates the lines in both ways and prints how they did.
fn compare(name: &str, schema: &Value, lines: &[String], rounds: usize) {
    let ours = Schema::compile(schema).expect("the schema is sound");
    let theirs = jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .should_validate_formats(true)
        .build(schema)
        .expect("the schema is sound");
    check_answers(&ours, &theirs, lines);
    let (mut parser, mut builder) = (Parser::default(), Builder::default());
    let mut runs: Vec<(f64, f64)> = (0..rounds)
        .map(|_| {
            let begin = cpu_seconds();
            let mut valid = 0;
            for line in lines {
                builder.clear();
                parser.parse(line.as_bytes(), &mut builder).expect("the line is JSON");
                valid += usize::from(ours.is_valid_node(builder.root()));
            }
            let middle = cpu_seconds();
            assert_eq!(black_box(valid), lines.len());
            let mut valid = 0;
            for line in lines {
                let value: Value = serde_json::from_str(line).expect("the line is JSON");
                valid += usize::from(theirs.is_valid(&value));
            }
            assert_eq!(black_box(valid), lines.len());
            (middle - begin, cpu_seconds() - middle)
        })
        .collect();
    let mut median = |of: fn(&(f64, f64)) -> f64| {
        runs.sort_by(|left, right| of(left).total_cmp(&of(right)));
        runs.get(rounds / 2).map(of).expect("there is a round in the middle")
    };
    let (ours, theirs) = (median(|run| run.0), median(|run| run.1));
    let ratio = median(|run| run.1 / run.0);
    let bytes = lines.iter().map(String::len).sum::<usize>() / lines.len();
    let per_second = |seconds: f64| lines.len() as f64 / seconds;
    println!(
        "{name:<10} {bytes:>6} {:>12.0} {:>12.0} {ratio:>6.2}",
        per_second(ours),
        per_second(theirs)
    );
}

/// Both accept every line, and neither one whose last number has become a string.
fn check_answers(ours: &Schema, theirs: &jsonschema::Validator, lines: &[String]) {
    let (mut parser, mut builder) = (Parser::default(), Builder::default());
    for line in lines.iter().step_by(100) {
        let end = line.rfind(|symbol: char| symbol.is_ascii_digit()).expect("there is a number");
        let start = line.get(..end).and_then(|text| text.rfind(':')).expect("it has a name");
        let (before, number) = line.split_at(start + 1);
        let (number, after) = number.split_at(end - start);
        for (text, is_valid) in
            [(line.clone(), true), (format!("{before}\"{number}\"{after}"), false)]
        {
            builder.clear();
            parser.parse(text.as_bytes(), &mut builder).expect("the line is JSON");
            let value: Value = serde_json::from_str(&text).expect("the line is JSON");
            assert_eq!(ours.is_valid_node(builder.root()), is_valid, "{text}");
            assert_eq!(theirs.is_valid(&value), is_valid, "{text}");
        }
    }
}

fn transfer_schema() -> Value {
    let account = json!({"type": "string", "minLength": 1});
    json!({
        "type": "object",
        "properties": {
            "id": {"type": "integer", "minimum": 0},
            "sender": account,
            "recipient": account,
            "amount": {"type": "number", "minimum": 0},
        },
        "required": ["id", "sender", "recipient", "amount"],
    })
}

fn transfer(id: usize, draw: &mut Draw) -> String {
    let mut account = || draw.below(100_000);
    let (sender, recipient) = (account(), account());
    let cents = draw.below(1_000_000);
    format!(
        "{{\"id\":{id},\"sender\":\"account-{sender:05}\",\"recipient\":\"account-{recipient:05}\",\"amount\":{}.{:02}}}",
        cents / 100,
        cents % 100
    )
}

fn ride_schema() -> Value {
    json!({
        "type": "object",
        "$defs": {"terminus": terminus_schema()},
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "bike": {
                "type": "object",
                "properties": {
                    "id": {"type": "integer"},
                    "model": {"enum": ["cargo", "classic", "electric"]},
                    "battery": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
                    "serial": {"type": "string"},
                },
                "required": ["id"],
            },
            "begin": {"$ref": "#/$defs/terminus"},
            "end": {"$ref": "#/$defs/terminus"},
            "user": {
                "type": "object",
                "properties": {
                    "id": {"type": "integer"},
                    "kind": {"enum": ["casual", "member"]},
                    "born": {"type": ["integer", "null"], "minimum": 1900},
                    "plan": {
                        "type": "object",
                        "properties": {
                            "name": {"type": "string"},
                            "since": {"type": "string", "format": "date"},
                            "is_renewed": {"type": "boolean"},
                            "price": {"type": "number", "minimum": 0},
                        },
                        "required": ["name"],
                    },
                },
                "required": ["id", "kind"],
            },
            "distance_meters": {"type": "number", "minimum": 0},
            "duration_seconds": {"type": "integer", "minimum": 0},
            "notes": {"type": "array", "items": {"type": "string"}},
            "route": {
                "type": "array",
                "items": {
                    "type": "array",
                    "items": {"type": "number"},
                    "minItems": 2,
                    "maxItems": 3,
                },
            },
            "weather": {
                "type": "object",
                "properties": {
                    "sky": {"type": "string"},
                    "wind": {"type": "number"},
                    "celsius": {"type": "number"},
                },
            },
        },
        "required": ["id", "bike", "begin", "end", "user"],
    })
}

fn terminus_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "station": {
                "type": "object",
                "properties": {
                    "id": {"type": "integer", "minimum": 1},
                    "name": {"type": "string", "maxLength": 120},
                    "region": {"enum": ["Bronx", "Brooklyn", "Manhattan", "Queens"]},
                    "capacity": {"type": "integer", "minimum": 0, "maximum": 200},
                },
                "required": ["id", "name"],
            },
            "position": {
                "type": "object",
                "properties": {
                    "latitude": {"type": "number", "minimum": -90, "maximum": 90},
                    "longitude": {"type": "number", "minimum": -180, "maximum": 180},
                    "accuracy": {"type": ["number", "null"]},
                },
                "required": ["latitude", "longitude"],
            },
            "timestamp": {"type": "string", "format": "date-time"},
        },
        "required": ["station", "timestamp"],
    })
}

fn ride(id: usize, draw: &mut Draw) -> String {
    let mut text = String::with_capacity(1024);
    let serial = draw.below(10_000_000);
    let _ = write!(
        text,
        "{{\"id\":\"{:08x}-5b2e-4c1d-9f00-{:012x}\",\"bike\":{{\"id\":{},\"model\":\"{}\",\"battery\":0.{},\"serial\":\"SN-{serial:07}\"}}",
        id,
        draw.below(1 << 40),
        10_000 + draw.below(20_000),
        draw.one_of(&["cargo", "classic", "electric"]),
        draw.below(100),
    );
    for terminus in ["begin", "end"] {
        let _ = write!(text, ",\"{terminus}\":");
        push_terminus(&mut text, draw);
    }
    let _ = write!(
        text,
        ",\"user\":{{\"id\":{},\"kind\":\"{}\",\"born\":{},\"plan\":{{\"name\":\"{}\",\"since\":\"20{:02}-{:02}-{:02}\",\"is_renewed\":{},\"price\":{}.95}}}}",
        draw.below(5_000_000),
        draw.one_of(&["casual", "member"]),
        1930 + draw.below(75),
        draw.one_of(&["a single ride", "a day", "a month", "a whole year"]),
        10 + draw.below(15),
        1 + draw.below(12),
        1 + draw.below(28),
        draw.one_of(&["true", "false"]),
        draw.below(200),
    );
    let _ = write!(
        text,
        ",\"distance_meters\":{}.{},\"duration_seconds\":{},\"notes\":[\"{}\",\"{}\"],\"route\":[",
        200 + draw.below(9_000),
        draw.below(10),
        60 + draw.below(7_000),
        draw.one_of(&["docked twice", "brakes are soft", "nothing to report"]),
        draw.one_of(&["bell is missing", "saddle turns", "lights stay on after the ride"]),
    );
    for point in 0..5 {
        let comma = if point == 0 { "" } else { "," };
        let _ = write!(
            text,
            "{comma}[-73.{:06},40.{:06}]",
            draw.below(1_000_000),
            draw.below(1_000_000)
        );
    }
    let _ = write!(
        text,
        "],\"weather\":{{\"sky\":\"{}\",\"wind\":{}.{},\"celsius\":{}.{}}}}}",
        draw.one_of(&["clear", "overcast", "light rain"]),
        draw.below(30),
        draw.below(10),
        draw.below(35),
        draw.below(10),
    );
    text
}

fn push_terminus(text: &mut String, draw: &mut Draw) {
    let _ = write!(
        text,
        "{{\"station\":{{\"id\":{},\"name\":\"{} Ave & West {} St\",\"region\":\"{}\",\"capacity\":{}}},\"position\":{{\"latitude\":40.{:06},\"longitude\":-73.{:06},\"accuracy\":{}}},\"timestamp\":\"2020-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z\"}}",
        1 + draw.below(4_000),
        1 + draw.below(12),
        1 + draw.below(190),
        draw.one_of(&["Bronx", "Brooklyn", "Manhattan", "Queens"]),
        draw.below(100),
        draw.below(1_000_000),
        draw.below(1_000_000),
        draw.one_of(&["null", "4.5", "12.25"]),
        1 + draw.below(12),
        1 + draw.below(28),
        draw.below(24),
        draw.below(60),
        draw.below(60),
        draw.below(1_000),
    );
}

/// CPU time of this thread, from `/proc`; not a number elsewhere than on Linux.
fn cpu_seconds() -> f64 {
    let Ok(statistics) = fs::read_to_string("/proc/thread-self/schedstat") else { return f64::NAN };
    let nanoseconds = statistics.split_whitespace().next().and_then(|field| field.parse().ok());
    nanoseconds.map_or(f64::NAN, |nanoseconds: f64| nanoseconds / 1e9)
}

/// Random numbers that are the same in each run.
struct Draw {
    state: u64,
}

impl Draw {
    fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 16) % bound
    }

    fn one_of<'c>(&mut self, choices: &[&'c str]) -> &'c str {
        let index = self.below(choices.len() as u64) as usize;
        choices.get(index).copied().expect("the index is below the length")
    }
}
