//! Lists of traces: whatever lies where, they are what looking at all spans gives.

use std::collections::BTreeSet;

use causeway_model::ids::hex;
use serde_json::Value;

use crate::model::{Line, Sent, adopt, by_trace, random_span};
use crate::world::{Dice, MS, T0, World, WorldBuilder, kv, request, span, text};

const TRACES: u64 = 40;

/// Spans over several files, one of them foreign, and recent batches.
fn world(seed: u64) -> (World, Vec<Sent>) {
    let mut dice = Dice::new(seed);
    let mut all: Vec<Sent> = Vec::new();
    for _ in 0..40 + dice.below(400) {
        let next = match (dice.below(15), all.len() as u64) {
            (0, known @ 1..) => all[dice.below(known) as usize].clone(),
            _ => random_span(&mut dice, TRACES),
        };
        all.push(next);
    }
    adopt(&mut dice, &mut all);
    let runs = 2 + dice.below(5) as usize;
    let mut parts: Vec<Vec<Sent>> = vec![Vec::new(); runs];
    for one in &all {
        // Mostly in the order of time, as files are.
        let by_time = (one.1.start_time_unix_nano.saturating_sub(T0) / MS / 1_000) as usize;
        let at = if dice.below(8) == 0 { dice.below(runs as u64) as usize } else { by_time };
        parts[at.min(runs - 1)].push(one.clone());
    }
    // So that the newest are looked for in many steps, or in one.
    let step = [1, 60, 1 << 20][(seed % 3) as usize];
    let mut builder = WorldBuilder::new().settings(|settings| settings.search_step_spans = step);
    for (at, part) in parts.into_iter().enumerate() {
        let of = |service: &str| {
            let spans = part.iter().filter(|(s, _)| *s == service).map(|(_, span)| span.clone());
            request(service, spans.collect())
        };
        let requests = [of("web"), of("db")];
        builder = match (part.is_empty(), runs - at, seed % 4) {
            (true, ..) => builder,
            (_, 1 | 2, _) => builder.recent(&requests),
            (_, _, 0) if at == 0 => builder.foreign_file(&requests),
            _ => builder.file(&requests),
        };
    }
    (builder.build(), all)
}

/// A search as parameters, and whether a span fulfils it.
type Condition = (String, Box<dyn Fn(&Sent) -> bool>);

fn has(key: &'static str, value: &'static str) -> impl Fn(&Sent) -> bool {
    let is_value = |v: &causeway_testkit::proto::common::v1::AnyValue, value: &str| {
        v.value == Some(text(value))
    };
    move |(_, span)| {
        let mut attributes = span.attributes.iter();
        attributes.any(|kv| kv.key == key && kv.value.as_ref().is_some_and(|v| is_value(v, value)))
    }
}

fn conditions(dice: &mut Dice) -> Vec<Condition> {
    let from = T0 + dice.below(5_000) * MS;
    let to = from + dice.below(3_000) * MS;
    let starts = move |(_, span): &Sent| (from..=to).contains(&span.start_time_unix_nano);
    let range = format!("start={from}&end={to}");
    vec![
        (String::new(), Box::new(|_| true)),
        ("service=db".to_owned(), Box::new(|(service, _)| *service == "db")),
        ("attr=color=red".to_owned(), Box::new(has("color", "red"))),
        ("attr=rare=yes".to_owned(), Box::new(has("rare", "yes"))),
        (
            format!("attr=color=blue&{range}"),
            Box::new(move |one| has("color", "blue")(one) && starts(one)),
        ),
        (
            format!("status=error&operation=a&{range}"),
            Box::new(move |one| {
                let is_error = one.1.status.as_ref().is_some_and(|status| status.code == 2);
                is_error && one.1.name == "a" && starts(one)
            }),
        ),
        (range, Box::new(starts)),
        ("attr=color=none".to_owned(), Box::new(|_| false)),
    ]
}

/// Ids of all matching traces in their order.
fn expected(sent: &[Sent], matches: &dyn Fn(&Sent) -> bool, order: &str) -> Vec<String> {
    let traces = by_trace(sent);
    let found = traces.iter().filter(|(_, spans)| spans.iter().any(|one| matches(one)));
    let mut ranked: Vec<_> = found
        .map(|(id, spans)| (std::cmp::Reverse(Line::of(spans).rank(order)), hex(id)))
        .collect();
    ranked.sort();
    ranked.into_iter().map(|(_, id)| id).collect()
}

/// Ids of all pages of a search, and the totals they claimed.
async fn pages(world: &World, search: &str, limit: usize) -> (Vec<Value>, BTreeSet<u64>) {
    let (mut lines, mut totals, mut cursor) = (Vec::new(), BTreeSet::new(), String::new());
    loop {
        let uri = format!("/traces?{search}&limit={limit}&cursor={cursor}");
        let (status, page) = world.get(&uri).await;
        assert_eq!(status, 200, "{uri}: {page}");
        let traces = page["traces"].as_array().cloned().unwrap_or_default();
        assert!(traces.len() <= limit);
        lines.extend(traces);
        if page["total"]["exact"] == true {
            totals.extend(page["total"]["value"].as_u64());
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return (lines, totals),
        }
    }
}

#[tokio::test]
async fn every_order_and_page_is_that_of_all_spans() {
    for seed in 0..12 {
        let (world, sent) = world(seed);
        let mut dice = Dice::new(seed + 100);
        for (search, matches) in conditions(&mut dice) {
            for order in ["newest", "slowest", "most_spans", "most_errors"] {
                let limit = 1 + dice.below(30) as usize;
                let uri = format!("order={order}&{search}");
                let (lines, totals) = pages(&world, &uri, limit).await;
                let id = |line: &Value| line["trace_id"].as_str().unwrap_or_default().to_owned();
                let found: Vec<String> = lines.iter().map(id).collect();
                let wanted = expected(&sent, matches.as_ref(), order);
                assert_eq!(found, wanted, "seed {seed}, {uri}, pages of {limit}");
                let total = wanted.len() as u64;
                assert!(totals.iter().all(|claimed| *claimed == total), "{totals:?} of {total}");
            }
        }
    }
}

#[tokio::test]
async fn lines_tell_what_all_spans_tell() {
    for seed in 20..26 {
        let (world, sent) = world(seed);
        let (lines, _) = pages(&world, "", 1_000).await;
        let traces = by_trace(&sent);
        assert_eq!(lines.len(), traces.len());
        for line in lines {
            let id = line["trace_id"].as_str().unwrap_or_default();
            let spans = traces.iter().find(|(known, _)| hex(known) == id);
            let found = Line {
                start: line["start_unix_nano"].as_str().and_then(|s| s.parse().ok()).unwrap_or(-1),
                duration: line["duration_ns"].as_i64(),
                envelope: line["envelope_ns"].as_i64().unwrap_or(-1),
                spans: line["spans"].as_i64().unwrap_or(-1),
                errors: line["errors"].as_i64().unwrap_or(-1),
                missing_parents: line["missing_parents"].as_i64().unwrap_or(-1),
            };
            let expected = spans.map(|(_, spans)| Line::of(spans));
            assert_eq!(Some(found), expected, "seed {seed}, trace {id}");
            let by_sql = world
                .sql(&format!(
                    "SELECT span_count, error_count, missing_parents, envelope_ns FROM traces \
                     WHERE trace_id = '{id}'"
                ))
                .await;
            let wanted = expected.map(|line| {
                format!("{},{},{},{}", line.spans, line.errors, line.missing_parents, line.envelope)
            });
            assert_eq!(Some(by_sql), wanted);
        }
        for from in [1, T0 + 700 * MS, T0 + 2_500 * MS] {
            for to in [from + 400 * MS, from + 20_000 * MS] {
                let is_in = |line: &Line| (from as i64..=to as i64).contains(&line.start);
                let lines = traces.values().map(|spans| Line::of(spans)).filter(is_in);
                let wanted: i64 = lines.clone().map(|line| line.spans).sum();
                let sql = format!(
                    "SELECT count(*), coalesce(sum(span_count), 0) FROM traces \
                     WHERE start_time_unix_nano BETWEEN {from} AND {to}"
                );
                assert_eq!(world.sql(&sql).await, format!("{},{wanted}", lines.count()), "{sql}");
            }
        }
        let sums =
            world.sql("SELECT count(*), sum(span_count), sum(missing_parents) FROM traces").await;
        let all = traces.values().map(|spans| Line::of(spans));
        let missing: i64 = all.map(|line| line.missing_parents).sum();
        assert_eq!(sums, format!("{},{},{missing}", traces.len(), sent.len()));
    }
}

/// Scenario: four files of an hour each, the newest holds more matches than the page.
/// Guarantee: older files are not looked at, and the total says that it is not all.
#[tokio::test]
async fn the_newest_are_found_without_looking_at_older_files() {
    let mut builder = WorldBuilder::new().settings(|settings| settings.search_step_spans = 1);
    for hour in 0..4 {
        let spans = (0..100).map(|n| {
            let mut one = span(hour * 100 + n + 1, n + 1, 0, "op", hour * 3_600_000 + n, 5);
            one.attributes = vec![kv("color", text("red"))];
            one
        });
        builder = builder.file(&[request("web", spans.collect())]);
    }
    let world = builder.build();
    for search in ["", "attr=color=red", "start=1700000000000000000"] {
        for (limit, total) in [(20, 100), (99, 100), (100, 200), (399, 400), (400, 400)] {
            let (_, page) = world.get(&format!("/traces?{search}&limit={limit}")).await;
            let (value, exact) = (&page["total"]["value"], &page["total"]["exact"]);
            assert_eq!((value, exact), (&total.into(), &(total == 400).into()), "{search} {limit}");
            let traces = page["traces"].as_array().cloned().unwrap_or_default();
            assert_eq!(traces.len(), limit.min(400));
        }
    }
    // A late span of an old trace in the newest file does not make the trace new.
    let spans =
        |first: u64, at| (first..first + 30).map(|n| span(n, n + at, 0, "op", at + n, 1)).collect();
    let world = WorldBuilder::new()
        .settings(|settings| settings.search_step_spans = 1)
        .file(&[request("web", spans(1, 0))])
        .file(&[request("web", spans(100, 1_000))])
        .file(&[request("web", spans(1, 500_000))])
        .build();
    let (lines, _) = pages(&world, "", 7).await;
    let ids = lines.iter().map(|line| line["trace_id"].as_str().unwrap_or_default().to_owned());
    let wanted = (100..130).rev().chain((1..31).rev()).map(|n| format!("{n:032x}"));
    assert_eq!(ids.collect::<Vec<_>>(), wanted.collect::<Vec<_>>());
}
