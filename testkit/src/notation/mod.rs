//! Traces as text: one line a span, so that a test shows the trace it is about.
//!
//! ```text
//! # A page that asks for each user alone.
//! web "GET /page" server 0..120
//!   web "GET /users/{id}" client 5..15 x10/11 url.full="http://users/users/%i"
//!     users "GET /users/{id}" server 6..14
//!       users SELECT client 7..9 db.query.text="SELECT * FROM users WHERE id = %i"
//!   web render internal 116..119
//!   web "POST /mail" client 119..120 error http.response.status_code=503 !exception@119.5
//! ```
//!
//! A line is `service name kind start..end`, then in any order:
//!
//! | token | means |
//! |---|---|
//! | indentation | child of the nearest line above that is indented less |
//! | `service`, `service/2` | the service, and the instance that runs it; spans of one instance share a resource and a clock |
//! | `server`, `client`, `internal`, `producer`, `consumer`, `-` | the kind; `-` is unspecified |
//! | `0..120`, `1.5ms..2s`, `10us..12us`, `?..?` | start and end after the trace's start, milliseconds unless a unit is given; `?` is a time that was not set |
//! | `ok`, `error` | the status; unset without |
//! | `key=value` | an attribute: integer, `true`, `false`, double (with a point), or text, quoted where it has spaces; text that would read otherwise is quoted |
//! | `x10/11` | this span with all below it ten times, each 11 ms after the one before; `%i` in names and values is the number, from 0 |
//! | `#7`, `^7` | its id and its parent's id instead of those that follow from the lines; `^0` is no parent |
//! | `->7` | a link to the span with id 7 of this trace |
//! | `!name@12` | an event at a time |
//!
//! A line `%clock service/1 +10s` says that the clock of an instance is ahead. Empty lines and lines that begin with `#`
//! say nothing. Ids are given in order from [`FIRST_ID`] on; the trace's id is [`TRACE_ID`] and it starts at
//! [`EPOCH_NS`].

mod parse;
mod request;

pub use parse::{NotationError, parse};
pub use request::request;

use crate::proto::trace::v1::span::SpanKind;

/// Id of the first span that names none.
pub const FIRST_ID: u64 = 0x1000;
/// Id of all traces in the notation.
pub const TRACE_ID: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
/// When traces in the notation start, nanoseconds since 1970.
pub const EPOCH_NS: i64 = 1_790_000_000_000_000_000;

/// A span of a trace in the notation; what generators of traces make as well.
#[derive(Debug, Clone, PartialEq)]
pub struct NotedSpan {
    /// Its id.
    pub id: u64,
    /// Its parent's id, 0 for none.
    pub parent: u64,
    /// Its service; empty for none.
    pub service: String,
    /// Which instance of the service; empty for the only one.
    pub instance: String,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: SpanKind,
    /// Start, nanoseconds since 1970; 0 for a time that was not set.
    pub start_ns: u64,
    /// End, nanoseconds since 1970.
    pub end_ns: u64,
    /// OTLP status code.
    pub status: i32,
    /// Keys and values.
    pub attributes: Vec<(String, Noted)>,
    /// Names and times of events.
    pub events: Vec<(String, u64)>,
    /// Ids of linked spans.
    pub links: Vec<u64>,
}

impl Default for NotedSpan {
    fn default() -> Self {
        Self {
            id: 0,
            parent: 0,
            service: String::new(),
            instance: String::new(),
            name: String::new(),
            kind: SpanKind::Unspecified,
            start_ns: 0,
            end_ns: 0,
            status: 0,
            attributes: Vec::new(),
            events: Vec::new(),
            links: Vec::new(),
        }
    }
}

/// A value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Noted {
    /// Text.
    Text(String),
    /// Integer.
    Int(i64),
    /// Truth.
    Bool(bool),
    /// Floating point.
    Double(f64),
}

impl From<&str> for Noted {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Noted {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

#[cfg(test)]
mod tests;
