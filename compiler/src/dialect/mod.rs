//! SQL dialects, each a value: quoting, limits, types.
