//! Which traces match, in which order.
//!
//! A search runs in two steps on one snapshot. The first gives one line per matching trace: its id
//! and the number it is ordered by; the caller keeps the best of a page and counts the rest. The
//! second makes the summaries of that page. A trace matches when one span fulfils all conditions.

use causeway_model::TraceId;
use causeway_model::columns::name;
use datafusion::functions_aggregate::expr_fn::{bool_or, count, max, min};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, col, lit};

use crate::catalog::{Session, stored};
use crate::error::Result;
use crate::functions::{attribute, call, span_duration, span_end};

/// Status of a span, as searches name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Unset,
    Ok,
    Error,
}

/// What some span of the trace must be.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) service: Option<String>,
    pub(crate) operation: Option<String>,
    /// Keys and values of span or resource attributes.
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) status: Option<Status>,
    pub(crate) duration_ns_min: Option<i64>,
    pub(crate) duration_ns_max: Option<i64>,
    /// Earliest start, inclusive.
    pub(crate) start: Option<i64>,
    /// Latest start, inclusive.
    pub(crate) end: Option<i64>,
}

/// What comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// By the earliest start of a matching span.
    Newest,
    /// By the envelope of the spans in the time range.
    Slowest,
    MostSpans,
    MostErrors,
}

impl Filter {
    /// Conditions on time, on storage columns.
    fn range(&self) -> Vec<Expr> {
        let start = || col(name::START_TIME_UNIX_NANO);
        let mut range = Vec::new();
        if self.start.is_some() || self.end.is_some() {
            range.push(start().gt_eq(lit(self.start.unwrap_or(1).max(1))));
            range.extend(self.end.map(|end| start().lt_eq(lit(end))));
        }
        range
    }

    /// All other conditions, on storage columns.
    fn conditions(&self) -> Vec<Expr> {
        let mut all = Vec::new();
        all.extend(self.service.as_ref().map(|s| col(name::SERVICE_NAME).eq(lit(s.as_str()))));
        all.extend(self.operation.as_ref().map(|o| col(name::NAME).eq(lit(o.as_str()))));
        let code = || col(name::STATUS_CODE);
        all.extend(self.status.map(|status| match status {
            Status::Unset => code().is_null().or(code().eq(lit(0_i32))),
            Status::Ok => code().eq(lit(1_i32)),
            Status::Error => code().eq(lit(2_i32)),
        }));
        let duration = || {
            let args = vec![col(name::START_TIME_UNIX_NANO), col(name::DURATION_NS)];
            call(span_duration::NAME, args)
        };
        all.extend(self.duration_ns_min.map(|min| duration().gt_eq(lit(min))));
        all.extend(self.duration_ns_max.map(|max| duration().lt_eq(lit(max))));
        for (key, value) in &self.attributes {
            let is = |column: &str| {
                let found = call(attribute::NAME, vec![col(column), lit(key.as_str())]);
                found.eq(lit(value.as_str()))
            };
            all.push(is(name::ATTRIBUTES).or(is(name::RESOURCE_ATTRIBUTES)));
        }
        all
    }
}

/// Columns `trace_id` (bytes) and `rank` (the larger, the earlier in the list), one row per match.
pub(crate) fn ranked(session: &Session, filter: &Filter, order: Order) -> Result<LogicalPlan> {
    let mut spans = stored(session.stored())?;
    let start = || col(name::START_TIME_UNIX_NANO);
    let is_set = || start().gt(lit(0_i64));
    // The newest can be found among matching spans; the others need all spans of matching traces.
    let (before, within) = match order {
        Order::Newest => ([filter.range(), filter.conditions()].concat(), None),
        _ => (filter.range(), conjunction(filter.conditions())),
    };
    if let Some(before) = conjunction(before) {
        spans = spans.filter(before)?;
    }
    let first = || min(start()).filter(is_set()).build();
    let mut measures = match order {
        Order::Newest => vec![first()?.alias("rank")],
        Order::Slowest => {
            let end = call(span_end::NAME, vec![start(), col(name::DURATION_NS)]);
            vec![first()?.alias("first"), max(end).filter(is_set()).build()?.alias("last")]
        }
        Order::MostSpans => vec![count(lit(1_i64)).alias("rank")],
        Order::MostErrors => {
            let is_error = col(name::STATUS_CODE).eq(lit(2_i32));
            vec![count(lit(1_i64)).filter(is_error).build()?.alias("rank")]
        }
    };
    let is_filtered = within.is_some();
    measures.extend(within.map(|condition| bool_or(condition).alias("is_match")));
    spans = spans.aggregate(vec![col(name::TRACE_ID)], measures)?;
    if is_filtered {
        spans = spans.filter(col("is_match"))?;
    }
    let rank = match order {
        Order::Slowest => col("last") - col("first"),
        _ => col("rank"),
    };
    Ok(spans.project(vec![col(name::TRACE_ID), rank.alias("rank")])?.build()?)
}

/// Rows of `traces` for some ids.
pub(crate) fn summaries(session: &Session, ids: &[TraceId]) -> Result<LogicalPlan> {
    let ids = ids.iter().map(|id| lit(id.to_string())).collect();
    let wanted = col("trace_id").in_list(ids, false);
    Ok(LogicalPlanBuilder::from(session.view("traces")?).filter(wanted)?.build()?)
}
