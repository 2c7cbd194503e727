//! A file that is merged: its keys as a stream, its other columns in chunks when they are needed.
//!
//! Chunks begin where the pages of our files begin, so that no page is decoded twice. What a window
//! leaves of the last chunk of each column is kept: the next window begins with it.

use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, MutableArrayData, RecordBatch, make_array, new_null_array,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Int32Type, Int64Type, Schema};
use arrow::error::ArrowError;
use causeway_model::SpanRows;
use causeway_model::batch::{AttributeColumn, AttributeColumns, move_attributes, relayout};
use causeway_model::columns::{FLAG_DUP, name};
use causeway_model::identity::ContentHasher;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, RowSelection,
};
use parquet::file::metadata::{ColumnChunkMetaData, PageIndexPolicy};

use super::merge::MergeError;
use crate::table::{DataFile, FileColumns, PAGE_ROWS_MAX, PAGE_ROWS_MIN};

/// Most bytes of a chunk of all columns: chunks of large rows have fewer.
const CHUNK_BYTES_MAX: usize = 8 << 20;

/// Keys are read in batches of so many rows, and rows that may be copies, too.
const BATCH_ROWS: usize = 8_192;

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// What files are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) trace: u128,
    pub(super) start: i64,
    pub(super) span: u64,
}

/// The keys of a file in their order.
#[derive(Debug)]
pub(super) struct Keys {
    path: String,
    reader: ParquetRecordBatchReader,
    batch: Vec<(Key, bool)>,
    at: usize,
    /// The row of the file that comes next.
    row: u32,
}

impl Keys {
    /// The next row's key, and whether the row is flagged for having the ids of another.
    #[inline]
    pub(super) fn head(&self) -> Option<(Key, bool)> {
        self.batch.get(self.at).copied()
    }

    /// The next row of the file.
    pub(super) fn row(&self) -> u32 {
        self.row
    }

    /// Goes on to the next row.
    #[inline]
    pub(super) fn advance(&mut self) -> Result<(), MergeError> {
        self.at += 1;
        self.row += 1;
        if self.at >= self.batch.len() { self.read() } else { Ok(()) }
    }

    fn read(&mut self) -> Result<(), MergeError> {
        let last = self.batch.last().map(|(key, _)| *key);
        let failed = |error: AnyError| broken(&self.path, &error);
        self.at = 0;
        self.batch = match self.reader.next() {
            Some(batch) => {
                batch.map_err(AnyError::from).and_then(|batch| keys(&batch)).map_err(failed)?
            }
            None => Vec::new(),
        };
        let is_sorted = self.batch.is_sorted_by_key(|(key, _)| *key);
        if !is_sorted || self.batch.first().is_some_and(|(first, _)| Some(*first) < last) {
            return Err(failed("its spans are out of order".into()));
        }
        Ok(())
    }
}

fn keys(batch: &RecordBatch) -> Result<Vec<(Key, bool)>, AnyError> {
    let column = |name: &str| batch.column_by_name(name).ok_or(format!("it has no {name}"));
    let trace = column(name::TRACE_ID)?.as_binary_opt::<i32>().ok_or("a trace id is no binary")?;
    let span = column(name::SPAN_ID)?.as_binary_opt::<i32>().ok_or("a span id is no binary")?;
    let start = column(name::START_TIME_UNIX_NANO)?;
    let start = start.as_primitive_opt::<Int64Type>().ok_or("a start is no integer")?;
    let flags = column(name::CLOCK_FLAGS)?;
    let flags = flags.as_primitive_opt::<Int32Type>().ok_or("flags are no integer")?;
    let of_row = |row| {
        let key = Key {
            trace: trace.value(row).first_chunk().copied().map_or(0, u128::from_be_bytes),
            start: start.value(row),
            span: span.value(row).first_chunk().copied().map_or(0, u64::from_be_bytes),
        };
        (key, flags.value(row) & FLAG_DUP != 0)
    };
    Ok((0..batch.num_rows()).map(of_row).collect())
}

/// The columns of a file.
#[derive(Debug)]
pub(super) struct Input {
    path: String,
    source: FileColumns,
    pub(super) rows: usize,
    /// Rows of each chunk but the last.
    pub(super) chunk_rows_max: usize,
    columns: AttributeColumns,
    /// Rows that earlier windows took.
    taken: usize,
    /// What the current window takes.
    window: Range<usize>,
    /// What is left of the last chunk of each column of the merged file, and the row it begins with.
    kept: Vec<Option<(usize, ArrayRef)>>,
    /// The moved attributes of the chunks that were read for the window, if they have to be moved.
    moved: Vec<(usize, RecordBatch)>,
}

fn broken(path: &str, error: &AnyError) -> MergeError {
    MergeError::Input { path: path.to_owned(), reason: error.to_string() }
}

impl Input {
    pub(super) fn open(table_dir: &Path, file: &DataFile) -> Result<Self, MergeError> {
        let open = || -> Result<Self, AnyError> {
            let opened = File::open(table_dir.join(&file.path))?;
            let options =
                ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
            let metadata = ArrowReaderMetadata::load(&opened, options)?;
            let rows = usize::try_from(metadata.metadata().file_metadata().num_rows())?;
            let columns = AttributeColumns::of_schema(metadata.schema());
            let chunk_rows_max =
                page_rows(&metadata).min(CHUNK_BYTES_MAX / row_bytes(&metadata)).max(1);
            Ok(Self {
                path: file.path.clone(),
                source: FileColumns::all(opened, metadata)?,
                rows,
                chunk_rows_max,
                columns,
                taken: 0,
                window: 0..0,
                kept: Vec::new(),
                moved: Vec::new(),
            })
        };
        open().map_err(|error| broken(&file.path, &error))
    }

    /// Bytes of a row on average.
    pub(super) fn row_bytes(&self) -> usize {
        row_bytes(self.source.metadata())
    }

    pub(super) fn schema(&self) -> &Arc<Schema> {
        self.source.metadata().schema()
    }

    /// A stream of its keys, which stands at the first row.
    pub(super) fn keys(&self) -> Result<Keys, MergeError> {
        let names = [name::TRACE_ID, name::SPAN_ID, name::START_TIME_UNIX_NANO, name::CLOCK_FLAGS];
        let reader = self
            .reader(&self.roots(|field| names.contains(&field.name().as_str())), None, BATCH_ROWS)
            .map_err(|error| broken(&self.path, &error))?;
        let path = self.path.clone();
        let mut keys = Keys { path, reader, batch: Vec::new(), at: 0, row: 0 };
        keys.read()?;
        Ok(keys)
    }

    /// The positions of the columns that are wanted.
    fn roots(&self, is_wanted: impl Fn(&Field) -> bool) -> Vec<usize> {
        let fields = self.schema().fields().iter().enumerate();
        fields.filter(|(_, field)| is_wanted(field)).map(|(at, _)| at).collect()
    }

    fn reader(
        &self,
        roots: &[usize],
        rows: Option<RowSelection>,
        batch_rows: usize,
    ) -> Result<ParquetRecordBatchReader, AnyError> {
        let schema = self.source.metadata().parquet_schema();
        let columns = ProjectionMask::roots(schema, roots.iter().copied());
        Ok(self.source.batches(columns, rows, batch_rows)?)
    }

    /// The content hashes of some rows, in ascending order.
    pub(super) fn hashes(&self, rows: &[u32]) -> Result<Vec<u64>, MergeError> {
        let read = || -> Result<Vec<u64>, AnyError> {
            let ranges = rows.iter().map(|row| *row as usize..*row as usize + 1);
            let selection = RowSelection::from_consecutive_ranges(ranges, self.rows);
            let mut hashes = Vec::with_capacity(rows.len());
            for batch in self.reader(&self.roots(|_| true), Some(selection), BATCH_ROWS)? {
                let batch = relayout(&batch?, &self.columns)?;
                let hasher = ContentHasher::new(SpanRows::new(&batch)?);
                hashes.extend((0..batch.num_rows()).map(|row| hasher.hash(row)));
            }
            Ok(hashes)
        };
        read().map_err(|error| broken(&self.path, &error))
    }

    /// Begins a window: it takes the rows up to `end`.
    pub(super) fn begin_window(&mut self, end: usize) {
        self.window = self.taken..end;
        self.taken = end;
        self.moved.clear();
    }

    /// The numbers of the chunks that the window touches.
    pub(super) fn chunks(&self) -> Range<usize> {
        match self.window.is_empty() {
            true => 0..0,
            false => {
                self.window.start / self.chunk_rows_max
                    ..self.window.end.div_ceil(self.chunk_rows_max)
            }
        }
    }

    /// The rows of a chunk from where the window begins.
    pub(super) fn chunk_rows(&self, chunk: usize) -> Range<usize> {
        let rows = self.whole_chunk(chunk);
        rows.start.max(self.window.start)..rows.end
    }

    fn whole_chunk(&self, chunk: usize) -> Range<usize> {
        let start = chunk * self.chunk_rows_max;
        start..(start + self.chunk_rows_max).min(self.rows)
    }

    /// Appends the chunks of the window of the column that is `field`, number `at`, in the merged
    /// file, which has `columns`; the first from where the window begins.
    pub(super) fn push_column(
        &mut self,
        at: usize,
        field: &Field,
        columns: &AttributeColumns,
        arrays: &mut Vec<ArrayRef>,
    ) -> Result<(), MergeError> {
        let chunks = self.chunks();
        let Some(last_rows) = chunks.clone().next_back().map(|last| self.whole_chunk(last)) else {
            return Ok(());
        };
        if self.kept.len() <= at {
            self.kept.resize(at + 1, None);
        }
        let kept = self.kept.get_mut(at).and_then(Option::take);
        let kept = kept.filter(|(start, _)| *start == self.window.start);
        let first = chunks.start + usize::from(kept.is_some());
        let read = match is_attributes(field) && self.columns != *columns {
            true => self.moved_chunks(first..chunks.end, field, columns),
            false => self.read_chunks(first..chunks.end, field),
        };
        let read = read.map_err(|error| broken(&self.path, &error))?;
        arrays.extend(kept.map(|(_, array)| array));
        arrays.extend(read.into_iter().zip(first..).map(|(array, chunk)| {
            let rows = self.chunk_rows(chunk).len();
            array.slice(array.len() - rows, rows)
        }));
        if let (Some(slot), Some(array)) = (self.kept.get_mut(at), arrays.last()) {
            let rest = rest(array, last_rows.end - self.window.end);
            let rest = rest.map_err(|error| broken(&self.path, &error.into()))?;
            *slot = rest.map(|rest| (self.window.end, rest));
        }
        Ok(())
    }

    fn read_chunks(&self, chunks: Range<usize>, field: &Field) -> Result<Vec<ArrayRef>, AnyError> {
        let roots = self.roots(|own| own.name() == field.name());
        if roots.is_empty() {
            let nulls = |chunk| new_null_array(field.data_type(), self.whole_chunk(chunk).len());
            return Ok(chunks.map(nulls).collect());
        }
        let batches = self.read(&roots, chunks)?;
        Ok(batches.iter().filter_map(|batch| batch.columns().first().cloned()).collect())
    }

    /// Reads chunks, one batch each.
    fn read(&self, roots: &[usize], chunks: Range<usize>) -> Result<Vec<RecordBatch>, AnyError> {
        if chunks.is_empty() {
            return Ok(Vec::new());
        }
        let rows =
            chunks.start * self.chunk_rows_max..(chunks.end * self.chunk_rows_max).min(self.rows);
        let selection = RowSelection::from_consecutive_ranges([rows].into_iter(), self.rows);
        let reader = self.reader(roots, Some(selection), self.chunk_rows_max)?;
        let batches = reader.collect::<Result<Vec<_>, _>>()?;
        let is_in_chunks = batches
            .iter()
            .map(RecordBatch::num_rows)
            .eq(chunks.clone().map(|chunk| self.whole_chunk(chunk).len()));
        if is_in_chunks {
            return Ok(batches);
        }
        let schema = batches.first().ok_or("it has fewer rows than it says")?.schema();
        let whole = concat_batches(&schema, &batches)?;
        let rows: usize = chunks.clone().map(|chunk| self.whole_chunk(chunk).len()).sum();
        if whole.num_rows() != rows {
            return Err("it has fewer rows than it says".into());
        }
        let start = chunks.start;
        let part = |chunk| {
            whole.slice((chunk - start) * self.chunk_rows_max, self.whole_chunk(chunk).len())
        };
        Ok(chunks.map(part).collect())
    }

    /// Chunks of an attribute column, moved to where attributes lie in the merged file. All of them
    /// are moved together, and kept until the window ends.
    fn moved_chunks(
        &mut self,
        chunks: Range<usize>,
        field: &Field,
        columns: &AttributeColumns,
    ) -> Result<Vec<ArrayRef>, AnyError> {
        let known = self.moved.last().map_or(chunks.start, |(chunk, _)| chunk + 1);
        let missing = known.max(chunks.start)..chunks.end;
        if !missing.is_empty() {
            for (chunk, batch) in
                missing.clone().zip(self.read(&self.roots(is_attributes), missing)?)
            {
                self.moved.push((chunk, move_attributes(&batch, columns)?));
            }
        }
        let moved = self.moved.iter().filter(|(chunk, _)| chunks.contains(chunk));
        let column = |(_, batch): &(usize, RecordBatch)| {
            batch.column_by_name(field.name()).cloned().ok_or("a moved attribute is missing".into())
        };
        moved.map(column).collect()
    }
}

/// The last rows of an array, in memory of their own unless they are most of it.
fn rest(array: &ArrayRef, rows: usize) -> Result<Option<ArrayRef>, ArrowError> {
    let Some(start) = array.len().checked_sub(rows).filter(|_| rows > 0) else {
        return Ok(None);
    };
    let data = array.slice(start, rows).to_data();
    if start < rows / 4 {
        return Ok(Some(make_array(data)));
    }
    let mut copy = MutableArrayData::new(vec![&data], false, rows);
    copy.try_extend(0, 0, rows)?;
    Ok(Some(make_array(copy.freeze())))
}

/// Bytes of a row on average: as Parquet encodes it, or the text itself where that is read as such.
/// At least 1.
fn row_bytes(metadata: &ArrowReaderMetadata) -> usize {
    let is_repeated = |column: &ColumnChunkMetaData| {
        let root = column.column_path().parts().first();
        let field = root.and_then(|root| metadata.schema().field_with_name(root).ok());
        field.is_some_and(|field| matches!(field.data_type(), DataType::Dictionary(..)))
    };
    let column_bytes = |column: &ColumnChunkMetaData| {
        let text = column.unencoded_byte_array_data_bytes().filter(|_| !is_repeated(column));
        text.unwrap_or(0).max(column.uncompressed_size())
    };
    let groups = metadata.metadata().row_groups();
    let (bytes, rows) = groups.iter().fold((0, 0), |(bytes, rows), group| {
        (bytes + group.columns().iter().map(column_bytes).sum::<i64>(), rows + group.num_rows())
    });
    usize::try_from(bytes / rows.max(1)).unwrap_or(0).max(1)
}

/// Rows of the pages of a file, by its first.
fn page_rows(metadata: &ArrowReaderMetadata) -> usize {
    let pages = metadata.metadata().offset_index().and_then(|groups| groups.first()?.first());
    let second = pages.and_then(|pages| pages.page_locations().get(1));
    let rows = second.and_then(|page| usize::try_from(page.first_row_index).ok());
    rows.unwrap_or(PAGE_ROWS_MAX).clamp(PAGE_ROWS_MIN, PAGE_ROWS_MAX)
}

/// Whether a column holds attributes of spans.
fn is_attributes(field: &Field) -> bool {
    [name::ATTRIBUTES, name::ATTRIBUTE_KEYS].contains(&field.name().as_str())
        || AttributeColumn::of_field(field).is_some()
}
