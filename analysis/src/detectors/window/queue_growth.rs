//! Whether waits in a queue grow over a window: consumers that fall behind, however long messages wait already.
//!
//! Asked by [`QueueWaits`](super::QueueWaits) of the messages of one destination. The wait between two clocks is known up
//! to what they are apart, so waits are compared between the same two clocks alone, and what these may drift apart in
//! between never counts as growth. The messages between two clocks are cut into quarters of equal time. They grow if the
//! median wait rises from each quarter to the next by a part of the whole rise, so that neither one burst nor one step of
//! a clock is growth, and if nearly all of the last quarter wait longer than nearly all of the first, so that chance
//! is none.

use causeway_clock::offsets::OffsetSettings;

use super::QueueWaitsSettings;
use super::queue_waits::{Wait, median};

/// Parts of a window that are compared.
const PARTS: usize = 4;
/// Each rise is at least so much of the whole.
const STEP_PERCENT_MIN: i64 = 10;

/// By how much waits grew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Growth {
    /// From the first quarter's median to the last's, at least.
    pub(super) rise_ns: i64,
    /// From the first message to the last.
    pub(super) over_ns: i64,
}

/// The growth that most messages show which tell, the least of several; `waits` are sorted and come with what each waited
/// at least.
pub(super) fn growth(
    waits: &[Wait],
    least_ns: &[i64],
    rule: &QueueWaitsSettings,
) -> Option<Growth> {
    let (mut judged, mut growing) = (0, 0);
    let mut least: Option<Growth> = None;
    let mut rest_ns = least_ns;
    for between in waits.chunk_by(|a, b| (a.from, a.to) == (b.from, b.to)) {
        let (least_ns, after) = rest_ns.split_at_checked(between.len())?;
        rest_ns = after;
        let Some(parts) = parts(between, least_ns, rule) else { continue };
        judged += between.len();
        if let Some(growth) = growth_of(&parts, rule) {
            growing += between.len();
            let is_less = least.is_none_or(|least| growth.rise_ns < least.rise_ns);
            least = if is_less { Some(growth) } else { least };
        }
    }
    least.filter(|_| growing * 2 > judged)
}

/// A quarter of the messages between two clocks.
#[derive(Debug, Clone, Copy)]
struct Part {
    is_one_clock: bool,
    first_sent_ns: i64,
    last_sent_ns: i64,
    /// By both clocks, like the quartiles.
    median_ns: i64,
    lower_ns: i64,
    upper_ns: i64,
    /// Median of what messages waited at least.
    least_ns: i64,
}

impl Part {
    fn of(waits: &[Wait], least_ns: &[i64]) -> Option<Self> {
        let (first, last) = (waits.first()?, waits.last()?);
        let mut sorted: Vec<i64> = waits.iter().map(|wait| wait.wait_ns).collect();
        sorted.sort_unstable();
        let at = |quarter: usize| sorted.get(sorted.len() * quarter / 4).copied();
        Some(Self {
            is_one_clock: first.from == first.to,
            first_sent_ns: first.sent_ns,
            last_sent_ns: last.sent_ns,
            median_ns: at(2)?,
            lower_ns: at(1)?,
            upper_ns: at(3)?,
            least_ns: median(least_ns.to_vec()),
        })
    }

    /// What the two clocks may have drifted apart from the first message of this to the last of a later one.
    fn drift_ns(&self, later: &Self) -> i64 {
        let passed_ns = later.last_sent_ns.abs_diff(self.first_sent_ns);
        if self.is_one_clock { 0 } else { OffsetSettings::default().drift_over_ns(passed_ns) }
    }

    /// By how much the median rises until a later one, at least.
    fn rise_ns(&self, later: &Self) -> i64 {
        later.median_ns.saturating_sub(self.median_ns).saturating_sub(self.drift_ns(later))
    }
}

/// The quarters of the messages between two clocks, if each has enough messages to tell anything.
fn parts(waits: &[Wait], least_ns: &[i64], rule: &QueueWaitsSettings) -> Option<[Part; PARTS]> {
    let (first_ns, last_ns) = (waits.first()?.sent_ns, waits.last()?.sent_ns);
    let over_ns = last_ns.saturating_sub(first_ns);
    if over_ns < rule.growth_over_ns_min.max(1) {
        return None;
    }
    let ends = (1..=PARTS).map(|part| {
        let share_ns = i128::from(over_ns) * part as i128 / PARTS as i128;
        waits.partition_point(|wait| {
            i128::from(wait.sent_ns) - i128::from(first_ns) < share_ns || part == PARTS
        })
    });
    let mut start = 0;
    let mut parts = Vec::with_capacity(PARTS);
    for end in ends {
        let (waits, least_ns) = (waits.get(start..end)?, least_ns.get(start..end)?);
        if waits.len() < rule.growth_messages_min.max(1) {
            return None;
        }
        parts.push(Part::of(waits, least_ns)?);
        start = end;
    }
    parts.try_into().ok()
}

fn growth_of(parts: &[Part; PARTS], rule: &QueueWaitsSettings) -> Option<Growth> {
    let [first, .., last] = parts;
    let rise_ns = first.rise_ns(last);
    let rises = |pair: &[Part]| match pair {
        [before, after] => {
            before.rise_ns(after).saturating_mul(100) >= rise_ns.saturating_mul(STEP_PERCENT_MIN)
        }
        _ => false,
    };
    let is_apart = last.lower_ns.saturating_sub(first.drift_ns(last)) > first.upper_ns;
    let grows = rise_ns >= rule.growth_ns_min.max(1)
        && parts.windows(2).all(rises)
        && is_apart
        && last.least_ns >= first.least_ns.saturating_mul(rule.growth_times_min);
    let over_ns = last.last_sent_ns.saturating_sub(first.first_sent_ns);
    grows.then_some(Growth { rise_ns, over_ns })
}

#[cfg(test)]
mod tests {
    use super::super::queue_waits::least_ns;
    use super::*;

    const MS: i64 = 1_000_000;
    /// Messages of a test, one a second unless it says otherwise.
    const COUNT: i64 = 120;

    /// The growth in whole milliseconds of messages with these times of sending and waits, both in milliseconds.
    fn grown_ms(from: u64, waits_ms: impl Iterator<Item = (i64, i64)>) -> Option<i64> {
        let wait = |(sent_ms, wait_ms)| Wait {
            from,
            to: 2,
            sent_ns: sent_ms * MS,
            wait_ns: wait_ms * MS,
            work_ns: MS,
            draw: 0,
        };
        let mut waits: Vec<Wait> = waits_ms.map(wait).collect();
        waits.sort_unstable();
        let least_ns = least_ns(&waits);
        let growth = growth(&waits, &least_ns, &QueueWaitsSettings::default());
        growth.map(|growth| growth.rise_ns / MS)
    }

    fn each_second(wait_ms: impl Fn(i64) -> i64) -> impl Iterator<Item = (i64, i64)> {
        (0..COUNT).map(move |nth| (nth * 1_000, wait_ms(nth)))
    }

    /// Numbers without a pattern below 1,000.
    fn noise(nth: i64) -> i64 {
        nth.wrapping_mul(0x5851_f42d_4c95_7f2d).rotate_left(23).rem_euclid(1_000)
    }

    #[test]
    fn waits_that_grow_are_found_whatever_clocks_say() {
        // Ninety messages between the medians of the first and the last quarter; 119 s of drift at 200 in a million.
        for ahead_ms in [0, 9_000, -9_000] {
            assert_eq!(grown_ms(1, each_second(|nth| ahead_ms + nth * 10)), Some(876));
        }
        assert_eq!(grown_ms(2, each_second(|nth| nth * 10)), Some(900));
        assert!(grown_ms(1, each_second(|nth| nth * 20 + noise(nth) / 2)).is_some());
    }

    #[test]
    fn thresholds_are_exact() {
        let rule = QueueWaitsSettings::default();
        assert_eq!((rule.growth_ns_min, rule.growth_times_min), (100 * MS, 2));
        // By one clock, 30 messages a quarter: the rise is three quarters of the whole.
        let stairs = |step: i64| each_second(move |nth| nth / 30 * step);
        assert_eq!(grown_ms(2, stairs(34)), Some(102));
        assert_eq!(grown_ms(2, stairs(33)), None);
        let above = |base: i64| each_second(move |nth| base + nth / 30 * 100);
        assert_eq!((grown_ms(2, above(300)), grown_ms(2, above(301))), (Some(300), None));
        let every = |gap_ms: i64, count: i64| (0..count).map(move |nth| (nth * gap_ms, nth * 10));
        assert!(grown_ms(2, every(1_000, 80)).is_some());
        assert_eq!(grown_ms(2, every(1_000, 76)), None);
        assert_eq!(grown_ms(2, every(504, 120)), None);
    }

    #[test]
    fn noise_bursts_steps_and_steady_waits_do_not_grow() {
        assert_eq!(grown_ms(2, each_second(noise)), None);
        assert_eq!(grown_ms(2, each_second(|nth| 5_000 + noise(nth) / 10)), None);
        for burst in 0..4 {
            let wait = move |nth| if nth / 30 == burst { 3_000 } else { noise(nth) / 100 };
            assert_eq!(grown_ms(2, each_second(wait)), None, "{burst}");
        }
        assert_eq!(grown_ms(1, each_second(|nth| if nth < 60 { 0 } else { 4_000 })), None);
        assert_eq!(grown_ms(2, each_second(|nth| 2_000 - nth * 10)), None);
    }

    #[test]
    fn drift_is_no_growth() {
        // 200 parts in a million of two hours are 1.4 s.
        let hours = |ppm: i64| (0..240).map(move |nth| (nth * 30_000, nth * 30 * ppm / 1_000));
        assert_eq!(grown_ms(1, hours(200)), None);
        assert!(grown_ms(1, hours(600)).is_some());
        assert!(grown_ms(2, hours(200)).is_some());
    }

    #[test]
    fn each_pair_of_clocks_counts_for_itself() {
        let rule = QueueWaitsSettings::default();
        let of = |from: u64, wait_ms: &dyn Fn(i64) -> i64| -> Vec<Wait> {
            let wait = |nth: i64| Wait {
                from,
                to: 9,
                sent_ns: nth * 1_000 * MS,
                wait_ns: wait_ms(nth) * MS,
                work_ns: MS,
                draw: 0,
            };
            (0..COUNT).map(wait).collect()
        };
        let found = |pairs: &[Vec<Wait>]| {
            let waits = pairs.concat();
            growth(&waits, &least_ns(&waits), &rule).map(|growth| growth.rise_ns / MS)
        };
        let (slow, fast, steady) = (of(1, &|n| n * 10), of(2, &|n| n * 30), of(3, &|_| 5_000));
        assert_eq!(found(&[slow.clone(), fast.clone()]), Some(876));
        assert_eq!(found(&[slow.clone(), fast, steady.clone()]), Some(876));
        assert_eq!(found(&[slow, steady]), None);
        // Early messages by one clock and late ones by another, which is ahead: nothing grows.
        let early: Vec<Wait> = of(1, &|_| 0).into_iter().take(60).collect();
        let late: Vec<Wait> = of(2, &|_| 5_000).into_iter().skip(60).collect();
        assert_eq!(found(&[early, late]), None);
    }

    #[test]
    fn any_times_give_an_answer() {
        let ends = [(i64::MIN, i64::MAX), (i64::MAX, i64::MIN), (0, 0)];
        let wait = |(sent_ns, wait_ns)| Wait {
            from: 1,
            to: 2,
            sent_ns,
            wait_ns,
            work_ns: i64::MIN,
            draw: 0,
        };
        let mut waits: Vec<Wait> = ends.into_iter().cycle().take(300).map(wait).collect();
        waits.sort_unstable();
        assert_eq!(growth(&waits, &least_ns(&waits), &QueueWaitsSettings::default()), None);
        assert_eq!(growth(&[], &[], &QueueWaitsSettings::default()), None);
    }
}
