//! Batches of the storage schema with other attribute columns than they were made with.

use std::sync::Arc;

use arrow::array::{RecordBatch, new_null_array};
use arrow::datatypes::Schema;
use arrow::error::ArrowError;

use super::attribute_columns::{AttributeColumn, AttributeColumns};
use super::attributes::Attributes;
use crate::columns::{self, name};

/// The same spans with `attribute_columns`. Columns that came to the storage schema later are null
/// in older batches.
///
/// # Errors
/// The attributes of the batch are damaged.
pub fn relayout(
    batch: &RecordBatch,
    attribute_columns: &AttributeColumns,
) -> Result<RecordBatch, ArrowError> {
    let mut fields = columns::schema().fields().to_vec();
    let mut arrays = Vec::with_capacity(fields.len());
    for field in &fields {
        arrays.push(match batch.column_by_name(field.name()) {
            Some(array) => Arc::clone(array),
            None => new_null_array(field.data_type(), batch.num_rows()),
        });
    }
    if AttributeColumns::of_schema(batch.schema_ref()) == *attribute_columns {
        for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            if AttributeColumn::of_field(field).is_some() {
                fields.push(Arc::clone(field));
                arrays.push(Arc::clone(array));
            }
        }
    } else {
        let damaged = || ArrowError::SchemaError("the attributes are damaged".to_owned());
        let moved = Attributes::moved(batch, attribute_columns).ok_or_else(damaged)?.finish()?;
        for (wanted, array) in [(name::ATTRIBUTES, moved.rest), (name::ATTRIBUTE_KEYS, moved.keys)]
        {
            let at = fields.iter().position(|field| field.name() == wanted);
            if let Some(slot) = at.and_then(|at| arrays.get_mut(at)) {
                *slot = array;
            }
        }
        for (field, array) in moved.columns {
            fields.push(Arc::new(field));
            arrays.push(array);
        }
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
}
