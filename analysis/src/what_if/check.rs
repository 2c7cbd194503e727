//! Whether a change fits a trace, for those who ask for one.
//!
//! A replay leaves alone what a change does not fit; a person who asked wants to know instead. Detectors make changes
//! that fit, and do not ask.

use causeway_model::trace::{Flags, MergedTrace, Row};
use hashbrown::HashSet;
use thiserror::Error;

use super::Change;
use super::plan::is_plain_call;
use crate::waiting::is_awaited;

/// Why a change does not fit a trace. Spans are named by their ids.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChangeError {
    /// Too few spans are named.
    #[error("the change names {count} spans; it needs {min} at least")]
    TooFew {
        /// How many are named.
        count: usize,
        /// How many it needs.
        min: usize,
    },
    /// A span was not received, or the row is of another trace.
    #[error("span {span_id:016x} was not received, so nothing is known of it")]
    Unknown {
        /// Its id; 0 for a row of another trace.
        span_id: u64,
    },
    /// A span is named twice.
    #[error("span {span_id:016x} is named twice")]
    NamedTwice {
        /// Its id.
        span_id: u64,
    },
    /// A call has another caller than the first one.
    #[error(
        "span {span_id:016x} has another parent than span {first:016x}; only calls of one caller change together"
    )]
    OtherCaller {
        /// Its id.
        span_id: u64,
        /// The first call.
        first: u64,
    },
    /// The caller does not wait for a call.
    #[error(
        "the caller does not wait for span {span_id:016x}, so it runs beside the others already"
    )]
    NotAwaited {
        /// Its id.
        span_id: u64,
    },
    /// What of a call is network is not known.
    #[error(
        "span {span_id:016x} has not just one server span below it, so what of it is network is not known"
    )]
    NoRoundTrip {
        /// Its id.
        span_id: u64,
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

impl Change {
    /// Whether the change fits the trace.
    ///
    /// # Errors
    /// It does not: spans are missing, not of one caller or not waited for, or a number makes no sense.
    pub fn check(&self, trace: &MergedTrace<'_>) -> Result<(), ChangeError> {
        match self {
            Self::Batch { calls, per_item_ns } => {
                number("per_item_ns", *per_item_ns, *per_item_ns >= 0, "0 or more")?;
                check_siblings(trace, calls)
            }
            Self::Parallel { calls, limit } => {
                let shown = i64::try_from(*limit).unwrap_or(i64::MAX);
                number("limit", shown, *limit > 0, "1 or more")?;
                check_siblings(trace, calls)?;
                match calls.iter().find(|row| !is_awaited(trace, **row)) {
                    Some(row) => Err(ChangeError::NotAwaited { span_id: trace.span_id(*row) }),
                    None => Ok(()),
                }
            }
            Self::Remove { calls } => check_spans(trace, calls, 1),
            Self::Faster { spans, percent } => {
                let is_share = (1..=100).contains(percent);
                number("percent", i64::from(*percent), is_share, "1 to 100")?;
                check_spans(trace, spans, 1)
            }
            Self::RoundTrip { calls, round_trip_ns } => {
                number("round_trip_ns", *round_trip_ns, *round_trip_ns >= 0, "0 or more")?;
                check_spans(trace, calls, 1)?;
                match calls.iter().find(|row| !is_plain_call(trace, **row)) {
                    Some(row) => Err(ChangeError::NoRoundTrip { span_id: trace.span_id(*row) }),
                    None => Ok(()),
                }
            }
        }
    }
}

fn number(
    name: &'static str,
    value: i64,
    is_fit: bool,
    expected: &'static str,
) -> Result<(), ChangeError> {
    if is_fit { Ok(()) } else { Err(ChangeError::Number { name, value, expected }) }
}

fn check_spans(trace: &MergedTrace<'_>, rows: &[Row], min: usize) -> Result<(), ChangeError> {
    if rows.len() < min {
        return Err(ChangeError::TooFew { count: rows.len(), min });
    }
    let mut named = HashSet::with_capacity(rows.len());
    for row in rows {
        let span_id = trace.span_id(*row);
        if row.idx() >= trace.len() || trace.flags(*row).contains(Flags::PLACEHOLDER) {
            return Err(ChangeError::Unknown { span_id });
        }
        if !named.insert(*row) {
            return Err(ChangeError::NamedTwice { span_id });
        }
    }
    Ok(())
}

/// Calls of one caller, two at least.
fn check_siblings(trace: &MergedTrace<'_>, calls: &[Row]) -> Result<(), ChangeError> {
    check_spans(trace, calls, 2)?;
    let Some(first) = calls.first().copied() else { return Ok(()) };
    let caller = trace.parent(first);
    let is_sibling = |row: &Row| caller.is_some() && trace.parent(*row) == caller;
    match calls.iter().find(|row| !is_sibling(row)) {
        Some(row) => Err(ChangeError::OtherCaller {
            span_id: trace.span_id(*row),
            first: trace.span_id(first),
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::with;

    const PAGE: &str = "web page server 0..100 #1
        web a client 10..40 #2
         users serve server 20..30 #3
        web b client 40..70 #4
        web late internal 90..200 #5
        web c client 71..90 #7
         web own internal 72..80 #8
        web orphan client 1..2 #9 ^77";

    /// Checks a change of spans by their ids.
    fn checked(ids: &[u64], change: impl FnOnce(Vec<Row>) -> Change) -> Result<(), String> {
        with(PAGE, |trace| {
            let rows = ids.iter().map(|id| trace.find(*id).next().unwrap_or(Row(u32::MAX)));
            change(rows.collect()).check(trace).map_err(|error| error.to_string())
        })
    }

    fn refused(ids: &[u64], change: impl FnOnce(Vec<Row>) -> Change) -> String {
        checked(ids, change).expect_err("does not fit")
    }

    fn batch(calls: Vec<Row>) -> Change {
        Change::Batch { calls, per_item_ns: 0 }
    }

    fn parallel(calls: Vec<Row>) -> Change {
        Change::Parallel { calls, limit: 2 }
    }

    #[test]
    fn what_fits_is_let_through() {
        assert_eq!(checked(&[2, 4, 7], batch), Ok(()));
        assert_eq!(checked(&[2, 4], parallel), Ok(()));
        assert_eq!(checked(&[3], |calls| Change::Remove { calls }), Ok(()));
        assert_eq!(checked(&[2], |calls| Change::RoundTrip { calls, round_trip_ns: 0 }), Ok(()));
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let other = "span 0000000000000003 has another parent than span 0000000000000002; only calls of one caller change together";
        assert_eq!(refused(&[2, 3], batch), other);
        assert_eq!(refused(&[2], parallel), "the change names 1 spans; it needs 2 at least");
        assert_eq!(refused(&[2, 4, 2], batch), "span 0000000000000002 is named twice");
        assert!(refused(&[2, 5], parallel).contains("does not wait for span 0000000000000005"));
        assert!(refused(&[], |calls| Change::Remove { calls }).contains("names 0 spans"));
        assert!(refused(&[99], |calls| Change::Remove { calls }).contains("was not received"));
        assert!(refused(&[77], |calls| Change::Remove { calls }).contains("was not received"));
        let faster = |percent| move |spans| Change::Faster { spans, percent };
        assert_eq!(refused(&[2], faster(0)), "percent is 0; it must be 1 to 100");
        assert!(refused(&[2], faster(101)).contains("percent is 101"));
        let trip = |round_trip_ns| move |calls| Change::RoundTrip { calls, round_trip_ns };
        assert!(refused(&[7], trip(0)).contains("not just one server span"));
        assert!(refused(&[2], trip(-1)).contains("must be 0 or more"));
        let none = |calls| Change::Parallel { calls, limit: 0 };
        assert!(refused(&[2, 4], none).contains("limit is 0"));
    }
}
