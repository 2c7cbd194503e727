//! `span_duration(start, duration)`: the stored duration; null unless start and end are usable.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::{ScalarUDF, Volatility, create_udf};
use datafusion::physical_plan::ColumnarValue;

use super::{map_array, typed};

/// Its name in plans.
pub(crate) const NAME: &str = "span_duration";

/// The function.
pub(crate) fn udf() -> ScalarUDF {
    let evaluate =
        |args: &[ColumnarValue]| map_array(args, |arrays| usable(&arrays[0], &arrays[1]));
    let inputs = vec![DataType::Int64, DataType::Int64];
    create_udf(NAME, inputs, DataType::Int64, Volatility::Immutable, Arc::new(evaluate))
}

fn usable(start: &ArrayRef, duration: &ArrayRef) -> Result<ArrayRef> {
    let (starts, durations) = (typed::<Int64Array>(start)?, typed::<Int64Array>(duration)?);
    let rows = || starts.values().iter().zip(durations.values());
    let has_nulls = starts.null_count() + durations.null_count() > 0;
    // Nearly always every time is usable: then nothing is copied. One pass without branches.
    if !has_nulls && rows().fold(true, |all, (s, d)| all & (*s > 0) & (s.wrapping_add(*d) > 0)) {
        return Ok(Arc::clone(duration));
    }
    let rows = starts.iter().zip(durations.iter());
    Ok(Arc::new(rows.map(|(s, d)| duration_of(s?, d?)).collect::<Int64Array>()))
}

/// The duration of a span whose start and end are usable; negative when it ends before it starts.
pub(crate) fn duration_of(start: i64, duration: i64) -> Option<i64> {
    (start > 0 && start.wrapping_add(duration) > 0).then_some(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_unusable_time_makes_one_null() {
        let long = |values: &[i64]| -> ArrayRef { Arc::new(Int64Array::from(values.to_vec())) };
        let durations = long(&[1, -3, 5]);
        let all = usable(&long(&[9, 9, 9]), &durations).expect("runs");
        assert!(Arc::ptr_eq(&all, &durations));
        for (starts, expected) in [
            ([9, 2, 9], [Some(1), None, Some(5)]),
            ([0, 9, 9], [None, Some(-3), Some(5)]),
            ([9, 9, i64::MAX], [Some(1), Some(-3), None]),
            ([9, 9, -1], [Some(1), Some(-3), None]),
        ] {
            let found = usable(&long(&starts), &durations).expect("runs");
            let wanted: ArrayRef = Arc::new(Int64Array::from(expected.to_vec()));
            assert_eq!(&found, &wanted, "{starts:?}");
        }
    }
}
