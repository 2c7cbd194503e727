//! What one trace does, in true time: spans, and the moments at which processes start, send, receive and end.
//!
//! ```text
//! journey ─► planner: open, send, serve, finish ─► plan: spans and actions ─► shop plays the actions of all plans in order
//! ```
//!
//! No clock is read here. Whatever a span says about time and stamps is filled in when its moments are played.

use super::Faults;
use super::dialect::{Dialect, to_old};
use super::fault::Fault;
use super::queue::Queues;
use super::resource::{Instance, Scope};
use super::sightings::Sightings;
use super::world::World;
use crate::proto::common::v1::KeyValue;
use crate::proto::trace::v1::span::{Event, Link, SpanKind};
use crate::proto::trace::v1::status::StatusCode;
use crate::proto::trace::v1::{Span, Status};
use crate::traffic::attributes::text;
use crate::traffic::random::Random;

/// Sampled; the parent is known to be local, or remote.
const FLAGS_LOCAL: u32 = 0x101;
const FLAGS_REMOTE: u32 = 0x301;

/// Number of a span among all of the shop.
pub(super) type SpanKey = u64;
/// Number of a message or response among all of the shop.
pub(super) type MessageKey = u64;

/// A moment of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Action {
    Start(SpanKey),
    /// A context is injected; without a message nothing of it ever arrives.
    Send {
        span: SpanKey,
        message: Option<MessageKey>,
        stripped: bool,
    },
    /// A response is written by an instance.
    Respond {
        instance: usize,
        message: Option<MessageKey>,
        stripped: bool,
    },
    Receive {
        span: SpanKey,
        message: MessageKey,
    },
    End(SpanKey),
}

/// A span in true time.
#[derive(Debug, Clone)]
pub(super) struct PlannedSpan {
    pub(super) instance: usize,
    pub(super) scope: Scope,
    /// All that does not depend on clocks.
    pub(super) span: Span,
    pub(super) start_ns: i64,
    pub(super) end_ns: i64,
    /// The parent in the same process.
    pub(super) parent: Option<SpanKey>,
    /// The message whose context it was started with.
    pub(super) received: Option<MessageKey>,
    pub(super) events: Vec<(i64, Event)>,
    pub(super) links: Vec<(MessageKey, Link)>,
}

/// What one trace, or a part of one, does.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Key of the first of the spans.
    pub(super) first: SpanKey,
    pub(super) spans: Vec<PlannedSpan>,
    pub(super) actions: Vec<(i64, Action)>,
    pub(super) next_message: MessageKey,
}

/// Where a plan is: the span that runs, and the time.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    pub(super) span: SpanKey,
    pub(super) instance: usize,
    pub(super) now_ns: i64,
}

impl At {
    /// Goes on when the last of several parallel branches has ended.
    pub(super) fn join(&mut self, branches: &[Self]) {
        for branch in branches {
            self.now_ns = self.now_ns.max(branch.now_ns);
        }
    }

    pub(super) fn wait_us(&mut self, us: u64) {
        self.now_ns += us.cast_signed() * 1_000;
    }
}

/// How something went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outcome {
    /// As HTTP says it; 0 if there was no answer.
    pub(super) status: u64,
    /// `error.type` and a message.
    pub(super) error: Option<(&'static str, &'static str)>,
}

impl Outcome {
    pub(super) const OK: Self = Self { status: 200, error: None };

    pub(super) const fn failed(status: u64, kind: &'static str, message: &'static str) -> Self {
        Self { status, error: Some((kind, message)) }
    }

    pub(super) fn is_ok(self) -> bool {
        self.error.is_none()
    }
}

/// Makes the plan of a trace.
#[derive(Debug)]
pub(super) struct Planner<'a> {
    pub(super) world: &'a World,
    pub(super) random: &'a mut Random,
    pub(super) queues: &'a mut Queues,
    pub(super) sightings: &'a mut Sightings,
    pub(super) trace_id: Vec<u8>,
    pub(super) plan: Plan,
}

impl Planner<'_> {
    /// Whether a fault strikes now, by how often it does. If so it is put on record.
    pub(super) fn strikes(&mut self, fault: Fault) -> bool {
        let strikes = self.has(fault) && self.random.chance(fault.line().per_mille);
        if strikes {
            self.sightings.see(fault, &self.trace_id);
        }
        strikes
    }

    pub(super) fn has(&self, fault: Fault) -> bool {
        self.faults().contains(fault)
    }

    fn faults(&self) -> Faults {
        self.world.settings.faults
    }

    pub(super) fn instance(&self, instance: usize) -> &Instance {
        self.world.instance(instance)
    }

    /// A duration around the median, at most half as long again.
    pub(super) fn took_ns(&mut self, median_us: u64) -> i64 {
        let per_mille = self.random.between(700, 1_500);
        (median_us * per_mille + self.random.between(0, 1_000)).cast_signed()
    }

    /// Starts a span: of a process, beneath another span of it, or with what a message brought.
    pub(super) fn open(
        &mut self,
        instance: usize,
        parent: Option<SpanKey>,
        kind: SpanKind,
        scope: Scope,
        start_ns: i64,
    ) -> SpanKey {
        let key = self.plan.first + self.plan.spans.len() as u64;
        let parent_span_id = parent.map(|parent| self.span_id(parent)).unwrap_or_default();
        let span = Span {
            trace_id: self.trace_id.clone(),
            span_id: self.random.span_id(),
            parent_span_id,
            kind: kind.into(),
            flags: FLAGS_LOCAL,
            ..Span::default()
        };
        self.plan.spans.push(PlannedSpan {
            instance,
            scope,
            span,
            start_ns,
            end_ns: start_ns,
            parent,
            received: None,
            events: Vec::new(),
            links: Vec::new(),
        });
        self.plan.actions.push((start_ns, Action::Start(key)));
        key
    }

    /// Says that a span was started with the context of a message.
    pub(super) fn received(&mut self, key: SpanKey, message: MessageKey, parent_id: Vec<u8>) {
        if let Some(planned) = self.planned_mut(key) {
            planned.received = Some(message);
            planned.span.parent_span_id = parent_id;
            planned.span.flags = FLAGS_REMOTE;
        }
    }

    /// Ends a span, and says what it was.
    pub(super) fn finish(
        &mut self,
        key: SpanKey,
        end_ns: i64,
        name: String,
        attributes: Vec<KeyValue>,
        outcome: Outcome,
    ) {
        let kind = self.planned(key).map(|planned| planned.span.kind).unwrap_or_default();
        let is_server = kind == i32::from(SpanKind::Server);
        let is_old = self.dialect_of(key) == Dialect::Old;
        let fails_at = if is_server { 500 } else { 400 };
        let Some(planned) = self.planned_mut(key) else { return };
        planned.end_ns = end_ns;
        planned.span.name = name;
        planned.span.attributes.extend(attributes);
        if let Some((kind, message)) = outcome.error
            && (outcome.status == 0 || outcome.status >= fails_at)
        {
            planned.span.attributes.push(text("error.type", kind));
            let message = message.to_owned();
            planned.span.status = Some(Status { message, code: StatusCode::Error.into() });
        }
        if is_old {
            to_old(&mut planned.span.attributes, is_server);
        }
        self.plan.actions.push((end_ns, Action::End(key)));
    }

    /// Injects the context of a span into a message, which is given its number.
    pub(super) fn send(&mut self, span: SpanKey, at_ns: i64, stripped: bool) -> MessageKey {
        let message = self.message();
        self.plan.actions.push((at_ns, Action::Send { span, message: Some(message), stripped }));
        message
    }

    pub(super) fn message(&mut self) -> MessageKey {
        self.plan.next_message += 1;
        self.plan.next_message
    }

    pub(super) fn event(
        &mut self,
        key: SpanKey,
        at_ns: i64,
        name: &str,
        attributes: Vec<KeyValue>,
    ) {
        let event = Event { name: name.to_owned(), attributes, ..Event::default() };
        if let Some(planned) = self.planned_mut(key) {
            planned.events.push((at_ns, event));
        }
    }

    /// An exception, as instrumentation records it.
    pub(super) fn exception(&mut self, key: SpanKey, at_ns: i64, kind: &str, message: &str) {
        let frame = "shop.internal.Handler.handle(Handler:";
        let line = self.random.between(20, 900);
        let attributes = vec![
            text("exception.type", kind),
            text("exception.message", message),
            text("exception.stacktrace", format!("{kind}: {message}\n\tat {frame}{line})")),
        ];
        self.event(key, at_ns, "exception", attributes);
    }

    pub(super) fn span_id(&self, key: SpanKey) -> Vec<u8> {
        self.planned(key).map(|planned| planned.span.span_id.clone()).unwrap_or_default()
    }

    pub(super) fn planned_mut(&mut self, key: SpanKey) -> Option<&mut PlannedSpan> {
        let place = key.checked_sub(self.plan.first)?;
        self.plan.spans.get_mut(usize::try_from(place).ok()?)
    }

    fn planned(&self, key: SpanKey) -> Option<&PlannedSpan> {
        let place = key.checked_sub(self.plan.first)?;
        self.plan.spans.get(usize::try_from(place).ok()?)
    }

    fn dialect_of(&self, key: SpanKey) -> Dialect {
        self.planned(key).map_or(Dialect::New, |planned| self.instance(planned.instance).dialect)
    }
}
