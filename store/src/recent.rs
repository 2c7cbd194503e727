//! What is visible: recent spans in memory and the files of the table, swapped together.
//!
//! Durable requests are published as they are (`pending`), cheaply, on the log's thread. They are
//! sealed into Arrow batches when someone looks or when enough have come: many requests become one
//! batch, and copies of spans that came before are left out. A flush replaces the oldest batches
//! by their file in one step under the lock.
//!
//! Invariants: `pending` and `chunks` are in sequence order, chunks before pending; every published
//! span is in exactly one of chunks, pending and files, but for copies.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Array, BooleanArray, Int32Array, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::error::ArrowError;
use causeway_model::identity::{self, ContentHasher};
use causeway_model::{SpanColumns, SpanRows, batch, columns};
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
    /// Spans that are in no file yet, as batches of `causeway_model::columns::schema`.
    pub recent: Vec<RecordBatch>,
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

/// See the module.
#[derive(Debug)]
pub(crate) struct Recent {
    table_root: PathBuf,
    pub(crate) index: Arc<FileIndex>,
    visible: Mutex<Visible>,
    /// Also serialises sealing, so that batches keep the order of requests.
    window: Mutex<SpanWindow>,
    pub(crate) counters: CopyCounters,
}

/// A decoded request takes about this many bytes for each byte on the wire (measured with the
/// benchmark's traffic: columns 1.3, allocation slack included).
const DECODED_BYTES_PER_WIRE_BYTE: u64 = 2;

impl Recent {
    pub(crate) fn new(index: FileIndex, files: Vec<Arc<DataFile>>, window: SpanWindow) -> Self {
        Self {
            table_root: index.table_root().to_owned(),
            index: Arc::new(index),
            visible: Mutex::new(Visible { files: Arc::new(files), ..Visible::default() }),
            window: Mutex::new(window),
            counters: CopyCounters::default(),
        }
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

    /// Shows the table's new list of files, after maintenance changed it. Call it under the
    /// table's lock: the newest list must come last.
    pub(crate) fn replace_files(&self, files: Vec<Arc<DataFile>>) {
        self.index.retain(files.iter().map(Arc::as_ref));
        self.visible.lock().files = Arc::new(files);
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
        let mut window = self.window.lock();
        let pending = self.visible.lock().pending.clone();
        let (Some(first), Some(last)) = (pending.first(), pending.last()) else {
            return Ok(());
        };
        let (first_sequence, last_sequence) = (first.sequence, last.sequence);
        let parts: Vec<_> = pending.iter().map(|p| Arc::clone(&p.columns)).collect();
        let batch = self.without_copies(batch::seal(&parts)?, &mut window)?;
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
        window: &mut SpanWindow,
    ) -> Result<RecordBatch, ArrowError> {
        let rows = SpanRows::new(&batch).map_err(|e| ArrowError::SchemaError(e.to_string()))?;
        let hasher = ContentHasher::new(rows);
        let verdicts: Vec<Verdict> = (0..rows.len)
            .map(|row| window.admit(identity::span_key(&rows, row), hasher.hash(row)))
            .collect();
        let count = |wanted| verdicts.iter().filter(|verdict| **verdict == wanted).count() as u64;
        let (copies, conflicts) = (count(Verdict::Copy), count(Verdict::Conflict));
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
        // What was published since sealing is not part of this snapshot.
        Ok(Snapshot {
            table_root: self.table_root.clone(),
            files: Arc::clone(&visible.files),
            index: Arc::clone(&self.index),
            recent: visible.chunks.iter().map(|chunk| chunk.batch.clone()).collect(),
        })
    }

    /// The sealed batches, oldest first.
    pub(crate) fn chunks(&self) -> Vec<Chunk> {
        self.visible.lock().chunks.clone()
    }

    /// Replaces the oldest `chunks` by the table's new list of files, in one step.
    pub(crate) fn flushed(&self, chunks: usize, files: Vec<Arc<DataFile>>) {
        self.index.retain(files.iter().map(Arc::as_ref));
        let mut visible = self.visible.lock();
        let flushed_bytes: u64 = visible.chunks.drain(..chunks).map(|chunk| chunk.bytes).sum();
        visible.chunk_bytes = visible.chunk_bytes.saturating_sub(flushed_bytes);
        visible.files = Arc::new(files);
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
