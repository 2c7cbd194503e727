//! What holds for every detector, and what tests of each are written with.

mod edges;
mod n_plus_one;
mod shop;

use std::collections::HashSet;

use causeway_testkit::notation::{EPOCH_NS, NotedSpan};
use proptest::prelude::*;

use super::*;
use crate::forms::Former;
use crate::testing::{malformed, nested, with, with_spans};

/// What all detectors find in a trace, with default settings but for one: tests call by http, which is a finding only
/// where [a test asks for it](of_detector).
pub(crate) fn found(text: &str) -> Vec<Finding> {
    let encrypted = PlaintextCallSettings { mesh_encrypts: true, ..Default::default() };
    let settings = Settings { plaintext_call: encrypted, ..Settings::default() };
    with(text, |trace| detect(trace, 1, &settings, &mut Former::default()))
}

/// Compares findings as `detector count title`.
pub(crate) fn check(text: &str, expected: &[&str]) {
    let shown: Vec<_> = found(text)
        .into_iter()
        .map(|finding| format!("{} {} {}", finding.detector, finding.count, finding.title))
        .collect();
    assert_eq!(shown, expected);
}

/// What one detector finds in a trace.
pub(crate) fn of_detector(text: &str, name: &str) -> Vec<Finding> {
    let found = with(text, |trace| detect(trace, 1, &Settings::default(), &mut Former::default()));
    found.into_iter().filter(|finding| finding.detector == name).collect()
}

fn of_spans(spans: &[NotedSpan]) -> Vec<Finding> {
    with_spans(spans, |trace| detect(trace, 1, &Settings::default(), &mut Former::default()))
}

#[test]
fn names_are_unique_and_rules_are_said() {
    let names: HashSet<_> = DETECTORS.iter().map(|detector| detector.id()).collect();
    assert_eq!(names.len(), DETECTORS.len());
    for detector in DETECTORS {
        assert!(detector.rule_version() > 0);
        assert!(detector.summary().ends_with('.'));
    }
}

#[test]
fn nothing_shows_nothing() {
    assert_eq!(of_spans(&[]), []);
}

#[test]
fn findings_are_bounded_and_the_worst_are_kept() {
    let callers = (0..150).map(|at| {
        let (from, lasts) = (at * 1000, 10 + at);
        format!(
            " s caller{at} server {from}..{}\n  s q client {from}..{} x6/{lasts} db.system=mysql db.statement=\"SELECT a FROM t WHERE id = %i\"",
            from + 999,
            from + lasts,
        )
    });
    let text = std::iter::once("s root server 0..150000".to_owned()).chain(callers);
    let found = found(&text.collect::<Vec<_>>().join("\n"));
    assert_eq!(found.len(), 100);
    assert!(found.iter().all(|finding| finding.wasted_ns >= 5 * 60_000_000));
    let ids: HashSet<_> = found.iter().map(|finding| finding.finding_id).collect();
    assert_eq!(ids.len(), 100);
}

#[test]
fn groups_are_the_same_over_traces_and_findings_are_not() {
    let of = |id: u64, at: i64| {
        let text = format!(
            "s page server {at}..{} #{id}\n s q client {at}..{} x6/20 db.system=mysql db.statement=\"SELECT a FROM t WHERE id = {id}\"",
            at + 200,
            at + 10,
        );
        found(&text).remove(0)
    };
    let (one, two) = (of(5, 0), of(6, 30));
    assert_eq!(one.group_key, two.group_key);
    assert_ne!(one.finding_id, two.finding_id);
    assert_eq!(one.first_seen_unix_nano, EPOCH_NS);
    assert_eq!(one.last_seen_unix_nano, EPOCH_NS + 110_000_000);
    assert_eq!(one.group_key.to_string().len(), 32);
}

#[test]
fn twenty_thousand_calls_are_one_finding() {
    let call = |id: u64| NotedSpan {
        id,
        parent: 1,
        kind: causeway_testkit::proto::trace::v1::span::SpanKind::Client,
        start_ns: EPOCH_NS as u64 + id * 1_000,
        end_ns: EPOCH_NS as u64 + id * 1_000 + 900,
        attributes: vec![
            ("db.system".to_owned(), "mysql".into()),
            ("db.statement".to_owned(), format!("SELECT a FROM t WHERE id = {id}").as_str().into()),
        ],
        ..NotedSpan::default()
    };
    let root = NotedSpan {
        id: 1,
        start_ns: EPOCH_NS as u64,
        end_ns: EPOCH_NS as u64 + 200_000_000,
        ..NotedSpan::default()
    };
    let spans: Vec<_> = std::iter::once(root).chain((2..=20_001).map(call)).collect();
    let found = of_spans(&spans);
    assert_eq!((found.len(), found[0].count), (1, 20_000));
    assert_eq!(found[0].span_ids.len(), SPAN_IDS_MAX);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_trace_makes_a_detector_fail(spans in prop_oneof![malformed(), nested()]) {
        let spans: Vec<NotedSpan> = spans
            .into_iter()
            .map(|mut span| {
                let statement = format!("SELECT a FROM t{} WHERE id = {}", span.id % 2, span.id);
                span.attributes.push(("db.statement".to_owned(), statement.as_str().into()));
                span
            })
            .collect();
        let found = of_spans(&spans);
        let shuffled: Vec<_> = spans.iter().rev().cloned().collect();
        prop_assert_eq!(&found, &of_spans(&shuffled));
        for finding in found {
            prop_assert!(finding.saving_ns >= 0 && finding.wasted_ns >= 0);
            prop_assert!(finding.count as usize >= finding.span_ids.len());
        }
    }
}
