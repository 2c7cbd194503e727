//! Attribute columns of the table, in files that have them and in those that have not.
//!
//! To a plan every attribute column of the snapshot exists in every file, as value text. Where a
//! file or batch lacks it, its values are looked up in the map of attributes; where some values
//! did not fit its type, in both.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, RecordBatch, StringArray, StringDictionaryBuilder, new_null_array,
};
use arrow::compute::{cast, interleave};
use arrow::datatypes::{DataType, Int32Type, Schema, SchemaRef};
use causeway_model::batch::{AttributeColumn, AttributeColumns, AttributeKind};
use causeway_model::columns::{self, name, repeated_text};
use causeway_model::rows::offsets_range;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{exec_err, internal_datafusion_err};
use datafusion::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_expr_adapter::{
    DefaultPhysicalExprAdapterFactory, PhysicalExprAdapter, PhysicalExprAdapterFactory,
};
use datafusion::scalar::ScalarValue;

use crate::functions::{META_SET, with_meaning};

/// The schema of a snapshot: storage columns, then each attribute column as value text.
pub(crate) fn table_schema(attributes: &AttributeColumns) -> SchemaRef {
    let texts = attributes
        .iter()
        .map(|column| AttributeColumn { key: column.key.clone(), kind: AttributeKind::Text });
    let stored = AttributeColumns::new(texts.collect()).schema();
    let fields = stored.fields().iter().map(|field| match field.name().as_str() {
        name::RESOURCE_ATTRIBUTES | name::SCOPE_ATTRIBUTES => {
            Arc::new(with_meaning(field.as_ref().clone(), META_SET))
        }
        _ => Arc::clone(field),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// A recent batch with the columns of `schema` at these positions.
pub(crate) fn project(
    batch: &RecordBatch,
    schema: &Schema,
    positions: &[usize],
) -> Result<RecordBatch> {
    let wanted = schema.project(positions)?;
    let arrays = wanted.fields().iter().map(|field| -> Result<ArrayRef> {
        let Ok((at, own)) = batch.schema_ref().fields().find(field.name()).ok_or(()) else {
            return match AttributeColumn::of_field(field) {
                Some(missing) => looked_up(attribute_map(batch)?, &missing.key),
                None if field.is_nullable() => {
                    Ok(new_null_array(field.data_type(), batch.num_rows()))
                }
                None => Err(internal_datafusion_err!("no column {}", field.name())),
            };
        };
        let array = batch.column(at);
        if columns::is_mixed(own) {
            let key = AttributeColumn::of_field(own).map(|column| column.key).unwrap_or_default();
            return either(
                &cast(array, &repeated_text())?,
                &looked_up(attribute_map(batch)?, &key)?,
            );
        }
        Ok(cast(array, field.data_type())?)
    });
    let arrays = arrays.collect::<Result<Vec<_>>>()?;
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::new(wanted), arrays, &options)?)
}

fn attribute_map(batch: &RecordBatch) -> Result<&ArrayRef> {
    batch
        .column_by_name(name::ATTRIBUTES)
        .ok_or_else(|| internal_datafusion_err!("no column {}", name::ATTRIBUTES))
}

/// The value text of the first entry with `key` in each map.
fn looked_up(maps: &ArrayRef, key: &str) -> Result<ArrayRef> {
    let maps =
        maps.as_map_opt().ok_or_else(|| internal_datafusion_err!("attributes are not a map"))?;
    let (keys, values): (&StringArray, &StringArray) =
        (maps.keys().as_string(), maps.values().as_string());
    let mut found = StringDictionaryBuilder::<Int32Type>::new();
    for row in 0..maps.len() {
        let at = offsets_range(maps.value_offsets(), row).find(|at| keys.value(*at) == key);
        found.append_option(at.filter(|at| values.is_valid(*at)).map(|at| values.value(at)));
    }
    Ok(Arc::new(found.finish()))
}

/// The first of two arrays of repeated text where it has a value, else the second.
fn either(first: &ArrayRef, second: &ArrayRef) -> Result<ArrayRef> {
    let rows = (0..first.len()).map(|row| (usize::from(first.is_null(row)), row));
    let joined = interleave(&[first.as_ref(), second.as_ref()], &rows.collect::<Vec<_>>())?;
    Ok(joined)
}

/// Puts lookups in the place of columns that a file does not have, or has in part.
#[derive(Debug)]
pub(crate) struct Adapters;

impl PhysicalExprAdapterFactory for Adapters {
    fn create(
        &self,
        logical: SchemaRef,
        physical: SchemaRef,
    ) -> Result<Arc<dyn PhysicalExprAdapter>> {
        let default = DefaultPhysicalExprAdapterFactory
            .create(SchemaRef::clone(&logical), SchemaRef::clone(&physical))?;
        Ok(Arc::new(Adapter { logical, physical, default }))
    }
}

#[derive(Debug)]
struct Adapter {
    logical: SchemaRef,
    physical: SchemaRef,
    default: Arc<dyn PhysicalExprAdapter>,
}

impl Adapter {
    /// What stands for a column in this file, if not the column itself.
    fn replacement(&self, column: &Column) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        let Ok(field) = self.logical.field_with_name(column.name()) else {
            return Ok(None);
        };
        let Some(attribute) = AttributeColumn::of_field(field) else {
            return Ok(None);
        };
        let mut args: Vec<Arc<dyn PhysicalExpr>> = vec![
            Arc::new(Column::new_with_schema(name::ATTRIBUTES, &self.logical)?),
            Arc::new(Literal::new(ScalarValue::from(attribute.key.as_str()))),
        ];
        match self.physical.field_with_name(column.name()) {
            Ok(own) if !columns::is_mixed(own) => return Ok(None),
            Ok(_) => args.push(Arc::new(column.clone())),
            Err(_) => {}
        }
        let function = Arc::new(ScalarUDF::from(StoredAttribute {
            signature: Signature::any(args.len(), Volatility::Immutable),
        }));
        let options = Arc::new(ConfigOptions::default());
        let call = ScalarFunctionExpr::try_new(function, args, &self.logical, options)?;
        Ok(Some(Arc::new(call)))
    }
}

impl PhysicalExprAdapter for Adapter {
    fn rewrite(&self, expr: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        let replaced = expr.transform_down(|expr| {
            let Some(column) = expr.downcast_ref::<Column>() else {
                return Ok(Transformed::no(expr));
            };
            Ok(match self.replacement(column)? {
                // What was put in must not be replaced again.
                Some(other) => Transformed::new(other, true, TreeNodeRecursion::Jump),
                None => Transformed::no(expr),
            })
        })?;
        self.default.rewrite(replaced.data)
    }
}

/// `stored_attribute(attributes, key[, column])`: the value text from the column, else the map.
#[derive(Debug, PartialEq, Eq, Hash)]
struct StoredAttribute {
    signature: Signature,
}

impl ScalarUDFImpl for StoredAttribute {
    fn name(&self) -> &'static str {
        "stored_attribute"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _args: &[DataType]) -> Result<DataType> {
        Ok(repeated_text())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [maps, ColumnarValue::Scalar(key), own @ ..] = args.args.as_slice() else {
            return exec_err!("expected attributes and a constant key");
        };
        let key = key.try_as_str().flatten().unwrap_or_default();
        let found = looked_up(&maps.to_array(args.number_rows)?, key)?;
        Ok(ColumnarValue::Array(match own.first() {
            Some(own) => {
                either(&cast(&own.to_array(args.number_rows)?, &repeated_text())?, &found)?
            }
            None => found,
        }))
    }
}
