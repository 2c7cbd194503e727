//! Answers over many traces: each on the clock of its root, some at a time.

use std::sync::Arc;

use causeway_analysis::cohort::Cohort;
use causeway_analysis::critical_path::CriticalPath;
use causeway_model::trace::MergedTrace;

use crate::error::{QueryError, Result};
use crate::query::Query;
use crate::read::{Budget, Ids, Reader};
use crate::search::{Found, Search, run};
use crate::watch::TraceWatch;

/// Traces that are in memory together.
const TRACES_AT_ONCE: usize = 200;

/// Works on traces one after the other; those that are not known are passed over. Blocking.
///
/// # Errors
/// Those of the work; or a file cannot be read, a trace is too large, or the time is over.
pub(crate) fn each_trace(
    reader: &Reader,
    watch: &TraceWatch,
    ids: &[[u8; 16]],
    budget: &Budget,
    mut work: impl FnMut(&MergedTrace<'_>) -> Result<()>,
) -> Result<()> {
    let mut waiting: Vec<_> = ids.chunks(TRACES_AT_ONCE).rev().collect();
    while let Some(some) = waiting.pop() {
        budget.check_time()?;
        let batches = match reader.outlines(Ids::new(some.to_vec()), budget) {
            // What is too large together may not be so one by one.
            Err(QueryError::Limit { .. }) if some.len() > 1 => {
                let (first, second) = some.split_at(some.len() / 2);
                waiting.extend([second, first]);
                continue;
            }
            read => read?,
        };
        watch.with_aligned(&batches, |traces| traces.iter().try_for_each(&mut work))??;
    }
    Ok(())
}

/// Sums over the traces of a search, and how many match it.
///
/// # Errors
/// A limit is reached, or a file cannot be read.
pub(crate) async fn cohort(query: &Query, search: Search) -> Result<(Cohort, Found)> {
    let found = run(query, search).await?;
    let ids: Vec<_> = found.lines.iter().map(|(id, _)| id.0).collect();
    let (place, watch) = (query.start("cohort").await?, Arc::clone(query.watch()));
    let summed = query.read(&place, move |reader, budget| {
        let mut cohort = Cohort::default();
        each_trace(reader, &watch, &ids, budget, |trace| {
            cohort.add(trace, &CriticalPath::of(trace));
            Ok(())
        })?;
        Ok(cohort)
    });
    Ok((summed.await?, found))
}
