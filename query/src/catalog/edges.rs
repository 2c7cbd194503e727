//! Calls from service to service: spans whose parent belongs to another service.

use std::sync::Arc;

use arrow::datatypes::DataType;
use causeway_model::columns::name;
use datafusion::error::Result;
use datafusion::functions_aggregate::expr_fn::{approx_percentile_cont, count, sum};
use datafusion::logical_expr::{
    Expr, JoinType, LogicalPlan, LogicalPlanBuilder, cast, col, lit, when,
};

use super::stored::StoredSpans;
use super::views::stored;
use crate::functions::{call, span_duration, unix_time};
/// Length of the stretches of time by which `edges` counts.
const MINUTE_NS: i64 = 60_000_000_000;

const CLIENT: i32 = 3;
const SERVER: i32 = 2;
const ERROR: i32 = 2;

/// Columns of one call: `caller`, `callee`, `start` of the called span (Unix nanoseconds), `is_error` (1 or 0, of
/// either end), `duration_ns` of the called span, and `network_ns`, what the calling span took beyond that, where
/// they are client and server.
///
/// # Errors
/// The plan cannot be made, which is a bug.
pub(crate) fn calls(
    table: &Arc<StoredSpans>,
    restrict: impl Fn(LogicalPlanBuilder) -> Result<LogicalPlanBuilder>,
) -> Result<LogicalPlanBuilder> {
    let side = |alias: &str, id: &str| {
        let spans = stored(table)?.filter(col(name::SERVICE_NAME).is_not_null())?;
        let duration = vec![col(name::START_TIME_UNIX_NANO), col(name::DURATION_NS)];
        restrict(spans)?
            .project(vec![
                col(name::TRACE_ID).alias(format!("{alias}_trace")),
                col(id).alias(format!("{alias}_id")),
                text(col(name::SERVICE_NAME)).alias(alias),
                col(name::KIND).alias(format!("{alias}_kind")),
                is_error()?.alias(format!("{alias}_error")),
                col(name::START_TIME_UNIX_NANO).alias(format!("{alias}_start")),
                call(span_duration::NAME, duration).alias(format!("{alias}_duration")),
            ])?
            .build()
    };
    let (callee, caller) = (side("callee", name::PARENT_SPAN_ID)?, side("caller", name::SPAN_ID)?);
    let keys = (vec!["callee_trace", "callee_id"], vec!["caller_trace", "caller_id"]);
    let is_plain = col("caller_kind").eq(lit(CLIENT)).and(col("callee_kind").eq(lit(SERVER)));
    let beyond = col("caller_duration") - col("callee_duration");
    let either = col("caller_error").gt(lit(0_i64)).or(col("callee_error").gt(lit(0_i64)));
    LogicalPlanBuilder::from(callee)
        .join(caller, JoinType::Inner, keys, None)?
        .filter(col("caller").not_eq(col("callee")))?
        .project(vec![
            col("caller"),
            col("callee"),
            col("callee_start").alias("start"),
            as_number(either)?.alias("is_error"),
            col("callee_duration").alias("duration_ns"),
            when(is_plain, beyond).end()?.alias("network_ns"),
        ])
}

/// 1 for spans that failed, 0 for others.
pub(crate) fn is_error() -> Result<Expr> {
    as_number(col(name::STATUS_CODE).eq(lit(ERROR)))
}

/// 1 where a condition holds, 0 elsewhere, also where it cannot be told.
fn as_number(condition: Expr) -> Result<Expr> {
    when(condition, lit(1_i64)).otherwise(lit(0_i64))
}

/// Text that is not dictionary-encoded, for readers of the result.
pub(crate) fn text(expr: Expr) -> Expr {
    cast(expr, DataType::Utf8)
}

/// The percentiles of a column that lists of services and calls show: `p50`, `p95` and `p99`, named by the column.
pub(crate) fn percentiles(column: &str, prefix: &str) -> Vec<Expr> {
    [("p50", 0.50), ("p95", 0.95), ("p99", 0.99)]
        .map(|(named, share)| {
            let sorted = col(column).sort(true, false);
            let value = approx_percentile_cont(sorted, lit(share), None);
            cast(value, DataType::Int64).alias(format!("{prefix}{named}_ns"))
        })
        .into()
}

/// What is said of several calls: `calls`, `errors`, percentiles of duration and of network time.
pub(crate) fn counted() -> Vec<Expr> {
    let mut said = vec![count(lit(1_i64)).alias("calls"), sum(col("is_error")).alias("errors")];
    said.extend(percentiles("duration_ns", ""));
    said.extend(percentiles("network_ns", "network_"));
    said
}

/// The table `edges`: calls by minute, caller and callee.
pub(super) fn edges(table: &Arc<StoredSpans>) -> Result<LogicalPlan> {
    let minute = col("start") - col("start") % lit(MINUTE_NS);
    let by = vec![minute.alias("minute_unix_nano"), col("caller"), col("callee")];
    let said = ["calls", "errors", "p50_ns", "p95_ns", "p99_ns"].map(col);
    let network = ["network_p50_ns", "network_p95_ns", "network_p99_ns"].map(col);
    let minute = call(unix_time::NAME, vec![col("minute_unix_nano")]).alias("minute");
    let shown = [minute, col("caller"), col("callee")].into_iter().chain(said).chain(network);
    calls(table, Ok)?.aggregate(by, counted())?.project(shown)?.build()
}
