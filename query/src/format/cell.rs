//! One value of a result as JSON or as plain text.
//!
//! Integers are exact. Attribute maps and sets become JSON objects whose values keep the types the
//! sender gave them; a repeated key is written as often as it was sent. Numbers that JSON cannot
//! write are null. Bytes are hex.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema, UInt64Type};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use causeway_model::rows::offsets_range;
use causeway_model::value::{self, Value, push_json_string};

use super::Options;
use crate::functions::{META_MAP, META_SET, meaning};

/// Integers beyond this are rounded by readers that know only doubles.
const SAFE_INTEGER_MAX: u64 = 1 << 53;

/// Appends a row as a JSON object.
pub(crate) fn push_row_object(
    batch: &RecordBatch,
    schema: &Schema,
    row: usize,
    options: Options,
    out: &mut Vec<u8>,
) -> Result<(), ArrowError> {
    out.push(b'{');
    for (at, field) in schema.fields().iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        push_json_string(field.name(), out);
        out.push(b':');
        push_json(batch.column(at), field, row, options, out)?;
    }
    out.push(b'}');
    Ok(())
}

/// Appends a value as plain text; `false` for null.
pub(super) fn push_text(
    array: &ArrayRef,
    field: &Field,
    row: usize,
    out: &mut Vec<u8>,
) -> Result<bool, ArrowError> {
    if array.is_null(row) {
        return Ok(false);
    }
    let from = out.len();
    push_json(array, field, row, Options::default(), out)?;
    // What JSON writes as a string stands here without its quotes.
    if out.get(from) == Some(&b'"') {
        let text: String = serde_json::from_slice(&out[from..])
            .map_err(|error| ArrowError::JsonError(error.to_string()))?;
        out.truncate(from);
        out.extend_from_slice(text.as_bytes());
    }
    Ok(true)
}

/// Appends a value as JSON.
pub(super) fn push_json(
    array: &ArrayRef,
    field: &Field,
    row: usize,
    options: Options,
    out: &mut Vec<u8>,
) -> Result<(), ArrowError> {
    if array.is_null(row) {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    match array.data_type() {
        DataType::Null => out.extend_from_slice(b"null"),
        DataType::Boolean => {
            let text: &[u8] = if array.as_boolean().value(row) { b"true" } else { b"false" };
            out.extend_from_slice(text);
        }
        DataType::Int64 => {
            push_wide(&array.as_primitive::<Int64Type>().value(row).to_string(), options, out);
        }
        DataType::UInt64 => {
            push_wide(&array.as_primitive::<UInt64Type>().value(row).to_string(), options, out);
        }
        DataType::Float64 => match array.as_primitive::<Float64Type>().value(row) {
            double if double.is_finite() => value::push_double(double, out),
            _ => out.extend_from_slice(b"null"),
        },
        DataType::Utf8 => push_string(array.as_string::<i32>().value(row), field, options, out),
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let key = dictionary.normalized_keys()[row];
            push_json(dictionary.values(), field, key, options, out)?;
        }
        DataType::Binary => {
            push_json_string(&causeway_model::ids::hex(array.as_binary::<i32>().value(row)), out);
        }
        DataType::List(element) => {
            let lists = array.as_list::<i32>();
            out.push(b'[');
            for (nth, at) in offsets_range(lists.value_offsets(), row).enumerate() {
                if nth > 0 {
                    out.push(b',');
                }
                push_json(lists.values(), element, at, options, out)?;
            }
            out.push(b']');
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns().to_vec();
            let schema = Schema::new(fields.clone());
            let batch = RecordBatch::try_new(std::sync::Arc::new(schema.clone()), columns)?;
            push_row_object(&batch, &schema, row, options, out)?;
        }
        DataType::Map(..) => push_map(array, field, row, options, out)?,
        other => {
            let format = FormatOptions::default();
            let text = ArrayFormatter::try_new(array, &format)?.value(row).try_to_string()?;
            match other.is_numeric()
                && text.bytes().all(|b| b.is_ascii_digit() || b == b'-' || b == b'.')
            {
                true => out.extend_from_slice(text.as_bytes()),
                false => push_json_string(&text, out),
            }
        }
    }
    Ok(())
}

fn push_wide(digits: &str, options: Options, out: &mut Vec<u8>) {
    if options.bigint_text {
        out.push(b'"');
        out.extend_from_slice(digits.as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(digits.as_bytes());
    }
}

fn push_string(text: &str, field: &Field, options: Options, out: &mut Vec<u8>) {
    match (meaning(field), value::parse_set(text)) {
        (Some(META_SET), Ok(entries)) => push_entries(&entries, options, out),
        _ => push_json_string(text, out),
    }
}

fn push_map(
    array: &ArrayRef,
    field: &Field,
    row: usize,
    options: Options,
    out: &mut Vec<u8>,
) -> Result<(), ArrowError> {
    let maps = array.as_map();
    let keys = arrow::compute::cast(maps.keys(), &DataType::Utf8)?;
    let keys = keys.as_string::<i32>();
    let texts = maps.values().as_string_opt::<i32>();
    let text_field = Field::new("value", DataType::Utf8, true);
    out.push(b'{');
    for (nth, at) in offsets_range(maps.value_offsets(), row).enumerate() {
        if nth > 0 {
            out.push(b',');
        }
        push_json_string(keys.value(at), out);
        out.push(b':');
        match (meaning(field), texts) {
            (Some(META_MAP), Some(texts)) if texts.is_valid(at) => {
                push_value_text(texts.value(at), options, out);
            }
            _ => push_json(maps.values(), &text_field, at, options, out)?,
        }
    }
    out.push(b'}');
    Ok(())
}

/// Appends the value behind a stored value text.
fn push_value_text(text: &str, options: Options, out: &mut Vec<u8>) {
    match value::parse(text) {
        Ok(value) => push_value(&value, options, out),
        // Damaged text is still shown.
        Err(_) => push_json_string(text, out),
    }
}

fn push_entries(entries: &[value::KeyValue], options: Options, out: &mut Vec<u8>) {
    out.push(b'{');
    for (nth, (key, value)) in entries.iter().enumerate() {
        if nth > 0 {
            out.push(b',');
        }
        push_json_string(key, out);
        out.push(b':');
        match value {
            Some(value) => push_value(value, options, out),
            None => out.extend_from_slice(b"null"),
        }
    }
    out.push(b'}');
}

/// Recursion is bounded by `value::DEPTH_MAX`, checked at admission.
fn push_value(value: &Value, options: Options, out: &mut Vec<u8>) {
    match value {
        Value::Empty => out.extend_from_slice(b"null"),
        Value::String(text) => push_json_string(text, out),
        Value::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Value::Int(int) => {
            // Only what a double cannot hold: other integers should stay apart from text.
            let is_wide = int.unsigned_abs() > SAFE_INTEGER_MAX;
            push_wide(
                &int.to_string(),
                Options { bigint_text: options.bigint_text && is_wide, ..options },
                out,
            );
        }
        Value::Double(double) => value::push_double(*double, out),
        Value::Bytes(bytes) => value::push_bytes(bytes, out),
        Value::Array(values) => {
            out.push(b'[');
            for (nth, value) in values.iter().enumerate() {
                if nth > 0 {
                    out.push(b',');
                }
                push_value(value, options, out);
            }
            out.push(b']');
        }
        Value::KvList(entries) => push_entries(entries, options, out),
    }
}
