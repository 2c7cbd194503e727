//! `GET /traces`: traces that match, a page at a time.
//!
//! A page ends with a cursor that names its last trace by what it is ordered by. The next page takes
//! what comes after that, so traces that arrive in between neither repeat nor hide others.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use axum::Json;
use axum::extract::{Query as UrlQuery, State};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use causeway_model::TraceId;
use futures::StreamExt;
use serde::Serialize;

use super::error::ApiResult;
use super::params;
use crate::error::{QueryError, Result};
use crate::plans::search::{Filter, Order, Status, ranked, summaries};
use crate::query::{Batches, Query};

const LIMIT_DEFAULT: usize = 20;

/// A page of traces.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    traces: Vec<TraceLine>,
    total: Total,
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize)]
struct Total {
    value: usize,
    exact: bool,
}

#[derive(Debug, Serialize)]
struct TraceLine {
    trace_id: String,
    root_span_id: Option<String>,
    root_service: String,
    root_name: String,
    start_unix_nano: String,
    duration_ns: Option<i64>,
    envelope_ns: i64,
    spans: i64,
    errors: i64,
    services: Vec<ServiceCount>,
    missing_parents: i64,
    complete: bool,
}

#[derive(Debug, Serialize)]
struct ServiceCount {
    name: String,
    spans: i64,
    errors: i64,
}

pub(super) async fn search(
    State(query): State<Query>,
    UrlQuery(pairs): UrlQuery<Vec<(String, String)>>,
) -> ApiResult<Json<Page>> {
    let search = Search::read(&pairs, query.settings().traces_page_max)?;
    let plan = |session: &_| ranked(session, &search.filter, search.order);
    let mut matches = query.run("search", plan).await?;
    let (mut page, total) = best(&mut matches, &search).await?;
    let has_more = page.len() > search.limit;
    page.truncate(search.limit);
    let next_cursor = page.last().filter(|_| has_more).map(|last| search.cursor_after(last));
    let ids: Vec<TraceId> = page.iter().map(|place| place.id).collect();
    let traces = match ids.is_empty() {
        true => Vec::new(),
        false => {
            let place = matches.into_place();
            let batches = query.run_in(place, |session| summaries(session, &ids)).await?;
            lines(&batches.collect().await?, &ids)?
        }
    };
    Ok(Json(Page { traces, total: Total { value: total, exact: true }, next_cursor }))
}

/// Where a trace stands in the list: smaller comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Position {
    rank: Reverse<i64>,
    id: TraceId,
}

/// What was asked for.
#[derive(Debug)]
struct Search {
    filter: Filter,
    order: Order,
    limit: usize,
    after: Option<Position>,
}

impl Search {
    fn read(pairs: &[(String, String)], limit_max: usize) -> Result<Self> {
        let mut filter = Filter::default();
        let (mut order, mut limit, mut cursor) = (Order::Newest, LIMIT_DEFAULT, None);
        let some = |value: &String| (!value.is_empty()).then(|| value.clone());
        for (key, value) in pairs {
            match key.as_str() {
                "service" => filter.service = some(value),
                "operation" => filter.operation = some(value),
                "attr" => {
                    let (key, value) = value.split_once('=').ok_or_else(|| {
                        QueryError::bad_request(format!("attr is key=value, not {value:?}"))
                    })?;
                    filter.attributes.push((key.to_owned(), value.to_owned()));
                }
                _ if value.is_empty() => {}
                "status" => filter.status = Some(status(value)?),
                "min_duration" => filter.duration_ns_min = Some(params::duration(value)?),
                "max_duration" => filter.duration_ns_max = Some(params::duration(value)?),
                "start" => filter.start = Some(params::time(value)?),
                "end" => filter.end = Some(params::time(value)?),
                "order" => order = order_named(value)?,
                "limit" => limit = limit_of(value, limit_max)?,
                "cursor" => cursor = Some(value),
                other => {
                    return Err(QueryError::bad_request(format!("unknown parameter {other:?}")));
                }
            }
        }
        let after = cursor.map(|cursor| position(cursor, order)).transpose()?;
        Ok(Self { filter, order, limit, after })
    }

    fn cursor_after(&self, last: &Position) -> String {
        let text = format!("{}:{}:{}", order_name(self.order), last.rank.0, last.id);
        URL_SAFE_NO_PAD.encode(text)
    }
}

fn limit_of(value: &str, limit_max: usize) -> Result<usize> {
    match value.parse() {
        Ok(limit @ 1..) if limit <= limit_max => Ok(limit),
        _ => Err(QueryError::bad_request(format!(
            "limit is 1 to {limit_max} (traces_page_max), not {value:?}"
        ))),
    }
}

fn status(value: &str) -> Result<Status> {
    match value {
        "ok" => Ok(Status::Ok),
        "error" => Ok(Status::Error),
        "unset" => Ok(Status::Unset),
        other => {
            Err(QueryError::bad_request(format!("status is ok, error or unset, not {other:?}")))
        }
    }
}

const ORDERS: &[(&str, Order)] = &[
    ("newest", Order::Newest),
    ("slowest", Order::Slowest),
    ("most_spans", Order::MostSpans),
    ("most_errors", Order::MostErrors),
];

fn order_named(name: &str) -> Result<Order> {
    ORDERS.iter().find(|(known, _)| *known == name).map(|(_, order)| *order).ok_or_else(|| {
        QueryError::bad_request(format!(
            "order is newest, slowest, most_spans or most_errors, not {name:?}"
        ))
    })
}

fn order_name(order: Order) -> &'static str {
    ORDERS.iter().find(|(_, known)| *known == order).map_or("", |(name, _)| name)
}

fn position(cursor: &str, order: Order) -> Result<Position> {
    let read = || {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let mut parts = text.splitn(3, ':');
        let is_same_order = parts.next()? == order_name(order);
        let rank = Reverse(parts.next()?.parse().ok()?);
        let id = parts.next()?.parse().ok()?;
        is_same_order.then_some(Position { rank, id })
    };
    read().ok_or_else(|| QueryError::bad_request("the cursor does not belong to this search"))
}

/// The first places after the cursor, one more than the page holds, and the number of all matches.
async fn best(matches: &mut Batches, search: &Search) -> Result<(Vec<Position>, usize)> {
    let mut kept: BinaryHeap<Position> = BinaryHeap::new();
    let mut total = 0;
    while let Some(batch) = matches.next().await {
        let batch = batch?;
        total += batch.num_rows();
        let ids = batch.column(0).as_binary::<i32>();
        let ranks = batch.column(1).as_primitive::<Int64Type>();
        for (id, rank) in ids.iter().zip(ranks.iter()) {
            let Some(Ok(id)) = id.map(TryInto::try_into) else {
                continue;
            };
            let place = Position { rank: Reverse(rank.unwrap_or(0)), id: TraceId(id) };
            if search.after.is_some_and(|after| place <= after) {
                continue;
            }
            kept.push(place);
            if kept.len() > search.limit + 1 {
                kept.pop();
            }
        }
    }
    Ok((kept.into_sorted_vec(), total))
}

/// Summaries in the order of `ids`.
fn lines(batches: &[RecordBatch], ids: &[TraceId]) -> Result<Vec<TraceLine>> {
    let mut by_id: HashMap<String, TraceLine> = HashMap::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let line = line(batch, row)
                .ok_or_else(|| QueryError::Internal("unexpected columns of traces".to_owned()))?;
            by_id.insert(line.trace_id.clone(), line);
        }
    }
    Ok(ids.iter().filter_map(|id| by_id.remove(&id.to_string())).collect())
}

fn line(batch: &RecordBatch, row: usize) -> Option<TraceLine> {
    let text = |name: &str| {
        let column = batch.column_by_name(name)?.as_string_opt::<i32>()?;
        Some(column.is_valid(row).then(|| column.value(row).to_owned()))
    };
    let long = |name: &str| {
        let column = batch.column_by_name(name)?.as_primitive_opt::<Int64Type>()?;
        Some(column.is_valid(row).then(|| column.value(row)))
    };
    let services = batch.column_by_name("services")?.as_list_opt::<i32>()?.value(row);
    let services = services.as_struct_opt()?;
    let names = services.column_by_name("name")?.as_string_opt::<i32>()?;
    let spans = services.column_by_name("spans")?.as_primitive_opt::<Int64Type>()?;
    let errors = services.column_by_name("errors")?.as_primitive_opt::<Int64Type>()?;
    let services = (0..names.len()).map(|at| ServiceCount {
        name: names.value(at).to_owned(),
        spans: spans.value(at),
        errors: errors.value(at),
    });
    Some(TraceLine {
        trace_id: text("trace_id")??,
        root_span_id: text("root_span_id")?,
        root_service: text("root_service")?.unwrap_or_default(),
        root_name: text("root_name")?.unwrap_or_default(),
        start_unix_nano: long("start_time_unix_nano")?.unwrap_or(0).to_string(),
        duration_ns: long("duration_ns")?,
        envelope_ns: long("envelope_ns")?.unwrap_or(0),
        spans: long("span_count")?.unwrap_or(0),
        errors: long("error_count")?.unwrap_or(0),
        services: services.collect(),
        missing_parents: long("missing_parents")?.unwrap_or(0),
        complete: batch.column_by_name("complete")?.as_boolean_opt()?.value(row),
    })
}
