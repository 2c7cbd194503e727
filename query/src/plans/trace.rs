//! The spans of one trace.

use causeway_model::columns::name;
use causeway_model::{SpanId, TraceId};
use datafusion::logical_expr::{LogicalPlan, col, lit};
use datafusion::scalar::ScalarValue;

use crate::catalog::{Session, stored};
use crate::error::Result;

/// All storage columns of a trace's spans.
pub(crate) fn spans(session: &Session, id: TraceId) -> Result<LogicalPlan> {
    let wanted = col(name::TRACE_ID).eq(lit(ScalarValue::Binary(Some(id.0.to_vec()))));
    Ok(stored(session.stored())?.filter(wanted)?.build()?)
}

/// All storage columns of the spans with one id: several when the sender used it twice.
pub(crate) fn span(session: &Session, trace: TraceId, span: SpanId) -> Result<LogicalPlan> {
    let is = |column, id: &[u8]| col(column).eq(lit(ScalarValue::Binary(Some(id.to_vec()))));
    let wanted = is(name::TRACE_ID, &trace.0).and(is(name::SPAN_ID, &span.0));
    Ok(stored(session.stored())?.filter(wanted)?.build()?)
}
