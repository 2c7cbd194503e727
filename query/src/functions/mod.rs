//! SQL functions, one per file.
//!
//! The plain ones turn storage columns into what users see (`id_hex`, `unix_time`, ...): the `spans`
//! view is made of them and `catalog::predicate` knows how to undo them, so keep both in step.
//! A function is added by its file and one line in [`all`].
//!
//! Meaning that an Arrow type cannot carry travels as field metadata under [`META`].

pub(crate) mod all_attributes;
pub(crate) mod attribute;
pub(crate) mod attribute_text;
mod attribute_type;
pub(crate) mod compare_number;
pub(crate) mod id_hex;
pub(crate) mod span_duration;
pub(crate) mod span_end;
mod span_events;
mod span_links;
pub(crate) mod stamps;
pub(crate) mod status_of;
pub(crate) mod unix_time;
pub(crate) mod unsigned;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, StructArray};
use arrow::datatypes::{DataType, Field};
use datafusion::common::internal_datafusion_err;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, ScalarUDF};
use datafusion::physical_plan::ColumnarValue;
use datafusion::scalar::ScalarValue;

/// Metadata key of fields that mean more than their type says.
pub(crate) const META: &str = "causeway";
/// The text of one attribute value as people read it: the result of `attribute`.
pub(crate) const META_ATTRIBUTE: &str = "attribute";
/// The text of an attribute set.
pub(crate) const META_SET: &str = "attribute_set";
/// A map of attribute keys to value texts.
pub(crate) const META_MAP: &str = "attribute_map";
/// Hex text of a 16-byte id.
pub(crate) const META_TRACE_ID: &str = "trace_id";
/// Hex text of an 8-byte id.
pub(crate) const META_SPAN_ID: &str = "span_id";

/// Every scalar function of ours.
pub(crate) fn all() -> &'static [Arc<ScalarUDF>] {
    static ALL: LazyLock<Vec<Arc<ScalarUDF>>> = LazyLock::new(|| {
        [
            all_attributes::udf(),
            attribute::udf(),
            attribute::of_span(),
            attribute_text::udf(),
            attribute_type::udf(),
            compare_number::udf(),
            id_hex::udf(),
            span_duration::udf(),
            span_end::udf(),
            span_events::udf(),
            span_links::udf(),
            stamps::of_span(),
            stamps::list_of_span(),
            stamps::carried(),
            status_of::udf(),
            unix_time::udf(),
            unix_time::of_hybrid_clock(),
            unsigned::udf(),
        ]
        .map(Arc::new)
        .to_vec()
    });
    &ALL
}

/// Calls one of our functions by name. Names come from this crate only.
pub(crate) fn call(name: &str, args: Vec<Expr>) -> Expr {
    match all().iter().find(|udf| udf.name() == name) {
        Some(udf) => udf.call(args),
        None => Expr::Literal(ScalarValue::Null, None),
    }
}

/// The meaning of a field, if it has one.
pub(crate) fn meaning(field: &Field) -> Option<&str> {
    field.metadata().get(META).map(String::as_str)
}

/// Metadata that gives a field a meaning.
pub(crate) fn with_meaning(field: Field, meaning: &str) -> Field {
    field.with_metadata(HashMap::from([(META.to_owned(), meaning.to_owned())]))
}

fn attribute_set_field(name: &str) -> Field {
    with_meaning(Field::new(name, DataType::Utf8, false), META_SET)
}

fn id_field(name: &str, digits: usize) -> Field {
    let meaning = if digits == 32 { META_TRACE_ID } else { META_SPAN_ID };
    with_meaning(Field::new(name, DataType::Utf8, false), meaning)
}

/// Evaluates over arrays; all-scalar calls give a scalar, so that they fold into constants.
fn map_array(
    args: &[ColumnarValue],
    evaluate: impl FnOnce(&[ArrayRef]) -> Result<ArrayRef>,
) -> Result<ColumnarValue> {
    let is_scalar = args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
    let result = evaluate(&ColumnarValue::values_to_arrays(args)?)?;
    Ok(match is_scalar {
        true => ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?),
        false => ColumnarValue::Array(result),
    })
}

fn typed<T: Array + 'static>(array: &ArrayRef) -> Result<&T> {
    array
        .as_any()
        .downcast_ref::<T>()
        .ok_or_else(|| internal_datafusion_err!("unexpected argument type {}", array.data_type()))
}

fn member(array: &StructArray, name: &str) -> Result<ArrayRef> {
    array
        .column_by_name(name)
        .map(Arc::clone)
        .ok_or_else(|| internal_datafusion_err!("a stored list has no field {name}"))
}
