//! `all_attributes(attributes, attribute_keys, key, column, key, column, ..)`: the map users see.
//!
//! Frequent attributes are stored in columns; this puts them back beside the others, in the
//! sender's order. Asking for one key of the result is simplified to that key's column, see
//! [`super::attribute`], so the whole map is only made where somebody wants the whole map.

use std::sync::Arc;

use arrow::array::{ArrayRef, MapArray, RecordBatch, StringArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Schema};
use causeway_model::batch::{AttributeColumn, AttributeKind};
use causeway_model::columns::{Kind, map_entries_field, map_entry_fields, name, repeated_text};
use causeway_model::rows::AttributeRows;
use datafusion::common::{exec_err, internal_datafusion_err};
use datafusion::error::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// Its name in plans.
pub(crate) const NAME: &str = "all_attributes";

/// The function.
pub(crate) fn udf() -> ScalarUDF {
    ScalarUDF::from(AllAttributes { signature: Signature::variadic_any(Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct AllAttributes {
    signature: Signature,
}

/// The map and the column of `key` behind a call of this function.
pub(crate) fn parts<'a>(expr: &'a Expr, key: &str) -> Option<(&'a Expr, Option<&'a Expr>)> {
    let Expr::ScalarFunction(ScalarFunction { func, args }) = expr else {
        return None;
    };
    if func.name() != NAME {
        return None;
    }
    let (rest, columns) = (args.first()?, args.get(2..)?);
    let is_key = |expr: &Expr| matches!(expr, Expr::Literal(known, _) if known.try_as_str().flatten() == Some(key));
    let column = columns.as_chunks::<2>().0.iter().find(|[known, _]| is_key(known));
    Some((rest, column.map(|[_, column]| column)))
}

impl ScalarUDFImpl for AllAttributes {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _args: &[DataType]) -> Result<DataType> {
        Ok(Kind::Attributes.data_type())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [rest, order, columns @ ..] = args.args.as_slice() else {
            return exec_err!("expected attributes, their keys, and columns");
        };
        let rows = args.number_rows;
        let mut fields = vec![
            Field::new(name::ATTRIBUTES, Kind::Attributes.data_type(), true),
            Field::new(name::ATTRIBUTE_KEYS, repeated_text(), true),
        ];
        let mut arrays = vec![rest.to_array(rows)?, order.to_array(rows)?];
        for [key, column] in columns.as_chunks::<2>().0 {
            let ColumnarValue::Scalar(key) = key else {
                return exec_err!("keys of attribute columns are constants");
            };
            let key = key.try_as_str().flatten().unwrap_or_default().to_owned();
            fields.push(AttributeColumn { key, kind: AttributeKind::Text }.field());
            arrays.push(column.to_array(rows)?);
        }
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?;
        let map: ArrayRef = Arc::new(joined(&batch)?);
        Ok(ColumnarValue::Array(map))
    }
}

/// All attributes of each row as a map.
fn joined(batch: &RecordBatch) -> Result<MapArray> {
    let attributes = AttributeRows::of(batch)
        .ok_or_else(|| internal_datafusion_err!("stored attributes are damaged"))?;
    let (mut keys, mut values, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..batch.num_rows() {
        let first = keys.len();
        for (key, value) in attributes.entries(row) {
            keys.push(key);
            values.push(value.map(|value| value.text()));
        }
        lengths.push(keys.len() - first);
    }
    let arrays: Vec<ArrayRef> =
        vec![Arc::new(StringArray::from(keys)), Arc::new(StringArray::from_iter(values))];
    let entries = StructArray::try_new(map_entry_fields(), arrays, None)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(MapArray::try_new(Arc::new(map_entries_field()), offsets, entries, None, false)?)
}
