//! Spans read from another format, written as OTLP requests: grouped by resource and scope.

use std::collections::BTreeMap;

use crate::encode::Message;

/// A request is closed at this size, so that a trace of any size passes `request_bytes_max`.
const REQUEST_BYTES: usize = 16 << 20;

/// An attribute value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Bool(bool),
    Int(i64),
    Double(f64),
    Bytes(Vec<u8>),
    Texts(Vec<String>),
}

impl Value {
    /// The text, when it is one.
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    fn message(&self) -> Message {
        let mut any = Message::default();
        match self {
            Self::Text(text) => any.bytes_always(1, text.as_bytes()),
            Self::Bool(value) => any.varint_always(2, u64::from(*value)),
            Self::Int(value) => any.varint_always(3, value.cast_unsigned()),
            Self::Double(value) => any.fixed64_always(4, value.to_bits()),
            Self::Bytes(value) => any.bytes_always(7, value),
            Self::Texts(texts) => {
                let mut list = Message::default();
                for text in texts {
                    let mut item = Message::default();
                    item.bytes_always(1, text.as_bytes());
                    list.message(1, &item);
                }
                any.message(5, &list)
            }
        };
        any
    }
}

/// Attributes in the order they were sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Attributes {
    entries: Vec<(String, Value)>,
}

impl Attributes {
    pub(super) fn push(&mut self, key: impl Into<String>, value: Value) {
        self.entries.push((key.into(), value));
    }

    /// Adds what is known from elsewhere, unless the sender said it already.
    pub(super) fn push_new(&mut self, key: &str, value: Value) {
        if self.get(key).is_none() {
            self.push(key, value);
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.entries.iter().find(|(candidate, _)| candidate == key).map(|(_, value)| value)
    }

    /// Takes the first entry of that key out.
    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        let position = self.entries.iter().position(|(candidate, _)| candidate == key)?;
        Some(self.entries.remove(position).1)
    }

    /// Takes a text out; a value of another type stays.
    pub(super) fn take_text(&mut self, key: &str) -> Option<String> {
        self.get(key)?.as_text()?;
        match self.take(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) {
        if self.get(to).is_none()
            && let Some((key, _)) = self.entries.iter_mut().find(|(key, _)| key == from)
        {
            to.clone_into(key);
        }
    }

    fn write(&self, field: u32, out: &mut Message) {
        for (key, value) in &self.entries {
            let mut entry = Message::default();
            entry.text(1, key).message(2, &value.message());
            out.message(field, &entry);
        }
    }
}

/// One span of the other format.
#[derive(Debug, Default)]
pub(super) struct Span {
    pub(super) trace_id: Vec<u8>,
    pub(super) span_id: Vec<u8>,
    pub(super) parent_span_id: Vec<u8>,
    pub(super) trace_state: String,
    pub(super) name: String,
    pub(super) kind: u64,
    pub(super) flags: u32,
    pub(super) start_time_unix_nano: u64,
    pub(super) end_time_unix_nano: u64,
    pub(super) attributes: Attributes,
    pub(super) events: Vec<Event>,
    pub(super) links: Vec<Link>,
    pub(super) status: Option<Status>,
}

/// Something that happened during a span.
#[derive(Debug, Default)]
pub(super) struct Event {
    pub(super) time_unix_nano: u64,
    pub(super) name: String,
    pub(super) attributes: Attributes,
}

/// Another span this one refers to.
#[derive(Debug, Default)]
pub(super) struct Link {
    pub(super) trace_id: Vec<u8>,
    pub(super) span_id: Vec<u8>,
    pub(super) attributes: Attributes,
}

/// How a span ended.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) code: u64,
    pub(super) message: String,
}

impl Status {
    pub(super) const OK: u64 = 1;
    pub(super) const ERROR: u64 = 2;
}

impl Span {
    fn message(&self) -> Message {
        let mut span = Message::default();
        span.bytes(1, &self.trace_id)
            .bytes(2, &self.span_id)
            .text(3, &self.trace_state)
            .bytes(4, &self.parent_span_id)
            .text(5, &self.name)
            .varint(6, self.kind)
            .fixed64(7, self.start_time_unix_nano)
            .fixed64(8, self.end_time_unix_nano);
        self.attributes.write(9, &mut span);
        for event in &self.events {
            let mut message = Message::default();
            message.fixed64(1, event.time_unix_nano).text(2, &event.name);
            event.attributes.write(3, &mut message);
            span.message(11, &message);
        }
        for link in &self.links {
            let mut message = Message::default();
            message.bytes(1, &link.trace_id).bytes(2, &link.span_id);
            link.attributes.write(4, &mut message);
            span.message(13, &message);
        }
        if let Some(status) = &self.status {
            let mut message = Message::default();
            message.text(2, &status.message).varint(3, status.code);
            span.message(15, &message);
        }
        span.fixed32(16, self.flags);
        span
    }

    /// The kind by its name in any case; 0 for none that OTLP knows.
    pub(super) fn kind_of(name: &str) -> u64 {
        let kinds = ["internal", "server", "client", "producer", "consumer"];
        let position = kinds.iter().position(|kind| name.eq_ignore_ascii_case(kind));
        position.map_or(0, |position| position as u64 + 1)
    }
}

/// The requests of one trace, growing.
#[derive(Debug, Default)]
pub(super) struct Requests {
    closed: Vec<Vec<u8>>,
    /// `ResourceSpans` by resource, each a list of `ScopeSpans` by scope; both in wire form.
    groups: BTreeMap<Vec<u8>, BTreeMap<Vec<u8>, Message>>,
    bytes: usize,
}

impl Requests {
    /// Adds a span, taking its scope out of its attributes.
    pub(super) fn push(&mut self, resource: &Attributes, mut span: Span) {
        let mut scope = Message::default();
        for (field, keys) in [
            (1, ["otel.scope.name", "otel.library.name"]),
            (2, ["otel.scope.version", "otel.library.version"]),
        ] {
            // Exporters write both the current and the former name of the key.
            let [current, former] = keys.map(|key| span.attributes.take_text(key));
            scope.text(field, &current.or(former).unwrap_or_default());
        }
        let mut resource_message = Message::default();
        resource.write(1, &mut resource_message);

        let span = span.message();
        self.bytes += span.as_bytes().len();
        self.groups
            .entry(resource_message.into_bytes())
            .or_default()
            .entry(scope.into_bytes())
            .or_default()
            .message(2, &span);
        if self.bytes >= REQUEST_BYTES {
            self.close();
        }
    }

    /// The finished requests.
    pub(super) fn finish(mut self) -> Vec<Vec<u8>> {
        self.close();
        self.closed
    }

    fn close(&mut self) {
        self.bytes = 0;
        let mut request = Message::default();
        for (resource, scopes) in std::mem::take(&mut self.groups) {
            let mut resource_spans = Message::default();
            resource_spans.bytes_always(1, &resource);
            for (scope, spans) in scopes {
                let mut scope_spans = Message::default();
                scope_spans.bytes(1, &scope).append(spans);
                resource_spans.message(2, &scope_spans);
            }
            request.message(1, &resource_spans);
        }
        let request = request.into_bytes();
        if !request.is_empty() {
            self.closed.push(request);
        }
    }
}

/// Microseconds as nanoseconds; what no 64-bit time can hold becomes the latest time.
pub(super) fn nanos(micros: Option<&serde_json::Number>) -> u64 {
    let Some(micros) = micros else { return 0 };
    match micros.as_u64() {
        Some(micros) => micros.saturating_mul(1_000),
        // Negative times do not exist; fractions of microseconds do.
        None => (micros.as_f64().unwrap_or(0.0) * 1_000.0) as u64,
    }
}

/// Hexadecimal text as an id of `bytes` bytes, filled up with zeros on the left. What is no such
/// id comes back empty, which OTLP refuses.
pub(super) fn id(hex: &str, bytes: usize) -> Vec<u8> {
    let mut id = vec![0; bytes];
    let mut digits = hex.bytes().rev();
    for byte in id.iter_mut().rev() {
        for shift in [0, 4] {
            match digits.next().map(|digit| char::from(digit).to_digit(16)) {
                Some(Some(digit)) => *byte |= (digit as u8) << shift,
                Some(None) => return Vec::new(),
                None => {}
            }
        }
    }
    // Longer ids exist only with zeros in front.
    if digits.all(|digit| digit == b'0') { id } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_filled_up_and_checked() {
        assert_eq!(id("1F", 2), [0, 0x1f]);
        assert_eq!(id("00abcd", 2), [0xab, 0xcd]);
        for bad in ["1abcd", "xy", "ü"] {
            assert_eq!(id(bad, 2), Vec::<u8>::new(), "{bad}");
        }
    }

    #[test]
    fn times_saturate() {
        let number = |text: &str| serde_json::from_str::<serde_json::Number>(text).ok();
        assert_eq!(nanos(number("1760049722779884").as_ref()), 1_760_049_722_779_884_000);
        assert_eq!(nanos(number("1.5").as_ref()), 1_500);
        assert_eq!(nanos(number("-3").as_ref()), 0);
        assert_eq!(nanos(number("18446744073709551615").as_ref()), u64::MAX);
    }

    #[test]
    fn large_traces_are_divided() {
        let mut requests = Requests::default();
        for _ in 0..3 {
            let name = "x".repeat(REQUEST_BYTES / 2);
            requests.push(&Attributes::default(), Span { name, ..Span::default() });
        }
        assert_eq!(requests.finish().len(), 2);
    }
}
