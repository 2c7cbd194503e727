//! Where in an encoded request stand ids, times and random text of its spans.
//!
//! A small reader of the protobuf wire format for requests that we encoded ourselves; anything it
//! does not understand is left as it is.

/// Something that differs between two otherwise equal spans, by its position in the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    /// 16 bytes.
    TraceId(usize),
    /// 8 bytes.
    SpanId(usize),
    /// 8 bytes, little-endian.
    Time(usize),
    /// Text that ends in many hexadecimal digits, and its length.
    HexDigits(usize, usize),
}

/// Random text has at least so many digits: that of a 64-bit number, or a UUID's with dashes.
const HEX_DIGITS: usize = 16;
const UUID_LENGTH: usize = 36;

/// What a message is, and so what its fields mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Request,
    ResourceSpans,
    ScopeSpans,
    Span,
    Event,
    Link,
    KeyValue,
    AnyValue,
}

/// All such fields, each with the position of the trace id of its span.
pub(crate) fn varying_fields(request: &[u8]) -> Vec<(Field, usize)> {
    let mut walk = Walk { request, trace_id: 0, found: Vec::new() };
    walk.message(Kind::Request, 0, request.len());
    walk.found
}

struct Walk<'a> {
    request: &'a [u8],
    trace_id: usize,
    found: Vec<(Field, usize)>,
}

impl Walk<'_> {
    fn message(&mut self, kind: Kind, mut at: usize, end: usize) {
        while at < end {
            let Some(tag) = self.varint(&mut at) else { return };
            let (number, wire_type) = (tag >> 3, tag & 7);
            let length = match wire_type {
                0 => {
                    if self.varint(&mut at).is_none() {
                        return;
                    }
                    0
                }
                1 => 8,
                5 => 4,
                _ => match self.varint(&mut at) {
                    Some(length) => length,
                    None => return,
                },
            };
            self.field(kind, number, at, length);
            at += length;
        }
    }

    fn field(&mut self, kind: Kind, number: usize, at: usize, length: usize) {
        let within = match (kind, number) {
            (Kind::Request, 1) => Some(Kind::ResourceSpans),
            (Kind::ResourceSpans, 2) => Some(Kind::ScopeSpans),
            (Kind::ScopeSpans, 2) => Some(Kind::Span),
            (Kind::Span, 9) | (Kind::Event, 3) | (Kind::Link, 4) => Some(Kind::KeyValue),
            (Kind::Span, 11) => Some(Kind::Event),
            (Kind::Span, 13) => Some(Kind::Link),
            (Kind::KeyValue, 2) => Some(Kind::AnyValue),
            _ => None,
        };
        if let Some(within) = within {
            return self.message(within, at, at + length);
        }
        let field = match (kind, number, length) {
            (Kind::Span, 1, 16) => {
                self.trace_id = at;
                Field::TraceId(at)
            }
            (Kind::Link, 1, 16) => Field::TraceId(at),
            (Kind::Span, 2 | 4, 8) | (Kind::Link, 2, 8) => Field::SpanId(at),
            (Kind::Span, 7 | 8, 8) | (Kind::Event, 1, 8) => Field::Time(at),
            (Kind::Span | Kind::Link, 3, _) | (Kind::AnyValue, 1, _) => {
                match self.hex_digits(at, length) {
                    Some(field) => field,
                    None => return,
                }
            }
            _ => return,
        };
        self.found.push((field, self.trace_id));
    }

    fn hex_digits(&self, at: usize, length: usize) -> Option<Field> {
        let text = self.request.get(at..at + length)?;
        let is_hex = |digits: &[u8]| digits.iter().all(u8::is_ascii_hexdigit);
        let is_uuid = length == UUID_LENGTH
            && text.iter().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => *byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            });
        if is_uuid {
            return Some(Field::HexDigits(at, length));
        }
        let digits = text.last_chunk::<HEX_DIGITS>()?;
        is_hex(digits).then_some(Field::HexDigits(at + length - HEX_DIGITS, HEX_DIGITS))
    }

    fn varint(&self, at: &mut usize) -> Option<usize> {
        let mut value = 0;
        for shift in (0..63).step_by(7) {
            let byte = *self.request.get(*at)?;
            *at += 1;
            value |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        // Ten bytes: a negative number. Its value is not needed.
        *at += 1;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use causeway_testkit::proto::collector::trace::v1::ExportTraceServiceRequest;
    use causeway_testkit::proto::trace::v1::{ResourceSpans, ScopeSpans, Span, span::Link};
    use prost::Message;

    use super::*;

    #[test]
    fn fields_stand_where_they_are_said_to() {
        let span = Span {
            trace_id: vec![1; 16],
            span_id: vec![2; 8],
            trace_state: "a=0123456789abcdef".to_owned(),
            kind: -1,
            start_time_unix_nano: 7,
            end_time_unix_nano: 8,
            links: vec![Link { trace_id: vec![3; 16], span_id: vec![4; 8], ..Link::default() }],
            ..Span::default()
        };
        let scope_spans = vec![ScopeSpans { spans: vec![span], ..ScopeSpans::default() }];
        let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
        let bytes = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        let found: Vec<String> = varying_fields(&bytes)
            .into_iter()
            .map(|(field, trace_id)| {
                assert_eq!(bytes[trace_id], 1);
                match field {
                    Field::TraceId(at) => format!("trace {}", bytes[at]),
                    Field::SpanId(at) => format!("span {}", bytes[at]),
                    Field::Time(at) => format!("time {}", bytes[at]),
                    Field::HexDigits(at, length) => {
                        String::from_utf8_lossy(&bytes[at..at + length]).into_owned()
                    }
                }
            })
            .collect();
        let expected =
            ["trace 1", "span 2", "0123456789abcdef", "time 7", "time 8", "trace 3", "span 4"];
        assert_eq!(found, expected);
    }
}
