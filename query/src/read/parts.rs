//! Parts of traces: where they come from, and what they are together.
//!
//! ```text
//! summary files ----------------------------\
//! files without one -- spans -- parts -------> merged by trace id --> one [`Merged`] a trace
//! recent batches ----- spans -- parts (kept) /
//! ```
//!
//! All sources are sorted by trace id, so merging them needs one page of each and nothing else.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BinaryHeap};

use arrow::array::{
    Array, AsArray, BinaryArray, DictionaryArray, Int64Array, ListArray, RecordBatch, StringArray,
};
use arrow::datatypes::{Int32Type, Int64Type, SchemaRef};
use arrow::error::ArrowError;
use causeway_model::parts::{self, part, shown_key};

use crate::error::Result;
use crate::functions::span_duration::duration_of;
use crate::trace::summary::{ServiceCount, Summary};

/// The columns that ranking needs, or all of them.
pub(crate) fn part_schema(has_texts: bool) -> SchemaRef {
    let schema = parts::schema();
    let texts = [part::SHOWN_SERVICE, part::SHOWN_NAME, part::MISSING_PARENTS, part::SERVICES];
    let is_wanted = |name: &str| has_texts || !texts.contains(&name);
    let fields = schema.fields().iter().filter(|field| is_wanted(field.name())).cloned();
    SchemaRef::new(arrow::datatypes::Schema::new(fields.collect::<Vec<_>>()))
}

/// A batch of parts, column by column.
#[derive(Debug, Clone)]
pub(crate) struct PartBatch {
    trace_id: BinaryArray,
    start_min: Int64Array,
    start_max: Int64Array,
    end_max: Int64Array,
    spans: Int64Array,
    errors: Int64Array,
    roots: Int64Array,
    shown_span_id: Int64Array,
    shown_start: Int64Array,
    shown_duration: Int64Array,
    texts: Option<Texts>,
}

#[derive(Debug, Clone)]
struct Texts {
    service: DictionaryArray<Int32Type>,
    name: DictionaryArray<Int32Type>,
    missing: BinaryArray,
    services: ListArray,
    service_name: StringArray,
    service_spans: Int64Array,
    service_errors: Int64Array,
}

impl PartBatch {
    /// # Errors
    /// The batch is not of the schema of parts.
    pub(crate) fn new(batch: &RecordBatch) -> std::result::Result<Self, ArrowError> {
        let read = || {
            let long = |name: &str| -> Option<Int64Array> {
                Some(batch.column_by_name(name)?.as_primitive_opt::<Int64Type>()?.clone())
            };
            Some(Self {
                trace_id: batch.column_by_name(part::TRACE_ID)?.as_binary_opt()?.clone(),
                start_min: long(part::START_MIN)?,
                start_max: long(part::START_MAX)?,
                end_max: long(part::END_MAX)?,
                spans: long(part::SPANS)?,
                errors: long(part::ERRORS)?,
                roots: long(part::ROOTS)?,
                shown_span_id: long(part::SHOWN_SPAN_ID)?,
                shown_start: long(part::SHOWN_START)?,
                shown_duration: long(part::SHOWN_DURATION)?,
                texts: Texts::of(batch),
            })
        };
        read().ok_or_else(|| ArrowError::SchemaError("not a batch of parts".to_owned()))
    }

    pub(crate) fn len(&self) -> usize {
        self.trace_id.len()
    }

    /// The first row whose id is not less.
    fn first_from(&self, id: u128) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.id(middle) < id {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        low
    }

    /// The trace of a part; ids sort as numbers.
    pub(crate) fn id(&self, row: usize) -> u128 {
        self.trace_id.value(row).try_into().map_or(0, u128::from_be_bytes)
    }
}

impl Texts {
    fn of(batch: &RecordBatch) -> Option<Self> {
        let text = |name: &str| Some(batch.column_by_name(name)?.as_dictionary_opt()?.clone());
        let services = batch.column_by_name(part::SERVICES)?.as_list_opt::<i32>()?.clone();
        let counts = services.values().as_struct_opt()?.clone();
        Some(Self {
            service: text(part::SHOWN_SERVICE)?,
            name: text(part::SHOWN_NAME)?,
            missing: batch.column_by_name(part::MISSING_PARENTS)?.as_binary_opt()?.clone(),
            services,
            service_name: counts.column_by_name("name")?.as_string_opt()?.clone(),
            service_spans: counts.column_by_name("spans")?.as_primitive_opt()?.clone(),
            service_errors: counts.column_by_name("errors")?.as_primitive_opt()?.clone(),
        })
    }
}

fn text(array: &DictionaryArray<Int32Type>, row: usize) -> &str {
    array.key(row).map_or("", |key| array.values().as_string::<i32>().value(key))
}

/// Whether a trace has a span in a range of start times, by what its parts tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Within {
    #[default]
    No,
    /// A part begins before the range and ends after it.
    Perhaps,
    Yes,
}

/// An inclusive range of usable start times.
pub(crate) type Times = (i64, i64);

fn within(times: Option<Times>, least: Option<i64>, greatest: Option<i64>) -> Within {
    let Some((from, to)) = times else {
        return Within::Yes;
    };
    let (Some(least), Some(greatest)) = (least, greatest) else {
        return Within::No;
    };
    let has = |start: i64| from <= start && start <= to;
    match () {
        () if has(least) || has(greatest) => Within::Yes,
        () if least < from && to < greatest => Within::Perhaps,
        () => Within::No,
    }
}

/// What all parts of one trace say together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Merged {
    pub(crate) trace_id: [u8; 16],
    pub(crate) within: Within,
    pub(crate) start_min: Option<i64>,
    end_max: Option<i64>,
    pub(crate) spans: i64,
    pub(crate) errors: i64,
    roots: i64,
    parts: u32,
    shown: (u64, i64, i64),
    shown_is_root: bool,
    shown_service: String,
    shown_name: String,
    /// Parents that some part does not have; another may.
    missing: Vec<u64>,
    services: BTreeMap<String, (i64, i64)>,
}

impl Merged {
    /// Latest usable end.
    pub(crate) fn end_max(&self) -> Option<i64> {
        self.end_max
    }

    /// Adds a part of the same trace.
    pub(crate) fn add(&mut self, batch: &PartBatch, row: usize, times: Option<Times>) {
        let time = |array: &Int64Array| array.is_valid(row).then(|| array.value(row));
        let (least, greatest) = (time(&batch.start_min), time(&batch.start_max));
        self.trace_id = batch.id(row).to_be_bytes();
        self.within = self.within.max(within(times, least, greatest));
        // None is less than every start.
        self.start_min = self.start_min.into_iter().chain(least).min();
        self.end_max = self.end_max.max(time(&batch.end_max));
        self.spans += batch.spans.value(row);
        self.errors += batch.errors.value(row);
        self.add_shown(batch, row);
        self.roots += batch.roots.value(row);
        self.parts += 1;
        if let Some(texts) = &batch.texts {
            let (ids, _) = texts.missing.value(row).as_chunks::<8>();
            self.missing.extend(ids.iter().map(|id| u64::from_be_bytes(*id)));
            for at in causeway_model::rows::offsets_range(texts.services.value_offsets(), row) {
                let name = texts.service_name.value(at);
                let counts = (texts.service_spans.value(at), texts.service_errors.value(at));
                match self.services.get_mut(name) {
                    Some(known) => *known = (known.0 + counts.0, known.1 + counts.1),
                    None => drop(self.services.insert(name.to_owned(), counts)),
                }
            }
        }
    }

    fn add_shown(&mut self, batch: &PartBatch, row: usize) {
        let shown = (
            batch.shown_span_id.value(row).cast_unsigned(),
            batch.shown_start.value(row),
            batch.shown_duration.value(row),
        );
        let texts = batch.texts.as_ref().map(|t| (text(&t.service, row), text(&t.name, row)));
        let (service, name) = texts.unwrap_or_default();
        let is_root = batch.roots.value(row) > 0;
        let key = |(id, start, duration): (u64, i64, i64)| shown_key(start, id, duration);
        let is_better = match (self.parts, is_root == self.shown_is_root) {
            (0, _) => true,
            (_, false) => is_root,
            _ => match key(shown).cmp(&key(self.shown)) {
                Ordering::Equal => {
                    (service, name) < (self.shown_service.as_str(), self.shown_name.as_str())
                }
                order => order == Ordering::Less,
            },
        };
        if is_better {
            (self.shown, self.shown_is_root) = (shown, is_root);
            self.shown_service = service.to_owned();
            self.shown_name = name.to_owned();
        }
    }

    /// The duration of the root; none without a root whose times are usable.
    pub(crate) fn duration_ns(&self) -> Option<i64> {
        let (_, start, duration) = self.shown;
        self.shown_is_root.then(|| duration_of(start, duration)).flatten()
    }

    /// From the first start to the last end.
    pub(crate) fn envelope_ns(&self) -> i64 {
        self.end_max.zip(self.start_min).map_or(0, |(end, start)| end.saturating_sub(start))
    }

    /// Whether another part may have parents that one misses.
    pub(crate) fn has_open_parents(&self) -> bool {
        self.parts > 1 && !self.missing.is_empty()
    }

    /// Tells that the trace has a span.
    pub(crate) fn found_span(&mut self, span_id: u64) {
        self.missing.retain(|parent| *parent != span_id);
    }

    /// The line about the trace, when no parents are open.
    pub(crate) fn summary(mut self) -> Summary {
        self.missing.sort_unstable();
        self.missing.dedup();
        let missing = self.missing.len() as i64;
        let services = self.services.iter().map(|(name, (spans, errors))| ServiceCount {
            name: name.clone(),
            spans: *spans,
            errors: *errors,
        });
        Summary {
            root_span_id: self.shown_is_root.then_some(self.shown.0),
            start_time_unix_nano: self.start_min.unwrap_or(0),
            duration_ns: self.duration_ns(),
            envelope_ns: self.envelope_ns(),
            spans: self.spans,
            errors: self.errors,
            services: services.collect(),
            missing_parents: missing,
            complete: missing == 0 && self.roots == 1,
            root_service: self.shown_service,
            root_name: self.shown_name,
        }
    }
}

/// A range of trace ids, both ends inclusive: what one thread merges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) first: u128,
    pub(crate) last: u128,
}

impl Share {
    /// All ids.
    pub(crate) const ALL: Self = Self { first: 0, last: u128::MAX };

    /// All ids in `count` ranges, about equal for ids that are random.
    pub(crate) fn split(count: usize) -> Vec<Self> {
        let count = count.max(1) as u128;
        let start = |at: u128| (u128::MAX / count).saturating_mul(at);
        let last = |at| if at + 1 == count { u128::MAX } else { start(at + 1) - 1 };
        (0..count).map(|at| Self { first: start(at), last: last(at) }).collect()
    }
}

/// Sorted parts of one source, read as needed.
pub(crate) struct Cursor {
    batches: Box<dyn Iterator<Item = Result<PartBatch>> + Send>,
    current: PartBatch,
    row: usize,
    last: u128,
}

impl Cursor {
    /// At the first part of the share; `None` when there is none.
    pub(crate) fn new(
        mut batches: Box<dyn Iterator<Item = Result<PartBatch>> + Send>,
        share: Share,
    ) -> Result<Option<Self>> {
        for batch in batches.by_ref() {
            let current = batch?;
            let row = current.first_from(share.first);
            if row < current.len() {
                let cursor = Self { batches, current, row, last: share.last };
                return Ok((cursor.id() <= share.last).then_some(cursor));
            }
        }
        Ok(None)
    }

    fn id(&self) -> u128 {
        self.current.id(self.row)
    }

    /// Steps to the next part; false at the end.
    fn advance(&mut self) -> Result<bool> {
        self.row += 1;
        while self.row >= self.current.len() {
            let Some(next) = self.batches.next() else {
                return Ok(false);
            };
            (self.current, self.row) = (next?, 0);
        }
        Ok(self.id() <= self.last)
    }
}

/// Gives every trace of all sources to `visit`, by ascending id, until it returns false.
///
/// # Errors
/// A source cannot be read, or `visit` fails.
pub(crate) fn merge(
    mut cursors: Vec<Cursor>,
    times: Option<Times>,
    visit: &mut dyn FnMut(Merged) -> Result<bool>,
) -> Result<()> {
    let mut next: BinaryHeap<Reverse<(u128, usize)>> =
        cursors.iter().enumerate().map(|(at, cursor)| Reverse((cursor.id(), at))).collect();
    while let Some(Reverse((id, _))) = next.peek().copied() {
        let mut merged = Merged::default();
        while let Some(mut top) = next.peek_mut()
            && top.0.0 == id
        {
            let Some(cursor) = cursors.get_mut(top.0.1) else {
                break;
            };
            merged.add(&cursor.current, cursor.row, times);
            if cursor.advance()? {
                top.0.0 = cursor.id();
            } else {
                std::collections::binary_heap::PeekMut::pop(top);
            }
        }
        if !visit(merged)? {
            break;
        }
    }
    Ok(())
}
