//! Offsets of clocks that the server tells of a chain, judged by how wrong its clocks really were.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result};
use causeway_clock::offsets::OffsetSettings;
use causeway_tests::chain::{SERVICES, Truth};
use causeway_tests::environment;
use causeway_tests::server::Server;
use causeway_tests::truth::{Moment, Tick, TrueEvent, TrueSpan};
use serde_json::Value;

/// Wrong intervals that are told one by one.
const SHOWN_MAX: u64 = 5;

/// Intervals of offsets of one clock against another, by window.
type Intervals = HashMap<i64, Interval>;

#[derive(Debug, Clone)]
struct Interval {
    lo_ns: Option<i64>,
    hi_ns: Option<i64>,
    state: String,
}

/// A clock that the server knows, as its text says.
#[derive(Debug, Clone)]
struct Known {
    clock: String,
    service: String,
    /// Whether it is a node that began when the clock of its process was set.
    is_set: bool,
    /// Whether it is read by spans without stamps.
    is_wall: bool,
}

impl Known {
    /// How far it was ahead: a node stays what it was when its process goes on as another one.
    fn offset_ns(&self, truth: &Truth, at_ns: i64) -> Result<i64> {
        let is_set = if self.is_wall { truth.is_set(&self.service, at_ns) } else { self.is_set };
        truth.offset_ns(&self.service, at_ns, is_set).context("no such clock")
    }
}

/// An event of a span, when it was, and on which clock it was read.
struct Read<'a> {
    clock: &'a Known,
    at_ns: i64,
    /// On the axis that the clocks of a trace share.
    axis_ns: i64,
}

/// What was claimed about offsets: of the clock of every event against every other, when it was.
#[derive(Debug, Default)]
pub(crate) struct Offsets {
    pub(crate) right: u64,
    pub(crate) wrong: u64,
    pub(crate) two_sided: u64,
    pub(crate) one_sided: u64,
    pub(crate) none: u64,
    pub(crate) inconsistent: u64,
    /// Nodes that began when a clock was set.
    pub(crate) nodes_set: usize,
    /// Of those with two sides.
    half_widths_ns: Vec<i64>,
}

impl Offsets {
    pub(crate) fn judge(server: &Server, truth: &Truth, spans: &[&TrueSpan]) -> Result<Self> {
        let events = || {
            let events = spans.iter().flat_map(|span| [(span, &span.start), (span, &span.end)]);
            events.filter_map(|(span, event)| Some((span.service.as_str(), event, event.moment?)))
        };
        let mut clocks = nodes(truth, events());
        let untagged: HashSet<&str> =
            events().filter(|(_, event, _)| event.tick.is_none()).map(|(name, ..)| name).collect();
        clocks.extend(walls(server, &untagged)?);
        let nodes_set = clocks.iter().filter(|clock| clock.is_set).count();
        let mut offsets = Self { nodes_set, ..Self::default() };
        let settings = OffsetSettings::default();
        let mut known = HashMap::new();
        for clock in &clocks {
            known.extend(series(server, &clock.clock)?);
        }
        for (service, event, moment) in events() {
            let Some(read) = Read::new(truth, &clocks, service, event, moment) else { continue };
            let window = settings.window(read.axis_ns) * settings.window_ns;
            for other in clocks.iter().filter(|other| other.clock != read.clock.clock) {
                let interval = known.get(&(read.clock.clock.clone(), other.clock.clone()));
                let interval = interval.and_then(|interval| interval.get(&window));
                offsets.count(interval, truth, &read, other)?;
            }
        }
        offsets.half_widths_ns.sort_unstable();
        Ok(offsets)
    }

    fn count(
        &mut self,
        interval: Option<&Interval>,
        truth: &Truth,
        read: &Read<'_>,
        other: &Known,
    ) -> Result<()> {
        let Some(Interval { lo_ns, hi_ns, state }) = interval else {
            self.none += 1;
            return Ok(());
        };
        match state.as_str() {
            "two-sided" => self.two_sided += 1,
            "one-sided" => self.one_sided += 1,
            "inconsistent" => self.inconsistent += 1,
            _ => self.none += 1,
        }
        if let Some((lo_ns, hi_ns)) = lo_ns.zip(*hi_ns) {
            self.half_widths_ns.push((hi_ns - lo_ns) / 2);
        }
        let own_ns = read.clock.offset_ns(truth, read.at_ns)?;
        let true_ns = other.offset_ns(truth, read.at_ns)? - own_ns;
        let slack_ns = read.slack_ns(truth)?;
        let is_within = lo_ns.is_none_or(|lo| lo <= true_ns + slack_ns)
            && hi_ns.is_none_or(|hi| true_ns <= hi + slack_ns);
        if is_within {
            self.right += u64::from(lo_ns.is_some() || hi_ns.is_some());
        } else {
            self.wrong += 1;
            if self.wrong <= SHOWN_MAX {
                let at = (&read.clock.clock, &read.clock.service, read.axis_ns);
                eprintln!(
                    "{true_ns} ns is not in {lo_ns:?} to {hi_ns:?}: {other:?} against {at:?}"
                );
            }
        }
        Ok(())
    }

    pub(crate) fn report(&self, what: &str) -> Result<()> {
        let Self { right, wrong, two_sided, one_sided, none, inconsistent, .. } = self;
        let half_widths_ns = &self.half_widths_ns;
        let median_ns = half_widths_ns.get(half_widths_ns.len() / 2).copied().unwrap_or_default();
        environment::report(&format!(
            "{what}, offsets of clocks at events: {right} intervals hold the truth, {wrong} do \
             not; {two_sided} two-sided, {one_sided} one-sided, {none} none, {inconsistent} \
             inconsistent; median half-width {} us",
            median_ns / 1_000
        ))
    }
}

impl<'a> Read<'a> {
    fn new(
        truth: &Truth,
        clocks: &'a [Known],
        service: &str,
        event: &TrueEvent,
        moment: Moment,
    ) -> Option<Self> {
        let at_ns = moment.earliest_ns;
        let is_read = |clock: &&Known| match &event.tick {
            Some(tick) => clock.clock == node(tick),
            None => clock.is_wall && clock.service == service,
        };
        let clock = clocks.iter().find(is_read)?;
        let axis_ns = match &event.tick {
            Some(tick) => tick.hlc,
            // That of the root.
            None => truth.shows_ns(SERVICES[0], at_ns)?,
        };
        Some(Self { clock, at_ns, axis_ns })
    }

    /// How much further than its bounds an order that rests on the reading must allow for: what
    /// clocks drift in the time by which an untagged one is off the axis, and by which this test
    /// may be.
    fn slack_ns(&self, truth: &Truth) -> Result<i64> {
        if !self.clock.is_wall {
            return Ok(0);
        }
        let shown_ns = truth.shows_ns(&self.clock.service, self.at_ns).context("no such clock")?;
        let settings = OffsetSettings::default();
        let off_ns = shown_ns.abs_diff(self.axis_ns) + settings.window_ns.unsigned_abs();
        Ok(settings.drift_over_ns(off_ns))
    }
}

/// As the server calls a node.
fn node(tick: &Tick) -> String {
    format!("node-{}", tick.node)
}

/// The nodes of ticks. One that never ticked before the clock of its process was set began then.
fn nodes<'a>(
    truth: &Truth,
    events: impl Iterator<Item = (&'a str, &'a TrueEvent, Moment)>,
) -> Vec<Known> {
    let mut nodes: HashMap<String, Known> = HashMap::new();
    for (service, event, moment) in events {
        let Some(tick) = &event.tick else { continue };
        let known = nodes.entry(node(tick)).or_insert_with(|| Known {
            clock: node(tick),
            service: service.to_owned(),
            is_set: true,
            is_wall: false,
        });
        known.is_set &= truth.is_set(service, moment.latest_ns);
    }
    nodes.into_values().collect()
}

/// The clocks of spans without stamps, by the services that have such.
fn walls(server: &Server, services: &HashSet<&str>) -> Result<Vec<Known>> {
    let answer = server.get("/api/v1/clocks")?.ok()?.json()?;
    let wall = |series: &Value| {
        let clock = series["clock"].as_str()?.to_owned();
        let service = series["service_name"].as_str()?.to_owned();
        let is_wall = series["is_tagged"] == false && services.contains(service.as_str());
        is_wall.then_some(Known { clock, service, is_set: false, is_wall })
    };
    Ok(answer["clocks"].as_array().context("no clocks")?.iter().filter_map(wall).collect())
}

/// The intervals of all clocks against one.
fn series(server: &Server, reference: &str) -> Result<Vec<((String, String), Intervals)>> {
    let answer = server.get(&format!("/api/v1/clocks?reference={reference}"))?.ok()?.json()?;
    let of = |series: &Value| {
        let clock = series["clock"].as_str().context("no clock")?.to_owned();
        Ok(((reference.to_owned(), clock), intervals(series)?))
    };
    answer["clocks"].as_array().context("no clocks")?.iter().map(of).collect()
}

fn intervals(series: &Value) -> Result<Intervals> {
    let list = |name: &str| series[name].as_array().with_context(|| format!("no {name}"));
    let (lo, hi, state) = (list("lo_ns")?, list("hi_ns")?, list("state")?);
    let windows = list("window_start_unix_nano")?.iter().zip(lo.iter().zip(hi).zip(state));
    let interval = |(window, ((lo, hi), state)): (&Value, ((&Value, &Value), &Value))| {
        let state = state.as_str()?.to_owned();
        let interval = Interval { lo_ns: lo.as_i64(), hi_ns: hi.as_i64(), state };
        // Times are numbers here or texts, as they are too large for some readers.
        let window = window.as_i64().or_else(|| window.as_str()?.parse().ok())?;
        Some((window, interval))
    };
    windows.map(|window| interval(window).context("a window")).collect()
}
