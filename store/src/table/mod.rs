//! The `spans` table: Parquet files named by a Delta transaction log.
//!
//! We write the Parquet files ourselves and commit `Add` actions through delta-rs, one commit a
//! flush, exactly once by the transaction id read from the snapshot that is committed on. Layout
//! and settings follow from what was measured, see `docs/adr/0003-table-layout.md`.
//!
//! Invariants: a commit names only durable files; the file list in memory is that of the snapshot.

mod commit;
mod durable_store;
mod file;
mod folder;
mod gather;
mod hybrid;
mod layout;
mod read;
mod repeated;
mod row_group;
mod sort;
mod statistics;
#[cfg(test)]
mod tests;
mod traces;
mod write;

pub(crate) use commit::{Change, SpansTable, checkpoint_version};
pub use file::DataFile;
pub(crate) use file::{DAY, MERGED_PREFIX};
pub(crate) use folder::TableFolder;
pub(crate) use gather::{Gather, Place};
pub(crate) use layout::{PAGE_ROWS_MAX, PAGE_ROWS_MIN};
pub use read::FileColumns;
pub(crate) use sort::write_sorted;
pub use traces::summary_path;
pub(crate) use write::{FinishedFile, SortedFileWriter};
