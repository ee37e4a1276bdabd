//! What schemas mean, remembered by what they say: a schema that moved in its file, or that two collections have, means what it meant.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use tidegate_stdlib::schema::{Keywords, NormalForm, SchemaFailure};
use tidegate_stdlib::shape::Shape;
use xxhash_rust::xxh3::Xxh3;

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
        let mut digest = Xxh3::new();
        update(&mut digest, schema);
        let compilation = self.compilation.get();
        let mut meanings = self.meanings.borrow_mut();
        let (meaning, used_in) =
            meanings.entry(digest.digest128()).or_insert_with(|| (meaning(schema), compilation));
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

/// Adds a value to a digest so that no two values are one sequence of bytes.
fn update(digest: &mut Xxh3, value: &Value) {
    let text = |digest: &mut Xxh3, text: &str| {
        digest.update(&text.len().to_le_bytes());
        digest.update(text.as_bytes());
    };
    match value {
        Value::Null => digest.update(b"n"),
        Value::Bool(false) => digest.update(b"f"),
        Value::Bool(true) => digest.update(b"t"),
        Value::Number(number) => {
            digest.update(b"d");
            text(digest, &number.to_string());
        }
        Value::String(string) => {
            digest.update(b"s");
            text(digest, string);
        }
        Value::Array(items) => {
            digest.update(b"[");
            digest.update(&items.len().to_le_bytes());
            items.iter().for_each(|item| update(digest, item));
        }
        Value::Object(properties) => {
            digest.update(b"{");
            digest.update(&properties.len().to_le_bytes());
            for (name, value) in properties {
                text(digest, name);
                update(digest, value);
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
