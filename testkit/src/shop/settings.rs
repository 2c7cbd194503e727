//! What a shop is made from.

use super::fault::Faults;

/// What a shop is made from; equal settings make the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShopSettings {
    /// Decides everything that is drawn.
    pub seed: u64,
    /// True time of the beginning, nanoseconds since the Unix epoch.
    pub start_unix_ns: i64,
    /// Traces in a thousand seconds of simulated time.
    pub traces_per_ks: u64,
    /// The faults it is built with.
    pub faults: Faults,
    /// How often a clock that is set now and then is set: 5 minutes.
    pub step_every_ns: i64,
    /// When the instance that dies does: after 5 minutes.
    pub death_after_ns: i64,
}

impl ShopSettings {
    /// Five traces a second, with all faults.
    pub fn new(seed: u64, start_unix_ns: i64) -> Self {
        Self {
            seed,
            start_unix_ns,
            traces_per_ks: 5_000,
            faults: Faults::all(),
            step_every_ns: 300_000_000_000,
            death_after_ns: 300_000_000_000,
        }
    }
}
