//! Watches traces as they arrive, so that offsets and findings are known before somebody asks.
//!
//! ```text
//! sealed batch --> trace ids --> quiet for 5 s? --> read whole --> order --> Clocks --> aligned --> FindingLog
//! a trace that somebody looks at -------------------------------------^
//! ```
//!
//! What was learnt of clocks and found in single traces is written down every minute and at the end. The next start reads
//! it, and the traces that came since from the table; so nothing is lost by a crash.
//!
//! | limit | value | beyond it |
//! |---|---|---|
//! | `PENDING_MAX` | 20,000 traces | further ones are not watched: offsets and findings rest on fewer |
//! | `ROUND_TRACES_MAX` | 500 traces a round | the rest waits for the next round |
//! | `LOAD_MAX` | a tenth of one core | rounds wait longer |
//! | `BACK_LOAD_MAX` | half of one core, while history is looked at again | rounds wait longer |

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{AsArray, RecordBatch};
use causeway_model::columns::name;
use causeway_model::trace::MergedTrace;
use datafusion::logical_expr::{Expr, col, lit};
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use serde::Serialize;
use tokio::time::Instant;

use crate::catalog::{Session, stored};
use crate::error::{QueryError, Result};
use crate::findings::{
    self, Finder, FindingLog, GroupFilter, GroupsAnswer, States, WholeGroup, Wish, of_clocks,
    read_findings, write_findings,
};
use crate::input;
use crate::order::{Clocks, TraceOrder, with_each_trace, write_clocks};
use crate::query::{Place, Query};
use crate::read::{Ids, Merged, Reader, Share, Times, Wanted, Within, merge};

const PENDING_MAX: usize = 20_000;
const ROUND_TRACES_MAX: usize = 500;
/// Traces of a round that are in memory together. As long as they are read, so are all spans that have come meanwhile.
const TRACES_AT_ONCE: usize = 100;
/// Time between rounds for each unit of time that one took.
const LOAD_MAX: u32 = 9;
/// The same while history is looked at again, which somebody waits for.
const BACK_LOAD_MAX: u32 = 1;
/// Shortest time between rounds.
const ROUND_INTERVAL: Duration = Duration::from_secs(2);
/// How long no span of a trace has come when it is read.
const QUIET: Duration = Duration::from_secs(5);
/// How often findings about clocks are looked for.
const CLOCKS_INTERVAL: Duration = Duration::from_secs(10);
/// How often what was learnt is written down.
const SAVE_INTERVAL: Duration = Duration::from_secs(60);
/// How far back traces are read again in any case.
const BACK_MIN_NS: i64 = 900_000_000_000;

/// See the module.
#[derive(Debug)]
pub(crate) struct TraceWatch {
    clocks: RwLock<Clocks>,
    findings: RwLock<FindingLog>,
    /// Held by whoever looks for findings, which takes longer than others may wait for those that are known.
    finder: Mutex<Finder>,
    /// Traces that wait to be read.
    pending: Mutex<HashMap<[u8; 16], Waiting>>,
    states: RwLock<States>,
    /// History that is looked at again.
    back: Mutex<Option<Back>>,
    /// Folders where what was learnt of clocks and what was found is written down.
    dirs: Option<Dirs>,
}

#[derive(Debug, Clone)]
struct Dirs {
    clocks: PathBuf,
    findings: PathBuf,
}

/// How far a look at history is.
#[derive(Debug, Clone, Copy)]
struct Back {
    times: Times,
    /// The first trace id that was not looked at; none once all were.
    next: Option<u128>,
    traces: u64,
}

/// How far a look at history is, for people.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Progress {
    is_running: bool,
    /// Traces that were looked at.
    traces: u64,
    /// Share of all trace ids that were passed.
    done: f64,
}

/// When spans of a trace came, the first and the last.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    first: Instant,
    last: Instant,
}

impl Waiting {
    fn is_quiet(&self) -> bool {
        self.last.elapsed() >= QUIET
    }
}

impl TraceWatch {
    /// Knows what was written down in `dir`. Blocking.
    pub(crate) fn open(dir: Option<&Path>) -> Self {
        let dirs =
            dir.map(|dir| Dirs { clocks: dir.join("clocks"), findings: dir.join("findings") });
        let clocks = dirs.as_ref().map(|dirs| Clocks::open(&dirs.clocks)).unwrap_or_default();
        let mut findings = FindingLog::default();
        let found = dirs.as_ref().map(|dirs| read_findings(&dirs.findings)).transpose();
        match found {
            Ok(found) => findings.restore(found.unwrap_or_default()),
            Err(error) => {
                tracing::warn!(%error, "findings cannot be read; they are looked for anew")
            }
        }
        let states = States::open(dirs.as_ref().map(|dirs| dirs.findings.clone()));
        Self {
            clocks: clocks.into(),
            findings: findings.into(),
            finder: Mutex::default(),
            pending: Mutex::default(),
            states: states.into(),
            back: Mutex::default(),
            dirs,
        }
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
            wait = match self.progress().is_running {
                true => started.elapsed().saturating_mul(BACK_LOAD_MAX),
                false => ROUND_INTERVAL.max(started.elapsed().saturating_mul(LOAD_MAX)),
            };
        }
    }

    /// Notes the traces that were received since what is known was written down.
    async fn catch_up(&self, query: &Query) -> Result<()> {
        let place = query.start("watch").await?;
        let extent = place.reader.snapshot.clone();
        // What traces of the last quarter of an hour show together is not written down.
        let back = input::now().saturating_sub(BACK_MIN_NS);
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
        let Some(dirs) = &self.dirs else { return };
        let oldest = self.pending.lock().values().map(|waiting| waiting.first).min();
        let behind = oldest.map_or(looked, |oldest| oldest.min(looked)).elapsed() + QUIET;
        let behind_ns = i64::try_from(behind.as_nanos()).unwrap_or(i64::MAX);
        let through = input::now().saturating_sub(behind_ns);
        // Clocks tell how far all of it reaches, so they come last.
        if !self.write_findings() {
            return;
        }
        if let Err(error) = write_clocks(&dirs.clocks, &self.clocks, through) {
            tracing::warn!(%error, "what was learnt of clocks cannot be written down");
        }
    }

    /// Writes down what was found in single traces, if that has changed. Says whether all of it is on disk.
    fn write_findings(&self) -> bool {
        let Some(dirs) = &self.dirs else { return true };
        let is_changed = self.findings.write().take_changed();
        if !is_changed {
            return true;
        }
        // Whatever changes findings is on this task, so nobody waits for the lock meanwhile.
        let written = write_findings(&dirs.findings, self.findings.read().of_traces());
        if let Err(error) = &written {
            self.findings.write().keep_changed();
            tracing::warn!(%error, "findings cannot be written down");
        }
        written.is_ok()
    }

    async fn round(self: &Arc<Self>, query: &Query) -> Result<()> {
        let is_back = self.progress().is_running;
        let mut result = if is_back { self.round_back(query).await } else { Ok(()) };
        let mut has_looked = is_back;
        for _ in 0..ROUND_TRACES_MAX / TRACES_AT_ONCE {
            if !self.is_any_quiet() {
                break;
            }
            // The place comes first: without one, traces wait for the next round.
            let place = match query.start("watch").await {
                Ok(place) => place,
                Err(error) => {
                    result = Err(error);
                    break;
                }
            };
            result = result.and(self.look_at(query, &place, self.quiet(), true).await);
            has_looked = true;
        }
        if has_looked {
            self.blocking(Self::judge_window).await;
        }
        result
    }

    /// Looks at the next traces of history.
    async fn round_back(self: &Arc<Self>, query: &Query) -> Result<()> {
        let (place, watch) = (query.start("watch").await?, Arc::clone(self));
        let taken = query.read(&place, move |reader, _| watch.take_back(reader)).await?;
        let mut result = Ok(());
        for ids in taken.chunks(TRACES_AT_ONCE) {
            result = result.and(self.look_at(query, &place, ids.to_vec(), false).await);
        }
        result
    }

    /// Looks at all of these traces that can be looked at; the last error is of those that cannot.
    async fn look_at(
        self: &Arc<Self>,
        query: &Query,
        place: &Place,
        ids: Vec<[u8; 16]>,
        just_came: bool,
    ) -> Result<()> {
        let (mut waiting, mut result) = (vec![ids], Ok(()));
        while let Some(mut ids) = waiting.pop() {
            let (watch, wanted) = (Arc::clone(self), Ids::new(ids.clone()));
            let looked = query.read(place, move |reader, budget| {
                let batches = reader.spans(&Wanted::traces(wanted, &reader.snapshot), budget)?;
                watch.with_aligned(&batches, |traces| watch.find(traces, just_came))
            });
            match looked.await {
                // What is too large together may not be so one by one.
                Err(QueryError::Limit { .. }) if ids.len() > 1 => {
                    waiting.push(ids.split_off(ids.len() / 2));
                    waiting.push(ids);
                }
                // What fails once may fail again, so the others do not wait for it.
                Err(error) => result = Err(error),
                Ok(()) => {}
            }
        }
        result
    }

    /// Works on the traces that batches hold, each on the clock of its root; their messages count from now on.
    /// Blocking.
    ///
    /// # Errors
    /// A batch is not of the storage schema.
    pub(crate) fn with_aligned<T>(
        &self,
        batches: &[RecordBatch],
        work: impl FnOnce(&[MergedTrace<'_>]) -> T,
    ) -> Result<T> {
        with_each_trace(batches, |ordered| {
            ordered.iter().for_each(|trace| self.observe(trace));
            let traces: Vec<_> = self.clocks.read().solve(|solver| {
                ordered.into_iter().flat_map(|trace| trace.into_aligned(solver)).collect()
            });
            Ok(work(&traces))
        })
    }

    fn find(&self, traces: &[MergedTrace<'_>], just_came: bool) {
        let mut finder = self.finder.lock();
        for trace in traces {
            let Some(id) = trace.trace_id() else { continue };
            let found = finder.look_at(trace, just_came);
            self.findings.write().put(id.0, found);
        }
    }

    fn judge_window(&self) {
        let (found, is_over) = self.finder.lock().look_at_window();
        self.findings.write().set_window(found, is_over);
    }

    fn is_any_quiet(&self) -> bool {
        self.pending.lock().values().any(Waiting::is_quiet)
    }

    /// Takes out traces that are quiet, the longest first.
    fn quiet(&self) -> Vec<[u8; 16]> {
        let mut pending = self.pending.lock();
        let quiet = pending.iter().filter(|(_, waiting)| waiting.is_quiet());
        let mut quiet: Vec<(Instant, [u8; 16])> = quiet.map(|(id, at)| (at.last, *id)).collect();
        quiet.sort_unstable();
        quiet.truncate(TRACES_AT_ONCE);
        let ids: Vec<_> = quiet.into_iter().map(|(_, id)| id).collect();
        for id in &ids {
            pending.remove(id);
        }
        ids
    }

    /// Has the traces of a time looked at again.
    ///
    /// # Errors
    /// That is under way already.
    pub(crate) fn look_back(&self, times: Times) -> Result<Progress> {
        let mut back = self.back.lock();
        if back.is_some_and(|back| back.next.is_some()) {
            return Err(QueryError::Busy { limit: "analyses_running_max" });
        }
        *back = Some(Back { times, next: Some(0), traces: 0 });
        drop(back);
        Ok(self.progress())
    }

    /// The same, without a pause, and to its end.
    ///
    /// # Errors
    /// As [`look_back`](Self::look_back), or a trace cannot be read.
    pub(crate) async fn analyze(
        self: Arc<Self>,
        query: &Query,
        times: Times,
        mut progress: impl FnMut(f64, u64),
    ) -> Result<u64> {
        self.look_back(times)?;
        while self.progress().is_running {
            self.round(query).await?;
            let Progress { done, traces, .. } = self.progress();
            progress(done, traces);
        }
        // Not the clocks: what came before these times may not have been looked at.
        self.blocking(|watch| {
            watch.write_findings();
        })
        .await;
        Ok(self.progress().traces)
    }

    /// How far that is.
    pub(crate) fn progress(&self) -> Progress {
        let Some(back) = *self.back.lock() else { return Progress::default() };
        Progress {
            is_running: back.next.is_some(),
            traces: back.traces,
            done: back.next.map_or(1.0, |next| next as f64 / u128::MAX as f64),
        }
    }

    /// The next traces of history, by id. Blocking.
    fn take_back(&self, reader: &Reader) -> Result<Vec<[u8; 16]>> {
        let Some(Back { times, next: Some(first), .. }) = *self.back.lock() else {
            return Ok(Vec::new());
        };
        let share = Share { first, last: u128::MAX };
        let is_near = |(low, high): Times| low <= times.1 && times.0 <= high;
        let files = reader.snapshot.files.iter();
        let files = files.filter(|file| file.start_time_range.is_none_or(is_near));
        let mut cursors = reader.cursors(files, false, share)?;
        cursors.extend(reader.recent_cursors(share)?);
        let mut ids = Vec::new();
        merge(cursors, Some(times), &mut |trace: Merged| {
            if trace.within != Within::No {
                ids.push(trace.trace_id);
            }
            Ok(ids.len() < ROUND_TRACES_MAX)
        })?;
        if let Some(back) = &mut *self.back.lock() {
            let last = ids.last().filter(|_| ids.len() == ROUND_TRACES_MAX);
            back.next = last.and_then(|id| u128::from_be_bytes(*id).checked_add(1));
            back.traces += ids.len() as u64;
        }
        Ok(ids)
    }

    /// Groups of findings and what was decided about them.
    pub(crate) fn groups(&self, filter: &GroupFilter) -> GroupsAnswer {
        findings::groups(self.findings.read().iter(), filter, &self.states.read())
    }

    /// One of them.
    ///
    /// # Errors
    /// There is none with this key.
    pub(crate) fn group(&self, key: &str) -> Result<WholeGroup> {
        findings::group(self.findings.read().iter(), key, &self.states.read())
    }

    /// Decides about a group. Durable when it returns. Blocking.
    ///
    /// # Errors
    /// There is none with this key, or the decision cannot be kept.
    pub(crate) fn decide(&self, key: &str, wish: Wish) -> Result<WholeGroup> {
        let found_in = self.group(key)?.into_versions();
        self.states.write().decide(key, wish, found_in, input::now())?;
        self.group(key)
    }

    /// Takes the messages of traces into account, unless they were before.
    pub(crate) fn observe(&self, traces: &TraceOrder<'_>) {
        // Two at a time may both find them new; what counts twice moves no bound.
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
