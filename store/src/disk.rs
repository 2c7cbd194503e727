//! The seam between the store and the file system: all changes of files go through here, so that tests can fill
//! the disk, tear writes, fail fsyncs, let the process die at any operation and the power fail with it.
//!
//! Implemented by [`RealDisk`], and by the faulty ones in the tests. The log also reads through it; files of the
//! table are read where they lie. Reading returns what could be read even when it ends in an error, because
//! everything before a bad block is still worth replaying.

use std::{
    fmt,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::Path,
};

/// The file operations the store needs.
pub(crate) trait Disk: fmt::Debug + Send + Sync {
    /// Locks an existing folder; the lock lasts as long as the returned file.
    /// `ErrorKind::WouldBlock` says that another process holds it.
    fn lock_dir(&self, dir: &Path) -> io::Result<Option<File>>;
    /// Names and sizes of the files in `dir`.
    fn list(&self, dir: &Path) -> io::Result<Vec<(String, u64)>>;
    /// Up to `bytes_max` bytes of the file, and how reading ended.
    fn read(&self, path: &Path, bytes_max: u64) -> (Vec<u8>, io::Result<()>);
    /// Makes a new file; fails if it exists. Writes go to its end.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Opens an existing file. Writes go to its end.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Makes a folder in an existing one; fails if it exists.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Gives a file a second name; fails if that exists.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Renames a file; one that has the new name is replaced.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes creations, renames and removals in `dir` durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
}

/// A file that is being written at its end.
pub(crate) trait DiskFile: Write + fmt::Debug + Send {
    /// Makes all written bytes durable.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts the file to `bytes`, durably.
    fn truncate(&mut self, bytes: u64) -> io::Result<()>;
}

/// Makes a folder, and those above it that are missing, durably. One that exists is made durable as well: a process
/// that died may have left it otherwise.
pub(crate) fn make_dir(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    match disk.create_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_dir(disk, parent)?;
            disk.create_dir(dir)?;
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => made?,
    }
    disk.sync_dir(parent)
}

/// The file system.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RealDisk;

/// Locked while a process uses the log; never read or written.
const LOCK_FILE: &str = "lock";

impl Disk for RealDisk {
    fn lock_dir(&self, dir: &Path) -> io::Result<Option<File>> {
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(dir.join(LOCK_FILE))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(lock)),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<(String, u64)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if let (true, Ok(name)) = (metadata.is_file(), entry.file_name().into_string()) {
                files.push((name, metadata.len()));
            }
        }
        Ok(files)
    }

    fn read(&self, path: &Path, bytes_max: u64) -> (Vec<u8>, io::Result<()>) {
        let mut bytes = Vec::new();
        let end = File::open(path).and_then(|file| {
            let expected = file.metadata()?.len().min(bytes_max);
            bytes.reserve_exact(usize::try_from(expected).unwrap_or(0));
            file.take(bytes_max).read_to_end(&mut bytes)
        });
        (bytes, end.map(|_| ()))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new().create_new(true).append(true).open(path)?;
        Ok(Box::new(file))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new().append(true).open(path)?;
        Ok(Box::new(file))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }
}

impl DiskFile for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn truncate(&mut self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)?;
        self.sync_all()
    }
}
