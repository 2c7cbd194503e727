//! Two runs of a hotel reservation on two machines with one constant offset each, traced by Jaeger in microseconds.
//!
//! The known interval takes readings for exact. Clocks that count microseconds show less than one less than they are, so an
//! honest interval ends less than a microsecond beyond the known one on each side: in whole microseconds, in which the data
//! count, it leaves exactly the known offsets possible. That nothing narrower would be honest is shown by other worlds that
//! look the same.

use super::otlp::{Trace, clock, read};
use super::{US, learn, one_rate, shared};
use crate::offsets::{ClockRow, Granularity, PairBounds, Solver, State};
use crate::sim::jaeger_adjusted;

/// Addresses of one machine begin alike.
fn machine(_service: &str, host: &str) -> String {
    if host.starts_with("10.0.2.") { "a".to_owned() } else { "b".to_owned() }
}

fn traces(load: &str) -> Option<Vec<Trace>> {
    let path = shared(&format!("traceweaver-hotel/hotel_{load}.jsonl.gz"))?;
    let traces = read(&path, machine);
    assert_eq!(traces.iter().map(|trace| trace.spans.len()).sum::<usize>(), 11_000);
    Some(traces)
}

/// The offset of the second machine against the first; `fine` takes readings for exact.
fn offset(traces: &[Trace], fine: bool) -> PairBounds {
    let mut table = learn(traces, one_rate());
    let exact = Granularity { readings: 1, below_millisecond: true, below_microsecond: true };
    for name in ["a", "b"] {
        let row = ClockRow { clock: clock(name), sent: exact, received: exact };
        fine.then(|| table.merge_clock(&row));
    }
    let at_ns = traces[0].spans[0].start_ns;
    Solver::new(&table).pair(clock("a"), clock("b"), at_ns)
}

/// The known offset of the second machine against the first, load100.
const KNOWN_NS: (i64, i64) = (-2_161 * US, -856 * US);

#[test]
fn a_constant_offset_is_one_interval_within_the_known_one_in_whole_microseconds() {
    let Some(traces) = traces("load100") else { return };
    let pair = offset(&traces, false);
    // Calls go one way only, so that the other side rests on servers ending first: likely, never certain.
    assert_eq!((pair.state, pair.lo_ns, pair.hi_ns), (State::OneSided, None, Some(-855 * US)));
    let (lo, hi) = pair.likely_ns.expect("answered calls");
    assert_eq!((lo, hi), (KNOWN_NS.0 - US, KNOWN_NS.1 + US));
    // A clock that counts microseconds is less than one behind, so the ends themselves are not possible.
    let possible: Vec<i64> =
        (lo / US - 5..=hi / US + 5).filter(|us| lo < us * US && us * US < hi).collect();
    let ends = possible.first().copied().zip(possible.last().copied());
    assert_eq!(ends, Some((KNOWN_NS.0 / US, KNOWN_NS.1 / US)));
    assert_eq!(offset(&traces, true).likely_ns, Some(KNOWN_NS), "readings taken for exact");
}

/// Other clocks may have been read: those of one machine always just before the next microsecond. Cut to microseconds they
/// show the same, and the offset lies beyond what is known, as far as the honest interval reaches. So the data do not show
/// that it does not, and no rule may conclude it from them.
#[test]
fn an_interval_narrower_than_the_honest_one_would_be_wrong_of_worlds_that_look_the_same() {
    let Some(shown) = traces("load100") else { return };
    let honest = offset(&shown, false).likely_ns.expect("answered calls");
    let last_ns = US - 1;
    for (machine_read_late, edge_ns) in [("a", honest.0 + 1), ("b", honest.1 - 1)] {
        let mut read = traces("load100").expect("they are there");
        for span in read.iter_mut().flat_map(|trace| &mut trace.spans) {
            if span.wall == Some(clock(machine_read_late)) {
                span.start_ns += last_ns;
                span.end_ns += last_ns;
            }
        }
        let cut = |ns: i64| ns.div_euclid(US) * US;
        let both = || read.iter().zip(&shown).flat_map(|(a, b)| a.spans.iter().zip(&b.spans));
        assert!(both().all(|(a, b)| (cut(a.start_ns), cut(a.end_ns)) == (b.start_ns, b.end_ns)));
        let (lo, hi) = offset(&read, true).likely_ns.expect("answered calls");
        assert!(lo <= edge_ns && edge_ns <= hi, "{machine_read_late}: {lo} {edge_ns} {hi}");
        assert!(edge_ns < KNOWN_NS.0 || KNOWN_NS.1 < edge_ns);
    }
}

#[test]
fn one_interval_beats_what_jaeger_computes_span_by_span() {
    let Some(traces) = traces("load100") else { return };
    let (lo, hi) = offset(&traces, false).likely_ns.expect("bounded");
    let (mut deltas, mut zero, mut outside, mut calls) = (Vec::new(), 0, 0, 0);
    for trace in &traces {
        let adjusted = jaeger_adjusted(&trace.spans);
        for (span, (start_ns, _)) in trace.spans.iter().zip(&adjusted) {
            let Some(parent) = span.parent.map(|parent| &trace.spans[parent as usize]) else {
                continue;
            };
            if parent.wall == span.wall {
                continue;
            }
            calls += 1;
            let delta = span.start_ns - start_ns;
            match delta {
                0 => zero += 1,
                _ => deltas.push(delta),
            }
            outside += usize::from(!(lo..=hi).contains(&delta));
        }
    }
    let (least, most) = (deltas.iter().min().copied(), deltas.iter().max().copied());
    eprintln!(
        "hotel load100: {lo}..{hi} ns; Jaeger: {calls} calls between machines, {} moved by {least:?}..{most:?} ns; \
         {outside} misses, {zero} of them left as they are",
        deltas.len()
    );
    let spread = most.zip(least).map(|(most, least)| most - least);
    assert!(spread.is_some_and(|spread| hi - lo < spread), "{spread:?}");
    assert_eq!((calls, outside, zero), (2_000, 1_037, 918), "calls, misses, of those not moved");
}

#[test]
fn a_run_whose_offset_may_be_zero_is_not_said_to_have_one() {
    let Some(traces) = traces("load150") else { return };
    let (lo, hi) = offset(&traces, false).likely_ns.expect("bounded");
    assert_eq!((lo, hi), (-1_047 * US, 273 * US));
    assert!(lo <= 0 && 0 <= hi);
}
