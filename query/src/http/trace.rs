//! `GET /traces/{id}`, `GET /traces/{id}/spans/{span_id}`, `GET /traces/{id}/otlp`.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use axum::body::Body;
use axum::extract::{Path, Query as Parameters, State};
use axum::response::{IntoResponse, Response};
use causeway_model::otlp;
use causeway_model::trace::{Completeness, Flags, Row};
use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};

use super::error::ApiResult;
use super::order::{Asked, off_thread};
use crate::error::{QueryError, Result};
use crate::input;
use crate::order::{self, ClockAnswer, Clocks, Messages, Place, TraceOrder};
use crate::query::Query;
use crate::trace::{Part, Rows, texts_of};
use crate::watch::TraceWatch;

/// A trace for the timeline, or the part of it that fits: rows in depth-first order, column by column.
#[derive(Debug, Serialize)]
pub(super) struct TraceView {
    trace_id: String,
    /// Text, because it does not fit a double.
    start_unix_nano: String,
    duration_ns: i64,
    root_duration_ns: Option<i64>,
    root_row: u32,
    /// Rows of the whole trace; more than are sent where it is too large for one answer.
    total_rows: usize,
    services: Vec<String>,
    names: Vec<String>,
    spans: Rows,
    completeness: Completeness,
    order: OrderView,
}

/// Times and order across clocks, row by row.
#[derive(Debug, Default, Serialize)]
struct OrderView {
    clocks: Vec<ClockAnswer>,
    /// Position of the clock that aligned times are told on.
    reference: Option<u32>,
    /// Position of the clock of each row.
    clock: Vec<Option<u32>>,
    /// Nanoseconds after the trace's start, on the clock of reference.
    aligned_start_ns: Vec<i64>,
    aligned_duration_ns: Vec<i64>,
    /// Half the width of the interval that the offset lies in, where it is bounded.
    half_width_ns: Vec<Option<i64>>,
    /// Bits as in the column `clock_flags`, and those that only the whole trace shows.
    faults: Vec<u32>,
    fault_counts: BTreeMap<&'static str, usize>,
    /// Messages between clocks, by rows.
    messages: Messages,
}

impl OrderView {
    fn new(ordered: &TraceOrder<'_>, clocks: &Clocks, part: &Part, rows: &Rows) -> Self {
        let aligned = clocks.solve(|solver| order::aligned(ordered, solver));
        let mut own = Self {
            fault_counts: aligned.fault_counts.into_iter().collect(),
            clocks: aligned.clocks,
            reference: aligned.reference,
            messages: order::messages(ordered, |place| part.position(place.row)),
            ..Self::default()
        };
        let raw = rows.start_ns.iter().zip(&rows.duration_ns);
        for (row, (start, duration)) in part.rows().zip(raw) {
            let span = ordered.gathered.at(Place { trace: 0, row }).map(|span| span as usize);
            let (start, duration, half_width) = match span.and_then(|at| aligned.spans.get(at)) {
                Some(moved) => {
                    let duration = moved.end_ns.saturating_sub(moved.start_ns);
                    (start.saturating_add(moved.shift_ns), duration, moved.half_width_ns)
                }
                None => (*start, *duration, None),
            };
            own.aligned_start_ns.push(start);
            own.aligned_duration_ns.push(duration);
            own.half_width_ns.push(half_width);
            own.clock.push(span.and_then(|at| aligned.clock.get(at).copied().flatten()));
            own.faults.push(span.and_then(|at| aligned.faults.get(at).copied()).unwrap_or(0));
        }
        own
    }
}

/// Which part of a trace that is too large for one answer, by times as sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Window {
    start: Option<String>,
    end: Option<String>,
}

pub(super) async fn trace(
    State(query): State<Query>,
    Path(id): Path<String>,
    window: Asked<Window>,
) -> ApiResult<Response> {
    let id: causeway_model::TraceId = input::id(&id)?;
    let Parameters(Window { start, end }) = window?;
    let time = |text: Option<String>| text.as_deref().map(input::time).transpose();
    let window = time(start)?.unwrap_or(i64::MIN)..=time(end)?.unwrap_or(i64::MAX);
    let rows_max = query.settings().trace_rows_max;
    let view = move |ordered: TraceOrder<'_>, watch: &TraceWatch| {
        TraceView::new(&ordered, &watch.clocks(), &window, rows_max)
    };
    let view = query.with_outline(id, view).await?;
    // Seconds of work for a trace of a million spans: off the threads that serve others.
    let body = off_thread(move || {
        serde_json::to_vec(&view).map_err(|error| QueryError::Internal(error.to_string()))
    });
    let body = body.await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

impl TraceView {
    fn new(
        ordered: &TraceOrder<'_>,
        clocks: &Clocks,
        window: &RangeInclusive<i64>,
        rows_max: usize,
    ) -> Result<Self> {
        let Some(trace) = ordered.traces.first() else {
            return Err(QueryError::NotFound("the trace has no spans".to_owned()));
        };
        let (start_unix_nano, end) = trace.envelope_ns().unwrap_or((0, 0));
        let part = Part::new(trace, window, rows_max);
        let mut spans = Rows::new(trace, &part, start_unix_nano);
        let services;
        (services, spans.service) = texts_of(trace, &part, |trace, row| trace.service(row));
        let names;
        (names, spans.name) = texts_of(trace, &part, |trace, row| trace.name(row));
        let root = trace.root().unwrap_or(Row(0));
        let is_root = trace.parent_span_id(root) == 0 && trace.parent(root).is_none();
        let has_time = !trace.flags(root).contains(Flags::NO_TIME);
        Ok(Self {
            trace_id: trace.trace_id().map(|id| id.to_string()).unwrap_or_default(),
            start_unix_nano: start_unix_nano.to_string(),
            duration_ns: end.saturating_sub(start_unix_nano).max(0),
            root_duration_ns: (is_root && has_time).then(|| trace.raw_duration_ns(root)),
            root_row: part.position(root).unwrap_or(0),
            total_rows: trace.len(),
            services,
            names,
            order: OrderView::new(ordered, clocks, &part, &spans),
            spans,
            completeness: trace.completeness().clone(),
        })
    }
}

/// One span as OTLP/JSON; several when its id was used for several.
pub(super) async fn span(
    State(query): State<Query>,
    Path((id, span_id)): Path<(String, String)>,
) -> ApiResult<Response> {
    let (id, span_id) = (input::id(&id)?, input::id(&span_id)?);
    let internal = |error: &dyn std::fmt::Display| QueryError::Internal(error.to_string());
    let batches = query.span(id, span_id).await?;
    if batches.iter().all(|batch| batch.num_rows() == 0) {
        let message = format!("span {span_id} of trace {id} is not known");
        return Err(QueryError::NotFound(message).into());
    }
    let mut body = Vec::new();
    otlp::write_json(&batches, &mut body).map_err(|error| internal(&error))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// What was received, as OTLP/JSON or, if asked for, as protobuf.
pub(super) async fn otlp(
    State(query): State<Query>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let batches = query.trace(input::id(&id)?).await?;
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let is_protobuf = accept.is_some_and(|accept| accept.contains("application/x-protobuf"));
    let mut body = Vec::new();
    let (written, content_type) = match is_protobuf {
        true => (otlp::write_protobuf(&batches, &mut body), "application/x-protobuf"),
        false => (otlp::write_json(&batches, &mut body), "application/json"),
    };
    written.map_err(|error| QueryError::Internal(error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, content_type)], Body::from(body)).into_response())
}
