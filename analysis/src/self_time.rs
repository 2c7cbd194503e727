//! Self time: what a span took beyond the children it waited for.
//!
//! Duration minus the union of awaited children, each clamped to the parent, in aligned time. Children that overlap
//! count once.

use causeway_model::trace::MergedTrace;

use crate::waiting::is_awaited;

/// Self time of every row, nanoseconds. Linear, because siblings stand by start.
pub fn self_times(trace: &MergedTrace<'_>) -> Vec<i64> {
    let mut own: Vec<i64> = trace.rows().map(|row| trace.duration_ns(row)).collect();
    // Until when each row's children cover it.
    let mut covered_ns: Vec<i64> = trace.rows().map(|row| trace.start_ns(row)).collect();
    for row in trace.rows() {
        let Some(parent) = trace.parent(row).filter(|_| is_awaited(trace, row)) else { continue };
        let (Some(own), Some(covered)) =
            (own.get_mut(parent.idx()), covered_ns.get_mut(parent.idx()))
        else {
            continue;
        };
        let start = trace.start_ns(row).max(*covered);
        let end = trace.end_ns(row).min(trace.end_ns(parent));
        if end > start {
            *own -= end - start;
            *covered = end;
        }
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::with;

    /// Names with their self time in microseconds.
    fn check(text: &str, expected: &[(&str, i64)]) {
        with(text, |trace| {
            let own = self_times(trace);
            let named: Vec<_> =
                trace.rows().map(|row| (trace.name_text(row), own[row.idx()] / 1_000)).collect();
            assert_eq!(named, expected);
        });
    }

    #[test]
    fn children_that_overlap_count_once() {
        let text = "s a - 0..100\n s b - 10..40\n s c - 30..50\n s d - 35..38\n s e - 50..60";
        check(text, &[("a", 50_000), ("b", 30_000), ("c", 20_000), ("d", 3_000), ("e", 10_000)]);
    }

    #[test]
    fn children_are_clamped_to_their_parent() {
        check("s a - 10..20\n s b - 5..15", &[("a", 5_000), ("b", 10_000)]);
    }

    #[test]
    fn what_nobody_waits_for_does_not_count() {
        let text = "s a producer 0..10\n t b consumer 2..8\n s c - 5..11\n s d - 9..?";
        check(text, &[("a", 10_000), ("b", 6_000), ("c", 6_000), ("d", 0)]);
    }

    #[test]
    fn grandchildren_count_for_their_parent_only() {
        let text = "s a - 0..100\n s b - 10..90\n  s c - 20..80";
        check(text, &[("a", 20_000), ("b", 20_000), ("c", 60_000)]);
    }
}
