//! The critical path of a trace, as HTTP and SQL give it.

use causeway_analysis::critical_path::CriticalPath;
use causeway_model::trace::MergedTrace;
use serde::Serialize;

use crate::error::{QueryError, Result};
use crate::order::TraceOrder;
use crate::watch::TraceWatch;

/// In which time a trace is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Time {
    /// As sent.
    Raw,
    /// On the clock of the root.
    Aligned,
}

/// The trace that was ordered, in the time asked for.
///
/// # Errors
/// There is none.
pub(crate) fn in_time<'a>(
    mut ordered: TraceOrder<'a>,
    watch: &TraceWatch,
    time: Time,
) -> Result<MergedTrace<'a>> {
    let traces = match time {
        Time::Raw => &mut ordered.traces,
        Time::Aligned => &mut watch.clocks().solve(|solver| ordered.into_aligned(solver)),
    };
    traces.pop().ok_or_else(|| QueryError::NotFound("the trace has no spans".to_owned()))
}

/// A stretch of time and the span that owns it.
#[derive(Debug, Serialize)]
pub(crate) struct SegmentAnswer {
    pub(crate) seq: u64,
    pub(crate) span_id: String,
    pub(crate) service_name: String,
    pub(crate) name: String,
    pub(crate) start_unix_nano: i64,
    pub(crate) end_unix_nano: i64,
    pub(crate) duration_ns: i64,
    pub(crate) certainty: &'static str,
}

/// What the root waited for, from its start to its end.
#[derive(Debug, Serialize)]
pub(crate) struct PathAnswer {
    root_span_id: Option<String>,
    duration_ns: i64,
    pub(crate) segments: Vec<SegmentAnswer>,
}

/// The critical path of a trace.
pub(crate) fn critical_path(trace: &MergedTrace<'_>) -> PathAnswer {
    let path = CriticalPath::of(trace);
    let segments = (0..).zip(&path.segments).map(|(seq, segment)| SegmentAnswer {
        seq,
        span_id: format!("{:016x}", trace.span_id(segment.row)),
        service_name: trace.service_text(segment.row).to_owned(),
        name: trace.name_text(segment.row).to_owned(),
        start_unix_nano: segment.start_ns,
        end_unix_nano: segment.end_ns,
        duration_ns: segment.duration_ns(),
        certainty: segment.certainty.label(),
    });
    PathAnswer {
        root_span_id: trace.root().map(|root| format!("{:016x}", trace.span_id(root))),
        duration_ns: path.duration_ns(),
        segments: segments.collect(),
    }
}
