//! One line about a trace: what lists of traces show.
//!
//! Pure: spans go in one by one in any order, a [`Summary`] comes out. The state can be written to
//! bytes and read back, so that an aggregation can be split over partitions. A span costs about 40
//! bytes until the summary is made.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::functions::span_duration::duration_of;

/// What a summary needs to know of one span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span<'a> {
    /// Its id.
    pub(crate) span_id: u64,
    /// Its parent's id; 0 for none.
    pub(crate) parent_span_id: u64,
    /// Stored start.
    pub(crate) start_time_unix_nano: i64,
    /// Stored duration.
    pub(crate) duration_ns: i64,
    /// Whether its status is "error".
    pub(crate) is_error: bool,
    /// Empty when it has none.
    pub(crate) service: &'a str,
    /// Span name.
    pub(crate) name: &'a str,
}

/// Spans and errors of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceCount {
    pub(crate) name: String,
    pub(crate) spans: i64,
    pub(crate) errors: i64,
}

/// One line about a trace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// The span without a parent; the earliest one of several.
    pub(crate) root_span_id: Option<u64>,
    /// Of the root, or of the earliest span when there is none.
    pub(crate) root_service: String,
    pub(crate) root_name: String,
    /// Earliest usable start; 0 when no span has one.
    pub(crate) start_time_unix_nano: i64,
    /// Of the root; `None` when there is none or its times are not usable.
    pub(crate) duration_ns: Option<i64>,
    /// From the earliest start to the latest end.
    pub(crate) envelope_ns: i64,
    pub(crate) spans: i64,
    pub(crate) errors: i64,
    /// By name; spans without a service count under the empty name.
    pub(crate) services: Vec<ServiceCount>,
    /// Parent ids that no span of the trace has.
    pub(crate) missing_parents: i64,
    /// Exactly one root and no missing parent.
    pub(crate) complete: bool,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    span_id: u64,
    parent_span_id: u64,
    start: i64,
    duration: i64,
    service: u32,
    name: u32,
    is_error: bool,
}

const ROW_BYTES: usize = 41;

/// Collects the spans of one trace.
#[derive(Debug, Default)]
pub(crate) struct SummaryBuilder {
    rows: Vec<Row>,
    texts: Vec<String>,
    positions: HashMap<String, u32>,
}

impl SummaryBuilder {
    /// Adds a span.
    pub(crate) fn push(&mut self, span: &Span<'_>) {
        let (service, name) = (self.intern(span.service), self.intern(span.name));
        self.rows.push(Row {
            span_id: span.span_id,
            parent_span_id: span.parent_span_id,
            start: span.start_time_unix_nano,
            duration: span.duration_ns,
            service,
            name,
            is_error: span.is_error,
        });
    }

    fn intern(&mut self, text: &str) -> u32 {
        if let Some(position) = self.positions.get(text) {
            return *position;
        }
        let position = self.texts.len() as u32;
        self.texts.push(text.to_owned());
        self.positions.insert(text.to_owned(), position);
        position
    }

    /// About how much memory the state takes.
    pub(crate) fn size(&self) -> usize {
        let texts: usize = self.texts.iter().map(|text| 2 * text.len() + 96).sum();
        self.rows.capacity() * size_of::<Row>() + texts
    }

    /// The state as bytes.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(8 + self.rows.len() * ROW_BYTES);
        out.extend_from_slice(&(self.texts.len() as u32).to_le_bytes());
        for text in &self.texts {
            out.extend_from_slice(&(text.len() as u32).to_le_bytes());
            out.extend_from_slice(text.as_bytes());
        }
        for row in &self.rows {
            out.extend_from_slice(&row.span_id.to_le_bytes());
            out.extend_from_slice(&row.parent_span_id.to_le_bytes());
            out.extend_from_slice(&row.start.to_le_bytes());
            out.extend_from_slice(&row.duration.to_le_bytes());
            out.extend_from_slice(&row.service.to_le_bytes());
            out.extend_from_slice(&row.name.to_le_bytes());
            out.push(u8::from(row.is_error));
        }
        out
    }

    /// Adds the spans of a state written by [`to_bytes`](Self::to_bytes); `None` if it is not one.
    pub(crate) fn merge(&mut self, mut bytes: &[u8]) -> Option<()> {
        let bytes = &mut bytes;
        let count = u32::from_le_bytes(take(bytes)?);
        let mut positions = Vec::with_capacity(count as usize);
        for _ in 0..count {
            let len = u32::from_le_bytes(take(bytes)?) as usize;
            let (text, rest) = bytes.split_at_checked(len)?;
            *bytes = rest;
            positions.push(self.intern(std::str::from_utf8(text).ok()?));
        }
        let position = |at: u32| positions.get(at as usize).copied();
        while !bytes.is_empty() {
            self.rows.push(Row {
                span_id: u64::from_le_bytes(take(bytes)?),
                parent_span_id: u64::from_le_bytes(take(bytes)?),
                start: i64::from_le_bytes(take(bytes)?),
                duration: i64::from_le_bytes(take(bytes)?),
                service: position(u32::from_le_bytes(take(bytes)?))?,
                name: position(u32::from_le_bytes(take(bytes)?))?,
                is_error: u8::from_le_bytes(take(bytes)?) != 0,
            });
        }
        Some(())
    }

    fn text(&self, position: u32) -> String {
        self.texts.get(position as usize).cloned().unwrap_or_default()
    }

    /// The line about all spans added so far.
    pub(crate) fn finish(&self) -> Summary {
        // Unusable starts sort last; ties are broken by id so that the answer does not depend on
        // the order of arrival.
        let key = |row: &Row| (if row.start > 0 { row.start } else { i64::MAX }, row.span_id);
        let roots = self.rows.iter().filter(|row| row.parent_span_id == 0);
        let root = roots.clone().min_by_key(|row| key(row));
        let shown = root.or_else(|| self.rows.iter().min_by_key(|row| key(row)));

        let ids: HashSet<u64> = self.rows.iter().map(|row| row.span_id).collect();
        let parents: HashSet<u64> = self.rows.iter().map(|row| row.parent_span_id).collect();
        let missing = parents.iter().filter(|id| **id != 0 && !ids.contains(id)).count() as i64;

        let start = self.rows.iter().map(|row| row.start).filter(|start| *start > 0).min();
        let ends = self
            .rows
            .iter()
            .filter(|row| row.start > 0)
            .map(|row| row.start.max(row.start.wrapping_add(row.duration)));
        let mut services: BTreeMap<u32, (i64, i64)> = BTreeMap::new();
        for row in &self.rows {
            let counts = services.entry(row.service).or_default();
            counts.0 += 1;
            counts.1 += i64::from(row.is_error);
        }
        let mut services: Vec<ServiceCount> = services
            .into_iter()
            .map(|(at, (spans, errors))| ServiceCount { name: self.text(at), spans, errors })
            .collect();
        services.sort_by(|a, b| a.name.cmp(&b.name));

        Summary {
            root_span_id: root.map(|row| row.span_id),
            root_service: shown.map(|row| self.text(row.service)).unwrap_or_default(),
            root_name: shown.map(|row| self.text(row.name)).unwrap_or_default(),
            start_time_unix_nano: start.unwrap_or(0),
            duration_ns: root.and_then(|row| duration_of(row.start, row.duration)),
            envelope_ns: ends.max().zip(start).map_or(0, |(end, start)| end - start),
            spans: self.rows.len() as i64,
            errors: self.rows.iter().filter(|row| row.is_error).count() as i64,
            services,
            missing_parents: missing,
            complete: missing == 0 && roots.count() == 1,
        }
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(span_id: u64, parent_span_id: u64, start: i64, duration_ns: i64) -> Span<'static> {
        Span {
            span_id,
            parent_span_id,
            start_time_unix_nano: start,
            duration_ns,
            is_error: span_id == 3,
            service: if span_id == 1 { "web" } else { "db" },
            name: "op",
        }
    }

    fn summary(spans: &[Span<'_>]) -> Summary {
        let mut builder = SummaryBuilder::default();
        spans.iter().for_each(|span| builder.push(span));
        builder.finish()
    }

    #[test]
    fn a_whole_trace_is_complete() {
        let summary = summary(&[span(2, 1, 110, 20), span(1, 0, 100, 50), span(3, 1, 120, 100)]);
        assert_eq!(summary.root_span_id, Some(1));
        assert_eq!(summary.root_service, "web");
        assert_eq!((summary.duration_ns, summary.envelope_ns), (Some(50), 120));
        assert_eq!((summary.spans, summary.errors, summary.missing_parents), (3, 1, 0));
        assert!(summary.complete);
    }

    #[test]
    fn without_a_root_the_earliest_span_stands_for_it() {
        let summary = summary(&[span(3, 9, 120, 1), span(2, 8, 110, 20), span(4, 9, 0, 0)]);
        assert_eq!((summary.root_span_id, summary.duration_ns), (None, None));
        assert_eq!(summary.root_service, "db");
        assert_eq!((summary.missing_parents, summary.complete), (2, false));
        assert_eq!((summary.start_time_unix_nano, summary.envelope_ns), (110, 20));
    }

    #[test]
    fn split_states_give_the_same_answer() {
        let spans = [span(2, 1, 110, 20), span(1, 0, 100, 50), span(3, 7, 120, -5)];
        let mut whole = SummaryBuilder::default();
        for chunk in spans.chunks(2).rev() {
            let mut part = SummaryBuilder::default();
            chunk.iter().for_each(|span| part.push(span));
            assert_eq!(whole.merge(&part.to_bytes()), Some(()));
        }
        assert_eq!(whole.finish(), summary(&spans));
        assert_eq!(SummaryBuilder::default().merge(&[1, 2, 3]), None);
    }
}
