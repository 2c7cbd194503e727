//! `GET /traces/{id}/critical-path`, `GET /traces/{id}/findings`, `GET /findings`, `GET /findings/{group}`.

use axum::Json;
use axum::extract::{Path, Query as Parameters, State};
use causeway_analysis::detectors::{Settings, detect};
use causeway_analysis::forms::Former;
use causeway_model::TraceId;
use serde::{Deserialize, Serialize};

use super::error::ApiResult;
use super::order::{Asked, off_thread};
use crate::error::QueryError;
use crate::findings::{
    self, FindingAnswer, GroupFilter, GroupsAnswer, PathAnswer, Time, WholeGroup,
};
use crate::input;
use crate::query::Query;

/// In which time.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InTime {
    time: Option<String>,
}

pub(super) async fn critical_path(
    State(query): State<Query>,
    Path(id): Path<String>,
    asked: Asked<InTime>,
) -> ApiResult<Json<PathAnswer>> {
    let Parameters(asked) = asked?;
    let time = match asked.time.as_deref() {
        None | Some("aligned") => Time::Aligned,
        Some("raw") => Time::Raw,
        Some(other) => {
            let message = format!("time is raw or aligned, not {other:?}");
            return Err(QueryError::bad_request(message).into());
        }
    };
    let trace: TraceId = input::id(&id)?;
    let path = query.with_trace(trace, move |ordered, clocks| {
        Ok(findings::critical_path(&findings::in_time(ordered, clocks, time)?))
    });
    Ok(Json(path.await?))
}

/// What a trace shows, worst first.
#[derive(Debug, Serialize)]
pub(super) struct TraceFindings {
    findings: Vec<FindingAnswer>,
}

pub(super) async fn of_trace(
    State(query): State<Query>,
    Path(id): Path<String>,
) -> ApiResult<Json<TraceFindings>> {
    let trace: TraceId = input::id(&id)?;
    let found = query.with_trace(trace, |ordered, clocks| {
        let trace = findings::in_time(ordered, clocks, Time::Aligned)?;
        let revision = trace.len() as u64;
        let found = detect(&trace, revision, &Settings::default(), &mut Former::default());
        Ok(found.iter().map(FindingAnswer::from).collect())
    });
    Ok(Json(TraceFindings { findings: found.await? }))
}

/// Which findings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    detector: Option<String>,
    fallacy: Option<String>,
    service: Option<String>,
    severity: Option<String>,
    start: Option<String>,
    end: Option<String>,
}

pub(super) async fn groups(
    State(query): State<Query>,
    asked: Asked<Which>,
) -> ApiResult<Json<GroupsAnswer>> {
    let Parameters(Which { detector, fallacy, service, severity, start, end }) = asked?;
    let time = |text: Option<String>| text.as_deref().map(input::time).transpose();
    let (start, end) = (time(start)?, time(end)?);
    let filter = GroupFilter { detector, fallacy, service, severity, start, end };
    let groups = off_thread(move || Ok(findings::groups(query.watch().findings().iter(), &filter)));
    Ok(Json(groups.await?))
}

pub(super) async fn group(
    State(query): State<Query>,
    Path(key): Path<String>,
) -> ApiResult<Json<WholeGroup>> {
    let group = off_thread(move || findings::group(query.watch().findings().iter(), &key));
    Ok(Json(group.await?))
}
