//! A catalog of any size: collections of 26 properties each, every second one a SQLite derivation of the one before, each with a
//! materialization binding, in one file per 5 collections. The generator is seeded, so each run writes the same text.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const COLLECTIONS_IN_FILE: usize = 5;
const PROPERTIES: usize = 26;
const SEED: u64 = 42;

/// Writes the catalog; gives its files and bytes.
pub(crate) fn write_catalog(directory: &Path, collections: usize) -> (usize, usize) {
    let mut draw = Draw { state: SEED };
    let mut imports = String::from("import:\n");
    let (mut files, mut bytes) = (1, 0);
    for begin in (0..collections).step_by(COLLECTIONS_IN_FILE) {
        let numbers = begin..collections.min(begin + COLLECTIONS_IN_FILE);
        let name = format!("part-{:04}.flow.yaml", begin / COLLECTIONS_IN_FILE);
        let mut text = String::new();
        if begin > 0 {
            let before = begin / COLLECTIONS_IN_FILE - 1;
            let _ = writeln!(text, "import: [part-{before:04}.flow.yaml]");
        }
        push_declarations(numbers, &mut draw, &mut text);
        bytes += text.len();
        files += 1;
        let _ = writeln!(imports, "  - {name}");
        fs::write(directory.join(name), text).expect("the file can be written");
    }
    fs::write(directory.join("flow.yaml"), &imports).expect("the file can be written");
    (files, bytes + imports.len())
}

/// Adds a file of as many collections to a catalog; gives its text. It has about 40 lines a collection.
#[allow(dead_code, reason = "not every bench needs it")]
pub(crate) fn add_file(directory: &Path, name: &str, numbers: std::ops::Range<usize>) -> String {
    let mut text = String::new();
    push_declarations(numbers, &mut Draw { state: SEED }, &mut text);
    let entry = directory.join("flow.yaml");
    let imports = fs::read_to_string(&entry).expect("the catalog is there");
    fs::write(&entry, format!("{imports}  - {name}\n")).expect("the file can be written");
    fs::write(directory.join(name), &text).expect("the file can be written");
    text
}

fn push_declarations(numbers: std::ops::Range<usize>, draw: &mut Draw, text: &mut String) {
    text.push_str("collections:\n");
    numbers.clone().for_each(|number| push_collection(number, draw, text));
    push_materialization(numbers, text);
}

fn push_collection(number: usize, draw: &mut Draw, text: &mut String) {
    let _ = write!(
        text,
        "  generated/c{number:05}:\n    schema:\n      $defs:\n        address:\n          type: object\n          \
         properties:\n            street: {{ type: string, maxLength: 200 }}\n            city: {{ type: string }}\n\
         \x20     type: object\n      properties:\n        id: {{ type: integer }}\n"
    );
    for property in 1..PROPERTIES {
        let form = draw.one_of(&[
            "{ type: string, title: A text, description: Some text of the record. }",
            "{ type: integer, minimum: 0, maximum: 1000000 }",
            "{ type: [number, \"null\"], description: A measure that may be missing. }",
            "{ type: string, format: date-time }",
            "{ enum: [open, closed, pending] }",
            "{ $ref: \"#/$defs/address\" }",
            "{ type: array, items: { type: string } }",
            "{ type: object, properties: { inner: { type: boolean }, deep: { type: string } } }",
        ]);
        let _ = writeln!(text, "        property{property:02}: {form}");
    }
    text.push_str(
        "      required: [id]\n    key: [/id]\n    projections: { first: /property01 }\n",
    );
    if number % 2 == 1 {
        let _ = write!(
            text,
            "    derive:\n      using: {{ sqlite: {{}} }}\n      transforms:\n        - name: fromBefore\n          \
             source: generated/c{:05}\n          shuffle: any\n          lambda: |\n            \
             SELECT $id AS id, 'open' AS note WHERE $first IS NOT NULL;\n",
            number - 1
        );
    }
}

fn push_materialization(numbers: std::ops::Range<usize>, text: &mut String) {
    let _ = write!(
        text,
        "materializations:\n  generated/m{:05}:\n    endpoint:\n      connector:\n        \
         image: tidegate/materialize-sqlite:v1\n        config: {{ path: out/{:05}.db }}\n    bindings:\n",
        numbers.start, numbers.start
    );
    for number in numbers {
        let _ = writeln!(
            text,
            "      - source: generated/c{number:05}\n        resource: {{ table: c{number:05} }}"
        );
    }
}

/// Random numbers that are the same in each run.
struct Draw {
    state: u64,
}

impl Draw {
    fn one_of<'c>(&mut self, choices: &[&'c str]) -> &'c str {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let index = (self.state >> 33) as usize % choices.len();
        choices.get(index).copied().expect("the index is below the length")
    }
}
