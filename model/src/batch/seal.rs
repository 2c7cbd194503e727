//! The requests of a while, joined into one Arrow batch.
//!
//! Values are copied once; what repeats (resources, scopes, names) becomes one dictionary entry.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, DictionaryArray, Int32Array, Int64Array, ListArray, MapArray,
    RecordBatch, StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::Int32Type;
use arrow::error::ArrowError;
use hashbrown::HashMap;

use super::{Events, Group, Links, SPAN_ID_BYTES, SpanColumns, TRACE_ID_BYTES, Values};
use crate::columns::{self, element_field, event_fields, link_fields, map_entries_field};

/// Joins the spans of many requests into one batch of the `spans` schema.
///
/// # Errors
/// A column would pass Arrow's limit of 2 GiB; callers seal long before.
pub fn seal(parts: &[Arc<SpanColumns>]) -> Result<RecordBatch, ArrowError> {
    let longs = |column: fn(&SpanColumns) -> &Vec<i64>| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(parts.iter().flat_map(|p| column(p).iter().copied())))
    };
    let ints = |column: fn(&SpanColumns) -> &Vec<i32>| -> ArrayRef {
        Arc::new(Int32Array::from_iter_values(parts.iter().flat_map(|p| column(p).iter().copied())))
    };
    let rows = |column: fn(&SpanColumns) -> &Values| {
        repeated(parts.iter().flat_map(move |p| column(p).iter().map(|v| (v, 1))))
    };
    let shared = |column: fn(&Group) -> Option<&str>| {
        repeated(parts.iter().flat_map(move |p| {
            p.runs().map(move |(group, count)| (column(group).map(str::as_bytes), count))
        }))
    };
    let shared_longs = |column: fn(&Group) -> i64| -> ArrayRef {
        let values = parts.iter().flat_map(|p| p.runs());
        Arc::new(Int64Array::from_iter_values(
            values.flat_map(|(group, count)| std::iter::repeat_n(column(group), count)),
        ))
    };
    let status_code =
        Int32Array::from_iter(parts.iter().flat_map(|p| p.status_code.iter().copied()));
    let received_at = Int64Array::from_iter_values(
        parts.iter().flat_map(|p| std::iter::repeat_n(p.received_at_unix_nano, p.rows)),
    );

    // In the order of `columns::COLUMNS`; the batch constructor compares types and names.
    RecordBatch::try_new(
        columns::schema(),
        vec![
            fixed_bytes(parts, TRACE_ID_BYTES, |p| &p.trace_id)?,
            fixed_bytes(parts, SPAN_ID_BYTES, |p| &p.span_id)?,
            binary(parts, |p| &p.parent_span_id)?,
            start_micros(parts),
            longs(|p| &p.start_time_unix_nano),
            longs(|p| &p.duration_ns),
            shared(|g| g.service_name.as_deref())?,
            rows(|p| &p.name)?,
            ints(|p| &p.kind),
            Arc::new(status_code),
            rows(|p| &p.status_message)?,
            rows(|p| &p.trace_state)?,
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
            attributes(parts)?,
            longs(|p| &p.dropped_attributes_count),
            events(parts)?,
            longs(|p| &p.dropped_events_count),
            links(parts)?,
            longs(|p| &p.dropped_links_count),
            Arc::new(received_at),
            ints(|p| &p.clock_flags),
        ],
    )
}

/// Dictionary-encodes values that come with a repeat count.
fn repeated<'a>(
    runs: impl Iterator<Item = (Option<&'a [u8]>, usize)>,
) -> Result<ArrayRef, ArrowError> {
    let mut seen: HashMap<&[u8], i32> = HashMap::new();
    let mut distinct = Values::default();
    let mut keys: Vec<i32> = Vec::new();
    let mut nulls = false;
    for (value, count) in runs {
        let key = match value {
            None => {
                nulls = true;
                -1
            }
            Some(value) => *seen.entry(value).or_insert_with(|| {
                distinct.push(value);
                i32::try_from(distinct.len() - 1).unwrap_or(i32::MAX)
            }),
        };
        keys.extend(std::iter::repeat_n(key, count));
    }
    let validity = nulls.then(|| keys.iter().map(|key| *key >= 0).collect::<NullBuffer>());
    if nulls {
        keys.iter_mut().for_each(|key| *key = (*key).max(0));
    }
    let values = strings([&distinct].into_iter())?;
    let keys = Int32Array::try_new(ScalarBuffer::from(keys), validity)?;
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, values)?))
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

fn strings<'a>(parts: impl Iterator<Item = &'a Values> + Clone) -> Result<ArrayRef, ArrowError> {
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

fn attributes(parts: &[Arc<SpanColumns>]) -> Result<ArrayRef, ArrowError> {
    let entries = StructArray::try_new(
        columns::map_entry_fields(),
        vec![text(parts, |p| &p.attribute_keys)?, text(parts, |p| &p.attribute_values)?],
        None,
    )?;
    let offsets = list_offsets(parts, |p| &p.attribute_ends)?;
    Ok(Arc::new(MapArray::try_new(Arc::new(map_entries_field()), offsets, entries, None, false)?))
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
