//! A bounded map from hashes to what was made for them.
//!
//! Used by [`Former`](super::Former) for statements and calls. Two halves: entries go into the young one;
//! when that is full it becomes the old one and what was old is forgotten, unless it was asked for since. So a
//! look-up costs one or two probes, nothing is ever searched for eviction, and memory is bounded.

use std::hash::{BuildHasherDefault, Hasher};

use hashbrown::HashMap;

/// Hashes are keys here, so they are not hashed again.
#[derive(Debug, Default)]
pub(super) struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, hash: u128) {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the lower half is as random as the whole"
        )]
        let low = hash as u64;
        self.0 = low;
    }
}

type Half<T> = HashMap<u128, T, BuildHasherDefault<AlreadyHashed>>;

/// At most `entries_max` recently used entries.
#[derive(Debug)]
pub(super) struct Recent<T> {
    young: Half<T>,
    old: Half<T>,
    half_max: usize,
}

impl<T: Clone> Recent<T> {
    pub(super) fn new(entries_max: usize) -> Self {
        Self { young: Half::default(), old: Half::default(), half_max: (entries_max / 2).max(1) }
    }

    /// The entry under a hash of its source.
    pub(super) fn find(&mut self, hash: u128) -> Option<T> {
        if let Some(entry) = self.young.get(&hash) {
            return Some(entry.clone());
        }
        let entry = self.old.remove(&hash)?;
        self.insert(hash, entry.clone());
        Some(entry)
    }

    pub(super) fn insert(&mut self, hash: u128, entry: T) {
        if self.young.len() >= self.half_max {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young.insert(hash, entry);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_bounded_and_used_ones_stay() {
        let mut recent = Recent::new(100);
        recent.insert(7, "kept");
        for hash in 1000..2000_u128 {
            recent.insert(hash, "passing");
            assert_eq!(recent.find(7), Some("kept"));
            assert!(recent.len() <= 100);
        }
        assert_eq!(recent.find(1000), None);
        assert_eq!(recent.find(1999), Some("passing"));
    }
}
