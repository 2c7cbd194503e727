//! `attribute(attributes, key)`: what `attributes['key']` means.
//!
//! Takes a map of value texts, or an attribute-set text (plain or dictionary-encoded; the latter is
//! searched once per distinct set). Gives the value as people read it: strings unquoted, everything
//! else as JSON; null for a missing key and for a value that was never set. The result's metadata
//! says that it is an attribute, which is how comparisons with numbers are recognised.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, Int32Array, MapArray, StringArray,
    StringDictionaryBuilder,
};
use arrow::datatypes::{DataType, Field, FieldRef, Int32Type};
use causeway_model::columns::repeated_text;
use causeway_model::rows::offsets_range;
use causeway_model::value;
use datafusion::common::{exec_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExpressionPlacement, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility, lit,
};

use super::{META_ATTRIBUTE, all_attributes, attribute_text, call, with_meaning};

/// Its name in plans.
pub(crate) const NAME: &str = "attribute";
/// Its name for the attributes of spans, where the optimiser may move it towards the scan.
pub(crate) const OF_SPAN: &str = "span_attribute";

/// The function.
pub(crate) fn udf() -> ScalarUDF {
    ScalarUDF::from(Attribute { name: NAME, signature: Signature::any(2, Volatility::Immutable) })
}

/// The function for the attributes of spans.
pub(crate) fn of_span() -> ScalarUDF {
    ScalarUDF::from(Attribute {
        name: OF_SPAN,
        signature: Signature::any(2, Volatility::Immutable),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Attribute {
    name: &'static str,
    signature: Signature,
}

impl ScalarUDFImpl for Attribute {
    fn name(&self) -> &'static str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        text_type(args)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let types: Vec<_> = args.arg_fields.iter().map(|f| f.data_type().clone()).collect();
        let field = Field::new(self.name(), text_type(&types)?, true);
        Ok(Arc::new(with_meaning(field, META_ATTRIBUTE)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        look_up(&args, shown)
    }

    /// One key of all attributes: its column if there is one, else the map without columns.
    fn simplify(&self, args: Vec<Expr>, _info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        Ok(match simplified(&args) {
            Some(simpler) => ExprSimplifyResult::Simplified(simpler),
            None => ExprSimplifyResult::Original(args),
        })
    }

    /// Near the scan is where one key is cheaper to get than the whole map.
    fn placement(&self, args: &[ExpressionPlacement]) -> ExpressionPlacement {
        match args {
            [
                ExpressionPlacement::Column | ExpressionPlacement::MoveTowardsLeafNodes,
                ExpressionPlacement::Literal,
            ] if self.name == OF_SPAN => ExpressionPlacement::MoveTowardsLeafNodes,
            _ => ExpressionPlacement::KeepInPlace,
        }
    }
}

/// The call `attribute(args)` in simpler words.
pub(crate) fn simplified(args: &[Expr]) -> Option<Expr> {
    let [set, Expr::Literal(key, _)] = args else {
        return None;
    };
    let (rest, column) = all_attributes::parts(set, key.try_as_str().flatten()?)?;
    Some(match column {
        Some(column) => call(attribute_text::NAME, vec![column.clone()]),
        None => call(NAME, vec![rest.clone(), lit(key.clone())]),
    })
}

/// A value as people read it; `None` for one that was never set.
pub(crate) fn shown(text: &str) -> Option<Cow<'_, str>> {
    (text != "null").then(|| value::display(text))
}

/// The result type for the given argument types: text that repeats stays so.
pub(super) fn text_type(args: &[DataType]) -> Result<DataType> {
    match args {
        [DataType::Utf8, DataType::Utf8] => Ok(DataType::Utf8),
        [DataType::Map(..), DataType::Utf8] => Ok(repeated_text()),
        [DataType::Dictionary(_, value), DataType::Utf8] if **value == DataType::Utf8 => {
            Ok(repeated_text())
        }
        other => plan_err!("expected attributes and a text key, not {other:?}"),
    }
}

/// Finds the stored text of a key in each row and gives what `show` makes of it.
pub(super) fn look_up(
    args: &ScalarFunctionArgs,
    show: impl Fn(&str) -> Option<Cow<'_, str>>,
) -> Result<ColumnarValue> {
    let [set, key] = args.args.as_slice() else {
        return exec_err!("expected two arguments");
    };
    let set = set.to_array(args.number_rows)?;
    let keys = match key {
        ColumnarValue::Scalar(scalar) => Keys::One(scalar.try_as_str().flatten()),
        ColumnarValue::Array(array) => Keys::Many(array.as_string()),
    };
    let result: ArrayRef = match set.data_type() {
        DataType::Map(..) => Arc::new(in_maps(set.as_map(), &keys, show)),
        DataType::Dictionary(..) => match keys {
            Keys::One(key) => Arc::new(in_dictionary(set.as_dictionary(), key, show)?),
            Keys::Many(_) => {
                let sets = arrow::compute::cast(&set, &DataType::Utf8)?;
                let found: ArrayRef = Arc::new(in_sets(sets.as_string(), &keys, show));
                arrow::compute::cast(&found, &repeated_text())?
            }
        },
        _ => Arc::new(in_sets(set.as_string(), &keys, show)),
    };
    Ok(ColumnarValue::Array(result))
}

/// One key for all rows, or one key per row.
enum Keys<'a> {
    One(Option<&'a str>),
    Many(&'a StringArray),
}

impl<'a> Keys<'a> {
    fn get(&self, row: usize) -> Option<&'a str> {
        match self {
            Self::One(key) => *key,
            Self::Many(keys) => keys.is_valid(row).then(|| keys.value(row)),
        }
    }
}

fn in_maps(
    maps: &MapArray,
    keys: &Keys<'_>,
    show: impl Fn(&str) -> Option<Cow<'_, str>>,
) -> DictionaryArray<Int32Type> {
    let (map_keys, values) = (maps.keys().as_string::<i32>(), maps.values().as_string::<i32>());
    let mut found = StringDictionaryBuilder::new();
    for row in 0..maps.len() {
        let at = keys.get(row).filter(|_| maps.is_valid(row)).and_then(|key| {
            offsets_range(maps.value_offsets(), row).find(|at| map_keys.value(*at) == key)
        });
        let text = at.filter(|at| values.is_valid(*at)).map(|at| values.value(at));
        found.append_option(text.and_then(&show));
    }
    found.finish()
}

fn in_sets(
    sets: &StringArray,
    keys: &Keys<'_>,
    show: impl Fn(&str) -> Option<Cow<'_, str>>,
) -> StringArray {
    let texts = sets.iter().enumerate().map(|(row, set)| {
        let text = value::lookup(set?, keys.get(row)?)?;
        show(&text).map(Cow::into_owned)
    });
    texts.collect()
}

fn in_dictionary(
    sets: &DictionaryArray<Int32Type>,
    key: Option<&str>,
    show: impl Fn(&str) -> Option<Cow<'_, str>>,
) -> Result<DictionaryArray<Int32Type>> {
    let values = in_sets(sets.values().as_string(), &Keys::One(key), show);
    // Nulls belong into the keys: not every kernel looks for them among the values.
    let is_null = |key: i32| usize::try_from(key).is_ok_and(|at| values.is_null(at));
    let keys: Int32Array = match values.null_count() {
        0 => sets.keys().clone(),
        _ => sets.keys().iter().map(|key| key.filter(|key| !is_null(*key))).collect(),
    };
    Ok(DictionaryArray::try_new(keys, Arc::new(values))?)
}
