//! `GET /traces/{id}`, `GET /traces/{id}/spans/{span_id}`, `GET /traces/{id}/otlp`.

use std::collections::{BTreeMap, HashMap};

use arrow::array::RecordBatch;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use causeway_model::otlp;
use http::{HeaderMap, header};
use serde::Serialize;

use super::error::ApiResult;
use super::order::off_thread;
use crate::error::{QueryError, Result};
use crate::input;
use crate::order::{self, ClockAnswer, ClockWatch, Messages, TraceOrder};
use crate::query::Query;
use crate::trace::{Completeness, Rows, build, merge};

/// A trace for the timeline: rows in depth-first order, column by column.
#[derive(Debug, Serialize)]
pub(super) struct TraceView {
    trace_id: String,
    /// Text, because it does not fit a double.
    start_unix_nano: String,
    duration_ns: i64,
    root_duration_ns: Option<i64>,
    root_row: usize,
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
    fn new(view: &TraceView, ordered: &TraceOrder, watch: &ClockWatch) -> Self {
        let rows = &view.spans;
        let aligned = order::aligned(ordered, watch);
        let by_row = rows.node.iter().zip(rows.start_ns.iter().zip(&rows.duration_ns));
        let times = by_row.map(|(node, (start, duration))| match aligned.spans.get(*node) {
            Some(moved) => {
                let start = start.saturating_add(moved.shift_ns);
                (start, moved.end_ns.saturating_sub(moved.start_ns), moved.half_width_ns)
            }
            None => (*start, *duration, None),
        });
        let mut own = Self {
            clock: rows.node.iter().map(|at| aligned.clock.get(*at).copied().flatten()).collect(),
            faults: rows
                .node
                .iter()
                .map(|at| aligned.faults.get(*at).copied().unwrap_or(0))
                .collect(),
            fault_counts: aligned.fault_counts.into_iter().collect(),
            clocks: aligned.clocks,
            reference: aligned.reference,
            ..Self::default()
        };
        for (start, duration, half_width) in times {
            own.aligned_start_ns.push(start);
            own.aligned_duration_ns.push(duration);
            own.half_width_ns.push(half_width);
        }
        let mut row_of = vec![0_u32; rows.node.len()];
        for (row, node) in (0_u32..).zip(&rows.node) {
            row_of.get_mut(*node).into_iter().for_each(|slot| *slot = row);
        }
        own.messages = order::messages(ordered);
        for span in own.messages.from.iter_mut().chain(&mut own.messages.to) {
            *span = row_of.get(*span as usize).copied().unwrap_or(0);
        }
        own
    }
}

pub(super) async fn trace(
    State(query): State<Query>,
    Path(id): Path<String>,
) -> ApiResult<Response> {
    let id: causeway_model::TraceId = input::id(&id)?;
    let batches = query.outline(id).await?;
    let (watch, outlined) = (query.clone(), batches.clone());
    let ordered = off_thread(move || {
        let ordered = TraceOrder::new(&outlined)?;
        Ok((watch.clocks().knows(&ordered), ordered))
    });
    let (is_known, ordered) = ordered.await?;
    if !is_known {
        // Its own messages tell most about its clocks.
        query.trace_order(id).await?;
    }
    // Seconds of work for a trace of a million spans: off the threads that serve others.
    let body = off_thread(move || {
        let mut view = view(id.to_string(), &batches)?;
        view.order = OrderView::new(&view, &ordered, query.clocks());
        serde_json::to_vec(&view).map_err(|error| QueryError::Internal(error.to_string()))
    });
    let body = body.await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

fn view(trace_id: String, batches: &[RecordBatch]) -> Result<TraceView> {
    let merged = merge(batches).map_err(|error| QueryError::Internal(error.to_string()))?;
    let (mut spans, completeness) = build(&merged);
    let services = own_texts(&mut spans.service, &merged.texts);
    let names = own_texts(&mut spans.name, &merged.texts);
    let root = spans.root_row;
    let has_time = spans.flags.get(root).is_some_and(|flags| flags & crate::trace::NO_TIME == 0);
    let root_duration_ns = match spans.has_root && has_time {
        true => spans.duration_ns.get(root).copied(),
        false => None,
    };
    Ok(TraceView {
        trace_id,
        start_unix_nano: spans.start_unix_nano.to_string(),
        duration_ns: spans.envelope_ns,
        root_duration_ns,
        root_row: root,
        services,
        names,
        spans,
        completeness,
        order: OrderView::default(),
    })
}

/// The texts a column refers to, in order of appearance; its positions are changed accordingly.
/// Placeholders refer to the empty text.
fn own_texts(column: &mut [u32], texts: &[String]) -> Vec<String> {
    let mut own = Vec::new();
    let mut positions: HashMap<&str, u32> = HashMap::new();
    for position in column {
        let text = texts.get(*position as usize).map_or("", String::as_str);
        *position = *positions.entry(text).or_insert_with(|| {
            own.push(text.to_owned());
            own.len() as u32 - 1
        });
    }
    own
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
