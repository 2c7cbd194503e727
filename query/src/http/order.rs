//! `GET /traces/{id}/order`, `GET /traces/{id}/cone`, `GET /clocks`.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query as Parameters, State};
use causeway_model::{SpanId, TraceId};
use serde::Deserialize;

use super::error::ApiResult;
use crate::error::QueryError;
use crate::input;
use crate::order::{self, ClocksAnswer, ConeAnswer, LineAnswer, RelationAnswer, parse_clock};
use crate::query::Query;

/// What the caller asks for, if it can be read.
pub(super) type Asked<T> = Result<Parameters<T>, QueryRejection>;

/// The JSON that the caller sends, if it can be read.
pub(super) type Sent<T> = Result<Json<T>, JsonRejection>;

/// Which spans to relate.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Between {
    from: Option<String>,
    to: Option<String>,
}

/// The relation of two spans, or without them the causal order of all events.
#[derive(Debug, serde::Serialize)]
#[serde(untagged)]
pub(super) enum OrderAnswer {
    Relation(RelationAnswer),
    Line(LineAnswer),
}

pub(super) async fn order(
    State(query): State<Query>,
    Path(id): Path<String>,
    between: Asked<Between>,
) -> ApiResult<Json<OrderAnswer>> {
    let Parameters(between) = between?;
    let trace: TraceId = input::id(&id)?;
    let spans = match (&between.from, &between.to) {
        (Some(from), Some(to)) => Some([span(from)?, span(to)?]),
        (None, None) => None,
        _ => return Err(QueryError::bad_request("give both from and to, or none").into()),
    };
    let answer = query.with_outline(trace, move |ordered, watch| {
        let clocks = watch.clocks();
        Ok(match spans {
            Some(spans) => {
                OrderAnswer::Relation(order::relation(&ordered, &clocks, trace.0, spans)?)
            }
            None => OrderAnswer::Line(order::line(&ordered, &clocks)),
        })
    });
    Ok(Json(answer.await?))
}

/// Around which span.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Around {
    span: String,
}

pub(super) async fn cone(
    State(query): State<Query>,
    Path(id): Path<String>,
    around: Asked<Around>,
) -> ApiResult<Json<ConeAnswer>> {
    let Parameters(around) = around?;
    let trace: TraceId = input::id(&id)?;
    let span = span(&around.span)?;
    let cone = query.with_outline(trace, move |ordered, _| order::cone(&ordered, trace.0, span));
    Ok(Json(cone.await?))
}

/// Which clocks.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct When {
    start: Option<String>,
    end: Option<String>,
    reference: Option<String>,
}

pub(super) async fn clocks(
    State(query): State<Query>,
    when: Asked<When>,
) -> ApiResult<Json<ClocksAnswer>> {
    let Parameters(when) = when?;
    let time = |text: &Option<String>| text.as_deref().map(input::time).transpose();
    let range = (time(&when.start)?, time(&when.end)?);
    let clock = |text: &str| {
        let unknown = || QueryError::bad_request(format!("{text:?} is not a clock"));
        parse_clock(text).ok_or_else(unknown)
    };
    let reference = when.reference.as_deref().map(clock).transpose()?;
    let answer =
        off_thread(move || order::clocks_answer(&query.watch().clocks(), reference, range));
    Ok(Json(answer.await?))
}

fn span(text: &str) -> crate::Result<u64> {
    let span: SpanId = input::id(text)?;
    Ok(u64::from_be_bytes(span.0))
}

/// Orders take time: off the threads that serve others.
pub(super) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> crate::Result<T> + Send + 'static,
) -> crate::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| QueryError::Internal(error.to_string()))?
}
