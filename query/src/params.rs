//! Values for the placeholders of a statement.

use datafusion::common::ParamValues;
use datafusion::scalar::ScalarValue;
use serde_json::Value;

use crate::error::{QueryError, Result};

/// Values for `$1`, `$2`, ... or `$name` in a statement.
#[derive(Debug, Clone)]
pub struct Params(pub(crate) ParamValues);

impl Params {
    /// An array for `$1`, `$2`, ...; an object for `$name`.
    ///
    /// # Errors
    /// A value is neither a string, a number, a boolean nor null.
    pub fn from_json(params: &Value) -> Result<Self> {
        let values = match params {
            Value::Array(list) => {
                ParamValues::from(list.iter().map(scalar).collect::<Result<Vec<ScalarValue>>>()?)
            }
            Value::Object(named) => {
                let named = named.iter().map(|(name, value)| Ok((name.clone(), scalar(value)?)));
                ParamValues::from(named.collect::<Result<Vec<(String, ScalarValue)>>>()?)
            }
            _ => return Err(QueryError::bad_request("params is an array or an object")),
        };
        Ok(Self(values))
    }
}

fn scalar(value: &Value) -> Result<ScalarValue> {
    Ok(match value {
        Value::Null => ScalarValue::Utf8(None),
        Value::Bool(value) => ScalarValue::Boolean(Some(*value)),
        Value::String(text) => ScalarValue::Utf8(Some(text.clone())),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(int), _) => ScalarValue::Int64(Some(int)),
            (None, Some(int)) => ScalarValue::UInt64(Some(int)),
            (None, None) => ScalarValue::Float64(number.as_f64()),
        },
        _ => {
            return Err(QueryError::bad_request(
                "a parameter is a string, number, boolean or null",
            ));
        }
    })
}
