//! What one run of spans says about each of its traces.
//!
//! ```text
//! spans sorted by trace id --> one part a trace --> (with the parts of other runs) a summary
//! ```
//!
//! Parts of a trace can be merged in any order: the summary is that of all spans together, whichever
//! run they came in and however late. They are kept beside every data file, so that lists of traces
//! need not read spans. Only the question which parents are missing may need span ids of other runs;
//! a part names the parents that its own run does not have.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::array::{
    Array, AsArray, BinaryArray, BinaryBuilder, DictionaryArray, Int32Array, Int64Array,
    Int64Builder, ListArray, RecordBatch, StringArray, StringBuilder, StringDictionaryBuilder,
    StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields, Int32Type, Int64Type, Schema, SchemaRef};
use arrow::error::ArrowError;

use crate::columns::{name, repeated_text};

/// Names of the columns of a part.
pub mod part {
    /// 16 bytes.
    pub const TRACE_ID: &str = "trace_id";
    /// Least usable start; null when no span has one.
    pub const START_MIN: &str = "start_min";
    /// Greatest usable start.
    pub const START_MAX: &str = "start_max";
    /// Greatest end of a span with a usable start.
    pub const END_MAX: &str = "end_max";
    /// Number of spans.
    pub const SPANS: &str = "span_count";
    /// Number of spans with status "error".
    pub const ERRORS: &str = "error_count";
    /// Number of spans without a parent.
    pub const ROOTS: &str = "root_count";
    /// The span that stands for the trace: its earliest root, or its earliest span if it has none.
    pub const SHOWN_SPAN_ID: &str = "shown_span_id";
    /// Its start.
    pub const SHOWN_START: &str = "shown_start";
    /// Its duration.
    pub const SHOWN_DURATION: &str = "shown_duration";
    /// Its service; empty for none.
    pub const SHOWN_SERVICE: &str = "shown_service";
    /// Its name.
    pub const SHOWN_NAME: &str = "shown_name";
    /// Parent ids that no span of the run has, 8 bytes each, ascending.
    pub const MISSING_PARENTS: &str = "missing_parents";
    /// Spans and errors of each service.
    pub const SERVICES: &str = "services";
}

/// Columns of spans that parts are made of.
pub const SPAN_COLUMNS: [&str; 8] = [
    name::TRACE_ID,
    name::SPAN_ID,
    name::PARENT_SPAN_ID,
    name::START_TIME_UNIX_NANO,
    name::DURATION_NS,
    name::STATUS_CODE,
    name::SERVICE_NAME,
    name::NAME,
];

/// Fields of an element of `services`.
pub fn service_fields() -> Fields {
    Fields::from(vec![
        Field::new("name", DataType::Utf8, false),
        Field::new("spans", DataType::Int64, false),
        Field::new("errors", DataType::Int64, false),
    ])
}

/// The schema of parts.
pub fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let long = |name: &str| Field::new(name, DataType::Int64, false);
        let time = |name: &str| Field::new(name, DataType::Int64, true);
        Arc::new(Schema::new(vec![
            Field::new(part::TRACE_ID, DataType::Binary, false),
            time(part::START_MIN),
            time(part::START_MAX),
            time(part::END_MAX),
            long(part::SPANS),
            long(part::ERRORS),
            long(part::ROOTS),
            long(part::SHOWN_SPAN_ID),
            long(part::SHOWN_START),
            long(part::SHOWN_DURATION),
            Field::new(part::SHOWN_SERVICE, repeated_text(), false),
            Field::new(part::SHOWN_NAME, repeated_text(), false),
            Field::new(part::MISSING_PARENTS, DataType::Binary, false),
            Field::new(part::SERVICES, DataType::List(service_element()), false),
        ]))
    });
    Arc::clone(&SCHEMA)
}

/// The field around [`service_fields`] in a list.
pub fn service_element() -> Arc<Field> {
    Arc::new(Field::new("element", DataType::Struct(service_fields()), false))
}

/// Which of two spans stands for a trace: the smaller one. Unusable starts come last; the rest only
/// makes the choice independent of the order of arrival.
pub fn shown_key(start: i64, span_id: u64, duration: i64) -> (i64, u64, i64) {
    (if start > 0 { start } else { i64::MAX }, span_id, duration)
}

/// The trace whose spans are being read.
#[derive(Debug, Default)]
struct Open {
    trace_id: Vec<u8>,
    start_min: Option<i64>,
    start_max: Option<i64>,
    end_max: Option<i64>,
    spans: i64,
    errors: i64,
    roots: i64,
    shown: Option<(u64, i64, i64)>,
    shown_is_root: bool,
    shown_service: String,
    shown_name: String,
    ids: Vec<u64>,
    parents: Vec<u64>,
    /// Position of the name, spans, errors.
    services: Vec<(u32, i64, i64)>,
}

/// Makes parts of spans that come sorted by trace id.
pub struct PartsBuilder {
    open: Open,
    service_names: Vec<String>,
    service_positions: HashMap<String, u32>,
    done: Done,
}

/// Parts that are complete.
#[derive(Default)]
struct Done {
    trace_id: BinaryBuilder,
    times: [Int64Builder; 3],
    counts: [Int64Builder; 3],
    shown: [Int64Builder; 3],
    shown_service: StringDictionaryBuilder<Int32Type>,
    shown_name: StringDictionaryBuilder<Int32Type>,
    missing: BinaryBuilder,
    service_lengths: Vec<usize>,
    service_name: StringBuilder,
    service_spans: Int64Builder,
    service_errors: Int64Builder,
}

/// The columns of a batch of spans that matter here.
struct Spans<'a> {
    trace_id: &'a BinaryArray,
    span_id: &'a BinaryArray,
    parent: &'a BinaryArray,
    start: &'a Int64Array,
    duration: &'a Int64Array,
    status: &'a Int32Array,
    service: &'a DictionaryArray<Int32Type>,
    services: &'a StringArray,
    name: &'a DictionaryArray<Int32Type>,
    names: &'a StringArray,
}

impl<'a> Spans<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self, ArrowError> {
        let unexpected = |name: &str| ArrowError::SchemaError(format!("no usable column {name}"));
        let column = |name: &str| batch.column_by_name(name).ok_or_else(|| unexpected(name));
        let binary = |name: &str| column(name)?.as_binary_opt().ok_or_else(|| unexpected(name));
        let long = |name: &str| {
            column(name)?.as_primitive_opt::<Int64Type>().ok_or_else(|| unexpected(name))
        };
        let text = |name: &str| {
            let keys = column(name)?.as_dictionary_opt::<Int32Type>();
            let keys = keys.ok_or_else(|| unexpected(name))?;
            let values = keys.values().as_string_opt::<i32>().ok_or_else(|| unexpected(name))?;
            Ok::<_, ArrowError>((keys, values))
        };
        let (service, services) = text(name::SERVICE_NAME)?;
        let (span_name, names) = text(name::NAME)?;
        let status = column(name::STATUS_CODE)?.as_primitive_opt();
        Ok(Self {
            trace_id: binary(name::TRACE_ID)?,
            span_id: binary(name::SPAN_ID)?,
            parent: binary(name::PARENT_SPAN_ID)?,
            start: long(name::START_TIME_UNIX_NANO)?,
            duration: long(name::DURATION_NS)?,
            status: status.ok_or_else(|| unexpected(name::STATUS_CODE))?,
            service,
            services,
            name: span_name,
            names,
        })
    }

    fn service(&self, row: usize) -> &'a str {
        self.service.key(row).map_or("", |key| self.services.value(key))
    }

    fn name(&self, row: usize) -> &'a str {
        self.name.key(row).map_or("", |key| self.names.value(key))
    }
}

/// An 8-byte id as a number; 0 for none.
fn number(ids: &BinaryArray, row: usize) -> u64 {
    match ids.is_valid(row) {
        true => ids.value(row).try_into().map_or(0, u64::from_be_bytes),
        false => 0,
    }
}

impl std::fmt::Debug for PartsBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartsBuilder").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl Default for PartsBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl PartsBuilder {
    /// A builder without spans.
    pub fn new() -> Self {
        Self {
            open: Open::default(),
            service_names: Vec::new(),
            service_positions: HashMap::new(),
            done: Done::default(),
        }
    }

    /// Adds spans, whose trace ids must not be less than those before.
    ///
    /// # Errors
    /// A column of [`SPAN_COLUMNS`] is missing or has another type.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let spans = Spans::of(batch)?;
        // Each distinct service of the batch is looked up once.
        let mut positions: Vec<Option<u32>> = vec![None; spans.services.len()];
        let mut no_service = None;
        for row in 0..spans.trace_id.len() {
            let id = spans.trace_id.value(row);
            if self.open.spans == 0 || self.open.trace_id != id {
                self.close_trace();
                self.open.trace_id.extend_from_slice(id);
            }
            let slot = match spans.service.key(row).and_then(|key| positions.get_mut(key)) {
                Some(slot) => slot,
                None => &mut no_service,
            };
            let service = match *slot {
                Some(position) => position,
                None => {
                    let found = position(
                        &mut self.service_positions,
                        &mut self.service_names,
                        spans.service(row),
                    );
                    *slot = Some(found);
                    found
                }
            };
            self.open.add(&spans, row, service);
        }
        Ok(())
    }

    /// Number of parts that [`take`](Self::take) would give.
    pub fn len(&self) -> usize {
        self.done.service_lengths.len()
    }

    /// Whether [`take`](Self::take) would give nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The parts of all traces but the last, which may go on.
    ///
    /// # Errors
    /// There are too many for one batch.
    pub fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        std::mem::take(&mut self.done).finish()
    }

    /// The parts that are left.
    ///
    /// # Errors
    /// There are too many for one batch.
    pub fn finish(mut self) -> Result<RecordBatch, ArrowError> {
        self.close_trace();
        self.done.finish()
    }

    fn close_trace(&mut self) {
        if self.open.spans > 0 {
            self.done.push(&mut self.open, &self.service_names);
        }
        self.open.clear();
    }
}

fn position(known: &mut HashMap<String, u32>, names: &mut Vec<String>, name: &str) -> u32 {
    if let Some(position) = known.get(name) {
        return *position;
    }
    // Distinct services of one file are far fewer than 2^32.
    let position = names.len() as u32;
    names.push(name.to_owned());
    known.insert(name.to_owned(), position);
    position
}

impl Open {
    fn add(&mut self, spans: &Spans<'_>, row: usize, service: u32) {
        let (start, duration) = (spans.start.value(row), spans.duration.value(row));
        let (id, parent) = (number(spans.span_id, row), number(spans.parent, row));
        let is_error = i64::from(spans.status.is_valid(row) && spans.status.value(row) == 2);
        if start > 0 {
            let end = start.max(start.wrapping_add(duration));
            self.start_min = Some(self.start_min.map_or(start, |known| known.min(start)));
            self.start_max = Some(self.start_max.map_or(start, |known| known.max(start)));
            self.end_max = Some(self.end_max.map_or(end, |known| known.max(end)));
        }
        self.spans += 1;
        self.errors += is_error;
        let is_root = parent == 0;
        self.roots += i64::from(is_root);
        self.ids.push(id);
        if !is_root {
            self.parents.push(parent);
        }
        match self.services.iter_mut().find(|(known, ..)| *known == service) {
            Some((_, spans, errors)) => (*spans, *errors) = (*spans + 1, *errors + is_error),
            None => self.services.push((service, 1, is_error)),
        }
        let key = |(id, start, duration)| shown_key(start, id, duration);
        let texts = || (spans.service(row), spans.name(row));
        let is_shown = match self.shown {
            None => true,
            Some(_) if is_root != self.shown_is_root => is_root,
            Some(shown) => match key((id, start, duration)).cmp(&key(shown)) {
                Ordering::Equal => texts() < (&self.shown_service, &self.shown_name),
                order => order == Ordering::Less,
            },
        };
        if is_shown {
            self.shown = Some((id, start, duration));
            self.shown_is_root = is_root;
            self.shown_service.clear();
            self.shown_service.push_str(spans.service(row));
            self.shown_name.clear();
            self.shown_name.push_str(spans.name(row));
        }
    }

    /// Parents that no span of the run has.
    fn missing(&mut self) -> Vec<u8> {
        self.ids.sort_unstable();
        self.parents.sort_unstable();
        self.parents.dedup();
        let missing = self.parents.iter().filter(|id| self.ids.binary_search(id).is_err());
        missing.flat_map(|id| id.to_be_bytes()).collect()
    }

    /// Forgets the trace but keeps the memory.
    fn clear(&mut self) {
        let Self { trace_id, shown_service, shown_name, ids, parents, services, .. } =
            std::mem::take(self);
        *self =
            Self { trace_id, shown_service, shown_name, ids, parents, services, ..Self::default() };
        self.trace_id.clear();
        self.ids.clear();
        self.parents.clear();
        self.services.clear();
    }
}

impl Done {
    fn push(&mut self, open: &mut Open, service_names: &[String]) {
        self.trace_id.append_value(&open.trace_id);
        for (column, value) in
            self.times.iter_mut().zip([open.start_min, open.start_max, open.end_max])
        {
            column.append_option(value);
        }
        for (column, value) in self.counts.iter_mut().zip([open.spans, open.errors, open.roots]) {
            column.append_value(value);
        }
        let (id, start, duration) = open.shown.unwrap_or_default();
        for (column, value) in self.shown.iter_mut().zip([id.cast_signed(), start, duration]) {
            column.append_value(value);
        }
        self.shown_service.append_value(&open.shown_service);
        self.shown_name.append_value(&open.shown_name);
        self.missing.append_value(open.missing());
        let name = |at: u32| service_names.get(at as usize).map_or("", String::as_str);
        open.services.sort_unstable_by(|a, b| name(a.0).cmp(name(b.0)));
        self.service_lengths.push(open.services.len());
        for (service, spans, errors) in &open.services {
            self.service_name.append_value(name(*service));
            self.service_spans.append_value(*spans);
            self.service_errors.append_value(*errors);
        }
    }

    fn finish(mut self) -> Result<RecordBatch, ArrowError> {
        let services = StructArray::try_new(
            service_fields(),
            vec![
                Arc::new(self.service_name.finish()),
                Arc::new(self.service_spans.finish()),
                Arc::new(self.service_errors.finish()),
            ],
            None,
        )?;
        let offsets = OffsetBuffer::from_lengths(self.service_lengths);
        let services = ListArray::try_new(service_element(), offsets, Arc::new(services), None)?;
        let mut columns: Vec<arrow::array::ArrayRef> = vec![Arc::new(self.trace_id.finish())];
        for builder in self.times.iter_mut().chain(&mut self.counts).chain(&mut self.shown) {
            columns.push(Arc::new(builder.finish()));
        }
        columns.push(Arc::new(self.shown_service.finish()));
        columns.push(Arc::new(self.shown_name.finish()));
        columns.push(Arc::new(self.missing.finish()));
        columns.push(Arc::new(services));
        RecordBatch::try_new(schema(), columns)
    }
}
