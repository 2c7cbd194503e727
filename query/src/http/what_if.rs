//! `POST /traces/{id}/what-if`: a trace replayed with changes.

use axum::Json;
use axum::extract::{Path, State};
use causeway_analysis::what_if::{Change, Replay, replay};
use causeway_model::trace::{MergedTrace, Row};
use causeway_model::{SpanId, TraceId};
use serde::{Deserialize, Serialize};

use super::error::ApiResult;
use super::order::Sent;
use crate::error::{QueryError, Result};
use crate::findings::{self, Time};
use crate::input;
use crate::query::Query;

/// Changes that one question may have.
const CHANGES_MAX: usize = 100;

/// What is to be changed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    changes: Vec<Asked>,
}

/// A change, with its spans by id; see [`Change`].
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Asked {
    Batch {
        spans: Vec<String>,
        #[serde(default)]
        per_item_ns: i64,
    },
    Parallel {
        spans: Vec<String>,
        limit: usize,
    },
    Remove {
        spans: Vec<String>,
    },
    Faster {
        spans: Vec<String>,
        percent: u8,
    },
    RoundTrip {
        spans: Vec<String>,
        round_trip_ns: i64,
    },
}

/// The trace as it would be. Columns, one entry a row that is still there or gone, in the order of the trace's rows.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    duration_ns: i64,
    new_duration_ns: i64,
    saving_ns: i64,
    spans: Spans,
}

#[derive(Debug, Default, Serialize)]
struct Spans {
    span_id: Vec<String>,
    /// Text, because it does not fit a double.
    start_unix_nano: Vec<String>,
    duration_ns: Vec<i64>,
    is_gone: Vec<bool>,
}

pub(super) async fn what_if(
    State(query): State<Query>,
    Path(id): Path<String>,
    question: Sent<Question>,
) -> ApiResult<Json<Answer>> {
    let trace: TraceId = input::id(&id)?;
    let Json(Question { changes }) = question?;
    if changes.len() > CHANGES_MAX {
        let message = format!("{} changes, at most {CHANGES_MAX}", changes.len());
        return Err(QueryError::Limit { limit: "what_if_changes_max", message }.into());
    }
    let answer = query.with_trace(trace, move |ordered, watch| {
        let trace = findings::in_time(ordered, watch, Time::Aligned)?;
        let changes = changes.iter().map(|change| change.on(&trace)).collect::<Result<Vec<_>>>()?;
        for change in &changes {
            change.check(&trace).map_err(|error| QueryError::bad_request(error.to_string()))?;
        }
        Ok(Answer::new(&trace, &replay(&trace, &changes)))
    });
    Ok(Json(answer.await?))
}

impl Asked {
    fn on(&self, trace: &MergedTrace<'_>) -> Result<Change> {
        Ok(match self {
            Self::Batch { spans, per_item_ns } => {
                Change::Batch { calls: rows(trace, spans)?, per_item_ns: *per_item_ns }
            }
            Self::Parallel { spans, limit } => {
                Change::Parallel { calls: rows(trace, spans)?, limit: *limit }
            }
            Self::Remove { spans } => Change::Remove { calls: rows(trace, spans)? },
            Self::Faster { spans, percent } => {
                Change::Faster { spans: rows(trace, spans)?, percent: *percent }
            }
            Self::RoundTrip { spans, round_trip_ns } => {
                Change::RoundTrip { calls: rows(trace, spans)?, round_trip_ns: *round_trip_ns }
            }
        })
    }
}

fn rows(trace: &MergedTrace<'_>, spans: &[String]) -> Result<Vec<Row>> {
    let row = |text: &String| {
        let id: SpanId = input::id(text)?;
        let found = trace.find(u64::from_be_bytes(id.0)).next();
        found.ok_or_else(|| QueryError::NotFound(format!("span {id} is not in the trace")))
    };
    spans.iter().map(row).collect()
}

impl Answer {
    fn new(trace: &MergedTrace<'_>, replay: &Replay) -> Self {
        let mut spans = Spans::default();
        let times = replay.start_ns.iter().zip(&replay.end_ns).zip(&replay.is_gone);
        for (row, ((start, end), is_gone)) in trace.rows().zip(times) {
            spans.span_id.push(format!("{:016x}", trace.span_id(row)));
            spans.start_unix_nano.push(start.to_string());
            spans.duration_ns.push(end.saturating_sub(*start));
            spans.is_gone.push(*is_gone);
        }
        Self {
            duration_ns: replay.root_before_ns,
            new_duration_ns: replay.root_ns,
            saving_ns: replay.saving_ns(),
            spans,
        }
    }
}
