//! Percentiles of measured times, exact: every time is kept.

use std::time::Duration;

/// What a set of times looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Latency {
    pub(crate) p50: Duration,
    pub(crate) p95: Duration,
    pub(crate) p99: Duration,
    pub(crate) max: Duration,
}

impl Latency {
    /// Zeros if there are no times.
    pub(crate) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let Some(max) = times.last().copied() else {
            return Self::default();
        };
        Self {
            p50: nearest_rank(&times, 50),
            p95: nearest_rank(&times, 95),
            p99: nearest_rank(&times, 99),
            max,
        }
    }
}

/// The smallest time that `percent` of all times do not exceed.
fn nearest_rank(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted[rank - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(times_ms: impl Iterator<Item = u64>, expected_ms: (u64, u64, u64, u64)) {
        let latency = Latency::of(times_ms.map(Duration::from_millis).collect());
        let (p50, p95, p99, max) = expected_ms;
        assert_eq!(latency.p50, Duration::from_millis(p50));
        assert_eq!(latency.p95, Duration::from_millis(p95));
        assert_eq!(latency.p99, Duration::from_millis(p99));
        assert_eq!(latency.max, Duration::from_millis(max));
    }

    #[test]
    fn percentiles_are_nearest_ranks() {
        check((1..=1000).rev(), (500, 950, 990, 1000));
        check(1..=100, (50, 95, 99, 100));
        check([7].into_iter(), (7, 7, 7, 7));
        check([1, 9].into_iter(), (1, 9, 9, 9));
        check(std::iter::empty(), (0, 0, 0, 0));
    }
}
