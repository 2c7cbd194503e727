//! `error_origin`: where a failure began, and what it took down.
//!
//! | | |
//! |---|---|
//! | fires when | a span failed and so did its caller; the origin is the failed span with no failed one below it, of several that whose failure went furthest up, then the one that ended first |
//! | not when | the failure stayed where it was: the caller dealt with it |
//! | change | none |
//! | wrong if | the caller failed for a reason of its own |
//!
//! Up and down are proven by parent links; only between origins whose failures went equally far do times decide.

use std::collections::BTreeMap;

use causeway_model::trace::{Row, Status};
use serde_json::Value;

use super::finding::{Draft, Fallacy, Findings, Severity, evidence};
use super::{Detector, Settings, Subject};

/// Services that are listed in a finding.
const SERVICES_MAX: usize = 20;

/// Finds where a failure began.
#[derive(Debug)]
pub struct ErrorOrigin;

impl Detector for ErrorOrigin {
    fn id(&self) -> &'static str {
        "error_origin"
    }

    fn rule_version(&self) -> u32 {
        1
    }

    fn fallacy(&self) -> Fallacy {
        Fallacy::NetworkIsReliable
    }

    fn summary(&self) -> &'static str {
        "Where a failure began, and what it took down."
    }

    fn run(&self, subject: &Subject<'_, '_>, _: &Settings, findings: &mut Findings) {
        let trace = subject.trace;
        let Some(origin) = origin(subject) else { return };
        let mut chain = vec![origin];
        chain.extend(trace.ancestors(origin).take_while(|row| has_failed(subject, *row)));
        let (Some(top), true) = (chain.last().copied(), chain.len() > 1) else { return };
        let mut services: BTreeMap<&str, usize> = BTreeMap::new();
        for row in &chain {
            *services.entry(trace.service_text(*row)).or_default() += 1;
        }
        let (service, name) = (trace.service_text(origin), trace.name_text(origin));
        let reaches_root = subject.root() == Some(top);
        let seen = format!(
            "{service} {name} failed first and took down {} spans in {} services",
            chain.len() - 1,
            services.len(),
        );
        let list: Value = services.keys().copied().take(SERVICES_MAX).collect();
        let evidence = evidence(
            seen.clone(),
            "A failure that nobody on the way up deals with fails everything above it.",
            "Mend the origin; above it decide what to do without its answer.".to_owned(),
            "A caller failed for a reason of its own.",
            [
                ("message", trace.status_message(origin).unwrap_or_default().into()),
                ("services", list),
                ("reaches_root", reaches_root.into()),
            ],
        );
        findings.push(
            self,
            subject,
            Draft {
                title: seen,
                group: vec![service, name],
                caller: trace.parent(origin),
                rows: &chain,
                wasted_ns: 0,
                saving_ns: 0,
                severity: Some(if reaches_root { Severity::Medium } else { Severity::Low }),
                evidence,
            },
        );
    }
}

fn has_failed(subject: &Subject<'_, '_>, row: Row) -> bool {
    subject.trace.status(row) == Status::Error
}

/// The failed span below which none failed, and whose failure went furthest up.
fn origin(subject: &Subject<'_, '_>) -> Option<Row> {
    let trace = subject.trace;
    // How far up each failure goes: the depth of the topmost of the failed spans above, without a gap.
    let mut top_depth: Vec<u32> = vec![u32::MAX; trace.len()];
    let mut is_origin = vec![false; trace.len()];
    for row in trace.rows().filter(|row| has_failed(subject, *row)) {
        let above = trace.parent(row).filter(|above| has_failed(subject, *above));
        let depth = above.and_then(|above| top_depth.get(above.idx()).copied());
        if let Some(place) = top_depth.get_mut(row.idx()) {
            *place = depth.unwrap_or_else(|| trace.depth(row));
        }
        if let Some(place) = above.and_then(|above| is_origin.get_mut(above.idx())) {
            *place = false;
        }
        if let Some(place) = is_origin.get_mut(row.idx()) {
            *place = true;
        }
    }
    let origins = trace.rows().filter(|row| is_origin.get(row.idx()) == Some(&true));
    origins.min_by_key(|row| (top_depth.get(row.idx()).copied(), trace.end_ns(*row), *row))
}

#[cfg(test)]
mod tests {
    use crate::detectors::tests::{check, found};

    #[test]
    fn the_deepest_failure_that_reached_the_root_is_the_origin() {
        let text = "web page server 0..100 error
            web ok client 5..20
            web call client 20..90 error
              users get server 25..85 error
                users query client 30..40
                users query client 40..80 error
            web other client 91..95 error";
        let title = "users query failed first and took down 3 spans in 2 services";
        check(text, &[&format!("error_origin 4 {title}")]);
        let finding = &found(text)[0];
        assert_eq!(finding.evidence["reaches_root"], true);
    }

    #[test]
    fn a_failure_that_was_dealt_with_is_none() {
        check("web page server 0..100\n web call client 20..90 error", &[]);
        check("web page server 0..100", &[]);
        check("web page server 0..100 error", &[]);
    }
}
