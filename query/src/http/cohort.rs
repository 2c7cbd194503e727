//! `GET /cohort`, `GET /cohort/difference`: where the time of many traces goes, and what differs between two cohorts.
//!
//! A cohort is what a search finds: the parameters are those of `GET /traces`.

use axum::Json;
use axum::extract::{Query as UrlQuery, State};
use causeway_analysis::cohort::{Cohort, Frame, FrameChange, Operation, OperationChange};
use serde::{Deserialize, Serialize};

use super::error::ApiResult;
use super::order::Asked;
use super::search::{self, Total};
use crate::cohort::cohort;
use crate::error::Result;
use crate::query::Query;

/// Traces of a cohort that are looked at unless `limit` says otherwise.
const LIMIT_DEFAULT: usize = 200;

/// Sums over the traces of a cohort.
#[derive(Debug, Serialize)]
pub(super) struct CohortAnswer {
    /// Traces that were looked at.
    traces: u64,
    /// Traces that match.
    total: Total,
    /// Sum of their roots' durations.
    root_ns: i64,
    /// By first appearance.
    operations: Vec<Operation>,
    /// Time on critical paths by what called what; a frame's `operation` and `above` are positions.
    frames: Vec<Frame>,
}

/// Two cohorts, each as the parameters of a search: `before=service%3Dweb%26end%3D-1h`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Two {
    before: String,
    after: String,
}

/// What a trace of either cohort takes on average, before and after.
#[derive(Debug, Serialize)]
pub(super) struct Difference {
    traces: [u64; 2],
    root_ns: [i64; 2],
    /// The largest change of time on the critical path first.
    operations: Vec<OperationChange>,
    frames: Vec<FrameChange>,
}

type Pairs = Vec<(String, String)>;

pub(super) async fn of_search(
    State(query): State<Query>,
    UrlQuery(pairs): UrlQuery<Pairs>,
) -> ApiResult<Json<CohortAnswer>> {
    let (cohort, total) = summed(&query, pairs).await?;
    Ok(Json(CohortAnswer {
        traces: cohort.traces,
        total,
        root_ns: cohort.root_ns,
        operations: cohort.operations,
        frames: cohort.frames,
    }))
}

pub(super) async fn difference(
    State(query): State<Query>,
    asked: Asked<Two>,
) -> ApiResult<Json<Difference>> {
    let UrlQuery(Two { before, after }) = asked?;
    let (before, _) = summed(&query, pairs(&before)).await?;
    let (after, _) = summed(&query, pairs(&after)).await?;
    let both = [&before, &after];
    Ok(Json(Difference {
        traces: both.map(|cohort| cohort.traces),
        root_ns: both.map(|cohort| cohort.each(cohort.root_ns)),
        operations: before.operation_changes(&after),
        frames: before.frame_changes(&after),
    }))
}

async fn summed(query: &Query, mut pairs: Pairs) -> Result<(Cohort, Total)> {
    let limit_max = query.settings().traces_page_max;
    if !pairs.iter().any(|(key, _)| key == "limit") {
        pairs.push(("limit".to_owned(), LIMIT_DEFAULT.min(limit_max).to_string()));
    }
    let search = search::read(&pairs, limit_max, query.watch())?;
    let (cohort, found) = cohort(query, search).await?;
    Ok((cohort, Total { value: found.total, exact: found.is_exact }))
}

fn pairs(text: &str) -> Pairs {
    form_urlencoded::parse(text.trim_start_matches('?').as_bytes()).into_owned().collect()
}
