//! Changes as people ask for them: by span ids, as JSON, and checked before anything is replayed.
//!
//! ```text
//! {"change":"batch","spans":["00f067aa0ba902b7", ...],"per_item_ns":20000} ─ Ask ─ change ─► Change, or what is wrong with it
//! ```
//!
//! A [`Change`] leaves alone what it does not fit; a person who asks wants to know instead.

use std::fmt;
use std::str::FromStr;

use causeway_model::trace::{Flags, Kind, MergedTrace, Row};
use hashbrown::HashSet;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use super::Change;
use super::plan::is_plain_call;
use crate::waiting::is_awaited;

/// Changes of one question.
pub const ASKS_MAX: usize = 16;
/// Spans that one change names.
pub const ASKED_SPANS_MAX: usize = 10_000;

/// Id of a span: sixteen hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AskedSpan(pub u64);

impl fmt::Display for AskedSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for AskedSpan {
    type Err = AskError;

    fn from_str(text: &str) -> Result<Self, AskError> {
        let is_hex = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let id = is_hex.then(|| u64::from_str_radix(text, 16).ok()).flatten();
        id.map(Self).ok_or_else(|| AskError::NoId { text: text.chars().take(40).collect() })
    }
}

impl Serialize for AskedSpan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AskedSpan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A change as it is asked for; each kind is the [`Change`] of its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case", deny_unknown_fields)]
pub enum Ask {
    /// One call instead of several of one caller.
    Batch {
        /// The calls, two at least.
        spans: Vec<AskedSpan>,
        /// Time that each item beyond the first adds, 20 us.
        #[serde(default = "per_item_ns")]
        per_item_ns: i64,
    },
    /// Calls of one caller side by side.
    Parallel {
        /// The calls, two at least.
        spans: Vec<AskedSpan>,
        /// Calls at a time, 10.
        #[serde(default = "limit")]
        limit: usize,
    },
    /// Calls that are not made.
    Remove {
        /// The calls.
        spans: Vec<AskedSpan>,
    },
    /// Spans that take less time.
    Faster {
        /// The spans.
        spans: Vec<AskedSpan>,
        /// How much of their time they lose, 1 to 100.
        percent: u8,
    },
    /// Calls whose way there and back takes another time.
    RoundTrip {
        /// The client spans.
        spans: Vec<AskedSpan>,
        /// Time there and back.
        round_trip_ns: i64,
    },
}

fn per_item_ns() -> i64 {
    20_000
}

fn limit() -> usize {
    10
}

/// Why a change cannot be replayed on a trace.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AskError {
    /// A text is no id.
    #[error("{text:?} is no span id of sixteen hex digits")]
    NoId {
        /// The beginning of the text.
        text: String,
    },
    /// A question without a change, or with too many.
    #[error("{count} changes; one to {ASKS_MAX} can be asked for at a time")]
    ChangeCount {
        /// How many there are.
        count: usize,
    },
    /// A change that names too few spans, or too many.
    #[error("the change names {count} spans; it needs {min} to {ASKED_SPANS_MAX}")]
    SpanCount {
        /// How many it names.
        count: usize,
        /// How many it needs.
        min: usize,
    },
    /// The trace has no such span.
    #[error("the trace has no span {span}")]
    NoSpan {
        /// Its id.
        span: AskedSpan,
    },
    /// A span has an id that others have as well.
    #[error("the trace has several spans {span}")]
    SeveralSpans {
        /// Their id.
        span: AskedSpan,
    },
    /// A span is named twice.
    #[error("span {span} is named twice")]
    NamedTwice {
        /// Its id.
        span: AskedSpan,
    },
    /// A call has another caller than the first one.
    #[error(
        "span {span} has another parent than {first}; only calls of one caller can change together"
    )]
    OtherCaller {
        /// Its id.
        span: AskedSpan,
        /// The first call.
        first: AskedSpan,
    },
    /// Nobody waits for a call.
    #[error("the caller does not wait for span {span}, so it runs beside the others already")]
    NotAwaited {
        /// Its id.
        span: AskedSpan,
    },
    /// What of a call is network is not known.
    #[error(
        "span {span} has not just one server span below it, so what of it is network is not known"
    )]
    NoRoundTrip {
        /// Its id.
        span: AskedSpan,
    },
    /// A number makes no sense.
    #[error("{name} is {value}; it must be {expected}")]
    Number {
        /// Its name.
        name: &'static str,
        /// Its value.
        value: i64,
        /// What it may be.
        expected: &'static str,
    },
}

/// The changes of a question, for [`replay`](super::replay).
///
/// # Errors
/// One of them does not fit the trace, or there are too many.
pub fn changes(trace: &MergedTrace<'_>, asked: &[Ask]) -> Result<Vec<Change>, AskError> {
    if asked.is_empty() || asked.len() > ASKS_MAX {
        return Err(AskError::ChangeCount { count: asked.len() });
    }
    asked.iter().map(|ask| ask.change(trace)).collect()
}

impl Ask {
    /// The change of a trace.
    ///
    /// # Errors
    /// It does not fit the trace.
    pub fn change(&self, trace: &MergedTrace<'_>) -> Result<Change, AskError> {
        Ok(match self {
            Self::Batch { spans, per_item_ns } => {
                number("per_item_ns", *per_item_ns, *per_item_ns >= 0, "0 or more")?;
                let calls = siblings(trace, spans)?;
                Change::Batch { calls, per_item_ns: *per_item_ns }
            }
            Self::Parallel { spans, limit } => {
                let shown = i64::try_from(*limit).unwrap_or(i64::MAX);
                number("limit", shown, *limit > 0, "1 or more")?;
                let calls = siblings(trace, spans)?;
                each(
                    spans,
                    &calls,
                    |row| is_awaited(trace, row),
                    |span| AskError::NotAwaited { span },
                )?;
                Change::Parallel { calls, limit: *limit }
            }
            Self::Remove { spans } => Change::Remove { calls: rows(trace, spans, 1)? },
            Self::Faster { spans, percent } => {
                let is_share = (1..=100).contains(percent);
                number("percent", i64::from(*percent), is_share, "1 to 100")?;
                Change::Faster { spans: rows(trace, spans, 1)?, percent: *percent }
            }
            Self::RoundTrip { spans, round_trip_ns } => {
                number("round_trip_ns", *round_trip_ns, *round_trip_ns >= 0, "0 or more")?;
                let calls = rows(trace, spans, 1)?;
                each(
                    spans,
                    &calls,
                    |row| is_plain_call(trace, row),
                    |span| AskError::NoRoundTrip { span },
                )?;
                Change::RoundTrip { calls, round_trip_ns: *round_trip_ns }
            }
        })
    }
}

fn number(
    name: &'static str,
    value: i64,
    is_fit: bool,
    expected: &'static str,
) -> Result<(), AskError> {
    if is_fit { Ok(()) } else { Err(AskError::Number { name, value, expected }) }
}

/// Checks each span, and tells the first that does not fit.
fn each(
    spans: &[AskedSpan],
    rows: &[Row],
    is_fit: impl Fn(Row) -> bool,
    error: impl Fn(AskedSpan) -> AskError,
) -> Result<(), AskError> {
    let wrong = spans.iter().zip(rows).find(|(_, row)| !is_fit(**row));
    wrong.map_or(Ok(()), |(span, _)| Err(error(*span)))
}

/// The rows of spans, in their order.
fn rows(trace: &MergedTrace<'_>, spans: &[AskedSpan], min: usize) -> Result<Vec<Row>, AskError> {
    if spans.len() < min || spans.len() > ASKED_SPANS_MAX {
        return Err(AskError::SpanCount { count: spans.len(), min });
    }
    let mut named = HashSet::new();
    let row = |span: &AskedSpan| {
        if !named.insert(*span) {
            return Err(AskError::NamedTwice { span: *span });
        }
        // Nothing is known of what a placeholder stands for. Of halves that share an id the calling one is meant.
        let is_meant = |row: &Row| {
            let is_called = matches!(trace.kind(*row), Kind::Server | Kind::Consumer);
            let flags = trace.flags(*row);
            !flags.contains(Flags::PLACEHOLDER) && !(flags.contains(Flags::SHARED_ID) && is_called)
        };
        let mut found = trace.find(span.0).filter(is_meant);
        let row = found.next().ok_or(AskError::NoSpan { span: *span })?;
        if found.next().is_some() {
            return Err(AskError::SeveralSpans { span: *span });
        }
        Ok(row)
    };
    spans.iter().map(row).collect()
}

/// The rows of calls of one caller.
fn siblings(trace: &MergedTrace<'_>, spans: &[AskedSpan]) -> Result<Vec<Row>, AskError> {
    let calls = rows(trace, spans, 2)?;
    let (Some(first), Some(row)) = (spans.first().copied(), calls.first()) else {
        return Err(AskError::SpanCount { count: 0, min: 2 });
    };
    let caller = trace.parent(*row);
    let is_sibling = |row: Row| caller.is_some() && trace.parent(row) == caller;
    each(spans, &calls, is_sibling, |span| AskError::OtherCaller { span, first })?;
    Ok(calls)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{MS, with};
    use crate::what_if::replay;

    const PAGE: &str = "web page server 0..100 #1
        web a client 10..40 #2
         users serve server 20..30 #3
        web b client 40..70 #4
        web send producer 70..71 #5
         mail take consumer 75..200 #6
        web c client 71..90 #7
         web own internal 72..80 #8";

    fn asked(json: &str) -> Result<Change, String> {
        let ask: Ask = serde_json::from_str(json).map_err(|error| error.to_string())?;
        with(PAGE, |trace| ask.change(trace)).map_err(|error| error.to_string())
    }

    fn spans(ids: &[u64]) -> String {
        let ids: Vec<_> = ids.iter().map(|id| format!("\"{id:016x}\"")).collect();
        format!("\"spans\":[{}]", ids.join(","))
    }

    fn refused(kind: &str, ids: &[u64], rest: &str) -> String {
        let json = format!("{{\"change\":\"{kind}\",{}{rest}}}", spans(ids));
        asked(&json).expect_err(&json)
    }

    #[test]
    fn what_is_asked_for_is_replayed() {
        let json = format!("[{{\"change\":\"parallel\",{}}}]", spans(&[2, 4]));
        let ask: Vec<Ask> = serde_json::from_str(&json).expect("JSON");
        with(PAGE, |trace| {
            let changes = changes(trace, &ask).expect("siblings");
            assert_eq!(replay(trace, &changes).saving_ns(), 30 * MS);
        });
        let again = serde_json::to_string(&ask).expect("JSON");
        assert_eq!(serde_json::from_str::<Vec<Ask>>(&again).expect("JSON"), ask);
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let other = "span 0000000000000003 has another parent than 0000000000000002; only calls of one caller can change together";
        assert_eq!(refused("batch", &[2, 3], ""), other);
        assert!(refused("parallel", &[2, 6], "").contains("another parent"));
        assert!(refused("parallel", &[2], "").contains("it needs 2 to"));
        assert!(refused("remove", &[], "").contains("names 0 spans"));
        assert_eq!(refused("remove", &[99], ""), "the trace has no span 0000000000000063");
        assert!(refused("remove", &[2, 2], "").contains("named twice"));
        assert_eq!(refused("faster", &[2], ",\"percent\":0"), "percent is 0; it must be 1 to 100");
        assert!(refused("faster", &[2], "").contains("percent"));
        assert!(
            refused("round_trip", &[7], ",\"round_trip_ns\":0").contains("not just one server")
        );
        assert!(refused("round_trip", &[2], ",\"round_trip_ns\":-1").contains("must be 0 or more"));
        assert!(refused("parallel", &[2, 4], ",\"limit\":0").contains("limit is 0"));
        assert!(refused("remove", &[2], ",\"limit\":1").contains("limit"));
        assert!(
            asked("{\"change\":\"remove\",\"spans\":[\"xyz\"]}")
                .is_err_and(|e| e.contains("no span id"))
        );
        assert_eq!(
            with(PAGE, |trace| changes(trace, &[])),
            Err(AskError::ChangeCount { count: 0 })
        );
    }

    #[test]
    fn ids_of_several_spans_mean_none_of_them() {
        let ask = Ask::Remove { spans: vec![AskedSpan(2)] };
        let text = "a x - 0..9 #1\n a y - 1..2 #2\n a z - 3..4 #2";
        assert_eq!(
            with(text, |trace| ask.change(trace)),
            Err(AskError::SeveralSpans { span: AskedSpan(2) })
        );
        // The placeholder of a parent that was never received is no span.
        let orphan = "a x - 0..9 #1 ^2";
        assert_eq!(
            with(orphan, |trace| ask.change(trace)),
            Err(AskError::NoSpan { span: AskedSpan(2) })
        );
    }
}
