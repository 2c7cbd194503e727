//! The write-ahead log: what makes an acknowledgement true.
//!
//! ```text
//! append -> queue (bounded) -> writer thread: duplicate? -> one write, one fdatasync -> publish -> acknowledge
//!                                                                 |
//! open -> survey (check all, cut the torn tail) -> Replay    segment files --release--> digest files
//! ```
//!
//! Invariants:
//! - Acknowledged = on disk and fsynced = published. A group that failed is neither published nor kept.
//! - One thread owns the files; nobody else writes below the folder, which is locked against a second process.
//! - Sequence numbers rise strictly and no published one is ever used again, also after all segments were released.
//! - A segment goes only after the table holds its records and its digests are durable elsewhere.
//! - Damage is reported, stepped over and kept for a person to look at; it never stops a start and is never
//!   mistaken for the torn end that a crash leaves behind.
//!
//! The bytes on disk are described in `format.rs` (segments) and `digest_files.rs`. What a payload means is left to
//! the caller.

// What callers see.
mod error;
mod handle;
mod record;
mod replay;
mod report;
mod settings;
mod state;

// Appending and releasing: queue -> writer -> group -> segments, digests, digest_files.
mod digest_files;
mod digests;
mod group;
mod queue;
mod segments;
mod writer;

// Opening: directory -> survey (scan) -> recover.
mod directory;
mod recover;
mod scan;
mod survey;

// The bytes.
mod format;

pub use error::LogError;
pub use handle::Log;
pub use record::{Appended, NewRecord, RECORD_PAYLOAD_BYTES_MAX, Record};
pub use replay::Replay;
pub use report::{Damage, DamageKind, LogReport, TornTail, inspect};
pub use settings::{Clock, LogSettings, Publish};
pub use state::{LogCounters, LogState};

#[cfg(test)]
mod tests;
