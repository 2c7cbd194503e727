//! Footers and page indexes of Parquet files, kept in the memory that SQL uses for them too.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use causeway_store::DataFile;
use datafusion::datasource::physical_plan::parquet::metadata::CachedParquetMetaData;
use datafusion::execution::cache::cache_manager::{CachedFileMetadataEntry, FileMetadataCache};
use object_store::ObjectMeta;
use object_store::path::Path;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};

use crate::error::{QueryError, Result};

/// A file that is sorted by trace id, and its name in the cache.
#[derive(Debug, Clone)]
pub(crate) struct SortedFile {
    pub(crate) path: PathBuf,
    pub(crate) meta: ObjectMeta,
}

impl SortedFile {
    /// A data file of the table in `root`; SQL knows its footer by the same name.
    pub(crate) fn data(root: &std::path::Path, file: &DataFile) -> Result<Self> {
        Ok(Self { path: file.full_path(root), meta: object_meta(file)? })
    }
}

/// A data file as object stores describe it.
pub(crate) fn object_meta(file: &DataFile) -> Result<ObjectMeta> {
    let location = Path::from_url_path(&file.path).map_err(|error| {
        QueryError::Internal(format!("file {} has a damaged path: {error}", file.path))
    })?;
    let modified = std::time::UNIX_EPOCH
        + std::time::Duration::from_millis(u64::try_from(file.modified_ms).unwrap_or(0));
    Ok(ObjectMeta {
        location,
        last_modified: modified.into(),
        size: file.bytes,
        e_tag: None,
        version: None,
    })
}

/// The cache of footers.
#[derive(Clone)]
pub(crate) struct Footers(Arc<FileMetadataCache>);

impl std::fmt::Debug for Footers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Footers")
    }
}

impl Footers {
    pub(crate) fn new(cache: Arc<FileMetadataCache>) -> Self {
        Self(cache)
    }

    /// Opens a file with its footer and page indexes. Blocking.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn open(&self, file: &SortedFile) -> Result<(File, ArrowReaderMetadata)> {
        let failed = |error: &dyn std::fmt::Display| {
            QueryError::Internal(format!("cannot read {}: {error}", file.path.display()))
        };
        let opened = File::open(&file.path).map_err(|error| failed(&error))?;
        let metadata = match self.kept(file) {
            Some(metadata) => metadata,
            None => {
                let reader =
                    ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Optional);
                let read = reader.parse_and_finish(&opened).map_err(|error| failed(&error))?;
                let read = Arc::new(read);
                let cached = Arc::new(CachedParquetMetaData::new(Arc::clone(&read)));
                let entry = CachedFileMetadataEntry::new(file.meta.clone(), cached);
                self.0.put(&file.meta.location, entry);
                read
            }
        };
        let metadata = ArrowReaderMetadata::try_new(metadata, ArrowReaderOptions::new())
            .map_err(|error| failed(&error))?;
        Ok((opened, metadata))
    }

    fn kept(&self, file: &SortedFile) -> Option<Arc<ParquetMetaData>> {
        let entry = self.0.get(&file.meta.location)?;
        let cached = entry.file_metadata.as_any().downcast_ref::<CachedParquetMetaData>()?;
        let metadata = cached.parquet_metadata();
        // SQL may have kept a footer without page indexes.
        let is_usable = entry.is_valid_for(&file.meta) && metadata.offset_index().is_some();
        is_usable.then(|| Arc::clone(metadata))
    }
}
