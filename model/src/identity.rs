//! When two spans are the same span, and when they only claim to be.
//!
//! Two spans with equal ids are duplicates if every byte of their content is equal; the receive
//! time and what we derive do not count. Both questions are answered by 64-bit hashes (xxh3): a
//! key of the ids to find candidates, and a hash of the content to tell copies from impostors.
//!
//! The content hash folds the hashes of texts, so that a text that repeats is hashed once. It does
//! not depend on where an attribute is kept: an integer has the same hash as a number and as text.

use arrow::array::{Array, BinaryArray};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::rows::{AttributeText, Repeated, SpanRows};

/// The hash of what is absent.
pub(crate) const NULL: u64 = 0x9e37_79b9_7f4a_7c15;

/// Hash of (trace id, span id) of a row.
pub fn span_key(rows: &SpanRows<'_>, row: usize) -> u64 {
    key_of(rows.trace_id.value(row), rows.span_id.value(row))
}

/// Hash of (trace id, span id).
#[inline]
pub(crate) fn key_of(trace_id: &[u8], span_id: &[u8]) -> u64 {
    xxh3_64_with_seed(span_id, xxh3_64(trace_id))
}

/// Hashes the content of the rows of one batch; what repeats is hashed once.
#[derive(Debug)]
pub struct ContentHasher<'a> {
    rows: SpanRows<'a>,
    texts: [HashedTexts<'a>; 3],
    group: [HashedTexts<'a>; 7],
}

impl<'a> ContentHasher<'a> {
    /// Prepares to hash rows of a batch.
    pub fn new(rows: SpanRows<'a>) -> Self {
        Self {
            texts: [rows.name, rows.status_message, rows.trace_state].map(HashedTexts::new),
            group: [
                rows.resource_attributes,
                rows.resource_entity_refs,
                rows.resource_schema_url,
                rows.scope_name,
                rows.scope_version,
                rows.scope_attributes,
                rows.scope_schema_url,
            ]
            .map(HashedTexts::new),
            rows,
        }
    }

    /// The hash of everything the sender said in this span, its scope and its resource.
    pub fn hash(&self, row: usize) -> u64 {
        let rows = &self.rows;
        let group = group_hash(
            self.group.each_ref().map(|texts| texts.hash(row)),
            [
                rows.resource_dropped_attributes_count.value(row),
                rows.scope_dropped_attributes_count.value(row),
            ],
        );
        let parent = rows.parent_span_id.is_valid(row).then(|| rows.parent_span_id.value(row));
        let status = rows.status_code.is_valid(row).then(|| rows.status_code.value(row));
        let mut hash = SpanHash::new(span_key(rows, row), group, parent);
        hash.numbers([
            rows.start_time_unix_nano.value(row),
            rows.duration_ns.value(row),
            i64::from(rows.kind.value(row)),
            status.map_or(i64::MIN, i64::from),
            rows.flags.value(row),
            rows.dropped_attributes_count.value(row),
            rows.dropped_events_count.value(row),
            rows.dropped_links_count.value(row),
        ]);
        hash.texts(self.texts.each_ref().map(|texts| texts.hash(row)));
        for (key, value) in rows.attributes.entries(row) {
            hash.attribute(
                bytes_hash(key.as_bytes()),
                match value {
                    None => NULL,
                    Some(AttributeText::Int(value)) => int_hash(value),
                    Some(AttributeText::Text(text)) => value_hash(text),
                },
            );
        }
        for at in rows.event_range(row) {
            let events = &rows.events;
            hash.event(&EventHash {
                time_unix_nano: events.time_unix_nano.value(at),
                dropped_attributes_count: events.dropped_attributes_count.value(at),
                name: events.name.value(at).as_bytes(),
                attributes: events.attributes.value(at).as_bytes(),
            });
        }
        for at in rows.link_range(row) {
            let (links, id) = (&rows.links, |ids: &'a BinaryArray| ids.value(at));
            hash.link(&LinkHash {
                trace_id: id(links.trace_id),
                span_id: id(links.span_id),
                trace_state: links.trace_state.value(at).as_bytes(),
                attributes: links.attributes.value(at).as_bytes(),
                dropped_attributes_count: links.dropped_attributes_count.value(at),
                flags: links.flags.value(at),
            });
        }
        hash.finish()
    }
}

/// A column of repeated texts with the hash of each distinct one.
#[derive(Debug)]
struct HashedTexts<'a> {
    column: Repeated<'a>,
    hashes: Vec<u64>,
}

impl<'a> HashedTexts<'a> {
    fn new(column: Repeated<'a>) -> Self {
        Self { column, hashes: column.values().iter().map(text_hash).collect() }
    }

    fn hash(&self, row: usize) -> u64 {
        self.column.key(row).and_then(|key| self.hashes.get(key)).copied().unwrap_or(NULL)
    }
}

pub(crate) fn bytes_hash(bytes: &[u8]) -> u64 {
    xxh3_64(bytes)
}

pub(crate) fn text_hash(text: Option<&str>) -> u64 {
    text.map_or(NULL, |text| xxh3_64(text.as_bytes()))
}

pub(crate) fn int_hash(value: i64) -> u64 {
    mix(NULL, value.cast_unsigned())
}

/// The hash of a value text; that of an integer is that of the number.
fn value_hash(text: &str) -> u64 {
    let begins_as_number = matches!(text.as_bytes().first(), Some(b'-' | b'0'..=b'9'));
    match begins_as_number.then(|| text.parse::<i64>()) {
        Some(Ok(value)) => int_hash(value),
        _ => xxh3_64(text.as_bytes()),
    }
}

/// The hash of what the spans of one scope share.
pub(crate) fn group_hash(texts: [u64; 7], numbers: [i64; 2]) -> u64 {
    let hash = texts.into_iter().fold(NULL, mix);
    numbers.into_iter().fold(hash, |hash, number| mix(hash, number.cast_unsigned()))
}

/// What counts of an event.
pub(crate) struct EventHash<'a> {
    pub(crate) time_unix_nano: i64,
    pub(crate) dropped_attributes_count: i64,
    pub(crate) name: &'a [u8],
    pub(crate) attributes: &'a [u8],
}

/// What counts of a link.
pub(crate) struct LinkHash<'a> {
    pub(crate) trace_id: &'a [u8],
    pub(crate) span_id: &'a [u8],
    pub(crate) trace_state: &'a [u8],
    pub(crate) attributes: &'a [u8],
    pub(crate) dropped_attributes_count: i64,
    pub(crate) flags: i64,
}

/// The content hash of one span under construction.
pub(crate) struct SpanHash(u64);

impl SpanHash {
    pub(crate) fn new(key: u64, group: u64, parent: Option<&[u8]>) -> Self {
        Self(mix(mix(key, group), parent.map_or(NULL, xxh3_64)))
    }

    pub(crate) fn numbers(&mut self, numbers: [i64; 8]) {
        self.0 = numbers.into_iter().fold(self.0, |hash, n| mix(hash, n.cast_unsigned()));
    }

    pub(crate) fn texts(&mut self, hashes: [u64; 3]) {
        self.0 = hashes.into_iter().fold(self.0, mix);
    }

    #[inline]
    pub(crate) fn attribute(&mut self, key: u64, value: u64) {
        self.0 = mix(mix(self.0, key), value);
    }

    pub(crate) fn event(&mut self, event: &EventHash<'_>) {
        self.0 = mix(self.0, event.time_unix_nano.cast_unsigned());
        self.0 = mix(self.0, event.dropped_attributes_count.cast_unsigned());
        self.0 = mix(mix(self.0, xxh3_64(event.name)), xxh3_64(event.attributes));
    }

    pub(crate) fn link(&mut self, link: &LinkHash<'_>) {
        self.0 = mix(mix(self.0, xxh3_64(link.trace_id)), xxh3_64(link.span_id));
        self.0 = mix(mix(self.0, xxh3_64(link.trace_state)), xxh3_64(link.attributes));
        self.0 = mix(self.0, link.dropped_attributes_count.cast_unsigned());
        self.0 = mix(self.0, link.flags.cast_unsigned());
    }

    pub(crate) fn finish(self) -> u64 {
        self.0
    }
}

/// Folds one number into a hash.
#[inline]
fn mix(hash: u64, value: u64) -> u64 {
    let product = u128::from(hash ^ value.wrapping_mul(NULL)) * 0x2545_f491_4f6c_dd1d_u128;
    ((product >> 64) as u64) ^ (product as u64)
}
