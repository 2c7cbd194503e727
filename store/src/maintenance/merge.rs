//! Sorted files to one sorted file: a streaming merge in bounded memory that leaves out copies.
//!
//! ```text
//! file --batch--\
//! file --batch---+-- rows up to the least last key -> runs, copies out -> one batch -> writer
//! file --batch--/
//! ```
//!
//! Most traces lie in one input: their rows are taken as runs without looking at them. Rows of a
//! trace that lies in several inputs, or that goes on in the next round, are compared one by one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{AsArray, Int32Array, RecordBatch, RecordBatchReader};
use arrow::compute::interleave_record_batch;
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use arrow::error::ArrowError;
use causeway_model::SpanRows;
use causeway_model::batch::{AttributeColumn, AttributeColumns, COLUMNS_PER_FILE_MAX, relayout};
use causeway_model::columns::{self, FLAG_DUP, name};
use causeway_model::identity::ContentHasher;
use causeway_model::rows::RowsError;
use hashbrown::{HashMap, HashSet};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::pace::{Pace, Stopped};
use super::plan::Merge;
use crate::StoreError;
use crate::table::{DataFile, FinishedFile, MERGED_PREFIX, SortedFileWriter};

/// Rows and encoded bytes of all inputs together that are in memory at once; 65,536 usual spans
/// take 50 MB decoded.
const ROWS_BUFFERED_MAX: u64 = 65_536;
const BYTES_BUFFERED_MAX: u64 = 64 << 20;

/// Least rows of a batch, and the bytes it may take for that: smaller ones cost more than they save.
const BATCH_ROWS_MIN: u64 = 256;
const BATCH_BYTES_MIN: u64 = 1 << 20;

/// What became of a merge.
#[derive(Debug)]
pub(crate) struct Merged {
    pub(crate) file: FinishedFile,
    /// Spans read.
    pub(crate) rows: u64,
    /// Copies left out.
    pub(crate) copies: u64,
    /// Spans flagged because others have their ids.
    pub(crate) conflicts: u64,
    /// Time worked, pauses left out.
    pub(crate) busy: Duration,
}

/// Why there is no merged file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MergeError {
    /// A file of the table cannot be read or is not sorted.
    #[error("cannot merge {path}: {reason}")]
    Input { path: String, reason: String },
    #[error("the store is closing")]
    Stopped,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Stopped> for MergeError {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

/// Writes the merged file, which no commit names yet. Blocking.
pub(crate) fn merge(
    table_dir: &Path,
    plan: &Merge,
    pace: &mut Pace<'_>,
) -> Result<Merged, MergeError> {
    let rows: u64 = plan.inputs.iter().map(|file| file.rows).sum();
    let mut inputs = Vec::with_capacity(plan.inputs.len());
    for file in &plan.inputs {
        inputs.push(Input::open(table_dir, file, rows)?);
    }
    let layouts: Vec<_> = inputs.iter().map(|input| (input.reader.schema(), input.rows)).collect();
    let (columns, schema) = layout(&layouts);
    inputs.iter_mut().for_each(|input| input.columns = columns.clone());
    let mut merger = Merger { inputs, ..Merger::default() };
    let stem = format!("{MERGED_PREFIX}{}-{}", plan.level, uuid::Uuid::new_v4().simple());
    let mut writer = SortedFileWriter::create(table_dir, &plan.day, &stem, rows, &schema)?;
    while let Some(batch) = merger.round()? {
        writer.write(&batch)?;
        pace.rest()?;
    }
    let modified_ms = plan.inputs.iter().map(|file| file.modified_ms).max().unwrap_or(0);
    let file = writer.finish(modified_ms)?;
    let Merger { copies, conflicts, .. } = merger;
    Ok(Merged { file, rows, copies, conflicts, busy: pace.busy() })
}

/// The attribute columns of the merged file: those that most rows have in the inputs.
fn layout(inputs: &[(SchemaRef, u64)]) -> (AttributeColumns, SchemaRef) {
    let mut rows_with: Vec<(AttributeColumn, u64)> = Vec::new();
    for (schema, rows) in inputs {
        for column in AttributeColumns::of_schema(schema).iter() {
            match rows_with.iter_mut().find(|(known, _)| known == column) {
                Some((_, count)) => *count += rows,
                None => rows_with.push((column.clone(), *rows)),
            }
        }
    }
    rows_with.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.key.cmp(&b.0.key)));
    rows_with.truncate(COLUMNS_PER_FILE_MAX);
    rows_with.sort_by(|a, b| a.0.key.cmp(&b.0.key));
    let columns = AttributeColumns::new(rows_with.into_iter().map(|(column, _)| column).collect());
    // Where an input has no such column, values of another type may come from its map.
    let is_mixed = |field: &Field| {
        let own = |schema: &SchemaRef| schema.field_with_name(field.name()).cloned();
        let is_int = *field.data_type() == DataType::Int64;
        is_int
            && inputs.iter().any(|(schema, _)| own(schema).map_or(true, |f| columns::is_mixed(&f)))
    };
    let fields = columns.schema();
    let fields = fields.fields().iter().map(|field| match is_mixed(field) {
        true if AttributeColumn::of_field(field).is_some() => {
            Arc::new(columns::mixed(field.as_ref().clone()))
        }
        _ => Arc::clone(field),
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    (columns, schema)
}

/// What files are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    trace: u128,
    start: i64,
    span: u64,
}

/// A file that is read batch by batch.
#[derive(Debug)]
struct Input {
    path: String,
    reader: ParquetRecordBatchReader,
    rows: u64,
    /// Those of the merged file.
    columns: AttributeColumns,
    batch: RecordBatch,
    keys: Vec<Key>,
    /// First row of the batch that was not taken yet.
    next: usize,
}

impl Input {
    fn open(table_dir: &Path, file: &DataFile, rows_total: u64) -> Result<Self, MergeError> {
        let path = file.path.clone();
        let share = |all: u64| all.saturating_mul(file.rows) / rows_total.max(1);
        let rows_max = share(ROWS_BUFFERED_MAX).max(BATCH_ROWS_MIN);
        let bytes_max = share(BYTES_BUFFERED_MAX).max(BATCH_BYTES_MIN);
        let open = || -> Result<_, Box<dyn std::error::Error>> {
            let file = File::open(table_dir.join(&path))?;
            let builder = ParquetRecordBatchReaderBuilder::try_new(file)?;
            let groups = builder.metadata().row_groups().iter();
            let (bytes, rows) = groups.fold((0, 0), |(bytes, rows), group| {
                (bytes + group.total_byte_size(), rows + group.num_rows())
            });
            let row_bytes = u64::try_from(bytes / rows.max(1))?.max(1);
            let batch_rows = rows_max.min(bytes_max / row_bytes).max(1);
            Ok(builder.with_batch_size(usize::try_from(batch_rows)?).build()?)
        };
        match open() {
            Ok(reader) => {
                let batch = RecordBatch::new_empty(columns::schema());
                let columns = AttributeColumns::default();
                Ok(Self {
                    path,
                    reader,
                    rows: file.rows,
                    columns,
                    batch,
                    keys: Vec::new(),
                    next: 0,
                })
            }
            Err(error) => Err(MergeError::Input { path, reason: error.to_string() }),
        }
    }

    /// Reads on if everything was taken; `false` at the end of the file.
    fn fill(&mut self) -> Result<bool, MergeError> {
        while self.next == self.keys.len() {
            let failed = |reason: String| MergeError::Input { path: self.path.clone(), reason };
            let last = self.keys.last().copied();
            let Some(batch) = self.reader.next() else {
                return Ok(false);
            };
            let batch = batch.map_err(|error| failed(error.to_string()))?;
            let batch =
                relayout(&batch, &self.columns).map_err(|error| failed(error.to_string()))?;
            let keys = keys(&batch).map_err(|error| failed(error.to_string()))?;
            if !keys.is_sorted() || keys.first().is_some_and(|first| Some(*first) < last) {
                return Err(failed("its spans are out of order".to_owned()));
            }
            (self.batch, self.keys, self.next) = (batch, keys, 0);
        }
        Ok(true)
    }
}

fn keys(batch: &RecordBatch) -> Result<Vec<Key>, RowsError> {
    let rows = SpanRows::new(batch)?;
    let key = |row| Key {
        trace: rows.trace_id.value(row).first_chunk().copied().map_or(0, u128::from_be_bytes),
        start: rows.start_time_unix_nano.value(row),
        span: rows.span_id.value(row).first_chunk().copied().map_or(0, u64::from_be_bytes),
    };
    Ok((0..rows.len).map(key).collect())
}

#[derive(Debug, Default)]
struct Merger {
    inputs: Vec<Input>,
    trace: TraceState,
    copies: u64,
    conflicts: u64,
}

/// What a round takes of one input.
struct View<'a> {
    batch: &'a RecordBatch,
    keys: &'a [Key],
    next: usize,
    /// Computed when first asked for.
    hasher: Option<ContentHasher<'a>>,
}

impl View<'_> {
    fn head(&self) -> Option<Key> {
        self.keys.get(self.next).copied()
    }

    fn hash(&mut self, row: usize) -> Result<u64, MergeError> {
        if self.hasher.is_none() {
            self.hasher = Some(ContentHasher::new(SpanRows::new(self.batch).map_err(broken)?));
        }
        Ok(self.hasher.as_ref().map_or(0, |hasher| hasher.hash(row)))
    }

    fn is_flagged(&self, row: usize) -> bool {
        let flags = self.batch.column_by_name(name::CLOCK_FLAGS);
        let flags = flags.and_then(|flags| flags.as_primitive_opt::<Int32Type>());
        flags.is_some_and(|flags| flags.value(row) & FLAG_DUP != 0)
    }
}

fn broken(error: impl std::fmt::Display) -> MergeError {
    MergeError::Store(StoreError::failing("merge spans", error))
}

impl Merger {
    /// The next rows of the merged file; `None` at its end.
    fn round(&mut self) -> Result<Option<RecordBatch>, MergeError> {
        let mut filled = Vec::with_capacity(self.inputs.len());
        for mut input in self.inputs.drain(..) {
            if input.fill()? {
                filled.push(input);
            }
        }
        self.inputs = filled;
        // Beyond the least last key an input may hold more that comes before.
        let Some(bound) = self.inputs.iter().filter_map(|i| i.keys.last()).min().copied() else {
            return Ok(None);
        };
        let mut views: Vec<View<'_>> = Vec::with_capacity(self.inputs.len());
        for input in &self.inputs {
            let end = input.keys.partition_point(|key| *key <= bound);
            let keys = input.keys.get(..end).unwrap_or_default();
            views.push(View { batch: &input.batch, keys, next: input.next, hasher: None });
        }
        let mut output = Output::default();
        take(&mut views, bound.trace, &mut self.trace, &mut output)?;
        let batches: Vec<&RecordBatch> = views.iter().map(|view| view.batch).collect();
        let batch = interleave_record_batch(&batches, &output.rows).map_err(broken)?;
        let taken: Vec<usize> = views.iter().map(|view| view.keys.len()).collect();
        for (input, taken) in self.inputs.iter_mut().zip(taken) {
            input.next = input.next.max(taken);
        }
        self.copies += output.copies;
        self.conflicts += output.flagged.len() as u64;
        Ok(Some(flag(batch, &output.flagged).map_err(broken)?))
    }
}

/// Rows of the next batch.
#[derive(Debug, Default)]
struct Output {
    /// Input and row.
    rows: Vec<(usize, usize)>,
    /// Positions in `rows` whose spans become flagged.
    flagged: Vec<usize>,
    copies: u64,
}

/// Takes all rows of all views in order. `open_trace` may go on in the next round.
fn take(
    views: &mut [View<'_>],
    open_trace: u128,
    state: &mut TraceState,
    output: &mut Output,
) -> Result<(), MergeError> {
    let heads = views.iter().enumerate();
    let heads = heads.filter_map(|(at, view)| Some(Reverse((view.head()?.trace, at))));
    let mut heads: BinaryHeap<Reverse<(u128, usize)>> = heads.collect();
    let mut sharing = Vec::new();
    while let Some(Reverse((trace, at))) = heads.pop() {
        sharing.clear();
        sharing.push(at);
        while let Some(Reverse((other, at))) = heads.peek().copied()
            && other == trace
        {
            heads.pop();
            sharing.push(at);
        }
        let is_plain = sharing.len() == 1 && trace != open_trace && state.trace != Some(trace);
        if is_plain && let Some(view) = views.get_mut(at) {
            let next = heads.peek().map_or(open_trace, |Reverse((next, _))| *next);
            let limit = next.min(open_trace);
            while view.head().is_some_and(|key| key.trace < limit) {
                output.rows.push((at, view.next));
                view.next += 1;
            }
        } else {
            take_trace(views, &sharing, trace, state, output)?;
        }
        for at in &sharing {
            if let Some(head) = views.get(*at).and_then(View::head) {
                heads.push(Reverse((head.trace, *at)));
            }
        }
    }
    state.end_round(views)
}

/// Takes the rows of one trace from the views that share it, without copies.
fn take_trace(
    views: &mut [View<'_>],
    sharing: &[usize],
    trace: u128,
    state: &mut TraceState,
    output: &mut Output,
) -> Result<(), MergeError> {
    loop {
        let heads = sharing.iter().filter_map(|at| Some((views.get(*at)?.head()?, *at)));
        let Some((key, at)) = heads.filter(|(key, _)| key.trace == trace).min() else {
            return Ok(());
        };
        let row = views.get(at).map_or(0, |view| view.next);
        match state.admit(key, (at, row), views)? {
            Verdict::Keep => output.rows.push((at, row)),
            Verdict::Flag => {
                output.flagged.push(output.rows.len());
                output.rows.push((at, row));
            }
            Verdict::Drop => output.copies += 1,
        }
        if let Some(view) = views.get_mut(at) {
            view.next += 1;
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Keep,
    Flag,
    Drop,
}

/// What is known of the spans of one trace, over several rounds if it is large.
#[derive(Debug, Default)]
struct TraceState {
    trace: Option<u128>,
    /// Span ids, and whether a span that has one is not flagged.
    spans: HashMap<u64, bool>,
    /// The newest key, which copies share.
    key: Option<Key>,
    /// Contents of the spans with that key; the first is computed when it is asked for.
    contents: HashSet<u64>,
    first: Option<(usize, usize)>,
}

impl TraceState {
    fn admit(
        &mut self,
        key: Key,
        (at, row): (usize, usize),
        views: &mut [View<'_>],
    ) -> Result<Verdict, MergeError> {
        if self.trace != Some(key.trace) {
            self.trace = Some(key.trace);
            self.spans.clear();
        }
        if self.key == Some(key) {
            self.hash_first(views)?;
            let content = hash(views, (at, row))?;
            if !self.contents.insert(content) {
                return Ok(Verdict::Drop);
            }
        } else {
            self.key = Some(key);
            self.contents.clear();
            self.first = Some((at, row));
        }
        let is_flagged = views.get(at).is_some_and(|view| view.is_flagged(row));
        Ok(match self.spans.get_mut(&key.span) {
            None => {
                self.spans.insert(key.span, !is_flagged);
                Verdict::Keep
            }
            // One of those with equal ids stays without the flag.
            Some(is_one_plain) if !is_flagged && *is_one_plain => Verdict::Flag,
            Some(is_one_plain) => {
                *is_one_plain |= !is_flagged;
                Verdict::Keep
            }
        })
    }

    fn hash_first(&mut self, views: &mut [View<'_>]) -> Result<(), MergeError> {
        if let Some(first) = self.first.take() {
            self.contents.insert(hash(views, first)?);
        }
        Ok(())
    }

    /// Keeps what the next round needs of rows that are gone then.
    fn end_round(&mut self, views: &mut [View<'_>]) -> Result<(), MergeError> {
        self.hash_first(views)
    }
}

fn hash(views: &mut [View<'_>], (at, row): (usize, usize)) -> Result<u64, MergeError> {
    views.get_mut(at).map_or(Ok(0), |view| view.hash(row))
}

/// Sets the flag of spans whose ids others have too.
fn flag(batch: RecordBatch, flagged: &[usize]) -> Result<RecordBatch, ArrowError> {
    if flagged.is_empty() {
        return Ok(batch);
    }
    let index = batch.schema().index_of(name::CLOCK_FLAGS)?;
    let flags = batch.column(index).as_primitive::<Int32Type>();
    let mut flags = flags.values().to_vec();
    for at in flagged {
        if let Some(flags) = flags.get_mut(*at) {
            *flags |= FLAG_DUP;
        }
    }
    let mut arrays = batch.columns().to_vec();
    if let Some(slot) = arrays.get_mut(index) {
        *slot = Arc::new(Int32Array::from(flags));
    }
    RecordBatch::try_new(batch.schema(), arrays)
}
