//! All spans of traces, whenever they arrived, each once.
//!
//! Spans that are equal in every byte of content are one span. Spans with equal ids and other content
//! are all kept; the merged trace marks them.

use std::ops::Range;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::error::ArrowError;
use causeway_model::identity::{ContentHasher, span_key};
use causeway_model::rows::SpanRows;
use causeway_model::trace::{MergedTrace, TraceRows};
use hashbrown::{HashMap, HashSet};

use crate::error::{QueryError, Result};

/// The batches without spans that repeat.
///
/// # Errors
/// A batch is not of the storage schema.
pub(crate) fn deduplicate(batches: Vec<RecordBatch>) -> Result<Vec<RecordBatch>> {
    let rows = rows_of(&batches)?;
    let repeated = repeated_ids(&rows);
    if repeated.is_empty() {
        drop(rows);
        return Ok(batches);
    }
    let mut seen = HashSet::new();
    let mut masks = Vec::with_capacity(rows.len());
    for rows in &rows {
        let hasher = ContentHasher::new(rows.clone());
        let is_first = |row| {
            let key = span_key(rows, row);
            !repeated.contains(&key) || seen.insert((key, hasher.hash(row)))
        };
        masks.push((0..rows.len).map(is_first).map(Some).collect::<BooleanArray>());
    }
    let kept = batches.iter().zip(&masks).map(|(batch, mask)| filter_record_batch(batch, mask));
    Ok(kept.collect::<std::result::Result<_, ArrowError>>()?)
}

/// Whether two spans have the same ids.
///
/// # Errors
/// A batch is not of the storage schema.
pub(crate) fn has_repeated_ids(batches: &[RecordBatch]) -> Result<bool> {
    Ok(!repeated_ids(&rows_of(batches)?).is_empty())
}

/// Keys of ids that several spans have.
fn repeated_ids(batches: &[SpanRows<'_>]) -> HashSet<u64> {
    let mut seen = HashSet::with_capacity(batches.iter().map(|rows| rows.len).sum());
    let keys = batches.iter().flat_map(|rows| (0..rows.len).map(|row| span_key(rows, row)));
    keys.filter(|key| !seen.insert(*key)).collect()
}

/// The rows of batches of the storage schema.
///
/// # Errors
/// A batch is not of that schema.
pub(crate) fn rows_of(batches: &[RecordBatch]) -> Result<Vec<SpanRows<'_>>> {
    let rows = batches.iter().map(SpanRows::new).collect::<std::result::Result<_, _>>();
    rows.map_err(|error| QueryError::Internal(error.to_string()))
}

/// The traces that rows belong to, in the order in which the first of each comes.
///
/// # Errors
/// A trace is too large.
pub(crate) fn merged<'a>(batches: &'a [SpanRows<'a>]) -> Result<Vec<MergedTrace<'a>>> {
    let mut traces: Vec<Vec<TraceRows<'a>>> = Vec::new();
    let mut known: HashMap<&[u8], usize> = HashMap::new();
    for rows in batches {
        for range in runs(rows) {
            let number = known.entry(rows.trace_id.value(range.start)).or_insert_with(|| {
                traces.push(Vec::new());
                traces.len() - 1
            });
            traces.get_mut(*number).into_iter().for_each(|parts| {
                parts.push(TraceRows { rows, range: range.clone() });
            });
        }
    }
    let merged = traces.iter().map(|parts| {
        MergedTrace::new(parts).map_err(|error| QueryError::Limit {
            limit: "trace_spans_max",
            message: error.to_string(),
        })
    });
    merged.collect()
}

/// Rows that follow each other and are of one trace.
fn runs<'a>(rows: &'a SpanRows<'a>) -> impl Iterator<Item = Range<usize>> + 'a {
    let mut next = 0;
    std::iter::from_fn(move || {
        let start = next;
        let id = (start < rows.len).then(|| rows.trace_id.value(start))?;
        let is_other = |row: &usize| rows.trace_id.value(*row) != id;
        next = (start..rows.len).find(is_other).unwrap_or(rows.len);
        Some(start..next)
    })
}
