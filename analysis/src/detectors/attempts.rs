//! Attempts: calls of one caller that repeat one that failed.
//!
//! Used by the detectors of retries, and by those of repeats, for which a retry is no further call. A call follows up a
//! failed one when it says so (`http.request.resend_count`), or when it asks for the very same thing: a loop over items
//! that all fail is no retry. Attempts of one caller are timed by one clock, so their gaps depend on no other.

use std::sync::Arc;

use causeway_model::trace::{Row, Status};

use super::{Subject, with_fields};
use crate::forms::{Call, Field};

/// What tells the thing that is asked for, where no count of attempts is sent.
const ASKED_FOR: [Field; 5] =
    [Field::UrlFull, Field::UrlPath, Field::HttpTarget, Field::DbStatement, Field::RpcMethod];

/// Attempts at one call, by start; all but the last failed.
#[derive(Debug, Clone)]
pub(super) struct Attempts {
    pub(super) caller: Row,
    pub(super) call: Arc<Call>,
    /// Two at least.
    pub(super) rows: Vec<Row>,
}

/// All attempts of a trace, by caller and start.
pub(super) fn attempts(subject: &Subject<'_, '_>) -> Vec<Attempts> {
    let failed = |row: &Row| subject.trace.status(*row) == Status::Error;
    let mut found = Vec::new();
    for repeat in subject.repeats.iter().filter(|repeat| repeat.rows.iter().any(failed)) {
        for rows in of_calls(subject, &repeat.rows).filter(|rows| rows.len() > 1) {
            let call = Arc::clone(&repeat.call);
            found.push(Attempts { caller: repeat.caller, call, rows: rows.to_vec() });
        }
    }
    found
}

/// Calls of one caller and template, those together that repeat one that failed just before.
fn of_calls<'r>(subject: &Subject<'_, '_>, rows: &'r [Row]) -> impl Iterator<Item = &'r [Row]> {
    let failed = |row: &Row| subject.trace.status(*row) == Status::Error;
    rows.chunk_by(move |before, row| failed(before) && repeats(subject, *before, *row))
}

/// How many of the calls are attempts at one before, not further calls.
pub(super) fn retries(subject: &Subject<'_, '_>, rows: &[Row]) -> usize {
    of_calls(subject, rows).map(|attempts| attempts.len() - 1).sum()
}

/// Whether a call repeats the one before.
fn repeats(subject: &Subject<'_, '_>, before: Row, row: Row) -> bool {
    let trace = subject.trace;
    let resent = with_fields(trace, row, |fields| fields.resend_count());
    if let Some(count) = resent {
        return count > 0;
    }
    let asked = |row: Row| {
        with_fields(trace, row, |fields| {
            ASKED_FOR.map(|field| fields.text(field).map(str::to_owned))
        })
    };
    asked(before) == asked(row)
}

impl Attempts {
    /// From the end of each attempt to the start of the next; 0 where they overlap.
    pub(super) fn gaps_ns(&self, subject: &Subject<'_, '_>) -> Vec<i64> {
        let trace = subject.trace;
        let gap = |(a, b): (&Row, &Row)| trace.start_ns(*b).saturating_sub(trace.end_ns(*a)).max(0);
        self.rows.iter().zip(self.rows.iter().skip(1)).map(gap).collect()
    }
}
