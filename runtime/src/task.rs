//! The five verbs of a task.
