//! `GET /tail`: lines of traces as they arrive, as server-sent events.
//!
//! The newest traces that match are looked for now and then; a line is sent when its trace is new, or has more spans
//! than when it was last sent.

use std::collections::HashMap;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Query as UrlQuery, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use causeway_model::TraceId;
use futures::{Stream, StreamExt, stream};
use tokio::sync::OwnedSemaphorePermit;

use super::error::ApiResult;
use super::search::{line, read};
use crate::error::QueryError;
use crate::query::Query;
use crate::search::{Order, run};
use crate::trace::summary::Summary;

/// Time between looks.
const INTERVAL: Duration = Duration::from_secs(1);

/// Lines that one look can send; of more, the newest.
const LINES_MAX: usize = 50;

/// How far back traces may have started.
const BACK_NS: i64 = 300_000_000_000;

/// Traces whose lines are remembered.
const SENT_MAX: usize = 10_000;

struct Tail {
    query: Query,
    /// Parameters of the search. They are read at each look, because what was found in traces changes.
    pairs: Vec<(String, String)>,
    /// Spans of the traces whose lines were sent.
    sent: HashMap<TraceId, i64>,
    is_first: bool,
    _place: OwnedSemaphorePermit,
}

pub(super) async fn tail(
    State(query): State<Query>,
    UrlQuery(pairs): UrlQuery<Vec<(String, String)>>,
) -> ApiResult<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    if let Some((key, _)) = pairs.iter().find(|(key, _)| TAKEN.contains(&key.as_str())) {
        return Err(QueryError::bad_request(format!("a tail has no parameter {key:?}")).into());
    }
    read(&pairs, LINES_MAX, query.watch())?;
    let _place = query.start_tail()?;
    let tail = Tail { query, pairs, sent: HashMap::new(), is_first: true, _place };
    let events = stream::unfold(tail, |mut tail| async move {
        let events = tail.look().await;
        Some((stream::iter(events), tail))
    });
    Ok(Sse::new(events.flatten()).keep_alive(KeepAlive::default()))
}

/// What a tail decides itself.
const TAKEN: [&str; 5] = ["order", "limit", "cursor", "start", "end"];

impl Tail {
    async fn found(&self) -> Result<Vec<(TraceId, Summary)>, QueryError> {
        let mut search = read(&self.pairs, LINES_MAX, self.query.watch())?;
        (search.order, search.limit) = (Order::Newest, LINES_MAX);
        search.filter.start = Some(crate::input::now().saturating_sub(BACK_NS));
        Ok(run(&self.query, search).await?.lines)
    }

    async fn look(&mut self) -> Vec<Result<Event, Infallible>> {
        if !std::mem::replace(&mut self.is_first, false) {
            tokio::time::sleep(INTERVAL).await;
        }
        let found = match self.found().await {
            Ok(found) => found,
            Err(error) => {
                return vec![Ok(Event::default().event("problem").data(error.to_string()))];
            }
        };
        if self.sent.len() > SENT_MAX {
            self.sent.clear();
        }
        let mut new: Vec<(TraceId, Summary)> = found
            .into_iter()
            .filter(|(id, summary)| self.sent.insert(*id, summary.spans) != Some(summary.spans))
            .collect();
        // The oldest first: each line that comes is newer than the one before.
        new.reverse();
        let log = self.query.watch().findings();
        let events = new.into_iter().filter_map(|(id, summary)| {
            Event::default().event("trace").json_data(line(id, summary, &log)).ok()
        });
        events.map(Ok).collect()
    }
}
