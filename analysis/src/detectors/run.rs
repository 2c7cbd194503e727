//! Runs all detectors over a trace.

use causeway_model::trace::MergedTrace;

use super::finding::{Finding, Findings};
use super::{DETECTORS, Settings, Subject};
use crate::forms::Former;

/// What a trace shows, worst first; at most [`Settings::findings_max`] findings.
pub fn detect(
    trace: &MergedTrace<'_>,
    revision: u64,
    settings: &Settings,
    former: &mut Former,
) -> Vec<Finding> {
    detect_in(&Subject::new(trace, revision, former), settings)
}

/// The same of a trace that others look at as well.
pub fn detect_in(subject: &Subject<'_, '_>, settings: &Settings) -> Vec<Finding> {
    let mut all = Findings::default();
    for detector in DETECTORS {
        let mut found = Findings::default();
        detector.run(subject, settings, &mut found);
        if found.len() > settings.findings_max {
            found.truncate(settings.findings_max);
        }
        all.extend(found);
    }
    all.truncate(settings.findings_max);
    all.into_vec()
}
