//! Watches traces as they arrive, so that offsets and findings are known before somebody asks.
//!
//! ```text
//! sealed batch --> trace ids --> quiet for 5 s? --> read whole --> order --> Clocks --> aligned --> FindingLog
//! a trace that somebody looks at -------------------------------------^
//! ```
//!
//! What was learnt of clocks is written down every minute and at the end ([`Clocks::open`]). The next start reads
//! it, and the traces that came since from the table; so nothing is lost by a crash.
//!
//! | limit | value | beyond it |
//! |---|---|---|
//! | `PENDING_MAX` | 20,000 traces | further ones are not watched: offsets and findings rest on fewer |
//! | `ROUND_TRACES_MAX` | 500 traces a round | the rest waits for the next round |
//! | `LOAD_MAX` | a tenth of one core | rounds wait longer |

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{AsArray, RecordBatch};
use causeway_clock::offsets::Solver;
use causeway_model::columns::name;
use datafusion::logical_expr::{Expr, col, lit};
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use tokio::time::Instant;

use crate::catalog::{Session, stored};
use crate::error::{QueryError, Result};
use crate::findings::{FindingLog, of_clocks};
use crate::input;
use crate::order::{Clocks, TraceOrder, with_each_trace, write_clocks};
use crate::query::{Place, Query};
use crate::read::{Ids, Wanted};

const PENDING_MAX: usize = 20_000;
const ROUND_TRACES_MAX: usize = 500;
/// Time between rounds for each unit of time that one took.
const LOAD_MAX: u32 = 9;
/// Shortest time between rounds.
const ROUND_INTERVAL: Duration = Duration::from_secs(2);
/// How long no span of a trace has come when it is read.
const QUIET: Duration = Duration::from_secs(5);
/// How often findings about clocks are looked for.
const CLOCKS_INTERVAL: Duration = Duration::from_secs(10);
/// How often what was learnt is written down.
const SAVE_INTERVAL: Duration = Duration::from_secs(60);
/// How far back traces are read again where nothing was written down.
const BACK_MAX_NS: i64 = 3_600_000_000_000;

/// See the module.
#[derive(Debug)]
pub(crate) struct TraceWatch {
    clocks: RwLock<Clocks>,
    findings: RwLock<FindingLog>,
    /// Traces that wait to be read.
    pending: Mutex<HashMap<[u8; 16], Waiting>>,
    /// Where what was learnt of clocks is written down.
    dir: Option<PathBuf>,
}

/// When spans of a trace came, the first and the last.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    first: Instant,
    last: Instant,
}

impl TraceWatch {
    /// Knows what was written down in `dir`. Blocking.
    pub(crate) fn open(dir: Option<PathBuf>) -> Self {
        let clocks = dir.as_deref().map(Clocks::open).unwrap_or_default();
        let (clocks, findings, pending) = (clocks.into(), RwLock::default(), Mutex::default());
        Self { clocks, findings, pending, dir }
    }

    /// Notes the traces of spans that were just received.
    pub(crate) fn received(&self, batch: &RecordBatch) {
        let ids = batch.column_by_name(name::TRACE_ID).and_then(|ids| ids.as_binary_opt::<i32>());
        let Some(ids) = ids else { return };
        let (now, mut pending, mut last) = (Instant::now(), self.pending.lock(), [0; 16]);
        for id in ids.iter().flatten().filter_map(|id| <[u8; 16]>::try_from(id).ok()) {
            if std::mem::replace(&mut last, id) == id {
                continue;
            }
            let has_room = pending.len() < PENDING_MAX;
            match pending.entry(id) {
                Entry::Occupied(mut waiting) => waiting.get_mut().last = now,
                Entry::Vacant(free) if has_room => {
                    free.insert(Waiting { first: now, last: now });
                }
                Entry::Vacant(_) => {}
            }
        }
    }

    /// Looks at traces once they are quiet, until `stopped`.
    pub(crate) async fn run(self: Arc<Self>, query: Query, stopped: impl Future<Output = ()>) {
        if let Err(error) = self.catch_up(&query).await {
            tracing::debug!(%error, "traces of the past were not looked at");
        }
        let mut stopped = std::pin::pin!(stopped);
        let (mut wait, mut looked) = (ROUND_INTERVAL, Instant::now());
        let (mut judged, mut written) = (looked, looked);
        loop {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = &mut stopped => return self.blocking(move |watch| watch.write_down(looked)).await,
            }
            let started = Instant::now();
            match self.round(&query).await {
                Ok(()) => looked = started,
                Err(error) => tracing::debug!(%error, "some traces were not looked at"),
            }
            if judged.elapsed() > CLOCKS_INTERVAL {
                self.blocking(Self::judge_clocks).await;
                judged = Instant::now();
            }
            if written.elapsed() > SAVE_INTERVAL {
                self.blocking(move |watch| watch.write_down(looked)).await;
                written = Instant::now();
            }
            wait = ROUND_INTERVAL.max(started.elapsed().saturating_mul(LOAD_MAX));
        }
    }

    /// Notes the traces that were received since what is known was written down.
    async fn catch_up(&self, query: &Query) -> Result<()> {
        let place = query.start("watch").await?;
        let extent = place.reader.snapshot.clone();
        // Findings are not written down, so the traces of the last hour are looked at in any case.
        let back = input::now().saturating_sub(BACK_MAX_NS);
        let since =
            self.clocks.read().known_through_unix_nano.map_or(back, |known| known.min(back));
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

    async fn blocking(self: &Arc<Self>, work: impl FnOnce(&Self) + Send + 'static) {
        let watch = Arc::clone(self);
        if let Err(error) = tokio::task::spawn_blocking(move || work(&watch)).await {
            tracing::error!(%error, "the watch over traces panicked");
        }
    }

    fn judge_clocks(&self) {
        let found = of_clocks(&self.clocks.read());
        self.findings.write().set_clocks(found);
    }

    /// Writes down what was learnt of clocks; `looked` is when spans were last asked for.
    fn write_down(&self, looked: Instant) {
        let Some(dir) = &self.dir else { return };
        let oldest = self.pending.lock().values().map(|waiting| waiting.first).min();
        let behind = oldest.map_or(looked, |oldest| oldest.min(looked)).elapsed() + QUIET;
        let behind_ns = i64::try_from(behind.as_nanos()).unwrap_or(i64::MAX);
        let batches = self.clocks.read().to_save(input::now().saturating_sub(behind_ns));
        if let Err(error) = batches.and_then(|batches| write_clocks(dir, &batches)) {
            tracing::warn!(%error, "what was learnt of clocks cannot be written down");
        }
    }

    async fn round(self: &Arc<Self>, query: &Query) -> Result<()> {
        // Spans become batches when somebody looks.
        let place = query.start("watch").await?;
        let mut waiting = vec![self.quiet(Instant::now())];
        while let Some(mut ids) = waiting.pop() {
            match self.look_at(query, &place, ids.clone()).await {
                // What is too large together may not be so one by one.
                Err(QueryError::Limit { .. }) if ids.len() > 1 => {
                    waiting.push(ids.split_off(ids.len() / 2));
                    waiting.push(ids);
                }
                looked => looked?,
            }
        }
        Ok(())
    }

    async fn look_at(
        self: &Arc<Self>,
        query: &Query,
        place: &Place,
        ids: Vec<[u8; 16]>,
    ) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let watch = Arc::clone(self);
        let looked = query.read(place, move |reader, budget| {
            let batches = reader.spans(&Wanted::traces(Ids::new(ids), &reader.snapshot), budget)?;
            with_each_trace(&batches, |ordered| {
                ordered.iter().for_each(|trace| watch.observe(trace));
                watch.find(ordered);
                Ok(())
            })
        });
        looked.await
    }

    fn find(&self, ordered: Vec<TraceOrder<'_>>) {
        let clocks = self.clocks.read();
        let mut offsets = Solver::new(&clocks.estimator);
        for trace in ordered.into_iter().flat_map(|trace| trace.into_aligned(&mut offsets)) {
            self.findings.write().look_at(&trace);
        }
        self.findings.write().look_at_window();
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

    /// Takes the messages of traces into account, unless they were before.
    pub(crate) fn observe(&self, traces: &TraceOrder<'_>) {
        let is_known = self.clocks.read().knows(traces);
        if !is_known {
            self.clocks.write().observe(traces);
        }
    }

    /// What traces showed.
    pub(crate) fn findings(&self) -> RwLockReadGuard<'_, FindingLog> {
        self.findings.read()
    }

    /// What was learnt of clocks so far.
    pub(crate) fn clocks(&self) -> RwLockReadGuard<'_, Clocks> {
        self.clocks.read()
    }
}
