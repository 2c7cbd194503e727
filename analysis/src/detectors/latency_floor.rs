//! `latency_floor`: the way to other processes takes much of the critical path.
//!
//! A call takes at least the way there and back. Where much of what users wait for is spent between processes, making
//! the processes faster changes little.
//!
//! | | |
//! |---|---|
//! | fires when | network and queueing time, which is client span minus server span and so needs no common clock, makes 30 % of the critical path, counting calls of which it takes 5 ms or more |
//! | not when | each way is short, however many there are: that much any call between processes costs, and [`NPlusOne`](super::NPlusOne), [`SequentialCalls`](super::SequentialCalls) and [`ChattyEdge`](super::window::ChattyEdge) tell of their number |
//! | nor when | the other end of the calls was not recorded (a database): what is network of these is not known |
//! | nor when | the caller failed and the callee did not: an answer that never came is no way |
//! | also | names the worst edges, and calls between regions and zones by `cloud.region` and `cloud.availability_zone` |
//! | change | all these calls at [`LatencyFloorSettings::round_trip_ns`] there and back |
//! | wrong if | the client span holds work of its own, such as encoding a large request |

use causeway_model::trace::{Row, Status, TextId};
use hashbrown::HashMap;
use serde_json::{Value, json};

use super::evidence::evidence;
use super::finding::{Draft, Fallacy, Findings};
use super::repeats::percent;
use super::{Detector, Settings, Subject};
use crate::what_if::{Change, saving_ns};

/// Edges that are named in a finding.
const EDGES_MAX: usize = 5;

/// Finds critical paths that mostly wait for the network.
#[derive(Debug)]
pub struct LatencyFloor;

/// Thresholds of [`LatencyFloor`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LatencyFloorSettings {
    /// Share of the critical path, 30 %.
    pub path_percent_min: i64,
    /// Way there and back of a call from which it counts, 5 ms: proxies, serialising and scheduling take 2 to 3 ms of
    /// any call on busy machines.
    pub way_ns_min: i64,
    /// What a way there and back within a zone is assumed to take, 1 ms.
    pub round_trip_ns: i64,
}

impl Default for LatencyFloorSettings {
    fn default() -> Self {
        Self { path_percent_min: 30, way_ns_min: 5_000_000, round_trip_ns: 1_000_000 }
    }
}

/// Calls from one service to another.
#[derive(Default)]
struct Edge {
    /// Client and server spans.
    ends: Vec<(Row, Row)>,
    network_ns: i64,
}

impl Detector for LatencyFloor {
    fn id(&self) -> &'static str {
        "latency_floor"
    }

    fn rule_version(&self) -> u32 {
        2
    }

    fn fallacy(&self) -> Fallacy {
        Fallacy::LatencyIsZero
    }

    fn summary(&self) -> &'static str {
        "The way to other processes takes much of the critical path."
    }

    fn run(&self, subject: &Subject<'_, '_>, settings: &Settings, findings: &mut Findings) {
        let rule = &settings.latency_floor;
        let trace = subject.trace;
        let mut rows: Vec<Row> = Vec::new();
        let mut edges: HashMap<(TextId, TextId), Edge> = HashMap::new();
        let mut network_ns = 0i64;
        for (call, server, call_ns) in subject.exits.iter().filter_map(|(_, row)| {
            let server =
                subject.server(*row).filter(|server| !is_unanswered(subject, *row, *server))?;
            Some((*row, server, network_on_path_ns(subject, *row, server)))
        }) {
            let way_ns = trace.duration_ns(call).saturating_sub(trace.duration_ns(server));
            if call_ns <= 0 || way_ns < rule.way_ns_min {
                continue;
            }
            network_ns = network_ns.saturating_add(call_ns);
            rows.push(call);
            let edge = edges.entry((trace.service(call), trace.service(server)));
            let edge = edge.or_default();
            edge.network_ns = edge.network_ns.saturating_add(call_ns);
            edge.ends.push((call, server));
        }
        let share = percent(network_ns, subject.root_ns());
        if share < rule.path_percent_min {
            return;
        }
        rows.sort_by_key(|row| (trace.start_ns(*row), *row));
        let mut edges: Vec<((&str, &str), Edge)> = edges
            .into_iter()
            .map(|((from, to), edge)| ((trace.text(from), trace.text(to)), edge))
            .collect();
        edges.sort_by_key(|(names, edge)| (std::cmp::Reverse(edge.network_ns), *names));
        let Some(((from, to), _)) = edges.first() else { return };
        let (service, name) = (subject.entry_service(), subject.entry_operation());
        let seen = format!(
            "{service} {name} spends {share} % of its time between services, most from {from} to {to}"
        );
        let change = Change::RoundTrip { calls: rows.clone(), round_trip_ns: rule.round_trip_ns };
        let list: Value =
            edges.iter().take(EDGES_MAX).map(|edge| edge_evidence(subject, edge)).collect();
        let evidence = evidence(
            seen.clone(),
            "Every call pays the way there and back, and what waits in queues on it, before any work is done.",
            "Call less often, put the services closer, or look for a queue before the callee."
                .to_owned(),
            "The client spans hold work of their own, such as encoding large requests.",
            [
                ("network_ns", network_ns.into()),
                ("path_percent", share.into()),
                ("calls", rows.len().into()),
                ("edges", list),
            ],
        );
        findings.push(
            self,
            subject,
            Draft {
                title: seen,
                group: vec![from, to],
                caller: subject.root(),
                rows: &rows,
                edge: Some((from, to)),
                wasted_ns: network_ns,
                saving_ns: saving_ns(trace, &[change]),
                evidence,
                ..Draft::default()
            },
        );
    }
}

/// Whether the caller waited for an answer that was lost, which says nothing about the way.
fn is_unanswered(subject: &Subject<'_, '_>, call: Row, server: Row) -> bool {
    let failed = |row| subject.trace.status(row) == Status::Error;
    failed(call) && !failed(server)
}

/// How much of a call's network time is on the critical path: as much as of the call is.
fn network_on_path_ns(subject: &Subject<'_, '_>, call: Row, server: Row) -> i64 {
    let call_ns = subject.trace.duration_ns(call);
    let network_ns = call_ns.saturating_sub(subject.trace.duration_ns(server));
    let on_path_ns = subject.path_below_ns(&[call]).min(call_ns);
    if call_ns <= 0 || network_ns <= 0 {
        return 0;
    }
    let product = i128::from(network_ns) * i128::from(on_path_ns) / i128::from(call_ns);
    // Not more than the network time.
    i64::try_from(product).unwrap_or(network_ns)
}

/// The border that a call crosses, as far as resources tell.
fn crossing(subject: &Subject<'_, '_>, call: Row, server: Row) -> Option<&'static str> {
    let differs = |key: &str| {
        let place = |row| subject.resource_text(row, key);
        place(call).zip(place(server)).is_some_and(|(from, to)| from != to)
    };
    ["cloud.region", "cloud.availability_zone"].into_iter().find(|key| differs(key))
}

fn edge_evidence(subject: &Subject<'_, '_>, ((from, to), edge): &((&str, &str), Edge)) -> Value {
    let crosses = edge.ends.iter().find_map(|(call, server)| crossing(subject, *call, *server));
    json!({
        "from": from,
        "to": to,
        "calls": edge.ends.len(),
        "network_ns": edge.network_ns,
        "crosses": crosses,
    })
}

#[cfg(test)]
mod tests {
    use crate::detectors::tests::{check, found};

    #[test]
    fn a_path_that_waits_for_the_network_is_found() {
        let text = "web page server 0..100
            web call client 10..90 peer.service=users
              users page server 40..60";
        let title = "web page spends 60 % of its time between services, most from web to users";
        check(text, &[&format!("latency_floor 1 {title}")]);
        let finding = &found(text)[0];
        // 60 ms there and back become 1 ms.
        assert_eq!((finding.wasted_ns, finding.saving_ns), (60_000_000, 59_000_000));
    }

    #[test]
    fn an_answer_that_was_lost_is_no_way() {
        let text = "web page server 0..100
            web call client 10..90 error peer.service=users
              users page server 40..60";
        assert!(found(text).iter().all(|finding| finding.detector != "latency_floor"));
    }

    #[test]
    fn the_clocks_of_the_ends_change_nothing() {
        let text = "web page server 0..100\n web call client 10..90 peer.service=users\n  users page server 40..60";
        let skewed = found(&format!("%clock users +10s\n{text}"));
        assert_eq!(skewed.len(), 1);
        assert_eq!(skewed[0].wasted_ns, 60_000_000);
    }

    #[test]
    fn work_of_the_callee_and_unknown_callees_are_none() {
        let text = "web page server 0..100\n web call client 10..90 peer.service=users\n  users page server 12..88";
        check(text, &[]);
        check("web page server 0..100\n web call client 10..90 peer.service=users", &[]);
        // Off the critical path.
        let text = "web page server 0..100\n web work internal 0..100\n web call client 10..90 peer.service=users\n  users page server 40..60";
        check(text, &[]);
        // Ten ways of 4.9 ms are what ten calls cost.
        let text = "web page server 0..100\n web call client 0..9.9 x10/10 peer.service=users\n  users page server 2..7";
        assert!(found(text).iter().all(|finding| finding.detector != "latency_floor"));
        // Microseconds.
        let text = "web page server 0..1\n web call client 0.1..0.9 peer.service=users\n  users page server 0.4..0.6";
        check(text, &[]);
    }
}
