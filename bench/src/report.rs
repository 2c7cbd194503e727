//! What was measured, as a Markdown table.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use crate::ingest::{IngestArgs, Pass};
use crate::latency::Latency;
use crate::machine::Machine;
use crate::process::Cpu;

/// A value that was not asked for or cannot be known.
const NONE: &str = "-";

/// Everything that one run of `ingest` measured.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    pub(crate) args: &'a IngestArgs,
    pub(crate) machine: Machine,
    /// CPU time per span, before and after the pass at full load.
    pub(crate) floors: [Duration; 2],
    pub(crate) full: Pass,
    pub(crate) half: Option<Pass>,
}

impl Display for Report<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let IngestArgs { connections, batch, seed, tagged, .. } = self.args;
        let stamps = if *tagged { "with" } else { "without" };
        let target = match (&self.args.bin, &self.args.endpoint) {
            (Some(bin), _) => bin.display().to_string(),
            (None, endpoint) => endpoint.clone().unwrap_or_default(),
        };
        writeln!(out, "# Ingest: {target}\n")?;
        writeln!(out, "On {}.", self.machine)?;
        writeln!(
            out,
            "OTLP/HTTP protobuf, {batch} spans per request, {connections} connections, seed {seed}, \
             {stamps} stamps; the load is made by the same machine."
        )?;
        if cfg!(debug_assertions) {
            writeln!(
                out,
                "**The benchmark was built without optimisation: the floor means nothing.**"
            )?;
        }
        writeln!(out, "\n| what | full load | half load |\n|---|---:|---:|")?;
        let floor = (self.floors[0] + self.floors[1]) / 2;
        let full = rows(&self.full, floor);
        let half = self.half.as_ref().map(|half| rows(half, floor));
        for (at, (what, value)) in full.iter().enumerate() {
            let half = half.as_ref().map_or(NONE, |rows| rows[at].1.as_str());
            writeln!(out, "| {what} | {value} | {half} |")?;
        }
        let [before, after] = self.floors.map(us);
        writeln!(
            out,
            "\nDecode floor (prost, same bytes, one thread): {before} us of CPU per span before the \
             full load, {after} us after it."
        )?;
        for (name, pass) in [("full", Some(&self.full)), ("half", self.half.as_ref())] {
            if let Some(Err(reason)) = pass.and_then(|pass| pass.stored.as_ref()) {
                writeln!(out, "Spans stored at {name} load could not be counted: {reason}")?;
            }
        }
        Ok(())
    }
}

/// Progress, beside the report and not in it.
pub(crate) fn note(text: fmt::Arguments<'_>) {
    eprintln!("causeway-bench: {text}");
}

fn rows(pass: &Pass, floor: Duration) -> Vec<(&'static str, String)> {
    let latency = Latency::of(pass.sent.acknowledged_after.clone());
    let per_span = |cpu: Duration| cpu.div_f64(pass.spans.max(1) as f64);
    let per_floor = |cpu: Cpu| per_span(cpu.total()).as_secs_f64() / floor.as_secs_f64();
    let disk = |bytes: u64| format!("{:.1}", bytes as f64 / pass.spans.max(1) as f64);
    let spans_per_second = pass.spans as f64 / pass.sent.wall.as_secs_f64();
    vec![
        ("spans sent", pass.spans.to_string()),
        ("bytes per span on the wire", format!("{:.0}", pass.wire_bytes_per_span)),
        ("spans per second, wall clock", format!("{spans_per_second:.0}")),
        ("decode floor, us of CPU per span", us(floor)),
        (
            "server, us of CPU per span until acknowledged",
            maybe(pass.cpu_acknowledged, |cpu| us(per_span(cpu.total()))),
        ),
        (
            "server, us of CPU per span until committed",
            maybe(pass.cpu_committed, |cpu| us(per_span(cpu.total()))),
        ),
        (
            "**until committed, times the decode floor**",
            maybe(pass.cpu_committed, |cpu| format!("**{:.2}**", per_floor(cpu))),
        ),
        (
            "server, CPU seconds user + system",
            maybe(pass.cpu_committed, |cpu| {
                format!("{:.2} + {:.2}", cpu.user.as_secs_f64(), cpu.system.as_secs_f64())
            }),
        ),
        ("client, us of CPU per span", us(per_span(pass.client_cpu.total()))),
        (
            "peak memory, MB",
            maybe(pass.peak_resident_bytes, |bytes| format!("{:.0}", bytes as f64 / 1e6)),
        ),
        ("acknowledged after, p50, ms", ms(latency.p50)),
        ("acknowledged after, p99, ms", ms(latency.p99)),
        ("acknowledged after, max, ms", ms(latency.max)),
        ("answers that asked to retry", pass.sent.retries.to_string()),
        ("spans refused", pass.sent.spans_refused.to_string()),
        ("SIGTERM to end, ms", maybe(pass.stop_took, ms)),
        ("Parquet bytes per span", maybe(pass.disk, |it| disk(it.parquet))),
        ("log bytes left", maybe(pass.disk, |it| it.log.to_string())),
        ("all bytes on disk per span", maybe(pass.disk, |it| disk(it.total()))),
        (
            "spans stored",
            maybe(pass.stored.as_ref(), |stored| match stored {
                Ok(spans) if *spans == pass.spans => format!("{spans}, all"),
                Ok(spans) => format!("**{spans}, not what was sent**"),
                Err(_) => "not counted".to_owned(),
            }),
        ),
    ]
}

fn maybe<T>(value: Option<T>, show: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| NONE.to_owned(), show)
}

fn us(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1e6)
}

fn ms(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Sent;

    #[test]
    fn ratios_are_to_the_floor_and_unknown_values_are_dashes() {
        let second = Duration::from_secs(1);
        let pass = Pass {
            spans: 1_000_000,
            sent: Sent { wall: second * 4, ..Sent::default() },
            cpu_committed: Some(Cpu { user: second, system: second / 2 }),
            stored: Some(Ok(999_999)),
            ..Pass::default()
        };
        let rows = rows(&pass, Duration::from_nanos(750));
        let value = |what: &str| {
            rows.iter().find(|(name, _)| name.contains(what)).map(|(_, value)| value.as_str())
        };
        assert_eq!(value("per second"), Some("250000"));
        assert_eq!(value("per span until committed"), Some("1.50"));
        assert_eq!(value("times the decode floor"), Some("**2.00**"));
        assert_eq!(value("until acknowledged"), Some("-"));
        assert_eq!(value("Parquet"), Some("-"));
        assert_eq!(value("spans stored"), Some("**999999, not what was sent**"));
    }
}
