//! The handle through which everything is read.
//!
//! A query first gets a place (few run at a time), then a snapshot, then a plan, then rows. Place,
//! time limit and snapshot belong to the stream of rows and end with it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use causeway_model::{SpanId, TraceId};
use causeway_store::{Snapshot, Store, StoreError};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execute_stream;
use futures::future::BoxFuture;
use futures::{Stream, StreamExt, TryStreamExt};
use prometheus_client::registry::Registry;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, timeout_at};

use crate::catalog::{Catalog, Session};
use crate::error::{QueryError, Result};
use crate::metrics::{FindingMetrics, Metrics, Running};
use crate::order::{TraceOrder, with_traces};
use crate::params::Params;
use crate::read::{Budget, Ids, Reader, Wanted};
use crate::settings::QuerySettings;
use crate::watch::TraceWatch;
use crate::{http, input, trace};

/// Tails at one time (`tails_max`).
const TAILS_MAX: usize = 32;

/// Gives what is visible now.
pub type SnapshotSource =
    Arc<dyn Fn() -> BoxFuture<'static, std::result::Result<Snapshot, StoreError>> + Send + Sync>;

/// Reads spans. Clones are cheap and share limits and caches.
#[derive(Clone)]
pub struct Query {
    inner: Arc<Inner>,
}

struct Inner {
    source: SnapshotSource,
    catalog: Catalog,
    settings: QuerySettings,
    places: Arc<Semaphore>,
    metrics: Metrics,
    watch: Arc<TraceWatch>,
    tails: Arc<Semaphore>,
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query").field("settings", &self.inner.settings).finish_non_exhaustive()
    }
}

impl Query {
    /// Reads what `store` holds.
    ///
    /// # Errors
    /// The settings cannot be used.
    pub fn new(store: Store, settings: QuerySettings, registry: &mut Registry) -> Result<Self> {
        let watched = store.clone();
        let source: SnapshotSource = Arc::new(move || {
            let store = store.clone();
            Box::pin(async move { store.snapshot().await })
        });
        let query = Self::over(source, settings, registry)?;
        let watch = Arc::clone(&query.inner.watch);
        watched.on_sealed(move |batch| watch.received(batch));
        Ok(query)
    }

    /// Reads whatever snapshots `source` gives.
    ///
    /// # Errors
    /// The settings cannot be used.
    pub fn over(
        source: SnapshotSource,
        settings: QuerySettings,
        registry: &mut Registry,
    ) -> Result<Self> {
        let watch = Arc::new(TraceWatch::open(settings.learnt_dir.as_deref()));
        let catalog = Catalog::new(&settings, Arc::clone(&watch))?;
        let places = Arc::new(Semaphore::new(settings.queries_running_max));
        let metrics = Metrics::new(registry);
        registry.register_collector(Box::new(FindingMetrics(Arc::downgrade(&watch))));
        let tails = Arc::new(Semaphore::new(TAILS_MAX));
        let inner = Inner { source, catalog, settings, places, metrics, watch, tails };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Looks at traces as they come, at their clocks and for findings, until `stopped`; to be run beside the API.
    pub async fn watch_traces(self, stopped: impl Future<Output = ()> + Send) {
        let watch = Arc::clone(&self.inner.watch);
        watch.run(self, stopped).await;
    }

    /// Looks for findings in all traces since a time (such as `7d`, how long ago) once more, and writes them down.
    /// `progress` is told the share of all traces that was passed, and their number. Gives that number.
    ///
    /// # Errors
    /// `since` is not a time, or a trace cannot be read.
    pub async fn analyze(&self, since: &str, progress: impl FnMut(f64, u64)) -> Result<u64> {
        let times = (input::since(since)?.max(1), input::now());
        Arc::clone(&self.inner.watch).analyze(self, times, progress).await
    }

    /// What was learnt from traces as they came.
    pub(crate) fn watch(&self) -> &Arc<TraceWatch> {
        &self.inner.watch
    }

    /// The limits in force.
    pub fn settings(&self) -> &QuerySettings {
        &self.inner.settings
    }

    /// Runs a statement.
    ///
    /// # Errors
    /// The statement is refused or wrong, or a limit is reached.
    pub async fn sql(&self, sql: &str) -> Result<Batches> {
        self.sql_with(sql, None).await
    }

    /// Runs a statement with values for its placeholders.
    ///
    /// # Errors
    /// The statement is refused or wrong, or a limit is reached.
    pub async fn sql_with(&self, sql: &str, params: Option<Params>) -> Result<Batches> {
        let place = self.start("sql").await?;
        let session = self.session(&place)?;
        let plan = async {
            let plan = session.plan_sql(sql, params.map(|params| params.0)).await?;
            Ok((session.physical(&plan).await?, plan))
        };
        let (physical, plan) = self.counted(in_time(&place, plan).await)?;
        let stream = execute_stream(physical, session.task()).map_err(QueryError::from);
        Ok(Batches::new(self, self.counted(stream)?, &plan, place))
    }

    /// All stored spans of a trace in the storage schema, each once.
    ///
    /// # Errors
    /// There is no such trace, or a limit is reached.
    pub async fn trace(&self, id: TraceId) -> Result<Vec<RecordBatch>> {
        let place = self.start("trace").await?;
        let batches = self.read(&place, move |reader, budget| {
            let wanted = Wanted::traces(Ids::new(vec![id.0]), &reader.snapshot);
            trace::deduplicate(known(id, reader.spans(&wanted, budget)?)?)
        });
        batches.await
    }

    /// Works on a trace and its order; its messages count for the offsets of clocks from now on.
    ///
    /// # Errors
    /// There is no such trace, or a limit is reached.
    pub(crate) async fn with_trace<T: Send + 'static>(
        &self,
        id: TraceId,
        work: impl FnOnce(TraceOrder<'_>, &TraceWatch) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let all = |reader: &Reader, ids, budget: &Budget| {
            reader.spans(&Wanted::traces(ids, &reader.snapshot), budget)
        };
        self.with_spans(id, all, work).await
    }

    /// The same of its outline, which is without most attributes.
    ///
    /// # Errors
    /// There is no such trace, or a limit is reached.
    pub(crate) async fn with_outline<T: Send + 'static>(
        &self,
        id: TraceId,
        work: impl FnOnce(TraceOrder<'_>, &TraceWatch) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.with_spans(id, Reader::outlines, work).await
    }

    async fn with_spans<T: Send + 'static>(
        &self,
        id: TraceId,
        spans: impl FnOnce(&Reader, Ids, &Budget) -> Result<Vec<RecordBatch>> + Send + 'static,
        work: impl FnOnce(TraceOrder<'_>, &TraceWatch) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (place, watch) = (self.start("trace").await?, Arc::clone(&self.inner.watch));
        let done = self.read(&place, move |reader, budget| {
            with_traces(&known(id, spans(reader, Ids::new(vec![id.0]), budget)?)?, |ordered| {
                watch.observe(&ordered);
                work(ordered, &watch)
            })
        });
        done.await
    }

    /// The stored spans with one id: several when the sender used it for several.
    pub(crate) async fn span(&self, trace: TraceId, span: SpanId) -> Result<Vec<RecordBatch>> {
        let place = self.start("span").await?;
        let all = Wanted::traces(Ids::new(vec![trace.0]), &place.reader.snapshot);
        let wanted = Wanted { span: Some(span), ..all };
        let batches = self
            .read(&place, move |reader, budget| trace::deduplicate(reader.spans(&wanted, budget)?));
        batches.await
    }

    /// A place among those who are told of traces as they arrive.
    ///
    /// # Errors
    /// All are taken.
    pub(crate) fn start_tail(&self) -> Result<OwnedSemaphorePermit> {
        let tails = Arc::clone(&self.inner.tails).try_acquire_owned();
        self.counted(tails.map_err(|_| QueryError::Busy { limit: "tails_max" }))
    }

    /// Reads the snapshot of a place without a plan, off the async threads.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        place: &Place,
        work: impl FnOnce(&Reader, &Budget) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let reader = place.reader.clone();
        let budget = Budget {
            deadline: place.deadline,
            time: place.time,
            spans_max: self.settings().trace_spans_max,
        };
        let done = tokio::task::spawn_blocking(move || work(&reader, &budget));
        let result = in_time(place, async {
            done.await.map_err(|error| QueryError::Internal(error.to_string()))?
        });
        self.counted(result.await)
    }

    /// The HTTP API, to be nested at `/api/v1`.
    pub fn router(&self) -> axum::Router {
        http::router(self.clone())
    }

    /// Runs a plan made without SQL.
    pub(crate) async fn run(
        &self,
        kind: &'static str,
        build: impl FnOnce(&Session) -> Result<LogicalPlan>,
    ) -> Result<Batches> {
        let place = self.start(kind).await?;
        let session = self.session(&place)?;
        let plan = self.counted(build(&session))?;
        let physical = self.counted(in_time(&place, session.physical(&plan)).await)?;
        let stream = execute_stream(physical, session.task()).map_err(QueryError::from);
        Ok(Batches::new(self, self.counted(stream)?, &plan, place))
    }

    /// All rows of a plan over some of what the snapshot of a place shows.
    pub(crate) async fn collect(
        &self,
        place: &Place,
        extent: Snapshot,
        build: impl FnOnce(&Session) -> Result<LogicalPlan>,
    ) -> Result<Vec<RecordBatch>> {
        let catalog = &self.inner.catalog;
        let session = catalog.session(catalog.reader(extent))?;
        let rows = async {
            let physical = session.physical(&build(&session)?).await?;
            let stream = execute_stream(physical, session.task()).map_err(QueryError::from)?;
            stream.map(|batch| batch.map_err(QueryError::from)).try_collect().await
        };
        self.counted(in_time(place, rows).await)
    }

    fn session(&self, place: &Place) -> Result<Session> {
        self.inner.catalog.session(place.reader.clone())
    }

    /// Waits for a place and takes a snapshot.
    pub(crate) async fn start(&self, kind: &'static str) -> Result<Place> {
        let inner = &self.inner;
        let deadline = Instant::now() + inner.settings.query_time_max;
        let waiting = tokio::time::timeout(
            inner.settings.query_wait_max,
            Arc::clone(&inner.places).acquire_owned(),
        );
        let Ok(Ok(permit)) = waiting.await else {
            return self.counted(Err(QueryError::Busy { limit: "queries_running_max" }));
        };
        let running = inner.metrics.start(kind);
        let time = inner.settings.query_time_max;
        let snapshot = match timeout_at(deadline, (inner.source)()).await {
            Ok(snapshot) => snapshot.map_err(QueryError::from),
            Err(_) => Err(QueryError::time(time)),
        };
        let reader = inner.catalog.reader(self.counted(snapshot)?);
        Ok(Place { reader, deadline, time, _running: running, _permit: permit })
    }

    fn counted<T>(&self, result: Result<T>) -> Result<T> {
        result.inspect_err(|error| self.inner.metrics.failed(error))
    }
}

/// The batches of a trace, if there are any spans.
fn known(id: TraceId, batches: Vec<RecordBatch>) -> Result<Vec<RecordBatch>> {
    match batches.iter().all(|batch| batch.num_rows() == 0) {
        true => Err(QueryError::NotFound(format!("trace {id} is not known"))),
        false => Ok(batches),
    }
}

/// What a query holds while it runs.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) reader: Reader,
    deadline: Instant,
    time: std::time::Duration,
    _running: Running,
    _permit: OwnedSemaphorePermit,
}

async fn in_time<T>(place: &Place, work: impl Future<Output = Result<T>>) -> Result<T> {
    match timeout_at(place.deadline, work).await {
        Ok(result) => result,
        Err(_) => Err(QueryError::time(place.time)),
    }
}

/// The rows of an answer as they come.
pub struct Batches {
    schema: SchemaRef,
    stream: SendableRecordBatchStream,
    timeout: Pin<Box<Sleep>>,
    query: Query,
    place: Place,
}

impl fmt::Debug for Batches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batches").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl Batches {
    fn new(
        query: &Query,
        stream: SendableRecordBatchStream,
        plan: &LogicalPlan,
        place: Place,
    ) -> Self {
        // Types come from what runs, meanings from what was planned.
        let planned = plan.schema();
        let mut fields = Vec::new();
        for (at, field) in stream.schema().fields().iter().enumerate() {
            let metadata = planned.fields().get(at).map(|field| field.metadata().clone());
            fields.push(field.as_ref().clone().with_metadata(metadata.unwrap_or_default()));
        }
        Self {
            schema: Arc::new(arrow::datatypes::Schema::new(fields)),
            stream,
            timeout: Box::pin(tokio::time::sleep_until(place.deadline)),
            query: query.clone(),
            place,
        }
    }

    /// Columns of the answer, with metadata that tells ids and attributes.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// All rows at once.
    ///
    /// # Errors
    /// The first error of the stream.
    pub async fn collect(mut self) -> Result<Vec<RecordBatch>> {
        let mut batches = Vec::new();
        while let Some(batch) = self.next().await {
            batches.push(batch?);
        }
        Ok(batches)
    }
}

impl Stream for Batches {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.timeout.as_mut().poll(cx).is_ready() {
            let error = QueryError::time(self.place.time);
            return Poll::Ready(Some(self.query.counted(Err(error))));
        }
        let Poll::Ready(next) = self.stream.poll_next_unpin(cx) else {
            return Poll::Pending;
        };
        let query = self.query.clone();
        Poll::Ready(next.map(|batch| query.counted(batch.map_err(QueryError::from))))
    }
}
