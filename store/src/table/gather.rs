//! Rows of several arrays in a new order: what flushes and merges write, one column at a time.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, ListArray, MapArray, MutableArrayData, UInt32Array, make_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{concat, take};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

/// Where a row comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The number of the array.
    pub(crate) array: u32,
    /// The row in it.
    pub(crate) row: u32,
}

/// An order of rows of arrays that are known by their lengths.
#[derive(Debug)]
pub(crate) struct Gather {
    places: Vec<Place>,
    how: How,
}

#[derive(Debug)]
enum How {
    /// The places are mostly rows that follow each other: these runs.
    Runs(Vec<Run>),
    /// The places as rows of all arrays in a row.
    Rows(UInt32Array),
}

/// Rows that follow each other in an array.
#[derive(Debug, Clone, Copy)]
struct Run {
    array: usize,
    first: usize,
    end: usize,
}

/// Moving runs pays when they have so many rows on average.
const RUN_ROWS_MIN: usize = 4;

impl Gather {
    /// Takes the rows at `places` of arrays of these lengths, together below 2^32 rows.
    pub(crate) fn new(places: Vec<Place>, lengths: &[usize]) -> Self {
        let runs = runs(&places);
        if runs.len() * RUN_ROWS_MIN <= places.len() {
            return Self { how: How::Runs(runs), places };
        }
        let starts: Vec<u32> = lengths
            .iter()
            .scan(0, |end, length| Some(std::mem::replace(end, *end + *length as u32)))
            .collect();
        let joined = places
            .iter()
            .map(|place| starts.get(place.array as usize).copied().unwrap_or(0) + place.row);
        Self { how: How::Rows(joined.collect()), places }
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn places(&self) -> &[Place] {
        &self.places
    }

    /// The rows as one array.
    pub(crate) fn array(&self, arrays: &[ArrayRef]) -> Result<ArrayRef, ArrowError> {
        match &self.how {
            How::Rows(order) => {
                let parts: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
                take_rows(&concat(&parts)?, order)
            }
            How::Runs(runs) => {
                let data: Vec<_> = arrays.iter().map(|array| array.to_data()).collect();
                let mut out = MutableArrayData::new(data.iter().collect(), false, self.len());
                runs.iter().try_for_each(|run| out.try_extend(run.array, run.first, run.end))?;
                Ok(make_array(out.freeze()))
            }
        }
    }
}

fn runs(places: &[Place]) -> Vec<Run> {
    let follows = |a: &Place, b: &Place| a.array == b.array && a.row + 1 == b.row;
    let runs = places.chunk_by(follows).filter_map(|rows| {
        let first = rows.first()?;
        let (array, first) = (first.array as usize, first.row as usize);
        Some(Run { array, first, end: first + rows.len() })
    });
    runs.collect()
}

/// The rows of an array in another order. Lists are moved element by element: most are empty.
fn take_rows(array: &ArrayRef, order: &UInt32Array) -> Result<ArrayRef, ArrowError> {
    if let Some(lists) = array.as_list_opt::<i32>().filter(|lists| lists.null_count() == 0) {
        let DataType::List(element) = array.data_type() else {
            return take(array, order, None);
        };
        let (offsets, elements) = elements_of(lists.offsets(), order)?;
        let values = take(lists.values(), &elements, None)?;
        return Ok(Arc::new(ListArray::try_new(Arc::clone(element), offsets, values, None)?));
    }
    if let Some(maps) = array.as_map_opt().filter(|maps| maps.null_count() == 0) {
        let DataType::Map(entry, is_sorted) = array.data_type() else {
            return take(array, order, None);
        };
        let (offsets, elements) = elements_of(maps.offsets(), order)?;
        let entries = take(maps.entries(), &elements, None)?.as_struct().clone();
        let entry = Arc::clone(entry);
        return Ok(Arc::new(MapArray::try_new(entry, offsets, entries, None, *is_sorted)?));
    }
    take(array, order, None)
}

/// Offsets of lists in another order, and which elements they have then.
fn elements_of(
    offsets: &OffsetBuffer<i32>,
    order: &UInt32Array,
) -> Result<(OffsetBuffer<i32>, UInt32Array), ArrowError> {
    let mut moved = Vec::with_capacity(order.len() + 1);
    let mut elements: Vec<u32> = Vec::new();
    moved.push(0);
    for row in order.values() {
        if let Some([start, end]) = offsets.get(*row as usize..*row as usize + 2) {
            // Offsets are never negative.
            elements.extend(start.cast_unsigned()..end.cast_unsigned());
        }
        let end = i32::try_from(elements.len());
        moved.push(end.map_err(|_| ArrowError::OffsetOverflowError(elements.len()))?);
    }
    Ok((OffsetBuffer::new(moved.into()), UInt32Array::from(elements)))
}
