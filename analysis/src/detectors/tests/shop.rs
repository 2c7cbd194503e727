//! The demo's shop: every fault it was built with is found, and nothing else of weight.
//!
//! Scenario: a shop with all faults, open for some minutes; its traces are merged as received, times not aligned.
//! Guarantee: each fault is found in its traces by the detector that its line names, and a detector fires with high
//! severity in no trace whose faults do not explain it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::OnceLock;

use causeway_clock::ClockId;
use causeway_clock::offsets::{Estimator, OffsetSettings, Solver, observe, report};
use causeway_clock::order::{Order, OrderSettings};
use causeway_testkit::proto::collector::trace::v1::ExportTraceServiceRequest;
use causeway_testkit::proto::trace::v1::{ResourceSpans, ScopeSpans};
use causeway_testkit::shop::{Fault, Shop, ShopSettings, Truth};
use xxhash_rust::xxh3::xxh3_64;

use crate::detectors::stamps::clock_spans;
use crate::detectors::window::{ClockSeen, ClockSettings, Window, WindowSettings, detect_clocks};
use crate::detectors::{Finding, Settings, Severity, Subject, detect};
use crate::forms::Former;
use crate::testing::with_request;

const START_NS: i64 = 1_780_000_000_000_000_123;
const SECOND_NS: i64 = 1_000_000_000;

/// All that the shop shows.
struct Seen {
    truth: Truth,
    single: Vec<Finding>,
    window: Vec<Finding>,
    clocks: Vec<Finding>,
}

type Requests = BTreeMap<Vec<u8>, ExportTraceServiceRequest>;

/// A shop that does in a minute what others do in five, by trace.
fn open_for(seconds: i64) -> (Requests, Truth) {
    let settings = ShopSettings {
        traces_per_ks: 10_000,
        step_every_ns: 20 * SECOND_NS,
        death_after_ns: 20 * SECOND_NS,
        ..ShopSettings::new(11, START_NS)
    };
    let mut shop = Shop::new(settings);
    let mut traces = Requests::new();
    while let Some(export) = shop.next() {
        if export.at_ns >= START_NS + seconds * SECOND_NS {
            shop.close();
        }
        for of_resource in export.request.resource_spans {
            for of_scope in of_resource.scope_spans {
                for span in of_scope.spans {
                    let request = traces.entry(span.trace_id.clone()).or_default();
                    let scope = ScopeSpans {
                        spans: vec![span],
                        scope: of_scope.scope.clone(),
                        ..ScopeSpans::default()
                    };
                    request.resource_spans.push(ResourceSpans {
                        resource: of_resource.resource.clone(),
                        scope_spans: vec![scope],
                        ..ResourceSpans::default()
                    });
                }
            }
        }
    }
    (traces, shop.truth())
}

fn seen() -> &'static Seen {
    static SEEN: OnceLock<Seen> = OnceLock::new();
    SEEN.get_or_init(|| {
        let (traces, truth) = open_for(150);
        let mut former = Former::default();
        let mut window = Window::new(&WindowSettings::default());
        let mut table = Estimator::new(OffsetSettings::default());
        let mut single = Vec::new();
        for (nth, request) in (0u64..).zip(traces.values()) {
            with_request(request, |trace| {
                single.extend(detect(&trace, 1, &Settings::default(), &mut former));
                window.observe(&Subject::new(&trace, 1, &mut former));
                let spans = clock_spans(&trace);
                let order =
                    Order::build(&spans, &[], &OrderSettings::default()).expect("few spans");
                observe(&mut table, &spans, &order, |span| nth << 32 | u64::from(span));
            });
        }
        let clocks = clock_findings(&truth, &table);
        Seen { single, window: window.finish(), clocks, truth }
    })
}

fn clock_findings(truth: &Truth, table: &Estimator) -> Vec<Finding> {
    let mut names: HashMap<ClockId, (String, String)> = HashMap::new();
    for clock in &truth.clocks {
        let name = (clock.instance.service.name().to_owned(), clock.instance.name.clone());
        names.insert(ClockId::Instance(xxh3_64(clock.instance.id.as_bytes())), name.clone());
        for node in &clock.nodes {
            names.insert(ClockId::Node(node.node), name.clone());
        }
    }
    let reference =
        truth.clocks.iter().find(|clock| clock.instance.name == "gateway-2").expect("a gateway");
    let reference = ClockId::Node(reference.nodes[0].node);
    let (first, last) = table.window_range().expect("evidence");
    let reports = report(&mut Solver::new(table), reference, first..=last);
    let known = reports.iter().filter(|report| report.clock != reference).filter_map(|report| {
        let (service, instance) = names.get(&report.clock)?;
        Some(ClockSeen { report, service, instance })
    });
    detect_clocks(&known.collect::<Vec<_>>(), &ClockSettings::default())
}

/// Faults that the detectors of this crate are to find.
fn is_found(seen: &Seen, fault: Fault) -> bool {
    let line = fault.line();
    let all = seen.single.iter().chain(&seen.window).chain(&seen.clocks);
    all.filter(|finding| finding.detector == line.detector).any(|finding| {
        let operation = finding.entry_operation.as_str();
        let text = format!("{} {} {}", finding.title, finding.entry_service, finding.evidence);
        let is_there =
            operation.is_empty() || line.operation.is_empty() || operation == line.operation;
        is_there && line.services.iter().any(|service| text.contains(service))
    })
}

#[test]
fn every_fault_is_found() {
    let seen = seen();
    let known: BTreeSet<&str> =
        crate::detectors::DETECTORS.iter().map(|detector| detector.id()).collect();
    let rules = [
        "chatty_edge",
        "single_instance",
        "version_skew",
        "mixed_dialects",
        "dead_endpoint",
        "broken_boundary",
        "clock_offset",
        "clock_step",
        "clock_drift",
        "coarse_clock",
    ];
    let is_known = |fault: &Fault| {
        known.contains(fault.line().detector) || rules.contains(&fault.line().detector)
    };
    let missed: Vec<Fault> =
        Fault::all().filter(is_known).filter(|fault| !is_found(seen, *fault)).collect();
    assert_eq!(missed, []);
}

/// Nearly every trace on record as an example of a fault shows it.
#[test]
fn faults_of_single_traces_are_found_where_they_are() {
    let seen = seen();
    let in_single = [
        Fault::RetryWithoutBackoff,
        Fault::RetryStorm,
        Fault::MissingTimeout,
        Fault::DuplicateExecution,
        Fault::ErrorOrigin,
        Fault::LargePayload,
        Fault::PlaintextCall,
        Fault::SecretInUrl,
        Fault::ClonedNode,
        Fault::DeafPropagator,
        Fault::RefusedStamps,
    ];
    let mut missed = Vec::new();
    for fault in in_single {
        let detector = fault.line().detector;
        let found: BTreeSet<[u8; 16]> =
            seen.single.iter().filter(|f| f.detector == detector).map(|f| f.trace_id.0).collect();
        let truth = seen.truth.faults.iter().find(|of| of.fault() == fault).expect("built in");
        assert!(!truth.sighting.examples.is_empty(), "{fault:?} never came up");
        let examples = truth.sighting.examples.iter();
        missed.extend(examples.filter(|id| !found.contains(&id[..])).map(|_| fault));
    }
    assert_eq!(missed, []);
}

#[test]
fn nothing_else_is_of_high_severity() {
    let seen = seen();
    let explains = |finding: &Finding| {
        Fault::all().any(|fault| {
            let line = fault.line();
            let is_named =
                line.detector == finding.detector || line.also.contains(&finding.detector);
            let is_there = line.operation.is_empty() || line.operation == finding.entry_operation;
            is_named && is_there
        })
    };
    let all = seen.single.iter().chain(&seen.window).chain(&seen.clocks);
    let high = all.filter(|finding| finding.severity == Severity::High);
    let unexplained: BTreeSet<String> = high
        .filter(|finding| !explains(finding))
        .map(|finding| {
            format!("{} in {}: {}", finding.detector, finding.entry_operation, finding.title)
        })
        .collect();
    assert_eq!(unexplained, BTreeSet::new());
}

/// What fires, by detector, severity, operation and group, for people to look at: `--nocapture`.
#[test]
fn everything_that_fires_is_counted() {
    let seen = seen();
    let mut counts: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for finding in &seen.clocks {
        println!("{} {}", finding.detector, finding.title);
    }
    for finding in seen.single.iter().chain(&seen.window).chain(&seen.clocks) {
        let severity = finding.severity.label();
        let key = format!("{} {severity} [{}]", finding.detector, finding.entry_operation);
        let count = counts.entry(key).or_insert_with(|| (0, finding.title.clone()));
        count.0 += 1;
    }
    for (key, (count, title)) in &counts {
        println!("{count:6} {key}: {title}");
    }
    assert!(!counts.is_empty());
}
