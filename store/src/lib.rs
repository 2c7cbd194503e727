//! Durable spans: the write-ahead log, recent spans in memory, and the Delta table.
//!
//! ```text
//! append -> log (group fsync) -> recent spans -> acknowledged
//!                                    | seal: many requests -> one batch, copies out
//!                                    | flush: sort, Parquet, one idempotent commit
//!                                    v
//! maintenance = merge small files, drop what expired, delete what nobody reads
//! snapshot = recent batches + files of the table, swapped together
//! ```
//!
//! Invariants: acknowledged = in the log and fsynced = visible. Nothing is deleted from the log
//! before the table durably holds it. A snapshot shows every span once, whatever is being flushed.
//! The store knows neither HTTP nor SQL.

mod disk;
mod error;
mod file_index;
mod flush;
pub mod log;
mod maintenance;
mod metrics;
mod recent;
mod settings;
mod span_window;
mod store;
mod table;
mod verify;

pub use error::StoreError;
pub use file_index::{FileFilters, FileIndex};
pub use recent::{FilteredKeys, Snapshot};
pub use settings::{Clock, StoreSettings, VACUUM_RETENTION_MAX};
pub use store::{Appended, Request, Store};
pub use table::{DataFile, FileColumns, summary_path};
pub use verify::{Severity, VerifyFinding, VerifyReport, verify};
