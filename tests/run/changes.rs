//! What a change of the catalog does over a data directory that is not empty.

use serde_json::Value;

use super::workspace::Workspace;

/// A transform whose documents tell which one made them.
#[derive(Clone, Copy)]
struct Transform {
    name: &'static str,
    mark: char,
    backfill: u32,
    /// Bounds of time at its source, as the catalog writes them.
    bounds: &'static str,
}

const fn transform(name: &'static str, mark: char) -> Transform {
    Transform { name, mark, backfill: 0, bounds: "" }
}

impl Transform {
    fn yaml(&self) -> String {
        let Self { name, mark, backfill, bounds } = self;
        format!(
            "        - name: {name}
          source: {{ name: acme/source{bounds} }}
          shuffle: any
          backfill: {backfill}
          lambda: SELECT $id, '{mark}' AS mark;
"
        )
    }
}

fn catalog(transforms: &[Transform]) -> String {
    let transforms: String = transforms.iter().map(Transform::yaml).collect();
    format!(
        "collections:
  acme/source:
    schema: {{ type: object, properties: {{ id: {{ type: integer }} }}, required: [id] }}
    key: [/id]
  acme/derived:
    schema:
      type: object
      properties: {{ id: {{ type: integer }}, mark: {{ type: string }} }}
      required: [id, mark]
    key: [/id]
    derive:
      using: {{ sqlite: {{}} }}
      transforms:
{transforms}captures:
  acme/file:
    endpoint: {{ connector: {{ image: tidegate/source-file, config: {{ path: in.jsonl }} }} }}
    bindings: [{{ resource: {{}}, target: acme/source }}]
"
    )
}

/// A data directory, and how much of the derived collection was looked at.
struct Changing {
    workspace: Workspace,
    seen: usize,
    /// What the last run said beside its results.
    told: String,
}

impl Changing {
    fn new() -> Self {
        Self { workspace: Workspace::of(""), seen: 0, told: String::new() }
    }

    /// The source has this many documents from now on.
    fn grow(&self, documents: usize) {
        let lines: String = (1..=documents).map(|id| format!("{{\"id\":{id}}}\n")).collect();
        self.workspace.write("in.jsonl", &lines);
    }

    /// Runs with these transforms; what they published, as `1A 2A`.
    fn run(&mut self, transforms: &[Transform]) -> String {
        self.workspace.write("flow.yaml", &catalog(transforms));
        self.told = self.workspace.run_until_idle().stderr;
        let derived = self.workspace.read("acme/derived", &[]);
        let new = derived.iter().skip(self.seen);
        let words: Vec<String> = new
            .map(|document| {
                let mark = document["mark"].as_str().expect("a mark is text");
                format!("{}{mark}", document["id"])
            })
            .collect();
        self.seen = derived.len();
        words.join(" ")
    }
}

pub(super) fn of_transforms_act_as_documented() {
    let mut changing = Changing::new();
    let (one, two) = (transform("one", 'A'), transform("two", 'B'));
    let uno = Transform { name: "uno", ..one };
    let changed = Transform { mark: 'Z', ..uno };
    let again = Transform { backfill: 1, ..changed };
    changing.grow(2);
    assert_eq!(changing.run(&[one]), "1A 2A");
    assert_eq!(changing.run(&[one]), "", "nothing is new");
    assert_eq!(changing.run(&[one, two]), "1B 2B", "two is added");
    changing.grow(3);
    assert_eq!(changing.run(&[two]), "3B", "one is removed");
    assert_eq!(changing.run(&[one, two]), "3A", "it kept its position");
    assert!(!changing.told.contains("from the start"), "{}", changing.told);
    assert_eq!(changing.run(&[uno, two]), "1A 2A 3A", "one is renamed");
    let told = "transform `uno` of `acme/derived` reads `acme/source` from the start: it is new, and `one`, which had read it, is gone";
    assert!(changing.told.contains(told), "{}", changing.told);
    changing.grow(4);
    assert_eq!(changing.run(&[changed, two]), "4Z 4B", "a new lambda");
    assert_eq!(changing.run(&[again, two]), "1Z 2Z 3Z 4Z", "a backfill");
    assert!(!changing.told.contains("from the start"), "{}", changing.told);
    assert_eq!(changing.run(&[again, two]), "", "it acts once");
}

/// What a bound of time kept away stays unread when the bound is moved, and what was read stays published.
pub(super) fn of_bounds_act_on_later_documents() {
    let mut changing = Changing::new();
    let open = transform("one", 'A');
    let before = Transform { bounds: ", notAfter: 2001-01-01T00:00:00Z", ..open };
    let later = Transform { bounds: ", notBefore: 2999-01-01T00:00:00Z", ..open };
    changing.grow(2);
    assert_eq!(changing.run(&[before]), "", "both came after the bound");
    changing.grow(3);
    assert_eq!(changing.run(&[open]), "3A", "the bound is gone");
    changing.grow(4);
    assert_eq!(changing.run(&[later]), "", "a bound that is not reached yet");
    changing.grow(5);
    assert_eq!(changing.run(&[open]), "5A", "the fourth was passed over");
    assert_eq!(changing.run(&[Transform { backfill: 1, ..open }]), "1A 2A 3A 4A 5A", "a backfill");
}

/// Decisions depend on the order of transfers, so a copy must read them in the order of the first run.
pub(super) fn a_later_copy_derives_the_same() {
    let workspace = Workspace::new("bank");
    workspace.edit("decide.sql", "5000", "20");
    workspace.edit("flow.yaml", "count: 10000", "count: 1500");
    workspace.run_until_idle();
    workspace.edit("flow.yaml", "count: 1500", "count: 4000");
    workspace.run_until_idle();
    let flow = std::fs::read_to_string(workspace.path("flow.yaml")).expect("it is there");
    let begin = flow.find("  bank/decisions:").expect("the catalog has it");
    let end = flow.find("materializations:").expect("the catalog has them");
    let copy = flow[begin..end].replace("bank/decisions", "bank/copy");
    workspace.edit("flow.yaml", "materializations:", &format!("{copy}materializations:"));
    workspace.run_until_idle();
    let reduced = |collection: &str| {
        let mut documents = workspace.read(collection, &["--reduce"]);
        documents.iter_mut().for_each(|document| document["_meta"] = Value::Null);
        documents
    };
    let decisions = reduced("bank/decisions");
    assert_eq!(decisions.len(), 4000);
    assert!(decisions.iter().any(|decision| decision["outcome"] == "denied"));
    assert_eq!(decisions, reduced("bank/copy"));
}
