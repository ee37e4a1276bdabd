//! The bank: balances and decisions against a plain computation, and reading beside a running process.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use super::workspace::{Workspace, rows};

/// Funds of an account at its beginning.
const FUNDS: i64 = 5000;

pub(super) fn balances_agree_with_a_plain_computation() {
    balances_agree_in("bank");
}

pub(super) fn modules_agree_with_a_plain_computation() {
    balances_agree_in("bank-typescript");
}

fn balances_agree_in(catalog: &str) {
    let workspace = Workspace::new(catalog);
    workspace.run_until_idle();
    compare(&workspace, 10_000);
    workspace.run_until_idle();
    compare(&workspace, 10_000);
}

/// Compares every collection and table with what the transfers say.
pub(super) fn compare(workspace: &Workspace, count: usize) {
    let transfers = transfers(workspace, count);
    let balances = balances(&transfers);
    let reduced = workspace.read("bank/balances", &["--reduce"]);
    let found: Vec<Vec<Value>> = reduced
        .iter()
        .map(|document| vec![document["account"].clone(), document["balance"].clone()])
        .collect();
    assert_eq!(found, balances, "the collection of balances");
    let database = workspace.database("out/bank.db");
    let found = rows(&database, "SELECT account, balance FROM balances ORDER BY account");
    assert_eq!(found, balances, "the table of balances");

    let decisions = decisions(&transfers);
    let published = workspace.read("bank/decisions", &[]);
    assert_eq!(published.len(), count, "one decision a transfer");
    let fields = ["id", "account", "amount", "funds", "outcome"];
    let mut found: Vec<Vec<Value>> = published
        .iter()
        .map(|document| fields.map(|field| document[field].clone()).to_vec())
        .collect();
    found.sort_by_key(|row| row.first().and_then(Value::as_i64));
    assert_eq!(found, decisions, "the collection of decisions");
    let query = "SELECT id, account, amount, funds, outcome FROM decisions ORDER BY id";
    assert_eq!(rows(&database, query), decisions, "the table of decisions");
}

/// A transfer: id, sender, recipient and amount.
type Transfer = (i64, String, String, i64);

/// The captured transfers by id; each must be there exactly once.
fn transfers(workspace: &Workspace, count: usize) -> Vec<Transfer> {
    let transfer = |document: &Value| {
        let number = |field: &str| document[field].as_i64().expect("it is a whole number");
        let text = |field: &str| document[field].as_str().expect("it is a text").to_owned();
        (number("id"), text("sender"), text("recipient"), number("amount"))
    };
    let mut transfers: Vec<Transfer> =
        workspace.read("bank/transfers", &[]).iter().map(transfer).collect();
    transfers.sort();
    let ids: Vec<i64> = transfers.iter().map(|(id, ..)| *id).collect();
    let last = i64::try_from(count).expect("it is small");
    assert!(ids.iter().copied().eq(1..=last), "each transfer is captured exactly once");
    transfers
}

fn balances(transfers: &[Transfer]) -> Vec<Vec<Value>> {
    let mut balances: BTreeMap<&str, i64> = BTreeMap::new();
    for (_, sender, recipient, amount) in transfers {
        *balances.entry(sender).or_default() -= amount;
        *balances.entry(recipient).or_default() += amount;
    }
    balances.into_iter().map(|(account, balance)| vec![json!(account), json!(balance)]).collect()
}

fn decisions(transfers: &[Transfer]) -> Vec<Vec<Value>> {
    let mut accounts: BTreeMap<&str, i64> = BTreeMap::new();
    let mut decisions = Vec::with_capacity(transfers.len());
    for (id, sender, _, amount) in transfers {
        let funds = accounts.entry(sender).or_insert(FUNDS);
        let outcome = if amount <= funds { "approved" } else { "denied" };
        decisions.push(vec![
            json!(id),
            json!(sender),
            json!(amount),
            json!(*funds),
            json!(outcome),
        ]);
        if amount <= funds {
            *funds -= amount;
        }
    }
    decisions
}

pub(super) fn read_sees_whole_transactions_only() {
    let workspace = Workspace::new("bank");
    workspace.edit("flow.yaml", "count: 10000", "count: 60000\n          rate: 20000");
    let mut process = workspace
        .command(&["run", "--until-idle", "--log-format", "json"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let stderr = process.stderr.take().expect("it is piped");
    let mut reads = Vec::new();
    for line in BufReader::new(stderr).lines() {
        let line = line.expect("the pipe can be read");
        if !line.contains("\"committed\"") || !line.contains("bank/balances") || reads.len() > 8 {
            continue;
        }
        let documents = workspace.read("bank/balances", &[]);
        let is_running = process.try_wait().expect("it is our child").is_none();
        let sum: i64 = documents
            .iter()
            .map(|document| document["balance"].as_i64().expect("it is a whole number"))
            .sum();
        assert_eq!(sum, 0, "a transaction has the debit and the credit of each transfer");
        reads.push((documents.len(), is_running));
    }
    assert!(process.wait().expect("it is our child").success());
    assert!(reads.iter().any(|(count, is_running)| *count > 0 && *is_running), "{reads:?}");
    assert!(reads.is_sorted_by_key(|(count, _)| *count), "what was read stays: {reads:?}");
    compare(&workspace, 60_000);
}
