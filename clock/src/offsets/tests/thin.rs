//! Thinned reports: few points, nothing claimed that did not hold, and nothing that stands out is lost.

use super::*;
use crate::offsets::{ClockReport, ClockWindow, PairBounds, State, Stretch};

const WINDOW_NS: i64 = 250_000_000;

fn window(nth: i64, lo: i64, hi: i64) -> ClockWindow {
    let bounds = PairBounds {
        lo_ns: Some(lo),
        hi_ns: Some(hi),
        point_ns: Some(lo.midpoint(hi)),
        likely_ns: None,
        state: State::TwoSided,
        messages: 2,
    };
    ClockWindow { start_ns: nth * WINDOW_NS, bounds }
}

fn void(nth: i64) -> ClockWindow {
    let mut void = window(nth, 0, 0);
    void.bounds = PairBounds {
        lo_ns: None,
        hi_ns: None,
        point_ns: None,
        state: State::Inconsistent,
        ..void.bounds
    };
    void
}

fn report(windows: Vec<ClockWindow>, steps: Vec<(i64, i64)>) -> ClockReport {
    ClockReport { clock: clock(1), windows, granularity_ns: None, rate_ppb: None, steps }
}

fn thinned(report: &ClockReport, points_max: usize) -> Vec<Stretch> {
    let thinned = report.thinned(WINDOW_NS, points_max);
    assert!(thinned.len() <= points_max);
    let messages: u64 = report.windows.iter().map(|window| window.bounds.messages).sum();
    assert_eq!(thinned.iter().map(|s| s.bounds.messages).sum::<u64>(), messages);
    assert_eq!(thinned.iter().map(|s| s.windows).sum::<u64>(), report.windows.len() as u64);
    // Whatever holds of a stretch holds of each window in it.
    for stretch in &thinned {
        let is_in = |w: &&ClockWindow| (stretch.start_ns..stretch.end_ns).contains(&w.start_ns);
        for window in report.windows.iter().filter(is_in) {
            let (own, of) = (window.bounds, stretch.bounds);
            assert!(of.lo_ns.is_none_or(|lo| own.lo_ns.is_some_and(|own| lo <= own)));
            assert!(of.hi_ns.is_none_or(|hi| own.hi_ns.is_some_and(|own| own <= hi)));
            assert!(own.state != State::Inconsistent || of.state == State::Inconsistent);
        }
    }
    thinned
}

#[test]
fn few_windows_stay_as_they_are() {
    let few = report((0..7).map(|nth| window(nth, nth, nth + 10)).collect(), Vec::new());
    let thinned = thinned(&few, 7);
    assert_eq!(thinned.iter().map(|s| s.bounds).collect::<Vec<_>>(), {
        few.windows.iter().map(|w| w.bounds).collect::<Vec<_>>()
    });
}

#[test]
fn an_extreme_window_shows_in_its_stretch() {
    let wild = |nth: i64| if nth == 777 { (-9_000, 8_000) } else { (nth % 10, nth % 10 + 100) };
    let many = (0..1_200).map(|nth| window(nth, wild(nth).0, wild(nth).1)).collect();
    let thinned = thinned(&report(many, Vec::new()), 300);
    assert_eq!(thinned.len(), 300);
    let wild: Vec<_> = thinned.iter().filter(|s| s.bounds.hi_ns == Some(8_000)).collect();
    assert_eq!(wild.len(), 1);
    assert_eq!(wild[0].bounds.lo_ns, Some(-9_000));
    assert!(wild[0].start_ns <= 777 * WINDOW_NS && 777 * WINDOW_NS < wild[0].end_ns);
}

#[test]
fn steps_gaps_and_contradictions_keep_stretches_apart() {
    let offset = |nth: i64| if nth < 500 { 0 } else { 30_000 };
    let all = (0..1_000).filter(|nth| !(200..300).contains(nth));
    let windows = all.map(|nth| match nth {
        700..=702 => void(nth),
        _ => window(nth, offset(nth), offset(nth) + 100),
    });
    let step = (500 * WINDOW_NS, 500 * WINDOW_NS);
    let thinned = thinned(&report(windows.collect(), vec![step]), 20);
    for stretch in &thinned {
        let (first, end) = (stretch.start_ns / WINDOW_NS, stretch.end_ns / WINDOW_NS);
        assert!(end <= 200 || first >= 300, "{first} {end} spans what nothing is known of");
        assert!(end <= 500 || first >= 500, "{first} {end} spans the step");
        let is_void = (700..=702).contains(&first);
        assert_eq!(stretch.bounds.state == State::Inconsistent, is_void, "{first} {end}");
        assert!(
            is_void
                || stretch
                    .bounds
                    .hi_ns
                    .zip(stretch.bounds.lo_ns)
                    .is_some_and(|(hi, lo)| hi - lo == 100)
        );
    }
}

#[test]
fn too_many_pieces_become_what_the_worst_of_them_is() {
    let windows =
        (0..1_000).map(|nth| if nth % 2 == 0 { void(nth) } else { window(nth, 0, 9) }).collect();
    let thinned = thinned(&report(windows, Vec::new()), 10);
    assert!(thinned.iter().all(|stretch| stretch.bounds.state == State::Inconsistent));
    assert_eq!(thinned.len(), 10);
    assert_eq!(report(Vec::new(), Vec::new()).thinned(WINDOW_NS, 10), []);
}
