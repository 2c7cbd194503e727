//! What the log tells about itself: health, sizes and counters. Written by the writer thread, read by anyone.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::error::LogError;

/// Whether the log can store records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogState {
    /// The last write succeeded.
    Healthy,
    /// The last write failed; it is tried again with growing pauses, with or without traffic.
    Failing {
        /// When it began.
        since_unix_ns: i64,
        /// The latest error.
        reason: String,
    },
}

/// Counts since the log was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogCounters {
    /// Records made durable.
    pub records: u64,
    /// Appends answered `Duplicate`.
    pub duplicates: u64,
    /// Appends answered with a disk error.
    pub failed: u64,
    /// Groups written, each with one fsync.
    pub groups: u64,
    /// Digests in the window.
    pub digests: u64,
    /// Digests forgotten before the window's end because there were too many.
    pub digests_evicted_early: u64,
}

/// Shared between the handle and the writer thread.
#[derive(Debug)]
pub(super) struct Shared {
    state: watch::Sender<LogState>,
    released_through: AtomicU64,
    size_bytes: AtomicU64,
    counters: parking_lot::Mutex<LogCounters>,
}

impl Shared {
    /// A healthy log with nothing counted.
    pub(super) fn new(released_through: u64) -> Self {
        Self {
            state: watch::Sender::new(LogState::Healthy),
            released_through: AtomicU64::new(released_through),
            size_bytes: AtomicU64::new(0),
            counters: parking_lot::Mutex::new(LogCounters::default()),
        }
    }

    /// The state and its changes.
    pub(super) fn watch(&self) -> watch::Receiver<LogState> {
        self.state.subscribe()
    }

    /// The state.
    pub(super) fn state(&self) -> LogState {
        self.state.borrow().clone()
    }

    /// Announces a state, unless it is the present one.
    pub(super) fn set_state(&self, state: LogState) {
        self.state.send_if_modified(|present| {
            let is_new = *present != state;
            *present = state;
            is_new
        });
    }

    /// The counters.
    pub(super) fn counters(&self) -> LogCounters {
        *self.counters.lock()
    }

    /// Changes the counters.
    pub(super) fn count(&self, change: impl FnOnce(&mut LogCounters)) {
        change(&mut self.counters.lock());
    }

    /// The table holds all records up to this.
    pub(super) fn released_through(&self) -> u64 {
        self.released_through.load(Ordering::Acquire)
    }

    /// Raises the released sequence.
    pub(super) fn raise_released(&self, through: u64) {
        self.released_through.fetch_max(through, Ordering::AcqRel);
    }

    /// Bytes in segment files.
    pub(super) fn size_bytes(&self) -> u64 {
        self.size_bytes.load(Ordering::Relaxed)
    }

    /// Notes the bytes in segment files.
    pub(super) fn set_size_bytes(&self, bytes: u64) {
        self.size_bytes.store(bytes, Ordering::Relaxed);
    }
}

/// The writer's memory of a failing disk: the error that requests are refused with until the next attempt.
#[derive(Debug)]
pub(super) struct Health {
    pause_first: Duration,
    pause_max: Duration,
    failure: Option<Failure>,
}

#[derive(Debug)]
struct Failure {
    error: LogError,
    since_unix_ns: i64,
    pause: Duration,
    retry_at: Instant,
    probe_bytes: usize,
}

impl Health {
    /// No failure yet.
    pub(super) fn new(pause_first: Duration, pause_max: Duration) -> Self {
        Self { pause_first, pause_max, failure: None }
    }

    /// Notes a failed write of `bytes` bytes.
    pub(super) fn fail(
        &mut self,
        error: &LogError,
        bytes: usize,
        now_unix_ns: i64,
        shared: &Shared,
    ) {
        let pause = match &self.failure {
            Some(failure) => (failure.pause * 2).min(self.pause_max),
            None => self.pause_first,
        };
        let since_unix_ns =
            self.failure.as_ref().map_or(now_unix_ns, |failure| failure.since_unix_ns);
        if self.failure.is_none() {
            tracing::warn!(%error, "log cannot write, records are refused until it can");
        }
        self.failure = Some(Failure {
            error: error.clone(),
            since_unix_ns,
            pause,
            retry_at: Instant::now() + pause,
            probe_bytes: bytes,
        });
        let reason = error.to_string();
        shared.set_state(LogState::Failing { since_unix_ns, reason });
    }

    /// Notes a success.
    pub(super) fn succeed(&mut self, shared: &Shared) {
        if self.failure.take().is_some() {
            tracing::info!("log can write again");
            shared.set_state(LogState::Healthy);
        }
    }

    /// The error to refuse with while the pause lasts.
    pub(super) fn refusal(&self) -> Option<LogError> {
        let failure = self.failure.as_ref()?;
        (Instant::now() < failure.retry_at).then(|| failure.error.clone())
    }

    /// How long until a probe is due; `None` while healthy.
    pub(super) fn probe_in(&self) -> Option<Duration> {
        let failure = self.failure.as_ref()?;
        Some(failure.retry_at.saturating_duration_since(Instant::now()))
    }

    /// How many bytes a probe should write: as many as failed last.
    pub(super) fn probe_bytes(&self) -> usize {
        self.failure.as_ref().map_or(0, |failure| failure.probe_bytes)
    }
}
