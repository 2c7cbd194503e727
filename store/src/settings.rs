//! What the store is told at start: where it lives and its limits.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Tells the time in nanoseconds since the Unix epoch.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Where the store lives and its limits.
#[derive(Clone)]
pub struct StoreSettings {
    /// Folder of the log and the table; made if it does not exist.
    pub data_dir: PathBuf,
    /// Most bytes of recent spans in memory; beyond it requests are told to retry later.
    pub recent_bytes_max: u64,
    /// Recent spans are written to the table when they take this many bytes ...
    pub flush_bytes: u64,
    /// ... or when the oldest of them is this old.
    pub flush_interval: Duration,
    /// How long a request with the same bytes is recognised as a repetition.
    pub request_dedup_window: Duration,
    /// Most requests remembered for that; the oldest go first.
    pub request_dedup_max: usize,
    /// Most spans remembered to recognise copies in differently cut requests.
    pub span_dedup_max: usize,
    /// Most bytes of bloom filters of files that are kept in memory.
    pub file_index_bytes_max: usize,
    /// Whether the table is kept in shape in the background. Off for processes that only read.
    pub maintenance: bool,
    /// Share of one core that merging files may take; 0 turns merging off.
    pub compaction_cpu_share: f64,
    /// So many files of one day and level are merged, however small they are.
    pub compaction_files: usize,
    /// Files whose newest span is older are dropped; `None` keeps spans for ever.
    pub retention_age: Option<Duration>,
    /// The oldest files are dropped while the table takes more bytes; `None` sets no limit.
    pub retention_bytes: Option<u64>,
    /// How long files that left the table stay on disk, for readers of other processes.
    pub vacuum_retention: Duration,
    /// The clock.
    pub clock: Clock,
}

/// Longest `vacuum_retention`: the table's log does not remember longer which files left.
pub const VACUUM_RETENTION_MAX: Duration = Duration::from_secs(24 * 3600);

impl StoreSettings {
    /// The default limits for a store in `data_dir`.
    pub fn new(data_dir: PathBuf, clock: Clock) -> Self {
        Self {
            data_dir,
            recent_bytes_max: 192 << 20,
            flush_bytes: 64 << 20,
            flush_interval: Duration::from_secs(30),
            request_dedup_window: Duration::from_secs(3600),
            request_dedup_max: 2_000_000,
            // Each of two generations just fits a table of a million places, which grow by doubling.
            span_dedup_max: 1_800_000,
            file_index_bytes_max: 64 << 20,
            maintenance: true,
            compaction_cpu_share: 0.5,
            compaction_files: 32,
            retention_age: None,
            retention_bytes: None,
            vacuum_retention: Duration::from_secs(600),
            clock,
        }
    }

    /// Folder of the write-ahead log.
    pub(crate) fn log_dir(&self) -> PathBuf {
        log_dir(&self.data_dir)
    }

    /// Folder of the `spans` table.
    pub(crate) fn table_dir(&self) -> PathBuf {
        table_dir(&self.data_dir)
    }
}

/// Folder of the write-ahead log below a data folder.
pub(crate) fn log_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("log")
}

/// Folder of the `spans` table of the one tenant there is so far.
pub(crate) fn table_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("tenants").join("default").join("spans")
}

impl fmt::Debug for StoreSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreSettings")
            .field("data_dir", &self.data_dir)
            .field("recent_bytes_max", &self.recent_bytes_max)
            .field("flush_bytes", &self.flush_bytes)
            .field("flush_interval", &self.flush_interval)
            .finish_non_exhaustive()
    }
}
