//! Lambdas in the whole runtime, beside the same statements in a bare loop over `rusqlite`.
//!
//! `cargo bench --bench lambdas [-- COUNT]` runs derivations over a collection on disk through the release binary: a filter of nested
//! rides, two rows a transfer that are summed by account, the same by a TypeScript module, and three statements a transfer that keep
//! balances in a table. It prints documents per CPU second and the ratio to a loop that parses just the fields it needs, validates
//! nothing, runs the statements in a database on disk with a commit every 50,000 documents, and writes lines. All take turns, five times
//! each; the answers are compared.

#![allow(clippy::print_stdout, reason = "a bench prints what it measures")]

mod beside;
mod documents;
mod measure;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::Command;

use beside::{Kept, check_answers, copy, run, write_catalog, write_lines};
use documents::{Draw, ride, ride_schema, transfer, transfer_schema};
use measure::{Measured, measure, median};
use rusqlite::{Connection, params};
use serde::Deserialize;
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const COUNT: usize = 1_000_000;
const ROUNDS: usize = 5;
const SEED: u64 = 42;
/// Documents of one transaction of the bare loop.
const TRANSACTION: usize = 50_000;
/// The catalogs of a job: by SQL, and by a module.
const SQL_CATALOG: &str = "flow.json";
const MODULE_CATALOG: &str = "flow-typescript.json";
/// The argument with which the bench runs one of its own loops.
const BARE: &str = "--bare";

const ACCOUNTS: &str =
    "CREATE TABLE accounts (name TEXT PRIMARY KEY, cents INTEGER) WITHOUT ROWID;";
const RESHAPE: &str = "SELECT $id AS id, $bike$id AS bike, $begin$station$id AS origin, \
    $end$station$id AS destination, $duration_seconds AS seconds, $user$kind AS kind \
    WHERE $distance_meters > 5000;";
const DELTAS: &str = "SELECT $sender AS account, -CAST(ROUND($amount * 100) AS INTEGER) AS cents;\n\
    SELECT $recipient AS account, CAST(ROUND($amount * 100) AS INTEGER) AS cents;";
/// The module of the same deltas.
const MODULE: &str = "import { Document, IDerivation, SourceFromSource } from 'flow/bench/derived.ts';\n\
    export class Derivation extends IDerivation {\n\
        fromSource({ doc }: { doc: SourceFromSource }): Document[] {\n\
            const cents = Math.round(doc.amount * 100);\n\
            return [{ account: doc.sender, cents: -cents }, { account: doc.recipient, cents }];\n\
        }\n\
    }\n";
const UPSERT: &str = "ON CONFLICT (name) DO UPDATE SET cents = cents + excluded.cents";

/// A derivation and its loop.
struct Job {
    name: &'static str,
    /// How many documents it reads of as many as were asked for.
    count: fn(usize) -> usize,
    line: fn(usize, &mut Draw) -> String,
    schema: fn() -> Value,
    derived: Value,
    key: &'static str,
    migrations: &'static [&'static str],
    lambda: String,
    /// A TypeScript module that gives the same documents.
    module: Option<&'static str>,
    bare: fn(&Path, &Path),
}

fn jobs() -> [Job; 3] {
    let balances = format!(
        "INSERT INTO accounts VALUES ($sender, -CAST(ROUND($amount * 100) AS INTEGER)) {UPSERT};\n\
         INSERT INTO accounts VALUES ($recipient, CAST(ROUND($amount * 100) AS INTEGER)) {UPSERT};\n\
         SELECT $id AS id, cents FROM accounts WHERE name = $sender;"
    );
    let integers = |names: &[&str]| {
        let property = |name: &&str| ((*name).to_owned(), json!({"type": "integer"}));
        names.iter().map(property).collect::<serde_json::Map<_, _>>()
    };
    let mut deltas = integers(&["cents"]);
    deltas.insert("cents".to_owned(), json!({"type": "integer", "reduce": {"strategy": "sum"}}));
    deltas.insert("account".to_owned(), json!({"type": "string"}));
    let mut rides = integers(&["bike", "origin", "destination", "seconds"]);
    rides.insert("id".to_owned(), json!({"type": "string"}));
    rides.insert("kind".to_owned(), json!({"type": "string"}));
    [
        Job {
            name: "filter of rides",
            count: |count| count / 4,
            line: ride,
            schema: ride_schema,
            derived: json!({"type": "object", "properties": rides, "required": ["id"]}),
            key: "/id",
            migrations: &[],
            lambda: RESHAPE.to_owned(),
            module: None,
            bare: bare_rides,
        },
        Job {
            name: "two rows a transfer",
            count: |count| count,
            line: transfer,
            schema: transfer_schema,
            derived: json!({
                "type": "object", "properties": deltas, "required": ["account", "cents"],
                "reduce": {"strategy": "merge"},
            }),
            key: "/account",
            migrations: &[],
            lambda: DELTAS.to_owned(),
            module: Some(MODULE),
            bare: bare_deltas,
        },
        Job {
            name: "three statements",
            count: |count| count / 2,
            line: transfer,
            schema: transfer_schema,
            derived: json!({
                "type": "object", "properties": integers(&["id", "cents"]), "required": ["id", "cents"],
            }),
            key: "/id",
            migrations: &[ACCOUNTS],
            lambda: balances,
            module: None,
            bare: bare_balances,
        },
    ]
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(bare) = arguments.iter().position(|argument| argument == BARE) {
        let name = arguments.get(bare + 1).expect("a loop has a name");
        let directory = Path::new(arguments.get(bare + 2).expect("a loop has a directory"));
        let job = jobs().into_iter().find(|job| job.name == name).expect("the loop is known");
        return (job.bare)(&directory.join("lines.jsonl"), &directory.join("bare.jsonl"));
    }
    let count = arguments.iter().find_map(|text| text.parse().ok()).unwrap_or(COUNT);
    println!("the median of {ROUNDS} runs by CPU seconds, durability full");
    println!(
        "{:<22} {:>9} {:>8} {:>12} {:>9} {:>14}",
        "", "documents", "CPU", "per CPU s", "peak MiB", "of the loop"
    );
    for job in jobs() {
        compare(&job, (job.count)(count));
    }
}

/// Runs a derivation and its loop in turns, and prints how they did.
fn compare(job: &Job, count: usize) {
    let directory = tempfile::tempdir().expect("a temporary directory can be created");
    let directory = directory.path();
    prepare(job, count, directory);
    let (mut ours, mut modules, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let executable = std::env::current_exe().expect("the bench knows its file");
        theirs.push(measure(Command::new(executable).args([BARE, job.name]).arg(directory)));
        ours.push(derive(job, directory, SQL_CATALOG));
        if job.module.is_some() {
            modules.push(derive(job, directory, MODULE_CATALOG));
        }
    }
    let (ours, theirs) = (median(ours), median(theirs));
    let print = |name: &str, measured: Measured, ratio: &str| {
        let Measured { cpu_seconds, peak_mib, .. } = measured;
        let rate = count as f64 / cpu_seconds;
        println!(
            "{name:<22} {count:>9} {cpu_seconds:>8.2} {rate:>12.0} {peak_mib:>9.0} {ratio:>14}"
        );
    };
    let ratio = |it: Measured| format!("{:.2}x its time", it.cpu_seconds / theirs.cpu_seconds);
    print(job.name, ours, &ratio(ours));
    if !modules.is_empty() {
        let module = median(modules);
        print("  in TypeScript", module, &ratio(module));
    }
    print("  bare loop", theirs, "");
}

/// Runs the derivation of a catalog over what was captured.
fn derive(job: &Job, directory: &Path, catalog: &str) -> Measured {
    copy(&directory.join("captured"), &directory.join("data"));
    let measured = measure(run(directory, catalog, "data").args(["--task", "bench/derived"]));
    check_answers(job.name, directory, "bare.jsonl");
    measured
}

/// Writes the lines and the catalog, and captures them.
fn prepare(job: &Job, count: usize, directory: &Path) {
    let mut draw = Draw::new(SEED);
    write_lines(directory, (0..count).map(|id| (job.line)(id, &mut draw)));
    // A null is as if nothing were there.
    let transform = |lambda: Option<&str>| json!({"name": "fromSource", "source": "bench/source", "shuffle": "any", "lambda": lambda});
    let sqlite = json!({"sqlite": {"migrations": job.migrations}});
    let write = |name: &str, using: Value, transform: Value| {
        let derive = json!({"using": using, "transforms": [transform]});
        let derived = Kept { schema: &job.derived, key: job.key };
        write_catalog(directory, name, &(job.schema)(), &derived, &derive);
    };
    write(SQL_CATALOG, sqlite, transform(Some(&job.lambda)));
    if let Some(module) = job.module {
        let using = json!({"typescript": {"module": "derived.ts"}});
        write(MODULE_CATALOG, using, transform(None));
        fs::write(directory.join("derived.ts"), module).expect("the module can be written");
    }
    measure(run(directory, SQL_CATALOG, "captured").args(["--task", "bench/file"]));
}

#[derive(Deserialize)]
struct Transfer {
    id: i64,
    sender: String,
    recipient: String,
    amount: f64,
}

#[derive(Deserialize)]
struct Ride {
    id: String,
    bike: Numbered,
    begin: Terminus,
    end: Terminus,
    user: User,
    distance_meters: f64,
    duration_seconds: i64,
}

#[derive(Deserialize)]
struct Terminus {
    station: Numbered,
}

#[derive(Deserialize)]
struct Numbered {
    id: i64,
}

#[derive(Deserialize)]
struct User {
    kind: String,
}

fn bare_rides(from: &Path, to: &Path) {
    let connection = database(to, &[]);
    let mut out = BufWriter::new(create(to));
    in_transactions(&connection, from, |ride: Ride| {
        let mut statement = connection.prepare_cached(RESHAPE).expect("the statement is sound");
        let mut rows = statement
            .query(params![
                ride.id,
                ride.bike.id,
                ride.begin.station.id,
                ride.end.station.id,
                ride.duration_seconds,
                ride.user.kind,
                ride.distance_meters,
            ])
            .expect("the statement runs");
        while let Some(row) = rows.next().expect("the statement runs") {
            let number = |column| row.get::<_, i64>(column).expect("the column is a number");
            let text = |column| row.get_ref(column).expect("the column is there");
            writeln!(
                out,
                "{{\"bike\":{},\"destination\":{},\"id\":\"{}\",\"kind\":\"{}\",\"origin\":{},\"seconds\":{}}}",
                number(1),
                number(3),
                text(0).as_str().expect("the column is text"),
                text(5).as_str().expect("the column is text"),
                number(2),
                number(4),
            )
            .expect("the line can be written");
        }
    });
}

fn bare_deltas(from: &Path, to: &Path) {
    let connection = database(to, &[]);
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    let statements: Vec<&str> = DELTAS.split_inclusive(';').collect();
    in_transactions(&connection, from, |transfer: Transfer| {
        for (statement, account) in statements.iter().zip([&transfer.sender, &transfer.recipient]) {
            let mut statement =
                connection.prepare_cached(statement).expect("the statement is sound");
            let parameters = params![account, transfer.amount];
            let mut rows = statement.query(parameters).expect("the statement runs");
            while let Some(row) = rows.next().expect("the statement runs") {
                let account = row.get_ref(0).expect("the column is there");
                let account = account.as_str().expect("the column is text");
                let cents: i64 = row.get(1).expect("the column is a number");
                match sums.get_mut(account) {
                    Some(sum) => *sum += cents,
                    None => drop(sums.insert(account.to_owned(), cents)),
                }
            }
        }
    });
    let mut out = BufWriter::new(create(to));
    for (account, cents) in sums {
        writeln!(out, "{{\"account\":\"{account}\",\"cents\":{cents}}}")
            .expect("the line can be written");
    }
}

fn bare_balances(from: &Path, to: &Path) {
    let connection = database(to, &[ACCOUNTS]);
    let jobs = jobs();
    let job = jobs.iter().find(|job| job.name == "three statements").expect("the job is there");
    let statements: Vec<&str> = job.lambda.split_inclusive(';').collect();
    let [debit, credit, read] = statements.as_slice() else { panic!("there are three statements") };
    let mut out = BufWriter::new(create(to));
    in_transactions(&connection, from, |transfer: Transfer| {
        for (statement, account) in [(debit, &transfer.sender), (credit, &transfer.recipient)] {
            let mut statement =
                connection.prepare_cached(statement).expect("the statement is sound");
            statement.execute(params![account, transfer.amount]).expect("the statement runs");
        }
        let mut statement = connection.prepare_cached(read).expect("the statement is sound");
        let mut rows = statement.query(params![transfer.id, transfer.sender]).expect("it runs");
        while let Some(row) = rows.next().expect("the statement runs") {
            let number = |column| row.get::<_, i64>(column).expect("the column is a number");
            writeln!(out, "{{\"cents\":{},\"id\":{}}}", number(1), number(0))
                .expect("it can be written");
        }
    });
}

/// A new database beside `to`, as durable as the runtime's.
fn database(to: &Path, migrations: &[&str]) -> Connection {
    let path = to.with_extension("db");
    for suffix in ["db", "db-wal", "db-shm"] {
        let _ = fs::remove_file(to.with_extension(suffix));
    }
    let connection = Connection::open(path).expect("the database can be created");
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
        .expect("the database takes its settings");
    migrations.iter().for_each(|text| connection.execute_batch(text).expect("the migration runs"));
    connection
}

/// Hands out each line of a file as a document.
fn in_transactions<T: for<'d> Deserialize<'d>>(
    connection: &Connection,
    from: &Path,
    mut each: impl FnMut(T),
) {
    let mut lines = BufReader::with_capacity(1 << 20, File::open(from).expect("there are lines"));
    let (mut line, mut read) = (String::new(), 0);
    let execute = |text: &str| connection.execute_batch(text).expect("the transaction goes on");
    execute("BEGIN");
    while lines.read_line(&mut line).expect("lines are text") > 0 {
        each(serde_json::from_str(&line).expect("the line is a document"));
        line.clear();
        read += 1;
        if read % TRANSACTION == 0 {
            execute("COMMIT; BEGIN");
        }
    }
    execute("COMMIT");
}

fn create(path: &Path) -> File {
    File::create(path).expect("the file can be created")
}
