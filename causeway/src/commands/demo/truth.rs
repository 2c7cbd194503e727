//! What the demo was built with, for people at the start and as JSON for whoever checks what is found.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use causeway_testkit::shop::{ClockTruth, FaultTruth, Level, ShopSettings, Truth, WallClock};
use serde_json::{Value, json};

use super::options::Options;

/// Clocks that are off by less are as good as NTP makes them, and not worth a line.
const HEALTHY_NS: u64 = 1_000_000;

/// The list that is printed at the start.
pub(super) fn listed(truth: &Truth, options: &Options) -> String {
    let mut text = format!(
        "A shop of {} instances sends to {}; seed {}\n\nBuilt in, with the detector that is to find it:\n",
        truth.clocks.len(),
        options.server,
        options.seed,
    );
    for fault in &truth.faults {
        let line = fault.line;
        let place = match line.operation {
            "" => line.services.join(", "),
            operation => format!("{} in {operation}", line.services.join(", ")),
        };
        // Writing to a text cannot fail.
        let _ = writeln!(text, "  {:22} {:22} {place}", line.name, line.detector);
        let _ = writeln!(text, "  {:22} {}{}", "", line.what, often(fault));
    }
    let _ = writeln!(text, "\nClocks that are wrong, against true time:");
    for clock in truth.clocks.iter().filter(|clock| is_wrong(&clock.wall)) {
        let _ = writeln!(
            text,
            "  {:22} {:8} {}",
            clock.instance.name,
            clock.instance.host,
            told(&clock.wall)
        );
    }
    text
}

fn often(fault: &FaultTruth) -> String {
    match fault.line.per_mille {
        0 | 1_000 => String::new(),
        per_mille => format!(" ({} % of them)", per_mille as f64 / 10.0),
    }
}

fn is_wrong(wall: &WallClock) -> bool {
    wall.offset_ns.unsigned_abs() > HEALTHY_NS || wall.step_ns != 0 || wall.granularity_ns > 1
}

fn told(wall: &WallClock) -> String {
    let ms = |ns: i64| ns as f64 / 1e6;
    let mut text = format!("{:+} ms", ms(wall.offset_ns));
    if wall.rate_ppb.unsigned_abs() > 50_000 {
        let minutes = wall.turn_ns / 60_000_000_000;
        let _ = write!(text, ", {:+} ppm for {minutes} min, then back", wall.rate_ppb / 1_000);
    }
    if wall.step_ns != 0 {
        let every_s = wall.step_every_ns / 1_000_000_000;
        let _ = write!(text, ", set by {:+} ms and back, every {every_s} s", ms(wall.step_ns));
    }
    if wall.granularity_ns > 1 {
        let _ = write!(text, ", shows whole {} ms", ms(wall.granularity_ns));
    }
    text
}

/// The file that the truth is written to, if there is one.
#[derive(Debug)]
pub(super) struct Paper {
    path: Option<PathBuf>,
    settings: ShopSettings,
}

impl Paper {
    pub(super) fn new(options: &Options, settings: ShopSettings) -> Self {
        Self { path: options.truth.clone(), settings }
    }

    /// Writes the truth so far, in one step, so that nobody reads half of it.
    pub(super) fn write(&self, truth: &Truth) -> Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let text = format!("{:#}\n", self.json(truth));
        let new = beside(path);
        std::fs::write(&new, text)
            .and_then(|()| std::fs::rename(&new, path))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn json(&self, truth: &Truth) -> Value {
        json!({
            "seed": self.settings.seed,
            "start_unix_ns": truth.start_unix_ns,
            "traces_per_s": self.settings.traces_per_ks as f64 / 1e3,
            "journeys": truth.journeys,
            "faults": truth.faults.iter().map(fault).collect::<Vec<_>>(),
            "clocks": truth.clocks.iter().map(clock).collect::<Vec<_>>(),
        })
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

fn fault(fault: &FaultTruth) -> Value {
    let line = fault.line;
    json!({
        "name": line.name,
        "detector": line.detector,
        "services": line.services,
        "instances": fault.instances,
        "operation": line.operation,
        "per_mille": line.per_mille,
        "what": line.what,
        "also": line.also,
        "operations_so_far": fault.asked,
        "traces_so_far": fault.sighting.traces,
        "example_traces": fault.sighting.examples.iter().map(|id| hex(id)).collect::<Vec<_>>(),
    })
}

/// A clock: its offset at true time `t` is `offset_ns`, plus `rate_ppb` of what passed since the start, which turns
/// every `turn_every_ns`, plus `step_ns` after every odd step.
fn clock(clock: &ClockTruth) -> Value {
    let (of, wall) = (&clock.instance, &clock.wall);
    let nodes = clock.nodes.iter();
    json!({
        "instance": of.name,
        "service": of.service.name(),
        "service_instance_id": of.id,
        "host": of.host,
        "host_id": of.host_id,
        "level": level(clock.level),
        "offset_ns": wall.offset_ns,
        "rate_ppb": wall.rate_ppb,
        "turn_every_ns": wall.turn_ns,
        "step_ns": wall.step_ns,
        "step_every_ns": if wall.step_ns == 0 { 0 } else { wall.step_every_ns },
        "first_step_unix_ns": (wall.step_ns != 0).then(|| wall.origin_ns + wall.step_every_ns),
        "granularity_ns": wall.granularity_ns,
        "silent_from_unix_ns": clock.silent_from_ns,
        "nodes": nodes
            .map(|node| json!({ "node": node.node.to_string(), "set_by_ns": node.set_by_ns }))
            .collect::<Vec<_>>(),
    })
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Stock => "L0",
        Level::Propagates => "L1",
        Level::Tags => "L2",
        Level::Responds => "L3",
    }
}

fn hex(id: &[u8]) -> String {
    id.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
