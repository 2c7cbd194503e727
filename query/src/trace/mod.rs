//! The merged trace: pure functions over spans, no I/O.
//!
//! ```text
//! batches -- deduplicate, merge --> spans -- tree: parents, placeholders, cycles --> rows
//! ```
//!
//! Invariant: nothing that a sender can put into a trace breaks, hangs or hides it.

mod merge;
mod rows;
pub(crate) mod summary;
mod tree;

pub(crate) use merge::{deduplicate, has_repeated_ids, merge};
pub(crate) use rows::Rows;
pub(crate) use tree::{Completeness, NO_TIME, build};

#[cfg(test)]
mod tests;
