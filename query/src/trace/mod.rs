//! Spans of traces as they were stored, each once, and the rows that a timeline draws.
//!
//! ```text
//! batches -- merged: copies out, parents, placeholders --> MergedTrace --> Part --> Rows
//!     '----- deduplicate --> batches, for what asks for spans as they were sent
//! ```

mod merge;
mod part;
mod rows;
pub(crate) mod summary;

pub(crate) use merge::{deduplicate, has_repeated_ids, merged, rows_of};
pub(crate) use part::Part;
pub(crate) use rows::{Rows, texts_of};

#[cfg(test)]
mod tests;
