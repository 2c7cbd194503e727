//! Batches of the storage schema with other attribute columns than they were made with.

use std::sync::Arc;

use arrow::array::{RecordBatch, new_null_array};
use arrow::datatypes::Schema;
use arrow::error::ArrowError;

use super::attribute_columns::{AttributeColumn, AttributeColumns};
use super::attributes::Attributes;
use crate::columns::{self, COLUMNS, name};

/// The same spans with `attribute_columns`. Columns that came to the storage schema later are null
/// in older batches, unless they are optional.
///
/// # Errors
/// The attributes of the batch are damaged.
pub fn relayout(
    batch: &RecordBatch,
    attribute_columns: &AttributeColumns,
) -> Result<RecordBatch, ArrowError> {
    let is_laid_out = AttributeColumns::of_schema(batch.schema_ref()) == *attribute_columns;
    let moved = (!is_laid_out).then(|| move_attributes(batch, attribute_columns)).transpose()?;
    let attributes = moved.as_ref().unwrap_or(batch);
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    for (column, field) in COLUMNS.iter().zip(columns::schema().fields()) {
        let array = attributes.column_by_name(column.name);
        let array = match array.or_else(|| batch.column_by_name(column.name)) {
            Some(array) => Arc::clone(array),
            None if column.is_optional => continue,
            None => new_null_array(field.data_type(), batch.num_rows()),
        };
        fields.push(Arc::clone(field));
        arrays.push(array);
    }
    for (field, array) in attributes.schema_ref().fields().iter().zip(attributes.columns()) {
        if AttributeColumn::of_field(field).is_some() {
            fields.push(Arc::clone(field));
            arrays.push(Arc::clone(array));
        }
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
}

/// Only the attributes of the spans of a batch, moved to where they lie with `attribute_columns`:
/// the map, the keys in their order, then the columns. The batch may lack all other columns.
///
/// # Errors
/// The attributes of the batch are damaged.
pub fn move_attributes(
    batch: &RecordBatch,
    attribute_columns: &AttributeColumns,
) -> Result<RecordBatch, ArrowError> {
    let damaged = || ArrowError::SchemaError("the attributes are damaged".to_owned());
    let moved = Attributes::moved(batch, attribute_columns).ok_or_else(damaged)?.finish()?;
    let schema = columns::schema();
    let mut fields = vec![
        schema.field_with_name(name::ATTRIBUTES)?.clone(),
        schema.field_with_name(name::ATTRIBUTE_KEYS)?.clone(),
    ];
    let mut arrays = vec![moved.rest, moved.keys];
    for (field, array) in moved.columns {
        fields.push(field);
        arrays.push(array);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
}
