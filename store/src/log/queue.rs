//! The bounded queue between senders and the writer thread.
//!
//! Bytes count from `push` until the request is answered, so the limit bounds the memory of waiting requests and of
//! the group being written together.

use std::{collections::VecDeque, time::Duration};

use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use super::{
    error::LogError,
    format::RECORD_HEADER_BYTES,
    record::{Appended, NewRecord},
};

/// A record and where to send the answer.
#[derive(Debug)]
pub(super) struct Request {
    /// What to store.
    pub(super) record: NewRecord,
    /// Who waits; dropping it answers `Closed`.
    pub(super) done: oneshot::Sender<Result<Appended, LogError>>,
}

impl Request {
    /// What the request takes in the queue and on disk.
    pub(super) fn bytes(&self) -> usize {
        RECORD_HEADER_BYTES + self.record.payload.len()
    }
}

/// What the writer should do next.
#[derive(Debug)]
pub(super) enum Event {
    /// Delete what the table holds, up to this sequence.
    Release(u64),
    /// Store these.
    Group(Vec<Request>),
    /// Nothing came for the given time.
    Idle,
    /// All is done and nothing more will come.
    Closed,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    wake: Condvar,
    bytes_max: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    requests: VecDeque<Request>,
    bytes: usize,
    release_through: Option<u64>,
    is_closed: bool,
}

impl Queue {
    /// An empty queue for `bytes_max` bytes.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { waiting: Mutex::default(), wake: Condvar::new(), bytes_max }
    }

    /// Adds a request, or fails at once. An empty queue takes a request of any size, else a record larger than the
    /// limit could never be stored.
    pub(super) fn push(&self, request: Request) -> Result<(), LogError> {
        let mut waiting = self.waiting.lock();
        if waiting.is_closed {
            return Err(LogError::Closed);
        }
        let bytes = waiting.bytes.saturating_add(request.bytes());
        if waiting.bytes > 0 && bytes > self.bytes_max {
            return Err(LogError::Full {
                queued_bytes: waiting.bytes,
                limit_bytes: self.bytes_max,
            });
        }
        waiting.bytes = bytes;
        waiting.requests.push_back(request);
        self.wake.notify_one();
        Ok(())
    }

    /// Asks for a release.
    pub(super) fn release(&self, through: u64) {
        let mut waiting = self.waiting.lock();
        waiting.release_through = waiting.release_through.max(Some(through));
        self.wake.notify_one();
    }

    /// Takes no more requests; those waiting are still handed out.
    pub(super) fn close(&self) {
        self.waiting.lock().is_closed = true;
        self.wake.notify_one();
    }

    /// Closes and answers `Closed` to all who wait; for a writer that stops early.
    pub(super) fn abandon(&self) {
        let mut waiting = self.waiting.lock();
        waiting.is_closed = true;
        waiting.requests.clear();
        waiting.bytes = 0;
    }

    /// Bytes waiting or being written.
    pub(super) fn bytes(&self) -> usize {
        self.waiting.lock().bytes
    }

    /// Says that requests of `bytes` bytes are answered.
    pub(super) fn done(&self, bytes: usize) {
        let mut waiting = self.waiting.lock();
        waiting.bytes = waiting.bytes.saturating_sub(bytes);
    }

    /// Waits for something to do, for `idle_after` at most. Releases come before groups, because a busy queue is
    /// never empty; a group takes what waits, up to `group_bytes_max`.
    pub(super) fn next(&self, idle_after: Option<Duration>, group_bytes_max: usize) -> Event {
        let mut waiting = self.waiting.lock();
        loop {
            if let Some(through) = waiting.release_through.take() {
                return Event::Release(through);
            }
            if !waiting.requests.is_empty() {
                return Event::Group(waiting.take_group(group_bytes_max));
            }
            if waiting.is_closed {
                return Event::Closed;
            }
            match idle_after {
                None => self.wake.wait(&mut waiting),
                Some(idle_after) => {
                    if self.wake.wait_for(&mut waiting, idle_after).timed_out() {
                        return Event::Idle;
                    }
                }
            }
        }
    }
}

impl Waiting {
    fn take_group(&mut self, bytes_max: usize) -> Vec<Request> {
        let mut bytes = 0;
        let mut count = 0;
        for request in &self.requests {
            bytes += request.bytes();
            if count > 0 && bytes > bytes_max {
                break;
            }
            count += 1;
        }
        self.requests.drain(..count).collect()
    }
}
