//! The chain under load: what the server claims, judged by a truth that only its processes noted.
//!
//! Everything is compared that the API tells of spans of different services in one trace and of the
//! offsets of their clocks, and what the library tells of events, those of other traces included. `CAUSEWAY_CHAIN_SECONDS` says for how long there is load.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use causeway_clock::offsets::{Estimator, OffsetSettings, Solver, observe};
use causeway_clock::order::{Event, EventOrder};
use causeway_tests::chain::{Chain, Truth};
use causeway_tests::environment;
use causeway_tests::events::Trace;
use causeway_tests::proto::collector::trace::v1::ExportTraceServiceRequest;
use causeway_tests::rules::Rules;
use causeway_tests::server::Server;
use causeway_tests::truth::{Moment, Tick, TrueEvent, TrueSpan, TruthProxy};
use serde_json::Value;
use tempfile::TempDir;

use crate::chain::{CLOCKS, compare_events, has_chain, relation};

/// Seconds of load where nothing else is asked for.
const SECONDS: u64 = 4;
/// Requests in each of them.
const REQUESTS: u64 = 100;
/// Traces of each second whose spans are compared.
const TRACES: u64 = 20;
/// Traces, one after the other, whose events are compared with each other.
const TOGETHER: usize = 10;

#[test]
fn nothing_that_is_claimed_is_wrong() -> Result<()> {
    if !has_chain()? {
        return Ok(());
    }
    let seconds = environment::number("CAUSEWAY_CHAIN_SECONDS")?.unwrap_or(SECONDS).max(1);
    let dir = TempDir::new()?;
    let server = Server::start(dir.path(), &[])?;
    let proxy = TruthProxy::start(server.traces_url())?;
    let requests = u32::try_from(seconds * REQUESTS)?;
    let (concurrency, pause) = (4, Duration::from_millis(1_000 * 4 / REQUESTS));
    let chain =
        Chain { levels: [3; 4], clocks: CLOCKS, python: None, requests, concurrency, pause };
    let truth = chain.run(&proxy.url, Duration::from_secs(60 + 10 * seconds))?;

    let traces = by_trace(proxy.known());
    assert_eq!(traces.len(), requests as usize);
    // Who looks at a trace makes its messages count for the offsets of clocks.
    for trace in traces.keys() {
        server.get(&format!("/api/v1/traces/{trace}/order"))?.ok()?;
    }
    let every = usize::try_from(REQUESTS / TRACES)?;
    let mut claims = Claims::default();
    for (trace, spans) in traces.iter().step_by(every) {
        claims.judge(&server, trace, spans)?;
    }
    let events = judge_events(&server, &traces)?;
    let offsets = Offsets::judge(&server, &truth, traces.values().flatten())?;
    claims.report("spans")?;
    events.report("events")?;
    offsets.report()?;

    for claims in [&claims, &events] {
        assert!(claims.of("proven").right > 0, "{claims:?}");
        assert_eq!((claims.of("proven").wrong, claims.of("bounded").wrong), (0, 0), "{claims:?}");
    }
    // In a single trace of this chain bounds decide nothing that is not proven.
    assert!(events.of("bounded").right > 0, "{events:?}");
    assert_eq!((offsets.wrong, offsets.inconsistent), (0, 0), "{offsets:?}");
    assert!(offsets.two_sided > 0, "{offsets:?}");
    Ok(())
}

fn by_trace(spans: Vec<TrueSpan>) -> BTreeMap<String, Vec<TrueSpan>> {
    let mut traces = BTreeMap::<String, Vec<TrueSpan>>::new();
    for span in spans {
        traces.entry(span.trace_id.clone()).or_default().push(span);
    }
    traces
}

/// What was claimed with one class.
#[derive(Debug, Default, Clone, Copy)]
struct Judged {
    /// Pairs that it decides.
    pairs: u64,
    /// Claims about two events that are true.
    right: u64,
    /// That are not.
    wrong: u64,
    /// Of events so close that the truth is not known.
    close: u64,
}

impl Judged {
    fn judge(&mut self, earlier: Moment, later: Moment) {
        if earlier.latest_ns < later.earliest_ns {
            self.right += 1;
        } else if earlier.earliest_ns > later.latest_ns {
            self.wrong += 1;
        } else {
            self.close += 1;
        }
    }
}

/// What was claimed about pairs of spans or events.
#[derive(Debug, Default)]
struct Claims {
    pairs: u64,
    classes: BTreeMap<String, Judged>,
}

impl Claims {
    fn of(&self, class: &str) -> Judged {
        self.classes.get(class).copied().unwrap_or_default()
    }

    /// All pairs of spans of different services in a trace.
    fn judge(&mut self, server: &Server, trace: &str, spans: &[TrueSpan]) -> Result<()> {
        let events: HashMap<&str, &TrueSpan> =
            spans.iter().map(|span| (span.span_id.as_str(), span)).collect();
        for (at, a) in spans.iter().enumerate() {
            for b in spans.iter().skip(at + 1).filter(|b| b.service != a.service) {
                let said = relation(server, trace, &a.span_id, &b.span_id)?;
                self.judge_pair(&events, &said)
                    .with_context(|| format!("{} and {}: {said}", a.service, b.service))?;
            }
        }
        Ok(())
    }

    fn judge_pair(&mut self, events: &HashMap<&str, &TrueSpan>, said: &Value) -> Result<()> {
        let class = said["class"].as_str().context("no class")?;
        let because = said["because"].as_array().context("no reason")?;
        ensure!(because.is_empty() == (class == "unknown"), "a class without reasons");
        let judged = self.add(class);
        for one in because {
            judged.judge(moment(events, &one["earlier"])?, moment(events, &one["later"])?);
        }
        Ok(())
    }

    fn judge_events<'a>(
        &mut self,
        trace: &Trace,
        known: impl Iterator<Item = &'a TrueSpan>,
        solver: &mut Solver<'_>,
    ) -> Result<()> {
        let known: HashMap<&str, &TrueSpan> =
            known.map(|span| (span.span_id.as_str(), span)).collect();
        let moment = |event| {
            let (Event::Start(span) | Event::End(span) | Event::Tick(span)) = event;
            let id = trace.ids.get(span as usize).context("no span")?;
            let span = known.get(id.as_str()).context("an unknown span")?;
            let is_start = matches!(event, Event::Start(_));
            (if is_start { &span.start } else { &span.end }).moment.context("no truth")
        };
        for (a, b) in trace.pairs() {
            let found = trace.order.relation(a, b, Some(&mut *solver));
            let judged = self.add(&format!("{:?}", found.class).to_lowercase());
            match found.order {
                EventOrder::Before => judged.judge(moment(a)?, moment(b)?),
                EventOrder::After => judged.judge(moment(b)?, moment(a)?),
                EventOrder::Same | EventOrder::Undecided => {}
            }
        }
        Ok(())
    }

    fn add(&mut self, class: &str) -> &mut Judged {
        self.pairs += 1;
        let judged = self.classes.entry(class.to_owned()).or_default();
        judged.pairs += 1;
        judged
    }

    fn report(&self, what: &str) -> Result<()> {
        for (class, judged) in &self.classes {
            let Judged { pairs, right, wrong, close } = judged;
            let share = 100.0 * *pairs as f64 / self.pairs as f64;
            environment::report(&format!(
                "chain, {class}: {pairs} of {} pairs of {what} ({share:.1} %); {right} claims about \
                 events right, {wrong} wrong, {close} too close to tell",
                self.pairs
            ))?;
        }
        Ok(())
    }
}

/// All pairs of events of different services in traces that ran at about the same time, by the
/// library, with the offsets that all traces tell. Under load, too, what is proven of a single trace
/// is what the rules prove.
fn judge_events(server: &Server, traces: &BTreeMap<String, Vec<TrueSpan>>) -> Result<Claims> {
    let rules = Rules::new([3; 4], false);
    let mut offsets = Estimator::new(OffsetSettings::default());
    let mut by_time = Vec::new();
    for (id, spans) in traces {
        let request = server.trace(id)?;
        let trace = Trace::new(&request)?;
        compare_events(&rules, &trace).with_context(|| format!("trace {id}"))?;
        observe(&mut offsets, &trace.spans, &trace.order, u64::from);
        let starts = spans.iter().filter_map(|span| Some(span.start.moment?.earliest_ns));
        by_time.push((starts.min().context("no truth")?, request, spans));
    }
    by_time.sort_by_key(|(start_ns, ..)| *start_ns);
    let mut solver = Solver::new(&offsets);
    let mut claims = Claims::default();
    for group in by_time.chunks(TOGETHER) {
        let mut request = ExportTraceServiceRequest::default();
        let spans = group.iter().flat_map(|(_, of_trace, _)| &of_trace.resource_spans);
        request.resource_spans.extend(spans.cloned());
        let known = group.iter().flat_map(|(.., spans)| spans.iter());
        claims.judge_events(&Trace::new(&request)?, known, &mut solver)?;
    }
    Ok(claims)
}

/// When an event that the API names really was.
fn moment(events: &HashMap<&str, &TrueSpan>, event: &Value) -> Result<Moment> {
    let id = event["span_id"].as_str().context("no span")?;
    let span = events.get(id).context("an unknown span")?;
    let event = if event["event"] == "start" { &span.start } else { &span.end };
    event.moment.context("no truth")
}

/// Intervals of offsets of one clock against another, by window.
type Intervals = HashMap<i64, Interval>;

#[derive(Debug, Clone)]
struct Interval {
    lo_ns: Option<i64>,
    hi_ns: Option<i64>,
    state: String,
}

/// What was claimed about offsets: of every stamp's clock against every other, when it was made.
#[derive(Debug, Default)]
struct Offsets {
    right: u64,
    wrong: u64,
    two_sided: u64,
    one_sided: u64,
    none: u64,
    inconsistent: u64,
    /// Of those with two sides.
    half_widths_ns: Vec<i64>,
}

impl Offsets {
    fn judge<'a>(
        server: &Server,
        truth: &Truth,
        spans: impl Iterator<Item = &'a TrueSpan> + Clone,
    ) -> Result<Self> {
        let mut services = HashMap::new();
        let ticks = |span: &'a TrueSpan| {
            [&span.start, &span.end].into_iter().filter_map(|event: &TrueEvent| {
                Some((span.service.as_str(), event.tick.as_ref()?, event.moment?))
            })
        };
        for (service, tick, _) in spans.clone().flat_map(ticks) {
            services.insert(tick.node.as_str(), service);
        }
        let mut known = HashMap::new();
        let mut window_ns = 0;
        for node in services.keys() {
            let answer = server.get(&format!("/api/v1/clocks?reference=node-{node}"))?;
            let answer = answer.ok()?.json()?;
            window_ns = answer["assumptions"]["window_ns"].as_i64().context("no windows")?;
            for series in answer["clocks"].as_array().context("no clocks")? {
                let clock = series["clock"].as_str().and_then(|clock| clock.strip_prefix("node-"));
                if let Some(clock) = clock {
                    known.insert(((*node).to_owned(), clock.to_owned()), intervals(series)?);
                }
            }
        }
        let mut offsets = Self::default();
        for (service, tick, moment) in spans.flat_map(ticks) {
            for (node, other) in services.iter().filter(|(node, _)| **node != tick.node) {
                let offset = |service| truth.offset_ns(service, moment.earliest_ns);
                let apart_ns = offset(other).zip(offset(service)).context("no such clock")?;
                let window = tick.hlc.div_euclid(window_ns) * window_ns;
                let interval = known.get(&(tick.node.clone(), (*node).to_owned()));
                let interval = interval.and_then(|interval| interval.get(&window));
                offsets.count(interval, apart_ns.0 - apart_ns.1, tick, other);
            }
        }
        offsets.half_widths_ns.sort_unstable();
        Ok(offsets)
    }

    fn count(&mut self, interval: Option<&Interval>, true_ns: i64, tick: &Tick, other: &str) {
        let Some(Interval { lo_ns, hi_ns, state }) = interval else {
            self.none += 1;
            return;
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
        let is_within =
            lo_ns.is_none_or(|lo| lo <= true_ns) && hi_ns.is_none_or(|hi| true_ns <= hi);
        if is_within {
            self.right += u64::from(lo_ns.is_some() || hi_ns.is_some());
        } else {
            self.wrong += 1;
            eprintln!("{true_ns} ns is not in {lo_ns:?} to {hi_ns:?}: {other} against {tick:?}");
        }
    }

    fn report(&self) -> Result<()> {
        let Self { right, wrong, two_sided, one_sided, none, inconsistent, half_widths_ns } = self;
        let median_ns = half_widths_ns.get(half_widths_ns.len() / 2).copied().unwrap_or_default();
        environment::report(&format!(
            "chain, offsets of clocks at stamps: {right} intervals hold the truth, {wrong} do not; \
             {two_sided} two-sided, {one_sided} one-sided, {none} none, {inconsistent} inconsistent; \
             median half-width {} us",
            median_ns / 1_000
        ))
    }
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
