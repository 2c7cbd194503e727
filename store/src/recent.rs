//! What is visible: recent spans in memory and the files of the table, swapped together.
//!
//! Durable requests are published as they are (`pending`), cheaply, on the log's thread. They are
//! sealed into Arrow batches when someone looks or when enough have come: many requests become one
//! batch, and copies of spans that came before are left out. A flush replaces the oldest batches
//! by their file in one step under the lock.
//!
//! Invariants: `pending` and `chunks` are in sequence order, chunks before pending; every published
//! span is in exactly one of chunks, pending and files, but for copies.

use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, BooleanArray, Int32Array, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::error::ArrowError;
use causeway_model::batch::{AttributeColumns, AttributeUse, PartHasher};
use causeway_model::{SpanColumns, batch, columns};
use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;

use crate::StoreError;
use crate::file_index::FileIndex;
use crate::span_window::{SpanWindow, Verdict};
use crate::store::read_file;
use crate::table::DataFile;

/// Everything that is visible at one moment: no span twice, none missing.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Folder of the table; paths of files are relative to it.
    pub table_root: PathBuf,
    /// The live files of the table.
    pub files: Arc<Vec<Arc<DataFile>>>,
    /// Tells which of them may hold a trace.
    pub index: Arc<FileIndex>,
    /// Spans that are in no file yet, as batches of `causeway_model::columns::schema`, each with
    /// some of `attribute_columns` at its end.
    pub recent: Vec<RecordBatch>,
    /// The attributes that have a column in some file or batch.
    pub attribute_columns: Arc<AttributeColumns>,
    /// Where queries tell which attributes they filter on.
    pub filtered_keys: Arc<FilteredKeys>,
}

impl Snapshot {
    /// Reads everything, file by file and then what is recent. Blocking.
    ///
    /// # Errors
    /// A file of the table cannot be read.
    pub fn read(&self, visit: &mut dyn FnMut(&RecordBatch)) -> Result<(), StoreError> {
        for file in self.files.iter() {
            read_file(&file.full_path(&self.table_root), visit)
                .map_err(|error| StoreError::failing(&format!("read {}", file.path), error))?;
        }
        self.recent.iter().for_each(visit);
        Ok(())
    }
}

/// Keys of attributes that queries filtered on: these get columns sooner than others.
#[derive(Debug, Default)]
pub struct FilteredKeys(Mutex<HashSet<String>>);

/// Most of them; when there are more, they are forgotten and learnt anew.
const FILTERED_KEYS_MAX: usize = 64;

impl FilteredKeys {
    /// Remembers a key.
    pub fn add(&self, key: &str) {
        let mut keys = self.0.lock();
        if keys.contains(key) {
            return;
        }
        if keys.len() >= FILTERED_KEYS_MAX {
            keys.clear();
        }
        keys.insert(key.to_owned());
    }
}

/// A sealed batch of recent spans.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    pub(crate) batch: RecordBatch,
    pub(crate) first_sequence: u64,
    pub(crate) last_sequence: u64,
    bytes: u64,
}

#[derive(Debug, Clone)]
struct Pending {
    columns: Arc<SpanColumns>,
    sequence: u64,
}

#[derive(Debug, Default)]
struct Visible {
    files: Arc<Vec<Arc<DataFile>>>,
    /// Those of the table.
    attribute_columns: Arc<AttributeColumns>,
    chunks: Vec<Chunk>,
    pending: Vec<Pending>,
    pending_bytes: u64,
    chunk_bytes: u64,
    /// When the oldest span that is not in a file was published.
    oldest: Option<tokio::time::Instant>,
}

/// Sizes of what is in memory.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RecentSizes {
    pub(crate) bytes: u64,
    pub(crate) spans: u64,
    pub(crate) files: u64,
    pub(crate) file_bytes: u64,
    pub(crate) file_spans: u64,
    /// Files by how often their spans were merged.
    pub(crate) level_files: [u64; 3],
    pub(crate) oldest: Option<tokio::time::Instant>,
}

/// Counts of spans that came more than once.
#[derive(Debug, Clone, Default)]
pub(crate) struct CopyCounters {
    pub(crate) copies: Counter,
    pub(crate) conflicts: Counter,
}

/// Is told of every batch of spans once, before it is visible.
type Listener = Box<dyn Fn(&RecordBatch) + Send + Sync>;

/// Who is told of sealed batches.
#[derive(Default)]
struct SealedListener(OnceLock<Listener>);

impl fmt::Debug for SealedListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedListener({})", self.0.get().is_some())
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Recent {
    table_root: PathBuf,
    pub(crate) index: Arc<FileIndex>,
    visible: Mutex<Visible>,
    /// Also serialises sealing, so that batches keep the order of requests.
    sealer: Mutex<Sealer>,
    filtered_keys: Arc<FilteredKeys>,
    listener: SealedListener,
    pub(crate) counters: CopyCounters,
}

/// What sealing needs to remember.
#[derive(Debug)]
struct Sealer {
    window: SpanWindow,
    attribute_use: AttributeUse,
    /// The columns of all batches that the next flush takes, once there is one.
    attribute_columns: Option<AttributeColumns>,
}

/// A decoded request takes about this many bytes for each byte on the wire (measured with the
/// benchmark's traffic: columns 1.3, allocation slack included).
const DECODED_BYTES_PER_WIRE_BYTE: u64 = 2;

impl Recent {
    pub(crate) fn new(
        index: FileIndex,
        files: Vec<Arc<DataFile>>,
        attribute_columns: AttributeColumns,
        window: SpanWindow,
    ) -> Self {
        Self {
            table_root: index.table_root().to_owned(),
            index: Arc::new(index),
            visible: Mutex::new(Visible {
                files: Arc::new(files),
                attribute_columns: Arc::new(attribute_columns),
                ..Visible::default()
            }),
            sealer: Mutex::new(Sealer {
                window,
                attribute_use: AttributeUse::default(),
                attribute_columns: None,
            }),
            filtered_keys: Arc::default(),
            listener: SealedListener::default(),
            counters: CopyCounters::default(),
        }
    }

    /// Tells `listener` of every batch that is sealed from now on; only the first one that comes.
    pub(crate) fn on_sealed(&self, listener: Listener) {
        let _ = self.listener.0.set(listener);
    }

    /// Makes a durable request visible.
    pub(crate) fn publish(&self, columns: Arc<SpanColumns>, sequence: u64) {
        let mut visible = self.visible.lock();
        visible.pending_bytes += columns.request_bytes() as u64 * DECODED_BYTES_PER_WIRE_BYTE;
        visible.oldest.get_or_insert_with(tokio::time::Instant::now);
        visible.pending.push(Pending { columns, sequence });
    }

    pub(crate) fn sizes(&self) -> RecentSizes {
        let visible = self.visible.lock();
        let chunk_spans: usize = visible.chunks.iter().map(|c| c.batch.num_rows()).sum();
        let pending_spans: usize = visible.pending.iter().map(|p| p.columns.len()).sum();
        let mut level_files = [0; 3];
        for file in visible.files.iter() {
            if let Some(count) = level_files.get_mut(usize::from(file.level().min(2))) {
                *count += 1;
            }
        }
        RecentSizes {
            bytes: visible.pending_bytes + visible.chunk_bytes,
            spans: (chunk_spans + pending_spans) as u64,
            files: visible.files.len() as u64,
            file_bytes: visible.files.iter().map(|file| file.bytes).sum(),
            file_spans: visible.files.iter().map(|file| file.rows).sum(),
            level_files,
            oldest: visible.oldest,
        }
    }

    /// The files of the table that are visible now.
    pub(crate) fn files(&self) -> Arc<Vec<Arc<DataFile>>> {
        Arc::clone(&self.visible.lock().files)
    }

    /// Bytes of recent spans in memory.
    pub(crate) fn bytes(&self) -> u64 {
        let visible = self.visible.lock();
        visible.pending_bytes + visible.chunk_bytes
    }

    /// Bytes that wait to be sealed.
    pub(crate) fn pending_bytes(&self) -> u64 {
        self.visible.lock().pending_bytes
    }

    /// Seals what is pending into one batch. CPU work: call it from a blocking thread.
    pub(crate) fn seal(&self) -> Result<(), ArrowError> {
        self.seal_with(&mut self.sealer.lock())
    }

    /// Seals what is pending; gives all sealed batches, oldest first, which are those of the next
    /// flush. What comes after them may get other attribute columns.
    pub(crate) fn seal_for_flush(&self) -> Result<Vec<Chunk>, ArrowError> {
        let mut sealer = self.sealer.lock();
        self.seal_with(&mut sealer)?;
        sealer.attribute_columns = None;
        sealer.attribute_use.fade();
        Ok(self.visible.lock().chunks.clone())
    }

    fn seal_with(&self, sealer: &mut Sealer) -> Result<(), ArrowError> {
        let (pending, known) = {
            let visible = self.visible.lock();
            (visible.pending.clone(), Arc::clone(&visible.attribute_columns))
        };
        let (Some(first), Some(last)) = (pending.first(), pending.last()) else {
            return Ok(());
        };
        let (first_sequence, last_sequence) = (first.sequence, last.sequence);
        let parts: Vec<_> = pending.iter().map(|p| Arc::clone(&p.columns)).collect();
        parts.iter().for_each(|part| sealer.attribute_use.add(part));
        let Sealer { window, attribute_use, attribute_columns } = sealer;
        let columns = attribute_columns
            .get_or_insert_with(|| attribute_use.choose(&known, &self.filtered_keys.0.lock()));
        let batch = self.without_copies(batch::seal(&parts, columns)?, &parts, window)?;
        if let Some(listener) = self.listener.0.get() {
            listener(&batch);
        }
        let bytes = batch.get_array_memory_size() as u64;
        let wire_bytes: usize = parts.iter().map(|columns| columns.request_bytes()).sum();

        let mut visible = self.visible.lock();
        visible.pending.drain(..parts.len());
        visible.pending_bytes =
            visible.pending_bytes.saturating_sub(wire_bytes as u64 * DECODED_BYTES_PER_WIRE_BYTE);
        visible.chunk_bytes += bytes;
        visible.chunks.push(Chunk { batch, first_sequence, last_sequence, bytes });
        Ok(())
    }

    fn without_copies(
        &self,
        batch: RecordBatch,
        parts: &[Arc<SpanColumns>],
        window: &mut SpanWindow,
    ) -> Result<RecordBatch, ArrowError> {
        let mut verdicts = Vec::with_capacity(batch.num_rows());
        let (mut copies, mut conflicts) = (0, 0);
        for part in parts {
            for (key, content) in PartHasher::new(part).hashes() {
                let verdict = window.admit(key, content);
                copies += u64::from(verdict == Verdict::Copy);
                conflicts += u64::from(verdict == Verdict::Conflict);
                verdicts.push(verdict);
            }
        }
        self.counters.copies.inc_by(copies);
        self.counters.conflicts.inc_by(conflicts);
        let batch = if conflicts == 0 { batch } else { flag_conflicts(&batch, &verdicts)? };
        if copies == 0 {
            return Ok(batch);
        }
        let keep: BooleanArray =
            verdicts.iter().map(|verdict| Some(*verdict != Verdict::Copy)).collect();
        filter_record_batch(&batch, &keep)
    }

    /// What is visible now, sealed.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, ArrowError> {
        self.seal()?;
        let visible = self.visible.lock();
        let mut attribute_columns = Arc::clone(&visible.attribute_columns);
        for chunk in &visible.chunks {
            let own = AttributeColumns::of_schema(chunk.batch.schema_ref());
            if own.iter().any(|column| attribute_columns.get(&column.key).is_none()) {
                Arc::make_mut(&mut attribute_columns).extend(&own);
            }
        }
        // What was published since sealing is not part of this snapshot.
        Ok(Snapshot {
            attribute_columns,
            filtered_keys: Arc::clone(&self.filtered_keys),
            table_root: self.table_root.clone(),
            files: Arc::clone(&visible.files),
            index: Arc::clone(&self.index),
            recent: visible.chunks.iter().map(|chunk| chunk.batch.clone()).collect(),
        })
    }

    /// Shows the table's new list of files, in one step with taking out the batches that are in them:
    /// those through the sequence `committed`. Call it under the table's lock: the newest list must
    /// come last.
    pub(crate) fn show_files(
        &self,
        files: Vec<Arc<DataFile>>,
        attribute_columns: AttributeColumns,
        committed: u64,
    ) {
        self.index.retain(files.iter().map(Arc::as_ref));
        let mut visible = self.visible.lock();
        visible.files = Arc::new(files);
        visible.attribute_columns = Arc::new(attribute_columns);
        let chunks = visible.chunks.partition_point(|chunk| chunk.last_sequence <= committed);
        if chunks == 0 {
            return;
        }
        let flushed_bytes: u64 = visible.chunks.drain(..chunks).map(|chunk| chunk.bytes).sum();
        visible.chunk_bytes = visible.chunk_bytes.saturating_sub(flushed_bytes);
        let is_empty = visible.chunks.is_empty() && visible.pending.is_empty();
        visible.oldest = (!is_empty).then(tokio::time::Instant::now);
    }
}

fn flag_conflicts(batch: &RecordBatch, verdicts: &[Verdict]) -> Result<RecordBatch, ArrowError> {
    let index = batch.schema().index_of(columns::name::CLOCK_FLAGS)?;
    let flags = arrow::array::AsArray::as_primitive::<arrow::datatypes::Int32Type>(
        batch.column(index).as_ref(),
    );
    let flagged = flags.values().iter().zip(verdicts).map(|(flags, verdict)| match verdict {
        Verdict::Conflict => flags | columns::FLAG_DUP,
        _ => *flags,
    });
    let mut arrays = batch.columns().to_vec();
    if let Some(slot) = arrays.get_mut(index) {
        *slot = Arc::new(Int32Array::from_iter_values(flagged));
    }
    debug_assert_eq!(flags.null_count(), 0, "flags are never null");
    RecordBatch::try_new(batch.schema(), arrays)
}
