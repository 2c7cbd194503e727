//! What one tick of a hybrid logical clock leaves behind.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// One unbroken clock: one process, one clock state, no step of its wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub NonZeroU64);

impl NodeId {
    /// Draws a new identity from the kernel, because whatever a process keeps in its own memory
    /// repeats itself in a forked child.
    ///
    /// A kernel that has no random bytes to give is older than this crate supports; what tells two
    /// processes apart is mixed then, which is better than a clock without identity.
    pub fn random() -> Self {
        let drawn = getrandom::u64().unwrap_or_else(|_| makeshift());
        Self(NonZeroU64::new(drawn).unwrap_or(NonZeroU64::MIN))
    }
}

fn makeshift() -> u64 {
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let mut mixed = 0;
    for part in [
        u64::from(std::process::id()),
        since_epoch.as_secs(),
        u64::from(since_epoch.subsec_nanos()),
        DRAWN.fetch_add(1, Ordering::Relaxed),
    ] {
        mixed = split_mix(mixed ^ part);
    }
    mixed
}

/// The output function of SplitMix64: every bit of the input moves every bit of the output.
fn split_mix(value: u64) -> u64 {
    let mixed = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A tick of a clock node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// The clock that ticked.
    pub node: NodeId,
    /// Nanoseconds since the Unix epoch, 1 to 2^63-1; grows along every chain of messages.
    pub hlc: i64,
    /// How far `hlc` was ahead of the wall clock, in nanoseconds; at most `hlc`.
    pub lead: i64,
}

impl Stamp {
    /// What the wall clock of the node showed at the tick, in nanoseconds since the Unix epoch.
    pub fn wall(self) -> i64 {
        self.hlc - self.lead
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_even_without_random_bytes() {
        assert_ne!(NodeId::random(), NodeId::random());
        assert_ne!(makeshift(), makeshift());
    }
}
