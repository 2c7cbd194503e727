//! Parts of a trace, merged, tell what all its spans together tell.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, DictionaryArray, Int32Array, Int64Array, RecordBatch};
use arrow::datatypes::Int32Type;
use causeway_model::columns::name;
use causeway_model::parts::PartsBuilder;

use super::parts::{Cursor, Merged, PartBatch, Share, Within, merge};
use crate::trace::summary::oracle::{self, Span};
use crate::trace::summary::{ServiceCount, Summary};

fn dice(state: &mut u64, end: u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 11) % end
}

/// Few ids, starts and names, so that ties, copies and missing parents are common.
fn random_span(state: &mut u64) -> Span {
    let start = dice(state, 12) as i64 - 1;
    Span {
        span_id: 1 + dice(state, 12),
        parent_span_id: dice(state, 14),
        start: if start == 0 { i64::MIN + 5 } else { start },
        duration: [0, 1, 5, -3, i64::MAX][dice(state, 5) as usize],
        is_error: dice(state, 4) == 0,
        service: ["", "db", "web"][dice(state, 3) as usize].to_owned(),
        name: ["a", "b"][dice(state, 2) as usize].to_owned(),
    }
}

fn batch(spans: &[(u64, Span)]) -> RecordBatch {
    let ids = spans.iter().map(|(trace, _)| u128::from(*trace).to_be_bytes());
    let span_ids = spans.iter().map(|(_, span)| span.span_id.to_be_bytes());
    let parents: BinaryArray = spans
        .iter()
        .map(|(_, span)| Some(span.parent_span_id.to_be_bytes()).filter(|id| id != &[0; 8]))
        .collect();
    let status = spans.iter().map(|(_, span)| span.is_error.then_some(2));
    let services: DictionaryArray<Int32Type> = spans
        .iter()
        .map(|(_, span)| Some(span.service.as_str()).filter(|service| !service.is_empty()))
        .collect();
    let names: DictionaryArray<Int32Type> =
        spans.iter().map(|(_, span)| Some(span.name.as_str())).collect();
    let columns: [(&str, ArrayRef, bool); 8] = [
        (name::TRACE_ID, Arc::new(BinaryArray::from_iter_values(ids)), false),
        (name::SPAN_ID, Arc::new(BinaryArray::from_iter_values(span_ids)), false),
        (name::PARENT_SPAN_ID, Arc::new(parents), true),
        (
            name::START_TIME_UNIX_NANO,
            Arc::new(Int64Array::from_iter_values(spans.iter().map(|(_, span)| span.start))),
            false,
        ),
        (
            name::DURATION_NS,
            Arc::new(Int64Array::from_iter_values(spans.iter().map(|(_, span)| span.duration))),
            false,
        ),
        (name::STATUS_CODE, Arc::new(status.collect::<Int32Array>()), true),
        (name::SERVICE_NAME, Arc::new(services), true),
        (name::NAME, Arc::new(names), true),
    ];
    RecordBatch::try_from_iter_with_nullable(columns).expect("a batch")
}

/// The parts of a run of spans, pushed in pieces and taken in pieces.
fn cursor(state: &mut u64, mut run: Vec<(u64, Span)>, share: Share) -> Option<Cursor> {
    run.sort_by_key(|(trace, span)| (*trace, span.start));
    let mut builder = PartsBuilder::new();
    let mut parts = Vec::new();
    for piece in run.chunks(1 + dice(state, 9) as usize) {
        builder.push(&batch(piece)).expect("spans");
        if dice(state, 3) == 0 {
            parts.push(builder.take().expect("parts"));
        }
    }
    parts.push(builder.finish().expect("parts"));
    let batches = parts.into_iter().map(|parts| Ok(PartBatch::new(&parts)?));
    Cursor::new(Box::new(batches), share).expect("reads")
}

fn merged(cursors: Vec<Cursor>, times: Option<(i64, i64)>) -> Vec<Merged> {
    let mut all = Vec::new();
    let mut keep = |trace| {
        all.push(trace);
        Ok(true)
    };
    merge(cursors, times, &mut keep).expect("merges");
    all
}

#[test]
fn merged_parts_are_the_summary_of_all_spans() {
    for seed in 1..=400_u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut traces: BTreeMap<u64, Vec<Span>> = BTreeMap::new();
        let mut runs: Vec<Vec<(u64, Span)>> = vec![Vec::new(); 1 + dice(&mut state, 4) as usize];
        for _ in 0..1 + dice(&mut state, 60) {
            let (trace, span) = (dice(&mut state, 6), random_span(&mut state));
            let run = dice(&mut state, runs.len() as u64) as usize;
            runs[run].push((trace, span.clone()));
            traces.entry(trace).or_default().push(span);
        }
        let times = (3, 6);
        // Shares cut between traces, whatever their number.
        let middle = u128::from(dice(&mut state, 7));
        let shares = [
            Share { first: 0, last: middle },
            Share { first: middle + 1, last: 4 },
            Share { first: middle.max(4) + 1, last: u128::MAX },
        ];
        let mut all = Vec::new();
        for share in shares {
            let parts = runs.iter().filter_map(|run| cursor(&mut state, run.clone(), share));
            all.extend(merged(parts.collect(), Some(times)));
        }
        let merged = all;
        let ids: Vec<u128> = merged.iter().map(|m| u128::from_be_bytes(m.trace_id)).collect();
        assert_eq!(ids, traces.keys().map(|id| u128::from(*id)).collect::<Vec<_>>());
        for (mut trace, spans) in merged.into_iter().zip(traces.values()) {
            let is_in = spans.iter().any(|span| (times.0..=times.1).contains(&span.start));
            match trace.within {
                Within::Yes => assert!(is_in, "seed {seed}"),
                Within::No => assert!(!is_in, "seed {seed}"),
                Within::Perhaps => {}
            }
            if trace.has_open_parents() {
                spans.iter().for_each(|span| trace.found_span(span.span_id));
            }
            assert_eq!(trace.summary(), oracle::summary(spans), "seed {seed}: {spans:?}");
        }
    }
}

#[test]
fn a_late_root_takes_over() {
    let span = |span_id, parent_span_id, start, duration, service: &str| Span {
        span_id,
        parent_span_id,
        start,
        duration,
        is_error: span_id == 3,
        service: service.to_owned(),
        name: "op".to_owned(),
    };
    let mut state = 1;
    let first = vec![(7, span(2, 1, 110, 20, "db")), (7, span(3, 1, 120, 100, "db"))];
    let late = vec![(7, span(1, 0, 100, 50, "web"))];
    let cursors =
        [first, late].into_iter().filter_map(|run| cursor(&mut state, run, Share::ALL)).collect();
    let mut all = merged(cursors, None);
    let mut trace = all.pop().expect("one trace");
    assert!(all.is_empty() && trace.has_open_parents());
    trace.found_span(1);
    let services = [("db", 2, 1), ("web", 1, 0)].map(|(name, spans, errors)| ServiceCount {
        name: name.to_owned(),
        spans,
        errors,
    });
    let expected = Summary {
        root_span_id: Some(1),
        root_service: "web".to_owned(),
        root_name: "op".to_owned(),
        start_time_unix_nano: 100,
        duration_ns: Some(50),
        envelope_ns: 120,
        spans: 3,
        errors: 1,
        services: services.to_vec(),
        missing_parents: 0,
        complete: true,
    };
    assert_eq!(trace.summary(), expected);
}

#[test]
fn shares_hold_every_id_once() {
    for count in [0, 1, 2, 3, 7, 16] {
        let shares = Share::split(count);
        assert_eq!(shares.len(), count.max(1));
        assert_eq!(shares.first().map(|share| share.first), Some(0));
        assert_eq!(shares.last().map(|share| share.last), Some(u128::MAX));
        for pair in shares.windows(2) {
            assert_eq!(pair[0].last + 1, pair[1].first);
        }
    }
}
