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
use crate::error::Result;
use crate::query::{Place, Query};
use crate::read::{Budget, Ids, Merged, Reader, Within, merge};

/// So many traces are read by id; for more all parts are merged.
const BY_ID_MAX: usize = 2_000;

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
        Some(ids) if ids.len() <= BY_ID_MAX => by_id(reader, budget, &search, ids),
        Some(ids) => {
            let mut page = Page::new(&search);
            scan(
                reader,
                budget,
                &mut |trace| {
                    if ids.contains(&trace.trace_id) {
                        page.offer(Position::new(search.order.rank(&trace), trace.trace_id));
                    }
                    Ok(())
                },
                None,
            )?;
            Ok(top(page, ids.len()))
        }
        None => all(reader, budget, &search),
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

fn by_id(reader: &Reader, budget: &Budget, search: &Search, ids: HashSet<[u8; 16]>) -> Result<Top> {
    let mut page = Page::new(search);
    let ids = Ids::new(ids.into_iter().collect());
    let traces = reader.traces(&ids, budget)?;
    for trace in &traces {
        page.offer(Position::new(search.order.rank(trace), trace.trace_id));
    }
    let known = traces.into_iter().map(|trace| (trace.trace_id, trace)).collect();
    Ok(Top { known, ..top(page, ids.as_slice().len()) })
}

fn all(reader: &Reader, budget: &Budget, search: &Search) -> Result<Top> {
    let times = search.filter.times();
    let (mut page, mut total, mut unsure) = (Page::new(search), 0, Vec::new());
    let mut look = |trace: Merged| {
        let place = Position::new(search.order.rank(&trace), trace.trace_id);
        match trace.within {
            Within::No => {}
            Within::Perhaps => unsure.push(place),
            Within::Yes => {
                total += 1;
                page.offer(place);
            }
        }
        Ok(())
    };
    scan(reader, budget, &mut look, times)?;
    for places in unsure.chunks(UNSURE_AT_ONCE) {
        budget.check_time()?;
        let ids = Ids::new(places.iter().map(|place| place.id.0).collect());
        let found = reader.with_start_in(&ids, times.unwrap_or((1, i64::MAX)))?;
        for place in places.iter().filter(|place| found.contains(&place.id.0)) {
            total += 1;
            page.offer(*place);
        }
    }
    Ok(top(page, total))
}

/// Gives all traces to `look`, without texts.
fn scan(
    reader: &Reader,
    budget: &Budget,
    look: &mut dyn FnMut(Merged) -> Result<()>,
    times: Option<crate::read::Times>,
) -> Result<()> {
    let mut cursors = reader.cursors(reader.snapshot.files.iter(), false)?;
    cursors.extend(reader.recent_cursors()?);
    let mut count = 0_usize;
    merge(cursors, times, &mut |trace| {
        count += 1;
        if count.is_multiple_of(TRACES_PER_LOOK) {
            budget.check_time()?;
        }
        look(trace)?;
        Ok(true)
    })
}
