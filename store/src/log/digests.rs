//! The digests of what was stored lately, by which a repeated request is recognised.
//!
//! Senders repeat a request when the answer was lost, so a repetition comes within minutes. The window is bounded by
//! time and by number; the oldest go first. Only the writer thread touches it.

use std::collections::VecDeque;

use hashbrown::HashSet;

/// One digest in the window. 32 bytes: the digest is split so that it does not force 16-byte alignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DigestEntry {
    digest_high: u64,
    digest_low: u64,
    /// The record's sequence, 0 for entries read from a digest file.
    pub(super) sequence: u64,
    /// When it was received, in seconds since 1970.
    pub(super) received_s: u32,
}

impl DigestEntry {
    /// Makes an entry.
    #[expect(clippy::cast_possible_truncation, reason = "the halves are cut on purpose")]
    pub(super) fn new(digest: u128, sequence: u64, received_s: u32) -> Self {
        Self { digest_high: (digest >> 64) as u64, digest_low: digest as u64, sequence, received_s }
    }

    /// The digest.
    pub(super) fn digest(&self) -> u128 {
        (u128::from(self.digest_high) << 64) | u128::from(self.digest_low)
    }
}

/// The set of recent digests, in the order of their sequences.
#[derive(Debug)]
pub(super) struct DigestWindow {
    seen: HashSet<u128>,
    order: VecDeque<DigestEntry>,
    digests_max: usize,
    evicted_early: u64,
}

impl DigestWindow {
    /// An empty window for at most `digests_max` digests.
    pub(super) fn new(digests_max: usize) -> Self {
        Self { seen: HashSet::new(), order: VecDeque::new(), digests_max, evicted_early: 0 }
    }

    /// Whether the digest is in the window.
    pub(super) fn contains(&self, digest: u128) -> bool {
        self.seen.contains(&digest)
    }

    /// Adds a digest; `false` if it is there already. Sequences must not fall.
    pub(super) fn insert(&mut self, entry: DigestEntry) -> bool {
        debug_assert!(self.order.back().is_none_or(|last| last.sequence <= entry.sequence));
        if !self.seen.insert(entry.digest()) {
            return false;
        }
        self.order.push_back(entry);
        while self.order.len() > self.digests_max {
            self.evict_oldest();
            self.evicted_early += 1;
        }
        true
    }

    /// Forgets what was received before `before_s`. Stops at the first younger entry: a clock that jumped back keeps
    /// some entries longer, never drops one early.
    pub(super) fn expire(&mut self, before_s: u32) {
        while self.order.front().is_some_and(|oldest| oldest.received_s < before_s) {
            self.evict_oldest();
        }
    }

    /// The entries with `after < sequence <= through`.
    pub(super) fn between(&self, after: u64, through: u64) -> impl Iterator<Item = &DigestEntry> {
        let from = self.order.partition_point(|entry| entry.sequence <= after);
        let to = self.order.partition_point(|entry| entry.sequence <= through);
        self.order.iter().skip(from).take(to.saturating_sub(from))
    }

    /// How many digests are in the window.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// How many digests had to go before the window's end, since the start.
    pub(super) fn evicted_early(&self) -> u64 {
        self.evicted_early
    }

    fn evict_oldest(&mut self) {
        if let Some(entry) = self.order.pop_front() {
            self.seen.remove(&entry.digest());
        }
    }
}
