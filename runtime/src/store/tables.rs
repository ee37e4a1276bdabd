//! The tables of a shard's database, under the reserved prefix `tidegate_`.
