//! Transfers to a table of what each account sent, end to end through the release binary, beside DuckDB.
//!
//! `cargo bench --bench table [-- COUNT]` measures two jobs over 2,000,000 transfers (or COUNT) in a file of JSON lines: the
//! materialization alone, from a collection on disk, and the same with the capture before it. DuckDB reads the same file and
//! groups it into a table of its own; it is asked through Python, and left out when `import duckdb` does not work there. Both
//! take turns, five times each; the answers are compared. Journals are not compressed, durability is full.

#![allow(clippy::print_stdout, reason = "a bench prints what it measures")]

mod measure;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use measure::{Measured, measure, median};

const COUNT: u64 = 2_000_000;
const ROUNDS: usize = 5;
const ACCOUNTS: u64 = 100_000;

const CATALOG: &str = "
captures:
  bank/file:
    endpoint:
      connector:
        image: tidegate/source-file:v1
        config: { path: transfers.jsonl }
    bindings:
      - resource: { stream: transfers.jsonl }
        target: bank/transfers

collections:
  bank/transfers:
    schema:
      type: object
      properties:
        id: { type: integer }
        sender: { type: string }
        recipient: { type: string }
        amount: { type: integer, minimum: 1, reduce: { strategy: sum } }
      required: [id, sender, recipient, amount]
      reduce: { strategy: merge }
    key: [/id]
    journals: { fragments: { compressionCodec: NONE } }

materializations:
  bank/tables:
    endpoint:
      connector:
        image: tidegate/materialize-sqlite:v1
        config: { path: out.db }
    bindings:
      - source: bank/transfers
        resource: { table: sent }
        fields: { groupBy: [sender], recommended: false, include: { amount: {} } }
";

const DUCKDB: &str = "
import duckdb, os
if os.path.exists('duck.db'): os.remove('duck.db')
duck = duckdb.connect('duck.db')
duck.execute('SET threads = 1')
duck.execute('''CREATE TABLE sent AS SELECT sender, sum(amount)::BIGINT AS amount
    FROM read_json('transfers.jsonl', format = 'newline_delimited', columns = {
        id: 'BIGINT', sender: 'VARCHAR', recipient: 'VARCHAR', amount: 'BIGINT'})
    GROUP BY sender''')
with open('duck.txt', 'w') as out:
    out.write(str(duck.execute('SELECT count(*), sum(amount) FROM sent').fetchone()))
duck.close()
";

fn main() {
    let count = std::env::args().find_map(|text| text.parse().ok()).unwrap_or(COUNT);
    let directory = tempfile::tempdir().expect("a temporary directory can be created");
    let directory = directory.path();
    let total = write_transfers(&directory.join("transfers.jsonl"), count);
    fs::write(directory.join("flow.yaml"), CATALOG).expect("the catalog can be written");
    let has_duckdb = has_duckdb();
    let (mut alone, mut whole, mut duck) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let _ = fs::remove_dir_all(directory.join(".tidegate"));
        forget_table(directory);
        whole.push(measure(&mut tidegate(directory)));
        check_answer(directory, total);
        forget_table(directory);
        alone.push(measure(tidegate(directory).args(["--task", "bank/tables"])));
        check_answer(directory, total);
        if has_duckdb {
            duck.push(measure(Command::new("python3").args(["-c", DUCKDB]).current_dir(directory)));
            let answer = fs::read_to_string(directory.join("duck.txt")).unwrap_or_default();
            assert!(answer.ends_with(&format!(", {total})")), "DuckDB says {answer}");
        }
    }
    println!(
        "{count} transfers of {ACCOUNTS} accounts, the median of {ROUNDS} runs by CPU seconds"
    );
    println!("{:<24} {:>8} {:>8} {:>12} {:>10}", "", "seconds", "CPU", "per CPU s", "peak MiB");
    let duck = (!duck.is_empty()).then(|| median(duck));
    for (job, measured) in [
        ("materialization alone", Some(median(alone))),
        ("with the capture", Some(median(whole))),
        ("DuckDB, one thread", duck),
    ] {
        let Some(measured) = measured else { continue };
        print(job, measured, count, duck);
    }
    if !has_duckdb {
        println!("DuckDB was left out: python3 cannot import duckdb");
    }
}

fn print(job: &str, measured: Measured, count: u64, duck: Option<Measured>) {
    let Measured { seconds, cpu_seconds, peak_mib } = measured;
    let rate = count as f64 / cpu_seconds;
    let ratio = duck.map_or_else(String::new, |duck| {
        format!("  {:.2}x DuckDB", duck.cpu_seconds / cpu_seconds)
    });
    println!("{job:<24} {seconds:>8.2} {cpu_seconds:>8.2} {rate:>12.0} {peak_mib:>10.0}{ratio}");
}

/// Writes the transfers and gives the sum of their amounts.
fn write_transfers(path: &Path, count: u64) -> u64 {
    let mut state: u64 = 42;
    let mut draw = |bound: u64| {
        // The multiplier of Knuth's MMIX, whose upper bits are random enough here.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let (mut text, mut total) = (String::new(), 0);
    for id in 1..=count {
        let (sender, recipient, amount) = (draw(ACCOUNTS), draw(ACCOUNTS), 1 + draw(1000));
        total += amount;
        writeln!(
            text,
            "{{\"id\":{id},\"sender\":\"account-{sender:06}\",\"recipient\":\"account-{recipient:06}\",\"amount\":{amount}}}"
        )
        .expect("memory takes text");
    }
    fs::write(path, text).expect("the transfers can be written");
    total
}

fn has_duckdb() -> bool {
    let mut python = Command::new("python3");
    let python = python.args(["-c", "import duckdb"]).stderr(Stdio::null()).status();
    python.is_ok_and(|status| status.success())
}

fn tidegate(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    command.args(["run", "--until-idle", "--data", ".tidegate"]).current_dir(directory);
    command.stderr(Stdio::null());
    command
}

/// The endpoint is the authority: without its database everything is read from the beginning.
fn forget_table(directory: &Path) {
    for file in ["out.db", "out.db-wal", "out.db-shm"] {
        let _ = fs::remove_file(directory.join(file));
    }
}

/// What all accounts sent is the sum of all amounts.
fn check_answer(directory: &Path, total: u64) {
    let database =
        rusqlite::Connection::open(directory.join("out.db")).expect("the table is there");
    let sum: i64 = database
        .query_row("SELECT sum(amount) FROM sent", (), |row| row.get(0))
        .expect("the table has amounts");
    assert_eq!(sum.unsigned_abs(), total, "the table differs from the transfers");
}
