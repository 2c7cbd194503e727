//! The stamps of clocks that came with a span, and what they tell about it.
//!
//! ```text
//! attributes hlc.start, hlc.end, hlc.resp, hlc.reject ─┐
//! member hlc of the span's and its links' tracestates ─┴► StampReader ─► SpanStamps, faults
//! ```
//!
//! Works while a span is decoded; what was sent stays where it is. What is wrong with stamps is
//! told by `causeway-clock`, as far as a span tells it by itself. Stamps that cannot be read are
//! no stamps. Nothing here refuses a span.

use causeway_clock::order::{Fault, Faults, Link, OrderSettings, Span};
use causeway_clock::response::STAMPS_MAX;
use causeway_clock::{Carried, Stamp, tracestate};

use crate::batch::SpanFields;

/// What the keys of attributes with stamps begin with.
const PREFIX: &[u8] = b"hlc.";
const START: &[u8] = b"hlc.start";
const END: &[u8] = b"hlc.end";
const RESPONSES: &[u8] = b"hlc.resp";
const REJECT: &[u8] = b"hlc.reject";

/// Span flags of OTLP: whether the parent's process is known ...
const HAS_IS_REMOTE: u32 = 0x100;
/// ... and is another one.
const IS_REMOTE: u32 = 0x200;
/// OTLP kinds of spans that begin with a message.
const SERVER: i32 = 2;
const CONSUMER: i32 = 5;

/// The stamps of one span.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpanStamps {
    /// Tick at the start.
    pub start: Option<Stamp>,
    /// Tick at the end.
    pub end: Option<Stamp>,
    /// What the message brought that this span, or one above it in the same process, received.
    pub received: Option<Stamp>,
    /// What was received and refused for being too far ahead.
    pub rejected: Option<Stamp>,
    /// What responses brought before the end; at most [`STAMPS_MAX`].
    pub responses: Vec<Stamp>,
}

impl SpanStamps {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The stamp that a tracestate carries, of a span or a link; `None` as well where it cannot be read.
pub fn carried(trace_state: &str) -> Option<Stamp> {
    let Carried(stamp) = tracestate::carried(trace_state)?.parse().ok()?;
    Some(stamp)
}

/// Whether an attribute may hold stamps.
#[inline]
pub(crate) fn is_key(key: &[u8]) -> bool {
    key.starts_with(PREFIX)
}

/// The value of an attribute that may hold stamps.
pub(crate) enum StampText<'a> {
    /// A string.
    One(&'a [u8]),
    /// A list of strings, cut off where it is too long.
    List(Vec<&'a [u8]>),
    /// Anything else.
    Other,
}

/// Gathers the stamps of the span that is being decoded.
#[derive(Debug, Clone, Default)]
pub(crate) struct StampReader {
    stamps: SpanStamps,
    of_links: Vec<Stamp>,
    is_malformed: bool,
    /// Whether a list of responses came.
    has_responses: bool,
    /// Whether there is anything to tell.
    is_touched: bool,
}

impl StampReader {
    /// Reads an attribute. The first one of a key counts, as it does elsewhere; one that comes again
    /// leaves open which is meant, and is malformed.
    pub(crate) fn attribute(&mut self, key: &[u8], value: &StampText<'_>) {
        let slot = match key {
            START => &mut self.stamps.start,
            END => &mut self.stamps.end,
            REJECT => &mut self.stamps.rejected,
            RESPONSES => return self.responses(value),
            _ => return,
        };
        self.is_touched = true;
        let StampText::One(text) = value else {
            self.is_malformed = true;
            return;
        };
        match stamp(text).filter(|_| slot.is_none()) {
            Some(stamp) => *slot = Some(stamp),
            None => self.is_malformed = true,
        }
    }

    fn responses(&mut self, value: &StampText<'_>) {
        self.is_touched = true;
        let StampText::List(texts) = value else {
            self.is_malformed = true;
            return;
        };
        self.is_malformed |= self.has_responses || texts.len() > STAMPS_MAX;
        if self.has_responses {
            return;
        }
        self.has_responses = true;
        for text in texts.iter().take(STAMPS_MAX) {
            match stamp(text) {
                Some(stamp) => self.stamps.responses.push(stamp),
                None => self.is_malformed = true,
            }
        }
    }

    /// Reads the tracestate of the span.
    #[inline]
    pub(crate) fn trace_state(&mut self, trace_state: &[u8]) {
        if may_carry(trace_state) {
            self.stamps.received = self.carried(trace_state);
        }
    }

    /// Reads the tracestate of a link.
    #[inline]
    pub(crate) fn link(&mut self, trace_state: &[u8]) {
        if may_carry(trace_state)
            && let Some(stamp) = self.carried(trace_state)
        {
            self.of_links.push(stamp);
        }
    }

    fn carried(&mut self, trace_state: &[u8]) -> Option<Stamp> {
        let text = str::from_utf8(trace_state).ok().and_then(tracestate::carried)?;
        self.is_touched = true;
        let stamp = text.parse().map(|Carried(stamp)| stamp).ok();
        self.is_malformed |= stamp.is_none();
        stamp
    }

    /// Ends the span: its stamps and what is wrong with it, if any stamp was tried at all.
    #[inline]
    pub(crate) fn finish(
        &mut self,
        span: &SpanFields<'_>,
        received_at_unix_nano: i64,
    ) -> Option<(SpanStamps, Faults)> {
        if !self.is_touched {
            return None;
        }
        Some(std::mem::take(self).judged(span, received_at_unix_nano))
    }

    #[cold]
    fn judged(self, fields: &SpanFields<'_>, received_at: i64) -> (SpanStamps, Faults) {
        let SpanStamps { start, end, received, rejected, responses } = self.stamps;
        let links = self.of_links.into_iter();
        let span = Span {
            start_ns: fields.start_time_unix_nano.cast_signed(),
            end_ns: fields.end_time_unix_nano.cast_signed(),
            start,
            end,
            received,
            rejected,
            responses,
            links: links.map(|stamp| Link { span: None, stamp: Some(stamp) }).collect(),
            received_at_ns: Some(received_at),
            ..Span::default()
        };
        let mut faults = span.faults_alone(&OrderSettings::default());
        if is_receiver(fields) && span.starts_before_received() {
            faults.insert(Fault::Order);
        }
        if self.is_malformed {
            faults.insert(Fault::Malformed);
        }
        (SpanStamps { start, end, received, rejected, responses: span.responses }, faults)
    }
}

/// Whether the span itself got the message whose stamp it shows. Spans below it in the same process
/// show the same stamp, but only it says that the stamp was refused.
fn is_receiver(span: &SpanFields<'_>) -> bool {
    match span.flags & HAS_IS_REMOTE {
        0 => matches!(span.kind, SERVER | CONSUMER),
        _ => span.flags & IS_REMOTE != 0,
    }
}

fn stamp(text: &[u8]) -> Option<Stamp> {
    str::from_utf8(text).ok()?.parse().ok()
}

/// Whether it is worth looking for our member: most tracestates are empty, and few others have it.
#[inline]
fn may_carry(trace_state: &[u8]) -> bool {
    !trace_state.is_empty() && trace_state.windows(4).any(|text| text == b"hlc=")
}
