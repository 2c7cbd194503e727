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

pub(crate) use merge::{
    MergedTrace, Span, deduplicate, has_repeated_ids, merge, merge_rows, rows_of,
};
pub(crate) use rows::Rows;
pub(crate) use tree::{Completeness, Linked, NO_TIME, build, parents};

#[cfg(test)]
mod tests;
