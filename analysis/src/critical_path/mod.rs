//! The critical path: the chain of work that determined the end of the root.
//!
//! From the end of a span walk backwards: the awaited child that ended last before the point owns the time until its
//! start, within which the same holds for its own children; then the point is its start. What no child owns belongs to
//! the span itself. A child that is still running at the start of the chosen one did not delay it and is passed over.
//!
//! - Of children with equal ends the one that started first is chosen. A child that ends exactly when the chosen one
//!   starts precedes it, and so does one that overlaps it by no more than their clocks' blur ([`blur_ns`](crate::waiting::blur_ns)).
//! - Children are clamped to their parents.
//! - A segment is guessed where one of its ends, or the choice between two children, rests on clocks whose offset is
//!   not bounded, or is closer than the blur.
//!
//! Invariants: segments are disjoint, ordered, not empty, lie within the root, and their lengths add up to the root's
//! duration exactly. The walk keeps its own stack, so depth costs memory only; every child is sorted once.

mod walk;

pub use walk::{CriticalPath, Segment};

#[cfg(test)]
mod tests;
