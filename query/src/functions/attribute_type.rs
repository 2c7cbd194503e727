//! `attribute_type(attributes, key)`: the type the sender gave a value.
//!
//! One of `string`, `int`, `double`, `bool`, `bytes`, `array`, `kvlist`, `empty` (sent without a
//! member set); null when the key is missing or was sent without a value.

use std::borrow::Cow;

use arrow::datatypes::DataType;
use causeway_model::value::{self, Value};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::attribute::{look_up, text_type};

/// The function.
pub(crate) fn udf() -> ScalarUDF {
    ScalarUDF::from(AttributeType { signature: Signature::any(2, Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct AttributeType {
    signature: Signature,
}

impl ScalarUDFImpl for AttributeType {
    fn name(&self) -> &'static str {
        "attribute_type"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        text_type(args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        look_up(&args, |text| type_of(text).map(Cow::Borrowed))
    }
}

fn type_of(text: &str) -> Option<&'static str> {
    Some(match value::parse(text).ok()? {
        Value::Empty => "empty",
        Value::String(_) => "string",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Double(_) => "double",
        Value::Bytes(_) => "bytes",
        Value::Array(_) => "array",
        Value::KvList(_) => "kvlist",
    })
}
