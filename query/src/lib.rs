//! Everything that reads: SQL, traces, searches, and the HTTP API over them.
//!
//! ```text
//! HTTP (http/) --> typed queries (plans/) --\
//! SQL text ----------------------------------> session over one snapshot (catalog/) --> batches
//! trace id, lists --> rows and parts without plans (read/, search/) -------------------------> |
//! JSON, CSV, Arrow, Parquet (format/) <-- merged trace, its order (trace/, order/) <-------------'
//! ```
//!
//! Invariants: reads only; one statement sees one snapshot; every query has a limit of memory, time
//! and company, and an error that names it. Leaves to others: what is stored and when it is visible
//! (`store`), and what a value means (`model`).

mod catalog;
mod cohort;
mod durable;
mod error;
mod findings;
pub mod format;
mod functions;
mod http;
mod input;
mod metrics;
mod order;
mod params;
mod plans;
mod query;
mod read;
mod search;
mod settings;
mod trace;
mod watch;

pub use error::{ErrorClass, QueryError, Result};
pub use http::ApiError;
pub use params::Params;
pub use query::{Batches, Query, SnapshotSource};
pub use settings::QuerySettings;
