//! The earthquakes: tables against a plain computation over the GeoJSON file.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use super::workspace::{Workspace, project, rows};

/// A quake as the file has it.
#[derive(Debug, Clone)]
struct Quake {
    id: String,
    network: String,
    mag: Option<f64>,
    place: String,
    time_ms: i64,
    longitude: f64,
    latitude: f64,
    depth_km: f64,
}

pub(super) fn agree_with_a_plain_computation() {
    let workspace = Workspace::new("quakes");
    workspace.run_until_idle();
    compare_tables(&workspace);

    let collections = ["quakes/features", "quakes/events", "quakes/daily", "quakes/aftershocks"];
    let before = collections.map(|name| workspace.read(name, &[]));
    let ended = workspace.tidegate(&["run", "--until-idle", "--format", "json"]).expect_code(0);
    for task in ended.json()["tasks"].as_array().expect("tasks are a list") {
        assert_eq!(task["documents_out"], 0, "the second run did something: {task}");
    }
    assert_eq!(before, collections.map(|name| workspace.read(name, &[])));
    compare_tables(&workspace);
    let reduced = workspace.read("quakes/daily", &["--reduce"]);
    assert_eq!(reduced.len(), daily(&quakes()).len());
}

/// Compares the tables of the catalog with what the file says.
pub(super) fn compare_tables(workspace: &Workspace) {
    let quakes = quakes();
    assert_eq!(quakes.len(), 1707);
    let database = workspace.database("out/quakes.db");
    let found = rows(
        &database,
        "SELECT id, network, mag, place, time, at, day, latitude, longitude, depth_km
         FROM events ORDER BY id",
    );
    assert_rows(&found, &quakes.iter().map(event).collect::<Vec<_>>());
    let found = rows(
        &database,
        "SELECT network, day, count, mag, quake, place, latest, depth_sum_km
         FROM daily ORDER BY network, day",
    );
    assert_rows(&found, &daily(&quakes));
    compare_aftershocks(workspace);
}

/// Compares the table of aftershocks only.
pub(super) fn compare_aftershocks(workspace: &Workspace) {
    let found = rows(
        &workspace.database("out/quakes.db"),
        "SELECT mainshock, aftershock, mainshock_mag, mag, delay_s, distance_km
         FROM aftershocks ORDER BY mainshock, aftershock",
    );
    let expected = aftershocks(&quakes());
    assert!(expected.len() > 50, "the week has aftershocks");
    assert_rows(&found, &expected);
}

pub(super) fn tests_of_the_catalogs_pass() {
    let catalogs =
        [("quakes", 2), ("sightings", 1), ("bank", 2), ("bank-typescript", 2), ("examples", 5)];
    for (catalog, count) in catalogs {
        let ended = Workspace::new(catalog).tidegate(&["test", "--format", "json"]).expect_code(0);
        let summary = &ended.json()["summary"];
        assert_eq!(summary["passed"], count, "{catalog}: {summary}");
    }
}

pub(super) fn tests_show_a_keyed_difference() {
    let workspace = Workspace::new("quakes");
    workspace.edit("tests.flow.yaml", "count: 3", "count: 4");
    let ended = workspace.tidegate(&["test", "--format", "json"]).expect_code(1);
    let result = ended.json();
    assert_eq!(result["summary"], json!({ "passed": 1, "failed": 1, "errors": 0 }));
    let tests = result["tests"].as_array().expect("tests are a list");
    let failed = tests.iter().find(|test| test["status"] == "failed").expect("one failed");
    assert_eq!(failed["name"], "quakes/test/daily");
    let difference = &failed["failures"][0]["differences"][0];
    assert_eq!(difference["key"], json!(["ak", "2018-01-31"]));
    assert_eq!(difference["kind"], "changed");
    assert_eq!(difference["pointer"], "/count");
    assert_eq!((&difference["expected"], &difference["actual"]), (&json!(4), &json!(3)));

    let shown = workspace.tidegate(&["test"]).expect_code(1);
    let shown = format!("{}{}", shown.stdout, shown.stderr);
    for part in ["quakes/test/daily", "2018-01-31", "count", "tests.flow.yaml"] {
        assert!(shown.contains(part), "`{part}` is not in:\n{shown}");
    }
}

fn quakes() -> Vec<Quake> {
    let text = fs::read_to_string(project("testdata/documents/earthquakes.geojson"))
        .expect("the documents are there");
    let collection: Value = serde_json::from_str(&text).expect("the file is JSON");
    let features = collection["features"].as_array().expect("features are a list");
    let mut quakes: Vec<Quake> = features.iter().map(quake).collect();
    quakes.sort_by(|left, right| left.id.cmp(&right.id));
    quakes
}

fn quake(feature: &Value) -> Quake {
    let properties = &feature["properties"];
    let text = |value: &Value| value.as_str().expect("it is a text").to_owned();
    let coordinate =
        |index: usize| feature["geometry"]["coordinates"][index].as_f64().expect("it is a number");
    Quake {
        id: text(&feature["id"]),
        network: text(&properties["net"]),
        mag: properties["mag"].as_f64(),
        place: text(&properties["place"]),
        time_ms: properties["time"].as_i64().expect("it is a whole number"),
        longitude: coordinate(0),
        latitude: coordinate(1),
        depth_km: coordinate(2),
    }
}

fn event(quake: &Quake) -> Vec<Value> {
    vec![
        json!(quake.id),
        json!(quake.network),
        json!(quake.mag),
        json!(quake.place),
        json!(quake.time_ms),
        json!(timestamp(quake.time_ms)),
        json!(date(quake.time_ms)),
        json!(quake.latitude),
        json!(quake.longitude),
        json!(quake.depth_km),
    ]
}

/// The quakes of each network and day: how many, the strongest, the latest time and the sum of depths.
fn daily(quakes: &[Quake]) -> Vec<Vec<Value>> {
    let mut days: BTreeMap<(String, String), Vec<&Quake>> = BTreeMap::new();
    for quake in quakes {
        days.entry((quake.network.clone(), date(quake.time_ms))).or_default().push(quake);
    }
    let row = |((network, day), quakes): ((String, String), Vec<&Quake>)| {
        let strength = |quake: &Quake| (quake.mag.unwrap_or(f64::NEG_INFINITY), quake.id.clone());
        let mut strongest = *quakes.first().expect("a day has quakes");
        for quake in &quakes {
            if strength(quake) > strength(strongest) {
                strongest = quake;
            }
        }
        let latest = quakes.iter().map(|quake| quake.time_ms).max().expect("a day has quakes");
        vec![
            json!(network),
            json!(day),
            json!(quakes.len()),
            json!(strongest.mag),
            json!(strongest.id),
            json!(strongest.place),
            json!(timestamp(latest)),
            json!(quakes.iter().map(|quake| quake.depth_km).sum::<f64>()),
        ]
    };
    days.into_iter().map(row).collect()
}

/// Pairs of a quake of magnitude 4.5 or more and one within 50 km and the 24 hours after it.
fn aftershocks(quakes: &[Quake]) -> Vec<Vec<Value>> {
    let mut pairs = Vec::new();
    for mainshock in quakes.iter().filter(|quake| quake.mag.is_some_and(|mag| mag >= 4.5)) {
        for aftershock in quakes {
            let delay_ms = aftershock.time_ms - mainshock.time_ms;
            let distance_km = distance_km(mainshock, aftershock);
            if (1..=86_400_000).contains(&delay_ms) && distance_km <= 50.0 {
                pairs.push(vec![
                    json!(mainshock.id),
                    json!(aftershock.id),
                    json!(mainshock.mag),
                    json!(aftershock.mag),
                    json!(delay_ms as f64 / 1000.0),
                    json!(distance_km),
                ]);
            }
        }
    }
    pairs
}

/// The distance on a sphere of the size of the earth, by the haversine formula.
fn distance_km(from: &Quake, to: &Quake) -> f64 {
    let half_chord = |degrees: f64| (degrees.to_radians() / 2.0).sin().powi(2);
    let across = from.latitude.to_radians().cos() * to.latitude.to_radians().cos();
    let square = half_chord(to.latitude - from.latitude)
        + across * half_chord(to.longitude - from.longitude);
    2.0 * 6371.0 * square.sqrt().min(1.0).asin()
}

/// The civil date of a time in UTC.
fn date(time_ms: i64) -> String {
    let days = time_ms.div_euclid(86_400_000) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = match month {
        10.. => (year_of_era + era * 400 + 1, month - 9),
        _ => (year_of_era + era * 400, month + 3),
    };
    format!("{year:04}-{month:02}-{day:02}")
}

fn timestamp(time_ms: i64) -> String {
    let of_day = time_ms.rem_euclid(86_400_000);
    let (hour, minute) = (of_day / 3_600_000, of_day / 60_000 % 60);
    let (second, millisecond) = (of_day / 1000 % 60, of_day % 1000);
    format!("{}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z", date(time_ms))
}

/// Compares rows; numbers may differ by 1e-9 of their size.
fn assert_rows(found: &[Vec<Value>], expected: &[Vec<Value>]) {
    assert_eq!(found.len(), expected.len(), "another number of rows");
    for (found, expected) in found.iter().zip(expected) {
        let equal = |(found, expected): (&Value, &Value)| match (found.as_f64(), expected.as_f64())
        {
            (Some(found), Some(expected)) => {
                (found - expected).abs() <= 1e-9 * expected.abs().max(1.0)
            }
            _ => found == expected,
        };
        assert!(
            found.len() == expected.len() && found.iter().zip(expected).all(equal),
            "found    {found:?}\nexpected {expected:?}"
        );
    }
}
