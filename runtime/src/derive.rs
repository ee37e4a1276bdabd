//! From collections, through lambdas, into a collection.
