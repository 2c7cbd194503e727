//! The attributes of a batch under construction: each in its column, the others in the map.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, MapArray, RecordBatch, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::Field;
use arrow::error::ArrowError;

use super::attribute_columns::{AttributeColumns, AttributeKind};
use super::dictionary::{Dictionary, NULL_KEY};
use super::seal::strings;
use super::{EntryValue, SpanColumns, Values};
use crate::columns::{self, map_entries_field};
use crate::rows::{AttributeRows, AttributeText};
use crate::value;

/// An attribute column under construction.
#[derive(Debug)]
enum Own {
    Text(Dictionary),
    Int(Ints),
}

/// A column of integers under construction.
#[derive(Debug)]
struct Ints {
    values: Vec<i64>,
    valid: Vec<bool>,
    /// Whether some values of the attribute are no integers.
    is_mixed: bool,
}

impl Ints {
    fn set(&mut self, row: usize, value: i64) -> bool {
        match (self.values.get_mut(row), self.valid.get_mut(row)) {
            (Some(place), Some(valid)) => {
                (*place, *valid) = (value, true);
                true
            }
            _ => false,
        }
    }
}

impl Own {
    /// Keeps a value; `false` where it has to go into the map.
    fn keep(&mut self, row: usize, value: AttributeText<'_>) -> bool {
        match (self, value) {
            (Self::Text(own), value) => own.set(row, value.text().as_bytes()),
            (Self::Int(own), AttributeText::Int(value)) => own.set(row, value),
            // An integer that lay in a map is text there.
            (Self::Int(own), AttributeText::Text(text)) => match text.parse() {
                Ok(value) => own.set(row, value),
                Err(_) => {
                    own.is_mixed = true;
                    false
                }
            },
        }
    }
}

/// The attributes of a batch under construction.
pub(super) struct Attributes<'a> {
    columns: &'a AttributeColumns,
    own: Vec<Own>,
    /// The latest row with the attribute of each column, to tell repeated keys.
    latest: Vec<usize>,
    rest_ends: Vec<usize>,
    rest_keys: Values,
    rest_values: Values,
    order: Dictionary,
    /// Digits of a number.
    digits: Vec<u8>,
}

/// What the attributes become.
pub(super) struct FinishedAttributes {
    pub(super) rest: ArrayRef,
    pub(super) keys: ArrayRef,
    pub(super) columns: Vec<(Field, ArrayRef)>,
}

impl<'a> Attributes<'a> {
    /// The attributes of requests.
    pub(super) fn of(parts: &[Arc<SpanColumns>], columns: &'a AttributeColumns) -> Self {
        let mut attributes = Self::new(parts.iter().map(|p| p.rows).sum(), columns);
        for part in parts {
            attributes.add(part);
        }
        attributes
    }

    /// The attributes of a batch, moved to where they lie with `columns`.
    pub(super) fn moved(batch: &RecordBatch, columns: &'a AttributeColumns) -> Option<Self> {
        let rows = AttributeRows::of(batch)?;
        let mut attributes = Self::new(batch.num_rows(), columns);
        for row in 0..batch.num_rows() {
            attributes.add_row(rows.entries(row));
        }
        Some(attributes)
    }

    fn new(rows: usize, columns: &'a AttributeColumns) -> Self {
        let own = columns.iter().map(|column| match column.kind {
            AttributeKind::Text => Own::Text(Dictionary::of_rows(rows)),
            AttributeKind::Int => {
                Own::Int(Ints { values: vec![0; rows], valid: vec![false; rows], is_mixed: false })
            }
        });
        let own: Vec<Own> = own.collect();
        let mut attributes = Self {
            columns,
            latest: vec![usize::MAX; own.len()],
            own,
            rest_ends: Vec::with_capacity(rows),
            rest_keys: Values::default(),
            rest_values: Values::default(),
            order: Dictionary::default(),
            digits: Vec::new(),
        };
        attributes.order.keys.reserve(rows);
        attributes
    }

    fn add_row<'b>(
        &mut self,
        entries: impl Iterator<Item = (&'b str, Option<AttributeText<'b>>)> + Clone,
    ) {
        let row = self.rest_ends.len();
        let column_of = |key: &str| self.columns.iter().position(|column| column.key == key);
        let order = entries
            .clone()
            .any(|(key, _)| column_of(key).is_some())
            .then(|| self.order.key(key_list(entries.clone().map(|(key, _)| key)).as_bytes()));
        self.order.keys.push(order.unwrap_or(NULL_KEY));
        for (key, value) in entries {
            let own = column_of(key)
                .and_then(|at| Some((self.own.get_mut(at)?, self.latest.get_mut(at)?)));
            let is_kept = own.is_some_and(|(own, latest)| {
                std::mem::replace(latest, row) != row
                    && value.is_some_and(|value| own.keep(row, value))
            });
            if !is_kept {
                self.rest_keys.push(key);
                match value {
                    Some(value) => self.rest_values.push(value.text().as_bytes()),
                    None => self.rest_values.push_null(),
                }
            }
        }
        self.rest_ends.push(self.rest_keys.len());
    }

    fn add(&mut self, part: &SpanColumns) {
        let column_of_key: Vec<Option<usize>> = part
            .keys
            .iter()
            .map(|key| self.columns.iter().position(|column| column.key.as_bytes() == key))
            .collect();
        let column_of = |key: u32| column_of_key.get(key as usize).copied().flatten();
        let orders: Vec<i32> = (0..part.shapes.len() as u32)
            .map(|shape| match part.shape_keys(shape).any(|key| column_of(key).is_some()) {
                true => {
                    // Keys were checked when they came.
                    let key = |key| std::str::from_utf8(part.keys.get(key)).unwrap_or_default();
                    let list = key_list(part.shape_keys(shape).map(key));
                    self.order.key(list.as_bytes())
                }
                false => NULL_KEY,
            })
            .collect();
        // A text mostly is the value of one attribute: where it was seen last.
        let mut seen: Vec<(usize, i32)> = vec![(usize::MAX, 0); part.texts.len()];
        for (in_part, shape) in part.shape.iter().enumerate() {
            let row = self.rest_ends.len();
            self.order.keys.push(orders.get(*shape as usize).copied().unwrap_or(NULL_KEY));
            for entry in part.entries(in_part) {
                let is_kept = column_of(entry.key)
                    .is_some_and(|column| self.keep(column, row, entry.value, part, &mut seen));
                if !is_kept {
                    self.rest(part, entry.key, entry.value);
                }
            }
            self.rest_ends.push(self.rest_keys.len());
        }
    }

    /// Puts a value into its column; `false` where it has to go into the map.
    #[inline]
    fn keep(
        &mut self,
        column: usize,
        row: usize,
        value: EntryValue,
        part: &SpanColumns,
        seen: &mut [(usize, i32)],
    ) -> bool {
        let (Some(own), Some(latest)) = (self.own.get_mut(column), self.latest.get_mut(column))
        else {
            return false;
        };
        if std::mem::replace(latest, row) == row {
            return false;
        }
        match (own, value) {
            (Own::Text(own), EntryValue::Text(number)) => {
                let Some(place) = seen.get_mut(number as usize) else {
                    return false;
                };
                if place.0 != column {
                    *place = (column, own.key(part.texts.get(number)));
                }
                own.set_key(row, place.1)
            }
            (Own::Text(own), EntryValue::Int(at)) => {
                self.digits.clear();
                value::push_int(part.int(at), &mut self.digits);
                own.set(row, &self.digits)
            }
            (Own::Int(own), EntryValue::Int(at)) => own.set(row, part.int(at)),
            (Own::Int(own), EntryValue::Text(_)) => {
                own.is_mixed = true;
                false
            }
            (_, EntryValue::Absent) => false,
        }
    }

    fn rest(&mut self, part: &SpanColumns, key: u32, value: EntryValue) {
        self.rest_keys.push(part.keys.get(key));
        match value {
            EntryValue::Absent => self.rest_values.push_null(),
            EntryValue::Text(number) => self.rest_values.push(part.texts.get(number)),
            EntryValue::Int(at) => {
                self.digits.clear();
                value::push_int(part.int(at), &mut self.digits);
                self.rest_values.push(&self.digits);
            }
        }
    }

    pub(super) fn finish(self) -> Result<FinishedAttributes, ArrowError> {
        let entries = StructArray::try_new(
            columns::map_entry_fields(),
            vec![
                strings([&self.rest_keys].into_iter())?,
                strings([&self.rest_values].into_iter())?,
            ],
            None,
        )?;
        let mut offsets = vec![0i32];
        for end in &self.rest_ends {
            let too_large = |_| ArrowError::OffsetOverflowError(*end);
            offsets.push(i32::try_from(*end).map_err(too_large)?);
        }
        let offsets = OffsetBuffer::new(offsets.into());
        let rest = MapArray::try_new(Arc::new(map_entries_field()), offsets, entries, None, false)?;
        let mut columns = Vec::new();
        for (column, own) in self.columns.iter().zip(self.own) {
            columns.push(match own {
                Own::Text(own) => (column.field(), own.finish()?),
                Own::Int(own) => {
                    let field = column.field();
                    let field = if own.is_mixed { columns::mixed(field) } else { field };
                    let valid = Some(NullBuffer::from(own.valid));
                    (field, Arc::new(Int64Array::try_new(own.values.into(), valid)?) as ArrayRef)
                }
            });
        }
        Ok(FinishedAttributes { rest: Arc::new(rest), keys: self.order.finish()?, columns })
    }
}

/// Keys as a JSON list.
fn key_list<'a>(keys: impl Iterator<Item = &'a str>) -> String {
    let mut list = vec![b'['];
    for key in keys {
        if list.len() > 1 {
            list.push(b',');
        }
        value::push_json_string(key, &mut list);
    }
    list.push(b']');
    String::from_utf8(list).unwrap_or_default()
}
