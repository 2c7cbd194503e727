//! What a span must be for its trace to be found, as conditions on storage columns.

use std::collections::HashMap;
use std::sync::Arc;

use causeway_model::columns::name;
use datafusion::functions_aggregate::expr_fn::min;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlan, col, lit};
use datafusion::scalar::ScalarValue;

use crate::catalog::{Session, all_attributes, stored};
use crate::error::Result;
use crate::functions::{attribute, call, span_duration};
use crate::read::Times;

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
    /// Some traces only, with the number that [`Order::Worst`](super::Order::Worst) ranks them by.
    pub(crate) traces: Option<Arc<HashMap<[u8; 16], i64>>>,
}

impl Filter {
    /// Whether anything but time is asked of a span.
    pub(crate) fn has_conditions(&self) -> bool {
        !self.conditions(&col(name::ATTRIBUTES)).is_empty()
    }

    /// The usable start times asked for.
    pub(crate) fn times(&self) -> Option<Times> {
        let is_bounded = self.start.is_some() || self.end.is_some();
        is_bounded.then(|| (self.start.unwrap_or(1).max(1), self.end.unwrap_or(i64::MAX)))
    }

    /// Conditions on time, on storage columns.
    fn range(&self) -> Vec<Expr> {
        let start = || col(name::START_TIME_UNIX_NANO);
        let bounds = |(from, to): Times| [start().gt_eq(lit(from)), start().lt_eq(lit(to))];
        self.times().map(bounds).into_iter().flatten().collect()
    }

    /// All other conditions, on storage columns; `span_attributes` are all attributes of a span.
    fn conditions(&self, span_attributes: &Expr) -> Vec<Expr> {
        let mut all = Vec::new();
        all.extend(self.service.as_ref().map(|s| col(name::SERVICE_NAME).eq(lit(s.as_str()))));
        all.extend(self.operation.as_ref().map(|o| col(name::NAME).eq(lit(o.as_str()))));
        if let Some(traces) = &self.traces {
            let id = |id: &[u8; 16]| lit(ScalarValue::Binary(Some(id.to_vec())));
            all.push(col(name::TRACE_ID).in_list(traces.keys().map(id).collect(), false));
        }
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
            let is = |attributes: Expr| {
                let found = call(attribute::NAME, vec![attributes, lit(key.as_str())]);
                found.eq(lit(value.as_str()))
            };
            let resource = col(name::RESOURCE_ATTRIBUTES);
            all.push(is(span_attributes.clone()).or(is(resource)));
        }
        all
    }
}

/// Columns `trace_id` (bytes) and `start`, the earliest usable start of a matching span, one row for
/// each trace that has one.
pub(crate) fn matching(session: &Session, filter: &Filter) -> Result<LogicalPlan> {
    let mut spans = stored(session.stored())?;
    let conditions = filter.conditions(&all_attributes(session.stored()));
    if let Some(wanted) = conjunction([filter.range(), conditions].concat()) {
        spans = spans.filter(wanted)?;
    }
    let start = col(name::START_TIME_UNIX_NANO);
    let first = min(start.clone()).filter(start.gt(lit(0_i64))).build()?;
    Ok(spans.aggregate(vec![col(name::TRACE_ID)], vec![first.alias("start")])?.build()?)
}
