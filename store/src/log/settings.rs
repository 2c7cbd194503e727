//! What the log is told at start: where it lives and its limits.
//!
//! Every queue, group, file and table of the log takes its bound from here or from a constant beside its user.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use super::record::Record;

/// Tells the time in nanoseconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Receives each durable group, in sequence order, before its senders are answered.
///
/// It runs on the writer thread: while it works, nothing is written.
pub type Publish = Box<dyn FnMut(Vec<Record>) + Send>;

/// Where the log lives, its limits and its clock.
#[derive(Clone)]
pub struct LogSettings {
    /// Folder that holds nothing but the log.
    pub dir: PathBuf,
    /// A new segment is begun rather than let one grow beyond this (a larger single group still fits).
    pub segment_bytes_max: u64,
    /// Most bytes written and fsynced at once (a larger single record goes alone).
    pub group_bytes_max: usize,
    /// Most bytes waiting or being written; beyond it `append` fails at once.
    pub queue_bytes_max: usize,
    /// How long the same bytes are recognised as a repetition.
    pub digest_window: Duration,
    /// Most digests kept in memory (about 60 bytes each); the oldest go first.
    pub digests_max: usize,
    /// Pause after a failed write before the disk is tried again; doubles with each failure.
    pub retry_pause_first: Duration,
    /// The longest pause: a disk that has space again is noticed within this.
    pub retry_pause_max: Duration,
    /// The clock that ages digests.
    pub clock: Clock,
}

impl LogSettings {
    /// The default limits for a log in `dir`.
    #[must_use]
    pub fn new(dir: PathBuf, clock: Clock) -> Self {
        Self {
            dir,
            segment_bytes_max: 64 << 20,
            group_bytes_max: 8 << 20,
            queue_bytes_max: 64 << 20,
            digest_window: Duration::from_secs(3600),
            digests_max: 2_000_000,
            retry_pause_first: Duration::from_millis(100),
            retry_pause_max: Duration::from_secs(5),
            clock,
        }
    }

    /// The clock's time in whole seconds, the unit of the digest window.
    pub(super) fn now_s(&self) -> u32 {
        unix_seconds((self.clock)())
    }

    /// Digests received before this second are out of the window.
    pub(super) fn digests_expire_before_s(&self, now_s: u32) -> u32 {
        let window_s = u32::try_from(self.digest_window.as_secs()).unwrap_or(u32::MAX);
        now_s.saturating_sub(window_s)
    }
}

impl fmt::Debug for LogSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogSettings")
            .field("dir", &self.dir)
            .field("segment_bytes_max", &self.segment_bytes_max)
            .field("group_bytes_max", &self.group_bytes_max)
            .field("queue_bytes_max", &self.queue_bytes_max)
            .field("digest_window", &self.digest_window)
            .field("digests_max", &self.digests_max)
            .field("retry_pause_first", &self.retry_pause_first)
            .field("retry_pause_max", &self.retry_pause_max)
            .finish_non_exhaustive()
    }
}

/// Whole seconds since 1970; times before then or after 2106 are held at the border.
pub(super) fn unix_seconds(unix_ns: i64) -> u32 {
    let seconds = unix_ns.div_euclid(1_000_000_000);
    u32::try_from(seconds.max(0)).unwrap_or(u32::MAX)
}
