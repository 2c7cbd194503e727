//! The disk as one process sees it: real files, with faults in between.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::faults::{Done, Fault, Faults, Operation, WHOLE, dead, failed};
use super::machine::Machine;
use crate::disk::{Disk, DiskFile, RealDisk};

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct ProcessDisk {
    machine: Arc<Mutex<Machine>>,
    faults: Arc<Faults>,
}

impl ProcessDisk {
    pub(super) fn new(machine: &Arc<Mutex<Machine>>, faults: &Arc<Faults>) -> Self {
        Self { machine: Arc::clone(machine), faults: Arc::clone(faults) }
    }

    /// Does as much of an operation as its fault lets it. With the machine's lock held: after a
    /// process died nothing of it takes effect.
    fn operate<T>(
        &self,
        operation: Operation,
        path: &Path,
        act: impl FnOnce(&mut Machine, Done) -> io::Result<T>,
    ) -> io::Result<T> {
        let fault = self.faults.meet(operation, path);
        let mut machine = self.machine.lock();
        if self.faults.is_dead() {
            return Err(dead());
        }
        let Some(Fault::Fail(done) | Fault::Die(done)) = fault else {
            return act(&mut machine, WHOLE);
        };
        if done == WHOLE || operation == Operation::Write {
            // What it answers is lost.
            let _ = act(&mut machine, done);
        } else if let (Operation::Sync, Some(Fault::Fail(_)), Some(file)) =
            (operation, fault, machine.file(path))
        {
            machine.sync_failed(file);
        }
        if let Some(Fault::Die(_)) = fault {
            self.faults.die();
            return Err(dead());
        }
        Err(failed())
    }

    fn file(&self, path: &Path, number: usize, file: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        Box::new(ProcessFile { disk: self.clone(), path: path.to_owned(), number, file })
    }
}

impl Disk for ProcessDisk {
    fn lock_dir(&self, dir: &Path) -> io::Result<Option<File>> {
        RealDisk.lock_dir(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<(String, u64)>> {
        RealDisk.list(dir)
    }

    fn read(&self, path: &Path, bytes_max: u64) -> (Vec<u8>, io::Result<()>) {
        RealDisk.read(path, bytes_max)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.operate(Operation::Create, path, |machine, _| {
            let file = RealDisk.create(path)?;
            Ok(self.file(path, machine.created(path)?, file))
        })
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let number = self.machine.lock().file(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(self.file(path, number, RealDisk.open(path)?))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.operate(Operation::CreateDir, path, |machine, _| {
            RealDisk.create_dir(path)?;
            machine.created_dir(path);
            Ok(())
        })
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.operate(Operation::Link, to, |machine, _| {
            RealDisk.link(from, to)?;
            machine.linked(from, to);
            Ok(())
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.operate(Operation::Rename, to, |machine, _| {
            RealDisk.rename(from, to)?;
            machine.linked(from, to);
            machine.removed(from);
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.operate(Operation::Remove, path, |machine, _| {
            RealDisk.remove(path)?;
            machine.removed(path);
            Ok(())
        })
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.operate(Operation::SyncDir, dir, |machine, _| {
            // Not the real fsync, which takes long on a real disk: the account is what counts.
            File::open(dir)?;
            machine.synced_dir(dir);
            Ok(())
        })
    }
}

#[derive(Debug)]
struct ProcessFile {
    disk: ProcessDisk,
    path: PathBuf,
    number: usize,
    file: Box<dyn DiskFile>,
}

impl Write for ProcessFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.disk.operate(Operation::Write, &self.path, |_, done| {
            self.file.write_all(&bytes[..bytes.len() * done as usize / WHOLE as usize])?;
            Ok(bytes.len())
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl DiskFile for ProcessFile {
    fn sync(&mut self) -> io::Result<()> {
        let number = self.number;
        self.disk.operate(Operation::Sync, &self.path, |machine, _| machine.synced(number))
    }

    fn truncate(&mut self, bytes: u64) -> io::Result<()> {
        let (number, file) = (self.number, &mut self.file);
        self.disk.operate(Operation::Truncate, &self.path, |machine, _| {
            file.truncate(bytes)?;
            machine.cut(number, bytes);
            Ok(())
        })
    }
}
