//! Reading several journals in one repeatable order.
