//! The fuzz targets as plain functions; they panic when what they look at does not hold.

use serde_json::Value;
use tidegate_stdlib::document::{Builder, Document, Parser};
use tidegate_stdlib::reduce::Reducer;
use tidegate_stdlib::schema::Schema;
use tidegate_stdlib::shape::Shape;
use tidegate_stdlib::value;

/// Both parsers accept the same texts and give the same documents, whose text gives them again.
pub fn documents(text: &[u8]) {
    let mut builder = Builder::default();
    let read = Parser::default().parse(text, &mut builder).map(|()| builder.finish());
    let strict = value::parse(text);
    match (read, strict) {
        (Ok(document), Ok(value)) => {
            let canonical = document.root().to_string();
            assert_eq!(canonical, value::to_text(&value), "the parsers read different documents");
            let mut again = Builder::default();
            let parsed = Parser::default().parse(canonical.as_bytes(), &mut again);
            assert_eq!(parsed, Ok(()), "the canonical text is refused: {canonical}");
            assert_eq!(again.root().to_string(), canonical, "the canonical text is another one");
        }
        (Err(failure), Err(strict)) => assert_eq!(failure, strict),
        (read, strict) => panic!("one parser refuses the text: {read:?}, {strict:?}"),
    }
}

/// The first item of an array is compiled as a schema, the others are validated with it.
pub fn schemas(text: &[u8]) {
    let Ok(Value::Array(items)) = value::parse(text) else { return };
    let Some((schema, documents)) = items.split_first() else { return };
    let shape = Shape::infer(schema);
    shape.inspect();
    let Ok(compiled) = Schema::compile(schema) else { return };
    for document in documents {
        let owned = Document::from_value(document);
        let is_valid = compiled.is_valid_node(owned.root());
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
