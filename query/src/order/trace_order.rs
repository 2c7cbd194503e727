//! The order of one or more traces.

use arrow::array::RecordBatch;
use causeway_clock::order::{Order, OrderSettings};

use super::gather::Gathered;
use crate::error::{QueryError, Result};

/// Spans and their order.
#[derive(Debug)]
pub(crate) struct TraceOrder {
    pub(crate) gathered: Gathered,
    pub(crate) order: Order,
}

impl TraceOrder {
    /// Orders the spans of batches of the storage schema, with all attributes, in which none repeats.
    ///
    /// # Errors
    /// There are more spans than can be ordered, or a batch is not of the storage schema.
    pub(crate) fn new(batches: &[RecordBatch]) -> Result<Self> {
        let internal = |error: arrow::error::ArrowError| QueryError::Internal(error.to_string());
        let gathered = Gathered::new(batches).map_err(internal)?;
        let order = Order::build(&gathered.spans, &[], &OrderSettings::default());
        let order = order.map_err(|error| QueryError::Limit {
            limit: "order_spans_max",
            message: error.to_string(),
        })?;
        Ok(Self { gathered, order })
    }
}
