//! Texts through both parsers.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &[u8]| tidegate_fuzz::documents(text));
