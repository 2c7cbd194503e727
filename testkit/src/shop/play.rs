//! Plays the moments of processes in true order: here clocks tick, contexts travel and spans get their times and stamps.
//!
//! What each level does is what `sdk/rust` does: an entry's context is observed before its start tick, a request is
//! stamped unless the service is a stock one, which passes on what it received, and an answer's stamp is kept by the
//! client span it belongs to, the last of each node, at most eight.

use std::collections::{HashMap, VecDeque};

use causeway_clock::{Carried, Stamp, response, tracestate};

use super::cast::Level;
use super::plan::{Action, MessageKey, Plan, PlannedSpan, SpanKey};
use super::process::Process;
use crate::traffic::attributes::{stamps, text};

/// How long contexts of messages are kept; nothing in the shop is under way longer.
const UNDER_WAY_NS: i64 = 60_000_000_000;
/// What the sampler of the storefront, which takes everything, writes down.
const SAMPLED: &str = "ot=th:0";

/// A span that was planned, and what happened to it so far.
#[derive(Debug)]
struct OpenSpan {
    planned: PlannedSpan,
    start: Option<Stamp>,
    rejected: Option<Stamp>,
    responses: Vec<Stamp>,
}

#[derive(Debug, Default)]
pub(super) struct Stage {
    pub(super) processes: Vec<Process>,
    open: HashMap<SpanKey, OpenSpan>,
    /// What messages carry: tracestate of requests, a stamp of responses.
    contexts: HashMap<MessageKey, String>,
    sent: VecDeque<(i64, MessageKey)>,
}

impl Stage {
    pub(super) fn new(processes: Vec<Process>) -> Self {
        Self { processes, ..Self::default() }
    }

    /// Takes the spans of a plan; its actions are played when their time has come.
    pub(super) fn prepare(&mut self, plan: &mut Plan) {
        let keys = plan.first..;
        for (key, planned) in keys.zip(std::mem::take(&mut plan.spans)) {
            let (start, rejected, responses) = (None, None, Vec::new());
            self.open.insert(key, OpenSpan { planned, start, rejected, responses });
        }
    }

    /// Plays an action; gives the span that it ended.
    pub(super) fn play(&mut self, now_ns: i64, action: Action) -> Option<PlannedSpan> {
        match action {
            Action::Start(span) => self.start(now_ns, span),
            Action::Send { span, message, stripped } => self.send(now_ns, span, message, stripped),
            Action::Respond { instance, message, stripped } => {
                self.respond(now_ns, instance, message, stripped);
            }
            Action::Receive { span, message } => self.receive(now_ns, span, message),
            Action::End(span) => return self.end(now_ns, span),
        }
        None
    }

    fn start(&mut self, now_ns: i64, key: SpanKey) {
        let Some(open) = self.open.get(&key) else { return };
        let received = open.planned.received.and_then(|message| self.contexts.get(&message));
        let inherited = open.planned.parent.and_then(|parent| self.open.get(&parent));
        let is_first = open.planned.span.parent_span_id.is_empty();
        let trace_state = match (received, inherited) {
            (Some(context), _) => context.clone(),
            (None, Some(parent)) => parent.planned.span.trace_state.clone(),
            (None, None) if is_first => SAMPLED.to_owned(),
            (None, None) => String::new(),
        };
        let of_links: Vec<String> = open
            .planned
            .links
            .iter()
            .map(|(message, _)| self.contexts.get(message).cloned().unwrap_or_default())
            .collect();
        let is_entry = received.is_some();
        let Some(open) = self.open.get_mut(&key) else { return };
        let Some(process) = self.processes.get_mut(open.planned.instance) else { return };
        let observed = of_links.iter().chain(is_entry.then_some(&trace_state));
        for carried in observed.filter_map(|context| tracestate::carried(context)) {
            if process.level < Level::Propagates {
                break;
            }
            let refused = process.receive(carried, now_ns).filter(|(_, refused)| *refused);
            open.rejected = refused.map(|(stamp, _)| stamp);
        }
        if process.level >= Level::Tags {
            open.start = Some(process.tick(now_ns));
        }
        let span = &mut open.planned.span;
        span.start_time_unix_nano = process.wall.shows_ns(now_ns).unsigned_abs();
        span.trace_state = trace_state;
        for ((_, link), context) in open.planned.links.iter_mut().zip(of_links) {
            link.trace_state = context;
        }
    }

    fn send(&mut self, now_ns: i64, key: SpanKey, message: Option<MessageKey>, stripped: bool) {
        let Some(open) = self.open.get(&key) else { return };
        let Some(process) = self.processes.get_mut(open.planned.instance) else { return };
        let context = &open.planned.span.trace_state;
        let context = match process.level {
            // Without a propagator of ours the context goes on as it came.
            Level::Stock => context.clone(),
            _ => tracestate::with_stamp(context, process.tick(now_ns)),
        };
        self.put(now_ns, message, if stripped { String::new() } else { context });
    }

    fn respond(
        &mut self,
        now_ns: i64,
        instance: usize,
        message: Option<MessageKey>,
        stripped: bool,
    ) {
        let Some(process) = self.processes.get_mut(instance) else { return };
        if process.level < Level::Responds {
            return;
        }
        let carried = Carried(process.tick(now_ns)).to_string();
        if !stripped {
            self.put(now_ns, message, carried);
        }
    }

    fn receive(&mut self, now_ns: i64, key: SpanKey, message: MessageKey) {
        let Some(carried) = self.contexts.remove(&message) else { return };
        let Some(open) = self.open.get_mut(&key) else { return };
        let Some(process) = self.processes.get_mut(open.planned.instance) else { return };
        if process.level < Level::Responds {
            return;
        }
        let Some((stamp, _)) = process.receive(&carried, now_ns) else { return };
        open.responses.retain(|known| known.node != stamp.node);
        if open.responses.len() >= response::STAMPS_MAX {
            open.responses.remove(0);
        }
        open.responses.push(stamp);
    }

    fn end(&mut self, now_ns: i64, key: SpanKey) -> Option<PlannedSpan> {
        let mut open = self.open.remove(&key)?;
        let process = self.processes.get_mut(open.planned.instance)?;
        let end = (process.level >= Level::Tags).then(|| process.tick(now_ns));
        let shows = |true_ns: i64| process.wall.shows_ns(true_ns).unsigned_abs();
        let span = &mut open.planned.span;
        span.end_time_unix_nano = shows(now_ns);
        span.events = std::mem::take(&mut open.planned.events)
            .into_iter()
            .map(|(at_ns, mut event)| {
                event.time_unix_nano = shows(at_ns);
                event
            })
            .collect();
        span.links =
            std::mem::take(&mut open.planned.links).into_iter().map(|(_, link)| link).collect();
        let one = |key: &str, stamp: Option<Stamp>| stamp.map(|s| text(key, s.to_string()));
        span.attributes.extend(one("hlc.start", open.start));
        span.attributes.extend(one("hlc.end", end));
        span.attributes.extend(one("hlc.reject", open.rejected.filter(|_| end.is_some())));
        span.attributes
            .extend((!open.responses.is_empty()).then(|| stamps("hlc.resp", &open.responses)));
        Some(open.planned)
    }

    fn put(&mut self, now_ns: i64, message: Option<MessageKey>, context: String) {
        let Some(message) = message else { return };
        self.contexts.insert(message, context);
        self.sent.push_back((now_ns, message));
        while let Some((_, old)) =
            self.sent.pop_front_if(|(at_ns, _)| *at_ns < now_ns - UNDER_WAY_NS)
        {
            self.contexts.remove(&old);
        }
    }
}
