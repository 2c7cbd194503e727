//! JSON, NDJSON and CSV.

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema};
use causeway_model::value::push_json_string;

use super::cell::{push_json, push_row_object, push_text};
use super::{Format, Options, fault};
use crate::error::Result;

/// What stands before the first row.
pub(super) fn head(format: Format, schema: &Schema) -> Vec<u8> {
    let mut out = Vec::new();
    match format {
        Format::Json => {
            out.extend_from_slice(b"{\"columns\":[");
            for (at, field) in schema.fields().iter().enumerate() {
                out.extend_from_slice(if at == 0 { b"{\"name\":" } else { b",{\"name\":" });
                push_json_string(field.name(), &mut out);
                out.extend_from_slice(b",\"type\":");
                push_json_string(&type_name(field.data_type()), &mut out);
                out.push(b'}');
            }
            out.extend_from_slice(b"],\"rows\":[");
        }
        Format::Csv => {
            for (at, field) in schema.fields().iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                push_csv(field.name(), &mut out);
            }
            out.extend_from_slice(b"\r\n");
        }
        _ => {}
    }
    out
}

/// The type as SQL users know it: how text is encoded in memory is nobody's business.
fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Dictionary(_, value) => type_name(value),
        DataType::LargeUtf8 | DataType::Utf8View => "Utf8".to_owned(),
        DataType::List(element) => format!("List({})", type_name(element.data_type())),
        DataType::Struct(_) => "Struct".to_owned(),
        DataType::Map(..) => "Map".to_owned(),
        other => other.to_string(),
    }
}

/// The rows of a batch; `first_row` rows stand before it.
pub(super) fn rows(
    format: Format,
    batch: &RecordBatch,
    schema: &Schema,
    options: Options,
    first_row: usize,
) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(batch.num_rows() * schema.fields().len() * 12);
    for row in 0..batch.num_rows() {
        match format {
            Format::Json => {
                if first_row + row > 0 {
                    out.push(b',');
                }
                out.push(b'[');
                for (at, field) in schema.fields().iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    push_json(batch.column(at), field, row, options, &mut out).map_err(fault)?;
                }
                out.push(b']');
            }
            Format::Ndjson => {
                push_row_object(batch, schema, row, options, &mut out).map_err(fault)?;
                out.push(b'\n');
            }
            _ => csv_row(batch, schema, row, &mut out)?,
        }
    }
    Ok(out)
}

fn csv_row(batch: &RecordBatch, schema: &Schema, row: usize, out: &mut Vec<u8>) -> Result<()> {
    let mut cell = Vec::new();
    for (at, field) in schema.fields().iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        cell.clear();
        if push_text(batch.column(at), field, row, &mut cell).map_err(fault)? {
            push_csv(&String::from_utf8_lossy(&cell), out);
        }
    }
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// Quotes where RFC 4180 asks for it; empty text is quoted, so that null stays apart from it.
fn push_csv(text: &str, out: &mut Vec<u8>) {
    let is_plain = !text.is_empty() && !text.contains(['"', ',', '\n', '\r']);
    if is_plain {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}
