//! The store of one process: opens everything in order, appends, gives snapshots, closes.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arrow::array::RecordBatch;
use bytes::Bytes;
use causeway_model::identity::{self, ContentHasher};
use causeway_model::{SpanColumns, SpanRows, otlp};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use prometheus_client::registry::Registry;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::StoreError;
use crate::disk::{Disk, RealDisk};
use crate::file_index::FileIndex;
use crate::flush::{self, blocking};
use crate::log::{self, Log, LogSettings, LogState, NewRecord, Record, Replay};
use crate::maintenance::{self, Maintenance};
use crate::metrics::{StoreCollector, StoreMetrics};
use crate::recent::{Recent, Snapshot};
use crate::settings::StoreSettings;
use crate::span_window::SpanWindow;
use crate::table::{DataFile, SpansTable, TableFolder};

/// One OTLP request, decoded, ready to be logged.
#[derive(Debug)]
pub struct Request {
    /// Unix nanoseconds by the collector's clock.
    pub received_at_unix_nano: i64,
    /// 128-bit digest of the decompressed bytes as the sender sent them.
    pub digest: u128,
    /// The request as OTLP protobuf.
    pub payload: Bytes,
    /// Its accepted spans.
    pub columns: SpanColumns,
}

/// What became of a request; in both cases it is durable and visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// Its spans were added.
    Stored,
    /// The same bytes were acknowledged before; nothing was added.
    Duplicate,
}

/// Handle to the store of one process; clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

/// What the parts of the store share.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) settings: StoreSettings,
    /// Names this data folder in the table's transactions.
    pub(crate) writer: String,
    pub(crate) folder: TableFolder,
    pub(crate) log: Log,
    pub(crate) recent: Arc<Recent>,
    pub(crate) table: Mutex<SpansTable>,
    pub(crate) metrics: StoreMetrics,
    pub(crate) maintenance: Maintenance,
    closing: AtomicBool,
    /// The flusher and maintenance.
    tasks: Mutex<Vec<tokio::task::JoinHandle<()>>>,
}

/// How long a commit that runs at the end may still take.
const COMMIT_GRACE: Duration = Duration::from_secs(1);

/// Spans of the table that are read at start to recognise their copies, and the files they are in. A start stays short.
const WINDOW_SPANS_AT_START_MAX: u64 = 400_000;
const WINDOW_FILES_AT_START_MAX: usize = 256;

impl Store {
    /// Opens or creates the store and brings back what the log holds beyond the table.
    ///
    /// # Errors
    /// The folder is in use, cannot be written, or holds a table or log of another version. Damage
    /// in the log is reported and stepped over.
    pub async fn open(
        settings: StoreSettings,
        registry: &mut Registry,
    ) -> Result<Self, StoreError> {
        Self::open_on(Arc::new(RealDisk), settings, registry).await
    }

    /// As `open`, on a given disk.
    pub(crate) async fn open_on(
        disk: Arc<dyn Disk>,
        settings: StoreSettings,
        registry: &mut Registry,
    ) -> Result<Self, StoreError> {
        let data_dir = &settings.data_dir;
        let folder = TableFolder::new(settings.table_dir(), Arc::clone(&disk));
        fs::create_dir_all(data_dir)
            .and_then(|()| folder.make_below(data_dir))
            .map_err(|e| StoreError::failing("create the data folder", e))?;
        let writer = writer_id(disk.as_ref(), data_dir)?;
        let mut table = SpansTable::open_or_create(folder.clone()).await?;
        let committed = table.committed(&writer).await?;
        let files = table.files()?;

        let window = remember_files(&settings, &files).await;
        let index = FileIndex::new(settings.table_dir(), settings.file_index_bytes_max);
        let recent = Arc::new(Recent::new(index, files, table.attribute_columns()?, window));
        let (log, replay) = open_log(disk, &settings, committed, Arc::clone(&recent)).await?;
        let inner = Arc::new(Inner {
            writer,
            folder,
            log,
            recent,
            table: Mutex::new(table),
            metrics: StoreMetrics::register(registry),
            maintenance: Maintenance::new(&settings),
            closing: AtomicBool::new(false),
            tasks: Mutex::default(),
            settings,
        });
        registry.register_collector(Box::new(StoreCollector(Arc::downgrade(&inner))));
        if inner.settings.maintenance {
            maintenance::clean_up(&inner).await?;
        }
        replay_log(&inner, replay).await?;
        flush::warm_index(&inner);
        let mut tasks = vec![tokio::spawn(flush::run(Arc::clone(&inner)))];
        if inner.settings.maintenance {
            tasks.push(tokio::spawn(maintenance::run(Arc::clone(&inner))));
        }
        *inner.tasks.lock().await = tasks;
        Ok(Self { inner })
    }

    /// Stores a request; resolves when it is durable and visible.
    ///
    /// # Errors
    /// `Busy` and `Failing` may succeed later; nothing of the request was acknowledged.
    pub async fn append(&self, request: Request) -> Result<Appended, StoreError> {
        let inner = &self.inner;
        if inner.is_closing() {
            return Err(StoreError::Closed);
        }
        inner.check_recent_bytes()?;
        let started = Instant::now();
        let appended = inner
            .log
            .append(NewRecord {
                received_at_unix_ns: request.received_at_unix_nano,
                digest: request.digest,
                payload: request.payload,
                decoded: Some(Arc::new(request.columns)),
            })
            .await?;
        inner.metrics.append_seconds.observe(started.elapsed().as_secs_f64());
        Ok(match appended {
            log::Appended::Stored { .. } => Appended::Stored,
            log::Appended::Duplicate => Appended::Duplicate,
        })
    }

    /// Tells `listener` of every batch of spans, once, before it is visible; only the first listener
    /// that comes. It is called on the threads that flush and answer, so it must be quick.
    pub fn on_sealed(&self, listener: impl Fn(&RecordBatch) + Send + Sync + 'static) {
        self.inner.recent.on_sealed(Box::new(listener));
    }

    /// Everything visible now. Cheap unless requests came since the last call.
    ///
    /// # Errors
    /// Recent spans do not fit an Arrow batch, which the limits rule out.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let recent = Arc::clone(&self.inner.recent);
        blocking(move || recent.snapshot().map_err(|e| StoreError::failing("seal spans", e))).await
    }

    /// Whether requests can be acknowledged; else why not.
    ///
    /// # Errors
    /// The reason, for a person.
    pub fn readiness(&self) -> Result<(), String> {
        self.inner.readiness()
    }

    /// How many copies of spans were left out since the start.
    pub fn span_copies(&self) -> u64 {
        self.inner.recent.counters.copies.get()
    }

    /// Writes all recent spans to the table.
    ///
    /// # Errors
    /// The table cannot be written; the spans stay in the log and in memory.
    pub async fn flush(&self) -> Result<(), StoreError> {
        flush::flush(&self.inner).await
    }

    /// Merges, drops and deletes whatever is due now, without waiting for the background.
    ///
    /// # Errors
    /// A file or the table cannot be read or written; everything stays visible.
    pub async fn maintain(&self) -> Result<(), StoreError> {
        while maintenance::round(&self.inner).await? {}
        Ok(())
    }

    /// Takes no more requests, flushes within `deadline` and closes the log. What is not flushed
    /// stays in the log and comes back with the next start.
    ///
    /// # Errors
    /// The log could not be closed.
    pub async fn close(&self, deadline: Duration) -> Result<(), StoreError> {
        self.inner.closing.store(true, Ordering::Release);
        let mut tasks = std::mem::take(&mut *self.inner.tasks.lock().await);
        let flushed = tokio::time::timeout(deadline, async {
            while let Some(task) = tasks.last_mut() {
                let _ = task.await;
                tasks.pop();
            }
            self.flush().await
        })
        .await;
        self.end(tasks).await;
        match flushed {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "last flush failed; the spans are in the log"),
            Err(_) => {
                tracing::warn!(?deadline, "last flush took too long; the spans are in the log")
            }
        }
        let inner = Arc::clone(&self.inner);
        blocking(move || {
            inner.log.close();
            Ok(())
        })
        .await
    }

    /// Ends tasks that did not end in time, outside of a commit if that is possible: a commit that
    /// lands later could name a file that the next start took for a leftover.
    async fn end(&self, tasks: Vec<tokio::task::JoinHandle<()>>) {
        let table = tokio::time::timeout(COMMIT_GRACE, self.inner.table.lock()).await;
        if table.is_ok() {
            tasks.iter().for_each(tokio::task::JoinHandle::abort);
            for task in tasks {
                let _ = task.await;
            }
        }
    }
}

impl Inner {
    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    fn check_recent_bytes(&self) -> Result<(), StoreError> {
        let value = self.settings.recent_bytes_max;
        match self.recent.bytes() + self.log.queued_bytes() as u64 > value {
            true => Err(StoreError::Busy { limit: "recent_bytes_max", value }),
            false => Ok(()),
        }
    }

    pub(crate) fn readiness(&self) -> Result<(), String> {
        if self.is_closing() {
            return Err("shutting down".to_owned());
        }
        if let LogState::Failing { reason, .. } = self.log.state() {
            return Err(format!("the log cannot be written: {reason}"));
        }
        self.check_recent_bytes().map_err(|error| error.to_string())
    }
}

/// The name of this data folder as a writer, made once.
fn writer_id(disk: &dyn Disk, data_dir: &Path) -> Result<String, StoreError> {
    let failed = |error| StoreError::failing("read or make the writer id", error);
    let path = data_dir.join("writer-id");
    match fs::read_to_string(&path) {
        Ok(id) if !id.trim().is_empty() => return Ok(id.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let id = uuid::Uuid::new_v4().simple().to_string();
    let new = data_dir.join("writer-id.new");
    // What an interrupted start left.
    let _ = disk.remove(&new);
    let write = || {
        let mut file = disk.create(&new)?;
        file.write_all(id.as_bytes())?;
        file.sync()?;
        disk.rename(&new, &path)?;
        disk.sync_dir(data_dir)
    };
    write().map_err(failed)?;
    Ok(id)
}

async fn open_log(
    disk: Arc<dyn Disk>,
    settings: &StoreSettings,
    committed: u64,
    recent: Arc<Recent>,
) -> Result<(Log, Replay), StoreError> {
    let log_settings = LogSettings {
        digest_window: settings.request_dedup_window,
        digests_max: settings.request_dedup_max,
        ..LogSettings::new(settings.log_dir(), Arc::clone(&settings.clock))
    };
    let publish = Box::new(move |records: Vec<Record>| {
        for record in records {
            publish(&recent, record);
        }
    });
    let (log, replay) =
        blocking(move || Ok(Log::open_on(disk, log_settings, committed + 1, publish)?)).await?;
    log.release(committed);
    for damage in &replay.report().damaged {
        tracing::error!(?damage, "a record of the log is damaged and was left out");
    }
    if let Some(torn) = &replay.report().torn {
        tracing::info!(?torn, "the end of an interrupted write was cut off");
    }
    Ok((log, replay))
}

/// Makes a durable record visible. What was logged was decoded before, so decoding succeeds.
fn publish(recent: &Recent, record: Record) {
    let columns = match record.decoded {
        Some(columns) => columns,
        None => match otlp::decode(&record.payload, record.received_at_unix_ns) {
            Ok((columns, _)) => Arc::new(columns),
            Err(error) => {
                tracing::error!(sequence = record.sequence, %error, "a logged request cannot be decoded");
                return;
            }
        },
    };
    recent.publish(columns, record.sequence);
}

/// Brings back what the table does not hold, flushing on the way so that memory stays bounded.
async fn replay_log(inner: &Arc<Inner>, replay: Replay) -> Result<(), StoreError> {
    let mut replay = Some(replay);
    let mut requests = 0u64;
    while let Some(mut source) = replay.take() {
        let worker = Arc::clone(inner);
        let (rest, count) = blocking(move || {
            let mut count = 0u64;
            while worker.recent.bytes() < worker.settings.flush_bytes {
                let Some(record) = source.next() else {
                    return Ok((None, count));
                };
                publish(&worker.recent, record?);
                count += 1;
            }
            Ok((Some(source), count))
        })
        .await?;
        requests += count;
        if rest.is_some() {
            flush::flush(inner).await?;
        }
        replay = rest;
    }
    if requests > 0 {
        tracing::info!(requests, "brought back from the log");
    }
    Ok(())
}

/// Remembers the newest spans of the table, so that copies of them are recognised after a restart.
async fn remember_files(settings: &StoreSettings, files: &[Arc<DataFile>]) -> SpanWindow {
    let mut window = SpanWindow::new(settings.span_dedup_max);
    let since_ms = ((settings.clock)() / 1_000_000)
        - i64::try_from(settings.request_dedup_window.as_millis()).unwrap_or(i64::MAX);
    let mut newest: Vec<Arc<DataFile>> =
        files.iter().filter(|file| file.modified_ms >= since_ms).cloned().collect();
    newest.sort_by_key(|file| std::cmp::Reverse(file.modified_ms));
    newest.truncate(WINDOW_FILES_AT_START_MAX);
    let mut budget = WINDOW_SPANS_AT_START_MAX;
    newest.retain(|file| {
        let fits = file.rows <= budget;
        budget = budget.saturating_sub(file.rows);
        fits
    });
    let dir = settings.table_dir();
    let filled = blocking(move || {
        for file in newest.iter().rev() {
            if let Err(error) =
                read_file(&dir.join(&file.path), &mut |batch| remember(batch, &mut window))
            {
                tracing::warn!(file = file.path, %error, "cannot be read to recognise copies");
            }
        }
        Ok(window)
    });
    filled.await.unwrap_or_else(|_| SpanWindow::new(settings.span_dedup_max))
}

fn remember(batch: &RecordBatch, window: &mut SpanWindow) {
    let Ok(rows) = SpanRows::new(batch) else {
        return;
    };
    let hasher = ContentHasher::new(rows.clone());
    for row in 0..rows.len {
        window.admit(identity::span_key(&rows, row), hasher.hash(row));
    }
}

/// Reads a whole file of the table, batch by batch.
pub(crate) fn read_file(
    path: &Path,
    visit: &mut dyn FnMut(&RecordBatch),
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path)?)?.build()?;
    for batch in reader {
        visit(&batch?);
    }
    Ok(())
}
