//! The newest traces, without looking at all there are.
//!
//! A trace starts no later than any of its spans. So a file whose spans all start before the last
//! place of a page cannot hold a trace that belongs on it, unless a part of that trace was seen
//! already. Files are looked at from the newest on, a few at first and then more at a time; what was
//! seen of a trace bounds its rank from above, and the best are read whole, from all files, before
//! they get a place.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use causeway_store::{DataFile, Snapshot};

use super::filter::matching;
use super::page::{Page, Position};
use super::{Search, Top};
use crate::error::Result;
use crate::query::{Place, Query};
use crate::read::{Ids, Merged, Share, Within, merge};

/// Fewest traces that are read whole at once.
const CHECKED_AT_ONCE_MIN: usize = 64;

/// In place of a start that is not usable: the trace may have others, however late.
const NO_START: i64 = i64::MAX;

type Seen = Vec<([u8; 16], i64)>;

pub(super) async fn find(query: &Query, place: &Place, search: &Search) -> Result<Top> {
    let snapshot = &place.reader.snapshot;
    let mut files = candidates(snapshot, search);
    let mut step = Step { recent: true, rows: query.settings().search_step_spans };
    let mut state = State::new(search);
    loop {
        let taken = step.take(&mut files);
        let extent = Snapshot {
            files: Arc::new(taken),
            recent: if step.recent { snapshot.recent.clone() } else { Vec::new() },
            ..snapshot.clone()
        };
        step = Step { recent: false, rows: step.rows.saturating_mul(2) };
        let seen = match search.filter.has_conditions() {
            true => by_conditions(query, place, search, extent).await?,
            false => by_parts(query, place, search, extent).await?,
        };
        state.add(seen);
        // No trace that was not seen starts after this.
        let unseen_max = files.last().map(|file| newest_start(file, search));
        while let Some(ids) = state.next_to_check(unseen_max) {
            let read = query.read(place, move |reader, budget| reader.traces(&ids, None, budget));
            state.checked(read.await?, search);
        }
        if state.is_done(unseen_max) {
            let is_exact = unseen_max.is_none();
            let total = state.total();
            let places = state.page.into_places();
            return Ok(Top { places, known: state.known, total, is_exact });
        }
    }
}

/// Files that may hold a match, the newest last.
fn candidates(snapshot: &Snapshot, search: &Search) -> Vec<Arc<DataFile>> {
    let times = search.filter.times();
    let may_match = |file: &&Arc<DataFile>| match (times, file.start_time_range) {
        (Some((from, to)), Some((low, high))) => low <= to && from <= high,
        _ => true,
    };
    let mut files: Vec<_> = snapshot.files.iter().filter(may_match).cloned().collect();
    files.sort_by_key(|file| newest_start(file, search));
    files
}

/// No trace that is only seen in this file starts later.
fn newest_start(file: &DataFile, search: &Search) -> i64 {
    // A span whose start is not usable says nothing about the start of its trace.
    let has_unusable = file.start_time_range.is_some_and(|(low, _)| low <= 0);
    if has_unusable && search.filter.has_conditions() && search.filter.times().is_none() {
        return i64::MAX;
    }
    let newest = file.start_time_range.map_or(i64::MAX, |(_, high)| high);
    let end = search.filter.times().map_or(i64::MAX, |(_, to)| to);
    newest.min(end).max(0)
}

/// What is looked at next.
struct Step {
    recent: bool,
    rows: u64,
}

impl Step {
    fn take(&self, files: &mut Vec<Arc<DataFile>>) -> Vec<Arc<DataFile>> {
        let (mut taken, mut rows) = (Vec::new(), 0);
        while rows < self.rows
            && let Some(file) = files.pop()
        {
            rows += file.rows.max(1);
            taken.push(file);
        }
        taken
    }
}

/// Traces with a span that fulfils the conditions, and the first start of such a span.
async fn by_conditions(
    query: &Query,
    place: &Place,
    search: &Search,
    extent: Snapshot,
) -> Result<Seen> {
    let plan = |session: &_| matching(session, &search.filter);
    let mut seen = Vec::new();
    for batch in query.collect(place, extent, plan).await? {
        let starts = batch.column(1).as_primitive::<Int64Type>();
        for (row, id) in batch.column(0).as_binary::<i32>().iter().enumerate() {
            let start = if starts.is_valid(row) { starts.value(row) } else { NO_START };
            seen.extend(id.and_then(|id| Some((<[u8; 16]>::try_from(id).ok()?, start))));
        }
    }
    Ok(seen)
}

/// Traces with a span in the time range, and their first start in these files.
async fn by_parts(query: &Query, place: &Place, search: &Search, extent: Snapshot) -> Result<Seen> {
    let times = search.filter.times();
    let read = query.read(place, move |reader, _| {
        let mut cursors = reader.cursors(extent.files.iter(), false, Share::ALL)?;
        if !extent.recent.is_empty() {
            cursors.extend(reader.recent_cursors(Share::ALL)?);
        }
        let (mut seen, mut unsure): (Seen, Seen) = (Vec::new(), Vec::new());
        merge(cursors, times, &mut |trace| {
            let first = (trace.trace_id, trace.start_min.unwrap_or(NO_START));
            match trace.within {
                Within::No => {}
                Within::Perhaps => unsure.push(first),
                Within::Yes => seen.push(first),
            }
            Ok(true)
        })?;
        if let (Some(times), false) = (times, unsure.is_empty()) {
            let ids = Ids::new(unsure.iter().map(|(id, _)| *id).collect());
            let found = reader.with_start_in(&ids, times)?;
            seen.extend(unsure.into_iter().filter(|(id, _)| found.contains(id)));
        }
        Ok(seen)
    });
    read.await
}

/// What is known of the traces seen so far.
struct State {
    /// The latest that a trace may start, of those not read whole; sorted, the latest last.
    unchecked: Vec<(i64, [u8; 16])>,
    known: HashMap<[u8; 16], Merged>,
    page: Page,
    limit: usize,
}

impl State {
    fn new(search: &Search) -> Self {
        Self {
            unchecked: Vec::new(),
            known: HashMap::new(),
            page: Page::new(search),
            limit: search.limit,
        }
    }

    fn add(&mut self, seen: Seen) {
        let mut bounds: HashMap<[u8; 16], i64> =
            self.unchecked.drain(..).map(|(bound, id)| (id, bound)).collect();
        for (id, start) in seen {
            if !self.known.contains_key(&id) {
                bounds.entry(id).and_modify(|bound| *bound = start.min(*bound)).or_insert(start);
            }
        }
        self.unchecked.extend(bounds.into_iter().map(|(id, bound)| (bound, id)));
        self.unchecked.sort_unstable();
    }

    /// The next traces to read whole; none when they could not change the page yet, or any more.
    fn next_to_check(&mut self, unseen_max: Option<i64>) -> Option<Ids> {
        let from = self.page.last_rank().max(unseen_max).unwrap_or(i64::MIN);
        let first = self.unchecked.partition_point(|(bound, _)| *bound < from);
        let at_once = CHECKED_AT_ONCE_MIN.max(self.limit);
        let first = first.max(self.unchecked.len().saturating_sub(at_once));
        let ids: Vec<_> = self.unchecked.drain(first..).map(|(_, id)| id).collect();
        (!ids.is_empty()).then(|| Ids::new(ids))
    }

    fn checked(&mut self, traces: Vec<Merged>, search: &Search) {
        for trace in traces {
            self.page.offer(Position::new(search.rank(&trace), trace.trace_id));
            self.known.insert(trace.trace_id, trace);
        }
    }

    /// Whether the page is full of traces that nothing unseen can beat, or all was seen.
    fn is_done(&self, unseen_max: Option<i64>) -> bool {
        match (self.page.last_rank(), unseen_max) {
            (_, None) => true,
            (Some(last), Some(unseen_max)) => last > unseen_max,
            (None, Some(_)) => false,
        }
    }

    fn total(&self) -> usize {
        self.known.len() + self.unchecked.len()
    }
}
