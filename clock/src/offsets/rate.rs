//! How fast a clock runs against another one, from bounds of its offset over time.
//!
//! A line through all intervals is a constant rate that explains them. Lines of one slope fit exactly if the highest of
//! the lower ends, seen along that slope, is not above the lowest of the upper ends; slopes that fit are an interval,
//! because that difference is convex in the slope.

/// Faster than any clock drifts or is corrected; ten percent.
const RATE_PPB_MAX: f64 = 1e8;
/// Readings are whole nanoseconds, so a misfit below that is none.
const MISFIT_NS_MAX: f64 = 1.0;
/// Halvings of the range of slopes, down to far below one part in a billion.
const STEPS: usize = 64;

/// Bounds of an offset at a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interval {
    pub(super) at_ns: i64,
    pub(super) lo_ns: i64,
    pub(super) hi_ns: i64,
}

/// Least and largest rate that explains all intervals, in parts of a billion; `None` if none does, or there are fewer
/// than two.
pub(super) fn rates_ppb(intervals: &[Interval]) -> Option<(i64, i64)> {
    let first = intervals.first()?;
    if intervals.iter().all(|interval| interval.at_ns == first.at_ns) {
        return None;
    }
    let points: Vec<(f64, f64, f64)> = intervals
        .iter()
        .map(|interval| {
            let from = |value: i64, zero: i64| value.saturating_sub(zero) as f64;
            let at = from(interval.at_ns, first.at_ns) / 1e9;
            (at, from(interval.lo_ns, first.lo_ns), from(interval.hi_ns, first.lo_ns))
        })
        .collect();
    // In nanoseconds a second, which is parts of a billion.
    let misfit = |slope: f64| {
        let lo = points.iter().map(|(at, lo, _)| lo - slope * at).fold(f64::MIN, f64::max);
        let hi = points.iter().map(|(at, _, hi)| hi - slope * at).fold(f64::MAX, f64::min);
        lo - hi
    };
    let (mut low, mut high) = (-RATE_PPB_MAX, RATE_PPB_MAX);
    for _ in 0..STEPS * 2 {
        let third = (high - low) / 3.0;
        if misfit(low + third) <= misfit(high - third) {
            high -= third;
        } else {
            low += third;
        }
    }
    let best = f64::midpoint(low, high);
    if misfit(best) > MISFIT_NS_MAX {
        return None;
    }
    let edge = |outside: f64| {
        let (mut inside, mut outside) = (best, outside);
        for _ in 0..STEPS {
            let middle = f64::midpoint(inside, outside);
            if misfit(middle) <= MISFIT_NS_MAX {
                inside = middle;
            } else {
                outside = middle;
            }
        }
        inside
    };
    Some((edge(-RATE_PPB_MAX).floor() as i64, edge(RATE_PPB_MAX).ceil() as i64))
}
