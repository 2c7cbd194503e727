//! The folder of the table: the one place where files of the table come and go.
//!
//! What is in the folder `_delta_log` is left to [`DurableStore`](super::durable_store::DurableStore).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::traces::{summary_of, traces_root};
use crate::disk::{Disk, DiskFile, make_dir};

/// Where the table lies, and the disk on which.
#[derive(Debug, Clone)]
pub(crate) struct TableFolder {
    root: PathBuf,
    disk: Arc<dyn Disk>,
}

impl TableFolder {
    pub(crate) fn new(root: PathBuf, disk: Arc<dyn Disk>) -> Self {
        Self { root, disk }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn disk(&self) -> Arc<dyn Disk> {
        Arc::clone(&self.disk)
    }

    /// Makes the folder, that of the summaries and those above them up to `base`, durably.
    pub(crate) fn make_below(&self, base: &Path) -> io::Result<()> {
        for dir in [&self.root, &traces_root(&self.root)] {
            let dirs: Vec<_> = dir.ancestors().take_while(|dir| *dir != base).collect();
            dirs.into_iter().rev().try_for_each(|dir| make_dir(self.disk.as_ref(), dir))?;
        }
        Ok(())
    }

    /// Starts a file, and durably the folder it lies in. What an earlier attempt left there goes.
    pub(super) fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        make_dir(self.disk.as_ref(), path.parent().unwrap_or(&self.root))?;
        match self.disk.remove(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.disk.create(path)
    }

    /// Makes the name of a file durable.
    pub(super) fn sync_name(&self, path: &Path) -> io::Result<()> {
        self.disk.sync_dir(path.parent().unwrap_or(&self.root))
    }

    /// Deletes a file.
    pub(super) fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }

    /// Deletes a data file, by its path relative to the table, and its summary. The summary goes
    /// first: what a crash leaves is still found by the name of its data file.
    pub(crate) fn remove_with_summary(&self, relative_path: &str) -> io::Result<()> {
        match self.disk.remove(&summary_of(&self.root, relative_path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.disk.remove(&self.root.join(relative_path))
    }
}
