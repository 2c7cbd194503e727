//! The merged trace and how to read it.

use std::borrow::Cow;
use std::iter::successors;
use std::sync::OnceLock;

use super::columns::{Columns, NONE, Source};
use super::completeness::Completeness;
use super::gather::{Gathered, TraceError, TraceRows, gather, id};
use super::layout::{Layout, layout};
use super::link::{link, place_untimed};
use super::span::{Flags, Kind, Row, SpanTimes, Status, TextId};
use crate::ids::TraceId;
use crate::rows::{AttributeEntries, AttributeText, SpanRows};
use crate::value;

/// All spans of a trace, each once, in depth-first order.
#[derive(Debug, Default)]
pub struct MergedTrace<'a> {
    batches: Vec<&'a SpanRows<'a>>,
    texts: Vec<&'a str>,
    resources: Vec<Resource<'a>>,
    columns: Columns,
    depth: Vec<u32>,
    subtree: Vec<u32>,
    completeness: Completeness,
    /// Rows by span id, sorted when somebody looks.
    by_id: OnceLock<Vec<u32>>,
}

/// The attributes of a resource, parsed when somebody looks.
#[derive(Debug)]
struct Resource<'a> {
    text: Option<&'a str>,
    parsed: OnceLock<Vec<(Cow<'a, str>, Value<'a>)>>,
}

/// The text of a value; none where it was never set.
type Value<'a> = Option<Cow<'a, str>>;

/// An event of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// When it happened, as sent.
    pub time_unix_nano: i64,
    /// Its name.
    pub name: &'a str,
    /// [Attribute text](crate::value).
    pub attributes: &'a str,
}

/// A link of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link<'a> {
    /// The trace it points into, 16 bytes.
    pub trace_id: &'a [u8],
    /// The span it points to.
    pub span_id: u64,
    /// [Attribute text](crate::value).
    pub attributes: &'a str,
}

impl<'a> MergedTrace<'a> {
    /// Merges the spans of one trace.
    ///
    /// # Errors
    /// There are more than [`SPANS_MAX`](super::SPANS_MAX) spans.
    pub fn new(parts: &[TraceRows<'a>]) -> Result<Self, TraceError> {
        let Gathered { mut columns, mut texts, resources, copies, dropped } = gather(parts)?;
        let nothing = texts.iter().position(|text| text.is_empty()).unwrap_or_else(|| {
            texts.push("");
            texts.len() - 1
        });
        let completeness = link(&mut columns, TextId(nothing as u32));
        let resource = |text| Resource { text, parsed: OnceLock::new() };
        let mut trace = Self {
            batches: parts.iter().map(|part| part.rows).collect(),
            texts,
            resources: resources.into_iter().map(resource).collect(),
            columns,
            completeness: Completeness { copies, dropped, ..completeness },
            ..Self::default()
        };
        trace.lay_out();
        Ok(trace)
    }

    /// Merges all rows of batches, which hold one trace.
    ///
    /// # Errors
    /// There are more than [`SPANS_MAX`](super::SPANS_MAX) spans.
    pub fn of(batches: &'a [SpanRows<'a>]) -> Result<Self, TraceError> {
        let part = |rows: &'a SpanRows<'a>| TraceRows { rows, range: 0..rows.len };
        Self::new(&batches.iter().map(part).collect::<Vec<_>>())
    }

    /// The trace with other times, one entry a row: siblings stand by the new starts, so rows may change places. What has
    /// no usable time stays where its neighbours are.
    #[must_use]
    pub fn aligned(mut self, times: &[SpanTimes]) -> Self {
        self.columns.align(times);
        place_untimed(&mut self.columns);
        self.lay_out();
        self
    }

    fn lay_out(&mut self) {
        let Layout { order, depth, subtree } = layout(&self.columns);
        self.columns.permute(&order);
        (self.depth, self.subtree, self.by_id) = (depth, subtree, OnceLock::new());
    }

    /// Rows, placeholders included.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All rows, parents before their children.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = Row> + ExactSizeIterator + use<> {
        (0..self.len() as u32).map(Row)
    }

    /// What is known to be wrong with the trace.
    pub fn completeness(&self) -> &Completeness {
        &self.completeness
    }

    /// The id of the trace; `None` when there are no spans.
    pub fn trace_id(&self) -> Option<TraceId> {
        let first = self.columns.source.iter().find_map(|source| {
            let rows = self.batches.get(source.batch as usize)?;
            Some(rows.trace_id.value(source.row as usize))
        });
        first?.try_into().ok().map(TraceId)
    }

    /// The span the trace is about: the earliest without a parent, or the earliest of all when there is none, which
    /// [`Completeness::roots`] tells.
    pub fn root(&self) -> Option<Row> {
        let mut tops = self.siblings_from(Some(Row(0)));
        let parentless = tops.find(|top| {
            self.parent_span_id(*top) == 0 && !self.flags(*top).contains(Flags::PLACEHOLDER)
        });
        // The first child of a placeholder is as early as the placeholder.
        parentless
            .or_else(|| self.rows().find(|row| !self.flags(*row).contains(Flags::PLACEHOLDER)))
    }

    /// From the earliest start to the latest end, as aligned as times are; `None` when no span has a time.
    pub fn envelope_ns(&self) -> Option<(i64, i64)> {
        let start = self.columns.start_ns.iter().filter(|start| **start > 0).min()?;
        let end = self.columns.end_ns.iter().max()?;
        Some((*start, *end))
    }

    /// The parent of a row.
    pub fn parent(&self, row: Row) -> Option<Row> {
        Some(self.columns.parent(row.0)).filter(|parent| *parent != NONE).map(Row)
    }

    /// Parent, its parent, and so on.
    pub fn ancestors(&self, row: Row) -> impl Iterator<Item = Row> + '_ {
        successors(self.parent(row), |row| self.parent(*row))
    }

    /// How many ancestors a row has.
    pub fn depth(&self, row: Row) -> u32 {
        self.depth.get(row.idx()).copied().unwrap_or(0)
    }

    /// The row and everything below it.
    pub fn subtree(&self, row: Row) -> impl DoubleEndedIterator<Item = Row> + use<> {
        (row.0..row.0.saturating_add(self.subtree_len(row))).map(Row)
    }

    /// Rows of the subtree, the row itself included.
    pub fn subtree_len(&self, row: Row) -> u32 {
        self.subtree.get(row.idx()).copied().unwrap_or(0)
    }

    /// The earliest child.
    pub fn first_child(&self, row: Row) -> Option<Row> {
        (self.subtree_len(row) > 1).then_some(Row(row.0 + 1))
    }

    /// The next child of the same parent, by start; for tops the next top.
    pub fn next_sibling(&self, row: Row) -> Option<Row> {
        let next = Row(row.0.saturating_add(self.subtree_len(row).max(1)));
        let is_sibling = next.idx() < self.len() && self.parent(next) == self.parent(row);
        is_sibling.then_some(next)
    }

    /// Children by start.
    pub fn children(&self, row: Row) -> impl Iterator<Item = Row> + '_ {
        self.siblings_from(self.first_child(row))
    }

    /// Rows without a parent, by start.
    pub fn tops(&self) -> impl Iterator<Item = Row> + '_ {
        self.siblings_from((!self.is_empty()).then_some(Row(0)))
    }

    fn siblings_from(&self, first: Option<Row>) -> impl Iterator<Item = Row> + '_ {
        successors(first.filter(|row| row.idx() < self.len()), |row| self.next_sibling(*row))
    }

    /// The span's id.
    pub fn span_id(&self, row: Row) -> u64 {
        self.columns.span_id.get(row.idx()).copied().unwrap_or(0)
    }

    /// The parent's id as sent; 0 for none.
    pub fn parent_span_id(&self, row: Row) -> u64 {
        self.columns.parent_span_id.get(row.idx()).copied().unwrap_or(0)
    }

    /// Start, by the best times there are; 0 where nothing places the row.
    pub fn start_ns(&self, row: Row) -> i64 {
        self.columns.start(row.0)
    }

    /// End, not before the start.
    pub fn end_ns(&self, row: Row) -> i64 {
        self.columns.end(row.0)
    }

    /// End minus start.
    pub fn duration_ns(&self, row: Row) -> i64 {
        self.end_ns(row).saturating_sub(self.start_ns(row))
    }

    /// Start as sent, bit for bit.
    pub fn raw_start_ns(&self, row: Row) -> i64 {
        self.columns.raw_start_ns.get(row.idx()).copied().unwrap_or(0)
    }

    /// Duration as sent, negative when the end lies before the start.
    pub fn raw_duration_ns(&self, row: Row) -> i64 {
        self.columns.raw_duration_ns.get(row.idx()).copied().unwrap_or(0)
    }

    /// Half the width of the interval the offset of the row's clock lies in; `None` where nothing bounds it.
    pub fn half_width_ns(&self, row: Row) -> Option<i64> {
        self.columns.half_width_ns.get(row.idx()).copied().flatten()
    }

    /// A number for the clock a row was timed by, as far as resources tell clocks apart: spans of one resource share one.
    pub fn clock(&self, row: Row) -> u32 {
        self.columns.resource.get(row.idx()).copied().unwrap_or(u32::MAX)
    }

    /// The kind.
    pub fn kind(&self, row: Row) -> Kind {
        self.columns.kind(row.0)
    }

    /// The status.
    pub fn status(&self, row: Row) -> Status {
        self.columns.status.get(row.idx()).copied().unwrap_or_default()
    }

    /// What is strange about the row.
    pub fn flags(&self, row: Row) -> Flags {
        self.columns.flags.get(row.idx()).copied().unwrap_or_default()
    }

    /// Texts of the trace; ids are positions among them.
    pub fn texts(&self) -> &[&'a str] {
        &self.texts
    }

    /// The text of an id.
    pub fn text(&self, id: TextId) -> &'a str {
        self.texts.get(id.idx()).copied().unwrap_or_default()
    }

    /// The service; its text is empty for none.
    pub fn service(&self, row: Row) -> TextId {
        self.columns.service.get(row.idx()).copied().unwrap_or(TextId(u32::MAX))
    }

    /// The name of the span.
    pub fn name(&self, row: Row) -> TextId {
        self.columns.name.get(row.idx()).copied().unwrap_or(TextId(u32::MAX))
    }

    /// The service as text.
    pub fn service_text(&self, row: Row) -> &'a str {
        self.text(self.service(row))
    }

    /// The name as text.
    pub fn name_text(&self, row: Row) -> &'a str {
        self.text(self.name(row))
    }

    /// The batch a row was read from and its place there; `None` for placeholders.
    pub fn source(&self, row: Row) -> Option<(&'a SpanRows<'a>, usize)> {
        let Source { batch, row } = *self.columns.source.get(row.idx())?;
        Some((self.batches.get(batch as usize)?, row as usize))
    }

    /// The first value of an attribute of the span; `None` also for a key without a value.
    pub fn attribute(&self, row: Row, key: &str) -> Option<AttributeText<'a>> {
        let (rows, at) = self.source(row)?;
        rows.attributes.get(at, key)
    }

    /// All attributes of the span in the sender's order.
    pub fn attributes(&self, row: Row) -> Option<AttributeEntries<'a, 'a>> {
        let (rows, at) = self.source(row)?;
        Some(rows.attributes.entries(at))
    }

    /// The first value of an attribute of the span's resource, as [value text](crate::value).
    pub fn resource_attribute(&self, row: Row, key: &str) -> Option<&str> {
        let number = self.columns.resource.get(row.idx())?;
        let resource = self.resources.get(*number as usize)?;
        let parse = || resource.text.map(value::set_texts).unwrap_or_default();
        let (_, value) =
            resource.parsed.get_or_init(parse).iter().find(|(known, _)| known == key)?;
        value.as_deref()
    }

    /// The status message; `None` when the span has no status.
    pub fn status_message(&self, row: Row) -> Option<&'a str> {
        let (rows, at) = self.source(row)?;
        rows.status_message.get(at)
    }

    /// The W3C tracestate as sent.
    pub fn trace_state(&self, row: Row) -> &'a str {
        self.source(row).and_then(|(rows, at)| rows.trace_state.get(at)).unwrap_or_default()
    }

    /// Events of the span in the sender's order.
    pub fn events(&self, row: Row) -> impl ExactSizeIterator<Item = Event<'a>> + use<'a> {
        let source = self.source(row);
        let range = source.map_or(0..0, |(rows, at)| rows.event_range(at));
        let event = move |at| {
            // Without a source the range is empty.
            source.map_or(Event { time_unix_nano: 0, name: "", attributes: "" }, |(rows, _)| {
                Event {
                    time_unix_nano: rows.events.time_unix_nano.value(at),
                    name: rows.events.name.value(at),
                    attributes: rows.events.attributes.value(at),
                }
            })
        };
        range.map(event)
    }

    /// Links of the span in the sender's order.
    pub fn links(&self, row: Row) -> impl ExactSizeIterator<Item = Link<'a>> + use<'a> {
        let source = self.source(row);
        let range = source.map_or(0..0, |(rows, at)| rows.link_range(at));
        let link = move |at| {
            source.map_or(Link { trace_id: &[], span_id: 0, attributes: "" }, |(rows, _)| Link {
                trace_id: rows.links.trace_id.value(at),
                span_id: id(rows.links.span_id.value(at)),
                attributes: rows.links.attributes.value(at),
            })
        };
        range.map(link)
    }

    /// Rows with a span id: several when the id was used for several, none when it is not known. The first look sorts.
    pub fn find(&self, span_id: u64) -> impl Iterator<Item = Row> + '_ {
        let by_id = self.by_id.get_or_init(|| {
            let mut rows: Vec<u32> = (0..self.len() as u32).collect();
            rows.sort_by_key(|row| self.span_id(Row(*row)));
            rows
        });
        let first = by_id.partition_point(|row| self.span_id(Row(*row)) < span_id);
        let rest = by_id.get(first..).unwrap_or_default().iter().map(|row| Row(*row));
        rest.take_while(move |row| self.span_id(*row) == span_id)
    }
}
