//! Limits of queries, each with the name under which errors mention it.

use std::path::PathBuf;
use std::time::Duration;

/// What queries may use. Every field name is the setting's name.
#[derive(Debug, Clone)]
pub struct QuerySettings {
    /// Most bytes that all running queries may hold together.
    pub query_memory_bytes_max: usize,
    /// Longest time a query may take, waiting and streaming included.
    pub query_time_max: Duration,
    /// Most queries that run at one time.
    pub queries_running_max: usize,
    /// Longest time a query waits for one of these places.
    pub query_wait_max: Duration,
    /// Most rows of a JSON answer; what is left out is told by `truncated`.
    pub json_rows_max: usize,
    /// Longest SQL statement.
    pub statement_bytes_max: usize,
    /// Most bytes of Parquet footers and page indexes that are kept.
    pub metadata_cache_bytes_max: usize,
    /// Folder for sorts that do not fit into memory; without one they end with an error.
    pub spill_dir: Option<PathBuf>,
    /// Most bytes in that folder.
    pub spill_bytes_max: u64,
    /// Folder in which `clocks/` and `findings/` keep what traces taught; without one it ends with the process.
    pub learnt_dir: Option<PathBuf>,
    /// Most spans of one trace that are put together for a view.
    pub trace_spans_max: usize,
    /// Most rows of a trace in one answer; of larger traces those that last longest in the time asked for.
    pub trace_rows_max: usize,
    /// Most traces on one page of a search.
    pub traces_page_max: usize,
    /// Spans of files that a search for the newest traces looks at first; each further step takes
    /// twice as many.
    pub search_step_spans: u64,
    /// Threads a query is divided over.
    pub query_threads: usize,
}

impl Default for QuerySettings {
    fn default() -> Self {
        Self {
            query_memory_bytes_max: 256 << 20,
            query_time_max: Duration::from_secs(30),
            queries_running_max: 16,
            query_wait_max: Duration::from_secs(2),
            json_rows_max: 100_000,
            statement_bytes_max: 1 << 20,
            metadata_cache_bytes_max: 64 << 20,
            spill_dir: None,
            spill_bytes_max: 4 << 30,
            learnt_dir: None,
            trace_spans_max: 2_000_000,
            trace_rows_max: 100_000,
            traces_page_max: 1_000,
            search_step_spans: 1 << 20,
            query_threads: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}
