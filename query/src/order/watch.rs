//! Watches messages between clocks as traces arrive, so that offsets are known before somebody asks.
//!
//! ```text
//! sealed batch --> trace ids --> quiet for 5 s? --> read whole --> order --> estimator
//! a trace that somebody looks at ----------------------------------^
//! ```
//!
//! Every trace counts once for each number of spans it was seen with. The estimator keeps least values,
//! so what counts twice moves no bound; only numbers of messages grow.
//!
//! | limit | value | beyond it |
//! |---|---|---|
//! | `PENDING_MAX` | 20,000 traces | further ones are not watched: offsets rest on fewer messages |
//! | `ROUND_TRACES_MAX` | 500 traces a round | the rest waits for the next round |
//! | `LOAD_MAX` | a tenth of one core | rounds wait longer |
//! | `OBSERVED_MAX` | 200,000 traces | what was observed is forgotten, so that it may count again |

use std::collections::HashMap;
use std::time::Duration;

use arrow::array::{AsArray, RecordBatch};
use causeway_clock::ClockId;
use causeway_clock::offsets::{Estimator, OffsetSettings, observe};
use causeway_model::columns::name;
use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use tokio::time::Instant;

use super::identity::ClockName;
use super::trace_order::TraceOrder;
use crate::error::Result;
use crate::query::Query;
use crate::read::{Ids, Wanted};
use crate::trace::deduplicate;

const PENDING_MAX: usize = 20_000;
const ROUND_TRACES_MAX: usize = 500;
const OBSERVED_MAX: usize = 200_000;
/// Time between rounds for each unit of time that one took.
const LOAD_MAX: u32 = 9;
/// Shortest time between rounds.
const ROUND_INTERVAL: Duration = Duration::from_secs(2);
/// How long no span of a trace has come when it is read.
const QUIET: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug)]
pub(crate) struct ClockWatch {
    seen: RwLock<Seen>,
    /// Traces that wait to be read, and when a span of them came last.
    pending: Mutex<HashMap<[u8; 16], Instant>>,
}

/// What was learnt.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) estimator: Estimator,
    pub(crate) names: HashMap<ClockId, ClockName>,
    /// Stamps that a clock refused.
    pub(crate) rejects: HashMap<ClockId, u64>,
    /// Spans of the traces that were observed.
    observed: HashMap<[u8; 16], usize>,
}

impl Default for ClockWatch {
    fn default() -> Self {
        let seen = Seen {
            estimator: Estimator::new(OffsetSettings::default()),
            names: HashMap::new(),
            rejects: HashMap::new(),
            observed: HashMap::new(),
        };
        Self { seen: RwLock::new(seen), pending: Mutex::default() }
    }
}

impl ClockWatch {
    /// Notes the traces of spans that were just received.
    pub(crate) fn received(&self, batch: &RecordBatch) {
        let ids = batch.column_by_name(name::TRACE_ID).and_then(|ids| ids.as_binary_opt::<i32>());
        let Some(ids) = ids else { return };
        let (now, mut pending, mut last) = (Instant::now(), self.pending.lock(), [0; 16]);
        for id in ids.iter().flatten().filter_map(|id| <[u8; 16]>::try_from(id).ok()) {
            if id != last && (pending.len() < PENDING_MAX || pending.contains_key(&id)) {
                pending.insert(id, now);
            }
            last = id;
        }
    }

    /// Observes traces once they are quiet. Never returns.
    pub(crate) async fn run(&self, query: Query) {
        let mut wait = ROUND_INTERVAL;
        loop {
            tokio::time::sleep(wait).await;
            let started = Instant::now();
            if let Err(error) = self.round(&query).await {
                tracing::debug!(%error, "clocks of some traces were not observed");
            }
            wait = ROUND_INTERVAL.max(started.elapsed().saturating_mul(LOAD_MAX));
        }
    }

    async fn round(&self, query: &Query) -> Result<()> {
        // Spans become batches when somebody looks.
        let place = query.start("clocks").await?;
        let ids = self.quiet(Instant::now());
        if ids.is_empty() {
            return Ok(());
        }
        let batches = query.read(&place, move |reader, budget| {
            let wanted = Wanted::traces(Ids::new(ids), &reader.snapshot);
            TraceOrder::new(&deduplicate(reader.spans(&wanted, budget)?)?)
        });
        self.observe(&batches.await?);
        Ok(())
    }

    /// Takes out the traces that are quiet, the longest first.
    fn quiet(&self, now: Instant) -> Vec<[u8; 16]> {
        let mut pending = self.pending.lock();
        let is_quiet = |last: &Instant| now.duration_since(*last) >= QUIET;
        let mut quiet: Vec<(Instant, [u8; 16])> =
            pending.iter().filter(|(_, at)| is_quiet(at)).map(|(id, at)| (*at, *id)).collect();
        quiet.sort_unstable();
        quiet.truncate(ROUND_TRACES_MAX);
        let ids: Vec<_> = quiet.into_iter().map(|(_, id)| id).collect();
        for id in &ids {
            pending.remove(id);
        }
        ids
    }

    /// Whether the messages of these traces were taken into account.
    pub(crate) fn knows(&self, traces: &TraceOrder) -> bool {
        let seen = self.seen.read();
        let mut traces = traces.gathered.traces.iter();
        traces.all(|trace| seen.observed.get(&trace.trace_id) == Some(&trace.merged.spans.len()))
    }

    /// Takes the messages of traces into account, unless they were before.
    pub(crate) fn observe(&self, traces: &TraceOrder) {
        let TraceOrder { gathered, order } = traces;
        if self.knows(traces) {
            return;
        }
        let mut seen = self.seen.write();
        if seen.observed.len() > OBSERVED_MAX {
            seen.observed.clear();
        }
        let Seen { estimator, names, rejects, observed } = &mut *seen;
        gathered.ties.iter().for_each(|(a, b)| estimator.tie(*a, *b));
        let witness = |span| gathered.place(span).map_or(0, |(_, span)| span.span_id);
        observe(estimator, &gathered.spans, order, witness);
        let clocks_max = estimator.settings().clocks_max;
        for (clock, name) in &gathered.clocks {
            if names.len() < clocks_max || names.contains_key(clock) {
                names.insert(*clock, name.clone());
            }
        }
        for (index, span) in (0_u32..).zip(&gathered.spans) {
            let clock = gathered.clock(index).filter(|_| span.rejected.is_some());
            clock.into_iter().for_each(|clock| *rejects.entry(clock).or_default() += 1);
        }
        let traces = gathered.traces.iter();
        observed.extend(traces.map(|trace| (trace.trace_id, trace.merged.spans.len())));
    }

    /// What was learnt so far.
    pub(crate) fn seen(&self) -> RwLockReadGuard<'_, Seen> {
        self.seen.read()
    }
}

impl Seen {
    /// The clock that most messages go to or come from: the others are told against it.
    pub(crate) fn reference(&self) -> Option<ClockId> {
        let mut messages: HashMap<ClockId, u64> = HashMap::new();
        for row in self.estimator.rows() {
            for clock in [row.from, row.to] {
                *messages.entry(clock).or_default() += row.messages;
            }
        }
        messages.into_iter().map(|(clock, count)| (count, clock)).max().map(|(_, clock)| clock)
    }

    /// How people know a clock.
    pub(crate) fn name(&self, clock: ClockId) -> ClockName {
        self.names.get(&clock).cloned().unwrap_or_default()
    }
}
