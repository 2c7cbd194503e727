//! `POST /traces/{id}/what-if`: a trace replayed with changes.

use axum::Json;
use axum::extract::{Path, State};
use causeway_analysis::what_if::{Replay, replay};
use causeway_model::TraceId;
use causeway_model::trace::MergedTrace;
use serde::{Deserialize, Serialize};

use super::error::ApiResult;
use super::order::Sent;
use crate::error::QueryError;
use crate::findings::{self, Time, WantedChange};
use crate::input;
use crate::query::Query;

/// Changes that one question may have.
const CHANGES_MAX: usize = 100;

/// What is to be changed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    changes: Vec<WantedChange>,
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
    let answer = query.with_outline(trace, move |ordered, watch| {
        let trace = findings::in_time(ordered, watch, Time::Aligned)?;
        let mut wanted = Vec::new();
        for change in &changes {
            wanted.extend(change.on(&trace)?);
        }
        Ok(Answer::new(&trace, &replay(&trace, &wanted)))
    });
    Ok(Json(answer.await?))
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
