//! From a source into collections.
