//! The columns of a trace while it is built, and as it is kept.

use super::span::{Flags, Kind, SpanTimes, Status, TextId};

/// No parent.
pub(super) const NONE: u32 = u32::MAX;

/// Where a row's attributes, events and links lie; placeholders have none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    pub(super) batch: u32,
    pub(super) row: u32,
}

impl Source {
    pub(super) const NOTHING: Self = Self { batch: u32::MAX, row: 0 };
}

/// Columns of equal length, one entry a span.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) span_id: Vec<u64>,
    /// 0 for none.
    pub(super) parent_span_id: Vec<u64>,
    pub(super) raw_start_ns: Vec<i64>,
    pub(super) raw_duration_ns: Vec<i64>,
    pub(super) start_ns: Vec<i64>,
    pub(super) end_ns: Vec<i64>,
    /// Empty unless times were aligned.
    pub(super) half_width_ns: Vec<Option<i64>>,
    pub(super) service: Vec<TextId>,
    pub(super) name: Vec<TextId>,
    pub(super) kind: Vec<Kind>,
    pub(super) status: Vec<Status>,
    pub(super) flags: Vec<Flags>,
    pub(super) resource: Vec<u32>,
    pub(super) source: Vec<Source>,
    /// Position of the parent, [`NONE`] for none.
    pub(super) parent: Vec<u32>,
}

/// One entry of every column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) span_id: u64,
    pub(super) parent_span_id: u64,
    pub(super) raw_start_ns: i64,
    pub(super) raw_duration_ns: i64,
    pub(super) service: TextId,
    pub(super) name: TextId,
    pub(super) kind: Kind,
    pub(super) status: Status,
    pub(super) resource: u32,
    pub(super) source: Source,
}

impl Columns {
    pub(super) fn len(&self) -> usize {
        self.span_id.len()
    }

    pub(super) fn reserve(&mut self, rows: usize) {
        self.span_id.reserve(rows);
        self.parent_span_id.reserve(rows);
        self.raw_start_ns.reserve(rows);
        self.raw_duration_ns.reserve(rows);
        self.start_ns.reserve(rows);
        self.end_ns.reserve(rows);
        self.service.reserve(rows);
        self.name.reserve(rows);
        self.kind.reserve(rows);
        self.status.reserve(rows);
        self.flags.reserve(rows);
        self.resource.reserve(rows);
        self.source.reserve(rows);
        self.parent.reserve(rows);
    }

    /// Adds a span with times and flags as its raw times allow.
    pub(super) fn push(&mut self, entry: Entry) {
        let start = entry.raw_start_ns;
        let end = start.wrapping_add(entry.raw_duration_ns);
        let mut flags = Flags::default();
        if start <= 0 || end <= 0 {
            flags |= Flags::NO_TIME;
        } else if end < start {
            flags |= Flags::ENDS_BEFORE_START;
        }
        self.span_id.push(entry.span_id);
        self.parent_span_id.push(entry.parent_span_id);
        self.raw_start_ns.push(start);
        self.raw_duration_ns.push(entry.raw_duration_ns);
        self.start_ns.push(start.max(0));
        self.end_ns.push(if start > 0 { end.max(start) } else { 0 });
        self.service.push(entry.service);
        self.name.push(entry.name);
        self.kind.push(entry.kind);
        self.status.push(entry.status);
        self.flags.push(flags);
        self.resource.push(entry.resource);
        self.source.push(entry.source);
        self.parent.push(NONE);
    }

    pub(super) fn flag(&mut self, at: u32, flags: Flags) {
        if let Some(of) = self.flags.get_mut(at as usize) {
            *of |= flags;
        }
    }

    pub(super) fn set_parent(&mut self, at: u32, parent: u32) {
        if let Some(of) = self.parent.get_mut(at as usize) {
            *of = parent;
        }
    }

    pub(super) fn parent(&self, at: u32) -> u32 {
        self.parent.get(at as usize).copied().unwrap_or(NONE)
    }

    /// Start of a row; 0 when it has none.
    pub(super) fn start(&self, at: u32) -> i64 {
        self.start_ns.get(at as usize).copied().unwrap_or(0)
    }

    pub(super) fn end(&self, at: u32) -> i64 {
        self.end_ns.get(at as usize).copied().unwrap_or(0)
    }

    pub(super) fn set_times(&mut self, at: u32, start_ns: i64, end_ns: i64) {
        if let Some(start) = self.start_ns.get_mut(at as usize) {
            *start = start_ns;
        }
        if let Some(end) = self.end_ns.get_mut(at as usize) {
            *end = end_ns;
        }
    }

    pub(super) fn kind(&self, at: u32) -> Kind {
        self.kind.get(at as usize).copied().unwrap_or_default()
    }

    pub(super) fn has(&self, at: u32, flag: Flags) -> bool {
        self.flags.get(at as usize).is_some_and(|flags| flags.contains(flag))
    }

    /// Where a row stands among others: what has no time comes last.
    pub(super) fn place(&self, at: u32) -> i64 {
        match self.start(at) {
            0 => i64::MAX,
            start => start,
        }
    }

    /// Replaces times; what has none of its own loses the place it was given.
    pub(super) fn align(&mut self, times: &[SpanTimes]) {
        self.half_width_ns = vec![None; self.len()];
        for (at, time) in (0u32..).zip(times).take(self.len()) {
            let has_start = self.raw_start_ns.get(at as usize).is_some_and(|start| *start > 0);
            if !has_start {
                self.set_times(at, 0, 0);
                continue;
            }
            let start = time.start_ns.max(1);
            let end = if self.has(at, Flags::NO_TIME) { start } else { time.end_ns.max(start) };
            self.set_times(at, start, end);
            if let Some(half_width) = self.half_width_ns.get_mut(at as usize) {
                *half_width = time.half_width_ns;
            }
        }
    }

    /// Brings all columns into a new order; `order` names each old position once.
    pub(super) fn permute(&mut self, order: &[u32]) {
        permute(&mut self.span_id, order);
        permute(&mut self.parent_span_id, order);
        permute(&mut self.raw_start_ns, order);
        permute(&mut self.raw_duration_ns, order);
        permute(&mut self.start_ns, order);
        permute(&mut self.end_ns, order);
        permute(&mut self.half_width_ns, order);
        permute(&mut self.service, order);
        permute(&mut self.name, order);
        permute(&mut self.kind, order);
        permute(&mut self.status, order);
        permute(&mut self.flags, order);
        permute(&mut self.resource, order);
        permute(&mut self.source, order);
        permute(&mut self.parent, order);
        let mut moved = vec![NONE; order.len()];
        for (new, old) in (0u32..).zip(order) {
            if let Some(place) = moved.get_mut(*old as usize) {
                *place = new;
            }
        }
        for parent in &mut self.parent {
            *parent = moved.get(*parent as usize).copied().unwrap_or(NONE);
        }
    }
}

fn permute<T: Copy>(column: &mut Vec<T>, order: &[u32]) {
    *column = order.iter().filter_map(|old| column.get(*old as usize).copied()).collect();
}
