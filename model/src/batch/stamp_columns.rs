//! The columns of stamps: only those in which some row has a value.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BinaryArray, Int64Array, ListArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::FieldRef;
use arrow::error::ArrowError;
use causeway_clock::Stamp;

use super::SpanColumns;
use crate::columns::{COLUMNS, element_field, name, stamp_fields};
use crate::stamps::SpanStamps;

/// The optional columns that the spans of some requests have, in the order of [`COLUMNS`].
pub(super) fn stamp_columns(
    parts: &[Arc<SpanColumns>],
) -> Result<Vec<(FieldRef, ArrayRef)>, ArrowError> {
    if parts.iter().all(|part| part.stamps.is_empty()) {
        return Ok(Vec::new());
    }
    let rows = by_row(parts);
    let mut columns = Vec::new();
    for column in COLUMNS.iter().filter(|column| column.is_optional) {
        let array = array(column.name, &rows)?;
        if array.null_count() < array.len() {
            columns.push((Arc::new(column.field()), array));
        }
    }
    Ok(columns)
}

/// The stamps of every row.
fn by_row(parts: &[Arc<SpanColumns>]) -> Vec<Option<&SpanStamps>> {
    let mut rows = Vec::with_capacity(parts.iter().map(|part| part.rows).sum());
    for part in parts {
        let first = rows.len();
        rows.resize(first + part.rows, None);
        for (row, stamps) in &part.stamps {
            if let Some(slot) = rows.get_mut(first + row) {
                *slot = Some(stamps);
            }
        }
    }
    rows
}

fn array(name: &str, rows: &[Option<&SpanStamps>]) -> Result<ArrayRef, ArrowError> {
    let start = |stamps: &SpanStamps| stamps.start;
    let end = |stamps: &SpanStamps| stamps.end;
    let received = |stamps: &SpanStamps| stamps.received;
    Ok(match name {
        name::HLC_START => values(rows, start),
        name::HLC_START_LEAD => leads(rows, start),
        name::HLC_NODE => nodes(rows, start),
        name::HLC_END => values(rows, end),
        name::HLC_END_LEAD => leads(rows, end),
        name::HLC_END_NODE => nodes(rows, end),
        name::RECV_HLC => values(rows, received),
        name::RECV_LEAD => leads(rows, received),
        name::RECV_NODE => nodes(rows, received),
        name::RESP => responses(rows)?,
        name::HLC_REJECT => rejected(rows)?,
        other => return Err(ArrowError::SchemaError(format!("nothing fills column {other}"))),
    })
}

type Pick = fn(&SpanStamps) -> Option<Stamp>;

fn values(rows: &[Option<&SpanStamps>], pick: Pick) -> ArrayRef {
    Arc::new(rows.iter().map(|row| Some(pick((*row)?)?.hlc)).collect::<Int64Array>())
}

fn leads(rows: &[Option<&SpanStamps>], pick: Pick) -> ArrayRef {
    Arc::new(rows.iter().map(|row| Some(pick((*row)?)?.lead)).collect::<Int64Array>())
}

fn nodes(rows: &[Option<&SpanStamps>], pick: Pick) -> ArrayRef {
    let nodes = rows.iter().map(|row| Some(node_bytes(pick((*row)?)?)));
    Arc::new(nodes.collect::<BinaryArray>())
}

fn node_bytes(stamp: Stamp) -> [u8; 8] {
    stamp.node.0.get().to_be_bytes()
}

fn responses(rows: &[Option<&SpanStamps>]) -> Result<ArrayRef, ArrowError> {
    let responses = rows.iter().map(|row| row.map_or(&[][..], |stamps| &stamps.responses));
    let stamps: Vec<Stamp> = responses.clone().flatten().copied().collect();
    let element = Arc::new(element_field(stamp_fields()));
    let offsets = OffsetBuffer::from_lengths(responses.clone().map(<[Stamp]>::len));
    let nulls: NullBuffer = responses.map(|stamps| !stamps.is_empty()).collect();
    let values = structs(&stamps, None)?;
    Ok(Arc::new(ListArray::try_new(element, offsets, Arc::new(values), Some(nulls))?))
}

fn rejected(rows: &[Option<&SpanStamps>]) -> Result<ArrayRef, ArrowError> {
    let rejected = rows.iter().map(|row| (*row)?.rejected);
    let nulls: NullBuffer = rejected.clone().map(|stamp| stamp.is_some()).collect();
    // What stands below a null does not matter.
    let any = rejected.clone().flatten().next();
    let stamps: Vec<Stamp> = rejected.filter_map(|stamp| stamp.or(any)).collect();
    match any {
        Some(_) => Ok(Arc::new(structs(&stamps, Some(nulls))?)),
        None => Ok(arrow::array::new_null_array(
            &arrow::datatypes::DataType::Struct(stamp_fields()),
            rows.len(),
        )),
    }
}

fn structs(stamps: &[Stamp], nulls: Option<NullBuffer>) -> Result<StructArray, ArrowError> {
    let nodes = BinaryArray::from_iter_values(stamps.iter().map(|stamp| node_bytes(*stamp)));
    let values = Int64Array::from_iter_values(stamps.iter().map(|stamp| stamp.hlc));
    let leads = Int64Array::from_iter_values(stamps.iter().map(|stamp| stamp.lead));
    let fields: Vec<ArrayRef> = vec![Arc::new(nodes), Arc::new(values), Arc::new(leads)];
    StructArray::try_new(stamp_fields(), fields, nulls)
}
