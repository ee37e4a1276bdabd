//! Plain scalars by the YAML 1.2 core schema, and the correspondence of a scalar's value to its bytes.
