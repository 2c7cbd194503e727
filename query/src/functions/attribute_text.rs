//! `attribute_text(column)`: the values of an attribute column as people read them.
//!
//! What `attributes['key']` becomes when the key has a column: see [`super::attribute`] for the
//! form of the result.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Int32Array, StringArray};
use arrow::datatypes::{DataType, Field, FieldRef, Int32Type};
use causeway_model::columns::repeated_text;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use super::{META_ATTRIBUTE, attribute, map_array, with_meaning};

/// Its name in plans.
pub(crate) const NAME: &str = "attribute_text";

/// The function.
pub(crate) fn udf() -> ScalarUDF {
    let signature = Signature::exact(vec![repeated_text()], Volatility::Immutable);
    ScalarUDF::from(AttributeTexts { signature })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct AttributeTexts {
    signature: Signature,
}

impl ScalarUDFImpl for AttributeTexts {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _args: &[DataType]) -> Result<DataType> {
        Ok(repeated_text())
    }

    fn return_field_from_args(&self, _args: ReturnFieldArgs) -> Result<FieldRef> {
        let field = Field::new(self.name(), repeated_text(), true);
        Ok(Arc::new(with_meaning(field, META_ATTRIBUTE)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        map_array(&args.args, |arrays| match arrays.first() {
            Some(column) => shown(column),
            None => Ok(arrow::array::new_null_array(&repeated_text(), args.number_rows)),
        })
    }
}

fn shown(column: &ArrayRef) -> Result<ArrayRef> {
    let column = arrow::compute::cast(column, &repeated_text())?;
    let texts = column.as_dictionary::<Int32Type>();
    let values: StringArray =
        texts.values().as_string::<i32>().iter().map(|text| attribute::shown(text?)).collect();
    // Nulls belong into the keys: not every kernel looks for them among the values.
    let is_null = |key: i32| usize::try_from(key).is_ok_and(|at| values.is_null(at));
    let keys: Int32Array = match values.null_count() {
        0 => texts.keys().clone(),
        _ => texts.keys().iter().map(|key| key.filter(|key| !is_null(*key))).collect(),
    };
    Ok(Arc::new(DictionaryArray::try_new(keys, Arc::new(values))?))
}
