//! What traces say: pure functions from spans to calls, causes and findings.
//!
//! Stands between `model` and `query`. Invariants: no I/O, no async, no clock; nothing recurses over the
//! depth of its input; every input, however malformed, gives an answer within named limits.

pub mod forms;
