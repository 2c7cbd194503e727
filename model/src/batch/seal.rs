//! The requests of a while, joined into one Arrow batch.
//!
//! Numbers of texts become keys of dictionaries: per request each distinct text is looked up once
//! per column. Attributes with a column of their own go there; the others into the map. Where a row
//! has one of the former, `attribute_keys` keeps the order of all its keys.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, Int32Array, Int64Array, ListArray, RecordBatch, StringArray,
    StructArray, TimestampMicrosecondArray,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer};
use arrow::datatypes::{FieldRef, Schema};
use arrow::error::ArrowError;

use super::attribute_columns::AttributeColumns;
use super::attributes::Attributes;
use super::dictionary::{Dictionary, NULL_KEY};
use super::stamp_columns::stamp_columns;
use super::{Events, Group, Links, NO_TEXT, SPAN_ID_BYTES, SpanColumns, TRACE_ID_BYTES, Values};
use crate::columns::{COLUMNS, element_field, event_fields, link_fields};

/// Joins the spans of many requests into one batch of the storage schema with `attribute_columns`.
///
/// # Errors
/// A column would pass Arrow's limit of 2 GiB; callers seal long before.
pub fn seal(
    parts: &[Arc<SpanColumns>],
    attribute_columns: &AttributeColumns,
) -> Result<RecordBatch, ArrowError> {
    let longs = |column: fn(&SpanColumns) -> &Vec<i64>| -> ArrayRef {
        Arc::new(Int64Array::from(joined(parts, column)))
    };
    let ints = |column: fn(&SpanColumns) -> &Vec<i32>| -> ArrayRef {
        Arc::new(Int32Array::from(joined(parts, column)))
    };
    let shared = |column: fn(&Group) -> Option<&str>| {
        repeated(parts.iter().flat_map(move |p| {
            p.runs().map(move |(group, count)| (column(group).map(str::as_bytes), count))
        }))
    };
    let shared_longs = |column: fn(&Group) -> i64| -> ArrayRef {
        let mut values = Vec::new();
        for (group, count) in parts.iter().flat_map(|p| p.runs()) {
            values.resize(values.len() + count, column(group));
        }
        Arc::new(Int64Array::from(values))
    };
    let status_code =
        Int32Array::from_iter(parts.iter().flat_map(|p| p.status_code.iter().copied()));
    let mut received_at = Vec::new();
    for part in parts {
        received_at.resize(received_at.len() + part.rows, part.received_at_unix_nano);
    }
    let attributes = Attributes::of(parts, attribute_columns).finish()?;

    // In the order of `columns::COLUMNS`, optional ones last; the batch constructor compares types and names.
    let mut arrays = vec![
        fixed_bytes(parts, TRACE_ID_BYTES, |p| &p.trace_id)?,
        fixed_bytes(parts, SPAN_ID_BYTES, |p| &p.span_id)?,
        binary(parts, |p| &p.parent_span_id)?,
        start_micros(parts),
        longs(|p| &p.start_time_unix_nano),
        longs(|p| &p.duration_ns),
        shared(|g| g.service_name.as_deref())?,
        numbered(parts, |p| &p.name)?,
        ints(|p| &p.kind),
        Arc::new(status_code),
        numbered(parts, |p| &p.status_message)?,
        numbered(parts, |p| &p.trace_state)?,
        longs(|p| &p.flags),
        shared(|g| g.resource_attributes.as_deref())?,
        shared_longs(|g| g.resource_dropped_attributes_count),
        shared(|g| g.resource_entity_refs.as_deref())?,
        shared(|g| Some(&g.resource_schema_url))?,
        shared(|g| g.scope_name.as_deref())?,
        shared(|g| g.scope_version.as_deref())?,
        shared(|g| g.scope_attributes.as_deref())?,
        shared_longs(|g| g.scope_dropped_attributes_count),
        shared(|g| Some(&g.scope_schema_url))?,
        attributes.rest,
        attributes.keys,
        longs(|p| &p.dropped_attributes_count),
        events(parts)?,
        longs(|p| &p.dropped_events_count),
        links(parts)?,
        longs(|p| &p.dropped_links_count),
        Arc::new(Int64Array::from(received_at)),
        ints(|p| &p.clock_flags),
    ];
    let required = COLUMNS.iter().filter(|column| !column.is_optional);
    let mut fields: Vec<FieldRef> = required.map(|column| Arc::new(column.field())).collect();
    let own = attributes.columns.into_iter().map(|(field, array)| (Arc::new(field), array));
    for (field, array) in stamp_columns(parts)?.into_iter().chain(own) {
        fields.push(field);
        arrays.push(array);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
}

fn joined<T: Copy>(parts: &[Arc<SpanColumns>], column: fn(&SpanColumns) -> &Vec<T>) -> Vec<T> {
    let mut values = Vec::with_capacity(parts.iter().map(|p| p.rows).sum());
    for part in parts {
        values.extend_from_slice(column(part));
    }
    values
}

/// A column of text numbers.
fn numbered(
    parts: &[Arc<SpanColumns>],
    column: fn(&SpanColumns) -> &Vec<u32>,
) -> Result<ArrayRef, ArrowError> {
    const UNSEEN: i32 = i32::MIN;
    let mut joined = Dictionary::default();
    joined.keys.reserve(parts.iter().map(|p| p.rows).sum());
    let mut keys = Vec::new();
    for part in parts {
        keys.clear();
        keys.resize(part.texts.len(), UNSEEN);
        for number in column(part) {
            let key = match keys.get_mut(*number as usize) {
                Some(key) => {
                    if *key == UNSEEN {
                        *key = joined.key(part.texts.get(*number));
                    }
                    *key
                }
                None => NULL_KEY,
            };
            joined.keys.push(key);
        }
    }
    debug_assert!(parts.iter().all(|p| p.texts.len() < NO_TEXT as usize));
    joined.finish()
}

/// Dictionary-encodes values that come with a repeat count.
fn repeated<'a>(
    runs: impl Iterator<Item = (Option<&'a [u8]>, usize)>,
) -> Result<ArrayRef, ArrowError> {
    let mut joined = Dictionary::default();
    for (value, count) in runs {
        let key = value.map_or(NULL_KEY, |value| joined.key(value));
        joined.keys.resize(joined.keys.len() + count, key);
    }
    joined.finish()
}

/// Offsets, joined data and nulls of several `Values`.
struct Joined {
    offsets: OffsetBuffer<i32>,
    data: Buffer,
    nulls: Option<NullBuffer>,
}

fn join<'a>(parts: impl Iterator<Item = &'a Values> + Clone) -> Result<Joined, ArrowError> {
    let too_large = |_| ArrowError::OffsetOverflowError(i32::MAX as usize);
    let rows: usize = parts.clone().map(Values::len).sum();
    let bytes: usize = parts.clone().map(|p| p.data.len()).sum();
    i32::try_from(bytes).map_err(too_large)?;
    let mut data = Vec::with_capacity(bytes);
    let mut offsets = Vec::with_capacity(rows + 1);
    let mut null_rows = Vec::new();
    offsets.push(0);
    for part in parts {
        let (base, first_row) = (data.len(), offsets.len() - 1);
        data.extend_from_slice(&part.data);
        // The total was checked above.
        offsets.extend(part.ends.iter().map(|end| (base + end) as i32));
        null_rows.extend(part.nulls.iter().map(|null| first_row + null));
    }
    let nulls = (!null_rows.is_empty()).then(|| {
        let mut valid = vec![true; rows];
        for row in null_rows {
            if let Some(slot) = valid.get_mut(row) {
                *slot = false;
            }
        }
        NullBuffer::from(valid)
    });
    Ok(Joined { offsets: OffsetBuffer::new(offsets.into()), data: Buffer::from_vec(data), nulls })
}

pub(super) fn strings<'a>(
    parts: impl Iterator<Item = &'a Values> + Clone,
) -> Result<ArrayRef, ArrowError> {
    let joined = join(parts)?;
    Ok(Arc::new(StringArray::try_new(joined.offsets, joined.data, joined.nulls)?))
}

fn text(
    parts: &[Arc<SpanColumns>],
    column: fn(&SpanColumns) -> &Values,
) -> Result<ArrayRef, ArrowError> {
    strings(parts.iter().map(|p| column(p)))
}

fn binary(
    parts: &[Arc<SpanColumns>],
    column: fn(&SpanColumns) -> &Values,
) -> Result<ArrayRef, ArrowError> {
    let joined = join(parts.iter().map(|p| column(p)))?;
    Ok(Arc::new(BinaryArray::try_new(joined.offsets, joined.data, joined.nulls)?))
}

fn fixed_bytes(
    parts: &[Arc<SpanColumns>],
    width: usize,
    column: fn(&SpanColumns) -> &Vec<u8>,
) -> Result<ArrayRef, ArrowError> {
    let data: Vec<u8> = parts.iter().flat_map(|p| column(p)).copied().collect();
    let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(width, data.len() / width));
    Ok(Arc::new(BinaryArray::try_new(offsets, Buffer::from_vec(data), None)?))
}

fn start_micros(parts: &[Arc<SpanColumns>]) -> ArrayRef {
    let micros = parts.iter().flat_map(|p| &p.start_time_unix_nano).map(|start| match *start {
        unusable if unusable <= 0 => None,
        nanos => Some(nanos / 1_000),
    });
    Arc::new(TimestampMicrosecondArray::from_iter(micros).with_timezone("UTC"))
}

/// List offsets over the running ends of several parts.
fn list_offsets(
    parts: &[Arc<SpanColumns>],
    ends: fn(&SpanColumns) -> &Vec<usize>,
) -> Result<OffsetBuffer<i32>, ArrowError> {
    let mut offsets = vec![0i32];
    let mut base = 0;
    for part in parts {
        for end in ends(part) {
            let offset = i32::try_from(base + end);
            offsets.push(offset.map_err(|_| ArrowError::OffsetOverflowError(base + end))?);
        }
        base += ends(part).last().copied().unwrap_or(0);
    }
    Ok(OffsetBuffer::new(offsets.into()))
}

fn events(parts: &[Arc<SpanColumns>]) -> Result<ArrayRef, ArrowError> {
    let longs = |column: fn(&Events) -> &Vec<i64>| -> ArrayRef {
        let values = parts.iter().flat_map(|p| column(&p.events).iter().copied());
        Arc::new(Int64Array::from_iter_values(values))
    };
    let fields = vec![
        longs(|e| &e.time_unix_nano),
        text(parts, |p| &p.events.name)?,
        text(parts, |p| &p.events.attributes)?,
        longs(|e| &e.dropped_attributes_count),
    ];
    let values = StructArray::try_new(event_fields(), fields, None)?;
    let offsets = list_offsets(parts, |p| &p.events.ends)?;
    let element = Arc::new(element_field(event_fields()));
    Ok(Arc::new(ListArray::try_new(element, offsets, Arc::new(values), None)?))
}

fn links(parts: &[Arc<SpanColumns>]) -> Result<ArrayRef, ArrowError> {
    let longs = |column: fn(&Links) -> &Vec<i64>| -> ArrayRef {
        let values = parts.iter().flat_map(|p| column(&p.links).iter().copied());
        Arc::new(Int64Array::from_iter_values(values))
    };
    let fields = vec![
        binary(parts, |p| &p.links.trace_id)?,
        binary(parts, |p| &p.links.span_id)?,
        text(parts, |p| &p.links.trace_state)?,
        text(parts, |p| &p.links.attributes)?,
        longs(|l| &l.dropped_attributes_count),
        longs(|l| &l.flags),
    ];
    let values = StructArray::try_new(link_fields(), fields, None)?;
    let offsets = list_offsets(parts, |p| &p.links.ends)?;
    let element = Arc::new(element_field(link_fields()));
    Ok(Arc::new(ListArray::try_new(element, offsets, Arc::new(values), None)?))
}
