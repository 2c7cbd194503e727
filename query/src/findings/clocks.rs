//! What the clocks of the last quarter of an hour of messages show.

use causeway_analysis::detectors::Finding;
use causeway_analysis::detectors::window::{ClockSeen, ClockSettings, detect_clocks};
use causeway_clock::offsets::report;

use crate::order::{ClockName, Clocks};

/// How far back findings look.
const BACK_NS: i64 = 900_000_000_000;

/// Findings about clocks, against the clock that most messages went to or came from meanwhile.
pub(crate) fn of_clocks(known: &Clocks) -> Vec<Finding> {
    let settings = known.estimator.settings();
    let Some((_, last)) = known.estimator.window_range() else { return Vec::new() };
    let windows = last.saturating_sub(BACK_NS / settings.window_ns.max(1))..=last;
    let Some(reference) = known.estimator.busiest(windows.clone()) else { return Vec::new() };
    let found = known.solve(|solver| report(solver, reference, windows));
    let names: Vec<ClockName> = found.iter().map(|report| known.name(report.clock)).collect();
    let seen = found.iter().zip(&names).filter_map(|(report, name)| {
        // A host shows what its processes show.
        let service = name.service_name.as_deref().filter(|_| report.clock != reference)?;
        let instance = name.service_instance_id.as_deref().or(name.host_name.as_deref());
        Some(ClockSeen { report, service, instance: instance.unwrap_or_default() })
    });
    detect_clocks(&seen.collect::<Vec<_>>(), &ClockSettings::default())
}
