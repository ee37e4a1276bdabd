//! How the server behaves: beginning and end, what cannot be understood, and what changes.

use std::path::Path;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::client::Client;

const CATALOG: &str = "\
collections:
  acme/orders:
    schema: {type: object, properties: {id: {type: integer}}, required: [id]}
    key: [/id]
    derive:
      using: {sqlite: {}}
      transforms:
        - name: copy
          source: acme/order
          shuffle: any
          lambda: SELECT $id;
";

/// What is shown over a directory.
type Habit = fn(&Path);

/// One test a habit.
pub(crate) fn tests() -> Vec<Trial> {
    let habits: [(&str, Habit); 10] = [
        ("the first request is initialize", begins_with_initialize),
        ("exit without shutdown is a failure", exits_without_shutdown),
        ("what is malformed is refused, and what follows is answered", refuses_malformed),
        ("findings follow the buffer and are cleared", follows_the_buffer),
        ("columns are counted as was agreed", counts_columns),
        ("edits of ranges are applied in order", applies_ranges),
        ("files of the disk are read again", reads_files_again),
        ("a request that waits can be cancelled", cancels),
        ("pages of rules are opened by clients that can", opens_pages),
        ("an open file belongs to the catalog around it", finds_the_catalog_around),
    ];
    habits
        .into_iter()
        .map(|(name, habit)| {
            Trial::test(format!("lsp::{name}"), move || {
                let directory = tempfile::tempdir()?;
                let root = directory.path().canonicalize()?;
                habit(&root);
                Ok(())
            })
        })
        .collect()
}

fn write(root: &Path, path: &str, text: &str) {
    std::fs::write(root.join(path), text).expect("there is room");
}

/// The rules of what is published about a file.
fn rules(client: &Client, path: &str) -> Vec<String> {
    let published = client.diagnostics.get(&client.uri(path));
    let codes = published.into_iter().flatten().filter_map(|item| item.get("code"));
    codes.filter_map(|code| code.as_str().map(str::to_owned)).collect()
}

/// The line and the two columns of a range.
type Place = (Option<u64>, Option<u64>, Option<u64>);

/// The first published range of a file.
fn place(client: &Client, path: &str) -> Option<Place> {
    let item = client.diagnostics.get(&client.uri(path))?.first()?;
    let number = |pointer| item.pointer(pointer).and_then(Value::as_u64);
    Some((
        number("/range/start/line"),
        number("/range/start/character"),
        number("/range/end/character"),
    ))
}

fn begins_with_initialize(root: &Path) {
    let mut client = Client::spawn(root);
    let code = |refusal: Value| refusal.get("code").and_then(Value::as_i64);
    let early = client.request("textDocument/hover", &json!({}));
    assert_eq!(early.map_err(code), Err(Some(-32002)));
    let params = json!({"capabilities": {}, "rootUri": null});
    let result = client.request("initialize", &params).expect("it begins");
    assert_eq!(result.pointer("/capabilities/positionEncoding"), Some(&json!("utf-16")));
    assert_eq!(client.request("initialize", &params).map_err(code), Err(Some(-32600)));
    assert_eq!(client.request("no/suchMethod", &json!({})).map_err(code), Err(Some(-32601)));
    let shapeless = client.request("textDocument/hover", &json!({"position": 3}));
    assert_eq!(shapeless.map_err(code), Err(Some(-32602)));
    assert_eq!(client.stop(), Some(0));
}

fn exits_without_shutdown(root: &Path) {
    let mut client = Client::start(root, &[]);
    client.notify("exit", &Value::Null);
    assert_eq!(client.wait(), Some(1));
    assert_eq!(Client::start(root, &[]).hang_up(), Some(1));
}

fn opens_pages(root: &Path) {
    write(root, "flow.yaml", CATALOG);
    let description = |client: &mut Client| {
        client.settle();
        let published =
            client.diagnostics.get(&client.uri("flow.yaml")).and_then(|all| all.first());
        published.and_then(|found| found.pointer("/codeDescription/href").cloned())
    };
    assert_eq!(description(&mut Client::start(root, &[])), None);
    let mut client = Client::spawn(root);
    let options = json!({"rulePages": true});
    let root_uri = client.uri("");
    let params = json!({"capabilities": {}, "rootUri": root_uri, "initializationOptions": options});
    let result = client.request("initialize", &params).expect("it begins");
    assert_eq!(result.pointer("/capabilities/experimental/rulePages"), Some(&json!(true)));
    client.notify("initialized", &json!({}));
    let uri = description(&mut client).expect("the client opens pages");
    assert_eq!(uri, json!("tidegate-rule:/unknown-collection.md"));
    let page = client.request("tidegate/rulePage", &json!({"uri": uri})).expect("it is answered");
    let page = page.as_str().expect("there is such a rule");
    assert!(page.starts_with("# unknown-collection: "), "{page}");
    assert!(page.contains("```yaml flow.yaml\n"), "{page}");
    for unknown in ["tidegate-rule:/no-such-rule.md", "file:///unknown-collection.md"] {
        let nothing = client.request("tidegate/rulePage", &json!({"uri": unknown}));
        assert_eq!(nothing, Ok(Value::Null));
    }
    assert_eq!(client.stop(), Some(0));
}

fn refuses_malformed(root: &Path) {
    let mut client = Client::start(root, &[]);
    let wrong: [&[u8]; 5] = [
        b"Content-Length: 9\r\n\r\nnot JSON!",
        b"Content-Length: 2\r\n\r\n[]",
        b"Content-Length: many\r\n\r\n",
        b"nonsense\r\n",
        b"\r\n",
    ];
    for bytes in wrong {
        client.send_bytes(bytes);
        let refusal = client.answer(&Value::Null).expect_err("it cannot be understood");
        assert_eq!(refusal.get("code"), Some(&json!(-32700)));
    }
    client.notify("textDocument/didChange", &json!({"contentChanges": "none"}));
    client.notify("no/suchNotification", &json!(7));
    client.settle();
    assert_eq!(client.stop(), Some(0));
}

fn follows_the_buffer(root: &Path) {
    write(root, "flow.yaml", CATALOG);
    let mut client = Client::start(root, &["utf-16"]);
    client.settle();
    assert_eq!(rules(&client, "flow.yaml"), ["unknown-collection"]);
    let repaired = CATALOG.replace("source: acme/order\n", "source: acme/orders\n");
    client.open("flow.yaml", &repaired);
    client.settle();
    assert!(rules(&client, "flow.yaml").is_empty(), "the buffer is repaired");
    let uri = client.uri("flow.yaml");
    client.notify("textDocument/didClose", &json!({"textDocument": {"uri": uri}}));
    client.settle();
    assert_eq!(rules(&client, "flow.yaml"), ["unknown-collection"], "the disk is not");
    let label = client.diagnostics.values().flatten().next();
    let label = label.and_then(|item| item.pointer("/relatedInformation/0/location/range/start"));
    assert_eq!(label, Some(&json!({"line": 1, "character": 2})));
    assert_eq!(client.stop(), Some(0));
}

fn counts_columns(root: &Path) {
    write(root, "flow.yaml", "{é𝄞: 1, collections: {}}\n");
    for (encodings, columns) in [(["utf-8"], (1, 7)), (["utf-16"], (1, 4))] {
        let mut client = Client::start(root, &encodings);
        client.settle();
        let (start, end) = columns;
        assert_eq!(place(&client, "flow.yaml"), Some((Some(0), Some(start), Some(end))));
        assert_eq!(client.stop(), Some(0));
    }
}

fn applies_ranges(root: &Path) {
    write(root, "flow.yaml", CATALOG);
    let mut client = Client::start(root, &["utf-16"]);
    client.open("flow.yaml", &format!("# 𝄞\n{CATALOG}"));
    let at = |line: u32, character: u32| json!({"line": line, "character": character});
    let insert = |place: Value, text: &str| json!({"range": {"start": place.clone(), "end": place}, "text": text});
    client.change("flow.yaml", &insert(at(9, 28), "s"));
    client.settle();
    assert!(rules(&client, "flow.yaml").is_empty(), "the name is whole now");
    client.change("flow.yaml", &json!({"range": {"start": at(0, 2), "end": at(0, 4)}, "text": ""}));
    client.change("flow.yaml", &insert(at(0, 2), "\nnonsense: "));
    client.settle();
    assert_eq!(rules(&client, "flow.yaml"), ["unknown-field"]);
    assert_eq!(place(&client, "flow.yaml"), Some((Some(1), Some(0), Some(8))));
    assert_eq!(client.stop(), Some(0));
}

fn reads_files_again(root: &Path) {
    write(root, "flow.yaml", "import: [part.flow.yaml]\n");
    let mut client = Client::start(root, &[]);
    client.settle();
    assert_eq!(client.requests.len(), 1, "the server asks for news of files");
    assert_eq!(rules(&client, "flow.yaml"), ["missing-file"]);
    write(root, "part.flow.yaml", "collection: {}\n");
    let uri = client.uri("part.flow.yaml");
    let created = json!({"changes": [{"uri": uri, "type": 1}]});
    client.notify("workspace/didChangeWatchedFiles", &created);
    client.settle();
    assert!(rules(&client, "flow.yaml").is_empty(), "the file is there now");
    assert_eq!(rules(&client, "part.flow.yaml"), ["unknown-field"]);
    assert_eq!(client.stop(), Some(0));
}

fn cancels(root: &Path) {
    write(root, "flow.yaml", CATALOG);
    let mut client = Client::start(root, &[]);
    client.open("flow.yaml", CATALOG);
    let params = json!({"textDocument": {"uri": client.uri("flow.yaml")}});
    let method = "textDocument/documentSymbol";
    client.send(&json!({"jsonrpc": "2.0", "id": "slow", "method": method, "params": params}));
    client.notify("$/cancelRequest", &json!({"id": "slow"}));
    // It may have been answered before; either way there is exactly one answer.
    match client.answer(&json!("slow")) {
        Ok(symbols) => assert!(symbols.is_array()),
        Err(refusal) => assert_eq!(refusal.get("code"), Some(&json!(-32800))),
    }
    client.settle();
    assert_eq!(client.stop(), Some(0));
}

fn finds_the_catalog_around(root: &Path) {
    std::fs::create_dir_all(root.join("elsewhere")).expect("there is room");
    write(root, "flow.yaml", "import: [part.flow.yaml, orders.flow.yaml]\n");
    let part = CATALOG.replace("  acme/orders:", "  acme/copies:").replace("order\n", "orders\n");
    write(root, "part.flow.yaml", &part);
    let collection = CATALOG.split("    derive:").next().unwrap_or_default();
    write(root, "orders.flow.yaml", collection);
    let mut client = Client::start(&root.join("elsewhere"), &[]);
    client.open("../part.flow.yaml", &part);
    client.settle();
    assert!(client.diagnostics.is_empty(), "the other file is known: {:?}", client.diagnostics);
    assert_eq!(client.stop(), Some(0));
}
