//! What a module asks to be committed with its transaction.

use serde_json::{Map, Value};

use super::{ScriptFailure, ScriptFailureKind};

/// A change of the state of a derivation.
#[derive(Debug, Clone, PartialEq)]
pub struct StateUpdate {
    /// The new state, or what changes of it.
    pub updated: Value,
    /// Whether it is a change (RFC 7396).
    pub merge_patch: bool,
}

impl StateUpdate {
    /// What `startCommit` gave, if it is something.
    ///
    /// # Errors
    /// A `state` that does not say what to commit.
    pub fn given(value: &Value) -> Result<Option<Self>, ScriptFailure> {
        let Some(state) = value.get("state").filter(|state| !state.is_null()) else {
            return Ok(None);
        };
        let Some(updated) = state.get("updated") else {
            let message = "`startCommit` gave a `state` without `updated`";
            return Err(ScriptFailure::new(ScriptFailureKind::Output, message));
        };
        let merge_patch = state.get("mergePatch") == Some(&Value::Bool(true));
        Ok(Some(Self { updated: updated.clone(), merge_patch }))
    }

    /// Carries it out.
    pub fn apply(self, state: &mut Value) {
        if self.merge_patch {
            merge(state, self.updated);
        } else {
            *state = self.updated;
        }
    }
}

fn merge(into: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *into = patch;
        return;
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    let Value::Object(object) = into else { return };
    for (name, value) in patch {
        if value.is_null() {
            object.remove(&name);
        } else {
            merge(object.entry(name).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn patches_merge_and_other_updates_replace() {
        let mut state = json!({"a": {"x": 1, "y": 2}, "b": [1]});
        let patch = json!({"a": {"x": null, "z": {"deep": null}}, "b": 2});
        StateUpdate { updated: patch, merge_patch: true }.apply(&mut state);
        assert_eq!(state, json!({"a": {"y": 2, "z": {}}, "b": 2}));
        StateUpdate { updated: json!({"c": null}), merge_patch: false }.apply(&mut state);
        assert_eq!(state, json!({"c": null}));
    }
}
