//! All spans of one trace, whenever they arrived, each once.
//!
//! Spans that are equal in every byte of content are one span. Spans with equal ids and other content
//! are all kept; the tree marks them.

use std::collections::{HashMap, HashSet};

use arrow::array::{Array, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::error::ArrowError;
use causeway_model::identity::{ContentHasher, span_key};
use causeway_model::rows::SpanRows;

/// One span as the tree sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) span_id: u64,
    /// 0 for none.
    pub(crate) parent_span_id: u64,
    pub(crate) start_time_unix_nano: i64,
    pub(crate) duration_ns: i64,
    /// Position in [`MergedTrace::texts`].
    pub(crate) service: u32,
    /// Position in [`MergedTrace::texts`].
    pub(crate) name: u32,
    pub(crate) kind: i32,
    pub(crate) status: i32,
    pub(crate) events: u32,
    pub(crate) links: u32,
}

/// The spans of a trace with the texts they share.
#[derive(Debug, Default)]
pub(crate) struct MergedTrace {
    pub(crate) spans: Vec<Span>,
    pub(crate) texts: Vec<String>,
}

impl MergedTrace {
    /// Position of a text, added when it is new.
    pub(crate) fn intern<'a>(&mut self, text: &'a str, known: &mut HashMap<&'a str, u32>) -> u32 {
        *known.entry(text).or_insert_with(|| {
            self.texts.push(text.to_owned());
            self.texts.len() as u32 - 1
        })
    }
}

/// The batches without spans that repeat.
///
/// # Errors
/// A batch is not of the storage schema.
pub(crate) fn deduplicate(batches: Vec<RecordBatch>) -> Result<Vec<RecordBatch>, ArrowError> {
    let mut seen = HashSet::new();
    let kept = batches.into_iter().map(|batch| {
        let rows = rows_of(&batch)?;
        let hasher = ContentHasher::new(rows.clone());
        let is_new: BooleanArray = (0..rows.len)
            .map(|row| Some(seen.insert((span_key(&rows, row), hasher.hash(row)))))
            .collect();
        match is_new.false_count() {
            0 => Ok(batch),
            _ => filter_record_batch(&batch, &is_new),
        }
    });
    kept.collect()
}

/// Whether two spans have the same ids.
///
/// # Errors
/// A batch is not of the storage schema.
pub(crate) fn has_repeated_ids(batches: &[RecordBatch]) -> Result<bool, ArrowError> {
    let mut seen = HashSet::new();
    for batch in batches {
        let rows = rows_of(batch)?;
        if !(0..rows.len).all(|row| seen.insert(span_key(&rows, row))) {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(crate) fn rows_of(batch: &RecordBatch) -> Result<SpanRows<'_>, ArrowError> {
    SpanRows::new(batch).map_err(|error| ArrowError::SchemaError(error.to_string()))
}

/// Takes from all batches what the tree needs.
///
/// # Errors
/// A batch is not of the storage schema.
pub(crate) fn merge(batches: &[RecordBatch]) -> Result<MergedTrace, ArrowError> {
    let rows = batches.iter().map(rows_of).collect::<Result<Vec<_>, _>>()?;
    let all = rows.iter().flat_map(|rows| (0..rows.len).map(move |row| (rows, row)));
    Ok(merge_rows(all))
}

/// The same of single rows of one trace; spans come in their order.
pub(crate) fn merge_rows<'a>(all: impl Iterator<Item = (&'a SpanRows<'a>, usize)>) -> MergedTrace {
    let mut trace = MergedTrace::default();
    let mut known = HashMap::new();
    for (rows, row) in all {
        let status = rows.status_code;
        let span = Span {
            span_id: id(rows.span_id.value(row)),
            parent_span_id: rows.parent(row).map_or(0, id),
            start_time_unix_nano: rows.start_time_unix_nano.value(row),
            duration_ns: rows.duration_ns.value(row),
            service: trace.intern(rows.service_name.get(row).unwrap_or_default(), &mut known),
            name: trace.intern(rows.name.get(row).unwrap_or_default(), &mut known),
            kind: rows.kind.value(row),
            status: if status.is_valid(row) { status.value(row) } else { 0 },
            events: rows.event_range(row).len() as u32,
            links: rows.link_range(row).len() as u32,
        };
        trace.spans.push(span);
    }
    trace
}

fn id(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_be_bytes)
}
