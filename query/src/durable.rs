//! Small files that are replaced as a whole, durably.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use arrow::ipc::reader::FileReader;
use arrow::ipc::writer::FileWriter;

/// Batches, and the metadata of their schema.
pub(crate) type FileContent = (Vec<RecordBatch>, HashMap<String, String>);

/// Writes a file beside the one of this name, and puts it into its place once it is on disk. Blocking.
///
/// # Errors
/// The folder or the file cannot be written; the old file is still there then.
pub(crate) fn replace<E: From<io::Error>>(
    dir: &Path,
    name: &str,
    write: impl FnOnce(File) -> Result<File, E>,
) -> Result<(), E> {
    fs::create_dir_all(dir)?;
    let staged = dir.join(format!("{name}.new"));
    write(File::create(&staged)?)?.sync_all()?;
    fs::rename(staged, dir.join(name))?;
    Ok(File::open(dir)?.sync_all()?)
}

/// Writes a batch as an Arrow IPC file in the place of the one of this name. Blocking.
///
/// # Errors
/// As [`replace`].
pub(crate) fn write_batch(dir: &Path, name: &str, batch: &RecordBatch) -> Result<(), ArrowError> {
    replace(dir, name, |file| {
        let mut writer = FileWriter::try_new(file, batch.schema_ref())?;
        writer.write(batch)?;
        writer.finish()?;
        writer.into_inner()
    })
}

/// The content of an Arrow IPC file; `None` when there is none. Blocking.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn read_batches(path: &Path) -> Result<Option<FileContent>, ArrowError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let reader = FileReader::try_new(file, None)?;
    let metadata = reader.schema().metadata().clone();
    Ok(Some((reader.collect::<Result<_, _>>()?, metadata)))
}
