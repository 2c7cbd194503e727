//! What windows of traces show, and what only looks like it.

use super::*;
use crate::forms::Former;
use crate::testing::{malformed, nested, with, with_spans};
use causeway_testkit::notation::NotedSpan;
use proptest::prelude::*;

/// Findings of one detector after so many copies of each trace.
fn found(detector: &mut dyn WindowDetector, traces: &[(&str, usize)]) -> Vec<Finding> {
    for (text, times) in traces {
        with(text, |trace| {
            let subject = Subject::new(trace, 1, &mut Former::default());
            (0..*times).for_each(|_| detector.observe(&subject));
        });
    }
    detector.finish()
}

fn titles(detector: &mut dyn WindowDetector, traces: &[(&str, usize)]) -> Vec<String> {
    found(detector, traces).into_iter().map(|finding| finding.title).collect()
}

fn none() -> Vec<String> {
    Vec::new()
}

/// A page that calls `cart` so many times, each taking 10 ms of which the callee works some.
fn page(calls: usize, work: &str) -> String {
    format!(
        "web page server 0..900\n web GET client 0..10 x{calls}/20 http.request.method=GET url.full=http://cart/c\n  cart c server {work}"
    )
}

#[test]
fn many_calls_between_two_services_are_chatty() {
    let (twelve, one) = (page(12, "1..9"), page(1, "1..9"));
    let of = |traces: &[(&str, usize)]| {
        titles(&mut ChattyEdge::new(ChattyEdgeSettings::default()), traces)
    };
    assert_eq!(of(&[(&twelve, 20)]), ["web calls cart 12 times in one page"]);
    assert_eq!(of(&[(&twelve, 19)]), none());
    // One in twenty-five is no p95; another operation is another edge.
    assert_eq!(of(&[(&twelve, 20), (&one, 480)]), none());
    let other = one.replace("page", "home");
    assert_eq!(of(&[(&twelve, 20), (&other, 480)]).len(), 1);
}

#[test]
fn findings_name_both_ends_or_the_service_they_are_about() {
    let edge = |detector: &mut dyn WindowDetector, text: &str, times| {
        let found = found(detector, &[(text, times)]);
        assert_eq!(found.len(), 1, "{text}");
        let finding = found.into_iter().next();
        finding.map(|finding| (finding.caller_service, finding.callee_service))
    };
    let is = |caller: &str, callee: &str| Some((caller.to_owned(), callee.to_owned()));
    let mut chatty = ChattyEdge::new(ChattyEdgeSettings::default());
    assert_eq!(edge(&mut chatty, &page(12, "1..9"), 20), is("web", "cart"));
    let mut single = SingleInstance::new(SingleInstanceSettings::default());
    let (first, second) = (shared("1"), shared("1").replace("web/1", "web/2"));
    let found = found(&mut single, &[(&first, 25), (&second, 25)]);
    assert_eq!((found[0].caller_service.as_str(), found[0].callee_service.as_str()), ("price", ""));
    let refused = |service: &str, at: u32| {
        format!(
            "{service} in server {at}..{}\n {service} c client {at}..{} error error.type=ECONNREFUSED http.request.method=GET url.full=http://cart:81/c server.address=cart server.port=81",
            at + 2,
            at + 1
        )
    };
    let calls = |services: [&str; 3]| {
        let calls =
            services.iter().zip([0, 1_000, 2_000]).map(|(service, at)| refused(service, at));
        calls.collect::<Vec<_>>().join("\n")
    };
    let mut dead = DeadEndpoint::new(DeadEndpointSettings::default());
    assert_eq!(edge(&mut dead, &calls(["web", "web", "web"]), 1), is("web", "cart:81"));
    let mut dead = DeadEndpoint::new(DeadEndpointSettings::default());
    assert_eq!(edge(&mut dead, &calls(["web", "shop", "web"]), 1), is("", "cart:81"));
}

#[test]
fn calls_that_are_mostly_on_the_way_are_chatty() {
    let of = |text: &str, times| {
        titles(&mut ChattyEdge::new(ChattyEdgeSettings::default()), &[(text, times)])
    };
    let title = "web spends more time on the way to cart than cart works, in page";
    assert_eq!(of(&page(1, "3..7"), 100), [title]);
    assert_eq!(of(&page(1, "3..7"), 99), none());
    assert_eq!(of(&page(1, "2..8"), 200), none());
    // Clocks do not matter.
    let skewed = format!("%clock cart +10s\n{}", page(1, "3..7"));
    assert_eq!(of(&skewed, 100), [title]);
}

fn shared(price: &str) -> String {
    format!(
        "web/1 page server 0..90\n web/1 GET client 10..80 http.request.method=GET url.full=http://price/p\n  price/{price} p server 15..75"
    )
}

#[test]
fn one_instance_for_all_is_found() {
    let (one, other) = (shared("1"), shared("2"));
    let second = one.replace("web/1", "web/2");
    let of = |traces: &[(&str, usize)]| {
        titles(&mut SingleInstance::new(SingleInstanceSettings::default()), traces)
    };
    let title = "one instance of price is on the critical path of page";
    assert_eq!(of(&[(&one, 25), (&second, 25)]), [title]);
    assert_eq!(of(&[(&one, 25), (&second, 24)]), none());
    assert_eq!(of(&[(&one, 25), (&second, 25), (&other, 1)]), none());
    // Where everything is one process, that is meant.
    assert_eq!(of(&[(&one, 60)]), none());
    let without = "web/1 page server 0..90";
    assert_eq!(of(&[(&one, 25), (&second, 25), (without, 6)]), none());
}

#[test]
fn several_protocols_at_one_edge_are_found() {
    let speaks = |version: &str| format!("{} network.protocol.version={version}", shared("1"));
    let (old, new) = (speaks("one"), speaks("two"));
    let of = |traces: &[(&str, usize)]| {
        titles(&mut MixedDialects::new(MixedDialectsSettings::default()), traces)
    };
    let title = "web reaches price in several dialects: protocol version";
    assert_eq!(of(&[(&old, 3), (&new, 57)]), [title]);
    assert_eq!(of(&[(&old, 2), (&new, 58)]), none());
    assert_eq!(of(&[(&old, 20), (&new, 29)]), none());
}

fn refused(at: &str, how: &str) -> String {
    format!(
        "web page server {at}\n web GET client {at} {how} http.request.method=GET url.full=http://cart/c network.peer.address=10.0.0.3 network.peer.port=80"
    )
}

#[test]
fn an_address_without_life_is_found() {
    let dead = "error error.type=ECONNREFUSED";
    let (first, last) = (refused("1000..1001", dead), refused("2001..2002", dead));
    let of = |traces: &[(&str, usize)]| {
        titles(&mut DeadEndpoint::new(DeadEndpointSettings::default()), traces)
    };
    let title = "nobody answers at 10.0.0.3:80 (cart), yet it was tried 3 times";
    assert_eq!(of(&[(&refused("5..9", ""), 9), (&first, 2), (&last, 1)]), [title]);
    assert_eq!(of(&[(&first, 2)]), none());
    assert_eq!(of(&[(&first, 5)]), none());
    // It came back, or fails otherwise.
    assert_eq!(of(&[(&first, 2), (&last, 1), (&refused("1500..1501", ""), 1)]), none());
    let slow = "error error.type=timeout";
    assert_eq!(of(&[(&refused("1000..1001", slow), 5), (&refused("9000..9001", slow), 5)]), none());
}

#[test]
fn traces_that_start_anew_within_calls_are_a_broken_boundary() {
    let at = |at: usize| at * 100;
    let of = |child: &str, traces: usize| {
        let mut detector = BrokenBoundary::new(BrokenBoundarySettings::default());
        for nth in 0..traces {
            let (from, to) = (at(nth), at(nth) + 50);
            let call = format!(
                "web page server {from}..{to}\n web GET client {}..{} http.request.method=GET url.template=/points{child}",
                from + 5,
                to - 5
            );
            let begun = format!(
                "points \"GET /points\" server {}..{} http.request.method=GET http.route=/points",
                from + 10,
                to - 10
            );
            for text in [call, begun] {
                with(&text, |trace| {
                    detector.observe(&Subject::new(trace, 1, &mut Former::default()))
                });
            }
        }
        let found = detector.finish();
        found.into_iter().map(|finding| finding.title).collect::<Vec<_>>()
    };
    assert_eq!(of("", 10), ["points starts traces of its own when web calls its GET /points"]);
    assert_eq!(of("", 9), none());
    assert_eq!(of("\n  points x server 12..20", 10), none());
}

#[test]
fn services_that_cannot_be_apart_are_one_program() {
    let both = |status: &str| {
        format!(
            "a x server 0..99 {status}\n a c client 1..90 http.request.method=GET url.full=http://b/y\n  b y server 2..80 {status}\n   b d client 3..70 http.request.method=GET url.full=http://a/z\n    a z server 4..60"
        )
    };
    let (sound, failed, alone) = (both(""), both("error"), "a x server 0..9");
    let of = |traces: &[(&str, usize)]| {
        titles(&mut DistributedMonolith::new(DistributedMonolithSettings::default()), traces)
    };
    assert_eq!(of(&[(&sound, 45), (&failed, 5)]), ["a, b are one program in 2 services"]);
    assert_eq!(of(&[(&sound, 46), (&failed, 4)]), none());
    assert_eq!(of(&[(&sound, 45), (&failed, 5), (alone, 6)]), none());
    let one_way = sound.replace("http://a/z", "http://c/z").replace("a z", "c z");
    assert_eq!(of(&[(&one_way, 60), (&failed, 5)]), none());
}

#[test]
fn names_are_unique_and_rules_are_said() {
    let window = Window::new(&WindowSettings::default());
    let rules = window.detectors().map(|detector| detector.rule()).chain(CLOCK_DETECTORS);
    let mut names: Vec<&str> = rules
        .map(|rule| {
            assert!(rule.rule_version > 0 && rule.summary.ends_with('.'));
            rule.id
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 12);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn no_trace_makes_a_window_fail(traces in prop::collection::vec(prop_oneof![malformed(), nested()], 1..6)) {
        let observe = |window: &mut Window, spans: &[NotedSpan]| {
            with_spans(spans, |trace| window.observe(&Subject::new(trace, 1, &mut Former::default())));
        };
        let (mut one, mut other) = (Window::new(&WindowSettings::default()), Window::new(&WindowSettings::default()));
        traces.iter().for_each(|spans| observe(&mut one, spans));
        traces.iter().rev().for_each(|spans| observe(&mut other, spans));
        prop_assert_eq!(one.finish(), other.finish());
    }
}
