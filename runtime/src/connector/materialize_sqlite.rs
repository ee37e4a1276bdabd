//! Rows of a SQLite database, committed together with checkpoint and fence.
