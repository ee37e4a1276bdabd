//! Documents for benches: transfers of 80 bytes and nested rides of about 930. The generators are seeded, so each run makes the same.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// The schema of transfers.
pub(crate) fn transfer_schema() -> Value {
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

/// A line with a transfer.
pub(crate) fn transfer(id: usize, draw: &mut Draw) -> String {
    let mut account = || draw.below(100_000);
    let (sender, recipient) = (account(), account());
    let cents = draw.below(1_000_000);
    format!(
        "{{\"id\":{id},\"sender\":\"account-{sender:05}\",\"recipient\":\"account-{recipient:05}\",\"amount\":{}.{:02}}}",
        cents / 100,
        cents % 100
    )
}

/// The schema of rides.
pub(crate) fn ride_schema() -> Value {
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

/// A line with a ride.
pub(crate) fn ride(id: usize, draw: &mut Draw) -> String {
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

/// Random numbers that are the same in each run.
pub(crate) struct Draw {
    state: u64,
}

impl Draw {
    /// The numbers of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A number below a bound.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 16) % bound
    }

    /// One of some words.
    pub(crate) fn one_of<'c>(&mut self, choices: &[&'c str]) -> &'c str {
        let index = self.below(choices.len() as u64) as usize;
        choices.get(index).copied().expect("the index is below the length")
    }
}
