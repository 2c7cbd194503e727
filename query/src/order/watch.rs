//! Watches messages between clocks as traces arrive, so that offsets are known before somebody asks.
//!
//! ```text
//! sealed batch --> trace ids --> quiet for 5 s? --> read whole --> order --> estimator
//! a trace that somebody looks at ----------------------------------^
//! ```
//!
//! What was learnt is written down every minute and at the end ([`super::saved`]). The next start reads it, and
//! the traces that came since from the table; so nothing is lost by a crash.
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
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arrow::array::{AsArray, RecordBatch};
use causeway_clock::ClockId;
use causeway_clock::offsets::{Estimator, OffsetSettings, observe};
use causeway_model::columns::name;
use datafusion::logical_expr::{Expr, col, lit};
use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use tokio::time::Instant;

use super::identity::ClockName;
use super::saved;
use super::trace_order::TraceOrder;
use crate::catalog::{Session, stored};
use crate::error::Result;
use crate::findings::{FindingLog, each_trace};
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
/// How often what was learnt is written down.
const SAVE_INTERVAL: Duration = Duration::from_secs(60);
/// How far back traces are read again where nothing was written down.
const BACK_MAX_NS: i64 = 3_600_000_000_000;

/// See the module.
#[derive(Debug)]
pub(crate) struct ClockWatch {
    seen: RwLock<Seen>,
    findings: RwLock<FindingLog>,
    /// Traces that wait to be read.
    pending: Mutex<HashMap<[u8; 16], Waiting>>,
    /// Where what was learnt is written down.
    dir: Option<PathBuf>,
    /// Everything received until then was taken into account by an earlier process.
    known_through_unix_nano: Option<i64>,
}

/// When spans of a trace came, the first and the last.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    first: Instant,
    last: Instant,
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

impl ClockWatch {
    /// Knows what was written down in `dir`. Blocking.
    pub(crate) fn open(dir: Option<PathBuf>) -> Self {
        let mut seen = Seen {
            estimator: Estimator::new(OffsetSettings::default()),
            names: HashMap::new(),
            rejects: HashMap::new(),
            observed: HashMap::new(),
        };
        let read = dir.as_ref().map(|dir| saved::read(dir, &mut seen)).transpose();
        let known_through_unix_nano = read.map(Option::flatten).unwrap_or_else(|error| {
            tracing::warn!(%error, "what was learnt of clocks cannot be read; it is learnt anew");
            None
        });
        Self {
            seen: RwLock::new(seen),
            findings: RwLock::default(),
            pending: Mutex::default(),
            dir,
            known_through_unix_nano,
        }
    }

    /// Notes the traces of spans that were just received.
    pub(crate) fn received(&self, batch: &RecordBatch) {
        let ids = batch.column_by_name(name::TRACE_ID).and_then(|ids| ids.as_binary_opt::<i32>());
        let Some(ids) = ids else { return };
        let (now, mut pending, mut last) = (Instant::now(), self.pending.lock(), [0; 16]);
        for id in ids.iter().flatten().filter_map(|id| <[u8; 16]>::try_from(id).ok()) {
            let has_room = pending.len() < PENDING_MAX || pending.contains_key(&id);
            if id != last && has_room {
                pending.entry(id).or_insert(Waiting { first: now, last: now }).last = now;
            }
            last = id;
        }
    }

    /// Observes traces once they are quiet, until `stopped`.
    pub(crate) async fn run(self: Arc<Self>, query: Query, stopped: impl Future<Output = ()>) {
        if let Err(error) = self.catch_up(&query).await {
            tracing::debug!(%error, "traces of the past were not observed");
        }
        let mut stopped = std::pin::pin!(stopped);
        let (mut wait, mut looked, mut written) = (ROUND_INTERVAL, Instant::now(), Instant::now());
        loop {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = &mut stopped => return self.save(looked).await,
            }
            let started = Instant::now();
            match self.round(&query).await {
                Ok(()) => looked = started,
                Err(error) => tracing::debug!(%error, "clocks of some traces were not observed"),
            }
            if written.elapsed() > SAVE_INTERVAL {
                self.save(looked).await;
                written = Instant::now();
            }
            wait = ROUND_INTERVAL.max(started.elapsed().saturating_mul(LOAD_MAX));
        }
    }

    /// Notes the traces that were received since what is known was written down.
    async fn catch_up(&self, query: &Query) -> Result<()> {
        let place = query.start("clocks").await?;
        let extent = place.reader.snapshot.clone();
        // Findings are not written down, so the traces of the last hour are looked at in any case.
        let back = unix_nano().saturating_sub(BACK_MAX_NS);
        let since = self.known_through_unix_nano.map_or(back, |known| known.min(back));
        let plan = |session: &Session| {
            let is_new = col(name::RECEIVED_AT_UNIX_NANO).gt(lit(since));
            let traces = stored(session.stored())?.filter(is_new)?;
            let traces = traces.aggregate(vec![col(name::TRACE_ID)], Vec::<Expr>::new())?;
            Ok(traces.limit(0, Some(PENDING_MAX))?.build()?)
        };
        let batches = query.collect(&place, extent, plan).await?;
        batches.iter().for_each(|batch| self.received(batch));
        Ok(())
    }

    /// Writes down what was learnt; `looked` is when spans were last asked for.
    async fn save(self: &Arc<Self>, looked: Instant) {
        let watch = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || watch.write_down(looked)).await;
        if let Err(error) = done {
            tracing::error!(%error, "writing down what was learnt of clocks panicked");
        }
    }

    fn write_down(&self, looked: Instant) {
        let Some(dir) = &self.dir else { return };
        let oldest = self.pending.lock().values().map(|waiting| waiting.first).min();
        let behind = oldest.map_or(looked, |oldest| oldest.min(looked)).elapsed() + QUIET;
        let behind_ns = i64::try_from(behind.as_nanos()).unwrap_or(i64::MAX);
        let through = unix_nano().saturating_sub(behind_ns);
        let batches = saved::batches(&self.seen.read(), through);
        if let Err(error) = batches.and_then(|batches| saved::write(dir, &batches)) {
            tracing::warn!(%error, "what was learnt of clocks cannot be written down");
        }
    }

    async fn round(self: &Arc<Self>, query: &Query) -> Result<()> {
        // Spans become batches when somebody looks.
        let place = query.start("clocks").await?;
        let ids = self.quiet(Instant::now());
        if ids.is_empty() {
            return Ok(());
        }
        let watch = Arc::clone(self);
        let looked = query.read(&place, move |reader, budget| {
            let wanted = Wanted::traces(Ids::new(ids), &reader.snapshot);
            let batches = deduplicate(reader.spans(&wanted, budget)?)?;
            let ordered = TraceOrder::new(&batches)?;
            watch.observe(&ordered);
            each_trace(&batches, &ordered, &watch, |trace| watch.findings.write().look_at(trace))
        });
        looked.await
    }

    /// Takes out the traces that are quiet, the longest first.
    fn quiet(&self, now: Instant) -> Vec<[u8; 16]> {
        let mut pending = self.pending.lock();
        let is_quiet = |waiting: &Waiting| now.duration_since(waiting.last) >= QUIET;
        let quiet = pending.iter().filter(|(_, waiting)| is_quiet(waiting));
        let mut quiet: Vec<(Instant, [u8; 16])> = quiet.map(|(id, at)| (at.last, *id)).collect();
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
        let received = traces.gathered.spans.iter().map(|span| span.received_at_ns);
        if received.max().flatten() <= self.known_through_unix_nano {
            return true;
        }
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

    /// What traces showed.
    pub(crate) fn findings(&self) -> RwLockReadGuard<'_, FindingLog> {
        self.findings.read()
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

fn unix_nano() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.ok().and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or(0)
}
