//! An empty library. The package consists of tests and examples, and cargo requires a library or a binary.
