//! Hashes for the two look-ups that every message costs.
//!
//! Senders choose the ids of clocks, so those are hashed with a key that nobody outside knows: made-up ids do not end up in
//! one place. The numbers that the table gives to clocks need no key.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Makes hashes of ids, under a key of its own.
#[derive(Debug, Clone)]
pub(super) struct ClockHash([u64; 2]);

impl ClockHash {
    pub(super) fn random() -> Self {
        let random = RandomState::new();
        // An odd factor loses nothing.
        Self([random.hash_one(0u8), random.hash_one(1u8) | 1])
    }
}

impl BuildHasher for ClockHash {
    type Hasher = ClockHasher;

    fn build_hasher(&self) -> ClockHasher {
        let Self([key, factor]) = *self;
        ClockHasher { hash: key, factor }
    }
}

/// Multiplies and folds the halves of the product, as wyhash does (Wang Yi 2019).
#[derive(Debug)]
pub(super) struct ClockHasher {
    hash: u64,
    factor: u64,
}

impl Hasher for ClockHasher {
    fn finish(&self) -> u64 {
        self.hash
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        let product = u128::from(self.hash ^ number) * u128::from(self.factor);
        self.hash = product as u64 ^ (product >> 64) as u64;
    }

    fn write_isize(&mut self, number: isize) {
        self.write_u64(number as u64);
    }
}

/// Hashes pairs of numbers, which nobody outside chooses.
#[derive(Debug, Default)]
pub(super) struct PairHasher(u64);

impl Hasher for PairHasher {
    fn finish(&self) -> u64 {
        scattered(self.0)
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32(u32::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = self.0.rotate_left(32) ^ u64::from(number);
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): neighbouring ids give unrelated numbers.
pub(super) const fn scattered(id: u64) -> u64 {
    let id = (id ^ (id >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let id = (id ^ (id >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    id ^ (id >> 31)
}
