//! The fuzz targets as plain functions; they panic when what they look at does not hold.

use serde_json::Value;
use tidegate_stdlib::document::{Builder, Parser};
use tidegate_stdlib::reduce::Reducer;
use tidegate_stdlib::schema::Schema;
use tidegate_stdlib::shape::Shape;
use tidegate_stdlib::value;

/// Both parsers accept the same lines and give the same documents, whose text gives them again. One parser reads all lines twice, as it
/// does in a run, because it remembers what documents look like.
pub fn documents(text: &[u8]) {
    let (mut parser, mut builder) = (Parser::default(), Builder::default());
    for line in text.split(|byte| *byte == b'\n').chain(text.split(|byte| *byte == b'\n')) {
        builder.clear();
        let read = parser.parse(line, &mut builder);
        match (read, value::parse(line)) {
            (Ok(()), Ok(value)) => {
                let canonical = builder.root().to_string();
                assert_eq!(
                    canonical,
                    value::to_text(&value),
                    "the parsers read different documents"
                );
                builder.clear();
                let parsed = parser.parse(canonical.as_bytes(), &mut builder);
                assert_eq!(parsed, Ok(()), "the canonical text is refused: {canonical}");
                assert_eq!(
                    builder.root().to_string(),
                    canonical,
                    "the canonical text is another one"
                );
            }
            (Err(failure), Err(strict)) => assert_eq!(failure, strict),
            (read, strict) => panic!("one parser refuses the text: {read:?}, {strict:?}"),
        }
    }
}

/// The first item of an array is compiled as a schema, the others are validated with it. They are read twice by one parser, so that
/// the second time what they look like is known.
pub fn schemas(text: &[u8]) {
    let Ok(Value::Array(items)) = value::parse(text) else { return };
    let Some((schema, documents)) = items.split_first() else { return };
    let shape = Shape::infer(schema);
    shape.inspect();
    let Ok(compiled) = Schema::compile(schema) else { return };
    let (mut parser, mut builder) = (Parser::default(), Builder::default());
    for document in documents.iter().chain(documents) {
        builder.clear();
        let read = parser.parse(value::to_text(document).as_bytes(), &mut builder);
        assert_eq!(read, Ok(()), "a document is refused: {document}");
        let is_valid = compiled.is_valid_node(builder.root());
        match compiled.validate(document) {
            Ok(()) => assert!(is_valid, "a violation cannot be told"),
            Err(violation) => {
                assert!(!is_valid, "a valid document is refused: {violation:?}");
                let place = &violation.instance_pointer;
                assert!(document.pointer(place).is_some(), "nothing is at `{place}`");
            }
        }
    }
    Reducer::new(schema).expect("a sound schema has a reducer");
}
