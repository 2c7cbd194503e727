//! Reading by trace id, past SQL: straight from the snapshot to the rows.
//!
//! ```text
//! ids -- bloom filters in memory --> files -- page index --> pages -- trace id --> rows
//!    '-- trace ids in memory ------> recent batches --------------------------> rows
//!
//! ids, or all traces -- summary files, parts of recent batches -- merged by id --> lines of traces
//! ```
//!
//! Planning a statement takes longer than reading a trace, so what asks by id does not plan. All
//! functions here block: callers run them off the async threads.
//!
//! Invariant: the rows are those that SQL finds with the same condition.

mod distinct;
mod footers;
mod parts;
mod recent;
mod rows;
mod spans;
mod traces;

pub(crate) use distinct::{Dictionaries, Distinct};
pub(crate) use footers::{Footers, object_meta};
pub(crate) use parts::{Merged, Share, Times, Within, merge};
pub(crate) use rows::Ids;
pub(crate) use spans::{Budget, Reader, Wanted};
pub(crate) use traces::{BY_ID_MAX, RecentParts};

#[cfg(test)]
mod tests;
