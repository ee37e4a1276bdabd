//! Questions about every byte of broken and whole catalogs: none of them panics, and every answer lies inside its file.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use url::Url;

use super::{completions, definition, hover, references, symbols};
use crate::Request;
use crate::session::Session;
use crate::source::{Range, SourceFile};
use crate::world::MemoryWorld;

const TEXTS: [&str; 4] = [
    "import: [a.yaml, ünbekannt\ncollections:\n  acme/a: {schema: {$ref: '#/$defs/é', properties: {x: {}}}, key: [/x,\n",
    "collections:\n  acme/a:\n    schema: s.yaml#/$defs/x\n    key: [/id, \"/na\\u006de\"]\n    derive:\n      using: {sqlite: {}}\n      \
     transforms:\n        - name: 𝄞\n          source: acme/a\n          shuffle: {key: [/id]}\n          lambda: |\n            \
     SELECT $id, :name, $\n\n",
    "- - - x\n- {a: [b, {c: 'd\n",
    "\t\n\u{feff}: :\n? [x]\n: *a\n",
];

fn is_inside(file: &SourceFile, range: Range) -> bool {
    file.text.get(range.as_usize()).is_some()
}

#[test]
fn every_place_has_an_answer_or_none() {
    let root = Url::parse("file:///c/").unwrap();
    for text in TEXTS {
        let mut world = MemoryWorld::default();
        let entry = root.join("flow.yaml").unwrap();
        world.insert(&entry, text.as_bytes());
        world.insert(
            &root.join("s.yaml").unwrap(),
            b"$defs: {x: {type: object, properties: {id: {}}}}",
        );
        let request = Request { entry, root: root.clone() };
        let snapshot = Session::default().snapshot(&world, &request);
        let sources = &snapshot.compilation.sources;
        for (id, file) in sources.files() {
            for symbol in symbols(&snapshot, id) {
                assert!(is_inside(file, symbol.range) && is_inside(file, symbol.name_range));
            }
            for offset in 0..=u32::try_from(file.text.len()).unwrap() + 1 {
                if let Some(hover) = hover(&snapshot, id, offset) {
                    assert!(is_inside(file, hover.range));
                }
                let spans = references(&snapshot, id, offset);
                for span in spans.into_iter().chain(definition(&snapshot, id, offset)) {
                    assert!(is_inside(sources.file(span.file), span.range));
                }
                for completion in completions(&snapshot, id, offset) {
                    assert!(is_inside(file, completion.range));
                }
            }
        }
    }
}
