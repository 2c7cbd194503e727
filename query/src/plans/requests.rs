//! Rate, errors and durations: of services, of the calls between them, and over time.
//!
//! A request of a service is a span that something outside of it asked for: of kind SERVER or CONSUMER, or without a
//! parent. Percentiles are approximate (t-digest).

use causeway_model::columns::name;
use datafusion::functions_aggregate::expr_fn::{count, first_value, max, sum};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, col, lit};
use datafusion::scalar::ScalarValue;

use crate::catalog::edges::{self, is_error, percentiles, text};
use crate::catalog::{Session, stored};
use crate::error::Result;
use crate::functions::{call, span_duration};
use crate::read::Times;

const SERVER: i32 = 2;
const CONSUMER: i32 = 5;

/// Which spans are looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    /// Starts, Unix nanoseconds, both inclusive.
    pub(crate) times: Times,
    /// Only traces whose ids begin with one of the first `1 / 2^halvings` of all bytes: ids are random, so these are a
    /// fair sample, and files are sorted by them.
    pub(crate) halvings: u32,
}

impl Part {
    fn of(self, spans: LogicalPlanBuilder) -> datafusion::error::Result<LogicalPlanBuilder> {
        let (from, to) = self.times;
        let start = || col(name::START_TIME_UNIX_NANO);
        let spans = spans.filter(start().gt_eq(lit(from)).and(start().lt_eq(lit(to))))?;
        if self.halvings == 0 {
            return Ok(spans);
        }
        let bound = (u64::MAX >> self.halvings.min(63)).to_be_bytes();
        let bound = ScalarValue::Binary(Some([bound, [0xff; 8]].concat()));
        spans.filter(col(name::TRACE_ID).lt_eq(lit(bound)))
    }
}

/// Columns `service, requests, errors, p50_ns, p95_ns, p99_ns`, by service.
pub(crate) fn services(session: &Session, part: Part) -> Result<LogicalPlan> {
    let spans = part.of(stored(session.stored())?)?.filter(is_request())?;
    by(spans, vec![text(col(name::SERVICE_NAME)).alias("service")], "service")
}

/// Columns `caller, callee, calls, errors`, percentiles of durations and of network time, by both names.
pub(crate) fn calls(session: &Session, part: Part) -> Result<LogicalPlan> {
    let calls = edges::calls(session.stored(), |spans| part.of(spans))?;
    let counted = calls.aggregate(vec![col("caller"), col("callee")], edges::counted())?;
    Ok(counted
        .sort(vec![col("caller").sort(true, false), col("callee").sort(true, false)])?
        .build()?)
}

/// Requests of a service, or spans of one of its operations.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) service: String,
    pub(crate) operation: Option<String>,
    pub(crate) times: Times,
}

impl Asked {
    fn spans(&self, session: &Session) -> Result<LogicalPlanBuilder> {
        let part = Part { times: self.times, halvings: 0 };
        let spans = part.of(stored(session.stored())?)?;
        let spans = spans.filter(col(name::SERVICE_NAME).eq(lit(self.service.as_str())))?;
        Ok(match &self.operation {
            Some(operation) => spans.filter(col(name::NAME).eq(lit(operation.as_str())))?,
            None => spans.filter(is_request())?,
        })
    }
}

/// One row: `requests, errors, p50_ns, p95_ns, p99_ns`.
pub(crate) fn total(session: &Session, asked: &Asked) -> Result<LogicalPlan> {
    by(asked.spans(session)?, Vec::new(), "requests")
}

/// The same by `name`.
pub(crate) fn operations(session: &Session, asked: &Asked) -> Result<LogicalPlan> {
    by(asked.spans(session)?, vec![text(col(name::NAME)).alias("name")], "name")
}

/// The same by `start`, the multiples of a step, with `trace_id`, `span_id`, `is_error` and `duration_ns` of the slowest.
pub(crate) fn points(session: &Session, asked: &Asked, step_ns: i64) -> Result<LogicalPlan> {
    let start = || col(name::START_TIME_UNIX_NANO);
    let slowest = |column: &str| {
        first_value(col(column), vec![col("duration_ns").sort(false, false)]).alias(column)
    };
    let spans = with_duration(
        asked.spans(session)?,
        vec![
            (start() - start() % lit(step_ns)).alias("start"),
            col(name::TRACE_ID),
            col(name::SPAN_ID),
        ],
    )?;
    let mut said = said();
    said.extend([name::TRACE_ID, name::SPAN_ID, "is_error"].map(slowest));
    said.push(max(col("duration_ns")).alias("duration_ns"));
    let points = spans.aggregate(vec![col("start")], said)?;
    Ok(points.sort(vec![col("start").sort(true, false)])?.build()?)
}

fn is_request() -> Expr {
    let kind = col(name::KIND);
    let is_called = kind.clone().eq(lit(SERVER)).or(kind.eq(lit(CONSUMER)));
    let has_service = col(name::SERVICE_NAME).is_not_null();
    has_service.and(is_called.or(col(name::PARENT_SPAN_ID).is_null()))
}

fn with_duration(spans: LogicalPlanBuilder, mut columns: Vec<Expr>) -> Result<LogicalPlanBuilder> {
    let duration = vec![col(name::START_TIME_UNIX_NANO), col(name::DURATION_NS)];
    columns.push(is_error()?.alias("is_error"));
    columns.push(call(span_duration::NAME, duration).alias("duration_ns"));
    Ok(spans.project(columns)?)
}

fn said() -> Vec<Expr> {
    let mut said = vec![count(lit(1_i64)).alias("requests"), sum(col("is_error")).alias("errors")];
    said.extend(percentiles("duration_ns", ""));
    said
}

fn by(spans: LogicalPlanBuilder, keys: Vec<Expr>, order: &str) -> Result<LogicalPlan> {
    let names: Vec<Expr> = keys.iter().map(|key| col(key.schema_name().to_string())).collect();
    let spans = with_duration(spans, keys)?.aggregate(names, said())?;
    Ok(spans.sort(vec![col(order).sort(true, false)])?.build()?)
}
