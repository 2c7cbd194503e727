//! Traces read by id, past SQL, are those that SQL finds.

use causeway_model::ids::hex;
use causeway_model::{SpanRows, TraceId};
use causeway_query::QueryError;
use causeway_testkit::proto::trace::v1::Span;

use crate::world::{Dice, World, WorldBuilder, request, span};

const TRACES: u64 = 60;

/// Spans of random traces; some repeat earlier ones, some only claim to.
fn spans(dice: &mut Dice, known: &mut Vec<Span>, count: u64) -> Vec<Span> {
    let mut spans = Vec::new();
    for _ in 0..count {
        let copied = dice.below(known.len() as u64 + 1) as usize;
        let next = match (dice.below(10), known.get(copied)) {
            (0, Some(copy)) => copy.clone(),
            (1, Some(copy)) => Span { name: "impostor".to_owned(), ..copy.clone() },
            _ => {
                let trace = dice.below(TRACES) + 1;
                let name = ["a", "b", "c"][dice.below(3) as usize];
                span(trace, dice.below(1 << 40) + 1, 0, name, dice.below(5_000), dice.below(90))
            }
        };
        known.push(next.clone());
        spans.push(next);
    }
    spans
}

fn world(seed: u64) -> World {
    let mut dice = Dice::new(seed);
    let mut known = Vec::new();
    let mut builder = WorldBuilder::new();
    for at in 0..4 {
        let count = 1 + dice.below(2_500);
        let requests = [request("web", spans(&mut dice, &mut known, count))];
        builder = match (at, seed % 2) {
            (1, 0) => builder.foreign_file(&requests),
            _ => builder.file(&requests),
        };
    }
    for _ in 0..2 {
        let count = 1 + dice.below(300);
        builder = builder.recent(&[request("db", spans(&mut dice, &mut known, count))]);
    }
    builder.build()
}

/// Span id, name, start and service of every span, sorted.
async fn direct(world: &World, id: TraceId) -> Vec<String> {
    let batches = match world.query.trace(id).await {
        Err(QueryError::NotFound(_)) => Vec::new(),
        other => other.expect("reads"),
    };
    let mut lines = Vec::new();
    for batch in &batches {
        let rows = SpanRows::new(batch).expect("the storage schema");
        for row in 0..rows.len {
            assert_eq!(rows.trace_id.value(row), id.0);
            let (span, name) = (hex(rows.span_id.value(row)), rows.name.get(row));
            let (start, service) =
                (rows.start_time_unix_nano.value(row), rows.service_name.get(row));
            let name = name.unwrap_or_default();
            lines.push(format!("{span},{name},{start},{}", service.unwrap_or_default()));
        }
    }
    lines.sort();
    lines
}

#[tokio::test]
async fn the_direct_path_finds_what_sql_finds() {
    for seed in 0..6 {
        let world = world(seed);
        for trace in 1..=TRACES + 5 {
            let id = TraceId(u128::from(trace).to_be_bytes());
            let statement = format!(
                "SELECT DISTINCT span_id, name, start_time_unix_nano, service_name FROM spans \
                 WHERE trace_id = '{id}' ORDER BY 1, 2, 3, 4"
            );
            let expected = world.sql(&statement).await;
            let found = direct(&world, id).await;
            assert_eq!(found.join("\n"), expected, "seed {seed}, trace {trace}");
        }
    }
}

#[tokio::test]
async fn one_span_is_found_among_others() {
    let world = world(1);
    let first = world.sql("SELECT trace_id, span_id, name FROM spans ORDER BY 2 LIMIT 40").await;
    for line in first.lines() {
        let (trace, rest) = line.split_once(',').unwrap_or_default();
        let (span, _) = rest.split_once(',').unwrap_or_default();
        let (status, found) = world.get(&format!("/traces/{trace}/spans/{span}")).await;
        let count = format!(
            "SELECT count(*) FROM (SELECT DISTINCT name, start_time_unix_nano, service_name, \
             duration_ns FROM spans WHERE trace_id = '{trace}' AND span_id = '{span}')"
        );
        assert_eq!(status, 200);
        let ids = found.to_string().matches(&format!("\"spanId\":\"{span}\"")).count();
        assert_eq!(ids.to_string(), world.sql(&count).await, "{line}");
    }
}

#[tokio::test]
async fn a_trace_beyond_the_limit_is_refused_by_name() {
    let spans = |file: u64| (0..10).map(|n| span(7, file * 10 + n + 1, 0, "op", n, 1)).collect();
    for (spans_max, is_answered) in [(30, true), (29, false)] {
        let world = WorldBuilder::new()
            .settings(|settings| settings.trace_spans_max = spans_max)
            .file(&[request("web", spans(0))])
            .file(&[request("web", spans(1))])
            .recent(&[request("web", spans(2))])
            .build();
        let id = TraceId(7_u128.to_be_bytes());
        match world.query.trace(id).await {
            Ok(batches) => {
                assert!(is_answered);
                assert_eq!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 30);
            }
            Err(error) => {
                assert!(!is_answered, "{error}");
                assert_eq!(error.to_string(), "trace_spans_max is reached: more than 29 spans");
            }
        }
    }
}
