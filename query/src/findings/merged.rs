//! From rows of batches to merged traces with aligned times.

use std::collections::HashMap;

use arrow::array::RecordBatch;
use causeway_model::rows::SpanRows;
use causeway_model::trace::{MergedTrace, Row, SpanTimes, TraceRows};

use crate::error::{QueryError, Result};
use crate::order::{self, ClockWatch, TraceOrder};
use crate::trace::rows_of;

/// In which time a trace is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Time {
    /// As sent.
    Raw,
    /// On the clock of the root.
    Aligned,
}

fn internal(error: &dyn std::fmt::Display) -> QueryError {
    QueryError::Internal(error.to_string())
}

/// Works on each trace of batches of the storage schema, in aligned time.
///
/// # Errors
/// A batch is not of the storage schema, or a trace is too large.
pub(crate) fn each_trace(
    batches: &[RecordBatch],
    ordered: &TraceOrder,
    watch: &ClockWatch,
    mut work: impl FnMut(&MergedTrace<'_>),
) -> Result<()> {
    let rows = batches.iter().map(rows_of).collect::<std::result::Result<Vec<_>, _>>();
    let rows = rows.map_err(|error| internal(&error))?;
    let times = aligned_times(ordered, watch);
    for (trace_id, parts) in by_trace(&rows) {
        let trace = MergedTrace::new(&parts).map_err(|error| internal(&error))?;
        let own = times_of(&trace, trace_id, &times);
        work(&trace.aligned(&own));
    }
    Ok(())
}

/// The same of one trace, in the time asked for.
///
/// # Errors
/// As [`each_trace`].
pub(crate) fn one_trace<T>(
    batches: &[RecordBatch],
    ordered: &TraceOrder,
    watch: &ClockWatch,
    time: Time,
    work: impl FnOnce(&MergedTrace<'_>) -> T,
) -> Result<T> {
    let rows = batches.iter().map(rows_of).collect::<std::result::Result<Vec<_>, _>>();
    let rows = rows.map_err(|error| internal(&error))?;
    let trace = MergedTrace::of(&rows).map_err(|error| internal(&error))?;
    if time == Time::Raw {
        return Ok(work(&trace));
    }
    let times = aligned_times(ordered, watch);
    let trace_id = trace.trace_id().map_or([0; 16], |id| id.0);
    let own = times_of(&trace, trace_id, &times);
    Ok(work(&trace.aligned(&own)))
}

/// Rows of each trace; rows that follow each other are one part.
fn by_trace<'a>(batches: &'a [SpanRows<'a>]) -> HashMap<[u8; 16], Vec<TraceRows<'a>>> {
    let mut parts: HashMap<[u8; 16], Vec<TraceRows<'a>>> = HashMap::new();
    for rows in batches {
        for row in 0..rows.len {
            let Ok(id) = <[u8; 16]>::try_from(rows.trace_id.value(row)) else { continue };
            let of_trace = parts.entry(id).or_default();
            let last = of_trace.last_mut().filter(|part| std::ptr::eq(part.rows, rows));
            match last.filter(|part| part.range.end == row) {
                Some(part) => part.range.end += 1,
                None => of_trace.push(TraceRows { rows, range: row..row + 1 }),
            }
        }
    }
    parts
}

/// What tells a span from others, also from those with the same id: trace, id, start and duration.
type SpanKey = ([u8; 16], u64, i64, i64);

fn aligned_times(ordered: &TraceOrder, watch: &ClockWatch) -> HashMap<SpanKey, SpanTimes> {
    let aligned = order::aligned(ordered, watch);
    let spans = ordered.gathered.traces.iter().flat_map(|trace| {
        let at = trace.first..;
        at.zip(&trace.merged.spans).map(|(at, span)| (trace.trace_id, at, span))
    });
    let times = spans.filter_map(|(trace, at, span)| {
        let moved = aligned.spans.get(at)?;
        let key = (trace, span.span_id, span.start_time_unix_nano, span.duration_ns);
        let (start_ns, half_width_ns) = (moved.start_ns, moved.half_width_ns);
        Some((key, SpanTimes { start_ns, end_ns: moved.end_ns.max(start_ns), half_width_ns }))
    });
    times.collect()
}

fn times_of(
    trace: &MergedTrace<'_>,
    trace_id: [u8; 16],
    times: &HashMap<SpanKey, SpanTimes>,
) -> Vec<SpanTimes> {
    let of = |row: Row| {
        let key =
            (trace_id, trace.span_id(row), trace.raw_start_ns(row), trace.raw_duration_ns(row));
        let raw = SpanTimes {
            start_ns: trace.start_ns(row),
            end_ns: trace.end_ns(row),
            half_width_ns: None,
        };
        times.get(&key).copied().unwrap_or(raw)
    };
    trace.rows().map(of).collect()
}
