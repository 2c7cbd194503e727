//! Writes a column of text that repeats: from an Arrow dictionary to a Parquet one.
//!
//! The general writer looks every value of every row up by its bytes. Here the rows are numbers
//! already: only distinct values are looked up, the rest is moving numbers. A column whose values
//! hardly repeat is written as plain text. Where there are many distinct values, a bloom filter says
//! which, so that nobody has to read them to look for one.
//!
//! Source of the layout: the Parquet format (data page version 1, dictionary page, page indexes).

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, StringArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::Int32Type;
use arrow::util::bit_util;
use bytes::Bytes;
use causeway_model::batch::Texts;
use parquet::basic::{Compression, Encoding, PageType, Type, ZstdLevel};
use parquet::bloom_filter::Sbbf;
use parquet::column::page::{self, CompressedPage, PageWriteSpec, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{
    ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder, PageEncodingStats,
};
use parquet::file::statistics::{Statistics, ValueStatistics};
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

use super::gather::Place;
use super::hybrid;
use super::layout::{PAGE_ROWS_MAX, PAGE_ROWS_MIN, ROW_GROUP_ROWS_MAX, ZSTD_LEVEL, page_rows};

/// When the distinct values take more, the following pages are plain text.
const DICTIONARY_BYTES_MAX: usize = 1 << 20;
/// The same when of so many first rows ...
const SAMPLE_ROWS: usize = PAGE_ROWS_MAX;
/// ... the distinct values are more than this share of those that have a value, in percent.
const DISTINCT_PERCENT_MAX: usize = 60;
/// A plain page ends when it has this many bytes, which is looked at every so many rows.
const PAGE_BYTES_MAX: usize = 1 << 20;
const STEP_ROWS: usize = PAGE_ROWS_MIN;
/// Longer texts are no bounds.
const BOUND_BYTES_MAX: usize = 64;

/// With fewer distinct values, a look at the dictionary is as cheap as one at a filter.
const FILTER_VALUES_MIN: usize = 1_024;
/// A search for one value reads one chunk in a hundred in vain.
const FILTER_FALSE_POSITIVES: f64 = 0.01;

/// The number of a value that was not seen in an array yet.
const UNSEEN: u32 = u32::MAX;
/// That of a value that was, where values have no numbers.
const SEEN: u32 = 0;

/// What compresses pages: one for all columns, as its buffers are large.
pub(super) struct PageCompressor {
    zstd: zstd::bulk::Compressor<'static>,
    /// The page under construction.
    page: Vec<u8>,
}

impl PageCompressor {
    pub(super) fn new() -> Result<Self> {
        Ok(Self { zstd: zstd::bulk::Compressor::new(ZSTD_LEVEL)?, page: Vec::new() })
    }

    /// The compressed form of the page, which begins anew.
    fn finish(&mut self) -> Result<Vec<u8>> {
        let compressed = self.zstd.compress(&self.page);
        self.page.clear();
        Ok(compressed?)
    }
}

/// The chunk of one such column under construction.
pub(super) struct RepeatedWriter {
    column: ColumnDescPtr,
    /// Whether bounds are kept for each page, too.
    has_page_bounds: bool,
    /// Most rows the chunk can have.
    rows_max: usize,
    /// Rows of its pages.
    page_rows: usize,
    /// The dictionary.
    values: Texts,
    /// Whether pages are plain text from here on; the dictionary does not grow any more.
    is_plain: bool,
    /// All values, once pages are plain text.
    filter: Option<Sbbf>,
    /// Rows of the pages that are finished, and those with a value.
    rows: usize,
    values_in_rows: usize,
    page: Page,
    pages: Vec<FinishedPage>,
    bounds: Bounds,
}

/// The rows that wait for their page.
#[derive(Default)]
struct Page {
    rows: usize,
    /// Rows with a value.
    values: usize,
    /// One bit for each row: whether it has a value.
    present: Vec<u8>,
    /// The numbers of the values ...
    numbers: Vec<u32>,
    /// ... or the values themselves.
    plain: Vec<u8>,
    text_bytes: usize,
    bounds: Bounds,
}

impl Page {
    /// Appends a row without a value.
    fn add_null(&mut self) {
        if self.rows.is_multiple_of(8) {
            self.present.push(0);
        }
        self.rows += 1;
    }

    /// Appends a row with a value.
    fn add_value(&mut self) {
        self.add_null();
        bit_util::set_bit(&mut self.present, self.rows - 1);
        self.values += 1;
    }

    /// Appends the definition levels, whose packed form are the bits, behind their length.
    fn push_levels(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        match self.values {
            0 => hybrid::push_run(0, self.rows, 1, out),
            all if all == self.rows => hybrid::push_run(1, self.rows, 1, out),
            _ => hybrid::push_bits(&self.present, out),
        }
        let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
        if let Some(prefix) = out.get_mut(start..).and_then(<[u8]>::first_chunk_mut) {
            *prefix = length.to_le_bytes();
        }
    }
}

/// Least and greatest of some texts.
#[derive(Default)]
struct Bounds(Option<(Vec<u8>, Vec<u8>)>);

impl Bounds {
    fn add(&mut self, text: &[u8]) {
        match &mut self.0 {
            None => self.0 = Some((text.to_vec(), text.to_vec())),
            Some((low, _)) if text < low.as_slice() => *low = text.to_vec(),
            Some((_, high)) if text > high.as_slice() => *high = text.to_vec(),
            Some(_) => {}
        }
    }

    /// Those that are short enough to be kept.
    fn short(&self) -> Option<(&[u8], &[u8])> {
        let (low, high) = self.0.as_ref()?;
        (low.len().max(high.len()) <= BOUND_BYTES_MAX).then_some((low, high))
    }
}

/// A compressed data page that waits for the dictionary to be written before it.
struct FinishedPage {
    data: Vec<u8>,
    uncompressed_bytes: usize,
    encoding: Encoding,
    rows: usize,
    nulls: usize,
    text_bytes: usize,
    bounds: Bounds,
}

/// An array that rows come from.
struct Source<'a> {
    keys: &'a [i32],
    nulls: Option<&'a NullBuffer>,
    values: &'a StringArray,
    /// Which of the tables of numbers is that of its values.
    numbers: usize,
}

/// The arrays of a column with, for each of their dictionaries, the number of each value in ours.
struct Sources<'a> {
    arrays: Vec<Source<'a>>,
    numbers: Vec<Vec<u32>>,
}

impl<'a> Sources<'a> {
    fn new(arrays: &'a [ArrayRef]) -> Result<Self> {
        let mut sources = Self { arrays: Vec::with_capacity(arrays.len()), numbers: Vec::new() };
        for array in arrays {
            let dictionary: &DictionaryArray<Int32Type> =
                array.as_dictionary_opt().ok_or_else(|| general("a column of repeated text"))?;
            let values: &StringArray = dictionary
                .values()
                .as_string_opt()
                .ok_or_else(|| general("a dictionary of text"))?;
            if values.null_count() > 0 {
                return Err(general("a dictionary without nulls among its values"));
            }
            // Arrays that were read one after the other share their dictionary.
            if !sources.arrays.last().is_some_and(|last| is_same(last.values, values)) {
                sources.numbers.push(vec![UNSEEN; values.len()]);
            }
            let nulls = dictionary.keys().nulls().filter(|nulls| nulls.null_count() > 0);
            let keys = dictionary.keys().values();
            let numbers = sources.numbers.len() - 1;
            sources.arrays.push(Source { keys, nulls, values, numbers });
        }
        Ok(sources)
    }
}

/// Whether two arrays are the same memory.
fn is_same(a: &StringArray, b: &StringArray) -> bool {
    a.offsets().inner().ptr_eq(b.offsets().inner()) && std::ptr::eq(a.value_data(), b.value_data())
}

impl RepeatedWriter {
    /// A chunk of a file of at most `file_rows_max` rows.
    pub(super) fn new(column: ColumnDescPtr, has_page_bounds: bool, file_rows_max: usize) -> Self {
        Self {
            column,
            has_page_bounds,
            rows_max: file_rows_max.min(ROW_GROUP_ROWS_MAX),
            page_rows: page_rows(file_rows_max as u64),
            values: Texts::default(),
            is_plain: false,
            filter: None,
            rows: 0,
            values_in_rows: 0,
            page: Page::default(),
            pages: Vec::new(),
            bounds: Bounds::default(),
        }
    }

    /// Appends rows of several arrays, which are dictionaries of text.
    pub(super) fn write(
        &mut self,
        arrays: &[ArrayRef],
        places: &[Place],
        compressor: &mut PageCompressor,
    ) -> Result<()> {
        let mut sources = Sources::new(arrays)?;
        let mut places = places;
        while !places.is_empty() {
            let room = STEP_ROWS.min(self.page_rows - self.page.rows);
            let (step, rest) = places.split_at(room.min(places.len()));
            for place in step {
                self.add(&mut sources, *place).ok_or_else(|| general("rows that arrays have"))?;
            }
            places = rest;
            let is_large = self.page.text_bytes >= PAGE_BYTES_MAX
                && (self.is_plain || self.values.bytes() > DICTIONARY_BYTES_MAX);
            if self.page.rows >= self.page_rows || is_large {
                self.end_page(compressor)?;
            }
        }
        Ok(())
    }

    /// Appends a row; `None` if there is no such row.
    #[inline]
    fn add(&mut self, sources: &mut Sources<'_>, place: Place) -> Option<()> {
        let source = sources.arrays.get(place.array as usize)?;
        let row = place.row as usize;
        if source.nulls.is_some_and(|nulls| row < nulls.len() && nulls.is_null(row)) {
            self.page.add_null();
            return Some(());
        }
        let key = (*source.keys.get(row)?).max(0) as usize;
        let number = sources.numbers.get_mut(source.numbers)?.get_mut(key)?;
        self.page.add_value();
        self.add_text(source.values.value(key).as_bytes(), number);
        Some(())
    }

    /// Appends a value. `number` is that of the value in the dictionary, once it was seen in this
    /// array.
    #[inline]
    fn add_text(&mut self, text: &[u8], number: &mut u32) {
        if *number == UNSEEN {
            self.bounds.add(text);
            *number = if self.is_plain { SEEN } else { self.values.add(text) };
            if let Some(filter) = &mut self.filter {
                filter.insert(text);
            }
        }
        self.page.text_bytes += text.len();
        if self.is_plain {
            push_plain(text, &mut self.page.plain);
            if self.has_page_bounds {
                self.page.bounds.add(text);
            }
        } else {
            self.page.numbers.push(*number);
        }
    }

    fn end_page(&mut self, compressor: &mut PageCompressor) -> Result<()> {
        let mut page = std::mem::take(&mut self.page);
        let sample = SAMPLE_ROWS.min(self.rows_max);
        let was_sampled = self.rows >= sample;
        self.rows += page.rows;
        self.values_in_rows += page.values;
        if !self.is_plain {
            if self.has_page_bounds {
                self.bounds_of(&page.numbers, &mut page.bounds);
            }
            let is_first = self.pages.is_empty();
            let hardly_repeats = !was_sampled
                && self.rows >= sample
                && self.values_in_rows >= 64
                && self.values.len() * 100 > self.values_in_rows * DISTINCT_PERCENT_MAX;
            if hardly_repeats || self.values.bytes() > DICTIONARY_BYTES_MAX {
                self.is_plain = true;
                let values_max = self.values.len() * self.rows_max / self.rows.max(1);
                self.filter = Some(self.filter_for(values_max)?);
                for number in page.numbers.drain(..) {
                    push_plain(self.values.get(number), &mut page.plain);
                }
                if is_first {
                    // No page refers to it.
                    self.values = Texts::default();
                }
            }
        }
        let out = &mut compressor.page;
        if self.column.max_def_level() > 0 {
            page.push_levels(out);
        }
        let encoding = if self.is_plain {
            out.extend_from_slice(&page.plain);
            Encoding::PLAIN
        } else {
            let bit_width = hybrid::bit_width(self.values.len().saturating_sub(1) as u32);
            out.push(bit_width);
            hybrid::encode(&page.numbers, bit_width, out);
            Encoding::RLE_DICTIONARY
        };
        self.pages.push(FinishedPage {
            uncompressed_bytes: out.len(),
            data: compressor.finish()?,
            encoding,
            rows: page.rows,
            nulls: page.rows - page.values,
            text_bytes: page.text_bytes,
            bounds: page.bounds,
        });
        Ok(())
    }

    /// A filter with the values of the dictionary that has room for so many.
    fn filter_for(&self, values_max: usize) -> Result<Sbbf> {
        let mut filter = Sbbf::new_with_ndv_fpp(values_max as u64, FILTER_FALSE_POSITIVES)?;
        self.values.iter().for_each(|text| filter.insert(text));
        Ok(filter)
    }

    fn bounds_of(&self, numbers: &[u32], bounds: &mut Bounds) {
        let mut is_seen = vec![false; self.values.len()];
        for number in numbers {
            if let Some(seen) = is_seen.get_mut(*number as usize) {
                *seen = true;
            }
        }
        let seen = self.values.iter().zip(is_seen).filter(|(_, seen)| *seen);
        seen.for_each(|(text, _)| bounds.add(text));
    }

    /// Ends the chunk: its bytes, and what the file's footer says of it.
    pub(super) fn finish(
        mut self,
        compressor: &mut PageCompressor,
    ) -> Result<(Bytes, ColumnCloseResult)> {
        if self.page.rows > 0 || self.pages.is_empty() {
            self.end_page(compressor)?;
        }
        let mut out = TrackedWrite::new(Vec::new());
        let mut written = Written::default();
        let mut writer = SerializedPageWriter::new(&mut out);
        if self.pages.iter().any(|page| page.encoding == Encoding::RLE_DICTIONARY) {
            written.dictionary(&writer.write_page(self.dictionary_page(compressor)?)?);
        }
        let mut offset_index = OffsetIndexBuilder::new();
        let mut column_index = ColumnIndexBuilder::new(Type::BYTE_ARRAY);
        for page in std::mem::take(&mut self.pages) {
            if self.has_page_bounds {
                index_page(&page, &mut column_index);
            }
            written.nulls += page.nulls;
            written.text_bytes += page.text_bytes;
            let (rows, text_bytes) = (page.rows, page.text_bytes);
            let spec = writer.write_page(data_page(page))?;
            offset_index.append_row_count(rows as i64);
            offset_index.append_offset_and_size(spec.offset as i64, spec.bytes_written as i32);
            offset_index.append_unencoded_byte_array_data_bytes(Some(text_bytes as i64));
            written.data(&spec, rows);
        }
        writer.close()?;
        let bytes = Bytes::from(out.into_inner()?);
        let mut filter = match self.filter.take() {
            None if self.values.len() >= FILTER_VALUES_MIN => {
                Some(self.filter_for(self.values.len())?)
            }
            filter => filter,
        };
        if let Some(filter) = &mut filter {
            filter.fold_to_target_fpp(FILTER_FALSE_POSITIVES);
        }
        let has_column_index = self.has_page_bounds && column_index.valid();
        let result = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: written.rows as u64,
            metadata: self.metadata(&written)?,
            bloom_filter: filter,
            column_index: has_column_index.then(|| column_index.build()).transpose()?,
            offset_index: Some(offset_index.build()),
        };
        Ok((bytes, result))
    }

    fn dictionary_page(&self, compressor: &mut PageCompressor) -> Result<CompressedPage> {
        self.values.iter().for_each(|text| push_plain(text, &mut compressor.page));
        let uncompressed_bytes = compressor.page.len();
        let page = page::Page::DictionaryPage {
            buf: Bytes::from(compressor.finish()?),
            num_values: self.values.len() as u32,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        Ok(CompressedPage::new(page, uncompressed_bytes))
    }

    fn metadata(&self, written: &Written) -> Result<ColumnChunkMetaData> {
        let level = ZstdLevel::try_new(ZSTD_LEVEL)?;
        let mut builder = ColumnChunkMetaData::builder(ColumnDescPtr::clone(&self.column))
            .set_compression(Compression::ZSTD(level))
            .set_encodings(vec![Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY])
            // Readers may go by the dictionary alone.
            .set_page_encoding_stats(vec![
                PageEncodingStats {
                    page_type: PageType::DICTIONARY_PAGE,
                    encoding: Encoding::PLAIN,
                    count: i32::from(written.dictionary_page.is_some()),
                },
                PageEncodingStats {
                    page_type: PageType::DATA_PAGE,
                    encoding: Encoding::RLE_DICTIONARY,
                    count: written.data_pages,
                },
            ])
            .set_num_values(written.rows as i64)
            .set_total_compressed_size(written.compressed as i64)
            .set_total_uncompressed_size(written.uncompressed as i64)
            .set_data_page_offset(written.first_data_page.unwrap_or(0) as i64)
            .set_dictionary_page_offset(written.dictionary_page.map(|offset| offset as i64))
            .set_unencoded_byte_array_data_bytes(Some(written.text_bytes as i64));
        if let Some((low, high)) = self.bounds.short() {
            builder = builder.set_statistics(Statistics::ByteArray(ValueStatistics::new(
                Some(ByteArray::from(low.to_vec())),
                Some(ByteArray::from(high.to_vec())),
                None,
                Some(written.nulls as u64),
                false,
            )));
        }
        builder.build()
    }
}

fn index_page(page: &FinishedPage, index: &mut ColumnIndexBuilder) {
    let (low, high) = page.bounds.short().unwrap_or_default();
    let is_null = page.nulls == page.rows;
    if page.bounds.short().is_none() && !is_null {
        // One page without bounds leaves the column without an index.
        index.to_invalid();
    }
    index.append(is_null, low.to_vec(), high.to_vec(), page.nulls as i64);
}

/// Sums over the pages written.
#[derive(Default)]
struct Written {
    rows: usize,
    nulls: usize,
    text_bytes: usize,
    compressed: usize,
    uncompressed: usize,
    dictionary_page: Option<u64>,
    first_data_page: Option<u64>,
    data_pages: i32,
}

impl Written {
    fn dictionary(&mut self, page: &PageWriteSpec) {
        self.dictionary_page = Some(page.offset);
        self.sizes(page);
    }

    fn data(&mut self, page: &PageWriteSpec, rows: usize) {
        self.first_data_page.get_or_insert(page.offset);
        self.data_pages += 1;
        self.rows += rows;
        self.sizes(page);
    }

    fn sizes(&mut self, page: &PageWriteSpec) {
        self.compressed += page.compressed_size;
        self.uncompressed += page.uncompressed_size;
    }
}

fn data_page(page: FinishedPage) -> CompressedPage {
    let data = page::Page::DataPage {
        buf: Bytes::from(page.data),
        num_values: page.rows as u32,
        encoding: page.encoding,
        def_level_encoding: Encoding::RLE,
        rep_level_encoding: Encoding::RLE,
        statistics: None,
    };
    CompressedPage::new(data, page.uncompressed_bytes)
}

fn push_plain(text: &[u8], out: &mut Vec<u8>) {
    // Arrow texts are shorter than 2^31 bytes.
    out.extend_from_slice(&(text.len() as u32).to_le_bytes());
    out.extend_from_slice(text);
}

fn general(expected: &str) -> ParquetError {
    ParquetError::General(format!("expected {expected}"))
}

#[cfg(test)]
mod tests;
