//! The combiner around the folds of the standard library: validation, keys, budgets.
