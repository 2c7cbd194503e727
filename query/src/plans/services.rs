//! Which services and operations there are.

use causeway_model::columns::name;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, col, lit};

use crate::catalog::edges::text;
use crate::catalog::{Session, stored};
use crate::error::Result;

/// Services with their number of spans, by name.
pub(crate) fn services(session: &Session) -> Result<LogicalPlan> {
    counted(
        stored(session.stored())?.filter(col(name::SERVICE_NAME).is_not_null())?,
        name::SERVICE_NAME,
    )
}

/// Span names of a service with their number of spans, by name.
pub(crate) fn operations(session: &Session, service: &str) -> Result<LogicalPlan> {
    let spans = stored(session.stored())?.filter(col(name::SERVICE_NAME).eq(lit(service)))?;
    counted(spans, name::NAME)
}

fn counted(spans: LogicalPlanBuilder, column: &str) -> Result<LogicalPlan> {
    let spans = spans
        .aggregate(vec![col(column)], vec![count(lit(1_i64)).alias("spans")])?
        .project(vec![text(col(column)).alias("name"), col("spans")])?
        .sort(vec![col("name").sort(true, false)])?;
    Ok(spans.build()?)
}
