//! When two spans are the same span, and when they only claim to be.
//!
//! Two spans with equal ids are duplicates if every byte of their content is equal; the receive
//! time and what we derive do not count. Both questions are answered by 64-bit hashes (xxh3): a
//! key of the ids to find candidates, and a hash of the content to tell copies from impostors.

use arrow::array::{Array, StringArray};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::rows::{Repeated, SpanRows};

/// Hash of (trace id, span id) of a row.
pub fn span_key(rows: &SpanRows<'_>, row: usize) -> u64 {
    xxh3_64_with_seed(rows.span_id.value(row), xxh3_64(rows.trace_id.value(row)))
}

/// Hashes the content of the rows of one batch; what repeats is hashed once.
#[derive(Debug)]
pub struct ContentHasher<'a> {
    rows: SpanRows<'a>,
    /// Columns with few values, and the hash of each of their values.
    repeated: [(Repeated<'a>, Vec<u64>); 11],
}

const NULL: u64 = 0x9e37_79b9_7f4a_7c15;

impl<'a> ContentHasher<'a> {
    /// Prepares to hash rows of a batch.
    pub fn new(rows: SpanRows<'a>) -> Self {
        let repeated = [
            rows.name,
            rows.status_message,
            rows.trace_state,
            rows.resource_attributes,
            rows.resource_entity_refs,
            rows.resource_schema_url,
            rows.scope_name,
            rows.scope_version,
            rows.scope_attributes,
            rows.scope_schema_url,
            rows.service_name,
        ]
        .map(|column| {
            let hashes = column.values().iter().map(|v| v.map_or(NULL, |v| xxh3_64(v.as_bytes())));
            (column, hashes.collect())
        });
        Self { rows, repeated }
    }

    /// The hash of everything the sender said in this span, its scope and its resource.
    pub fn hash(&self, row: usize) -> u64 {
        let rows = &self.rows;
        let mut hash = self.fixed(row);
        hash = xxh3_64_with_seed(
            match rows.parent_span_id.is_valid(row) {
                true => rows.parent_span_id.value(row),
                false => &[],
            },
            hash,
        );
        for (column, hashes) in &self.repeated {
            let value = column.key(row).and_then(|key| hashes.get(key)).copied().unwrap_or(NULL);
            hash = mix(hash, value);
        }
        let attributes = rows.attributes.range(row);
        hash = texts(rows.attributes.keys, attributes.clone(), hash);
        hash = texts(rows.attributes.values, attributes, hash);
        let events = rows.event_range(row);
        if !events.is_empty() {
            hash = self.events(events, hash);
        }
        let links = rows.link_range(row);
        if !links.is_empty() {
            hash = self.links(links, hash);
        }
        hash
    }

    fn fixed(&self, row: usize) -> u64 {
        let rows = &self.rows;
        let status = match rows.status_code.is_valid(row) {
            true => i64::from(rows.status_code.value(row)),
            false => i64::MIN,
        };
        let numbers = [
            rows.start_time_unix_nano.value(row),
            rows.duration_ns.value(row),
            i64::from(rows.kind.value(row)),
            status,
            rows.flags.value(row),
            rows.resource_dropped_attributes_count.value(row),
            rows.scope_dropped_attributes_count.value(row),
            rows.dropped_attributes_count.value(row),
            rows.dropped_events_count.value(row),
            rows.dropped_links_count.value(row),
        ];
        numbers.into_iter().fold(span_key(rows, row), |hash, n| mix(hash, n.cast_unsigned()))
    }

    fn events(&self, range: std::ops::Range<usize>, mut hash: u64) -> u64 {
        let events = &self.rows.events;
        for at in range.clone() {
            hash = mix(hash, events.time_unix_nano.value(at).cast_unsigned());
            hash = mix(hash, events.dropped_attributes_count.value(at).cast_unsigned());
        }
        texts(events.attributes, range.clone(), texts(events.name, range, hash))
    }

    fn links(&self, range: std::ops::Range<usize>, mut hash: u64) -> u64 {
        let links = &self.rows.links;
        for at in range.clone() {
            hash = xxh3_64_with_seed(links.trace_id.value(at), hash);
            hash = xxh3_64_with_seed(links.span_id.value(at), hash);
            hash = mix(hash, links.dropped_attributes_count.value(at).cast_unsigned());
            hash = mix(hash, links.flags.value(at).cast_unsigned());
        }
        texts(links.attributes, range.clone(), texts(links.trace_state, range, hash))
    }
}

/// Folds one number into a hash.
fn mix(hash: u64, value: u64) -> u64 {
    let product = u128::from(hash ^ value.wrapping_mul(NULL)) * 0x2545_f491_4f6c_dd1d_u128;
    ((product >> 64) as u64) ^ (product as u64)
}

/// Hashes a run of texts: their joined bytes at once, and the length (or null) of each.
fn texts(column: &StringArray, range: std::ops::Range<usize>, mut hash: u64) -> u64 {
    let mut bytes = 0..0;
    for at in range {
        let length = match column.is_valid(at) {
            true => column.value_length(at).cast_unsigned().into(),
            false => u64::MAX,
        };
        hash = mix(hash, length);
        let offsets = crate::rows::offsets_range(column.value_offsets(), at);
        bytes = if bytes.is_empty() { offsets } else { bytes.start..offsets.end };
    }
    xxh3_64_with_seed(column.value_data().get(bytes).unwrap_or_default(), hash)
}
