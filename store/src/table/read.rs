//! Columns of a Parquet file, for readers of a few rows or of one column after another.
//!
//! ```text
//! offset index -> place of a page -> read there -> the one decompressor -> general decoding
//! ```
//!
//! The general reader opens the file anew for each page and makes a compressor and a decompressor for each column of each
//! read, a fifth of what a trace by id cost. The rows are the same.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, RowGroups, RowSelection,
};
use parquet::arrow::{ProjectionMask, parquet_to_arrow_field_levels};
use parquet::basic::Compression;
use parquet::column::page::{Page, PageIterator, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;
use zstd::bulk::Decompressor;
use zstd::zstd_safe::get_frame_content_size;

/// Some row groups of a file.
pub struct FileColumns {
    file: Arc<Positioned>,
    metadata: ArrowReaderMetadata,
    row_groups: Vec<usize>,
    zstd: Arc<Mutex<Decompressor<'static>>>,
}

impl fmt::Debug for FileColumns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileColumns").field("row_groups", &self.row_groups).finish_non_exhaustive()
    }
}

impl FileColumns {
    /// The row groups with these numbers.
    ///
    /// # Errors
    /// There is no memory for a decompressor, or no row group with such a number.
    pub fn new(file: File, metadata: ArrowReaderMetadata, row_groups: Vec<usize>) -> Result<Self> {
        let all = metadata.metadata().num_row_groups();
        if let Some(unknown) = row_groups.iter().find(|number| **number >= all) {
            return Err(ParquetError::General(format!("no row group {unknown} of {all}")));
        }
        Ok(Self {
            file: Arc::new(Positioned(Arc::new(file))),
            metadata,
            row_groups,
            zstd: Arc::new(Mutex::new(Decompressor::new()?)),
        })
    }

    /// All row groups.
    ///
    /// # Errors
    /// There is no memory for a decompressor.
    pub fn all(file: File, metadata: ArrowReaderMetadata) -> Result<Self> {
        let row_groups = (0..metadata.metadata().num_row_groups()).collect();
        Self::new(file, metadata, row_groups)
    }

    /// What the file says of itself.
    pub fn metadata(&self) -> &ArrowReaderMetadata {
        &self.metadata
    }

    /// The columns whose names are wanted, with all they consist of.
    pub fn named(&self, is_wanted: impl Fn(&str) -> bool) -> ProjectionMask {
        let schema = self.metadata.parquet_schema();
        let fields = schema.root_schema().get_fields().iter().enumerate();
        let wanted = fields.filter(|(_, field)| is_wanted(field.name()));
        ProjectionMask::roots(schema, wanted.map(|(at, _)| at))
    }

    /// The chosen columns of the selected rows, counted over the row groups, in batches. Blocking.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn batches(
        &self,
        columns: ProjectionMask,
        selection: Option<RowSelection>,
        batch_rows: usize,
    ) -> Result<ParquetRecordBatchReader> {
        let schema = self.metadata.parquet_schema();
        let hint = Some(self.metadata.schema().fields());
        let levels = parquet_to_arrow_field_levels(schema, columns, hint)?;
        let batch_rows = batch_rows.min(self.num_rows()).max(1);
        ParquetRecordBatchReader::try_new_with_row_groups(&levels, self, batch_rows, selection)
    }

    fn groups(&self) -> impl Iterator<Item = &RowGroupMetaData> {
        let all = self.metadata.metadata().row_groups();
        self.row_groups.iter().filter_map(|number| all.get(*number))
    }
}

impl RowGroups for FileColumns {
    fn num_rows(&self) -> usize {
        self.groups().map(rows_of).sum()
    }

    fn column_chunks(&self, column: usize) -> Result<Box<dyn PageIterator>> {
        Ok(Box::new(Chunks {
            file: Arc::clone(&self.file),
            metadata: Arc::clone(self.metadata.metadata()),
            row_groups: self.row_groups.clone().into_iter(),
            column,
            zstd: Arc::clone(&self.zstd),
        }))
    }

    fn row_groups(&self) -> Box<dyn Iterator<Item = &RowGroupMetaData> + '_> {
        Box::new(self.groups())
    }

    fn metadata(&self) -> &ParquetMetaData {
        self.metadata.metadata()
    }
}

fn rows_of(group: &RowGroupMetaData) -> usize {
    usize::try_from(group.num_rows()).unwrap_or(0)
}

/// The chunks of a column.
struct Chunks {
    file: Arc<Positioned>,
    metadata: Arc<ParquetMetaData>,
    row_groups: std::vec::IntoIter<usize>,
    column: usize,
    zstd: Arc<Mutex<Decompressor<'static>>>,
}

impl Chunks {
    fn open(&self, number: usize) -> Result<Box<dyn PageReader>> {
        let missing = || ParquetError::General(format!("no column {} there", self.column));
        let group = self.metadata.row_groups().get(number).ok_or_else(missing)?;
        let chunk = group.columns().get(self.column).ok_or_else(missing)?;
        let pages = self.metadata.offset_index().and_then(|groups| groups.get(number));
        let pages = pages.and_then(|group| group.get(self.column));
        let pages = pages.map(|column| column.page_locations().clone());
        let (file, rows) = (Arc::clone(&self.file), rows_of(group));
        if !matches!(chunk.compression(), Compression::ZSTD(_)) {
            return Ok(Box::new(SerializedPageReader::new(file, chunk, rows, pages)?));
        }
        // Told that nothing is compressed, the general reader gives pages as they are in the file.
        let chunk = chunk.clone().into_builder().set_compression(Compression::UNCOMPRESSED);
        let pages = SerializedPageReader::new(file, &chunk.build()?, rows, pages)?;
        Ok(Box::new(ZstdPages { pages, zstd: Arc::clone(&self.zstd) }))
    }
}

impl Iterator for Chunks {
    type Item = Result<Box<dyn PageReader>>;

    fn next(&mut self) -> Option<Self::Item> {
        let number = self.row_groups.next()?;
        Some(self.open(number))
    }
}

impl PageIterator for Chunks {}

/// Pages that a shared decompressor unpacks.
struct ZstdPages {
    pages: SerializedPageReader<Positioned>,
    zstd: Arc<Mutex<Decompressor<'static>>>,
}

impl ZstdPages {
    fn unpack(&self, mut page: Page) -> Result<Page> {
        let (packed, plain_bytes) = match &mut page {
            Page::DataPageV2 { is_compressed: false, .. } => return Ok(page),
            Page::DataPageV2 { buf, def_levels_byte_len, rep_levels_byte_len, .. } => {
                let levels = u64::from(*def_levels_byte_len) + u64::from(*rep_levels_byte_len);
                (buf, usize::try_from(levels).unwrap_or(usize::MAX))
            }
            Page::DataPage { buf, .. } | Page::DictionaryPage { buf, .. } => (buf, 0),
        };
        let truncated = || ParquetError::General("a page is shorter than it says".to_owned());
        let (plain, data) = packed.split_at_checked(plain_bytes).ok_or_else(truncated)?;
        // A page without values may have no data at all.
        if !data.is_empty() {
            let unpacked = unpacked(&self.zstd, data)?;
            *packed = match plain.is_empty() {
                true => unpacked.into(),
                false => [plain, unpacked.as_slice()].concat().into(),
            };
        }
        Ok(page)
    }
}

fn unpacked(zstd: &Mutex<Decompressor<'static>>, data: &[u8]) -> io::Result<Vec<u8>> {
    let bytes = get_frame_content_size(data).ok().flatten();
    match bytes.and_then(|bytes| usize::try_from(bytes).ok()) {
        Some(bytes) => zstd.lock().decompress(data, bytes),
        // Writers that compress as a stream do not say how much it is.
        None => zstd::decode_all(data),
    }
}

impl Iterator for ZstdPages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for ZstdPages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.pages.get_next_page()?;
        page.map(|page| self.unpack(page)).transpose()
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.pages.at_record_boundary()
    }
}

/// A file that is read at given places, by any number of readers.
struct Positioned(Arc<File>);

impl Length for Positioned {
    fn len(&self) -> u64 {
        Length::len(self.0.as_ref())
    }
}

impl ChunkReader for Positioned {
    type T = BufReader<FromPlace>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(BufReader::new(FromPlace { file: Arc::clone(&self.0), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let mut bytes = vec![0; length];
        self.0.read_exact_at(&mut bytes, start)?;
        Ok(bytes.into())
    }
}

/// A file from a place on.
struct FromPlace {
    file: Arc<File>,
    at: u64,
}

impl Read for FromPlace {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let bytes = self.file.read_at(out, self.at)?;
        self.at += bytes as u64;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
    use parquet::arrow::ArrowWriter;
    use parquet::arrow::arrow_reader::{ArrowReaderOptions, RowSelector};
    use parquet::basic::ZstdLevel;
    use parquet::file::metadata::PageIndexPolicy;
    use parquet::file::properties::{WriterProperties, WriterVersion};

    use super::*;

    const ROWS: i64 = 5_000;

    /// Repeated text with nulls, and numbers.
    fn sample() -> RecordBatch {
        let texts = (0..ROWS).map(|row| (row % 7 > 0).then(|| format!("value {}", row % 90)));
        let texts: ArrayRef = Arc::new(texts.collect::<StringArray>());
        let numbers: ArrayRef = Arc::new((0..ROWS).map(|row| row * row).collect::<Int64Array>());
        RecordBatch::try_from_iter([("text", texts), ("number", numbers)]).expect("is a batch")
    }

    fn written(properties: WriterProperties) -> File {
        let file = tempfile::tempfile().expect("is made");
        let batch = sample();
        let copy = file.try_clone().expect("is opened twice");
        let mut writer =
            ArrowWriter::try_new(copy, batch.schema(), Some(properties)).expect("begins");
        writer.write(&batch).expect("is written");
        writer.close().expect("ends");
        file
    }

    #[test]
    fn rows_are_the_same_however_pages_are_made() {
        let zstd = Compression::ZSTD(ZstdLevel::default());
        let some = [(2_100, 17), (1_000, 1_300)];
        let selectors = some
            .iter()
            .flat_map(|(skipped, rows)| [RowSelector::skip(*skipped), RowSelector::select(*rows)]);
        let selection = RowSelection::from(selectors.collect::<Vec<_>>());
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            for compression in [zstd, Compression::SNAPPY, Compression::UNCOMPRESSED] {
                for index in [PageIndexPolicy::Required, PageIndexPolicy::Skip] {
                    let properties = WriterProperties::builder()
                        .set_writer_version(version)
                        .set_compression(compression)
                        .set_max_row_group_row_count(Some(3_000))
                        .set_data_page_row_count_limit(512)
                        .set_write_batch_size(512);
                    let file = written(properties.build());
                    let options = ArrowReaderOptions::new().with_page_index_policy(index);
                    let metadata = ArrowReaderMetadata::load(&file, options).expect("is read");
                    let columns = FileColumns::all(file, metadata).expect("is opened");
                    let read = |selection| {
                        let all = columns.named(|_| true);
                        let batches = columns.batches(all, selection, 1_024).expect("is read");
                        let batches: Vec<_> =
                            batches.map(|batch| batch.expect("is read")).collect();
                        arrow::compute::concat_batches(&sample().schema(), &batches).expect("fits")
                    };
                    let case = format!("{version:?} {compression:?} {index:?}");
                    assert_eq!(read(None), sample(), "{case}");
                    let parts = [sample().slice(2_100, 17), sample().slice(3_117, 1_300)];
                    let parts = arrow::compute::concat_batches(&sample().schema(), &parts);
                    assert_eq!(read(Some(selection.clone())), parts.expect("fits"), "{case}");
                }
            }
        }
    }

    #[test]
    fn row_groups_that_are_not_there_are_an_error() {
        let file = written(WriterProperties::builder().build());
        let metadata =
            ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).expect("is read");
        assert!(FileColumns::new(file, metadata, vec![1]).is_err());
    }

    #[test]
    fn frames_are_unpacked_whether_they_say_their_size_or_not() {
        let data = vec![7; 100_000];
        let zstd = Mutex::new(Decompressor::new().expect("is made"));
        let with_size = zstd::bulk::compress(&data, 1).expect("is packed");
        let without = zstd::encode_all(data.as_slice(), 1).expect("is packed");
        assert_eq!(get_frame_content_size(&without).ok().flatten(), None);
        for packed in [&with_size, &without] {
            assert!(unpacked(&zstd, packed).is_ok_and(|unpacked| unpacked == data));
            assert!(unpacked(&zstd, &packed[..packed.len() - 3]).is_err());
        }
    }
}
