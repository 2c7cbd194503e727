//! Which files may hold a trace, without opening them: the bloom filters on trace ids, in memory.
//!
//! ```text
//! trace id --> filters of a file (loaded on first need) --> row groups that may hold it
//! ```
//!
//! Lookups by id and the search for copies of late spans ask here before they read. A filter answers
//! "surely not" or "maybe", so a file without filters may hold everything. Invariants: at most
//! `file_index_bytes_max` bytes are kept, the least recently used go first; a file that left the
//! table leaves this index with it.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use causeway_model::columns::name;
use parking_lot::Mutex;
use parquet::bloom_filter::Sbbf;
use parquet::file::metadata::ParquetMetaDataReader;

use crate::table::DataFile;

/// The filters of one file, one for each row group; `None` where the writer made none.
pub struct FileFilters(Vec<Option<Sbbf>>);

impl fmt::Debug for FileFilters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileFilters({} row groups)", self.0.len())
    }
}

/// Bytes that an entry takes besides its filters.
const ENTRY_BYTES: usize = 256;

impl FileFilters {
    /// Reads the filters of a file. Blocking.
    fn read(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = ParquetMetaDataReader::new().parse_and_finish(&file)?;
        let schema = metadata.file_metadata().schema_descr();
        let column = schema.columns().iter().position(|column| column.name() == name::TRACE_ID);
        let filters = metadata.row_groups().iter().map(|group| {
            match column.and_then(|at| group.columns().get(at)) {
                Some(column) => Sbbf::read_from_column_chunk(column, &file),
                None => Ok(None),
            }
        });
        Ok(Self(filters.collect::<Result<_, _>>()?))
    }

    /// Whether a row group may hold the trace; a row group that is not known may.
    pub fn row_group_may_hold(&self, row_group: usize, trace_id: &[u8]) -> bool {
        match self.0.get(row_group) {
            Some(Some(filter)) => filter.check(trace_id),
            _ => true,
        }
    }

    /// Whether any row group may hold the trace.
    pub fn may_hold(&self, trace_id: &[u8]) -> bool {
        (0..self.0.len()).any(|group| self.row_group_may_hold(group, trace_id))
    }

    fn bytes(&self) -> usize {
        let filters = self.0.iter().flatten().map(|filter| filter.num_blocks() * 32);
        filters.sum::<usize>() + self.0.len() * size_of::<Option<Sbbf>>() + ENTRY_BYTES
    }
}

#[derive(Debug)]
struct Entry {
    filters: Arc<FileFilters>,
    bytes: usize,
    last_use: u64,
}

#[derive(Debug, Default)]
struct Kept {
    files: HashMap<String, Entry>,
    bytes: usize,
    uses: u64,
}

impl Kept {
    fn get(&mut self, path: &str) -> Option<Arc<FileFilters>> {
        self.uses += 1;
        let entry = self.files.get_mut(path)?;
        entry.last_use = self.uses;
        Some(Arc::clone(&entry.filters))
    }

    fn remove(&mut self, path: &str) {
        if let Some(entry) = self.files.remove(path) {
            self.bytes -= entry.bytes;
        }
    }

    fn insert(&mut self, path: &str, filters: Arc<FileFilters>, bytes_max: usize) {
        self.remove(path);
        let bytes = filters.bytes();
        if bytes > bytes_max {
            return;
        }
        while self.bytes + bytes > bytes_max {
            // A scan over all entries, but beside reading a file it does not count.
            let oldest = self.files.iter().min_by_key(|(_, entry)| entry.last_use);
            let Some(oldest) = oldest.map(|(path, _)| path.clone()) else {
                break;
            };
            self.remove(&oldest);
        }
        self.bytes += bytes;
        self.files.insert(path.to_owned(), Entry { filters, bytes, last_use: self.uses });
    }
}

/// See the module.
#[derive(Debug)]
pub struct FileIndex {
    table_root: PathBuf,
    bytes_max: usize,
    kept: Mutex<Kept>,
}

impl FileIndex {
    /// An empty index of the table in `table_root` that keeps at most `bytes_max` bytes.
    pub fn new(table_root: PathBuf, bytes_max: usize) -> Self {
        Self { table_root, bytes_max, kept: Mutex::default() }
    }

    /// Folder of the table.
    pub(crate) fn table_root(&self) -> &Path {
        &self.table_root
    }

    /// The filters of a file, if they are in memory. Never blocks.
    pub fn loaded(&self, file: &DataFile) -> Option<Arc<FileFilters>> {
        self.kept.lock().get(&file.path)
    }

    /// The filters of a file, read when they are not in memory. Blocking.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn filters(&self, file: &DataFile) -> io::Result<Arc<FileFilters>> {
        if let Some(filters) = self.loaded(file) {
            return Ok(filters);
        }
        // Two threads may read the same file at once; the later one replaces an equal entry.
        let filters = Arc::new(FileFilters::read(&file.full_path(&self.table_root))?);
        self.kept.lock().insert(&file.path, Arc::clone(&filters), self.bytes_max);
        Ok(filters)
    }

    /// Whether a file may hold spans of a trace. Blocking when its filters are not in memory.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn may_hold(&self, file: &DataFile, trace_id: &[u8]) -> io::Result<bool> {
        Ok(self.filters(file)?.may_hold(trace_id))
    }

    /// Positions of the ids whose spans a file may hold. Blocking like [`may_hold`](Self::may_hold).
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn may_hold_which<I: AsRef<[u8]>>(
        &self,
        file: &DataFile,
        trace_ids: &[I],
    ) -> io::Result<Vec<usize>> {
        let filters = self.filters(file)?;
        let ids = trace_ids.iter().enumerate();
        Ok(ids.filter(|(_, id)| filters.may_hold(id.as_ref())).map(|(at, _)| at).collect())
    }

    /// Loads what is missing, the newest files first, while there is room and it is `wanted`.
    /// Blocking. What cannot be read is left to those who need it.
    pub fn warm(&self, files: &[Arc<DataFile>], wanted: &dyn Fn() -> bool) {
        let mut missing: Vec<&Arc<DataFile>> = {
            let kept = self.kept.lock();
            files.iter().filter(|file| !kept.files.contains_key(&file.path)).collect()
        };
        missing.sort_by_key(|file| std::cmp::Reverse(file.modified_ms));
        for file in missing {
            // Loading what pushes out other files would go round in circles.
            if !wanted() || self.size().1 > self.bytes_max / 10 * 9 {
                break;
            }
            let _ = self.filters(file);
        }
    }

    /// Forgets every file that is not among the `live` ones.
    pub fn retain<'a>(&self, live: impl IntoIterator<Item = &'a DataFile>) {
        let live: HashSet<&str> = live.into_iter().map(|file| file.path.as_str()).collect();
        let mut kept = self.kept.lock();
        let gone: Vec<String> =
            kept.files.keys().filter(|path| !live.contains(path.as_str())).cloned().collect();
        gone.iter().for_each(|path| kept.remove(path));
    }

    /// Number of files and bytes in memory.
    pub fn size(&self) -> (usize, usize) {
        let kept = self.kept.lock();
        (kept.files.len(), kept.bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use arrow::array::{BinaryArray, RecordBatch};
    use parquet::arrow::ArrowWriter;
    use parquet::file::properties::WriterProperties;
    use parquet::schema::types::ColumnPath;

    use super::*;

    fn id(n: u64) -> [u8; 16] {
        u128::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes()
    }

    /// A file with the ids `n * 1000 .. n * 1000 + 100` in two row groups.
    fn file(root: &Path, n: u64, has_filter: bool) -> DataFile {
        let ids: Vec<[u8; 16]> = (n * 1_000..n * 1_000 + 100).map(id).collect();
        let array: arrow::array::ArrayRef = Arc::new(BinaryArray::from_iter_values(ids));
        let batch = RecordBatch::try_from_iter([(name::TRACE_ID, array)]).expect("a batch");
        let mut properties = WriterProperties::builder().set_max_row_group_row_count(Some(50));
        if has_filter {
            let column = || ColumnPath::from(name::TRACE_ID);
            properties = properties
                .set_column_bloom_filter_enabled(column(), true)
                .set_column_bloom_filter_max_ndv(column(), 100);
        }
        let properties = properties.build();
        let path = format!("day=2026-01-01/part {n}.parquet");
        fs::create_dir_all(root.join("day=2026-01-01")).expect("a folder");
        let out = File::create(root.join(&path)).expect("a file");
        let mut writer =
            ArrowWriter::try_new(out, batch.schema(), Some(properties)).expect("a writer");
        writer.write(&batch).expect("writes");
        writer.close().expect("closes");
        DataFile {
            path: path.replace(' ', "%20"),
            bytes: 0,
            rows: 100,
            start_time_range: None,
            modified_ms: 0,
        }
    }

    #[test]
    fn a_file_is_found_by_every_id_it_holds_and_seldom_by_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let index = FileIndex::new(folder.path().to_owned(), 1 << 20);
        let (first, bare) = (file(folder.path(), 1, true), file(folder.path(), 2, false));
        assert!((1_000..1_100).all(|n| index.may_hold(&first, &id(n)).expect("reads")));
        let others: Vec<_> = (5_000..6_000).map(id).collect();
        assert!(index.may_hold_which(&first, &others).expect("reads").len() < 100);
        assert_eq!(index.may_hold_which(&first, &[id(1), id(1_005)]).expect("reads"), [1]);
        assert!(index.may_hold(&bare, &id(1)).expect("reads"), "no filter, no knowledge");
        let filters = index.loaded(&first).expect("is in memory");
        assert!(filters.row_group_may_hold(0, &id(1_000)) && filters.row_group_may_hold(9, &[]));
    }

    #[test]
    fn memory_is_bounded_and_the_least_recently_used_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let files: Vec<_> = (0..5).map(|n| file(folder.path(), n, true)).collect();
        let (one, _) = files.split_first().expect("five files");
        let index = FileIndex::new(folder.path().to_owned(), usize::MAX);
        index.filters(one).expect("reads");
        let (_, bytes_of_one) = index.size();

        let index = FileIndex::new(folder.path().to_owned(), bytes_of_one * 3);
        for file in &files {
            index.filters(one).expect("reads");
            index.filters(file).expect("reads");
            assert!(index.size().1 <= bytes_of_one * 3);
        }
        let is_loaded: Vec<bool> = files.iter().map(|file| index.loaded(file).is_some()).collect();
        assert_eq!(is_loaded, [true, false, false, true, true]);
        let nothing = FileIndex::new(folder.path().to_owned(), bytes_of_one - 1);
        assert!(nothing.may_hold(one, &id(5)).expect("reads"));
        assert_eq!(nothing.size(), (0, 0));
    }

    #[test]
    fn files_that_left_the_table_leave_the_index() {
        let folder = tempfile::tempdir().expect("a folder");
        let files: Vec<_> = (0..3).map(|n| file(folder.path(), n, true)).collect();
        let index = FileIndex::new(folder.path().to_owned(), 1 << 20);
        files.iter().for_each(|file| drop(index.filters(file).expect("reads")));
        index.retain(files.iter().skip(2));
        assert_eq!(index.size().0, 1);
        index.retain([]);
        assert_eq!(index.size(), (0, 0));
    }

    #[test]
    fn warming_takes_the_newest_and_stops_when_there_is_no_room() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut files: Vec<_> = (0..20).map(|n| file(folder.path(), n, true)).collect();
        files.iter_mut().zip(0..).for_each(|(file, age)| file.modified_ms = age);
        let files: Vec<_> = files.into_iter().map(Arc::new).collect();
        let index = FileIndex::new(folder.path().to_owned(), usize::MAX);
        index.warm(&files, &|| false);
        assert_eq!(index.size().0, 0);
        index.warm(&files, &|| true);
        let (count, bytes) = index.size();
        assert_eq!(count, 20);
        let small = FileIndex::new(folder.path().to_owned(), bytes / 2);
        small.warm(&files, &|| true);
        assert!((1..=10).contains(&small.size().0));
        assert!(files.last().is_some_and(|newest| small.loaded(newest).is_some()));
        assert!(files.first().is_some_and(|oldest| small.loaded(oldest).is_none()));
    }

    #[test]
    fn a_file_that_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let gone = file(folder.path(), 1, true);
        fs::remove_file(gone.full_path(folder.path())).expect("is removed");
        let index = FileIndex::new(folder.path().to_owned(), 1 << 20);
        assert!(index.may_hold(&gone, &id(1)).is_err());
    }
}
