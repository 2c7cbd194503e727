//! `broken_stamps`: stamps of hybrid clocks that cannot be believed, or that nobody accepts.
//!
//! Processes that stamp their spans with hybrid clocks prove in what order things happened. A stamp that two processes
//! share, that was made up or that was not taken into account proves nothing, and everything ordered through it is a
//! guess again.
//!
//! | | |
//! |---|---|
//! | fires when | two clocks stamp with one node id (cloned); a span's stamps do not follow what it received (merge not done); a received stamp is older than its sender's span (replayed or forged); a stamp was refused for being too far ahead |
//! | not when | spans show no stamps |
//! | severity | medium |
//! | wrong if | a proxy rewrites the context of others |
//!
//! What is wrong is told by [`causeway_clock::order`]; this names who did it and what to do.

use std::borrow::Cow;
use std::collections::BTreeMap;

use causeway_clock::order::{Fault, Order, OrderSettings, Span};
use causeway_model::trace::Row;

use super::evidence::evidence;
use super::finding::{Draft, Fallacy, Findings};
use super::stamps::stamped_spans;
use super::{Detector, Settings, Severity, Subject};

/// Finds stamps that cannot be believed.
#[derive(Debug)]
pub struct BrokenStamps;

/// What is wrong with stamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Broken {
    Cloned,
    NotMerged,
    Replayed,
    Refused,
}

impl Broken {
    fn label(self) -> &'static str {
        match self {
            Self::Cloned => "cloned",
            Self::NotMerged => "not_merged",
            Self::Replayed => "replayed",
            Self::Refused => "refused",
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::Cloned => {
                "Draw a new node id when a process is resumed from a snapshot or forked."
            }
            Self::NotMerged => {
                "Let the propagator observe the stamp it receives before the span starts."
            }
            Self::Replayed => "Find out who sends contexts of old requests, or makes up its own.",
            Self::Refused => {
                "Set the sender's clock right; it is further ahead than clocks may be."
            }
        }
    }
}

impl Detector for BrokenStamps {
    fn id(&self) -> &'static str {
        "broken_stamps"
    }

    fn rule_version(&self) -> u32 {
        1
    }

    fn fallacy(&self) -> Fallacy {
        Fallacy::OneClock
    }

    fn summary(&self) -> &'static str {
        "Stamps that cannot be believed, or that nobody accepts."
    }

    fn run(&self, subject: &Subject<'_, '_>, settings: &Settings, findings: &mut Findings) {
        if !subject.told.is_stamped {
            return;
        }
        let Some(spans) = stamped_spans(subject.trace) else { return };
        let Ok(order) = Order::build(&spans, &[], &OrderSettings::default()) else { return };
        let mut broken: BTreeMap<(Broken, &str), Vec<Row>> = BTreeMap::new();
        for (row, span) in subject.trace.rows().zip(&spans) {
            let Some(kind) = broken_of(&order, row, span) else { continue };
            broken.entry((kind, subject.trace.service_text(row))).or_default().push(row);
        }
        for ((kind, service), rows) in broken.iter().take(settings.findings_max) {
            self.report(subject, (*kind, service), rows, findings);
        }
    }
}

/// The worst that is wrong with a span's stamps.
fn broken_of(order: &Order, row: Row, span: &Span) -> Option<Broken> {
    let faults = order.faults(row.0);
    if faults.contains(Fault::Clash) {
        Some(Broken::Cloned)
    } else if faults.contains(Fault::Order) {
        Some(Broken::NotMerged)
    } else if faults.contains(Fault::Replayed) {
        Some(Broken::Replayed)
    } else if span.rejected.is_some() {
        Some(Broken::Refused)
    } else {
        None
    }
}

impl BrokenStamps {
    fn report(
        &self,
        subject: &Subject<'_, '_>,
        (kind, service): (Broken, &str),
        rows: &[Row],
        findings: &mut Findings,
    ) {
        let trace = subject.trace;
        let count = rows.len();
        let title = match kind {
            Broken::Cloned => {
                format!("{service} shares the node id of its clock with another process")
            }
            Broken::NotMerged => {
                format!("{service} sends stamps but does not merge those it receives")
            }
            Broken::Replayed => {
                format!("{service} received stamps that are older than who sent them")
            }
            Broken::Refused => format!("{service} refused stamps that are too far ahead"),
        };
        let instances =
            rows.iter().filter_map(|row| subject.resource_text(*row, "service.instance.id"));
        let mut instances: Vec<String> = instances.map(Cow::into_owned).collect();
        instances.sort_unstable();
        instances.dedup();
        instances.truncate(20);
        let evidence = evidence(
            title.clone(),
            "Order through these spans is not proven, and nothing bounds the clock that made the stamps.",
            kind.remedy().to_owned(),
            "Something between the processes rewrites contexts.",
            [
                ("kind", kind.label().into()),
                ("spans", count.into()),
                ("instances", instances.into()),
            ],
        );
        findings.push(
            self,
            subject,
            Draft {
                title,
                group: vec![kind.label(), service],
                caller: rows.first().and_then(|row| trace.parent(*row)),
                rows,
                edge: Some((service, "")),
                severity: Some(Severity::Medium),
                evidence,
                ..Draft::default()
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use causeway_clock::{NodeId, Stamp};

    use crate::detectors::tests::of_detector;

    const NAME: &str = "broken_stamps";
    const EPOCH_NS: i64 = causeway_testkit::notation::EPOCH_NS;

    fn stamp(node: u64, at_ms: i64) -> String {
        let hlc = EPOCH_NS + at_ms * 1_000_000;
        Stamp { node: NodeId(NonZeroU64::new(node).expect("not zero")), hlc, lead: 0 }.to_string()
    }

    fn span(times: (i64, i64), node: u64) -> String {
        format!(
            "{}..{} hlc.start=\"{}\" hlc.end=\"{}\"",
            times.0,
            times.1,
            stamp(node, times.0),
            stamp(node, times.1)
        )
    }

    #[test]
    fn one_node_id_of_two_processes_is_found() {
        let text =
            format!("a/1 x server {}\n a/2 y server {}", span((0, 90), 7), span((10, 50), 7));
        let found = of_detector(&text, NAME);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].evidence.value()["kind"], "cloned");
    }

    #[test]
    fn refused_stamps_are_told() {
        let text = format!("a x server {} hlc.reject=\"{}\"", span((0, 90), 7), stamp(8, 9_000));
        assert_eq!(of_detector(&text, NAME)[0].evidence.value()["kind"], "refused");
    }

    #[test]
    fn sound_missing_and_unreadable_stamps_are_none() {
        let text = format!("a x client {}\n b y server {}", span((0, 90), 7), span((10, 50), 8));
        assert_eq!(of_detector(&text, NAME), []);
        assert_eq!(of_detector("a x server 0..9\n b y server 1..5", NAME), []);
        assert_eq!(
            of_detector("a x server 0..9 hlc.start=nonsense hlc.end=\"\" hlc.reject=7", NAME),
            []
        );
    }
}
