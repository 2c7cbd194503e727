//! What the estimator takes for given, and how much it may keep: the numbers that callers choose.

/// What the estimator assumes and what it may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetSettings {
    /// Length of a window, 250 ms. Empty windows cost nothing, so quiet pairs need no longer ones.
    pub window_ns: i64,
    /// How far evidence is carried to windows without, 10 s.
    pub horizon_ns: i64,
    /// How far the rate of a clock may be off, 100 parts in a million.
    pub rho_ppm: i64,
    /// Clocks at most.
    pub clocks_max: usize,
    /// Pairs and windows with evidence at most.
    pub evidence_max: usize,
    /// Readings further apart are no evidence of anything.
    pub offset_ns_max: i64,
}

impl Default for OffsetSettings {
    fn default() -> Self {
        Self {
            window_ns: 250_000_000,
            horizon_ns: 10_000_000_000,
            rho_ppm: 100,
            clocks_max: 10_000,
            evidence_max: 500_000,
            offset_ns_max: 10 * 365 * 86_400_000_000_000,
        }
    }
}

impl OffsetSettings {
    /// The window a moment of the shared axis lies in.
    pub fn window(&self, axis_ns: i64) -> i64 {
        axis_ns.div_euclid(self.window_ns.max(1))
    }

    /// How many windows evidence is carried.
    pub(super) fn reach(&self) -> i64 {
        (self.horizon_ns / self.window_ns.max(1)).clamp(0, 1_000_000)
    }

    /// By how much two clocks may drift apart in a time.
    pub fn drift_over_ns(&self, time_ns: u64) -> i64 {
        let drift = i128::from(time_ns) * i128::from(self.rho_ppm) * 2;
        i64::try_from((drift + 999_999) / 1_000_000).unwrap_or(i64::MAX)
    }

    /// By how much two clocks may drift apart in a window.
    pub(super) fn drift_ns(&self) -> i64 {
        self.drift_over_ns(self.window_ns.unsigned_abs())
    }
}
