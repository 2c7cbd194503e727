//! `GET /services`, `GET /services/{service}/operations`.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;

use super::error::ApiResult;
use crate::plans;
use crate::query::Query;

/// A name and how many spans have it.
#[derive(Debug, Serialize)]
pub(super) struct Counted {
    name: String,
    spans: i64,
}

#[derive(Debug, Serialize)]
pub(super) struct Services {
    services: Vec<Counted>,
}

#[derive(Debug, Serialize)]
pub(super) struct Operations {
    operations: Vec<Counted>,
}

pub(super) async fn services(State(query): State<Query>) -> ApiResult<Json<Services>> {
    let batches = query.run("services", plans::services::services).await?.collect().await?;
    Ok(Json(Services { services: counts(&batches) }))
}

pub(super) async fn operations(
    State(query): State<Query>,
    Path(service): Path<String>,
) -> ApiResult<Json<Operations>> {
    let plan = |session: &_| plans::services::operations(session, &service);
    let batches = query.run("operations", plan).await?.collect().await?;
    Ok(Json(Operations { operations: counts(&batches) }))
}

fn counts(batches: &[RecordBatch]) -> Vec<Counted> {
    let rows = batches.iter().flat_map(|batch| {
        let names = batch.column(0).as_string::<i32>();
        let spans = batch.column(1).as_primitive::<Int64Type>();
        names.iter().zip(spans.iter())
    });
    rows.map(|(name, spans)| Counted {
        name: name.unwrap_or_default().to_owned(),
        spans: spans.unwrap_or_default(),
    })
    .collect()
}
