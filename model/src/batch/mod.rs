//! Spans on their way from the wire to Arrow: growing columns, sealed into a `RecordBatch`.
//!
//! One [`SpanColumns`] holds the accepted spans of one request. The decoder appends field by field
//! and either commits the row or rolls it back. Texts that repeat within a request (names, attribute
//! keys and values) are stored and checked once and then go by number. [`seal`] joins many requests
//! into one batch by joining their distinct texts: the cost per span is that of moving numbers.
//!
//! Invariant: every column has the same number of committed rows. A refused span may leave texts
//! behind that no row names.

mod attribute_columns;
mod attributes;
mod content;
mod dictionary;
mod relayout;
mod seal;
mod stamp_columns;
mod texts;

use causeway_clock::order::Fault;

use crate::columns::FLAG_TIME;
use crate::otlp::Refusal;
use crate::stamps::{SpanStamps, StampReader};
use crate::value;

pub use attribute_columns::{
    AttributeColumn, AttributeColumns, AttributeKind, AttributeUse, COLUMNS_PER_FILE_MAX,
};
pub use content::PartHasher;
pub use relayout::{move_attributes, relayout};
pub use seal::seal;
pub use texts::Texts;
use texts::{Novelty, unchecked};

/// Variable-length values, some of them null: one buffer and the end of each value.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Values {
    data: Vec<u8>,
    ends: Vec<usize>,
    /// Positions of nulls, ascending: rare in every column.
    nulls: Vec<usize>,
}

impl Values {
    pub(crate) fn push(&mut self, value: impl AsRef<[u8]>) {
        self.data.extend_from_slice(value.as_ref());
        self.ends.push(self.data.len());
    }

    pub(crate) fn push_null(&mut self) {
        self.nulls.push(self.ends.len());
        self.ends.push(self.data.len());
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    /// A value; a null reads as empty.
    fn get(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        let end = self.ends.get(at).copied().unwrap_or(0);
        self.data.get(start.unwrap_or(0)..end).unwrap_or_default()
    }

    fn truncate(&mut self, rows: usize) {
        self.ends.truncate(rows);
        self.data.truncate(self.ends.last().copied().unwrap_or(0));
        while self.nulls.last().is_some_and(|null| *null >= rows) {
            self.nulls.pop();
        }
    }

    fn iter(&self) -> impl Iterator<Item = Option<&[u8]>> {
        let mut start = 0;
        let mut nulls = self.nulls.iter().peekable();
        self.ends.iter().enumerate().map(move |(row, &end)| {
            let value = self.data.get(start..end).unwrap_or_default();
            start = end;
            nulls.next_if_eq(&&row).is_none().then_some(value)
        })
    }
}

/// Columns of the events of all rows; `ends` holds the event count up to and including each row.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Events {
    ends: Vec<usize>,
    pub(crate) time_unix_nano: Vec<i64>,
    pub(crate) name: Values,
    pub(crate) attributes: Values,
    pub(crate) dropped_attributes_count: Vec<i64>,
}

/// Columns of the links of all rows.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Links {
    ends: Vec<usize>,
    pub(crate) trace_id: Values,
    pub(crate) span_id: Values,
    pub(crate) trace_state: Values,
    pub(crate) attributes: Values,
    pub(crate) dropped_attributes_count: Vec<i64>,
    pub(crate) flags: Vec<i64>,
}

/// What the spans of one `ScopeSpans` share.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) service_name: Option<String>,
    pub(crate) resource_attributes: Option<String>,
    pub(crate) resource_dropped_attributes_count: i64,
    pub(crate) resource_entity_refs: Option<String>,
    pub(crate) resource_schema_url: String,
    pub(crate) scope_name: Option<String>,
    pub(crate) scope_version: Option<String>,
    pub(crate) scope_attributes: Option<String>,
    pub(crate) scope_dropped_attributes_count: i64,
    pub(crate) scope_schema_url: String,
}

/// The single-valued fields of one span as they stand on the wire.
#[derive(Debug, Default)]
pub(crate) struct SpanFields<'a> {
    pub(crate) trace_id: &'a [u8],
    pub(crate) span_id: &'a [u8],
    pub(crate) parent_span_id: &'a [u8],
    pub(crate) trace_state: &'a [u8],
    pub(crate) name: &'a [u8],
    pub(crate) kind: i32,
    pub(crate) flags: u32,
    pub(crate) start_time_unix_nano: u64,
    pub(crate) end_time_unix_nano: u64,
    pub(crate) status: Option<(i32, &'a [u8])>,
    pub(crate) dropped_attributes_count: u32,
    pub(crate) dropped_events_count: u32,
    pub(crate) dropped_links_count: u32,
}

/// The number of a text that is absent.
pub(crate) const NO_TEXT: u32 = u32::MAX;

/// One attribute of a span: the number of its key and where its value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: u32,
    pub(crate) value: EntryValue,
}

/// The value of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryValue {
    /// A key that was sent without a value message.
    Absent,
    /// Position in `SpanColumns::ints`.
    Int(u32),
    /// Number of its [value text](crate::value).
    Text(u32),
}

/// The accepted spans of one request, as columns.
#[derive(Debug, Default, Clone)]
pub struct SpanColumns {
    rows: usize,
    received_at_unix_nano: i64,
    request_bytes: usize,
    groups: Vec<(usize, Group)>,
    trace_id: Vec<u8>,
    span_id: Vec<u8>,
    parent_span_id: Values,
    start_time_unix_nano: Vec<i64>,
    duration_ns: Vec<i64>,
    name: Vec<u32>,
    kind: Vec<i32>,
    status_code: Vec<Option<i32>>,
    status_message: Vec<u32>,
    trace_state: Vec<u32>,
    flags: Vec<i64>,
    attribute_ends: Vec<usize>,
    entries: Vec<Entry>,
    ints: Vec<i64>,
    /// The number in `shapes` of the keys of each row.
    shape: Vec<u32>,
    /// Sequences of key numbers, as native-endian bytes.
    shapes: Texts,
    keys: Texts,
    /// Value texts, names, status messages and trace states.
    texts: Texts,
    /// Of each key, whether its values repeat.
    novelty: Vec<Novelty>,
    /// Scratch space for texts and shapes under construction.
    scratch: Vec<u8>,
    dropped_attributes_count: Vec<i64>,
    pub(crate) events: Events,
    dropped_events_count: Vec<i64>,
    pub(crate) links: Links,
    dropped_links_count: Vec<i64>,
    clock_flags: Vec<i32>,
    /// Stamps of the span that is being decoded.
    pub(crate) reading: StampReader,
    /// Rows with stamps, ascending: none where nobody tags spans.
    stamps: Vec<(usize, SpanStamps)>,
}

const TRACE_ID_BYTES: usize = 16;
const SPAN_ID_BYTES: usize = 8;

/// Values of a key in a request after which it shows whether they repeat.
const VALUE_LOOK_UPS_MIN: u64 = 32;

/// The number of a value of an attribute.
#[inline]
fn value_number<E>(
    texts: &mut Texts,
    novelty: &mut Vec<Novelty>,
    key: u32,
    value: &[u8],
    check: impl FnOnce(&[u8]) -> Result<(), E>,
) -> Result<u32, E> {
    let key = key as usize;
    if novelty.len() <= key {
        novelty.resize_with(key + 1, Novelty::default);
    }
    match novelty.get_mut(key) {
        Some(novelty) => texts.number_in(novelty, VALUE_LOOK_UPS_MIN, value, check),
        None => texts.number_of(value, check),
    }
}

/// Whether `id` has the right length and is not all zero.
fn is_valid_id(id: &[u8], bytes: usize) -> bool {
    id.len() == bytes && id.iter().any(|byte| *byte != 0)
}

/// A time that can be compared: set, and within the signed range.
fn is_usable_time(unix_nano: u64) -> bool {
    unix_nano != 0 && i64::try_from(unix_nano).is_ok()
}

impl SpanColumns {
    pub(crate) fn new(received_at_unix_nano: i64, request_bytes: usize) -> Self {
        Self { received_at_unix_nano, request_bytes, ..Self::default() }
    }

    /// Number of spans.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether no span was accepted.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The trace id of each span.
    pub fn trace_ids(&self) -> impl Iterator<Item = [u8; TRACE_ID_BYTES]> {
        self.trace_id.as_chunks().0.iter().copied()
    }

    /// How many spans have each fault, of those that a span tells by itself.
    pub fn faults(&self) -> impl Iterator<Item = (Fault, u64)> {
        let flagged: Vec<u32> =
            self.clock_flags.iter().filter(|f| **f != 0).map(|f| f.cast_unsigned()).collect();
        Fault::ALL.into_iter().filter_map(move |fault| {
            let spans = flagged.iter().filter(|f| **f & fault.bit() != 0).count() as u64;
            (spans > 0).then_some((fault, spans))
        })
    }

    /// Size of the request the spans came from: about what they take in memory.
    pub fn request_bytes(&self) -> usize {
        self.request_bytes
    }

    /// Starts a run of spans that share resource and scope.
    pub(crate) fn begin_group(&mut self, group: Group) {
        self.groups.push((self.rows, group));
    }

    /// Appends the single-valued fields of the current row.
    pub(crate) fn fill_row(&mut self, row: &SpanFields<'_>) -> Result<(), Refusal> {
        if !is_valid_id(row.trace_id, TRACE_ID_BYTES) {
            return Err(Refusal::TraceId);
        }
        if !is_valid_id(row.span_id, SPAN_ID_BYTES) {
            return Err(Refusal::SpanId);
        }
        match row.parent_span_id.len() {
            0 => self.parent_span_id.push_null(),
            SPAN_ID_BYTES => self.parent_span_id.push(row.parent_span_id),
            _ => return Err(Refusal::ParentSpanId),
        }
        self.trace_id.extend_from_slice(row.trace_id);
        self.span_id.extend_from_slice(row.span_id);
        self.name.push(self.texts.number_of(row.name, check_utf8)?);
        self.trace_state.push(self.texts.number_of(row.trace_state, check_utf8)?);
        let (start, end) = (row.start_time_unix_nano, row.end_time_unix_nano);
        self.start_time_unix_nano.push(start.cast_signed());
        self.duration_ns.push(end.wrapping_sub(start).cast_signed());
        let times_usable = is_usable_time(start) && is_usable_time(end) && start <= end;
        self.reading.trace_state(row.trace_state);
        self.clock_flags.push(match self.reading.finish(row, self.received_at_unix_nano) {
            None if times_usable => 0,
            None => FLAG_TIME,
            Some((stamps, faults)) => {
                if !stamps.is_empty() {
                    self.stamps.push((self.rows, stamps));
                }
                faults.bits().cast_signed()
            }
        });
        self.kind.push(row.kind);
        self.flags.push(i64::from(row.flags));
        self.status_code.push(row.status.map(|(code, _)| code));
        self.status_message.push(match row.status {
            Some((_, message)) => self.texts.number_of(message, check_utf8)?,
            None => NO_TEXT,
        });
        self.dropped_attributes_count.push(i64::from(row.dropped_attributes_count));
        self.dropped_events_count.push(i64::from(row.dropped_events_count));
        self.dropped_links_count.push(i64::from(row.dropped_links_count));
        Ok(())
    }

    /// Appends an attribute whose value is a string, in the form the wire has it.
    #[inline]
    pub(crate) fn string_attribute(&mut self, key: &[u8], value: &[u8]) -> Result<(), Refusal> {
        let key = self.keys.number_of(key, check_utf8)?;
        let (texts, novelty) = (&mut self.texts, &mut self.novelty);
        let number = if value::is_plain(value) {
            value_number(texts, novelty, key, value, check_utf8)?
        } else {
            self.scratch.clear();
            value::push_json_string(checked(value)?, &mut self.scratch);
            let Ok(number) = value_number(texts, novelty, key, &self.scratch, unchecked);
            number
        };
        self.entries.push(Entry { key, value: EntryValue::Text(number) });
        Ok(())
    }

    /// Appends an attribute whose value is an integer.
    #[inline]
    pub(crate) fn int_attribute(&mut self, key: &[u8], value: i64) -> Result<(), Refusal> {
        // A request is limited far below 2^32 bytes.
        let at = self.ints.len() as u32;
        self.ints.push(value);
        self.attribute(key, EntryValue::Int(at))
    }

    /// Appends an attribute whose value text `write` makes.
    pub(crate) fn text_attribute<E: From<Refusal>>(
        &mut self,
        key: &[u8],
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.scratch.clear();
        write(&mut self.scratch)?;
        let key = self.keys.number_of(key, check_utf8)?;
        let Ok(number) =
            value_number(&mut self.texts, &mut self.novelty, key, &self.scratch, unchecked);
        self.entries.push(Entry { key, value: EntryValue::Text(number) });
        Ok(())
    }

    /// Appends an attribute without a value.
    pub(crate) fn absent_attribute(&mut self, key: &[u8]) -> Result<(), Refusal> {
        self.attribute(key, EntryValue::Absent)
    }

    #[inline]
    fn attribute(&mut self, key: &[u8], value: EntryValue) -> Result<(), Refusal> {
        let key = self.keys.number_of(key, check_utf8)?;
        self.entries.push(Entry { key, value });
        Ok(())
    }

    /// The attributes of a row, in the sender's order.
    fn entries(&self, row: usize) -> &[Entry] {
        let start = row.checked_sub(1).and_then(|before| self.attribute_ends.get(before));
        let start = start.copied().unwrap_or(0);
        let end = self.attribute_ends.get(row).copied().unwrap_or(start);
        self.entries.get(start..end).unwrap_or_default()
    }

    fn int(&self, at: u32) -> i64 {
        self.ints.get(at as usize).copied().unwrap_or(0)
    }

    /// The number of the keys of the current row, in their order.
    fn current_shape(&mut self) -> u32 {
        let start = self.attribute_ends.last().copied().unwrap_or(0);
        self.scratch.clear();
        for entry in self.entries.get(start..).unwrap_or_default() {
            self.scratch.extend_from_slice(&entry.key.to_ne_bytes());
        }
        self.shapes.add(&self.scratch)
    }

    /// The key numbers of a shape.
    fn shape_keys(&self, shape: u32) -> impl Iterator<Item = u32> {
        self.shapes.get(shape).as_chunks().0.iter().copied().map(u32::from_ne_bytes)
    }

    /// Keeps the current row.
    pub(crate) fn commit(&mut self) {
        self.rows += 1;
        let shape = self.current_shape();
        self.shape.push(shape);
        self.attribute_ends.push(self.entries.len());
        self.events.ends.push(self.events.time_unix_nano.len());
        self.links.ends.push(self.links.flags.len());
    }

    /// Forgets whatever was appended since the last commit.
    pub(crate) fn roll_back(&mut self) {
        let rows = self.rows;
        self.trace_id.truncate(rows * TRACE_ID_BYTES);
        self.span_id.truncate(rows * SPAN_ID_BYTES);
        self.parent_span_id.truncate(rows);
        for texts in [&mut self.name, &mut self.status_message, &mut self.trace_state] {
            texts.truncate(rows);
        }
        for longs in [
            &mut self.start_time_unix_nano,
            &mut self.duration_ns,
            &mut self.flags,
            &mut self.dropped_attributes_count,
            &mut self.dropped_events_count,
            &mut self.dropped_links_count,
        ] {
            longs.truncate(rows);
        }
        self.kind.truncate(rows);
        self.clock_flags.truncate(rows);
        self.status_code.truncate(rows);
        self.reading = StampReader::default();
        self.stamps.truncate(self.stamps.partition_point(|(row, _)| *row < rows));

        let attributes = self.attribute_ends.last().copied().unwrap_or(0);
        self.entries.truncate(attributes);

        let events = self.events.ends.last().copied().unwrap_or(0);
        self.events.time_unix_nano.truncate(events);
        self.events.name.truncate(events);
        self.events.attributes.truncate(events);
        self.events.dropped_attributes_count.truncate(events);

        let links = self.links.ends.last().copied().unwrap_or(0);
        self.links.trace_id.truncate(links);
        self.links.span_id.truncate(links);
        self.links.trace_state.truncate(links);
        self.links.attributes.truncate(links);
        self.links.dropped_attributes_count.truncate(links);
        self.links.flags.truncate(links);
    }

    /// Groups with the number of rows each covers.
    fn runs(&self) -> impl Iterator<Item = (&Group, usize)> {
        let ends = self.groups.iter().skip(1).map(|(first, _)| *first).chain([self.rows]);
        self.groups.iter().zip(ends).map(|((first, group), end)| (group, end - first))
    }
}

fn checked(text: &[u8]) -> Result<&str, Refusal> {
    std::str::from_utf8(text).map_err(|_| Refusal::Utf8)
}

fn check_utf8(text: &[u8]) -> Result<(), Refusal> {
    checked(text).map(drop)
}
