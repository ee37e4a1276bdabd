//! Schemas with documents.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &[u8]| tidegate_fuzz::schemas(text));
