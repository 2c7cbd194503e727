//! Each fault looks in the spans as it is described, in exactly the traces that are on record; all other traces are
//! free of what its detector looks for.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::OnceLock;

use super::sent::{Sent, by_trace, only, open_for, settings, spans};
use crate::proto::trace::v1::span::SpanKind;
use crate::proto::trace::v1::status::StatusCode;
use crate::shop::{Fault, Faults};

type Trace = Vec<Sent>;

/// Traces of a shop with one fault alone.
fn traces(fault: Fault) -> Vec<Trace> {
    by_trace(spans(&open_for(settings(11, only(fault)), seconds(fault)).0))
}

/// Long enough for a fault to be there some times.
fn seconds(fault: Fault) -> i64 {
    if fault == Fault::MissingTimeout { 240 } else { 40 }
}

/// Traces of a shop with no fault.
fn clean() -> &'static [Trace] {
    static CLEAN: OnceLock<Vec<Trace>> = OnceLock::new();
    CLEAN.get_or_init(|| by_trace(spans(&open_for(settings(11, Faults::NONE), 60).0)))
}

/// Counts what a test of a trace finds, in a shop with a fault and in one without.
fn found(fault: Fault, is_found: impl Fn(&Trace) -> bool) -> (usize, u64, usize) {
    let (exports, truth) = open_for(settings(11, only(fault)), seconds(fault));
    let with = by_trace(spans(&exports)).iter().filter(|trace| is_found(trace)).count();
    let on_record =
        truth.faults.iter().find(|f| f.fault() == fault).map_or(0, |f| f.sighting.traces);
    (with, on_record, clean().iter().filter(|trace| is_found(trace)).count())
}

fn check(fault: Fault, is_found: impl Fn(&Trace) -> bool) {
    let (with, on_record, without) = found(fault, is_found);
    assert!(with > 0, "{fault:?}");
    assert_eq!((with as u64, without), (on_record, 0), "{fault:?}");
}

fn name_and_parent(sent: &Sent) -> (Vec<u8>, String) {
    (
        sent.span.parent_span_id.clone(),
        sent.text("db.query.text").unwrap_or(&sent.span.name).to_owned(),
    )
}

/// Exit spans of one kind beneath one parent, by how many there are at most.
fn repeats(trace: &Trace) -> usize {
    let mut counts: BTreeMap<_, usize> = BTreeMap::new();
    let is_exit = |sent: &&Sent| matches!(sent.span.kind(), SpanKind::Client | SpanKind::Producer);
    for sent in trace.iter().filter(is_exit) {
        *counts.entry(name_and_parent(sent)).or_default() += 1;
    }
    counts.into_values().max().unwrap_or_default()
}

fn duration_ns(sent: &Sent) -> i64 {
    sent.truth.end_ns - sent.truth.start_ns
}

fn is_error(sent: &Sent) -> bool {
    sent.span.status.as_ref().is_some_and(|status| status.code() == StatusCode::Error)
}

fn child<'a>(trace: &'a Trace, of: &Sent) -> Option<&'a Sent> {
    trace.iter().find(|sent| sent.span.parent_span_id == of.span.span_id)
}

#[test]
fn repeated_calls() {
    check(Fault::NPlusOneSql, |trace| repeats(trace) >= 12);
    check(Fault::NPlusOneHttp, |trace| repeats(trace) >= 8);
    check(Fault::FanOut, |trace| repeats(trace) >= 24);
    // Without faults nothing comes near the five calls that make an N+1.
    assert!(clean().iter().map(repeats).max() < Some(3));
    assert!(traces(Fault::ChattyEdge).iter().map(repeats).max() < Some(5));
}

#[test]
fn chatty_edge() {
    let calls = |trace: &Trace| {
        let from =
            |sent: &&Sent| sent.service() == "checkout" && sent.span.kind() == SpanKind::Client;
        trace
            .iter()
            .filter(from)
            .filter(|s| s.text("server.address") == Some("cart.shop.internal"))
            .count()
    };
    check(Fault::ChattyEdge, |trace| calls(trace) >= 10);
}

/// What would be saved if sibling calls that do not overlap ran side by side.
fn parallel_saving_ns(trace: &Trace) -> i64 {
    let mut by_parent: HashMap<&[u8], Vec<&Sent>> = HashMap::new();
    for sent in trace.iter().filter(|sent| sent.span.kind() == SpanKind::Client) {
        by_parent.entry(&sent.span.parent_span_id).or_default().push(sent);
    }
    let saving = |calls: Vec<&Sent>| {
        let names: BTreeSet<_> = calls.iter().map(|call| name_and_parent(call)).collect();
        let total: i64 = calls.iter().map(|call| duration_ns(call)).sum();
        let longest = calls.iter().map(|call| duration_ns(call)).max().unwrap_or_default();
        let mut sorted = calls;
        sorted.sort_by_key(|call| call.truth.start_ns);
        let overlap = sorted.windows(2).any(|pair| pair[1].truth.start_ns < pair[0].truth.end_ns);
        if names.len() >= 3 && !overlap { total - longest } else { 0 }
    };
    by_parent.into_values().map(saving).max().unwrap_or_default()
}

#[test]
fn sequential_calls() {
    check(Fault::SequentialCalls, |trace| parallel_saving_ns(trace) >= 50_000_000);
}

/// How much of the root's time its calls were on the way, in percent; more where some of them were parallel.
fn on_the_way_percent(trace: &Trace) -> i64 {
    let root = trace.iter().find(|s| s.span.parent_span_id.is_empty()).expect("a root");
    let calls = trace.iter().filter(|s| s.span.kind() == SpanKind::Client);
    let way_ns =
        calls.filter_map(|call| Some(duration_ns(call) - duration_ns(child(trace, call)?)));
    way_ns.sum::<i64>() * 100 / duration_ns(root)
}

#[test]
fn latency_floor() {
    check(Fault::LatencyFloor, |trace| on_the_way_percent(trace) > 50);
    let most = clean().iter().max_by_key(|trace| on_the_way_percent(trace)).expect("many traces");
    let names: BTreeSet<&str> = most.iter().map(|s| &s.span.name[..]).collect();
    assert!(on_the_way_percent(most) < 30, "{} {names:?}", on_the_way_percent(most));
}

#[test]
fn attempts() {
    let attempts = |trace: &Trace| {
        let mut starts: BTreeMap<_, Vec<(i64, i64)>> = BTreeMap::new();
        for sent in trace.iter().filter(|s| s.span.kind() == SpanKind::Client) {
            let times = (sent.truth.start_ns, sent.truth.end_ns);
            starts.entry(name_and_parent(sent)).or_default().push(times);
        }
        starts
    };
    check(Fault::RetryWithoutBackoff, |trace| {
        attempts(trace).into_values().any(|mut times| {
            times.sort_unstable();
            let gaps: Vec<i64> = times.windows(2).map(|pair| pair[1].0 - pair[0].1).collect();
            gaps.len() == 3 && gaps.iter().all(|gap| (19_900_000..20_200_000).contains(gap))
        })
    });
    check(Fault::RetryStorm, |trace| {
        trace.iter().filter(|s| s.span.name == "POST /v1/issue" && is_error(s)).count() == 9
    });
    let grows = |mut times: Vec<(i64, i64)>| {
        times.sort_unstable();
        let gaps: Vec<i64> = times.windows(2).map(|pair| pair[1].0 - pair[0].1).collect();
        gaps.is_sorted()
    };
    let storm = traces(Fault::RetryStorm);
    assert!(storm.iter().flat_map(|trace| attempts(trace).into_values()).all(grows));
}

#[test]
fn waiting_and_giving_up() {
    check(Fault::MissingTimeout, |trace| {
        trace
            .iter()
            .any(|s| s.text("db.collection.name").is_some() && duration_ns(s) > 5_000_000_000)
    });
    let given_up = |trace: &Trace| {
        let gave_up = |s: &&Sent| s.text("error.type") == Some("timeout");
        let client = trace.iter().find(gave_up)?.clone();
        let server = child(trace, &client)?.clone();
        Some((client, server))
    };
    check(Fault::WorkAfterGivingUp, |trace| {
        given_up(trace).is_some_and(|(client, server)| {
            is_error(&server) && server.truth.end_ns - client.truth.end_ns > 100_000_000
        })
    });
    check(Fault::AmbiguousOutcome, |trace| {
        given_up(trace).is_some_and(|(client, server)| {
            !is_error(&server) && server.truth.end_ns < client.truth.end_ns
        })
    });
}

#[test]
fn failures() {
    check(Fault::ErrorOrigin, |trace| {
        let failed: BTreeSet<&str> =
            trace.iter().filter(|s| is_error(s)).map(Sent::service).collect();
        let origin = trace.iter().filter(|s| is_error(s)).max_by_key(|s| s.truth.start_ns);
        failed.len() == 3
            && origin.is_some_and(|s| {
                s.text("db.statement").is_some() || s.text("db.query.text").is_some()
            })
    });
    check(Fault::DuplicateExecution, |trace| {
        trace.iter().filter(|s| s.span.name == "INSERT ledger" && !is_error(s)).count() == 2
    });
    check(Fault::DeadEndpoint, |trace| {
        trace.iter().any(|s| s.text("error.type") == Some("ECONNREFUSED"))
    });
}

#[test]
fn the_dead_are_silent() {
    let (exports, truth) = open_for(settings(11, only(Fault::DeadEndpoint)), 60);
    let dead = truth.clocks.iter().find_map(|c| Some((c.instance.name.clone(), c.silent_from_ns?)));
    let (name, from_ns) = dead.expect("one dies");
    let of = |sent: &&Sent| sent.instance() == name;
    let all = spans(&exports);
    assert!(all.iter().filter(of).count() > 10);
    // What it was doing goes on to its end.
    let last = all.iter().filter(of).map(|s| s.truth.start_ns).max();
    assert!(last < Some(from_ns + 100_000_000));
}

#[test]
fn what_is_sent() {
    check(Fault::LargePayload, |trace| {
        trace.iter().any(|s| s.int("http.response.body.size") >= Some(300_000))
    });
    let is_readable = |s: &Sent| s.text("url.full").is_some_and(|url| url.starts_with("http://"));
    check(Fault::PlaintextCall, |trace| trace.iter().any(is_readable));
    check(Fault::SecretInUrl, |trace| {
        trace.iter().any(|s| s.text("url.full").is_some_and(|url| url.contains("api_key=sk_live_")))
    });
}

#[test]
fn broken_boundary() {
    let (exports, _) = open_for(settings(11, only(Fault::BrokenBoundary)), 60);
    let all = spans(&exports);
    let servers: Vec<&Sent> = all
        .iter()
        .filter(|s| s.service() == "loyalty" && s.span.kind() == SpanKind::Server)
        .collect();
    assert!(servers.len() > 5 && servers.iter().all(|s| s.span.parent_span_id.is_empty()));
    let calls = all.iter().filter(|s| {
        s.text("server.address") == Some("loyalty.shop.internal")
            && s.span.kind() == SpanKind::Client
    });
    for call in calls {
        let is_inside = |s: &&&Sent| {
            call.truth.start_ns < s.truth.start_ns && s.truth.end_ns < call.truth.end_ns
        };
        assert_eq!(servers.iter().filter(is_inside).count(), 1);
    }
    let sound = clean().iter().flatten().filter(|s| s.service() == "loyalty").collect::<Vec<_>>();
    assert!(sound.len() > 10 && sound.iter().all(|s| !s.span.parent_span_id.is_empty()));
}

#[test]
fn versions_and_dialects() {
    let versions = |traces: Vec<Trace>| {
        let of = |s: Sent| {
            super::sent::text(&s.resource.attributes, "service.version").map(str::to_owned)
        };
        let all = traces.into_iter().flatten().filter(|s| s.service() == "recommendation");
        all.filter_map(of).collect::<BTreeSet<_>>().len()
    };
    assert_eq!((versions(traces(Fault::VersionSkew)), versions(clean().to_vec())), (2, 1));
    let dialects = |traces: Vec<Trace>| {
        let all = traces
            .into_iter()
            .flatten()
            .filter(|s| s.service() == "user" && s.span.kind() == SpanKind::Server);
        all.map(|s| s.text("http.method").is_some()).collect::<BTreeSet<_>>().len()
    };
    assert_eq!((dialects(traces(Fault::MixedDialects)), dialects(clean().to_vec())), (2, 1));
}

#[test]
fn queue_wait() {
    let waits = |traces: Vec<Trace>| {
        let all: Vec<Sent> = traces.into_iter().flatten().collect();
        let producers: HashMap<&[u8], &Sent> =
            all.iter().map(|s| (&s.span.span_id[..], s)).collect();
        let mut wait_ns = Vec::new();
        for batch in all.iter().filter(|s| s.span.name == "process orders.confirmed") {
            for link in &batch.span.links {
                let producer =
                    producers.get(&link.span_id[..]).expect("the link leads to a producer");
                wait_ns.push((batch.truth.start_ns - producer.truth.end_ns, duration_ns(batch)));
            }
        }
        wait_ns.sort_unstable();
        wait_ns[wait_ns.len() / 2]
    };
    let (wait_ns, took_ns) = waits(traces(Fault::QueueWait));
    assert!(wait_ns > 5 * took_ns);
    let (wait_ns, took_ns) = waits(clean().to_vec());
    assert!(wait_ns < took_ns);
}

#[test]
fn single_instance() {
    let (exports, _) = open_for(settings(11, Faults::NONE), 60);
    let mut instances: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for sent in spans(&exports) {
        instances.entry(sent.service().to_owned()).or_default().insert(sent.instance().to_owned());
    }
    assert_eq!(instances.len(), 14);
    let single: Vec<&String> =
        instances.iter().filter(|(_, of)| of.len() == 1).map(|(name, _)| name).collect();
    assert_eq!(single, ["pricing"]);
}
