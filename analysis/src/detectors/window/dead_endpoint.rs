//! `dead_endpoint`: callers go on trying an address after its last sign of life.
//!
//! Addresses of instances live on in pools, caches and configurations when the instance is gone. Callers that still try
//! them lose time with each attempt, or fail.
//!
//! | | |
//! |---|---|
//! | fires when | at least 3 exit spans towards one address fail by a refused connection, an unknown name or no route, all after the last call there that did not fail that way, and for at least 1 s |
//! | not when | the address answers again; calls fail for other reasons |
//! | severity | medium |
//! | wrong if | the address is back, but nobody called it since |
//!
//! An address is `network.peer.address` with its port, or the name that was called where no address is told. Times are of
//! callers' clocks.

use std::collections::BTreeMap;

use causeway_model::trace::{Flags, Row, Status};

use super::{Examples, Rule, WindowDetector, WindowDraft};
use crate::detectors::evidence::evidence;
use crate::detectors::{Fallacy, Finding, Severity, Subject, with_fields};
use crate::forms::Field;

/// Addresses at most; about 500 bytes each.
const ADDRESSES_MAX: usize = 10_000;
/// What errors say when nobody is there, in small letters.
const NOBODY: [&str; 12] = [
    "econnrefused",
    "connection refused",
    "connect refused",
    "connectexception",
    "enotfound",
    "eai_again",
    "unknownhost",
    "nxdomain",
    "no such host",
    "name resolution",
    "ehostunreach",
    "no route to host",
];

/// Thresholds of [`DeadEndpoint`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadEndpointSettings {
    /// Failures since the last sign of life at least, 3.
    pub failures_min: u64,
    /// From the first of them to the last at least, 1 s.
    pub silent_ns_min: i64,
}

impl Default for DeadEndpointSettings {
    fn default() -> Self {
        Self { failures_min: 3, silent_ns_min: 1_000_000_000 }
    }
}

#[derive(Debug, Default)]
struct Address {
    /// Who called it in vain; empty for several.
    caller: Option<String>,
    callee: String,
    last_alive_ns: Option<i64>,
    failures: Examples,
}

impl Address {
    fn see_caller(&mut self, service: &str) {
        match &mut self.caller {
            Some(caller) if caller != service => caller.clear(),
            Some(_) => {}
            None => self.caller = Some(service.to_owned()),
        }
    }
}

/// Signs of life and of death, by address.
#[derive(Debug)]
pub struct DeadEndpoint {
    settings: DeadEndpointSettings,
    addresses: BTreeMap<String, Address>,
    left_out: u64,
}

impl DeadEndpoint {
    /// Nothing seen yet.
    pub fn new(settings: DeadEndpointSettings) -> Self {
        Self { settings, addresses: BTreeMap::new(), left_out: 0 }
    }
}

impl WindowDetector for DeadEndpoint {
    fn rule(&self) -> Rule {
        Rule {
            id: "dead_endpoint",
            rule_version: 1,
            fallacy: Fallacy::TopologyDoesNotChange,
            summary: "An address that callers go on trying though nobody is there any more.",
        }
    }

    fn observe(&mut self, subject: &Subject<'_, '_>) {
        let trace = subject.trace;
        for (_, row) in &subject.exits {
            if trace.flags(*row).contains(Flags::NO_TIME) {
                continue;
            }
            let Some(address) = address(subject, *row) else { continue };
            if self.addresses.len() >= ADDRESSES_MAX && !self.addresses.contains_key(&address) {
                self.left_out += 1;
                continue;
            }
            let of = self.addresses.entry(address).or_default();
            if is_refused(subject, *row) {
                let callee = subject.call(*row).map(|call| call.callee.clone()).unwrap_or_default();
                of.callee = of.callee.clone().max(callee);
                of.see_caller(trace.service_text(*row));
                of.failures.see(subject, *row);
            } else {
                let alive_ns = trace.raw_start_ns(*row);
                of.last_alive_ns =
                    Some(of.last_alive_ns.map_or(alive_ns, |last| last.max(alive_ns)));
            }
        }
    }

    fn finish(&self) -> Vec<Finding> {
        let is_dead = |of: &Address| {
            let times = of.failures.times_ns();
            times.is_some_and(|(first_ns, last_ns)| {
                of.last_alive_ns.is_none_or(|alive_ns| alive_ns < first_ns)
                    && last_ns.saturating_sub(first_ns) >= self.settings.silent_ns_min
                    && of.failures.count >= self.settings.failures_min
            })
        };
        let dead = self.addresses.iter().filter(|(_, of)| is_dead(of));
        dead.map(|(address, of)| self.report(address, of)).collect()
    }

    fn left_out(&self) -> u64 {
        self.left_out
    }
}

/// Where a call goes.
fn address(subject: &Subject<'_, '_>, row: Row) -> Option<String> {
    with_fields(subject.trace, row, |fields| {
        let peer = fields.text(Field::PeerAddress);
        let host = peer.or_else(|| fields.peer_address())?;
        let port = fields.int(Field::PeerPort).or_else(|| fields.int(Field::ServerPort));
        Some(port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    })
}

/// Whether a call failed because nobody was there.
fn is_refused(subject: &Subject<'_, '_>, row: Row) -> bool {
    let trace = subject.trace;
    if trace.status(row) != Status::Error || subject.server(row).is_some() {
        return false;
    }
    let error = with_fields(trace, row, |fields| fields.error_type().map(str::to_ascii_lowercase));
    let message = trace.status_message(row).unwrap_or_default().to_ascii_lowercase();
    let says = |text: &str| NOBODY.iter().any(|sign| text.contains(sign));
    error.is_some_and(|error| says(&error)) || says(&message)
}

impl DeadEndpoint {
    fn report(&self, address: &str, of: &Address) -> Finding {
        let count = of.failures.count;
        let title =
            format!("nobody answers at {address} ({}), yet it was tried {count} times", of.callee);
        let evidence = evidence(
            title.clone(),
            "Each attempt costs a round trip before another instance is asked, and fails if none is.",
            "Take the address out of discovery, pools and caches of names when its instance ends."
                .to_owned(),
            "The address is back, but nobody called it since.",
            [
                ("address", address.into()),
                ("callee", of.callee.as_str().into()),
                ("failures", count.into()),
                ("last_alive_unix_nano", of.last_alive_ns.into()),
            ],
        );
        let draft = WindowDraft {
            title,
            group: vec![address],
            entry: ("", ""),
            edge: (of.caller.as_deref().unwrap_or_default(), &of.callee),
            severity: Severity::Medium,
            examples: &of.failures,
            wasted_ns: 0,
            evidence,
        };
        draft.finding(self.rule())
    }
}
