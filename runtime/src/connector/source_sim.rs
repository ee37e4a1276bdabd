//! Seeded synthetic data: document n is a pure function of seed and n.
