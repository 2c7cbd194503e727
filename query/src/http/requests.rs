//! `GET /graph`, `GET /red`: services and the calls between them, and how one of them does over time.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use axum::Json;
use axum::extract::{Query as Parameters, State};
use causeway_model::{SpanId, TraceId};
use causeway_store::{DataFile, Snapshot};
use serde::{Deserialize, Serialize};

use super::error::ApiResult;
use super::order::Asked as AskedFor;
use crate::error::{QueryError, Result};
use crate::input;
use crate::plans::requests::{self, Asked, Part};
use crate::query::Query;
use crate::read::Times;

/// Spans that a graph is made of; from more, traces are sampled.
const GRAPH_SPANS_MAX: u64 = 1_000_000;

/// Steps that one answer may have.
const POINTS_MAX: i64 = 1_000;

/// Steps when the caller does not choose.
const POINTS_DEFAULT: i64 = 60;

/// How far back an answer looks when the caller does not choose.
const BACK_DEFAULT: &str = "-1h";

/// When.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct When {
    start: Option<String>,
    end: Option<String>,
}

impl When {
    fn times(&self) -> Result<Times> {
        let start = input::time(self.start.as_deref().unwrap_or(BACK_DEFAULT))?.max(1);
        let end = input::time(self.end.as_deref().unwrap_or("now"))?;
        match start <= end {
            true => Ok((start, end)),
            false => Err(QueryError::bad_request("start is after end")),
        }
    }
}

/// Services and calls between them.
#[derive(Debug, Serialize)]
pub(super) struct Graph {
    /// Text, because it does not fit a double.
    start_unix_nano: String,
    end_unix_nano: String,
    /// Share of all traces that this was computed from.
    share: f64,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

#[derive(Debug, Serialize)]
struct Node {
    service: String,
    #[serde(flatten)]
    requests: Requests,
}

#[derive(Debug, Serialize)]
struct Edge {
    caller: String,
    callee: String,
    calls: i64,
    errors: i64,
    #[serde(flatten)]
    durations: Percentiles,
    network_p50_ns: Option<i64>,
    network_p95_ns: Option<i64>,
    network_p99_ns: Option<i64>,
}

/// Rate, errors and durations.
#[derive(Debug, Default, Serialize)]
struct Requests {
    requests: i64,
    errors: i64,
    #[serde(flatten)]
    durations: Percentiles,
}

#[derive(Debug, Default, Serialize)]
struct Percentiles {
    p50_ns: Option<i64>,
    p95_ns: Option<i64>,
    p99_ns: Option<i64>,
}

pub(super) async fn graph(
    State(query): State<Query>,
    when: AskedFor<When>,
) -> ApiResult<Json<Graph>> {
    let Parameters(when) = when?;
    let times = when.times()?;
    let place = query.start("graph").await?;
    let extent = place.reader.snapshot.clone();
    let part = Part { times, halvings: halvings(&extent, times) };
    let services = |session: &_| requests::services(session, part);
    let nodes = query.collect(&place, extent.clone(), services).await?;
    let calls = |session: &_| requests::calls(session, part);
    let edges = query.collect(&place, extent, calls).await?;
    Ok(Json(Graph {
        start_unix_nano: times.0.to_string(),
        end_unix_nano: times.1.to_string(),
        share: 0.5_f64.powi(part.halvings.cast_signed()),
        nodes: rows(&nodes, |row| Node { service: row.text("service"), requests: row.requests() }),
        edges: rows(&edges, |row| Edge {
            caller: row.text("caller"),
            callee: row.text("callee"),
            calls: row.count("calls"),
            errors: row.count("errors"),
            durations: row.percentiles(),
            network_p50_ns: row.long("network_p50_ns"),
            network_p95_ns: row.long("network_p95_ns"),
            network_p99_ns: row.long("network_p99_ns"),
        }),
    }))
}

/// How often the traces of a time must be halved until few enough are left.
fn halvings(snapshot: &Snapshot, times: Times) -> u32 {
    let files = snapshot.files.iter().map(|file| spans_within(file, times));
    let recent: usize = snapshot.recent.iter().map(RecordBatch::num_rows).sum();
    let spans = files.sum::<u64>() + recent as u64;
    spans.div_ceil(GRAPH_SPANS_MAX).max(1).next_power_of_two().ilog2()
}

/// About how many spans of a file start in a time, if they are spread evenly.
fn spans_within(file: &DataFile, (from, to): Times) -> u64 {
    let Some((low, high)) = file.start_time_range else { return file.rows };
    let (first, last) = (low.max(from), high.min(to));
    if first > last {
        return 0;
    }
    let length = |from: i64, to: i64| u128::from(to.abs_diff(from)) + 1;
    let share = u128::from(file.rows) * length(first, last) / length(low, high);
    u64::try_from(share).unwrap_or(file.rows)
}

/// Of which service, or which of its operations, and when.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfService {
    service: String,
    operation: Option<String>,
    start: Option<String>,
    end: Option<String>,
    step: Option<String>,
}

/// Rate, errors and durations over time.
#[derive(Debug, Serialize)]
pub(super) struct Red {
    step_ns: i64,
    total: Requests,
    points: Vec<Point>,
    /// Of the whole service only.
    #[serde(skip_serializing_if = "Option::is_none")]
    operations: Option<Vec<Operation>>,
}

#[derive(Debug, Serialize)]
struct Point {
    /// Text, because it does not fit a double.
    start_unix_nano: String,
    #[serde(flatten)]
    requests: Requests,
    /// The slowest.
    exemplar: Option<Exemplar>,
}

#[derive(Debug, Serialize)]
struct Exemplar {
    trace_id: String,
    span_id: String,
    duration_ns: i64,
    is_error: bool,
}

#[derive(Debug, Serialize)]
struct Operation {
    name: String,
    #[serde(flatten)]
    requests: Requests,
}

pub(super) async fn red(
    State(query): State<Query>,
    asked: AskedFor<OfService>,
) -> ApiResult<Json<Red>> {
    let Parameters(OfService { service, operation, start, end, step }) = asked?;
    let times = When { start, end }.times()?;
    let step_ns = step_ns(times, step.as_deref())?;
    let asked = Asked { service, operation: operation.filter(|name| !name.is_empty()), times };
    let place = query.start("red").await?;
    let extent = place.reader.snapshot.clone();
    let total = |session: &_| requests::total(session, &asked);
    let total = query.collect(&place, extent.clone(), total).await?;
    let points = |session: &_| requests::points(session, &asked, step_ns);
    let points = query.collect(&place, extent.clone(), points).await?;
    let operations = match asked.operation {
        Some(_) => None,
        None => {
            let plan = |session: &_| requests::operations(session, &asked);
            let found = query.collect(&place, extent, plan).await?;
            let operation =
                |row: &Row<'_>| Operation { name: row.text("name"), requests: row.requests() };
            Some(rows(&found, operation))
        }
    };
    Ok(Json(Red {
        step_ns,
        total: rows(&total, |row| row.requests()).pop().unwrap_or_default(),
        points: rows(&points, |row| Point {
            start_unix_nano: row.count("start").to_string(),
            requests: row.requests(),
            exemplar: row.long("duration_ns").map(|duration_ns| Exemplar {
                trace_id: TraceId(row.id("trace_id")).to_string(),
                span_id: SpanId(row.id("span_id")).to_string(),
                duration_ns,
                is_error: row.count("is_error") > 0,
            }),
        }),
        operations,
    }))
}

fn step_ns((from, to): Times, step: Option<&str>) -> Result<i64> {
    let length = to.saturating_sub(from);
    let Some(step) = step else { return Ok((length / POINTS_DEFAULT).max(1)) };
    match input::duration(step)? {
        step if step > 0 && length / step < POINTS_MAX => Ok(step),
        _ => Err(QueryError::Limit {
            limit: "red_points_max",
            message: format!("at most {POINTS_MAX} steps: choose a longer one"),
        }),
    }
}

/// A row of an answer.
struct Row<'a> {
    batch: &'a RecordBatch,
    at: usize,
}

fn rows<T>(batches: &[RecordBatch], read: impl Fn(&Row<'_>) -> T) -> Vec<T> {
    let all =
        batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |at| Row { batch, at }));
    all.map(|row| read(&row)).collect()
}

impl Row<'_> {
    fn text(&self, column: &str) -> String {
        let texts =
            self.batch.column_by_name(column).and_then(|array| array.as_string_opt::<i32>());
        texts
            .filter(|texts| texts.is_valid(self.at))
            .map_or("", |texts| texts.value(self.at))
            .to_owned()
    }

    fn id<const N: usize>(&self, column: &str) -> [u8; N] {
        let ids = self.batch.column_by_name(column).and_then(|array| array.as_binary_opt::<i32>());
        ids.and_then(|ids| ids.value(self.at).try_into().ok()).unwrap_or([0; N])
    }

    fn long(&self, column: &str) -> Option<i64> {
        let array = self.batch.column_by_name(column)?.as_primitive_opt::<Int64Type>()?;
        array.is_valid(self.at).then(|| array.value(self.at))
    }

    fn count(&self, column: &str) -> i64 {
        self.long(column).unwrap_or(0)
    }

    fn percentiles(&self) -> Percentiles {
        Percentiles {
            p50_ns: self.long("p50_ns"),
            p95_ns: self.long("p95_ns"),
            p99_ns: self.long("p99_ns"),
        }
    }

    fn requests(&self) -> Requests {
        Requests {
            requests: self.count("requests"),
            errors: self.count("errors"),
            durations: self.percentiles(),
        }
    }
}
