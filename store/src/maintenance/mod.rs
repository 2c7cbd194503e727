//! Keeps the table in shape, in the background: merges small files, drops what expired, deletes
//! files that nobody reads any more, writes checkpoints.
//!
//! ```text
//! live files -> plan -> merge (no lock) -> commit + swap (table's lock) -> old files wait -> deleted
//!                 '---> expire ------------'                               (vacuum)
//! ```
//!
//! Invariants: a span is written at most three times, by its flush and two merges. A merge changes
//! no answer. A file is deleted only when no snapshot of this process names it and readers of
//! other processes had time to finish. A crash anywhere leaves files that no commit names, which
//! the next start removes.

mod input;
mod merge;
mod order;
mod pace;
mod plan;
mod run;
mod vacuum;

#[cfg(test)]
mod tests;

pub(crate) use run::{Maintenance, clean_up, round, run};
pub(crate) use vacuum::survey;
