//! What outlives processes: real files, and the account of what would outlive a power cut.
//!
//! Bytes are durable when their file was fsynced, names when their folder was. Every file that ever
//! was is kept in an attic by number, so that a name whose removal was not durable can come back.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::random::Random;

/// See the module.
#[derive(Debug)]
pub(super) struct Machine {
    root: PathBuf,
    attic: PathBuf,
    files: Vec<FileState>,
    names: Names,
    durable_names: Names,
}

type Names = BTreeMap<PathBuf, Entry>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Folder,
    /// Position in `files`.
    File(usize),
}

#[derive(Debug, Default)]
struct FileState {
    durable_bytes: u64,
    is_log: bool,
    /// An fsync failed: the system forgets which bytes it owes, and later ones only seem to work.
    has_failed: bool,
}

impl Machine {
    /// Below `folder`, which is empty.
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        let (root, attic) = (folder.join("data"), folder.join("attic"));
        fs::create_dir(&root)?;
        fs::create_dir(&attic)?;
        let (names, durable_names) = (Names::new(), Names::new());
        Ok(Self { root, attic, files: Vec::new(), names, durable_names })
    }

    /// The data folder.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    fn kept(&self, file: usize) -> PathBuf {
        self.attic.join(file.to_string())
    }

    /// Notes a new file; gives its number.
    pub(super) fn created(&mut self, path: &Path) -> io::Result<usize> {
        let file = self.files.len();
        fs::hard_link(path, self.kept(file))?;
        let is_log = path.parent().is_some_and(|folder| folder.ends_with("log"));
        self.files.push(FileState { is_log, ..FileState::default() });
        self.names.insert(path.to_owned(), Entry::File(file));
        Ok(file)
    }

    pub(super) fn created_dir(&mut self, path: &Path) {
        self.names.insert(path.to_owned(), Entry::Folder);
    }

    pub(super) fn linked(&mut self, from: &Path, to: &Path) {
        if let Some(entry) = self.names.get(from).copied() {
            self.names.insert(to.to_owned(), entry);
        }
    }

    pub(super) fn removed(&mut self, path: &Path) {
        self.names.remove(path);
    }

    /// The number of the file that has a name.
    pub(super) fn file(&self, path: &Path) -> Option<usize> {
        match self.names.get(path) {
            Some(Entry::File(file)) => Some(*file),
            _ => None,
        }
    }

    /// Notes an fsync of a file.
    pub(super) fn synced(&mut self, file: usize) -> io::Result<()> {
        let bytes = fs::metadata(self.kept(file))?.len();
        let state = &mut self.files[file];
        if !state.has_failed {
            state.durable_bytes = bytes;
        }
        Ok(())
    }

    pub(super) fn sync_failed(&mut self, file: usize) {
        self.files[file].has_failed = true;
    }

    /// Notes that a file was durably cut.
    pub(super) fn cut(&mut self, file: usize, bytes: u64) {
        self.files[file].durable_bytes = bytes;
    }

    /// Notes an fsync of a folder.
    pub(super) fn synced_dir(&mut self, dir: &Path) {
        let is_in = |path: &Path| path.parent() == Some(dir);
        self.durable_names.retain(|path, _| !is_in(path));
        let names = self.names.iter().filter(|(path, _)| is_in(path));
        self.durable_names.extend(names.map(|(path, entry)| (path.clone(), *entry)));
    }

    /// The power fails and comes back, while no process runs.
    pub(super) fn lose_power(&mut self, random: &mut Random) -> io::Result<()> {
        self.choose_names(random);
        for file in 0..self.files.len() {
            self.choose_bytes(file, random)?;
        }
        fs::remove_dir_all(&self.root)?;
        fs::create_dir(&self.root)?;
        for (path, entry) in &self.names {
            match *entry {
                Entry::Folder => fs::create_dir(path)?,
                Entry::File(file) => fs::hard_link(self.kept(file), path)?,
            }
        }
        Ok(())
    }

    /// Names that an fsync confirmed are there; of the others none, all, only removals, or any.
    fn choose_names(&mut self, random: &mut Random) {
        let way = random.below(4);
        let paths: BTreeSet<_> = self.names.keys().chain(self.durable_names.keys()).collect();
        let mut names = Names::new();
        for path in paths {
            let (latest, durable) = (self.names.get(path), self.durable_names.get(path));
            let chosen = match way {
                0 => durable,
                1 => latest,
                2 => durable.filter(|_| latest.is_some()),
                _ => random.pick(&[latest, durable]),
            };
            let parent = path.parent().unwrap_or(&self.root);
            let has_folder = parent == self.root || names.get(parent) == Some(&Entry::Folder);
            if let Some(entry) = chosen.filter(|_| has_folder) {
                names.insert(path.clone(), *entry);
            }
        }
        self.durable_names.clone_from(&names);
        self.names = names;
    }

    /// Bytes that no fsync confirmed are there up to some place; beyond it they are missing or zero. In
    /// the log there is no half record before zeros: it takes that for damage, to be on the safe side.
    fn choose_bytes(&mut self, file: usize, random: &mut Random) -> io::Result<()> {
        let path = self.kept(file);
        let written = fs::metadata(&path)?.len();
        let durable = self.files[file].durable_bytes;
        if written > durable {
            let kept = durable + (written - durable) * random.pick(&[0, 0, 100, 256]) / 256;
            let content = OpenOptions::new().write(true).open(path)?;
            let has_zeros = random.one_in(2);
            content.set_len(if has_zeros && self.files[file].is_log { durable } else { kept })?;
            if has_zeros {
                content.set_len(written)?;
            }
        }
        let durable_bytes = fs::metadata(self.kept(file))?.len();
        let state = &mut self.files[file];
        (state.durable_bytes, state.has_failed) = (durable_bytes, false);
        Ok(())
    }
}
