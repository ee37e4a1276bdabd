//! From collections into an endpoint.
