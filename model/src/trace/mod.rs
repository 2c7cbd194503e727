//! The merged trace: all spans of one trace, each once, as a tree in columns, made for analysis.
//!
//! ```text
//! rows of batches -- gather: copies out, in a canonical order --> columns
//!   -- link: halves of shared ids, parents, placeholders, cycles cut --> a forest
//!   -- layout: depth first, siblings by start --> MergedTrace -- align: better times --> MergedTrace
//! ```
//!
//! A trace borrows the batches it is made of: texts, attributes, events and links are read where they lie. Its rows
//! stand in depth-first order, so that a parent comes before its children, a subtree is a range, and passes over a tree
//! are loops over an array, forwards or backwards.
//!
//! Invariants: nothing a sender can put into a trace breaks, hangs or hides it; the same spans give the same trace in
//! whatever order and batches they come; raw times are never changed; every pass is a loop, linear but for sorting.

mod columns;
mod completeness;
mod gather;
mod layout;
mod link;
mod merged;
mod span;

pub use completeness::Completeness;
pub use gather::{SPANS_MAX, TraceError, TraceRows};
pub use merged::{Event, Link, MergedTrace};
pub use span::{Flags, Kind, Row, SpanTimes, Status, TextId};

#[cfg(test)]
mod tests;
