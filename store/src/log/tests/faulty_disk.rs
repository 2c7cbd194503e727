//! A disk in memory that knows what an fsync confirmed. It can run out of space, tear writes, fail fsyncs, lose
//! power after a number of operations, and then forget what was not durable.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;

use crate::disk::{Disk, DiskFile};

/// Shared by all its clones.
#[derive(Debug, Clone, Default)]
pub(super) struct FaultyDisk(Arc<Mutex<World>>);

#[derive(Debug, Default)]
struct World {
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    files: Vec<Content>,
    faults: Faults,
    syncs: u64,
}

#[derive(Debug, Default, Clone)]
struct Content {
    written: Vec<u8>,
    durable: Vec<u8>,
}

/// What goes wrong at present.
#[derive(Debug, Default, Clone)]
pub(super) struct Faults {
    /// Bytes that still fit.
    pub(super) space_left: Option<usize>,
    /// A write takes at most this many bytes.
    pub(super) write_bytes_max: Option<usize>,
    /// Fsyncs of files fail.
    pub(super) syncs_fail: bool,
    /// Fsyncs of folders fail.
    pub(super) dir_syncs_fail: bool,
    /// Cutting a file fails.
    pub(super) truncations_fail: bool,
    /// Removing a file fails.
    pub(super) removals_fail: bool,
    /// Reading fails after this many bytes of each file.
    pub(super) readable_bytes: Option<usize>,
    /// After this many operations everything fails.
    pub(super) operations_left: Option<u32>,
}

/// Which changes of names outlive a power cut, beside those an fsync of the folder confirmed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Names {
    /// None.
    Confirmed,
    /// All.
    Latest,
    /// Removals, but no new names.
    Removals,
}

impl FaultyDisk {
    pub(super) fn set(&self, faults: Faults) {
        self.0.lock().faults = faults;
    }

    /// Fsyncs of files so far.
    pub(super) fn syncs(&self) -> u64 {
        self.0.lock().syncs
    }

    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.0.lock().names.keys().cloned().collect()
    }

    pub(super) fn bytes(&self, path: &Path) -> io::Result<Vec<u8>> {
        let world = self.0.lock();
        let idx = world.idx(path)?;
        world.files.get(idx).map(|content| content.written.clone()).ok_or_else(not_found)
    }

    /// Puts a file there, durably.
    pub(super) fn put(&self, path: &Path, bytes: &[u8]) {
        let mut world = self.0.lock();
        let idx = world.add(path);
        world.durable_names.insert(path.to_path_buf(), idx);
        if let Some(content) = world.files.get_mut(idx) {
            content.written = bytes.to_vec();
            content.durable = bytes.to_vec();
        }
    }

    /// The same disk, apart from this one.
    pub(super) fn copied(&self) -> Self {
        let world = self.0.lock();
        Self(Arc::new(Mutex::new(World {
            names: world.names.clone(),
            durable_names: world.durable_names.clone(),
            files: world.files.clone(),
            faults: Faults::default(),
            syncs: 0,
        })))
    }

    /// Power comes back: of what no fsync confirmed, `kept_of_256`/256 of each file's bytes are there, and the names
    /// are as `names` says.
    pub(super) fn lose_power(&self, kept_of_256: u8, names: Names) {
        let mut world = self.0.lock();
        world.faults = Faults::default();
        let World { names: latest, durable_names, .. } = &mut *world;
        match names {
            Names::Confirmed => {}
            Names::Latest => durable_names.clone_from(latest),
            Names::Removals => durable_names.retain(|path, _| latest.contains_key(path)),
        }
        latest.clone_from(durable_names);
        for content in &mut world.files {
            let unsure = content.written.len().saturating_sub(content.durable.len());
            let kept = content.durable.len() + unsure * usize::from(kept_of_256) / 256;
            if content.written.starts_with(&content.durable) {
                content.written.truncate(kept);
            } else {
                content.written = content.durable.clone();
            }
            content.durable = content.written.clone();
        }
    }
}

impl World {
    fn operate(&mut self) -> io::Result<()> {
        let Some(left) = &mut self.faults.operations_left else {
            return Ok(());
        };
        *left = left.checked_sub(1).ok_or_else(|| io::Error::other("power is off"))?;
        Ok(())
    }

    fn idx(&self, path: &Path) -> io::Result<usize> {
        self.names.get(path).copied().ok_or_else(not_found)
    }

    fn add(&mut self, path: &Path) -> usize {
        self.files.push(Content::default());
        self.names.insert(path.to_path_buf(), self.files.len() - 1);
        self.files.len() - 1
    }
}

fn not_found() -> io::Error {
    io::ErrorKind::NotFound.into()
}

fn fail_if(fails: bool) -> io::Result<()> {
    if fails { Err(io::Error::other("fault injected")) } else { Ok(()) }
}

impl Disk for FaultyDisk {
    fn lock_dir(&self, _: &Path) -> io::Result<Option<File>> {
        Ok(None)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<(String, u64)>> {
        let world = self.0.lock();
        let in_dir = world.names.iter().filter(|(path, _)| path.parent() == Some(dir));
        let listed = in_dir.filter_map(|(path, idx)| {
            let name = path.file_name()?.to_str()?.to_owned();
            Some((name, world.files.get(*idx)?.written.len() as u64))
        });
        Ok(listed.collect())
    }

    fn read(&self, path: &Path, bytes_max: u64) -> (Vec<u8>, io::Result<()>) {
        let mut bytes = match self.bytes(path) {
            Ok(bytes) => bytes,
            Err(error) => return (Vec::new(), Err(error)),
        };
        let readable = self.0.lock().faults.readable_bytes.unwrap_or(usize::MAX);
        let end = fail_if(bytes.len() > readable);
        bytes.truncate(readable.min(usize::try_from(bytes_max).unwrap_or(usize::MAX)));
        (bytes, end)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut world = self.0.lock();
        world.operate()?;
        if world.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let idx = world.add(path);
        Ok(Box::new(FaultyFile { disk: self.clone(), idx }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let idx = self.0.lock().idx(path)?;
        Ok(Box::new(FaultyFile { disk: self.clone(), idx }))
    }

    fn create_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut world = self.0.lock();
        world.operate()?;
        let idx = world.idx(from)?;
        world.names.insert(to.to_path_buf(), idx);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut world = self.0.lock();
        world.operate()?;
        let idx = world.names.remove(from).ok_or_else(not_found)?;
        world.names.insert(to.to_path_buf(), idx);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut world = self.0.lock();
        world.operate()?;
        fail_if(world.faults.removals_fail)?;
        world.names.remove(path).map(|_| ()).ok_or_else(not_found)
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        let mut world = self.0.lock();
        world.operate()?;
        fail_if(world.faults.dir_syncs_fail)?;
        world.durable_names = world.names.clone();
        Ok(())
    }
}

#[derive(Debug)]
struct FaultyFile {
    disk: FaultyDisk,
    idx: usize,
}

impl FaultyFile {
    fn change<R>(&self, change: impl FnOnce(&mut Content) -> R) -> io::Result<R> {
        let mut world = self.disk.0.lock();
        world.files.get_mut(self.idx).map(change).ok_or_else(not_found)
    }
}

impl Write for FaultyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut taken = bytes;
        {
            let mut world = self.disk.0.lock();
            world.operate()?;
            let faults = &mut world.faults;
            let most = faults
                .write_bytes_max
                .unwrap_or(usize::MAX)
                .min(faults.space_left.unwrap_or(usize::MAX));
            taken = taken.get(..most).unwrap_or(taken);
            if taken.is_empty() && !bytes.is_empty() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            if let Some(left) = &mut faults.space_left {
                *left -= taken.len();
            }
        }
        self.change(|content| content.written.extend_from_slice(taken))?;
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl DiskFile for FaultyFile {
    fn sync(&mut self) -> io::Result<()> {
        {
            let mut world = self.disk.0.lock();
            world.operate()?;
            world.syncs += 1;
            fail_if(world.faults.syncs_fail)?;
        }
        self.change(|content| content.durable.clone_from(&content.written))
    }

    fn truncate(&mut self, bytes: u64) -> io::Result<()> {
        {
            let mut world = self.disk.0.lock();
            world.operate()?;
            fail_if(world.faults.truncations_fail)?;
        }
        self.change(|content| {
            content.written.truncate(usize::try_from(bytes).unwrap_or(usize::MAX));
            content.durable.clone_from(&content.written);
        })
    }
}
