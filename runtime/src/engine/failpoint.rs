//! Places at which a crash is tested.

/// A place was reached.
pub(crate) fn reached(name: &str) {
    let _ = name;
}
