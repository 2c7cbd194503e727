//! The chain under load: what the server claims, judged by a truth that only its processes noted.
//!
//! Everything is compared that the API tells of spans of different services in one trace and of the
//! offsets of their clocks, and what the library tells of events, those of other traces included.
//! Chains tag all, some or nothing; a clock is set while they run; the machine is busy.
//! `CAUSEWAY_CHAIN_SECONDS` says for how long there is load.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use causeway_clock::offsets::{Estimator, OffsetSettings, Solver, observe};
use causeway_clock::order::{Event, EventOrder};
use causeway_tests::chain::{Chain, Level, Step, WrongClock};
use causeway_tests::environment;
use causeway_tests::events::Trace;
use causeway_tests::proto::collector::trace::v1::ExportTraceServiceRequest;
use causeway_tests::rules::Rules;
use causeway_tests::server::Server;
use causeway_tests::truth::{Moment, TrueSpan, TruthProxy};
use serde_json::Value;
use tempfile::TempDir;

use crate::chain::{CLOCKS, compare_events, has_chain, relation};
use crate::offsets::Offsets;

/// Seconds of load where nothing else is asked for.
const SECONDS: u64 = 4;
/// The same for chains that are one of several.
const SECONDS_OF_MANY: u64 = 2;
/// Requests in each of them.
const REQUESTS: u64 = 100;
/// Traces of each second whose spans are compared.
const TRACES: u64 = 20;
/// Traces, one after the other, whose events are compared with each other.
const TOGETHER: usize = 10;
/// By how much a clock is set: back, so that hybrid clocks run ahead of it.
const STEP_NS: i64 = -70_000_000;

#[test]
fn nothing_that_is_claimed_is_wrong() -> Result<()> {
    let seconds = environment::number("CAUSEWAY_CHAIN_SECONDS")?.unwrap_or(SECONDS).max(1);
    let run = Run { levels: [3; 4], clocks: CLOCKS, seconds, busy: 0 };
    let Some(judged) = run.judge()? else { return Ok(()) };
    judged.assert_nothing_wrong();
    assert!(judged.claims.of("proven").right > 0, "{:?}", judged.claims);
    // In a single trace of this chain bounds decide nothing that is not proven.
    assert!(judged.events.of("bounded").right > 0, "{:?}", judged.events);
    assert!(judged.offsets.two_sided > 0, "{:?}", judged.offsets);
    Ok(())
}

/// The less services tag the less is claimed. Without stamps of answers nothing is bounded on both
/// sides in a chain that calls one way.
#[test]
fn nothing_is_wrong_whatever_services_tag() -> Result<()> {
    for levels in [[0; 4], [1; 4], [2; 4], [3, 0, 3, 1], [0, 3, 3, 2]] {
        let run = Run { levels, clocks: CLOCKS, seconds: SECONDS_OF_MANY, busy: 0 };
        let Some(judged) = run.judge()? else { return Ok(()) };
        judged.assert_nothing_wrong();
        let is_answered = levels[1..3] == [3, 3];
        assert_eq!(judged.offsets.two_sided > 0, is_answered, "{levels:?} {:?}", judged.offsets);
        assert!(judged.offsets.right > 0, "{levels:?} {:?}", judged.offsets);
    }
    Ok(())
}

/// A process that is tagged notices that its clock was set, and goes on as another node.
#[test]
fn nothing_is_wrong_when_a_tagged_clock_is_set() -> Result<()> {
    let run = Run { levels: [3; 4], clocks: orders_set(), seconds: SECONDS, busy: 0 };
    let Some(judged) = run.judge()? else { return Ok(()) };
    judged.assert_nothing_wrong();
    assert!(judged.offsets.two_sided > 0, "{:?}", judged.offsets);
    assert_eq!(judged.offsets.nodes_set, 1, "the clock was set while it ticked");
    Ok(())
}

/// One that is not tagged breaks what bounds assume; proofs assume nothing.
#[test]
fn nothing_proven_is_wrong_when_an_untagged_clock_is_set() -> Result<()> {
    let run = Run { levels: [3, 0, 3, 3], clocks: orders_set(), seconds: SECONDS, busy: 0 };
    let Some(judged) = run.judge()? else { return Ok(()) };
    judged.assert_no_proof_wrong();
    Ok(())
}

/// Whoever is not let run by the machine answers late, so that intervals are wide.
#[test]
fn nothing_is_wrong_on_a_busy_machine() -> Result<()> {
    let busy = 2 * thread::available_parallelism()?.get();
    let run = Run { levels: [3; 4], clocks: CLOCKS, seconds: SECONDS_OF_MANY, busy };
    let Some(judged) = run.judge()? else { return Ok(()) };
    judged.assert_nothing_wrong();
    assert!(judged.offsets.two_sided > 0, "{:?}", judged.offsets);
    Ok(())
}

/// The clocks of the chain, of which that of `orders` is set while there is load.
fn orders_set() -> [WrongClock; 4] {
    let [front, orders, stock, worker] = CLOCKS;
    let step = Some(Step { after: Duration::from_secs(SECONDS / 2 + 1), by_ns: STEP_NS });
    [front, WrongClock { step, ..orders }, stock, worker]
}

/// A chain that runs for some time.
#[derive(Debug)]
struct Run {
    levels: [Level; 4],
    clocks: [WrongClock; 4],
    seconds: u64,
    /// Threads that do nothing but take time from the chain.
    busy: usize,
}

impl Run {
    /// What was claimed; nothing if the chain was not built.
    fn judge(&self) -> Result<Option<Judgement>> {
        if !has_chain()? {
            return Ok(None);
        }
        let dir = TempDir::new()?;
        let server = Server::start(dir.path(), &[])?;
        let proxy = TruthProxy::start(server.traces_url())?;
        let requests = u32::try_from(self.seconds * REQUESTS)?;
        let (concurrency, pause) = (4, Duration::from_millis(1_000 * 4 / REQUESTS));
        let (levels, clocks) = (self.levels, self.clocks);
        let chain = Chain { levels, clocks, python: None, requests, concurrency, pause };
        let busy = Busy::start(self.busy);
        let truth = chain.run(&proxy.url, Duration::from_secs(60 + 10 * self.seconds))?;
        drop(busy);

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
        let events = self.judge_events(&server, &traces)?;
        let all: Vec<&TrueSpan> = traces.values().flatten().collect();
        let offsets = Offsets::judge(&server, &truth, &all)?;
        let what = format!("chain of levels {levels:?}");
        claims.report(&format!("{what}, spans"))?;
        events.report(&format!("{what}, events"))?;
        offsets.report(&what)?;
        Ok(Some(Judgement { claims, events, offsets }))
    }

    /// All pairs of events of different services in traces that ran at about the same time, by the
    /// library, with the offsets that all traces tell. Under load, too, what is proven of a single
    /// trace is what the rules prove, as long as every process is one node.
    fn judge_events(
        &self,
        server: &Server,
        traces: &BTreeMap<String, Vec<TrueSpan>>,
    ) -> Result<Claims> {
        let is_set = self.clocks.iter().any(|clock| clock.step.is_some());
        let rules = (!is_set).then(|| Rules::new(self.levels, false));
        let mut offsets = Estimator::new(OffsetSettings::default());
        let mut by_time = Vec::new();
        for (id, spans) in traces {
            let request = server.trace(id)?;
            let trace = Trace::new(&request)?;
            if let Some(rules) = &rules {
                compare_events(rules, &trace).with_context(|| format!("trace {id}"))?;
            }
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
}

/// What was claimed in a run.
#[derive(Debug)]
struct Judgement {
    claims: Claims,
    events: Claims,
    offsets: Offsets,
}

impl Judgement {
    fn assert_no_proof_wrong(&self) {
        // Of spans nothing may be proven where ends are not: without stamps of answers.
        assert!(self.events.of("proven").right > 0, "{:?}", self.events);
        for claims in [&self.claims, &self.events] {
            assert_eq!(claims.of("proven").wrong, 0, "{claims:?}");
        }
    }

    fn assert_nothing_wrong(&self) {
        self.assert_no_proof_wrong();
        for claims in [&self.claims, &self.events] {
            assert_eq!(claims.of("bounded").wrong, 0, "{claims:?}");
        }
        assert_eq!((self.offsets.wrong, self.offsets.inconsistent), (0, 0), "{:?}", self.offsets);
    }
}

/// Threads that keep the machine busy until this is dropped.
#[derive(Debug)]
struct Busy {
    is_over: Arc<AtomicBool>,
}

impl Busy {
    fn start(threads: usize) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        for _ in 0..threads {
            let is_over = Arc::clone(&is_over);
            thread::spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        Self { is_over }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
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
                "{what}, {class}: {pairs} of {} pairs ({share:.1} %); {right} claims about \
                 events right, {wrong} wrong, {close} too close to tell",
                self.pairs
            ))?;
        }
        Ok(())
    }
}

/// When an event that the API names really was.
fn moment(events: &HashMap<&str, &TrueSpan>, event: &Value) -> Result<Moment> {
    let id = event["span_id"].as_str().context("no span")?;
    let span = events.get(id).context("an unknown span")?;
    let event = if event["event"] == "start" { &span.start } else { &span.end };
    event.moment.context("no truth")
}
