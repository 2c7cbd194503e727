//! Which process a resource describes, and which clock it reads.
//!
//! What identifies a process best comes from `service.instance.id`; where a sender leaves that out, host,
//! pod, container and process id do. A service that names none of them counts as one process with one
//! clock. Processes on one host share its clock unless messages contradict that.

use causeway_clock::{ClockId, NodeId};
use causeway_model::value;
use xxhash_rust::xxh3::xxh3_64;

/// Attributes that tell one process of a service from another.
const PROCESS: [&str; 6] = [
    "service.instance.id",
    "k8s.pod.uid",
    "k8s.pod.name",
    "container.id",
    "host.name",
    "process.pid",
];

/// Attributes that name a host, the best first.
const HOST: [&str; 3] = ["host.id", "host.name", "k8s.node.name"];

/// Names the kernel whose clock a process reads.
const CLOCK_DOMAIN: &str = "hlc.clock_domain";

/// By how many nanoseconds the clock of the host is off universal time at most, as its time service says.
const CLOCK_ERROR: &str = "hlc.clock_error_ns";

/// How people know a clock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ClockName {
    pub(crate) service_name: Option<String>,
    pub(crate) service_instance_id: Option<String>,
    pub(crate) host_name: Option<String>,
}

/// A process, as its resource describes it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Process {
    /// Told apart from others by this, if anything tells.
    pub(crate) instance: Option<u64>,
    /// What its unstamped times are read on.
    pub(crate) wall: Option<ClockId>,
    /// The clock of its host, which should be the same.
    pub(crate) host: Option<ClockId>,
    /// The clock of its kernel, which is surely the same.
    pub(crate) domain: Option<ClockId>,
    /// By how many nanoseconds its clock is off universal time at most, if its host says so.
    pub(crate) error_ns: Option<u64>,
    pub(crate) name: ClockName,
}

impl Process {
    /// Reads the text of a resource's attributes.
    pub(crate) fn of_resource(resource: &str, service: Option<&str>) -> Self {
        let get = |key: &str| {
            let text = value::lookup(resource, key).filter(|text| text != "null")?;
            Some(value::display(&text).into_owned())
        };
        let namespace = get("service.namespace");
        let parts: Vec<_> = PROCESS.iter().map(|key| get(key)).collect();
        let is_named = parts.iter().any(Option::is_some);
        let mut known = vec![namespace, service.map(str::to_owned)];
        known.extend(parts);
        let wall = (is_named || service.is_some()).then(|| hashed("process", &known));
        let host = HOST.iter().find_map(|key| get(key));
        Self {
            instance: wall.filter(|_| is_named),
            wall: wall.map(ClockId::Instance),
            host: host.map(|host| ClockId::Instance(hashed("host", &[Some(host)]))),
            domain: get(CLOCK_DOMAIN).map(|id| ClockId::Instance(hashed("domain", &[Some(id)]))),
            error_ns: get(CLOCK_ERROR).and_then(|error| error.parse().ok()),
            name: ClockName {
                service_name: service.map(str::to_owned),
                service_instance_id: get("service.instance.id"),
                host_name: get("host.name"),
            },
        }
    }

    /// Clocks that are thought to be one.
    pub(crate) fn ties(&self, node: Option<NodeId>) -> impl Iterator<Item = (ClockId, ClockId)> {
        let domain = |clock: Option<ClockId>| clock.zip(self.domain);
        let host = self.wall.zip(self.host).filter(|_| self.domain.is_none());
        [host, domain(self.wall), domain(node.map(ClockId::Node))].into_iter().flatten()
    }
}

/// The same in every process and version: it is written down.
fn hashed(what: &str, parts: &[Option<String>]) -> u64 {
    let mut text = what.to_owned();
    for part in parts {
        // What is missing differs from what is empty.
        text.push(if part.is_some() { '\u{1}' } else { '\u{0}' });
        text.push_str(part.as_deref().unwrap_or_default());
    }
    xxh3_64(text.as_bytes())
}

/// A clock as text: `node-` or `clock-` and 16 hex digits, `collector`, or `utc`.
pub(crate) fn clock_text(clock: ClockId) -> String {
    match clock {
        ClockId::Node(node) => format!("node-{node}"),
        ClockId::Instance(id) => format!("clock-{id:016x}"),
        ClockId::Collector => "collector".to_owned(),
        ClockId::Utc => "utc".to_owned(),
    }
}

/// The clock that a text names.
pub(crate) fn parse_clock(text: &str) -> Option<ClockId> {
    match text {
        "collector" => return Some(ClockId::Collector),
        "utc" => return Some(ClockId::Utc),
        _ => {}
    }
    if let Some(node) = text.strip_prefix("node-") {
        return node.parse::<NodeId>().ok().map(ClockId::Node);
    }
    let id = text.strip_prefix("clock-").and_then(|id| u64::from_str_radix(id, 16).ok())?;
    Some(ClockId::Instance(id))
}
