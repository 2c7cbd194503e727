//! Traces are whole, true and said in the words of the conventions; nothing but the faults is wrong with them.

use super::sent::*;
use crate::shop::Faults;

#[test]
fn glance() {
    let t = std::time::Instant::now();
    let (exports, truth) = open_for(settings(1, Faults::all()), 60);
    let all = spans(&exports);
    println!(
        "{:?} {} exports {} spans {} journeys",
        t.elapsed(),
        exports.len(),
        all.len(),
        truth.journeys
    );
    for f in &truth.faults {
        println!(
            "{:24} {:22} {:4}/{:4} {:?}",
            f.line.name, f.line.operation, f.sighting.traces, f.asked, f.instances
        );
    }
    let traces = by_trace(all);
    let mut longest: Vec<_> =
        traces.iter().filter(|t| t.iter().any(|s| s.span.name == "POST /checkout")).collect();
    longest.sort_by_key(|t| t.len());
    if let Some(t) = longest.last() {
        let mut t = (*t).clone();
        t.sort_by_key(|s| s.truth.start_ns);
        let z = t[0].truth.start_ns;
        for s in &t {
            println!(
                "{:9} {:9} {:16} {:?} {:40} {:?} {}",
                (s.truth.start_ns - z) / 1000,
                (s.truth.end_ns - z) / 1000,
                s.instance(),
                s.span.kind(),
                s.span.name,
                s.text("hlc.start"),
                s.span.trace_state
            );
        }
        for s in &t[..4] {
            println!(
                "{:#?}",
                s.span
                    .attributes
                    .iter()
                    .map(|a| format!(
                        "{}={:?}",
                        a.key,
                        a.value.as_ref().unwrap().value.as_ref().unwrap()
                    ))
                    .collect::<Vec<_>>()
            );
        }
    }
}
