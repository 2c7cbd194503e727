//! `compare_number(attribute, number)`: -1, 0 or 1 as the attribute is less, equal or greater.
//!
//! What a comparison of an attribute with a number is rewritten to. Integers are compared as
//! integers, and an integer with a double exactly, without rounding the integer. Null when the
//! attribute is not a number (nor text that reads as one), or either side is NaN or null.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, StringArray};
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int32Type, Int64Type, UInt64Type};
use causeway_model::value::{self, Number};
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// Its name in plans.
pub(crate) const NAME: &str = "compare_number";

/// The function.
pub(crate) fn udf() -> ScalarUDF {
    ScalarUDF::from(CompareNumber { signature: Signature::any(2, Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct CompareNumber {
    signature: Signature,
}

impl ScalarUDFImpl for CompareNumber {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _args: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int32)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [text, number] = args.args.as_slice() else {
            return exec_err!("expected two arguments");
        };
        let text = text.to_array(args.number_rows)?;
        let compared = match number {
            ColumnarValue::Scalar(scalar) => {
                let number = Exact::read(&scalar.to_array()?)?.first().copied().flatten();
                with_constant(&text, number)?
            }
            ColumnarValue::Array(numbers) => {
                let text = arrow::compute::cast(&text, &DataType::Utf8)?;
                let numbers = Exact::read(numbers)?;
                let rows = text.as_string::<i32>().iter().zip(numbers);
                rows.map(|(text, number)| order(read(text?)?, number?)).collect()
            }
        };
        Ok(ColumnarValue::Array(Arc::new(compared)))
    }
}

/// Compares each row with one number; text that repeats is read once.
fn with_constant(text: &ArrayRef, number: Option<Exact>) -> Result<Int32Array> {
    let compare = |texts: &StringArray| -> Int32Array {
        texts.iter().map(|text| order(read(text?)?, number?)).collect()
    };
    if let Some(dictionary) = text.as_dictionary_opt::<Int32Type>() {
        let values = compare(dictionary.values().as_string());
        let rows = arrow::compute::take(&values, dictionary.keys(), None)?;
        return Ok(rows.as_primitive::<Int32Type>().clone());
    }
    Ok(compare(arrow::compute::cast(text, &DataType::Utf8)?.as_string()))
}

/// A number without loss: every integer type fits 128 bits.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Exact {
    Int(i128),
    Double(f64),
}

impl Exact {
    fn read(array: &ArrayRef) -> Result<Vec<Option<Self>>> {
        let kind = array.data_type();
        Ok(match kind {
            DataType::UInt64 => {
                let ints = array.as_primitive::<UInt64Type>().iter();
                ints.map(|n| n.map(|n| Self::Int(i128::from(n)))).collect()
            }
            DataType::Decimal128(_, 0) => {
                let ints = array.as_primitive::<Decimal128Type>().iter();
                ints.map(|n| n.map(Self::Int)).collect()
            }
            _ if kind.is_integer() => {
                let ints = arrow::compute::cast(array, &DataType::Int64)?;
                let ints = ints.as_primitive::<Int64Type>().iter();
                ints.map(|n| n.map(|n| Self::Int(i128::from(n)))).collect()
            }
            _ => {
                let doubles = arrow::compute::cast(array, &DataType::Float64)?;
                doubles.as_primitive::<Float64Type>().iter().map(|n| n.map(Self::Double)).collect()
            }
        })
    }
}

/// The number an attribute's display text stands for.
fn read(text: &str) -> Option<Exact> {
    match text.as_bytes().first()? {
        // A string that itself begins with a quote is no number.
        b'"' => None,
        b'{' => match value::parse(text).ok()? {
            value::Value::Double(double) => Some(Exact::Double(double)),
            _ => None,
        },
        _ => value::number(text).map(|number| match number {
            Number::Int(int) => Exact::Int(i128::from(int)),
            Number::Double(double) => Exact::Double(double),
        }),
    }
}

fn order(left: Exact, right: Exact) -> Option<i32> {
    let ordering = match (left, right) {
        (Exact::Int(l), Exact::Int(r)) => Some(l.cmp(&r)),
        (Exact::Double(l), Exact::Double(r)) => l.partial_cmp(&r),
        (Exact::Int(l), Exact::Double(r)) => int_with_double(l, r),
        (Exact::Double(l), Exact::Int(r)) => int_with_double(r, l).map(Ordering::reverse),
    };
    ordering.map(|ordering| ordering as i32)
}

/// Compares without rounding the integer to a double, which would make 2^53 + 1 equal 2^53.
fn int_with_double(int: i128, double: f64) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    // The cast saturates, and no 64-bit integer reaches the ends of i128.
    let whole = double.trunc() as i128;
    Some(
        int.cmp(&whole)
            .then_with(|| 0.0_f64.partial_cmp(&double.fract()).unwrap_or(Ordering::Equal)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_and_doubles_are_compared_exactly() {
        let big = (1_i64 << 53) + 1;
        let check = |text: &str, number: Exact, expected: Option<i32>| {
            assert_eq!(read(text).and_then(|n| order(n, number)), expected, "{text} {number:?}");
        };
        check("404", Exact::Int(404), Some(0));
        check(&big.to_string(), Exact::Double(9_007_199_254_740_992.0), Some(1));
        check("9223372036854775807", Exact::Double(9_223_372_036_854_775_808.0), Some(-1));
        check("-1.5", Exact::Int(-1), Some(-1));
        check("1.5", Exact::Int(1), Some(1));
        check("1e300", Exact::Int(i128::from(i64::MAX)), Some(1));
        check("GET", Exact::Int(1), None);
        check("\"1", Exact::Int(1), None);
        check("{\"$double\":\"Infinity\"}", Exact::Int(1), Some(1));
        check("{\"$double\":\"NaN\"}", Exact::Int(1), None);
        check("1", Exact::Double(f64::NAN), None);
    }
}
