//! The writer thread: the only one that touches the files and the digests.
//!
//! It takes what is queued, stores it with one write and one fsync, publishes, and answers. While the disk fails it
//! refuses at once between attempts, and probes the disk even if nobody sends.

use std::sync::Arc;

use super::{
    digest_files::{DigestFiles, Release},
    digests::{DigestEntry, DigestWindow},
    error::LogError,
    group::Group,
    queue::{Event, Queue, Request},
    segments::{Segments, random_salt},
    settings::{LogSettings, Publish, unix_seconds},
    state::{Health, LogState, Shared},
};
use crate::disk::Disk;

/// Everything the thread owns.
pub(super) struct Writer {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) settings: LogSettings,
    pub(super) queue: Arc<Queue>,
    pub(super) shared: Arc<Shared>,
    pub(super) publish: Publish,
    pub(super) segments: Segments,
    pub(super) window: DigestWindow,
    pub(super) digest_files: DigestFiles,
    /// Of records found at open: to be written with the release of their segments, beside those in the window.
    pub(super) repeated_digests: Vec<DigestEntry>,
    /// Digests of records up to this one are in digest files.
    pub(super) digests_kept_through: u64,
    pub(super) next_sequence: u64,
    pub(super) health: Health,
}

impl Writer {
    /// Works until the queue is closed and empty.
    pub(super) fn run(mut self) {
        let _guard = StopGuard { queue: Arc::clone(&self.queue), shared: Arc::clone(&self.shared) };
        loop {
            match self.queue.next(self.health.probe_in(), self.settings.group_bytes_max) {
                Event::Group(requests) => self.commit(requests),
                Event::Release(through) => self.release(through),
                Event::Idle => self.probe(),
                Event::Closed => return,
            }
            self.share_counts();
        }
    }

    fn commit(&mut self, requests: Vec<Request>) {
        let now_s = self.settings.now_s();
        self.window.expire(self.settings.digests_expire_before_s(now_s));
        let bytes = requests.iter().map(Request::bytes).sum();
        let requests_count = requests.len() as u64;
        let mut group = Group::new(requests, &self.window, self.next_sequence);
        let repeated = group.repeated();
        let outcome = self.store(&mut group, bytes);
        self.shared.count(|counters| match &outcome {
            Ok(()) => {
                counters.records += requests_count - repeated;
                counters.duplicates += repeated;
            }
            Err(_) => counters.failed += requests_count,
        });
        self.share_counts();
        self.queue.done(bytes);
        group.answer(&outcome);
    }

    /// Makes the group's records durable, remembers their digests and publishes them, in this order.
    fn store(&mut self, group: &mut Group, bytes: usize) -> Result<(), LogError> {
        if group.records().is_empty() {
            return Ok(());
        }
        if let Some(refusal) = self.health.refusal() {
            return Err(refusal);
        }
        // Numbers of a failed group are not used again: its bytes may still be on the disk.
        self.next_sequence = self.next_sequence.saturating_add(group.records().len() as u64);
        let written = self.segments.write(group.records());
        self.note(&written, bytes);
        written?;
        for record in group.records() {
            let received_s = unix_seconds(record.received_at_unix_ns);
            self.window.insert(DigestEntry::new(record.digest, record.sequence, received_s));
        }
        self.shared.count(|counters| counters.groups += 1);
        (self.publish)(group.take_records());
        Ok(())
    }

    fn probe(&mut self) {
        let bytes = self.health.probe_bytes();
        let probed = self.segments.probe(self.next_sequence, bytes);
        self.note(&probed, bytes);
    }

    fn note(&mut self, outcome: &Result<(), LogError>, bytes: usize) {
        match outcome {
            Ok(()) => self.health.succeed(&self.shared),
            Err(error) => self.health.fail(error, bytes, (self.settings.clock)(), &self.shared),
        }
    }

    /// A failure here loses nothing: the segments stay and the next release tries again.
    fn release(&mut self, through: u64) {
        if let Err(error) = self.try_release(through) {
            tracing::warn!(%error, through, "cannot release log segments yet");
        }
    }

    fn try_release(&mut self, through: u64) -> Result<(), LogError> {
        // The mark must not claim numbers that were never given out.
        let through = through.min(self.next_sequence.saturating_sub(1));
        let Some(last_sequence) = self.segments.seal_released(through) else {
            return Ok(());
        };
        let now_s = self.settings.now_s();
        let expire_before_s = self.settings.digests_expire_before_s(now_s);
        self.window.expire(expire_before_s);
        let repeated = self.repeated_digests.iter().filter(|entry| entry.sequence <= last_sequence);
        let fresh = self.window.between(self.digests_kept_through, last_sequence);
        let release = Release {
            entries: repeated.chain(fresh).collect(),
            through,
            now_s,
            expire_before_s,
            salt: random_salt(),
        };
        self.digest_files.append(self.disk.as_ref(), &self.settings.dir, &release)?;
        self.digests_kept_through = self.digests_kept_through.max(last_sequence);
        self.repeated_digests.retain(|entry| entry.sequence > last_sequence);
        self.segments.remove_released(last_sequence)
    }

    /// Lets the handle see sizes and counts.
    pub(super) fn share_counts(&self) {
        self.shared.set_size_bytes(self.segments.size_bytes());
        self.shared.count(|counters| {
            counters.digests = self.window.len() as u64;
            counters.digests_evicted_early = self.window.evicted_early();
        });
    }
}

/// Answers those who still wait when the thread ends, and says so if it ends by a panic.
struct StopGuard {
    queue: Arc<Queue>,
    shared: Arc<Shared>,
}

impl Drop for StopGuard {
    fn drop(&mut self) {
        self.queue.abandon();
        if std::thread::panicking() {
            self.shared.set_state(LogState::Failing {
                since_unix_ns: 0,
                reason: "the log's writer has stopped; restart the process".to_owned(),
            });
        }
    }
}
