//! Statistics of one file as the Delta log keeps them, gathered batch by batch.

use arrow::array::{Array, AsArray};
use arrow::compute::{max, min};
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use causeway_model::columns::{COLUMNS, Column};
use serde_json::{Map, Value, json};

/// Texts longer than this are left without bounds: they would make the transaction log large.
const TEXT_BOUND_BYTES_MAX: usize = 64;

/// Number of rows, and nulls and bounds of the columns that are kept for pruning.
#[derive(Debug)]
pub(super) struct Statistics {
    rows: u64,
    columns: Vec<(&'static Column, ColumnStatistics)>,
}

#[derive(Debug, Default)]
struct ColumnStatistics {
    nulls: u64,
    bounds: Option<Bounds>,
}

/// Least and greatest value.
#[derive(Debug)]
enum Bounds {
    Number(i64, i64),
    Text(String, String),
}

impl Statistics {
    pub(super) fn new() -> Self {
        let kept = COLUMNS.iter().filter(|column| column.statistics);
        Self { rows: 0, columns: kept.map(|c| (c, ColumnStatistics::default())).collect() }
    }

    /// Counts the next rows of the file.
    pub(super) fn add_rows(&mut self, rows: usize) {
        self.rows += rows as u64;
    }

    /// Whether they are kept for a column.
    pub(super) fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|(column, _)| column.name == name)
    }

    /// Takes in a column of the next rows.
    pub(super) fn add(&mut self, name: &str, array: &dyn Array) {
        let Some((_, statistics)) = self.columns.iter_mut().find(|(c, _)| c.name == name) else {
            return;
        };
        statistics.nulls += array.logical_null_count() as u64;
        if let Some(bounds) = Bounds::of(array) {
            statistics.bounds = Some(match statistics.bounds.take() {
                Some(known) => known.and(bounds),
                None => bounds,
            });
        }
    }

    /// In the form of the Delta log.
    pub(super) fn to_json(&self) -> Value {
        let (mut least, mut greatest, mut nulls) = (Map::new(), Map::new(), Map::new());
        for (column, statistics) in &self.columns {
            nulls.insert(column.name.to_owned(), json!(statistics.nulls));
            let (low, high) = match &statistics.bounds {
                Some(Bounds::Number(low, high)) => (json!(low), json!(high)),
                Some(Bounds::Text(low, high))
                    if low.len().max(high.len()) <= TEXT_BOUND_BYTES_MAX =>
                {
                    (json!(low), json!(high))
                }
                _ => continue,
            };
            least.insert(column.name.to_owned(), low);
            greatest.insert(column.name.to_owned(), high);
        }
        json!({ "numRecords": self.rows, "minValues": least, "maxValues": greatest, "nullCount": nulls })
    }
}

impl Bounds {
    fn of(array: &dyn Array) -> Option<Self> {
        match array.data_type() {
            DataType::Int64 => {
                let values = array.as_primitive::<Int64Type>();
                Some(Self::Number(min(values)?, max(values)?))
            }
            DataType::Int32 => {
                let values = array.as_primitive::<Int32Type>();
                Some(Self::Number(min(values)?.into(), max(values)?.into()))
            }
            DataType::Dictionary(..) => Self::of_repeated(array),
            // Timestamps have their exact nanoseconds beside them.
            _ => None,
        }
    }

    /// Bounds of the values that rows use: a dictionary may hold more.
    fn of_repeated(array: &dyn Array) -> Option<Self> {
        let dictionary = array.as_dictionary_opt::<Int32Type>()?;
        let values = dictionary.values().as_string_opt::<i32>()?;
        let mut is_used = vec![false; values.len()];
        for key in dictionary.keys().iter().flatten() {
            if let Some(used) = usize::try_from(key).ok().and_then(|key| is_used.get_mut(key)) {
                *used = true;
            }
        }
        let used = values.iter().zip(is_used).filter_map(|(v, used)| v.filter(|_| used));
        let (low, high) = used.fold(None, |bounds: Option<(&str, &str)>, value| {
            Some(bounds.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
        })?;
        Some(Self::Text(low.to_owned(), high.to_owned()))
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Number(a, b), Self::Number(c, d)) => Self::Number(a.min(c), b.max(d)),
            (Self::Text(a, b), Self::Text(c, d)) => Self::Text(a.min(c), b.max(d)),
            // A column has one type.
            (known, _) => known,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{DictionaryArray, Int32Array, StringArray};
    use causeway_model::columns::name;

    use super::*;

    fn add_names(statistics: &mut Statistics, values: &[&str], keys: Vec<Option<i32>>) {
        statistics.add_rows(keys.len());
        let values = Arc::new(StringArray::from(values.to_vec()));
        let names = DictionaryArray::new(Int32Array::from(keys), values);
        statistics.add(name::NAME, &names);
    }

    #[test]
    fn bounds_and_nulls_cover_all_batches_but_only_used_values() {
        let mut statistics = Statistics::new();
        add_names(&mut statistics, &["a", "m", "z"], vec![Some(1), None]);
        add_names(&mut statistics, &["k", "~"], vec![Some(0)]);
        let json = statistics.to_json();
        assert_eq!(json["numRecords"], 3);
        assert_eq!(
            (&json["minValues"]["name"], &json["maxValues"]["name"]),
            (&json!("k"), &json!("m"))
        );
        assert_eq!(json["nullCount"]["name"], 1);
    }

    #[test]
    fn a_long_text_leaves_its_column_without_bounds() {
        let mut statistics = Statistics::new();
        add_names(&mut statistics, &["a"], vec![Some(0)]);
        let long = "b".repeat(TEXT_BOUND_BYTES_MAX + 1);
        add_names(&mut statistics, &[long.as_str()], vec![Some(0)]);
        assert_eq!(statistics.to_json()["minValues"], json!({}));
    }
}
