//! The slowest traces, those with most spans or most errors: every match must be looked at.
//!
//! Without conditions the parts of all traces tell everything, and no span is read but of traces that
//! begin before the range and end after it. With conditions the spans that fulfil them name the
//! traces first.

use std::collections::HashSet;

use arrow::array::AsArray;

use super::filter::matching;
use super::page::{Page, Position};
use super::{Search, Top};
use crate::error::{QueryError, Result};
use crate::query::{Place, Query};
use crate::read::{BY_ID_MAX, Budget, Ids, Merged, Reader, Share, Times, Within, merge};

/// Traces whose spans are read at once, to see whether one starts in the range.
const UNSURE_AT_ONCE: usize = 1_000;

/// Traces between two looks at the clock.
const TRACES_PER_LOOK: usize = 8_192;

pub(super) async fn find(query: &Query, place: &Place, search: &Search) -> Result<Top> {
    let matches = match search.filter.has_conditions() {
        false => None,
        true => Some(matching_ids(query, place, search).await?),
    };
    let search = search.clone();
    let places = query.read(place, move |reader, budget| match matches {
        Some(ids) if ids.len() <= BY_ID_MAX => {
            let ids = Ids::new(ids.into_iter().collect());
            by_id(reader, budget, &search, &ids, None)
        }
        Some(ids) => {
            let is_match = |trace: &Merged| ids.contains(&trace.trace_id);
            scan(reader, budget, &search, None, &is_match)?.finish(reader, budget, None)
        }
        None => {
            let times = search.filter.times();
            match times.map(|times| reader.candidates(times)).transpose()?.flatten() {
                Some(ids) => by_id(reader, budget, &search, &ids, times),
                None => {
                    let matches = scan(reader, budget, &search, times, &|_| true)?;
                    matches.finish(reader, budget, times)
                }
            }
        }
    });
    places.await
}

fn top(page: Page, total: usize) -> Top {
    Top { places: page.into_places(), total, is_exact: true, ..Top::default() }
}

/// Ids of all traces with a span that fulfils the conditions.
async fn matching_ids(query: &Query, place: &Place, search: &Search) -> Result<HashSet<[u8; 16]>> {
    let everything = place.reader.snapshot.clone();
    let plan = |session: &_| matching(session, &search.filter);
    let mut ids = HashSet::new();
    for batch in query.collect(place, everything, plan).await? {
        let found = batch.column(0).as_binary::<i32>().iter().flatten();
        ids.extend(found.filter_map(|id| <[u8; 16]>::try_from(id).ok()));
    }
    Ok(ids)
}

/// The best of some traces, those outside of `times` left out.
fn by_id(
    reader: &Reader,
    budget: &Budget,
    search: &Search,
    ids: &Ids,
    times: Option<Times>,
) -> Result<Top> {
    let traces = reader.traces(ids, times, budget)?;
    let mut matches = Matches::new(search);
    traces.iter().for_each(|trace| matches.look(search, trace));
    let known = traces.into_iter().map(|trace| (trace.trace_id, trace)).collect();
    Ok(Top { known, ..matches.finish(reader, budget, times)? })
}

/// What matches by its parts, and what only its spans can tell.
struct Matches {
    page: Page,
    total: usize,
    unsure: Vec<Position>,
}

impl Matches {
    fn new(search: &Search) -> Self {
        Self { page: Page::new(search), total: 0, unsure: Vec::new() }
    }

    fn look(&mut self, search: &Search, trace: &Merged) {
        let place = Position::new(search.rank(trace), trace.trace_id);
        match trace.within {
            Within::No => {}
            Within::Perhaps => self.unsure.push(place),
            Within::Yes => self.take(place),
        }
    }

    fn add(&mut self, other: Self) {
        self.total += other.total;
        self.unsure.extend(other.unsure);
        other.page.into_places().into_iter().for_each(|place| self.page.offer(place));
    }

    fn take(&mut self, place: Position) {
        self.total += 1;
        self.page.offer(place);
    }

    fn finish(mut self, reader: &Reader, budget: &Budget, times: Option<Times>) -> Result<Top> {
        let unsure = std::mem::take(&mut self.unsure);
        for places in unsure.chunks(UNSURE_AT_ONCE) {
            budget.check_time()?;
            let ids = Ids::new(places.iter().map(|place| place.id.0).collect());
            let found = reader.with_start_in(&ids, times.unwrap_or((1, i64::MAX)))?;
            let found = places.iter().filter(|place| found.contains(&place.id.0));
            found.for_each(|place| self.take(*place));
        }
        Ok(top(self.page, self.total))
    }
}

/// Looks at the parts of all traces, by several threads, each with its share of ids.
fn scan(
    reader: &Reader,
    budget: &Budget,
    search: &Search,
    times: Option<Times>,
    is_match: &(dyn Fn(&Merged) -> bool + Sync),
) -> Result<Matches> {
    let look = |share: Share| -> Result<Matches> {
        let mut cursors = reader.cursors(reader.snapshot.files.iter(), false, share)?;
        cursors.extend(reader.recent_cursors(share)?);
        let (mut matches, mut count) = (Matches::new(search), 0_usize);
        merge(cursors, times, &mut |trace| {
            count += 1;
            if count.is_multiple_of(TRACES_PER_LOOK) {
                budget.check_time()?;
            }
            if is_match(&trace) {
                matches.look(search, &trace);
            }
            Ok(true)
        })?;
        Ok(matches)
    };
    let mut all = Matches::new(search);
    let shares = Share::split(reader.threads);
    std::thread::scope(|scope| {
        let look = &look;
        let threads: Vec<_> =
            shares.into_iter().map(|share| scope.spawn(move || look(share))).collect();
        for thread in threads {
            let panicked = |_| Err(QueryError::Internal("a reading thread panicked".to_owned()));
            all.add(thread.join().unwrap_or_else(panicked)?);
        }
        Ok(all)
    })
}
