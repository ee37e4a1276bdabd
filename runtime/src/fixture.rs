//! Fixtures: documents in place of captures, with a simulated clock.
