//! What a server left on disk.

use std::fs;
use std::path::Path;

use anyhow::Result;

/// Bytes in a data folder, by what they are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Disk {
    pub(crate) parquet: u64,
    /// The number of Parquet files, those that no table version names any more too.
    pub(crate) parquet_files: u64,
    /// What is in a folder named `log`: received requests that no file holds yet.
    pub(crate) log: u64,
    pub(crate) other: u64,
}

impl Disk {
    pub(crate) fn of(data_dir: &Path) -> Result<Self> {
        let mut disk = Self::default();
        disk.add(data_dir, false)?;
        Ok(disk)
    }

    pub(crate) fn total(self) -> u64 {
        self.parquet + self.log + self.other
    }

    /// What was added since an earlier look; what was removed counts as nothing.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            parquet: self.parquet.saturating_sub(earlier.parquet),
            parquet_files: self.parquet_files.saturating_sub(earlier.parquet_files),
            log: self.log.saturating_sub(earlier.log),
            other: self.other.saturating_sub(earlier.other),
        }
    }

    fn add(&mut self, dir: &Path, in_log: bool) -> Result<()> {
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            // A running server deletes files while we look.
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            let path = entry.path();
            if metadata.is_dir() {
                self.add(&path, in_log || entry.file_name() == "log")?;
            } else if in_log {
                self.log += metadata.len();
            } else if path.extension().is_some_and(|extension| extension == "parquet") {
                self.parquet += metadata.len();
                self.parquet_files += 1;
            } else {
                self.other += metadata.len();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_sorted_by_what_they_are_for() -> Result<()> {
        let dir = tempfile::tempdir()?;
        let write = |path: &str, bytes: usize| -> Result<()> {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap_or(dir.path()))?;
            fs::write(path, vec![0; bytes])?;
            Ok(())
        };
        write("tenants/default/spans/date=2026-11-21/a.parquet", 100)?;
        write("tenants/default/spans/_delta_log/0.json", 20)?;
        write("log/000001.log", 3)?;
        write("writer-id", 4)?;
        let disk = Disk::of(dir.path())?;
        assert_eq!(disk, Disk { parquet: 100, parquet_files: 1, log: 3, other: 24 });
        assert_eq!(disk.total(), 127);
        Ok(())
    }
}
