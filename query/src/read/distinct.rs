//! The distinct values of a column in a row group, without reading its pages.
//!
//! Where all pages of a chunk go by its dictionary, there is no value that is not in the dictionary,
//! which is its first page and often a thousandth of it. Of many values a bloom filter tells whether
//! one is surely not among them.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int32Array, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, SchemaRef};
use bytes::Bytes;
use causeway_model::columns::is_mixed;
use parquet::basic::Encoding;
use parquet::bloom_filter::Sbbf;
use parquet::column::page::{Page, PageReader};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use parquet::file::serialized_reader::SerializedPageReader;

/// Largest compressed dictionary that is looked at: beyond it the values hardly repeat, and trying a
/// condition on them takes nearly as long as reading them where they are.
const DICTIONARY_BYTES_MAX: i64 = 16 << 20;

/// An opened file whose dictionaries can be read.
#[derive(Debug)]
pub(crate) struct Dictionaries {
    file: Arc<File>,
    metadata: Arc<ParquetMetaData>,
    schema: SchemaRef,
}

impl Dictionaries {
    pub(super) fn new(file: File, metadata: Arc<ParquetMetaData>, schema: SchemaRef) -> Self {
        Self { file: Arc::new(file), metadata, schema }
    }

    pub(crate) fn row_groups(&self) -> usize {
        self.metadata.num_row_groups()
    }

    /// All values of a column of text in a row group; `None` where they cannot be told without reading
    /// the pages. Blocking.
    pub(crate) fn values(&self, row_group: usize, column: &str) -> Option<Distinct> {
        let (group, chunk) = self.chunk(row_group, column)?;
        if !goes_by_dictionary(chunk) {
            return None;
        }
        let rows = usize::try_from(group.num_rows()).ok()?;
        let mut pages =
            SerializedPageReader::new(Arc::clone(&self.file), chunk, rows, None).ok()?;
        match pages.get_next_page().ok()?? {
            Page::DictionaryPage { buf, num_values, encoding: Encoding::PLAIN, .. } => {
                Some(Distinct { page: buf, count: num_values as usize })
            }
            _ => None,
        }
    }

    /// Whether a column of text in a row group may have one of these values, by its bloom filter.
    /// Blocking.
    pub(crate) fn may_have(&self, row_group: usize, column: &str, values: &[Vec<u8>]) -> bool {
        let filter = self.chunk(row_group, column).and_then(|(_, chunk)| {
            chunk.bloom_filter_offset()?;
            Sbbf::read_from_column_chunk(chunk, self.file.as_ref()).ok()?
        });
        filter.is_none_or(|filter| values.iter().any(|value| filter.check(value.as_slice())))
    }

    /// The chunk of a column of text, if it has all of the values.
    fn chunk(
        &self,
        row_group: usize,
        column: &str,
    ) -> Option<(&RowGroupMetaData, &ColumnChunkMetaData)> {
        let field = self.schema.field_with_name(column).ok()?;
        // Some values of a mixed column are elsewhere.
        if is_mixed(field) || !is_text(field.data_type()) {
            return None;
        }
        let columns = self.metadata.file_metadata().schema_descr().columns();
        let at = columns.iter().position(|leaf| leaf.path().parts() == [column])?;
        let group = self.metadata.row_groups().get(row_group)?;
        Some((group, group.columns().get(at)?))
    }
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => values.as_ref() == &DataType::Utf8,
        _ => data_type == &DataType::Utf8,
    }
}

fn goes_by_dictionary(chunk: &ColumnChunkMetaData) -> bool {
    let Some(dictionary) = chunk.dictionary_page_offset() else {
        return false;
    };
    let is_small = chunk.data_page_offset() - dictionary <= DICTIONARY_BYTES_MAX;
    let only = |mask: &_| parquet::basic::EncodingMask::is_only(mask, Encoding::RLE_DICTIONARY);
    is_small && chunk.page_encoding_stats_mask().is_some_and(only)
}

/// Distinct values as they lie in a dictionary page, where its length precedes each.
#[derive(Debug)]
pub(crate) struct Distinct {
    page: Bytes,
    count: usize,
}

impl Distinct {
    /// Whether any value may contain these bytes: a look at the page, without taking it apart.
    pub(crate) fn may_contain(&self, bytes: &[u8]) -> bool {
        memchr::memmem::find(&self.page, bytes).is_some()
    }

    /// The values and null, as repeated text; `None` for a damaged page.
    pub(crate) fn array(&self) -> Option<ArrayRef> {
        let mut offsets = Vec::with_capacity(self.count + 1);
        let mut texts = Vec::with_capacity(self.page.len());
        let mut rest: &[u8] = &self.page;
        offsets.push(0);
        for _ in 0..self.count {
            let (length, after) = rest.split_first_chunk::<4>()?;
            let (text, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            texts.extend_from_slice(text);
            offsets.push(i32::try_from(texts.len()).ok()?);
            rest = after;
        }
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        let texts = StringArray::try_new(offsets, Buffer::from_vec(texts), None).ok()?;
        let keys = (0..i32::try_from(self.count).ok()?).map(Some).chain([None]);
        let array = DictionaryArray::try_new(keys.collect::<Int32Array>(), Arc::new(texts)).ok()?;
        Some(Arc::new(array))
    }
}
