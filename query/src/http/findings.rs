//! `GET /traces/{id}/critical-path`, `GET /traces/{id}/findings`, `GET /findings`, `GET /findings/{group}`.

use axum::Json;
use axum::extract::{Path, Query as Parameters, State};
use causeway_analysis::detectors::{Settings, detect};
use causeway_analysis::forms::Former;
use causeway_model::TraceId;
use serde::{Deserialize, Serialize};

use super::error::ApiResult;
use super::order::{Asked, Sent, off_thread};
use crate::error::QueryError;
use crate::findings::{
    self, FindingAnswer, GroupFilter, GroupsAnswer, PathAnswer, Time, WholeGroup, Wish,
};
use crate::input;
use crate::query::Query;
use crate::watch::Progress;

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
    let path = query.with_outline(trace, move |ordered, watch| {
        Ok(findings::critical_path(&findings::in_time(ordered, watch, time)?))
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
    let found = query.with_trace(trace, |ordered, watch| {
        let trace = findings::in_time(ordered, watch, Time::Aligned)?;
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
    version: Option<String>,
    /// States, with commas between them.
    state: Option<String>,
    start: Option<String>,
    end: Option<String>,
}

pub(super) async fn groups(
    State(query): State<Query>,
    asked: Asked<Which>,
) -> ApiResult<Json<GroupsAnswer>> {
    let Parameters(which) = asked?;
    let Which { detector, fallacy, service, severity, version, state, start, end } = which;
    let time = |text: Option<String>| text.as_deref().map(input::time).transpose();
    let (start, end) = (time(start)?, time(end)?);
    let states = state.iter().flat_map(|list| list.split(',')).map(str::parse);
    let states = states.collect::<crate::Result<_>>()?;
    let filter = GroupFilter { detector, fallacy, service, severity, version, start, end, states };
    let groups = off_thread(move || Ok(query.watch().groups(&filter)));
    Ok(Json(groups.await?))
}

pub(super) async fn group(
    State(query): State<Query>,
    Path(key): Path<String>,
) -> ApiResult<Json<WholeGroup>> {
    let group = off_thread(move || query.watch().group(&key));
    Ok(Json(group.await?))
}

/// Decides about a group; only JSON is taken, which no other site can make a browser send.
pub(super) async fn decide(
    State(query): State<Query>,
    Path(key): Path<String>,
    wish: Sent<Wish>,
) -> ApiResult<Json<WholeGroup>> {
    let Json(wish) = wish?;
    let group = off_thread(move || query.watch().decide(&key, wish));
    Ok(Json(group.await?))
}

/// What of history to look at again.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Since {
    since: String,
    until: Option<String>,
}

/// Has the traces of a time looked at again, as after a rule changed.
pub(super) async fn analyze(
    State(query): State<Query>,
    asked: Sent<Since>,
) -> ApiResult<Json<Progress>> {
    let Json(Since { since, until }) = asked?;
    let until = until.as_deref().unwrap_or("now");
    Ok(Json(query.watch().look_back((input::since(&since)?.max(1), input::time(until)?))?))
}

/// How far that is.
pub(super) async fn analysis(State(query): State<Query>) -> Json<Progress> {
    Json(query.watch().progress())
}
