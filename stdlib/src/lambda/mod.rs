//! Engines of lambdas: parameters in, documents out. In memory only: whoever needs a file opens it and hands the
//! connection in.

pub mod sqlite;
