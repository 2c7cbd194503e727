//! How long analysis takes a span.
fn main() {}
