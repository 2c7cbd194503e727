//! `GET /traces`: traces that match, a page at a time.
//!
//! A page ends with a cursor that names its last trace by what it is ordered by. The next page takes
//! what comes after that, so traces that arrive in between neither repeat nor hide others.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query as UrlQuery, State};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use causeway_analysis::detectors::{Finding, Severity};
use causeway_model::TraceId;
use serde::Serialize;

use super::error::ApiResult;
use crate::error::{QueryError, Result};
use crate::findings::FindingLog;
use crate::input;
use crate::query::Query;
use crate::search::{Filter, Order, Position, Search, Status, run};
use crate::trace::summary::Summary;
use crate::watch::TraceWatch;

const LIMIT_DEFAULT: usize = 20;

/// A page of traces.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    traces: Vec<TraceLine>,
    total: Total,
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Total {
    pub(super) value: usize,
    pub(super) exact: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct TraceLine {
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
    /// What was found in it, by detector, the worst first.
    findings: Vec<Found>,
}

/// Findings of one detector in one trace.
#[derive(Debug, Serialize)]
struct Found {
    detector: &'static str,
    severity: &'static str,
    count: usize,
    saving_ns: i64,
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
    let search = read(&pairs, query.settings().traces_page_max, query.watch())?;
    let order = search.order;
    let found = run(&query, search).await?;
    let log = query.watch().findings();
    Ok(Json(Page {
        traces: found.lines.into_iter().map(|(id, summary)| line(id, summary, &log)).collect(),
        total: Total { value: found.total, exact: found.is_exact },
        next_cursor: found.next.map(|last| cursor_after(order, &last)),
    }))
}

pub(super) fn line(id: TraceId, summary: Summary, log: &FindingLog) -> TraceLine {
    let services = summary.services.into_iter().map(|service| ServiceCount {
        name: service.name,
        spans: service.spans,
        errors: service.errors,
    });
    TraceLine {
        trace_id: id.to_string(),
        root_span_id: summary.root_span_id.map(|id| format!("{id:016x}")),
        root_service: summary.root_service,
        root_name: summary.root_name,
        start_unix_nano: summary.start_time_unix_nano.to_string(),
        duration_ns: summary.duration_ns,
        envelope_ns: summary.envelope_ns,
        spans: summary.spans,
        errors: summary.errors,
        services: services.collect(),
        missing_parents: summary.missing_parents,
        complete: summary.complete,
        findings: found_in(log.of_trace(&id.0)),
    }
}

fn found_in(findings: &[Finding]) -> Vec<Found> {
    let mut by_detector: BTreeMap<&'static str, (Severity, usize, i64)> = BTreeMap::new();
    for finding in findings {
        let (severity, count, saving_ns) =
            by_detector.entry(finding.detector).or_insert((Severity::Low, 0, 0));
        *severity = finding.severity.max(*severity);
        *count += 1;
        *saving_ns = saving_ns.saturating_add(finding.saving_ns);
    }
    let mut found: Vec<_> = by_detector.into_iter().collect();
    found.sort_by_key(|(_, (severity, _, saving_ns))| Reverse((*severity, *saving_ns)));
    let found = found.into_iter().map(|(detector, (severity, count, saving_ns))| Found {
        detector,
        severity: severity.label(),
        count,
        saving_ns,
    });
    found.collect()
}

pub(super) fn read(
    pairs: &[(String, String)],
    limit_max: usize,
    watch: &TraceWatch,
) -> Result<Search> {
    let traces_with =
        |wanted: &str| Some(Arc::new(watch.findings().traces_with(wanted).into_iter().collect()));
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
            "min_duration" => filter.duration_ns_min = Some(input::duration(value)?),
            "max_duration" => filter.duration_ns_max = Some(input::duration(value)?),
            "start" => filter.start = Some(input::time(value)?),
            "end" => filter.end = Some(input::time(value)?),
            "finding" => filter.traces = traces_with(value),
            "order" => order = order_named(value)?,
            "limit" => limit = limit_of(value, limit_max)?,
            "cursor" => cursor = Some(value),
            other => {
                return Err(QueryError::bad_request(format!("unknown parameter {other:?}")));
            }
        }
    }
    if order == Order::Worst && filter.traces.is_none() {
        filter.traces = traces_with("*");
    }
    let after = cursor.map(|cursor| position(cursor, order)).transpose()?;
    Ok(Search { filter, order, limit, after })
}

fn cursor_after(order: Order, last: &Position) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}:{}:{}", order_name(order), last.rank.0, last.id))
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
    ("worst", Order::Worst),
];

fn order_named(name: &str) -> Result<Order> {
    ORDERS.iter().find(|(known, _)| *known == name).map(|(_, order)| *order).ok_or_else(|| {
        QueryError::bad_request(format!(
            "order is newest, slowest, most_spans, most_errors or worst, not {name:?}"
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
