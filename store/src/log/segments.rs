//! The segment files while the log is open: writing the newest, sealing it, deleting released ones.
//!
//! ```text
//! begin -> active --full or released--> sealed --released--> deleted (damaged ones: renamed aside)
//!            '--write or fsync failed--> suspect --cut to the last durable byte--> sealed
//! ```
//!
//! Invariants: `durable_bytes` of a segment never counts a byte that an fsync did not confirm. While a suspect
//! cannot be cut nothing is written, so an incomplete end is only ever found in the last segment. A segment without
//! records is removed rather than kept.

use std::{
    collections::VecDeque,
    hash::{BuildHasher, Hasher, RandomState},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    directory::{SegmentName, damaged_path},
    error::LogError,
    format::{RECORD_HEADER_BYTES, RecordHeader, SegmentHeader},
    record::Record,
    settings::LogSettings,
};
use crate::disk::{Disk, DiskFile};

/// Zeros written at a time by a probe.
const PROBE_CHUNK_BYTES: usize = 64 << 10;

/// A segment that is not written any more.
#[derive(Debug)]
pub(super) struct Sealed {
    /// The file.
    pub(super) path: PathBuf,
    /// Its highest readable sequence.
    pub(super) last_sequence: u64,
    /// Its size.
    pub(super) bytes: u64,
    /// Whether it must be kept for a person to look at.
    pub(super) is_damaged: bool,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Segments {
    disk: Arc<dyn Disk>,
    settings: LogSettings,
    sealed: VecDeque<Sealed>,
    active: Option<Active>,
    suspect: Option<Active>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Active {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    salt: u64,
    durable_bytes: u64,
    last_sequence: Option<u64>,
}

impl Segments {
    /// Takes over the segments found at open, oldest first. None is written again.
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        settings: LogSettings,
        sealed: VecDeque<Sealed>,
    ) -> Self {
        Self { disk, settings, sealed, active: None, suspect: None, buffer: Vec::new() }
    }

    /// Makes the records durable, all or none.
    pub(super) fn write(&mut self, records: &[Record]) -> Result<(), LogError> {
        let (Some(first), Some(last)) = (records.first(), records.last()) else {
            return Ok(());
        };
        let bytes = records.iter().map(|record| RECORD_HEADER_BYTES + record.payload.len()).sum();
        let mut active = self.take_active(first.sequence, bytes)?;
        encode(records, active.salt, &mut self.buffer);
        let written = active.append(&self.buffer);
        // One giant record must not keep its memory for ever.
        self.buffer.shrink_to(self.settings.group_bytes_max);
        match written {
            Ok(()) => {
                active.last_sequence = Some(last.sequence);
                self.active = Some(active);
            }
            Err(_) => self.suspect(active),
        }
        written
    }

    /// Tries whether `bytes` bytes could be written now: writes zeros, fsyncs, and cuts them off again. Should the
    /// process die in between, zeros at the end read as torn.
    pub(super) fn probe(&mut self, next_sequence: u64, bytes: usize) -> Result<(), LogError> {
        let mut active = self.take_active(next_sequence, bytes)?;
        let probed = active.probe(bytes);
        match probed {
            Ok(()) => self.active = Some(active),
            Err(_) => self.suspect(active),
        }
        probed
    }

    /// Bytes in all segment files.
    pub(super) fn size_bytes(&self) -> u64 {
        let sealed: u64 = self.sealed.iter().map(|segment| segment.bytes).sum();
        let open = self.active.iter().chain(&self.suspect);
        sealed + open.map(|segment| segment.durable_bytes).sum::<u64>()
    }

    /// Highest sequence in the segments that hold nothing beyond `through`. Seals the newest one if it is among
    /// them, so that a log whose records are all in the table is empty.
    pub(super) fn seal_released(&mut self, through: u64) -> Option<u64> {
        if self
            .active
            .as_ref()
            .is_some_and(|active| active.last_sequence.is_some_and(|last| last <= through))
        {
            self.seal_active();
        }
        let released = self.sealed.iter().take_while(|segment| segment.last_sequence <= through);
        released.map(|segment| segment.last_sequence).last()
    }

    /// Deletes the segments that hold nothing beyond `through`; damaged ones are renamed and stay.
    pub(super) fn remove_released(&mut self, through: u64) -> Result<(), LogError> {
        while let Some(segment) = self.sealed.front()
            && segment.last_sequence <= through
        {
            let removed = if segment.is_damaged {
                self.disk.rename(&segment.path, &damaged_path(&segment.path))
            } else {
                self.disk.remove(&segment.path)
            };
            absent_is_fine(removed).map_err(LogError::disk("remove", &segment.path))?;
            self.sealed.pop_front();
        }
        // A file that comes back after a crash is released again at open: its records are below the mark.
        self.sync_dir()
    }

    fn sync_dir(&self) -> Result<(), LogError> {
        let dir = &self.settings.dir;
        self.disk.sync_dir(dir).map_err(LogError::disk("fsync", dir))
    }

    /// The segment to write `bytes` bytes to. The caller puts it back.
    fn take_active(&mut self, next_sequence: u64, bytes: usize) -> Result<Active, LogError> {
        self.settle()?;
        let bytes = bytes as u64;
        let is_full = |active: &Active| {
            active.last_sequence.is_some()
                && active.durable_bytes + bytes > self.settings.segment_bytes_max
        };
        if self.active.as_ref().is_some_and(is_full) {
            self.seal_active();
        }
        match self.active.take() {
            Some(active) => Ok(active),
            None => self.begin(next_sequence),
        }
    }

    fn seal_active(&mut self) {
        let Some(active) = self.active.take() else {
            return;
        };
        self.sealed.push_back(Sealed {
            path: active.path,
            last_sequence: active.last_sequence.unwrap_or(0),
            bytes: active.durable_bytes,
            is_damaged: false,
        });
    }

    /// Makes a segment and its name durable.
    fn begin(&mut self, first_sequence: u64) -> Result<Active, LogError> {
        let salt = random_salt();
        let path = SegmentName { first_sequence, salt }.path(&self.settings.dir);
        let file = self.disk.create(&path).map_err(LogError::disk("create", &path))?;
        let mut active = Active { file, path, salt, durable_bytes: 0, last_sequence: None };
        let created_at_unix_ns = (self.settings.clock)();
        let header = SegmentHeader { salt, first_sequence, created_at_unix_ns }.encode();
        let durable = active.append(&header).and_then(|()| self.sync_dir());
        match durable {
            Ok(()) => Ok(active),
            Err(error) => {
                self.suspect(active);
                Err(error)
            }
        }
    }

    /// Distrusts what follows the last durable byte and tries to cut it off at once.
    fn suspect(&mut self, active: Active) {
        self.suspect = Some(active);
        if let Err(error) = self.settle() {
            tracing::warn!(%error, "cannot cut a failed write off the log yet");
        }
    }

    /// Cuts the suspect, if there is one, to what is durable.
    fn settle(&mut self) -> Result<(), LogError> {
        let Some(suspect) = &mut self.suspect else {
            return Ok(());
        };
        if suspect.last_sequence.is_some() {
            let cut = suspect.file.truncate(suspect.durable_bytes);
            cut.map_err(LogError::disk("truncate", &suspect.path))?;
            self.active = self.suspect.take();
            self.seal_active();
            return Ok(());
        }
        let removed = absent_is_fine(self.disk.remove(&suspect.path));
        removed.map_err(LogError::disk("remove", &suspect.path))?;
        self.sync_dir()?;
        self.suspect = None;
        Ok(())
    }
}

impl Active {
    fn append(&mut self, bytes: &[u8]) -> Result<(), LogError> {
        self.file.write_all(bytes).map_err(LogError::disk("write", &self.path))?;
        self.file.sync().map_err(LogError::disk("fsync", &self.path))?;
        self.durable_bytes += bytes.len() as u64;
        Ok(())
    }

    fn probe(&mut self, bytes: usize) -> Result<(), LogError> {
        let zeros = vec![0; PROBE_CHUNK_BYTES];
        let mut left = bytes;
        while left > 0 {
            let chunk = zeros.get(..left).unwrap_or(&zeros);
            self.file.write_all(chunk).map_err(LogError::disk("write", &self.path))?;
            left -= chunk.len();
        }
        self.file.sync().map_err(LogError::disk("fsync", &self.path))?;
        let cut = self.file.truncate(self.durable_bytes);
        cut.map_err(LogError::disk("truncate", &self.path))
    }
}

fn encode(records: &[Record], salt: u64, buffer: &mut Vec<u8>) {
    buffer.clear();
    for record in records {
        let header = RecordHeader {
            sequence: record.sequence,
            received_at_unix_ns: record.received_at_unix_ns,
            digest: record.digest,
            // `append` refuses payloads beyond 64 MiB.
            payload_bytes: u32::try_from(record.payload.len()).unwrap_or(u32::MAX),
            payload_crc: crc32c::crc32c(&record.payload),
        };
        header.encode_into(salt, buffer);
        buffer.extend_from_slice(&record.payload);
    }
}

fn absent_is_fine(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// A number that senders cannot guess: the standard library keys its hashers from the system's randomness.
pub(super) fn random_salt() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Removes a segment that holds nothing; failing is harmless, the next start tries again.
pub(super) fn remove_empty(disk: &dyn Disk, path: &Path) {
    if let Err(error) = disk.remove(path) {
        tracing::warn!(path = %path.display(), %error, "cannot remove an empty segment");
    }
}
