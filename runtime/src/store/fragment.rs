//! Fragment files: names, writing, reading.
