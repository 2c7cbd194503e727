//! From rows of batches to columns: each span once, in an order that does not depend on arrival.
//!
//! Spans that are equal in every byte of content are one span. Content is only hashed where ids repeat, so a trace
//! without repeated ids pays for no hash.

use std::ops::Range;

use arrow::array::Array;
use hashbrown::{HashMap, HashSet};
use thiserror::Error;

use super::columns::{Columns, Entry, Source};
use super::span::{Kind, Status, TextId};
use crate::identity::ContentHasher;
use crate::rows::{Repeated, SpanRows};

/// Spans of one merged trace; what is larger is refused, so that rows and events fit into 32 bits with room to spare.
pub const SPANS_MAX: usize = 16_000_000;

/// Why spans are no merged trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TraceError {
    /// A limit was reached.
    #[error("a trace of {spans} spans, at most {SPANS_MAX}")]
    TooManySpans {
        /// Spans that were given.
        spans: usize,
    },
}

/// Rows of one batch that belong to one trace.
#[derive(Debug, Clone)]
pub struct TraceRows<'a> {
    /// The batch.
    pub rows: &'a SpanRows<'a>,
    /// Which of its rows.
    pub range: Range<usize>,
}

/// What gathering leaves beside the columns.
#[derive(Debug, Default)]
pub(super) struct Gathered<'a> {
    pub(super) columns: Columns,
    pub(super) texts: Vec<&'a str>,
    pub(super) resources: Vec<Option<&'a str>>,
    pub(super) copies: usize,
    pub(super) dropped: u64,
}

/// A row before it has its place.
#[derive(Debug, Clone, Copy)]
struct Found {
    /// Start; what has none comes last.
    place: i64,
    span_id: u64,
    source: Source,
    kind: i32,
    duration_ns: i64,
    /// 0 unless the id repeats.
    content: u64,
}

/// Takes from all parts what the tree needs.
///
/// # Errors
/// There are more than [`SPANS_MAX`] spans.
pub(super) fn gather<'a>(parts: &[TraceRows<'a>]) -> Result<Gathered<'a>, TraceError> {
    let spans = parts.iter().map(|part| part.range.len()).sum();
    if spans > SPANS_MAX {
        return Err(TraceError::TooManySpans { spans });
    }
    let mut found = Vec::with_capacity(spans);
    for (batch, part) in (0u32..).zip(parts) {
        let rows = part.rows;
        found.extend(part.range.clone().take_while(|row| *row < rows.len).map(|row| {
            let start = rows.start_time_unix_nano.value(row);
            Found {
                place: if start > 0 { start } else { i64::MAX },
                span_id: id(rows.span_id.value(row)),
                source: Source { batch, row: row as u32 },
                kind: rows.kind.value(row),
                duration_ns: rows.duration_ns.value(row),
                content: 0,
            }
        }));
    }
    let copies = drop_copies(&mut found, parts);
    // Stable, because files mostly are in this order already.
    found.sort_by_key(|f| (f.place, f.span_id, f.kind != CLIENT, f.kind, f.duration_ns, f.content));

    let mut gathered = Gathered { copies, ..Gathered::default() };
    gathered.columns.reserve(found.len());
    let (mut texts, mut resources) = (Interner::default(), Interner::default());
    let [mut services, mut names, mut of_resources] = [(); 3].map(|()| Known::default());
    for Found { span_id, source, kind, duration_ns, .. } in found {
        let Some(part) = parts.get(source.batch as usize) else { continue };
        let (rows, row) = (part.rows, source.row as usize);
        gathered.columns.push(Entry {
            span_id,
            parent_span_id: rows.parent(row).map_or(0, id),
            raw_start_ns: rows.start_time_unix_nano.value(row),
            raw_duration_ns: duration_ns,
            service: TextId(
                services
                    .number(rows.service_name, row, |text| texts.intern(text.unwrap_or_default())),
            ),
            name: TextId(
                names.number(rows.name, row, |text| texts.intern(text.unwrap_or_default())),
            ),
            kind: Kind::from_otlp(kind),
            status: match rows.status_code.is_valid(row) {
                true => Status::from_otlp(rows.status_code.value(row)),
                // What lies in the place of a null is anything.
                false => Status::Unset,
            },
            resource: of_resources
                .number(rows.resource_attributes, row, |text| resources.intern(text)),
            source,
        });
        let dropped =
            [rows.dropped_attributes_count, rows.dropped_events_count, rows.dropped_links_count];
        let dropped: u64 =
            dropped.iter().map(|count| count.value(row).max(0).cast_unsigned()).sum();
        gathered.dropped = gathered.dropped.saturating_add(dropped);
    }
    (gathered.texts, gathered.resources) = (texts.texts, resources.texts);
    Ok(gathered)
}

const CLIENT: i32 = 3;

/// Leaves out what was there before; marks the others of one id by their content. Returns how many went.
fn drop_copies(found: &mut Vec<Found>, parts: &[TraceRows<'_>]) -> usize {
    let mut seen = HashSet::with_capacity(found.len());
    let repeated: HashSet<u64> =
        found.iter().filter(|f| !seen.insert(f.span_id)).map(|f| f.span_id).collect();
    if repeated.is_empty() {
        return 0;
    }
    drop(seen);
    let mut hashers: Vec<Option<ContentHasher<'_>>> = parts.iter().map(|_| None).collect();
    let mut contents = HashSet::new();
    let before = found.len();
    found.retain_mut(|f| {
        if !repeated.contains(&f.span_id) {
            return true;
        }
        let at = f.source.batch as usize;
        let (Some(hasher), Some(part)) = (hashers.get_mut(at), parts.get(at)) else { return true };
        let hasher = hasher.get_or_insert_with(|| ContentHasher::new(part.rows.clone()));
        f.content = hasher.hash(f.source.row as usize);
        contents.insert((f.span_id, f.content))
    });
    before - found.len()
}

/// Numbers of the entries of dictionaries, so that each text is hashed once and not once a row.
#[derive(Debug, Default)]
struct Known {
    /// By where the dictionary lies, and the entry's place in it.
    numbers: HashMap<(usize, usize), u32>,
}

impl Known {
    fn number<'a>(
        &mut self,
        column: Repeated<'a>,
        row: usize,
        intern: impl FnOnce(Option<&'a str>) -> u32,
    ) -> u32 {
        let Some(key) = column.key(row) else { return intern(None) };
        let dictionary = std::ptr::from_ref(column.values()).addr();
        *self.numbers.entry((dictionary, key)).or_insert_with(|| intern(column.get(row)))
    }
}

/// Numbers for texts, in order of appearance.
#[derive(Debug)]
struct Interner<T> {
    numbers: HashMap<T, u32>,
    texts: Vec<T>,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self { numbers: HashMap::default(), texts: Vec::new() }
    }
}

impl<T: Copy + Eq + std::hash::Hash> Interner<T> {
    fn intern(&mut self, text: T) -> u32 {
        *self.numbers.entry(text).or_insert_with(|| {
            self.texts.push(text);
            self.texts.len() as u32 - 1
        })
    }
}

pub(super) fn id(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_be_bytes)
}
