//! The process-wide clock that stamps documents.
