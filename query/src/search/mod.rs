//! Which traces match, in which order, a page at a time.
//!
//! ```text
//! newest:  recent, then files from the newest on -- matches --> until no later file can beat the page
//! others:  matches of all files -- parts of all traces, merged by id --> best of the page
//! both:    page of ids -- parts by id --> lines
//! ```
//!
//! A trace matches when one span fulfils all conditions, time included. Lists are ordered by what
//! their lines show of the whole trace, whatever its matching spans are. Traces of equal rank stand by
//! id. Invariant: pages follow each other without gaps and repeats on an unchanged table.

mod filter;
mod newest;
mod page;
mod ranked;

use std::collections::{BTreeMap, HashMap};

use causeway_model::TraceId;

pub(crate) use filter::{Filter, Status};
pub(crate) use page::Position;

use crate::error::{QueryError, Result};
use crate::findings::TRACES_MAX;
use crate::query::{Place, Query};
use crate::read::{Ids, Merged};
use crate::trace::summary::Summary;

/// What comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// By the first start.
    Newest,
    /// By the duration of the root, by the envelope where that is not known.
    Slowest,
    MostSpans,
    MostErrors,
    /// By what changes would save, by the findings asked for.
    Worst,
}

/// What was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Search {
    pub(crate) filter: Filter,
    pub(crate) order: Order,
    pub(crate) limit: usize,
    pub(crate) after: Option<Position>,
}

impl Search {
    /// The number a trace is ordered by: larger comes first.
    fn rank(&self, trace: &Merged) -> i64 {
        match self.order {
            Order::Newest => trace.start_min.unwrap_or(0),
            Order::Slowest => trace.duration_ns().unwrap_or_else(|| trace.envelope_ns()),
            Order::MostSpans => trace.spans,
            Order::MostErrors => trace.errors,
            Order::Worst => {
                let savings = self.filter.traces.as_ref();
                savings.and_then(|savings| savings.get(&trace.trace_id)).copied().unwrap_or(0)
            }
        }
    }
}

/// A page.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) lines: Vec<(TraceId, Summary)>,
    /// Where the next page begins, if there is one.
    pub(crate) next: Option<Position>,
    /// Number of traces that match; at least so many when it is not exact.
    pub(crate) total: usize,
    pub(crate) is_exact: bool,
}

/// The best of a page, one more than it holds, and the number of all matches.
#[derive(Debug, Default)]
struct Top {
    places: Vec<Position>,
    /// Those of the traces that were read on the way.
    known: HashMap<[u8; 16], Merged>,
    total: usize,
    is_exact: bool,
}

/// Looks for a page.
///
/// # Errors
/// A limit is reached, or a file cannot be read.
pub(crate) async fn run(query: &Query, search: Search) -> Result<Found> {
    let place = query.start("search").await?;
    let mut top = match search.order {
        Order::Newest => newest::find(query, &place, &search).await?,
        _ => ranked::find(query, &place, &search).await?,
    };
    let has_more = top.places.len() > search.limit;
    top.places.truncate(search.limit);
    let next = top.places.last().filter(|_| has_more).copied();
    let lines = lines(query, &place, top.places, top.known).await?;
    // What was found in further traces is not looked for.
    let is_cut = search.filter.traces.as_ref().is_some_and(|traces| traces.len() >= TRACES_MAX);
    Ok(Found { lines, next, total: top.total, is_exact: top.is_exact && !is_cut })
}

/// The lines of a page, in its order.
async fn lines(
    query: &Query,
    place: &Place,
    places: Vec<Position>,
    mut known: HashMap<[u8; 16], Merged>,
) -> Result<Vec<(TraceId, Summary)>> {
    let read = query.read(place, move |reader, budget| {
        let unknown = places.iter().map(|p| p.id.0).filter(|id| !known.contains_key(id));
        let unknown = Ids::new(unknown.collect());
        let mut traces = match unknown.as_slice() {
            [] => Vec::new(),
            _ => reader.traces(&unknown, None, budget)?,
        };
        traces.extend(places.iter().filter_map(|place| known.remove(&place.id.0)));
        reader.close_parents(&mut traces)?;
        let by_id = traces.into_iter().map(|trace| (trace.trace_id, trace));
        let mut by_id: BTreeMap<_, _> = by_id.collect();
        let line = |place: &Position| {
            let trace = by_id.remove(&place.id.0);
            let trace = trace
                .ok_or_else(|| QueryError::Internal(format!("trace {} is in no part", place.id)))?;
            Ok((place.id, trace.summary()))
        };
        places.iter().map(line).collect()
    });
    read.await
}
