//! What schemas mean, remembered by what they say: a schema that moved in its file, or that two collections have, means what it meant.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use tidegate_stdlib::schema::{Keywords, NormalForm, SchemaFailure};
use tidegate_stdlib::shape::Shape;
use xxhash_rust::xxh3::xxh3_128;

/// What a schema means.
#[derive(Debug, Clone)]
pub(super) struct Meaning {
    pub(super) shape: Arc<Shape>,
    pub(super) faults: Arc<[SchemaFailure]>,
    pub(super) keywords: Keywords,
}

/// The meanings of schemas by the digest of what they say.
#[derive(Debug, Default)]
pub struct SchemaMemo {
    compilation: Cell<u64>,
    meanings: RefCell<BTreeMap<u128, (Meaning, u64)>>,
}

impl SchemaMemo {
    /// Begins a compilation and drops what many did not use. Of a schema that is being edited, the versions before may come back.
    pub fn begin_compilation(&self) {
        const KEPT_COMPILATIONS: u64 = 8;
        let compilation = self.compilation.get() + 1;
        self.compilation.set(compilation);
        let oldest = compilation.saturating_sub(KEPT_COMPILATIONS);
        self.meanings.borrow_mut().retain(|_, (_, used_in)| *used_in >= oldest);
    }

    /// What a bundled schema means.
    pub(super) fn meaning(&self, schema: &Value) -> Meaning {
        let mut bytes = Vec::new();
        write(&mut bytes, schema);
        let compilation = self.compilation.get();
        let mut meanings = self.meanings.borrow_mut();
        let (meaning, used_in) =
            meanings.entry(xxh3_128(&bytes)).or_insert_with(|| (meaning(schema), compilation));
        *used_in = compilation;
        meaning.clone()
    }
}

fn meaning(schema: &Value) -> Meaning {
    // The normal form is larger than the schema, and not needed any more.
    let normal = NormalForm::new(schema);
    Meaning {
        shape: Arc::new(Shape::of(&normal)),
        faults: normal.faults().into(),
        keywords: normal.keywords(),
    }
}

/// Adds a value to the bytes of a digest so that no two values are one sequence of bytes.
fn write(bytes: &mut Vec<u8>, value: &Value) {
    let text = |bytes: &mut Vec<u8>, text: &str| {
        bytes.extend_from_slice(&text.len().to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    };
    match value {
        Value::Null => bytes.push(b'n'),
        Value::Bool(false) => bytes.push(b'f'),
        Value::Bool(true) => bytes.push(b't'),
        Value::Number(number) => {
            bytes.push(b'd');
            text(bytes, &number.to_string());
        }
        Value::String(string) => {
            bytes.push(b's');
            text(bytes, string);
        }
        Value::Array(items) => {
            bytes.push(b'[');
            bytes.extend_from_slice(&items.len().to_le_bytes());
            items.iter().for_each(|item| write(bytes, item));
        }
        Value::Object(properties) => {
            bytes.push(b'{');
            bytes.extend_from_slice(&properties.len().to_le_bytes());
            for (name, value) in properties {
                text(bytes, name);
                write(bytes, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::SchemaMemo;

    #[test]
    fn equal_schemas_share_their_meaning_and_others_do_not() {
        let memo = SchemaMemo::default();
        memo.begin_compilation();
        let first = memo.meaning(&json!({"type": "object", "required": ["a", "b"]}));
        let again = memo.meaning(&json!({"required": ["a", "b"], "type": "object"}));
        let other = memo.meaning(&json!({"required": ["ab"], "type": "object"}));
        assert!(Arc::ptr_eq(&first.shape, &again.shape));
        assert!(!Arc::ptr_eq(&first.shape, &other.shape));
        for _ in 0..9 {
            memo.begin_compilation();
        }
        assert!(memo.meanings.borrow().is_empty());
    }
}
