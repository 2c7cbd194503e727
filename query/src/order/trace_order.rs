//! Traces and their order.

use arrow::array::RecordBatch;
use causeway_clock::offsets::Solver;
use causeway_clock::order::{Order, OrderSettings};
use causeway_model::TraceId;
use causeway_model::trace::{MergedTrace, Row, SpanTimes};

use super::gather::{Gathered, Place};
use crate::error::{QueryError, Result};
use crate::trace::{merged, rows_of};

/// Traces, their spans and the order of these.
#[derive(Debug)]
pub(crate) struct TraceOrder<'a> {
    pub(crate) traces: Vec<MergedTrace<'a>>,
    pub(crate) gathered: Gathered,
    pub(crate) order: Order,
}

impl<'a> TraceOrder<'a> {
    fn new(traces: Vec<MergedTrace<'a>>) -> Result<Self> {
        let gathered = Gathered::new(&traces);
        let order = Order::build(&gathered.spans, &[], &OrderSettings::default());
        let order = order.map_err(|error| QueryError::Limit {
            limit: "order_spans_max",
            message: error.to_string(),
        })?;
        Ok(Self { traces, gathered, order })
    }

    /// The trace and the row of a span.
    pub(crate) fn place(&self, span: u32) -> Option<(&MergedTrace<'a>, Row)> {
        let Place { trace, row } = self.gathered.place(span)?;
        Some((self.traces.get(trace)?, row))
    }

    /// Trace and span id of a span.
    pub(crate) fn ids(&self, span: u32) -> (TraceId, u64) {
        let ids =
            self.place(span).and_then(|(trace, row)| Some((trace.trace_id()?, trace.span_id(row))));
        ids.unwrap_or((TraceId([0; 16]), 0))
    }

    /// The position of a span, given by trace and span id; the first of several.
    ///
    /// # Errors
    /// It is not there.
    pub(crate) fn position(&self, trace_id: [u8; 16], span_id: u64) -> Result<u32> {
        let unknown = || QueryError::NotFound(format!("span {span_id:016x} is not in the trace"));
        self.gathered.position(&self.traces, trace_id, span_id).ok_or_else(unknown)
    }

    /// The traces on the clock of the earliest root.
    pub(crate) fn into_aligned(self, offsets: &mut Solver<'_>) -> Vec<MergedTrace<'a>> {
        let moved = super::aligned(&self, offsets);
        let Self { traces, gathered, .. } = self;
        let aligned = traces.into_iter().enumerate().map(|(number, trace)| {
            let times: Vec<_> = trace
                .rows()
                .map(|row| {
                    let span = gathered.at(Place { trace: number, row });
                    match span.and_then(|span| moved.spans.get(span as usize)) {
                        Some(moved) => SpanTimes {
                            start_ns: moved.start_ns,
                            end_ns: moved.end_ns.max(moved.start_ns),
                            half_width_ns: moved.half_width_ns,
                        },
                        None => SpanTimes {
                            start_ns: trace.start_ns(row),
                            end_ns: trace.end_ns(row),
                            half_width_ns: None,
                        },
                    }
                })
                .collect();
            trace.aligned(&times)
        });
        aligned.collect()
    }
}

/// Merges and orders the traces that batches hold with all attributes, and works on them.
///
/// # Errors
/// Those of the work; or a batch is not of the storage schema, or there are more spans than can be ordered.
pub(crate) fn with_traces<T>(
    batches: &[RecordBatch],
    work: impl FnOnce(TraceOrder<'_>) -> Result<T>,
) -> Result<T> {
    let rows = rows_of(batches)?;
    work(TraceOrder::new(merged(&rows)?)?)
}

/// Merges the same traces, orders each for itself, and works on them. One that cannot be ordered is left out.
///
/// # Errors
/// Those of the work, or a batch is not of the storage schema.
pub(crate) fn with_each_trace<T>(
    batches: &[RecordBatch],
    work: impl FnOnce(Vec<TraceOrder<'_>>) -> Result<T>,
) -> Result<T> {
    let rows = rows_of(batches)?;
    let ordered = merged(&rows)?.into_iter().filter_map(|trace| {
        let failed = |error: &QueryError| tracing::debug!(%error, "a trace was not ordered");
        TraceOrder::new(vec![trace]).inspect_err(failed).ok()
    });
    work(ordered.collect())
}
