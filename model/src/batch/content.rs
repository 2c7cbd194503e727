//! Hashes of the content of spans that are not sealed yet.
//!
//! The same numbers as [`ContentHasher`](crate::identity::ContentHasher) gives for the sealed span,
//! but without touching a text per span: distinct texts are hashed once per request.

use super::{EntryValue, SpanColumns};
use crate::identity::{self, EventHash, LinkHash, SpanHash};

/// Hashes the spans of one request.
#[derive(Debug)]
pub struct PartHasher<'a> {
    part: &'a SpanColumns,
    keys: Vec<u64>,
    texts: Vec<u64>,
    groups: Vec<u64>,
}

impl<'a> PartHasher<'a> {
    /// Prepares to hash the rows of a request.
    pub fn new(part: &'a SpanColumns) -> Self {
        let groups = part.groups.iter().map(|(_, group)| {
            let text = |text: &Option<String>| identity::text_hash(text.as_deref());
            identity::group_hash(
                [
                    text(&group.resource_attributes),
                    text(&group.resource_entity_refs),
                    identity::text_hash(Some(&group.resource_schema_url)),
                    text(&group.scope_name),
                    text(&group.scope_version),
                    text(&group.scope_attributes),
                    identity::text_hash(Some(&group.scope_schema_url)),
                ],
                [group.resource_dropped_attributes_count, group.scope_dropped_attributes_count],
            )
        });
        Self {
            part,
            keys: part.keys.iter().map(identity::bytes_hash).collect(),
            texts: part.texts.iter().map(identity::bytes_hash).collect(),
            groups: groups.collect(),
        }
    }

    /// Key and content hash of every row, in order.
    pub fn hashes(&self) -> impl Iterator<Item = (u64, u64)> {
        let part = self.part;
        let runs = part.runs().zip(&self.groups);
        let group_of_row = runs.flat_map(|((_, rows), hash)| std::iter::repeat_n(*hash, rows));
        let ids = part.trace_id.as_chunks::<16>().0.iter().zip(part.span_id.as_chunks::<8>().0);
        let parents = part.parent_span_id.iter();
        ids.zip(parents).zip(group_of_row).enumerate().map(
            |(row, (((trace, span), parent), group))| {
                let key = identity::key_of(trace, span);
                (key, self.hash(row, key, parent, group))
            },
        )
    }

    fn hash(&self, row: usize, key: u64, parent: Option<&[u8]>, group: u64) -> u64 {
        let part = self.part;
        let long = |column: &[i64]| column.get(row).copied().unwrap_or(0);
        let text = |column: &[u32]| {
            let number = column.get(row).copied().unwrap_or(super::NO_TEXT);
            self.texts.get(number as usize).copied().unwrap_or(identity::NULL)
        };
        let mut hash = SpanHash::new(key, group, parent);
        hash.numbers([
            long(&part.start_time_unix_nano),
            long(&part.duration_ns),
            part.kind.get(row).copied().unwrap_or(0).into(),
            part.status_code.get(row).copied().flatten().map_or(i64::MIN, i64::from),
            long(&part.flags),
            long(&part.dropped_attributes_count),
            long(&part.dropped_events_count),
            long(&part.dropped_links_count),
        ]);
        hash.texts([text(&part.name), text(&part.status_message), text(&part.trace_state)]);
        for entry in part.entries(row) {
            let key = self.keys.get(entry.key as usize).copied().unwrap_or(identity::NULL);
            hash.attribute(
                key,
                match entry.value {
                    EntryValue::Absent => identity::NULL,
                    EntryValue::Text(number) => {
                        self.texts.get(number as usize).copied().unwrap_or(identity::NULL)
                    }
                    EntryValue::Int(at) => {
                        identity::int_hash(part.ints.get(at as usize).copied().unwrap_or(0))
                    }
                },
            );
        }
        self.events(row, &mut hash);
        self.links(row, &mut hash);
        hash.finish()
    }

    fn events(&self, row: usize, hash: &mut SpanHash) {
        let events = &self.part.events;
        for at in range(&events.ends, row) {
            hash.event(&EventHash {
                time_unix_nano: events.time_unix_nano.get(at).copied().unwrap_or(0),
                dropped_attributes_count: events
                    .dropped_attributes_count
                    .get(at)
                    .copied()
                    .unwrap_or(0),
                name: events.name.get(at),
                attributes: events.attributes.get(at),
            });
        }
    }

    fn links(&self, row: usize, hash: &mut SpanHash) {
        let links = &self.part.links;
        for at in range(&links.ends, row) {
            hash.link(&LinkHash {
                trace_id: links.trace_id.get(at),
                span_id: links.span_id.get(at),
                trace_state: links.trace_state.get(at),
                attributes: links.attributes.get(at),
                dropped_attributes_count: links
                    .dropped_attributes_count
                    .get(at)
                    .copied()
                    .unwrap_or(0),
                flags: links.flags.get(at).copied().unwrap_or(0),
            });
        }
    }
}

fn range(ends: &[usize], row: usize) -> std::ops::Range<usize> {
    let start = row.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
    start..ends.get(row).copied().unwrap_or(start)
}
