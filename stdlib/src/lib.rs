//! What the Tidegate compiler and runtime must agree upon: values, schemas, shapes, keys, reductions,
//! lambda engines and the bundle format.
//!
//! The crate has no IO, no clock and no randomness: equal input gives equal output. It knows nothing of
//! diagnostics, emitters or tasks; it reports failures as plain data with places in documents, schemas
//! and SQL text.

mod annotation;
pub mod bundle;
pub mod connector;
pub mod document;
pub mod key;
pub mod lambda;
pub mod limits;
pub mod redact;
pub mod reduce;
pub mod schema;
pub mod shape;
pub mod value;

#[cfg(test)]
mod facts;
